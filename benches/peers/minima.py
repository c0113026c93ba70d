"""Softmax and logistic minima of `data/reference-minima.csv` by SciPy's L-BFGS-B and scikit-learn's solvers.

One JSON object per line, with the field names of `examples/reference_minima.rs`. Every solver is asked for all it can give
(tolerances at zero or as low as allowed, many iterations); printed is the relative gap to the reference.

    pip install -r requirements.txt
    python minima.py ../../data
"""

import csv
import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp
from sklearn.datasets import load_svmlight_file
from sklearn.linear_model import LogisticRegression

warnings.filterwarnings("ignore")


def read(folder, row):
    path = folder / row["file"]
    if path.suffix == ".libsvm":
        x, y = load_svmlight_file(str(path))
        x, y = np.asarray(x.todense()), (y > 0).astype(int)
    else:
        table = np.loadtxt(path, delimiter=",", skiprows=1)
        x, y = table[:, :-1], table[:, -1].astype(int)
    if row["scaling"] == "standardised":
        deviation = x.std(axis=0)
        x = (x - x.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)
    elif row["scaling"] == "divided by 16":
        x = x / 16.0
    return x, y


def softmax(theta, x, y, c, lam):
    n, d = x.shape
    w, b = theta[: d * c].reshape(d, c), theta[d * c :]
    z = x @ w + b
    log_sum = logsumexp(z, axis=1)
    value = np.mean(log_sum - z[np.arange(n), y]) + 0.5 * lam * np.sum(w * w)
    p = np.exp(z - log_sum[:, None])
    p[np.arange(n), y] -= 1.0
    return value, np.concatenate([(x.T @ p / n + lam * w).ravel(), p.mean(axis=0)])


def logistic(theta, x, y, lam):
    w, b = theta[:-1], theta[-1]
    t = np.where(y == 1, 1.0, -1.0)
    margin = -t * (x @ w + b)
    value = np.mean(np.logaddexp(0.0, margin)) + 0.5 * lam * (w @ w)
    slope = -t / (1.0 + np.exp(-margin)) / len(y)
    return value, np.concatenate([x.T @ slope + lam * w, [slope.sum()]])


def report(row, method, value, seconds, iterations):
    reference = float(row["reference"])
    gap = abs(value - reference) / abs(reference)
    print(json.dumps({"set": row["set"], "loss": row["loss"], "lambda": float(row["lambda"]), "method": method, "value": value, "reference": reference, "relative_gap": gap, "seconds": seconds, "iterations": int(iterations)}), flush=True)


def main():
    folder = Path(sys.argv[1])
    for row in csv.DictReader((folder / "reference-minima.csv").open()):
        if row["loss"] == "ridge":
            continue
        x, y = read(folder, row)
        lam, c = float(row["lambda"]), int(y.max()) + 1
        many = row["loss"] == "softmax"
        objective = (lambda t: softmax(t, x, y, c, lam)) if many else (lambda t: logistic(t, x, y, lam))
        size = (x.shape[1] + 1) * c if many else x.shape[1] + 1
        options = {"maxiter": 50_000, "maxfun": 100_000, "ftol": 0.0, "gtol": 1e-13}
        start = time.perf_counter()
        found = minimize(objective, np.zeros(size), jac=True, method="L-BFGS-B", options=options)
        report(row, "scipy L-BFGS-B", found.fun, time.perf_counter() - start, found.nit)
        for solver in ["lbfgs", "newton-cholesky"]:
            if many and c == 2:
                continue  # scikit-learn fits two classes with one weight vector
            model = LogisticRegression(C=1.0 / (lam * len(y)), solver=solver, tol=1e-14, max_iter=50_000)
            start = time.perf_counter()
            model.fit(x, y)
            seconds = time.perf_counter() - start
            if many:
                theta = np.concatenate([model.coef_.T.ravel(), model.intercept_])
            else:
                theta = np.concatenate([model.coef_[0], model.intercept_])
            report(row, f"scikit-learn {solver}", float(objective(theta)[0]), seconds, np.max(model.n_iter_))


if __name__ == "__main__":
    main()
