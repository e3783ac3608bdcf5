"""The primer in ten minutes: short, with a picture for each tool and a link behind each claim, its numbers computed."""

import re
from pathlib import Path

import numpy as np
import pytest
from page_numbers import unsupported

import lossprimer as lp
from tools import notebooks, prose

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "book" / "ten-minutes.md").read_text("utf-8")
CELL = re.compile(r"^```\{code-cell\} python\n(?::tags: [^\n]*\n)?(.*?)^```\n", re.MULTILINE | re.DOTALL)
TERM = re.compile(r"\{term\}`([^`<]+?)(?: <[^`]+>)?`")
PARTS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
TOOLS = ["1. Softmax", "2. Cross-entropy", "3. Dropout", "4. Normalization"]
MOST_WORDS = 350

COMPUTED = {
    "1. Softmax": "np.exp(2), [share(2, n) for n in (2, 10, 50_000)], np.exp(1), np.log(np.finfo(np.float32).max)",
    "2. Cross-entropy": "lp.cross_entropy(np.zeros(10), 0), lp.cross_entropy(np.zeros(50_257), 0)",
    "3. Dropout": "0.1",
    "4. Normalization": "",
}

each_tool = pytest.mark.parametrize("tool", TOOLS)


def share(lead, classes):
    return lp.softmax(lead * lp.one_hot(0, classes))[0]


def cells(tool):
    return CELL.findall(PARTS[tool])


def paragraphs(tool):
    return [block for block in CELL.sub("\n", PARTS[tool]).split("\n\n") if block.strip() and "$$" not in block]


def words(tool):
    """Return how many words a reader sees outside of pictures: those of the text, and those of its questions."""
    asked = [text for cell in cells(tool) for text in re.findall(r'"([^"]*)"', cell) if cell.startswith("predict(")]
    plain = TERM.sub(r"\1", "\n\n".join(paragraphs(tool)))
    return sum(len(re.findall(r"\w[\w'’.,-]*", text)) for text in [*prose.prose(plain), *asked])


def test_the_tools_come_in_order():
    assert list(PARTS)[:4] == TOOLS


@each_tool
def test_a_tool_takes_few_words(tool):
    assert 150 < words(tool) <= MOST_WORDS


@each_tool
def test_each_paragraph_has_a_link_to_where_it_is_shown(tool):
    chapter = f"../notebooks/0{tool[0]}_"
    assert [block for block in paragraphs(tool) if f"]({chapter}" not in block] == []


@each_tool
def test_the_numbers_are_computed(tool):
    assert unsupported("\n\n".join(paragraphs(tool)), COMPUTED[tool], globals()) == []


@each_tool
def test_each_tool_has_steps_and_a_question_before_its_answer(tool):
    (steps,) = [cell for cell in cells(tool) if "steps(" in cell]
    (asked,) = [place for place, cell in enumerate(cells(tool)) if cell.startswith("predict(")]
    assert re.match(r"(names = |explore\(|steps\()", cells(tool)[asked + 1]), steps


def test_there_are_three_sliders_and_all_are_those_of_the_chapters():
    titles = re.findall(r'(?:title=|steps\()"(.+?)"', PAGE)
    chapters = [notebooks.load(path) for path in notebooks.CHAPTERS.glob("*.ipynb")]
    sources = "".join(cell.source for chapter in chapters for cell in chapter.cells)
    assert len(titles) == 7
    assert len(re.findall(r"^explore\(", PAGE, re.MULTILINE)) == 3
    assert [title for title in titles if f'"{title}"' not in sources] == []


def test_a_wrong_number_and_a_paragraph_without_words_are_seen():
    assert unsupported("A lead of 2 is 7.4 times as much, or 46 %.", COMPUTED["1. Softmax"], globals()) == ["46 %"]
    assert np.isclose(share(2, 2), 1 / (1 + np.exp(-2)))
