"""What can be said of a wrong result without knowing the mistake? Only what all results of a function bear out."""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from lossprimer.checks.report import Cause
from lossprimer.checks.values import agree, near, shown

KEEPDIMS = "An operation over an axis takes it away, unless keepdims=True keeps it with the length 1."
SHORT_FLOATS = Cause(
    "These numbers are in float32, which has about seven digits. An input in float64 should be computed in float64.",
    "Where does float32 come in: an astype, a dtype, or an array that was made with one?",
)


class Seen(NamedTuple):
    """What a function made of one input: arguments, what came, what is right, and whether an input is in float32."""

    args: tuple
    came: np.ndarray
    right: np.ndarray
    single: bool = False

    def is_like(self, numbers: np.ndarray) -> bool:
        """Whether what came are these numbers."""
        return agree(self.came, numbers, single=self.single)


def of_shape(came: np.ndarray, right: np.ndarray) -> Cause | None:
    """What a wrong shape says."""
    if came.shape == right.shape:
        return None
    said = f"The result has the shape {came.shape}, expected {right.shape}"
    if right.shape == () and came.size > 1:
        return Cause(f"{said}: there are {came.size} numbers where one is asked for.")
    if [n for n in came.shape if n > 1] == [n for n in right.shape if n > 1]:
        what = "there is an axis of length 1 too many" if came.ndim > right.ndim else "an axis of length 1 is missing"
        return Cause(f"{said}: {what}.", KEEPDIMS)
    if came.shape == right.shape[::-1]:
        return Cause(f"{said}: rows and columns are swapped.")
    if came.ndim < right.ndim:
        return Cause(f"{said}: an axis is lost. Which operation takes it away?", KEEPDIMS)
    return Cause(f"{said}.", "Write down the shape after each step.")


def of_numbers(seen: Sequence[Seen], parameters: Sequence[str]) -> Cause | None:
    """What numbers of the right shape have in common with the right ones, in the first case and in all others."""
    first = seen[0]
    if _is_single(first.came) and not _is_single(first.right) and _close(first, 1e-4):
        return SHORT_FLOATS
    finite = [each for each in seen if np.isfinite(each.came).all() and np.isfinite(each.right).all()]
    if not finite or finite[0] is not first:
        return None
    return _factor(finite, parameters) or _offset(finite) or _order(finite)


def of_digits(seen: Seen) -> Cause | None:
    """What can be said of a number that is nearly right."""
    if not _close(seen, 1e-5):
        return None
    return Cause(
        "Only the first digits are right. Adding a small number does that, and so does the difference of two large "
        "ones."
    )


def of_infinities(came: np.ndarray, right: np.ndarray, warning: str) -> Cause | None:
    """What an infinity or nan says, with the first warning of NumPy's."""
    if np.isfinite(came).all() or not np.isfinite(right).all():
        return None
    what = "nan" if np.isnan(came).any() else "infinite"
    for pattern, source in _WARNINGS:
        if re.search(pattern, warning):
            return Cause(f"A number is {what}. The first thing that went wrong is {source}.")
    return Cause(f"A number is {what}.{_warned(warning)}")


def of_nothing_else(seen: Seen, warning: str, right: Sequence[str] = ()) -> Cause:
    """Say that the mistake is not known, which results are right, and where the first wrong number stands."""
    wrong = ~near(seen.came, seen.right)
    place = f" {' and '.join(right)} {'is' if len(right) == 1 else 'are'} right." if right else ""
    if 0 < wrong.sum() < wrong.size:
        index = [int(n) for n in np.argwhere(wrong)[0]]
        place += f" {wrong.size - wrong.sum()} of {wrong.size} numbers are right; the first wrong one is at {index}."
    return Cause(
        f"No typical mistake gives this result.{place}{_warned(warning)}",
        "Compute the first wrong number by hand, and compare it with each step of your code.",
    )


_WARNINGS = (
    (r"^divide by zero encountered in log", "the logarithm of 0"),
    (r"^invalid value encountered in log", "the logarithm of a negative number"),
    (r"^invalid value encountered in sqrt", "the root of a negative number"),
    (r"^invalid value encountered in (scalar )?multiply", "0 times infinity"),
    (r"^invalid value encountered in (scalar )?(subtract|add)", "infinity minus infinity"),
    (r"^invalid value encountered in (scalar )?(divide|true_divide)", "0/0, or infinity over infinity"),
    (r"^divide by zero encountered", "a division by 0"),
    (r"^overflow encountered in exp", "the exponential of a number that is too large"),
    (r"^overflow encountered", "a number that is too large for its type"),
)


def _warned(warning):
    return f" NumPy warned: {warning}." if warning else ""


def _is_single(array):
    """Whether all numbers are such as float32 can hold, and some are none that a few bits could."""
    if array.dtype == np.float32:
        return True
    if array.dtype != np.float64 or not np.isfinite(array).all():
        return False
    with np.errstate(all="ignore"):
        return bool((array.astype(np.float32) == array).all() and (array.astype(np.float16) != array).any())


def _close(seen, relative):
    with np.errstate(all="ignore"):
        return bool((np.abs(seen.came - seen.right) <= relative * np.abs(seen.right).max(initial=0)).all())


def _distinct(arrays) -> int:
    return len({float(f"{abs(number):.6g}") for array in arrays for number in array.ravel() if number != 0})


def _factor(seen, parameters):
    """A known number that every result is too large by, and that no other input contradicts."""
    if _distinct(each.right for each in seen) < 3:
        return None
    for first, *others in zip(*(_known(each.args, parameters) for each in seen), strict=False):
        words, value = first
        if value != 1 and all(
            each.is_like(factor * each.right) for each, (_, factor) in zip(seen, [first, *others], strict=True)
        ):
            return Cause(f"Every number is {shown(value, 5)} times what it should be: {words}.")
    return None


def _known(args, parameters) -> Iterator[tuple[str, float]]:
    """Numbers that are a likely factor, in the same order for every input."""
    yield "the sign is reversed", -1.0
    for words, value in _numbers(args, parameters):
        for verb, function in _FORMS:
            with np.errstate(all="ignore"):
                factor = float(function(np.float64(value)))
            usable = math.isfinite(factor) and factor != 0
            for sign, more in ((1, ""), (-1, ", and the sign is reversed")):
                yield f"it is {verb} {words}{more}", sign * factor if usable else math.nan


def _numbers(args, parameters):
    arrays = (arg for arg in args if isinstance(arg, np.ndarray) and arg.dtype.kind == "f" and arg.ndim)
    array = next(arrays, np.zeros(1))
    yield "the number of rows", float(array.shape[-2] if array.ndim > 1 else 1)
    yield "the number of entries in a row", float(array.shape[-1])
    yield "the number of all entries", float(array.size)
    for name, arg in zip(parameters, args, strict=False):
        if type(arg) in (int, float):
            yield name, float(arg)
            yield f"1 - {name}", 1.0 - arg
    yield "2", 2.0
    yield "100", 100.0
    yield "the logarithm of 2", math.log(2)
    yield "the logarithm of 10", math.log(10)


_FORMS: tuple[tuple[str, Callable], ...] = (
    ("multiplied by", lambda v: v),
    ("divided by", lambda v: 1 / v),
    ("multiplied by the square of", lambda v: v * v),
    ("divided by the square of", lambda v: 1 / (v * v)),
    ("multiplied by the root of", np.sqrt),
    ("divided by the root of", lambda v: 1 / np.sqrt(v)),
    ("multiplied by n/(n - 1), where n is", lambda v: v / (v - 1)),
    ("multiplied by (n - 1)/n, where n is", lambda v: (v - 1) / v),
)


def _offset(seen):
    """The same amount by which every result is too large."""
    amount = float((seen[0].came - seen[0].right).flat[0])
    enough = len(seen) > 1 and _distinct(each.right for each in seen) > 2
    if not enough or not all(each.is_like(each.right + amount) for each in seen):
        return None
    return Cause(f"Every number is {shown(abs(amount), 5)} too {'large' if amount > 0 else 'small'}, for every input.")


def _order(seen):
    """The right numbers in another order."""
    if all(each.right.ndim > 1 and agree(np.swapaxes(each.came, -1, -2), each.right) for each in seen[:1]):
        return Cause("This is the transpose of the right result: rows and columns are swapped.")
    if all(each.right.ndim and agree(each.came[..., ::-1], each.right) for each in seen[:2]):
        return Cause("These are the right numbers in the reverse order.")
    if all(each.right.ndim and agree(np.sort(each.came.ravel()), np.sort(each.right.ravel())) for each in seen[:2]):
        return Cause("These are the right numbers in a different order.")
    return None
