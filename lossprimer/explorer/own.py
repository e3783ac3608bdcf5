"""How are a reader's own numbers drawn? Python takes the text of each field, and draws as it drew the others."""

from __future__ import annotations

import base64
import pickle
import zlib
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from importlib import import_module
from typing import Any

from lossprimer.explorer.dark import twins
from lossprimer.explorer.drawings import Drawings


def importable(draw: Any) -> bool:
    """Return whether Python on another machine can find a drawing function: it stands in a module."""
    while isinstance(draw, partial):
        draw = draw.func
    module, name = getattr(draw, "__module__", "__main__"), getattr(draw, "__qualname__", "")
    return module != "__main__" and getattr(import_module(module), name, None) is draw


def packed(explorer: Drawings) -> str:
    """Return an explorer as text that can travel to the reader's page: its function, its controls, its fields."""
    return base64.b64encode(zlib.compress(pickle.dumps(explorer), 9)).decode()


@lru_cache(maxsize=8)
def unpacked(text: str) -> Drawings:
    """Return the explorer that `packed` made into text. Only a text from one's own pages may be given to it."""
    return pickle.loads(zlib.decompress(base64.b64decode(text)))


def read(explorer: Drawings, texts: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the value of each field, and for those that cannot be read what is wrong."""
    values, errors = {}, {}
    for name, field in explorer.own.items():
        try:
            values[name] = field.read(texts[name])
        except ValueError as error:
            errors[name] = str(error)
    return values, errors


def drawn(explorer: Drawings, setting: Sequence[int], texts: Mapping[str, str]) -> dict[str, Any]:
    """Draw what a reader typed.

    Parameters
    ----------
    explorer : Drawings
        An explorer with fields.
    setting : sequence of int
        The position of each control.
    texts : mapping of str to str
        What stands in each field.

    Returns
    -------
    dict
        ``picture``; or ``errors``, a dict of field to what is wrong with it, in the words of the field or of the
        function that refused it.
    """
    values, errors = read(explorer, texts)
    if errors:
        return {"errors": errors}
    try:
        return {"picture": explorer.drawn_from(setting, values)}
    except (TypeError, ValueError) as error:
        # The function's own words begin with the name of the argument that it refuses.
        refused = next((name for name in explorer.own if str(error).startswith(f"{name} ")), next(iter(explorer.own)))
        return {"errors": {refused: str(error)}}


def answer(text: str, setting: Sequence[int], texts: Mapping[str, str]) -> dict[str, Any]:
    """Draw for a page what a reader typed: ``svg``, its ``dark`` twins and the ``sentence``; or ``errors``."""
    explorer = unpacked(text)
    found = drawn(explorer, setting, texts)
    if "errors" in found:
        return found
    svg = found["picture"].svg(f"{explorer.name}-")
    return {"svg": svg, "dark": twins([svg]), "sentence": found["picture"].sentence}
