"""The small drawings of the chapters: without words, and what their sentence says of them."""

import pytest

from lossprimer import figures

EXAMPLES = {"emblem": ("dropout",)}
TOOLS = ["softmax", "cross-entropy", "dropout", "normalization", "transformer"]


@pytest.mark.parametrize("tool", TOOLS)
def test_an_emblem_has_no_words_and_one_sentence(tool):
    picture = figures.emblem(tool)
    assert "<text" not in picture.svg()
    assert picture.sentence.endswith(".")


def test_half_of_the_units_are_silent():
    lines = figures.emblem("dropout").figure.axes[0].lines
    assert [line.get_marker() for line in lines].count("x") == 18 == len(lines) / 2


def test_another_tool_is_refused():
    with pytest.raises(ValueError, match="tool is 'relu', expected one of softmax, cross-entropy, dropout"):
        figures.emblem("relu")
