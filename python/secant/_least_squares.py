"""`least_squares`, with SciPy's arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from . import _core
from ._arrays import bounds_of, vector
from ._methods import as_json, options_of, plain, resolve
from ._minimize import _DIFFERENCES, _dense, callback_of
from ._result import OptimizeResult, message_of, status_of

_SCIPY = {"trf": "auto", "dogbox": "auto", "lm": "levenberg-marquardt"}


def least_squares(
    fun: Callable,
    x0: Any,
    jac: Callable | str = "2-point",
    bounds: Any = (-np.inf, np.inf),
    method: str = "trf",
    ftol: float | None = None,
    xtol: float | None = None,
    gtol: float | None = None,
    x_scale: Any = None,
    loss: str = "linear",
    f_scale: float = 1.0,
    max_nfev: int | None = None,
    verbose: int = 0,
    args: tuple = (),
    kwargs: Mapping[str, Any] | None = None,
    callback: Callable | None = None,
    *,
    options: Mapping[str, Any] | None = None,
) -> OptimizeResult:
    """Minimises ½ Σ f²·ρ(rᵢ²/f²) for the residuals r = `fun(x, *args, **kwargs)`, where f is `f_scale`.

    Arguments and fields of the result are those of SciPy's `least_squares`. Tolerances that are not given are the engine's own, which go on to
    the last digits.

    loss: `linear`, `huber`, `soft_l1`, `cauchy`, `tukey`.

    >>> t = np.arange(5.0); y = 2.0 * np.exp(-0.5 * t)
    >>> found = least_squares(lambda p: p[0] * np.exp(-p[1] * t) - y, [1.0, 1.0])
    >>> found.x.round(9).tolist()
    [2.0, 0.5]
    """
    if not callable(fun):
        raise TypeError("fun must be callable")
    if not isinstance(args, tuple):
        args = (args,)
    named = dict(kwargs or {})
    start = vector(np.asarray(x0, dtype=float).reshape(-1), "x0").copy()
    n = start.size
    if n == 0:
        raise ValueError("x0 is empty")
    if not f_scale > 0:
        raise ValueError(f"f_scale must be positive, got {f_scale}")
    lower, upper = bounds_of(bounds, n, arrays=True) if not _is_free(bounds) else (None, None)
    bounded = lower is not None and bool(np.isfinite(lower).any() or np.isfinite(upper).any())
    if bounded and ((start < lower) | (start > upper)).any():
        raise ValueError("x0 is infeasible: it is not within the bounds")
    first = np.asarray(fun(start.copy(), *args, **named), dtype=float)
    if first.ndim > 1:
        raise ValueError(f"fun must give an array of one dimension, it gave shape {first.shape}")
    first = np.atleast_1d(first)
    if not np.isfinite(first).all():
        raise ValueError("Residuals are not finite in the initial point.")
    if isinstance(jac, str):
        if jac not in _DIFFERENCES:
            raise ValueError(f"jac: expected a function or one of {_DIFFERENCES}, got {jac!r}")
        jacobian = None
    else:
        jacobian = _dense(jac)
    name = plain(method)
    if name in _SCIPY:
        name = _SCIPY[name]
        if name == "levenberg-marquardt" and loss not in ("linear", "squared"):
            raise ValueError("method 'lm' supports only the 'linear' loss")
        if name == "levenberg-marquardt" and bounded:
            raise ValueError("method 'lm' does not support bounds")
    name, implied = resolve(name, bounded, False)
    tolerances = {"ftol": ftol, "xtol": xtol, "gtol": gtol, "max_nfev": max_nfev}
    ours = options_of({**tolerances, **dict(options or {})}, implied)
    if gtol is None:
        ours.pop("gradient_tolerance", None)
    scale = None
    if x_scale is not None and not isinstance(x_scale, str):
        scale = vector(x_scale, "x_scale", n)
    x, report, residuals, j, counts = _core.least_squares(
        fun, first.size, start, args, named, jacobian, lower if bounded else None, upper if bounded else None,
        loss, float(f_scale), name, as_json(ours), callback_of(callback), scale,
    )
    weights = _slopes(residuals, loss, float(f_scale))
    gradient = j.T @ (weights * residuals)
    active = np.zeros(n, dtype=int)
    if bounded:
        active[x <= lower] = -1
        active[x >= upper] = 1
    if verbose:
        print(report["text"])
    return OptimizeResult(
        x=x,
        cost=report["value"],
        fun=residuals,
        jac=j,
        grad=gradient,
        optimality=report["gradient"],
        active_mask=active,
        nfev=counts[0],
        njev=counts[1],
        nit=report["iterations"],
        status=status_of(report),
        success=report["success"],
        message=message_of(report),
        method=report["solver"],
        report=report,
    )


def _is_free(bounds: Any) -> bool:
    if bounds is None:
        return True
    if isinstance(bounds, tuple) and len(bounds) == 2 and np.ndim(bounds[0]) == 0 and np.ndim(bounds[1]) == 0:
        return bounds[0] == -np.inf and bounds[1] == np.inf
    return False


def _slopes(residuals: np.ndarray, loss: str, scale: float) -> np.ndarray:
    """ρ′ at every residual: what its share of the gradient is weighed by."""
    s = (residuals / scale) ** 2
    if loss in ("linear", "squared"):
        return np.ones_like(s)
    if loss == "huber":
        return np.where(s <= 1.0, 1.0, 1.0 / np.sqrt(np.maximum(s, 1.0)))
    if loss in ("soft_l1", "soft-l1"):
        return 1.0 / np.sqrt(1.0 + s)
    if loss == "cauchy":
        return 1.0 / (1.0 + s)
    return np.where(s < 1.0, (1.0 - np.minimum(s, 1.0)) ** 2, 0.0)
