"""The task of the epilogue on attention: heads side by side."""

import numpy as np

from lossprimer.checks.attention import masked, products
from lossprimer.checks.probability import probabilities
from lossprimer.checks.report import Cause
from lossprimer.checks.task import Case, Mistake, Task


def _split(x, heads):
    return x.reshape(*x.shape[:2], heads, -1).swapaxes(1, 2)


def _merge(x):
    """(B, H, L, d) as (B, L, D)."""
    return x.swapaxes(1, 2).reshape(len(x), x.shape[2], -1)


def _only_reshaped(x, heads):
    return x.reshape(len(x), heads, x.shape[1], -1)


def _not_merged(x):
    return x.reshape(len(x), x.shape[2], -1)


def _strided(x, heads):
    """Head h takes the features h, h + H, h + 2H."""
    return np.moveaxis(x.reshape(*x.shape[:2], -1, heads), -1, 1)


def _side_by_side(x):
    """The inverse of `_strided`."""
    return np.moveaxis(x, 1, -1).reshape(len(x), x.shape[2], -1)


def _weights(scale=None, mask=masked, soft=probabilities):
    """Make the weights from queries and keys of the shape (B, H, L, d)."""
    return lambda q, k: soft(mask(products(q, k, None if scale is None else scale(q))))


def _heads(weigh=None, split=_split, merge=_merge, combine=np.matmul):
    """Make an attention; each part of it can be a wrong one."""
    weigh = weigh or _weights()

    def attention(q, k, v, heads):
        q, k, v = (split(x, heads) for x in (q, k, v))
        return merge(combine(weigh(q, k), v))

    return attention


def _masked_late(keep=np.tril, k=0):
    return lambda q, keys: keep(probabilities(products(q, keys)), k)


def _whole_scale(scale):
    """A scale of the whole length D, where the heads have a shorter one."""
    return lambda q, k, v, heads: _heads(_weights(scale=lambda x: scale(q.shape[-1])))(q, k, v, heads)


def _with(change):
    """Attention with its arguments changed."""
    return lambda q, k, v, heads: _heads()(*change(q, k, v, heads))


def _then(change):
    """The right output, changed."""
    return lambda q, k, v, heads: change(_heads()(q, k, v, heads), q, v, heads)


def _of_heads(merge):
    return _heads(merge=merge)


def _overlapping(q, k, v, heads):
    result, width = np.zeros_like(v), q.shape[-1] // heads
    for h in range(heads):
        part = slice(h, h + width)
        result[..., part] = _heads()(q[..., part], k[..., part], v[..., part], 1)
    return result


def _number(rng, *shape):
    return rng.integers(-8, 9, size=shape) / 4


def _three(seed, *shape):
    """Queries, keys and values that a message can show."""
    rng = np.random.default_rng(seed)
    return tuple(_number(rng, *shape) for _ in range(3))


_Q = np.array([[[1.0, 0.0, 2.0, -1.0], [0.5, 1.5, 0.0, 1.0], [2.0, -1.0, 1.0, 0.0]]])
_K = np.array([[[0.5, 1.0, -1.0, 0.0], [1.0, 0.0, 0.5, 2.0], [-1.0, 1.0, 1.0, 0.5]]])
_V = np.array([[[1.0, 2.0, 3.0, 4.0], [-1.0, 0.0, 5.0, 2.0], [0.0, 3.0, -2.0, 6.0]]])
_SIZE_OF_PRODUCTS = Cause(
    "The formula is right, but the numbers break it here: with products of this size an exponential is infinite, or "
    "every exponential of a row is 0. Make the largest exponent of each row 0.",
    "lp.softmax subtracts the largest number of each row; masked products must be -inf before.",
)
_FUTURE = Cause(
    "A later position takes part: its product is large, and it enters the maximum, the sum or the output.",
    "Set the products of the future to -np.inf before the softmax.",
)


def _draw_heads(rng):
    batch, length, heads, width = (int(n) for n in rng.integers(1, 4, size=4) + (0, 1, 0, 0))
    few = lambda b, n, h, d: (*(_number(rng, b, n, h * d) for _ in range(3)), h)  # noqa: E731
    return [
        Case("drawn shapes", few(batch, length, heads, width)),
        Case("two heads of three features", few(2, 4, 2, 3)),
        Case("three heads of two features", few(1, 3, 3, 2)),
        Case("large products", tuple(40.0 * x for x in few(2, 3, 2, 2)[:2]) + few(2, 3, 2, 2)[2:], _SIZE_OF_PRODUCTS),
    ]


def _many_heads():
    rng = np.random.default_rng(0)
    return (*(rng.normal(size=(4, 24, 16)) for _ in range(3)), 4)


multi_head_attention = Task(
    "multi_head_attention(queries, keys, values, heads)",
    """the output of causal attention with several heads.

    All three have the shape ``(B, L, D)``, and `heads` divides D. Each head has d = D / heads neighbouring features of
    each and attends by itself, causally, with products over the root of d. The result has the shape ``(B, L, D)``: the
    outputs of the heads side by side.
    """,
    right=_heads(),
    steps=[
        Case("one head, three positions", (_Q, _K, _V, 1)),
        Case("two heads of two features", (_Q, _K, _V, 2)),
        Case("two heads of three features", (*_three(1, 1, 4, 6), 2)),
        Case("three heads of two features", (*_three(2, 1, 2, 6), 3)),
        Case("a head for each feature", (_Q, _K, _V, 4)),
        Case("as many positions as heads", (*_three(3, 1, 2, 4), 2)),
        Case("a batch of two", (*_three(4, 2, 3, 4), 2)),
        Case("one position sees itself alone", (_Q[:, :1], _K[:, :1], _V[:, :1], 2)),
        Case("float32", (*(x.astype(np.float32) for x in (_Q, _K, _V)), 2)),
        Case(
            "a large product in the future",
            (np.array([[[1.0, 2.0], [0.0, 1.0]]]), np.array([[[-1000.0, 0.0], [1000.0, 900.0]]]), _V[:, :2, :2], 2),
            _FUTURE,
        ),
        Case("large products", (40 * _Q, 40 * _K, _V, 2), _SIZE_OF_PRODUCTS),
    ],
    draw=_draw_heads,
    large=_many_heads,
    mistakes=[
        Mistake(
            "The heads are made by a reshape alone, which cuts across the positions: a head gets all the features of "
            "some positions instead of some features of all positions.",
            _heads(split=_only_reshaped),
            hint="(B, L, D) becomes (B, L, heads, d), and only then do the axes 1 and 2 change places.",
        ),
        Mistake(
            "The outputs of the heads are put together by a reshape alone: a position gets the outputs of others.",
            _heads(merge=_not_merged),
            hint="(B, heads, L, d) becomes (B, L, heads, d) before the reshape.",
        ),
        Mistake(
            "Heads are made and put together by a reshape alone, without a change of axes: a head gets all the "
            "features of some positions instead of some features of all positions.",
            _heads(split=_only_reshaped, merge=_not_merged),
            hint="(B, L, D) becomes (B, L, heads, d), and only then do the axes 1 and 2 change places; and back.",
        ),
        Mistake(
            "The last two axes are swapped when the outputs are put together: the features of the heads are mixed.",
            _heads(merge=lambda x: x.transpose(0, 2, 3, 1).reshape(len(x), x.shape[2], -1)),
            _heads(merge=lambda x: x.transpose(0, 3, 2, 1).reshape(len(x), x.shape[2], -1)),
            _heads(merge=lambda x: x.swapaxes(-1, -2).reshape(len(x), x.shape[2], -1)),
            hint="(B, heads, L, d) becomes (B, L, heads, d).",
        ),
        Mistake(
            "The features are dealt out to the heads one by one. Each head should get neighbouring ones: the first d, "
            "the next d.",
            _heads(split=_strided),
            _heads(split=_strided, merge=_side_by_side),
            hint="reshape(B, L, heads, d)",
        ),
        Mistake(
            "The number of heads and the number of features of a head are swapped: there are d heads of `heads` "
            "features.",
            lambda q, k, v, heads: _heads()(q, k, v, q.shape[-1] // heads),
            hint="reshape(B, L, heads, D // heads)",
        ),
        Mistake(
            "There is one head for all features: the products are taken over the whole rows.",
            lambda q, k, v, heads: _heads()(q, k, v, 1),
            lambda q, k, v, heads: _heads(_weights(scale=lambda x: np.sqrt(x.shape[-1] / heads)))(q, k, v, 1),
            hint="Split each row into heads first.",
        ),
        Mistake(
            "The products are divided by the root of D, the number of features of a whole row. A head has only d of "
            "them.",
            _whole_scale(np.sqrt),
            hint="Take the root of D // heads.",
        ),
        Mistake(
            "The products are divided by d or D. The spread of a sum of d products grows with the root of d.",
            _heads(_weights(scale=lambda q: q.shape[-1])),
            _whole_scale(lambda d: d),
        ),
        Mistake("The products are not scaled.", _heads(_weights(scale=lambda q: 1.0)), hint="Divide by the root of d."),
        Mistake(
            "The products are multiplied by the root of d. They should be divided by it.",
            _heads(_weights(scale=lambda q: 1 / np.sqrt(q.shape[-1]))),
        ),
        Mistake(
            "The scale is the root of another axis: of the positions, of the heads or of the batch.",
            *(_heads(_weights(scale=lambda q, axis=axis: np.sqrt(q.shape[axis]))) for axis in (0, 1, 2)),
            hint="It is the root of d, the last axis.",
        ),
        Mistake(
            "Nothing is masked: each position sees the future.",
            _heads(_weights(mask=lambda z: z)),
            _heads(_weights(mask=lambda z: z, soft=lambda z: probabilities(z, top="none"))),
            hint="Set the products of the future to -np.inf before the softmax.",
        ),
        Mistake(
            "The mask keeps the wrong triangle: each position sees the future, and not the past.",
            _heads(_weights(mask=lambda z: masked(z, keep=np.triu))),
            _heads(_weights(mask=lambda z: masked(z, keep=np.triu, fill=-1e9))),
            _heads(_weights(mask=lambda z: masked(z, 1, keep=np.triu, fill=-1e9))),
            _heads(_weights(mask=lambda z: z - 1e9 * np.tril(np.ones(z.shape[-2:])))),
            _heads(_weights(mask=lambda z: z - 1e9 * np.tril(np.ones(z.shape[-2:]), -1))),
            _heads(_masked_late(np.triu)),
        ),
        Mistake(
            "The diagonal is masked: no position sees itself, and the first one sees nothing.",
            _heads(_weights(mask=lambda z: masked(z, -1))),
            _heads(_weights(mask=lambda z: masked(z, -1, fill=-1e9))),
            _heads(_weights(mask=lambda z: z - 1e9 * np.triu(np.ones(z.shape[-2:])))),
            _heads(_masked_late(k=-1)),
            hint="Keep it: np.tril(..., k=0), or mask np.triu(..., k=1).",
        ),
        Mistake(
            "One position too many is allowed: each one sees the next.",
            _heads(_weights(mask=lambda z: masked(z, 1))),
            _heads(_weights(mask=lambda z: masked(z, 1, fill=-1e9))),
            hint="Mask np.triu(..., k=1).",
        ),
        Mistake(
            "The mask is over the wrong axes: it should be L by L for each head.",
            _heads(lambda q, k: probabilities(_mask_of_heads(products(q, k)))),
            _heads(lambda q, k: probabilities(_mask_of_heads(products(q, k), np.triu))),
        ),
        Mistake(
            "The mask comes after the softmax, so that the weights of a position no longer add up to 1.",
            _heads(_masked_late()),
            hint="Set the future products to -np.inf before the softmax.",
        ),
        Mistake(
            "Masked products become 0, and exp(0) is 1: the future still gets a weight.",
            _heads(_weights(mask=np.tril)),
            _heads(_weights(mask=lambda z: masked(z, fill=0.0))),
            hint="Set them to -np.inf.",
        ),
        Mistake(
            "The masked products become a large number, or plus infinity: the future gets all the weight, or nan.",
            *(_heads(_weights(mask=lambda z, n=n: masked(z, fill=n))) for n in (1e9, 1e4, 1e30)),
            _heads(_weights(mask=lambda z: z + 1e9 * np.triu(np.ones(z.shape[-2:]), 1))),
            hint="Use -np.inf: its exponential is 0.",
        ),
        Mistake(
            "The weights are divided by the scale. The products should be.",
            _heads(lambda q, k: probabilities(masked(products(q, k, 1.0))) / np.sqrt(q.shape[-1])),
            hint="Divide the products by the root of d, before the softmax.",
        ),
        Mistake(
            "1 or 0 is added to the products as a mask: that changes the weights a little, and masks nothing.",
            _heads(_weights(mask=lambda z: z + np.tril(np.ones(z.shape[-2:])))),
            _heads(_weights(mask=lambda z: z - np.triu(np.ones(z.shape[-2:]), 1))),
            _heads(_weights(mask=lambda z: z + np.triu(np.ones(z.shape[-2:]), 1))),
            hint="Set the products of the future to -np.inf.",
        ),
        Mistake(
            "A masked product is not far enough below the others, and the future keeps some weight.",
            *(
                _heads(_weights(mask=lambda z, n=n: masked(z, fill=n)))
                for n in (-1.0, -5.0, -10.0, -50.0, -100.0, -1e3)
            ),
            hint="Use -np.inf.",
        ),
        Mistake(
            "The future products are multiplied by minus infinity, which makes a negative one infinite.",
            _heads(_weights(mask=lambda z: z * np.where(np.tril(np.ones(z.shape[-2:])) > 0, 1.0, -np.inf))),
            _heads(_weights(mask=lambda z: z * np.where(np.tril(np.ones(z.shape[-2:])) > 0, 1.0, -1e9))),
            hint="np.where(allowed, products, -np.inf)",
        ),
        Mistake(
            "The softmax goes over the queries. The weights of one query, a row, should add up to 1.",
            _heads(_weights(soft=lambda z: probabilities(z, -2))),
            hint="axis=-1",
        ),
        Mistake(
            "The softmax goes over the heads, or over the batch. Each query of each head should have weights of its "
            "own.",
            _heads(_weights(mask=lambda z: masked(z, fill=-1e9), soft=lambda z: probabilities(z, 1))),
            _heads(_weights(mask=lambda z: masked(z, fill=-1e9), soft=lambda z: probabilities(z, 0))),
            _heads(_weights(soft=lambda z: probabilities(z, 1))),
            _heads(_weights(soft=lambda z: probabilities(z, 0))),
            hint="axis=-1",
        ),
        Mistake(
            "The softmax goes over the whole array. The weights of one query, a row, should add up to 1.",
            _heads(_weights(soft=lambda z: probabilities(z, None))),
            hint="axis=-1, keepdims=True",
        ),
        Mistake(
            "The softmax is applied twice.",
            _heads(_weights(soft=lambda z: probabilities(probabilities(z)))),
            _heads(_weights(soft=lambda z: probabilities(masked(probabilities(z))))),
        ),
        Mistake(
            "The softmax is missing: the values are weighted by the products.",
            _heads(_weights(mask=np.tril, soft=lambda z: z)),
            _heads(_weights(soft=lambda z: z)),
            _heads(_weights(mask=lambda z: masked(z, fill=-1e9), soft=lambda z: z)),
        ),
        Mistake(
            "The exponentials of a row are not divided by their sum.",
            _heads(_weights(soft=np.exp)),
            _heads(_weights(soft=lambda z: np.exp(z - z.max(axis=-1, keepdims=True)))),
        ),
        Mistake(
            "The weights are transposed before they meet the values: each value is spread over the queries.",
            _heads(combine=lambda w, v: w.swapaxes(-1, -2) @ v),
            _heads(combine=lambda w, v: np.einsum("bhij,bhid->bhjd", w, v)),
            hint="weights @ values",
        ),
        Mistake(
            "Queries and keys are swapped. Row t of the weights belongs to query t.",
            _with(lambda q, k, v, h: (k, q, v, h)),
            hint="queries @ keys transposed",
        ),
        Mistake("Keys and values are swapped.", _with(lambda q, k, v, h: (q, v, k, h))),
        Mistake("Queries and values are swapped.", _with(lambda q, k, v, h: (v, k, q, h))),
        Mistake(
            "The values are left out: the weights meet the keys or the queries.",
            _with(lambda q, k, v, h: (q, k, k, h)),
            _with(lambda q, k, v, h: (q, k, q, h)),
        ),
        Mistake(
            "The keys are left out: queries are multiplied by queries.",
            _with(lambda q, k, v, h: (q, q, v, h)),
            _with(lambda q, k, v, h: (k, k, v, h)),
        ),
        Mistake(
            "The outputs of the heads are averaged, or added up. They should be side by side.",
            _of_heads(lambda x: x.mean(axis=1)),
            _of_heads(lambda x: x.sum(axis=1)),
            hint="reshape(B, L, D)",
        ),
        Mistake(
            "All heads use the same table of weights, or the same values: the mean over the heads, or those of the "
            "first.",
            _heads(combine=lambda w, v: w.mean(axis=1, keepdims=True) @ v),
            _heads(combine=lambda w, v: w[:, :1] @ v),
            _heads(combine=lambda w, v: w[:, -1:] @ v),
            _heads(combine=lambda w, v: w @ v[:, :1]),
            _heads(lambda q, k: probabilities(masked(products(q, k).mean(axis=1, keepdims=True)))),
        ),
        Mistake(
            "The heads are stacked one below the other. They should be side by side, in the features.",
            _of_heads(lambda x: x.reshape(len(x), -1, x.shape[-1])),
            _of_heads(lambda x: x.swapaxes(1, 2).reshape(len(x), -1, x.shape[-1])),
        ),
        Mistake(
            "The heads are not put together: the result still has an axis for them.",
            _of_heads(lambda x: x),
            _of_heads(lambda x: x.swapaxes(1, 2)),
            hint="swapaxes(1, 2), then reshape(B, L, D)",
        ),
        Mistake(
            "The features of the heads overlap: head h begins at the feature h. It should begin at h times d.",
            _overlapping,
            hint="slice(h * d, (h + 1) * d), or a reshape",
        ),
        Mistake("The heads stand in the reverse order.", _of_heads(lambda x: _merge(x[:, ::-1]))),
        Mistake(
            "These are the weights, or the products. The task asks for the output, the weighted sums of the values.",
            lambda q, k, v, h: _weights()(_split(q, h), _split(k, h)),
            lambda q, k, v, h: masked(products(_split(q, h), _split(k, h))),
        ),
        Mistake(
            "The queries or the values are added to the output. A block does that, around the attention.",
            _then(lambda y, q, v, h: y + q),
            _then(lambda y, q, v, h: y + v),
        ),
        Mistake(
            "Each head takes the whole values. It should take only its own part of them.",
            lambda q, k, v, h: _merge(_weights()(_split(q, h), _split(k, h)) @ v[:, None]),
            hint="Split the values, too.",
        ),
        Mistake(
            "Only one head is returned: the first, or the last of a loop.",
            _of_heads(lambda x: x[:, -1]),
            _of_heads(lambda x: x[:, 0]),
            hint="Put the outputs of all heads side by side.",
        ),
        Mistake("The output is divided by the number of heads.", _then(lambda y, q, v, h: y / h)),
        Mistake(
            "Nothing is subtracted before exp, and the exponential of a large product is infinite.",
            _heads(_weights(soft=lambda z: probabilities(z, top="none"))),
            hint="lp.softmax subtracts the largest number of each row.",
        ),
        Mistake(
            "The largest product of the whole array is subtracted. A row far below it becomes 0/0, which is nan.",
            _heads(_weights(soft=lambda z: probabilities(z, top="all"))),
        ),
        Mistake(
            "The maximum is taken before the mask: a large product of the future takes part in it.",
            _heads(lambda q, k: _over(np.exp(masked(products(q, k)) - products(q, k).max(axis=-1, keepdims=True)))),
        ),
    ],
)


def _over(powers):
    return powers / powers.sum(axis=-1, keepdims=True)


def _mask_of_heads(z, keep=np.tril):
    """A mask over batch and heads, as from masking (L, L, B, H) or counting axes from the front."""
    allowed = keep(np.ones(z.shape[:2], dtype=bool))
    return np.where(allowed[..., None, None], z, -1e9)
