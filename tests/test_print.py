"""The course on paper: every page in one document, nothing cut off, links that lead to their place."""

import pytest
from bs4 import BeautifulSoup

from conftest import SITE
from tools.pdf import ROOT, chapter, contents, document, print_pdf

NAMES = ["book/intro", "notebooks/one"]
ADDRESS = "https://example.org/name/"
# The width of A4 without its margins, in CSS pixels.
PAPER = 657


def printed(body, address=""):
    return chapter("notebooks/one", BeautifulSoup(f"<main>{body}</main>", "html.parser"), NAMES, address)


@pytest.mark.parametrize(
    ("href", "target"),
    [
        ("#a", "#notebooks.one.a"),
        ("one.html#a", "#notebooks.one.a"),
        ("../book/intro.html", "#book.intro"),
        ("../book/intro.html#what", "#book.intro.what"),
        ("https://example.com/a#b", "https://example.com/a#b"),
        ("../book/other.html#b", f"{ADDRESS}book/other.html#b"),
    ],
)
def test_a_link_leads_to_its_place_in_the_document_or_on_the_site(href, target):
    assert printed(f'<a href="{href}">x</a>', ADDRESS).a["href"] == target


def test_a_link_to_a_site_of_unknown_address_is_no_link():
    assert printed('<a href="other.html">x</a>').a.attrs == {}


def test_answers_are_open_and_names_follow_what_they_name():
    mark = '<svg stroke="#a0a0a0"><g id="m"/><use href="#m" fill="url(#m)"/></svg>'
    text = printed(f'<details><p id="a">x</p></details><b aria-labelledby="a"></b>{mark}')
    assert text.details.has_attr("open")
    assert text.p["id"] == text.b["aria-labelledby"] == "notebooks.one.a"
    assert text.svg.g["id"] == "notebooks.one.m"
    assert (text.use["href"], text.use["fill"]) == ("#notebooks.one.m", "url(#notebooks.one.m)")
    assert text.svg["stroke"] == "#a0a0a0"


@pytest.fixture(scope="module")
def paper():
    """Return the document of the built site, as text."""
    return document(SITE, contents(ROOT / "_toc.yml"))


@pytest.mark.site
def test_every_link_within_the_document_has_a_target_that_exists_once(paper):
    soup = BeautifulSoup(paper, "html.parser")
    ids = [element["id"] for element in soup.select("[id]")]
    assert len(set(ids)) == len(ids)
    links = {link["href"][1:] for link in soup.select('a[href^="#"]')}
    assert len(links) > 50
    assert links <= set(ids)
    assert soup.select('a[href]:not([href^="#"]):not([href^="http"])') == []


@pytest.mark.site
def test_the_document_has_the_type_of_the_pages(tmp_path, open_page, visit):
    (tmp_path / "paper.html").write_text(document(SITE, ["book/ten-minutes"]), "utf-8")
    site, paper = visit("book/ten-minutes.html"), open_page((tmp_path / "paper.html").as_uri())
    for part in ("h2", "h2 ~ p", ".prediction", ".explorer"):
        looks = [
            page.locator(f"main {part}").first.evaluate(
                "one => (({ font, background, padding }) => [font, background, padding])(getComputedStyle(one))"
            )
            for page in (site, paper)
        ]
        assert looks[0] == looks[1], part


@pytest.mark.site
def test_nothing_is_wider_than_the_paper(paper, tmp_path, open_page):
    (tmp_path / "paper.html").write_text(paper, "utf-8")
    page = open_page((tmp_path / "paper.html").as_uri(), viewport={"width": PAPER, "height": 900})
    page.emulate_media(media="print")
    page.evaluate("document.fonts.ready.then(() => null)")
    wide = page.locator("article :not(svg *)").evaluate_all(
        "all => all.filter(one => one.getBoundingClientRect().right > innerWidth + 1).map(one => one.outerHTML)"
    )
    assert wide == []
    assert page.locator("article button:visible, article input:visible").count() == 0
    assert page.locator("article details > :not(summary)").first.is_visible()


@pytest.mark.site
@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("name", ["book/frameworks", "book/exercises/04_normalization", "book/self-test/01_softmax"])
def test_all_that_is_folded_is_on_paper_also_without_scripts(visit, name, scripts):
    page = visit(f"{name}.html", covered=True, java_script_enabled=scripts)
    page.emulate_media(media="print")
    folds = page.locator("main details > :not(summary)")
    assert folds.count() > 5
    assert folds.evaluate_all("all => all.filter((one) => !one.checkVisibility({ contentVisibilityAuto: true }))") == []


@pytest.mark.site
def test_the_pdf_has_an_outline_and_tags(browser, tmp_path):
    (tmp_path / "a.html").write_text(document(SITE, ["book/notation", "book/references"]), "utf-8")
    print_pdf(browser, tmp_path / "a.html", tmp_path / "a.pdf", "Title")
    written = (tmp_path / "a.pdf").read_bytes()
    assert written.startswith(b"%PDF")
    for part in (b"/Outlines", b"/StructTreeRoot", b"/MarkInfo"):
        assert part in written
