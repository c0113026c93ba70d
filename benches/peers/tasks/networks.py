"""Networks, fitted to an accuracy."""

import numpy as np

from tasks.data import HERE, standardised, table
from tasks.harness import Task
from tasks.methods import compiled, jax_f64, optax_lbfgs, optimistix_lm, scipy_jax
from tasks.objectives import outputs, risk


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
