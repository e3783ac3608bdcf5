"""Which part of the course's package may a submission use? What its problem set names, and what that needs, as source.

A learner's process must not hold the answers. So it does not get the package, but the text of a few functions, cut out
of their modules together with the imports, constants and helpers that they refer to.
"""

import ast
import functools
import importlib
import inspect
import re
from collections.abc import Iterable
from dataclasses import dataclass

import lossprimer

NAME = lossprimer.__name__


@dataclass(frozen=True)
class Excerpt:
    """Source texts of modules by their full names, and the names that the package exports."""

    sources: dict[str, str]
    names: tuple[str, ...]


def named(texts: Iterable[str]) -> list[str]:
    """The functions and classes of the package that texts speak of: ``lp.softmax``, ``from lossprimer import ...``."""
    text = "\n".join(texts)
    found = set(re.findall(rf"\b(?:lp|{NAME})\.(\w+)", text))
    for line in re.findall(rf"\bfrom {NAME} import ([\w, ]+)", text):
        found |= {name.split()[0] for name in line.split(",") if name.strip()}
    return sorted(found & set(lossprimer.__all__))


def excerpt(names: Iterable[str]) -> Excerpt:
    """The modules of the package cut down to what `names` need."""
    names = tuple(names)
    wanted, pending = {}, []
    for name in names:
        pending.append((getattr(lossprimer, name).__module__, name))
    exports = "".join(f"from {module} import {name}\n" for module, name in pending)
    while pending:
        module, name = pending.pop()
        statements = wanted.setdefault(module, set())
        number, statement = _binding(module, name)
        if number in statements:
            continue
        statements.add(number)
        if isinstance(statement, ast.ImportFrom) and (statement.module or "").startswith(f"{NAME}."):
            pending += [(statement.module, alias.name) for alias in statement.names]
        else:
            pending += [(module, word) for word in _words(statement) if word in _bindings(module)]
    sources = {module: _text(module, numbers) for module, numbers in wanted.items()}
    return Excerpt({NAME: exports, **sources}, names)


def _text(module, numbers):
    """The chosen statements of a module, in their order."""
    body = _tree(module).body
    return ast.unparse(ast.Module([body[number] for number in sorted(numbers)], []))


@functools.cache
def _tree(module):
    return ast.parse(inspect.getsource(importlib.import_module(module)))


@functools.cache
def _bindings(module):
    """For each name that a module binds, the number of the statement that does it."""
    found = {}
    for number, statement in enumerate(_tree(module).body):
        for name in _bound(statement):
            found[name] = number
    return found


def _binding(module, name):
    number = _bindings(module)[name]
    return number, _tree(module).body[number]


def _bound(statement):
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return [(alias.asname or alias.name).partition(".")[0] for alias in statement.names]
    # Only what stands left of an equals sign: a comprehension to the right of it has names of its own.
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", statement)]
    nodes = [node for target in targets for node in ast.walk(target)]
    return [node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]


def _words(statement):
    """The names that a statement may refer to."""
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
