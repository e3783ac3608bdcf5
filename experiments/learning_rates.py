"""How large may the learning rate be, with and without a normalization?

Networks of five hidden layers of 64 ReLUs, with BatchNorm, LayerNorm or nothing before each ReLU, learn 1,000 digits by
plain SGD in batches of 50, twelve times over. Recorded is the accuracy on the training images, because the question is
whether training works at all, and whether a loss became nan. The pixels are left as they are, between 0 and 1.
"""

from statistics import mean

import numpy as np

from experiments._stacks import NORMS
from experiments._training import accuracy
from lossprimer.data import digits
from lossprimer.network import SGD, Linear, ReLU, Sequential, fit

SMALL = {"seeds": (0,), "rates": (0.25, 8), "epochs": 1, "depth": 1}


def run(seeds=(0, 1, 2, 3, 4), rates=(0.125, 0.177, 0.25, 0.354, 0.5, 0.707, 1, 2, 4, 5.66, 8, 16), epochs=12, depth=5):
    """Return for each normalization the training accuracies, one row per rate, and how many runs met a nan."""
    return {"rates": rates, "arms": {name: _arm(name, seeds, rates, epochs, depth) for name in NORMS}}


def _arm(name, seeds, rates, epochs, depth):
    runs = [[_trained(name, seed, rate, epochs, depth) for seed in seeds] for rate in rates]
    return {
        "accuracy": [[accuracy for accuracy, _ in row] for row in runs],
        "nan": [sum(nan for _, nan in row) for row in runs],
    }


def _trained(name, seed, rate, epochs, depth):
    rng = np.random.default_rng(seed)
    x, labels, *_ = digits(rng, train=1000)
    x, layers = x.astype(np.float32), []
    for size in [64] * depth:
        layers += [Linear(size, 64, rng=rng), *([NORMS[name](64)] if NORMS[name] else []), ReLU()]
    model = Sequential(*layers, Linear(64, 10, rng=rng, scale=1))
    optimizer = SGD(model.parameters(), lr=rate)
    history = fit(model, x, labels, optimizer=optimizer, rng=rng, batch_size=50, epochs=epochs, progress=False)
    return accuracy(model.eval(), x, labels), bool(np.isnan(history.losses).any())


def limits(results, least=0.7):
    """Return for each normalization the largest rate at which the mean accuracy is above `least`."""
    return {
        name: max(rate for rate, row in zip(results["rates"], arm["accuracy"], strict=True) if mean(row) > least)
        for name, arm in results["arms"].items()
    }


def claims(results):
    """Return what chapter 4 says of them."""
    rates, arms, limit = results["rates"], results["arms"], limits(results)
    by_rate = {name: dict(zip(rates, arm["accuracy"], strict=True)) for name, arm in arms.items()}
    return {
        "LayerNorm's limit is about twice that of the bare network.": 1.4 <= limit["LayerNorm"] / limit["none"] <= 2.8,
        "BatchNorm's is at least four times as high.": limit["BatchNorm"] / limit["none"] >= 4,
        "From 0.5 to 2 each run with BatchNorm gets nine in ten right, where no bare one gets a half.": all(
            min(by_rate["BatchNorm"][rate]) > 0.9 and max(by_rate["none"][rate]) < 0.5
            for rate in rates
            if 0.5 <= rate <= 2
        ),
        "At 8 each network is near a guess.": all(max(arm[8]) < 0.2 for arm in by_rate.values()),
        "At 8 every bare run meets a nan.": arms["none"]["nan"][rates.index(8)] == len(by_rate["none"][8]),
        "With a normalization none does, at any rate.": not any(arms["LayerNorm"]["nan"] + arms["BatchNorm"]["nan"]),
    }
