r"""Find the numbers that a notebook's prose quotes and no cell of the notebook shows.

    python tools/prose.py [NB ...]    name each such number and its sentence, and exit 1

A number is quoted if it has decimals, an exponent or a percent sign, in text as in formulas: 0.62, 1,234.5,
1e-3, $2.2 \times 10^{-16}$, 63 %. Plain integers and bare powers of ten do not count; nor do code, link
targets and the numbers that only name something: sections, versions, DOIs, arXiv papers.

A cell that asks for a prediction is prose: what it says of each answer is searched like the text, and neither its
options nor its code support anything.

What supports it is a number in a stored output of the same notebook, or a literal in its code, that becomes
the quoted number when rounded as far as that one is (half to even or half up). A percentage is also supported
by the share that it stands for: 63 % by 0.6285. In "10–20 %" both ends are percentages; in "62.9, 23.1 and
14 %" the numbers without a sign may be read either way.
"""

import argparse
import ast
import html
import re
import sys
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from functools import cache
from pathlib import Path

import nbformat
from IPython.core.inputtransformer2 import TransformerManager
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

CHAPTERS = Path(__file__).resolve().parent.parent / "notebooks"

MARKDOWN = MarkdownIt("commonmark").enable("table").use(dollarmath_plugin)

# Wide enough to round the largest float64; without traps, a wider number gives NaN, which equals nothing.
EXACT = Context(prec=400, traps=[])

NUMBER = re.compile(
    r"""
    (?: (?<![\w)\]}%.]) (?P<minus>[-−]) )?   # after a name, a number or a bracket it is a subtraction
    (?<![\w.])                               # not in the midst of a name or a longer number
    (?P<digits> [1-9]\d{0,2} (?:[,\u2009\u202f]\d{3})+ (?!\d) | \d+ | (?=\.\d) )
    (?P<fraction> \.\d+ )?
    (?: [eE] (?P<power>[-−+]?\d+)
      | \s*[×x·⋅*]\s*10 (?: (?:\^|\*\*) \{?(?P<power_of_ten>[-−+]?\d+)\}? | (?P<raised>[⁻⁺]?[⁰¹²³⁴-⁹]+) )
    )?
    (?! \.?\d )                              # nor at the start of a longer one, such as 1.0.4
    (?P<percent> \s* (?: % | per\s?cent\b ) )?
    """,
    re.VERBOSE,
)
ASCII = str.maketrans("−⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹", "--+0123456789")
RANGE = re.compile(r"\s*[–-]\s*|\s+to\s+")
LAST_OF_LIST = re.compile(r",?\s+(?:and|or)\s+")
LIST = re.compile(r",\s+")

PARTS = r"chapters?|sections?|figures?|figs?\.|tables?|equations?|eqs?\.|theorem|algorithm|exercises?"
PRODUCTS = (
    "version|release|python|numpy|scipy|matplotlib|scikit-learn|ipywidgets|jupyter(?: book|lab)?|(?:py)?torch"
    "|keras|tensorflow|jax|llama|gemma|qwen|olmo|wcag|apache|cc by"
)
NAMES = re.compile(
    "|".join(
        [
            r"https?://\S+",
            r"\b10\.\d{4,9}/\S+",  # DOI
            r"\b(?:0[7-9]|[12]\d)(?:0[1-9]|1[0-2])\.\d{4,5}(?:v\d+)?\b",  # arXiv: year, month, number
            rf"(?:§|\b(?:{PARTS}))\s*\(?[1-9]\d*(?:\.\d+)+(?:(?:,| and| or| to|–|-)\s*\d+(?:\.\d+)+)*",
            rf"\b(?:{PRODUCTS})[\s(v≥]+[1-9]\d*(?:\.\d+)+",
            r"\b[a-z]\w*-\d+(?:\.\d+)*",  # GPT-3.5
        ]
    ),
    re.IGNORECASE,
)
SECTION_NUMBER = re.compile(r"^\d+(?:\.\d+)*\.?\s")
MARKUP = re.compile(r"<!--.*?-->|<(code|pre|script|style)\b.*?</\1>|</?[a-z][^<>]*>", re.DOTALL | re.IGNORECASE)
# Arguments that are lengths or labels: \\[0.5em], \hspace{0.5em}, \kern0.5em, \tag{2.1}
TEX_LAYOUT = re.compile(
    r"\\\\\[[^]]*\]|\\(?:hspace|vspace|tag|label|ref|eqref|begin|end)\*?\{[^}]*\}|\\m?kern\s*-?[\d.]+\s*\w\w"
)


@dataclass(frozen=True)
class Number:
    """A number, as precise as it is written, and where in a text it stands, which makes no other number of it.

    It counts in units of 1 or of 1/100; `scales` has both where the text leaves it open.
    """

    value: Decimal
    quoted: bool = False
    scales: tuple[int, ...] = (1,)
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Unsupported:
    """A quoted number without support, and the sentence and the cell (counted from 1) that quote it."""

    cell: int
    number: str
    sentence: str

    def __str__(self):
        return f"cell {self.cell}: {self.number} in: {self.sentence}"


def unsupported(nb):
    """Return the numbers that the prose of `nb` quotes and neither its outputs nor its code contain."""
    known = {*shown(nb), *given(nb)}  # a third of them are different
    found = []
    for position, cell in enumerate(nb.cells, 1):
        for text in prose(cell.source) if cell.cell_type == "markdown" else told(cell):
            for number in quoted(text):
                if not any(supports(other, number) for other in known):
                    found.append(Unsupported(position, text[number.start : number.end], _sentence(text, number)))
    return found


def supports(known, number):
    """Whether `known`, rounded as far as `number` is, is that number."""
    scales = number.scales if known.scales == (1,) else (1,)
    return known.value == number.value or any(_rounds_to(known.value * scale, number.value) for scale in scales)


def _rounds_to(value, rounded):
    modes = (ROUND_HALF_EVEN, ROUND_HALF_UP)
    return any(value.quantize(rounded, rounding=mode, context=EXACT) == rounded for mode in modes)


def asks(cell):
    """Whether a cell asks for a prediction."""
    return cell.cell_type == "code" and cell.source.startswith("predict(")


def told(cell):
    """Yield what a cell that asks for a prediction says of each answer."""
    for node in ast.walk(syntax_tree(cell.source)) if asks(cell) else ():
        texts = node.values if isinstance(node, ast.Dict) else ()
        if isinstance(node, ast.keyword) and node.arg == "because":
            texts = [node.value]
        yield from (text.value for text in texts if isinstance(text, ast.Constant) and isinstance(text.value, str))


def shown(nb):
    """Yield the numbers in the stored text outputs of `nb`; the options of a prediction do not count."""
    for cell in nb.cells:
        if asks(cell):
            continue
        for output in cell.get("outputs", []):
            text = output.get("text", output.get("evalue", output.get("data", {}).get("text/plain", "")))
            yield from numbers(text)


def given(nb):
    """Yield the numeric literals in the code of `nb`; those in its strings and comments do not count."""
    for cell in nb.cells:
        if cell.cell_type == "code" and not asks(cell):
            yield from _literals(syntax_tree(cell.source))


@cache
def syntax_tree(code):
    """Return the syntax tree of a cell's code, its magics and shell commands turned into calls."""
    try:
        return ast.parse(code)
    except SyntaxError:  # most cells are Python as they stand
        return ast.parse(TransformerManager().transform_cell(code))


def _literals(node, sign=1):
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield Number(sign * Decimal(repr(node.value)))
    negated = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
    for child in ast.iter_child_nodes(node):
        yield from _literals(child, -1 if negated else 1)


def quoted(text):
    """Return the numbers in a text that need support."""
    found = list(numbers(NAMES.sub(lambda name: " " * len(name.group()), text)))
    for i in reversed(range(len(found) - 1)):
        found[i] = _sharing_percent(found[i], found[i + 1], text)
    return [number for number in found if number.quoted]


def numbers(text):
    """Yield all numbers in a text, from left to right."""
    return map(_number, NUMBER.finditer(text))


def _number(match):
    digits = "".join(filter(str.isdigit, match["digits"]))
    power = match["power"] or match["power_of_ten"] or match["raised"]
    value = f"{match['minus'] or ''}{digits}{match['fraction'] or ''}e{power or 0}".translate(ASCII)
    return Number(
        Decimal(value),
        quoted=any((match["fraction"], power, match["percent"])),
        scales=(100,) if match["percent"] else (1,),
        start=match.start(),
        end=match.end(),
    )


def _sharing_percent(left, right, text):
    """Let the percent sign of `right` reach `left` too, in "10–20 %" and in "5, 10 and 20 %"."""
    between = text[left.end : right.start]
    if left.scales == (1,) and 100 in right.scales:
        if RANGE.fullmatch(between):
            return replace(left, quoted=True, scales=(100,))
        # A comma alone joins only what an "and" has already made a list: "for K = 2, 88 %" is none.
        if LAST_OF_LIST.fullmatch(between) or (right.scales == (1, 100) and LIST.fullmatch(between)):
            return replace(left, quoted=True, scales=(1, 100))
    return left


def prose(markdown):
    """Yield the text of each paragraph, heading, table cell and displayed formula, without markup or code."""
    heading = False
    for token in MARKDOWN.parse(markdown):
        if token.type == "inline":
            text = "".join(_inline_text(child) for child in token.children)
            yield SECTION_NUMBER.sub("", text) if heading else text
        elif token.type.startswith("math"):
            yield _formula_text(token.content)
        elif token.type == "html_block":
            yield html.unescape(MARKUP.sub(" ", token.content))
        heading = token.type == "heading_open"


def _inline_text(token):
    if token.type.startswith("math"):
        return _formula_text(token.content)
    if token.type in ("text", "image"):
        return token.content
    if token.type == "code_inline":
        return "`…`"
    if token.type == "html_inline":
        return {"<sup>": "^{", "</sup>": "}"}.get(token.content.lower(), " ")
    return " " if token.type.endswith("break") else ""


def _formula_text(tex):
    """Return a formula with its numbers as they would stand in a text, and its commands gone."""
    tex = TEX_LAYOUT.sub(" ", tex)
    tex = re.sub(r"\\(?:times|cdot)(?![A-Za-z])", "×", tex)
    tex = tex.replace("{,}", ",").replace(r"\,", "\u2009").replace(r"\%", "%")
    tex = re.sub(r"\\[A-Za-z]+|\\.", " ", tex, flags=re.DOTALL)
    # A true minus, lest x-0.5 be taken for a name such as GPT-3.5.
    return tex.replace("-", "−")


def _sentence(text, number):
    start = max((end.end() for end in re.finditer(r"[.!?]\s+(?=[A-Z])", text[: number.start])), default=0)
    end = re.compile(r"[.!?](?=\s|$)").search(text, number.end)
    return " ".join(text[start : end.end() if end else len(text)].split())


def main(argv=None):
    """Print what is unsupported; the exit status is 1 if anything is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="*", type=Path, metavar="NB")
    paths = parser.parse_args(argv).notebooks or sorted(CHAPTERS.glob("*.ipynb"))
    if not paths:
        parser.error(f"no notebooks in {CHAPTERS}")
    complaints = [f"{path}: {number}" for path in paths for number in unsupported(nbformat.read(path, as_version=4))]
    print(*complaints, sep="\n", end="\n" if complaints else "")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
