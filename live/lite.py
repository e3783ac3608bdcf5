"""How does a reader run a whole notebook with nothing installed? In JupyterLite, from this site and no other host.

The folder ``live/`` of the site has JupyterLite's application for one notebook, the chapters and the problem sets. Its
kernel runs in the Pyodide of the pages, which is there once: a lock file of its own says where each package lies.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatch
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jupyter_core.paths import jupyter_path
from packaging.utils import canonicalize_name, parse_wheel_filename
from sphinx.application import Sphinx

from live import files, served, stopping, wanted
from live.runtime import LOCK, megabytes, transferred
from theme.policy import source_of

FOLDER = "live"
LISTED = Path(__file__).with_name("lite.toml")
_RUNTIME = "_static/live/pyodide"
_UP = "../../../"  # from the folder of the runtime to the root of the site
_KERNEL = "kernel"
_EXTENSION = "@jupyterlite/pyodide-kernel-extension"
# What the kernel has before it answers. It asks for all of this in any case, but searches for it one after the other.
_AT_ONCE = [
    "micropip",
    "piplite",
    "ipykernel",
    "comm",
    "pyodide_kernel",
    "ipython",
    "ssl",
    "sqlite3",
    "jedi",
    "lossprimer",
]
# It insists on these, 4 MB, and needs none: it opens no connection, and IPython completes names by itself. The empty
# package that the kernel brings along in place of ipykernel stands in for them, too.
_STAND_INS = ("ssl", "jedi")
# What the course's wheel needs, beside what the kernel has.
_NEEDS = ["numpy", "matplotlib", "ipywidgets", "tqdm"]
# What a browser fetches of the application itself, compressed; tests/test_lite_in_browser.py measures it.
_APPLICATION = 2_100_000
# JupyterLab compiles the schemas of its settings, and styles what it draws.
_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-eval' {inline}; worker-src 'self'; connect-src 'self'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
# A student hands in what was downloaded; what needs another of JupyterLite's applications is left out.
_MENUS = [
    {
        "id": "jp-mainmenu-file",
        "items": [
            {"command": "docmanager:download", "rank": 3.5},
            *({"command": name, "disabled": True} for name in ("notebook:open-tree-tab", "filemenu:create-console")),
        ],
    },
    {
        "id": "jp-mainmenu-view",
        "items": [{"command": f"application:open-{name}", "disabled": True} for name in ("lab", "tree")],
    },
]
# JupyterLab takes the arrow keys of a focused slider or radio button, to go to another cell.
_ARROWS = {
    "Up": "notebook:move-cursor-up",
    "Down": "notebook:move-cursor-down",
    "Left": "notebook:move-cursor-heading-above-or-collapse",
    "Right": "notebook:move-cursor-heading-below-or-expand",
}
_FOCUSED = ".jp-Notebook.jp-mod-commandMode:not(.jp-mod-readWrite) :focus"
# Where JupyterLite's other applications would be: it opens the links of a notebook there. A notebook is live as well, a
# page is read in the book, and everything else begins at its front.
_ELSEWHERE_SCRIPT = """
const path = new URLSearchParams(location.search).get("path") ?? "";
const page = path.endsWith(".md") ? path.replace(/md$/, "html") : "index.html";
const live = path.endsWith(".ipynb");
location.replace((live ? `../notebooks/index.html?path=${encodeURIComponent(path)}` : `../../${page}`) + location.hash);
"""
# A download would be named by the whole path. A set is handed in under the name of its file.
_NAME_SCRIPT = """
addEventListener("click", ({ target }) => {
  if (target.download?.includes("/")) target.download = target.download.split("/").at(-1);
}, true);
"""
_ELSEWHERE = f"""<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src {source_of(_ELSEWHERE_SCRIPT)}">
<title>To the book</title>
<script>{_ELSEWHERE_SCRIPT}</script>
<a href="../../index.html">To the book</a>
</html>
"""


class LiteError(Exception):
    """JupyterLite could not be built; the message says why."""


def address(path: str) -> str:
    """Return where, below the root of the site, the notebook `path` is opened."""
    return f"{FOLDER}/notebooks/index.html?path={quote(path)}"


def lock(shared: Mapping[str, Any], own: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the kernel's lock file: what the `shared` one has, and the kernel's `own` packages."""
    packages = {name: dict(package) for name, package in shared["packages"].items()}
    packages |= {package["name"]: dict(package) for package in own}
    packages |= {name: packages["ipykernel"] | {"name": name, "imports": []} for name in _STAND_INS}
    packages["lossprimer"]["depends"] = _NEEDS
    return {**shared, "packages": packages}


def _entry(path: Path, address: str) -> dict[str, Any]:
    """Return what a lock file says of the wheel `path`, of pure Python that depends on nothing."""
    name, version, *_ = parse_wheel_filename(path.name)
    digest = sha256(path.read_bytes()).hexdigest()
    return files.locked(name, str(version), address, digest, depends=[], imports=[name.replace("-", "_")])


def build(site: Path, contents: Mapping[str, Path]) -> Path:
    """Write JupyterLite with the files `contents`, by their paths in it, into `site`; return its folder.

    Raises
    ------
    LiteError
        If JupyterLite's own builder fails.
    FilesMissing
        If a file cannot be had.

    Notes
    -----
    The site already has the runtime, with its lock file.
    """
    listed, _, kept = files.had(LISTED)
    target = site / FOLDER
    shutil.rmtree(target, ignore_errors=True)
    kernel = next(filter(Path.is_dir, (Path(folder, _EXTENSION) for folder in jupyter_path("labextensions"))))
    widgets = next(kept / file.name for file in listed if file.name.startswith("jupyterlab_widgets"))
    with tempfile.TemporaryDirectory() as scratch:
        _assemble(Path(scratch), contents, target, [kernel, widgets])
    (target / _KERNEL).mkdir()
    own = [_entry(path, f"{_UP}{path.relative_to(site).as_posix()}") for path in _brought_along(target)]
    for file in listed:
        if file.name != widgets.name:
            shutil.copy(kept / file.name, target / _KERNEL)
        if file.package:
            own.append(file.package | {"file_name": f"{_UP}{FOLDER}/{_KERNEL}/{file.name}"})
    shared = json.loads((site / _RUNTIME / LOCK).read_text("utf-8"))
    (target / _KERNEL / LOCK).write_text(json.dumps(lock(shared, own)), "utf-8")
    _finish(target)
    return target


def _brought_along(target: Path) -> list[Path]:
    """Return the wheels that the kernel's extension has, except for stand-ins of packages that come with ipywidgets."""
    wheels = sorted((target / "extensions" / _EXTENSION / "static" / "pypi").glob("*.whl"))
    return [wheel for wheel in wheels if not wheel.name.startswith("widgetsnbextension")]


def _assemble(scratch: Path, contents: Mapping[str, Path], target: Path, extensions: list[Path]) -> None:
    """Have JupyterLite's builder write the application, with the files that it shows."""
    for path, source in contents.items():
        place = scratch / "files" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, place)
    settings = {
        "apps": ["notebooks"],
        "contents": [str(scratch / "files")],
        "federated_extensions": [str(extension) for extension in extensions],
        "ignore_sys_prefix": ["federated_extensions"],
        "no_sourcemaps": True,
        "no_unused_shared_packages": True,
        "output_dir": str(target),
    }
    (scratch / "jupyter_lite_config.json").write_text(json.dumps({"LiteBuildConfig": settings}), "utf-8")
    kernel = {
        "pyodideUrl": f"./{_KERNEL}/pyodide.js",
        "disablePyPIFallback": True,
        "loadPyodideOptions": {
            "indexURL": f"../{_RUNTIME}/",
            "lockFileURL": f"{_KERNEL}/{LOCK}",
            "packages": _AT_ONCE,
        },
    }
    page = {
        "appUrl": "./notebooks",
        # Scripts that drive the page, as the tests do, find JupyterLab's commands and documents.
        "exposeAppInBrowser": True,
        # It would hand the reader's files to the kernel, which then looks among them, slowly, for each module.
        "disabledExtensions": ["@jupyterlite/application-extension:service-worker-manager"],
        "litePluginSettings": {f"{_EXTENSION}:kernel": kernel},
        "settingsOverrides": {
            "@jupyterlab/apputils-extension:themes": {"adaptive-theme": True},
            "@jupyterlab/mainmenu-extension:plugin": {"menus": _MENUS},
            "@jupyterlab/shortcuts-extension:shortcuts": {"shortcuts": list(_shortcuts())},
        },
    }
    (scratch / "jupyter-lite.json").write_text(
        json.dumps({"jupyter-lite-schema-version": 0, "jupyter-config-data": page}), "utf-8"
    )
    command = [sys.executable, "-m", "jupyterlite_core", "build"]
    outcome = subprocess.run(command, cwd=scratch, capture_output=True, text=True, check=False)
    if outcome.returncode:
        raise LiteError(f"JupyterLite could not be built: {(outcome.stderr or outcome.stdout)[-2000:]}")


def _shortcuts() -> Iterator[dict[str, Any]]:
    """Yield the settings that leave the arrow keys to the controls of an explorer."""
    for key, command in _ARROWS.items():
        shortcut = {"command": command, "keys": [f"Arrow{key}"], "selector": _FOCUSED}
        yield shortcut | {"disabled": True}
        yield shortcut | {"selector": f"{_FOCUSED}:not(.jupyter-widgets *)"}


def _finish(target: Path) -> None:
    """Bind the page to its own site, lead to the book where other applications would be, and leave out old fonts."""
    page = target / "notebooks" / "index.html"
    text = page.read_text("utf-8").replace("</head>", f"<script>{_NAME_SCRIPT}</script>\n</head>", 1)
    inline = " ".join(source_of(script) for script in re.findall(r"<script>(.*?)</script>", text, re.DOTALL))
    policy = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY.format(inline=inline)}" />'
    # Without an icon a browser would look for one at the root of the host.
    head = f'<head>\n    {policy}\n    <link rel="icon" href="favicon.ico" />'
    page.write_text(text.replace("<head>", head, 1), "utf-8")
    for application in ("consoles", "edit", "lab", "tree"):
        (target / application).mkdir(exist_ok=True)
        (target / application / "index.html").write_text(_ELSEWHERE, "utf-8")
    for ending in ("eot", "svg", "ttf"):
        for font in (target / "build").glob(f"fa-*.{ending}"):
            font.unlink()


@cache
def size() -> str:
    """Return how much a browser fetches before a notebook runs, as it is said on a page."""
    weights, packages = {}, {}
    for listed, _, kept in (files.had(), files.had(LISTED)):
        weights |= {file.name: transferred(kept / file.name) for file in listed}
        packages |= {canonicalize_name(file.package["name"]): file.package for file in listed if file.package}
    fetched = {name for name in weights if name.startswith("pyodide.") and name != "pyodide.mjs"} | {
        "python_stdlib.zip"
    }
    waiting = ["micropip", "ipython", *_NEEDS]
    while waiting:
        package = packages[waiting.pop()]
        if package["file_name"] not in fetched:
            fetched.add(package["file_name"])
            waiting += package["depends"]
    total = _APPLICATION + sum(weights[name] for name in fetched)
    return f"about {megabytes(total)}"


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx, after the extension `live`, unless Python is to be left out."""
    # Notebooks beside those that are pages: the page that tells of each, and its file, with the same * in both.
    app.add_config_value("live_notebooks", {}, "html", dict)
    if wanted():
        app.connect("builder-inited", _fetch)
        app.connect("html-page-context", _hand_over)
        app.connect("build-finished", _ship, priority=600)  # when the runtime is there
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def notebook_of(page: str, source: str, others: Mapping[str, str]) -> str | None:
    """Return the notebook that `page`, made from the file `source`, is or tells of; None where there is none."""
    if source.endswith(".ipynb"):
        return source
    for pattern, path in others.items():
        before, _, after = pattern.partition("*")
        if fnmatch(page, pattern):
            return path.replace("*", page[len(before) : len(page) - len(after)])
    return None


def _notebook_of(app: Sphinx, page: str) -> str | None:
    source = Path(app.env.doc2path(page, base=False)).as_posix()
    return notebook_of(page, source, app.config.live_notebooks)


def _fetch(app: Sphinx) -> None:
    """Have the files before the long part of the build begins."""
    if app.builder.format == "html":
        with stopping(files.FilesMissing):
            files.had(LISTED)


def _hand_over(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Tell the templates where the page's notebook is live."""
    if doctree is not None and (notebook := _notebook_of(app, pagename)):
        context["open_live"] = {"address": address(notebook), "size": size()}


def _ship(app: Sphinx, failed: Exception | None) -> None:
    if failed or app.builder.format != "html":
        return
    # The pages' own texts, too: a notebook's links to them are followed only where there is a file.
    contents = {str(app.env.doc2path(page, base=False)) for page in app.env.found_docs}
    contents |= {notebook for page in app.env.found_docs if (notebook := _notebook_of(app, page))}
    with stopping(LiteError, files.FilesMissing):
        build(Path(app.outdir), {path: served.copy_of(app, path) for path in sorted(contents)})
