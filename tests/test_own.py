"""A reader's own numbers: what a field takes, what is said of the rest, and the way to Python and back."""

from functools import partial

import numpy as np
import pytest
from matplotlib.figure import Figure

from lossprimer import figures
from lossprimer.explorer import choice, explore, matrix, numbers, own, slider, steps
from lossprimer.explorer.own_html import PYTHON
from lossprimer.explorer.shown import STATIC
from lossprimer.explorer.static import explorer_html

SCORES = numbers("Your scores", least=2, most=4, low=-np.inf, high=100)
SETS = {"three": (2, 1, 0.5), "a tie": (2, 2)}


def softmax_of(draw):
    return explore(
        draw,
        title="Softmax",
        own={"scores": SCORES},
        temperature=slider("Temperature T", [0.5, 1, 2], initial=1),
        scores=choice("Scores", SETS),
    )


@pytest.fixture
def softmax():
    return softmax_of(figures.temperature)


def blank(temperature, scores):
    return Figure(), f"T = {temperature:g}, scores {', '.join(f'{score:g}' for score in scores)}."


@pytest.fixture
def blanks():
    """Return the same explorer of pictures with nothing in them, where only sentences and fields are looked at."""
    return softmax_of(blank)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("2, 1, 0.5", (2, 1, 0.5)),
        (" 2 1   -0.5 ", (2, 1, -0.5)),
        ("1e1,−3,", (10, -3)),
        ("0, −∞", (0, -np.inf)),
        ("0 \t-inf\n", (0, -np.inf)),
        ("0, 1;", (0, 1)),
    ],
)
def test_numbers_are_read_as_people_write_them(text, values):
    assert SCORES.read(text) == values


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "no numbers"),
        (" , ;", "no numbers"),
        ("1", "1 number"),
        ("1; 2", "2 rows"),
        ("0,5; 1", "2 rows"),
        ("1, 2, 3, 4, 5", "5 numbers"),
        ("1, two", "“two”"),
        ("1, nan", "nan"),
        ("1, 101", "101"),
        ("1, inf", "inf"),
        ("1," * 5000, "10,000 characters"),
        ("<b>, 2", "“<b>”"),
    ],
)
def test_what_is_no_such_number_is_named(text, found):
    with pytest.raises(ValueError, match="^found ") as refused:
        SCORES.read(text)
    expected = "2 to 4 numbers with commas between them, each at most 100, or -inf"
    assert str(refused.value) == f"found {found}, expected {expected}"


def test_whole_numbers_are_whole():
    field = numbers("Labels", low=0, high=9, whole=True)
    assert field.read("3, 0") == (3, 0)
    assert all(isinstance(label, int) for label in field.read("3, 4"))
    with pytest.raises(ValueError, match=r"found 0\.5, expected 1 to 10 whole numbers"):
        field.read("0.5")


def test_a_matrix_has_rows_of_one_length():
    field = matrix("Your matrix", rows=(2, 3), columns=(1, 2))
    assert field.read("1, 2; 3, 4") == field.read("1 2\n3 4\n") == ((1, 2), (3, 4))
    for text, found in {
        "1, 2; 3": "rows of 2 and of 1 numbers, expected equal ones",
        "1, 2": "1 row, expected 2 to 3 rows",
        "1, 2, 3; 4, 5, 6": "3 columns",
        "": "no rows",
    }.items():
        with pytest.raises(ValueError, match=f"found {found}"):
            field.read(text)


@pytest.mark.parametrize("field", [SCORES, matrix("M", rows=(2, 2), columns=(3, 3)), numbers("W", whole=True, most=1)])
def test_a_field_reads_what_it_writes(field):
    rng = np.random.default_rng(0)
    value = rng.integers(-9, 9, size=(2, 3) if field.rows else field.most) / (1 if field.whole else 4)
    assert np.array_equal(field.read(field.write(value)), value)


def test_a_field_begins_with_what_is_drawn_without_it(softmax):
    assert softmax.own["scores"].initial == "2, 1, 0.5"
    bound = explore(
        partial(figures.dropout_average, activations=np.array([1.0, -0.5])),
        own={"activations": numbers("Yours")},
        keep_prob=slider("Keep", [0.5]),
        seed=slider("Mask", [1]),
    )
    assert bound.own["activations"].initial == "1, −0.5"


def test_what_is_typed_is_drawn_by_the_same_function(softmax):
    found = own.answer(own.packed(softmax), [2, 0], {"scores": "3, 1"})
    assert found["sentence"] == figures.temperature(2, (3, 1)).sentence
    assert found["svg"].startswith("<svg")
    assert found["dark"]


def test_an_explorer_travels_without_its_pictures(softmax):
    before = own.packed(softmax)
    softmax.picture((1, 0))
    assert own.packed(softmax) == before
    assert len(before) < 1000


def test_what_a_field_refuses_is_told_for_that_field(softmax):
    assert own.answer(own.packed(softmax), [2, 0], {"scores": "x"})["errors"].keys() == {"scores"}


def test_what_the_function_refuses_is_told_in_its_own_words():
    loss = explore(
        partial(figures.batch_loss, probabilities=[[0.7, 0.3]], labels=[0]),
        own={"probabilities": matrix("p", low=0, high=1), "labels": numbers("Labels", low=0, whole=True)},
        loss=choice("Loss", ["log", "squared"]),
    )
    refused = own.answer(own.packed(loss), [0], {"probabilities": "0.5, 0.4", "labels": "0"})
    assert refused == {"errors": {"probabilities": "probabilities add up to 0.9 in row 1, expected 1"}}
    refused = own.answer(own.packed(loss), [0], {"probabilities": "0.5, 0.5", "labels": "2"})
    assert refused == {"errors": {"labels": "labels holds 2, expected classes from 0 to 1"}}


def test_steps_take_own_numbers_too():
    recipe = steps(
        "Recipe", [partial(figures.recipe, scores=(2, 1), stage=stage) for stage in (1, 2)], own={"scores": SCORES}
    )
    found = own.answer(own.packed(recipe), [1], {"scores": "0, 1"})
    assert found["sentence"] == figures.recipe((0, 1), 2).sentence


@pytest.mark.parametrize(
    ("draw", "fields", "error"),
    [
        (figures.temperature, {"scores": "a text"}, TypeError),
        (figures.temperature, {"score": SCORES}, TypeError),
        (lambda temperature, scores: None, {"scores": SCORES}, ValueError),
        (figures.recipe, {"scores": SCORES}, ValueError),
    ],
)
def test_fields_that_cannot_work_are_refused(draw, fields, error):
    control = {"stage": slider("Stage", [1])} if draw is figures.recipe else {"temperature": slider("T", [1])}
    with pytest.raises(error, match="own"):
        explore(draw, own=fields, **control)


@pytest.mark.parametrize(
    "wrong", [{"label": " "}, {"label": "x", "least": 3, "most": 2}, {"label": "x", "low": 1, "high": 0}]
)
def test_impossible_fields_are_refused(wrong):
    label = wrong.pop("label")
    with pytest.raises(ValueError, match="label is|expected at most"):
        numbers(label, **wrong)


def test_a_page_has_the_fields_where_it_can_start_python(blanks, monkeypatch):
    monkeypatch.setenv(STATIC, "1")
    monkeypatch.delenv(PYTHON, raising=False)
    assert "Your own numbers" not in explorer_html(blanks)
    monkeypatch.setenv(PYTHON, "./live/python.js")
    assert "Your own numbers" in explorer_html(blanks)


def widgets_of(widget, kind):
    """Return the widgets of a kind among all that a widget holds."""
    inner = [found for child in getattr(widget, "children", ()) for found in widgets_of(child, kind)]
    return ([widget] if type(widget).__name__ == kind else []) + inner


def test_in_a_kernel_the_fields_are_widgets(blanks):
    from lossprimer.explorer.live import explorer_widget

    widget = explorer_widget(blanks)
    (field,) = widgets_of(widget, "Text")
    view = next(html for html in widgets_of(widget, "HTML") if "<figure" in html.value)
    draw = next(button for button in widgets_of(widget, "Button") if button.description == "Draw")
    given = view.value
    field.value = "1, 2, x"
    draw.click()
    assert view.value == given
    assert any("found “x”" in told.value for told in widgets_of(widget, "HTML"))
    field.value = "1, 3"
    draw.click()
    assert blank(1, (1, 3))[1] in view.value
    slider_ = widgets_of(widget, "SelectionSlider")[0]
    slider_.index = 2
    assert blank(2, (1, 3))[1] in view.value
    # Who chooses among the given scores wants those.
    widgets_of(widget, "RadioButtons")[0].index = 1
    assert blank(2, (2, 2))[1] in view.value
    draw.click()
    reset = next(button for button in widgets_of(widget, "Button") if button.description == "Reset")
    reset.click()
    assert view.value == given
    # Also where no control has moved.
    draw.click()
    assert view.value != given
    reset.click()
    assert view.value == given
