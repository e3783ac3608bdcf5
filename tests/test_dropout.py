"""Does dropout keep its promises: in expectation, in its mask, in both modes, and to a wrong argument?"""

import copy
import pickle

import numpy as np
import pytest
from strategies import FLOATS

from lossprimer.dropout import Dropout, inverted_dropout
from lossprimer.gradcheck import layer_gradient_error

A = np.random.default_rng(0).standard_normal((40, 50))
KEEP_PROBS = [0.05, 0.5, 0.9, 1, np.float32(0.25)]


def rng(seed=1):
    """The same masks for every test."""
    return np.random.default_rng(seed)


class TestFunction:
    """What is kept, what it is scaled to, and the mask that says so."""

    @pytest.mark.parametrize("keep_prob", KEEP_PROBS)
    def test_kept_entries_are_divided_and_the_others_are_zero(self, keep_prob):
        output, mask = inverted_dropout(A, keep_prob=keep_prob, rng=rng())
        np.testing.assert_array_equal(output, np.where(mask, A / float(keep_prob), 0))
        assert mask.dtype == bool

    @pytest.mark.parametrize("keep_prob", [0.05, 0.5, 0.9])
    def test_the_kept_share_is_the_keep_probability(self, keep_prob):
        """Within 4 standard errors."""
        n = 100_000
        _, mask = inverted_dropout(np.zeros(n), keep_prob=keep_prob, rng=rng())
        assert abs(mask.mean() - keep_prob) < 4 * np.sqrt(keep_prob * (1 - keep_prob) / n)

    @pytest.mark.parametrize("keep_prob", [0.1, 0.5, 0.9])
    def test_mean_stays_and_variance_grows(self, keep_prob):
        """Over many masks of the source page's five activations: mean a, variance a^2 (1 - p) / p."""
        a = np.array([1.2, 0.7, 1.8, -0.3, 0.9])
        n = 40_000
        output, _ = inverted_dropout(np.tile(a, (n, 1)), keep_prob=keep_prob, rng=rng())
        variance = a**2 * (1 - keep_prob) / keep_prob
        np.testing.assert_array_less(np.abs(output.mean(axis=0) - a), 4 * np.sqrt(variance / n))
        np.testing.assert_allclose(output.var(axis=0), variance, rtol=0.05)

    def test_every_entry_has_its_own_luck(self):
        _, mask = inverted_dropout(np.zeros((2000, 4)), keep_prob=0.5, rng=rng())
        np.testing.assert_allclose(np.corrcoef(mask.T), np.eye(4), atol=0.1)
        assert len(np.unique(mask, axis=0)) == 16

    def test_the_generator_decides_alone(self):
        np.random.seed(0)  # noqa: NPY002
        first = inverted_dropout(A, keep_prob=0.5, rng=rng(3))
        np.random.seed(1)  # noqa: NPY002
        np.testing.assert_array_equal(first, inverted_dropout(A, keep_prob=0.5, rng=rng(3)))
        assert (first[1] != inverted_dropout(A, keep_prob=0.5, rng=rng(4))[1]).any()

    def test_keeping_everything_changes_nothing(self):
        output, mask = inverted_dropout(A, keep_prob=1.0, rng=rng())
        np.testing.assert_array_equal(output, A)
        assert mask.all()
        assert not np.shares_memory(output, A)

    @pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
    def test_dropped_is_zero_whatever_it_was(self, bad):
        with np.errstate(all="raise"):
            output, mask = inverted_dropout(np.full(100, bad), keep_prob=0.5, rng=rng())
        np.testing.assert_array_equal(output[~mask], 0)
        np.testing.assert_array_equal(output[mask], bad)

    @pytest.mark.parametrize("dtype", FLOATS)
    def test_too_large_becomes_infinite_without_a_warning(self, dtype):
        output, mask = inverted_dropout(np.full(100, np.finfo(dtype).max), keep_prob=0.5, rng=rng())
        np.testing.assert_array_equal(output, np.where(mask, np.inf, 0))

    @pytest.mark.parametrize("keep_prob", KEEP_PROBS)
    @pytest.mark.parametrize("dtype", FLOATS)
    def test_float_types_stay(self, dtype, keep_prob):
        assert inverted_dropout(A.astype(dtype), keep_prob=keep_prob, rng=rng())[0].dtype == dtype

    @pytest.mark.parametrize("a", [3, [1, 2], [[True]], np.zeros((0, 3)), 2.5], ids=str)
    def test_anything_like_an_array(self, a):
        output, mask = inverted_dropout(a, keep_prob=0.5, rng=rng())
        assert output.dtype == np.float64
        assert output.shape == mask.shape == np.shape(a)

    def test_the_input_is_never_changed(self):
        a = A.copy()
        a.flags.writeable = False
        inverted_dropout(a, keep_prob=0.5, rng=rng())
        Dropout(0.5, rng=rng())(a)


class TestLayer:
    """Random in training, the identity at inference; backward through the same mask."""

    def test_training_is_the_function(self):
        layer = Dropout(0.3, rng=rng())
        output, mask = inverted_dropout(A, keep_prob=0.3, rng=rng())
        np.testing.assert_array_equal(layer(A), output)
        np.testing.assert_array_equal(layer.backward(np.ones_like(A)), mask / 0.3)

    def test_every_call_in_training_draws_anew(self):
        layer = Dropout(rng=rng())
        assert (layer(A) != layer(A)).any()

    @pytest.mark.parametrize("layer", [Dropout(0.5).eval(), Dropout(0.5, rng=rng()).eval(), Dropout(1), Dropout(1.0)])
    def test_use_and_keeping_everything_are_the_identity_and_need_no_generator(self, layer):
        np.testing.assert_array_equal(layer(A), A)
        np.testing.assert_array_equal(layer.backward(2 * A), 2 * A)

    def test_use_draws_nothing(self):
        layer = Dropout(rng=rng())
        state = copy.deepcopy(layer.rng.bit_generator.state)
        layer.eval()(A)
        assert layer.rng.bit_generator.state == state

    def test_backward_follows_the_last_call_not_the_mode(self):
        layer = Dropout(rng=rng())
        mask = layer(np.ones_like(A)) > 0
        np.testing.assert_array_equal(layer.eval().backward(A), np.where(mask, 2 * A, 0))
        layer(A)
        np.testing.assert_array_equal(layer.train().backward(A), A)

    @pytest.mark.parametrize("keep_prob", [0.2, 0.8, 1.0])
    @pytest.mark.parametrize("training", [True, False])
    def test_gradient(self, training, keep_prob):
        layer = Dropout(keep_prob, rng=rng())
        layer.training = training
        assert layer_gradient_error(layer, A[:4, :5], rng=rng(2)) < 1e-9

    @pytest.mark.parametrize("dtype", FLOATS)
    def test_float_types_stay(self, dtype):
        layer = Dropout(rng=rng())
        assert layer(A.astype(dtype)).dtype == layer.backward(A.astype(dtype)).dtype == dtype

    def test_has_no_parameters(self):
        layer = Dropout(rng=rng())
        layer.backward(layer(A))
        assert layer.parameters() == layer.gradients() == {}

    @pytest.mark.parametrize("twin", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])
    def test_a_copy_goes_on_alike(self, twin):
        layer = Dropout(rng=rng())
        layer(A)
        other = twin(layer)
        np.testing.assert_array_equal(other.backward(A), layer.backward(A))
        np.testing.assert_array_equal(other(A), layer(A))


class TestOnnx:
    """Dropout, from the operator's definition: output = scale * data * mask, scale = 1 / (1 - ratio)."""

    @pytest.mark.parametrize("ratio", [0.0, 0.25, 0.5])
    def test_training_mode(self, ratio):
        output, mask = inverted_dropout(A, keep_prob=1 - ratio, rng=rng())
        np.testing.assert_allclose(output, 1 / (1 - ratio) * A * mask, rtol=1e-15)

    def test_inference_mode(self):
        np.testing.assert_array_equal(Dropout(0.5).eval()(A), A)


class TestWrongArguments:
    """Each message names the argument, what it is, and what was expected."""

    @pytest.mark.parametrize(
        ("keep_prob", "error", "message"),
        [
            (0, ValueError, "keep_prob is 0, expected a number greater than 0 and at most 1"),
            (-0.1, ValueError, "keep_prob is -0.1, expected a number greater than 0 and at most 1"),
            (np.nan, ValueError, "keep_prob is nan, expected a number greater than 0 and at most 1"),
            (1.1, ValueError, "keep_prob is 1.1, expected a number greater than 0 and at most 1"),
            (None, TypeError, "keep_prob is None, expected a number"),
            ("0.5", TypeError, "keep_prob is '0.5', expected a number"),
            (True, TypeError, "keep_prob is True, expected a number"),
        ],
        ids=str,
    )
    @pytest.mark.parametrize("call", [Dropout, lambda p: inverted_dropout(A, keep_prob=p, rng=rng())])
    def test_keep_prob(self, call, keep_prob, error, message):
        with pytest.raises(error) as caught:
            call(keep_prob)
        assert str(caught.value) == message

    @pytest.mark.parametrize("wrong", [0, np.random, np.random.RandomState(0)], ids=["0", "np.random", "RandomState"])
    @pytest.mark.parametrize(
        "call", [lambda rng: Dropout(rng=rng), lambda rng: inverted_dropout(A, keep_prob=0.5, rng=rng)]
    )
    def test_rng(self, call, wrong):
        with pytest.raises(TypeError, match="rng is .*, expected .*numpy.random.Generator"):
            call(wrong)

    def test_training_needs_a_generator(self):
        with pytest.raises(TypeError, match=r"rng is None, expected a numpy.random.Generator, as from"):
            Dropout()(A)

    @pytest.mark.parametrize("call", [Dropout(rng=rng()), lambda a: inverted_dropout(a, keep_prob=0.5, rng=rng())])
    @pytest.mark.parametrize("a", [[1j], ["a"], [None]], ids=str)
    def test_input(self, a, call):
        with pytest.raises(TypeError, match="^[ax] holds .*, expected float16, float32, float64 or integers"):
            call(a)

    def test_backward_before_forward(self):
        with pytest.raises(RuntimeError, match="backward of Dropout has no output to go back from, call the layer"):
            Dropout(rng=rng()).backward(A)

    @pytest.mark.parametrize("training", [True, False])
    def test_backward_of_another_shape(self, training):
        layer = Dropout(rng=rng())
        layer.training = training
        layer(A)
        with pytest.raises(ValueError, match=r"dy has the shape \(50,\), expected that of the last output, \(40, 50\)"):
            layer.backward(A[0])

    def test_options_are_keyword_only(self):
        with pytest.raises(TypeError, match="positional"):
            inverted_dropout(A, 0.5, rng())
        with pytest.raises(TypeError, match="positional"):
            Dropout(0.5, rng())
