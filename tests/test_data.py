"""Digits split without overlap, batches, labels flipped on purpose, sequences to copy: all by the generator passed."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from lossprimer.data import batches, collection, copy_task, digits, flip_labels


def test_split_holds_every_image_once():
    split = digits(np.random.default_rng(0), train=1000)
    images = np.concatenate([split.train_images, split.test_images])
    reference = np.concatenate(digits(np.random.default_rng(1), train=500)[::2])
    assert images.shape == (1797, 64)
    assert len(split.train_images) == len(split.train_labels) == 1000
    np.testing.assert_array_equal(np.sort(images.sum(axis=1)), np.sort(reference.sum(axis=1)))


def test_the_collection_is_that_of_scikit_learn():
    # Its file alone: to import all of scikit-learn takes half a second.
    (place,) = find_spec("sklearn").submodule_search_locations
    table = np.loadtxt(Path(place, "datasets", "data", "digits.csv.gz"), delimiter=",")
    images, labels = collection()
    np.testing.assert_array_equal(images, table[:, :-1] / 16)
    np.testing.assert_array_equal(labels, table[:, -1])
    assert (images.dtype, labels.dtype) == (float, int)


def test_a_change_to_the_collection_is_not_in_the_next_one():
    images, labels = collection()
    images[:], labels[:] = 0, 0
    again, truths = collection()
    assert again.max() == 1
    assert truths.max() == 9


def test_pixels_are_scaled_and_labels_are_digits():
    split = digits(np.random.default_rng(0))
    assert (split.train_images.min(), split.train_images.max()) == (0.0, 1.0)
    assert set(split.test_labels) == set(range(10))


def test_the_same_seed_gives_the_same_split_and_another_seed_another():
    first, again, other = (digits(np.random.default_rng(seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.train_labels, again.train_labels)
    assert (first.train_labels != other.train_labels).any()


@pytest.mark.parametrize(
    "draw",
    [
        digits,
        lambda rng: list(batches(np.arange(9), np.arange(9), 4, rng)),
        lambda rng: flip_labels(np.zeros(9, int), 0.5, 10, rng),
        lambda rng: copy_task(3, rng),
    ],
    ids=["digits", "batches", "flip_labels", "copy_task"],
)
def test_global_random_state_is_not_touched(draw):
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    draw(np.random.default_rng(0))
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize(("size", "sizes"), [(4, [4, 4, 2]), (5, [5, 5]), (1, [1] * 10), (99, [10])], ids=str)
def test_batches_hold_every_example_once_with_its_label(size, sizes):
    images = np.arange(30.0).reshape(10, 3)
    drawn = list(batches(images, np.arange(10), size, np.random.default_rng(0)))
    labels = np.concatenate([labels for _, labels in drawn])
    assert [len(batch) for batch, _ in drawn] == sizes
    assert sorted(labels) == list(range(10))
    np.testing.assert_array_equal(np.concatenate([batch for batch, _ in drawn]), images[labels])


def test_batches_come_in_another_order_each_time():
    rng = np.random.default_rng(0)
    first, second = (next(batches(np.arange(50), np.arange(50), 50, rng))[0] for _ in range(2))
    assert (first != second).any()


@pytest.mark.parametrize("fraction", [0, 0.2, 0.5, 1])
def test_just_the_share_is_flipped_and_each_flipped_label_differs(fraction):
    labels = np.arange(1000).reshape(100, 10) % 10
    flipped = flip_labels(labels, fraction, 10, np.random.default_rng(0))
    assert (flipped != labels).sum() == 1000 * fraction
    assert set(flipped.flat) == set(range(10))
    assert (flipped.shape, flipped.dtype) == (labels.shape, labels.dtype)


def test_flipping_leaves_the_given_labels_and_prefers_no_class():
    labels = np.zeros(9000, int)
    labels.flags.writeable = False
    counts = np.bincount(flip_labels(labels, 1, 10, np.random.default_rng(0)))
    assert counts[0] == 0
    assert abs(counts[1:] - 1000).max() < 4 * np.sqrt(1000)


def test_few_bits_are_enough_to_flip():
    labels = np.full(100, 199, np.uint8)
    assert flip_labels(labels, 1, 200, np.random.default_rng(0)).max() < 199


@pytest.mark.parametrize("length", [1, 3, 8])
def test_a_sequence_is_symbols_a_separator_and_the_same_symbols(length):
    inputs, targets = copy_task(50, np.random.default_rng(0), length=length, num_symbols=5)
    assert inputs.shape == targets.shape == (50, 2 * length)
    np.testing.assert_array_equal(inputs[:, length], 0)
    np.testing.assert_array_equal(inputs[:, length + 1 :], inputs[:, : length - 1])
    np.testing.assert_array_equal(targets[:, length:], inputs[:, :length])
    np.testing.assert_array_equal(targets[:, :length], -100)
    assert set(inputs[:, :length].flat) == {1, 2, 3, 4, 5}


def rng():
    """A fresh generator."""
    return np.random.default_rng(0)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: digits(0), TypeError, "rng is 0, expected a numpy.random.Generator"),
        (lambda: digits(rng(), train=1797), ValueError, "train is 1797, expected 1 to 1796"),
        (lambda: digits(rng(), train=0), ValueError, "train is 0, expected 1 to 1796"),
        (lambda: digits(rng(), train=0.5), TypeError, "train is 0.5, expected an integer"),
        (lambda: digits(rng(), train=True), TypeError, "train is True, expected an integer"),
        (lambda: batches([1, 2], [1], 1, rng()), ValueError, r"the shapes \(2,\) and \(1,\), expected as many of each"),
        (
            lambda: batches([1, 2], [[1], [1, 2]], 1, rng()),
            ValueError,
            r"^labels is \[\[1\], \[1, 2\]\], expected .* rect",
        ),
        (lambda: batches([], [], 1, rng()), ValueError, r"the shapes \(0,\) and \(0,\)"),
        (lambda: batches(1, 1, 1, rng()), ValueError, r"the shapes \(\) and \(\)"),
        (lambda: batches([1], [1], 0, rng()), ValueError, "batch_size is 0, expected at least 1"),
        (lambda: batches([1], [1], 1.0, rng()), TypeError, "batch_size is 1.0, expected an int"),
        (lambda: batches([1], [1], 1, None), TypeError, "rng is None, expected a numpy.random.Generator"),
        (lambda: flip_labels([0.5], 0.1, 10, rng()), TypeError, "labels holds float64, expected integers"),
        (lambda: flip_labels([3, 10], 0.1, 10, rng()), ValueError, r"labels holds 10 at index \(1,\), expected 0 to 9"),
        (lambda: flip_labels([-1], 0.1, 10, rng()), ValueError, r"labels holds -1 at index \(0,\), expected 0 to 9"),
        (lambda: flip_labels([0], 1.1, 10, rng()), ValueError, "fraction is 1.1, expected a number from 0 to 1"),
        (lambda: flip_labels([0], np.nan, 10, rng()), ValueError, "fraction is nan, expected a number from 0 to 1"),
        (lambda: flip_labels([0], "all", 10, rng()), TypeError, "fraction is 'all', expected a number"),
        (lambda: flip_labels([0], 0.1, 1, rng()), ValueError, "num_classes is 1, expected at least 2"),
        (lambda: flip_labels([0], 0.1, 2.0, rng()), TypeError, "num_classes is 2.0, expected an int"),
        (lambda: flip_labels([0], 0.1, 10, 0), TypeError, "rng is 0, expected a numpy.random.Generator"),
        (lambda: copy_task(0, rng()), ValueError, "count is 0, expected at least 1"),
        (lambda: copy_task(1, np.random), TypeError, "rng is <module 'numpy.random'"),
        (lambda: copy_task(1, rng(), length=0), ValueError, "length is 0, expected at least 1"),
        (lambda: copy_task(1, rng(), num_symbols=2.5), TypeError, "num_symbols is 2.5, expected an int"),
        (lambda: copy_task(1, rng(), ignore_index=0), ValueError, "ignore_index is 0, expected a negative integer"),
        (lambda: copy_task(1, rng(), ignore_index=0.5), TypeError, "ignore_index is 0.5, expected an integer"),
    ],
)
def test_a_wrong_argument_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
