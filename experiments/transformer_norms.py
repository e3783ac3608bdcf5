"""Which norm does a deep Transformer need to learn to copy, each kind at its own rate, with more time and a warm-up?

Transformers of eight blocks learn the copying task of the epilogue with Adam, 16 new sequences a step. The kinds:

- pre-LN and pre-RMSNorm: a norm before each part, and a final one,
- post-LN: a norm after each sum,
- no norm, and no norm with a silent start: the last weights of each part start at 0.

Every kind gets each of the rates in a short race. Those that lose it get what they are usually given: more steps, a
lower rate, a rate that rises from 0 over the first third of the steps ("warm-up"). The accuracies are those on 500 new
sequences; a guess among the symbols gets 1/11.
"""

from functools import partial

import numpy as np

from experiments._training import warmed_up
from lossprimer.data import copy_task
from lossprimer.losses import cross_entropy_and_grad
from lossprimer.network import Adam, fit
from lossprimer.normalization import RMSNorm
from lossprimer.transformer import Transformer

KINDS = {
    "pre-LN": {"norm": "pre"},
    "pre-RMSNorm": {"norm": "pre", "norm_layer": RMSNorm},
    "post-LN": {"norm": "post"},
    "no norm": {"norm": "none"},
    "silent start": {"norm": "none", "zero_init": True},
}
SMALL = {"seeds": (0,), "rates": (0.003,), "steps": 2, "depth": 1}


def run(seeds=(0, 1, 2, 3, 4), rates=(0.001, 0.003, 0.01), steps=150, depth=8):
    """Return the accuracies of the runs: of each kind by rate, and of the losers by what they were given."""
    short = {
        name: {rate: [_copied(seed, rate, steps, depth, **kind) for seed in seeds] for rate in rates}
        for name, kind in KINDS.items()
    }
    given = {
        "warm-up": {"rate": 0.003, "steps": steps, "warm_up": steps // 3},
        "twice the steps": {"rate": 0.003, "steps": 2 * steps},
        "twice the steps, warm-up": {"rate": 0.003, "steps": 2 * steps, "warm_up": 2 * steps // 3},
        "lower rate, 500 steps": {"rate": 0.001, "steps": 500 * steps // 150},
    }
    second = {
        name: {
            what: [_copied(seed, depth=depth, **options, **KINDS[name]) for seed in seeds]
            for what, options in given.items()
        }
        for name in ("post-LN", "no norm")
    }
    return {"short": short, "second": second}


def _copied(seed, rate, steps, depth, warm_up=0, **kind):
    """Return the share of symbols copied right after training."""
    rng = np.random.default_rng(seed)
    model = Transformer(12, 16, depth=depth, dtype=np.float32, rng=rng, **kind)
    inputs, targets = copy_task(16 * steps, rng)
    fit(
        model,
        inputs,
        targets,
        optimizer=Adam(model.parameters(), lr=rate, betas=(0.9, 0.98)),
        loss=partial(cross_entropy_and_grad, ignore_index=-100),
        rng=rng,
        batch_size=16,
        steps=steps,
        schedule=warmed_up(rate, warm_up),
        progress=False,
    )
    inputs, targets = copy_task(500, np.random.default_rng([seed, 1]))
    return float((model.eval()(inputs).argmax(axis=-1) == targets)[:, 8:].mean())


def claims(results):
    """Return what the epilogue says of them."""
    short, post, none = results["short"], *(results["second"][name] for name in ("post-LN", "no norm"))
    copying = ("pre-LN", "pre-RMSNorm", "silent start")
    return {
        "At the rate 0.003 pre-LN, pre-RMSNorm and a silent start copy in each run, and the other two in none.": all(
            (min(rates["0.003"]) > 0.9) if name in copying else (max(rates["0.003"]) < 0.6)
            for name, rates in short.items()
        ),
        "In the short race post-LN copies at none of the rates.": max(map(max, short["post-LN"].values())) < 0.6,
        "With twice the steps and a warm-up post-LN copies in each run, at the rate at which it failed.": (
            min(post["twice the steps, warm-up"]) > 0.9
        ),
        "Twice the steps alone do not do it, nor does the warm-up alone.": (
            max(post["twice the steps"]) < 0.9 and max(post["warm-up"]) < 0.9
        ),
        "A third of the rate and 500 steps do it, too.": min(post["lower rate, 500 steps"]) > 0.9,
        "Without a norm and with the usual start no warm-up and no time brings each run to nine in ten.": all(
            min(runs) < 0.9 for runs in none.values()
        ),
        "Without a norm more time helps.": min(none["lower rate, 500 steps"]) > max(short["no norm"]["0.001"]),
    }
