"""Logistic regression, binary and multinomial."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator
from sklearn.linear_model._base import LinearClassifierMixin
from sklearn.utils import check_scalar, compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from ._base import Fits, fit_scores, iterations, positive_number


def labels_of(estimator: Any, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The classes and the number of that of each sample."""
    if y.dtype.kind in "biuf":
        classes, labels = numbered(y)
        with np.errstate(invalid="ignore"):
            whole = np.array_equal(classes, classes.astype(np.int64))
        # scikit-learn sorts them again, and has something to say of such alone.
        if not whole or len(classes) > round(0.5 * len(y)):
            check_classification_targets(y)
    else:
        check_classification_targets(y)
        classes, labels = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(
            f"{type(estimator).__name__} needs samples of at least 2 classes in the data, "
            f"but the data contains only one class: {classes[0]!r}"
        )
    return classes, labels


def numbered(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same of numbers, without the order of all samples."""
    least, most = y.min(), y.max()
    above = y == most
    if least < most and (above | (y == least)).all():
        return np.array([least, most], dtype=y.dtype), above.astype(np.uint32)
    classes = np.unique(y)
    return classes, np.searchsorted(classes, y)


def of_classes(class_weight: Any, classes: np.ndarray, labels: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    """The weight of each class: `"balanced"` makes their sums alike."""
    if isinstance(class_weight, str) and class_weight == "balanced":
        sums = np.bincount(labels, weights, minlength=len(classes))
        there = sums > 0.0
        return np.divide(sums.sum() / there.sum(), sums, out=np.zeros(len(classes)), where=there)
    return compute_class_weight(class_weight, classes=classes, y=classes[labels])


class LogisticRegression(Fits, LinearClassifierMixin, BaseEstimator):
    """Logistic regression by Newton's method: min C·Σ sᵢℓᵢ + (1 − l1_ratio)·½‖W‖² + l1_ratio·‖W‖₁, intercepts free.

    ℓ is the logistic loss for two classes and softmax cross-entropy for more; s are the weights of the samples
    times those of their classes. Of the intercepts for more than two classes only differences count: their sum is
    0, as is that of coefficients without a penalty.

    C: the inverse of the penalty's strength; `inf` for none.
    l1_ratio: 0 for L2, 1 for L1, between them an elastic net.
    tol: the gradient's absolute tolerance, of the objective divided by C·Σsᵢ; `None` is full accuracy.
    class_weight: `"balanced"`, or weights by class.
    max_iter: `None` is the engine's limit.
    warm_start: starts where the last fit ended.
    method: a name in `secant.METHODS`; by default one is chosen.

    X may be sparse. Fitted: `classes_`, `coef_`, `intercept_`, `n_iter_`, `report_`.
    """

    _sparse = True

    def __init__(
        self,
        *,
        C: float = 1.0,
        l1_ratio: float = 0.0,
        tol: float | None = None,
        fit_intercept: bool = True,
        class_weight: Any = None,
        max_iter: int | None = None,
        warm_start: bool = False,
        method: str | None = None,
    ):
        self.C = C
        self.l1_ratio = l1_ratio
        self.tol = tol
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.max_iter = max_iter
        self.warm_start = warm_start
        self.method = method

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LogisticRegression:
        """Fits to N × d inputs and N classes."""
        c = positive_number(self.C, "C", zero=False)
        ratio = float(check_scalar(self.l1_ratio, "l1_ratio", (int, float), min_val=0.0, max_val=1.0))
        X, y, weights = self._training_data(X, y, sample_weight, numeric=False)
        known = getattr(self, "classes_", None)
        self.classes_, labels = labels_of(self, y)
        if self.class_weight is not None:
            of = of_classes(self.class_weight, self.classes_, labels, weights)[labels]
            weights = of if weights is None else of * weights
        total = X.shape[0] if weights is None else float(weights.sum())
        count = len(self.classes_)
        outputs = 1 if count == 2 else count
        start = None
        if self.warm_start and hasattr(self, "coef_") and known is not None and np.array_equal(known, self.classes_):
            if self.coef_.shape == (outputs, X.shape[1]):
                start = self.coef_, self.intercept_
        found = fit_scores(
            X, labels, "logistic" if count == 2 else "softmax", classes=count, outputs=outputs, weights=weights,
            l2=(1.0 - ratio) / (c * total), l1=ratio / (c * total), fit_intercept=self.fit_intercept, start=start,
            method=self.method, options=self._stopping(),
        )
        self.coef_, self.intercept_, self.report_ = found
        if count > 2:
            # A common shift of the scores changes nothing.
            self.intercept_ = self.intercept_ - self.intercept_.mean()
            if math.isinf(c):
                self.coef_ = self.coef_ - self.coef_.mean(axis=0)
        self.n_iter_ = np.array(iterations([self.report_]), dtype=np.int32)
        self._ended([self.report_])
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities, a column for each of `classes_`."""
        check_is_fitted(self)
        if len(self.classes_) == 2:
            return self._predict_proba_lr(X)
        return softmax(self.decision_function(X), axis=1)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Logarithms of the probabilities."""
        return np.log(self.predict_proba(X))
