"""A small drawing without words for each chapter, made by its own tool."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lossprimer.dropout import inverted_dropout
from lossprimer.figures.drawing import (
    HATCH,
    MARK,
    MOST_OPAQUE,
    REFERENCE,
    RIVAL,
    THING,
    add_rectangle,
    new_figure,
    pictured,
)
from lossprimer.normalization import normalize
from lossprimer.probability import softmax

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["emblem"]


@pictured
def emblem(tool: str) -> tuple[Figure, str]:
    """Draw what stands for a chapter.

    Parameters
    ----------
    tool : {"softmax", "cross-entropy", "dropout", "normalization", "transformer"}
        What the chapter is about.
    """
    if tool not in _EMBLEMS:
        raise ValueError(f"tool is {tool!r}, expected one of {', '.join(_EMBLEMS)}")
    draw, sentence = _EMBLEMS[tool]
    figure = new_figure((2.4, 1.2))
    axes = figure.add_axes((0.03, 0.06, 0.94, 0.88))
    axes.set_axis_off()
    draw(axes)
    return figure, sentence


def _scores_to_probabilities(axes: Axes) -> None:
    scores = np.array([1.0, 2.5, 0.5, 2.0, 1.5, 3.5, 0.5])
    axes.bar(np.arange(7), scores / 3.5, width=0.75, facecolor="none", edgecolor=REFERENCE, hatch=HATCH)
    axes.bar(np.arange(7) + 8.6, softmax(scores), width=0.75, color=THING)
    axes.set(xlim=(-0.8, 15.8), ylim=(0, 1.05))


def _price_of_an_answer(axes: Axes) -> None:
    p = np.geomspace(0.05, 1, 40)
    axes.plot(p, -np.log(p), color=THING)
    axes.plot(p, (1 - p) ** 2 * 2, color=RIVAL, linestyle="--")
    axes.plot(0.2, -np.log(0.2), "o", color=MARK, markersize=8)
    axes.set(xlim=(0.03, 1.02), ylim=(-0.1, 3.1))


def _silent_units(axes: Axes) -> None:
    kept = inverted_dropout(np.ones((4, 9)), keep_prob=0.5, rng=np.random.default_rng(7))[0] > 0
    for (row, column), is_kept in np.ndenumerate(kept):
        if is_kept:
            axes.plot(column, row, "o", color=THING, markersize=9)
        else:
            axes.plot(column, row, "x", color=RIVAL, markersize=6)
    axes.set(xlim=(-0.6, 8.6), ylim=(-0.6, 3.6))


def _into_one_range(axes: Axes) -> None:
    x = np.array([[0.2, 0.5, 0.9, 0.4], [4.0, 7.0, 5.0, 9.0], [1.0, -2.0, 3.0, 0.0], [-6.0, -8.0, -5.0, -7.0]])
    for row, (before, after) in enumerate(zip(x, normalize(x, axis=-1), strict=True)):
        axes.plot(before / 3.2, [row] * 4, "s", color=REFERENCE, markersize=5)
        axes.plot(after * 1.2 + 7, [row] * 4, "o", color=THING, markersize=6)
    axes.axvline(7, color=REFERENCE, linewidth=1, linestyle="--")
    axes.set(xlim=(-3.2, 9.6), ylim=(-0.6, 3.6))


def _who_looks_where(axes: Axes) -> None:
    query, key = np.mgrid[:8, :14]
    scores = np.where(key <= query + 6, 2.2 - 1.3 * np.abs(key - query - 2) + 0.7 * (key == query + 6), -np.inf)
    for (row, column), weight in np.ndenumerate(softmax(scores, axis=-1)):
        if weight > 0:
            add_rectangle(axes, (column, 7 - row), 0.9, 0.9, facecolor=THING, alpha=0.12 + (MOST_OPAQUE * weight))
    axes.set(xlim=(-0.3, 14.2), ylim=(-0.2, 8.1))


_EMBLEMS = {
    "softmax": (_scores_to_probabilities, "Seven scores, and the probabilities that softmax makes of them."),
    "cross-entropy": (
        _price_of_an_answer,
        "The price of an answer: it rises without limit as the right class gets less.",
    ),
    "dropout": (_silent_units, "Thirty-six units, half of them silent."),
    "normalization": (
        _into_one_range,
        "Four rows of numbers, before and after each gets a mean of 0 and a deviation of 1.",
    ),
    "transformer": (_who_looks_where, "Attention weights: where each of eight tokens looks."),
}
