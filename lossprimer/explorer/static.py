"""How does an explorer work on a page without a kernel? Every picture is drawn beforehand; a script picks one."""

from __future__ import annotations

import itertools
import json
from html import escape
from typing import TYPE_CHECKING

from lossprimer.explorer.controls import Control
from lossprimer.explorer.dark import twins
from lossprimer.explorer.drawings import Drawings
from lossprimer.explorer.frames import pack
from lossprimer.explorer.own_html import own_html
from lossprimer.explorer.picture import drawing_html

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NOT_INTERACTIVE = "Without JavaScript this picture stays at its first setting."


def explorer_html(explorer: Drawings) -> str:
    """Return the explorer as a ``<figure>``: native controls, the initial picture, and all others as data.

    The markup is complete without the script: the controls are there but disabled, and the picture and its
    sentence are those of the initial setting.
    """
    controls = explorer.controls
    settings = [*itertools.product(*(range(len(control)) for control in controls.values()))]
    initial = settings.index(explorer.initial)
    drawings, sentences = zip(*(_drawn(explorer, setting) for setting in settings), strict=True)
    data = {
        "names": list(controls),
        "texts": [control.texts for control in controls.values()],
        "sentences": sentences,
        "shapes": pack(drawings, initial),
        "axes": [_axis(explorer.picture(explorer.initial).figure, control) for control in controls.values()],
    }
    rows = "".join(_row(f"{explorer.name}-{name}", control) for name, control in controls.items())
    return (
        f'<figure class="explorer" id="{explorer.name}">'
        f'<div class="explorer-controls" role="group" aria-labelledby="{explorer.name}-title">'
        f'<div class="explorer-head"><p class="explorer-title" id="{explorer.name}-title">{escape(explorer.title)}</p>'
        f'<button type="button" class="explorer-reset" disabled>Reset</button></div>{rows}{own_html(explorer)}</div>'
        f"{drawing_html(drawings[initial], f'{explorer.name}-sentence', twins(drawings))}"
        f'<p class="explorer-announcement" role="status"></p>'
        f"<noscript><p>{NOT_INTERACTIVE}</p></noscript>"
        f'<script type="application/json">{_json(data)}</script>'
        f'<figcaption data-longest="{escape(max(sentences, key=len))}">'
        f'<span id="{explorer.name}-sentence">{escape(sentences[initial])}</span></figcaption>'
        "</figure>"
    )


def _drawn(explorer: Drawings, setting: tuple[int, ...]) -> tuple[str, str]:
    """Return the drawing and the sentence of a setting; only the initial figure is kept: two hundred are a burden."""
    first = setting == explorer.initial
    picture = explorer.picture(setting) if first else explorer.drawn_from(setting, {})
    return picture.svg(f"{explorer.name}-"), picture.sentence


def _row(name: str, control: Control) -> str:
    """Return one control with its visible label; the script enables it."""
    label, text, at = escape(control.label), escape(control.texts[control.initial]), control.initial
    if control.kind == "steps":
        return (
            f'<div class="explorer-row explorer-steps" data-control="steps" data-position="{at}">'
            '<button type="button" disabled>Back</button>'
            f'<output aria-live="off">{text} / {len(control)}</output>'
            '<button type="button" disabled>Next</button></div>'
        )
    if control.named:
        return (
            f'<div class="explorer-row explorer-names" data-control="choice" role="radiogroup"'
            f' aria-labelledby="{name}-label"><span id="{name}-label">{label}</span>'
            f'<div class="explorer-options">{_buttons(name, control)}</div></div>'
        )
    if control.kind == "choice":
        options = "".join(
            f"<option{' selected' if position == at else ''}>{escape(text)}</option>"
            for position, text in enumerate(control.texts)
        )
        return (
            f'<div class="explorer-row" data-control="list"><label for="{name}">{label}</label>'
            f'<select id="{name}" autocomplete="off" disabled>{options}</select></div>'
        )
    # The ends are for the eye: a screen reader has the slider's own minimum and maximum on Home and End.
    low, high = (f'<span aria-hidden="true">{escape(control.texts[end])}</span>' for end in (0, -1))
    return (
        f'<div class="explorer-row" data-control="slider">'
        f'<div class="explorer-head"><label for="{name}">{label}</label>'
        f'<output for="{name}" aria-live="off">{text}</output></div><div class="explorer-track">{low}'
        f'<input type="range" id="{name}" min="0" max="{len(control) - 1}" step="1" value="{at}"'
        f' aria-valuetext="{text}" autocomplete="off" disabled>{high}</div></div>'
    )


def _buttons(name: str, control: Control) -> str:
    """Return a radio button in a label of its own for each position."""
    return "".join(
        f'<label><input type="radio" name="{name}" autocomplete="off"'
        f"{' checked' if position == control.initial else ''} disabled><span>{escape(text)}</span></label>"
        for position, text in enumerate(control.texts)
    )


def _axis(figure: Figure, control: Control) -> dict[str, list[float]] | None:
    """Return where in the drawing a control's values lie, and the box in which they can be dragged."""
    if control.along is None:
        return None
    if control.along not in range(len(figure.axes)):
        raise ValueError(
            f"along of {control.label!r} is {control.along!r}, expected one of {len(figure.axes)} axes from 0"
        )
    axes = figure.axes[control.along]
    # A drawing counts points from its upper left corner, matplotlib pixels from the lower left.
    scale, height = 72 / figure.dpi, 72 * figure.get_figheight()
    places = [axes.transData.transform((value, axes.get_ylim()[0]))[0] * scale for value in control.values]
    (left, bottom), (right, top) = axes.bbox.get_points() * scale
    box = [left, height - top, right, height - bottom]
    return {"at": [round(float(x), 1) for x in places], "box": [round(float(edge), 1) for edge in box]}


def _json(data: dict) -> str:
    """Return `data` as JSON that can stand inside a ``<script>`` element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("</", "<\\/").replace("<!--", "\\u003c!--")
