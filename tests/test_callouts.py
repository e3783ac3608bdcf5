"""What speaks of something else than the text is known by its first words, and a verdict by its own."""

import pytest
from bs4 import BeautifulSoup

from conftest import PAGES
from tests.building import build
from tests.parsed import read
from theme.callouts import kind, verdict

DRAMA = """Page
====

    **Popular account.** "Everybody gets 90 %."

    **Verdict: half true.** With two classes it is 88 %.

Between.

    **Popular account.** "A claim by itself."

Between.

    **In a Transformer.** The same.

Between.

    A quotation. **Verdict: wrong.** It is none.
"""


@pytest.mark.parametrize(
    ("opening", "expected"),
    [
        ("Popular account.", "account"),
        ("Verdict: wrong.", "account"),
        ("What is in dispute.", None),
        ("In a Transformer.", "transformer"),
        ("Caution.", "caution"),
        ("A trap between libraries.", None),
    ],
)
def test_a_quotation_is_known_by_its_first_words(opening, expected):
    assert kind(opening) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Verdict: wrong.", "wrong"),
        ("Verdict: half true.", "half-true"),
        ("Verdict: disputed.", "disputed"),
        ("Verdict: true with a condition.", "true"),
        ("Verdict: needs a condition.", "true"),
        ("Verdict: truer than most.", None),
        ("Verdict: misleading.", None),
        ("Wrong.", None),
    ],
)
def test_a_verdict_is_known_by_its_words(words, expected):
    assert verdict(words) == expected


def test_a_page_marks_its_callouts_and_no_other_quotation(tmp_path):
    (tmp_path / "index.rst").write_text(DRAMA, "utf-8")
    assert build(tmp_path, tmp_path / "html", {"extensions": ["theme.callouts"]}) == ""
    page = BeautifulSoup((tmp_path / "html" / "index.html").read_text("utf-8"), "html.parser")
    assert [quotation.get("class") for quotation in page.select("blockquote")] == [
        ["account"],
        ["account"],
        ["transformer"],
        None,
    ]
    (mark,) = page.select(".verdict")
    assert (mark.name, mark["class"], mark.get_text()) == ("strong", ["verdict", "half-true"], "Verdict: half true.")


@pytest.mark.site
def test_every_account_of_the_course_is_marked():
    """And each that speaks of a claim in its own paragraph has a verdict that the style sheet knows."""
    found = 0
    for name in PAGES:
        for quotation in read(name).select("main blockquote"):
            bold = quotation.select_one("p:first-child > strong:first-child")
            if bold and "popular account" in bold.get_text().lower():
                found += 1
                assert quotation["class"] == ["account"], bold
            for strong in quotation.select("p > strong:first-child"):
                if strong.get_text().startswith("Verdict"):
                    assert "verdict" in strong.get("class", []), strong
    assert found
