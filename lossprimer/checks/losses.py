"""The tasks of chapter 2: cross-entropy, its gradient, label smoothing, and the KL divergence."""

import numpy as np

import lossprimer
from lossprimer.checks.probability import (
    SMALL_NUMBERS,
    TOPS,
    distributions,
    log_of_probabilities,
    probabilities,
    scores,
    second,
)
from lossprimer.checks.report import Cause
from lossprimer.checks.task import Case, Mistake, Task
from lossprimer.probability import log_softmax, one_hot


def _log_probabilities(z):
    """The logarithm of the softmax, which nothing keeps finite."""
    return np.log(probabilities(z))


def _naive(z):
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def _shifted_by(top):
    """A log-softmax that subtracts another number than the largest logit."""
    return lambda z: z - top(z) - np.log(np.exp(z - top(z)).sum(axis=-1, keepdims=True))


def _from_top(z):
    return z - z.max(axis=-1, keepdims=True)


def _log_sum(z):
    return np.log(np.exp(_from_top(z)).sum(axis=-1, keepdims=True))


def _picked(logs, labels):
    return logs[np.arange(len(labels)), labels]


def _loss(logs=log_softmax, average=np.mean, sign=-1.0):
    """Make a loss from a way to get the logarithms of the probabilities and a way to average."""
    return lambda logits, labels: sign * average(_picked(logs(logits), labels))


_HAND = np.array([[2.0, 1.0, 0.5]])
_LOGITS = np.array([[2.0, 1.0, 0.5, -1.0], [0.0, 0.5, -1.5, 3.0]])
_LABELS = np.array([1, 3])
_THREE = np.array([[1.0, 2.0, 0.0], [0.5, -1.0, 1.5], [3.0, 0.5, -0.5]])
_THREE_LABELS = np.array([2, 0, 0])
_LOW_LABELS = np.array([1, 0, 1])
_REPEATED = np.array([1, 1])
_SURE_AND_WRONG = np.array([[1000.0, 0.0, -500.0], [1.0, 2.0, 0.5]])
_IN_ANY_ORDER = np.array([[0.0, -500.0, 1000.0], [-500.0, 1000.0, 0.0], [-1000.0, -1800.0, 500.0]])
_APART = np.array([[-10.0, 710.0, 0.0], [720.0, 0.0, 30.0]])  # e^-720 is just above the smallest number there is
_LEVELS = np.array([[1.0, 2.0, 0.0], [999.0, 998.0, 1000.0]])
_COLD = np.array([[-1000.0, -1001.0], [-998.0, -1000.0]])
_SINGLE = np.array([[200.0, 0.0, 1.0], [0.0, 1.0, 180.0]], dtype=np.float32)

_ROW = "logits.max(axis=-1, keepdims=True)"
_OVERFLOW = Cause(
    "Nothing is subtracted from the logits before exp: the exponential of a large one is infinite, and those of very "
    "negative ones are all 0.",
    f"Subtract the largest logit of each row, {_ROW}, before exp.",
)
_SIZE = Cause(
    "The formula is right, but the numbers break it here: with logits of this size an exponential is infinite, or "
    "every exponential of a row is 0. Make the largest exponent of each row 0.",
    f"Subtract the largest logit of each row before exp: {_ROW}.",
)
_OTHER_NUMBER = Cause(
    "What is subtracted before exp is not the largest logit of the row. In a row that is wide enough an "
    "exponential is still infinite, or all of them are 0.",
    f"Subtract the largest logit of each row: {_ROW}.",
)
_FAR_APART = Cause(
    "The formula is right, but the numbers break it here. A probability of 10^-313 takes part: an exponential is "
    "infinite, or something keeps the probability from becoming so small.",
    f"Subtract the largest logit of each row before exp, {_ROW}, and clip nothing.",
)
_UNDERFLOW = Cause(
    "The probability of the label underflows to 0, and its logarithm is -inf.",
    "Do not take the log of a probability: compute log(sum(exp(z))) - z[label], with the largest logit subtracted.",
)
_FAR = Cause(
    "The label's probability is smaller here than a float can hold, and its logarithm is a number all the same.",
    _UNDERFLOW.hint,
)
_SMALL_NUMBER = Cause(
    "A small number is added to the probability, or it is clipped, before the log. That hides the -inf and puts a "
    "wrong loss in its place.",
    "Compute log(sum(exp(z))) - z[label] with the largest logit subtracted.",
)
_BASE_TWO = Cause("The logarithm has base 2 or 10: the loss is not in nats.", "np.log is the natural one.")
_SUM = Cause("The losses are added up. The task asks for their mean.", "Divide by the number of examples.")
_WRONG_COUNT = Cause(
    "The loss is divided by the number of classes, or of all entries.", "The mean is over the N examples of the batch."
)
_SIGN = Cause("The sign is reversed. A loss is -log p, which is never negative.")
_COLUMNS = Cause("The softmax goes over the examples.", "The classes are on the last axis: axis=-1.")
_WHOLE = Cause("The softmax goes over the whole batch at once.", "Each example has a softmax of its own: axis=-1.")
_GLOBAL_MAXIMUM = Cause(
    "The largest logit of the whole batch is subtracted. In a row far below it every exponential is 0.",
    f"Subtract the largest logit of each row: {_ROW}.",
)
_NOT_AVERAGED = Cause("These are the losses of the examples. The task asks for their mean, one number.")
_TWICE = Cause("Softmax is applied twice. The logits are scores, and one softmax makes probabilities of them.")
_FROM_ONE = Cause(
    "The labels are taken to count from 1: the entry before the label's is used.", "They count from 0, as NumPy does."
)
_KEPT_MAXIMUM = Cause(
    "The largest logit is subtracted in the exponent and not added back.",
    "Add it to the logarithm of the sum, or subtract it from the label's logit too.",
)
_LOG_IS_TAKEN_OF_SUM_OF_LOGS = Cause(
    "Logarithms are added up, and exp and log cancel: sum(log(exp(z))) is the sum of the logits.",
    "log(sum(exp(z))): first the exponentials, then their sum, then one logarithm.",
)
_SMALL_LOGS = log_of_probabilities(probabilities)


def _in_logs(logs):
    return [lambda z, labels, log=log: _loss(log)(z, labels) for log in logs]


def _cases(*options, far=_FAR):
    """Cases that the losses and their gradients share."""
    return [
        Case("one example by hand", (_HAND, np.array([2]), *options)),
        Case("two examples, four classes", (_LOGITS, _LABELS, *options)),
        Case("as many examples as classes", (_THREE, _THREE_LABELS, *options)),
        Case("no example has the last class as its label", (_THREE, _LOW_LABELS, *options)),
        Case("the same label twice", (_LOGITS, _REPEATED, *options)),
        Case("float32", (_LOGITS.astype(np.float32), _LABELS, *options)),
        Case("logits near 1000", (_LEVELS[1:], np.array([1]), *options), _SIZE),
        Case("logits near -1000", (_COLD, np.array([1, 0]), *options), _SIZE),
        Case("rows at different levels", (_LEVELS, np.array([1, 2]), *options), _SIZE),
        Case("logits 720 apart", (_APART, np.array([1, 0]), *options), _FAR_APART),
        Case("confident and right", (_IN_ANY_ORDER, np.array([2, 1, 2]), *options), _SIZE),
        Case("confident and wrong", (_SURE_AND_WRONG, np.array([1, 1]), *options), far),
        Case("confident and wrong, whichever class is the rival", (_IN_ANY_ORDER, np.array([1, 2, 0]), *options), far),
        Case("confident and wrong in float32", (_SINGLE, np.array([1, 1]), *options), far),
    ]


def _draw(*options, far=_FAR):
    def draw(rng):
        n, classes = int(rng.integers(2, 7)), int(rng.integers(2, 7))
        labels = rng.integers(classes, size=n)
        levels = rng.integers(-900, 900, size=(n, 1))
        return [
            Case("a batch", (scores(rng, n, classes), labels, *options)),
            Case("float32", (scores(rng, n, classes).astype(np.float32), labels, *options)),
            Case("rows at different levels", ((scores(rng, n, classes) + levels).round(2), labels, *options), _SIZE),
            Case("confident logits", (scores(rng, n, classes, scale=400.0), labels, *options), far),
        ]

    return draw


def _many(*options):
    rng = np.random.default_rng(0)
    return lambda: (rng.normal(size=(300, 20)), rng.integers(20, size=300), *options)


def _binary(z, labels, q=probabilities):
    """The binary cross-entropy of each entry, as if each class were a question of its own."""
    y, p = one_hot(labels, z.shape[-1]), q(z)
    return -(y * np.log(p) + (1 - y) * np.log(1 - p))


def _sigmoid(z):
    return 1 / (1 + np.exp(-z))


def _wrong_entries(z, labels, value):
    """What stands at the classes that are not the label."""
    return np.where(one_hot(labels, z.shape[-1]) > 0, 0.0, value)


cross_entropy = Task(
    "cross_entropy(logits, labels)",
    """the mean over the batch of ``-log p[label]``, in nats.

    `logits` has the shape ``(N, K)``, `labels` holds N integers from 0 to K - 1. The result is one number, right for
    finite logits of any size.
    """,
    right=lossprimer.cross_entropy,
    steps=_cases(),
    draw=_draw(),
    large=_many(),
    mistakes=[
        Mistake(
            _NOT_AVERAGED,
            _loss(average=np.asarray),
            _loss(average=np.asarray, logs=_log_probabilities),
            _loss(average=np.asarray, logs=_naive),
        ),
        Mistake(
            "These are the losses of the examples, each in a row of its own. The task asks for their mean, one number.",
            lambda z, labels: -_picked(log_softmax(z), labels)[:, None],
            lambda z, labels: -one_hot(labels, z.shape[-1]) * log_softmax(z),
        ),
        Mistake(_SIGN, _loss(sign=1.0), _loss(_naive, sign=1.0), _loss(_log_probabilities, sign=1.0)),
        Mistake(
            _BASE_TWO,
            _loss(lambda z: log_softmax(z) / np.log(2)),
            _loss(lambda z: log_softmax(z) / np.log(10)),
            *(_loss(lambda z, base=base: _from_top(z) - _log_sum(z) / np.log(base)) for base in (2, 10)),
        ),
        Mistake(_SUM, _loss(average=np.sum), _loss(_log_probabilities, np.sum), _loss(_naive, np.sum)),
        Mistake(
            _WRONG_COUNT,
            lambda z, labels: _loss(average=np.sum)(z, labels) / z.size,
            lambda z, labels: _loss(average=np.sum)(z, labels) / z.shape[-1],
        ),
        Mistake(
            "The loss is divided by N - 1. The mean should be over N examples.",
            lambda z, labels: _loss(average=np.sum)(z, labels) / (len(z) - 1),
        ),
        Mistake(
            "The loss is divided by N twice: the mean has done so already.",
            lambda z, labels: _loss()(z, labels) / len(z),
        ),
        Mistake("This is the median of the losses. The task asks for their mean.", _loss(average=np.median)),
        Mistake("This is the largest of the losses. The task asks for their mean.", _loss(average=np.min)),
        Mistake("This is the smallest of the losses. The task asks for their mean.", _loss(average=np.max)),
        Mistake(
            "Only one example counts: the loop returns before its end, or keeps only the last loss.",
            lambda z, labels: -log_softmax(z)[0, labels[0]],
            lambda z, labels: -log_softmax(z)[-1, labels[-1]],
            lambda z, labels: -log_softmax(z)[0, labels[0]] / len(z),
            lambda z, labels: -log_softmax(z)[-1, labels[-1]] / len(z),
            hint="Add the losses up in the loop, and return after it.",
        ),
        Mistake(
            "This is the perplexity, exp of the loss. The task asks for the loss itself.",
            lambda z, labels: np.exp(_loss()(z, labels)),
        ),
        Mistake(
            "This is the product of the labels' probabilities, or their geometric mean. The loss is the logarithm of "
            "the geometric mean, with the sign reversed.",
            lambda z, labels: np.exp(-_loss()(z, labels)),
            lambda z, labels: np.exp(-_loss(average=np.sum)(z, labels)),
        ),
        Mistake(
            "The logarithm is missing. The loss is -log p, not 1 - p and not -p.",
            lambda z, labels: 1 - _picked(probabilities(z), labels).mean(),
            lambda z, labels: -_picked(probabilities(z), labels).mean(),
            lambda z, labels: _picked(probabilities(z), labels).mean(),
        ),
        Mistake(
            "1 is added before the logarithm: np.log1p(p) is log(1 + p).",
            lambda z, labels: -np.log1p(_picked(probabilities(z), labels)).mean(),
        ),
        Mistake(
            "The logarithm is taken of the mean probability. It should be taken for each example, then averaged.",
            lambda z, labels: -np.log(_picked(probabilities(z), labels).mean()),
        ),
        Mistake(
            "logits[:, labels] takes every label from every row.",
            lambda z, labels: -log_softmax(z)[:, labels].mean(),
            lambda z, labels: -log_softmax(z)[:, labels],
            lambda z, labels: -log_softmax(z)[:, labels].sum() / len(z),
            lambda z, labels: -log_softmax(z)[:, labels].sum(),
            lambda z, labels: np.mean(np.log(np.exp(z).sum(axis=-1, keepdims=True)) - z[:, labels]),
            lambda z, labels: np.mean(np.log(np.exp(z).sum(axis=-1)) - z[:, labels]),
            hint="One entry of each row is logits[np.arange(N), labels].",
        ),
        Mistake(
            "The indices are swapped: the label is used where the number of the example belongs.",
            lambda z, labels: -log_softmax(z)[labels, np.arange(len(labels))].mean(),
            hint="logits[np.arange(N), labels]",
        ),
        Mistake(
            "The label picks a row, and not an entry of its row.",
            lambda z, labels: -log_softmax(z)[labels].mean(),
            lambda z, labels: -log_softmax(z)[labels].sum(axis=-1).mean(),
            lambda z, labels: -log_softmax(z)[labels],
            hint="logits[np.arange(N), labels]",
        ),
        Mistake(_FROM_ONE, lambda z, labels: _loss()(z, labels - 1)),
        Mistake(
            "The loss is taken at the class after the label's.",
            lambda z, labels: _loss()(z, (labels + 1) % z.shape[-1]),
            lambda z, labels: _loss()(z, np.minimum(labels + 1, z.shape[-1] - 1)),
        ),
        Mistake(
            "The logarithms are multiplied by the labels themselves. The labels only say which entry to take.",
            lambda z, labels: -(labels[:, None] * log_softmax(z)).sum(axis=-1).mean(),
            lambda z, labels: -(labels[:, None] * log_softmax(z)).mean(),
            lambda z, labels: -(labels * _picked(log_softmax(z), labels)).mean(),
            hint="Take the entry of the label, logits[np.arange(N), labels], or multiply by a one-hot row.",
        ),
        Mistake(
            "The softmax is missing: the logarithm needs probabilities, and logits are not probabilities.",
            lambda z, labels: -_picked(z, labels).mean(),
            lambda z, labels: -_picked(np.log(z), labels).mean(),
            lambda z, labels: -_picked(np.log(np.abs(z)), labels).mean(),
            lambda z, labels: -_picked(np.log(z / z.sum(axis=-1, keepdims=True)), labels).mean(),
            lambda z, labels: -_picked(z, labels).sum(),
        ),
        Mistake(
            "The logit of the label is not subtracted: this is the mean logarithm of the sum alone.",
            lambda z, labels: np.log(np.exp(z).sum(axis=-1)).mean(),
        ),
        Mistake(
            "The logit of the label is added. It should be subtracted from the logarithm of the sum.",
            lambda z, labels: (np.log(np.exp(z).sum(axis=-1)) + _picked(z, labels)).mean(),
        ),
        Mistake(
            "The logarithm of the sum is missing.",
            lambda z, labels: (np.exp(z).sum(axis=-1) - _picked(z, labels)).mean(),
            lambda z, labels: (
                np.exp(z - z.max(axis=-1, keepdims=True)).sum(axis=-1)
                - _picked(z - z.max(axis=-1, keepdims=True), labels)
            ).mean(),
        ),
        Mistake(
            "The logarithm of the sum of the exponentials is missing: what is left is the distance between the "
            "label's logit and the largest one.",
            lambda z, labels: (z.max(axis=-1) - _picked(z, labels)).mean(),
            lambda z, labels: (z.max() - _picked(z, labels)).mean(),
        ),
        Mistake(
            "This is a hinge loss: the distance of the label's logit from its rivals, with a margin of 1. In a "
            "cross-entropy every class takes part, through the logarithm of the sum of the exponentials.",
            lambda z, labels: (
                np.maximum(_wrong_entries(z, labels, z - _picked(z, labels)[:, None] + 1), 0).sum(axis=-1).mean()
            ),
            lambda z, labels: np.maximum(
                0, 1 + np.where(one_hot(labels, z.shape[-1]) > 0, -np.inf, z).max(axis=-1) - _picked(z, labels)
            ).mean(),
        ),
        Mistake(
            "The label is left out of the sum of the exponentials. The label should be in it like every class.",
            lambda z, labels: np.mean(
                np.log((np.exp(z) * (1 - one_hot(labels, z.shape[-1]))).sum(axis=-1)) - _picked(z, labels)
            ),
        ),
        Mistake(_TWICE, lambda z, labels: _loss()(probabilities(z), labels)),
        Mistake(
            "Each logit goes through a sigmoid by itself. The classes exclude each other: softmax compares them.",
            lambda z, labels: -np.log(_picked(_sigmoid(z), labels)).mean(),
            lambda z, labels: _binary(z, labels, _sigmoid).mean(),
            lambda z, labels: _binary(z, labels, _sigmoid).sum(axis=-1).mean(),
        ),
        Mistake(
            "The label is not used: this is the loss of the most likely class. The loss should be that of the label, "
            "however unlikely the label is.",
            lambda z, labels: -log_softmax(z).max(axis=-1).mean(),
        ),
        Mistake(
            "This is the fraction of wrong answers, or of right ones. The loss is the mean of -log p of the label.",
            lambda z, labels: (z.argmax(axis=-1) != labels).mean(),
            lambda z, labels: (z.argmax(axis=-1) == labels).mean(),
        ),
        Mistake(
            "Terms for the wrong classes are added. Cross-entropy with a one-hot label has one term, that of the "
            "label.",
            lambda z, labels: _binary(z, labels).sum(axis=-1).mean(),
            lambda z, labels: _binary(z, labels).mean(),
            lambda z, labels: _binary(z, labels).sum(),
            lambda z, labels: -log_softmax(z).sum(axis=-1).mean(),
            lambda z, labels: -log_softmax(z).mean(),
            lambda z, labels: -log_softmax(z).sum(),
        ),
        Mistake(
            "This is the entropy of the predictions: the logarithms are weighted by p. The label alone has a weight.",
            lambda z, labels: lossprimer.entropy(probabilities(z)).mean(),
            lambda z, labels: -(probabilities(z) * log_softmax(z)).mean(),
            lambda z, labels: -(_picked(probabilities(z), labels) * _picked(log_softmax(z), labels)).mean(),
        ),
        Mistake(
            "This is a squared error. Cross-entropy is -log p of the label.",
            lambda z, labels: ((probabilities(z) - one_hot(labels, z.shape[-1])) ** 2).sum(axis=-1).mean(),
            lambda z, labels: ((probabilities(z) - one_hot(labels, z.shape[-1])) ** 2).mean(),
            lambda z, labels: ((1 - _picked(probabilities(z), labels)) ** 2).mean(),
            lambda z, labels: ((z - one_hot(labels, z.shape[-1])) ** 2).mean(),
        ),
        Mistake(
            "The losses are weighted by 1 - p or a power of it: a focal loss. In a cross-entropy all examples have "
            "the same weight.",
            *(
                lambda z, labels, g=g: (
                    -((1 - _picked(probabilities(z), labels)) ** g * _picked(log_softmax(z), labels)).mean()
                )
                for g in (1.0, 2.0, 5.0)
            ),
        ),
        Mistake(
            "This is the root of the mean square of the losses.",
            lambda z, labels: np.sqrt((_picked(log_softmax(z), labels) ** 2).mean()),
        ),
        Mistake(
            "This is the loss for not being the label, -log(1 - p). The loss of the label is -log p.",
            lambda z, labels: -np.log(1 - _picked(probabilities(z), labels)).mean(),
            lambda z, labels: np.log(1 - _picked(probabilities(z), labels)).mean(),
        ),
        Mistake(
            "Labels and predictions are swapped: the logarithm is that of the one-hot label, weighted by p.",
            *(
                lambda z, labels, e=e: -(probabilities(z) * np.log(one_hot(labels, z.shape[-1]) + e)).sum(-1).mean()
                for e in SMALL_NUMBERS
            ),
        ),
        Mistake(
            "The losses are squared before the mean.", lambda z, labels: (_picked(log_softmax(z), labels) ** 2).mean()
        ),
        Mistake(
            _KEPT_MAXIMUM,
            lambda z, labels: (
                np.log(np.exp(z - z.max(axis=-1, keepdims=True)).sum(axis=-1)) - _picked(z, labels)
            ).mean(),
            lambda z, labels: (np.log(np.exp(z - z.max()).sum(axis=-1)) - _picked(z, labels)).mean(),
            lambda z, labels: (
                np.log(np.exp(z).sum(axis=-1)) - _picked(z - z.max(axis=-1, keepdims=True), labels)
            ).mean(),
        ),
        Mistake(
            _LOG_IS_TAKEN_OF_SUM_OF_LOGS,
            lambda z, labels: (z.sum(axis=-1) - _picked(z, labels)).mean(),
        ),
        Mistake(
            _COLUMNS,
            _loss(lambda z: log_softmax(z, axis=0)),
            _loss(lambda z: np.log(probabilities(z, 0, "none"))),
            _loss(lambda z: np.log(probabilities(z, 0))),
            _loss(lambda z: z - np.log(np.exp(z).sum(axis=0))),
            _loss(lambda z: _from_top(z) - np.log(np.exp(_from_top(z)).sum(axis=0))),
        ),
        Mistake(
            "The sum of row i divides column i: the sums form a row instead of a column, and in a square table "
            "that goes unnoticed.",
            _loss(lambda z: z - np.log(np.exp(z).sum(axis=-1))),
            hint="Sum with keepdims=True.",
        ),
        Mistake(
            _WHOLE,
            _loss(lambda z: log_softmax(z, axis=(0, 1))),
            _loss(lambda z: z - np.log(np.exp(z).sum())),
            _loss(lambda z: _from_top(z) - np.log(np.exp(_from_top(z)).sum())),
            _loss(lambda z: np.log(probabilities(z, None))),
        ),
        Mistake(
            _GLOBAL_MAXIMUM, _loss(lambda z: _naive(z - z.max())), _loss(lambda z: np.log(probabilities(z, top="all")))
        ),
        Mistake(_OVERFLOW, _loss(_naive), _loss(lambda z: np.log(probabilities(z, top="none")))),
        Mistake(
            _OTHER_NUMBER,
            *(_loss(_shifted_by(top)) for top in TOPS),
            *(_loss(lambda z, top=top: np.log(probabilities(z - top(z), top="none"))) for top in TOPS),
        ),
        Mistake(_UNDERFLOW, _loss(_log_probabilities)),
        Mistake(_SMALL_NUMBER, *map(_loss, _SMALL_LOGS)),
    ],
)


def _gradient(p=probabilities, scale=len, sign=1.0):
    """Make a gradient (p - y) / scale(logits)."""
    return lambda z, labels: sign * (p(z) - one_hot(labels, z.shape[-1])) / scale(z)


def _each_scale(gradient):
    """A wrong gradient of each example by itself, averaged or not."""
    return lambda z, labels: gradient(z, labels) / len(z), gradient


def _minus_columns(z, labels):
    p = probabilities(z)
    p[:, labels] -= 1
    return p


def _through_softmax(outer):
    """A gradient with respect to the probabilities, sent through the softmax."""
    return lambda z, labels: lossprimer.softmax_backward(
        outer(probabilities(z), one_hot(labels, z.shape[-1])), probabilities(z)
    )


def _narrow(z, labels):
    """With a one-hot row as long as the largest label, where that fits."""
    return (probabilities(z) - np.eye(labels.max() + 1)[labels]) / len(z)


_SIZE_OF_GRADIENT = Cause(
    "The formula is right, but the numbers break it here. p - y is never larger than 1, however large the logits are.",
    "p - y needs the probabilities alone, with the largest logit of each row subtracted before exp: no logarithm, and "
    "no division by p.",
)

cross_entropy_grad = Task(
    "cross_entropy_grad(logits, labels)",
    """the gradient of the mean loss with respect to the logits.

    `logits` and the result have the shape ``(N, K)``, `labels` holds N integers from 0 to K - 1.
    """,
    right=lossprimer.cross_entropy_grad,
    steps=_cases(far=_SIZE_OF_GRADIENT),
    draw=_draw(far=_SIZE_OF_GRADIENT),
    large=_many(),
    mistakes=[
        Mistake(
            "The gradient is not divided by the batch size. The loss is a mean over N examples.",
            _gradient(scale=lambda z: 1),
            _gradient(lambda z: probabilities(z, top="none"), scale=lambda z: 1),
            hint="Each example counts 1/N.",
        ),
        Mistake(
            "The gradient is divided by the number of classes, or of all entries.",
            _gradient(scale=lambda z: z.size),
            _gradient(scale=lambda z: z.shape[-1]),
            hint="The mean is over the N examples of the batch.",
        ),
        Mistake("The gradient is multiplied by N. It should be divided by N.", _gradient(scale=lambda z: 1 / len(z))),
        Mistake(
            "Only the labels, or only the probabilities, are divided by N. The whole difference should be: use "
            "parentheses.",
            lambda z, labels: probabilities(z) - one_hot(labels, z.shape[-1]) / len(z),
            lambda z, labels: probabilities(z) / len(z) - one_hot(labels, z.shape[-1]),
            hint="(p - y) / N",
        ),
        Mistake("The gradient is divided by N twice.", _gradient(scale=lambda z: len(z) ** 2)),
        Mistake(
            "The sign is reversed. The label's logit has a negative slope, because raising it lowers the loss.",
            _gradient(sign=-1.0),
            _gradient(sign=-1.0, scale=lambda z: 1),
            hint="The gradient is p - y.",
        ),
        Mistake(
            "The labels are not subtracted: these are the probabilities.",
            *_each_scale(lambda z, labels: probabilities(z)),
            hint="The gradient is p - y.",
        ),
        Mistake(
            "The labels are added. They should be subtracted.",
            *_each_scale(lambda z, labels: probabilities(z) + one_hot(labels, z.shape[-1])),
        ),
        Mistake(
            "Only the labels are left: the probabilities are missing.",
            *_each_scale(lambda z, labels: -one_hot(labels, z.shape[-1])),
            *_each_scale(lambda z, labels: one_hot(labels, z.shape[-1])),
            hint="The gradient is p - y.",
        ),
        Mistake(
            "p[:, labels] takes every label from every row.",
            *_each_scale(_minus_columns),
            hint="One entry of each row is p[np.arange(N), labels].",
        ),
        Mistake(
            "The number of the label is subtracted instead of a one-hot row.",
            *_each_scale(lambda z, labels: probabilities(z) - labels[:, None]),
            lambda z, labels: (probabilities(z) - labels) / len(z),
            hint="Subtract 1 at one place of each row: p[np.arange(N), labels] -= 1.",
        ),
        Mistake(
            "1 is subtracted from whole rows, or from the rows that the labels name, and not at one place of each row.",
            *_each_scale(lambda z, labels: probabilities(z) - 1),
            *_each_scale(
                lambda z, labels: probabilities(z) - np.isin(np.arange(len(z)), labels)[:, None].astype(float)
            ),
            hint="p[np.arange(N), labels] -= 1",
        ),
        Mistake(
            "The indices are swapped: the label is used where the number of the example belongs.",
            *_each_scale(lambda z, labels: probabilities(z) - one_hot(labels, z.shape[-1])[: z.shape[-1]].T),
            hint="p[np.arange(N), labels] -= 1",
        ),
        Mistake(
            "The one-hot rows have as many columns as there are examples. They need one for each class.",
            lambda z, labels: (probabilities(z) - np.eye(len(labels))[labels]) / len(z),
            lambda z, labels: probabilities(z) - np.eye(len(labels))[labels],
        ),
        Mistake(
            "1 is subtracted at the class before the label's.",
            lambda z, labels: _gradient()(z, labels - 1),
            lambda z, labels: _gradient(scale=lambda z: 1)(z, labels - 1),
            hint="The labels count from 0, as NumPy does.",
        ),
        Mistake(
            "1 is subtracted at the most likely class. It should be subtracted at the label.",
            lambda z, labels: _gradient()(z, z.argmax(axis=-1)),
        ),
        Mistake(
            "This is the gradient with respect to the probabilities, -y/p. The chain rule should go on through the "
            "softmax.",
            *_each_scale(lambda z, labels: -one_hot(labels, z.shape[-1]) / probabilities(z)),
            hint="Through the softmax -y/p becomes p - y.",
        ),
        Mistake(
            "p - y is sent through the softmax once more, which makes the gradient of a squared error. It is the "
            "gradient with respect to the logits already.",
            *_each_scale(_through_softmax(lambda p, y: p - y)),
            *_each_scale(_through_softmax(lambda p, y: 2 * (p - y))),
        ),
        Mistake(
            "The gradient has a factor 2, as that of a squared error. The gradient of the cross-entropy is p - y.",
            *_each_scale(lambda z, labels: 2 * (probabilities(z) - one_hot(labels, z.shape[-1]))),
        ),
        Mistake(
            "p - y is multiplied by p (1 - p), the slope of a sigmoid. The derivative of the softmax is in p - y "
            "already.",
            *_each_scale(
                lambda z, labels: (
                    (probabilities(z) - one_hot(labels, z.shape[-1])) * probabilities(z) * (1 - probabilities(z))
                )
            ),
        ),
        Mistake(
            "This is p (1 - p), the diagonal of the softmax's derivative, without the loss.",
            *_each_scale(lambda z, labels: probabilities(z) * (1 - probabilities(z))),
        ),
        Mistake(
            "This is the gradient of a yes-or-no question for each class. With a one-hot label only the label has a "
            "term.",
            *_each_scale(
                lambda z, labels: (
                    (probabilities(z) - one_hot(labels, z.shape[-1])) / (probabilities(z) * (1 - probabilities(z)))
                )
            ),
            *_each_scale(lambda z, labels: _sigmoid(z) - one_hot(labels, z.shape[-1])),
        ),
        Mistake(
            "The softmax is missing: y is subtracted from the logits themselves.",
            *_each_scale(_gradient(p=lambda z: z, scale=lambda z: 1)),
        ),
        Mistake(
            "y is subtracted from the logarithms of the probabilities.",
            *_each_scale(_gradient(p=log_softmax, scale=lambda z: 1)),
            hint="The gradient is p - y.",
        ),
        Mistake(_TWICE, *_each_scale(_gradient(p=lambda z: probabilities(probabilities(z)), scale=lambda z: 1))),
        Mistake(
            "This is the loss. The task asks for its gradient, one number for each logit.",
            _loss(),
            _loss(average=np.asarray),
        ),
        Mistake(
            "p - y is multiplied by the loss. The gradient is p - y alone.",
            lambda z, labels: _gradient()(z, labels) * _loss()(z, labels),
            lambda z, labels: _gradient()(z, labels) * -_picked(log_softmax(z), labels)[:, None],
        ),
        Mistake(
            _COLUMNS,
            *_each_scale(_gradient(p=lambda z: probabilities(z, 0), scale=lambda z: 1)),
            _gradient(p=lambda z: probabilities(z, 0, "none")),
        ),
        Mistake(
            "The sum of row i divides column i: the sums form a row instead of a column, and in a square table "
            "that goes unnoticed.",
            _gradient(p=lambda z: np.exp(z) / np.exp(z).sum(axis=-1)),
            hint="Sum with keepdims=True.",
        ),
        Mistake(
            "The exponentials are not divided by their sum.",
            *_each_scale(_gradient(p=np.exp, scale=lambda z: 1)),
            *_each_scale(_gradient(p=lambda z: np.exp(z - z.max(axis=-1, keepdims=True)), scale=lambda z: 1)),
        ),
        Mistake(_WHOLE, *_each_scale(_gradient(p=lambda z: probabilities(z, None), scale=lambda z: 1))),
        Mistake(_GLOBAL_MAXIMUM, _gradient(p=lambda z: probabilities(z, top="all"))),
        Mistake(_OVERFLOW, _gradient(p=lambda z: probabilities(z, top="none"))),
        Mistake(
            _OTHER_NUMBER,
            *(_gradient(p=lambda z, top=top: probabilities(z - top(z), top="none")) for top in TOPS),
        ),
        Mistake(
            "Only the entry of the label is kept. Every class has a slope: the wrong ones are pushed down by p.",
            *_each_scale(lambda z, labels: _gradient(scale=lambda z: 1)(z, labels) * one_hot(labels, z.shape[-1])),
        ),
        Mistake(
            "The entry of the label is missing: only the wrong classes have a slope.",
            *_each_scale(lambda z, labels: probabilities(z) * (1 - one_hot(labels, z.shape[-1]))),
        ),
        Mistake(
            "The label's entry is -p. It should be p - 1.",
            *_each_scale(
                lambda z, labels: np.where(one_hot(labels, z.shape[-1]) > 0, -probabilities(z), probabilities(z))
            ),
        ),
        Mistake(
            "The gradients of the examples are added up. Each logit should keep its own.",
            lambda z, labels: _gradient()(z, labels).sum(axis=0),
            lambda z, labels: _gradient(scale=lambda z: 1)(z, labels).sum(axis=0),
        ),
    ],
)


def _soft(labels, classes, smoothing):
    return (1 - smoothing) * one_hot(labels, classes) + smoothing / classes


def _smoothed(target=_soft, logs=log_softmax, average=np.mean, sign=-1.0):
    """Make a smoothed loss from targets, a way to get the logarithms of the probabilities and a way to average."""
    return lambda z, labels, smoothing: sign * average((target(labels, z.shape[-1], smoothing) * logs(z)).sum(axis=-1))


def _target(label, others):
    """Make targets from what the label gets and what each other class gets, of the smoothing e and the classes k."""
    return lambda labels, k, e: np.where(one_hot(labels, k) > 0, label(e, k), others(e, k))


def _spread(z):
    """What all classes alike cost, for each example."""
    return -log_softmax(z).mean(axis=-1)


_SMOOTHED_CASES = _cases(0.1)
_ZERO = Case(
    "smoothing 0 is the plain loss, confident and right",
    (np.array([[1000.0, 0.0]]), np.array([0]), 0.0),
    Cause(
        "A class has the weight 0 and the logarithm -inf, and 0 times -inf is nan.",
        "Compute the logarithms from the logits; then none of them is -inf.",
    ),
)

smoothed_cross_entropy = Task(
    "smoothed_cross_entropy(logits, labels, smoothing)",
    """the mean loss against softened labels.

    The target of an example is ``1 - smoothing`` times its one-hot label plus ``smoothing / K`` for each of the K
    classes. Shapes as in ``cross_entropy``; the result is one number.
    """,
    right=lambda logits, labels, smoothing: lossprimer.cross_entropy(logits, labels, label_smoothing=smoothing),
    steps=[
        Case("one example by hand", (_HAND, np.array([2]), 0.3)),
        *_SMOOTHED_CASES[1:6],
        Case("three examples, smoothing 0.6", (_THREE, _THREE_LABELS, 0.6)),
        Case("with smoothing 1 the label does not matter", (_LOGITS, _LABELS, 1.0)),
        *_SMOOTHED_CASES[6:],
        _ZERO,
    ],
    draw=lambda rng: _draw(float(rng.choice([0.05, 0.2, 0.4])))(rng),
    large=_many(0.1),
    mistakes=[
        Mistake(_NOT_AVERAGED, _smoothed(average=np.asarray), _smoothed(logs=_naive, average=np.asarray)),
        Mistake(
            "The smoothing is divided among the K - 1 other classes. It should be divided among all K, the label "
            "included.",
            _smoothed(_target(lambda e, k: 1 - e, lambda e, k: e / (k - 1))),
            hint="smoothing / K each.",
        ),
        Mistake(
            "Every class gets smoothing / (K - 1). The smoothing should be divided among all K classes.",
            _smoothed(_target(lambda e, k: 1 - e + e / (k - 1), lambda e, k: e / (k - 1))),
            _smoothed(_target(lambda e, k: 1.0, lambda e, k: e / (k - 1))),
            _smoothed(_target(lambda e, k: 1 - e - e / (k - 1), lambda e, k: e / (k - 1))),
            hint="smoothing / K each, and 1 - smoothing more at the label.",
        ),
        Mistake(
            "The label gets only 1 - smoothing. It should also get its part of the smoothing.",
            _smoothed(_target(lambda e, k: 1 - e, lambda e, k: e / k)),
            hint="1 - smoothing + smoothing / K.",
        ),
        Mistake(
            "The label keeps its full 1, so the target adds up to more than 1.",
            _smoothed(_target(lambda e, k: 1 + e / k, lambda e, k: e / k)),
            _smoothed(_target(lambda e, k: 1.0, lambda e, k: e / k)),
            lambda z, labels, e: _loss()(z, labels) + e * _spread(z).mean(),
            hint="It gets 1 - smoothing, plus smoothing / K.",
        ),
        Mistake(
            "The target is divided by 1 + smoothing, another way to make it add up to 1.",
            _smoothed(lambda labels, k, e: (one_hot(labels, k) + e / k) / (1 + e)),
            _smoothed(lambda labels, k, e: (one_hot(labels, k) + e) / (1 + e * k)),
            hint="(1 - smoothing) times the one-hot label, plus smoothing / K.",
        ),
        Mistake(
            "Every class gets the whole smoothing. It should be divided among them.",
            _smoothed(_target(lambda e, k: 1.0, lambda e, k: e)),
            _smoothed(_target(lambda e, k: 1 - e, lambda e, k: e)),
            _smoothed(_target(lambda e, k: 1.0 + e, lambda e, k: e)),
            hint="smoothing / K each.",
        ),
        Mistake(
            "The smoothing is halved, as it is for two classes. Each of the K classes gets smoothing / K.",
            _smoothed(_target(lambda e, k: 1 - e / 2, lambda e, k: e / 2)),
            _smoothed(_target(lambda e, k: 1 - e + e / 2, lambda e, k: e / 2)),
            _smoothed(_target(lambda e, k: 1 - e / 2, lambda e, k: e / 2 / (k - 1))),
        ),
        Mistake(
            "The label loses only smoothing / K. It should lose the whole smoothing and get its part back.",
            _smoothed(_target(lambda e, k: 1 - e / k, lambda e, k: e / k)),
            hint="1 - smoothing + smoothing / K.",
        ),
        Mistake(
            "The one-hot label is multiplied by smoothing. It should be multiplied by 1 - smoothing.",
            _smoothed(_target(lambda e, k: e + e / k, lambda e, k: e / k)),
            _smoothed(_target(lambda e, k: e, lambda e, k: e / k)),
            hint="(1 - smoothing) times the one-hot label, plus smoothing / K.",
        ),
        Mistake(
            "The smoothing is multiplied by K. It should be divided by K, the number of classes.",
            _smoothed(_target(lambda e, k: 1 - e + e * k, lambda e, k: e * k)),
        ),
        Mistake(
            "The smoothing of the label and that of the other classes are not the same: the target does not add up to "
            "1.",
            _smoothed(_target(lambda e, k: 1 - e + e / k, lambda e, k: e / (k - 1))),
            _smoothed(_target(lambda e, k: 1 - e - e / k, lambda e, k: e / k)),
            _smoothed(_target(lambda e, k: (1 - e) * (1 + e / k), lambda e, k: e / k)),
        ),
        Mistake(
            "Every class gets 1 / K, whatever the smoothing is. Together they should get the smoothing.",
            _smoothed(_target(lambda e, k: 1 - e + 1 / k, lambda e, k: 1 / k)),
            _smoothed(_target(lambda e, k: 1 + 1 / k, lambda e, k: 1 / k)),
            _smoothed(_target(lambda e, k: 1 - e, lambda e, k: 1 / k)),
            hint="smoothing / K each.",
        ),
        Mistake(
            "smoothing and 1 - smoothing are swapped: a small smoothing keeps most of the label.",
            _smoothed(lambda labels, k, e: _soft(labels, k, 1 - e)),
            _smoothed(_target(lambda e, k: e, lambda e, k: (1 - e) / (k - 1))),
            lambda z, labels, e: e * _loss()(z, labels) + (1 - e) * _spread(z).mean() * z.shape[-1],
        ),
        Mistake("The smoothing is not used: this is the plain loss.", lambda z, labels, e: _loss()(z, labels)),
        Mistake(
            "The smoothing part is missing: the plain loss is multiplied by 1 - smoothing, and nothing is added.",
            lambda z, labels, e: (1 - e) * _loss()(z, labels),
            lambda z, labels, e: (1 - e + e / z.shape[-1]) * _loss()(z, labels),
        ),
        Mistake(
            "The plain loss is missing: this is the smoothing part alone.",
            lambda z, labels, e: e * _spread(z).mean(),
            lambda z, labels, e: _spread(z).mean(),
        ),
        Mistake(
            "The smoothing part is subtracted. It should be added.",
            lambda z, labels, e: (1 - e) * _loss()(z, labels) - e * _spread(z).mean(),
        ),
        Mistake(
            "The smoothing part is divided by K twice, or by K and N: the mean has done so already.",
            lambda z, labels, e: (1 - e) * _loss()(z, labels) + e * _spread(z).mean() / z.shape[-1],
            lambda z, labels, e: (1 - e) * _loss()(z, labels) + e * _spread(z).mean() / len(z),
        ),
        Mistake(
            "The smoothing part is a sum over the examples, and the other part a mean.",
            lambda z, labels, e: (1 - e) * _loss()(z, labels) + e * _spread(z).sum(),
            lambda z, labels, e: (1 - e) * _loss(average=np.sum)(z, labels) + e * _spread(z).mean(),
        ),
        Mistake(
            "The logarithm of the mean probability stands in the smoothing part, and that is always -log K.",
            lambda z, labels, e: (1 - e) * _loss()(z, labels) + e * np.log(z.shape[-1]),
            lambda z, labels, e: (1 - e) * _loss()(z, labels) + e / z.shape[-1],
            lambda z, labels, e: _loss()(z, labels) + e / z.shape[-1],
            hint="The smoothing part is the mean of -log p over the classes.",
        ),
        Mistake(
            "The smoothing part is weighted by the predictions, which makes it an entropy. All classes should have "
            "the same weight, 1/K.",
            lambda z, labels, e: (1 - e) * _loss()(z, labels) + e * lossprimer.entropy(probabilities(z)).mean(),
            lambda z, labels, e: (1 - e) * _loss()(z, labels) - e * lossprimer.entropy(probabilities(z)).mean(),
            lambda z, labels, e: _loss()(z, labels) - e * lossprimer.entropy(probabilities(z)).mean(),
        ),
        Mistake(
            "The entropy of the target is subtracted: that is the divergence from it. The task asks for the "
            "cross-entropy.",
            lambda z, labels, e: _smoothed()(z, labels, e) - lossprimer.entropy(_soft(labels, z.shape[-1], e)).mean(),
        ),
        Mistake(
            "The probabilities are smoothed. The label should be smoothed.",
            lambda z, labels, e: _loss(lambda z: np.log((1 - e) * probabilities(z) + e / z.shape[-1]))(z, labels),
            lambda z, labels, e: _loss(lambda z: log_softmax((1 - e) * z + e / z.shape[-1]))(z, labels),
            lambda z, labels, e: _loss(lambda z: np.log(probabilities(z) + e))(z, labels),
        ),
        Mistake(
            "The smoothing part is the divergence from equal probabilities: log K is subtracted. It should be a "
            "cross-entropy.",
            lambda z, labels, e: (1 - e) * _loss()(z, labels) + e * (_spread(z).mean() - np.log(z.shape[-1])),
            lambda z, labels, e: _loss()(z, labels) + e * (_spread(z).mean() - np.log(z.shape[-1])),
        ),
        Mistake(
            "The smoothing is divided by N, the number of examples. It should be divided by K, the number of classes.",
            lambda z, labels, e: _smoothed(lambda y, k, e: (1 - e) * one_hot(y, k) + e / len(z))(z, labels, e),
        ),
        Mistake(
            "A softmax is applied to the smoothed target, which adds up to 1 as it is.",
            _smoothed(lambda labels, k, e: probabilities(_soft(labels, k, e))),
        ),
        Mistake(_SIGN, _smoothed(sign=1.0)),
        Mistake(
            _BASE_TWO,
            _smoothed(logs=lambda z: log_softmax(z) / np.log(2)),
            _smoothed(logs=lambda z: log_softmax(z) / np.log(10)),
        ),
        Mistake(_SUM, _smoothed(average=np.sum)),
        Mistake(
            _WRONG_COUNT,
            lambda z, labels, e: _smoothed(average=np.sum)(z, labels, e) / z.size,
            lambda z, labels, e: _smoothed(average=np.sum)(z, labels, e) / z.shape[-1],
        ),
        Mistake(
            "The logarithm is missing: the target weights the probabilities themselves.",
            _smoothed(logs=probabilities),
            lambda z, labels, e: 1 - _smoothed(logs=probabilities, sign=1.0)(z, labels, e),
        ),
        Mistake("The softmax is missing: the target weights the logits themselves.", _smoothed(logs=lambda z: z)),
        Mistake(_TWICE, _smoothed(logs=lambda z: log_softmax(probabilities(z)))),
        Mistake(
            _FROM_ONE,
            lambda z, labels, e: _smoothed()(z, labels - 1, e),
        ),
        Mistake(
            "Each class has a term for its opposite, too, as in a yes-or-no question. Cross-entropy weights log p "
            "with the target, and nothing else.",
            lambda z, labels, e: _binary_smoothed(z, labels, e).sum(axis=-1).mean(),
            lambda z, labels, e: _binary_smoothed(z, labels, e).mean(),
        ),
        Mistake(
            _COLUMNS,
            _smoothed(logs=lambda z: log_softmax(z, axis=0)),
            _smoothed(logs=lambda z: np.log(probabilities(z, 0))),
        ),
        Mistake(_WHOLE, _smoothed(logs=lambda z: log_softmax(z, axis=(0, 1)))),
        Mistake(
            _GLOBAL_MAXIMUM,
            _smoothed(logs=lambda z: _naive(z - z.max())),
            _smoothed(logs=lambda z: np.log(probabilities(z, top="all"))),
        ),
        Mistake(_OVERFLOW, _smoothed(logs=_naive), _smoothed(logs=lambda z: np.log(probabilities(z, top="none")))),
        Mistake(_UNDERFLOW, _smoothed(logs=_log_probabilities)),
        Mistake(_SMALL_NUMBER, *(_smoothed(logs=logs) for logs in _SMALL_LOGS)),
        Mistake(
            _OTHER_NUMBER,
            *(_smoothed(logs=_shifted_by(top)) for top in TOPS),
        ),
    ],
)


def _binary_smoothed(z, labels, smoothing):
    y, p = _soft(labels, z.shape[-1], smoothing), probabilities(z)
    return -(y * np.log(p) + (1 - y) * np.log(1 - p))


def _terms(p, q, log=np.log):
    """What each class adds to the divergence, 0 where p is."""
    return np.where(p > 0, p * (log(np.where(p > 0, p, 1)) - log(q)), 0.0)


def _divergence(p, q):
    return _terms(p, q).sum(axis=-1)


def _above(limit, p, q):
    """The divergence over the classes of which p says more than a limit."""
    return np.where(p > limit, _terms(p, q), 0.0).sum(axis=-1)


def _normalized(p):
    return p / p.sum(axis=-1, keepdims=True)


_P = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.25, 0.25, 0.5]])
_Q = np.array([[0.5, 0.25, 0.25], [0.3, 0.3, 0.4], [0.1, 0.8, 0.1]])
_THRESHOLD = Cause(
    "Classes with a small p are left out. Only those with p = 0 add nothing: 0.001 log(0.001/q) is a number like any "
    "other.",
    "Compare with 0: np.where(p > 0, ..., 0).",
)
_SMALL_ADDED = Cause(
    "A small number is added to the probabilities, or they are clipped. That makes an infinite divergence finite and "
    "the others wrong.",
    "Sum where p > 0, and let log 0 be -inf.",
)


def _draw_pairs(rng):
    rows, classes = (int(n) for n in rng.integers(2, 6, size=2))
    p, q = (distributions(scores(rng, 2, rows, classes, scale=1.0)) for _ in range(2))
    never = distributions(np.where(np.arange(classes) == 0, -np.inf, scores(rng, rows, classes)))
    return [
        Case("two rows of distributions", (p[0], q[0])),
        Case("three axes", (p, q)),
        Case("a class that never occurs", (never, q[0])),
    ]


def _many_pairs():
    rng = np.random.default_rng(0)
    return tuple(probabilities(rng.normal(size=(200, 20))) for _ in range(2))


kl_divergence = Task(
    "kl_divergence(p, q)",
    """the sum of ``p log(p / q)`` over the last axis, in nats.

    Both have the shape ``(..., K)``, the result ``(...)``. A class with p = 0 adds 0; where q = 0 < p the result is
    infinite.
    """,
    right=lossprimer.kl_divergence,
    steps=[
        Case("a coin by hand", (np.array([0.75, 0.25]), np.array([0.5, 0.5]))),
        Case("a distribution and itself: 0", (_P[0], _P[0])),
        Case("three rows of distributions", (_P, _Q)),
        Case("two rows of three classes", (_P[1:], _Q[1:])),
        Case("three axes", (np.stack([_P, _Q]), np.stack([_Q, _P]))),
        Case("float32", (_P.astype(np.float32), _Q.astype(np.float32))),
        Case(
            "a class that never occurs under p adds 0",
            (np.array([0.0, 0.5, 0.5]), np.array([0.2, 0.3, 0.5])),
            Cause(
                "0 log 0 is 0 in a divergence, and nan in a computer.",
                "Add only the classes with p > 0.",
            ),
        ),
        Case(
            "a class that occurs under neither adds 0",
            (np.array([0.0, 0.5, 0.5]), np.array([0.0, 0.25, 0.75])),
            Cause(
                "0 log(0/0) is 0 in a divergence, and nan in a computer.",
                "Add only the classes with p > 0.",
            ),
        ),
        Case(
            "a class that q rules out and that occurs under p: infinite",
            (np.array([0.5, 0.5]), np.array([1.0, 0.0])),
            "Where q = 0 < p the divergence is infinite: q calls something impossible that does happen.",
        ),
        Case(
            "a class that q rules out and that rarely occurs under p: infinite",
            (np.array([[1e-6, 1 - 1e-6], [1e-300, 1.0]]), np.array([[0.0, 1.0], [0.0, 1.0]])),
            "Where q = 0 < p the divergence is infinite, however small p is.",
        ),
        Case(
            "a class with p = 0.001 counts",
            (np.array([[0.001, 0.999], [0.97, 0.03]]), np.array([[0.5, 0.5], [0.03, 0.97]])),
            "A small probability is not 0.",
        ),
        Case(
            "a class with p = 0.000001 counts",
            (np.array([1e-6, 1 - 1e-6]), np.array([0.5, 0.5])),
            "A small probability is not 0.",
        ),
        Case(
            "very small probabilities",
            (np.array([1e-200, 1.0]), np.array([0.5, 0.5])),
            Cause("A small probability is not 0.", "Is it compared with a threshold, or is it squared somewhere?"),
        ),
        Case(
            "a very small q",
            (np.array([0.5, 0.5]), np.array([1e-200, 1.0])),
            Cause("A small probability is not 0: its logarithm is finite.", "Nothing needs to be added to it."),
        ),
        Case(
            "a very small q under a p that is small",
            (np.array([1e-10, 1 - 1e-10]), np.array([1e-300, 1.0])),
            Cause("A small probability is not 0: its logarithm is finite.", "Nothing needs to be added to it."),
        ),
    ],
    draw=_draw_pairs,
    large=_many_pairs,
    mistakes=[
        Mistake(
            "p and q are swapped. The divergence is not a distance: the weights are those of the first, p.",
            lambda p, q: _divergence(q, p),
            lambda p, q: (q * np.log(q / p)).sum(axis=-1),
        ),
        Mistake(
            "The fraction is upside down, q / p: the divergence becomes negative.",
            lambda p, q: (p * np.log(q / p)).sum(axis=-1),
        ),
        Mistake("The sign is reversed. A divergence is never negative.", lambda p, q: -_divergence(p, q)),
        Mistake(
            "The logarithms are right, but the weight is q. It should be p, what really happens.",
            lambda p, q: (q * np.log(p / q)).sum(axis=-1),
        ),
        Mistake(
            "0 times log 0 is nan here. A class with p = 0 adds 0.",
            lambda p, q: (p * np.log(p / q)).sum(axis=-1),
            lambda p, q: (p * (np.log(p) - np.log(q))).sum(axis=-1),
            hint="Sum only where p > 0, for instance with np.where.",
        ),
        Mistake(
            _SMALL_ADDED,
            *(lambda p, q, e=e: (p * np.log((p + e) / (q + e))).sum(axis=-1) for e in SMALL_NUMBERS),
            *(lambda p, q, e=e: (p * np.log(p / q + e)).sum(axis=-1) for e in SMALL_NUMBERS),
            *(lambda p, q, e=e: ((p + e) * np.log((p + e) / (q + e))).sum(axis=-1) for e in SMALL_NUMBERS),
            *(lambda p, q, e=e: _divergence(np.clip(p, e, 1), np.clip(q, e, 1)) for e in SMALL_NUMBERS),
            *(lambda p, q, e=e: _divergence(p, np.clip(q, e, 1)) for e in SMALL_NUMBERS),
            *(lambda p, q, e=e: _divergence(np.clip(p, e, 1 - e), np.clip(q, e, 1 - e)) for e in SMALL_NUMBERS),
            *(lambda p, q, e=e: _divergence(p, q + e) for e in SMALL_NUMBERS),
            *(lambda p, q, e=e: _divergence(_normalized(p + e), _normalized(q + e)) for e in SMALL_NUMBERS),
        ),
        Mistake(
            _THRESHOLD,
            *(
                lambda p, q, limit=limit: _above(limit, p, q)
                for limit in (0.05, 0.03, 0.02, *SMALL_NUMBERS)
                if 1e-301 < limit < 0.06
            ),
        ),
        Mistake(
            "The logarithm has base 2 or 10: the divergence is not in nats.",
            lambda p, q: _divergence(p, q) / np.log(2),
            lambda p, q: _divergence(p, q) / np.log(10),
            hint="np.log is the natural one.",
        ),
        Mistake(
            "The rows are added up. Each pair of rows should have a divergence of its own.",
            lambda p, q: _terms(p, q).sum(),
            hint="axis=-1",
        ),
        Mistake(
            "The rows are averaged. Each pair of rows should have a divergence of its own.",
            lambda p, q: _divergence(p, q).mean(),
            lambda p, q: _terms(p, q).sum() / len(p),
            hint="axis=-1",
        ),
        Mistake(
            "The classes are averaged. Their terms should be added up; p is the weight already.",
            lambda p, q: _terms(p, q).mean(axis=-1),
            lambda p, q: _terms(p, q).mean(),
        ),
        Mistake(
            "The sum goes over the rows.",
            lambda p, q: _terms(p, q).sum(axis=0),
            lambda p, q: _terms(p, q).sum(axis=second(p)),
            hint="The classes are on the last axis: axis=-1.",
        ),
        Mistake(
            "The sum keeps its axis: each divergence stands in a row of its own.",
            lambda p, q: _terms(p, q).sum(axis=-1, keepdims=True),
            hint="keepdims=True keeps the axis; leave it out here.",
        ),
        Mistake("The terms are not added up.", _terms),
        Mistake(
            "This is the cross-entropy, -sum p log q. The divergence is only what goes beyond the entropy of p.",
            lambda p, q: -(p * np.log(q)).sum(axis=-1),
            lambda p, q: (p * np.log(q)).sum(axis=-1),
        ),
        Mistake(
            "This is the entropy of p. The divergence compares p with q.",
            lambda p, q: lossprimer.entropy(p),
            lambda p, q: -lossprimer.entropy(p),
        ),
        Mistake(
            "This is the difference of two entropies, sum p log p - sum q log q. Both logarithms have the weight p.",
            lambda p, q: (p * np.log(p) - q * np.log(q)).sum(axis=-1),
            lambda p, q: lossprimer.entropy(q) - lossprimer.entropy(p),
            lambda p, q: lossprimer.entropy(p) - lossprimer.entropy(q),
        ),
        Mistake(
            "The logarithms are added: log(p q). The divergence has their difference, log(p / q).",
            lambda p, q: (p * np.log(p * q)).sum(axis=-1),
            lambda p, q: (p * (np.log(p) + np.log(q))).sum(axis=-1),
        ),
        Mistake(
            "The quotient of two logarithms is used in place of the logarithm of the quotient.",
            lambda p, q: (p * np.log(p) / np.log(q)).sum(axis=-1),
        ),
        Mistake(
            "The weights p are missing: the logarithms of the ratios are added up as they are.",
            lambda p, q: np.log(p / q).sum(axis=-1),
            lambda p, q: np.abs(np.log(p / q)).sum(axis=-1),
        ),
        Mistake(
            "The logarithm is missing: the ratios are weighted as they are.",
            lambda p, q: (p * (p / q)).sum(axis=-1),
            lambda p, q: (p * (p - q)).sum(axis=-1),
            lambda p, q: ((p - q) ** 2 / q).sum(axis=-1),
        ),
        Mistake(
            "The logarithm is taken of the whole sum. Each class should have a logarithm of its own.",
            lambda p, q: np.log((p / q).sum(axis=-1)),
            lambda p, q: np.log((p * p / q).sum(axis=-1)),
        ),
        Mistake(
            "This is a distance between the probabilities, without a logarithm.",
            lambda p, q: np.abs(p - q).sum(axis=-1),
            lambda p, q: np.abs(p - q).sum(axis=-1) / 2,
            lambda p, q: ((p - q) ** 2).sum(axis=-1),
            lambda p, q: np.sqrt(((p - q) ** 2).sum(axis=-1)),
            lambda p, q: ((p - q) ** 2).mean(axis=-1),
        ),
        Mistake(
            "Both directions are averaged or added. The divergence of p from q has one.",
            lambda p, q: _divergence(p, q) + _divergence(q, p),
            lambda p, q: (_divergence(p, q) + _divergence(q, p)) / 2,
            lambda p, q: ((p - q) * np.log(p / q)).sum(axis=-1),
        ),
        Mistake(
            "p and q are compared with their mean: that is the Jensen-Shannon divergence. p should be compared with q "
            "itself.",
            lambda p, q: (_divergence(p, (p + q) / 2) + _divergence(q, (p + q) / 2)) / 2,
            lambda p, q: _divergence(p, (p + q) / 2) + _divergence(q, (p + q) / 2),
            lambda p, q: _divergence(p, (p + q) / 2),
            lambda p, q: np.sqrt((_divergence(p, (p + q) / 2) + _divergence(q, (p + q) / 2)) / 2),
        ),
        Mistake(
            "A term for the opposite of each class is added, (1 - p) log((1 - p)/(1 - q)). The sum of p log(p/q) over "
            "the classes is all there is.",
            lambda p, q: (p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))).sum(axis=-1),
        ),
        Mistake(
            "p or q is treated as scores or as logarithms. They are probabilities already.",
            lambda p, q: _divergence(probabilities(p), probabilities(q)),
            lambda p, q: _divergence(p, probabilities(q)),
            lambda p, q: (p * (np.log(p) - q)).sum(axis=-1),
            lambda p, q: (np.exp(p) * (p - q)).sum(axis=-1),
        ),
        Mistake(
            "Classes with q = 0 are left out. Only those with p = 0 are: where q = 0 < p the divergence is infinite.",
            lambda p, q: np.where((p > 0) & (q > 0), _terms(p, q), 0.0).sum(axis=-1),
            lambda p, q: np.where(q > 0, p * np.log(p / q), 0.0).sum(axis=-1),
        ),
        Mistake(
            "An infinite term is replaced by 0 or by a large number.",
            lambda p, q: np.nan_to_num(p * np.log(p / q)).sum(axis=-1),
            lambda p, q: np.nan_to_num(p * np.log(p / q), posinf=1.0).sum(axis=-1),
            lambda p, q: np.minimum(_terms(p, q), 100.0).sum(axis=-1),
            hint="Where q = 0 < p the divergence is infinite. Only the nan of p = 0 is to become 0.",
        ),
        Mistake(
            "A root is taken, or a square. The divergence is the sum itself.",
            lambda p, q: np.sqrt(_divergence(p, q)),
            lambda p, q: _divergence(p, q) ** 2,
        ),
        Mistake(
            "Negative terms are clipped, or their signs are reversed. They belong to the sum.",
            lambda p, q: np.maximum(_terms(p, q), 0).sum(axis=-1),
            lambda p, q: np.abs(_terms(p, q)).sum(axis=-1),
        ),
    ],
)
