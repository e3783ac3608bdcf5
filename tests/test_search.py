"""The search: what is found, what is shown of it, and how it is reached and used."""

import json
import re
from copy import copy
from functools import cache
from pathlib import Path

import pytest

from conftest import BOOK, PAGES, SITE, opening
from tests.axe import violations
from tests.parsed import read
from tests.waiting import expect
from theme.search import NAME, entries, read_words, write_index

CHAPTER = "notebooks/01_softmax.html"
ASIDE = '<nav class="site-contents"><p class="caption">First</p><ul><li><a{}>x</a></li></ul>'
ASIDE += '<p class="caption">Second</p><ul><li><a{}>y</a></li></ul></nav>'
HERE = ' aria-current="page"'
PAGE = """
<main><section id="tools"><h1>Tools<a class="headerlink" href="#tools">¶</a></h1>
<p>They are <strong>sharp</strong>. Take <code>np.exp(x). Bad. Rate</code> first. Then T <em>rests</em>:</p>
<p>So do others (Ada et al. 2031). It is <code>nan</code>.</p>
<div class="highlight"><pre>hidden = 1</pre></div>
<p>The root is <span class="math"><math><msqrt><mi>d</mi></msqrt></math></span>. The letter
<span class="math"><math><semantics><mi>α</mi><annotation>\\alpha</annotation></semantics></math></span> is a word.</p>
<figure class="explorer"><div role="group" aria-label="Shares at work"><svg><text>0.2</text></svg></div>
<figcaption>Drawn at 3.</figcaption></figure>
<div class="prediction"><fieldset><legend>How many? Guess.</legend><label>seven</label></fieldset>
<p>Told later.</p></div>
<section id="saws"><span id="sawing"></span>
<h2>1. Where does <span class="math"><math><mi>ε</mi></math></span> saw?</h2><p>A saw is short.</p>
<dl><dt id="term-blade">blade</dt><dd><p>What cuts.</p></dd><dt id="lib.Saw.cut" class="sig">lib.Saw.cut</dt>
<dd><p>Cut a board.</p><dl><dt>Parameters</dt><dd><p>board, whole</p></dd></dl></dd></dl>
<div class="table-scroll"><table><thead><tr><th>Id</th><th>Said</th><th>True</th></tr></thead>
<tbody><tr id="s1"><td>S1</td><td>Saws never get blunt.</td><td>They do.</td></tr></tbody></table></div>
</section></section></main>"""


@cache
def indexed():
    return {entry.address: entry for entry in entries(ASIDE.format("", HERE) + PAGE, "a/b.html")}


def test_sections_names_and_rows_are_found_each_by_itself():
    assert [(entry.address, entry.title, entry.place, entry.kind) for entry in indexed().values()] == [
        ("a/b.html#tools", "Tools", (), "page"),
        ("a/b.html#saws", "1. Where does ε saw?", ("Tools",), "section"),
        ("a/b.html#term-blade", "blade", ("Tools", "1. Where does ε saw?"), "name"),
        ("a/b.html#lib.Saw.cut", "Saw.cut", ("Tools", "1. Where does ε saw?"), "name"),
        ("a/b.html#s1", "Saws never get blunt.", ("Tools", "1. Where does ε saw?"), "row"),
    ]


def test_what_can_be_shown_is_whole_sentences_without_formulas_or_pictures():
    assert {address: entry.prose for address, entry in indexed().items()} == {
        "a/b.html#tools": [
            "They are sharp.",
            "Take np.exp(x). Bad. Rate first.",
            "So do others (Ada et al. 2031).",
            "It is nan.",
            "The letter α is a word.",
        ],
        "a/b.html#saws": ["A saw is short."],
        "a/b.html#term-blade": ["What cuts."],
        "a/b.html#lib.Saw.cut": ["Cut a board."],
        "a/b.html#s1": ["They do."],
    }


def test_code_words_roots_and_names_of_explorers_can_be_found():
    tools = indexed()["a/b.html#tools"]
    assert {"√d", "Shares", "Guess"} <= set(tools.words())
    assert any("np.exp" in sentence for sentence in tools.prose)
    assert not {"seven", "later", "hidden", "Drawn", "0.2", "sharp"} & set(tools.words())
    assert tools.terms == ["sharp", "rests"]


@pytest.mark.parametrize(("marks", "part"), [((HERE, ""), "First"), (("", HERE), "Second")])
def test_an_entry_knows_the_part_of_the_book(marks, part):
    assert {entry.part for entry in entries(ASIDE.format(*marks) + PAGE, "b.html")} == {part}


def test_the_table_of_words_has_groups_and_what_sections_are_asked_for():
    assert read_words("# Remark\neps, ε # Greek\n\na/b#c: one, two words\n") == (
        [["eps", "ε"]],
        {"a/b#c": ["one", "two words"]},
    )


def test_a_section_has_the_words_that_were_said_of_its_old_address(tmp_path):
    (tmp_path / "_static").mkdir()
    (tmp_path / "b.html").write_text(PAGE, "utf-8")
    write_index(tmp_path, ["b.html"], "b#sawing: fretsaw")
    assert indexed()["a/b.html#saws"].marks == ("a/b.html#sawing",)
    assert '"fretsaw"' in (tmp_path / "_static" / NAME).read_text("utf-8")


def test_words_for_a_section_that_is_gone_are_reported(tmp_path, caplog):
    (tmp_path / "_static").mkdir()
    (tmp_path / "b.html").write_text(PAGE, "utf-8")
    write_index(tmp_path, ["b.html"], "b#saws: jigsaw\nb#gone: x\n")
    assert [record.args[0] for record in caplog.records] == ["b#gone"]
    assert '"jigsaw"' in (tmp_path / "_static" / NAME).read_text("utf-8")


# The built site.


@cache
def rows():
    """Return the entries of the site's index, and the words that mean the same."""
    text = (SITE / "_static" / NAME).read_text("utf-8")
    data = json.loads(text.removeprefix("var searchIndex = ").removesuffix(";\n"))
    return data["entries"], data["synonyms"]


def places(page):
    """Return all that has an address of its own on a page."""
    return {f"{page}#{tag['id']}" for tag in read(page).main.select("section[id], dt[id], tr[id]")}


@pytest.mark.site
def test_the_index_has_every_place_of_every_page():
    pages = [page for page in PAGES if page not in {"index.html", "search.html"}]
    assert {row[0] for row in rows()[0]} == set().union(*map(places, pages))
    assert any("#lossprimer.softmax" in row[0] for row in rows()[0])


@pytest.mark.site
def test_every_correction_is_a_place():
    for row in read("book/corrections.html").select("tbody tr"):
        assert row["id"] == row.td.get_text().split(",")[0].lower()


@pytest.mark.site
@pytest.mark.parametrize("page", [page for page in PAGES if page not in {"index.html", "search.html"}])
def test_no_sentence_that_is_shown_has_figure_text_or_a_flattened_formula(page):
    soup = copy(read(page).main)
    for tag in soup.select("pre, svg, figure, .headerlink"):
        tag.replace_with(" ¤ ")
    for note in soup.select("annotation"):
        note.decompose()
    for tag in soup.select("math"):
        if len(tag.get_text()) > 1:
            tag.replace_with("¤")
    text = " ".join(soup.get_text().split())
    shown = [sentence for row in rows()[0] if row[0].startswith(f"{page}#") for sentence in row[5].split("\n")]
    assert [sentence for sentence in shown if sentence not in text] == []


@pytest.mark.site
def test_sphinx_own_search_is_gone():
    assert not (SITE / "searchindex.js").exists()
    gone = {"searchtools.js", "doctools.js", "language_data.js", "sphinx_highlight.js", "documentation_options.js"}
    assert gone & {path.name for path in (SITE / "_static").iterdir()} == set()


QUERIES = [
    line.split(" | ")
    for line in (Path(__file__).parent / "queries.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]
ASK = """queries => {
  const field = document.querySelector("main input[type=search]");
  return queries.map((query) => {
    field.value = query;
    field.dispatchEvent(new Event("input"));
    return [...document.querySelectorAll("main ol > li > a")].slice(0, 3).map((link) => link.getAttribute("href"));
  });
}"""


@pytest.fixture(scope="module")
def ask(browser, serve):
    """Search on one page for all; returns the first three addresses of each query."""
    with opening(browser) as open_page:
        page = open_page(f"{serve(SITE)}/search.html?q=softmax")
        page.get_by_role("main").get_by_role("listitem").first.wait_for()
        yield lambda queries: [[link.removeprefix("./") for link in found] for found in page.evaluate(ASK, queries)]


@cache
def today(place):
    """Return what a place is called now, where the site still has what it was called before."""
    page, _, name = place.partition("#")
    mark = read(f"{page}.html").find(id=name) if (SITE / f"{page}.html").exists() and name else None
    return f"{page}#{mark.find_parent('section')['id']}" if mark and mark.name in {"a", "span"} else place


@pytest.mark.site
def test_what_readers_ask_for_comes_first_nine_times_in_ten_and_else_among_the_first_three(ask):
    answers = ask([query for query, _ in QUERIES])
    places = []
    for (query, expected), found in zip(QUERIES, answers, strict=True):
        # A whole page stands for its sections.
        right = [re.escape(today(place)).replace("\\#", "#", 1) for place in expected.split(" or ")]
        pattern = "|".join(place.replace("#", r"\.html#") if "#" in place else rf"{place}\.html#.*" for place in right)
        places.append((next((i for i, link in enumerate(found) if re.fullmatch(pattern, link)), None), query, found))
    assert len(QUERIES) > 150
    assert [(query, found) for place, query, found in places if place is None] == []
    assert sum(place == 0 for place, _, _ in places) >= 0.9 * len(places), [p for p in places if p[0]]


@pytest.mark.site
@pytest.mark.parametrize(
    ("query", "place", "said"),
    [
        ("loss is nan", "book/symptoms.html#the-loss-is-nan", "nan"),
        ("label smoothing", "notebooks/02_cross_entropy.html#why-does-a-loss-stop-above-0", "Label smoothing "),
        ("temperature", "book/glossary.html#term-temperature", "A positive number by which all scores are divided"),
        ("author", "book/intro.html#how-can-you-cite-it", "Primer authors (2026)"),
    ],
)
def test_a_result_shows_a_sentence_with_the_words_or_says_what_a_name_means(look_at, query, place, said):
    page = look_at(f"search.html?q={query}")
    result = page.get_by_role("main").get_by_role("listitem").filter(has=page.locator(f'a[href$="{place}"]'))
    expect(result.locator(".context")).to_contain_text(said)


@pytest.mark.site
def test_what_means_the_same_is_not_taken_for_the_beginning_of_a_word(look_at):
    page = look_at("search.html?q=nan")
    page.get_by_role("main").get_by_role("listitem").first.wait_for()
    assert {mark.lower() for mark in page.locator("main mark").all_inner_texts()} <= {"nan", "not", "number", "inf"}


def typing_errors(word):
    """Yield a word with one wrong, missing, double or misplaced letter, but for the first."""
    for i in range(1, len(word) - 1):
        yield word[:i] + word[i + 1 :]
        yield word[:i] + word[i] + word[i:]
        yield word[:i] + ("x" if word[i] != "x" else "y") + word[i + 1 :]
        yield word[:i] + word[i + 1] + word[i] + word[i + 2 :]


@pytest.mark.site
def test_one_typing_error_is_forgiven(ask):
    words = "softmax temperature perplexity calibration entropy dropout likelihood momentum ensemble gradient"
    words = [*words.split(), "normalization", "attention", "residual", "underflow", "kullback", "jacobian", "argmax"]
    wrong = [(word, error) for word in words for error in dict.fromkeys(typing_errors(word))]
    right = {word: found[0] for word, found in zip(words, ask(words), strict=True)}
    answers = ask([error for _, error in wrong])
    missed = [(error, found) for (word, error), found in zip(wrong, answers, strict=True) if right[word] not in found]
    assert missed == []


@pytest.mark.site
@pytest.mark.parametrize("group", [["eps", "epsilon", "ε"], ["√d", "sqrt d", "sqrt(d)"], ["KL", "kullback leibler"]])
def test_spellings_of_the_same_thing_find_the_same(ask, group):
    assert set.intersection(*(set(found[:2]) for found in ask(group)))


@pytest.mark.site
def test_no_expression_means_two_things_in_the_table():
    words = [
        word.lower() for group in read_words((BOOK / "book" / "search.txt").read_text("utf-8"))[0] for word in group
    ]
    assert sorted(word for word in set(words) if words.count(word) > 1) == []


@pytest.mark.site
def test_a_search_can_be_linked_to_and_opens_at_the_section(look_at):
    page = look_at("search.html?q=perplexity")
    first = page.get_by_role("main").get_by_role("listitem").first
    expect(first).to_contain_text("Cross-entropy")
    link = first.get_by_role("link")
    target = link.get_attribute("href").partition("#")[2]
    link.click()
    expect(page.locator(f"[id='{target}']")).to_be_in_viewport()


@pytest.mark.site
def test_results_come_as_one_types_are_counted_and_change_the_address(look_at):
    page = look_at("search.html")
    status, found = page.get_by_role("status"), page.get_by_role("main").get_by_role("listitem")
    expect(status).to_be_empty()
    field = page.get_by_role("searchbox", name="Search the book")
    field.press_sequentially("perplex")
    expect(status).to_have_text(re.compile(r"^\d+ places?"))
    assert found.count() > 0
    assert page.url.endswith("?q=perplex")
    field.fill("qqqqqq")
    expect(status).to_contain_text("Nothing found")
    expect(found).to_have_count(0)
    field.fill("")
    expect(status).to_be_empty()


@pytest.mark.site
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (375, "dark")])
def test_results_are_accessible_and_fit(look_at, scheme, width):
    page = look_at("search.html?q=softmax", width, 700, scheme=scheme)
    page.get_by_role("main").get_by_role("listitem").first.wait_for()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.site
def test_the_slash_leads_to_the_search_and_nothing_is_loaded_before(visit):
    page = visit(CHAPTER)
    loaded = []
    page.on("request", lambda request: loaded.append(request.url.rpartition("/")[2]))
    page.get_by_role("slider").first.focus()
    page.keyboard.press("/")
    field = page.get_by_role("searchbox", name="Search the book")
    expect(field).to_be_focused()
    expect(field).to_have_value("")
    page.keyboard.type("divide by sqrt d")
    found = page.locator("#search").get_by_role("link")
    expect(found.first).to_be_visible()
    assert loaded == ["minisearch.js", NAME, "search.js"]
    for key, focused in [
        ("ArrowDown", found.nth(0)),
        ("ArrowDown", found.nth(1)),
        ("ArrowUp", found.nth(0)),
        ("ArrowUp", field),
    ]:
        page.keyboard.press(key)
        expect(focused).to_be_focused()
    assert violations(page, "#search") == []
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#how-does-attention-use-it")).to_be_in_viewport()
    assert page.locator("#search").is_hidden()


@pytest.mark.site
def test_what_is_typed_before_the_search_is_there_is_found(visit):
    page = visit("search.html")
    assert page.evaluate("performance.getEntriesByType('resource').every(({ name }) => !name.includes('search'))")
    page.get_by_role("searchbox").fill("perplexity")
    expect(page.get_by_role("main").get_by_role("listitem").first).to_be_visible()
    expect(page.get_by_role("searchbox")).to_have_value("perplexity")
    assert page.url.endswith("search.html?q=perplexity")


@pytest.mark.site
def test_enter_goes_to_the_page_of_the_search(visit):
    page = visit(CHAPTER)
    page.keyboard.press("/")
    page.keyboard.type("perplexity")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=perplexity")
    expect(page.get_by_role("main").get_by_role("listitem").first).to_be_visible()
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    expect(page.get_by_role("searchbox")).to_have_value("perplexity")


@pytest.mark.site
def test_a_slash_that_is_typed_stays_a_slash(visit):
    page = visit("search.html")
    page.get_by_role("searchbox").press_sequentially("1/2")
    expect(page.get_by_role("searchbox")).to_have_value("1/2")
    page.get_by_role("checkbox", name="The key / leads here").uncheck()
    page.goto(page.url.partition("search.html")[0] + CHAPTER)
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_hidden()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("searchbox")).to_be_hidden()


@pytest.mark.site
def test_without_scripts_the_search_says_what_to_do(visit):
    page = visit("search.html?q=softmax", java_script_enabled=False)
    expect(page.get_by_role("main")).to_contain_text("needs JavaScript")
    expect(page.get_by_role("searchbox")).to_be_hidden()
    page.get_by_role("main").get_by_role("link", name="first page").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


@pytest.mark.site
def test_the_library_of_the_search_carries_its_licence_and_evaluates_nothing():
    library = (SITE / "_static" / "minisearch.js").read_text("utf-8")
    assert "Permission is hereby granted" in library[:2000]
    assert not re.search(r"\beval\(|new Function", library)
