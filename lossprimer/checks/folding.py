"""The task of chapter 4 on a layer that disappears: BatchNorm becomes a part of the linear layer before it."""

import numpy as np

from lossprimer.checks.normalization import numbers
from lossprimer.checks.report import Cause
from lossprimer.checks.task import Case, Mistake, Task


def _factor(gamma, var, eps):
    return gamma / np.sqrt(var + eps)


def _folded(factor=_factor, weight=lambda w, s: w * s, bias=lambda b, s, mean, beta: (b - mean) * s + beta):
    """Make the function; each part of it can be a wrong one."""

    def fold_batch_norm(w, b, gamma, beta, mean, var, eps):
        s = factor(gamma, var, eps)
        return weight(w, s), bias(b, s, mean, beta)

    return fold_batch_norm


def _weight(change):
    return _folded(weight=change)


def _bias(change):
    return _folded(bias=change)


def _with(change):
    """The right function with other arguments."""
    return lambda *args: _folded()(*change(*args))


def _one_gamma(in_weight):
    """Gamma in the weight alone, or in the bias alone."""

    def fold(w, b, gamma, beta, mean, var, eps):
        s, plain = _factor(gamma, var, eps), _factor(1.0, var, eps)
        one, other = (s, plain) if in_weight else (plain, s)
        return w * one, (b - mean) * other + beta

    return fold


def _one_factor(in_weight):
    """The division in the weight alone, or in the bias alone."""

    def fold(w, b, gamma, beta, mean, var, eps):
        s = _factor(gamma, var, eps)
        return (w * s, (b - mean) * gamma + beta) if in_weight else (w * gamma, (b - mean) * s + beta)

    return fold


def _twice(w, b, gamma, beta, mean, var, eps):
    s = _factor(gamma, var, eps)
    return w * s, (b * s - mean) * s + beta


_W, _B = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 4.0]]), np.array([0.5, -2.0])
_GAMMA, _BETA, _MEAN, _VAR = np.array([2.0, -0.5]), np.array([1.0, 3.0]), np.array([1.5, -1.0]), np.array([3.99, 0.24])
_SQUARE = np.array([[1.0, 2.0, -1.0], [0.5, -1.0, 3.0], [2.0, 0.0, 1.0]])
_THREE = (
    np.array([0.5, -1.0, 2.0]),
    np.array([1.5, 0.5, -2.0]),
    np.array([0.0, 2.0, -1.0]),
    np.array([1.0, -0.5, 3.0]),
    np.array([0.99, 3.99, 0.24]),
)
_SMALL = Cause(
    "The variance is 0 here, or nearly so: the divisor is then the root of eps alone.", "gamma / np.sqrt(var + eps)"
)


def _args(w, b, gamma, beta, mean, var, eps=0.01):
    return w, b, gamma, beta, mean, var, eps


def _draw(rng):
    rows, columns = int(rng.integers(2, 5)), int(rng.integers(2, 5))
    w, *vectors = numbers(rng, rows, columns), *(numbers(rng, columns) for _ in range(4))
    var = rng.uniform(0.1, 4.0, size=columns).round(2)
    return [
        Case("a layer", (w, *vectors, var, 1e-5)),
        Case("a square layer", (numbers(rng, columns, columns), *vectors, var, 0.1)),
        Case("small variances", (w, *vectors, 1e-6 * var, 1e-5), _SMALL),
    ]


def _many():
    rng = np.random.default_rng(0)
    return *(rng.normal(size=shape) for shape in ((60, 80), 80, 80, 80, 80)), rng.random(80), 1e-5


_FORMULA = "s = gamma / np.sqrt(var + eps); weight * s, (bias - mean) * s + beta"

fold_batch_norm = Task(
    "fold_batch_norm(weight, bias, gamma, beta, mean, var, eps)",
    """which returns the tuple ``(weight, bias)`` of one linear layer that does what two layers do.

    The first is linear, ``y = x @ weight + bias``, with `weight` of the shape ``(D, C)`` and `bias` ``(C,)``. The
    second is BatchNorm in evaluation mode, ``gamma * (y - mean) / sqrt(var + eps) + beta``, with its running statistics
    `mean` and `var`; these four have the shape ``(C,)``.
    """,
    returns=("weight", "bias"),
    right=_folded(),
    steps=[
        Case("three inputs, two outputs", _args(_W, _B, _GAMMA, _BETA, _MEAN, _VAR)),
        Case("as many outputs as inputs", _args(_SQUARE, *_THREE)),
        Case("one output", _args(_W[:, :1], _B[:1], _GAMMA[:1], _BETA[:1], _MEAN[:1], _VAR[:1])),
        Case("one input", _args(_W[:1], _B, _GAMMA, _BETA, _MEAN, _VAR)),
        Case("no bias: it is 0", _args(_W, 0 * _B, _GAMMA, _BETA, _MEAN, _VAR)),
        Case("a mean of 0", _args(_W, _B, _GAMMA, _BETA, 0 * _MEAN, _VAR)),
        Case("gamma is 1 and beta 0", _args(_W, _B, np.ones(2), np.zeros(2), _MEAN, _VAR)),
        Case("another eps", _args(_W, _B, _GAMMA, _BETA, _MEAN, _VAR, 1.0)),
        Case("float32", _args(*(x.astype(np.float32) for x in (_W, _B, _GAMMA, _BETA, _MEAN, _VAR)))),
        Case("variances of 0 and nearly 0", _args(_W, _B, _GAMMA, _BETA, _MEAN, np.array([0.0, 1e-6]), 1e-5), _SMALL),
    ],
    draw=_draw,
    large=_many,
    mistakes=[
        Mistake(
            "The factor multiplies the rows of the weight. It should multiply the columns, which are the outputs.",
            _weight(lambda w, s: s[:, None] * w),
            hint="weight * s, with s of the shape (C,)",
        ),
        Mistake(
            "The bias is not scaled: it goes through the BatchNorm, too.",
            _bias(lambda b, s, mean, beta: b - mean * s + beta),
            hint=_FORMULA,
        ),
        Mistake(
            "The bias of the linear layer is lost.",
            _bias(lambda b, s, mean, beta: -mean * s + beta),
            hint=_FORMULA,
        ),
        Mistake("The mean is not subtracted.", _bias(lambda b, s, mean, beta: b * s + beta), hint=_FORMULA),
        Mistake("The mean is added. It should be subtracted.", _bias(lambda b, s, mean, beta: (b + mean) * s + beta)),
        Mistake(
            "The mean is subtracted after the scaling. It should be subtracted before.",
            _bias(lambda b, s, mean, beta: b * s - mean + beta),
            hint=_FORMULA,
        ),
        Mistake(
            "The bias is subtracted from the mean. The mean should be subtracted from the bias.",
            _bias(lambda b, s, mean, beta: (mean - b) * s + beta),
        ),
        Mistake("beta is not added.", _bias(lambda b, s, mean, beta: (b - mean) * s), hint=_FORMULA),
        Mistake(
            "beta is scaled. It should be added at the end.",
            _bias(lambda b, s, mean, beta: (b - mean + beta) * s),
            _bias(lambda b, s, mean, beta: (b - mean) * s + beta * s),
            hint=_FORMULA,
        ),
        Mistake(
            "beta is divided by the root. It should be added at the end.",
            lambda w, b, gamma, beta, mean, var, eps: (
                w * _factor(gamma, var, eps),
                ((b - mean) * gamma + beta) * _factor(1.0, var, eps),
            ),
            hint=_FORMULA,
        ),
        Mistake(
            "The mean gets only a part of the factor: gamma, or the root.",
            lambda w, b, gamma, beta, mean, var, eps: (
                w * _factor(gamma, var, eps),
                b * _factor(gamma, var, eps) - mean * gamma + beta,
            ),
            lambda w, b, gamma, beta, mean, var, eps: (
                w * _factor(gamma, var, eps),
                b * _factor(gamma, var, eps) - mean * _factor(1.0, var, eps) + beta,
            ),
            hint=_FORMULA,
        ),
        Mistake(
            "beta and the mean are swapped.",
            _with(lambda w, b, gamma, beta, mean, *rest: (w, b, gamma, mean, beta, *rest)),
        ),
        Mistake("beta is subtracted. It should be added.", _bias(lambda b, s, mean, beta: (b - mean) * s - beta)),
        Mistake("The bias becomes beta alone.", _bias(lambda b, s, mean, beta: beta), hint=_FORMULA),
        Mistake("The bias stays what it was.", _bias(lambda b, s, mean, beta: b), hint=_FORMULA),
        Mistake(
            "beta is added to the old bias, and nothing else is done to it.", _bias(lambda b, s, mean, beta: b + beta)
        ),
        Mistake("The bias is not divided: gamma alone scales it.", _one_factor(in_weight=True), hint=_FORMULA),
        Mistake("The weight is not divided: gamma alone scales it.", _one_factor(in_weight=False), hint=_FORMULA),
        Mistake("gamma is missing in the bias.", _one_gamma(in_weight=True), hint=_FORMULA),
        Mistake("gamma is missing in the weight.", _one_gamma(in_weight=False), hint=_FORMULA),
        Mistake("gamma is not used.", _folded(factor=lambda gamma, var, eps: _factor(1.0, var, eps)), hint=_FORMULA),
        Mistake(
            "The weight stays what it was. The factor of BatchNorm should scale it, column by column.",
            _weight(lambda w, s: w),
            hint=_FORMULA,
        ),
        Mistake("The weight is divided by the factor. It should be multiplied by it.", _weight(lambda w, s: w / s)),
        Mistake("The factor is added to the weight. It should multiply it.", _weight(lambda w, s: w + s)),
        Mistake(
            "The mean is subtracted from the weight. It should change the bias alone.",
            lambda w, b, gamma, beta, mean, var, eps: (
                (w - mean) * _factor(gamma, var, eps),
                _folded()(w, b, gamma, beta, mean, var, eps)[1],
            ),
        ),
        Mistake(
            "beta is added to the weight. It should change the bias alone.",
            lambda w, b, gamma, beta, mean, var, eps: (
                w * _factor(gamma, var, eps) + beta,
                _folded()(w, b, gamma, beta, mean, var, eps)[1],
            ),
        ),
        Mistake(
            "The root is missing: the divisor is the variance itself.",
            _folded(factor=lambda gamma, var, eps: gamma / (var + eps)),
            hint="gamma / np.sqrt(var + eps)",
        ),
        Mistake(
            "The variance is squared: it is treated as a standard deviation.",
            _folded(factor=lambda gamma, var, eps: gamma / np.sqrt(var**2 + eps)),
            hint="gamma / np.sqrt(var + eps)",
        ),
        Mistake(
            "eps is missing.",
            _folded(factor=lambda gamma, var, eps: gamma / np.sqrt(var)),
            hint="gamma / np.sqrt(var + eps)",
        ),
        Mistake(
            "eps is in the wrong place: it is added to the variance, inside the root.",
            _folded(factor=lambda gamma, var, eps: gamma / (np.sqrt(var) + eps)),
            _folded(factor=lambda gamma, var, eps: gamma / np.sqrt(var) + eps),
            _folded(factor=lambda gamma, var, eps: gamma / (np.sqrt(var) + np.sqrt(eps))),
            _folded(factor=lambda gamma, var, eps: gamma / np.sqrt(var + eps**2)),
            hint="gamma / np.sqrt(var + eps)",
        ),
        Mistake(
            "eps is a number of your own, not the one that is passed in.",
            *(
                _folded(factor=lambda gamma, var, eps, own=own: gamma / np.sqrt(var + own))
                for own in (1e-3, 1e-5, 1e-6, 1e-8, 1e-12)
            ),
        ),
        Mistake(
            "eps is subtracted from the variance. It should be added.",
            _folded(factor=lambda gamma, var, eps: gamma / np.sqrt(var - eps)),
        ),
        Mistake(
            "gamma is multiplied by the root of the variance. It should be divided by it.",
            _folded(factor=lambda gamma, var, eps: gamma * np.sqrt(var + eps)),
            hint="gamma / np.sqrt(var + eps)",
        ),
        Mistake(
            "The root is divided by gamma: the factor is upside down.",
            _folded(factor=lambda gamma, var, eps: np.sqrt(var + eps) / gamma),
            hint="gamma / np.sqrt(var + eps)",
        ),
        Mistake("gamma and beta are swapped.", _with(lambda w, b, gamma, beta, *rest: (w, b, beta, gamma, *rest))),
        Mistake(
            "The mean and the variance are swapped.",
            _with(lambda w, b, gamma, beta, mean, var, eps: (w, b, gamma, beta, var, mean, eps)),
        ),
        Mistake("The bias is scaled twice.", _twice, hint=_FORMULA),
        Mistake(
            "The statistics are computed from the weight. They should be the running ones, which are passed in.",
            _with(lambda w, b, g, beta, mean, var, eps: (w, b, g, beta, w.mean(axis=0), w.var(axis=0), eps)),
        ),
        Mistake(
            "All outputs get the same factor: a mean over them, or the first.",
            _folded(factor=lambda gamma, var, eps: np.full_like(gamma, _factor(gamma, var, eps).mean())),
            _folded(factor=lambda gamma, var, eps: gamma / np.sqrt(var.mean() + eps)),
            _folded(factor=lambda gamma, var, eps: np.full_like(gamma, _factor(gamma, var, eps)[0])),
        ),
        Mistake(
            "The weight is transposed. It should keep its shape (D, C).",
            _weight(lambda w, s: (w * s).T),
        ),
        Mistake(
            "The two results are in the wrong order.",
            lambda *args: _folded()(*args)[::-1],
            hint="return weight, bias",
        ),
    ],
)
