"""Answers to the tasks of chapter 2 on class weights and on a batch in parts."""

import numpy as np
from scipy.special import log_softmax, logsumexp, softmax


def losses(z, labels):
    return logsumexp(z, axis=1) - z[np.arange(len(labels)), labels]


def right(logits, labels, weights):
    return np.average(losses(logits, labels), weights=weights[labels])


def one_by_one(logits, labels, weights):
    total, weight = 0.0, 0.0
    for row, label in zip(logits, labels, strict=True):
        total += weights[label] * (logsumexp(row) - row[label])
        weight += weights[label]
    return total / weight


def by_one_hot(logits, labels, weights):
    target = np.eye(logits.shape[1])[labels] * weights
    return -(target * log_softmax(logits, axis=1)).sum() / target.sum()


def class_by_class(logits, labels, weights):
    each = losses(logits, labels)
    sums = np.bincount(labels, weights=each, minlength=len(weights))
    return (weights @ sums) / (weights @ np.bincount(labels, minlength=len(weights)))


def weighted(average):
    return lambda z, labels, weights: average(losses(z, labels), weights[labels], weights)


def of_log(log_p):
    """A weighted mean of other logarithms."""

    def loss(z, labels, weights):
        w = weights[labels]
        return -(w * log_p(z)[np.arange(len(z)), labels]).sum() / w.sum()

    return loss


def balanced(z, labels, weights):
    each = losses(z, labels)
    return np.mean([weights[c] * each[labels == c].mean() for c in np.unique(labels)])


# A batch in parts.


def only_some(gradients, counts):
    some = counts > 0
    return np.average(gradients[some], axis=0, weights=counts[some])


def part_by_part(gradients, counts):
    total = np.zeros(gradients.shape[1:])
    for gradient, count in zip(gradients, counts, strict=True):
        if count:
            total += count * gradient
    return total / sum(counts)


def by_einsum(gradients, counts):
    return np.einsum("m,m...->...", counts / counts.sum(), np.where(np.isnan(gradients), 0, gradients))


def moving(gradients, counts):
    """The mean so far moves towards each part."""
    mean, seen = np.zeros(gradients.shape[1:]), 0
    for gradient, count in zip(gradients, counts, strict=True):
        seen += count
        if count:
            mean = mean + (gradient - mean) * count / seen
    return mean


def beside(counts, gradients):
    return counts.reshape((-1,) + (1,) * (gradients.ndim - 1))


def cleaned(gradients):
    return np.nan_to_num(gradients)


def with_weights(weigh):
    return lambda gradients, counts: (beside(np.array(weigh(counts)), gradients) * cleaned(gradients)).sum(axis=0)


def halves(gradients, counts):
    result = 0
    for gradient in cleaned(gradients):
        result = (result + gradient) / 2
    return result


def in_integers(gradients, counts):
    total = np.zeros(gradients.shape[1:], dtype=int)
    for gradient, count in zip(cleaned(gradients), counts, strict=True):
        total += (gradient * count).astype(int)
    return total / counts.sum()


def in_place(gradients, counts):
    gradients *= beside(counts, gradients)
    return cleaned(gradients).sum(axis=0) / counts.sum()


RIGHT = {
    "weighted_cross_entropy": [right, one_by_one, by_one_hot, class_by_class],
    "accumulated_gradient": [only_some, part_by_part, by_einsum, moving],
}

WRONG = {
    "weighted_cross_entropy": [
        ("divided by the number of examples", weighted(lambda each, w, weights: np.mean(w * each))),
        ("divided by the number of examples", weighted(lambda each, w, weights: np.sum(w * each) / len(each))),
        ("sum of the weights of all classes", weighted(lambda each, w, weights: np.sum(w * each) / np.sum(weights))),
        ("first rescaled to have the sum or the mean 1", weighted(
            lambda each, w, weights: np.mean(w / weights.mean() * each))),
        ("added up", weighted(lambda each, w, weights: np.sum(w * each))),
        ("weighted losses of the examples", weighted(lambda each, w, weights: w * each)),
        ("weights are not used", lambda z, labels, weights: losses(z, labels).mean()),
        ("losses are divided by the weights", weighted(lambda each, w, weights: np.mean(each / w))),
        ("only in the divisor", weighted(lambda each, w, weights: np.sum(each) / np.sum(w))),
        ("as squares", weighted(lambda each, w, weights: np.sum(w * w * each) / np.sum(w))),
        ("under a root", weighted(lambda each, w, weights: np.average(each, weights=np.sqrt(w)))),
        ("most likely class", lambda z, labels, weights: np.average(
            losses(z, labels), weights=weights[z.argmax(axis=1)])),
        ("shapes of two arrays", lambda z, labels, weights: (weights * losses(z, labels)).sum() / weights.sum()),
        ("multiply the logits", lambda z, labels, weights: losses(weights * z, labels).mean()),
        ("multiply the logits", lambda z, labels, weights: right(weights * z, labels, weights)),
        ("multiply the probabilities", lambda z, labels, weights: -np.log(
            (weights * softmax(z, axis=1))[np.arange(len(z)), labels]).mean()),
        ("added to the losses", lambda z, labels, weights: np.mean(weights[labels] + losses(z, labels))),
        ("added to the losses", lambda z, labels, weights: losses(z + weights, labels).mean()),
        ("All classes are weighted", lambda z, labels, weights: -(weights * log_softmax(z, axis=1)).sum(axis=1).mean()),
        ("Each class gets a mean", lambda z, labels, weights: np.mean(
            [losses(z, labels)[labels == c].mean() for c in np.unique(labels)])),
        ("No typical mistake", balanced),
        ("number of examples and by the sum", weighted(lambda each, w, weights: np.average(each, weights=w) / len(w))),
        ("sign is reversed", lambda z, labels, weights: -right(z, labels, weights)),
        ("count from 1", lambda z, labels, weights: right(z, labels - 1, weights)),
        ("takes every label", lambda z, labels, weights: -np.mean(weights[labels] * log_softmax(z, axis=1)[:, labels])),
        ("logarithm is missing", of_log(lambda z: softmax(z, axis=1))),
        ("softmax is missing", of_log(lambda z: z)),
        ("applied twice", of_log(lambda z: log_softmax(softmax(z, axis=1), axis=1))),
        ("goes over the examples", of_log(lambda z: log_softmax(z, axis=0))),
        ("whole batch at once", of_log(log_softmax)),
        ("base 2", of_log(lambda z: np.log2(softmax(z, axis=1)))),
        ("large one is infinite", of_log(lambda z: np.log(np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)))),
        ("underflows", of_log(lambda z: np.log(softmax(z, axis=1)))),
        ("A small number is added", of_log(lambda z: np.log(softmax(z, axis=1) + 1e-12))),
        ("largest weight, or", weighted(lambda each, w, weights: (w * each).max())),
        ("largest weight, or", weighted(lambda each, w, weights: np.sum(w * each) / weights.max())),
        ("number of classes or of all logits", weighted(lambda each, w, weights: np.sum(w * each) / len(weights))),
        ("mean of the losses is multiplied", weighted(lambda each, w, weights: each.mean() * w.mean())),
    ],
    "accumulated_gradient": [
        ("mean of the means", lambda gradients, counts: gradients.mean(axis=0)),
        ("mean of the means", lambda gradients, counts: np.nanmean(gradients, axis=0)),
        ("mean of the means", lambda gradients, counts: sum(g / len(gradients) for g in gradients)),
        ("added up, without weights", lambda gradients, counts: gradients.sum(axis=0)),
        ("added up, without weights", with_weights(np.ones_like)),
        ("sum is not divided", with_weights(lambda counts: counts)),
        ("divided by the number of parts", with_weights(lambda counts: counts / len(counts))),
        ("and by the number of parts", with_weights(lambda counts: counts / counts.sum() / len(counts))),
        ("plain sum is divided", with_weights(lambda counts: np.ones(len(counts)) / counts.sum())),
        ("divided by the counts", with_weights(lambda counts: 1 / np.maximum(counts, 1))),
        ("divided by the counts", with_weights(lambda counts: 1 / np.maximum(counts, 1) / len(counts))),
        ("to the wrong parts", with_weights(lambda counts: 1 - counts / counts.sum())),
        ("to the wrong parts", with_weights(lambda counts: counts[::-1] / counts.sum())),
        ("largest count", with_weights(lambda counts: counts / np.max(counts))),
        ("enter twice", with_weights(lambda counts: counts**2 / counts.sum() ** 2)),
        ("enter twice", with_weights(lambda counts: counts**2 / np.sum(counts**2))),
        ("1 is added", with_weights(lambda counts: counts / (counts.sum() + 1))),
        ("taken by halves", halves),
        ("Only one part", lambda gradients, counts: gradients[-1]),
        ("Only one part", lambda gradients, counts: gradients[np.argmax(counts)]),
        ("shapes of two arrays", lambda gradients, counts: (counts * gradients).sum(axis=0) / counts.sum()),
        ("sum goes over the numbers", lambda gradients, counts: gradients.mean(axis=1)),
        ("Everything is added up", lambda gradients, counts: (
            beside(counts, gradients) * gradients).sum() / counts.sum()),
        ("one by one", lambda gradients, counts: gradients * beside(counts / counts.sum(), gradients)),
        ("sign is reversed", with_weights(lambda counts: -counts / counts.sum())),
        ("softmax of the counts", with_weights(lambda counts: softmax(counts))),
        ("median", lambda gradients, counts: np.median(gradients, axis=0)),
        ("stored as integers", in_integers),
        ("0 times nan", lambda gradients, counts: np.tensordot(counts, gradients, 1) / counts.sum()),
        ("0 times nan", lambda gradients, counts: (beside(counts, gradients) * gradients).sum(axis=0) / counts.sum()),
        ("divided by its length", lambda gradients, counts: only_some(gradients, counts)
         / np.linalg.norm(only_some(gradients, counts))),
        ("changed in place", in_place),
        ("not aligned", lambda gradients, counts: counts @ gradients.T / counts.sum()),
        ("root", with_weights(lambda counts: np.sqrt(counts) / np.sqrt(counts).sum())),
        ("returns nothing", lambda gradients, counts: None),
    ],
}  # fmt: skip
