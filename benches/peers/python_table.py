"""The Python package beside what people use, on twelve tasks in one run.

    venv/bin/pip install -r requirements-python.txt
    venv/bin/python python_table.py [DATA] [--tasks ridge,hvp] [--repeats 7] [--json FILE] [--all]

DATA (or SECANT_DATA): a folder with regression/, classification/ and images/; without it the tasks that need one say so. The others
read data/ of the checkout.

Every contestant runs at the loosest of its tolerances (1e-2, 1e-3, ...) that meets the task's accuracy, which is judged here: the script
evaluates the objective in NumPy at the solution and takes the gap to the least value that is known (certified, or the lowest that any
run reached). What never meets it, or runs for more than a minute, is shown with what it reached. The fastest of each side are then timed in
turn, secant first, `repeats` times; the ratio is the median of the rounds' ratios. JAX is compiled before it is timed, its compile time stands
beside.
"""

import argparse
import gzip
import json
import os
import platform
import sys
import time
import warnings
from importlib import metadata
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parents[2] / "data"
TOLERANCES = [10.0**-k for k in range(2, 15)]
# A run longer than this ends the search for a tolerance.
PATIENCE = 60.0


class Missing(Exception):
    """What a task or a contestant needs is not here."""


class Contestant:
    """A way to solve a task: `run(tolerance)` gives θ."""

    def __init__(self, name, run, tolerances=None, compile_seconds=None):
        self.name, self.run, self.compile_seconds = name, run, compile_seconds
        self.tolerances = tolerances or TOLERANCES
        self.tolerance = self.gap = self.value = self.seconds = None
        self.met, self.cut, self.rounds = False, False, []


class Task:
    """An objective in NumPy, the relative accuracy that is asked of it, and who takes part."""

    def __init__(self, title, value, accuracy, reference=None, scale=None):
        self.title, self.value, self.accuracy = title, value, accuracy
        self.reference, self.scale = reference, scale
        self.contestants, self.missing = [], []

    def add(self, name, make):
        """`make()` gives run(tolerance), or (run, further arguments)."""
        try:
            made = make()
        except ImportError as error:
            self.missing.append(f"{name}: no {error.name}")
            return
        self.contestants.append(Contestant(name, *made) if isinstance(made, tuple) else Contestant(name, made))

    def gap_of(self, value):
        scale = self.scale if self.scale is not None else abs(self.reference)
        return abs(value - self.reference) / scale if np.isfinite(value) else np.inf


# Data.


def table(folder, name):
    if folder is None:
        raise Missing("needs a folder of data (an argument, or SECANT_DATA)")
    path = Path(folder) / name
    if not path.exists():
        raise Missing(f"no {path}")
    values = np.loadtxt(path, delimiter=",", skiprows=1)
    return values[:, :-1], values[:, -1]


def standardised(x):
    scale = x.std(0)
    return (x - x.mean(0)) / np.where(scale > 0, scale, 1.0)


def quadratic(x):
    """Features, squares and products, standardised."""
    x = standardised(x)
    i, j = np.triu_indices(x.shape[1])
    return standardised(np.hstack([x, x[:, i] * x[:, j]]))


def idx(folder, name, header):
    path = Path(folder or "") / "images" / "fashion-mnist" / name
    if folder is None or not path.exists():
        raise Missing(f"no {path}" if folder else "needs a folder of data (an argument, or SECANT_DATA)")
    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=header)


def nist(name):
    """x, y, starts (2 × n), and the certified sum of squares."""
    lines = (HERE / "nist" / f"{name}.dat").read_text().splitlines()
    starts = [[float(n) for n in line.split("=")[1].split()[:2]] for line in lines[:60] if line.strip().startswith("b") and "=" in line]
    certified = float(next(line.split(":")[1] for line in lines if line.startswith("Residual Sum of Squares")))
    rows = np.array([[float(n) for n in line.split()] for line in lines[60:] if line.strip()])
    return rows[:, 1], rows[:, 0], np.array(starts).T, certified


# Objectives in NumPy: what the solutions are judged by.


def split(theta, widths):
    """W (inputs × outputs) and b of every layer."""
    at = 0
    for d, c in zip(widths, widths[1:]):
        yield theta[at : at + d * c].reshape(d, c), theta[at + d * c : at + d * c + c]
        at += d * c + c


def outputs(theta, x, widths, xp=np):
    layers = list(split(theta, widths))
    for w, b in layers[:-1]:
        x = xp.tanh(x @ w + b)
    return x @ layers[-1][0] + layers[-1][1]


def mean_loss(kind, s, y, xp=np):
    """Of scores N × c, without what does not depend on them."""
    if kind == "squared":
        return 0.5 * xp.mean(xp.sum((s - y.reshape(s.shape)) ** 2, axis=1))
    if kind == "poisson":
        return xp.mean(xp.exp(s[:, 0]) - y * s[:, 0])
    if kind == "logistic":
        return xp.mean(xp.logaddexp(0.0, s[:, 0]) - y * s[:, 0])
    top = xp.max(s.real if xp is np else s, axis=1)
    return xp.mean(xp.log(xp.sum(xp.exp(s - top[:, None]), axis=1)) + top - s[xp.arange(len(y)), y])


def risk(kind, x, y, widths, ridge, xp=np):
    """f(θ): mean loss and ½λ‖W‖²."""

    def value(theta, x=x, y=y):
        penalty = sum(xp.sum(w**2) for w, _ in split(theta, widths))
        return mean_loss(kind, outputs(theta, x, widths, xp), y, xp) + 0.5 * ridge * penalty

    return value


# Those who take part in more than one task.


def compiled(function, *example):
    """A function compiled by JAX for arguments like these, and the seconds that took."""
    import jax

    begun = time.perf_counter()
    made = jax.jit(function).lower(*example).compile()
    return made, time.perf_counter() - begun


def jax_f64():
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    return jax, jnp


def optax_lbfgs(make_value, start, x, y, limit=20_000):
    """L-BFGS of optax in one compiled loop, until ‖∇f‖∞ ≤ tolerance·‖∇f(start)‖∞, or f ≤ target."""
    jax, jnp = jax_f64()
    import optax

    method = optax.lbfgs()
    value_of = make_value(jnp)

    def minimise(theta, tolerance, target, x, y):
        value = lambda t: value_of(t, x, y)  # noqa: E731
        value_and_grad = optax.value_and_grad_from_state(value)
        first = jnp.max(jnp.abs(jax.grad(value)(theta)))

        def step(carried):
            theta, state, i, _, _ = carried
            f, g = value_and_grad(theta, state=state)
            step, state = method.update(g, state, theta, value=f, grad=g, value_fn=value)
            return optax.apply_updates(theta, step), state, i + 1, f, jnp.max(jnp.abs(g))

        def going(carried):
            _, _, i, f, g = carried
            return (i < limit) & (g > tolerance * first) & (f > target)

        return jax.lax.while_loop(going, step, (theta, method.init(theta), 0, jnp.inf, jnp.inf))[0]

    data = jnp.asarray(start), 0.0, 0.0, jnp.asarray(x), jnp.asarray(y)
    run, seconds = compiled(minimise, *data)
    return (lambda tol, target=-np.inf: np.asarray(run(data[0], tol, target, *data[3:]))), None, seconds


def optimistix_lm(residuals, start, *arguments):
    """Levenberg–Marquardt of Optimistix."""
    jax, jnp = jax_f64()
    import optimistix

    arguments = tuple(jnp.asarray(a) for a in arguments)

    def minimise(theta, tolerance, arguments):
        method = optimistix.LevenbergMarquardt(rtol=tolerance, atol=tolerance)
        return optimistix.least_squares(
            lambda p, a: residuals(jnp, p, *a), method, theta, arguments, max_steps=20_000, throw=False
        ).value

    theta = jnp.asarray(start)
    run, seconds = compiled(minimise, theta, 0.0, arguments)
    return (lambda tol: np.asarray(run(theta, tol, arguments))), None, seconds


def scipy_jax(make_value, start, x, y, to_target=False, method="L-BFGS-B"):
    """SciPy's method over a value and gradient compiled by JAX, until its own gradient test, or f ≤ target."""
    jax, jnp = jax_f64()
    from scipy.optimize import minimize

    value_of = make_value(jnp)
    data = jnp.asarray(x), jnp.asarray(y)
    both, seconds = compiled(jax.value_and_grad(value_of), jnp.asarray(start), *data)

    def fun(theta):
        f, g = both(theta, *data)
        return float(f), np.asarray(g)

    scale = np.abs(fun(np.asarray(start))[1]).max()
    limits = {"maxiter": 20_000, "maxfun": 40_000} if method == "L-BFGS-B" else {"maxiter": 20_000}

    def stop(target):
        def told(intermediate_result):
            if intermediate_result.fun <= target:
                raise StopIteration

        return told

    def run(tol):
        if to_target:
            options = {"gtol": 0.0, "ftol": 0.0} if method == "L-BFGS-B" else {"gtol": 0.0}
            return minimize(fun, start, jac=True, method=method, callback=stop(tol), options=limits | options).x
        options = {"gtol": tol * scale, "ftol": 0.0} if method == "L-BFGS-B" else {"gtol": tol * scale}
        return minimize(fun, start, jac=True, method=method, options=limits | options).x

    return run, None, seconds


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


def flat(model):
    """θ of scikit-learn's linear models."""
    return np.concatenate([np.atleast_2d(model.coef_).T.ravel(), np.atleast_1d(model.intercept_)])


def logistic_peers(x, y, ridge, solvers):
    def peer(solver):
        from sklearn.linear_model import LogisticRegression

        c = 1.0 / (ridge * len(y))
        return lambda tol: flat(LogisticRegression(C=c, solver=solver, tol=tol, max_iter=20_000).fit(x, y))

    return {f"scikit-learn {solver}": (lambda solver=solver: peer(solver)) for solver in solvers}


# The tasks.


def ridge(folder):
    x, y = table(folder, "regression/protein.csv.gz")
    x, strength = quadratic(x), 1e-3

    def scikit(solver):
        from sklearn.linear_model import Ridge

        return (lambda tol: flat(Ridge(alpha=strength * len(y), solver=solver).fit(x, y))), [0.0]

    def statsmodels():
        import statsmodels.api as sm

        weights = np.r_[0.0, np.full(x.shape[1], strength)]

        def run(tol):
            found = sm.OLS(y, sm.add_constant(x)).fit_regularized(alpha=weights, L1_wt=0.0)
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
    }
    return linear_task(f"ridge, {len(y):,} × {x.shape[1]}", "squared", x, y, strength, 1e-9, peers)


def logistic(folder):
    x, y = table(folder, "classification/letter.csv")
    x, y, strength = quadratic(x), (y < 13).astype(int), 1e-4
    peers = logistic_peers(x, y, strength, ("lbfgs", "newton-cholesky", "newton-cg"))
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

        return lambda tol: flat(PoissonRegressor(alpha=0.0, solver=solver, tol=tol, max_iter=20_000).fit(x, y))

    peers = {
        "statsmodels GLM": statsmodels,
        "scikit-learn lbfgs": lambda: scikit("lbfgs"),
        "scikit-learn newton-cholesky": lambda: scikit("newton-cholesky"),
    }
    return linear_task(f"Poisson, {len(y):,} × {x.shape[1]}", "poisson", x, y, 0.0, 1e-10, peers)


def curve_task(title, make_model, formula, x, y, start, certified):
    """One curve; `formula` is secant's, by `None` it takes the function as the others do. Parameters of a formula are b1, b2, ..."""
    import secant

    model = make_model(np)
    task = Task(title, lambda p: np.sum((model(x, *p) - y) ** 2), 1e-9, reference=certified)
    count = len(start)

    def by_secant():
        if formula is None:
            return lambda tol: secant.curve_fit(model, x, y, start, ftol=tol, xtol=tol, gtol=tol)[0]
        begin = {f"b{i + 1}": value for i, value in enumerate(start)}

        def run(tol):
            found = secant.curve_fit(formula, x, y, begin).fit.parameters
            return np.array([found[name] for name in begin])

        return run, [0.0]

    def scipy(method):
        from scipy.optimize import curve_fit

        def run(tol):
            return curve_fit(model, x, y, start, method=method, ftol=tol, xtol=tol, gtol=tol, maxfev=100_000)[0]

        return run

    def lmfit():
        import lmfit

        names = [f"b{i + 1}" for i in range(count)]
        scope = {"count": count, "model": model}
        exec(f"def curve(x, {', '.join(names)}): return model(x, {', '.join(names)})", scope)
        fit = lmfit.Model(scope["curve"])
        parameters = fit.make_params(**dict(zip(names, start)))

        def run(tol):
            found = fit.fit(y, parameters, x=x, fit_kws={"ftol": tol, "xtol": tol, "gtol": tol})
            return np.array([found.best_values[name] for name in names])

        return run

    task.add("secant", by_secant)
    task.add("SciPy curve_fit, lm", lambda: scipy("lm"))
    task.add("SciPy curve_fit, trf", lambda: scipy("trf"))
    task.add("lmfit", lmfit)
    task.add("Optimistix LM", lambda: optimistix_lm(lambda xp, p, x, y: make_model(xp)(x, *p) - y, start, x, y))
    return task


def curve_formula(folder):
    x, y, starts, certified = nist("ENSO")

    def make(xp):
        def enso(x, b1, b2, b3, b4, b5, b6, b7, b8, b9):
            turn = 2.0 * np.pi * x
            return (
                b1 + b2 * xp.cos(turn / 12) + b3 * xp.sin(turn / 12) + b5 * xp.cos(turn / b4)
                + b6 * xp.sin(turn / b4) + b8 * xp.cos(turn / b7) + b9 * xp.sin(turn / b7)
            )

        return enso

    formula = (
        "b1 + b2*cos(2*pi*x/12) + b3*sin(2*pi*x/12) + b5*cos(2*pi*x/b4) + b6*sin(2*pi*x/b4)"
        " + b8*cos(2*pi*x/b7) + b9*sin(2*pi*x/b7)"
    )
    return curve_task("curve by formula, NIST ENSO, 168 × 9", make, formula, x, y, starts[0], certified)


def curve_callable(folder):
    x, y, starts, certified = nist("Thurber")

    def make(xp):
        def thurber(x, b1, b2, b3, b4, b5, b6, b7):
            return (b1 + b2 * x + b3 * x**2 + b4 * x**3) / (1 + b5 * x + b6 * x**2 + b7 * x**3)

        return thurber

    return curve_task("curve by function, NIST Thurber, 37 × 7", make, None, x, y, starts[0], certified)


def fits_5000(folder):
    import secant

    random, groups = np.random.default_rng(7), 5_000
    x = np.linspace(0.0, 4.0, 40)
    true = np.column_stack([random.uniform(1, 4, groups), random.uniform(0.5, 2, groups), random.uniform(-1, 1, groups)])
    curve = lambda p, xp=np: p[..., :1] * xp.exp(-p[..., 1:2] * x) + p[..., 2:]  # noqa: E731
    ys = curve(true) + 0.05 * random.normal(size=(groups, x.size))
    start = np.array([1.0, 1.0, 0.0])
    sums = lambda p: np.sum((curve(p) - ys) ** 2, axis=1)  # noqa: E731
    least = [np.full(groups, np.inf)]

    def value(p):
        """1 + the largest relative excess of a group over the least that was seen of it."""
        found = sums(p)
        least[0] = np.fmin(least[0], found)
        return 1.0 + np.max(found / least[0] - 1.0) if np.isfinite(found).all() else np.inf

    task = Task(f"{groups:,} curves at once, 40 × 3 each", value, 1e-8, reference=1.0)

    def scipy():
        from scipy.optimize import curve_fit

        model = lambda x, a, b, c: a * np.exp(-b * x) + c  # noqa: E731

        def jacobian(x, a, b, c):
            e = np.exp(-b * x)
            return np.stack([e, -a * x * e, np.ones_like(x)], axis=1)

        return lambda tol: np.array([curve_fit(model, x, y, start, jac=jacobian, ftol=tol, xtol=tol)[0] for y in ys])

    def lmfit():
        import lmfit

        fit = lmfit.Model(lambda x, a, b, c: a * np.exp(-b * x) + c)
        begin = fit.make_params(a=1.0, b=1.0, c=0.0)
        return (lambda tol: np.array([list(fit.fit(y, begin, x=x).best_values.values()) for y in ys])), [0.0]

    def jax_vmap():
        jax, jnp = jax_f64()
        import optimistix

        def one(y, tol):
            method = optimistix.LevenbergMarquardt(rtol=tol, atol=tol)
            residuals = lambda p, y: curve(p, jnp) - y  # noqa: E731
            return optimistix.least_squares(residuals, method, jnp.asarray(start), y, max_steps=1_000, throw=False).value

        run, seconds = compiled(jax.vmap(one, (0, None)), jnp.asarray(ys), 0.0)
        return (lambda tol: np.asarray(run(jnp.asarray(ys), tol))), None, seconds

    task.add("secant", lambda: ((lambda tol: secant.fit_many("a*exp(-b*x) + c", x, ys, start).x), [0.0]))
    task.add("SciPy curve_fit, jac", scipy)
    task.add("lmfit", lmfit)
    task.add("Optimistix LM, vmap", jax_vmap)
    return task


def mlp(folder):
    import secant

    x, y = table(HERE, "power_plant.csv")
    x, y, widths, strength = standardised(x), (y - y.mean()) / y.std(), (4, 32, 1), 3e-3
    make = lambda xp: risk("squared", x, y, widths, strength, xp)  # noqa: E731
    objective = secant.Risk(secant.Network.mlp(widths), x, y, penalty=strength)
    start = objective.network.draw(0)
    # Runs from ten starts end at this value to seven digits.
    lowest = objective.minimize(start).fun
    target = lowest * (1.0 + 1e-4)
    task = Task("MLP 4-32-1 to 4 digits, 9,568 rows", make(np), 1e-4, reference=lowest)

    def by_secant():
        def run(target):
            risk = secant.Risk(secant.Network.mlp(widths), x, y, penalty=strength)
            return risk.minimize(start, options={"target": target}).x

        return run, [target]

    def scikit():
        from sklearn.neural_network import MLPRegressor

        def run(tol):
            net = MLPRegressor(hidden_layer_sizes=widths[1:-1], activation="tanh", solver="lbfgs", alpha=strength * len(y), tol=tol,
                               max_iter=20_000, max_fun=40_000, random_state=0).fit(x, y)
            return np.concatenate([np.r_[w.ravel(), b] for w, b in zip(net.coefs_, net.intercepts_)])

        return run

    def optax():
        run, _, seconds = optax_lbfgs(make, start, x, y)
        return (lambda target: run(0.0, target)), [target], seconds

    def adam(rate):
        jax, jnp = jax_f64()
        import optax

        value_of, method = make(jnp), optax.adam(rate)

        def minimise(theta, target, x, y):
            def step(carried):
                theta, state, i, _ = carried
                f, g = jax.value_and_grad(value_of)(theta, x, y)
                step, state = method.update(g, state)
                return optax.apply_updates(theta, step), state, i + 1, f

            going = lambda carried: (carried[2] < 20_000) & (carried[3] > target)  # noqa: E731
            return jax.lax.while_loop(going, step, (theta, method.init(theta), 0, jnp.inf))[0]

        data = jnp.asarray(start), target, jnp.asarray(x), jnp.asarray(y)
        run, seconds = compiled(minimise, *data)
        return (lambda target: np.asarray(run(data[0], target, *data[2:]))), [target], seconds

    def scipy():
        run, _, seconds = scipy_jax(make, start, x, y, to_target=True)
        return run, [target], seconds

    task.add("secant", by_secant)
    task.add("scikit-learn MLPRegressor lbfgs", scikit)
    task.add("SciPy L-BFGS-B, JAX gradient", scipy)
    task.add("optax lbfgs", optax)
    for rate in (1e-1, 1e-2):
        task.add(f"optax adam {rate:g}", lambda rate=rate: adam(rate))
    return task


def lm_network(folder):
    import secant

    x = np.linspace(-1.0, 1.0, 200).reshape(-1, 1)
    y, widths, goal = np.sin(4.0 * x[:, 0]) * np.exp(-x[:, 0]), (1, 12, 1), 1e-10
    make = lambda xp: risk("squared", x, y, widths, 0.0, xp)  # noqa: E731
    start = secant.Network.mlp(widths).draw(1)
    task = Task("LM, network 1-12-1 to ½ mean r² = 1e-10, 200 rows", make(np), goal, reference=0.0, scale=1.0)

    def by_secant():
        def run(target):
            risk = secant.Risk(secant.Network.mlp(widths), x, y)
            return risk.minimize(start, method="levenberg-marquardt", options={"target": target}).x

        return run, [goal]

    def residuals(xp, theta, x, y):
        return (outputs(theta, x, widths, xp)[:, 0] - y) / np.sqrt(len(y))

    def scipy(method):
        jax, jnp = jax_f64()
        from scipy.optimize import least_squares

        at = lambda theta: residuals(jnp, theta, jnp.asarray(x), jnp.asarray(y))  # noqa: E731
        r, first = compiled(at, jnp.asarray(start))
        j, second = compiled(jax.jacfwd(at), jnp.asarray(start))

        def run(tol):
            # One test ends it, that of the value: the least that the contestants have in common.
            return least_squares(lambda t: np.asarray(r(t)), start, lambda t: np.asarray(j(t)), method=method,
                                 ftol=tol, xtol=1e-15, gtol=1e-15, max_nfev=20_000).x

        return run, None, first + second

    task.add("secant", by_secant)
    task.add("SciPy least_squares lm, JAX Jacobian", lambda: scipy("lm"))
    task.add("SciPy least_squares trf, JAX Jacobian", lambda: scipy("trf"))
    task.add("Optimistix LM", lambda: optimistix_lm(residuals, start, x, y))
    return task


def hvp(folder):
    import secant

    x, y = table(HERE, "digits.csv")
    x, y, widths, ridge, count = x / 16.0, y.astype(int), (64, 64, 10), 1e-3, 20
    make = lambda xp: risk("softmax", x, y, widths, ridge, xp)  # noqa: E731
    theta = secant.Network.mlp(widths).draw(0)
    vs = np.random.default_rng(3).normal(size=(count, theta.size))

    def gradient(theta):
        """By hand, for complex θ too: ∇²f·v is the imaginary part of ∇f(θ + ihv) over h, without a difference."""
        (w1, b1), (w2, b2) = split(theta, widths)
        h = np.tanh(x @ w1 + b1)
        s = h @ w2 + b2
        p = np.exp(s - s.real.max(1)[:, None])
        p /= p.sum(1)[:, None]
        p[np.arange(len(y)), y] -= 1.0
        p /= len(y)
        back = (p @ w2.T) * (1.0 - h**2)
        return np.concatenate([(x.T @ back + ridge * w1).ravel(), back.sum(0), (h.T @ p + ridge * w2).ravel(), p.sum(0)])

    exact = np.array([gradient(theta + 1e-30j * v).imag / 1e-30 for v in vs])
    task = Task(f"{count} Hessian products, network 64-64-10, 1,797 rows",
                lambda products: np.abs(products - exact).max() / np.abs(exact).max(), 1e-10, reference=0.0, scale=1.0)
    objective = secant.Risk(secant.Network.mlp(widths), x, y, loss="softmax", penalty=ridge)

    def by_secant(tol):
        point = objective.linearize(theta)
        return np.array([point.hvp(v) for v in vs])

    def jax_products(batched):
        jax, jnp = jax_f64()
        value = make(jnp)
        at = jnp.asarray(theta), jnp.asarray(x), jnp.asarray(y)

        def product(v, theta, x, y):
            return jax.jvp(lambda t: jax.grad(value)(t, x, y), (theta,), (v,))[1]

        if batched:
            run, seconds = compiled(jax.vmap(product, (0, None, None, None)), jnp.asarray(vs), *at)
            return (lambda tol: np.asarray(run(vs, *at))), [0.0], seconds
        run, seconds = compiled(product, jnp.asarray(vs[0]), *at)
        return (lambda tol: np.array([run(v, *at) for v in vs])), [0.0], seconds

    task.add("secant", lambda: (by_secant, [0.0]))
    task.add("JAX jvp of grad", lambda: jax_products(False))
    task.add("JAX jvp of grad, vmap over all v", lambda: jax_products(True))
    return task


def rosenbrock(folder):
    import secant
    from scipy.optimize import minimize, rosen, rosen_der, rosen_hess, rosen_hess_prod

    start = np.tile([1.3, 0.7, 0.8, 1.9, 1.2], 20)
    task = Task("Rosenbrock, 100 dimensions", rosen, 1e-12, reference=0.0, scale=1.0)

    def scipy(method, **derivatives):
        key = {"Newton-CG": "xtol"}.get(method, "gtol")
        more = {"ftol": 0.0, "maxfun": 100_000} if method == "L-BFGS-B" else {}

        def run(tol):
            options = {key: tol, "maxiter": 20_000} | more
            return minimize(rosen, start, jac=rosen_der, method=method, options=options, **derivatives).x

        return run

    def optimistix_bfgs():
        jax, jnp = jax_f64()
        import optimistix

        value = lambda t, _: jnp.sum(100.0 * (t[1:] - t[:-1] ** 2) ** 2 + (1.0 - t[:-1]) ** 2)  # noqa: E731

        def minimise(theta, tol):
            method = optimistix.BFGS(rtol=tol, atol=tol)
            return optimistix.minimise(value, method, theta, max_steps=20_000, throw=False).value

        run, seconds = compiled(minimise, jnp.asarray(start), 0.0)
        return (lambda tol: np.asarray(run(jnp.asarray(start), tol))), None, seconds

    task.add("secant", lambda: lambda tol: secant.minimize(rosen, start, jac=rosen_der, options={"gtol": tol}).x)
    task.add("secant, Hessian", lambda: lambda tol: secant.minimize(rosen, start, jac=rosen_der, hess=rosen_hess, options={"gtol": tol}).x)
    for method in ("BFGS", "L-BFGS-B"):
        task.add(f"SciPy {method}", lambda method=method: scipy(method))
    task.add("SciPy Newton-CG", lambda: scipy("Newton-CG", hessp=rosen_hess_prod))
    task.add("SciPy trust-exact, Hessian", lambda: scipy("trust-exact", hess=rosen_hess))
    task.add("Optimistix BFGS", optimistix_bfgs)
    return task


TASKS = {
    "ridge": ridge,
    "logistic": logistic,
    "softmax-digits": softmax_digits,
    "softmax-fashion": softmax_fashion,
    "poisson": poisson,
    "curve-formula": curve_formula,
    "curve-function": curve_callable,
    "curves-5000": fits_5000,
    "mlp": mlp,
    "lm-network": lm_network,
    "hvp": hvp,
    "rosenbrock": rosenbrock,
}


# Running them.


def settle(task, contestant):
    """The loosest tolerance that meets the accuracy; without one, what came closest."""
    for tolerance in contestant.tolerances:
        if contestant.tolerance is not None and tolerance > contestant.tolerance:
            continue
        begun = time.perf_counter()
        try:
            value = float(task.value(contestant.run(tolerance)))
        except (RuntimeError, ValueError, np.linalg.LinAlgError) as error:
            print(f"    {contestant.name} at {tolerance:g}: {error}", file=sys.stderr)
            continue
        seconds, gap = time.perf_counter() - begun, task.gap_of(value)
        if contestant.gap is None or gap < contestant.gap:
            contestant.tolerance, contestant.value, contestant.gap, contestant.seconds = tolerance, value, gap, seconds
        if gap <= task.accuracy:
            return
        if seconds > PATIENCE:
            contestant.cut = True
            return


def settle_all(task):
    lowest = task.reference is None
    if lowest:
        task.reference = float(task.value(task.contestants[0].run(1e-13)))
    for contestant in task.contestants:
        settle(task, contestant)
    values = [c.value for c in task.contestants if c.value is not None]
    if lowest and min(values) < task.reference:
        task.reference = min(values)
        for contestant in task.contestants:
            if contestant.value is not None:
                contestant.gap = task.gap_of(contestant.value)
                if contestant.gap > task.accuracy:
                    settle(task, contestant)
    task.contestants = [c for c in task.contestants if c.value is not None]
    for contestant in task.contestants:
        contestant.met = contestant.gap <= task.accuracy
        if contestant.seconds < PATIENCE:
            contestant.seconds = seconds_of(contestant)


def seconds_of(contestant, loops=1):
    begun = time.perf_counter()
    for _ in range(loops):
        contestant.run(contestant.tolerance)
    return (time.perf_counter() - begun) / loops


def best(contestants):
    """The fastest that met the accuracy, else the closest."""
    met = [c for c in contestants if c.met]
    return min(met, key=lambda c: c.seconds) if met else min(contestants, key=lambda c: c.gap, default=None)


def race(task, repeats):
    """Rounds in turn of the best of ours and of all peers that may be the fastest."""
    ours = best([c for c in task.contestants if c.name.startswith("secant")])
    peers = [c for c in task.contestants if not c.name.startswith("secant")]
    first = best(peers)
    finalists = [c for c in peers if c is first or (c.met and c.seconds < 3.0 * first.seconds)]
    entered = [ours, *finalists]
    loops = {c.name: max(1, min(1_000, int(0.03 / c.seconds))) for c in entered}
    for _ in range(repeats):
        for contestant in entered:
            contestant.rounds.append(seconds_of(contestant, loops[contestant.name]))
    for contestant in entered:
        contestant.seconds = float(np.median(contestant.rounds))
    peer = best(finalists)
    ratio = float(np.median(np.array(peer.rounds) / ours.rounds)) if peer else None
    return ours, peer, ratio


# What is printed.


def duration(seconds):
    if seconds is None:
        return "–"
    for unit, name in ((1.0, "s"), (1e-3, "ms")):
        if seconds >= unit:
            return f"{seconds / unit:.3g} {name}"
    return f"{1e6 * seconds:.3g} µs"


def reached(contestant):
    missed = f" after {PATIENCE:g} s" if contestant.cut else ", not met"
    return f"{contestant.gap:.1e}" + ("" if contestant.met else missed)


def compile_of(contestant):
    return "–" if contestant.compile_seconds is None else f"{contestant.compile_seconds:.1f} s"


def machine():
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    packages = ("numpy", "scipy", "scikit-learn", "statsmodels", "lmfit", "jax", "optax", "optimistix")
    versions = {"Python": platform.python_version(), "secant": version("secant")} | {name: version(name) for name in packages}
    return {"processor": names[0] if names else platform.processor(), "cores": cores, "versions": versions}


def version(name):
    try:
        if name == "secant":
            import secant

            return secant.__version__
        return metadata.version(name)
    except (ImportError, metadata.PackageNotFoundError):
        return "missing"


def main(tasks=TASKS, about_table=__doc__):
    read = argparse.ArgumentParser(description=about_table, formatter_class=argparse.RawDescriptionHelpFormatter)
    read.add_argument("data", nargs="?", default=os.environ.get("SECANT_DATA"), help="folder of data beside data/")
    read.add_argument("--tasks", default=",".join(tasks), help=f"of {', '.join(tasks)}")
    read.add_argument("--repeats", type=int, default=7)
    read.add_argument("--json", type=Path, help="file for all figures")
    read.add_argument("--all", action="store_true", help="print every contestant")
    given = read.parse_args()
    names = given.tasks.split(",")
    for name in names:
        if name not in tasks:
            read.error(f"no task {name!r}, only {', '.join(tasks)}")
    warnings.filterwarnings("ignore")
    about, rows, everyone = machine(), [], []
    print(f"{about['processor']}, {about['cores']} cores; " + ", ".join(f"{k} {v}" for k, v in about["versions"].items()) + "\n")
    print("| task | secant | best peer | its time | ratio | gap: secant | gap: peer | asked | compile |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for name in names:
        print(f"  {name} ...", file=sys.stderr, flush=True)
        try:
            task = tasks[name](given.data)
            settle_all(task)
            ours, peer, ratio = race(task, given.repeats)
        except (Missing, ImportError) as error:
            print(f"| {name} | {error} | – | – | – | – | – | – | – |", flush=True)
            rows.append({"task": name, "missing": str(error)})
            continue
        if peer is None:
            none = "; ".join(task.missing)
            print(f"| {task.title} | {duration(ours.seconds)} | {none} | – | – | {reached(ours)} | – | {task.accuracy:.0e} | – |")
        else:
            print(f"| {task.title} | {duration(ours.seconds)} | {peer.name} | {duration(peer.seconds)} | {ratio:.2g} | {reached(ours)} | "
                  f"{reached(peer)} | {task.accuracy:.0e} | {compile_of(peer)} |", flush=True)
        rows.append({
            "task": name, "title": task.title, "accuracy": task.accuracy, "reference": task.reference, "secant": ours.name,
            "peer": peer and peer.name, "ratio": ratio, "missing": task.missing,
            "contestants": [
                {"name": c.name, "tolerance": c.tolerance, "value": c.value, "gap": c.gap, "met": c.met, "cut": c.cut, "seconds": c.seconds,
                 "rounds": c.rounds, "compile_seconds": c.compile_seconds}
                for c in task.contestants
            ],
        })
        everyone += [(task, c) for c in sorted(task.contestants, key=lambda c: (not c.met, c.seconds))]
        everyone += [(task, missing) for missing in task.missing]
    if given.all:
        print("\n| task | contestant | time | gap | tolerance | compile |\n|---|---|---|---|---|---|")
        for task, c in everyone:
            if isinstance(c, str):
                print(f"| {task.title} | {c} | – | – | – | – |")
            else:
                print(f"| {task.title} | {c.name} | {duration(c.seconds)} | {reached(c)} | {c.tolerance:.3g} | {compile_of(c)} |")
    if given.json:
        given.json.write_text(json.dumps({"machine": about, "repeats": given.repeats, "tasks": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
