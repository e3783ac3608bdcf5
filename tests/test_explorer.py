"""Explorers: what they accept, the live callbacks, and the markup of the static face."""

import json
import math
import os
import re
from functools import partial
from html import escape
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import pytest
from ipywidgets import Dropdown, Output, RadioButtons
from matplotlib.figure import Figure

from lossprimer.explorer import choice, explore, pictured, slider, steps
from lossprimer.explorer.frames import pack
from lossprimer.explorer.live import explorer_widget
from lossprimer.explorer.shown import STATIC
from lossprimer.explorer.static import explorer_html
from tests.building import build, build_and_keep

CALLS = []


@pictured
def line(height=1.0, kind="solid"):
    CALLS.append((height, kind))
    figure = Figure()
    figure.add_subplot().plot([0, 1], [0, height], linestyle=kind)
    return figure, f"A {kind} line up to {height:g}."


@pytest.fixture(autouse=True)
def _forget_calls():
    CALLS.clear()


def lines():
    return explore(
        line,
        title="Lines & heights",
        height=slider("Height h", [0.5, 1, 2], initial=1),
        kind=choice("Kind", {"whole": "solid", "broken <line>": "dashed"}),
    )


# Shared: an explorer changes in nothing but the pictures that it keeps.
@pytest.fixture(scope="module")
def explorer():
    return lines()


@pytest.fixture(scope="module")
def markup(explorer):
    return explorer_html(explorer)


@pytest.fixture(scope="module")
def stepper():
    return steps("Three lines", [partial(line, height) for height in (1, 2, 3)])


@pytest.fixture(scope="module")
def step_markup(stepper):
    return explorer_html(stepper)


# What a drawing and its controls may be


def test_shows_its_title_and_initial_sentence_as_text(explorer):
    assert repr(explorer) == "Lines & heights: A solid line up to 1."


def test_title_comes_from_the_drawing_function_by_default():
    assert explore(line, height=slider("h", [1])).title == "Line"


def test_a_drawing_may_have_a_parameter_named_draw():
    @pictured
    def numbered(draw):
        return Figure(), f"Draw {draw:g}."

    assert repr(explore(numbered, draw=slider("Draw", [1, 2]))) == "Numbered: Draw 1."


def test_a_setting_seen_before_is_not_drawn_again():
    explorer = lines()
    for setting in [(0, 0), (1, 0), (0, 0), [0, 0]]:
        explorer.picture(setting)
    assert CALLS == [(0.5, "solid"), (1, "solid")]


def blank(height):
    return Figure(), f"Nothing up to {height:g}."


@pytest.mark.parametrize("draw", [blank, pictured(blank), lambda height: list(blank(height))])
def test_a_drawing_function_returns_a_picture_or_a_figure_and_its_sentence(draw):
    explorer = explore(draw, title="Blanks", height=slider("h", [1, 2]))
    assert repr(explorer) == "Blanks: Nothing up to 1."
    assert "Nothing up to 2." in explorer_html(explorer)
    assert repr(steps("Steps", [partial(draw, 2), partial(draw, 3)])) == "Steps: Nothing up to 2."


def test_figures_of_pyplot_are_not_shown_beside_the_explorer():
    def draw(height):
        figure, axes = plt.subplots()
        axes.plot([0, height])
        return figure, f"Up to {height}."

    explorer_html(explore(draw, height=slider("h", [1, 2])))
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: slider("h", []), ValueError, "the control 'h' has no values"),
        (
            lambda: slider("h", [1, 2], initial=3),
            ValueError,
            r"initial of 'h' is 3, expected one of \[1, 2\]",
        ),
        (
            lambda: slider("h", [1, "2"]),
            TypeError,
            "values of the slider 'h' hold '2', expected real numbers",
        ),
        (
            lambda: slider("h", [0.1, 0.12], format="{:.1f}"),
            ValueError,
            "the control 'h' shows '0.1' for two",
        ),
        (lambda: slider(" ", [1]), ValueError, "label is ' ', expected the words"),
        (lambda: choice("k", {}), ValueError, "the control 'k' has no values"),
        (lambda: choice("k", ["a"], initial="b"), ValueError, "initial of 'k' is 'b', expected one of"),
        (lambda: choice("k", {1: 2}), TypeError, "hold the name 1, expected a string"),
        (lambda: explore(line), ValueError, "explore got 0 controls, expected 1 to 3"),
        (lambda: explore(line, height=3), TypeError, "height is 3, expected a slider or a choice"),
        (
            lambda: explore(line, width=slider("w", [1])),
            TypeError,
            "width is a control, expected a parameter",
        ),
        (
            lambda: explore(line, height=slider("h", range(151)), kind=choice("k", ["solid", "dashed"])),
            ValueError,
            "302 settings in all, expected at most 300",
        ),
        (lambda: slider("h", 3), TypeError, "values of the slider 'h' are 3, expected real numbers"),
        (lambda: slider("h", [True]), TypeError, "values of the slider 'h' hold True, expected real numbers"),
        (lambda: slider("h", [math.nan]), TypeError, "values of the slider 'h' hold nan, expected real numbers"),
        (lambda: choice("h", "ab"), TypeError, "options of the choice 'h' are 'ab', expected names"),
        (lambda: explore("line", h=slider("h", [1, 2])), TypeError, "draw is 'line', expected a function"),
        (lambda: steps("One", 3), TypeError, "drawings is 3, expected a sequence of functions"),
        (lambda: steps("One", [line, 3]), TypeError, "a drawing is 3, expected a function"),
        (
            lambda: explorer_html(explore(line, height=slider("h", [1], along=1))),
            ValueError,
            "along of 'h' is 1, expected one of 1 axes from 0",
        ),
        (lambda: explore(line, title="?!", height=slider("h", [1])), ValueError, r"title is '\?!', expected the words"),
        (lambda: steps("", [line, line]), ValueError, "title is '', expected the words"),
        (lambda: steps("One", [line]), ValueError, "drawings holds 1, expected at least 2 steps"),
        (
            lambda: repr(explore(lambda h: "text", h=slider("h", [1]))),
            TypeError,
            "'Lambda' drew a str, expected a Picture, or a pair: a figure and its sentence",
        ),
        (
            lambda: repr(explore(lambda h: (1, 2, 3), h=slider("h", [1]))),
            TypeError,
            "drew a tuple, expected a Picture, or a pair",
        ),
        (
            lambda: repr(explore(lambda h: ("figure", "sentence"), h=slider("h", [1]))),
            TypeError,
            "figure is a str, expected a matplotlib Figure",
        ),
    ],
)
def test_a_wrong_argument_is_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("drawn", "error"),
    [(lambda f: 1 / 0, ZeroDivisionError), (lambda f: f, TypeError), (lambda f: (f, ""), ValueError)],
)
def test_an_error_of_a_drawing_says_at_which_setting(drawn, error):
    def draw(height, kind):
        return drawn(Figure()) if (height, kind) == (2, "dashed") else (Figure(), "A line.")

    controls = {"height": slider("h", [1, 2]), "kind": choice("k", {"whole": "solid", "broken": "dashed"})}
    explorer = explore(draw, title="Lines", **controls)
    assert repr(explorer) == "Lines: A line."
    with pytest.raises(error) as caught:
        explorer_html(explorer)
    assert caught.value.__notes__ == ["This was 'Lines' at height = 2, kind = broken."]


@pytest.mark.parametrize(
    ("title", "name"),
    [("Größe & „Maß“", "größe-maß"), ("Πιθανότητα", "πιθανότητα"), ("概率 p", "概率-p"), ("A_b  (2)", "a-b-2")],
)
def test_a_title_in_any_script_gives_an_id(title, name):
    markup = explorer_html(explore(blank, title=title, height=slider("h", [1, 2])))
    assert Elements(markup).of("figure")[0]["id"] == name


# The live face: real ipywidgets, moved as a reader moves them


def parts(widget):
    """Return the rows of controls, the picture, and the button that resets them."""
    head, *rows, view = (child for child in widget.children if not isinstance(child, Output))
    _title, reset = head.children
    return rows, view, reset


@pytest.mark.parametrize(("version", "scripts"), [("7.7.1", 0), ("8.1.5", 1)])
def test_the_script_for_screen_readers_is_left_out_where_it_would_keep_the_explorer_away(
    explorer, monkeypatch, version, scripts
):
    monkeypatch.setattr("ipywidgets.__version__", version)
    assert sum(isinstance(child, Output) for child in explorer_widget(explorer).children) == scripts


def test_moving_the_live_slider_replaces_picture_and_sentence(explorer):
    (row, _), view, _ = parts(explorer_widget(explorer))
    before = view.value
    row.children[0].value = "2"
    assert "A solid line up to 2." in view.value
    assert view.value != before


def test_live_controls_show_values_and_work_together(explorer):
    (row, names), view, _ = parts(explorer_widget(explorer))
    slider_widget, ends = row.children
    assert (slider_widget.value, names.value) == ("1", "whole")
    assert (slider_widget.description, ends.value) == ("Height h", "0.5 to 2")
    names.index = 1
    slider_widget.index = 0
    assert "A dashed line up to 0.5." in view.value


def test_live_names_are_radio_buttons_if_few_and_a_list_if_many(explorer):
    (_, few), _, _ = parts(explorer_widget(explorer))
    (many,), _, _ = parts(explorer_widget(explore(blank, height=choice("h", {str(n): n for n in range(7)}))))
    assert (type(few), type(many)) == (RadioButtons, Dropdown)


def test_the_live_reset_brings_every_control_back(explorer):
    (row, names), view, reset = parts(explorer_widget(explorer))
    names.index, row.children[0].index = 1, 0
    reset.click()
    assert (row.children[0].value, names.value) == ("1", "whole")
    assert "A solid line up to 1." in view.value


def test_the_live_slider_answers_while_it_is_dragged(explorer):
    (row, _), _, _ = parts(explorer_widget(explorer))
    assert row.children[0].continuous_update


def test_live_steps_go_forward_and_back_and_stop_at_the_ends(stepper):
    (row,), view, _ = parts(explorer_widget(stepper))
    back, text, forward = row.children
    back.click()
    assert text.value == "1 / 3"
    forward.click()
    forward.click()
    assert text.value == "3 / 3"
    assert "A solid line up to 3." in view.value
    forward.click()
    # A button that is disabled when it is pressed loses the focus.
    assert not back.disabled
    assert not forward.disabled
    back.click()
    assert text.value == "2 / 3"
    assert "A solid line up to 2." in view.value


def test_a_kernel_gets_widgets_and_the_book_gets_markup(monkeypatch):
    explorer = explore(line, height=slider("h", [1]))
    monkeypatch.delenv(STATIC, raising=False)
    live = explorer._repr_mimebundle_()
    assert set(live) == {"application/vnd.jupyter.widget-view+json", "text/plain"}
    monkeypatch.setenv(STATIC, "1")
    static = explorer._repr_mimebundle_()
    assert set(static) == {"text/html", "text/plain"}
    assert live["text/plain"] == static["text/plain"] == repr(explorer)


@pytest.mark.parametrize(("settings", "face"), [({}, "1"), ({"explorer_static": False}, None)])
def test_the_configuration_of_a_book_says_which_face_its_kernels_show(settings, face, tmp_path, monkeypatch):
    monkeypatch.setenv(STATIC, "left over")
    (tmp_path / "index.rst").write_text("A page\n======\n")
    settings |= {"extensions": ["lossprimer.explorer.extension"], "project": "A book"}
    assert build_and_keep(tmp_path, tmp_path / "site", settings) == ""
    assert os.environ.get(STATIC) == face
    page = (tmp_path / "site" / "index.html").read_text("utf-8")
    for name in ("explorer.js", "explorer.css"):
        assert (tmp_path / "site" / "_static" / name).is_file()
        assert f"_static/{name}" in page


def test_a_book_warns_of_two_explorers_with_one_title(markup, tmp_path):
    both = markup + explorer_html(explore(blank, title="Another", height=slider("h", [1])))
    heading = "Another\n=======\n\n"
    pages = {
        "index": heading + raw(both),
        "twice": "Twice\n=====\n\n" + raw(both + markup),
        "once": raw(both),
    }
    for name, page in pages.items():
        (tmp_path / f"{name}.rst").write_text(f":orphan:\n\n{page}", "utf-8")
    settings = {"extensions": ["lossprimer.explorer.extension"], "project": "A book"}
    said = build(tmp_path, tmp_path / "site", settings).splitlines()
    assert len(said) == 2
    (twice,) = [
        line for line in said if "twice.rst: WARNING: 'lines-heights' is the id of 2 elements of the page" in line
    ]
    (heading,) = [line for line in said if "index.rst: WARNING: 'another' is the id of 2 elements of the page" in line]
    assert "an explorer has it from its title" in twice


def raw(markup):
    """Return a directive that puts markup into a page."""
    return f".. raw:: html\n\n   {markup}\n"


# The static face


class Elements(HTMLParser):
    """Collect the start tags of some markup."""

    def __init__(self, markup):
        super().__init__()
        self.found = []
        self.feed(markup)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def of(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


def embedded(markup):
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', markup, re.S)[1])


def test_static_controls_are_native_labelled_and_disabled_until_the_script_runs(markup):
    elements = Elements(markup)
    slider_input, *radios = elements.of("input")
    assert slider_input["type"] == "range"
    assert slider_input["aria-valuetext"] == "1"
    assert [radio["type"] for radio in radios] == ["radio"] * 2
    assert ["checked" in radio for radio in radios] == [True, False]
    assert all("disabled" in control for control in (slider_input, *radios, *elements.of("button")))
    assert [label["for"] for label in elements.of("label") if "for" in label] == [slider_input["id"]]


@pytest.mark.parametrize(
    ("control", "named"),
    [
        (choice("k", list("abcdef")), True),
        (choice("k", list("abcdefg")), False),
        (slider("k", [1, 2, 3]), False),
        (slider("k", [-1, 1e-6, float("inf")]), False),
        (slider("k", [0.1, 0.2], format="{:.0%}"), False),
        (slider("k", range(3), format=["0: the batch", "1: the features", "both"].__getitem__), True),
    ],
)
def test_a_few_names_are_radio_buttons_side_by_side(control, named):
    elements = Elements(explorer_html(explore(lambda k: (Figure(), f"It is {k}."), k=control)))
    roles = {attributes.get("role") for _, attributes in elements.found}
    assert ("radiogroup" in roles) == named
    assert len(elements.of("select")) == (control.kind == "choice" and not named)


def test_the_ends_of_a_track_are_its_first_and_last_value(markup):
    track = re.search(r'<div class="explorer-track">.*?</div>', markup)[0]
    assert re.findall(r"<span[^>]*>([^<]*)</span>", track) == ["0.5", "2"]


def test_values_are_written_as_by_hand():
    values = [-10, -0.5, 0, 1e-6, 2.5e-7, 709.78, 1e20, float("inf")]
    assert slider("v", values).texts == ("−10", "−0.5", "0", "10⁻⁶", "2.5 × 10⁻⁷", "709.78", "10²⁰", "∞")


def test_static_ids_are_unique_and_every_reference_to_one_resolves(markup):
    elements = Elements(markup).found
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in elements:
        assert {attributes.get("aria-labelledby"), attributes.get("for")} <= {None, *ids}


def test_static_markup_holds_the_initial_picture_and_sentence(explorer, markup):
    assert explorer.picture(explorer.initial).svg("lines-heights-") in markup
    assert re.search(r"<figcaption[^>]*><span[^>]*>A solid line up to 1\.</span></figcaption>", markup)
    # Room is kept for the longest of all sentences.
    assert [caption["data-longest"] for caption in Elements(markup).of("figcaption")] == ["A dashed line up to 0.5."]


def test_static_data_holds_every_picture_and_sentence_exactly(explorer, markup):
    data = embedded(markup)
    settings = [(height, kind) for height in range(3) for kind in range(2)]
    drawings = [explorer.picture(setting).svg("lines-heights-") for setting in settings]
    assert unpack(drawings[settings.index(explorer.initial)], data["shapes"]) == drawings
    assert data["sentences"] == [explorer.picture(setting).sentence for setting in settings]
    assert data["texts"] == [["0.5", "1", "2"], ["whole", "broken <line>"]]


def test_static_values_are_read_out_as_texts_by_the_controls_and_not_once_more_beside_them(step_markup):
    places = Elements(explorer_html(explore(blank, height=slider("Height h", [10, 20]))))
    (slider_input,) = places.of("input")
    assert (slider_input["value"], slider_input["aria-valuetext"]) == ("0", "10")
    outputs = places.of("output") + Elements(step_markup).of("output")
    assert [output.get("aria-live") for output in outputs] == ["off", "off"]


def test_static_data_says_where_an_axis_is_in_the_drawing():
    def dot(place):
        figure = Figure((4, 2))
        figure.add_axes((0.1, 0.6, 0.8, 0.3), xlim=(0, 10)).plot([place], [0], "o")
        return figure, f"A dot at {place}."

    data = embedded(explorer_html(explore(dot, place=slider("Place", [0, 5, 10], along=0))))
    # In points from the upper left corner.
    assert data["axes"] == [{"at": [28.8, 144, 259.2], "box": [28.8, 14.4, 259.2, 57.6]}]


def test_static_text_cannot_leave_its_script_element():
    @pictured
    def dangerous(n):
        return Figure(), f"</script><!-- {n}"

    markup = explorer_html(explore(dangerous, n=slider("n", [1, 2])))
    assert markup.count("</script>") == 1
    assert "<!--" not in markup
    assert embedded(markup)["sentences"] == ["</script><!-- 1", "</script><!-- 2"]


def test_static_markup_has_no_inline_style_or_handler(markup, step_markup):
    for _, attributes in Elements(markup + step_markup).found:
        assert not {name for name in attributes if name == "style" or name.startswith("on")}


def unpack(initial, shapes):
    """Return all drawings that are packed in `shapes`, as explorer.js makes them."""
    found = {}
    for shape in shapes:
        tags = re.findall(r"<[^<]*", initial)
        for at, out, *into in reversed(shape["splices"]):
            tags[at : at + out] = into
        elements = [place for place, tag in enumerate(tags) if not tag.startswith("</")]
        for place, number in enumerate(shape["of"]):
            drawing = list(tags)
            for at, name, values, *which in shape["marks"]:
                value = escape(values[which[0][place] if which else place], quote=bool(name))
                tag = drawing[elements[at]]
                drawing[elements[at]] = (
                    re.sub(f' {name}="[^"]*"', lambda _, new=f' {name}="{value}"': new, tag)
                    if name
                    else f"{tag.partition('>')[0]}>{value}"
                )
            found[number] = "".join(drawing)
    return [found[number] for number in range(len(found))]


@pytest.mark.parametrize("initial", [0, 3, 19])
def test_packed_drawings_come_back_exactly_whatever_their_structure(initial):
    rectangles = '<rect x="1" y="&quot;"></rect>'
    drawings = [
        f'<svg width="{n}"><g><text>{n // 2} &lt; 9</text></g>{n % 3 * rectangles}<path d="M{n % 4}"></path></svg>'
        for n in range(20)
    ]
    assert unpack(drawings[initial], pack(drawings, initial)) == drawings


def test_drawings_of_the_same_marks_take_the_room_of_what_differs():
    drawn = line().svg()
    drawings = [drawn.replace(">0.0<", f">{height}<") for height in range(20)]
    (shape,) = pack(drawings)
    assert shape["splices"] == []
    assert len(json.dumps(shape)) < len(drawings[0])


def test_a_value_that_comes_again_is_kept_once():
    (shape,) = pack([f'<p x="{n % 2}" y="{n}">a</p>' for n in range(4)])
    assert shape["marks"] == [[0, "x", ["0", "1"], [0, 1, 0, 1]], [0, "y", ["0", "1", "2", "3"]]]
