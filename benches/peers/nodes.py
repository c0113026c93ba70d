"""Value, gradient and Hessian product of one small risk per node in JAX, float64: the fixture of crates/core/tests/it/jax.rs.

    venv/bin/pip install "jax[cpu]" && venv/bin/python nodes.py > ../../crates/core/tests/fixtures/nodes.json

f(theta) = mean over 4 samples of 1/2 |z - y|^2, z = node(W x + b) with the parameters of the node after W and b. Vectors are in the
order of `secant`: a sample's fastest axis first, matrices column-major. The dropout masks are computed here from their definition.
"""

import json
from math import prod

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)

SAMPLES = 4
FEATURES = 3
WORD = (1 << 64) - 1


class Theta:
    """Takes blocks from theta one after another."""

    def __init__(self, theta):
        self.theta, self.at = theta, 0

    def take(self, *extents):
        """A block of these extents, the fastest axis first, as an array of the reversed ones."""
        n = prod(extents)
        block = self.theta[self.at : self.at + n]
        self.at += n
        return block.reshape(extents[::-1])


def dense(t, x, outputs, bias=True):
    """x: samples x inputs."""
    weight = t.take(outputs, x.shape[1])
    return x @ weight + (t.take(outputs) if bias else 0.0)


def shaped(x, *extents):
    """samples x reversed extents."""
    return x.reshape(len(x), *extents[::-1])


def splitmix(key, index):
    bits = (key + (index + 1) * 0x9E3779B97F4A7C15) & WORD
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & WORD
    return bits ^ (bits >> 31)


def fnv(name):
    bits = 0xCBF29CE484222325
    for byte in name.encode():
        bits = ((bits ^ byte) * 0x100000001B3) & WORD
    return bits


def dropout_mask(probability, seed, draw, name, rows):
    key = splitmix(splitmix(seed, fnv(name)), draw)
    kept = [[(splitmix(splitmix(key, i), k) >> 11) >= int(probability * 2**53) for k in range(rows)] for i in range(SAMPLES)]
    return np.array(kept) / (1 - probability)


def elementwise(f, positive=False):
    def run(t, x):
        h = dense(t, x, 5)
        return f(jax.nn.softplus(h) if positive else h)

    return run


def reduction(f, axis):
    def run(t, x):
        h = shaped(dense(t, x, 12), 3, 4)
        axes = (1, 2) if axis is None else 2 - axis
        return f(h, axes)

    return run


def matmul(first, second):
    def run(t, x):
        a = dense(t, x, 6).reshape(-1, *((3, 2) if first else (2, 3)))
        b = dense(t, x, 8).reshape(-1, *((2, 4) if second else (4, 2)))
        # A row-major array of the reversed extents is the transpose of the column-major matrix.
        a = a if first else a.transpose(0, 2, 1)
        b = b if second else b.transpose(0, 2, 1)
        return (a @ b).transpose(0, 2, 1)

    return run


def layer_norm(extents, axes, epsilon, affine):
    def run(t, x):
        h = shaped(dense(t, x, prod(extents)), *extents)
        over = tuple(range(h.ndim - axes, h.ndim))
        mean = h.mean(over, keepdims=True)
        variance = ((h - mean) ** 2).mean(over, keepdims=True)
        h = (h - mean) / jnp.sqrt(variance + epsilon)
        if not affine:
            return h
        run_extents = extents[:axes]
        return t.take(*run_extents) * h + t.take(*run_extents)

    return run


def scale_shift(per_channel):
    def run(t, x):
        h = shaped(dense(t, x, 6), 2, 3)
        if per_channel:
            return t.take(3)[None, :, None] * h + t.take(3)[None, :, None]
        return t.take(2, 3) * h + t.take(2, 3)

    return run


def bilinear(t, x):
    a, b = dense(t, x, 3), dense(t, x, 4)
    weight = t.take(2, 3, 4)
    return jnp.einsum("jik,ni,nj->nk", weight, a, b) + t.take(2)


def embedding(t, x):
    h = dense(t, x, 2)
    table = t.take(2, 5)
    return h * table[CODES]


CODES = np.array([3, 0, 4, 3])


def whole(exponent):
    return lambda h: h**exponent


CASES = {
    "dense": lambda t, x: dense(t, jnp.tanh(dense(t, x, 4)), 2),
    "dense without bias": lambda t, x: dense(t, jnp.tanh(dense(t, x, 4)), 2, bias=False),
    "identity": elementwise(lambda h: h),
    "tanh": elementwise(jnp.tanh),
    "relu": elementwise(jax.nn.relu),
    "leaky_relu": elementwise(lambda h: jnp.where(h > 0, h, 0.1 * h)),
    "sigmoid": elementwise(jax.nn.sigmoid),
    "softplus": elementwise(jax.nn.softplus),
    "silu": elementwise(jax.nn.silu),
    "gelu": elementwise(lambda h: jax.nn.gelu(h, approximate=False)),
    "sine": elementwise(jnp.sin),
    "exp": elementwise(jnp.exp),
    "log": elementwise(jnp.log, positive=True),
    "sqrt": elementwise(jnp.sqrt, positive=True),
    "power 2": elementwise(whole(2)),
    "power 3": elementwise(whole(3)),
    "power -2": elementwise(whole(-2), positive=True),
    "power 2.5": elementwise(lambda h: h**2.5, positive=True),
    "power -1.5": elementwise(lambda h: h**-1.5, positive=True),
    "softmax": elementwise(lambda h: jax.nn.softmax(h, axis=1)),
    "add": lambda t, x: dense(t, x, 3) + dense(t, x, 3) + x,
    "multiply": lambda t, x: dense(t, x, 4) * dense(t, x, 4),
    "square": lambda t, x: dense(t, x, 4) ** 2,
    "concat": lambda t, x: jnp.concatenate([dense(t, x, 2) ** 2, x, dense(t, x, 3)], axis=1),
    "slice": lambda t, x: shaped(dense(t, x, 12) ** 2, 3, 4)[:, 1:3, :],
    "select": lambda t, x: shaped(dense(t, x, 12) ** 2, 3, 4)[:, :, np.array([2, 0, 2])],
    "scale_shift per entry": scale_shift(False),
    "scale_shift per channel": scale_shift(True),
    "layer_norm": layer_norm((2, 3), 2, 1e-5, True),
    "layer_norm over 1": layer_norm((3, 2), 1, 1e-5, True),
    "layer_norm without affine": layer_norm((6,), 1, 0.1, False),
    "dropout": lambda t, x: dense(t, x, 6) ** 2 * dropout_mask(0.4, 7, 0, "node", 6),
    "bilinear": bilinear,
    "embedding": embedding,
}
for name, f in {
    "sum": jnp.sum,
    "mean": jnp.mean,
    "squared_norm": lambda h, axes: jnp.sum(h**2, axes),
    "log_sum_exp": jax.scipy.special.logsumexp,
}.items():
    for label, axis in (("all", None), ("along 0", 0), ("along 1", 1)):
        CASES[f"{name} {label}"] = reduction(f, axis)
for first in (False, True):
    for second in (False, True):
        CASES[f"matmul {int(first)}{int(second)}"] = matmul(first, second)


def case(name, node, random):
    draw = lambda *extents: np.round(random.normal(size=extents), 3)
    x = draw(SAMPLES, FEATURES)
    if name == "embedding":
        x[:, 0] = CODES
    reader = Theta(jnp.zeros(10_000))
    outputs = node(reader, x).reshape(SAMPLES, -1).shape[1]
    theta, v, y = draw(reader.at), draw(reader.at), draw(SAMPLES, outputs)

    def forward(theta):
        return node(Theta(theta), x).reshape(SAMPLES, -1)

    def risk(theta):
        return 0.5 * jnp.sum((forward(theta) - y) ** 2) / SAMPLES

    gradient = jax.grad(risk)
    product = jax.jvp(gradient, (jnp.array(theta),), (jnp.array(v),))[1]
    flat = lambda a: [float(entry) for entry in np.asarray(a).reshape(-1)]
    return {
        "name": name,
        "x": flat(x),
        "y": flat(y),
        "theta": flat(theta),
        "v": flat(v),
        "value": float(risk(theta)),
        "outputs": flat(forward(theta)),
        "gradient": flat(gradient(theta)),
        "product": flat(product),
    }


random = np.random.default_rng(20)
cases = [case(name, node, random) for name, node in CASES.items()]
print("[\n" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in cases) + "\n]")
