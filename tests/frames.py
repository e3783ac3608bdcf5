"""Which pictures does the course show? All settings of all explorers of the chapters, and all other figures.

The chapters' own cells make them, so that nothing is said twice; only what takes minutes to train has a stand-in here.
"""

import ast
import functools
import json
import re
from pathlib import Path

import numpy as np

from lossprimer.explorer.explorer import Explorer
from lossprimer.explorer.picture import Picture
from lossprimer.transformer import Transformer

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
DEPTHS = np.arange(1.0, 51)


def _scores(scale):
    """Return scores of 2,000 images whose best temperature is `scale`: class i of ten is right at each tenth one."""
    rng = np.random.default_rng(0)
    return scale * (rng.normal(0, 2, (2000, 10)) + 4 * np.eye(10)[np.arange(2000) % 10])


def _attention(sharpness):
    """Return causal attention weights of two blocks of two heads: the first block looks eight places back."""
    query, key = np.mgrid[:16, :16]
    scores = np.stack([-np.abs(key - query + back) for back in (8, 8, 0, 3)]).reshape(2, 2, 16, 16) * sharpness
    weights = np.exp(np.where(key <= query, scores, -np.inf))
    return weights / weights.sum(axis=-1, keepdims=True)


def _expected(step):
    """Return the probabilities of twelve tokens at sixteen places, after some steps: token 1 wins everywhere."""
    odds = np.full((16, 12), 1.0)
    odds[:, 1] = np.exp(step / 20)
    return odds / odds.sum(axis=-1, keepdims=True)


def _samples(prompts):
    """Return continuations that go wrong the more often the hotter they are sampled."""
    rng = np.random.default_rng(0)
    hot = [0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 4, 5, 7, 10, 15, 20]
    return {
        (name, T): np.where(rng.random((200, 8)) < T / 25, rng.integers(0, 12, (200, 8)), prompt)
        for name, prompt in prompts.items()
        for T in hot
    }


# The methods that change what they are called on.
CHANGING = {"append", "update"}
PROMPTS = {"3 1 4 1 5 9 2 6": [3, 1, 4, 1, 5, 9, 2, 6], "7 7 7 7 7 7 7 7": [7] * 8}
SHOWN = (*range(0, 101, 10), 120, 150, 200, 250, 300)
# What the chapters train, by chapter and name; the numbers are about those that training gives.
STAND_INS = {
    "01_softmax": {},
    "02_cross_entropy": {
        "curves": {0: 2 * 0.8 ** np.arange(100.0), 0.1: 0.52 + 1.3 * 0.8 ** np.arange(100.0)},
        "floors": {0: 0.0, 0.1: 0.5003},
        "test_scores": {0: _scores(1.3), 0.1: _scores(0.45)},
        "truths": np.arange(2000) % 10,
    },
    "03_dropout": {},
    "04_normalization": {
        "sizes": {"none": 1.5 * 0.99**DEPTHS, "LayerNorm": 0.9**DEPTHS + 0.7, "BatchNorm": 2e4 * 0.82**DEPTHS},
        "start": {
            "pre-LN": (DEPTHS**0.5, DEPTHS**-0.3),
            "post-LN": (np.ones(50), 0.45 * 1.027**DEPTHS),
            "none": (1.41**DEPTHS, DEPTHS**-0.1),
        },
    },
    "05_transformer": {
        "losses": {
            "dropout": [2.9 * 0.985 ** np.arange(300) + 0.01] * 3,
            "no dropout": [2.9 * 0.97 ** np.arange(300) + 0.0005] * 3,
        },
        "snapshots": {step: (_attention(step / 60), _expected(step)) for step in SHOWN},
        "trained": Transformer(12, 16, rng=np.random.default_rng(0)).eval(),
        "samples": _samples(PROMPTS),
        "recalling": {2: [Transformer(12, 16, rng=np.random.default_rng(0)).eval()]},
    },
}


@functools.cache
def shown(chapter: str) -> list[Explorer | Picture]:
    """Return all explorers and figures of a chapter, in their order.

    Of its cells only those statements are run that these need.
    """
    cells = json.loads((NOTEBOOKS / f"{chapter}.ipynb").read_text("utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    # Magic commands are no Python: here they only install the package where it is missing.
    statements = [part for cell in code for part in ast.parse(re.sub(r"(?m)^( *)%.*", r"\1pass", cell)).body]
    given = STAND_INS[chapter]
    wanted, needed = set(), set()
    for place, statement in reversed([*enumerate(statements)]):
        if _shows(statement) or _made(statement) & needed:
            wanted.add(place)
            if isinstance(statement, ast.Assign | ast.Import | ast.ImportFrom | ast.FunctionDef):
                needed -= _made(statement)
            needed |= _read(statement) - given.keys()
    space, found = dict(given), []
    for place in sorted(wanted):
        if _shows(statements[place]):
            found.append(eval(compile(ast.Expression(statements[place].value), chapter, "eval"), space))
        else:
            exec(compile(ast.Module([statements[place]], []), chapter, "exec"), space)
    assert all(isinstance(one, Explorer | Picture) for one in found)
    return found


def _shows(statement):
    """Tell whether a statement shows an explorer or a figure."""
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return False
    return ast.unparse(statement.value.func).split(".")[0] in {"explore", "steps", "figures"}


def _made(statement):
    """Return the names that a statement defines or changes; those that only a loop within it uses are left out."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).split(".")[0] for alias in statement.names}
    names = _names(statement, ast.Store) if isinstance(statement, ast.Assign | ast.AugAssign) else set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            names |= _names(node.value, ast.Load)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHANGING:
            names |= _names(node.func.value, ast.Load)
    return names - _local(statement)


def _read(statement):
    """Return the names that a statement reads from those before it."""
    own = _names(statement, ast.Store) if isinstance(statement, ast.FunctionDef | ast.For) else set()
    return _names(statement, ast.Load) - _local(statement) - own


def _names(tree, context):
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, context)}


def _local(tree):
    """Return the names that stand for the parts of a comprehension or the arguments of a function."""
    nodes = [*ast.walk(tree)]
    found = {node.arg for node in nodes if isinstance(node, ast.arg)}
    return found.union(*(_names(node.target, ast.Store) for node in nodes if isinstance(node, ast.comprehension)))


def frames(one):
    """Yield each setting of an explorer with its picture, or the one picture."""
    if isinstance(one, Picture):
        yield (), one
    else:
        # The explorer would keep them.
        yield from ((at, one.drawn_from(at, {})) for at in np.ndindex(*map(len, one.controls.values())))
