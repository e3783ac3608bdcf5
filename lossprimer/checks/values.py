"""What a learner's function returned: plain numbers, read by exact type, then compared and shown."""

import math

import numpy as np

# Bound once, so that a notebook that replaces an attribute of numpy does not replace what compares.
from numpy import absolute, asarray, isnan

_NUMBERS = frozenset({bool, int, float, *(np.dtype(char).type for char in "?bhilqBHILQefdg")})
_DEPTH = 8  # of lists in lists
_FEW = 16  # numbers that are shown one by one

# A right answer in another order of operations stays within these, and a typical mistake does not.
_DOUBLE = 1e-6, 1e-9
_SINGLE = 1e-4, 1e-5


class Refused(Exception):
    """A value is no array of plain numbers; the text says what it is."""


def plain(value: object) -> np.ndarray:
    """A copy of `value` as an array of booleans, integers or floats.

    Only exact types are read: NumPy's arrays and numbers, Python's numbers, and lists and tuples of these. An object
    of any other type could answer each question about itself as it likes.

    Raises
    ------
    Refused
        If `value` is anything else.
    """
    _check(value, _DEPTH)
    try:
        array = np.array(value)
    except ValueError:
        raise Refused("a list whose rows have different lengths") from None
    if array.dtype.kind not in "biuf":
        raise Refused(f"an array of {array.dtype}")
    return array


def _check(value, depth):
    kind = type(value)
    if kind is np.ndarray:
        if value.dtype.kind not in "biuf":
            raise Refused(f"an array of {value.dtype}")
    elif kind in (list, tuple):
        if depth == 0:
            raise Refused("a list in lists without end")
        for entry in value:
            _check(entry, depth - 1)
    elif kind not in _NUMBERS:
        raise Refused(f"an object of type {kind.__name__}")


def near(came: np.ndarray, expected: np.ndarray, *, single: bool = False) -> np.ndarray:
    """Where two arrays of one shape agree up to rounding; NaN agrees with NaN, and an infinity with itself."""
    relative, fixed = _SINGLE if single else _DOUBLE
    came, expected = asarray(came, dtype=float), asarray(expected, dtype=float)
    with np.errstate(all="ignore"):
        close = absolute(came - expected) <= fixed + relative * absolute(expected)
    finite = absolute(expected) < math.inf  # else inf <= inf: any number would be close to an infinity
    return (came == expected) | (close & finite) | (isnan(came) & isnan(expected))


def agree(came: np.ndarray, expected: np.ndarray, *, single: bool = False) -> bool:
    """Whether two arrays have the same shape and agree up to rounding."""
    return came.shape == expected.shape and bool(near(came, expected, single=single).all())


def shown(value: object, digits: int = 9) -> str:
    """`value` in few words: short arrays number by number, long ones by their shape and how they begin."""
    if not isinstance(value, np.ndarray):
        return _number(value, digits) if type(value) in _NUMBERS else str(value)
    if value.dtype == np.float32:
        digits = min(digits, 7)  # more are noise
    if value.size <= _FEW:
        return _nested(value, digits)
    start = ", ".join(_number(entry, digits) for entry in value.ravel()[:4])
    return f"{start}, … (shape {value.shape})"


def contrast(came: np.ndarray, expected: np.ndarray, *, single: bool = False) -> tuple[str, str]:
    """Two arrays that do not agree, so that one can see where."""
    if came.shape != expected.shape:
        return f"{shown(came, 5)}, of shape {came.shape}", f"{shown(expected, 5)}, of shape {expected.shape}"
    place = ""
    if came.size > _FEW:
        index = tuple(int(i) for i in np.argwhere(~near(came, expected, single=single))[0])
        place = f" at {list(index)}"
        came, expected = came[index], expected[index]
    for digits in (5, 8, 12, 17):
        texts = shown(asarray(came), digits), shown(asarray(expected), digits)
        if texts[0] != texts[1]:
            break
    return texts[0] + place, texts[1] + place


def _nested(array, digits):
    if array.ndim == 0:
        return _number(array[()], digits)
    return "[" + ", ".join(_nested(row, digits) for row in array) + "]"


def _number(value, digits):
    if isinstance(value, bool | np.bool_ | int | np.integer):
        return str(value)
    return f"{float(value) + 0.0:.{digits}g}"  # + 0.0 turns -0 into 0
