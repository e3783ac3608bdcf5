"""Are the same numbers and arrays accepted everywhere, and does the quick test of a table agree with its rules?"""

import numpy as np
import pytest

from lossprimer import SGD, Adam, BatchNorm, Dropout, Linear, _arguments, cross_entropy, normalize, softmax
from lossprimer.data import flip_labels

ONES = [1, 1.0, np.int8(1), np.uint64(1), np.float16(1), np.float32(1), np.float64(1), np.longdouble(1)]
NO_NUMBERS = [None, "1", True, np.True_, 1j, [1.0], np.array(1.0), object()]
TAKERS = {
    "temperature": lambda value: softmax([0.0, 1.0], temperature=value),
    "keep_prob": lambda value: Dropout(value),
    "label_smoothing": lambda value: cross_entropy([0.0, 1.0], 0, label_smoothing=value),
    "eps": lambda value: normalize([0.0, 1.0], axis=0, eps=value),
    "momentum": lambda value: BatchNorm(2, momentum=value),
    "scale": lambda value: Linear(2, 2, scale=value, rng=np.random.default_rng(0)),
    "lr": lambda value: Adam({}, lr=value),
    "fraction": lambda value: flip_labels([0, 1], value, 2, np.random.default_rng(0)),
}


@pytest.mark.parametrize("value", ONES, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("take", TAKERS.values(), ids=TAKERS)
def test_a_number_of_any_real_type_is_accepted(take, value):
    take(value)


@pytest.mark.parametrize("value", NO_NUMBERS, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("name", TAKERS)
def test_what_is_no_number_is_refused(name, value):
    with pytest.raises(TypeError, match=f"^{name} is .*, expected a number$"):
        TAKERS[name](value)


@pytest.mark.parametrize(
    "value", [np.nan, -1.0, -np.inf, np.inf, 10**400, -(10**400)], ids=lambda value: str(value)[:9]
)
@pytest.mark.parametrize("name", TAKERS)
def test_what_is_no_finite_number_or_negative_is_refused(name, value):
    with pytest.raises(ValueError, match=f"^{name} is .*, expected"):
        TAKERS[name](value)


# Where a long double is no longer than a double, these are 0 and 1 before they are floats.
TINY, BELOW_ONE = np.longdouble("1e-4000"), 1 - np.longdouble(2) ** -63


@pytest.mark.parametrize(
    ("name", "value"), [("temperature", TINY), ("keep_prob", TINY), ("momentum", TINY), ("lr", TINY)]
)
def test_a_number_that_is_0_as_a_float_counts_as_0(name, value):
    with pytest.raises(ValueError, match=f"^{name} is .*, expected"):
        TAKERS[name](value)


def test_a_number_that_is_1_as_a_float_counts_as_1():
    with pytest.raises(ValueError, match="^momentum is .*, expected at least 0 and less than 1$"):
        SGD({}, lr=1, momentum=BELOW_ONE)


TABLES = {name: table for name, table in vars(_arguments).items() if name.isupper() and not name.startswith("_")}
NUMBERS = [*ONES, *NO_NUMBERS, 0, 0.0, -0.0, 0.5, 2.5, -1.0, np.nan, np.inf, 1e308, 10**400]
ARRAYS = [np.zeros(shape, dtype) for shape in [(), (3,), (2, 3), (3, 0)] for dtype in "efdgFibO?"]
VALUES = {
    **dict.fromkeys(["POSITIVE", "NOT_NEGATIVE", "LESS_THAN_ONE", "SHARE", "POSITIVE_SHARE"], (NUMBERS, [{}])),
    **dict.fromkeys(["INTEGER", "POSITIVE_INTEGER"], (NUMBERS, [{}])),
    **dict.fromkeys(["FLOATS", "INTEGERS"], ([*ARRAYS, [[1], [1, 2]], 3.0], [{}])),
    **dict.fromkeys(["AXES", "SLICES"], (ARRAYS, [{"axis": axis} for axis in (0, -1, 1, 2, -3, (0, 1), (0, 0), True)])),
    "SCORES": (ARRAYS, [{"axis": a, "temperature": t} for a in (0, -1, 1, True) for t in NUMBERS]),
    "CLASSES": (
        [np.array([0, 1, 2]), np.array([-1]), np.array([3]), np.array(2), np.array([0.0]), np.array([True])],
        [{"num_classes": 3}, {"num_classes": 3, "ignore_index": -1}],
    ),
    "BOOLEAN": ([*NUMBERS, False], [{}]),
    "FUNCTION": ([len, lambda: 0, 1], [{}]),
    "GENERATOR": ([np.random.default_rng(0), np.random, None], [{}]),
}


@pytest.mark.parametrize("name", TABLES)
def test_what_the_quick_test_lets_pass_keeps_every_rule(name):
    values, others = VALUES[name]
    usual, *rules = TABLES[name]
    passed = [(value, other) for value in values for other in others if usual(value, **other)]
    assert passed
    for value, other in passed:
        assert all(good(value, **other) for good, _, _ in rules), (value, other)
