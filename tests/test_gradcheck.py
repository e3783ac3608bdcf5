"""The gradient check accepts right gradients and refuses wrong ones."""

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import scores

from lossprimer.gradcheck import gradient_error, layer_gradient_error, numerical_gradient
from lossprimer.probability import log_softmax, logsumexp, softmax, softmax_backward

RIGHT = 1e-7
Z = np.random.default_rng(0).standard_normal((3, 4))
DY = np.random.default_rng(1).standard_normal((3, 4))


def rng():
    """The same upstream gradients for every test."""
    return np.random.default_rng(2)


class TestNumericalGradient:
    """Central differences of a function with one output."""

    @pytest.mark.parametrize(
        ("f", "expected"),
        [
            (lambda z: (z**3).sum(), 3 * Z**2),
            (lambda z: (z * DY).sum(), DY),
            (lambda z: float(z[1, 2]), np.eye(3, 4, k=1) * np.eye(3)[1][:, None]),
            (lambda z: logsumexp(z, axis=(0, 1)), softmax(Z, axis=(0, 1))),
            (lambda z: -log_softmax(z)[:, 0].sum(), softmax(Z) - np.eye(4)[0]),
        ],
        ids=["cubes", "linear", "one entry", "logsumexp", "cross-entropy"],
    )
    def test_known_gradients(self, f, expected):
        np.testing.assert_allclose(numerical_gradient(f, Z), expected, atol=1e-9)

    @pytest.mark.parametrize("size", [0.0, 1e-8, 1.0, 1e8, 1e30])
    def test_the_step_fits_the_size_of_the_entry(self, size):
        np.testing.assert_allclose(numerical_gradient(lambda x: (x * x)[0], [size]), [2 * size], rtol=1e-8, atol=1e-9)

    @pytest.mark.parametrize("x", [3, [1, 2], np.float32([1, 2]), np.zeros((2, 0))], ids=str)
    def test_shape_and_type(self, x):
        gradient = numerical_gradient(np.sum, x)
        assert gradient.dtype == np.float64
        np.testing.assert_array_equal(gradient.round(9), np.ones(np.shape(x)))

    def test_the_input_is_never_changed(self):
        x = Z.copy()
        x.flags.writeable = False
        numerical_gradient(np.sum, x)

    def test_numbers_only(self):
        with pytest.raises(TypeError, match="x holds <U1, expected"):
            numerical_gradient(np.sum, ["a"])

    @pytest.mark.parametrize(
        ("call", "error", "message"),
        [
            (lambda: numerical_gradient(3, Z), TypeError, "f is 3, expected a function"),
            (lambda: numerical_gradient(np.exp, Z), ValueError, "what f returned has the shape .*, expected a single"),
            (lambda: numerical_gradient(str, Z), TypeError, "what f returned holds <U.*, expected float16"),
            (lambda: gradient_error("exp", np.exp, Z, rng=rng()), TypeError, "forward is 'exp', expected a function"),
            (lambda: gradient_error(np.exp, None, Z, rng=rng()), TypeError, "backward is None, expected a function"),
            (lambda: layer_gradient_error(np.exp, Z, rng=rng()), TypeError, "layer is <ufunc.*, expected one with"),
        ],
    )
    def test_a_wrong_argument_is_named(self, call, error, message):
        with pytest.raises(error, match=f"^{message}"):
            call()

    def test_a_number_of_any_real_type(self):
        slopes = numerical_gradient(lambda x: np.longdouble(x.sum()), Z)
        np.testing.assert_allclose(slopes, 1, rtol=1e-9)


class TestRightBackwards:
    """Errors of a right backward are those of the differences."""

    @pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
    @pytest.mark.parametrize("axis", [0, 1, (0, 1)])
    def test_softmax(self, axis, temperature):
        options = {"axis": axis, "temperature": temperature}
        p = softmax(Z, **options)
        error = gradient_error(
            lambda z: softmax(z, **options), lambda dy: softmax_backward(dy, p, **options), Z, rng=rng()
        )
        assert error < RIGHT

    @given(scores(bound=3, shape=st.tuples(st.integers(1, 3), st.integers(2, 5))))
    def test_softmax_of_any_scores(self, z):
        assert gradient_error(softmax, lambda dy: softmax_backward(dy, softmax(z)), z, rng=rng()) < RIGHT

    def test_of_another_shape_than_the_input(self):
        assert gradient_error(lambda z: z @ z.T, lambda dy: (dy + dy.T) @ Z, Z, rng=rng()) < RIGHT

    def test_of_one_number(self):
        assert gradient_error(logsumexp, lambda dy: dy * softmax(Z[0]), Z[0], rng=rng()) < RIGHT

    def test_of_a_constant(self):
        assert gradient_error(np.ones_like, np.zeros_like, Z, rng=rng()) == 0

    def test_of_nothing(self):
        assert gradient_error(np.exp, np.zeros_like, np.zeros((0, 3)), rng=rng()) == 0


WRONG = {
    "all zero": np.zeros_like,
    "without the sum": lambda dy: softmax(Z) * dy,
    "without the shares": lambda dy: dy - (dy * softmax(Z)).sum(axis=-1, keepdims=True),
    "other axis": lambda dy: softmax_backward(dy, softmax(Z), axis=0),
    "wrong sign": lambda dy: -softmax_backward(dy, softmax(Z)),
    "twice": lambda dy: 2 * softmax_backward(dy, softmax(Z)),
    "a temperature off by a thousandth": lambda dy: softmax_backward(dy, softmax(Z), temperature=1.001),
    "the elementwise derivative": lambda dy: dy * softmax(Z) * (1 - softmax(Z)),
    "one entry wrong": lambda dy: softmax_backward(dy, softmax(Z)) + 1e-4 * (np.arange(12) == 7).reshape(3, 4),
}


class TestWrongBackwards:
    """Each is refused with room to spare."""

    @pytest.mark.parametrize("backward", WRONG.values(), ids=WRONG)
    def test_of_softmax(self, backward):
        assert gradient_error(softmax, backward, Z, rng=rng()) > 1e-4

    def test_zeros_are_off_by_all_there_is(self):
        assert gradient_error(softmax, np.zeros_like, Z, rng=rng()) == 1

    def test_the_plain_sum_would_accept_zeros(self):
        """Why the upstream gradient is random."""
        assert np.abs(numerical_gradient(lambda z: softmax(z).sum(), Z)).max() < 1e-9

    def test_nan_is_never_below_a_bound(self):
        assert not gradient_error(softmax, lambda dy: dy * np.nan, Z, rng=rng()) < 1

    def test_another_shape_is_said(self):
        with pytest.raises(ValueError, match=r"\(4,\).*\(3, 4\)"):
            gradient_error(softmax, lambda dy: dy.sum(axis=0), Z, rng=rng())

    @pytest.mark.parametrize("generator", [None, 0, np.random], ids=["None", "0", "np.random"])
    def test_a_generator_is_needed(self, generator):
        with pytest.raises(TypeError, match="^rng is .* expected a numpy.random.Generator"):
            gradient_error(softmax, np.zeros_like, Z, rng=generator)


class Affine:
    """Multiplies by gamma, adds beta; counts its calls, as a running statistic would."""

    def __init__(self):
        self.gamma, self.beta = np.array([2.0, -3.0, 0.5, 1.0]), np.zeros(4)
        self.calls = 0

    def __call__(self, x):
        self.x, self.calls = x, self.calls + 1
        return self.gamma * x + self.beta

    def backward(self, dy):
        self.dgamma, self.dbeta = (dy * self.x).sum(axis=0), dy.sum(axis=0)
        return dy * self.gamma

    def parameters(self):
        return {"gamma": self.gamma, "beta": self.beta}

    def gradients(self):
        return {"gamma": self.dgamma, "beta": self.dbeta}


class Noise(Affine):
    """Multiplies by a mask that it draws anew each time."""

    def __init__(self, rng):
        super().__init__()
        self.rng = rng

    def __call__(self, x):
        self.mask = self.rng.random(x.shape) < 0.5
        return super().__call__(x * self.mask)

    def backward(self, dy):
        return super().backward(dy) * self.mask


class ForgetsBeta(Affine):
    def gradients(self):
        return {"gamma": self.dgamma}


class KeepsBetaAtZero(Affine):
    def gradients(self):
        return {"gamma": self.dgamma, "beta": np.zeros_like(self.dbeta)}


class HalvesGamma(Affine):
    def gradients(self):
        return {"gamma": self.dgamma / 2, "beta": self.dbeta}


class SumsTooLittle(Affine):
    def gradients(self):
        return {"gamma": self.dgamma[None], "beta": self.dbeta}


class ReturnsDy(Affine):
    def backward(self, dy):
        super().backward(dy)
        return dy


class TestLayers:
    """The input and all parameters at once."""

    def test_a_right_layer(self):
        assert layer_gradient_error(Affine(), Z, rng=rng()) < RIGHT

    @pytest.mark.parametrize(
        "layer", [KeepsBetaAtZero(), HalvesGamma(), ReturnsDy()], ids=lambda layer: type(layer).__name__
    )
    def test_a_wrong_layer(self, layer):
        assert layer_gradient_error(layer, Z, rng=rng()) > 0.1

    def test_a_layer_that_draws_gets_the_same_draw_each_time(self):
        """Even from the generator that the check draws from."""
        shared = rng()
        assert layer_gradient_error(Noise(shared), Z, rng=shared) < RIGHT

    def test_the_layer_stays_as_it_is(self):
        layer = Affine()
        before = copy.deepcopy(vars(layer))
        layer_gradient_error(layer, Z, rng=rng())
        assert vars(layer).keys() == before.keys()
        assert layer.calls == 0
        np.testing.assert_array_equal(layer.gamma, before["gamma"])

    @pytest.mark.parametrize("layer", [ForgetsBeta(), SumsTooLittle()], ids=lambda layer: type(layer).__name__)
    def test_missing_gradients_and_wrong_shapes_are_said(self, layer):
        with pytest.raises(ValueError, match=r"^the gradients have the shapes .*, expected .*'beta': \(4,\)"):
            layer_gradient_error(layer, Z, rng=rng())
