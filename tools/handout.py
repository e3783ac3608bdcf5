"""What do students get of a problem set? The notebook without solutions and hidden tests, as nbgrader writes it.

The site offers it, and is built without nbgrader: that brings fifty packages, and keeps a database for a class. A test
compares this with what nbgrader makes.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from nbformat import NotebookNode

STUBS = {"code": "# YOUR CODE HERE\nraise NotImplementedError()", "markdown": "YOUR ANSWER HERE"}


def handout(nb: NotebookNode) -> NotebookNode:
    """Return `nb`, changed to what is given out.

    Raises
    ------
    ValueError
        If a solution or a hidden test begins and does not end.
    """
    for cell in nb.cells:
        role = cell.metadata.nbgrader
        if role.solution:
            cut = _without("SOLUTION", cell.source, STUBS[cell.cell_type])
            cell.source = STUBS[cell.cell_type] if cut == cell.source else cut
        cell.source = _without("HIDDEN TESTS", cell.source)
        if role.grade or role.solution or role.locked:
            cell.metadata.deletable = False
            if not role.solution:
                cell.metadata.editable = False
            role.checksum, role.cell_type = checksum(cell.source, cell.cell_type, role), cell.cell_type
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return nb


def _without(kind: str, source: str, stub: str = "") -> str:
    """Return `source` with the lines `stub`, indented, in place of what stands between the marks of `kind`."""
    kept, inside = [], False
    for line in source.split("\n"):
        if f"### BEGIN {kind}" in line:
            inside = True
            indent = line[: len(line) - len(line.lstrip())]
            kept += [indent + part for part in stub.split("\n") if stub]
        elif f"### END {kind}" in line:
            inside = False
        elif not inside:
            kept.append(line)
    if inside:
        raise ValueError(f"### BEGIN {kind} has no ### END {kind}")
    return "\n".join(kept)


def checksum(source: str, kind: str, role: Mapping[str, Any]) -> str:
    """Return nbgrader's checksum of a cell of a kind, "code" or "markdown", by which it sees that one was changed."""
    parts = [source, kind, role["grade"], role["solution"], role["locked"], role["grade_id"]]
    parts += [float(role["points"])] if role["grade"] else []
    return hashlib.md5("".join(map(str, parts)).encode("utf-8"), usedforsecurity=False).hexdigest()
