"""Is the mask random where it should be and the same where it should be? The tasks of chapter 3.

Every order of drawing is right, so nothing here compares draws. A right answer is refused with a probability below
1e-9: each bound on a random number comes from Bernstein's inequality.
"""

import itertools
import math
from collections.abc import Callable

import numpy as np

from lossprimer.checks.calling import Trouble
from lossprimer.checks.probability import shares
from lossprimer.checks.report import Report
from lossprimer.checks.task import Case, Mistake, Property, Task
from lossprimer.checks.values import near, shown


def inverted_dropout(f: Callable, *, rng: np.random.Generator | None = None) -> Report:
    """Check ``inverted_dropout(a, keep_prob, rng)``, which returns the tuple ``(output, mask)``.

    `a` has any shape, ``0 < keep_prob <= 1``, and `rng` is a ``numpy.random.Generator``. Each entry is kept with the
    probability `keep_prob`, independently of all others, and then divided by it; the others are 0. `mask` has the shape
    of `a` and says what was kept, as booleans, as 0 and 1, or as 0 and ``1 / keep_prob``.
    """
    return _INVERTED.check(f, rng)


def dropout_backward(f: Callable, *, rng: np.random.Generator | None = None) -> Report:
    """Check ``dropout_backward(dy, mask, keep_prob)``, the gradient by the input of inverted dropout.

    `dy` and `mask` have the same shape; `mask` holds booleans, True where an entry was kept. The result ``da`` has
    their shape.
    """
    return _BACKWARD.check(f, rng)


def dropout_layer(f: Callable, *, rng: np.random.Generator | None = None) -> Report:
    """Check the class ``Dropout(keep_prob, rng)``, with ``training``, ``forward(a)`` and ``backward(dy)``.

    ``training`` is True at first: each call of ``forward`` draws a new mask and returns what inverted dropout does.
    With ``training = False`` it returns `a`. ``backward`` goes back through the last call of ``forward``: through its mask,
    or unchanged if there was none.
    """
    return _LAYER.check(f, rng)


def monte_carlo_average(f: Callable, *, rng: np.random.Generator | None = None) -> Report:
    """Check ``monte_carlo_average(x, weight, keep_prob, samples, rng)``, a mean over dropout masks.

    `x` has the shape ``(N, D)``, `weight` the shape ``(D, K)``. For each of `samples` new masks, inverted dropout on
    `x` gives the probabilities ``softmax(dropped x @ weight)``; the result is their mean, of shape ``(N, K)``.
    """
    return _MONTE_CARLO.check(f, rng)


_LOG_RARE = math.log(2 / 1e-12)


def deviation(count: int, variance: float) -> float:
    """How far the mean of `count` numbers of range 1 is from its expectation at most, but for one time in 1e12."""
    linear = _LOG_RARE / 3
    return (linear + math.sqrt(linear**2 + 2 * count * variance * _LOG_RARE)) / count


def _values(rng, *shape):
    """Numbers with two decimals of which none is 0, so that a 0 was dropped."""
    return (rng.uniform(0.5, 2.0, size=shape).round(2) + 0.001) * rng.choice([-1.0, 1.0], size=shape)


def _twin(rng):
    """A seed, for several generators that draw the same."""
    return int(rng.integers(2**32))


_SCALES = (
    (lambda p: 1.0, "What is kept is not divided by keep_prob, so that the expected output is keep_prob times a."),
    (lambda p: p, "What is kept is multiplied with keep_prob. Divide by it: the expected output is then a."),
    (lambda p: 1 / (1 - p), "What is kept is divided by 1 - keep_prob, the probability to drop. Divide by keep_prob."),
    (lambda p: 1 - p, "What is kept is multiplied with 1 - keep_prob. Divide by keep_prob."),
    (lambda p: 1 / p**2, "What is kept is divided by keep_prob twice."),
)


def kept(output: np.ndarray, a: np.ndarray, keep_prob: float, given: str, name: str = "output") -> np.ndarray:
    """Where `output` keeps an entry of `a`, none of which is 0.

    Raises
    ------
    Trouble
        If it has another shape, or holds something else than 0 and ``a / keep_prob``.
    """
    if output.shape != a.shape:
        raise Trouble(
            given=given,
            came=f"{name} of shape {output.shape}",
            expected=f"shape {a.shape}",
            cause="There is one random number for each entry: rng.random(a.shape).",
        )
    here = near(output, a / keep_prob, single=a.dtype == np.float32)
    if (here | (output == 0)).all():
        return here
    first = tuple(np.argwhere(~(here | (output == 0)))[0])
    came, expected = f"{name} {shown(output[first], 5)}", f"0 or {shown(a[first] / keep_prob, 5)}"
    raise Trouble(
        given=f"{given}; where a = {shown(a[first], 5)}",
        came=came,
        expected=expected,
        cause=_scale_cause(output, a, keep_prob),
    )


def _scale_cause(output, a, keep_prob):
    if not np.isfinite(output).all():
        return "A number is not finite: what is dropped is 0, and keep_prob is never 0."
    for scale, cause in _SCALES if keep_prob < 1 else ():
        if (near(output, a * scale(keep_prob), single=a.dtype == np.float32) | (output == 0)).all():
            return cause
    if near(output[output != 0], 1 / keep_prob).all():
        return "This is the mask. The output is a times the mask."
    return "An entry is either dropped, and then 0, or kept, and then a / keep_prob."


def judge_share(keeps: np.ndarray, keep_prob: float, given: str) -> None:
    """Raise Trouble unless as many entries are kept as the keep probability says."""
    share = keeps.mean()
    if abs(share - keep_prob) <= deviation(keeps.size, keep_prob * (1 - keep_prob)):
        return
    if share == 1:
        cause = "Nothing is dropped."
    elif share == 0:
        cause = "Everything is dropped."
    elif abs(share - (1 - keep_prob)) <= deviation(keeps.size, keep_prob * (1 - keep_prob)):
        cause = "Keep and drop are swapped: an entry is kept where rng.random() < keep_prob."
    else:
        cause = "An entry is kept with the probability keep_prob: rng.random(a.shape) < keep_prob."
    raise Trouble(
        given=given, came=f"{share:.1%} of the entries are kept", expected=f"about {keep_prob:.0%}", cause=cause
    )


def judge_independence(keeps: np.ndarray, given: str) -> None:
    """Raise Trouble if the rows or the columns of a table of entries kept depend on each other."""

    def trouble(came, expected, cause):
        return Trouble(given=given, came=came, expected=expected, cause=cause)

    if keeps.all() or not keeps.any():
        return  # the share of entries kept says what is wrong
    if (keeps == keeps[0]).all():
        raise trouble(
            "the same entries are dropped in every row",
            "another mask in every row",
            "One mask serves the whole batch. Draw a number for each entry: rng.random(a.shape).",
        )
    if (keeps == keeps[:, :1]).all():
        raise trouble(
            "rows are dropped as a whole",
            "each entry by itself",
            "One number is drawn for each row. Draw one for each entry: rng.random(a.shape).",
        )
    if (keeps.sum(axis=1) == keeps[0].sum()).all() or (keeps.sum(axis=0) == keeps[:, 0].sum()).all():
        raise trouble(
            "the same number of entries is kept each time",
            "a number that varies",
            "A fixed number of entries is dropped. Each entry is dropped by itself, whatever happens to the others: "
            "rng.random(a.shape) < keep_prob.",
        )


def judge_randomness(draw: Callable[[int], tuple[np.ndarray, np.ndarray]], rng: np.random.Generator) -> None:
    """Raise Trouble unless the Generator alone decides what is drawn.

    ``draw(seed)`` calls the learner's function twice, with a Generator that has this seed.
    """
    first, other = _twin(rng), _twin(rng)
    (a, b), (again, _), (c, _) = draw(first), draw(first), draw(other)
    if (a == b).all() and (a == c).all() and (a == again).all():
        raise Trouble(
            came="the same mask at every call, whatever rng is",
            expected="a mask that rng draws anew",
            cause="The mask does not come from rng: a seed of its own makes it the same each time. Draw with rng.",
        )
    if (a == b).all():
        raise Trouble(
            came="the same mask at two calls in a row",
            expected="a new mask at each call",
            cause="The mask is drawn once and kept, or rng is copied. Draw a new one at each call.",
        )
    if (a != again).any():
        raise Trouble(
            came="two masks from two generators with the same seed",
            expected="the same mask",
            cause="The mask does not come from rng, but from NumPy's global np.random or another generator. "
            "Draw with rng: rng.random(a.shape).",
        )
    if (a == c).all():
        raise Trouble(
            came="the same mask from generators with different seeds",
            expected="different masks",
            cause="The mask does not come from rng. Draw with rng: rng.random(a.shape).",
        )


# Task 10: the function.

_HAND = np.array([1.2, 0.7, 1.8, -0.3, 0.9])


def _given(a, keep_prob):
    return f"a = {shown(a)}, keep_prob = {keep_prob:g}"


def _drop(call, a, keep_prob, seed):
    """Entries kept, as the output and the mask of the learner's function agree upon."""
    output, mask = call(a, keep_prob, np.random.default_rng(seed))
    given = _given(a, keep_prob)
    looks_like_mask = np.isin(output, (0, 1, 1 / keep_prob)).all() and not np.isin(mask, (0, 1, 1 / keep_prob)).all()
    if looks_like_mask and output.shape == mask.shape:
        raise Trouble(
            given=given,
            came="(mask, output)",
            expected="(output, mask)",
            cause="The two results are in the wrong order: the output comes first.",
        )
    keeps = kept(output, a, keep_prob, given)
    if mask.shape != a.shape:
        raise Trouble(
            given=given,
            came=f"a mask of shape {mask.shape}",
            expected=f"shape {a.shape}",
            cause="There is one random number for each entry: rng.random(a.shape).",
        )
    marks = mask != 0
    entries = f"mask {shown(mask, 5)} with output {shown(output, 5)}"
    if (marks == ~keeps).all() and mask.size > 1:
        raise Trouble(
            given=given,
            came=entries,
            expected="a mask that is True, or not 0, where an entry is kept",
            cause="The mask says what is dropped. Return the one that says what is kept.",
        )
    if (marks != keeps).any():
        raise Trouble(
            given=given,
            came=entries,
            expected="a mask that is True, or not 0, where an entry is kept",
            cause="The mask that is returned is not the one that was used: is it drawn twice?",
        )
    if not (near(mask[marks], 1.0).all() or near(mask[marks], 1 / keep_prob, single=True).all()):
        raise Trouble(
            given=given,
            came=f"mask {shown(mask, 5)}",
            expected="booleans, or 0 and 1, or 0 and 1/keep_prob",
            cause="The mask holds other numbers. It says which entries are kept.",
        )
    return keeps


def _by_hand(call, rng):
    for _ in range(20):
        _drop(call, _HAND, 0.8, _twin(rng))


def _shapes(call, rng):
    for shape in ((3, 4), (2, 3, 2)):
        _drop(call, _values(rng, *shape), 0.6, _twin(rng))


def _own_number(call, rng):
    a = _values(rng, 60, 40)
    judge_independence(_drop(call, a, 0.7, _twin(rng)), _given(a, 0.7))


def _share(call, rng):
    for keep_prob in (0.8, 0.3):
        a = _values(rng, 100, 200)
        judge_share(_drop(call, a, keep_prob, _twin(rng)), keep_prob, _given(a, keep_prob))


def _from_rng(call, rng):
    a = _values(rng, 200)

    def draw(seed):
        generator = np.random.default_rng(seed)
        return tuple(call(a, 0.5, generator)[0] != 0 for _ in range(2))

    judge_randomness(draw, rng)


def _keep_all(call, rng):
    a = _values(rng, 500)
    if not _drop(call, a, 1.0, _twin(rng)).all():
        raise Trouble(
            given=_given(a, 1.0),
            came="entries that are dropped",
            expected="a, unchanged",
            cause="With keep_prob = 1 every entry is kept: rng.random() < 1 is always true.",
        )


def _single(call, rng):
    _drop(call, _values(rng, 4, 5).astype(np.float32), 0.5, _twin(rng))


_INVERTED = Task(
    "inverted_dropout(a, keep_prob, rng)",
    returns=("output", "mask"),
    steps=[
        Property("five activations: each is 0 or a / keep_prob", _by_hand),
        Property("arrays of two and three axes", _shapes),
        Property("each entry has its own luck", _own_number),
        Property("the share that is kept is keep_prob", _share),
        Property("rng decides, and nothing else", _from_rng),
        Property("keep_prob = 1 keeps everything", _keep_all),
        Property("float32", _single),
    ],
)


# Task 11: its gradient.

_DY = np.array([[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]])
_MASK = np.array([[True, False, True], [False, True, True]])


def _draw_masks(rng):
    cases = []
    for shape in ((7,), (4, 5), (2, 3, 4)):
        keep_prob = float(rng.choice([0.2, 0.4, 0.75, 0.9]))
        cases.append(Case(f"shape {shape}", (_values(rng, *shape), rng.random(shape) < keep_prob, keep_prob)))
    return cases


_BACKWARD = Task(
    "dropout_backward(dy, mask, keep_prob)",
    right=lambda dy, mask, keep_prob: np.where(mask, dy / keep_prob, 0.0),
    steps=[
        Case("three entries by hand", (np.array([1.0, 2.0, 3.0]), np.array([True, False, True]), 0.8)),
        Case("a table", (_DY, _MASK, 0.8)),
        Case("three axes", (_DY.reshape(1, 3, 2), _MASK.reshape(1, 3, 2), 0.3)),
        Case("keep_prob = 1", (_DY, np.ones((2, 3), dtype=bool), 1.0)),
        Case("float32", (_DY.astype(np.float32), _MASK, 0.5)),
    ],
    draw=_draw_masks,
    mistakes=[
        Mistake(
            "The gradient is not divided by keep_prob. The forward pass divided, so the slope is 1/keep_prob.",
            lambda dy, mask, p: dy * mask,
        ),
        Mistake(
            "The gradient is multiplied with keep_prob. The forward pass divided by it, so the slope is 1/keep_prob.",
            lambda dy, mask, p: dy * mask * p,
        ),
        Mistake(
            "The gradient is divided by 1 - keep_prob, the probability to drop. Divide by keep_prob.",
            lambda dy, mask, p: dy * mask / (1 - p),
        ),
        Mistake(
            "Keep and drop are swapped: the mask is True where an entry was kept.",
            lambda dy, mask, p: dy * ~mask / p,
            lambda dy, mask, p: dy * ~mask,
            lambda dy, mask, p: dy * ~mask / (1 - p),
        ),
        Mistake(
            "The mask is not used. What was dropped gets no gradient.",
            lambda dy, mask, p: dy / p,
            lambda dy, mask, p: dy,
            lambda dy, mask, p: dy * p,
        ),
        Mistake("This is the mask over keep_prob, without dy.", lambda dy, mask, p: mask / p),
        Mistake("The gradient is divided by keep_prob twice.", lambda dy, mask, p: dy * mask / p**2),
    ],
)


# Task 12: the layer.


def _run(keep_prob, seed, *uses):
    """Make a way to play with the class: for each use an input, the mode, and a gradient or None."""

    def play(Dropout):  # noqa: N803
        layer = Dropout(keep_prob, np.random.default_rng(seed))
        results = []
        for training, a, dy in uses:
            if training is not None:
                layer.training = training
            results.append(layer.forward(a.copy()))
            if dy is not None:
                results.append(layer.backward(dy.copy()))
        return tuple(results) if len(results) > 1 else results[0]

    return play


def _results(call, keep_prob, seed, *uses):
    names = [name for _, _, dy in uses for name in ("forward(a)", "backward(dy)")[: 1 if dy is None else 2]]
    results = call(play=_run(keep_prob, seed, *uses), returns=tuple(names))
    return results if len(names) > 1 else (results,)


def _layer_training(call, rng):
    given = f"Dropout(0.8, rng).forward(a), a = {shown(_HAND)}"
    for _ in range(20):
        (output,) = _results(call, 0.8, _twin(rng), (None, _HAND, None))
        kept(output, _HAND, 0.8, given)


def _layer_drops(call, rng):
    a = _values(rng, 60, 40)
    given = f"Dropout(0.7, rng).forward(a), a of shape {a.shape}"
    (output,) = _results(call, 0.7, _twin(rng), (None, a, None))
    keeps = kept(output, a, 0.7, given)
    if keeps.mean() == 1 or near(output, a).all():
        raise Trouble(
            given=given,
            came="nothing is dropped",
            expected="about 30% of the entries 0",
            cause="A new layer is in training: set self.training = True in __init__, and drop where it is True.",
        )
    judge_independence(keeps, given)


def _layer_share(call, rng):
    for keep_prob in (0.8, 0.3):
        a = _values(rng, 100, 200)
        given = f"Dropout({keep_prob:g}, rng).forward(a), a of shape {a.shape}"
        (output,) = _results(call, keep_prob, _twin(rng), (None, a, None))
        judge_share(kept(output, a, keep_prob, given), keep_prob, given)


def _layer_backward(call, rng):
    a, dy = _values(rng, 6, 5), _values(rng, 6, 5)
    given = "layer.forward(a); layer.backward(dy)"
    output, da = _results(call, 0.6, _twin(rng), (None, a, dy))
    keeps = kept(output, a, 0.6, given)
    expected = np.where(keeps, dy / 0.6, 0.0)
    if da.shape == dy.shape and near(da, expected).all():
        return
    if da.shape != dy.shape:
        cause = "The gradient has the shape of dy."
    elif near(da, dy * keeps).all():
        cause = "The gradient is not divided by keep_prob. The forward pass divided, so the slope is 1/keep_prob."
    elif near(da, dy * keeps * 0.6).all():
        cause = "The gradient is multiplied with keep_prob. The slope is 1/keep_prob."
    elif near(da, dy * ~keeps / 0.6).all():
        cause = "Keep and drop are swapped in backward: only what was kept gets a gradient."
    elif any(near(da, dy * scale).all() for scale in (1.0, 0.6, 1 / 0.6)):
        cause = "The mask is not used in backward. What was dropped gets no gradient."
    elif (near(da, dy / 0.6) | near(da, dy) | near(da, dy * 0.6) | (da == 0)).all():
        cause = "Backward draws a mask of its own. It goes through the mask of the forward pass: keep that in self."
    else:
        cause = "What was kept gets dy / keep_prob, what was dropped gets 0."
    raise Trouble(
        given=given,
        came=f"output {shown(output[0], 5)} and da {shown(da.reshape(da.shape[:1] + (-1,))[0] if da.ndim else da, 5)} "
        "in the first row",
        expected=f"da {shown(expected[0], 5)}",
        cause=cause,
    )


def _layer_last_mask(call, rng):
    first, second, dy = (_values(rng, 200) for _ in range(3))
    given = "layer.forward(a1); layer.forward(a2); layer.backward(dy)"
    output, again, da = _results(call, 0.5, _twin(rng), (None, first, None), (None, second, dy))
    keeps, latest = kept(output, first, 0.5, given), kept(again, second, 0.5, given)
    if (keeps == latest).all():
        raise Trouble(
            given=given,
            came="the same mask at two calls of forward",
            expected="a new mask at each call",
            cause="The mask is drawn once and kept, in __init__ or at the first call. Draw it in forward.",
        )
    if not near(da, np.where(latest, 2 * dy, 0)).all():
        raise Trouble(
            given=given,
            came="a gradient through another mask",
            expected="the mask of the last call",
            cause="Backward goes through the mask of the last call of forward: keep that one in self.",
        )


def _layer_in_use(call, rng):
    a = _values(rng, 4, 5)
    given = f"Dropout(0.8, rng) with training = False; forward(a), a of shape {a.shape}"
    outputs = _results(call, 0.8, _twin(rng), (True, a, None), (False, a, None))
    output = outputs[1]
    if output.shape == a.shape and near(output, a).all():
        return
    if output.shape != a.shape:
        cause = "In use the layer returns its input."
    elif near(output, 0.8 * a).all():
        cause = "The output is scaled in use. Inverted dropout divides in training already: in use return a itself."
    elif near(output, a / 0.8).all():
        cause = "The output is divided by keep_prob in use. That belongs to training only: in use return a itself."
    elif (output == 0).any():
        cause = "The layer drops in use as well. Draw a mask only if self.training is True."
    else:
        cause = "In use the layer returns its input: nothing is dropped and nothing is scaled."
    raise Trouble(
        given=given,
        came=shown(output[:1], 5) + " in the first row" if output.ndim == 2 else shown(output, 5),
        expected=shown(a[:1], 5),
        cause=cause,
    )


def _layer_backward_in_use(call, rng):
    a, dy = _values(rng, 200), _values(rng, 200)
    _, _, da = _results(call, 0.5, _twin(rng), (True, a, None), (False, a, dy))
    if da.shape != dy.shape or not near(da, dy).all():
        raise Trouble(
            given="training = False; layer.forward(a); layer.backward(dy)",
            came="a gradient that is changed",
            expected="dy, unchanged",
            cause="The last call had no mask. Backward still uses the one of an "
            "earlier call: in use forget it, or keep one that is True everywhere.",
        )


def _layer_from_rng(call, rng):
    a = _values(rng, 200)

    def draw(seed):
        outputs = _results(call, 0.5, seed, (None, a, None), (None, a, None))
        return tuple(output != 0 for output in outputs)

    judge_randomness(draw, rng)


def _layer_back_in_training(call, rng):
    a = _values(rng, 200)
    given = "training = False; forward(a); training = True; forward(a)"
    _, output = _results(call, 0.5, _twin(rng), (False, a, None), (True, a, None))
    if near(output, a).all() or not (output == 0).any():
        raise Trouble(
            given=given,
            came="nothing is dropped",
            expected="a new mask",
            cause="The mode is read once. Look at self.training in each call of forward.",
        )


_LAYER = Task(
    "Dropout(keep_prob, rng) with training, forward(a) and backward(dy)",
    steps=[
        Property("in training each activation is 0 or a / keep_prob", _layer_training),
        Property("each entry has its own luck", _layer_drops),
        Property("the share that is kept is keep_prob", _layer_share),
        Property("backward goes through the same mask", _layer_backward),
        Property("each call draws a new mask", _layer_last_mask),
        Property("in use the input passes unchanged", _layer_in_use),
        Property("in use backward passes the gradient unchanged", _layer_backward_in_use),
        Property("from use back to training", _layer_back_in_training),
        Property("rng decides, and nothing else", _layer_from_rng),
    ],
)


# Task 13: the average over masks.


def _all_masked(x, keep_prob, weight, scale=True):
    """Probabilities of each row under each of the 2^D masks, of shape (2^D, N, K), and the masks' probabilities."""
    masks = np.array(list(itertools.product([False, True], repeat=x.shape[1])))
    factor = 1 / keep_prob if scale else 1.0
    logits = (masks[:, None, :] * x) @ weight * factor
    chances = (keep_prob ** masks.sum(axis=1)) * (1 - keep_prob) ** (~masks).sum(axis=1)
    return shares(logits), chances


_SAMPLES = 400
_X = np.array([[2.0, -1.0, 1.5], [-0.5, 2.5, 1.0]])
_WEIGHT = np.array([[1.5, -1.0, 0.5], [-1.0, 2.0, 0.5], [2.0, 0.5, -2.5]])


def _monte_carlo(call, rng, keep_prob, samples, x=_X, weight=_WEIGHT):
    given = f"x = {shown(x)}, weight = {shown(weight)}, keep_prob = {keep_prob:g}, samples = {samples}"
    result = call(x, weight, keep_prob, samples, np.random.default_rng(_twin(rng)))
    expected = (len(x), weight.shape[1])
    if result.shape != expected:
        cause = "Average over the samples only: one row of probabilities is left for each row of x."
        raise Trouble(given=given, came=f"shape {result.shape}", expected=f"shape {expected}", cause=cause)
    return result, given


def _trouble(given, came, expected, cause):
    return Trouble(given=given, came=shown(came, 5), expected=expected, cause=cause)


def _without_dropping(call, rng):
    result, given = _monte_carlo(call, rng, 1.0, 3)
    right = shares(_X @ _WEIGHT)
    if near(result, right).all():
        return
    guesses = {
        "The probabilities are added up and not divided by the number of samples.": 3 * right,
        "The softmax goes over the rows. The classes are on the last axis: axis=-1.": shares(_X @ _WEIGHT, 0),
        "The softmax goes over the whole array. Each row has its own: axis=-1.": shares(_X @ _WEIGHT, None),
        "The softmax is missing: these are logits.": _X @ _WEIGHT,
        "The mean is over the wrong number. Divide the sum by samples.": right.sum() / result.sum() * result,
    }
    for cause, guess in list(guesses.items())[:4]:
        if near(result, guess).all():
            raise _trouble(given, result, shown(right, 5), cause)
    if near(result, right * (result[0, 0] / right[0, 0])).all():
        cause = "The sum over the samples is divided by another number than samples."
    else:
        cause = "With keep_prob = 1 nothing is dropped: each sample is softmax(x @ weight), and so is the mean."
    raise _trouble(given, result, shown(right, 5), cause)


def _one_sample(call, rng):
    keep_prob = 0.5
    possible, _ = _all_masked(_X, keep_prob, _WEIGHT)
    for _ in range(8):
        result, given = _monte_carlo(call, rng, keep_prob, 1)
        if not near(possible, result[None]).all(axis=-1).any(axis=0).all():
            raise _trouble(
                given, result, "softmax(dropped x @ weight) for one of the masks", _one_sample_cause(result, keep_prob)
            )


def _one_sample_cause(result, keep_prob):
    bare, _ = _all_masked(_X, keep_prob, _WEIGHT, scale=False)
    if near(bare, result[None]).all(axis=-1).any(axis=0).all():
        return "What is kept is not divided by keep_prob. Use inverted dropout on x."
    if near(result, shares(_X @ _WEIGHT)).all():
        return "Nothing is dropped. Every sample drops a part of x, in use as in training."
    logits = _X @ _WEIGHT
    masks = np.array(list(itertools.product([0.0, 1.0], repeat=logits.shape[1])))
    for factor in (1.0, 1 / keep_prob):
        if near(shares(masks[:, None] * logits * factor), result[None]).all(axis=-1).any(axis=0).all():
            return "The mask is on the logits. It is on x, before the product with weight."
        probabilities = masks[:, None] * shares(logits) * factor
        if near(probabilities, result[None]).all(axis=-1).any(axis=0).all():
            return "The mask is on the probabilities. It is on x, before the product with weight."
    return (
        "With one sample the result is the softmax under one mask. Is the mask on x, and samples the number of masks?"
    )


def _large(call, rng):
    keep_prob = 0.5
    possible, chances = _all_masked(_X, keep_prob, _WEIGHT)
    expected = np.einsum("m,mnk->nk", chances, possible)
    variance = np.einsum("m,mnk->nk", chances, (possible - expected) ** 2)
    bound = np.vectorize(deviation)(_SAMPLES, variance)
    result, given = _monte_carlo(call, rng, keep_prob, _SAMPLES)
    if (np.abs(result - expected) <= bound).all():
        return
    if near(possible, result[None]).all(axis=-1).any(axis=0).all():
        cause = "All samples have the same mask. Draw a new one for each sample."
    elif (np.abs(result - shares(_X @ _WEIGHT)) < 0.05).all():
        cause = (
            "The logits are averaged, and then goes the softmax. Average the probabilities: softmax first, mean after."
        )
    elif (result.sum(axis=-1) > 1.001).any() or (result.sum(axis=-1) < 0.999).any():
        cause = "The rows do not add up to 1. Divide the sum over the samples by samples."
    else:
        cause = (
            "The mean is too far from the true average over all masks. Does each sample get a new mask with keep_prob?"
        )
    raise _trouble(given, result, f"about {shown(expected, 2)}", cause)


def _shares_sum(call, rng):
    x, weight = _values(rng, 5, 4), _values(rng, 4, 3)
    result, given = _monte_carlo(call, rng, 0.7, 10, x, weight)
    if not near(result.sum(axis=-1), np.ones(5)).all():
        raise _trouble(
            given,
            result.sum(axis=-1),
            "rows that add up to 1",
            "A mean of probabilities adds up to 1. Divide the sum over the samples by samples.",
        )


def _swapped(call, rng):
    """With a high keep probability a swap shows at once."""
    keep_prob = 0.9
    possible, chances = _all_masked(_X, keep_prob, _WEIGHT)
    expected = np.einsum("m,mnk->nk", chances, possible)
    variance = np.einsum("m,mnk->nk", chances, (possible - expected) ** 2)
    result, given = _monte_carlo(call, rng, keep_prob, _SAMPLES)
    if (np.abs(result - expected) > np.vectorize(deviation)(_SAMPLES, variance)).any():
        raise _trouble(
            given,
            result,
            f"about {shown(expected, 2)}",
            "Keep and drop are swapped: an entry of x is kept where rng.random() < keep_prob.",
        )


def _monte_carlo_rng(call, rng):
    x, weight = _values(rng, 20, 6), _values(rng, 6, 3)

    def draw(seed):
        generator = np.random.default_rng(seed)
        return tuple(call(x, weight, 0.5, 2, generator) for _ in range(2))

    judge_randomness(draw, rng)


_MONTE_CARLO = Task(
    "monte_carlo_average(x, weight, keep_prob, samples, rng)",
    steps=[
        Property("keep_prob = 1: the plain prediction", _without_dropping),
        Property("one sample: the prediction under one mask", _one_sample),
        Property("the rows add up to 1", _shares_sum),
        Property("400 samples: near the average over all masks", _large),
        Property("a high keep_prob: near its average", _swapped),
        Property("rng decides, and nothing else", _monte_carlo_rng),
    ],
)
