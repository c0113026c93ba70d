"""Curves: one by formula, one by function, thousands at once."""

import numpy as np

from tasks.data import nist
from tasks.harness import Task
from tasks.methods import compiled, jax_f64, optimistix_lm


def curve_task(title, make_model, formula, x, y, start, certified):
    """One curve; `formula` is secant's, by `None` it takes the function as the others do, and traces it. Parameters of a formula are b1, b2, ..."""
    import secant

    model = make_model(np)
    task = Task(title, lambda p: np.sum((model(x, *p) - y) ** 2), 1e-9, reference=certified)
    count = len(start)

    def by_secant():
        if formula is None:
            return lambda tol: secant.curve_fit(model, x, y, start)[0], [0.0]
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
