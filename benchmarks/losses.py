"""Time and memory of the cross-entropy with its gradient beside plain lines: ``python -m benchmarks.losses``.

The plain lines are what one writes into a notebook for true classes: they pick the truth by its index, check nothing,
know no option, and lose the digits of small losses. "textbook" is `cross_entropy` and then `cross_entropy_grad`, "one
pass" is `cross_entropy_and_grad`, which training takes. All are timed in turns in one run, and the quickest of several
repeats counts. A ratio is our time over that of the plain lines: below 1, ours is quicker. The memory is the peak while
the function runs, the gradient not counted, in arrays of the input's size.
"""

import numpy as np

from benchmarks.measure import extra_arrays, seconds
from lossprimer.losses import cross_entropy, cross_entropy_and_grad, cross_entropy_grad

SHAPES = (32, 10), (128, 1000), (32, 50_257)
DTYPES = np.float32, np.float64


def plain(z, labels):
    """The loss and its gradient, by index."""
    rows = np.arange(len(z))
    gap = z - z.max(axis=1, keepdims=True)
    exponentials = np.exp(gap)
    total = exponentials.sum(axis=1, keepdims=True)
    loss = (np.log(total[:, 0]) - gap[rows, labels]).mean()
    dz = exponentials / total
    dz[rows, labels] -= 1
    dz /= len(z)
    return loss, dz


def textbook(z, labels):
    """The loss and the gradient from one function each."""
    return cross_entropy(z, labels), cross_entropy_grad(z, labels)


def main():
    """Print one line per shape and type, and the limits."""
    rng = np.random.default_rng(0)
    print(f"{'shape':>12} {'type':8} {'plain, us':>10} {'textbook':>9} {'one pass':>9} {'memory':>16}")
    for shape in SHAPES:
        for dtype in DTYPES:
            z, labels = rng.standard_normal(shape).astype(dtype), rng.integers(0, shape[1], shape[0])
            base, *ours = seconds([plain, textbook, cross_entropy_and_grad], z, labels, repeats=40)
            ratios = " ".join(f"{time / base:9.2f}" for time in ours)
            memory = "      -       -"  # small beside Python's own
            if z.size > 10_000:
                memory = " ".join(
                    f"{extra_arrays(call, z, labels):7.2f}" for call in (textbook, cross_entropy_and_grad)
                )
            print(f"{shape!s:>12} {z.dtype.name:8} {base * 1e6:10.1f} {ratios}  {memory}")
    print("Limits: 1.1 for the one pass, 3 arrays for either.")


if __name__ == "__main__":
    main()
