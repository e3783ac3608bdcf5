"""What do the pictures share? Axes, labels on bars, and numbers written out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from lossprimer import explorer

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.container import BarContainer
    from matplotlib.figure import Figure

# matplotlib takes a while to import: only the functions that draw with it do so.

# The decorator of every drawing function of the course.
pictured = explorer.pictured(style=str(files("lossprimer.figures") / "primer.mplstyle"))

MINUS = "\N{MINUS SIGN}"
INFINITY = "\N{INFINITY}"
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
# How opaque a cell may be for the text on it to keep a contrast of 4.5 : 1, in light and in dark.
MOST_OPAQUE = 0.5
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
    return "1" if exponent == 0 else f"10{str(exponent).translate(_RAISED)}"


def listed(words: Iterable[str]) -> str:
    """Return `words` as a list in a sentence: "one, two and three"."""
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last


def fixed_ticks(axis: Axis, ticks: Sequence[float], texts: Sequence[str] | None = None) -> None:
    """Put the ticks of a logarithmic axis at `ticks` alone, written as plain numbers or as `texts`."""
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(FixedFormatter(texts or [f"{tick:g}" for tick in ticks]))
    axis.set_minor_locator(NullLocator())


def label_bars(axes: Axes, bars: BarContainer, texts: Sequence[str], *, size: float = 10) -> None:
    """Write one text above each bar; where the height is not a number, above the baseline."""
    for bar, text in zip(bars, texts, strict=True):
        height = bar.get_height()
        ground = height if height == height and height > 0 else 0  # nan is not equal to itself
        axes.annotate(
            text,
            (bar.get_x() + bar.get_width() / 2, ground),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            fontsize=size,
        )


def add_rectangle(axes: Axes, corner: tuple[float, float], width: float, height: float, **look) -> None:
    """Draw a rectangle above and to the right of `corner`: an outline, unless `look` has a facecolor."""
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle(corner, width, height, **{"facecolor": "none", **look}))


def add_rounded_box(axes: Axes, corner: tuple[float, float], width: float, height: float, pad: float, **look) -> None:
    """Draw the outline of a box with rounded corners, `pad` outside of a rectangle."""
    from matplotlib.patches import FancyBboxPatch

    axes.add_patch(FancyBboxPatch(corner, width, height, boxstyle=f"round,pad={pad}", facecolor="none", **look))


def heat_map(axes: Axes, matrix: np.ndarray, *, largest: float, digits: int = 2) -> None:
    """Draw `matrix` as cells, darker for larger magnitudes, with each number written in its cell.

    Opacity instead of a colour map: the two hues, one for each sign, then follow the page into dark mode.
    """
    for (row, column), value in np.ndenumerate(matrix):
        strength = MOST_OPAQUE * min(abs(value) / largest, 1)
        add_rectangle(axes, (column, row), 1, 1, facecolor="C1" if value < 0 else "C0", alpha=strength)
        text = number(value, digits)
        axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=10)
    rows, columns = matrix.shape
    axes.set(xlim=(0, columns), ylim=(rows, 0), aspect="equal")
    axes.set_xticks(np.arange(columns) + 0.5, np.arange(columns) + 1)
    axes.set_yticks(np.arange(rows) + 0.5, np.arange(rows) + 1)
    axes.grid(False)
    axes.spines[:].set_visible(False)
