"""Multilayer perceptrons, full-batch with exact curvature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MultiOutputMixin, RegressorMixin
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state, check_scalar

from .._models import Fit, Network, Risk, fit
from ._base import Fits, as_from, iterations, positive_number
from ._logistic import labels_of


def _network(widths: Sequence[int], activation: str) -> Network:
    if activation != "identity":
        return Network.mlp(widths, activation)
    nodes = [{"name": f"dense{i + 1}", "op": "dense", "outputs": width} for i, width in enumerate(widths[1:])]
    for before, node in zip(nodes, nodes[1:]):
        node["inputs"] = [before["name"]]
    return Network.from_description({"input": widths[0], "node": nodes})


class _Perceptron(Fits, BaseEstimator):
    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: str = "tanh",
        *,
        alpha: float = 0.0001,
        max_iter: int = 1000,
        random_state: Any = None,
        tol: float | None = None,
        warm_start: bool = False,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        method: str | None = None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.alpha = alpha
        self.max_iter = max_iter
        self.random_state = random_state
        self.tol = tol
        self.warm_start = warm_start
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.method = method

    def _fitted(
        self, X: np.ndarray, y: np.ndarray, weights: np.ndarray | None, loss: str, outputs: int, terms: int
    ) -> Fit:
        """The network fitted; scikit-learn divides a sample's loss by `terms`."""
        alpha = positive_number(self.alpha, "alpha")
        whole = (int, np.integer)
        hidden = [int(check_scalar(width, "hidden_layer_sizes", whole, min_val=1)) for width in self._hidden()]
        widths = [X.shape[1], *hidden, outputs]
        network = _network(widths, self.activation)
        randoms = check_random_state(self.random_state)
        seed = int(randoms.randint(np.iinfo(np.int32).max))
        validation, patience = None, None
        if self.early_stopping:
            share = self.validation_fraction
            check_scalar(share, "validation_fraction", float, min_val=0.0, max_val=1.0, include_boundaries="neither")
            X, X_held, y, y_held, weights = self._split(X, y, weights, share, seed)
            validation, patience = (X_held, y_held), int(self.n_iter_no_change)
        total = len(X) if weights is None else float(weights.sum())
        known = getattr(self, "coefs_", None) if self.warm_start else None
        asked = {
            "loss": loss, "penalty": {"ridge": terms * alpha / total}, "sample_weight": weights,
            "classes": loss != "squared",
        }
        start, options = None, self._stopping()
        if known is not None and [one.shape for one in known] == list(zip(widths, widths[1:])):
            layers = zip(known, self.intercepts_)
            start = np.concatenate([part for coef, bias in layers for part in (coef.reshape(-1), bias)])
            options = as_from(options, Risk(network, X, y, **asked).grad(network.draw(seed)))
        found = fit(
            network, X, y, **asked, seed=seed, start=start, method=self.method, options=options, standardize="none",
            validation=validation, patience=patience,
        )
        self._keep(found, network, widths, terms)
        return found

    def _hidden(self) -> list[int]:
        return list(self.hidden_layer_sizes) if np.iterable(self.hidden_layer_sizes) else [self.hidden_layer_sizes]

    def _split(self, X: np.ndarray, y: np.ndarray, weights: np.ndarray | None, share: float, seed: int) -> tuple:
        by = y if isinstance(self, ClassifierMixin) else None
        parts = train_test_split(
            X, y, np.ones(len(y)) if weights is None else weights, test_size=share, random_state=seed, stratify=by
        )
        return *parts[:4], None if weights is None else parts[4]

    def _keep(self, found: Fit, network: Network, widths: list[int], terms: int) -> None:
        theta, report = found.model.theta, found.report
        blocks = [theta[at : at + rows * cols].reshape(cols, rows) for _, rows, cols, _, at in network._core.blocks()]
        self.coefs_ = [weight.copy() for weight in blocks[::2]]
        self.intercepts_ = [bias[0].copy() for bias in blocks[1::2]]
        self.n_layers_, self.n_outputs_ = len(widths), widths[-1]
        self.model_, self.report_ = found.model, report
        self.loss_ = report["value"] / terms
        self.loss_curve_ = (report["trace"]["value"] / terms).tolist()
        self.n_iter_ = iterations([report])[0]
        if report["reason"] != "ValidationStopped":
            self._ended([report])


class MLPRegressor(MultiOutputMixin, RegressorMixin, _Perceptron):
    """A multilayer perceptron by all samples at once and exact curvature: min (Σ sᵢ·½‖zᵢ − yᵢ‖²/t)/Σ sᵢ + α·½‖W‖²/Σ sᵢ.

    That is scikit-learn's objective for t targets; the start is drawn, and where the objective has several minima
    another may be found. Columns should have about the size 1, as after `StandardScaler`.

    hidden_layer_sizes: widths.
    activation: `tanh`, `logistic`, `relu`, `identity`, `softplus`, `silu`, `gelu`, `sine`. Smooth ones suit.
    alpha: α ≥ 0.
    max_iter: of the method. tol: the gradient's absolute tolerance; `None` is full accuracy.
    random_state: of the start, and of what is held out.
    warm_start: starts where the last fit ended.
    early_stopping: holds out `validation_fraction` of the samples, keeps the point that is best on them and ends after
        `n_iter_no_change` looks without a better one.
    method: a name in `secant.METHODS`; by default one is chosen.

    Fitted: `coefs_`, `intercepts_`, `loss_`, `loss_curve_`, `n_iter_`, `n_layers_`, `n_outputs_`, `model_` (a
    `secant.Model`), `report_`.
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Fits to N × d inputs and N, or N × t, targets."""
        X, y, weights = self._training_data(X, y, sample_weight, multi_output=True)
        targets = 1 if y.ndim == 1 else y.shape[1]
        self._fitted(X, y, weights, "squared", targets, targets)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The outputs, N or N × t."""
        X = self._inputs(X)
        values = self.model_.outputs(X)
        return values[:, 0] if values.shape[1] == 1 else values


class MLPClassifier(ClassifierMixin, _Perceptron):
    """A multilayer perceptron for classes, all samples at once, exact curvature: min (Σ sᵢℓᵢ)/Σ sᵢ + α·½‖W‖²/Σ sᵢ.

    ℓ is the logistic loss for two classes and softmax cross-entropy for more. Parameters and what is fitted are as of
    `MLPRegressor`, and `classes_`; samples are held out by class.
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPClassifier:
        """Fits to N × d inputs and N classes."""
        X, y, weights = self._training_data(X, y, sample_weight, numeric=False)
        self.classes_, labels = labels_of(self, y)
        count = len(self.classes_)
        binary = count == 2
        self._fitted(X, labels, weights, "logistic" if binary else "softmax", 1 if binary else count, 1)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities, a column for each of `classes_`."""
        X = self._inputs(X)
        return self.model_.predict_proba(X)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Logarithms of the probabilities."""
        return np.log(self.predict_proba(X))

    def predict(self, X: Any) -> np.ndarray:
        """Classes."""
        most = self.predict_proba(X).argmax(axis=1)
        return self.classes_[most]
