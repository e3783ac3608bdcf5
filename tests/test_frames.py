"""Every frame of every explorer and every figure can be read, and shows no more movement than its numbers have."""

import functools
import re
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import matplotlib.style
import numpy as np
import pytest
from matplotlib import font_manager
from matplotlib.colors import rgb_to_hsv, to_hex, to_rgb
from matplotlib.text import Text

from lossprimer.explorer.picture import Picture
from lossprimer.figures import drawing as constants
from tests.frames import NOTEBOOKS, STAND_INS, frames, shown

pytestmark = pytest.mark.frames

STYLE = str(Path(constants.__file__).parent / "primer.mplstyle")
# The width of a drawing on a phone of 375 pixels and on a desk, and the size of the text beside it.
PHONE, DESK, BODY = 343, 544, 17
# What explorer.css sets the text of a wide drawing to, in the drawing's own unit.
ON_DESK = 9.7
# Of the box of a text its ascenders and descenders are seldom there: what touches no letter does not count.
SLACK = 1.5

SHOWN = [(chapter, place) for chapter in STAND_INS for place in range({"01_softmax": 8, "02_cross_entropy": 11,
         "03_dropout": 10, "04_normalization": 13, "05_transformer": 8}[chapter])]  # fmt: skip


def title(chapter, place):
    one = shown(chapter)[place]
    return f"figure {place}" if isinstance(one, Picture) else one.title


@functools.cache
def glyphs():
    return font_manager.get_font(font_manager.findfont("DejaVu Sans"))


@functools.cache
def width_of(text, size):
    """Return how wide a text is in DejaVu Sans, which is wider than the fonts that most pages have."""
    font = glyphs()
    font.set_size(100, 72)
    return sum(font.load_char(ord(letter)).linearHoriAdvance / 65536 for letter in text) * size / 100


class Drawing:
    """What the SVG of a picture holds: the boxes of its texts, and points along its lines."""

    def __init__(self, svg):
        root = ElementTree.fromstring(svg.replace("xlink:", ""))
        self.width, self.height = (float(part) for part in root.get("viewBox").split()[2:])
        self.texts, points, grid = [], [np.zeros((0, 2))], [np.zeros((0, 2, 2))]
        self.size = float(root.get("font-size"))
        # The marks of a hatching, which "url(...)" names, stand in the drawing themselves.
        paints = {part.get(paint, "none") for part in root.iter() for paint in ("fill", "stroke")}
        self.colours = {paint for paint in paints if not paint.startswith("url(")}
        for element in seen(root):
            if element.tag == "text":
                self.texts.append(self._box(element))
            elif element.tag == "path":
                points += line(element)
                grid += grid_lines(element)
            elif element.tag == "use":
                points.append(np.array([[float(element.get("x", 0)), float(element.get("y", 0))]]))
        self.points, self.grid = np.concatenate(points), np.concatenate(grid)

    def _box(self, element):
        """Return text, size, and left, top, right and bottom of its box."""
        size, said = float(element.get("font-size", self.size)), element.text
        wide = width_of(said, size) * (1.08 if element.get("font-weight") else 1)
        x, y, turn = float(element.get("x", 0)), float(element.get("y", 0)), element.get("transform", "")
        if moved := re.search(r"translate\(([-\d.]+)[ ,]([-\d.]+)\)", turn):
            x, y = map(float, moved.groups())
        start = {"start": 0, "middle": wide / 2, "end": wide}[element.get("text-anchor", "start")]
        if re.search(r"rotate\(-90", turn):
            centre = re.search(r"rotate\(-90[ ,]+([-\d.]+)[ ,]+([-\d.]+)\)", turn)
            x, y = map(float, centre.groups()) if centre else (x, y)
            return said, size, (x - 0.78 * size, y - wide + start, x + 0.2 * size, y + start)
        return said, size, (x - start, y - 0.78 * size, x - start + wide, y + 0.2 * size)


def seen(element):
    """Yield the elements within one, but for the definitions."""
    for child in element:
        if child.tag != "defs":
            yield child
            yield from seen(child)


def opacity_of(element):
    """Return how opaque the line of a path is, or its inside where it has no line."""
    part = "fill" if element.get("stroke", "none") == "none" else "stroke"
    return float(element.get("opacity", 1)) * float(element.get(f"{part}-opacity", 1))


def grid_lines(element):
    """Return the ends of the straight lines of a path that is as faint as a grid."""
    if element.get("stroke", "none") == "none" or opacity_of(element) >= 0.2:
        return []
    return [ends[None] for ends in outlines(element.get("d")) if len(ends) == 2]


def line(element):
    """Return points along a line or an outline that is seen; grid lines, bands and cells may have text on them."""
    stroke, opacity = element.get("stroke", "none"), opacity_of(element)
    if (stroke == "none" and element.get("fill") in (None, "none")) or opacity < 0.3:
        return []
    if stroke == "none" and opacity < 1:
        return []
    # Across a text its box is wider than most fonts are anyway: the width of a line counts above and below.
    half = np.array([0, float(element.get("stroke-width", 0)) / 2 if stroke != "none" else 0])
    inside = along(element.get("d"))
    return [inside - half, inside + half]


# Most paths of a drawing are the same at the next setting.
@functools.lru_cache(maxsize=1000)
def along(path):
    """Return points along a path, less than one unit apart in each direction."""
    parts = [np.zeros((0, 2))]
    for ends in outlines(path):
        steps = np.diff(ends, axis=0)
        counts = np.abs(steps).max(axis=1, initial=0).astype(int) + 2
        # Of each step its start, its stop, and what is between them.
        number = np.arange(counts.sum()) - np.repeat(counts.cumsum() - counts, counts)
        share = number / np.repeat(counts - 1, counts)
        parts.append(np.repeat(ends[:-1], counts, axis=0) + share[:, None] * np.repeat(steps, counts, axis=0))
    return np.concatenate(parts)


@functools.lru_cache(maxsize=1000)
def outlines(path):
    """Return the points of each part of a path, control points too; what is closed ends where it began."""
    here, ends, found = np.zeros(2), [], []
    for command, arguments in re.findall(r"([MlqcZz])([^MlqcZz]*)", path):
        steps = np.array(re.findall(r"-?\d*\.?\d+", arguments), dtype=float).reshape(-1, 2)
        if command == "M":
            here = steps[0]
            ends = [here]
            found.append(ends)
        elif command in "Zz":
            here = ends[0]
            ends.append(here)
        else:
            together = {"l": 1, "q": 2, "c": 3}[command]
            for group in steps.reshape(-1, together, 2):
                ends.extend(here + group)
                here = ends[-1]
    return [np.array(ends) for ends in found]


class Frame:
    """What the tests ask of a picture; its figure is let go, as all of them at a time take more than a gigabyte."""

    def __init__(self, picture):
        self.sentence, self.svg, figure = picture.sentence, picture.svg(), picture.figure
        self.drawing = Drawing(self.svg)
        self.size, self.panels = figure.get_size_inches().tolist(), [*map(Panel, figure.axes)]
        # Texts of several lines that do not begin at the left.
        lines = [text for text in figure.findobj(Text) if "\n" in text.get_text()]
        self.uneven = [text.get_text() for text in lines if text.get_ha() != "left"]


class Panel:
    """What the tests ask of a pair of axes."""

    def __init__(self, axes):
        labels, ticks, (low, high) = axes.get_yticklabels(), axes.get_yticks(), axes.get_ylim()
        limits = (*(axes.get_xlim() if measured(axes) else ()), low, high)
        # Limits, scale, place and ticks.
        self.measures = (
            [round(float(value), 9) for value in limits],
            axes.get_xscale(),
            axes.get_yscale(),
            axes.get_position().bounds,
            [float(tick) for tick in ticks],
            [label.get_text() for label in labels],
        )
        # Rows are counted from above.
        self.beside_rows = {label.get_va() for label in labels if axes.axison and low > high}


@functools.lru_cache(maxsize=1)
def looks(chapter, place):
    """Return what is seen of an explorer by its settings, or of a figure."""
    return {setting: Frame(picture) for setting, picture in frames(shown(chapter)[place])}


@pytest.fixture(scope="module", params=SHOWN, ids=lambda one: f"{one[0][:2]}-{one[1]}")
def one(request):
    """Return each explorer and each figure in turn: all tests look at one before the next is drawn."""
    return request.param


def test_every_explorer_and_figure_of_a_chapter_is_looked_at():
    assert [(chapter, place) for chapter in STAND_INS for place in range(len(shown(chapter)))] == SHOWN


def test_all_settings_have_the_same_axes(one):
    """Limits, scale, place and ticks: a length means the same number at each setting."""
    if title(*one) in STORIES:
        return
    found = {}
    for setting, frame in looks(*one).items():
        found.setdefault(repr((frame.size, [panel.measures for panel in frame.panels])), setting)
    assert len(found) == 1, f"{title(*one)}: {found}"


def measured(panel):
    """Return whether the x axis of a panel has a scale, and not one place for each class, feature or token."""
    ticks = panel.get_xticks()
    return panel.get_xscale() != "linear" or (len(ticks) > 0 and np.abs(panel.get_xlim() - ticks[[0, -1]]).max() > 0.9)


# Steps through a story whose quantity changes.
STORIES = {"The softmax recipe"}


def test_no_control_is_dead(one):
    """Whatever the other controls are set to, each one changes the picture or its sentence."""
    explorer = shown(one[0])[one[1]]
    for place, name in enumerate([] if isinstance(explorer, Picture) else explorer.controls):
        found = {}
        for setting, frame in looks(*one).items():
            others = setting[:place] + setting[place + 1 :]
            found.setdefault(others, set()).add((frame.sentence, frame.svg))
        dead = [others for others, different in found.items() if len(different) == 1]
        assert [others for others in dead if others not in IDLE.get((title(*one), name), ())] == [], name


# With two classes, the first choice, there is one other class: the rest has nothing to be spread over.
IDLE = {("What one probability does not tell", "rest"): {(p, 0) for p in range(13)}}


def faults(drawing):
    """Yield what is wrong with the texts of a drawing."""
    texts = [said for said, _, _ in drawing.texts]
    left, top, right, bottom = np.reshape([box for _, _, box in drawing.texts], (-1, 4)).T
    outside = (left < -1) | (top < -1) | (right > drawing.width + 1) | (bottom > drawing.height + 1)
    yield from (f"{texts[place]!r} leaves the picture" for place in np.flatnonzero(outside))
    # Two boxes that share more than a sliver, each two of them once.
    shared = np.minimum(right, right[:, None]) - np.maximum(left, left[:, None]) > SLACK
    shared &= np.minimum(bottom, bottom[:, None]) - np.maximum(top, top[:, None]) > SLACK
    yield from (f"{texts[place]!r} lies on {texts[other]!r}" for place, other in np.argwhere(np.tril(shared, -1)))
    x, y = drawing.points.T[..., None]
    on = (x > left + SLACK) & (x < right - SLACK) & (y > top + SLACK) & (y < bottom - SLACK)
    yield from (f"{texts[place]!r} lies on a line" for place in np.flatnonzero(on.any(axis=0)))


def test_no_text_lies_on_another_on_a_line_or_outside(one):
    found = {}
    for setting, frame in looks(*one).items():
        for fault in faults(frame.drawing):
            found.setdefault(fault, setting)
    assert found == {}, title(*one)


def test_no_grid_line_strikes_through_a_text(one):
    found = {}
    for setting, frame in looks(*one).items():
        (x_low, y_low), (x_high, y_high) = np.sort(frame.drawing.grid, axis=1).transpose(1, 2, 0)
        for said, size, (left, _, right, bottom) in frame.drawing.texts:
            # Of the box the part that all digits fill.
            top, bottom = bottom - 0.9 * size, bottom - 0.2 * size
            if ((x_low < right - 1) & (x_high > left + 1) & (y_low < bottom - 1) & (y_high > top + 1)).any():
                found.setdefault(said, setting)
    assert found == {}, title(*one)


def test_each_line_of_a_centred_text_is_centred_in_any_font(one):
    """Matplotlib places the lines of one text by the widths of its own font."""
    assert {setting: frame.uneven for setting, frame in looks(*one).items() if frame.uneven} == {}


def test_what_stands_beside_a_row_stands_at_its_height(one):
    """The tick of a row, with a text in it or a bar, is centred as texts are."""
    for frame in looks(*one).values():
        assert [panel.beside_rows for panel in frame.panels if panel.beside_rows - {"center"}] == [], title(*one)


def test_text_is_neither_too_small_on_a_phone_nor_larger_than_the_text_beside_it(one):
    for drawing in (frame.drawing for frame in looks(*one).values()):
        sizes = {size for _, size, _ in drawing.texts}
        assert min(sizes) * PHONE / drawing.width >= 11, title(*one)
        # The size at the root is what the style sheet sets.
        own = sizes - {drawing.size} | {ON_DESK}
        assert max(own) * DESK / drawing.width <= BODY, title(*one)


FOREIGN = re.compile(r"(?<![\w.])-\d|\d[eE][-+]?\d|\^-?\d|(?<![\w])-inf|\d%")


def test_numbers_are_written_one_way(one):
    """With a true minus sign, powers of ten as by hand, and a space before a percent sign."""
    explorer = shown(one[0])[one[1]]
    controls = () if isinstance(explorer, Picture) else explorer.controls.values()
    said = {text for control in controls for text in control.texts}
    for frame in looks(*one).values():
        said |= {text for text, _, _ in frame.drawing.texts} | {frame.sentence}
    assert {text for text in said if FOREIGN.search(text)} == set()


# The colours of book/notation.md, in its order: each has the name of a constant of lossprimer/figures/drawing.py.
MEANINGS = ("THING", "RIVAL", "MARK", "GROUP", "REFERENCE")
NAMES = {"orange": (15, 40), "brown": (41, 60), "green": (150, 175), "blue": (195, 215), "purple": (300, 325),
         "red": (335, 355)}  # fmt: skip


@functools.cache
def painted(colour):
    """Return "C0" as the style of the course paints it."""
    with mpl.style.context(STYLE, after_reset=True):
        return to_hex(colour)


def in_words(colour):
    """Return the name of a colour by its hue."""
    hue, saturation, _ = rgb_to_hsv(to_rgb(colour))
    return (
        next((name for name, (low, high) in NAMES.items() if low <= 360 * hue <= high), None) if saturation else "grey"
    )


def test_a_picture_has_only_the_colours_that_have_a_meaning(one):
    known = {painted(colour) for colour in (*(getattr(constants, name) for name in MEANINGS), *constants.SERIES)}
    for setting, frame in looks(*one).items():
        assert frame.drawing.colours <= known | {"none", "currentColor"}, (title(*one), setting)


def test_the_page_of_notation_says_what_each_colour_means():
    page = (NOTEBOOKS.parent / "book" / "notation.md").read_text("utf-8").partition("## Colours")[2]
    rows = re.findall(r"^\| (\w+) \| (.+) \|$", page, re.M)[1:]
    assert [name for name, _ in rows] == [in_words(painted(getattr(constants, name))) for name in MEANINGS]
    assert [meaning for (_, said), meaning in zip(rows, MEANINGS, strict=True) if meaning.lower() not in said] == []
    more = [in_words(painted(colour)) for colour in constants.SERIES[2:]]
    assert f"Where there are further rivals, they are {' and '.join(more)}." in page
    assert len({painted(colour) for colour in constants.SERIES}) == len(constants.SERIES) == 4
