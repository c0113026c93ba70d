"""Methods of peers that take part in more than one task."""

import time

import numpy as np

from tasks.harness import TOLERANCES

# LIBLINEAR's constant term is the weight of a feature of this value s, and has the penalty of a weight, λ/s² of b² or λ/s of |b|: by L2 it is
# negligible from here on, and larger ones are hard on the conjugate gradients; by L1 it takes more, and descends by coordinates.
INTERCEPT_SCALING, INTERCEPT_SCALING_L1 = 1e2, 1e4


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


def warmed(run):
    """A method compiled when it is first called (Numba): the seconds of that call stand beside, a loose fit among them."""
    begun = time.perf_counter()
    run(TOLERANCES[0])
    return run, None, time.perf_counter() - begun


def glum(family, x, y, ridge, solver, l1_ratio=0.0):
    """(w, b) of glum at min mean loss + ½λ‖w‖², or λ‖w‖₁ where `l1_ratio` is 1; b is free."""
    from glum import GeneralizedLinearRegressor

    def run(tol):
        fit = GeneralizedLinearRegressor(family=family, alpha=ridge, l1_ratio=l1_ratio, solver=solver, gradient_tol=tol, max_iter=20_000)
        return weights(fit.fit(x, y))

    return run


def liblinear(x, y, c, l1_ratio=0.0):
    """(w, b) of LIBLINEAR, which scikit-learn has with it."""
    from scipy.sparse import csr_matrix, issparse
    from sklearn.linear_model import LogisticRegression

    if issparse(x):
        # It takes no longer indices.
        x = csr_matrix((x.data, x.indices.astype(np.int32), x.indptr.astype(np.int32)), shape=x.shape)
    scaling = INTERCEPT_SCALING_L1 if l1_ratio else INTERCEPT_SCALING

    def run(tol):
        fit = LogisticRegression(C=c, l1_ratio=l1_ratio, solver="liblinear", intercept_scaling=scaling, tol=tol, max_iter=1_000)
        return weights(fit.fit(x, y))

    return run


def weights(fit):
    """θ of scikit-learn's linear models: W (features × outputs), then b."""
    return np.concatenate([np.atleast_2d(fit.coef_).T.ravel(), np.atleast_1d(fit.intercept_)])
