"""How does a page take a reader's own numbers? With text fields; Python draws them where the page can start it."""

from __future__ import annotations

import os
from html import escape

from lossprimer.explorer.drawings import Drawings
from lossprimer.explorer.fields import Field
from lossprimer.explorer.own import packed

# What brings Python into the pages sets this variable: the address, seen from that of the scripts, of a module that
# exports `python`, whose `ask("draw", {explorer, setting, texts})` answers as `lossprimer.explorer.own.answer` does.
PYTHON = "EXPLORER_PYTHON"


def own_html(explorer: Drawings) -> str:
    """Return the disclosure with a field for each of the reader's own values, or nothing where there is no Python.

    The explorer itself travels in it, as text for Python.
    """
    python = os.environ.get(PYTHON)
    if not explorer.own or not python:
        return ""
    fields = "".join(_field(f"{explorer.name}-own-{name}", name, field) for name, field in explorer.own.items())
    return (
        f'<details class="explorer-own" data-python="{escape(python)}"><summary>Your own numbers</summary>'
        f'<form>{fields}<p class="explorer-own-buttons"><button type="submit" disabled>Draw</button>'
        '<span role="status"></span></p></form>'
        f'<script type="text/plain" class="explorer-packed">{packed(explorer)}</script></details>'
    )


def _field(key: str, name: str, field: Field) -> str:
    """Return a labelled text field and what it expects, in whose place the page says what is wrong."""
    expected = field.expected[0].upper() + field.expected[1:]
    return (
        f'<div class="explorer-own-field"><label for="{key}">{escape(field.label)}</label>'
        f'<input type="text" id="{key}" name="{name}" value="{escape(field.initial)}" autocomplete="off"'
        f' spellcheck="false" aria-describedby="{key}-told" disabled><p id="{key}-told">{escape(expected)}.</p></div>'
    )
