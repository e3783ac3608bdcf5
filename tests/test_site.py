"""The built site in a real browser: every slider of every page moved, and every request written down."""

import functools
import itertools
import re

import pytest
from playwright.sync_api import expect

from conftest import BOOK, NEXT_FRAME, PAGES, SCREEN, SITE, opening, settle
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
    others = {"book/sliders-elsewhere.html": ["gradient-descent"], "book/intro.html": ["softmax-at-a-temperature"]}
    others["book/ten-minutes.html"] = [
        "the-softmax-recipe",
        "softmax-at-a-temperature",
        "the-price-of-an-answer",
        "the-same-units-in-use-and-in-training",
        "keep-probability-and-mask",
        "one-matrix-two-axes",
        "the-normalization-axis",
    ]
    shown = {page: [name for at, name in EXPLORERS if at == page] for page, _ in EXPLORERS}
    # A problem set has the one that its prediction is about.
    sets = {page: names for page, names in shown.items() if page.startswith("book/exercises/")}
    assert all(len(names) == 1 for names in sets.values())
    assert shown == chapters | others | sets


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_only_its_own_host_and_finds_all_it_asks_for(browser, address, name):
    context = browser.new_context()
    page = context.new_page()
    requests = []
    page.on("request", lambda request: requests.append(request))
    page.goto(f"{address}/{name}")
    if name == "index.html":  # which leads on to another page
        page.wait_for_url(f"{address}/book/intro.html")
    settle(page)
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    settle(page)
    # A page that leads on leaves its own requests behind: these are aborted, not failed.
    answers = [(request.url, request.response(), request.failure or "") for request in requests]
    context.close()
    assert {url.partition("/course/")[0] for url, _, _ in answers} == {address.removesuffix("/course")}
    assert [url for url, answer, failure in answers if "ABORTED" not in failure and not (answer and answer.ok)] == []


# What an explorer shows, read in one go: where its controls stand, what a slider is called there, and the picture.
READ = """figure => {
  const read = {
    slider: (row) => Number(row.querySelector("input").value),
    choice: (row) => [...row.querySelectorAll("input")].findIndex((button) => button.checked),
    list: (row) => row.querySelector("select").selectedIndex,
    steps: (row) => parseInt(row.querySelector("output").innerText) - 1,
  };
  const rows = [...figure.querySelectorAll("[data-control]")];
  return {
    positions: rows.map((row) => read[row.dataset.control](row)),
    spoken: rows.map((row) => row.querySelector("input[type=range]")?.getAttribute("aria-valuetext")),
    sentence: figure.querySelector("figcaption").innerText,
    drawings: figure.querySelectorAll(".picture-drawing svg").length,
  };
}"""
DATA = """figure => {
  const { texts, sentences } = JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
  for (let fold = figure.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  return [texts, sentences, [...figure.querySelectorAll("[data-control]")].map((row) => row.dataset.control)];
}"""
# The height of an explorer and the lengths of its sliders, at each value of each slider; which keys and a pointer move
# them, other tests try.
SIZES = """figure => {
  const inputs = [...figure.querySelectorAll("input[type=range]")];
  const found = {};
  for (const input of inputs) {
    for (let value = Number(input.min); value <= Number(input.max); value += 1) {
      input.value = value;
      input.dispatchEvent(new Event("input", { bubbles: true }));
      const lengths = inputs.map((one) => one.getBoundingClientRect().width);
      found[JSON.stringify([figure.getBoundingClientRect().height, ...lengths])] = [input.name, value];
    }
  }
  return found;
}"""


class Explorer:
    """One explorer of an open page, and what its data say that it should show."""

    def __init__(self, page, name):
        self.figure = page.locator(f"figure#{name}")
        self.texts, self.sentences, self.kinds = self.figure.evaluate(DATA)
        self.rows = self.figure.locator("[data-control]")

    def control(self, i):
        return self.rows.nth(i).locator(
            {"slider": "input", "choice": "input:checked", "list": "select", "steps": "output"}[self.kinds[i]]
        )

    def text_sizes(self):
        """Return the sizes of the picture's texts in pixels: in the unit of the drawing, times its scale."""
        return self.figure.locator("svg text").evaluate_all(
            """texts => texts.map((text) =>
              parseFloat(getComputedStyle(text).fontSize) * text.ownerSVGElement.getScreenCTM().a)"""
        )

    def check(self):
        """Assert that picture, sentence and values are those of the setting."""
        shown = self.figure.evaluate(READ)
        index = 0
        for kind, position, spoken, texts in zip(
            self.kinds, shown["positions"], shown["spoken"], self.texts, strict=True
        ):
            index = index * len(texts) + position
            assert spoken == (texts[position] if kind == "slider" else None)
        assert shown["sentence"] == self.sentences[index]
        assert shown["drawings"] == 1
        return index


@pytest.fixture(scope="module")
def chapter(browser, address):
    """Open a page of the site once; returns it at every call."""
    with opening(browser) as open_page:
        yield functools.cache(lambda name: open_page(f"{address}/{name}"))


def at_first(opened, name):
    """Return one explorer as it was at first, on a large screen, whatever was done before to it and to its page."""
    opened.set_viewport_size(SCREEN)
    opened.locator(f"figure#{name} .explorer-reset").evaluate("button => button.click()")
    return Explorer(opened, name)


@pytest.fixture(params=EXPLORERS, ids=lambda explorer: explorer[1])
def explorer(request, chapter):
    """One explorer."""
    page, name = request.param
    return at_first(chapter(page), name)


@pytest.fixture(params=dict.fromkeys(page for page, _ in EXPLORERS))
def explorers(request, chapter):
    """All explorers of a page, by their names: a page changes its width once for all of them."""
    opened = chapter(request.param)
    return {name: at_first(opened, name) for page, name in EXPLORERS if page == request.param}


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
def test_a_picture_and_its_controls_fit_the_screen_of_a_phone(explorers, size):
    page = next(iter(explorers.values())).figure.page
    page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
    below, rest = (page.locator(".bar").bounding_box()["height"], size[1])
    for name, explorer in explorers.items():
        boxes = [explorer.figure.locator(part).bounding_box() for part in (".explorer-controls", ".picture-drawing")]
        needed = max(box["y"] + box["height"] for box in boxes) - min(box["y"] for box in boxes)
        assert needed <= rest - below, name
        # The page for other authors draws in matplotlib's own style.
        if size[0] == 375 and "/notebooks/" in page.url:
            assert min(explorer.text_sizes()) >= 11, name


def test_text_in_a_picture_is_not_larger_than_the_text_beside_it(explorers):
    for name, explorer in explorers.items():
        beside = explorer.figure.page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)")
        assert max(explorer.text_sizes()) <= beside, name


def test_the_page_does_not_jump_and_no_track_changes_its_length(explorers):
    for name, explorer in explorers.items():
        assert len(explorer.figure.evaluate(SIZES)) <= 1, name
        explorer.check()


SENTENCES = """(figure) => {
  const [room, text] = [figure.querySelector("figcaption"), figure.querySelector("figcaption span")];
  const shown = text.textContent;
  const { sentences } = JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
  const found = sentences.map((sentence) => {
    text.textContent = sentence;
    const lines = document.createRange();
    lines.selectNodeContents(text);
    return [figure.offsetHeight, room.getBoundingClientRect().bottom - lines.getBoundingClientRect().bottom];
  });
  text.textContent = shown;
  return [found, parseFloat(getComputedStyle(text).lineHeight)];
}"""


def told_at(explorers, width, height):
    """Return of each sentence the height of its explorer and the room below it, in pixels, and the height of a line."""
    page = next(iter(explorers.values())).figure.page
    page.set_viewport_size({"width": width, "height": height})
    for _ in range(3):
        page.evaluate(f"{NEXT_FRAME}.then(() => null)")
    return {name: explorer.figure.evaluate(SENTENCES) for name, explorer in explorers.items()}


# At some of the widths a sentence that is not the longest takes the most lines.
WIDTHS = 320, 340, 402, 410, 480
SIZES_WITHOUT_A_GAP = (1280, 800), (375, 667), (667, 375)


def test_no_sentence_moves_the_page_or_leaves_an_empty_line(explorers):
    for size in (*((width, 800) for width in WIDTHS), *SIZES_WITHOUT_A_GAP):
        for name, (sentences, line) in told_at(explorers, *size).items():
            assert len({height for height, _ in sentences}) == 1, (name, size)
            assert size not in SIZES_WITHOUT_A_GAP or max(below for _, below in sentences) < 0.75 * line, (name, size)


def test_the_temperature_can_be_linked_to(open_page, address):
    link = "softmax-at-a-temperature.temperature=0.4&softmax-at-a-temperature.scores=a+tie+for+the+lead"
    page = open_page(f"{address}/notebooks/01_softmax.html#{link}")
    caption = page.locator("#softmax-at-a-temperature figcaption")
    expect(caption).to_have_text(figures.temperature(0.4, (2, 2, 0.5)).sentence)
    expect(caption).to_be_in_viewport()


@pytest.fixture(scope="module")
def scriptless(browser):
    """Yield a page that runs no script, whatever it is led to."""
    with opening(browser) as open_page:
        yield open_page("about:blank", java_script_enabled=False)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_reads_without_scripts(scriptless, address, name):
    page = scriptless
    page.goto(f"{address}/{name}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    explorers = page.locator("figure.explorer")
    hidden = "all => all.filter((one) => !one.closest('details:not([open])') && !one.checkVisibility()).length"
    assert explorers.locator("svg").evaluate_all(hidden) == 0
    assert explorers.evaluate_all("all => all.filter((one) => !one.querySelector('svg')).length") == 0
    controls = explorers.locator("input, select, button")
    assert controls.evaluate_all("all => all.filter((one) => !one.disabled).map((one) => one.outerHTML)") == []


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
