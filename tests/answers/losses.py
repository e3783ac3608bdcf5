"""Answers to the tasks of chapter 2."""

import numpy as np
import scipy.special
from scipy.special import log_softmax, logsumexp, rel_entr

import lossprimer


def softmax(z, axis=-1):
    return scipy.special.softmax(z, axis=axis)


def logs(z, axis=-1):
    return log_softmax(z, axis=axis)


def naive_logs(z):
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def at(values, labels):
    return values[np.arange(len(labels)), labels]


def loop(logits, labels):
    total = 0.0
    for row, label in zip(logits, labels, strict=True):
        top = row.max()
        total += top + np.log(np.sum(np.exp(row - top))) - row[label]
    return float(total / len(labels))


def with_one_hot(logits, labels):
    y = np.eye(logits.shape[1])[labels]
    return -(y * logs(logits)).sum() / len(y)


def loss_of(log_probabilities, average=np.mean):
    return lambda logits, labels: -average(at(log_probabilities(logits), labels))


def gradient(logits, labels):
    p = softmax(logits)
    p[np.arange(len(labels)), labels] -= 1
    return p / len(labels)


def gradient_loop(logits, labels):
    rows = []
    for row, label in zip(logits, labels, strict=True):
        e = np.exp(row - row.max())
        p = e / e.sum()
        rows.append([(p[k] - (k == label)) / len(labels) for k in range(len(row))])
    return rows


def gradient_of_all_labels(logits, labels):
    p = softmax(logits)
    p[:, labels] -= 1
    return p / len(labels)


def gradient_without_maximum(logits, labels):
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return (p - np.eye(logits.shape[1])[labels]) / len(labels)


def targets(labels, classes, smoothing):
    return (1 - smoothing) * np.eye(classes)[labels] + smoothing / classes


def smoothed(target=targets, log_probabilities=logs):
    def loss(logits, labels, smoothing):
        y = target(labels, logits.shape[1], smoothing)
        return -(y * log_probabilities(logits)).sum(axis=1).mean()

    return loss


def others_only(labels, classes, smoothing):
    y = np.full((len(labels), classes), smoothing / (classes - 1))
    y[np.arange(len(labels)), labels] = 1 - smoothing
    return y


def kl_loop(p, q):
    if p.ndim > 1:
        return [kl_loop(a, b) for a, b in zip(p, q, strict=True)]
    total = 0.0
    for a, b in zip(p, q, strict=True):
        if a > 0:
            total += a * np.log(a / b) if b > 0 else np.inf
    return total


def kl_where(p, q):
    safe = np.where(p > 0, p, 1.0)
    return np.where(p > 0, p * (np.log(safe) - np.log(q)), 0.0).sum(axis=-1)


def kl_nan_to_zero(p, q):
    terms = p * np.log(p / q)
    terms[p == 0] = 0
    return terms.sum(-1)


def kl_scipy_entropy(p, q):
    return scipy.special.rel_entr(p, q).sum(axis=-1)


RIGHT = {
    "cross_entropy": [
        loop,
        with_one_hot,
        loss_of(logs),
        lambda logits, labels: np.mean(logsumexp(logits, axis=1) - at(logits, labels)),
        lambda logits, labels: -np.take_along_axis(logs(logits), labels[:, None], axis=1).mean(),
        lambda logits, labels: np.array(lossprimer.cross_entropy(logits, labels)),
        lambda logits, labels: [loop(logits, labels)][0],
    ],
    "cross_entropy_grad": [
        gradient,
        gradient_loop,
        lambda logits, labels: (softmax(logits) - np.eye(logits.shape[1])[labels]) / len(labels),
        lambda logits, labels: (softmax(logits) - (labels[:, None] == np.arange(logits.shape[1]))) / logits.shape[0],
        lossprimer.cross_entropy_grad,
    ],
    "smoothed_cross_entropy": [
        smoothed(),
        lambda z, labels, e: -((1 - e) * at(logs(z), labels) + e * logs(z).mean(axis=1)).mean(),
        lambda z, labels, e: float(np.mean(logsumexp(z, axis=1) - (targets(labels, z.shape[1], e) * z).sum(axis=1))),
        lambda z, labels, e: sum(
            -sum(t * v for t, v in zip(y, row, strict=True))
            for y, row in zip(targets(labels, z.shape[1], e), logs(z), strict=True)
        ) / len(z),
    ],
    "kl_divergence": [
        kl_loop,
        kl_where,
        kl_nan_to_zero,
        lambda p, q: rel_entr(p, q).sum(axis=-1),
        lambda p, q: np.nansum(np.where(p > 0, p * (np.log(p) - np.log(q)), 0), axis=-1),
        lossprimer.kl_divergence,
    ],
}  # fmt: skip

WRONG = {
    "cross_entropy": [
        ("added up", loss_of(logs, np.sum)),
        ("of all entries", lambda z, labels: -at(logs(z), labels).sum() / z.size),
        ("of all entries", lambda z, labels: -(np.eye(z.shape[1])[labels] * logs(z)).mean()),
        ("base 2", lambda z, labels: -np.log2(at(softmax(z), labels)).mean()),
        ("The sign is reversed", lambda z, labels: at(logs(z), labels).mean()),
        ("Do not take the log of a probability", lambda z, labels: -np.log(at(softmax(z), labels)).mean()),
        ("A small number is added", lambda z, labels: -np.log(at(softmax(z), labels) + 1e-12).mean()),
        ("A small number is added", lambda z, labels: -np.log(np.clip(softmax(z), 1e-7, 1))[
            np.arange(len(labels)), labels].mean()),
        ("Subtract the largest logit", loss_of(naive_logs)),
        ("Subtract the largest logit", lambda z, labels: -np.mean(at(z, labels) - np.log(np.exp(z).sum(axis=1)))),
        ("of the whole batch is subtracted", loss_of(lambda z: naive_logs(z - z.max()))),
        ("goes over the examples", loss_of(lambda z: logs(z, axis=0))),
        ("whole batch at once", loss_of(lambda z: log_softmax(z))),
        ("their mean, one number", lambda z, labels: -at(logs(z), labels)),
        ("takes every label from every row", lambda z, labels: -logs(z)[:, labels].mean()),
        ("softmax is missing", lambda z, labels: -at(z, labels).mean()),
        ("logarithm is missing", lambda z, labels: 1 - at(softmax(z), labels).mean()),
        ("of the mean probability", lambda z, labels: -np.log(at(softmax(z), labels).mean())),
        ("twice", loss_of(lambda z: logs(softmax(z)))),
        ("most likely class", lambda z, labels: -logs(z).max(axis=1).mean()),
        ("Terms for the wrong classes", lambda z, labels: -logs(z).mean()),
        ("not added back", lambda z, labels: np.mean(
            np.log(np.exp(z - z.max(axis=1, keepdims=True)).sum(axis=1)) - at(z, labels))),
        ("np.arange(len(x)), labels", lambda z, labels: logs(z)[labels, np.arange(len(labels))].mean()),
    ],
    "cross_entropy_grad": [
        ("not divided by the batch size", lambda z, labels: softmax(z) - np.eye(z.shape[1])[labels]),
        ("of all entries", lambda z, labels: (softmax(z) - np.eye(z.shape[1])[labels]) / z.size),
        ("The sign is reversed", lambda z, labels: (np.eye(z.shape[1])[labels] - softmax(z)) / len(z)),
        ("labels are not subtracted", lambda z, labels: softmax(z) / len(z)),
        ("takes every label from every row", gradient_of_all_labels),
        ("with respect to the probabilities", lambda z, labels: -np.eye(z.shape[1])[labels] / softmax(z) / len(z)),
        ("goes over the examples", lambda z, labels: (softmax(z, 0) - np.eye(z.shape[1])[labels]) / len(z)),
        ("Subtract the largest logit", gradient_without_maximum),
        ("Only the entry of the label", lambda z, labels: gradient(z, labels) * np.eye(z.shape[1])[labels]),
        ("Each logit should keep its own", lambda z, labels: gradient(z, labels).sum(axis=0)),
        ("softmax is missing", lambda z, labels: (z - np.eye(z.shape[1])[labels]) / len(z)),
        ("numbers are in float32", lambda z, labels: gradient(z, labels).astype(np.float32)),
    ],
    "smoothed_cross_entropy": [
        ("K - 1 other classes", smoothed(others_only)),
        ("The label gets only 1 - smoothing", smoothed(
            lambda labels, k, e: np.where(np.eye(k)[labels] > 0, 1 - e, e / k))),
        ("keeps its full 1", smoothed(lambda labels, k, e: np.eye(k)[labels] + e / k)),
        ("the whole smoothing", smoothed(lambda labels, k, e: (1 - e) * np.eye(k)[labels] + e)),
        ("are swapped", smoothed(lambda labels, k, e: targets(labels, k, 1 - e))),
        ("not used", lambda z, labels, e: loop(z, labels)),
        ("smoothing part is missing", lambda z, labels, e: (1 - e) * loop(z, labels)),
        ("probabilities are smoothed", lambda z, labels, e: -np.log(
            at((1 - e) * softmax(z) + e / z.shape[1], labels)).mean()),
        ("The sign is reversed", lambda z, labels, e: -smoothed()(z, labels, e)),
        ("base 2", smoothed(log_probabilities=lambda z: np.log2(softmax(z)))),
        ("of all entries", lambda z, labels, e: -(targets(labels, z.shape[1], e) * logs(z)).mean()),
        ("added up", lambda z, labels, e: -(targets(labels, z.shape[1], e) * logs(z)).sum()),
        ("Do not take the log of a probability", smoothed(log_probabilities=lambda z: np.log(softmax(z)))),
        ("A small number is added", smoothed(log_probabilities=lambda z: np.log(softmax(z) + 1e-9))),
        ("Subtract the largest logit", smoothed(log_probabilities=naive_logs)),
        ("goes over the examples", smoothed(log_probabilities=lambda z: logs(z, 0))),
    ],
    "kl_divergence": [
        ("are swapped", lambda p, q: rel_entr(q, p).sum(axis=-1)),
        ("0 times log 0", lambda p, q: (p * np.log(p / q)).sum(axis=-1)),
        ("0 times log 0", lambda p, q: np.sum(p * np.log(p) - p * np.log(q), axis=-1)),
        ("A small number is added", lambda p, q: np.sum(p * np.log((p + 1e-12) / (q + 1e-12)), axis=-1)),
        ("A small number is added", lambda p, q: (
            lambda p, q: np.sum(p * np.log(p / q), axis=-1))(p.clip(1e-10, 1), q.clip(1e-10, 1))),
        ("base 2", lambda p, q: rel_entr(p, q).sum(axis=-1) / np.log(2)),
        ("The sign is reversed", lambda p, q: -kl_where(p, q)),
        ("The rows are added up", lambda p, q: rel_entr(p, q).sum()),
        ("The classes are averaged", lambda p, q: rel_entr(p, q).mean(axis=-1)),
        ("sum goes over the rows", lambda p, q: rel_entr(p, q).sum(axis=0)),
        ("not added up", rel_entr),
        ("This is the cross-entropy", lambda p, q: -(p * np.log(q)).sum(axis=-1)),
        ("q = 0 are left out", lambda p, q: np.where((p > 0) & (q > 0), rel_entr(p, q), 0).sum(axis=-1)),
        ("Negative terms", lambda p, q: np.abs(rel_entr(p, q)).sum(axis=-1)),
        ("weights p are missing", lambda p, q: np.log(p / q).sum(axis=-1)),
        ("however small p is", lambda p, q: 0.0 * kl_where(p, q) if (0 < p.min() < 1e-100) else kl_where(p, q)),
        ("changed in place", lambda p, q: (kl_where(p, q), np.log(q, out=q))[0]),
    ],
}  # fmt: skip
