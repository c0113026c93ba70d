"""Gradients, Hessian products and Hessians of networks, judged by derivatives by hand (products by a complex step, which has no error of a difference)."""

import numpy as np

from tasks.data import HERE, table
from tasks.harness import Task
from tasks.methods import compiled, jax_f64
from tasks.objectives import risk, split


# The networks of examples/throughput: widths, samples.
NETS = {
    "784-128-128-10": ((784, 128, 128, 10), 60_000),
    "10-32-32-1": ((10, 32, 32, 1), 100_000),
    "64-64-10": ((64, 64, 10), 1_797),
    "1-20-20-1": ((1, 20, 20, 1), 1_000),
}


def net_data(name, samples=None):
    """Widths, inputs, targets and parameters, of another number of samples if one is given: random, since times do not depend on them."""
    widths, usual = NETS[name]
    samples = samples or usual
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
