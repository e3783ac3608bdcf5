"""The task of chapter 1 on attention: causal, scaled weights."""

from collections.abc import Callable

import numpy as np

from lossprimer.checks.probability import TOPS, probabilities, scores
from lossprimer.checks.report import Cause
from lossprimer.checks.task import Case, Mistake, Task


def products(queries: np.ndarray, keys: np.ndarray, scale: float | None = None) -> np.ndarray:
    """The products of queries and keys over a scale, the root of their length if no other is given."""
    return queries @ np.swapaxes(keys, -1, -2) / (np.sqrt(queries.shape[-1]) if scale is None else scale)


def _allowed(products, k=0, keep=np.tril):
    return keep(np.ones(products.shape[-2:], dtype=bool), k)


def masked(products: np.ndarray, k: int = 0, fill: float = -np.inf, keep: Callable = np.tril) -> np.ndarray:
    """Products with `fill` in the place of those that no position may see."""
    return np.where(_allowed(products, k, keep), products, fill)


def _added(products, k=0, fill=-np.inf, keep=np.tril):
    """The mask as numbers that are added to the products."""
    return products + np.where(_allowed(products, k, keep), 0.0, fill)


def _right(queries, keys):
    return probabilities(masked(products(queries, keys)))


def _without_maximum(queries, keys):
    return probabilities(masked(products(queries, keys)), top="none")


def _scaled_by(scale):
    return lambda queries, keys: probabilities(masked(products(queries, keys, scale(queries))))


def _masked_late(products):
    powers = np.tril(np.exp(products))
    return powers / powers.sum(axis=-1, keepdims=True)


def _over(powers):
    return powers / powers.sum(axis=-1, keepdims=True)


def _both(**options):
    """A wrong mask, set or added."""
    return [lambda q, k, mask=mask: probabilities(mask(products(q, k), **options)) for mask in (masked, _added)]


def _of_weights(change):
    """Something that is done to the right weights."""
    return lambda queries, keys: change(_right(queries, keys))


_QUERIES = np.array([[1.0, 0.0, 2.0, -1.0], [0.5, 1.5, 0.0, 1.0], [2.0, -1.0, 1.0, 0.0]])
_KEYS = np.array([[0.5, 1.0, -1.0, 0.0], [1.0, 0.0, 0.5, 2.0], [-1.0, 1.0, 1.0, 0.5]])
_WEIGHTS = 0.5 * np.array([[2.0, 1.0, 0.0, 1.0], [1.0, 3.0, -1.0, 0.0], [0.0, 2.0, 2.0, -2.0]])
_SIZE = Cause(
    "The formula is right, but the numbers break it here: with products of this size an exponential is infinite, or "
    "every exponential of a row is 0. Make the largest exponent of each row 0.",
    "Subtract the largest allowed product of each row before exp.",
)
_NO_MAXIMUM = Cause(
    "Nothing is subtracted before exp, and the exponential of a large product is infinite.",
    "Subtract the largest allowed product of each row before exp.",
)
_FUTURE_MAXIMUM = Cause(
    "A later position takes part in the maximum or in the sum.", "Mask the products before the softmax."
)
_TOO_HIGH = Cause(
    "A masked product is not far enough below the others, and the future keeps some weight.", "Use -np.inf."
)
_DIAGONAL = Cause(
    "The diagonal is masked: no position sees itself, and the first one sees nothing.",
    "Keep it: np.tril(..., k=0), or mask np.triu(..., k=1).",
)
_UPPER = Cause(
    "The mask keeps the wrong triangle: each position sees the future, and not the past.",
    "Row t keeps the keys 0 to t, the lower triangle: np.tril.",
)
_NONE = Cause("Nothing is masked: each position sees the future.")
# What stands for minus infinity. The last ones are far enough for any product of this course.
_FILLS = tuple(-(10.0**n) for n in range(1, 6)) + (-65504.0, -50.0, -500.0, -5.0, -20.0, -99.0, -999.0)
_FAR_FILLS = (-np.inf, -1e9, -1e6, -1e8, -1e10, -1e30, -1e20, float(np.finfo(np.float32).min))


def _draw(rng):
    steps, size = int(rng.integers(2, 5)), int(rng.integers(2, 6))
    return [
        Case("one sequence", (scores(rng, steps, size), scores(rng, steps, size))),
        Case("a batch with heads", (scores(rng, 2, 2, steps, size), scores(rng, 2, 2, steps, size))),
        Case(
            "large products",
            ((30 * scores(rng, steps, size)).round(2), (30 * scores(rng, steps, size)).round(2)),
            _SIZE,
        ),
    ]


def _many():
    rng = np.random.default_rng(0)
    return rng.normal(size=(4, 24, 8)), rng.normal(size=(4, 24, 8))


attention_weights = Task(
    "attention_weights(queries, keys)",
    """the causal, scaled attention weights.

    Both have the shape ``(..., L, d)``. The weights have the shape ``(..., L, L)``: row t holds the softmax of the
    products of query t with the keys 0 to t, over the square root of d, and exactly 0 for the keys after t.
    """,
    right=_right,
    steps=[
        Case("three positions by hand", (_QUERIES, _KEYS)),
        Case("one position attends to itself alone", (_QUERIES[:1], _KEYS[:1])),
        Case("two positions of three components", (_QUERIES[:2, :3], _KEYS[:2, :3])),
        Case("a batch of two", (np.stack([_QUERIES, _KEYS]), np.stack([_KEYS, _WEIGHTS]))),
        Case("a batch with heads", (np.stack([[_QUERIES, _KEYS]]), np.stack([[_WEIGHTS, _QUERIES]]))),
        Case("float32", (_QUERIES.astype(np.float32), _KEYS.astype(np.float32))),
        Case(
            "a large product in the future",
            (np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[-1000.0, 1.0], [1000.0, 0.0]])),
            _FUTURE_MAXIMUM,
        ),
        Case("large products", (40 * _QUERIES, 40 * _KEYS), _SIZE),
        Case(
            "very negative products of the past",
            (np.array([[1.0, 0.0], [0.0, 1000.0]]), np.array([[-300000.0, -900.0], [0.0, -902.0]])),
            _TOO_HIGH,
        ),
        Case(
            "products far apart in one row",
            (40 * _QUERIES[:, ::-1], 40 * np.array([[-1.0, 2, 0, 1], [2, 0, 1, -2], [0, 1, -2, 1]])),
            _SIZE,
        ),
    ],
    draw=_draw,
    large=_many,
    mistakes=[
        Mistake(
            "The products are not scaled.",
            _scaled_by(lambda q: 1.0),
            hint="Divide them by the square root of d, the number of components of a query.",
        ),
        Mistake(
            "The products are divided by d. The spread of a sum of d products grows with the square root of d.",
            _scaled_by(lambda q: q.shape[-1]),
            hint="Divide by the square root of d.",
        ),
        Mistake(
            "The scale is taken from the number of positions L.",
            _scaled_by(lambda q: np.sqrt(q.shape[-2])),
            _scaled_by(lambda q: q.shape[-2]),
            hint="It is the square root of d, the last axis.",
        ),
        Mistake(
            "The products are multiplied by the scale. They should be divided by it.",
            _scaled_by(lambda q: 1 / np.sqrt(q.shape[-1])),
            _scaled_by(lambda q: 1 / q.shape[-1]),
            hint="Divide by the square root of d.",
        ),
        Mistake(
            "The scale is the square of d, or its fourth root. It should be the square root of d.",
            _scaled_by(lambda q: q.shape[-1] ** 2),
            _scaled_by(lambda q: q.shape[-1] ** 0.25),
        ),
        Mistake(
            "The scale is taken from the first axis. It should be the square root of d, the last one.",
            _scaled_by(lambda q: np.sqrt(len(q))),
            _scaled_by(lambda q: len(q)),
        ),
        Mistake(
            "The weights are scaled instead of the products: a row no longer adds up to 1.",
            lambda q, k: probabilities(masked(products(q, k, 1.0))) / np.sqrt(q.shape[-1]),
            _of_weights(lambda w: w / 2),
            hint="Divide the products by the square root of d, before the softmax.",
        ),
        Mistake(
            "The mask comes after the softmax, so that the rows no longer add up to 1.",
            lambda q, k: np.tril(probabilities(products(q, k))),
            lambda q, k: np.tril(probabilities(products(q, k), top="none")),
            hint="Set the future products to -inf before the softmax.",
        ),
        Mistake(
            "The weights are masked with the value meant for products: -inf, or a very negative number.",
            lambda q, k: masked(probabilities(products(q, k))),
            lambda q, k: masked(probabilities(products(q, k)), fill=-1e9),
            hint="Mask the products, before the softmax.",
        ),
        Mistake(
            _UPPER,
            *(option for fill in (-np.inf, -1e9) for option in _both(fill=fill, keep=np.triu)),
            *(option for fill in (-np.inf, -1e9) for option in _both(k=1, fill=fill, keep=np.triu)),
            lambda q, k: np.triu(probabilities(products(q, k))),
        ),
        Mistake(
            _DIAGONAL,
            *(option for fill in _FAR_FILLS for option in _both(k=-1, fill=fill)),
            lambda q, k: np.tril(probabilities(products(q, k)), -1),
        ),
        Mistake(
            "One position too many is allowed: each one sees the next.",
            *(option for fill in _FAR_FILLS[:2] for option in _both(k=1, fill=fill)),
            hint="Mask np.triu(..., k=1).",
        ),
        Mistake(
            "Two positions too many are masked: the diagonal of the mask is not the main one.",
            *_both(k=-2, fill=-1e9),
            hint="np.tril(..., k=0) keeps the main diagonal, and np.triu(..., k=1) begins above it.",
        ),
        Mistake(
            _NONE,
            lambda q, k: probabilities(products(q, k)),
            lambda q, k: probabilities(products(q, k), top="none"),
        ),
        Mistake(
            "Nothing is masked, and nothing is scaled: this is the softmax of the plain products.",
            lambda q, k: probabilities(products(q, k, 1.0)),
        ),
        Mistake(
            "Masked products become 0, and exp(0) is 1: the future still gets a weight.",
            lambda q, k: probabilities(masked(products(q, k), fill=0.0)),
            lambda q, k: probabilities(np.tril(products(q, k))),
            lambda q, k: _over(np.exp(np.tril(products(q, k)))),
            hint="Set them to -np.inf.",
        ),
        Mistake(
            "1 or 0 is added to the products as a mask: that changes the weights a little, and masks nothing.",
            lambda q, k: probabilities(products(q, k) + np.tril(np.ones((q.shape[-2],) * 2))),
            lambda q, k: probabilities(products(q, k) - np.triu(np.ones((q.shape[-2],) * 2), 1)),
            lambda q, k: probabilities(products(q, k) + np.triu(np.ones((q.shape[-2],) * 2), 1)),
            hint="Set the products of the future to -np.inf.",
        ),
        Mistake(
            "The masked products become a large number, or plus infinity: the future gets all the weight, or nan.",
            *(option for fill in (np.inf, 1e9, 1e30) for option in _both(fill=fill)),
            lambda q, k: probabilities(products(q, k) - np.where(_allowed(products(q, k)), 0.0, -np.inf)),
            lambda q, k: probabilities(products(q, k) - np.where(_allowed(products(q, k)), 0.0, -1e9)),
            hint="Use -np.inf: its exponential is 0.",
        ),
        Mistake(
            "The future products are multiplied by a large number, or by minus infinity, which makes a negative one "
            "large.",
            lambda q, k: probabilities(np.where(_allowed(products(q, k)), 1.0, -np.inf) * products(q, k)),
            lambda q, k: probabilities(np.where(_allowed(products(q, k)), 1.0, -1e9) * products(q, k)),
            hint="Set the products of the future to -np.inf.",
        ),
        Mistake(
            "The softmax is applied twice: the second one treats the weights as products, and what was masked gets a "
            "weight.",
            _of_weights(probabilities),
            lambda q, k: probabilities(masked(_right(q, k))),
            lambda q, k: probabilities(masked(probabilities(products(q, k)))),
            lambda q, k: np.tril(probabilities(_right(q, k))),
        ),
        Mistake(
            "The softmax goes over the queries. The weights of one query, a row, should add up to 1.",
            lambda q, k: probabilities(masked(products(q, k)), -2),
            lambda q, k: probabilities(masked(products(q, k)), 0),
            lambda q, k: probabilities(masked(products(q, k), fill=-1e9), -2),
            hint="axis=-1",
        ),
        Mistake(
            "The softmax goes over the whole array. The weights of one query, a row, should add up to 1.",
            lambda q, k: probabilities(masked(products(q, k)), None),
            hint="axis=-1, keepdims=True",
        ),
        Mistake(
            "The sum of row i divides column i: the sums form a row instead of a column, and in a square table "
            "that goes unnoticed.",
            lambda q, k: (
                np.exp(masked(products(q, k)) - masked(products(q, k)).max(axis=-1, keepdims=True))
                / np.exp(masked(products(q, k)) - masked(products(q, k)).max(axis=-1, keepdims=True)).sum(axis=-1)
            ),
            lambda q, k: np.exp(masked(products(q, k))) / np.exp(masked(products(q, k))).sum(axis=-1),
            hint="Sum with keepdims=True.",
        ),
        Mistake(
            "Queries and keys are swapped. Row t belongs to query t.",
            lambda q, k: _right(k, q),
            hint="queries @ keys transposed",
        ),
        Mistake(
            "The result is transposed: row t holds the weights of key t instead of those of query t.",
            _of_weights(lambda w: np.swapaxes(w, -1, -2)),
        ),
        Mistake(
            "The keys are left out: queries are multiplied by queries, or keys by keys.",
            lambda q, k: _right(q, q),
            lambda q, k: _right(k, k),
        ),
        Mistake(
            "Products are taken entry by entry, not between whole vectors.",
            lambda q, k: probabilities(masked(q * k / np.sqrt(q.shape[-1]))),
            hint="queries @ np.swapaxes(keys, -1, -2)",
        ),
        Mistake(
            "Queries and keys are divided by their lengths: these are cosines. Only the square root of d divides the "
            "products.",
            lambda q, k: _right(_unit(q), _unit(k)),
            lambda q, k: probabilities(masked(products(_unit(q), _unit(k), 1.0))),
        ),
        Mistake(
            "The softmax is missing: these are the masked products.",
            lambda q, k: masked(products(q, k)),
            lambda q, k: masked(products(q, k), fill=0.0),
            lambda q, k: masked(products(q, k), fill=-1e9),
            lambda q, k: _added(products(q, k), fill=-1e9),
        ),
        Mistake("The exponentials of a row are not divided by their sum.", lambda q, k: np.exp(masked(products(q, k)))),
        Mistake(
            "The largest product of the whole array is subtracted. A row far below it becomes 0/0, which is nan.",
            lambda q, k: probabilities(masked(products(q, k)), top="all"),
            hint="Subtract the largest of each row.",
        ),
        Mistake(
            _FUTURE_MAXIMUM,
            lambda q, k: _masked_late(products(q, k) - products(q, k).max(axis=-1, keepdims=True)),
            lambda q, k: _over(
                np.exp(masked(products(q, k)) - products(q, k).max(axis=-1, keepdims=True)),
            ),
        ),
        Mistake(_NO_MAXIMUM, _without_maximum),
        Mistake(
            "What is subtracted before exp is not the largest product of the row.",
            *(lambda q, k, top=top: _over(np.exp(masked(products(q, k)) - top(products(q, k)))) for top in TOPS),
            *(
                lambda q, k, top=top: _over(np.exp(masked(products(q, k), fill=-1e9) - top(products(q, k))))
                for top in TOPS
            ),
            hint="Subtract the largest allowed product of each row.",
        ),
        Mistake(_TOO_HIGH, *(option for fill in _FILLS for option in _both(fill=fill))),
        Mistake(
            "These are the logarithms of the weights.",
            _of_weights(np.log),
        ),
    ],
)


def _unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
