"""What is there to explore? A drawing function, its controls, and the pictures drawn so far."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lossprimer.explorer.controls import Control
from lossprimer.explorer.fields import Field
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
        What the reader explores, in words: the name that assistive technology reads out, and the start of its links.
    controls : dict of str to Control
        The parameter of `draw` that each control sets.
    own : dict of str to Field, optional
        The parameters that a reader may give values of their own.

    Raises
    ------
    ValueError
        If `title` has no words.
    """

    def __init__(
        self,
        draw: Callable[..., Picture | tuple[Figure, str]],
        title: str,
        controls: dict[str, Control],
        own: dict[str, Field] | None = None,
    ):
        self.draw = draw
        self.title = title
        if not isinstance(title, str) or not self.name:
            raise ValueError(f"title is {title!r}, expected the words that say what is explored")
        self.controls = controls
        self.own = own or {}
        self._drawn: dict[tuple[int, ...], Picture] = {}

    @property
    def name(self) -> str:
        """The title as it stands in a link, in letters of any script."""
        return re.sub(r"[\W_]+", "-", self.title.lower()).strip("-")

    @property
    def initial(self) -> tuple[int, ...]:
        """The position of each control before anybody has moved it."""
        return tuple(control.initial for control in self.controls.values())

    def picture(self, setting: Sequence[int]) -> Picture:
        """Return the picture for one position of each control; a setting seen before is not drawn again.

        Raises
        ------
        TypeError
            If what was drawn is neither a `Picture` nor a figure and its sentence. This error, and any that the
            drawing function raises, has a note that says at which setting.
        """
        setting = tuple(setting)
        if setting not in self._drawn:
            self._drawn[setting] = self.drawn_from(setting, {})
        return self._drawn[setting]

    def drawn_from(self, setting: Sequence[int], own: Mapping[str, Any]) -> Picture:
        """Draw the picture for one position of each control, with a reader's own values where they are given."""
        positions = list(zip(self.controls.items(), setting, strict=True))
        values = {name: control.values[position] for (name, control), position in positions}
        try:
            return self._as_picture(self.draw(**{**values, **own}))
        except Exception as error:
            at = ", ".join(f"{name} = {control.texts[position]}" for (name, control), position in positions)
            error.add_note(f"This was {self.title!r} at {at}.")
            raise

    def __getstate__(self):
        # Pictures can be drawn again, where they are wanted.
        return {**self.__dict__, "_drawn": {}}

    def _as_picture(self, drawn: Picture | tuple[Figure, str]) -> Picture:
        if isinstance(drawn, Picture):
            return drawn
        if isinstance(drawn, tuple | list) and len(drawn) == 2:
            return Picture(*drawn)
        raise TypeError(
            f"{self.title!r} drew a {type(drawn).__name__}, expected a Picture, or a pair: a figure and its sentence"
        )
