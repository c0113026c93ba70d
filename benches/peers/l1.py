"""Optima of L1-regularised problems, by scikit-learn: the fixture that `tests/it/l1.rs` compares with.

python l1.py > ../../crates/optim/tests/fixtures/l1.json

Lasso and elastic net: coordinate descent on the standardised diabetes table, 1/(2N)·‖y − Xw − b‖² + λ‖w‖₁ + ½μ‖w‖².
Logistic: LIBLINEAR's L1 solver on tables with a column of ones at the end, 1/N·Σ log(1 + exp(−y·wᵀx)) + λ‖w‖₁, all of w penalised.
"""

import csv
import json
import pathlib
import warnings

import numpy as np
from sklearn.datasets import load_svmlight_file
from sklearn.linear_model import ElasticNet, LogisticRegression, lasso_path

warnings.filterwarnings("ignore")
DATA = pathlib.Path(__file__).resolve().parents[2] / "data"


def table(name):
    with open(DATA / name) as file:
        rows = list(csv.reader(file))[1:]
    numbers = np.array(rows, dtype=float)
    x = numbers[:, :-1]
    return (x - x.mean(axis=0)) / x.std(axis=0), numbers[:, -1]


def lasso():
    x, y = table("diabetes.csv")
    centred = y - y.mean()
    largest = np.abs(x.T @ centred).max() / len(y)
    lambdas = largest * np.array([0.9, 0.5, 0.2, 0.1, 0.03, 0.01, 1e-3])
    _, weights, _ = lasso_path(x, centred, alphas=lambdas, tol=1e-16, max_iter=10_000_000)
    points = []
    for column, strength in enumerate(lambdas):
        w = weights[:, column]
        value = 0.5 * np.mean((centred - x @ w) ** 2) + strength * np.abs(w).sum()
        points.append({"lambda": strength, "weights": w.tolist(), "bias": y.mean(), "value": value})
    net = ElasticNet(alpha=2.0, l1_ratio=0.5, tol=1e-16, max_iter=10_000_000).fit(x, centred)
    elastic = {"lambda": 1.0, "ridge": 1.0, "weights": net.coef_.tolist(), "bias": y.mean()}
    return {"largest": largest, "path": points, "elastic": elastic}


def logistic():
    cases = []
    for name in ["breast_cancer.csv", "heart_scale.libsvm"]:
        if name.endswith("csv"):
            x, y = table(name)
        else:
            x, y = load_svmlight_file(str(DATA / name))
            x, y = x.toarray(), (y > 0).astype(float)
        x = np.hstack([x, np.ones((len(y), 1))])
        for c in [1.0, 0.05]:
            model = LogisticRegression(
                penalty="l1", C=c, solver="liblinear", fit_intercept=False, tol=1e-14, max_iter=1_000_000
            ).fit(x, y)
            w = model.coef_[0]
            strength = 1.0 / (c * len(y))
            margins = (2 * y - 1) * (x @ w)
            value = np.mean(np.logaddexp(0.0, -margins)) + strength * np.abs(w).sum()
            cases.append({"data": name, "lambda": strength, "weights": w.tolist(), "value": value})
    return cases


print(json.dumps({"lasso": lasso(), "logistic": logistic()}, indent=1))
