"""The explorers import nothing else of the course, imports point one way, and the package lists what it offers."""

import ast
import graphlib
import sys
from pathlib import Path

import pytest

import lossprimer
from tests.sources import references

PACKAGE = Path(lossprimer.__file__).parent
EXPLORER = PACKAGE / "explorer"


def name_of(path):
    """Return the name of the module in a file of the package."""
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports(path):
    """Return the modules that a file imports, wherever in the file and for whatever reason."""
    found, here = set(), path.relative_to(PACKAGE.parent).with_suffix("").parts
    for node in references(path):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join([*(here[: -node.level] if node.level else ()), *filter(None, [node.module])])
            names = {f"{base}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else base for name in names}
    return found


@pytest.mark.parametrize("path", sorted(EXPLORER.glob("*.py")), ids=lambda path: path.stem)
def test_a_module_of_the_explorers_imports_nothing_else_of_the_course(path):
    ours = {name for name in imports(path) if name.split(".")[0] in {"lossprimer", "theme", "tools"}}
    assert {name for name in ours if not f"{name}.".startswith("lossprimer.explorer.")} == set()
    theirs = {name.split(".")[0] for name in imports(path) - ours} - sys.stdlib_module_names
    beside = {"extension": {"sphinx"}, "shown": {"IPython"}}  # which both call these
    assert theirs <= {"numpy", "matplotlib", "ipywidgets"} | beside.get(path.stem, set())


@pytest.mark.parametrize("path", sorted(EXPLORER.iterdir()), ids=lambda path: path.name)
def test_the_explorers_bear_no_name_of_the_course_but_that_of_their_package(path):
    if path.is_file():
        text = path.read_text("utf-8").replace("lossprimer.explorer", "").lower()
        assert "primer" not in text.replace("nothing else of `lossprimer`", "")


def test_imports_point_one_way():
    graph = {name: imports(path) & MODULES.keys() for name, path in MODULES.items()}
    order = list(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError for a circle
    assert order.index("lossprimer.explorer.explorer") > order.index("lossprimer.explorer.static")


def test_every_public_name_is_there_and_listed():
    assert set(lossprimer.__all__) <= set(dir(lossprimer))
    for name in lossprimer.__all__:
        assert getattr(lossprimer, name).__name__ == name


def test_each_public_name_is_imported_for_type_checkers_from_where_it_is_defined():
    told = {
        alias.name: node.module
        for node in references(PACKAGE / "__init__.py")
        if isinstance(node, ast.ImportFrom) and node.module.startswith("lossprimer.")
        for alias in node.names
    }
    assert told == {name: getattr(lossprimer, name).__module__ for name in lossprimer.__all__}


def test_a_name_that_there_is_not_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'lossprimer' has no attribute 'softmin'"):
        lossprimer.softmin  # noqa: B018
