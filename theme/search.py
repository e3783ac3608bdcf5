"""What can be found on the site? Every section, every defined name and every row with an address, each by itself.

They are read from the finished pages, so an address in the index is one that the site has. The index is a script that
sets a variable, because a page that was opened from a folder may not read other files; `search.js` does the rest.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bs4 import BeautifulSoup, NavigableString, SoupStrainer, Tag
from sphinx.application import Sphinx
from sphinx.util import logging

NAME = "search-index.js"
# What the builder would make for Sphinx's own search.
NOT_NEEDED = "searchtools.js", "doctools.js", "sphinx_highlight.js", "documentation_options.js", "language_data.js"
_log = logging.getLogger(__name__)
# What is drawn or run, and what a reader can do on a page: nothing of it is prose.
_NO_PROSE = (
    "script, style, svg, pre, .highlight, .headerlink, nav, form, button, .needs-script, .section-time, .code > summary"
)
# Of these only their name, or their question, can be found.
_NAMED = "figure, .prediction"
# Most of a page is of this kind; to cut it out before reading is ten times as quick.
_DRAWN = re.compile(r"<(script|svg|pre)\b.*?</\1>", re.DOTALL)
_BLOCKS = [
    "p",
    "li",
    "dd",
    "dt",
    "td",
    "th",
    "summary",
    "div",
    "ul",
    "ol",
    "dl",
    "table",
    "tbody",
    "details",
    "section",
]
_BETWEEN = re.compile(r"(?<=[.!?])(?<! al\.)\s+(?=[“\"(]?[A-Z0-9\x01\x02])")
_WHOLE = re.compile(r"[A-Z0-9“\"(\x02].*[.!?][”\")]?", re.DOTALL)
_WORD = re.compile(r"√?[^\W_][\w.]*[^\W_]|√?[^\W_]")
# Marks formulas and names of pictures: a sentence that has them can be found, but is not shown.
_HIDDEN = "\x01"
# Stand before code, and for the blanks in it: no sentence ends there.
_CODE, _BLANK = "\x02", "\x03"
# What a formula of one letter is made of.
_LETTER = {"semantics", "mrow", "mi", "mn", "mo"}
_HEADINGS = ["h1", "h2", "h3", "h4", "h5", "h6"]


@dataclass
class Entry:
    """A place that can be found.

    Parameters
    ----------
    address : str
        Page and fragment.
    title : str
        A heading, a name, or the first cell of a row that is more than a mark.
    place : tuple of str
        The headings that it stands under, the page's first.
    kind : str
        "page", "section", "part" of a section, "name" or "row".
    part : str
        The part of the book that the page belongs to.
    prose, other : list of str
        Sentences that can be shown, and what can only be found: sentences with formulas, names of pictures.
    marks : tuple of str
        What the place was called before: the addresses of empty links and targets in it.
    terms : list of str
        What is set off in the text, as a word is where it is explained, and what the book says that is also asked for.
    """

    address: str
    title: str
    place: tuple[str, ...]
    kind: str
    part: str = ""
    prose: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    terms: list[str] = field(default_factory=list)
    marks: tuple[str, ...] = ()

    def add(self, text: str) -> None:
        """Take in the sentences of a paragraph."""
        for sentence in _BETWEEN.split(" ".join(text.split())):
            is_shown = _HIDDEN not in sentence and _WHOLE.fullmatch(sentence)
            (self.prose if is_shown else self.other).append(sentence.replace(_CODE, "").replace(_BLANK, " "))

    def words(self) -> list[str]:
        """Return the words that can be found, but not shown, each once."""
        shown = {word.lower() for word in _WORD.findall(" ".join([self.title, *self.prose]))}
        return sorted({word for word in _WORD.findall(" ".join(self.other)) if word.lower() not in shown})


def entries(page: str, address: str) -> list[Entry]:
    """Return what can be found on a page, in its order.

    Parameters
    ----------
    page : str
        Its HTML.
    address : str
        Where it stands in the site.
    """
    soup = BeautifulSoup(_DRAWN.sub("", page), "html.parser", parse_only=SoupStrainer(["main", "nav"]))
    if soup.main is None:
        return []
    for note in soup.main.select("annotation"):
        note.decompose()
    for formula in soup.main.select("math"):
        formula.replace_with(formula.get_text() if formula.find_parent(_HEADINGS) else _formula(formula))
    for element in soup.main.select(_NAMED):
        element.replace_with(_marked(_name(element)))
    for element in soup.main.select(_NO_PROSE):
        element.decompose()
    here = soup.select_one(".site-contents [aria-current=page]")
    caption = here and here.find_previous("p", class_="caption")
    found: list[Entry] = []
    _walk(soup.main, address, None, (), found)
    for entry in found:
        entry.part = caption.get_text(strip=True) if caption else ""
    return found


def _walk(element: Tag, page: str, entry: Entry | None, above: tuple[str, ...], found: list[Entry]) -> None:
    """Add what can be found below `element`; text belongs to `entry`, which stands under the headings `above`."""
    for child in element.children:
        if isinstance(child, NavigableString):
            if entry and child.strip():
                entry.add(child)
            continue
        own = _entry(child, page, above)
        if own:
            found.append(own)
        if child.name == "tr" and own:
            for cell in _cells(child)[1:]:
                own.add(_text(cell))
        elif child.name == "dt":
            # What follows is said of it; a term without an address belongs to what stands above.
            if own:
                entry = own
            elif entry:
                entry.add(_text(child))
        elif own or child.find(_BLOCKS):
            _walk(child, page, own or entry, (*above, own.title) if own else above, found)
        elif entry and child.name not in _HEADINGS:
            entry.terms += [_plain(term) for term in child.find_all(["strong", "em"])]
            entry.add(_text(child))


def _entry(element: Tag, page: str, above: tuple[str, ...]) -> Entry | None:
    """Return the entry that an element stands for."""
    name = element.get("id")
    if not name or element.name not in {"section", "dt", "tr"}:
        return None
    address = f"{page}#{name}"
    if element.name == "section":
        heading = element.find(_HEADINGS)
        kind = {"h1": "page", "h2": "section"}.get(heading.name, "part")
        empty = (tag for tag in element.select("a[id], span[id]") if not tag.get_text(strip=True))
        marks = tuple(f"{page}#{tag['id']}" for tag in empty if tag.find_parent("section") is element)
        return Entry(address, _plain(heading), above, kind, marks=marks)
    if element.name == "tr":
        return Entry(address, _plain(_cells(element)[0]), above, "row")
    # A name is called as it is written after the package's.
    title = name.partition(".")[2] if "sig" in element.get("class", ()) else _plain(element)
    entry = Entry(address, title, above, "name")
    entry.other += [parameter.get_text() for parameter in element.select(".sig-param")]
    return entry


def _cells(row: Tag) -> list[Tag]:
    """Return the cells of a row from the first one that says something; before it stands a mark."""
    cells = row.find_all(["td", "th"], recursive=False)
    first = next((i for i, cell in enumerate(cells) if len(cell.get_text().split()) > 3), 0)
    return cells[first:]


def _name(element: Tag) -> str:
    """Return the question of a prediction, or the name of an explorer."""
    named = element.legend or element.select_one("[role=group]") or element
    return named.get_text() if element.legend else named.get("aria-label", "")


def _text(element: Tag) -> str:
    """Return an element's text; a piece of code in it is one word, whatever stands in it."""
    for code in element.find_all(["code", "samp"]):
        code.string = _CODE + _BLANK.join(code.get_text().split())
    return element.get_text()


def _marked(text: str) -> str:
    """Return a text with a mark before each word: one of several sentences has one in each."""
    return " ".join(_HIDDEN + word for word in text.split())


def _plain(element: Tag) -> str:
    return " ".join(element.get_text().replace(_HIDDEN, "").replace(_CODE, "").replace(_BLANK, " ").split())


def _formula(formula: Tag) -> str:
    """Return the words of a formula after a mark; a formula of one letter is a word of its sentence."""
    text = formula.get_text()
    is_letter = len(text) == 1 and not formula.find_all(lambda part: part.name not in _LETTER)
    return text if is_letter else f"{_HIDDEN}{' '.join(_words(formula))} "


def _words(formula: Tag) -> Iterator[str]:
    """Yield what one may search for: names, Greek letters, short roots, indices as they are typed."""
    for part in formula.find_all(["mi", "msqrt", "msub"]):
        text = "".join(part.get_text().split())
        if part.name == "msqrt" and len(text) < 4:
            yield f"√{text}"
        elif part.name == "msub" and len(text) == 2:
            yield "_".join(text)
        elif part.name == "mi" and (len(text) > 1 or not text.isascii()):
            yield text


def read_words(table: str) -> tuple[list[list[str]], dict[str, list[str]]]:
    """Return what a book's table adds to the words of its pages.

    Parameters
    ----------
    table : str
        Lines of words between commas. With the address of a section and a colon before them, they are what it is also
        asked for; else they mean the same. # with a blank after it begins a remark.

    Returns
    -------
    groups : list of list of str
        Words that mean the same.
    asked : dict
        What each section is asked for, by its address without the file's ending.
    """
    groups, asked = [], {}
    for line in filter(None, (re.sub(r"(^|\s)# .*", "", line).strip() for line in table.splitlines())):
        address, _, words = line.rpartition(": ")
        split = [word.strip() for word in words.split(",")]
        if address:
            asked[address] = split
        else:
            groups.append(split)
    return groups, asked


def script(found: Iterable[Entry], groups: list[list[str]], lead: str = "") -> str:
    """Return the script that `search.js` takes all from: entries, words that mean the same, the part that leads."""
    rows = [
        [
            *(entry.address, entry.title, entry.place, entry.kind, entry.part),
            *("\n".join(entry.prose), " ".join(entry.words()), "\n".join(dict.fromkeys(entry.terms))),
        ]
        for entry in found
    ]
    data = json.dumps({"entries": rows, "synonyms": groups, "lead": lead}, ensure_ascii=False, separators=(",", ":"))
    return f"var searchIndex = {data};\n"


def write_index(site: Path, addresses: Iterable[str], table: str = "", lead: str = "") -> None:
    """Write the index of the pages at `addresses` into the site, with a book's table and the part of it that leads."""
    groups, asked = read_words(table)
    found = [entry for address in addresses for entry in entries((site / address).read_text("utf-8"), address)]
    for entry in found:
        for place in (entry.address, *entry.marks):
            entry.terms += asked.pop(re.sub(r"\.\w+#", "#", place), [])
    for address in asked:
        _log.warning("the words for the search name %s, which is not on the site", address)
    (site / "_static" / NAME).write_text(script(found, groups, lead), "utf-8")


def _replace_search(app: Sphinx) -> None:
    """Have the builder make no index of its own."""
    if app.builder.format == "html":
        app.builder.search = False


def _search_page(app: Sphinx) -> Iterator[tuple[str, dict, str]]:
    yield "search", {}, "search.html"


def _finish(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.format != "html":
        return
    site = Path(app.outdir)
    for name in ("searchindex.js", *(f"_static/{name}" for name in NOT_NEEDED)):
        (site / name).unlink(missing_ok=True)
    words = app.config.search_words
    table = Path(app.srcdir, words).read_text("utf-8") if words else ""
    write_index(
        site, (app.builder.get_target_uri(name) for name in sorted(app.env.found_docs)), table, app.config.search_lead
    )


def setup(app: Sphinx) -> None:
    """Connect to the builder, the pages and the end of the build."""
    # The file of the book's own words for its search; see read_words.
    app.add_config_value("search_words", "", "html", str)
    # The part of the book that comes first where others have the same words: what it teaches, and they repeat.
    app.add_config_value("search_lead", "", "html", str)
    app.connect("builder-inited", _replace_search)
    app.connect("html-collect-pages", _search_page)
    app.connect("build-finished", _finish)
