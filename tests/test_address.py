"""A site that knows its address gives it on every page; one that does not gives none."""

import json
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup
from PIL import Image
from sphinx.errors import ConfigError

from lossprimer import __version__, figures
from tests.building import build
from tests.waiting import expect
from theme.address import from_root, robots, site_address
from theme.card import card_words, draw_card

BASE = "https://owner.github.io/name/"
TITLE = "A small book"
# All that one builds of the course, but for the notebooks.
SETTINGS = {
    "extensions": ["theme"],
    "html_theme": "primer",
    "html_math_renderer": "mathml",
    "html_title": TITLE,
    "root_doc": "intro",
    "card_picture": "lossprimer.figures.temperature",
    "copyright": "nobody",
    "author": "</script>somebody",
    "book_licence": "https://example.org/licence",
}


@pytest.mark.parametrize(
    ("variables", "address"),
    [
        ({}, ""),
        ({"GITHUB_REPOSITORY": "Owner/name"}, BASE),
        ({"GITHUB_REPOSITORY": "Owner/Owner.github.io"}, "https://owner.github.io/"),
        ({"GITHUB_REPOSITORY": "owner/name", "SITE_URL": "https://example.org/course"}, "https://example.org/course/"),
        ({"SITE_URL": "http://127.0.0.1:8000/"}, "http://127.0.0.1:8000/"),
        ({"SITE_URL": "", "GITHUB_REPOSITORY": ""}, ""),
    ],
)
def test_the_address_is_the_one_given_or_that_of_github_pages(variables, address):
    assert site_address(variables) == address


@pytest.mark.parametrize("address", ["example.org", "javascript:alert(1)", "https://"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(ConfigError, match="SITE_URL"):
        site_address({"SITE_URL": address})


def test_crawlers_are_led_to_a_sitemap_only_where_there_is_one():
    assert robots("") == "User-agent: *\nAllow: /\n"
    assert robots(BASE).endswith(f"\nSitemap: {BASE}sitemap.xml\n")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('<a href="book/a.html#b">', '<a href="/name/book/a.html#b">'),
        ('<html data-content_root="./">', '<html data-content_root="/name/">'),
        ('<form action="search.html">', '<form action="/name/search.html">'),
        ('<a href="#main">', '<a href="#main">'),
        ('<a href="/other/">', '<a href="/other/">'),
        ('<a href="https://example.org/">', '<a href="https://example.org/">'),
    ],
)
def test_links_of_a_page_that_is_shown_anywhere_begin_at_the_root(written, expected):
    assert from_root(written, "/name/") == expected


KNOWN = {"GITHUB_REPOSITORY": "owner/name", "GITHUB_SHA": "0123456789abcdef"}
EDITION = f"version%20{__version__}%2C%20commit%200123456"


@pytest.fixture(scope="module")
def sites(tmp_path_factory):
    """Build a book of two pages, with and without knowing its repository; returns the two folders."""
    folder = tmp_path_factory.mktemp("book")
    source = folder / "source"
    (source / "part").mkdir(parents=True)
    more = ".. toctree::\n\n   part/more"
    (source / "intro.rst").write_text(f"One\n===\n\nThis page has more than forty characters of text.\n\n{more}\n")
    (source / "part" / "more.rst").write_text("Two\n===\n\nText.\n")

    def built(name, variables):
        with pytest.MonkeyPatch.context() as patch:
            for variable in ("SITE_URL", "GITHUB_REPOSITORY", "GITHUB_SHA"):
                patch.setenv(variable, variables.get(variable, ""))
            if not variables:  # nobody looks at this one, and to cut type would take as long as all the rest
                patch.setattr("theme.fonts.setup", lambda app: None)
            assert build(source, folder / name, SETTINGS, anew=True) == ""
        return folder / name

    return {"known": built("name", KNOWN), "unknown": built("other", {})}


def read(site, name):
    return BeautifulSoup((site / name).read_text("utf-8"), "html.parser")


def said(soup):
    return {tag["property"]: tag["content"] for tag in soup.select("meta[property]")}


@pytest.mark.parametrize("name", ["index.html", "intro.html", "part/more.html", "search.html"])
def test_a_site_that_knows_nothing_says_nothing_of_its_address(sites, name):
    soup = read(sites["unknown"], name)
    assert soup.select("link[rel=canonical], meta[property], meta[name^=twitter]") == []
    assert "github" not in str(soup)


def test_a_site_that_knows_nothing_has_no_files_that_need_its_address(sites):
    assert not [name for name in ("404.html", "sitemap.xml", "_static/card.png") if (sites["unknown"] / name).exists()]
    assert (sites["unknown"] / "robots.txt").read_text() == robots("")


@pytest.mark.parametrize(
    ("name", "address"),
    [("index.html", "intro.html"), ("intro.html", "intro.html"), ("part/more.html", "part/more.html")],
)
def test_a_page_says_where_it_belongs(sites, name, address):
    assert [link["href"] for link in read(sites["known"], name).select("link[rel=canonical]")] == [BASE + address]


def test_a_page_has_a_card_for_those_who_link_to_it(sites):
    told = said(read(sites["known"], "intro.html"))
    assert (told["og:title"], told["og:site_name"]) == ("One", TITLE)
    assert told["og:url"] == f"{BASE}intro.html"
    assert told["og:description"] == "This page has more than forty characters of text."
    assert told["og:image"] == f"{BASE}_static/card.png"
    assert told["og:image:alt"] == f"{TITLE}. {figures.temperature().sentence}"
    with Image.open(sites["known"] / "_static" / "card.png") as card:
        assert [str(pixels) for pixels in card.size] == [told["og:image:width"], told["og:image:height"]]
    assert (sites["known"] / "_static" / "card.png").stat().st_size < 60_000


def test_a_book_without_a_picture_has_a_card_with_its_title(tmp_path):
    draw_card(TITLE, "", tmp_path / "card.png")
    with Image.open(tmp_path / "card.png") as card:
        assert card.size == (1200, 630)
        left, right = (card.convert("L").crop((x, 0, x + 600, 630)).getextrema() for x in (0, 600))
    assert (left, right) == ((0, 255), (255, 255))
    assert card_words(TITLE, "") == TITLE


def test_the_sitemap_has_each_page_once(sites):
    found = ElementTree.parse(sites["known"] / "sitemap.xml").getroot().findall(".//{*}loc")
    assert [location.text for location in found] == [f"{BASE}intro.html", f"{BASE}part/more.html"]
    assert (sites["known"] / "robots.txt").read_text() == robots(BASE)


def test_each_page_links_to_its_own_source(sites):
    links = [link["href"] for link in read(sites["known"], "part/more.html").select("aside a[href*=github]")]
    assert links == [
        "https://github.com/owner/name/blob/main/part/more.rst",
        f"https://github.com/owner/name/issues/new?template=mistake.yml&versions={EDITION}&page=part/more.rst",
        "https://github.com/owner/name/issues/new?template=barrier.yml&page=part/more.rst",
    ]
    assert read(sites["known"], "search.html").select("a[href*=github]") == []


def test_each_page_says_which_edition_of_the_course_it_is(sites):
    for name in ("intro.html", "part/more.html", "search.html"):
        said = {site: read(sites[site], name).footer.get_text(strip=True) for site in ("known", "unknown")}
        # No line ends within it.
        editions = {"known": unquote(EDITION), "unknown": f"version {__version__}"}
        assert said == {site: "© nobody · " + words.replace(" ", "\u00a0") for site, words in editions.items()}


def test_a_report_says_which_place_of_the_page_it_is_about(sites, serve, open_page):
    opened = open_page("about:blank")
    opened.route("**/favicon.ico", lambda route: route.fulfill(body=""))
    opened.goto(f"{serve(sites['known'].parent)}/name/part/more.html")
    report = opened.get_by_role("link", name="Report a mistake")
    opened.evaluate("addEventListener('click', (event) => event.preventDefault())")
    for place in ("", "#two", "#chances.heads=0.3&x=1"):
        opened.evaluate("place => history.replaceState(null, '', location.pathname + place)", place)
        report.click()
        asked = parse_qs(urlsplit(report.get_attribute("href")).query)
        assert asked == {
            "template": ["mistake.yml"],
            "versions": [unquote(EDITION)],
            "page": [f"part/more.rst{place}"],
        }


def test_a_missing_page_is_explained_at_any_depth(sites, serve, open_page):
    host = serve(sites["known"].parent)
    opened = open_page("about:blank")
    page = (sites["known"] / "404.html").read_text("utf-8")
    opened.route("**/nowhere.html", lambda route: route.fulfill(body=page, content_type="text/html"))
    for depth in ("", "no/such/"):
        opened.goto(f"{host}/name/{depth}nowhere.html")
        expect(opened.get_by_role("heading", level=1)).to_have_text("There is no page at this address")
        expect(opened.get_by_role("button", name="Colours: auto")).to_be_visible()
        assert opened.evaluate("document.styleSheets[0].cssRules.length > 50")
        opened.get_by_role("main").get_by_role("link").click()
        opened.wait_for_url(f"{host}/name/intro.html")
    assert read(sites["known"], "404.html").select("link[rel=canonical], meta[property]") == []


def data(soup):
    return [json.loads(script.string) for script in soup.select('script[type="application/ld+json"]')]


def test_the_first_page_says_to_machines_that_the_book_is_a_course(sites):
    assert data(read(sites["known"], "intro.html")) == [
        {
            "@context": "https://schema.org",
            "@type": "Course",
            "name": TITLE,
            "description": "This page has more than forty characters of text.",
            "url": f"{BASE}intro.html",
            "image": f"{BASE}_static/card.png",
            "inLanguage": "en",
            "isAccessibleForFree": True,
            "license": "https://example.org/licence",
            "provider": {"@type": "Organization", "name": "</script>somebody", "url": BASE},
        }
    ]
    assert data(read(sites["known"], "part/more.html")) == data(read(sites["unknown"], "intro.html")) == []


def test_the_policy_lets_the_data_be_and_no_script(sites, serve, browser):
    """Data is no script: the browser does not complain of it. Of a script it does."""
    page = browser.new_page()
    refused = []
    page.on("console", lambda message: "Content Security Policy" in message.text and refused.append(message.text))
    page.goto(f"{serve(sites['known'].parent)}/name/intro.html")
    assert page.evaluate("JSON.parse(document.querySelector('[type$=json]').textContent)['@type']") == "Course"
    assert refused == []
    page.evaluate("document.head.append(Object.assign(document.createElement('script'), { text: 'var ran = true' }))")
    assert page.evaluate("window.ran") is None
    assert len(refused) == 1
    page.close()


def test_a_host_that_leaves_out_underscored_folders_is_told_not_to(sites):
    for site in sites.values():
        assert (site / ".nojekyll").read_bytes() == b""
