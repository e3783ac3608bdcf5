"""Which paragraphs speak of something else than the rest? A quotation that opens with one of a few words in bold.

Such as ``> **Popular account.** "A claim."``, followed by ``> **Verdict: wrong.** What was measured.``, in the same
quotation or, after the measurement, in one of its own.
"""

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

# What a quotation opens with, and the class that the style sheet knows it by.
KINDS = {
    "popular account": "account",
    "verdict: ": "account",
    "in a transformer": "transformer",
    "caution": "caution",
}
_VERDICT = re.compile(r"Verdict: (wrong|half true|disputed|needs a condition|true)\b")


def kind(opening: str) -> str | None:
    """Return the class of a quotation with these first words in bold; None for any other."""
    said = opening.lower()
    return next((name for words, name in KINDS.items() if said.startswith(words)), None)


def verdict(words: str) -> str | None:
    """Return the class of a verdict, such as "half-true"; None for other words in bold."""
    found = _VERDICT.match(words)
    # "True with a condition" is the same as "needs a condition".
    return found and found[1].replace("needs a condition", "true").replace(" ", "-")


def _first_bold(paragraph: nodes.Node) -> nodes.strong | None:
    """Return what a paragraph begins with, if that is bold."""
    # MyST opens a paragraph that begins in bold with an empty text.
    parts = (part for part in paragraph.children if part.astext()) if isinstance(paragraph, nodes.paragraph) else ()
    first = next(iter(parts), None)
    return first if isinstance(first, nodes.strong) else None


class NameCallouts(SphinxPostTransform):
    """Give each quotation of a kind its class, and a verdict in it its own."""

    default_priority = 880
    formats = ("html",)

    def run(self) -> None:
        """Look at the paragraphs that open with bold words."""
        for quotation in self.document.findall(nodes.block_quote):
            opening = _first_bold(quotation[0]) if quotation.children else None
            found = opening and kind(opening.astext())
            if not found:
                continue
            quotation["classes"].append(found)
            for paragraph in quotation.children:
                bold = _first_bold(paragraph)
                if bold and (name := verdict(bold.astext())):
                    bold["classes"] += ["verdict", name]


def setup(app: Sphinx) -> None:
    """Connect to the pages."""
    app.add_post_transform(NameCallouts)
