"""How wrong is a prediction? By the surprise at the truth: the negative logarithm of the probability it was given."""

import numpy as np
from numpy.typing import ArrayLike

from lossprimer._arguments import any_array, axis_tuple, float_array, integer_array
from lossprimer.probability import _gaps

# Infinite losses, and 0/0 where no example counts, are part of the definitions below, not accidents to warn about.
_quietly = np.errstate(all="ignore")


@_quietly
def cross_entropy(
    logits: ArrayLike,
    target: ArrayLike,
    *,
    axis: int = -1,
    weight: ArrayLike | None = None,
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
) -> np.ndarray | np.floating:
    r"""Nats of surprise at the truth, for a prediction given as scores.

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
        What each true class counts; finite, not negative.
    ignore_index : int, optional
        A value in `target` that marks examples which do not count, whatever their logits are. Only with classes.
    label_smoothing : float
        The share, from 0 to 1, of the target that is spread evenly over all classes.
    reduction : {"mean", "sum", "none"}
        What becomes of the losses of the examples. Divided by the weights of the true classes that are not ignored
        (1 each without `weight`), their sum gives "mean"; with probabilities it is divided by the number of examples.

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

    .. math:: \log p_k = (z_k - m) - \log \sum_j e^{z_j - m}, \qquad m = \max_j z_j

    never from the softmax, whose logarithm is -inf as soon as a probability underflows. So the loss is finite for
    finite logits (unless their gap is wider than the float type), and that of a confident and right answer does not
    round to 0. It is infinite where the truth is masked (a logit of -inf) and nan where the logits are no scores (NaN,
    or nothing but -inf). A class with :math:`q_k = 0` adds 0 even if it is masked. float16 is computed in float32 and
    rounded once.

    Conventions, the mean's divisor included, are those of PyTorch's ``cross_entropy`` [2]_, but nothing is ignored
    unless asked (there -100 is), and with probabilities that function makes 0 times -inf nan. A mean over no examples
    that count is nan, as there.

    References
    ----------
    .. [1] Szegedy et al., Rethinking the Inception architecture for computer vision, arXiv:1512.00567.
    .. [2] https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html

    Examples
    --------
    >>> cross_entropy([[2.0, 1.0, 0.5]], [0]).round(3)
    np.float64(0.464)
    >>> cross_entropy([[2.0, 1.0, 0.5], [0.0, 0.0, 0.0]], [[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]], reduction="none")
    array([0.96436878, 1.09861229])

    A mistake that a softmax in between would make infinite, and a confident right answer that it would make 0:

    >>> cross_entropy([[1000.0, 0.0], [50.0, 0.0]], [1, 0], reduction="none")
    array([1.00000000e+03, 1.92874985e-22])
    """
    _check_reduction(reduction, "mean", "sum", "none")
    loss, _ = _forward(logits, target, axis, weight, ignore_index, label_smoothing, reduction)
    return loss


@_quietly
def cross_entropy_grad(
    logits: ArrayLike,
    target: ArrayLike,
    *,
    axis: int = -1,
    weight: ArrayLike | None = None,
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
) -> np.ndarray:
    r"""Gradient of the cross-entropy with respect to the scores.

    Parameters
    ----------
    logits, target, axis, weight, ignore_index, label_smoothing
        As for `cross_entropy`.
    reduction : {"mean", "sum"}
        As for `cross_entropy`; losses that stay apart ("none") have no single gradient.

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
    The derivative :math:`1/p` of the logarithm meets the factor :math:`p` of the softmax's, and what is left is

    .. math:: \frac{\partial L}{\partial z_k} = p_k \sum_j q_j - q_k

    with the :math:`q` of `cross_entropy`; "mean" divides as it does there. Where the target sums to 1 and no option
    changes it, this is :math:`p - y`: prediction less truth, and no entry is larger than 1, however wrong the
    prediction. Its error is a few units of the float type's precision; less than that is not resolved. Where the loss
    is infinite, the gradient is still its limit. Examples that are ignored get 0.

    Examples
    --------
    >>> cross_entropy_grad([[2.0, 1.0, 0.5]], [0]).round(3)
    array([[-0.371,  0.231,  0.14 ]])

    Sure predictions, one wrong and one right. Through 1/p, the gradient of the first would be nan:

    >>> cross_entropy_grad([[1e30, 0.0], [1e30, 0.0]], [1, 0], reduction="sum")
    array([[ 1., -1.],
           [ 0.,  0.]])
    """
    _check_reduction(reduction, "mean", "sum")
    _, backward = _forward(logits, target, axis, weight, ignore_index, label_smoothing, reduction)
    return backward()


@_quietly
def cross_entropy_and_grad(
    logits: ArrayLike,
    target: ArrayLike,
    *,
    axis: int = -1,
    weight: ArrayLike | None = None,
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
) -> tuple[np.floating, np.ndarray]:
    """Cross-entropy and its gradient, in the time of one of them: the exponentials are computed once.

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
    _check_reduction(reduction, "mean", "sum")
    loss, backward = _forward(logits, target, axis, weight, ignore_index, label_smoothing, reduction)
    return loss, backward()


def _forward(logits, target, axis, weight, ignore_index, label_smoothing, reduction):
    """The loss, and a function that returns the gradient (once: it overwrites what it starts from)."""
    logits = float_array("logits", logits)
    axis = _class_axis(axis, logits)
    labels, y, ignored = _target(target, logits.shape, axis, ignore_index)
    # log p = gaps - log_sum. No gap is above 0 and log_sum is not below it, so that no digits cancel.
    gaps, starts, largest = _gaps_of_rows(logits, axis)  # (N, K), (N,), (N,)
    weights, smoothing = 1.0 if weight is None else _weights(weight, gaps), _smoothing(label_smoothing)
    q_truth, q_all = (1 - smoothing) * weights, smoothing / gaps.shape[1] * weights
    if y is None:
        truth = starts + labels
        q = q_truth if weight is None else q_truth[labels]
        total, gap = q, _product(q, gaps.ravel()[truth])
    else:
        shares = _rows_of_shares(y, q_truth, gaps.dtype)
        total, gap = shares.sum(axis=1), _product(shares, gaps, out=shares).sum(axis=1)
        del shares  # two arrays of the size of the logits are enough at any time
    if smoothing:
        total, gap = total + smoothing * np.mean(weights), gap + _product(q_all, gaps).sum(axis=1)
    e = np.exp(gaps, out=gaps)
    flat = e.ravel()
    e_top = flat[largest]  # 1: log1p adds it to the sum of the others, where 1 + others would round them away
    flat[largest] = 0
    others = e.sum(axis=1)
    losses = total * np.log1p(others) - gap
    if ignored is not None:
        losses[ignored] = 0
    divisor = e.dtype.type(_divisor(labels, ignored, weights, len(e)) if reduction == "mean" else 1)
    loss = losses.reshape(_without(logits.shape, axis)) if reduction == "none" else losses.sum() / divisor

    def backward():
        flat[largest] = e_top
        dz = e
        dz *= (total / ((e_top + others) * divisor))[:, None]  # p times the sum of q
        if y is None:
            flat[truth] -= q / divisor
        else:
            dz -= _rows_of_shares(y, q_truth / divisor, dz.dtype)
        if smoothing:
            dz -= q_all / divisor
        if ignored is not None:
            dz[ignored] = 0
        return _unrows(dz, logits.shape, axis).astype(logits.dtype, copy=False)

    return loss.astype(logits.dtype)[()], backward


def _class_axis(axis, logits):
    """`axis` as one axis number from 0, along which `logits` has an entry."""
    if isinstance(axis, tuple):
        raise TypeError(f"axis is {axis!r}, expected an int")
    (axis,) = axis_tuple(axis, logits.ndim)
    if logits.shape[axis] == 0:
        raise ValueError(f"logits has the shape {logits.shape}, expected at least one class along axis {axis}")
    return axis


def _gaps_of_rows(logits, axis):
    """The slices of `logits` along `axis` as rows, each less its largest entry.

    Also returned is where, in the flat result, each row starts, and where its largest entry is.
    """
    z = np.ascontiguousarray(_classes_last(logits, axis), np.promote_types(logits.dtype, np.float32))
    z = z.reshape(-1, logits.shape[axis])
    starts = np.arange(0, z.size, z.shape[1])
    largest = starts + z.argmax(axis=1)
    return _gaps(z, z.ravel()[largest][:, None], (1,)), starts, largest


def _rows_of_shares(y, q_truth, dtype):
    """The probabilities `y`, their classes last, times `q_truth`, as rows of the given type."""
    return np.multiply(y, q_truth, order="C", dtype=dtype, casting="same_kind").reshape(-1, y.shape[-1])


def _classes_last(array, axis):
    """`array` with `axis` moved to the end."""
    return array if axis == array.ndim - 1 else np.moveaxis(array, axis, -1)


def _unrows(rows, shape, axis):
    """The array of the given shape whose slices along `axis` are the rows."""
    if axis == len(shape) - 1:
        return rows.reshape(shape)
    return np.moveaxis(rows.reshape(*_without(shape, axis), shape[axis]), -1, axis)


def _without(shape, axis):
    """The shape that is left when an axis is taken away."""
    return shape[:axis] + shape[axis + 1 :]


def _target(target, shape, axis, ignore_index):
    """Either the true classes, one for each row, or probabilities, classes last; and the rows to ignore, None if none.

    `shape` and `axis` are those of the logits. An ignored row gets class 0, which exists.
    """
    num_classes, shape_of_labels = shape[axis], _without(shape, axis)
    if ignore_index is not None and (isinstance(ignore_index, bool) or not isinstance(ignore_index, (int, np.integer))):
        raise TypeError(f"ignore_index is {ignore_index!r}, expected None or an int")
    y = any_array("target", target)
    if y.dtype.kind not in "iu":
        y = float_array("target", y)
    if y.shape == shape:
        if ignore_index is not None:
            raise ValueError(f"ignore_index is {ignore_index!r}, expected None where the target holds probabilities")
        possible = (y >= 0) & (y < np.inf)
        if not possible.all():
            raise ValueError(f"target holds {y[~possible][0]!s}, expected finite probabilities that are not negative")
        return None, _classes_last(y, axis), None
    if y.shape != shape_of_labels:
        raise ValueError(
            f"target has the shape {y.shape}, expected {shape_of_labels} of classes or {shape} of probabilities"
        )
    labels = integer_array("target", target)
    wrong = labels.astype(np.uintp) >= num_classes  # a negative one wraps around to a huge one
    ignored = None
    if ignore_index is not None:
        ignored = labels == ignore_index
        wrong &= ~ignored
    if np.count_nonzero(wrong):
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        also = "" if ignore_index is None else f", or {ignore_index} to be ignored"
        raise ValueError(f"target holds {labels[place]} at index {place}, expected 0 to {num_classes - 1}{also}")
    if ignored is None:
        return labels.ravel(), None, None
    return np.where(ignored, 0, labels).ravel(), None, ignored.ravel()


def _weights(weight, rows):
    """`weight` in the type of the rows, one for each of their classes."""
    weights = float_array("weight", weight).astype(rows.dtype, copy=False)
    if weights.shape != rows.shape[1:]:
        raise ValueError(f"weight has the shape {weights.shape}, expected {rows.shape[1:]}, one for each class")
    possible = (weights >= 0) & (weights < np.inf)
    if not possible.all():
        raise ValueError(f"weight holds {weights[~possible][0]!s}, expected finite numbers that are not negative")
    return weights


def _smoothing(label_smoothing):
    """`label_smoothing` as a float from 0 to 1."""
    if isinstance(label_smoothing, bool) or not isinstance(label_smoothing, (int, float, np.integer, np.floating)):
        raise TypeError(f"label_smoothing is {label_smoothing!r}, expected a number")
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing is {label_smoothing!r}, expected a number from 0 to 1")
    return float(label_smoothing)


def _check_reduction(reduction, *choices):
    """Refuse a `reduction` that is not among the choices."""
    if not isinstance(reduction, str):
        raise TypeError(f"reduction is {reduction!r}, expected a string")
    if reduction not in choices:
        raise ValueError(f"reduction is {reduction!r}, expected one of {', '.join(map(repr, choices))}")


def _divisor(labels, ignored, weights, num_examples):
    """What the mean divides by: the weights of the true classes that are not ignored, or the number of examples."""
    if labels is None:
        return num_examples
    counted = labels if ignored is None else labels[~ignored]
    return len(counted) if isinstance(weights, float) else weights[counted].sum(dtype=np.float64)


def _product(q, gaps, out=None):
    """`q` times `gaps`; 0 where `q` is 0, even if the gap is infinite."""
    if isinstance(q, float) and q > 0:
        return gaps if q == 1 else q * gaps
    return np.multiply(q, gaps, out=np.zeros_like(gaps) if out is None else out, where=np.not_equal(q, 0))
