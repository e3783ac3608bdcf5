"""The cheat sheet: the code of each card is run and compared with the package, its gradients with measured slopes."""

import re
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest
from page_numbers import unsupported

import lossprimer as lp
from conftest import SITE
from lossprimer.gradcheck import numerical_gradient
from lossprimer.transformer import SelfAttention

PAGE = (Path(__file__).parent.parent / "book" / "cheatsheet.md").read_text("utf-8")
CARDS = dict(re.findall(r"^### (.+?)\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))
FIELDS = ["Formula", "Gradient", "Shapes", "Frameworks", "Trap"]
# These only put other layers together.
PUT_TOGETHER = {"FeedForward", "Sequential", "Transformer", "TransformerBlock"}

N, D, K = 6, 5, 4
KEEP, EPS, MOMENTUM, ALPHA = 0.7, 1e-5, 0.1, 0.1

each_card = pytest.mark.parametrize("card", CARDS)


def code(card):
    (block,) = re.findall(r"^```python\n(.*?)^```", CARDS[card], re.MULTILINE | re.DOTALL)
    return block


def field(card, name):
    (text,) = re.findall(rf"^- \*\*{name}:\*\* (.*?)(?=^- |^```|\Z)", CARDS[card], re.MULTILINE | re.DOTALL)
    return " ".join(text.split())


@cache  # a slope is measured in many runs
def compiled(lines):
    return compile(lines, "card", "exec")


def run(card, **given):
    """Run the three lines of a card; return all names that they know."""
    names = {"np": np, "softmax": lp.softmax, "log_softmax": lp.log_softmax, "normalize": lp.normalize, **given}
    exec(compiled(code(card)), names)
    return names


def draw(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]


def close(*pairs):
    for found, expected in pairs:
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def slopes(function, x, dy):
    """Slopes of the outputs of `function`, weighted with `dy`, measured."""
    return numerical_gradient(lambda x: (function(x) * dy).sum(), x)


def softmax():
    z, dp = draw((N, K), (N, K))
    found = run("softmax, softmax_backward", z=z, dp=dp)
    return (found["p"], lp.softmax(z)), (found["dz"], lp.softmax_backward(dp, lp.softmax(z)))


def log_softmax():
    z, dl = draw((N, K), (N, K))
    found = run("log_softmax", z=z, dl=dl)
    assert run("log_softmax", z=np.array([1000.0, 0.0]), dl=np.ones(2))["log_p"].tolist() == [0, -1000]
    return (found["log_p"], lp.log_softmax(z)), (found["dz"].round(7), slopes(lp.log_softmax, z, dl).round(7))


def logsumexp():
    z, dy = draw((N, K), N)
    found = run("logsumexp", z=z, dy=dy)
    return (found["y"], lp.logsumexp(z)), (found["dz"].round(7), slopes(lp.logsumexp, z, dy).round(7))


def cross_entropy():
    (z,), c = draw((N, K)), np.arange(N) % K
    found = run("cross_entropy, cross_entropy_grad", z=z, c=c)
    return (found["L"], lp.cross_entropy(z, c)), (found["dz"], lp.cross_entropy_grad(z, c))


def entropy():
    p, dH = lp.softmax(draw((N, K))[0]), draw(N, seed=1)[0]
    found = run("entropy", p=p, dH=dH)
    certain = run("entropy", p=lp.one_hot(1, K), dH=np.array(1.0))["H"]
    gradient = slopes(lambda p: -(p * np.log(p)).sum(axis=-1), p, dH)
    return (found["H"], lp.entropy(p)), (certain, 0), (found["dp"].round(7), gradient.round(7))


def kl_divergence():
    p, q = lp.softmax(draw((2, N, K))[0])
    dy = draw(N, seed=1)[0]
    found = run("kl_divergence", p=p, q=q, dy=dy)
    sure = run("kl_divergence", p=lp.one_hot(1, K), q=q[0], dy=np.array(1.0))["y"]
    gradient = slopes(lambda q: (p * np.log(p / q)).sum(axis=-1), q, dy)
    expected = lp.kl_divergence(p, q), lp.kl_divergence(lp.one_hot(1, K), q[0])
    return (found["y"], expected[0]), (sure, expected[1]), (found["dq"].round(6), gradient.round(6))


def one_hot():
    c = np.arange(N) % K
    found = run("one_hot", c=c, K=K, alpha=ALPHA)
    (z,) = draw((N, K))
    smoothed = lp.cross_entropy(z, c, label_smoothing=ALPHA), lp.cross_entropy(z, found["smooth"])
    return (found["y"], lp.one_hot(c, K)), smoothed, (found["c_again"], c)


def attention():
    Q, Ks, V, dY = draw(*[(N, D)] * 4)
    mask = np.triu(np.full((N, N), -np.inf), k=1)
    found = run("SelfAttention", Q=Q, K=Ks, V=V, dY=dY, mask=mask)
    layer = SelfAttention(D, 1, rng=np.random.default_rng(0))
    (x,) = draw((1, N, D))
    expected = layer(x)
    parts = {"Q": layer.query(x), "K": layer.key(x), "V": layer.value(x)}
    again = run("SelfAttention", mask=mask, dY=x, **parts)
    weights = found["A"]
    return (
        (layer.output(again["Y"]), expected),
        (again["A"], layer.weights[:, 0]),
        (found["dV"].round(7), slopes(lambda V: weights @ V, V, dY).round(7)),
        (found["dA"].round(7), slopes(lambda A: A @ V, weights, dY).round(7)),
    )


def generate():
    z = np.array([2.0, 1.0, 0.5])
    tokens = np.array([], dtype=int)
    rng = np.random.default_rng(0)
    for _ in range(2000):
        found = run("generate", z=z, T=2.0, rng=rng, tokens=tokens)
        tokens = found["tokens"]
    shares = np.bincount(tokens) / len(tokens)
    return (found["p"], lp.softmax(z, temperature=2.0)), (np.abs(shares - found["p"]).max() < 0.04, True)


def dropout():
    x, dy = draw((N, D), (N, D))
    found = run("inverted_dropout, Dropout", x=x, dy=dy, keep_prob=KEEP, rng=np.random.default_rng(1))
    layer = lp.Dropout(KEEP, rng=np.random.default_rng(1))
    return (found["y"], layer(x)), (found["dx"], layer.backward(dy))


def normalize():
    x, dy = draw((N, D), (N, D))
    pairs = []
    for axis in (0, 1, (0, 1)):
        found = run(
            "normalize, normalize_backward",
            x=x,
            dy=dy,
            axis=axis,
            eps=EPS,
            mean=partial(np.mean, axis=axis, keepdims=True),
        )
        pairs.append((found["x_hat"], lp.normalize(x, axis=axis)))
        pairs.append((found["dx"], lp.normalize_backward(dy, x, axis=axis)))
    return pairs


def batch_norm():
    x, gamma, beta = draw((N, D), D, D)
    layer = lp.BatchNorm(D, momentum=MOMENTUM)
    layer.gamma[...], layer.beta[...] = gamma, beta
    stored = {"running_mean": np.zeros(D), "running_var": np.ones(D)}
    found = run("BatchNorm", x=x, gamma=gamma, beta=beta, momentum=MOMENTUM, **stored)
    return (found["y"], layer(x)), *((found[name], getattr(layer, name)) for name in stored)


def layer_norm():
    x, dy, gamma, beta = draw((N, D), (N, D), D, D)
    layer = lp.LayerNorm(D)
    layer.gamma[...], layer.beta[...] = gamma, beta
    found = run("LayerNorm", x=x, dy=dy, gamma=gamma, beta=beta)
    expected = layer(x)
    layer.backward(dy)
    gradients = layer.gradients()
    return (found["y"], expected), (found["dgamma"], gradients["gamma"]), (found["dbeta"], gradients["beta"])


def rms_norm():
    x, dy, gamma = draw((N, D), (N, D), D)
    layer = lp.RMSNorm(D)
    layer.gamma[...] = gamma
    found = run("RMSNorm", x=x, dy=dy, gamma=gamma, eps=EPS)
    return (found["y"], layer(x)), (found["dx"], layer.backward(dy))


def linear():
    x, dy = draw((N, D), (N, K))
    layer = lp.Linear(D, K, rng=np.random.default_rng(2))
    layer.bias[...] = draw(K, seed=3)[0]
    found = run("Linear", x=x, dy=dy, W=layer.weight, b=layer.bias)
    expected = layer(x), layer.backward(dy), layer.gradients()
    return (
        (found["y"], expected[0]),
        (found["dx"], expected[1]),
        (found["dW"], expected[2]["weight"]),
        (found["db"], expected[2]["bias"]),
    )


def residual():
    x, dy = draw((N, D), (N, D))
    branch = lp.Sequential(lp.ReLU(), lp.Linear(D, D, bias=False, rng=np.random.default_rng(2)))
    layer = lp.Residual(branch)
    found = run("ReLU, Residual", x=x, dy=dy, W=branch.layers[1].weight)
    return (found["h"], lp.ReLU()(x)), (found["y"], layer(x)), (found["dx"], layer.backward(dy))


def optimizers():
    rng, mine, theirs, adam = np.random.default_rng(0), *(np.zeros(D) for _ in range(3))
    weights = np.zeros(D)
    sgd, moving = lp.SGD({"w": theirs}, lr=0.1, momentum=0.9), lp.Adam({"w": adam}, lr=0.1)
    state = {"v": np.zeros(D), "m": np.zeros(D), "s": np.zeros(D)}
    for t in (1, 2, 3):
        g = rng.normal(size=D)
        given = {"mu": 0.9, "lr": 0.1, "b1": 0.9, "b2": 0.999, "eps": 1e-8, "t": t, "g": g}
        found = run("SGD, Adam", **given, **state)
        state = {name: found[name] for name in state}
        mine -= 0.1 * found["v"]
        weights -= found["step"]
        sgd.step({"w": g})
        moving.step({"w": g})
    return (mine, theirs), (weights, adam)


def fit():
    """Three lines of the card are a step of `fit`."""
    (x,), c = draw((N, D)), np.arange(N) % K
    models = [lp.Linear(D, K, rng=np.random.default_rng(0)) for _ in range(2)]
    mine, theirs = (lp.SGD(model.parameters(), lr=0.1) for model in models)
    given = {"model": models[0], "optimizer": mine, "cross_entropy_and_grad": lp.cross_entropy_and_grad}
    run("fit, cross_entropy_and_grad", x=x, c=c, **given)
    options = {"batch_size": N, "steps": 1, "progress": False, "rng": np.random.default_rng(0)}
    lp.fit(models[1], x, c, optimizer=theirs, **options)
    return ((models[0].weight, models[1].weight),)


COMPARED = {
    "softmax, softmax_backward": softmax,
    "log_softmax": log_softmax,
    "logsumexp": logsumexp,
    "cross_entropy, cross_entropy_grad": cross_entropy,
    "entropy": entropy,
    "kl_divergence": kl_divergence,
    "one_hot": one_hot,
    "SelfAttention": attention,
    "generate": generate,
    "inverted_dropout, Dropout": dropout,
    "normalize, normalize_backward": normalize,
    "BatchNorm": batch_norm,
    "LayerNorm": layer_norm,
    "RMSNorm": rms_norm,
    "Linear": linear,
    "ReLU, Residual": residual,
    "SGD, Adam": optimizers,
    "fit, cross_entropy_and_grad": fit,
}
# What a card says in numbers.
NUMBERS = {
    "softmax, softmax_backward": "np.log(np.finfo(np.float32).max)",
    "logsumexp": "lp.logsumexp(np.zeros(10))",
    "cross_entropy, cross_entropy_grad": "[lp.cross_entropy(f([8, 0, 0]), 0) for f in (np.array, lp.softmax)]",
    "entropy": "np.log(2)",
    "one_hot": "0.1, 0.9, 0.9 + 0.1 / 10, lp.entropy(0.9 * lp.one_hot(0, 10) + 0.01)",
    "BatchNorm": "lp.BatchNorm(1).momentum, lp.BatchNorm(1).eps, 0.99, 1e-3",
    "LayerNorm": "lp.LayerNorm(1).eps, 1e-3, 1e-6",
    "RMSNorm": "1e-6",
    "SGD, Adam": "lp.Adam({'w': np.zeros(1)}, lr=1).eps, 1e-7",
}


@each_card
def test_a_card_has_its_five_lines_and_three_of_code(card):
    assert re.findall(r"^- \*\*(\w+):\*\* ", CARDS[card], re.MULTILINE) == FIELDS
    assert all(field(card, name) for name in FIELDS)
    lines = code(card).strip().splitlines()
    assert len(lines) == 3
    # As many characters as a column of the printed sheet holds.
    assert max(map(len, lines)) <= 66


@each_card
def test_the_code_of_a_card_does_what_the_package_does(card):
    close(*COMPARED[card]())


@each_card
def test_the_numbers_of_a_card_are_computed(card):
    assert unsupported(CARDS[card].partition("```")[0], NUMBERS.get(card, ""), globals()) == []


def test_there_is_a_card_for_all_that_the_package_has():
    assert {name for card in CARDS for name in card.split(", ")} == set(lp.__all__) - PUT_TOGETHER
    assert COMPARED.keys() == CARDS.keys()


def test_a_card_whose_code_is_wrong_is_found(monkeypatch):
    monkeypatch.setitem(
        CARDS, "softmax, softmax_backward", CARDS["softmax, softmax_backward"].replace("p * (dp", "(dp")
    )
    with pytest.raises(AssertionError):
        close(*softmax())


@pytest.mark.site
def test_it_prints_on_two_sheets_of_a4(browser):
    page = browser.new_page()
    page.goto((SITE / "book" / "cheatsheet.html").as_uri())
    page.evaluate("document.fonts.ready.then(() => null)")
    # The second sheet begins with its own part, however little is on the first one.
    for shorten in ("parts => parts", "([first]) => { for (const card of first.children) card.hidden = true; }"):
        page.locator("main > section > section").evaluate_all(shorten)
        written = page.pdf(prefer_css_page_size=True)
        boxes = re.findall(rb"/MediaBox \[\s*0 0 ([\d.]+) ([\d.]+)\s*\]", written)
        assert [(round(float(width)), round(float(height))) for width, height in boxes] == [(595, 842)] * 2
    page.close()
