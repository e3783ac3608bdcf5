"""What does the site ship for Python, and how large is it? The runtime, the course's wheel, and the scripts."""

import hashlib
import json
import shutil
import zlib
from functools import cache
from pathlib import Path

from live import bundle, files, wheel

ASSETS = Path(__file__).parent / "assets"
LOCK = "pyodide-lock.json"
# What is fetched before the first answer, beside the scripts.
FIRST = (
    "pyodide.module.js",
    "pyodide.mjs",
    "pyodide.asm.js",
    "pyodide.asm.wasm",
    "python_stdlib.zip",
    "numpy-",
    "lossprimer-",
)


def ship(folder: Path) -> None:
    """Write all that pages need for Python into `folder`, and nothing else.

    Raises
    ------
    FilesMissing
        If a file of the runtime cannot be had, or the editor not be bundled.
    """
    listed, about, kept = files.had()
    shutil.rmtree(folder, ignore_errors=True)
    place = folder / "pyodide"
    place.mkdir(parents=True)
    for file in listed:
        # Many servers do not know that .mjs is a script, and browsers run nothing else as one.
        shutil.copy(kept / file.name, place / file.name.replace(".mjs", ".module.js"))
    packages = [file.package for file in listed if file.package]
    (place / LOCK).write_text(files.lock([*packages, wheel.build(place)], about), "utf-8")
    for asset in [*ASSETS.iterdir(), *bundle.bundle(files.cache()).iterdir()]:
        shutil.copy(asset, folder)
    later = {path.name: transferred(path) for path in place.iterdir() if not path.name.startswith(FIRST)}
    version = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(folder.rglob("*.js*")))).hexdigest()[:12]
    names = {"first": first_size(), "later": later, "version": version}
    script = "".join(f"export const {name} = {json.dumps(value)};\n" for name, value in names.items())
    (folder / "sizes.js").write_text(script, "utf-8")


@cache
def first_size() -> str:
    """Return how much a reader fetches to start Python, as it is said on a page."""
    listed, _, kept = files.had()
    # The wheel of the course is a quarter of a megabyte.
    return megabytes(250_000 + sum(transferred(kept / file.name) for file in listed if file.name.startswith(FIRST)))


def megabytes(size: int) -> str:
    """Return a number of bytes as it is said."""
    return f"{size / 1e6:.0f} MB"


@cache
def transferred(path: Path) -> int:
    """Return how many bytes of a file a server that compresses sends; an archive stays as it is."""
    content = path.read_bytes()
    return len(content if path.suffix in {".whl", ".zip"} else zlib.compress(content, 6))
