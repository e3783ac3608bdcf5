"""How does Python run in a reader's page? Pyodide lies beside the site, and starts when a reader asks for it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from live import bundle, files, laboratories, runtime
from lossprimer.explorer.own_html import PYTHON

# What a page's policy allows beside the rest if the page has a place for Python.
WORKERS = "; worker-src 'self'"


def wanted() -> bool:
    """Return whether the site is built with Python in its pages: unless LIVE is 0."""
    return os.environ.get("LIVE", "1") != "0"


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx, unless Python is to be left out."""
    os.environ.pop(PYTHON, None)
    if wanted():
        # The kernels that execute the notebooks inherit it: explorers take a reader's own numbers then.
        os.environ[PYTHON] = "./live/python.js"
        app.connect("builder-inited", _fetch)
        app.connect("html-page-context", _allow, priority=850)
        app.connect("html-page-context", _add_box, priority=850)
        app.connect("build-finished", _ship)
        for part in (laboratories,):
            part.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _fetch(app: Sphinx) -> None:
    """Have the files before the long part of the build begins."""
    if app.builder.format == "html":
        with stopping(files.FilesMissing):
            files.had()
            bundle.bundle(files.cache())


@contextmanager
def stopping(*errors: type[Exception]) -> Iterator[None]:
    """Let an error stop the build with its sentence, and without a traceback."""
    try:
        yield
    except errors as error:
        raise ExtensionError(str(error)) from None


def _allow(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Let a page that has a place for Python start a worker from the site's own files."""
    if context.get("uses_python") and "policy" in context:
        context["policy"] += WORKERS


def _add_box(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Give such a page its text boxes, before the scripts that use them."""
    if context.get("uses_python"):
        app.add_js_file("live/box.js", priority=400, loading_method="defer")


def _ship(app: Sphinx, failed: Exception | None) -> None:
    if failed is None and app.builder.format == "html":
        runtime.ship(Path(app.outdir) / "_static" / "live")
