"""The first and the last frame of every explorer, and every figure, can be read; tests/test_frames.py looks at all."""

import pytest
from test_frames import SHOWN, Drawing, faults

from lossprimer.explorer.picture import Picture
from tests.frames import shown


def ends(one):
    """Return the pictures of an explorer where each control is at its first or its last value, or the one picture."""
    if isinstance(one, Picture):
        return [one]
    counts = [len(control) for control in one.controls.values()]
    return [one.picture(tuple(0 for _ in counts)), one.picture(tuple(count - 1 for count in counts))]


@pytest.mark.parametrize(("chapter", "place"), SHOWN, ids=lambda part: str(part)[:2])
def test_no_text_lies_on_another_on_a_line_or_outside(chapter, place):
    for picture in ends(shown(chapter)[place]):
        assert list(faults(Drawing(picture.svg()))) == []
