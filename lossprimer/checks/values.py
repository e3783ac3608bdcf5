"""What a learner's function returned: plain numbers, read by exact type, then compared and shown."""

import re

import numpy as np

# Bound once, so that a notebook that replaces an attribute of numpy does not replace what compares.
from numpy import absolute, asarray, isfinite, isnan

_NUMBERS = frozenset({bool, int, float, *(np.dtype(char).type for char in "?bhilqBHILQefdg")})
_DEPTH = 8  # of lists in lists
_FEW = 16  # numbers that are shown one by one
_LONG = 120  # numbers that are written out in an input

# The rule for precision: what comes in float64 comes out right to eight digits, in float32 to four. A right answer in
# another order of operations stays within that; one that computes in a shorter type than it was given does not.
_DOUBLE = 1e-8, 1e-9
_SINGLE = 1e-4, 1e-5


class Refused(Exception):
    """A value is no array of plain numbers; the text says what it is."""


def plain(value: object) -> np.ndarray:
    """A copy of `value` as an array of booleans, integers or floats.

    Only exact types are read: NumPy's arrays and numbers, Python's numbers, and lists and tuples of these, named ones
    among them. An object of any other type could answer each question about itself as it likes.

    Raises
    ------
    Refused
        If `value` is anything else.
    """
    try:
        array = np.array(_read(value, _DEPTH))
    except ValueError:
        raise Refused("a list whose rows have different lengths") from None
    if array.dtype.kind not in "biuf":
        raise Refused(f"an array of {array.dtype}")
    return array


def _read(value, depth):
    kind = type(value)
    if kind is np.ndarray:
        if value.dtype.kind not in "biuf":
            raise Refused(f"an array of {value.dtype}")
        return value
    if kind is list or issubclass(kind, tuple):  # read without what a named tuple may say of itself
        if depth == 0:
            raise Refused("lists nested without end")
        return [_read(entry, depth - 1) for entry in (list if kind is list else tuple).__iter__(value)]
    if kind not in _NUMBERS:
        # A stand-in for an object in another process says of which type that is.
        name = object.__getattribute__(value, "_type") if hasattr(kind, "keeps_time") else kind.__name__
        raise Refused(f"an object of type {name}")
    return value


def near(came: np.ndarray, expected: np.ndarray, *, single: bool = False) -> np.ndarray:
    """Where two arrays of one shape agree up to rounding; NaN agrees with NaN, and an infinity with itself."""
    relative, fixed = _SINGLE if single else _DOUBLE
    came, expected = asarray(came, dtype=float), asarray(expected, dtype=float)
    with np.errstate(all="ignore"):
        close = absolute(came - expected) <= fixed + relative * absolute(expected)
    finite = isfinite(expected)
    if finite.all():
        return close
    # For an infinity inf <= inf holds, and says nothing of what came.
    return (close & finite) | (came == expected) | (isnan(came) & isnan(expected))


def agree(came: np.ndarray, expected: np.ndarray, *, single: bool = False) -> bool:
    """Whether two arrays have the same shape and agree up to rounding."""
    if came.shape != expected.shape:
        return False
    if came.size:  # one look at one number spares most of the work
        one, other = float(came.item(0)), float(expected.item(0))
        if abs(one - other) > 1e-3 * (1 + abs(other)):
            return False
    if came.dtype == expected.dtype and came.tobytes() == expected.tobytes():  # as most of what agrees is
        return True
    return bool(near(came, expected, single=single).all())


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


def as_code(value: object) -> str:
    """`value` as code that makes it again, with its type; a long array only if it repeats one number."""
    if isinstance(value, np.random.Generator):
        return f"np.random.default_rng({value.bit_generator.seed_seq.entropy})"
    if not isinstance(value, np.ndarray):
        return repr(value)
    kind = "" if value.dtype in (np.float64, np.array(0).dtype, np.bool_) else f", dtype=np.{value.dtype}"
    if value.size >= _FEW and (value == value.flat[0]).all():
        return f"np.full({value.shape}, {value.flat[0].item()!r}{kind})"
    if value.size > _LONG:
        return f"…  # of shape {value.shape}"
    return f"np.array({_written(value)}{kind})"


def _written(array):
    if array.dtype == np.float32:
        array = array.astype(str).astype(float)  # as few digits as float32 has
    return re.sub("nan|inf", r"np.\g<0>", str(array.tolist()))


def _nested(array, digits):
    if array.ndim == 0:
        return _number(array[()], digits)
    return "[" + ", ".join(_nested(row, digits) for row in array) + "]"


def _number(value, digits):
    if isinstance(value, bool | np.bool_ | int | np.integer):
        return str(value)
    return f"{float(value) + 0.0:.{digits}g}"  # + 0.0 turns -0 into 0
