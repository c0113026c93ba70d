"""Fits models full-batch with exact curvature.

SciPy's calls: `minimize`, `least_squares`, `curve_fit` (by a function or by a formula). Many at once: `fit_many`. Networks:
`Network`, `fit`, `Model`; the objective itself: `Risk`, and `RiskPart` where its samples lie in several processes. Generalised linear models with standard errors: `glm`. scikit-learn's estimators: `secant.sklearn`.
"""

from __future__ import annotations

from . import _core
from ._arrays import whole
from ._curves import Curve, CurveFitResult, GroupedCurve, curve_fit, fit_formula, fit_many
from ._glm import Glm, glm
from ._least_squares import least_squares
from ._methods import METHODS, method_options
from ._minimize import minimize
from ._models import Fit, GraphBuilder, Model, Network, Risk, fit, lasso_path
from ._parts import Layout, Partials, RiskPart
from ._result import OptimizeResult, OptimizeWarning

__version__: str = _core.VERSION


def set_threads(threads: int | None = None) -> int:
    """How many threads fits take from now on; `None`: `SECANT_NUM_THREADS`, or as many as the machine has. Says how many there are."""
    return _core.set_threads(None if threads is None else whole(threads, "threads", 1))


__all__ = [
    "METHODS",
    "Curve",
    "CurveFitResult",
    "Fit",
    "Glm",
    "GraphBuilder",
    "GroupedCurve",
    "Layout",
    "Model",
    "Network",
    "OptimizeResult",
    "OptimizeWarning",
    "Partials",
    "Risk",
    "RiskPart",
    "curve_fit",
    "fit",
    "fit_formula",
    "fit_many",
    "glm",
    "lasso_path",
    "least_squares",
    "method_options",
    "minimize",
    "set_threads",
]
