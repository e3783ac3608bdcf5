"""What is there to explore? A drawing function, its controls, and the pictures drawn so far."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from lossprimer.explorer.controls import Control
from lossprimer.explorer.picture import Picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Drawings:
    """The pictures that the controls can be set to, each drawn when it is first asked for.

    Parameters
    ----------
    draw : callable
        Takes each control's value by its name and returns a `Picture`, or a figure and its sentence.
    title : str
        What the reader explores: the name that assistive technology reads out, and the start of its links.
    controls : dict of str to Control
        The parameter of `draw` that each control sets.
    """

    def __init__(self, draw: Callable[..., Picture | tuple[Figure, str]], title: str, controls: dict[str, Control]):
        self.draw = draw
        self.title = title
        self.controls = controls
        self._drawn: dict[tuple[int, ...], Picture] = {}

    @property
    def name(self) -> str:
        """The title as it stands in a link."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")

    @property
    def initial(self) -> tuple[int, ...]:
        """The position of each control before anybody has moved it."""
        return tuple(control.initial for control in self.controls.values())

    def picture(self, setting: Sequence[int]) -> Picture:
        """Return the picture for one position of each control; a setting seen before is not drawn again.

        Raises
        ------
        TypeError
            If what was drawn is neither a `Picture` nor a figure and its sentence.
        """
        setting = tuple(setting)
        if setting not in self._drawn:
            values = zip(self.controls.items(), setting, strict=True)
            drawn = self.draw(**{name: control.values[position] for (name, control), position in values})
            self._drawn[setting] = self._as_picture(drawn)
        return self._drawn[setting]

    def _as_picture(self, drawn: Picture | tuple[Figure, str]) -> Picture:
        if isinstance(drawn, Picture):
            return drawn
        if isinstance(drawn, tuple | list) and len(drawn) == 2:
            return Picture(*drawn)
        raise TypeError(
            f"{self.title!r} drew a {type(drawn).__name__}, expected a Picture, or a pair: a figure and its sentence"
        )
