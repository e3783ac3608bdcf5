"""The package's page: all public names, and references that share one page."""

import re
from pathlib import Path

import lossprimer
from lossprimer import explorer
from theme.docstrings import without_footnotes

PAGE = (Path(__file__).parent.parent / "book" / "api.md").read_text("utf-8")


def test_the_page_lists_every_public_name_once():
    listed = re.findall(r"\.\. auto(?:function|class):: (?:lossprimer\.explorer\.)?(\w+)$", PAGE, re.MULTILINE)
    assert sorted(listed) == sorted([*lossprimer.__all__, *set(explorer.__all__) - {"Explorer"}])


def test_references_become_a_list_and_their_marks_plain_numbers():
    lines = ["As in [1]_ and [2]_.", "", "References", "----------", ".. [1] One,", "    its end.", ".. [2] Two.", ""]
    assert without_footnotes(lines) == [
        "As in [1] and [2].", "", "References", "----------", "* [1] One, its end.", "* [2] Two.", "",
    ]  # fmt: skip


def test_other_lines_stay_as_they_are():
    lines = ["A summary.", "", "    x = a[1]", ".. math:: x_1", "          + 1"]
    assert without_footnotes(lines) == lines
