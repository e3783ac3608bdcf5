"""How long a section takes stands below its heading, and only in a chapter."""

import pytest
from bs4 import BeautifulSoup

from tests.building import build
from theme.pace import minutes

ASKED = '.. raw:: html\n\n   <div class="prediction"></div>\n\n'
SETTINGS = {"extensions": ["theme.pace"], "html_theme": "basic"}


@pytest.mark.parametrize(("words", "questions", "expected"), [(0, 0, 1), (300, 0, 2), (1000, 4, 8), (900, 1, 5)])
def test_words_and_questions_take_time(words, questions, expected):
    assert minutes(words, questions) == expected


@pytest.mark.parametrize("questions", [3, 4])
def test_each_section_of_a_chapter_says_what_it_takes(tmp_path, questions):
    text = (
        f"Page\n====\n\n{'Word ' * 100}.\n\nOne\n---\n\n{'Word ' * 600}.\n\n{ASKED * questions}Part\n~~~~\n\nText.\n\n"
    )
    (tmp_path / "index.rst").write_text(f"{text}Two\n---\n\nText.\n\n{ASKED}", "utf-8")
    assert build(tmp_path, tmp_path / "html", SETTINGS) == ""
    page = BeautifulSoup((tmp_path / "html" / "index.html").read_text("utf-8"), "html.parser")
    said = {
        line.find_previous(["h1", "h2", "h3"]).get_text()[:3]: line.get_text() for line in page.select(".section-time")
    }
    # Four questions in all are no chapter.
    assert said == ({"One": "6 min, 4 predictions", "Two": "1 min, 1 prediction"} if questions == 4 else {})
