"""How does an explorer work in a running notebook? Real ipywidgets, in Lab, Notebook, VS Code and Colab."""

from functools import partial
from html import escape
from importlib.resources import files

import ipywidgets as widgets

from lossprimer.explorer.controls import Control
from lossprimer.explorer.drawings import Drawings
from lossprimer.explorer.own import drawn
from lossprimer.explorer.own_widget import own_widget
from lossprimer.explorer.picture import picture_html

_AS_WIDE_AS_NEEDED = {"description_width": "initial"}


def view(widget: widgets.Widget) -> dict[str, dict]:
    """Return what shows a widget, as a MIME bundle; ipywidgets 7 has no method that returns it."""
    model = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    return {"application/vnd.jupyter.widget-view+json": model}


def explorer_widget(explorer: Drawings) -> widgets.VBox:
    """Return the controls above the picture, each control redrawing it while it moves."""
    rows, readers = zip(*(_row(control) for control in explorer.controls.values()), strict=True)
    view = widgets.HTML()

    typed: dict[str, str] = {}

    def redraw() -> dict[str, str]:
        setting = [reader.index for reader in readers]
        found = drawn(explorer, setting, typed) if typed else {"picture": explorer.picture(setting)}
        if "picture" in found:
            # One assignment replaces the whole picture, so nothing flickers and nothing below it jumps.
            view.value = picture_html(found["picture"])
        return found.get("errors", {})

    def draw(texts: dict[str, str]) -> dict[str, str]:
        before = dict(typed)
        typed.update(texts)
        errors = redraw()
        if errors:
            typed.clear()
            typed.update(before)
        return errors

    def start_again(_button):
        typed.clear()
        redraw()
        for reader, position in zip(readers, explorer.initial, strict=True):
            reader.index = position

    def moved(name: str, _change) -> None:
        # A given value that is chosen takes the place of what was typed before.
        if name in explorer.own:
            typed.clear()
        redraw()

    for name, reader in zip(explorer.controls, readers, strict=True):
        reader.observe(partial(moved, name), "index")
    redraw()
    reset = widgets.Button(description="Reset", layout={"width": "auto"})
    reset.on_click(start_again)
    head = widgets.HBox([widgets.HTML(f"<strong>{escape(explorer.title)}</strong>"), reset])
    own = [own_widget(explorer, draw)] if explorer.own else []
    return widgets.VBox([head, *rows, *own, *_spoken_values(), view])


def _spoken_values() -> list[widgets.Output]:
    """Return what is not seen: a script that tells assistive technology the sliders' values, as live.js says.

    Nothing for ipywidgets 7: where Notebook 6 shows it, one Output in a box keeps the whole box away.
    """
    if widgets.__version__.startswith("7."):
        return []
    script = (files(__package__) / "live.js").read_text("utf-8")
    output = {"output_type": "display_data", "data": {"application/javascript": script}, "metadata": {}}
    return [widgets.Output(outputs=(output,), layout={"display": "none"})]


def _row(control: Control) -> tuple[widgets.Widget, widgets.Widget]:
    """Return what is shown for a control, and the widget whose ``index`` says where it stands."""
    if control.kind == "steps":
        return _stepper(control)
    common = {
        "options": control.texts,
        "index": control.initial,
        "description": control.label,
        "style": _AS_WIDE_AS_NEEDED,
    }
    if control.named:
        widget = widgets.RadioButtons(**common, layout={"width": "max-content", "max_width": "100%"})
        return widget, widget
    if control.kind == "choice":
        widget = widgets.Dropdown(**common, layout={"width": "max-content", "max_width": "100%"})
        return widget, widget
    widget = widgets.SelectionSlider(**common, layout={"width": "30em", "max_width": "100%"})
    widget.add_class("explorer-slider")
    return widgets.HBox([widget, widgets.Label(f"{control.texts[0]} to {control.texts[-1]}")]), widget


def _stepper(control: Control) -> tuple[widgets.HBox, widgets.SelectionSlider]:
    """Return Back and Next around "1 / 3", and the selection that they move."""
    at = widgets.SelectionSlider(options=control.texts, index=control.initial)
    back, forward = widgets.Button(description="Back"), widgets.Button(description="Next")
    text = widgets.Label()

    def show(_change=None):
        # No button is disabled at an end: the one that was pressed would lose the focus.
        text.value = f"{control.texts[at.index]} / {len(control)}"

    def move(by: int) -> None:
        at.index = min(max(at.index + by, 0), len(control) - 1)

    back.on_click(lambda _: move(-1))
    forward.on_click(lambda _: move(+1))
    at.observe(show, "index")
    show()
    return widgets.HBox([back, text, forward]), at
