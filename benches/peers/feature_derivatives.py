"""Gradients and Hessian products of feature maps inside a network by JAX in float64: the fixture that `crates/core/tests/it/features.rs`
compares with.

python feature_derivatives.py > ../../crates/core/tests/fixtures/feature_derivatives.json

z = W₂·φ(W₁·x + b₁) + b₂, f = 1/(2N)·Σ‖z − y‖². θ = W₁, b₁, W₂, b₂, matrices column by column; data a sample after the other.
"""

import json

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.preprocessing import PolynomialFeatures

jax.config.update("jax_enable_x64", True)
D, C, N, WIDTH, SCALE, OFFSET, DEGREE = 3, 2, 7, 1.3, 0.7, 1.5, 3
# `RandomFourier::new(3, 4, 0.9, 3)`, a frequency a row.
FREQUENCIES = jnp.array(
    [
        [-0.5037500307147328, 0.16612128895091338, 0.30889299572488027],
        [-0.9471832052509365, -1.2702958251879204, 0.4945803513770322],
        [0.054383082836934805, -0.47119439386972356, 0.379283995549158],
        [-1.4870939268612666, -2.3409331666187496, -0.6551096839976004],
    ]
)
random = np.random.default_rng(2)
LANDMARKS = random.standard_normal((5, D))
X, Y = random.standard_normal((N, D)), random.standard_normal((N, C))


def gaussian(x, points):
    squares = ((x[:, None, :] - points[None, :, :]) ** 2).sum(axis=2)
    return jnp.exp(-squares / (2 * WIDTH**2))


def polynomial(x, points):
    return (SCALE * x @ points.T + OFFSET) ** DEGREE


def nystrom(kernel):
    values, vectors = np.linalg.eigh(np.array(kernel(jnp.array(LANDMARKS), jnp.array(LANDMARKS))))
    root = (vectors / np.sqrt(values)) @ vectors.T
    return lambda x: kernel(x, LANDMARKS) @ root


def monomials(x):
    powers = PolynomialFeatures(3, include_bias=False).fit(np.zeros((1, D))).powers_
    columns = []
    for row in powers:
        column = jnp.ones(len(x))
        for feature, power in enumerate(row):
            for _ in range(power):
                column = column * x[:, feature]
        columns.append(column)
    return jnp.stack(columns, axis=1)


def fourier(x):
    angles = x @ FREQUENCIES.T
    return jnp.concatenate([jnp.cos(angles), jnp.sin(angles)], axis=1) / np.sqrt(len(FREQUENCIES))


def case(phi):
    rows = phi(jnp.zeros((1, D))).shape[1]
    sizes = [D * D, D, C * rows, C]
    theta, v = 0.4 * random.standard_normal(sum(sizes)), random.standard_normal(sum(sizes))

    def risk(theta):
        w1, b1, w2, b2 = jnp.split(theta, np.cumsum(sizes)[:-1])
        h = phi(X @ w1.reshape(D, D) + b1)
        z = h @ w2.reshape(rows, C) + b2
        return 0.5 * ((z - Y) ** 2).sum() / N

    gradient = jax.grad(risk)
    product = jax.jvp(gradient, (jnp.array(theta),), (jnp.array(v),))[1]
    return {
        "theta": theta.tolist(),
        "v": v.tolist(),
        "value": float(risk(theta)),
        "gradient": gradient(theta).tolist(),
        "product": product.tolist(),
    }


maps = {
    "polynomial": monomials,
    "radial_basis": lambda x: gaussian(x, LANDMARKS),
    "random_fourier": fourier,
    "nystrom gaussian": nystrom(gaussian),
    "nystrom polynomial": nystrom(polynomial),
}
data = {
    "x": X.ravel().tolist(),
    "y": Y.ravel().tolist(),
    "landmarks": LANDMARKS.ravel().tolist(),
    "frequencies": FREQUENCIES.ravel().tolist(),
    "width": WIDTH,
    "scale": SCALE,
    "offset": OFFSET,
}
print(json.dumps(data | {"cases": {name: case(phi) for name, phi in maps.items()}}, indent=1))
