"""How the tests build a small book: in their own process, which has Sphinx imported once for all."""

import io
import os
import re
import warnings
from pathlib import Path
from unittest.mock import patch

from jinja2 import BytecodeCache
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace


class Compiled(BytecodeCache):
    """The templates that one book has compiled, for the next: with few pages, that takes longer than all the rest."""

    def __init__(self):
        self.kept = {}

    def load_bytecode(self, bucket):
        bucket.code = self.kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket):
        self.kept[bucket.key, bucket.checksum] = bucket.code


COMPILED = Compiled()
COLOUR = re.compile(r"\x1b\[\d+(;\d+)*m")


def build(source: Path, out: Path, settings: dict, *, anew: bool = False) -> str:
    """Build the pages of a folder with a configuration of their own; returns what Sphinx warns of.

    What extensions tell the kernels of that book by environment variables is forgotten afterwards: the tests that
    follow in this process start kernels, too.

    Parameters
    ----------
    source, out : Path
        Where the texts are and where the pages go; what has been read is kept beside them, in "doctrees".
    settings : dict
        The configuration, as conf.py would have it; the theme is "basic" where it names none.
    anew : bool
        Whether to write all pages, those too whose text has not changed.
    """
    with patch.dict(os.environ):
        return build_and_keep(source, out, settings, anew=anew)


def build_and_keep(source: Path, out: Path, settings: dict, *, anew: bool = False) -> str:
    """Build as `build` does, and leave the environment variables as the extensions set them."""
    said = io.StringIO()
    plain = {
        # Extensions add to it; Sphinx's own default would keep what they add for the next book.
        "source_suffix": {".rst": "restructuredtext"},
        # The theme with the fewest files, and no index, as in the course.
        "html_theme": "basic",
        "html_use_index": False,
    }
    with docutils_namespace(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Sphinx and its extensions say of each other
        book = Sphinx(source, None, out, out.parent / "doctrees", "html", plain | settings, None, said)
        book.builder.templates.environment.bytecode_cache = COMPILED
        book.builder.search = False  # as the theme does, which has one of its own
        book.build(force_all=anew)
    return COLOUR.sub("", said.getvalue())
