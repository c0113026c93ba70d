"""Seconds that a table of numbers takes to be read, and the memory: pandas, Polars, PyArrow and NumPy.

    python read_tables.py DIR [ROWS [COLUMNS]]
    cargo run --release --example read_table -- DIR/numbers.csv --json

Writes numbers.csv (%.6g), numbers.npy and numbers.parquet to DIR where they are not there: 1,000,000 x 101 unless said otherwise, 880 MiB of
text. Each reader runs in a process of its own, three times; the fastest counts. pip install numpy pandas polars pyarrow.
"""

import json
import multiprocessing
import pathlib
import resource
import sys
import time

import numpy as np

ROUNDS = 3
ROWS_AT_A_TIME = 10_000


def write(folder, rows, columns):
    names = [f"x{index}" for index in range(1, columns)] + ["y"]
    random = np.random.default_rng(1)
    if not (folder / "numbers.npy").exists():
        np.save(folder / "numbers.npy", random.standard_normal((rows, columns)))
    table = np.load(folder / "numbers.npy", mmap_mode="r")
    if not (folder / "numbers.csv").exists():
        line = ",".join(["%.6g"] * columns) + "\n"
        with open(folder / "numbers.csv", "w") as file:
            file.write(",".join(names) + "\n")
            for start in range(0, rows, ROWS_AT_A_TIME):
                file.writelines(line % tuple(row) for row in table[start : start + ROWS_AT_A_TIME].tolist())
    if not (folder / "numbers.parquet").exists():
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.table(dict(zip(names, np.ascontiguousarray(table.T)))), folder / "numbers.parquet")


def by_pandas(folder):
    import pandas

    return pandas.read_csv(folder / "numbers.csv").shape


def by_pandas_arrow(folder):
    import pandas

    return pandas.read_csv(folder / "numbers.csv", engine="pyarrow").shape


def by_polars(folder):
    import polars

    return polars.read_csv(folder / "numbers.csv").shape


def by_polars_array(folder):
    """What a fit needs: one array of numbers."""
    import polars

    return polars.read_csv(folder / "numbers.csv").to_numpy(order="c").shape


def by_numpy(folder):
    return np.load(folder / "numbers.npy").shape


def by_parquet(folder):
    import pyarrow.parquet as pq

    return pq.read_table(folder / "numbers.parquet").shape


PEERS = {
    "pandas.read_csv": by_pandas,
    "pandas.read_csv, pyarrow": by_pandas_arrow,
    "polars.read_csv": by_polars,
    "polars.read_csv, to_numpy": by_polars_array,
    "numpy.load": by_numpy,
    "pyarrow.parquet": by_parquet,
}


def work(name, folder, queue):
    # Libraries are loaded before the clock runs.
    PEERS[name](folder / "small")
    begun = time.perf_counter()
    rows, columns = PEERS[name](folder)
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    queue.put({"peer": name, "rows": rows, "columns": columns, "seconds": round(seconds, 2), "peak_mib": round(peak)})


def main():
    folder = pathlib.Path(sys.argv[1])
    rows, columns = (int(word) for word in (sys.argv[2:] + ["1000000", "101"][len(sys.argv) - 2 :])[:2])
    for place, size in ((folder, rows), (folder / "small", 100)):
        place.mkdir(parents=True, exist_ok=True)
        write(place, size, columns)
    context = multiprocessing.get_context("spawn")
    for name in PEERS:
        found = []
        for _ in range(ROUNDS):
            queue = context.Queue()
            process = context.Process(target=work, args=(name, folder, queue))
            process.start()
            found.append(queue.get())
            process.join()
        print(json.dumps(min(found, key=lambda row: row["seconds"])), flush=True)


if __name__ == "__main__":
    main()
