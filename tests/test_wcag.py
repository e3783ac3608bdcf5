"""WCAG 2.2, levels A and AA, criterion by criterion: each is checked here or in a test that is named here.

axe finds a part of what is wrong; what it cannot see is in this list. Where a criterion asks for nothing because the
pages have nothing of its kind, that is checked.
"""

import itertools
import re
from functools import cache

import pytest

from conftest import NEXT_FRAME, PAGES, SITE, opening
from tests.parsed import read
from tests.waiting import expect, settle

pytestmark = pytest.mark.site

AXE = "test_accessibility.py::test_a_page_is_accessible_and_as_wide_as_the_screen"
TAB = "test_keyboard.py::test_the_tabulator_reaches_everything_in_the_order_of_the_page_with_a_visible_focus"
BESIDE = "test_own_in_browser.py::test_what_is_wrong_stands_beside_the_field_and_nothing_else_changes"
ANSWERED = "test_predict_in_browser.py::test_by_keyboard_arrows_look_and_space_enter_or_the_button_answer"
# What other tests check, of those criteria that are not checked below.
ELSEWHERE = {
    "1.1.1 Non-text Content": "test_keyboard.py::test_a_picture_has_its_sentence",
    "1.3.1 Info and Relationships": "test_keyboard.py::test_a_page_has_its_landmarks",
    "1.4.1 Use of Color": AXE,  # links are underlined; the curves of a picture: test_figures*.py
    "1.4.3 Contrast (Minimum)": AXE,
    "2.1.1 Keyboard": TAB,
    "2.2.2 Pause, Stop, Hide": "test_keyboard.py::test_nothing_moves_by_itself_or_against_the_readers_wish",
    "2.4.1 Bypass Blocks": "test_keyboard.py::test_the_first_link_skips_to_the_text",
    "2.4.2 Page Titled": "test_pages.py::test_no_two_pages_say_the_same_of_themselves",
    "2.4.3 Focus Order": "test_keyboard.py::test_what_a_button_opens_can_be_left_by_key_and_gives_the_focus_back",
    "2.4.5 Multiple Ways": "test_pages.py::test_every_other_page_can_be_reached_from_a_page",  # and the search
    "2.4.7 Focus Visible": TAB,
    "3.1.1 Language of Page": "test_pages.py::test_a_page_says_what_it_is",
    "3.3.1 Error Identification": BESIDE,
    "3.3.2 Labels or Instructions": AXE,
    "4.1.2 Name, Role, Value": AXE,
    "4.1.3 Status Messages": ANSWERED,
}
# Of these the pages have nothing: what is looked for on each, and not found.
MEDIA = "audio, video, object, embed, iframe"
ABSENT = {
    "1.2.1 Audio-only and Video-only (Prerecorded)": MEDIA,
    "1.2.2 Captions (Prerecorded)": MEDIA,
    "1.2.3 Audio Description or Media Alternative (Prerecorded)": MEDIA,
    "1.2.4 Captions (Live)": MEDIA,
    "1.2.5 Audio Description (Prerecorded)": MEDIA,
    "1.4.2 Audio Control": MEDIA,
    "1.3.5 Identify Input Purpose": "input:is([type=email], [type=tel], [type=password], [name=name], [name=address])",
    "1.4.5 Images of Text": "main img, main canvas",
    "2.2.1 Timing Adjustable": "meta[http-equiv=refresh]",
    "2.3.1 Three Flashes or Below Threshold": f"{MEDIA}, blink, marquee, main img",
    "3.1.2 Language of Parts": "main [lang]",  # all is in English
    "3.3.4 Error Prevention (Legal, Financial, Data)": "form[method=post]",
    "3.3.7 Redundant Entry": "form[method=post]",
    "3.3.8 Accessible Authentication (Minimum)": "input[type=password]",
}
# What the pages listen to: neither a shake, nor two fingers, nor a press before it is let go.
GESTURES = {
    "2.5.1 Pointer Gestures": r"touchstart|touchmove|gesturestart|\.touches\b",
    "2.5.4 Motion Actuation": r"devicemotion|deviceorientation|DeviceMotionEvent|Accelerometer",
    "2.5.2 Pointer Cancellation": r"addEventListener\(.(?:mousedown|touchstart)",
}

CHAPTER, TABLES, FIRST = "notebooks/01_softmax.html", "book/corrections.html", "book/intro.html"
NAMES = [name for name in PAGES if name != "index.html"]


@pytest.fixture(scope="module")
def pages(browser, address):
    """Open a page of the site once, in a window of some size; returns it at every call."""
    with opening(browser) as open_page:

        @cache
        def at(name, width=1280, height=800):
            page = open_page(f"{address}/{name}", viewport={"width": width, "height": height})
            settle(page)
            return page

        yield at


WIDTH = "document.documentElement.scrollWidth - innerWidth"
# Elements of which text is cut off: that which is laid out outside of a box that hides it.
CUT = """() => [...document.querySelectorAll("body *:not(svg *, math *)")].filter((one) => {
  const style = getComputedStyle(one);
  const hides = (axis) => ["hidden", "clip"].includes(style[`overflow${axis}`]);
  if (!one.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true })) return false;
  // Without text, for reading out alone, or abridged with a sign.
  if (!one.innerText?.trim() || style.clipPath !== "none" || one.closest(".where")) return false;
  return (hides("X") && one.scrollWidth > one.clientWidth + 1) || (hides("Y") && one.scrollHeight > one.clientHeight + 2
    && style.overflowX !== "auto");
}).map((one) => one.outerHTML.slice(0, 120))"""


def test_1_3_2_meaningful_sequence_what_is_read_is_laid_out_in_its_order(pages):
    """Without grid areas that swap places: sections follow each other downwards, in the order of the page."""
    tops = (
        pages(CHAPTER)
        .locator("main section > :is(h1, h2, h3)")
        .evaluate_all("all => all.filter(one => one.checkVisibility()).map(one => one.getBoundingClientRect().top)")
    )
    assert len(tops) > 5
    assert tops == sorted(tops)


def test_1_3_3_sensory_characteristics_no_text_points_by_place_or_shape_alone():
    found = [
        (name, text)
        for name in NAMES
        for text in read(name).main.find_all(
            string=re.compile(r"\b(the (?:button|box) (?:on the )?(?:left|right)|round button)\b")
        )
    ]
    assert found == []


@pytest.mark.parametrize("size", [(667, 375), (375, 667)], ids=["landscape", "portrait"])
def test_1_3_4_orientation_both_show_the_page(pages, size):
    page = pages(CHAPTER, *size)
    assert page.evaluate(WIDTH) <= 0
    assert page.locator("main h1").is_visible()
    assert page.locator(".bar").bounding_box()["height"] < 0.2 * size[1]


@pytest.mark.parametrize("width", [320, 667, 830, 1024, 1280])
def test_nothing_in_the_bar_lies_on_anything_else(look_at, width):
    page = look_at(CHAPTER, width, 600)
    page.locator("main h3").nth(1).evaluate("one => one.scrollIntoView()")
    expect(page.locator(".where")).to_be_visible()
    boxes = page.locator(".bar > *, .where > *").evaluate_all(
        """all => all.filter((one) => one.checkVisibility() && !one.matches(".where"))
          .map((one) => one.getBoundingClientRect()).map((box) => [box.left, box.right, box.top, box.bottom])"""
    )
    assert len(boxes) > 4
    for (left, right, top, bottom), (left2, right2, top2, bottom2) in itertools.combinations(boxes, 2):
        assert min(right, right2) - max(left, left2) <= 1 or min(bottom, bottom2) - max(top, top2) <= 1


def test_1_4_4_resize_text_to_twice_its_size(look_at):
    page = look_at(CHAPTER, 1280, 800)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.evaluate(WIDTH) <= 0
    assert page.evaluate(CUT) == []


@pytest.mark.parametrize("name", [CHAPTER, TABLES, FIRST, "book/notation.html", "book/frameworks.html", "search.html"])
@pytest.mark.parametrize("width", [320, 375])
def test_1_4_10_reflow_nothing_is_cut_without_a_cue(pages, name, width):
    page = pages(name, width, 800)
    assert page.evaluate(WIDTH) <= 0
    assert page.evaluate(CUT) == []
    # What goes on beyond an edge has a shade there, and is reached by keyboard.
    shaded = """all => all.filter((box) => box.checkVisibility() && box.scrollWidth > box.clientWidth)
      .filter((box) => !getComputedStyle(box).backgroundImage.includes("gradient") || box.tabIndex !== 0)
      .map((box) => box.outerHTML.slice(0, 120))"""
    assert page.locator("main .table-scroll, main div.math, main pre").evaluate_all(shaded) == []


def test_a_table_of_prose_becomes_cards_with_the_words_of_its_head(pages):
    cells = (
        pages(TABLES, 375, 800)
        .locator("table.prose td")
        .evaluate_all(
            """all => all.map((cell) => [cell.getBoundingClientRect().right <= innerWidth,
          cell.getBoundingClientRect().top >= (cell.previousElementSibling?.getBoundingClientRect().bottom ?? 0) - 1,
          cell.cellIndex, getComputedStyle(cell, "::before").content,
          cell.closest("table").tHead.rows[0].cells[cell.cellIndex].innerText])"""
        )
    )
    assert len(cells) > 50
    for fits, is_below, column, said, head in cells:
        assert fits
        assert column == 0 or is_below
        assert said == ("none" if column == 0 else f'"{head}" / ""'), head


def test_the_head_of_a_table_is_there_for_those_who_hear_it(pages):
    for width in (375, 1280):
        heads = pages(TABLES, width, 800).get_by_role("main").get_by_role("columnheader")
        assert heads.all_text_contents() == [head.get_text() for head in read(TABLES).select("main thead th")] != []


CONTRASTS = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (colour) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = (colour) => rgb(colour).slice(0, 3).map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (one) => { const own = getComputedStyle(one).backgroundColor;
    return rgb(own)[3] === 255 || !one.parentElement ? own : ground(one.parentElement); };
  const ratio = (a, b) => {
    const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
    return (x + 0.05) / (y + 0.05);
  };
  const fields = "select, textarea, .explorer-options span, input:not([type=range], [type=radio], [type=checkbox])";
  return [...document.querySelectorAll(`main :is(${fields})`)].filter((one) => one.checkVisibility()).map((one) => {
    const style = getComputedStyle(one);
    return [ratio(style.borderTopColor, ground(one.parentElement)), one.outerHTML.slice(0, 120)];
  });
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", [CHAPTER, "search.html"])
def test_1_4_11_non_text_contrast_the_edge_of_a_field_is_seen(pages, name, scheme):
    page = pages(name)
    page.emulate_media(color_scheme=scheme)
    found = page.evaluate(CONTRASTS)
    page.emulate_media(color_scheme="light")
    assert found
    assert [(ratio, markup) for ratio, markup in found if ratio < 3] == []


SPACED = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`p { margin-bottom: 2em !important }
    * { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important }`);
  document.adoptedStyleSheets = [sheet];
}"""


@pytest.mark.parametrize("name", [CHAPTER, TABLES, FIRST])
def test_1_4_12_text_spacing_loses_nothing(look_at, name):
    page = look_at(name, 375, 800)
    page.evaluate(SPACED)
    page.evaluate(f"{NEXT_FRAME}.then(() => null)")
    assert page.evaluate(WIDTH) <= 0
    assert page.evaluate(CUT) == []


def test_1_4_13_content_on_hover_or_focus_nothing_is_told_by_it_alone():
    """What appears under the pointer are a link to a heading and a button; both are there for the keyboard."""
    links = read(CHAPTER).select("link[rel=stylesheet]")
    files = ((SITE / CHAPTER).parent / link["href"].partition("?")[0] for link in links)
    styles = "".join(path.read_text("utf-8") for path in files)
    hovers = re.findall(r"([^{}]*:hover[^{}]*)\{([^}]*)\}", styles)
    assert hovers
    for selector, rules in hovers:
        if re.search(r"opacity|display|visibility", rules):
            assert ":focus" in selector, selector


def test_2_1_2_no_keyboard_trap_the_focus_leaves_the_page_at_its_end(look_at):
    page = look_at(TABLES)
    stops = page.locator("a[href], button, input, select, textarea, summary, [tabindex='0']").count()
    for _ in range(stops + 3):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            return
    pytest.fail("the focus does not come to the end of the page")


NAMED = """all => all.filter((one) => one.checkVisibility()).map((one) => one.ariaLabel ?? one.innerText)"""


def test_2_1_4_character_key_shortcuts_the_one_of_the_search_can_be_switched_off(visit):
    page = visit("search.html")
    page.get_by_role("checkbox", name="The key /").uncheck()
    page.goto(page.url.replace("search.html", CHAPTER))
    page.keyboard.press("/")
    assert not page.locator("#search").is_visible()


def test_2_4_4_link_purpose_links_to_headings_are_told_apart(pages):
    names = pages(CHAPTER).locator(".headerlink").evaluate_all(NAMED)
    assert len(names) > 10
    assert all(re.match(r"Link to \w", name) for name in names)
    assert len(set(names)) == len(names)


def test_2_4_6_headings_and_labels_buttons_that_copy_are_told_apart_and_begin_with_what_is_seen(pages):
    page = pages(CHAPTER)
    page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true; })")
    buttons = page.locator("button.copy")
    names = buttons.evaluate_all(NAMED)
    assert len(names) > 20
    assert len(set(names)) == len(names)
    assert all(name.startswith("Copy code ") and len(name) < 70 for name in names)
    assert set(buttons.all_inner_texts()) == {"Copy"}


COVERED = """() => {
  const one = document.activeElement;
  const bar = document.querySelector(".bar");
  if (one === document.body || bar.contains(one) || one.closest(".side, .search-box, .skip")) return null;
  const [box, edge] = [one.getBoundingClientRect(), bar.getBoundingClientRect().bottom];
  return box.bottom <= edge || box.top >= innerHeight ? one.outerHTML.slice(0, 120) : null;
}"""


@pytest.mark.parametrize("key", ["Tab", "Shift+Tab"])
def test_2_4_11_focus_not_obscured_by_the_bar(look_at, key):
    page = look_at(CHAPTER, 1280, 400)
    if key == "Tab":
        page.locator("main a").first.focus()
    else:
        page.locator(".neighbours a").last.focus()
    faults = []
    for _ in range(60):
        page.keyboard.press(key)
        faults.append(page.evaluate(COVERED))
    assert [fault for fault in faults if fault] == []


def test_2_5_3_label_in_name_what_is_seen_is_said(pages):
    wrong = (
        pages(CHAPTER)
        .locator("button, a[href], summary")
        .evaluate_all(
            """all => all.filter((one) => one.checkVisibility() && one.ariaLabel && !one.matches(".headerlink"))
          .filter((one) => !one.ariaLabel.toLowerCase().includes(one.innerText.trim().toLowerCase()))
          .map((one) => one.outerHTML)"""
        )
    )
    assert wrong == []


def test_2_5_7_dragging_movements_what_can_be_dragged_has_a_slider():
    """In the picture, or on its track: a click beside the thumb and the arrow keys do the same."""
    figures = [figure for name in NAMES for figure in read(name).select("figure.explorer")]
    assert figures
    for figure in figures:
        if '"axes":[{' in figure.select_one("script").get_text():
            assert figure.select("input[type=range]"), figure["id"]


TARGETS = """() => {
  const targets = "a[href], button, input:not([type=range]), select, textarea, summary, label:has(input)";
  const shown = [...document.querySelectorAll(targets)]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest("[inert]"));
  const boxes = shown.map((one) => one.getBoundingClientRect());
  // In the flow of a text or of code, whose lines set its height.
  const inSentence = (one) => one.matches("main :is(p, li, dd, dt, td, figcaption, h1, h2, h3, sup, span, pre) a");
  const radio = (one) => one.matches("input") && one.closest("label, .prediction-option");
  return shown.filter((one, i) => {
    const box = boxes[i];
    if (!box.width || (box.width >= 24 && box.height >= 24) || inSentence(one) || radio(one)) return false;
    // A circle of 24 px around its middle meets no other target.
    const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
    return boxes.some((other, j) => {
      const away = [Math.max(other.left - x, 0, x - other.right), Math.max(other.top - y, 0, y - other.bottom)];
      return j !== i && other.width && !one.contains(shown[j]) && !shown[j].contains(one) && Math.hypot(...away) < 12;
    });
  }).map((one) => one.outerHTML.slice(0, 160));
}"""


@pytest.mark.parametrize("name", [CHAPTER, FIRST, "book/exercises/01_softmax.html", "book/self-test/01_softmax.html"])
@pytest.mark.parametrize("width", [1280, 375])
def test_2_5_8_target_size_is_24_pixels_or_there_is_room_around(pages, name, width):
    assert pages(name, width, 800).evaluate(TARGETS) == []


def test_3_2_1_on_focus_and_3_2_2_on_input_nothing_leads_elsewhere(look_at):
    page = look_at(CHAPTER)
    before = page.url.partition("#")[0]
    for control in page.locator("main :is(input, select, button)").all()[:40]:
        if control.is_visible() and control.is_enabled():
            control.focus()
    page.get_by_role("slider").first.press("ArrowRight")
    assert page.url.partition("#")[0] == before
    assert len(page.context.pages) == 1


def bar_of(name):
    """Name what the bar of a page has, in its order."""
    return [tag.get("aria-label") or tag.get_text(strip=True) for tag in read(name).select(".bar :is(a, button)")]


def test_3_2_3_consistent_navigation_and_3_2_6_consistent_help_are_in_one_order_on_all_pages():
    order = ["Pages", "Loss & Stability Primer", "Search", "Colours: auto", "Download the notebook", "On this page"]
    for name in NAMES:
        has = bar_of(name)
        assert has == [one for one in order if one in has], name
        assert {"Pages", "Search", "Colours: auto", "On this page"} <= set(has), name
        # Help is the form for mistakes, the last link beside the text where the site knows its repository.
        assert [one["aria-label"] for one in read(name).select("#page-contents > aside")] == ["This page"], name
    lists = {tuple(link.get_text(strip=True) for link in read(name).select("#site-contents a")) for name in NAMES}
    assert len(lists) == 1


def test_3_2_4_consistent_identification_what_does_the_same_is_called_the_same():
    for selector, expected in {".explorer-reset": {"Reset"}, ".prediction-show": {"Show anyway"}}.items():
        assert {one.get_text() for name in NAMES for one in read(name).select(selector)} == expected


def test_3_3_3_error_suggestion_a_field_says_what_it_expects():
    fields = [field for name in NAMES for field in read(name).select(".explorer-own-field")]
    assert fields
    assert all(field.p.get_text(strip=True) and field.input["aria-describedby"] for field in fields)


@cache
def of_the_kind(selector):
    return [(name, tag.name) for name in NAMES for tag in read(name).select(selector)]


@pytest.mark.parametrize("criterion", ABSENT)
def test_the_pages_have_nothing_of_the_kind(criterion):
    assert of_the_kind(ABSENT[criterion]) == []


@pytest.mark.parametrize("criterion", GESTURES)
def test_the_scripts_listen_to_nothing_of_the_kind(criterion):
    scripts = [path for folder in ("", "live") for path in (SITE / "_static" / folder).glob("*.js")]
    own = [path for path in scripts if path.name not in {"editor.js", "minisearch.js"}]
    assert len(own) > 3
    assert [path.name for path in own if re.search(GESTURES[criterion], path.read_text("utf-8"))] == []


def test_the_list_has_every_criterion_of_levels_a_and_aa():
    counts = {
        "1.1": 1,
        "1.2": 5,
        "1.3": 5,
        "1.4": 9,
        "2.1": 3,
        "2.2": 2,
        "2.3": 1,
        "2.4": 8,
        "2.5": 6,
        "3.1": 2,
        "3.2": 5,
    }
    counts |= {"3.3": 6, "4.1": 2}
    here = re.findall(r"(\d)_(\d)_(\d+)_[a-z]", " ".join(name for name in globals() if name.startswith("test_")))
    numbers = [".".join(parts) for parts in here] + [name.split()[0] for name in (*ELSEWHERE, *ABSENT, *GESTURES)]
    assert sorted(numbers) == sorted(set(numbers))
    found = {}
    for number in numbers:
        found[number.rpartition(".")[0]] = found.get(number.rpartition(".")[0], 0) + 1
    assert found == counts
    assert sum(counts.values()) == 55


@pytest.mark.parametrize("test", sorted(set(ELSEWHERE.values())))
def test_a_test_that_is_named_here_exists(test):
    file, _, name = test.partition("::")
    assert f"def {name}(" in (SITE.parents[1] / "tests" / file).read_text("utf-8")


# Beyond the criteria.


def test_a_translated_page_leaves_code_formulas_and_pictures_as_they_are(look_at):
    page = look_at(CHAPTER, 375, 800)
    page.evaluate("document.documentElement.dir = 'rtl'")
    kept = """all => all.filter((one) => one.translate || getComputedStyle(one).direction !== "ltr")
      .map((one) => one.outerHTML)"""
    assert page.locator("pre, code, math, .picture-drawing").evaluate_all(kept) == []
    assert page.evaluate(WIDTH) <= 0
    assert page.locator("main p").first.evaluate("one => getComputedStyle(one).direction") == "rtl"


def test_in_forced_colours_code_has_a_border(visit):
    page = visit(CHAPTER, forced_colors="active")
    borders = page.locator(".cell_input .highlight:visible").evaluate_all(
        "all => all.map((one) => getComputedStyle(one).borderTopWidth)"
    )
    assert borders
    assert set(borders) == {"1px"}
