"""Where do the formulas' letters come from? From STIX Two Math, cut to the characters that the pages show."""

import html
import re
import unicodedata
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from fontTools import subset
from sphinx.application import Sphinx
from sphinx.util import logging

_log = logging.getLogger(__name__)

NAME = "math.woff2"
# Copyright, trademark and licence (OFL-1.1) stay inside the font, beside its name.
_NAME_RECORDS = [0, 1, 2, 7, 13, 14]
_MATH_ITALIC = (0x210E, *range(0x1D434, 0x1D468), *range(0x1D6E2, 0x1D71C))
# A browser shows the one letter of an <mi> in mathematical italic, whose decomposition is the letter that is written.
_ITALIC = {
    chr(int(parts[-1], 16)): chr(code)
    for code in _MATH_ITALIC
    if (parts := unicodedata.decomposition(chr(code)).split())
}


def characters(pages: Iterable[str]) -> set[str]:
    """Return all characters that the formulas of `pages` need a glyph for."""
    formulas = "".join(formula for page in pages for formula in re.findall(r"<math.*?</math>", page, re.DOTALL))
    formulas = re.sub(r"<annotation.*?</annotation>", "", formulas, flags=re.DOTALL)  # TeX, which is not shown
    variables = {html.unescape(letter) for letter in re.findall(r"<mi>([^<]|&[^;]+;)</mi>", formulas)}
    shown = set(html.unescape(re.sub(r"<[^>]*>", "", formulas)))
    if re.search("<(msqrt|mroot)", formulas):
        shown.add("√")
    return shown | {_ITALIC[letter] for letter in variables & _ITALIC.keys()}


def cut(text: Iterable[str], target: Path) -> None:
    """Write the part of the font that shows `text`, stretched brackets, roots and accents included."""
    # A package of formula drawings brings the font along; none of its code is run.
    source = Path(find_spec("ziamath").origin).parent / "fonts" / "STIXTwoMath-Regular.ttf"
    options = subset.Options(flavor="woff2", hinting=False, layout_features=[], name_IDs=_NAME_RECORDS)
    subsetter = subset.Subsetter(options)
    subsetter.populate(text="".join(text))
    with subset.load_font(source, options) as font:
        subsetter.subset(font)
        subset.save_font(font, target, options)


def _cut_for_site(app: Sphinx, exception: Exception | None) -> None:
    """Cut the font when the pages are written."""
    if exception or app.builder.format != "html":
        return
    site = Path(app.outdir)
    target = site / "_static" / NAME
    needed = characters(page.read_text("utf8") for page in site.rglob("*.html"))
    cut(needed, target)
    _log.info("math font: %d characters, %d bytes", len(needed), target.stat().st_size)


def setup(app: Sphinx) -> None:
    """Connect to the end of the build."""
    app.connect("build-finished", _cut_for_site)
