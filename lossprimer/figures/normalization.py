"""The pictures of chapter 4: normalization."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from lossprimer.figures.drawing import (
    GROUP,
    HATCH,
    MARK,
    MINUS,
    REFERENCE,
    RIVAL,
    SERIES,
    THING,
    add_arrow,
    add_part,
    add_rectangle,
    add_sheet,
    digit_readings,
    fixed_ticks,
    heat_map,
    label_bars,
    legend_above,
    new_axes,
    new_figure,
    number,
    numbers,
    pictured,
    power_of_ten,
    readings_told,
    scientific,
)
from lossprimer.normalization import LayerNorm, RMSNorm, normalize
from lossprimer.probability import softmax

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

__all__ = [
    "accuracy_by_rate",
    "batch_statistics",
    "centred_or_not",
    "digits_in_pale_ink",
    "epsilon_place",
    "normalization_steps",
    "normalized_matrix",
    "normalized_tensor",
    "residual_wiring",
    "scale_by_depth",
]

# Lines are told apart by dashes and markers too.
_LINES = [
    {"color": colour, "linestyle": line, "marker": marker}
    for colour, line, marker in zip(SERIES, ("-", "--", ":", "-."), "os^D", strict=True)
]


@pictured
def digits_in_pale_ink(
    images: ArrayLike, names: Sequence[str], network: Callable[[np.ndarray], np.ndarray], ink: float
) -> tuple[Figure, str]:
    """Draw three digits with a part of their ink, and below each the probabilities that a network reads from it.

    Parameters
    ----------
    images : array_like, shape (3, 64)
        Eight rows of eight pixels each, from 0 to 1.
    names : sequence of 3 str
    network : callable
        Takes images, and returns scores of shape (3, 10).
    ink : float
        What each pixel is multiplied by, more than 0 and at most 1.
    """
    pale = ink * np.asarray(images, dtype=float)
    probabilities = softmax(network(pale))
    figure, _ = digit_readings(pale, names, probabilities)
    return figure, f"{100 * ink:g} % of the ink: the most likely are {readings_told(probabilities)}."


@pictured
def scale_by_depth(
    depths: Sequence[int], series: Mapping[str, ArrayLike], quantity: str, *, of: str = "layer", marks: Sequence[int]
) -> tuple[Figure, str]:
    """Draw how large something is at each depth, on a logarithmic axis.

    Parameters
    ----------
    depths : sequence of int, length n
        Numbers of the layers.
    series : mapping of str to array_like of shape (n,)
        At most four lines by their names.
    quantity : str
        What is drawn, for the axis and the sentence.
    of : str
        What is numbered.
    marks : sequence of int
        The depths that the axis names; of the first and the last of them the sentence gives the numbers.
    """
    figure, axes = new_axes(xlabel=of, ylabel=f"{quantity} (log)")
    # Of many layers every second one: the lines look the same, at half their weight.
    some = [*range(0, len(depths) - 1, 2 if len(depths) > 30 else 1), len(depths) - 1]
    for (name, values), look in zip(series.items(), _LINES, strict=False):
        drawn = np.asarray(depths)[some], np.asarray(values)[some]
        axes.plot(*drawn, label=name, markevery=max(1, len(some) // 6), markersize=4, **look)
    axes.set_yscale("log")
    low, high = (np.log10(limit) for limit in axes.get_ylim())
    if high - low < 2:
        ticks = [
            tick
            for tick in (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 7, 10, 20, 50)
            if low <= np.log10(tick) <= high
        ]
        fixed_ticks(axes.yaxis, ticks)
    else:
        every = max(1, round((high - low) / 5))
        _powers_of_ten(axes.yaxis, range(every * int(np.ceil(low / every)), int(high) + 1, every))  # with 1
    axes.set_xticks(marks)
    legend_above(axes)
    figure.subplots_adjust(left=0.16, top=0.88)
    first, last = (list(depths).index(mark) for mark in (marks[0], marks[-1]))
    said = "; ".join(f"{name}, {_short(values[first])} to {_short(values[last])}" for name, values in series.items())
    return figure, f"{quantity[0].upper()}{quantity[1:]} from {of} {marks[0]} to {marks[-1]}: {said}."


def _short(value: float) -> str:
    """Return two significant digits of a positive number; far from 1 with a power of ten."""
    if -3 <= int(f"{value:.1e}".split("e")[1]) <= 1:
        return f"{float(f'{value:.1e}'):#.2g}".rstrip(".")
    return scientific(value)


def _fixed(value: float, digits: int = 3) -> str:
    """Return a number that is 0 up to rounding as 0.000: whether the rest is exactly 0 differs between machines."""
    return f"{value:z.{digits}f}".replace("-", MINUS)


def _powers_of_ten(axis: Axis, exponents: Sequence[int]) -> None:
    """Put the ticks of a logarithmic axis at powers of ten, written as plain text."""
    fixed_ticks(axis, [10.0**exponent for exponent in exponents], [power_of_ten(exponent) for exponent in exponents])


@pictured
def epsilon_place(variance: float, eps: float) -> tuple[Figure, str]:
    """Draw the deviation that is left after dividing by √(σ² + ε), and after dividing by σ + ε.

    Parameters
    ----------
    variance : float
        Where both are read off; greater than 0.
    eps : float
        The number ε, greater than 0.
    """
    figure, axes = new_axes(xlabel="variance σ² of the input (log)", ylabel="deviation of the output")
    variances = np.geomspace(1e-12, 1, 61)
    inside, outside = _inside(variances, eps), _outside(variances, eps)
    axes.plot(variances, inside, label="ε in the root", color=THING)
    axes.plot(variances, outside, label="ε beside σ", color=RIVAL, linestyle="--")
    deviations = _inside(variance, eps), _outside(variance, eps)
    axes.axvline(variance, color=MARK, linewidth=1)
    # The ring leaves the square within it visible.
    axes.plot([variance], [deviations[0]], "o", color=THING, markersize=11, fillstyle="none", markeredgewidth=2)
    axes.plot([variance], [deviations[1]], "s", color=RIVAL, markersize=5)
    axes.set(xscale="log", ylim=(0, 1.06))
    _powers_of_ten(axes.xaxis, range(-12, 1, 3))
    legend_above(axes)
    figure.subplots_adjust(top=0.88)
    variance_text, eps_text = (power_of_ten(round(np.log10(value))) for value in (variance, eps))
    return figure, (
        f"Variance {variance_text} and ε = {eps_text}: with ε in the root a deviation of {deviations[0]:.3f} is left,"
        f" with ε beside σ {deviations[1]:.3f}."
    )


def _inside(variance, eps):
    return np.sqrt(variance / (variance + eps))


def _outside(variance, eps):
    return np.sqrt(variance) / (np.sqrt(variance) + eps)


# What a mean and a deviation can be taken over, in a matrix of examples by features.
_MATRIX_AXES = (0, 1, (0, 1))
_MATRIX_GROUPS = ("feature {} over the batch", "example {} over its features")


@pictured
def normalization_steps(x: ArrayLike, stage: int) -> tuple[Figure, str]:
    """One stage of the comparison of two axes.

    Parameters
    ----------
    x : array_like, shape (N, d)
        N examples of d features.
    stage : int
        1 for the numbers as they are, 2 for batch, 3 for layer normalization.
    """
    x = np.asarray(x, dtype=float)
    if stage == 1:
        figure, axes = _matrix(x, digits=1)
        low, high = number(x.min(), 1), number(x.max(), 1)
        return figure, (
            f"{len(x)} examples of {x.shape[1]} features, before: numbers from {low} to {high}. The columns have the"
            f" means {numbers(x.mean(axis=0))}, and the rows {numbers(x.mean(axis=1))}."
        )
    along = stage - 2
    x_hat = normalize(x, axis=along)
    figure, axes = _matrix(x_hat)
    means, deviations = x.mean(axis=along), x.std(axis=along)
    _margins(axes, means, deviations, along)
    for place in range(len(means)):
        _outline(axes, *_span(x.shape, along, place), inset=0.04)
    name, group = (("BatchNorm", "column"), ("LayerNorm", "row"))[along]
    return figure, (
        f"{name}: each {group} less its own mean ({numbers(means)}), divided by its own deviation"
        f" ({numbers(deviations)}). The first {group} becomes {numbers(np.take(x_hat, 0, axis=1 - along))}."
    )


@pictured
def normalized_matrix(x: ArrayLike, axis: int, group: int = 1, after: bool = False) -> tuple[Figure, str]:
    """Draw a matrix of examples by features, and outline numbers that share one mean and one deviation.

    Parameters
    ----------
    x : array_like, shape (N, d)
        N examples of d features.
    axis : {0, 1, 2}
        What each mean and deviation is taken over: 0 for the batch, 1 for the features, 2 for both.
    group : int
        Which group is outlined, from 1. If `axis` is 2 there is only one, and this is the column whose mean is marked.
    after : bool
        Whether the numbers are shown after the normalization.

    Raises
    ------
    ValueError
        If there is no such group.
    """
    x = np.asarray(x, dtype=float)
    groups = x.shape[1] if axis in (0, 2) else x.shape[0]
    if not 1 <= group <= groups:
        raise ValueError(f"group is {group}, expected 1 to {groups}: the matrix has no more of them at this axis")
    along = _MATRIX_AXES[axis]
    shown = normalize(x, axis=along) if after else x
    means, deviations = np.ravel(shown.mean(axis=along)), np.ravel(shown.std(axis=along))
    figure, axes = _matrix(shown)
    place = 0 if axis == 2 else group - 1
    _margins(axes, means, deviations, axis)
    _outline(axes, *_span(x.shape, axis, place))
    count = x.size // len(means)
    shown_as = "after" if after else "before"
    if axis == 2:
        # What one mean for all leaves to each column.
        for column, mean in enumerate(shown.mean(axis=0)):
            _below(axes, column, f"μ {_fixed(mean)}")
        left, top, width, height = _span(x.shape, 0, group - 1)
        corner, size = (left + 0.07, top + 0.07), (width - 0.14, height - 0.14)
        add_rectangle(axes, corner, *size, edgecolor=MARK, linewidth=1.8, linestyle=":")
        return figure, (
            f"All {count} numbers, {shown_as}: one mean, {_fixed(means[0])}, one deviation, {_fixed(deviations[0])}."
            f" Column means: {numbers(shown.mean(axis=0))}; column {group} is dotted."
        )
    return figure, (
        f"{_MATRIX_GROUPS[axis].format(place + 1).capitalize()}, {shown_as}: these {count} numbers have the mean"
        f" {_fixed(means[place])} and the deviation {_fixed(deviations[place])}. Groups in all: {len(means)}."
    )


def _matrix(x, digits: int = 3) -> tuple[Figure, Axes]:
    """Return a heat map of examples by features, with room for a mean and a deviation of each row and column."""
    figure, axes = new_axes(xlabel="feature", ylabel="example", size=(4.6, 3.1))
    heat_map(axes, x, largest=3, digits=digits)
    axes.set_aspect("auto")
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.xaxis.labelpad = 8  # so that it is no head of a column
    figure.subplots_adjust(left=0.19, right=0.81, bottom=0.17, top=0.81)
    return figure, axes


def _margins(axes: Axes, means, deviations, axis: int) -> None:
    """Write mean and deviation below each column (axis 0), beside each row (1), or beside all of them (2)."""
    for place, (mean, deviation) in enumerate(zip(means, deviations, strict=True)):
        text = f"μ {_fixed(mean)}\nσ {_fixed(deviation)}"
        if axis == 0:
            _below(axes, place, text)
        else:
            where, anchor = ((1, place + 0.5), axes.get_yaxis_transform()) if axis == 1 else ((1, 0.5), axes.transAxes)
            axes.annotate(text, where, xycoords=anchor, xytext=(6, 0), textcoords="offset points", va="center")


def _below(axes: Axes, column: int, text: str) -> None:
    """Write something below a column of a heat map."""
    where = {"xy": (column + 0.5, 0), "xycoords": axes.get_xaxis_transform()}
    # One by one: of a text of several lines each would begin where a wider font has it in the middle.
    for place, line in enumerate(text.split("\n")):
        axes.annotate(line, **where, xytext=(0, -5 - 13 * place), textcoords="offset points", ha="center", va="top")


def _span(shape, axis: int, place: int) -> tuple[float, float, float, float]:
    """Return left, top, width and height of the cells that share statistics."""
    rows, columns = shape
    return ((place, 0, 1, rows), (0, place, columns, 1), (0, 0, columns, rows))[axis]


def _outline(axes: Axes, left, top, width, height, *, inset: float = 0) -> None:
    """Draw a thick frame around cells of a heat map."""
    corner = left + inset, top + inset
    size = width - 2 * inset, height - 2 * inset
    add_rectangle(axes, corner, *size, edgecolor=GROUP, linewidth=2.5, clip_on=False)


@pictured
def normalized_tensor(x: ArrayLike, axis: int, entry: tuple[int, int, int], after: bool = False) -> tuple[Figure, str]:
    """Draw a tensor of examples by tokens by features, and outline what shares statistics with one entry.

    Parameters
    ----------
    x : array_like, shape (N, t, d)
        N examples of t tokens of d features, d even.
    axis : {0, 1, 2, 3, 4}
        0: batch and tokens (BatchNorm). 1: tokens (instance normalization). 2: tokens and half of the features (group
        normalization with two groups). 3: tokens and features (LayerNorm over a whole example). 4: features
        (LayerNorm of a token).
    entry : tuple of three ints
        Example, token and feature, from 0.
    after : bool
        Whether the numbers are shown after the normalization.
    """
    x = np.asarray(x, dtype=float)
    examples, tokens, features = x.shape
    example, token, feature = entry
    half = features // 2
    start = feature // half * half
    every, one = slice(None), [slice(place, place + 1) for place in entry]
    group = (
        (every, every, one[2]),
        (one[0], every, one[2]),
        (one[0], every, slice(start, start + half)),
        (one[0], every, every),
        (one[0], one[1], every),
    )[axis]
    x_hat = x.reshape(examples, tokens, -1, half) if axis == 2 else x
    x_hat = normalize(x_hat, axis=((0, 1), 1, (1, 3), (1, 2), 2)[axis]).reshape(x.shape)
    shown = x_hat if after else x
    from matplotlib.text import Text

    figure = new_figure((4.6, 2.5))
    panels = figure.subplots(1, examples, sharey=True, squeeze=False)[0]
    left, width = start if axis == 2 else feature, half if axis == 2 else 1
    for place, (axes, matrix) in enumerate(zip(panels, shown, strict=True)):
        heat_map(axes, matrix, largest=3, digits=1)
        axes.set_aspect("auto")
        axes.set(title=f"example {place + 1}", xlabel="feature")
        if axis == 0 or place == example:
            column = (left, 0, width, tokens)
            _outline(axes, *(column, column, column, (0, 0, features, tokens), (0, token, features, 1))[axis])
    panels[0].set_ylabel("token")
    figure.subplots_adjust(left=0.085, right=0.995, bottom=0.21, top=0.86, wspace=0.04)
    # Twelve numbers side by side: the smallest text that a phone shows at 11 pixels.
    for text in figure.findobj(Text):
        text.set_fontsize(10.65)
    name, what = (
        ("BatchNorm", f"feature {feature + 1} of all tokens of all examples"),
        ("Instance normalization", f"feature {feature + 1} of all tokens of example {example + 1}"),
        ("Group normalization", f"features {start + 1} to {start + half} of all tokens of example {example + 1}"),
        ("LayerNorm over an example", f"all features of all tokens of example {example + 1}"),
        ("LayerNorm of a token", f"all features of token {token + 1} of example {example + 1}"),
    )[axis]
    values = shown[group]
    return figure, (
        f"{name}, {'after' if after else 'before'}: {what}, {values.size} numbers with the mean"
        f" {_fixed(values.mean())} and the deviation {_fixed(values.std())}. Groups in all: {x.size // values.size}."
    )


@pictured
def batch_statistics(population: ArrayLike, draws: ArrayLike, size: int) -> tuple[Figure, str]:
    """Draw how much the mean of a batch scatters, and what that does to a normalized number.

    Parameters
    ----------
    population : array_like, shape (n,)
        The numbers of one feature.
    draws : array_like of int, shape (R, B)
        Which of them are in each of R batches; the first `size` of each row are used.
    size : int
        How many examples a batch has, at most B.
    """
    population = np.asarray(population, dtype=float)
    standard = (population - population.mean()) / population.std()
    batches = standard[np.asarray(draws)[:, :size]]
    means = batches.mean(axis=1)
    alone = batches[:, 0]  # normalized with the statistics of the population
    # So small an ε that two numbers which happen to be close still come out as −1 and 1.
    together = normalize(batches, axis=1, eps=1e-12)[:, 0]
    figure = new_figure((4.6, 2.7))
    left, right = figure.subplots(1, 2)
    heights, edges = np.histogram(means, bins=np.linspace(-3, 3, 25))
    left.stairs(heights / heights.max(), edges, fill=True, facecolor=THING, edgecolor="none")
    expected = 1 / np.sqrt(size)
    for side in (-expected, expected):
        left.axvline(side, color=RIVAL, linestyle="--", linewidth=1.5)
    left.set(xlabel="mean of the batch", ylabel="batches (most = 1)", xlim=(-3, 3), ylim=(0, 1.05))
    left.set_yticks([0, 0.5, 1], ["0", "0.5", "1"])
    right.plot([-3, 3], [-3, 3], color=REFERENCE, linewidth=1, linestyle="--")
    right.plot(alone[:20], together[:20], "o", color=THING, markersize=3)
    right.set(xlabel="x̂ in evaluation", ylabel="x̂ in training", xlim=(-3, 3), ylim=(-3, 3))
    figure.subplots_adjust(left=0.13, bottom=0.2, top=0.95, wspace=0.42)
    gap = np.sqrt(((alone - together) ** 2).mean())
    return figure, (
        f"{size:,} {'example' if size == 1 else 'examples'} in a batch: its mean scatters by {means.std():.3f} of the"
        f" feature's deviation (1/√{size} = {expected:.3f}), and a number normalized in training is typically"
        f" {gap:.2f} away from the same number in evaluation."
    )


@pictured
def accuracy_by_rate(rates: Sequence[float], accuracies: Mapping[str, ArrayLike]) -> tuple[Figure, str]:
    """Draw the accuracy after training with each learning rate.

    Parameters
    ----------
    rates : sequence of float, length n
        Learning rates, rising.
    accuracies : mapping of str to array_like of shape (S, n)
        At most four kinds of network by name; the accuracies of S runs, from 0 to 1.
    """
    figure, axes = new_axes(xlabel="learning rate (log)", ylabel="training accuracy")
    for (name, runs), look in zip(accuracies.items(), _LINES, strict=False):
        runs = np.asarray(runs, dtype=float)
        axes.plot(rates, runs.mean(axis=0), label=name, markersize=5, **look)
        axes.fill_between(rates, runs.min(axis=0), runs.max(axis=0), color=look["color"], alpha=0.15, linewidth=0)
    axes.set(xscale="log", ylim=(0, 1.05))
    fixed_ticks(axes.xaxis, rates)
    legend_above(axes)
    figure.subplots_adjust(top=0.88)
    said = "; ".join(f"{name} {numbers(np.mean(runs, axis=0), 2)}" for name, runs in accuracies.items())
    return figure, f"Mean accuracy at the rates {', '.join(f'{rate:g}' for rate in rates)}: {said}."


@pictured
def centred_or_not(x: ArrayLike, offset: float = 0.0) -> tuple[Figure, str]:
    """Draw features that are all raised by `offset`, and what LayerNorm and RMSNorm make of them.

    Parameters
    ----------
    x : array_like, shape (d,)
        Few features between −3 and 3.
    offset : float
        What is added to each, from −10 to 10.
    """
    x = np.asarray(x, dtype=float) + offset
    layer, rms = LayerNorm(len(x))(x), RMSNorm(len(x))(x)
    figure = new_figure((4.6, 3.5))
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(1, 1.5))
    places = np.arange(len(x)) + 1
    given = above.bar(places, x, width=0.4, color=REFERENCE)
    left = below.bar(places - 0.24, layer, width=0.4, color=THING)
    right = below.bar(places + 0.24, rms, width=0.4, facecolor="none", edgecolor=RIVAL, hatch=HATCH)
    for axes, bars, values in ((above, given, x), (below, left, layer), (below, right, rms)):
        label_bars(axes, bars, [number(value, 1) for value in values])
    for axes, name, limit in ((above, "input", 21), (below, "output", 2.6)):
        axes.axhline(0, color=REFERENCE, linewidth=0.8)
        axes.set(ylabel=name, ylim=(-limit, limit))
    above.set_yticks([-10, 0, 10])
    below.set(xlabel="feature", xticks=places)
    legend_above(above, [given, left, right], ["input", "LayerNorm", "RMSNorm"])
    figure.subplots_adjust(bottom=0.15, top=0.91, hspace=0.12)
    figure.align_ylabels()
    return figure, (
        f"Features {numbers(x, 1)} (mean {number(x.mean(), 2)}): LayerNorm gives {numbers(layer, 2)}, with mean"
        f" {_fixed(layer.mean(), 2)}; RMSNorm gives {numbers(rms, 2)}, with mean {_fixed(rms.mean(), 2)}."
    )


@pictured
def residual_wiring() -> tuple[Figure, str]:
    """Draw where the normalization stands in a post-norm and in a pre-norm block."""
    figure = new_figure((4.6, 2.8))
    y, above = 0.3, 0.7
    for bottom, (title, parts) in zip((1.4, 0), _WIRING.items(), strict=True):
        axes = add_sheet(figure, bottom, 1.4)
        axes.text(0.05, 1.2, title, va="center", weight="bold")
        axes.text(0.1, y, "x", ha="center", va="center")
        start = 0.2
        for centre, text in parts.items():
            half = 0.1 if text == "+" else 0.45
            add_arrow(axes, (start, y), (centre - half - 0.02, y))
            start = centre + half + 0.02
            if text == "+":
                axes.text(centre, y, text, ha="center", va="center")
                add_arrow(axes, (0.3, y), (0.3, above), (centre, above), (centre, y + 0.12))
                axes.text((0.3 + centre) / 2, above + 0.13, "skip connection", ha="center", va="center")
            else:
                add_part(axes, centre, y, 2 * half, text, edgecolor=THING if text == "sublayer" else RIVAL)
        add_arrow(axes, (start, y), (4.55, y))
    return figure, (
        "Post-norm: sublayer, then sum with the skip connection, then norm, so that the skip path goes through the"
        " norm. Pre-norm: norm, sublayer, sum, so that the skip path meets no norm until the final norm after the"
        " last block."
    )


# Where the parts stand; what both ways have stands in the same place.
_WIRING = {
    "post-norm": {2.1: "sublayer", 2.9: "+", 3.7: "norm"},
    "pre-norm": {0.95: "norm", 2.1: "sublayer", 2.9: "+", 3.7: "final norm"},
}
