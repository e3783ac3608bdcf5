"""The pictures of chapter 3 say what counting, formulas and other random numbers say."""

import re
from itertools import product

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from lossprimer import figures
from lossprimer.explorer.frames import pack

ACTIVATIONS = np.array([1.2, 0.7, 1.8, -0.3, 0.9])
NORMAL = np.random.default_rng(7).normal(size=50_000)
FRACTIONS = [0, 0.25, 0.5]
RUNS = {"no dropout": [[0.9, 0.8, 0.5], [0.9, 0.8, 0.7]], "keep 0.5": [[0.9, 0.9, 0.8], [0.9, 0.9, 0.8]]}
# Three digits, of which each has two hidden units of its own and the rest at 0.
HIDDEN = np.kron(np.eye(3), [1.0, 2.0])
# The first unit of each digit is for the class 1, 3 or 5, the second for 2, 4 or 6.
HIDDEN_TO_SCORES = np.eye(6, 10, 1)

EXAMPLES = {
    "attention_row_sums": ([0.9, 1.0, 1.1], 0.9),
    "deleted_units": (FRACTIONS, RUNS),
    "dropout_average": (ACTIVATIONS, 0.5, 2),
    "dropout_masks": (ACTIVATIONS, 0.5, 1),
    "dropout_slots": ("BERT, Google's code",),
    "ensemble_averages": ([0.7, 0.3], [0.7, 0.3], [0.6, 0.4], 4),
    "labelled_digits": (np.ones((2, 64)), [1, 2], [1, 3]),
    "masked_digits": (np.ones((3, 64)), HIDDEN, HIDDEN_TO_SCORES.__rmatmul__, ["a", "b", "c"], 1),
    "overfitting": ([10, 20, 30], RUNS, 0.9),
    "variance_shift": (0.5, NORMAL),
}


def said(sentence, words):
    """Return the numbers after `words`, up to the end of that part of the sentence."""
    part = re.split(r"[;:.] |\.$", sentence.split(words, 1)[1])[0]
    return [float(text.replace("−", "-")) for text in re.findall(r"−?\d+(?:\.\d+)?", part)]


def test_at_inference_all_units_are_on():
    sentence = figures.dropout_masks(ACTIVATIONS).sentence
    assert sentence == "At inference all units are on: the activations are 1.2, 0.7, 1.8, −0.3, 0.9."


@pytest.mark.parametrize("seed", range(1, 5))
@pytest.mark.parametrize("keep", [0.1, 0.5, 0.95, 1.0])
def test_a_mask_keeps_a_unit_at_its_activation_over_keep_or_drops_it(keep, seed):
    sentence = figures.dropout_masks(ACTIVATIONS, keep, seed).sentence
    outputs, dropped = said(sentence, "outputs "), said(sentence, "dropped units:")
    kept = np.random.default_rng(seed).random(5) < keep
    assert outputs == pytest.approx(np.where(kept, ACTIVATIONS / keep, 0), abs=0.051)
    assert dropped == [unit + 1 for unit in range(5) if not kept[unit]]


@pytest.mark.frames
@pytest.mark.parametrize("seed", range(1, 11))
def test_units_are_dropped_one_by_one_as_keep_falls(seed):
    counts = [
        int(re.search(r"(\d) of 5 units", figures.dropout_average(ACTIVATIONS, keep, seed).sentence)[1])
        for keep in (0.1, 0.4, 0.7, 1.0)
    ]
    assert counts == sorted(counts)
    assert counts[-1] == 5


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.8])
def test_means_and_spreads_are_those_of_all_32_masks(keep):
    masks = np.array(list(product([0, 1], repeat=5)))
    chance = np.where(masks, keep, 1 - keep).prod(axis=1)
    outputs = masks * ACTIVATIONS / keep
    mean = chance @ outputs
    spread = np.sqrt(chance @ (outputs - mean) ** 2)
    sentence = figures.dropout_average(ACTIVATIONS, keep, 1).sentence
    # 10,000 masks: five standard errors of the mean, and as much of the spread; and the rounding.
    assert said(sentence, "means ") == pytest.approx(mean, abs=5 * spread.max() / 100 + 0.005)
    assert said(sentence, "deviations ") == pytest.approx(spread, abs=5 * spread.max() / 100 + 0.005)


def test_the_drawn_spread_grows_as_fewer_are_kept():
    drawn = []
    for keep in (1.0, 0.9, 0.7, 0.5, 0.3, 0.1):
        _, spreads = figures.dropout_average(ACTIVATIONS, keep, 1).figure.axes
        (bars,) = (lines for lines in spreads.collections if len(lines.get_segments()) == len(ACTIVATIONS))
        pixels = [spreads.transData.transform(segment)[:, 1] for segment in bars.get_segments()]
        drawn.append([top - bottom for bottom, top in pixels])
        low, high = spreads.get_ylim()
        assert all(low < y < high for segment in bars.get_segments() for y in segment[:, 1])
    assert (np.diff(drawn, axis=0) > 0).all()


def test_an_output_beyond_the_axis_is_cut_and_has_its_number_with_an_arrow():
    picture = figures.dropout_average(ACTIVATIONS, 0.1, 3)
    one, _ = picture.figure.axes
    cut = [text for text in one.texts if text.get_text().startswith("↑")]
    outputs = said(picture.sentence, "outputs ")
    assert (
        [float(text.get_text()[1:]) for text in cut] == [value for value in outputs if value > one.get_ylim()[1]] != []
    )
    assert all(text.xy[1] < one.get_ylim()[1] for text in cut)


@pytest.mark.frames
def test_pictures_under_all_masks_have_the_same_marks():
    settings = [*product((0.1, 0.5, 1.0), range(1, 9))]
    (shape,) = pack([figures.dropout_average(ACTIVATIONS, *setting).svg("picture-") for setting in settings])
    assert shape["of"] == [*range(len(settings))]


@pytest.mark.parametrize("draw", [figures.dropout_masks, figures.dropout_average])
def test_a_cross_stands_at_each_silent_unit_and_a_number_at_each_other_one(draw):
    picture = draw(ACTIVATIONS, 0.5, 2)
    kept = np.random.default_rng(2).random(5) < 0.5
    axes = picture.figure.axes[0]
    crosses = [patch.get_window_extent() for patch in axes.patches if not isinstance(patch, Rectangle)]
    assert [cross.width * 72 / picture.figure.dpi for cross in crosses] == pytest.approx(np.where(kept, 0, 9))
    middles = axes.transData.inverted().transform([(cross.min + cross.max) / 2 for cross in crosses])
    assert middles == pytest.approx(np.column_stack([np.arange(1, 6), np.zeros(5)]))
    assert [any(map(str.isdigit, text.get_text())) for text in axes.texts] == kept.tolist()


def test_without_dropping_there_is_no_spread():
    assert "deviations 0, 0, 0, 0, 0." in figures.dropout_average(ACTIVATIONS, 1.0, 1).sentence


def test_labelled_digits_tell_which_labels_are_wrong():
    picture = figures.labelled_digits(np.ones((3, 64)), [1, 2, 9], [1, 3, 4])
    assert (
        picture.sentence == "3 training images and their labels: 1, 2, 9. Wrong: a 3 is called 2 and a 4 is called 9."
    )
    assert [axes.get_title() for axes in picture.figure.axes] == ["1", "2, not 3", "9, not 4"]
    assert figures.labelled_digits(np.ones((2, 64)), [1, 2], [1, 2]).sentence.endswith("None is wrong.")


def test_accuracies_come_with_their_spread_over_the_seeds():
    # Mean of 0.5 and 0.7, and √(2 · 0.1² / 1).
    assert "no dropout 0.600 ± 0.141; keep 0.5 0.800 ± 0.000" in figures.deleted_units(FRACTIONS, RUNS).sentence


def test_overfitting_tells_the_highest_and_the_last_mean():
    runs = {"plain": [[0.8, 0.9, 0.7], [0.8, 0.8, 0.7]], "keep 0.5": [[0.6, 0.7, 0.8], [0.6, 0.7, 0.9]]}
    sentence = figures.overfitting([10, 20, 30], runs, 0.86).sentence
    assert sentence == (
        "Mean over 2 seeds, at its highest and after 30 epochs: plain 0.850 (epoch 20), then 0.700;"
        " keep 0.5 0.850 (epoch 30), then 0.850. Plain, stopped early: 0.860."
    )


def test_deletion_is_told_for_half_of_the_units():
    assert figures.deleted_units(FRACTIONS, RUNS).sentence.startswith("With 50 % of the units deleted")


def test_ensemble_averages_tell_which_one_is_the_same():
    sentence = figures.ensemble_averages([0.7, 0.3], [0.7, 0.3], [0.6, 0.4], 1024).sentence
    assert "Over 1,024 masks: geometric mean 0.700, 0.300, the same;" in sentence
    assert sentence.endswith("off by up to 0.100.")
    assert "not the same" in figures.ensemble_averages([0.7, 0.3], [0.69, 0.31], [0.6, 0.4], 4).sentence


@pytest.mark.parametrize("seed", [0, 1, 8])
def test_the_answers_of_three_digits_are_those_of_the_units_that_are_left(seed):
    kept = np.random.default_rng(seed).random(6) < 0.5 if seed else np.full(6, True)
    answers = []
    for digit in range(3):
        scores = [0, *(HIDDEN[digit] * kept * (2 if seed else 1)), 0, 0, 0]
        powers = np.exp(scores)
        answers.append(f"{int(np.argmax(scores))} with {powers.max() / powers.sum():.3f}")
    which = f"Mask {seed} keeps {kept.sum()} of 6 units" if seed else "All 6 units are on"
    sentence = figures.masked_digits(*EXAMPLES["masked_digits"][:-1], seed).sentence
    assert sentence == f"{which}: the answers are {answers[0]}, {answers[1]} and {answers[2]}."


@pytest.mark.frames
def test_three_digits_have_the_same_marks_under_all_masks():
    pictures = [figures.masked_digits(*EXAMPLES["masked_digits"][:-1], seed) for seed in range(9)]
    (shape,) = pack([picture.svg("picture-") for picture in pictures])
    assert shape["of"] == [*range(9)]


def test_a_square_is_filled_for_each_unit_that_is_kept():
    figure = figures.masked_digits(*EXAMPLES["masked_digits"][:-1], 1).figure
    (units,) = (axes for axes in figure.axes if any(text.get_text() == "units" for text in axes.texts))
    outlines, filled = ({int(x) for x in patch.get_path().vertices[:, 0]} for patch in units.patches)
    assert outlines == set(range(6))
    assert filled == {*np.flatnonzero(np.random.default_rng(1).random(6) < 0.5)}


# Worked by hand for the distributions; the sample of 50,000 comes near.
@pytest.mark.parametrize(
    ("keep", "x", "ratio"),
    [
        (0.5, NORMAL, 0.5),
        (0.8, NORMAL, 0.8),
        (0.5, np.maximum(NORMAL, 0), 0.405),  # (1/2 − 1/2π) / (1/2 − 1/2π + 1/2)
        (0.5, NORMAL + 1, 1 / 3),
        (0.9, NORMAL + 3, 0.474),  # 1 / (1 + 10/9)
        (1.0, NORMAL + 3, 1.0),
    ],
)
def test_variance_shift_measures_what_the_formula_says(keep, x, ratio):
    sentence = figures.variance_shift(keep, x).sentence
    assert said(sentence, "ratio measured ")[0] == pytest.approx(ratio, abs=0.015)
    assert said(sentence, "by the formula ") == [pytest.approx(ratio, abs=0.01)]


def test_the_shift_of_a_constant_is_total():
    assert "ratio measured 0.000, by the formula 0.000." in figures.variance_shift(0.5, np.ones(1000)).sentence


def test_row_sums_give_mean_and_spread():
    sentence = figures.attention_row_sums([0.9, 1.0, 1.1], 0.9).sentence
    assert sentence == "Keep 0.9: the sums of 3 rows have mean 1.00 and deviation 0.08."


def test_slots_are_those_of_each_model():
    vaswani, pytorch, gpt2, bert = (
        figures.dropout_slots(model).sentence
        for model in (
            "Vaswani et al. 2017, text",
            "PyTorch's encoder layer",
            "GPT-2 in Transformers",
            "BERT, Google's code",
        )
    )
    everywhere = "the attention output"
    assert all(everywhere in sentence.split(";")[0] for sentence in (vaswani, pytorch, gpt2, bert))
    assert "not named: the attention weights and the hidden units" in vaswani
    assert pytorch.endswith("outside the layer: the embedding sum.")
    for sentence in (gpt2, bert):
        assert sentence.endswith("none on the hidden units of the feed-forward part.")


def test_slots_say_in_the_drawing_what_is_not_there():
    assert "not named" in figures.dropout_slots("Vaswani et al. 2017, text").svg()
    assert "none" in figures.dropout_slots("BERT, Google's code").svg()
