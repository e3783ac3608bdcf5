"""How long does a section take? A line below its heading says so, by its words, its open code and its questions."""

import re
from collections import Counter
from typing import Any

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

from theme.disclosure import disclosure

# Words and lines of code that are read in a minute, and the minutes that a question takes.
WORDS, LINES, QUESTION = 200, 15, 0.75
WORD = re.compile(r"\w[\w'’.,-]*")
# A page with fewer questions is no chapter.
_CHAPTER = 5


def estimate(words: int, lines: int, questions: int) -> float:
    """Return how many minutes a text with code and questions takes."""
    return words / WORDS + lines / LINES + QUESTION * questions


def minutes(words: int, lines: int, questions: int) -> int:
    """Return the same as it is said: whole minutes, at least one."""
    return max(1, round(estimate(words, lines, questions)))


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
            above = section.parent
            if (
                isinstance(above, nodes.section)
                and isinstance(above.parent, nodes.document)
                and not section.get("aside")
            ):
                section.insert(1, nodes.paragraph("", _said(section), classes=["section-time"]))


def _said(section: nodes.section) -> str:
    """Say what a section takes without the parts that may be skipped (theme/aside.py): they say it themselves."""
    found = content(section)
    for part in section.findall(nodes.section):
        if part.get("aside"):
            found.subtract(content(part))
    asked = found["questions"]
    predictions = f", {asked} prediction{'s' if asked > 1 else ''}" if asked else ""
    return f"{minutes(**found)} min{predictions}"


def content(part: nodes.Element) -> Counter[str]:
    """Count the words, the lines of code and the questions of a part of a page as it is opened."""
    return Counter(words=_words(part), lines=_lines(part), questions=_questions(part))


def _questions(part: nodes.Element) -> int:
    return sum(node.astext().count('<div class="prediction"') for node in part.findall(nodes.raw))


def _words(part: nodes.Element) -> int:
    texts = (node for kind in (nodes.paragraph, nodes.title) for node in part.findall(kind))
    return sum(len(WORD.findall(text.astext())) for text in texts)


def _lines(part: nodes.Element) -> int:
    cells = (node for node in part.findall(nodes.container) if node.get("nb_element") == "cell_code_source")
    return sum(len(cell.astext().splitlines()) for cell in cells if _open(cell))


def _open(cell: nodes.container) -> bool:
    """Return whether a cell's code is seen as the page is opened: of a question it is left out, and more is folded."""
    return not (cell.astext().startswith("predict(") or isinstance(cell.parent, disclosure))


def setup(app: Any) -> None:
    """Connect to the pages."""
    app.add_post_transform(TellMinutes)
