"""How does a book get its static explorers? A Sphinx extension switches them on and ships script and style."""

import hashlib
import os
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging

from lossprimer.explorer.shown import STATIC

_LOGGER = logging.getLogger(__name__)

# In this order: the covers of predictions are open before an explorer goes where a link leads.
SCRIPTS = ("prediction.js", "explorer.js")
STYLES = ("explorer.css", "prediction.css")
# What a script loads when it is wanted.
MODULES = ("own.js",)

# An explorer as text for Python, which only a page that starts Python needs.
_PACKED = re.compile(r'<script type="text/plain" class="explorer-packed">([^<]+)</script>')
PACKED = "_static/explorers"

_NAMED = re.compile(r'<(?:figure class="explorer"|div class="prediction") id="([^"]+)"')

# A cell that asks for a prediction, as MyST-NB writes it: its code, which tells the answer, and its question.
_ASKING = re.compile(
    r'(<div class="cell_input docutils container">(?:(?!"cell_input).)*?)'
    r'(<div class="cell_output docutils container">\s*<div class="output text_html">\s*'
    r'<div class="prediction".*?</fieldset></div>\s*</div>\s*</div>)',
    re.DOTALL,
)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx, and add the configuration value `explorer_static`.

    It is true unless the configuration says otherwise: explorers of notebooks that are executed for the book show
    their static face. Where it is false they are ipywidgets, which need a kernel.
    """
    app.add_config_value("explorer_static", True, "env", bool)
    app.connect("config-inited", _prepare)
    app.connect("html-page-context", _tell_apart)
    app.connect("html-page-context", _leave_code_out)
    app.connect("html-page-context", _put_aside)
    for script in SCRIPTS:
        app.add_js_file(script, loading_method="defer")
    for style in STYLES:
        app.add_css_file(style)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _prepare(app: Sphinx, config: Config) -> None:
    """Tell the kernels which face to show, and have Sphinx copy script and style sheet with the site's own files."""
    if config.explorer_static:
        os.environ[STATIC] = "1"
    else:
        os.environ.pop(STATIC, None)
    config.html_static_path += [str(files(__package__) / name) for name in (*SCRIPTS, *STYLES, *MODULES)]


def _tell_apart(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Warn of an explorer or a prediction whose name another element of the page has: links would miss one of them."""
    body = context.get("body", "")
    for name in dict.fromkeys(_NAMED.findall(body)):
        if (count := body.count(f' id="{name}"')) > 1:
            _LOGGER.warning(
                "%r is the id of %d elements of the page, expected one: an explorer has it from its title, a "
                "prediction from its question",
                name,
                count,
                location=pagename,
                type="explorer",
                subtype="name",
            )


def _leave_code_out(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Leave the code of each prediction to the notebook: it would tell the answer, and the rest the page says."""
    context["body"] = _ASKING.sub(r"\2", context.get("body", ""))


def _put_aside(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Put what only Python needs into files of its own: a page that does not start it does without them."""

    def aside(match: re.Match) -> str:
        name = f"{PACKED}/{hashlib.sha256(match[1].encode()).hexdigest()[:16]}.txt"
        path = Path(app.outdir) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(match[1], "ascii")
        return f'<script type="text/plain" class="explorer-packed" data-src="{context["pathto"](name, 1)}"></script>'

    context["body"], count = _PACKED.subn(aside, context.get("body", ""))
    if count:
        # For an extension that brings Python into the pages.
        context["uses_python"] = True
