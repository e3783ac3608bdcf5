r"""How does a learner's text become HTML? As harmless HTML, whatever it holds, with formulas as MathML.

What is in ``autograded/`` is clean already; here it is cleaned for a second time, at the last moment, so that an old
file or a gap in the first pass shows nothing worse. No script is needed to see any of it, and nothing is fetched.
"""

import html
import re
from collections.abc import Callable, Mapping
from functools import cache
from xml.etree import ElementTree

import nh3
from jinja2 import pass_context
from math_core import LatexToMathML
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from lossprimer.grading.cleaning import ATTRIBUTES, PICTURES, TAGS, harmless_link, printable

# A converter that calls itself for each bracket: a formula without end would end the process.
_TEX = 2000
_WIDE = 40
_MATHML = re.compile(
    "math|merror|mfrac|mi|mmultiscripts|mn|mo|mover|mpadded|mphantom|mprescripts|mroot|mrow|ms|mspace|msqrt|mstyle|msub"
    "|msubsup|msup|mtable|mtd|mtext|mtr|munder|munderover|none"
)
_STYLE = re.compile(r"[a-z-]+: ?[\w.# -]+(?:; ?[a-z-]+: ?[\w.# -]+)*;?")
_CLASS = re.compile(r"[a-z][a-z0-9]{0,2}|highlight|heading|language-[\w+#.-]+")
_PICTURE = re.compile(rf"data:(?:{'|'.join(PICTURES.values())});base64,[A-Za-z0-9+/=]+")
# A formula's place while the rest is cleaned. In what nh3 writes, these characters stand nowhere else.
_PLACE = re.compile(r'<x-formula n="(\d+)"></x-formula>')


def own_address(url: str) -> str | None:
    """An absolute link as it is; None for one that leads to a file beside the notebook."""
    return None if re.match(r"[\w./-]+\.ipynb", url) and ":" not in url else url


def markdown(
    source: str,
    attachments: Mapping | None = None,
    *,
    links: Callable[[str], str | None] = own_address,
    escape: bool = False,
    headings: bool = False,
) -> str:
    """Markdown as HTML that is harmless and whole.

    Parameters
    ----------
    source : str
    attachments : mapping, optional
        Names to mime bundles of pictures.
    links : callable
        Returns where a link leads, or None if what is linked should be plain text.
    escape : bool
        Whether HTML in it is shown and not obeyed.
    headings : bool
        Whether a heading is one of the page; else it is a paragraph that looks like one.

    Returns
    -------
    str
    """
    renderer = _Renderer(attachments if isinstance(attachments, Mapping) else {}, escape=escape, headings=headings)
    try:
        rendered = MarkdownWithMath(renderer=renderer).render(printable(source))
    except Exception:  # nesting without end, or a mistake in the parser
        return f"<pre>{html.escape(source)}</pre>"
    tags = TAGS if headings else TAGS - {"h1", "h2", "h3", "h4", "h5", "h6"}
    clean = nh3.clean(
        rendered,
        tags={*tags, "x-formula"},
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items() if tag not in ("td", "th")}
        | {tag: {*ATTRIBUTES[tag], "style"} for tag in ("td", "th")}
        | {tag: {"class", *ATTRIBUTES.get(tag, ())} for tag in ("code", "div", "p", "pre", "span")}
        | {"x-formula": {"n"}},
        attribute_filter=lambda tag, name, value: _attribute(tag, name, value, links),
        url_schemes={"http", "https", "mailto", "data"},
        filter_style_properties={"text-align"},
    )
    clean = re.sub(r"<a(?: title=\"[^\"]*\")?(?: rel=\"[^\"]*\")?>(.*?)</a>", r"\1", clean, flags=re.DOTALL)
    return _PLACE.sub(lambda place: renderer.formulas.get(int(place[1]), ""), clean)


@pass_context
def markdown_cell(context: Mapping, source: str) -> str:
    """What nbconvert's templates call ``markdown2html``: the Markdown of a cell as HTML that is harmless."""
    return markdown(source, context.get("cell", {}).get("attachments"))


def formula(tex: str, *, display: bool) -> str:
    """A formula as MathML; as TeX where it cannot be read."""
    try:
        if len(tex) > _TEX:
            raise ValueError("too long")
        markup = _converter().convert_with_local_state(tex.strip(), displaystyle=display)
        markup = re.sub(r"&(?!(?:lt|gt|amp|quot|apos);)\w+;", lambda name: html.unescape(name[0]), markup)
        if ("\\\\" in tex and "<mtable" not in markup) or not _is_mathml(markup):
            raise ValueError("a line break outside of an environment, or no MathML")
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # a panic of the converter is no Exception
        markup = f"<code>{html.escape(tex.strip())}</code>"
    kind = "math display" if display else "math"
    if len(tex) > _WIDE:
        # What may be wider than a phone scrolls by itself, and the keyboard must reach what scrolls.
        return f'<span class="{kind} wide" tabindex="0">{markup}</span>'
    return f'<span class="{kind}">{markup}</span>'


def code(source: str) -> str:
    """Python code as HTML with classes for its colors."""
    return highlight(source, *_highlighter())


@cache
def _highlighter():
    return PythonLexer(stripnl=False), HtmlFormatter(cssclass="highlight")


@cache
def _converter():
    return LatexToMathML(fancy_error=False)


def _is_mathml(markup):
    root = ElementTree.fromstring(markup)
    return all(
        _MATHML.fullmatch(element.tag)
        and all(
            _STYLE.fullmatch(value)
            if name == "style"
            else re.fullmatch(r"[a-z]+", name) and name not in ("href", "src")
            for name, value in element.attrib.items()
        )
        for element in root.iter()
    )


def _attribute(tag, name, value, links):
    """The value of an attribute as it may stay, or None."""
    if name == "href":
        return links(value) if harmless_link(value) else None
    if name == "src":
        return value if _PICTURE.fullmatch(value) else None
    if name == "class":
        return " ".join(filter(_CLASS.fullmatch, value.split())) or None
    if name in ("style", "n", "rel"):  # which nh3 filters, or sets itself
        return value
    # An exception would leave the attribute where it is.
    allowed = ATTRIBUTES.get(tag, {}).get(name)
    return value if allowed is not None and re.fullmatch(allowed, value) else None


class _Renderer(IPythonRenderer):
    """Nbconvert's renderer, but for what needs a script, fails, or is the page's own business."""

    def __init__(self, attachments, *, escape, headings):
        super().__init__(escape=escape, exclude_anchor_links=True, attachments=attachments)
        self.headings = headings
        self.formulas = {}

    def heading(self, text, level, **attributes):
        if self.headings:
            return f"<h{level}>{text}</h{level}>\n"
        return f'<p class="heading"><strong>{text}</strong></p>\n'

    def inline_math(self, body):
        return self._place(body, display=False)

    def block_math(self, body):
        return self._place(body, display=True)

    def latex_environment(self, name, body):
        return self._place(f"\\begin{{{name}}}{body}\\end{{{name}}}", display=True)

    def block_mermaidjs(self, code):
        return f"<pre>{html.escape(code)}</pre>\n"

    def block_html(self, html):
        return super().block_html(re.sub("x-formula", "x_formula", html, flags=re.IGNORECASE))

    def inline_html(self, html):
        return super().inline_html(re.sub("x-formula", "x_formula", html, flags=re.IGNORECASE))

    def image(self, text, url, title=None):
        name = url.removeprefix("attachment:")
        bundle = self.attachments.get(name) if url.startswith("attachment:") else None
        for mime in PICTURES.values():
            if isinstance(bundle, Mapping) and isinstance(bundle.get(mime), str):
                return f'<img src="data:{mime};base64,{"".join(bundle[mime].split())}" alt="{_plain(text)}">'
        return f"<em>(a picture is missing here: {_plain(text) or html.escape(name[:100])})</em>"

    def _place(self, tex, *, display):
        self.formulas[len(self.formulas)] = formula(tex, display=display)
        return f'<x-formula n="{len(self.formulas) - 1}"></x-formula>'


def _plain(markup):
    return re.sub("[\"'<>]", "", re.sub(r"<[^>]*>", "", markup))
