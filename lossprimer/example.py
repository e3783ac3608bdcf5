"""The running example of the course: three handwritten digits, and a small network that reads them."""

from typing import NamedTuple

import numpy as np

from lossprimer._arguments import random_generator
from lossprimer.data import collection
from lossprimer.network import Adam, Linear, ReLU, Sequential, fit

# Places in the collection; the network learns from others, the first of it.
_PLACES = {"clear": 1487, "doubtful": 1741, "mislabelled": 1290}
_TRAIN = 1000
# What the label of the third says, by a slip that was made here on purpose.
_SLIP = 8


class ThreeDigits(NamedTuple):
    """The three digits, in the order of `names`."""

    names: tuple[str, ...]
    images: np.ndarray
    truths: np.ndarray
    labels: np.ndarray


# What autodoc would say of each otherwise is "Alias for field number 0".
ThreeDigits.names.__doc__ = "Which is which."
ThreeDigits.images.__doc__ = "Eight rows of eight pixels, from 0 to 1, one digit in each row of the array."
ThreeDigits.truths.__doc__ = "The digit that was written."
ThreeDigits.labels.__doc__ = "The digit that the label says."


def three_digits() -> ThreeDigits:
    """Return three handwritten digits: a clear 0, a 5 that might be a 6, and a clear 3 whose label says 8.

    Returns
    -------
    ThreeDigits
        ``names`` "clear", "doubtful", "mislabelled"; ``images`` of shape (3, 64) in float64 with values 0 to 1, eight
        rows of eight pixels each; ``truths`` and ``labels`` of shape (3,), integers 0 to 9.

    Notes
    -----
    The images are those of scikit-learn's ``load_digits``. There the third is labelled as what it is: the wrong
    label is the course's, as an example of a slip.

    Examples
    --------
    >>> digits = three_digits()
    >>> digits.images.shape
    (3, 64)
    >>> digits.truths.tolist(), digits.labels.tolist()
    ([0, 5, 3], [0, 5, 8])
    """
    images, truths = collection()
    places = list(_PLACES.values())
    labels = truths[places].copy()
    labels[-1] = _SLIP
    return ThreeDigits(tuple(_PLACES), images[places], truths[places], labels)


def digit_network(rng: np.random.Generator) -> Sequential:
    """Train a small network that gives ten scores to the image of a digit.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws the weights and the order of the training images.

    Returns
    -------
    Sequential
        Linear 64 to 32, ReLU, Linear 32 to 10, trained for 15 epochs on the first 1,000 images of scikit-learn's
        collection, the three digits not among them.

    Raises
    ------
    TypeError
        If `rng` is not a Generator.

    Examples
    --------
    >>> network = digit_network(np.random.default_rng(0))
    >>> network(three_digits().images).argmax(axis=-1)
    array([0, 5, 3])
    """
    random_generator(rng)
    images, labels = (whole[:_TRAIN] for whole in collection())
    network = Sequential(Linear(64, 32, rng=rng), ReLU(), Linear(32, 10, rng=rng, scale=1))
    optimizer = Adam(network.parameters(), lr=0.003)
    fit(network, images, labels, optimizer=optimizer, rng=rng, batch_size=50, epochs=15)
    return network
