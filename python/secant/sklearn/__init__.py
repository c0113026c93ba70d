"""scikit-learn's estimators over the engine: its parameters, its objectives, its coefficients.

Where scikit-learn has a parameter it has the same name and meaning here; in place of its solvers there is
`method`, a name in `secant.METHODS`. Fits go to full accuracy: `tol=None` is the engine's own tolerance, a number
is one of the gradient's size. What ends short of that warns with `ConvergenceWarning`; `report_` says how a fit
went. Inputs are dense.
"""

from __future__ import annotations

from ._curve import CurveRegressor
from ._glm import GammaRegressor, PoissonRegressor
from ._kernel import KernelRidge
from ._lasso import ElasticNet, Lasso
from ._least_squares import LinearRegression, Ridge, RidgeCV
from ._logistic import LogisticRegression
from ._mlp import MLPClassifier, MLPRegressor
from ._robust import HuberRegressor, QuantileRegressor
from ._svm import LinearSVC

__all__ = [
    "CurveRegressor",
    "ElasticNet",
    "GammaRegressor",
    "HuberRegressor",
    "KernelRidge",
    "Lasso",
    "LinearRegression",
    "LinearSVC",
    "LogisticRegression",
    "MLPClassifier",
    "MLPRegressor",
    "PoissonRegressor",
    "QuantileRegressor",
    "Ridge",
    "RidgeCV",
]
