"""Which arguments are accepted? Each rule is a test, the error for what fails it, and the words of that error.

Float types: arrays of float16, float32 and float64 keep their type, integers and booleans become float64, and float16
is computed in float32 and rounded once. Arrays of long doubles are refused, because their precision differs between
machines. A single number may have any real type and becomes a Python float.
"""

import contextlib
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

Axis = int | tuple[int, ...]
# A test that nearly all good values pass, then the rules one by one: a test, an error, and what writes its message.
Rules = tuple[Any, ...]

# Infinities, underflow and 0/0 are part of the definitions of this package, not accidents to warn about.
quietly = np.errstate(all="ignore")

# What is not rectangular stays as it is, and the first rule of each table refuses it.
_unless_ragged = contextlib.suppress(ValueError)


def check(name: str, value: Any, rules: Rules, **others: Any) -> None:
    """Refuse a value that breaks a rule; the message names the argument, what it is, and what was expected."""
    for good, error, message in () if rules[0](value, **others) else rules[1:]:
        if not good(value, **others):
            raise error(message(value, name=name, **others))


def float_array(name: str, values: ArrayLike, rules: Rules | None = None, **others: Any) -> np.ndarray:
    """`values` as an array of float16, float32 or float64 that keeps the rules; not copied if it is one already."""
    with _unless_ragged:
        values = np.asarray(values)
    check(name, values, rules or FLOATS, **others)
    return values if values.dtype.kind == "f" else values.astype(np.float64)


def integer_array(name: str, values: ArrayLike, rules: Rules | None = None, **others: Any) -> np.ndarray:
    """`values` as an array of integers that keeps the rules. Booleans are refused: they look like a mask."""
    with _unless_ragged:
        values = np.asarray(values)
    check(name, values, rules or INTEGERS, **others)
    return values


def at_least_float32(array: np.ndarray) -> np.ndarray:
    """`array` itself, or its float32 copy if it is float16."""
    return array.astype(np.promote_types(array.dtype, np.float32), copy=False)


def number(name: str, value: float, rules: Rules) -> float:
    """`value` as a float that keeps the rules."""
    check(name, value, rules)
    return float(value)


def boolean(name: str, value: bool) -> bool:
    """`value` itself, if it is true or false."""
    check(name, value, BOOLEAN)
    return value


def function(name: str, value: Callable) -> Callable:
    """`value` itself, if it can be called."""
    check(name, value, FUNCTION)
    return value


def float_type(name: str, value: DTypeLike) -> np.dtype:
    """`value` as one of the three float types."""
    with contextlib.suppress(TypeError):
        dtype = np.dtype(value)
        if value is not None and dtype.char in "efd":
            return dtype
    raise TypeError(f"{name} is {value!r}, expected float16, float32 or float64")


def examples(**arrays: ArrayLike) -> list[np.ndarray]:
    """Two arrays of any types, which hold as many examples along their first axes, and at least one."""
    for name in arrays:
        with _unless_ragged:
            arrays[name] = np.asarray(arrays[name])
        check(name, arrays[name], _ANY)
    (name, first), (other, second) = arrays.items()
    if first.shape[:1] != second.shape[:1] or not first.shape or not len(first):
        raise ValueError(
            f"{name} and {other} have the shapes {first.shape} and {second.shape},"
            " expected as many of each, and at least one"
        )
    return [first, second]


def positive_integer(name: str, value: int) -> int:
    """`value` as an int that is at least 1."""
    check(name, value, POSITIVE_INTEGER)
    return int(value)


def random_generator(rng: np.random.Generator) -> np.random.Generator:
    """`rng` itself, if it is a generator of random numbers."""
    check("rng", rng, GENERATOR)
    return rng


def is_floats(array, **_):
    """Whether `array` is an array of one of the three float types."""
    return isinstance(array, np.ndarray) and array.dtype.char in "efd"


def is_integers(array, **_):
    """Whether `array` is an array of integers."""
    return isinstance(array, np.ndarray) and array.dtype.kind in "iu"


def no_class(labels, num_classes, ignore_index=None, **_):
    """Where the labels are neither a class nor the one to ignore."""
    return ((labels < 0) | (labels >= num_classes)) & (labels != ignore_index)


def first_of_no_class(labels, name, num_classes, ignore_index=None, **_):
    """Message that shows the first of them."""
    place = tuple(int(i) for i in np.argwhere(no_class(labels, num_classes, ignore_index))[0])
    also = "" if ignore_index is None else f", or {ignore_index} to be ignored"
    return f"{name} holds {labels[place]} at index {place}, expected 0 to {num_classes - 1}{also}"


def is_integer(value, **_):
    """Whether `value` is an int, Python's or NumPy's, and not a bool."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def is_number(value, **_):
    """Whether `value` is a real number, Python's or NumPy's, and not a bool."""
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def rounded(value):
    """The number `value` as a float; infinite where it is too large for one."""
    try:
        return float(value)
    except OverflowError:  # of an int
        return math.inf if value > 0 else -math.inf


def none_is_usual(*_, **__):
    """Stand in for the usual case of a table that has none, so that its rules are applied in every call."""
    return False


def _is_generator(value):
    """Whether `value` is a generator of random numbers."""
    return isinstance(value, np.random.Generator)


def _axes(axis):
    """`axis` as a tuple."""
    return axis if isinstance(axis, tuple) else (axis,)


def _usual_axis(array, axis):
    """Whether `array` is one of floats, not empty, and `axis` one of its axes."""
    return (
        type(axis) is int
        and type(array) is np.ndarray
        and array.dtype.char in "efd"
        and array.size > 0
        and (-array.ndim <= axis < array.ndim)
    )


# Tables of rules. One that extends another takes its rules, [1:], and names a usual case of its own.

_RECTANGULAR = (
    lambda values, **_: isinstance(values, np.ndarray),
    ValueError,
    "{name} is {0!r}, expected a number or a rectangular array".format,
)
_ANY = _RECTANGULAR[0], _RECTANGULAR
FLOATS = (
    is_floats,
    _RECTANGULAR,
    (
        lambda array, **_: array.dtype.char in "efd" or array.dtype.kind in "biu",
        TypeError,
        "{name} holds {0.dtype}, expected float16, float32, float64 or integers".format,
    ),
)
INTEGERS = (
    is_integers,
    _RECTANGULAR,
    (is_integers, TypeError, "{name} holds {0.dtype}, expected integers".format),
)
# Labels from 0 to `num_classes` - 1; `ignore_index` may stand for more.
CLASSES = (
    lambda labels, **others: is_integers(labels) and not no_class(labels, **others).any(),
    *INTEGERS[1:],
    (lambda labels, **others: not no_class(labels, **others).any(), ValueError, first_of_no_class),
)

# An array of floats, and the `axis` along which something is computed; its slices may be empty.
AXES = (
    _usual_axis,
    *FLOATS[1:],
    (
        lambda _, axis, **__: all(map(is_integer, _axes(axis))),
        TypeError,
        "axis is {axis!r}, expected an int or a tuple of ints".format,
    ),
    (
        lambda array, axis, **_: all(-array.ndim <= number < array.ndim for number in _axes(axis)),
        np.exceptions.AxisError,
        "axis is {axis!r}, expected axes of an array that has {0.ndim}".format,
    ),
    (
        lambda array, axis, **_: 0 < len(_axes(axis)) == len({number % array.ndim for number in _axes(axis)}),
        ValueError,
        "axis is {axis!r}, expected at least one axis, and none twice".format,
    ),
)
# The same, where every slice has an entry.
SLICES = (
    *AXES,
    (
        lambda array, axis, **_: array.size > 0 or 0 not in [array.shape[number] for number in _axes(axis)],
        ValueError,
        "{name} has the shape {0.shape}, expected at least one entry along axis {axis}".format,
    ),
)
# The same, with a `temperature`.
SCORES = (
    lambda array, axis, temperature: (
        type(temperature) is float and 0 < temperature < math.inf and _usual_axis(array, axis)
    ),
    *SLICES[1:],
    (
        lambda *_, temperature, **__: is_number(temperature),
        TypeError,
        "temperature is {temperature!r}, expected a number".format,
    ),
    (
        lambda *_, temperature, **__: 0 < rounded(temperature) < math.inf,
        ValueError,
        "temperature is {temperature!r}, expected a finite number greater than 0".format,
    ),
)

INTEGER = is_integer, (is_integer, TypeError, "{name} is {0!r}, expected an integer".format)
POSITIVE_INTEGER = (
    lambda value: type(value) is int and value >= 1,
    *INTEGER[1:],
    (lambda value: value >= 1, ValueError, "{name} is {0!r}, expected at least 1".format),
)

_NUMBER = is_number, TypeError, "{name} is {0!r}, expected a number".format


def _numbers(good, expected):
    """Rules for numbers that are `good` when they are floats: a long double just below 1 becomes 1."""
    return (
        lambda value: type(value) is float and good(value),
        _NUMBER,
        (lambda value: good(rounded(value)), ValueError, ("{name} is {0!r}, expected " + expected).format),
    )


POSITIVE = _numbers(lambda value: 0 < value < math.inf, "a finite number greater than 0")
NOT_NEGATIVE = _numbers(lambda value: 0 <= value < math.inf, "at least 0 and a finite number")
LESS_THAN_ONE = _numbers(lambda value: 0 <= value < 1, "at least 0 and less than 1")
SHARE = _numbers(lambda value: 0 <= value <= 1, "a number from 0 to 1")
POSITIVE_SHARE = _numbers(lambda value: 0 < value <= 1, "a number greater than 0 and at most 1")

BOOLEAN = (
    lambda value: value is True or value is False,
    (lambda value: isinstance(value, bool | np.bool_), TypeError, "{name} is {0!r}, expected True or False".format),
)
FUNCTION = callable, (callable, TypeError, "{name} is {0!r}, expected a function".format)
GENERATOR = (
    _is_generator,
    (
        _is_generator,
        TypeError,
        "{name} is {0!r}, expected a numpy.random.Generator, as from numpy.random.default_rng(0)".format,
    ),
)
