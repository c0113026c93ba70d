"""A line through data of which 30 % are outliers, by SciPy's `least_squares` with five losses: the fixture
`crates/optim/tests/fixtures/robust_line.json`.

Tukey's biweight is not among SciPy's losses and goes in as a callable. Starts: the least-squares line for the convex losses, the
soft-L1 line for the others, which have several minima. Each fit is repeated from its own end until θ stops moving; the largest
entry of the gradient is kept beside θ.

    python robust_line.py > ../../crates/optim/tests/fixtures/robust_line.json
"""

import json

import numpy as np
from scipy.optimize import least_squares

rng = np.random.default_rng(20)
N = 60
x = np.linspace(-3.0, 3.0, N)
y = 1.5 - 0.8 * x + 0.2 * rng.standard_normal(N)
wrong = rng.choice(N, size=18, replace=False)
y[wrong] += rng.uniform(2.0, 12.0, size=18)

design = np.column_stack([np.ones(N), x])


def tukey(s):
    inside = s <= 1.0
    left = np.where(inside, 1.0 - s, 0.0)
    value = np.where(inside, s * (1.0 - s + s * s / 3.0), 1.0 / 3.0)
    return np.array([value, left**2, -2.0 * left])


def fit(loss, scale, start):
    theta = start
    for _ in range(200):
        run = least_squares(
            lambda t: design @ t - y,
            theta,
            jac=lambda t: design,
            loss=loss,
            f_scale=scale,
            ftol=1e-15,
            xtol=1e-15,
            gtol=1e-15,
        )
        if np.all(run.x == theta):
            break
        theta = run.x
    return run


least = fit("linear", 1.0, np.zeros(2))
runs = [("squared", 1.0, least)]
for name, loss, scale in [
    ("huber", "huber", 0.27),
    ("soft-l1", "soft_l1", 0.26),
    ("cauchy", "cauchy", 0.48),
    ("tukey", tukey, 0.94),
]:
    start = least.x if name in ("huber", "soft-l1") else runs[2][2].x
    runs.append((name, scale, fit(loss, scale, start)))

print(
    json.dumps(
        {
            "x": x.tolist(),
            "y": y.tolist(),
            "soft_l1_start": runs[2][2].x.tolist(),
            "fits": [
                {
                    "rho": name,
                    "scale": scale,
                    "theta": run.x.tolist(),
                    "value": float(run.cost),
                    "gradient": float(np.max(np.abs(run.grad))),
                }
                for name, scale, run in runs
            ],
        },
        indent=1,
    )
)
