"""Hypothesis strategies that several test files share."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

FLOATS = (np.float16, np.float32, np.float64)


def shapes(*, min_dims=1, max_dims=3):
    """Shapes of small arrays without empty axes."""
    return hnp.array_shapes(min_dims=min_dims, max_dims=max_dims, max_side=5)


def scores(dtype=np.float64, *, shape=None, bound=50, masked=False):
    """Finite scores up to `bound` in size, some of them -inf if `masked`."""
    width = 8 * np.dtype(dtype).itemsize
    elements = st.floats(-bound, bound, width=width)
    if masked:
        elements = st.one_of(elements, st.just(-np.inf))
    return hnp.arrays(dtype, shapes() if shape is None else shape, elements=elements)


def whole_scores(*, bound=1000):
    """Scores that are whole numbers, whose sums and differences are exact."""
    return hnp.arrays(np.float64, shapes(), elements=st.integers(-bound, bound).map(float))


@st.composite
def distributions(draw, *, shape=None):
    """Probabilities in float64 that sum to 1 along the last axis up to rounding, some of them 0."""
    weights = st.one_of(st.just(0.0), st.floats(1e-12, 1.0))
    parts = draw(hnp.arrays(np.float64, shapes() if shape is None else shape, elements=weights))
    parts[..., 0] += 0.5
    return parts / parts.sum(axis=-1, keepdims=True)


@st.composite
def pairs_of_distributions(draw):
    """Two distributions of the same shape."""
    shape = draw(shapes())
    return draw(distributions(shape=shape)), draw(distributions(shape=shape))
