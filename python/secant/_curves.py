"""Curves: `curve_fit` with SciPy's arguments, by formula or by function, and thousands of fits at once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType
from typing import Any

import numpy as np

from . import _core, _trace
from ._arrays import Data, array, bounds_of, is_frame, matrix, names_of, vector, whole
from ._least_squares import _is_free, least_squares
from ._result import OptimizeResult, warn


class CurveFitResult(tuple):
    """`(popt, pcov)`, with more by name.

    names: of the parameters.
    report: of the run, a dictionary whose `text` reads well.
    fit: the fitted curve, where it is one of a formula, typed or traced: `inference()`, `band()`, `predict()`, `html()`.
    """

    names: list[str]
    report: dict
    fit: Curve | None

    def __new__(cls, popt: np.ndarray, pcov: np.ndarray, names: list[str], report: dict, fit: Curve | None):
        made = super().__new__(cls, (popt, pcov))
        made.names, made.report, made.fit = names, report, fit
        return made

    @property
    def popt(self) -> np.ndarray:
        """The parameters, in the order of `names`."""
        return self[0]

    @property
    def pcov(self) -> np.ndarray:
        """Their covariance."""
        return self[1]

    @property
    def perr(self) -> np.ndarray:
        """Their standard errors."""
        return np.sqrt(np.diag(self[1]))

    def __reduce__(self):
        return tuple, ((self[0], self[1]),)

    def __repr__(self) -> str:
        if self.fit is not None:
            try:
                return self.fit.inference()["text"]
            except ValueError:
                pass
        lines = [f"{name} = {value:.8g} ± {error:.3g}" for name, value, error in zip(self.names, self[0], self.perr)]
        return "\n".join(lines)


class Curve:
    """A fitted curve of a formula."""

    def __init__(self, fitted: Any, inputs: list[str], in_rows: bool = True):
        self._fitted = fitted
        self._inputs = inputs
        self._in_rows = in_rows
        self.report: dict = fitted.report()

    def _table(self, x: Any) -> np.ndarray:
        """The columns that the formula names, a sample a row."""
        used = self._fitted.model.feature_names
        if isinstance(x, Mapping) or is_frame(x):
            return _inputs(x, used)[0]
        table = _inputs(x, self._inputs)[0] if self._in_rows else matrix(x, "xdata")
        if len(used) < table.shape[1] == len(self._inputs):
            table = np.ascontiguousarray(table[:, [self._inputs.index(name) for name in used]])
        return table

    @property
    def parameters(self) -> dict[str, float]:
        """Values by name, those of fixed and tied parameters among them."""
        return {name: value for name, value, _ in self._fitted.parameters()}

    @property
    def formula(self) -> str:
        """In its free parameters."""
        return self._fitted.formula

    def inference(self, level: float = 0.95) -> dict:
        """Standard errors, covariance, R², AIC, what the data leave open; `text` is a table."""
        return self._fitted.inference(level)

    def predict(self, x: Any) -> np.ndarray:
        """The curve at inputs as those that it was fitted to."""
        values = self._fitted.predict(self._table(x))
        return values[:, 0] if values.shape[1] == 1 else values

    def band(self, x: Any, level: float = 0.95) -> dict[str, np.ndarray]:
        """`value`, and the bounds `lower`, `upper` of the mean and `low`, `high` of a new observation, each point alone."""
        columns = self._fitted.band(self._table(x), level)
        return dict(zip(("value", "lower", "upper", "low", "high"), columns.T))

    def html(self) -> str:
        """The report as one HTML file."""
        return self._fitted.html()

    def save(self, path: Any) -> None:
        """The model, for `secant.Model.load` and the command `secant predict`."""
        self._fitted.model.save(path)


class GroupedCurve:
    """A curve fitted to several groups of data at once, with parameters that all share and each group's own."""

    def __init__(self, fitted: Any, inputs: list[str]):
        self._fitted = fitted
        self._inputs = inputs
        self.report: dict = fitted.report()
        self.groups: list[str] = fitted.groups()

    @property
    def shared(self) -> dict[str, float]:
        """Values of the parameters that all groups share."""
        return dict(self._fitted.shared())

    @property
    def own(self) -> dict[str, np.ndarray]:
        """Values of each group's own parameters, in the order of `groups`."""
        return {name: np.array(values) for name, values in self._fitted.own()}

    def group(self, key: Any) -> Curve:
        """The curve of one group; its errors are those of the whole fit."""
        return Curve(self._fitted.group(_key(key)), self._inputs)

    def inference(self, level: float = 0.95) -> dict:
        """`estimates`: value and standard error by name, own parameters as `a[2]`; `text` is a table."""
        estimates, text = self._fitted.inference(level)
        return {"estimates": {name: (value, error) for name, value, error in estimates}, "text": text}

    def predict(self, key: Any, x: Any) -> np.ndarray:
        """The curve of a group at inputs as those that it was fitted to."""
        return self.group(key).predict(x)

    def to_csv(self) -> str:
        """A line for each group with all parameters."""
        return self._fitted.to_csv()

    def __str__(self) -> str:
        return str(self._fitted)


def _key(key: Any) -> str:
    """What a group is called: whole numbers without a point."""
    if isinstance(key, (float, np.floating)) and np.isfinite(key) and float(key).is_integer():
        return str(int(key))
    return str(key)


def _inputs(x: Any, names: list[str] | None) -> tuple[np.ndarray, list[str]]:
    """Inputs, a sample a row, and the names of their columns."""
    if isinstance(x, Mapping):
        chosen = list(names or x)
        missing = [name for name in chosen if name not in x]
        if missing:
            raise ValueError(f"xdata has no column {missing[0]!r}; it has {list(x)}")
        return np.ascontiguousarray(np.column_stack([array(x[name], name) for name in chosen])), chosen
    if is_frame(x):
        found = names_of(x) or []
        chosen = list(names or found)
        missing = [name for name in chosen if name not in found]
        if missing:
            raise ValueError(f"xdata has no column {missing[0]!r}; it has {found}")
        return matrix(x[chosen], "xdata"), chosen
    numbers = array(x, "xdata")
    if numbers.ndim <= 1:
        return numbers.reshape(-1, 1), names or ["x"]
    if numbers.ndim != 2:
        raise ValueError(f"xdata has shape {numbers.shape}, expected one or two dimensions")
    # As SciPy has it: a row for each variable.
    if names is not None and numbers.shape[0] != len(names) and numbers.shape[1] == len(names):
        return numbers, names
    return np.ascontiguousarray(numbers.T), names or [f"x{i + 1}" for i in range(numbers.shape[0])]


class _Options:
    def __init__(self) -> None:
        self.start: list[tuple[str, float]] = []
        self.bounds: list[tuple[str, float, float]] = []
        self.fixed: list[tuple[str, float]] = []
        self.tied: list[tuple[str, str]] = []
        self.sigma: np.ndarray | None = None
        self.absolute_sigma = False
        self.robust: str | None = None
        self.max_iterations: int | None = None
        self.draws: int | None = None
        self.seed = 0
        self.started = False


def fit_formula(
    formula: str | Sequence[str],
    xdata: Any,
    ydata: Any,
    p0: Any = None,
    sigma: Any = None,
    absolute_sigma: bool = False,
    bounds: Any = None,
    *,
    fixed: Mapping[str, float] | None = None,
    tied: Mapping[str, str] | None = None,
    loss: str = "linear",
    max_iterations: int | None = None,
    draws: int | None = None,
    seed: int = 0,
    groups: Any = None,
    own: Sequence[str] = (),
) -> Curve | GroupedCurve:
    """A curve fitted to data, its derivatives exact. See `curve_fit`.

    `groups` tells several groups of data apart, by the name of a column of `xdata` or by a key for each sample: all are fitted at once, with
    the parameters of `own` for each group and the others shared, and the result is a `GroupedCurve`.
    """
    formulas = [formula] if isinstance(formula, str) else list(formula)
    if groups is None and len(own) > 0:
        raise ValueError("own parameters need groups: give groups= a column of xdata, or a key for each sample")
    if isinstance(groups, str):
        column = groups
        if not (isinstance(xdata, Mapping) or is_frame(xdata)):
            raise ValueError(f"groups={column!r} is the name of a column, xdata has none: give a key for each sample")
        known = list(xdata) if isinstance(xdata, Mapping) else names_of(xdata) or []
        if column not in known:
            raise ValueError(f"xdata has no column {column!r}; it has {known}")
        if column in _core.formula_parameters(formulas, []):
            raise ValueError(f"the formula names the group column {column}: it tells the groups apart, and is no input")
        groups = xdata[column]
        inputs, names = _inputs(xdata, [name for name in known if name != column])
    else:
        inputs, names = _inputs(xdata, None)
    targets = matrix(ydata, "ydata")
    if targets.shape[0] != inputs.shape[0]:
        raise ValueError(f"xdata has {inputs.shape[0]} samples, ydata has {targets.shape[0]}")
    options = _Options()
    options.fixed = [(name, float(value)) for name, value in (fixed or {}).items()]
    options.tied = list((tied or {}).items())
    held = {name for name, _ in options.fixed} | {name for name, _ in options.tied}
    known = [name for name in _core.formula_parameters(formulas, names) if name not in held]
    if p0 is not None:
        if isinstance(p0, Mapping):
            options.start = [(name, float(value)) for name, value in p0.items()]
        else:
            values = vector(p0, "p0")
            if values.size != len(known):
                raise ValueError(f"p0 has {values.size} entries, the formula has the parameters {known}")
            options.start = [(name, float(value)) for name, value in zip(known, values)]
    if isinstance(bounds, Mapping):
        options.bounds = [
            (name, -np.inf if low is None else float(low), np.inf if high is None else float(high))
            for name, (low, high) in bounds.items()
        ]
    elif bounds is not None:
        low, high = bounds_of(bounds, len(known), arrays=True)
        options.bounds = [
            (name, float(a), float(b))
            for name, a, b in zip(known, low, high)
            if np.isfinite(a) or np.isfinite(b)
        ]
    if sigma is not None:
        options.sigma = vector(sigma, "sigma", inputs.shape[0])
    options.absolute_sigma = bool(absolute_sigma)
    options.robust = None if loss in ("linear", "squared") else loss
    options.max_iterations = None if max_iterations is None else whole(max_iterations, "max_iterations")
    options.draws = None if draws is None else whole(draws, "draws", 1)
    options.seed = whole(seed, "seed")
    # Ties may bring in parameters.
    plain = options.max_iterations is None and options.robust is None and not options.tied
    options.started = plain and set(known) <= {name for name, _ in options.start}
    data = Data(inputs, targets, feature_names=names)
    if groups is not None:
        keys = [_key(key) for key in np.asarray(groups).tolist()]
        fitted, raised = _core.fit_grouped_curve(formulas, data, options, keys, list(own))
    else:
        fitted, raised = _core.fit_curve(formulas, data, options)
    if raised is not None:
        raise raised
    return Curve(fitted, names) if groups is None else GroupedCurve(fitted, names)


def curve_fit(
    f: Callable | str,
    xdata: Any,
    ydata: Any,
    p0: Any = None,
    sigma: Any = None,
    absolute_sigma: bool = False,
    check_finite: bool = True,
    bounds: Any = (-np.inf, np.inf),
    method: str | None = None,
    jac: Callable | str | None = None,
    *,
    full_output: bool = False,
    nan_policy: str | None = None,
    **kwargs: Any,
) -> Any:
    """Fits a curve to data: `popt, pcov = curve_fit(…)`.

    `f` is a function `f(x, a, b, …)`, as SciPy's, or a formula `"a*exp(-b*x) + c"`, whose derivatives are exact and which never calls
    Python. Names in a formula that are names of `xdata` are inputs: `x` for one variable, `x1`, `x2`, … for several rows, the columns of a data
    frame or of a dictionary. The others are parameters, in order of appearance; without `p0` their starts are looked for.

    A function of NumPy is called with stand-ins for its arguments and fitted by the formula that they write down, where it is one and
    gives the function's values; otherwise, and with `jac="2-point"`, by differences.

    Parameters beside SciPy's, for formulas: `fixed={"c": 0.0}`, `tied={"d": "2*a"}`, `loss=`, `max_iterations=`, `draws=`, `seed=`; `p0` and
    `bounds` may be dictionaries by name.

    >>> x = np.linspace(0, 4, 50); y = 2.5 * np.exp(-1.3 * x) + 0.5
    >>> popt, pcov = curve_fit("a*exp(-b*x) + c", x, y)
    >>> popt.round(9).tolist()
    [2.5, 1.3, 0.5]
    >>> curve_fit(lambda x, a, b, c: a * np.exp(-b * x) + c, x, y).fit.formula
    'a*exp(-b*x) + c'
    """
    if nan_policy not in (None, "raise", "omit"):
        raise ValueError(f"nan_policy: expected None, 'raise' or 'omit', got {nan_policy!r}")
    if isinstance(f, str):
        names, popt, pcov, report, fit = _by_formula(
            f, xdata, ydata, p0, sigma, absolute_sigma, bounds, method, nan_policy, kwargs
        )
        residuals = None
    else:
        names, popt, pcov, report, fit, residuals = _by_function(
            f, xdata, ydata, p0, sigma, absolute_sigma, check_finite, bounds, method, jac, nan_policy, kwargs
        )
    if not report["success"] and report["reason"] not in ("Stalled",):
        raise RuntimeError("Optimal parameters not found: " + report["message"])
    if not np.isfinite(np.diag(pcov)).all():
        warn("Covariance of the parameters could not be estimated")
    result = CurveFitResult(popt, pcov, names, report, fit)
    if full_output:
        details = {"nfev": sum(report["evaluations"].values()), "fvec": residuals}
        return popt, pcov, details, report["message"], 1
    return result


def _kept(x: np.ndarray, y: np.ndarray, nan_policy: str | None) -> np.ndarray | None:
    """Which samples count: `None` for all."""
    if nan_policy is None:
        return None
    bad = np.isnan(y) | np.isnan(x).any(axis=tuple(range(1, x.ndim))) if x.ndim > 1 else np.isnan(y) | np.isnan(x)
    if not bad.any():
        return None
    if nan_policy == "raise":
        raise ValueError("The input contains nan values")
    return ~bad


def _by_formula(f, xdata, ydata, p0, sigma, absolute, bounds, method, nan_policy, kwargs):
    if method not in (None, "lm", "trf", "dogbox", "auto"):
        raise ValueError(f"method {method!r}: a formula takes the one that suits it; leave `method` out")
    if sigma is not None and np.ndim(sigma) == 2:
        raise ValueError("sigma: for a formula one number for each sample; a covariance matrix goes with a function")
    if _is_free(bounds):
        bounds = None
    if nan_policy is not None:
        inputs, names = _inputs(xdata, None)
        targets = vector(ydata, "ydata")
        kept = _kept(inputs, targets, nan_policy)
        if kept is not None:
            xdata = {name: inputs[kept, j] for j, name in enumerate(names)}
            ydata = targets[kept]
            sigma = None if sigma is None else vector(sigma, "sigma", targets.size)[kept]
    allowed = {"fixed", "tied", "loss", "max_iterations", "draws", "seed", "maxfev", "max_nfev"}
    strange = set(kwargs) - allowed
    if strange:
        raise TypeError(f"curve_fit by a formula has no argument {sorted(strange)[0]!r}")
    limit = kwargs.pop("maxfev", kwargs.pop("max_nfev", None))
    if limit is not None:
        kwargs.setdefault("max_iterations", int(limit))
    fit = fit_formula(f, xdata, ydata, p0, sigma, absolute, bounds, **kwargs)
    parameters = fit.parameters
    names, popt = list(parameters), np.array(list(parameters.values()))
    try:
        pcov, _ = _held_covariance(fit._fitted)
    except ValueError:
        # After a robust fit, and with no more samples than parameters.
        pcov = np.full((len(names), len(names)), np.inf)
    return names, popt, pcov, fit.report, fit


def _by_function(f, xdata, ydata, p0, sigma, absolute, check_finite, bounds, method, jac, nan_policy, kwargs):
    y = vector(np.asarray(ydata, dtype=float).reshape(-1), "ydata")
    x = xdata
    if isinstance(xdata, (list, tuple, np.ndarray)) or is_frame(xdata):
        x = np.asarray(xdata.to_numpy() if is_frame(xdata) else xdata)
        if x.dtype.kind in "iu":
            x = x.astype(float)
        if check_finite and nan_policy is None and x.dtype.kind == "f" and not np.isfinite(x).all():
            raise ValueError("array must not contain infs or NaNs")
    if check_finite and nan_policy is None and not np.isfinite(y).all():
        raise ValueError("array must not contain infs or NaNs")
    if y.size == 0:
        raise ValueError("`ydata` must not be empty!")
    kept = None
    if nan_policy is not None and isinstance(x, np.ndarray):
        samples_last = x.T if x.ndim == 2 else x
        kept = _kept(samples_last, y, nan_policy)
        if kept is not None:
            x, y = x[..., kept], y[kept]
    if p0 is None:
        parameters = [
            p for p in inspect.signature(f).parameters.values()
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
        names = [p.name for p in parameters[1:]]
        if not names:
            raise ValueError("Unable to determine number of fit parameters.")
        n = len(names)
        low, high = _limits(bounds, n)
        start = np.ones(n)
        both = np.isfinite(low) & np.isfinite(high)
        start[both] = 0.5 * (low[both] + high[both])
        only = np.isfinite(low) & ~np.isfinite(high)
        start[only] = low[only] + 1.0
        only = ~np.isfinite(low) & np.isfinite(high)
        start[only] = high[only] - 1.0
    else:
        start = vector(np.atleast_1d(np.asarray(p0, dtype=float)), "p0")
        n = start.size
        names = _names_of(f)[1 : n + 1]
        if len(names) != n:
            names = [f"p{i}" for i in range(n)]
    factor = s = None
    if sigma is not None:
        s = np.asarray(sigma, dtype=float)
        if kept is not None:
            s = s[kept] if s.ndim < 2 else s[np.ix_(kept, kept)]
        if s.size == 1:
            s = np.full(y.size, s.reshape(-1)[0])
            factor = 1.0 / s
        elif s.shape == (y.size,):
            if not (s > 0).all():
                raise ValueError("sigma: every entry must be positive")
            factor = 1.0 / s
        elif s.shape == (y.size, y.size):
            try:
                lower = np.linalg.cholesky(s)
            except np.linalg.LinAlgError:
                raise ValueError("`sigma` must be positive definite.") from None
            factor = np.linalg.inv(lower)
        else:
            raise ValueError("`sigma` has incorrect shape.")

    def weigh(values: np.ndarray) -> np.ndarray:
        if factor is None:
            return values
        if factor.ndim == 2:
            return factor @ values
        return factor * values if values.ndim == 1 else factor[:, None] * values

    def residuals(p: np.ndarray) -> np.ndarray:
        return weigh(np.asarray(f(x, *p), dtype=float).reshape(-1) - y)

    def jacobian(p: np.ndarray) -> np.ndarray:
        return weigh(np.asarray(jac(x, *p), dtype=float).reshape(y.size, n))

    limit = kwargs.pop("maxfev", None)
    if limit is not None:
        kwargs.setdefault("max_nfev", limit)
    low, high = _limits(bounds, n)
    free = not (np.isfinite(low).any() or np.isfinite(high).any())
    if method is None:
        method = "trf"
    if method == "lm" and not free:
        raise ValueError("Method 'lm' only works for unconstrained problems. Use 'trf' or 'dogbox'.")
    if method == "lm" and y.size < n:
        raise TypeError(f"The number of func parameters={n} must not exceed the number of data points={y.size}")
    if jac is None and method in ("trf", "lm", "dogbox") and not set(kwargs) - {"max_nfev"} and (s is None or s.ndim == 1):
        traced = _by_trace(f, x, xdata, y, names, start, low, high, s, absolute, kwargs.get("max_nfev"))
        if traced is not None:
            popt, pcov, report, fit, apart = traced
            return names, popt, pcov, report, fit, weigh(apart)
    found = least_squares(
        residuals, start, jac=jacobian if callable(jac) else "2-point",
        bounds=(-np.inf, np.inf) if free else (low, high), method=method, **kwargs,
    )
    pcov = _covariance(found.jac, found.cost, y.size, n, absolute, exact=callable(jac))
    return names, found.x, pcov, found.report, None, found.fun


def _by_trace(f, x, table, y, names, start, low, high, sigma, absolute, most):
    """The fit by the formula that a function is; `None` where it is none, and where that fit does not end well."""
    begin, n = start.tolist(), start.size
    limits = list(zip(low.tolist(), high.tolist()))
    counted = most is None or (isinstance(most, (int, np.integer)) and most > 0)
    if not counted or not 0 < n < y.size or not all(a <= one <= b and abs(one) < np.inf for one, (a, b) in zip(begin, limits)):
        return None
    points = _trace.two_points(begin, limits)
    # Before any stand-in, so that what a function keeps of its first call is made of numbers.
    first, second = f(x, *start), None
    for traced in _trace.ways(f, x, table, y.size, names, points):
        if not _trace.agrees(first, traced.values[0]):
            continue
        try:
            if second is None:
                second = f(x, *points[1])
            if _trace.agrees(second, traced.values[1], everywhere=False):
                break
        except Exception:  # noqa: BLE001  (the fit may never come there; if it does, it says so)
            return None
    else:
        return None
    options = _Options()
    options.start = list(zip(traced.parameters, begin))
    options.bounds = [(name, a, b) for name, (a, b) in zip(traced.parameters, limits) if a > -np.inf or b < np.inf]
    options.sigma, options.absolute_sigma, options.started = sigma, absolute, True
    targets = y.reshape(-1, 1)
    try:
        fitted, raised = _core.fit_curve([traced.text], Data(traced.inputs, targets, feature_names=traced.features), options)
    except ValueError:
        return None
    if raised is not None:
        raise raised
    fit = Curve(fitted, traced.features, traced.in_rows)
    report = fit.report
    if not report["success"] or (most is not None and sum(report["evaluations"].values()) > most):
        return None
    values = {name: value for name, value, _ in fitted.parameters()}
    popt = np.array([values[name] for name in traced.parameters])
    try:
        last = f(x, *popt)
    except Exception:  # noqa: BLE001  (as above)
        return None
    features, inputs = traced.used()
    if not _trace.agrees(last, fitted.predict(inputs)[:, 0]):
        return None
    pcov = _covariance_of(fitted, Data(inputs, targets, feature_names=features), sigma, absolute)
    order = list(values)
    if order != traced.parameters:
        places = [order.index(name) for name in traced.parameters]
        pcov = pcov[np.ix_(places, places)]
    return popt, pcov, report, fit if traced.is_open else None, np.asarray(last).reshape(-1) - y


def _held_covariance(fitted: Any) -> tuple[np.ndarray, np.ndarray]:
    """The engine's covariance, 0 for parameters that are held and infinite where the data leave a direction open; which are held."""
    covariance, held = fitted.covariance()
    held = np.array(held)
    pcov = np.array(covariance).reshape(held.size, held.size)
    pcov[held, :] = 0.0
    pcov[:, held] = 0.0
    return (np.full_like(pcov, np.inf) if np.isnan(pcov).any() else pcov), held


def _covariance_of(fitted: Any, data: Data, sigma: np.ndarray | None, absolute: bool) -> np.ndarray:
    """The covariance as SciPy has it, parameters at a bound like the others, in the formula's order."""
    pcov, held = _held_covariance(fitted)
    if not held.any():
        return pcov
    residuals, jacobian = _core.Risk(fitted.model.network(), data).residuals(fitted.model.theta)
    # Those of a risk are of a mean.
    scale = np.full(residuals.size, np.sqrt(residuals.size)) / (1.0 if sigma is None else sigma)
    residuals = residuals * scale
    return _covariance(jacobian * scale[:, None], 0.5 * float(residuals @ residuals), residuals.size, held.size, absolute, exact=True)


def _names_of(f: Callable) -> list[str]:
    """The names of a function's arguments, as far as they can be known."""
    if type(f) is FunctionType and not f.__dict__:
        code = f.__code__
        # Of what is no plain list of names the signature tells more.
        if not code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS) and not code.co_kwonlyargcount:
            return list(code.co_varnames[: code.co_argcount])
    try:
        return list(inspect.signature(f).parameters)
    except (TypeError, ValueError):
        return []


def _limits(bounds: Any, n: int) -> tuple[np.ndarray, np.ndarray]:
    if _is_free(bounds):
        return np.full(n, -np.inf), np.full(n, np.inf)
    return bounds_of(bounds, n, arrays=True)


# Digits of a Jacobian by differences.
_DIFFERENCE_ERROR = 1e-9


def _covariance(j: np.ndarray, cost: float, m: int, n: int, absolute: bool, exact: bool) -> np.ndarray:
    """(JᵀJ)⁻¹ times the variance of the residuals; infinite where the data leave a direction open."""
    scale = np.linalg.norm(j, axis=0)
    if not np.isfinite(j).all() or (scale == 0).any():
        return np.full((n, n), np.inf)
    # Columns of length 1: a parameter's unit says nothing of what the data leave open.
    _, values, rows = np.linalg.svd(j / scale, full_matrices=False)
    rounding = np.finfo(float).eps * max(j.shape) if exact else _DIFFERENCE_ERROR
    if values.size < n or values[-1] <= rounding * values[0]:
        return np.full((n, n), np.inf)
    half = rows.T / values / scale[:, None]
    pcov = half @ half.T
    if absolute:
        return pcov
    if m <= n:
        return np.full((n, n), np.inf)
    return pcov * (2.0 * cost / (m - n))


def fit_many(
    formula: str,
    xdata: Any,
    ydata: Any,
    p0: Any,
    *,
    groups: Any = None,
    sigma: Any = None,
    absolute_sigma: bool = False,
    bounds: Any = None,
    loss: str = "linear",
    f_scale: float = 1.0,
) -> OptimizeResult:
    """Fits one formula to many groups of samples at once, on all threads.

    Either `groups` names the group of every sample, or `ydata` has a row for each group over the same `xdata`. `p0` is one start for all
    groups, or one row for each.

    The result has `x` and `errors` (groups × parameters), `names`, `groups`, `success`, `message`, `nit`, `nfev`, `sum_of_squares` by group.

    >>> x = np.linspace(0, 4, 20); rates = np.array([0.5, 1.0, 2.0])
    >>> found = fit_many("a*exp(-b*x)", x, 3.0 * np.exp(-rates[:, None] * x), [1.0, 1.0])
    >>> found.x.round(9).tolist()
    [[3.0, 0.5], [3.0, 1.0], [3.0, 2.0]]
    """
    inputs, names = _inputs(xdata, None)
    targets = array(ydata, "ydata")
    errors = None if sigma is None else array(sigma, "sigma")
    if groups is None:
        if targets.ndim != 2 or targets.shape[1] != inputs.shape[0]:
            raise ValueError(
                f"ydata has shape {targets.shape}: without `groups` expected (groups, {inputs.shape[0]})"
            )
        count, samples = targets.shape
        keys = None
        ends = samples * np.arange(1, count + 1, dtype=np.uint64)
        inputs = np.ascontiguousarray(np.tile(inputs, (count, 1)))
        if errors is not None:
            errors = np.ascontiguousarray(np.broadcast_to(errors, targets.shape)).reshape(-1)
        targets = targets.reshape(-1)
    else:
        targets = vector(targets, "ydata", None)
        labels = np.asarray(groups.to_numpy() if hasattr(groups, "to_numpy") else groups)
        if labels.shape != targets.shape or inputs.shape[0] != targets.size:
            raise ValueError(
                f"xdata has {inputs.shape[0]} samples, ydata {targets.size}, groups {labels.size}: expected as many"
            )
        known, which, counts = np.unique(labels, return_inverse=True, return_counts=True)
        order = np.argsort(which, kind="stable")
        inputs, targets = np.ascontiguousarray(inputs[order]), targets[order]
        if errors is not None:
            errors = vector(errors, "sigma", targets.size)[order]
        ends = np.cumsum(counts, dtype=np.uint64)
        count, keys = len(known), [str(key) for key in known]
    parameters = _core.formula_parameters([formula], names)
    n = len(parameters)
    if isinstance(p0, Mapping):
        strange = [name for name in parameters if name not in p0]
        if strange:
            raise ValueError(f"p0 has no {strange[0]!r}; the formula has the parameters {parameters}")
        p0 = [p0[name] for name in parameters]
    start = array(p0, "p0")
    start = start.reshape(1, -1) if start.ndim <= 1 else start
    if start.shape[1] != n or start.shape[0] not in (1, count):
        raise ValueError(
            f"p0 has shape {start.shape}: expected {n} entries ({', '.join(parameters)}), or a row of them for each of {count} groups"
        )
    if isinstance(bounds, Mapping):
        pairs = [bounds.get(name, (None, None)) for name in parameters]
        low, high = bounds_of(pairs, n)
    else:
        low, high = bounds_of(bounds, n, arrays=True)
    robust = None if loss in ("linear", "squared") else (loss, float(f_scale))
    table = _core.fit_many(
        formula, names, inputs, np.ascontiguousarray(targets), errors, ends, keys, np.ascontiguousarray(start),
        low, high, bool(absolute_sigma), robust,
    )
    found = OptimizeResult(table)
    # `keys` is what a dictionary calls its own.
    found.pop("keys")
    found["groups"] = np.asarray(known) if groups is not None else np.arange(count)
    for name in ("success", "message"):
        found[name] = np.array(found[name])
    for name in ("nit", "nfev"):
        found[name] = found[name].astype(np.int64)
    found["report"] = {"text": found.pop("text")}
    return found
