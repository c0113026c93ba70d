"""Global fits of several data sets with shared and own parameters, by SciPy's least_squares and by lmfit.

Writes tests/fixtures/grouped_curves.json, which tests/it/grouped_curves.rs compares with. The data are drawn here, seeded; both programs
fit them, and the fixture is written only where they agree.

    python benches/peers/grouped_curves.py
"""

import json
from pathlib import Path

import lmfit
import numpy as np
import scipy
from scipy.optimize import least_squares

TIGHT = {"xtol": 1e-15, "ftol": 1e-15, "gtol": 1e-15, "x_scale": "jac", "method": "trf"}


def decay(t, a, b, c):
    return a * np.exp(-b * t) + c


def peak(x, h, m, w, base):
    return h * np.exp(-(((x - m) / w) ** 2)) + base


def case(name, function, names, own, truth, sizes, span, noise, seed, sigma=False, bounds=None):
    """One global fit: truth has a list for each own parameter and a number for each shared one."""
    rng = np.random.default_rng(seed)
    groups = []
    for g, size in enumerate(sizes):
        x = np.sort(rng.uniform(*span, size)).round(4)
        values = [truth[n][g] if n in own else truth[n] for n in names]
        s = rng.uniform(0.5, 2.0, size).round(3) if sigma else np.ones(size)
        y = (function(x, *values) + noise * s * rng.standard_normal(size)).round(6)
        groups.append((x, y, s))
    shared = [n for n in names if n not in own]
    columns = shared + [(n, g) for g in range(len(sizes)) for n in own]
    start = [truth[n] if isinstance(n, str) else truth[n[0]][n[1]] for n in columns]
    start = np.array(start) * 1.1 + 0.01
    bounds = bounds or {}
    lower = [bounds.get(n if isinstance(n, str) else n[0], (-np.inf, np.inf))[0] for n in columns]
    upper = [bounds.get(n if isinstance(n, str) else n[0], (-np.inf, np.inf))[1] for n in columns]
    start = np.clip(start, np.array(lower) + 1e-3, np.array(upper) - 1e-3)

    def values_of(theta, g):
        return [theta[columns.index((n, g) if n in own else n)] for n in names]

    def residuals(theta):
        parts = [(function(x, *values_of(theta, g)) - y) / s for g, (x, y, s) in enumerate(groups)]
        return np.concatenate(parts)

    def jacobian(theta):
        # Complex steps: exact to rounding.
        out = np.empty((sum(sizes), len(theta)))
        for j in range(len(theta)):
            moved = theta.astype(complex)
            moved[j] += 1e-30j
            out[:, j] = residuals(moved).imag / 1e-30
        return out

    found = least_squares(residuals, start, jacobian, bounds=(lower, upper), **TIGHT)
    # A last few Gauss-Newton steps of the free parameters take away what the stopping test left.
    theta = found.x.copy()
    at = [abs(theta[j] - lower[j]) < 1e-7 or abs(theta[j] - upper[j]) < 1e-7 for j in range(len(theta))]
    theta = np.where(np.abs(theta - lower) < 1e-7, lower, np.where(np.abs(theta - upper) < 1e-7, upper, theta))
    free = [j for j in range(len(theta)) if not at[j]]
    for _ in range(20):
        theta[free] -= np.linalg.lstsq(jacobian(theta)[:, free], residuals(theta), rcond=None)[0]
    j = jacobian(theta)[:, free]
    degrees = sum(sizes) - len(free)
    squares = float(residuals(theta) @ residuals(theta))
    covariance = np.linalg.inv(j.T @ j) * squares / degrees
    errors = np.full(len(theta), np.nan)
    errors[free] = np.sqrt(np.diag(covariance))
    if not bounds:
        check_with_lmfit(residuals, start, theta, errors)
    label = [n if isinstance(n, str) else f"{n[0]}[{n[1]}]" for n in columns]
    return {
        "name": name,
        "groups": [{"x": list(x), "y": list(y), "sigma": list(s)} for x, y, s in groups],
        "parameters": {n: v for n, v in zip(label, theta.tolist())},
        "errors": {n: None if np.isnan(e) else e for n, e in zip(label, errors.tolist())},
        "residual_sum_of_squares": squares,
    }


def check_with_lmfit(residuals, start, theta, errors):
    parameters = lmfit.Parameters()
    for j, value in enumerate(start):
        parameters.add(f"p{j}", value)
    array = lambda p: np.array([p[f"p{j}"].value for j in range(len(theta))])
    fit = lmfit.minimize(lambda p: residuals(array(p)), parameters, xtol=1e-14, ftol=1e-14)
    assert np.allclose(array(fit.params), theta, rtol=1e-6, atol=1e-8), (array(fit.params), theta)
    found = np.array([fit.params[f"p{j}"].stderr for j in range(len(theta))])
    assert np.allclose(found, errors, rtol=1e-3), (found, errors)


def main():
    cases = [
        case("decays", decay, ["a", "b", "c"], ["a", "c"],
             {"a": [2.0, 5.0, 1.2, 3.4, 8.0], "b": 0.6, "c": [0.1, 0.4, -0.2, 0.0, 1.0]},
             [18, 25, 12, 30, 21], (0.0, 8.0), 0.05, 1),
        case("peaks", peak, ["h", "m", "w", "base"], ["h", "m"],
             {"h": [3.0, 1.5, 6.0, 2.0], "m": [3.0, 4.5, 6.0, 5.2], "w": 1.3, "base": 0.25},
             [40, 35, 50, 28], (0.0, 10.0), 0.08, 2, sigma=True),
        case("bounded", decay, ["a", "b", "c"], ["a", "c"],
             {"a": [2.0, 5.0, 1.2, 3.4], "b": 0.6, "c": [0.1, 0.4, -0.2, 0.05]},
             [18, 25, 16, 30], (0.0, 8.0), 0.05, 3, bounds={"c": (0.0, np.inf), "b": (0.0, 0.55)}),
    ]
    versions = {"numpy": np.__version__, "scipy": scipy.__version__, "lmfit": lmfit.__version__}
    path = Path(__file__).parents[2] / "tests/fixtures/grouped_curves.json"
    path.write_text(json.dumps({"versions": versions, "cases": cases}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
