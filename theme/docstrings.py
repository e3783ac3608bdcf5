"""How do docstrings share a page? Each numbers its references from 1, so on one page the marks would repeat.

And a check, an object that is called like a function, is documented as one.
"""

import re
from typing import Any

from sphinx.application import Sphinx
from sphinx.ext.autodoc import FunctionDocumenter

from lossprimer.checks.task import Task


def without_footnotes(lines: list[str]) -> list[str]:
    """Return a docstring whose references are a list, and whose marks are plain numbers in brackets."""
    text = re.sub(r"\[(\d+)\]_", r"[\1]", "\n".join(lines))
    # One line each: the text of a footnote goes on in another column than that of a list's item.
    return re.sub(r"(?m)^\.\. \[(\d+)\] (.*(?:\n +\S.*)*)", _item, text).split("\n")


def _item(footnote: re.Match) -> str:
    return f"{footnote[1]}. " + re.sub(r"\n +", " ", footnote[2])


def _list_references(app: Sphinx, what: str, name: str, subject: Any, options: Any, lines: list[str]) -> None:
    lines[:] = without_footnotes(lines)


class CheckDocumenter(FunctionDocumenter):
    """What ``automodule`` writes of a check: name, arguments and docstring, as of a function."""

    objtype = "check"
    directivetype = "function"
    priority = FunctionDocumenter.priority + 10

    @classmethod
    def can_document_member(cls, member: Any, *_: Any) -> bool:
        """Whether `member` is a check."""
        return isinstance(member, Task)


def setup(app: Sphinx) -> None:
    """Connect to autodoc, where that is loaded, before napoleon does."""
    if "sphinx.ext.autodoc" in app.extensions:
        app.add_autodocumenter(CheckDocumenter)
        app.connect("autodoc-process-docstring", _list_references, priority=400)
