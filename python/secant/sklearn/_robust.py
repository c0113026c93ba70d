"""Regression with losses that grow slowly: Huber's with its scale, and the check function of quantiles."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils import check_scalar

from .._minimize import minimize
from ._base import Fits, as_from, between, centre, fit_scores, iterations, positive_number

# σ stays above this part of the targets' deviation: below it, where w fits all samples exactly, the curvature is
# past what f64 can tell.
_LEAST_SCALE = 1e-9


class _Robust(Fits, RegressorMixin, BaseEstimator):
    def predict(self, X: Any) -> np.ndarray:
        """Xw + b."""
        return self._inputs(X) @ self.coef_ + self.intercept_

    def _start(self, d: int) -> tuple[np.ndarray, float] | None:
        if self.warm_start and hasattr(self, "coef_") and self.coef_.shape == (d,):
            return self.coef_, float(self.intercept_)
        return None


class HuberRegressor(_Robust):
    """Huber regression with its scale: min over w, b, σ of Σ sᵢ(σ + H(eᵢ/σ)·σ) + α‖w‖², e = y − Xw − b.

    H(u) = u² for |u| ≤ ε and 2ε|u| − ε² beyond: convex in all of them, and solved with the exact Hessian. σ is
    1e-9 of the targets' deviation at least, which is where it ends when w fits all samples exactly.

    epsilon: ε > 1; the smaller, the more samples count as outliers.
    alpha: α ≥ 0.
    max_iter: `None` is the engine's limit.
    tol: the gradient's absolute tolerance, of the problem in units of the targets' deviation and divided by Σsᵢ;
        `None` is full accuracy.
    warm_start: starts where the last fit ended.
    method: a name in `secant.METHODS` for bounds; by default one is chosen.

    Fitted: `coef_`, `intercept_`, `scale_`, `outliers_`, `n_iter_`, `report_`.
    """

    def __init__(
        self,
        *,
        epsilon: float = 1.35,
        max_iter: int | None = None,
        alpha: float = 0.0001,
        warm_start: bool = False,
        fit_intercept: bool = True,
        tol: float | None = None,
        method: str | None = None,
    ):
        self.epsilon = epsilon
        self.max_iter = max_iter
        self.alpha = alpha
        self.warm_start = warm_start
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.method = method

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> HuberRegressor:
        """Fits to N × d inputs and N targets."""
        epsilon = float(check_scalar(self.epsilon, "epsilon", (int, float), min_val=1.0))
        alpha = positive_number(self.alpha, "alpha")
        X, y, weights = self._training_data(X, y, sample_weight)
        d = X.shape[1]
        total = len(y) if weights is None else float(weights.sum())
        s = np.full(len(y), 1.0 / total) if weights is None else weights / total
        inputs, means = centre(X, weights) if self.fit_intercept else (X, np.zeros(d))
        # In units in which the columns and the targets have about the size 1.
        lengths = np.sqrt(s @ inputs**2)
        lengths[lengths == 0.0] = 1.0
        level = float(s @ y) if self.fit_intercept else 0.0
        spread = float(np.sqrt(s @ (y - level) ** 2)) or 1.0
        design = np.column_stack([inputs / lengths, np.ones((len(y), int(self.fit_intercept)))])
        target = (y - level) / spread
        ridge = np.zeros(design.shape[1])
        ridge[:d] = 2.0 * alpha * spread / (total * lengths**2)
        problem = _Concomitant(design, target, s, ridge, epsilon)
        start, options = problem.least_squares(), self._stopping()
        first = self._start(d)
        if first is not None:
            options = as_from(options, problem(start)[1])
            coef, intercept = first
            constant = (intercept - level + coef @ means) / spread
            start = np.concatenate([coef * lengths / spread, [constant] * self.fit_intercept, [self.scale_ / spread]])
        low = np.full(start.size, -np.inf)
        low[-1] = _LEAST_SCALE
        found = minimize(
            problem, start, jac=True, hess=problem.hessian, bounds=between(low), method=self.method, options=options,
        )
        self.coef_ = spread * found.x[:d] / lengths
        self.intercept_ = float(level + spread * found.x[d] - self.coef_ @ means) if self.fit_intercept else 0.0
        self.scale_ = float(spread * found.x[-1])
        self.outliers_ = np.abs(y - X @ self.coef_ - self.intercept_) > self.scale_ * epsilon
        self.report_ = found.report
        self.n_iter_ = iterations([found.report])[0]
        self._ended([found.report])
        return self


class _Concomitant:
    """Σ sᵢ(σ + H(eᵢ/σ)·σ) + ½Σ λⱼvⱼ² in (v, σ), with Σs = 1."""

    def __init__(self, design: np.ndarray, target: np.ndarray, s: np.ndarray, ridge: np.ndarray, epsilon: float):
        self.design, self.target, self.s, self.ridge, self.epsilon = design, target, s, ridge, epsilon

    def least_squares(self) -> np.ndarray:
        """A start: of least squares, σ the deviation of what is left."""
        scaled = self.s[:, None] * self.design
        v = np.linalg.lstsq(scaled.T @ self.design + np.diag(self.ridge), scaled.T @ self.target, rcond=None)[0]
        deviation = np.sqrt(self.s @ (self.target - self.design @ v) ** 2)
        return np.append(v, max(deviation, 1e-8))

    def __call__(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        v, sigma = point[:-1], point[-1]
        u = (self.target - self.design @ v) / sigma
        cut = np.clip(u, -self.epsilon, self.epsilon)
        # H = 2u·cut − cut², on both sides of ε.
        value = sigma * (1.0 + self.s @ (2.0 * u * cut - cut**2)) + 0.5 * (self.ridge @ v**2)
        gradient = np.append(-2.0 * (self.design.T @ (self.s * cut)) + self.ridge * v, 1.0 - self.s @ cut**2)
        return float(value), gradient

    def hessian(self, point: np.ndarray) -> np.ndarray:
        v, sigma = point[:-1], point[-1]
        u = (self.target - self.design @ v) / sigma
        inside = np.abs(u) <= self.epsilon
        k = np.where(inside, 2.0 * self.s / sigma, 0.0)
        scaled = k[:, None] * self.design
        both = (scaled.T @ u)[:, None]
        return np.block([[scaled.T @ self.design + np.diag(self.ridge), both], [both.T, np.atleast_2d(k @ u**2)]])


class QuantileRegressor(_Robust):
    """Quantile regression, smoothed: min (Σ sᵢρ(eᵢ))/Σ sᵢ + α‖w‖₁ with ρ(e) = τe + h·ln(1 + exp(−e/h)), e = y − Xw − b.

    ρ lies above scikit-learn's check function max(τe, (τ − 1)e) by h·ln 2 at most, so the minimum of this
    objective is within h·ln 2 of that one. It is followed along h from the targets' deviation down to `width`.

    quantile: τ in (0, 1).
    alpha: α ≥ 0, of the L1 penalty.
    width: h > 0 in the targets' units; `None` is a millionth of their standard deviation.
    max_iter: of each h; `None` is the engine's limit. tol: the gradient's absolute tolerance; `None` is full accuracy.
    warm_start: starts where the last fit ended, at `width` at once.
    method: a name in `secant.METHODS`; by default one is chosen.

    Fitted: `coef_`, `intercept_`, `width_`, `n_iter_`, `report_` (of the last h).
    """

    def __init__(
        self,
        *,
        quantile: float = 0.5,
        alpha: float = 1.0,
        fit_intercept: bool = True,
        width: float | None = None,
        max_iter: int | None = None,
        tol: float | None = None,
        warm_start: bool = False,
        method: str | None = None,
    ):
        self.quantile = quantile
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.width = width
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.method = method

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> QuantileRegressor:
        """Fits to N × d inputs and N targets."""
        tau = self.quantile
        check_scalar(tau, "quantile", float, min_val=0.0, max_val=1.0, include_boundaries="neither")
        alpha = positive_number(self.alpha, "alpha")
        X, y, weights = self._training_data(X, y, sample_weight)
        level = np.average(y, weights=weights)
        spread = float(np.sqrt(np.average((y - level) ** 2, weights=weights))) or 1.0
        self.width_ = 1e-6 * spread if self.width is None else positive_number(self.width, "width", zero=False)
        first = self._start(X.shape[1])
        start, widths = None, np.array([self.width_])
        if first is None:
            wider = spread * 0.2 ** np.arange(40.0)
            widths = np.append(wider[wider > self.width_], self.width_)
        else:
            start = first[0].reshape(1, -1), np.array([first[1]])
        steps = 0
        for h in widths:
            found = fit_scores(
                X, y, {"quantile": {"tau": float(tau), "width": float(h)}}, weights=weights, l1=alpha,
                fit_intercept=self.fit_intercept, start=start, level=float(level), method=self.method,
                options=self._stopping(),
            )
            start = found.coef, found.intercept
            steps += int(found.report["iterations"])
        self.coef_ = found.coef[0]
        self.intercept_ = float(found.intercept[0]) if self.fit_intercept else 0.0
        self.report_ = found.report
        self.n_iter_ = max(1, steps)
        self._ended([found.report])
        return self
