"""Does the cross-entropy keep its promises: in value and gradient, at the extremes, and to a wrong argument?"""

import tracemalloc
from itertools import product

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from recorded import recorded
from scipy import special
from strategies import FLOATS, distributions, scores

from lossprimer._fused import loss_and_gradient
from lossprimer.gradcheck import gradient_error
from lossprimer.losses import cross_entropy, cross_entropy_and_grad, cross_entropy_grad
from lossprimer.probability import entropy, kl_divergence, log_softmax, one_hot, softmax

inf, nan = np.inf, np.nan
EPS = {dtype: float(np.finfo(dtype).eps) for dtype in FLOATS}
FUNCTIONS = [cross_entropy, cross_entropy_grad, cross_entropy_and_grad]
OPTIONS = {
    "plain": {},
    "weight": {"weight": [0.5, 2.0, 0.0, 1.25]},
    "ignore_index": {"ignore_index": 1},
    "label_smoothing": {"label_smoothing": 0.2},
    "all smoothing": {"label_smoothing": 1},
    "all": {"weight": [0.5, 2.0, 1.0, 1.25], "ignore_index": 0, "label_smoothing": 0.1},
}
of_options = pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
Z = np.random.default_rng(0).normal(0, 3, (5, 4))
LABELS = np.array([2, 0, 1, 3, 0])
Y = softmax(np.random.default_rng(1).normal(0, 1, (5, 4)))


def by_definition(z, q):
    """The losses -sum q log p of each row to 60 digits; q = 0 adds nothing."""
    losses = []
    with mpmath.workdps(400):
        for row, shares in zip(z.tolist(), np.broadcast_to(q, z.shape).tolist(), strict=True):
            total = mpmath.fsum(mpmath.exp(mpmath.mpf(x)) for x in row)
            terms = [
                mpmath.mpf(share) * (mpmath.log(total) - mpmath.mpf(x))
                for x, share in zip(row, shares, strict=True)
                if share
            ]
            losses.append(float(mpmath.fsum(terms)))
    return losses


class TestValues:
    """Against many digits, SciPy, and the other functions of the package."""

    @pytest.mark.parametrize(
        "z", [[2.0, 1.0, 0.5], [50.0, 0.0, -3.0], [-700.0, 10.0, 0.0], [0.0, 0.0, 0.0], [1e3, -1e3, 999.5]], ids=str
    )
    @pytest.mark.parametrize("label", [0, 1, 2])
    @pytest.mark.parametrize("dtype", FLOATS)
    def test_the_surprise_at_the_truth(self, dtype, label, z):
        z = np.array(z, dtype)
        (expected,) = by_definition(z[None].astype(np.float64), np.eye(3)[label])
        loss = cross_entropy(z, label)
        smallest = float(np.finfo(dtype).smallest_subnormal)
        # An exponent up to 1000 in float32 multiplies its rounding by as much.
        np.testing.assert_allclose(float(loss), expected, rtol=max(EPS[dtype], 1000 * EPS[np.float64]), atol=smallest)

    def test_of_the_source_page(self):
        losses = [cross_entropy(np.log([p, 1 - p]), 0) for p in (0.95, 0.5, 0.1)]
        assert np.round(losses, 4).tolist() == [0.0513, 0.6931, 2.3026]

    @given(scores(shape=st.tuples(st.integers(1, 5), st.just(4))), st.data())
    def test_classes_and_probabilities_beside_scipy(self, z, data):
        labels = data.draw(hnp.arrays(np.int64, len(z), elements=st.integers(0, 3)))
        y = data.draw(distributions(shape=st.just(z.shape)))
        log_p = special.log_softmax(z, axis=-1)
        for target, expected in ((labels, -log_p[np.arange(len(z)), labels]), (y, -(y * log_p).sum(axis=-1))):
            actual = cross_entropy(z, target, reduction="none")
            np.testing.assert_allclose(actual, expected, rtol=1e-13, atol=1e-15)

    @given(scores(shape=st.just((3, 4))), distributions(shape=st.just((3, 4))))
    def test_is_the_entropy_of_the_truth_and_the_divergence_from_it(self, z, y):
        parts = entropy(y) + kl_divergence(y, softmax(z))
        np.testing.assert_allclose(cross_entropy(z, y, reduction="none"), parts, rtol=1e-10, atol=1e-12)

    @pytest.mark.parametrize("num_classes", [1, 2, 10, 1000])
    def test_a_uniform_guess_costs_log_k(self, num_classes):
        np.testing.assert_allclose(
            cross_entropy(np.zeros((3, num_classes)), [0, 0, 0]), np.log(num_classes), rtol=1e-15
        )

    def test_classes_and_their_one_hot_probabilities_agree(self):
        options = {"weight": [0.5, 2.0, 0.1, 1.25], "label_smoothing": 0.3, "reduction": "sum"}
        loss, dz = cross_entropy_and_grad(Z, LABELS, **options)
        other, other_dz = cross_entropy_and_grad(Z, one_hot(LABELS, 4), **options)
        np.testing.assert_allclose(loss, other, rtol=1e-15)
        np.testing.assert_allclose(dz, other_dz, rtol=1e-13, atol=1e-16)

    def test_integer_probabilities_count_as_probabilities(self):
        assert cross_entropy(Z, one_hot(LABELS, 4).astype(int)) == cross_entropy(Z, one_hot(LABELS, 4))

    @pytest.mark.parametrize("function", [cross_entropy, cross_entropy_grad])
    @of_options
    def test_both_at_once_are_the_same_as_each(self, options, function):
        loss, dz = cross_entropy_and_grad(Z, LABELS, **options)
        expected = loss if function is cross_entropy else dz
        np.testing.assert_allclose(function(Z, LABELS, **options), expected, rtol=1e-15, atol=1e-16)


class TestFused:
    """The one pass that training takes is the textbook's form, and declines what is not its own."""

    @given(st.data())
    def test_equals_the_textbook_form(self, data):
        shape = data.draw(hnp.array_shapes(min_dims=2, max_dims=4, max_side=5))
        found = data.draw(scores(shape=st.just(shape), masked=True))
        labels = data.draw(hnp.arrays(np.int64, shape[:-1], elements=st.integers(0, shape[-1] - 1)))
        # Every type and option on each input: to find an input takes longer than to use it.
        cases = product([np.float32, np.float64], [None, -100, 2], ["mean", "sum"])
        for dtype, ignore_index, reduction in cases:
            z, options = found.astype(dtype), {"ignore_index": ignore_index, "reduction": reduction}
            with np.errstate(all="ignore"):
                fused = loss_and_gradient(z, labels, **options)
            loss = cross_entropy(z, labels, **options)
            assert (fused is None) == (not np.isfinite(loss)), options
            if fused is not None:
                dz = cross_entropy_grad(z, labels, **options)
                assert fused[0].dtype == fused[1].dtype == dtype, options
                close = {"rtol": 4 * EPS[dtype], "err_msg": str(options)}
                np.testing.assert_allclose(fused[0], loss, atol=0, **close)
                np.testing.assert_allclose(fused[1], dz, atol=8 * EPS[dtype], **close)

    @pytest.mark.parametrize("size", [1e3, 1e30])
    def test_at_the_extremes(self, size):
        z = np.array([[size, 0], [0, size], [50, 0]])
        loss, dz = loss_and_gradient(z, np.array([0, 0, 0]), reduction="sum")
        assert loss == cross_entropy(z, [0, 0, 0], reduction="sum") == size
        np.testing.assert_allclose(dz, [[0, 0], [-1, 1], [-np.exp(-50), np.exp(-50)]], atol=1e-15)

    @pytest.mark.parametrize(
        ("z", "labels", "options"),
        [
            (Z.tolist(), LABELS, {}),
            (Z, LABELS.tolist(), {}),
            (Z.astype(np.float16), LABELS, {}),
            (Z, Y, {}),
            (Z, LABELS + 2, {}),
            (Z, -LABELS, {}),
            (Z, LABELS.astype(bool), {}),
            (Z[:0], LABELS[:0], {}),
            (Z, LABELS, {"weight": [1, 1, 1, 1]}),
            (Z, LABELS, {"label_smoothing": 0.1}),
            (Z, LABELS, {"label_smoothing": False}),
            (Z, LABELS, {"ignore_index": True}),
            (Z, LABELS, {"reduction": "none"}),
            (Z, LABELS, {"axis": True}),
            (Z, 0 * LABELS, {"ignore_index": 0}),
        ],
        ids=repr,
    )
    def test_what_it_leaves_to_the_textbook_form(self, z, labels, options):
        with np.errstate(all="ignore"):
            assert loss_and_gradient(z, labels, **options) is None


class TestBesidePyTorch:
    """The recorded values, whose classes are on axis 1, or on 0 if there is no other."""

    @pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
    @pytest.mark.parametrize(("options", "arrays"), recorded("cross_entropy"))
    def test_loss(self, options, arrays, reduction):
        logits, target, weight = arrays["logits"], arrays["target"], arrays.get("weight")
        axis = min(1, logits.ndim - 1)
        loss = cross_entropy(logits, target, axis=axis, weight=weight, reduction=reduction, **options)
        tolerance = {"rtol": 8 * EPS[logits.dtype.type], "atol": EPS[logits.dtype.type]}
        np.testing.assert_allclose(loss, arrays[reduction], **tolerance)
        assert loss.dtype == arrays[reduction].dtype

    @pytest.mark.parametrize("reduction", ["mean", "sum"])
    @pytest.mark.parametrize(("options", "arrays"), recorded("cross_entropy"))
    def test_gradient(self, options, arrays, reduction):
        logits, target, weight = arrays["logits"], arrays["target"], arrays.get("weight")
        axis = min(1, logits.ndim - 1)
        dz = cross_entropy_grad(logits, target, axis=axis, weight=weight, reduction=reduction, **options)
        tolerance = {"rtol": 8 * EPS[logits.dtype.type], "atol": 2 * EPS[logits.dtype.type]}
        np.testing.assert_allclose(dz, arrays[f"{reduction} gradient"], **tolerance)
        assert dz.dtype == logits.dtype


class TestGradient:
    """Slopes measured at every entry, with a random upstream gradient."""

    @of_options
    @pytest.mark.parametrize("reduction", ["mean", "sum"])
    def test_of_classes(self, reduction, options):
        options = options | {"reduction": reduction}
        error = gradient_error(
            lambda z: cross_entropy(z, LABELS, **options),
            lambda dy: dy * cross_entropy_grad(Z, LABELS, **options),
            Z,
            rng=np.random.default_rng(2),
        )
        assert error < 1e-7

    @of_options
    @pytest.mark.parametrize("total", [1.0, 3.0])
    def test_of_probabilities(self, total, options):
        options = {name: value for name, value in options.items() if name != "ignore_index"}
        error = gradient_error(
            lambda z: cross_entropy(z, total * Y, **options),
            lambda dy: dy * cross_entropy_grad(Z, total * Y, **options),
            Z,
            rng=np.random.default_rng(3),
        )
        assert error < 1e-7

    def test_the_check_refuses_zeros_and_a_forgotten_mean(self):
        def error(backward):
            return gradient_error(lambda z: cross_entropy(z, LABELS), backward, Z, rng=np.random.default_rng(4))

        assert error(lambda dy: np.zeros_like(Z)) == 1
        assert error(lambda dy: dy * cross_entropy_grad(Z, LABELS, reduction="sum")) > 0.1

    def test_is_prediction_less_truth(self):
        np.testing.assert_allclose(cross_entropy_grad(Z, Y, reduction="sum"), softmax(Z) - Y, atol=1e-15)
        np.testing.assert_allclose(cross_entropy_grad(Z, LABELS), (softmax(Z) - one_hot(LABELS, 4)) / 5, atol=1e-16)

    def test_weighs_the_prediction_where_the_target_does_not_sum_to_one(self):
        y = np.array([[2.0, 1.0, 0.0, 0.0]])
        np.testing.assert_allclose(cross_entropy_grad(Z[:1], y), 3 * softmax(Z[:1]) - y, atol=1e-15)

    @given(scores(shape=st.just((3, 4)), bound=1e4))
    def test_sums_to_zero(self, z):
        np.testing.assert_allclose(cross_entropy_grad(z, [0, 1, 2]).sum(axis=-1), 0, atol=1e-15)


class TestAxis:
    """Any axis, any memory layout: the same as moving the classes to the last axis by hand."""

    z = np.random.default_rng(5).normal(0, 3, (3, 4, 5))
    layouts = {
        "rows": lambda z: z,
        "columns": np.asfortranarray,
        "strided": lambda z: np.repeat(z, 2, axis=-1)[..., ::2],
        "reversed": lambda z: z[::-1, :, ::-1].copy()[::-1, :, ::-1],
    }

    @pytest.mark.parametrize("layout", layouts.values(), ids=layouts)
    @pytest.mark.parametrize("kind", ["classes", "probabilities"])
    @pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3, np.int64(1)], ids=repr)
    def test_every_axis(self, axis, kind, layout):
        moved = np.moveaxis(self.z, axis, -1)
        if kind == "classes":
            target = moved_target = moved.argmin(axis=-1)
        else:
            target, moved_target = softmax(-self.z, axis=axis), softmax(-moved)
        z, target = layout(self.z), layout(target) if target.ndim == 3 else target
        losses = cross_entropy(z, target, axis=axis, reduction="none")
        np.testing.assert_allclose(losses, cross_entropy(moved, moved_target, reduction="none"), rtol=1e-14)
        dz = cross_entropy_grad(z, target, axis=axis)
        expected = np.moveaxis(cross_entropy_grad(moved, moved_target), -1, axis)
        np.testing.assert_allclose(dz, expected, rtol=1e-13, atol=1e-17)


class TestTypes:
    """The type of the logits stays, inputs stay as they are."""

    @pytest.mark.parametrize(
        "target", [LABELS, LABELS.astype(np.uint8), Y, Y.astype(np.float16)], ids=lambda t: t.dtype
    )
    @pytest.mark.parametrize("dtype", FLOATS)
    def test_float_types_stay(self, dtype, target):
        loss, dz = cross_entropy_and_grad(Z.astype(dtype), target, weight=[1.0, 2.0, 3.0, 4.0])
        assert loss.dtype == dz.dtype == dtype
        assert isinstance(loss, dtype)
        assert cross_entropy(Z.astype(dtype), target, reduction="none").dtype == dtype

    def test_integer_logits_become_float64(self):
        loss, dz = cross_entropy_and_grad([[1, 0, 2]], [1])
        assert loss.dtype == dz.dtype == np.float64

    def test_float16_is_rounded_once_at_the_end(self):
        z = Z.astype(np.float16)
        loss, dz = cross_entropy_and_grad(z.astype(np.float32), LABELS)
        np.testing.assert_array_equal(cross_entropy(z, LABELS), loss.astype(np.float16))
        np.testing.assert_array_equal(cross_entropy_grad(z, LABELS), dz.astype(np.float16))

    @pytest.mark.parametrize("target", [LABELS, Y], ids=["classes", "probabilities"])
    @pytest.mark.parametrize("function", FUNCTIONS)
    def test_inputs_are_never_changed(self, function, target):
        """A read-only array makes any attempt an error."""
        z, target, weight = Z.copy(), target.copy(), np.array([1.0, 0.0, 2.0, 1.0])
        for_reading = [z, target, weight]
        for array in for_reading:
            array.flags.writeable = False
        function(z, target, weight=weight, label_smoothing=0.1)
        function(z, target)

    @pytest.mark.parametrize("z", [[[3.0]], [[1.0, 2.0]]], ids=str)
    def test_the_gradient_shares_no_memory_with_the_input(self, z):
        z = np.array(z)
        assert not np.shares_memory(cross_entropy_grad(z, [0]), z)

    def test_no_example_has_no_mean(self):
        assert np.isnan(cross_entropy(np.zeros((0, 3)), np.zeros(0, int)))
        assert cross_entropy(np.zeros((0, 3)), np.zeros(0, int), reduction="sum") == 0
        assert cross_entropy_grad(np.zeros((0, 3)), np.zeros(0, int)).shape == (0, 3)


P = special.expit(1)  # the probability of the better of two classes whose scores differ by 1


class TestExtremes:
    """Large scores, masks, infinities, NaN; never a warning, not even for callers who make them fatal."""

    @pytest.fixture(autouse=True)
    def make_floating_point_errors_fatal(self):
        with np.errstate(all="raise"):
            yield

    @pytest.mark.parametrize("size", [1e3, 1e30])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_large_scores(self, dtype, size):
        z = np.array([[size, 0], [size, 0]], dtype)
        np.testing.assert_array_equal(cross_entropy(z, [0, 1], reduction="none"), [0, z[0, 0]])
        np.testing.assert_array_equal(cross_entropy_grad(z, [0, 1], reduction="sum"), [[0, 0], [1, -1]])

    def test_a_gap_that_the_type_cannot_hold(self):
        z = np.array([[65504, -65504]], np.float16)
        assert cross_entropy(z, [1]) == inf
        np.testing.assert_array_equal(cross_entropy_grad(z, [1]), [[1, -1]])

    def test_a_confident_and_right_answer_is_not_free(self):
        np.testing.assert_allclose(cross_entropy([50.0, 0.0], 0), np.exp(-50), rtol=1e-15)

    def test_certainty_costs_nothing_and_has_no_sign(self):
        assert not np.signbit(cross_entropy([[800.0, 0.0], [5.0, -inf]], [0, 0], reduction="none")).any()

    near, far = np.log1p(np.exp(-1)), np.log1p(np.exp(1))  # losses of the better and the worse of two classes

    @pytest.mark.parametrize(
        ("target", "options", "loss", "gradient"),
        [
            (0, {}, far, [-P, 0, P]),
            (1, {}, inf, [1 - P, -1, P]),
            ([0.5, 0, 0.5], {}, (near + far) / 2, [0.5 - P, 0, P - 0.5]),
            (0, {"label_smoothing": 0.3}, inf, [0.2 - P, -0.1, P - 0.1]),
            (1, {"label_smoothing": 1}, inf, [2 / 3 - P, -1 / 3, P - 1 / 3]),
            (
                0,
                {"label_smoothing": 0.3, "weight": [1, 0, 1]},
                0.8 * far + 0.1 * near,
                [0.1 - 0.9 * P, 0, 0.9 * P - 0.1],
            ),
            (1, {"weight": [1, 0, 1], "reduction": "sum"}, 0, [0, 0, 0]),
        ],
        ids=["other", "truth", "probabilities", "smoothing", "all smoothing", "smoothing without it", "weight 0"],
    )
    def test_a_masked_class(self, target, options, loss, gradient):
        """Where it counts the loss is infinite, and the gradient finite; elsewhere it adds nothing."""
        z = [1.0, -inf, 2.0]
        np.testing.assert_allclose(cross_entropy(z, target, **options), loss, rtol=1e-14)
        np.testing.assert_allclose(cross_entropy_grad(z, target, **options), gradient, atol=1e-15)

    @pytest.mark.parametrize("row", [[nan, 0.0], [-inf, -inf], [nan, nan], [inf, inf]], ids=str)
    def test_what_are_no_scores_spoils_its_own_example_only(self, row):
        z = [[1.0, 2.0], row]
        np.testing.assert_array_equal(np.isnan(cross_entropy(z, [0, 0], reduction="none")), [False, True])
        np.testing.assert_array_equal(np.isnan(cross_entropy_grad(z, [0, 0])), [[False] * 2, [True] * 2])

    def test_one_class_is_always_right_unless_it_is_nan(self):
        np.testing.assert_array_equal(cross_entropy([[3.0], [nan]], [0, 0], reduction="none"), [0, nan])
        np.testing.assert_array_equal(cross_entropy_grad([[3.0], [nan]], [0, 0]), [[0], [nan]])

    def test_an_infinite_score_is_sure(self):
        np.testing.assert_array_equal(cross_entropy([[inf, 0.0]] * 2, [0, 1], reduction="none"), [0, inf])
        np.testing.assert_array_equal(cross_entropy_grad([[inf, 0.0]] * 2, [0, 1], reduction="sum"), [[0, 0], [1, -1]])

    @pytest.mark.parametrize("smoothing", [0.0, 0.1])
    def test_ignored_examples_do_not_count_whatever_they_hold(self, smoothing):
        z, labels = np.array([[1.0, 2.0], [nan, inf], [0.5, -1.0]]), np.array([0, -100, 1])
        options = {"label_smoothing": smoothing, "weight": [2.0, 3.0]}
        loss, dz = cross_entropy_and_grad(z, labels, ignore_index=-100, **options)
        kept_loss, kept_dz = cross_entropy_and_grad(z[[0, 2]], labels[[0, 2]], **options)
        assert loss == kept_loss
        np.testing.assert_array_equal(dz, [kept_dz[0], [0, 0], kept_dz[1]])
        assert cross_entropy(z, labels, ignore_index=-100, reduction="none")[1] == 0

    @pytest.mark.parametrize("weight", [None, [1.0, 2.0]], ids=str)
    @pytest.mark.parametrize("smoothing", [0.0, 0.1])
    def test_a_mean_over_none_is_nan_with_gradient_zero(self, smoothing, weight):
        loss, dz = cross_entropy_and_grad([[1.0, 2.0]], [7], ignore_index=7, label_smoothing=smoothing, weight=weight)
        assert np.isnan(loss)
        np.testing.assert_array_equal(dz, [[0, 0]])

    def test_an_ignored_class_may_be_a_real_one(self):
        assert cross_entropy(Z, LABELS, ignore_index=0) == cross_entropy(Z[LABELS != 0], LABELS[LABELS != 0])


class TestOnnx:
    """SoftmaxCrossEntropyLoss, from the operator's definition: scores (N, C, ...), log_prob as a second output."""

    scores = np.random.default_rng(6).normal(0, 2, (3, 5, 2))
    labels = np.array([[0, 4], [2, 2], [-1, 3]])
    weights = np.array([0.9, 0.7, 0.8, 0.1, 1.3])

    def operator(self, *, weights, ignore_index, reduction):
        """-log_prob at the label times its weight; 0 where ignored; the mean divides by the weights."""
        log_prob = np.log(np.exp(self.scores) / np.exp(self.scores).sum(axis=1, keepdims=True))
        losses, total = np.zeros(self.labels.shape), 0.0
        for n, d in np.ndindex(self.labels.shape):
            if self.labels[n, d] != ignore_index:
                weight = 1.0 if weights is None else weights[self.labels[n, d]]
                losses[n, d] = -log_prob[n, self.labels[n, d], d] * weight
                total += weight
        return {"none": losses, "sum": losses.sum(), "mean": losses.sum() / total}[reduction]

    @pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
    @pytest.mark.parametrize("weights", [None, weights], ids=["equal", "weights"])
    def test_softmax_cross_entropy_loss(self, weights, reduction):
        loss = cross_entropy(self.scores, self.labels, axis=1, weight=weights, ignore_index=-1, reduction=reduction)
        expected = self.operator(weights=weights, ignore_index=-1, reduction=reduction)
        np.testing.assert_allclose(loss, expected, rtol=1e-13)

    def test_softmax_and_log_softmax(self):
        exponentials = np.exp(self.scores - self.scores.max(axis=1, keepdims=True))
        expected = exponentials / exponentials.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(softmax(self.scores, axis=1), expected, rtol=1e-14)
        np.testing.assert_allclose(log_softmax(self.scores, axis=1), np.log(expected), rtol=1e-13)


class TestWrongArguments:
    """Each message names the argument, what it is, and what was expected."""

    wrong = [
        ("logits", [["a"]], TypeError, "logits holds <U1, expected float16, float32, float64 or integers"),
        ("logits", [[1j]], TypeError, "logits holds complex128, expected float16, float32, float64 or integers"),
        ("logits", [[1], [1, 2]], ValueError, "logits is [[1], [1, 2]], expected a number or a rectangular array"),
        ("logits", 1.0, ValueError, "axis is -1, expected axes of an array that has 0"),
        (
            "logits",
            np.zeros((2, 0)),
            ValueError,
            "logits has the shape (2, 0), expected at least one class along axis 1",
        ),
        ("target", [0, 3], ValueError, "target holds 3 at index (1,), expected 0 to 2"),
        ("target", [-1, 0], ValueError, "target holds -1 at index (0,), expected 0 to 2"),
        ("target", [0.0, 1.0], TypeError, "target holds float64, expected integers"),
        ("target", [True, False], TypeError, "target holds bool, expected integers"),
        ("target", ["a", "b"], TypeError, "target holds <U1, expected float16, float32, float64 or integers"),
        ("target", 0, ValueError, "target has the shape (), expected (2,) of classes or (2, 3) of probabilities"),
        ("target", [[0], [1]], ValueError, "target has the shape (2, 1), expected (2,) of classes or (2, 3)"),
        ("target", [[1, 0, 0], [0.5, -0.5, 1]], ValueError, "target holds -0.5, expected finite probabilities"),
        ("target", [[1, 0, 0], [0.5, nan, 1]], ValueError, "target holds nan, expected finite probabilities"),
        ("target", [[1, 0, 0], [0.5, inf, 1]], ValueError, "target holds inf, expected finite probabilities"),
        ("axis", 2, ValueError, "axis is 2, expected axes of an array that has 2"),
        ("axis", (0,), TypeError, "axis is (0,), expected an int"),
        ("axis", None, TypeError, "axis is None, expected an int"),
        ("axis", True, TypeError, "axis is True, expected an int"),
        ("weight", [1, 2], ValueError, "weight has the shape (2,), expected (3,), one for each class"),
        ("weight", 1.0, ValueError, "weight has the shape (), expected (3,), one for each class"),
        ("weight", [1, 2, -3], ValueError, "weight holds -3.0, expected finite numbers that are not negative"),
        ("weight", [1, 2, nan], ValueError, "weight holds nan, expected finite numbers that are not negative"),
        ("weight", [1, 2, inf], ValueError, "weight holds inf, expected finite numbers that are not negative"),
        ("weight", ["1", "2", "3"], TypeError, "weight holds <U1, expected float16, float32, float64 or integers"),
        ("ignore_index", 1.0, TypeError, "ignore_index is 1.0, expected None or an int"),
        ("ignore_index", True, TypeError, "ignore_index is True, expected None or an int"),
        ("label_smoothing", -0.1, ValueError, "label_smoothing is -0.1, expected a number from 0 to 1"),
        ("label_smoothing", 1.1, ValueError, "label_smoothing is 1.1, expected a number from 0 to 1"),
        ("label_smoothing", nan, ValueError, "label_smoothing is nan, expected a number from 0 to 1"),
        ("label_smoothing", True, TypeError, "label_smoothing is True, expected a number"),
        ("label_smoothing", "0.1", TypeError, "label_smoothing is '0.1', expected a number"),
        ("reduction", "average", ValueError, "reduction is 'average', expected one of 'mean', 'sum'"),
        ("reduction", None, TypeError, "reduction is None, expected a string"),
    ]

    @pytest.mark.parametrize(("name", "value", "error", "message"), wrong, ids=lambda value: str(value)[:30])
    @pytest.mark.parametrize("function", FUNCTIONS)
    def test_each_argument(self, function, name, value, error, message):
        arguments = {"logits": np.zeros((2, 3)), "target": [0, 1], name: value}
        with pytest.raises(error) as caught:
            function(arguments.pop("logits"), arguments.pop("target"), **arguments)
        assert str(caught.value).startswith(message)

    @pytest.mark.parametrize("function", FUNCTIONS)
    def test_ignoring_needs_classes(self, function):
        with pytest.raises(ValueError, match="ignore_index is 0, expected None where the target holds probabilities"):
            function([[1.0, 2.0]], [[0.5, 0.5]], ignore_index=0)

    @pytest.mark.parametrize("function", FUNCTIONS)
    def test_labels_out_of_range_are_told_what_would_be_ignored(self, function):
        with pytest.raises(
            ValueError, match=r"target holds -100 at index \(0,\), expected 0 to 1, or -1 to be ignored"
        ):
            function([[1.0, 2.0]], [-100], ignore_index=-1)

    @pytest.mark.parametrize("function", [cross_entropy_grad, cross_entropy_and_grad])
    def test_losses_that_stay_apart_have_no_single_gradient(self, function):
        with pytest.raises(ValueError, match="reduction is 'none', expected one of 'mean', 'sum'"):
            function([[1.0, 2.0]], [0], reduction="none")

    @pytest.mark.parametrize("function", FUNCTIONS)
    def test_options_are_keyword_only(self, function):
        with pytest.raises(TypeError, match="positional"):
            function([[1.0]], [0], -1)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.1}, {"weight": np.arange(250.0)}], ids=list)
@pytest.mark.parametrize("kind", ["classes", "probabilities", "ignored"])
def test_a_call_needs_at_most_three_arrays_of_the_size_of_the_input(kind, options, axis, function):
    z = np.random.default_rng(7).standard_normal((250, 250))
    target = softmax(z, axis=axis) if kind == "probabilities" else z.argmin(axis=axis)
    if kind == "ignored":
        options = {**options, "ignore_index": 3}
    function(z, target, axis=axis, **options)
    tracemalloc.start()
    try:
        result = function(z, target, axis=axis, **options)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    gradient = z.nbytes if function is not cross_entropy else 0
    assert result is not None
    assert (peak - gradient) / z.nbytes < 3.2
