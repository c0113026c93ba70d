"""Stand-ins for numbers: what is done to them is written down as text of a formula.

A `Symbol` has the text of what was made so far, and its values at two points, which are computed beside it by NumPy. What has no text of the
same value raises `Untraceable`; so does what depends on a value, as a branch does.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

#: Characters of a formula, its equal terms written out.
_LONGEST = 20_000
#: Operations of one call.
_MOST = 1_000
#: Arrays beside x, at most.
MOST_COLUMNS = 64
#: Whole numbers up to here are numbers of `float64`.
_WHOLE = 1 << 53

# How tightly operators bind, as in the grammar.
_OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _SIGN, _POWER, ATOM = range(9)

#: What names mean in a formula, so that neither a parameter nor an input may be called so.
RESERVED = frozenset(
    "exp expm1 log ln log10 log2 log1p sqrt cbrt abs min max sin cos tan asin acos atan atan2 sinh cosh tanh erf erfc lgamma if "
    "pi π e and or not".split()
)


class Untraceable(TypeError):
    """The function does something that no formula has."""


class Tape:
    """One call: how much it did, and the arrays that it brought in."""

    __slots__ = ("samples", "operations", "columns", "parameters")

    def __init__(self, samples: int, parameters: Sequence[str], takes_columns: bool):
        self.samples = samples
        self.operations = 0
        #: By their bytes, so that an array that is written to later is another one; `None` where x is a symbol.
        self.columns: dict[bytes, Symbol] | None = {} if takes_columns else None
        self.parameters = parameters

    def column(self, numbers: np.ndarray) -> Symbol:
        """Data of each sample, which are no input that could have other values."""
        if self.columns is None:
            raise Untraceable("an array beside x")
        key = numbers.tobytes()
        known = self.columns.get(key)
        if known is None:
            if len(self.columns) == MOST_COLUMNS or not np.isfinite(numbers).all():
                raise Untraceable("too many arrays, or one that is not finite")
            # A parameter may be called c1: this can be no parameter's name.
            name = free_name(f"c{len(self.columns) + 1}", self.parameters)
            leaf = 1 << (len(self.parameters) + len(self.columns))
            known = self.columns[key] = Symbol(self, name, ATOM, np.frombuffer(key), True, leaf)
        return known


class Symbol:
    """A number, or one for each sample: its text, how tightly that binds, and its values at two points (2 × N, or what broadcasts)."""

    __slots__ = ("tape", "text", "binds", "values", "is_vector", "leaves", "is_condition", "is_input")
    __hash__ = None

    def __init__(self, tape, text, binds, values, is_vector, leaves, is_condition=False, is_input=False):
        tape.operations += 1
        if len(text) > _LONGEST or tape.operations > _MOST:
            raise Untraceable("too long")
        self.tape = tape
        self.text = text
        self.binds = binds
        self.values = values
        self.is_vector = is_vector
        #: Of what it is made, as bits: the parameters, then the inputs or the arrays.
        self.leaves = leaves
        self.is_condition = is_condition
        #: x itself, which is not to be written to.
        self.is_input = is_input

    def __repr__(self) -> str:
        return self.text

    def __bool__(self):
        raise Untraceable("a branch on a value")

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **options):
        if method != "__call__" or options:
            raise Untraceable(f"{ufunc.__name__}.{method} with {list(options)}")
        if out is not None and not (isinstance(out[0], np.ndarray) and out[0] is inputs[0] and out[0].dtype == np.float64):
            raise Untraceable("out=")
        rule = _rule(ufunc)
        if rule is None:
            raise Untraceable(ufunc.__name__)
        if any(type(one) is np.ndarray and one.dtype == object and one.ndim for one in inputs):
            return _each(ufunc, inputs)
        # `y += s` with an array y: the name y is the symbol from here on.
        return rule(*inputs)

    def __array_function__(self, function, types, arguments, options):
        rule = _FUNCTIONS.get(function)
        if rule is None:
            raise Untraceable(function.__name__)
        return rule(*arguments, **options)

    def __pow__(self, other, modulo=None):
        if modulo is not None:
            raise Untraceable("pow with a modulus")
        return _power(self, other)

    def __rpow__(self, other):
        return _power(other, self)

    def __ipow__(self, other):
        return self._becomes(_power(self, other))

    def __abs__(self):
        return _RULES[np.absolute](self)

    def _becomes(self, found: Symbol) -> Symbol:
        """What `+=` and the like make of it: of an array the same array, which other names see too."""
        if not self.is_vector:
            return found
        if self.is_input or self.is_condition != found.is_condition:
            raise Untraceable("x is written to, or a condition")
        self.text, self.binds, self.values, self.leaves = found.text, found.binds, found.values, found.leaves
        return self

    def copy(self, *_, **__):
        """The same, to be written to."""
        return Symbol(self.tape, self.text, self.binds, self.values, self.is_vector, self.leaves, self.is_condition)

    def ravel(self, *_, **__):
        """The same: of the samples of a grid the formula knows the numbers alone."""
        return _as_it_is(self)

    def flatten(self, *_, **__):
        """As `ravel`."""
        return _as_it_is(self).copy()

    def astype(self, dtype, *_, **__):
        """As `float`."""
        kind = np.dtype(dtype)
        if kind == np.float64 or (self.is_condition and kind.kind in "iu"):
            return number(self, self.tape).copy()
        raise Untraceable(f"astype({dtype})")

    def clip(self, min=None, max=None):  # noqa: A002
        """As NumPy's."""
        return _clip(self, min, max)


def free_name(name: str, taken: Sequence[str]) -> str:
    """The name, or one like it that is not taken and means nothing else."""
    while name in taken or name in RESERVED:
        name += "_"
    return name


# --- operands -----------------------------------------------------------------------------------------------------------


def _constant(value: Any, tape: Tape, is_vector: bool = False) -> Symbol:
    if type(value) is int and -_WHOLE < value < _WHOLE:
        return Symbol(tape, str(value), _SIGN if value < 0 else ATOM, float(value), is_vector, 0)
    value = float(value)
    # Infinite and NaN: there is no text for them.
    if value - value != 0.0:
        raise Untraceable("a number that is not finite")
    text = repr(value)
    if text.endswith(".0"):
        text = text[:-2]
    return Symbol(tape, text, _SIGN if text[0] == "-" else ATOM, value, is_vector, 0)


def _operand(value: Any, tape: Tape) -> Symbol:
    """What meets a symbol, as one; conditions stay so."""
    kind = type(value)
    if kind is Symbol:
        if value.tape is not tape:
            raise Untraceable("a symbol of another call")
        return value
    if kind is int or kind is float or kind is bool:
        return _constant(value, tape)
    if not isinstance(value, (np.ndarray, np.generic)) or hasattr(value, "mask"):
        raise Untraceable(f"a {kind.__name__}")
    if value.dtype == object and value.ndim == 0:
        return _operand(value.item(), tape)
    if value.dtype.kind not in "fiub" or value.dtype.itemsize > 8:
        raise Untraceable(f"numbers of type {value.dtype}")
    is_condition = value.dtype.kind == "b"
    if value.ndim == 0 and not is_condition:
        return _constant(value, tape)
    if value.ndim > 0 and value.shape != (tape.samples,):
        raise Untraceable(f"an array of shape {value.shape}")
    first = value if value.ndim == 0 else value[0]
    if value.ndim == 0 or (value == first).all():
        if is_condition:
            return Symbol(tape, "1 > 0" if first else "0 > 1", _COMPARISON, bool(first), value.ndim > 0, 0, True)
        return _constant(first, tape, True)
    column = tape.column(np.ascontiguousarray(value, dtype=np.float64))
    if is_condition:
        return Symbol(tape, f"{column.text} > 0.5", _COMPARISON, value, True, column.leaves, True)
    return column


def number(value: Any, tape: Tape) -> Symbol:
    """The same for what takes numbers: a condition is 1 or 0."""
    kind = type(value)
    if kind is int or kind is float:
        return _constant(value, tape)
    symbol = value if kind is Symbol and value.tape is tape else _operand(value, tape)
    if symbol.is_condition:
        text = f"if({symbol.text}, 1, 0)"
        return Symbol(tape, text, ATOM, 1.0 * symbol.values, symbol.is_vector, symbol.leaves)
    return symbol


def _condition(value: Any, tape: Tape) -> Symbol:
    """The same for what takes conditions."""
    if type(value) is bool:
        value = np.bool_(value)
    symbol = _operand(value, tape)
    if not symbol.is_condition:
        raise Untraceable("a number as a condition")
    return symbol


def _tape_of(values: Sequence[Any]) -> Tape:
    for value in values:
        if type(value) is Symbol:
            return value.tape
        if type(value) is np.ndarray and value.dtype == object and value.ndim == 0:
            return _tape_of([value.item()])
    raise Untraceable("no symbol among the arguments")


def _each(ufunc: np.ufunc, inputs: Sequence[Any]) -> np.ndarray:
    """Arrays of symbols with single ones: NumPy goes through the entries."""
    boxed = []
    for one in inputs:
        if type(one) is Symbol:
            if one.is_vector:
                raise Untraceable("an array of symbols with one of all samples")
            box = np.empty((), dtype=object)
            box[()] = one
            one = box
        boxed.append(one)
    return ufunc(*boxed)


# --- operations ---------------------------------------------------------------------------------------------------------


def _within(symbol: Symbol, least: int) -> str:
    """The text where only what binds as tightly may stand."""
    return symbol.text if symbol.binds >= least else f"({symbol.text})"


def _infix(ufunc: np.ufunc, sign: str, binds: int) -> Callable:
    compares = binds == _COMPARISON

    def rule(a: Any, b: Any) -> Symbol:
        tape = a.tape if type(a) is Symbol else _tape_of((a, b))
        if type(a) is not Symbol or a.is_condition:
            a = _both(ufunc, a, b, tape) if binds == _SUM or binds == _PRODUCT else number(a, tape)
            if a.is_condition:
                return a
        if type(b) is not Symbol or b.is_condition:
            b = number(b, tape)
        elif b.tape is not tape:
            raise Untraceable("a symbol of another call")
        left = a.text if a.binds >= binds else f"({a.text})"
        return Symbol(
            tape, left + sign + _within(b, binds + 1), binds, ufunc(a.values, b.values), a.is_vector or b.is_vector,
            a.leaves | b.leaves, compares,
        )

    return rule


def _both(ufunc: np.ufunc, a: Any, b: Any, tape: Tape) -> Symbol:
    """Sums of two conditions are NumPy's "or", products its "and"; otherwise a as a number."""
    a = _operand(a, tape)
    if a.is_condition and _operand(b, tape).is_condition:
        if ufunc is np.add or ufunc is np.multiply:
            return (_or if ufunc is np.add else _and)(a, b)
        raise Untraceable(f"{ufunc.__name__} of two conditions")
    return number(a, tape)


def _call(ufunc: np.ufunc, name: str) -> Callable:
    def rule(a: Any) -> Symbol:
        if type(a) is not Symbol or a.is_condition:
            a = number(a, _tape_of((a,)))
        return Symbol(a.tape, f"{name}({a.text})", ATOM, ufunc(a.values), a.is_vector, a.leaves)

    return rule


def _call2(ufunc: np.ufunc, name: str) -> Callable:
    def rule(a: Any, b: Any) -> Symbol:
        tape = _tape_of((a, b))
        a, b = number(a, tape), number(b, tape)
        text = f"{name}({a.text}, {b.text})"
        return Symbol(tape, text, ATOM, ufunc(a.values, b.values), a.is_vector or b.is_vector, a.leaves | b.leaves)

    return rule


def _power(a: Any, b: Any) -> Symbol:
    tape = a.tape if type(a) is Symbol else _tape_of((a, b))
    a, b = number(a, tape), number(b, tape)
    text = f"{_within(a, ATOM)}^{_within(b, _POWER)}"
    # As NumPy has them of float64: of Python's numbers (−8)^⅓ would be complex.
    values = (np.float64(a.values) if type(a.values) is float else a.values) ** b.values
    return Symbol(tape, text, _POWER, values, a.is_vector or b.is_vector, a.leaves | b.leaves)


def _negative(a: Any) -> Symbol:
    a = _operand(a, _tape_of((a,)))
    if a.is_condition:
        raise Untraceable("the negative of a condition")
    return Symbol(a.tape, f"-{_within(a, _SIGN)}", _SIGN, -a.values, a.is_vector, a.leaves)


def _positive(a: Any) -> Symbol:
    return number(a, _tape_of((a,))).copy()


def _joins(ufunc: np.ufunc, word: str, binds: int) -> Callable:
    def rule(a: Any, b: Any) -> Symbol:
        tape = _tape_of((a, b))
        a, b = _condition(a, tape), _condition(b, tape)
        text = f"{_within(a, binds)} {word} {_within(b, binds + 1)}"
        return Symbol(tape, text, binds, ufunc(a.values, b.values), a.is_vector or b.is_vector, a.leaves | b.leaves, True)

    return rule


_and, _or = _joins(np.logical_and, "and", _AND), _joins(np.logical_or, "or", _OR)


def _not(a: Any) -> Symbol:
    a = _condition(a, _tape_of((a,)))
    return Symbol(a.tape, f"not {_within(a, ATOM)}", _NOT, np.logical_not(a.values), a.is_vector, a.leaves, True)


def _where(condition: Any, *branches: Any) -> Symbol:
    if len(branches) != 2:
        raise Untraceable("where without branches")
    tape = _tape_of((condition, *branches))
    if isinstance(condition, (bool, np.bool_)):
        chosen, other = branches if condition else branches[::-1]
        if np.isscalar(other):
            # It may be NaN, of which there is no text.
            return number(chosen, tape).copy()
    c = _condition(condition, tape)
    a, b = (_operand(branch, tape) for branch in branches)
    if a.is_condition and b.is_condition:
        raise Untraceable("where of two conditions")
    a, b = number(a, tape), number(b, tape)
    is_vector = c.is_vector or a.is_vector or b.is_vector
    if type(c.values) is bool:
        chosen = a if c.values else b
        return Symbol(tape, chosen.text, chosen.binds, chosen.values, is_vector, chosen.leaves)
    text = f"if({c.text}, {a.text}, {b.text})"
    return Symbol(tape, text, ATOM, np.where(c.values, a.values, b.values), is_vector, c.leaves | a.leaves | b.leaves)


def _clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:  # noqa: A002
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    if low is not None:
        a = np.maximum(a, low)
    return a if high is None else np.minimum(a, high)


def _select(conditions: Sequence[Any], choices: Sequence[Any], default: Any = 0) -> Any:
    if len(conditions) != len(choices) or not len(conditions):
        raise Untraceable("select with as many conditions as choices")
    found = default
    for condition, choice in zip(reversed(conditions), reversed(choices)):
        # Of numbers alone this is NumPy's.
        found = np.where(condition, choice, found)
    return found


def _piecewise(x: Any, conditions: Any, functions: Sequence[Any], *arguments: Any, **options: Any) -> Any:
    if type(x) is not Symbol or not isinstance(conditions, (list, tuple)):
        raise Untraceable("piecewise of other things")
    pieces = [function(x, *arguments, **options) if callable(function) else function for function in functions]
    if len(pieces) not in (len(conditions), len(conditions) + 1):
        raise Untraceable("piecewise with as many functions as conditions")
    found = pieces.pop() if len(pieces) > len(conditions) else 0
    # Of several that hold the last counts.
    for condition, piece in zip(conditions, pieces):
        found = np.where(condition, piece, found)
    return found


def _filled(value: Any, like: Any, options: dict) -> Symbol:
    if type(like) is not Symbol or not like.is_vector or set(options) - {"dtype"} or options.get("dtype") not in (None, float, np.float64):
        raise Untraceable("an array of another kind")
    filling = number(value, like.tape)
    return Symbol(like.tape, filling.text, filling.binds, filling.values, True, filling.leaves)


def _full_like(a: Any, fill_value: Any, **options: Any) -> Symbol:
    return _filled(fill_value, a, options)


def _ones_like(a: Any, **options: Any) -> Symbol:
    return _filled(1.0, a, options)


def _zeros_like(a: Any, **options: Any) -> Symbol:
    return _filled(0.0, a, options)


def _polyval(p: Any, x: Any) -> Any:
    found = None
    for coefficient in p:
        found = coefficient if found is None else found * x + coefficient
    return found


def _sinc(x: Any) -> Symbol:
    u = np.pi * number(x, _tape_of((x,)))
    return _where(u == 0.0, 1.0, np.sin(u) / u)


def _copied(a: Any, *_: Any, **__: Any) -> Symbol:
    return a.copy()


def _as_it_is(a: Any, *_: Any, **__: Any) -> Symbol:
    if not a.is_vector:
        raise Untraceable("an array of one number")
    return a


def _made_of(made: Callable) -> Callable:
    """The rule of what is written by other functions."""

    def rule(*values: Any) -> Symbol:
        tape = _tape_of(values)
        return made(*(number(value, tape) for value in values))

    return rule


def _hypot(a: Symbol, b: Symbol) -> Symbol:
    return np.sqrt(a**2 + b**2)


def _arcsinh(a: Symbol) -> Symbol:
    # The term behind u has no cancellation, on either side of 0.
    rest = a**2 / (1 + np.sqrt(1 + a**2))
    return _where(a < 0, -np.log1p(rest - a), np.log1p(a + rest))


def _arccosh(a: Symbol) -> Symbol:
    return np.log1p((a - 1) + np.sqrt((a - 1) * (a + 1)))


def _arctanh(a: Symbol) -> Symbol:
    return 0.5 * (np.log1p(a) - np.log1p(-a))


def _sign(a: Symbol) -> Symbol:
    return _where(a > 0, 1, _where(a < 0, -1, 0))


def _heaviside(a: Symbol, half: Symbol) -> Symbol:
    return _where(a < 0, 0, _where(a > 0, 1, half))


def _logaddexp(a: Symbol, b: Symbol) -> Symbol:
    return np.maximum(a, b) + np.log1p(np.exp(-abs(a - b)))


def _expit(a: Symbol) -> Symbol:
    return 1 / (1 + np.exp(-a))


_NAMES = {
    "exp": np.exp, "expm1": np.expm1, "log": np.log, "log10": np.log10, "log2": np.log2, "log1p": np.log1p, "sqrt": np.sqrt,
    "cbrt": np.cbrt, "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan,
    "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "abs": np.absolute,
}
_SIGNS = [
    (np.add, " + ", _SUM), (np.subtract, " - ", _SUM), (np.multiply, "*", _PRODUCT), (np.divide, "/", _PRODUCT),
    (np.less, " < ", _COMPARISON), (np.less_equal, " <= ", _COMPARISON), (np.greater, " > ", _COMPARISON),
    (np.greater_equal, " >= ", _COMPARISON), (np.equal, " == ", _COMPARISON), (np.not_equal, " != ", _COMPARISON),
]
_RULES: dict[np.ufunc, Callable] = {
    **{ufunc: _call(ufunc, name) for name, ufunc in _NAMES.items()},
    **{ufunc: _infix(ufunc, sign, binds) for ufunc, sign, binds in _SIGNS},
    np.fabs: _call(np.fabs, "abs"),
    np.power: _power, np.float_power: _power, np.negative: _negative, np.positive: _positive,
    np.arctan2: _call2(np.arctan2, "atan2"), np.maximum: _call2(np.maximum, "max"), np.minimum: _call2(np.minimum, "min"),
    np.square: _made_of(lambda a: a**2), np.reciprocal: _made_of(lambda a: 1 / a), np.exp2: _made_of(lambda a: 2**a),
    np.hypot: _made_of(_hypot), np.arcsinh: _made_of(_arcsinh), np.arccosh: _made_of(_arccosh), np.arctanh: _made_of(_arctanh),
    np.sign: _made_of(_sign), np.heaviside: _made_of(_heaviside), np.logaddexp: _made_of(_logaddexp),
    np.deg2rad: _made_of(lambda a: a * (np.pi / 180)), np.radians: _made_of(lambda a: a * (np.pi / 180)),
    np.rad2deg: _made_of(lambda a: a * (180 / np.pi)), np.degrees: _made_of(lambda a: a * (180 / np.pi)),
    np.logical_and: _and, np.bitwise_and: _and, np.logical_or: _or, np.bitwise_or: _or,
    np.logical_not: _not, np.invert: _not,
}
_FUNCTIONS: dict[Callable, Callable] = {
    np.where: _where, np.clip: _clip, np.select: _select, np.piecewise: _piecewise, np.full_like: _full_like,
    np.ones_like: _ones_like, np.zeros_like: _zeros_like, np.polyval: _polyval, np.sinc: _sinc, np.copy: _copied,
    np.atleast_1d: _as_it_is, np.ravel: _as_it_is,
}
# Of `scipy.special`, by name; the rule of a function of values is made where it is met.
_SPECIAL: dict[str, Callable[[np.ufunc], Callable]] = {
    "erf": lambda ufunc: _call(ufunc, "erf"), "erfc": lambda ufunc: _call(ufunc, "erfc"),
    "gammaln": lambda ufunc: _call(ufunc, "lgamma"), "gamma": lambda ufunc: _call(ufunc, "gamma"),
    "log1p": lambda ufunc: _call(ufunc, "log1p"), "expm1": lambda ufunc: _call(ufunc, "expm1"),
    "cbrt": lambda ufunc: _call(ufunc, "cbrt"), "exp2": lambda _: _made_of(lambda a: 2**a),
    "exp10": lambda _: _made_of(lambda a: 10**a), "expit": lambda _: _made_of(_expit),
}


def _rule(ufunc: np.ufunc) -> Callable | None:
    rule = _RULES.get(ufunc)
    if rule is None:
        make = _SPECIAL.get(ufunc.__name__)
        special = sys.modules.get("scipy.special")
        if make is None or getattr(special, ufunc.__name__, None) is not ufunc:
            return None
        rule = _RULES[ufunc] = make(ufunc)
    return rule


def _give_symbols_operators() -> None:
    """Python's operators, and the methods by which NumPy applies its functions to the entries of an array of objects."""

    def both(name: str, ufunc: np.ufunc) -> None:
        rule = _RULES[ufunc]

        def reflected(self, other):
            return rule(other, self)

        setattr(Symbol, f"__{name}__", rule)
        setattr(Symbol, f"__r{name}__", reflected)
        setattr(Symbol, f"__i{name}__", lambda self, other: self._becomes(rule(self, other)))

    for name, ufunc in [("add", np.add), ("sub", np.subtract), ("mul", np.multiply), ("truediv", np.divide)]:
        both(name, ufunc)
    both("and", np.bitwise_and)
    both("or", np.bitwise_or)
    comparisons = {"lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal}
    for name, ufunc in comparisons.items():
        setattr(Symbol, f"__{name}__", _RULES[ufunc])
    for name, ufunc in [("neg", np.negative), ("pos", np.positive), ("invert", np.invert)]:
        setattr(Symbol, f"__{name}__", _RULES[ufunc])
    for ufunc, rule in _RULES.items():
        if ufunc.nin == 1 and not hasattr(Symbol, ufunc.__name__):
            setattr(Symbol, ufunc.__name__, rule)
    for ufunc in (np.arctan2, np.hypot):
        setattr(Symbol, ufunc.__name__, _RULES[ufunc])


_give_symbols_operators()
