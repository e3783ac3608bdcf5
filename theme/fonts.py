"""Which type do the pages have? STIX Two Math for formulas, Source Serif for text, each cut to what the pages show."""

import html
import re
import string
import unicodedata
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from fontTools import subset
from sphinx.application import Sphinx
from sphinx.util import logging

_log = logging.getLogger(__name__)

# Two packages bring the fonts along; none of their code is run.
MATH = "ziamath", "fonts/STIXTwoMath-Regular.ttf"
SERIF = "font_source_serif_pro", "files/SourceSerifPro-{}.ttf"
# The cuts of the text's face: its file, its name in the package, the elements that are set in it, what else it has.
# Kerning weighs as much as a third of the letters: only what most of the text is set in has it.
TEXT = {
    "text.woff2": ("Regular", "main", ["kern"]),
    "bold.woff2": ("Semibold", "strong|h[1-4]|dt|summary", []),
    "italic.woff2": ("It", "em|cite", []),
}
FAMILY = "Primer Text"
# Letters and figures that stand upright in a formula are those of the text.
UPRIGHT = set(string.ascii_letters + string.digits)
# Copyright, trademark and licence (OFL-1.1) stay inside a font, beside its name.
_NAME_RECORDS = [0, 1, 2, 7, 13, 14]
_MATH_ITALIC = (0x210E, *range(0x1D434, 0x1D468), *range(0x1D6E2, 0x1D71C))
# A browser shows the one letter of an <mi> in mathematical italic, whose decomposition is the letter that is written.
_ITALIC = {
    chr(int(parts[-1], 16)): chr(code)
    for code in _MATH_ITALIC
    if (parts := unicodedata.decomposition(chr(code)).split())
}
_FORMULA = re.compile(r"<math.*?</math>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
# What has faces of its own, and what is not shown.
_NOT_TEXT = re.compile(r"<(math|script|style|pre|code|svg|head|option|textarea)\b.*?</\1>", re.DOTALL)


def characters(pages: Iterable[str]) -> set[str]:
    """Return all characters that the formulas of `pages` need a glyph for."""
    formulas = "".join(formula for page in pages for formula in _FORMULA.findall(page))
    formulas = re.sub(r"<annotation.*?</annotation>", "", formulas, flags=re.DOTALL)  # TeX, which is not shown
    variables = {html.unescape(letter) for letter in re.findall(r"<mi>([^<]|&[^;]+;)</mi>", formulas)}
    shown = set(html.unescape(_TAG.sub("", formulas)))
    if re.search("<(msqrt|mroot)", formulas):
        shown.add("√")
    return shown | {_ITALIC[letter] for letter in variables & _ITALIC.keys()}


def letters(pages: Iterable[str], elements: str) -> set[str]:
    """Return the characters of the text within `elements`, names between "|", and those that any text may have."""
    found = set(string.printable) - set(string.whitespace) | set(" ‘’“”–…")
    for page in pages:
        text = _NOT_TEXT.sub("", page)
        inside = (match[2] for match in re.finditer(rf"<({elements})\b[^>]*>(.*?)</\1>", text, re.DOTALL))
        found |= set(html.unescape(_TAG.sub("", "".join(inside))))
    return found


def cut(font: tuple[str, str], text: Iterable[str], target: Path, *, features: Iterable[str] = (), family: str = ""):
    """Write the part of a font that shows `text`.

    Parameters
    ----------
    font : tuple of str
        The package that carries it, and its file there.
    text : iterable of str
        Characters. In a font for formulas, stretched brackets, roots and accents come with them.
    target : Path
        The file to write, in the format WOFF2.
    features : iterable of str
        Names of the OpenType features that stay.
    family : str
        A name of its own, for a font whose licence reserves its name for the whole of it.
    """
    package, file = font
    source = Path(find_spec(package).origin).parent / file
    options = subset.Options(flavor="woff2", hinting=False, layout_features=list(features), name_IDs=_NAME_RECORDS)
    # A character that a font does not have is shown in the next one of the list.
    subsetter = subset.Subsetter(options)
    subsetter.populate(text="".join(text))
    with subset.load_font(source, options) as loaded:
        subsetter.subset(loaded)
        if family:
            for record in loaded["name"].names:
                if record.nameID == 1:
                    record.string = family
        subset.save_font(loaded, target, options)


def _cut_for_site(app: Sphinx, exception: Exception | None) -> None:
    """Cut the fonts when the pages are written."""
    if exception or app.builder.format != "html":
        return
    pages = [page.read_text("utf8") for page in Path(app.outdir).rglob("*.html")]
    static = Path(app.outdir) / "_static"
    cut(MATH, characters(pages) - UPRIGHT, static / "math.woff2")
    for name, (face, elements, features) in TEXT.items():
        font = SERIF[0], SERIF[1].format(face)
        cut(font, letters(pages, elements), static / name, features=features, family=FAMILY)
    sizes = {name: (static / name).stat().st_size for name in ("math.woff2", *TEXT)}
    _log.info("fonts: %s bytes", ", ".join(f"{name} {size}" for name, size in sizes.items()))


def setup(app: Sphinx) -> None:
    """Connect to the end of the build."""
    app.connect("build-finished", _cut_for_site)
