"""How do activations keep one scale, however deep the network? Centre them, divide by their deviation."""

import numpy as np
from numpy.typing import ArrayLike

from lossprimer._arguments import (
    FLOATS,
    NOT_NEGATIVE,
    POSITIVE_SHARE,
    SLICES,
    Axis,
    at_least_float32,
    float_array,
    none_is_usual,
    number,
    positive_integer,
    quietly,
)
from lossprimer._layer import Layer


@quietly
def normalize(x: ArrayLike, *, axis: Axis, eps: float = 1e-5) -> np.ndarray:
    r"""Entries moved to mean 0 and scaled to variance 1, or below where `eps` matters, along the given axes.

    Parameters
    ----------
    x : array_like, shape (...)
        Entries. float16, float32 and float64 keep their type; integers and booleans become float64.
    axis : int or tuple of ints
        The axis, or the axes together, that share one mean and one variance. For rows of features, 0 is the axis of
        batch normalization and -1 that of layer normalization.
    eps : float
        Is added to the variance; finite and at least 0.

    Returns
    -------
    ndarray, shape of `x`
        Its mean along `axis` is 0 up to rounding. Its variance is ``var / (var + eps)``; where n entries share the
        mean, none is further from 0 than the square root of n - 1.

    Raises
    ------
    TypeError
        If `x` is not real, or `axis` or `eps` has the wrong type.
    ValueError
        If `axis` or `eps` is out of range, or `x` has no entries along `axis`.

    Notes
    -----
    .. math:: \hat{x}_i = \frac{x_i - \mu}{\sqrt{\sigma^2 + \varepsilon}}, \qquad
              \mu = \frac1n \sum_i x_i, \qquad \sigma^2 = \frac1n \sum_i (x_i - \mu)^2

    as in [1]_, over other axes in [2]_, which prints no :math:`\varepsilon`: the biased variance, and
    :math:`\varepsilon` inside the root, as in PyTorch, Keras and Flax. Some code has it outside instead, added to the
    deviation [3]_. Where all entries are equal the result is 0 (nan if `eps` is 0 too).

    The squares are those of the centred entries. The form :math:`\overline{x^2} - \mu^2` subtracts two numbers that
    agree in nearly all digits when the mean is large beside the deviation: of 1e8 ± 1 it leaves nothing in float64. A
    mean is rounded, and the error of that rounding is taken from the centred entries in a second step. float16 is
    computed in float32 and rounded once.

    Sums and squares must fit the float type, in effect entries below 1e19 in float32 and 1e154 in float64; beyond,
    the result is 0 or nan. NaN and infinite entries make their slice nan.

    References
    ----------
    .. [1] Ioffe & Szegedy, Batch normalization, arXiv:1502.03167.
    .. [2] Ba, Kiros & Hinton, Layer normalization, arXiv:1607.06450.
    .. [3] Rush, The annotated Transformer, doi:10.18653/v1/W18-2509.

    Examples
    --------
    >>> x = [[2.0, -1.5, 0.5, 3.0], [0.5, 1.0, 2.5, -0.5]]
    >>> normalize(x, axis=-1).round(3)
    array([[ 0.59 , -1.474, -0.295,  1.18 ],
           [-0.346,  0.115,  1.501, -1.27 ]])

    A small deviation around a large mean:

    >>> normalize([1e8 - 1, 1e8, 1e8 + 1], axis=0, eps=0).round(3)
    array([-1.225,  0.   ,  1.225])
    """
    x = float_array("x", x, SLICES, axis=axis)
    x_hat, _ = _scale(_centre(x, axis), axis, number("eps", eps, NOT_NEGATIVE))
    return x_hat.astype(x.dtype, copy=False)


@quietly
def normalize_backward(dy: ArrayLike, x: ArrayLike, *, axis: Axis, eps: float = 1e-5) -> np.ndarray:
    r"""Gradient with respect to the entries, from the gradient with respect to the normalized ones.

    Parameters
    ----------
    dy : array_like, shape (...)
        Gradient of a scalar with respect to the output of `normalize`.
    x, axis, eps
        As given to `normalize`.

    Returns
    -------
    ndarray, shape of `x`
        Gradient of the same scalar with respect to `x`; its sum along `axis` is 0 up to rounding. The type is the
        wider one of `dy` and `x`; float16 is computed in float32.

    Raises
    ------
    TypeError, ValueError
        As for `normalize`; also if `dy` is not real or has a shape other than that of `x`.

    Notes
    -----
    Mean and variance depend on all entries, so that each entry's gradient has three parts:

    .. math:: dx_i = \frac{1}{\sqrt{\sigma^2 + \varepsilon}}
              \Bigl(dy_i - \overline{dy} - \hat{x}_i\, \overline{dy\, \hat{x}}\Bigr)

    Where `dy` is the same for all entries the result is 0. A gradient check that differentiates the plain sum of the
    output therefore accepts a backward that returns zeros.

    Examples
    --------
    >>> dy, x = [1.0, 0.0, 0.0], [0.0, 3.0, 0.0]
    >>> normalize_backward(dy, x, axis=0).round(3)
    array([ 0.354, -0.   , -0.354])
    >>> dy, x = [0.0, 0.0, 1e8], [1.0, 1.0, 1.0]
    >>> normalize_backward(dy, x, axis=0, eps=1.0)
    array([-33333333.33333333, -33333333.33333333,  66666666.66666667])
    """
    dy, x = float_array("dy", dy), float_array("x", x, SLICES, axis=axis)
    if dy.shape != x.shape:
        raise ValueError(f"dy has the shape {dy.shape}, expected that of x, {x.shape}")
    x_hat, root = _scale(_centre(x, axis), axis, number("eps", eps, NOT_NEGATIVE))
    dx = _centre_backward(_scale_backward(dy, x_hat, root, axis), axis)
    return dx.astype(np.promote_types(dy.dtype, x.dtype), copy=False)


def _centre(x, axis):
    """`x` minus its mean, in float32 at least; the second step takes what the rounding of the mean left."""
    centred = x - x.mean(axis=axis, keepdims=True, dtype=np.promote_types(x.dtype, np.float32))
    return centred - centred.mean(axis=axis, keepdims=True)


def _centre_backward(dy, axis):
    """Gradient through `_centre`, which a common change of all entries does not affect."""
    return dy - dy.mean(axis=axis, keepdims=True)


def _scale(x, axis, eps):
    """`x` over the root of its mean square plus `eps`, in float32 at least; and that root."""
    root = np.sqrt(np.square(x, dtype=np.promote_types(x.dtype, np.float32)).mean(axis=axis, keepdims=True) + eps)
    return x / root, root


def _scale_backward(dy, x_hat, root, axis):
    """Gradient through `_scale`, which a common factor of all entries hardly affects."""
    return (dy - x_hat * (dy * x_hat).mean(axis=axis, keepdims=True)) / root


class BatchNorm(Layer):
    r"""Layer that normalizes each feature over the batch, then gives it a scale and a shift that are learned.

    Parameters
    ----------
    num_features : int
        The number C of features.
    momentum : float
        The weight of each new batch in the running statistics, greater than 0 and at most 1. This is PyTorch's
        convention; what Keras and ONNX call momentum is 1 minus this.
    eps : float
        Is added to the variance; finite and at least 0.

    Attributes
    ----------
    gamma, beta : ndarray of float64, shape (C,)
        Scale and shift; 1 and 0 at first.
    running_mean, running_var : ndarray of float64, shape (C,)
        Running averages over the batches; 0 and 1 at first. They are not parameters and have no gradient.

    Raises
    ------
    TypeError
        If an argument has the wrong type; at a call, if `x` is not real.
    ValueError
        If an argument is out of range; at a call, if `x` does not have the shape (N, C) or (N, C, ...), or gives a
        single value per feature in training.

    Notes
    -----
    In training, with mean and variance over all axes but 1, from n values per feature [1]_:

    .. math:: y = \gamma \hat{x} + \beta, \qquad \hat{x} = \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}}

    .. math:: \mu_\text{run} \leftarrow (1 - \rho)\, \mu_\text{run} + \rho\, \mu, \qquad
              \sigma^2_\text{run} \leftarrow (1 - \rho)\, \sigma^2_\text{run} + \rho\, \frac{n}{n - 1} \sigma^2

    where :math:`\rho` is `momentum`. The batch is normalized with the biased variance, and the unbiased one is kept, as
    in PyTorch; ONNX keeps the biased one. After ``eval()`` the running statistics take the place of :math:`\mu` and
    :math:`\sigma^2`, no example depends on another, and one example is enough. In training a single value is refused:
    it would be its own mean, and the output `beta` whatever the value. One example with several values per feature, as
    an image has, is normalized with its own mean and variance.

    The output has the float type of `x`, the gradient that of `dy`. Statistics are computed in the type of `x`, in
    float32 at least.

    References
    ----------
    .. [1] Ioffe & Szegedy, Batch normalization, arXiv:1502.03167.

    Examples
    --------
    >>> layer = BatchNorm(2)
    >>> layer([[1.0, 1e8 - 1], [3.0, 1e8 + 1]]).round(3)
    array([[-1., -1.],
           [ 1.,  1.]])
    >>> layer.running_mean, layer.running_var
    (array([2.e-01, 1.e+07]), array([1.1, 1.1]))
    >>> layer.eval()([[0.2, 1e7]])
    array([[0., 0.]])
    """

    _names = ("gamma", "beta")

    def __init__(self, num_features: int, *, momentum: float = 0.1, eps: float = 1e-5):
        self.num_features = positive_integer("num_features", num_features)
        self.momentum = number("momentum", momentum, POSITIVE_SHARE)
        self.eps = number("eps", eps, NOT_NEGATIVE)
        self.gamma, self.beta = np.ones(num_features), np.zeros(num_features)
        self.running_mean, self.running_var = np.zeros(num_features), np.ones(num_features)

    def _settings(self):
        """The arguments that `repr` shows, as text."""
        return [f"{self.num_features}", f"momentum={self.momentum}", f"eps={self.eps}"]

    @quietly
    def __call__(self, x: ArrayLike) -> np.ndarray:
        """`x` normalized with its own statistics in training, and with their running averages at inference."""
        # (N, ..., C), so that values of shape (C,) broadcast.
        rows = np.moveaxis(float_array("x", x, _BATCH, num_features=self.num_features, training=self.training), 1, -1)
        mean, var = self._statistics(rows) if self.training else (self.running_mean, self.running_var)
        x_hat = (rows - mean) / np.sqrt(var + self.eps)
        y = self.gamma.astype(x_hat.dtype) * x_hat + self.beta.astype(x_hat.dtype)
        return self._keep(np.moveaxis(y, -1, 1).astype(rows.dtype, copy=False), x_hat, var, self.training)

    def _statistics(self, rows):
        """Mean and variance of the `rows`, of both of which the running averages take their share."""
        axes, wide = tuple(range(rows.ndim - 1)), np.promote_types(rows.dtype, np.float32)
        mean, var = rows.mean(axis=axes, dtype=wide), rows.var(axis=axes, dtype=wide)
        self.running_mean[...] = (1 - self.momentum) * self.running_mean + self.momentum * mean
        self.running_var[...] = (1 - self.momentum) * self.running_var + self.momentum * rows.var(axes, wide, ddof=1)
        return mean, var

    @quietly
    def backward(self, dy: ArrayLike) -> np.ndarray:
        """Gradient with respect to the input of the last call; those of gamma and beta are then in `gradients`."""
        dy, x_hat, var, trained = self._recall(dy)
        # In one order in memory, so that a copy of the layer adds in the same order.
        rows, x_hat = (np.ascontiguousarray(array) for array in (at_least_float32(np.moveaxis(dy, 1, -1)), x_hat))
        axes, root = tuple(range(rows.ndim - 1)), np.sqrt(var + self.eps)
        self.dgamma, self.dbeta = (rows * x_hat).sum(axis=axes), rows.sum(axis=axes)
        dx_hat = self.gamma.astype(rows.dtype) * rows
        # Running averages, unlike the statistics of the batch, do not depend on x.
        dx = _centre_backward(_scale_backward(dx_hat, x_hat, root, axes), axes) if trained else dx_hat / root
        return np.moveaxis(dx, -1, 1).astype(dy.dtype, copy=False)


class LayerNorm(Layer):
    r"""Layer that normalizes each example (in a Transformer: each token) over its own features.

    Parameters
    ----------
    normalized_shape : int or tuple of ints
        The lengths of the last axes, which share one mean and one variance; an int for the last axis alone.
    eps : float
        Is added to the variance; finite and at least 0.

    Attributes
    ----------
    gamma, beta : ndarray of float64, shape `normalized_shape`
        Scale and shift of each feature; 1 and 0 at first.

    Raises
    ------
    TypeError
        If an argument has the wrong type; at a call, if `x` is not real.
    ValueError
        If an argument is out of range; at a call, if the last axes of `x` do not have the shape
        `normalized_shape`.

    Notes
    -----
    .. math:: y = \gamma \hat{x} + \beta, \qquad \hat{x} = \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}}

    with the biased variance [1]_. No example depends on another, so training and inference are the same. The output has
    the float type of `x`, the gradient that of `dy`; float16 is computed in float32.

    References
    ----------
    .. [1] Ba, Kiros & Hinton, Layer normalization, arXiv:1607.06450.

    Examples
    --------
    >>> LayerNorm(4)([[2.0, -1.5, 0.5, 3.0]]).round(3)
    array([[ 0.59 , -1.474, -0.295,  1.18 ]])
    >>> LayerNorm(3)([[1e8 - 1, 1e8, 1e8 + 1], [7.0, 7.0, 7.0]]).round(3)
    array([[-1.225,  0.   ,  1.225],
           [ 0.   ,  0.   ,  0.   ]])
    """

    _names = ("gamma", "beta")

    def __init__(self, normalized_shape: Axis, *, eps: float = 1e-5):
        self.normalized_shape, self._axes = _shape(normalized_shape)
        self.eps = number("eps", eps, NOT_NEGATIVE)
        self.gamma, self.beta = np.ones(self.normalized_shape), np.zeros(self.normalized_shape)

    def _settings(self):
        """The arguments that `repr` shows, as text."""
        return [f"{self.normalized_shape}", f"eps={self.eps}"]

    @quietly
    def __call__(self, x: ArrayLike) -> np.ndarray:
        """`x` normalized over its last axes, scaled and shifted."""
        x = float_array("x", x, _LAST_AXES, shape=self.normalized_shape)
        x_hat, root = _scale(_centre(x, self._axes), self._axes, self.eps)
        y = self.gamma.astype(x_hat.dtype) * x_hat + self.beta.astype(x_hat.dtype)
        return self._keep(y.astype(x.dtype, copy=False), x_hat, root)

    @quietly
    def backward(self, dy: ArrayLike) -> np.ndarray:
        """Gradient with respect to the input of the last call; those of gamma and beta are then in `gradients`."""
        dy, x_hat, root = self._recall(dy)
        wide, others = at_least_float32(dy), tuple(range(dy.ndim - len(self._axes)))
        self.dgamma, self.dbeta = (wide * x_hat).sum(axis=others), wide.sum(axis=others)
        dx_hat = self.gamma.astype(wide.dtype) * wide
        dx = _centre_backward(_scale_backward(dx_hat, x_hat, root, self._axes), self._axes)
        return dx.astype(dy.dtype, copy=False)


class RMSNorm(Layer):
    r"""Layer that divides each example by the root of its mean square: layer normalization without the centring.

    Parameters
    ----------
    normalized_shape : int or tuple of ints
        The lengths of the last axes, which share one mean square; an int for the last axis alone.
    eps : float
        Is added to the mean square; finite and at least 0.

    Attributes
    ----------
    gamma : ndarray of float64, shape `normalized_shape`
        Scale of each feature; 1 at first.

    Raises
    ------
    TypeError, ValueError
        As for `LayerNorm`.

    Notes
    -----
    .. math:: y = \gamma\, \frac{x}{\sqrt{\overline{x^2} + \varepsilon}}

    as in [1]_, which prints no :math:`\varepsilon` (its authors' code adds an ε to the root, outside it): no
    mean, no subtraction, no shift. For centred entries the result is that of layer normalization without `beta`.
    PyTorch's default for `eps` is the precision of the float type; here it is that of `LayerNorm`.

    References
    ----------
    .. [1] Zhang & Sennrich, Root mean square layer normalization, arXiv:1910.07467.

    Examples
    --------
    >>> RMSNorm(2)([[3.0, 4.0], [3e100, 4e100], [0.0, 0.0]]).round(3)
    array([[0.849, 1.131],
           [0.849, 1.131],
           [0.   , 0.   ]])
    """

    _names = ("gamma",)

    def __init__(self, normalized_shape: Axis, *, eps: float = 1e-5):
        self.normalized_shape, self._axes = _shape(normalized_shape)
        self.eps = number("eps", eps, NOT_NEGATIVE)
        self.gamma = np.ones(self.normalized_shape)

    def _settings(self):
        """The arguments that `repr` shows, as text."""
        return [f"{self.normalized_shape}", f"eps={self.eps}"]

    @quietly
    def __call__(self, x: ArrayLike) -> np.ndarray:
        """`x` over the root of its mean square along its last axes, scaled."""
        x = float_array("x", x, _LAST_AXES, shape=self.normalized_shape)
        x_hat, root = _scale(x, self._axes, self.eps)
        y = self.gamma.astype(x_hat.dtype) * x_hat
        return self._keep(y.astype(x.dtype, copy=False), x_hat, root)

    @quietly
    def backward(self, dy: ArrayLike) -> np.ndarray:
        """Gradient with respect to the input of the last call; that of gamma is then in `gradients`."""
        dy, x_hat, root = self._recall(dy)
        wide = at_least_float32(dy)
        self.dgamma = (wide * x_hat).sum(axis=tuple(range(dy.ndim - len(self._axes))))
        dx = _scale_backward(self.gamma.astype(wide.dtype) * wide, x_hat, root, self._axes)
        return dx.astype(dy.dtype, copy=False)


def _shape(normalized_shape):
    """`normalized_shape` as a tuple of at least one positive int, and the axes that have these lengths."""
    lengths = normalized_shape if isinstance(normalized_shape, tuple) else (normalized_shape,)
    if not lengths:
        raise ValueError("normalized_shape is (), expected the length of at least one axis")
    return tuple(positive_integer("normalized_shape", n) for n in lengths), tuple(range(-len(lengths), 0))


_LAST_AXES = (
    none_is_usual,
    *FLOATS[1:],
    (
        lambda x, shape: x.shape[-len(shape) :] == shape,
        ValueError,
        "{name} has the shape {0.shape}, expected its last axes to have the shape {shape}".format,
    ),
)
_BATCH = (
    none_is_usual,
    *FLOATS[1:],
    (
        lambda x, num_features, **_: x.ndim >= 2 and x.shape[1] == num_features,
        ValueError,
        "{name} has the shape {0.shape}, expected (N, {num_features}) or more axes after these".format,
    ),
    (
        lambda x, num_features, training: not training or x.size > num_features,
        ValueError,
        (
            "{name} has the shape {0.shape}, expected more than one value per feature in training:"
            " a single one has no deviation, and nothing but beta would come out"
        ).format,
    ),
)
