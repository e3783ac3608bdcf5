"""Is a network with label smoothing worse calibrated, once each has had its one temperature?

Networks of 64 pixels, 128 ReLUs and 10 scores learn 500 images of digits with Adam, at most 100 epochs, batches of 50,
with four amounts of smoothing. Of the other images 400 choose; the rest are reported:

- "last": the second learning rate, after all epochs; the 400 images fit the temperature;
- "best": for each seed the rate and the epoch with the lowest loss on the 400 images, as the scores are ("plain") and
  after a temperature has been fitted ("fitted").

The loss is that of the true labels. The calibration error (ECE) sorts the images into ten bins of equal width by the
confidence, the largest probability, and is the average distance of accuracy and confidence, weighted by the bins.
"""

from functools import partial

import numpy as np

from experiments._training import parts
from lossprimer.losses import cross_entropy, cross_entropy_and_grad
from lossprimer.network import Adam, Linear, ReLU, Sequential, fit
from lossprimer.probability import softmax

TEMPERATURES = np.geomspace(0.2, 5, 141)
SMALL = {"seeds": (0,), "amounts": (0, 0.1), "epochs": 5, "width": 8}


def run(seeds=(0, 1, 2, 3, 4), amounts=(0, 0.05, 0.1, 0.2), rates=(0.001, 0.003), epochs=100, width=128):
    """Return accuracy, loss, calibration error, confidence and temperature for each seed, by smoothing and choice."""
    results = {}
    for amount in amounts:
        judged = [_judged(seed, amount, rates, epochs, width) for seed in seeds]
        results[f"smoothing {amount:g}"] = {
            choice: {key: [one[choice][key] for one in judged] for key in judged[0][choice]} for choice in judged[0]
        }
    return results


def _judged(seed, amount, rates, epochs, width):
    """Return what is measured of one seed, by the choice of rate, epoch and temperature."""
    data = parts(seed, train=500, validation=400)
    # One row for each rate and fifth epoch: the scores of the images to choose by, and of those to report.
    tried = [scores for rate in rates for scores in _scores(seed, data, amount, rate, epochs, width)]
    fitted = [fitted_temperature(z, data.validation[1]) for z, _ in tried]
    losses = [cross_entropy(z, data.validation[1]) for z, _ in tried]
    cooled = [cross_entropy(z / T, data.validation[1]) for (z, _), T in zip(tried, fitted, strict=True)]
    choices = {
        "last": (-1, 1.0),
        "last, fitted": (-1, fitted[-1]),
        "best": (int(np.argmin(losses)), 1.0),
        "best, fitted": (int(np.argmin(cooled)), fitted[int(np.argmin(cooled))]),
    }
    return {name: measured(tried[i][1] / T, data.test[1]) | {"temperature": T} for name, (i, T) in choices.items()}


def _scores(seed, data, amount, rate, epochs, width):
    rng = np.random.default_rng([seed, 1])
    model = Sequential(Linear(64, width, rng=rng), ReLU(), Linear(width, 10, rng=rng, scale=1))
    steps = -(-len(data.train[1]) // 50)
    history = fit(
        model,
        *data.train,
        optimizer=Adam(model.parameters(), lr=rate),
        loss=partial(cross_entropy_and_grad, label_smoothing=amount),
        rng=rng,
        batch_size=50,
        epochs=epochs,
        evaluate=lambda model: (model(data.validation[0]), model(data.test[0])),
        evaluate_every=5 * steps,
        progress=False,
    )
    return history.evaluations


def fitted_temperature(logits, labels):
    """Return the temperature, of those tried, with the lowest loss."""
    return min(TEMPERATURES, key=lambda T: cross_entropy(logits / T, labels))


def measured(logits, labels):
    """Return accuracy, loss, calibration error and mean confidence."""
    p = softmax(logits.astype(np.float64))
    confidence, right = p.max(axis=-1), p.argmax(axis=-1) == labels
    bins = np.minimum((10 * confidence).astype(int), 9)
    # In each bin the sum of what the accuracy is over the confidence.
    gaps = np.bincount(bins, weights=right - confidence, minlength=10)
    return {
        "accuracy": right.mean(),
        "loss": cross_entropy(logits, labels),
        "ece": np.abs(gaps).sum() / len(labels),
        "confidence": confidence.mean(),
    }


def claims(results):
    """Return what chapter 2 says of them."""
    plain, *smoothed = (
        {choice: {key: np.array(values) for key, values in found.items()} for choice, found in results[name].items()}
        for name in sorted(results)
    )
    raw, fitted = ("last", "best"), ("last, fitted", "best, fitted")
    return {
        "As the scores are, smoothing has the higher loss, in every seed.": all(
            (smooth[choice]["loss"] > plain[choice]["loss"]).all() for smooth in smoothed for choice in raw
        ),
        "After a fitted temperature it has the lower one, in every seed.": all(
            (smooth[choice]["loss"] < plain[choice]["loss"]).all() for smooth in smoothed for choice in fitted
        ),
        "It is the more accurate one, on the mean.": all(
            smooth[choice]["accuracy"].mean() > plain[choice]["accuracy"].mean()
            for smooth in smoothed
            for choice in smooth
        ),
        "As the scores are, it is far less sure than it is right.": all(
            smooth[choice]["ece"].mean() > 4 * plain[choice]["ece"].mean() for smooth in smoothed for choice in raw
        ),
        "After a fitted temperature it is as well calibrated.": all(
            smooth[choice]["ece"].mean() < plain[choice]["ece"].mean() + 0.005
            for smooth in smoothed
            for choice in fitted
        ),
        "Plain scores are too sure, smoothed ones not sure enough.": (plain["last, fitted"]["temperature"] > 1).all()
        and all((smooth["last, fitted"]["temperature"] < 0.8).all() for smooth in smoothed),
    }
