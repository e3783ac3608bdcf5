"""Which sections may be skipped? Those that a book lists are folded to their heading, with the minutes that they take.

Whoever follows a link to one, prints the page or has no scripts finds it open.
"""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

from theme import pace

_LINK = re.compile(r'<a class="headerlink".*?</a>')
_BEGINS = '<details class="aside"><summary>'
_log = logging.getLogger(__name__)


class Mark(nodes.General, nodes.Element):
    """A place within a section: "before" its title, "after" it, or at the "end" of what the title opens."""


class FoldSections(SphinxPostTransform):
    """Fold the sections that the configuration lists for this page, by their ids."""

    # Before pace tells the minutes of what is not folded.
    default_priority = 940
    formats = ("html",)

    def run(self, **_: Any) -> None:
        """Mark where each begins, where its title ends, and where it ends."""
        name = self.env.docname
        sections = {name: section for section in self.document.findall(nodes.section) for name in section["ids"]}
        for address in self.config.asides:
            page, _, place = address.partition("#")
            if page != name:
                continue
            if place not in sections:
                _log.warning("a section that may be skipped is not on the page: %s", address, location=self.document)
                continue
            section = sections[place]
            section["aside"] = True
            said = f"{pace.minutes(**pace.content(section))} min, may be skipped"
            section.insert(1, Mark(at="after", said=said))
            section.insert(0, Mark(at="before"))
            section.append(Mark(at="end"))


def _write(self: HTML5Translator, node: Mark) -> None:
    if node["at"] == "before":
        self.body.append(_BEGINS)
    elif node["at"] == "after":
        # What opens something holds no link.
        begins = len(self.body) - self.body[::-1].index(_BEGINS)
        heading = _LINK.sub("", "".join(self.body[begins:])).strip()
        self.body[begins:] = [heading, f" <span>{node['said']}</span></summary>\n"]
    else:
        self.body.append("</details>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Connect to the pages."""
    # Addresses of sections, such as "notebooks/01_softmax#why-this-function-and-not-another".
    app.add_config_value("asides", [], "html", list)
    app.add_node(Mark, html=(_write, None))
    app.add_post_transform(FoldSections)
