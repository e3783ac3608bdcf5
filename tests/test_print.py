"""The course on paper: every page in one document, nothing cut off, links that lead to their place."""

import pytest
from bs4 import BeautifulSoup

from conftest import SITE, opening
from tools.pdf import MARGINS, ROOT, chapter, contents, document, print_pdf

NAMES = ["book/intro", "notebooks/one"]
ADDRESS = "https://example.org/name/"
# A4 without its margins, in CSS pixels.
PAPER, HEIGHT = 657, 986


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
def paper(browser, tmp_path_factory):
    """Open the document of the built site as it is printed, once: it is as long as all pages."""
    path = tmp_path_factory.mktemp("paper") / "paper.html"
    path.write_text(document(SITE, contents(ROOT / "_toc.yml")), "utf-8")
    with opening(browser) as open_page:
        page = open_page(path.as_uri(), viewport={"width": PAPER, "height": 900})
        page.emulate_media(media="print")
        page.evaluate("document.fonts.ready.then(() => null)")
        yield page


@pytest.mark.site
def test_every_link_within_the_document_has_a_target_that_exists_once(paper):
    ids, hrefs = paper.evaluate(
        """() => [["[id]", "id"], ["a[href]", "href"]]
          .map(([found, name]) => [...document.querySelectorAll(found)].map((one) => one.getAttribute(name)))"""
    )
    assert len(set(ids)) == len(ids)
    links = {href[1:] for href in hrefs if href.startswith("#")}
    assert len(links) > 50
    assert links <= set(ids)
    assert [href for href in hrefs if not href.startswith(("#", "http"))] == []


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


# All elements but those of a picture.
WIDE = """() => [...document.querySelectorAll("article :not(svg *)")]
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 1).map((one) => one.outerHTML)"""
SHOWN = """(selector) => [...document.querySelectorAll(selector)]
  .filter((one) => one.checkVisibility({ visibilityProperty: true })).length"""


@pytest.mark.site
def test_nothing_is_wider_than_the_paper(paper):
    assert paper.evaluate(WIDE) == []
    assert paper.evaluate(SHOWN, "article :is(button, input)") == 0
    assert paper.locator("article details > :not(summary)").first.is_visible()


@pytest.mark.site
@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("name", ["book/frameworks", "book/exercises/04_normalization", "book/self-test/01_softmax"])
def test_all_that_is_folded_is_on_paper_also_without_scripts(visit, name, scripts):
    page = visit(f"{name}.html", covered=True, java_script_enabled=scripts)
    page.emulate_media(media="print")
    folds = page.locator("main details > :not(summary)")
    assert folds.count() > 5
    assert folds.evaluate_all("all => all.filter((one) => !one.checkVisibility({ contentVisibilityAuto: true }))") == []


# What says what follows, and what is looked at as a whole.
ANNOUNCES = (
    "h1, h2, h3, h4, dt, summary, .rubric, .section-time, .laboratory-title, .answer-form > label, p:has(+ .measured), "
    "p:has(+ .cell .prediction), p:has(+ div.math), :is(.cell_input, .code):has(+ .cell_output)"
)
WHOLE = "dt, figure, blockquote, .card, .surprise, .measured > li, .doctest, .output, .prediction, .cell > .cell_input"
# A browser divides columns as it divides pages, and says where what stands in them is. Returns on which page each text
# and each picture begins and ends, by their order; and what each selector finds, with its first and its last of them.
LAID_OUT = """
([selectors, width, height]) => {
  const main = document.querySelector("main");
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`main {
    width: ${width}px; max-width: none !important; height: ${height}px; margin: 0 !important;
    columns: ${width}px auto; column-gap: 0; column-fill: auto;
  }`);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  const left = main.getBoundingClientRect().left;
  const things = [];
  const walker = document.createTreeWalker(main, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const element = node.parentElement;
    const text = node.data?.trim() && !element.closest("svg, .explorer-announcement");
    if (!text && !node.matches?.("svg, textarea")) continue;
    if (!element.checkVisibility({ contentVisibilityAuto: true })) continue;
    const range = document.createRange();
    range.selectNode(node);
    const boxes = [...range.getClientRects()].filter((box) => box.width);
    // The answers of the frameworks stand in two columns of each page.
    const part = width / (element.closest(".measured") ? 2 : 1);
    const page = (box) => (Math.floor((box.left - left + 1) / part) * part) / width;
    if (boxes.length) things.push({ node, pages: [page(boxes[0]), page(boxes.at(-1))] });
  }
  // Of each element that has some, the first and the last of the things within it.
  const within = new Map();
  things.forEach(({ node }, i) => {
    for (let one = node; one !== main; one = one.parentNode) within.set(one, [within.get(one)?.[0] ?? i, i]);
  });
  const found = (selector) => [...main.querySelectorAll(selector)].filter((one) => within.has(one))
    .map((one) => [one.textContent.trim().slice(0, 60), ...within.get(one)]);
  return [things.map(({ pages }) => pages), ...selectors.map(found)];
}
"""


def laid_out(look_at, name):
    """Print a page into columns; return where its texts are, those that announce, and those that stay whole."""
    opened = look_at(f"{name}.html", PAPER, HEIGHT)
    opened.emulate_media(media="print")
    opened.evaluate("dispatchEvent(new Event('beforeprint'))")
    opened.evaluate("document.fonts.ready.then(() => null)")
    return opened.evaluate(LAID_OUT, [[ANNOUNCES, WHOLE], PAPER, HEIGHT])


@pytest.mark.site
@pytest.mark.parametrize(
    "name",
    [
        *(f"notebooks/{path.stem}" for path in sorted((ROOT / "notebooks").glob("*.ipynb"))),
        *(f"book/{name}" for name in ("intro", "ten-minutes", "glossary", "frameworks", "api")),
        *(f"book/{name}/01_softmax" for name in ("self-test", "exercises")),
    ],
)
def test_a_page_ends_between_things(look_at, name):
    pages, announce, whole = laid_out(look_at, name)
    assert len(announce) > 5
    assert len(whole) > 1
    parted = [text for text, _, last in announce if last + 1 < len(pages) and pages[last][1] != pages[last + 1][0]]
    # Now and then Chromium finds no better end.
    assert len(parted) <= len(announce) // 50, parted
    assert [text for text, first, last in whole if pages[first][0] != pages[last][1]] == []


@pytest.mark.site
@pytest.mark.parametrize("name", ["book/ten-minutes", "book/exercises/02_cross_entropy"])
def test_the_last_page_is_not_empty(look_at, name):
    pages, *_ = laid_out(look_at, name)
    printed = look_at(f"{name}.html").pdf(format="A4", margin=MARGINS)
    assert printed.count(b"/Type /Page\n") == pages[-1][1] + 1


@pytest.mark.site
def test_a_setting_is_its_name_and_its_value_on_one_line(look_at):
    opened = look_at("book/ten-minutes.html")
    opened.emulate_media(media="print")
    settings = opened.locator(".explorer-row:not(.explorer-steps)").evaluate_all(
        """rows => rows.map((row) => {
          const name = row.querySelector("label[for], :scope > span");
          const value = row.querySelector("output, :checked + span");
          const [from, to] = [name, value].map((one) => one.getBoundingClientRect());
          const { borderStyle, textDecorationLine } = getComputedStyle(value);
          return [from.top === to.top, to.left - from.right < 20, borderStyle, textDecorationLine];
        })"""
    )
    assert len(settings) > 3
    assert settings == [[True, True, "none", "none"]] * len(settings)


@pytest.mark.site
@pytest.mark.parametrize("name", ["notebooks/03_dropout", "book/intro", "book/self-test/01_softmax"])
def test_nothing_is_larger_than_the_text_but_what_is_meant_to_be(look_at, name):
    opened = look_at(f"{name}.html")
    opened.emulate_media(media="print")
    large = opened.locator("main *").evaluate_all(
        """all => {
          const size = (one) => parseFloat(getComputedStyle(one).fontSize);
          return all.filter((one) => one.checkVisibility() && size(one) > size(one.closest("main")))
            .filter((one) => !one.closest("h1, h2, h3, .surprise, .account, math, svg"))
            .map((one) => one.outerHTML.slice(0, 99));
        }"""
    )
    assert large == []


@pytest.mark.site
def test_an_address_is_added_to_a_link_that_does_not_spell_it_out(look_at):
    opened = look_at("notebooks/02_cross_entropy.html")
    opened.emulate_media(media="print")
    links = opened.locator('main a[href^="http"]').evaluate_all(
        "all => all.map((one) => [one.textContent, getComputedStyle(one, '::after').content.includes(one.href)])"
    )
    assert {added for text, added in links if text.startswith(("doi:", "http"))} == {False}
    assert {added for text, added in links if not text.startswith(("doi:", "http"))} == {True}


@pytest.mark.site
def test_the_pdf_has_an_outline_and_tags(browser, tmp_path):
    (tmp_path / "a.html").write_text(document(SITE, ["book/notation", "book/references"]), "utf-8")
    print_pdf(browser, tmp_path / "a.html", tmp_path / "a.pdf", "Title")
    written = (tmp_path / "a.pdf").read_bytes()
    assert written.startswith(b"%PDF")
    for part in (b"/Outlines", b"/StructTreeRoot", b"/MarkInfo"):
        assert part in written
