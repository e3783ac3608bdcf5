"""The tasks of chapter 3: inverted dropout, its gradient, the layer, and averages over masks.

Every order of drawing is right, so nothing here compares draws. A right answer is refused with a probability below
1e-9: each bound on a random number comes from Bernstein's inequality.
"""

import itertools
import math

import numpy as np
from numpy import isin

from lossprimer.checks.calling import Trouble
from lossprimer.checks.outside import SHORT_FLOATS
from lossprimer.checks.probability import probabilities
from lossprimer.checks.report import Cause
from lossprimer.checks.task import Case, Mistake, Property, Task, changed
from lossprimer.checks.values import agree, as_code, near, shown

_LOG_RARE = math.log(2 / 1e-12)


def deviation(count: int, variance: np.ndarray | float, log_rare: float = _LOG_RARE) -> np.ndarray | float:
    """How far the mean of `count` numbers from 0 to 1 is from what is expected, at most, but for one time in 1e12."""
    linear = log_rare / 3
    return (linear + np.sqrt(linear**2 + 2 * count * variance * log_rare)) / count


def _values(rng, *shape):
    """Numbers of which none is 0, so that a 0 in the output was dropped."""
    return rng.uniform(0.5, 2.0, size=shape).round(2) * rng.choice([-1.0, 1.0], size=shape)


def _equal(rng, *shape):
    """One number many times, which an input can show in a few words."""
    return np.full(shape, float(rng.integers(5, 20)) / 4)


def _generator(rng):
    return np.random.default_rng(_seed(rng))


def _seed(rng):
    return int(rng.integers(2**32))


_DRAW = "rng.random(a.shape) < keep_prob"
_EACH = Cause("There is one random number for each entry.", "rng.random(a.shape)")
_SCALES = (
    (lambda p: 1.0, "What is kept is not divided by keep_prob, so that the expected output is keep_prob times a."),
    (lambda p: p, "What is kept is multiplied by keep_prob. The expected output is then keep_prob^2 times a."),
    (lambda p: 1 / (1 - p), "What is kept is divided by 1 - keep_prob, the probability of dropping."),
    (lambda p: 1 - p, "What is kept is multiplied by 1 - keep_prob, the probability of dropping."),
    (lambda p: 1 / p**2, "What is kept is divided by keep_prob twice."),
    (lambda p: 1 / np.sqrt(p), "What is kept is divided by the root of keep_prob."),
    (lambda p: 1 + p, "What is kept is multiplied by 1 + keep_prob."),
    (
        lambda p: 2 - p,
        "What is kept is multiplied by 1 + (1 - keep_prob), which comes close to 1/keep_prob only for a large "
        "keep_prob.",
    ),
)
_DIVIDE = "Divide what is kept by keep_prob: the expected output is then a."


def _kept(output, a, keep_prob):
    """Where an output keeps an entry of `a`. Trouble if it holds something else than 0 and ``a / keep_prob``."""
    if output.shape != a.shape:
        raise Trouble(f"an output of shape {output.shape}", f"shape {a.shape}", _EACH)
    single = a.dtype == np.float32
    keeps = near(output, a / keep_prob, single=single)
    fits = keeps | (output == 0)
    if fits.all():
        return keeps & (a != 0)
    first = tuple(np.argwhere(~fits)[0])
    came = f"{shown(output[first], 8)} for the entry {shown(a[first], 5)}"
    raise Trouble(came, f"0 or {shown(a[first] / keep_prob, 8)}", _scale_cause(output, a, keep_prob, single))


def _scale_cause(output, a, keep_prob, single):
    if not np.isfinite(output).all():
        return Cause("A number is not finite. Do you divide by the mask, which holds zeros?")
    if (near(output, a / keep_prob, single=True) | (output == 0)).all():
        return SHORT_FLOATS
    kept = output[output != 0]
    if kept.size and near(kept, kept[0], single=single).all() and (near(kept, 1.0) | near(kept, 1 / keep_prob)).all():
        return Cause("This is the mask. The output is a times the mask, divided by keep_prob.")
    for scale, sentence in _SCALES if keep_prob < 1 else ():
        if (near(output, a * scale(keep_prob), single=single) | (output == 0)).all():
            return Cause(sentence, _DIVIDE)
    if np.isin(output, [0.0, *np.floor(a / keep_prob).ravel(), *np.trunc(a / keep_prob).ravel()]).all():
        return Cause("The output holds whole numbers only. Is it stored in an array of integers?")
    if not (output == 0).any():
        return Cause("No entry becomes 0. Dropout sets an entry to 0, or keeps it and divides it.", _DIVIDE)
    return Cause("An entry is either dropped, and then 0, or kept, and then a / keep_prob.")


def _judge_share(keeps, keep_prob):
    """Trouble unless as many entries are kept as the keep probability says."""
    share, bound = keeps.mean(), deviation(keeps.size, keep_prob * (1 - keep_prob))
    if abs(share - keep_prob) <= bound:
        return
    cause = Cause("The probability with which an entry is kept is not keep_prob.", _DRAW)
    if abs(share - (1 - keep_prob)) <= bound:
        cause = Cause("Keep and drop are swapped: an entry is kept with the probability 1 - keep_prob.", _DRAW)
    elif abs(share - keep_prob**2) <= deviation(keeps.size, keep_prob**2 * (1 - keep_prob**2)):
        cause = Cause("An entry is dropped twice: it is kept with the probability keep_prob^2.")
    raise Trouble(f"{share:.1%} of the entries are kept", f"about {keep_prob:.0%}", cause)


def _judge_independence(keeps, keep_prob):
    """Trouble if the entries of a table are not kept or dropped each by itself."""
    if (keeps == keeps[0]).all():
        cause = Cause("One mask is used for the whole batch. Each entry should have a random number of its own.", _DRAW)
        raise Trouble("the same entries are dropped in every row", "a different mask in every row", cause)
    if (keeps == keeps[:, :1]).all():
        cause = Cause("One number is drawn for each row. Each entry should have one of its own.", _DRAW)
        raise Trouble("rows are dropped as a whole", "each entry by itself", cause)
    if any((counts == counts[0]).all() for counts in (keeps.sum(axis=0), keeps.sum(axis=1))):
        raise Trouble("the same number of entries is kept in each row or column", "a number that varies", _FIXED)
    if _repeated(keeps, keep_prob) is not None:
        cause = Cause("Entries share a random number: the mask repeats or mirrors a part of itself.", _DRAW)
        raise Trouble("entries that are dropped together too often", "each entry by itself", cause)


_FIXED = Cause("A fixed number of entries is dropped. Each entry should be dropped independently of the others.", _DRAW)


_THE_SAME = Cause(
    "The mask is the same each time: it is drawn once and kept, or it comes from a generator with a seed of its own.",
    f"Draw a new mask on each call, from rng: {_DRAW}.",
)


def _repeated(keeps, keep_prob):
    """A distance at which entries decide alike, or against each other, more often than by chance; or None."""
    signs = np.where(keeps.ravel(), 1.0, -1.0)
    n, alike = signs.size, keep_prob**2 + (1 - keep_prob) ** 2
    padded = np.fft.rfft(signs, 2 * n)
    pairs = np.arange(n, n // 4, -1)
    # From an entry on, and from an entry to both sides.
    onwards, around = np.fft.irfft(padded * padded.conj()), np.fft.irfft(padded * padded)
    onwards[0] = n * (2 * alike - 1)  # each entry is like itself
    for products in (onwards, around[n - 1 :: -1], around[n - 1 :]):
        shares = (1 + products[: len(pairs)] / pairs) / 2
        # Half of the pairs have no entry in common; the other half neither.
        far = np.abs(shares - alike) > deviation(pairs / 2, alike * (1 - alike), math.log(2 / 1e-16))
        if far.any():
            return int(np.argmax(far))
    return None


def _judge_masks(masks):
    """Trouble if a few masks show that there are no coins for the entries."""
    counts, size = {int(keeps.sum()) for keeps in masks}, masks[0].size
    if counts <= {0, size}:
        cause = Cause("One random number decides for the whole array. Each entry should have one of its own.", _DRAW)
        if len(counts) == 1:
            cause = Cause("Everything is dropped." if counts == {0} else "Nothing is dropped.", _DRAW)
        raise Trouble("all entries are kept, or none", "each entry by itself", cause)
    if all((keeps == masks[0]).all() for keeps in masks):
        raise Trouble(f"the same mask in each of {len(masks)} calls", "a new mask on each call", _THE_SAME)
    if len(counts) == 1:
        came = f"{counts.pop()} of {size} entries are kept in each of {len(masks)} calls"
        raise Trouble(came, "a number that varies", _FIXED)


def _judge_randomness(draw, rng):
    """Trouble unless the Generator alone decides; ``draw(seed)`` returns what two calls in a row draw."""
    seed = _seed(rng)
    (first, second), (again, _), (other, _) = draw(seed), draw(seed), draw(_seed(rng))
    if not (first == again).all():
        cause = Cause("The mask does not come from rng, but from np.random or another generator.", _DRAW)
        raise Trouble("two masks from two generators with the same seed", "the same mask", cause)
    if (first == other).all():
        cause = Cause("The mask does not come from rng: with a seed of its own it is the same each time.", _DRAW)
        raise Trouble("the same mask, whatever rng is", "a different mask from a different generator", cause)
    if (first == second).all():
        cause = Cause(
            "The mask is drawn once and kept, or it is drawn from a copy of rng: rng itself does not advance.",
            f"Draw a new mask on each call: {_DRAW}.",
        )
        raise Trouble("the same mask on two calls in a row", "a new mask on each call", cause)


# The function: what it drops, how it scales, and the mask that it returns.

_HAND = np.array([1.2, 0.7, 1.8, -0.3, 0.9])
_MASK_MEANS = "a mask that is True, or not 0, where an entry is kept"
_FROM_VALUES = Cause(
    "The mask is read off the values: an entry of 0 counts as dropped, or its value decides what is dropped.",
    "Return the mask that was drawn. After a ReLU many entries are 0, and they are kept or dropped like the others.",
)


def _drop(call, rng, a, keep_prob):
    """Entries kept, on which the output and the mask of the learner's function agree."""
    output, mask = call(a, keep_prob, _generator(rng))
    marks = (0, 1, 1 / keep_prob)
    if output.shape == mask.shape and not isin(mask, marks).all() and isin(output, marks).all():
        raise Trouble("(mask, output)", "(output, mask)", "The two results are in the wrong order.")
    keeps = _kept(output, a, keep_prob)
    if mask.shape != a.shape:
        raise Trouble(f"a mask of shape {mask.shape}", f"shape {a.shape}", _EACH)
    differs = (mask != 0) != keeps
    if differs.any():
        came = f"mask {shown(mask, 5)} with output {shown(output, 5)}"
        cause = Cause("The mask that is returned is not the one that was used: is it drawn twice?")
        if differs.all():
            cause = Cause("The mask says what is dropped.", "Return the one that says what is kept.")
        raise Trouble(came, _MASK_MEANS, cause)
    if not any(near(mask[keeps], mark, single=True).all() for mark in marks[1:]):
        cause = "The mask holds numbers that say nothing. It should say which entries are kept."
        raise Trouble(f"mask {shown(mask, 5)}", "booleans, or 0 and 1, or 0 and 1 / keep_prob", cause)
    return keeps


def _by_hand(call, rng):
    for _ in range(20):
        _drop(call, rng, _HAND, 0.8)


def _shapes(call, rng):
    for shape in ((3, 4), (2, 3, 2)):
        _drop(call, rng, _values(rng, *shape), 0.6)


def _independently(call, rng):
    a = _equal(rng, 20, 10)
    _judge_masks([_drop(call, rng, a, 0.7) for _ in range(12)])
    _judge_independence(_drop(call, rng, _equal(rng, 60, 40), 0.7), 0.7)


def _share(call, rng):
    for keep_prob in (0.8, 0.3):
        _judge_share(_drop(call, rng, _equal(rng, 60, 80), keep_prob), keep_prob)


def _with_zeros(rng):
    """Numbers, and the same with another sign or 0 in their place."""
    a = _values(rng, 16)
    return a, np.where(np.arange(16) % 2, -a, 0.0)


def _zeros(call, rng):
    for _ in range(4):
        seed, (a, zeros) = _seed(rng), _with_zeros(rng)
        one, mask = (call(x, 0.5, np.random.default_rng(seed))[1] for x in (a, zeros))
        output, _ = call(zeros, 0.5, np.random.default_rng(seed))
        _kept(output, zeros, 0.5)
        if one.shape != mask.shape or ((one != 0) != (mask != 0)).any():
            expected = "the mask that this rng gives for any numbers"
            raise Trouble("a different mask where an entry is 0", expected, _FROM_VALUES)


def _from_rng(call, rng):
    a = _equal(rng, 200)

    def draw(seed):
        generator = np.random.default_rng(seed)
        return [call(a, 0.5, generator)[0] for _ in range(2)]

    _judge_randomness(draw, rng)


def _keep_all(call, rng):
    if not _drop(call, rng, _equal(rng, 500), 1.0).all():
        raise Trouble("entries that are dropped", "a, unchanged", "With keep_prob = 1 every entry is kept.", _DRAW)


def _single(call, rng):
    _drop(call, rng, _values(rng, 4, 5).astype(np.float32), 0.5)


inverted_dropout = Task(
    "inverted_dropout(a, keep_prob, rng)",
    """which returns the tuple ``(output, mask)``.

    `a` has any shape, ``0 < keep_prob <= 1``, and `rng` is a ``numpy.random.Generator``. Each entry is kept with the
    probability `keep_prob`, independently of all others, and then divided by it; the others are 0. `mask` has the shape
    of `a` and says what was kept, as booleans, as 0 and 1, or as 0 and ``1 / keep_prob``.
    """,
    returns=("output", "mask"),
    steps=[
        Property("five activations: each is 0 or a / keep_prob", _by_hand),
        Property("arrays of two and three axes", _shapes),
        Property("each entry is dropped independently", _independently),
        Property("the fraction kept is keep_prob", _share),
        Property("rng decides, and nothing else", _from_rng),
        Property("an entry of 0 is kept or dropped like any other", _zeros),
        Property("keep_prob = 1 keeps everything", _keep_all),
        Property("float32", _single),
    ],
)


# Its gradient.

_DY = np.array([[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]])
_MASK = np.array([[True, False, True], [False, True, True]])
_SLOPE = "The forward pass divided by keep_prob, so the slope of what was kept is 1/keep_prob."
_DROPPED = "What was dropped gets the gradient 0."


def _draw_masks(rng):
    cases = []
    for shape in ((7,), (4, 5), (2, 3, 4)):
        keep_prob = float(rng.choice([0.2, 0.4, 0.75, 0.9]))
        cases.append(Case(f"shape {shape}", (_values(rng, *shape), rng.random(shape) < keep_prob, keep_prob)))
    return cases


def _many_masks():
    rng = np.random.default_rng(0)
    return rng.normal(size=(100, 60)), rng.random((100, 60)) < 0.7, 0.7


dropout_backward = Task(
    "dropout_backward(dy, mask, keep_prob)",
    """the gradient with respect to the input of inverted dropout.

    `dy` and `mask` have the same shape; `mask` holds booleans, True where an entry was kept. The result ``da`` has
    their shape.
    """,
    right=lambda dy, mask, keep_prob: np.where(mask, dy / keep_prob, 0.0),
    steps=[
        Case("three entries by hand", (np.array([1.0, 2.0, 3.0]), np.array([True, False, True]), 0.8)),
        Case("a table", (_DY, _MASK, 0.8)),
        Case("a small keep_prob", (_DY, _MASK, 0.3)),
        Case("three axes", (_DY.reshape(1, 3, 2), _MASK.reshape(1, 3, 2), 0.3)),
        Case("keep_prob = 1", (_DY, _MASK, 1.0)),
        Case("nothing is dropped", (_DY, np.ones((2, 3), dtype=bool), 0.9)),
        Case("a gradient of 0 and one that is large", (np.array([0.0, 1e6, -1e6]), np.array([True, True, False]), 0.6)),
        Case("float32", (_DY.astype(np.float32), _MASK, 0.5)),
    ],
    draw=_draw_masks,
    large=_many_masks,
    mistakes=[
        Mistake("The gradient is not divided by keep_prob.", lambda dy, mask, p: dy * mask, hint=_SLOPE),
        Mistake("The gradient is multiplied by keep_prob.", lambda dy, mask, p: dy * mask * p, hint=_SLOPE),
        Mistake(
            "The gradient is divided by 1 - keep_prob, the probability of dropping.",
            lambda dy, mask, p: dy * mask / (1 - p),
            hint=_SLOPE,
        ),
        Mistake(
            "The gradient is multiplied by 1 - keep_prob, the probability of dropping.",
            lambda dy, mask, p: dy * mask * (1 - p),
            hint=_SLOPE,
        ),
        Mistake(
            "Keep and drop are swapped: the mask is True where an entry was kept.",
            *(
                lambda dy, mask, p, scale=scale: dy * ~mask * scale(p)
                for scale in (lambda p: 1 / p, lambda p: 1.0, lambda p: 1 / (1 - p), lambda p: p, lambda p: 1 - p)
            ),
        ),
        Mistake(
            "The mask is not used.",
            *(
                lambda dy, mask, p, scale=scale: dy * scale(p)
                for scale in (lambda p: 1 / p, lambda p: 1.0, lambda p: p, lambda p: 1 / (1 - p))
            ),
            hint=_DROPPED,
        ),
        Mistake(
            "Where an entry was dropped, the gradient is passed on unchanged.",
            lambda dy, mask, p: np.where(mask, dy / p, dy),
            lambda dy, mask, p: np.where(mask, dy, dy / p),
            hint=_DROPPED,
        ),
        Mistake(
            "Where an entry was dropped, the gradient is not 0.",
            lambda dy, mask, p: np.where(mask, dy / p, 1.0),
            lambda dy, mask, p: np.where(mask, dy / p, p),
            lambda dy, mask, p: np.where(mask, dy / p, np.nan),
            hint=_DROPPED,
        ),
        Mistake(
            "dy[mask] takes out the entries where the mask is True, in one long row. The gradient has the shape of dy.",
            lambda dy, mask, p: dy[mask] / p,
            lambda dy, mask, p: dy[mask],
            hint="Multiply by the mask, or write np.where(mask, ..., 0).",
        ),
        Mistake(
            "This is the mask over keep_prob, without dy.",
            lambda dy, mask, p: mask / p,
            lambda dy, mask, p: mask.astype(float),
            lambda dy, mask, p: mask * p,
        ),
        Mistake("The gradient is divided by keep_prob twice.", lambda dy, mask, p: dy * mask / p**2, hint=_SLOPE),
        Mistake(
            "The gradient is divided by the root of keep_prob.", lambda dy, mask, p: dy * mask / np.sqrt(p), hint=_SLOPE
        ),
        Mistake(
            "The gradient is divided by the fraction of the mask that is True. It should be divided by keep_prob, as "
            "in forward.",
            lambda dy, mask, p: dy * mask / mask.mean(),
            lambda dy, mask, p: dy * mask / mask.sum(),
            lambda dy, mask, p: dy * mask * mask.size / max(mask.sum(), 1),
        ),
        Mistake("The sign is reversed.", lambda dy, mask, p: -dy * mask / p),
        Mistake("dy is squared.", lambda dy, mask, p: dy * dy * mask / p),
        Mistake(
            "The gradient is averaged over the entries or the examples. Each entry should keep its own.",
            lambda dy, mask, p: dy * mask / p / dy.size,
            lambda dy, mask, p: dy * mask / p / len(dy),
        ),
        Mistake(
            "The gradients are added up. Each entry should keep its own.", lambda dy, mask, p: (dy * mask / p).sum()
        ),
        Mistake("Everything is 0.", lambda dy, mask, p: np.zeros_like(dy)),
    ],
)


# The layer: the same in training, nothing in evaluation mode, and backward through the mask of the last call.


class _Forward(tuple):
    """A call to forward with an input."""


class _Backward(tuple):
    """A call to backward with a gradient."""


def _forward(a):
    return _Forward((a,))


def _backward(dy):
    return _Backward((dy,))


def _use(call, rng, keep_prob, *steps, quiet=()):
    """Results of calls to forward and backward, between which a boolean sets the mode.

    Trouble if an array that is handed over changes, or if rng moves in one of the steps that `quiet` numbers.
    """
    seed = rng if isinstance(rng, int) else _seed(rng)
    calls = [step for step in steps if not isinstance(step, bool)]
    names = ["forward" if isinstance(step, _Forward) else "backward" for step in calls]
    seen = {"changed": None, "drew": None}

    def play(Dropout):  # noqa: N803
        generator = np.random.default_rng(seed)
        layer = Dropout(keep_prob, generator)
        results = []
        for number, step in enumerate(steps):
            if isinstance(step, bool):
                layer.training = step
                continue
            handed, before = step[0].copy(), _state(generator)
            result = (layer.forward if isinstance(step, _Forward) else layer.backward)(handed)
            results.append(result.copy() if isinstance(result, np.ndarray) else result)
            if handed.tobytes() != step[0].tobytes():
                seen["changed"] = "a" if isinstance(step, _Forward) else "dy"
            if number in quiet and _state(generator) != before:
                seen["drew"] = "forward" if isinstance(step, _Forward) else "backward"
        return results if len(results) > 1 else results[0]

    results = call(play=play, script=_code(seed, keep_prob, steps), returns=tuple(names))
    if seen["changed"]:
        raise changed(seen["changed"])
    if seen["drew"]:
        raise Trouble(
            f"{seen['drew']} draws from rng",
            "an rng that stays where it is",
            f"{seen['drew']} draws random numbers where no mask is needed, and so changes all later masks.",
            "Draw in forward alone, and only if self.training is True.",
        )
    return results if len(names) > 1 else [results]


def _state(generator):
    """Where a generator is, and how many others it has brought forth."""
    state = generator.bit_generator.state
    return repr(state), getattr(generator.bit_generator.seed_seq, "n_children_spawned", 0)


def _code(seed, keep_prob, steps):
    """What is done with the layer, as code that can be run."""
    arrays, lines = {}, [f"layer = Dropout({keep_prob:g}, np.random.default_rng({seed}))"]
    for step in steps:
        if isinstance(step, bool):
            lines.append(f"layer.training = {step}")
            continue
        letter = "a" if isinstance(step, _Forward) else "dy"
        if id(step[0]) not in arrays:
            count = sum(name.startswith(letter) for name, _ in arrays.values())
            arrays[id(step[0])] = f"{letter}{count + 1 if count else ''}", step[0]
        lines.append(f"layer.{'forward' if letter == 'a' else 'backward'}({arrays[id(step[0])][0]})")
    runs = [(line, len(list(group))) for line, group in itertools.groupby(lines)]
    lines = [line if times == 1 else f"for _ in range({times}): {line}" for line, times in runs]
    return "\n".join([*(f"{name} = {as_code(array)}" for name, array in arrays.values()), *lines])


def _layer_by_hand(call, rng):
    for _ in range(20):
        (output,) = _use(call, rng, 0.8, _forward(_HAND))
        _kept(output, _HAND, 0.8)


def _layer_independently(call, rng):
    a = _equal(rng, 20, 10)
    _judge_masks([_kept(output, a, 0.7) for output in _use(call, rng, 0.7, *[_forward(a)] * 12)])
    a = _equal(rng, 60, 40)
    (output,) = _use(call, rng, 0.7, _forward(a))
    _judge_independence(_kept(output, a, 0.7), 0.7)


def _layer_share(call, rng):
    for keep_prob in (0.8, 0.3):
        a = _equal(rng, 60, 80)
        (output,) = _use(call, rng, keep_prob, _forward(a))
        _judge_share(_kept(output, a, keep_prob), keep_prob)


def _judge_gradient(da, dy, keeps, keep_prob, output):
    """Trouble unless a gradient went through a mask."""
    expected = np.where(keeps, dy / keep_prob, 0.0)
    if agree(da, expected):
        return
    came = f"forward {shown(output, 3)}, backward {shown(da, 3)}"
    raise Trouble(came, f"backward {shown(expected, 3)}", _gradient_cause(da, dy, keeps, keep_prob))


def _gradient_cause(da, dy, keeps, p):
    scales = (1.0, p, 1 / p, 1 / (1 - p), 1 - p)
    if da.shape != dy.shape:
        return Cause(f"The gradient has the shape {da.shape}, and dy has {dy.shape}.")
    if agree(da, np.where(keeps, dy / p, 0.0), single=True):
        return SHORT_FLOATS
    for scale, sentence in (
        (1.0, "The gradient is not divided by keep_prob."),
        (p, "The gradient is multiplied by keep_prob."),
        (1 / (1 - p), "The gradient is divided by 1 - keep_prob, the probability of dropping."),
        (1 / p**2, "The gradient is divided by keep_prob twice."),
    ):
        if agree(da, dy * keeps * scale):
            return Cause(sentence, _SLOPE)
    if any(agree(da, dy * ~keeps * scale) for scale in scales):
        return Cause("Keep and drop are swapped in backward: what was dropped gets the gradient.")
    if any(agree(da, dy * scale) for scale in scales):
        return Cause("The mask is not used in backward.", _DROPPED)
    if (da == 0).all():
        return Cause("The gradient is 0 everywhere.")
    if any((near(da, dy * scale) | (da == 0)).all() for scale in scales):
        return Cause("Backward uses a different mask from forward.", "Keep the mask of forward in self.")
    return Cause("What was kept gets dy / keep_prob, what was dropped gets 0.")


def _layer_backward(call, rng):
    a, dy = _values(rng, 12), _values(rng, 12)
    output, da = _use(call, rng, 0.6, _forward(a), _backward(dy))
    _judge_gradient(da, dy, _kept(output, a, 0.6), 0.6, output)


def _layer_backward_again(call, rng):
    a, dy, other = (_equal(rng, 100) for _ in range(3))
    output, first, second, third = _use(call, rng, 0.6, _forward(a), _backward(dy), _backward(dy), _backward(other))
    keeps = _kept(output, a, 0.6)
    _judge_gradient(first, dy, keeps, 0.6, output)
    if not (agree(second, first) and agree(third, np.where(keeps, other / 0.6, 0.0))):
        cause = Cause(
            "A second call to backward gives a different result from the first: the mask is changed or thrown away in "
            "backward.",
            "backward only reads what forward has stored, until the next forward.",
        )
        raise Trouble("a different gradient on the second call", "a gradient through the same mask on each call", cause)


def _layer_last_mask(call, rng):
    first, second, dy = _equal(rng, 200), _equal(rng, 200), _equal(rng, 200)
    one, two, da = _use(call, rng, 0.5, _forward(first), _forward(second), _backward(dy))
    keeps = _kept(two, second, 0.5)
    if (_kept(one, first, 0.5) == keeps).all():
        raise Trouble("the same mask in two calls to forward", "a new mask on each call", _THE_SAME)
    if not agree(da, np.where(keeps, 2 * dy, 0.0)):
        cause = Cause("Backward uses a different mask from the last call to forward.", "Keep that one in self.")
        raise Trouble("a gradient through a different mask", "the mask of the last call", cause)


def _layer_shapes(call, rng):
    first, second, dy = _values(rng, 3, 4), _values(rng, 2, 3, 2), _values(rng, 2, 3, 2)
    one, two, da = _use(call, rng, 0.6, _forward(first), _forward(second), _backward(dy))
    _kept(one, first, 0.6)
    _judge_gradient(da, dy, _kept(two, second, 0.6), 0.6, two)


def _layer_zeros(call, rng):
    for _ in range(4):
        seed, (a, zeros), dy = _seed(rng), _with_zeros(rng), np.ones(16)
        (output, da), (other, with_zeros) = (_use(call, seed, 0.5, _forward(x), _backward(dy)) for x in (a, zeros))
        _kept(other, zeros, 0.5)
        _judge_gradient(da, dy, _kept(output, a, 0.5), 0.5, output)
        if not agree(da, with_zeros):
            raise Trouble(
                "no gradient where an entry is 0, or a different mask",
                "the gradient that this rng gives for any numbers",
                Cause(_FROM_VALUES.likely, "Keep the mask in forward. An entry of 0 that was kept gets a gradient."),
            )


def _layer_keeps_all(call, rng):
    a, dy = _equal(rng, 500), _equal(rng, 500)
    output, da = _use(call, rng, 1.0, _forward(a), _backward(dy))
    if not (agree(output, a) and agree(da, dy)):
        raise Trouble(
            "entries that are changed", "a and dy, unchanged", "With keep_prob = 1 every entry is kept.", _DRAW
        )


def _layer_at_inference(call, rng):
    a = _equal(rng, 200)
    _, output = _use(call, rng, 0.8, True, _forward(a), False, _forward(a))
    if agree(output, a):
        return
    cause = Cause("In evaluation mode the layer returns its input: nothing is dropped and nothing is scaled.")
    if agree(output, a, single=True):
        cause = SHORT_FLOATS
    elif (output == 0).any():
        cause = Cause("The layer also drops in evaluation mode.", "Draw a mask only if self.training is True.")
    elif agree(output, 0.8 * a):
        cause = Cause(
            "The output is scaled in evaluation mode. Inverted dropout has already divided in training.",
            "Return a itself.",
        )
    elif agree(output, a / 0.8):
        cause = Cause(
            "The output is divided by keep_prob in evaluation mode. That should happen only in training.",
            "Return a itself.",
        )
    raise Trouble(shown(output, 3), shown(a, 3), cause)


def _layer_draws_nothing(call, rng):
    a, dy = _values(rng, 6), _values(rng, 6)
    _use(call, rng, 0.5, False, _forward(a), _backward(dy), quiet={1, 2})
    _use(call, rng, 0.5, True, _forward(a), _backward(dy), False, _forward(a), _backward(dy), quiet={2, 4, 5})


def _layer_backward_at_inference(call, rng):
    a, dy = _equal(rng, 200), _equal(rng, 200)
    *_, da = _use(call, rng, 0.5, True, _forward(a), False, _forward(a), _backward(dy))
    if not agree(da, dy):
        cause = Cause(
            "The last call to forward had no mask, and backward does not pass the gradient on as it is.",
            "In evaluation mode keep a mask of ones, or None, in place of the one of an earlier call.",
        )
        raise Trouble("a gradient that is changed", "dy, unchanged", cause)


def _layer_mode_of_forward(call, rng):
    a, dy = _equal(rng, 100), _equal(rng, 100)
    cause = Cause(
        "backward looks at the present mode. It belongs to the last call to forward, whatever the mode has become "
        "since.",
        "Let forward keep what backward needs; backward does not ask for self.training.",
    )
    output, da = _use(call, rng, 0.5, True, _forward(a), False, _backward(dy))
    if not agree(da, np.where(_kept(output, a, 0.5), 2 * dy, 0.0)):
        raise Trouble(
            "a different gradient, after the mode was changed", "a gradient through the mask of forward", cause
        )
    _, da = _use(call, rng, 0.5, False, _forward(a), True, _backward(dy))
    if not agree(da, dy):
        raise Trouble("a gradient that is changed, after the mode was changed", "dy, unchanged", cause)


def _layer_back_in_training(call, rng):
    a, dy = _equal(rng, 200), _equal(rng, 200)
    _, output, da = _use(call, rng, 0.5, False, _forward(a), True, _forward(a), _backward(dy))
    if not (output == 0).any():
        cause = Cause(
            "The mode is read only once, or never goes back to training.", "Look at self.training in each forward."
        )
        raise Trouble("nothing is dropped", "a new mask", cause)
    _judge_gradient(da, dy, _kept(output, a, 0.5), 0.5, output)


def _layer_alone(call, rng):
    a, dy, seeds = _equal(rng, 100), _equal(rng, 100), (_seed(rng), _seed(rng))

    def play(Dropout):  # noqa: N803
        one, two = (Dropout(0.5, np.random.default_rng(seed)) for seed in seeds)
        outputs = one.forward(a.copy()), two.forward(a.copy())
        gradients = one.backward(dy.copy()), two.backward(dy.copy())
        two.training = False
        return *outputs, *gradients, one.forward(a.copy())

    script = "\n".join(
        [
            f"a = {as_code(a)}",
            f"one, two = Dropout(0.5, np.random.default_rng({seeds[0]})), Dropout(0.5, "
            f"np.random.default_rng({seeds[1]}))",
            "one.forward(a), two.forward(a)",
            f"one.backward({as_code(dy)}), two.backward({as_code(dy)})",
            "two.training = False",
            "one.forward(a)",
        ]
    )
    names = ("one.forward", "two.forward", "one.backward", "two.backward", "one.forward")
    *results, last = call(play=play, script=script, returns=names)
    for output, da in zip(results[:2], results[2:], strict=True):
        if not agree(da, np.where(_kept(output, a, 0.5), 2 * dy, 0.0)) or not (last == 0).any():
            cause = Cause(
                "Two layers share something: a mask, a mode or a generator that belongs to the class or to the module.",
                "Keep all of it in self, and set it in __init__.",
            )
            raise Trouble(
                "a layer that depends on what another one does", "two layers, each with a mask of its own", cause
            )


def _layer_from_rng(call, rng):
    a = _equal(rng, 200)
    _judge_randomness(lambda seed: _use(call, seed, 0.5, _forward(a), _forward(a)), rng)


def _layer_begins_in_training(call, rng):
    a = _equal(rng, 200)
    (output,) = _use(call, rng, 0.5, _forward(a))
    if agree(output, a):
        cause = Cause(
            "A new layer drops nothing. It should start in training mode.", "Set self.training = True in __init__."
        )
        raise Trouble("nothing is dropped", "0 or a / keep_prob", cause)


def _layer_single(call, rng):
    a, dy = (_values(rng, 4, 5).astype(np.float32) for _ in range(2))
    output, da = _use(call, rng, 0.5, _forward(a), _backward(dy))
    keeps = _kept(output, a, 0.5)
    if not agree(da, np.where(keeps, 2 * dy, 0.0), single=True):
        _judge_gradient(da, dy, keeps, 0.5, output)


dropout_layer = Task(
    "Dropout(keep_prob, rng)",
    """with ``training``, ``forward(a)`` and ``backward(dy)``.

    ``training`` is True at first: each call of ``forward`` draws a new mask and returns what inverted dropout does.
    With ``training = False`` it returns `a`, and draws nothing. ``backward`` goes back through the last call of
    ``forward``, as often as it is called: through its mask, or unchanged if there was none.
    """,
    name="dropout_layer",
    members="training, forward(a) and backward(dy)",
    steps=[
        Property("a new layer is in training", _layer_begins_in_training),
        Property("five activations: each is 0 or a / keep_prob", _layer_by_hand),
        Property("each entry is dropped independently", _layer_independently),
        Property("the fraction kept is keep_prob", _layer_share),
        Property("backward goes through the same mask", _layer_backward),
        Property("each call draws a new mask", _layer_last_mask),
        Property("a batch of a different shape", _layer_shapes),
        Property("backward gives the same on each call", _layer_backward_again),
        Property("in evaluation mode the input passes unchanged", _layer_at_inference),
        Property("in evaluation mode backward passes the gradient unchanged", _layer_backward_at_inference),
        Property("from evaluation back to training", _layer_back_in_training),
        Property("backward follows the mode of the last forward", _layer_mode_of_forward),
        Property("nothing is drawn in evaluation mode or in backward", _layer_draws_nothing),
        Property("rng decides, and nothing else", _layer_from_rng),
        Property("an entry of 0 is kept or dropped like any other", _layer_zeros),
        Property("two layers have nothing in common", _layer_alone),
        Property("keep_prob = 1 keeps everything", _layer_keeps_all),
        Property("float32", _layer_single),
    ],
)


# The average over masks: so few inputs that all masks can be tried.

_SAMPLES = 400
_X = np.array([[2.0, -1.0, 1.5], [-0.5, 2.5, 1.0]])
_WEIGHT = np.array([[1.5, -1.0, 0.5], [-1.0, 2.0, 0.5], [2.0, 0.5, -2.5]])
_LOGITS = _X @ _WEIGHT
_MASKS = np.array(list(itertools.product([0.0, 1.0], repeat=3)))


def _average(call, rng, keep_prob, samples, x=_X, weight=_WEIGHT):
    """Probabilities by the learner's function, of the right shape."""
    result = call(x, weight, keep_prob, samples, _generator(rng))
    expected = (len(x), weight.shape[1])
    if result.shape != expected:
        cause = Cause(f"The result has the shape {result.shape}: there should be one row for each row of x.")
        if result.shape == (samples, *expected):
            cause = Cause("These are the probabilities of each sample. The mean over the samples is missing.", "axis=0")
        elif result.shape in ((samples, expected[1]), expected[1:]):
            cause = Cause(
                "The rows of x are averaged as well. Each should have probabilities of its own.",
                "Average over the samples only.",
            )
        elif result.shape == (samples, expected[0]) or result.shape == expected[:1]:
            cause = Cause(
                "The classes are averaged as well. Each row should have a probability for each.",
                "Average over the samples only.",
            )
        raise Trouble(f"shape {result.shape}", f"shape {expected}", cause)
    return result


def _predictions(factor):
    """Probabilities under each of the masks, of shape (8, 2, 3)."""
    return probabilities((_MASKS[:, None] * _X) @ _WEIGHT * factor)


def _is_one_of(result, predictions, single=False):
    """Whether each row is one of its predictions."""
    return near(predictions, result[None], single=single).all(axis=-1).any(axis=0).all()


def _without_dropping(call, rng):
    for samples in (3, 1):
        result = _average(call, rng, 1.0, samples)
        right = probabilities(_LOGITS)
        if not agree(result, right):
            raise Trouble(shown(result, 5), shown(right, 5), _plain_cause(result, right, samples))


def _plain_cause(result, right, samples):
    guesses = (
        (probabilities(_LOGITS, 0), "The softmax goes over the rows. The classes are on the last axis.", "axis=-1"),
        (
            probabilities(_LOGITS, None),
            "The softmax goes over the whole array. Each row should have its own.",
            "axis=-1",
        ),
        (_LOGITS, "The softmax is missing: these are scores.", ""),
        (_LOGITS * samples, "The softmax is missing, and the scores are added up.", ""),
        (np.log(right), "These are logarithms of the probabilities.", ""),
        (probabilities(right), "The softmax is applied twice.", "Average the probabilities as they are."),
        (
            probabilities(_LOGITS * samples),
            "The scores of the samples are added up before the softmax.",
            "Softmax first, mean after.",
        ),
        (right * samples, "The probabilities are added up, and not divided by samples.", ""),
        (right / samples, "The probabilities are divided by samples twice.", ""),
        (right * result[0, 0] / right[0, 0], "The sum is divided by the wrong number.", "Divide it by samples."),
        (probabilities(np.maximum(_LOGITS, 0)), "What is applied is not just a product and a softmax.", ""),
    )
    for guess, sentence, hint in guesses:
        if np.isfinite(result).all() and agree(result, guess):
            return Cause(sentence, hint)
    if agree(result, right, single=True):
        return SHORT_FLOATS
    return Cause("With keep_prob = 1 nothing is dropped: each sample is softmax(x @ weight), and so is the mean.")


def _one_sample(call, rng):
    for _ in range(8):
        result = _average(call, rng, 0.5, 1)
        if not _is_one_of(result, _predictions(2.0)):
            cause = _one_sample_cause(result) or _number_cause(call, rng)
            raise Trouble(shown(result, 5), "softmax(dropped x @ weight) under one mask", cause)


def _one_sample_cause(result):
    if agree(result, probabilities(_LOGITS)):
        return Cause("Nothing is dropped. Every sample should drop a part of x.")
    if _is_one_of(result, _predictions(1.0)):
        return Cause("What is kept is not divided by keep_prob.", "Use inverted dropout on x.")
    if _is_one_of(result, _predictions(0.5)):
        return Cause(
            "What is kept is multiplied by keep_prob. It should be divided by it.", "Use inverted dropout on x."
        )
    if _is_one_of(result, _predictions(4.0)):
        return Cause("What is kept is divided by keep_prob twice.")
    for factor in (1.0, 2.0):
        if _is_one_of(result, probabilities(_MASKS[:, None] * _LOGITS * factor)):
            return Cause("The mask is on the scores. It should be on x, before the product with weight.")
        if _is_one_of(result, _MASKS[:, None] * probabilities(_LOGITS) * factor):
            return Cause("The mask is on the probabilities. It should be on x, before the product with weight.")
    for factor in (1.0, 2.0):
        if _is_one_of(result, probabilities(_X @ (_WEIGHT * factor * _bits(_WEIGHT.shape)))):
            return Cause("The mask is on the weights. It should be on x.")
    if _is_one_of(result, _predictions(2.0), single=True):
        return SHORT_FLOATS
    return None


def _number_cause(call, rng):
    """What the number of masks says, where one is asked for."""
    if count := _number_of_masks(_average(call, rng, 0.7, 1, np.ones((20, 1)), _FEW)):
        return Cause(f"These are means over {count} masks, and samples is 1.")
    return Cause("This is not a prediction under one mask on x. Is the mask on something else?")


def _bits(shape):
    """All masks of a small table."""
    return np.array(list(itertools.product([0.0, 1.0], repeat=math.prod(shape)))).reshape(-1, *shape)


def _count_of(result):
    """Of how many masks, 2 or 3, each row may be the mean; 0 if of neither."""
    for count in (2, 3):
        combined = [
            np.mean(choice, axis=0) for choice in itertools.combinations_with_replacement(_predictions(2.0), count)
        ]
        if _is_one_of(result, np.array(combined)):
            return count
    return 0


def _two_samples(call, rng):
    for _ in range(4):
        result = _average(call, rng, 0.5, 2)
        if _count_of(result) != 2:
            cause = Cause("With two samples each row should be the mean of two predictions; yours is not.")
            raise Trouble(shown(result, 5), "the mean of two predictions in each row", cause)


_PRIME = 101
_FEW = np.array([[0.0, 2.0]])


def _counted(call, rng):
    """With one input there are two predictions, and a mean says how often each of them came."""
    x, keep_prob = np.ones((20, 1)), 0.7
    result = _average(call, rng, keep_prob, _PRIME, x, _FEW)
    without, kept = probabilities(np.zeros(2))[1], probabilities(_FEW[0] / keep_prob)[1]
    counts = _PRIME * (result[:, 1] - without) / (kept - without)
    whole = np.abs(counts - counts.round()) < 1e-5
    sums = near(result.sum(axis=-1), 1.0).all()
    expected = f"in each row a mean over {_PRIME} masks of its own"
    if not (whole.all() and sums):
        raise Trouble(
            shown(result[0], 6), expected, _counted_cause(result, counts, without, kept, _FEW[0, 1] / keep_prob, sums)
        )
    if (counts.round() == _PRIME).all():
        cause = Cause("Every row is the prediction with all of x: nothing is dropped, or a median is taken.", _DRAW)
        raise Trouble(shown(result[0], 6), expected, cause)
    if np.isin(counts.round(), (0, _PRIME)).all():
        raise Trouble(shown(result[0], 6), expected, _SINGLE_MASK)
    if (counts.round() == counts[0].round()).all():
        cause = Cause(
            "All rows have the same masks. Each example should have its own mask in each sample.",
            "Draw one number for each entry of x: rng.random(x.shape).",
        )
        raise Trouble("20 equal rows of x get 20 equal means", "rows that differ by their masks", cause)


def _number_of_masks(result):
    """The smallest number of masks that can have these means of one input, or 0."""
    without, kept = probabilities(np.zeros(2))[1], probabilities(_FEW[0] / 0.7)[1]
    shares = (result[:, 1] - without) / (kept - without)
    for number in range(1, 5 * _PRIME):
        if (np.abs(number * shares - (number * shares).round()) < 1e-6).all():
            return number
    return 0


_SINGLE_MASK = Cause(
    "Each row is the prediction under a single mask: all samples have the same one, only one of them counts, or a "
    "median is taken. A mean lies between the predictions.",
    "Draw a new mask for each sample, add up the probabilities, and divide by samples.",
)


def _counted_cause(result, counts, without, kept, logit, sums):
    if not sums:
        shares = np.log(result) - np.log([1 - without, without])
        steps = np.log([1 - kept, kept]) - np.log([1 - without, without])
        logs = _PRIME * shares / steps
        if (np.abs(logs - logs.round()) < 1e-5).all():
            return Cause("The logarithms of the probabilities are averaged. The mean is of the probabilities.")
        return Cause(
            "The rows do not add up to 1, as a mean of probabilities does: the number of samples added up is not the "
            "number that the sum is divided by.",
            "Add up as many predictions as samples says, and divide by samples.",
        )
    means = _PRIME * np.log(result[:, 1] / result[:, 0]) / logit
    if (np.abs(means - means.round()) < 1e-5).all():
        return Cause(
            "The scores are averaged, or the logarithms of the probabilities, and then comes the softmax.",
            "Average the probabilities: softmax first, mean after.",
        )
    if number := _number_of_masks(result):
        return _SINGLE_MASK if number == 1 else Cause(f"These are means over {number} masks, and samples is {_PRIME}.")
    return Cause("These are not means over masks: no number of predictions has such a mean.")


def _many_samples(call, rng):
    for keep_prob in (0.5, 0.9):
        _judge_average(_average(call, rng, keep_prob, _SAMPLES), keep_prob)


def _judge_average(result, keep_prob):
    """Trouble unless an average is near that over all masks, each with its probability."""
    predictions = _predictions(1 / keep_prob)

    def distance(keep_prob):
        chances = np.prod(np.where(_MASKS, keep_prob, 1 - keep_prob), axis=1)[:, None, None]
        mean = (chances * predictions).sum(axis=0)
        variance = (chances * (predictions - mean) ** 2).sum(axis=0)
        return mean, (np.abs(result - mean) / deviation(_SAMPLES, variance)).max()

    expected, far = distance(keep_prob)
    if far <= 1:
        return
    cause = Cause("This is too far from the average over all masks. Is an entry of x kept with keep_prob?")
    if _is_one_of(result, predictions):
        cause = _SINGLE_MASK
    elif distance(1 - keep_prob)[1] <= 1:
        cause = Cause("Keep and drop are swapped: an entry of x is kept with the probability 1 - keep_prob.", _DRAW)
    raise Trouble(shown(result, 3), f"about {shown(expected, 2)}", cause)


def _rows_add_up(call, rng):
    totals = _average(call, rng, 0.7, 10, _values(rng, 5, 4), _values(rng, 4, 3)).sum(axis=-1)
    if not near(totals, 1.0).all():
        cause = Cause("A mean of probabilities adds up to 1, and these rows do not.", "Divide the sum by samples.")
        raise Trouble(f"sums {shown(totals, 5)}", "rows that add up to 1", cause)


def _average_from_rng(call, rng):
    x, weight = _values(rng, 5, 6), _values(rng, 6, 2)

    def draw(seed):
        generator = np.random.default_rng(seed)
        return [call(x, weight, 0.5, 2, generator) for _ in range(2)]

    _judge_randomness(draw, rng)


def _average_of_zeros(call, rng):
    result = _average(call, rng, 0.5, 3, np.zeros((2, 3)))
    if not agree(result, np.full((2, 3), 1 / 3)):
        raise Trouble(shown(result, 5), "equal probabilities", "An x of zeros has the scores 0 under every mask.")


monte_carlo_average = Task(
    "monte_carlo_average(x, weight, keep_prob, samples, rng)",
    """a mean over dropout masks.

    `x` has the shape ``(N, D)``, `weight` the shape ``(D, K)``. For each of `samples` new masks, inverted dropout on
    `x` gives the probabilities ``softmax(dropped x @ weight)``; the result is their mean, of shape ``(N, K)``. Each
    row of `x` has its own mask in each sample.
    """,
    steps=[
        Property("keep_prob = 1: the plain prediction", _without_dropping),
        Property("one sample: the prediction under one mask", _one_sample),
        Property("101 samples of one input", _counted),
        Property("two samples: the mean of two predictions", _two_samples),
        Property("the rows add up to 1", _rows_add_up),
        Property("400 samples: near the average over all masks", _many_samples),
        Property("an x of zeros has equal probabilities", _average_of_zeros),
        Property("rng decides, and nothing else", _average_from_rng),
    ],
)
