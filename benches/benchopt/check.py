"""The solvers for benchopt, run by benchopt: each ends at the minimum that NumPy, SciPy or scikit-learn finds.

    venv/bin/pip install -r requirements.txt
    venv/bin/python check.py [logreg_l2 ols ridge lasso]

The benchmarks themselves are repositories of their own, and benchopt ships none: interface/ holds what a solver is given and asked for by
each. In a benchmark's own folder:

    benchopt run . -s PATH/TO/ridge/secant.py
"""

import shutil
import subprocess
import sys
import tempfile
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent
NAMES = ("logreg_l2", "ols", "ridge", "lasso")
# Relative to the objective at zero.
AGREEMENT = 1e-9


def load(path):
    spec = spec_from_file_location(path.stem, path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def least(name, X, y, lmbd=0.0, fit_intercept=False):
    """The minimiser by another library."""
    ones = np.ones((len(y), int(fit_intercept)))
    d = X.shape[1]
    if name == "ols":
        return np.linalg.lstsq(X, y, rcond=None)[0]
    if name == "ridge":
        rows = np.vstack([np.hstack([X, ones]), np.hstack([np.sqrt(lmbd) * np.eye(d), np.zeros((d, ones.shape[1]))])])
        return np.linalg.lstsq(rows, np.r_[y, np.zeros(d)], rcond=None)[0]
    if name == "lasso":
        from sklearn.linear_model import Lasso

        return Lasso(alpha=lmbd / len(y), fit_intercept=False, tol=1e-15, max_iter=1_000_000).fit(X, y).coef_
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1.0 / lmbd, fit_intercept=fit_intercept, solver="newton-cholesky", tol=1e-12, max_iter=1_000).fit(X, y)
    return np.r_[model.coef_[0], model.intercept_] if fit_intercept else model.coef_[0]


def run(name, folder):
    """The table that benchopt writes of a run."""
    (folder / "datasets").mkdir(parents=True)
    (folder / "solvers").mkdir()
    shutil.copy(HERE / "interface" / f"{name}.py", folder / "objective.py")
    shutil.copy(HERE / "interface" / "simulated.py", folder / "datasets")
    shutil.copy(HERE / name / "secant.py", folder / "solvers")
    out = folder / "result.parquet"
    command = [sys.executable, "-m", "benchopt", "run", folder, "-s", "secant", "-n", "60", "-r", "1", "--no-plot", "--no-cache", "--output", out]
    done = subprocess.run([str(part) for part in command], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0 or not out.exists():
        sys.exit(done.stdout)
    return pd.read_parquet(out)


def check(name):
    with tempfile.TemporaryDirectory() as temporary:
        table = run(name, Path(temporary) / f"benchmark_{name}")
    Objective = load(HERE / "interface" / f"{name}.py").Objective
    Dataset = load(HERE / "interface" / "simulated.py").Dataset
    worst, curves = 0.0, 0
    for title, rows in table.groupby(["objective_name", "dataset_name"]):
        # What was chosen stands in columns of its own.
        chosen = rows.iloc[0].to_dict()
        settings = {key: chosen[f"p_obj_{key}"] for key in Objective.parameters}
        sizes = {key: int(chosen[f"p_dataset_{key}"]) for key in ("n_samples", "n_features")}
        objective = Objective.get_instance(**settings)
        objective.set_data(**Dataset.get_instance(**sizes).get_data())
        zero = objective.evaluate_result(**objective.get_one_result())["value"]
        best = objective.evaluate_result(least(name, **objective.get_objective()))["value"]
        for solver, curve in rows.groupby("solver_name"):
            gap = (curve["objective_value"].min() - best) / zero
            print(f"{title[0]}, {title[1]}, {solver}: {gap:+.1e} from {best:.10g}, {len(curve)} points")
            worst, curves = max(worst, abs(gap)), curves + 1
    return worst, curves


def main():
    names = sys.argv[1:] or NAMES
    failed = []
    for name in names:
        worst, curves = check(name)
        if not (worst <= AGREEMENT and curves >= 3):
            failed.append(f"{name}: worst {worst:.1e} of {curves} curves")
    if failed:
        sys.exit("\n".join(failed))


if __name__ == "__main__":
    main()
