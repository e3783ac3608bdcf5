"""The pictures of chapter 1 say what the mathematics gives."""

import re
from itertools import product

import numpy as np
import pytest
from scipy.special import softmax as scipy_softmax

from lossprimer import entropy, figures, softmax
from lossprimer.explorer.dark import on_dark

DIGITS = np.ones((3, 64))
SCORES = np.random.default_rng(0).normal(size=(3, 10))
THREE = ["one", "two", "three"]

EXAMPLES = {
    "attention_spread": ([[1.0, 2.0]], np.ones((1, 3, 2)), 2, True, ("one", "two", "three")),
    "digits_at_temperature": (DIGITS, SCORES, THREE, 1),
    "jacobian": ([1.0, 2.0], [1.0, 2.0]),
    "overflow": (1.0, "float64"),
    "recipe": ([1.0, 2.0], 1),
    "temperature": (),
    "temperature_on_data": ([[1.0, 0.0]], [0], [1.0, 2.0]),
    "winner_share": (1.0, 2),
}


@pytest.mark.parametrize(
    ("stage", "sentence"),
    [
        (1, "Scores 2.0, 1.0, 0.5: any real numbers, with any sum."),
        (2, "Exponentials 7.39, 2.72, 1.65: all positive, 11.76 in total."),
        (3, "Each exponential divided by 11.76: probabilities 0.629, 0.231, 0.140, together 1."),
    ],
)
def test_recipe_gives_the_numbers_of_each_stage(stage, sentence):
    assert figures.recipe([2, 1, 0.5], stage).sentence == sentence


@pytest.mark.parametrize(
    ("gap", "classes", "share", "against_rest"),
    [(2.0, 2, "88.1 %", "7.39"), (2.0, 10, "45.1 %", "0.821"), (5.0, 50_000, "0.296 %", "0.00297")],
)
def test_winner_share_agrees_with_the_softmax_of_all_classes(gap, classes, share, against_rest):
    scores = np.zeros(classes)
    scores[0] = gap
    sentence = figures.winner_share(gap, classes).sentence
    assert f"{100 * softmax(scores)[0]:.3g} %" == share
    assert f"the leader gets {share}" in sentence
    assert f"{against_rest} times all the others" in sentence


def test_a_share_that_is_not_the_whole_is_not_written_as_the_whole_and_large_ratios_in_full():
    sentence = figures.winner_share(8, 2).sentence
    assert "gets 99.97 %. That is 2,981 times any other class, and 2,981 times all" in sentence


def test_of_many_probabilities_the_ends_are_said():
    sentence = figures.temperature(1, np.arange(10.0)).sentence
    p = softmax(np.arange(10.0))
    assert sentence.startswith(f"T = 1: probabilities from {p[-1]:.3f} to {p[0]:.3f}; entropy")


def test_temperature_gives_probabilities_and_entropy():
    assert figures.temperature(0.5).sentence == (
        "T = 0.5: probabilities 0.844, 0.114, 0.042; entropy 0.52 nats. The two largest have the ratio 7.39."
    )


def test_temperature_counts_only_the_classes_that_are_not_masked():
    picture = figures.temperature(1.0, (2, 1, -np.inf))
    _, entropies = picture.figure.axes
    most, *_ = (line.get_ydata()[0] for line in entropies.lines if line.get_linestyle() == "--")
    assert most == pytest.approx(np.log(2))
    assert "−∞" in picture.svg()


@pytest.mark.parametrize(
    ("largest", "dtype", "naive"),
    [
        (88, "float32", "0.665, 0.245, 0.090"),
        (88.5, "float32", "0, 0, 0"),
        (89, "float32", "nan, 0, 0"),
        (709, "float64", "0.665, 0.245, 0.090"),
        (1000, "float64", "nan, nan, nan"),
        (-800, "float64", "nan, nan, nan"),
        (12, "float16", "nan, 0, 0"),
    ],
)
def test_overflow_shows_where_the_naive_formula_fails_and_the_stable_one_does_not(largest, dtype, naive):
    sentence = figures.overflow(largest, dtype).sentence
    assert f"Naive: {naive}." in sentence
    assert "Stable: 0.665, 0.245, 0.090." in sentence


def test_jacobian_vanishes_when_cold():
    sentence = figures.jacobian([2, 1, 0.5], [0.1, 1.0]).sentence
    cold, warm = map(float, re.findall(r"([\d.]+) at T", sentence))
    assert cold < warm / 100


def test_attention_spread_names_the_most_attended_token_and_gives_means_over_all_queries():
    rng = np.random.default_rng(0)
    queries, keys = rng.normal(size=(20, 64)), rng.normal(size=(20, 16, 64))
    tokens = "abcdefghijklmnop"
    weights = softmax(np.array([k[:, :16] @ q[:16] / 4 for q, k in zip(queries, keys, strict=True)]))
    sentence = figures.attention_spread(queries, keys, 16, True, tokens).sentence
    assert f"“{tokens[weights[0].argmax()]}” gets most, {weights[0].max():.2f}." in sentence
    largest = weights.max(axis=-1).mean()
    assert (
        f"Average over 20 queries: largest weight {largest:.2f}, entropy {entropy(weights).mean():.2f} of" in sentence
    )


def test_temperature_on_data_keeps_the_accuracy_and_finds_where_the_confidence_meets_it():
    logits, labels = np.array([[3.0, 0.0], [0.0, 1.0], [2.0, 1.0]]), [0, 1, 1]
    said = figures.temperature_on_data(logits, labels, [0.5, 1.0, 2.0]).sentence
    assert "the accuracy stays at 0.667" in said
    p = {T: scipy_softmax(logits / T, axis=1) for T in (0.5, 1, 2)}
    losses = [f"{-np.log(p[T][range(3), labels]).mean():.3f}" for T in (0.5, 1, 2)]
    assert f"falls from {losses[0]} to {losses[2]} at T = 2 and rises to {losses[2]}." in said
    # Among 0.985, 0.805 and 0.687 the last is closest to two thirds.
    means = {T: p[T].max(axis=1).mean() for T in p}
    near = min(means, key=lambda T: abs(means[T] - 2 / 3))
    assert said.endswith(f"comes closest to the accuracy at T = {near:g}, the vertical line, with {means[near]:.3f}.")


# Text and ground of the site's pages (theme/assets/primer.css).
PAGES = {"light": ((0x20, 0x26, 0x2E), (0xFF, 0xFF, 0xFF)), "dark": ((0xE4, 0xE7, 0xEB), (0x15, 0x18, 0x1D))}


def luminance(colour):
    channels = np.array(colour) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize(
    "draw",
    [
        lambda: figures.normalized_matrix([[9.0, -9.0], [-9.0, 9.0]], 0),
        lambda: figures.jacobian([0.0, 0.0], [0.1]),
    ],
    ids=["matrix", "jacobian"],
)
def test_numbers_on_coloured_cells_can_be_read(draw):
    cells = re.findall(r'<path [^>]*fill="(#\w{6})" fill-opacity="([\d.]+)"', draw().svg())
    assert cells
    for (colour, opacity), scheme in product(cells, PAGES):
        text, ground = PAGES[scheme]
        shown = on_dark(colour) if scheme == "dark" else colour
        mixed = [float(opacity) * int(shown[at : at + 2], 16) for at in (1, 3, 5)]
        behind = np.array(mixed) + (1 - float(opacity)) * np.array(ground)
        darker, lighter = sorted((luminance(text), luminance(behind)))
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def test_a_temperature_needs_two_scores_to_compare():
    with pytest.raises(ValueError, match="scores are −∞, 1.0, expected at least two finite ones"):
        figures.temperature(1, (-np.inf, 1))


@pytest.mark.parametrize("temperature", [0.5, 1, 4])
def test_each_digit_is_given_its_most_likely_class(temperature):
    first, second, third = (
        f"{row.argmax()} with {row.max():.3f}" for row in scipy_softmax(SCORES / temperature, axis=-1)
    )
    said = figures.digits_at_temperature(DIGITS, SCORES, THREE, temperature).sentence
    assert said == f"T = {temperature:g}: the most likely are {first}, {second} and {third}."
