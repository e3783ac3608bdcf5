"""What may a sandbox say that a cell has shown? Text and pictures, made anew from what came, up to a size."""

import base64
import binascii
import json

from nbformat import NotebookNode
from nbformat.v4 import new_output

_TEXT = 20_000
_PICTURE = 2**20
_MANY = 100
# Of all cells of a notebook: pages and people stop at that.
TOGETHER = 2**23
_CUT = "\n… (cut: this shows more than can be kept)"
# The first bytes of the pictures that are shown, by type.
_BEGINNINGS = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}


def checked(said: object) -> list[NotebookNode]:
    """The outputs of a cell, from something that should be a list of them and may be anything.

    Parameters
    ----------
    said : object
        Plain values, as they came out of the sandbox.

    Returns
    -------
    list of NotebookNode
        Streams, errors, and displays of plain text and of pictures that begin as pictures do. What is none of these
        is left out.
    """
    outputs = []
    for each in said[:_MANY] if isinstance(said, list) else []:
        try:
            outputs.append(_output(each))
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
    return outputs


def fitting(found: list[NotebookNode], left: int) -> tuple[list[NotebookNode], int]:
    """As many outputs as there is space for, and the space that is left, in characters."""
    for number, output in enumerate(found):
        size = len(json.dumps(output))
        if size > left:
            said = [new_output("stream", name="stdout", text=_CUT.lstrip())] if left else []
            return [*found[:number], *said], 0
        left -= size
    return found, left


def error(text: str) -> NotebookNode:
    """An output that shows an error, from ``"Type: text"``."""
    name, _, value = text.partition(": ")
    return new_output("error", ename=name, evalue=value, traceback=[text])


def _output(found):
    kind = found["output_type"]
    if kind == "stream":
        return new_output("stream", name="stderr" if found["name"] == "stderr" else "stdout", text=_cut(found["text"]))
    if kind == "error":
        lines = [_cut(line) for line in found["traceback"][:_MANY]]
        return new_output("error", ename=_cut(found["ename"]), evalue=_cut(found["evalue"]), traceback=lines)
    if kind in ("display_data", "execute_result"):
        data = {name: text for name, text in found["data"].items() if name in _BEGINNINGS and _is_picture(name, text)}
        if "text/plain" in found["data"]:
            data["text/plain"] = _cut(found["data"]["text/plain"])
        return new_output(kind, data)
    raise ValueError(kind)


def _is_picture(name, text):
    if not isinstance(text, str) or len(text) > _PICTURE:
        return False
    try:
        return base64.b64decode(text.replace("\n", ""), validate=True).startswith(_BEGINNINGS[name])
    except binascii.Error:
        return False


def _cut(text):
    if not isinstance(text, str):
        raise TypeError("no text")
    return text if len(text) <= _TEXT else text[:_TEXT] + _CUT
