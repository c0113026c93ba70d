"""Repeats the predictions of a saved model in NumPy, from nothing but its file: for networks of dense nodes and activations in a row.

Needs safetensors and numpy. A line is printed for each model: its nodes, and the largest difference to secant's own predictions,
relative to their largest; it fails above 1e-12.

    cargo run --release --example model_files -- --out /tmp/models
    python read_model.py /tmp/models
"""

import json
import pathlib
import sys

import numpy as np
from safetensors import safe_open

LIMIT = 1e-12
ACTIVATIONS = {
    "identity": lambda z: z,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0.0),
    "sigmoid": lambda z: 1.0 / (1.0 + np.exp(-z)),
    "softplus": lambda z: np.logaddexp(0.0, z),
    "silu": lambda z: z / (1.0 + np.exp(-z)),
    "sine": np.sin,
    "exp": np.exp,
}


def read(path):
    """The document in the metadata, and the tensors by name."""
    with safe_open(path, framework="np") as file:
        document = json.loads(file.metadata()["secant"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    if document["format"] != 1 or document["kind"] != "model":
        raise SystemExit(f"{path}: format {document['format']}, kind {document['kind']}")
    return document["content"], tensors


def predict(content, tensors, x):
    """Outputs of N samples, a row each."""
    z = x
    if "input_scaling.means" in tensors:
        mean, deviation = tensors["input_scaling.means"], tensors["input_scaling.deviations"]
        z = np.where(deviation == 0.0, 0.0, (x - mean) / np.where(deviation == 0.0, 1.0, deviation))
    for node in content["graph"]["node"]:
        name, op = node["name"], node["op"]
        if "inputs" in node or "share" in node:
            raise SystemExit(f"node {name}: only nodes in a row are read here")
        if op == "dense":
            z = z @ tensors[f"{name}.weight"].T
            if f"{name}.bias" in tensors:
                z = z + tensors[f"{name}.bias"]
        elif op in ACTIVATIONS:
            z = ACTIVATIONS[op](z)
        else:
            raise SystemExit(f"node {name}: {op} is not read here")
    if "target_scaling.means" in tensors:
        z = tensors["target_scaling.means"] + tensors["target_scaling.deviations"] * z
    return z


def table(path):
    """A CSV without a header, as rows."""
    return np.loadtxt(path, delimiter=",", ndmin=2)


def main():
    worst = 0.0
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.safetensors")):
        content, tensors = read(path)
        expected = table(path.with_suffix(".outputs.csv"))
        found = predict(content, tensors, table(path.with_suffix(".inputs.csv")))
        difference = np.abs(found - expected).max() / np.abs(expected).max()
        worst = max(worst, difference)
        ops = " ".join(node["op"] for node in content["graph"]["node"])
        fit = content["fit"]
        print(f"{path.stem}: {ops}; {fit['method']}, f = {fit['value']:.6g}, N = {fit['samples']}: {difference:.1e}")
    if not worst <= LIMIT:
        raise SystemExit(f"differs by {worst:.1e}")


if __name__ == "__main__":
    main()
