"""The last frame of every explorer, and every figure, can be read; tests/test_frames.py looks at all."""

import pytest
from test_frames import SHOWN, Drawing, faults

from lossprimer.explorer.picture import Picture
from tests.frames import shown


def last(one):
    """Return the picture of an explorer where each control is at its last value, or the one picture."""
    if isinstance(one, Picture):
        return one
    return one.picture(tuple(len(control) - 1 for control in one.controls.values()))


@pytest.mark.parametrize(("chapter", "place"), SHOWN, ids=lambda part: str(part)[:2])
def test_no_text_lies_on_another_on_a_line_or_outside(chapter, place):
    assert list(faults(Drawing(last(shown(chapter)[place]).svg()))) == []
