"""How long does a section take? A line below its heading says so, by its words and its questions."""

import re
from typing import Any

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

# Words that are read in a minute, and the minutes that a question takes.
WORDS, QUESTION = 200, 0.75
WORD = re.compile(r"\w[\w'’.,-]*")
# A page with fewer questions is no chapter.
_CHAPTER = 5


def estimate(words: int, questions: int) -> float:
    """Return how many minutes a text with questions takes."""
    return words / WORDS + QUESTION * questions


def minutes(words: int, questions: int) -> int:
    """Return the same as it is said: whole minutes, at least one."""
    return max(1, round(estimate(words, questions)))


class TellMinutes(SphinxPostTransform):
    """Say at the head of each section of a chapter how long it takes."""

    default_priority = 950
    formats = ("html",)

    def run(self, **_: Any) -> None:
        """Put the line below each heading."""
        if _questions(self.document) < _CHAPTER:
            return
        # A title of the second rank: its section stands in that of the page.
        for section in list(self.document.findall(nodes.section)):
            if isinstance(section.parent, nodes.section) and isinstance(section.parent.parent, nodes.document):
                count, asked = content(section)
                said = f"{minutes(count, asked)} min"
                if asked:
                    said += f", {asked} prediction{'s' if asked > 1 else ''}"
                section.insert(1, nodes.paragraph("", said, classes=["section-time"]))


def content(part: nodes.Element) -> tuple[int, int]:
    """Return how many words and questions a part of a page has."""
    return _words(part), _questions(part)


def _questions(part: nodes.Element) -> int:
    return sum(node.astext().count('<div class="prediction"') for node in part.findall(nodes.raw))


def _words(part: nodes.Element) -> int:
    texts = (node for kind in (nodes.paragraph, nodes.title) for node in part.findall(kind))
    return sum(len(WORD.findall(text.astext())) for text in texts)


def setup(app: Any) -> None:
    """Connect to the pages."""
    app.add_post_transform(TellMinutes)
