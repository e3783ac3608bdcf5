"""The part of the package that a submission has: what its set names, all that this needs, and nothing else."""

import ast
import subprocess
import sys

import lossprimer
from lossprimer.grading.excerpt import NAME, excerpt, named

# An importer for the excerpt alone, as in the sandbox. NumPy is there, from the first excerpt that imports it.
PROGRAM = """
import sys
sys.path.append({folder!r})
from inside.library import Package
there = list(sys.meta_path)
for sources, names, check in {cases!r}:
    Package().offer(sources, names)
    import lossprimer
    for name in names:
        assert getattr(lossprimer, name).__module__ in sources, name
    exec(compile(check, check, "exec"))
    found = [name for name in sys.modules if name.startswith("lossprimer")]
    print(found)
    sys.meta_path[:] = there
    for name in found:
        del sys.modules[name]
"""
CASES = [
    (["softmax"], "import numpy as np; assert lossprimer.softmax(np.zeros(2)).tolist() == [0.5, 0.5]"),
    (["log_softmax", "one_hot"], "assert lossprimer.one_hot([1], 2).tolist() == [[0.0, 1.0]]"),
    (["cross_entropy"], "assert lossprimer.cross_entropy([[0.0, 0.0]], [1]) > 0.6"),
    (["inverted_dropout", "Dropout"], "assert lossprimer.Dropout(0.5).keep_prob == 0.5"),
    (["LayerNorm"], "assert lossprimer.LayerNorm(2)([[1.0, 2.0]]).shape == (1, 2)"),
]


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


def test_an_excerpt_works_by_itself():
    from lossprimer.grading import sandbox

    cases = [(excerpt(names).sources, names, check) for names, check in CASES]
    program = PROGRAM.format(folder=str(sandbox.INSIDE.parent), cases=cases)
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for (sources, names, _), found in zip(cases, done.stdout.splitlines(), strict=True):
        assert set(ast.literal_eval(found)) <= set(sources), names


def test_an_excerpt_holds_no_other_function_of_the_package():
    text = "\n".join(excerpt(["softmax"]).sources.values())
    defined = {node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assert "softmax" in defined
    assert not defined & (set(lossprimer.__all__) - {"softmax"})


def test_nothing_named_is_nothing_offered():
    assert excerpt([]).sources == {NAME: ""}
