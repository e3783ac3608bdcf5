"""What is an Explorer? A drawing function, its controls, and the pictures drawn so far."""

import inspect
import math
import os
import re
from collections.abc import Callable, Sequence

from lossprimer.explorer import live, static
from lossprimer.explorer.controls import Control
from lossprimer.picture import Picture

MOST_CONTROLS = 3
MOST_SETTINGS = 300
# The Sphinx extension sets this variable; the kernels that execute the notebooks inherit it.
STATIC = "LOSSPRIMER_STATIC"


class Explorer:
    """A picture that a reader can change.

    Parameters
    ----------
    draw : callable
        Takes each control's value by its name and returns a `Picture`.
    title : str
        What the reader explores: the name that assistive technology reads out, and the start of its links.
    controls : dict of str to Control
        The parameter of `draw` that each control sets.
    """

    def __init__(self, draw: Callable[..., Picture], title: str, controls: dict[str, Control]):
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
        """Return the picture for one position of each control; a setting seen before is not drawn again."""
        setting = tuple(setting)
        if setting not in self._drawn:
            values = zip(self.controls.items(), setting, strict=True)
            picture = self.draw(**{name: control.values[position] for (name, control), position in values})
            if not isinstance(picture, Picture):
                raise TypeError(f"{self.title!r} drew a {type(picture).__name__}, expected a Picture")
            self._drawn[setting] = picture
        return self._drawn[setting]

    def __repr__(self):
        return f"{self.title}: {self.picture(self.initial).sentence}"

    def _repr_mimebundle_(self, include=None, exclude=None):
        if os.environ.get(STATIC):
            return {"text/html": static.explorer_html(self), "text/plain": repr(self)}
        return {**live.explorer_widget(self)._repr_mimebundle_(), "text/plain": repr(self)}


def explore(draw: Callable[..., Picture], /, *, title: str | None = None, **controls: Control) -> Explorer:
    """Return an explorer of a picture.

    Parameters
    ----------
    draw : callable
        A drawing function: parameters in, `Picture` out.
    title : str, optional
        What is explored, in a few words; different for each explorer of a page. By default the name of `draw`.
    **controls : Control
        A `slider` or `choice` for each parameter that the reader may set; one to three, 300 settings in all.

    Returns
    -------
    Explorer
        Shows itself: with ipywidgets in a running notebook, with native controls on the built site.

    Raises
    ------
    ValueError
        If there are no controls, more than three, or more than 300 settings.
    TypeError
        If a control is not one, or `draw` has no parameter of its name.

    Examples
    --------
    >>> from lossprimer import figures
    >>> from lossprimer.explorer import explore, slider
    >>> explore(figures.temperature, temperature=slider("Temperature T", [0.5, 1, 2], initial=1))
    Temperature: T = 1: probabilities 0.629, 0.231, 0.140; entropy 0.91 nats.
    """
    if title is None:
        title = getattr(draw, "__name__", "").replace("_", " ").strip("<> ").capitalize() or "Explorer"
    if not 1 <= len(controls) <= MOST_CONTROLS:
        raise ValueError(f"explore got {len(controls)} controls, expected 1 to {MOST_CONTROLS}")
    for name, control in controls.items():
        if not isinstance(control, Control):
            raise TypeError(f"{name} is {control!r}, expected a slider or a choice")
        if not _takes(draw, name):
            raise TypeError(f"{name} is a control, expected a parameter of {title!r}'s drawing function")
    settings = math.prod(map(len, controls.values()))
    if settings > MOST_SETTINGS:
        raise ValueError(f"the controls have {settings} settings in all, expected at most {MOST_SETTINGS}")
    return Explorer(draw, title, controls)


def steps(title: str, drawings: Sequence[Callable[[], Picture]]) -> Explorer:
    """Return an explorer that goes through `drawings` one by one, with Back, Next and "1 / 3".

    Parameters
    ----------
    title : str
        What the steps show.
    drawings : sequence of callables
        Each takes nothing and returns a `Picture`.

    Raises
    ------
    ValueError
        If there are fewer than two drawings.
    """
    if len(drawings) < 2:
        raise ValueError(f"drawings holds {len(drawings)}, expected at least 2 steps")
    texts = tuple(str(number) for number in range(1, len(drawings) + 1))
    return Explorer(lambda step: step(), title, {"step": Control("steps", "Step", tuple(drawings), texts)})


def _takes(draw: Callable, name: str) -> bool:
    """Tell whether `draw` can be called with the keyword `name`."""
    parameters = inspect.signature(draw).parameters
    by_name = parameters.get(name)
    if by_name is not None:
        return by_name.kind in {by_name.POSITIONAL_OR_KEYWORD, by_name.KEYWORD_ONLY}
    return any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
