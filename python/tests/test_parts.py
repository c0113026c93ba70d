"""A risk in parts: `Risk` of all samples is the truth, to the bit."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import secant

NET = secant.Network.mlp([4, 10, 1], "tanh")
SAMPLES = 9_001
RNG = np.random.default_rng(5)
X = RNG.standard_normal((SAMPLES, 4))
Y = np.sin(X[:, 0]) * X[:, 1]
WEIGHTS = RNG.integers(0, 4, SAMPLES).astype(float)


def in_parts(count, **options):
    weights = options.pop("weights", None)
    layout = secant.Layout(NET, SAMPLES, weights)
    parts = []
    for blocks in layout.split(count):
        own = layout.samples_of(blocks)
        rows = slice(own.start, own.stop) if len(own) else slice(0, 1)
        mine = None if weights is None else weights[rows]
        parts.append(secant.RiskPart(NET, X[rows], Y[rows], layout, blocks, sample_weight=mine, **options))
    return parts


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_what_is_folded_has_the_bits_of_the_whole(count, weights):
    parts = in_parts(count, penalty=1e-3, weights=weights)
    risk = secant.Risk(NET, X, Y, penalty=1e-3, sample_weight=weights)
    theta, v = NET.draw(3), RNG.standard_normal(NET.draw(3).size)
    finish = parts[-1]

    def folded(of):
        # As another process would send them, in any order.
        sums = [pickle.loads(pickle.dumps(of(part))) for part in parts]
        return secant.Partials.fold(reversed(sums))

    assert finish.finish_value(theta, folded(lambda part: part.value(theta))) == risk.value(theta)
    value, gradient = finish.finish_value_and_grad(theta, folded(lambda part: part.value_and_grad(theta)))
    expected, slope = risk.value_and_grad(theta)
    assert value == expected and np.array_equal(gradient, slope)
    along = finish.finish_product(theta, v, folded(lambda part: part.hvp(theta, v)))
    assert np.array_equal(along, risk.hvp(theta, v))
    along = finish.finish_product(theta, v, folded(lambda part: part.ggnvp(theta, v)))
    assert np.array_equal(along, risk.ggnvp(theta, v))


def test_classes_are_those_of_all_parts():
    net = secant.Network.linear(4, 3)
    labels = np.array(["a", "b", "c"])[np.digitize(Y, [-0.2, 0.2])]
    layout = secant.Layout(net, SAMPLES)
    assert layout.samples == SAMPLES
    sums = []
    for blocks in layout.split(layout.blocks):
        own = layout.samples_of(blocks)
        rows = slice(own.start, own.stop)
        part = secant.RiskPart(net, X[rows], labels[rows], layout, blocks, classes=["a", "b", "c"])
        sums.append(part.value(np.full(part.dim, 0.1)))
    whole = sums[0]
    for following in sums[1:]:
        whole = whole.join(following)
    risk = secant.Risk(net, X, labels)
    assert part.finish_value(np.full(part.dim, 0.1), whole) == risk.value(np.full(risk.dim, 0.1))
    with pytest.raises(ValueError, match="those of all parts"):
        secant.RiskPart(net, X[rows], labels[rows], layout, blocks)


def test_what_does_not_fit_is_refused():
    layout = secant.Layout(NET, SAMPLES)
    first, *_, last = layout.split(layout.blocks)
    rows = slice(0, len(layout.samples_of(first)))
    part = secant.RiskPart(NET, X[rows], Y[rows], layout, first)
    theta = NET.draw(1)
    sums = part.value_and_grad(theta)
    assert sums.blocks == first
    with pytest.raises(ValueError, match="of 4"):
        part.finish_value_and_grad(theta, sums)
    with pytest.raises(ValueError, match="do not follow"):
        sums.join(sums)
    with pytest.raises(ValueError, match="do not fit"):
        sums.join(part.value(theta))
    with pytest.raises(ValueError, match="of 0"):
        secant.Partials.fold([])
    with pytest.raises(ValueError, match="theta has 3 entries"):
        part.value(np.zeros(3))
    with pytest.raises(ValueError, match="blocks 0 to 99: there are 4"):
        layout.samples_of(range(99))
    with pytest.raises(TypeError, match="expected a range"):
        secant.RiskPart(NET, X[rows], Y[rows], layout, (0, 1))
    with pytest.raises(ValueError, match="the data has 100"):
        secant.RiskPart(NET, X[:100], Y[:100], layout, first)
    with pytest.raises(ValueError, match="samples must be 1 or more"):
        secant.Layout(NET, 0)
    with pytest.raises(ValueError):
        secant.Layout(NET, SAMPLES, WEIGHTS[:5])
    assert last.stop == layout.blocks


def test_the_recipe_of_the_guide_runs(tmp_path):
    guide = (Path(__file__).parents[2] / "docs" / "distributed.md").read_text()
    (recipe,) = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    script = tmp_path / "recipe.py"
    script.write_text(recipe)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("the same bits: True"), done.stdout
