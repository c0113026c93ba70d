"""Curves by formula."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils import check_random_state

from .._curves import fit_formula
from .._models import Model
from ._base import Fits, iterations

_NAME = re.compile(r"[^\W\d]\w*")


class CurveRegressor(Fits, RegressorMixin, BaseEstimator):
    """A curve of a formula, fitted by least squares with exact derivatives: `CurveRegressor("a*exp(-b*x) + c")`.

    formula: names of columns of a data frame are inputs; of an array `x` for the only column, or `x1`, `x2`, ….
        Other names are parameters.
    p0: starts, by name or in order of appearance; those not given are looked for.
    bounds: by name, `{"b": (0, None)}`, or a pair for each parameter. fixed, tied: as of `secant.curve_fit`.
    loss: `"squared"`, or robust: `"huber"`, `"soft_l1"`, `"cauchy"`, `"tukey"` with a scale that is estimated.
    max_iter: `None` is the engine's limit. draws: how many starts are looked at. random_state: of these.

    Weights of samples are 1/σ² of their errors.

    Fitted: `parameters_` (by name), `inference_` (standard errors, covariance, R², …; `None` without), `model_` (a
    `secant.Model`), `n_iter_`, `report_`.
    """

    def __init__(
        self,
        formula: str,
        *,
        p0: Any = None,
        bounds: Any = None,
        fixed: Mapping[str, float] | None = None,
        tied: Mapping[str, str] | None = None,
        loss: str = "squared",
        max_iter: int | None = None,
        draws: int | None = None,
        random_state: Any = None,
    ):
        self.formula = formula
        self.p0 = p0
        self.bounds = bounds
        self.fixed = fixed
        self.tied = tied
        self.loss = loss
        self.max_iter = max_iter
        self.draws = draws
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> CurveRegressor:
        """Fits to N × d inputs and N targets."""
        X, y, weights = self._training_data(X, y, sample_weight)
        self._used = self._columns()
        sigma = None
        if weights is not None:
            kept = weights > 0.0
            X, y, sigma = X[kept], y[kept], 1.0 / np.sqrt(weights[kept])
        seed = 0 if self.random_state is None else int(check_random_state(self.random_state).randint(2**31 - 1))
        curve = fit_formula(
            self.formula, {name: X[:, j] for name, j in self._used.items()}, y, self.p0, sigma, bounds=self.bounds,
            fixed=self.fixed, tied=self.tied, loss=self.loss, max_iterations=self.max_iter, draws=self.draws, seed=seed,
        )
        self.parameters_ = curve.parameters
        try:
            self.inference_ = curve.inference()
        except ValueError:
            # After a robust fit, and with no more samples than parameters.
            self.inference_ = None
        self.model_ = Model(curve._fitted.model)
        self.report_ = curve.report
        self.n_iter_ = iterations([curve.report])[0]
        self._ended([curve.report])
        return self

    def _columns(self) -> dict[str, int]:
        """The formula's inputs, and which columns they are."""
        count = self.n_features_in_
        words = set(_NAME.findall(self.formula))
        by_place = {"x": 0} if count == 1 and "x" in words else {f"x{j + 1}": j for j in range(count)}
        by_name = {str(name): j for j, name in enumerate(getattr(self, "feature_names_in_", ()))}
        for known in (by_name, by_place):
            used = {name: j for name, j in known.items() if name in words}
            if used:
                return used
        raise ValueError(f"the formula {self.formula!r} has no input: expected one of {list(by_name or by_place)}")

    def predict(self, X: Any) -> np.ndarray:
        """The curve."""
        X = self._inputs(X)
        return self.model_.predict(np.ascontiguousarray(X[:, list(self._used.values())]))
