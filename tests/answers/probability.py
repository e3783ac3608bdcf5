"""Answers to the tasks of chapter 1 on probabilities."""

import math

import numpy as np
import scipy.special


def shifted(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def by_rows(z):
    p = np.empty_like(z)
    for index in np.ndindex(z.shape[:-1]):
        e = np.exp(z[index] - np.max(z[index]))
        p[index] = e / np.sum(e)
    return p


def with_lists(z):
    if z.ndim > 1:
        return [with_lists(row) for row in z]
    top = max(z)
    powers = [math.exp(score - top) for score in z]
    return [power / sum(powers) for power in powers]


def moved(z):
    e = np.exp(np.moveaxis(z, -1, 0) - z.max(-1))
    return np.moveaxis(e / e.sum(axis=0), 0, -1)


def einsum(z):
    e = np.exp(z - np.expand_dims(np.max(z, -1), -1))
    return e / np.einsum("...k->...", e)[..., None]


def in_a_copy(z):
    z = z.copy()
    z -= z.max(axis=-1, keepdims=True)
    np.exp(z, out=z)
    z /= z.sum(axis=-1, keepdims=True)
    return z


def noisy(z):
    print("scores:", z)
    np.seterr(all="ignore")
    np.random.seed(1)  # noqa: NPY002
    return shifted(z)


def in_place(z):
    z -= z.max(axis=-1, keepdims=True)
    e = np.exp(z)
    return e / e.sum(axis=-1, keepdims=True)


def naive(z):
    return np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)


def clipped(z):
    e = np.exp(np.clip(z, -700, 700))
    return e / e.sum(axis=-1, keepdims=True)


def float64_loop(z):
    p = np.zeros(z.shape)
    for index in np.ndindex(z.shape[:-1]):
        p[index] = shifted(z[index])
    return p


def prints(z):
    print(shifted(z))


def backward_by_rows(dy, p):
    dz = np.zeros_like(p)
    for index in np.ndindex(p.shape[:-1]):
        row = p[index]
        jacobian = np.diag(row) - np.outer(row, row)
        dz[index] = jacobian @ dy[index]
    return dz


def log_by_rows(z):
    out = np.empty_like(z)
    for index in np.ndindex(z.shape[:-1]):
        top = z[index].max()
        out[index] = z[index] - (top + np.log(np.exp(z[index] - top).sum()))
    return out


RIGHT = {
    "softmax": [
        shifted,
        by_rows,
        with_lists,
        moved,
        einsum,
        in_a_copy,
        noisy,
        lambda z: scipy.special.softmax(z, axis=-1),
        lambda z: np.exp(z - scipy.special.logsumexp(z, axis=-1, keepdims=True)),
        lambda z: shifted(z.astype(np.float64)).astype(z.dtype),
        lambda z: np.asfortranarray(shifted(z)),
    ],
    "softmax_with_temperature": [
        lambda z, temperature: shifted(z / temperature),
        lambda z, temperature: by_rows(np.divide(z, temperature)),
        lambda z, temperature: shifted((z - z.max(axis=-1, keepdims=True)) / temperature),
        lambda scores, T: scipy.special.softmax(scores * (1 / T), axis=-1),  # noqa: N803
    ],
    "log_softmax": [
        log_by_rows,
        lambda z: z - scipy.special.logsumexp(z, axis=-1, keepdims=True),
        lambda z: scipy.special.log_softmax(z, axis=-1),
        lambda z: (lambda s: s - np.log(np.exp(s).sum(-1))[..., None])(z - z.max(-1)[..., None]),
        lambda z: z - np.logaddexp.reduce(z, axis=-1)[..., np.newaxis],
    ],
    "softmax_backward": [
        backward_by_rows,
        lambda dy, p: p * (dy - (dy * p).sum(axis=-1, keepdims=True)),
        lambda dy, p: p * dy - p * np.einsum("...k,...k->...", dy, p)[..., None],
        lambda dy, p: np.einsum("...ij,...j->...i", p[..., None] * (np.eye(p.shape[-1], dtype=p.dtype)
                                                                   - p[..., None, :]), dy),
    ],
}  # fmt: skip

WRONG = {
    "softmax": [
        ("Subtract the largest score of each row", naive),
        ("Subtract the largest score of each row", lambda z: shifted(z) if abs(z).max() < 150 else naive(z)),
        ("Subtract the largest score of each row", clipped),
        ("Subtract the largest score of each row", lambda z: naive(z.astype(np.float64)).astype(z.dtype)),
        ("Subtract the largest score of each row", lambda z: shifted(z) if z.dtype == float else naive(z)),
        ("of the whole array is subtracted", lambda z: naive(z - z.max())),
        ("largest score is taken over the wrong axis", lambda z: naive(z - np.max(z, axis=0))),
        ("on the last one: axis=-1", lambda z: scipy.special.softmax(z, axis=0)),
        ("all rows share one total", lambda z: scipy.special.softmax(z)),
        ("all rows share one total", lambda z: np.exp(z) / np.exp(z).sum()),
        ("the sums form a row", lambda z: np.exp(z) / np.exp(z).sum(-1)),
        ("keepdims=True keeps it", lambda z: shifted(z) if z.ndim == 1 or len(z) == z.shape[-1] else z - z.max(-1)),
        ("powers is not e", lambda z: 2**z / (2**z).sum(axis=-1, keepdims=True)),
        ("not divided by their sum", lambda z: np.exp(z)),
        ("no exponential is taken", lambda z: z / z.sum(axis=-1, keepdims=True)),
        ("This is the logarithm", lambda z: np.log(shifted(z))),
        ("signs of the scores are reversed", lambda z: shifted(-z)),
        ("sigmoid", lambda z: scipy.special.expit(z)),
        ("changed in place", in_place),
        ("float type of the result", float64_loop),
        ("float type of the result", lambda z: shifted(z.astype(np.float64))),
        ("numbers are in float32", lambda z: shifted(z).astype(np.float32)),
        ("print", prints),
        ("returns nothing", lambda z: None),
        ("comma after the result", lambda z: (shifted(z),)),
        ("Only plain arrays", lambda z: np.ma.array(shifted(z))),
        ("a list whose rows have different lengths", lambda z: [[0.5, 0.5], [1.0]]),
        ("the function does not know", lambda z: undefined_name),  # noqa: F821
        ("is called as softmax(z)", lambda z, axis: shifted(z)),
        ("ends the whole program", lambda z: exit()),
        ("meets a whole array", lambda z: shifted(z - max(z)) if z.ndim > 1 else shifted(z)),
        ("calls itself without end", lambda z: (lambda f: f(f))(lambda f: f(f))),
        ("does not have that axis", lambda z: z / z.sum(axis=1)),
        ("stops with an error", lambda z: 1 / 0),
        ("multiplied by 2", lambda z: 2 * shifted(z)),
        ("transpose", lambda z: shifted(z).T),
        ("masked class", lambda z: np.where(np.isfinite(z).all(), shifted(z), 0.0).astype(z.dtype)),
        ("by hand", lambda z: shifted(z) + 0.01),
    ],
    "softmax_with_temperature": [
        ("multiplied by the temperature", lambda z, t: shifted(z * t)),
        ("The probabilities are divided by the temperature", lambda z, t: shifted(z) / t),
        ("temperature has no effect", lambda z, t: shifted(z)),
        ("raised to the power", lambda z, t: shifted(z) ** (1 / t)),
        ("then subtract the largest quotient", lambda z, t: naive(z / t)),
        ("then subtract the largest quotient", lambda z, t: shifted(z / t) if t > 0.01 else naive(z / t)),
        ("on the last one: axis=-1", lambda z, t: scipy.special.softmax(z / t, axis=0)),
        ("all rows share one total", lambda z, t: scipy.special.softmax(z / t)),
        ("float type of the result", lambda z, t: shifted(z / np.array([t]))),
        ("changed in place", lambda z, t: shifted(np.divide(z, t, out=z))),
        ("is called as softmax_with_temperature(z, temperature)", lambda z: shifted(z)),
    ],
    "log_softmax": [
        ("Do not take the log of a probability", lambda z: np.log(shifted(z))),
        ("A small number is added", lambda z: np.log(shifted(z) + 1e-12)),
        ("A small number is added", lambda z: np.log(shifted(z) + 1e-15)),
        ("Subtract the largest score of each row", lambda z: z - np.log(np.exp(z).sum(axis=-1, keepdims=True))),
        ("of the whole array is subtracted",
         lambda z: z - z.max() - np.log(np.exp(z - z.max()).sum(axis=-1, keepdims=True))),
        ("not added back", lambda z: z - np.log(np.exp(z - z.max(-1, keepdims=True)).sum(-1, keepdims=True))),
        ("these are the probabilities themselves", shifted),
        ("The sign is reversed", lambda z: -scipy.special.log_softmax(z, axis=-1)),
        ("base 2 or 10", lambda z: np.log2(shifted(z))),
        ("on the last one: axis=-1", lambda z: scipy.special.log_softmax(z, axis=0)),
        ("all rows share one total", lambda z: scipy.special.log_softmax(z)),
        ("logarithm of the sum is missing", lambda z: z - z.max(axis=-1, keepdims=True)),
        ("form a row", lambda z: z - np.log(np.exp(z).sum(axis=-1))),
    ],
    "softmax_backward": [
        ("Only the diagonal", lambda dy, p: dy * p * (1 - p)),
        ("is not subtracted", lambda dy, p: dy * p),
        ("factor p in front", lambda dy, p: dy - (dy * p).sum(axis=-1, keepdims=True)),
        ("sum is over dy alone", lambda dy, p: p * (dy - dy.sum(axis=-1, keepdims=True))),
        ("A mean is subtracted", lambda dy, p: p * (dy - (dy * p).mean(axis=-1, keepdims=True))),
        ("The sign is reversed", lambda dy, p: p * ((dy * p).sum(axis=-1, keepdims=True) - dy)),
        ("are swapped", lambda dy, p: dy * (p - (dy * p).sum(axis=-1, keepdims=True))),
        ("probabilities already", lambda dy, p: backward_by_rows(dy, shifted(p))),
        ("over the wrong axis", lambda dy, p: p * (dy - (dy * p).sum(axis=0, keepdims=True))),
        ("share one total", lambda dy, p: p * (dy - (dy * p).sum())),
        ("form a row", lambda dy, p: p * (dy - (dy * p).sum(axis=-1))),
        ("float type of the result", lambda dy, p: (p * (dy - (dy * p).sum(axis=-1, keepdims=True))).astype(float)),
        ("changed in place", lambda dy, p: np.multiply(p, dy - (dy * p).sum(axis=-1, keepdims=True), out=p)),
    ],
}  # fmt: skip
