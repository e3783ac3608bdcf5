"""Which data do the experiments run on? Handwritten digits and sequences to copy; nothing is downloaded."""

import functools
from collections.abc import Iterator
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lossprimer._arguments import (
    CLASSES,
    INTEGER,
    SHARE,
    check,
    examples,
    integer_array,
    number,
    positive_integer,
    random_generator,
)


class Split(NamedTuple):
    """Images and labels, for training and for testing."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def collection() -> tuple[np.ndarray, np.ndarray]:
    """Return 1,797 images of handwritten digits and their labels.

    Returns
    -------
    images : ndarray of float64, shape (1797, 64)
        The ink of 8 × 8 pixels, row by row, from 0 to 1 in steps of 1/16.
    labels : ndarray of ints, shape (1797,)
        From 0 to 9.

    Notes
    -----
    They are those of scikit-learn's ``load_digits``, in its order: the test part of a larger collection, counted from
    bitmaps of 32 × 32 [1]_, which is licensed under CC BY 4.0. The package has a copy, ``digits.npz``, so that a page
    that runs Python need not fetch all of scikit-learn for one table.

    References
    ----------
    .. [1] Alpaydin & Kaynak, Optical Recognition of Handwritten Digits, doi:10.24432/C50P49.

    Examples
    --------
    >>> images, labels = collection()
    >>> images.shape, labels[:5].tolist()
    ((1797, 64), [0, 1, 2, 3, 4])
    """
    images, labels = _read()
    return images / 16, labels.astype(int)


@functools.cache
def _read():
    """Return the table: the ink of each pixel in sixteenths, and the labels, one byte each."""
    with files("lossprimer").joinpath("digits.npz").open("rb") as file, np.load(file) as table:
        return table["images"], table["labels"]


def digits(rng: np.random.Generator, *, train: int = 1000) -> Split:
    """Return the images of `collection`, shuffled and split.

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

    Examples
    --------
    >>> split = digits(np.random.default_rng(0), train=1000)
    >>> split.train_images.shape, split.test_images.shape
    ((1000, 64), (797, 64))
    """
    random_generator(rng)
    check("train", train, INTEGER)
    images, labels = collection()
    if not 1 <= train < len(labels):
        raise ValueError(f"train is {train}, expected 1 to {len(labels) - 1}")
    order = rng.permutation(len(labels))
    images, labels = images[order], labels[order]
    return Split(images[:train], labels[:train], images[train:], labels[train:])


def batches(
    images: ArrayLike, labels: ArrayLike, batch_size: int, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Batches of examples: all of them once, in random order.

    Parameters
    ----------
    images : array_like, shape (N, ...)
        Examples of any kind.
    labels : array_like, shape (N, ...)
        The label of each.
    batch_size : int
        Examples per batch, at least 1; the last batch has what is left.
    rng : numpy.random.Generator
        Draws the order, once, at the call.

    Returns
    -------
    iterator of (images, labels)

    Raises
    ------
    TypeError
        If `batch_size` is not an int or `rng` not a Generator.
    ValueError
        If `batch_size` is below 1, there is no example, `images` and `labels` differ in their number, or one of the
        two is not rectangular.

    Examples
    --------
    >>> images, labels = np.arange(5) / 10, np.arange(5)
    >>> rng = np.random.default_rng(0)
    >>> for some, theirs in batches(images, labels, 2, rng):
    ...     print(some, theirs)
    [0.2 0.4] [2 4]
    [0.3 0. ] [3 0]
    [0.1] [1]
    """
    images, labels = examples(images=images, labels=labels)
    size = positive_integer("batch_size", batch_size)
    order = random_generator(rng).permutation(len(images))
    places = (order[start : start + size] for start in range(0, len(order), size))
    return ((images[place], labels[place]) for place in places)


def flip_labels(labels: ArrayLike, fraction: float, num_classes: int, rng: np.random.Generator) -> np.ndarray:
    """Labels, some of which have been made wrong on purpose.

    Parameters
    ----------
    labels : array_like of ints, shape (...)
        Classes, from 0 to `num_classes` - 1. Not changed.
    fraction : float
        The share that is flipped, 0 to 1, rounded to a whole number of labels.
    num_classes : int
        At least 2. Each of the other classes is equally likely.
    rng : numpy.random.Generator
        Draws which labels are flipped, and to what.

    Returns
    -------
    ndarray of the shape and type of `labels`
        All flipped labels differ from what they were.

    Raises
    ------
    TypeError
        If `labels` holds no integers, or another argument has the wrong type.
    ValueError
        If a label, `fraction` or `num_classes` is out of range.

    Examples
    --------
    >>> flip_labels([0, 0, 0, 0, 0], 0.4, 10, np.random.default_rng(0))
    array([0, 0, 0, 3, 3])
    """
    if positive_integer("num_classes", num_classes) < 2:
        raise ValueError(f"num_classes is {num_classes}, expected at least 2")
    flipped = integer_array("labels", labels, CLASSES, num_classes=num_classes).copy()
    count = round(number("fraction", fraction, SHARE) * flipped.size)
    place = random_generator(rng).choice(flipped.size, count, replace=False)
    flipped.flat[place] = (flipped.flat[place] + rng.integers(1, num_classes, count)) % num_classes
    return flipped


class Copies(NamedTuple):
    """Input sequences, and the token that should follow each position."""

    inputs: np.ndarray
    targets: np.ndarray


def copy_task(
    count: int, rng: np.random.Generator, *, length: int = 8, num_symbols: int = 11, ignore_index: int = -100
) -> Copies:
    """Random symbols, a separator, and the same symbols again, to learn to predict the next token.

    Parameters
    ----------
    count : int
        How many sequences.
    rng : numpy.random.Generator
        Draws the symbols.
    length : int
        The number n of symbols in a sequence.
    num_symbols : int
        The number of different symbols, tokens 1 to `num_symbols`. The separator is token 0, so there is one token
        more.
    ignore_index : int
        Stands for the targets that do not count; negative. The default is that of PyTorch.

    Returns
    -------
    Copies
        ``inputs`` and ``targets``, integers of shape (count, 2n). A target is the token that follows, or
        `ignore_index` in the first half, where it is not part of the copy.

    Raises
    ------
    TypeError
        If an argument has the wrong type.
    ValueError
        If a number is below 1, or `ignore_index` is not negative.

    Examples
    --------
    >>> inputs, targets = copy_task(1, np.random.default_rng(0), length=3)
    >>> inputs, targets
    (array([[10, 8, 6, 0, 10, 8]]), array([[-100, -100, -100, 10, 8, 6]]))
    """
    count, length = positive_integer("count", count), positive_integer("length", length)
    num_symbols = positive_integer("num_symbols", num_symbols)
    check("ignore_index", ignore_index, INTEGER)
    if ignore_index >= 0:
        raise ValueError(f"ignore_index is {ignore_index!r}, expected a negative integer")
    symbols = random_generator(rng).integers(1, num_symbols + 1, (count, length))
    inputs = np.hstack([symbols, np.zeros((count, 1), int), symbols[:, :-1]])
    targets = np.hstack([np.full((count, length), ignore_index), symbols])
    return Copies(inputs, targets)
