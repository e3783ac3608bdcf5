"""Answers to the tasks of chapter 3."""

import numpy as np
from scipy.special import softmax

import lossprimer


def below(a, keep_prob, rng):
    mask = rng.random(a.shape) < keep_prob
    return a * mask / keep_prob, mask


def above(a, keep_prob, rng):
    mask = rng.random(a.shape) >= 1 - keep_prob
    return np.where(mask, a / keep_prob, 0), mask


def binomial(a, keep_prob, rng):
    mask = rng.binomial(1, keep_prob, size=a.shape)
    return mask * a / keep_prob, mask


def scaled_mask(a, keep_prob, rng):
    mask = (rng.uniform(size=a.shape) < keep_prob) / keep_prob
    return a * mask, mask


def choice(a, keep_prob, rng):
    mask = rng.choice([False, True], size=a.shape, p=[1 - keep_prob, keep_prob])
    return np.multiply(a, mask) / keep_prob, mask


def columns_first(a, keep_prob, rng):
    mask = (rng.random(a.T.shape) < keep_prob).T
    return [a * mask / keep_prob, mask]


def loop(a, keep_prob, rng):
    output, mask = np.zeros_like(a), np.zeros_like(a)
    for index in np.ndindex(a.shape):
        if rng.random() < keep_prob:
            output[index], mask[index] = a[index] / keep_prob, 1
    return output, mask


def library(a, keep_prob, rng):
    return lossprimer.inverted_dropout(a, keep_prob=keep_prob, rng=rng)


def masked_by(make, scale=lambda p: 1 / p):
    """A wrong function that makes another mask or scales differently."""

    def dropout(a, keep_prob, rng):
        mask = make(a, keep_prob, rng)
        return a * mask * scale(keep_prob), mask * np.ones(a.shape, dtype=bool)

    return dropout


def usual(a, p, rng):
    return rng.random(a.shape) < p


def fixed_count(a, p, rng):
    flat = np.arange(a.size) < round(p * a.size)
    return np.stack([rng.permutation(np.arange(a.shape[-1]) < p * a.shape[-1]) for _ in range(len(flat))])[
        : a.size // a.shape[-1]
    ].reshape(a.shape)


def in_place(a, p, rng):
    mask = usual(a, p, rng)
    a *= mask
    a /= p
    return a, mask


class Layer:
    """Written out; the wrong ones change a method."""

    training = True

    def __init__(self, keep_prob, rng):
        self.keep_prob, self.rng = keep_prob, rng

    def draw(self, a):
        return self.rng.random(a.shape) < self.keep_prob

    def forward(self, a):
        if not self.training:
            return self.in_use(a)
        self.mask = self.draw(a)
        return a * self.mask / self.keep_prob

    def in_use(self, a):
        self.mask = None
        return a

    def backward(self, dy):
        return dy if self.mask is None else dy * self.mask / self.keep_prob


class ScaledMask:
    """With a mask of ones at inference."""

    def __init__(self, keep_prob, rng):
        self.keep_prob = keep_prob
        self.rng = rng
        self.training = True

    def forward(self, a):
        self.scale = np.ones(a.shape)
        if self.training:
            self.scale = self.rng.binomial(1, self.keep_prob, a.shape) / self.keep_prob
        return a * self.scale

    def backward(self, dy):
        return dy * self.scale


class Library(lossprimer.Dropout):
    """The package's layer under other names."""

    def __init__(self, keep_prob, rng):
        super().__init__(keep_prob, rng=rng)

    def forward(self, a):
        return self(a)


class WithoutBackward:
    """Half of a layer."""

    __init__, draw, forward, training = Layer.__init__, Layer.draw, Layer.forward, True


def like(**changes):
    return type("Dropout", (Layer,), changes)


def no_scale(self, a):
    if not self.training:
        return a
    self.mask = self.draw(a)
    return a * self.mask


def first_mask(self, a):
    if not hasattr(self, "first"):
        self.first = self.rng.random(a.shape) < self.keep_prob
    return self.first if self.first.shape == a.shape else self.rng.random(a.shape) < self.keep_prob


def stale(self, dy):
    if not hasattr(self, "oldest"):
        self.oldest = self.mask
    return dy * self.mask / self.keep_prob


def keeps_first_mask(self, a):
    if not self.training:
        return self.in_use(a)
    mask = self.draw(a)
    if getattr(self, "mask", None) is None:
        self.mask = mask
    return a * mask / self.keep_prob


def always_dropping(self, a):
    self.mask = self.draw(a)
    return a * self.mask / self.keep_prob


def stub(self, dy):
    raise NotImplementedError


def init_out_of_training(self, keep_prob, rng):
    self.keep_prob, self.rng, self.training = keep_prob, rng, False


def sampled(x, weight, keep_prob, samples, rng):
    total = 0
    for _ in range(samples):
        mask = rng.random(x.shape) < keep_prob
        total = total + softmax(x * mask / keep_prob @ weight, axis=-1)
    return total / samples


def at_once(x, weight, keep_prob, samples, rng):
    masks = rng.random((samples, *x.shape)) < keep_prob
    return softmax(x * masks / keep_prob @ weight, axis=-1).mean(axis=0)


def by_library(x, weight, keep_prob, samples, rng):
    runs = [lossprimer.softmax(library(x, keep_prob, rng)[0] @ weight) for _ in range(samples)]
    return np.mean(runs, axis=0)


def incremental(x, weight, keep_prob, samples, rng):
    mean = np.zeros((x.shape[0], weight.shape[1]))
    for n in range(1, samples + 1):
        p = softmax(np.einsum("nd,dk->nk", binomial(x, keep_prob, rng)[0], weight), axis=1)
        mean += (p - mean) / n
    return mean


def average_of(one, finish=lambda total, samples: total / samples):
    """A wrong average, from a function that predicts once."""

    def average(x, weight, keep_prob, samples, rng):
        return finish(sum(one(x, weight, keep_prob, rng) for _ in range(samples)), samples)

    return average


def predicted(x, weight, p, rng):
    return softmax(below(x, p, rng)[0] @ weight, axis=-1)


def one_mask(x, weight, p, samples, rng):
    mask = rng.random(x.shape) < p
    return sum(softmax(x * mask / p @ weight, axis=-1) for _ in range(samples)) / samples


def mean_logits(x, weight, p, samples, rng):
    return softmax(sum(below(x, p, rng)[0] @ weight for _ in range(samples)) / samples, axis=-1)


RIGHT = {
    "inverted_dropout": [below, above, binomial, scaled_mask, choice, columns_first, loop, library],
    "dropout_backward": [
        lambda dy, mask, keep_prob: dy * mask / keep_prob,
        lambda dy, mask, keep_prob: np.where(mask, dy / keep_prob, 0),
        lambda dy, mask, keep_prob: [[v / keep_prob if m else 0.0 for v, m in zip(*rows, strict=True)]
                                     for rows in zip(dy, mask, strict=True)] if dy.ndim == 2 else dy * mask / keep_prob,
    ],
    "dropout_layer": [Layer, ScaledMask, Library],
    "monte_carlo_average": [sampled, at_once, by_library, incremental],
}  # fmt: skip

WRONG = {
    "inverted_dropout": [
        ("not divided by keep_prob", masked_by(usual, lambda p: 1.0)),
        ("multiplied by keep_prob", masked_by(usual, lambda p: p)),
        ("divided by 1 - keep_prob", masked_by(usual, lambda p: 1 / (1 - p) if p < 1 else 1.0)),
        ("swapped", masked_by(lambda a, p, rng: rng.random(a.shape) > p)),
        ("One mask is used for the whole batch", masked_by(lambda a, p, rng: rng.random(a.shape[-1]) < p)),
        ("One number is drawn for each row", masked_by(lambda a, p, rng: rng.random((*a.shape[:-1], 1)) < p)),
        ("one random number for each entry", lambda a, p, rng: (lambda m: (a * m / p, m))(rng.random(a.shape[-1]) < p)),
        ("fixed number of entries", masked_by(fixed_count)),
        ("another generator", masked_by(lambda a, p, rng: np.random.random(a.shape) < p)),  # noqa: NPY002
        ("another generator", masked_by(lambda a, p, rng: usual(a, p, np.random.default_rng()))),
        ("seed of its own", masked_by(lambda a, p, rng: usual(a, p, np.random.default_rng(0)))),
        ("Nothing is dropped", lambda a, p, rng: (a / p, np.ones(a.shape, dtype=bool))),
        ("probability with which an entry is kept is not", masked_by(lambda a, p, rng: rng.random(a.shape) < 0.5)),
        ("probability with which an entry is kept is not", masked_by(lambda a, p, rng: rng.normal(size=a.shape) < p)),
        ("says what is dropped", lambda a, p, rng: (lambda m: (a * m / p, ~m))(usual(a, p, rng))),
        ("drawn twice", lambda a, p, rng: (a * usual(a, p, rng) / p, usual(a, p, rng))),
        ("wrong order", lambda a, p, rng: below(a, p, rng)[::-1]),
        ("return output, mask", lambda a, p, rng: below(a, p, rng)[0]),
        ("return output, mask", lambda a, p, rng: (*below(a, p, rng), p)),
        ("changed in place", in_place),
        ("This is the mask", lambda a, p, rng: (usual(a, p, rng) / p,) * 2),
        ("Draw a new mask on each call",
         masked_by(lambda a, p, rng: usual(a, p, np.random.Generator(np.random.PCG64(rng.bit_generator.state["state"][
             "state"]))))),
        ("keeps everything", masked_by(lambda a, p, rng: rng.random(a.shape) < min(p, 0.95))),
    ],
    "dropout_backward": [
        ("not divided by keep_prob", lambda dy, mask, p: dy * mask),
        ("multiplied by keep_prob", lambda dy, mask, p: dy * mask * p),
        ("divided by 1 - keep_prob", lambda dy, mask, p: dy * mask / (1 - p) if p < 1 else dy),
        ("swapped", lambda dy, mask, p: np.where(mask, 0, dy / p)),
        ("mask is not used", lambda dy, mask, p: dy / p),
        ("mask is not used", lambda dy, mask, p: dy * (np.random.default_rng(3).random(dy.shape) < p) / p),
        ("without dy", lambda dy, mask, p: mask / p),
        ("changed in place", lambda dy, mask, p: np.multiply(dy, mask / p, out=dy)),
    ],
    "dropout_layer": [
        ("not divided by keep_prob", like(forward=no_scale)),
        ("scaled in evaluation mode", like(in_use=lambda self, a: a * self.keep_prob)),
        ("divided by keep_prob in evaluation mode", like(in_use=lambda self, a: a / self.keep_prob)),
        ("also drops in evaluation mode", like(forward=always_dropping)),
        ("a different mask from forward", like(backward=lambda self, dy: dy * self.draw(dy) / self.keep_prob)),
        ("gradient is not divided", like(backward=lambda self, dy: dy if self.mask is None else dy * self.mask)),
        ("mask is not used in backward", like(backward=lambda self, dy: dy)),
        ("swapped", like(draw=lambda self, a: self.rng.random(a.shape) > self.keep_prob)),
        ("swapped in backward", like(backward=lambda self, dy: dy if self.mask is None else dy * ~self.mask)),
        ("One mask is used for the whole batch",
         like(draw=lambda self, a: (self.rng.random(a.shape[-1]) < self.keep_prob) & np.ones(a.shape, dtype=bool))),
        ("drawn once and kept", like(draw=first_mask)),
        ("mask of the last call", like(forward=keeps_first_mask)),
        ("in place of the one of an earlier call", like(in_use=lambda self, a: a)),
        ("another generator",
         like(draw=lambda self, a: np.random.random(a.shape) < self.keep_prob)),  # noqa: NPY002
        ("A new layer drops nothing", like(__init__=init_out_of_training)),
        ("not written yet", like(backward=stub)),
        ("The task asks for Dropout(keep_prob, rng)", WithoutBackward),
        ("is called as Dropout(keep_prob, rng)", like(__init__=lambda self, keep_prob: None)),
        ("returns nothing", like(forward=lambda self, a: None)),
    ],
    "monte_carlo_average": [
        ("scores are averaged", mean_logits),
        ("under a single mask", one_mask),
        ("not divided by keep_prob", average_of(lambda x, w, p, rng: softmax(x * usual(x, p, rng) @ w, axis=-1))),
        ("not divided by samples", average_of(predicted, lambda total, samples: total)),
        ("by the wrong number", average_of(predicted, lambda total, samples: total / (samples + 1))),
        ("Nothing is dropped", average_of(lambda x, w, p, rng: softmax(x @ w, axis=-1))),
        ("axis=-1", average_of(lambda x, w, p, rng: softmax(below(x, p, rng)[0] @ w, axis=0))),
        ("whole array", average_of(lambda x, w, p, rng: softmax(below(x, p, rng)[0] @ w))),
        ("these are scores", average_of(lambda x, w, p, rng: below(x, p, rng)[0] @ w)),
        ("on the scores", average_of(lambda x, w, p, rng: softmax(below(x @ w, p, rng)[0], axis=-1))),
        ("on the probabilities", average_of(lambda x, w, p, rng: below(softmax(x @ w, axis=-1), p, rng)[0])),
        ("means over 10 masks", lambda x, w, p, samples, rng: sampled(x, w, p, 10, rng)),
        ("mask is on the weights",
         average_of(lambda x, w, p, rng: softmax(x @ below(w, p, rng)[0], axis=-1))),
        ("swapped", average_of(
            lambda x, w, p, rng: softmax(x * (rng.random(x.shape) > p) / p @ w, axis=-1) if p < 1
            else softmax(x @ w, axis=-1))),
        ("over the samples only", lambda x, w, p, samples, rng: at_once(x, w, p, samples, rng).mean(axis=0)),
        ("another generator", lambda x, w, p, samples, rng: sampled(x, w, p, samples, np.random.default_rng())),
    ],
}  # fmt: skip
