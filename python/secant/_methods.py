"""Methods by our names and by SciPy's, options by ours and by SciPy's."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from . import _core
from ._result import warn

#: Every method by its name; those for bounds or for an L1 penalty stand behind the others.
METHODS: tuple[str, ...] = (
    *_core.method_names(),
    "lbfgsb",
    "tron",
    "bounded-levenberg-marquardt",
    "owl-qn",
    "proximal-newton",
)

# SciPy's name → ours, ours with bounds, options.
_SCIPY: dict[str, tuple[str, str, dict[str, Any]]] = {
    "cg": ("nonlinear-cg", "lbfgsb", {}),
    "bfgs": ("bfgs", "lbfgsb", {}),
    "newton-cg": ("newton-cg", "tron", {}),
    "l-bfgs-b": ("lbfgs", "lbfgsb", {}),
    "tnc": ("newton-cg", "tron", {}),
    "trust-constr": ("trust-region", "tron", {}),
    "dogleg": ("trust-region", "tron", {"subproblem": "Dogleg"}),
    "trust-ncg": ("trust-region", "tron", {"subproblem": "Steihaug"}),
    "trust-krylov": ("trust-region", "tron", {"subproblem": "Gltr"}),
    "trust-exact": ("trust-region", "tron", {"subproblem": "Exact"}),
}
_BOUNDED = {"lbfgs": "lbfgsb", "levenberg-marquardt": "bounded-levenberg-marquardt"}
_WITHOUT = {
    "nelder-mead": "it uses no derivatives; leave `method` out, gradients come by differences where none is given",
    "powell": "it uses no derivatives; leave `method` out, gradients come by differences where none is given",
    "cobyla": "constraints other than bounds are not what this library does",
    "cobyqa": "constraints other than bounds are not what this library does",
    "slsqp": "constraints other than bounds are not what this library does; for bounds alone leave `method` out",
}

# SciPy's options → ours.
_OPTIONS = {
    "maxiter": "max_iterations",
    "maxfun": "max_evaluations",
    "maxfev": "max_evaluations",
    "max_nfev": "max_evaluations",
    "gtol": "gradient_absolute",
    "ftol": "value_tolerance",
    "xtol": "step_tolerance",
    "xrtol": "step_tolerance",
    "maxcor": "memory",
    "initial_trust_radius": "initial_radius",
    "initial_tr_radius": "initial_radius",
}
# SciPy's options that have no meaning here, or another place.
_IGNORED = {"eps", "finite_diff_rel_step", "norm", "iprint", "maxls", "c1", "c2", "workers", "verbose", "max_trust_radius", "eta"}


def plain(name: str) -> str:
    """As names are compared: lower case, hyphens."""
    return name.strip().lower().replace("_", "-").replace(" ", "-")


def resolve(method: str | None, bounded: bool, l1: bool) -> tuple[str, dict[str, Any]]:
    """Our name of a method for what is asked of θ, and the options that its SciPy name implies."""
    if method is None:
        return "auto", {}
    if not isinstance(method, str):
        raise TypeError(f"method: expected a name, got {type(method).__name__}")
    name = plain(method)
    if name in _WITHOUT:
        raise ValueError(f"method {method!r}: {_WITHOUT[name]}")
    if name in _SCIPY and not (name in METHODS and not bounded):
        free, within, options = _SCIPY[name]
        return (within, {}) if bounded else (free, dict(options))
    if name in ("owl-qn", "proximal-newton") and not l1:
        raise ValueError(f"method {method!r} minimises f + Σ wⱼ|xⱼ|: give the weights as `l1`")
    if bounded:
        name = _BOUNDED.get(name, name)
    elif not l1 and name in ("lbfgsb", "bounded-levenberg-marquardt", "tron"):
        name = {"lbfgsb": "lbfgs", "tron": "trust-region"}.get(name, "levenberg-marquardt")
    return name, {}


def options_of(options: Mapping[str, Any] | None, implied: Mapping[str, Any] = {}) -> dict[str, Any]:
    """Options under our names."""
    ours: dict[str, Any] = dict(implied)
    for key, value in (options or {}).items():
        if key in _IGNORED:
            warn(f"Unknown solver options: {key}", stacklevel=4)
            continue
        name = _OPTIONS.get(key, key)
        if name == "gradient_absolute" and key == "gtol":
            # One test, that of SciPy: the engine's own is relative to the start.
            ours.setdefault("gradient_tolerance", 0.0)
        if value is None:
            continue
        if isinstance(value, np.generic):
            value = value.item()
        if name in ("max_iterations", "max_evaluations") and isinstance(value, float):
            if not math.isfinite(value):
                continue
            value = int(value)
        ours[name] = value
    return ours


def as_json(options: Mapping[str, Any]) -> str:
    """For the engine."""
    try:
        return json.dumps(options, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"options: {error}") from None


def method_options(method: str) -> dict[str, Any]:
    """The options of a method with their defaults.

    >>> method_options("lbfgs")["memory"]
    10
    """
    return json.loads(_core.method_options(plain(method)))
