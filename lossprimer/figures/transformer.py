"""The pictures of the epilogue: one Transformer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from lossprimer.figures.drawing import (
    MOST_OPAQUE,
    add_rectangle,
    add_rounded_box,
    fixed_ticks,
    listed,
    new_axes,
    new_figure,
    pictured,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["accuracy_by_arm", "copied_symbols", "copying_attention", "training_loss", "transformer_slots"]

# Lines are told apart by dashes too.
_LINES = [{"color": "C0", "linestyle": "-"}, {"color": "C1", "linestyle": "--"}]

# How a slot of each kind is framed; its text says the kind as well.
_FRAMES = {
    "": {"edgecolor": "C4", "linewidth": 0.8},
    "always": {"edgecolor": "C0", "linewidth": 2.6},
    "usually": {"edgecolor": "C0", "linewidth": 1.2},
    "optional": {"edgecolor": "C1", "linewidth": 1.2, "linestyle": "--"},
    "not here": {"edgecolor": "C4", "linewidth": 1.2, "linestyle": ":"},
}
_PARTS = {
    "Attention": ("norm: usually", "scores, mask", "softmax: always", "dropout: optional", "× values"),
    "Feed-forward": ("norm: usually", "linear layer", "ReLU", "dropout: optional", "linear layer"),
}


@pictured
def transformer_slots() -> tuple[Figure, str]:
    """Draw a pre-norm block, what stands before and after it, and how often each tool of the course is there."""
    figure = new_figure((4.6, 5.2))
    axes = figure.add_axes((0.01, 0.01, 0.98, 0.98))
    axes.set(xlim=(0, 4.6), ylim=(0, 5.2))
    axes.axis("off")
    _slot(axes, 0.85, 4.9, 1.5, "token + position")
    _slot(axes, 2.65, 4.9, 1.6, "dropout: optional")
    _arrow(axes, (1.62, 4.9), (1.83, 4.9))
    add_rectangle(axes, (0.05, 1.2), 4.5, 3.3, edgecolor="C4", linewidth=0.8)
    for centre, (title, parts) in zip((1.2, 3.4), _PARTS.items(), strict=True):
        axes.text(centre, 4.3, title, ha="center", va="center", weight="bold")
        for place, text in enumerate((*parts, "dropout: optional")):
            y = 3.95 - 0.42 * place
            _slot(axes, centre, y, 1.7, text)
            _arrow(axes, (centre, y - 0.15), (centre, y - 0.27))
        axes.text(centre, 1.4, "+ input", ha="center", va="center", fontsize=10)
    # From the sum of the first part up to the start of the second.
    axes.plot([1.55, 2.3, 2.3], [1.4, 1.4, 3.95], color="C4", linewidth=1.2)
    _arrow(axes, (2.3, 3.95), (2.53, 3.95))
    _arrow(axes, (2.65, 4.74), (1.2, 4.42))
    axes.text(0.12, 1.06, "one block; then the next, and after the last:", fontsize=10, va="center")
    ends = (
        (0.68, 1.2, "final norm:\nusually"),
        (2.12, 1.2, "softmax:\nalways"),
        (3.78, 1.4, "cross-entropy:\nusually"),
    )
    for centre, width, text in ends:
        _slot(axes, centre, 0.66, width, text, height=0.46)
    _arrow(axes, (1.3, 0.66), (1.5, 0.66))
    _arrow(axes, (2.74, 0.66), (3.06, 0.66))
    axes.plot([2.9, 2.9], [0.36, 1.0], color="C4", linewidth=1, linestyle=":")
    axes.text(2.95, 0.26, "training only, outside", fontsize=9, va="center")
    _slot(axes, 1.2, 0.18, 2.2, "batch norm: not here")
    return figure, (
        "A pre-norm block and what stands around it. Always: the softmax in attention and the one at the end. Usually:"
        " a norm before attention, before the feed-forward part and after the last block; in training, outside the"
        " model, cross-entropy. Optional: dropout on the embedding sum, the attention weights, the hidden units of"
        " the feed-forward part, and on what each of the two parts adds to its input. Not here: batch normalization."
    )


def _slot(axes: Axes, x: float, y: float, width: float, text: str, *, height: float = 0.26) -> None:
    """Draw a box around the point (x, y), framed by the kind of slot that its text names after a colon."""
    kind = text.partition(":")[2].strip()
    corner = x - width / 2 + 0.03, y - height / 2 + 0.03
    size = width - 0.06, height - 0.06
    add_rounded_box(axes, corner, *size, 0.03, **_FRAMES[kind])
    axes.text(x, y, text, ha="center", va="center", fontsize=10, weight="bold" if kind == "always" else "normal")


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    arrow = {"arrowstyle": "->", "color": "C4", "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", end, start, arrowprops=arrow)


@pictured
def training_loss(losses: Mapping[str, ArrayLike], num_tokens: int) -> tuple[Figure, str]:
    """Draw the loss at each step, on a logarithmic axis, and what a uniform guess costs.

    Parameters
    ----------
    losses : mapping of str to array_like of shape (S, n)
        At most two kinds of network by name; the losses of S runs of n steps.
    num_tokens : int
        The number K of tokens to guess among.
    """
    guess = np.log(num_tokens)
    figure, axes = new_axes(xlabel="step", ylabel="loss in nats (log)")
    said = []
    for (name, runs), look in zip(losses.items(), _LINES, strict=False):
        runs = np.asarray(runs, dtype=float)
        steps = np.arange(runs.shape[1]) + 1
        axes.plot(steps, runs.mean(axis=0), label=name, linewidth=1.5, **look)
        axes.fill_between(steps, runs.min(axis=0), runs.max(axis=0), color=look["color"], alpha=0.15, linewidth=0)
        said.append(f"{name} {runs[:, 0].mean():.2f} and {runs[:, -10:].mean():.3f}")
    axes.axhline(guess, color="C4", linestyle=":", linewidth=1.5)
    axes.annotate(
        f"uniform guess, ln {num_tokens}",
        (1, guess),
        xycoords=axes.get_yaxis_transform(),
        xytext=(0, 4),
        textcoords="offset points",
        ha="right",
        fontsize=10,
    )
    axes.set_yscale("log")
    fixed_ticks(axes.yaxis, [0.001, 0.01, 0.1, 1])
    figure.subplots_adjust(left=0.17)
    axes.set_ylim(0.0003, 5)
    axes.legend(loc="lower left")
    counts = dict.fromkeys(str(len(runs)) for runs in losses.values())
    return figure, (
        f"Mean loss of {listed(counts)} runs, at the first and in the last 10 of {runs.shape[1]} steps:"
        f" {'; '.join(said)}. A uniform guess among {num_tokens} tokens costs {guess:.2f}."
    )


@pictured
def copying_attention(
    snapshots: Mapping[int, ArrayLike], tokens: Sequence[int], step: int, head: tuple[int, int]
) -> tuple[Figure, str]:
    """Draw to which positions the second half of a sequence attends, where it is to copy the first half.

    Parameters
    ----------
    snapshots : mapping of int to array_like of shape (blocks, heads, 2n, 2n)
        Attention weights after some steps of training.
    tokens : sequence of int, length 2n
        n symbols, the separator 0, and the first n - 1 symbols again.
    step : int
        Which snapshot.
    head : tuple of two ints
        Which block, and which of its heads; both from 0.
    """
    block, place = head
    count = len(tokens) // 2
    weights = np.asarray(snapshots[step], dtype=float)[block, place, count:]
    figure = new_figure((4.6, 2.9))
    axes = figure.add_subplot()
    for (row, column), weight in np.ndenumerate(weights.round(2)):
        if weight:
            add_rectangle(axes, (column, row), 1, 1, facecolor="C0", alpha=MOST_OPAQUE * weight)
    copied = np.diagonal(weights)
    for row, weight in enumerate(copied):
        add_rectangle(axes, (row, row), 1, 1, edgecolor="C1", linewidth=1.5)
        axes.text(row + 0.5, row + 0.5, f"{100 * weight:.0f}", ha="center", va="center", fontsize=8)
    words = ["|" if token == 0 else str(token) for token in tokens]
    axes.set(xlim=(0, 2 * count), ylim=(count, 0), xlabel="token that it attends to", ylabel="token that it read last")
    axes.set_xticks(np.arange(2 * count) + 0.5, words)
    axes.set_yticks(np.arange(count) + 0.5, words[count:])
    axes.spines[:].set_visible(False)
    figure.subplots_adjust(left=0.11, right=0.99, bottom=0.17, top=0.98)
    even = np.mean([1 / (count + 1 + row) for row in range(count)])
    return figure, (
        f"Block {block + 1}, head {place + 1}, after {step} steps: the symbol to be copied gets"
        f" {100 * copied.mean():.0f} % of the attention on average, and at least {100 * copied.min():.0f} %. Spread"
        f" evenly it would get {100 * even:.0f} %."
    )


@pictured
def copied_symbols(
    samples: Mapping[tuple[str, float], ArrayLike],
    prompts: Mapping[str, Sequence[int]],
    temperature: float,
    prompt: str,
) -> tuple[Figure, str]:
    """Draw what a model writes when it is to copy a prompt, at a temperature.

    Parameters
    ----------
    samples : mapping of (str, float) to array_like of ints, shape (S, n)
        By prompt and temperature: S continuations of n tokens, of which the first six are drawn.
    prompts : mapping of str to sequence of int, length n
        The symbols to be copied, by the name of the prompt.
    temperature : float
        Which temperature.
    prompt : str
        Which prompt.
    """
    expected, written = np.asarray(prompts[prompt]), np.asarray(samples[prompt, temperature])
    shown = written[:6]
    figure = new_figure((4.6, 2.9))
    axes = figure.add_axes((0.01, 0.01, 0.98, 0.98))
    axes.set(xlim=(-2.3, len(expected)), ylim=(len(shown) + 1.2, 0))
    axes.axis("off")
    axes.text(-2.2, 0.5, "prompt", va="center", weight="bold")
    axes.plot([-2.3, len(expected)], [1.1, 1.1], color="C4", linewidth=0.8)
    for column, token in enumerate(expected):
        axes.text(column + 0.5, 0.5, str(token), ha="center", va="center", weight="bold")
    for row, sample in enumerate(shown):
        y = row + 1.7
        axes.text(-2.2, y, f"sample {row + 1}", va="center")
        for column, token in enumerate(sample):
            axes.text(column + 0.5, y, "|" if token == 0 else str(token), ha="center", va="center")
            if token != expected[column]:
                add_rectangle(axes, (column + 0.14, y - 0.4), 0.72, 0.8, edgecolor="C1")
    right, words = shown == expected, " ".join("|" if token == 0 else str(token) for token in shown[0])
    return figure, (
        f"T = {temperature:g}: {right.sum()} of {right.size} symbols are copied right, wrong ones are framed. The first"
        f" sample is {words}. Of {len(written):,} samples {100 * (written == expected).mean():.0f} % of the symbols are"
        " right."
    )


@pictured
def accuracy_by_arm(arms: Mapping[str, Sequence[float]], chance: float) -> tuple[Figure, str]:
    """Draw the accuracy of each run, and of a guess.

    Parameters
    ----------
    arms : mapping of str to sequence of float
        Accuracies of the runs of each kind of network, from 0 to 1.
    chance : float
        Accuracy of a guess.
    """
    figure, axes = new_axes(xlabel="accuracy", ylabel="", size=(4.6, 0.9 + 0.31 * len(arms)))
    axes.axvline(chance, color="C4", linestyle=":", linewidth=1.5)
    for row, runs in enumerate(arms.values()):
        axes.plot([min(runs), max(runs)], [row, row], color="C0", linewidth=1.5)
        axes.plot(runs, [row] * len(runs), "o", markersize=5, markerfacecolor="none", color="C0")
        axes.plot([np.mean(runs)], [row], "D", markersize=5, color="C1")
    axes.set(xlim=(0, 1.03), ylim=(len(arms) - 0.5, -0.5))
    axes.set_yticks(range(len(arms)), arms)
    bottom = 0.55 / figure.get_figheight()
    figure.subplots_adjust(left=0.44, bottom=bottom, top=0.99)
    said = [
        f"{name} {np.mean(runs):.2f} ({min(runs):.2f} to {max(runs):.2f})" if len(runs) > 1 else f"{name} {runs[0]:.2f}"
        for name, runs in arms.items()
    ]
    return figure, f"Accuracy, mean and range of the runs: {'; '.join(said)}. A guess gets {chance:.2f}."
