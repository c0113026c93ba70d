"""What comes back: SciPy's fields by name and by attribute, and the engine's report beside them."""

from __future__ import annotations

import sys
import warnings
from typing import Any


class OptimizeResult(dict):
    """Fields as SciPy's `OptimizeResult` has them; `report` is the engine's, a dictionary whose `text` reads well."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    __setattr__ = dict.__setitem__
    __delattr__ = dict.__delitem__

    def __dir__(self) -> list[str]:
        return list(self.keys())

    def __repr__(self) -> str:
        shown = [key for key in self if key != "report"]
        width = max(map(len, shown), default=0)
        return "\n".join(f"{key.rjust(width)}: {self[key]!r}" for key in shown)


class OptimizeWarning(UserWarning):
    """Where SciPy warns; its own class where SciPy is loaded, so that filters for it hold."""


def warn(message: str, stacklevel: int = 3) -> None:
    """Warns by SciPy's class where SciPy is loaded."""
    scipy = sys.modules.get("scipy.optimize")
    category = getattr(scipy, "OptimizeWarning", OptimizeWarning)
    warnings.warn(message, category, stacklevel=stacklevel)


STOPPED = "`callback` raised `StopIteration`."

# As SciPy numbers them: 1 a limit, 2 the digits are used up before the tolerance, 3 not a number, 99 stopped by the callback.
_STATUS = {
    "MaxIterations": 1,
    "MaxEvaluations": 1,
    "MaxTime": 1,
    "LineSearchFailed": 2,
    "Stalled": 2,
    "NonFiniteStart": 3,
    "NonFiniteValue": 3,
    "NonFiniteCurvature": 3,
    "Unbounded": 4,
    "NoCurvature": 4,
    "Interrupted": 99,
}


def status_of(report: dict) -> int:
    """0 where it converged."""
    return 0 if report["success"] else _STATUS.get(report["reason"], 4)


def message_of(report: dict) -> str:
    """In words."""
    return STOPPED if report["reason"] == "Interrupted" else report["message"]
