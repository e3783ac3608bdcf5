"""The laboratories of the chapters: cells that run by themselves, on a page as in the notebook."""

import ast
import functools
from pathlib import Path

import nbformat
import pytest

from live.laboratories import TAG, imports
from lossprimer import page

CHAPTERS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


@functools.cache
def read(path):
    """Return the cells of a chapter, its laboratories, and what its cells import."""
    cells = nbformat.read(path, as_version=4).cells
    laboratories = [cell for cell in cells if TAG in cell.metadata.get("tags", [])]
    return cells, laboratories, imports([cell.source for cell in cells if cell.cell_type == "code"])


def bound(source):
    """Return the names that the top level of a cell binds."""
    found = set()
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            found.add(statement.name)
        else:
            names = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
            found |= {name.id for name in names if isinstance(name.ctx, ast.Store)}
    return found - {"_"}


def used(source):
    return {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}


def shown(found):
    """Return all the text of a run."""
    return found["printed"] + "".join(output["data"] for output in found["outputs"])


def stored(cell):
    return "".join(output.get("text") or output.data["text/plain"] for output in cell.outputs)


@each_chapter
def test_a_chapter_has_at_least_three(path):
    assert len(read(path)[1]) >= 3


@each_chapter
def test_each_says_before_it_what_to_change_and_not_what_comes_of_it(path):
    cells, laboratories, _ = read(path)
    for cell in laboratories:
        before = cells[cells.index(cell) - 1]
        assert before.cell_type == "markdown"
        assert before.source.startswith("**Change it.** ")
        # On paper nothing covers the answer: it comes last.
        assert "<details>" not in before.source


@each_chapter
def test_each_runs_by_itself_on_a_page_and_shows_what_the_notebook_shows(path):
    _, laboratories, setup = read(path)
    for cell in laboratories:
        found = page.run(cell.source, setup)
        assert found["error"] is None
        if "nbval-ignore-output" not in cell.metadata.tags:
            assert shown(found) == stored(cell)


@each_chapter
def test_what_one_changes_no_other_cell_reads(path):
    cells, laboratories, _ = read(path)
    others = [cell.source for cell in cells if cell.cell_type == "code" and cell not in laboratories]
    read_elsewhere = set().union(*(used(source) for source in others if "%pip" not in source))
    for cell in laboratories:
        assert not bound(cell.source) & read_elsewhere
