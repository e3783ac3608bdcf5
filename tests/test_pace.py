"""How long a section takes stands below its heading, and only in a chapter."""

import pytest
from bs4 import BeautifulSoup
from docutils import nodes

from tests.building import build
from theme.disclosure import disclosure, summary
from theme.pace import content, minutes

ASKED = '.. raw:: html\n\n   <div class="prediction"></div>\n\n'
SETTINGS = {"extensions": ["theme.pace"]}


@pytest.mark.parametrize(
    ("words", "lines", "questions", "expected"),
    [(0, 0, 0, 1), (300, 0, 0, 2), (300, 30, 0, 4), (1000, 0, 4, 8), (900, 0, 1, 5)],
)
def test_words_code_and_questions_take_time(words, lines, questions, expected):
    assert minutes(words, lines, questions) == expected


def test_code_counts_where_it_is_seen():
    def cell(code):
        return nodes.container("", nodes.literal_block("", code), nb_element="cell_code_source")

    part = nodes.section(
        "", cell("a = 1\nb = 2"), disclosure("", summary("", "Code"), cell("c = 3")), cell("predict('')")
    )
    assert content(part) == {"words": 0, "lines": 2, "questions": 0}


def page_of(folder, name):
    return BeautifulSoup((folder / "html" / f"{name}.html").read_text("utf-8"), "html.parser")


def test_each_section_of_a_chapter_says_what_it_takes(tmp_path):
    text = f"Page\n====\n\n{'Word ' * 100}.\n\nOne\n---\n\n{'Word ' * 600}.\n\n"
    rest = f"Part\n~~~~\n\nText.\n\nTwo\n---\n\nText.\n\n{ASKED}"
    (tmp_path / "index.rst").write_text(f"{text}{ASKED * 4}{rest}", "utf-8")
    (tmp_path / "short.rst").write_text(f":orphan:\n\n{text}{ASKED * 3}{rest}", "utf-8")
    assert build(tmp_path, tmp_path / "html", SETTINGS) == ""
    said = {
        name: {
            line.find_previous(["h1", "h2", "h3"]).get_text()[:3]: line.get_text()
            for line in page_of(tmp_path, name).select(".section-time")
        }
        for name in ("index", "short")
    }
    # Four questions in all are no chapter.
    assert said == {"index": {"One": "6 min, 4 predictions", "Two": "1 min, 1 prediction"}, "short": {}}


def test_a_part_that_may_be_skipped_counts_for_itself_alone(tmp_path):
    text = f"Page\n====\n\nOne\n---\n\nText.\n\n{ASKED * 4}Part\n~~~~\n\n{'Word ' * 600}.\n\n{ASKED * 2}"
    (tmp_path / "index.rst").write_text(text, "utf-8")
    settings = SETTINGS | {"extensions": ["theme.pace", "theme.aside"], "asides": ["index#part"]}
    assert build(tmp_path, tmp_path / "html", settings) == ""
    page = page_of(tmp_path, "index")
    assert [line.get_text() for line in page.select(".section-time")] == ["3 min, 4 predictions"]
    assert page.select_one("details.aside > summary > span").get_text() == "5 min, may be skipped"
