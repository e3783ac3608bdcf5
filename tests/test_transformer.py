"""The mask hides what is later, every slot and norm has its right gradient, and the whole learns to copy."""

import copy
import pickle
from functools import partial

import numpy as np
import pytest
from strategies import FLOATS

from lossprimer.data import copy_task
from lossprimer.dropout import Dropout
from lossprimer.gradcheck import layer_gradient_error
from lossprimer.losses import cross_entropy_and_grad
from lossprimer.network import Adam, Residual, fit
from lossprimer.normalization import BatchNorm, LayerNorm, RMSNorm
from lossprimer.probability import log_softmax, softmax
from lossprimer.transformer import Embedding, FeedForward, SelfAttention, Transformer, TransformerBlock, generate

RIGHT = 1e-6
X = np.random.default_rng(0).standard_normal((2, 4, 6))
TOKENS = np.array([[3, 1, 4, 1], [1, 0, 2, 1]])


def rng(seed=1):
    """The same numbers for every test."""
    return np.random.default_rng(seed)


def moved(layer):
    """The layer with parameters that are not those of the start, such as biases of 0."""
    generator = rng(7)
    for parameter in layer.parameters().values():
        parameter += 0.3 * generator.standard_normal(parameter.shape)
    return layer


def attention(**options):
    """Three heads of two features."""
    return moved(SelfAttention(6, 3, rng=rng(), **options))


def transformer(**options):
    """Tiny, for tokens 0 to 4."""
    return moved(Transformer(5, 4, **{"depth": 2, "d_model": 6, "d_hidden": 8} | options, rng=rng()))


class TestAttention:
    """Weighted means."""

    def test_one_head_by_the_formula(self):
        layer = moved(SelfAttention(6, 1, causal=False, rng=rng()))
        q, k, v = (X @ part.weight + part.bias for part in (layer.query, layer.key, layer.value))
        weights = softmax(np.einsum("bik,bjk->bij", q, k) / np.sqrt(6))
        expected = weights @ v @ layer.output.weight + layer.output.bias
        np.testing.assert_allclose(layer(X), expected, rtol=1e-12)
        np.testing.assert_allclose(layer.weights[:, 0], weights, rtol=1e-12)

    def test_heads_work_on_their_own_features(self):
        layer = attention(causal=False)
        q, k, v = ((X @ part.weight + part.bias).reshape(2, 4, 3, 2) for part in (layer.query, layer.key, layer.value))
        weights = softmax(np.einsum("bihk,bjhk->bhij", q, k) / np.sqrt(2))
        means = np.einsum("bhij,bjhk->bihk", weights, v).reshape(2, 4, 6)
        np.testing.assert_allclose(layer(X), means @ layer.output.weight + layer.output.bias, rtol=1e-12)

    def test_weights_are_shares_and_later_ones_exactly_zero(self):
        layer = attention()
        layer(X)
        assert layer.weights.shape == (2, 3, 4, 4)
        np.testing.assert_allclose(layer.weights.sum(axis=-1), 1, rtol=1e-15)
        later = np.triu(np.ones((4, 4), bool), k=1)
        assert (layer.weights[..., later] == 0).all()
        assert (layer.weights[..., ~later] > 0).all()

    def test_without_the_mask_all_positions_count(self):
        layer = attention(causal=False)
        layer(X)
        assert (layer.weights > 0).all()

    def test_dropout_acts_on_the_weights(self):
        layer = attention(keep_prob=0.5)
        layer.value.weight[...], layer.value.bias[...] = 0, 1
        layer.output.weight[...], layer.output.bias[...] = np.eye(6), 0
        sums = layer(X)
        assert abs(sums - 1).max() > 0.1
        np.testing.assert_allclose(layer.eval()(X), 1, rtol=1e-14)

    @pytest.mark.parametrize("position", [0, 2])
    def test_a_later_position_changes_no_earlier_output(self, position):
        layer, other = attention(), X.copy()
        other[:, position + 1 :] = 1e3
        np.testing.assert_array_equal(layer(X)[:, : position + 1], layer(other)[:, : position + 1])
        assert (layer(X)[:, position + 1] != layer(other)[:, position + 1]).any()


LAYERS = {
    "attention": attention(),
    "attention without mask": attention(causal=False),
    "attention with dropout": attention(keep_prob=0.6),
    "feed forward": moved(FeedForward(6, 8, keep_prob=0.6, rng=rng())),
    **{
        f"{norm} {layer.__name__} keep {keep_prob}": moved(
            TransformerBlock(6, 2, 8, norm=norm, norm_layer=layer, keep_prob=keep_prob, rng=rng())
        )
        for norm, layer in [("pre", LayerNorm), ("pre", RMSNorm), ("post", LayerNorm), ("none", LayerNorm)]
        for keep_prob in (1.0, 0.7)
    },
}
layers = pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
UNDROPPED = ["attention", "attention without mask", *(name for name in LAYERS if name.endswith("keep 1.0"))]


def assert_slopes(layer, x, loss):
    """Compare the slopes of the loss along random directions, in all parameters and the input, with `backward`.

    A gradient with one wrong entry has the wrong slope in all directions but those that have a 0 there.
    """
    trained, generator = copy.deepcopy(layer), rng()
    dx = trained.backward(loss(trained(x))[1])
    gradients = {**trained.gradients(), **({} if dx is None else {"x": dx})}
    for _ in range(5):
        directions = {name: generator.standard_normal(gradient.shape) for name, gradient in gradients.items()}
        slope = sum((directions[name] * gradient).sum() for name, gradient in gradients.items())

        def loss_at(step, directions=directions):
            twin = copy.deepcopy(layer)
            for name, parameter in twin.parameters().items():
                parameter += step * directions[name]
            return loss(twin(x if dx is None else x + step * directions["x"]))[0]

        assert (loss_at(1e-6) - loss_at(-1e-6)) / 2e-6 == pytest.approx(slope, rel=1e-6)


def against(upstream):
    """The sum of what comes out, weighted by an upstream gradient."""
    return lambda y: ((y * upstream).sum(), upstream)


class TestGradients:
    """Against measured slopes: what is not made of others by all entries, the rest along random directions."""

    @pytest.mark.parametrize(
        "layer",
        [
            SelfAttention(4, 2, rng=rng()),
            SelfAttention(4, 2, causal=False, rng=rng()),
            SelfAttention(4, 2, keep_prob=0.6, rng=rng()),
            FeedForward(4, 6, keep_prob=0.6, rng=rng()),
        ],
        ids=repr,
    )
    def test_layers(self, layer):
        assert layer_gradient_error(moved(layer), X[..., :3, :4], rng=rng()) < RIGHT

    @layers
    def test_layers_along_random_directions(self, layer):
        for each in (layer, copy.deepcopy(layer).eval()):
            assert_slopes(each, X, against(rng().standard_normal(X.shape)))

    @pytest.mark.parametrize("name", UNDROPPED)
    def test_without_dropout_nothing_changes_in_use(self, name):
        upstream, found = rng().standard_normal(X.shape), []
        for layer in (copy.deepcopy(LAYERS[name]), copy.deepcopy(LAYERS[name]).eval()):
            found.append([layer(X), layer.backward(upstream), *layer.gradients().values()])
        for trained, used in zip(*found, strict=True):
            np.testing.assert_array_equal(used, trained)

    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"norm_layer": RMSNorm, "keep_prob": 0.7},
            {"norm": "post"},
            {"norm": "none", "causal": False},
        ],
        ids=str,
    )
    def test_whole_model(self, options):
        """Every layer in its place."""
        model = transformer(**options)
        assert_slopes(model, TOKENS, against(rng().standard_normal((*TOKENS.shape, 5))))
        assert model.backward(np.ones_like(model(TOKENS))) is None

    def test_whole_model_with_its_loss(self):
        """Positions without a target included."""
        targets = np.array([[-1, -1, 2, 0], [-1, 3, 1, 4]])
        assert_slopes(transformer(), TOKENS, partial(cross_entropy_and_grad, target=targets, ignore_index=-1))

    @pytest.mark.parametrize("zeroed", ["SelfAttention", "FeedForward", "Dropout"])
    def test_slopes_refuse_a_backward_that_returns_zeros(self, zeroed, monkeypatch):
        layer = copy.deepcopy(LAYERS["pre LayerNorm keep 0.7"])
        kind = {"SelfAttention": SelfAttention, "FeedForward": FeedForward, "Dropout": Dropout}[zeroed]
        backward = kind.backward
        monkeypatch.setattr(kind, "backward", lambda self, dy: 0 * backward(self, dy))
        with pytest.raises(AssertionError):
            assert_slopes(layer, X, against(rng().standard_normal(X.shape)))

    def test_slopes_refuse_a_gradient_with_one_wrong_entry(self, monkeypatch):
        layer, gradients = LAYERS["pre RMSNorm keep 1.0"], TransformerBlock.gradients
        for name in layer.parameters():

            def wrong(self, name=name):
                found = {key: gradient.copy() for key, gradient in gradients(self).items()}
                found[name].flat[0] += 1e-3
                return found

            monkeypatch.setattr(TransformerBlock, "gradients", wrong)
            with pytest.raises(AssertionError):
                assert_slopes(layer, X, against(rng().standard_normal(X.shape)))


class TestBlocks:
    """Where the norms are."""

    @pytest.mark.parametrize(
        ("norm", "expected"),
        [
            ("pre", lambda x, f, g, a, b: (x := x + f(a(x))) + g(b(x))),
            ("post", lambda x, f, g, a, b: b((x := a(x + f(x))) + g(x))),
            ("none", lambda x, f, g, a, b: (x := x + f(x)) + g(x)),
        ],
    )
    def test_formula(self, norm, expected):
        block = moved(TransformerBlock(6, 2, 8, norm=norm, rng=rng()))
        norms = [LayerNorm(6), LayerNorm(6)]
        if norm != "none":
            names = ["0.0", "1.0"] if norm == "pre" else ["1", "3"]
            for layer, name in zip(norms, names, strict=True):
                layer.gamma[...] = block.parameters()[f"{name}.gamma"]
                layer.beta[...] = block.parameters()[f"{name}.beta"]
        np.testing.assert_allclose(
            block(X), expected(X, block.attention, block.feed_forward, *norms), rtol=1e-12, atol=1e-12
        )

    @pytest.mark.parametrize("norm", ["pre", "none"])
    def test_zero_init_starts_as_the_identity(self, norm):
        block = TransformerBlock(6, 2, 8, norm=norm, zero_init=True, rng=rng())
        np.testing.assert_array_equal(block(X), X)

    def test_post_norm_bounds_the_output(self):
        block = TransformerBlock(6, 2, 8, norm="post", rng=rng())
        np.testing.assert_allclose(block(1e3 * X).std(axis=-1), 1, rtol=1e-4)

    def test_dropout_has_three_slots(self):
        block = TransformerBlock(6, 2, 8, keep_prob=0.7, rng=rng())
        branches = [layer.branch.layers[-1] for layer in block.layers if isinstance(layer, Residual)]
        slots = [block.attention.dropout, block.feed_forward.layers[2], *branches]
        assert [type(slot) for slot in slots] == [Dropout] * 4
        assert {slot.keep_prob for slot in slots} == {0.7}

    @pytest.mark.parametrize("slot", [0, 1, 2, 3])
    def test_each_slot_acts_in_training_only(self, slot):
        block = TransformerBlock(6, 2, 8, rng=rng())
        branches = [layer.branch.layers[-1] for layer in block.layers]
        expected = block(X)
        [block.attention.dropout, block.feed_forward.layers[2], *branches][slot].keep_prob = 0.5
        assert (block(X) != expected).any()
        np.testing.assert_array_equal(block.eval()(X), expected)

    @layers
    @pytest.mark.parametrize("dtype", FLOATS)
    def test_the_float_type_of_the_input_is_kept_both_ways(self, layer, dtype):
        y = layer(X.astype(dtype))
        assert y.dtype == layer.backward(np.ones_like(y)).dtype == dtype

    @layers
    def test_inputs_are_never_changed(self, layer):
        x, dy = X.copy(), np.ones(X.shape)
        x.flags.writeable = dy.flags.writeable = False
        layer(x)
        layer.backward(dy)

    @layers
    @pytest.mark.parametrize("scale", [1e300, np.inf, np.nan])
    def test_overflow_warns_of_nothing(self, layer, scale):
        layer(X * scale)
        layer.backward(np.full(X.shape, scale))

    @layers
    @pytest.mark.parametrize(
        "twin", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))], ids=["deepcopy", "pickle"]
    )
    def test_copies_draw_the_same_masks(self, layer, twin):
        first, second = twin(layer), twin(layer)
        np.testing.assert_array_equal(first(X), second(X))


class TestModel:
    """Tokens in, scores out."""

    def test_embedding_adds_a_vector_for_the_token_and_one_for_the_place(self):
        layer = Embedding(5, 6, 3, rng=rng())
        y = layer(TOKENS)
        np.testing.assert_array_equal(y[1, 2], layer.token[2] + layer.position[2])
        layer.backward(np.ones(y.shape))
        np.testing.assert_array_equal(layer.gradients()["token"][:, 0], [1, 4, 1, 1, 1])
        np.testing.assert_array_equal(layer.gradients()["position"][:, 0], [2, 2, 2, 2, 0, 0])

    @pytest.mark.parametrize("norm", ["pre", "post", "none"])
    def test_a_later_token_changes_no_earlier_score(self, norm):
        model, other = transformer(norm=norm), TOKENS.copy()
        other[:, 2:] = 0
        np.testing.assert_array_equal(model(TOKENS)[:, :2], model(other)[:, :2])
        assert (model(TOKENS)[0, 2] != model(other)[0, 2]).any()

    def test_a_shorter_sequence_has_the_scores_of_its_place(self):
        model = transformer()
        np.testing.assert_allclose(model(TOKENS[:, :2]), model(TOKENS)[:, :2], rtol=1e-12)

    @pytest.mark.parametrize(("norm", "count"), [("pre", 5), ("post", 4), ("none", 0)])
    def test_pre_norm_has_a_final_norm(self, norm, count):
        gammas = [name for name in transformer(norm=norm).parameters() if name.endswith("gamma")]
        assert len(gammas) == count

    def test_rms_norms_have_no_beta(self):
        names = transformer(norm_layer=RMSNorm).parameters()
        assert sum(name.endswith("gamma") for name in names) == 5
        assert not any(name.endswith("beta") for name in names)

    @pytest.mark.parametrize("dtype", FLOATS)
    def test_float_type(self, dtype):
        model = transformer(dtype=dtype)
        assert model(TOKENS).dtype == dtype
        assert {parameter.dtype for parameter in model.parameters().values()} == {np.dtype(np.float64)}

    def test_is_shown_with_its_layers(self):
        model = Transformer(12, 16, depth=1, d_model=8, norm="post", keep_prob=0.9, rng=rng())
        assert repr(model.eval()).splitlines() == [
            "Transformer(",
            "    Embedding(12, 16, 8, dtype=float64),",
            "    TransformerBlock(",
            "        Residual(",
            "            Sequential(SelfAttention(8, 2, causal=True, keep_prob=0.9), Dropout(0.9)),",
            "        ),",
            "        LayerNorm((8,), eps=1e-05),",
            "        Residual(",
            "            Sequential(",
            "                FeedForward(Linear(8, 64), ReLU(), Dropout(0.9), Linear(64, 8)),",
            "                Dropout(0.9),",
            "            ),",
            "        ),",
            "        LayerNorm((8,), eps=1e-05),",
            "    ),",
            "    Linear(8, 12),",
            ").eval()",
        ]


@pytest.fixture(scope="module")
def trained():
    """A small model that has learned to copy three symbols."""
    generator = rng()
    model = Transformer(6, 6, depth=1, d_model=16, d_hidden=32, keep_prob=0.95, dtype=np.float32, rng=generator)
    inputs, targets = copy_task(32 * 100, generator, length=3, num_symbols=5)
    fit(
        model,
        inputs,
        targets,
        optimizer=Adam(model.parameters(), lr=0.02, betas=(0.9, 0.98)),
        rng=generator,
        batch_size=32,
        epochs=1,
        loss=partial(cross_entropy_and_grad, ignore_index=-100),
    )
    return model.eval()


class TestGeneration:
    """What comes next."""

    PROMPTS = np.array([[5, 1, 4, 0], [2, 2, 3, 0]])

    def test_the_copy_task_is_learned(self, trained):
        inputs, targets = copy_task(500, rng(3), length=3, num_symbols=5)
        copied = targets >= 0
        assert (trained(inputs).argmax(axis=-1) == targets)[copied].mean() > 0.99

    def test_a_prompt_is_copied(self, trained):
        tokens = generate(trained, self.PROMPTS, 3, temperature=0.1, rng=rng())
        np.testing.assert_array_equal(tokens, [[5, 1, 4, 0, 5, 1, 4], [2, 2, 3, 0, 2, 2, 3]])

    def test_one_sequence_may_come_without_an_axis_for_it(self, trained):
        np.testing.assert_array_equal(
            generate(trained, self.PROMPTS[0], 3, temperature=0.1, rng=rng()), [5, 1, 4, 0, 5, 1, 4]
        )

    @pytest.mark.parametrize("temperature", [0.5, 1.0, 10.0])
    def test_tokens_are_drawn_with_the_probabilities_of_the_model(self, temperature):
        model, prompt = transformer(), [3, 1]
        drawn = generate(model, [prompt] * 20_000, 1, temperature=temperature, rng=rng())[:, 2]
        p = np.exp(log_softmax(model([prompt])[0, -1], temperature=temperature))
        spread = np.sqrt(p * (1 - p) / 20_000)
        assert (abs(np.bincount(drawn, minlength=5) / 20_000 - p) < 4 * spread + 1e-4).all()

    def test_a_temperature_near_zero_takes_the_largest(self):
        model = transformer()
        tokens = generate(model, TOKENS[:, :2], 1, temperature=1e-300, rng=rng())
        np.testing.assert_array_equal(tokens[:, 2], model(TOKENS[:, :2])[:, -1].argmax(axis=-1))

    def test_more_tokens_than_the_model_can_read(self):
        model = transformer()
        tokens = generate(model, TOKENS[0], 9, temperature=1e-300, rng=rng())
        assert tokens.shape == (13,)
        assert tokens[-1] == model(tokens[None, -5:-1])[0, -1].argmax()

    def test_the_same_seed_writes_the_same(self):
        first, again = (generate(transformer(), TOKENS, 9, rng=rng()) for _ in range(2))
        np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: SelfAttention(0, 1, rng=rng()), ValueError, "d_model is 0, expected at least 1"),
        (lambda: SelfAttention(6, 4, rng=rng()), ValueError, "num_heads is 4, expected a divisor of d_model, 6"),
        (lambda: SelfAttention(6, 2.0, rng=rng()), TypeError, "num_heads is 2.0, expected an int"),
        (lambda: SelfAttention(6, 2, keep_prob=0, rng=rng()), ValueError, "keep_prob is 0, expected"),
        (lambda: SelfAttention(6, 2, rng=None), TypeError, "rng is None, expected a numpy.random.Generator"),
        (lambda: attention()(X[0]), ValueError, r"x has the shape \(4, 6\), expected \(B, L, 6\)"),
        (lambda: attention()(X[..., :5]), ValueError, r"x has the shape \(2, 4, 5\), expected \(B, L, 6\)"),
        (lambda: attention().backward(X), RuntimeError, "backward of SelfAttention has no output"),
        (lambda: FeedForward(6, 0, rng=rng()), ValueError, "out_features is 0, expected at least 1"),
        (lambda: FeedForward(6, 8, keep_prob=1.5, rng=rng()), ValueError, "keep_prob is 1.5, expected"),
        (lambda: FeedForward(6, 8, rng=1), TypeError, "rng is 1, expected a numpy.random.Generator"),
        (
            lambda: TransformerBlock(6, 2, 8, norm="both", rng=rng()),
            ValueError,
            "norm is 'both', expected 'pre', 'post'",
        ),
        (
            lambda: TransformerBlock(6, 2, 8, norm_layer=BatchNorm, rng=rng()),
            ValueError,
            "norm_layer is <class .*BatchNorm'>, expected LayerNorm or RMSNorm",
        ),
        (lambda: TransformerBlock(6, 2, 8, keep_prob=-1, rng=rng()), ValueError, "keep_prob is -1, expected"),
        (lambda: Embedding(0, 4, 6, rng=rng()), ValueError, "num_tokens is 0, expected at least 1"),
        (lambda: Embedding(5, "4", 6, rng=rng()), TypeError, "length is '4', expected an int"),
        (lambda: Embedding(5, 4, -6, rng=rng()), ValueError, "d_model is -6, expected at least 1"),
        (lambda: Embedding(5, 4, 6, rng=0), TypeError, "rng is 0, expected a numpy.random.Generator"),
        (lambda: Embedding(5, 4, 6, dtype=int, rng=rng()), TypeError, "dtype is .*int.*, expected float16, float32"),
        (lambda: Embedding(5, 4, 6, rng=rng())(X[0]), TypeError, "tokens holds float64, expected integers"),
        (lambda: Embedding(5, 4, 6, rng=rng())([1]), ValueError, r"tokens has the shape \(1,\), expected \(B, L\)"),
        (lambda: Embedding(5, 3, 6, rng=rng())(TOKENS), ValueError, r"\(2, 4\), expected \(B, L\) with L up to 3"),
        (
            lambda: Embedding(4, 4, 6, rng=rng())(TOKENS),
            ValueError,
            r"tokens holds 4 at index \(0, 2\), expected 0 to 3",
        ),
        (
            lambda: Embedding(4, 4, 6, rng=rng())([[-1]]),
            ValueError,
            r"tokens holds -1 at index \(0, 0\), expected 0 to 3",
        ),
        (lambda: Embedding(5, 4, 6, rng=rng()).backward(X), RuntimeError, "backward of Embedding has no output"),
        (lambda: Transformer(5, 4, depth=0, rng=rng()), ValueError, "depth is 0, expected at least 1"),
        (lambda: Transformer(5, 4, d_model=5, rng=rng()), ValueError, "num_heads is 2, expected a divisor"),
        (
            lambda: generate(attention(), [1], 1, rng=rng()),
            TypeError,
            r"model is SelfAttention\(.*\), expected a Transf",
        ),
        (lambda: generate(transformer(), [0.5], 1, rng=rng()), TypeError, "tokens holds float64, expected integers"),
        (lambda: generate(transformer(), [], 1, rng=rng()), TypeError, "tokens holds float64, expected integers"),
        (lambda: generate(transformer(), 1, 1, rng=rng()), ValueError, r"tokens has the shape \(\), expected \(B, L\)"),
        (lambda: generate(transformer(), [9, *[0] * 50], 1, rng=rng()), ValueError, "tokens holds 9"),
        (lambda: Embedding(4, 4, 6, dtype=None, rng=rng()), TypeError, "dtype is None, expected float16, float32"),
        (lambda: Embedding(4, 4, 6, dtype="long", rng=rng()), TypeError, "dtype is 'long', expected float16, float32"),
        (lambda: SelfAttention(4, 2, causal="no", rng=rng()), TypeError, "causal is 'no', expected True or False"),
        (lambda: FeedForward(4, 2, zero_init=1, rng=rng()), TypeError, "zero_init is 1, expected True or False"),
        (
            lambda: generate(transformer(), [9], 1, rng=rng()),
            ValueError,
            r"tokens holds 9 at index \(0,\), expected 0 to 4",
        ),
        (lambda: generate(transformer(), [1], 0, rng=rng()), ValueError, "count is 0, expected at least 1"),
        (lambda: generate(transformer(), [1], 1, temperature=0, rng=rng()), ValueError, "temperature is 0, expected"),
        (lambda: generate(transformer(), [1], 1, rng=0), TypeError, "rng is 0, expected a numpy.random.Generator"),
    ],
)
def test_a_wrong_argument_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
