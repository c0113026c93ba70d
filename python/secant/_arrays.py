"""From what people have to contiguous arrays of the right types, with at most one copy."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np


def whole(value: Any, name: str, least: int = 0) -> int:
    """A whole number from `least` on."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: expected a whole number, got {value!r}") from None
    if number < least:
        raise ValueError(f"{name} must be {least} or more, got {number}")
    return number


def is_frame(data: Any) -> bool:
    """Whether it is a data frame (pandas, Polars, …): columns with names."""
    return hasattr(data, "columns") and hasattr(data, "to_numpy")


#: Numbers of sparse inputs, or of inputs in single precision, that are made `float64` at a time.
_PART = 1 << 22


def array(data: Any, name: str, *, single: bool = False) -> np.ndarray:
    """Numbers as an array of any shape: not copied where they are one of C order and `float64`.

    single: whether `float32` stays so.
    """
    if is_frame(data) or (hasattr(data, "to_numpy") and not isinstance(data, np.ndarray)):
        data = data.to_numpy()
    elif not isinstance(data, np.ndarray) and hasattr(data, "__dlpack__"):
        data = np.from_dlpack(data)
    try:
        numbers = np.asarray(data)
        if numbers.dtype.kind == "c":
            raise ValueError(f"{name} holds complex numbers")
        kept = np.float32 if single and numbers.dtype == np.float32 else np.float64
        return np.atleast_1d(np.require(numbers, kept, ["C", "A"]))
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: expected numbers ({error})") from None


def vector(data: Any, name: str, length: int | None = None) -> np.ndarray:
    """Numbers in one dimension; one number stands for `length` of them."""
    numbers = array(data, name)
    if length is not None and numbers.size == 1 and numbers.ndim <= 1:
        return np.full(length, numbers.reshape(-1)[0])
    numbers = np.atleast_1d(numbers)
    if numbers.ndim != 1:
        raise ValueError(f"{name} must have one dimension, it has shape {numbers.shape}")
    if length is not None and numbers.size != length:
        raise ValueError(f"{name} has {numbers.size} entries, expected {length}")
    return numbers


def matrix(data: Any, name: str, *, single: bool = False) -> np.ndarray:
    """Numbers in two dimensions, a sample a row; one dimension is one feature."""
    numbers = array(data, name, single=single)
    if numbers.ndim == 1:
        numbers = numbers.reshape(-1, 1)
    if numbers.ndim != 2:
        raise ValueError(f"{name} must have two dimensions, it has shape {numbers.shape}")
    return numbers


def names_of(data: Any) -> list[str] | None:
    """The names of a frame's columns, where all are texts."""
    if not is_frame(data):
        return None
    names = list(data.columns)
    return names if names and all(isinstance(name, str) for name in names) else None


def bounds_of(bounds: Any, n: int, *, arrays: bool = False) -> tuple[np.ndarray, np.ndarray] | tuple[None, None]:
    """Lower and upper bounds: pairs with `None` for none, two arrays, or an object with `lb` and `ub`.

    With two entries both readings fit: `arrays` says which one holds.
    """
    if bounds is None:
        return None, None
    if hasattr(bounds, "lb") and hasattr(bounds, "ub"):
        lower, upper = bounds.lb, bounds.ub
    else:
        pairs = list(bounds)
        of_pairs = len(pairs) == n and not (arrays and n == 2) and all(
            isinstance(pair, (tuple, list, np.ndarray)) and len(pair) == 2 for pair in pairs
        )
        if of_pairs:
            lower = [-np.inf if low is None else low for low, _ in pairs]
            upper = [np.inf if high is None else high for _, high in pairs]
        elif len(pairs) == 2:
            lower, upper = pairs
        else:
            raise ValueError(f"bounds: expected {n} pairs, or the lower and the upper ones")
    low, high = vector(lower, "lower bounds", n), vector(upper, "upper bounds", n)
    if np.isnan(low).any() or np.isnan(high).any():
        raise ValueError("bounds: one is NaN")
    if (low > high).any():
        j = int(np.argmax(low > high))
        raise ValueError(f"bounds of parameter {j}: the lower one, {low[j]}, is above the upper one, {high[j]}")
    return low.copy(), high.copy()


def is_sparse(data: Any) -> bool:
    """Whether it is one of SciPy's sparse matrices or arrays."""
    return hasattr(data, "tocsr") and hasattr(data, "nnz")


def _places(numbers: np.ndarray) -> np.ndarray:
    """Whole numbers of 32 or 64 bits, as SciPy has them."""
    kind = numbers.dtype if numbers.dtype in (np.int32, np.int64) else np.int64
    return np.require(numbers, kind, ["C", "A"])


class Sparse:
    """The entries of a sparse matrix, a sample a row, as the engine reads them."""

    __slots__ = ("shape", "offsets", "indices", "values")

    def __init__(self, data: Any, name: str):
        rows = data.tocsr()
        if rows.ndim != 2:
            raise ValueError(f"{name} must have two dimensions, it has shape {rows.shape}")
        if rows.dtype.kind not in "fiub":
            raise ValueError(f"{name}: expected numbers, the entries are of type {rows.dtype}")
        if not rows.has_canonical_format:
            # Entries of one place are added up; what was handed over stays as it is.
            rows = rows.copy() if rows is data else rows
            rows.sum_duplicates()
        self.shape = rows.shape
        self.offsets, self.indices = _places(rows.indptr), _places(rows.indices)
        self.values = np.require(rows.data, np.float64, ["C", "A"])


class Data:
    """What the engine reads a data set from: inputs `x`, or the entries of `sparse` ones."""

    __slots__ = (
        "x", "sparse", "y", "labels", "classes", "weights", "offset",
        "feature_names", "target_names", "class_names",
    )

    def __init__(
        self,
        x: np.ndarray | Sparse,
        y: np.ndarray | None = None,
        labels: np.ndarray | None = None,
        classes: int = 0,
        weights: np.ndarray | None = None,
        offset: np.ndarray | None = None,
        feature_names: list[str] | None = None,
        target_names: list[str] | None = None,
        class_names: list[str] | None = None,
    ):
        self.x, self.sparse = (None, x) if isinstance(x, Sparse) else (x, None)
        self.y = y
        self.labels = labels
        self.classes = classes
        self.weights = weights
        self.offset = offset
        self.feature_names = feature_names
        self.target_names = target_names
        self.class_names = class_names

    @property
    def features(self) -> int:
        """Numbers of a sample."""
        return (self.sparse if self.x is None else self.x).shape[1]


def is_labels(y: Any) -> bool:
    """Whether targets can only be classes: texts, truth values."""
    values = np.asarray(y)
    if values.dtype.kind != "O":
        return values.dtype.kind in "SUb"
    try:
        values.astype(np.float64)
    except (TypeError, ValueError):
        return True
    return False


def inputs_of(x: Any) -> np.ndarray | Sparse:
    """Inputs, a sample a row; sparse ones and those of `float32` stay so."""
    return Sparse(x, "X") if is_sparse(x) else matrix(x, "X", single=True)


def by_parts(predict: Callable[[np.ndarray], np.ndarray], x: Any) -> np.ndarray:
    """Predictions; of sparse inputs, and of `float32`, some rows at a time, made dense and `float64`."""
    sparse = is_sparse(x)
    rows = x.tocsr() if sparse else matrix(x, "X", single=True)
    if not sparse and rows.dtype == np.float64:
        return predict(rows)
    step = max(1, _PART // max(1, rows.shape[1]))
    done = []
    for first in range(0, max(1, rows.shape[0]), step):
        part = rows[first : first + step]
        part = matrix(part.toarray() if sparse else part, "X")
        if not (sparse or np.isfinite(part).all()):
            # Refused, with the place among all of them.
            return predict(matrix(rows, "X"))
        done.append(predict(part))
    return np.concatenate(done)


def dataset(
    x: Any,
    y: Any = None,
    *,
    weights: Any = None,
    offset: Any = None,
    classes: bool | np.ndarray = False,
    feature_names: list[str] | None = None,
) -> tuple[Data, np.ndarray | None]:
    """Data for the engine, and the classes that the labels count where there are some.

    `classes` says whether `y` are classes, or which there are.
    """
    inputs = inputs_of(x)
    samples = inputs.shape[0]
    if feature_names is None:
        feature_names = names_of(x)
    data = Data(inputs, feature_names=feature_names)
    known = None
    if y is not None:
        if classes is False and not is_labels(y):
            data.y = matrix(y, "y")
            found = data.y.shape[0]
            data.target_names = names_of(y)
        else:
            texts = np.asarray(y.to_numpy() if hasattr(y, "to_numpy") else y)
            if texts.ndim != 1:
                raise ValueError(f"classes must have one dimension, y has shape {texts.shape}")
            if isinstance(classes, np.ndarray):
                known = classes
                labels = np.searchsorted(known, texts)
                labels = np.minimum(labels, len(known) - 1)
                strange = known[labels] != texts
                if strange.any():
                    raise ValueError(f"y has the class {texts[strange][0]!r}, the model knows {list(known)}")
            else:
                known, labels = np.unique(texts, return_inverse=True)
            data.labels = np.ascontiguousarray(labels, dtype=np.uint32)
            data.classes = len(known)
            data.class_names = [str(name) for name in known]
            found = texts.shape[0]
        if found != samples:
            raise ValueError(f"X has {samples} samples, y has {found}")
    if weights is not None:
        data.weights = vector(weights, "sample_weight", samples)
    if offset is not None:
        data.offset = array(offset, "offset").reshape(-1)
    return data, known
