"""Which cells of a page are laboratories? Those with the tag, whose code a reader can change and run."""

import ast
import json
import re
from typing import Any

import nbformat
from sphinx.application import Sphinx

from live.runtime import first_size

TAG = "laboratory"
_CELL = re.compile(rf'<div class="cell[^"]*\btag_{TAG}\b[^"]*"')


def setup(app: Sphinx) -> None:
    """Connect to the pages."""
    app.connect("html-page-context", _prepare)


def _prepare(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Mark the laboratories of a page, load what serves them, and say what they may use: what its cells import."""
    if doctree is None or not _CELL.search(context.get("body", "")):
        return
    cells = nbformat.read(app.env.doc2path(pagename), as_version=4).cells
    names = iter(cell.id for cell in cells if TAG in cell.metadata.get("tags", []))
    body = _CELL.sub(lambda cell: f'{cell[0]} data-laboratory="{next(names)}"', context["body"])
    about = json.dumps(
        {"setup": imports([cell.source for cell in cells if cell.cell_type == "code"]), "size": first_size()}
    )
    context["body"] = f'{body}<script type="application/json" class="laboratory-setup">{about}</script>'
    context["uses_python"] = True
    app.add_js_file("live/laboratory.js", loading_method="defer")
    app.add_css_file("live/laboratory.css")


def imports(sources: list[str]) -> str:
    """Return the import statements at the left margin of cells; a cell that is not Python alone has none."""
    found = {}
    for source in sources:
        try:
            statements = ast.parse(source).body
        except SyntaxError:
            continue
        found |= {ast.unparse(node): None for node in statements if isinstance(node, ast.Import | ast.ImportFrom)}
    return "\n".join(found)
