"""Does training with the squared error of probabilities stall, each loss at its own best learning rate?

Networks of 64 pixels, 64 ReLUs and 10 scores learn 1,000 images of digits, 20 epochs, batches of 50. They start

- misled: trained for 60 epochs with Adam on wrong labels, each digit plus 1, until they are sure of them,
- fresh: from random weights.

Each loss, the log loss and the sum of the squared differences of the ten probabilities, gets the same learning rates:
plain steps (SGD) from 0.125 to 8, and Adam. Of the other 797 images 300 choose a loss's rate, for each seed the one
whose mean accuracy over the epochs is highest; the accuracies are those on the last 497.
"""

import copy

import numpy as np

from experiments._training import accuracy, parts, watched
from lossprimer.losses import cross_entropy_and_grad
from lossprimer.network import SGD, Adam, Linear, ReLU, Sequential, fit
from lossprimer.probability import one_hot, softmax, softmax_backward

OPTIMIZERS = {"SGD": SGD, "Adam": Adam}
SHOWN = ("SGD 0.5", "SGD 1", "SGD 2")
SMALL = {"seeds": (0,), "sgd": (0.5, 1, 2), "adam": (0.003,), "epochs": 1, "misled_for": 1}


def squared_error(logits, labels):
    """Return the mean over the examples of the sum over the classes of (p - y)², and its gradient."""
    p, y = softmax(logits), one_hot(labels, logits.shape[-1])
    loss = ((p - y) ** 2).sum() / len(p)
    return loss, softmax_backward((2 * (p - y) / len(p)).astype(p.dtype), p)


LOSSES = {"log loss": cross_entropy_and_grad, "squared error": squared_error}


def run(
    seeds=(0, 1, 2, 3, 4),
    sgd=(0.125, 0.25, 0.5, 1, 2, 4, 8),
    adam=(0.0003, 0.001, 0.003, 0.01),
    epochs=20,
    misled_for=60,
):
    """Return, by start and loss, when each seed is first right on nine images of ten, and its accuracy at the end.

    Epochs are counted from 1; None stands for never. "best" is what the images to choose by have chosen.
    """
    ways = [("SGD", rate) for rate in sgd] + [("Adam", rate) for rate in adam]
    names = [f"{way} {rate:g}" for way, rate in ways]
    results = {}
    for start in ("misled", "fresh"):
        starts = [_start(seed, misled_for if start == "misled" else 0) for seed in seeds]
        results[start] = {}
        for loss, function in LOSSES.items():
            # Axes: way, seed, epoch from 0, and the images: those to learn, to choose by, and to report.
            runs = np.array([[_trained(*one, function, *way, epochs) for one in starts] for way in ways])
            chosen, test = runs[..., 1].mean(axis=2).argmax(axis=0), runs[..., 2]
            best = test[chosen, np.arange(len(seeds))]
            results[start][loss] = {
                "reached": dict(zip(names, map(reached, test), strict=True)) | {"best": reached(best)},
                "last": dict(zip(names, test[:, :, -1], strict=True)) | {"best": best[:, -1]},
                "chosen": [names[place] for place in chosen],
                "curves": {name: test[names.index(name)] for name in SHOWN},
            }
    return results


def reached(runs, share=0.9):
    """Return after how many epochs each run is at least as accurate as `share` for the first time, or None."""
    return [int(np.argmax(run >= share)) if (run >= share).any() else None for run in runs]


def _start(seed, misled_for):
    """Return data and a network, which has learned wrong labels for some epochs."""
    data, rng = parts(seed, train=1000, validation=300), np.random.default_rng([seed, 1])
    model = Sequential(Linear(64, 64, rng=rng), ReLU(), Linear(64, 10, rng=rng, scale=1))
    if misled_for:
        images, labels = data.train
        adam = Adam(model.parameters(), lr=0.003)
        options = {"optimizer": adam, "rng": rng, "batch_size": 50, "epochs": misled_for, "progress": False}
        fit(model, images, (labels + 1) % 10, **options)
    return data, model


def _trained(data, model, loss, way, rate, epochs):
    model = copy.deepcopy(model)
    optimizer = OPTIMIZERS[way](model.parameters(), lr=rate)
    rng = np.random.default_rng(100)
    before = [accuracy(model.eval(), *part) for part in data]
    after = watched(model, data, loss=loss, optimizer=optimizer, rng=rng, batch_size=50, epochs=epochs)
    return np.vstack([before, after])


def claims(results):
    """Return what chapter 2 says of them."""
    (log, square), fresh = results["misled"].values(), results["fresh"].values()
    finals = [np.mean(loss["last"]["best"]) for loss in fresh]
    adam = [name for name in log["last"] if name.startswith("Adam")]
    return {
        "Misled, the log loss at its best is back within 2 epochs.": max(log["reached"]["best"]) <= 2,
        "Misled, the squared error at its best needs 5 epochs or more.": min(square["reached"]["best"]) >= 5,
        "At rate 2 the log loss does not learn, from either start.": all(
            results[start]["log loss"]["reached"]["SGD 2"] == [None] * len(log["chosen"]) for start in results
        ),
        "Misled, the squared error at rate 2 is back in every seed.": None not in square["reached"]["SGD 2"],
        "Misled, with Adam it is behind from 0.001 on.": all(
            np.mean(square["last"][name]) < np.mean(log["last"][name]) - 0.1 for name in adam[1:]
        ),
        "Fresh, each at its best, both end within a point.": abs(finals[0] - finals[1]) < 0.01,
        "Fresh, each at its best, both get there within 3 epochs.": all(
            max(loss["reached"]["best"]) <= 3 for loss in fresh
        ),
    }
