"""How does a page ask for a prediction? With native controls; a script uncovers what follows."""

from __future__ import annotations

from html import escape

from lossprimer.explorer.questions import Answer, Question


def prediction_html(question: Question) -> str:
    """Return the question as a ``<fieldset>``: its options or its field, its buttons, and each answer explained.

    The markup is complete without the script: the buttons are not there then, nothing is covered, and what is said
    of each answer stands in a ``<details>``.
    """
    name = question.name
    ask = _field(question) if question.number else _options(question)
    covers = "" if question.cells is None else f' data-cells="{question.cells}"'
    told = "".join(map(_told, question.answers))
    return (
        f'<div class="prediction" id="{name}"{covers}><p class="prediction-title">Predict</p>'
        f"<fieldset><legend>{escape(question.text)}</legend>{ask}"
        '<p class="prediction-said" role="status"></p>'
        '<p class="prediction-shows"><button type="button" class="prediction-show" hidden>Show anyway</button>'
        '<span class="prediction-covered">What follows is covered until you answer.</span></p>'
        f'<details class="prediction-told"><summary>Each answer explained</summary><dl>{told}</dl></details>'
        "</fieldset></div>"
    )


def _options(question: Question) -> str:
    rows = "".join(_option(question.name, escape(answer.text)) for answer in question.answers)
    return (
        f'<div class="prediction-options">{rows}'
        '<button type="button" class="prediction-answer" hidden>Answer</button></div>'
    )


def _option(name: str, text: str) -> str:
    return (
        f'<div class="prediction-option"><label><input type="radio" name="{name}" value="{text}" autocomplete="off">'
        f"{text}</label></div>"
    )


def _field(question: Question) -> str:
    name, number = question.name, question.number
    unit = f'<span class="prediction-unit">{escape(number.unit)}</span>' if number.unit else ""
    return (
        f'<div class="prediction-field"><label for="{name}-number">Your answer, {escape(question.range)}</label>'
        f'<span class="prediction-typed"><input type="number" id="{name}-number" min="{number.least:g}"'
        f' max="{number.most:g}" step="any" inputmode="decimal" autocomplete="off">{unit}'
        '<button type="button" class="prediction-answer" hidden>Answer</button></span></div>'
    )


def _told(answer: Answer) -> str:
    limits = "" if answer.least is None else f' data-least="{answer.least!r}" data-most="{answer.most!r}"'
    right = " data-right" if answer.right else ""
    mark = " <span>(right)</span>" if answer.right else ""
    return f"<dt><span>{escape(answer.text)}</span>{mark}</dt><dd{right}{limits}>{escape(answer.sentence)}</dd>"
