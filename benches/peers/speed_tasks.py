"""Tasks of `run.py` beside the twelve of `python_table.py`: gradients, products and Hessians of four networks, long tables, sparse tables.

What counts is judged in NumPy here too: derivatives against those by hand (products by a complex step, which has no error of a
difference), fits by the gradient or the value at the solution.
"""

import os

import numpy as np

from python_table import TASKS, Missing, Task, compiled, jax_f64, main, outputs, risk, scipy_jax, split, table

# The networks of examples/throughput: widths, samples.
NETS = {
    "784-128-128-10": ((784, 128, 128, 10), 60_000),
    "10-32-32-1": ((10, 32, 32, 1), 100_000),
    "64-64-10": ((64, 64, 10), 1_797),
    "1-20-20-1": ((1, 20, 20, 1), 1_000),
}


def net_data(name):
    """Widths, inputs, targets and parameters: random, since times do not depend on them."""
    widths, samples = NETS[name]
    random = np.random.default_rng(5)
    x = random.normal(size=(samples, widths[0]))
    y = random.integers(0, widths[-1], samples) if widths[-1] > 1 else random.normal(size=samples)
    theta = np.concatenate([
        np.r_[random.normal(size=d * c) / np.sqrt(d), 0.1 * random.normal(size=c)] for d, c in zip(widths, widths[1:])
    ])
    return widths, x, y, theta


def gradient(theta, x, y, widths):
    """∇f by hand, for complex θ too: softmax cross-entropy for classes, ½ squared error else."""
    layers, values = list(split(theta, widths)), [x]
    for w, b in layers[:-1]:
        values.append(np.tanh(values[-1] @ w + b))
    w, b = layers[-1]
    s = values[-1] @ w + b
    if widths[-1] > 1:
        p = np.exp(s - s.real.max(1)[:, None])
        p /= p.sum(1)[:, None]
        p[np.arange(len(y)), y] -= 1.0
    else:
        p = s - y[:, None]
    p = p / len(y)
    parts = []
    for (w, _), h in zip(reversed(layers), reversed(values)):
        parts = [(h.T @ p).ravel(), p.sum(0), *parts]
        p = (p @ w.T) * (1.0 - h**2)
    return np.concatenate(parts)


def product(theta, v, x, y, widths):
    """∇²f·v: the imaginary part of ∇f(θ + ihv) over h."""
    return gradient(theta + 1e-30j * v, x, y, widths).imag / 1e-30


def derivative_task(title, exact, accuracy=1e-10):
    scale = np.abs(exact).max()
    return Task(title, lambda found: np.abs(found - exact).max() / scale, accuracy, reference=0.0, scale=1.0)


def objective(widths, x, y):
    """The mean loss by secant and, as a function of (θ, x, y), by JAX."""
    import secant

    kind = "softmax" if widths[-1] > 1 else "squared"
    ours = secant.Risk(secant.Network.mlp(widths), x, y, loss=kind)
    return ours, lambda xp: risk(kind, x, y, widths, 0.0, xp)


def gradient_task(name):
    widths, x, y, theta = net_data(name)
    task = derivative_task(f"value and gradient, {name} × {len(x):,}", gradient(theta, x, y, widths))
    ours, make = objective(widths, x, y)

    def by_jax():
        jax, jnp = jax_f64()
        data = jnp.asarray(theta), jnp.asarray(x), jnp.asarray(y)
        run, seconds = compiled(jax.value_and_grad(make(jnp)), *data)
        return (lambda tol: np.asarray(run(*data)[1])), [0.0], seconds

    task.add("secant", lambda: ((lambda tol: ours.value_and_grad(theta)[1]), [0.0]))
    task.add("JAX", by_jax)
    return task


def product_task(name):
    widths, x, y, theta = net_data(name)
    v = np.random.default_rng(6).normal(size=theta.size)
    task = derivative_task(f"Hessian product, {name} × {len(x):,}", product(theta, v, x, y, widths))
    ours, make = objective(widths, x, y)
    point = ours.linearize(theta)

    def by_jax():
        jax, jnp = jax_f64()
        value = make(jnp)
        at = jnp.asarray(v), jnp.asarray(theta), jnp.asarray(x), jnp.asarray(y)
        of = lambda v, theta, x, y: jax.jvp(lambda t: jax.grad(value)(t, x, y), (theta,), (v,))[1]  # noqa: E731
        run, seconds = compiled(of, *at)
        return (lambda tol: np.asarray(run(*at))), [0.0], seconds

    task.add("secant", lambda: ((lambda tol: point.hvp(v)), [0.0]))
    task.add("JAX, jvp of grad", by_jax)
    return task


def hessian_task(name):
    widths, x, y, theta = net_data(name)
    units = np.eye(theta.size)
    exact = np.array([product(theta, unit, x, y, widths) for unit in units])
    task = derivative_task(f"dense Hessian, {name} × {len(x):,}", exact)
    ours, make = objective(widths, x, y)

    def by_jax():
        jax, jnp = jax_f64()
        data = jnp.asarray(theta), jnp.asarray(x), jnp.asarray(y)
        run, seconds = compiled(jax.hessian(make(jnp)), *data)
        return (lambda tol: np.asarray(run(*data))), [0.0], seconds

    task.add("secant", lambda: ((lambda tol: ours.hessian(theta)), [0.0]))
    task.add("JAX, jax.hessian", by_jax)
    return task


# Long tables.


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


# Sparse tables.


def libsvm(folder, name):
    from sklearn.datasets import load_svmlight_file

    path = folder and os.path.join(folder, "classification", name)
    if not path or not os.path.exists(path):
        raise Missing(f"no {path}" if folder else "needs a folder of data (an argument, or SECANT_DATA)")
    x, y = load_svmlight_file(path)
    return x.tocsr(), (y > 0).astype(int)


def generated(samples=200_000, features=50_000, entries=50):
    """Fifty entries a row, features by a law of powers."""
    from scipy.sparse import csr_matrix

    random = np.random.default_rng(9)
    columns = np.minimum((features * random.random((samples, entries)) ** 3).astype(np.int64), features - 1)
    rows = np.repeat(np.arange(samples), entries)
    x = csr_matrix((random.normal(size=rows.size), (rows, columns.ravel())), shape=(samples, features))
    score = x @ (random.normal(size=features) * (random.random(features) < 0.1))
    return x, (score + random.normal(size=samples) > 0).astype(int)


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
    return task


def airfoil(folder):
    """To eight digits of the loss from one start: what a curvature method is for."""
    import secant

    x, y = table(folder, "regression/airfoil.csv")
    x, y, widths, strength = (x - x.mean(0)) / x.std(0), (y - y.mean()) / y.std(), (5, 32, 32, 1), 1e-3
    make = lambda xp: risk("squared", x, y, widths, strength, xp)  # noqa: E731
    ours = secant.Risk(secant.Network.mlp(widths), x, y, penalty=strength)
    start = ours.network.draw(0)
    assert np.isfinite(outputs(start, x, widths)).all()
    size = lambda theta: np.abs(secant.Risk(secant.Network.mlp(widths), x, y, penalty=strength).grad(theta)).max()  # noqa: E731
    # Minima differ, the size of the gradient does not: by our gradient, which the other tasks judge.
    task = Task("network 5-32-32-1 to ‖∇f‖∞ = 1e-8, airfoil", size, 1e-8, reference=0.0, scale=1.0)
    task.add("secant", lambda: lambda tol: ours.minimize(start, options={"gradient_absolute": tol, "gradient_tolerance": 0.0}).x)
    task.add("SciPy L-BFGS-B, JAX gradient", lambda: scipy_jax(make, start, x, y))
    return task


SPEED = {
    **{f"gradient {name}": (lambda folder, name=name: gradient_task(name)) for name in NETS},
    **{f"product {name}": (lambda folder, name=name: product_task(name)) for name in NETS},
    "hessian 1-20-20-1": lambda folder: hessian_task("1-20-20-1"),
    "long-regression": long_regression,
    "sparse-a9a": lambda folder: sparse_logistic("logistic, a9a on CSR", *libsvm(folder, "a9a.libsvm.gz"), True),
    "sparse-w8a": lambda folder: sparse_logistic("logistic, w8a on CSR", *libsvm(folder, "w8a.libsvm.gz"), True),
    "sparse-generated": lambda folder: sparse_logistic("logistic, 200,000 × 50,000 of 50 entries a row", *generated(), False),
    "airfoil": airfoil,
}


if __name__ == "__main__":
    main({**TASKS, **SPEED}, "The tasks of python_table.py and of this file; `run.py` makes an environment for them.")
