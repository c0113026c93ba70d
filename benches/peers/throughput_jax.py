"""The four nets of `examples/throughput` in JAX, float64 on the CPU.

One JSON object per line, with the field names of the example: compare `gradient_ms` of both in one sitting on one machine.
The Hessian product is forward over reverse (jax.jvp of jax.grad), jitted: JAX has no linearised point to keep.

    pip install -r requirements.txt
    python throughput_jax.py
"""

import json
import time

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)

CASES = [([784, 128, 128, 10], 60_000), ([10, 32, 32, 1], 100_000), ([64, 64, 10], 1_797), ([1, 20, 20, 1], 1_000)]
REPEATS = 15
SECONDS = 6.0


def parameters(widths, rng):
    layers = []
    for inputs, outputs in zip(widths, widths[1:]):
        bound = np.sqrt(6.0 / (inputs + outputs))
        layers.append((jnp.asarray(rng.uniform(-bound, bound, (inputs, outputs))), jnp.zeros(outputs)))
    return layers


def risk(layers, x, y):
    for weight, bias in layers[:-1]:
        x = jnp.tanh(x @ weight + bias)
    weight, bias = layers[-1]
    z = x @ weight + bias
    if z.shape[1] == 1:
        return 0.5 * jnp.mean((z[:, 0] - y) ** 2)
    return jnp.mean(jax.nn.logsumexp(z, axis=1) - jnp.take_along_axis(z, y[:, None], axis=1)[:, 0])


def fastest(jobs):
    """The least time of each job in seconds, jobs taken in turn."""
    best = [np.inf] * len(jobs)
    start = time.perf_counter()
    for round_ in range(40 * REPEATS):
        if round_ >= 3 and time.perf_counter() - start > SECONDS:
            break
        for index, job in enumerate(jobs):
            begin = time.perf_counter()
            jax.block_until_ready(job())
            best[index] = min(best[index], time.perf_counter() - begin)
    return best


def main():
    for widths, samples in CASES:
        rng = np.random.default_rng(1)
        layers = parameters(widths, rng)
        x = jnp.asarray(rng.standard_normal((samples, widths[0])))
        y = rng.integers(0, widths[-1], samples) if widths[-1] > 1 else rng.standard_normal(samples)
        y = jnp.asarray(y)
        v = jax.tree.map(lambda p: jnp.asarray(rng.standard_normal(p.shape)), layers)
        gradient = jax.jit(jax.value_and_grad(risk))
        product = jax.jit(lambda p, v, x, y: jax.jvp(lambda p: jax.grad(risk)(p, x, y), (p,), (v,))[1])
        jax.block_until_ready(gradient(layers, x, y))
        jax.block_until_ready(product(layers, v, x, y))
        gradient_s, product_s = fastest([lambda: gradient(layers, x, y), lambda: product(layers, v, x, y)])
        net = "-".join(map(str, widths))
        print(json.dumps({"net": net, "samples": samples, "gradient_ms": 1e3 * gradient_s, "hvp_over_gradient": product_s / gradient_s, "library": f"jax {jax.__version__}"}), flush=True)


if __name__ == "__main__":
    main()
