"""How wrong is a prediction? The loss is the negative logarithm of the probability that it gives to the truth."""

import math

import numpy as np
from numpy.typing import ArrayLike

from lossprimer import _fused
from lossprimer._arguments import (
    AXES,
    FLOATS,
    SHARE,
    check,
    first_of_no_class,
    float_array,
    is_integer,
    is_integers,
    no_class,
    none_is_usual,
    quietly,
)
from lossprimer.probability import below_largest, log_sum_exp


@quietly
def cross_entropy(
    logits: ArrayLike, target: ArrayLike, *, axis: int = -1, weight: ArrayLike | None = None,
    ignore_index: int | None = None, label_smoothing: float = 0.0, reduction: str = "mean",
) -> np.ndarray | np.floating:  # fmt: skip
    r"""Cross-entropy loss, in nats, of predictions that are given as scores.

    Parameters
    ----------
    logits : array_like, shape (..., K)
        Scores, not probabilities. float16, float32 and float64 keep their type; integers become float64.
    target : array_like of ints, shape (...), or of probabilities, shape (..., K)
        The true class of each example, from 0 to K - 1; or how much of each class is true: finite, not negative, and
        usually but not necessarily 1 in sum. The shape decides which.
    axis : int
        The axis of `logits` that holds the K classes. Classes in `target` have its shape without this axis.
    weight : array_like, shape (K,), optional
        How much each true class counts; finite, not negative.
    ignore_index : int, optional
        A value in `target` that marks examples which do not count, whatever their logits are. Only with classes.
    label_smoothing : float
        The share, from 0 to 1, of the target that is spread evenly over all classes.
    reduction : {"mean", "sum", "none"}
        How the losses of the examples are combined. For "mean", their sum is divided by the sum of the weights of the
        true classes that are not ignored (1 each without `weight`); with probabilities, by the number of examples.

    Returns
    -------
    scalar, or ndarray of the shape of `logits` without `axis` for "none"
        At least 0, of the type of `logits`.

    Raises
    ------
    TypeError
        If `logits`, `target` or `weight` has the wrong type, or an option has.
    ValueError
        If a shape does not fit, a class, probability, weight or option is out of range, or `ignore_index` is given
        with probabilities.

    Notes
    -----
    With the target :math:`y` (1 at the true class, 0 elsewhere, or the given probabilities), the smoothing
    :math:`\alpha` [1]_ and the weights :math:`w`, the loss of one example is

    .. math:: L = -\sum_k q_k \log p_k, \qquad q_k = w_k \Bigl((1 - \alpha)\, y_k + \frac{\alpha}{K}\Bigr)

    which is :math:`-\log p_c` for a true class c without options. The logarithms are taken from the logits z,

    .. math:: \log p_k = (z_k - m) - \log \sum_j e^{z_j - m}, \qquad m = \max z

    never from the softmax, whose logarithm is -inf as soon as a probability underflows. So the loss is finite for
    finite logits (unless their gap is wider than the float type), and that of a confident and right answer does not
    round to 0. It is infinite where the truth is masked (a logit of -inf) and nan where the logits are not scores
    (NaN, or nothing but -inf). A class with :math:`q_k = 0` adds 0 even if it is masked. float16 is computed in float32
    and rounded once.

    Conventions, the mean's divisor included, are those of PyTorch's ``cross_entropy`` [2]_, but nothing is ignored
    unless asked (there -100 is), and given probabilities, that function returns nan for 0 times -inf. A mean over no
    examples that count is nan, as there.

    References
    ----------
    .. [1] Szegedy et al., Rethinking the Inception architecture for computer vision, arXiv:1512.00567.
    .. [2] https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html

    Examples
    --------
    >>> cross_entropy([[2.0, 1.0, 0.5]], [0]).round(3)
    np.float64(0.464)
    >>> logits = [[2.0, 1.0, 0.5], [0.0, 0.0, 0.0]]
    >>> target = [[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]]
    >>> cross_entropy(logits, target, reduction="none")
    array([0.96436878, 1.09861229])

    A wrong prediction whose loss would be infinite through a softmax, and a right one whose loss would be 0:

    >>> logits = [[1000.0, 0.0], [50.0, 0.0]]
    >>> cross_entropy(logits, [1, 0], reduction="none")
    array([1.00000000e+03, 1.92874985e-22])
    """
    z, q, divisor = _scores_and_target(logits, target, axis, weight, ignore_index, label_smoothing, reduction)
    log_p = below_largest(z, -1)
    log_p -= log_sum_exp(log_p, -1)
    losses = 0 - np.multiply(q, log_p, where=q > 0, out=q).sum(axis=-1)  # 0 where q is, even at -inf
    return (losses if reduction == "none" else losses.sum() / divisor).astype(z.dtype)[()]


@quietly
def cross_entropy_grad(
    logits: ArrayLike, target: ArrayLike, *, axis: int = -1, weight: ArrayLike | None = None,
    ignore_index: int | None = None, label_smoothing: float = 0.0, reduction: str = "mean",
) -> np.ndarray:  # fmt: skip
    r"""Gradient of the cross-entropy with respect to the scores.

    Parameters
    ----------
    logits, target, axis, weight, ignore_index, label_smoothing
        As for `cross_entropy`.
    reduction : {"mean", "sum"}
        As for `cross_entropy`; "none" is refused, because separate losses have no single gradient.

    Returns
    -------
    ndarray, shape of `logits`
        Of the type of `logits`. Its sum along `axis` is 0 up to rounding.

    Raises
    ------
    TypeError, ValueError
        As for `cross_entropy`; ValueError also if `reduction` is "none".

    Notes
    -----
    The derivative :math:`1/p` of the logarithm cancels the factor :math:`p` in that of the softmax, which leaves

    .. math:: \frac{\partial L}{\partial z_k} = p_k \sum_j q_j - q_k

    with the :math:`q` of `cross_entropy`; "mean" divides as it does there. Where the target sums to 1 and no option
    changes it, this is :math:`p - y`, prediction minus truth, and no entry is larger than 1, however wrong the
    prediction. Its error is a few units of the float type's precision; less than that is not resolved. Where the loss
    is infinite, the gradient is still its limit. Examples that are ignored get 0.

    Examples
    --------
    >>> cross_entropy_grad([[2.0, 1.0, 0.5]], [0]).round(3)
    array([[-0.371,  0.231,  0.14 ]])

    Confident predictions, one wrong and one right. Computed through 1/p, the gradient of the first would be nan:

    >>> logits = [[1e30, 0.0], [1e30, 0.0]]
    >>> cross_entropy_grad(logits, [1, 0], reduction="sum")
    array([[ 1., -1.],
           [ 0.,  0.]])
    """
    check("reduction", reduction, _TO_ONE_LOSS)
    z, q, divisor = _scores_and_target(logits, target, axis, weight, ignore_index, label_smoothing, reduction)
    total = q.sum(axis=-1, keepdims=True)
    p = np.exp(below_largest(np.where(total > 0, z, 0), -1))  # what does not count may be nan
    p /= p.sum(axis=-1, keepdims=True)
    dz = (p * total - q) / (divisor or 1)  # all are 0 where the divisor is
    return np.moveaxis(dz, -1, axis).astype(z.dtype, copy=False)


@quietly
def cross_entropy_and_grad(
    logits: ArrayLike, target: ArrayLike, *, axis: int = -1, weight: ArrayLike | None = None,
    ignore_index: int | None = None, label_smoothing: float = 0.0, reduction: str = "mean",
) -> tuple[np.floating, np.ndarray]:  # fmt: skip
    """Cross-entropy and its gradient at once; for true classes without weights or smoothing, in a single pass.

    Parameters
    ----------
    logits, target, axis, weight, ignore_index, label_smoothing, reduction
        As for `cross_entropy_grad`.

    Returns
    -------
    loss : scalar
        What `cross_entropy` returns.
    dz : ndarray, shape of `logits`
        What `cross_entropy_grad` returns.

    Raises
    ------
    TypeError, ValueError
        As for `cross_entropy_grad`.

    Examples
    --------
    >>> cross_entropy_and_grad([[1000.0, 0.0]], [1])
    (np.float64(1000.0), array([[ 1., -1.]]))
    """
    fused = _fused.loss_and_gradient(logits, target, axis, weight, ignore_index, label_smoothing, reduction)
    if fused is not None:
        return fused
    options = {"axis": axis, "weight": weight, "ignore_index": ignore_index, "label_smoothing": label_smoothing}
    loss = cross_entropy(logits, target, reduction=reduction, **options)
    return loss, cross_entropy_grad(logits, target, reduction=reduction, **options)


def _scores_and_target(logits, target, axis, weight, ignore_index, label_smoothing, reduction):
    """Scores z and weighted target q, the classes last, and the divisor. Where nothing counts, q is 0."""
    z = np.moveaxis(float_array("logits", logits, _LOGITS, axis=axis), axis, -1)
    y = float_array("target", target, _TARGET, z=z, shape=np.shape(logits), ignore_index=ignore_index)
    w = np.ones(z.shape[-1]) if weight is None else float_array("weight", weight, _WEIGHT, num_classes=z.shape[-1])
    check("label_smoothing", label_smoothing, SHARE)
    check("reduction", reduction, _REDUCTION)
    classes = y.shape == z.shape[:-1]
    counts = (y != ignore_index)[..., None] if classes else True
    y = (y[..., None] == np.arange(len(w))) & counts if classes else np.moveaxis(y, axis, -1)
    w, y = (array.astype(np.promote_types(z.dtype, np.float32), copy=False) for array in (w, y))
    divisor = (w * y).sum() if classes else math.prod(z.shape[:-1])
    q = w * ((1 - float(label_smoothing)) * y + float(label_smoothing) / len(w)) * counts
    return z, q, divisor if reduction == "mean" else 1


# Rules for the arguments, as `lossprimer._arguments.check` takes them.


def _no_amounts(values):
    """The entries that are negative, infinite or NaN."""
    return values[~((values >= 0) & (values < np.inf))].astype(np.float64)


_LOGITS = (
    none_is_usual,
    (lambda z, axis: not isinstance(axis, tuple), TypeError, "axis is {axis!r}, expected an int".format),
    *AXES[1:],
    (
        lambda z, axis: z.shape[axis] > 0,
        ValueError,
        lambda z, name, axis: f"{name} has the shape {z.shape}, expected at least one class along axis {axis % z.ndim}",
    ),
)
_TARGET = (
    none_is_usual,
    *FLOATS[1:],
    (
        lambda y, ignore_index, **_: ignore_index is None or is_integer(ignore_index),
        TypeError,
        "ignore_index is {ignore_index!r}, expected None or an int".format,
    ),
    (
        lambda y, z, shape, **_: y.shape in (z.shape[:-1], shape),
        ValueError,
        lambda y, name, z, shape, **_: (
            f"{name} has the shape {y.shape}, expected {z.shape[:-1]} of classes or {shape} of probabilities"
        ),
    ),
    (
        lambda y, shape, ignore_index, **_: y.shape != shape or ignore_index is None,
        ValueError,
        "ignore_index is {ignore_index!r}, expected None where the target holds probabilities".format,
    ),
    (
        lambda y, shape, **_: y.shape != shape or not _no_amounts(y).size,
        ValueError,
        lambda y, name, **_: f"{name} holds {_no_amounts(y)[0]!s}, expected finite probabilities that are not negative",
    ),
    (
        lambda y, shape, **_: y.shape == shape or is_integers(y),
        TypeError,
        "{name} holds {0.dtype}, expected integers".format,
    ),
    (
        lambda y, z, shape, ignore_index: y.shape == shape or not no_class(y, z.shape[-1], ignore_index).any(),
        ValueError,
        lambda y, name, z, ignore_index, **_: first_of_no_class(y, name, z.shape[-1], ignore_index),
    ),
)
_WEIGHT = (
    none_is_usual,
    *FLOATS[1:],
    (
        lambda w, num_classes: w.shape == (num_classes,),
        ValueError,
        "{name} has the shape {0.shape}, expected ({num_classes},), one for each class".format,
    ),
    (
        lambda w, **_: not _no_amounts(w).size,
        ValueError,
        lambda w, name, **_: f"{name} holds {_no_amounts(w)[0]!s}, expected finite numbers that are not negative",
    ),
)


def _one_of(*choices):
    """Rules for a string that is one of the choices."""
    return (
        lambda value: isinstance(value, str) and value in choices,
        (lambda value: isinstance(value, str), TypeError, "{name} is {0!r}, expected a string".format),
        (
            lambda value: value in choices,
            ValueError,
            ("{name} is {0!r}, expected one of " + ", ".join(map(repr, choices))).format,
        ),
    )


_REDUCTION = _one_of("mean", "sum", "none")
_TO_ONE_LOSS = _one_of("mean", "sum")
