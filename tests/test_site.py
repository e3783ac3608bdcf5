"""The built site in a real browser: every slider of every page moved, and every request written down."""

import itertools
import json
import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from conftest import BOOK, PAGES, SITE
from lossprimer import figures
from tools import notebooks

pytestmark = pytest.mark.site

# Each explorer of the site: its page and its name.
EXPLORERS = [
    (page, name)
    for page in PAGES
    for name in re.findall(r'<figure class="explorer" id="([^"]+)"', (SITE / page).read_text("utf-8"))
]


def told(path):
    """Return the names of the explorers of a notebook, from the title that each stored output begins with."""
    cells = [cell for cell in notebooks.load(path).cells if re.search(r"\b(explore|steps)\(", cell.source)]
    outputs = [output for cell in cells if cell.cell_type == "code" for output in cell.outputs]
    titles = [output.data["text/plain"].partition(": ")[0].lower() for output in outputs if "data" in output]
    return [re.sub(r"[^a-z0-9]+", "-", title).strip("-") for title in titles]


@pytest.fixture(scope="module")
def address(serve, tmp_path_factory):
    """Serve the site below a sub-path, as a repository's pages are; returns its address."""
    root = tmp_path_factory.mktemp("host")
    (root / "course").symlink_to(SITE, target_is_directory=True)
    return f"{serve(root)}/course"


def test_every_explorer_of_a_chapter_is_on_its_page():
    chapters = {f"notebooks/{path.stem}.html": told(path) for path in sorted((BOOK / "notebooks").glob("*.ipynb"))}
    assert all(chapters.values())
    others = {"book/sliders-elsewhere.html": ["gradient-descent"]}
    assert {page: [name for at, name in EXPLORERS if at == page] for page, _ in EXPLORERS} == chapters | others


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_only_its_own_host_and_finds_all_it_asks_for(browser, address, name):
    context = browser.new_context()
    page = context.new_page()
    requests, failures = [], []
    page.on("request", lambda request: requests.append(request.url))
    # A page that leads on to another one leaves its own requests behind: these are aborted, not failed.
    page.on("requestfailed", lambda request: "ABORTED" in request.failure or failures.append(request.url))
    page.on("response", lambda response: response.status >= 400 and failures.append(response.url))
    page.goto(f"{address}/{name}", wait_until="networkidle")
    page.mouse.wheel(0, 100_000)
    page.wait_for_timeout(200)
    context.close()
    assert {f"{urlsplit(url).scheme}://{urlsplit(url).netloc}" for url in requests} == {address.removesuffix("/course")}
    assert failures == []
    assert all("/course/" in url for url in requests)


class Explorer:
    """One explorer of an open page, and what its data say that it should show."""

    def __init__(self, page, name):
        self.figure = page.locator(f"figure#{name}")
        data = json.loads(self.figure.locator("script").inner_text())
        self.texts, self.sentences = data["texts"], data["sentences"]
        self.rows = self.figure.locator("[data-control]")
        self.kinds = [self.rows.nth(i).get_attribute("data-control") for i in range(self.rows.count())]

    def control(self, i):
        return self.rows.nth(i).locator(
            {"slider": "input", "choice": "input:checked", "list": "select", "steps": "output"}[self.kinds[i]]
        )

    def positions(self):
        """Return where the controls stand, as the page itself shows it."""
        read = {
            "slider": lambda control: int(control.input_value()),
            "choice": lambda control: control.evaluate(
                "button => [...document.getElementsByName(button.name)].indexOf(button)"
            ),
            "list": lambda control: control.evaluate("select => select.selectedIndex"),
            "steps": lambda control: int(control.inner_text().split(" / ")[0]) - 1,
        }
        return [read[kind](self.control(i)) for i, kind in enumerate(self.kinds)]

    def text_sizes(self):
        """Return the sizes of the picture's texts in pixels: in the unit of the drawing, times its scale."""
        return self.figure.locator("svg text").evaluate_all(
            """texts => texts.map((text) =>
              parseFloat(getComputedStyle(text).fontSize) * text.ownerSVGElement.getScreenCTM().a)"""
        )

    def check(self):
        """Assert that picture, sentence and values are those of the setting."""
        positions = self.positions()
        index = 0
        for position, texts in zip(positions, self.texts, strict=True):
            index = index * len(texts) + position
        assert self.figure.locator("figcaption").inner_text() == self.sentences[index]
        assert self.figure.locator(".picture-drawing svg").count() == 1
        for i, kind in enumerate(self.kinds):
            if kind == "slider":
                assert self.control(i).get_attribute("aria-valuetext") == self.texts[i][positions[i]]
        return index


@pytest.fixture(params=EXPLORERS, ids=lambda explorer: explorer[1])
def explorer(request, open_page, address):
    page, name = request.param
    return Explorer(open_page(f"{address}/{page}"), name)


def test_an_explorer_answers_every_key(explorer):
    seen = {explorer.check()}
    for i, kind in enumerate(explorer.kinds):
        if kind == "slider":
            for key in ("Home", "ArrowRight", "ArrowUp", "PageUp", "End", "ArrowLeft", "ArrowDown", "PageDown"):
                explorer.control(i).press(key)
                seen.add(explorer.check())
        elif kind in {"choice", "list"}:
            for key in itertools.repeat("ArrowDown", len(explorer.texts[i])):
                explorer.control(i).press(key)
                seen.add(explorer.check())
        else:
            for _ in explorer.texts[i]:
                explorer.rows.nth(i).get_by_role("button", name="Next").press("Enter")
                seen.add(explorer.check())
    assert len(seen) >= min(len(explorer.sentences), 3)


def test_an_explorer_answers_the_pointer(explorer):
    seen = {explorer.check()}
    for i, kind in enumerate(explorer.kinds):
        control = explorer.control(i)
        if kind == "slider":
            control.scroll_into_view_if_needed()
            box = control.bounding_box()
            middle = box["y"] + box["height"] / 2
            explorer.figure.page.mouse.move(box["x"] + 0.1 * box["width"], middle)
            explorer.figure.page.mouse.down()
            for part in (0.3, 0.5, 0.7, 0.95):
                explorer.figure.page.mouse.move(box["x"] + part * box["width"], middle)
                seen.add(explorer.check())
            explorer.figure.page.mouse.up()
        elif kind == "choice":
            for button in explorer.rows.nth(i).locator("label").all():
                button.click()
                seen.add(explorer.check())
        elif kind == "list":
            for text in explorer.texts[i]:
                control.select_option(text)
                seen.add(explorer.check())
        else:
            explorer.rows.nth(i).get_by_role("button", name="Next").click()
            seen.add(explorer.check())
    assert len(seen) >= min(len(explorer.sentences), 2)


@pytest.mark.parametrize("size", [(375, 667), (667, 375)], ids=["upright", "sideways"])
def test_a_picture_and_its_controls_fit_the_screen_of_a_phone(explorer, size):
    page = explorer.figure.page
    page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
    below, rest = (page.locator(".bar").bounding_box()["height"], size[1])
    boxes = [explorer.figure.locator(part).bounding_box() for part in (".explorer-controls", ".picture-drawing")]
    needed = max(box["y"] + box["height"] for box in boxes) - min(box["y"] for box in boxes)
    assert needed <= rest - below
    # The page for other authors draws in matplotlib's own style.
    if size[0] == 375 and "/notebooks/" in page.url:
        assert min(explorer.text_sizes()) >= 11


def test_text_in_a_picture_is_not_larger_than_the_text_beside_it(explorer):
    beside = explorer.figure.page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)")
    assert max(explorer.text_sizes()) <= beside


def test_the_page_does_not_jump_and_no_track_changes_its_length(explorer):
    sliders = [i for i, kind in enumerate(explorer.kinds) if kind == "slider"]
    boxes = set()
    for i in sliders:
        for key in ("Home", *["ArrowRight"] * (len(explorer.texts[i]) - 1)):
            explorer.control(i).press(key)
            around = explorer.figure.bounding_box()
            boxes.add((around["height"], *(explorer.control(j).bounding_box()["width"] for j in sliders)))
    assert len(boxes) <= 1


def test_the_temperature_can_be_linked_to(open_page, address):
    link = "softmax-at-a-temperature.temperature=0.4&softmax-at-a-temperature.scores=a+tie+for+the+lead"
    page = open_page(f"{address}/notebooks/01_softmax.html#{link}")
    caption = page.locator("#softmax-at-a-temperature figcaption")
    expect(caption).to_have_text(figures.temperature(0.4, (2, 2, 0.5)).sentence)
    expect(caption).to_be_in_viewport()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_reads_without_scripts(open_page, address, name):
    page = open_page(f"{address}/{name}", java_script_enabled=False)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    for explorer in page.locator("figure.explorer").all():
        expect(explorer.locator("svg")).to_be_visible()
        for control in explorer.locator("input, select, button").all():
            expect(control).to_be_disabled()


def test_drawings_stand_out_from_the_page_in_dark_mode(open_page, address):
    page = open_page(f"{address}/notebooks/01_softmax.html", color_scheme="dark")
    colours = page.evaluate(
        """() => {
          const style = (element) => getComputedStyle(element);
          const drawing = document.querySelector('#softmax-at-a-temperature svg');
          return [style(document.body).backgroundColor, style(drawing.querySelector('text')).fill,
                  style(drawing.querySelector('path[fill="#0067a3"]')).fill];
        }"""
    )
    ground, text, bar = (_luminance(colour) for colour in colours)
    assert ground < 0.05
    assert (text + 0.05) / (ground + 0.05) >= 4.5
    assert (bar + 0.05) / (ground + 0.05) >= 3


def _luminance(colour):
    """Return the relative luminance of "rgb(r, g, b)" by WCAG's formula."""
    channels = [int(channel) / 255 for channel in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
