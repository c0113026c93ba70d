"""Lasso and elastic net."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_scalar

from ._base import Linear, Scores, fit_nonnegative, fit_scores, iterations, positive_number


class ElasticNet(Linear, BaseEstimator):
    """Elastic net by proximal Newton: min 1/(2N)·‖y − Xw − b‖² + α·l1_ratio·‖w‖₁ + α·(1 − l1_ratio)·½‖w‖².

    With weights the first term is Σ sᵢeᵢ²/(2Σ sᵢ). Several targets are fitted one by one.

    alpha: α ≥ 0.
    positive: w ≥ 0.
    max_iter: `None` is the engine's limit. tol: the gradient's absolute tolerance; `None` is full accuracy.
    warm_start: starts where the last fit ended.
    method: a name in `secant.METHODS`; by default one is chosen. Not with `positive`.

    Fitted: `coef_`, `intercept_`, `n_iter_`, `report_` (of several targets the first's).
    """

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        l1_ratio: float = 0.5,
        fit_intercept: bool = True,
        max_iter: int | None = None,
        tol: float | None = None,
        warm_start: bool = False,
        positive: bool = False,
        method: str | None = None,
    ):
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.positive = positive
        self.method = method

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> ElasticNet:
        """Fits to N × d inputs and N, or N × t, targets."""
        alpha = positive_number(self.alpha, "alpha")
        ratio = float(check_scalar(self.l1_ratio, "l1_ratio", (int, float), min_val=0.0, max_val=1.0))
        # Centring writes an array of its own.
        order = None if self.fit_intercept else "C"
        X, y, weights = self._training_data(X, y, sample_weight, multi_output=True, order=order)
        options = {"l2": alpha * (1.0 - ratio), "l1": alpha * ratio, "weights": weights, "options": self._stopping()}
        targets = y.reshape(len(y), -1).T
        starts = [self._start(j, X.shape[1], len(targets)) for j in range(len(targets))]
        parts = [self._one(X, column, start, options) for column, start in zip(targets, starts)]
        self._set(parts, y.ndim)
        counts = iterations([part.report for part in parts])
        self.n_iter_ = counts if y.ndim > 1 else counts[0]
        self.report_ = parts[0].report
        self._ended([part.report for part in parts])
        return self

    def _start(self, j: int, d: int, targets: int) -> tuple[np.ndarray, np.ndarray] | None:
        if not self.warm_start or not hasattr(self, "coef_"):
            return None
        coef, intercept = np.atleast_2d(self.coef_), np.atleast_1d(self.intercept_)
        if coef.shape != (targets, d):
            return None
        return coef[j : j + 1], np.resize(intercept, targets)[j : j + 1]

    def _one(self, X: np.ndarray, y: np.ndarray, start: tuple | None, options: dict[str, Any]) -> Scores:
        if self.positive:
            first = None if start is None else start[0][0]
            return fit_nonnegative(X, y, fit_intercept=self.fit_intercept, start=first, **options)
        return fit_scores(X, y, "squared", fit_intercept=self.fit_intercept, start=start, method=self.method, **options)


class Lasso(ElasticNet):
    """The lasso by proximal Newton: min 1/(2N)·‖y − Xw − b‖² + α‖w‖₁.

    Parameters and what is fitted are as of `ElasticNet`, whose `l1_ratio` is 1.
    """

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        fit_intercept: bool = True,
        max_iter: int | None = None,
        tol: float | None = None,
        warm_start: bool = False,
        positive: bool = False,
        method: str | None = None,
    ):
        super().__init__(
            alpha, l1_ratio=1.0, fit_intercept=fit_intercept, max_iter=max_iter, tol=tol, warm_start=warm_start,
            positive=positive, method=method,
        )
