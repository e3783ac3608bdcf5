"""The tasks of chapter 1 on probabilities: softmax, temperature, log-softmax, and the backward pass."""

from collections.abc import Callable

import numpy as np

import lossprimer
from lossprimer.checks.report import Cause
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


def distributions(z: np.ndarray) -> np.ndarray:
    """Probabilities with three decimals, so that a message can show them, that add up to 1 all the same."""
    p = probabilities(np.asarray(z, dtype=float)).round(3)
    largest = p.argmax(axis=-1)[..., None]
    rest = 1 - (p.sum(axis=-1, keepdims=True) - np.take_along_axis(p, largest, -1))
    np.put_along_axis(p, largest, rest.round(3), -1)
    return p.astype(z.dtype)


def second(z: np.ndarray) -> int:
    """The axis that is the last one in a table and not in three axes."""
    return min(1, z.ndim - 1)


def log_of_probabilities(p: Callable) -> list[Callable]:
    """Ways to take the log of the probabilities `p(z)` with a small number that keeps it finite."""
    return [
        *(lambda z, e=e: np.log(p(z) + e) for e in SMALL_NUMBERS),
        *(lambda z, e=e: np.log(np.clip(p(z), e, 1.0)) for e in SMALL_NUMBERS),
        *(lambda z, e=e: np.log(np.clip(p(z), e, 1.0 - e)) for e in SMALL_NUMBERS),
        lambda z: np.log(p(z) + np.finfo(z.dtype).eps),
        lambda z: np.log(p(z) + np.finfo(z.dtype).tiny),
        lambda z: np.log(np.maximum(p(z), np.finfo(z.dtype).tiny)),
        lambda z: np.log(np.maximum(p(z), np.finfo(z.dtype).eps)),
    ]


SMALL_NUMBERS = (
    *(10.0**-n for n in (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 16, 20, 30, 37, 38, 45, 50, 60, 100, 200, 300)),
    float(np.finfo(float).eps),
    float(np.finfo(float).tiny),
    float(np.finfo(np.float32).eps),
    float(np.finfo(np.float32).tiny),
)

# Those that change more than the last digits of a sum of about 1.
_VISIBLE = tuple(number for number in SMALL_NUMBERS if number > 5e-8)

_HAND = np.array([2.0, 1.0, 0.5])
_TABLE = np.array([[1.0, 2.0, 4.0], [0.5, -1.0, 0.0], [3.0, 3.0, -2.0]])
_WIDE = np.array([[1.0, 0.0, 2.0, -1.0], [0.5, 3.0, 0.0, 1.0]])
_DEEP = np.array([[[1.0, 0.0], [2.0, -1.0], [0.5, 1.5]], [[0.0, 3.0], [1.0, 1.0], [-2.0, 0.5]]])
_APART = np.array([[-1000.0, 1000.0, 0.0], [1000.0, 0.0, -1000.0], [0.0, -1000.0, 1000.0]])

_KEEP = "z.max(axis=-1, keepdims=True)"
_NO_MAXIMUM = Cause(
    "Nothing is subtracted from the scores before exp: the exponential of a large score is infinite, and those of very "
    "negative ones are all 0.",
    f"Subtract the largest score of each row, {_KEEP}: the probabilities stay the same, and no exponent is above 0.",
)
_SIZE = Cause(
    "The formula is right, but the numbers break it here: with scores of this size an exponential is infinite, or "
    "every exponential of a row is 0. Make the largest exponent of each row 0.",
    f"Subtract the largest score of each row before exp: {_KEEP}.",
)
_OTHER_NUMBER = Cause(
    "What is subtracted before exp is not the largest score of the row. In a row that is wide enough an "
    "exponential is still infinite, or all of them are 0.",
    f"Subtract the largest score of each row: {_KEEP}.",
)
_CLIPPED = Cause(
    "The scores are clipped before exp. Those beyond the limit all become equal.",
    f"Subtract the largest score of each row, {_KEEP}, and clip nothing.",
)
_GLOBAL_MAXIMUM = Cause(
    "The largest score of the whole array is subtracted. In a row far below it every exponential is 0, and 0/0 is nan.",
    f"Subtract the largest score of each row: {_KEEP}.",
)
_MAXIMUM_OF_COLUMN = Cause(
    "The largest score is taken over the wrong axis, so a different number is subtracted from each column and the "
    "probabilities change.",
    f"Subtract the largest score of each row: {_KEEP}.",
)
_WRONG_AXIS = Cause("The probabilities add up to 1 over the wrong axis.", "The classes are on the last one: axis=-1.")
_WHOLE = Cause("The sum goes over the whole array, so that all rows share one total.", "axis=-1, keepdims=True.")
_KEEPDIMS = Cause(
    "The sum of row i divides column i: the sums form a row instead of a column, and in a square table that goes "
    "unnoticed.",
    "Sum with keepdims=True.",
)
_BASE_TWO = Cause("The base of the powers is not e.", "Softmax takes powers of e: np.exp.")
_LOG_IS_TAKEN = Cause("This is the logarithm of the probability. The task asks for the probability itself.")
_SUBTRACTED = Cause("The sum of the exponentials is subtracted from them. They should be divided by it.")
_OVER_SCORES = Cause("The exponentials are divided by the sum of the scores. They should be divided by their own sum.")
_SCORES_OVER = Cause("The scores themselves are divided by the sum of the exponentials. The exponentials should be.")
_NOT_DIVIDED = Cause("The exponentials are not divided by their sum.")
_TWICE = Cause("Softmax is applied twice: the second one treats the probabilities as scores.")
_REVERSED = Cause("The signs of the scores are reversed: the largest probability goes to the smallest score.")
_HARD = Cause("This is 1 at the largest score and 0 elsewhere. Softmax gives every score some probability.")
_ADDED = Cause(
    "A small number is added to the sum of the exponentials, and the probabilities no longer add up to 1.",
    "With the largest score subtracted, the sum is at least 1, so nothing needs to be added.",
)


def _rows(z):
    return z.max(axis=-1, keepdims=True)


def _over(powers):
    return powers / powers.sum(axis=-1, keepdims=True)


def _square(z):
    """What is left of keepdims in a square table."""
    powers = np.exp(z - _rows(z))
    return powers / powers.sum(axis=-1)


def _finite_mean(z):
    finite = np.isfinite(z)
    return np.where(finite, z, 0).sum(axis=-1, keepdims=True) / finite.sum(axis=-1, keepdims=True).astype(z.dtype)


# Numbers of a row that somebody may take for the largest.
TOPS = (
    lambda z: z.mean(axis=-1, keepdims=True),
    _finite_mean,
    lambda z: np.median(z, axis=-1, keepdims=True),
    lambda z: z.min(axis=-1, keepdims=True),
    lambda z: z[..., :1],
    lambda z: z[..., -1:],
    lambda z: np.abs(z).max(axis=-1, keepdims=True),
    lambda z: np.abs(z).max(),
    lambda z: z.mean(),
    lambda z: z.min(),
    lambda z: z.flat[0],
    lambda z: (z.max(axis=-1, keepdims=True) + z.min(axis=-1, keepdims=True)) / 2,
    lambda z: z.sum(axis=-1, keepdims=True),
    lambda z: np.sort(z, axis=-1)[..., -2:-1] if z.shape[-1] > 1 else z,
)
_LIMITS = (1.0, 5.0, 10.0, 20.0, 30.0, 50.0, 80.0, 88.0, 100.0, 200.0, 500.0, 600.0, 700.0, 709.0)
_CUTS = (
    *(lambda z, n=n: _over(np.exp(np.clip(z, -n, n))) for n in _LIMITS),
    *(lambda z, n=n: _over(np.exp(np.minimum(z, n))) for n in _LIMITS),
    *(lambda z, n=n: _over(np.exp(np.maximum(z - _rows(z), -n))) for n in (1.0, 2.0, 3.0)),
)


# What the softmax, its temperature and its logarithm have in common: sentences, and functions of scores.
_SHARED: tuple[tuple[Cause, tuple[Callable, ...]], ...] = (
    (
        _WRONG_AXIS,
        (
            lambda z: probabilities(z, 0),
            lambda z: probabilities(z, 0, "none"),
            lambda z: probabilities(z, second(z)),
            lambda z: probabilities(z, second(z), "none"),
            lambda z: np.exp(z - _rows(z)) / np.exp(z - _rows(z)).sum(axis=0),
            lambda z: np.exp(z - _rows(z)) / np.exp(z - _rows(z)).sum(axis=0, keepdims=True),
        ),
    ),
    (
        _WHOLE,
        (
            lambda z: probabilities(z, None),
            lambda z: probabilities(z, None, "none"),
            lambda z: np.exp(z - _rows(z)) / np.exp(z - _rows(z)).sum(),
        ),
    ),
    (
        _MAXIMUM_OF_COLUMN,
        (
            lambda z: probabilities(z - z.max(axis=0), top="none"),
            lambda z: probabilities(z - z.max(axis=-1), top="none"),
        ),
    ),
    (
        _KEEPDIMS,
        (
            _square,
            lambda z: np.exp(z) / np.exp(z).sum(axis=-1),
            lambda z: np.exp(z - z.max()) / np.exp(z - z.max()).sum(axis=-1),
        ),
    ),
    (_GLOBAL_MAXIMUM, (lambda z: probabilities(z, top="all"),)),
    (_NO_MAXIMUM, (lambda z: probabilities(z, top="none"),)),
    (_OTHER_NUMBER, tuple(lambda z, top=top: probabilities(z - top(z), top="none") for top in TOPS)),
    (_CLIPPED, _CUTS),
    (
        _BASE_TWO,
        (
            lambda z: probabilities(z, base=np.exp2),
            lambda z: probabilities(z, top="none", base=np.exp2),
            lambda z: probabilities(z, base=lambda z: 10.0**z),
            lambda z: probabilities(z, top="none", base=lambda z: 10.0**z),
        ),
    ),
    (
        _TWICE,
        (
            lambda z: probabilities(probabilities(z)),
            lambda z: probabilities(probabilities(z, top="none"), top="none"),
        ),
    ),
    (_REVERSED, (lambda z: probabilities(-z), lambda z: probabilities(-z, top="none"))),
    (_HARD, (lambda z: (z == _rows(z)).astype(z.dtype), lambda z: np.eye(z.shape[-1])[z.argmax(axis=-1)])),
    (
        _ADDED,
        tuple(
            lambda z, e=e: np.exp(z - _rows(z)) / (np.exp(z - _rows(z)).sum(axis=-1, keepdims=True) + e)
            for e in (*_VISIBLE, 1.0)
        )
        + tuple(lambda z, e=e: np.exp(z) / (np.exp(z).sum(axis=-1, keepdims=True) + e) for e in (*_VISIBLE, 1.0))
        + tuple(lambda z, e=e: probabilities(z) + e for e in _VISIBLE),
    ),
    (
        Cause(
            "The scores are divided by their sum, and no exponential is taken.",
            "First take the exponential of each score: it is never negative.",
        ),
        (
            lambda z: z / z.sum(axis=-1, keepdims=True),
            lambda z: _over(z - z.min(axis=-1, keepdims=True)),
            lambda z: _over(np.abs(z)),
            lambda z: _over(np.maximum(z, 0)),
            lambda z: _over(z**2),
            lambda z: _over(z - _rows(z)),
        ),
    ),
    (
        Cause("The scores are divided by their sum before exp. The exponentials should be divided by their sum."),
        (
            lambda z: np.exp(z / z.sum(axis=-1, keepdims=True)),
            lambda z: probabilities(z / z.sum(axis=-1, keepdims=True)),
            lambda z: probabilities(z / _rows(z)),
        ),
    ),
    (
        Cause(
            "Each exponential is divided by the exponential of the sum of the scores. The exponentials should be "
            "summed."
        ),
        (
            lambda z: np.exp(z) / np.exp(z.sum(axis=-1, keepdims=True)),
            lambda z: np.exp(z - _rows(z)) / np.exp((z - _rows(z)).sum(axis=-1, keepdims=True)),
        ),
    ),
    (
        Cause(
            "The largest score of row i is subtracted from column i, and the sum of row i divides column i: both form "
            "a row instead of a column.",
            "Take maximum and sum with keepdims=True.",
        ),
        (lambda z: np.exp(z - z.max(axis=-1)) / np.exp(z - z.max(axis=-1)).sum(axis=-1),),
    ),
    (
        Cause("The largest score is subtracted in the numerator, and not in the sum: the factor no longer cancels."),
        (
            lambda z: np.exp(z - _rows(z)) / np.exp(z).sum(axis=-1, keepdims=True),
            lambda z: np.exp(z) / np.exp(z - _rows(z)).sum(axis=-1, keepdims=True),
        ),
    ),
    (
        Cause("The scores are rescaled to the range from 0 to 1, and no exponential is taken."),
        (lambda z: (z - z.min(axis=-1, keepdims=True)) / np.ptp(z, axis=-1, keepdims=True),),
    ),
    (
        Cause("The probabilities are rounded."),
        tuple(lambda z, n=n: probabilities(z).round(n) for n in range(1, 7)),
    ),
    (
        Cause("1 is subtracted from each exponential: np.expm1(z) is exp(z) - 1."),
        (lambda z: _over(np.expm1(z - _rows(z))), lambda z: _over(np.expm1(z))),
    ),
    (
        Cause("The exponentials are multiplied by their sum. They should be divided by it."),
        (
            lambda z: np.exp(z - _rows(z)) * np.exp(z - _rows(z)).sum(axis=-1, keepdims=True),
            lambda z: np.exp(z) * np.exp(z).sum(axis=-1, keepdims=True),
        ),
    ),
    (
        _SUBTRACTED,
        (
            lambda z: np.exp(z - _rows(z)) - np.exp(z - _rows(z)).sum(axis=-1, keepdims=True),
            lambda z: np.exp(z) - np.exp(z).sum(axis=-1, keepdims=True),
        ),
    ),
    (
        _OVER_SCORES,
        (
            lambda z: np.exp(z) / z.sum(axis=-1, keepdims=True),
            lambda z: np.exp(z - _rows(z)) / z.sum(axis=-1, keepdims=True),
            lambda z: np.exp(z - _rows(z)) / (z - _rows(z)).sum(axis=-1, keepdims=True),
        ),
    ),
    (
        _SCORES_OVER,
        (
            lambda z: z / np.exp(z).sum(axis=-1, keepdims=True),
            lambda z: z / np.exp(z - _rows(z)).sum(axis=-1, keepdims=True),
            lambda z: (z - _rows(z)) / np.exp(z - _rows(z)).sum(axis=-1, keepdims=True),
        ),
    ),
    (
        Cause("The exponentials are divided by the largest of them, and not by their sum."),
        (lambda z: np.exp(z) / np.exp(z).max(axis=-1, keepdims=True),),
    ),
    (
        Cause("The exponentials are divided by their mean, and not by their sum."),
        (
            lambda z: np.exp(z - _rows(z)) / np.exp(z - _rows(z)).mean(axis=-1, keepdims=True),
            lambda z: np.exp(z) / np.exp(z).mean(axis=-1, keepdims=True),
        ),
    ),
    (
        Cause("The exponentials are divided by their length, the root of the sum of their squares."),
        (lambda z: np.exp(z - _rows(z)) / np.linalg.norm(np.exp(z - _rows(z)), axis=-1, keepdims=True),),
    ),
    (
        Cause("Each exponential is divided by the sum of the others. The sum should include it."),
        (lambda z: np.exp(z - _rows(z)) / (np.exp(z - _rows(z)).sum(axis=-1, keepdims=True) - np.exp(z - _rows(z))),),
    ),
    (
        Cause("Each score goes through a sigmoid by itself. Softmax compares it with the others."),
        (lambda z: 1 / (1 + np.exp(-z)), lambda z: _over(1 / (1 + np.exp(-z)))),
    ),
    (
        _NOT_DIVIDED,
        (np.exp, lambda z: np.exp(z - _rows(z)), lambda z: np.exp(z - z.max())),
    ),
)


def shared_mistakes(change: Callable, *without: Cause) -> list[Mistake]:
    """The mistakes of a softmax, each made by ``change(wrong)`` into one of another function."""
    return [Mistake(cause, *map(change, wrong)) for cause, wrong in _SHARED if cause not in without]


def _shapes(arguments=lambda z: (z,)):
    """Cases that most functions of scores share: a square table, one that is not, three axes, float32."""
    return [
        Case("each row of a table by itself", arguments(_TABLE)),
        Case("a table that is not square", arguments(_WIDE)),
        Case("the last of three axes", arguments(_DEEP)),
        Case("float32 stays float32", arguments(_WIDE.astype(np.float32))),
    ]


def _extremes(arguments=lambda z: (z,), cause=_SIZE):
    """Cases that overflow or underflow without the maximum of each row."""
    return [
        Case("scores near 1000", arguments(np.array([1000.0, 999.0, 997.0])), cause),
        Case("scores near -1000", arguments(np.array([-1000.0, -1001.0, -1003.0])), cause),
        Case("rows at different levels", arguments(np.array([[1000.0, 999.0, 998.0], [2.0, 1.0, 0.0]])), cause),
        Case("1000 and -1000 in one row, in any order", arguments(_APART), cause),
        Case("scores near 100 in float32", arguments(np.array([100.0, 98.5, 97.0], dtype=np.float32)), cause),
        Case("a wide row in float32", arguments(np.array([[-90.0, 60.0, 0.0], [0.0, -60.0, 90.0]], np.float32)), cause),
    ]


def _drawn(arguments=lambda z: (z,)):
    """Cases with drawn scores: small, in float32, at different levels, far apart."""

    def draw(rng):
        rows, classes = (int(n) for n in rng.integers(2, 6, size=2))
        levels = rng.integers(-900, 900, size=(rows, 1))
        return [
            Case("a table", arguments(scores(rng, rows, classes))),
            Case("three axes", arguments(scores(rng, 2, rows, classes))),
            Case("float32", arguments(scores(rng, rows, classes).astype(np.float32))),
            Case("rows at different levels", arguments((scores(rng, rows, classes) + levels).round(2)), _SIZE),
            Case("scores far apart", arguments(scores(rng, rows, classes, scale=900.0)), _SIZE),
        ]

    return draw


def _many(*shape):
    return np.random.default_rng(0).normal(size=shape)


_MASKED = Case(
    "a masked score, -inf, gets 0",
    (np.array([[2.0, -np.inf, 0.5], [-np.inf, 1.0, 1.5]]),),
    Cause(
        "exp(-inf) is 0, so a masked class needs no special treatment. Some other step does something to it.",
        "Which step turns -inf into nan? -inf minus -inf does, and so does 0 times -inf.",
    ),
)

softmax = Task(
    "softmax(z)",
    """the probabilities of the scores `z`.

    `z` has the shape ``(..., K)``. The probabilities run along the last axis, have the shape and the float type of `z`,
    and are right for finite scores of any size; a score of -inf gets exactly 0.
    """,
    right=lossprimer.softmax,
    keeps_type=True,
    steps=[Case("three scores by hand", (_HAND,)), *_shapes(), *_extremes(), _MASKED],
    draw=_drawn(),
    large=lambda: (_many(200, 30),),
    mistakes=[*shared_mistakes(lambda wrong: wrong), Mistake(_LOG_IS_TAKEN, lossprimer.log_softmax)],
)


def _with(temperature):
    """Make the arguments of softmax_with_temperature."""
    return lambda z: (z, temperature)


def _hot(function):
    """A wrong softmax, applied to scores over a temperature."""
    return lambda z, temperature: function(z / temperature)


def _draw_temperatures(rng):
    temperature = float(rng.choice([0.25, 0.4, 1.6, 2.5, 8.0]))
    return _drawn(_with(temperature))(rng)


_SIZE_AT_TEMPERATURE = Cause(
    "The formula is right, but the numbers break it here: a quotient z / temperature is too large or too small for "
    "exp.",
    "Divide first, then subtract the largest quotient of each row, then take exp.",
)
_NO_MAXIMUM_AT_TEMPERATURE = Cause(
    "Nothing is subtracted before exp, and a quotient z / temperature can be too large or too small for it.",
    _SIZE_AT_TEMPERATURE.hint,
)
_MIXED_MAXIMUM = Cause(
    "The largest score is subtracted from the quotients z / temperature: it is not divided, so the largest exponent is "
    "not 0.",
    "Subtract first and divide the difference, or divide first and subtract the largest quotient.",
)


def _by_temperature(change):
    """Mistakes in which something else is done with the temperature, stable or not."""
    return [lambda z, t, top=top: probabilities(change(z, t), top=top) for top in ("row", "none")]


softmax_with_temperature = Task(
    "softmax_with_temperature(z, temperature)",
    """the probabilities of the scores `z` over a temperature.

    `z` has the shape ``(..., K)``, `temperature` is a number greater than 0. Otherwise as ``softmax(z)``.
    """,
    right=lambda z, temperature: lossprimer.softmax(z, temperature=temperature),
    keeps_type=True,
    steps=[
        Case("three scores at temperature 0.5", (_HAND, 0.5)),
        Case("temperature 1 is the plain softmax", (_HAND, 1.0)),
        Case("three scores at temperature 3", (_HAND, 3.0)),
        *_shapes(_with(2.5)),
        Case(
            "a very low temperature leaves only the largest", (np.array([0.5, 2.0, 1.0]), 0.001), _SIZE_AT_TEMPERATURE
        ),
        Case("a very low temperature splits a tie evenly", (np.array([0.5, 2.0, 2.0]), 0.001), _SIZE_AT_TEMPERATURE),
        Case("a very high temperature gives nearly equal probabilities", (_HAND, 1000.0)),
        Case("scores near 400", (np.array([399.0, 400.0, 398.5]), 0.5), _SIZE_AT_TEMPERATURE),
        *_extremes(_with(0.5), _SIZE_AT_TEMPERATURE),
    ],
    draw=_draw_temperatures,
    large=lambda: (_many(200, 30), 0.5),
    mistakes=[
        Mistake(
            "The scores are multiplied by the temperature. A high temperature makes the differences small.",
            *_by_temperature(lambda z, t: z * t),
            hint="Divide the scores by the temperature.",
        ),
        Mistake(
            "The probabilities are divided by the temperature, and no longer add up to 1.",
            lambda z, t: probabilities(z) / t,
            lambda z, t: probabilities(z, top="none") / t,
            hint="Divide the scores, before exp.",
        ),
        Mistake(
            "The temperature has no effect: this is the plain softmax. Either it is not used, or whatever it divides "
            "cancels.",
            *_by_temperature(lambda z, t: z),
            hint="Divide the scores, before exp: a factor that a whole row of exponentials has in common cancels.",
        ),
        Mistake(
            "The temperature counts twice: the scores are divided by its square.",
            *_by_temperature(lambda z, t: z / t**2),
        ),
        Mistake(
            "The scores are not divided by the temperature itself, but by 1 more than it, or by its logarithm.",
            *_by_temperature(lambda z, t: z / (1 + t)),
            *_by_temperature(lambda z, t: z / np.log(t)),
            *_by_temperature(lambda z, t: z / np.log1p(t)),
            *_by_temperature(lambda z, t: z / np.exp(t)),
        ),
        Mistake("The scores are divided by the root of the temperature.", *_by_temperature(lambda z, t: z / t**0.5)),
        Mistake(
            "The probabilities are raised to the power 1/temperature and no longer add up to 1.",
            lambda z, t: probabilities(z) ** (1 / t),
            hint="Divide the scores, before exp.",
        ),
        Mistake(
            "The probabilities, and not the scores, are divided by the temperature, and softmax is applied to them.",
            lambda z, t: probabilities(probabilities(z) / t),
        ),
        Mistake(
            _MIXED_MAXIMUM,
            lambda z, t: probabilities(z / t - _rows(z), top="none"),
        ),
        Mistake(_NO_MAXIMUM_AT_TEMPERATURE, _hot(lambda z: probabilities(z, top="none"))),
        *shared_mistakes(_hot, _NO_MAXIMUM),
        Mistake(_LOG_IS_TAKEN, _hot(lossprimer.log_softmax)),
    ],
)

_UNDERFLOW = Cause(
    "The probability underflows to 0, and its logarithm is -inf.",
    "Do not take the log of a probability: with the largest score subtracted, log_softmax(z) = z - log(sum(exp(z))), "
    "which never takes the log of 0.",
)
_SMALL_NUMBER = Cause(
    "A small number is added to the probability before the log, or it is clipped. That hides the -inf and puts "
    "a wrong number in its place.",
    "Compute z - log(sum(exp(z))) with the largest score subtracted; no log of 0 is left.",
)


def _log_sum(z, axis=-1, top=0.0):
    return np.log(np.exp(z - top).sum(axis=axis, keepdims=True))


def _in_logs(wrong):
    """A wrong softmax under a logarithm."""
    return lambda z: np.log(wrong(z))


log_softmax = Task(
    "log_softmax(z)",
    """the logarithms of the probabilities, finite for all finite scores.

    `z` has the shape ``(..., K)``. The result has the shape and the float type of `z`.
    """,
    right=lossprimer.log_softmax,
    keeps_type=True,
    steps=[
        Case("three scores by hand", (_HAND,)),
        *_shapes(),
        *_extremes(),
        Case("probabilities too small for a float", (np.array([[1000.0, 0.0], [0.0, 800.0]]),), _UNDERFLOW),
        Case("the same in float32", (np.array([[200.0, 0.0], [0.0, 150.0]], dtype=np.float32),), _UNDERFLOW),
    ],
    draw=_drawn(),
    large=lambda: (_many(200, 30),),
    mistakes=[
        Mistake("The logarithm is missing: these are the probabilities themselves.", lossprimer.softmax),
        Mistake(
            "The sign is reversed. The logarithm of a probability is at most 0.",
            lambda z: -lossprimer.log_softmax(z),
            lambda z: -(z - _log_sum(z)),
        ),
        Mistake(
            "The logarithm has base 2 or 10.",
            lambda z: lossprimer.log_softmax(z) / np.log(2),
            lambda z: lossprimer.log_softmax(z) / np.log(10),
            lambda z: z - _log_sum(z - _rows(z)) / np.log(2) - _rows(z),
            lambda z: z - _log_sum(z - _rows(z)) / np.log(10) - _rows(z),
            lambda z: z - _log_sum(z) / np.log(2),
            lambda z: z - _log_sum(z) / np.log(10),
            hint="np.log is the natural one.",
        ),
        Mistake("1 is added before the logarithm: np.log1p(p) is log(1 + p).", lambda z: np.log1p(probabilities(z))),
        Mistake(
            "The largest score is subtracted in the exponent and not added back.",
            lambda z: z - _log_sum(z, top=_rows(z)),
            lambda z: z - _rows(z) - _log_sum(z),
            lambda z: z - _log_sum(z, top=z.max()),
            hint="Subtract it from z once, at the start, or add it to the logarithm of the sum.",
        ),
        Mistake(
            "The logarithm of the sum is missing.",
            lambda z: z - _rows(z),
            lambda z: z - np.exp(z - _rows(z)).sum(axis=-1, keepdims=True),
            lambda z: z - _rows(z) - np.exp(z - _rows(z)).sum(axis=-1, keepdims=True),
            lambda z: z - np.exp(z).sum(axis=-1, keepdims=True),
        ),
        Mistake(
            "The logarithm of the sum is added. It should be subtracted.",
            lambda z: z - _rows(z) + _log_sum(z, top=_rows(z)),
            lambda z: z + _log_sum(z),
            lambda z: z + _log_sum(z, top=_rows(z)) + _rows(z),
        ),
        Mistake(
            "The scores are divided by the logarithm of the sum. It should be subtracted from them.",
            lambda z: z / _log_sum(z),
            lambda z: (z - _rows(z)) / _log_sum(z, top=_rows(z)),
        ),
        Mistake(
            "Logarithms are added up, and exp and log cancel: sum(log(exp(z))) is the sum of the scores. The "
            "logarithm should be taken of the sum.",
            lambda z: z - z.sum(axis=-1, keepdims=True),
            lambda z: z - _rows(z) - (z - _rows(z)).sum(axis=-1, keepdims=True),
            lambda z: np.log(probabilities(z)) - np.log(probabilities(z)).sum(axis=-1, keepdims=True),
            hint="log(sum(exp(z))): first the exponentials, then their sum, then one logarithm.",
        ),
        Mistake(
            "The logarithm is taken of the mean of the exponentials, not of their sum.",
            lambda z: z - _rows(z) - np.log(np.exp(z - _rows(z)).mean(axis=-1, keepdims=True)),
            lambda z: z - np.log(np.exp(z).mean(axis=-1, keepdims=True)),
        ),
        Mistake(
            "The sum is missing: the logarithm of an exponential is the score itself.",
            lambda z: z,
            lambda z: np.log(np.exp(z)),
        ),
        Mistake(
            "The logarithm of the scores is taken. The scores should go through exp first.",
            np.log,
            lambda z: np.log(np.abs(z)),
        ),
        Mistake(
            _WRONG_AXIS,
            lambda z: lossprimer.log_softmax(z, axis=0),
            lambda z: lossprimer.log_softmax(z, axis=second(z)),
            lambda z: z - _log_sum(z, axis=0),
            lambda z: z - _log_sum(z, axis=second(z)),
            lambda z: z - _rows(z) - _log_sum(z, axis=0, top=_rows(z)),
        ),
        Mistake(
            _WHOLE,
            lambda z: z - np.log(np.exp(z).sum()),
            lambda z: z - z.max() - np.log(np.exp(z - z.max()).sum()),
            lambda z: z - _rows(z) - np.log(np.exp(z - _rows(z)).sum()),
        ),
        Mistake(
            Cause(
                "The logarithm of the sum of row i is subtracted from column i: the sums form a row instead of a "
                "column, and in a square table that goes unnoticed.",
                _KEEPDIMS.hint,
            ),
            lambda z: z - np.log(np.exp(z).sum(axis=-1)),
            lambda z: z - _rows(z) - np.log(np.exp(z - _rows(z)).sum(axis=-1)),
            lambda z: z - z.max() - np.log(np.exp(z - z.max()).sum(axis=-1)),
        ),
        Mistake(
            _GLOBAL_MAXIMUM,
            lambda z: z - z.max() - _log_sum(z - z.max()),
            lambda z: np.log(probabilities(z, top="all")),
        ),
        Mistake(_NO_MAXIMUM, lambda z: z - _log_sum(z), lambda z: np.log(probabilities(z, top="none"))),
        Mistake(
            _OTHER_NUMBER,
            *(lambda z, top=top: z - top(z) - _log_sum(z - top(z)) for top in TOPS),
            *(lambda z, top=top: np.log(probabilities(z - top(z), top="none")) for top in TOPS),
        ),
        Mistake(_TWICE, lambda z: lossprimer.log_softmax(probabilities(z))),
        Mistake(
            "log_softmax is applied to itself, or the logarithm is taken twice.",
            lambda z: np.log(-lossprimer.log_softmax(z)),
        ),
        Mistake(_UNDERFLOW, lambda z: np.log(probabilities(z))),
        Mistake(_SMALL_NUMBER, *log_of_probabilities(probabilities)),
        *shared_mistakes(
            _in_logs,
            _WRONG_AXIS,
            _WHOLE,
            _KEEPDIMS,
            _GLOBAL_MAXIMUM,
            _NO_MAXIMUM,
            _OTHER_NUMBER,
            _TWICE,
            _ADDED,
            _NOT_DIVIDED,
            _SUBTRACTED,
            _OVER_SCORES,
            _SCORES_OVER,
        ),
    ],
)


def _inner(dy, p):
    return (dy * p).sum(axis=-1, keepdims=True)


def _pair(z):
    """Make gradients and probabilities from scores; the gradients are the scores in another order, so generic."""
    gradients = (np.flip(z) * 0.5 + 1).astype(z.dtype)
    return gradients, distributions(z)


_IN_FRONT = "dz = p (dy - sum(dy p))."

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
            "the same gradient for every probability gives 0 for every score",
            (np.full((2, 3), 4.0), distributions(_TABLE[:2])),
        ),
        Case("a probability of exactly 1 passes nothing on", (np.array([3.0, 1.0, 2.0]), np.array([1.0, 0.0, 0.0]))),
        Case("small probabilities count", (np.array([[1e6, 2e6, 0.0]]), np.array([[1e-6, 3e-6, 1 - 4e-6]]))),
    ],
    draw=lambda rng: _drawn(_pair)(rng)[:3],
    large=lambda: (_many(200, 30), probabilities(_many(200, 30))),
    mistakes=[
        Mistake(
            "Only the diagonal of the Jacobian, p (1 - p), is used. Each probability depends on all scores.",
            lambda dy, p: dy * p * (1 - p),
            hint="The sum of dy p over the row is subtracted from each dy: " + _IN_FRONT,
        ),
        Mistake(
            "Only the off-diagonal entries of the Jacobian, -p_i p_j, are used. The diagonal, p (1 - p), is lost.",
            lambda dy, p: -p * (_inner(dy, p) - dy * p),
            hint=_IN_FRONT,
        ),
        Mistake(
            "Every entry of the Jacobian is taken to be -p_i p_j. On the diagonal it should be p (1 - p).",
            lambda dy, p: -p * _inner(dy, p),
            lambda dy, p: p * _inner(dy, p),
            hint=_IN_FRONT,
        ),
        Mistake(
            "Only the last column of the Jacobian is left: in the loop its parts overwrite each other instead of "
            "being added up.",
            lambda dy, p: (
                -p * p[..., -1:] * dy[..., -1:] + np.where(np.arange(p.shape[-1]) == p.shape[-1] - 1, p * dy, 0)
            ),
            lambda dy, p: -p * p[..., -1:],
            lambda dy, p: np.where(np.arange(p.shape[-1]) == p.shape[-1] - 1, p * (1 - p), -p * p[..., -1:]),
            lambda dy, p: np.where(
                np.arange(p.shape[-1]) == p.shape[-1] - 1,
                -p * p[..., -2:-1] * dy[..., -2:-1],
                -p * p[..., -1:] * dy[..., -1:],
            ),
            hint="Add with += where the loop runs over the scores that a probability depends on.",
        ),
        Mistake(
            "The sum of dy p over the row is not subtracted. Raising one score lowers the other probabilities.",
            lambda dy, p: dy * p,
            hint=_IN_FRONT,
        ),
        Mistake("The factor p in front is missing.", lambda dy, p: dy - _inner(dy, p), hint=_IN_FRONT),
        Mistake(
            "dy is missing: these are the derivatives p (1 - p) alone.",
            lambda dy, p: p * (1 - p),
        ),
        Mistake(
            "This is the gradient of log_softmax, dy - p sum(dy). In this task the softmax returned p itself, not its "
            "logarithm.",
            lambda dy, p: dy - p * dy.sum(axis=-1, keepdims=True),
            hint=_IN_FRONT,
        ),
        Mistake(
            "This is the gradient of softmax and cross-entropy together, with dy taken as the labels. In this task dy "
            "is the gradient of any loss.",
            lambda dy, p: p - dy,
            lambda dy, p: dy - p,
            lambda dy, p: (p - dy) / len(p),
            hint=_IN_FRONT,
        ),
        Mistake(
            "p multiplies only dy: dy p - sum(dy p). The sum should get the factor p as well.",
            lambda dy, p: dy * p - _inner(dy, p),
            hint=_IN_FRONT,
        ),
        Mistake(
            "There is a division, or a product, where the sum should be subtracted.",
            lambda dy, p: p * (dy / _inner(dy, p)),
            lambda dy, p: p * dy * _inner(dy, p),
            hint=_IN_FRONT,
        ),
        Mistake(
            "The division is by p, and p stands in front as a factor.",
            lambda dy, p: (dy - _inner(dy, p)) / p,
            lambda dy, p: p / (dy - _inner(dy, p)),
            hint=_IN_FRONT,
        ),
        Mistake(
            "The factor p in front of the bracket appears twice.",
            lambda dy, p: p * p * (dy - _inner(dy, p)),
            hint=_IN_FRONT,
        ),
        Mistake(
            "The sum is weighted by p twice. It should be weighted by p once.",
            lambda dy, p: p * (dy - (dy * p * p).sum(axis=-1, keepdims=True)),
            hint=_IN_FRONT,
        ),
        Mistake(
            "p - p^2 is used in place of p, or dy is squared.",
            lambda dy, p: p * (1 - p) * (dy - _inner(dy, p)),
            lambda dy, p: p * (dy - (dy * dy * p).sum(axis=-1, keepdims=True)),
            lambda dy, p: p * (dy - (dy * dy).sum(axis=-1, keepdims=True)),
            hint=_IN_FRONT,
        ),
        Mistake(
            "The sum is over dy alone. It should be weighted by the probabilities.",
            lambda dy, p: p * (dy - dy.sum(axis=-1, keepdims=True)),
            hint=_IN_FRONT,
        ),
        Mistake(
            "The sum is over p alone, and that is 1. It should be that of dy p.",
            lambda dy, p: p * (dy - p.sum(axis=-1, keepdims=True)),
            lambda dy, p: p * (dy - 1),
            lambda dy, p: p * (dy - p),
            hint=_IN_FRONT,
        ),
        Mistake(
            "A mean is subtracted instead of a sum. The probabilities are the weights already.",
            lambda dy, p: p * (dy - (dy * p).mean(axis=-1, keepdims=True)),
            lambda dy, p: p * (dy - dy.mean(axis=-1, keepdims=True)),
            hint=_IN_FRONT,
        ),
        Mistake("The sign is reversed.", lambda dy, p: p * (_inner(dy, p) - dy), hint=_IN_FRONT),
        Mistake("The sum is added. It should be subtracted.", lambda dy, p: p * (dy + _inner(dy, p)), hint=_IN_FRONT),
        Mistake(
            "dy and p are swapped: p stands in front of the bracket.",
            lambda dy, p: dy * (p - _inner(dy, p)),
            lambda dy, p: dy * (dy - _inner(dy, p)),
            lambda dy, p: lossprimer.softmax_backward(p, dy),
            hint=_IN_FRONT,
        ),
        Mistake(
            "p holds probabilities already, and softmax is applied to it once more.",
            lambda dy, p: lossprimer.softmax_backward(dy, probabilities(p)),
        ),
        Mistake(
            "The sum goes over the wrong axis.",
            lambda dy, p: p * (dy - (dy * p).sum(axis=0)),
            lambda dy, p: p * (dy - (dy * p).sum(second(p), keepdims=True)),
            hint="The classes are on the last one: axis=-1, keepdims=True.",
        ),
        Mistake(_WHOLE, lambda dy, p: p * (dy - (dy * p).sum())),
        Mistake(
            "The sums of the rows form a row instead of a column: from column i the sum of row i is subtracted, and "
            "in a square table that goes unnoticed.",
            lambda dy, p: p * (dy - (dy * p).sum(axis=-1)),
            hint="Sum with keepdims=True.",
        ),
        Mistake(
            "The gradient is divided by the number of rows, or of classes. No mean is taken in a softmax.",
            lambda dy, p: lossprimer.softmax_backward(dy, p) / len(p),
            lambda dy, p: lossprimer.softmax_backward(dy, p) / p.shape[-1],
        ),
    ],
)
