"""The pictures of chapter 2 say what independent numbers give."""

import math
import re

import numpy as np
import pytest
from scipy.special import entr, rel_entr, softmax

from lossprimer import figures

EXAMPLES = {
    "batch_loss": ([[0.7, 0.3], [0.5, 0.5]], [0, 1], "log"),
    "calibration": ({"plain": ([20], [15.0], [16])},),
    "coin": (7, 3),
    "cost_of_labels": (np.ones((3, 64)), np.eye(3, 10), [0, 5, 8], ["a", "b", "c"]),
    "gradient_by_lead": (8, 10),
    "label_smoothing": (0.1, 10, "right"),
    "log_and_square": ([0.5],),
    "recovery": ({"rate 1": np.zeros((2, 7))}, {"rate 1": np.zeros((2, 7))}),
    "same_probability": (0.1, 10, "one"),
    "smoothing_floor": ({0: [1.0, 0.5]}, {0: 0.0}),
    "surprise": (0.5,),
}


@pytest.mark.parametrize(
    ("p", "sentence"),
    [
        (1.0, "The right class gets the probability 1: loss 0 nats, which is 0 bits."),
        (0.95, "The right class gets the probability 0.95: loss 0.051 nats, which is 0.074 bits."),
        (0.5, "The right class gets the probability 0.5: loss 0.693 nats, which is 1.000 bits."),
        (0.1, "The right class gets the probability 0.1: loss 2.303 nats, which is 3.322 bits."),
    ],
)
def test_surprise_gives_the_price_in_nats_and_bits(p, sentence):
    assert figures.surprise(p).sentence == sentence


@pytest.mark.parametrize(
    ("p", "classes", "rest", "verdict"),
    [
        (0.1, 2, "even", "wrong, and confident"),
        (0.3, 2, "one", "wrong, but not confident"),
        (0.5, 2, "even", "undecided among all classes"),
        (0.1, 10, "even", "undecided among all classes"),
        (0.1, 10, "one", "wrong, and confident"),
        (0.5, 10, "one", "undecided between the truth and one rival"),
        (0.5, 1000, "even", "right, but not confident"),
        (0.8, 10, "even", "right, and confident"),
        (0.01, 3, "even", "wrong, but not confident"),
    ],
)
def test_same_probability_judges_by_who_is_first_and_by_how_much(p, classes, rest, verdict):
    sentence = figures.same_probability(p, classes, rest).sentence
    assert sentence.endswith(f"The model is {verdict}.")
    assert f"loss {-math.log(p):.3f} nats, and a uniform guess costs {math.log(classes):.3f}" in sentence
    assert (", the rest" in sentence) == (classes > 2)
    if classes > 2:
        assert ("the rest even" if rest == "even" else "the rest on one class") in sentence


@pytest.mark.parametrize(("classes", "rest"), [(2, "even"), (10, "even"), (10, "one"), (1000, "even")])
def test_same_probability_draws_the_whole_prediction(classes, rest):
    (axes,) = figures.same_probability(0.1, classes, rest).figure.axes
    *parts, guess = (bar.get_width() for bar in axes.patches)
    assert sum(parts) == pytest.approx(1)
    assert guess == 1 / classes


def test_log_and_square_gives_both_losses_of_two_classes():
    squares = [((np.array([p, 1 - p]) - [1, 0]) ** 2).sum() for p in (0.5, 0.1)]
    assert figures.log_and_square([0.5, 0.1]).sentence == (
        f"At p = 0.5, 0.1 the log loss is 0.693, 2.303 and the squared error {squares[0]:.3f}, {squares[1]:.3f}."
    )


def slopes(loss, z, h=1e-5):
    """Return the slopes of a loss, by differences and without the library."""
    steps = h * np.eye(len(z))
    return np.array([(loss(z + step) - loss(z - step)) / (2 * h) for step in steps])


@pytest.mark.parametrize("classes", [2, 10, 100])
@pytest.mark.parametrize("lead", [0, 2, 4])
def test_gradient_by_lead_gives_the_lengths_of_measured_gradients(lead, classes):
    z = np.zeros(classes)
    z[0] = lead
    y = np.eye(classes)[1]
    log_loss = np.linalg.norm(slopes(lambda z: -np.log(softmax(z)[1]), z))
    square = np.linalg.norm(slopes(lambda z: ((softmax(z) - y) ** 2).sum(), z))
    sentence = figures.gradient_by_lead(lead, classes).sentence
    assert f"log loss {log_loss:.3f}, squared error {square:.3f}; ratio {log_loss / square:.1f}." in sentence


def test_gradient_by_lead_says_small_and_large_numbers_in_powers_of_ten():
    assert figures.gradient_by_lead(20, 10).sentence == (
        "Lead 20, the vertical line, 10 classes: the truth has p = 2.1 × 10⁻⁹. Length of the gradient: log loss 1.414,"
        " squared error 4.4 × 10⁻⁸; ratio 3.2 × 10⁷."
    )


def test_the_explorer_of_the_pull_agrees_with_the_slopes_of_two_classes():
    # In a lead s the squared error 2 (1 − p)² has the slope 4p (1 − p)²; the two scores share it, with opposite signs.
    p = softmax([0, 3])[0]
    sentence = figures.gradient_by_lead(3, 2).sentence
    assert f"squared error {2**0.5 * 4 * p * (1 - p) ** 2:.3f}" in sentence
    assert f"log loss {2**0.5 * (1 - p):.3f}" in sentence


@pytest.mark.parametrize(("label", "given", "cost"), [(3, "0.500", 0.693), (8, "0.056", 2.890)])
def test_cost_of_labels_charges_for_the_label_and_not_for_the_answer(label, given, cost):
    # One class has half of the probability, and each of the nine others an equal part of the rest.
    scores = np.log(9) * np.eye(10)[[0, 5, 3]]
    picture = figures.cost_of_labels(np.ones((3, 64)), scores, [0, 6, label], ["a", "b", "c"])
    assert picture.sentence == (
        f"Labels 0, 6 and {label}, the vertical lines: their probabilities are 0.500, 0.056 and {given}, and the"
        f" answers cost 0.693, 2.890 and {cost:.3f} nats."
    )
    *columns, below = picture.figure.axes
    assert [bar.get_height() for bar in below.patches] == pytest.approx([0.693, 2.890, cost], abs=5e-4)
    assert [axes.get_title() for axes in columns[1::2]] == ["label 0", "label 6", f"label {label}"]
    assert columns[5].lines[0].get_xdata()[0] == label
    assert sorted(bar.get_height() for bar in columns[5].patches) == pytest.approx([1 / 18] * 9 + [0.5])


@pytest.mark.parametrize(("heads", "tails"), [(7, 3), (1, 3), (5, 5)])
def test_coin_is_cheapest_at_the_observed_share(heads, tails):
    share = heads / (heads + tails)
    floor = entr([share, 1 - share]).sum()
    assert figures.coin(heads, tails).sentence == (
        f"{heads} heads and {tails} tails: the mean log loss is lowest at p = {share:.2f}, where it is"
        f" {floor:.3f} nats, and the mean squared error at p = {share:.2f}."
    )


@pytest.mark.parametrize("prediction", ["right", "target", "guess"])
@pytest.mark.parametrize("classes", [2, 10])
@pytest.mark.parametrize("smoothing", [0.1, 0.5])
def test_label_smoothing_splits_the_loss_into_its_floor_and_the_divergence(smoothing, classes, prediction):
    y = np.full(classes, smoothing / classes)
    y[0] += 1 - smoothing
    rest = 0.01 / (classes - 1)
    p = {"right": [0.99] + [rest] * (classes - 1), "guess": [1 / classes] * classes, "target": y}
    loss = -(y * np.log(p[prediction])).sum()
    sentence = figures.label_smoothing(smoothing, classes, prediction).sentence
    assert f"the target has {y[0]:.3f} at the right class and {y[1]:.3f} at each other" in sentence
    floor, divergence, total = map(float, re.search(r"H\(y\) (\S+) nats, KL (\S+), loss (\S+)\.$", sentence).groups())
    assert floor == pytest.approx(entr(y).sum(), abs=6e-4)
    assert divergence == pytest.approx(rel_entr(y, p[prediction]).sum(), abs=6e-4)
    assert total == pytest.approx(loss, abs=6e-4)


def test_label_smoothing_of_nothing_costs_nothing_where_the_prediction_is_the_target():
    assert figures.label_smoothing(0, 3, "target").sentence.endswith("Floor H(y) 0 nats, KL 0, loss 0.")


def test_recovery_gives_the_means_after_the_last_epoch():
    runs = np.array([np.linspace(0, 1, 11), np.linspace(0, 0.5, 11)])
    picture = figures.recovery({"rate 1": runs, "rate 2": runs / 2}, {"rate 1": runs / 2, "rate 2": runs})
    assert picture.sentence.startswith(
        "Mean test accuracy after 10 epochs with the log loss and with the squared error; rate 1: 0.75 and 0.38;"
        " rate 2: 0.38 and 0.75."
    )
    for axes, part in zip(picture.figure.axes, (0.5, 1), strict=True):
        _, squared, log_loss = (line.get_ydata() for line in axes.lines)
        assert log_loss == pytest.approx((1.5 - part) * runs.mean(axis=0))
        assert squared == pytest.approx(part * runs.mean(axis=0))


def test_calibration_draws_the_means_of_full_bins_and_gives_the_error():
    bins = [5, 10, 20], [1.0, 5.0, 18.0], [0, 8, 18]
    picture = figures.calibration({"plain": bins})
    assert picture.sentence == "Calibration error: plain 0.114."  # (1 + 3 + 0) / 35
    _, line = picture.figure.axes[0].lines
    assert line.get_xdata() == pytest.approx([0.5, 0.9])
    assert line.get_ydata() == pytest.approx([0.8, 0.9])


@pytest.mark.parametrize("epochs", [10, 20, 60, 100, 400])
def test_the_epochs_of_smoothing_floor_are_few_enough_to_be_read(epochs):
    (axes,) = figures.smoothing_floor({0: np.ones(epochs)}, {0: 0.0}).figure.axes
    ticks = axes.get_xticks()
    assert 3 <= len(ticks) <= 7
    assert np.diff(ticks).min() >= epochs / 8


def test_smoothing_floor_gives_the_floor_and_the_last_loss():
    sentence = figures.smoothing_floor({0: [2.0, 0.01], 0.1: [2.0, 0.52]}, {0: 0.0, 0.1: 0.5003}).sentence
    assert sentence == (
        "Training loss: smoothing 0: floor 0.000, last epoch 0.010; smoothing 0.1: floor 0.500, last epoch 0.520."
    )


def test_batch_loss_gives_each_example_and_the_mean():
    p = [[0.5, 0.25, 0.25], [0.1, 0.9, 0.0]]
    said = figures.batch_loss(p, [1, 0], "log").sentence
    assert said == "The −ln p of each example: 1.386, 2.303. Their mean, the dashed line, is 1.844."
    said = figures.batch_loss(p, [1, 1], "squared").sentence
    assert said == "The squared error of each example: 0.875, 0.020. Their mean, the dashed line, is 0.448."


def test_batch_loss_says_what_it_cuts():
    picture = figures.batch_loss([[0.0, 1.0], [0.5, 0.5]], [0, 0], "log")
    assert picture.sentence == "The −ln p of each example: ∞, 0.693. Their mean is ∞."
    assert [bar.get_height() for bar in picture.figure.axes[0].patches][0] == 4
    assert "∞ ↑" in [text.get_text() for text in picture.figure.axes[0].texts]


@pytest.mark.parametrize(
    ("p", "labels", "message"),
    [
        ([[0.7, 0.2]], [0], "probabilities add up to 0.9 in row 1, expected 1"),
        ([[0.7, 0.3]], [2], "labels holds 2, expected classes from 0 to 1"),
        ([[0.7, 0.3]], [-1], "labels holds -1, expected classes from 0 to 1"),
        ([[0.7, 0.3]], [0, 1], "labels holds 2 classes, expected one for each row, 1 in all"),
    ],
)
def test_batch_loss_refuses_what_is_no_prediction(p, labels, message):
    with pytest.raises(ValueError, match=message):
        figures.batch_loss(p, labels, "log")
