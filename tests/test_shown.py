"""What shows itself: on a page, in a kernel, and in a notebook that was saved and has no kernel any more."""

import base64
import re
import subprocess
import sys
from xml.etree import ElementTree

import nbformat
import pytest
from bs4 import BeautifulSoup
from IPython.core.formatters import DisplayFormatter
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell, new_notebook

from lossprimer.explorer import explore, number, predict, slider
from lossprimer.explorer.shown import STATIC, STAYS
from tools import notebooks

WIDGETS = "application/vnd.jupyter.widget-view+json"
EXPLORER = explore(
    lambda T: (Figure(), f"Nothing at T = {T:g}."), title="Temperature", T=slider("T", [0.5, 1.0], initial=1.0)
)
QUESTION = predict("How much is < 1/4?", {"25 %": None, "40 %": "The 4!"}, right=lambda: 1 / 4, because="One in four.")
NUMBER = predict("How much?", number(0, 100, "%"), right=lambda: 25, within=1, because="One in four.")


@pytest.fixture
def show(monkeypatch):
    """Return a function that shows something as IPython does: what was displayed with it, and its bundle."""
    displayed = []
    monkeypatch.setattr("IPython.display.display", lambda data, **options: displayed.append((data, options)))

    def show(shown):
        bundle, _ = DisplayFormatter().format(shown)
        return displayed, bundle

    return show


@pytest.mark.parametrize("shown", [EXPLORER, QUESTION, NUMBER], ids=["explorer", "options", "number"])
def test_a_kernel_gets_widgets_and_beside_them_what_stays(shown, show, monkeypatch):
    monkeypatch.delenv(STATIC, raising=False)
    ((data, options),), bundle = show(shown)
    assert bundle.keys() == {WIDGETS, "text/plain"}
    # Without words: these are in the bundle, where nbval compares them.
    assert data.keys() == {"text/html"}
    assert options == {"metadata": {STAYS: True}, "raw": True}


@pytest.mark.parametrize("shown", [EXPLORER, QUESTION], ids=["explorer", "options"])
def test_a_page_gets_its_markup_and_nothing_beside_it(shown, show, monkeypatch):
    monkeypatch.setenv(STATIC, "1")
    displayed, bundle = show(shown)
    assert displayed == []
    assert bundle.keys() == {"text/html", "text/plain"}


def stays(show, shown):
    ((data, _),), _ = show(shown)
    return BeautifulSoup(data["text/html"], "html.parser")


def test_of_an_explorer_stays_its_title_and_the_first_picture(show, monkeypatch):
    monkeypatch.delenv(STATIC, raising=False)
    soup = stays(show, EXPLORER)
    assert soup.strong.get_text() == "Temperature"
    assert soup.figcaption.get_text() == "Nothing at T = 1."
    kind, _, data = soup.img["src"].partition(";base64,")
    assert kind == "data:image/svg+xml"
    root = ElementTree.fromstring(base64.b64decode(data))
    assert root[0].attrib == {"width": "100%", "height": "100%", "fill": "white"}
    assert root.attrib["font-family"] == "sans-serif"


def test_of_a_question_stays_what_is_asked_and_no_answer(show, monkeypatch):
    monkeypatch.delenv(STATIC, raising=False)
    text = stays(show, QUESTION).get_text(" ")
    assert re.search(r"Predict\. +How much is < 1/4\? 25 % 40 %$", text)


def test_of_a_number_stays_what_may_be_typed(show, monkeypatch):
    monkeypatch.delenv(STATIC, raising=False)
    assert stays(show, NUMBER).get_text(" ").endswith("How much? A number from 0 to 100, in %")


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """Execute a notebook with an explorer, and make a page of it that finds no widgets."""
    folder = tmp_path_factory.mktemp("executed")
    code = "from lossprimer import figures\nfrom lossprimer.explorer import explore, slider\n"
    code += "explore(figures.temperature, temperature=slider('T', [0.5, 1.0], initial=1.0))"
    nb = new_notebook(cells=[new_code_cell(code)], metadata=nbformat.from_dict(notebooks.METADATA))
    (folder / "a.ipynb").write_text(nbformat.writes(nb), "utf-8")
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--execute", str(folder / "a.ipynb")]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "a.html"


@pytest.mark.kernel
@pytest.mark.parametrize("there", [False, True])
def test_a_converted_notebook_shows_the_picture_until_the_widgets_are_there(executed, there, browser):
    with browser.new_context() as context:
        page = context.new_page()
        page.route(re.compile("^https?:"), lambda route: route.abort())
        page.goto(executed.as_uri())
        picture = page.get_by_role("figure").locator("img")
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 300
        name = picture.evaluate("image => image.closest('[class^=stays-]').className").removeprefix("stays-")
        if there:  # as the script draws it that comes from another host
            page.evaluate("name => document.body.insertAdjacentHTML('beforeend', `<p class='live-${name}'>`)", name)
        assert picture.is_visible() != there
