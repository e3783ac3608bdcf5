"""The digits: scaled, split without overlap, and shuffled by the generator that is passed in."""

import numpy as np
import pytest

from lossprimer.data import digits


def test_split_holds_every_image_once():
    split = digits(np.random.default_rng(0), train=1000)
    images = np.concatenate([split.train_images, split.test_images])
    reference = np.concatenate(digits(np.random.default_rng(1), train=500)[::2])
    assert images.shape == (1797, 64)
    assert len(split.train_images) == len(split.train_labels) == 1000
    np.testing.assert_array_equal(np.sort(images.sum(axis=1)), np.sort(reference.sum(axis=1)))


def test_pixels_are_scaled_and_labels_are_digits():
    split = digits(np.random.default_rng(0))
    assert (split.train_images.min(), split.train_images.max()) == (0.0, 1.0)
    assert set(split.test_labels) == set(range(10))


def test_the_same_seed_gives_the_same_split_and_another_seed_another():
    first, again, other = (digits(np.random.default_rng(seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.train_labels, again.train_labels)
    assert (first.train_labels != other.train_labels).any()


def test_global_random_state_is_not_touched():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    digits(np.random.default_rng(0))
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize(
    ("rng", "train", "error", "message"),
    [
        (0, 1000, TypeError, "rng is 0, expected a numpy.random.Generator"),
        (np.random.default_rng(0), 1797, ValueError, "train is 1797, expected 1 to 1796"),
        (np.random.default_rng(0), 0, ValueError, "train is 0, expected 1 to 1796"),
        (np.random.default_rng(0), 0.5, TypeError, "train is 0.5, expected an integer"),
        (np.random.default_rng(0), True, TypeError, "train is True, expected an integer"),
    ],
)
def test_a_wrong_argument_is_named(rng, train, error, message):
    with pytest.raises(error, match=message):
        digits(rng, train=train)
