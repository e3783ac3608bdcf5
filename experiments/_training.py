"""What the experiments share: digits with a part kept aside, training that is watched, weight decay."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from lossprimer.data import digits
from lossprimer.network import Adam, Layer, fit


class Parts(NamedTuple):
    """Images and labels in three parts: to train on, to choose by, and to report."""

    train: tuple[np.ndarray, np.ndarray]
    validation: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]


def parts(seed: int, train: int, validation: int) -> Parts:
    """Return the digits in three parts, in float32; the test part is what the other two leave."""
    split = digits(np.random.default_rng(seed), train=train)
    images = split.test_images.astype(np.float32)
    return Parts(
        (split.train_images.astype(np.float32), split.train_labels),
        (images[:validation], split.test_labels[:validation]),
        (images[validation:], split.test_labels[validation:]),
    )


def accuracy(model: Layer, images: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of the images whose highest score is the right class."""
    return float((model(images).argmax(axis=-1) == labels).mean())


def watched(model: Layer, data: Parts, **options) -> np.ndarray:
    """Train with the options of `fit`; return the accuracies on the three parts after each epoch, one row for each."""
    history = fit(
        model,
        *data.train,
        evaluate=lambda model: [accuracy(model, *part) for part in data],
        progress=False,
        **options,
    )
    return np.array(history.evaluations)


def warmed_up(rate: float, steps: int) -> Callable[[int], float] | None:
    """Return a schedule that rises to `rate` over the first steps; None, and so the optimizer's own, for no steps."""
    return (lambda step: rate * min(1, step / steps)) if steps else None


class AdamW(Adam):
    """Adam with decoupled weight decay: after each step every weight, and no bias, loses a share.

    The share is the learning rate times `decay` (Loshchilov & Hutter, arXiv:1711.05101).
    """

    def __init__(self, parameters: dict[str, np.ndarray], *, decay: float, **options):
        super().__init__(parameters, **options)
        self.decay = decay

    def step(self, gradients: dict[str, np.ndarray]) -> None:
        """Take the step of Adam, then shrink the weights."""
        super().step(gradients)
        for name, parameter in self.parameters.items():
            if name.endswith("weight"):
                parameter *= 1 - self.lr * self.decay
