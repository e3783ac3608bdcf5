"""The three digits of the running example are what their names say, and the network has not seen them."""

import numpy as np
import pytest

from lossprimer import fit, softmax
from lossprimer.data import digits
from lossprimer.example import digit_network, three_digits


@pytest.fixture(scope="module")
def probabilities():
    return softmax(digit_network(np.random.default_rng(0))(three_digits().images))


def test_they_are_a_clear_one_a_doubtful_one_and_a_mislabelled_one(probabilities):
    three = three_digits()
    assert three.names == ("clear", "doubtful", "mislabelled")
    clear, doubtful, mislabelled = probabilities
    assert clear[three.labels[0]] > 0.99
    best, second = np.argsort(doubtful)[::-1][:2]
    assert (best, second) == (5, 6)
    assert doubtful[best] < 0.6 < doubtful[best] + doubtful[second]
    assert three.labels[2] != three.truths[2]
    assert mislabelled[three.truths[2]] > 0.99
    assert mislabelled[three.labels[2]] < 0.001


def test_they_are_of_the_collection_and_have_its_labels_but_for_the_slip():
    collection = digits(np.random.default_rng(0), train=1000)
    images = np.concatenate([collection.train_images, collection.test_images])
    labels = np.concatenate([collection.train_labels, collection.test_labels])
    three = three_digits()
    for image, truth in zip(three.images, three.truths, strict=True):
        (place,) = np.flatnonzero((images == image).all(axis=1))
        assert labels[place] == truth
    assert (three.labels == three.truths).tolist() == [True, True, False]


def test_the_network_learns_from_other_images(monkeypatch):
    seen = []

    def watched(model, inputs, targets, **options):
        seen.append(inputs)
        return fit(model, inputs, targets, **options)

    monkeypatch.setattr("lossprimer.example.fit", watched)
    digit_network(np.random.default_rng(0))
    (inputs,) = seen
    assert not any((inputs == image).all(axis=1).any() for image in three_digits().images)


def test_the_generator_decides_and_nothing_else(probabilities):
    images = three_digits().images
    np.testing.assert_array_equal(softmax(digit_network(np.random.default_rng(0))(images)), probabilities)
    assert (softmax(digit_network(np.random.default_rng(1))(images)) != probabilities).any()
    with pytest.raises(TypeError, match="rng"):
        digit_network(0)
