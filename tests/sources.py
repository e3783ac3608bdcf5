"""What the Python files of the course import and look up, read once for all tests of a process."""

import ast
from functools import cache
from pathlib import Path


@cache
def references(path: Path) -> tuple[ast.Import | ast.ImportFrom | ast.Attribute, ...]:
    """Return the imports and the attributes in the file at `path`.

    The rest of the syntax is not kept: Python would look for garbage among 400,000 objects more.
    """
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    return tuple(node for node in nodes if type(node) in (ast.Import, ast.ImportFrom, ast.Attribute))
