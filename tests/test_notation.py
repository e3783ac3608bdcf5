"""A symbol of the notation page has one meaning, and the chapters do not give it another."""

import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "book" / "notation.md").read_text("utf-8")
# What a chapter may not write, because the page gives the symbol another meaning: a formula, and the meaning.
TAKEN = {
    r"m\s*=\s*\\max": "m is a mask; write max z",
    r"\\alpha_": "α is the smoothing; attention weights are A",
    r"e\^\{?-?s\b": "s is the root in a normalization; a lead is Δ",
    r"q K\^": "K is the number of classes; keys are k_j",
}


def symbols():
    """Return the symbols of the first column, one for each time it is explained."""
    rows = re.findall(r"^\| (\$.+?\$) \|", PAGE, re.MULTILINE)
    return [symbol for row in rows for symbol in re.findall(r"\$(.+?)\$", row)]


def test_no_symbol_is_explained_twice():
    assert len(symbols()) > 25
    assert [symbol for symbol in symbols() if symbols().count(symbol) > 1] == []


@pytest.mark.parametrize("taken", TAKEN)
@pytest.mark.parametrize("chapter", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_chapter_gives_no_symbol_another_meaning(chapter, taken):
    texts = [cell.source for cell in nbformat.read(chapter, as_version=4).cells if cell.cell_type == "markdown"]
    assert [text for text in texts if re.search(taken, text)] == [], TAKEN[taken]
