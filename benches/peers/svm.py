"""Optima of squared-hinge support vector machines, by LIBLINEAR through scikit-learn: the fixture that `tests/it/losses.rs` compares with.

python svm.py > ../../tests/fixtures/svm.json

½‖w‖² + C Σ max(0, 1 − t·wᵀx)² with a column of ones at the end of x, penalised as LIBLINEAR does. `value` is that over C·N: the mean of the
squared hinges plus λ/2·‖w‖² with λ = 1/(C·N). LIBLINEAR stops at some digits; its w is polished by Newton's method on the same function,
which is piecewise quadratic, until the gradient is rounding. `moved` says how far that took w.
Several classes are one problem each, one against the rest.
"""

import csv
import json
import pathlib

import numpy as np
from sklearn.datasets import load_svmlight_file
from sklearn.svm import LinearSVC

DATA = pathlib.Path(__file__).resolve().parents[2] / "data"


def table(name):
    if name.endswith("libsvm"):
        x, y = load_svmlight_file(str(DATA / name))
        return x.toarray(), (y > 0).astype(int)
    with open(DATA / name) as file:
        numbers = np.array(list(csv.reader(file))[1:], dtype=float)
    x = numbers[:, :-1]
    return (x - x.mean(axis=0)) / x.std(axis=0), numbers[:, -1].astype(int)


def polished(x, t, w, strength):
    """w with ∇ of mean(max(0, 1 − t·xw)²) + λ/2·‖w‖² at rounding."""
    n, d = x.shape
    for _ in range(100):
        short = np.maximum(0.0, 1.0 - t * (x @ w))
        gradient = strength * w - 2.0 / n * (x.T @ (t * short))
        active = x[short > 0.0]
        hessian = strength * np.eye(d) + 2.0 / n * (active.T @ active)
        if np.abs(gradient).max() <= 1e-14 * max(1.0, np.abs(w).max()):
            break
        w = w - np.linalg.solve(hessian, gradient)
    short = np.maximum(0.0, 1.0 - t * (x @ w))
    gradient = strength * w - 2.0 / n * (x.T @ (t * short))
    assert np.abs(gradient).max() <= 1e-12, np.abs(gradient).max()
    return w, np.mean(short**2) + 0.5 * strength * (w @ w), np.abs(gradient).max()


cases = []
for name in ["breast_cancer.csv", "heart_scale.libsvm", "iris.csv"]:
    x, y = table(name)
    x = np.hstack([x, np.ones((len(y), 1))])
    for c in [1.0, 0.05]:
        model = LinearSVC(
            penalty="l2", loss="squared_hinge", dual=False, C=c, fit_intercept=False, tol=1e-12, max_iter=1_000_000
        ).fit(x, y)
        strength = 1.0 / (c * len(y))
        weights, value, gradient, moved = [], 0.0, 0.0, 0.0
        for row, w in enumerate(model.coef_):
            t = np.where(y == (row if len(model.coef_) > 1 else 1), 1.0, -1.0)
            best, f, g = polished(x, t, w, strength)
            weights.append(best.tolist())
            value, gradient = value + f, max(gradient, g)
            moved = max(moved, np.abs(best - w).max() / np.abs(best).max())
        assert moved < 1e-4, moved
        cases.append({"data": name, "lambda": strength, "weights": weights, "value": value, "gradient": gradient, "moved": moved})
print(json.dumps(cases, indent=1))
