"""How do scores become probabilities, and how far apart are two distributions?

All functions that exponentiate scores subtract the largest of them first. In exact arithmetic that changes nothing; in
floating point, no exponential can then overflow.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from lossprimer._arguments import (
    AXES,
    CLASSES,
    POSITIVE,
    SCORES,
    Axis,
    at_least_float32,
    boolean,
    float_array,
    integer_array,
    number,
    positive_integer,
    quietly,
)


@quietly
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
        If the entries of `z` are complex numbers, long doubles, strings or objects, or `temperature` or `axis` has the
        wrong type.
    ValueError
        If `temperature` or `axis` is out of range, or `z` has no entries along `axis`.

    Notes
    -----
    With the maximum along `axis`, as in [1]_, and the temperature :math:`T`, as in [2]_,

    .. math:: p_i = \frac{e^{(z_i - \max z)/T}}{\sum_j e^{(z_j - \max z)/T}}

    The factor :math:`e^{-\max z/T}` cancels. It keeps every exponent at or below 0, where ``exp`` cannot
    overflow, and the sum at or above 1, so that nothing is divided by 0. The shift comes before the
    division, because :math:`\max z/T` could overflow where the difference is harmless. The temperature, too, is
    converted to the float type of `z`: one that this type rounds to 0 gives nan, and one that it rounds to
    infinity the uniform distribution. float16 is computed in float32 and rounded once. The relative error of
    an entry is the absolute one of its exponent, up to :math:`|z_i - \max z|/T` units in the last place, and the
    relative one of the sum: a few units along the last axis, where NumPy adds pairwise; along other axes it
    grows with K.

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
    z = float_array("z", z, SCORES, axis=axis, temperature=temperature)
    gap = below_largest(z, axis)
    exponentials = np.exp(gap if temperature == 1 else gap / float(temperature), out=gap)
    return np.divide(exponentials, exponentials.sum(axis, keepdims=True), out=exponentials).astype(z.dtype, copy=False)


@quietly
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
    dy, p = float_array("dy", dy), float_array("p", p, AXES, axis=axis)
    if dy.shape != p.shape:
        raise ValueError(f"dy has the shape {dy.shape}, expected that of p, {p.shape}")
    temperature = number("temperature", temperature, POSITIVE)
    result_type = np.promote_types(dy.dtype, p.dtype)
    dy, p = at_least_float32(dy), at_least_float32(p)
    dz = p * (dy - (dy * p).sum(axis=axis, keepdims=True))
    return (dz / temperature).astype(result_type, copy=False)


@quietly
def log_softmax(z: ArrayLike, *, temperature: float = 1.0, axis: Axis = -1) -> np.ndarray:
    r"""Logarithms of the probabilities, finite wherever the gap to the largest score is.

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
    With the gap :math:`g_i = (z_i - \max z)/T` between a score and the largest one,

    .. math:: \log p_i = g_i - \log \sum_j e^{g_j}

    ``log(softmax(z))`` takes the logarithm of a number that may have underflowed to 0; here nothing is lost,
    because where that happens the gap itself is nearly the whole result. Both parts are at or below 0, so no
    digits cancel. The largest score's own term of the sum is exactly 1; the others are summed without it and
    ``log1p`` adds it [1]_, which keeps the loss of a confident and right answer from rounding to 0. Infinite
    scores and NaN follow `softmax`. A score that lies further below the largest than the float type can
    represent gives -inf.

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
    z = float_array("z", z, SCORES, axis=axis, temperature=temperature)
    gap = below_largest(z, axis)
    gap = gap if temperature == 1 else gap / float(temperature)
    return (gap - log_sum_exp(gap, axis)).astype(z.dtype, copy=False)


@quietly
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
        If `z` is not real, `axis` is not an int or a tuple of ints, or `keepdims` not a bool.
    ValueError
        If `axis` is out of range or names an axis twice.

    Notes
    -----
    With the place :math:`k` of the largest score [1]_,

    .. math:: \log \sum_j e^{z_j} = z_k + \log\Bigl(1 + \sum_{j \ne k} e^{z_j - z_k}\Bigr)

    The absolute error is a few units in the last place of :math:`|z_k|`; where :math:`z_k` is near 0 the other
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
    z = float_array("z", z, AXES, axis=axis)
    m = total = z.max(axis=axis, keepdims=True, initial=-np.inf)  # of no entries, -inf
    if z.size:
        total = np.where(np.isinf(m), m, m + log_sum_exp(below_largest(z, axis), axis)).astype(z.dtype)
    return total if boolean("keepdims", keepdims) else total.squeeze(axis)[()]


def below_largest(z: np.ndarray, axis: Axis) -> np.ndarray:
    """The gaps between the scores and the largest of their slice, in float32 at least; none is above 0."""
    m = z.max(axis, keepdims=True).astype(np.promote_types(z.dtype, np.float32), copy=False)
    if not np.count_nonzero(np.isinf(m)):
        return z - m
    # The gap between a single +inf and itself is taken as 0, the limit, and not as inf - inf.
    return np.where((z == np.inf) & ((z == np.inf).sum(axis=axis, keepdims=True) == 1), 0, z - m)


def log_sum_exp(gap: np.ndarray, axis: Axis) -> np.ndarray:
    """Logarithm of the sum of exponentials, the largest of which is 1; the axes summed over stay."""
    exponentials = np.exp(gap)
    total = exponentials.sum(axis=axis, keepdims=True)
    if not np.count_nonzero(total < 1.5):
        return np.log(total)
    # Below 1.5 there is a single 1, and log1p keeps the digits of the others, which 1 + others would round away.
    return np.where(total < 1.5, np.log1p(exponentials.sum(axis, keepdims=True, where=exponentials < 1)), np.log(total))


@quietly
def entropy(p: ArrayLike, *, axis: Axis = -1) -> np.ndarray | np.floating:
    r"""Entropy of a distribution, in nats: its average surprise.

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
    p = float_array("p", p, AXES, axis=axis)
    _check_distribution("p", p, axis)
    result_type, p = p.dtype, at_least_float32(p)
    terms = np.where(p == 0, 0, p * np.log(p))
    return np.maximum(0 - terms.sum(axis=axis), 0).astype(result_type)


@quietly
def kl_divergence(p: ArrayLike, q: ArrayLike, *, axis: Axis = -1) -> np.ndarray | np.floating:
    r"""Kullback-Leibler divergence of `p` from `q`, in nats: the average extra loss of expecting `q` where `p` is true.

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
    p = float_array("p", p, AXES, axis=axis)
    _check_distribution("p", p, axis)
    _check_distribution("q", q, axis)
    p, q = at_least_float32(p), at_least_float32(q)
    terms = np.where(p == 0, 0, p * (np.log(p) - np.log(q)))
    return np.maximum(terms.sum(axis=axis), 0).astype(result_type)


def _check_distribution(name, p, axis):
    """Refuse negative entries, and slices along `axis` that do not sum to 1; NaN passes."""
    if (p < 0).any():
        raise ValueError(f"{name} holds {p[p < 0][0]!s}, expected no negative entries")
    total = at_least_float32(p).sum(axis=axis, keepdims=True)
    wrong = np.abs(total - 1) > math.sqrt(np.finfo(p.dtype).eps)
    if wrong.any():
        raise ValueError(f"{name} sums to {total[wrong][0]!s} along axis, expected 1")


def one_hot(labels: ArrayLike, num_classes: int) -> np.ndarray:
    r"""One-hot vectors: 1 at the labelled class, 0 elsewhere.

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
    num_classes = positive_integer("num_classes", num_classes)
    labels = integer_array("labels", labels, CLASSES, num_classes=num_classes)
    return (labels[..., None] == np.arange(num_classes)).astype(np.float64)
