"""What a teacher is told of an answer: what it reaches for, and with which other one it shares its structure."""

import pytest

from lossprimer.grading import cells
from lossprimer.grading.copies import TOGETHER, defined, is_readable, reached, shared, structures
from lossprimer.grading.grade import _readable

SOFTMAX = """
import numpy as np

def softmax(z):
    \"\"\"Probabilities.\"\"\"
    exponentials = np.exp(z - z.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)
"""


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("from scipy.special import softmax", "scipy.special.softmax"),
        ("import scipy.special as sp\ndef softmax(z): return sp.log_softmax(z)", "scipy.special.log_softmax"),
        ("import torch.nn.functional as F\nf = F.cross_entropy", "torch.nn.functional.cross_entropy"),
        ("import torch\nlayer = torch.nn.LayerNorm(3)", "torch.nn.LayerNorm"),
        ("from scipy import stats\ndef kl(p, q): return stats.entropy(p, q)", "scipy.stats.entropy"),
        ("from lossprimer import log_softmax as f", "lossprimer.log_softmax"),
        ("import lossprimer\nsoftmax = lossprimer.softmax", "lossprimer.softmax"),
        ("softmax = lp.softmax", "lossprimer.softmax"),
        ("def softmax(z): return lp.softmax(z)", "lossprimer.softmax"),
        ("from sklearn.preprocessing import scale", "sklearn.preprocessing.scale"),
    ],
)
def test_a_ready_made_function_is_named(source, path):
    assert ("library", path) in reached(source, allowed=["softmax"])


@pytest.mark.parametrize(
    "source",
    [
        SOFTMAX,
        "def attention(q, k): return lp.softmax(q @ k.T)",
        "import numpy as np\nx = np.random.default_rng(0).normal(size=3)",
        "from sklearn.datasets import load_digits",
        "def softmax(z)\n    return",
        "%matplotlib inline\nimport matplotlib.pyplot as plt",
        "def dropout(a, keep_prob, rng): return a * (rng.random(a.shape) < keep_prob) / keep_prob",
    ],
)
def test_honest_code_is_not(source):
    assert reached(source, allowed=["softmax"]) == []


@pytest.mark.parametrize(
    ("source", "means"),
    [
        ("import gc\ngc.get_objects()", "gc"),
        ("import inspect", "inspect"),
        ("import sys\nsys._getframe(1).f_locals", "sys._getframe"),
        ("import sys\nprint(sys.modules)", "sys.modules"),
        ("softmax.__globals__", "softmax.__globals__"),
        ("object.__subclasses__()", "object.__subclasses__"),
        ("get_ipython().ast_transformers.append(1)", "get_ipython"),
        ("m = __import__('gc')", "__import__"),
        ("open('/proc/self/maps')", "open"),
    ],
)
def test_means_to_find_other_objects_are_named(source, means):
    assert any(flag == "reaches" and means.endswith(path.rpartition(".")[2]) for flag, path in reached(source))


def test_names_texts_and_layout_do_not_change_a_structure():
    renamed = """
import numpy as np
def softmax(scores: np.ndarray) -> np.ndarray:
    # subtract the largest
    e = np.exp(
        scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
"""
    assert structures(SOFTMAX) == structures(renamed)
    assert structures(SOFTMAX)["softmax"][1] > 20


@pytest.mark.parametrize(
    ("old", "new"),
    [("z.max", "z.min"), ("axis=-1", "axis=0"), ("np.exp", "np.exp2"), ("als / exp", "als * exp"), ("z -", "1 -")],
)
def test_what_changes_a_result_changes_the_structure(old, new):
    assert structures(SOFTMAX) != structures(SOFTMAX.replace(old, new))


def test_a_line_that_is_still_to_be_written_has_no_structure():
    stub = "def softmax(z):\n    raise NotImplementedError()\n\nclass Layer:\n    pass"
    assert structures(stub) == {}
    assert defined(stub) == ["softmax", "Layer"]
    assert structures("def broken(") == {}


def test_who_shares_what():
    one, other = {"f": ("a", 30)}, {"f": ("b", 30)}
    assert shared({"ann": one, "bob": one, "cho": other}) == {("ann", "f"): ["bob"], ("bob", "f"): ["ann"]}
    assert shared({"ann": one, "bob": {"g": ("a", 30)}}) == {}


def test_what_a_quarter_of_a_class_writes_is_how_one_writes_it():
    common = {f"student{number}": {"f": ("a", 30)} for number in range(6)}
    rare = {f"other{number}": {"f": ("b", 30)} for number in range(2)}
    alone = {f"alone{number}": {"f": (f"c{number}", 30)} for number in range(2)}
    assert set(shared(common | rare | alone)) == {("other0", "f"), ("other1", "f")}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from scipy.special import *", ("library", "scipy.special.*")),
        ("x = %time 1\nfrom scipy.special import softmax", ("library", "scipy.special.softmax")),
        ("import scipy.special as s\nf = getattr(s, 'soft' + 'max')", ("reaches", "getattr")),
        ("import scipy.special as s\nf = vars(s)['softmax']", ("reaches", "vars")),
        ("import scipy.special as s\nf = s.__dict__['softmax']", ("reaches", "scipy.special.__dict__")),
        ("exec('import gc')", ("reaches", "exec")),
        ("eval('1')", ("reaches", "eval")),
    ],
)
def test_what_is_reached(source, found):
    assert found in reached(source)


@pytest.mark.parametrize("source", ["import numpy as np\nnp.exp(2)", "getattr(layer, 'mask', None)", "%%time\nx = 1"])
def test_honest_code_reaches_nothing(source):
    assert reached(source) == []
    assert is_readable(source)


@pytest.mark.parametrize("source", ["/print 1", "1 +", "x = 1\n" * cells.PARSED])
def test_what_cannot_be_searched_is_known(source):
    assert not is_readable(source)
    assert reached(source) == []


def test_what_is_nested_too_deeply_has_no_structure():
    source = f"def f(x):\n    return {' + '.join('1' * 900)}"
    assert structures(source) == {}
    assert defined(source) == ["f"]


def test_of_many_long_cells_some_are_searched_and_the_others_known():
    """The parser takes seconds for each megabyte, and a notebook can be sixteen."""
    sources = {str(number): "#" * (TOGETHER // 3) for number in range(6)}  # a comment is soon parsed
    assert list(_readable(sources)) == ["0", "1", "2"]
