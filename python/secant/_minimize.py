"""`minimize`, with SciPy's arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from . import _core
from ._arrays import bounds_of, vector
from ._methods import as_json, options_of, resolve
from ._result import OptimizeResult, message_of, status_of, warn

_DIFFERENCES = ("2-point", "3-point", "cs")


def callback_of(callback: Callable | None) -> Callable | None:
    """What the engine calls: `callback(intermediate_result=…)` or `callback(x)`, as SciPy tells them apart."""
    if callback is None:
        return None
    if not callable(callback):
        raise TypeError("callback must be callable")
    try:
        parameters = set(inspect.signature(callback).parameters)
    except (TypeError, ValueError):
        parameters = set()
    takes_results = parameters == {"intermediate_result"}

    def told(step: dict) -> bool:
        if step["nit"] == 0:
            return False
        answer = callback(intermediate_result=OptimizeResult(step)) if takes_results else callback(step["x"])
        return answer is True

    return told


def minimize(
    fun: Callable,
    x0: Any,
    args: tuple = (),
    method: str | None = None,
    jac: Callable | bool | str | None = None,
    hess: Callable | str | None = None,
    hessp: Callable | None = None,
    bounds: Any = None,
    constraints: Sequence = (),
    tol: float | None = None,
    callback: Callable | None = None,
    options: Mapping[str, Any] | None = None,
    *,
    l1: Any = None,
    x_scale: Any = None,
) -> OptimizeResult:
    """Minimises `fun(x, *args)` from `x0`.

    Arguments and fields of the result are those of SciPy's `minimize`. What is not given (`jac`, `hess`) comes by differences whose
    steps are chosen at every point from what `fun` shows there.

    Parameters beside SciPy's:

    method: any name in `secant.METHODS`, or SciPy's; by default one is chosen for the problem.
    l1: weights of |x| that are added to `fun`: a number, or one for each entry.
    x_scale: the size of each entry, against which a change is small; where differences begin.

    `options` are the method's own (`secant.method_options(name)`), those that all have (`gradient_tolerance`, `gradient_absolute`,
    `step_tolerance`, `value_tolerance`, `max_iterations`, `max_evaluations`, `max_time`, `target`), and SciPy's (`maxiter`, `gtol`, `ftol`,
    `xtol`, `maxfun`, `maxcor`, `disp`, `return_all`).

    >>> rosen = lambda x: (1 - x[0])**2 + 100 * (x[1] - x[0]**2)**2
    >>> found = minimize(rosen, [-1.2, 1.0])
    >>> bool(found.success), found.x.round(6).tolist()
    (True, [1.0, 1.0])
    """
    if constraints not in ((), None) and len(constraints):
        raise ValueError("constraints: only bounds are supported")
    if not callable(fun):
        raise TypeError("fun must be callable")
    if not isinstance(args, tuple):
        args = (args,)
    start = vector(np.asarray(x0, dtype=float).reshape(-1), "x0").copy()
    n = start.size
    if n == 0:
        raise ValueError("x0 is empty")
    lower, upper = bounds_of(bounds, n)
    weights = None if l1 is None else vector(l1, "l1", n)
    bounded = lower is not None and bool(np.isfinite(lower).any() or np.isfinite(upper).any())
    if bounded:
        inside = np.clip(start, lower, upper)
        if not np.array_equal(inside, start):
            warn("Initial guess is not within the specified bounds")
            start = inside
    both = jac is True
    if isinstance(jac, str):
        if jac not in _DIFFERENCES:
            raise ValueError(f"jac: expected a function, True, or one of {_DIFFERENCES}, got {jac!r}")
        jac = None
    gradient = jac if callable(jac) else None
    hessian = hess if callable(hess) else None
    if hessp is not None and not callable(hessp):
        raise TypeError("hessp must be callable")
    given = dict(options or {})
    show, keep = given.pop("disp", False), bool(given.pop("return_all", False))
    name, implied = resolve(method, bounded, weights is not None)
    ours = options_of(given, implied)
    if tol is not None:
        ours.setdefault("gradient_absolute", float(tol))
        ours.setdefault("gradient_tolerance", 0.0)
    scale = None if x_scale is None else vector(x_scale, "x_scale", n)
    x, report, path, gradient_at, counts = _core.minimize(
        fun, both, start, args, gradient, _dense(hessian), hessp, lower if bounded else None, upper if bounded else None,
        weights, name, as_json(ours), callback_of(callback), keep, scale,
    )
    result = OptimizeResult(
        x=x,
        fun=report["value"],
        jac=gradient_at,
        nit=report["iterations"],
        nfev=counts[0],
        njev=counts[1],
        nhev=counts[2],
        status=status_of(report),
        success=report["success"],
        message=message_of(report),
        method=report["solver"],
        report=report,
    )
    if keep:
        result["allvecs"] = list(path)
    if show:
        print(report["text"])
    return result


def _dense(function: Callable | None) -> Callable | None:
    """Sparse matrices and operators that a function may give, as arrays."""
    if function is None:
        return None

    def dense(*arguments: Any) -> Any:
        found = function(*arguments)
        if hasattr(found, "toarray"):
            return found.toarray()
        if hasattr(found, "matmat") and hasattr(found, "shape"):
            return found.matmat(np.eye(found.shape[1]))
        return found

    return dense
