"""Functions without data."""

import numpy as np

from tasks.harness import Task
from tasks.methods import compiled, jax_f64


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
