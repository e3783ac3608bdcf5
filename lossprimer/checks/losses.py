"""The tasks of chapter 2: cross-entropy, its gradient, label smoothing, and the KL divergence."""

import numpy as np

import lossprimer
from lossprimer.checks.probability import log_of_probabilities, probabilities, scores, second
from lossprimer.checks.task import Case, Mistake, Task
from lossprimer.probability import log_softmax, one_hot


def _log_probabilities(z):
    """The logarithm of the softmax, which nothing keeps finite."""
    return np.log(probabilities(z))


def _naive(z):
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


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
_REPEATED = np.array([1, 1])
_SURE_AND_WRONG = np.array([[1000.0, 0.0, -500.0], [1.0, 2.0, 0.5]])
_LEVELS = np.array([[1000.0, 999.0, 998.0], [2.0, 1.0, 0.0]])
_COLD = np.array([[-1000.0, -1001.0], [-998.0, -1000.0]])
_SINGLE = np.array([[200.0, 0.0, 1.0], [1.0, 2.0, 0.5]], dtype=np.float32)

_OVERFLOW = (
    "The exponential of a large logit is infinite, and that of a very negative one is 0. Subtract the largest logit of "
    "each row before exp."
)
_UNDERFLOW = (
    "The probability of the label underflows to 0, and its logarithm is -inf. Do not take the log of a probability: "
    "compute log(sum(exp(z))) - z[label], with the largest logit subtracted."
)
_SMALL_NUMBER = (
    "A small number is added to the probability, or it is clipped, before the log. That hides the -inf and puts a "
    "wrong loss in its place. Compute log(sum(exp(z))) - z[label] with the largest logit subtracted."
)
_BASE_TWO = "The logarithm has base 2 or 10: the loss is not in nats. np.log is the natural one."
_SUM = "The losses are added up. Divide by the number of examples: the mean over the batch."
_WRONG_COUNT = (
    "The loss is divided by the number of classes, or of all entries. The mean is over the N examples of the batch."
)
_SIGN = "The sign is reversed. A loss is -log p, which is never negative."
_COLUMNS = "The softmax goes over the examples. The classes are on the last axis: axis=-1."
_WHOLE = "The softmax goes over the whole batch at once. Each example has a softmax of its own: axis=-1."
_GLOBAL_MAXIMUM = (
    "The largest logit of the whole batch is subtracted. In a row far below it every exponential is 0. Subtract the "
    "largest logit of each row: axis=-1, keepdims=True."
)
_NOT_AVERAGED = "These are the losses of the examples. The task asks for their mean, one number."


def _clipped(low):
    return lambda z: np.log(np.clip(probabilities(z), low, 1.0))


_SMALL_LOGS = [
    *log_of_probabilities(probabilities),
    *map(_clipped, (1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16, 1e-20, 1e-30, 1e-100, 1e-300)),
]


def _cases(*options, underflow=_UNDERFLOW):
    """Cases that the losses and their gradients share."""
    return [
        Case("one example by hand", (_HAND, np.array([2]), *options)),
        Case("two examples, four classes", (_LOGITS, _LABELS, *options)),
        Case("as many examples as classes", (_THREE, _THREE_LABELS, *options)),
        Case("the same label twice", (_LOGITS, _REPEATED, *options)),
        Case("float32", (_LOGITS.astype(np.float32), _LABELS, *options)),
        Case("logits near 1000", (_LEVELS[:1], np.array([1]), *options), _OVERFLOW),
        Case("logits near -1000", (_COLD, np.array([1, 0]), *options), _OVERFLOW),
        Case("rows at different levels", (_LEVELS, np.array([1, 2]), *options), _OVERFLOW),
        Case("sure and wrong", (_SURE_AND_WRONG, np.array([1, 1]), *options), underflow),
        Case("sure and wrong in float32", (_SINGLE, np.array([1, 1]), *options), underflow),
    ]


def _draw(*options):
    def draw(rng):
        n, classes = int(rng.integers(2, 7)), int(rng.integers(2, 7))
        labels = rng.integers(classes, size=n)
        levels = rng.integers(-900, 900, size=(n, 1))
        return [
            Case("a batch", (scores(rng, n, classes), labels, *options)),
            Case("float32", (scores(rng, n, classes).astype(np.float32), labels, *options)),
            Case("rows at different levels", (scores(rng, n, classes) + levels, labels, *options), _OVERFLOW),
            Case("sure logits", (scores(rng, n, classes, scale=400.0), labels, *options), _UNDERFLOW),
        ]

    return draw


cross_entropy = Task(
    "cross_entropy(logits, labels)",
    """the mean over the batch of ``-log p[label]``, in nats.

    `logits` has the shape ``(N, K)``, `labels` holds N integers from 0 to K - 1. The result is one number, right for
    finite logits of any size.
    """,
    right=lossprimer.cross_entropy,
    steps=_cases(),
    draw=_draw(),
    mistakes=[
        Mistake(_NOT_AVERAGED, _loss(average=np.asarray), _loss(average=np.asarray, logs=_log_probabilities)),
        Mistake(_SIGN, _loss(sign=1.0)),
        Mistake(_BASE_TWO, _loss(lambda z: log_softmax(z) / np.log(2)), _loss(lambda z: log_softmax(z) / np.log(10))),
        Mistake(_SUM, _loss(average=np.sum), _loss(_log_probabilities, np.sum), _loss(_naive, np.sum)),
        Mistake(
            _WRONG_COUNT,
            lambda z, labels: _loss(average=np.sum)(z, labels) / z.size,
            lambda z, labels: _loss(average=np.sum)(z, labels) / z.shape[-1],
        ),
        Mistake(
            "The logarithm is missing. The loss is -log p, not 1 - p and not -p.",
            lambda z, labels: 1 - _picked(probabilities(z), labels).mean(),
            lambda z, labels: -_picked(probabilities(z), labels).mean(),
        ),
        Mistake(
            "The logarithm is taken of the mean probability. Take it for each example, then average.",
            lambda z, labels: -np.log(_picked(probabilities(z), labels).mean()),
        ),
        Mistake(
            "logits[:, labels] takes every label from every row. One entry of each row is "
            "logits[np.arange(N), labels].",
            lambda z, labels: -log_softmax(z)[:, labels].mean(),
            lambda z, labels: -log_softmax(z)[:, labels],
        ),
        Mistake(
            "The softmax is missing: the logarithm needs probabilities, and logits are none.",
            lambda z, labels: -_picked(z, labels).mean(),
            lambda z, labels: -_picked(np.log(z), labels).mean(),
        ),
        Mistake(
            "Softmax is applied twice. The logits are scores, and the log of their softmax is all that is needed.",
            lambda z, labels: _loss()(probabilities(z), labels),
        ),
        Mistake(
            "The loss is taken at the most likely class. It belongs to the label, however unlikely that is.",
            lambda z, labels: -log_softmax(z).max(axis=-1).mean(),
        ),
        Mistake(
            "Terms for the wrong classes are added. Cross-entropy with a hard label has one term, that of the label.",
            lambda z, labels: (
                -(
                    _picked(log_softmax(z), labels)
                    + (np.log1p(-probabilities(z)) * (1 - one_hot(labels, z.shape[-1]))).sum(axis=-1)
                ).mean()
            ),
            lambda z, labels: -log_softmax(z).sum(axis=-1).mean(),
            lambda z, labels: -log_softmax(z).mean(),
        ),
        Mistake(
            "The largest logit is subtracted in the exponent and not given back: add it to the logarithm of the sum, "
            "or subtract it from the label's logit too.",
            lambda z, labels: (
                np.log(np.exp(z - z.max(axis=-1, keepdims=True)).sum(axis=-1)) - _picked(z, labels)
            ).mean(),
        ),
        Mistake(
            _COLUMNS, _loss(lambda z: log_softmax(z, axis=0)), _loss(lambda z: np.log(probabilities(z, 0, "none")))
        ),
        Mistake(_WHOLE, _loss(lambda z: log_softmax(z, axis=(0, 1)))),
        Mistake(
            _GLOBAL_MAXIMUM, _loss(lambda z: _naive(z - z.max())), _loss(lambda z: np.log(probabilities(z, top="all")))
        ),
        Mistake(_OVERFLOW, _loss(_naive), _loss(lambda z: np.log(probabilities(z, top="none")))),
        Mistake(_UNDERFLOW, _loss(_log_probabilities)),
        Mistake(_SMALL_NUMBER, *map(_loss, _SMALL_LOGS)),
    ],
)


def _gradient(p=probabilities, scale=len, sign=1.0):
    """Make a gradient (p - y) / scale(logits)."""
    return lambda z, labels: sign * (p(z) - one_hot(labels, z.shape[-1])) / scale(z)


def _by_probabilities(z, labels):
    return -one_hot(labels, z.shape[-1]) / probabilities(z)


def _minus_columns(z, labels):
    p = probabilities(z)
    p[:, labels] -= 1
    return p / len(z)


cross_entropy_grad = Task(
    "cross_entropy_grad(logits, labels)",
    """the gradient of the mean loss with respect to the logits.

    `logits` and the result have the shape ``(N, K)``, `labels` holds N integers from 0 to K - 1.
    """,
    right=lossprimer.cross_entropy_grad,
    steps=_cases(underflow="p - y needs no logarithm and no division by p: where do they come in?"),
    draw=_draw(),
    mistakes=[
        Mistake(
            "The gradient is not divided by the batch size. The loss is a mean over N examples, so each of them counts "
            "1/N.",
            _gradient(scale=lambda z: 1),
        ),
        Mistake(
            "The gradient is divided by the number of classes, or of all entries. The mean is over the N examples of "
            "the batch.",
            _gradient(scale=lambda z: z.size),
            _gradient(scale=lambda z: z.shape[-1]),
        ),
        Mistake(
            "The sign is reversed. The gradient is p - y: the label's logit has a negative slope, because raising it "
            "lowers the loss.",
            _gradient(sign=-1.0),
            _gradient(sign=-1.0, scale=lambda z: 1),
        ),
        Mistake(
            "The labels are not subtracted. The gradient is p - y.",
            lambda z, labels: probabilities(z) / len(z),
            lambda z, labels: probabilities(z),
        ),
        Mistake(
            "p[:, labels] takes every label from every row. One entry of each row is p[np.arange(N), labels].",
            _minus_columns,
            lambda z, labels: _minus_columns(z, labels) * len(z),
        ),
        Mistake(
            "This is the gradient with respect to the probabilities, -y/p. The chain rule through the softmax turns it "
            "into p - y.",
            _by_probabilities,
            lambda z, labels: _by_probabilities(z, labels) / len(z),
        ),
        Mistake(
            "The softmax is missing: y is subtracted from the logits themselves.",
            _gradient(p=lambda z: z),
            _gradient(p=lambda z: z, scale=lambda z: 1),
        ),
        Mistake(
            "y is subtracted from the logarithms of the probabilities. The gradient is p - y.",
            _gradient(p=log_softmax),
            _gradient(p=log_softmax, scale=lambda z: 1),
        ),
        Mistake(
            _COLUMNS, _gradient(p=lambda z: probabilities(z, 0)), _gradient(p=lambda z: probabilities(z, 0, "none"))
        ),
        Mistake(_WHOLE, _gradient(p=lambda z: probabilities(z, None))),
        Mistake(_GLOBAL_MAXIMUM, _gradient(p=lambda z: probabilities(z, top="all"))),
        Mistake(_OVERFLOW, _gradient(p=lambda z: probabilities(z, top="none"))),
        Mistake(
            "Only the entry of the label is kept. Every class has a slope: the wrong ones are pushed down by p.",
            lambda z, labels: _gradient()(z, labels) * one_hot(labels, z.shape[-1]),
        ),
        Mistake(
            "The gradients of the examples are added up. Each logit keeps its own.",
            lambda z, labels: _gradient()(z, labels).sum(axis=0),
        ),
    ],
)


def _soft(labels, classes, smoothing):
    return (1 - smoothing) * one_hot(labels, classes) + smoothing / classes


def _smoothed(target=_soft, logs=log_softmax, average=np.mean, sign=-1.0):
    """Make a smoothed loss from targets, a way to get the logarithms of the probabilities and a way to average."""
    return lambda z, labels, smoothing: sign * average((target(labels, z.shape[-1], smoothing) * logs(z)).sum(axis=-1))


def _others_only(labels, classes, smoothing):
    y = one_hot(labels, classes)
    return (1 - smoothing) * y + smoothing / (classes - 1) * (1 - y)


def _without_label(labels, classes, smoothing):
    y = one_hot(labels, classes)
    return (1 - smoothing) * y + smoothing / classes * (1 - y)


_SMOOTHED_CASES = _cases(0.1)
_ZERO = Case(
    "smoothing 0 is the plain loss, sure and right",
    (np.array([[1000.0, 0.0]]), np.array([0]), 0.0),
    "0 times -inf is nan. Take the logarithms from the logits, then none of them is -inf.",
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
        *_SMOOTHED_CASES[1:5],
        Case("smoothing 1 forgets the label", (_LOGITS, _LABELS, 1.0)),
        *_SMOOTHED_CASES[5:],
        _ZERO,
    ],
    draw=lambda rng: _draw(float(rng.choice([0.05, 0.2, 0.4])))(rng),
    mistakes=[
        Mistake(_NOT_AVERAGED, _smoothed(average=np.asarray)),
        Mistake(
            "The smoothing is shared among the K - 1 other classes. Here it is shared among all K, the label included: "
            "smoothing / K each.",
            _smoothed(_others_only),
        ),
        Mistake(
            "The label gets 1 - smoothing only. It also gets its part of the smoothing: 1 - smoothing + smoothing / K.",
            _smoothed(_without_label),
        ),
        Mistake(
            "The label keeps its full 1, so that the target adds up to more than 1. It gets 1 - smoothing, plus "
            "smoothing / K.",
            _smoothed(lambda labels, k, e: one_hot(labels, k) + e / k),
            _smoothed(lambda labels, k, e: np.where(one_hot(labels, k) > 0, 1.0, e / k)),
        ),
        Mistake(
            "Every class gets the whole smoothing. They share it: smoothing / K each.",
            _smoothed(lambda labels, k, e: (1 - e) * one_hot(labels, k) + e),
            _smoothed(lambda labels, k, e: np.where(one_hot(labels, k) > 0, 1 - e, e)),
        ),
        Mistake(
            "smoothing and 1 - smoothing are swapped: a small smoothing keeps most of the label.",
            _smoothed(lambda labels, k, e: _soft(labels, k, 1 - e)),
        ),
        Mistake("The smoothing is not used: this is the plain loss.", lambda z, labels, e: _loss()(z, labels)),
        Mistake(
            "The smoothing part is missing: the plain loss is multiplied by 1 - smoothing, and nothing is added.",
            lambda z, labels, e: (1 - e) * _loss()(z, labels),
        ),
        Mistake(
            "The smoothing part is divided by K twice: the mean over the classes has done so already.",
            lambda z, labels, e: (1 - e) * _loss()(z, labels) - e * log_softmax(z).mean() / z.shape[-1],
        ),
        Mistake(
            "The probabilities are smoothed. What is smoothed is the label.",
            lambda z, labels, e: _loss(lambda z: np.log((1 - e) * probabilities(z) + e / z.shape[-1]))(z, labels),
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
        Mistake(_COLUMNS, _smoothed(logs=lambda z: log_softmax(z, axis=0))),
        Mistake(_WHOLE, _smoothed(logs=lambda z: log_softmax(z, axis=(0, 1)))),
        Mistake(
            _GLOBAL_MAXIMUM,
            _smoothed(logs=lambda z: _naive(z - z.max())),
            _smoothed(logs=lambda z: np.log(probabilities(z, top="all"))),
        ),
        Mistake(_OVERFLOW, _smoothed(logs=_naive), _smoothed(logs=lambda z: np.log(probabilities(z, top="none")))),
        Mistake(_UNDERFLOW, _smoothed(logs=_log_probabilities)),
        Mistake(_SMALL_NUMBER, *(_smoothed(logs=logs) for logs in _SMALL_LOGS)),
    ],
)


def _terms(p, q, log=np.log):
    """What each class adds to the divergence, 0 where p is."""
    return np.where(p > 0, p * (log(np.where(p > 0, p, 1)) - log(q)), 0.0)


def _divergence(p, q):
    return _terms(p, q).sum(axis=-1)


def _with_small_number(small):
    return lambda p, q: (p * np.log((p + small) / (q + small))).sum(axis=-1)


_P = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.25, 0.25, 0.5]])
_Q = np.array([[0.5, 0.25, 0.25], [0.3, 0.3, 0.4], [0.1, 0.8, 0.1]])


def _draw_pairs(rng):
    rows, classes = (int(n) for n in rng.integers(2, 6, size=2))
    p, q = (probabilities(scores(rng, 2, rows, classes, scale=1.0)) for _ in range(2))
    zeros = np.where(np.arange(classes) == 0, 0.0, p[0])
    return [
        Case("two rows of distributions", (p[0], q[0])),
        Case("three axes", (p, q)),
        Case("a class that never occurs", (zeros / zeros.sum(axis=-1, keepdims=True), q[0])),
    ]


kl_divergence = Task(
    "kl_divergence(p, q)",
    """the sum of ``p log(p / q)`` over the last axis, in nats.

    Both have the shape ``(..., K)``, the result ``(...)``. A class with p = 0 adds 0; where q = 0 < p the result is
    infinite.
    """,
    right=lossprimer.kl_divergence,
    steps=[
        Case("a coin by hand", (np.array([0.75, 0.25]), np.array([0.5, 0.5]))),
        Case("of a distribution from itself: 0", (_P[0], _P[0])),
        Case("three rows of distributions", (_P, _Q)),
        Case("three axes", (np.stack([_P, _Q]), np.stack([_Q, _P]))),
        Case("float32", (_P.astype(np.float32), _Q.astype(np.float32))),
        Case(
            "a class that p never shows adds 0",
            (np.array([0.0, 0.5, 0.5]), np.array([0.2, 0.3, 0.5])),
            "0 log 0 is 0 in a divergence, and nan in a computer. Add only the classes with p > 0.",
        ),
        Case(
            "a class that neither shows adds 0",
            (np.array([0.0, 0.5, 0.5]), np.array([0.0, 0.25, 0.75])),
            "0 log(0/0) is 0 in a divergence, and nan in a computer. Add only the classes with p > 0.",
        ),
        Case(
            "a class that q rules out and p shows: infinite",
            (np.array([0.5, 0.5]), np.array([1.0, 0.0])),
            "Where q = 0 < p the divergence is infinite: q says that this never happens, and it does.",
        ),
        Case(
            "very small probabilities",
            (np.array([1e-200, 1.0]), np.array([0.5, 0.5])),
            "A small probability is not 0. Is it compared with a threshold, or is a product of two of them taken?",
        ),
        Case(
            "a very small q",
            (np.array([0.5, 0.5]), np.array([1e-200, 1.0])),
            "A small probability is not 0: its logarithm is finite. Nothing needs to be added to it.",
        ),
    ],
    draw=_draw_pairs,
    mistakes=[
        Mistake(
            "p and q are swapped. The divergence is no distance: the weights are those of the first, p.",
            lambda p, q: _divergence(q, p),
        ),
        Mistake(
            "0 times log 0 is nan here. A class with p = 0 adds 0: sum only where p > 0, for instance with np.where.",
            lambda p, q: (p * np.log(p / q)).sum(axis=-1),
            lambda p, q: (p * (np.log(p) - np.log(q))).sum(axis=-1),
        ),
        Mistake(
            "A small number is added to the probabilities, or they are clipped. An infinite divergence becomes finite "
            "by that, and the others are off. Sum where p > 0, and let log 0 be -inf.",
            *map(_with_small_number, (1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16, 1e-20, 1e-30, 1e-300)),
            *(
                lambda p, q, e=e: _divergence(np.clip(p, e, 1), np.clip(q, e, 1))
                for e in (1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16, 1e-20, 1e-30, 1e-300)
            ),
            *(lambda p, q, e=e: _divergence(p, q + e) for e in (1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16)),
        ),
        Mistake(
            "The logarithm has base 2 or 10: the divergence is not in nats. np.log is the natural one.",
            lambda p, q: _divergence(p, q) / np.log(2),
            lambda p, q: _divergence(p, q) / np.log(10),
        ),
        Mistake("The sign is reversed. A divergence is never negative: p log(p / q).", lambda p, q: -_divergence(p, q)),
        Mistake(
            "The rows are added up. Each pair of rows has a divergence of its own: axis=-1.",
            lambda p, q: _terms(p, q).sum(),
        ),
        Mistake(
            "The rows are averaged. Each pair of rows has a divergence of its own: axis=-1.",
            lambda p, q: _divergence(p, q).mean(),
        ),
        Mistake(
            "The classes are averaged. Their terms are added up; p is the weight already.",
            lambda p, q: _terms(p, q).mean(axis=-1),
            lambda p, q: _terms(p, q).mean(),
        ),
        Mistake(
            "The sum goes over the rows. The classes are on the last axis: axis=-1.",
            lambda p, q: _terms(p, q).sum(axis=0),
            lambda p, q: _terms(p, q).sum(axis=second(p)),
        ),
        Mistake("The terms are not added up.", _terms),
        Mistake(
            "This is the cross-entropy, -sum p log q. The divergence is what it costs beyond the entropy of p.",
            lambda p, q: -(p * np.log(q)).sum(axis=-1),
        ),
        Mistake(
            "This is the entropy of p. The divergence compares p with q: p log(p / q).",
            lambda p, q: lossprimer.entropy(p),
        ),
        Mistake(
            "The weights p are missing: the logarithms of the ratios are added up as they are.",
            lambda p, q: np.log(p / q).sum(axis=-1),
        ),
        Mistake(
            "Both directions are averaged or added. The divergence of p from q has one: sum p log(p / q).",
            lambda p, q: _divergence(p, q) + _divergence(q, p),
            lambda p, q: (_divergence(p, q) + _divergence(q, p)) / 2,
        ),
        Mistake(
            "Classes with q = 0 are left out. Only those with p = 0 are: where q = 0 < p the divergence is infinite.",
            lambda p, q: np.where((p > 0) & (q > 0), _terms(p, q), 0.0).sum(axis=-1),
        ),
        Mistake(
            "Negative terms are cut off, or their signs reversed. They belong to the sum.",
            lambda p, q: np.maximum(_terms(p, q), 0).sum(axis=-1),
            lambda p, q: np.abs(_terms(p, q)).sum(axis=-1),
        ),
    ],
)
