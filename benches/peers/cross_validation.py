"""Scores, cross-validation and leave-one-out by scikit-learn: the fixture that `tests/it/validation.rs` compares with.

python cross_validation.py > ../../tests/fixtures/cross_validation.json

Folds are a formula of the row, written down in the test again, and of equal size, so that one strength serves all: scikit-learn's penalties
stand beside a sum over the samples, those of a fit beside a mean.
"""

import csv
import json
import pathlib

import numpy as np
from sklearn import metrics
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import LeaveOneOut, PredefinedSplit, cross_val_predict, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

DATA = pathlib.Path(__file__).resolve().parents[2] / "data"
FOLDS = 5


def table(name, rows=None):
    with open(DATA / name) as file:
        numbers = np.array(list(csv.reader(file))[1:], dtype=float)[:rows]
    return numbers[:, :-1], numbers[:, -1]


def folds(samples):
    return np.array([(7 * i) % FOLDS for i in range(samples)])


def cross_validated():
    cases = []
    x, y = table("diabetes.csv", 440)
    split = PredefinedSplit(folds(len(y)))
    model = make_pipeline(StandardScaler(), Ridge(alpha=20.0, solver="svd"))
    scorers = {"r2": "r2", "rmse": "neg_root_mean_squared_error", "mae": "neg_mean_absolute_error"}
    cases.append(("ridge", "diabetes.csv", y, split, x, model, scorers, "predict", 20.0))
    x, y = table("breast_cancer.csv", 565)
    split = PredefinedSplit(folds(len(y)))
    logistic = LogisticRegression(C=0.5, solver="newton-cholesky", tol=1e-14, max_iter=1000)
    scorers = {"accuracy": "accuracy", "log_loss": "neg_log_loss", "brier": "neg_brier_score"}
    model = make_pipeline(StandardScaler(), logistic)
    cases.append(("logistic", "breast_cancer.csv", y, split, x, model, scorers, "predict_proba", 2.0))
    x, y = table("iris.csv")
    split = PredefinedSplit(folds(len(y)))
    softmax = LogisticRegression(C=2.0, solver="newton-cg", tol=1e-14, max_iter=1000)
    model = make_pipeline(StandardScaler(), softmax)
    scorers = {"accuracy": "accuracy", "log_loss": "neg_log_loss"}
    cases.append(("softmax", "iris.csv", y, split, x, model, scorers, "predict_proba", 0.5))
    for name, data, y, split, x, model, scorers, method, sum_strength in cases:
        found = cross_validate(model, x, y, cv=split, scoring=scorers)
        sign = lambda scorer: -1.0 if scorer.startswith("neg_") else 1.0
        yield {
            "name": name,
            "data": data,
            "rows": len(y),
            "strength": sum_strength / (len(y) * (FOLDS - 1) // FOLDS),
            "scores": {key: (sign(s) * found[f"test_{key}"]).tolist() for key, s in scorers.items()},
            "predictions": cross_val_predict(model, x, y, cv=split, method=method).ravel().tolist(),
        }


def left_out():
    x, y = table("diabetes.csv")
    weights = np.array([1.0 + i % 4 for i in range(len(y))])
    for name, model, weighted in [
        ("least squares", LinearRegression(), False),
        ("no intercept", LinearRegression(fit_intercept=False), False),
        ("weighted", LinearRegression(), True),
        ("ridge", Ridge(alpha=50.0, solver="svd"), False),
        ("weighted ridge", Ridge(alpha=50.0, solver="svd"), True),
    ]:
        residuals = []
        for train, test in LeaveOneOut().split(x):
            model.fit(x[train], y[train], weights[train] if weighted else None)
            residuals.append((y[test] - model.predict(x[test])).item())
        yield {
            "name": name,
            "intercept": model.fit_intercept,
            "ridge": getattr(model, "alpha", 0.0),
            "weighted": weighted,
            "residuals": residuals,
        }


def scored():
    random = np.random.default_rng(7)
    samples = 60
    for name, outputs in [("squared", 1), ("squared", 3), ("poisson", 1), ("gamma", 1), ("negative-binomial", 1), ("logistic", 1), ("softmax", 3)]:
        z = random.normal(size=(samples, outputs))
        weights = random.integers(0, 4, size=samples).astype(float)
        noise = random.normal(size=(samples, outputs))
        case = {"name": name, "outputs": outputs, "z": z.ravel().tolist(), "weights": weights.tolist(), "plain": {}, "weighted": {}}
        mean = z
        if name in ("poisson", "negative-binomial"):
            mean = np.exp(z)
            y = random.poisson(mean).astype(float)
        elif name == "gamma":
            mean = np.exp(z)
            y = mean * random.gamma(2.0, 0.5, size=mean.shape)
        elif name == "logistic":
            mean = 1.0 / (1.0 + np.exp(-z))
            y = (random.random(mean.shape) < mean).astype(float)
        elif name == "softmax":
            mean = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
            y = np.array([random.choice(outputs, p=p) for p in mean]).astype(float).reshape(-1, 1)
        else:
            y = z + 0.5 * noise
        case["y"] = y.ravel().tolist()
        for key, w in [("plain", None), ("weighted", weights)]:
            score = case[key]
            if name in ("logistic", "softmax"):
                p = mean if name == "softmax" else mean.ravel()
                labels = y.ravel().astype(int)
                decided = mean.argmax(axis=1) if name == "softmax" else (z.ravel() > 0).astype(int)
                score["accuracy"] = metrics.accuracy_score(labels, decided, sample_weight=w)
                score["log_loss"] = metrics.log_loss(labels, p, sample_weight=w)
                score["brier"] = metrics.brier_score_loss(labels, p, sample_weight=w)
                score["confusion"] = metrics.confusion_matrix(labels, decided, sample_weight=w).ravel().astype(float).tolist()
                continue
            score["r2"] = metrics.r2_score(y, mean, sample_weight=w)
            score["rmse"] = metrics.root_mean_squared_error(y, mean, sample_weight=w)
            score["mae"] = metrics.mean_absolute_error(y, mean, sample_weight=w)
            if name == "poisson":
                score["deviance"] = metrics.mean_poisson_deviance(y.ravel(), mean.ravel(), sample_weight=w)
            if name == "gamma":
                score["deviance"] = metrics.mean_gamma_deviance(y.ravel(), mean.ravel(), sample_weight=w)
            if name == "negative-binomial":
                # Not in scikit-learn; α = 0.5.
                alpha, t, m = 0.5, y.ravel(), mean.ravel()
                ratio = np.where(t > 0, t * np.log(np.where(t > 0, t, 1.0) / m), 0.0)
                each = 2.0 * (ratio - (t + 1 / alpha) * np.log((1 + alpha * t) / (1 + alpha * m)))
                score["deviance"] = np.average(each, weights=w)
        yield case


print(json.dumps({"cross_validated": list(cross_validated()), "left_out": list(left_out()), "scored": list(scored())}, indent=1))
