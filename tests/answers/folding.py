"""Answers to the task of chapter 4 on a BatchNorm that becomes a part of a linear layer."""

import numpy as np


def right(weight, bias, gamma, beta, mean, var, eps):
    scale = gamma / (var + eps) ** 0.5
    return weight @ np.diag(scale), bias * scale + (beta - mean * scale)


def column_by_column(weight, bias, gamma, beta, mean, var, eps):
    w, b = np.zeros_like(weight), np.zeros_like(bias)
    for c in range(len(bias)):
        root = np.sqrt(var[c] + eps)
        w[:, c] = weight[:, c] * gamma[c] / root
        b[c] = gamma[c] * (bias[c] - mean[c]) / root + beta[c]
    return w, b


def by_trying(weight, bias, gamma, beta, mean, var, eps):
    """What the two layers do to 0 and to each unit vector."""

    def both(x):
        return gamma * (x @ weight + bias - mean) / np.sqrt(var + eps) + beta

    at_0 = both(np.zeros(len(weight), dtype=weight.dtype))
    return np.array([both(row) - at_0 for row in np.eye(len(weight), dtype=weight.dtype)]), at_0


def scaled(scale):
    """Another factor, in weight and bias."""

    def fold(weight, bias, gamma, beta, mean, var, eps):
        s = scale(gamma, var, eps)
        return weight * s, (bias - mean) * s + beta

    return fold


def biased(change):
    """Another bias."""

    def fold(weight, bias, gamma, beta, mean, var, eps):
        s = gamma / np.sqrt(var + eps)
        return weight * s, change(bias, s, mean, beta)

    return fold


def weighed(change):
    """Another weight."""

    def fold(weight, bias, gamma, beta, mean, var, eps):
        s = gamma / np.sqrt(var + eps)
        return change(weight, s), (bias - mean) * s + beta

    return fold


def with_own_statistics(weight, bias, gamma, beta, mean, var, eps):
    return right(weight, bias, gamma, beta, weight.mean(axis=0), weight.var(axis=0), eps)


def gamma_in_weight(weight, bias, gamma, beta, mean, var, eps):
    root = np.sqrt(var + eps)
    return weight * gamma / root, (bias - mean) / root + beta


def root_in_weight(weight, bias, gamma, beta, mean, var, eps):
    return weight * gamma / np.sqrt(var + eps), gamma * (bias - mean) + beta


def in_place(weight, bias, gamma, beta, mean, var, eps):
    scale = gamma / np.sqrt(var + eps)
    weight *= scale
    return weight, (bias - mean) * scale + beta


def stacked(*args):
    weight, bias = right(*args)
    return np.vstack([weight, bias])


RIGHT = {"fold_batch_norm": [right, column_by_column, by_trying]}

WRONG = {
    "fold_batch_norm": [
        ("multiplies the rows", weighed(lambda w, s: w * s[:, None])),
        ("bias is not scaled", biased(lambda b, s, mean, beta: b - mean * s + beta)),
        ("bias of the linear layer is lost", biased(lambda b, s, mean, beta: beta - mean * s)),
        ("mean is not subtracted", biased(lambda b, s, mean, beta: b * s + beta)),
        ("mean is added", biased(lambda b, s, mean, beta: (b + mean) * s + beta)),
        ("subtracted after the scaling", biased(lambda b, s, mean, beta: b * s - mean + beta)),
        ("bias is subtracted from the mean", biased(lambda b, s, mean, beta: (mean - b) * s + beta)),
        ("beta is not added", biased(lambda b, s, mean, beta: (b - mean) * s)),
        ("beta is scaled", biased(lambda b, s, mean, beta: (b - mean + beta) * s)),
        ("beta is subtracted", biased(lambda b, s, mean, beta: (b - mean) * s - beta)),
        ("becomes beta alone", biased(lambda b, s, mean, beta: beta)),
        ("stays what it was", biased(lambda b, s, mean, beta: b)),
        ("added to the old bias", biased(lambda b, s, mean, beta: b + beta)),
        ("scaled twice", biased(lambda b, s, mean, beta: (b * s - mean) * s + beta)),
        ("gamma is missing in the bias", gamma_in_weight),
        ("bias is not divided", root_in_weight),
        ("gamma is not used", scaled(lambda gamma, var, eps: 1 / np.sqrt(var + eps))),
        ("weight stays what it was", weighed(lambda w, s: w)),
        ("divided by the factor", weighed(lambda w, s: w / s)),
        ("added to the weight", weighed(lambda w, s: w + s)),
        ("is transposed", weighed(lambda w, s: (w * s).T)),
        ("root is missing", scaled(lambda gamma, var, eps: gamma / (var + eps))),
        ("treated as a standard deviation", scaled(lambda gamma, var, eps: gamma / np.sqrt(var**2 + eps))),
        ("eps is missing", scaled(lambda gamma, var, eps: gamma / np.sqrt(var))),
        ("eps is in the wrong place", scaled(lambda gamma, var, eps: gamma / (np.sqrt(var) + eps))),
        ("number of your own", scaled(lambda gamma, var, eps: gamma / np.sqrt(var + 1e-5))),
        ("multiplied by the root of the variance", scaled(lambda gamma, var, eps: gamma * np.sqrt(var + eps))),
        ("upside down", scaled(lambda gamma, var, eps: np.sqrt(var + eps) / gamma)),
        ("gamma and beta are swapped", lambda w, b, gamma, beta, *rest: right(w, b, beta, gamma, *rest)),
        ("variance are swapped", lambda w, b, gamma, beta, mean, var, eps: right(w, b, gamma, beta, var, mean, eps)),
        ("computed from the weight", with_own_statistics),
        ("All outputs get the same factor", scaled(lambda gamma, var, eps: (gamma / np.sqrt(var + eps)).mean())),
        ("wrong order", lambda *args: right(*args)[::-1]),
        ("the tuple (weight, bias)", stacked),
        ("changed in place", in_place),
    ],
}  # fmt: skip
