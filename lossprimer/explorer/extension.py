"""How does the book get its static explorers? A Sphinx extension switches them on and ships script and style."""

import os
from importlib.resources import files
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

from lossprimer.explorer.explorer import STATIC

SCRIPT, STYLE = "explorer.js", "explorer.css"


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx: notebooks executed from here on show the static face of their explorers."""
    os.environ[STATIC] = "1"
    app.connect("config-inited", _ship_assets)
    app.add_js_file(SCRIPT, loading_method="defer")
    app.add_css_file(STYLE)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _ship_assets(app: Sphinx, config: Config) -> None:
    """Have Sphinx copy the script and the style sheet with the site's own static files."""
    config.html_static_path += [str(files("lossprimer.explorer") / name) for name in (SCRIPT, STYLE)]
