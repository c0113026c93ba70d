"""Values, gradients and Hessian products of every loss, by JAX in float64: the fixture that `tests/it/losses.rs` compares with.

python losses.py > ../../tests/fixtures/losses.json

Each case has scores z (c numbers a sample, sample after sample), targets, a direction v, and the sum over the samples of the loss written
down here, with its gradient and Hessian product by automatic differentiation. Kinks are off the points.
"""

import json

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaln

jax.config.update("jax_enable_x64", True)
SAMPLES = 8
rng = np.random.default_rng(6)


def huber(z, y, scale=0.7):
    r = jnp.abs(z - y)
    return jnp.sum(jnp.where(r <= scale, 0.5 * r**2, scale * r - 0.5 * scale**2))


def soft_l1(z, y, scale=0.7):
    return jnp.sum(scale**2 * (jnp.sqrt(1 + ((z - y) / scale) ** 2) - 1))


def cauchy(z, y, scale=0.7):
    return jnp.sum(0.5 * scale**2 * jnp.log1p(((z - y) / scale) ** 2))


def tukey(z, y, scale=2.0):
    s = ((z - y) / scale) ** 2
    return jnp.sum(0.5 * scale**2 * jnp.where(s <= 1, (1 - (1 - s) ** 3) / 3, 1 / 3))


def log_cosh(z, y, scale=0.8):
    u = (z - y) / scale
    return jnp.sum(scale**2 * (jnp.logaddexp(u, -u) - jnp.log(2.0)))


def quantile(z, y, tau=0.8, width=0.5):
    e = y - z
    return jnp.sum(tau * e + width * jax.nn.softplus(-e / width))


def learned_variance(z, y):
    mean, log_variance = z
    return -jnp.sum(jax.scipy.stats.norm.logpdf(y, mean, jnp.exp(0.5 * log_variance)) + 0.5 * jnp.log(2 * jnp.pi))


def poisson(z, y):
    return -jnp.sum(y * z - jnp.exp(z) - gammaln(y + 1))


def negative_binomial(z, y, alpha=0.6):
    mean, inverse = jnp.exp(z), 1 / alpha
    log_p = gammaln(y + inverse) - gammaln(inverse) - gammaln(y + 1)
    log_p += inverse * jnp.log(inverse / (inverse + mean)) + y * jnp.log(mean / (inverse + mean))
    return -jnp.sum(log_p)


def gamma(z, y):
    return jnp.sum(z + y * jnp.exp(-z))


def logistic(z, y):
    return -jnp.sum(jnp.where(y == 1, jax.nn.log_sigmoid(z), jax.nn.log_sigmoid(-z)))


def softmax(z, y):
    return -jax.nn.log_softmax(z)[y]


def smoothed_softmax(z, y, smoothing=0.1, weights=(0.5, 2.0, 1.0, 0.0)):
    weights, c = jnp.array(weights), len(weights)
    share = (1 - smoothing) * jax.nn.one_hot(y, c) + smoothing / c
    return -jnp.sum(weights * share * jax.nn.log_softmax(z))


def margins(z, y, c):
    if c == 1:
        return (2 * y - 1) * z
    return (2 * jax.nn.one_hot(y, c) - 1) * z


def hinge(power, c):
    return lambda z, y: jnp.sum(jax.nn.relu(1 - margins(z, y, c)) ** power)


def crammer_singer(power, c):
    def loss(z, y):
        rival = jnp.max(jnp.where(jax.nn.one_hot(y, c) == 1, -jnp.inf, z))
        return jax.nn.relu(1 + rival - z[y]) ** power

    return loss


def squared(z, y):
    return 0.5 * jnp.sum((z - y) ** 2)


def absolute(z, y):
    return jnp.sum(jnp.abs(z - y))


def case(name, loss, c, kind, rows=None):
    rows = rows or c
    z = rng.normal(size=(SAMPLES, c)) * 1.5
    v = rng.normal(size=(SAMPLES, c))
    y = {
        "numbers": lambda: rng.normal(size=(SAMPLES, rows)) * 1.5,
        "counts": lambda: rng.poisson(2.0, size=(SAMPLES, rows)).astype(float),
        "positive": lambda: rng.gamma(2.0, size=(SAMPLES, rows)),
        "labels": lambda: rng.integers(0, max(c, 2), size=SAMPLES),
    }[kind]()
    targets = jnp.array(y)
    total = lambda z: jnp.sum(jax.vmap(loss)(z, targets))
    gradient = jax.grad(total)
    _, product = jax.jvp(gradient, (jnp.array(z),), (jnp.array(v),))
    flat = lambda a: np.asarray(a).ravel().tolist()
    return {
        "loss": name,
        "outputs": c,
        "rows": rows,
        "z": flat(z),
        "y": flat(y),
        "v": flat(v),
        "value": float(total(jnp.array(z))),
        "gradient": flat(gradient(jnp.array(z))),
        "product": flat(product),
    }


def learned(z, y):
    return learned_variance((z[:2], z[2:]), y)


cases = [
    case("squared", squared, 2, "numbers"),
    case("absolute", absolute, 2, "numbers"),
    case("huber", huber, 2, "numbers"),
    case("soft-l1", soft_l1, 2, "numbers"),
    case("cauchy", cauchy, 2, "numbers"),
    case("tukey", tukey, 2, "numbers"),
    case("log-cosh", log_cosh, 2, "numbers"),
    case("quantile", quantile, 2, "numbers"),
    case("learned-variance", learned, 4, "numbers", rows=2),
    case("poisson", poisson, 2, "counts"),
    case("negative-binomial", negative_binomial, 2, "counts"),
    case("gamma", gamma, 2, "positive"),
    case("logistic", lambda z, y: logistic(z[0], y), 1, "labels"),
    case("softmax", softmax, 4, "labels"),
    case("smoothed-softmax", smoothed_softmax, 4, "labels"),
    case("hinge", lambda z, y: hinge(1, 1)(z[0], y), 1, "labels"),
    case("hinge-rest", hinge(1, 4), 4, "labels"),
    case("hinge-rival", crammer_singer(1, 4), 4, "labels"),
    case("squared-hinge", lambda z, y: hinge(2, 1)(z[0], y), 1, "labels"),
    case("squared-hinge-rest", hinge(2, 4), 4, "labels"),
    case("squared-hinge-rival", crammer_singer(2, 4), 4, "labels"),
]
print(json.dumps(cases))
