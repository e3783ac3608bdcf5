"""How do two hundred pictures fit into one page? As the first one, and what differs from it in the others.

Most drawings of an explorer have the same marks, and only some attributes and texts of these differ. Where there are
other marks, the tags that differ are put into the first drawing's: that is another shape.
"""

import html
import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

_TAG = re.compile(r"<[^>]*>[^<]*")
_ATTRIBUTE = re.compile(r' ([^\s="]+)="([^"]*)"')


class Tag(NamedTuple):
    """A tag as it is written, with the text behind it; what can be set in it; and what has to be the same for that."""

    written: str
    values: dict[str, str]
    skeleton: str


def pack(drawings: Sequence[str], initial: int = 0) -> list[dict[str, list]]:
    """Return how each drawing is made from the initial one, by the shapes that there are.

    Parameters
    ----------
    drawings : sequence of str
        Markup in which each element is closed by a tag of its own.
    initial : int
        Which of them the reader has.

    Returns
    -------
    list of dict
        For each shape: ``of``, the numbers of its drawings. ``splices``, each of them ``[at, out, tag, ...]``: so many
        tags of the initial drawing out from there, and these in; the last splice is to be made first. ``marks``, each
        of them ``[element, attribute, values, which]``: an element by its number in the document, one of its
        attributes or "" for its text, the values that this takes, and for each drawing of the shape the number of its
        value; `which` is not there where each drawing has its own.
    """
    parsed = [_tags(drawing) for drawing in drawings]
    shapes: dict[tuple[str, ...], list[int]] = {}
    for number, tags in enumerate(parsed):
        shapes.setdefault(tuple(tag.skeleton for tag in tags), []).append(number)
    return [_shape(parsed, of, parsed[initial]) for of in shapes.values()]


def _tags(drawing: str) -> list[Tag]:
    """Return the tags of a drawing."""
    written = _TAG.findall(drawing)
    tags = []
    for tag, behind in zip(written, [*written[1:], ""], strict=True):
        name, _, text = tag.partition(">")
        values = {key: html.unescape(value) for key, value in _ATTRIBUTE.findall(name)}
        skeleton = _ATTRIBUTE.sub(r" \1", name)
        # A text can be set where there is nothing else in the element.
        if behind.startswith("</") and not tag.startswith("</"):
            values[""] = html.unescape(text)
        else:
            skeleton += f">{text}"
        tags.append(Tag(tag, values, skeleton))
    return tags


def _shape(parsed: list[list[Tag]], of: list[int], initial: list[Tag]) -> dict[str, list]:
    """Return how the drawings `of` one shape are made from the initial one."""
    first = parsed[of[0]]
    matcher = SequenceMatcher(None, [tag.skeleton for tag in initial], [tag.skeleton for tag in first], autojunk=False)
    base, splices = list(initial), []
    for kind, start, stop, from_first, to_first in reversed(matcher.get_opcodes()):
        if kind != "equal":
            base[start:stop] = first[from_first:to_first]
            splices.insert(
                0, [start, stop - start, *(tag.written for tag in base[start : start + to_first - from_first])]
            )
    opening = [place for place, tag in enumerate(base) if not tag.written.startswith("</")]
    marks = []
    for element, place in enumerate(opening):
        for name, value in base[place].values.items():
            taken = [parsed[number][place].values[name] for number in of]
            values = list(dict.fromkeys(taken))
            if values == [value]:
                continue
            which = [] if len(values) == len(of) else [[values.index(one) for one in taken]]
            marks.append([element, name, values, *which])
    return {"of": of, "splices": splices, "marks": marks}
