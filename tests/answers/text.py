"""Answers to the tasks of the epilogue on a text: the next token, and the loss of the tokens that count."""

import itertools

import numpy as np
from scipy.special import log_softmax, softmax


def shares(z, temperature=1.0):
    return softmax(z / temperature, axis=-1)


def right(logits, temperature, rng):
    sums = shares(np.float64(logits), temperature).cumsum(axis=1)
    sums[:, -1] = 1.0
    return (sums > rng.random(len(logits))[:, None]).argmax(axis=1)


def by_choice(logits, temperature, rng):
    return [int(rng.choice(len(row), p=shares(np.float64(row), temperature))) for row in logits]


def by_search(logits, temperature, rng):
    tokens = np.empty(len(logits), dtype=int)
    for n, row in enumerate(logits):
        e = np.exp((row - row.max()) / temperature)
        sums = np.cumsum(e) / e.sum()
        tokens[n] = min(np.searchsorted(sums, rng.random(), side="right"), len(row) - 1)
    return tokens


def by_subtraction(logits, temperature, rng):
    tokens = []
    for row, left in zip(shares(np.float64(logits), temperature), rng.random(len(logits)), strict=True):
        token = 0
        while token < len(row) - 1 and left >= row[token]:
            left -= row[token]
            token += 1
        tokens.append(token)
    return np.array(tokens)


def picked(pick, p=shares, number=lambda rng, n: rng.random((n, 1))):
    """A sampler with other shares, another pick or other numbers."""
    return lambda logits, temperature, rng: pick(p(np.float64(logits), temperature), number(rng, len(logits)))


def first(p, u):
    return np.minimum((p.cumsum(axis=-1) <= u).sum(axis=-1), p.shape[-1] - 1)


def in_descending_order(logits, temperature, rng):
    p = shares(np.float64(logits), temperature)
    order = np.argsort(p, axis=-1)[:, ::-1]
    return first(np.take_along_axis(p, order, axis=-1), rng.random((len(p), 1)))


def top_p(logits, temperature, rng):
    p = shares(np.float64(logits), temperature)
    order = np.argsort(p, axis=-1)[:, ::-1]
    places = first(np.take_along_axis(p, order, axis=-1), rng.random((len(p), 1)))
    return order[np.arange(len(p)), places]


def no_clip(logits, temperature, rng):
    return (shares(logits, temperature).cumsum(axis=-1) < rng.random((len(logits), 1))).sum(axis=-1)


def first_in_float32(logits, temperature, rng):
    return (shares(logits, temperature).cumsum(axis=-1) > rng.random((len(logits), 1))).argmax(axis=-1)


TURNS = itertools.cycle([0.05, 0.95, 0.4])


def from_elsewhere(logits, temperature, rng):
    """Numbers of a stream that goes on from call to call, as that of a generator of one's own."""
    return first(shares(np.float64(logits), temperature), np.array([[next(TURNS)] for _ in logits]))


def own_seed(logits, temperature, rng):
    return right(logits, temperature, np.random.default_rng(0))


def copy_of_generator(logits, temperature, rng):
    twin = np.random.default_rng()
    twin.bit_generator.state = rng.bit_generator.state
    return right(logits, temperature, twin)


def top_k(logits, temperature, rng):
    z = np.where(np.argsort(np.argsort(logits)) < logits.shape[-1] - 2, -np.inf, logits)
    return right(z, temperature, rng)


def exponentials(z, temperature):
    return np.exp(z / temperature) / np.exp(z / temperature).sum(axis=-1, keepdims=True)


# The loss of a text.


def losses(logits, targets, axis=-1):
    return -np.take_along_axis(log_softmax(logits, axis=axis), np.maximum(targets, 0)[..., None], -1)[..., 0]


def flat(logits, targets, kept):
    keep = kept.reshape(-1)
    z, t = logits.reshape(-1, logits.shape[-1])[keep], targets.ravel()[keep]
    top = z.max(axis=1)
    return np.mean(top + np.log(np.exp(z - top[:, None]).sum(axis=1)) - z[range(len(t)), t])


def loop(logits, targets, kept):
    total, count = 0.0, 0
    for place in np.argwhere(kept):
        b, n = (int(i) for i in place)
        total -= log_softmax(logits[b, n])[targets[b, n]]
        count += 1
    return total / count


def by_where(logits, targets, kept):
    z = np.where(kept[..., None], logits, 0.0)
    t = np.where(kept, targets, 0)
    return np.where(kept, losses(z, t), 0.0).sum() / np.count_nonzero(kept)


def by_places(logits, targets, kept):
    b, n = np.nonzero(kept)
    return -log_softmax(logits[b, n], axis=-1)[np.arange(len(b)), targets[b, n]].mean()


def meaned(average):
    return lambda logits, targets, kept: average(losses(logits, targets), kept)


def of_kept(loss):
    return lambda logits, targets, kept: loss(logits[kept], targets[kept])


def chosen(log_p, t):
    return log_p[np.arange(len(t)), t]


def log_of_softmax(z, t):
    return -np.log(chosen(softmax(z, axis=-1), t)).mean()


RIGHT = {"sample": [right, by_choice, by_search, by_subtraction], "mean_kept_loss": [flat, loop, by_where, by_places]}

WRONG = {
    "sample": [
        ("temperature is not used", lambda z, t, rng: right(z, 1.0, rng)),
        ("multiplied by the temperature", lambda z, t, rng: right(z, 1 / t, rng)),
        ("square of the temperature", lambda z, t, rng: right(z, t * t, rng)),
        ("applied after the softmax", picked(first, lambda z, t: softmax(z, axis=-1) / t)),
        ("applied after the softmax", picked(first, lambda z, t: softmax(softmax(z, axis=-1) / t, axis=-1))),
        ("most likely token", lambda z, t, rng: np.argmax(z, axis=-1)),
        ("most likely token", lambda z, t, rng: shares(z, t).argmax(axis=-1)),
        ("without the scores", lambda z, t, rng: rng.integers(0, z.shape[1], size=z.shape[0])),
        ("One number decides for all rows", picked(first, number=lambda rng, n: rng.random())),
        ("one column of them is used", lambda z, t, rng: first(shares(z, t), rng.random(z.shape)[:, :1])),
        ("a number of its own", lambda z, t, rng: (shares(z, t) > rng.random(z.shape)).argmax(axis=1)),
        ("Each probability by itself", picked(lambda p, u: (p > u).argmax(axis=-1))),
        ("nearest to the number", picked(lambda p, u: np.abs(p.cumsum(axis=-1) - u).argmin(axis=-1))),
        ("wrong way round", picked(lambda p, u: (p.cumsum(axis=-1) > u).sum(axis=-1) - 1)),
        ("class after the one", picked(lambda p, u: np.minimum(first(p, u) + 1, p.shape[1] - 1))),
        ("class before the one", picked(lambda p, u: np.maximum(first(p, u) - 1, 0))),
        ("counted from 1", picked(lambda p, u: first(p, u) + 1)),
        ("begins at the last class", picked(lambda p, u: p.shape[1] - 1 - first(p[:, ::-1], u))),
        ("begins at the last class", picked(first, number=lambda rng, n: 1 - rng.random((n, 1)))),
        ("sorted", in_descending_order),
        ("sorted", top_p),
        ("goes down the rows", picked(lambda p, u: (p.cumsum(axis=0) > u).argmax(axis=-1))),
        ("goes down the rows", picked(lambda p, u: (p.cumsum().reshape(p.shape) > u).argmax(axis=-1))),
        ("softmax goes over the rows", picked(first, lambda z, t: softmax(z / t, axis=0))),
        ("softmax is missing", picked(first, lambda z, t: z / t)),
        ("not divided by their sum", picked(first, lambda z, t: np.exp(z / t))),
        ("applied twice", picked(first, lambda z, t: shares(shares(z, t)))),
        ("Sums of logarithms do that", picked(first, lambda z, t: log_softmax(z / t, axis=-1))),
        ("a different way to draw", lambda z, t, rng: (z / t + rng.gumbel(size=z.shape)).argmax(axis=-1)),
        ("a different way to draw", lambda z, t, rng: rng.multinomial(1, shares(np.float64(z), t)).argmax(axis=-1)),
        ("one-hot rows", lambda z, t, rng: np.eye(z.shape[1], dtype=int)[right(z, t, rng)]),
        ("normal distribution", picked(first, number=lambda rng, n: rng.standard_normal((n, 1)))),
        ("kept from one call to the next", from_elsewhere),
        ("seed of its own", own_seed),
        ("they are not integers", lambda z, t, rng: np.float64(right(z, t, rng))),
        ("below 1", no_clip),
        ("below 1", first_in_float32),
        ("exponential of a large score", picked(first, exponentials)),
        ("numbers that were drawn", lambda z, t, rng: rng.random(len(z))),
        ("No typical mistake", top_k),
        ("Noise is added", lambda z, t, rng: np.argmax(shares(z, t) * rng.random(z.shape), axis=1)),
        ("most likely token is taken", lambda z, t, rng: z.argmax(axis=1) if t <= 0.01 else right(z, t, rng)),
        ("it is limited", lambda z, t, rng: right(z, max(t, 1.0), rng)),
        ("mean of the tokens' numbers", lambda z, t, rng: np.int64(np.round(shares(z, t) @ np.arange(z.shape[1])))),
        ("No number is drawn", lambda z, t, rng: (shares(z, t).cumsum(axis=1) > 0.5).argmax(axis=1)),
        ("shape", lambda z, t, rng: int(right(z, t, rng)[0])),
        ("changed in place", lambda z, t, rng: right(np.divide(z, t, out=z), 1.0, rng)),
        ("does not take the arguments", lambda logits, temperature: 0),
        ("rng does not advance", copy_of_generator),
    ],
    "mean_kept_loss": [
        ("number of all tokens", meaned(lambda each, kept: (each * kept).mean())),
        ("number of all tokens", meaned(lambda each, kept: (each * kept).sum() / kept.size)),
        ("number of texts", meaned(lambda each, kept: (each * kept).sum() / kept.shape[0])),
        ("number of texts", meaned(lambda each, kept: (each * kept).sum() / kept.shape[1])),
        ("added up", meaned(lambda each, kept: (each * kept).sum())),
        ("mean of the means of the texts", meaned(lambda each, kept: np.mean(
            [row[keep].mean() for row, keep in zip(each, kept, strict=True) if keep.any()]))),
        ("mean of the means of the texts", meaned(lambda each, kept: np.mean(
            (each * kept).sum(axis=1) / np.maximum(kept.sum(axis=1), 1)))),
        ("mean of the means of the positions", meaned(lambda each, kept: np.mean(
            (each * kept).sum(axis=0) / np.maximum(kept.sum(axis=0), 1)))),
        ("kept is not used", meaned(lambda each, kept: each.mean())),
        ("The sum is over all tokens", meaned(lambda each, kept: each.sum() / kept.sum())),
        ("kept is used the wrong way round", meaned(lambda each, kept: each[kept == 0].mean())),
        ("become 0, and their loss log K", lambda z, t, kept: losses(z * kept[:, :, None], t).mean()),
        ("become 0, and their loss log K", lambda z, t, kept: losses(z * kept[:, :, None], t).sum() / kept.sum()),
        ("targets of the next position", lambda z, t, kept: loop(z[:, :-1], t[:, 1:], kept[:, 1:])),
        ("recognized by a mark", lambda z, t, kept: loop(z, t, t != -100)),
        ("recognized by a mark", lambda z, t, kept: loop(z, t, t != 0)),
        ("kept token counts", meaned(lambda each, kept: each[kept][-1])),
        ("text counts", meaned(lambda each, kept: each[0][kept[0]].mean())),
        ("losses of the kept tokens", meaned(lambda each, kept: each[kept])),
        ("losses of the kept tokens", meaned(lambda each, kept: each * kept)),
        ("means of the texts", meaned(lambda each, kept: (each * kept).sum(axis=1) / kept.sum(axis=1))),
        ("1 is added", meaned(lambda each, kept: (each * kept).sum() / (kept.sum() + 1))),
        ("A small number is added to the number", meaned(lambda each, kept: (each * kept).sum() / (kept.sum() + 1e-6))),
        ("twice", meaned(lambda each, kept: each[kept].mean() / kept.sum())),
        ("over the positions", lambda z, t, kept: losses(z, t, axis=1)[kept].mean()),
        ("0 times nan", lambda z, t, kept: (losses(z, t) * kept).sum() / kept.sum()),
        ("sign is reversed", of_kept(lambda z, t: chosen(log_softmax(z, axis=-1), t).mean())),
        ("logarithm is missing", of_kept(lambda z, t: 1 - chosen(softmax(z, axis=-1), t).mean())),
        ("base 2", of_kept(lambda z, t: -chosen(log_softmax(z, axis=-1), t).mean() / np.log(2))),
        ("perplexity", of_kept(lambda z, t: np.exp(-chosen(log_softmax(z, axis=-1), t).mean()))),
        ("softmax is missing", of_kept(lambda z, t: -chosen(z, t).mean())),
        ("takes every label from every row", of_kept(lambda z, t: -log_softmax(z, axis=-1)[:, t].mean())),
        ("underflows to 0", of_kept(log_of_softmax)),
        ("A small number is added to the probability", of_kept(
            lambda z, t: -np.log(chosen(softmax(z, axis=-1), t) + 1e-9).mean())),
        ("Nothing is subtracted", of_kept(lambda z, t: (np.log(np.exp(z).sum(-1)) - chosen(z, t)).mean())),
        ("over the whole batch", of_kept(lambda z, t: -chosen(log_softmax(z), t).mean())),
        ("median", of_kept(lambda z, t: -np.median(chosen(log_softmax(z, axis=-1), t)))),
        ("logits[:, labels]", lambda z, t, kept: -log_softmax(z, axis=-1)[..., t[kept]][kept].mean()),
        ("does not have that axis", lambda z, t, kept: log_softmax(z[kept], axis=2).mean()),
        ("numbers where one", of_kept(lambda z, t: log_softmax(z, axis=-1)[:, 0])),
    ],
}  # fmt: skip
