"""BCa intervals by SciPy, on resamples that are written down: the fixture of `crates/optim/tests/it/inference/resample.rs`.

python bootstrap.py > ../../tests/fixtures/bootstrap.json

"cases" is a slope through the origin by `scipy.stats.bootstrap(method="BCa")`. "residuals" is a line, residuals drawn: SciPy has no such
bootstrap, so the accelerations and the ends are formed here, Efron (1987) eq. (2.3) with the skewness of Σ w·e. numpy 2.4, SciPy 1.17.
"""

import json

import numpy as np
from scipy import stats

rng = np.random.default_rng(11)
ROUNDS, LEVEL = 199, 0.9

x = np.round(rng.uniform(0.2, 3.0, 18), 3)
y = np.round(1.7 * x + x * (rng.gamma(1.5, 0.5, 18) - 0.75), 4)
slope = lambda x, y, axis=-1: np.sum(x * y, axis=axis) / np.sum(x * x, axis=axis)
found = {}
for method in ("BCa", "percentile"):
    found[method] = stats.bootstrap(
        (x, y), slope, paired=True, vectorized=True, n_resamples=ROUNDS, confidence_level=LEVEL, method=method, rng=np.random.default_rng(3)
    )
left_out = np.array([slope(np.delete(x, i), np.delete(y, i)) for i in range(len(x))])
parts = left_out.mean() - left_out
cases = {
    "x": x.tolist(),
    "y": y.tolist(),
    "estimate": float(slope(x, y)),
    "replicates": found["BCa"].bootstrap_distribution.tolist(),
    "acceleration": float(np.sum(parts**3) / np.sum(parts**2) ** 1.5 / 6.0),
    "bca": list(found["BCa"].confidence_interval),
    "percentile": list(found["percentile"].confidence_interval),
}

t = np.round(rng.gamma(1.0, 2.0, 16), 3)
z = np.round(0.5 + 0.3 * t + (rng.gamma(1.2, 0.4, 16) - 0.48), 4)
design = np.column_stack([np.ones(16), t])
rows = np.linalg.solve(design.T @ design, design.T)
beta = rows @ z
errors = z - design @ beta
errors = np.sqrt(16 / 14) * (errors - errors.mean())
replicates = np.array([rows @ (design @ beta + rng.choice(errors, 16)) for _ in range(ROUNDS)])
skewness = np.mean(errors**3) / np.mean(errors**2) ** 1.5
accelerations = skewness * np.sum(rows**3, axis=1) / np.sum(rows**2, axis=1) ** 1.5 / 6.0


def ends(j):
    bias = stats.norm.ppf(np.mean(replicates[:, j] < beta[j]))
    moved = bias + stats.norm.ppf([(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    at = stats.norm.cdf(bias + moved / (1 - accelerations[j] * moved))
    return np.quantile(replicates[:, j], at).tolist()


residuals = {
    "t": t.tolist(),
    "z": z.tolist(),
    "estimates": beta.tolist(),
    "replicates": replicates.ravel().tolist(),
    "accelerations": accelerations.tolist(),
    "bca": [ends(0), ends(1)],
}
print(json.dumps({"level": LEVEL, "cases": cases, "residuals": residuals}))
