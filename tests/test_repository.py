"""The files around the course say what is true: the README's example and picture, versions, the make targets."""

import ast
import doctest
import functools
import re
import shutil
import subprocess
import symtable
import tomllib
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

import lossprimer
from tests.sources import references
from theme.pages import page_links
from tools.commands import COMMANDS, QUICK
from tools.environment import EVERYTHING, NEEDS
from tools.readme_picture import PATH, readme_picture

ROOT = Path(__file__).parent.parent


def read(name):
    return (ROOT / name).read_text("utf-8")


def test_the_examples_of_the_readme_run():
    examples = "\n".join(re.findall(r"```python\n(.*?)```", read("README.md"), re.DOTALL))
    test = doctest.DocTestParser().get_doctest(examples, {}, "README.md", None, 0)
    result = doctest.DocTestRunner().run(test)
    assert result.attempted
    assert not result.failed


def test_the_picture_of_the_readme_is_what_the_package_draws():
    assert PATH.read_text("utf-8") == readme_picture()
    assert f"({PATH.relative_to(ROOT).as_posix()})" in read("README.md")


def test_every_file_that_the_readme_links_to_exists():
    links = re.findall(r"\]\((?!https?://)([^)#]+)\)", read("README.md"))
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_command_that_the_documents_name_exists():
    for name in ("README.md", "CONTRIBUTING.md", "book/intro.md"):
        named = re.findall(r"\b(?:make|python -m tools) ([a-z]+)\b(?=[`\s]*(?:`|#|$))", read(name), re.MULTILINE)
        assert set(named) <= {*COMMANDS, "help"}


def imported(path):
    """Return the modules of the package that the file at `path` imports."""
    names = {alias.name for node in references(path) if isinstance(node, ast.Import) for alias in node.names}
    for node in references(path):
        if isinstance(node, ast.ImportFrom) and node.module == "lossprimer":
            names |= {f"lossprimer.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return {name for name in names if name.split(".")[0] == "lossprimer"}


def test_the_mathematics_imports_no_figures_explorers_or_checks():
    above = {"figures", "explorer", "checks", "grading", "page"}
    modules = [path for path in (ROOT / "lossprimer").glob("*.py") if path.stem not in above]
    assert len(modules) > 5
    for path in modules:
        assert {name.split(".")[1] for name in imported(path) if "." in name} & above == set(), path.name
        assert path.stem == "__init__" or "lossprimer" not in imported(path), path.name
    assert all(name.startswith("lossprimer._") for name in imported(ROOT / "lossprimer" / "probability.py"))


FOLDERS = "benchmarks", "experiments", "frameworks", "live", "lossprimer", "theme", "tools"
MODULES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


@functools.cache
def imports():
    """Return each line by which a module takes names from one of the course: its file, and the line's syntax."""
    found = []
    for path in MODULES:
        lines = [node for node in references(path) if isinstance(node, ast.ImportFrom)]
        found += [(path, node) for node in lines if node.module and node.module.split(".")[0] in FOLDERS]
    return found


def names_of(place):
    """Return what can be imported from the module or folder at `place`; some could not be run here."""
    if place.is_dir():
        return {part.stem for part in place.iterdir()} | names_of(place / "__init__")
    path = place.with_suffix(".py")
    if not path.is_file():
        return set()
    symbols = symtable.symtable(path.read_text("utf-8"), path.name, "exec").get_symbols()
    return {symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported()}


def test_what_a_module_imports_from_another_one_is_there():
    there = {module: names_of(ROOT.joinpath(*module.split("."))) for module in {node.module for _, node in imports()}}
    for path, node in imports():
        missing = {alias.name for alias in node.names} - there[node.module] - {"*"}
        assert missing == set(), f"{path.relative_to(ROOT)} imports it from {node.module}"


def test_what_is_private_is_imported_beside_it_alone():
    """A name that begins with _ by nobody, and a module whose name does so by those of its folder."""
    for path, node in imports():
        for alias in node.names:
            whole = f"{node.module}.{alias.name}".split(".")
            private = next((i for i, part in enumerate(whole) if re.match("_(?!_)", part)), None)
            if private:
                place = ROOT.joinpath(*whole[: private + 1]).with_suffix(".py")
                assert place.is_file(), f"{path.relative_to(ROOT)} imports {'.'.join(whole)}"
                assert place.parent == path.parent, f"{path.relative_to(ROOT)} imports {'.'.join(whole)}"


def test_what_is_private_is_not_read_through_its_module():
    for path in MODULES:
        modules = {
            alias.asname or alias.name
            for where, node in imports()
            for alias in node.names
            if where == path and ROOT.joinpath(*node.module.split("."), alias.name).with_suffix(".py").is_file()
        }
        read = [node for node in references(path) if isinstance(node, ast.Attribute) and re.match("_(?!_)", node.attr)]
        taken = [ast.unparse(node) for node in read if isinstance(node.value, ast.Name) and node.value.id in modules]
        assert taken == [], path.relative_to(ROOT)


def test_one_version_everywhere():
    assert f"version: {lossprimer.__version__}\n" in read("CITATION.cff")


def test_requirements_pin_exactly_and_cover_what_pyproject_asks_for():
    project = tomllib.loads(read("pyproject.toml"))
    groups = project["dependency-groups"]
    included = [entry["include-group"] for entry in groups.pop("dev")]
    assert included == list(groups)
    wanted = project["project"]["dependencies"] + sum(groups.values(), [])
    *pins, last = [line for line in read("requirements.txt").splitlines() if not line.startswith("#")]
    assert last == "-e ."
    assert all(re.match(r"^[a-z0-9._-]+==[^\s;]+( ; .+)?$", pin) for pin in pins)
    pinned = {pin.split("==")[0] for pin in pins}
    assert {re.match(r"[A-Za-z0-9._-]+", name)[0].lower().replace("_", "-") for name in wanted} <= pinned


def test_the_documents_say_what_is_installed_and_on_which_pythons():
    readme, contributing = " ".join(read("README.md").split()), " ".join(read("CONTRIBUTING.md").split())
    for _, _, size in NEEDS.values():
        packages, space = size.split(", ")
        assert re.search(rf"{packages}[^|]*\| {space} \|", readme)
    assert NEEDS[EVERYTHING][2] in contributing
    pythons = re.findall(r'python: \["(3\.\d+)", .*"(3\.\d+)"\]', read(".github/workflows/test.yml"))
    assert pythons == [("3.11", "3.14")] * 2
    assert all("Python, 3.11 to 3.14" in text for text in (readme, contributing))


def test_continuous_integration_runs_the_command_of_the_readme():
    assert read(".ci/run").splitlines()[-1] == "make test"
    assert "make test" in read("README.md")


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="only git knows which files belong to the course")
def test_every_file_has_a_name_that_every_system_takes():
    """Windows refuses some, and git then leaves a checkout without its files."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    names = listed.decode("utf-8").split("\0")[:-1]
    assert names
    assert [name for name in names if re.search(r'[^ -~]|[<>:"|?*\\]|[. ](/|$)', name) or len(name) > 100] == []
    parts = {part.partition(".")[0].upper() for name in names for part in name.split("/")}
    assert (
        parts & {"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(1, 10))} == set()
    )
    assert len({name.casefold() for name in names}) == len(names)


def test_a_checkout_has_the_line_ends_of_the_repository_whatever_git_is_set_to(tmp_path):
    files = [".gitattributes", "Makefile", "README.md", "notebooks/01_softmax.ipynb", "book/readme.svg"]
    for name in files:
        (tmp_path / "here" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / "here" / name)

    def git(*command):
        settings = ["user.name=a", "user.email=a@example.org", "core.autocrlf=true"]
        options = [option for setting in settings for option in ("-c", setting)]
        subprocess.run(["git", *options, *command], cwd=tmp_path, check=True, capture_output=True)

    git("init", "here")
    git("-C", "here", "add", ".")
    git("-C", "here", "commit", "-m", "a")
    git("clone", "here", "there")
    assert [name for name in files if b"\r" in (tmp_path / "there" / name).read_bytes()] == []


LICENCES = "LICENSE", "LICENSES/BSD-3-Clause.txt"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_uses_exact_versions_and_may_only_read(path):
    text = path.read_text("utf-8")
    used = re.findall(r"uses: (?!\./)(.+)", text)
    assert [action for action in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)] == []
    assert "\npermissions:\n  contents: read\n" in text


def test_the_same_version_of_an_action_everywhere():
    used = {action for path in WORKFLOWS for action in re.findall(r"uses: (?!\./)(.+)", path.read_text("utf-8"))}
    assert len({action.split("@")[0] for action in used}) == len(used) > 3


WORKFLOW = re.findall(r'-m "(.+?)"', read(".github/workflows/test.yml"))


@pytest.mark.parametrize("expression", [QUICK[-1], *WORKFLOW])
def test_the_marks_that_choose_tests_are_registered(expression):
    """Pytest would take an unknown one in an expression for a mark that no test has."""
    options = tomllib.loads(read("pyproject.toml"))["tool"]["pytest"]["ini_options"]
    registered = {marker.partition(":")[0] for marker in options["markers"]}
    assert WORKFLOW
    assert set(re.findall(r"\w+", expression)) - {"not", "and", "or"} <= registered


def test_the_forms_that_the_pages_link_to_have_the_fields_that_they_fill_in():
    reports = [address for address in page_links("owner/name", "book/intro.md", "version 1").values() if "?" in address]
    assert len(reports) == 2
    for address in reports:
        filled = parse_qs(urlsplit(address).query)
        (form,) = filled.pop("template")
        assert all(f"id: {field}\n" in read(f".github/ISSUE_TEMPLATE/{form}") for field in filled)


def test_each_label_of_a_form_is_one_that_a_new_repository_is_told_to_create():
    forms = [path.read_text("utf-8") for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")]
    labels = {label for form in forms for label in re.findall(r"(?m)^labels: \[(.+)\]$", form)}
    told = re.search(r"attach the labels(.*?), which", read("book/publishing.md"), re.DOTALL)[1]
    assert labels == set(re.findall(r"`(\w+)`", told))


def test_every_licence_that_is_named_has_its_text():
    annotations = tomllib.loads(read("REUSE.toml"))["annotations"]
    named = {name for entry in annotations for name in entry["SPDX-License-Identifier"].split(" AND ")}
    assert named == {path.stem for path in (ROOT / "LICENSES").iterdir()}
    assert all((ROOT / entry["path"]).is_file() for entry in annotations if "*" not in "".join(entry["path"]))
    # What people read says the same as what machines read.
    clauses = [re.sub(r"\s+", " ", read(name)).partition("Redistribution and use")[2][:700] for name in LICENCES]
    assert clauses[0] == clauses[1] != ""


def test_the_work_of_others_is_said_to_be_theirs():
    """A script that says whose it is is not the course's, nor is the table of digits."""
    annotations = tomllib.loads(read("REUSE.toml"))["annotations"]
    single = [entry["path"] for entry in annotations if isinstance(entry["path"], str) and entry["path"] != "**"]
    scripts = ROOT.glob("*/assets/*.js")
    theirs = [path.relative_to(ROOT).as_posix() for path in scripts if "©" in path.read_text("utf-8")]
    assert single == ["lossprimer/digits.npz", *theirs]


def test_a_commit_is_checked_by_the_command_that_checks_all():
    assert "entry: python -m tools lint\n" in read(".pre-commit-config.yaml")


def test_the_list_of_changes_speaks_to_readers_first():
    for version in re.split(r"(?m)^## ", read("CHANGELOG.md"))[1:]:
        parts = re.findall(r"(?m)^### (.*)$", version)
        assert parts[:1] in ([], ["In the text"])  # nothing is unreleased after a release
        assert set(parts[1:]) <= {"Added", "Changed", "Fixed", "Removed"}
