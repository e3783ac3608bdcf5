"""Do the functions of chapter 1 keep their promises: in value, at the extremes, and to a wrong argument?"""

import itertools
import tracemalloc

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special
from strategies import FLOATS, distributions, pairs_of_distributions, scores, whole_scores

from lossprimer.probability import (
    entropy,
    kl_divergence,
    log_softmax,
    logsumexp,
    one_hot,
    softmax,
    softmax_backward,
)

inf, nan = np.inf, np.nan
EPS = {dtype: float(np.finfo(dtype).eps) for dtype in FLOATS}
OF_SCORES = [softmax, log_softmax, logsumexp]
OF_SCORES_TO_SAME_SHAPE = [softmax, log_softmax]
OF_PROBABILITIES = [entropy, lambda p, **options: kl_divergence(p, p, **options)]
AXES = [0, 1, 2, -1, -2, -3, (0,), (0, 1), (1, 2), (-1, 0), (2, 1), (0, 1, 2), (2, 0, 1), np.int64(1)]


def exact_shares(z, temperature=1):
    """Shares, log-shares and log-sum of float scores; to 400 digits, for 1 + exp(-700) needs 304."""
    with mpmath.workdps(400):
        z = [mpmath.mpf(float(score)) / mpmath.mpf(temperature) for score in z]
        top = max(z)
        total = mpmath.fsum(mpmath.exp(score - top) for score in z)
        p = [mpmath.exp(score - top) / total for score in z]
        return p, [score - top - mpmath.log(total) for score in z], top + mpmath.log(total)


def share_tolerance(z, temperature):
    """A few units in the last place, and what the rounding of the widest gap (in float32 at least) does to its exp."""
    gap = float(np.ptp(z.astype(np.float64))) / temperature
    return 4 * EPS[z.dtype.type] + gap * min(EPS[z.dtype.type], EPS[np.float32])


def assert_close(actual, expected, *, rtol, atol=0.0):
    """Compare with high-precision numbers; what the float type of `actual` cannot hold may be rounded to it."""
    expected = np.array([float(x) for x in expected])
    smallest = float(np.finfo(actual.dtype).smallest_subnormal)
    np.testing.assert_allclose(actual.astype(np.float64), expected, rtol=rtol, atol=atol + smallest)


SCORES = {
    "three": [2.0, 1.0, 0.5],
    "tie": [2.0, 2.0, 0.5],
    "one class": [-3.0],
    "wide": [0.25, -30.0, 25.5, -7.5],
    "thousands": [1000.0, 999.5, -1000.0],
    "nearly equal": [1e-3, 0.0, -1e-3],
    "one wins": [17.0, 0.0, -3.0],
    "one wins by far": [50.0, 0.0, -3.0],
    "negative": [-1000.0, -1001.0, -1003.0],
}
TEMPERATURES = [1.0, 0.7, 3.0, 20.0]
values = pytest.mark.parametrize("z", SCORES.values(), ids=SCORES)
floats = pytest.mark.parametrize("dtype", FLOATS)


class TestValues:
    """Against 60 digits, within a few units in the last place."""

    @values
    @floats
    @pytest.mark.parametrize("temperature", TEMPERATURES)
    def test_softmax_and_log_softmax(self, z, dtype, temperature):
        z = np.array(z, dtype)
        p, log_p, _ = exact_shares(z, temperature)
        assert_close(softmax(z, temperature=temperature), p, rtol=share_tolerance(z, temperature))
        assert_close(log_softmax(z, temperature=temperature), log_p, rtol=share_tolerance(z, temperature))

    @values
    @floats
    def test_logsumexp(self, z, dtype):
        z = np.array(z, dtype)
        _, _, expected = exact_shares(z)
        atol = EPS[dtype] * float(np.abs(z).max())
        assert_close(np.atleast_1d(logsumexp(z)), [expected], rtol=2 * EPS[dtype], atol=atol)

    @pytest.mark.parametrize("axis", [0, 1, (0, 1)])
    @pytest.mark.parametrize("others", [[-50.0], [-40.0, -50.0], [-700.0]], ids=str)
    def test_one_that_nearly_has_it_all_keeps_the_digits_of_the_rest(self, others, axis):
        """Where ``1 + rest`` rounds to 1, and along every axis."""
        z = np.array([0.0, *others])
        _, log_p, total = exact_shares(z)
        z = np.expand_dims(z, 1 - axis if axis in (0, 1) else 0)
        np.testing.assert_allclose(logsumexp(z, axis=axis), float(total), rtol=4 * EPS[np.float64])
        np.testing.assert_allclose(log_softmax(z, axis=axis).ravel()[0], float(log_p[0]), rtol=4 * EPS[np.float64])

    @pytest.mark.parametrize("axis", [0, (1, 0)])
    @pytest.mark.parametrize("ties", [2, 3, 5])
    def test_several_largest_all_count(self, ties, axis):
        z = np.array([7.0] * ties + [-30.0])[:, None]
        np.testing.assert_allclose(logsumexp(z, axis=axis), 7 + np.log(ties), rtol=1e-15)
        np.testing.assert_allclose(log_softmax(z, axis=axis)[0], -np.log(ties), rtol=1e-15)

    @floats
    @pytest.mark.parametrize("num_classes", [1, 2, 3, 1000])
    def test_entropy_of_equal_shares_is_log_k(self, num_classes, dtype):
        p = softmax(np.zeros(num_classes, dtype))
        np.testing.assert_allclose(entropy(p), np.log(num_classes), rtol=4 * EPS[dtype])

    @pytest.mark.parametrize("p", [[0.5, 0.25, 0.25], [0.999, 0.001], [1 - 2.0**-52, 2.0**-52], [0.1] * 10], ids=str)
    def test_entropy(self, p):
        with mpmath.workdps(60):
            expected = -mpmath.fsum(mpmath.mpf(x) * mpmath.log(mpmath.mpf(x)) for x in p)
        np.testing.assert_allclose(entropy(p), float(expected), rtol=4 * EPS[np.float64])

    @pytest.mark.parametrize(
        ("p", "q"),
        [
            ([0.5, 0.5], [0.75, 0.25]),
            ([0.1, 0.2, 0.7], [0.7, 0.2, 0.1]),
            ([1.0, 0.0], [1e-300, 1.0]),
            ([0.5, 0.5], [5e-324, 1.0]),
            ([0.0, 1.0], [0.5, 0.5]),
        ],
        ids=str,
    )
    def test_kl_divergence(self, p, q):
        with mpmath.workdps(60):
            terms = [
                mpmath.mpf(a) * (mpmath.log(mpmath.mpf(a)) - mpmath.log(mpmath.mpf(b)))
                for a, b in zip(p, q, strict=True)
                if a
            ]
            expected = mpmath.fsum(terms)
        np.testing.assert_allclose(kl_divergence(p, q), float(expected), rtol=4 * EPS[np.float64])

    def test_softmax_of_the_source_page(self):
        assert softmax([2.0, 1.0, 0.5]).round(3).tolist() == [0.629, 0.231, 0.14]

    @pytest.mark.parametrize(
        ("temperature", "expected"), [(0.5, [0.844, 0.114, 0.042]), (1e-3, [1, 0, 0]), (1e6, [0.333, 0.333, 0.333])]
    )
    def test_temperature_sharpens_and_flattens(self, temperature, expected):
        assert softmax([2.0, 1.0, 0.5], temperature=temperature).round(3).tolist() == expected

    @pytest.mark.parametrize(
        "call",
        [
            lambda z: softmax(z, temperature=0.7),
            lambda z: log_softmax(z, axis=0),
            log_softmax,
            logsumexp,
            lambda z: softmax_backward(z, softmax(z.astype(np.float16)).astype(z.dtype)),
            lambda z: entropy(softmax(z.astype(np.float16)).astype(z.dtype)),
            lambda z: kl_divergence(*(softmax(part.astype(np.float16)).astype(z.dtype) for part in (z, -z))),
        ],
        ids=["softmax", "log_softmax 0", "log_softmax -1", "logsumexp", "softmax_backward", "entropy", "kl_divergence"],
    )
    def test_float16_is_rounded_once_at_the_end(self, call):
        z = np.random.default_rng(8).uniform(-3, 3, (20, 15)).astype(np.float16)
        in_between = call(z.astype(np.float32))
        np.testing.assert_array_equal(call(z), in_between.astype(np.float16))

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_many_classes_lose_no_digits(self, dtype):
        z = np.random.default_rng(0).standard_normal(50_257).astype(dtype)
        reference = special.softmax(z.astype(np.longdouble))
        np.testing.assert_allclose(softmax(z), reference.astype(np.float64), rtol=16 * EPS[dtype])


class TestBesideSciPy:
    """The same numbers as SciPy's functions, for searched inputs and every axis."""

    @given(scores())
    def test_softmax_and_log_softmax(self, z):
        for axis in (0, -1):
            np.testing.assert_allclose(softmax(z, axis=axis), special.softmax(z, axis=axis), rtol=1e-14)
            expected = special.log_softmax(z, axis=axis)
            np.testing.assert_allclose(log_softmax(z, axis=axis), expected, rtol=1e-14, atol=1e-15)

    @given(scores(masked=True))
    def test_logsumexp(self, z):
        for axis, keepdims in itertools.product([0, -1], [False, True]):
            expected = special.logsumexp(z, axis=axis, keepdims=keepdims)
            actual = logsumexp(z, axis=axis, keepdims=keepdims)
            np.testing.assert_allclose(actual, expected, rtol=1e-14, atol=1e-14)
            assert np.shape(actual) == np.shape(expected), (axis, keepdims)

    @given(pairs_of_distributions())
    def test_entropy_and_kl_divergence(self, pair):
        p, q = pair
        np.testing.assert_allclose(entropy(p), special.entr(p).sum(axis=-1), rtol=1e-13, atol=1e-15)
        expected = special.rel_entr(p, q).sum(axis=-1)
        np.testing.assert_allclose(kl_divergence(p, q), np.maximum(expected, 0), rtol=1e-13, atol=1e-14)


class TestAxes:
    """Any axis, several together, any memory layout: the same as moving the slices into rows by hand."""

    z = np.random.default_rng(1).standard_normal((3, 4, 5)) * 20
    layouts = {
        "rows": lambda z: z,
        "columns": np.asfortranarray,
        "strided": lambda z: np.repeat(z, 2, axis=-1)[..., ::2],
        "reversed": lambda z: z[::-1, :, ::-1][::-1, :, ::-1],
        "transposed": lambda z: np.ascontiguousarray(z.transpose(2, 0, 1)).transpose(1, 2, 0),
    }

    def rows(self, array, axis):
        """The slices of `array` along `axis` as rows, in the order of the other axes."""
        axes = tuple(np.atleast_1d(axis))
        moved = np.moveaxis(array, axes, range(-len(axes), 0))
        return moved.reshape(-1, int(np.prod(moved.shape[-len(axes) :])))

    @pytest.mark.parametrize("axis", AXES, ids=repr)
    @pytest.mark.parametrize("function", OF_SCORES_TO_SAME_SHAPE)
    def test_same_shape(self, function, axis):
        actual = function(self.z, axis=axis)
        assert actual.shape == self.z.shape
        np.testing.assert_allclose(self.rows(actual, axis), function(self.rows(self.z, axis)), rtol=1e-13)

    @pytest.mark.parametrize("axis", AXES, ids=repr)
    def test_logsumexp(self, axis):
        actual = logsumexp(self.z, axis=axis)
        assert np.shape(actual) == self.z.sum(axis=axis).shape
        np.testing.assert_allclose(np.ravel(actual), logsumexp(self.rows(self.z, axis)), rtol=1e-14)

    @pytest.mark.parametrize("layout", layouts.values(), ids=layouts)
    @pytest.mark.parametrize("function", OF_SCORES)
    def test_layouts(self, function, layout):
        for axis in AXES:
            expected = function(self.z, axis=axis)
            np.testing.assert_allclose(function(layout(self.z), axis=axis), expected, rtol=1e-13)

    @pytest.mark.parametrize("axis", AXES, ids=repr)
    def test_logsumexp_keeps_axes_on_request(self, axis):
        with pytest.raises(TypeError, match="^keepdims is 'no', expected True or False$"):
            logsumexp(self.z, axis=axis, keepdims="no")
        kept = logsumexp(self.z, axis=axis, keepdims=True)
        assert kept.shape == self.z.sum(axis=axis, keepdims=True).shape
        np.testing.assert_array_equal(kept.ravel(), np.ravel(logsumexp(self.z, axis=axis)))

    @pytest.mark.parametrize("axis", AXES, ids=repr)
    @pytest.mark.parametrize("function", OF_PROBABILITIES, ids=["entropy", "kl_divergence"])
    def test_of_probabilities(self, function, axis):
        p = softmax(self.z, axis=axis)
        actual = function(p, axis=axis)
        assert np.shape(actual) == p.sum(axis=axis).shape
        np.testing.assert_allclose(np.ravel(actual), function(self.rows(p, axis)), rtol=1e-13)

    @pytest.mark.parametrize("axis", AXES, ids=repr)
    def test_backward(self, axis):
        p = softmax(self.z, axis=axis)
        dy = np.random.default_rng(2).standard_normal(p.shape)
        expected = softmax_backward(self.rows(dy, axis), self.rows(p, axis))
        np.testing.assert_allclose(self.rows(softmax_backward(dy, p, axis=axis), axis), expected, rtol=0, atol=1e-15)

    @pytest.mark.parametrize("function", [logsumexp, lambda z: entropy(softmax(z))], ids=["logsumexp", "entropy"])
    def test_one_slice_gives_a_scalar(self, function):
        assert isinstance(function([1.0, 2.0]), np.float64)


class TestProperties:
    """What holds for all scores and all distributions."""

    @given(scores(masked=False, bound=1e4))
    def test_shares_sum_to_one(self, z):
        p = softmax(z)
        assert (p >= 0).all()
        assert (p <= 1).all()
        np.testing.assert_allclose(p.sum(axis=-1), 1, rtol=1e-14)

    @given(whole_scores(), st.integers(-(10**6), 10**6))
    def test_a_common_shift_changes_nothing_and_moves_logsumexp(self, z, shift):
        for function in OF_SCORES_TO_SAME_SHAPE:
            np.testing.assert_array_equal(function(z + shift), function(z), err_msg=function.__name__)
        np.testing.assert_allclose(logsumexp(z + shift), logsumexp(z) + shift, rtol=1e-15, atol=1e-9)

    @given(scores(shape=st.integers(1, 20)))
    def test_order_is_kept(self, z):
        for function in OF_SCORES_TO_SAME_SHAPE:
            assert (np.diff(function(np.sort(z))) >= 0).all(), function.__name__

    @given(scores(), st.sampled_from([0.125, 0.5, 2.0, 64.0]))
    def test_temperature_divides_the_scores(self, z, temperature):
        """Exactly, where the division is exact."""
        z = np.round(z * 2**20) / 2**20
        for function in OF_SCORES_TO_SAME_SHAPE:
            divided = function(z / temperature)
            np.testing.assert_array_equal(function(z, temperature=temperature), divided, err_msg=function.__name__)

    @given(scores())
    def test_log_softmax_is_the_logarithm_of_softmax(self, z):
        log_p = log_softmax(z)
        assert (log_p <= 0).all()
        np.testing.assert_allclose(np.exp(log_p), softmax(z), rtol=1e-13)

    @given(scores())
    def test_logsumexp_lies_above_the_largest_by_at_most_log_k(self, z):
        excess = logsumexp(z) - z.max(axis=-1)
        assert (excess >= 0).all()
        assert (excess <= np.log(z.shape[-1]) + 1e-13).all()

    @given(distributions())
    def test_entropy_lies_between_zero_and_log_k(self, p):
        h, k = np.asarray(entropy(p)), p.shape[-1]
        assert not np.signbit(h).any()
        assert (h <= np.log(k) + 1e-14).all()
        # The divergence from equal shares is what it lacks.
        np.testing.assert_allclose(h + kl_divergence(p, np.full(k, 1 / k)), np.log(k), atol=1e-14)

    @given(pairs_of_distributions())
    def test_divergence_is_never_negative_and_infinite_exactly_where_a_possible_class_is_excluded(self, pair):
        """From itself it is zero."""
        p, q = pair
        np.testing.assert_array_equal(kl_divergence(p, p), 0)
        divergence = kl_divergence(p, q)
        assert not np.signbit(divergence).any()
        np.testing.assert_array_equal(np.isinf(divergence), ((p > 0) & (q == 0)).any(axis=-1))

    @given(scores())
    def test_backward_sums_to_zero(self, z):
        dy = np.random.default_rng(3).standard_normal(z.shape)
        np.testing.assert_allclose(softmax_backward(dy, softmax(z)).sum(axis=-1), 0, atol=1e-14)


def call_all(z, dtype=None):
    """The results of all functions of floats for scores of one type, by name."""
    z = np.asarray(z, dtype)
    p = softmax(z)
    return {
        "softmax": p,
        "log_softmax": log_softmax(z),
        "logsumexp": logsumexp(z),
        "entropy": entropy(p),
        "kl_divergence": kl_divergence(p, p),
        "softmax_backward": softmax_backward(p, p, temperature=2.0),
    }


ALL = list(call_all([0.0]))


class TestTypes:
    """The float type stays, integers become float64, the input stays as it is."""

    @pytest.mark.parametrize("name", ALL)
    @pytest.mark.parametrize("dtype", [*FLOATS, ">f4"])
    def test_float_types_stay(self, dtype, name):
        result = call_all([[2, 1, 0], [5, 4, -1]], dtype)[name]
        assert result.dtype.type is np.dtype(dtype).type

    @pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint8, np.uint64, np.bool_])
    @pytest.mark.parametrize("function", OF_SCORES)
    def test_integers_become_float64(self, function, dtype):
        result = function(np.array([1, 0, 1], dtype))
        assert result.dtype == np.float64
        np.testing.assert_array_equal(result, function([1.0, 0.0, 1.0]))

    @pytest.mark.parametrize("function", OF_PROBABILITIES, ids=["entropy", "kl_divergence"])
    def test_integers_may_be_probabilities(self, function):
        assert function([0, 1, 0]).dtype == np.float64

    @pytest.mark.parametrize("one", FLOATS)
    @pytest.mark.parametrize("other", FLOATS)
    @pytest.mark.parametrize("function", [kl_divergence, softmax_backward])
    def test_the_wider_of_two_types_wins(self, function, one, other):
        result = function(np.array([0.5, 0.5], one), np.array([0.25, 0.75], other))
        assert result.dtype == np.promote_types(one, other)

    @pytest.mark.parametrize("function", OF_SCORES)
    def test_unsigned_scores_do_not_wrap_around(self, function):
        z = np.array([0, 255], np.uint8)
        np.testing.assert_array_equal(function(z), function(z.astype(float)))

    @pytest.mark.parametrize("temperature", [1.0, 0.5, 3.0])
    @pytest.mark.parametrize("dtype", FLOATS)
    def test_inputs_are_never_changed(self, dtype, temperature):
        """A read-only array makes any attempt an error."""
        z = np.array([[2, 1, -np.inf], [5, np.inf, -1], [1, 2, 3]], dtype)
        z.flags.writeable = False
        p = softmax(z, temperature=temperature)
        log_softmax(z, temperature=temperature)
        log_softmax(z, temperature=temperature, axis=0)
        logsumexp(z)
        logsumexp(z, axis=0)
        p.flags.writeable = False
        entropy(p)
        kl_divergence(p, p)
        softmax_backward(p, p, temperature=temperature)

    @pytest.mark.parametrize("function", OF_SCORES_TO_SAME_SHAPE)
    @pytest.mark.parametrize("z", [[[3.0]], [[1.0, 2.0]]], ids=str)
    def test_results_share_no_memory_with_the_input(self, z, function):
        z = np.array(z)
        assert not np.shares_memory(function(z), z)


LARGEST = {dtype: float(np.finfo(dtype).max) for dtype in FLOATS}


class TestExtremes:
    """Large scores, masks, infinities, NaN, empty arrays, extreme temperatures; never a warning."""

    @pytest.mark.parametrize(("temperature", "p"), [(1e39, 0.5), (1e-60, nan)])
    def test_a_temperature_that_float32_rounds_to_infinity_or_to_0(self, temperature, p):
        np.testing.assert_array_equal(softmax(np.float32([1, 0]), temperature=temperature), [p, p])

    @pytest.mark.parametrize("dtype", FLOATS)
    @pytest.mark.parametrize("sign", [1, -1])
    def test_the_largest_floats_of_each_type(self, dtype, sign):
        z = np.array([LARGEST[dtype]] * 2, dtype) * sign
        np.testing.assert_array_equal(softmax(z), [0.5, 0.5])
        np.testing.assert_allclose(log_softmax(z), -np.log(2), rtol=EPS[dtype])
        np.testing.assert_array_equal(logsumexp(z), z[0])

    @pytest.mark.parametrize("dtype", FLOATS)
    def test_the_widest_gap_of_each_type(self, dtype):
        z = np.array([LARGEST[dtype], -LARGEST[dtype]], dtype)
        np.testing.assert_array_equal(softmax(z), [1, 0])
        np.testing.assert_array_equal(log_softmax(z), [0, -inf])  # twice the largest float
        np.testing.assert_array_equal(logsumexp(z), z[0])

    @pytest.mark.parametrize("size", [1e3, 1e30])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_large_scores(self, dtype, size):
        z = np.array([size, 0, -size], dtype)
        np.testing.assert_array_equal(softmax(z), [1, 0, 0])
        np.testing.assert_array_equal(log_softmax(z), [0, -z[0], z[2] * 2])
        np.testing.assert_array_equal(logsumexp(z), z[0])

    def test_float16_does_not_overflow_where_its_exponential_would(self):
        z = np.array([65504, 65472, 12, 0, -65504], np.float16)
        np.testing.assert_array_equal(softmax(z), [1, 0, 0, 0, 0])
        np.testing.assert_array_equal(softmax(np.full(5000, 12, np.float16)), np.float16(1 / 5000))

    def test_float16_sums_in_float32(self):
        """10,000 ones would not even be counted in float16."""
        assert logsumexp(np.zeros(10_000, np.float16)) == np.float16(np.log(10_000))

    @pytest.mark.parametrize("dtype", FLOATS)
    def test_masked_entries_get_exactly_zero(self, dtype):
        z = np.array([2, -inf, 1, -inf], dtype)
        rest = z[[0, 2]]
        np.testing.assert_array_equal(softmax(z)[[1, 3]], 0)
        np.testing.assert_array_equal(softmax(z)[[0, 2]], softmax(rest))
        np.testing.assert_array_equal(log_softmax(z)[[1, 3]], -inf)
        np.testing.assert_array_equal(log_softmax(z)[[0, 2]], log_softmax(rest))
        assert logsumexp(z) == logsumexp(rest)

    @pytest.mark.parametrize("temperature", [1e-30, 1e-3, 1.0, 1e3, 1e30])
    @pytest.mark.parametrize("dtype", FLOATS)
    def test_masks_stay_masks_at_every_temperature(self, dtype, temperature):
        p = softmax(np.array([1, 1, -inf], dtype), temperature=temperature)
        np.testing.assert_array_equal(p, np.array([0.5, 0.5, 0], dtype))

    @pytest.mark.parametrize("axis", [0, 1, (0, 1)])
    @pytest.mark.parametrize(
        ("z", "p", "log_p", "total"),
        [
            ([-inf, -inf], [nan, nan], [nan, nan], -inf),
            ([-inf], [nan], [nan], -inf),
            ([inf, 0, -inf], [1, 0, 0], [0, -inf, -inf], inf),
            ([3, inf], [0, 1], [-inf, 0], inf),
            ([inf], [1], [0], inf),
            ([inf, 1, inf], [nan] * 3, [nan] * 3, inf),
            ([1, nan], [nan, nan], [nan, nan], nan),
            ([nan], [nan], [nan], nan),
            ([nan, inf], [nan, nan], [nan, nan], nan),
            ([inf, nan], [nan, nan], [nan, nan], nan),
            ([-inf, nan], [nan, nan], [nan, nan], nan),
        ],
        ids=str,
    )
    def test_infinities_follow_the_limit_where_there_is_one(self, z, p, log_p, total, axis):
        for dtype, temperature in itertools.product(FLOATS, [1.0, 0.5, 3.0]):
            scores = np.expand_dims(np.array(z, dtype), 1 if axis == 0 else 0)
            np.testing.assert_array_equal(softmax(scores, axis=axis, temperature=temperature).ravel(), p)
            np.testing.assert_array_equal(log_softmax(scores, axis=axis, temperature=temperature).ravel(), log_p)
            np.testing.assert_array_equal(np.ravel(logsumexp(scores, axis=axis)), total)

    @pytest.mark.parametrize("bad", [[nan, 1, 2], [-inf, -inf, -inf], [inf, inf, 0]], ids=str)
    @pytest.mark.parametrize("axis", [0, 1])
    @pytest.mark.parametrize("function", OF_SCORES)
    def test_a_bad_slice_spoils_no_other(self, function, axis, bad):
        good = np.array([[2.0, 1.0, 0.5], [50.0, 0.0, -inf]])
        z = np.insert(good, 1, bad, axis=0)
        actual = function(z.T, axis=0).T if axis == 0 else function(z)
        np.testing.assert_allclose(actual[[0, 2]], function(good), rtol=1e-15)

    @pytest.mark.parametrize("dtype", FLOATS)
    @pytest.mark.parametrize("temperature", [1e-40, 1e-30, 1e-8])
    def test_a_tiny_temperature_gives_all_to_the_largest(self, temperature, dtype):
        z = np.array([3, 1, 2.5, -40, 0], dtype)
        np.testing.assert_array_equal(softmax(z, temperature=temperature), [1, 0, 0, 0, 0])
        assert log_softmax(z, temperature=temperature)[0] == 0

    @pytest.mark.parametrize("dtype", FLOATS)
    @pytest.mark.parametrize("temperature", [1e12, 1e30])
    def test_a_huge_temperature_gives_equal_shares(self, temperature, dtype):
        z = np.array([3, 1, 2.5, -40], dtype)
        np.testing.assert_allclose(softmax(z, temperature=temperature), 0.25, rtol=1e-10)

    @pytest.mark.parametrize("shape", [(3, 0), (0,), (2, 3, 0), (0, 0)], ids=str)
    def test_the_sum_of_nothing_has_the_logarithm_minus_infinity(self, shape):
        total = logsumexp(np.zeros(shape, np.float32))
        assert total.dtype == np.float32
        np.testing.assert_array_equal(total, np.full(shape[:-1], -inf))
        assert logsumexp(np.zeros(shape), keepdims=True).shape == (*shape[:-1], 1)

    @pytest.mark.parametrize("axis", [-1, 1, (0, 1)])
    @pytest.mark.parametrize("function", OF_SCORES_TO_SAME_SHAPE)
    def test_nothing_can_have_no_shares(self, function, axis):
        with pytest.raises(ValueError, match=r"z has the shape \(3, 0\), expected at least one entry along axis"):
            function(np.zeros((3, 0)), axis=axis)

    @pytest.mark.parametrize("function", OF_SCORES_TO_SAME_SHAPE)
    def test_no_slices_give_an_empty_result(self, function):
        assert function(np.zeros((0, 5), np.float32)).shape == (0, 5)
        assert function(np.zeros((3, 0)), axis=0).shape == (3, 0)

    @pytest.mark.parametrize("function", [logsumexp, entropy])
    def test_no_slices_give_no_sums(self, function):
        assert function(np.zeros((0, 5))).shape == (0,)

    @pytest.mark.parametrize(
        "z", [[1e300, -inf, 0.0], [-inf, -inf, -inf], [inf, inf, nan], [0.0, -745.0, -1e4]], ids=str
    )
    def test_callers_who_make_floating_point_errors_fatal_see_none(self, z):
        with np.errstate(all="raise"):
            call_all(z)
            log_softmax(np.array(z)[:, None], axis=0)
            softmax(z, temperature=1e-300)

    def test_the_callers_error_state_comes_back(self):
        with np.errstate(all="raise"):
            softmax([1.0, -inf])
            with pytest.raises(FloatingPointError):
                np.exp(np.array([1e4]))

    @pytest.mark.parametrize("dtype", FLOATS)
    def test_zero_probabilities_add_no_surprise(self, dtype):
        certain = np.array([0, 1, 0], dtype)
        assert entropy(certain) == 0
        assert not np.signbit(entropy(certain))
        assert not np.signbit(entropy(np.array([1], dtype)))
        assert kl_divergence(certain, np.array([0.5, 0.5, 0], dtype)) == dtype(np.log(2))

    def test_the_smallest_probabilities_still_count(self):
        """Their ratio to the others overflows, their logarithm does not."""
        assert kl_divergence([1.0, 0.0], [5e-324, 1.0]) == pytest.approx(744.4400719213812, rel=1e-15)
        assert entropy(np.array([1, 1e-45], np.float32)) > 0

    @pytest.mark.parametrize("function", OF_PROBABILITIES, ids=["entropy", "kl_divergence"])
    def test_nan_spoils_only_its_slice(self, function):
        np.testing.assert_array_equal(np.isnan(function([[nan, 1.0], [0.5, 0.5]])), [True, False])

    @pytest.mark.parametrize("dtype", FLOATS)
    @pytest.mark.parametrize("num_classes", [3, 1000, 50_257])
    def test_every_softmax_counts_as_a_distribution(self, num_classes, dtype):
        z = np.random.default_rng(4).standard_normal(num_classes).astype(dtype) * dtype(3)
        p, equal = softmax(z), softmax(np.zeros_like(z))
        assert 0 < entropy(p) < np.log(num_classes)
        assert kl_divergence(p, equal) > 0

    def test_rounding_above_one_gives_no_negative_entropy(self):
        assert entropy([1 + 2.0**-52, 0.0]) == 0

    def test_rounding_gives_no_negative_divergence(self):
        p = np.array([0.1, 0.2, 0.3, 0.4])
        q = p + np.array([1, -1, 1, -1]) * 2.0**-56
        assert kl_divergence(p, q) >= 0
        assert kl_divergence([1 - 1e-9, 0.0], [1.0, 0.0]) == 0


class TestBackward:
    """The product of the Jacobian and the upstream gradient."""

    @pytest.mark.parametrize("temperature", [0.25, 1.0, 5.0])
    def test_equals_the_product_with_the_full_jacobian(self, temperature):
        rng = np.random.default_rng(5)
        z, dy = rng.standard_normal((2, 7))
        p = softmax(z, temperature=temperature)
        jacobian = (np.diag(p) - np.outer(p, p)) / temperature
        actual = softmax_backward(dy, p, temperature=temperature)
        np.testing.assert_allclose(actual, jacobian @ dy, rtol=1e-12, atol=1e-15)

    def test_softmax_is_the_gradient_of_logsumexp(self):
        z, step = np.array([0.3, -1.2, 2.0, 0.7]), 1e-6
        rise = logsumexp(z + step * np.eye(4)) - logsumexp(z - step * np.eye(4))
        np.testing.assert_allclose(rise / (2 * step), softmax(z), rtol=1e-8)


class TestOneHot:
    """All probability for the labelled class."""

    @pytest.mark.parametrize(
        ("labels", "expected"),
        [
            (1, [0, 1, 0]),
            ([2, 0], [[0, 0, 1], [1, 0, 0]]),
            ([[0], [1]], [[[1, 0, 0]], [[0, 1, 0]]]),
            (np.array([2], np.uint8), [[0, 0, 1]]),
            (np.zeros((0,), int), np.zeros((0, 3))),
        ],
        ids=str,
    )
    def test_values(self, labels, expected):
        actual = one_hot(labels, 3)
        assert actual.dtype == np.float64
        np.testing.assert_array_equal(actual, expected)

    @given(st.lists(st.integers(0, 9), min_size=1))
    def test_argmax_gives_the_labels_back(self, labels):
        np.testing.assert_array_equal(one_hot(labels, 10).argmax(axis=-1), labels)

    def test_takes_no_memory_that_grows_with_the_square_of_the_classes(self):
        assert one_hot([0, 199_999], 200_000).sum() == 2

    @pytest.mark.parametrize(
        ("labels", "num_classes", "error", "message"),
        [
            ([0, 3, 7], 3, ValueError, r"labels holds 3 at index \(1,\), expected 0 to 2"),
            ([[0, 1], [-1, 0]], 3, ValueError, r"labels holds -1 at index \(1, 0\), expected 0 to 2"),
            (5, 3, ValueError, r"labels holds 5 at index \(\), expected 0 to 2"),
            ([0.0, 1.0], 3, TypeError, "labels holds float64, expected integers"),
            ([True, False], 3, TypeError, "labels holds bool, expected integers"),
            (["a"], 3, TypeError, "labels holds <U1, expected integers"),
            ([0], 0, ValueError, "num_classes is 0, expected at least 1"),
            ([0], 3.0, TypeError, "num_classes is 3.0, expected an int"),
            ([0], True, TypeError, "num_classes is True, expected an int"),
        ],
        ids=str,
    )
    def test_wrong_arguments(self, labels, num_classes, error, message):
        with pytest.raises(error, match=message):
            one_hot(labels, num_classes)


class TestWrongArguments:
    """Each message names the argument, what it is, and what was expected."""

    @pytest.mark.parametrize(
        ("z", "dtype"),
        [
            ([1 + 2j, 0], "complex128"),
            (["a", "b"], "<U1"),
            ([None, 1.0], "object"),
            ([10**30], "object"),
            (np.array([1.0], np.longdouble), str(np.dtype(np.longdouble))),
            (np.array(["2020-01-01"], "datetime64[D]"), r"datetime64\[D\]"),
        ],
        ids=str,
    )
    @pytest.mark.parametrize("function", OF_SCORES)
    def test_scores_that_are_no_floats(self, function, z, dtype):
        with pytest.raises(TypeError, match=f"z holds {dtype}, expected float16, float32, float64 or integers"):
            function(z)

    @pytest.mark.parametrize("function", OF_SCORES)
    def test_ragged_scores(self, function):
        with pytest.raises(ValueError, match=r"z is \[\[1, 2\], \[3\]\], expected a number or a rectangular array"):
            function([[1, 2], [3]])

    @pytest.mark.parametrize(
        ("call", "name"),
        [
            (lambda bad: entropy(bad), "p"),
            (lambda bad: kl_divergence(bad, [1.0]), "p"),
            (lambda bad: kl_divergence([1.0], bad), "q"),
            (lambda bad: softmax_backward(bad, [1.0]), "dy"),
            (lambda bad: softmax_backward([1.0], bad), "p"),
        ],
        ids=["entropy", "kl p", "kl q", "backward dy", "backward p"],
    )
    def test_other_arguments_that_are_no_floats(self, call, name):
        with pytest.raises(TypeError, match=f"^{name} holds complex128, expected"):
            call([1j])

    @pytest.mark.parametrize(
        ("axis", "error", "expected"),
        [
            (2, np.exceptions.AxisError, "axes of an array that has 2"),
            (-3, np.exceptions.AxisError, "axes of an array that has 2"),
            ((0, 2), np.exceptions.AxisError, "axes of an array that has 2"),
            ((0, 0), ValueError, "at least one axis, and none twice"),
            ((1, -1), ValueError, "at least one axis, and none twice"),
            ((), ValueError, "at least one axis, and none twice"),
            (None, TypeError, "an int or a tuple of ints"),
            (1.0, TypeError, "an int or a tuple of ints"),
            (True, TypeError, "an int or a tuple of ints"),
            ("0", TypeError, "an int or a tuple of ints"),
            ([0], TypeError, "an int or a tuple of ints"),
            ((0, 1.0), TypeError, "an int or a tuple of ints"),
        ],
        ids=repr,
    )
    @pytest.mark.parametrize(
        "function",
        [*OF_SCORES, *OF_PROBABILITIES, lambda p, axis: softmax_backward(p, p, axis=axis)],
        ids=["softmax", "log_softmax", "logsumexp", "entropy", "kl_divergence", "softmax_backward"],
    )
    def test_axis(self, function, axis, error, expected):
        with pytest.raises(error) as caught:
            function(np.full((2, 2), 0.5), axis=axis)
        assert str(caught.value) == f"axis is {axis!r}, expected {expected}"

    def test_a_number_has_no_axis(self):
        with pytest.raises(ValueError, match="axis is -1, expected axes of an array that has 0"):
            softmax(3.0)

    @pytest.mark.parametrize(
        ("temperature", "error", "expected"),
        [
            (0, ValueError, "a finite number greater than 0"),
            (0.0, ValueError, "a finite number greater than 0"),
            (-1.0, ValueError, "a finite number greater than 0"),
            (inf, ValueError, "a finite number greater than 0"),
            (nan, ValueError, "a finite number greater than 0"),
            (10**400, ValueError, "a finite number greater than 0"),
            (True, TypeError, "a number"),
            (np.True_, TypeError, "a number"),
            (None, TypeError, "a number"),
            ("1", TypeError, "a number"),
            (1j, TypeError, "a number"),
            ([1.0], TypeError, "a number"),
            (np.array(1.0), TypeError, "a number"),
        ],
        ids=lambda value: repr(value)[:20],
    )
    @pytest.mark.parametrize(
        "function",
        [softmax, log_softmax, lambda z, **options: softmax_backward(z, z, **options)],
        ids=["softmax", "log_softmax", "softmax_backward"],
    )
    def test_temperature(self, function, temperature, error, expected):
        with pytest.raises(error) as caught:
            function([1.0, 2.0], temperature=temperature)
        assert str(caught.value) == f"temperature is {temperature!r}, expected {expected}"

    @pytest.mark.parametrize("temperature", [2, np.int32(2), np.float16(2), np.float32(2), np.float64(2)], ids=repr)
    def test_a_temperature_of_any_number_type_is_accepted(self, temperature):
        np.testing.assert_array_equal(softmax([1.0, 2.0], temperature=temperature), softmax([0.5, 1.0]))

    @pytest.mark.parametrize("function", OF_SCORES)
    def test_options_are_keyword_only(self, function):
        with pytest.raises(TypeError, match="positional"):
            function([1.0], -1)

    @pytest.mark.parametrize(
        ("p", "message"),
        [
            ([0.5, 0.7, -0.2], "holds -0.2, expected no negative entries"),
            ([0.5, 0.4], "sums to 0.9 along axis, expected 1"),
            ([[0.5, 0.5], [1.0, 1.0]], "sums to 2.0 along axis, expected 1"),
            ([inf, 0.0], "sums to inf along axis, expected 1"),
            ([2, 1], "sums to 3.0 along axis, expected 1"),
            ([0.5, 0.5 + 2.0**-20], "sums to 1.00000095\\d* along axis, expected 1"),
            (np.array([0.5, 0.5 + 2.0**-10], np.float32), "sums to 1.0009766 along axis, expected 1"),
            (np.array([0.5, 0.55], np.float16), "sums to 1.04\\d* along axis, expected 1"),
            (np.zeros((2, 0)), "sums to 0.0 along axis, expected 1"),
        ],
        ids=str,
    )
    def test_what_is_no_distribution(self, p, message):
        certain = np.ones_like(p) / max(np.shape(p)[-1], 1)
        with pytest.raises(ValueError, match=f"^p {message}"):
            entropy(p)
        with pytest.raises(ValueError, match=f"^p {message}"):
            kl_divergence(p, certain)

    def test_the_second_distribution_is_checked_too(self):
        with pytest.raises(ValueError, match="^q sums to 0.9 along axis, expected 1"):
            kl_divergence([0.5, 0.5], [0.5, 0.4])

    def test_many_distributions_can_be_compared_with_one(self):
        p = softmax(np.random.default_rng(6).standard_normal((4, 3)))
        one = np.array([0.2, 0.3, 0.5])
        expected = [kl_divergence(row, one) for row in p]
        np.testing.assert_allclose(kl_divergence(p, one), expected, rtol=1e-14)
        np.testing.assert_allclose(kl_divergence(one, p), [kl_divergence(one, row) for row in p], rtol=1e-14)

    def test_shapes_that_do_not_broadcast(self):
        with pytest.raises(
            ValueError, match=r"p and q have the shapes \(2,\) and \(3,\), expected shapes that broadcast"
        ):
            kl_divergence([0.5, 0.5], [0.5, 0.25, 0.25])

    def test_backward_of_another_shape(self):
        with pytest.raises(ValueError, match=r"dy has the shape \(3,\), expected that of p, \(1, 3\)"):
            softmax_backward([1.0, 0.0, 0.0], [[0.2, 0.3, 0.5]])


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("temperature", [1.0, 2.5])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("function", OF_SCORES)
def test_a_call_needs_at_most_three_arrays_of_the_size_of_the_input(function, dtype, temperature, axis):
    z = np.random.default_rng(7).standard_normal((250, 200)).astype(dtype)
    options = {} if function is logsumexp else {"temperature": temperature}
    function(z, axis=axis, **options)
    tracemalloc.start()
    try:
        result = function(z, axis=axis, **options)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (peak - result.nbytes) / z.nbytes < 3.1
