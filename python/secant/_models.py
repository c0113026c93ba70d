"""Networks, fits and models; the objective itself, for optimisers of other libraries."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from . import _core
from ._arrays import Data, bounds_of, by_parts, dataset, inputs_of, is_frame, is_labels, is_sparse, matrix, vector, whole
from ._methods import as_json, options_of, resolve
from ._minimize import callback_of
from ._result import OptimizeResult, message_of, status_of

Description = str | Mapping[str, Any]

_RHO = ("huber", "soft_l1", "soft-l1", "cauchy", "tukey")
_CLASSES = ("logistic", "softmax", "smoothed-softmax", "hinge")


class Network:
    """A model before its parameters: a graph of nodes.

    >>> net = Network.mlp([8, 32, 1], "tanh")
    >>> net.dim
    321
    """

    def __init__(self, core: Any):
        self._core = core

    @classmethod
    def mlp(cls, widths: Sequence[int], activation: str = "tanh", *, init: str | None = None) -> Network:
        """Dense layers of these widths, inputs first and outputs last, with an activation between them.

        activation: `tanh`, `sigmoid`, `softplus`, `silu`, `gelu`, `relu`, `sine`. init: `glorot`, `he`, `lecun`, `zeros`.
        """
        made = cls(_core.Network.mlp([whole(width, "a width", 1) for width in widths], activation))
        return made if init is None else cls(made._core.with_init(init))

    @classmethod
    def linear(cls, features: int, outputs: int = 1, *, bias: bool = True) -> Network:
        """A linear score Wx + b."""
        make = _core.Network.linear if bias else _core.Network.linear_without_bias
        return cls(make(whole(features, "features", 1), whole(outputs, "outputs", 1)))

    @classmethod
    def from_description(cls, description: Description) -> Network:
        """Any graph: a dictionary (`{"input": 8, "node": [{"name": …, "op": …}, …]}`), its JSON, or TOML."""
        if isinstance(description, Mapping):
            return cls(_core.Network.from_json(json.dumps(description)))
        text = description.lstrip()
        return cls(_core.Network.from_json(text) if text.startswith("{") else _core.Network.from_toml(description))

    @property
    def dim(self) -> int:
        """n, the number of parameters."""
        return self._core.dim

    @property
    def features(self) -> int:
        """Numbers of a sample."""
        return self._core.features

    @property
    def outputs(self) -> int:
        """Numbers that come out."""
        return self._core.outputs

    def draw(self, seed: int = 0) -> np.ndarray:
        """Parameters as the initialisation draws them."""
        return self._core.draw(whole(seed, "seed"))

    def description(self) -> dict:
        """As a dictionary that `from_description` reads."""
        return json.loads(self._core.to_json())

    def __reduce__(self):
        return Network.from_description, (self._core.to_json(),)

    def __repr__(self) -> str:
        return str(self._core)

    def _repr_html_(self) -> str:
        return self._core._svg()


class GraphBuilder:
    """A graph node by node.

    >>> g = GraphBuilder(2)
    >>> hidden = g.node("tanh", g.node("dense", g.input, outputs=4))
    >>> net = g.build(g.node("dense", hidden, outputs=1))
    >>> net.dim
    17
    """

    def __init__(self, input: int | Sequence[int]):
        self._description: dict[str, Any] = {"input": input if isinstance(input, int) else list(input), "node": []}
        #: The data, as an input of nodes.
        self.input = "input"

    def node(self, op: str, *inputs: str, name: str | None = None, share: Sequence[str] | None = None, **options: Any) -> str:
        """Adds a node and gives its name. Options are those of the op."""
        nodes = self._description["node"]
        if name is None:
            count = 1 + sum(node["op"] == op for node in nodes)
            name = f"{op}{count}".replace("-", "_")
        node: dict[str, Any] = {"name": name, "op": op, "inputs": list(inputs) or [self.input], **options}
        if share is not None:
            node["share"] = list(share)
        nodes.append(node)
        return name

    def build(self, output: str | None = None) -> Network:
        """The graph whose output is that of `output`, by default of the last node."""
        description = dict(self._description)
        if output is not None:
            description["output"] = output
        return Network.from_description(description)


def _description(value: Description | float | None, number: str | None = None) -> str | None:
    """A loss or a penalty as the engine reads it."""
    if value is None:
        return None
    if isinstance(value, (int, float)) and number is not None:
        return json.dumps({number: float(value)})
    return json.dumps(value)


def _are_classes(y: Any, loss: Description | None, said: bool | None) -> bool:
    """Whether targets are classes: where it is said, where the loss is one of classes, where they can be nothing else."""
    if said is not None:
        return bool(said)
    name = loss if isinstance(loss, str) else next(iter(loss), "") if loss else ""
    return name in _CLASSES or is_labels(y)


def _outputs(data: Data, loss: Description | None) -> int:
    """Outputs of a linear model for these targets."""
    if data.y is not None:
        return data.y.shape[1]
    return 1 if data.classes == 2 and loss == "logistic" else data.classes


def _network(model: Any, data: Data, outputs: int) -> Network:
    if isinstance(model, Network):
        return model
    if isinstance(model, str) and model == "linear":
        return Network.linear(data.features, outputs)
    return Network.from_description(model)


class Model:
    """A fitted model: predictions, scores, a file."""

    def __init__(self, core: Any, classes: np.ndarray | None = None):
        self._core = core
        #: The classes, of a classifier.
        self.classes = classes if classes is not None else _classes_of(core)

    def predict(self, X: Any) -> np.ndarray:
        """Numbers in the units of the targets, N or N × c; of a classifier classes."""
        if self.classes is not None:
            return self.classes[self._by_rows(self._core.predict_classes, X)]
        values = self._by_rows(self._core.predict, X)
        return values[:, 0] if values.shape[1] == 1 else values

    def outputs(self, X: Any) -> np.ndarray:
        """What the network gives, N × c: scores before any link."""
        return self._by_rows(self._core.predict, X)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of the classes, N × classes."""
        values = self._by_rows(self._core.predict_proba, X)
        if values.shape[1] == 1:
            values = np.hstack([1.0 - values, values])
        return values

    def mean(self, X: Any) -> np.ndarray:
        """Means of the response, N or N × c: what the loss's link makes of the outputs."""
        values = self._by_rows(self._core.mean, X)
        return values[:, 0] if values.shape[1] == 1 else values

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> dict[str, float]:
        """What it is worth on data, by the names of reports: `loss`, `RMSE`, `MAE`, `R²`, `accuracy`, …, whatever applies."""
        return self._core.score(self._data(X, y, sample_weight))

    def inference(self, X: Any, y: Any, sample_weight: Any = None, level: float = 0.95) -> dict | None:
        """Standard errors of the parameters from the data of the fit; `text` is a table. `None` with more than 2,000 parameters."""
        return self._core.inference(self._data(X, y, sample_weight), level)

    def band(self, X: Any, y: Any, new: Any, level: float = 0.95) -> dict[str, np.ndarray]:
        """`value`, `lower`, `upper` (of the mean), `low`, `high` (of a new observation) at new samples."""
        columns = self._core.band(self._data(X, y, None), self._inputs(new), level)
        return dict(zip(("value", "lower", "upper", "low", "high"), columns.T))

    @property
    def theta(self) -> np.ndarray:
        """All parameters, in the standardised units of the fit."""
        return self._core.theta

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """Blocks by name, in the standardised units of the fit."""
        blocks = self._core.parameters()
        return {name: values.reshape(columns, rows).T for name, rows, columns, _, values in blocks}

    @property
    def feature_names(self) -> list[str]:
        """Of the inputs."""
        return self._core.feature_names

    @property
    def network(self) -> Network:
        """Its graph."""
        return Network(self._core.network())

    def html(self, X: Any, y: Any) -> str:
        """What there is to say of it on data, as one HTML file."""
        return self._core.html(self._data(X, y, None))

    def save(self, path: str | os.PathLike) -> None:
        """Writes a model file (safetensors), for `load`, for Rust and for the command."""
        self._core.save(os.fspath(path))

    @classmethod
    def load(cls, path: str | os.PathLike) -> Model:
        """Reads a model file."""
        return cls(_core.Model.load(os.fspath(path)))

    def to_bytes(self) -> bytes:
        """The bytes of its file."""
        return self._core.to_bytes()

    @classmethod
    def from_bytes(cls, data: bytes, classes: np.ndarray | None = None) -> Model:
        """From the bytes of a file."""
        return cls(_core.Model.from_bytes(data), classes)

    def __reduce__(self):
        return Model.from_bytes, (self.to_bytes(), self.classes)

    def __repr__(self) -> str:
        return str(self._core)

    def _by_rows(self, predict: Callable[[np.ndarray], np.ndarray], X: Any) -> np.ndarray:
        return by_parts(predict, self._named(X))

    def _named(self, X: Any) -> Any:
        """The columns of a frame that has those of the fit, in their order."""
        if is_frame(X) and self.feature_names and all(name in list(X.columns) for name in self.feature_names):
            return X[self.feature_names]
        return X

    def _inputs(self, X: Any) -> np.ndarray:
        return matrix(self._named(X), "X")

    def _data(self, X: Any, y: Any, weights: Any) -> Data:
        classes: bool | np.ndarray = False if self.classes is None else self.classes
        names = self.feature_names or None
        inputs = X if is_sparse(X) else inputs_of(self._named(X))
        return dataset(inputs, y, weights=weights, classes=classes, feature_names=names)[0]


def _classes_of(core: Any) -> np.ndarray | None:
    names = core.class_names
    return np.array(names) if names else None


class Fit:
    """A model and how it came about.

    model: the `Model`. report: why and how the run ended, a dictionary whose `text` reads well.
    """

    def __init__(self, core: Any, data: Data, classes: np.ndarray | None):
        self._core = core
        self._data = data
        self.model = Model(core.model, classes)
        self.report: dict = core.report()

    @property
    def trace(self) -> dict[str, np.ndarray]:
        """Columns `iteration`, `value`, `gradient`, `step`, `evaluations`, `seconds`, with samples held out `validation`."""
        return self.report["trace"]

    @property
    def converged(self) -> bool:
        """Whether a tolerance was met, or all digits used up."""
        return self.report["success"]

    @property
    def starts(self) -> dict[str, Any] | None:
        """Where the runs from several starts ended."""
        found = self._core.starts()
        return None if found is None else dict(zip(("seeds", "values", "best", "reached"), found))

    def predict(self, X: Any) -> np.ndarray:
        """As `model.predict`."""
        return self.model.predict(X)

    def inference(self, level: float = 0.95) -> dict | None:
        """Standard errors of the parameters; `text` is a table. Squared error, and a ridge at most."""
        return self.model._core.inference(self._data, level)

    def band(self, X: Any, level: float = 0.95) -> dict[str, np.ndarray]:
        """`value`, `lower`, `upper` (of the mean), `low`, `high` (of a new observation) at new samples."""
        columns = self.model._core.band(self._data, self.model._inputs(X), level)
        return dict(zip(("value", "lower", "upper", "low", "high"), columns.T))

    def html(self, title: str | None = None, held_out: tuple[Any, Any] | None = None) -> str:
        """The report as one HTML file, with what `held_out` (X, y) says where it is given."""
        other = None if held_out is None else self.model._data(held_out[0], held_out[1], None)
        return self._core.html(self._data, title, other)

    def __repr__(self) -> str:
        return self.report["text"]


class _Options:
    __slots__ = (
        "loss", "robust", "penalty", "method", "options", "lower", "upper", "l1", "standardize", "seed", "start", "starts",
        "validation_fraction", "patience", "max_iterations", "progress", "checkpoint", "resume",
    )


def fit(
    net: Network | Description,
    X: Any,
    y: Any,
    *,
    loss: Description | None = None,
    penalty: Description | float | None = None,
    method: str | None = None,
    options: Mapping[str, Any] | None = None,
    sample_weight: Any = None,
    offset: Any = None,
    bounds: Any = None,
    l1: Any = None,
    validation: float | tuple[Any, Any] | None = None,
    patience: int | None = None,
    starts: int = 1,
    start: Any = None,
    seed: int = 0,
    standardize: str = "auto",
    max_iterations: int | None = None,
    progress: bool = False,
    callback: Callable | None = None,
    checkpoint: str | os.PathLike | tuple[str | os.PathLike, float] | None = None,
    resume: str | os.PathLike | None = None,
    classes: bool | None = None,
) -> Fit:
    """Fits a network to data, full-batch.

    net: a `Network`, a description, or `"linear"`.
    X, y: N × d inputs; N or N × c numbers, or N classes. Texts are classes; numbers are where the loss says so, or `classes=True`.
    loss: `"squared"`, `"poisson"`, `"logistic"`, `"softmax"`, …, with options `{"quantile": {"tau": 0.9, "width": 0.1}}`; `"huber"`,
        `"soft_l1"`, `"cauchy"`, `"tukey"` with a scale that is estimated. By default squared error, or softmax for classes.
    penalty: λ of a ridge ½λ‖W‖², or a description: `{"ridge": 1e-3}`.
    method: a name in `secant.METHODS`; by default one is chosen.
    validation: the part of the samples that is held out, or `(X, y)`: the model is then the best point on them.
    progress: a line that moves on a terminal, or in a notebook.

    Ctrl-C ends the fit within an evaluation; the exception has the best model so far as `fit`.
    """
    is_classes = _are_classes(y, loss, classes)
    data, known = dataset(X, y, weights=sample_weight, offset=offset, classes=is_classes)
    network = _network(net, data, _outputs(data, loss))
    n = network.dim
    asked = _Options()
    asked.robust = loss if isinstance(loss, str) and loss in _RHO else None
    asked.loss = None if asked.robust else _description(loss)
    asked.penalty = _description(penalty, "ridge")
    asked.lower, asked.upper = bounds_of(bounds, n)
    asked.l1 = None if l1 is None else vector(l1, "l1", n)
    asked.method, implied = resolve(method, bounds is not None, l1 is not None)
    asked.options = as_json(options_of(options, implied))
    asked.standardize = standardize
    asked.seed = whole(seed, "seed")
    asked.start = None if start is None else vector(start, "start", n)
    asked.starts = whole(starts, "starts", 1)
    asked.validation_fraction, held_out = None, None
    if isinstance(validation, (int, float)):
        asked.validation_fraction = float(validation)
    elif validation is not None:
        of = known if known is not None else False
        held_out = dataset(validation[0], validation[1], classes=of, feature_names=data.feature_names)[0]
    asked.patience = None if patience is None else whole(patience, "patience", 1)
    asked.max_iterations = None if max_iterations is None else whole(max_iterations, "max_iterations")
    asked.checkpoint = None
    if checkpoint is not None:
        path, seconds = checkpoint if isinstance(checkpoint, tuple) else (checkpoint, 30.0)
        asked.checkpoint = (os.fspath(path), float(seconds))
    asked.resume = None if resume is None else os.fspath(resume)
    told = callback_of(callback)
    notebook = _notebook_line() if progress else None
    asked.progress = progress and notebook is None
    if notebook is not None:
        told = _both(told, notebook)
    core, raised = _core.fit_network(network._core, data, asked, held_out, told)
    if notebook is not None:
        notebook(None)
    found = Fit(core, data, known)
    if raised is not None:
        raised.fit = found
        raise raised
    return found


def _both(first: Callable | None, second: Callable) -> Callable:
    def told(step: dict) -> Any:
        second(step)
        return first(step) if first is not None else False

    return told


def _notebook_line() -> Callable | None:
    """What shows progress in a notebook: a line that is replaced."""
    import sys
    import time

    shell = sys.modules.get("IPython")
    kernel = shell.get_ipython() if shell is not None else None
    if kernel is None or type(kernel).__name__ != "ZMQInteractiveShell":
        return None
    display = sys.modules["IPython"].display
    handle = display.display(display.HTML("…"), display_id=True)
    shown = [0.0]
    latest: list[dict] = []

    def told(step: dict | None) -> None:
        """Shows a step at most ten times a second; `None` is the end, where the last one stays."""
        now = time.monotonic()
        if step is not None:
            latest[:] = [step]
            if now - shown[0] < 0.1:
                return
        elif not latest:
            return
        shown[0], step = now, latest[0]
        text = f"iteration {step['nit']}: f = {step['fun']:.8g}, ‖∇f‖∞ = {step['gradient']:.2e}, {step['seconds']:.1f} s"
        handle.update(display.HTML(f"<code>{text}</code>"))

    return told


class Risk:
    """The objective of a fit: mean loss over the samples plus penalty, with exact derivatives, in the units of the data.

    >>> X = np.array([[0.0], [1.0], [2.0]]); y = np.array([1.0, 3.0, 5.0])
    >>> risk = Risk(Network.linear(1), X, y)
    >>> value, gradient = risk.value_and_grad(np.zeros(2))
    >>> round(value, 12)
    5.833333333333
    """

    def __init__(
        self,
        net: Network | Description,
        X: Any,
        y: Any,
        *,
        loss: Description | None = None,
        penalty: Description | float | None = None,
        sample_weight: Any = None,
        offset: Any = None,
        classes: bool | None = None,
    ):
        is_classes = _are_classes(y, loss, classes)
        data, self.classes = dataset(X, y, weights=sample_weight, offset=offset, classes=is_classes)
        self.network = _network(net, data, _outputs(data, loss))
        self._core = _core.Risk(self.network._core, data, _description(loss), _description(penalty, "ridge"))

    @property
    def dim(self) -> int:
        """n."""
        return self._core.dim

    def value(self, theta: Any) -> float:
        """f(θ)."""
        return self._core.value(vector(theta, "theta"))

    __call__ = value

    def value_and_grad(self, theta: Any) -> tuple[float, np.ndarray]:
        """f and ∇f, as `scipy.optimize.minimize(…, jac=True)` takes them."""
        return self._core.value_and_grad(vector(theta, "theta"))

    def grad(self, theta: Any) -> np.ndarray:
        """∇f."""
        return self.value_and_grad(theta)[1]

    def hvp(self, theta: Any, v: Any) -> np.ndarray:
        """∇²f·v, exact. For many products at one θ: `linearize`."""
        return self._core.linearize(vector(theta, "theta")).hvp(vector(v, "v"))

    def ggnvp(self, theta: Any, v: Any) -> np.ndarray:
        """G·v with the (generalised) Gauss–Newton matrix."""
        return self._core.linearize(vector(theta, "theta")).ggnvp(vector(v, "v"))

    def hessian(self, theta: Any) -> np.ndarray:
        """∇²f, n × n."""
        return self._core.linearize(vector(theta, "theta")).hessian()

    def gauss_newton(self, theta: Any) -> np.ndarray:
        """G, n × n."""
        return self._core.linearize(vector(theta, "theta")).gauss_newton()

    def residuals(self, theta: Any) -> tuple[np.ndarray, np.ndarray] | None:
        """r and J = ∂r/∂θ with f = ½‖r‖²; `None` where f is no sum of squares."""
        return self._core.residuals(vector(theta, "theta"))

    def linearize(self, theta: Any) -> Any:
        """f at one θ: `value`, `gradient`, and `hvp(v)`, `ggnvp(v)`, `hessian()`, `gauss_newton()` at the cost of a product each."""
        return self._core.linearize(vector(theta, "theta"))

    def minimize(
        self,
        theta0: Any = None,
        *,
        method: str | None = None,
        options: Mapping[str, Any] | None = None,
        bounds: Any = None,
        l1: Any = None,
        callback: Callable | None = None,
        seed: int = 0,
    ) -> OptimizeResult:
        """A minimum from `theta0`, by default as the network draws it: `x`, `fun`, `jac`, `nit`, `success`, `message`, `report`."""
        n = self.dim
        start = self.network.draw(seed) if theta0 is None else vector(theta0, "theta0", n)
        low, high = bounds_of(bounds, n)
        weights = None if l1 is None else vector(l1, "l1", n)
        name, implied = resolve(method, bounds is not None, l1 is not None)
        x, report = self._core.minimize(
            start, name, as_json(options_of(options, implied)), low, high, weights, callback_of(callback)
        )
        return OptimizeResult(
            x=x, fun=report["value"], jac=self.grad(x), nit=report["iterations"], status=status_of(report),
            success=report["success"], message=message_of(report), method=report["solver"], report=report,
        )


def lasso_path(
    X: Any,
    y: Any,
    *,
    eps: float = 1e-3,
    n_alphas: int = 100,
    alphas: Any = None,
    sample_weight: Any = None,
    loss: Description | None = None,
    fit_intercept: bool = False,
) -> tuple[np.ndarray, np.ndarray, OptimizeResult]:
    """The minima of mean loss + α‖w‖₁ along α, each to full accuracy: `alphas`, `coefs` (features × alphas), and the rest by name.

    With squared error the objective is scikit-learn's: 1/(2N)‖y − Xw‖² + α‖w‖₁, without an intercept unless `fit_intercept`.
    """
    d = inputs_of(X).shape[1]
    net = Network.linear(d, 1, bias=fit_intercept)
    risk = Risk(net, X, y, loss=loss, sample_weight=sample_weight)
    weights = np.ones(net.dim)
    weights[d:] = 0.0
    chosen = None if alphas is None else np.sort(vector(alphas, "alphas"))[::-1].copy()
    found = OptimizeResult(_core.lasso_path(risk._core, np.zeros(net.dim), weights, chosen, whole(n_alphas, "n_alphas", 2), float(eps)))
    found["intercepts"] = found["thetas"][:, d] if fit_intercept else np.zeros(len(found["alphas"]))
    return found["alphas"], found["thetas"][:, :d].T.copy(), found
