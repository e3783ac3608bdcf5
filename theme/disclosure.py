"""What is folded behind a line: two nodes, which become the browser's own `<details>` and `<summary>`."""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator


class disclosure(nodes.General, nodes.Element):  # noqa: N801
    """Something folded: a `summary`, and what it opens."""


class summary(nodes.TextElement):  # noqa: N801
    """What is seen of it while it is folded."""


def _open_details(translator: HTML5Translator, node: disclosure) -> None:
    translator.body.append(translator.starttag(node, "details"))


def _close_details(translator: HTML5Translator, node: disclosure) -> None:
    translator.body.append("</details>\n")


def _open_summary(translator: HTML5Translator, node: summary) -> None:
    translator.body.append(translator.starttag(node, "summary", ""))


def _close_summary(translator: HTML5Translator, node: summary) -> None:
    translator.body.append("</summary>\n")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the nodes."""
    app.add_node(disclosure, html=(_open_details, _close_details))
    app.add_node(summary, html=(_open_summary, _close_summary))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
