"""How do two hundred pictures fit into one page? As the first one, and what differs from it in the others."""

import re
from difflib import SequenceMatcher

Splice = list  # [at, how many tags to take out, tags to put in ...]


def pack(frames: list[str]) -> tuple[list[str], list[list[Splice]]]:
    """Return the first frame's tags, and for each frame the splices that make it from them.

    Parameters
    ----------
    frames : list of str
        Markup in which a tag is followed by the next one, or by text that belongs to it.

    Returns
    -------
    base : list of str
        The tags of ``frames[0]``, each with the text behind it.
    splices : list of lists
        For each frame, from its first tag to its last; a reader applies them from the last to the first.
    """
    tags = [re.split(r"(?<=>)(?=<)", frame) for frame in frames]
    return tags[0], [_splices(tags[0], frame) for frame in tags]


def unpack(base: list[str], splices: list[Splice]) -> str:
    """Return the frame that `splices` make from `base`: the same few lines as in explorer.js."""
    tags = list(base)
    for at, out, *into in reversed(splices):
        tags[at : at + out] = into
    return "".join(tags)


def _splices(base: list[str], frame: list[str]) -> list[Splice]:
    matcher = SequenceMatcher(None, base, frame, autojunk=False)
    return [
        [start, stop - start, *frame[new_start:new_stop]]
        for kind, start, stop, new_start, new_stop in matcher.get_opcodes()
        if kind != "equal"
    ]
