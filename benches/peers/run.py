"""Everything beside everybody, by one command.

    python3 benches/peers/run.py [DATA] [--tasks …] [--repeats 7] [--out out/peers] [--here] [--no-rust]

Makes an environment in OUT/venv from the pinned requirements (requirements-run.txt) with the package of this checkout built into it, and runs
the tasks of python_table.py and speed_tasks.py there; then builds the package rust/ and runs its tasks, whose names begin with rust-: secant and
every peer in turn, medians, compile time apart, each at the loosest tolerance that meets the accuracy asked for, which the script judges itself.
What stops short is marked, and nobody is compared with it. Writes OUT/table.md, table.json and table.svg. DATA (or SECANT_DATA) is the folder of
larger data. With --here it runs in the Python that runs it.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import venv
from pathlib import Path

from tasks.report import HEAD, HEAD_OF_ALL, everyone, summary

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RUST = HERE / "rust"
# What a task of rust/ is called here.
PREFIX = "rust-"
PEERS = ("argmin", "levenberg-marquardt", "varpro", "linfa-linear", "linfa-logistic", "ganesh", "basin")


def environment(out):
    """The Python of an environment with the peers and this checkout's package."""
    folder = out / "venv"
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", str(HERE / "requirements-run.txt")], check=True)
    subprocess.run([*pip, f"{ROOT / 'python'}[sklearn]"], check=True)
    return str(python)


def picture(rows):
    """Ratios as bars on a logarithmic axis: to the right of 1 secant is the faster one."""
    import math

    rows = [row for row in rows if row.get("ratio")]
    width, left, line, top = 900, 360, 24, 40
    low = min(0.5, *(row["ratio"] for row in rows))
    high = max(2.0, *(row["ratio"] for row in rows))
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    place = lambda ratio: left + (width - left - 60) * (math.log10(ratio) - first) / (last - first)  # noqa: E731
    height = top + line * len(rows) + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        "<title>Time of the best peer over that of secant, by task</title>",
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for power in range(first, last + 1):
        x = place(10.0**power)
        parts.append(f'<path d="M{x:.1f} {top - 8}V{height - 24}" stroke="#ccc"/><text x="{x:.1f}" y="{height - 8}" text-anchor="middle">{10.0**power:g}</text>')
    one = place(1.0)
    parts.append(f'<path d="M{one:.1f} {top - 8}V{height - 24}" stroke="black"/>')
    parts.append(f'<text x="{left}" y="20">time of the best peer ÷ time of secant</text>')
    for i, row in enumerate(rows):
        y, end = top + line * i, place(row["ratio"])
        colour = "#0072b2" if row["ratio"] >= 1.0 else "#d55e00"
        title = row["title"].replace("&", "&amp;").replace("<", "&lt;")
        parts.append(f'<text x="{left - 10}" y="{y + 13}" text-anchor="end">{title}</text>')
        parts.append(f'<rect x="{min(one, end):.1f}" y="{y + 3}" width="{abs(end - one):.1f}" height="{line - 10}" fill="{colour}"/>')
        parts.append(f'<text x="{max(one, end) + 6:.1f}" y="{y + 13}">{row["ratio"]:.2g}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def by_python(given, tasks):
    """Runs the tasks in Python: what it prints, and what it wrote."""
    python = sys.executable if given.here else environment(given.out)
    figures = given.out / "table.json"
    asked = [] if tasks is None else ["--tasks", ",".join(tasks)]
    where = [] if given.data is None else [given.data]
    command = [python, str(HERE / "speed_tasks.py"), *where, *asked, "--repeats", str(given.repeats), "--json", str(figures), "--all"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        lines = []
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    if process.returncode:
        sys.exit(process.returncode)
    return lines, json.loads(figures.read_text())


def by_rust(given, tasks):
    """Builds rust/ and runs its tasks: rows like those of Python, and the versions of the peers."""
    manifest = ["--release", "--manifest-path", str(RUST / "Cargo.toml")]
    subprocess.run(["cargo", "build", "--locked", *manifest], check=True)
    asked = [] if tasks is None else ["--tasks", ",".join(tasks)]
    where = [] if given.data is None else ["--data", given.data]
    command = ["cargo", "run", "--quiet", "--locked", *manifest, "--", *asked, *where, "--repeats", str(given.repeats)]
    rows = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            found = json.loads(line)
            rows.setdefault(found["task"], []).append(found)
    if process.returncode:
        sys.exit(process.returncode)
    locked = re.findall(r'name = "(.+)"\nversion = "(.+)"', (RUST / "Cargo.lock").read_text())
    return [row_of(task, lines) for task, lines in rows.items()], {name: version for name, version in locked if name in PEERS}


def best(contestants):
    """The fastest that met the accuracy, else the closest."""
    met = [one for one in contestants if one["met"]]
    if met:
        return min(met, key=lambda one: one["seconds"])
    return min(contestants, key=lambda one: float("inf") if one["gap"] is None else one["gap"], default=None)


def row_of(task, lines):
    """The row of a task from the lines of its contestants."""
    contestants = [
        {"name": line["contestant"], "gap": line["reached"], "compile_seconds": None}
        | {key: line[key] for key in ("tolerance", "met", "cut", "seconds", "rounds", "note")}
        for line in lines
    ]
    ours = best([one for one in contestants if one["name"].startswith("secant")])
    peer = best([one for one in contestants if not one["name"].startswith("secant")])
    ratio = statistics.median(b / a for a, b in zip(ours["rounds"], peer["rounds"])) if ours["met"] and peer["met"] else None
    return {
        "task": PREFIX + task, "title": f"Rust: {lines[0]['title']}", "accuracy": lines[0]["asked"], "reference": None, "secant": ours["name"],
        "peer": peer["name"], "ratio": ratio, "missing": [], "contestants": contestants,
    }


def main():
    read = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    read.add_argument("data", nargs="?", default=os.environ.get("SECANT_DATA"), help="folder of data beside data/")
    read.add_argument("--tasks", help="names, with commas; by default all")
    read.add_argument("--repeats", type=int, default=7)
    read.add_argument("--out", type=Path, default=ROOT / "out" / "peers")
    read.add_argument("--here", action="store_true", help="no environment of its own")
    read.add_argument("--no-rust", action="store_true", help="without the peers in Rust, which take a Rust compiler")
    given = read.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    names = None if given.tasks is None else given.tasks.split(",")
    in_rust = None if names is None else [name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX)]
    in_python = None if names is None else [name for name in names if not name.startswith(PREFIX)]
    lines, figures = [], {"machine": {}, "repeats": given.repeats, "tasks": []}
    if in_python is None or in_python:
        lines, figures = by_python(given, in_python)
    if not given.no_rust and (in_rust is None or in_rust):
        rows, versions = by_rust(given, in_rust)
        figures["tasks"] += rows
        figures["machine"]["rust"] = versions
        table = [", ".join(f"{name} {version}" for name, version in versions.items()), "", HEAD, *map(summary, rows)]
        table += ["", HEAD_OF_ALL, *(line for row in rows for line in everyone(row))]
        # Away from the table before it.
        lines += [("\n" if lines else "") + table[0] + "\n", *(f"{line}\n" for line in table[1:])]
        print(*lines[-len(table) :], sep="", end="")
    (given.out / "table.md").write_text("".join(lines))
    (given.out / "table.json").write_text(json.dumps(figures, indent=1) + "\n")
    rows = figures["tasks"]
    if any(row.get("ratio") for row in rows):
        (given.out / "table.svg").write_text(picture(rows))
    print(f"\n{given.out}/table.md, table.json, table.svg")


if __name__ == "__main__":
    main()
