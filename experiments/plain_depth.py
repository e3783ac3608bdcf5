"""Does a normalization make a plain network of fifty layers trainable?

Networks of 50 linear layers of 32 ReLUs without skip connections, with BatchNorm, LayerNorm or nothing before each
ReLU, learn 1,000 digits with Adam in batches of 32, each at three rates; with the middle one for longer, too. The
accuracies are those on 797 other images, with BatchNorm in evaluation mode.
"""

from statistics import mean

from experiments._stacks import NORMS, plain, trained

SMALL = {"seeds": (0,), "rates": (0.001,), "steps": 1, "depth": 1}


def run(seeds=(0, 1, 2, 3, 4), rates=(0.0003, 0.001, 0.003), steps=100, depth=50):
    """Return the test accuracies of each network by rate, and with four times the steps."""

    def runs(name, **options):
        return [trained(plain, name, seed, depth=depth, **options) for seed in seeds]

    return {
        name: {
            "by rate": {rate: runs(name, rate=rate, steps=steps) for rate in rates},
            "longer": runs(name, rate=0.001, steps=4 * steps),
        }
        for name in NORMS
    }


def claims(results):
    """Return what chapter 4 says of them."""
    none, *normed = (results[name] for name in ("none", "LayerNorm", "BatchNorm"))
    return {
        "No plain network with a norm gets a quarter right, at any rate, nor with four times the steps.": all(
            max(runs) < 0.25 for arm in normed for runs in (*arm["by rate"].values(), arm["longer"])
        ),
        "The bare one, at its best rate and for longer, is ahead of both.": all(
            max(map(mean, none["by rate"].values())) > max(map(mean, arm["by rate"].values())) + 0.1
            and min(none["longer"]) > max(arm["longer"]) + 0.3
            for arm in normed
        ),
    }
