"""Do the normalizers keep their promises: in value and gradient, at the extremes, and to a wrong argument?"""

import copy
import pickle

import mpmath
import numpy as np
import pytest
from hypothesis import given
from recorded import recorded
from strategies import FLOATS, scores

from lossprimer.gradcheck import gradient_error, layer_gradient_error
from lossprimer.normalization import BatchNorm, LayerNorm, RMSNorm, normalize, normalize_backward

EPS = {dtype: float(np.finfo(dtype).eps) for dtype in FLOATS}
X = np.random.default_rng(0).normal(2, 3, (4, 3, 5))
DY = np.random.default_rng(1).normal(0, 1, (4, 3, 5))
MATRIX = np.array([[2, -1.5, 0.5, 3], [0.5, 1, 2.5, -0.5], [-1, 3, 1, 1.5], [1.5, -0.5, -1, 2]])
AXES = [0, 1, 2, -1, (0,), (0, 2), (1, 2), (-1, 0), (0, 1, 2), np.int64(1)]
LAYERS = {
    "BatchNorm": lambda: BatchNorm(3),
    "LayerNorm": lambda: LayerNorm(5),
    "LayerNorm, two axes": lambda: LayerNorm((3, 5)),
    "RMSNorm": lambda: RMSNorm(5),
    "RMSNorm, two axes": lambda: RMSNorm((3, 5)),
}
layers = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)


def rng():
    """The same upstream gradients for every test."""
    return np.random.default_rng(2)


def with_parameters(layer):
    """The layer, its parameters no longer 1 and 0."""
    for parameter in layer.parameters().values():
        parameter[...] = np.random.default_rng(3).normal(0.5, 1, parameter.shape)
    return layer


class TestNormalize:
    """The function of an array."""

    @pytest.mark.parametrize("eps", [0, 1e-5, 0.5])
    @pytest.mark.parametrize("axis", AXES, ids=repr)
    def test_is_the_formula(self, axis, eps):
        expected = (X - X.mean(axis=axis, keepdims=True)) / np.sqrt(X.var(axis=axis, keepdims=True) + eps)
        np.testing.assert_allclose(normalize(X, axis=axis, eps=eps), expected, rtol=1e-13, atol=1e-15)

    @given(scores(bound=1e3))
    def test_beside_scipy_and_the_formula_in_extended_precision(self, x):
        from scipy import stats  # a third of a second, which the other processes do not wait for

        x = x + np.arange(x.size).reshape(x.shape)  # not all equal, unless it is one
        wide = x.astype(np.longdouble)
        for axis in (0, -1):
            if x.shape[axis] > 1 and x.std(axis=axis).min() > 1e-3:
                formula = (wide - wide.mean(axis, keepdims=True)) / wide.std(axis, keepdims=True)
                for expected in (stats.zscore(x, axis=axis), formula):
                    np.testing.assert_allclose(normalize(x, axis=axis, eps=0), expected, rtol=1e-9, atol=1e-12)

    @pytest.mark.parametrize("dtype", FLOATS)
    @pytest.mark.parametrize("x", [[1.0, 2.5, -3.0], [100.25, 100.5, 101.0, 99.75], [1e-3, 2e-3, 4e-3]], ids=str)
    def test_to_many_digits(self, x, dtype):
        x = np.array(x, dtype)
        with mpmath.workdps(60):
            exact = [mpmath.mpf(float(value)) for value in x]
            mean = mpmath.fsum(exact) / len(exact)
            var = mpmath.fsum((value - mean) ** 2 for value in exact) / len(exact)
            expected = [float((value - mean) / mpmath.sqrt(var + mpmath.mpf(1e-5))) for value in exact]
        # The mean is known to a few units in its last place, in float32 at least.
        lost = float(np.abs(x).max() / np.ptp(x)) * min(EPS[dtype], EPS[np.float32])
        np.testing.assert_allclose(normalize(x, axis=0), expected, rtol=2 * EPS[dtype] + lost, atol=lost)

    @pytest.mark.parametrize(
        ("axis", "expected"),
        [
            (0, [[1.091, -1.180, -0.200, 1.177], [-0.218, 0.295, 1.400, -1.569]]),
            (1, [[0.590, -1.474, -0.295, 1.180], [-0.346, 0.115, 1.501, -1.270]]),
        ],
    )
    def test_of_the_source_page(self, axis, expected):
        np.testing.assert_allclose(normalize(MATRIX, axis=axis)[:2], expected, atol=6e-4)

    @pytest.mark.parametrize("axis", AXES, ids=repr)
    def test_mean_and_variance_that_come_out(self, axis):
        """The variance is var / (var + eps), a little below 1, and much below for a small one."""
        x, eps = X / 1000, 1e-5
        y, var = normalize(x, axis=axis, eps=eps), x.var(axis=axis)
        np.testing.assert_allclose(y.mean(axis=axis), 0, atol=1e-15)
        np.testing.assert_allclose(y.var(axis=axis), var / (var + eps), rtol=1e-12)

    def test_no_entry_is_further_than_the_root_of_the_others(self):
        spike = np.array([1e9, *np.zeros(16)])
        np.testing.assert_allclose(normalize(spike, axis=0)[0], np.sqrt(16), rtol=1e-12)

    @pytest.mark.parametrize("axis", AXES, ids=repr)
    @pytest.mark.parametrize("eps", [1e-5, 0.5])
    def test_gradient(self, eps, axis):
        error = gradient_error(
            lambda x: normalize(x, axis=axis, eps=eps),
            lambda dy: normalize_backward(dy, X, axis=axis, eps=eps),
            X,
            rng=rng(),
        )
        assert error < 1e-7

    def test_the_gradient_of_a_constant_slice(self):
        """Divided by the root of eps, and nothing for what all have in common."""
        dx = normalize_backward([3.0, 0.0, 0.0], [7.0, 7.0, 7.0], axis=0, eps=0.25)
        np.testing.assert_allclose(dx, [4, -2, -2], rtol=1e-15)

    @pytest.mark.parametrize("shape", [(0, 5), (2, 0, 3)], ids=str)
    def test_no_slices_give_an_empty_result(self, shape):
        assert normalize(np.zeros(shape), axis=-1).shape == shape


class TestTheCheck:
    """A backward that returns zeros is refused; the plain sum of the output would accept it."""

    class Frozen(BatchNorm):
        """Passes nothing back."""

        def backward(self, dy):
            super().backward(dy)
            return np.zeros_like(dy)

    class FrozenLayerNorm(LayerNorm):
        """Passes nothing back."""

        def backward(self, dy):
            super().backward(dy)
            return np.zeros_like(dy)

    @pytest.mark.parametrize(
        ("layer", "x"), [(Frozen(3), X / 50), (FrozenLayerNorm(5), X / 50)], ids=["batch", "layer"]
    )
    def test_zeros_are_refused(self, layer, x):
        assert layer_gradient_error(layer, x, rng=rng()) > 0.1

    @pytest.mark.parametrize("axis", [0, -1])
    def test_zeros_are_off_by_all_there_is(self, axis):
        assert gradient_error(lambda x: normalize(x, axis=axis), np.zeros_like, X, rng=rng()) == 1
        np.testing.assert_allclose(normalize_backward(np.ones_like(X), X, axis=axis), 0, atol=1e-15)


class TestBesidePyTorch:
    """The recorded values.

    PyTorch subtracts the mean after the division, so that of 1e8 +- 1 its own error is 1e8 units in the last place.
    Gradients are divided by a root that can be as small as that of eps.
    """

    def close(self, x, *, times=1):
        """Tolerances for values of about 1 that come from `x`."""
        unit = EPS[x.dtype.type] * times
        return {"rtol": 32 * unit, "atol": 32 * unit * max(1, np.abs(x).max() / 4)}

    @pytest.mark.parametrize(("options", "arrays"), recorded("BatchNorm"))
    def test_two_batches_of_training_and_one_of_use(self, options, arrays):
        layer = BatchNorm(3, **options)
        layer.gamma[:], layer.beta[:] = [0.5, -1.0, 2.0], [0.0, 3.0, -0.25]
        ys, dxs, dgammas, dbetas = [], [], [], []
        for x, dy, training in zip(arrays["x"], arrays["dy"], [True, True, False], strict=True):
            layer.training = training
            ys.append(layer(x))
            dxs.append(layer.backward(dy))
            dgammas.append(layer.gradients()["gamma"])
            dbetas.append(layer.gradients()["beta"])
        x = arrays["x"]
        np.testing.assert_allclose(ys, arrays["y"], **self.close(x))
        np.testing.assert_allclose([layer.running_mean, layer.running_var], arrays["running"], **self.close(x))
        np.testing.assert_allclose(dxs, arrays["dx"], **self.close(x, times=16))
        np.testing.assert_allclose(dgammas, arrays["dgamma"], **self.close(x, times=16))
        np.testing.assert_allclose(dbetas, arrays["dbeta"], **self.close(x))

    @pytest.mark.parametrize(
        ("layer", "options", "arrays"),
        [
            pytest.param(layer, *case.values, id=f"{layer.__name__} {case.id}")
            for layer in (LayerNorm, RMSNorm)
            for case in recorded(layer.__name__)
        ],
    )
    def test_row_norms(self, layer, options, arrays):
        layer = layer(tuple(options["normalized_shape"]), eps=options["eps"])
        for name, parameter in layer.parameters().items():
            parameter[...] = arrays[name]
        x, expected = arrays["x"], [arrays[f"d{name}"] for name in layer.parameters()]
        np.testing.assert_allclose(layer(x), arrays["y"], **self.close(x))
        np.testing.assert_allclose(layer.backward(arrays["dy"]), arrays["dx"], **self.close(x, times=16))
        np.testing.assert_allclose(list(layer.gradients().values()), expected, **self.close(x, times=16))

    @pytest.mark.parametrize(("_", "arrays"), recorded("InstanceNorm"))
    def test_instance_norm_is_normalize_over_the_places(self, _, arrays):
        np.testing.assert_allclose(normalize(arrays["x"], axis=(2, 3)), arrays["y"], rtol=1e-13)

    @pytest.mark.parametrize(("_", "arrays"), recorded("GroupNorm"))
    def test_group_norm_is_normalize_over_groups_of_features(self, _, arrays):
        x = arrays["x"]
        grouped = x.reshape(2, 3, 2, 3, 2)
        np.testing.assert_allclose(normalize(grouped, axis=(2, 3, 4)).reshape(x.shape), arrays["y"], rtol=1e-13)


class TestOnnx:
    """The operators' definitions, given the same options."""

    x = np.random.default_rng(4).normal(1, 2, (2, 4, 3, 2))
    scale, bias = np.array([0.5, 1.0, -2.0, 1.5]), np.array([0.1, 0.0, 3.0, -1.0])

    def per_channel(self, values):
        """One value per channel, to broadcast with `x`."""
        return values[:, None, None]

    def test_batch_normalization_in_training(self):
        """ONNX's momentum is the share of the old statistics, and it keeps the biased variance."""
        momentum, epsilon = 0.9, 1e-3
        mean, var = self.x.mean(axis=(0, 2, 3)), self.x.var(axis=(0, 2, 3))
        x_hat = (self.x - self.per_channel(mean)) / np.sqrt(self.per_channel(var) + epsilon)
        layer = BatchNorm(4, momentum=1 - momentum, eps=epsilon)
        layer.gamma[:], layer.beta[:] = self.scale, self.bias
        expected = x_hat * self.per_channel(self.scale) + self.per_channel(self.bias)
        np.testing.assert_allclose(layer(self.x), expected, rtol=1e-12)
        np.testing.assert_allclose(layer.running_mean, momentum * 0 + (1 - momentum) * mean, rtol=1e-13)
        n = self.x[:, 0].size
        biased = momentum * 1 + (layer.running_var - momentum) * (n - 1) / n
        np.testing.assert_allclose(biased, momentum * 1 + (1 - momentum) * var, rtol=1e-13)

    def test_batch_normalization_in_use(self):
        layer = BatchNorm(4, eps=1e-3).eval()
        layer.gamma[:], layer.beta[:] = self.scale, self.bias
        layer.running_mean[:], layer.running_var[:] = [1.0, 2.0, 3.0, 4.0], [0.5, 1.0, 2.0, 4.0]
        x_hat = (self.x - self.per_channel(layer.running_mean)) / np.sqrt(self.per_channel(layer.running_var) + 1e-3)
        expected = x_hat * self.per_channel(self.scale) + self.per_channel(self.bias)
        np.testing.assert_allclose(layer(self.x), expected, rtol=1e-13)

    @pytest.mark.parametrize("axis", [1, 2, 3, -1])
    def test_layer_normalization(self, axis):
        """Over the axes from `axis` on; Mean, D = X - Mean, Var = Mean(D * D), Normalized = D / Sqrt(Var + eps)."""
        axes = tuple(range(axis % 4, 4))
        d = self.x - self.x.mean(axis=axes, keepdims=True)
        expected = d / np.sqrt((d * d).mean(axis=axes, keepdims=True) + 1e-5)
        layer = LayerNorm(self.x.shape[axis:])
        np.testing.assert_allclose(layer(self.x), expected, rtol=1e-12)

    @pytest.mark.parametrize("axis", [1, -1])
    def test_rms_normalization(self, axis):
        axes = tuple(range(axis % 4, 4))
        expected = self.x / np.sqrt((self.x * self.x).mean(axis=axes, keepdims=True) + 1e-5)
        np.testing.assert_allclose(RMSNorm(self.x.shape[axis:])(self.x), expected, rtol=1e-13)

    def test_instance_normalization(self):
        mean, var = self.x.mean(axis=(2, 3), keepdims=True), self.x.var(axis=(2, 3), keepdims=True)
        expected = self.per_channel(self.scale) * (self.x - mean) / np.sqrt(var + 1e-5) + self.per_channel(self.bias)
        actual = self.per_channel(self.scale) * normalize(self.x, axis=(2, 3)) + self.per_channel(self.bias)
        np.testing.assert_allclose(actual, expected, rtol=1e-12)

    @pytest.mark.parametrize("num_groups", [1, 2, 4])
    def test_group_normalization(self, num_groups):
        grouped = self.x.reshape(2, num_groups, -1)
        mean, var = grouped.mean(axis=2, keepdims=True), grouped.var(axis=2, keepdims=True)
        np.testing.assert_allclose(normalize(grouped, axis=2), (grouped - mean) / np.sqrt(var + 1e-5), rtol=1e-12)


class TestLayers:
    """What the three layers have in common."""

    @layers
    @pytest.mark.parametrize("training", [True, False])
    def test_gradient(self, training, make):
        layer = with_parameters(make())
        layer.training = training
        assert layer_gradient_error(layer, X, rng=rng()) < 1e-7

    def test_gradient_of_a_matrix_and_of_a_pair(self):
        assert layer_gradient_error(with_parameters(BatchNorm(4)), MATRIX, rng=rng()) < 1e-7
        assert layer_gradient_error(with_parameters(BatchNorm(4, eps=0.1)), MATRIX[:2], rng=rng()) < 1e-7
        assert layer_gradient_error(with_parameters(LayerNorm(4)), MATRIX[0], rng=rng()) < 1e-7

    @layers
    def test_parameters_are_the_arrays_that_it_computes_with(self, make):
        layer = make()
        before = layer(X)
        layer.parameters()["gamma"] *= 3
        np.testing.assert_allclose(layer(X), 3 * before, rtol=1e-14)

    @layers
    def test_gradients_have_the_names_and_shapes_of_the_parameters(self, make):
        layer = make()
        layer(X)
        layer.backward(DY)
        shapes = {name: parameter.shape for name, parameter in layer.parameters().items()}
        assert {name: gradient.shape for name, gradient in layer.gradients().items()} == shapes

    @layers
    def test_starts_as_plain_normalization(self, make):
        layer = make()
        assert (layer.gamma == 1).all()
        assert not getattr(layer, "beta", np.zeros(1)).any()

    @layers
    @pytest.mark.parametrize("training", [True, False])
    @pytest.mark.parametrize("dtype", FLOATS)
    def test_float_types_stay(self, dtype, training, make):
        layer = make()
        layer.training = training
        assert layer(X.astype(dtype)).dtype == layer.backward(DY.astype(dtype)).dtype == dtype
        assert layer.gamma.dtype == np.float64

    @layers
    def test_integers_become_float64(self, make):
        x = np.arange(60).reshape(X.shape)
        np.testing.assert_array_equal(make()(x), make()(x.astype(float)))

    @layers
    def test_float16_is_rounded_once_at_the_end(self, make):
        layer = with_parameters(make())
        x, dy = X.astype(np.float16), DY.astype(np.float16)
        y, dx = layer(x.astype(np.float32)), layer.backward(dy.astype(np.float32))
        np.testing.assert_array_equal(layer(x), y.astype(np.float16))
        np.testing.assert_array_equal(layer.backward(dy), dx.astype(np.float16))

    @layers
    def test_inputs_are_never_changed(self, make):
        """A read-only array makes any attempt an error."""
        layer, x, dy = make(), X.copy(), DY.copy()
        x.flags.writeable = dy.flags.writeable = False
        layer(x)
        layer.backward(dy)
        layer.eval()(x)
        layer.backward(dy)
        normalize_backward(dy, x, axis=0)
        assert not np.shares_memory(normalize(x, axis=0), x)

    @layers
    @pytest.mark.parametrize("twin", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])
    def test_a_copy_goes_on_alike_and_on_its_own(self, twin, make):
        layer = with_parameters(make())
        layer(X)
        other = twin(layer)
        np.testing.assert_array_equal(other.backward(DY), layer.backward(DY))
        other.gamma += 1
        assert (other(X) != layer(X)).any()

    @layers
    def test_train_and_eval_return_the_layer(self, make):
        layer = make()
        assert layer.training
        assert layer.eval() is layer
        assert not layer.training
        assert layer.train() is layer
        assert layer.training

    @pytest.mark.parametrize("make", list(LAYERS.values())[1:], ids=list(LAYERS)[1:])
    def test_rows_are_the_same_in_training_and_in_use(self, make):
        layer = make()
        np.testing.assert_array_equal(layer(X), layer.eval()(X))

    @pytest.mark.parametrize("make", list(LAYERS.values())[1:], ids=list(LAYERS)[1:])
    def test_rows_do_not_depend_on_one_another(self, make):
        layer = make()
        np.testing.assert_array_equal(layer(X)[:1], layer(X[:1]))

    def test_layer_norm_is_rms_norm_of_what_is_centred(self):
        centred = X - X.mean(axis=-1, keepdims=True)
        np.testing.assert_allclose(LayerNorm(5)(X), RMSNorm(5)(centred), rtol=1e-12, atol=1e-14)

    def test_batch_norm_is_normalize_over_all_axes_but_the_features(self):
        np.testing.assert_allclose(BatchNorm(3)(X), normalize(X, axis=(0, 2)), rtol=1e-13, atol=1e-15)


class TestRunningStatistics:
    """What batch normalization remembers of the batches."""

    def test_two_batches_worked_by_hand(self):
        """Means 2 and 5; unbiased variances 2 and 18; a tenth of each new one."""
        layer = BatchNorm(1)
        layer([[1.0], [3.0]])
        assert (layer.running_mean[0], layer.running_var[0]) == pytest.approx((0.2, 0.9 + 0.2))
        layer([[2.0], [8.0]])
        assert (layer.running_mean[0], layer.running_var[0]) == pytest.approx((0.18 + 0.5, 0.99 + 1.8))

    def test_momentum_one_remembers_the_last_batch_only(self):
        layer = BatchNorm(3, momentum=1)
        layer(X * 100)
        layer(X)
        np.testing.assert_allclose(layer.running_mean, X.mean(axis=(0, 2)), rtol=1e-13)
        np.testing.assert_allclose(layer.running_var, X.var(axis=(0, 2), ddof=1), rtol=1e-13)

    def test_float16_is_averaged_in_float32(self):
        """Mean 2049, for which float16 has no number, and variance 2."""
        layer = BatchNorm(1, momentum=1)
        layer(np.array([[2048], [2050]], np.float16))
        assert (layer.running_mean[0], layer.running_var[0]) == (2049, 2)

    def test_use_changes_nothing_and_takes_one_example(self):
        layer = BatchNorm(3)
        layer(X)
        before = layer.running_mean.copy(), layer.running_var.copy()
        alone = np.stack([layer.eval()(x[None])[0] for x in X])
        np.testing.assert_array_equal(alone, layer(X))
        np.testing.assert_array_equal((layer.running_mean, layer.running_var), before)

    def test_backward_follows_the_last_call_not_the_mode(self):
        layer = BatchNorm(3)
        layer(X)
        trained = layer.backward(DY)
        np.testing.assert_array_equal(layer.eval().backward(DY), trained)
        layer(X)
        np.testing.assert_array_equal(layer.train().backward(DY), DY / np.sqrt(layer.running_var + 1e-5)[:, None])

    @pytest.mark.parametrize("shape", [(1, 3), (1, 3, 1), (1, 3, 1, 1), (0, 3)], ids=str)
    def test_a_single_value_per_feature_is_refused_in_training(self, shape):
        layer = BatchNorm(3)
        with pytest.raises(ValueError, match="x has the shape .* expected more than one value per feature in training"):
            layer(np.zeros(shape))
        assert layer.eval()(np.zeros(shape)).shape == shape

    def test_one_example_with_many_places_is_enough(self):
        np.testing.assert_allclose(BatchNorm(3)(X[:1]), normalize(X[:1], axis=(0, 2)), rtol=1e-13, atol=1e-15)

    def test_two_values_become_plus_and_minus_one(self):
        np.testing.assert_allclose(BatchNorm(2, eps=0)([[3.0, 1e6], [-8.0, 2e6]]), [[1, -1], [-1, 1]], rtol=1e-15)


class TestExtremes:
    """Large means, no spread, nothing but NaN; never a warning, not even for callers who make them fatal."""

    @pytest.fixture(autouse=True)
    def make_floating_point_errors_fatal(self):
        with np.errstate(all="raise"):
            yield

    root = np.sqrt(1.5)

    @pytest.mark.parametrize(
        ("mean", "dtype"), [(1e8, np.float64), (1e15, np.float64), (4096.0, np.float32), (256.0, np.float16)], ids=str
    )
    @pytest.mark.parametrize("repeats", [1, 7, 1000])
    def test_a_small_spread_around_a_large_mean(self, repeats, mean, dtype):
        x = np.tile(np.array([mean - 1, mean, mean + 1], dtype), repeats)
        y = normalize(x, axis=0, eps=0)
        expected = np.tile([-self.root, 0, self.root], repeats)
        np.testing.assert_allclose(y, expected, rtol=4 * EPS[dtype], atol=4 * EPS[dtype])
        np.testing.assert_allclose(LayerNorm(x.size, eps=0)(x), expected, rtol=4 * EPS[dtype], atol=4 * EPS[dtype])
        batch = BatchNorm(2, eps=0)(np.stack([x, -x], axis=1))
        np.testing.assert_allclose(batch, np.stack([y, -y], axis=1), rtol=8 * EPS[dtype], atol=8 * EPS[dtype])

    def test_the_difference_of_squares_would_leave_nothing(self):
        """Why the variance is taken from centred entries."""
        x = np.array([1e8 - 1, 1e8, 1e8 + 1])
        assert (x**2).mean() - x.mean() ** 2 != pytest.approx(2 / 3, rel=0.5)
        assert BatchNorm(1, momentum=1)(x[:, None])[2, 0] == pytest.approx(self.root, rel=1e-5)

    @pytest.mark.parametrize("dtype", FLOATS)
    @pytest.mark.parametrize("value", [0.0, 0.1, -7.0, 1000.1, 12345.678])
    @pytest.mark.parametrize("n", [1, 3, 1000])
    def test_no_spread_gives_zero(self, n, value, dtype):
        x = np.full(n, value, dtype)
        np.testing.assert_array_equal(normalize(x, axis=0), 0)
        np.testing.assert_array_equal(LayerNorm(n)(x), 0)

    @pytest.mark.parametrize("value", [0.0, 1e-30, 1e-3])
    def test_rms_norm_of_next_to_nothing_is_next_to_nothing(self, value):
        y = RMSNorm(3)(np.full((2, 3), value))
        np.testing.assert_allclose(y, value / np.sqrt(value**2 + 1e-5), rtol=1e-14)

    def test_without_eps_no_spread_is_nan_like_zero_over_zero(self):
        np.testing.assert_array_equal(normalize([[2.0, 2.0], [1.0, 2.0]], axis=1, eps=0), [[np.nan] * 2, [-1, 1]])

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_a_bad_slice_spoils_no_other(self, bad):
        y = normalize([[bad, 1.0, 2.0], [1.0, 2.0, 3.0]], axis=1)
        np.testing.assert_array_equal(np.isnan(y), [[True] * 3, [False] * 3])

    def test_float16_does_not_overflow_where_its_square_would(self):
        x = np.array([60000, -60000, 0], np.float16)
        np.testing.assert_array_equal(normalize(x, axis=0), np.array([self.root, -self.root, 0], np.float16))
        np.testing.assert_array_equal(RMSNorm(3)(x), np.array([self.root, -self.root, 0], np.float16))

    @pytest.mark.parametrize(("size", "dtype"), [(1e18, np.float32), (1e150, np.float64)], ids=str)
    def test_as_large_as_its_squares_can_be(self, size, dtype):
        x = np.array([size, -size, 0], dtype)
        np.testing.assert_allclose(normalize(x, axis=0), [self.root, -self.root, 0], rtol=4 * EPS[dtype])

    @layers
    def test_beyond_the_type_no_warning_either(self, make):
        layer = make()
        layer(X * 1e200)
        layer.backward(DY * 1e200)
        layer(X * 1e-200)
        layer.backward(DY * 1e-200)

    def test_one_feature_is_nothing_to_normalize(self):
        np.testing.assert_array_equal(LayerNorm(1)([[3.0], [-1e30]]), 0)


class TestWrongArguments:
    """Each message names the argument, what it is, and what was expected."""

    makers = {
        "normalize": lambda eps: normalize(X, axis=0, eps=eps),
        "normalize_backward": lambda eps: normalize_backward(DY, X, axis=0, eps=eps),
        "BatchNorm": lambda eps: BatchNorm(3, eps=eps),
        "LayerNorm": lambda eps: LayerNorm(3, eps=eps),
        "RMSNorm": lambda eps: RMSNorm(3, eps=eps),
    }

    @pytest.mark.parametrize(
        ("eps", "error"),
        [(-1e-5, ValueError), (np.nan, ValueError), (np.inf, ValueError), (None, TypeError), ("0", TypeError)]
        + [(False, TypeError), (1j, TypeError)],
        ids=repr,
    )
    @pytest.mark.parametrize("make", makers.values(), ids=makers)
    def test_eps(self, make, eps, error):
        with pytest.raises(error, match="^eps is .*, expected a(t least 0 and a finite)? number"):
            make(eps)

    @pytest.mark.parametrize("x", [[["a"]], [[1j]], [[None]]], ids=str)
    @pytest.mark.parametrize(
        "call",
        [
            lambda x: normalize(x, axis=0),
            lambda x: normalize_backward([[1.0]], x, axis=0),
            BatchNorm(1),
            LayerNorm(1),
            RMSNorm(1),
        ],
        ids=makers,
    )
    def test_what_is_no_number(self, call, x):
        with pytest.raises(TypeError, match="^x holds .*, expected float16, float32, float64 or integers"):
            call(x)

    @pytest.mark.parametrize("function", [normalize, lambda x, axis: normalize_backward(x, x, axis=axis)])
    @pytest.mark.parametrize(
        ("axis", "error"),
        [
            (3, ValueError),
            ((0, 0), ValueError),
            ((), ValueError),
            (None, TypeError),
            (1.0, TypeError),
            ([0], TypeError),
        ],
        ids=repr,
    )
    def test_axis(self, axis, error, function):
        with pytest.raises(error, match="^axis is "):
            function(X, axis=axis)

    def test_nothing_has_no_mean(self):
        with pytest.raises(ValueError, match=r"x has the shape \(3, 0\), expected at least one entry along axis -1"):
            normalize(np.zeros((3, 0)), axis=-1)

    def test_backward_of_another_shape(self):
        with pytest.raises(ValueError, match=r"dy has the shape \(3, 5\), expected that of x, \(4, 3, 5\)"):
            normalize_backward(DY[0], X, axis=0)
        with pytest.raises(TypeError, match="dy holds complex128"):
            normalize_backward(1j * DY, X, axis=0)

    @layers
    def test_layers_backward(self, make):
        layer = make()
        with pytest.raises(
            RuntimeError, match="backward of .*Norm has no output to go back from, call the layer first"
        ):
            layer.backward(DY)
        layer(X)
        with pytest.raises(RuntimeError, match="Norm has no gradients yet, expected a call of backward"):
            layer.gradients()
        with pytest.raises(
            ValueError, match=r"dy has the shape \(3, 5\), expected that of the last output, \(4, 3, 5\)"
        ):
            layer.backward(DY[0])
        with pytest.raises(TypeError, match="dy holds complex128"):
            layer.backward(1j * DY)

    @pytest.mark.parametrize("shape", [(), (3,), (4, 4), (3, 4)], ids=str)
    def test_batch_norm_needs_its_features_on_axis_one(self, shape):
        with pytest.raises(ValueError, match=r"x has the shape .*, expected \(N, 3\) or more axes after these"):
            BatchNorm(3)(np.zeros(shape))

    @pytest.mark.parametrize("layer", [LayerNorm((3, 5)), RMSNorm((3, 5))], ids=["LayerNorm", "RMSNorm"])
    @pytest.mark.parametrize("shape", [(), (5,), (5, 3), (4, 1, 5)], ids=str)
    def test_row_norms_need_their_last_axes(self, shape, layer):
        with pytest.raises(ValueError, match=r"x has the shape .*, expected its last axes to have the shape \(3, 5\)"):
            layer(np.zeros(shape))

    @pytest.mark.parametrize(
        ("wrong", "error"),
        [(0, ValueError), (-1, ValueError), (2.0, TypeError), (None, TypeError), (True, TypeError), ("3", TypeError)],
        ids=repr,
    )
    @pytest.mark.parametrize(
        ("make", "name"),
        [
            (BatchNorm, "num_features"),
            (LayerNorm, "normalized_shape"),
            (RMSNorm, "normalized_shape"),
            (lambda wrong: LayerNorm((3, wrong)), "normalized_shape"),
        ],
        ids=["BatchNorm", "LayerNorm", "RMSNorm", "tuple"],
    )
    def test_sizes(self, make, name, wrong, error):
        with pytest.raises(error, match=f"^{name} is .*, expected"):
            make(wrong)

    @pytest.mark.parametrize("layer", [LayerNorm, RMSNorm])
    @pytest.mark.parametrize(("shape", "error"), [((), ValueError), ([3], TypeError)], ids=repr)
    def test_normalized_shape(self, shape, error, layer):
        with pytest.raises(error, match="^normalized_shape is .*, expected"):
            layer(shape)

    @pytest.mark.parametrize(
        ("momentum", "error"),
        [(0, ValueError), (-0.1, ValueError), (1.1, ValueError), (np.nan, ValueError), (None, TypeError)],
        ids=repr,
    )
    def test_momentum(self, momentum, error):
        with pytest.raises(error, match="^momentum is .*, expected"):
            BatchNorm(3, momentum=momentum)

    def test_options_are_keyword_only(self):
        with pytest.raises(TypeError, match="positional"):
            normalize(X, 0)
        with pytest.raises(TypeError, match="positional"):
            BatchNorm(3, 0.1)
