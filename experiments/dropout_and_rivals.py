"""Does dropout gain more than the other remedies against overfitting, each at its best?

Networks of 64 inputs, two hidden layers of 256 ReLUs and 10 outputs learn 300 images of digits, once with one training
label in five made wrong and once with the true ones; 100 epochs of Adam, batches of 50. The rivals:

- nothing: the plain network,
- dropout: on the hidden units, several keep probabilities, and with the inputs dropped too,
- weight decay: decoupled, several strengths.

Of another 300 images the labels are of the same kind as those for training. They choose, for each seed and each rival,
the learning rate, the strength and the epoch to stop at ("best"), or the rate and the strength alone, with the training
run to its end ("last"). The accuracies are those on the 1,197 images that are left, with their true labels.
"""

from itertools import product

import numpy as np

from experiments._training import AdamW, Parts, parts, watched
from lossprimer.data import flip_labels
from lossprimer.dropout import Dropout
from lossprimer.network import Linear, ReLU, Sequential

# By name: keep probability of inputs, of hidden units, and weight decay.
RIVALS = {
    "nothing": [(1, 1, 0)],
    "dropout": [(1, 0.8, 0), (1, 0.5, 0), (1, 0.3, 0), (0.8, 0.5, 0)],
    "weight decay": [(1, 1, 0.3), (1, 1, 1), (1, 1, 3), (1, 1, 10)],
}
SHOWN = {"nothing": (1, 1, 0), "dropout": (1, 0.5, 0), "weight decay": (1, 1, 3)}
SMALL = {"seeds": (0,), "rates": (0.003,), "epochs": 5, "width": 8}


def run(seeds=(0, 1, 2, 3, 4), rates=(0.001, 0.003), epochs=100, width=256, wrong=0.2):
    """Return the test accuracies of each rival, and its curve of every fifth epoch at the first rate, for each seed."""
    return {
        "wrong labels": _compared(seeds, rates, epochs, width, wrong),
        "true labels": _compared(seeds, rates, epochs, width, 0),
    }


def _compared(seeds, rates, epochs, width, wrong):
    rivals = {}
    for name, settings in RIVALS.items():
        tried = [*product(rates, settings)]
        # Axes: seed, setting, epoch, and the two accuracies: on the images to choose by and on those to report.
        curves = np.array([[_trained(seed, *one, epochs, width, wrong) for one in tried] for seed in seeds])
        rivals[name] = {"curves": curves[:, tried.index((rates[0], SHOWN[name])), 4::5, 1]}
        for how, runs in (("best", curves), ("last", curves[:, :, -1:])):
            scores, chosen = zip(*(_chosen(of_seed, tried) for of_seed in runs), strict=True)
            rivals[name][how] = {"accuracy": scores, "chosen": chosen}
    return {"epochs": epochs, "shown": range(5, epochs + 1, 5), "rivals": rivals}


def _chosen(runs, tried):
    """Return the test accuracy of the setting and the epoch whose validation accuracy is highest, and what they are."""
    setting, epoch = np.unravel_index(runs[..., 0].argmax(), runs.shape[:2])
    rate, (inputs, hidden, decay) = tried[setting]
    words = f"rate {rate:g}, inputs kept {inputs:g}, hidden kept {hidden:g}, decay {decay:g}"
    return runs[setting, epoch, 1], words + f", epoch {epoch + 1}" * (len(runs[0]) > 1)


def _trained(seed, rate, setting, epochs, width, wrong):
    inputs, hidden, decay = setting
    data = parts(seed, train=300, validation=300)
    rng, start = (np.random.default_rng([seed, n]) for n in (1, 2))
    train, validation = (
        (images, flip_labels(labels, wrong, 10, rng)) for images, labels in (data.train, data.validation)
    )
    layers = [Dropout(inputs, rng=start)] if inputs < 1 else []
    for size in (64, width):
        layers += [Linear(size, width, rng=start), ReLU()]
        layers += [Dropout(hidden, rng=start)] if hidden < 1 else []
    model = Sequential(*layers, Linear(width, 10, rng=start, scale=1))
    optimizer = AdamW(model.parameters(), lr=rate, decay=decay)
    return watched(
        model, Parts(train, validation, data.test), optimizer=optimizer, rng=rng, batch_size=50, epochs=epochs
    )


def claims(results):
    """Return what chapter 3 says of them."""
    return {}
