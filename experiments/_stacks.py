"""What the experiments with deep stacks share: the networks of chapter 4, and standardized digits to train them on."""

import numpy as np

from experiments._training import accuracy, warmed_up
from lossprimer.data import digits
from lossprimer.network import Adam, Linear, ReLU, Residual, Sequential, fit
from lossprimer.normalization import BatchNorm, LayerNorm, RMSNorm

NORMS = {"none": None, "LayerNorm": LayerNorm, "BatchNorm": BatchNorm}
BRANCH_NORMS = {"pre-LN": LayerNorm, "pre-RMSNorm": RMSNorm}


def standardized(seed: int):
    """Return a generator, and 1,000 digits to train on and 797 to test on; pixels have mean 0 and deviation about 1."""
    rng = np.random.default_rng(seed)
    x, labels, x_test, labels_test = digits(rng, train=1000)
    mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-3
    x, x_test = (((images - mean) / scale).astype(np.float32) for images in (x, x_test))
    return rng, x, labels, x_test, labels_test


def plain(norm: str, rng: np.random.Generator, depth: int, width: int) -> Sequential:
    """Return linear layers and ReLUs, without skip connections, with a norm before each ReLU or none."""
    layers = [Linear(64, width, rng=rng, scale=1)]
    for _ in range(depth):
        layers += [Linear(width, width, rng=rng), *([NORMS[norm](width)] if NORMS[norm] else []), ReLU()]
    return Sequential(*layers, Linear(width, 10, rng=rng, scale=1))


def residual(kind: str, rng: np.random.Generator, depth: int, width: int) -> Sequential:
    """Return residual blocks: pre-LN, pre-RMSNorm, post-LN, silent (each branch starts at 0), or none of these."""
    layers = [Linear(64, width, rng=rng, scale=1)]
    for _ in range(depth):
        last = Linear(width, width, rng=rng, scale=0 if kind == "silent" else 1)
        branch = [Linear(width, width, rng=rng), ReLU(), last]
        if kind in BRANCH_NORMS:
            branch.insert(0, BRANCH_NORMS[kind](width))
        layers += [Residual(Sequential(*branch)), *([LayerNorm(width)] if kind == "post-LN" else [])]
    layers += [BRANCH_NORMS[kind](width)] if kind in BRANCH_NORMS else []
    return Sequential(*layers, Linear(width, 10, rng=rng, scale=1))


def trained(build, kind: str, seed: int, *, rate: float, steps: int, depth: int, warm_up: int = 0) -> float:
    """Return the accuracy on the test images after training with Adam; the rate may rise over the first steps."""
    rng, x, labels, x_test, labels_test = standardized(seed)
    model = build(kind, rng, depth, 32)
    schedule = warmed_up(rate, warm_up)
    optimizer = Adam(model.parameters(), lr=rate)
    fit(model, x, labels, optimizer=optimizer, rng=rng, batch_size=32, steps=steps, schedule=schedule, progress=False)
    return accuracy(model.eval(), x_test, labels_test)
