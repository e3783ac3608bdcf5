"""What may a page load? Only files of its own site: each page carries the policy that says so."""

import base64
import hashlib
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

# The one inline script: a page must not flash in the wrong colours.
EARLY_SCRIPT = (Path(__file__).parent / "templates" / "early.js").read_text("utf-8").strip()


def source_of(script: str) -> str:
    """Return the expression that allows the inline script `script`, and no other, in a policy."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


# What is not named here is forbidden, as are inline styles: pictures and formulas have attributes and classes instead.
# An explorer fetches what draws a reader's own numbers.
POLICY = "; ".join(
    [
        "default-src 'none'",
        f"script-src 'self' {source_of(EARLY_SCRIPT)}",
        "style-src 'self'",
        "font-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
    ]
)


def _hand_over(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    context |= {"policy": POLICY, "early_script": EARLY_SCRIPT}


def setup(app: Sphinx) -> None:
    """Connect to the pages."""
    app.connect("html-page-context", _hand_over)
