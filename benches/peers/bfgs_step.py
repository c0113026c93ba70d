"""One step of SciPy's BFGS at growing n on the objective of `benches/solvers.rs`, which costs O(n): a run of so many steps, over their
number. One JSON object per line.

    pip install -r requirements.txt
    python bfgs_step.py
"""

import json
import time

import numpy as np
from scipy.optimize import minimize


def chain(theta):
    stiffness = np.arange(1.0, theta.size + 1.0)
    gap = theta[:-1] - theta[1:]
    gradient = stiffness * theta + theta**3
    gradient[:-1] += gap
    gradient[1:] -= gap
    value = np.sum(0.5 * stiffness * theta**2 + 0.25 * theta**4) + 0.5 * gap @ gap
    return value, gradient


for n in (200, 500, 1000, 2000):
    steps = max(3, 4000 // n)
    begin = time.perf_counter()
    run = minimize(
        chain, np.ones(n), jac=True, method="BFGS", options={"maxiter": steps, "gtol": 0.0}
    )
    seconds = time.perf_counter() - begin
    assert run.nit == steps
    print(json.dumps({"n": n, "steps": steps, "ms_per_step": 1e3 * seconds / steps}))
