"""How secant's evaluations grow: time with the number of samples and of filled entries, with threads, and memory.

One JSON object per line. `exponent` is the slope of ln(time) over ln(N), or over ln(entries), by least squares; `speedup` is one thread's time over two
threads'. `evaluation_mib` is what the process's peak (VmHWM) grows by in evaluations, the tables in it before. Run it with nothing else on the machine.

    python growth.py
"""

import json
import os
import subprocess
import sys
import time

import numpy as np

from tasks.derivatives import NETS, net_data, objective

# Numbers of samples; the widest net's tables are the largest.
SAMPLES = {name: [1_000, 10_000, 100_000, 1_000_000] for name in NETS} | {"784-128-128-10": [1_000, 3_000, 10_000, 30_000]}
# Features of the sparse tables, and entries in a row of each.
FEATURES = 20_000
ENTRIES = [5, 20, 80]
ROWS = 100_000
# Seconds of rounds for a figure.
SECONDS = 1.5


def fastest(run):
    run()
    best, begun = np.inf, time.perf_counter()
    while time.perf_counter() - begun < SECONDS:
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
    return best


def peak_mib():
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024.0


def exponent(sizes, seconds):
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def net_times(name):
    """Seconds of a value and gradient for every number of samples, and how far the evaluations raised the peak of memory."""
    seconds, raised = [], []
    for count in SAMPLES[name]:
        widths, x, y, theta = net_data(name, count)
        risk, _ = objective(widths, x, y)
        before = peak_mib()
        seconds.append(fastest(lambda: risk.value_and_grad(theta)))
        raised.append(peak_mib() - before)
    return seconds, raised


def sparse_times():
    import secant
    from scipy.sparse import csr_matrix

    random = np.random.default_rng(2)
    y = random.integers(0, 2, ROWS)
    seconds = []
    for entries in ENTRIES:
        columns = random.integers(0, FEATURES, size=(ROWS, entries))
        columns.sort(axis=1)
        x = csr_matrix((random.normal(size=ROWS * entries), columns.ravel(), np.arange(0, ROWS * entries + 1, entries)), shape=(ROWS, FEATURES))
        x.sum_duplicates()
        risk = secant.Risk(secant.Network.linear(FEATURES, 2), x, y, loss="softmax")
        theta = 0.01 * random.normal(size=risk.dim)
        seconds.append((x.nnz, fastest(lambda: risk.value_and_grad(theta))))
    return seconds


def child(task):
    if task == "sparse":
        return sparse_times()
    return net_times(task)


def timed(task, threads):
    environment = {**os.environ, "SECANT_NUM_THREADS": str(threads)}
    done = subprocess.run([sys.executable, __file__, task], env=environment, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def main():
    if len(sys.argv) > 1:
        print(json.dumps(child(sys.argv[1])))
        return
    for name, samples in SAMPLES.items():
        (two, raised), (one, _) = timed(name, 2), timed(name, 1)
        print(json.dumps({
            "net": name, "samples": samples, "ms": [1e3 * s for s in two], "exponent": exponent(samples, two),
            "exponent_one_thread": exponent(samples, one), "speedup": [a / b for a, b in zip(one, two)], "evaluation_mib": raised,
        }), flush=True)
    two, one = timed("sparse", 2), timed("sparse", 1)
    filled = [n for n, _ in two]
    print(json.dumps({
        "sparse": f"{ROWS} × {FEATURES}", "filled": filled, "ms": [1e3 * s for _, s in two], "exponent": exponent(filled, [s for _, s in two]),
        "speedup": [a / b for (_, a), (_, b) in zip(one, two)],
    }), flush=True)


if __name__ == "__main__":
    main()
