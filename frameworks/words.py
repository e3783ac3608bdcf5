"""How is a measured value said? One pure function for each kind of question: numbers in, a sentence out.

No function depends on which framework is asked. Where a value fits none of the known conventions, the sentence says so,
and gives the numbers.
"""

import math
import re
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from frameworks import inputs

# What an error says that means: there is no such argument; it has no default.
_ABSENT = re.compile(r"unexpected keyword argument|Unrecognized attribute")
_REQUIRED = re.compile(r"[Mm]issing .*argument|must be passed")
_DTYPES = ("float16", "bfloat16")
# As many operations of a loss are named.
_NAMED = 8


def say(question: str, value: Any) -> str:
    """Return the answer to a question as a sentence; names of programs and messages stand in backquotes.

    Parameters
    ----------
    question : str
        The name of the question, a key of `QUESTIONS`.
    value : number, list or dict
        What the probe returned, as it stands in the record.
    """
    if failed(value):
        meaning = "No such argument. " if _ABSENT.search(value["message"]) else ""
        meaning = "No default. " if _REQUIRED.search(value["message"]) else meaning
        return meaning + error(value)
    return QUESTIONS[question](value)


def failed(value: Any) -> bool:
    """Whether a value is an error that a framework raised."""
    return isinstance(value, dict) and "error" in value


def error(value: dict[str, str]) -> str:
    """Return the name of an error, and the beginning of its message."""
    message = textwrap.shorten(value["message"].replace("`", "'"), 110, placeholder=" …").rstrip(".")
    return f"`{value['error']}: {message}`"


def number(value: float | str) -> str:
    """Return a number with three digits: 1e-5, 0.0313, 1,000."""
    value = float(value)
    if not math.isfinite(value):
        return str(value).replace("-", "−")
    if value and abs(value) < 1e-3:
        return re.sub(r"e-0*", "e-", f"{value:.2e}".replace(".00", "")).replace("0e", "e")
    text = f"{value:,.0f}" if abs(value) >= 999.5 else f"{value:.3g}"
    return text.replace("-", "−")


def close(value: Any, expected: Any, tolerance: float = 1e-3) -> bool:
    """Whether all numbers are as expected, up to a share of the largest of those."""
    value, expected = np.asarray(value, np.float64), np.asarray(expected, np.float64)
    return bool(np.all(np.abs(value - expected) <= tolerance * max(1, np.abs(expected).max())))


def match(value: Any, conventions: dict[str, Any]) -> str:
    """Return the sentence of the convention that gives this value, or the value."""
    fitting = [sentence for sentence, expected in conventions.items() if close(value, expected)]
    return fitting[0] if len(fitting) == 1 else f"Something else: {listed(np.ravel(value))}."


def listed(values: Sequence[float | str]) -> str:
    """Return numbers one after the other."""
    return ", ".join(number(value) for value in values)


# Dropout


def dropout_rate(value: dict[str, float]) -> str:
    """Say whether 0.2 is the share that is dropped or that is kept, and what happens to the rest."""
    kind = match(round(value["zeros"], 1), {"Drop": 0.2, "Keep": 0.8})
    verb = {"Drop": "drops", "Keep": "keeps"}.get(kind)
    return f"{kind}: 0.2 {verb} a fifth; what is kept is multiplied by {number(value['largest'])}." if verb else kind


def dropout_default(value: float) -> str:
    """Say which rate a layer has when none is given."""
    return f"{number(round(value, 1))}."


def dropout_mode(value: float) -> str:
    """Say whether a layer of which nothing is said is in training."""
    return match(round(value, 1), {"Training: it drops.": 0.2, "Evaluation: it drops nothing.": 0})


def dropout_extremes(value: dict[str, Any]) -> str:
    """Say what comes out at the rates 0 and 1."""
    return f"At 0: {_ones(value['0'])}. At 1: {_ones(value['1'])}."


def _ones(value: Any) -> str:
    """Say what became of four ones."""
    if failed(value):
        return error(value)
    if np.isnan(np.asarray(value, np.float64)).all():
        return "nan"
    return match(value, {"nothing is dropped": np.ones(4), "all is 0": np.zeros(4)})


def switch(value: dict[str, Any]) -> str:
    """Say what a switch does to dropout, and to batch normalization."""
    dropout = {True: "Dropout goes on dropping", False: "Dropout drops nothing"}[value["zeros"] > 0]
    return f"{dropout}; batch normalization uses {_statistics(value['normalized'])}."


# Normalization


def _statistics(value: Any) -> str:
    """Say with which statistics the batch (8, 12) was normalized, of which nothing has been stored yet."""
    return match(np.ravel(value) / 10, {"the batch": [-0.1, 0.1], "what it has stored": [0.8, 1.2]})


def batch_norm_mode(value: Any) -> str:
    """Say in which mode a layer is of which nothing is said."""
    modes = {
        "the batch": "Training: it uses the batch.",
        "what it has stored": "Evaluation: it uses what it has stored.",
    }
    statistics = _statistics(value) if close(value, value, 0) else ""
    return modes.get(statistics, statistics)


def epsilon(value: Sequence[float]) -> str:
    """Say where epsilon stands, and how large it is by default, from the spread at each small variance.

    Solved for epsilon, the right formula gives the same at each variance.
    """
    variance, spread = np.array(inputs.VARIANCES), np.asarray(value, np.float64)
    seen = (spread > 0.05) & (spread < 0.97)
    if not seen.any():
        return "None that can be seen."
    variance, spread = variance[seen], spread[seen]
    places = {
        "Inside the root": variance / spread**2 - variance,
        "Outside the root": np.sqrt(variance) / spread - np.sqrt(variance),
        "Not added: the variance is at least ε": variance / spread**2,
    }
    for place, found in places.items():
        if np.ptp(found) < 0.02 * found.mean():
            return f"{place}, ε = {number(float(f'{found.mean():.2g}'))}."
    return f"In none of the known places: {listed(value)}."


def batch_variance(value: Any) -> str:
    """Say which variance a batch of two is divided by."""
    outputs = {"Biased, divided by n.": [-1, 1], "Unbiased, divided by n − 1.": [-math.sqrt(0.5), math.sqrt(0.5)]}
    return match(np.ravel(value), outputs)


def stored_variance(value: dict[str, float]) -> str:
    """Say which variance is stored: the mean, 10 in the batch, tells which share of it was taken."""
    share = value["mean"] / 10
    taken = (value["variance"] - (1 - share)) / share
    return match(taken, {"Biased, divided by n.": 4, "Unbiased, divided by n − 1.": 8})


def momentum(value: dict[str, float]) -> str:
    """Say which share momentum is, from what a batch of mean 10 makes of a stored mean of 0."""
    new = value["default"] / 10
    share = match(value["chosen"] / 10, {"The share of the new batch": 0.25, "The share of the old average": 0.75})
    default = 1 - new if "old" in share else new
    return f"{share}, by default {number(default)}: a new batch counts for {number(new)}."


def batch_norm_axis(value: Any) -> str:
    """Say which axis is that of the features: along the two others, the mean is 0."""
    y = np.asarray(value, np.float64)
    axes = [axis for axis in range(3) if close(y.mean(axis=tuple({0, 1, 2} - {axis})), 0)]
    return {(1,): "Axis 1, after the examples.", (2,): "The last axis."}.get(tuple(axes), f"Axes {axes}.")


def batch_norm_one(value: dict[str, Any]) -> str:
    """Say what one vector, and one image, become in training."""
    vector, image = value["vector"], value["image"]
    of_vector = error(vector) if failed(vector) else match(vector, {"0, whatever it holds": 0})
    own = (inputs.IMAGE - inputs.IMAGE.mean()) / inputs.IMAGE.std()
    of_image = error(image) if failed(image) else match(image, {"normalized by its own pixels": own})
    return f"A vector: {of_vector}. An image: {of_image}."


def far_from_zero(value: Sequence[float]) -> str:
    """Say which spread comes out at each mean; 1 is right."""
    if close(value, 1, 0.01):
        return f"Right: {number(1)} up to a mean of {number(inputs.MEANS[-1])}."
    return (
        "; ".join(f"{number(y)} at a mean of {number(mean)}" for y, mean in zip(value, inputs.MEANS, strict=True)) + "."
    )


# Softmax and its loss


def _log_softmax(scores: Any, axis: int = -1) -> np.ndarray:
    """Return logarithms of shares, computed here."""
    scores = np.asarray(scores, np.float64)
    return scores - np.log(np.exp(scores).sum(axis=axis, keepdims=True))


def loss_input(value: float) -> str:
    """Say what the loss takes its input for: of 0.5, 0.3 and 0.1, the first is right."""
    scores = np.asarray(inputs.THREE[0], np.float64)
    conventions = {
        "Scores (logits).": -_log_softmax(scores)[0],
        "Probabilities, as they are.": -math.log(scores[0]),
        "Probabilities, which it divides by their sum.": -math.log(scores[0] / scores.sum()),
        "Logarithms of probabilities.": -scores[0],
    }
    return match(value, conventions)


def loss_labels(value: dict[str, Any]) -> str:
    """Say which labels are taken: the number of a class, or a vector with the share of each."""
    scores = np.asarray(inputs.THREE[0], np.float64)
    right = [-_log_softmax(scores)[1], -math.log(scores[1] / scores.sum())]
    told = {kind: _taken(loss, right) for kind, loss in value.items()}
    both = all(told[kind] == "" for kind in told)
    parts = [f"{kind.capitalize()}{': ' + what if what else ''}." for kind, what in told.items()]
    return "Integers and vectors." if both else " ".join(sorted(parts, key=len))


def _taken(loss: Any, right: Sequence[float]) -> str:
    """Say nothing of a right loss, and what came instead of it otherwise."""
    if failed(loss):
        return error(loss)
    return "" if any(close(loss, one) for one in right) else f"a wrong loss, {listed(np.ravel(loss))}, and no error"


def loss_axis(value: float) -> str:
    """Say which axis of three holds the classes."""
    chosen = inputs.CUBE_LABELS
    of = {
        "Axis 1, after the examples.": np.take_along_axis(_log_softmax(inputs.CUBE, 1), chosen[:, None], 1),
        "The last axis.": np.take_along_axis(_log_softmax(inputs.CUBE, 2), chosen[..., None], 2),
    }
    return match(value, {sentence: -logarithms.mean() for sentence, logarithms in of.items()})


def _two() -> np.ndarray:
    """Return the loss of each class for each of the two examples."""
    return -_log_softmax(inputs.TWO)


def loss_reduction(value: Any) -> str:
    """Say what is made of the losses of two examples."""
    losses = np.array([_two()[0, 0], _two()[1, 1]])
    if np.ndim(value):
        return match(value, {"One loss for each example.": losses})
    return match(value, {"The mean.": losses.mean(), "The sum.": losses.sum()})


def loss_outside(value: dict[str, Any]) -> str:
    """Say what becomes of a label that is no class."""
    return ". ".join(f"{label.replace('-', '−')}: {_outside(loss)}" for label, loss in value.items()) + "."


def _outside(loss: Any) -> str:
    """Say how the second of two examples was counted."""
    if failed(loss):
        return f"`{loss['error']}`"
    first, second = _two()[0, 0], _two()[1]
    if np.isnan(np.asarray(loss, np.float64)).any():
        return "nan"
    if np.ndim(loss):
        conventions = {"it costs 0": [first, 0], "taken for the last class": [first, second[-1]]}
    else:
        conventions = {
            "ignored": first,
            "it costs 0": first / 2,
            "taken for the last class": (first + second[-1]) / 2,
        }
    return match(loss, conventions)


def loss_ignored(value: float) -> str:
    """Say what the mean is divided by when one of two labels is ignored."""
    first = _two()[0, 0]
    return match(
        value,
        {
            "The mean over those that count.": first,
            "The sum over those that count, divided by the number of all.": first / 2,
        },
    )


def all_ignored(value: float | str) -> str:
    """Say what the mean of nothing is."""
    return f"{number(value)}."


def _shares(losses: Any) -> np.ndarray:
    """Return the weight of each class in a loss, from its value where one class after the other leads by `SCORE`.

    Each value is the sum of all weights times ln(exp(SCORE) + 3), less SCORE times the weight of the class that leads.
    """
    losses = np.asarray(losses, np.float64)
    normalizer = math.log(math.exp(inputs.SCORE) + 3)
    total = losses.sum() / (4 * normalizer - inputs.SCORE)
    return (total * normalizer - losses) / inputs.SCORE


def label_smoothing(value: Sequence[float]) -> str:
    """Say how a smoothing of 0.2 is spread over four classes."""
    conventions = {
        "Over all K classes: the right one keeps 1 − α + α/K": [0.85, 0.05, 0.05, 0.05],
        "Over the K − 1 others: the right one keeps 1 − α": [0.8, 0.2 / 3, 0.2 / 3, 0.2 / 3],
    }
    return f"{match(_shares(value), conventions)}; here {listed(_shares(value).round(4))}."


def class_weights(value: float) -> str:
    """Say what a mean of weighted losses is divided by, with the weights 1 and 3 of two examples."""
    total = _two()[0, 0] + 3 * _two()[1, 1]
    return match(
        value, {"By the sum of the weights of the examples.": total / 4, "By the number of examples.": total / 2}
    )


def smoothing_weights(value: dict[str, Any]) -> str:
    """Say which weights count in a smoothed label, and what the mean of one example is divided by."""
    own, weights = inputs.FOUR_WEIGHTS[0], np.array(inputs.FOUR_WEIGHTS)
    right = np.array([0.8, 0, 0, 0])
    conventions = {
        "Each class by its own weight": own * right + 0.05 * weights,
        "All by the weight of the right class": own * (right + 0.05),
    }
    how = match(_shares(value["sum"]), conventions)
    divisor = sum(value["sum"]) / sum(value["mean"])
    by = {
        "the weight of the right class": own,
        "the number of examples": 1,
        "all weights in the label": _shares(value["sum"]).sum(),
    }
    return f"{how}; the mean divides by {match(divisor, by)}."


def loss_operations(value: Sequence[str]) -> str:
    """Say how many operations a loss is made of, and which."""
    names = list(dict.fromkeys(value))
    shown = ", ".join(f"`{name}`" for name in names[:_NAMED])
    return f"{len(value)}: {shown}{' and others' if len(names) > _NAMED else ''}."


def loss_certain(value: float | str) -> str:
    """Say what a sure mistake costs."""
    return f"{number(value)}."


def softmax_axis(value: Any) -> str:
    """Say along which axis of three the shares add up to 1."""
    y = np.asarray(value, np.float64)
    axes = [axis for axis in range(3) if close(y.sum(axis=axis), 1)]
    return {(0,): "Axis 0.", (1,): "Axis 1.", (2,): "The last axis."}.get(tuple(axes), f"Axes {axes}.")


def softmax_masked(value: Any) -> str:
    """Say which shares three masked scores get."""
    if np.isnan(np.asarray(value, np.float64)).all():
        return "nan."
    return match(value, {"0 for each.": 0, "A third for each.": 1 / 3})


def attention_masked(value: Any) -> str:
    """Say what a query gets that may attend to none of the values 1 and 3."""
    if np.isnan(np.asarray(value, np.float64)).all():
        return "nan."
    return match(value, {"0.": 0, "The mean of all values, although they are masked.": 2})


# Low precision


def low_precision(expected: float) -> Callable[[dict[str, Any]], str]:
    """Return how to say what came in each type: whether it is right within 1 %, else what it is."""

    def sentence(value: dict[str, Any]) -> str:
        return " ".join(f"{dtype}: {_low_precision(value[dtype], expected)}." for dtype in _DTYPES)

    return sentence


def _low_precision(value: Any, expected: float) -> str:
    if failed(value):
        return f"`{value['error']}`"
    (result,) = np.ravel(np.asarray(value, np.float64))
    right = abs(result - expected) <= 0.01 * expected
    return f"{number(result)}, right" if right else f"{number(result)} instead of {number(expected)}"


QUESTIONS: dict[str, Callable[[Any], str]] = {
    "dropout-rate": dropout_rate,
    "dropout-default": dropout_default,
    "dropout-extremes": dropout_extremes,
    "dropout-mode": dropout_mode,
    "train-eval-switch": switch,
    "batch-norm-epsilon": epsilon,
    "layer-norm-epsilon": epsilon,
    "rms-norm-epsilon": epsilon,
    "group-norm-epsilon": epsilon,
    "batch-variance": batch_variance,
    "stored-variance": stored_variance,
    "momentum": momentum,
    "batch-norm-axis": batch_norm_axis,
    "batch-norm-mode": batch_norm_mode,
    "batch-norm-one": batch_norm_one,
    "far-from-zero": far_from_zero,
    "loss-input": loss_input,
    "loss-labels": loss_labels,
    "loss-axis": loss_axis,
    "loss-reduction": loss_reduction,
    "loss-ignored": loss_ignored,
    "all-ignored": all_ignored,
    "loss-outside": loss_outside,
    "label-smoothing": label_smoothing,
    "class-weights": class_weights,
    "smoothing-weights": smoothing_weights,
    "loss-certain": loss_certain,
    "loss-operations": loss_operations,
    "softmax-axis": softmax_axis,
    "softmax-masked": softmax_masked,
    "attention-masked": attention_masked,
    "softmax-low-precision": low_precision(1 / inputs.VOCABULARY),
    "loss-low-precision": low_precision(math.log(inputs.VOCABULARY)),
    "mean-low-precision": low_precision(1),
    "layer-norm-low-precision": low_precision(1),
    "rms-norm-low-precision": low_precision(1),
}
