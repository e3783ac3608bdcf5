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

# For each setting: the keep probability of the inputs, that of the hidden units, and the weight decay.
RIVALS = {
    "nothing": {"plain": (1, 1, 0)},
    "dropout": {
        "keep 0.8": (1, 0.8, 0),
        "keep 0.5": (1, 0.5, 0),
        "keep 0.3": (1, 0.3, 0),
        "keep 0.5, inputs 0.8": (0.8, 0.5, 0),
    },
    "weight decay": {f"decay {decay:g}": (1, 1, decay) for decay in (0.3, 1, 3, 10)},
}
SMALL = {"seeds": (0,), "rates": (0.003,), "epochs": 5, "width": 8}


def run(seeds=(0, 1, 2, 3, 4), rates=(0.001, 0.003), epochs=100, width=256, wrong=0.2):
    """Return the test accuracies of the rivals; those of each setting at the first rate after every fifth epoch."""
    return {
        "wrong labels": _compared(seeds, rates, epochs, width, wrong),
        "true labels": _compared(seeds, rates, epochs, width, 0),
    }


def _compared(seeds, rates, epochs, width, wrong):
    chosen, settings = {}, {}
    for rival, options in RIVALS.items():
        tried = [*product(rates, options)]
        # Axes: seed, what is tried, epoch, and the images: those to learn, to choose by, and to report.
        runs = np.array([_runs(seed, tried, options, epochs, width, wrong) for seed in seeds])
        for place, name in enumerate(options):
            learned, _, test = np.moveaxis(runs[:, place], -1, 0)
            settings[name] = {"learned": learned[:, -1], "test": test[:, 4::5]}
        best = [_chosen(of_seed, tried) for of_seed in runs]
        last = [_chosen(of_seed[:, -1:], tried) for of_seed in runs]
        chosen[rival] = {"best": [score for score, _ in best], "last": [score for score, _ in last]}
        chosen[rival] |= {"best chosen": [words for _, words in best], "last chosen": [words for _, words in last]}
    return {"chosen": chosen, "epochs": epochs, "settings": settings}


def _chosen(runs, tried):
    """Return the test accuracy where the validation accuracy is highest, the earliest of equals, and where that is."""
    place, epoch = np.unravel_index(runs[..., 1].argmax(), runs.shape[:2])
    rate, name = tried[place]
    return runs[place, epoch, 2], f"{name}, rate {rate:g}" + f", epoch {epoch + 1}" * (runs.shape[1] > 1)


def _runs(seed, tried, options, epochs, width, wrong):
    data = parts(seed, train=300, validation=300)
    return [_trained(data, seed, rate, options[name], epochs, width, wrong) for rate, name in tried]


def _trained(data, seed, rate, setting, epochs, width, wrong):
    inputs, hidden, decay = setting
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
    wrong, true = (
        {name: {how: np.array(rival[how]) for how in ("best", "last")} for name, rival in kind["chosen"].items()}
        for kind in (results["wrong labels"], results["true labels"])
    )
    settings = results["wrong labels"]["settings"]

    def gain(kind, name, how):
        return np.mean(kind[name][how] - kind["nothing"][how])

    return {
        "Plain, the wrong labels are learned, by every seed.": min(settings["plain"]["learned"]) > 0.99,
        "With keep 0.5 they are not, by any seed.": max(settings["keep 0.5"]["learned"]) < 0.97,
        "Wrong labels, last epoch: dropout gains more than 5 points.": gain(wrong, "dropout", "last") > 0.05,
        "Wrong labels, last epoch: weight decay gains more than 3.": gain(wrong, "weight decay", "last") > 0.03,
        "Wrong labels, best epoch: neither gains or loses 2 points.": all(
            abs(gain(wrong, name, "best")) < 0.02 for name in ("dropout", "weight decay")
        ),
        "True labels: neither gains or loses 2 points.": all(
            abs(gain(true, name, how)) < 0.02 for name in ("dropout", "weight decay") for how in ("best", "last")
        ),
        "True labels, last epoch: the plain network is right on more than 90 %.": min(true["nothing"]["last"]) > 0.9,
        "Early stopping, no dropout, is ahead of keep 0.5 to the end.": np.mean(wrong["nothing"]["best"])
        > np.mean(settings["keep 0.5"]["test"], axis=0)[-1],
        "Dropped inputs: fewer labels learned, more of the test images right.": np.mean(
            settings["keep 0.5, inputs 0.8"]["learned"]
        )
        < np.mean(settings["keep 0.5"]["learned"]) - 0.03
        and np.mean(settings["keep 0.5, inputs 0.8"]["test"], axis=0)[-1]
        > np.mean(settings["keep 0.5"]["test"], axis=0)[-1],
    }
