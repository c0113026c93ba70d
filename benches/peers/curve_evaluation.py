"""What SciPy's `curve_fit` spends on an evaluation of a*exp(-b*x) + c at 100,000 rows, with a NumPy model.

    python benches/peers/curve_evaluation.py [--rows N] [--threads N]

A JSON line: `call_ms` is the time of the whole fit over the calls of the model, `value_jacobian_ms` that of the four calls that a value with its
Jacobian by differences takes, `given_jacobian_ms` the same with the Jacobian as a NumPy function. Beside it stands
`cargo run --release --example formulas -- speed --json`.
"""

import argparse
import json
import os
import time

parser = argparse.ArgumentParser()
parser.add_argument("--rows", type=int, default=100_000)
parser.add_argument("--threads", type=int, default=1)
args = parser.parse_args()
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = str(args.threads)

import numpy as np  # noqa: E402
import scipy  # noqa: E402
from scipy.optimize import curve_fit  # noqa: E402

REPEATS = 7


def main():
    x = np.linspace(0.0, 10.0, args.rows)
    y = 3.0 * np.exp(-0.5 * x) + 1.0 + 0.05 * np.sin(37.0 * np.arange(args.rows))
    calls = {"model": 0, "jacobian": 0}

    def model(x, a, b, c):
        calls["model"] += 1
        return a * np.exp(-b * x) + c

    def jacobian(x, a, b, c):
        calls["jacobian"] += 1
        e = np.exp(-b * x)
        return np.stack([e, -a * x * e, np.ones_like(x)], axis=1)

    by_differences, given = [], []
    for _ in range(REPEATS):
        calls.update(model=0, jacobian=0)
        began = time.perf_counter()
        curve_fit(model, x, y, p0=[1.0, 1.0, 0.0])
        by_differences.append((time.perf_counter() - began) / calls["model"])
        calls.update(model=0, jacobian=0)
        began = time.perf_counter()
        curve_fit(model, x, y, p0=[1.0, 1.0, 0.0], jac=jacobian)
        given.append((time.perf_counter() - began) / max(calls["jacobian"], 1))
    call = 1e3 * float(np.median(by_differences))
    print(
        json.dumps(
            {
                "rows": args.rows,
                "scipy": scipy.__version__,
                "numpy": np.__version__,
                "call_ms": call,
                "value_jacobian_ms": 4.0 * call,
                "given_jacobian_ms": 1e3 * float(np.median(given)),
            }
        )
    )


if __name__ == "__main__":
    main()
