"""Norms of SciPy's `lsmr`, iteration by iteration, on small dense systems: the fixture of a test.

The matrices are given by integers, so that both sides have the same bits: over-determined, damped, under-determined, and of rank 4.
A run of k iterations is a run cut off at k, with every tolerance at zero.

    pip install -r requirements.txt
    python lsmr.py > ../../crates/optim/tests/fixtures/lsmr.json
"""

import json

import numpy as np
from scipy.sparse.linalg import lsmr


def entries(m, n):
    i, j = np.arange(m)[:, None], np.arange(n)[None, :]
    return ((7 * i * i + 3 * i * j + 5 * j * j + 11 * j) % 17 - 8) / 4.0


def matrix(m, n, rank):
    if rank is None:
        return entries(m, n)
    return entries(m, rank) @ entries(n, rank).T


CASES = [
    {"name": "over-determined", "m": 20, "n": 8, "rank": None, "damp": 0.0, "iterations": 8},
    {"name": "damped", "m": 20, "n": 8, "rank": None, "damp": 1.5, "iterations": 8},
    {"name": "under-determined", "m": 6, "n": 15, "rank": None, "damp": 0.0, "iterations": 5},
    {"name": "rank 4", "m": 14, "n": 9, "rank": 4, "damp": 0.0, "iterations": 4},
]

for case in CASES:
    m, n = case["m"], case["n"]
    a = matrix(m, n, case["rank"])
    b = (np.arange(m) * 5 % 7 - 2.0) / 2
    case["steps"] = []
    for k in range(1, case["iterations"] + 1):
        x, _, taken, residual, normal, size, condition, solution = lsmr(
            a, b, damp=case["damp"], atol=0, btol=0, conlim=0, maxiter=k
        )
        assert taken == k, case
        case["steps"].append(
            {
                "residual": residual,
                "normal": normal,
                "matrix": size,
                "condition": condition,
                "solution": solution,
                "x": list(x),
            }
        )

print(json.dumps({"made_by": "benches/peers/lsmr.py", "cases": CASES}, indent=1))
