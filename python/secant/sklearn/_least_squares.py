"""Least squares: without a penalty, with a ridge, with one that is chosen by leave-one-out."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.metrics import check_scoring
from sklearn.model_selection import GridSearchCV

from .. import _core
from ._base import (
    Linear, Scores, centre, check_penalties, fit_nonnegative, iterations, penalties, positive_number, stopping,
)


def solve(
    X: np.ndarray,
    y: np.ndarray,
    weights: np.ndarray | None,
    alpha: float,
    fit_intercept: bool,
    certified: bool,
    names: Sequence[str],
) -> Scores:
    """min Σ wᵢ(yᵢ − xᵢᵀβ − β₀)² + α‖β‖² for every column of y; the shortest β where there are several."""
    d = X.shape[1]
    if d > len(X) and alpha > 0.0:
        return _wide(X, y, weights, alpha, fit_intercept, certified)
    strengths = np.full(d, alpha)
    found = _core.linear_least_squares(X, y, weights, strengths, fit_intercept, certified, list(names))
    means, levels = np.zeros(d), np.zeros(y.shape[1])
    if fit_intercept and found["rank"] < d + 1:
        # The shortest β has nothing to do with β₀: without a constant column.
        inputs, means = centre(X, weights)
        levels = np.average(y, axis=0, weights=weights)
        targets = np.ascontiguousarray(y - levels)
        found = _core.linear_least_squares(inputs, targets, weights, strengths, False, certified, list(names))
        coef = found["coefficients"]
        intercept = levels - coef @ means
    elif fit_intercept:
        intercept, coef = found["coefficients"][:, 0].copy(), found["coefficients"][:, 1:].copy()
        found["rank"] -= 1
    else:
        coef, intercept = found["coefficients"], np.zeros(y.shape[1])
    found["message"] = "solved by QR" + (", all digits certified" if found["certified"] else "")
    found["success"] = True
    return Scores(coef, intercept, found)


def _wide(
    X: np.ndarray, y: np.ndarray, weights: np.ndarray | None, alpha: float, fit_intercept: bool, certified: bool
) -> Scores:
    """The same with more columns than samples: β is then a combination of the rows of X, as long as its coordinates."""
    inputs, means = centre(X, weights) if fit_intercept else (X, np.zeros(X.shape[1]))
    levels = np.average(y, axis=0, weights=weights) if fit_intercept else np.zeros(y.shape[1])
    basis, coordinates = np.linalg.qr(inputs.T)
    rows = np.ascontiguousarray(coordinates.T)
    names = [f"q{j}" for j in range(len(X))]
    found = solve(rows, np.ascontiguousarray(y - levels), weights, alpha, False, certified, names)
    coef = found.coef @ basis.T
    return Scores(coef, levels - coef @ means, {**found.report, "coefficients": coef})


class _LeastSquares(Linear, BaseEstimator):
    def _names(self) -> list[str]:
        known = getattr(self, "feature_names_in_", None)
        return [f"x{j}" for j in range(self.n_features_in_)] if known is None else [str(name) for name in known]

    def _solved(self, X: np.ndarray, y: np.ndarray, weights: np.ndarray | None, alphas: np.ndarray) -> list[dict]:
        """Sets the coefficients, each target with its α."""
        targets = y.reshape(len(y), -1)
        check_penalties(alphas, targets.shape[1])
        one_for_all = len(alphas) == 1
        of = [slice(None)] if one_for_all else [slice(j, j + 1) for j in range(targets.shape[1])]
        parts = []
        for columns, alpha in zip(of, alphas):
            chosen = np.ascontiguousarray(targets[:, columns])
            parts.append(solve(X, chosen, weights, alpha, self.fit_intercept, self.certified, self._names()))
        self._set(parts, y.ndim)
        return [part.report for part in parts]

    def _bounded(self, X: np.ndarray, y: np.ndarray, weights: np.ndarray | None, alphas: np.ndarray) -> list[dict]:
        total = len(X) if weights is None else float(weights.sum())
        options = stopping(self.tol, getattr(self, "max_iter", None))
        parts = [
            fit_nonnegative(
                X, column, weights=weights, l2=alpha / total, fit_intercept=self.fit_intercept, options=options
            )
            for column, alpha in zip(y.reshape(len(y), -1).T, np.resize(alphas, y.size // len(y)))
        ]
        self._set(parts, y.ndim)
        self._ended([part.report for part in parts])
        return [part.report for part in parts]


class LinearRegression(_LeastSquares):
    """Least squares by QR with a refinement: min Σ wᵢ(yᵢ − xᵢᵀw − b)².

    Where columns depend on each other, the shortest w; `report_["null_directions"]` names the dependencies.

    fit_intercept: whether there is a b.
    positive: w ≥ 0.
    tol: with `positive`, the gradient's absolute tolerance; `None` is full accuracy.
    certified: refined until the coefficients no longer change: all digits, for a condition up to some 1e15.

    Fitted: `coef_`, `intercept_`, `rank_`, `report_`, `n_features_in_`, `feature_names_in_`.
    """

    def __init__(
        self, *, fit_intercept: bool = True, tol: float | None = None, positive: bool = False, certified: bool = False
    ):
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.positive = positive
        self.certified = certified

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LinearRegression:
        """Fits to N × d inputs and N, or N × t, targets."""
        X, y, weights = self._training_data(X, y, sample_weight, multi_output=True)
        nothing = np.zeros(1)
        if self.positive:
            reports = self._bounded(X, y, weights, nothing)
        else:
            reports = self._solved(X, y, weights, nothing)
            self.rank_ = int(reports[0]["rank"])
        self.report_ = reports[0]
        return self


class Ridge(_LeastSquares):
    """Ridge regression by QR: min Σ wᵢ(yᵢ − xᵢᵀw − b)² + α‖w‖².

    alpha: α ≥ 0, or one for each target.
    positive: w ≥ 0.
    max_iter, tol: with `positive`; `tol` is the gradient's absolute tolerance, `None` is full accuracy.
    certified: as of `LinearRegression`.

    Fitted: `coef_`, `intercept_`, `n_iter_` (1 without `positive`), `report_`.
    """

    def __init__(
        self,
        alpha: Any = 1.0,
        *,
        fit_intercept: bool = True,
        max_iter: int | None = None,
        tol: float | None = None,
        positive: bool = False,
        certified: bool = False,
    ):
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.positive = positive
        self.certified = certified

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Ridge:
        """Fits to N × d inputs and N, or N × t, targets."""
        X, y, weights = self._training_data(X, y, sample_weight, multi_output=True)
        alphas = penalties(self.alpha)
        if self.positive:
            reports = self._bounded(X, y, weights, alphas)
            self.n_iter_ = np.array(iterations(reports))
        else:
            reports = self._solved(X, y, weights, alphas)
            self.n_iter_ = np.ones(len(reports), dtype=int)
        self.report_ = reports[0]
        return self


class _Given(RegressorMixin, BaseEstimator):
    """Predicts what it is given: a scorer's way to predictions that there are already."""

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, X: Any, y: Any = None) -> _Given:
        return self

    def decision_function(self, predictions: np.ndarray) -> np.ndarray:
        return predictions

    def predict(self, predictions: np.ndarray) -> np.ndarray:
        return predictions


class RidgeCV(_LeastSquares):
    """`Ridge` with the α that predicts samples left out best: each by itself, exactly and without a refit.

    alphas: those to choose from.
    scoring: by default the mean of wᵢeᵢ² of the residuals e left out, negative.
    cv: `None` for leave-one-out; else as `GridSearchCV` takes it.
    store_cv_results: keeps wᵢeᵢ² (with `scoring` predictions) of every sample, target and α as `cv_results_`.
    alpha_per_target: one α for each target.

    Fitted: `alpha_`, `best_score_`, `coef_`, `intercept_`, `cv_results_`, `report_`.
    """

    def __init__(
        self,
        alphas: Any = (0.1, 1.0, 10.0),
        *,
        fit_intercept: bool = True,
        scoring: str | Callable | None = None,
        cv: Any = None,
        store_cv_results: bool = False,
        alpha_per_target: bool = False,
        certified: bool = False,
    ):
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.scoring = scoring
        self.cv = cv
        self.store_cv_results = store_cv_results
        self.alpha_per_target = alpha_per_target
        self.certified = certified

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> RidgeCV:
        """Fits to N × d inputs and N, or N × t, targets."""
        X, y, weights = self._training_data(X, y, sample_weight, multi_output=True)
        alphas = [self.alphas] if isinstance(self.alphas, numbers.Number) else list(self.alphas)
        alphas = [positive_number(alpha, f"alphas[{j}]", zero=self.cv is not None) for j, alpha in enumerate(alphas)]
        if not alphas:
            raise ValueError("alphas is empty")
        if self.cv is not None:
            if self.store_cv_results or self.alpha_per_target:
                name = "store_cv_results" if self.store_cv_results else "alpha_per_target"
                raise ValueError(f"cv!=None and {name}=True are incompatible")
            chosen = Ridge(fit_intercept=self.fit_intercept, certified=self.certified)
            search = GridSearchCV(chosen, {"alpha": alphas}, cv=self.cv, scoring=self.scoring)
            search.fit(X, y, sample_weight=weights)
            self.alpha_, self.best_score_ = search.best_params_["alpha"], search.best_score_
            best = search.best_estimator_
            self.coef_, self.intercept_, self.report_ = best.coef_, best.intercept_, best.report_
            return self
        self._leave_one_out(X, y, weights, alphas)
        self.report_ = self._solved(X, y, weights, np.atleast_1d(self.alpha_))[0]
        return self

    def _leave_one_out(self, X: np.ndarray, y: np.ndarray, weights: np.ndarray | None, alphas: list[float]) -> None:
        targets = y.reshape(len(y), -1)
        results = np.empty((*targets.shape, len(alphas)))
        for at, alpha in enumerate(alphas):
            strengths = np.full(X.shape[1], alpha)
            for j, column in enumerate(np.ascontiguousarray(targets.T)):
                results[:, j, at] = _core.leave_one_out(X, column, weights, strengths, self.fit_intercept)[0]
        if self.scoring is None:
            results = results**2 if weights is None else weights[:, None, None] * results**2
            # A sample that has no residual without itself, for want of others, says nothing.
            scores = -np.nanmean(results, axis=0)
        else:
            results = targets[:, :, None] - results
            scores = self._scores(results, targets, weights)
        each = self.alpha_per_target and targets.shape[1] > 1
        scores = scores if each else scores.mean(axis=0, keepdims=True)
        best = scores.argmax(axis=1)
        self.alpha_ = np.array(alphas)[best] if each else alphas[best[0]]
        self.best_score_ = scores.max(axis=1) if each else float(scores.max())
        if self.store_cv_results:
            self.cv_results_ = results if y.ndim > 1 else results[:, 0, :]

    def _scores(self, predictions: np.ndarray, targets: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
        """By target (one row for all unless each has its α) and by α."""
        score = check_scoring(_Given(), scoring=self.scoring)
        given = {} if weights is None else {"sample_weight": weights}
        single = targets.shape[1] == 1
        rows = range(targets.shape[1]) if single or self.alpha_per_target else [slice(None)]
        by_alpha = np.moveaxis(predictions, -1, 0)
        return np.array([[score(_Given(), one[:, j], targets[:, j], **given) for one in by_alpha] for j in rows])
