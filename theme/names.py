"""Where does the name of a function lead? From a page's code to what the package's page says of it."""

import re
from collections.abc import Mapping
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

_CODE = re.compile(r"(<pre>)(.*?)(</pre>)", re.DOTALL)
_TAG = re.compile(r"(<[^>]*>)")
_CALL = re.compile(r"(?<![\w.])(\w+)(?=\()")


def linked(code: str, places: Mapping[str, str]) -> str:
    """Return highlighted code in which the first call of each function leads to its place.

    Parameters
    ----------
    code : str
        HTML of a code cell: text and tags. What is in a tag is a keyword, a string, a comment or a definition.
    places : mapping of str to str
        Addresses by the names of functions.
    """
    left = dict(places)

    def link(call: re.Match) -> str:
        place = left.pop(call[1], None)
        return f'<a class="name" href="{place}">{call[1]}</a>' if place else call[1]

    depth, parts = 0, _TAG.split(code)
    for number, part in enumerate(parts):
        if part.startswith("<"):
            depth += -1 if part.startswith("</") else 1
        elif depth == 0:
            parts[number] = _CALL.sub(link, part)
    return "".join(parts)


def _link_names(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Link the code of a notebook to the page of the package."""
    if doctree is None or "body" not in context or not pagename.startswith("notebooks/"):
        return
    objects = app.env.domaindata["py"]["objects"]
    places = {}
    # Of two with a name, such as softmax and the check of an answer to it, that of the shorter path stays.
    for name in sorted(objects, key=len, reverse=True):
        if objects[name].objtype in ("function", "class"):
            page = app.builder.get_relative_uri(pagename, objects[name].docname)
            places[name.rpartition(".")[2]] = f"{page}#{objects[name].node_id}"
    context["body"] = _CODE.sub(lambda cell: cell[1] + linked(cell[2], places) + cell[3], context["body"])


def setup(app: Sphinx) -> None:
    """Connect to the pages."""
    # After the names and brackets of highlighted code have lost their tags.
    app.connect("html-page-context", _link_names, priority=950)
