"""Generalised linear models with a log link."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import xlogy
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import _num_samples

from ._base import Fits, fit_scores, iterations, positive_number, weights_of


class _LogLink(Fits, RegressorMixin, BaseEstimator):
    _sparse = True

    def __init__(
        self,
        *,
        alpha: float = 1.0,
        fit_intercept: bool = True,
        max_iter: int | None = None,
        tol: float | None = None,
        warm_start: bool = False,
        method: str | None = None,
    ):
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.method = method

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Fits to N × d inputs and N targets."""
        alpha = positive_number(self.alpha, "alpha")
        X, y, weights = self._training_data(X, y, sample_weight)
        self._check(y)
        d = X.shape[1]
        start = None
        if self.warm_start and hasattr(self, "coef_") and self.coef_.shape == (d,):
            start = self.coef_.reshape(1, d), np.array([self.intercept_])
        found = fit_scores(
            X, y, self._loss, weights=weights, l2=alpha, fit_intercept=self.fit_intercept, start=start,
            level=float(np.log(np.average(y, weights=weights))), method=self.method, options=self._stopping(),
        )
        self.coef_ = found.coef[0]
        self.intercept_ = float(found.intercept[0]) if self.fit_intercept else 0.0
        self.report_ = found.report
        self.n_iter_ = iterations([found.report])[0]
        self._ended([found.report])
        return self

    def _check(self, y: np.ndarray) -> None:
        if (y < 0.0).any() or not self._allows(y):
            raise ValueError(
                f"Some value(s) of y are out of the valid range of {type(self).__name__}: expected {self._allowed}"
            )

    def predict(self, X: Any) -> np.ndarray:
        """Means exp(Xw + b)."""
        X = self._inputs(X)
        return np.exp(X @ self.coef_ + self.intercept_)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """D²: the share of the deviance that the model explains."""
        means = self.predict(X)
        y = np.asarray(y, dtype=np.float64)
        if y.shape != means.shape:
            raise ValueError(f"y has shape {y.shape}, X has {_num_samples(means)} samples")
        self._check(y)
        weights = weights_of(sample_weight, means)
        constant = np.average(y, weights=weights)
        deviance, null = (np.average(self._deviance(y, at), weights=weights) for at in (means, constant))
        return 1.0 - float(deviance / null)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = True
        return tags


class PoissonRegressor(_LogLink):
    """Poisson regression by Newton's method: min (Σ sᵢ(μᵢ − yᵢ ln μᵢ))/Σ sᵢ + α·½‖w‖² with μ = exp(Xw + b), y ≥ 0.

    alpha: α ≥ 0.
    max_iter: `None` is the engine's limit. tol: the gradient's absolute tolerance; `None` is full accuracy.
    warm_start: starts where the last fit ended.
    method: a name in `secant.METHODS`; by default one is chosen.

    X may be sparse. Fitted: `coef_`, `intercept_`, `n_iter_`, `report_`.
    """

    _loss = {"poisson": {"full": False}}
    _allowed = "0 or more, and not all of them 0"

    @staticmethod
    def _allows(y: np.ndarray) -> bool:
        return bool(y.any())

    @staticmethod
    def _deviance(y: np.ndarray, mean: Any) -> np.ndarray:
        return 2.0 * (xlogy(y, y / mean) - y + mean)


class GammaRegressor(_LogLink):
    """Gamma regression by Newton's method: min (Σ sᵢ(ln μᵢ + yᵢ/μᵢ))/Σ sᵢ + α·½‖w‖² with μ = exp(Xw + b), y > 0.

    Parameters and what is fitted are as of `PoissonRegressor`.
    """

    _loss = "gamma"
    _allowed = "positive"

    @staticmethod
    def _allows(y: np.ndarray) -> bool:
        return bool((y > 0.0).all())

    @staticmethod
    def _deviance(y: np.ndarray, mean: Any) -> np.ndarray:
        return 2.0 * (np.log(mean / y) + y / mean - 1.0)
