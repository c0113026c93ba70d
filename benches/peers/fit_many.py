"""a*exp(-b*x) + c on many groups: SciPy's curve_fit, lmfit, and a vmapped Levenberg-Marquardt in JAX where it is installed.

    cargo run --release --example fit_many -- --data /tmp/groups.csv
    python3 fit_many.py /tmp/groups.csv [groups]

The same groups, from the same start (1, 1, 0); microseconds a fit on one thread. JAX's compile time apart. pip install numpy scipy lmfit.
"""

import sys
import time

import numpy as np

START = (1.0, 1.0, 0.0)


def read(path, most):
    table = np.loadtxt(path, delimiter=",", skiprows=1)
    groups = [table[table[:, 0] == key] for key in np.unique(table[:, 0])[:most]]
    return groups[0][:, 1], np.array([group[:, 2] for group in groups])


def model(x, a, b, c):
    return a * np.exp(-b * x) + c


def jacobian(x, a, b, c):
    e = np.exp(-b * x)
    return np.stack([e, -a * x * e, np.ones_like(x)], axis=1)


def timed(name, work, groups):
    begun = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - begun
    print(f'{{"peer":"{name}","groups":{groups},"microseconds":{1e6 * seconds / groups:.1f}}}')
    return result


def by_scipy(x, ys):
    from scipy.optimize import curve_fit

    timed("curve_fit", lambda: [curve_fit(model, x, y, START)[0] for y in ys], len(ys))
    timed("curve_fit, jac", lambda: [curve_fit(model, x, y, START, jac=jacobian)[0] for y in ys], len(ys))


def by_lmfit(x, ys):
    import lmfit

    fit = lmfit.Model(model)
    start = fit.make_params(a=START[0], b=START[1], c=START[2])
    timed("lmfit", lambda: [fit.fit(y, start, x=x).best_values for y in ys], len(ys))


def by_jax(x, ys):
    try:
        import jax
        import jax.numpy as jnp
    except ImportError:
        print('{"peer":"jax","missing":true}')
        return
    jax.config.update("jax_enable_x64", True)

    def residuals(p, y):
        return p[0] * jnp.exp(-p[1] * x) + p[2] - y

    def fit(y):
        def step(_, state):
            p, mu = state
            r, j = residuals(p, y), jax.jacfwd(residuals)(p, y)
            normal = j.T @ j
            trial = p - jnp.linalg.solve(normal + mu * jnp.diag(jnp.diag(normal)), j.T @ r)
            better = jnp.sum(residuals(trial, y) ** 2) <= jnp.sum(r**2)
            return jnp.where(better, trial, p), jnp.where(better, mu / 10, mu * 10)

        return jax.lax.fori_loop(0, 30, step, (jnp.array(START), 1e-3))[0]

    many = jax.jit(jax.vmap(fit))
    begun = time.perf_counter()
    compiled = many.lower(ys).compile()
    print(f'{{"peer":"jax","compile_seconds":{time.perf_counter() - begun:.2f}}}')
    compiled(ys).block_until_ready()
    timed("jax, vmap", lambda: compiled(ys).block_until_ready(), len(ys))


def main():
    most = int(sys.argv[2]) if len(sys.argv) > 2 else None
    x, ys = read(sys.argv[1], most)
    by_scipy(x, ys)
    by_lmfit(x, ys[: max(1, len(ys) // 10)])
    by_jax(x, ys)


main()
