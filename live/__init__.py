"""How does Python run in the reader's page? Pyodide lies beside the site, and starts when a reader asks for it."""

import os
import shutil
import zlib
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from live import files, wheel

ASSETS = Path(__file__).parent / "assets"
# What is fetched before the first check can run.
FIRST = ("pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip", "numpy-", "lossprimer-")


def wanted() -> bool:
    """Return whether the site is built with Python in its pages: unless LIVE is 0."""
    return os.environ.get("LIVE", "1") != "0"


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx, unless the build is to leave Python out."""
    if wanted():
        app.connect("builder-inited", _fetch)
        app.connect("build-finished", _ship)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _fetch(app: Sphinx) -> None:
    """Have the files before the long part of the build begins."""
    if app.builder.format == "html":
        listed, about = files.runtime()
        try:
            files.fetch(listed, about["sources"])
        except files.FilesMissing as error:
            raise ExtensionError(str(error)) from None


def _ship(app: Sphinx, failed: Exception | None) -> None:
    if failed is None and app.builder.format == "html":
        ship(Path(app.outdir) / "_static" / "live")


def ship(folder: Path) -> None:
    """Write all that pages need for Python into `folder`: the runtime, the wheel, the scripts."""
    listed, about = files.runtime()
    cache = files.fetch(listed, about["sources"])
    shutil.rmtree(folder, ignore_errors=True)
    runtime = folder / "pyodide"
    runtime.mkdir(parents=True)
    for file in listed:
        shutil.copy(cache / file.name, runtime)
    packages = [file.package for file in listed if file.package]
    lock = files.lock([*packages, wheel.build(runtime)], about)
    (runtime / "pyodide-lock.json").write_text(lock, "utf-8")
    for asset in ASSETS.iterdir():
        shutil.copy(asset, folder)
    sizes = {path.name: transferred(path) for path in runtime.iterdir()}
    (folder / "sizes.js").write_text(f"export const sizes = {sizes!r};\n", "utf-8")


def transferred(path: Path) -> int:
    """Return how many bytes a server that compresses sends for a file; archives stay as they are."""
    content = path.read_bytes()
    return len(content if path.suffix in {".whl", ".zip"} else zlib.compress(content, 6))
