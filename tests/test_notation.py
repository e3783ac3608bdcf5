"""A symbol of the notation page has one meaning, the chapters do not give it another, and all write it in one way."""

import re
from functools import cache
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
# All that has formulas: pages, chapters, problem sets, and the docstrings that make the package's page.
SOURCES = [
    path
    for pattern in ("book/**/*.md", "notebooks/*.ipynb", "exercises/source/*/*.ipynb", "lossprimer/**/*.py")
    for path in sorted(ROOT.glob(pattern))
]
# Letters that count something; other letters side by side in an index are a word, as in p_keep.
COUNTING = "ijkctns"


@cache
def texts(path):
    """Return the text cells of a notebook."""
    return [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown"]


@cache
def formulas(path):
    """Return the formulas of a file inside its lines, and those displayed."""
    text = path.read_text("utf-8")
    if path.suffix == ".ipynb":
        text = "\n\n".join(texts(path))
    elif path.suffix == ".py":
        displayed = re.findall(r"^( *)\.\. math:: (.*(?:\n(?:\1 +.*|(?= *\n)))*)", text, re.MULTILINE)
        return re.findall(r":math:`(.+?)`", text, re.DOTALL), [formula for _, formula in displayed]
    text = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    displayed = re.findall(r"\$\$(.+?)\$\$", text, re.DOTALL)
    return re.findall(r"\$(.+?)\$", re.sub(r"\$\$.+?\$\$", "", text, flags=re.DOTALL), re.DOTALL), displayed


def slanted(formula):
    """Return the words in a formula's indices and exponents that would be set in italics, like a product of letters."""
    groups = re.findall(r"[_^]\{((?:[^{}]|\{[^{}]*\})*)\}", formula)
    plain = (re.sub(r"\\(?:text|mathrm|operatorname)\{[^}]*\}|\\[a-zA-Z]+", " ", group) for group in groups)
    return [word for text in plain for word in re.findall("[a-zA-Z]{2,}", text) if set(word) - set(COUNTING)]


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
    assert [text for text in texts(chapter) if re.search(taken, text)] == [], TAKEN[taken]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_word_in_an_index_stands_upright(path):
    within, displayed = formulas(path)
    assert [formula for formula in within + displayed if slanted(formula)] == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_fraction_pushes_the_lines_of_a_text_apart(path):
    assert [formula for formula in formulas(path)[0] if re.search(r"\\[dt]?frac", formula)] == []


def test_formulas_and_the_words_in_them_are_found(tmp_path):
    (tmp_path / "a.md").write_text("By $a_{ij}$,\n$$p_{keep} = \\frac12$$\nin $x$.\n```\n$no$\n```\n", "utf-8")
    (tmp_path / "a.py").write_text('"""By :math:`x_1`:\n\n    .. math:: p\n        = 1\n\n    End."""', "utf-8")
    assert formulas(tmp_path / "a.md") == (["a_{ij}", "x"], ["p_{keep} = \\frac12"])
    assert formulas(tmp_path / "a.py")[0] == ["x_1"]
    assert [" ".join(formula.split()) for formula in formulas(tmp_path / "a.py")[1]] == ["p = 1"]
    assert slanted(r"p_{keep} + e^{-\max z} + x_{ij} + y^{\text{smooth}} + a_{\mathrm{drop}}") == ["keep"]
