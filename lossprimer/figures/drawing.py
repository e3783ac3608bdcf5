"""What do the pictures share? Axes, labels on bars, and numbers written out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from lossprimer import explorer
from lossprimer.explorer.controls import by_hand, raised

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.container import BarContainer
    from matplotlib.figure import Figure

# matplotlib takes a while to import: only the functions that draw with it do so.

# The decorator of every drawing function of the course.
pictured = explorer.pictured(style=str(files("lossprimer.figures") / "primer.mplstyle"))

# What each colour means, in all pictures; book/notation.md tells the reader.
THING, RIVAL, MARK, GROUP, REFERENCE = "C0", "C1", "C2", "C3", "C4"
# The colours of several curves in one picture: the thing itself, its rival, and two more rivals.
SERIES = (THING, RIVAL, "C5", "C6")

MINUS = "\N{MINUS SIGN}"
# A text without width. Where a number comes and goes, it keeps the place: all drawings of an explorer have the same
# marks then, and a page has to change, and to keep, only what differs.
NOTHING = "\N{ZERO WIDTH SPACE}"
INFINITY = "\N{INFINITY}"
# How opaque a cell may be for the text on it to keep a contrast of 4.5 : 1, in light and in dark.
MOST_OPAQUE = 0.5
# What part of the height of a usual picture a text on a bar takes, with its distance from the bar.
_TEXT = 0.11
# Hatching tells two kinds of bars apart without colour.
HATCH = "////"


def new_figure(size: tuple[float, float] | None = None) -> Figure:
    """Return an empty figure of a width and height in inches, by default those of the style."""
    from matplotlib.figure import Figure

    return Figure(figsize=size)


def new_axes(*, xlabel: str, ylabel: str, size: tuple[float, float] | None = None) -> tuple[Figure, Axes]:
    """Return a figure with one pair of labelled axes and horizontal grid lines."""
    figure = new_figure(size)
    axes = figure.add_subplot()
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.grid(axis="y")
    return figure, axes


def number(value: float, digits: int = 3) -> str:
    """Return `value` with a true minus sign; an exact zero as "0", which a rounded one is not."""
    return "0" if value == 0 else f"{value:z.{digits}f}".replace("-", MINUS).replace("inf", INFINITY)


def numbers(values: Iterable[float], digits: int = 3) -> str:
    """Return `values` as a list in words."""
    return ", ".join(number(value, digits) for value in values)


def power_of_ten(exponent: int) -> str:
    """Return a power of ten as it is written by hand; 10 to the power of 0 is 1."""
    return "1" if exponent == 0 else f"10{raised(exponent)}"


def scientific(value: float, digits: int = 1) -> str:
    """Return a finite number other than 0 with a power of ten: "1.6 × 10⁻⁶"."""
    factor, power = f"{value:.{digits}e}".split("e")
    return f"{factor.replace('-', MINUS)} × {power_of_ten(int(power))}"


def listed(words: Iterable[str]) -> str:
    """Return `words` as a list in a sentence: "one, two and three"."""
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last


def fixed_ticks(axis: Axis, ticks: Sequence[float], texts: Sequence[str] | None = None) -> None:
    """Put the ticks of a logarithmic axis at `ticks` alone, written as plain numbers or as `texts`."""
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(FixedFormatter(texts or [by_hand(tick) for tick in ticks]))
    axis.set_minor_locator(NullLocator())


def label_bars(axes: Axes, bars: BarContainer, texts: Sequence[str], line: float | None = None, **look) -> None:
    """Write one text at the end of each bar: above it, below a negative one; where the height is no number, at 0.

    A text that a horizontal line at the height `line` would strike through stands above that line; the limits of the
    axis must be set before. As each bar has its number, there is no grid, which would strike through some of them.
    """
    axes.grid(False)
    room = _TEXT * float(np.diff(axes.get_ylim())[0])
    for bar, text in zip(bars, texts, strict=True):
        height = bar.get_height()
        end = height if np.isfinite(height) else 0
        if line is not None and 0 <= end < line < end + room:
            end = line
        axes.annotate(
            text,
            (bar.get_x() + bar.get_width() / 2, end),
            xytext=(0, 3 if end >= 0 else -3),
            textcoords="offset points",
            ha="center",
            va="bottom" if end >= 0 else "top",
            **look,
        )


def label_rows(axes: Axes, places: ArrayLike, texts: Iterable) -> None:
    """Write one text at the start of each row, at the height of a text within it: that of a tick is lower."""
    axes.set_yticks(places, texts, va="center")


def legend_above(axes: Axes, *content, columns: int = 4) -> None:
    """Put the legend above the axes, where no line can hide it."""
    axes.legend(
        *content,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=columns,
        borderpad=0,
        columnspacing=1.2,
        handlelength=2.2,
        handletextpad=0.5,
        borderaxespad=0.3,
    )


def add_rectangle(axes: Axes, corner: tuple[float, float], width: float, height: float, **look) -> None:
    """Draw a rectangle above and to the right of `corner`: an outline, unless `look` has a facecolor."""
    from matplotlib.patches import Rectangle

    # As all shapes here: the limits of the axes are set, and add_patch would reckon them from each outline.
    axes.add_artist(Rectangle(corner, width, height, **{"facecolor": "none", **look}))


def add_rectangles(axes: Axes, boxes: Iterable[tuple[float, float, float, float]], **look) -> None:
    """Draw rectangles, each (left, bottom, width, height), as one shape: a page is lighter for it."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    unit = Path.unit_rectangle()
    parts = (Path(unit.vertices * (width, height) + (x, y), unit.codes) for x, y, width, height in boxes)
    axes.add_artist(PathPatch(Path.make_compound_path(*parts), **{"facecolor": "none", "edgecolor": "none", **look}))


def add_sheet(figure: Figure, bottom: float = 0, height: float | None = None) -> Axes:
    """Add axes for a diagram, as wide as the figure, on which a length is in inches; by default as high, too."""
    width, whole = figure.get_size_inches()
    height = whole if height is None else height
    axes = figure.add_axes((0, bottom / whole, 1, height / whole))
    axes.set(xlim=(0, width), ylim=(0, height))
    axes.axis("off")
    return axes


def add_part(
    axes: Axes, x: float, y: float, width: float, text: str, *, height: float = 0.28, weight: str = "normal", **look
) -> None:
    """Draw a part of a diagram: a box with rounded corners around (x, y), and what it is called."""
    from matplotlib.patches import FancyBboxPatch

    round_ = 0.03
    corner = x - width / 2 + round_, y - height / 2 + round_
    size = width - 2 * round_, height - 2 * round_
    look = {"facecolor": "none", "linewidth": 1.2, **look}
    axes.add_artist(FancyBboxPatch(corner, *size, boxstyle=f"round,pad={round_}", **look))
    axes.text(x, y, text, ha="center", va="center", weight=weight)


def add_arrow(axes: Axes, *points: tuple[float, float]) -> None:
    """Draw an arrow of a diagram from the first of some points to the last."""
    look = {"color": REFERENCE, "linewidth": 1.2}
    if len(points) > 2:
        axes.plot(*zip(*points[:-1], strict=True), **look)
    axes.annotate("", points[-1], points[-2], arrowprops={"arrowstyle": "->", "shrinkA": 0, "shrinkB": 0, **look})


def draw_digit(axes: Axes, image: np.ndarray) -> None:
    """Draw an image of 64 values from 0 to 1 as eight rows of pixels, dark ink on the ground of the page."""
    image = np.reshape(image, (8, 8))
    for ink in np.unique(image[image > 0]):
        pixels = ((x, y, 1, 1) for y, x in np.argwhere(image == ink))
        add_rectangles(axes, pixels, facecolor="black", alpha=ink, clip_on=False)
    axes.set(xlim=(0, 8), ylim=(8, 0), aspect="equal")
    axes.axis("off")


def digit_readings(images: ArrayLike, names: Sequence[str], probabilities: np.ndarray) -> tuple[Figure, list[Axes]]:
    """Return a figure of digits side by side under their names, and the axes with the probabilities below each."""
    figure, columns = new_figure((4.6, 3.3)), []
    width, room = 0.265, 0.025
    for place, (image, name, row) in enumerate(zip(np.asarray(images), names, probabilities, strict=True)):
        left = 0.13 + place * (width + room)
        paper = figure.add_axes((left, 0.61, width, 0.29))
        draw_digit(paper, image)
        paper.set_title(name)
        axes = figure.add_axes((left, 0.14, width, 0.4))
        axes.tick_params(labelleft=place == 0)
        draw_classes(axes, row, int(row.argmax()))
        columns.append(axes)
    columns[0].set_ylabel("probability")
    return figure, columns


def readings_told(probabilities: np.ndarray) -> str:
    """Return the most likely class of each row, with its probability, as a list in a sentence."""
    return listed(f"{row.argmax()} with {number(row.max())}" for row in probabilities)


def draw_classes(axes: Axes, probabilities: np.ndarray, marked: int) -> None:
    """Draw a bar for each class, that of the class `marked` filled and the others hatched."""
    classes = np.arange(len(probabilities))
    others = marked != classes
    axes.bar([marked], probabilities[marked], width=0.7, color=THING)
    axes.bar(classes[others], probabilities[others], width=0.7, facecolor="none", edgecolor=RIVAL, hatch=HATCH)
    axes.set(ylim=(0, 1), xlim=(-0.6, len(classes) - 0.4))
    axes.set_xticks(classes)
    axes.set_yticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.grid(axis="y")


def heat_map(axes: Axes, matrix: np.ndarray, *, largest: float, digits: int = 2) -> None:
    """Draw `matrix` as cells, darker for larger magnitudes, with each number written in its cell.

    Opacity instead of a colour map: the two hues, one for each sign, then follow the page into dark mode.
    """
    for (row, column), value in np.ndenumerate(matrix):
        # To two decimals: an eye sees no more, and a page has hundreds of cells. Never to 0, which leaves the cell out
        # of the drawing: all drawings of an explorer have the same marks then.
        strength = max(round(MOST_OPAQUE * min(abs(value) / largest, 1), 2), 0.01)
        look = {"facecolor": RIVAL if value < 0 else THING, "alpha": strength}
        add_rectangle(axes, (column, row), 1, 1, clip_on=False, **look)
        text = number(value, digits)
        axes.text(column + 0.5, row + 0.5, text, ha="center", va="center")
    rows, columns = matrix.shape
    axes.set(xlim=(0, columns), ylim=(rows, 0), aspect="equal")
    axes.set_xticks(np.arange(columns) + 0.5, np.arange(columns) + 1)
    label_rows(axes, np.arange(rows) + 0.5, np.arange(rows) + 1)
    axes.grid(False)
    axes.spines[:].set_visible(False)
