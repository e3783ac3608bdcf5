"""The parts that the pages are made of, on a page of their own, and how they looked when somebody last accepted it.

Run as a command (``python -m tests.look``) it accepts how they look now: it writes the boxes and pictures of
tests/recorded/look, to be looked at before they are committed. Everything is set in the site's own face, so that boxes
do not depend on what is installed; what is compared is told by `differences`.
"""

from __future__ import annotations

import io
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from PIL import Image, ImageChops

from lossprimer.explorer import choice, explore, pictured, predict, slider
from lossprimer.explorer.prediction_html import prediction_html
from lossprimer.explorer.static import explorer_html
from tests.building import build
from tests.waiting import settle
from tools.browser import find_browser, launched
from tools.server import serving

if TYPE_CHECKING:
    from playwright.sync_api import Page

RECORDED = Path(__file__).parent / "recorded" / "look"
# The screens: their width, and whether they are dark.
SCREENS = {"desk": (1280, False), "phone": (375, True)}
# The parts, by what finds them. A part with an "!" before it is done something to first, see STATES.
PARTS = {
    "bar": ".bar",
    "title": "h1",
    "text": "h1 ~ p",
    "formula": "div.math",
    "account": "blockquote.account:has(p + p > .verdict)",
    "claim": "blockquote.account:not(:has(.verdict))",
    "verdict": "blockquote.account:has(> div > p:first-child > .verdict)",
    "transformer": "blockquote.transformer",
    "caution": "blockquote.caution",
    "code-folded": "details.code",
    "code-open": "details.code",
    "code": ".cell:has(> .cell_output) > .cell_input",
    "output": ".cell_output pre",
    "prediction-open": ".prediction",
    "prediction-answered": ".prediction",
    "explorer": "figure.explorer",
    "table": "table:not(.prose)",
    "table-of-prose": "table.prose",
    "entries": "table.entries",
    "cards": ".cards",
    "neighbours": ".neighbours",
}
STATES = {
    "code-open": "document.querySelector('details.code').open = true",
    "prediction-answered": "document.querySelectorAll('.prediction input')[1].click()",
}
# In CSS pixels and as a part of the whole: fonts are laid out a little differently from system to system.
NEAR, PART = 3, 0.02
# Edges of the squares whose mean colours are compared; how much one may differ, of 255; and how many of them may.
SQUARE, SHADE, FEW = 6, 40, 0.02
# How much the ground may differ, the colour that most of a part has.
GROUND = 6

TEXT = r"""# A title that takes two lines on a phone

A paragraph with *emphasis*, **weight**, `code`, a formula $p_i = \sqrt{z_i}$ and a [link](other.md), long enough
for three lines on a desk, so that the distance of its lines can be seen, and its right edge.

$$
\mathrm{softmax}(z)_i = \frac{e^{z_i}}{\sum_{j=1}^{K} e^{z_j}}
$$

> **Popular account.** "The claim, in quotation marks."
>
> **Verdict: half true.** It is 88 % among two, and 0.01 % among 50,000: [where it is measured](other.md).

Between.

> **Popular account.** "A claim that stands alone, because it is measured before it is judged."

Between.

> **Verdict: wrong.** A paragraph that says what was measured, in more than a line.

Between.

> **In a Transformer.** Where the tool stands in one.

Between.

> **Caution.** What goes wrong with it.
"""
TABLES = """| K | share | loss |
|---|---|---|
| 2 | 0.88 | 0.13 |
| 10 | 0.45 | 0.80 |

Between.

| Id | As it is said | Verdict |
|---|---|---|
| S1 | A statement of some length, which takes several lines on a phone | wrong |
| S2 | Another one, which is not shorter than the first by very much | half true |

Between.

| Id | As it is said | Verdict | What is true | Where |
|---|---|---|---|---|
| S3 | A statement | needs a condition | What is true of it, in more words than fit on a phone | [Where](other.md) |

::::{container} cards
:::{container} card
[A chapter](other.md)

Which question does it ask?
:::
:::{container} card
[Another chapter](other.md)

Which question does that one ask, in two lines?
:::
::::
"""


@pictured
def _bars(height: float, kind: str) -> tuple[Figure, str]:
    figure = Figure(figsize=(5, 2))
    axes = figure.add_subplot(ylim=(0, 4))
    axes.bar([0, 1], [height, 2], hatch="/" if kind == "hatched" else None)
    return figure, f"A {kind} bar of height {height} beside one of height 2."


def _notebook() -> dict:
    """Return the page of parts as a notebook that has been executed."""
    explorer = explore(
        _bars,
        title="Two bars",
        height=slider("Height", [1, 2, 3], initial=2),
        kind=choice("Kind", ["plain", "hatched"]),
    )
    question = predict(
        "Is the first bar higher?",
        {"yes": None, "no": "The second stands at 2.", "neither": "They differ."},
        right=lambda: True,
        because="It stands at 3.",
        cells=0,
    )

    def text(words):
        return {"cell_type": "markdown", "metadata": {}, "source": words}

    def code(source, **data):
        outputs = (
            [{"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": data}] if data else []
        )
        return {"cell_type": "code", "metadata": {}, "source": source, "execution_count": 1, "outputs": outputs}

    language = {"name": "python", "pygments_lexer": "python"}
    cells = [
        text(TEXT),
        code("import numpy as np\nfrom lossprimer import softmax"),
        code("z = np.array([2.0, 1.0, 0.5])\nsoftmax(z).round(3)", **{"text/plain": "array([0.629, 0.231, 0.14 ])"}),
        code("predict()", **{"text/html": prediction_html(question)}),
        code("bars()", **{"text/html": explorer_html(explorer)}),
        text(TABLES),
    ]
    return {"nbformat": 4, "nbformat_minor": 4, "metadata": {"language_info": language}, "cells": cells}


def build_parts(folder: Path) -> Path:
    """Build the page of parts in a folder; returns the folder of the site."""
    source = folder / "source"
    source.mkdir()
    (source / "parts.ipynb").write_text(json.dumps(_notebook()), "utf-8")
    (source / "other.md").write_text("# Another page\n\nIt has $x$.\n", "utf-8")
    (source / "index.md").write_text("# A small book\n\n```{toctree}\nparts\nother\n```\n", "utf-8")
    settings = {
        "extensions": ["myst_nb", "theme", "lossprimer.explorer.extension"],
        "html_theme": "primer",
        "html_math_renderer": "mathml",
        "html_title": "A small book",
        "myst_enable_extensions": ["dollarmath", "colon_fence"],
        "nb_execution_mode": "off",
        "nb_mime_priority_overrides": [["*", "text/html", 0]],
        "source_suffix": {".md": "myst-nb", ".ipynb": "myst-nb"},
        "page_questions": {"index": "What comes before?", "other": "What comes after, in so many words?"},
        "copyright": "nobody",
    }
    warnings = build(source, folder / "html", settings)
    assert warnings == "", warnings
    return folder / "html"


# One face for everything, which a page does not wait for. The policy allows no other style than that of a script.
ONE_FACE = """async () => {
  const faces = { text: {}, bold: { weight: "600 700" }, italic: { style: "italic" } };
  for (const [name, kind] of Object.entries(faces)) {
    document.fonts.add(await new FontFace("Parts", `url(_static/${name}.woff2)`, kind).load());
  }
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`:root { --serif: Parts; --sans: Parts; --mono: Parts } svg * { font-family: Parts !important }
    math { font-family: "Primer Math", Parts }`);
  document.adoptedStyleSheets = [sheet];
}"""
# The boxes of a part and of what is in it, from its upper left corner.
BOXES = """(part) => {
  const from = part.getBoundingClientRect();
  return [part, ...part.querySelectorAll("*:not(svg *, math *, option, script, noscript, noscript *)")]
    .filter((one) => one.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true }))
    .map((one) => [one, one.getBoundingClientRect()])
    .filter(([, box]) => box.width > 1 && box.height > 1)
    .map(([one, box]) => [one.localName, box.left - from.left, box.top - from.top, box.width, box.height]);
}"""
# Texts that lie on each other, and texts that stand out of the window or of a box that hides what is outside.
FAULTS = """() => {
  const lines = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const one = text.parentElement;
    const shown = one.checkVisibility({ visibilityProperty: true, opacityProperty: true, contentVisibilityAuto: true });
    if (!text.data.trim() || !shown || one.closest("svg, math, script, noscript, .skip, .bar, option")) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    for (const box of range.getClientRects()) if (box.width > 1 && box.height > 2) lines.push({ text, one, box });
  }
  const said = ({ text }) => text.data.trim().slice(0, 40);
  const faults = [];
  const hidden = (one) => one && (getComputedStyle(one).clipPath !== "none" || hidden(one.parentElement));
  const seen = lines.filter(({ one }) => !hidden(one));
  seen.forEach((a, i) => {
    if (a.box.left < 0 || a.box.right > innerWidth + 1) faults.push(`outside: ${said(a)}`);
    for (let box = a.one; box; box = box.parentElement) {
      const [style, room] = [getComputedStyle(box), box.getBoundingClientRect()];
      if (style.overflowX === "hidden" && a.box.right > room.right + 1) faults.push(`cut: ${said(a)}`);
    }
    for (const b of seen.slice(i + 1)) {
      const wide = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
      // The box of a line is taller than its letters.
      const high = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
      if (a.text !== b.text && wide > 2 && high > 0.4 * Math.min(a.box.height, b.box.height)) {
        faults.push(`on each other: ${said(a)} / ${said(b)}`);
      }
    }
  });
  return faults;
}"""


def prepare(page: Page, address: str) -> None:
    """Open the page of parts, set in one face, with all that is folded as it is at first."""
    page.goto(f"{address}/parts.html")
    page.evaluate(ONE_FACE)
    settle(page)


def seen(page: Page) -> Iterator[tuple[str, list[list], Image.Image]]:
    """Yield the name of each part, its boxes and its picture, in turn; what is done to a part stays."""
    for name, selector in PARTS.items():
        if name in STATES:
            page.evaluate(STATES[name])
        part = page.locator(selector).first
        boxes = [[kind, *(round(number) for number in box)] for kind, *box in part.evaluate(BOXES)]
        yield name, boxes, Image.open(io.BytesIO(part.screenshot(animations="disabled"))).convert("RGB")


def differences(boxes: list[list], accepted: list[list], picture: Image.Image, before: Image.Image) -> list[str]:
    """Say in what a part differs from how it was accepted: what is in it, where that is, and its shades."""
    kinds, expected = ([kind for kind, *_ in some] for some in (boxes, accepted))
    if kinds != expected:
        return [f"has {' '.join(kinds)}, expected {' '.join(expected)}"]
    found = [
        f"{kind} has the box {box}, expected {other}"
        for (kind, *box), (_, *other) in zip(boxes, accepted, strict=True)
        if any(abs(is_ - was) > max(NEAR, PART * max(other)) for is_, was in zip(box, other, strict=True))
    ]
    size = tuple(map(min, picture.size, before.size))
    squares = tuple(max(1, length // SQUARE) for length in size)
    small, other = (one.crop((0, 0, *size)).resize(squares, Image.Resampling.BOX) for one in (picture, before))
    values = ImageChops.difference(small, other).convert("RGB").split()
    apart = ImageChops.lighter(ImageChops.lighter(values[0], values[1]), values[2])
    share = sum(apart.histogram()[SHADE:]) / (squares[0] * squares[1])
    # There are no more colours than pixels. Pillow makes room for as many as it is told: 16 million took 0.1 s each.
    ground, expected = (max(one.getcolors(one.width * one.height))[1] for one in (picture, before))
    if any(abs(is_ - was) > GROUND for is_, was in zip(ground, expected, strict=True)):
        found.append(f"has the ground {ground}, expected {expected}")
    return found + (
        [f"{share:.1%} of its picture has another shade, expected {FEW:.0%} at most"] if share > FEW else []
    )


def new_page(browser, screen: str) -> Page:
    """Return an empty page in one of the screens."""
    width, dark = SCREENS[screen]
    scheme = "dark" if dark else "light"
    return browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce")


def main() -> None:
    """Accept how the parts look."""
    shutil.rmtree(RECORDED, ignore_errors=True)  # parts that are gone
    RECORDED.mkdir(parents=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(build_parts(Path(folder))) as address,
        launched(find_browser()) as browser,
    ):
        for screen in SCREENS:
            page = new_page(browser, screen)
            prepare(page, address)
            kept = {}
            for name, boxes, picture in seen(page):
                kept[name] = boxes
                picture.quantize(32).save(RECORDED / f"{screen}-{name}.png", optimize=True)
            lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(boxes)}" for name, boxes in kept.items())
            (RECORDED / f"{screen}.json").write_text(f"{{\n{lines}\n}}\n", "utf-8")
            page.close()
    print(f"accepted in {RECORDED.relative_to(Path.cwd())}: look at the pictures")


if __name__ == "__main__":
    sys.exit(main())
