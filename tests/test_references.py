"""Every work that the page of references lists is cited, and every work that is cited is listed."""

import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest
from bs4 import BeautifulSoup

from tests.building import build

ROOT = Path(__file__).parent.parent
LISTED = (ROOT / "book" / "references.bib").read_text("utf-8")
TEXTS = {
    path.relative_to(ROOT).as_posix(): unquote(path.read_text("utf-8"))
    for pattern in (
        "notebooks/*.ipynb",
        "exercises/source/*/*.ipynb",
        "book/*.md",
        "lossprimer/**/*.py",
        "experiments/*.py",
    )
    for path in ROOT.glob(pattern)
}
# A DOI, or the number of a paper on arXiv, by which its DOI is known as well.
DOI = re.compile(r"\b10\.\d{4,9}/(?:\([^()\s]*\)|[^\s\"\\()\]}{,`])+")
ARXIV = re.compile(r"\barxiv(?:\.org/abs/|[:.])\s?(\d{4}\.\d{4,5})", re.IGNORECASE)


@cache  # every other text is compared with what is listed
def works(text):
    """Return what a text cites: DOIs, those of arXiv by the paper's number alone."""
    found = {match.group().rstrip(".;:") for match in DOI.finditer(text)}
    return {doi for doi in found if "arXiv" not in doi} | set(ARXIV.findall(text))


@cache
def entries():
    """Return the fields of each listed work, by its key."""
    texts = re.findall(r"^@\w+\{(\w+),(.*?)^\}", LISTED, re.DOTALL | re.MULTILINE)
    return {key: dict(re.findall(r"^\s*(\w+)\s*=\s*\{(.*)\},?$", text, re.MULTILINE)) for key, text in texts}


@pytest.mark.parametrize("key", entries())
def test_a_listed_work_is_cited(key):
    fields = entries()[key]
    names = [fields[name].replace("\\_", "_") for name in ("doi", "eprint", "url") if name in fields]
    assert names
    assert any(name in text for name in names for text in TEXTS.values())


@pytest.mark.parametrize("name", TEXTS)
def test_a_cited_work_is_listed(name):
    listed = works(LISTED) | {fields["eprint"] for fields in entries().values() if "eprint" in fields}
    assert works(TEXTS[name]) - listed == set()


def test_the_entries_are_in_the_order_of_their_keys():
    assert list(entries()) == sorted(entries())


def test_what_is_cited_is_found():
    text = "[a](https://doi.org/10.1162/neco.1995.7.1.108), doi:10.48550/arXiv.1706.03762; arXiv:1502.03167."
    text += " (10.1000/a-b(1)c)"
    assert works(text) == {"10.1162/neco.1995.7.1.108", "1706.03762", "1502.03167", "10.1000/a-b(1)c"}


def test_an_entry_has_a_link_for_each_place_and_no_other(tmp_path):
    fields = {
        "a": "doi={10.48550/arXiv.1706.03762}, eprint={1706.03762}",
        "b": "doi={10.1000/b}, eprint={1706.03763}",
        "c": "url={https://example.org/c}",
    }
    works = (f"@misc{{{key}, author={{A}}, title={{T}}, year={{2000}}, {rest}}}" for key, rest in fields.items())
    (tmp_path / "a.bib").write_text("\n".join(works), "utf-8")
    (tmp_path / "index.rst").write_text(".. bibliography::\n   :all:\n", "utf-8")
    settings = {"extensions": ["sphinxcontrib.bibtex", "theme.references"], "bibtex_default_style": "primer"}
    assert build(tmp_path, tmp_path / "out", settings | {"bibtex_bibfiles": ["a.bib"]}) == ""
    page = BeautifulSoup((tmp_path / "out" / "index.html").read_text("utf-8"), "html.parser")
    assert [[link.get_text() for link in entry.select("p a")] for entry in page.select(".citation")] == [
        ["doi:10.48550/arXiv.1706.03762"],
        ["arXiv:1706.03763", "doi:10.1000/b"],
        ["https://example.org/c"],
    ]
    assert "URL" not in page.get_text()
