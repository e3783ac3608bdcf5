"""Answers to the task of chapter 1 on a softmax in blocks."""

import numpy as np
from scipy.special import logsumexp


def finite(m):
    return np.where(np.isneginf(m), 0.0, m)


def right(m, s, z):
    new = np.maximum(m, np.max(z, axis=-1))
    base = finite(new)
    return new, s * np.exp(m - base) + np.sum(np.exp(z - base[..., None]), axis=-1)


def score_by_score(m, s, z):
    m, s = np.copy(m), np.copy(s)
    for row in np.ndindex(m.shape):
        for score in z[row]:
            if score == -np.inf:
                continue
            if score > m[row]:
                s[row] = s[row] * np.exp(m[row] - score) + 1
                m[row] = score
            else:
                s[row] += np.exp(score - m[row])
    return m, s


def as_one_more_score(m, s, z):
    """The state is one score, with a weight."""
    every = np.concatenate([m[..., None], z], axis=-1)
    weights = np.ones_like(every)
    weights[..., 0] = s
    new = every.max(axis=-1)
    return new, (weights * np.exp(every - finite(new)[..., None])).sum(axis=-1)


def by_logarithms(m, s, z):
    with np.errstate(divide="ignore", invalid="ignore"):
        total = np.logaddexp(m + np.log(s), logsumexp(z, axis=-1))
        new = np.maximum(m, z.max(axis=-1))
        return new, np.where(np.isneginf(new), 0.0, np.exp(total - new))


def two_states(m, s, z):
    """The block gets a state of its own, and the two are merged."""
    top = z.max(axis=-1)
    part = np.exp(z - finite(top)[..., None]).sum(axis=-1)
    new = np.maximum(m, top)
    return new, s * np.exp(m - finite(new)) + part * np.exp(top - finite(new))


def summed(old, block, new=lambda m, z: np.maximum(m, z.max(axis=-1))):
    """The new maximum, and the sum of what two functions make of the old sum and of the block."""

    def add_block(m, s, z):
        top = new(m, z)
        return top, old(s, m, top) + block(z, top)

    return add_block


def kept(s, m, new):
    return s * np.exp(m - finite(new))


def powers(z, new):
    return np.exp(z - finite(new)[..., None]).sum(axis=-1)


def too_early(m, s, z):
    m = np.maximum(m, z.max(axis=-1))
    s = s * np.exp(m - finite(m)) + powers(z, m)
    return m, s


def then(change):
    return lambda m, s, z: change(*right(m, s, z))


def own_maximum(m, s, z):
    top = z.max(axis=-1)
    return np.maximum(m, top), kept(s, m, np.maximum(m, top)) + np.exp(z - finite(top)[..., None]).sum(axis=-1)


def old_maximum(m, s, z):
    return np.maximum(m, z.max(-1)), kept(s, m, np.maximum(m, z.max(-1))) + np.exp(z - m[..., None]).sum(-1)


def guarded_by_a_number(m, s, z):
    top = np.maximum(np.maximum(m, z.max(axis=-1)), -1e30)
    return top, kept(s, m, top) + powers(z, top)


def nothing_for_masked_blocks(m, s, z):
    if np.isneginf(z).all():
        return m, s
    new = np.maximum(m, z.max(axis=-1))
    return new, s * np.exp(m - new) + np.exp(z - new[..., None]).sum(axis=-1)


RIGHT = {"add_block": [right, score_by_score, as_one_more_score, by_logarithms, two_states]}

WRONG = {
    "add_block": [
        ("not rescaled to the new maximum", summed(lambda s, m, new: s, powers)),
        ("not rescaled to the new maximum", too_early),
        ("factor of the old sum is the wrong way round", summed(lambda s, m, new: s * np.exp(new - m), powers)),
        ("of the new maximum alone", summed(lambda s, m, new: s * np.exp(-new), powers)),
        ("of the new maximum alone", summed(lambda s, m, new: s * np.exp(m), powers)),
        ("The old sum is lost", summed(lambda s, m, new: 0.0, powers)),
        ("The old sum is lost", lambda m, s, z: right(np.full_like(m, -np.inf), 0 * s, z)),
        ("block's own maximum is subtracted", own_maximum),
        ("The old maximum is subtracted", old_maximum),
        ("Nothing is subtracted", summed(kept, lambda z, new: np.exp(z).sum(axis=-1))),
        ("applied to the block, too", lambda m, s, z: (
            right(m, s, z)[0], np.exp(m - right(m, s, z)[0]) * (s + powers(z, right(m, s, z)[0])))),
        ("block alone", lambda m, s, z: (z.max(axis=-1), right(m, s, z)[1])),
        ("block alone", summed(kept, powers, lambda m, z: z.max(axis=-1))),
        ("m stays what it was", lambda m, s, z: (m, right(m, s, z)[1])),
        ("whole array is taken", summed(kept, powers, lambda m, z: np.maximum(m, z.max()))),
        ("shape", summed(kept, powers, lambda m, z: max(m.max(), z.max()) + 0 * m[:1] if m.ndim else
                         np.maximum(m, z.max()))),
        ("goes down the rows", summed(kept, powers, lambda m, z: np.maximum(m, z.max(axis=0)))),
        ("goes down the rows", summed(kept, lambda z, new: np.exp(z - finite(new)[..., None]).sum(axis=0))),
        ("form a row", summed(kept, lambda z, new: np.exp(z - finite(new)).sum(axis=-1))),
        ("All exponentials of the array", summed(kept, lambda z, new: np.exp(z - finite(new)[..., None]).sum())),
        ("are averaged", summed(kept, lambda z, new: np.exp(z - finite(new)[..., None]).mean(axis=-1))),
        ("Only the largest exponential", summed(kept, lambda z, new: np.exp(z.max(axis=-1) - finite(new)))),
        ("there are 3 numbers where one", lambda m, s, z: (
            right(m, s, z)[0], np.exp(z - right(m, s, z)[0][..., None]))),
        ("multiplied, or the larger", lambda m, s, z: (
            right(m, s, z)[0], kept(s, m, right(m, s, z)[0]) * powers(z, right(m, s, z)[0]))),
        ("base of the exponentials", lambda m, s, z: (right(m, s, z)[0], s * 2 ** (m - finite(right(m, s, z)[0]))
                                          + (2 ** (z - finite(right(m, s, z)[0])[..., None])).sum(axis=-1))),
        ("logarithm of the sum", then(lambda m, s: (m, m + np.log(s)))),
        ("logarithm of the sum", then(lambda m, s: (m, np.log(s)))),
        ("without the maximum", then(lambda m, s: (m, s * np.exp(m)))),
        ("wrong order", then(lambda m, s: (s, m))),
        ("axis of length 1", then(lambda m, s: (m[..., None], s[..., None]))),
        ("divided by the number of scores", lambda m, s, z: (right(m, s, z)[0], right(m, s, z)[1] / z.shape[-1])),
        ("begins at 0", summed(kept, powers, lambda m, z: np.maximum(np.where(np.isneginf(m), 0, m), z.max(axis=-1)))),
        ("A masked block gives nan", summed(lambda s, m, new: s * np.exp(m - new),
                                            lambda z, new: np.exp(z - new[..., None]).sum(axis=-1))),
        ("0 or a very negative number", then(lambda m, s: (np.nan_to_num(m), s))),
        ("0 or a very negative number", then(lambda m, s: (finite(m), s))),
        ("A masked block gives nan", nothing_for_masked_blocks),
        ("0 or a very negative number", guarded_by_a_number),
        ("the tuple (m, s)", lambda m, s, z: right(m, s, z)[1]),
        ("subtracted from the old one", lambda m, s, z: (
            right(m, s, z)[0], kept(s, m, right(m, s, z)[0]) - powers(z, right(m, s, z)[0]))),
        ("probabilities of the block", lambda m, s, z: (
            right(m, s, z)[0], np.exp(z - right(m, s, z)[0][..., None]) / right(m, s, z)[1][..., None])),
    ],
}  # fmt: skip
