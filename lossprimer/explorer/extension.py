"""How does a book get its static explorers? A Sphinx extension switches them on and ships script and style."""

import os
from importlib.resources import files
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

from lossprimer.explorer.explorer import STATIC

SCRIPT, STYLE = "explorer.js", "explorer.css"


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx, and add the configuration value `explorer_static`.

    It is true unless the configuration says otherwise: explorers of notebooks that are executed for the book show
    their static face. Where it is false they are ipywidgets, which need a kernel.
    """
    app.add_config_value("explorer_static", True, "env", bool)
    app.connect("config-inited", _prepare)
    app.add_js_file(SCRIPT, loading_method="defer")
    app.add_css_file(STYLE)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _prepare(app: Sphinx, config: Config) -> None:
    """Tell the kernels which face to show, and have Sphinx copy script and style sheet with the site's own files."""
    if config.explorer_static:
        os.environ[STATIC] = "1"
    else:
        os.environ.pop(STATIC, None)
    config.html_static_path += [str(files(__package__) / name) for name in (SCRIPT, STYLE)]
