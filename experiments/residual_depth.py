"""What does a network of fifty residual blocks need: a norm, where, at which rate, and for how long?

Residual blocks of two layers of 32 units learn 1,000 digits with Adam in batches of 32. The kinds: pre-LN and
pre-RMSNorm (a norm at the start of each branch, and a final one), post-LN (a norm after each sum), neither, and a
silent start (no norm, branches that start at 0). Each gets three rates for 100 steps. Post-LN, which loses, gets what
it is usually given: a rate that rises from 0 over the first half of the steps ("warm-up"), and four times the steps at
a low rate. The accuracies are those on 797 other images.
"""

from statistics import mean

from experiments._stacks import residual, trained

KINDS = ("pre-LN", "pre-RMSNorm", "post-LN", "silent", "none")
SMALL = {"seeds": (0,), "rates": (0.003,), "steps": 2, "depth": 1, "shallow": 1}


def run(seeds=(0, 1, 2, 3, 4), rates=(0.0003, 0.001, 0.003), steps=100, depth=50, shallow=6):
    """Return the test accuracies of each kind by rate, deep and shallow, and of post-LN by what it was given."""

    def runs(kind, depth=depth, **options):
        return [trained(residual, kind, seed, depth=depth, **options) for seed in seeds]

    long, low = 4 * steps, 0.0003
    return {
        "deep": {kind: {rate: runs(kind, rate=rate, steps=steps) for rate in rates} for kind in KINDS},
        "shallow": {
            kind: {rate: runs(kind, depth=shallow, rate=rate, steps=steps) for rate in rates}
            for kind in ("pre-LN", "post-LN")
        },
        "post-LN": {
            "warm-up": runs("post-LN", rate=0.003, steps=steps, warm_up=steps // 2),
            "four times the steps, warm-up": runs("post-LN", rate=0.003, steps=long, warm_up=long // 2),
            "four times the steps, low rate": runs("post-LN", rate=low, steps=long),
            "four times the steps, low rate, warm-up": runs("post-LN", rate=low, steps=long, warm_up=long // 2),
        },
    }


def claims(results):
    """Return what chapter 4 says of them."""
    deep, shallow, post = results["deep"], results["shallow"], results["post-LN"]

    def best(rates):
        return max(rates.values(), key=mean)

    return {
        "Pre-LN, pre-RMSNorm and a silent start get more than 0.85 right in each run at their best rate.": all(
            min(best(deep[kind])) > 0.85 for kind in ("pre-LN", "pre-RMSNorm", "silent")
        ),
        "With neither, no run gets 0.3 right at any rate.": max(map(max, deep["none"].values())) < 0.3,
        "Pre-LN and pre-RMSNorm differ by less than 0.02 at their best rates.": (
            abs(mean(best(deep["pre-LN"])) - mean(best(deep["pre-RMSNorm"]))) < 0.02
        ),
        "With six blocks pre-LN and post-LN differ by less than 0.02 at their best rates.": (
            abs(mean(best(shallow["pre-LN"])) - mean(best(shallow["post-LN"]))) < 0.02
        ),
        "With fifty, post-LN is behind by more than 0.5 at its best rate.": (
            mean(best(deep["pre-LN"])) > mean(best(deep["post-LN"])) + 0.5
        ),
        "At the rate 0.003 a warm-up does not help it, nor with four times the steps.": all(
            max(post[what]) < 0.25 for what in ("warm-up", "four times the steps, warm-up")
        ),
        "At a tenth of the rate and with four times the steps it gets more than half right in each run.": (
            min(post["four times the steps, low rate"]) > 0.5
        ),
    }
