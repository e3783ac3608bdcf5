"""Do units lean on each other less after dropout, and does dropout's penalty alone do the same?

Networks of 64 pixels, two hidden layers of 128 ReLUs and 10 scores learn 500 images of digits with true labels, 80
epochs of Adam at the rate 0.001, batches of 50:

- with dropout on both hidden layers,
- without dropout or any noise, but with the penalty that dropout amounts to in second order at the last layer:
  strength / 2 · sum over units of h² · Var(w), where h is the activation, and Var(w) the variance of the unit's ten
  weights when classes are drawn with their probabilities; strength 1 is keep 0.5 (after Wager, Wang & Liang,
  arXiv:1307.1493),
- with weight decay,
- with nothing.

Measured on the other images, with all units on: the accuracy; how much the contributions of the last hidden units to
the lead of the true class over its strongest rival cancel, the median of (sum of sizes) / (size of the sum); the
accuracy after a part of the units has been deleted, ten draws each; the mean size of the correlation between units.
"""

from itertools import pairwise

import numpy as np

from experiments._training import AdamW, accuracy
from lossprimer.data import batches, digits
from lossprimer.dropout import Dropout
from lossprimer.losses import cross_entropy_and_grad
from lossprimer.network import Linear, ReLU, Sequential
from lossprimer.probability import softmax, softmax_backward

FRACTIONS = (0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75)
# Keep probability, strength of the penalty, weight decay.
ARMS = {
    "nothing": (1, 0, 0),
    "keep 0.8": (0.8, 0, 0),
    "keep 0.5": (0.5, 0, 0),
    "penalty 0.25": (1, 0.25, 0),
    "penalty 1": (1, 1, 0),
    "penalty 3": (1, 3, 0),
    "decay 1": (1, 0, 1),
    "decay 3": (1, 0, 3),
}
SMALL = {"seeds": (0,), "epochs": 1, "width": 8, "draws": 1}


def run(seeds=(0, 1, 2, 3, 4), epochs=80, width=128, draws=10):
    """Return the four measures of each arm, for each seed."""
    results = {}
    for name, arm in ARMS.items():
        found = [_measured(seed, *arm, epochs, width, draws) for seed in seeds]
        results[name] = {key: [one[key] for one in found] for key in found[0]}
    return {"arms": results, "fractions": FRACTIONS}


def _measured(seed, keep, strength, decay, epochs, width, draws):
    images, labels, *test = digits(np.random.default_rng(seed), train=500)
    rng = np.random.default_rng([seed, 2])
    layers = []
    for size, following in pairwise((64, width, width)):
        layers += [Linear(size, following, rng=rng), ReLU(), Dropout(keep, rng=rng)]
    body, last = Sequential(*layers), Linear(width, 10, rng=rng, scale=1)
    model = Sequential(*layers, last)
    optimizer = AdamW(model.parameters(), lr=0.001, decay=decay)
    order = np.random.default_rng([seed, 3])
    for _ in range(epochs):
        for x, y in batches(images, labels, 50, order):
            h = body(x)
            z = last(h)
            _, dz = cross_entropy_and_grad(z, y)
            dp, dw, dh = penalty_gradients(softmax(z), last.weight, h, strength)
            dh = dh + last.backward(dz + softmax_backward(dp, softmax(z)))
            last.dweight += dw
            body.backward(dh)
            optimizer.step(model.gradients())
    model.eval()
    return {
        "accuracy": accuracy(model, *test),
        "cancellation": cancellation(body, last, *test),
        "correlation": correlation(body(test[0])),
        "left": [
            np.mean([without_units(model, *test, part, np.random.default_rng([8, d])) for d in range(draws)])
            for part in FRACTIONS
        ],
    }


def penalty(p, weight, h, strength):
    """Return the penalty, a mean over the examples: half the strength times the sum of h² · variance of the weights.

    The variance of a unit's ten weights is taken with the probabilities `p` of the classes.
    """
    variance = p @ (weight**2).T - (p @ weight.T) ** 2
    return strength / 2 * (h**2 * variance).sum() / len(h)


def penalty_gradients(p, weight, h, strength):
    """Return its gradients with respect to `p`, `weight` and `h`, each where the other two are held."""
    mean, square, factor = p @ weight.T, h**2, strength / len(h)
    return (
        factor / 2 * (square @ weight**2 - 2 * (square * mean) @ weight),
        factor * (square.T @ p * weight - (square * mean).T @ p),
        factor * h * (p @ (weight**2).T - mean**2),
    )


def cancellation(body, last, images, labels):
    """Return the median over images of (sum of the sizes of the contributions) / (size of their sum)."""
    activations = body(images)
    scores, rows = last(activations), np.arange(len(labels))
    scores[rows, labels] = -np.inf
    contributions = activations * (last.weight[:, labels] - last.weight[:, scores.argmax(axis=-1)]).T
    return np.median(np.abs(contributions).sum(axis=1) / np.abs(contributions.sum(axis=1)))


def without_units(model, images, labels, fraction, rng):
    """Return the accuracy when in each hidden layer a random part of the units is deleted and the rest scaled up."""
    x = images
    for layer in model.layers:
        x = layer(x)
        if isinstance(layer, ReLU):
            stays = rng.permutation(x.shape[1]) >= fraction * x.shape[1]
            x = x * stays / stays.mean()
    return (x.argmax(axis=-1) == labels).mean()


def correlation(activations):
    """Return the mean size of the correlation between two units that are not always off."""
    alive = activations[:, activations.std(axis=0) > 0]
    matrix = np.corrcoef(alive, rowvar=False)
    return np.abs(matrix[np.triu_indices(len(matrix), k=1)]).mean()


def claims(results):
    """Return what chapter 3 says of them."""
    arms = {
        name: {key: np.mean(values, axis=0) for key, values in arm.items()} for name, arm in results["arms"].items()
    }
    half = list(results["fractions"]).index(0.5)
    nothing, dropout, penalized = arms["nothing"], arms["keep 0.5"], arms["penalty 1"]
    return {
        "Whole networks differ by less than 2 points.": all(
            abs(arm["accuracy"] - nothing["accuracy"]) < 0.02 for arm in arms.values()
        ),
        "Contributions cancel at least 1.7 times as much without dropout.": nothing["cancellation"]
        > 1.7 * dropout["cancellation"],
        "The penalty alone takes away more than half of what dropout does.": nothing["cancellation"]
        - penalized["cancellation"]
        > (nothing["cancellation"] - dropout["cancellation"]) / 2,
        "A stronger penalty comes nearer.": dropout["cancellation"]
        < arms["penalty 3"]["cancellation"]
        < penalized["cancellation"],
        "Weight decay takes away little.": min(arms[name]["cancellation"] for name in ("decay 1", "decay 3"))
        > 0.8 * nothing["cancellation"],
        "With half of the units deleted dropout is 20 points better than nothing.": dropout["left"][half]
        > nothing["left"][half] + 0.2,
        "The penalty is between the two there.": nothing["left"][half] + 0.05
        < penalized["left"][half]
        < dropout["left"][half] - 0.05,
        "The correlation hardly moves.": abs(dropout["correlation"] - nothing["correlation"]) < 0.05,
    }
