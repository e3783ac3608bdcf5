"""Which parts of a submitted notebook are the learner's? Their answers are found; the rest comes from the release."""

import ast
import copy
import json
import re

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell

_NEW = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}
_MAGIC = re.compile(r"^(\s*)[%!].*$|^\s*\?.*$|^.*\?\s*$", re.MULTILINE)
_HIDDEN = re.compile(r"^.*BEGIN HIDDEN TESTS.*$.*?^.*END HIDDEN TESTS.*$", re.MULTILINE | re.DOTALL)
# Statements of a cell that other cells build on. Its other statements show something, and may take long.
_DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)


def read(text: str) -> NotebookNode:
    """The notebook in a submitted file, without the cells that are none.

    Raises
    ------
    Exception
        Of many types, if there is no notebook in it.
    """
    content = json.loads(text)
    if content["nbformat"] == 4:
        content["cells"] = [cell for cell in content["cells"] if _is_cell(cell)]
        for cell in content["cells"]:
            cell["metadata"] = cell["metadata"] if isinstance(cell.get("metadata"), dict) else {}
    return nbformat.reads(json.dumps(content), as_version=4)


def _is_cell(cell):
    if not isinstance(cell, dict) or cell.get("cell_type") not in _NEW:
        return False
    source = cell.get("source")
    return isinstance(source, str) or (isinstance(source, list) and all(isinstance(line, str) for line in source))


def label(cell: NotebookNode) -> str:
    """What nbgrader calls a cell, or what the notebook calls it."""
    return _nbgrader(cell).get("grade_id") or cell.get("id", "")


def is_answer(cell: NotebookNode) -> bool:
    """Whether what is in a released cell is the learner's: an answer, or a cell that nbgrader knows nothing of."""
    return _nbgrader(cell).get("solution", False) or not _nbgrader(cell)


def is_test(cell: NotebookNode) -> bool:
    """Whether a cell decides on points by being run."""
    return (
        cell.cell_type == "code" and _nbgrader(cell).get("grade", False) and not _nbgrader(cell).get("solution", False)
    )


def restored(released: NotebookNode, submitted: NotebookNode) -> NotebookNode:
    """The release with the learner's answers in it.

    An answer is found by the name that nbgrader gives its cell, else by the cell's id, else by the functions and
    classes that it defines. Cells that the learner added stay behind the cell that they followed. Everything else,
    metadata included, is the release's: nothing that was edited, deleted or moved there has an effect.

    Parameters
    ----------
    released, submitted : NotebookNode
        Neither is changed. Of `submitted` nothing is believed.

    Returns
    -------
    NotebookNode
    """
    notebook = copy.deepcopy(released)
    cells = [cell for cell in submitted.get("cells", []) if isinstance(cell, dict) and cell.get("cell_type") in _NEW]
    homes = _homes(notebook.cells, cells)
    extra = {}
    before = -1
    for number, cell in enumerate(cells):
        home = homes.get(number)
        if home is None:
            extra.setdefault(before, []).append(_added(cell))
            continue
        before = home
        if is_answer(notebook.cells[home]):
            notebook.cells[home].source = _source(cell)
            if notebook.cells[home].cell_type == "markdown" and isinstance(cell.get("attachments"), dict):
                notebook.cells[home].attachments = cell["attachments"]
    merged = list(extra.get(-1, []))
    for number, cell in enumerate(notebook.cells):
        merged += [cell, *extra.get(number, [])]
    for number, cell in enumerate(merged):
        if "id" not in cell:
            cell["id"] = f"added-{number}"
    notebook.cells = merged
    return notebook


def visible(source: str) -> str:
    """A test without its hidden part."""
    return _HIDDEN.sub("", source)


def plain_python(source: str) -> str:
    """A cell without IPython's commands, which mean nothing outside a kernel."""
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _MAGIC.sub(lambda line: (line[1] or "") + "pass", source)
    return source


def definitions(source: str) -> str:
    """What a cell imports, defines and assigns."""
    tree = ast.parse(plain_python(source))
    tree.body = [statement for statement in tree.body if isinstance(statement, _DEFINITIONS)]
    return ast.unparse(tree)


def _nbgrader(cell):
    found = cell.get("metadata", {}) if isinstance(cell.get("metadata", {}), dict) else {}
    return found.get("nbgrader", {}) if isinstance(found.get("nbgrader", {}), dict) else {}


def _source(cell):
    source = cell.get("source", "")
    return source if isinstance(source, str) else ""


def _added(cell):
    """A cell that the learner added, with nothing but its text."""
    added = _NEW[cell["cell_type"]](_source(cell))
    del added["id"]
    return added


def _homes(released, cells):
    """For the number of a submitted cell the number of the released cell whose place it takes, no place twice."""
    homes = {}
    _match(homes, released, cells, lambda cell: _nbgrader(cell).get("grade_id"))
    _match(homes, released, cells, lambda cell: cell.get("id"))
    _match(homes, released, cells, _defined)
    return homes


def _match(homes, released, cells, key):
    """Add the pairs with the same key. Of several copies of a cell, the last that differs from the release counts."""
    taken = set(homes.values())
    places = {key(cell): number for number, cell in enumerate(released) if key(cell) and number not in taken}
    found = {}
    for number, cell in enumerate(cells):
        name = key(cell) if number not in homes else None
        if not isinstance(name, (str, tuple)) or name not in places:
            continue
        place = places[name]
        if place not in found or _source(cell) != released[place].source:
            found[place] = number
    homes |= {number: place for place, number in found.items()}


def _defined(cell):
    """The functions and classes that a code cell defines."""
    if cell.get("cell_type") != "code":
        return None
    return tuple(re.findall(r"^(?:def|class)\s+(\w+)", _source(cell), re.MULTILINE)) or None
