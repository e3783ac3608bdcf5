"""Which places of dropout shift the variance that batch normalization sees, and is the shift what costs accuracy?

Networks of 64 pixels, three hidden layers of 128 units and 10 scores learn 500 images of digits with true labels, 40
epochs of Adam at the rate 0.001, batches of 50. A block is a linear layer followed by B (batch normalization), R (ReLU)
and D (dropout), in the order of the letters, at two keep probabilities.

For each normalization: the variance of its inputs at inference, on the training images, over the running variance that
it has collected in training, both summed over the units. Then the test accuracy, as it is and after the statistics have
been collected once more without dropout.
"""

import numpy as np

from experiments._training import accuracy
from lossprimer.data import digits
from lossprimer.dropout import Dropout
from lossprimer.network import Adam, Linear, ReLU, Sequential, fit
from lossprimer.normalization import BatchNorm

PLANS = {
    "no dropout": ("BR", "BR", "BR"),
    "before each normalization": ("RDB", "RDB", "RDB"),
    "after each normalization": ("BRD", "BRD", "BRD"),
    "after the last only": ("BR", "BR", "BRD"),
}
SMALL = {"seeds": (0,), "epochs": 1, "width": 8}


def run(seeds=(0, 1, 2, 3, 4), keeps=(0.5, 0.8), epochs=40, width=128):
    """Return ratios and accuracies, by keep probability and plan, for each seed."""
    results = {}
    for keep in keeps:
        results[f"keep {keep:g}"] = {}
        for name, plan in PLANS.items():
            found = [_measured(plan, keep, seed, epochs, width) for seed in seeds]
            ratios, scores, again = zip(*found, strict=True)
            results[f"keep {keep:g}"][name] = {"ratios": ratios, "accuracy": scores, "collected again": again}
    return results


def _measured(plan, keep, seed, epochs, width):
    images, labels, *test = digits(np.random.default_rng(seed), train=500)
    model = _blocks(plan, keep, width, np.random.default_rng([seed, 2]))
    adam, order = Adam(model.parameters(), lr=0.001), np.random.default_rng([seed, 3])
    fit(model, images, labels, optimizer=adam, rng=order, batch_size=50, epochs=epochs, progress=False)
    ratios, score = variance_ratios(model.eval(), images), accuracy(model, *test)
    _collect_again(model, images)
    return ratios, score, accuracy(model, *test)


def _blocks(plan, keep, width, rng):
    make = {"B": lambda: BatchNorm(width), "R": ReLU, "D": lambda: Dropout(keep, rng=rng)}
    layers, inputs = [], 64
    for block in plan:
        layers += [Linear(inputs, width, rng=rng), *(make[letter]() for letter in block)]
        inputs = width
    return Sequential(*layers, Linear(inputs, 10, rng=rng, scale=1))


def variance_ratios(model, images):
    """Return, for each normalization, the variance of its inputs at inference over that which it has collected."""
    ratios, x = [], images
    for layer in model.layers:
        if isinstance(layer, BatchNorm):
            ratios.append(x.var(axis=0).sum() / layer.running_var.sum())
        x = layer(x)
    return ratios


def _collect_again(model, images):
    """Replace the running statistics by those of the images, without dropout."""
    for layer in model.layers:
        if isinstance(layer, BatchNorm):
            layer.train().momentum = 1.0
    model(images)
    model.eval()


def claims(results):
    """Return what chapter 3 says of them."""
    none, before, after, last = (
        {key: np.mean(plan[key], axis=0) for key in plan} for plan in (results["keep 0.5"][name] for name in PLANS)
    )
    mild = {name: np.mean(plan["accuracy"]) for name, plan in results["keep 0.8"].items()}
    return {
        "Before each: all ratios are below 0.75.": (before["ratios"] < 0.75).all(),
        "After each: the first is near 1, the others are not.": after["ratios"][0] > 0.95
        and (after["ratios"][1:] < 0.75).all(),
        "None, and after the last only: all are above 0.95.": min(*none["ratios"], *last["ratios"]) > 0.95,
        "Before each: collecting again does not heal it.": none["accuracy"] - before["collected again"] > 0.01,
        "At keep 0.8 no plan costs or gains 2 points.": np.ptp(list(mild.values())) < 0.02,
    }
