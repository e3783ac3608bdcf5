"""The cross-entropy of true classes and its gradient at once: the loop that nearly all training spends its time in.

It computes what `losses` has in the textbook's form, but each exponential once and in place, and the target as an index
instead of a row of zeros with a 1.
"""

import math

import numpy as np


def loss_and_gradient(
    z, labels, axis=-1, weight=None, ignore_index=None, label_smoothing=0.0, reduction="mean"
) -> tuple[np.floating, np.ndarray] | None:
    """Loss and gradient, of the type of `z`; or None for what is not a finite loss of true classes without options.

    Covered are arrays `z` of float32 or float64, shape (..., K), with `labels` of shape (...), also with an
    `ignore_index`.
    """
    if not (
        isinstance(z, np.ndarray)
        and isinstance(labels, np.ndarray)
        and z.dtype.char in "fd"
        and labels.dtype.kind in "iu"
        and 0 < labels.ndim == z.ndim - 1
        and labels.shape == z.shape[:-1]
        and z.size > 0
        and type(axis) is int
        and axis in (-1, z.ndim - 1)
        and weight is None
        and (ignore_index is None or type(ignore_index) is int)
        and type(label_smoothing) is float
        and label_smoothing == 0
        and reduction in ("mean", "sum")
    ):
        return None
    num_classes, labels = z.shape[-1], labels.ravel()
    if ignore_index is None:
        count = len(labels)
    else:
        ignored = labels == ignore_index
        labels, count = np.where(ignored, 0, labels), len(labels) - np.count_nonzero(ignored)
    if np.count_nonzero(labels.astype(np.uintp) >= num_classes):  # a negative one wraps around to a huge one
        return None
    rows = np.ascontiguousarray(z).reshape(-1, num_classes)
    starts = np.arange(0, rows.size, num_classes)  # where each row starts in the flat array
    top, truth = starts + rows.argmax(axis=1), starts + labels
    e = rows - rows.ravel()[top][:, None]
    flat = e.ravel()
    gap = flat[truth]
    np.exp(e, out=e)
    flat[top] = 0  # was 1, which log1p adds: in 1 + others the digits of small others would be lost
    others = e.sum(axis=1)
    losses = np.log1p(others) - gap
    if ignore_index is not None:
        losses[ignored] = 0
    divisor = z.dtype.type(count if reduction == "mean" else 1)
    loss = losses.sum() / divisor
    if not math.isfinite(loss):
        return None
    flat[top] = 1
    share = 1.0 / divisor  # of an example in the loss
    e *= (share / (others + 1.0))[:, None]
    flat[truth] -= share
    if ignore_index is not None:
        e[ignored] = 0
    return loss, e.reshape(z.shape)
