"""How does the book become a site? With a Sphinx theme of its own: light pages that need no other host."""

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

from theme import (
    address,
    aside,
    callouts,
    citation,
    code,
    course,
    docstrings,
    fonts,
    mathml,
    names,
    pace,
    pages,
    policy,
    references,
    search,
    slim,
    terms,
)

# What makes the site, in the order in which it connects to Sphinx.
PARTS = [
    mathml,
    fonts,
    callouts,
    citation,
    code,
    pace,
    aside,
    pages,
    policy,
    address,
    course,
    docstrings,
    terms,
    names,
    references,
    search,
    slim,
]

_HERE = Path(__file__).parent


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.add_html_theme("primer", str(_HERE / "templates"))
    app.add_js_file("page.js")
    app.connect("config-inited", _ship_assets)
    for part in PARTS:
        part.setup(app)
    # Jupyter Book sets this value even where the extension that reads it is not loaded.
    app.add_config_value("comments_config", {}, "html")
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _ship_assets(app: Sphinx, config: Config) -> None:
    """Have Sphinx copy scripts, style sheet and icon into the site."""
    config.html_static_path += [str(_HERE / "assets")]
