"""Time and memory of the cross-entropy with its gradient beside the naive composition: ``python -m benchmarks.losses``.

The naive composition is a softmax, then the logarithm of the probability of the truth, each with a backward of its own
that knows nothing of the other; once from the functions of this package, which check their arguments, and once from
bare lines of NumPy, which check nothing. All are timed in turns in one run, and the quickest of several repeats counts.
A ratio is the time of the naive composition over that of ours: above 1, ours is quicker. "forward" is the loss alone,
"both calls" is `cross_entropy` and then `cross_entropy_grad`, "at once" is `cross_entropy_and_grad`. The memory is the
peak at once, the gradient not counted, in arrays of the input's size.
"""

import statistics

import numpy as np

from benchmarks.measure import extra_arrays, seconds
from lossprimer.losses import cross_entropy, cross_entropy_and_grad, cross_entropy_grad
from lossprimer.probability import softmax, softmax_backward

SHAPES = (1, 10), (128, 10), (256, 1000), (4096, 64), (32, 50_257)
DTYPES = np.float32, np.float64


def checked_forward(z, labels):
    """The loss from the package's softmax, and what its gradient needs."""
    p, rows = softmax(z), np.arange(len(z))
    return -np.log(p[rows, labels]).mean(), p, rows


def checked(z, labels):
    """The same and the gradient from the package's softmax_backward."""
    loss, p, rows = checked_forward(z, labels)
    dp = np.zeros_like(p)
    dp[rows, labels] = -1 / (len(z) * p[rows, labels])
    return loss, softmax_backward(dp, p)


def bare_forward(z, labels):
    """The loss from the formulas, and what its gradient needs."""
    exponentials, rows = np.exp(z - z.max(axis=-1, keepdims=True)), np.arange(len(z))
    p = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return -np.log(p[rows, labels]).mean(), p, rows


def bare(z, labels):
    """The same and the gradient from the formulas."""
    loss, p, rows = bare_forward(z, labels)
    dp = np.zeros_like(p)
    dp[rows, labels] = -1 / (len(z) * p[rows, labels])
    return loss, p * (dp - (dp * p).sum(axis=-1, keepdims=True))


def both_calls(z, labels):
    """The loss and the gradient from one function each."""
    return cross_entropy(z, labels), cross_entropy_grad(z, labels)


FUNCTIONS = cross_entropy, checked_forward, bare_forward, both_calls, cross_entropy_and_grad, checked, bare
RATIOS = {  # name: (naive, ours), as places in FUNCTIONS
    "forward / checked": (1, 0),
    "forward / bare": (2, 0),
    "both calls / checked": (5, 3),
    "both calls / bare": (6, 3),
    "at once / checked": (5, 4),
    "at once / bare": (6, 4),
}


def main():
    """Print one line per shape and type, then the geometric mean and the least of each ratio."""
    rng = np.random.default_rng(0)
    ratios = {name: [] for name in RATIOS}
    print(f"{'shape':>12} {'type':8} {'at once, us':>11}", *(f"{name:>20}" for name in RATIOS), f"{'memory':>7}")
    for shape in SHAPES:
        for dtype in DTYPES:
            z, labels = rng.standard_normal(shape).astype(dtype), rng.integers(0, shape[1], shape[0])
            times = seconds(FUNCTIONS, z, labels, repeats=20)
            for name, (naive, ours) in RATIOS.items():
                ratios[name].append(times[naive] / times[ours])
            memory = extra_arrays(cross_entropy_and_grad, z, labels)
            columns = (f"{values[-1]:20.2f}" for values in ratios.values())
            print(f"{shape!s:>12} {z.dtype.name:8} {times[4] * 1e6:11.1f}", *columns, f"{memory:7.2f}")
    for name, values in ratios.items():
        print(f"{name:20} geometric mean {statistics.geometric_mean(values):.2f}, least {min(values):.2f}")


if __name__ == "__main__":
    main()
