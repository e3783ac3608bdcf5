"""The pictures of chapter 1: softmax."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from lossprimer.figures.drawing import (
    HATCH,
    INFINITY,
    MARK,
    MINUS,
    MOST_OPAQUE,
    REFERENCE,
    RIVAL,
    THING,
    add_rectangle,
    by_hand,
    digit_readings,
    fixed_ticks,
    heat_map,
    label_bars,
    label_rows,
    legend_above,
    new_axes,
    new_figure,
    number,
    numbers,
    pictured,
    readings_told,
    scientific,
)
from lossprimer.probability import entropy, log_softmax, softmax

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "attention_spread",
    "digits_at_temperature",
    "jacobian",
    "overflow",
    "recipe",
    "temperature",
    "temperature_on_data",
    "winner_share",
]


@pictured
def digits_at_temperature(
    images: ArrayLike, scores: ArrayLike, names: Sequence[str], temperature: float
) -> tuple[Figure, str]:
    """Draw three digits, and below each the probabilities of its ten scores at a temperature.

    Parameters
    ----------
    images : array_like, shape (3, 64)
        Eight rows of eight pixels each, from 0 to 1.
    scores : array_like, shape (3, 10)
        What a model gives to the ten classes.
    names : sequence of 3 str
    temperature : float
    """
    probabilities = softmax(scores, temperature=temperature)
    figure, _ = digit_readings(images, names, probabilities)
    return figure, f"T = {temperature:g}: the most likely are {readings_told(probabilities)}."


@pictured
def recipe(scores: ArrayLike, stage: int) -> tuple[Figure, str]:
    """One stage of the softmax recipe.

    Parameters
    ----------
    scores : array_like, shape (K,)
        The scores.
    stage : int
        1 for the scores, 2 for their exponentials and the total, 3 for the probabilities.
    """
    scores = np.asarray(scores, dtype=float)
    exponentials = np.exp(scores)
    total = exponentials.sum()
    shares = softmax(scores)
    sentence = {
        1: f"Scores {numbers(scores, 1)}: any real numbers, with any sum.",
        2: f"Exponentials {numbers(exponentials, 2)}: all positive, {number(total, 2)} in total.",
        3: f"Each exponential divided by {number(total, 2)}: probabilities {numbers(shares)}, together 1.",
    }[stage]
    if stage == 3:
        return _one_whole(shares), sentence
    heights = scores if stage == 1 else exponentials
    figure, axes = new_axes(xlabel="class", ylabel=("score z", "exp(z)")[stage - 1])
    bars = axes.bar(np.arange(len(scores)) + 1, heights, width=0.6, color=THING)
    label_bars(axes, bars, [number(height, stage) for height in heights])
    axes.set_xticks(np.arange(len(scores)) + 1)
    # One axis for scores and exponentials: the second step makes the differences larger.
    low, high = min(0, scores.min()), 1.15 * exponentials.max()
    # Below a bar that goes down there is room for its number.
    axes.set_ylim(low - 0.1 * (high - low) * (low < 0), high)
    return figure, sentence


def _one_whole(shares: np.ndarray) -> Figure:
    """Return a figure of the shares as parts of one bar."""
    figure, axes = new_axes(xlabel="probability", ylabel="")
    ends = shares.cumsum()
    for place, (share, end) in enumerate(zip(shares, ends, strict=True)):
        fades = MOST_OPAQUE * (1 - place / len(shares))
        add_rectangle(axes, (end - share, 0.4), share, 0.6, facecolor=THING, alpha=fades)
        add_rectangle(axes, (end - share, 0.4), share, 0.6, edgecolor=THING)
        if share > 0.11:
            axes.text(end - share / 2, 0.7, number(share), ha="center", va="center")
            axes.text(end - share / 2, 1.1, f"class {place + 1}", ha="center", va="center")
    axes.set(xlim=(0, 1), ylim=(0, 1.6))
    axes.set_yticks([])
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    axes.grid(False)
    axes.spines["left"].set_visible(False)
    figure.subplots_adjust(left=0.05, right=0.95)
    return figure


@pictured
def winner_share(gap: float, classes: int) -> tuple[Figure, str]:
    """Draw the probability of a class that leads all others by `gap`, among `classes` classes."""
    gaps = np.linspace(0, 8, 81)
    figure, axes = new_axes(xlabel="lead over every other class", ylabel="probability of the leader (log)")
    counts = (2, 10, 100, 1000, 50_000)
    for count in counts:
        axes.plot(gaps, _share(gaps, count), color=REFERENCE, linewidth=1, linestyle="--")
    axes.plot(gaps, _share(gaps, classes), color=THING)
    share = _share(gap, classes)
    axes.plot([gap], [share], "o", color=MARK, markersize=8, clip_on=False)
    axes.set(xlim=(0, 8), yscale="log", ylim=(1e-5, 1.3))
    # Without a lead the share is one part of as many as there are classes: each curve begins at its number.
    fixed_ticks(axes.yaxis, [1 / count for count in counts], [f"1/{count:,}" for count in counts])
    # The mark of a lead of 0 lies on the axis, and on no label.
    axes.tick_params(axis="y", pad=7)
    axes.set_title(f"{classes:,} classes: {_percent(share)}", loc="right", color=THING)
    figure.subplots_adjust(left=0.27, top=0.88)
    single = np.exp(gap)
    return figure, (
        f"Lead {gap:g}, {classes:,} classes: the leader gets {_percent(share)}. That is {_ratio(single, 1)} times any"
        f" other class, and {_ratio(single, classes - 1)} times all the others together."
    )


def _share(gap: ArrayLike, classes: int) -> np.ndarray:
    """Return the leader's softmax: the scores are `gap` once, and 0 for the other classes."""
    scores = np.stack([np.asarray(gap, dtype=float), np.full(np.shape(gap), np.log(classes - 1))], axis=-1)
    # The others are one class whose score is the logarithm of their number: exp(log(K - 1)) = (K - 1) exp(0).
    return softmax(scores)[..., 0]


def _percent(share: float) -> str:
    """Return a share in three digits, or in four where three would say that it is the whole."""
    return f"{100 * share:.{3 if share < 0.9995 else 4}g} %"


@pictured
def temperature(temperature: float = 1.0, scores: ArrayLike = (2.0, 1.0, 0.5)) -> tuple[Figure, str]:
    """Draw softmax(`scores` / `temperature`) and its entropy; of the scores at least two must be finite."""
    scores = np.atleast_1d(np.asarray(scores, dtype=float))
    if np.isfinite(scores).sum() < 2:
        raise ValueError(f"scores are {numbers(scores, 1)}, expected at least two finite ones")
    probabilities = softmax(scores, temperature=temperature)
    nats = entropy(probabilities)
    figure = new_figure()
    left, right = figure.subplots(1, 2, width_ratios=(5, 4))
    few = len(scores) <= 4
    places = np.arange(len(scores))
    bars = left.bar(places, probabilities, width=0.7, color=THING)
    if few:
        label_bars(left, bars, [number(p, 2) for p in probabilities])
    shown = places if few else places[[0, -1]]
    left.set_xticks(shown, [number(score, 1) for score in scores[shown]])
    left.set(xlabel="score", ylabel="probability", ylim=(0, 1.15))
    first, second = -np.sort(-probabilities)[:2]
    left.set_title(f"1st : 2nd = {_ratio(first, second)}")
    grid = np.geomspace(0.05, 20, 81)
    right.plot(grid, [entropy(softmax(scores, temperature=value)) for value in grid], color=THING)
    count = int(np.isfinite(scores).sum())
    right.axhline(np.log(count), color=REFERENCE, linestyle="--", linewidth=1)
    right.text(0.08, np.log(count) + 0.04, f"ln {count}", color=REFERENCE)
    right.plot([temperature], [nats], "o", color=MARK, markersize=8, clip_on=False)
    right.set(xscale="log", xlim=(0.05, 20), ylim=(0, 2.5), xlabel="T (log)", title=f"entropy {nats:.3f}")
    fixed_ticks(right.xaxis, (0.1, 1, 10))
    right.grid(axis="y")
    figure.subplots_adjust(left=0.14, top=0.88, wspace=0.3)
    ends = f"from {number(probabilities.max())} to {number(probabilities.min())}"
    return figure, (
        f"T = {temperature:g}: probabilities {numbers(probabilities) if few else ends}; entropy {nats:.2f} nats."
        f" The two largest have the ratio {_ratio(first, second)}."
    )


def _ratio(first: float, second: float) -> str:
    """Return how many times `second` goes into `first`, in three digits."""
    if second == 0:
        return INFINITY
    ratio = first / second
    return by_hand(ratio, 3) if ratio < 1000 else f"{ratio:,.0f}" if ratio < 1e6 else scientific(ratio)


@pictured
def temperature_on_data(logits: ArrayLike, labels: ArrayLike, temperatures: ArrayLike) -> tuple[Figure, str]:
    """Draw accuracy, average confidence and average loss of a classifier whose logits are divided by a temperature.

    Parameters
    ----------
    logits : array_like, shape (N, K)
    labels : array_like of int, shape (N,)
    temperatures : array_like, shape (n,)
    """
    labels, temperatures = np.asarray(labels), np.asarray(temperatures)
    log_p = np.stack([log_softmax(logits, temperature=value) for value in temperatures])
    losses = -log_p[:, np.arange(len(labels)), labels].mean(axis=-1)
    accuracies = (log_p.argmax(axis=-1) == labels).mean(axis=-1)
    confidences = np.exp(log_p.max(axis=-1)).mean(axis=-1)
    figure = new_figure((4.6, 3.6))
    above, below = figure.subplots(2, 1, sharex=True)
    lines = [
        *above.plot(temperatures, accuracies, color=THING),
        *above.plot(temperatures, confidences, color=RIVAL, linestyle="--", marker="o", markersize=4),
    ]
    legend_above(above, lines, ["accuracy", "average confidence"])
    above.set(ylim=(0, 1.05))
    below.plot(temperatures, losses, color=THING, marker="o", markersize=4)
    below.set(ylabel="loss in nats", ylim=(0, None), xlabel="temperature T (logarithmic)")
    below.set_xscale("log")
    fixed_ticks(below.xaxis, (0.1, 0.3, 0.7, 1, 2, 5, 10))
    for axes in (above, below):
        axes.grid(axis="y")
    figure.subplots_adjust(hspace=0.15, bottom=0.15, top=0.9)
    best, near = int(np.argmin(losses)), int(np.argmin(np.abs(confidences - accuracies)))
    for axes in (above, below):
        axes.axvline(temperatures[near], color=REFERENCE, linewidth=1)
    low, high = f"{accuracies.min():.3f}", f"{accuracies.max():.3f}"
    stays = f"stays at {low}" if low == high else f"lies between {low} and {high}"
    return figure, (
        f"From T = {temperatures[0]:g} to {temperatures[-1]:g} the accuracy {stays}; the loss falls from"
        f" {losses[0]:.3f} to {losses[best]:.3f} at T = {temperatures[best]:g} and rises to {losses[-1]:.3f}."
        f" The confidence comes closest to the accuracy at T = {temperatures[near]:g}, the vertical line, with"
        f" {confidences[near]:.3f}."
    )


@pictured
def overflow(largest: float, dtype: str) -> tuple[Figure, str]:
    """Draw the naive softmax beside the stable one for scores `largest`, `largest` − 1, `largest` − 2.

    Parameters
    ----------
    largest : float
        The largest score. The three differences, and so the true answer, are always the same.
    dtype : {"float16", "float32", "float64"}
        In which arithmetic both are calculated.
    """
    scores = np.array([largest, largest - 1, largest - 2], dtype=dtype)
    with np.errstate(all="ignore"):  # the naive formula is meant to fail here
        exponentials = np.exp(scores)
        naive = exponentials / exponentials.sum()
    stable = softmax(scores)
    figure = new_figure((4.6, 3.3))
    axes, line = figure.subplots(2, 1, height_ratios=(5, 1))
    places = np.arange(3)
    left = axes.bar(places - 0.2, np.nan_to_num(naive), width=0.36, facecolor="none", edgecolor=RIVAL, hatch=HATCH)
    right = axes.bar(places + 0.2, stable, width=0.36, color=THING)
    label_bars(axes, left, [number(p) for p in naive])
    label_bars(axes, right, [number(p) for p in stable])
    legend_above(axes, [left, right], ["naive", "stable"])
    axes.set_xticks(places, [by_hand(score) for score in scores.astype(float)])
    axes.set(ylim=(0, 1), ylabel="probability")
    _limits_of_exp(line, largest, dtype)
    figure.subplots_adjust(top=0.9, bottom=0.17, hspace=0.55)
    return figure, (
        f"{dtype}, largest score {by_hand(largest)}: the exponentials are"
        f" {', '.join(_exponential(float(value)) for value in exponentials)}."
        f" Naive: {numbers(naive)}. Stable: {numbers(stable)}."
    )


def _limits_of_exp(axes: Axes, largest: float, dtype: str) -> None:
    """Draw where the exponential of each number format overflows, and where the largest score stands."""
    limits = {name: np.log(float(np.finfo(name).max)) for name in ("float16", "float32", "float64")}
    axes.set_xscale("symlog", linthresh=10, linscale=0.6)
    axes.axvspan(limits[dtype], 2000, color=RIVAL, alpha=0.3, linewidth=0)
    for limit in limits.values():
        axes.axvline(limit, color=REFERENCE, linewidth=1)
    axes.plot([largest], [0.5], "o", color=MARK, markersize=8)
    axes.set(xlim=(-2000, 2000), ylim=(0, 1), xlabel="largest score: exp overflows from here on")
    fixed_ticks(
        axes.xaxis, [-1000, -100, 0, *limits.values()], [f"{MINUS}1000", f"{MINUS}100", "0", "11.1", "88.7", "710"]
    )
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)


def _exponential(value: float) -> str:
    return number(value) if value == 0 or not np.isfinite(value) else scientific(value, 2)


@pictured
def jacobian(scores: ArrayLike, temperatures: Sequence[float]) -> tuple[Figure, str]:
    """Draw d softmax(z / T) / dz for each temperature: the derivative of probability j with respect to score i."""
    figure = new_figure((4.6, 2.2))
    panels = figure.subplots(1, len(temperatures), squeeze=False)[0]
    matrices = []
    for axes, value in zip(panels, temperatures, strict=True):
        p = softmax(scores, temperature=value)
        matrices.append((np.diag(p) - np.outer(p, p)) / value)
        heat_map(axes, 100 * matrices[-1], largest=50, digits=0)
        axes.set_title(f"T = {value:g}")
        axes.set_xlabel("score")
    panels[0].set_ylabel("p, in hundredths")
    figure.subplots_adjust(left=0.09, right=0.99, bottom=0.2, top=0.86, wspace=0.2)
    largest = ", ".join(
        f"{np.abs(matrix).max():.2g} at T = {value:g}" for value, matrix in zip(temperatures, matrices, strict=True)
    )
    return figure, f"The derivative of each probability with respect to each score. The largest entry is {largest}."


@pictured
def attention_spread(
    queries: ArrayLike, keys: ArrayLike, width: int, scaled: bool, tokens: Sequence[str]
) -> tuple[Figure, str]:
    """Draw how one query spreads its attention over the tokens of a text, when all components are random.

    Parameters
    ----------
    queries : array_like, shape (N, D)
        One query for each of N trials. The first is drawn.
    keys : array_like, shape (N, n, D)
        The n keys of each query.
    width : int
        How many of the D components are used.
    scaled : bool
        Whether scores are divided by the square root of `width`.
    tokens : sequence of str, length n
        The words that the keys stand for.
    """
    queries, keys = np.asarray(queries)[:, :width], np.asarray(keys)[..., :width]
    scores = np.einsum("nd,nkd->nk", queries, keys)
    weights = softmax(scores / np.sqrt(width) if scaled else scores)
    figure = new_figure((4.6, 3.7))
    axes = figure.add_subplot()
    places = np.arange(len(tokens))
    axes.barh(places, weights[0], height=0.7, color=THING)
    axes.axvline(1 / len(tokens), color=REFERENCE, linestyle="--", linewidth=1.5)
    axes.set(xlim=(0, 1), ylim=(len(tokens) - 0.5, -0.5), xlabel="attention weight (dashed: equal weights)")
    label_rows(axes, places, tokens)
    axes.grid(axis="x")
    figure.subplots_adjust(bottom=0.15, top=0.98)
    most = int(weights[0].argmax())
    how = "divided by √d" if scaled else "not scaled"
    return figure, (
        f"d = {width}, {how}: by chance “{tokens[most]}” gets most, {weights[0, most]:.2f}."
        f" Average over {len(weights)} queries: largest weight {weights.max(axis=-1).mean():.2f}, entropy"
        f" {entropy(weights).mean():.2f} of {np.log(len(tokens)):.2f} nats."
    )
