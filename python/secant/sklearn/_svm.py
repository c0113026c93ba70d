"""Linear support vector classification with the squared hinge."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.linear_model._base import LinearClassifierMixin

from ._base import Fits, Scores, fit_scores, iterations, positive_number
from ._logistic import labels_of, of_classes

_HINGE = {"hinge": {"power": "Squared", "multi_class": "OneVsRest"}}


class LinearSVC(Fits, LinearClassifierMixin, BaseEstimator):
    """Linear support vector classification: min ½(‖w‖² + β²) + C·Σ sᵢ max(0, 1 − tᵢzᵢ)², t = ±1.

    z = Xw + intercept_scaling·β: LIBLINEAR's problem, whose intercept is under the penalty too; a larger
    `intercept_scaling` lessens that. More than two classes are fitted one against the rest. The plain hinge has
    kinks, which the engine's methods do not take.

    penalty: `"l2"`, or `"l1"` for ‖w‖₁ + |β| in place of the squares.
    loss: `"squared_hinge"`.
    C: the inverse of the penalty's strength.
    class_weight: `"balanced"`, or weights by class; one against the rest they are those of the one.
    tol: the gradient's absolute tolerance, of the objective divided by C·Σsᵢ; `None` is full accuracy.
    max_iter: `None` is the engine's limit.
    method: a name in `secant.METHODS`; by default one is chosen.

    X may be sparse. Fitted: `classes_`, `coef_`, `intercept_`, `n_iter_` (the most of any class), `report_` (of the first class).
    """

    _sparse = True

    def __init__(
        self,
        penalty: str = "l2",
        loss: str = "squared_hinge",
        *,
        tol: float | None = None,
        C: float = 1.0,
        fit_intercept: bool = True,
        intercept_scaling: float = 1.0,
        class_weight: Any = None,
        max_iter: int | None = None,
        method: str | None = None,
    ):
        self.penalty = penalty
        self.loss = loss
        self.tol = tol
        self.C = C
        self.fit_intercept = fit_intercept
        self.intercept_scaling = intercept_scaling
        self.class_weight = class_weight
        self.max_iter = max_iter
        self.method = method

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LinearSVC:
        """Fits to N × d inputs and N classes."""
        positive_number(self.C, "C", zero=False)
        if self.penalty not in ("l1", "l2"):
            raise ValueError(f"penalty == {self.penalty!r}, must be 'l1' or 'l2'")
        if self.loss != "squared_hinge":
            raise ValueError(f"loss == {self.loss!r}, must be 'squared_hinge': others have kinks")
        X, y, weights = self._training_data(X, y, sample_weight, numeric=False)
        self.classes_, labels = labels_of(self, y)
        count = len(self.classes_)
        of = of_classes(self.class_weight, self.classes_, labels, weights)
        inputs = X
        if self.fit_intercept:
            scaling = positive_number(self.intercept_scaling, "intercept_scaling", zero=False)
            ones = np.full((X.shape[0], 1), scaling)
            inputs = sparse.hstack([X, ones], format="csr") if sparse.issparse(X) else np.hstack([X, ones])
        if count == 2:
            parts = [self._one(inputs, labels == 1, of[labels], weights)]
        else:
            parts = [self._one(inputs, labels == k, np.where(labels == k, of[k], 1.0), weights) for k in range(count)]
        coef = np.vstack([part.coef for part in parts])
        self.coef_ = coef[:, : X.shape[1]].copy()
        self.intercept_ = scaling * coef[:, -1] if self.fit_intercept else np.zeros(len(coef))
        self.n_iter_ = max(iterations([part.report for part in parts]))
        self.report_ = parts[0].report
        self._ended([part.report for part in parts])
        return self

    def _one(self, X: np.ndarray, own: np.ndarray, of: np.ndarray, weights: np.ndarray | None) -> Scores:
        weights = of if weights is None else of * weights
        strength = 1.0 / (self.C * weights.sum())
        l2, l1 = (strength, 0.0) if self.penalty == "l2" else (0.0, strength)
        return fit_scores(
            X, own, _HINGE, classes=2, weights=weights, l2=l2, l1=l1, fit_intercept=False, method=self.method,
            options=self._stopping(),
        )
