"""How does a running notebook take a reader's own numbers? In text widgets, drawn by the kernel."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import ipywidgets as widgets

from lossprimer.explorer.drawings import Drawings


def own_widget(explorer: Drawings, draw: Callable[[dict[str, str]], dict[str, str]]) -> widgets.Accordion:
    """Return a closed disclosure with a field for each of the reader's own values.

    `draw` takes the text of each field, draws, and returns what is wrong with which of them.
    """
    texts = {
        name: widgets.Text(
            value=field.initial,
            description=field.label,
            style={"description_width": "initial"},
            layout={"width": "30em", "max_width": "100%"},
            continuous_update=False,
        )
        for name, field in explorer.own.items()
    }
    told = {name: widgets.HTML(_expected(field.expected)) for name, field in explorer.own.items()}

    def show(_source=None) -> None:
        errors = draw({name: text.value for name, text in texts.items()})
        for name, field in explorer.own.items():
            wrong = f'<p role="alert">{escape(errors[name])}</p>' if name in errors else ""
            told[name].value = wrong or _expected(field.expected)

    button = widgets.Button(description="Draw")
    button.on_click(show)
    rows = [widget for name in texts for widget in (texts[name], told[name])]
    box = widgets.Accordion([widgets.VBox([*rows, button])], selected_index=None)
    box.set_title(0, "Your own numbers")
    return box


def _expected(text: str) -> str:
    return f"<small>{escape(text[0].upper() + text[1:])}.</small>"
