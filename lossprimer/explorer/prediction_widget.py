"""How does a running notebook ask for a prediction? With ipywidgets; the cells that follow stay as they are."""

from __future__ import annotations

from html import escape

import ipywidgets as widgets

from lossprimer.explorer.questions import Question


def prediction_widget(question: Question) -> widgets.VBox:
    """Return the question, its options or its field, the buttons, and below them what is said of the answer."""
    said = widgets.HTML()
    answer, show = widgets.Button(description="Answer"), widgets.Button(description="Show anyway")
    if question.number:
        ask = widgets.FloatText(value=question.number.least)
        hint = [widgets.HTML(escape(f"Your answer, {question.range}:"))]
    else:
        texts = [option.text for option in question.answers]
        ask = widgets.RadioButtons(options=texts, index=None, layout={"width": "max-content", "max_width": "100%"})
        hint = []

    def tell(text: str) -> None:
        said.value = f'<p role="status">{escape(text)}</p>'

    def judge(_button=None) -> None:
        number = question.number
        if ask.value is None:
            tell("Choose an answer first.")
        elif number and not number.least <= ask.value <= number.most:
            tell(f"{ask.value:g} is not {question.range}.")
        else:
            tell(question.said(ask.value))

    def reveal(_button=None) -> None:
        tell(f"The answer is: {question.right.text}. {question.right.sentence}")

    answer.on_click(judge)
    show.on_click(reveal)
    title = widgets.HTML(f"<strong>Predict.</strong> {escape(question.text)}")
    return widgets.VBox([title, *hint, ask, widgets.HBox([answer, show]), said])
