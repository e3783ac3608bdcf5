"""The part of the package that a submission has: what its set names, all that this needs, and nothing else."""

import ast
import subprocess
import sys

import pytest

import lossprimer
from lossprimer.grading.excerpt import NAME, excerpt, named

# An importer for the excerpt alone, as in the sandbox.
PROGRAM = """
import sys
sys.path.append({folder!r})
from inside.library import Package
sources, names = {sources!r}, {names!r}
Package().offer(sources, names)
import lossprimer
for name in names:
    assert getattr(lossprimer, name).__module__ in sources
print(sorted(name for name in sys.modules if name.startswith("lossprimer")))
{check}
"""


def test_what_a_set_speaks_of_is_named():
    texts = [
        "You may use `lp.softmax`.",
        "from lossprimer import checks, one_hot",
        "lossprimer.entropy(p); help.kl",
        "lp.x",
    ]
    assert named(texts) == ["entropy", "one_hot", "softmax"]
    assert named(["from lossprimer import softmax as f, log_softmax"]) == ["log_softmax", "softmax"]
    assert named(["softmax", "lp", "lp.checks"]) == []


@pytest.mark.parametrize(
    ("names", "check"),
    [
        (["softmax"], "import numpy as np; assert lossprimer.softmax(np.zeros(2)).tolist() == [0.5, 0.5]"),
        (["log_softmax", "one_hot"], "assert lossprimer.one_hot([1], 2).tolist() == [[0.0, 1.0]]"),
        (["cross_entropy"], "assert lossprimer.cross_entropy([[0.0, 0.0]], [1]) > 0.6"),
        (["inverted_dropout", "Dropout"], "assert lossprimer.Dropout(0.5).keep_prob == 0.5"),
        (["LayerNorm"], "assert lossprimer.LayerNorm(2)([[1.0, 2.0]]).shape == (1, 2)"),
    ],
)
def test_an_excerpt_works_by_itself(names, check):
    from lossprimer.grading import sandbox

    sources = excerpt(names).sources
    program = PROGRAM.format(folder=str(sandbox.INSIDE.parent), sources=sources, names=names, check=check)
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert set(ast.literal_eval(done.stdout)) <= set(sources)


def test_an_excerpt_holds_no_other_function_of_the_package():
    text = "\n".join(excerpt(["softmax"]).sources.values())
    defined = {node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assert "softmax" in defined
    assert not defined & (set(lossprimer.__all__) - {"softmax"})


def test_nothing_named_is_nothing_offered():
    assert excerpt([]).sources == {NAME: ""}
