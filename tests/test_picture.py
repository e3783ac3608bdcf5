"""Pictures: a figure and its sentence, small, coloured by the page, and named for those who cannot see it."""

import base64
import io
import re
from xml.etree import ElementTree

import matplotlib as mpl
import matplotlib.pyplot as plt
import matplotlib.style
import pytest
from matplotlib.figure import Figure

from lossprimer.explorer.dark import on_dark, twins
from lossprimer.explorer.picture import Picture, picture_html, pictured, styled


@pictured
def bars(heights=(1, 2)):
    figure = Figure()
    axes = figure.add_subplot()
    axes.bar(range(len(heights)), heights, color="#b84a00")
    axes.plot([-5, 5], [0, 3], color="#0067a3", marker="o")
    axes.set(xlabel="x < y & z", ylim=(0, 3))
    return figure, f"Bars of {heights[0]} and {heights[1]}."


@pytest.fixture(scope="module")
def svg():
    return bars().svg("p-")


@pytest.fixture(scope="module")
def page():
    return ElementTree.fromstring(picture_html(bars()))


def test_shows_its_sentence_wherever_only_text_is_shown():
    picture = bars((3, 4))
    assert repr(picture) == picture._repr_mimebundle_()["text/plain"] == "Bars of 3 and 4."


def test_html_names_the_drawing_by_the_visible_sentence(page):
    drawing, caption = page
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


def test_a_styled_picture_neither_uses_nor_changes_the_settings_in_force():
    styled = pictured(style="ggplot")(bars.__wrapped__)
    with mpl.rc_context({"axes.linewidth": 9, "svg.fonttype": "path"}):
        inside = styled().svg()
        assert mpl.rcParams["axes.linewidth"] == 9
    assert inside == styled().svg()
    assert inside != bars().svg()


def test_a_style_lies_on_the_defaults_and_leaves_what_is_no_matter_of_style():
    with mpl.rc_context({"lines.linewidth": 9, "timezone": "Europe/Rome"}):
        with matplotlib.style.context("ggplot", after_reset=True):
            expected = dict(mpl.rcParams)
        for _ in range(2):
            with styled("ggplot"):
                assert dict(mpl.rcParams) == expected
                mpl.rcParams["font.serif"].append("of one picture alone")
        assert mpl.rcParams["lines.linewidth"] == 9


def test_a_style_can_be_a_file_or_settings(tmp_path):
    (tmp_path / "wide.mplstyle").write_text("axes.linewidth: 9\n")
    for style in ({"axes.linewidth": 9}, str(tmp_path / "wide.mplstyle"), ["ggplot", {"axes.linewidth": 9}]):
        assert 'stroke-width="9"' in pictured(style=style)(bars.__wrapped__)().svg()


def test_a_picture_without_a_style_follows_the_settings_in_force():
    with mpl.rc_context({"axes.linewidth": 9, "svg.fonttype": "path"}):
        inside = bars().svg()
    assert 'stroke-width="9"' in inside
    assert "<text" in inside


def test_a_white_background_is_left_to_the_page_and_a_coloured_one_is_not():
    figure = Figure()
    figure.subplots(1, 2)[1].set_facecolor("#ffeecc")
    svg = Picture(figure, "Two panels.").svg()
    assert "#ffffff" not in svg
    assert svg.count('fill="#ffeecc"') == 1
    assert figure.patch.get_visible()


def test_white_inside_a_picture_stays():
    figure = Figure()
    figure.add_subplot().bar([0], [1], edgecolor="white")
    assert 'stroke="#ffffff"' in Picture(figure, "A bar.").svg()


def test_a_figure_of_pyplot_is_not_kept_for_a_second_time():
    figure, axes = plt.subplots()
    axes.plot([0, 1])
    picture = Picture(figure, "A line.")
    assert plt.get_fignums() == []
    assert "<svg" in picture.svg()
    picture.figure.savefig(io.BytesIO())


def luminance(colour):
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


# Matplotlib's own colours, those of the course, and extremes.
COLOURS = [*mpl.color_sequences["tab10"], "#0067a3", "#b84a00", "#00735a", "#9c4480", "navy", "blue", "red", "yellow"]


@pytest.mark.parametrize("colour", [mpl.colors.to_hex(colour) for colour in [*COLOURS, "0.4", "0.9", "white", "black"]])
@pytest.mark.parametrize("ground", ["#000000", "#14181e", "#222832"])
def test_a_colour_has_on_a_dark_page_at_least_the_contrast_that_it_has_on_white(colour, ground):
    # A channel is one of 256 numbers; and more than 7 : 1 is not asked for.
    assert contrast(on_dark(colour), ground) > 0.98 * min(contrast(colour, "#ffffff"), 7)


@pytest.mark.parametrize("colour", [mpl.colors.to_hex(colour) for colour in COLOURS])
def test_a_colour_keeps_its_hue_on_a_dark_page(colour):
    hues = [mpl.colors.rgb_to_hsv(mpl.colors.to_rgb(name))[0] for name in (colour, on_dark(colour))]
    assert min(abs(hues[0] - hues[1]), 1 - abs(hues[0] - hues[1])) < 0.04


def test_what_is_faint_on_white_is_faint_on_a_dark_page():
    assert contrast(on_dark("#eeeeee"), "#14181e") < 1.6


def test_html_has_the_twin_of_each_colour_of_the_drawing(page):
    told = page[0].get("data-dark")
    assert told == f"#0067a3={on_dark('#0067a3')} #b84a00={on_dark('#b84a00')}"


def test_areas_and_lines_of_all_drawings_have_their_twins_once():
    area, line = '<svg><path fill="#0067a3"></path></svg>', '<svg><path fill="none" stroke="#b84a00"></path></svg>'
    assert twins([area, line, area]) == f"#0067a3={on_dark('#0067a3')} #b84a00={on_dark('#b84a00')}"


def test_a_picture_without_colours_has_no_twins():
    assert twins(['<svg fill="currentColor"></svg>']) == ""


@pytest.mark.parametrize("settings", [{}, {"interpolation": "none"}])
def test_an_image_is_in_the_drawing_at_its_place(settings):
    figure = Figure(figsize=(3, 2))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow([[0, 1], [2, 3]], aspect="auto", extent=(0, 1, 0, 1), **settings)
    root = ElementTree.fromstring(Picture(figure, "Four squares.").svg())
    (image,) = [element for element in root.iter() if element.tag.endswith("image")]
    kind, _, data = image.attrib["href"].partition(",")
    assert kind == "data:image/png;base64"
    height, width, _ = plt.imread(io.BytesIO(base64.b64decode(data))).shape
    numbers = [float(number) for number in re.findall(r"-?[\d.]+", image.get("transform"))]
    assert image.get("image-rendering") == ("pixelated" if settings else None)
    if settings:  # a matrix takes the pixels of the data to the figure's 216 by 144 points
        assert (numbers[0] * width, abs(numbers[3]) * height) == pytest.approx((216, 144), abs=0.1)
    else:
        assert [float(image.get(side)) for side in ("width", "height")] == pytest.approx([216, 144], abs=1)


def test_a_sentence_is_required():
    with pytest.raises(ValueError, match="sentence is ' ', expected the words"):
        Picture(Figure(), " ")


def test_a_figure_is_required():
    with pytest.raises(TypeError, match="figure is a str, expected a matplotlib Figure"):
        Picture("drawing", "Words.")
