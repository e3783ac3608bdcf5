"""A prediction computes its right answer, refuses a wrong marking, and has two faces that tell nothing too early."""

import math

import ipywidgets
import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup
from nbclient import NotebookClient

from lossprimer.explorer import number, predict
from lossprimer.explorer.extension import _ASKING
from lossprimer.explorer.prediction import option_of
from lossprimer.explorer.prediction_html import prediction_html
from lossprimer.explorer.prediction_widget import prediction_widget
from lossprimer.explorer.shown import STATIC

QUESTION = "One class leads each of nine others by 2. What is its share?"
BECAUSE = "It has 7.39 times the share of each rival, and there are nine."
OPTIONS = {"about 90 %": "That is against one rival.", "about 45 %": None, "about 20 %": "That would be a lead of 1."}


def share(lead=2, classes=10):
    return math.exp(lead) / (math.exp(lead) + classes - 1)


def options(**changes):
    return predict(QUESTION, OPTIONS, **{"right": share, "because": BECAUSE} | changes)


def typed(**changes):
    asked = number(0, 100, "%", slips={88: "That is against one rival."})
    return predict(QUESTION, asked, **{"right": lambda: 100 * share(), "within": 3, "because": BECAUSE} | changes)


# Where a computed value falls


@pytest.mark.parametrize(
    ("value", "texts", "expected"),
    [
        ("less", ["more", "less"], "less"),
        ("Less", ["more", "less"], None),
        (True, ["No, never", "Yes, always"], "Yes, always"),
        (np.False_, ["No, never", "Yes, always"], "No, never"),
        (True, ["always", "never"], None),
        (0.4508, ["90 %", "about 45 %"], "about 45 %"),
        (np.array([0.4508]), ["90 %", "about 45 %"], "about 45 %"),
        (0.4449, ["90 %", "about 45 %"], None),
        (148.41, ["50 times", "about 150 times"], "about 150 times"),
        (7.389, ["7 times", "7.4 times", "7.39 times"], "7.39 times"),
        (7.389, ["7.30", "8"], None),
        (0.0, ["−1", "0", "1"], "0"),
        (-0.5, ["0.5", "−0.5", "-0.7"], "−0.5"),
        (3.24e7, ["3 × 10⁶", "3 × 10⁷"], "3 × 10⁷"),
        (4.4e-8, ["4 × 10⁻⁸", "0.004"], "4 × 10⁻⁸"),
        (50_000, ["10", "50,000 tokens"], "50,000 tokens"),
        (math.nan, ["0", "nan, three times"], "nan, three times"),
        (math.inf, ["it is ∞", "∞: it overflows"], "∞: it overflows"),
        (math.inf, ["1", "infinity"], "infinity"),
        (-math.inf, ["1", "infinity"], None),
        (2, ["none has a number", "nor has this"], None),
        (1e300, ["1", "2"], None),
    ],
)
def test_a_value_falls_on_an_option_by_the_rule(value, texts, expected):
    assert option_of(value, dict.fromkeys(texts, "")) == expected


@pytest.mark.parametrize("value", [None, [1], np.arange(2), 1j])
def test_what_no_option_can_mean_is_a_type_error(value):
    with pytest.raises(TypeError, match=r"right\(\) returned"):
        option_of(value, OPTIONS)


@pytest.mark.parametrize(
    ("right", "falls"),
    [(lambda: share(classes=3), "no option"), (lambda: 0.9, "'about 90 %'"), (lambda: "about 20 %", "'about 20 %'")],
)
def test_a_wrong_marking_fails_and_says_so(right, falls):
    with pytest.raises(ValueError, match=rf"falls on {falls}, but 'about 45 %' is marked right"):
        options(right=right)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: predict(" ", OPTIONS, right=share, because=BECAUSE), ValueError, "question is ' '"),
        (lambda: options(because=""), ValueError, "because is ''"),
        (lambda: options(right=0.45), TypeError, r"right is 0\.45, expected a function"),
        (lambda: options(cells=-1), ValueError, "cells is -1"),
        (lambda: options(within=1), ValueError, "within is 1, expected none"),
        (lambda: predict(QUESTION, ["45 %"], right=share, because="b"), TypeError, r"answers is \['45 %'\], expected"),
        (lambda: number(0, float("inf")), ValueError, "most is inf, expected a finite number"),
        (lambda: predict(QUESTION, {"45 %": None}, right=share, because="b"), ValueError, "1 options, expected 2 to 5"),
        (
            lambda: predict(QUESTION, dict.fromkeys("abcdef", "x"), right=share, because="b"),
            ValueError,
            "6 options, expected 2 to 5",
        ),
        (
            lambda: predict(QUESTION, {"a": "x", "b": "y"}, right=share, because="b"),
            ValueError,
            "exactly one option",
        ),
        (
            lambda: predict(QUESTION, {"a": None, "b": None}, right=share, because="b"),
            ValueError,
            "exactly one option",
        ),
        (
            lambda: predict(QUESTION, {"45 %": None, "9 %": ""}, right=share, because="b"),
            ValueError,
            "the sentence of '9 %'",
        ),
        (lambda: number(1, 1), ValueError, "least is 1 and most is 1"),
        (lambda: number("0", 1), TypeError, "least is '0'"),
        (lambda: typed(within=None), ValueError, "within is None"),
        (lambda: typed(right=lambda: 101), ValueError, r"right\(\) is 101, expected a number from 0 to 100"),
        (lambda: typed(right=lambda: 86), ValueError, "falls on the slip 88"),
        (lambda: typed(right=lambda: "45"), TypeError, "expected a number"),
    ],
)
def test_wrong_arguments_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_the_right_answer_is_computed_once_when_the_cell_runs():
    calls = []
    prediction = options(right=lambda: calls.append(1) or share())
    repr(prediction), prediction_html(prediction), prediction_widget(prediction)
    assert calls == [1]


# What is said, and what is not


def test_the_text_is_the_question_and_its_options_and_not_the_answer():
    assert repr(options()) == f"{QUESTION}\n- about 90 %\n- about 45 %\n- about 20 %"
    assert repr(typed()) == f"{QUESTION}\n- A number from 0 to 100, in %"
    assert repr(options(right=lambda: "about 45 %")) == repr(options())


RIGHT = f"Right. {BECAUSE}"


@pytest.mark.parametrize(
    ("prediction", "given", "said"),
    [
        (options(), "about 45 %", RIGHT),
        (options(), "about 90 %", f"Not quite. That is against one rival. The answer is: about 45 %. {BECAUSE}"),
        (typed(), 47, RIGHT),
        (typed(), 48.2, f"Not quite. The answer is: 45.1 %. {BECAUSE}"),
        (typed(), 90, f"Not quite. That is against one rival. The answer is: 45.1 %. {BECAUSE}"),
    ],
)
def test_an_answer_is_judged_with_its_sentence_and_the_right_one(prediction, given, said):
    assert prediction.said(given) == said


def test_the_face_follows_the_variable_of_the_explorers(monkeypatch):
    monkeypatch.setenv(STATIC, "1")
    assert options()._repr_mimebundle_().keys() == {"text/html", "text/plain"}
    monkeypatch.delenv(STATIC)
    assert options()._repr_mimebundle_().keys() == {"application/vnd.jupyter.widget-view+json", "text/plain"}


# The page


def test_the_page_has_a_fieldset_named_by_the_question_and_explains_each_answer_in_a_fold():
    soup = BeautifulSoup(prediction_html(options(cells=2)), "html.parser")
    assert soup.fieldset.legend.get_text() == QUESTION
    assert soup.div["data-cells"] == "2"
    assert [radio.parent.get_text() for radio in soup.select("label > input[type=radio]")] == list(OPTIONS)
    assert len({radio["name"] for radio in soup.select("input")}) == 1
    told = soup.details.select("dt > span:first-child")
    assert [term.get_text() for term in told] == list(OPTIONS)
    assert soup.select_one("dd[data-right]").get_text() == BECAUSE
    assert not soup.details.has_attr("open")
    assert all(button.has_attr("hidden") for button in soup.select("button"))
    assert soup.select_one("[role=status]").get_text() == ""


def test_the_page_has_the_limits_of_a_number_so_that_the_script_need_not_calculate():
    soup = BeautifulSoup(prediction_html(typed()), "html.parser")
    field = soup.select_one("input[type=number]")
    assert (field["min"], field["max"], field["step"]) == ("0", "100", "any")
    assert soup.select_one(f"label[for={field['id']}]").get_text() == "Your answer, a number from 0 to 100, in %"
    right, slip = soup.select("dd")
    assert float(right["data-least"]) == pytest.approx(100 * share() - 3)
    assert (slip["data-least"], slip["data-most"]) == ("85.0", "91.0")


def test_markup_in_texts_is_text():
    prediction = predict('Is 1 < 2 & "so"?', {"yes <b>": None, 'no "': "<i>"}, right=lambda: True, because="<u>")
    soup = BeautifulSoup(prediction_html(prediction), "html.parser")
    assert soup.legend.get_text() == 'Is 1 < 2 & "so"?'
    assert [radio["value"] for radio in soup.select("input")] == ["yes <b>", 'no "']
    assert soup.select("b, i, u") == []


def test_a_page_leaves_the_code_of_a_question_to_the_notebook_and_shows_that_of_other_cells():
    def cell(code, output):
        return (
            '<div class="cell docutils container">\n<div class="cell_input docutils container">\n'
            f'<div class="highlight-python"><div class="highlight"><pre>{code}</pre></div>\n</div>\n</div>\n'
            '<div class="cell_output docutils container">\n<div class="output text_html">'
            f"{output}</div></div>\n</div>\n"
        )

    page = cell("first", "<p>1</p>") + cell("asks", prediction_html(options())) + cell("last", "<p>2</p>")
    soup = BeautifulSoup(_ASKING.sub(r"\2", page), "html.parser")
    first, asks, last = soup.select(".cell")
    assert [child["class"][0] for child in asks.find_all(recursive=False)] == ["cell_output"]
    for plain in (first, last):
        assert [child["class"][0] for child in plain.find_all(recursive=False)] == ["cell_input", "cell_output"]


# The kernel


def press(widget, name):
    (button,) = [child for child in widget.children[-2].children if child.description == name]
    button.click()


def test_in_a_kernel_choosing_and_pressing_answer_tells():
    widget = prediction_widget(options())
    title, radios, _, said = widget.children
    assert QUESTION in title.value
    assert isinstance(radios, ipywidgets.RadioButtons)
    assert radios.index is None
    press(widget, "Answer")
    assert "Choose an answer first." in said.value
    radios.value = "about 45 %"
    assert "Right" not in said.value
    press(widget, "Answer")
    assert RIGHT in said.value
    assert 'role="status"' in said.value


def test_in_a_kernel_a_number_is_typed():
    widget = prediction_widget(typed())
    _, _, field, _, said = widget.children
    assert isinstance(field, ipywidgets.FloatText)
    for value, expected in ((45, RIGHT), (10, "Not quite."), (101, "101 is not a number from 0 to 100, in %.")):
        field.value = value
        press(widget, "Answer")
        assert expected in said.value


def test_in_a_kernel_show_anyway_tells_the_answer():
    widget = prediction_widget(options())
    press(widget, "Show anyway")
    assert f"The answer is: about 45 %. {BECAUSE}" in widget.children[-1].value


@pytest.mark.kernel
def test_a_cell_with_a_wrong_marking_fails_and_one_with_a_right_one_shows_a_widget(tmp_path):
    source = "from lossprimer.explorer import predict\npredict('Is it?', {}, right=lambda: True, because='So.')"
    good, bad = source.format({"yes": None, "no": "Why not."}), source.format({"yes": "Why not.", "no": None})
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in (good, bad)])
    NotebookClient(nb, kernel_name="python3", allow_errors=True, resources={"metadata": {"path": tmp_path}}).execute()
    (_, shown), (error,) = (cell.outputs for cell in nb.cells)
    assert shown.data["text/plain"] == "Is it?\n- yes\n- no"
    assert "application/vnd.jupyter.widget-view+json" in shown.data
    assert error.evalue == "right() is True, which falls on 'yes', but 'no' is marked right"
