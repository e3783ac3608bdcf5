"""Answers to the task of the epilogue on attention with heads."""

import numpy as np
import scipy.special


def softmax(z, axis=-1):
    return scipy.special.softmax(z, axis=axis)


def split(x, heads):
    b, n, width = x.shape
    return x.reshape(b, n, heads, width // heads).transpose(0, 2, 1, 3)


def together(x):
    b, heads, n, d = x.shape
    return x.transpose(0, 2, 1, 3).reshape(b, n, heads * d)


def causal(z):
    return np.where(np.triu(np.ones(z.shape[-2:], dtype=bool), 1), -np.inf, z)


def scaled(q, k):
    return q @ k.transpose(0, 1, 3, 2) / np.sqrt(q.shape[-1])


def right(queries, keys, values, heads):
    q, k, v = split(queries, heads), split(keys, heads), split(values, heads)
    return together(softmax(causal(scaled(q, k))) @ v)


def in_loops(queries, keys, values, heads):
    b, n, width = queries.shape
    d = width // heads
    result = np.zeros(values.shape)
    for text in range(b):
        for head in range(heads):
            cut = slice(head * d, (head + 1) * d)
            for t in range(n):
                weights = softmax(keys[text, : t + 1, cut] @ queries[text, t, cut] / d**0.5)
                result[text, t, cut] = weights @ values[text, : t + 1, cut]
    return result


def head_by_head(queries, keys, values, heads):
    outputs = []
    cuts = zip(*(np.split(x, heads, axis=-1) for x in (queries, keys, values)), strict=True)
    for q, k, v in cuts:
        z = np.einsum("bid,bjd->bij", q, k) / np.sqrt(k.shape[-1])
        z += np.triu(np.full(z.shape[-2:], -np.inf), 1)
        outputs.append(softmax(z) @ v)
    return np.concatenate(outputs, axis=-1)


def by_einsum(queries, keys, values, heads):
    b, n, width = queries.shape
    q, k, v = (x.reshape(b, n, heads, -1) for x in (queries, keys, values))
    z = np.einsum("bihd,bjhd->bhij", q, k) * (width // heads) ** -0.5
    z[:, :, np.arange(n)[:, None] < np.arange(n)] = -1e30
    return np.einsum("bhij,bjhd->bihd", softmax(z), v).reshape(b, n, width)


def like(cut=split, mask=causal, products=scaled, soft=softmax, weighted=np.matmul, join=together):
    """The right answer, in which a step can be another one."""

    def multi_head_attention(queries, keys, values, heads):
        q, k, v = (cut(x, heads) for x in (queries, keys, values))
        return join(weighted(soft(mask(products(q, k))), v))

    return multi_head_attention


def viewed(x, heads):
    return x.reshape(x.shape[0], heads, x.shape[1], x.shape[2] // heads)


def scaled_by_width(queries, keys, values, heads):
    width = queries.shape[-1]
    return like(products=lambda q, k: q @ k.swapaxes(-1, -2) * width**-0.5)(queries, keys, values, heads)


def last_head_only(queries, keys, values, heads):
    return split(right(queries, keys, values, heads), heads)[:, -1]


def masked_after(w):
    return np.tril(softmax(w))


def averaged_in_place_of_softmax(z):
    return np.tril(np.ones(z.shape)) / np.arange(1, z.shape[-1] + 1)[:, None]


def one_mask_for_all(z):
    n = z.shape[-1]
    return np.where(np.tril(np.ones((n, n))) == 0, -1e4, z)


def appended(x):
    return np.concatenate([x[:, h] for h in range(x.shape[1])], axis=1)


def swapped_after_scores(queries, keys, values, heads):
    q, k, v = (split(x, heads) for x in (queries, keys, values))
    return together(softmax(causal(scaled(q, k)).swapaxes(-1, -2)) @ v)


RIGHT = {"multi_head_attention": [right, in_loops, head_by_head, by_einsum]}

WRONG = {
    "multi_head_attention": [
        ("made by a reshape alone", like(cut=viewed)),
        ("put together by a reshape alone", like(join=lambda x: x.reshape(x.shape[0], x.shape[2], -1))),
        ("without a change of axes", like(cut=viewed, join=lambda x: x.reshape(x.shape[0], x.shape[2], -1))),
        ("root of D", scaled_by_width),
        ("divided by d or D", like(products=lambda q, k: q @ k.swapaxes(-1, -2) / q.shape[-1])),
        ("not scaled", like(products=lambda q, k: q @ k.swapaxes(-1, -2))),
        ("multiplied by the root of d", like(products=lambda q, k: q @ k.swapaxes(-1, -2) * np.sqrt(q.shape[-1]))),
        ("another axis", like(products=lambda q, k: q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[2]))),
        ("Nothing is masked", like(mask=lambda z: z)),
        ("wrong triangle", like(mask=lambda z: np.where(np.tril(np.ones(z.shape[-2:])), -1e9, z))),
        ("diagonal is masked", like(mask=lambda z: np.where(np.tril(np.ones(z.shape[-2:]), -1), z, -1e9))),
        ("each one sees the next", like(mask=lambda z: np.where(np.triu(np.ones(z.shape[-2:]), 2), -np.inf, z))),
        ("mask comes after the softmax", like(mask=lambda z: z, soft=masked_after)),
        ("exp(0) is 1", like(mask=lambda z: z * np.tril(np.ones(z.shape[-2:])))),
        ("0 times infinity", like(mask=lambda z: z - np.triu(np.ones(z.shape[-2:]), 1) * np.inf)),
        ("masks nothing", like(mask=lambda z: z - np.triu(np.ones(z.shape[-2:]), 1))),
        ("not far enough", like(mask=lambda z: np.where(np.triu(np.ones(z.shape[-2:]), 1), -10, z))),
        ("goes over the queries", like(soft=lambda z: softmax(z, axis=2))),
        ("over the heads", like(mask=one_mask_for_all, soft=lambda z: softmax(z, axis=1))),
        ("softmax is missing", like(soft=lambda z: np.tril(z), mask=lambda z: z)),
        ("applied twice", like(soft=lambda z: softmax(softmax(z)))),
        ("not divided by their sum", like(soft=np.exp)),
        ("transposed before they meet", like(weighted=lambda w, v: w.transpose(0, 1, 3, 2) @ v)),
        ("Queries and keys are swapped", lambda q, k, v, h: right(k, q, v, h)),
        ("Keys and values are swapped", lambda q, k, v, h: right(q, v, k, h)),
        ("values are left out", lambda q, k, v, h: right(q, k, k, h)),
        ("averaged, or added up", like(join=lambda x: x.mean(axis=1))),
        ("averaged, or added up", like(join=lambda x: x.sum(axis=1))),
        ("one below the other", like(join=appended)),
        ("still has an axis for them", like(join=lambda x: x)),
        ("dealt out to the heads", like(cut=lambda x, h: x.reshape(*x.shape[:2], -1, h).transpose(0, 3, 1, 2))),
        ("features of a head are swapped", lambda q, k, v, h: right(q, k, v, q.shape[-1] // h)),
        ("one head for all features", lambda q, k, v, h: right(q, k, v, 1)),
        ("use the same table of weights", like(weighted=lambda w, v: w[:, :1] @ v)),
        ("added to the output", lambda q, k, v, h: q + right(q, k, v, h)),
        ("last two axes are swapped", like(join=lambda x: x.swapaxes(2, 3).reshape(x.shape[0], x.shape[2], -1))),
        ("the weights, or the products", lambda q, k, v, h: softmax(causal(scaled(split(q, h), split(k, h))))),
        ("exponential of a large product", like(soft=lambda z: np.exp(z) / np.exp(z).sum(-1, keepdims=True))),
        ("not used: with a different one", like(mask=lambda z: z, soft=averaged_in_place_of_softmax)),
        ("x.T reverses all axes", like(products=lambda q, k: q @ k.T)),
        ("Only one head is returned", last_head_only),
        ("No typical mistake", swapped_after_scores),
        ("a large number, or plus infinity", like(mask=lambda z: z + 1e9 * np.triu(np.ones(z.shape[-2:]), 1))),
        ("weights are divided by the scale", like(
            products=lambda q, k: q @ k.swapaxes(-1, -2), weighted=lambda w, v: w @ v / np.sqrt(v.shape[-1]))),
        ("Each head takes the whole values", lambda q, k, v, h: together(
            softmax(causal(scaled(split(q, h), split(k, h)))) @ v[:, None])),
    ],
}  # fmt: skip
