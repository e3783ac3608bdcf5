"""How does a submitted file become a notebook? By its bytes alone, with bounds on everything, or with a reason why not.

Nothing of a submission is believed. Of a cell its kind, its text and its pictures are kept, and the two names by which
its place is found again; outputs and all other metadata are dropped.
"""

import contextlib
import hashlib
import json
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

BYTES = 2**24
CELLS = 1000
_KINDS = ("code", "markdown", "raw")
# What is sent in instead of a notebook, by its first bytes.
_OTHERS = {
    b"PK\x03\x04": "a ZIP archive",
    b"\x1f\x8b": "a gzip archive",
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"\xd0\xcf\x11\xe0": "an Office document",
    b"<": "a page of HTML or XML",
}
_SURROGATES = re.compile("[\ud800-\udfff]")


class Unreadable(ValueError):
    """There is no notebook in a file; the text says why, for the teacher and the student."""


@dataclass(frozen=True)
class Read:
    """What a file holds.

    Parameters
    ----------
    notebook : NotebookNode
        In format 4, with no more of each cell than its kind, text, attachments, id, and nbgrader's name.
    digest : str
        SHA-256 of the bytes, in hexadecimal digits: whether the file is the one that was graded.
    remarks : tuple of str
        Sentences for the teacher, where the file was not quite what a notebook is.
    """

    notebook: NotebookNode
    digest: str
    remarks: tuple[str, ...] = ()


def read(path: Path) -> Read:
    """The notebook in a submitted file, say ``submitted/STUDENT/SET/SET.ipynb``.

    Raises
    ------
    Unreadable
        If there is no regular file, no file of bearable size, or no notebook in it.
    """
    return parse(contents(path))


def contents(path: Path, limit: int = BYTES) -> bytes:
    """The bytes of a regular file of at most `limit` bytes.

    Neither the file nor the two folders in which it lies may be a symbolic link, and no pipe or device is opened for
    longer than it takes to see what it is.

    Raises
    ------
    Unreadable
        If there is no such file, or a larger one.
    """
    path = Path(path).absolute()
    top = path.parents[min(2, len(path.parents) - 1)]
    *folders, name = path.relative_to(top).parts
    with contextlib.ExitStack() as opened:
        try:
            folder = _opened(opened, top, os.O_DIRECTORY)
            for each in folders:
                folder = _opened(opened, each, os.O_DIRECTORY | os.O_NOFOLLOW, folder)
            # A device is not even opened, unless somebody puts it there between these two lines.
            _require_file(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
            file = _opened(opened, name, os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW, folder)
            _require_file(os.fstat(file).st_mode)
            return _bounded(file, limit)
        except FileNotFoundError:
            raise Unreadable("no such file") from None
        except OSError as error:
            raise Unreadable(f"cannot be opened: {error.strerror or error}") from None


def parse(data: bytes) -> Read:
    """The notebook in the bytes of a file.

    Raises
    ------
    Unreadable
        If there is none.
    """
    if len(data) > BYTES:
        raise Unreadable(f"more than {BYTES // 2**20} MiB")
    digest = hashlib.sha256(data).hexdigest()
    text, remarks = _decoded(data)
    content = _json(text)
    if not isinstance(content, dict):
        raise Unreadable("no notebook: JSON, but not of the form of one")
    found = _found(content)
    if len(found) > CELLS:
        raise Unreadable(f"a notebook of {len(found)} cells, and {CELLS} are read at most")
    cells = kept(found)
    if len(cells) < len(found):
        remarks.append(f"cells that are none were left out: {len(found) - len(cells)}")
    notebook = NotebookNode(cells=cells, metadata=NotebookNode(), nbformat=4, nbformat_minor=5)
    return Read(notebook, digest, tuple(remarks))


def kept(found: list) -> list[NotebookNode]:
    """The cells among what a notebook says its cells are, with no more than what is kept of a cell."""
    return [_cell(cell) for cell in found if _is_cell(cell)]


def _opened(stack, name, flags, folder=None):
    """The descriptor of a file or folder, which `stack` closes."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC | flags, dir_fd=folder)
    except OSError:
        if folder is not None:
            mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
            if stat.S_ISLNK(mode):
                raise Unreadable(f"its folder {name!r} is a symbolic link, which is not followed") from None
        raise
    stack.callback(os.close, descriptor)
    return descriptor


def _require_file(mode):
    kinds = {
        stat.S_ISLNK: "a symbolic link, which is not followed",
        stat.S_ISDIR: "a folder, not a file",
        stat.S_ISFIFO: "a named pipe, not a file",
    }
    if not stat.S_ISREG(mode):
        raise Unreadable(next((name for is_one, name in kinds.items() if is_one(mode)), "a device, not a file"))


def _bounded(descriptor, limit):
    """All bytes of an open file. It may grow while it is read."""
    parts, size = [], 0
    while part := os.read(descriptor, min(2**20, limit + 1 - size)):
        parts.append(part)
        size += len(part)
        if size > limit:
            raise Unreadable(f"more than {limit // 2**20} MiB" if limit >= 2**20 else f"more than {limit} bytes")
    return b"".join(parts)


def _decoded(data):
    """The text in the bytes, and remarks on it. JSON tells the Unicode encodings apart, marked or not."""
    if not data.strip():
        raise Unreadable("an empty file")
    for start, name in _OTHERS.items():
        if data.lstrip().startswith(start):
            raise Unreadable(f"{name}, not a notebook")
    encoding = json.detect_encoding(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        # An editor's "ANSI". The structure of a notebook is ASCII in every code page of Windows.
        return data.decode("cp1252", errors="replace"), ["not in UTF-8: read as Windows-1252, so look at its letters"]
    if not text.strip():
        raise Unreadable("an empty file")
    return text, [] if encoding in ("utf-8", "utf-8-sig") else [f"in {encoding.upper()}, not in UTF-8"]


def _json(text):
    try:
        return json.loads(text, parse_int=_integer)
    except json.JSONDecodeError as error:
        raise Unreadable(f"no JSON: {error.msg}, line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise Unreadable("no notebook: JSON that is nested too deeply") from None


def _integer(digits):
    """A number of JSON. No number of a notebook matters that has more digits."""
    return int(digits) if len(digits) < 20 else 0


def _found(content):
    """What a notebook of any format says its cells are."""
    version = content.get("nbformat", 4)
    if isinstance(version, str) and version.isdecimal():
        version = int(version[:9])
    if isinstance(version, bool) or version not in (2, 3, 4):
        shown = version if isinstance(version, int) and not isinstance(version, bool) else "that is none"
        raise Unreadable(f"a notebook of a format {shown!s:.20}, and 2, 3 and 4 can be read")
    if version == 4 or "cells" in content:
        found = content.get("cells")
    else:  # format 4 did away with worksheets
        sheets = content.get("worksheets")
        sheets = sheets if isinstance(sheets, list) else [None]
        found = [sheet.get("cells") if isinstance(sheet, dict) else None for sheet in sheets]
        found = [cell for cells in found for cell in cells] if all(isinstance(each, list) for each in found) else None
    if not isinstance(found, list):
        raise Unreadable("no notebook: JSON without a list of cells")
    return found


def _is_cell(cell):
    return isinstance(cell, dict) and isinstance(cell.get("cell_type"), str) and _source(cell) is not None


def _source(cell):
    """The text of a cell, with the line ends of Unix; None if it has no text."""
    source = cell.get("source", cell.get("input"))
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    return _clean(source).replace("\r\n", "\n").replace("\r", "\n") if isinstance(source, str) else None


def _clean(text):
    """Text that every encoding can write: JSON may hold halves of characters."""
    return _SURROGATES.sub("\ufffd", text)


def _cell(cell):
    """What is kept of a cell."""
    kind, source = cell["cell_type"], _source(cell)
    if kind not in _KINDS:  # such as the headings of format 3
        kind = "markdown"
    kept = NotebookNode(cell_type=kind, metadata=NotebookNode(), source=source)
    if kind == "code":
        kept |= {"execution_count": None, "outputs": []}
    name = cell.get("metadata")
    for key in ("nbgrader", "grade_id"):
        name = name.get(key) if isinstance(name, dict) else None
    if isinstance(name, str):
        kept.metadata.nbgrader = NotebookNode(grade_id=_clean(name))
    if isinstance(cell.get("id"), str) and re.fullmatch(r"[\w-]{1,64}", cell["id"], re.ASCII):
        kept.id = cell["id"]
    if kind != "code" and (attachments := _attachments(cell.get("attachments"))):
        kept.attachments = attachments
    return NotebookNode(kept)


def _attachments(found):
    """The pictures of a text, as far as they have the form of some."""
    kept = NotebookNode()
    for name, bundle in found.items() if isinstance(found, dict) else ():
        bundle = bundle if isinstance(bundle, dict) else {}
        texts = {
            _clean(kind): _clean(data if isinstance(data, str) else "".join(data))
            for kind, data in bundle.items()
            if isinstance(data, str) or (isinstance(data, list) and all(isinstance(line, str) for line in data))
        }
        if texts:
            kept[_clean(name)] = NotebookNode(texts)
    return kept
