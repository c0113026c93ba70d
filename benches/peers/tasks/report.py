"""What is printed of tasks, as Markdown; without NumPy, for `run.py` too.

A row is a task: `title`, `accuracy`, `secant` and `peer` (the names of the best of each side), `ratio`, `missing`, and its `contestants`, each with
`name`, `seconds`, `gap`, `met`, `cut`, `tolerance`, `compile_seconds`; or a `task` and why it is `missing`.
"""

# A run longer than this ends the search for a tolerance.
PATIENCE = 60.0
HEAD = """| task | secant | best peer | its time | ratio | gap: secant | gap: peer | asked | compile |
|---|---|---|---|---|---|---|---|---|"""
HEAD_OF_ALL = """| task | contestant | time | gap | tolerance | compile |
|---|---|---|---|---|---|"""


def duration(seconds):
    if seconds is None:
        return "–"
    for unit, name in ((1.0, "s"), (1e-3, "ms")):
        if seconds >= unit:
            return f"{seconds / unit:.3g} {name}"
    return f"{1e6 * seconds:.3g} µs"


def reached(one):
    if one["gap"] is None:
        return "no solution"
    missed = f" after {PATIENCE:g} s" if one["cut"] else ", not met"
    return f"{one['gap']:.1e}" + (f" ({one['note']})" if one.get("note") else "") + ("" if one["met"] else missed)


def compile_of(one):
    return "–" if one["compile_seconds"] is None else f"{one['compile_seconds']:.1f} s"


def summary(row):
    """The line of a task."""
    if "title" not in row:
        return f"| {row['task']} | {row['missing']} | – | – | – | – | – | – | – |"
    of = {one["name"]: one for one in row["contestants"]}
    ours, peer, ratio = of[row["secant"]], of.get(row["peer"]), row["ratio"]
    asked = f"{row['accuracy']:.0e}"
    if peer is None:
        none = "; ".join(row["missing"])
        return f"| {row['title']} | {duration(ours['seconds'])} | {none} | – | – | {reached(ours)} | – | {asked} | – |"
    times = "–" if ratio is None else f"{ratio:.2g}"
    return (f"| {row['title']} | {duration(ours['seconds'])} | {peer['name']} | {duration(peer['seconds'])} | {times} | {reached(ours)} | "
            f"{reached(peer)} | {asked} | {compile_of(peer)} |")


def everyone(row):
    """A line for each contestant of a task, those that met the accuracy first."""
    if "title" not in row:
        return []
    slow = float("inf")
    order = sorted(row["contestants"], key=lambda one: (not one["met"], slow if one["seconds"] is None else one["seconds"]))
    lines = [
        f"| {row['title']} | {one['name']} | {duration(one['seconds'])} | {reached(one)} | {tolerance(one)} | {compile_of(one)} |" for one in order
    ]
    return lines + [f"| {row['title']} | {missing} | – | – | – | – |" for missing in row["missing"]]


def tolerance(one):
    return "–" if one["tolerance"] is None else f"{one['tolerance']:.3g}"
