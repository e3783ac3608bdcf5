"""The pictures of the epilogue: one Transformer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from lossprimer.figures.drawing import (
    MOST_OPAQUE,
    NOTHING,
    REFERENCE,
    RIVAL,
    THING,
    add_arrow,
    add_part,
    add_rectangle,
    add_rectangles,
    add_sheet,
    draw_classes,
    fixed_ticks,
    label_rows,
    listed,
    new_axes,
    new_figure,
    number,
    pictured,
)
from lossprimer.probability import softmax
from lossprimer.transformer import Transformer, generate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "accuracy_by_arm",
    "copied_symbols",
    "copying_attention",
    "next_token",
    "recalling_attention",
    "training_loss",
    "transformer_slots",
    "written",
]

# Lines are told apart by dashes too.
_LINES = [{"color": THING, "linestyle": "-"}, {"color": RIVAL, "linestyle": "--"}]

# How a slot of each kind is framed; its text says the kind as well.
_FRAMES = {
    "": {"edgecolor": REFERENCE, "linewidth": 0.8},
    "always": {"edgecolor": THING, "linewidth": 2.6},
    "usually": {"edgecolor": THING, "linewidth": 1.2},
    "optional": {"edgecolor": RIVAL, "linewidth": 1.2, "linestyle": "--"},
    "not here": {"edgecolor": REFERENCE, "linewidth": 1.2, "linestyle": ":"},
}
_PARTS = {
    "Attention": (
        "norm: usually",
        "linear layers q, k, v",
        "scores q · k, mask",
        "softmax: always",
        "dropout: optional",
        "weights × values v",
        "linear layer, output",
        "dropout: optional",
    ),
    "Feed-forward": (
        "norm: usually",
        "linear layer",
        "ReLU",
        "dropout: optional",
        "linear layer",
        "dropout: optional",
    ),
}


@pictured
def transformer_slots() -> tuple[Figure, str]:
    """Draw a pre-norm block, what stands before and after it, and how often each tool of the course is there."""
    figure = new_figure((4.6, 6.75))
    axes = add_sheet(figure)
    embedding, top, pitch, frame, last = 6.57, 5.42, 0.42, (1.72, 6.1), 1.03
    add_rectangle(axes, (0.03, frame[0]), 4.54, frame[1] - frame[0], edgecolor=REFERENCE, linewidth=0.8)
    centres = 1.25, 3.4
    for centre, side, (title, parts) in zip(centres, (0.17, 4.44), _PARTS.items(), strict=True):
        axes.text(centre - 0.9, top + 0.5, title, va="center", weight="bold")
        end = top - pitch * len(parts)
        for place, text in enumerate(parts):
            y = top - pitch * place
            _slot(axes, centre, y, 1.8, text)
            add_arrow(axes, (centre, y - 0.15), (centre, y - 0.27))
        axes.text(centre, end, "+", ha="center", va="center")
        # The skip connection: from above the norm, past everything, to the sum.
        around = (centre, top + 0.29), (side, top + 0.29), (side, end), (centre + np.sign(side - centre) * 0.12, end)
        add_arrow(axes, *around)
        axes.text((side + centre) / 2, end - 0.12, "skip", ha="center", va="center")
    # Into the block; from the sum of the first part up to the start of the second; and from its sum out of the block.
    first, second = (top - pitch * len(parts) for parts in _PARTS.values())
    left, right = centres
    _slot(axes, left, embedding, 1.8, "token + position")
    _slot(axes, right, embedding, 1.8, "dropout: optional")
    add_arrow(axes, (left + 0.92, embedding), (right - 0.92, embedding))
    above = frame[1] + 0.15
    add_arrow(axes, (right, embedding - 0.14), (right, above), (left, above), (left, top + 0.15))
    add_arrow(axes, (left + 0.12, first), (2.33, first), (2.33, top + 0.29), (right, top + 0.29), (right, top + 0.15))
    below = frame[0] - 0.14
    add_arrow(axes, (right, second - 0.12), (right, below), (0.82, below), (0.82, last + 0.15))
    axes.text(0.95, below - 0.18, "one block; then the next, and after the last:", va="center")
    for centre, width, text in ((0.82, 1.58, "final norm: usually"), (2.34, 0.98, "linear layer")):
        _slot(axes, centre, last, width, text)
        add_arrow(axes, (centre + width / 2 + 0.02, last), (centre + width / 2 + 0.22, last))
    _slot(axes, 3.82, last, 1.5, "softmax: always")
    add_arrow(axes, (3.82, last - 0.15), (3.82, last - 0.34))
    _slot(axes, 1.03, last - 0.49, 2.0, "batch norm: not here")
    _slot(axes, 3.57, last - 0.49, 2.0, "cross-entropy: usually")
    axes.text(3.57, last - 0.78, "in training, outside", ha="center", va="center")
    return figure, (
        "A pre-norm block and what surrounds it. Attention: linear layers for query, key and value, scores with a"
        " mask, the weighted values, a linear output layer. Feed-forward: a linear layer, ReLU, a linear layer. A skip"
        " connection leads around each of the two, and a last linear layer follows after the final norm. Always: the"
        " softmax in attention and the one at the end. Usually: a norm before attention, before the feed-forward part"
        " and after the last block; in training, outside the model, cross-entropy. Optional: dropout on the embedding"
        " sum, the attention weights, the hidden units of the feed-forward part, and on what each of the two parts"
        " adds to its input. Not here: batch normalization."
    )


def _slot(axes: Axes, x: float, y: float, width: float, text: str) -> None:
    """Draw a part that is framed by the kind of slot that its text names after a colon."""
    kind = text.partition(":")[2].strip()
    add_part(axes, x, y, width, text, weight="bold" if kind == "always" else "normal", **_FRAMES[kind])


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
        # About a hundred points, which is what a phone has room for.
        at = np.unique(np.linspace(0, runs.shape[1] - 1, 101).round().astype(int))
        drawn = runs[:, at]
        axes.plot(at + 1, drawn.mean(axis=0), label=name, linewidth=1.5, **look)
        axes.fill_between(at + 1, drawn.min(axis=0), drawn.max(axis=0), color=look["color"], alpha=0.15, linewidth=0)
        said.append(f"{name} {runs[:, 0].mean():.2f} and {runs[:, -10:].mean():.3f}")
    axes.axhline(guess, color=REFERENCE, linestyle=":", linewidth=1.5)
    axes.annotate(
        f"uniform guess, ln {num_tokens}",
        (1, guess),
        xycoords=axes.get_yaxis_transform(),
        xytext=(0, 4),
        textcoords="offset points",
        ha="right",
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
def copying_attention(snapshots: Mapping[int, ArrayLike], tokens: Sequence[int], step: int) -> tuple[Figure, str]:
    """Draw to which positions the second half of a sequence attends, where it is to copy the first half.

    In each cell stands its weight in tenths, rounded down; a weight of 1 stands there as 9.

    Parameters
    ----------
    snapshots : mapping of int to array_like of shape (blocks, heads, 2n, 2n)
        Attention weights after some steps of training.
    tokens : sequence of int, length 2n
        n symbols, the separator 0, and the first n - 1 symbols again.
    step : int
        Which snapshot.
    """
    count = len(tokens) // 2
    weights = np.asarray(snapshots[step], dtype=float)[..., count:, :]
    blocks, heads = weights.shape[:2]
    ever = np.max([np.asarray(one)[..., count:, :] for one in snapshots.values()], axis=0)
    words = ["|" if token == 0 else str(token) for token in tokens]
    copied = np.diagonal(weights, axis1=-2, axis2=-1)
    figure = new_figure((4.6, 0.75 + 1.6 * blocks))
    panels = figure.subplots(blocks, heads, squeeze=False, sharex=True, sharey=True)
    for place, axes in np.ndenumerate(panels):
        _cells(axes, weights[place], ever[place], count)
        _frames(axes, range(count))
        axes.set(xlim=(0, 2 * count), ylim=(count, 0))
        axes.set_title(f"block {place[0] + 1}, head {place[1] + 1}: {100 * copied[place].mean():.0f} %")
        _name_tokens(axes, words, words[count:], labelled=place[0] == blocks - 1)
    figure.subplots_adjust(left=0.1, right=0.99, bottom=0.24, top=0.93, wspace=0.12, hspace=0.25)
    figure.text(0.545, 0.13, "token that is attended to", ha="center", va="center")
    figure.text(0.025, 0.585, "token at the query", rotation=90, ha="center", va="center")
    _key(figure)
    even = np.mean([1 / (count + 1 + row) for row in range(count)])
    said = ", ".join(
        f"{listed(f'{100 * weight:.0f}' for weight in means)} % in block {block + 1}"
        for block, means in enumerate(copied.mean(axis=-1))
    )
    return figure, (
        f"After {step} steps the symbol to be copied gets, on average, this share of each head's attention: {said}."
        f" Spread evenly it would get {100 * even:.0f} %."
    )


@pictured
def next_token(
    snapshots: Mapping[int, tuple[ArrayLike, ArrayLike]], tokens: Sequence[int], step: int
) -> tuple[Figure, str]:
    """Draw what a model that learns to copy looks at, and what it expects next.

    Parameters
    ----------
    snapshots : mapping of int to pairs of array_like
        After some steps of training: attention weights of shape (blocks, heads, L, L), of which those of the first
        block are drawn, averaged over its heads, and the probabilities of the next token at each position, of shape
        (L, K).
    tokens : sequence of int
        n symbols, the separator 0, and fewer than n of the first symbols again: what has been read, at most L.
    step : int
        Which snapshot.
    """
    last = len(tokens) - 1
    place = last - [*tokens].index(0)
    right = tokens[place]
    weights, probabilities = (np.asarray(array, dtype=float) for array in snapshots[step])
    looked, expected = weights[0, :, last, : last + 1].mean(axis=0), probabilities[last]
    figure = new_figure((4.6, 3.2))
    above, below = figure.subplots(2, 1, sharey=True)
    for axes, values, marked in ((above, looked, place), (below, expected, right)):
        draw_classes(axes, values, marked)
    above.set_xticks(range(len(tokens)), ["|" if token == 0 else str(token) for token in tokens])
    above.set(title="where the last position looks", ylabel="weight")
    below.set_xticks(range(len(expected)), ["|", *map(str, range(1, len(expected)))])
    below.set(title="which token it expects next", ylabel="probability")
    figure.subplots_adjust(left=0.13, right=0.99, bottom=0.08, top=0.92, hspace=0.6)
    return figure, (
        f"After {step} steps the model gives {number(expected[right])} to the right token, {right}, and the first"
        f" block looks at the {right} to be copied with a weight of {number(looked[place])}."
    )


@pictured
def recalling_attention(weights: ArrayLike, tokens: Sequence[int]) -> tuple[Figure, str]:
    """Draw how two blocks recall what came after a symbol: one head looks one back, one looks for the answer.

    Of each block the head is drawn that does it most. Frames and digits are those of `copying_attention`.

    Parameters
    ----------
    weights : array_like of shape (2, heads, L, L)
        Attention weights of the two blocks.
    tokens : sequence of int, length L
        Different symbols, the separator 0, and some of them again, each of which asks for the symbol that came next.
    """
    weights, tokens = np.asarray(weights, dtype=float), [*tokens]
    end = tokens.index(0)
    parts = {
        # The rows, and which column each is to look at.
        "block 1, the list: one back": (range(1, end), range(end - 1)),
        "block 2, the questions: the answer": (
            range(end + 1, len(tokens)),
            [tokens.index(token) + 1 for token in tokens[end + 1 :]],
        ),
    }
    words = ["|" if token == 0 else str(token) for token in tokens]
    figure, said = new_figure((4.6, 4.5)), []
    panels = figure.subplots(len(parts), 1)
    for axes, heads, (name, (rows, columns)) in zip(panels, weights, parts.items(), strict=True):
        found = heads[:, rows, columns].mean(axis=1)
        head = found.argmax()
        _cells(axes, heads[head, rows], heads[head, rows], rows[0])
        _frames(axes, columns)
        axes.set(xlim=(0, len(tokens)), ylim=(len(rows), 0))
        axes.set_title(f"{name}, {100 * found[head]:.0f} %")
        _name_tokens(axes, words, [words[row] for row in rows])
        said.append(f"{name}, {100 * found[head]:.0f} %")
    figure.subplots_adjust(left=0.1, right=0.99, bottom=0.2, top=0.94, hspace=0.35)
    figure.text(0.545, 0.11, "token that is attended to", ha="center", va="center")
    figure.text(0.025, 0.57, "token at the query", rotation=90, ha="center", va="center")
    _key(figure)
    return figure, f"The weight on the framed cells, on average, of the head that gives most: {'; '.join(said)}."


def _name_tokens(axes: Axes, columns: Sequence[str], rows: Sequence[str], *, labelled: bool = True) -> None:
    """Write the tokens beside the rows and, where `labelled`, below the columns.

    Faint lines part the columns and what is below them, so that digits side by side are not read as a number.
    """
    axes.set_xticks(np.arange(len(columns)) + 0.5, columns)
    label_rows(axes, np.arange(len(rows)) + 0.5, rows)
    edges, end = np.arange(len(columns) + 1), len(rows) + 1.3 * labelled
    x, y = np.repeat(edges, 3), np.tile([0, end, np.nan], len(edges))
    axes.plot(x, y, color="black", alpha=0.14, linewidth=0.7, clip_on=False, zorder=0)
    axes.tick_params(pad=3)
    axes.spines[:].set_visible(False)


def _frames(axes: Axes, columns: Iterable[int]) -> None:
    """Frame one cell in each row."""
    cells = ((column, row, 1, 1) for row, column in enumerate(columns))
    add_rectangles(axes, cells, edgecolor=RIVAL, linewidth=0.8, clip_on=False)


def _cells(axes: Axes, weights: np.ndarray, ever: np.ndarray, first: int) -> None:
    """Draw the weights that positions from the `first` on may give: a faint row, each cell's shade and its tenths.

    Only cells that get a tenth in some snapshot, by `ever`, are drawn one by one. At each step of training these are
    the same cells and texts, of which a page keeps, and has to change, only what differs.
    """
    rows = ((0, row, first + row + 1, 1) for row in range(len(weights)))
    add_rectangles(axes, rows, facecolor=THING, alpha=_shade(0), clip_on=False)
    for row, column in np.argwhere(_tenths(ever) > 0).tolist():
        tenths = int(_tenths(weights[row, column]))
        alpha = _shade(tenths / 10) if tenths else 0.001  # with 0 it would not be in the drawing at all
        add_rectangle(axes, (column, row), 1, 1, facecolor=THING, alpha=alpha, clip_on=False)
        axes.text(column + 0.5, row + 0.5, str(tenths or NOTHING), ha="center", va="center")


def _tenths(weight: ArrayLike) -> np.ndarray:
    """Return the digit that stands for a weight; 0.3 is three tenths, although it is stored as a little less."""
    return np.minimum(10 * np.asarray(weight, dtype=float) + 1e-6, 9).astype(int)


def _shade(weight: float) -> float:
    """Return how opaque the cell of a weight is: a text on it can be read, and a cell without a digit is faint."""
    return max(MOST_OPAQUE * weight, 0.03)


def _key(figure: Figure) -> None:
    """Draw what the shades and digits of an attention map mean."""
    axes = figure.add_axes((0.1, 0.01, 0.89, 0.08))
    axes.axis("off")
    axes.set(xlim=(0, 10), ylim=(0, 1))
    for place, part in enumerate((0.1, 0.3, 0.5, 0.7, 0.9)):
        add_rectangle(axes, (2 * place, 0.1), 0.6, 0.8, facecolor=THING, alpha=_shade(part))
        axes.text(2 * place + 0.3, 0.5, str(_tenths(part)), ha="center", va="center")
        axes.text(2 * place + 0.75, 0.5, f"{'≥ ' if part == 0.9 else ''}{100 * part:.0f} %", va="center")


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
    axes.plot([-2.3, len(expected)], [1.1, 1.1], color=REFERENCE, linewidth=0.8)
    for column, token in enumerate(expected):
        axes.text(column + 0.5, 0.5, str(token), ha="center", va="center", weight="bold")
    for row, sample in enumerate(shown):
        y = row + 1.7
        axes.text(-2.2, y, f"sample {row + 1}", va="center")
        for column, token in enumerate(sample):
            axes.text(column + 0.5, y, "|" if token == 0 else str(token), ha="center", va="center")
            # A frame around each, so that all samples have the same marks: that of a right one does not show.
            alpha = 0.99 if token != expected[column] else 0.01
            add_rectangle(axes, (column + 0.14, y - 0.4), 0.72, 0.8, edgecolor=RIVAL, alpha=alpha)
    right, words = shown == expected, " ".join("|" if token == 0 else str(token) for token in shown[0])
    return figure, (
        f"T = {temperature:g}: {right.sum()} of {right.size} symbols are copied correctly; wrong ones are framed. The"
        f" first sample is {words}. Over {len(written):,} samples {100 * (written == expected).mean():.0f} % of the"
        " symbols are right."
    )


@pictured
def written(model: Transformer, prompt: Sequence[int], temperature: float, seed: int) -> tuple[Figure, str]:
    """Draw what a model that copies makes of a prompt, and how sure it is of each token.

    Parameters
    ----------
    model : Transformer
        In evaluation mode; it learned to copy half of its length.
    prompt : sequence of int
        The symbols to be copied, of any number; from 1 on, for 0 is the separator. The model sees as many of the last
        tokens as its length says.
    temperature : float
        Divides the scores.
    seed : int
        Which sample.

    Raises
    ------
    ValueError
        If `prompt` has no symbols, or some that are none of the model's.
    """
    if not len(prompt):
        raise ValueError("prompt has no symbols, expected at least one")
    text, chances = [*prompt, 0], []
    rng = np.random.default_rng(seed)
    for _ in prompt:
        p = softmax(model([text[-model.length :]])[0, -1], temperature=temperature)
        text.append(int(generate(model, text, 1, temperature=temperature, rng=rng)[-1]))
        chances.append(float(p[text[-1]]))
    count, copy = len(prompt), text[len(prompt) + 1 :]
    right = [said == asked for said, asked in zip(copy, prompt, strict=True)]
    figure = new_figure((4.6, 2.8))
    axes = figure.add_subplot()
    axes.bar(range(count), chances, width=0.7, color=THING)
    axes.set(xlim=(-0.6, max(count, 8) - 0.4), ylim=(0, 1), ylabel="its probability")
    axes.set_xticks([])
    for column, (said, asked) in enumerate(zip(copy, prompt, strict=True)):
        axes.text(column, 1.33, str(asked), ha="center", va="center", weight="bold")
        axes.text(column, 1.17, "|" if said == 0 else str(said), ha="center", va="center")
        if said != asked:
            add_rectangle(axes, (column - 0.36, 1.1), 0.72, 0.14, edgecolor=RIVAL, clip_on=False)
    for height, name in ((1.33, "prompt"), (1.17, "written")):
        axes.text(-0.8, height, name, ha="right", va="center")
    figure.subplots_adjust(left=0.17, right=0.99, bottom=0.04, top=0.74)
    trained = model.length // 2
    other = "" if count == trained else f" It has learned to copy {trained}."
    framed = "" if all(right) else ", the others framed"
    symbols = "1 symbol" if count == 1 else f"{count} symbols"
    return figure, (
        f"T = {temperature:g}: asked to copy {symbols}, the model writes"
        f" {' '.join('|' if token == 0 else str(token) for token in copy)}: {sum(right)} right{framed}."
        f" It draws them with probabilities from {min(chances):.3f} to {max(chances):.3f}.{other}"
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
    axes.axvline(chance, color=REFERENCE, linestyle=":", linewidth=1.5)
    for row, runs in enumerate(arms.values()):
        axes.plot([min(runs), max(runs)], [row, row], color=THING, linewidth=1.5)
        axes.plot(runs, [row] * len(runs), "o", markersize=5, markerfacecolor="none", color=THING)
        axes.plot([np.mean(runs)], [row], "D", markersize=5, color=RIVAL)
    axes.set(xlim=(0, 1.03), ylim=(len(arms) - 0.5, -0.5))
    label_rows(axes, range(len(arms)), arms)
    bottom = 0.55 / figure.get_figheight()
    figure.subplots_adjust(left=0.44, bottom=bottom, top=0.99)
    said = [
        f"{name} {np.mean(runs):.2f} ({min(runs):.2f} to {max(runs):.2f})" if len(runs) > 1 else f"{name} {runs[0]:.2f}"
        for name, runs in arms.items()
    ]
    return figure, f"Accuracy, mean and range of the runs: {'; '.join(said)}. A guess gets {chance:.2f}."
