"""A user's function of NumPy as a formula: it is called once with symbols, which write down what it does to them.

What they cannot see (a branch on the type of a number, random numbers, state) shows in the values, which `agrees` compares with those of
the function itself.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ._arrays import is_frame, names_of
from ._symbols import ATOM, MOST_COLUMNS, RESERVED, Symbol, Tape, Untraceable, free_name, number

#: Step from the start to the second point, of a parameter's size.
_STEP = 1e-3
#: Of the largest value: by what two ways to compute the same may differ.
_AGREEMENT = 1e-10

_WORDS = re.compile(r"[^\W\d]\w*\Z")


class _Variables:
    """x of several variables: a symbol for each, which stand in its rows, or else in its columns."""

    __slots__ = ("symbols", "in_rows")
    __array_ufunc__ = None

    def __init__(self, symbols: list[Symbol], in_rows: bool):
        self.symbols, self.in_rows = symbols, in_rows

    def __len__(self) -> int:
        if not self.in_rows:
            raise Untraceable("the number of samples")
        return len(self.symbols)

    def __getitem__(self, key):
        if type(key) is tuple and len(key) == 2:
            key, rest = key if self.in_rows else key[::-1]
            if rest is not Ellipsis and not (type(rest) is slice and rest == slice(None)):
                raise Untraceable("some of the samples")
        elif not self.in_rows:
            raise Untraceable("some of the samples")
        if isinstance(key, (bool, np.bool_)):
            raise Untraceable("a mask of variables")
        return self.symbols[operator.index(key)]

    @property
    def T(self) -> _Variables:
        """Rows as columns, columns as rows."""
        return _Variables(self.symbols, not self.in_rows)


class Traced:
    """A function as a formula of the columns of `inputs` (N × d), which are `features`."""

    __slots__ = ("text", "parameters", "inputs", "features", "places", "is_open", "in_rows", "values")

    text: str
    #: Names in the formula, in the function's order.
    parameters: list[str]
    inputs: np.ndarray
    features: list[str]
    #: Which of these the formula has.
    places: list[int]
    #: Whether the inputs are x, so that the formula is a curve at other ones too.
    is_open: bool
    #: Whether variables of a two-dimensional x are its rows.
    in_rows: bool
    #: At two points, 2 × N.
    values: np.ndarray

    def used(self) -> tuple[list[str], np.ndarray]:
        """The features that the formula has, and their columns."""
        if len(self.places) == len(self.features):
            return self.features, self.inputs
        return [self.features[i] for i in self.places], np.ascontiguousarray(self.inputs[:, self.places])


def two_points(start: list[float], limits: list[tuple[float, float]]) -> np.ndarray:
    """The start, and a point nearby within the limits, each parameter moved by another step: 2 × n."""
    moved = []
    for j, (one, (low, high)) in enumerate(zip(start, limits)):
        step = (_STEP if j % 2 else -_STEP) * (1.0 + j / len(start))
        moved.append(min(max(one * (1.0 + step) if one else step, low), high))
    return np.array([start, moved])


def ways(f: Callable, x: Any, table: Any, samples: int, names: Sequence[str], points: np.ndarray) -> Iterator[Traced]:
    """The formulas that f(x, *parameters) may be: one of x, or else one of the arrays that it makes of x.

    table: what x was, for the names of its columns. points: those of `two_points`.
    """
    try:
        given = _given(x, table, samples)
    except Exception:  # noqa: BLE001  (it is the function that says what may be x)
        given = None
    kept = given.features if given is not None and given.is_named else []
    parameters: list[str] = []
    for name in names:
        plain = name if _WORDS.match(name) else f"p{len(parameters)}"
        # Names that somebody gave to columns are kept, and else those of the parameters.
        parameters.append(free_name(plain, [*parameters, *kept]))
    for is_open in (True, False):
        if given is None if is_open else type(x) is not np.ndarray:
            continue
        tape = Tape(samples, parameters, not is_open)
        try:
            with np.errstate(all="ignore"):
                symbols = [Symbol(tape, name, ATOM, points[:, j : j + 1], False, 1 << j) for j, name in enumerate(parameters)]
                argument = given.symbols(tape) if is_open else x.copy()
                found = _whole(f(argument, *symbols), tape)
        except Exception:  # noqa: BLE001  (whatever it says of a symbol: it takes numbers)
            continue
        used = found.leaves >> len(parameters)
        made = Traced()
        made.text, made.parameters, made.is_open = found.text, parameters, is_open
        made.values = np.broadcast_to(found.values, (2, samples))
        if is_open:
            made.in_rows = given.in_rows is not False
            made.features, made.inputs = given.names_beside(parameters), given.columns
        else:
            made.in_rows = True
            columns = list(tape.columns.values())
            made.features = [column.text for column in columns]
            made.inputs = np.column_stack([column.values for column in columns])
        made.places = [i for i in range(len(made.features)) if used >> i & 1]
        yield made


def _whole(found: Any, tape: Tape) -> Symbol:
    """What a function gave, where it is a curve of all parameters."""
    found = number(found, tape)
    n = len(tape.parameters)
    every = (1 << n) - 1
    if found.leaves & every != every or not found.leaves >> n:
        raise Untraceable("no curve, or not one of all parameters")
    return found


def _quoted(name: str) -> str:
    return name if _WORDS.match(name) else f"`{name}`"


class _Given:
    """Variables of x: their names and columns; where they stand in x, `None` for one of them; whether the names are the user's."""

    __slots__ = ("features", "columns", "in_rows", "is_named", "is_mapping")

    def __init__(self, features: list[str], columns: np.ndarray, in_rows: bool | None, is_named: bool, is_mapping: bool = False):
        self.features, self.columns, self.in_rows = features, columns, in_rows
        self.is_named, self.is_mapping = is_named, is_mapping

    def names_beside(self, parameters: list[str]) -> list[str]:
        """Names that no parameter has."""
        if self.is_named:
            return self.features
        names: list[str] = []
        for name in self.features:
            names.append(free_name(name, [*parameters, *names]))
        return names

    def symbols(self, tape: Tape) -> Any:
        """What takes the place of x."""
        first = len(tape.parameters)
        each = [
            Symbol(tape, _quoted(name), ATOM, self.columns[:, i], True, 1 << (first + i), is_input=True)
            for i, name in enumerate(self.names_beside(tape.parameters))
        ]
        if self.is_mapping:
            return dict(zip(self.features, each))
        return each[0] if self.in_rows is None else _Variables(each, self.in_rows)


def _given(x: Any, table: Any, samples: int) -> _Given | None:
    if type(x) is dict:
        numbers = [np.asarray(column) for column in x.values()]
        if not numbers or not all(_is_column(column, samples) for column in numbers) or not _are_names(list(x)):
            return None
        return _Given(list(x), np.column_stack(numbers).astype(np.float64, copy=False), None, True, True)
    if type(x) is not np.ndarray and not hasattr(x, "to_numpy"):
        return None
    numbers = np.asarray(x)
    if _is_column(numbers, samples):
        return _Given(["x"], np.ascontiguousarray(numbers, dtype=np.float64).reshape(-1, 1), None, False)
    if numbers.dtype == np.float64 and numbers.ndim > 2 and numbers.size == len(numbers) * samples:
        # A grid for each variable, as `meshgrid` makes them.
        numbers = numbers.reshape(len(numbers), samples)
    if numbers.ndim != 2 or numbers.dtype != np.float64 or samples not in numbers.shape:
        return None
    in_rows = numbers.shape[1] == samples
    if numbers.size > MOST_COLUMNS * samples:
        return None
    columns = np.ascontiguousarray(numbers.T if in_rows else numbers)
    named = names_of(table) if is_frame(table) else None
    if not in_rows and named and _are_names(named):
        return _Given(named, columns, in_rows, True)
    return _Given([f"x{i + 1}" for i in range(columns.shape[1])], columns, in_rows, False)


def _is_column(numbers: np.ndarray, samples: int) -> bool:
    return numbers.shape == (samples,) and (numbers.dtype == np.float64 or numbers.dtype.kind in "iu")


def _are_names(names: list[Any]) -> bool:
    return len(set(names)) == len(names) and all(type(name) is str and name and "`" not in name and name not in RESERVED for name in names)


def agrees(found: Any, values: np.ndarray, *, everywhere: bool = True) -> bool:
    """Whether what a function gave is what the formula says: finite `everywhere`, or else infinite and NaN where that is."""
    found = np.asarray(found)
    if found.dtype != np.float64 or found.size != values.size:
        return False
    found = found.reshape(-1)
    with np.errstate(all="ignore"):
        apart = found - values
        # The same bits, and finite: the difference of what is not is NaN.
        if not apart.any():
            return True
        apart, size = np.abs(apart), np.abs(found)
        if apart.max() <= _AGREEMENT * size.max() < np.inf:
            return True
        if everywhere:
            return False
        same = (found == values) | (np.isnan(found) & np.isnan(values))
        return bool((same | (apart <= _AGREEMENT * size[np.isfinite(size)].max(initial=0.0))).all())
