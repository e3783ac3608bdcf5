"""A check says the same of an answer in the learner's notebook and where it is graded, in a process of its own."""

import linecache

import numpy as np
import pytest

import lossprimer
from lossprimer import checks
from lossprimer.grading.submission import Patience, Submission

pytestmark = pytest.mark.sandbox
# By the name of the check: right ones have no sentence.
ANSWERS = [
    (
        "softmax",
        "",
        "def f(z):\n    e = np.exp(z - z.max(axis=-1, keepdims=True))\n    return e / e.sum(-1, keepdims=True)",
    ),
    ("softmax", "is not defined. Did you mean: 'powers'?", "def f(z):\n    powers = np.exp(z)\n    return power / 2"),
    ("softmax", "prints", "def f(z):\n    print('scores', z)\n    print(np.exp(z))"),
    (
        "softmax",
        "numbers are in float32",
        "def f(z):\n    e = np.exp(z.astype('f'))\n    return e / e.sum(-1, keepdims=True)",
    ),
    ("softmax", "The function does not take the arguments", "def f(z, axis):\n    return z"),
    ("softmax", "does not come to an end", "def f(z):\n    while True:\n        z = z + 1"),
    ("softmax", "Only plain arrays", "def f(z):\n    return np.ma.array(z)"),
    (
        "softmax",
        "changed in place",
        "def f(z):\n    z -= z.max(-1, keepdims=True)\n    return np.exp(z) / np.exp(z).sum(-1)",
    ),
    ("inverted_dropout", "", "def f(a, p, rng):\n    m = rng.spawn(1)[0].random(a.shape) < p\n    return a * m / p, m"),
    (
        "inverted_dropout",
        "",
        "from typing import NamedTuple\nclass Both(NamedTuple):\n    output: object\n    mask: object\n"
        "def f(a, p, rng):\n    m = rng.random(a.shape) < p\n    return Both(a * m / p, m)",
    ),
]
DROPOUT = """
class f:
    def __init__(self, keep_prob, rng):
        self.keep_prob, self.rng, self.training = keep_prob, rng, True
    def forward(self, a):
        kept = {draw}.random(a.shape) < self.keep_prob
        self.factor = kept / self.keep_prob if self.training else np.ones(a.shape)
        return a * self.factor
    def backward(self, dy):
        return dy * self.factor
"""
ANSWERS += [
    ("dropout_layer", "forward draws random numbers", DROPOUT.format(draw="self.rng")),
    ("dropout_layer", "forward draws random numbers", DROPOUT.format(draw="self.rng.spawn(1)[0]")),
]


@pytest.fixture(scope="module")
def submission():
    with Submission(Patience(call=0.5, test=60), isolated=False) as submission:
        yield submission


@pytest.mark.parametrize(("name", "said", "source"), ANSWERS, ids=range(len(ANSWERS)))
def test_the_same_is_said_here_and_there(submission, monkeypatch, name, said, source):
    monkeypatch.setattr("lossprimer.checks.calling.PATIENCE", 0.5)
    source = f"import numpy as np\n{source}\n"
    linecache.cache["<cell of a test>"] = len(source), None, source.splitlines(True), "<cell of a test>"
    names = {"__name__": "__main__", "lp": lossprimer}
    exec(compile(source, "<cell of a test>", "exec"), names)
    here = getattr(checks, name)(names["f"], rng=np.random.default_rng(0))
    submission.run("answer", source)
    assert submission.failures == {}
    submission.begin()
    there = getattr(checks, name)(submission["f"], rng=np.random.default_rng(0))
    assert here.passed == there.passed == (not said)
    assert said in " ".join(str(here).split())
    assert str(there) == str(here)
    assert there.hint == here.hint
