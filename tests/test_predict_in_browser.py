"""Predictions in real Chromium: what is covered, what uncovers it, what is kept, and what a page is without scripts."""

import re
from importlib.resources import files

import pytest
from matplotlib.figure import Figure

from lossprimer.explorer import explore, number, pictured, predict, slider
from lossprimer.explorer.extension import SCRIPTS, STYLES
from lossprimer.explorer.prediction_html import prediction_html
from lossprimer.explorer.static import explorer_html
from tests.axe import violations
from tests.waiting import expect

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:"
WRONG = "That is against one rival."
BECAUSE = "There are nine rivals."
SHARE = predict(
    "What is its share?",
    {"about 90 %": WRONG, "about 45 %": None, "about 20 %": "Too little."},
    right=lambda: 0.4508,
    because=BECAUSE,
)
FACTOR = predict(
    "What is the factor?",
    number(0, 10, "times", slips={2: "That is the lead itself."}),
    right=lambda: 7.389,
    within=0.2,
    because="It is e².",
)
FEW = predict(
    "Is one cell enough?", {"yes": None, "no": "It might not be."}, right=lambda: True, because="Yes.", cells=1
)

NONE = predict("Is nothing covered?", {"yes": None, "no": "It may be."}, right=lambda: True, because="So.", cells=0)


@pictured
def bar(height):
    figure = Figure()
    figure.add_subplot().bar([0], [height])
    return figure, f"Height {height}."


EXPLORER = explore(bar, title="One bar", height=slider("Height", [1, 2, 3]))


def cell(output):
    return f'<div class="cell"><div class="cell_output"><div class="output text_html">{output}</div></div></div>'


def body():
    """Return a page of the four questions, drawn when the browser asks for it."""
    return f"""
<section id="first"><h2>First</h2><p>Before.</p>{cell(prediction_html(SHARE))}
<p>The share is forty-five.</p>{cell(explorer_html(EXPLORER))}
{cell(prediction_html(FACTOR))}<p id="deep">The factor is seven.</p>
<section id="inner"><h3>Inner heading</h3><p>After the heading.</p></section></section>
<section id="second"><h2>Second</h2>{cell(prediction_html(FEW))}<p>Text of one.</p>{cell("<p>Cell one.</p>")}
<p>Text after one.</p>{cell("<p>Cell two.</p>")}</section>
<section id="third"><h2>Third</h2>{cell(prediction_html(NONE))}<p>After none.</p>{cell("<p>Cell three.</p>")}</section>
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("predictions")
    for name in (*SCRIPTS, *STYLES):
        (folder / name).write_text((files("lossprimer.explorer") / name).read_text("utf-8"), "utf-8")
    links = "".join(f'<link rel="stylesheet" href="{name}">' for name in STYLES)
    links += "".join(f'<script defer src="{name}"></script>' for name in SCRIPTS)
    for name, content in {"index": body(), "other": "<p>No question here.</p>"}.items():
        (folder / f"{name}.html").write_text(
            '<!doctype html><html lang="en" data-theme="light" data-content_root="./"><meta charset="utf-8">'
            f'<title>Predictions</title><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f'{links}<link rel="icon" href="data:,"><body><main><h1>Predictions</h1>{content}</main>'
            '<footer class="foot"><p>The foot.</p></footer></html>',
            "utf-8",
        )
    return folder


@pytest.fixture(scope="module")
def address(serve, folder):
    """Serve the book below a path of its own, as a project's pages are: other books have the same host."""
    return f"{serve(folder.parent)}/{folder.name}"


@pytest.fixture
def page(window, address):
    """The page, opened anew; what it keeps is forgotten after the test."""
    window.goto("about:blank")
    window.emulate_media(media="null")
    window.goto(f"{address}/index.html")
    yield window
    window.evaluate("localStorage.clear(); sessionStorage.clear()")


def group(page, prediction=SHARE):
    return page.get_by_role("group", name=prediction.text)


def said(page, prediction=SHARE):
    return group(page, prediction).get_by_role("status")


def is_open(page, *texts):
    return [page.get_by_text(text, exact=True).is_visible() for text in texts]


FIRST = ("The share is forty-five.", "Height 1.", "The factor is seven.")


def test_what_follows_is_covered_up_to_the_next_heading(page):
    assert is_open(page, "Before.", *FIRST, "After the heading.") == [True, False, False, False, True]
    expect(page.get_by_role("heading", name="Inner heading")).to_be_visible()
    expect(group(page, FACTOR)).to_be_hidden()
    assert "The share is forty-five." in page.locator("main").text_content()


def test_a_prediction_may_cover_some_cells_only_and_the_text_with_them(page):
    texts = ("Text of one.", "Cell one.", "Text after one.", "Cell two.")
    assert is_open(page, *texts) == [False, False, False, True]
    group(page, FEW).get_by_label("no").check()
    assert is_open(page, *texts) == [True] * 4


def test_a_prediction_may_cover_nothing_and_show_its_sentences(page):
    assert is_open(page, "After none.", "Cell three.") == [True, True]
    expect(group(page, NONE).get_by_text("What follows is covered")).to_be_hidden()
    expect(group(page, NONE).get_by_text("Each answer explained")).to_be_hidden()
    group(page, NONE).get_by_role("button", name="Show anyway").click()
    expect(group(page, NONE).get_by_text("Each answer explained")).to_be_visible()


@pytest.mark.parametrize(
    ("option", "expected"),
    [("about 45 %", f"Right. {BECAUSE}"), ("about 90 %", f"Not quite. {WRONG} The answer is: about 45 %. {BECAUSE}")],
)
def test_choosing_uncovers_and_says_right_or_not_quite_with_the_sentence(page, option, expected):
    radio = group(page).get_by_role("radio", name=option, exact=True)
    above = radio.bounding_box()
    radio.check()
    expect(said(page)).to_have_text(expected)
    expect(radio).to_be_checked()
    assert radio.bounding_box() == above
    # The next question is there now, and covers what follows it.
    assert is_open(page, *FIRST) == [True, True, False]
    expect(group(page, FACTOR)).to_be_visible()
    assert option == page.locator("[data-mark*='your answer'] label").text_content()
    assert page.locator("[data-mark$='right'] label").text_content() == "about 45 %"


def test_the_kernel_says_the_same(page):
    for answer in SHARE.answers:
        group(page).get_by_role("radio", name=answer.text).check()
        expect(said(page)).to_have_text(SHARE.said(answer.text))
    for typed in (7.2, 7.55, 2.1, 5):
        group(page, FACTOR).get_by_role("spinbutton").fill(str(typed))
        group(page, FACTOR).get_by_role("button", name="Answer").click()
        expect(said(page, FACTOR)).to_have_text(FACTOR.said(typed))


def test_a_number_out_of_range_or_none_uncovers_nothing_and_says_so(page):
    group(page).get_by_role("button", name="Show anyway").click()
    asked = group(page, FACTOR)
    for text in ("", "11"):
        asked.get_by_role("spinbutton").fill(text)
        asked.get_by_role("spinbutton").press("Enter")
        expect(said(page, FACTOR)).to_have_text("Please type a number from 0 to 10.")
        assert is_open(page, "The factor is seven.") == [False]
    asked.get_by_role("spinbutton").fill("7.4")
    asked.get_by_role("spinbutton").press("Enter")
    expect(said(page, FACTOR)).to_have_text("Right. It is e².")
    assert is_open(page, "The factor is seven.") == [True]


def test_show_anyway_uncovers_without_an_answer_and_covers_again(page):
    group(page).get_by_role("button", name="Show anyway").click()
    assert is_open(page, *FIRST) == [True, True, False]
    expect(said(page)).to_have_text("")
    expect(group(page).get_by_text("Each answer explained")).to_be_visible()
    button = group(page).get_by_role("button", name="Cover again")
    expect(button).to_be_focused()
    button.press("Enter")
    assert is_open(page, *FIRST) == [False, False, False]
    expect(group(page).get_by_text("Each answer explained")).to_be_hidden()


def test_by_keyboard_arrows_look_and_space_enter_or_the_button_answer(page):
    first = group(page).get_by_role("radio").first
    answer = group(page).get_by_role("button", name="Answer")
    first.focus()
    expect(answer).to_be_hidden()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(group(page).get_by_role("radio").nth(2)).to_be_checked()
    expect(said(page)).to_have_text("")
    assert is_open(page, *FIRST) == [False, False, False]
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Tab")
    expect(answer).to_be_focused()
    page.keyboard.press("Enter")
    expect(said(page)).to_have_text(f"Right. {BECAUSE}")
    expect(group(page).get_by_role("radio", name="about 45 %")).to_be_focused()


@pytest.mark.parametrize("keys", [["Space"], ["ArrowDown", "ArrowUp", "Enter"], ["ArrowDown", "ArrowUp", "Space"]])
def test_the_first_option_is_answered_by_keyboard(page, keys):
    group(page).get_by_role("radio").first.focus()
    for key in keys:
        page.keyboard.press(key)
    expect(said(page)).to_have_text(SHARE.said("about 90 %"))


def test_answers_are_kept_in_this_browser_and_cleared_from_any_page(page, address):
    group(page).get_by_label("about 20 %").check()
    group(page, FACTOR).get_by_role("spinbutton").fill("7.4")
    group(page, FACTOR).get_by_role("button", name="Answer").click()
    group(page, FEW).get_by_role("button", name="Show anyway").click()
    page.evaluate("localStorage.setItem('mode', 'dark')")
    page.evaluate("localStorage.setItem('prediction /elsewhere/page.html#x', 'kept')")
    page.reload()
    expect(said(page)).to_have_text(SHARE.said("about 20 %"))
    expect(group(page).get_by_label("about 20 %")).to_be_checked()
    expect(group(page, FACTOR).get_by_role("spinbutton")).to_have_value("7.4")
    assert is_open(page, *FIRST, "Cell one.") == [True] * 4
    page.goto(f"{address}/other.html")
    button = page.get_by_role("button", name="Clear my predictions")
    button.click()
    expect(page.get_by_role("button", name="Predictions cleared")).to_be_focused()
    # What is kept of other things, and what another book keeps.
    left = ["mode", "prediction /elsewhere/page.html#x"]
    assert page.evaluate("Object.keys(localStorage).sort()") == left
    page.goto(f"{address}/index.html")
    assert is_open(page, *FIRST, "Cell one.") == [False] * 4
    expect(group(page).get_by_label("about 20 %")).not_to_be_checked()


def test_a_page_that_asks_nothing_speaks_of_predictions_once_one_is_kept(open_page, address):
    page = open_page(f"{address}/other.html")
    button = page.get_by_role("button", name="Clear my predictions")
    expect(button).to_have_count(0)
    page.evaluate("localStorage.setItem(`prediction ${new URL('page.html', location).pathname}#x`, 'kept')")
    page.reload()
    expect(button).to_be_visible()


def test_clearing_covers_the_page_itself_again(page):
    group(page).get_by_label("about 20 %").check()
    page.get_by_role("button", name="Clear my predictions").click()
    expect(said(page)).to_have_text("")
    assert is_open(page, *FIRST) == [False] * 3
    assert page.locator("[data-mark]:not([data-mark=''])").count() == 0


def test_without_storage_a_prediction_works_and_is_forgotten_with_the_page(browser, address):
    page = browser.new_page()
    page.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error('shut off'); } })")
    page.goto(f"{address}/index.html")
    group(page).get_by_label("about 45 %").check()
    expect(said(page)).to_have_text(f"Right. {BECAUSE}")
    page.get_by_role("button", name="Clear my predictions").click()
    assert is_open(page, *FIRST) == [False] * 3
    page.close()


def test_nothing_is_sent(open_page, address):
    page = open_page("about:blank")
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(f"{address}/index.html")
    loaded = len(requests)
    group(page).get_by_label("about 45 %").check()
    group(page, FACTOR).get_by_role("button", name="Show anyway").click()
    page.get_by_role("button", name="Clear my predictions").click()
    assert len(requests) == loaded
    assert all(url.startswith((address, "data:")) for url in requests)


@pytest.mark.parametrize(
    ("fragment", "expected"),
    [("#deep", [True, True, True]), ("#one-bar.height=3", [True, False, False]), ("#first", [False, False, False])],
)
def test_a_link_into_a_cover_opens_it_and_keeps_nothing(open_page, address, fragment, expected):
    page = open_page(f"{address}/index.html{fragment}", covered=True)
    assert is_open(page, FIRST[0], "Height 1.", FIRST[2]) == [
        expected[0],
        expected[1],
        expected[2],
    ]
    assert page.evaluate("localStorage.length") == 0
    if "height" in fragment:
        expect(page.get_by_text("Height 3.", exact=True)).to_be_in_viewport()


def test_a_link_within_the_page_opens_the_cover_around_its_setting(page):
    page.evaluate("location.hash = 'one-bar.height=3'")
    expect(page.get_by_text("Height 3.", exact=True)).to_be_visible()


def test_the_search_of_the_browser_opens_a_cover(page):
    covers = page.locator(".prediction-cover")
    assert {covers.nth(i).get_attribute("hidden") for i in range(covers.count())} == {"until-found"}
    page.locator("#deep").evaluate(
        "e => e.closest('.prediction-cover').dispatchEvent(new Event('beforematch', { bubbles: true }))"
    )
    assert is_open(page, *FIRST) == [True, True, True]


def test_without_scripts_everything_is_open_and_explained_in_a_fold(open_page, address):
    page = open_page(f"{address}/index.html", covered=True, java_script_enabled=False)
    assert is_open(page, *FIRST, "Cell one.", "After the heading.") == [True] * 5
    for prediction in (SHARE, FACTOR, FEW):
        explained = group(page, prediction).get_by_text("Each answer explained")
        explained.click()
        for answer in prediction.answers:
            expect(group(page, prediction).get_by_text(answer.sentence, exact=True)).to_be_visible()
    assert page.get_by_role("button", name=re.compile("Show|Answer$|Clear")).count() == 0
    assert page.get_by_text("What follows is covered").first.is_hidden()


def test_where_the_script_does_not_arrive_everything_is_shown_after_a_while(browser, address):
    page = browser.new_page()
    page.route("**/prediction.js", lambda route: route.abort())
    page.goto(f"{address}/index.html")
    for text in FIRST:
        expect(page.get_by_text(text, exact=True)).to_be_visible(timeout=10_000)
    page.close()


def test_on_paper_everything_is_open(page):
    page.emulate_media(media="print")
    assert is_open(page, *FIRST, "Cell one.") == [True] * 4
    for name in ("Show anyway", "Clear my predictions"):
        assert page.get_by_role("button", name=name).count() == 0


def test_the_covered_slider_is_no_stop_of_the_tabulator(page):
    page.get_by_role("radio").first.focus()
    stops = []
    for _ in range(4):
        page.keyboard.press("Tab")
        stops.append(page.evaluate("document.activeElement.type ?? document.activeElement.tagName"))
    assert "range" not in stops
    group(page).get_by_label("about 45 %").check()
    expect(page.get_by_role("slider", name="Height")).to_be_enabled()
    page.get_by_role("slider", name="Height").press("End")
    expect(page.get_by_text("Height 3.", exact=True).first).to_be_visible()


@pytest.mark.parametrize("width", [375, 1280])
@pytest.mark.parametrize("answered", [False, True])
def test_axe_finds_nothing_and_the_page_does_not_scroll_sideways(open_page, address, width, answered):
    page = open_page(f"{address}/index.html", covered=True, viewport={"width": width, "height": 700})
    if answered:
        group(page).get_by_label("about 20 %").check()
        group(page, FACTOR).get_by_role("button", name="Show anyway").click()
        group(page, FEW).get_by_label("yes").check()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
