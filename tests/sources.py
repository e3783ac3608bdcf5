"""The Python files of the course, parsed once for all tests of a process, which leave them as they are."""

import ast
from functools import cache
from pathlib import Path


@cache
def tree(path: Path) -> ast.Module:
    """Return the syntax of the file at `path`."""
    return ast.parse(path.read_text("utf-8"))


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Return the syntax of the file at `path`, node by node."""
    return tuple(ast.walk(tree(path)))
