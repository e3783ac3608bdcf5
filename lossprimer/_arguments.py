"""Which arguments are accepted? Every check returns a usable value, or says what the argument is and should be."""

import math
import sys

import numpy as np
from numpy.typing import ArrayLike


def float_array(name: str, values: ArrayLike) -> np.ndarray:
    """`values` as an array of float16, float32 or float64, not copied if it is one already.

    Integers and booleans become float64. Long doubles are refused: their precision differs between machines.
    """
    array = any_array(name, values)
    if array.dtype.char in "efd":
        return array
    if array.dtype.kind in "biu":
        return array.astype(np.float64)
    raise TypeError(f"{name} holds {array.dtype}, expected float16, float32, float64 or integers")


def integer_array(name: str, values: ArrayLike) -> np.ndarray:
    """`values` as an array of integers. Booleans are refused: they look like a mask."""
    array = any_array(name, values)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} holds {array.dtype}, expected integers")
    return array


def any_array(name: str, values: ArrayLike) -> np.ndarray:
    """`values` as an array of whatever type they have."""
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} is {values!r}, expected a number or a rectangular array") from error


def axis_tuple(axis: int | tuple[int, ...], ndim: int) -> tuple[int, ...]:
    """`axis` as a tuple of different axis numbers, each from 0 to `ndim` - 1."""
    if type(axis) is int and -ndim <= axis < ndim:
        return (axis % ndim,)  # nearly every call
    numbers = axis if isinstance(axis, tuple) else (axis,)
    if not all(map(_is_integer, numbers)):
        raise TypeError(f"axis is {axis!r}, expected an int or a tuple of ints")
    if not all(-ndim <= number < ndim for number in numbers):
        raise np.exceptions.AxisError(f"axis is {axis!r}, expected axes of an array that has {ndim}")
    axes = tuple(int(number) % ndim for number in numbers)
    if not 0 < len(axes) == len(set(axes)):
        raise ValueError(f"axis is {axis!r}, expected at least one axis, and none twice")
    return axes


def positive_number(name: str, value: float) -> float:
    """`value` as a float that is finite and greater than 0."""
    if not (_is_integer(value) or isinstance(value, (float, np.float32, np.float16))):
        raise TypeError(f"{name} is {value!r}, expected a number")
    if not 0 < value < math.inf or (_is_integer(value) and value > sys.float_info.max):
        raise ValueError(f"{name} is {value!r}, expected a finite number greater than 0")
    return float(value)


def positive_integer(name: str, value: int) -> int:
    """`value` as an int that is at least 1."""
    if not _is_integer(value):
        raise TypeError(f"{name} is {value!r}, expected an int")
    if value < 1:
        raise ValueError(f"{name} is {value!r}, expected at least 1")
    return int(value)


def number_between(name: str, value: float, low: float, end: float) -> float:
    """`value` as a float that is at least `low` and less than `end`."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"{name} is {value!r}, expected a number")
    if not low <= value < end:
        limit = "a finite number" if end == math.inf else f"less than {end}"
        raise ValueError(f"{name} is {value!r}, expected at least {low} and {limit}")
    return float(value)


def random_generator(rng: np.random.Generator) -> np.random.Generator:
    """`rng` itself, if it is a generator of random numbers."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng is {rng!r}, expected a numpy.random.Generator, as from numpy.random.default_rng(0)")
    return rng


def _is_integer(value):
    """Whether `value` is an int, Python's or NumPy's, and not a bool."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)
