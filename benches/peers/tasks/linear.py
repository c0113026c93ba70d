"""Linear models: ridge, logistic, softmax, Poisson; long and sparse tables."""

import os

import numpy as np

from tasks.data import HERE, idx, quadratic, table
from tasks.harness import Task
from tasks.methods import glum, liblinear, optax_lbfgs, scipy_jax, weights
from tasks.objectives import risk


def linear_task(title, kind, x, y, ridge, accuracy, peers):
    """A linear model with a bias, which is not penalised."""
    import secant

    classes = int(y.max()) + 1 if kind == "softmax" else 1
    widths = (x.shape[1], classes)
    make = lambda xp: risk(kind, x, y, widths, ridge, xp)  # noqa: E731
    loss = {"poisson": {"full": False}} if kind == "poisson" else kind
    penalty = ridge or None
    task = Task(title, make(np), accuracy)

    def by_secant():
        def run(tol):
            fit = secant.fit("linear", x, y, loss=loss, penalty=penalty, standardize="none", options={"gradient_tolerance": tol})
            return fit.model.theta

        return run

    task.add("secant", by_secant)
    for name, peer in peers.items():
        task.add(name, peer)
    zero = np.zeros(widths[0] * classes + classes)
    if kind != "squared":
        task.add("SciPy L-BFGS-B, JAX gradient", lambda: scipy_jax(make, zero, x, y))
        task.add("optax lbfgs", lambda: optax_lbfgs(make, zero, x, y))
    return task


def logistic_peers(x, y, ridge, solvers):
    def peer(solver):
        from sklearn.linear_model import LogisticRegression

        c = 1.0 / (ridge * len(y))
        return lambda tol: weights(LogisticRegression(C=c, solver=solver, tol=tol, max_iter=20_000).fit(x, y))

    return {f"scikit-learn {solver}": (lambda solver=solver: peer(solver)) for solver in solvers}


def ridge(folder):
    x, y = table(folder, "regression/protein.csv.gz")
    x, strength = quadratic(x), 1e-3

    def scikit(solver):
        from sklearn.linear_model import Ridge

        return (lambda tol: weights(Ridge(alpha=strength * len(y), solver=solver).fit(x, y))), [0.0]

    def statsmodels():
        import statsmodels.api as sm

        alpha = np.r_[0.0, np.full(x.shape[1], strength)]

        def run(tol):
            found = sm.OLS(y, sm.add_constant(x)).fit_regularized(alpha=alpha, L1_wt=0.0)
            return np.r_[found.params[1:], found.params[0]]

        return run, [0.0]

    def lapack():
        from scipy.linalg import lstsq

        def run(tol):
            mean, top = x.mean(0), y.mean()
            rows = np.vstack([x - mean, np.sqrt(strength * len(y)) * np.eye(x.shape[1])])
            w = lstsq(rows, np.r_[y - top, np.zeros(x.shape[1])])[0]
            return np.r_[w, top - mean @ w]

        return run, [0.0]

    peers = {
        "scikit-learn cholesky": lambda: scikit("cholesky"),
        "scikit-learn svd": lambda: scikit("svd"),
        "SciPy lstsq": lapack,
        "statsmodels": statsmodels,
        "glum": lambda: glum("normal", x, y, strength, "irls-ls"),
    }
    return linear_task(f"ridge, {len(y):,} × {x.shape[1]}", "squared", x, y, strength, 1e-9, peers)


def logistic(folder):
    x, y = table(folder, "classification/letter.csv")
    x, y, strength = quadratic(x), (y < 13).astype(int), 1e-4
    peers = logistic_peers(x, y, strength, ("lbfgs", "newton-cholesky", "newton-cg"))
    peers["LIBLINEAR, of scikit-learn"] = lambda: liblinear(x, y, 1.0 / (strength * len(y)))
    peers["glum"] = lambda: glum("binomial", x, y.astype(float), strength, "irls-ls")
    return linear_task(f"logistic, {len(y):,} × {x.shape[1]}", "logistic", x, y, strength, 1e-8, peers)


def softmax_digits(folder):
    x, y = table(HERE, "digits.csv")
    x, y, strength = x / 16.0, y.astype(int), 1e-3
    peers = logistic_peers(x, y, strength, ("lbfgs", "newton-cholesky", "newton-cg"))
    return linear_task("softmax, digits, 1,797 × 64", "softmax", x, y, strength, 1e-8, peers)


def softmax_fashion(folder):
    count, strength = 10_000, 1e-3
    x = idx(folder, "train30k-images-idx3-ubyte.gz", 16).reshape(-1, 784)[:count] / 255.0
    y = idx(folder, "train30k-labels-idx1-ubyte.gz", 8)[:count].astype(int)
    peers = logistic_peers(x, y, strength, ("lbfgs", "newton-cg"))
    return linear_task("softmax, Fashion-MNIST, 10,000 × 784", "softmax", x, y, strength, 1e-8, peers)


def poisson(folder):
    x, y = table(folder, "regression/abalone.csv")

    def statsmodels():
        import statsmodels.api as sm

        def run(tol):
            # Its tolerance is that of the deviance, as an absolute number.
            found = sm.GLM(y, sm.add_constant(x), family=sm.families.Poisson()).fit(tol=tol)
            return np.r_[found.params[1:], found.params[0]]

        return run

    def scikit(solver):
        from sklearn.linear_model import PoissonRegressor

        return lambda tol: weights(PoissonRegressor(alpha=0.0, solver=solver, tol=tol, max_iter=20_000).fit(x, y))

    peers = {
        "statsmodels GLM": statsmodels,
        "scikit-learn lbfgs": lambda: scikit("lbfgs"),
        "scikit-learn newton-cholesky": lambda: scikit("newton-cholesky"),
        "glum": lambda: glum("poisson", x, y, 0.0, "irls-ls"),
    }
    return linear_task(f"Poisson, {len(y):,} × {x.shape[1]}", "poisson", x, y, 0.0, 1e-10, peers)


def long_regression(_folder):
    """1,000,000 × 100: a tenth of it where memory is short (SECANT_LONG=100000)."""
    from secant.sklearn import LinearRegression

    samples, d = int(os.environ.get("SECANT_LONG", "1000000")), 100
    random = np.random.default_rng(8)
    x = random.normal(size=(samples, d))
    y = x @ np.linspace(-1.0, 1.0, d) + 3.0 + random.normal(size=samples)

    def value(found):
        """Of (β, β₀)."""
        r = y - x @ found[:-1] - found[-1]
        return r @ r / samples

    task = Task(f"linear regression, {samples:,} × {d}", value, 1e-13)
    of = lambda fit: np.r_[fit.coef_, fit.intercept_]  # noqa: E731

    def normal(tol):
        mean, level = x.mean(0), y.mean()
        gram, right = x.T @ x - samples * np.outer(mean, mean), x.T @ y - samples * level * mean
        w = np.linalg.solve(gram, right)
        return np.r_[w, level - mean @ w]

    def scikit():
        from sklearn import linear_model

        return (lambda tol: of(linear_model.LinearRegression().fit(x, y))), [0.0]

    def lapack(tol):
        found = np.linalg.lstsq(np.column_stack([x, np.ones(samples)]), y, rcond=None)[0]
        return found

    task.add("secant", lambda: ((lambda tol: of(LinearRegression().fit(x, y))), [0.0]))
    task.add("NumPy, normal equations", lambda: (normal, [0.0]))
    task.add("NumPy lstsq", lambda: (lapack, [0.0]))
    task.add("scikit-learn LinearRegression", scikit)
    return task


def sparse_logistic(title, x, y, dense_hessian):
    """ℓ₂ of 1/N: C = 1. The largest entry of the gradient of the mean loss and penalty is asked to be 1e-8."""
    from secant.sklearn import LogisticRegression
    from sklearn import linear_model

    samples, t = x.shape[0], 2.0 * y - 1.0

    def steepest(found):
        w, b = found[:-1], found[-1]
        slope = -t / (1.0 + np.exp(t * (x @ w + b))) / samples
        return max(np.abs(x.T @ slope + w / samples).max(), abs(slope.sum()))

    task = Task(title, steepest, 1e-8, reference=0.0, scale=1.0)
    of = lambda fit: np.r_[fit.coef_[0], fit.intercept_]  # noqa: E731

    def scikit(solver):
        return lambda tol: of(linear_model.LogisticRegression(C=1.0, solver=solver, tol=tol, max_iter=20_000).fit(x, y))

    task.add("secant", lambda: lambda tol: of(LogisticRegression(C=1.0, tol=tol).fit(x, y)))
    for solver in ("lbfgs", "newton-cg") + (("newton-cholesky",) if dense_hessian else ()):
        task.add(f"scikit-learn {solver}, CSR", lambda solver=solver: scikit(solver))
    task.add("LIBLINEAR, of scikit-learn, CSR", lambda: liblinear(x, y, 1.0))
    solver = "irls-ls" if dense_hessian else "lbfgs"
    task.add(f"glum {solver}", lambda: glum("binomial", x, y.astype(float), 1.0 / samples, solver))
    return task
