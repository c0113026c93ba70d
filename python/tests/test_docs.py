"""The blocks of `docs/python.md`, and the examples in docstrings."""

from __future__ import annotations

import doctest
import importlib
import re
from pathlib import Path

import numpy as np
import pytest

import secant

ROOT = Path(__file__).resolve().parents[2]
MODULES = ["_curves", "_glm", "_least_squares", "_methods", "_minimize", "_models"]


def test_the_guide_says_what_is():
    text = (ROOT / "docs" / "python.md").read_text()
    blocks = re.findall(r"```pycon\n(.*?)```", text, flags=re.DOTALL)
    assert len(blocks) > 10
    test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, "docs/python.md", "docs/python.md", 0)
    found = doctest.DocTestRunner(verbose=False).run(test)
    assert found.failed == 0 and found.attempted > 40


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name):
    module = importlib.import_module(f"secant.{name}")
    found = doctest.testmod(module, extraglobs={"np": np, "secant": secant})
    assert found.failed == 0


def test_the_guide_names_what_there_is():
    """Every public name of the package stands in the guide."""
    text = (ROOT / "docs" / "python.md").read_text()
    # Classes of what comes back, and the two that the others stand for.
    implied = {"Curve", "CurveFitResult", "Fit", "Glm", "GroupedCurve", "OptimizeResult", "OptimizeWarning", "fit_formula", "lasso_path"}
    missing = [name for name in secant.__all__ if name not in implied and name not in text]
    assert missing == []
