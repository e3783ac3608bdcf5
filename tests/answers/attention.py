"""Answers to the task of chapter 1 on attention."""

import numpy as np
import scipy.special


def softmax(z):
    return scipy.special.softmax(z, axis=-1)


def scores(queries, keys):
    return queries @ np.swapaxes(keys, -1, -2) / np.sqrt(queries.shape[-1])


def masked(z, k=0, fill=-np.inf):
    return np.where(np.tril(np.ones(z.shape[-2:], dtype=bool), k), z, fill)


def right(queries, keys):
    return softmax(masked(scores(queries, keys)))


def added_mask(queries, keys):
    T = queries.shape[-2]  # noqa: N806
    return softmax(scores(queries, keys) + np.triu(np.full((T, T), -np.inf), 1))


def position_by_position(queries, keys):
    weights = np.zeros(queries.shape[:-1] + queries.shape[-2:-1])
    for index in np.ndindex(queries.shape[:-1]):
        *batch, t = index
        past = keys[tuple(batch)][: t + 1]
        weights[index][: t + 1] = softmax(past @ queries[index] / queries.shape[-1] ** 0.5)
    return weights


def after_softmax_and_renormalized(queries, keys):
    z = masked(scores(queries, keys))
    e = np.tril(np.exp(z - z.max(axis=-1, keepdims=True)))
    return e / e.sum(axis=-1, keepdims=True)


def assigned(queries, keys):
    z = np.einsum("...id,...jd->...ij", queries, keys) * queries.shape[-1] ** -0.5
    z[..., np.triu(np.ones(z.shape[-2:], dtype=bool), k=1)] = -1e30
    return softmax(z)


def wrong_scale(scale):
    return lambda q, k: softmax(masked(q @ np.swapaxes(k, -1, -2) / scale(q)))


RIGHT = {"attention_weights": [right, added_mask, position_by_position, after_softmax_and_renormalized, assigned]}

WRONG = {
    "attention_weights": [
        ("not scaled", wrong_scale(lambda q: 1)),
        ("divided by d", wrong_scale(lambda q: q.shape[-1])),
        ("number of positions", wrong_scale(lambda q: np.sqrt(q.shape[-2]))),
        ("multiplied by the scale", wrong_scale(lambda q: 1 / np.sqrt(q.shape[-1]))),
        ("mask comes after the softmax", lambda q, k: np.tril(softmax(scores(q, k)))),
        ("wrong triangle", lambda q, k: softmax(np.where(np.triu(np.ones((len(q), len(q)))), scores(q, k), -np.inf))),
        ("diagonal is masked", lambda q, k: softmax(masked(scores(q, k), -1))),
        ("Nothing is masked", lambda q, k: softmax(scores(q, k))),
        ("One position too many", lambda q, k: softmax(masked(scores(q, k), 1))),
        ("exp(0) is 1", lambda q, k: softmax(np.tril(scores(q, k)))),
        ("goes over the queries", lambda q, k: scipy.special.softmax(masked(scores(q, k)), axis=-2)),
        ("are swapped", lambda q, k: right(k, q)),
        ("softmax is missing", lambda q, k: masked(scores(q, k))),
        ("not far enough", lambda q, k: softmax(masked(scores(q, k), 0, -10.0))),
        ("x.T reverses all axes", lambda q, k: softmax(masked(q @ k.T / np.sqrt(q.shape[-1])))),
        ("Subtract the largest allowed product", lambda q, k: (lambda e: e / e.sum(axis=-1, keepdims=True))(
            np.exp(masked(scores(q, k))))),
        ("A later position takes part", lambda q, k: (lambda e: e / e.sum(axis=-1, keepdims=True))(
            np.tril(np.exp(scores(q, k) - scores(q, k).max(axis=-1, keepdims=True))))),
        ("of the whole array is subtracted", lambda q, k: (lambda z, e: e(z) / e(z).sum(axis=-1, keepdims=True))(
            masked(scores(q, k)), lambda z: np.exp(z - z.max()))),
        ("shape", lambda q, k: right(q, k).sum(axis=0)),
    ],
}  # fmt: skip
