"""What does a notebook need when it is taken away from the site? The package, which the site serves, too.

Each chapter has a cell that does nothing where the package is there: in Open live, on Binder, in the course's own
environment. In the repository it says what to do elsewhere. In the copies that the site serves it installs the wheel
that lies beside the pages, by its hash, and so never meets what somebody else has put under the package's name.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from sphinx.application import Sphinx

from live import wheel

CELL = "install"  # the id of that cell
FOLDER = "_static/package"
REPOSITORY = """\
from importlib.util import find_spec

if find_spec("lossprimer") is None:
    raise ModuleNotFoundError(
        "The course's package is not installed here. In a copy of the"
        " repository `%pip install ..` installs it. Elsewhere, take the"
        " notebook that the chapter's page offers for download, which"
        " says where to get it."
    )"""
# A site that does not know its address can only name the file.
_NAMED = """\
from importlib.util import find_spec

if find_spec("lossprimer") is None:
    raise ModuleNotFoundError(
        "The course's package is not installed here. The site that this notebook is"
        " from has it: run `%pip install ADDRESS/{path}`"
        " with the site's address in place of ADDRESS."
    )"""
_INSTALLED = """\
from importlib.util import find_spec

if find_spec("lossprimer") is None:
    %pip install --quiet "lossprimer @ {address}#sha256={digest}"
    if find_spec("lossprimer") is None:
        raise ModuleNotFoundError(
            "The course's package could not be installed. If it has changed since,"
            " download this notebook again: {page}"
        )"""


def install_cell(site: str, page: str, package: Mapping[str, Any]) -> str:
    """Return the source of the cell in a copy that the site serves.

    Parameters
    ----------
    site : str
        The address of the site, or "" where it is not known.
    page : str
        The path of the notebook's page on the site.
    package : mapping
        The entry of the wheel, as `live.wheel.build` returns it.
    """
    path = f"{FOLDER}/{package['file_name']}"
    if not site:
        return _NAMED.format(path=path)
    return _INSTALLED.format(address=urljoin(site, path), digest=package["sha256"], page=urljoin(site, page))


def with_cell(notebook: str, source: str) -> str:
    """Return the text of a notebook with `source` in its cell for the package; one without that cell stays as it is."""
    content = json.loads(notebook)
    cells = [cell for cell in content["cells"] if cell.get("id") == CELL]
    for cell in cells:
        cell["source"] = source.splitlines(keepends=True)
    return json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n" if cells else notebook


def copy_of(site: Path, source: Path, path: str) -> Path:
    """Return the file of a page's source to give away: the copy that the built `site` serves, if it has one."""
    served = site / "_sources" / path
    return served if path.endswith(".ipynb") and served.is_file() else source / path


def _serve(app: Sphinx, failed: Exception | None) -> None:
    if failed or app.builder.format != "html":
        return
    site = Path(app.outdir)
    copies = {name: site / "_sources" / app.env.doc2path(name, base=False) for name in app.env.found_docs}
    notebooks = {name: path for name, path in copies.items() if path.suffix == ".ipynb" and path.is_file()}
    if not notebooks:
        return
    (site / FOLDER).mkdir(parents=True, exist_ok=True)
    package = wheel.build(site / FOLDER)
    for name, path in notebooks.items():
        # From the source: what was built before may have had another wheel.
        text = Path(app.env.doc2path(name)).read_text("utf-8")
        source = install_cell(app.config.html_baseurl, app.builder.get_target_uri(name), package)
        path.write_text(with_cell(text, source), "utf-8", newline="\n")


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to the end of the build, before JupyterLite takes its copies."""
    app.connect("build-finished", _serve, priority=550)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
