"""Which data do the experiments run on? Handwritten digits that ship with scikit-learn: nothing is downloaded."""

from typing import NamedTuple

import numpy as np


class Split(NamedTuple):
    """Images and labels, for training and for testing."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def digits(rng: np.random.Generator, *, train: int = 1000) -> Split:
    """Return scikit-learn's 1,797 images of handwritten digits, shuffled and split.

    Parameters
    ----------
    rng : numpy.random.Generator
        Decides the order, and so which images are for training.
    train : int
        How many images are for training, 1 to 1,796; the others are for testing.

    Returns
    -------
    Split
        Images of shape (n, 64) in float64 with values 0 to 1, and labels of shape (n,), integers 0 to 9.

    Raises
    ------
    TypeError
        If `rng` is not a Generator or `train` not an integer.
    ValueError
        If `train` leaves nothing to train on or to test on.

    Notes
    -----
    The images are 8 × 8 pixels, counted from 32 × 32 bitmaps [1]_.

    References
    ----------
    .. [1] Alpaydin & Kaynak, Optical Recognition of Handwritten Digits, doi:10.24432/C50P49.

    Examples
    --------
    >>> split = digits(np.random.default_rng(0), train=1000)
    >>> split.train_images.shape, split.test_images.shape
    ((1000, 64), (797, 64))
    """
    from sklearn.datasets import load_digits  # half a second that only the experiments need

    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng is {rng!r}, expected a numpy.random.Generator, as from numpy.random.default_rng(0)")
    if isinstance(train, bool) or not isinstance(train, int | np.integer):
        raise TypeError(f"train is {train!r}, expected an integer")
    images, labels = load_digits(return_X_y=True)
    if not 1 <= train < len(labels):
        raise ValueError(f"train is {train}, expected 1 to {len(labels) - 1}")
    order = rng.permutation(len(labels))
    images, labels = images[order] / 16, labels[order]
    return Split(images[:train], labels[:train], images[train:], labels[train:])
