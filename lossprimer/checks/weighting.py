"""The tasks of chapter 2 on what counts: class weights, and the gradient of a batch that comes in parts."""

import numpy as np

import lossprimer
from lossprimer.checks.losses import cross_entropy
from lossprimer.checks.probability import probabilities, scores
from lossprimer.checks.report import Cause
from lossprimer.checks.task import Case, Mistake, Task
from lossprimer.probability import log_softmax

# Class weights.


def _losses(z, labels, logs=log_softmax):
    return -logs(z)[np.arange(len(z)), labels]


def _weighted(average, losses=_losses):
    """Make a loss from ``average(losses, weight of each example, weights of the classes)``."""
    return lambda z, labels, weights: average(losses(z, labels), weights[labels], weights)


def _mean(losses, w, weights):
    return (w * losses).sum() / w.sum()


def _with_logs(logs):
    return _weighted(_mean, lambda z, labels: _losses(z, labels, logs))


def _class_means(z, labels, weights):
    losses = _losses(z, labels)
    found = np.unique(labels)
    means = np.array([losses[labels == c].mean() for c in found])
    return (weights[found] * means).sum() / weights[found].sum()


def _of_logs(change):
    """The weights at the wrong place: among the logits or the probabilities."""
    return lambda z, labels, weights: _losses(z, labels, lambda z: change(z, weights)).mean()


_LOGITS = np.array([[2.0, 1.0, 0.5], [0.0, 0.5, -1.5], [1.0, -0.5, 3.0], [0.5, 0.0, 1.0]])
_LABELS = np.array([0, 2, 2, 1])
_WEIGHTS = np.array([1.0, 3.0, 0.5])
_SIZE = Cause(
    "The formula is right, but the numbers break it here: with logits of this size an exponential is infinite, or a "
    "probability is 0 and its logarithm infinite.",
    "lp.log_softmax gives the logarithms safely.",
)


def _draw(rng):
    n, classes = int(rng.integers(3, 8)), int(rng.integers(2, 6))
    labels, weights = rng.integers(classes, size=n), rng.uniform(0.2, 4.0, size=classes).round(2)
    return [
        Case("a batch", (scores(rng, n, classes), labels, weights)),
        Case("confident logits", (scores(rng, n, classes, scale=400.0), labels, weights), _SIZE),
    ]


def _many():
    rng = np.random.default_rng(0)
    return rng.normal(size=(300, 20)), rng.integers(20, size=300), 0.5 + rng.random(20)


_SMALL = (1e-3, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16, 1e-20, 1e-30, 1e-300, 2.0**-52)
_DIVIDE = "(w * losses).sum() / w.sum(), with w = weights[labels]"

weighted_cross_entropy = Task(
    "weighted_cross_entropy(logits, labels, weights)",
    """the mean loss in which each example counts as much as its class.

    `logits` has the shape ``(N, K)``, `labels` holds N integers, `weights` K numbers above 0. The loss
    ``-log p[label]`` of each example is multiplied by the weight of its label, and the sum divided by the sum of these
    N weights. The result is one number, right for finite logits of any size.
    """,
    right=lambda z, labels, weights: lossprimer.cross_entropy(z, labels, weight=weights),
    steps=[
        Case("four examples of three classes", (_LOGITS, _LABELS, _WEIGHTS)),
        Case("one example: its weight makes no difference", (_LOGITS[:1], _LABELS[:1], np.array([4.0, 1.0, 2.0]))),
        Case("two examples of one class", (_LOGITS[1:3], _LABELS[1:3], _WEIGHTS)),
        Case("as many examples as classes", (_LOGITS[:3], np.array([1, 0, 2]), _WEIGHTS)),
        Case("equal weights", (_LOGITS, _LABELS, np.full(3, 2.0))),
        Case(
            "a class that does not occur has a large weight",
            (_LOGITS, np.array([0, 2, 2, 0]), np.array([1.0, 50.0, 0.5])),
        ),
        Case("a confident wrong answer", (np.array([[2.0, 0.0, -1.0], [0.0, 3.0, 0.5]]), np.array([2, 1]), _WEIGHTS)),
        Case("float32", (_LOGITS.astype(np.float32), _LABELS, _WEIGHTS.astype(np.float32))),
        *(
            Case(step.title, (*step.args, np.array([1.0, 3.0, 0.5])[: step.args[0].shape[1]]), step.cause)
            for step in cross_entropy.steps
            if step.cause and not step.single
        ),
    ],
    draw=_draw,
    large=_many,
    mistakes=[
        Mistake(
            "The weighted sum is divided by the number of examples. It should be divided by the sum of their weights.",
            _weighted(lambda losses, w, weights: (w * losses).mean()),
            hint=_DIVIDE,
        ),
        Mistake(
            "The weighted sum is divided by the sum of the weights of all classes. Use those of the examples, one for "
            "each.",
            _weighted(lambda losses, w, weights: (w * losses).sum() / weights.sum()),
            _weighted(lambda losses, w, weights: (w * losses).mean() / weights.sum()),
            hint=_DIVIDE,
        ),
        Mistake(
            "The weights are first rescaled to have the sum or the mean 1, and then the plain mean is taken.",
            _weighted(lambda losses, w, weights: (w * losses).mean() * len(weights) / weights.sum()),
            hint=_DIVIDE,
        ),
        Mistake(
            "The weighted losses are added up. The task asks for their mean.",
            _weighted(lambda losses, w, weights: (w * losses).sum()),
            hint=_DIVIDE,
        ),
        Mistake(
            "The weighted losses of the examples are returned. The task asks for their mean, one number.",
            _weighted(lambda losses, w, weights: w * losses),
            _weighted(lambda losses, w, weights: w * losses / w.sum()),
            _weighted(lambda losses, w, weights: losses),
        ),
        Mistake(
            "The weights are not used.",
            _weighted(lambda losses, w, weights: losses.mean()),
            hint="weights[labels] is the weight of each example.",
        ),
        Mistake(
            "The losses are divided by the weights. They should be multiplied by them.",
            _weighted(lambda losses, w, weights: (losses / w).mean()),
            _weighted(lambda losses, w, weights: _mean(losses, 1 / w, weights)),
            hint=_DIVIDE,
        ),
        Mistake(
            "The weights are only in the divisor.",
            _weighted(lambda losses, w, weights: losses.sum() / w.sum()),
            _weighted(lambda losses, w, weights: losses.sum() / weights.sum()),
            hint=_DIVIDE,
        ),
        Mistake(
            "The weights count twice, as squares.",
            _weighted(lambda losses, w, weights: _mean(losses, w**2, weights)),
            _weighted(lambda losses, w, weights: (w**2 * losses).sum() / w.sum()),
        ),
        Mistake(
            "The weights are taken under a root, or as logarithms.",
            _weighted(lambda losses, w, weights: _mean(losses, np.sqrt(w), weights)),
            _weighted(lambda losses, w, weights: _mean(losses, np.log(w), weights)),
        ),
        Mistake(
            "The weight is that of the most likely class. It should be that of the label.",
            lambda z, labels, weights: _mean(_losses(z, labels), weights[z.argmax(axis=-1)], weights),
            hint="weights[labels]",
        ),
        Mistake(
            "The weight is taken at the number of the example, and not at its label.",
            lambda z, labels, weights: _mean(_losses(z, labels), np.resize(weights, len(z)), weights),
            lambda z, labels, weights: (np.resize(weights, len(z)) * _losses(z, labels)).mean(),
            hint="weights[labels]",
        ),
        Mistake(
            "The weights multiply the logits. They should multiply the losses.",
            lambda z, labels, weights: _losses(z * weights, labels).mean(),
            lambda z, labels, weights: _mean(_losses(z * weights, labels), weights[labels], weights),
        ),
        Mistake(
            "The weights multiply the probabilities, inside the logarithm. They should multiply the losses.",
            _of_logs(lambda z, w: np.log(w * probabilities(z))),
            _of_logs(lambda z, w: np.log(w * probabilities(z) / (w * probabilities(z)).sum(axis=-1, keepdims=True))),
        ),
        Mistake(
            "The weights are added to the losses, or to the logits. They should multiply the losses.",
            _weighted(lambda losses, w, weights: (losses + w).mean()),
            lambda z, labels, weights: _losses(z + weights, labels).mean(),
        ),
        Mistake(
            "All classes are weighted and added. Only the label's term should be.",
            lambda z, labels, weights: -(weights * log_softmax(z)).sum(axis=-1).mean(),
            lambda z, labels, weights: -(weights * log_softmax(z)).sum() / weights.sum(),
            lambda z, labels, weights: -(weights * log_softmax(z)).sum() / weights[labels].sum(),
        ),
        Mistake(
            "Each class gets a mean of its own, and then the classes are averaged. Each example counts by itself.",
            _class_means,
            lambda z, labels, weights: np.mean([_losses(z, labels)[labels == c].mean() for c in np.unique(labels)]),
        ),
        Mistake(
            "The largest weight, or the largest loss, alone counts.",
            _weighted(lambda losses, w, weights: (w * losses).max()),
            _weighted(lambda losses, w, weights: (w * losses).sum() / w.max()),
            _weighted(lambda losses, w, weights: (w * losses).sum() / weights.max()),
        ),
        Mistake(
            "The weighted sum is divided by the number of classes or of all logits, or by N - 1.",
            _weighted(lambda losses, w, weights: (w * losses).sum() / len(weights)),
            _weighted(lambda losses, w, weights: (w * losses).mean() / len(weights)),
            _weighted(lambda losses, w, weights: (w * losses).sum() / (len(w) - 1)),
            hint=_DIVIDE,
        ),
        Mistake(
            "The mean of the losses is multiplied by the mean, or the sum, of the weights. Each loss should have its "
            "own weight.",
            _weighted(lambda losses, w, weights: losses.mean() * w.mean()),
            _weighted(lambda losses, w, weights: losses.mean() * w.sum()),
            _weighted(lambda losses, w, weights: losses.mean() * weights.mean()),
            hint=_DIVIDE,
        ),
        Mistake(
            "1 is added to the weights.",
            _weighted(lambda losses, w, weights: _mean(losses, 1 + w, weights)),
        ),
        Mistake(
            "The sum is divided by the number of examples and by the sum of their weights.",
            _weighted(lambda losses, w, weights: _mean(losses, w, weights) / len(w)),
            hint=_DIVIDE,
        ),
        Mistake("The sign is reversed. A loss is -log p, which is never negative.", _weighted(lambda *a: -_mean(*a))),
        Mistake(
            "The labels are taken to count from 1: the entry before the label's is used.",
            lambda z, labels, weights: _weighted(_mean)(z, labels - 1, weights),
            lambda z, labels, weights: _mean(_losses(z, labels), weights[labels - 1], weights),
        ),
        Mistake(
            "logits[:, labels] takes every label from every row.",
            lambda z, labels, weights: -(weights[labels] * log_softmax(z)[:, labels]).sum() / weights[labels].sum(),
            lambda z, labels, weights: -(weights[labels] * log_softmax(z)[:, labels]).mean(),
            hint="One entry of each row is logits[np.arange(N), labels].",
        ),
        Mistake(
            "The logarithm is missing: the loss is -log p.",
            _weighted(_mean, lambda z, labels: 1 - np.exp(-_losses(z, labels))),
            _weighted(_mean, lambda z, labels: -np.exp(-_losses(z, labels))),
        ),
        Mistake("The softmax is missing: logits are not logarithms of probabilities.", _with_logs(lambda z: z)),
        Mistake("Softmax is applied twice.", _with_logs(lambda z: log_softmax(probabilities(z)))),
        Mistake(
            "The softmax goes over the examples.",
            _with_logs(lambda z: log_softmax(z, axis=0)),
            hint="The classes are on the last axis: axis=-1.",
        ),
        Mistake(
            "The softmax goes over the whole batch at once.",
            _with_logs(lambda z: log_softmax(z, axis=(0, 1))),
            hint="The classes are on the last axis: axis=-1.",
        ),
        Mistake(
            "The logarithm has base 2 or 10: the loss is not in nats.",
            _with_logs(lambda z: log_softmax(z) / np.log(2)),
            _with_logs(lambda z: log_softmax(z) / np.log(10)),
        ),
        Mistake(
            "Nothing is subtracted from the logits before exp: the exponential of a large one is infinite.",
            _with_logs(lambda z: z - np.log(np.exp(z).sum(axis=-1, keepdims=True))),
            _with_logs(lambda z: np.log(probabilities(z, top="none"))),
            hint="lp.log_softmax gives the logarithms safely.",
        ),
        Mistake(
            "The largest logit of the whole batch is subtracted. In a row far below it every exponential is 0.",
            _with_logs(lambda z: np.log(probabilities(z, top="all"))),
            _with_logs(lambda z: z - z.max() - np.log(np.exp(z - z.max()).sum(axis=-1, keepdims=True))),
        ),
        Mistake(
            "The probability of the label underflows to 0, and its logarithm is -inf.",
            _with_logs(lambda z: np.log(probabilities(z))),
            hint="lp.log_softmax(logits) never takes the log of a probability.",
        ),
        Mistake(
            "A small number is added to the probability, or it is clipped, before the log.",
            *(_with_logs(lambda z, e=e: np.log(probabilities(z) + e)) for e in _SMALL),
            *(_with_logs(lambda z, e=e: np.log(np.clip(probabilities(z), e, 1.0))) for e in _SMALL),
            hint="lp.log_softmax(logits) never takes the log of a probability.",
        ),
    ],
)


# The gradient of a batch that comes in parts.


def _lifted(counts, gradients):
    """One number for each part, beside its whole gradient."""
    return counts.reshape(-1, *[1] * (gradients.ndim - 1))


def _finite(gradients, counts):
    """The gradients, with 0 where nothing counts."""
    return np.where(_lifted(counts, gradients) > 0, gradients, 0.0)


def _joined(weigh, clean=_finite):
    """Make the function from the weight of each part."""

    def accumulated_gradient(gradients, counts):
        return (_lifted(np.asarray(weigh(counts)), gradients) * clean(gradients, counts)).sum(axis=0)

    return accumulated_gradient


def _as_they_are(gradients, counts):
    return gradients


def _running_mean(gradients, counts):
    """The mean of what came so far and the next part."""
    result = gradients[0]
    for gradient in gradients[1:]:
        result = (result + gradient) / 2
    return result


def _without_nan(gradients, counts):
    """The mean over the parts whose gradient is a number."""
    return np.nanmean(gradients, axis=0)


_PARTS = np.array([[1.0, -2.0, 0.5], [4.0, 1.0, -1.0]])
_COUNTS = np.array([3, 1])
_THREE = np.array([[2.0, 0.0, -1.0], [1.0, 3.0, 0.5], [-2.0, 1.0, 4.0]])
_MATRICES = np.array([[[1.0, 2.0], [0.5, -1.0], [3.0, 0.0]], [[-1.0, 0.5], [2.0, 2.0], [0.0, 1.0]]])
_EMPTY = np.array([[1.0, -2.0, 0.5], [np.nan, np.nan, np.nan], [4.0, 1.0, -1.0]])
_NOTHING_COUNTS = Cause(
    "A part without tokens that count has a gradient of nan, 0/0, and a weight of 0. It must add nothing, but 0 times "
    "nan is nan.",
    "Take out the parts whose count is 0, or choose with np.where.",
)


def _draw_parts(rng):
    parts, size = (int(n) for n in rng.integers(2, 6, size=2))
    counts = rng.integers(1, 30, size=parts)
    empty = scores(rng, parts, size)
    empty[0] = np.nan
    return [
        Case("vectors", (scores(rng, parts, size), counts)),
        Case("matrices", (scores(rng, parts, size, 2), counts)),
        Case("a part in which no token counts", (empty, np.append(0, counts[1:])), _NOTHING_COUNTS),
    ]


accumulated_gradient = Task(
    "accumulated_gradient(gradients, counts)",
    """the gradient of the mean loss of a batch, from those of its parts.

    `gradients` has the shape ``(M, ...)``: for each of M parts, the gradient of the mean loss over the tokens that
    count in it. `counts` holds M integers, the number of these tokens in each part; not all are 0. The result has the
    shape ``(...)``, and is the gradient of the mean over all tokens that count. A part in which none counts has nan for
    a gradient and adds nothing.
    """,
    right=_joined(lambda counts: counts / counts.sum()),
    steps=[
        Case("two parts by hand", (_PARTS, _COUNTS)),
        Case("parts of the same size", (_PARTS, np.array([2, 2]))),
        Case("one part", (_PARTS[1:], np.array([7]))),
        Case("three parts, as many as numbers", (_THREE, np.array([1, 2, 5]))),
        Case("four parts", (np.concatenate([_PARTS, _PARTS[:, ::-1]]), np.array([10, 3, 4, 3]))),
        Case("matrices", (_MATRICES, np.array([5, 2]))),
        Case("one number for each part", (np.array([1.0, 3.0, -2.0]), np.array([4, 1, 2]))),
        Case("float32", (_PARTS.astype(np.float32), _COUNTS)),
        Case("a part in which no token counts", (_EMPTY, np.array([3, 0, 1])), _NOTHING_COUNTS),
        Case("two parts in which no token counts", (_EMPTY[[1, 1, 2]], np.array([0, 0, 4])), _NOTHING_COUNTS),
    ],
    draw=_draw_parts,
    mistakes=[
        Mistake(
            "This is the mean of the means: a token in a part where few count gets more weight than others.",
            _joined(lambda counts: np.full(len(counts), 1 / len(counts))),
            _joined(lambda counts: np.full(len(counts), 1 / len(counts)), _as_they_are),
            _joined(lambda counts: (counts > 0) / (counts > 0).sum()),
            _without_nan,
            hint="The weight of a part is the fraction of all counted tokens that it holds: counts / counts.sum().",
        ),
        Mistake(
            "The gradients are added up, without weights and without a division.",
            _joined(lambda counts: np.ones(len(counts))),
            _joined(lambda counts: np.ones(len(counts)), _as_they_are),
            hint="The weight of a part is the fraction of all counted tokens that it holds: counts / counts.sum().",
        ),
        Mistake(
            "The weighted sum is not divided.",
            _joined(lambda counts: counts),
            _joined(lambda counts: counts, _as_they_are),
            hint="Divide by counts.sum().",
        ),
        Mistake(
            "The weighted sum is divided by the number of parts. It should be divided by the number of all tokens "
            "that count.",
            _joined(lambda counts: counts / len(counts)),
            _joined(lambda counts: counts / len(counts), _as_they_are),
            hint="Divide by counts.sum().",
        ),
        Mistake(
            "The weighted sum is divided by the number of all tokens that count, and by the number of parts.",
            _joined(lambda counts: counts / counts.sum() / len(counts)),
        ),
        Mistake(
            "The plain sum is divided by the number of all tokens that count. Each gradient is a mean already, and "
            "should be multiplied by its count.",
            _joined(lambda counts: np.full(len(counts), 1 / counts.sum())),
            hint="(counts * gradients).sum() / counts.sum(), with one count for each whole gradient",
        ),
        Mistake(
            "The gradients are divided by the counts. They are means, so they should be multiplied by them.",
            _joined(lambda counts: 1 / np.maximum(counts, 1)),
            _joined(lambda counts: 1 / np.maximum(counts, 1) / len(counts)),
            _joined(lambda counts: 1 / np.maximum(counts, 1) / counts.sum()),
            _joined(lambda counts: 1 / np.maximum(counts, 1) / (1 / np.maximum(counts, 1)).sum()),
            hint="The weight of a part is the fraction of all counted tokens that it holds: counts / counts.sum().",
        ),
        Mistake(
            "The weights go to the wrong parts: a part gets the weight of the others, or of all up to it.",
            _joined(lambda counts: np.sort(counts) / counts.sum()),
            _joined(lambda counts: np.cumsum(counts) / counts.sum()),
            _joined(lambda counts: (counts.sum() - counts) / counts.sum()),
            _joined(lambda counts: counts[::-1] / counts.sum()),
        ),
        Mistake(
            "The weighted sum is divided by the largest count, by their mean, or by that of the first or last part.",
            _joined(lambda counts: counts / counts.max()),
            _joined(lambda counts: counts / counts.mean()),
            _joined(lambda counts: counts / counts[0]),
            _joined(lambda counts: counts / counts[-1]),
            hint="Divide by counts.sum().",
        ),
        Mistake(
            "The counts enter twice, under a root, or as logarithms.",
            _joined(lambda counts: counts**2 / counts.sum() ** 2),
            _joined(lambda counts: np.log1p(counts) / np.log1p(counts).sum()),
            _joined(lambda counts: counts**2 / (counts**2).sum()),
            _joined(lambda counts: counts**2 / counts.sum()),
            _joined(lambda counts: np.sqrt(counts) / np.sqrt(counts).sum()),
        ),
        Mistake(
            "1 is added to the counts, or taken from their sum.",
            _joined(lambda counts: (counts + 1) / (counts + 1).sum()),
            _joined(lambda counts: counts / (counts.sum() + 1)),
            _joined(lambda counts: counts / (counts.sum() - 1)),
        ),
        Mistake(
            "The mean is taken by halves: the last part weighs a half, the one before a quarter.",
            _running_mean,
            lambda gradients, counts: _running_mean(np.concatenate([0 * gradients[:1], gradients]), counts),
            hint="Add up first, and divide once.",
        ),
        Mistake(
            "Only one part counts: the last, the first, or the one with the most tokens.",
            lambda gradients, counts: gradients[-1],
            lambda gradients, counts: gradients[0],
            lambda gradients, counts: gradients[counts.argmax()],
        ),
        Mistake(
            "The counts line up with the numbers of a gradient instead of whole gradients: they multiply columns.",
            lambda gradients, counts: (counts * gradients).sum(axis=0) / counts.sum(),
            lambda gradients, counts: (gradients * counts).sum(axis=-1) / counts.sum(),
            hint="counts[:, None] for vectors; np.tensordot(counts, gradients, 1) for any shape.",
        ),
        Mistake(
            "The sum goes over the numbers of a gradient. It should go over the parts.",
            lambda gradients, counts: (_lifted(counts, gradients) * gradients).sum(axis=-1) / counts.sum(),
            lambda gradients, counts: gradients.mean(axis=-1),
            hint="axis=0",
        ),
        Mistake(
            "Everything is added up into one number. The result should have the shape of a gradient.",
            lambda gradients, counts: (_lifted(counts, gradients) * gradients).sum() / counts.sum(),
            lambda gradients, counts: gradients.mean(),
            hint="axis=0",
        ),
        Mistake(
            "The gradients of the parts are returned one by one. The task asks for one gradient, their weighted sum.",
            lambda gradients, counts: _lifted(counts, gradients) * gradients / counts.sum(),
            lambda gradients, counts: _lifted(counts, gradients) * gradients,
            hint=".sum(axis=0)",
        ),
        Mistake("The sign is reversed.", _joined(lambda counts: -counts / counts.sum())),
        Mistake(
            "Only the direction is kept: the gradient is divided by its length.",
            lambda gradients, counts: _unit(_joined(lambda counts: counts / counts.sum())(gradients, counts)),
        ),
        Mistake("This is the median of the gradients.", lambda gradients, counts: np.median(gradients, axis=0)),
        Mistake(
            "The weights are the softmax of the counts. They should be the counts over their sum.",
            _joined(lambda counts: probabilities(counts.astype(float))),
        ),
        Mistake(
            "The result is rounded, or stored as integers.",
            lambda gradients, counts: np.trunc(_joined(lambda counts: counts / counts.sum())(gradients, counts)),
            lambda gradients, counts: (_lifted(counts, gradients) * gradients).sum(axis=0) // counts.sum(),
            lambda gradients, counts: np.trunc(_lifted(counts, gradients) * gradients).sum(axis=0) / counts.sum(),
        ),
        Mistake(
            "A part in which no token counts makes everything nan: 0 times nan is nan.",
            _joined(lambda counts: counts / counts.sum(), _as_they_are),
            hint=_NOTHING_COUNTS.hint,
        ),
    ],
)


def _unit(vector):
    return vector / np.sqrt((vector**2).sum())
