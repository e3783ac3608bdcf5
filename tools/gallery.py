"""Show every page of the built site as it looks to somebody who scrolls through it: contact sheets, and PDFs.

Run as a command (``python -m tools.gallery``) it writes into _build/gallery; with names of pages, such as
``notebooks/01_softmax``, these alone.
"""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from sphinx_external_toc.parsing import parse_toc_yaml

from tools.browser import MISSING, find_browser, launched
from tools.pdf import MARGINS
from tools.server import SITE, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "_build" / "gallery"
# The size of a sheet in pixels: what a person can look at at once, and other programs open.
SHEET = 2000, 2000
GAP = 16
# What predictions cover is looked at, too.
UNCOVER = "document.querySelectorAll('.prediction[data-state=covered] .prediction-show').forEach(one => one.click())"
# How much of a page is photographed at once: browsers draw no picture of any height.
PIECE = 2500
# What stays in view while one scrolls would be on every piece.
UNSTUCK = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(".bar, .side:not(:popover-open) { position: static !important } .bar::after { content: none }");
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}"""


@dataclass(frozen=True)
class Look:
    """How pages are looked at.

    Parameters
    ----------
    name : str
        The name of the look, and of its folder.
    width : int
        Of the window, in CSS pixels.
    dark : bool
        Whether the system asks for dark colours.
    medium : str
        "screen" or "print".
    scale : float
        How large a CSS pixel of the page is on the sheet.
    """

    name: str
    width: int
    dark: bool = False
    medium: str = "screen"
    scale: float = 0.39


LOOKS = (
    Look("1280-light", 1280),
    Look("1280-dark", 1280, dark=True),
    Look("375-light", 375, scale=0.75),
    Look("375-dark", 375, dark=True, scale=0.75),
    # A4 without its margins.
    Look("print", 657, medium="print", scale=0.6),
)


def photographs(page: Page) -> Iterator[Image.Image]:
    """Yield pictures of a page from its top to its end."""
    height = page.evaluate("document.documentElement.scrollHeight")
    for top in range(0, height, PIECE):
        # At the end of a page the window shows some of the piece before.
        place = page.evaluate("top => { scrollTo(0, top); return scrollY; }", top)
        seen = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        scale = seen.height / PIECE
        yield seen.crop(
            (0, round((top - place) * scale), seen.width, round((min(height, top + PIECE) - place) * scale))
        )


def sheets(pictures: Iterator[Image.Image]) -> Iterator[Image.Image]:
    """Yield sheets on which a page, in `pictures` from its top to its end, goes on from column to column."""
    sheet, x, y = None, 0, 0
    for picture in pictures:
        top = 0
        while top < picture.height:
            if sheet is None:
                sheet, x, y = Image.new("RGB", SHEET, "grey"), 0, 0
            part = picture.crop((0, top, picture.width, min(picture.height, top + SHEET[1] - y)))
            sheet.paste(part, (x, y))
            top, y = top + part.height, y + part.height
            if y == SHEET[1]:
                x, y = x + picture.width + GAP, 0
                if x + picture.width > SHEET[0]:
                    yield sheet
                    sheet = None
    if sheet is not None:
        yield sheet


def names(contents: Path) -> list[str]:
    """Return the names of all pages: those of the contents, and the search."""
    return [*(name.rpartition(".")[0] or name for name in parse_toc_yaml(contents)), "search"]


def look_at(browser: Browser, address: str, pages: list[str], look: Look, folder: Path) -> None:
    """Write the sheets of the pages of a site in one look; on paper, the PDFs too."""
    scheme = "dark" if look.dark else "light"
    size = {"width": look.width, "height": PIECE}
    context = browser.new_context(viewport=size, color_scheme=scheme, device_scale_factor=look.scale)
    opened = context.new_page()
    for name in pages:
        opened.goto(f"{address}/{name}.html")
        opened.emulate_media(media=look.medium, color_scheme=scheme)
        if look.medium == "print":
            opened.evaluate("dispatchEvent(new Event('beforeprint'))")
        opened.evaluate(UNSTUCK)
        opened.evaluate(UNCOVER)
        opened.evaluate("document.fonts.ready.then(() => new Promise(requestIdleCallback)).then(() => null)")
        file = folder / look.name / name.replace("/", "-")
        file.parent.mkdir(parents=True, exist_ok=True)
        for i, sheet in enumerate(sheets(photographs(opened)), start=1):
            sheet.save(file.with_name(f"{file.name}-{i}.png"))
        if look.medium == "print":
            opened.pdf(path=file.with_name(f"{file.name}.pdf"), format="A4", margin=MARGINS, print_background=True)
    context.close()


def main(*chosen: str) -> None:
    """Write the gallery of the built site, or of some of its pages."""
    known = names(ROOT / "_toc.yml")
    for name in chosen:
        if name not in known:
            sys.exit(f"{name} is no page of the site, expected one of: {', '.join(known)}")
    path = find_browser()
    if path is None:
        sys.exit(MISSING)
    if not chosen:
        shutil.rmtree(TARGET, ignore_errors=True)
    with launched(path) as browser, serving(SITE) as address:
        for look in LOOKS:
            look_at(browser, address, list(chosen) or known, look, TARGET)
            print(TARGET.relative_to(ROOT) / look.name, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
