"""How do all four tools work together? A small Transformer, from attention to the text that it generates."""

import math

import numpy as np
from numpy.typing import ArrayLike

from lossprimer._arguments import (
    CLASSES,
    boolean,
    float_array,
    float_type,
    integer_array,
    positive_integer,
    quietly,
    random_generator,
)
from lossprimer._layer import Layer
from lossprimer.dropout import Dropout
from lossprimer.network import Composite, Linear, ReLU, Residual, Sequential
from lossprimer.normalization import LayerNorm, RMSNorm
from lossprimer.probability import log_softmax, softmax, softmax_backward


class SelfAttention(Composite):
    r"""Multi-head self-attention: each position takes a weighted mean of the values that it may see.

    Parameters
    ----------
    d_model : int
        The number D of features.
    num_heads : int
        The number H of heads, each of D / H features.
    causal : bool
        Whether a position sees only itself and those before it.
    keep_prob : float
        The probability of keeping an attention weight in dropout. Below 1, the weights of a position sum to 1 only on
        average.
    zero_init : bool
        Whether the last weights start at 0, so that a residual branch adds nothing at first.
    rng : numpy.random.Generator
        Draws the weights and the dropout masks.

    Attributes
    ----------
    weights : ndarray, shape (B, H, L, L), or None
        Attention weights of the last call, before dropout: entry (b, h, i, j) is what head h of example b takes at
        position i from position j. The parameters are in ``query``, ``key``, ``value`` and ``output``.

    Raises
    ------
    TypeError
        If an argument has the wrong type, or the input is not real.
    ValueError
        If a number is out of range, `num_heads` does not divide `d_model`, or the input does not have the shape
        (B, L, D).
    RuntimeError
        If `backward` comes before a call.

    Notes
    -----
    With the features of each head in :math:`Q, K, V` of d = D / H columns [1]_,

    .. math:: A = \mathrm{softmax}\Bigl(\frac{Q K^\top}{\sqrt d} + M\Bigr), \qquad Y = A V

    and the heads, side by side, go through ``output``. The mask :math:`M` is :math:`-\infty` for later positions, whose
    weights are then exactly 0. The gradients, with :math:`S` for the argument of the softmax:

    .. math:: dV = A^\top dY, \quad dA = dY\,V^\top, \quad dS = A \odot (dA - \mathrm{rowsum}(dA \odot A)), \quad
              dQ = \frac{dS\,K}{\sqrt d}, \quad dK = \frac{dS^\top Q}{\sqrt d}

    References
    ----------
    .. [1] Vaswani et al., Attention is all you need, arXiv:1706.03762.

    Examples
    --------
    >>> attention = SelfAttention(8, 2, rng=np.random.default_rng(0))
    >>> x = np.zeros((1, 3, 8))
    >>> attention(x).shape
    (1, 3, 8)

    Where all scores are equal, a position gives the same weight to itself and to each one before it.

    >>> attention.weights[0, 0].round(2)
    array([[1.  , 0.  , 0.  ],
           [0.5 , 0.5 , 0.  ],
           [0.33, 0.33, 0.33]])
    """

    def __init__(
        self,
        d_model: int,
        num_heads: int,
        *,
        causal: bool = True,
        keep_prob: float = 1.0,
        zero_init: bool = False,
        rng: np.random.Generator,
    ):
        if positive_integer("d_model", d_model) % positive_integer("num_heads", num_heads):
            raise ValueError(f"num_heads is {num_heads}, expected a divisor of d_model, {d_model}")
        self.num_heads, self.causal, self.weights = num_heads, boolean("causal", causal), None
        self.query, self.key, self.value = (Linear(d_model, d_model, scale=1, rng=rng) for _ in range(3))
        self.output = Linear(d_model, d_model, scale=0 if boolean("zero_init", zero_init) else 1, rng=rng)
        self.dropout = Dropout(keep_prob, rng=rng)
        names = ("query", "key", "value", "output", "dropout")
        self.children = {name: getattr(self, name) for name in names}

    def _settings(self):
        """The arguments that `repr` shows, as text."""
        options = [f"causal={self.causal}", f"keep_prob={self.dropout.keep_prob}"]
        return [f"{len(self.query.weight)}", f"{self.num_heads}", *options]

    @quietly
    def __call__(self, x: ArrayLike) -> np.ndarray:
        """Output of the shape (B, L, D) of `x`."""
        x = float_array("x", x)
        d_model = len(self.query.weight)
        if x.ndim != 3 or x.shape[2] != d_model:
            raise ValueError(f"x has the shape {x.shape}, expected (B, L, {d_model})")
        q, k, v = (self._split(layer(x)) for layer in (self.query, self.key, self.value))  # (B, H, L, d)
        q = q / math.sqrt(q.shape[-1])  # before the product, which could otherwise overflow
        scores = q @ k.swapaxes(-1, -2)  # (B, H, L, L)
        if self.causal:
            scores[..., np.triu(np.ones(scores.shape[-2:], bool), k=1)] = -np.inf
        self.weights = softmax(scores)
        kept = self.dropout(self.weights)
        return self._keep(self.output(self._merge(kept @ v)), q, k, v, kept)

    @quietly
    def backward(self, dy: ArrayLike) -> np.ndarray:
        """Gradient with respect to the input."""
        dy, q, k, v, kept = self._recall(dy)
        dy = self._split(self.output.backward(dy))
        dv = kept.swapaxes(-1, -2) @ dy
        dweights = self.dropout.backward(dy @ v.swapaxes(-1, -2))
        dscores = softmax_backward(dweights, self.weights)
        dq, dk = dscores @ k / math.sqrt(q.shape[-1]), dscores.swapaxes(-1, -2) @ q
        return sum(
            layer.backward(self._merge(gradient))
            for layer, gradient in ((self.query, dq), (self.key, dk), (self.value, dv))
        )

    def _split(self, x):
        """(B, L, D) as (B, H, L, d): the features of each head by themselves."""
        return x.reshape(*x.shape[:2], self.num_heads, -1).swapaxes(1, 2)

    def _merge(self, x):
        """(B, H, L, d) as (B, L, D): the heads side by side."""
        return x.swapaxes(1, 2).reshape(len(x), x.shape[2], -1)


class FeedForward(Sequential):
    r"""Two linear layers with a ReLU between them, applied to each position.

    Parameters
    ----------
    d_model, d_hidden : int
        Numbers of features of the input and output, and between the two layers.
    keep_prob : float
        The probability of keeping a hidden feature in dropout.
    zero_init : bool
        Whether the last weights start at 0, so that a residual branch adds nothing at first.
    rng : numpy.random.Generator
        Draws the weights and the dropout masks.

    Raises
    ------
    TypeError, ValueError, RuntimeError
        As for `Linear` and `Dropout`.

    Notes
    -----
    .. math:: h = \max(x W_1 + b_1, 0), \qquad y = \mathrm{Dropout}(h)\, W_2 + b_2

    with :math:`W_1` and :math:`W_2` in the layers 0 and 3 [1]_.

    References
    ----------
    .. [1] Vaswani et al., Attention is all you need, section 3.3, arXiv:1706.03762.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> FeedForward(8, 32, zero_init=True, rng=rng)([[1e300] * 8])
    array([[0., 0., 0., 0., 0., 0., 0., 0.]])
    """

    def __init__(
        self,
        d_model: int,
        d_hidden: int,
        *,
        keep_prob: float = 1.0,
        zero_init: bool = False,
        rng: np.random.Generator,
    ):
        super().__init__(
            Linear(d_model, d_hidden, scale=1, rng=rng),
            ReLU(),
            Dropout(keep_prob, rng=rng),
            Linear(d_hidden, d_model, scale=0 if boolean("zero_init", zero_init) else 1, rng=rng),
        )


class TransformerBlock(Sequential):
    r"""Attention, then a feed-forward layer, each added to its input.

    Parameters
    ----------
    d_model, num_heads, d_hidden : int
        As for `SelfAttention` and `FeedForward`.
    norm : "pre", "post" or "none"
        Where the normalization layers are.
    norm_layer : class
        `LayerNorm` or `RMSNorm`; called with `d_model`.
    causal : bool
        Whether a position sees only itself and those before it.
    keep_prob : float
        The probability of keeping an entry in each dropout: of the attention weights, of the hidden
        features of the feed-forward layer, and of what each of the two adds to its input.
    zero_init : bool
        Whether both add nothing at first. The block then starts as the identity, or with "post" as two normalizations.
    rng : numpy.random.Generator
        Draws the weights and the dropout masks.

    Attributes
    ----------
    attention : SelfAttention
    feed_forward : FeedForward

    Raises
    ------
    TypeError, ValueError, RuntimeError
        As for the layers inside; ValueError if `norm` or `norm_layer` is something else.

    Notes
    -----
    .. math:: \begin{aligned}
              \text{pre:}\quad x &\leftarrow x + f(\mathrm{Norm}(x)) \\
              \text{post:}\quad x &\leftarrow \mathrm{Norm}(x + f(x)) \\
              \text{none:}\quad x &\leftarrow x + f(x)
              \end{aligned}

    once with the attention for :math:`f`, once with the feed-forward layer. "post" is the form of [1]_. With "pre", the
    gradient can pass from the last block to the first without going through a normalization layer [2]_; the sum then
    needs one after the last block. With "none", zeros at the start keep the sum from growing with depth [3]_.

    References
    ----------
    .. [1] Vaswani et al., Attention is all you need, arXiv:1706.03762.
    .. [2] Xiong et al., On layer normalization in the Transformer architecture, arXiv:2002.04745.
    .. [3] Zhang, Dauphin & Ma, Fixup initialization, arXiv:1901.09321.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> block = TransformerBlock(8, 2, 32, zero_init=True, rng=rng)
    >>> x = np.full((1, 3, 8), 1e300)
    >>> bool((block(x) == x).all())
    True
    """

    def __init__(
        self,
        d_model: int,
        num_heads: int,
        d_hidden: int,
        *,
        norm: str = "pre",
        norm_layer: type[LayerNorm] | type[RMSNorm] = LayerNorm,
        causal: bool = True,
        keep_prob: float = 1.0,
        zero_init: bool = False,
        rng: np.random.Generator,
    ):
        if norm not in ("pre", "post", "none"):
            raise ValueError(f"norm is {norm!r}, expected 'pre', 'post' or 'none'")
        if norm_layer not in (LayerNorm, RMSNorm):
            raise ValueError(f"norm_layer is {norm_layer!r}, expected LayerNorm or RMSNorm")
        options = {"keep_prob": keep_prob, "zero_init": zero_init, "rng": rng}
        self.attention = SelfAttention(d_model, num_heads, causal=causal, **options)
        self.feed_forward = FeedForward(d_model, d_hidden, **options)
        layers = []
        for sublayer in (self.attention, self.feed_forward):
            branch = [sublayer, Dropout(keep_prob, rng=rng)]
            if norm == "pre":
                branch.insert(0, norm_layer(d_model))
            layers.append(Residual(Sequential(*branch)))
            if norm == "post":
                layers.append(norm_layer(d_model))
        super().__init__(*layers)


class Embedding(Layer):
    """A vector for each token, plus one for its position.

    Parameters
    ----------
    num_tokens, length, d_model : int
        The number of different tokens, of positions at most, and of features.
    dtype : type
        Float type of the output, and so of what the layers after it compute.
    rng : numpy.random.Generator
        Draws the vectors, with variance 1 / `d_model`.

    Attributes
    ----------
    token : ndarray of float64, shape (num_tokens, d_model)
    position : ndarray of float64, shape (length, d_model)

    Raises
    ------
    TypeError
        If an argument has the wrong type, or the tokens are not integers.
    ValueError
        If a number is below 1, a token is out of range, or the tokens do not have the shape (B, L) with L up
        to `length`.
    RuntimeError
        If `backward` comes before a call.

    Examples
    --------
    >>> embedding = Embedding(12, 16, 8, rng=np.random.default_rng(0))
    >>> embedding([[3, 3, 0]]).shape
    (1, 3, 8)
    """

    _names = ("token", "position")

    def __init__(
        self, num_tokens: int, length: int, d_model: int, *, dtype: type = np.float64, rng: np.random.Generator
    ):
        sizes = positive_integer("num_tokens", num_tokens), positive_integer("length", length)
        scale = 1 / math.sqrt(positive_integer("d_model", d_model))
        self.dtype = float_type("dtype", dtype)
        self.token, self.position = (random_generator(rng).normal(0, scale, (size, d_model)) for size in sizes)

    def _settings(self):
        """The arguments that `repr` shows, as text."""
        return [*map(str, (len(self.token), *self.position.shape)), f"dtype={self.dtype}"]

    def __call__(self, tokens: ArrayLike) -> np.ndarray:
        """Output of shape (B, L, D) for tokens of shape (B, L)."""
        tokens = integer_array("tokens", tokens, CLASSES, num_classes=len(self.token))
        if tokens.ndim != 2 or tokens.shape[1] > len(self.position):
            raise ValueError(f"tokens has the shape {tokens.shape}, expected (B, L) with L up to {len(self.position)}")
        y = self.token[tokens] + self.position[: tokens.shape[1]]
        return self._keep(y.astype(self.dtype, copy=False), tokens)

    def backward(self, dy: ArrayLike) -> None:
        """Compute the gradients with respect to the vectors, for `gradients`; tokens are discrete and have none."""
        dy, tokens = self._recall(dy)
        self.dtoken, self.dposition = np.zeros_like(self.token), np.zeros_like(self.position)
        # A token that occurs twice gets both. In one dimension and one float type np.add.at takes a tenth of the time.
        places = tokens[..., np.newaxis] * dy.shape[-1] + np.arange(dy.shape[-1])
        np.add.at(self.dtoken.reshape(-1), places.reshape(-1), dy.reshape(-1).astype(self.dtoken.dtype))
        self.dposition[: tokens.shape[1]] = dy.sum(axis=0)


class Transformer(Sequential):
    """Scores for the token that follows each position, from the tokens up to it.

    Parameters
    ----------
    num_tokens, length : int
        The number of different tokens, and of positions at most.
    depth : int
        The number of blocks.
    d_model, num_heads, d_hidden, norm, norm_layer, causal, keep_prob, zero_init
        As for `TransformerBlock`. With "pre", a norm layer follows the last block [1]_.
    dtype : type
        Float type of the computation; the parameters are in float64.
    rng : numpy.random.Generator
        Draws the weights and the dropout masks.

    Attributes
    ----------
    blocks : tuple of TransformerBlock
    length : int

    Raises
    ------
    TypeError, ValueError, RuntimeError
        As for `TransformerBlock`; also TypeError if the tokens are not integers, and ValueError if one is out of range
        or they do not have the shape (B, L) with L up to `length`.

    References
    ----------
    .. [1] Xiong et al., On layer normalization in the Transformer architecture, arXiv:2002.04745.

    Examples
    --------
    >>> model = Transformer(12, 16, rng=np.random.default_rng(0))
    >>> model([[3, 1, 0], [5, 5, 0]]).shape
    (2, 3, 12)
    """

    def __init__(
        self,
        num_tokens: int,
        length: int,
        *,
        depth: int = 2,
        d_model: int = 32,
        num_heads: int = 2,
        d_hidden: int = 64,
        norm: str = "pre",
        norm_layer: type[LayerNorm] | type[RMSNorm] = LayerNorm,
        causal: bool = True,
        keep_prob: float = 1.0,
        zero_init: bool = False,
        dtype: type = np.float64,
        rng: np.random.Generator,
    ):
        options = {"norm": norm, "norm_layer": norm_layer, "causal": causal, "keep_prob": keep_prob}
        embedding = Embedding(num_tokens, length, d_model, dtype=dtype, rng=rng)
        self.length = length
        self.blocks = tuple(
            TransformerBlock(d_model, num_heads, d_hidden, **options, zero_init=zero_init, rng=rng)
            for _ in range(positive_integer("depth", depth))
        )
        final = (norm_layer(d_model),) if norm == "pre" else ()
        super().__init__(embedding, *self.blocks, *final, Linear(d_model, num_tokens, scale=1, rng=rng))


def generate(
    model: Transformer, tokens: ArrayLike, count: int, *, temperature: float = 1.0, rng: np.random.Generator
) -> np.ndarray:
    r"""Tokens, continued by the model one token at a time.

    Parameters
    ----------
    model : Transformer
        Used in its current mode: call ``model.eval()`` first, or dropout stays active.
    tokens : array_like of ints, shape (B, L) or (L,)
        The beginning of each sequence; at least one token.
    count : int
        The number of tokens to add.
    temperature : float
        Divides the scores; finite and greater than 0. Near 0 the token with the largest score always wins.
    rng : numpy.random.Generator
        Draws the tokens.

    Returns
    -------
    ndarray of ints, shape (B, L + count) or (L + count,)
        The model sees the last ``model.length`` of them at most.

    Raises
    ------
    TypeError
        If an argument has the wrong type.
    ValueError
        If a number is out of range, or `tokens` has another shape or holds a token that is none of the model's.

    Notes
    -----
    With :math:`u_k` uniform between 0 and 1, the token

    .. math:: \arg\max_k \; \bigl(\log p_k - \log(-\log u_k)\bigr)

    has the distribution :math:`p = \mathrm{softmax}(z / T)`: the Gumbel-max trick [1]_, which needs no sum and draws
    for all sequences at once.

    References
    ----------
    .. [1] Maddison, Tarlow & Minka, A* sampling, arXiv:1411.0030.

    Examples
    --------
    >>> model = Transformer(12, 16, rng=np.random.default_rng(0)).eval()
    >>> rng = np.random.default_rng(1)
    >>> prompt = [3, 1, 0]
    >>> generate(model, prompt, 5, temperature=1e-300, rng=rng).shape
    (8,)
    """
    if not isinstance(model, Transformer):
        raise TypeError(f"model is {model!r}, expected a Transformer")
    tokens = integer_array("tokens", tokens, CLASSES, num_classes=len(model.layers[0].token))
    if tokens.ndim not in (1, 2) or not tokens.size:
        raise ValueError(f"tokens has the shape {tokens.shape}, expected (B, L) or (L,) with at least one token")
    rows = np.atleast_2d(tokens)
    for _ in range(positive_integer("count", count)):
        log_p = log_softmax(model(rows[:, -model.length :])[:, -1], temperature=temperature)
        drawn = (log_p + random_generator(rng).gumbel(size=log_p.shape)).argmax(axis=-1)
        rows = np.hstack([rows, drawn[:, None]])
    return rows if tokens.ndim == 2 else rows[0]
