"""Can the formulas be read in the code? Counts the lines that a reader of a public function has to look up.

Counted are all functions and methods of the package that are reached from it, with their decorators and signatures. The
tables of rules that the checks go through are data, one sentence for each way to be wrong, and not counted.
"""

import ast
import inspect
import io
import textwrap
import tokenize
from types import FunctionType

import pytest

import lossprimer

LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


def source(function):
    """The text of a function, decorators included, and its syntax tree."""
    text = textwrap.dedent(inspect.getsource(function))
    return text, ast.parse(text).body[0]


def code_lines(function):
    """How many lines hold code: no docstring, no comment, no blank line."""
    text, tree = source(function)
    lines = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in LAYOUT:
            lines.update(range(token.start[0], token.end[0] + 1))
    if ast.get_docstring(tree) is not None:
        lines -= set(range(tree.body[0].lineno, tree.body[0].end_lineno + 1))
    return len(lines)


def used(function, owner):
    """The package's functions that a function names, in modules too, and the methods of its own class."""
    for node in ast.walk(source(function)[1]):
        if isinstance(node, ast.Name):
            found = function.__globals__.get(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            place = owner if node.value.id == "self" else function.__globals__.get(node.value.id)
            found = inspect.getattr_static(place, node.attr, None)
        else:
            continue
        found = inspect.unwrap(found) if callable(found) else None
        if isinstance(found, FunctionType) and found.__module__.startswith("lossprimer"):
            yield found


def reached(name):
    """All functions that a reader of the named function, or of a class's call, comes to."""
    found = getattr(lossprimer, name)
    owner, start = (found, found.__call__) if inspect.isclass(found) else (None, found)
    functions, new = set(), {inspect.unwrap(start)}
    while new:
        functions |= new
        new = {other for function in new for other in used(function, owner)} - functions
    return functions


@pytest.mark.parametrize(
    ("name", "limit"),
    [("softmax", 20), ("cross_entropy", 45), ("BatchNorm", 25), ("LayerNorm", 25), ("RMSNorm", 25)],
)
def test_the_lines_to_read(name, limit):
    functions = reached(name)
    assert sum(map(code_lines, functions)) <= limit, {f.__qualname__: code_lines(f) for f in functions}


def test_the_count_follows_modules_and_methods():
    names = {function.__qualname__ for function in reached("cross_entropy_and_grad") | reached("BatchNorm")}
    assert names >= {"cross_entropy", "loss_and_gradient", "check", "BatchNorm._statistics", "Layer._keep"}
