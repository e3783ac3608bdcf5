"""How near is a network without dropout to the average over its masks, and what does a forgotten switch cost?

Networks of 64 pixels, two hidden layers of 128 ReLUs with keep 0.5, and 10 scores learn 500 images of digits with true
labels, 80 epochs of Adam at the rate 0.001, batches of 50. Then, on the other images,

- the average of the predictions over 1 to 100 masks is compared with that over 500 other masks: root mean square
  of the length of the difference; so is the network without dropout. Both the arithmetic average and the geometric one
  are taken;
- dropout is left on, and the images are classified 100 times.
"""

import numpy as np

from experiments._training import accuracy
from lossprimer.data import digits
from lossprimer.dropout import Dropout
from lossprimer.losses import cross_entropy
from lossprimer.network import Adam, Linear, ReLU, Sequential, fit
from lossprimer.probability import log_softmax, softmax

SMALL = {"seeds": (0,), "epochs": 1, "width": 8, "counts": (1, 2), "reference": 3, "calls": 4}


def run(seeds=(0, 1, 2, 3, 4), epochs=80, width=128, counts=(1, 5, 10, 50, 100), reference=500, calls=100):
    """Return distances, accuracies and losses of the averages, and what a forgotten switch does, for each seed."""
    found = [_measured(seed, epochs, width, counts, reference, calls) for seed in seeds]
    return {"counts": counts} | _by_key(found)


def _by_key(found):
    """Turn a list of dicts, one for each seed, into a dict of lists."""
    if not isinstance(found[0], dict):
        return found
    return {key: _by_key([one[key] for one in found]) for key in found[0]}


def _measured(seed, epochs, width, counts, reference, calls):
    images, labels, *test = digits(np.random.default_rng(seed), train=500)
    start = np.random.default_rng([seed, 2])
    layers = []
    for size in (64, width):
        layers += [Linear(size, width, rng=start), ReLU(), Dropout(0.5, rng=start)]
    model = Sequential(*layers, Linear(width, 10, rng=start, scale=1))
    adam, order = Adam(model.parameters(), lr=0.001), np.random.default_rng([seed, 3])
    fit(model, images, labels, optimizer=adam, rng=order, batch_size=50, epochs=epochs, progress=False)
    some, truths = test[0][:300].astype(np.float32), test[1][:300]
    plain = softmax(model.eval()(some))
    model.train()
    ((arithmetic, geometric),) = _averages(model, some, [reference])
    averages = _averages(model, some, counts)
    return {
        "distances": [distance(mean, arithmetic) for mean, _ in averages],
        "distances of geometric": [distance(mean, geometric) for _, mean in averages],
        "without dropout": distance(plain, arithmetic),
        "without dropout, geometric": distance(plain, geometric),
        "accuracy and loss": {
            name: [(p.argmax(axis=-1) == truths).mean(), cross_entropy(np.log(p), truths)]
            for name, p in (("arithmetic", averages[-1][0]), ("geometric", averages[-1][1]), ("plain", plain))
        },
        "forgotten": _forgotten(model, *test, calls),
    }


def _averages(model, images, counts):
    """Return the arithmetic and the geometric average over so many masks, for each of the counts, which rise."""
    total, logs, found = 0.0, 0.0, []
    for call in range(1, counts[-1] + 1):
        z = model(images)
        total, logs = total + softmax(z), logs + log_softmax(z)
        if call in counts:
            found.append((total / call, softmax(logs / call)))
    return found


def distance(p, reference):
    """Return the root of the mean over images of the squared length of the difference."""
    return np.sqrt(((p - reference) ** 2).sum(axis=-1).mean())


def _forgotten(model, images, labels, calls):
    answers = np.array([model(images).argmax(axis=-1) for _ in range(calls)])
    return {
        "left on": (answers == labels).mean(),
        "two calls disagree": (answers[0::2] != answers[1::2]).mean(),
        "ever changed": (answers != answers[0]).any(axis=0).mean(),
        "in use": accuracy(model.eval(), images, labels),
    }


def claims(results):
    """Return what chapter 3 says of them."""
    distances, forgotten = np.mean(results["distances"], axis=0), results["forgotten"]
    scored = {name: np.mean(values, axis=0) for name, values in results["accuracy and loss"].items()}
    lost = np.mean(forgotten["in use"]) - np.mean(forgotten["left on"])
    return {
        "From 10 to 100 masks the distance falls to about a third.": 2.4 < distances[2] / distances[4] < 3.5,
        "The arithmetic average stays away from the plain network.": np.mean(results["without dropout"])
        > 2 * distances[4],
        "The geometric one is at least three times as near.": np.mean(results["without dropout, geometric"])
        < np.mean(results["without dropout"]) / 3,
        "The three are about equally accurate.": np.ptp([score for score, _ in scored.values()]) < 0.02,
        "The arithmetic average has the highest loss.": scored["arithmetic"][1]
        > max(scored["geometric"][1], scored["plain"][1]) + 0.02,
        "A forgotten switch costs 3 to 10 points.": 0.03 < lost < 0.1,
        "Two calls disagree on 8 to 16 % of the images.": 0.08 < np.mean(forgotten["two calls disagree"]) < 0.16,
        "60 to 80 % change their label in 100 calls.": 0.6 < np.mean(forgotten["ever changed"]) < 0.8,
    }
