"""The built pages: complete, sound, self-contained, and usable in a real browser.

They are read from ``_build/html``; tests/conftest.py says of which project.
"""

import gzip
import itertools
import json
import re
import shutil
from collections import Counter
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup
from docutils import nodes
from docutils.core import publish_doctree
from sphinx_external_toc.parsing import parse_toc_yaml

from conftest import BOOK, NEXT_FRAME, SITE, UNCOVER, own
from live import WORKERS
from tests.building import build
from tests.parsed import ids, read
from tests.waiting import expect
from theme.pages import _lighter, description, page_links
from theme.policy import EARLY_SCRIPT, POLICY, source_of

pytestmark = pytest.mark.site

CONTENTS = parse_toc_yaml(BOOK / "_toc.yml")
ROOT = CONTENTS.root.docname
DOCUMENTS = [re.sub(r"\.(md|ipynb)$", "", document) for document in CONTENTS]
NAMES = [*DOCUMENTS, "search"]
# In bytes, compressed: the HTML of a chapter, and a page, and the first one, with all that is loaded before a reader
# starts Python.
LARGEST_CHAPTER = 66_000
LARGEST_PAGE = 130_000
LARGEST_FIRST = 60_000
# Links that a browser tells about, and does not follow by itself.
SAID_ONLY = "[rel=canonical], [rel=prev], [rel=next]"

each_document = pytest.mark.parametrize("name", DOCUMENTS)
each_page = pytest.mark.parametrize("name", NAMES)


def runtime_ships():
    """Return whether the site was built with Python in its pages."""
    return (SITE / "_static" / "live").is_dir()


def page(name):
    return read(f"{name}.html")


# What can be wrong with a page. Each of these returns the faults that it finds.


def foreign(soup):
    """Return the addresses on other hosts that a browser would load."""
    loads = {"src", "srcset", "data", "poster", "action", "formaction", "xlink:href", "style"}
    found = [value for tag in soup.find_all(True) for name, value in tag.attrs.items() if name in loads]
    found += [tag["href"] for tag in soup.select(f"link[href]:not({SAID_ONLY}), image[href], use[href], base[href]")]
    found += [tag["content"] for tag in soup.select('meta[http-equiv="refresh"]')]
    found += [style.get_text() for style in soup.select("style")]
    return [value for value in found if re.search(r"(^|[\s\"'(,=])(https?:)?//", value)]


def foreign_in_style(css):
    """Return what a style sheet would load from other hosts."""
    return re.findall(r"""(?:url\(|@import)\s*["']?\s*(?:https?:)?//[^"')]*""", css)


def foreign_in_script(javascript):
    """Return the addresses of other hosts that a script has as strings; names of namespaces are none."""
    return re.findall(r"""["'`]((?:https?:|wss?:)?//(?!www\.w3\.org/)[^"'`\s]+)["'`]""", javascript)


def not_rendered(soup):
    """Return the formulas that are no MathML, and text that looks like TeX; only a display may have several parts."""
    counts = [(formula, len(formula.find_all("math", recursive=False))) for formula in soup.select(".math")]
    found = [str(formula) for formula, count in counts if not count or (count > 1 and formula.name != "div")]
    found += [str(mistake) for mistake in soup.select("merror")]
    for text in soup.main.find_all(string=re.compile(r"\$[^$]+\$|\\[(\[]|\\begin\{|\\[a-z]{3,}")):
        if not text.find_parent(["annotation", "code", "pre", "script", "svg"]):
            found.append(str(text))
    return found


def unsafe(soup):
    """Return what a strict Content-Security-Policy forbids, but for the one script in the head."""
    allowed = soup.select_one("head > script:not([src])")
    found = [
        script
        for script in soup.select("script:not([src])")
        if script is not allowed and script.get("type") not in {"application/json", "text/plain"}
    ]
    found += soup.select("style, [style]")
    return found + [tag for tag in soup.find_all(True) if any(name.startswith("on") for name in tag.attrs)]


def widgets(soup):
    """Return what is left of ipywidgets: their state, their views, their runtime."""
    return soup.select('script[type*="widget"], script[src*="widget"], script[src*="require"], .jupyter-widgets')


def skipped_levels(soup):
    """Return the headings that are more than one level below the one before."""
    headings = soup.select("h1, h2, h3, h4, h5, h6")
    return [low for high, low in itertools.pairwise(headings) if int(low.name[1]) > int(high.name[1]) + 1]


def twice(soup):
    """Return the ids that stand on the page more than once."""
    counts = Counter(tag["id"] for tag in soup.find_all(id=True))
    return sorted(name for name, count in counts.items() if count > 1)


def broken(soup, path):
    """Return the links within the site that lead nowhere, from the page at `path`."""
    found = []
    for tag in soup.select("a[href], link[href], img[src], script[src]"):
        address = urlsplit(tag.get("href", tag.get("src")))
        if address.scheme or address.netloc:
            continue
        target = path.parent.joinpath(unquote(address.path)).resolve() if address.path else path
        anchor = unquote(address.fragment)
        if not target.is_file() or (anchor and anchor not in ids(target)):
            found.append(address.geturl())
    return found


GOOD = '<main><h1>T</h1><h2 id="a">U</h2><p>5 $ and 6 € <span class="math"><math></math></span></p></main>'


@pytest.mark.parametrize(
    ("faults", "markup"),
    [
        (foreign, '<script src="https://example.org/a.js"></script>'),
        (foreign, '<img srcset="a.png 1x, //example.org/b.png 2x">'),
        (foreign, '<link rel="stylesheet" href="//example.org/a.css">'),
        (foreign, "<style>@import 'https://example.org/a.css'</style>"),
        (foreign, '<p style="background: url(http://example.org/a.png)">'),
        (foreign, '<meta http-equiv="refresh" content="0; url=https://example.org">'),
        (not_rendered, '<span class="math">x</span>'),
        (not_rendered, '<span class="math"><code>x</code></span>'),
        (not_rendered, '<span class="math"><math></math><math></math></span>'),
        (not_rendered, '<div class="math">x</div>'),
        (not_rendered, "<main><p>the share $p_i$</p></main>"),
        (not_rendered, r"<main><p>the share \(p\)</p></main>"),
        (not_rendered, r"<main><p>\begin{align} x</p></main>"),
        (unsafe, "<script>late()</script>"),
        (unsafe, '<button onclick="go()">'),
        (unsafe, '<p style="color: red">'),
        (widgets, '<script type="application/vnd.jupyter.widget-state+json">{}</script>'),
        (skipped_levels, "<h1>T</h1><h3>U</h3>"),
        (twice, '<p id="a"></p><p id="a"></p>'),
    ],
)
def test_a_fault_is_found(faults, markup):
    head = "<head><script>early()</script></head>"
    assert not faults(BeautifulSoup(head + GOOD, "html.parser"))
    assert faults(BeautifulSoup(head + markup + (GOOD if "<main" not in markup else ""), "html.parser"))


def test_a_broken_link_is_found(tmp_path):
    here = tmp_path / "here.html"
    here.write_text('<a href="#a">1</a><a href="#b">2</a><a href="gone.html">3</a><i id="a"></i>', "utf-8")
    assert broken(read(here), here) == ["#b", "gone.html"]


@pytest.mark.parametrize(
    "css", ["@import url(https://example.org/a.css);", 'p { background: url("//example.org/a"); }']
)
def test_a_foreign_address_in_a_style_sheet_is_found(css):
    assert foreign_in_style(css)


@pytest.mark.parametrize("javascript", ['fetch("https://example.org/a")', "s.src = '//example.org/a.js'"])
def test_a_foreign_address_in_a_script_is_found(javascript):
    assert foreign_in_script(javascript)


# What is put into each page.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "What is it about? It is about how scores turn into shares.",
            "What is it about? It is about how scores turn into shares.",
        ),
        ("This sentence is one of those that are shown. " + "It goes on and on. " * 20, None),
        ("A word " * 60 + ".", None),
    ],
)
def test_a_description_is_cut_between_sentences_or_words(text, expected):
    found = description(publish_doctree(f"T\n=\n\nshort\n\n{text}\n", settings_overrides={"doctitle_xform": False}))
    assert len(found) <= 160
    assert found == expected or text.startswith(found.removesuffix(" …"))
    assert found.endswith((".", "word …", "A …"))


def test_a_description_is_not_made_of_markup():
    text = "It is about how scores turn into probabilities, and what becomes of them."
    doctree = publish_doctree(f"T\n=\n\nmarkup\n\n{text}\n", settings_overrides={"doctitle_xform": False})
    old = nodes.raw("", '<a id="an-old-address-of-the-title-of-this-page"></a>', format="html")
    next(doctree.findall(nodes.paragraph)).children[:] = [old]
    assert description(doctree) == text


def test_an_old_address_takes_no_room(tmp_path):
    mark = '<a id="{}"></a>'.format
    text = f"# Title\n\n{mark('old')}\n{mark('older')}\n\nText.\n\n{mark('between')}\n\n{mark('within')} Words.\n"
    (tmp_path / "index.md").write_text(text, "utf-8")
    settings = {"extensions": ["myst_parser", "theme.pages"]}
    assert build(tmp_path, tmp_path / "out", settings) == ""
    soup = BeautifulSoup((tmp_path / "out" / "index.html").read_text("utf-8"), "html.parser")
    parts = [part.get("id") or part.get_text() for part in soup.h1.find_next_siblings()]
    assert parts == ["old", "older", "Text.", "between", " Words."]
    assert soup.select_one("p > a")["id"] == "within"


def test_a_link_is_written_without_what_has_no_effect():
    link = '<a class="reference internal" href="a.html#b"><span class="std std-ref">the <code>x</code></span></a>'
    assert _lighter(link) == '<a href="a.html#b"><span class="std std-ref">the <code>x</code></span></a>'
    assert _lighter(link.replace("<code>x</code>", "slope")) == '<a href="a.html#b">the slope</a>'
    outside = '<a class="reference external" href="https://example.org">x</a>'
    assert _lighter(outside) == '<a href="https://example.org">x</a>'
    assert _lighter(outside.replace(">x", ">doi:1")) == '<a class="url" href="https://example.org">doi:1</a>'
    assert _lighter(outside.replace(">x", ">https://x")) == '<a class="url" href="https://example.org">https://x</a>'
    heading = '<a class="headerlink" href="#a" title="Link to this heading">¶</a>'
    assert _lighter(heading) == '<a class="headerlink" href="#a">¶</a>'
    code = '<code class="docutils literal notranslate"><span class="pre">x</span></code>'
    assert _lighter(code) == "<code>x</code>"
    assert (
        _lighter('<dd><p><ul class="simple">\n<li><p>x</p></li>\n</ul>\n</p></dd>')
        == "<dd><ul>\n<li><p>x</p></li>\n</ul></dd>"
    )
    assert _lighter('<tr class="row-odd"><th class="head">') == "<tr><th>"
    assert _lighter('<div class="output stream highlight-myst-ansi">') == '<div class="output stream">'
    assert _lighter('<div class="highlight-python notranslate">') == '<div class="highlight-python">'


def test_a_page_without_text_has_no_description():
    assert description(publish_doctree("T\n=\n\nshort\n", settings_overrides={"doctitle_xform": False})) is None


HERE = "https://github.com/owner/name"
NOTEBOOK = "notebooks/01_softmax.ipynb"


def test_a_page_of_a_known_repository_links_to_its_source_and_to_the_form_for_mistakes():
    assert page_links("owner/name", "book/intro.md", "version 1") == {
        "Source of this page": f"{HERE}/blob/main/book/intro.md",
        "Report a mistake": f"{HERE}/issues/new?template=mistake.yml&versions=version%201&page=book/intro.md",
        "Report a barrier": f"{HERE}/issues/new?template=barrier.yml&page=book/intro.md",
    }


def test_a_notebook_can_be_launched_where_it_runs():
    links = page_links("owner/name", NOTEBOOK, "")
    others = page_links("owner/name", "book/intro.md", "").keys()
    assert links["Open on Binder"] == "https://mybinder.org/v2/gh/owner/name/main?labpath=notebooks%2F01_softmax.ipynb"
    # On Colab, which has not installed the package, only a copy that installs it.
    assert links.keys() - others == {"Open on Binder"}
    links = page_links("owner/name", NOTEBOOK, "", "launch")
    assert links["Open in Colab"] == f"https://colab.research.google.com/github/owner/name/blob/launch/{NOTEBOOK}"
    assert page_links("owner/name", "book/intro.md", "", "launch").keys() == others


# The pages.


@each_page
def test_every_page_of_the_contents_was_built(name):
    assert (SITE / f"{name}.html").is_file()


def test_the_bare_address_leads_to_the_first_page():
    refresh = read(SITE / "index.html").select_one('meta[http-equiv="refresh"]')
    assert refresh["content"] == f"0; url={ROOT}.html"


@each_page
def test_a_page_says_what_it_is(name):
    soup = page(name)
    assert soup.html["lang"] == "en"
    assert len(soup.select("h1")) == len(soup.select("main")) == len(soup.select("title")) == 1
    assert soup.main.h1.get_text(strip=True)
    assert soup.select_one('meta[name="viewport"]')["content"] == "width=device-width, initial-scale=1"
    assert len(soup.select('meta[name="description"]')) == 1
    assert 20 <= len(soup.select_one('meta[name="description"]')["content"]) <= 160


@pytest.mark.parametrize("what", ["title", 'meta[name="description"]'])
def test_no_two_pages_say_the_same_of_themselves(what):
    said = [str(page(name).select_one(what)) for name in NAMES]
    assert len(set(said)) == len(said)


@each_page
@pytest.mark.parametrize("faults", [foreign, not_rendered, unsafe, widgets, skipped_levels, twice])
def test_a_page_has_no(name, faults):
    assert faults(page(name)) == []


@each_page
def test_links_within_the_site_lead_somewhere(name):
    assert broken(page(name), SITE / f"{name}.html") == []


@each_document
def test_every_other_page_can_be_reached_from_a_page(name):
    links = {(SITE / name).parent.joinpath(link["href"]).resolve() for link in page(name).select("nav a[href]")}
    assert [other for other in DOCUMENTS if other != name and (SITE / f"{other}.html").resolve() not in links] == []


@pytest.mark.parametrize("name", [*NAMES, "index"])
def test_a_page_carries_its_policy_before_all_that_it_governs(name):
    head = page(name).head.find_all(True)
    assert [tag.get("charset") for tag in head[:1]] == ["utf-8"]
    python = page(name).select("[data-laboratory], [data-task]") and runtime_ships()
    policy = POLICY + WORKERS if python else POLICY
    assert (head[1]["http-equiv"], head[1]["content"]) == ("Content-Security-Policy", policy)
    assert (head[2]["name"], head[2]["content"]) == ("referrer", "no-referrer")


@each_page
def test_the_one_inline_script_is_the_one_that_the_policy_allows(name):
    assert source_of(page(name).select_one("head > script:not([src])").get_text()) in POLICY


def test_the_policy_allows_the_site_and_nothing_else():
    rules = dict(rule.split(" ", 1) for rule in POLICY.split("; "))
    assert rules.pop("default-src") == rules.pop("base-uri") == "'none'"
    assert rules.pop("script-src") == f"'self' {source_of(EARLY_SCRIPT)}"
    assert set(rules.values()) == {"'self'"}


@each_document
def test_pictures_have_a_text_alternative(name):
    assert page(name).select('img:not([alt]), [role="img"]:not([aria-label]):not([aria-labelledby])') == []


def test_style_sheets_and_scripts_load_nothing_from_elsewhere():
    # Those of Pyodide and JupyterLite name other hosts, but ask none: test_live_in_browser.py, test_lite_in_browser.py.
    styles = [found for path in own("*.css") for found in foreign_in_style(path.read_text("utf-8"))]
    scripts = [found for path in own("*.js") for found in foreign_in_script(path.read_text("utf-8"))]
    assert styles + scripts == []


@each_document
def test_notebooks_can_be_downloaded(name):
    source = BOOK / f"{name}.ipynb"
    link = page(name).select_one(".bar-button[download]")
    assert (link is not None) == source.is_file()
    if link:
        served = (SITE / name).parent.joinpath(link["href"]).read_text("utf-8")
        # All of it, but for how a copy gets the package: tests/test_served.py.
        assert without_install(served) == without_install(source.read_text("utf-8"))


def without_install(notebook):
    return [cell for cell in json.loads(notebook)["cells"] if cell["id"] != "install"]


@each_document
def test_a_page_weighs_little_all_included(name):
    path = SITE / f"{name}.html"
    addresses = [
        urlsplit(tag.get("href", tag.get("src"))).path
        for tag in page(name).select(
            'link[rel="stylesheet"], link[rel="preload"], link[rel="icon"], script[src], img[src]'
        )
    ]
    parts = [path, *(path.parent / address for address in addresses)]
    largest = LARGEST_FIRST if name == ROOT else LARGEST_PAGE
    assert sum(len(gzip.compress(part.read_bytes(), 6)) for part in parts) <= largest


@each_page
def test_the_style_of_questions_comes_with_questions(name):
    asks = page(name).select(".prediction")
    assert bool(page(name).select('link[href*="prediction.css"]')) == bool(asks)


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if name.startswith("notebooks/")])
def test_the_html_of_a_chapter_weighs_little(name):
    assert len(gzip.compress((SITE / f"{name}.html").read_bytes(), 6)) <= LARGEST_CHAPTER


# The pages in a browser.


@pytest.fixture(scope="module", params=DOCUMENTS)
def unfolded(request, look_at):
    """Return the name of each page in turn, and the page as wide as the smallest screen: what is folded is opened."""
    opened = look_at(f"{request.param}.html", width=320)
    opened.evaluate(f"""() => {{
      document.querySelectorAll("details").forEach((part) => {{ part.open = true; }});
      return {NEXT_FRAME}.then(() => {NEXT_FRAME}).then(() => null);
    }}""")
    return request.param, opened


def test_what_scrolls_can_be_reached_by_keyboard(unfolded):
    _, opened = unfolded
    boxes = opened.locator("div.math, .table-scroll, main pre, div.output").evaluate_all(
        "boxes => boxes.map(box => [box.scrollWidth > box.clientWidth, box.tabIndex === 0, box.ariaLabel !== null])"
    )
    assert [box for box in boxes if len(set(box)) > 1] == []
    assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_no_display_is_wider_than_a_phone_and_no_paragraph_is_empty(unfolded):
    """Half a display can look like a whole one, as "x = m / p" does before "· x"."""
    name, opened = unfolded
    opened.set_viewport_size({"width": 375, "height": 800})
    boxes = opened.locator("div.math").evaluate_all(
        "all => all.map((one) => [one.clientWidth, one.scrollWidth, one.textContent])"
    )
    assert len(boxes) == len(page(name).select("main div.math"))
    assert all(width for width, _, _ in boxes)
    assert [text for width, needed, text in boxes if needed > width] == []


@each_document
def test_no_paragraph_is_but_an_old_address(name):
    assert [str(one) for one in page(name).select("main p:has(> a[id]:empty)") if not one.get_text(strip=True)] == []


@each_document
def test_no_formula_begins_with_a_space(name):
    """Where its line is broken before it, the space would begin the next line."""
    formulas = page(name).select("main math annotation")
    assert [tex for tex in (one.get_text() for one in formulas) if re.match(r"\\([,:;! ]|q?quad\b)|~", tex)] == []


@pytest.fixture(scope="module", params=[name for name in DOCUMENTS if name.startswith("notebooks/")])
def chapter(request, look_at):
    """Return each chapter in turn, on a desk."""
    opened = look_at(f"{request.param}.html")
    # Now the text's own face is there, which is wider than some.
    opened.reload()
    return opened


def test_the_title_of_a_chapter_takes_two_lines_beside_its_buttons(chapter):
    lines = "h1 => Math.round(h1.getBoundingClientRect().height / parseFloat(getComputedStyle(h1).lineHeight))"
    assert chapter.locator("h1").evaluate(lines) <= 2


def test_the_code_of_a_chapter_fits_the_column_of_a_desk(chapter):
    chapter.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    blocks = chapter.locator("main .cell pre").evaluate_all(
        # That of a laboratory stands in a text box.
        """blocks => blocks.filter(block => block.checkVisibility())
          .map(block => [block.clientWidth, block.scrollWidth, block.innerText])"""
    )
    assert min(width for width, _, _ in blocks) > 0
    assert [text for width, needed, text in blocks if needed > width] == []


def test_each_section_and_each_explorer_is_a_layer(look_at):
    """What changes in one is laid out and painted without a walk through the whole page."""
    flat = "nodes => nodes.filter((one) => getComputedStyle(one).position === 'static').map(({ id }) => id)"
    parts = look_at("notebooks/03_dropout.html").locator("main section, main .explorer")
    assert parts.count() > 10
    assert parts.evaluate_all(flat) == []


def test_colours_follow_the_system_until_the_reader_chooses(visit):
    opened = visit(f"{ROOT}.html", color_scheme="light")
    html, button = opened.locator("html"), opened.get_by_role("button", name="Colours")
    opened.emulate_media(color_scheme="dark")
    expect(html).to_have_attribute("data-theme", "dark")
    for name, theme in (("light", "light"), ("dark", "dark"), ("auto", "dark"), ("light", "light")):
        button.click()
        expect(button).to_have_accessible_name(f"Colours: {name}")
        expect(html).to_have_attribute("data-theme", theme)
    opened.reload()
    expect(html).to_have_attribute("data-theme", "light")


def test_lists_open_on_a_phone_without_scripts(visit):
    opened = visit(f"{ROOT}.html", viewport={"width": 320, "height": 800}, java_script_enabled=False)
    pages = opened.get_by_role("navigation", name="Pages")
    expect(pages).to_be_hidden()
    opened.get_by_role("button", name="Pages").click()
    expect(pages.get_by_role("link")).to_have_count(len(DOCUMENTS))
    opened.keyboard.press("Escape")
    expect(pages).to_be_hidden()


def test_the_contents_follow_the_reader(look_at):
    name = next(name for name in DOCUMENTS if len(page(name).select("main section section")) > 2)
    opened = look_at(f"{name}.html")
    link = opened.get_by_role("navigation", name="On this page").get_by_role("link").nth(1)
    link.click()
    expect(link).to_have_attribute("aria-current", "location")


def test_code_can_be_copied(visit):
    name = next(name for name in DOCUMENTS if page(name).select(".cell > .cell_input"))
    opened = visit(f"{name}.html", permissions=["clipboard-read", "clipboard-write"])
    opened.get_by_role("button", name="Copy").first.click()
    expect(opened.get_by_role("button", name="Copied")).to_be_visible()
    code = page(name).select_one("main .cell > .cell_input .highlight pre").get_text()
    assert opened.evaluate("navigator.clipboard.readText()") == code


def copied(page, selector):
    """Return what is copied of the first element that a selector finds, as plain text."""
    return page.locator(selector).first.evaluate(
        """(box) => {
          getSelection().selectAllChildren(box);
          const clipboardData = new DataTransfer();
          document.body.dispatchEvent(new ClipboardEvent("copy", { clipboardData, bubbles: true, cancelable: true }));
          return clipboardData.getData("text/plain");
        }"""
    )


def test_a_copied_formula_is_its_tex(look_at):
    page = look_at("notebooks/01_softmax.html")
    tex = page.locator("p math annotation").first.text_content()
    said = copied(page, "p:has(math)")
    assert f"${tex}$" in said
    assert len(said) > len(tex) + 20


def test_a_copied_display_is_one_formula(look_at):
    page = look_at("notebooks/04_normalization.html")
    box = "div.math:has(> :nth-child(3))"
    parts = page.locator(box).first.locator("annotation").all_text_contents()
    joined = r" \qquad ".join(parts)
    assert len(parts) == 3
    assert copied(page, box).strip() == f"$${joined}$$"


def test_a_table_of_two_columns_repeats_no_head_and_a_short_name_stays_on_one_line():
    names = page("book/publishing").select("table.prose")
    two, more = ([table for table in names if (len(table.select("th")) == 2) == is_two] for is_two in (True, False))
    assert two
    assert more
    assert [cell for table in two for cell in table.select("td[data-label]")] == []
    assert all(len(row.select("td[data-label]")) >= 2 for table in more for row in table.select("tbody tr"))
    first = [row.td for table in names for row in table.select("tbody tr")]
    assert all(("short" in cell.get("class", ())) == (len(cell.get_text().strip()) <= 20) for cell in first)


def test_print_is_light_and_unfolded(visit):
    name = next(name for name in DOCUMENTS if page(name).select("details:not([open])"))
    opened = visit(f"{name}.html", color_scheme="dark")
    opened.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(opened.locator("html")).to_have_attribute("data-theme", "light")
    expect(opened.locator("details:not([open])")).to_have_count(0)
    opened.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(opened.locator("html")).to_have_attribute("data-theme", "dark")
    expect(opened.locator("details[open]")).to_have_count(0)


FORBIDDEN = """
() => new Promise((resolve) => {
  const blocked = new Set();
  document.addEventListener("securitypolicyviolation", (event) => {
    blocked.add(event.effectiveDirective);
    if (blocked.size === 4) resolve([...blocked].sort());
  });
  const add = (name, attributes) => document.body.append(Object.assign(document.createElement(name), attributes));
  add("script", { textContent: "document.title = 'run'" });
  add("p", { innerHTML: "<b style='color: red'></b>" });
  add("img", { src: "https://example.org/a.png" });
  fetch("https://example.org/").catch(() => null);
})
"""


def test_the_browser_enforces_the_policy(browser, address):
    context = browser.new_context()
    opened = context.new_page()
    opened.goto(f"{address}/{ROOT}.html")
    assert opened.evaluate(FORBIDDEN) == ["connect-src", "img-src", "script-src-elem", "style-src-attr"]
    assert opened.title() != "run"
    context.close()


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Copy the site to a folder, as a reader saves it; returns the address of the folder."""
    folder = tmp_path_factory.mktemp("saved") / "the course, 2nd copy"
    shutil.copytree(SITE, folder)
    return folder.as_uri()


@pytest.fixture
def open_saved(browser, saved):
    """Open a page of the saved site; an error of a script and a breach of the policy fail the test."""
    context, errors = browser.new_context(), []
    opened = context.new_page()
    opened.on("pageerror", lambda error: errors.append(str(error)))
    # Chromium reports that it fetches the font when a formula needs it, and no earlier.
    opened.on("console", lambda message: "Content Security Policy" in message.text and errors.append(message.text))

    def open_saved(name):
        opened.goto(f"{saved}/{name}.html")
        return opened

    yield open_saved
    context.close()
    assert errors == []


def test_the_saved_site_works_without_a_server(open_saved):
    opened = open_saved("index")
    opened.wait_for_url(f"**/{ROOT}.html")
    open_saved(next(name for name in DOCUMENTS if page(name).select("math")))
    # Text is shown without its face where that comes late; formulas are not.
    faces = dict(
        opened.evaluate("document.fonts.ready.then(fonts => [...fonts].map(font => [font.family, font.status]))")
    )
    assert {name.strip('"'): status for name, status in faces.items()}["Primer Math"] == "loaded"
    expect(opened.get_by_role("button", name="Colours: auto")).to_be_visible()


def test_the_saved_explorers_answer(open_saved):
    opened = open_saved(next(name for name in DOCUMENTS if page(name).select("figure.explorer input")))
    opened.evaluate(UNCOVER)
    explorer = opened.locator("figure.explorer", has=opened.get_by_role("slider")).first
    before = explorer.locator("figcaption").inner_text()
    explorer.get_by_role("slider").first.press("End")
    expect(explorer.locator("figcaption")).not_to_have_text(before)


def test_the_saved_search_finds_a_page(open_saved):
    opened = open_saved(ROOT)
    opened.keyboard.press("Control+k")
    opened.keyboard.type("notation")
    opened.keyboard.press("Enter")
    expect(opened.get_by_role("main").get_by_role("link", name="Notation").first).to_be_visible()
