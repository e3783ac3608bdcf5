"""The pictures of the normalization chapter say what the mathematics gives."""

import re

import numpy as np
import pytest
from scipy.special import softmax

from lossprimer import figures

MATRIX = np.array([[2, -1.5, 0.5, 3], [0.5, 1, 2.5, -0.5], [-1, 3, 1, 1.5], [1.5, -0.5, -1, 2]])
# In five shades of ink.
DIGITS = np.arange(192).reshape(3, 64) % 5 / 4
# A linear layer in the place of a network.
WEIGHTS = np.random.default_rng(1).normal(size=(64, 10))
TENSOR = np.random.default_rng(0).normal(1, 2, size=(2, 3, 6))

EXAMPLES = {
    "accuracy_by_rate": ([1, 2], {"none": [[0.1, 0.2]]}),
    "batch_statistics": ([0.0, 1.0], [[0, 1]], 2),
    "centred_or_not": ([1.0, 2.0],),
    "digits_in_pale_ink": (DIGITS, ["one", "two", "three"], lambda images: images @ WEIGHTS, 0.5),
    "epsilon_place": (1e-3, 1e-5),
    "normalization_steps": (MATRIX, 1),
    "normalized_matrix": (MATRIX, 0),
    "normalized_tensor": (TENSOR, 0, (0, 0, 0)),
    "residual_wiring": (),
    "scale_by_depth": ([1, 2], {"none": [1.0, 2.0]}, "deviation"),
}
# What the example passes by name.
OPTIONS = {"scale_by_depth": {"marks": [1, 2]}}


def spoken(picture):
    """Return the numbers of a sentence."""
    return [float(text.replace("−", "-")) for text in re.findall(r"−?\d+\.\d+", picture.sentence)]


def drawn(picture):
    """Return the texts inside a figure's axes."""
    return [text.get_text() for axes in picture.figure.axes for text in axes.texts]


def frames(picture):
    """Return the outlined cells of each panel: first column, first row, columns, rows."""
    patches = [[p for p in axes.patches if p.get_linewidth() > 2] for axes in picture.figure.axes]
    return [
        [(round(p.get_x()), round(p.get_y()), round(p.get_width()), round(p.get_height())) for p in panel]
        for panel in patches
    ]


@pytest.mark.parametrize(("ink", "said"), [(1, "100 %"), (0.3, "30 %"), (0.05, "5 %")])
def test_a_network_reads_the_digits_with_less_ink(ink, said):
    first, second, third = (f"{row.argmax()} with {row.max():.3f}" for row in softmax(ink * DIGITS @ WEIGHTS, axis=-1))
    picture = figures.digits_in_pale_ink(*EXAMPLES["digits_in_pale_ink"][:-1], ink)
    assert picture.sentence == f"{said} of the ink: the most likely are {first}, {second} and {third}."
    # A digit is drawn as pale as its ink.
    darkest = [max(patch.get_alpha() or 0 for patch in axes.patches) for axes in picture.figure.axes]
    assert darkest == pytest.approx([ink, 0] * 3)


def test_steps_begin_with_the_numbers_as_they_are():
    picture = figures.normalization_steps(MATRIX, 1)
    assert picture.sentence == (
        "4 examples of 4 features, before: numbers from −1.5 to 3.0. The columns have the means 0.750, 0.500, 0.750,"
        " 1.500, and the rows 1.000, 0.875, 1.125, 0.500."
    )
    assert frames(picture) == [[]]


@pytest.mark.parametrize(
    ("stage", "means", "deviations", "first"),
    [
        (2, [0.75, 0.5, 0.75, 1.5], [1.146, 1.696, 1.25, 1.275], [1.091, -0.218, -1.528, 0.655]),
        (3, [1, 0.875, 1.125, 0.5], [1.696, 1.083, 1.431, 1.275], [0.590, -1.474, -0.295, 1.180]),
    ],
)
def test_steps_give_statistics_and_result_of_each_axis(stage, means, deviations, first):
    picture = figures.normalization_steps(MATRIX, stage)
    assert spoken(picture) == [*means, *deviations, *first]
    assert len(frames(picture)[0]) == 4


@pytest.mark.parametrize("group", [1, 2, 3, 4])
@pytest.mark.parametrize("axis", [0, 1])
def test_matrix_gives_mean_and_deviation_of_the_outlined_group(axis, group):
    numbers = np.moveaxis(MATRIX, axis, 1)[group - 1]
    picture = figures.normalized_matrix(MATRIX, axis, group)
    assert spoken(picture) == [round(numbers.mean(), 3), round(numbers.std(), 3)]
    assert frames(picture) == [[(group - 1, 0, 1, 4) if axis == 0 else (0, group - 1, 4, 1)]]
    assert picture.sentence.endswith("Groups in all: 4.")


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_matrix_has_mean_0_and_deviation_1_after(axis):
    assert spoken(figures.normalized_matrix(MATRIX, axis, 1, True))[:2] == [0, 1]


def test_matrix_over_both_axes_is_one_group():
    picture = figures.normalized_matrix(MATRIX, 2, 3)
    assert spoken(picture) == [0.875, 1.409, 0.75, 0.5, 0.75, 1.5]
    # What the single mean leaves to the columns stands below them.
    assert [text for text in drawn(picture) if "μ" in text] == [
        "μ 0.875\nσ 1.409",
        "μ 0.750",
        "μ 0.500",
        "μ 0.750",
        "μ 1.500",
    ]
    assert "All 16 numbers, before: one mean" in picture.sentence
    assert frames(picture) == [[(0, 0, 4, 4)]]


@pytest.mark.parametrize("group", [1, 2, 3, 4])
def test_matrix_over_both_axes_marks_a_column(group):
    picture = figures.normalized_matrix(MATRIX, 2, group)
    assert picture.sentence.endswith(f"; column {group} is dotted.")
    (dotted,) = [patch for patch in picture.figure.axes[0].patches if patch.get_linestyle() == ":"]
    (left, top), (right, bottom) = dotted.get_bbox().get_points()
    assert (left - 0.07, top - 0.07, right + 0.07, bottom + 0.07) == pytest.approx((group - 1, 0, group, 4))


# What shares statistics with the entry (1, 2, 4), in how many groups, and the frame in each of two panels.
SHARED = [
    (np.s_[:, :, 4], 6, [[(4, 0, 1, 3)]] * 2),
    (np.s_[1, :, 4], 12, [[], [(4, 0, 1, 3)]]),
    (np.s_[1, :, 3:6], 4, [[], [(3, 0, 3, 3)]]),
    (np.s_[1], 2, [[], [(0, 0, 6, 3)]]),
    (np.s_[1, 2], 6, [[], [(0, 2, 6, 1)]]),
]


@pytest.mark.parametrize("axis", range(5))
def test_tensor_outlines_what_shares_statistics(axis):
    place, groups, outlined = SHARED[axis]
    numbers = TENSOR[place]
    picture = figures.normalized_tensor(TENSOR, axis, (1, 2, 4))
    assert spoken(picture) == [round(numbers.mean(), 3), round(numbers.std(), 3)]
    assert f"{numbers.size} numbers" in picture.sentence
    assert picture.sentence.endswith(f"Groups in all: {groups}.")
    assert frames(picture) == outlined


@pytest.mark.parametrize("axis", range(5))
def test_tensor_shows_each_group_normalized_after(axis):
    place, *_ = SHARED[axis]
    picture = figures.normalized_tensor(TENSOR, axis, (1, 2, 4), True)
    assert spoken(picture)[:2] == [0, 1]
    expected = TENSOR[1, 2, 4] - TENSOR[place].mean()
    shown = np.reshape(drawn(picture), TENSOR.shape)[1, 2, 4]
    assert shown == f"{expected / TENSOR[place].std():z.1f}".replace("-", "−")


@pytest.mark.parametrize(
    ("variance", "eps", "spreads"),
    [(1e-6, 1e-5, [0.302, 0.990]), (1e-8, 1e-5, [0.032, 0.909]), (1.0, 1e-8, [1.0, 1.0])],
)
def test_epsilon_place_gives_both_spreads(variance, eps, spreads):
    assert spoken(figures.epsilon_place(variance, eps)) == spreads


def test_epsilon_place_writes_powers_of_ten_by_hand():
    assert "Variance 10⁻⁶ and ε = 10⁻⁵:" in figures.epsilon_place(1e-6, 1e-5).sentence


@pytest.mark.parametrize("size", [1, 2, 16])
def test_batch_statistics_measures_the_scatter_of_the_mean(size):
    rng = np.random.default_rng(1)
    population, draws = rng.normal(5, 3, size=500), rng.integers(500, size=(300, 32))
    means = [np.mean([population[i] for i in row[:size]]) for row in draws]
    scatter, expected, _ = spoken(figures.batch_statistics(population, draws, size))
    assert scatter == pytest.approx(np.std(means) / population.std(), abs=5e-4)
    assert expected == round(size**-0.5, 3)


def test_batch_statistics_measures_the_gap_between_the_modes():
    population, draws = np.array([-1.0, 1.0]), np.array([[0, 1], [1, 0], [0, 0], [1, 1]])
    # Pairs of different numbers give the same in both modes; pairs of equal ones give 0 instead of 1 or −1.
    assert spoken(figures.batch_statistics(population, draws, 2))[-1] == 0.71
    assert spoken(figures.batch_statistics(population, draws, 1))[-1] == 1


def test_batch_statistics_puts_all_pairs_on_two_heights():
    """However close the two numbers of a pair are."""
    population, draws = np.array([0, 1e-4, 0.5, 2]), np.array([[0, 1], [1, 0], [2, 3], [3, 1]])
    _, axes = figures.batch_statistics(population, draws, 2).figure.axes
    assert axes.lines[1].get_ydata() == pytest.approx([-1, 1, -1, 1], abs=1e-3)


def test_scale_by_depth_writes_large_small_and_ordinary_numbers():
    depths = [1, 2, 3, 4]
    series = {"a": [1.0, 22.61, 0.5, 3.8e-8], "b": [0.055, 380.0, 2.4e7, 0.999]}
    sentence = figures.scale_by_depth(depths, series, "deviation", of="block", marks=[1, 2, 4]).sentence
    assert sentence == "Deviation from block 1 to 4: a, 1.0 to 3.8 × 10⁻⁸; b, 0.055 to 1.0."
    sentence = figures.scale_by_depth(depths, series, "deviation", of="block", marks=[2, 3]).sentence
    assert sentence == "Deviation from block 2 to 3: a, 23 to 0.50; b, 3.8 × 10² to 2.4 × 10⁷."


def test_accuracy_by_rate_gives_the_mean_of_the_runs():
    sentence = figures.accuracy_by_rate([0.5, 2], {"none": [[0.9, 0.1], [1.0, 0.2]], "BatchNorm": [[1, 1]]}).sentence
    assert sentence == "Mean accuracy at the rates 0.5, 2: none 0.95, 0.15; BatchNorm 1.00, 1.00."


def test_centred_or_not_moves_only_rms_norm():
    near, far = (spoken(figures.centred_or_not([2, -1.5, 0.5, 3], offset)) for offset in (0, 10))
    layer, rms = slice(5, 9), slice(10, 14)
    assert near[layer] == far[layer] == [0.59, -1.47, -0.29, 1.18]
    assert near[rms] == [1.02, -0.76, 0.25, 1.52]
    assert min(far[rms]) > 0.7


@pytest.mark.parametrize("offset", [-10, 0, 10])
def test_centred_or_not_draws_the_inputs_and_both_outputs(offset):
    features = np.array([2, -1.5, 0.5, 3])
    above, below = figures.centred_or_not(features, offset).figure.axes
    heights = [bar.get_height() for axes in (above, below) for bar in axes.patches]
    centred = features - 1
    raised = features + offset
    expected = [raised, centred / features.std(), raised / np.sqrt((raised**2).mean())]
    assert heights == pytest.approx(np.concatenate(expected), abs=1e-4)
    assert above.get_ylim()[0] < raised.min()
    assert raised.max() < above.get_ylim()[1]


def test_wiring_has_the_norm_after_the_sum_and_before_the_sublayer():
    post, pre = (
        [text.get_text() for text in sorted(axes.texts, key=lambda text: text.get_position()[0])]
        for axes in figures.residual_wiring().figure.axes
    )
    order = ["sublayer", "+", "norm", "final norm"]
    assert [text for text in post if text in order] == ["sublayer", "+", "norm"]
    assert [text for text in pre if text in order] == ["norm", "sublayer", "+", "final norm"]


@pytest.mark.parametrize(("axis", "most"), [(0, 2), (1, 3), (2, 2)])
def test_matrix_has_no_more_groups_than_rows_or_columns(axis, most):
    x = [[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]]
    figures.normalized_matrix(x, axis, most)
    with pytest.raises(ValueError, match=f"group is {most + 1}, expected 1 to {most}"):
        figures.normalized_matrix(x, axis, most + 1)
