"""Tables that tasks are about."""

import gzip
import os
from pathlib import Path

import numpy as np

from tasks.harness import Missing

HERE = Path(__file__).resolve().parents[3] / "data"


def table(folder, name):
    if folder is None:
        raise Missing("needs a folder of data (an argument, or SECANT_DATA)")
    path = Path(folder) / name
    if not path.exists():
        raise Missing(f"no {path}")
    values = np.loadtxt(path, delimiter=",", skiprows=1)
    return values[:, :-1], values[:, -1]


def standardised(x):
    scale = x.std(0)
    return (x - x.mean(0)) / np.where(scale > 0, scale, 1.0)


def quadratic(x):
    """Features, squares and products, standardised."""
    x = standardised(x)
    i, j = np.triu_indices(x.shape[1])
    return standardised(np.hstack([x, x[:, i] * x[:, j]]))


def idx(folder, name, header):
    path = Path(folder or "") / "images" / "fashion-mnist" / name
    if folder is None or not path.exists():
        raise Missing(f"no {path}" if folder else "needs a folder of data (an argument, or SECANT_DATA)")
    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=header)


def nist(name):
    """x, y, starts (2 × n), and the certified sum of squares."""
    lines = (HERE / "nist" / f"{name}.dat").read_text().splitlines()
    starts = [[float(n) for n in line.split("=")[1].split()[:2]] for line in lines[:60] if line.strip().startswith("b") and "=" in line]
    certified = float(next(line.split(":")[1] for line in lines if line.startswith("Residual Sum of Squares")))
    rows = np.array([[float(n) for n in line.split()] for line in lines[60:] if line.strip()])
    return rows[:, 1], rows[:, 0], np.array(starts).T, certified


def libsvm(folder, name):
    from sklearn.datasets import load_svmlight_file

    path = folder and os.path.join(folder, "classification", name)
    if not path or not os.path.exists(path):
        raise Missing(f"no {path}" if folder else "needs a folder of data (an argument, or SECANT_DATA)")
    x, y = load_svmlight_file(path)
    return x.tocsr(), (y > 0).astype(int)


def generated(samples=200_000, features=50_000, entries=50):
    """Fifty entries a row, features by a law of powers."""
    from scipy.sparse import csr_matrix

    random = np.random.default_rng(9)
    columns = np.minimum((features * random.random((samples, entries)) ** 3).astype(np.int64), features - 1)
    rows = np.repeat(np.arange(samples), entries)
    x = csr_matrix((random.normal(size=rows.size), (rows, columns.ravel())), shape=(samples, features))
    score = x @ (random.normal(size=features) * (random.random(features) < 0.1))
    return x, (score + random.normal(size=samples) > 0).astype(int)
