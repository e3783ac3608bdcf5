"""The tasks of chapter 1 on probabilities: softmax, temperature, log-softmax, and the backward pass."""

from collections.abc import Callable

import numpy as np

import lossprimer
from lossprimer.checks.task import Case, Mistake, Task


def scores(rng: np.random.Generator, *shape: int, scale: float = 2.0) -> np.ndarray:
    """Scores with two decimals, so that a message can show them."""
    return rng.normal(scale=scale, size=shape).round(2)


def probabilities(z: np.ndarray, axis=-1, top="row", base=np.exp) -> np.ndarray:
    """A softmax over `axis` that subtracts the largest score of each "row", of "all", or "none"."""
    if top != "none":
        z = z - z.max(axis=axis if top == "row" else None, keepdims=True)
    powers = base(z)
    return powers / powers.sum(axis=axis, keepdims=True)


def second(z: np.ndarray) -> int:
    """The axis that is the last one in a table and not in three axes."""
    return min(1, z.ndim - 1)


def log_of_probabilities(p: Callable) -> list[Callable]:
    """Ways to take the log of the probabilities `p(z)` with a small number that keeps it finite."""
    small = (1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16, 1e-20, 1e-30, 1e-100, 1e-300)
    return [lambda z, e=e: np.log(p(z) + e) for e in small]


_TABLE = np.array([[1.0, 2.0, 4.0], [0.5, -1.0, 0.0], [3.0, 3.0, -2.0]])
_WIDE = np.array([[1.0, 0.0, 2.0, -1.0], [0.5, 3.0, 0.0, 1.0]])
_DEEP = np.array([[[1.0, 0.0], [2.0, -1.0], [0.5, 1.5]], [[0.0, 3.0], [1.0, 1.0], [-2.0, 0.5]]])

_NO_MAXIMUM = (
    "The exponential of a large score is infinite, and that of a very negative one is 0. Subtract the largest score "
    "of each row before exp: the probabilities stay the same, and no exponent is above 0."
)
_GLOBAL_MAXIMUM = (
    "The largest score of the whole array is subtracted. In a row far below it every exponential is 0, and 0/0 is "
    "nan. Subtract the largest score of each row: z.max(axis=-1, keepdims=True)."
)
_MAXIMUM_OF_COLUMN = (
    "The largest score is taken over the wrong axis, so each column loses another number and the probabilities change. "
    "Subtract the largest score of each row: z.max(axis=-1, keepdims=True)."
)
_WRONG_AXIS = "The probabilities add up to 1 over the wrong axis. The classes are on the last one: axis=-1."
_WHOLE = "The sum goes over the whole array, so that all rows share one total. Sum each row: axis=-1, keepdims=True."
_KEEPDIMS = (
    "The sum of row i divides column i: without keepdims=True the sums stand in a row instead of a column, and in a "
    "square table that goes unnoticed."
)
_BASE_TWO = "The base is 2. Softmax takes powers of e: np.exp."
_LOG_IS_TAKEN = "This is the logarithm of the probability. The task asks for the probability itself."


def _square(z):
    """What is left of keepdims in a square table."""
    powers = np.exp(z - z.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1)


def _shapes(arguments=lambda z: (z,)):
    """Cases that most functions of scores share: a square table, one that is not, three axes, float32."""
    return [
        Case("each row of a table by itself", arguments(_TABLE)),
        Case("a table that is not square", arguments(_WIDE)),
        Case("the last of three axes", arguments(_DEEP)),
        Case("float32 stays float32", arguments(_WIDE.astype(np.float32))),
    ]


def _extremes(arguments=lambda z: (z,), cause=_NO_MAXIMUM):
    """Cases that overflow or underflow without the maximum of each row."""
    return [
        Case("scores near 1000", arguments(np.array([1000.0, 999.0, 997.0])), cause),
        Case("scores near -1000", arguments(np.array([-1000.0, -1001.0, -1003.0])), cause),
        Case("rows at different levels", arguments(np.array([[1000.0, 999.0, 998.0], [2.0, 1.0, 0.0]])), cause),
        Case("scores near 100 in float32", arguments(np.array([100.0, 98.5, 97.0], dtype=np.float32)), cause),
    ]


def _drawn(arguments=lambda z: (z,)):
    """Cases with drawn scores: small, in float32, at different levels."""

    def draw(rng):
        rows, classes = (int(n) for n in rng.integers(2, 6, size=2))
        levels = rng.integers(-900, 900, size=(rows, 1))
        return [
            Case("a table", arguments(scores(rng, rows, classes))),
            Case("three axes", arguments(scores(rng, 2, rows, classes))),
            Case("float32", arguments(scores(rng, rows, classes).astype(np.float32))),
            Case("rows at different levels", arguments(scores(rng, rows, classes) + levels), _NO_MAXIMUM),
        ]

    return draw


_MASKED = Case(
    "a masked score, -inf, gets 0",
    (np.array([2.0, -np.inf, 0.5]),),
    "exp(-inf) is 0, so that a masked class needs no special treatment. Where does nan come in?",
)

softmax = Task(
    "softmax(z)",
    """the probabilities of the scores `z`.

    `z` has the shape ``(..., K)``. The probabilities run along the last axis, have the shape and the float type of `z`,
    and are right for finite scores of any size; a score of -inf gets exactly 0.
    """,
    right=lossprimer.softmax,
    keeps_type=True,
    steps=[Case("three scores by hand", (np.array([2.0, 1.0, 0.5]),)), *_shapes(), *_extremes(), _MASKED],
    draw=_drawn(),
    mistakes=[
        Mistake(
            _WRONG_AXIS,
            lambda z: probabilities(z, 0),
            lambda z: probabilities(z, 0, "none"),
            lambda z: probabilities(z, second(z)),
        ),
        Mistake(
            _WHOLE,
            lambda z: probabilities(z, None),
            lambda z: probabilities(z, None, "none"),
            lambda z: np.exp(z - z.max(axis=-1, keepdims=True)) / np.exp(z - z.max(axis=-1, keepdims=True)).sum(),
        ),
        Mistake(
            _MAXIMUM_OF_COLUMN,
            lambda z: probabilities(z - z.max(axis=0), top="none"),
            lambda z: probabilities(z - z.max(axis=-1), top="none"),
        ),
        Mistake(_KEEPDIMS, _square, lambda z: np.exp(z) / np.exp(z).sum(axis=-1)),
        Mistake(_GLOBAL_MAXIMUM, lambda z: probabilities(z, top="all")),
        Mistake(_NO_MAXIMUM, lambda z: probabilities(z, top="none")),
        Mistake(
            _BASE_TWO, lambda z: probabilities(z, base=np.exp2), lambda z: probabilities(z, top="none", base=np.exp2)
        ),
        Mistake(
            "The exponentials are not divided by their sum.",
            np.exp,
            lambda z: np.exp(z - z.max(axis=-1, keepdims=True)),
        ),
        Mistake(
            "The scores are divided by their sum. First take the exponential of each: it is never negative.",
            lambda z: z / z.sum(axis=-1, keepdims=True),
        ),
        Mistake(_LOG_IS_TAKEN, lossprimer.log_softmax),
        Mistake(
            "The signs of the scores are reversed: exp(-z) gives the largest probability to the smallest score.",
            lambda z: probabilities(-z),
            lambda z: probabilities(-z, top="none"),
        ),
        Mistake(
            "Each score goes through a sigmoid by itself. Softmax compares it with the others.",
            lambda z: 1 / (1 + np.exp(-z)),
        ),
    ],
)


def _with(temperature):
    """Make the arguments of softmax_with_temperature."""
    return lambda z: (z, temperature)


def _over(function):
    """A wrong softmax, applied to scores over a temperature."""
    return lambda z, temperature: function(z / temperature)


def _draw_temperatures(rng):
    temperature = float(rng.choice([0.25, 0.4, 1.6, 2.5, 8.0]))
    return _drawn(_with(temperature))(rng)


_NO_MAXIMUM_AT_TEMPERATURE = (
    "A quotient z / temperature can be too large or too small for exp. Divide first, then subtract the largest "
    "quotient of each row, then take exp."
)

softmax_with_temperature = Task(
    "softmax_with_temperature(z, temperature)",
    """the probabilities of the scores `z` over a temperature.

    `z` has the shape ``(..., K)``, `temperature` is a number greater than 0. Otherwise as ``softmax(z)``.
    """,
    right=lambda z, temperature: lossprimer.softmax(z, temperature=temperature),
    keeps_type=True,
    steps=[
        Case("three scores at temperature 0.5", (np.array([2.0, 1.0, 0.5]), 0.5)),
        Case("temperature 1 is the plain softmax", (np.array([2.0, 1.0, 0.5]), 1.0)),
        *_shapes(_with(2.0)),
        Case(
            "a very low temperature leaves only the largest",
            (np.array([2.0, 1.0, 0.5]), 0.001),
            _NO_MAXIMUM_AT_TEMPERATURE,
        ),
        Case(
            "a very low temperature splits a tie evenly", (np.array([2.0, 2.0, 0.5]), 0.001), _NO_MAXIMUM_AT_TEMPERATURE
        ),
        Case("a very high temperature gives nearly equal probabilities", (np.array([2.0, 1.0, 0.5]), 1000.0)),
        *_extremes(_with(0.5), _NO_MAXIMUM_AT_TEMPERATURE),
    ],
    draw=_draw_temperatures,
    mistakes=[
        Mistake(
            "The scores are multiplied by the temperature. Divide: a high temperature makes the differences small.",
            lambda z, t: probabilities(z * t),
            lambda z, t: probabilities(z * t, top="none"),
        ),
        Mistake(
            "The probabilities are divided by the temperature. Divide the scores, before exp; then the probabilities "
            "add up to 1.",
            lambda z, t: probabilities(z) / t,
        ),
        Mistake(
            "The exponentials are divided by the temperature, which cancels. Divide the scores, before exp.",
            lambda z, t: probabilities(z),
            lambda z, t: probabilities(z, top="none"),
        ),
        Mistake(
            "The probabilities are raised to the power 1/temperature and no longer add up to 1.",
            lambda z, t: probabilities(z) ** (1 / t),
        ),
        Mistake(
            _NO_MAXIMUM_AT_TEMPERATURE,
            _over(lambda z: probabilities(z, top="none")),
            lambda z, t: probabilities(z / t - z.max(axis=-1, keepdims=True), top="none"),
        ),
        Mistake(
            _WRONG_AXIS,
            _over(lambda z: probabilities(z, 0)),
            _over(lambda z: probabilities(z, 0, "none")),
            _over(lambda z: probabilities(z, second(z))),
        ),
        Mistake(_WHOLE, _over(lambda z: probabilities(z, None)), _over(lambda z: probabilities(z, None, "none"))),
        Mistake(_MAXIMUM_OF_COLUMN, _over(lambda z: probabilities(z - z.max(axis=0), top="none"))),
        Mistake(_KEEPDIMS, _over(_square)),
        Mistake(_GLOBAL_MAXIMUM, _over(lambda z: probabilities(z, top="all"))),
        Mistake(_BASE_TWO, _over(lambda z: probabilities(z, base=np.exp2))),
        Mistake(_LOG_IS_TAKEN, _over(lossprimer.log_softmax)),
    ],
)

_UNDERFLOW = (
    "The probability underflows to 0, and its logarithm is -inf. Do not take the log of a probability: with the "
    "largest score subtracted, log_softmax(z) = z - log(sum(exp(z))), which never takes the log of 0."
)
_SMALL_NUMBER = (
    "A small number is added to the probability before the log. It hides the -inf and puts a wrong number in its "
    "place. Compute z - log(sum(exp(z))) with the largest score subtracted; no log of 0 is left."
)


def _log_sum(z, axis=-1, top=0.0):
    return np.log(np.exp(z - top).sum(axis=axis, keepdims=True))


def _tops(z):
    return z.max(axis=-1, keepdims=True)


log_softmax = Task(
    "log_softmax(z)",
    """the logarithms of the probabilities, finite for all finite scores.

    `z` has the shape ``(..., K)``. The result has the shape and the float type of `z`.
    """,
    right=lossprimer.log_softmax,
    keeps_type=True,
    steps=[
        Case("three scores by hand", (np.array([2.0, 1.0, 0.5]),)),
        *_shapes(),
        *_extremes(),
        Case("probabilities too small for a float", (np.array([1000.0, 0.0]),), _UNDERFLOW),
        Case("the same in float32", (np.array([200.0, 0.0], dtype=np.float32),), _UNDERFLOW),
    ],
    draw=_drawn(),
    mistakes=[
        Mistake("The logarithm is missing: these are the probabilities themselves.", lossprimer.softmax),
        Mistake(
            "The sign is reversed. The logarithm of a probability is at most 0.", lambda z: -lossprimer.log_softmax(z)
        ),
        Mistake(
            "The logarithm has base 2 or 10. np.log is the natural one.",
            lambda z: lossprimer.log_softmax(z) / np.log(2),
            lambda z: lossprimer.log_softmax(z) / np.log(10),
        ),
        Mistake(
            "The largest score is subtracted in the exponent and not given back. Subtract it from z once, at the "
            "start, or add it to the logarithm of the sum.",
            lambda z: z - _log_sum(z, top=_tops(z)),
            lambda z: z - _tops(z) - _log_sum(z),
        ),
        Mistake(
            "The logarithm of the sum is missing.",
            lambda z: z - _tops(z),
            lambda z: z - np.exp(z - _tops(z)).sum(axis=-1, keepdims=True),
            lambda z: z - np.exp(z).sum(axis=-1, keepdims=True),
        ),
        Mistake(
            _WRONG_AXIS,
            lambda z: lossprimer.log_softmax(z, axis=0),
            lambda z: lossprimer.log_softmax(z, axis=second(z)),
        ),
        Mistake(
            _WHOLE, lambda z: z - np.log(np.exp(z).sum()), lambda z: z - _tops(z) - np.log(np.exp(z - _tops(z)).sum())
        ),
        Mistake(
            _KEEPDIMS,
            lambda z: z - np.log(np.exp(z).sum(axis=-1)),
            lambda z: z - _tops(z) - np.log(np.exp(z - _tops(z)).sum(axis=-1)),
        ),
        Mistake(
            _GLOBAL_MAXIMUM,
            lambda z: z - z.max() - _log_sum(z - z.max()),
            lambda z: np.log(probabilities(z, top="all")),
        ),
        Mistake(_NO_MAXIMUM, lambda z: z - _log_sum(z), lambda z: np.log(probabilities(z, top="none"))),
        Mistake(_UNDERFLOW, lambda z: np.log(probabilities(z))),
        Mistake(_SMALL_NUMBER, *log_of_probabilities(probabilities)),
    ],
)


def _inner(dy, p):
    return (dy * p).sum(axis=-1, keepdims=True)


def _pair(z):
    """Make gradients and probabilities from scores; the gradients are the scores in another order, so generic."""
    gradients = (np.flip(z) * 0.5 + 1).astype(z.dtype)
    return gradients, probabilities(z)


softmax_backward = Task(
    "softmax_backward(dy, p)",
    """the gradient with respect to the scores, from the gradient `dy` with respect to `p`.

    Both have the shape ``(..., K)``, and `p` is ``softmax(z)`` over the last axis. The result ``dz`` has their shape
    and float type.
    """,
    right=lossprimer.softmax_backward,
    keeps_type=True,
    steps=[
        Case("three probabilities by hand", (np.array([1.0, 0.0, 2.0]), np.array([0.5, 0.3, 0.2]))),
        *_shapes(_pair),
        Case(
            "the same gradient at every probability gives none at the scores",
            (np.full((2, 3), 4.0), probabilities(_TABLE[:2])),
        ),
        Case("a probability of exactly 1 passes nothing on", (np.array([3.0, 1.0, 2.0]), np.array([1.0, 0.0, 0.0]))),
    ],
    draw=_drawn(_pair),
    mistakes=[
        Mistake(
            "Only the diagonal p (1 - p) is used. Each probability depends on all scores: the sum of dy p over the row "
            "is subtracted as well.",
            lambda dy, p: dy * p * (1 - p),
        ),
        Mistake(
            "The sum of dy p over the row is not subtracted. Raising one score lowers the other probabilities.",
            lambda dy, p: dy * p,
        ),
        Mistake("The factor p in front is missing: dz = p (dy - sum(dy p)).", lambda dy, p: dy - _inner(dy, p)),
        Mistake(
            "The sum is over dy alone. It is weighted by the probabilities: sum(dy p).",
            lambda dy, p: p * (dy - dy.sum(axis=-1, keepdims=True)),
        ),
        Mistake(
            "A mean is subtracted instead of a sum. The probabilities are the weights already: sum(dy p).",
            lambda dy, p: p * (dy - (dy * p).mean(axis=-1, keepdims=True)),
            lambda dy, p: p * (dy - dy.mean(axis=-1, keepdims=True)),
        ),
        Mistake("The sign is reversed: dz = p (dy - sum(dy p)).", lambda dy, p: p * (_inner(dy, p) - dy)),
        Mistake("The sum is added. It is subtracted: dz = p (dy - sum(dy p)).", lambda dy, p: p * (dy + _inner(dy, p))),
        Mistake("dy and p are swapped: p stands in front of the bracket.", lambda dy, p: dy * (p - _inner(dy, p))),
        Mistake(
            "p holds probabilities already. Here softmax is applied to it once more.",
            lambda dy, p: lossprimer.softmax_backward(dy, probabilities(p)),
        ),
        Mistake(
            _WRONG_AXIS.replace("The probabilities add up to 1", "The sum goes"),
            lambda dy, p: p * (dy - (dy * p).sum(axis=0)),
            lambda dy, p: p * (dy - (dy * p).sum(second(p), keepdims=True)),
        ),
        Mistake(_WHOLE, lambda dy, p: p * (dy - (dy * p).sum())),
        Mistake(
            "The sums of the rows stand in a row instead of a column: without keepdims=True, column i loses the sum of "
            "row i, and in a square table that goes unnoticed.",
            lambda dy, p: p * (dy - (dy * p).sum(axis=-1)),
        ),
    ],
)
