"""The tasks of chapter 4: batch, layer and RMS normalization, running statistics, and a backward pass."""

import numpy as np

import lossprimer
from lossprimer.checks.probability import second
from lossprimer.checks.report import Cause
from lossprimer.checks.task import Case, Mistake, Task
from lossprimer.checks.values import as_code


def numbers(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Numbers around 1 with two decimals, so that a message can show them."""
    return rng.normal(loc=1.0, scale=2.0, size=shape).round(2)


def _inside(var, eps):
    return np.sqrt(var + eps)


def _standard(x, eps, axis, *, var=np.var, mean=np.mean, root=_inside, keepdims=True):
    """Centred and divided; each part can be the wrong one."""
    centred = x - mean(x, axis=axis, keepdims=keepdims)
    return centred / root(var(x, axis=axis, keepdims=keepdims), eps)


def _squares_of_sums(x, **options):
    return np.mean(x**2, **options) - np.mean(x, **options) ** 2


def _unbiased(x, **options):
    return np.var(x, ddof=1, **options)


def _sum_of_squares(x, **options):
    return np.var(x, **options) * _count(x, options["axis"])


def _mean_square(x, **options):
    return np.mean(x**2, **options)


def _absolute(x, **options):
    """The square of the mean absolute deviation."""
    return np.mean(np.abs(x - np.mean(x, axis=options["axis"], keepdims=True)), **options) ** 2


def _count(x, axis):
    return x.size if axis is None else int(np.prod([x.shape[a] for a in np.atleast_1d(axis)]))


def _no_mean(x, **options):
    return np.zeros_like(np.mean(x, **options))


def _affine(axis, **options):
    """Make a normalization with gamma and beta."""
    return lambda x, gamma, beta, eps: gamma * _standard(x, eps, axis, **options) + beta


_COLUMNS = np.array([[1.0, 2.0], [3.0, 8.0]])
_X = np.array([[1.0, 4.0, 0.0, -2.0], [3.0, 4.5, 1.0, 5.0], [-2.0, 6.0, 0.5, 1.0]])
_SQUARE = np.array([[1.0, 4.0, 0.0], [3.0, -1.0, 2.5], [-2.0, 6.0, 0.5]])
_GAMMA = np.array([2.0, 0.5, -1.0, 3.0])
_BETA = np.array([1.0, -2.0, 0.5, 4.0])
_DEEP = np.stack([_X, 2.0 - _X**2, _X[::-1] + 1])
# Far enough from 0 to lose digits in E[x^2] - E[x]^2, and so near that the mean, however it is summed, loses none.
_FAR = 1e6 + 0.3

_SQRT = "sqrt(var + eps)"
_EPS_OUTSIDE = Cause("eps is in the wrong place: it is added outside the root.", f"It belongs inside: {_SQRT}.")
_EPS_OF_THIS_SIZE = Cause("An eps this large shows where it is added.", f"It belongs inside the root: {_SQRT}.")
_NO_EPS = Cause("eps is missing in the division.", f"{_SQRT} keeps the division finite where all values are equal.")
_EQUAL = Cause("All values are equal here, and their variance is 0.", f"{_SQRT} keeps the division finite.")
_OTHER_EPS = Cause("The eps that is used is not the one that is given: is a number written in its place?")
_NO_ROOT = Cause("The root is missing: the division is by the variance.", f"Divide by {_SQRT}.")
_DDOF = Cause(
    "The variance divides by n - 1.", "Normalization takes the plain mean of the squares: np.var with ddof=0."
)
_NOT_DIVIDED = Cause("The squares are added up, not averaged.", "The variance is a mean.")
_CANCELS = Cause(
    "The variance is computed as E[x^2] - E[x]^2. For values far from 0 the two nearly cancel; few digits are left, "
    "or even a negative number.",
    "Subtract the mean first, then average the squares.",
)
_FAR_FROM_0 = Cause(
    "The formula is right, but digits are lost here: the values are far from 0, and two large numbers that nearly "
    "cancel are subtracted.",
    "Subtract the mean first, then average the squares: not E[x^2] - E[x]^2.",
)
_NOT_CENTRED = Cause("The mean is not subtracted.")
_NO_GAMMA = Cause("gamma is not used.", "Multiply the normalized values by it.")
_NO_BETA = Cause("beta is not used.", "Add it at the end.")
_GAMMA_IS_BETA = Cause("gamma and beta are swapped: gamma multiplies, beta is added.")
_KEEPDIMS = Cause(
    "The means of the rows form a row instead of a column: from column i the mean of row i is subtracted, and in a "
    "square table that goes unnoticed.",
    "Take mean and variance with keepdims=True.",
)
_TWICE = Cause("The values are normalized twice.")
_EPS_SIZES = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1.0)


def _shared(axis):
    """The mistakes that batch_norm and layer_norm share."""
    return [
        Mistake(_NO_GAMMA, lambda x, gamma, beta, eps: _standard(x, eps, axis) + beta),
        Mistake(_NO_BETA, lambda x, gamma, beta, eps: gamma * _standard(x, eps, axis)),
        Mistake(
            "gamma and beta are not used.",
            lambda x, gamma, beta, eps: _standard(x, eps, axis),
            hint="Multiply by gamma and add beta.",
        ),
        Mistake(_GAMMA_IS_BETA, lambda x, gamma, beta, eps: beta * _standard(x, eps, axis) + gamma),
        Mistake(
            "beta is added before gamma multiplies.",
            lambda x, gamma, beta, eps: gamma * (_standard(x, eps, axis) + beta),
            hint="Multiply first, then add.",
        ),
        Mistake("beta is subtracted.", lambda x, gamma, beta, eps: gamma * _standard(x, eps, axis) - beta),
        Mistake(
            "The factor is 1 + gamma, or gamma is added. The factor should be gamma itself.",
            lambda x, gamma, beta, eps: (1 + gamma) * _standard(x, eps, axis) + beta,
            lambda x, gamma, beta, eps: gamma + _standard(x, eps, axis) + beta,
        ),
        Mistake(
            "gamma divides, or only its absolute value is used. It should multiply.",
            lambda x, gamma, beta, eps: _standard(x, eps, axis) / gamma + beta,
            lambda x, gamma, beta, eps: np.abs(gamma) * _standard(x, eps, axis) + beta,
        ),
        Mistake(
            "gamma or beta is applied before the normalization, which undoes it.",
            lambda x, gamma, beta, eps: _standard(gamma * x + beta, eps, axis),
            lambda x, gamma, beta, eps: _standard(gamma * x, eps, axis) + beta,
            hint="First normalize, then multiply by gamma and add beta.",
        ),
        Mistake(_NOT_CENTRED, _affine(axis, mean=_no_mean)),
        Mistake(
            "The mean is not subtracted, neither from the values nor in the variance: this is RMSNorm.",
            _affine(axis, mean=_no_mean, var=_mean_square),
        ),
        Mistake(
            "The variance is taken without the mean, as the mean of the squares of the values.",
            _affine(axis, var=_mean_square),
        ),
        Mistake(
            "The mean is subtracted, but nothing is divided.",
            _affine(axis, root=lambda var, eps: 1.0),
            hint=f"Divide by {_SQRT}.",
        ),
        Mistake(
            "Only the mean is divided by the root: x - mean / root. The whole difference should be: use parentheses.",
            lambda x, gamma, beta, eps: (
                gamma * (x - x.mean(axis, keepdims=True) / np.sqrt(x.var(axis, keepdims=True) + eps)) + beta
            ),
            hint="(x - mean) / root",
        ),
        Mistake("The sign is reversed: the values are subtracted from the mean.", _affine(axis, root=_minus)),
        Mistake(_TWICE, lambda x, gamma, beta, eps: gamma * _standard(_standard(x, eps, axis), eps, axis) + beta),
        Mistake(_NOT_DIVIDED, _affine(axis, var=_sum_of_squares)),
        Mistake(
            "The values are divided by the mean absolute deviation, and not by the root of the mean square.",
            _affine(axis, var=_absolute),
            _affine(axis, var=_absolute, root=lambda var, eps: np.sqrt(var) + eps),
        ),
        Mistake(
            "The values are rescaled to the range from 0 to 1, or divided by their range.",
            lambda x, gamma, beta, eps: (
                gamma * (x - x.min(axis, keepdims=True)) / (np.ptp(x, axis=axis, keepdims=True) + eps) + beta
            ),
            lambda x, gamma, beta, eps: (
                gamma * (x - x.mean(axis, keepdims=True)) / (np.ptp(x, axis=axis, keepdims=True) + eps) + beta
            ),
            hint="Subtract the mean, and divide by the root of the variance.",
        ),
        Mistake("The median is subtracted, and not the mean.", _affine(axis, mean=np.median)),
        Mistake(
            "The mean is added. It should be subtracted.",
            _affine(axis, mean=lambda x, **options: -np.mean(x, **options)),
            _affine(
                axis,
                mean=lambda x, **options: -np.mean(x, **options),
                var=lambda x, **options: np.mean((x + np.mean(x, **options)) ** 2, **options),
            ),
        ),
        Mistake(
            "The smallest value is subtracted, and not the mean.",
            _affine(axis, mean=np.min),
            _affine(axis, mean=np.min, var=lambda x, **options: np.mean((x - np.min(x, **options)) ** 2, **options)),
        ),
        Mistake(
            "The squares are not averaged: each number is divided by its own absolute value.",
            _affine(axis, var=lambda x, **options: (x - np.mean(x, **options)) ** 2),
        ),
        Mistake(
            "The mean is that of the whole array, and the variance is not.",
            _affine(axis, mean=lambda x, **options: np.mean(x)),
            _affine(
                axis,
                mean=lambda x, **options: np.mean(x),
                var=lambda x, **options: np.mean((x - np.mean(x)) ** 2, **options),
            ),
        ),
        Mistake(
            "The variance is that of the whole array, and the mean is not.",
            _affine(axis, var=lambda x, **options: np.var(x)),
            _affine(axis, var=lambda x, **options: np.mean((x - np.mean(x, **options)) ** 2)),
        ),
        Mistake(
            "The mean is taken over a different axis from the variance.",
            lambda x, gamma, beta, eps: _two_axes(x, gamma, beta, eps, _across(x, axis), axis),
            lambda x, gamma, beta, eps: _two_axes(x, gamma, beta, eps, axis, _across(x, axis)),
        ),
        Mistake(
            "Two things are wrong in the division: the variance divides by n - 1, and eps is added outside the root.",
            _affine(axis, var=_unbiased, root=lambda var, eps: np.sqrt(var) + eps),
        ),
        Mistake(_DDOF, _affine(axis, var=_unbiased)),
        Mistake(
            _NO_ROOT,
            _affine(axis, root=lambda var, eps: var + eps),
        ),
        Mistake("The root is taken twice.", _affine(axis, root=lambda var, eps: np.sqrt(np.sqrt(var + eps)))),
        Mistake(
            "The values are multiplied by the root. They should be divided by it.",
            _affine(axis, root=lambda var, eps: 1 / np.sqrt(var + eps)),
        ),
        Mistake(
            _EPS_OUTSIDE,
            _affine(axis, root=lambda var, eps: np.sqrt(var) + eps),
            _affine(axis, root=lambda var, eps: np.sqrt(var) + np.sqrt(eps)),
            lambda x, gamma, beta, eps: gamma * _standard(x, 0.0, axis) + beta + eps,
        ),
        Mistake(
            "eps is squared. It should be added to the variance as it is.",
            _affine(axis, root=lambda v, e: np.sqrt(v + e**2)),
        ),
        Mistake(
            "eps is added twice, to the variance and to its root.",
            _affine(axis, root=lambda var, eps: np.sqrt(var + eps) + eps),
            _affine(axis, root=lambda var, eps: np.sqrt(var + 2 * eps)),
        ),
        Mistake("eps is subtracted. It should be added.", _affine(axis, root=lambda var, eps: np.sqrt(var - eps))),
        Mistake(
            "eps is used as a lower bound. It should be added to the variance.",
            _affine(axis, root=lambda var, eps: np.sqrt(np.maximum(var, eps))),
            _affine(axis, root=lambda var, eps: np.maximum(np.sqrt(var), eps)),
        ),
        Mistake(_NO_EPS, _affine(axis, root=lambda var, eps: np.sqrt(var))),
        Mistake(
            _OTHER_EPS,
            *(_affine(axis, root=lambda var, eps, e=e: np.sqrt(var + e)) for e in _EPS_SIZES),
        ),
        Mistake(
            "The eps that is used is not the one that is given, and it is added outside the root.",
            *(_affine(axis, root=lambda var, eps, e=e: np.sqrt(var) + e) for e in _EPS_SIZES),
            hint=f"It belongs inside: {_SQRT}, with the eps that is given.",
        ),
        Mistake(
            _CANCELS,
            _affine(axis, var=_squares_of_sums),
            _affine(axis, var=lambda x, **options: np.abs(_squares_of_sums(x, **options))),
            _affine(axis, var=lambda x, **options: np.maximum(_squares_of_sums(x, **options), 0)),
        ),
    ]


def _across(x, axis):
    """The other axis of a table."""
    return (-1 if axis == 0 else 0) if x.ndim > 1 else 0


def _two_axes(x, gamma, beta, eps, of_mean, of_var):
    return gamma * (x - x.mean(of_mean, keepdims=True)) / np.sqrt(x.var(of_var, keepdims=True) + eps) + beta


def _minus(var, eps):
    return -np.sqrt(var + eps)


def _draw_norm(rng, *shapes):
    return [
        *(
            Case(f"shape {shape}", (*(numbers(rng, *s) for s in (shape, shape[-1:], shape[-1:])), 0.01))
            for shape in shapes
        ),
        Case("a larger eps", (*(numbers(rng, *s) for s in (shapes[0], shapes[0][-1:], shapes[0][-1:])), 0.5)),
        Case(
            "values far from 0",
            (numbers(rng, *shapes[0]) + _FAR, np.ones(shapes[0][-1]), np.zeros(shapes[0][-1]), 0.01),
            _FAR_FROM_0,
        ),
    ]


def _many(*arrays):
    rng = np.random.default_rng(0)
    return lambda: (*(rng.normal(size=shape) for shape in arrays), 0.01)


batch_norm = Task(
    "batch_norm(x, gamma, beta, eps)",
    """batch normalization in training.

    `x` has the shape ``(N, C)``. From each of the C columns its mean is subtracted; the column is then divided by
    ``sqrt(var + eps)``, with the biased variance (divided by N), multiplied by its entry of `gamma` and shifted by that
    of `beta`, both of shape ``(C,)``. The result has the shape and the float type of `x`.
    """,
    right=lambda x, gamma, beta, eps: gamma * lossprimer.normalize(x, axis=0, eps=eps) + beta,
    keeps_type=True,
    steps=[
        Case("two columns by hand", (_COLUMNS, np.ones(2), np.zeros(2), 0.0)),
        Case("three examples of four features", (_X, np.ones(4), np.zeros(4), 0.01)),
        Case("as many examples as features", (_SQUARE, np.ones(3), np.zeros(3), 0.01)),
        Case("gamma and beta", (_X, _GAMMA, _BETA, 0.01)),
        Case("an eps large enough to see", (_X, _GAMMA, _BETA, 3.0), _EPS_OF_THIS_SIZE),
        Case("a column of equal values", (np.array([[5.0, 1.0], [5.0, 3.0]]), np.ones(2), np.ones(2), 0.01), _EQUAL),
        Case("float32 stays float32", tuple(a.astype(np.float32) for a in (_X, _GAMMA, _BETA)) + (0.01,)),
        Case("values far from 0", (_X[:, :2] + _FAR, np.ones(2), np.zeros(2), 0.01), _FAR_FROM_0),
    ],
    draw=lambda rng: _draw_norm(rng, (7, 4), (4, 7), (5, 5)),
    large=_many((200, 40), (40,), (40,)),
    mistakes=[
        Mistake(
            "Mean and variance go over the features of each example: that is layer normalization. In this task each "
            "column should be normalized over the batch.",
            _affine(-1),
            _affine(-1, root=lambda var, eps: np.sqrt(var) + eps),
            _affine(-1, root=lambda var, eps: np.sqrt(var)),
            _affine(-1, var=_unbiased),
            hint="axis=0",
        ),
        Mistake(
            "Mean and variance are those of the whole array. Each column should have its own.",
            _affine(None),
            _affine(None, root=lambda var, eps: np.sqrt(var) + eps),
            _affine(None, var=_unbiased),
            hint="axis=0",
        ),
        *_shared(0),
    ],
)


def _front(x):
    """All axes but the first; of a row alone, its only one."""
    return tuple(range(1, x.ndim)) or 0


layer_norm = Task(
    "layer_norm(x, gamma, beta, eps)",
    """layer normalization.

    `x` has the shape ``(..., C)``. From each row of C numbers its mean is subtracted; the row is then divided by
    ``sqrt(var + eps)``, with the biased variance (divided by C), multiplied by `gamma` and shifted by `beta`, both of
    shape ``(C,)``. The result has the shape and the float type of `x`.
    """,
    right=lambda x, gamma, beta, eps: gamma * lossprimer.normalize(x, axis=-1, eps=eps) + beta,
    keeps_type=True,
    steps=[
        Case("two rows by hand", (_COLUMNS, np.ones(2), np.zeros(2), 0.0)),
        Case("three rows of four", (_X, np.ones(4), np.zeros(4), 0.01)),
        Case("three rows of three", (_SQUARE, np.ones(3), np.zeros(3), 0.01)),
        Case("the last of three axes", (_DEEP, np.ones(4), np.zeros(4), 0.01)),
        Case("one row alone", (_X[0], np.ones(4), np.zeros(4), 0.01)),
        Case("gamma and beta", (_X, _GAMMA, _BETA, 0.01)),
        Case("an eps large enough to see", (_X, _GAMMA, _BETA, 3.0), _EPS_OF_THIS_SIZE),
        Case("a row of equal values", (np.array([[5.0, 5.0], [1.0, 3.0]]), np.ones(2), np.ones(2), 0.01), _EQUAL),
        Case("float32 stays float32", tuple(a.astype(np.float32) for a in (_X, _GAMMA, _BETA)) + (0.01,)),
        Case("values far from 0", (_X[:2] + _FAR, np.ones(4), np.zeros(4), 0.01), _FAR_FROM_0),
    ],
    draw=lambda rng: _draw_norm(rng, (7, 4), (4, 7), (5, 5), (2, 3, 4)),
    large=_many((200, 40), (40,), (40,)),
    mistakes=[
        Mistake(
            "Mean and variance go over the batch: that is batch normalization. In this task each row should be "
            "normalized by itself.",
            _affine(0),
            _affine(0, root=lambda var, eps: np.sqrt(var) + eps),
            _affine(0, root=lambda var, eps: np.sqrt(var)),
            _affine(0, var=_unbiased),
            hint="axis=-1",
        ),
        Mistake(
            "Mean and variance go over all axes but the first. Each row along the last axis should be normalized by "
            "itself.",
            lambda x, gamma, beta, eps: _affine(_front(x))(x, gamma, beta, eps),
            hint="axis=-1",
        ),
        Mistake(
            "Mean and variance go over the wrong axis. Each row along the last one should be normalized by itself.",
            lambda x, gamma, beta, eps: _affine(second(x))(x, gamma, beta, eps),
            hint="axis=-1",
        ),
        Mistake(
            "Mean and variance go over all axes but the last. Each row along the last one should be normalized by "
            "itself.",
            lambda x, gamma, beta, eps: _affine(tuple(range(x.ndim - 1)) or 0)(x, gamma, beta, eps),
            hint="axis=-1",
        ),
        Mistake(
            "Mean and variance are those of the whole array. Each row should have its own.",
            _affine(None),
            _affine(None, root=lambda var, eps: np.sqrt(var) + eps),
            _affine(None, var=_unbiased),
            hint="axis=-1",
        ),
        Mistake(_KEEPDIMS, _affine(-1, keepdims=False)),
        *_shared(-1),
    ],
)


def _rms(x, gamma, eps, *, axis=-1, square=lambda x: x**2, average=np.mean, root=_inside, keepdims=True):
    return gamma * x / root(average(square(x), axis=axis, keepdims=keepdims), eps)


def _wrong_rms(**options):
    return lambda x, gamma, eps: _rms(x, gamma, eps, **options)


_RMS = "sqrt(mean(x**2) + eps)"
_NO_EPS_RMS = Cause("eps is missing in the division.", f"{_RMS} keeps the division finite where all values are 0.")

rms_norm = Task(
    "rms_norm(x, gamma, eps)",
    """each row over its root mean square.

    `x` has the shape ``(..., C)``, `gamma` the shape ``(C,)``. The result is ``gamma * x / sqrt(mean(x**2) + eps)``,
    with the mean over the last axis, in the shape and the float type of `x`.
    """,
    right=_rms,
    keeps_type=True,
    steps=[
        Case("one row by hand", (np.array([1.0, 7.0]), np.ones(2), 0.0)),
        Case("three rows of three", (_SQUARE, np.ones(3), 0.01)),
        Case("three rows of four", (_X, np.ones(4), 0.01)),
        Case("the last of three axes", (_DEEP, np.ones(4), 0.01)),
        Case("gamma", (_X, _GAMMA, 0.01)),
        Case(
            "an eps large enough to see",
            (_X, _GAMMA, 3.0),
            Cause(_EPS_OF_THIS_SIZE.likely, f"It belongs inside: {_RMS}."),
        ),
        Case(
            "a row of zeros",
            (np.array([[0.0, 0.0], [1.0, 3.0]]), np.ones(2), 0.01),
            Cause("All values are 0 here, and so is their mean square.", f"{_RMS} keeps the division finite."),
        ),
        Case("float32 stays float32", (_X.astype(np.float32), _GAMMA.astype(np.float32), 0.01)),
    ],
    draw=lambda rng: [
        Case(f"shape {shape}", (numbers(rng, *shape), numbers(rng, shape[-1]), eps))
        for shape, eps in (((7, 4), 0.01), ((5, 5), 0.01), ((2, 3, 4), 0.01), ((4, 7), 0.5))
    ],
    large=_many((200, 40), (40,)),
    mistakes=[
        Mistake(
            "The mean is subtracted, from the values or in the squares. RMSNorm only divides by the root of the mean "
            "square.",
            lambda x, gamma, eps: gamma * _standard(x, eps, -1),
            _wrong_rms(square=lambda x: (x - x.mean(axis=-1, keepdims=True)) ** 2),
            lambda x, gamma, eps: gamma * (x - x.mean(-1, keepdims=True)) / np.sqrt(_mean_of_squares(x) + eps),
        ),
        Mistake(
            "The values are divided by their standard deviation, around the mean. RMSNorm has no mean.",
            lambda x, gamma, eps: gamma * x / (x.std(axis=-1, keepdims=True) + eps),
        ),
        Mistake("gamma is added at the end as well.", lambda x, gamma, eps: _rms(x, gamma, eps) + gamma),
        Mistake("gamma is not used.", lambda x, gamma, eps: _rms(x, 1.0, eps), hint="Multiply by it."),
        Mistake(
            "The factor is 1 + gamma. It should be gamma itself.",
            lambda x, gamma, eps: _rms(x, 1 + gamma, eps),
        ),
        Mistake(
            "gamma is added, or divides. It should multiply.",
            lambda x, gamma, eps: _rms(x, 1.0, eps) + gamma,
            lambda x, gamma, eps: _rms(x, 1 / gamma, eps),
        ),
        Mistake(
            "gamma takes part in the root mean square. It should multiply afterwards.",
            lambda x, gamma, eps: _rms(gamma * x, 1.0, eps),
            lambda x, gamma, eps: x / np.sqrt(_mean_of_squares(gamma * x) + eps),
        ),
        Mistake(
            "The squares are added up, not averaged: a row gets the length 1.",
            _wrong_rms(average=np.sum),
            lambda x, gamma, eps: gamma * x / (np.linalg.norm(x, axis=-1, keepdims=True) + eps),
            lambda x, gamma, eps: gamma * x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), eps),
            hint="Divide the sum by C.",
        ),
        Mistake(
            "The length of the row is divided by C instead of the root of C: the mean should be taken inside the root.",
            lambda x, gamma, eps: _by_length(x, gamma, eps),
            lambda x, gamma, eps: gamma * x / (np.linalg.norm(x, axis=-1, keepdims=True) / x.shape[-1] + eps),
            hint=_RMS,
        ),
        Mistake(
            "The row is divided by its length and by the root of C as well.",
            lambda x, gamma, eps: gamma * x / np.sqrt((x**2).sum(-1, keepdims=True) + eps) / np.sqrt(x.shape[-1]),
            lambda x, gamma, eps: gamma * x / (np.linalg.norm(x, axis=-1, keepdims=True) * np.sqrt(x.shape[-1]) + eps),
            hint=_RMS,
        ),
        Mistake(
            "The squares are divided by C - 1. The mean should divide by C.",
            lambda x, gamma, eps: gamma * x / np.sqrt((x**2).sum(-1, keepdims=True) / (x.shape[-1] - 1) + eps),
        ),
        Mistake(
            "eps is added to the sum of the squares, before it is divided by C. It should be added to the mean.",
            lambda x, gamma, eps: gamma * x / np.sqrt(((x**2).sum(-1, keepdims=True) + eps) / x.shape[-1]),
            lambda x, gamma, eps: gamma * x / np.sqrt(((x**2) + eps / x.shape[-1]).mean(-1, keepdims=True)),
        ),
        Mistake(
            "eps counts C times.",
            lambda x, gamma, eps: gamma * x / np.sqrt(_mean_of_squares(x) + eps * x.shape[-1]),
            hint=_RMS,
        ),
        Mistake(
            "The mean goes over the batch. Each row should have its own root mean square.",
            _wrong_rms(axis=0),
            hint="axis=-1",
        ),
        Mistake(
            "The mean goes over the wrong axis. Each row should have its own root mean square.",
            lambda x, gamma, eps: _rms(x, gamma, eps, axis=second(x)),
            hint="axis=-1",
        ),
        Mistake(
            "The mean goes over all axes but the first. Each row along the last axis should have its own root mean "
            "square.",
            lambda x, gamma, eps: _rms(x, gamma, eps, axis=_front(x)),
            hint="axis=-1",
        ),
        Mistake(
            "The mean goes over all axes but the last. Each row along the last should have its own root mean square.",
            lambda x, gamma, eps: _rms(x, gamma, eps, axis=tuple(range(x.ndim - 1)) or 0),
            hint="axis=-1",
        ),
        Mistake(
            "The mean goes over the whole array. Each row should have its own root mean square.",
            _wrong_rms(axis=None),
            hint="axis=-1",
        ),
        Mistake(
            "The root mean squares of the rows form a row instead of a column, and in a square table that goes "
            "unnoticed.",
            _wrong_rms(keepdims=False),
            hint="Take the mean with keepdims=True.",
        ),
        Mistake(
            "The root is missing: the division is by the mean square.",
            _wrong_rms(root=lambda m, eps: m + eps),
            hint=_RMS,
        ),
        Mistake("The root is taken twice.", _wrong_rms(root=lambda m, eps: np.sqrt(np.sqrt(m + eps)))),
        Mistake(
            "The division is by the mean square and by its root.",
            _wrong_rms(root=lambda m, eps: (m + eps) ** 1.5),
        ),
        Mistake("The values are normalized twice.", lambda x, gamma, eps: _rms(_rms(x, 1.0, eps), gamma, eps)),
        Mistake(
            "eps is in the wrong place: it is added outside the root.",
            _wrong_rms(root=lambda m, eps: np.sqrt(m) + eps),
            _wrong_rms(root=lambda m, eps: np.sqrt(m) + np.sqrt(eps)),
            lambda x, gamma, eps: gamma * x * (1 / np.sqrt(_mean_of_squares(x)) + eps),
            lambda x, gamma, eps: _rms(x, gamma, 0.0) + eps,
            hint=f"It belongs inside: {_RMS}.",
        ),
        Mistake(
            "eps is squared. It should be added to the mean square as it is.",
            _wrong_rms(root=lambda m, e: np.sqrt(m + e**2)),
        ),
        Mistake(
            "eps is added twice.",
            _wrong_rms(root=lambda m, eps: np.sqrt(m + eps) + eps),
            _wrong_rms(root=lambda m, eps: np.sqrt(m + 2 * eps)),
        ),
        Mistake("eps is subtracted. It should be added.", _wrong_rms(root=lambda m, eps: np.sqrt(m - eps))),
        Mistake(
            "eps is used as a lower bound. It should be added to the mean square.",
            _wrong_rms(root=lambda m, eps: np.sqrt(np.maximum(m, eps))),
            _wrong_rms(root=lambda m, eps: np.maximum(np.sqrt(m), eps)),
        ),
        Mistake(_NO_EPS_RMS, _wrong_rms(root=lambda m, eps: np.sqrt(m))),
        Mistake(
            _OTHER_EPS,
            *(_wrong_rms(root=lambda m, eps, e=e: np.sqrt(m + e)) for e in _EPS_SIZES),
            *(_wrong_rms(root=lambda m, eps, e=e: np.sqrt(m) + e) for e in _EPS_SIZES),
        ),
        Mistake(
            "The squares are missing: the mean of the values, or of their absolute values, is not a root mean square.",
            *(
                _wrong_rms(square=square, root=root)
                for square in (np.abs, lambda x: x)
                for root in (
                    lambda m, eps: m + eps,
                    lambda m, eps: np.sqrt(m + eps),
                    lambda m, eps: m,
                    lambda m, eps: np.abs(m) + eps,
                )
            ),
        ),
        Mistake(
            "The values are divided by the largest of them, or by the largest absolute value.",
            lambda x, gamma, eps: gamma * x / (np.abs(x).max(-1, keepdims=True) + eps),
            lambda x, gamma, eps: gamma * x / (x.max(-1, keepdims=True) + eps),
        ),
        Mistake(
            "The values are multiplied by the root mean square.",
            _wrong_rms(root=lambda m, eps: 1 / np.sqrt(m + eps)),
            hint="Divide by it.",
        ),
        Mistake(
            "x is missing: this is gamma over the root mean square.", lambda x, gamma, eps: _rms(x, gamma, eps) / x
        ),
        Mistake(
            "These are the squares over the mean square.",
            lambda x, gamma, eps: gamma * x**2 / (_mean_of_squares(x) + eps),
        ),
        Mistake("This is the root mean square itself.", lambda x, gamma, eps: np.sqrt(_mean_of_squares(x) + eps)),
    ],
)


def _mean_of_squares(x):
    return (x**2).mean(axis=-1, keepdims=True)


def _by_length(x, gamma, eps):
    return gamma * x / (np.sqrt((x**2).sum(axis=-1, keepdims=True) + eps) / x.shape[-1])


def _parts(dy, x, gamma, eps, axis=-1, count=None, var=np.var, root=_inside):
    """x_hat, g = dy gamma, a mean over the axis, and the root."""

    def mean(values):
        total = values.sum(axis=axis, keepdims=True)
        return total / (_count(x, axis) if count is None else count(x))

    divisor = root(var(x, axis=axis, keepdims=True), eps)
    return (x - x.mean(axis=axis, keepdims=True)) / divisor, dy * gamma, mean, divisor


def _dx(change, **options):
    """A mistake in dx alone: ``change(x_hat, g, mean, root)`` makes it; the other gradients are right."""

    def gradients(dy, x, gamma, eps):
        _, dgamma, dbeta = _right_gradients(dy, x, gamma, eps)
        return change(*_parts(dy, x, gamma, eps, **options)), dgamma, dbeta

    return gradients


def _all(**options):
    """A mistake in what all three gradients are made of."""

    def gradients(dy, x, gamma, eps):
        x_hat, g, mean, root = _parts(dy, x, gamma, eps, **options)
        return _through_both(x_hat, g, mean, root), (dy * x_hat).sum(axis=0), dy.sum(axis=0)

    return gradients


def _through_both(x_hat, g, mean, root):
    return (g - mean(g) - x_hat * mean(g * x_hat)) / root


def _changed_gradients(change):
    """Make a mistake from what is done to the right gradients."""
    return lambda dy, x, gamma, eps: change(dy, x, gamma, *_right_gradients(dy, x, gamma, eps))


def _reduced(reduce):
    """Mistakes: dgamma and dbeta, or one of them, are made from the parts of each example in a wrong way."""

    def make(*wrong):
        def gradients(dy, x, gamma, eps):
            dx, *right = _right_gradients(dy, x, gamma, eps)
            parts = dy * _standard(x, eps, -1), dy
            return dx, *(reduce(part, gamma) if number in wrong else right[number] for number, part in enumerate(parts))

        return gradients

    return make(0, 1), make(0), make(1)


def _right_gradients(dy, x, gamma, eps):
    dx = lossprimer.normalize_backward(dy * gamma, x, axis=-1, eps=eps)
    return dx, (dy * lossprimer.normalize(x, axis=-1, eps=eps)).sum(axis=0), dy.sum(axis=0)


_DY = np.array([[1.0, 0.0, -1.0, 2.0], [0.5, 2.0, 1.0, -1.0], [0.0, 1.0, 3.0, 0.5]])
_FORMULA = "dx = (g - mean(g) - x_hat mean(g x_hat)) / root, with g = dy gamma and means over each row."
_CENTRED = "x minus its mean is used in place of x_hat, which is also divided by the root."


def _draw_backward(rng):
    return [
        Case(f"shape {shape}", (numbers(rng, *shape), numbers(rng, *shape), numbers(rng, shape[-1]), eps))
        for shape, eps in (((4, 6), 0.01), ((5, 5), 0.01), ((6, 3), 0.5))
    ]


def _many_gradients():
    rng = np.random.default_rng(0)
    return rng.normal(size=(200, 40)), rng.normal(size=(200, 40)), rng.normal(size=40), 0.01


layer_norm_backward = Task(
    "layer_norm_backward(dy, x, gamma, eps)",
    """the gradients of layer normalization.

    `dy`, the gradient with respect to the output, and `x` have the shape ``(N, C)``; `gamma` has the shape ``(C,)``.
    The result is the tuple ``(dx, dgamma, dbeta)`` in the shapes of `x`, `gamma` and beta.
    """,
    right=_right_gradients,
    returns=("dx", "dgamma", "dbeta"),
    steps=[
        Case("one row of three", (np.array([[1.0, 0.0, 0.0]]), np.array([[2.0, 3.0, 7.0]]), np.ones(3), 0.01)),
        Case("three rows of four", (_DY, _X, np.ones(4), 0.01)),
        Case("with gamma", (_DY, _X, _GAMMA, 0.01)),
        Case("three rows of three", (_DY[:, 1:], _SQUARE, _GAMMA[1:], 0.01)),
        Case("an eps large enough to see", (_DY, _X, _GAMMA, 3.0), _EPS_OF_THIS_SIZE),
        Case("a row of equal values", (_DY[:2, :2], np.array([[5.0, 5.0], [1.0, 3.0]]), _GAMMA[:2], 0.01), _EQUAL),
        Case("float32", tuple(a.astype(np.float32) for a in (_DY, _X, _GAMMA)) + (0.01,)),
    ],
    draw=_draw_backward,
    mistakes=[
        Mistake(
            "Both corrections are missing in dx. Mean and variance depend on x as well.",
            _dx(lambda x_hat, g, mean, root: g / root),
            hint=_FORMULA,
        ),
        Mistake(
            "A term is missing in dx: the mean depends on x as well.",
            _dx(lambda x_hat, g, mean, root: (g - x_hat * mean(g * x_hat)) / root),
            hint="Subtract the mean of g = dy gamma over each row.",
        ),
        Mistake(
            "A term is missing in dx: the variance depends on x as well.",
            _dx(lambda x_hat, g, mean, root: (g - mean(g)) / root),
            hint="Subtract x_hat times the mean of g x_hat over each row, with g = dy gamma.",
        ),
        Mistake(
            "The corrections in dx are sums. They should be means over the C entries of a row.",
            _dx(_through_both, count=lambda x: 1),
            hint="Divide by C.",
        ),
        Mistake(
            "The first correction in dx is a sum. It should be a mean over the C entries of a row.",
            _dx(lambda x_hat, g, mean, root: (g - g.sum(-1, keepdims=True) - x_hat * mean(g * x_hat)) / root),
            hint="Divide by C.",
        ),
        Mistake(
            "The second correction in dx is a sum. It should be a mean over the C entries of a row.",
            _dx(lambda x_hat, g, mean, root: (g - mean(g) - x_hat * (g * x_hat).sum(-1, keepdims=True)) / root),
            hint="Divide by C.",
        ),
        Mistake(
            "The sums in dx are divided by the number of examples N. They should be means over the C entries of a row.",
            _dx(_through_both, count=len),
        ),
        Mistake(
            "dx is divided by C, or the term g itself counts 1/C. Only the two corrections should be means.",
            _dx(lambda *parts: _through_both(*parts) / parts[0].shape[-1]),
            _dx(lambda x_hat, g, mean, root: (g / g.shape[-1] - mean(g) - x_hat * mean(g * x_hat)) / root),
        ),
        Mistake(
            "The means go over the batch: that is the backward pass of batch normalization. In this task each row "
            "should have its own.",
            _all(axis=0),
            _dx(_through_both, axis=0),
            _dx(
                lambda x_hat, g, mean, root: (
                    (g - g.mean(0, keepdims=True) - x_hat * (g * x_hat).mean(0, keepdims=True)) / root
                )
            ),
            hint="axis=-1 in the means; only dgamma and dbeta are sums over the batch.",
        ),
        Mistake(
            "Mean and variance are those of the whole array, or the means of the corrections are. Each row should "
            "have its own.",
            _all(axis=None),
            _dx(_through_both, axis=None),
            _dx(lambda x_hat, g, mean, root: (g - g.mean() - x_hat * (g * x_hat).mean()) / root),
            _dx(lambda x_hat, g, mean, root: (g - g.mean() - x_hat * mean(g * x_hat)) / root),
            _dx(lambda x_hat, g, mean, root: (g - mean(g) - x_hat * (g * x_hat).mean()) / root),
            hint="axis=-1, keepdims=True",
        ),
        Mistake(
            "The means of the rows form a row instead of a column, and in a square table that goes unnoticed.",
            _dx(lambda x_hat, g, mean, root: (g - g.mean(-1) - x_hat * (g * x_hat).mean(-1)) / root),
            hint="Take the means with keepdims=True.",
        ),
        Mistake(
            "The path through the variance counts twice: the derivative of its root has a factor 1/2.",
            _dx(lambda x_hat, g, mean, root: (g - mean(g) - 2 * x_hat * mean(g * x_hat)) / root),
            hint=_FORMULA,
        ),
        Mistake(
            "The path through the variance counts half: the derivative of a square has a factor 2, that of the root "
            "1/2.",
            _dx(lambda x_hat, g, mean, root: (g - mean(g) - x_hat * mean(g * x_hat) / 2) / root),
            hint=_FORMULA,
        ),
        Mistake(
            "Both corrections have the factor x_hat, or neither. Only the second one should have it.",
            _dx(lambda x_hat, g, mean, root: (g - x_hat * (mean(g) + mean(g * x_hat))) / root),
            hint=_FORMULA,
        ),
        Mistake(
            "x_hat before the mean of g x_hat is missing.",
            _dx(lambda x_hat, g, mean, root: (g - mean(g) - mean(g * x_hat)) / root),
            hint=_FORMULA,
        ),
        Mistake(
            "x_hat in the mean of g x_hat is missing.",
            _dx(lambda x_hat, g, mean, root: (g - mean(g) - x_hat * mean(g)) / root),
            hint=_FORMULA,
        ),
        Mistake(
            _CENTRED,
            _dx(lambda x_hat, g, mean, root: (g - mean(g) - x_hat * root * mean(g * x_hat)) / root),
            _dx(lambda x_hat, g, mean, root: (g - mean(g) - x_hat * mean(g * x_hat * root)) / root),
            _dx(lambda x_hat, g, mean, root: (g - mean(g) - x_hat * root * mean(g * x_hat * root)) / root),
            lambda dy, x, gamma, eps: (
                _dx(lambda x_hat, g, mean, root: (g - mean(g) - x_hat * root * mean(g * x_hat * root)) / root)(
                    dy, x, gamma, eps
                )[0],
                (dy * (x - x.mean(-1, keepdims=True))).sum(0),
                dy.sum(0),
            ),
            hint="x_hat = (x - mean) / root",
        ),
        Mistake(
            "x is used in place of x_hat, in dx or in dgamma. x_hat has the mean subtracted and is divided by the "
            "root.",
            _changed_gradients(lambda dy, x, gamma, dx, dgamma, dbeta: (dx, (dy * x).sum(axis=0), dbeta)),
            lambda dy, x, gamma, eps: (
                _dx(lambda x_hat, g, mean, root: (g - mean(g) - x * mean(g * x)) / root)(dy, x, gamma, eps)[0],
                *_right_gradients(dy, x, gamma, eps)[1:],
            ),
            hint="x_hat = (x - mean) / root",
        ),
        Mistake(
            "g or dy is used in place of x_hat in the second correction.",
            _dx(lambda x_hat, g, mean, root: (g - mean(g) - g * mean(g * x_hat)) / root),
            _dx(lambda x_hat, g, mean, root: (g - mean(g) - x_hat * mean(g * g)) / root),
            _dx(lambda x_hat, g, mean, root: (g - mean(g) - g * mean(g * g)) / root),
            hint=_FORMULA,
        ),
        Mistake(
            "g is missing in the second correction: it is x_hat times the mean of g x_hat.",
            _dx(lambda x_hat, g, mean, root: (g - mean(g) - x_hat * mean(x_hat * x_hat)) / root),
            _dx(lambda x_hat, g, mean, root: (g - mean(g) - x_hat) / root),
            hint=_FORMULA,
        ),
        Mistake(
            "x_hat is divided by the variance instead of its root.",
            lambda dy, x, gamma, eps: _over_variance(dy, x, gamma, eps),
        ),
        Mistake(
            "dgamma is computed from dx. It should be the sum of dy x_hat over the batch.",
            lambda dy, x, gamma, eps: _with_dgamma(dy, x, gamma, eps, lambda dx, x_hat: dx * x_hat),
            lambda dy, x, gamma, eps: _with_dgamma(dy, x, gamma, eps, lambda dx, x_hat: dx),
        ),
        Mistake(
            "dgamma combines x_hat and dy by something other than a product.",
            lambda dy, x, gamma, eps: _with_dgamma(dy, x, gamma, eps, lambda dx, x_hat: dy + x_hat),
            lambda dy, x, gamma, eps: _with_dgamma(dy, x, gamma, eps, lambda dx, x_hat: dy - x_hat),
            lambda dy, x, gamma, eps: _with_dgamma(dy, x, gamma, eps, lambda dx, x_hat: dy / x_hat),
            hint="dgamma is the sum of dy x_hat over the batch.",
        ),
        Mistake(
            "dgamma uses x minus its mean in place of x_hat, which is also divided by the root.",
            _changed_gradients(
                lambda dy, x, gamma, dx, dgamma, dbeta: (dx, (dy * (x - x.mean(-1, keepdims=True))).sum(0), dbeta)
            ),
            hint="x_hat = (x - mean) / root",
        ),
        Mistake(
            "gamma is missing in dx.",
            lambda dy, x, gamma, eps: (
                _right_gradients(dy, x, np.ones_like(gamma), eps)[0],
                *_right_gradients(dy, x, gamma, eps)[1:],
            ),
            hint="Begin with g = dy gamma.",
        ),
        Mistake(
            "gamma multiplies dx at the end. It belongs to g = dy gamma before the means are taken, because it differs "
            "between the entries of a row.",
            lambda dy, x, gamma, eps: (
                gamma * _right_gradients(dy, x, np.ones_like(gamma), eps)[0],
                *_right_gradients(dy, x, gamma, eps)[1:],
            ),
        ),
        Mistake(
            "gamma counts twice in dx.",
            lambda dy, x, gamma, eps: (
                gamma * _right_gradients(dy, x, gamma, eps)[0],
                *_right_gradients(dy, x, gamma, eps)[1:],
            ),
            lambda dy, x, gamma, eps: (
                _right_gradients(dy, x, gamma**2, eps)[0],
                *_right_gradients(dy, x, gamma, eps)[1:],
            ),
            hint="Begin with g = dy gamma, and go on with g alone.",
        ),
        Mistake(
            "gamma is in one term of dx and not in the others. All of them should use g = dy gamma.",
            lambda dy, x, gamma, eps: _mixed_gamma(dy, x, gamma, eps, first=True),
            lambda dy, x, gamma, eps: _mixed_gamma(dy, x, gamma, eps, second=True),
            lambda dy, x, gamma, eps: _mixed_gamma(dy, x, gamma, eps, first=True, second=True),
        ),
        Mistake("dx is not divided by the root.", _dx(lambda *parts: _through_both(*parts) * parts[3]), hint=_FORMULA),
        Mistake(
            "dx is multiplied by the root, or divided twice.",
            _dx(lambda *parts: _through_both(*parts) * parts[3] ** 2),
            _dx(lambda *parts: _through_both(*parts) / parts[3]),
            hint="Divide once.",
        ),
        Mistake(
            "Only the last term, or only the first, is divided by the root. All three should be.",
            _dx(lambda x_hat, g, mean, root: g - mean(g) - x_hat * mean(g * x_hat) / root),
            _dx(lambda x_hat, g, mean, root: g / root - mean(g) - x_hat * mean(g * x_hat)),
            hint="Put the three terms in parentheses.",
        ),
        Mistake(
            "The corrections are added. They should be subtracted.",
            _dx(lambda x_hat, g, mean, root: (g + mean(g) + x_hat * mean(g * x_hat)) / root),
        ),
        Mistake(
            "The first correction is added. It should be subtracted.",
            _dx(lambda x_hat, g, mean, root: (g + mean(g) - x_hat * mean(g * x_hat)) / root),
        ),
        Mistake(
            "The second correction is added. It should be subtracted.",
            _dx(lambda x_hat, g, mean, root: (g - mean(g) + x_hat * mean(g * x_hat)) / root),
        ),
        Mistake("The sign of dx is reversed.", _changed_gradients(lambda dy, x, gamma, dx, *rest: (-dx, *rest))),
        Mistake(
            "dx is dy, or g: no gradient has gone back through the normalization.",
            _dx(lambda x_hat, g, mean, root: g),
            _changed_gradients(lambda dy, x, gamma, dx, *rest: (dy, *rest)),
            hint=_FORMULA,
        ),
        Mistake(
            "The results are in the wrong order: dx comes first.",
            _changed_gradients(lambda dy, x, gamma, dx, dgamma, dbeta: (dgamma, dbeta, dx)),
            _changed_gradients(lambda dy, x, gamma, dx, dgamma, dbeta: (dbeta, dgamma, dx)),
            _changed_gradients(lambda dy, x, gamma, dx, dgamma, dbeta: (dgamma, dx, dbeta)),
            hint="return dx, dgamma, dbeta",
        ),
        Mistake(
            "x_hat is squared in the second correction.",
            _dx(lambda x_hat, g, mean, root: (g - mean(g) - x_hat**2 * mean(g * x_hat)) / root),
            _dx(lambda x_hat, g, mean, root: (g - mean(g) - x_hat * mean(g * x_hat**2)) / root),
            hint=_FORMULA,
        ),
        Mistake(
            "dgamma and dbeta are in the wrong order.",
            _changed_gradients(lambda dy, x, gamma, dx, dgamma, dbeta: (dx, dbeta, dgamma)),
            hint="return dx, dgamma, dbeta",
        ),
        Mistake(
            "x_hat is missing in dgamma.",
            _changed_gradients(lambda dy, x, gamma, dx, dgamma, dbeta: (dx, dbeta, dbeta)),
            hint="dgamma is the sum of dy x_hat over the batch.",
        ),
        Mistake(
            "dbeta has the factor x_hat, which belongs to dgamma alone.",
            _changed_gradients(lambda dy, x, gamma, dx, dgamma, dbeta: (dx, dgamma, dgamma)),
            hint="dbeta is the sum of dy over the batch.",
        ),
        Mistake(
            "dy is missing in dgamma: this is the sum of x_hat.",
            lambda dy, x, gamma, eps: (
                _right_gradients(dy, x, gamma, eps)[0],
                _standard(x, eps, -1).sum(axis=0),
                dy.sum(axis=0),
            ),
        ),
        Mistake(
            "dgamma or dbeta is a mean over the batch. The gradients of all examples should be added up.",
            *_reduced(lambda parts, gamma: parts.mean(axis=0)),
        ),
        Mistake(
            "dgamma or dbeta is summed over the features. gamma and beta are the same for all examples.",
            *_reduced(lambda parts, gamma: parts.sum(axis=-1)),
            hint="Sum over the batch, axis=0.",
        ),
        Mistake(
            "dgamma or dbeta is summed over everything. Each feature should have its own.",
            *_reduced(lambda parts, gamma: parts.sum()),
            hint="Sum over the batch, axis=0.",
        ),
        Mistake(
            "dgamma or dbeta is not summed: gamma and beta are the same for all examples.",
            *_reduced(lambda parts, gamma: parts),
            hint="Sum over the batch, axis=0.",
        ),
        Mistake(
            "The sum of dgamma or dbeta keeps the axis of the batch.",
            *_reduced(lambda parts, gamma: parts.sum(axis=0, keepdims=True)),
            hint="Sum without keepdims: the shape is that of gamma.",
        ),
        Mistake(
            "gamma is used in dgamma or dbeta. It does not belong there.",
            *_reduced(lambda parts, gamma: (parts * gamma).sum(axis=0)),
            hint="dgamma is the sum of dy x_hat, dbeta that of dy.",
        ),
        Mistake(_DDOF, _all(var=_unbiased), _dx(_through_both, var=_unbiased)),
        Mistake(
            _NO_ROOT,
            _all(root=lambda var, eps: var + eps),
            _dx(_through_both, root=lambda var, eps: var + eps),
        ),
        Mistake(
            _EPS_OUTSIDE,
            _all(root=lambda var, eps: np.sqrt(var) + eps),
            _all(root=lambda var, eps: np.sqrt(var) + np.sqrt(eps)),
            lambda dy, x, gamma, eps: _dx(_through_both, root=lambda var, eps: np.sqrt(var) + eps)(dy, x, gamma, eps),
        ),
        Mistake(
            "eps is missing in x_hat and in the division.",
            _all(root=lambda var, eps: np.sqrt(var)),
            hint=f"Both have the same root, {_SQRT}.",
        ),
        Mistake(
            "eps is missing in the last division, though x_hat has it.",
            lambda dy, x, gamma, eps: _without_eps(dy, x, gamma, eps, at_end=True),
            hint=f"Both have the same root, {_SQRT}.",
        ),
        Mistake(
            "eps is missing in x_hat, though the last division has it.",
            lambda dy, x, gamma, eps: _without_eps(dy, x, gamma, eps, at_end=False),
            hint=f"Both have the same root, {_SQRT}.",
        ),
        Mistake(_OTHER_EPS, *(_all(root=lambda var, eps, e=e: np.sqrt(var + e)) for e in _EPS_SIZES)),
        Mistake("The mean is not subtracted in x_hat.", lambda dy, x, gamma, eps: _not_centred(dy, x, gamma, eps)),
    ],
)


def _over_variance(dy, x, gamma, eps):
    x_hat, g, mean, root = _parts(dy, x, gamma, eps)
    return _through_both(x_hat / root, g, mean, root), (dy * x_hat / root).sum(axis=0), dy.sum(axis=0)


def _with_dgamma(dy, x, gamma, eps, parts):
    dx, _, dbeta = _right_gradients(dy, x, gamma, eps)
    return dx, parts(dx, _standard(x, eps, -1)).sum(axis=0), dbeta


def _mixed_gamma(dy, x, gamma, eps, *, first=False, second=False):
    """With g = dy gamma in front, and dy itself in one of the means."""
    x_hat, g, mean, root = _parts(dy, x, gamma, eps)
    dx = (g - mean(dy if first else g) - x_hat * mean((dy if second else g) * x_hat)) / root
    return dx, *_right_gradients(dy, x, gamma, eps)[1:]


def _without_eps(dy, x, gamma, eps, *, at_end):
    x_hat, g, mean, _ = _parts(dy, x, gamma, eps if at_end else 0.0)
    root = np.sqrt(x.var(axis=-1, keepdims=True) + (0.0 if at_end else eps))
    return _through_both(x_hat, g, mean, root), (dy * x_hat).sum(axis=0), dy.sum(axis=0)


def _not_centred(dy, x, gamma, eps):
    _, g, mean, root = _parts(dy, x, gamma, eps)
    return _through_both(x / root, g, mean, root), (dy * x / root).sum(axis=0), dy.sum(axis=0)


class _Right:
    """The layer of the task, by the package's own."""

    def __init__(self, num_features, momentum, eps):
        self._layer = lossprimer.BatchNorm(num_features, momentum=momentum, eps=eps)
        self.training = True

    def forward(self, x):
        self._layer.training = self.training
        return self._layer(x)

    running_mean = property(lambda self: self._layer.running_mean)
    running_var = property(lambda self: self._layer.running_var)


class _BatchNorm:
    """The layer of the task, written out, so that a wrong one is this one but for a method or a number."""

    axis = 0
    ddof = 0
    running_ddof = 1
    start = 0.0, 1.0

    def __init__(self, num_features, momentum, eps):
        self.momentum, self.eps, self.training, self.batches = momentum, eps, True, 0
        self.running_mean = np.full(num_features, self.start[0])
        self.running_var = np.full(num_features, self.start[1])

    def forward(self, x):
        if not self.training:
            return self.at_inference(x)
        mean, var = x.mean(axis=self.axis), x.var(axis=self.axis, ddof=self.ddof)
        self.batches += 1
        self.update(x)
        return self.standard(x, mean, var)

    def at_inference(self, x):
        return self.standard(x, self.running_mean, self.running_var)

    def standard(self, x, mean, var):
        return (x - mean) / np.sqrt(var + self.eps)

    def update(self, x):
        self.running_mean = self.mixed(self.running_mean, x.mean(axis=self.axis))
        self.running_var = self.mixed(self.running_var, self.spread(x))

    def spread(self, x):
        return x.var(axis=self.axis, ddof=self.running_ddof)

    def mixed(self, old, new):
        return (1 - self.momentum) * old + self.momentum * new


def _like(**changes):
    """Make a class that is `_BatchNorm` but for some attributes."""
    return type("BatchNorm", (_BatchNorm,), changes)


def _updated_at_inference(self, x):
    y = _BatchNorm.at_inference(self, x)
    self.update(x)
    return y


def _updated_before_inference(self, x):
    self.update(x)
    return _BatchNorm.at_inference(self, x)


def _running_in_training(self, x):
    if self.training:
        self.update(x)
    return self.at_inference(x)


def _running_before_update(self, x):
    y = self.at_inference(x)
    if self.training:
        self.update(x)
    return y


def _batch_at_inference(self, x):
    return self.standard(x, x.mean(axis=0), x.var(axis=0))


def _only_mean(self, x):
    self.running_mean = self.mixed(self.running_mean, x.mean(axis=0))


def _only_var(self, x):
    self.running_var = self.mixed(self.running_var, self.spread(x))


def _one_mixed(mean, var):
    """Make an update in which mean and variance are mixed by two weights each, given the momentum."""

    def update(self, x):
        for name, new, weights in (("running_mean", x.mean(axis=0), mean), ("running_var", self.spread(x), var)):
            old, fresh = weights(self.momentum)
            setattr(self, name, old * getattr(self, name) + fresh * new)

    return update


def _mix(m):
    return 1 - m, m


def _reverse(m):
    return m, 1 - m


def _around_running_mean(self, x):
    """An update in which the variance is that around the running mean."""
    _only_mean(self, x)
    deviations = ((x - self.running_mean) ** 2).sum(axis=0) / (len(x) - 1)
    self.running_var = self.mixed(self.running_var, deviations)


def _of_output(self, x):
    """An update from what has been normalized already."""
    y = self.standard(x, x.mean(axis=0), x.var(axis=0))
    _BatchNorm.update(self, y)


def _factor_at_inference(self, x):
    return self.standard(x, self.running_mean, self.running_var * _bessel(x))


def _bessel(x):
    return len(x) / (len(x) - 1)


def _cumulative(self, old, new):
    return old + (new - old) / self.batches


def _stays(self, x):
    """Forward of a layer that never comes back to training."""
    self.left = getattr(self, "left", False) or not self.training
    return self.at_inference(x) if self.left else _BatchNorm.forward(self, x)


def _first_batch_only(self, x):
    if self.batches == 1:
        _BatchNorm.update(self, x)


def _after(*uses):
    """Play: a layer is made, and used on one batch after another; `uses` says in which mode."""

    def play(BatchNorm, num_features, momentum, eps, *batches):  # noqa: N803
        layer = BatchNorm(num_features, momentum, eps)
        before = True
        for training, x in zip(uses, batches, strict=True):
            if training != before:
                layer.training = before = training
            y = layer.forward(x)
        return y, layer.running_mean, layer.running_var

    return play


def _two_by_turns(BatchNorm, num_features, momentum, eps, x, x2):  # noqa: N803
    """Play: a second layer is used between two calls of the first."""
    layer, other = (BatchNorm(num_features, momentum, eps) for _ in range(2))
    layer.forward(x)
    other.forward(x2)
    other.forward(x2)
    layer.training = False
    y = layer.forward(x2)
    return y, layer.running_mean, layer.running_var


def _script(uses, features, momentum, eps, batches):
    """The code of a play: the batches, the layer, and its calls."""
    names = ["x", "x2", "x3"]
    lines = [f"{name} = {as_code(x)}" for name, x in zip(names, batches, strict=False)]
    lines.append(f"layer = BatchNorm({features}, {momentum:g}, {eps:g})")
    before = True
    for name, training in zip(names, uses, strict=False):
        if before != training:
            lines.append(f"layer.training = {training}")
        lines.append(f"y = layer.forward({name})")
        before = training
    return "\n".join([*lines, "y, layer.running_mean, layer.running_var"])


_RESULTS = ("y", "running_mean", "running_var")


def _layer_case(title, uses, *batches, momentum=0.25, eps=0.01, cause=""):
    features = batches[0].shape[1]
    script = _script(uses, features, momentum, eps, batches)
    return Case(title, (features, momentum, eps, *batches), cause, _after(*uses), script, _RESULTS)


_SECOND = np.array([[0.0, 1.0, 2.0, 3.0], [5.0, -1.0, 4.0, 0.0]])
_TWO_LAYERS = Case(
    "two layers keep their own statistics",
    (4, 0.25, 0.01, _X, _SECOND),
    Cause(
        "A second layer has changed the statistics of the first: they belong to the class, or to a default value, and "
        "not to the layer.",
        "Set self.running_mean and self.running_var in __init__, each to an array of its own.",
    ),
    _two_by_turns,
    f"x = {as_code(_X)}\nx2 = {as_code(_SECOND)}\n"
    "layer, other = BatchNorm(4, 0.25, 0.01), BatchNorm(4, 0.25, 0.01)\n"
    "layer.forward(x)\nother.forward(x2)\nother.forward(x2)\nlayer.training = False\ny = layer.forward(x2)\n"
    "y, layer.running_mean, layer.running_var",
    _RESULTS,
)


def _draw_layer(rng):
    momentum = float(rng.choice([0.1, 0.3, 0.75]))
    first, second, third = (numbers(rng, n, 3) for n in rng.integers(3, 7, size=3))
    return [
        _layer_case("two batches in training", (True, True), first, second, momentum=momentum),
        _layer_case("two batches, then evaluation", (True, True, False), first, second, third, momentum=momentum),
        _layer_case("evaluation twice", (True, False, False), first, second, third, momentum=momentum),
        _layer_case("evaluation, then training", (True, False, True), first, second, third, momentum=momentum),
    ]


batch_norm_layer = Task(
    "BatchNorm(num_features, momentum, eps)",
    """with ``forward(x)`` for `x` of shape ``(N, C)``.

    ``training`` is True at first. In training, ``forward`` normalizes with the mean and the variance of the batch
    (gamma is 1, beta 0) and moves ``running_mean`` (0 at first) and ``running_var`` (1 at first, unbiased: it divides
    by N - 1) to ``(1 - momentum) * old + momentum * batch``. With ``training = False`` it normalizes with these
    two and leaves them as they are.
    """,
    name="batch_norm_layer",
    members="training, running_mean, running_var and forward(x)",
    right=_Right,
    steps=[
        _layer_case("training by hand", (True,), _COLUMNS, momentum=0.5),
        _layer_case("one batch of three examples", (True,), _X),
        _layer_case("a second batch", (True, True), _X, _SECOND),
        _layer_case("a third batch", (True, True, True), _X, _SECOND, _X[1:] - 1.0, momentum=0.1),
        _layer_case("evaluation: the running statistics", (True, False), _X, _SECOND),
        _layer_case("in evaluation mode a batch changes nothing", (True, False, False), _X, _SECOND, _X),
        _layer_case("a new layer in evaluation mode", (False,), _X),
        _layer_case("one example in evaluation mode", (True, False), _X, _SECOND[:1]),
        _layer_case("from evaluation back to training", (True, False, True), _COLUMNS, _COLUMNS, _SECOND[:, 1:3]),
        _layer_case("an eps large enough to see", (True, False), _X, _SECOND, eps=3.0, cause=_EPS_OF_THIS_SIZE),
        _TWO_LAYERS,
        _layer_case("values far from 0", (True,), _X[:, :2] + _FAR, cause=_FAR_FROM_0),
    ],
    draw=_draw_layer,
    large=lambda: _layer_case("", (True, False), *_many((200, 40), (200, 40))()[:2]),
    mistakes=[
        Mistake(
            "Training uses the running statistics. In training each batch is normalized with its own statistics; the "
            "running ones are for evaluation mode.",
            _like(forward=_running_in_training),
            _like(forward=_running_before_update),
        ),
        Mistake(
            "The momentum is the wrong way round: it is the weight of the new batch.",
            _like(mixed=lambda self, old, new: self.momentum * old + (1 - self.momentum) * new),
            hint="(1 - momentum) * old + momentum * batch",
        ),
        Mistake(
            "The momentum of one of the two running statistics is the wrong way round.",
            _like(update=_one_mixed(_mix, _reverse)),
            _like(update=_one_mixed(_reverse, _mix)),
            hint="(1 - momentum) * old + momentum * batch, for both",
        ),
        Mistake(
            "The running variance is the biased one. It should be the unbiased one, which divides by N - 1.",
            _like(running_ddof=0),
            hint="np.var with ddof=1",
        ),
        Mistake(
            "The batch is normalized with the variance that divides by N - 1. Only the running variance does so.",
            _like(ddof=1),
            hint="In training divide by N.",
        ),
        Mistake(
            "The two variances are swapped: the batch is normalized with the one that divides by N - 1, and the "
            "running one divides by N.",
            _like(ddof=1, running_ddof=0),
        ),
        Mistake(
            "The factor N/(N - 1) is applied twice to the running variance: ddof=1 includes it already.",
            _like(spread=lambda self, x: x.var(axis=0, ddof=1) * _bessel(x)),
        ),
        Mistake(
            "The factor N/(N - 1) is upside down, or it is applied to the running variance itself.",
            _like(spread=lambda self, x: x.var(axis=0) / _bessel(x)),
            _like(update=lambda self, x: (_BatchNorm.update(self, x), _scale(self, _bessel(x)))),
            hint="It turns the biased variance of the batch into the unbiased one.",
        ),
        Mistake(
            "The factor N/(N - 1) is applied again in evaluation mode. It is in the running variance already.",
            _like(at_inference=_factor_at_inference),
        ),
        Mistake(
            "eps is in the running variance. It should be added where the variance is used, and nowhere else.",
            _like(spread=lambda self, x: x.var(axis=0, ddof=1) + self.eps),
            _like(spread=lambda self, x: x.var(axis=0) + self.eps),
        ),
        Mistake(
            "running_var holds a standard deviation. The task asks for the variance.",
            _like(spread=lambda self, x: x.std(axis=0, ddof=1)),
            _like(spread=lambda self, x: x.std(axis=0)),
            _like(
                spread=lambda self, x: np.sqrt(x.var(axis=0, ddof=1) + self.eps),
                at_inference=lambda self, x: (x - self.running_mean) / self.running_var,
            ),
            _like(
                spread=lambda self, x: x.std(axis=0, ddof=1),
                at_inference=lambda self, x: (x - self.running_mean) / (self.running_var + self.eps),
            ),
        ),
        Mistake(
            "In evaluation mode the division is by the running variance, not by its root.",
            _like(at_inference=lambda self, x: (x - self.running_mean) / (self.running_var + self.eps)),
        ),
        Mistake(
            "In evaluation mode the mean 0 and the variance 1 are used instead of the running ones.",
            _like(at_inference=lambda self, x: x / np.sqrt(1 + self.eps)),
            _like(at_inference=lambda self, x: x),
        ),
        Mistake(
            "In evaluation mode only one of the running statistics is used.",
            _like(at_inference=lambda self, x: self.standard(x, self.running_mean, x.var(axis=0))),
            _like(at_inference=lambda self, x: self.standard(x, x.mean(axis=0), self.running_var)),
            _like(at_inference=lambda self, x: self.standard(x, 0.0, self.running_var)),
            _like(at_inference=lambda self, x: x - self.running_mean),
        ),
        Mistake(
            "In evaluation mode the batch is still normalized with its own statistics.",
            _like(at_inference=_batch_at_inference),
            _like(at_inference=lambda self, x: (self.update(x), _batch_at_inference(self, x))[1]),
            hint="With training = False take the running mean and variance.",
        ),
        Mistake(
            "The running statistics change in evaluation mode.",
            _like(at_inference=_updated_at_inference),
            _like(at_inference=_updated_before_inference),
            hint="Update them only in training.",
        ),
        Mistake(
            "The layer does not go back to training: after a call in evaluation mode it keeps using the running "
            "statistics.",
            _like(forward=_stays),
            hint="Look at self.training in each call.",
        ),
        Mistake("The running statistics are not updated in training.", _like(update=lambda self, x: None)),
        Mistake("The running variance is not updated in training.", _like(update=_only_mean)),
        Mistake("The running mean is not updated in training.", _like(update=_only_var)),
        Mistake("Only the first batch updates the running statistics.", _like(update=_first_batch_only)),
        Mistake(
            "The running statistics become those of the last batch, and the old ones are lost.",
            _like(mixed=lambda self, old, new: new),
            hint="Mix: (1 - momentum) * old + momentum * batch.",
        ),
        Mistake(
            "All batches have the same weight: this is the average over the batches. The task asks for a mix weighted "
            "by the momentum.",
            _like(mixed=_cumulative),
            hint="(1 - momentum) * old + momentum * batch",
        ),
        Mistake(
            "The first batch replaces the initial values. It should be mixed with them, like every other.",
            _like(mixed=lambda self, old, new: new if self.batches == 1 else _BatchNorm.mixed(self, old, new)),
        ),
        Mistake(
            "The old value keeps its full weight.",
            _like(mixed=lambda self, old, new: old + self.momentum * new),
            hint="It gets 1 - momentum.",
        ),
        Mistake(
            "The old value is lost: what is left is the new one times the momentum.",
            _like(mixed=lambda self, old, new: self.momentum * new),
            hint="(1 - momentum) * old + momentum * batch",
        ),
        Mistake(
            "The old value gets the weight 1 + momentum. It should get 1 - momentum.",
            _like(mixed=lambda self, old, new: (1 + self.momentum) * old + self.momentum * new),
            _like(update=_one_mixed(lambda m: (1 + m, m), _mix)),
            _like(update=_one_mixed(_mix, lambda m: (1 + m, m))),
        ),
        Mistake(
            "One of the two running statistics keeps its full old weight, or loses it.",
            _like(update=_one_mixed(lambda m: (1, m), _mix)),
            _like(update=_one_mixed(_mix, lambda m: (1, m))),
            _like(update=_one_mixed(lambda m: (0, m), _mix)),
            _like(update=_one_mixed(_mix, lambda m: (0, m))),
            _like(update=_one_mixed(lambda m: (0, 1), _mix)),
            _like(update=_one_mixed(_mix, lambda m: (0, 1))),
            hint="(1 - momentum) * old + momentum * batch, for both",
        ),
        Mistake(
            "A new layer is not in training: it normalizes with the running statistics and leaves them as they are.",
            _like(__init__=lambda self, *args: (_BatchNorm.__init__(self, *args), setattr(self, "training", False))[0]),
            hint="Set self.training = True in __init__.",
        ),
        Mistake(
            "In training the batch is divided by the root of its standard deviation, as if that were the variance.",
            _like(
                standard=lambda self, x, mean, var: (
                    (x - mean) / np.sqrt((np.sqrt(var) if self.training else var) + self.eps)
                )
            ),
        ),
        Mistake(
            "Mean and variance are swapped.",
            _like(standard=lambda self, x, mean, var: (x - var) / np.sqrt(mean + self.eps)),
        ),
        Mistake(
            "The new batch gets the full weight 1.",
            _like(mixed=lambda self, old, new: (1 - self.momentum) * old + new),
            _like(mixed=lambda self, old, new: self.momentum * old + new),
            _like(mixed=lambda self, old, new: old + new),
            hint="It gets momentum.",
        ),
        Mistake(
            "Old and new get the same weight: both the momentum, or both a half.",
            _like(mixed=lambda self, old, new: self.momentum * (old + new)),
            _like(mixed=lambda self, old, new: (old + new) / 2),
            hint="(1 - momentum) * old + momentum * batch",
        ),
        Mistake(
            "The running variance is taken around the running mean. It should be the variance of the batch, around "
            "the mean of the batch.",
            _like(update=_around_running_mean),
        ),
        Mistake(
            "The running statistics are those of the output, which is normalized already.",
            _like(update=_of_output),
        ),
        Mistake(
            "The running variance begins at 0. Before the first batch it should be 1, so that a new layer leaves its "
            "input nearly unchanged.",
            _like(start=(0.0, 0.0)),
        ),
        Mistake(
            "The running mean begins at 1. Before the first batch it should be 0.",
            _like(start=(1.0, 1.0)),
            _like(start=(1.0, 0.0)),
        ),
        Mistake(
            "The running statistics have the shape (1, C): keepdims=True was used for them. Their shape should be "
            "(C,).",
            _like(update=lambda self, x: _kept_axis(self, x)),
        ),
        Mistake(
            "The running statistics are one number for all features. Each feature should have its own.",
            _like(
                update=lambda self, x: _numbers_for_all(self, x),
            ),
        ),
        Mistake(
            "Mean and variance go over the features of each example. Each column should be normalized over the batch.",
            _like(standard=lambda self, x, mean, var: _standard(x, self.eps, -1)),
            hint="axis=0",
        ),
        Mistake(
            "Mean and variance are those of the whole batch. Each column should have its own.",
            _like(axis=None),
            hint="axis=0",
        ),
        Mistake(_EPS_OUTSIDE, _like(standard=lambda self, x, mean, var: (x - mean) / (np.sqrt(var) + self.eps))),
        Mistake(_NO_EPS, _like(standard=lambda self, x, mean, var: (x - mean) / np.sqrt(var))),
        Mistake(
            "eps is missing in evaluation mode.",
            _like(at_inference=lambda self, x: (x - self.running_mean) / np.sqrt(self.running_var)),
            hint=f"Both modes divide by {_SQRT}.",
        ),
        Mistake(
            "eps is missing in training.",
            _like(
                standard=lambda self, x, mean, var: (x - mean) / np.sqrt(var + (0 if self.training else self.eps)),
            ),
            hint=f"Both modes divide by {_SQRT}.",
        ),
        Mistake(
            _OTHER_EPS,
            *(
                _like(standard=lambda self, x, mean, var, e=e: (x - mean) / np.sqrt(var + e))
                for e in _EPS_SIZES
                if e != 0.01
            ),
        ),
        Mistake(_NO_ROOT, _like(standard=lambda self, x, mean, var: (x - mean) / (var + self.eps))),
        Mistake(_NOT_CENTRED, _like(standard=lambda self, x, mean, var: x / np.sqrt(var + self.eps))),
        Mistake(
            _CANCELS,
            _like(standard=lambda self, x, mean, var: (x - mean) / np.sqrt(_squares_of_sums(x, axis=0) + self.eps)),
        ),
    ],
)


def _scale(layer, factor):
    layer.running_var = layer.running_var * factor


def _kept_axis(layer, x):
    layer.running_mean = layer.mixed(layer.running_mean, x.mean(axis=0, keepdims=True))
    layer.running_var = layer.mixed(layer.running_var, x.var(axis=0, ddof=1, keepdims=True))


def _numbers_for_all(layer, x):
    layer.running_mean = layer.mixed(layer.running_mean, x.mean())
    layer.running_var = layer.mixed(layer.running_var, x.var(ddof=1))
