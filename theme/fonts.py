"""Which type do the pages have? STIX Two Math for formulas, Source Serif for text, each cut to what the pages show."""

import html
import re
import string
import unicodedata
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

from fontTools import subset
from fontTools.feaLib.builder import addOpenTypeFeaturesFromString
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables.otTables import MarkBasePos, PairPos
from sphinx.application import Sphinx
from sphinx.util import logging

_log = logging.getLogger(__name__)

# Two packages bring the fonts along; none of their code is run.
MATH = "ziamath", "fonts/STIXTwoMath-Regular.ttf"
SERIF = "font_source_serif_pro", "files/SourceSerifPro-{}.ttf"
# The cuts of the text's face: its file, its name in the package, the elements that are set in it.
TEXT = {
    "text.woff2": ("Regular", "main"),
    "bold.woff2": ("Semibold", "strong|h[1-4]|dt|summary"),
    "italic.woff2": ("It", "em|cite"),
}
# In thousandths of the type's size: less is half a pixel of the text, which is not seen.
_LEAST_KERN = 30
FAMILY = "Primer Text"
# The tallest bracket that is kept whole, in thousandths of the type's size: a taller one is put together from parts.
_TALLEST = 2400
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


def texts(pages: Iterable[str], elements: str) -> str:
    """Return the text within `elements`, names between "|", on all pages."""
    found = []
    for page in pages:
        inside = re.finditer(rf"<({elements})\b[^>]*>(.*?)</\1>", _NOT_TEXT.sub(" ", page), re.DOTALL)
        found += (html.unescape(_TAG.sub("", match[2])) for match in inside)
    return "\n".join(found)


def letters(text: str) -> set[str]:
    """Return the characters of a text, and those that any text may have."""
    return set(string.printable) - set(string.whitespace) | set(" ‘’“”–…") | set(text) - set(string.whitespace)


def _positions(font: TTFont, feature: str) -> Iterator[Any]:
    """Yield the tables by which a feature of a font places glyphs."""
    table = font["GPOS"].table
    records = (record for record in table.FeatureList.FeatureRecord if record.FeatureTag == feature)
    for i in sorted({i for record in records for i in record.Feature.LookupListIndex}):
        yield from (getattr(part, "ExtSubTable", part) for part in table.LookupList.Lookup[i].SubTable)


def anchors(font: TTFont, base: str, mark: str) -> list[tuple[int, int]]:
    """Return the points that a font lays on each other where the glyph `mark` stands on `base`; [] if it has none."""
    for part in _positions(font, "mark"):
        if isinstance(part, MarkBasePos) and base in part.BaseCoverage.glyphs and mark in part.MarkCoverage.glyphs:
            record = part.MarkArray.MarkRecord[part.MarkCoverage.glyphs.index(mark)]
            places = part.BaseArray.BaseRecord[part.BaseCoverage.glyphs.index(base)].BaseAnchor
            if place := places[record.Class]:
                return [(point.XCoordinate, point.YCoordinate) for point in (place, record.MarkAnchor)]
    return []


def kerning(font: TTFont, left: str, right: str) -> int:
    """Return by how much a font moves the glyph `right` after the glyph `left`, in its own units."""
    for pairs in _positions(font, "kern"):
        # The first table that knows the left one, and where it lists pairs, the right one too, has the word.
        if not isinstance(pairs, PairPos) or left not in pairs.Coverage.glyphs:
            continue
        if pairs.Format == 1:
            records = pairs.PairSet[pairs.Coverage.glyphs.index(left)].PairValueRecord
            value = next((record.Value1 for record in records if record.SecondGlyph == right), None)
            if value is None:
                continue
        else:
            first, second = (
                classes.classDefs.get(name, 0) for classes, name in ((pairs.ClassDef1, left), (pairs.ClassDef2, right))
            )
            value = pairs.Class1Record[first].Class2Record[second].Value1
        return getattr(value, "XAdvance", 0)
    return 0


def _place(font: TTFont, whole: TTFont, text: str) -> None:
    """Give a font the kerning and the accents of the `whole` one for the pairs of letters that stand in a text.

    As tables of classes they would weigh a third of the letters.
    """
    names = font.getBestCmap()
    pairs = sorted({(names[ord(a)], names[ord(b)]) for a, b in set(pairwise(text)) if {ord(a), ord(b)} <= names.keys()})
    values = ((a, b, kerning(whole, a, b)) for a, b in pairs)
    rules = "".join(f"pos {a} {b} {value};\n" for a, b, value in values if abs(value) >= _LEAST_KERN)
    features = f"feature kern {{\n{rules}}} kern;\n" if rules else ""
    for base, mark in pairs:
        if points := anchors(whole, base, mark):
            (x, y), (own_x, own_y) = points
            features += f"markClass {mark} <anchor {own_x} {own_y}> @{base}_{mark};\n"
            features += f"feature mark {{ pos base {base} <anchor {x} {y}> mark @{base}_{mark}; }} mark;\n"
    if features:
        addOpenTypeFeaturesFromString(font, features, tables=["GPOS"])


def _drop_tall(font: TTFont) -> None:
    """Leave out the tallest brackets of a font for formulas, where it has the parts that they can be made of."""
    for made in font["MATH"].table.MathVariants.VertGlyphConstruction:
        if made.GlyphAssembly:
            whole = [one for one in made.MathGlyphVariantRecord if one.AdvanceMeasurement <= _TALLEST]
            made.MathGlyphVariantRecord, made.VariantCount = whole, len(whole)


def cut(font: tuple[str, str], characters: Iterable[str], target: Path, *, text: str = "", family: str = "") -> None:
    """Write the part of a font that shows some characters.

    Parameters
    ----------
    font : tuple of str
        The package that carries it, and its file there.
    characters : iterable of str
        What it shows. In a font for formulas, stretched brackets, roots and accents come with them.
    target : Path
        The file to write, in the format WOFF2.
    text : str
        Where two letters stand beside each other here, or a mark on a letter, the part places them as the font does.
    family : str
        A name of its own, for a font whose licence reserves its name for the whole of it.
    """
    package, file = font
    source = Path(find_spec(package).origin).parent / file
    options = subset.Options(flavor="woff2", hinting=False, layout_features=[], name_IDs=_NAME_RECORDS)
    subsetter = subset.Subsetter(options)
    # A character that a font does not have is shown in the next one of the list.
    subsetter.populate(text="".join(characters))
    with subset.load_font(source, options) as part:
        if "MATH" in part:
            _drop_tall(part)
        subsetter.subset(part)
        if text:
            with TTFont(source, lazy=True) as whole:  # of its pairs, few are asked for
                _place(part, whole, text)
        if family:
            for record in part["name"].names:
                if record.nameID == 1:
                    record.string = family
        subset.save_font(part, target, options)


def _cut_for_site(app: Sphinx, exception: Exception | None) -> None:
    """Cut the fonts when the pages are written."""
    if exception or app.builder.format != "html":
        return
    pages = [page.read_text("utf8") for page in Path(app.outdir).rglob("*.html")]
    static = Path(app.outdir) / "_static"
    cut(MATH, characters(pages) - UPRIGHT, static / "math.woff2")
    for name, (face, elements) in TEXT.items():
        text = texts(pages, elements)
        cut((SERIF[0], SERIF[1].format(face)), letters(text), static / name, text=text, family=FAMILY)
    sizes = {name: (static / name).stat().st_size for name in ("math.woff2", *TEXT)}
    _log.info("fonts: %s bytes", ", ".join(f"{name} {size}" for name, size in sizes.items()))


def setup(app: Sphinx) -> None:
    """Connect to the end of the build."""
    app.connect("build-finished", _cut_for_site)
