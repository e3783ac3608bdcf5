"""The tasks of chapter 3: inverted dropout, its gradient, the layer, and averages over masks.

Every order of drawing is right, so nothing here compares draws. A right answer is refused with a probability below
1e-9: each bound on a random number comes from Bernstein's inequality.
"""

import itertools
import math

import numpy as np
from numpy import isin

from lossprimer.checks.calling import Trouble
from lossprimer.checks.probability import probabilities
from lossprimer.checks.task import Case, Mistake, Property, Task
from lossprimer.checks.values import agree, near, shown

_LOG_RARE = math.log(2 / 1e-12)


def deviation(count: int, variance: np.ndarray | float) -> np.ndarray | float:
    """How far the mean of `count` numbers from 0 to 1 is from what is expected, at most, but for one time in 1e12."""
    linear = _LOG_RARE / 3
    return (linear + np.sqrt(linear**2 + 2 * count * variance * _LOG_RARE)) / count


def _values(rng, *shape):
    """Numbers of which none is 0, so that a 0 in the output was dropped."""
    return rng.uniform(0.5, 2.0, size=shape).round(2) * rng.choice([-1.0, 1.0], size=shape)


def _generator(rng):
    return np.random.default_rng(_seed(rng))


def _seed(rng):
    return int(rng.integers(2**32))


_EACH = "There is one random number for each entry: rng.random(a.shape)."
_SCALES = (
    (lambda p: 1.0, "What is kept is not divided by keep_prob, so that the expected output is keep_prob times a."),
    (lambda p: p, "What is kept is multiplied by keep_prob. Divide by it: the expected output is then a."),
    (lambda p: 1 / (1 - p), "What is kept is divided by 1 - keep_prob, the probability to drop. Divide by keep_prob."),
    (lambda p: 1 - p, "What is kept is multiplied by 1 - keep_prob. Divide by keep_prob."),
    (lambda p: 1 / p**2, "What is kept is divided by keep_prob twice."),
)


def _kept(output, a, keep_prob):
    """Where an output keeps an entry of `a`. Trouble if it holds something else than 0 and ``a / keep_prob``."""
    if output.shape != a.shape:
        raise Trouble(f"an output of shape {output.shape}", f"shape {a.shape}", _EACH)
    single = a.dtype == np.float32
    keeps = near(output, a / keep_prob, single=single)
    fits = keeps | (output == 0)
    if fits.all():
        return keeps
    first = tuple(np.argwhere(~fits)[0])
    came = f"{shown(output[first], 5)} for the entry {shown(a[first], 5)}"
    cause = "An entry is either dropped, and then 0, or kept, and then a / keep_prob."
    if near(output[output != 0], 1 / keep_prob, single=single).all():
        cause = "This is the mask. The output is a times the mask."
    for scale, sentence in _SCALES if keep_prob < 1 else ():
        if (near(output, a * scale(keep_prob), single=single) | (output == 0)).all():
            cause = sentence
    raise Trouble(came, f"0 or {shown(a[first] / keep_prob, 5)}", cause)


def _judge_share(keeps, keep_prob):
    """Trouble unless as many entries are kept as the keep probability says."""
    share, bound = keeps.mean(), deviation(keeps.size, keep_prob * (1 - keep_prob))
    if abs(share - keep_prob) <= bound:
        return
    cause = "An entry is kept with the probability keep_prob: rng.random(a.shape) < keep_prob."
    if share in (0, 1):
        cause = "Nothing is dropped." if share else "Everything is dropped."
    elif abs(share - (1 - keep_prob)) <= bound:
        cause = "Keep and drop are swapped: an entry is kept where rng.random() < keep_prob."
    raise Trouble(f"{share:.1%} of the entries are kept", f"about {keep_prob:.0%}", cause)


def _judge_independence(keeps):
    """Trouble if the entries of a table are not kept or dropped each by itself."""
    if keeps.all() or not keeps.any():
        return  # the share that is kept says what is wrong
    if (keeps == keeps[0]).all():
        cause = "One mask serves the whole batch. Draw a number for each entry: rng.random(a.shape)."
        raise Trouble("the same entries are dropped in every row", "another mask in every row", cause)
    if (keeps == keeps[:, :1]).all():
        cause = "One number is drawn for each row. Draw one for each entry: rng.random(a.shape)."
        raise Trouble("rows are dropped as a whole", "each entry by itself", cause)
    if any((counts == counts[0]).all() for counts in (keeps.sum(axis=0), keeps.sum(axis=1))):
        cause = (
            "A fixed number of entries is dropped. Each is dropped by itself, whatever happens to the others: "
            "rng.random(a.shape) < keep_prob."
        )
        raise Trouble("the same number of entries is kept each time", "a number that varies", cause)


def _judge_randomness(draw, rng):
    """Trouble unless the Generator alone decides; ``draw(seed)`` returns what two calls in a row draw."""
    seed = _seed(rng)
    (first, second), (again, _), (other, _) = draw(seed), draw(seed), draw(_seed(rng))
    if not (first == again).all():
        cause = (
            "The mask does not come from rng, but from np.random or another generator. Draw with rng.random(a.shape)."
        )
        raise Trouble("two masks from two generators with the same seed", "the same mask", cause)
    if (first == other).all():
        cause = "The mask does not come from rng: with a seed of its own it is the same each time. Draw with rng."
        raise Trouble("the same mask, whatever rng is", "another mask from another generator", cause)
    if (first == second).all():
        cause = "The mask is drawn once and kept, or rng is copied. Draw a new one at each call."
        raise Trouble("the same mask at two calls in a row", "a new mask at each call", cause)


# The function: what it drops, how it scales, and the mask that it returns.

_HAND = np.array([1.2, 0.7, 1.8, -0.3, 0.9])
_MASK_MEANS = "a mask that is True, or not 0, where an entry is kept"


def _drop(call, rng, a, keep_prob):
    """Entries kept, on which the output and the mask of the learner's function agree."""
    output, mask = call(a, keep_prob, _generator(rng))
    marks = (0, 1, 1 / keep_prob)
    if output.shape == mask.shape and isin(output, marks).all() and not isin(mask, marks).all():
        raise Trouble("(mask, output)", "(output, mask)", "The two results are in the wrong order.")
    keeps = _kept(output, a, keep_prob)
    if mask.shape != a.shape:
        raise Trouble(f"a mask of shape {mask.shape}", f"shape {a.shape}", _EACH)
    came = f"mask {shown(mask, 5)} with output {shown(output, 5)}"
    if ((mask != 0) == ~keeps).all():
        raise Trouble(came, _MASK_MEANS, "The mask says what is dropped. Return the one that says what is kept.")
    if ((mask != 0) != keeps).any():
        raise Trouble(came, _MASK_MEANS, "The mask that is returned is not the one that was used: is it drawn twice?")
    if not any(near(mask[keeps], mark, single=True).all() for mark in marks[1:]):
        cause = "The mask holds other numbers. It says which entries are kept."
        raise Trouble(f"mask {shown(mask, 5)}", "booleans, or 0 and 1, or 0 and 1 / keep_prob", cause)
    return keeps


def _by_hand(call, rng):
    for _ in range(20):
        _drop(call, rng, _HAND, 0.8)


def _shapes(call, rng):
    for shape in ((3, 4), (2, 3, 2)):
        _drop(call, rng, _values(rng, *shape), 0.6)


def _independently(call, rng):
    _judge_independence(_drop(call, rng, _values(rng, 60, 40), 0.7))


def _share(call, rng):
    for keep_prob in (0.8, 0.3):
        _judge_share(_drop(call, rng, _values(rng, 60, 80), keep_prob), keep_prob)


def _from_rng(call, rng):
    a = _values(rng, 200)

    def draw(seed):
        generator = np.random.default_rng(seed)
        return [call(a, 0.5, generator)[0] for _ in range(2)]

    _judge_randomness(draw, rng)


def _keep_all(call, rng):
    if not _drop(call, rng, _values(rng, 500), 1.0).all():
        cause = "With keep_prob = 1 every entry is kept: rng.random() < 1 is always true."
        raise Trouble("entries that are dropped", "a, unchanged", cause)


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
        Property("the share that is kept is keep_prob", _share),
        Property("rng decides, and nothing else", _from_rng),
        Property("keep_prob = 1 keeps everything", _keep_all),
        Property("float32", _single),
    ],
)


# Its gradient.

_DY = np.array([[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]])
_MASK = np.array([[True, False, True], [False, True, True]])
_GIVEN_MASK = "Where the mask is True the gradient is dy / keep_prob, elsewhere 0. No new mask is drawn."


def _draw_masks(rng):
    cases = []
    for shape in ((7,), (4, 5), (2, 3, 4)):
        keep_prob = float(rng.choice([0.2, 0.4, 0.75, 0.9]))
        cases.append(
            Case(f"shape {shape}", (_values(rng, *shape), rng.random(shape) < keep_prob, keep_prob), _GIVEN_MASK)
        )
    return cases


dropout_backward = Task(
    "dropout_backward(dy, mask, keep_prob)",
    """the gradient with respect to the input of inverted dropout.

    `dy` and `mask` have the same shape; `mask` holds booleans, True where an entry was kept. The result ``da`` has
    their shape.
    """,
    right=lambda dy, mask, keep_prob: np.where(mask, dy / keep_prob, 0.0),
    steps=[
        Case("three entries by hand", (np.array([1.0, 2.0, 3.0]), np.array([True, False, True]), 0.8), _GIVEN_MASK),
        Case("a table", (_DY, _MASK, 0.8), _GIVEN_MASK),
        Case("three axes", (_DY.reshape(1, 3, 2), _MASK.reshape(1, 3, 2), 0.3), _GIVEN_MASK),
        Case("keep_prob = 1", (_DY, np.ones((2, 3), dtype=bool), 1.0), _GIVEN_MASK),
        Case("float32", (_DY.astype(np.float32), _MASK, 0.5), _GIVEN_MASK),
    ],
    draw=_draw_masks,
    mistakes=[
        Mistake(
            "The gradient is not divided by keep_prob. The forward pass divided, so the slope is 1/keep_prob.",
            lambda dy, mask, p: dy * mask,
        ),
        Mistake(
            "The gradient is multiplied by keep_prob. The forward pass divided by it, so the slope is 1/keep_prob.",
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


# The layer: the same in training, nothing at inference, and backward through the mask of the last call.


def _use(call, rng, keep_prob, *uses):
    """Results of calls of forward and backward: each use is an input, a mode or None, and a gradient or None."""
    seed = rng if isinstance(rng, int) else _seed(rng)
    lines, names = [f"layer = Dropout({keep_prob:g}, rng)"], []
    for _, training, dy in uses:
        lines += [] if training is None else [f"layer.training = {training}"]
        lines += ["layer.forward(a)"] + ([] if dy is None else ["layer.backward(dy)"])
        names += ["forward"] + ([] if dy is None else ["backward"])

    def play(Dropout):  # noqa: N803
        layer = Dropout(keep_prob, np.random.default_rng(seed))
        results = []
        for a, training, dy in uses:
            if training is not None:
                layer.training = training
            results.append(layer.forward(a.copy()))
            if dy is not None:
                results.append(layer.backward(dy.copy()))
        return results if len(results) > 1 else results[0]

    results = call(play=play, script="; ".join(lines), returns=tuple(names))
    return results if len(names) > 1 else [results]


def _layer_by_hand(call, rng):
    for _ in range(20):
        (output,) = _use(call, rng, 0.8, (_HAND, None, None))
        _kept(output, _HAND, 0.8)


def _layer_independently(call, rng):
    a = _values(rng, 60, 40)
    (output,) = _use(call, rng, 0.7, (a, None, None))
    _judge_independence(_kept(output, a, 0.7))


def _layer_share(call, rng):
    for keep_prob in (0.8, 0.3):
        a = _values(rng, 60, 80)
        (output,) = _use(call, rng, keep_prob, (a, None, None))
        _judge_share(_kept(output, a, keep_prob), keep_prob)


def _layer_backward(call, rng):
    a, dy = _values(rng, 12), _values(rng, 12)
    output, da = _use(call, rng, 0.6, (a, None, dy))
    keeps = _kept(output, a, 0.6)
    expected = np.where(keeps, dy / 0.6, 0.0)
    if agree(da, expected):
        return
    came = f"forward {shown(output, 3)}, backward {shown(da, 3)}"
    cause = "What was kept gets dy / keep_prob, what was dropped gets 0."
    if da.shape != dy.shape:
        cause = "The gradient has the shape of dy."
    elif agree(da, dy * keeps):
        cause = "The gradient is not divided by keep_prob. The forward pass divided, so the slope is 1/keep_prob."
    elif agree(da, dy * keeps * 0.6):
        cause = "The gradient is multiplied by keep_prob. The slope is 1/keep_prob."
    elif any(agree(da, dy * ~keeps * scale) for scale in (1.0, 1 / 0.6, 1 / 0.4)):
        cause = "Keep and drop are swapped in backward: only what was kept gets a gradient."
    elif any(agree(da, dy * scale) for scale in (1.0, 0.6, 1 / 0.6)):
        cause = "The mask is not used in backward. What was dropped gets no gradient."
    elif any((near(da, dy * scale) | (da == 0)).all() for scale in (1.0, 0.6, 1 / 0.6)):
        cause = "Backward draws a mask of its own. It goes through the mask of forward: keep that one in self."
    raise Trouble(came, f"backward {shown(expected, 3)}", cause)


def _layer_last_mask(call, rng):
    first, second, dy = (_values(rng, 200) for _ in range(3))
    one, two, da = _use(call, rng, 0.5, (first, None, None), (second, None, dy))
    keeps = _kept(two, second, 0.5)
    if (_kept(one, first, 0.5) == keeps).all():
        cause = "The mask is drawn once and kept, in __init__ or at the first call. Draw it in forward."
        raise Trouble("the same mask at two calls of forward", "a new mask at each call", cause)
    if not agree(da, np.where(keeps, 2 * dy, 0.0)):
        cause = "Backward goes through the mask of the last call of forward: keep that one in self."
        raise Trouble("a gradient through another mask", "the mask of the last call", cause)


def _layer_at_inference(call, rng):
    a = _values(rng, 12)
    _, output = _use(call, rng, 0.8, (a, True, None), (a, False, None))
    if agree(output, a):
        return
    cause = "At inference the layer returns its input: nothing is dropped and nothing is scaled."
    if (output == 0).any():
        cause = "The layer also drops at inference. Draw a mask only if self.training is True."
    elif agree(output, 0.8 * a):
        cause = "The output is scaled at inference. Inverted dropout has divided in training: return a itself."
    elif agree(output, a / 0.8):
        cause = "The output is divided by keep_prob at inference. That belongs to training: return a itself."
    raise Trouble(shown(output, 3), shown(a, 3), cause)


def _layer_backward_at_inference(call, rng):
    a, dy = _values(rng, 200), _values(rng, 200)
    _, _, da = _use(call, rng, 0.5, (a, True, None), (a, False, dy))
    if not agree(da, dy):
        cause = "The last call had no mask, and backward uses that of an earlier one: at inference keep a mask of ones."
        raise Trouble("a gradient that is changed", "dy, unchanged", cause)


def _layer_back_in_training(call, rng):
    a = _values(rng, 200)
    _, output = _use(call, rng, 0.5, (a, False, None), (a, True, None))
    if not (output == 0).any():
        cause = "The mode is read once. Look at self.training in each call of forward."
        raise Trouble("nothing is dropped", "a new mask", cause)


def _layer_from_rng(call, rng):
    a = _values(rng, 200)
    _judge_randomness(lambda seed: _use(call, seed, 0.5, (a, None, None), (a, None, None)), rng)


def _layer_begins_in_training(call, rng):
    a = _values(rng, 200)
    (output,) = _use(call, rng, 0.5, (a, None, None))
    if agree(output, a):
        cause = "A new layer is in training: set self.training = True in __init__, and drop where it is True."
        raise Trouble("nothing is dropped", "0 or a / keep_prob", cause)


dropout_layer = Task(
    "Dropout(keep_prob, rng)",
    """with ``training``, ``forward(a)`` and ``backward(dy)``.

    ``training`` is True at first: each call of ``forward`` draws a new mask and returns what inverted dropout does.
    With ``training = False`` it returns `a`. ``backward`` goes back through the last call of ``forward``: through its
    mask, or unchanged if there was none.
    """,
    name="dropout_layer",
    members="training, forward(a) and backward(dy)",
    steps=[
        Property("a new layer is in training", _layer_begins_in_training),
        Property("five activations: each is 0 or a / keep_prob", _layer_by_hand),
        Property("each entry is dropped independently", _layer_independently),
        Property("the share that is kept is keep_prob", _layer_share),
        Property("backward goes through the same mask", _layer_backward),
        Property("each call draws a new mask", _layer_last_mask),
        Property("at inference the input passes unchanged", _layer_at_inference),
        Property("at inference backward passes the gradient unchanged", _layer_backward_at_inference),
        Property("from inference back to training", _layer_back_in_training),
        Property("rng decides, and nothing else", _layer_from_rng),
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
        cause = "Average over the samples only: one row of probabilities is left for each row of x."
        raise Trouble(f"shape {result.shape}", f"shape {expected}", cause)
    return result


def _predictions(factor):
    """Probabilities under each of the masks, of shape (8, 2, 3)."""
    return probabilities((_MASKS[:, None] * _X) @ _WEIGHT * factor)


def _is_one_of(result, predictions):
    """Whether each row is one of its predictions."""
    return near(predictions, result[None]).all(axis=-1).any(axis=0).all()


def _without_dropping(call, rng):
    result = _average(call, rng, 1.0, 3)
    right = probabilities(_LOGITS)
    if agree(result, right):
        return
    cause = "With keep_prob = 1 nothing is dropped: each sample is softmax(x @ weight), and so is the mean."
    guesses = (
        (probabilities(_LOGITS, 0), "The softmax goes over the rows. The classes are on the last axis: axis=-1."),
        (probabilities(_LOGITS, None), "The softmax goes over the whole array. Each row has its own: axis=-1."),
        (_LOGITS, "The softmax is missing: these are logits."),
        (right * result[0, 0] / right[0, 0], "The mean is over the wrong number. Divide the sum by samples."),
    )
    for guess, sentence in guesses:
        if agree(result, guess):
            cause = sentence
    raise Trouble(shown(result, 5), shown(right, 5), cause)


def _one_sample(call, rng):
    for _ in range(8):
        result = _average(call, rng, 0.5, 1)
        if not _is_one_of(result, _predictions(2.0)):
            expected = "softmax(dropped x @ weight) under one mask"
            raise Trouble(shown(result, 5), expected, _one_sample_cause(result))


def _one_sample_cause(result):
    if agree(result, probabilities(_LOGITS)):
        return "Nothing is dropped. Every sample drops a part of x."
    if _is_one_of(result, _predictions(1.0)):
        return "What is kept is not divided by keep_prob. Use inverted dropout on x."
    for factor in (1.0, 2.0):
        if _is_one_of(result, probabilities(_MASKS[:, None] * _LOGITS * factor)):
            return "The mask is on the logits. It is on x, before the product with weight."
        if _is_one_of(result, _MASKS[:, None] * probabilities(_LOGITS) * factor):
            return "The mask is on the probabilities. It is on x, before the product with weight."
    return "Is the mask on x, as inverted dropout does it, and is samples the number of masks?"


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
    cause = "This is too far from the average over all masks. Does each sample get a new mask with keep_prob?"
    if _is_one_of(result, predictions):
        cause = "All samples have the same mask. Draw a new one for each sample."
    elif (np.abs(result - probabilities(_LOGITS)) < 0.1).all() and keep_prob == 0.5:
        cause = "The logits are averaged, then comes the softmax. Average the probabilities: softmax first, mean after."
    elif distance(1 - keep_prob)[1] <= 1:
        cause = "Keep and drop are swapped: an entry of x is kept where rng.random() < keep_prob."
    raise Trouble(shown(result, 3), f"about {shown(expected, 2)}", cause)


def _rows_add_up(call, rng):
    totals = _average(call, rng, 0.7, 10, _values(rng, 5, 4), _values(rng, 4, 3)).sum(axis=-1)
    if not near(totals, 1.0).all():
        cause = "A mean of probabilities adds up to 1. Divide the sum over the samples by samples."
        raise Trouble(f"sums {shown(totals, 5)}", "rows that add up to 1", cause)


def _average_from_rng(call, rng):
    x, weight = _values(rng, 20, 6), _values(rng, 6, 3)

    def draw(seed):
        generator = np.random.default_rng(seed)
        return [call(x, weight, 0.5, 2, generator) for _ in range(2)]

    _judge_randomness(draw, rng)


monte_carlo_average = Task(
    "monte_carlo_average(x, weight, keep_prob, samples, rng)",
    """a mean over dropout masks.

    `x` has the shape ``(N, D)``, `weight` the shape ``(D, K)``. For each of `samples` new masks, inverted dropout on
    `x` gives the probabilities ``softmax(dropped x @ weight)``; the result is their mean, of shape ``(N, K)``.
    """,
    steps=[
        Property("keep_prob = 1: the plain prediction", _without_dropping),
        Property("one sample: the prediction under one mask", _one_sample),
        Property("the rows add up to 1", _rows_add_up),
        Property("400 samples: near the average over all masks", _many_samples),
        Property("rng decides, and nothing else", _average_from_rng),
    ],
)
