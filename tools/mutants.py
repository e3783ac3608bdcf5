"""Which small changes of a right answer do the checks not notice?

    python -m tools.mutants [--order 2] [--pairs N] [--seed N] [TASK ...]

Each reference answer of the problem sets is changed at one place, or at two: an operator, a number, a name, an axis, a
call that is left out. A check should refuse every such mutant. One that it accepts is listed; either it computes the
same, and then `EQUIVALENT` says why, or the check needs another case.
"""

import argparse
import ast
import copy
import itertools
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import lossprimer
from lossprimer.checks.task import TASKS
from tools import notebooks

SETS = Path(__file__).resolve().parent.parent / "exercises" / "source"
PAIRS = 40  # second-order mutants of each answer that are tried, if no other number is asked for

# Why a mutant that the checks accept is right: a pattern of the changed lines, by task, and the reason.
_SECOND_AXIS = r"axis=(--)?1\b", "a table has two axes, and axis 1 is the last one"
_ALL_ROWS = r"len\((logits|shifted|gradient|log_totals|labels)\)", "all of these have N rows"
_NEVER_EQUAL = r"random\((a|x)\.shape\) <= ", "that a drawn number is equal to keep_prob has the probability 2^-53"
_IN_ANY_ORDER = (
    r"swapaxes\((2, 1|1, -2|3, 2|-2, 3)\)",
    "axes 1 and 2 are named from the front or from the back, in any order",
)
EQUIVALENT: dict[str, list[tuple[str, str]]] = {
    "accumulated_gradient": [(r"astype\(total\.dtype\)", "the sum is in float64 then, and a wider type is allowed")],
    "add_block": [
        (r"astype\((highest|m|s)\.dtype\)", "the state and the block have the same float type"),
        (r"np\.inf, (-1|1), highest", "any number can be subtracted from -inf"),
        (r"np\.maximum\(z\.max\(axis=-1\), m\)", "the larger of two is the same in both orders"),
    ],
    "attention_weights": [
        (r"length, width = keys\.shape", "queries and keys have the same shape"),
        (r"seen = np\.tri\(length\)", "np.where takes 1.0 for true and 0.0 for false"),
        (r"swapaxes\(keys, -2, -1\)", "to swap two axes is the same in both orders"),
    ],
    "cross_entropy": [_SECOND_AXIS, _ALL_ROWS],
    "cross_entropy_grad": [_ALL_ROWS],
    "dropout_layer": [
        _NEVER_EQUAL,
        (r"kept\.astype\(kept\.dtype\)", "booleans over a number are float64, and a wider type is allowed"),
    ],
    "inverted_dropout": [
        _NEVER_EQUAL,
        (r"^return \(mask \* a / keep_prob, mask\)$", "a product is the same in either order"),
    ],
    "kl_divergence": [(r"np\.errstate\((divide|invalid)", "only a warning of NumPy's is let out")],
    "layer_norm_backward": [_SECOND_AXIS],
    "monte_carlo_average": [_NEVER_EQUAL],
    "multi_head_attention": [
        _IN_ANY_ORDER,
        (r"= (keys|values)\.shape|reshape\((keys|values)\.shape\)", "queries, keys and values have the same shape"),
        (r"seen = np\.tri\(length\)$", "np.where takes 1.0 for true and 0.0 for false"),
    ],
    "pre_norm_branch": [(r"np\.maximum\(0, self\.n @ self\.w1\)", "the larger of two is the same in both orders")],
    "sample": [
        _SECOND_AXIS,
        (r"np\.minimum\(classes - 1, tokens\)", "the smaller of two is the same in both orders"),
        (r"sums < rng\.random", "that a drawn number is equal to a sum has the probability 2^-53"),
    ],
    "weighted_cross_entropy": [_ALL_ROWS],
    "rms_norm": [(r"x \* gamma /", "a product is the same in both orders")],
    "softmax_backward": [(r"\(p \* dy\)", "a product is the same in both orders")],
    "smoothed_cross_entropy": [_SECOND_AXIS, (r"shape\[(--)?1\]", "logits have two axes, and axis 1 is the last one")],
}

_OPERATORS = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add, ast.Mult),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult, ast.Sub),
    ast.Pow: (ast.Mult,),
    ast.MatMult: (),
    ast.Lt: (ast.Gt, ast.LtE),
    ast.Gt: (ast.Lt, ast.GtE),
    ast.LtE: (ast.GtE, ast.Lt),
    ast.GtE: (ast.LtE, ast.Gt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
}
_SIBLINGS = (
    ("max", "min", "mean", "sum"),
    ("exp", "exp2", "expm1"),
    ("log", "log2", "log1p"),
    ("zeros", "ones"),
    ("zeros_like", "ones_like"),
    ("var", "std"),
    ("tri", "ones"),
    ("softmax", "log_softmax"),
)


def references() -> dict[str, tuple[str, str]]:
    """The name and the source of the reference answer of each task, from the problem sets."""
    found = {}
    for path in sorted(SETS.glob("*/*.ipynb")):
        for cell in notebooks.load(path).cells:
            defined = re.search(r"^(?:def|class) (\w+)", cell.source, re.MULTILINE)
            if cell.cell_type != "code" or "### BEGIN SOLUTION" not in cell.source or not defined:
                continue
            for name, task in TASKS.items():
                if task.usage.partition("(")[0] == defined[1]:
                    found[name] = defined[1], cell.source
    return found


def mutants(tree: ast.Module) -> Iterator[ast.Module]:
    """Copies of a module, each changed at one place."""
    for place in _places(tree):
        yield _mutant(tree, *place)


def _places(tree):
    """The number of each node that can be changed, and a function that changes it in place."""
    return [(number, change) for number, node in enumerate(ast.walk(tree)) for change in _changes(node, tree)]


def _mutant(tree, number, change):
    twin = copy.deepcopy(tree)
    change(next(itertools.islice(ast.walk(twin), number, None)))
    return ast.fix_missing_locations(twin)


def _changes(node, tree):
    """Functions that change a node like this one in place."""
    if isinstance(node, ast.BinOp | ast.AugAssign):
        for other in _OPERATORS.get(type(node.op), ()):
            yield lambda n, other=other: setattr(n, "op", other())
    if isinstance(node, ast.BinOp):
        yield lambda n: _become(n, n.left)
        yield lambda n: _become(n, n.right)
    if isinstance(node, ast.UnaryOp) and not isinstance(node.operand, ast.Constant):
        yield lambda n: _become(n, n.operand)
    if isinstance(node, ast.Compare):
        for other in _OPERATORS.get(type(node.ops[0]), ()):
            yield lambda n, other=other: n.ops.__setitem__(0, other())
    if isinstance(node, ast.Constant) and type(node.value) in (int, float, bool):
        values = (not node.value,) if type(node.value) is bool else (node.value + 1, node.value - 1, -node.value, 0)
        for value in dict.fromkeys(values):
            if value != node.value:
                yield lambda n, value=value: setattr(n, "value", value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant):
        for value in (0, 1, -2, None):
            yield lambda n, value=value: _become(n, ast.Constant(value))
    if isinstance(node, ast.Call):
        yield from _changes_of_call(node)
    if isinstance(node, ast.Subscript):
        yield lambda n: _become(n, n.value)
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield lambda n: _become(n, n.value)
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        for name in sorted(_names(tree) - {node.id}):  # in one order, so that a sample is the same each time
            if node.id in _names(tree):
                yield lambda n, name=name: setattr(n, "id", name)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
        for name in sorted(_own(tree) - {node.attr}):
            yield lambda n, name=name: setattr(n, "attr", name)
    if isinstance(node, ast.Tuple) and len(node.elts) > 1 and isinstance(node.ctx, ast.Load):
        yield lambda n: n.elts.reverse()
    if isinstance(node, ast.Assign | ast.AugAssign):
        yield lambda n: _become(n, ast.Pass())
    if isinstance(node, ast.If | ast.IfExp):
        for value in (True, False):
            yield lambda n, value=value: setattr(n, "test", ast.Constant(value))


def _changes_of_call(node):
    for number in range(len(node.keywords)):
        yield lambda n, number=number: n.keywords.pop(number)
    if len(node.args) > 1:
        yield lambda n: n.args.reverse()
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    for siblings in _SIBLINGS:
        for other in siblings if name in siblings else ():
            if other != name:
                yield lambda n, other=other: setattr(n.func, "attr", other)
    for number in range(len(node.args)):
        yield lambda n, number=number: _become(n, n.args[number])
    if not node.args and isinstance(node.func, ast.Attribute):
        yield lambda n: _become(n, n.func.value)


def _become(node, other):
    """Make a node into a copy of another."""
    other = copy.deepcopy(other)
    node.__class__ = other.__class__
    node.__dict__.clear()
    node.__dict__.update(other.__dict__)


def _names(tree):
    """The names that a function's own code binds, but for those of the function."""
    arguments = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    return (arguments | {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}) - {
        "self"
    }


def _own(tree):
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    }


def answer(tree: ast.Module, name: str) -> object:
    """The function or class that a module defines, or None if the module cannot be run."""
    space = {"np": np, "lp": lossprimer}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile(tree, "<mutant>", "exec"), space)
    except Exception:
        return None
    return space[name]


def changed_lines(before: ast.Module, after: ast.Module) -> str:
    """The lines of a mutant that the answer does not have, or "(nothing)" where only something was left out."""
    old = ast.unparse(before).splitlines()
    return "; ".join(line.strip() for line in ast.unparse(after).splitlines() if line not in old) or "(nothing)"


def survivors(task: str, *, order: int = 1, pairs: int = PAIRS, seed: int = 0) -> tuple[int, list[str]]:
    """How many mutants of a reference answer were tried, and the changed lines of those that a check accepts.

    Of the second order a sample is tried, drawn from a Generator with this seed.
    """
    name, source = references()[task]
    tree = ast.parse(source)
    tried, found = 0, set()
    for mutant in _distinct(tree) if order == 1 else _second(tree, pairs, seed):
        tried += 1
        function = answer(mutant, name)
        if function is not None and not TASKS[task].refuses(function):
            found.add(changed_lines(tree, mutant))
    return tried, sorted(found)


def _distinct(tree):
    """The mutants whose code differs from the answer's and from each other's."""
    seen = {ast.unparse(tree)}
    for mutant in mutants(tree):
        code = ast.unparse(mutant)
        if code not in seen:
            seen.add(code)
            yield mutant


def _second(tree, pairs, seed):
    """Mutants of mutants; two changes that undo each other, or that are one, are left out."""
    rng = np.random.default_rng(seed)
    known = {ast.unparse(tree), *map(ast.unparse, mutants(tree))}
    places = _places(tree)
    for one in rng.choice(len(places), size=min(pairs, len(places)), replace=False):
        first = _mutant(tree, *places[one])
        others = _places(first)
        second = _mutant(first, *others[rng.integers(len(others))])
        code = ast.unparse(second)
        if code not in known:
            known.add(code)
            yield second


def unexplained(task: str, lines: list[str]) -> list[str]:
    """Those survivors for which `EQUIVALENT` gives no reason."""
    patterns = [pattern for pattern, _ in EQUIVALENT.get(task, ())]
    return [line for line in lines if not any(re.search(pattern, line) for pattern in patterns)]


def main(argv: list[str] | None = None) -> None:
    """Print the survivors of each task."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", metavar="TASK", nargs="*", choices=[[], *sorted(TASKS)], default=[])
    parser.add_argument("--order", type=int, choices=(1, 2), default=1)
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    open_cases = 0
    for task in args.tasks or sorted(references()):
        tried, lines = survivors(task, order=args.order, pairs=args.pairs, seed=args.seed)
        left = unexplained(task, lines)
        open_cases += len(left)
        print(f"{task}: {tried} mutants, {len(lines)} survive, {len(left)} without a reason")
        for line in lines:
            print("  " + ("! " if line in left else "= ") + line)
    sys.exit(open_cases > 0)


if __name__ == "__main__":
    main()
