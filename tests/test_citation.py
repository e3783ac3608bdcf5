"""How the book is cited stands in one file; a page shows it as text and as BibTeX, with the addresses known."""

import re
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup

from tests.building import build
from tests.waiting import expect
from theme.citation import as_bibtex, as_text, read

ROOT = Path(__file__).parent.parent
CFF = """cff-version: 1.2.0
title: "Sums & 100 % of _terms_"
authors:
  - name: "A group and friends"
  - given-names: Ada
    family-names: Example
    name-particle: de
version: 1.2.0
date-released: 2031-09-05
"""
SETTINGS = {"extensions": ["myst_parser", "theme.pages", "theme.citation"]}
SETTINGS |= {"source_suffix": {".md": "markdown"}, "book_citation": "CITATION.cff", "copyright": "nobody"}


def test_the_text_has_authors_year_title_version_and_day():
    assert as_text(read(CFF)) == (
        "A group and friends, Ada de Example (2031). ",
        "Sums & 100 % of _terms_",
        ", version 1.2.0, 5 September 2031.",
    )


def test_the_bibtex_keeps_names_capitals_and_signs():
    assert as_bibtex(read(CFF), "https://example.org/a_b/").splitlines() == [
        "@misc{sums-100-of-terms-2031,",
        "  author = {{A group and friends} and de Example, Ada},",
        r"  title  = {{Sums \& 100 \% of \_terms\_}},",
        "  year   = {2031},",
        "  month  = sep,",
        "  note   = {Version 1.2.0},",
        "  url    = {https://example.org/a_b/},",
        "}",
    ]
    assert "url" not in as_bibtex(read(CFF))


@pytest.mark.parametrize("name", ["authors", "title", "version", "date-released"])
def test_what_a_citation_needs_and_lacks_is_named(name):
    left = yaml.safe_dump({key: value for key, value in yaml.safe_load(CFF).items() if key != name})
    with pytest.raises(ValueError, match=f"lacks {name}$"):
        read(left)


def written(folder, settings, cff=CFF):
    """Build a book of one page that shows its entry; returns that page and what was warned of."""
    source = folder / "source"
    source.mkdir(exist_ok=True)
    (source / "index.md").write_text("# Book\n\n```{citation}\n```\n", "utf-8")
    (source / "CITATION.cff").write_text(cff, "utf-8")
    warnings = build(source, folder / "html", SETTINGS | settings)
    page = BeautifulSoup((folder / "html" / "index.html").read_text("utf-8"), "html.parser")
    return page.select_one("[role=main]"), warnings


def links(page):
    return [link["href"] for link in page.select("blockquote a")]


def test_a_page_links_what_is_known_and_follows_the_file(tmp_path):
    page, warnings = written(tmp_path, {"book_repository": ""})
    assert warnings == ""
    assert " ".join(page.blockquote.get_text().split()) == "".join(as_text(read(CFF)))
    assert page.pre.get_text().strip() == as_bibtex(read(CFF))
    assert links(page) == []
    known = {"html_baseurl": "https://example.org/course/", "book_repository": "owner/name"}
    page, _ = written(tmp_path, known)
    assert links(page) == ["https://example.org/course/", "https://github.com/owner/name"]
    assert "url    = {https://example.org/course/}" in page.pre.get_text()
    page, _ = written(tmp_path, known, CFF.replace("1.2.0\ndate", "1.3.0\ndate"))
    assert "version 1.3.0" in page.blockquote.get_text()


def test_a_book_without_such_a_file_is_reported(tmp_path):
    _, warnings = written(tmp_path, {"book_citation": "missing.cff"})
    assert "book_citation is 'missing.cff', expected the path of a CITATION.cff" in warnings


@pytest.mark.site
def test_the_front_page_has_the_entry_and_it_can_be_copied(visit):
    entry = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    page = visit("book/intro.html", permissions=["clipboard-read", "clipboard-write"])
    section = page.locator("#how-can-you-cite-it")
    said = section.locator("blockquote").inner_text()
    for part in (entry["title"], entry["authors"][0]["name"], str(entry["version"]), str(entry["date-released"].year)):
        assert part in said
    section.get_by_role("button", name=re.compile("^Copy code .*@misc")).click()
    expect(section.get_by_role("button", name=re.compile("^Copied"))).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("@misc{")
    assert "Loss \\& Stability Primer" in copied
