"""Layers multiply, bend and add; optimizers follow their papers; training repeats itself by seed."""

import copy
import pickle
from functools import partial

import numpy as np
import pytest
from strategies import FLOATS

from lossprimer.data import digits
from lossprimer.dropout import Dropout
from lossprimer.gradcheck import layer_gradient_error
from lossprimer.losses import cross_entropy_and_grad
from lossprimer.network import SGD, Adam, Linear, ReLU, Residual, Sequential, fit
from lossprimer.normalization import BatchNorm, LayerNorm, RMSNorm

RIGHT = 1e-6
X = np.random.default_rng(0).standard_normal((5, 4))


def rng(seed=1):
    """The same numbers for every test."""
    return np.random.default_rng(seed)


def linear(inputs=4, outputs=4, **options):
    """A layer whose biases are not 0."""
    layer = Linear(inputs, outputs, rng=rng(inputs + outputs), **options)
    if layer.bias is not None:
        layer.bias += np.linspace(-1, 1, outputs)
    return layer


def mlp(**options):
    """A small classifier with everything in it that behaves differently in training and at inference."""
    generator = rng(**options)
    return Sequential(
        Linear(64, 16, rng=generator),
        BatchNorm(16),
        ReLU(),
        Dropout(0.9, rng=generator),
        Linear(16, 10, rng=generator, scale=1),
    )


LAYERS = {
    "linear": linear(4, 3),
    "linear without bias": linear(4, 3, bias=False),
    "relu": ReLU(),
    "residual": Residual(linear()),
    "sequential": Sequential(linear(4, 3), ReLU(), linear(3, 2)),
    "nothing": Sequential(),
    "batch norm and dropout": Sequential(linear(4, 6), BatchNorm(6), ReLU(), Dropout(0.5, rng=rng()), linear(6, 3)),
    "pre-norm block": Residual(Sequential(LayerNorm(4), linear(4, 6), ReLU(), linear(6, 4))),
    "post-norm block": Sequential(Residual(Sequential(linear(4, 6), ReLU(), linear(6, 4))), RMSNorm(4)),
}
layers = pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)


class TestLayers:
    """Forward and backward."""

    def test_linear_by_hand(self):
        layer = Linear(2, 3, rng=rng())
        layer.weight[...], layer.bias[...] = [[1, 2, 3], [4, 5, 6]], [0.5, 0, -0.5]
        np.testing.assert_array_equal(layer([[1.0, 10.0], [0.0, -1.0]]), [[41.5, 52, 62.5], [-3.5, -5, -6.5]])
        np.testing.assert_array_equal(layer.backward([[1.0, 0.0, 2.0], [0.0, 1.0, 0.0]]), [[7, 16], [2, 5]])
        np.testing.assert_array_equal(layer.gradients()["weight"], [[1, 0, 2], [10, -1, 20]])
        np.testing.assert_array_equal(layer.gradients()["bias"], [1, 1, 2])

    def test_relu_by_hand(self):
        relu = ReLU()
        np.testing.assert_array_equal(relu([-2.0, -0.0, 0.0, 3.0, np.nan]), [0, 0, 0, 3, np.nan])
        np.testing.assert_array_equal(relu.backward([1.0, 1.0, 1.0, 1.0, 1.0]), [0, 0, 0, 1, 0])

    def test_residual_adds_its_input(self):
        branch = linear()
        np.testing.assert_array_equal(Residual(branch)(X), X + branch(X))

    def test_sequential_is_one_after_the_other(self):
        first, second = linear(4, 3), linear(3, 2)
        np.testing.assert_array_equal(Sequential(first, second)(X), second(first(X)))

    @layers
    def test_gradients(self, layer):
        assert layer_gradient_error(layer, X, rng=rng()) < RIGHT

    def test_gradients_over_several_leading_axes(self):
        assert layer_gradient_error(linear(4, 3), X.reshape(5, 1, 2, 2).repeat(2, axis=-1), rng=rng()) < RIGHT

    def test_gradients_in_use(self):
        model = copy.deepcopy(LAYERS["batch norm and dropout"])
        model(X)
        assert layer_gradient_error(model.eval(), X, rng=rng()) < RIGHT

    @pytest.mark.parametrize("name", ["linear", "relu", "residual", "pre-norm block"])
    def test_the_check_refuses_a_backward_that_returns_zeros(self, name, monkeypatch):
        layer = copy.deepcopy(LAYERS[name])
        backward = type(layer).backward
        monkeypatch.setattr(type(layer), "backward", lambda self, dy: 0 * backward(self, dy))
        assert layer_gradient_error(layer, X, rng=rng()) > 1e-3

    @layers
    @pytest.mark.parametrize("dtype", FLOATS)
    def test_the_float_type_of_the_input_is_kept_both_ways(self, layer, dtype):
        y = layer(X.astype(dtype))
        assert y.dtype == layer.backward(np.ones_like(y)).dtype == dtype

    @pytest.mark.parametrize("layer", [linear(), ReLU(), Residual(linear())], ids=["linear", "relu", "residual"])
    def test_integers_become_float64(self, layer):
        assert layer(np.eye(4, dtype=int)).dtype == np.float64

    def test_float16_is_computed_in_float32(self):
        layer, x = Linear(4096, 1, rng=rng(), scale=0), np.ones((1, 4096), np.float16)
        layer.weight[...] = np.float32(1 + 2**-12)  # rounds to 1 in float16
        assert layer(x) == np.float16(4097)
        layer.weight[...] = [[60000.0], [-60000.0]] * 2048  # the sum of half of them is no float16
        assert layer(x) == 0

    @layers
    def test_inputs_are_never_changed(self, layer):
        x, dy = X.copy(), np.ones(np.shape(layer(X)))
        x.flags.writeable = dy.flags.writeable = False
        layer(x)
        layer.backward(dy)

    @pytest.mark.parametrize("scale", [1e300, np.inf, np.nan])
    @layers
    def test_overflow_warns_of_nothing(self, layer, scale):
        y = layer(X * scale)
        layer.backward(np.full_like(y, scale))

    def test_no_examples_have_no_gradient(self):
        layer = linear(4, 3)
        assert layer.backward(layer(np.zeros((0, 4)))).shape == (0, 4)
        np.testing.assert_array_equal(layer.gradients()["weight"], np.zeros((4, 3)))

    @pytest.mark.parametrize("scale", [0, 1, 2.0])
    def test_weights_have_the_variance_of_the_scale_over_the_inputs(self, scale):
        weight = Linear(400, 500, rng=rng(), scale=scale).weight
        assert weight.var() == pytest.approx(scale / 400, rel=0.02)

    def test_the_signal_keeps_its_size_through_fifty_relu_layers(self):
        """He's scale; with 1 and 4 it would be 2e-8 and 2e7."""
        generator = rng()
        deep = Sequential(*[layer for _ in range(50) for layer in (Linear(128, 128, rng=generator), ReLU())])
        assert 0.1 < deep(generator.standard_normal((64, 128))).std() < 10


class TestComposition:
    """What is made of layers is a layer."""

    def test_parameters_are_named_by_place(self):
        model = Sequential(linear(), Residual(Sequential(LayerNorm(4), linear(bias=False))), ReLU())
        assert list(model.parameters()) == ["0.weight", "0.bias", "1.0.gamma", "1.0.beta", "1.1.weight"]
        assert model.parameters()["1.1.weight"] is model.layers[1].branch.layers[1].weight

    def test_gradients_have_the_names_of_the_parameters(self):
        model = mlp()
        model.backward(model(np.ones((3, 64))))
        assert {name: array.shape for name, array in model.gradients().items()} == {
            name: array.shape for name, array in model.parameters().items()
        }

    def test_the_mode_reaches_the_layers_inside(self):
        dropout = Dropout(0.5, rng=rng())
        model = Sequential(Residual(Sequential(dropout)))
        assert (model.eval() is model, model.training, dropout.training) == (True, False, False)
        assert (model.train() is model, model.training, dropout.training) == (True, True, True)

    @pytest.mark.parametrize(
        "twin", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))], ids=["deepcopy", "pickle"]
    )
    def test_copies_are_equal_and_independent(self, twin):
        model = mlp()
        other = twin(model)
        x = rng().standard_normal((3, 64))
        np.testing.assert_array_equal(model(x), other(x))
        other.parameters()["0.weight"][...] = 0
        assert (model.parameters()["0.weight"] != 0).any()


class TestOptimizers:
    """Steps worked by hand, and those of the papers."""

    def test_sgd_follows_the_gradient(self):
        theta = np.array([1.0, -2.0])
        SGD({"theta": theta}, lr=0.5).step({"theta": np.array([4.0, -2.0])})
        np.testing.assert_array_equal(theta, [-1, -1])

    def test_momentum_by_hand(self):
        theta = np.array([0.0])
        sgd = SGD({"theta": theta}, lr=1.0, momentum=0.5)
        places = []
        for gradient in (1.0, 1.0, 0.0):  # velocity 1, 1.5, 0.75
            sgd.step({"theta": np.array([gradient])})
            places.append(theta[0])
        assert places == [-1, -2.5, -3.25]

    def test_adam_by_hand(self):
        theta = np.array([0.0])
        adam = Adam({"theta": theta}, lr=0.1, betas=(0.5, 0.5), eps=1e-300)
        adam.step({"theta": np.array([4.0])})
        assert theta[0] == pytest.approx(-0.1, rel=1e-15)  # m = 2 / 0.5 = 4, v = 8 / 0.5 = 16
        adam.step({"theta": np.array([0.0])})  # m = 1 / 0.75, v = 4 / 0.75
        assert theta[0] == pytest.approx(-0.1 - 0.1 * (4 / 3) / np.sqrt(16 / 3), rel=1e-15)

    def test_adam_is_algorithm_1_of_its_paper(self):
        theta, expected = np.array([0.3, -0.2]), np.array([0.3, -0.2])
        adam = Adam({"theta": theta}, lr=0.01)
        m, v = np.zeros(2), np.zeros(2)
        for t, gradient in enumerate(rng().standard_normal((20, 2)), 1):
            m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
            expected -= 0.01 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
            adam.step({"theta": gradient})
        np.testing.assert_allclose(theta, expected, rtol=1e-12)

    @pytest.mark.parametrize("optimizer", [SGD, Adam])
    def test_the_learning_rate_can_be_set_at_any_time(self, optimizer):
        theta = np.array([0.0])
        made = optimizer({"theta": theta}, lr=1.0)
        made.lr = 0.0
        made.step({"theta": np.array([1.0])})
        assert theta[0] == 0

    @pytest.mark.parametrize("optimizer", [SGD, partial(SGD, momentum=0.9), Adam], ids=["SGD", "momentum", "Adam"])
    def test_gradients_are_not_changed_and_float32_ones_do(self, optimizer):
        gradient = np.ones(3, np.float32)
        gradient.flags.writeable = False
        theta = np.zeros(3)
        made = optimizer({"theta": theta}, lr=0.1)
        made.step({"theta": gradient})
        np.testing.assert_allclose(theta, -0.1, rtol=1e-6)

    @pytest.mark.parametrize("optimizer", [SGD, Adam])
    @pytest.mark.parametrize("size", [0.0, 1e-300, 1e300, np.inf])
    def test_extreme_gradients_warn_of_nothing(self, optimizer, size):
        made = optimizer({"theta": np.zeros(1)}, lr=1e9)
        made.step({"theta": np.array([size])})
        made.step({"theta": np.array([-size])})


class TestFit:
    """One loop for all experiments."""

    SPLIT = digits(rng(), train=200)

    def train(self, *, model=None, optimizer=None, seed=5, **options):
        """A short training; the model and its history."""
        model = mlp() if model is None else model
        optimizer = Adam(model.parameters(), lr=0.01) if optimizer is None else optimizer
        options = {"batch_size": 50, **({} if "steps" in options else {"epochs": 2}), **options}
        images, labels = self.SPLIT.train_images, self.SPLIT.train_labels
        return model, fit(model, images, labels, optimizer=optimizer, rng=rng(seed), **options)

    def test_digits_are_learned(self):
        model, _ = self.train(epochs=25)
        predictions = model.eval()(self.SPLIT.test_images).argmax(axis=-1)
        assert (predictions == self.SPLIT.test_labels).mean() > 0.8

    def test_the_same_seed_gives_the_same_bits_and_another_seed_others(self):
        (first, losses), (again, same), (other, _) = (self.train(seed=seed) for seed in (5, 5, 6))
        np.testing.assert_array_equal(losses.losses, same.losses)
        np.testing.assert_array_equal(first.parameters()["0.weight"], again.parameters()["0.weight"])
        assert (first.parameters()["0.weight"] != other.parameters()["0.weight"]).any()

    def test_a_step_is_forward_backward_update(self):
        layer, twin = linear(64, 10), linear(64, 10)
        _, history = self.train(model=layer, optimizer=SGD(layer.parameters(), lr=0.1), steps=1, batch_size=200)
        images, labels = self.SPLIT.train_images, self.SPLIT.train_labels
        loss, gradient = cross_entropy_and_grad(twin(images), labels)
        twin.backward(gradient)
        assert history.losses[0] == pytest.approx(loss)
        np.testing.assert_allclose(layer.weight, twin.weight - 0.1 * twin.gradients()["weight"])

    @pytest.mark.parametrize(
        ("options", "steps"), [({"epochs": 3}, 12), ({"steps": 7}, 7), ({"epochs": 1, "batch_size": 60}, 4)], ids=str
    )
    def test_steps_and_epochs(self, options, steps):
        assert len(self.train(**options)[1].losses) == steps

    def test_a_second_call_goes_on(self):
        together, _ = self.train(epochs=1)
        optimizer = Adam(together.parameters(), lr=0.01)
        _, first = self.train(model=together, optimizer=optimizer, epochs=1)
        _, second = self.train(model=together, optimizer=optimizer, epochs=1)
        assert optimizer.steps == 8
        assert second.losses.mean() < first.losses.mean()

    def test_evaluation_is_in_evaluation_mode_and_training_goes_on_in_training_mode(self):
        modes = []
        model, history = self.train(epochs=3, evaluate=lambda model: modes.append(model.training) or len(modes))
        assert (modes, model.training) == ([False] * 3, True)
        assert (history.evaluations, history.evaluated_after) == ([1, 2, 3], [4, 8, 12])

    def test_evaluation_every_few_steps(self):
        _, history = self.train(steps=10, evaluate=lambda model: None, evaluate_every=3)
        assert history.evaluated_after == [3, 6, 9]

    def test_a_schedule_sets_the_learning_rate_of_each_step(self):
        model, seen = linear(64, 10), []
        optimizer = SGD(model.parameters(), lr=1.0)

        def schedule(step):
            seen.append(step)
            return 0.0 if step < 4 else 0.1

        self.train(model=model, optimizer=optimizer, steps=3, schedule=schedule)
        np.testing.assert_array_equal(model.weight, linear(64, 10).weight)
        self.train(model=model, optimizer=optimizer, steps=4, schedule=schedule)
        assert (seen, optimizer.lr) == ([1, 2, 3, 1, 2, 3, 4], 0.1)
        assert (model.weight != linear(64, 10).weight).any()

    def test_another_loss(self):
        """Squared error on the scores of a single linear layer."""

        def squared(y, labels):
            gap = y - np.eye(10)[labels]
            return (gap**2).mean(), 2 * gap / gap.size

        layer = linear(64, 10)
        optimizer = SGD(layer.parameters(), lr=0.5)
        _, history = self.train(model=layer, optimizer=optimizer, epochs=20, loss=squared)
        assert history.losses[-4:].mean() < 0.3 * history.losses[:4].mean()

    def test_options_of_the_loss_are_passed_on(self):
        _, plain = self.train(steps=1)
        _, smooth = self.train(steps=1, loss=partial(cross_entropy_and_grad, label_smoothing=0.5))
        assert plain.losses[0] != smooth.losses[0]

    def test_batches_of_one(self):
        model = Sequential(linear(64, 8), LayerNorm(8), ReLU(), linear(8, 10))
        _, history = self.train(model=model, steps=5, batch_size=1)
        assert np.isfinite(history.losses).all()

    def test_divergence_is_in_the_history_and_nowhere_else(self, capfd):
        model = Sequential(linear(64, 8), ReLU(), linear(8, 10))
        _, history = self.train(model=model, optimizer=SGD(model.parameters(), lr=1e300), steps=5)
        assert not np.isfinite(history.losses[-1])
        assert capfd.readouterr() == ("", "")

    @pytest.mark.parametrize("progress", [True, False])
    def test_short_training_shows_no_bar(self, progress, capfd):
        self.train(progress=progress)
        assert capfd.readouterr() == ("", "")

    @pytest.mark.parametrize("progress", [True, False])
    def test_long_training_shows_a_bar_on_stderr_that_goes(self, progress, capfd, monkeypatch):
        clock = iter(range(0, 100_000, 10))
        monkeypatch.setattr("tqdm.std.time", lambda: next(clock))
        self.train(steps=6, progress=progress)
        out, err = capfd.readouterr()
        assert out == ""
        assert ("6/6" in err) == progress
        assert err.rpartition("\r")[2] == ""

    def test_global_random_state_and_inputs_stay(self):
        state, images = np.random.get_state()[1].copy(), self.SPLIT.train_images.copy()  # noqa: NPY002
        self.train()
        np.testing.assert_array_equal(state, np.random.get_state()[1])  # noqa: NPY002
        np.testing.assert_array_equal(images, self.SPLIT.train_images)


class TestShown:
    """What `repr` says."""

    @pytest.mark.parametrize(
        ("thing", "expected"),
        [
            (linear(), "Linear(4, 4)"),
            (Linear(3, 2, bias=False, rng=rng()), "Linear(3, 2, bias=False)"),
            (ReLU().eval(), "ReLU().eval()"),
            (Sequential(), "Sequential()"),
            (Sequential(linear(), ReLU()), "Sequential(Linear(4, 4), ReLU())"),
            (Residual(linear()).eval(), "Residual(Linear(4, 4)).eval()"),
            (Sequential(linear(), ReLU().eval()), "Sequential(Linear(4, 4), ReLU().eval())"),
            (SGD({"theta": np.zeros(2)}, lr=0.1), "SGD(<2 parameters in 1 array>, lr=0.1, momentum=0.0)"),
            (
                Adam(linear().parameters(), lr=0.1),
                "Adam(<20 parameters in 2 arrays>, lr=0.1, betas=(0.9, 0.999), eps=1e-08)",
            ),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_on_one_line(self, thing, expected):
        assert repr(thing) == expected

    def test_a_layer_inside_that_is_in_training_alone(self):
        model = Sequential(linear(), Dropout(0.5)).eval()
        model.layers[1].train()
        assert repr(model) == "Sequential(Linear(4, 4), Dropout(0.5).train()).eval()"

    def test_on_several_lines_where_one_is_too_long(self):
        inner = Sequential(BatchNorm(4), linear(), ReLU())
        assert repr(Sequential(inner, Residual(linear()), BatchNorm(4)).eval()).splitlines() == [
            "Sequential(",
            "    Sequential(BatchNorm(4, momentum=0.1, eps=1e-05), Linear(4, 4), ReLU()),",
            "    Residual(Linear(4, 4)),",
            "    BatchNorm(4, momentum=0.1, eps=1e-05),",
            ").eval()",
        ]


def called(layer):
    """The layer after a call."""
    layer(X)
    return layer


def fitted(**options):
    """Call `fit` with something wrong."""
    model = linear(4, 2)
    defaults = {"optimizer": SGD(model.parameters(), lr=1), "rng": rng(), "batch_size": 2, "epochs": 1}
    return fit(options.pop("model", model), options.pop("x", X), options.pop("y", [0] * 5), **defaults | options)


THETA = {"theta": np.zeros(2)}


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Linear(0, 1, rng=rng()), ValueError, "in_features is 0, expected at least 1"),
        (lambda: Linear(1, 2.5, rng=rng()), TypeError, "out_features is 2.5, expected an int"),
        (lambda: Linear(1, 2, bias=np.zeros(2), rng=rng()), TypeError, r"bias is array\(.*\), expected True or False"),
        (lambda: Linear(1, 1, rng=0), TypeError, "rng is 0, expected a numpy.random.Generator"),
        (lambda: Linear(1, 1, rng=rng(), scale=-1), ValueError, "scale is -1, expected at least 0 and a finite"),
        (lambda: Linear(1, 1, rng=rng(), scale=np.nan), ValueError, "scale is nan, expected at least 0"),
        (lambda: Linear(1, 1, rng=rng(), scale="he"), TypeError, "scale is 'he', expected a number"),
        (lambda: linear()(X[:, :3]), ValueError, r"x has the shape \(5, 3\), expected \(..., 4\)"),
        (lambda: linear()(1.0), ValueError, r"x has the shape \(\), expected \(..., 4\)"),
        (lambda: linear()([1j] * 4), TypeError, "x holds complex128, expected float16"),
        (lambda: ReLU()(["a"]), TypeError, "x holds <U1, expected float16"),
        (lambda: linear().backward(X), RuntimeError, "backward of Linear has no output"),
        (lambda: ReLU().backward(X), RuntimeError, "backward of ReLU has no output"),
        (lambda: Residual(linear()).backward(X), RuntimeError, "backward of Residual has no output"),
        (lambda: Sequential(ReLU()).backward(X), RuntimeError, "backward of ReLU has no output"),
        (
            lambda: called(Sequential(ReLU())).backward(X[0]),
            ValueError,
            r"dy has the shape \(4,\), expected .* \(5, 4\)",
        ),
        (lambda: called(linear(4, 3)).backward(X), ValueError, r"dy has the shape \(5, 4\), expected .* \(5, 3\)"),
        (lambda: Sequential(linear()).gradients(), RuntimeError, "Linear has no gradients yet"),
        (lambda: Residual(linear(4, 3))(X), ValueError, r"branch returned the shape \(5, 3\), expected .* \(5, 4\)"),
        (lambda: Residual(ReLU), TypeError, "branch is <class .*ReLU'>, expected a Layer"),
        (lambda: Sequential(ReLU(), np.tanh), TypeError, "layers holds <ufunc 'tanh'>, expected a Layer"),
        (lambda: Sequential(*[ReLU()] * 2), ValueError, "layers holds a layer twice"),
        (lambda: SGD(THETA, lr=0), ValueError, "lr is 0, expected a finite number greater than 0"),
        (lambda: SGD(THETA, lr="fast"), TypeError, "lr is 'fast', expected a number"),
        (lambda: SGD(THETA, lr=1, momentum=1), ValueError, "momentum is 1, expected at least 0 and less than 1"),
        (lambda: SGD(THETA, lr=1, momentum=True), TypeError, "momentum is True, expected a number"),
        (lambda: SGD(linear(), lr=1), TypeError, r"parameters is Linear\(.*\), expected a dict of arrays"),
        (lambda: SGD({"theta": [1.0]}, lr=1), TypeError, r"parameters holds \[1.0\] as 'theta', expected an array"),
        (lambda: Adam({"theta": np.zeros(1, int)}, lr=1), TypeError, r"parameters holds array\(\[0\]\) as 'theta'"),
        (lambda: Adam(THETA, lr=np.inf), ValueError, "lr is inf, expected a finite number"),
        (lambda: Adam(THETA, lr=1, betas=0.9), TypeError, "betas is 0.9, expected a tuple of two numbers"),
        (lambda: Adam(THETA, lr=1, betas=(0.9, 1)), ValueError, "betas is 1, expected at least 0 and less than 1"),
        (lambda: Adam(THETA, lr=1, eps=0), ValueError, "eps is 0, expected a finite number greater than 0"),
        (lambda: SGD({"theta": np.zeros(1, "g")}, lr=1), TypeError, "parameters holds array.* as 'theta', expected"),
        (lambda: SGD(THETA, lr=1).step([1.0]), TypeError, r"gradients is \[1.0\], expected a dict of arrays"),
        (
            lambda: SGD(THETA, lr=1).step({"theta": ["a"]}),
            TypeError,
            r"gradients\['theta'\] holds <U1, expected float16",
        ),
        (lambda: SGD(THETA, lr=1).step({}), ValueError, r"gradients lacks \['theta'\] and has \[\] too many"),
        (lambda: Adam(THETA, lr=1).step(THETA | {"b": 1}), ValueError, r"gradients lacks \[\] and has \['b'\]"),
        (lambda: SGD(THETA, lr=1).step({"theta": 1.0}), ValueError, r"'theta' of shape \(\), expected \(2,\)"),
        (lambda: fitted(model=np.sin), TypeError, "model is <ufunc 'sin'>, expected a Layer"),
        (
            lambda: fitted(y=[0]),
            ValueError,
            r"inputs and targets have the shapes \(5, 4\) and \(1,\), expected as many",
        ),
        (lambda: fitted(x=1.0, y=0), ValueError, r"inputs and targets have the shapes \(\) and \(\)"),
        (lambda: fitted(x=[], y=[]), ValueError, r"inputs and targets have the shapes \(0,\) and \(0,\)"),
        (lambda: fitted(x=[[1], [1, 2]]), ValueError, r"inputs is \[\[1\], \[1, 2\]\], expected .* rectangular"),
        (lambda: fitted(loss="mse"), TypeError, "loss is 'mse', expected a function"),
        (
            lambda: fitted(loss=lambda *_: 1.5),
            TypeError,
            "loss returned 1.5, expected the loss and its gradient",
        ),
        (lambda: fitted(schedule=0.1), TypeError, "schedule is 0.1, expected a function"),
        (lambda: fitted(schedule=lambda step: np.nan), ValueError, r"schedule\(1\) is nan, expected at least 0"),
        (lambda: fitted(evaluate=1), TypeError, "evaluate is 1, expected a function"),
        (lambda: fitted(progress="yes"), TypeError, "progress is 'yes', expected True or False"),
        (lambda: fitted(optimizer="adam"), TypeError, "optimizer is 'adam', expected an SGD or an Adam"),
        (lambda: fitted(optimizer=SGD(THETA, lr=1)), ValueError, r"optimizer lacks \['bias', 'weight'\]"),
        (
            lambda: fitted(optimizer=SGD(linear(4, 2).parameters(), lr=1)),
            ValueError,
            "optimizer holds other arrays than model",
        ),
        (lambda: fitted(rng=None), TypeError, "rng is None, expected a numpy.random.Generator"),
        (lambda: fitted(batch_size=0), ValueError, "batch_size is 0, expected at least 1"),
        (lambda: fitted(epochs=0), ValueError, "epochs is 0, expected at least 1"),
        (lambda: fitted(epochs=None, steps=1.5), TypeError, "steps is 1.5, expected an int"),
        (lambda: fitted(steps=1), ValueError, "epochs is 1 and steps is 1, expected exactly one"),
        (lambda: fitted(epochs=None), ValueError, "epochs is None and steps is None, expected exactly one"),
        (lambda: fitted(evaluate_every=0), ValueError, "evaluate_every is 0, expected at least 1"),
    ],
)
def test_a_wrong_argument_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("kind", [SGD, Adam])
def test_a_step_that_is_refused_changes_nothing(kind):
    first, second = np.ones(2), np.ones(3)
    optimizer = kind({"first": first, "second": second}, lr=0.1)
    with pytest.raises(ValueError, match="'second'"):
        optimizer.step({"first": np.ones(2), "second": np.ones(2)})
    np.testing.assert_array_equal(first, 1)
    expected = np.ones(2)
    kind({"a": expected}, lr=0.1).step({"a": np.ones(2)})
    optimizer.step({"first": np.ones(2), "second": np.ones(3)})
    np.testing.assert_array_equal(first, expected)
