"""The built site in a real browser: every slider of every page moved, and every request written down."""

import contextlib
import functools
import json
import re

import pytest

from conftest import BOOK, NEXT_FRAME, PAGES, SCREEN, SITE, opening
from lossprimer import figures
from tests.waiting import expect, settle
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
RESET = "for (const button of document.querySelectorAll('.explorer-reset')) button.click()"
# Reads an explorer whenever one of its controls has answered an event, until what was read is asked for.
WATCH = f"""figure => {{
  const read = {READ};
  const seen = [];
  const until = new AbortController();
  const answered = {{
    input: (target) => target.type === "range",
    change: () => true,
    click: (target) => target.closest("button"),
  }};
  for (const [kind, by] of Object.entries(answered)) {{
    const keep = ({{ target }}) => by(target) && seen.push(read(figure));
    figure.addEventListener(kind, keep, {{ signal: until.signal }});
  }}
  figure.seen = () => {{ until.abort(); return JSON.stringify(seen); }};
}}"""
WATCHED = "figure => figure.seen()"
DATA = """figure => {
  const { texts, sentences } = JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
  for (let fold = figure.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  const kinds = [...figure.querySelectorAll("[data-control]")].map((row) => row.dataset.control);
  return JSON.stringify([texts, sentences, kinds]);
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


SLIDER_KEYS = ("Home", "ArrowRight", "ArrowUp", "PageUp", "End", "ArrowLeft", "ArrowDown", "PageDown")


class Explorer:
    """One explorer of an open page, and what its data say that it should show."""

    def __init__(self, page, name):
        self.page, self.name = page, name
        self.figure = page.locator(f"figure#{name}")
        # As one string: the browser hands over a string at once, and a list piece by piece.
        self.texts, self.sentences, self.kinds = json.loads(self.figure.evaluate(DATA))
        self.rows = self.figure.locator("[data-control]")

    def control(self, i):
        return self.rows.nth(i).locator(
            {"slider": "input", "choice": "input:checked", "list": "select", "steps": "output"}[self.kinds[i]]
        )

    def check(self, shown=None):
        """Assert that picture, sentence and values are those of the setting, now or when it was read."""
        shown = shown or self.figure.evaluate(READ)
        index = 0
        for kind, position, spoken, texts in zip(
            self.kinds, shown["positions"], shown["spoken"], self.texts, strict=True
        ):
            index = index * len(texts) + position
            assert spoken == (texts[position] if kind == "slider" else None)
        assert shown["sentence"] == self.sentences[index]
        assert shown["drawings"] == 1
        return index

    @contextlib.contextmanager
    def watched(self):
        """Check what is shown at each event of a control; yields the set of what is seen, filled at the end."""
        seen = {self.check()}
        self.figure.evaluate(WATCH)
        yield seen
        seen.update(map(self.check, json.loads(self.figure.evaluate(WATCHED))))
        seen.add(self.check())


@pytest.fixture(scope="module")
def chapter(browser, address):
    """Open a page of the site once; returns its explorers by their names, each time as they were at first."""
    with opening(browser) as open_page:

        @functools.cache
        def opened(name):
            page = open_page(f"{address}/{name}")
            return page, {explorer: Explorer(page, explorer) for at, explorer in EXPLORERS if at == name}

        def chapter(name):
            page, explorers = opened(name)
            page.set_viewport_size(SCREEN)
            page.emulate_media(reduced_motion="no-preference")
            page.evaluate(RESET)
            return explorers

        yield chapter


@pytest.fixture(params=EXPLORERS, ids=lambda explorer: explorer[1])
def explorer(request, chapter):
    """One explorer."""
    page, name = request.param
    return chapter(page)[name]


@pytest.fixture(params=dict.fromkeys(page for page, _ in EXPLORERS))
def explorers(request, chapter):
    """All explorers of a page, by their names: a page changes its width once for all of them."""
    return chapter(request.param)


def test_an_explorer_answers_every_key(explorer):
    """Without motion, which takes most of the time; with the pointer, everything glides."""
    press = explorer.page.keyboard.press
    explorer.page.emulate_media(reduced_motion="reduce")
    with explorer.watched() as seen:
        for i, kind in enumerate(explorer.kinds):
            if kind == "steps":
                explorer.rows.nth(i).get_by_role("button", name="Next").focus()
                keys = ["Enter"] * len(explorer.texts[i])
            else:
                explorer.control(i).focus()
                keys = SLIDER_KEYS if kind == "slider" else ["ArrowDown"] * len(explorer.texts[i])
            for key in keys:
                press(key)
    assert len(seen) >= min(len(explorer.sentences), 3)


def test_an_explorer_answers_the_pointer(explorer):
    mouse = explorer.page.mouse
    with explorer.watched() as seen:
        for i, kind in enumerate(explorer.kinds):
            control = explorer.control(i)
            if kind == "slider":
                control.scroll_into_view_if_needed()
                box = control.bounding_box()
                middle = box["y"] + box["height"] / 2
                mouse.move(box["x"] + 0.1 * box["width"], middle)
                mouse.down()
                for part in (0.3, 0.5, 0.7, 0.95):
                    mouse.move(box["x"] + part * box["width"], middle)
                mouse.up()
            elif kind == "choice":
                for button in explorer.rows.nth(i).locator("label").all():
                    button.click()
            elif kind == "list":
                for text in explorer.texts[i]:
                    control.select_option(text)
            else:
                for _ in explorer.texts[i][1:]:
                    explorer.rows.nth(i).get_by_role("button", name="Next").click()
    assert len(seen) >= min(len(explorer.sentences), 2)


# Of each explorer of a page the height from the first to the last of its controls and its picture, and the sizes of the
# smallest and the largest text of the picture, in pixels: in the unit of the drawing, times its scale.
MEASURED = """() => Object.fromEntries([...document.querySelectorAll("figure.explorer")].map((figure) => {
  const parts = [".explorer-controls", ".picture-drawing"].map((part) => figure.querySelector(part));
  const boxes = parts.map((part) => part.getBoundingClientRect());
  const height = Math.max(...boxes.map(({ bottom }) => bottom)) - Math.min(...boxes.map(({ top }) => top));
  const sizes = [...figure.querySelectorAll("svg text")].map((text) =>
    parseFloat(getComputedStyle(text).fontSize) * text.ownerSVGElement.getScreenCTM().a);
  return [figure.id, { height, smallest: Math.min(...sizes), largest: Math.max(...sizes) }];
}))"""


def page_of(explorers):
    return next(iter(explorers.values())).page


@pytest.mark.parametrize("size", [(375, 667), (667, 375)], ids=["upright", "sideways"])
def test_a_picture_and_its_controls_fit_the_screen_of_a_phone(explorers, size):
    page = page_of(explorers)
    page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
    below = page.locator(".bar").bounding_box()["height"]
    measured = page.evaluate(MEASURED)
    assert measured.keys() == explorers.keys()
    for name, found in measured.items():
        assert found["height"] <= size[1] - below, name
        # The page for other authors draws in matplotlib's own style.
        if size[0] == 375 and "/notebooks/" in page.url:
            assert found["smallest"] >= 11, name


def test_text_in_a_picture_is_not_larger_than_the_text_beside_it(explorers):
    page = page_of(explorers)
    beside = page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)")
    measured = page.evaluate(MEASURED)
    assert measured.keys() == explorers.keys()
    for name, found in measured.items():
        assert found["largest"] <= beside, name


def test_the_page_does_not_jump_and_no_track_changes_its_length(explorers):
    for name, explorer in explorers.items():
        assert len(explorer.figure.evaluate(SIZES)) <= 1, name
        explorer.check()


# Of each explorer of a page its heights with the sentence that takes the least room and with the one that takes the
# most, the most room that is left below a sentence, in pixels, and the height of a line. All sentences lie on each
# other in the place of one, so that the page is laid out once and not for each of them.
SENTENCES = """() => Object.fromEntries([...document.querySelectorAll("figure.explorer")].map((figure) => {
  const [room, text] = [figure.querySelector("figcaption"), figure.querySelector("figcaption span")];
  const { sentences } = JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
  const shown = text.textContent;
  const all = [...new Set(sentences)].map((sentence) => {
    const one = text.cloneNode();
    one.textContent = sentence;
    return one;
  });
  text.after(...all);
  text.textContent = "";
  const most = figure.offsetHeight;
  const { bottom } = room.getBoundingClientRect();
  const lines = document.createRange();
  const found = all.map((one) => {
    lines.selectNodeContents(one);
    return [one.offsetHeight, bottom - lines.getBoundingClientRect().bottom, one];
  });
  const [, , shortest] = found.reduce((least, one) => (one[0] < least[0] ? one : least));
  for (const one of all) one.remove();
  text.textContent = shortest.textContent;
  const least = figure.offsetHeight;
  text.textContent = shown;
  const below = Math.max(...found.map(([, room]) => room));
  return [figure.id, { least, most, below, line: parseFloat(getComputedStyle(text).lineHeight) }];
}))"""


def told_at(page, width, height):
    """Return for each explorer of a page what SENTENCES says, in a window of this size."""
    page.set_viewport_size({"width": width, "height": height})
    # The room for the sentences is measured in the frame after the one that is as wide.
    page.evaluate(f"{NEXT_FRAME}.then(() => {NEXT_FRAME}).then(() => {NEXT_FRAME}).then(() => null)")
    return page.evaluate(SENTENCES)


# At some of the widths a sentence that is not the longest takes the most lines.
WIDTHS = 320, 340, 402, 410, 480
SIZES_WITHOUT_A_GAP = (1280, 800), (375, 667), (667, 375)


def test_no_sentence_moves_the_page_or_leaves_an_empty_line(explorers):
    for size in (*((width, 800) for width in WIDTHS), *SIZES_WITHOUT_A_GAP):
        told = told_at(page_of(explorers), *size)
        assert told.keys() == explorers.keys()
        for name, found in told.items():
            assert found["least"] == found["most"], (name, size)
            assert size not in SIZES_WITHOUT_A_GAP or found["below"] < 0.75 * found["line"], (name, size)


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


# What is wrong with explorers where no script runs: no drawing, one that is hidden though no fold hides it, and what
# looks as if it worked.
LIFELESS = """all => all.flatMap((one) => [
  ...(one.querySelector("svg") ? [] : [`no drawing: ${one.id}`]),
  ...[...one.querySelectorAll("svg")]
    .filter((svg) => !svg.closest("details:not([open])") && !svg.checkVisibility()).map(() => `hidden: ${one.id}`),
  ...[...one.querySelectorAll("input, select, button")].filter((part) => !part.disabled).map((part) => part.outerHTML),
])"""


@pytest.mark.parametrize("name", PAGES)
def test_a_page_reads_without_scripts(scriptless, address, name):
    page = scriptless
    page.goto(f"{address}/{name}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.locator("figure.explorer").evaluate_all(LIFELESS) == []


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
