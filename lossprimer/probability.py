"""How do scores become probabilities, and how far apart are two distributions?

What exponentiates scores subtracts the largest of them first. In exact arithmetic that changes nothing; in floating
point no exponential can then overflow.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from lossprimer._arguments import axis_tuple, float_array, integer_array, positive_integer, positive_number

Axis = int | tuple[int, ...]

# Infinite scores, underflow to zero and 0/0 are part of the definitions below, not accidents to warn about.
_quietly = np.errstate(all="ignore")


@_quietly
def softmax(z: ArrayLike, *, temperature: float = 1.0, axis: Axis = -1) -> np.ndarray:
    r"""Probabilities proportional to the exponentials of the scores.

    Parameters
    ----------
    z : array_like, shape (..., K)
        Scores. float16, float32 and float64 keep their type; integers and booleans become float64.
    temperature : float
        Divides the scores; finite and greater than 0. Below 1 the largest score takes more, above 1 less.
    axis : int or tuple of ints
        The axis, or the axes together, that hold the K classes.

    Returns
    -------
    ndarray, shape of `z`
        Entries from 0 to 1 whose sum along `axis` is 1 up to rounding.

    Raises
    ------
    TypeError
        If `z` is not real (complex, object, string, long double), or `temperature` or `axis` has the wrong
        type.
    ValueError
        If `temperature` or `axis` is out of range, or `z` has no entries along `axis`.

    Notes
    -----
    With :math:`m = \max_j z_j` along `axis` [1]_ and the temperature :math:`T` of [2]_,

    .. math:: p_i = \frac{e^{(z_i - m)/T}}{\sum_j e^{(z_j - m)/T}}

    The factor :math:`e^{-m/T}` cancels. It keeps every exponent at or below 0, where ``exp`` cannot
    overflow, and the sum at or above 1, so that nothing is divided by 0. The shift comes before the
    division, for :math:`m/T` could overflow where the gap is harmless. float16 is computed in float32 and
    rounded once. The relative error of an entry is that of its exponent, up to :math:`|z_i - m|/T` units in
    the last place, and that of the sum: a few units along the last axis, where NumPy adds pairwise, and
    more with K along others.

    A score of -inf (a masked entry) gets exactly 0; where all are -inf no distribution is left and the
    slice is nan. A single score of +inf takes everything, which is the limit; two of them, or a NaN, make
    their slice nan.

    References
    ----------
    .. [1] Blanchard, Higham & Higham, Accurately computing the log-sum-exp and softmax functions,
       doi:10.1093/imanum/draa038.
    .. [2] Hinton, Vinyals & Dean, Distilling the knowledge in a neural network, arXiv:1503.02531.

    Examples
    --------
    >>> softmax([2.0, 1.0, 0.5]).round(3)
    array([0.629, 0.231, 0.14 ])
    >>> softmax([2.0, 1.0, 0.5], temperature=0.5).round(3)
    array([0.844, 0.114, 0.042])

    Scores whose exponentials no float can hold, and a masked one:

    >>> softmax([1e30, 1e30, 0.0, -np.inf])
    array([0.5, 0.5, 0. , 0. ])
    """
    z, axes = _scores(z, axis)
    top = z.max(axis=axes, keepdims=True)
    p = _gaps(z, top, axes, positive_number("temperature", temperature))
    np.exp(p, out=p)
    p /= p.sum(axis=axes, keepdims=True)
    return p.astype(z.dtype, copy=False)


@_quietly
def softmax_backward(dy: ArrayLike, p: ArrayLike, *, temperature: float = 1.0, axis: Axis = -1) -> np.ndarray:
    r"""Gradient with respect to the scores, from the gradient with respect to the probabilities.

    Parameters
    ----------
    dy : array_like, shape (..., K)
        Gradient of a scalar with respect to the output of `softmax`.
    p : array_like, shape of `dy`
        That output: ``softmax(z, temperature=temperature, axis=axis)``.
    temperature, axis
        As given to `softmax`.

    Returns
    -------
    ndarray, shape of `p`
        Gradient of the same scalar with respect to `z`; its sum along `axis` is 0 up to rounding. The type
        is the wider one of `dy` and `p`; float16 is computed in float32.

    Raises
    ------
    TypeError
        If `dy` or `p` is not real, or `temperature` or `axis` has the wrong type.
    ValueError
        If the shapes differ, or `temperature` or `axis` is out of range.

    Notes
    -----
    The Jacobian of one slice is :math:`(\mathrm{diag}(p) - p p^\top)/T`. It is symmetric, and its product
    with `dy` needs no matrix:

    .. math:: \frac{\partial L}{\partial z_i} = \frac{p_i}{T} \Bigl(dy_i - \sum_j dy_j\, p_j\Bigr)

    Where `dy` is the same for all classes the result is 0, because the probabilities always sum to 1. A
    gradient check that differentiates the plain sum of the output therefore accepts a backward that returns
    zeros.

    Examples
    --------
    >>> softmax_backward([1.0, 0.0], [0.5, 0.5])
    array([ 0.25, -0.25])
    >>> softmax_backward([1.0, 1.0], [0.5, 0.5])
    array([0., 0.])

    A saturated softmax passes nothing back, however large the gradient that arrives:

    >>> softmax_backward([0.0, 1e30], softmax([1000.0, 0.0]))
    array([0., 0.])
    """
    dy, p = float_array("dy", dy), float_array("p", p)
    if dy.shape != p.shape:
        raise ValueError(f"dy has the shape {dy.shape}, expected that of p, {p.shape}")
    axes = axis_tuple(axis, p.ndim)
    result_type = np.promote_types(dy.dtype, p.dtype)
    dy, p = _at_least_float32(dy), _at_least_float32(p)
    dz = p * (dy - (dy * p).sum(axis=axes, keepdims=True))
    return _divide(dz, positive_number("temperature", temperature)).astype(result_type, copy=False)


@_quietly
def log_softmax(z: ArrayLike, *, temperature: float = 1.0, axis: Axis = -1) -> np.ndarray:
    r"""Logarithms of the probabilities, finite for all finite scores.

    Parameters
    ----------
    z, temperature, axis
        As for `softmax`.

    Returns
    -------
    ndarray, shape of `z`
        Entries at or below 0; their exponentials sum to 1 along `axis` up to rounding.

    Raises
    ------
    TypeError, ValueError
        As for `softmax`.

    Notes
    -----
    With :math:`g_i = (z_i - m)/T`, the gap between a score and the largest one,

    .. math:: \log p_i = g_i - \log \sum_j e^{g_j}

    ``log(softmax(z))`` takes the logarithm of a number that may have underflowed to 0; here nothing is
    lost, for the gap itself is the larger part of the answer. Both parts are at or below 0, so no digits
    cancel. The largest score's own term of the sum is exactly 1; the others are summed without it and
    ``log1p`` adds it [1]_, which keeps the loss of a confident and right answer from rounding to 0.
    Infinite scores and NaN follow `softmax`. Scores further apart than the float type can say give -inf.

    References
    ----------
    .. [1] Blanchard, Higham & Higham, doi:10.1093/imanum/draa038.

    Examples
    --------
    >>> log_softmax([1000.0, 0.0])
    array([    0., -1000.])
    >>> log_softmax([50.0, 0.0])
    array([-1.92874985e-22, -5.00000000e+01])
    """
    z, axes = _scores(z, axis)
    top, place = _largest(z, axes)
    log_p = _gaps(z, top, axes, positive_number("temperature", temperature))
    log_p -= _log_of_sum(np.exp(log_p), axes, place)
    return log_p.astype(z.dtype, copy=False)


@_quietly
def logsumexp(z: ArrayLike, *, axis: Axis = -1, keepdims: bool = False) -> np.ndarray | np.floating:
    r"""Logarithm of the sum of exponentials, a smooth maximum.

    Parameters
    ----------
    z : array_like, shape (..., K)
        Scores. float16, float32 and float64 keep their type; integers and booleans become float64.
    axis : int or tuple of ints
        The axis, or the axes together, to sum over.
    keepdims : bool
        Whether the axes summed over stay, with length 1.

    Returns
    -------
    ndarray or scalar, shape of `z` without `axis`
        At least the largest score, at most that plus log K. The sum over no entries is 0, its logarithm -inf.

    Raises
    ------
    TypeError
        If `z` is not real, or `axis` is not an int or a tuple of ints.
    ValueError
        If `axis` is out of range or names an axis twice.

    Notes
    -----
    With the largest score :math:`m` and its place :math:`k` [1]_,

    .. math:: \log \sum_j e^{z_j} = m + \log\Bigl(1 + \sum_{j \ne k} e^{z_j - m}\Bigr)

    The absolute error is a few units in the last place of :math:`|m|`; where :math:`m` is near 0 the other
    terms keep their digits, however small they are. The gradient of this function is `softmax`.
    -inf entries add nothing, a +inf entry makes the result +inf, NaN makes it NaN.

    References
    ----------
    .. [1] Blanchard, Higham & Higham, doi:10.1093/imanum/draa038.

    Examples
    --------
    >>> logsumexp([[1000.0, 1000.0], [-1000.0, -np.inf]])
    array([ 1000.69314718, -1000.        ])
    >>> logsumexp([[0.0, -50.0], [-np.inf, -np.inf]])
    array([1.92874985e-22,           -inf])
    """
    z = float_array("z", z)
    axes = axis_tuple(axis, z.ndim)
    if _lacks_entries(z, axes):
        z = np.full([1 if i in axes else n for i, n in enumerate(z.shape)], -np.inf, z.dtype)  # adds nothing
    top, place = _largest(z, axes)
    gaps = _gaps(z, top, axes)
    total = top + _log_of_sum(np.exp(gaps, out=gaps), axes, place)
    total = np.where(np.isinf(top), top, total).astype(z.dtype, copy=False)
    return total if keepdims else total.squeeze(axes)[()]


def _scores(z, axis):
    """The arguments `z` and `axis` as an array and a tuple; every slice has an entry."""
    z = float_array("z", z)
    axes = axis_tuple(axis, z.ndim)
    if _lacks_entries(z, axes):
        raise ValueError(f"z has the shape {z.shape}, expected at least one entry along axis {axis}")
    return z, axes


def _lacks_entries(z, axes):
    """Whether the slices of `z` along `axes` are empty."""
    return z.size == 0 and 0 in [z.shape[i] for i in axes]


def _largest(z, axes):
    """The largest entry of each slice, its axes kept; and its place in the rows of `z` if these are the slices."""
    if axes != (z.ndim - 1,) or not z.flags.c_contiguous:
        return z.max(axis=axes, keepdims=True), None
    rows = z.reshape(-1, z.shape[-1])
    place = np.arange(len(rows)), rows.argmax(axis=1)
    return rows[place].reshape(z.shape[:-1] + (1,)), place


def _gaps(z, top, axes, temperature=1.0):
    """The entries minus the largest of their slice, over the temperature; in float32 at least."""
    if temperature > 1:
        # Halving is exact, and half of the widest gap still fits its float type.
        z, top, temperature = z * 0.5, top * 0.5, temperature * 0.5
    gaps = z - top if z.dtype != np.float16 else np.subtract(z, top, dtype=np.float32)
    if np.count_nonzero(np.isinf(top)):
        infinite = z == np.inf
        alone = np.count_nonzero(infinite, axis=axes, keepdims=True) == 1
        gaps[infinite & alone] = 0  # not inf - inf: no other entry comes near
    return _divide(gaps, temperature)


def _divide(values, temperature):
    """`values` over the temperature, in place; in float64, where no temperature turns into 0 or inf."""
    if temperature == 1:
        return values
    return np.divide(values, temperature, out=values, dtype=np.float64, casting="same_kind")


def _log_of_sum(exponentials, axes, place):
    """Logarithm of the sum of each slice, whose largest entry is 1; its axes kept. Overwrites the largest.

    Where the others are small, 1 plus their sum would round to 1. So they are summed without the 1.
    """
    if place is not None:
        exponentials.reshape(-1, exponentials.shape[-1])[place] = 0
        return np.log1p(exponentials.sum(axis=axes, keepdims=True))
    total = exponentials.sum(axis=axes, keepdims=True)
    exponentials[exponentials == 1] = 0
    others = exponentials.sum(axis=axes, keepdims=True)
    return np.where(total < 1.5, np.log1p(others), np.log(total))  # above 1.5 there may have been several ones


def _at_least_float32(array):
    """`array` itself, or its float32 copy if it is float16."""
    return array.astype(np.promote_types(array.dtype, np.float32), copy=False)


@_quietly
def entropy(p: ArrayLike, *, axis: Axis = -1) -> np.ndarray | np.floating:
    r"""Average surprise of a distribution, in nats.

    Parameters
    ----------
    p : array_like, shape (..., K)
        Probabilities. float16, float32 and float64 keep their type; integers and booleans become float64.
    axis : int or tuple of ints
        The axis, or the axes together, that hold the K classes.

    Returns
    -------
    ndarray or scalar, shape of `p` without `axis`
        From 0 (one class has it all) to log K (all have the same). Divide by ``log(2)`` for bits.

    Raises
    ------
    TypeError
        If `p` is not real, or `axis` is not an int or a tuple of ints.
    ValueError
        If an entry is negative, a slice does not sum to 1, or `axis` is out of range.

    Notes
    -----
    .. math:: H(p) = -\sum_i p_i \log p_i, \qquad 0 \log 0 = 0

    as in [1]_. A sum may be off by the square root of the float type's precision (1.5e-8 in float64, 3.5e-4
    in float32, 0.03 in float16), the allowance of ``numpy.random.Generator.choice``. Where rounding leaves
    an entry above 1, the result could fall below 0 by as little; it is then 0, the nearest entropy that
    exists. NaN makes its slice NaN.

    References
    ----------
    .. [1] Shannon, A mathematical theory of communication, doi:10.1002/j.1538-7305.1948.tb01338.x.

    Examples
    --------
    >>> entropy([[0.5, 0.5], [1.0, 0.0]])
    array([0.69314718, 0.        ])

    The smallest positive float contributes what it should, and no more:

    >>> float(entropy([1.0, 5e-324]))
    3.676e-321
    """
    p = float_array("p", p)
    axes = axis_tuple(axis, p.ndim)
    _check_distribution("p", p, axes)
    result_type = p.dtype
    p = _at_least_float32(p)
    terms = p * np.log(p)
    terms[p == 0] = 0
    return np.maximum(0 - terms.sum(axis=axes), 0).astype(result_type)


@_quietly
def kl_divergence(p: ArrayLike, q: ArrayLike, *, axis: Axis = -1) -> np.ndarray | np.floating:
    r"""Nats lost on average by expecting `q` where `p` is true.

    Parameters
    ----------
    p, q : array_like, shape (..., K)
        Probabilities. The shapes broadcast, so that many distributions can be compared with one.
    axis : int or tuple of ints
        The axis, or the axes together, that hold the K classes, counted in the broadcast shape.

    Returns
    -------
    ndarray or scalar, the broadcast shape without `axis`
        At least 0; infinite where `q` excludes a class that `p` does not. The type is the wider one of `p`
        and `q`; float16 is computed in float32.

    Raises
    ------
    TypeError
        If `p` or `q` is not real, or `axis` is not an int or a tuple of ints.
    ValueError
        If an entry is negative, a slice does not sum to 1, the shapes do not broadcast, or `axis` is out of
        range.

    Notes
    -----
    .. math:: D(p \| q) = \sum_i p_i (\log p_i - \log q_i), \qquad 0 \log 0 = 0

    as in [1]_; not symmetric. The allowance for sums and the meaning of NaN are those of `entropy`. The
    logarithms are subtracted, because :math:`p_i / q_i` can overflow. No divergence of two distributions is
    negative, but its terms have both signs and cancel when `p` is close to `q`; what rounding leaves below
    0 is returned as 0. So the absolute error is a few units of the float type's precision, and smaller
    divergences are not resolved.

    References
    ----------
    .. [1] Kullback & Leibler, On information and sufficiency, doi:10.1214/aoms/1177729694.

    Examples
    --------
    >>> float(kl_divergence([0.5, 0.5], [0.75, 0.25]))
    0.14384103622589045
    >>> float(kl_divergence([1.0, 0.0], [0.0, 1.0]))
    inf

    A ratio of probabilities that no float can hold:

    >>> float(kl_divergence([1.0, 0.0], [5e-324, 1.0]))
    744.4400719213812
    """
    p, q = float_array("p", p), float_array("q", q)
    result_type = np.promote_types(p.dtype, q.dtype)
    try:
        p, q = np.broadcast_arrays(p, q)
    except ValueError as error:
        raise ValueError(f"p and q have the shapes {p.shape} and {q.shape}, expected shapes that broadcast") from error
    axes = axis_tuple(axis, p.ndim)
    _check_distribution("p", p, axes)
    _check_distribution("q", q, axes)
    p, q = _at_least_float32(p), _at_least_float32(q)
    terms = p * (np.log(p) - np.log(q))
    terms[p == 0] = 0
    return np.maximum(terms.sum(axis=axes), 0).astype(result_type)


def _check_distribution(name, p, axes):
    """Refuse negative entries, and slices along `axes` that do not sum to 1; NaN passes."""
    if (p < 0).any():
        raise ValueError(f"{name} holds {p[p < 0][0]!s}, expected no negative entries")
    total = _at_least_float32(p).sum(axis=axes, keepdims=True)
    wrong = np.abs(total - 1) > math.sqrt(np.finfo(p.dtype).eps)
    if wrong.any():
        raise ValueError(f"{name} sums to {total[wrong][0]!s} along axis, expected 1")


def one_hot(labels: ArrayLike, num_classes: int) -> np.ndarray:
    r"""Distributions that give all probability to the labelled class.

    Parameters
    ----------
    labels : array_like of ints, shape (...)
        Classes, from 0 to `num_classes` - 1.
    num_classes : int
        The number K of classes, at least 1.

    Returns
    -------
    ndarray of float64, shape (..., K)
        1 at each label, 0 elsewhere.

    Raises
    ------
    TypeError
        If `labels` holds no integers, or `num_classes` is not an int.
    ValueError
        If a label is out of range (the first one is named), or `num_classes` is below 1.

    Notes
    -----
    .. math:: y_i = [\, i = \mathrm{label} \,]

    as a comparison of each label with 0, ..., K - 1. Taking rows of the identity matrix gives the same, but
    that matrix has :math:`K^2` entries: 20 GB for a vocabulary of 50,000.

    Examples
    --------
    >>> one_hot([2, 0], 3)
    array([[0., 0., 1.],
           [1., 0., 0.]])
    >>> one_hot(50_256, 50_257).nonzero()
    (array([50256]),)
    """
    labels = integer_array("labels", labels)
    num_classes = positive_integer("num_classes", num_classes)
    wrong = (labels < 0) | (labels >= num_classes)
    if wrong.any():
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise ValueError(f"labels holds {labels[place]} at index {place}, expected 0 to {num_classes - 1}")
    return (labels[..., None] == np.arange(num_classes)).astype(np.float64)
