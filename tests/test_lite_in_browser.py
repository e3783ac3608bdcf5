"""A reader clicks "Open live" and works in the whole notebook, which runs from this site alone; a student hands it in.

One set is run here; ``python -m tools.live`` runs them all, and the chapters, which takes minutes.
"""

import json
import re

import nbformat
import pytest

from conftest import SITE, own
from live.runtime import transferred
from lossprimer import figures
from lossprimer.checks import softmax as check
from tests.waiting import expect
from tools.live import notebooks, run_all, wait_for_notebook

pytestmark = [pytest.mark.site, pytest.mark.live]

PAGE = "book/exercises/01_softmax.html"
SET = "exercises/release/01_softmax/01_softmax.ipynb"
ANSWER = """def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)"""


def reach(page, element):
    """Scroll a notebook from its top until an element is there: JupyterLab draws a cell when it comes into view."""
    page.locator(".jp-WindowedPanel-outer").first.hover()
    page.mouse.wheel(0, -100_000)
    for _ in range(60):
        page.wait_for_timeout(200)
        if element.is_visible():
            return
        page.mouse.wheel(0, 300)


@pytest.fixture(scope="module")
def live(browser, address):
    """Follow the link, answer the first task, run all cells, download; returns page, requests, outcome and notebook."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    requests, errors = [], []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: message.type == "error" and errors.append(message.text))
    page.goto(f"{address}/{PAGE}")
    context.on("request", lambda request: requests.append(request.url))
    page.get_by_role("link", name="Open live", exact=True).click()
    wait_for_notebook(page)
    cell = page.locator(".jp-CodeCell", has_text="def softmax(z)").first
    reach(page, cell)
    cell.get_by_role("textbox").click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text(ANSWER)  # pasted: what is typed the editor indents by itself
    outcome = run_all(page)
    page.get_by_role("menuitem", name="File", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="Download", exact=True).click()
    assert download.value.suggested_filename == "01_softmax.ipynb"
    yield page, requests, outcome, json.loads(download.value.path().read_text("utf-8"))
    context.close()
    assert errors == []


def test_all_cells_run_and_say_nothing_amiss(live):
    _, _, outcome, _ = live
    assert outcome.faults == []
    texts = ["".join(output["data"].get("text/plain", "")) for output in outcome.outputs("execute_result")]
    texts += ["".join(output["text"]) for output in outcome.outputs("stream")]
    assert sum("not attempted yet" in text for text in texts) == 6  # five functions, and the prediction
    assert sum(re.match(r"softmax\(z\): all \d+ cases hold", text) is not None for text in texts) == 1


def test_nothing_is_asked_of_another_host(live, address):
    _, requests, _, _ = live
    assert [url for url in requests if not url.startswith((address, "data:", "blob:"))] == []


def test_the_page_says_how_much_is_fetched(live, address):
    _, requests, _, _ = live
    paths = {SITE / url.removeprefix(address + "/").split("?")[0] for url in requests}
    megabytes = sum(transferred(path) for path in paths if path.is_file()) / 1e6
    said = int(re.search(r"about (\d+) MB, once", (SITE / PAGE).read_text("utf-8"))[1])
    assert abs(megabytes - said) < 1


def test_an_explorer_is_live(live):
    page, _, _, _ = live
    explorer = page.locator(".widget-vbox", has_text="Scores 4, 2 and 0 at a temperature")
    reach(page, explorer)
    handle = explorer.locator(".noUi-handle").first
    handle.focus()
    handle.press("ArrowRight")
    expect(explorer).to_contain_text(figures.temperature(1.4, (4, 2, 0)).sentence, timeout=20_000)


def test_what_is_downloaded_is_the_set_with_the_answer(live):
    _, _, _, downloaded = live
    (given,) = SITE.glob("_downloads/*/01_softmax.ipynb")
    released = nbformat.read(given, as_version=4)
    assert [cell["metadata"]["nbgrader"] for cell in downloaded["cells"]] == [
        cell.metadata.nbgrader for cell in released.cells
    ]
    changed = [
        "".join(now["source"])
        for now, then in zip(downloaded["cells"], released.cells, strict=True)
        if "".join(now["source"]) != then.source
    ]
    assert len(changed) == 1
    names = {}
    exec("import numpy as np\n" + changed[0], names)
    assert check(names["softmax"]).passed


def test_a_link_to_a_page_leads_to_the_book(live, open_page, address):
    page = open_page(f"{address}/live/edit/?path=book%2Fexercises%2F01_softmax.md#take-it")
    page.wait_for_url(f"{address}/{PAGE}#take-it")
    page.goto(f"{address}/live/tree?path=notebooks%2F01_softmax.ipynb")
    page.wait_for_url(re.compile(r"/live/notebooks/index\.html\?path=notebooks%2F01_softmax\.ipynb"))


def test_the_link_tells_what_it_costs_and_is_not_there_without_a_server(visit, browser):
    link = visit(PAGE).get_by_role("link", name="Open live", exact=True)
    expect(link).to_have_accessible_description(re.compile(r"about \d+ MB, once"))
    # Of a page that was opened as a file, Chromium complains that its font is one, too.
    with browser.new_page() as saved:
        saved.goto((SITE / PAGE).as_uri())
        expect(saved.get_by_role("heading", level=1)).to_be_visible()
        expect(saved.get_by_role("link", name="Open live", exact=True)).to_have_count(0)


def test_each_chapter_and_each_set_can_be_opened_live(address):
    linked = set()
    for path in own("*.html"):
        linked |= set(re.findall(r'class="open-live.*?path=([^"]+)"', path.read_text("utf-8")))
    assert linked == set(notebooks(SITE))
