"""The pictures of chapter 2: cross-entropy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from lossprimer.figures.drawing import (
    HATCH,
    MARK,
    REFERENCE,
    RIVAL,
    SERIES,
    THING,
    digit_readings,
    fixed_ticks,
    label_bars,
    label_rows,
    legend_above,
    listed,
    new_axes,
    new_figure,
    number,
    numbers,
    pictured,
    power_of_ten,
    scientific,
)
from lossprimer.losses import cross_entropy, cross_entropy_grad
from lossprimer.probability import entropy, kl_divergence, one_hot, softmax, softmax_backward

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "batch_loss",
    "calibration",
    "coin",
    "cost_of_labels",
    "gradient_by_lead",
    "label_smoothing",
    "log_and_square",
    "recovery",
    "same_probability",
    "smoothing_floor",
    "surprise",
]

# The height of the axis on which the costs of three digits stand: their dearest label, and room for its number.
_DEAREST = 37
# A prediction is called confident if its most likely class has at least this probability.
CONFIDENT = 0.8


@pictured
def cost_of_labels(images: ArrayLike, scores: ArrayLike, labels: ArrayLike, names: Sequence[str]) -> tuple[Figure, str]:
    """Draw three digits, the probabilities of their ten scores, and what each answer costs with its label.

    Parameters
    ----------
    images : array_like, shape (3, 64)
        Eight rows of eight pixels each, from 0 to 1.
    scores : array_like, shape (3, 10)
        What a model gives to the ten classes.
    labels : array_like of ints, shape (3,)
    names : sequence of 3 str
    """
    probabilities = softmax(scores)
    costs = cross_entropy(scores, labels, reduction="none")
    figure, columns = digit_readings(images, names, probabilities)
    # Lower digits, so that they, slider and costs stand on one screen.
    for paper in figure.axes[::2]:
        left, _, width, _ = paper.get_position().bounds
        paper.set_position((left, 0.72, width, 0.2))
    for axes, label in zip(columns, labels, strict=True):
        axes.axvline(label, color=MARK, linewidth=2)
        axes.set_title(f"label {label}", color=MARK)
        left, _, width, _ = axes.get_position().bounds
        axes.set_position((left, 0.36, width, 0.26))
    below = figure.add_axes((0.13, 0.03, 0.845, 0.22))
    bars = below.bar(range(3), costs, width=0.5, color=THING)
    below.set(xlim=(-0.5, 2.5), ylim=(0, _DEAREST), ylabel="cost")
    label_bars(below, bars, [number(cost) for cost in costs])
    below.set_xticks([])
    below.set_yticks([0, 15, 30])
    given = [_plain(row[label]) for row, label in zip(probabilities, labels, strict=True)]
    return figure, (
        f"Labels {listed(map(str, labels))}, the vertical lines: their probabilities are {listed(given)}, and the"
        f" answers cost {listed(map(number, costs))} nats."
    )


@pictured
def surprise(p: float) -> tuple[Figure, str]:
    """Draw the curve of −ln p and the point on it where the right class has the probability `p`."""
    loss = _surprise(p)
    curve = np.exp(np.linspace(-3, 0, 41))
    figure, axes = new_axes(xlabel="probability of the right class", ylabel="loss in nats")
    axes.plot(curve, _surprise(curve), color=THING)
    axes.plot([p, p], [0, loss], color=MARK, linewidth=1.5, linestyle="--")
    axes.plot([p], [loss], "o", color=MARK, markersize=9, clip_on=False)
    axes.set_title(f"loss {number(loss)}", loc="right", color=MARK)
    axes.set(xlim=(0, 1), ylim=(0, 3))
    figure.subplots_adjust(top=0.9)
    return figure, (
        f"The right class gets the probability {p:g}: loss {number(loss)} nats, which is"
        f" {number(loss / np.log(2))} bits."
    )


def _surprise(p: ArrayLike) -> np.ndarray:
    """Return −ln p, without the sign of a negative zero."""
    return np.abs(np.log(p))


@pictured
def same_probability(p: float, classes: int, rest: str) -> tuple[Figure, str]:
    """Draw a prediction that gives the right class the probability `p`, and say whether it is right and confident.

    Parameters
    ----------
    p : float
        The probability of the right class.
    classes : int
        How many there are.
    rest : {"even", "one"}
        Whether the other classes share 1 − `p` evenly, or one of them has it all.
    """
    rival = (1 - p) / (classes - 1) if rest == "even" else 1 - p
    others = rival if rest == "even" else 0.0
    figure, axes = new_axes(xlabel="probability", ylabel="", size=(4.6, 2.4))
    shown = {
        "the truth": (p, {"color": THING}),
        "strongest rival": (rival, {"facecolor": "none", "edgecolor": RIVAL, "hatch": HATCH}),
        "all other rivals": (
            max(classes - 2, 0) * others,
            {"facecolor": "none", "edgecolor": REFERENCE, "hatch": HATCH},
        ),
        "a uniform guess": (1 / classes, {"facecolor": "none", "edgecolor": REFERENCE, "linestyle": "--"}),
    }
    for row, (value, look) in enumerate(shown.values()):
        axes.barh(row, value, height=0.6, **look)
        axes.text(value + 0.015, row, number(value) if value == 0 or value >= 0.001 else _plain(value), va="center")
    label_rows(axes, range(4), shown)
    axes.set(xlim=(0, 1.17), ylim=(3.5, -0.5))
    axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.grid(False)  # each bar has its number
    figure.subplots_adjust(left=0.41)
    loss, chance = _surprise(p), np.log(classes)
    spread = "" if classes == 2 else f", {'the rest even' if rest == 'even' else 'the rest on one class'}"
    return figure, (
        f"p = {p:g}, {classes:,} classes{spread}: loss {number(loss)} nats, and a uniform guess costs"
        f" {number(chance)}. {_verdict(p, rival, others, classes)}"
    )


def _verdict(p: float, rival: float, others: float, classes: int) -> str:
    """Say whether a prediction is right, wrong or undecided, and whether it is confident."""
    if np.isclose(p, rival):
        undecided = "among all classes" if classes == 2 or np.isclose(p, others) else "between the truth and one rival"
        return f"The model is undecided {undecided}."
    confident = "and confident" if max(p, rival) >= CONFIDENT else "but not confident"
    return f"The model is {'right' if p > rival else 'wrong'}, {confident}."


@pictured
def log_and_square(points: Sequence[float]) -> tuple[Figure, str]:
    """Draw the log loss and the squared error of two classes, and both at some probabilities of the right one."""
    points = np.asarray(points)
    curve = np.exp(np.linspace(-5, 0, 61))
    figure, axes = new_axes(xlabel="probability of the right class", ylabel="loss", size=(4.6, 2.6))
    axes.plot(curve, _surprise(curve), color=THING, label="−ln p, without a bound")
    axes.plot(curve, _squared_error(curve), color=RIVAL, linestyle="--", label="2 (1 − p)², at most 2")
    axes.plot(points, _surprise(points), "o", color=THING, clip_on=False)
    axes.plot(points, _squared_error(points), "s", color=RIVAL, clip_on=False)
    axes.legend(loc="upper right")
    axes.set(xlim=(0, 1), ylim=(0, 5))
    return figure, (
        f"At p = {', '.join(f'{p:g}' for p in points)} the log loss is {numbers(_surprise(points))}"
        f" and the squared error {numbers(_squared_error(points))}."
    )


def _squared_error(p: np.ndarray) -> np.ndarray:
    """Return (p − 1)² + ((1 − p) − 0)²: the squared error summed over two classes, the right one with `p`."""
    return 2 * (1 - p) ** 2


@pictured
def gradient_by_lead(lead: float, classes: int) -> tuple[Figure, str]:
    """Draw the norm of each loss's gradient with respect to the scores when one wrong class leads all others.

    Parameters
    ----------
    lead : float
        The score of the wrong class; the truth and all others have the score 0.
    classes : int
        How many there are.
    """
    leads = np.linspace(0, 20, 51)
    curves, points = _gradient_lengths(leads, classes), _gradient_lengths([lead], classes)
    looks = (("log loss", "-", "o", THING), ("squared error", "--", "s", RIVAL))
    figure = new_figure((4.6, 2.8))
    panels = figure.subplots(1, 2)
    for axes in panels:
        axes.axvline(lead, color=MARK, linewidth=1)
        for (name, line, marker, color), curve, point in zip(looks, curves, points, strict=True):
            axes.plot(leads, curve, line, color=color, label=name)
            axes.plot([lead], point, marker, color=color, clip_on=False)
        axes.set(xlim=(0, 20), xlabel="lead")
        axes.set_xticks([0, 5, 10, 15, 20])
        # Room for the marks of a lead of 0, which lie on the axis.
        axes.tick_params(axis="y", pad=9)
        axes.grid(axis="y")
    linear, log = panels
    linear.set(ylabel="length of the gradient", ylim=(0, 1.5))
    linear.set_yticks([0, 0.5, 1, 1.5], ["0", "0.5", "1", "1.5"])
    log.set(yscale="log", ylim=(1e-9, 10), title="logarithmic")
    powers = (0, -3, -6, -9)
    fixed_ticks(log.yaxis, [10.0**power for power in powers], [power_of_ten(power) for power in powers])
    handles, names = linear.get_legend_handles_labels()
    figure.legend(handles, names, loc="upper left", ncols=2, bbox_to_anchor=(0.1, 1.03))
    linear.set_title("linear")
    figure.subplots_adjust(left=0.14, right=0.96, top=0.8, bottom=0.18, wspace=0.46)
    (log_loss,), (squared,) = points
    p = softmax(lead * one_hot(0, classes))[1]
    return figure, (
        f"Lead {lead:g}, the vertical line, {classes:,} classes: the truth has p = {_plain(p)}. Length of the"
        f" gradient: log loss {number(log_loss)}, squared error {_plain(squared)}; ratio {_times(log_loss / squared)}."
    )


def _gradient_lengths(leads: ArrayLike, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the norms of both gradients with respect to the scores: class 0 leads by `leads`, class 1 is the truth."""
    leads = np.asarray(leads, dtype=float)[:, None]
    z = leads * one_hot(0, classes)
    y = np.broadcast_to(one_hot(1, classes), z.shape)
    p = softmax(z)
    log_loss = cross_entropy_grad(z, y, reduction="sum")
    squared = softmax_backward(2 * (p - y), p)
    return np.linalg.norm(log_loss, axis=-1), np.linalg.norm(squared, axis=-1)


def _times(ratio: float) -> str:
    return f"{ratio:.1f}" if ratio < 100 else f"{ratio:,.0f}" if ratio < 1e5 else _plain(ratio)


def _plain(value: float) -> str:
    """Return `value` to three decimals, or to two digits and a power of ten where three decimals show too little."""
    if value == 0 or 0.01 <= value < 1e5:
        return number(value)
    return scientific(value)


@pictured
def recovery(
    log_loss: Mapping[str, ArrayLike], squared: Mapping[str, ArrayLike], chance: float = 0.1
) -> tuple[Figure, str]:
    """Draw test accuracy after each epoch, with the range over seeds, for both losses at the same learning rates.

    Parameters
    ----------
    log_loss, squared : mappings of str to array_like, shape (seeds, epochs + 1)
        Trained with the log loss and with the squared error, by the name of the rate, which has a panel; the first
        column is before training.
    chance : float
        The accuracy of a guess.
    """
    figure = new_figure()
    panels = figure.subplots(1, len(log_loss), sharey=True, squeeze=False)[0]
    told = []
    for axes, (rate, of_log), of_squared in zip(panels, log_loss.items(), squared.values(), strict=True):
        axes.axhline(chance, color=REFERENCE, linewidth=1)
        looks = (("squared error", of_squared, "--", RIVAL), ("log loss", of_log, "-", THING))
        for name, values, line, color in looks:
            values = np.asarray(values)
            epochs = np.arange(values.shape[1])
            axes.fill_between(epochs, values.min(axis=0), values.max(axis=0), color=color, alpha=0.15, linewidth=0)
            axes.plot(epochs, values.mean(axis=0), line, color=color, label=name)
        axes.set(xlim=(0, epochs[-1]), ylim=(0, 1), title=rate)
        axes.set_xticks(np.linspace(0, epochs[-1], 3))
        axes.grid(axis="y")
        told.append(f"{rate}: {np.mean(of_log, axis=0)[-1]:.2f} and {np.mean(of_squared, axis=0)[-1]:.2f}")
    panels[0].text(epochs[-1], chance - 0.02, "chance", ha="right", va="top", color=REFERENCE)
    panels[0].set_ylabel("test accuracy")
    panels[len(panels) // 2].set_xlabel("epochs after the switch to the true labels")
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles[::-1], names[::-1], loc="upper left", ncols=2, bbox_to_anchor=(0.1, 1.02))
    figure.subplots_adjust(top=0.81, wspace=0.3)
    return figure, (
        f"Mean test accuracy after {epochs[-1]} epochs with the log loss and with the squared error; {'; '.join(told)}."
        " The bands span all seeds."
    )


@pictured
def coin(heads: int, tails: int) -> tuple[Figure, str]:
    """Draw the mean log loss and the mean squared error of saying "heads with probability p" every time."""
    share = heads / (heads + tails)
    p = np.linspace(0.01, 0.99, 99)
    log_loss = share * _surprise(p) + (1 - share) * _surprise(1 - p)
    squared = share * _squared_error(p) + (1 - share) * _squared_error(1 - p)
    figure, axes = new_axes(xlabel="predicted probability of heads", ylabel="mean loss")
    axes.plot(p, log_loss, color=THING, label="log loss")
    axes.plot(p, squared, "--", color=RIVAL, label="squared error")
    lowest = [(p[np.argmin(losses)], losses.min()) for losses in (log_loss, squared)]
    for (where, value), color, marker in zip(lowest, (THING, RIVAL), "os", strict=True):
        axes.plot([where], [value], marker, color=color)
    axes.set(xlim=(0, 1), ylim=(0, 2.2))
    legend_above(axes)
    figure.subplots_adjust(top=0.88)
    return figure, (
        f"{heads} heads and {tails} tails: the mean log loss is lowest at p = {lowest[0][0]:.2f}, where it is"
        f" {lowest[0][1]:.3f} nats, and the mean squared error at p = {lowest[1][0]:.2f}."
    )


@pictured
def label_smoothing(smoothing: float, classes: int, prediction: str) -> tuple[Figure, str]:
    """Draw a smoothed target beside a prediction, and what their cross-entropy consists of.

    Parameters
    ----------
    smoothing : float
        The part of the target that is spread evenly over all classes. Class 0 is the right one.
    classes : int
        How many there are.
    prediction : {"right", "target", "guess"}
        99 % on the right class, the target itself, or the same for all classes.
    """
    y = (1 - smoothing) * one_hot(0, classes) + smoothing / classes
    p = {
        "right": np.where(one_hot(0, classes) > 0, 0.99, 0.01 / (classes - 1)),
        "target": y,
        "guess": np.full(classes, 1 / classes),
    }[prediction]
    floor, divergence = float(entropy(y)), float(kl_divergence(y, p))
    # The softmax of ln p is p; where p is 0, and ln p is −∞, the target is 0 as well.
    with np.errstate(divide="ignore"):
        loss = float(cross_entropy(np.log(p), y))
    figure, axes = new_axes(xlabel="probability given to the right class", ylabel="loss in nats", size=(4.6, 2.6))
    # Predictions that share the rest evenly; the least of their losses is that of the target itself.
    # Evenly spaced in the lead of the right class, and so closer together at both ends, where the curve is steep.
    given = 1 / (1 + np.exp(-np.linspace(-6.9, 6.9, 37)))[:, None]
    rows = np.where(one_hot(0, classes) > 0, given, (1 - given) / (classes - 1))
    axes.plot(
        given[:, 0],
        cross_entropy(np.log(rows), np.tile(y, (len(rows), 1)), reduction="none"),
        color=THING,
        label="loss",
    )
    axes.axhline(floor, color=RIVAL, linestyle="--", label="floor H(y)")
    axes.plot([p[0], p[0]], [floor, loss], color=MARK, linewidth=4, alpha=0.6, label="KL", clip_on=False)
    axes.plot([p[0]], [loss], "o", color=MARK, markersize=9, clip_on=False)
    axes.set(xlim=(0, 1), ylim=(0, 3.5))
    legend_above(axes)
    figure.subplots_adjust(top=0.88)
    return figure, (
        f"Smoothing {smoothing:g}, {classes} classes: the target has {number(y[0])} at the right class and"
        f" {number(y[1])} at each other. Floor H(y) {number(floor)} nats, KL {number(divergence)}, loss {number(loss)}."
    )


@pictured
def smoothing_floor(losses: Mapping[float, ArrayLike], floors: Mapping[float, float]) -> tuple[Figure, str]:
    """Draw the training loss with and without label smoothing, and the lowest value that each can have.

    Parameters
    ----------
    losses : mapping of float to array_like, shape (epochs,)
        The training loss of each epoch, by the amount of smoothing.
    floors : mapping of float to float
        The entropy of the smoothed target.
    """
    figure, axes = new_axes(xlabel="epoch", ylabel="training loss in nats")
    parts = []
    for place, (smoothing, values) in enumerate(losses.items()):
        values = np.asarray(values)
        epochs = np.arange(len(values)) + 1
        axes.plot(epochs, values, ["-", "--"][place], color=SERIES[place], label=f"smoothing {smoothing:g}")
        axes.axhline(floors[smoothing], color=SERIES[place], linewidth=1, linestyle=":")
        parts.append(f"smoothing {smoothing:g}: floor {floors[smoothing]:.3f}, last epoch {values[-1]:.3f}")
    axes.annotate("floor", (len(values), max(floors.values())), xytext=(0, -13), textcoords="offset points", ha="right")
    axes.set(xlim=(1, len(values)), ylim=(0, 2.0))
    step = 5 * -(-len(values) // 25)
    axes.set_xticks([1, *range(step, len(values) + 1, step)])
    axes.legend(loc="upper right")
    return figure, f"Training loss: {'; '.join(parts)}."


@pictured
def calibration(predictions: Mapping[str, Sequence[ArrayLike]]) -> tuple[Figure, str]:
    """Draw how often predictions are right, by how confident they are.

    Parameters
    ----------
    predictions : mapping of str to three array_likes of shape (bins,)
        By a name, at most four: how many predictions fall into each bin, the sum of their confidences, and how many of
        them are right. Bins with fewer than ten predictions are not drawn.
    """
    figure, axes = new_axes(xlabel="confidence", ylabel="accuracy")
    axes.plot([0.04, 1], [0.04, 1], color=REFERENCE, linewidth=1, label="calibrated")
    told = []
    for place, (name, bins) in enumerate(predictions.items()):
        count, confidence, right = np.asarray(bins, dtype=float)
        many = count >= 10
        x, y = confidence[many] / count[many], right[many] / count[many]
        axes.plot(x, y, ["-o", "--s", ":^", "-.d"][place], color=SERIES[place], markersize=6, label=name)
        told.append(f"{name} {np.abs(right - confidence).sum() / count.sum():.3f}")
    axes.set(xlim=(0, 1), ylim=(0, 1.02))
    legend_above(axes, columns=2)
    figure.subplots_adjust(top=0.82)
    return figure, f"Calibration error: {'; '.join(told)}."


# What a loss may reach in its picture; more is cut, with its number.
_HIGHEST = 4.0


@pictured
def batch_loss(probabilities: ArrayLike, labels: ArrayLike, loss: str) -> tuple[Figure, str]:
    """Draw what each example of a batch costs, and their mean.

    Parameters
    ----------
    probabilities : array_like of shape (N, K)
        What is predicted for each of N examples.
    labels : array_like of ints, shape (N,)
        The right class of each, counted from 0.
    loss : {"log", "squared"}
        Whether an example costs −ln p of its right class, or the sum of the squared differences between the
        probabilities and the one-hot target.

    Raises
    ------
    ValueError
        If a row of `probabilities` does not add up to 1, to within a hundredth, or `labels` does not name a class for
        each row.
    """
    p, labels = np.asarray(probabilities, dtype=float), np.asarray(labels, dtype=int)
    for place, row in enumerate(p, 1):
        if abs(row.sum() - 1) > 0.01:
            raise ValueError(f"probabilities add up to {row.sum():.4g} in row {place}, expected 1")
    if len(labels) != len(p):
        held = f"{len(labels)} class" if len(labels) == 1 else f"{len(labels)} classes"
        raise ValueError(f"labels holds {held}, expected one for each row, {len(p)} in all")
    if not ((labels >= 0) & (labels < p.shape[1])).all():
        wrong = labels[(labels < 0) | (labels >= p.shape[1])][0]
        raise ValueError(f"labels holds {wrong}, expected classes from 0 to {p.shape[1] - 1}")
    right = p[np.arange(len(p)), labels]
    with np.errstate(divide="ignore"):
        costs = _surprise(right) if loss == "log" else ((p - one_hot(labels, p.shape[1])) ** 2).sum(axis=1)
    mean = float(costs.mean())
    figure, axes = new_axes(xlabel="probability of the right class", ylabel="loss in nats" if loss == "log" else "loss")
    bars = axes.bar(range(len(p)), np.minimum(costs, _HIGHEST), width=0.6, color=THING)
    texts = [f"{number(cost)} ↑" if cost > _HIGHEST else number(cost) for cost in costs]
    axes.set(xlim=(-0.5, max(len(p), 4) - 0.5), ylim=(0, _HIGHEST * 1.1))
    label_bars(axes, bars, texts, line=mean)
    if mean <= _HIGHEST:
        axes.axhline(mean, color=REFERENCE, linestyle="--")
    axes.set_xticks(range(len(p)), [f"{share:.3g}" for share in right])
    name = "−ln p" if loss == "log" else "squared error"
    line = ", the dashed line," if mean <= _HIGHEST else ""
    return figure, f"The {name} of each example: {numbers(costs)}. Their mean{line} is {number(mean)}."
