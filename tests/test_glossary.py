"""The glossary: each entry has its three parts, and each number in it is computed here again.

tools/prose.py finds the numbers, as it does in a chapter: one with decimals, an exponent or a percent sign must be the
rounded value of what is computed for its entry, or stand in that computation.
"""

import re
from pathlib import Path

import numpy as np
import pytest
from docutils.nodes import make_id
from page_numbers import unsupported

import lossprimer as lp
from tests.building import build

PAGE = (Path(__file__).parent.parent / "book" / "glossary.md").read_text("utf-8")
LINK = re.compile(r"\[(Chapter \d|Epilogue): (.+)\]\(\.\./notebooks/0(\d)_\w+\.ipynb#([^\s)]+)\)")

# What the numbers of an entry are, as code. `Z` are the scores of chapter 1, `X` the batch of chapter 4.
Z = [2.0, 1.0, 0.5]
X = np.array([[2, -1.5, 0.5, 3], [0.5, 1, 2.5, -0.5], [-1, 3, 1, 1.5], [1.5, -0.5, -1, 2]])
COMPUTED = {
    "accuracy": "np.mean([True, True, False, True])",
    "activation": "lp.ReLU()(np.array([-0.5]))",
    "Adam": "[first_step(g, lr=0.001) for g in (100, 0.01)]",
    "batch": "1 / np.sqrt(16)",
    "BatchNorm": "lp.normalize(X, axis=0)[0, 0]",
    "bit": "np.log(2)",
    "calibration": "80 / 100",
    "chance level": "1 / 10, lp.cross_entropy(np.zeros(10), 0)",
    "confidence": "lp.softmax(Z).max(), 0.5",
    "deviation": "-1.5, 0.5, X[0].mean(), X[0].std()",
    "dropout": "[float(value) for value in set(drop(1.2, 0.5))]",
    "ensemble": "2.0**256",
    "entropy": "lp.entropy(lp.softmax(Z)), np.log(3), 0.5",
    "epsilon": "1e-5, lp.normalize([-1e-3, 1e-3], axis=0).std(), 1e-6",
    "evaluation mode": "max(drop(1, 0.5)), 0.5",
    "float16, float32, float64": "[np.log(np.finfo(t).max) for t in (np.float16, np.float32, np.float64)]",
    "gradient": "lp.cross_entropy_grad(Z, 1), 0.5",
    "Jacobian": "[lp.softmax_backward(row, lp.softmax(Z)) for row in np.eye(3)], 0.5",
    "keep probability": "1 - 0.2, max(drop(1, 1 - 0.2))",
    "Kullback–Leibler divergence": "lp.kl_divergence([0.7, 0.2, 0.1], np.full(3, 1 / 3))",
    "label smoothing": "0.1, smooth(0.1, 10), lp.entropy(smooth(0.1, 10))",
    "layer": "2.0**-50",
    "LayerNorm": "lp.normalize(X, axis=1)[0, 0]",
    "learning rate": "-0.1 * 2, 0.1",
    "likelihood": "np.prod([0.9, 0.5, 0.8, 0.25])",
    "log-sum-exp": "lp.logsumexp(Z), 0.5",
    "logit": "lp.softmax(Z), 0.5",
    "loss": "lp.cross_entropy(np.log([0.1, 0.9]), 0), 0.1",
    "mask": "lp.softmax([2, 1, -np.inf])",
    "momentum": "1 - 0.1, 0.1",
    "nat": "np.log(2), lp.cross_entropy([0, 0], 0) / np.log(2)",
    "overfitting": "1 / 5",
    "overflow": "np.log(np.finfo(np.float32).max)",
    "perplexity": "0.602, np.exp(0.602)",
    "RMSNorm": "lp.RMSNorm(4)(X[0]), -1.5, 0.5",
    "running average": "running_means([2, 6], 0.1), 0.1",
    "saturation": "[np.prod(lp.softmax([lead, 0])) for lead in (10, 0)]",
    "seed": "np.random.default_rng(0).random()",
    "sigmoid": "lp.softmax([2, 0])[0]",
    "squared error": "2 * (1 - 0.1) ** 2",
    "surprise": "lp.cross_entropy([0, 0], 0)",
    "temperature": "[np.divide(*lp.softmax([1, 0], temperature=T)) for T in (1, 0.5, 2)]",
    "token": "lp.cross_entropy(np.zeros(50_257), 0)",
    "variance": "-1.5, 0.5, X[0].var(), X[0].var(ddof=1)",
    "vocabulary": "lp.softmax(2 * lp.one_hot(0, 50_257))[0]",
    "warm-up": "0.003, 0.003 * 50 / 100",
}


def first_step(gradient, *, lr):
    """How far the first step of Adam moves a weight."""
    weights = {"w": np.zeros(1)}
    lp.Adam(weights, lr=lr).step({"w": np.array([float(gradient)])})
    return abs(weights["w"][0])


def drop(a, keep):
    """A thousand outputs of a unit."""
    return lp.inverted_dropout(np.full(1000, float(a)), keep_prob=keep, rng=np.random.default_rng(0))[0]


def smooth(alpha, classes):
    return (1 - alpha) * lp.one_hot(0, classes) + alpha / classes


def running_means(means, momentum):
    """The running mean of a BatchNorm after each of the batches with these means."""
    layer = lp.BatchNorm(1, momentum=momentum)
    found = []
    for mean in means:
        layer(np.array([[mean - 1.0], [mean + 1.0]]))
        found.append(layer.running_mean[0])
    return found


def entries():
    """Return what the page says of each word: its lines."""
    (body,) = re.findall(r"^:::\{glossary\}\n(.*?)^:::$", PAGE, re.MULTILINE | re.DOTALL)
    blocks = [block.splitlines() for block in body.strip("\n").split("\n\n")]
    return {term: [line.removeprefix("  ") for line in lines] for term, *lines in blocks}


each_entry = pytest.mark.parametrize("term", entries())


def test_there_is_an_entry_for_every_word_that_a_newcomer_may_miss():
    asked = {"logit", "epoch", "nat", "batch", "upstream gradient", "underflow", "calibration", "temperature"}
    asked |= {"keep probability", "epsilon", "running average", "residual connection"}
    assert asked <= entries().keys()
    assert 55 <= len(entries()) <= 90


def test_the_words_stand_in_alphabetical_order():
    assert list(entries()) == sorted(entries(), key=str.casefold)


def test_each_letter_leads_to_its_first_word():
    first = {}
    for term in entries():
        first.setdefault(term[0].upper(), make_id(f"term-{term}"))
    row = PAGE.partition(":::{container} letters")[2].partition(":::")[0]
    places = {letter: place.lower() for letter, place in re.findall(r"\[(.)\]\(glossary\.md#([^)]+)\)", row)}
    assert places == first


@each_entry
def test_an_entry_is_a_sentence_and_a_number_or_formula_and_the_place_that_teaches_it(term):
    sentence, shown, link = entries()[term]
    assert re.fullmatch(r"[A-Z\"].*\.", sentence)
    # One sentence: no stop within it.
    assert not re.search(r"[.!?] [A-Z]", sentence)
    assert re.search(r"\$.+\$|\d", shown)
    # The place follows in the same paragraph.
    assert shown.endswith(".")
    chapter, heading, number, place = LINK.fullmatch(link).groups()
    assert chapter == ("Epilogue" if number == "5" else f"Chapter {number}")
    # That there is such a place, the build of the site says.
    assert place.endswith(re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-"))


@each_entry
def test_the_numbers_of_an_entry_are_computed(term):
    assert unsupported("\n".join(entries()[term]), COMPUTED.get(term, ""), globals()) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [("It is 0.694 nats.", "np.log(2)"), ("It is 0.69.", ""), (r"$(1 + 2) \cdot 3 = 8$", ""), ("$32 / 3 = 16$", "")],
)
def test_a_wrong_number_is_found(text, code):
    assert unsupported(text, code, globals()) != []


def test_a_plain_link_leads_to_a_word_and_one_to_no_word_is_reported(tmp_path):
    (tmp_path / "glossary.md").write_text("# Words\n\n```{glossary}\nright answer\n  It is right.\n```\n", "utf-8")
    links = "[a](glossary.md#term-right-answer) [b](glossary.md#term-wrong)"
    (tmp_path / "index.md").write_text(f"# Book\n\n{links}\n\n```{{toctree}}\nglossary\n```\n", "utf-8")
    warnings = build(tmp_path, tmp_path / "html", {"extensions": ["myst_parser", "theme.terms"]})
    assert 'href="glossary.html#term-right-answer"' in (tmp_path / "html" / "index.html").read_text("utf-8")
    assert "term-wrong" in warnings
    assert "term-right-answer" not in warnings


def test_nothing_is_computed_for_an_entry_that_does_not_exist():
    assert COMPUTED.keys() <= entries().keys()
