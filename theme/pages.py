"""What does a page need beside its text? Its scripts, its description, its links, and tables that can scroll."""

import os
import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any
from urllib.parse import quote

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.writers.html5 import HTML5Translator

from lossprimer import __version__
from theme import breaks, search

# As much as search engines show: whole sentences where those are short enough, else words.
_SENTENCES = re.compile(r".{40,154}[.?!](?=\s|$)")
_WORDS = re.compile(r".{,150}(?=\s)")
_UNCOLOURED = re.compile(r'<span class="[nopw]">([^<]*)</span>')
# What Sphinx and MyST put around the text of a link.
_LINKED = re.compile(r'<span class="(?:std std-(?:ref|doc|term)|xref myst)">([^<]*)</span>')
_REFERENCE = re.compile(r'<a class="reference (?:in|ex)ternal" href')
# A link whose text is its address: on paper the address is not added.
_SPELLED_OUT = re.compile(r'<a (?=href="http[^>]*>(?:https?|doi|arXiv):)')
# Classes that no style sheet knows.
_UNSTYLED = re.compile(r' class="(?:row-odd|row-even|head|simple)"| highlight-myst-ansi')
# What Sphinx puts around each word of a piece of code in a sentence.
_PIECE = re.compile(r'<span class="pre">([^<]*)</span>')
_LITERAL = re.compile(r'<code class="(?:code )?docutils literal">')
_NO_PARAGRAPH = re.compile(r"<p>(<ul\b.*?</ul>)\s*</p>", re.DOTALL)
# Kinds of code that have one colour: the first name of each stands for all, and is the one that primer.css knows.
_KINDS = {
    "k": "kc|kd|kn|kr|ow|bp",
    "s": "s1|s2|sa|sd|si|se|sr|dl",
    "m": "mi|mf|mh|mo|mb|il|kt",
    "nf": "fm|nc|nd|nn|nb",
}
# primer.css has the rules of the first, in the page's own colours; the others served the search that is replaced.
_NOT_NEEDED = ("_static/pygments", "_static/mystnb", *(f"_static/{name}" for name in search.NOT_NEEDED))


def _prepare(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None):
    """Hand the templates what layout.html asks for."""
    # The style of questions weighs a fiftieth of the first page, which has none.
    unused = _NOT_NEEDED if 'class="prediction' in context.get("body", "") else (*_NOT_NEEDED, "_static/prediction.css")
    context["css_files"] = [file for file in context["css_files"] if not file.filename.startswith(unused)]
    scripts = (file for file in context["script_files"] if file.filename)
    context["script_files"] = [file for file in scripts if not file.filename.startswith(_NOT_NEEDED)]
    for script in context["script_files"]:
        script.attributes.setdefault("defer", "defer")
    for part in ("body", "toc"):
        context[part] = breaks.bound(breaks.jointed(_lighter(context.get(part, ""))))
    context["has_emphasis"] = "<em>" in context["body"]
    context["has_math"] = doctree is not None and _has_math(doctree)
    context["description"] = doctree is not None and description(doctree)
    context["questions"] = _questions(app, pagename)
    context["edition"] = app.config.book_edition
    context["home_title"] = app.env.titles[app.config.root_doc].astext()
    if doctree is not None and app.config.book_repository:
        source = app.env.doc2path(pagename, base=False)
        config = app.config
        links = page_links(config.book_repository, str(source), config.book_edition, config.book_launch_branch)
        context["page_links"] = links


def edition(variables: Mapping[str, str]) -> str:
    """Return which state of the course a site shows: the version, and the commit if the variable GITHUB_SHA has it."""
    commit = variables.get("GITHUB_SHA", "")[:7]
    return f"version {__version__}{f', commit {commit}' if commit else ''}"


def _questions(app: Sphinx, name: str) -> dict[str, str | None]:
    """Return what the pages before and after the page `name` ask."""
    _, previous, following = app.builder.relations.get(name) or (None, None, None)
    asked = app.config.page_questions
    return {"prev": asked.get(previous), "next": asked.get(following)}


def _lighter(body: str) -> str:
    """Return a page's HTML without elements, classes and roles that have no effect."""
    body = _REFERENCE.sub("<a href", _LINKED.sub(r"\1", body))
    body = _SPELLED_OUT.sub('<a class="url" ', body)
    # page.js names the links to headings, and keeps translators from code.
    body = body.replace(' title="Link to this heading"', "").replace(' notranslate"', '"')
    body = _UNSTYLED.sub("", body)
    body = _LITERAL.sub("<code>", _PIECE.sub(r"\1", body))
    # Half of a chapter's elements would be pieces of code that have no colour of their own.
    body = _UNCOLOURED.sub(r"\1", body)
    for kind, others in _KINDS.items():
        body = re.sub(rf'<span class="(?:{others})">', f'<span class="{kind}">', body)
        body = re.sub(rf'(<span class="{kind}">[^<]*)</span>(\s*)<span class="{kind}">', r"\1\2", body)
    # Of a paragraph that holds a list a browser makes an empty one before it, which takes room.
    body = _NO_PARAGRAPH.sub(r"\1", body)
    body = body.replace("<pre><span></span>", "<pre>").replace(' docutils container"', '"')
    # The role that docutils gives an entry of the bibliography is withdrawn; it is one of a list.
    return body.replace('role="doc-biblioentry"', 'role="listitem"')


def _has_math(doctree: nodes.document) -> bool:
    return any(True for kind in (nodes.math, nodes.math_block) for _ in doctree.findall(kind))


def description(doctree: nodes.document) -> str | None:
    """Return the beginning of the first paragraph of running text without formulas."""
    for paragraph in doctree.findall(nodes.paragraph):
        # Markup, such as an old address of a heading, is no text.
        text = " ".join("".join(part.astext() for part in paragraph if not isinstance(part, nodes.raw)).split())
        if isinstance(paragraph.parent, nodes.section) and len(text) > 40 and not _has_math(paragraph):
            sentences = _SENTENCES.match(text)
            return sentences[0] if sentences else _WORDS.match(f"{text} ")[0] + " …"
    return None


def page_links(repository: str, source: str, edition: str, launch: str = "") -> dict[str, str]:
    """Return what can be done with the page from the file `source` of a GitHub repository "owner/name".

    Reports say which `edition` of the page they are about.
    Binder has installed the package when it opens a notebook. Colab has not: there is a link to it only if the branch
    `launch` of the repository has the notebooks as the site serves them, which install it.
    """
    place, path = f"https://github.com/{repository}", quote(source)
    colab = f"https://colab.research.google.com/github/{repository}/blob/{quote(launch)}/{path}"
    binder = f"https://mybinder.org/v2/gh/{repository}/main?labpath={quote(source, safe='')}"
    launches = ({"Open in Colab": colab} if launch else {}) | {"Open on Binder": binder}
    return (launches if source.endswith(".ipynb") else {}) | {
        "Source of this page": f"{place}/blob/main/{path}",
        # The forms and their fields are in .github/ISSUE_TEMPLATE; page.js adds the place in the page.
        "Report a mistake": f"{place}/issues/new?template=mistake.yml&versions={quote(edition)}&page={path}",
        "Report a barrier": f"{place}/issues/new?template=barrier.yml&page={path}",
    }


def _front_page(app: Sphinx) -> Iterator[tuple[str, dict, str]]:
    """Lead a visitor of the bare address to the first page."""
    if app.config.root_doc != "index":
        yield "index", {}, "front.html"


class ScrollingTables(SphinxPostTransform):
    """Put each table into a box in which it can scroll, so that a wide one does not widen the page."""

    default_priority = 900
    formats = ("html",)

    def run(self) -> None:
        """Wrap them."""
        for table in list(self.document.findall(nodes.table)):
            box = nodes.container(classes=["table-scroll"])
            table.replace_self(box)
            box += table


# A table with an Id and as many columns in all has entries rather than rows: primer.css says how they are laid out.
_ENTRY = 5
# A table with a longer text than this in a cell is read row by row: on a narrow screen each row becomes a card.
_PROSE = 32
# A row's name up to this length stays on one line. A table with no more columns than these is a list of names and of
# what is said of each, and no card repeats its head.
_SHORT, _PAIR = 20, 2


def _is_prose(table: nodes.table) -> bool:
    """Return whether a table has a head, and sentences in its cells."""
    body = next(table.findall(nodes.tbody), ())
    texts = (entry.astext() for row in body for entry in row)
    return any(table.findall(nodes.thead)) and any(len(text) > _PROSE for text in texts)


def _names(table: nodes.Element) -> list[str]:
    """Return the words of a table's head, column by column; none if it has no head."""
    return [entry.astext() for head in table.findall(nodes.thead) for entry in head[-1]]


class LabelCells(SphinxPostTransform):
    """Tell each cell of a table of prose what its column is called, so that it can stand by itself."""

    default_priority = 895
    formats = ("html",)

    def run(self) -> None:
        """Hand the words of the head down; not to the first column, which names the row."""
        for table in filter(_is_prose, self.document.findall(nodes.table)):
            table["classes"].append("prose")
            names = _names(table)
            if names[0] == "Id" and len(names) == _ENTRY:
                table["classes"].append("entries")
            for row in next(table.findall(nodes.tbody)):
                if len(row[0].astext()) <= _SHORT:
                    row[0]["classes"].append("short")
                if len(names) > _PAIR:
                    for name, entry in zip(names[1:], row[1:], strict=False):
                        entry["label"] = name


def _write_cell(self: HTML5Translator, node: nodes.entry) -> None:
    at = len(self.body)
    HTML5Translator.visit_entry(self, node)
    if node.get("label"):
        self.body[at] = self.body[at].replace("<td", f'<td data-label="{escape(node["label"])}"', 1)


def _end_cell(self: HTML5Translator, node: nodes.entry) -> None:
    HTML5Translator.depart_entry(self, node)


# What a place was called before, as one keeps it in Markdown.
_OLD_ADDRESSES = re.compile(r'(?:<a id="[^"]+">|</a>)+')


class OldAddresses(SphinxTransform):
    """Take old addresses out of paragraphs that have nothing else, so that they take no room."""

    default_priority = 890

    def apply(self, **_: Any) -> None:
        """Put them where the paragraph stood."""
        for paragraph in list(self.document.findall(nodes.paragraph)):
            marks = [part for part in paragraph if part.astext().strip()]
            is_old = all(isinstance(part, nodes.raw) for part in marks)
            if is_old and _OLD_ADDRESSES.fullmatch("".join(part.astext() for part in marks)):
                paragraph.replace_self(marks)


class RowAddresses(SphinxTransform):
    """Give each row of a table that has a column "Id" first the address that stands there."""

    default_priority = 890

    def apply(self, **_: Any) -> None:
        """Name them, and tell MyST, so that texts can link to them; of several ids the first one is the address."""
        known = self.env.metadata[self.env.docname].setdefault("myst_slugs", {})
        for table in self.document.findall(nodes.tgroup):
            if _names(table)[:1] != ["Id"]:
                continue
            for row in next(table.findall(nodes.tbody)).findall(nodes.row):
                name = row[0].astext().partition(",")[0]
                row["ids"].append(place := nodes.make_id(name))
                known[place] = (row.line, place, name)


def setup(app: Sphinx) -> None:
    """Connect to the pages."""
    # What each page asks, by its name: said where a neighbour leads to it.
    app.add_config_value("page_questions", {}, "html", dict)
    app.add_config_value("book_repository", os.environ.get("GITHUB_REPOSITORY", ""), "html")
    app.add_config_value("book_edition", edition(os.environ), "html")
    app.add_config_value("book_launch_branch", os.environ.get("LAUNCH_BRANCH", ""), "html")
    app.add_transform(OldAddresses)
    app.add_transform(RowAddresses)
    app.add_post_transform(LabelCells)
    app.add_node(nodes.entry, override=True, html=(_write_cell, _end_cell))
    app.add_post_transform(ScrollingTables)
    # After the extensions that add scripts and styles to a page.
    app.connect("html-page-context", _prepare, priority=900)
    app.connect("html-collect-pages", _front_page)
