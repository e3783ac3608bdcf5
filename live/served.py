"""What does a notebook need when it is taken away from the site? The package, which the site serves, too.

Each chapter and each problem set has a cell that does nothing where the package is there: in Open live, on Binder, in
the course's own environment. In the repository it says what to do elsewhere. In the copies that the site serves it
installs the wheel that lies beside the pages, by its hash, and so never meets what somebody else has put under the
package's name. Links of such a copy lead to the site's pages, for the files are not beside it; and the copy of a page
begins with a link to it: GitHub and others show its outputs as text.
"""

import json
import posixpath
import re
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urljoin

from sphinx.application import Sphinx

from live import wheel
from tools.handout import checksum

CELL = "install"  # the id of that cell
FOLDER = "_static/package"
_LINK = re.compile(r"\]\(([^)\s#:]+\.(?:ipynb|md))(?:#([^)\s]+))?\)")
_MISSING = """\
from importlib.util import find_spec

if find_spec("lossprimer") is None:
    raise ModuleNotFoundError(
{words}
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


def repository_cell(root: str, page: str) -> str:
    """Return the source of the cell in the repository.

    Parameters
    ----------
    root : str
        The way from the notebook's folder to that of the repository.
    page : str
        Which page offers the notebook, in words.
    """
    words = (
        f"The course's package is not installed here. In a copy of the repository `%pip install {root}` installs it."
        f" Elsewhere, take the notebook that {page} offers for download, which says where to get it."
    )
    first, *others = textwrap.wrap(words, 62, break_on_hyphens=False)
    return _MISSING.format(words="\n".join([f'        "{first}"', *(f'        " {line}"' for line in others)]))


REPOSITORY = repository_cell("..", "the chapter's page")
PROBLEM_SET = repository_cell("../../..", "the set's page")


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


def page_link(site: str, page: str) -> str:
    """Return the line that leads from a notebook to its page, as Markdown; "" where the site's address is not known."""
    link = f"[the page of this notebook]({urljoin(site, page)})"
    return f"*Where pictures and sliders are only words, as on GitHub: they are on {link}.*\n\n" if site else ""


def with_links(text: str, path: str, addresses: Mapping[str, str]) -> str:
    """Return Markdown of the file `path` whose links to other files lead to their `addresses`, where these are known.

    Of a heading JupyterLab keeps case and punctuation in its links, and a page neither.
    """

    def leading(match: re.Match) -> str:
        file, anchor = match.groups()
        address = addresses.get(posixpath.normpath(posixpath.join(posixpath.dirname(path), file)))
        slug = "#" + re.sub(r"[^\w-]", "", anchor.lower()) if anchor else ""
        return f"]({address}{slug})" if address else match[0]

    return _LINK.sub(leading, text)


def adapted(
    notebook: str, cell: str, link: str = "", path: str = "", addresses: Mapping[str, str] | None = None
) -> str:
    """Return the text of a notebook as a copy has it.

    Parameters
    ----------
    notebook : str
        The text of the notebook.
    cell : str
        The source of its cell for the package. A notebook without that cell gets none.
    link : str
        What is put in front of its first cell, if that is a text.
    path : str
        Where the notebook lies, below the source of the site.
    addresses : mapping, optional
        The pages of other files by their paths: away from them, links to files lead nowhere.
    """
    content = json.loads(notebook)
    cells = content["cells"]
    for each in cells:
        if addresses and each["cell_type"] == "markdown":
            each["source"] = with_links("".join(each["source"]), path, addresses).splitlines(keepends=True)
        if each.get("id") == CELL:
            each["source"] = cell.splitlines(keepends=True)
            if role := each["metadata"].get("nbgrader"):
                # Or the student would be told that the cell was changed.
                role["checksum"] = checksum(cell, "code", role)
    if link and cells[0]["cell_type"] == "markdown":
        cells[0]["source"] = [*link.splitlines(keepends=True), *cells[0]["source"]]
    if content == json.loads(notebook):
        return notebook
    return json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


class Copy(NamedTuple):
    """A notebook that the site gives away: the name of its page, the file, and whether the page shows all of it."""

    page: str
    file: Path
    shown: bool


def _pages(app: Sphinx) -> dict[str, str]:
    """Return the names of all pages by the paths of their files."""
    return {Path(app.env.doc2path(name, base=False)).as_posix(): name for name in app.env.found_docs}


def copies(app: Sphinx) -> dict[str, Copy]:
    """Return the notebooks that a built site gives away, by their paths below its source.

    They are those that pages are made of, and those that pages offer for download.
    """
    site, env, pages = Path(app.outdir), app.env, _pages(app)
    # Of several pages that offer one, the last is that of the notebook itself, below the others.
    found = {path: Copy(max(names), site / "_downloads" / file, False) for path, (names, file) in env.dlfiles.items()}
    found |= {path: Copy(name, site / "_sources" / path, True) for path, name in pages.items()}
    return {path: copy for path, copy in found.items() if path.endswith(".ipynb") and copy.file.is_file()}


def copy_of(app: Sphinx, path: str) -> Path:
    """Return the file to give away for one of the source: the site's copy of a notebook, if it has one."""
    copy = copies(app).get(path)
    return copy.file if copy else Path(app.srcdir, path)


def _serve(app: Sphinx, failed: Exception | None) -> None:
    if failed or app.builder.format != "html" or not (given := copies(app)):
        return
    (Path(app.outdir) / FOLDER).mkdir(parents=True, exist_ok=True)
    package, address = wheel.build(Path(app.outdir) / FOLDER), app.config.html_baseurl
    pages = {path: copy.page for path, copy in given.items()} | _pages(app)
    addresses = {path: urljoin(address, app.builder.get_target_uri(name)) for path, name in pages.items() if address}
    for path, copy in given.items():
        # From the source: what was built before may have had another wheel.
        text, page = Path(app.srcdir, path).read_text("utf-8"), app.builder.get_target_uri(copy.page)
        link = page_link(address, page) if copy.shown else ""
        cell = install_cell(address, page, package)
        copy.file.write_text(adapted(text, cell, link, path, addresses), "utf-8", newline="\n")


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to the end of the build, before JupyterLite takes its copies."""
    app.connect("build-finished", _serve, priority=550)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
