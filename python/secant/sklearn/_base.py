"""What the estimators share: checks of the data, stopping, reports, linear scores."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import issparse
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_scalar
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from .. import _core
from .._arrays import Data, Sparse
from .._methods import as_json, method_options, resolve
from .._minimize import minimize
from .._models import Network


#: Of the gradient, against that of the start: the engine's own.
TOLERANCE: float = method_options("auto")["gradient_tolerance"]


class Fits:
    """An estimator that keeps the engine's report: `report_`, and `n_iter_` where it iterates."""

    #: Whether it takes sparse inputs.
    _sparse = False

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self._sparse
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "report_")

    def _training_data(
        self, X: Any, y: Any, sample_weight: Any, *, multi_output: bool = False, numeric: bool = True, order: str | None = "C"
    ) -> tuple[Any, np.ndarray, np.ndarray | None]:
        """X, y and the weights as arrays, X as a sparse matrix where it is one and may be; no weights where none were given.

        order: `None` leaves that of X, for whoever makes an array of it anyway.
        """
        X, y = validate_data(
            self, X, y, dtype=np.float64, order=order, multi_output=multi_output, y_numeric=numeric,
            accept_sparse="csr" if self._sparse else False,
        )
        if numeric:
            y = np.ascontiguousarray(y, dtype=np.float64)
        return X, y, weights_of(sample_weight, X)

    def _inputs(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        sparse = "csr" if self._sparse else False
        return validate_data(self, X, dtype=np.float64, order="C", reset=False, accept_sparse=sparse)

    def _ended(self, reports: Sequence[dict]) -> None:
        """Warns where a run ended without a minimum."""
        for report in reports:
            if not report["success"]:
                warnings.warn(
                    f"{type(self).__name__}: {report['message']}; iteration {report['iterations']}, "
                    f"gradient {report['gradient']:.2e}, at the start {report['initial_gradient']:.2e}",
                    ConvergenceWarning,
                    stacklevel=3,
                )
                break

    def _stopping(self) -> dict[str, Any]:
        return stopping(self.tol, self.max_iter)


class Linear(Fits, MultiOutputMixin, RegressorMixin):
    """Predictions of a linear regression."""

    def predict(self, X: Any) -> np.ndarray:
        """Xw + b."""
        X = self._inputs(X)
        return X @ self.coef_.T + self.intercept_

    def _set(self, parts: Sequence[Scores], dimensions: int) -> None:
        """Coefficients of targets that came in one dimension or in two."""
        coef = np.vstack([part.coef for part in parts])
        intercept = np.concatenate([part.intercept for part in parts])
        self.coef_ = coef if dimensions > 1 else coef[0]
        self.intercept_ = (intercept if dimensions > 1 else float(intercept[0])) if self.fit_intercept else 0.0


def weights_of(sample_weight: Any, X: np.ndarray) -> np.ndarray | None:
    """Weights of the samples, none below 0 and one above."""
    if sample_weight is None:
        return None
    weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    if not weights.any():
        raise ValueError("sample_weight: all are zero")
    return np.ascontiguousarray(weights)


def stopping(tol: float | None, max_iter: int | None) -> dict[str, Any]:
    """The engine's options: its own tolerance unless one is given, which is one of the gradient's size."""
    options: dict[str, Any] = {}
    if tol is not None:
        check_scalar(tol, "tol", (int, float), min_val=0.0)
        options |= {"gradient_absolute": float(tol), "gradient_tolerance": 0.0}
    if max_iter is not None:
        check_scalar(max_iter, "max_iter", int, min_val=1)
        options["max_iterations"] = int(max_iter)
    return options


def as_from(options: Mapping[str, Any], gradient: np.ndarray) -> dict[str, Any]:
    """Options for a warm start: to the gradient that a fit from the usual start, where it is `gradient`, goes to."""
    if "gradient_absolute" in options:
        return dict(options)
    return {**options, "gradient_absolute": TOLERANCE * float(np.abs(gradient).max(initial=0.0))}


def positive_number(value: Any, name: str, *, zero: bool = True) -> float:
    """A number from 0 on."""
    kinds = (int, float, np.integer, np.floating)
    return float(check_scalar(value, name, kinds, min_val=0.0, include_boundaries="left" if zero else "neither"))


def penalties(alpha: Any) -> np.ndarray:
    """α ≥ 0: one, or one for each target."""
    alphas = np.atleast_1d(np.asarray(alpha, dtype=np.float64))
    if not (np.isfinite(alphas) & (alphas >= 0.0)).all():
        raise ValueError(f"alpha == {alpha}, must be 0 or more and finite")
    return alphas


def check_penalties(alphas: np.ndarray, targets: int) -> None:
    """One α for all targets, or one for each."""
    if len(alphas) not in (1, targets):
        raise ValueError(f"Number of targets and number of penalties do not correspond: {targets} != {len(alphas)}")


def iterations(reports: Sequence[dict]) -> list[int]:
    """How many of each run, one at least: the start is looked at."""
    return [max(1, int(report["iterations"])) for report in reports]


def between(lower: np.ndarray, upper: Any = np.inf) -> SimpleNamespace:
    """Bounds that two of them cannot be taken for pairs."""
    return SimpleNamespace(lb=lower, ub=np.broadcast_to(upper, lower.shape))


class Scores(NamedTuple):
    """Linear scores Wx + b: W is c × d."""

    coef: np.ndarray
    intercept: np.ndarray
    report: dict


def centre(X: np.ndarray, weights: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """X less its means, and these: a free intercept takes them up, and the columns come nearer to orthogonal to it."""
    # An array of NumPy's: its pages are large ones.
    inputs = np.empty(X.shape)
    means = _core.centre(X, inputs, weights)
    return inputs, means


def fit_scores(
    X: Any,
    y: np.ndarray,
    loss: Any,
    *,
    classes: int = 0,
    outputs: int = 1,
    weights: np.ndarray | None = None,
    l2: float = 0.0,
    l1: float = 0.0,
    fit_intercept: bool = True,
    start: tuple[np.ndarray, np.ndarray] | None = None,
    level: float = 0.0,
    method: str | None = None,
    options: Mapping[str, Any],
) -> Scores:
    """The minimum of mean loss + ½·l2·‖W‖² + l1·‖W‖₁, the intercept free. With `classes` y are their numbers.

    Starts from W = 0 and b = `level`, or from the (W, b) of an earlier fit.
    """
    d = X.shape[1]
    # Sparse inputs keep their zeros.
    inputs, means = centre(X, weights) if fit_intercept and not issparse(X) else (X, np.zeros(d))
    inputs = Sparse(inputs, "X") if issparse(inputs) else inputs
    net = Network.linear(d, outputs, bias=fit_intercept)
    data = Data(inputs, weights=weights)
    if classes:
        data.labels, data.classes = np.ascontiguousarray(y, dtype=np.uint32), classes
    else:
        data.y = np.ascontiguousarray(y, dtype=np.float64).reshape(len(y), -1)
    risk = _core.Risk(net._core, data, as_json(loss), as_json({"ridge": l2}) if l2 > 0.0 else None)
    theta = np.zeros(net.dim)
    theta[d * outputs :] = level
    kinks = np.zeros(net.dim)
    kinks[: d * outputs] = l1
    if start is not None:
        options = as_from(options, np.maximum(np.abs(risk.value_and_grad(theta)[1]) - kinks, 0.0))
        coef, intercept = start
        theta[: d * outputs] = coef.T.reshape(-1)
        if fit_intercept:
            theta[d * outputs :] = intercept + coef @ means
    name, implied = resolve(method, False, l1 > 0.0)
    theta, report = risk.minimize(
        theta, name, as_json({**implied, **options}), None, None, kinks if l1 > 0.0 else None, None
    )
    coef = theta[: d * outputs].reshape(d, outputs).T.copy()
    intercept = theta[d * outputs :] - coef @ means if fit_intercept else np.zeros(outputs)
    return Scores(coef, intercept, report)


def fit_nonnegative(
    X: np.ndarray,
    y: np.ndarray,
    *,
    weights: np.ndarray | None = None,
    l2: float = 0.0,
    l1: float = 0.0,
    fit_intercept: bool = True,
    start: np.ndarray | None = None,
    options: Mapping[str, Any],
) -> Scores:
    """The minimum of mean ½(Xw + b − y)² + ½·l2·‖w‖² + l1·Σw with w ≥ 0, for one target."""
    d = X.shape[1]
    shares = np.full(len(y), 1.0 / len(y)) if weights is None else weights / weights.sum()
    means = shares @ X if fit_intercept else np.zeros(d)
    level = float(shares @ y) if fit_intercept else 0.0
    root = np.sqrt(shares)
    design, target = root[:, None] * (X - means), root * (y - level)
    # Columns of length 1: the bounds stay what they are.
    lengths = np.sqrt(np.einsum("ij,ij->j", design, design) + l2)
    lengths[lengths == 0.0] = 1.0
    design = design / lengths
    ridge, slope = l2 / lengths**2, l1 / lengths
    hessian = design.T @ design + np.diag(ridge)

    def value(v: np.ndarray) -> tuple[float, np.ndarray]:
        r = design @ v - target
        return 0.5 * (r @ r) + 0.5 * (ridge @ v**2) + slope @ v, design.T @ r + ridge * v + slope

    cold = np.zeros(d)
    first = cold if start is None else np.maximum(start, 0.0) * lengths
    if start is not None:
        # What a projected gradient has of it.
        options = as_from(options, np.minimum(value(cold)[1], 0.0))
    found = minimize(value, first, jac=True, hess=lambda v: hessian, bounds=between(cold), options=dict(options))
    coef = (found.x / lengths).reshape(1, d)
    return Scores(coef, np.array([level - float(coef[0] @ means)]), found.report)
