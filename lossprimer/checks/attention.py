"""The task of chapter 1 on attention: causal, scaled weights."""

import numpy as np

from lossprimer.checks.probability import probabilities, scores
from lossprimer.checks.task import Case, Mistake, Task


def _products(queries, keys, scale=None):
    return queries @ np.swapaxes(keys, -1, -2) / (np.sqrt(queries.shape[-1]) if scale is None else scale)


def _masked(products, k=0, fill=-np.inf, keep=np.tril):
    allowed = keep(np.ones(products.shape[-2:], dtype=bool), k)
    return np.where(allowed, products, fill)


def _right(queries, keys):
    return probabilities(_masked(_products(queries, keys)))


def _without_maximum(queries, keys):
    return probabilities(_masked(_products(queries, keys)), top="none")


def _scaled_by(scale):
    return lambda queries, keys: probabilities(_masked(_products(queries, keys, scale(queries))))


def _masked_late(products):
    powers = np.tril(np.exp(products))
    return powers / powers.sum(axis=-1, keepdims=True)


def _after_softmax(queries, keys):
    return np.tril(probabilities(_products(queries, keys)))


_QUERIES = np.array([[1.0, 0.0, 2.0, -1.0], [0.5, 1.5, 0.0, 1.0], [2.0, -1.0, 1.0, 0.0]])
_KEYS = np.array([[0.5, 1.0, -1.0, 0.0], [1.0, 0.0, 0.5, 2.0], [-1.0, 1.0, 1.0, 0.5]])
_WEIGHTS = 0.5 * np.array([[2.0, 1.0, 0.0, 1.0], [1.0, 3.0, -1.0, 0.0], [0.0, 2.0, 2.0, -2.0]])
_NO_MAXIMUM = (
    "The exponential of a large product is infinite. Subtract the largest allowed product of each row before exp."
)


_FUTURE_MAXIMUM = (
    "A position of the future takes part in the maximum or in the sum. Mask the products before the softmax."
)


def _draw(rng):
    steps, size = int(rng.integers(2, 6)), int(rng.integers(2, 7))
    return [
        Case("one sequence", (scores(rng, steps, size), scores(rng, steps, size))),
        Case("a batch with heads", (scores(rng, 2, 2, steps, size), scores(rng, 2, 2, steps, size))),
        Case("large products", (30 * scores(rng, steps, size), 30 * scores(rng, steps, size)), _NO_MAXIMUM),
    ]


attention_weights = Task(
    "attention_weights(queries, keys)",
    """the causal, scaled attention weights.

    Both have the shape ``(..., T, d)``. The weights have the shape ``(..., T, T)``: row t holds the softmax of the
    products of query t with the keys 0 to t, over the square root of d, and exactly 0 for the keys after t.
    """,
    right=_right,
    steps=[
        Case("three positions by hand", (_QUERIES, _KEYS)),
        Case("one position attends to itself alone", (_QUERIES[:1], _KEYS[:1])),
        Case("a batch of two", (np.stack([_QUERIES, _KEYS]), np.stack([_KEYS, _WEIGHTS]))),
        Case("a batch with heads", (np.stack([[_QUERIES, _KEYS]]), np.stack([[_WEIGHTS, _QUERIES]]))),
        Case("float32", (_QUERIES.astype(np.float32), _KEYS.astype(np.float32))),
        Case(
            "a large product in the future",
            (np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[-1000.0, 1.0], [1000.0, 0.0]])),
            _FUTURE_MAXIMUM,
        ),
        Case("large products", (40 * _QUERIES, 40 * _KEYS), _NO_MAXIMUM),
    ],
    draw=_draw,
    mistakes=[
        Mistake(
            "The products are not scaled. Divide them by the square root of d, the length of a query.",
            _scaled_by(lambda q: 1.0),
        ),
        Mistake(
            "The products are divided by d. Divide by its square root: that is how the spread of a sum of d products "
            "grows.",
            _scaled_by(lambda q: q.shape[-1]),
        ),
        Mistake(
            "The scale is taken from the number of positions T. It is the square root of d, the last axis.",
            _scaled_by(lambda q: np.sqrt(q.shape[-2])),
            _scaled_by(lambda q: q.shape[-2]),
        ),
        Mistake(
            "The products are multiplied by the square root of d. Divide by it.",
            _scaled_by(lambda q: 1 / np.sqrt(q.shape[-1])),
        ),
        Mistake(
            "The mask comes after the softmax, so that the rows no longer add up to 1. Set the future products to -inf "
            "before the softmax.",
            _after_softmax,
            lambda q, k: np.tril(probabilities(_products(q, k), top="none")),
        ),
        Mistake(
            "The mask keeps the wrong triangle: each position sees the future. Row t keeps the keys 0 to t, the lower "
            "triangle: np.tril.",
            lambda q, k: probabilities(_masked(_products(q, k), keep=np.triu)),
            lambda q, k: probabilities(_masked(_products(q, k), 1, keep=np.triu)),
        ),
        Mistake(
            "The diagonal is masked: no position sees itself, and the first one sees nothing, which gives nan. Keep "
            "it: np.tril(..., k=0), or mask np.triu(..., k=1).",
            lambda q, k: probabilities(_masked(_products(q, k), -1)),
            lambda q, k: probabilities(_masked(_products(q, k), -1, -1e9)),
        ),
        Mistake(
            "One position too many is allowed: each one sees the next. Mask np.triu(..., k=1).",
            lambda q, k: probabilities(_masked(_products(q, k), 1)),
        ),
        Mistake("Nothing is masked: each position sees the future.", lambda q, k: probabilities(_products(q, k))),
        Mistake(
            "Masked products are set to 0, and exp(0) is 1: the future still gets a weight. Set them to -inf.",
            lambda q, k: probabilities(_masked(_products(q, k), fill=0.0)),
            lambda q, k: probabilities(np.tril(_products(q, k))),
        ),
        Mistake(
            "The softmax goes over the queries. The weights of one query, a row, add up to 1: axis=-1.",
            lambda q, k: probabilities(_masked(_products(q, k)), -2),
            lambda q, k: probabilities(_masked(_products(q, k)), 0),
        ),
        Mistake(
            "Queries and keys are swapped. Row t belongs to query t: queries @ keys transposed.",
            lambda q, k: _right(k, q),
        ),
        Mistake(
            "The softmax is missing: these are the masked products.",
            lambda q, k: _masked(_products(q, k)),
            lambda q, k: _masked(_products(q, k), fill=0.0),
        ),
        Mistake(
            "The largest product of the whole array is subtracted. A row far below it becomes 0/0, which is nan. "
            "Subtract the largest of each row.",
            lambda q, k: probabilities(_masked(_products(q, k)), top="all"),
        ),
        Mistake(
            _FUTURE_MAXIMUM,
            lambda q, k: _masked_late(_products(q, k) - _products(q, k).max(axis=-1, keepdims=True)),
        ),
        Mistake(_NO_MAXIMUM, _without_maximum),
        Mistake(
            "A masked product is not far enough below the others, and the future keeps some weight. Use -inf.",
            *(
                lambda q, k, fill=fill: probabilities(_masked(_products(q, k), fill=fill))
                for fill in (-1.0, -10.0, -100.0)
            ),
        ),
    ],
)
