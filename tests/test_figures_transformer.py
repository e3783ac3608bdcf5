"""The pictures of the epilogue say what was recorded."""

import re
from functools import partial

import numpy as np
import pytest

from lossprimer import figures
from lossprimer.explorer.frames import pack
from lossprimer.figures.drawing import MOST_OPAQUE
from lossprimer.transformer import Transformer

# Three symbols, the separator, and two of them again: at rows 3, 4 and 5 the symbols at 0, 1 and 2 are to be copied.
TOKENS = [5, 7, 6, 0, 5, 7]
PROMPTS = {"three": [5, 7, 6]}


def evenly():
    """Return attention weights of two blocks with two heads that prefer nothing."""
    mask = np.tril(np.ones((6, 6)))
    return np.tile(mask / mask.sum(axis=-1, keepdims=True), (2, 2, 1, 1))


# The list 5, 7, 6, the separator, and the questions what came after 7 and after 5.
RECALL = [5, 7, 6, 0, 7, 5]


EXAMPLES = {
    "accuracy_by_arm": ({"none": [0.5]}, 0.1),
    "copied_symbols": ({("three", 1): [PROMPTS["three"]]}, PROMPTS, 1, "three"),
    "copying_attention": ({0: evenly()}, TOKENS, 0),
    "next_token": ({0: (evenly(), np.full((6, 8), 1 / 8))}, TOKENS[:5], 0),
    "recalling_attention": (evenly(), RECALL),
    "training_loss": ({"none": [np.linspace(3, 1, 20)]}, 12),
    "transformer_slots": (),
    "written": (Transformer(12, 16, rng=np.random.default_rng(0)).eval(), [3, 1, 4], 1, 1),
}


@pytest.fixture(scope="module")
def slots():
    return figures.transformer_slots()


def test_slots_mark_each_tool_by_a_word(slots):
    texts = [text.get_text().replace("\n", " ") for text in slots.figure.axes[0].texts]
    marked = {
        kind: [text for text in texts if text.endswith(kind)] for kind in ("always", "usually", "optional", "not here")
    }
    assert marked == {
        "always": ["softmax: always"] * 2,
        "usually": ["norm: usually"] * 2 + ["final norm: usually", "cross-entropy: usually"],
        "optional": ["dropout: optional"] * 5,
        "not here": ["batch norm: not here"],
    }


def test_slots_look_different_without_colour(slots):
    axes = slots.figure.axes[0]
    frames = {}
    for text, patch in zip(
        [text for text in axes.texts if ":" in text.get_text() and "after" not in text.get_text()],
        [patch for patch in axes.patches if patch.get_linewidth() > 1],
        strict=True,
    ):
        kind = text.get_text().split(":")[1].strip()
        frames.setdefault(kind, set()).add((patch.get_linestyle(), patch.get_linewidth()))
    assert all(len(looks) == 1 for looks in frames.values())
    assert len({look for looks in frames.values() for look in looks}) == len(frames) == 4


def test_the_sentence_of_the_slots_names_every_kind_and_tool(slots):
    sentence = slots.sentence
    for part in ("query, key and value", "linear output layer", "skip connection", "last linear layer"):
        assert part in sentence
    assert re.findall(r"(Always|Usually|Optional|Not here):", sentence) == ["Always", "Usually", "Optional", "Not here"]
    always, usually, optional, absent = re.split(r"Always:|Usually:|Optional:|Not here:", sentence)[1:]
    assert "softmax" in always
    assert "norm" in usually
    assert "outside the model, cross-entropy" in usually
    assert "dropout" in optional
    assert "batch normalization" in absent


def test_training_loss_gives_start_end_and_the_price_of_a_guess():
    falling = np.linspace(3, 1, 21)
    sentence = figures.training_loss({"dropout": [falling, falling + 0.2], "none": [falling / 2]}, 12).sentence
    assert sentence == (
        "Mean loss of 2 and 1 runs, at the first and in the last 10 of 21 steps: dropout 3.10 and 1.550; none 1.50 and"
        " 0.725. A uniform guess among 12 tokens costs 2.48."
    )


def test_training_loss_draws_a_point_for_about_each_pixel():
    runs = np.linspace(3, 1, 1000) + np.arange(3)[:, None]
    line, _ = figures.training_loss({"dropout": runs}, 12).figure.axes[0].lines
    steps = line.get_xdata()
    assert (steps[0], steps[-1], len(steps)) == (1, 1000, 101)
    assert line.get_ydata() == pytest.approx(runs.mean(axis=0)[steps - 1])


@pytest.fixture(scope="module")
def attention():
    return figures.copying_attention({0: evenly()}, TOKENS, 0)


def test_attention_that_prefers_nothing_is_spread_evenly(attention):
    assert attention.sentence == (
        "After 0 steps the symbol to be copied gets, on average, this share of each head's attention: 21 and 21 %"
        " in block 1, 21 and 21 % in block 2. Spread evenly it would get 21 %."
    )


def test_attention_is_read_off_at_the_symbol_to_be_copied():
    weights = np.zeros((2, 2, 6, 6))
    weights[..., [3, 4, 5], [0, 1, 2]] = [[[0.5, 0.7, 0.9], [0, 0, 0]], [[0.1, 0.3, 0.5], [0.9, 0.7, 0.8]]]
    picture = figures.copying_attention({10: evenly(), 20: weights}, TOKENS, 20)
    assert picture.sentence.startswith("After 20 steps")
    assert "70 and 0 % in block 1, 30 and 80 % in block 2" in picture.sentence
    panels = picture.figure.axes[:4]
    assert [axes.get_title() for axes in panels] == [
        "block 1, head 1: 70 %",
        "block 1, head 2: 0 %",
        "block 2, head 1: 30 %",
        "block 2, head 2: 80 %",
    ]
    for axes, tenths in zip(panels, ["579", "", "135", "978"], strict=True):
        (frames,) = (patch for patch in axes.patches if patch.get_facecolor()[3] == 0)
        assert boxes(frames) == [(0, 0, 1, 1), (1, 1, 1, 1), (2, 2, 1, 1)]
        (rows,) = (patch for patch in axes.patches if patch.get_alpha() == 0.03)
        assert boxes(rows) == [(0, 0, 4, 1), (0, 1, 5, 1), (0, 2, 6, 1)]  # what the last three positions may look at
        shades = [patch.get_alpha() for patch in axes.patches if patch not in (frames, rows)]
        assert [shade for shade in shades if shade > 0.03] == [MOST_OPAQUE * int(digit) / 10 for digit in tenths]
        assert digits(axes) == [(digit, place + 0.5, place + 0.5) for place, digit in enumerate(tenths)]


def boxes(patch):
    """Return the rectangles of a shape: left, bottom, width and height."""
    corners = patch.get_path().vertices.reshape(-1, 5, 2)
    return [(*low, *high - low) for low, high in zip(corners.min(axis=1), corners.max(axis=1), strict=True)]


def digits(axes):
    """Return the digits in the cells, and where they stand."""
    return [(text.get_text(), *text.get_position()) for text in axes.texts if text.get_text().isdigit()]


def test_each_weight_of_attention_can_be_read_in_tenths():
    weights = np.zeros((2, 2, 6, 6))
    weights[1, 0, 4, :5] = [0.04, 0.1, 0.3, 1.0, 0.09]
    weights[1, 1, 4, :4] = [0, 0.29, 0.999, np.float32(0.7)]  # which is a little less
    _, _, *axes, _ = figures.copying_attention({0: weights}, TOKENS, 0).figure.axes
    expected = [("1", 1.5, 1.5), ("3", 2.5, 1.5), ("9", 3.5, 1.5)], [("2", 1.5, 1.5), ("9", 2.5, 1.5), ("7", 3.5, 1.5)]
    assert tuple(map(digits, axes)) == expected


def test_attention_has_a_key_of_its_shades_and_digits(attention):
    *_, key = attention.figure.axes
    texts = [text.get_text() for text in key.texts]
    said = [float(text.removesuffix(" %").removeprefix("≥ ")) / 100 for text in texts[1::2]]
    assert [patch.get_alpha() for patch in key.patches] == [MOST_OPAQUE * part for part in said]
    assert [int(digit) / 10 for digit in texts[::2]] == said


def test_attention_names_the_tokens(attention):
    axes = attention.figure.axes[2]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["5", "7", "6", "|", "5", "7"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["|", "5", "7"]


def test_copied_symbols_counts_and_frames_what_is_wrong():
    samples = np.tile(PROMPTS["three"], (10, 1))
    samples[0, 1], samples[3, 0], samples[8] = 0, 9, 1
    picture = figures.copied_symbols({("three", 2): samples}, PROMPTS, 2, "three")
    assert picture.sentence == (
        "T = 2: 16 of 18 symbols are copied correctly; wrong ones are framed. The first sample is 5 | 6. Over 10"
        " samples 83 % of the symbols are right."
    )
    frames = [patch for patch in picture.figure.axes[0].patches if patch.get_alpha() > 0.5]
    assert [(round(frame.get_x()), round(frame.get_y())) for frame in frames] == [(1, 1), (0, 4)]


def test_accuracy_by_arm_gives_mean_and_range():
    sentence = figures.accuracy_by_arm({"pre-LN": [0.9, 1.0], "none": [0.25]}, 1 / 11).sentence
    assert sentence == (
        "Accuracy, mean and range of the runs: pre-LN 0.95 (0.90 to 1.00); none 0.25. A guess gets 0.09."
    )


class Copier(Transformer):
    """A model that is nearly sure of the symbol `length` // 2 + 1 places back."""

    def __init__(self):
        super().__init__(12, 16, rng=np.random.default_rng(0))

    def __call__(self, tokens):
        tokens = np.asarray(tokens)
        back = [tokens[:, max(place - 8, 0)] for place in range(tokens.shape[1])]
        return 9.0 * (np.stack(back, axis=1)[..., None] == np.arange(12))


@pytest.mark.parametrize(
    ("prompt", "copied", "right"),
    [([3, 1, 4, 1, 5, 9, 2, 6], "3 1 4 1 5 9 2 6", 8), ([3, 1], "3 3", 1), ([7] * 12, "7 7 7 7 7 7 7 7 | 7 7 7", 11)],
)
def test_written_says_what_is_right_for_a_prompt_of_any_length(prompt, copied, right):
    picture = figures.written(Copier().eval(), prompt, 0.01, 1)
    assert f"the model writes {copied}: {right} right" in picture.sentence
    assert "with probabilities from 1.000 to 1.000" in picture.sentence
    assert ("learned to copy 8" in picture.sentence) == (len(prompt) != 8)


def test_written_frames_what_is_wrong_and_shows_the_shares():
    model = Transformer(12, 16, rng=np.random.default_rng(0)).eval()
    picture = figures.written(model, [3, 1, 4], 5, 1)
    axes = picture.figure.axes[0]
    asked = [text.get_text() for text in axes.texts if text.get_fontweight() == "bold"]
    assert asked == ["3", "1", "4"]
    heights = [patch.get_height() for patch in axes.patches if patch.get_facecolor()[3]]
    assert 0.04 < min(heights) <= max(heights) < 0.2
    framed = len(axes.patches) - len(heights)
    assert f"{3 - framed} right" in picture.sentence


def test_written_needs_a_prompt():
    with pytest.raises(ValueError, match="prompt has no symbols"):
        figures.written(Copier(), [], 1, 1)


def drawings(explorer_of, values):
    """How each picture is made from the first one."""
    return pack([explorer_of(value).svg("picture-") for value in values])


def test_pictures_of_attention_have_the_same_marks():
    sharp = np.zeros((2, 2, 6, 6))
    sharp[:, :, [3, 4, 5], [0, 1, 2]] = 1
    snapshots = {0: evenly(), 1: sharp}
    (shape,) = drawings(partial(figures.copying_attention, snapshots, TOKENS), snapshots)
    assert shape["of"] == [0, 1]
    assert shape["marks"]


def test_pictures_of_samples_have_the_same_marks():
    right = np.tile(PROMPTS["three"], (10, 1))
    samples = {("three", 1): right, ("three", 2): np.where(np.arange(3) == 1, 9, right)}
    (shape,) = drawings(partial(figures.copied_symbols, samples, PROMPTS, prompt="three"), (1, 2))
    assert shape["of"] == [0, 1]
    assert len([mark for mark in shape["marks"] if mark[1] == "opacity"]) == 6


def test_recalling_attention_shows_the_head_that_looks_one_back_and_the_one_that_finds_the_answer():
    weights = np.zeros((2, 2, 6, 6))
    weights[0, 1, [1, 2], [0, 1]] = [0.5, 0.7]
    weights[1, 0, [4, 5], [2, 1]] = [0.9, 0.3]
    picture = figures.recalling_attention(weights, RECALL)
    assert picture.sentence == (
        "The weight on the framed cells, on average, of the head that gives most: block 1, the list: one back, 60 %;"
        " block 2, the questions: the answer, 60 %."
    )
    expected = [[("5", 0.5, 0.5), ("7", 1.5, 1.5)], [("9", 2.5, 0.5), ("3", 1.5, 1.5)]]
    for axes, cells in zip(picture.figure.axes, expected, strict=False):
        (frames,) = (patch for patch in axes.patches if patch.get_facecolor()[3] == 0)
        assert boxes(frames) == [(x - 0.5, y - 0.5, 1, 1) for _, x, y in cells]
        assert digits(axes) == cells


def test_the_next_token_is_the_one_after_the_last_that_was_copied():
    weights, probabilities = evenly(), np.full((6, 8), 1 / 16)
    # Read 5, 7, 6, the separator and 5: the next is the 7 at place 1.
    weights[0, :, 4, :5] = [[0.1, 0.6, 0.1, 0.1, 0.1], [0.05, 0.8, 0.05, 0.05, 0.05]]
    probabilities[4, 7] = 9 / 16
    said = figures.next_token({20: (weights, probabilities)}, TOKENS[:5], 20).sentence
    assert said == (
        "After 20 steps the model gives 0.562 to the right token, 7, and the first block looks at the 7 to be copied"
        " with a weight of 0.700."
    )
