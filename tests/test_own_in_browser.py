"""A reader's own numbers in real Chromium; where it is not about Python itself, a stand-in answers for it."""

import json
import re
import time
from importlib.resources import files

import numpy as np
import pytest

from lossprimer import figures
from lossprimer.explorer import choice, explore, numbers, own, slider
from lossprimer.explorer.own_html import PYTHON
from lossprimer.explorer.static import explorer_html
from tests.waiting import expect

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'"
# Answers when the test says so, with what the test says.
STAND_IN = """
class Python extends EventTarget {
  asked = [];
  stops = 0;
  ask(kind, request) {
    const state = { state: "starting", text: "Starting Python: 9 MB, once" };
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
    return new Promise((resolve, reject) => this.asked.push({ kind, request, resolve, reject }));
  }
  stop() { this.stops += 1; this.asked.at(-1).reject(new Error("Stopped.")); }
}
export const python = (window.python = new Python());
"""


@pytest.fixture(scope="module")
def explorer():
    return explore(
        figures.temperature,
        title="Softmax",
        own={"scores": numbers("Your scores", least=2, low=-np.inf)},
        temperature=slider("Temperature T", [0.5, 1, 2], initial=1),
        scores=choice("Scores", {"three": (2, 1, 0.5), "a tie": (2, 2)}),
    )


@pytest.fixture(scope="module")
def address(serve, tmp_path_factory, explorer):
    folder = tmp_path_factory.mktemp("own")
    for name in ("explorer.js", "own.js", "explorer.css"):
        (folder / name).write_text((files("lossprimer.explorer") / name).read_text("utf-8"), "utf-8")
    (folder / "python.js").write_text(STAND_IN, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PYTHON, "./python.js")
        body = explorer_html(explorer)
    (folder / "index.html").write_text(
        '<!doctype html><html lang="en" data-theme="light"><meta charset="utf-8"><title>Own numbers</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="stylesheet" href="explorer.css"><link rel="icon" href="data:,">'
        f'<script defer src="explorer.js"></script><body><main><h1>Own</h1>{body}</main></html>',
        "utf-8",
    )
    return f"{serve(folder)}/index.html"


@pytest.fixture
def page(open_page, address):
    page = open_page(address, reduced_motion="reduce")
    page.get_by_text("Your own numbers").click()
    expect(page.get_by_label("Your scores")).to_be_enabled()
    return page


def wait_until(page, expression):
    """Wait until an expression holds; the page's policy forbids the browser to evaluate it by itself."""
    deadline = time.monotonic() + 30
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(10)


def draw(page, scores):
    page.get_by_label("Your scores").fill(scores)
    page.get_by_role("button", name="Draw").click()


def answer(page, explorer, at=-1):
    """Have Python answer a request, as it does in a page; return the request."""
    wait_until(page, f"Boolean(window.python?.asked.at({at}))")
    request = page.evaluate(f"python.asked.at({at}).request")
    found = own.answer(request["explorer"], request["setting"], request["texts"])
    page.evaluate(f"(found) => python.asked.at({at}).resolve(JSON.parse(found))", json.dumps(found))
    return request


def caption(page):
    return page.locator("figcaption > span")


def test_nothing_of_it_is_loaded_before_a_reader_asks(open_page, address):
    page = open_page("about:blank")
    asked = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    page.goto(address)
    expect(page.get_by_role("slider")).to_be_enabled()
    assert not {"own.js", "python.js"} & set(asked)
    page.get_by_text("Your own numbers").click()
    expect(page.get_by_label("Your scores")).to_be_enabled()
    assert "python.js" not in asked


def test_own_numbers_are_drawn_and_go_on_with_the_slider(page, explorer):
    draw(page, "3, 1, −∞")
    expect(page.locator(".explorer-own [role=status]")).to_have_text("Starting Python: 9 MB, once")
    answer(page, explorer)
    expect(caption(page)).to_have_text(figures.temperature(1, (3, 1, -np.inf)).sentence)
    # None of the given scores is the one that is shown.
    assert page.get_by_role("radio", checked=True).count() == 0
    page.get_by_role("slider").press("ArrowRight")
    request = answer(page, explorer, 1)
    assert request["setting"][0] == 2
    expect(caption(page)).to_have_text(figures.temperature(2, (3, 1, -np.inf)).sentence)
    expect(page.locator(".explorer-announcement")).to_have_text(figures.temperature(2, (3, 1, -np.inf)).sentence)


def test_a_given_value_and_reset_bring_back_the_pages_own_pictures(page, explorer):
    drawing = page.locator(".picture-drawing")
    before = drawing.inner_html()
    draw(page, "3, 1")
    answer(page, explorer)
    expect(caption(page)).to_have_text(figures.temperature(1, (3, 1)).sentence)
    page.get_by_role("radio", name="three").click()
    expect(caption(page)).to_have_text(explorer.picture((1, 0)).sentence)
    assert drawing.inner_html() == before
    draw(page, "3, 1")
    answer(page, explorer)
    expect(caption(page)).to_have_text(figures.temperature(1, (3, 1)).sentence)
    page.get_by_role("button", name="Reset").click()
    expect(caption(page)).to_have_text(explorer.picture((1, 0)).sentence)
    expect(page.get_by_label("Your scores")).to_have_value("2, 1, 0.5")
    assert page.evaluate("python.asked.length") == 2


def test_what_is_wrong_stands_beside_the_field_and_nothing_else_changes(page, explorer):
    before = caption(page).inner_text()
    draw(page, "1, x")
    answer(page, explorer)
    field = page.get_by_label("Your scores")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    expect(field).to_have_accessible_description(re.compile("^Found “x”, expected 2 to 10 numbers"))
    assert caption(page).inner_text() == before
    draw(page, "1, 2")
    answer(page, explorer)
    expect(field).to_have_attribute("aria-invalid", "false")
    expect(field).to_have_accessible_description(re.compile("^2 to 10 numbers"))


def test_of_many_moves_the_last_is_drawn(page, explorer):
    draw(page, "3, 1")
    for _ in range(3):
        page.get_by_role("slider").press("ArrowRight")
    page.get_by_role("slider").press("Home")
    draw(page, "3, 2")
    answer(page, explorer, 0)
    request = answer(page, explorer, 1)
    assert (request["texts"], request["setting"][0]) == ({"scores": "3, 2"}, 0)
    expect(caption(page)).to_have_text(figures.temperature(0.5, (3, 2)).sentence)
    assert page.evaluate("python.asked.length") == 2


def test_python_can_be_stopped_and_says_what_went_wrong(page):
    draw(page, "3, 1")
    wait_until(page, "window.python?.asked.length")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".explorer-own [role=status]")).to_have_text("Stopped.")
    expect(page.get_by_role("button", name="Stop")).to_be_hidden()
    expect(page.get_by_role("button", name="Draw")).to_be_focused()
    expect(page.get_by_label("Your scores")).to_have_value("3, 1")


def test_the_address_keeps_them_and_a_link_starts_nothing(page, explorer, open_page):
    draw(page, "3, 1")
    answer(page, explorer)
    wait_until(page, "location.hash.includes('scores')")
    link = page.url
    other = open_page(link)
    expect(other.get_by_label("Your scores")).to_have_value("3, 1")
    expect(other.locator(".explorer-own [role=status]")).to_contain_text("came with the link")
    assert other.evaluate("window.python") is None
    other.get_by_role("button", name="Draw").click()
    answer(other, explorer)
    expect(caption(other)).to_have_text(figures.temperature(1, (3, 1)).sentence)


def test_enter_draws(page, explorer):
    page.get_by_label("Your scores").fill("0, 1")
    page.get_by_label("Your scores").press("Enter")
    answer(page, explorer)
    expect(caption(page)).to_have_text(figures.temperature(1, (0, 1)).sentence)


@pytest.mark.parametrize("scripts", [True, False])
def test_where_no_module_can_be_loaded_the_page_says_so(open_page, tmp_path, explorer, monkeypatch, scripts):
    monkeypatch.setenv(PYTHON, "./python.js")
    for name in ("explorer.js", "own.js"):
        (tmp_path / name).write_text((files("lossprimer.explorer") / name).read_text("utf-8"), "utf-8")
    page_file = tmp_path / "index.html"
    page_file.write_text(f'<!doctype html><script defer src="explorer.js"></script>{explorer_html(explorer)}', "utf-8")
    page = open_page("about:blank", java_script_enabled=scripts)
    page.goto(page_file.as_uri())
    page.get_by_text("Your own numbers").click()
    expect(page.get_by_role("button", name="Draw")).to_be_disabled()
    if scripts:
        expect(page.locator(".explorer-own [role=status]")).to_contain_text("opened as a file")
