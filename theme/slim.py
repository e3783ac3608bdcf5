"""What do style sheets and scripts weigh without what only people read? Comments and indentation stay in the source."""

from pathlib import Path

from rcssmin import cssmin
from rjsmin import jsmin
from sphinx.application import Sphinx

from theme import search

_SLIM = {".css": cssmin, ".js": jsmin}
# Comes as it is from its authors, with their licence; and data, which have no comments.
_AS_IT_IS = {"minisearch.js", search.NAME}


def slim(folder: Path) -> None:
    """Take comments and indentation out of the style sheets and the scripts of a folder, not of those below it."""
    for path in folder.glob("*"):
        if path.suffix in _SLIM and path.name not in _AS_IT_IS:
            path.write_text(_SLIM[path.suffix](path.read_text("utf-8")), "utf-8")


def _slim_site(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    for folder in (static, static / "live"):
        slim(folder)


def setup(app: Sphinx) -> None:
    """Connect to the end of the build, when all files are there."""
    app.connect("build-finished", _slim_site, priority=900)
