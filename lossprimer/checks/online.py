"""The task of chapter 1 on blocks: a softmax whose scores come one block after another."""

import numpy as np

from lossprimer.checks.probability import scores
from lossprimer.checks.report import Cause
from lossprimer.checks.task import Case, Mistake, Task


def _lifted(numbers):
    """One axis more, for numbers that belong to whole rows."""
    return np.asarray(numbers)[..., None]


def _new_top(top, z):
    return np.maximum(top, z.max(axis=-1))


def _powers(z, top):
    """The exponentials of scores below a maximum; below -inf there is nothing but scores of -inf."""
    safe = np.where(np.isfinite(top), top, 0.0).astype(z.dtype)
    return np.exp(z - _lifted(safe))


def _old_part(total, old, new):
    """What was added up so far, for the new maximum."""
    return total * np.exp(old - np.where(np.isfinite(new), new, 0.0).astype(total.dtype))


def _added(old=_old_part, new=lambda z, top: _powers(z, top).sum(axis=-1), top=_new_top, join=np.add):
    """Make the function; each part of it can be a wrong one."""

    def add_block(m, s, z):
        highest = top(m, z)
        return highest, join(old(s, m, highest), new(z, highest))

    return add_block


def _then(change):
    return lambda m, s, z: change(*_added()(m, s, z), m, s, z)


def _unguarded(m, s, z):
    highest = np.maximum(m, z.max(axis=-1))
    return highest, s * np.exp(m - highest) + np.exp(z - _lifted(highest)).sum(axis=-1)


def _from_zero(m, s, z):
    """Starts at a maximum of 0."""
    return _added(top=lambda m, z: np.maximum(np.maximum(m, 0.0), z.max(axis=-1)))(m, s, z)


_NOTHING = (-np.inf, 0.0)
_FIRST = np.array([1.0, 2.0, 0.5])


def _case(title, m, s, z, cause="", single=False):
    args = (np.asarray(m, dtype=float), np.asarray(s, dtype=float), np.asarray(z, dtype=float))
    return Case(title, tuple(arg.astype(np.float32) for arg in args) if single else args, cause)


_LARGE = Cause(
    "The formula is right, but the numbers break it here: no exponent may be above 0. Subtract the new maximum from "
    "the scores of the block and from the old maximum.",
    "np.exp(z - new_m[..., None]) and np.exp(m - new_m)",
)
_MASKED_BLOCK = Cause(
    "A whole block is masked: all of its scores are -inf. It adds nothing, and where there is nothing else, m stays "
    "-inf and s stays 0.",
    "-inf minus -inf is nan. Where the new maximum is -inf, subtract 0 in its place: "
    "np.where(np.isfinite(new_m), new_m, 0).",
)


def _draw(rng):
    rows, width = int(rng.integers(2, 5)), int(rng.integers(1, 6))
    m, s = scores(rng, rows), rng.uniform(1.0, 3.0, size=rows).round(2)
    far = rng.integers(-900, 900, size=(rows, 1))
    masked = scores(rng, rows, width)
    masked[0] = -np.inf
    return [
        _case("a block", m, s, scores(rng, rows, width)),
        _case("three axes", scores(rng, 2, rows), 1.0 + rng.random((2, rows)).round(2), scores(rng, 2, rows, width)),
        _case("rows at different levels", m, s, (scores(rng, rows, width) + far).round(2), _LARGE),
        _case("a masked block", np.append(-np.inf, m[1:]), np.append(0.0, s[1:]), masked, _MASKED_BLOCK),
    ]


def _many():
    rng = np.random.default_rng(0)
    return rng.normal(size=300), 1 + rng.random(300), rng.normal(size=(300, 30))


add_block = Task(
    "add_block(m, s, z)",
    """which returns the tuple ``(m, s)`` after another block of scores.

    `m` and `s` have the shape ``(...)``, `z` ``(..., n)``. For the scores of each row so far, `m` is the largest and
    `s` the sum of ``exp(score - m)``; before the first block they are -inf and 0. The same is returned for those scores
    and the block `z` together. A score of -inf adds nothing, also where a row has had no others.
    """,
    returns=("m", "s"),
    right=_added(),
    steps=[
        _case("the first block", *_NOTHING, _FIRST),
        _case("a first block with scores below 0", *_NOTHING, [-1.0, -2.5]),
        _case("a block with lower scores", 2.0, 1.5, [1.0, 0.0]),
        _case("a block with a higher score", 2.0, 1.5, [1.0, 3.0, 0.5]),
        _case("a block of one score", 0.5, 2.5, [-1.0]),
        _case("a block with the same largest score", 3.0, 1.25, [3.0, 1.0]),
        _case("rows by themselves", [2.0, -1.0], [1.5, 2.0], [[1.0, 0.0, 4.0], [0.5, -2.0, -3.0]]),
        _case("as many rows as scores", [1.0, -0.5, 3.0], [1.5, 2.0, 1.25], [[2.0, 0.0, 1], [-1, -2, 3], [1.5, 0, 4]]),
        _case("three axes", [[2.0], [0.5]], [[1.5], [2.0]], [[[1.0, 3.0]], [[0.0, -1.0]]]),
        _case("float32", [2.0, -1.0], [1.5, 2.0], [[1.0, 0.0, 4.0], [0.5, -2.0, -3.0]], single=True),
        _case("all scores below 0", -3.0, 1.5, [-4.0, -5.0]),
        _case("scores near 1000", 1000.0, 1.5, [999.0, 1001.0], _LARGE),
        _case("scores near -1000", -1000.0, 1.5, [-999.0, -1001.0], _LARGE),
        _case("a block far above what came before", -1000.0, 2.0, [1000.0, 999.0], _LARGE),
        _case("a block far below what came before", 1000.0, 2.0, [-1000.0, -999.0], _LARGE),
        _case("a masked score, -inf", 1.0, 1.5, [-np.inf, 2.0]),
        _case("a masked block after others", 1.0, 1.5, [-np.inf, -np.inf], _MASKED_BLOCK),
        _case(
            "a masked first block, in one of two rows",
            [-np.inf, 1.0],
            [0.0, 2.0],
            [[-np.inf] * 2, [0.5, 2.0]],
            _MASKED_BLOCK,
        ),
        _case("a block after a masked one", *_NOTHING, [1.0, -np.inf, 0.0]),
    ],
    draw=_draw,
    large=_many,
    mistakes=[
        Mistake(
            "The old sum is not rescaled to the new maximum: in its exponentials the old one is still subtracted.",
            _added(old=lambda s, old, new: s),
            hint="s * np.exp(m - new_m), with the m that was passed in: once m is the new one, exp(m - new_m) is 1.",
        ),
        Mistake(
            "The factor of the old sum is the wrong way round. The new maximum is never below the old one, so the "
            "factor is at most 1.",
            _added(old=lambda s, old, new: s * np.exp(new - old)),
            _added(old=lambda s, old, new: s / np.exp(np.where(np.isfinite(old), old, 0) - new)),
            hint="s * np.exp(m - new_m)",
        ),
        Mistake(
            "The old sum is divided or multiplied by the exponential of the new maximum alone.",
            _added(old=lambda s, old, new: s * np.exp(-new)),
            _added(old=lambda s, old, new: s * np.exp(new)),
            _added(old=lambda s, old, new: s * np.exp(old)),
            hint="s * np.exp(m - new_m)",
        ),
        Mistake(
            "The old sum is lost: only the block counts.",
            _added(old=lambda s, old, new: 0 * s),
            lambda m, s, z: (z.max(axis=-1), _powers(z, z.max(axis=-1)).sum(axis=-1)),
            hint="Add s * np.exp(m - new_m).",
        ),
        Mistake(
            "The block's own maximum is subtracted in its exponentials. It should be the new maximum, which may be "
            "the old one.",
            _added(new=lambda z, top: _powers(z, z.max(axis=-1)).sum(axis=-1)),
            hint="np.exp(z - new_m[..., None])",
        ),
        Mistake(
            "The old maximum is subtracted in the exponentials of the block. It should be the new one.",
            lambda m, s, z: (_new_top(m, z), _old_part(s, m, _new_top(m, z)) + np.exp(z - _lifted(m)).sum(axis=-1)),
            lambda m, s, z: (_new_top(m, z), s + np.exp(z - _lifted(m)).sum(axis=-1)),
            hint="np.exp(z - new_m[..., None])",
        ),
        Mistake(
            "Nothing is subtracted from the scores of the block before exp.",
            _added(new=lambda z, top: np.exp(z).sum(axis=-1)),
            lambda m, s, z: (_new_top(m, z), s + np.exp(z).sum(axis=-1)),
            hint="np.exp(z - new_m[..., None])",
        ),
        Mistake(
            "The factor of the old sum is applied to the block, too, which already has the new maximum subtracted.",
            lambda m, s, z: (
                _new_top(m, z),
                (s + _powers(z, _new_top(m, z)).sum(axis=-1)) * np.exp(m - _new_top(m, z)),
            ),
            hint="s * np.exp(m - new_m) + np.exp(z - new_m[..., None]).sum(axis=-1)",
        ),
        Mistake(
            "The factor that belongs to the old sum is applied to the block.",
            lambda m, s, z: (
                _new_top(m, z),
                s + _powers(z, _new_top(m, z)).sum(axis=-1) * np.exp(m - _new_top(m, z)),
            ),
        ),
        Mistake(
            "m is the largest score of the block alone. It should be the largest so far.",
            lambda m, s, z: (z.max(axis=-1), _added()(m, s, z)[1]),
            _added(top=lambda m, z: z.max(axis=-1)),
            hint="np.maximum(m, z.max(axis=-1))",
        ),
        Mistake(
            "m stays what it was.",
            lambda m, s, z: (m, _added()(m, s, z)[1]),
            lambda m, s, z: (m, s + np.exp(z - _lifted(m)).sum(axis=-1)),
            hint="np.maximum(m, z.max(axis=-1))",
        ),
        Mistake(
            "m is the smallest score, the mean, or the sum of the two maxima. It should be the larger of the two.",
            _added(top=lambda m, z: np.minimum(m, z.min(axis=-1))),
            _added(top=lambda m, z: np.maximum(m, z.mean(axis=-1))),
            _added(top=lambda m, z: np.maximum(m, z.min(axis=-1))),
            _added(top=lambda m, z: m + z.max(axis=-1)),
        ),
        Mistake(
            "The largest score of the whole array is taken. Each row should have a maximum of its own.",
            _added(top=lambda m, z: np.maximum(m, z.max())),
            _added(top=lambda m, z: np.full_like(m, max(m.max(), z.max()))),
            hint="z.max(axis=-1)",
        ),
        Mistake(
            "The maximum, or the sum, goes down the rows. The scores of a row are on the last axis.",
            _added(top=lambda m, z: np.maximum(m, z.max(axis=0))),
            _added(new=lambda z, top: _powers(z, top).sum(axis=0)),
            lambda m, s, z: (
                np.maximum(m, z.max(axis=0)),
                _old_part(s, m, np.maximum(m, z.max(axis=0))) + np.exp(z - np.maximum(m, z.max(axis=0))).sum(axis=0),
            ),
            hint="axis=-1",
        ),
        Mistake(
            "The new maxima form a row, so the first of them is subtracted from the first column. Each belongs to a "
            "row of its own.",
            _added(new=lambda z, top: np.exp(z - top).sum(axis=-1)),
            hint="z - new_m[..., None]",
        ),
        Mistake(
            "All exponentials of the array are added up. Each row should have a sum of its own.",
            _added(new=lambda z, top: _powers(z, top).sum()),
            hint="sum(axis=-1)",
        ),
        Mistake(
            "The exponentials of the block are averaged. They should be added up.",
            _added(new=lambda z, top: _powers(z, top).mean(axis=-1)),
        ),
        Mistake(
            "Only the largest exponential of the block is added, which is 1 or less.",
            _added(new=lambda z, top: _powers(z, top).max(axis=-1)),
            hint="sum(axis=-1)",
        ),
        Mistake(
            "The exponentials of the block are not added up: there is a number for each score.",
            lambda m, s, z: (_new_top(m, z), _lifted(_old_part(s, m, _new_top(m, z))) + _powers(z, _new_top(m, z))),
            hint="sum(axis=-1)",
        ),
        Mistake(
            "The two sums are multiplied, or the larger one is taken. They should be added up.",
            _added(join=np.multiply),
            _added(join=np.maximum),
        ),
        Mistake("The new sum is subtracted from the old one.", _added(join=np.subtract)),
        Mistake(
            "The base of the exponentials is not e.",
            _added(
                old=lambda s, old, new: s * np.exp2(old - np.where(np.isfinite(new), new, 0)),
                new=lambda z, top: np.exp2(z - _lifted(np.where(np.isfinite(top), top, 0))).sum(axis=-1),
            ),
        ),
        Mistake(
            "The exponential is missing: differences are added up.",
            _added(new=lambda z, top: (z - _lifted(top)).sum(axis=-1)),
        ),
        Mistake(
            "s is the logarithm of the sum, or m is added to it. The task asks for the sum itself.",
            _then(lambda top, total, m, s, z: (top, np.log(total))),
            _then(lambda top, total, m, s, z: (top, top + np.log(total))),
        ),
        Mistake(
            "s is the sum of exp(score), without the maximum. It should be the sum of exp(score - m).",
            _then(lambda top, total, m, s, z: (top, total * np.exp(top))),
            hint="np.exp(z - new_m[..., None])",
        ),
        Mistake("m and s are in the wrong order.", _then(lambda top, total, m, s, z: (total, top)), hint="return m, s"),
        Mistake(
            "m or s has an axis of length 1 at its end: keepdims=True keeps the axis of the scores.",
            _then(lambda top, total, m, s, z: (_lifted(top), _lifted(total))),
            _then(lambda top, total, m, s, z: (_lifted(top), total)),
            _then(lambda top, total, m, s, z: (top, _lifted(total))),
            hint="Add the axis only where the new maximum is subtracted: z - new_m[..., None].",
        ),
        Mistake(
            "The probabilities of the block are returned. The task asks for m and s.",
            _then(lambda top, total, m, s, z: (top, _powers(z, top) / _lifted(total))),
        ),
        Mistake(
            "s is divided by the number of scores.",
            _then(lambda top, total, m, s, z: (top, total / z.shape[-1])),
        ),
        Mistake(
            "The maximum begins at 0, and not at -inf: scores that are all below 0 never reach it.",
            _from_zero,
            hint="The m that is passed in is the maximum so far.",
        ),
        Mistake(
            "A masked block gives nan: its largest score is -inf, and -inf minus -inf is nan.",
            _unguarded,
            hint=_MASKED_BLOCK.hint,
        ),
        Mistake(
            "Where all scores are masked, m is 0 or a very negative number. It should be -inf.",
            _then(lambda top, total, m, s, z: (np.where(np.isfinite(top), top, 0.0), total)),
            *(
                _added(top=lambda m, z, n=n: np.maximum(_new_top(m, z), n))
                for n in (-1e4, -5e4, -65504.0, -1e9, -1e10, -1e30, float(np.finfo(float).min))
            ),
            _then(lambda top, total, m, s, z: (np.nan_to_num(top), total)),
            hint="Only what is subtracted is 0 there; the m that is returned stays -inf.",
        ),
    ],
)
