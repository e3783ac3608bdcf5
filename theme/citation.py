"""How is the book cited? By the entry in its CITATION.cff, which a page shows as text and as BibTeX.

A page has it where it says ``{citation}``; there is no second place in which authors, title, version or date stand.
"""

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from babel.dates import format_date
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

_WANTED = "authors", "title", "version", "date-released"
# What a field of BibTeX may not have as it is.
_SPECIAL = re.compile(r"[&%$#_{}]")


class Place(nodes.General, nodes.Element):
    """Where the entry goes, once the site knows its address."""


class Citation(SphinxDirective):
    """The entry of the book's own citation file."""

    def run(self) -> list[nodes.Node]:
        """Leave its place, and have the page read again when the file changes."""
        path = Path(self.env.srcdir, self.config.book_citation)
        if not self.config.book_citation or not path.is_file():
            raise self.error(f"book_citation is {self.config.book_citation!r}, expected the path of a CITATION.cff")
        self.env.note_dependency(str(path))
        return [Place(entry=read(path.read_text("utf-8")))]


def read(text: str) -> dict[str, Any]:
    """Return the entry of a citation file.

    Raises
    ------
    ValueError
        If it lacks something that a citation needs.
    """
    entry = yaml.safe_load(text)
    if missing := [name for name in _WANTED if not entry.get(name)]:
        raise ValueError(f"CITATION.cff lacks {', '.join(missing)}")
    return entry


def _people(entry: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return family and given names of the authors; a group has one name, and no given one."""
    return [
        (author["name"], "")
        if "name" in author
        else (" ".join(filter(None, (author.get("name-particle"), author["family-names"]))), author["given-names"])
        for author in entry["authors"]
    ]


def _day(entry: Mapping[str, Any]) -> date:
    return date.fromisoformat(str(entry["date-released"]))


def as_text(entry: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return what stands before the title, the title, and what stands after it."""
    people = [f"{given} {family}".strip() for family, given in _people(entry)]
    day = _day(entry)
    return (
        f"{', '.join(people)} ({day.year}). ",
        entry["title"],
        f", version {entry['version']}, {format_date(day, 'd MMMM y', 'en')}.",
    )


def as_bibtex(entry: Mapping[str, Any], address: str = "") -> str:
    """Return the entry in BibTeX, of the one kind for such works that every style knows.

    Parameters
    ----------
    entry : mapping
        From a citation file.
    address : str
        Where the work is; "" if that is not known.
    """
    people = [
        f"{_plain(family)}, {_plain(given)}" if given else f"{{{_plain(family)}}}" for family, given in _people(entry)
    ]
    day = _day(entry)
    fields = {
        "author": f"{{{' and '.join(people)}}}",
        # Its capitals stay what they are in every style.
        "title": f"{{{{{_plain(entry['title'])}}}}}",
        "year": f"{{{day.year}}}",
        "month": format_date(day, "MMM", "en").lower(),
        "note": f"{{Version {_plain(str(entry['version']))}}}",
    }
    if address:
        fields["url"] = f"{{{address}}}"
    key = "-".join([*re.findall(r"[a-z\d]+", entry["title"].lower()), str(day.year)])
    width = max(map(len, fields))
    lines = "".join(f"  {name:{width}} = {value},\n" for name, value in fields.items())
    return f"@misc{{{key},\n{lines}}}"


def _plain(text: str) -> str:
    """Return a text whose signs mean themselves in BibTeX."""
    return _SPECIAL.sub(r"\\\g<0>", text)


class WriteCitation(SphinxPostTransform):
    """Put the entry in its place, with the addresses that are known when the page is written."""

    # Before what looks at links and at code.
    default_priority = 100

    def run(self, **_: Any) -> None:
        """Write it as a quotation and as code."""
        repository = self.config.book_repository and f"https://github.com/{self.config.book_repository}"
        for place in list(self.document.findall(Place)):
            entry = place["entry"]
            site = entry.get("url") or self.config.html_baseurl
            source = entry.get("repository-code") or repository
            before, title, after = as_text(entry)
            said = nodes.paragraph("", "", nodes.Text(before), nodes.emphasis("", title), nodes.Text(after))
            for name, address in (("", site), ("Source: ", source)):
                if address:
                    said += [nodes.Text(f" {name}"), nodes.reference("", address, refuri=address), nodes.Text(".")]
            code = as_bibtex(entry, site or source)
            place.replace_self([nodes.block_quote("", said), nodes.literal_block(code, code, language="bibtex")])


def setup(app: Sphinx) -> None:
    """Connect to the pages."""
    app.add_config_value("book_citation", "", "env", str)
    app.add_node(Place)
    app.add_directive("citation", Citation)
    app.add_post_transform(WriteCitation)
