"""How is something explored? With an Explorer, which shows itself in a kernel or on a page."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Any

from lossprimer.explorer.controls import Control
from lossprimer.explorer.drawings import Drawings
from lossprimer.explorer.fields import Field
from lossprimer.explorer.own import importable
from lossprimer.explorer.picture import Picture, still_html
from lossprimer.explorer.shown import Shown
from lossprimer.explorer.static import explorer_html

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_CONTROLS = 3
MOST_SETTINGS = 300


class Explorer(Shown, Drawings):
    """A picture that a reader can change. It shows itself: as widgets, or on a built page as native controls."""

    def __repr__(self):
        return f"{self.title}: {self.picture(self.initial).sentence}"

    def _page(self):
        return explorer_html(self)

    def _widget(self):
        from lossprimer.explorer.live import explorer_widget

        return explorer_widget(self)

    def _still(self):
        title = f"<p><strong>{escape(self.title)}</strong></p>"
        return title + still_html(self.picture(self.initial))


def explore(
    draw: Callable[..., Picture | tuple[Figure, str]],
    /,
    *,
    title: str | None = None,
    own: Mapping[str, Field] | None = None,
    **controls: Control,
) -> Explorer:
    """Return an explorer of a picture.

    Parameters
    ----------
    draw : callable
        A drawing function: parameters in; a `Picture` out, or a matplotlib figure and the sentence that says
        what it shows.
    title : str, optional
        What is explored, in a few words; different for each explorer of a page. By default the name of `draw`.
    own : mapping of str to Field, optional
        The parameters of `draw` that a reader may give values of their own, each with the field for them: `numbers` or
        `matrix`. Each such parameter has a value already, from a control, from `functools.partial` or by default,
        which stands in the field at first. On a page `draw` runs on the reader's machine, where it is imported by its
        name.
    **controls : Control
        A `slider` or `choice` for each parameter that the reader may set; one to three, at most 300 settings in all.

    Returns
    -------
    Explorer
        Shows itself: with ipywidgets in a running notebook, with native controls on the built site.

    Raises
    ------
    ValueError
        If there are no controls, more than three, or more than 300 settings; if `title` has no words; or if there are
        fields and `draw` cannot be imported.
    TypeError
        If `draw` cannot be called, a control or a field is not one, or `draw` has no parameter of its name.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from lossprimer.explorer import explore, slider
    >>> def line(slope):
    ...     figure = Figure()
    ...     figure.add_subplot(ylim=(-3, 3)).plot([0, 1], [0, slope])
    ...     return figure, f"From 0 to 1 the line rises by {slope:g}."
    >>> explore(line, slope=slider("Slope", [-2, -1, 0, 1, 2], initial=1))
    Line: From 0 to 1 the line rises by 1.
    """
    _need_function("draw", draw)
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
    own = dict(own or {})
    given = {name: control.values[control.initial] for name, control in controls.items()}
    return Explorer(draw, title, controls, {name: _started(field, name, draw, given) for name, field in own.items()})


def steps(
    title: str,
    drawings: Sequence[Callable[..., Picture | tuple[Figure, str]]],
    *,
    own: Mapping[str, Field] | None = None,
) -> Explorer:
    """Return an explorer that goes through `drawings` one by one, with Back, Next and "1 / 3".

    Parameters
    ----------
    title : str
        What the steps show.
    drawings : sequence of callables
        Each can be called without arguments and returns a `Picture`, or a figure and its sentence.
    own : mapping of str to Field, optional
        As for `explore`: parameters of all the drawings.

    Raises
    ------
    ValueError
        If there are fewer than two drawings, if `title` has no words, or if `own` has fields and a drawing cannot be
        imported.
    TypeError
        If a drawing cannot be called or has no parameter for an entry of `own`, or the entry is not a `Field`.
    """
    if not isinstance(drawings, Sequence):
        raise TypeError(f"drawings is {drawings!r}, expected a sequence of functions")
    for draw in drawings:
        _need_function("a drawing", draw)
    if len(drawings) < 2:
        raise ValueError(f"drawings holds {len(drawings)}, expected at least 2 steps")
    texts = tuple(str(number) for number in range(1, len(drawings) + 1))
    started = [{name: _started(field, name, draw, {}) for name, field in (own or {}).items()} for draw in drawings]
    return Explorer(_take_step, title, {"step": Control("steps", "Step", tuple(drawings), texts)}, started[0])


def _need_function(name: str, value: object) -> None:
    """Make sure that a drawing function can be called."""
    if not callable(value):
        raise TypeError(f"{name} is {value!r}, expected a function that returns a figure and its sentence")


def _take_step(step: Callable, **own: Any) -> Picture | tuple[Figure, str]:
    return step(**own)


def _started(field: Field, name: str, draw: Callable, given: Mapping[str, Any]) -> Field:
    """Return a field that begins with the value which its parameter has without it."""
    if not isinstance(field, Field):
        raise TypeError(f"own[{name!r}] is {field!r}, expected numbers or a matrix")
    if not _takes(draw, name):
        raise TypeError(f"own names {name!r}, expected a parameter of the drawing function that can be given by name")
    if not importable(draw):
        raise ValueError(f"own names {name!r}, expected a drawing function from a module, which a page can import")
    value = given[name] if name in given else inspect.signature(draw).parameters[name].default
    if value is inspect.Parameter.empty:
        raise ValueError(f"own names {name!r}, which has no value, expected one to begin with")
    return replace(field, initial=field.write(value))


def _takes(draw: Callable, name: str) -> bool:
    """Tell whether `draw` can be called with the keyword `name`."""
    parameters = inspect.signature(draw).parameters
    by_name = parameters.get(name)
    if by_name is not None:
        return by_name.kind in {by_name.POSITIONAL_OR_KEYWORD, by_name.KEYWORD_ONLY}
    return any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
