"""Pictures: a figure and its sentence, small, coloured by the page, and named for those who cannot see it."""

import re
from xml.etree import ElementTree

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from lossprimer.picture import Picture, picture_html, pictured


@pictured
def bars(heights=(1, 2)):
    figure = Figure()
    axes = figure.add_subplot()
    axes.bar(range(len(heights)), heights, color="C1")
    axes.plot([-5, 5], [0, 3], color="C0", marker="o")
    axes.set(xlabel="x < y & z", ylim=(0, 3))
    return figure, f"Bars of {heights[0]} and {heights[1]}."


@pytest.fixture
def svg():
    return bars().svg("p-")


def test_shows_its_sentence_wherever_only_text_is_shown():
    assert repr(bars((3, 4))) == "Bars of 3 and 4."
    assert bars((3, 4))._repr_mimebundle_()["text/plain"] == "Bars of 3 and 4."


def test_html_names_the_drawing_by_the_visible_sentence():
    figure = ElementTree.fromstring(picture_html(bars()))
    drawing, caption = figure
    assert drawing.get("role") == "img"
    assert drawing.get("aria-labelledby") == caption.get("id")
    assert caption.text == "Bars of 1 and 2."


def test_svg_is_well_formed_and_keeps_text_as_text(svg):
    texts = [element.text for element in ElementTree.fromstring(svg).iter("text")]
    assert "x < y & z" in texts


def test_svg_needs_no_inline_style_and_takes_black_from_the_page(svg):
    assert "style=" not in svg
    assert "#000000" not in svg
    assert "currentColor" in svg
    assert 'fill="#b84a00"' in svg


def test_svg_ids_bear_the_prefix_and_every_reference_resolves(svg):
    ids = set(re.findall(r' id="([^"]+)"', svg))
    references = set(re.findall(r'href="#([^"]+)"', svg)) | set(re.findall(r"url\(#([^)]+)\)", svg))
    assert ids
    assert references == ids
    assert all(name.startswith("p-") for name in ids)


def test_markers_take_their_colours_from_where_they_are_used(svg):
    marker = re.search(r"<path id=[^>]*>", svg)[0]
    assert "fill" not in marker
    assert "stroke=" not in marker
    assert re.search(r'<use [^>]*fill="#0067a3" stroke="#0067a3"', svg)


def test_svg_is_hidden_from_assistive_technology_and_scales(svg):
    root = ElementTree.fromstring(svg)
    assert root.get("aria-hidden") == "true"
    assert root.get("viewBox")


def test_svg_writes_no_coordinate_with_more_than_one_decimal(svg):
    coordinates = " ".join(re.findall(r' (?:d|x|y|width|height|transform)="([^"]*)"', svg))
    assert not re.search(r"\.\d\d", coordinates)


def test_the_same_parameters_give_the_same_bytes():
    assert picture_html(bars()) == picture_html(bars())


def test_the_readers_own_settings_are_neither_used_nor_changed():
    with mpl.rc_context({"axes.linewidth": 9, "svg.fonttype": "path"}):
        inside = bars().svg()
        assert mpl.rcParams["axes.linewidth"] == 9
    assert inside == bars().svg()


def test_a_sentence_is_required():
    with pytest.raises(ValueError, match="sentence is ' ', expected the words"):
        Picture(Figure(), " ")


def test_a_figure_is_required():
    with pytest.raises(TypeError, match="figure is a str, expected a matplotlib Figure"):
        Picture("drawing", "Words.")
