"""The pictures of chapter 3: dropout."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from lossprimer.dropout import inverted_dropout
from lossprimer.figures.drawing import (
    HATCH,
    MARK,
    NOTHING,
    REFERENCE,
    RIVAL,
    SERIES,
    THING,
    add_arrow,
    add_part,
    add_sheet,
    by_hand,
    digit_readings,
    draw_digit,
    label_bars,
    legend_above,
    listed,
    new_axes,
    new_figure,
    number,
    numbers,
    pictured,
    readings_told,
)
from lossprimer.probability import softmax

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "attention_row_sums",
    "deleted_units",
    "dropout_average",
    "dropout_masks",
    "dropout_slots",
    "ensemble_averages",
    "labelled_digits",
    "masked_digits",
    "overfitting",
    "variance_shift",
]

_MASKS = 10_000
# Lines and markers that can be told apart without colour, in the order of the curves.
_LINES = tuple(zip(SERIES, ("-", "--", ":", "-."), "os^D", strict=True))


@pictured
def masked_digits(
    images: ArrayLike,
    activations: ArrayLike,
    scores: Callable[[np.ndarray], np.ndarray],
    names: Sequence[str],
    seed: int,
) -> tuple[Figure, str]:
    """Draw three digits, one mask over a network's hidden units, and below each digit the probabilities that follow.

    Parameters
    ----------
    images : array_like, shape (3, 64)
        Eight rows of eight pixels each, from 0 to 1.
    activations : array_like, shape (3, n)
        Of the hidden units, for each digit.
    scores : callable
        Turns activations of shape (3, n) into scores of shape (3, 10), as the network's last layer does.
    names : sequence of 3 str
    seed : int
        The seed of the mask, which keeps a unit with the probability 0.5, the same units for all three digits; 0 for
        no mask.
    """
    activations = np.asarray(activations)
    kept = np.ones(activations.shape[1], dtype=bool)
    if seed:
        _, kept = inverted_dropout(np.ones(kept.shape), keep_prob=0.5, rng=np.random.default_rng(seed))
    probabilities = softmax(scores(np.where(kept, 2 * activations, 0) if seed else activations))
    figure, _ = digit_readings(images, names, probabilities)
    _switches(figure.add_axes((0.13, 0.57, 0.845, 0.034)), kept)
    which = f"Mask {seed} keeps {kept.sum()} of {kept.size} units" if seed else f"All {kept.size} units are on"
    return figure, f"{which}: the answers are {readings_told(probabilities)}."


def _switches(axes: Axes, kept: np.ndarray) -> None:
    """Draw a row of units, those that are kept filled."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    square = Path.unit_rectangle()

    def squares(places):
        # One shape for all: a page is lighter for it.
        return Path.make_compound_path(*(Path(0.7 * square.vertices + (place + 0.15, 0.15)) for place in places))

    axes.add_artist(PathPatch(squares(np.arange(kept.size)), facecolor="none", edgecolor=REFERENCE, linewidth=0.8))
    axes.add_artist(PathPatch(squares(np.flatnonzero(kept)), facecolor=THING, edgecolor="none"))
    axes.set(xlim=(0, kept.size), ylim=(0, 1))
    axes.text(-0.6, 0.5, "units", ha="right", va="center")
    axes.axis("off")


@pictured
def dropout_masks(activations: ArrayLike, keep_prob: float = 0.5, seed: int | None = None) -> tuple[Figure, str]:
    """Draw five units, or any number, under one mask; without a `seed`, at inference.

    Parameters
    ----------
    activations : array_like, shape (n,)
    keep_prob : float
        The probability of keeping a unit.
    seed : int, optional
        The seed of the mask.
    """
    activations = np.asarray(activations, dtype=float)
    output, kept = _draw(activations, keep_prob, seed)
    figure, axes = new_axes(xlabel="unit", ylabel="activation")
    high = 1.25 * np.abs(activations).max() / keep_prob
    low = min(1.25 * activations.min() / keep_prob, -0.25 * high if activations.min() < 0 else 0)
    _units(axes, activations, output, kept, limits=(low, high))
    if seed is None:
        return figure, f"At inference all units are on: the activations are {numbers(activations, 1)}."
    dropped = ", ".join(str(unit + 1) for unit in np.flatnonzero(~kept)) or "none"
    return figure, f"Mask {seed}, keep {keep_prob:g}: outputs {numbers(output, 1)}; dropped units: {dropped}."


@pictured
def dropout_average(activations: ArrayLike, keep_prob: float, seed: int) -> tuple[Figure, str]:
    """Draw the outputs under one mask beside their mean and deviation over 10,000 masks.

    Parameters
    ----------
    activations : array_like, shape (n,)
    keep_prob : float
        The probability of keeping a unit.
    seed : int
        The seed of the one mask; with a smaller `keep_prob` it drops the same units, and more.
    """
    activations = np.asarray(activations, dtype=float)
    output, kept = _draw(activations, keep_prob, seed)
    many, _ = inverted_dropout(np.tile(activations, (_MASKS, 1)), keep_prob=keep_prob, rng=np.random.default_rng(0))
    # Rounded so that the deviation of equal numbers is 0 and not what the arithmetic leaves of it.
    mean, deviation = many.mean(axis=0), many.std(axis=0).round(12)
    figure = new_figure()
    one, all_of_them = figure.subplots(1, 2, sharey=True)
    # The same for every keep probability: as long as the largest deviation that the course shows, three times the
    # activation. What an output has beyond it is cut.
    reach = np.abs(activations).max()
    _units(one, activations, output, kept, limits=(-2.4 * reach, 4.6 * reach))
    one.set(title=f"mask {seed}", xlabel="unit", ylabel="output")
    places = np.arange(len(activations)) + 1
    all_of_them.bar(places, activations, width=0.7, facecolor="none", edgecolor=REFERENCE, hatch=HATCH, alpha=0.5)
    all_of_them.errorbar(places, mean, yerr=deviation, fmt="o", color=RIVAL, markersize=5, capsize=3, linewidth=1.5)
    all_of_them.set(title=f"{_MASKS:,} masks", xlabel="unit")
    all_of_them.set_xticks(places)
    all_of_them.grid(axis="y")
    figure.subplots_adjust(top=0.88, wspace=0.1)
    return figure, (
        f"Keep {keep_prob:g}, mask {seed}: {kept.sum()} of {kept.size} units are on, outputs {numbers(output, 3)}."
        f" Over {_MASKS:,} masks: means {numbers(mean, 2)}; deviations {numbers(deviation, 2)}."
    )


def _draw(activations: np.ndarray, keep_prob: float, seed: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the output under the mask with the seed `seed`, and that mask; without a seed nothing is masked."""
    if seed is None:
        return activations, np.ones(activations.shape, dtype=bool)
    return inverted_dropout(activations, keep_prob=keep_prob, rng=np.random.default_rng(seed))


def _units(axes: Axes, activations, output, kept, *, limits: tuple[float, float]) -> None:
    """Draw the outputs as bars, the activations behind them as outlines, and a cross where a unit is dropped.

    A bar that leaves the limits is cut there, and its number has an arrow.
    """
    places = np.arange(len(activations)) + 1
    axes.bar(places, activations, width=0.7, facecolor="none", edgecolor=REFERENCE, hatch=HATCH, alpha=0.5)
    # Room for the number above the bar that is cut.
    low, high = limits[0], limits[1] - 0.09 * (limits[1] - limits[0])
    bars = axes.bar(places, np.clip(output, low, high), width=0.7, color=THING)
    texts = [number(value, 1) if low <= value <= high else f"↑{by_hand(round(value, 1))}" for value in output]
    label_bars(axes, bars, [text if one else NOTHING for text, one in zip(texts, kept, strict=True)])
    for place, one in zip(places, kept, strict=True):
        _cross(axes, place, 0 if one else 9)
    axes.axhline(0, color=REFERENCE, linewidth=0.8)
    axes.set_xticks(places)
    axes.set_ylim(*limits)


def _cross(axes: Axes, x: float, size: float) -> None:
    """Draw a cross at (x, 0), `size` points wide; one of no size does not show, but has its place in the drawing."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path
    from matplotlib.transforms import ScaledTranslation

    corners = size / 2 / 72 * np.array([(-1, -1), (1, 1), (-1, 1), (1, -1)])  # in inches
    place = axes.figure.dpi_scale_trans + ScaledTranslation(x, 0, axes.transData)
    strokes = Path(corners, [Path.MOVETO, Path.LINETO] * 2)
    look = {"edgecolor": RIVAL, "facecolor": "none", "linewidth": 2.5, "capstyle": "butt"}
    axes.add_artist(PathPatch(strokes, transform=place, clip_on=False, zorder=2, **look))


@pictured
def labelled_digits(images: ArrayLike, labels: ArrayLike, truths: ArrayLike) -> tuple[Figure, str]:
    """Draw two or more digits in a row, each with the label that it has in training.

    Parameters
    ----------
    images : array_like, shape (n, 64)
        Eight rows of eight pixels each, from 0 to 1.
    labels, truths : array_like of int, shape (n,)
        The label of each image, and which digit it is.
    """
    images, labels, truths = np.asarray(images), np.asarray(labels), np.asarray(truths)
    figure = new_figure((4.6, 1.1))
    for axes, image, label, truth in zip(figure.subplots(1, len(images)), images, labels, truths, strict=True):
        draw_digit(axes, image)
        wrong = label != truth
        axes.set_title(
            f"{label}, not {truth}" if wrong else f"{label}",
            color=RIVAL if wrong else "black",
            weight="bold" if wrong else "normal",
        )
    figure.subplots_adjust(left=0.02, right=0.98, bottom=0.02, top=0.76, wspace=0.3)
    wrong = [f"a {truth} is called {label}" for label, truth in zip(labels, truths, strict=True) if label != truth]
    return figure, (
        f"{len(labels)} training images and their labels: {', '.join(map(str, labels))}."
        f" {f'Wrong: {listed(wrong)}' if wrong else 'None is wrong'}."
    )


@pictured
def overfitting(epochs: ArrayLike, accuracies: Mapping[str, ArrayLike], stopped: float) -> tuple[Figure, str]:
    """Draw the accuracy on test images during training, for some ways to train; a ring marks the highest mean of each.

    Parameters
    ----------
    epochs : array_like, shape (n,)
    accuracies : mapping of str to array_like of shape (seeds, n)
        By the name of the way to train; at most four.
    stopped : float
        What the first way reaches if it is stopped early.
    """
    # Taller than others: what counts here happens in a narrow strip, and strong dropout starts far below it.
    size = 4.6, 4.0
    epochs, figure, axes = np.asarray(epochs), *new_axes(xlabel="epoch", ylabel="accuracy on test images", size=size)
    first = next(iter(accuracies))
    _curves(axes, epochs, accuracies)
    axes.axhline(stopped, color=REFERENCE, linewidth=1, label=f"{first}, stopped early")
    told = []
    for (name, runs), color in zip(accuracies.items(), SERIES, strict=False):
        mean = np.mean(runs, axis=0)
        best = int(mean.argmax())
        axes.plot(epochs[best], mean[best], "o", color=color, markersize=11, fillstyle="none")
        told.append(f"{name} {mean[best]:.3f} (epoch {epochs[best]}), then {mean[-1]:.3f}")
    axes.set_ylim(0.5, 0.96)
    legend_above(axes, columns=2)
    figure.subplots_adjust(bottom=0.14, top=0.82)
    return figure, (
        f"Mean over {len(runs)} seeds, at its highest and after {epochs[-1]} epochs: {'; '.join(told)}."
        f" {first.capitalize()}, stopped early: {stopped:.3f}."
    )


@pictured
def deleted_units(fractions: ArrayLike, accuracies: Mapping[str, ArrayLike]) -> tuple[Figure, str]:
    """Draw the accuracy that is left when a part of the hidden units is deleted.

    Parameters
    ----------
    fractions : array_like, shape (n,)
        How many are deleted, 0 to 1.
    accuracies : mapping of str to array_like of shape (seeds, n)
        By the name of the way to train; at most four.
    """
    fractions = np.asarray(fractions)
    figure, axes = new_axes(xlabel="part of the units that is deleted", ylabel="accuracy on test images")
    _curves(axes, fractions, accuracies)
    axes.set_ylim(0, 1.03)
    legend_above(axes, columns=2)
    figure.subplots_adjust(top=0.82)
    half = int(np.argmin(np.abs(fractions - 0.5)))
    words = "; ".join(f"{name} {_mean_deviation(np.asarray(runs)[:, half])}" for name, runs in accuracies.items())
    return figure, f"With {100 * fractions[half]:.0f} % of the units deleted: {words}."


def _curves(axes: Axes, x: ArrayLike, curves: Mapping[str, ArrayLike]) -> None:
    """Draw each curve as the mean over its runs, with bars for their standard deviation, and no two bars in one place.

    Of many points every fourth has a bar.
    """
    every = 4 if len(np.ravel(x)) > 12 else 1
    for place, ((name, runs), (color, line, marker)) in enumerate(zip(curves.items(), _LINES, strict=False)):
        runs = np.asarray(runs)
        deviation = runs.std(axis=0, ddof=1) if len(runs) > 1 else None
        look = {"color": color, "linestyle": line, "marker": marker, "markersize": 5, "label": name}
        axes.errorbar(x, runs.mean(axis=0), yerr=deviation, errorevery=(place % every, every), **look)


def _mean_deviation(values: np.ndarray) -> str:
    return f"{values.mean():.3f}" + (f" ± {values.std(ddof=1):.3f}" if len(values) > 1 else "")


@pictured
def ensemble_averages(
    weight_scaling: ArrayLike, geometric: ArrayLike, arithmetic: ArrayLike, masks: int
) -> tuple[Figure, str]:
    """Draw three ways to average the predictions of all masked networks.

    Parameters
    ----------
    weight_scaling, geometric, arithmetic : array_like, shape (K,)
        Probabilities of the classes: of the network with its dropout switched off, and of two averages.
    masks : int
        How many predictions the averages are made of.
    """
    rows = [np.asarray(row) for row in (weight_scaling, geometric, arithmetic)]
    names = ("dropout off", "geometric mean", "arithmetic mean")
    figure, axes = new_axes(xlabel="class", ylabel="probability")
    classes = np.arange(len(rows[0])) + 1
    looks = (
        {"color": THING},
        {"facecolor": "none", "edgecolor": SERIES[2], "hatch": HATCH},
        {"color": RIVAL, "alpha": 0.45},
    )
    for place, (row, name, look) in enumerate(zip(rows, names, looks, strict=True)):
        bars = axes.bar(classes + 0.29 * (place - 1), row, width=0.26, label=name, **look)
        label_bars(axes, bars, [number(p, 3) for p in row], rotation=90)
    axes.set_xticks(classes)
    axes.set_ylim(0, 1.2)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
    legend_above(axes, columns=2)
    figure.set_size_inches(4.6, 3.3)
    figure.subplots_adjust(top=0.83)
    same = "the same" if np.allclose(rows[0], rows[1], atol=1e-12) else "not the same"
    return figure, (
        f"Dropout off: {numbers(rows[0])}. Over {masks:,} masks: geometric mean {numbers(rows[1])}, {same};"
        f" arithmetic mean {numbers(rows[2])}, off by up to {np.abs(rows[0] - rows[2]).max():.3f}."
    )


@pictured
def variance_shift(keep_prob: float, x: ArrayLike) -> tuple[Figure, str]:
    """Draw the variance of `x` as a part of its variance under dropout, for each keep probability.

    Parameters
    ----------
    keep_prob : float
        Where the ratio is measured as well.
    x : array_like, shape (n,)
        Many values of one unit; not all 0.
    """
    x = np.asarray(x, dtype=float)
    variance, square = x.var(), (x**2).mean()

    def ratio(keep):
        return variance / (variance + (1 - keep) / keep * square)

    dropped, _ = inverted_dropout(x, keep_prob=keep_prob, rng=np.random.default_rng(0))
    measured = variance / dropped.var() if keep_prob < 1 else 1.0
    grid = np.linspace(0.05, 1, 39)
    figure, axes = new_axes(xlabel="keep probability", ylabel="ratio of the variances")
    axes.axhline(1, color=REFERENCE, linestyle="--", linewidth=1.2)
    axes.annotate("no shift", (0.06, 1), xytext=(0, 3), textcoords="offset points")
    axes.plot(grid, ratio(grid) if variance > 0 else np.zeros(grid.shape), color=THING)
    axes.plot([keep_prob], [measured], "o", color=MARK, markersize=9, clip_on=False)
    axes.set(xlim=(0.05, 1), ylim=(0, 1.1))
    return figure, (
        f"Keep {keep_prob:g}: variance in training {dropped.var():.2f}, at inference {variance:.2f}; ratio measured"
        f" {measured:.3f}, by the formula {ratio(keep_prob):.3f}."
    )


@pictured
def attention_row_sums(sums: ArrayLike, keep_prob: float) -> tuple[Figure, str]:
    """Draw how far the sums of attention rows are from 1 after dropout.

    Parameters
    ----------
    sums : array_like, shape (n,)
    keep_prob : float
        The keep probability that the weights were dropped with; quoted in the sentence.
    """
    sums = np.asarray(sums)
    figure, axes = new_axes(xlabel="sum of a row of attention weights", ylabel="part of the rows")
    heights, _, _ = axes.hist(
        sums, bins=np.arange(0.39, 1.42, 0.02), weights=np.full(sums.size, 1 / sums.size), color=THING
    )
    axes.axvline(1, color=RIVAL, linestyle="--")
    axes.annotate(
        "before dropout: 1",
        (1, 0.96),
        xycoords=("data", "axes fraction"),
        xytext=(-4, 0),
        textcoords="offset points",
        ha="right",
        va="top",
    )
    axes.set(xlim=(0.4, 1.4), ylim=(0, 1.25 * heights.max()))
    return figure, (
        f"Keep {keep_prob:g}: the sums of {sums.size:,} rows have mean {sums.mean():.2f} and"
        f" deviation {sums.std():.2f}."
    )


# What a paper or a program has at each of the places.
_SLOTS = {
    "Vaswani et al. 2017, text": ("dropout", "not named", "dropout", "not named", "dropout"),
    "PyTorch's encoder layer": ("outside", "dropout", "dropout", "dropout", "dropout"),
    "GPT-2 in Transformers": ("dropout", "dropout", "dropout", "none", "dropout"),
    "BERT, Google's code": ("dropout", "dropout", "dropout", "none", "dropout"),
}
_PLACES = (
    "the embedding sum",
    "the attention weights",
    "the attention output",
    "the hidden units of the feed-forward part",
    "the feed-forward output",
)


@pictured
def dropout_slots(model: str) -> tuple[Figure, str]:
    """Draw where dropout can stand in a Transformer, and where one model has it.

    Parameters
    ----------
    model : str
        One of "Vaswani et al. 2017, text", "PyTorch's encoder layer", "GPT-2 in Transformers", "BERT, Google's code".
    """
    slots = _SLOTS[model]
    figure = new_figure((4.6, 3))
    axes = add_sheet(figure)
    # Four columns; a number is the place of a slot, and "" the rest of a part that takes two.
    rows = {
        "Embedding": ("token + position", "", 0),
        "Attention": ("softmax", 1, "× values", 2),
        "Feed-forward": ("ReLU layer", 3, "2nd layer", 4),
    }
    width, pitch = 0.9, 1.09
    for y, (title, parts) in zip((2.28, 1.32, 0.36), rows.items(), strict=True):
        axes.text(0.02, y + 0.38, title, weight="bold", va="center")
        for column, part in enumerate(parts):
            x, end = 0.47 + pitch * column, 0.47 + pitch * column + width / 2
            if isinstance(part, int):
                _slot(axes, x, y, width, slots[part])
            elif part:
                wide = parts[column + 1] == ""
                add_part(axes, x + wide * pitch / 2, y, width + wide * pitch, part, height=0.36, edgecolor=REFERENCE)
                end += wide * pitch
            if part != "":
                add_arrow(axes, (end + 0.01, y), (end + 0.18, y))
        after = "to the blocks" if len(parts) < 4 else "+"
        axes.text(end + 0.25, y, after, va="center")
    places = {text: [place for place, slot in zip(_PLACES, slots, strict=True) if slot == text] for text in slots}
    words = [f"dropout on {listed(places['dropout'])}"]
    words += [f"none on {listed(found)}" for text, found in places.items() if text == "none"]
    words += [f"not named: {listed(found)}" for text, found in places.items() if text == "not named"]
    words += [f"outside the layer: {listed(found)}" for text, found in places.items() if text == "outside"]
    return figure, f"{model}: {'; '.join(words)}."


def _slot(axes: Axes, x: float, y: float, width: float, text: str) -> None:
    """Draw a place for dropout: bold where there is some, dotted where there is none."""
    filled = text == "dropout"
    look = {"edgecolor": RIVAL, "linewidth": 1.8} if filled else {"edgecolor": REFERENCE, "linestyle": ":"}
    add_part(axes, x, y, width, text, height=0.36, weight="bold" if filled else "normal", **look)
