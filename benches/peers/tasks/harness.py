"""Contestants at one accuracy, timed in turn."""

import argparse
import json
import os
import platform
import sys
import time
import warnings
from importlib import metadata
from pathlib import Path

import numpy as np

from tasks.report import HEAD, HEAD_OF_ALL, PATIENCE, everyone, summary

# Seconds before a turn: threads of the library before go on looking for work for a while, and would take the cores of the next.
REST = 0.05
# Seconds of a turn that are not counted, and one run at least where it takes less than the second: caches, threads and the
# allocator's pages are then those of the runs that are.
WARM_UP, SHORT = 0.02, 0.5
# Seconds of the runs that are counted, together.
COUNTED = 0.1
TOLERANCES = [10.0**-k for k in range(2, 15)]


class Missing(Exception):
    """What a task or a contestant needs is not here."""


class Contestant:
    """A way to solve a task: `run(tolerance)` gives θ."""

    def __init__(self, name, run, tolerances=None, compile_seconds=None):
        self.name, self.run, self.compile_seconds = name, run, compile_seconds
        self.tolerances = tolerances or TOLERANCES
        self.tolerance = self.gap = self.value = self.seconds = None
        self.met, self.cut, self.rounds, self.error = False, False, [], None


class Task:
    """An objective in NumPy, the relative accuracy that is asked of it, and who takes part."""

    def __init__(self, title, value, accuracy, reference=None, scale=None):
        self.title, self.value, self.accuracy = title, value, accuracy
        self.reference, self.scale = reference, scale
        self.contestants, self.missing = [], []

    def add(self, name, make):
        """`make()` gives run(tolerance), or (run, further arguments)."""
        try:
            made = make()
        except ImportError as error:
            self.missing.append(f"{name}: no {error.name}")
            return
        self.contestants.append(Contestant(name, *made) if isinstance(made, tuple) else Contestant(name, made))

    def gap_of(self, value):
        scale = self.scale if self.scale is not None else abs(self.reference)
        return abs(value - self.reference) / scale if np.isfinite(value) else np.inf


# Running them.


def settle(task, contestant):
    """The loosest tolerance that meets the accuracy; without one, what came closest."""
    for tolerance in contestant.tolerances:
        if contestant.tolerance is not None and tolerance > contestant.tolerance:
            continue
        begun = time.perf_counter()
        try:
            value = float(task.value(contestant.run(tolerance)))
        except (RuntimeError, ValueError, np.linalg.LinAlgError) as error:
            print(f"    {contestant.name} at {tolerance:g}: {error}", file=sys.stderr)
            contestant.error = str(error).partition("\n")[0]
            continue
        seconds, gap = time.perf_counter() - begun, task.gap_of(value)
        if contestant.gap is None or gap < contestant.gap:
            contestant.tolerance, contestant.value, contestant.gap, contestant.seconds = tolerance, value, gap, seconds
        if gap <= task.accuracy:
            return
        if seconds > PATIENCE:
            contestant.cut = True
            return


def settle_all(task):
    lowest = task.reference is None
    if lowest:
        task.reference = float(task.value(task.contestants[0].run(1e-13)))
    for contestant in task.contestants:
        settle(task, contestant)
    values = [c.value for c in task.contestants if c.value is not None]
    if lowest and min(values) < task.reference:
        task.reference = min(values)
        for contestant in task.contestants:
            if contestant.value is not None:
                contestant.gap = task.gap_of(contestant.value)
                if contestant.gap > task.accuracy:
                    settle(task, contestant)
    task.missing += [f"{c.name}: {c.error}" for c in task.contestants if c.value is None]
    task.contestants = [c for c in task.contestants if c.value is not None]
    for contestant in task.contestants:
        contestant.met = contestant.gap <= task.accuracy
        if contestant.seconds < PATIENCE:
            contestant.seconds = seconds_of(contestant)


def seconds_of(contestant, loops=1):
    time.sleep(REST)
    begun = time.perf_counter()
    while contestant.seconds < SHORT and time.perf_counter() - begun < WARM_UP:
        contestant.run(contestant.tolerance)
    begun = time.perf_counter()
    for _ in range(loops):
        contestant.run(contestant.tolerance)
    return (time.perf_counter() - begun) / loops


def best(contestants):
    """The fastest that met the accuracy, else the closest."""
    met = [c for c in contestants if c.met]
    return min(met, key=lambda c: c.seconds) if met else min(contestants, key=lambda c: c.gap, default=None)


def race(task, repeats):
    """Rounds in turn of the best of ours and of all peers that may be the fastest."""
    ours = best([c for c in task.contestants if c.name.startswith("secant")])
    peers = [c for c in task.contestants if not c.name.startswith("secant")]
    first = best(peers)
    finalists = [c for c in peers if c is first or (c.met and c.seconds < 3.0 * first.seconds)]
    entered = [ours, *finalists]
    loops = {c.name: max(1, min(1_000, int(COUNTED / c.seconds))) for c in entered}
    for _ in range(repeats):
        for contestant in entered:
            contestant.rounds.append(seconds_of(contestant, loops[contestant.name]))
    for contestant in entered:
        contestant.seconds = float(np.median(contestant.rounds))
    peer = best(finalists)
    # Nobody is compared with what stops short.
    both = peer is not None and peer.met and ours.met
    ratio = float(np.median(np.array(peer.rounds) / ours.rounds)) if both else None
    return ours, peer, ratio


# What is said of them.


def machine():
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    packages = ("numpy", "scipy", "scikit-learn", "statsmodels", "lmfit", "jax", "optax", "optimistix", "glum", "skglm")
    versions = {"Python": platform.python_version(), "secant": version("secant")} | {name: version(name) for name in packages}
    return {"processor": names[0] if names else platform.processor(), "cores": cores, "versions": versions}


def version(name):
    try:
        if name == "secant":
            import secant

            return secant.__version__
        return metadata.version(name)
    except (ImportError, metadata.PackageNotFoundError):
        return "missing"


def row_of(name, task, ours, peer, ratio):
    return {
        "task": name, "title": task.title, "accuracy": task.accuracy, "reference": task.reference, "secant": ours.name,
        "peer": peer and peer.name, "ratio": ratio, "missing": task.missing,
        "contestants": [
            {"name": c.name, "tolerance": c.tolerance, "value": c.value, "gap": c.gap, "met": c.met, "cut": c.cut, "seconds": c.seconds,
             "rounds": c.rounds, "compile_seconds": c.compile_seconds}
            for c in task.contestants
        ],
    }


def main(tasks, about_table):
    read = argparse.ArgumentParser(description=about_table, formatter_class=argparse.RawDescriptionHelpFormatter)
    read.add_argument("data", nargs="?", default=os.environ.get("SECANT_DATA"), help="folder of data beside data/")
    read.add_argument("--tasks", default=",".join(tasks), help=f"of {', '.join(tasks)}")
    read.add_argument("--repeats", type=int, default=7)
    read.add_argument("--json", type=Path, help="file for all figures")
    read.add_argument("--all", action="store_true", help="print every contestant")
    given = read.parse_args()
    names = given.tasks.split(",")
    for name in names:
        if name not in tasks:
            read.error(f"no task {name!r}, only {', '.join(tasks)}")
    warnings.filterwarnings("ignore")
    about, rows = machine(), []
    print(f"{about['processor']}, {about['cores']} cores; " + ", ".join(f"{k} {v}" for k, v in about["versions"].items()) + "\n")
    print(HEAD, flush=True)
    for name in names:
        print(f"  {name} ...", file=sys.stderr, flush=True)
        try:
            task = tasks[name](given.data)
            settle_all(task)
            ours, peer, ratio = race(task, given.repeats)
        except (Missing, ImportError) as error:
            rows.append({"task": name, "missing": str(error)})
        else:
            rows.append(row_of(name, task, ours, peer, ratio))
        print(summary(rows[-1]), flush=True)
    if given.all:
        print(f"\n{HEAD_OF_ALL}")
        for line in (line for row in rows for line in everyone(row)):
            print(line)
    if given.json:
        given.json.write_text(json.dumps({"machine": about, "repeats": given.repeats, "tasks": rows}, indent=1) + "\n")
