"""What of a learner's text may a teacher's browser see? What can do nothing there: it is cleaned before it is kept.

Whoever opens an answer is signed in to the gradebook, so a script in an answer could change grades. A text whose
rendering is harmless stays as it is, to the byte. In any other, what is not harmless is disarmed piece by piece: a tag
that is not on the list is shown and not obeyed, a picture from elsewhere becomes a remark. Where that is not enough,
the whole text is shown as it was typed. Whether a text is harmless is asked of the parser that will render it,
nbconvert's.
"""

import base64
import html
import io
import re
import warnings
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from urllib.parse import unquote

from nbconvert.filters.markdown_mistune import MarkdownWithMath
from nbformat import NotebookNode
from nbformat.v4 import new_output

TAGS = frozenset(
    re.findall(
        r"\w+",
        "a abbr b blockquote br caption center cite code dd del details dfn div dl dt em figcaption figure font h1 h2"
        " h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp small span strike strong sub summary sup table tbody"
        " td tfoot th thead tr tt u ul var wbr",
    )
)
# The tags of lossprimer.checks.Report, and the two that one could expect there.
REPORT_TAGS = frozenset({"p", "code", "ul", "li", "strong", "details", "summary", "pre", "em", "span"})
# Attributes by tag, and what their values look like. A link is looked at by `harmless_link`.
ATTRIBUTES = {
    "a": {"href": "", "title": r"[^<>]*"},
    "details": {"open": r"|open"},
    "img": {"alt": r"[^<>]*", "height": r"\d{1,4}", "src": "", "title": r"[^<>]*", "width": r"\d{1,4}"},
    "ol": {"start": r"-?\d{1,9}"},
    "td": {"align": r"left|center|right", "colspan": r"\d{1,2}", "rowspan": r"\d{1,2}"},
    "th": {"align": r"left|center|right", "colspan": r"\d{1,2}", "rowspan": r"\d{1,2}", "scope": r"col|row"},
} | dict.fromkeys(["div", "p", "table"], {"align": r"left|center|right"})
_VOID = frozenset({"br", "hr", "img", "wbr"})

PICTURES = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp"}
_SHOWN = {"image/png", "image/jpeg"}  # of an output
_PICTURE_BYTES = 2**22
_PIXELS = 2**25
# What MathJax can be told to do besides setting a formula.
_TEX = re.compile(
    r"(?<!\\)\\+(?=(?:bbox|class|csname|cssId|data|enclose|href|html\w*|include\w*|mmlToken|require|style|texttip|tooltip"
    r"|unicode|url)(?![A-Za-z]))"
)

# An answer has a page at most. Longer texts are shown as they are typed: to parse them would give them our time.
_PARSED = 20_000
_PARSED_TOGETHER = 100_000
_TEXT = 20_000
_NAME = re.compile(r"[\w .()+-]{1,100}")
_GRADE_ID = re.compile(r"[A-Za-z0-9_\-]{1,100}")
_CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PLAIN_NAME = re.compile(r"[\w.-]{1,100}", re.ASCII)

_LINK = re.compile(r"https?://[\w\[]|mailto:\w|#|(?:\.\.?/)*[\w][\w./-]*\.ipynb(?:#|\Z)", re.IGNORECASE)
_UNSAFE_IN_LINK = re.compile(r"[\x00-\x20\x7f\"<>`]")
_ATTRIBUTE = re.compile(r"([A-Za-z][\w:-]*)(?:\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s\"'=<>`]+))?\s*")
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)((?:\s+[A-Za-z][\w:-]*(?:=\"[^\"<>]*\")?)*)\s*(/?)>")
# A tag as a browser may read it; what is in quotes can hold a ">".
_ANY_TAG = re.compile(r"<(/?)([A-Za-z][^\s/<>]*)((?:\"[^\"]*\"|'[^']*'|[^\"'<>])*)>")
_AUTOLINK = re.compile(r"<(?:https?://|mailto:)[^\s<>]*>|<[\w.+-]+@[\w.-]+>", re.IGNORECASE)
_LITERAL = re.compile(
    r"""
    (?P<fence> ^[ ]{0,3}(?P<marks>`{3,}|~{3,})(?P<info>[^\n]*)\n(?:.*?^[ ]{0,3}(?P=marks)[`~]*[ \t]*$|.*\Z))
    |(?P<code> (?:(?<=\n\n)|\A)(?:(?:[ ]{4}|\t)[^\n]*(?:\n|\Z))+
        |(?<![`\\])(?P<ticks>`+)(?!`)(?:(?!\n[ \t]*\n).)+?(?<!`)(?P=ticks)(?!`))
    |(?P<math> (?<!\\)\$\$.*?(?<!\\)\$\$
        |(?<![$\\])\$(?:(?!\n[ \t]*\n).)+?(?<![$\\])\$
        |\\\\\[.*?\\\\\] |\\\\\((?:(?!\n[ \t]*\n).)*?\\\\\)
        |\\begin\{(?P<name>[a-z]*\*?)\}.*?\\end\{(?P=name)\})
    """,
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)
_PICTURE = re.compile(r"!\[((?:[^\[\]\\]|\\.)*)\]\(\s*<?([^\s<>()]*(?:\([^\s<>()]*\))?[^\s<>()]*)>?([^()]*)\)")
_LINKED = re.compile(
    r"(?<!!)\[((?:[^\[\]\\]|\\.)*)\]\(\s*<?([^\s<>()]*(?:\([^\s<>()]*\)[^\s<>()]*)*)>?(?:\s+(?:\"[^\"]*\"|'[^']*'))?\s*\)"
)
_INLINE_DATA = re.compile(r"(?<=[(\"'<])\s*data:image/[a-z]+;base64,([A-Za-z0-9+/]+={0,2})(?=[\s)\"'>])")
# In a text that nbconvert takes for text, but which another program may take for a tag.
_SUSPECT = re.compile(
    r"<[/!?]?(?:applet|audio|base|body|button|embed|form|frame|head|html|iframe|image|img|input|isindex|link|marquee"
    r"|math|meta|noscript|object|plaintext|portal|script|select|source|style|svg|template|textarea|title|video|xmp)\b",
    re.IGNORECASE,
)
_NO_LINK = "(a link is not shown here)"
_DESTINATION = re.compile(r"\](\(\s*<?|:[ \t]*\n?[ \t]*<?)([^\s)>]*)")


def cleaned(notebook: NotebookNode) -> NotebookNode:
    """A copy of a notebook that any page can show.

    Parameters
    ----------
    notebook : NotebookNode
        With answers and outputs of a learner's. Nothing in it is believed, and it is not changed.

    Returns
    -------
    NotebookNode
        The Markdown is harmless when it is rendered, and so are pictures, outputs and metadata. The code is as it was,
        but for characters that no file can hold.
    """
    clean = NotebookNode(nbformat=4, nbformat_minor=5, metadata=_notebook_metadata(notebook.get("metadata")), cells=[])
    budget, ids = _PARSED_TOGETHER, set()
    given = notebook.get("cells")
    for number, cell in enumerate(given if isinstance(given, list) else []):
        if not isinstance(cell, dict) or cell.get("cell_type") not in ("code", "markdown", "raw"):
            continue
        made = _cell(cell, budget)
        budget -= len(made.source) if made.cell_type == "markdown" else 0
        made.id = _new_id(cell.get("id"), number, ids)
        clean.cells.append(made)
    return clean


def clean_markdown(source: str, attachments: Mapping | None = None, *, parse: bool = True) -> tuple[str, dict]:
    """Markdown that renders to harmless HTML, and the pictures that it may show.

    Parameters
    ----------
    source : str
    attachments : mapping, optional
        Of a notebook's cell: names to mime bundles.
    parse : bool
        Without, the text is shown as it was typed.

    Returns
    -------
    source : str
        The same text, if it was harmless.
    attachments : dict
    """
    source = printable(source)
    if _is_as_typed(source):
        return source, {}
    pictures, renamed = _attachments(attachments)
    source = _INLINE_DATA.sub(lambda found: _extracted(found, pictures), source)
    if not parse or len(source) > _PARSED:
        return _as_typed(source), {}
    return _clean(source, tuple(pictures), tuple(renamed.items())), pictures


def clean_output(output: Mapping, *, is_report: bool = False) -> NotebookNode | None:
    """An output with the parts that are shown, and no others; None if there is nothing to show.

    Parameters
    ----------
    output : mapping
    is_report : bool
        Whether it may be a check's report. Other HTML is not kept.
    """
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return new_output("stream", name=name, text=_shown_text(output.get("text")))
    if kind == "error":
        lines = output.get("traceback")
        return new_output(
            "error",
            ename=_shown_text(output.get("ename")),
            evalue=_shown_text(output.get("evalue")),
            traceback=[_shown_text(line) for line in lines[:100]] if isinstance(lines, list) else [],
        )
    if kind not in ("display_data", "execute_result") or not isinstance(output.get("data"), dict):
        return None
    data = {}
    for mime, content in output["data"].items():
        if mime == "text/plain":
            data[mime] = _shown_text(content)
        elif mime == "text/html" and is_report:
            data[mime] = clean_report(_joined(content))
        elif mime in _SHOWN and (picture := _picture(_joined(content))) and picture[0] == mime:
            data[mime] = picture[1]
    if not data:
        return None
    made = new_output(kind, data)
    if kind == "execute_result" and type(output.get("execution_count")) is int:
        made.execution_count = output["execution_count"]
    return made


def clean_report(markup: str) -> str:
    """A check's report in HTML, without what a report does not have."""
    import nh3  # a compiled library that only few submissions need

    return nh3.clean(printable(markup), tags=set(REPORT_TAGS), attributes={}, link_rel=None)


def harmless_link(url: str) -> bool:
    """Whether a link leads to another page, within this one, or to a notebook beside it."""
    return bool(_LINK.match(url)) and not _UNSAFE_IN_LINK.search(url)


def printable(text: str) -> str:
    """A text without control characters, and without halves of characters, which no file can hold."""
    return (
        re.sub(r"[\x00-\x08\x0b\x0e-\x1f\x7f]", "", text.encode("utf-8", "replace").decode())
        .replace("\r\n", "\n")
        .replace("\r", "\n")
    )


def _cell(cell, budget):
    source = _joined(cell.get("source"))
    if cell["cell_type"] == "code":
        made = NotebookNode(cell_type="code", source=source.encode("utf-8", "replace").decode(), outputs=[])
        made.execution_count = cell["execution_count"] if type(cell.get("execution_count")) is int else None
        metadata = _cell_metadata(cell)
        is_report = bool(metadata.get("nbgrader", {}).get("grade")) and not metadata["nbgrader"].get("solution")
        outputs = cell.get("outputs")
        outputs = [output for output in (outputs if isinstance(outputs, list) else []) if isinstance(output, dict)]
        made.outputs = list(filter(None, (clean_output(output, is_report=is_report) for output in outputs)))
    elif cell["cell_type"] == "raw" and not re.search("[<&]", source):
        made = NotebookNode(cell_type="raw", source=printable(source))
    else:
        parse = cell["cell_type"] == "markdown" and len(source) <= budget
        source, pictures = clean_markdown(source, cell.get("attachments"), parse=parse)
        made = NotebookNode(cell_type="markdown", source=source)
        if pictures:
            made.attachments = NotebookNode(pictures)
    made.metadata = _cell_metadata(cell)
    return made


def _joined(text):
    """A text of a notebook; the format also allows a list of its lines."""
    if isinstance(text, list) and all(isinstance(line, str) for line in text):
        return "".join(text)
    return text if isinstance(text, str) else ""


def _shown_text(text):
    text = _joined(text)
    text = text if len(text) <= _TEXT else text[:_TEXT] + "\n… (cut)"
    # Of the terminal's commands only colors are left.
    text = re.sub(r"\x1b(?!\[[\d;]*m)(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)?", "", text)
    return re.sub(r"[\x00-\x07\x0b\x0e-\x1a\x1c-\x1f\x7f]", "", text.encode("utf-8", "replace").decode())


def _new_id(name, number, taken):
    if not isinstance(name, str) or not _CELL_ID.fullmatch(name) or name in taken:
        name = next(free for n in range(len(taken) + 1) if (free := f"cell-{number}-{n}") not in taken)
    taken.add(name)
    return name


_NBGRADER = {"grade": bool, "locked": bool, "solution": bool, "task": bool, "points": (int, float)} | {
    "schema_version": int
}
_NBGRADER_TEXTS = {"grade_id": _GRADE_ID, "checksum": re.compile("[0-9a-f]{1,64}"), "cell_type": re.compile("[a-z]+")}


def _cell_metadata(cell):
    """What nbgrader notes of a cell, and nothing else: other metadata can hide a cell or choose how it is shown."""
    found = cell.get("metadata")
    found = found.get("nbgrader") if isinstance(found, dict) else None
    if not isinstance(found, dict):
        return NotebookNode()
    kept = {name: found[name] for name, kind in _NBGRADER.items() if isinstance(found.get(name), kind)}
    kept |= {
        name: found[name]
        for name, pattern in _NBGRADER_TEXTS.items()
        if isinstance(found.get(name), str) and pattern.fullmatch(found[name])
    }
    return NotebookNode(nbgrader=NotebookNode(kept)) if "grade_id" in kept else NotebookNode()


def _notebook_metadata(found):
    """The kernel's and the language's names, where they are complete."""
    kept = NotebookNode()
    for part, needed in {"kernelspec": {"name", "display_name"}, "language_info": {"name"}}.items():
        content = found.get(part) if isinstance(found, dict) else None
        names = {
            name: value
            for name in ("name", "display_name", "language", "version")
            if isinstance(content, dict) and isinstance(value := content.get(name), str) and _NAME.fullmatch(value)
        }
        if needed <= names.keys():
            kept[part] = NotebookNode(names)
    return kept


def _picture(data):
    """The mime type and the base64 text of a picture, whatever it says it is; None if it is none, or too large."""
    from PIL import Image  # slow to import, and few answers have pictures

    if len(data) > _PICTURE_BYTES * 4 // 3 + 4:
        return None
    try:
        content = base64.b64decode("".join(data.split()), validate=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # It reads the first bytes and decodes nothing.
            with Image.open(io.BytesIO(content), formats=tuple(PICTURES)) as picture:
                width, height = picture.size
                mime = PICTURES[picture.format]
    except Exception:  # of many types, for as many ways to be no picture
        return None
    if width * height > _PIXELS:
        return None
    return mime, base64.b64encode(content).decode()


def _attachments(given):
    """The attached pictures under plain names, and the new name of each old one."""
    pictures, renamed = {}, {}
    for name, bundle in list(given.items())[:100] if isinstance(given, dict) else []:
        if not isinstance(name, str) or not isinstance(bundle, dict):
            continue
        picture = next(filter(None, (_picture(_joined(data)) for data in list(bundle.values())[:5])), None)
        if picture is not None:
            plain = name if _PLAIN_NAME.fullmatch(name) else f"picture-{len(pictures) + 1}"
            while plain in pictures:
                plain += "-2"
            pictures[plain] = NotebookNode({picture[0]: picture[1]})
            renamed[name] = plain
    return pictures, renamed


def _extracted(found, pictures):
    """What stands for a picture that is part of the text: the name of an attachment."""
    picture = _picture(found[1])
    if picture is None:
        return "attachment:unreadable"
    name = f"in-the-text-{len(pictures) + 1}"
    pictures[name] = NotebookNode({picture[0]: picture[1]})
    return f"attachment:{name}"


# The texts of the release come with every submission.
@lru_cache(maxsize=512)
def _clean(source, pictures, renamed):
    if _is_harmless(source, pictures):
        return source
    disarmed = _disarmed(source, pictures, dict(renamed))
    return disarmed if _is_harmless(disarmed, pictures) else _as_typed(source)


def _as_typed(source):
    """A block of code that holds a text."""
    marks = "`" * max(3, 1 + max(map(len, re.findall("`+", source)), default=0))
    return f"{marks}\n{source}\n{marks}"


def _is_as_typed(source):
    block = re.fullmatch(r"(`{3,})\n(.*)\n\1", source, re.DOTALL)
    return block is not None and block[1] not in block[2]


def _is_harmless(source: str, pictures: Collection[str]) -> bool:
    """Whether nbconvert makes nothing of a text but what is on the lists."""
    if not re.search(r"[<\[\\&]|mermaid", source):
        return True
    try:
        tokens = list(_flat(MarkdownWithMath(renderer=None).parse(source)[0]))
    except Exception:  # nesting without end, or a mistake in the parser
        return False
    shown = "".join(
        token.get("raw", "") + token.get("attrs", {}).get("body", "")
        for token in tokens
        if token["type"] not in ("codespan", "block_code")
    )
    if _SUSPECT.search(shown) or _TEX.search(html.unescape(shown)):
        return False
    return all(_is_harmless_token(token, pictures) for token in tokens)


def _flat(tokens) -> Iterator[dict]:
    for token in tokens:
        yield token
        yield from _flat(token.get("children", ()))


def _is_harmless_token(token, pictures):
    attributes = token.get("attrs", {})
    match token["type"]:
        case "inline_html" | "block_html":
            return "<" not in _TAG.sub(lambda tag: "" if _is_harmless_tag(tag) else "<", token["raw"])
        case "link":
            return harmless_link(attributes["url"])
        case "image":
            name = attributes["url"].removeprefix("attachment:")
            return attributes["url"].startswith("attachment:") and name in pictures
        case "block_code":  # nbconvert does not escape mermaid's
            return not attributes.get("info", "").strip().startswith("mermaid")
    return True


def _is_harmless_tag(tag):
    closing, name, attributes, _ = tag.groups()
    # A picture in HTML cannot be an attachment, and any other is elsewhere.
    return (
        name in TAGS - {"img"}
        and not (closing and attributes)
        and all(
            _is_harmless_attribute(name, attribute, html.unescape((value or "").strip('"')))
            for attribute, value in _ATTRIBUTE.findall(attributes)
        )
    )


def _is_harmless_attribute(tag, name, value):
    allowed = ATTRIBUTES.get(tag, {})
    if name == "href":
        return name in allowed and harmless_link(value)
    return name in allowed and bool(re.fullmatch(allowed[name], value))


def _disarmed(source, pictures, renamed):
    """A text in which nothing that looks dangerous outside of code and formulas is left."""
    parts, end = [], 0
    for literal in _LITERAL.finditer(source):
        parts += [_disarmed_text(source[end : literal.start()], pictures, renamed), _disarmed_literal(literal)]
        end = literal.end()
    return "".join([*parts, _disarmed_text(source[end:], pictures, renamed)])


def _disarmed_literal(literal):
    if literal["math"] is not None:
        return _TEX.sub("", literal[0])
    if literal["fence"] is not None and "mermaid" in html.unescape(literal["info"].replace("\\", "")):
        return literal[0].replace(literal["info"], "", 1)
    return literal[0]


def _disarmed_text(text, pictures, renamed):
    text = re.sub(r"<!--.*?(?:-->|\Z)", "", text, flags=re.DOTALL)
    text = _ANY_TAG.sub(lambda tag: _disarmed_tag(tag, pictures, renamed), text)
    text = re.sub(r"\\?<(?=[A-Za-z/!?])", lambda at: at[0] if _may_stay(text, at.start()) else "&lt;", text)
    text = _PICTURE.sub(lambda found: _disarmed_picture(found[1], found[2], pictures, renamed), text)
    text = _LINKED.sub(lambda found: found[0] if harmless_link(found[2]) else f"{found[1]} {_NO_LINK}", text)
    text = _DESTINATION.sub(_disarmed_destination, text)
    return _TEX.sub("", text)


def _may_stay(text, start):
    tag = _TAG.match(text, start)
    return (tag is not None and _is_harmless_tag(tag)) or _AUTOLINK.match(text, start) is not None


def _disarmed_tag(tag, pictures, renamed):
    """A tag with the attributes that are harmless; one that is on no list is left, and escaped next."""
    name = tag[2].lower()
    if _AUTOLINK.fullmatch(tag[0]) or name not in TAGS:
        return tag[0]
    if tag[1]:
        return f"</{name}>" if name not in _VOID else ""
    found = {}
    for attribute, value in _ATTRIBUTE.findall(tag[3]):
        found.setdefault(attribute.lower(), html.unescape(value[1:-1] if value[:1] in "\"'" else value))
    if name == "img":
        return _disarmed_picture(found.get("alt", ""), found.get("src", ""), pictures, renamed)
    kept = "".join(
        f' {attribute}="{html.escape(value)}"' if value else f" {attribute}"
        for attribute, value in found.items()
        if _is_harmless_attribute(name, attribute, value)
    )
    return f"<{name}{kept}>"


def _disarmed_picture(alt, url, pictures, renamed):
    alt = re.sub(r"[^\w\s.,;:()-]", "", alt)
    name = url.removeprefix("attachment:")
    name = renamed.get(name) or renamed.get(unquote(name), name)
    if url.startswith("attachment:") and name in pictures:
        return f"![{alt}](attachment:{name})"
    if harmless_link(url) and ":" in url:
        return f"(a picture from elsewhere, not shown: [{alt or 'its address'}]({url}))"
    named = re.sub(r"[^\w\s.-]", "", alt or unquote(name))[:100].strip()
    return f"(a picture is missing here: {named})" if named else "(a picture is missing here)"


def _disarmed_destination(found):
    """A link, or the definition of one, if its address is harmless; else the text of it."""
    url = found[2]
    if harmless_link(url) or (url.startswith("attachment:") and _PLAIN_NAME.fullmatch(url[len("attachment:") :])):
        return found[0]
    return f"]\\: {_NO_LINK}" if found[1][0] == ":" else f"]\\{found[1]}{url}"
