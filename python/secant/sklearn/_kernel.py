"""Kernel ridge regression."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.metrics.pairwise import pairwise_kernels

from .. import _core
from ._base import Fits, check_penalties, penalties


class KernelRidge(Fits, MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Ridge regression on a kernel matrix by Cholesky's factors: (K + α·S⁻¹)c = y, S the weights of the samples.

    alpha: α ≥ 0, or one for each target.
    kernel: a name of scikit-learn's `pairwise_kernels`, `"precomputed"`, or a function of two samples.
    gamma, degree, coef0: of the kernels that have them. kernel_params: of a function.

    Fitted: `dual_coef_`, `X_fit_`, `report_`.
    """

    def __init__(
        self,
        alpha: Any = 1,
        *,
        kernel: str | Callable = "linear",
        gamma: float | None = None,
        degree: float = 3,
        coef0: float = 1,
        kernel_params: Mapping[str, Any] | None = None,
    ):
        self.alpha = alpha
        self.kernel = kernel
        self.gamma = gamma
        self.degree = degree
        self.coef0 = coef0
        self.kernel_params = kernel_params

    def _kernel(self, X: np.ndarray, Y: np.ndarray | None = None) -> np.ndarray:
        if callable(self.kernel):
            options = self.kernel_params or {}
        else:
            options = {"gamma": self.gamma, "degree": self.degree, "coef0": self.coef0}
        return pairwise_kernels(X, Y, metric=self.kernel, filter_params=True, **options)

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> KernelRidge:
        """Fits to N × d inputs (N × N kernel values if precomputed) and N, or N × t, targets."""
        alphas = penalties(self.alpha)
        X, y, weights = self._training_data(X, y, sample_weight, multi_output=True)
        kernel = np.ascontiguousarray(self._kernel(X), dtype=np.float64)
        targets = y.reshape(len(y), -1)
        check_penalties(alphas, targets.shape[1])
        root = None if weights is None else np.sqrt(weights)[:, None]
        if root is not None:
            kernel, targets = kernel * root * root.T, targets * root
        targets = np.ascontiguousarray(targets)
        try:
            dual, message = _core.kernel_ridge(kernel, targets, alphas), "solved by Cholesky's factors"
        except ValueError as error:
            if "positive definite" not in str(error):
                raise
            words = "Singular matrix in solving dual problem. Using least-squares solution instead."
            warnings.warn(words, stacklevel=2)
            dual, message = _shortest(kernel, targets, alphas), "singular: solved by QR"
        if root is not None:
            dual = dual * root
        self.dual_coef_ = dual if y.ndim > 1 else dual[:, 0]
        self.X_fit_ = X
        self.report_ = {"success": True, "message": message}
        return self

    def predict(self, X: Any) -> np.ndarray:
        """K(X, X_fit_)·c."""
        X = self._inputs(X)
        return self._kernel(X, self.X_fit_) @ self.dual_coef_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self.kernel == "precomputed"
        return tags


def _shortest(kernel: np.ndarray, targets: np.ndarray, alphas: np.ndarray) -> np.ndarray:
    """The shortest solutions where the matrix has a null space."""
    n = len(kernel)
    names = [f"c{j}" for j in range(n)]
    columns = []
    for j, alpha in enumerate(np.resize(alphas, targets.shape[1])):
        shifted = kernel + alpha * np.eye(n)
        column = np.ascontiguousarray(targets[:, j : j + 1])
        found = _core.linear_least_squares(shifted, column, None, np.zeros(n), False, False, names)
        columns.append(found["coefficients"][0])
    return np.column_stack(columns)
