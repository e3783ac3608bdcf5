"""The package's page: all public names, every check as a function, and references that share one page."""

import re
from pathlib import Path

from bs4 import BeautifulSoup

import lossprimer
from lossprimer import checks, explorer
from tests.building import build
from theme.docstrings import without_footnotes

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "book" / "api.md").read_text("utf-8")
# An example and what it shows, to the next empty line or the end of its docstring.
EXAMPLE = re.compile(r'^( *)>>> .+(?:\n\1(?! *""").+)*', re.MULTILINE)


def test_the_page_lists_every_public_name_once():
    listed = re.findall(r"\.\. auto(?:function|class):: (?:lossprimer\.explorer\.)?(\w+)$", PAGE, re.MULTILINE)
    assert sorted(listed) == sorted([*lossprimer.__all__, *set(explorer.__all__) - {"Explorer"}])


def test_the_page_shows_every_check_with_its_arguments_and_its_words(tmp_path):
    settings = {"extensions": ["sphinx.ext.autodoc", "sphinx.ext.napoleon", "theme.docstrings"]}
    (section,) = re.findall(r"^\.\. automodule:: lossprimer\.checks\n   :members:$", PAGE, re.MULTILINE)
    (tmp_path / "index.rst").write_text(section, "utf-8")
    assert build(tmp_path, tmp_path / "out", settings) == ""
    page = BeautifulSoup((tmp_path / "out" / "index.html").read_text("utf-8"), "html.parser")
    shown = {entry["id"]: entry.parent.get_text() for entry in page.select("dt.sig[id]")}
    for name in checks.__all__:
        text = shown[f"lossprimer.checks.{name}"]
        if name not in ("CheckFailed", "Report"):
            assert f"{name}(f: Callable, *, rng: Generator | None = None) → Report" in text
            assert f"{getattr(checks, name).usage}, " in text


def test_references_become_a_list_and_their_marks_plain_numbers():
    lines = ["As in [1]_ and [2]_.", "", "References", "----------", ".. [1] One,", "    its end.", ".. [2] Two.", ""]
    assert without_footnotes(lines) == [
        "As in [1] and [2].", "", "References", "----------", "1. One, its end.", "2. Two.", "",
    ]  # fmt: skip


def test_other_lines_stay_as_they_are():
    lines = ["A summary.", "", "    x = a[1]", ".. math:: x_1", "          + 1"]
    assert without_footnotes(lines) == lines


def test_an_example_fits_the_box_it_is_shown_in():
    # 1,280 px hold 72 letters beside the contents, and a box in a list a few less than one in the text.
    found = [
        match for path in (ROOT / "lossprimer").rglob("*.py") for match in EXAMPLE.finditer(path.read_text("utf-8"))
    ]
    examples = [line.removeprefix(example[1]) for example in found for line in example[0].splitlines()]
    assert len(examples) > 200
    assert [line for line in examples if len(line) > 70] == []
