"""How do formulas get onto the page without a script? Their TeX becomes MathML when the book is built."""

import html
import re
from typing import Any

from docutils import nodes
from math_core import LatexError, LatexToMathML
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

_log = logging.getLogger(__name__)

# primer.css has classes for the converter's inline styles, which a strict Content-Security-Policy forbids.
_CLASS_OF_STYLE = {
    "text-align:left": "math-left",
    "text-align:right": "math-right",
    "justify-items:start": "",
    "justify-items:end": "",
    "padding-left:0": "math-close-left",
    "padding-right:0": "math-close-right",
    "padding-right:0.1667em": "math-thin-right",
    "padding-left:1em": "math-quad-left",
    "border-top:0.05em solid currentcolor": "math-rule-top",
    "border-right:0.05em solid currentcolor": "math-rule-right",
    "margin-left:-0.16666667em": "math-negative",
}

# In a display: a space that parts formulas, and what opens or closes a group that such a space may stand in.
_SPACE = r"\\q?quad(?![A-Za-z])"
_OPENS = r"\\(?:begin(?![A-Za-z])|left(?![A-Za-z])\s*(?:\\[A-Za-z]+|\\?.))|\\?\{|[(\[]"
_CLOSES = r"\\(?:end(?![A-Za-z])|right(?![A-Za-z])\s*(?:\\[A-Za-z]+|\\?.))|\\?\}|[)\]]"
_TOKEN = re.compile(rf"(?P<space>{_SPACE})|(?P<opens>{_OPENS})|(?P<closes>{_CLOSES})|\\.|.", re.DOTALL)
_WORDS_ALONE = re.compile(r"\s*\\text\{[^{}]*\}\s*")

_TALL = "<mfrac|<munder|<mover|<mtable|<msqrt|<mroot|<msubsup"
_BETTER_DRAWN = (
    # The font draws primes raised; as superscripts they would be shrunk once more.
    (r"<msup>(<mi>[^<]*</mi>)<mo>([′″‴])</mo></msup>", r'<mrow>\1<mo lspace="0" rspace="0">\2</mo></mrow>'),
    # Its combining marks stand to the left of their place, the characters of their own don't.
    ("\u0332(</mo></mover>)", r"‾\1"),
    ("\u0332(</mo></munder>)", r"_\1"),
    ("\u0302(</mo></mover>)", r"ˆ\1"),
    # A subscript hangs from the bottom of its base: below a letter that goes below the line, lower than its neighbours.
    (r"<(msub|msubsup)>(<mi>[gjpqyμβγζηξρφχψ]</mi>)", r'<\1><mpadded depth="0">\2</mpadded>'),
    # The smallest root is taller than a digit or a letter, and would hang below the line: what it covers is made tall.
    (
        r"<msqrt>((?:<mrow>)?(?:<m[ino]\b[^>]*>[^<]*</m[ino]>)+(?:</mrow>)?)</msqrt>",
        r'<msqrt><mpadded height="0.8em" depth="0.2em">\1</mpadded></msqrt>',
    ),
    # Chromium makes each root as wide as the widest sign would need; primer.css takes that back from low ones.
    (rf"<(msqrt|mroot)>(?=(?:(?!{_TALL}).)*</\1>)", r'<\1 class="math-low">'),
)


def converter(macros: dict[str, str] | None = None) -> LatexToMathML:
    r"""Return a strict converter that also knows `macros`, such as ``{"R": r"\mathbb{R}"}``, and keeps the TeX."""
    return LatexToMathML(macros=macros, fancy_error=False, annotation=True)


def parts(tex: str) -> list[str]:
    r"""Return the formulas of a display that ``\quad`` or ``\qquad`` sets apart, in their order.

    A space within brackets, an environment or ``\left`` and ``\right`` sets nothing apart. Words alone, as in
    ``a \qquad\text{so}\qquad b``, begin the formula that follows them.
    """
    found, begins, depth = [], 0, 0
    for token in _TOKEN.finditer(tex):
        depth += (token["opens"] is not None) - (token["closes"] is not None)
        if token["space"] and depth == 0 and not _WORDS_ALONE.fullmatch(tex, begins, token.start()):
            found.append(tex[begins : token.start()])
            begins = token.end()
    return [part.strip() for part in [*found, tex[begins:]] if part.strip()]


def to_mathml(tex: str, convert: LatexToMathML, *, display: bool) -> str:
    """Return a formula as a ``<math>`` element.

    Raises
    ------
    math_core.LatexError
        If the TeX is malformed, has a command that is not known, or breaks lines outside of an environment.
    """
    markup = convert.convert_with_local_state(tex.strip(), displaystyle=display)
    if "\\\\" in tex and "<mtable" not in markup:
        raise LatexError("a line break outside of an environment such as aligned")
    for awkward, better in _BETTER_DRAWN:
        markup = re.sub(awkward, better, markup)
    return re.sub(r' style="([^"]*)"', _classes, markup)


def _classes(style: re.Match) -> str:
    """Return the class attribute for an inline style; one that primer.css has no class for stays as it is."""
    declarations = [re.sub(r":\s+", ":", part.strip()) for part in style[1].split(";") if part.strip()]
    if not _CLASS_OF_STYLE.keys() >= set(declarations):
        return style[0]
    return f' class="{" ".join(filter(None, map(_CLASS_OF_STYLE.get, declarations)))}"'


def _visit_inline(translator: HTML5Translator, node: nodes.math) -> None:
    translator.body.append(f'<span class="math">{_rendered(translator, node, node.astext(), display=False)}</span>')
    raise nodes.SkipNode


def _visit_displayed(translator: HTML5Translator, node: nodes.math_block) -> None:
    translator.body.append(translator.starttag(node, "div", CLASS="math"))
    # One element each: of the browsers Chromium alone would wrap the parts of a single one.
    translator.body.extend(_rendered(translator, node, part, display=True) for part in parts(node.astext()))
    if node["number"]:
        translator.body.append(f'<span class="eqno">({node["number"]})')
        translator.add_permalink_ref(node, "Link to this equation")
        translator.body.append("</span>")
    translator.body.append("</div>\n")
    raise nodes.SkipNode


def _rendered(translator: HTML5Translator, node: nodes.Element, tex: str, *, display: bool) -> str:
    """Return the markup of a formula at `node`; a mistake in it is a warning, so that a build under ``-W`` fails."""
    convert = converter(translator.config.mathml_macros)
    try:
        return to_mathml(tex, convert, display=display)
    except LatexError as error:
        _log.warning("in the formula %s: %s", tex, error, location=node, type="mathml")
        return f"<code>{html.escape(tex)}</code>"


def keep_together(page: str) -> str:
    """Take the punctuation around a formula into its element: a browser would break the line between the two."""
    inline = r'([(“‘]?)<span class="math">(<math.*?</math>)</span>([.,;:!?)”’-]*)'
    return re.sub(inline, r'<span class="math">\1\2\3</span>', page, flags=re.DOTALL)


def _keep_together(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    context["body"] = keep_together(context.get("body", ""))


def setup(app: Sphinx) -> None:
    """Register the renderer "mathml" and the macros that formulas may use."""
    app.add_config_value("mathml_macros", {}, "env")
    app.add_html_math_renderer("mathml", (_visit_inline, None), (_visit_displayed, None))
    app.connect("html-page-context", _keep_together)
