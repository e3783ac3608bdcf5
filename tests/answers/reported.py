"""Wrong answers that people have written, restated from reports and from variants of them."""

import numpy as np
from scipy.special import log_softmax, rel_entr, softmax

from answers import dropout, normalization
from answers.dropout import below, like, masked_by, sampled, usual
from answers.losses import at
from answers.normalization import backward, norm, standard

RIGHT = {}


def over(powers):
    return powers / powers.sum(axis=-1, keepdims=True)


def eye(logits, labels):
    return np.eye(logits.shape[1])[labels]


def logs(z):
    return log_softmax(z, axis=-1)


def p(z):
    return softmax(z, axis=-1)


def double_loop(dy, p):
    """The Jacobian in a loop that writes over its own entries."""
    dz = np.zeros_like(p)
    for index in np.ndindex(p.shape[:-1]):
        row = p[index]
        for i in range(len(row)):
            for j in range(len(row)):
                dz[index][i] = row[i] * (1 - row[j]) if i == j else -row[i] * row[j]
    return dz


def products(q, k):
    return q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])


def tri(q, keep=np.tril):
    return keep(np.ones((q.shape[-2], q.shape[-2])))


def target(z, labels, smoothing):
    return (1 - smoothing) * eye(z, labels) + smoothing / z.shape[1]


def against(z, y):
    return -(y * logs(z)).sum(axis=1).mean()


def exact_share(a, keep_prob, rng):
    draws = rng.random(a.shape)
    mask = draws <= np.quantile(draws, keep_prob)
    return a * mask / keep_prob, mask


class OutputAsMask(dropout.Layer):
    """Backward reads the mask off the output."""

    def forward(self, a):
        self.output = super().forward(a)
        return self.output

    def backward(self, dy):
        return dy if self.mask is None else dy * (self.output != 0) / self.keep_prob


class DrawsInUse(dropout.Layer):
    """Draws, and throws it away."""

    def in_use(self, a):
        self.draw(a)
        return super().in_use(a)


class DrawsInBackward(dropout.Layer):
    """Moves the generator."""

    def backward(self, dy):
        self.rng.random()
        return super().backward(dy)


class InPlace(dropout.Layer):
    """Writes into what it is given."""

    def forward(self, a):
        if not self.training:
            return self.in_use(a)
        self.mask = self.draw(a)
        a *= self.mask
        a /= self.keep_prob
        return a


class GradientInPlace(dropout.Layer):
    """Writes into the gradient that it is given."""

    def backward(self, dy):
        if self.mask is not None:
            dy *= self.mask / self.keep_prob
        return dy


class Once(dropout.Layer):
    """Forgets the mask when it has been used."""

    def backward(self, dy):
        da = super().backward(dy)
        self.mask = None
        return da


class ModeOfNow(dropout.Layer):
    """Backward asks for the mode."""

    def backward(self, dy):
        return super().backward(dy) if self.training else dy


class InCommon(dropout.Layer):
    """All layers share a mask."""

    masks = []  # noqa: RUF012

    def forward(self, a):
        output = super().forward(a)
        self.masks[:] = [self.mask]
        return output

    def backward(self, dy):
        (mask,) = self.masks
        return dy if mask is None else dy * mask / self.keep_prob


class Alternating(dropout.Layer):
    """The mask of the first half serves the second."""

    def draw(self, a):
        half = self.rng.random((a.size + 1) // 2) < self.keep_prob
        return np.concatenate([half, half])[: a.size].reshape(a.shape)


def one_mask_for_all(x, weight, keep_prob, samples, rng):
    masks = (rng.random(x.shape[1]) < keep_prob for _ in range(samples))
    return sum(p(x * mask / keep_prob @ weight) for mask in masks) / samples


def runs(x, weight, keep_prob, samples, rng):
    return np.array([p(below(x, keep_prob, rng)[0] @ weight) for _ in range(samples)])


def batch_norm(**changes):
    return type("BatchNorm", (normalization.Layer,), changes)


def spread(var):
    """An update with another running variance."""

    def update(self, x):
        m = self.momentum
        self.running_mean = (1 - m) * self.running_mean + m * x.mean(axis=0)
        self.running_var = (1 - m) * self.running_var + m * var(self, x)

    return batch_norm(update=update)


def in_use(use):
    """Another forward with training = False."""
    return batch_norm(forward=lambda self, x: normalization.Layer.forward(self, x) if self.training else use(self, x))


class Cumulative(normalization.Layer):
    """Averages over the batches."""

    batches = 0

    def update(self, x):
        self.batches += 1
        self.running_mean = self.running_mean + (x.mean(axis=0) - self.running_mean) / self.batches
        self.running_var = self.running_var + (x.var(axis=0, ddof=1) - self.running_var) / self.batches


class KeptAxis(normalization.Layer):
    """With statistics of the shape (1, C)."""

    def __init__(self, num_features, momentum, eps):
        super().__init__(num_features, momentum, eps)
        self.running_mean, self.running_var = np.zeros((1, num_features)), np.ones((1, num_features))


class Stays(normalization.Layer):
    """Never comes back to training."""

    left = False

    def forward(self, x):
        self.left |= not self.training
        mode, self.training = self.training, self.training and not self.left
        y = super().forward(x)
        self.training = mode
        return y


class OfTheClass(normalization.Layer):
    """The statistics are made once, for all layers."""

    statistics = {}  # noqa: RUF012

    def __init__(self, num_features, momentum, eps):
        super().__init__(num_features, momentum, eps)
        self.running_mean, self.running_var = self.statistics.setdefault(num_features, (np.zeros(4), np.ones(4)))
        self.running_mean, self.running_var = self.running_mean[:num_features], self.running_var[:num_features]

    def update(self, x):
        m = self.momentum
        self.running_mean *= 1 - m
        self.running_mean += m * x.mean(axis=0)
        self.running_var *= 1 - m
        self.running_var += m * x.var(axis=0, ddof=1)


def gradients(dx):
    """Gradients with another dx, made of x_hat, g, their mean over a row, and the root."""

    def backward(dy, x, gamma, eps):
        root = np.sqrt(x.var(axis=-1, keepdims=True) + eps)
        x_hat, g = (x - x.mean(axis=-1, keepdims=True)) / root, dy * gamma
        return dx(x_hat, g, lambda v: v.mean(axis=-1, keepdims=True), root), (dy * x_hat).sum(axis=0), dy.sum(axis=0)

    return backward


ANOTHER = "What is subtracted before exp is not the largest"

WRONG = {
    "softmax": [
        ("A small number is added to the sum", lambda z: (lambda e: e / (e.sum(-1, keepdims=True) + 1e-6))(
            np.exp(z - z.max(-1, keepdims=True)))),
        (ANOTHER, lambda z: over(np.exp(z - np.mean(z, axis=-1, keepdims=True, where=np.isfinite(z))))),
        (ANOTHER, lambda z: over(np.exp(z - np.median(z, axis=-1, keepdims=True)))),
        (ANOTHER, lambda z: over(np.exp(z - z.min(axis=-1, keepdims=True)))),
        (ANOTHER, lambda z: over(np.exp(z - z[..., :1]))),
        (ANOTHER, lambda z: over(np.exp(z - z[..., -1:]))),
        ("Did you mean: 'exp'", lambda z: np.expp(z)),
        ("numbers are in float32", lambda z: p(z.astype(np.float32)).astype(z.dtype)),
        ("Softmax is applied twice", lambda z: p(p(z))),
    ],
    "softmax_with_temperature": [
        ("The temperature counts twice", lambda z, t: p(z / t / t)),
        (ANOTHER, lambda z, t: over(np.exp((z - z[..., :1]) / t))),
        ("numbers are in float32", lambda z, t: p((z / t).astype(np.float32)).astype(z.dtype)),
    ],
    "log_softmax": [
        ("A small number is added", lambda z: np.log(p(z) + np.finfo(z.dtype).eps)),
        ("exp and log cancel", lambda z: z - np.log(np.exp(z)).sum(axis=-1, keepdims=True)),
        (ANOTHER, lambda z: z - z[..., :1] - np.log(np.exp(z - z[..., :1]).sum(axis=-1, keepdims=True))),
    ],
    "softmax_backward": [
        ("overwrite each other", double_loop),
        ("gradient of log_softmax", lambda dy, p: dy - p * dy.sum(axis=-1, keepdims=True)),
        ("There is a division", lambda dy, p: p * (dy / (dy * p).sum(axis=-1, keepdims=True))),
        ("softmax and cross-entropy together", lambda dy, p: p - dy),
    ],
    "attention_weights": [
        ("plus infinity", lambda q, k: p(np.where(tri(q) > 0, products(q, k), np.inf))),
        ("0 times infinity", lambda q, k: p(tri(q) * products(q, k) + (1 - tri(q)) * -np.inf)),
        ("not far enough below", lambda q, k: p(np.where(tri(q) > 0, products(q, k), -10000.0))),
        ("The softmax is applied twice", lambda q, k: p(p(np.where(tri(q) > 0, products(q, k), -np.inf)))),
        ("The diagonal is masked", lambda q, k: p(products(q, k) + tri(q, np.triu) * -1e9)),
        ("numbers are in float32", lambda q, k: p(np.where(tri(q) > 0, products(q, k), -np.inf).astype(np.float32))),
    ],
    "cross_entropy": [
        ("Terms for the wrong classes", lambda z, labels: (
            lambda q, y: -(y * np.log(q) + (1 - y) * np.log(1 - q)).mean())(
            p(z), eye(z, labels))),
        ("This is the perplexity", lambda z, labels: np.exp(-at(logs(z), labels).mean())),
        ("distance between the label's logit and", lambda z, labels: (z.max(axis=1) - at(z, labels)).mean()),
        ("the same, whatever the function is given", lambda z, labels: 0.0),
        ("count from 1", lambda z, labels: -at(logs(z), labels - 1).mean()),
        ("This is the median", lambda z, labels: -np.median(at(logs(z), labels))),
        ("an axis of length 1 too many", lambda z, labels: -at(logs(z), labels).mean(keepdims=True)),
        (ANOTHER, lambda z, labels: -at(
            z - z[:, :1] - np.log(np.exp(z - z[:, :1]).sum(axis=1, keepdims=True)), labels).mean()),
    ],
    "cross_entropy_grad": [
        ("as many columns as there are examples",
         lambda z, labels: (p(z) - np.eye(len(labels))[labels]) / len(labels)),
        ("gradient of a squared error", lambda z, labels: (
            lambda q, d: 2 * q * (d - (d * q).sum(1, keepdims=True)) / len(q))(p(z), p(z) - eye(z, labels))),
        (ANOTHER, lambda z, labels: (over(np.exp(z - z[:, :1])) - eye(z, labels)) / len(z)),
    ],
    "smoothed_cross_entropy": [
        ("Every class gets smoothing / (K - 1)", lambda z, labels, e: against(
            z, (1 - e) * eye(z, labels) + e / (z.shape[1] - 1))),
        ("divided by 1 + smoothing", lambda z, labels, e: against(z, (eye(z, labels) + e / z.shape[1]) / (1 + e))),
        ("The entropy of the target is subtracted", lambda z, labels, e: against(z, target(z, labels, e)) + (
            lambda y: y * np.log(y))(target(z, labels, e)).sum(axis=1).mean()),
        ("Every class gets 1 / K", lambda z, labels, e: against(z, (1 - e) * eye(z, labels) + 1 / z.shape[1])),
        ("divided by K twice",
         lambda z, labels, e: (1 - e) * -at(logs(z), labels).mean() - e * logs(z).mean() / z.shape[1]),
    ],
    "kl_divergence": [
        ("Jensen-Shannon", lambda p, q: (rel_entr(p, (p + q) / 2) + rel_entr(q, (p + q) / 2)).sum(axis=-1) / 2),
        ("Classes with a small p are left out", lambda p, q: np.where(p > 0.03, rel_entr(p, q), 0).sum(axis=-1)),
        ("Classes with a small p are left out", lambda p, q: np.where(p > 1e-12, rel_entr(p, q), 0).sum(axis=-1)),
        ("numbers are in float32", lambda p, q: rel_entr(p.astype(np.float32), q.astype(np.float32)).sum(axis=-1)),
    ],
    "inverted_dropout": [
        ("A fixed number of entries", exact_share),
        ("Entries share a random number", masked_by(
            lambda a, keep_prob, rng: np.repeat(rng.random((a.size + 1) // 2) < keep_prob, 2)[: a.size].reshape(
                a.shape))),
        ("Entries share a random number", masked_by(lambda a, keep_prob, rng: (
            lambda half: np.concatenate([half, half[::-1]])[: a.size].reshape(a.shape))(
                rng.random((a.size + 1) // 2) < keep_prob))),
        ("read off the values", lambda a, keep_prob, rng: (lambda out: (out, out != 0))(below(a, keep_prob, rng)[0])),
        ("decides for the whole array",
         masked_by(lambda a, keep_prob, rng: np.full(a.shape, rng.random() < keep_prob))),
        ("numbers are in float32", lambda a, keep_prob, rng: (
            lambda mask: ((a * mask).astype(np.float32) / np.float32(keep_prob), mask))(usual(a, keep_prob, rng))),
    ],
    "dropout_backward": [("in one long row", lambda dy, mask, keep_prob: dy[mask] / keep_prob)],
    "dropout_layer": [
        ("read off the values", OutputAsMask),
        ("forward draws random numbers", DrawsInUse),
        ("backward draws random numbers", DrawsInBackward),
        ("changed in place", InPlace),
        ("changed in place", GradientInPlace),
        ("A second call to backward", Once),
        ("the present mode", ModeOfNow),
        ("Two layers share something", InCommon),
        ("Entries share a random number", Alternating),
        ("Did you mean: 'self.keep_prob'", like(draw=lambda self, a: self.rng.random(a.shape) < keep_prob)),  # noqa: F821
    ],
    "monte_carlo_average": [
        ("The logarithms of the probabilities are averaged", lambda *args: np.exp(np.log(runs(*args)).mean(axis=0))),
        ("All rows have the same masks", one_mask_for_all),
        ("only one of them counts", lambda *args: runs(*args)[-1]),
        ("a median is taken", lambda *args: np.median(runs(*args), axis=0)),
        ("means over 50 masks", lambda x, weight, keep_prob, samples, rng: sampled(
            x, weight, keep_prob, min(samples, 50), rng)),
        ("means over 50 masks", lambda x, weight, keep_prob, samples, rng: sampled(
            x, weight, keep_prob, max(samples // 2, 1), rng)),
        ("The mean over the samples is missing", runs),
    ],
    "batch_norm": [
        ("not the one that is given", lambda x, gamma, beta, eps: norm(0)(x, gamma, beta, 1e-5)),
        ("mean absolute deviation", lambda x, gamma, beta, eps: gamma * (x - x.mean(axis=0)) / (
            np.abs(x - x.mean(axis=0)).mean(axis=0) + eps) + beta),
        ("added up, not averaged", lambda x, gamma, beta, eps: gamma * (x - x.mean(axis=0)) / np.sqrt(
            ((x - x.mean(axis=0)) ** 2).sum(axis=0) + eps) + beta),
    ],
    "batch_norm_layer": [
        ("eps is in the running variance", spread(lambda self, x: x.var(axis=0, ddof=1) + self.eps)),
        ("holds a standard deviation", spread(lambda self, x: x.std(axis=0, ddof=1))),
        ("applied twice to the running", spread(lambda self, x: x.var(axis=0, ddof=1) * len(x) / (len(x) - 1))),
        ("the mean 0 and the variance 1", in_use(lambda self, x: x / np.sqrt(1 + self.eps))),
        ("is applied again in evaluation mode", in_use(lambda self, x: (x - self.running_mean) / np.sqrt(
            self.running_var * len(x) / (len(x) - 1) + self.eps))),
        ("All batches have the same weight", Cumulative),
        ("keepdims=True was used for them", KeptAxis),
        ("does not go back to training", Stays),
        ("kept from one call to the next", OfTheClass),
    ],
    "layer_norm": [
        ("all axes but the first", lambda x, gamma, beta, eps: norm(tuple(range(1, x.ndim)) or 0)(x, gamma, beta, eps)),
        ("outside the root", lambda x, gamma, beta, eps: gamma * (x - x.mean(-1, keepdims=True)) / (
            x.std(-1, keepdims=True) + np.sqrt(eps)) + beta),
        ("normalized twice", lambda x, gamma, beta, eps: gamma * standard(standard(x, eps, -1), eps, -1) + beta),
    ],
    "rms_norm": [
        ("by its length and by the root of C", lambda x, gamma, eps: gamma * x / np.sqrt(
            (x**2).sum(axis=-1, keepdims=True) + eps) / np.sqrt(x.shape[-1])),
        ("outside the root", lambda x, gamma, eps: gamma * x * (1 / np.sqrt((x**2).mean(-1, keepdims=True)) + eps)),
        ("The factor is 1 + gamma", lambda x, gamma, eps: (1 + gamma) * standard_rms(x, eps)),
        ("before it is divided by C", lambda x, gamma, eps: gamma * x / np.sqrt(
            ((x**2).sum(axis=-1, keepdims=True) + eps) / x.shape[-1])),
        ("gamma takes part", lambda x, gamma, eps: standard_rms(gamma * x, eps)),
        ("The root is taken twice",
         lambda x, gamma, eps: gamma * x / ((x**2).mean(axis=-1, keepdims=True) + eps) ** 0.25),
    ],
    "layer_norm_backward": [
        ("counts twice", gradients(lambda x_hat, g, mean, root: (g - mean(g) - 2 * x_hat * mean(g * x_hat)) / root)),
        ("before the mean", gradients(lambda x_hat, g, mean, root: (g - mean(g) - mean(g * x_hat)) / root)),
        ("of the whole array",
         gradients(lambda x_hat, g, mean, root: (g - g.mean() - x_hat * (g * x_hat).mean()) / root)),
        ("in the wrong order", lambda *args: (lambda dx, dgamma, dbeta: (dx, dbeta, dgamma))(*backward(*args))),
        ("go over the batch", gradients(
            lambda x_hat, g, mean, root: (g - g.mean(axis=0) - x_hat * (g * x_hat).mean(axis=0)) / root)),
        ("x minus its mean", gradients(
            lambda x_hat, g, mean, root: (g - mean(g) - x_hat * root * mean(g * x_hat * root)) / root)),
    ],
}  # fmt: skip


def standard_rms(x, eps):
    return x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + eps)
