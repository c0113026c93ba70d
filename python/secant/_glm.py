"""Generalised linear models with standard errors."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import _core
from ._arrays import array, by_parts, dataset, is_frame, is_labels, whole

_OF_CLASSES = ("logistic", "softmax")


class Glm:
    """A fitted generalised linear model. `repr` is its table.

    names, coef, standard_errors, z, p_values: of the coefficients, the intercept first.
    status: `Estimated`, or why there is no estimate.
    deviance, null_deviance, log_likelihood, dispersion, aic, bic: of the fit.
    report: of the run, a dictionary whose `text` reads well.
    """

    def __init__(self, core: Any, features: list[str] | None, classes: np.ndarray | None):
        self._core, self._features = core, features
        #: The classes, of a model of classes.
        self.classes = classes
        summary = core.summary(0.95)
        coefficients = summary["coefficients"]
        self.names: list[str] = [one["name"] for one in coefficients]
        self.coef, self.standard_errors, self.z, self.p_values = (
            np.array([one[key] for one in coefficients]) for key in ("estimate", "standard_error", "z", "p_value")
        )
        #: The class whose score a coefficient belongs to, of a softmax model.
        self.of_class: list[str | None] = [one["class"] for one in coefficients]
        self.status: list[str] = [one["status"] for one in coefficients]
        self.family: str = summary["family"]
        self.deviance: float = summary["deviance"]
        self.null_deviance: float = summary["null_deviance"]
        self.pearson: float = summary["pearson"]
        self.log_likelihood: float = summary["log_likelihood"]
        self.dispersion: float = summary["dispersion"]
        self.residual_degrees: float = summary["residual_degrees"]
        self.aic: float = summary["aic"]
        self.bic: float = summary["bic"]
        #: α of a negative binomial and its standard error.
        self.alpha: tuple[float, float] | None = summary["alpha"]
        #: The power of a Tweedie model that was estimated, and its standard error.
        self.power: tuple[float, float] | None = summary["power"]
        self.notes: list[str] = summary["notes"]
        self.report: dict = core.report()
        self._text: str = summary["text"]

    def intervals(self, level: float = 0.95) -> np.ndarray:
        """Lower and upper end of the confidence interval of every coefficient."""
        return np.array([one["interval"] for one in self._core.summary(level)["coefficients"]])

    def predict(self, X: Any) -> np.ndarray:
        """Means of the response: numbers, the probability of the second class, or N × classes of them."""
        if is_frame(X) and self._features and all(name in list(X.columns) for name in self._features):
            X = X[self._features]
        values = by_parts(self._core.predict, X)
        return values[:, 0] if values.shape[1] == 1 else values

    def to_bytes(self) -> bytes:
        """The bytes of its model file."""
        return self._core.to_bytes()

    def save(self, path: Any) -> None:
        """Writes the model file, for Rust and for the command `secant predict`."""
        with open(path, "wb") as file:
            file.write(self.to_bytes())

    @classmethod
    def from_bytes(cls, data: bytes, features: list[str] | None = None, classes: np.ndarray | None = None) -> Glm:
        """From the bytes of a file."""
        return cls(_core.GlmFit.from_bytes(data), features, classes)

    def __reduce__(self):
        return Glm.from_bytes, (self.to_bytes(), self._features, self.classes)

    def __repr__(self) -> str:
        return self._text


def glm(
    X: Any,
    y: Any,
    family: str = "gaussian",
    *,
    link: str | None = None,
    power: float | None = None,
    alpha: float | None = None,
    sample_weight: Any = None,
    offset: Any = None,
    exposure: Any = None,
    fit_intercept: bool = True,
    ridge: float = 0.0,
    max_iterations: int | None = None,
) -> Glm:
    """Fits a generalised linear model by Newton's method: coefficients with standard errors, z and p, deviance, likelihood.

    family: `gaussian`, `poisson`, `logistic`, `gamma`, `inverse_gaussian`, `negative_binomial` (`alpha` given, or estimated), `tweedie` (its
        `power` between 1 and 2 given, or estimated), `softmax`.
    link: `identity`, `log`, `logit`, `probit`, `cloglog`, `inverse`, `inverse_square`, `sqrt`, where the family goes with it.
    sample_weight: how often a sample counts. offset: what is added to the score; exposure: its logarithm is.
    ridge: λ beside the mean of −ln p, over the coefficients of the standardised features.

    >>> x = np.arange(8.0)
    >>> fit = glm(x, [1, 1, 2, 4, 4, 9, 12, 21], "poisson")
    >>> fit.coef.round(2).tolist()
    [-0.21, 0.46]
    """
    of_classes = family == "softmax" or (family in _OF_CLASSES and is_labels(y))
    added = None if offset is None else array(offset, "offset").reshape(-1)
    if exposure is not None:
        times = array(exposure, "exposure").reshape(-1)
        if not (times > 0).all():
            raise ValueError("exposure: every entry must be positive")
        added = np.log(times) if added is None else added + np.log(times)
    data, classes = dataset(X, y, weights=sample_weight, offset=added, classes=of_classes)
    option = power if family == "tweedie" else alpha
    limit = None if max_iterations is None else whole(max_iterations, "max_iterations")
    core = _core.fit_glm(family, option, link, data, bool(fit_intercept), float(ridge), limit)
    return Glm(core, data.feature_names, classes)
