"""Time and memory of chapter 1's functions beside SciPy's: ``python -m benchmarks.probability``.

Both are timed in turns in one run, and the quickest of several repeats counts, so that other load on the machine
disturbs neither more than the other. The ratio is our time over SciPy's: below 1, ours is quicker. The memory is the
peak while the function runs, its result not counted, in arrays of the input's size.
"""

import functools
import statistics

import numpy as np
from scipy import special

from benchmarks.measure import extra_arrays, seconds
from lossprimer import probability

NAMES = "softmax", "log_softmax", "logsumexp"
SHAPES = (1, 10), (128, 10), (256, 1000), (4096, 64), (32, 50_257)
DTYPES = np.float32, np.float64


def main():
    """Print one line per function, shape and type, then the geometric means and the limits."""
    rng = np.random.default_rng(0)
    ratios = {name: [] for name in NAMES}
    print(f"{'function':12} {'shape':>12} {'type':8} {'ours, us':>9} {'SciPy, us':>9} {'ratio':>6} {'memory':>7}")
    for shape in SHAPES:
        for dtype in DTYPES:
            z = rng.standard_normal(shape).astype(dtype)
            for name in NAMES:
                ours, theirs = (functools.partial(getattr(m, name), axis=-1) for m in (probability, special))
                memory = (
                    f"{extra_arrays(ours, z):7.2f}" if z.size > 10_000 else f"{'-':>7}"
                )  # small beside Python's own
                our_time, their_time = seconds([ours, theirs], z, repeats=40)
                ratios[name].append(our_time / their_time)
                print(
                    f"{name:12} {shape!s:>12} {z.dtype.name:8} {our_time * 1e6:9.1f} {their_time * 1e6:9.1f}"
                    f" {ratios[name][-1]:6.2f} {memory}"
                )
    for name, values in ratios.items():
        print(f"{name:12} geometric mean {statistics.geometric_mean(values):.2f}, largest {max(values):.2f}")
    values = [ratio for values in ratios.values() for ratio in values]
    print(f"{'all':12} geometric mean {statistics.geometric_mean(values):.2f} (limit 0.60), ", end="")
    print(f"largest {max(values):.2f} (limit 1), memory limit 3")


if __name__ == "__main__":
    main()
