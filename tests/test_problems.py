"""A problem set as a page: all of its tasks in their order, nothing of the solutions, all to read without scripts."""

import json
import re
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from live import bundle, problems
from lossprimer.checks import TASKS
from tests.building import build
from tests.test_exercises import SETS, cells_of, check_calls, each_set, regions, released
from tools import notebooks

ROOT = Path(__file__).parent.parent
HINT = "<details>\n<summary>Hint</summary>\n\nAdd them.\n\n</details>"
STUB = "    # YOUR CODE HERE\n    raise NotImplementedError()"
IMPORTS = "from matplotlib.figure import Figure\nfrom lossprimer.explorer import explore, slider"
EXPLORER = "explore(lambda n: (Figure(), f'{n} of them.'), title='Many', n=slider('n', [1, 2]))"
LINKS = "[a chapter](../../../notebooks/01_x.ipynb#3.-What-is-it?), [a set](../next/next.ipynb)."

DIRECTIVE = "```{problem-set} ../exercises/release/small/small.ipynb\n```\n"
SETTINGS = {
    "extensions": ["myst_parser", "live.problems"],
    "exclude_patterns": ["exercises"],
    "myst_enable_extensions": ["dollarmath"],
    "myst_heading_anchors": 3,
}


def cell(make, name, source, **roles):
    standard = {"grade": False, "solution": False, "locked": True, "task": False, "schema_version": 3}
    return make(source, id=name, metadata={"nbgrader": {**standard, **roles, "grade_id": name}})


def small_set():
    """A set with a task of each kind, as students get it."""
    return new_notebook(
        cells=[
            cell(new_markdown_cell, "title", "# A set"),
            cell(new_code_cell, "imports", IMPORTS),
            cell(new_markdown_cell, "sum", f"## 1. The <sum> (3 points)\n\nWhat is $a + b$?\n\n{HINT}"),
            cell(new_code_cell, "sum-answer", f'def softmax(z):\n    """1 < 2 & 3."""\n{STUB}', solution=True),
            cell(new_code_cell, "sum-check", "# try it\nprint('not shown')"),
            cell(new_code_cell, "sum-check-2", "from lossprimer import checks\nchecks.softmax(softmax)"),
            cell(new_code_cell, "sum-test", "# 3 points: hidden\nraise AssertionError", grade=True, points=3),
            cell(new_markdown_cell, "guess", "## 2. A guess (1 point)\n\nHow many?"),
            cell(new_code_cell, "guess-answer", f"def guess():\n{STUB}", solution=True),
            cell(new_code_cell, "guess-look", EXPLORER),
            cell(new_code_cell, "guess-test", "# 1 point", grade=True, points=1),
            cell(new_markdown_cell, "say", "## 3. Say it (2 points)\n\nWhy?"),
            cell(new_markdown_cell, "say-answer", "YOUR ANSWER HERE", solution=True, grade=True, points=2),
            cell(new_markdown_cell, "close", f"## The end\n\nSee {LINKS}"),
        ]
    )  # fmt: skip


@pytest.fixture(params=["1", "0"], scope="module")
def built(request, tmp_path_factory):
    """Build a book of one set, with Python in its pages and without; returns the page and whether it has Python."""
    folder = tmp_path_factory.mktemp(f"live{request.param}")
    for name in ("book/small.md", "book/next.md", "notebooks/01_x.md"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("# A page\n\n## 3. What is it?\n", "utf-8")
    (folder / "index.md").write_text("# A book\n\n```{toctree}\n:glob:\n*/*\n```\n", "utf-8")
    (folder / "book" / "small.md").write_text(f"# A page\n\n## Tasks\n\n{DIRECTIVE}", "utf-8")
    (folder / "exercises" / "release" / "small").mkdir(parents=True)
    nbformat.write(small_set(), folder / "exercises" / "release" / "small" / "small.ipynb")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIVE", request.param)
        # The size of the runtime is that of its files, which are not needed here.
        patch.setattr(problems, "first_size", lambda: "9 MB")
        assert build(folder, folder / "html", SETTINGS) == ""
    page = BeautifulSoup((folder / "html" / "book" / "small.html").read_text("utf-8"), "html.parser")
    return page, request.param == "1"


def test_each_task_is_a_section_in_the_order_of_the_notebook(built):
    page, _ = built
    sections = page.select("section[data-task]")
    assert [section["data-task"] for section in sections] == ["softmax", "guess", "say"]
    titles = [section.h3.get_text().rstrip("¶#") for section in sections]
    assert [title.strip("\uf0c1") for title in titles] == [
        "1. The <sum> (3 points)",
        "2. A guess (1 point)",
        "3. Say it (2 points)",
    ]
    assert sections[0].select_one("details > summary").get_text() == "Hint"
    assert sections[0].select_one(".math").get_text() == r"\(a + b\)"
    assert [link["href"] for link in page.select("#close p a")] == ["../notebooks/01_x.html#what-is-it", "next.html"]


def test_without_python_there_is_the_stub_to_read_and_the_notebook_to_take(built):
    page, has_python = built
    softmax, guess, say = page.select("section[data-task]")
    assert "1 < 2 & 3." in softmax.select_one(".answer-stub pre").get_text()
    assert "raise NotImplementedError()" in guess.select_one(".answer-stub pre").get_text()
    assert bool(page.select("textarea, .answer-form, .work, script[src*=problems]")) == has_python
    # Whatever needs a script says so: the theme shows it where there is one.
    assert all(
        tag.find_parent(class_="needs-script") for tag in page.select("textarea, button.answer-check, .work-file")
    )
    assert not say.select(".answer-stub")


def test_a_task_has_a_place_for_its_answer_with_names_for_all_of_it(built):
    page, has_python = built
    if not has_python:
        return
    softmax, guess, say = page.select("section[data-task]")
    names = [section.textarea["aria-label"] for section in (softmax, guess, say)]
    assert names == ["Your code, task 1", "Your prediction, task 2", "Your answer, task 3"]
    assert [section.textarea.get_text() for section in (softmax, guess, say)] == [small_set().cells[3].source, "", ""]
    for section in (softmax, guess, say):
        assert [button.get_text() for button in section.select(".answer-form button")] == [
            "Check",
            "Stop",
            "Reset",
            "Undo",
        ]
        assert section.select_one("[role=region]")["aria-label"].startswith("Report")
        assert section.label["for"] == section.textarea["id"]
    forms = [form.attrs for form in page.select(".answer-form")]
    assert [(form["data-kind"], form["data-cell"], form["data-points"]) for form in forms] == [
        ("code", "sum-answer", "3"), ("prediction", "guess-answer", "1"), ("words", "say-answer", "2"),
    ]  # fmt: skip


def test_the_picture_of_a_prediction_is_folded(built):
    page, _ = built
    assert page.select_one("section[data-task=guess] details:not([open]) figure.explorer")
    assert len(page.select("figure.explorer")) == 1


def test_nothing_of_the_checks_and_the_tests_is_on_the_page(built):
    page, _ = built
    assert not re.search("hidden|AssertionError|not shown|not attempted", page.get_text())


@pytest.mark.parametrize("change", [
    lambda cells: cells.pop(3),
    lambda cells: cells.insert(3, cells[3]),
    lambda cells: cells[2].update(source="## 1. The sum"),
])  # fmt: skip
def test_a_task_without_points_or_a_place_for_its_answer_is_reported(change):
    notebook = small_set()
    change(notebook.cells)
    with pytest.raises(ValueError, match=r"'## 1\. The .*expected points and one cell"):
        problems.tasks(notebook)


@each_set
def test_every_set_becomes_its_tasks(path, monkeypatch):
    given, source = released(path), notebooks.load(path)
    tasks = problems.tasks(given)
    assert [task.number for task in tasks] == list(range(1, len(tasks) + 1))
    assert [task.name for task in tasks if task.kind == "code"] == [check for _, check, _ in check_calls(source)]
    assert {task.name for task in tasks if task.kind == "code"} <= TASKS.keys()
    assert [task.kind for task in tasks if task.points][-2:] == ["prediction", "words"]
    assert sum(task.points for task in tasks) == 20
    assert [task.cell for task in tasks] == [cell.id for cell in cells_of(source, solution=True)]
    secret = {
        line.strip()
        for cell in source.cells
        for region in regions(cell, "SOLUTION")
        for line in region.splitlines()
        if line.strip()
    }
    shown = "\n".join(f"{task.statement}\n{task.stub}" for task in tasks)
    assert not secret & {line.strip() for line in shown.splitlines()}
    # What is shown is drawn with the page: here it takes one picture to know that it can be.
    monkeypatch.setattr(problems, "explorer_html", lambda explorer: explorer.picture(explorer.initial).sentence)
    shown = problems.pictures(given)
    assert set(shown) == {"prediction"}
    assert shown["prediction"]


@pytest.mark.parametrize("path", SETS, ids=lambda path: path.stem)
def test_the_page_shows_the_notebook_that_students_get(path):
    page = ROOT / "book" / "exercises" / f"{path.stem}.md"
    assert f"```{{problem-set}} ../../exercises/release/{path.stem}/{path.stem}.ipynb\n```" in page.read_text("utf-8")


# The editor.


def test_the_lock_file_names_the_hash_of_every_package_and_no_host():
    text = (bundle.SOURCE / "package-lock.json").read_text("utf-8")
    packages = {name: entry for name, entry in json.loads(text)["packages"].items() if name}
    assert len(packages) > 10
    assert [name for name, entry in packages.items() if not entry.get("integrity", "").startswith("sha512-")] == []
    assert "://" not in re.sub(r'"(url|funding)": "[^"]*"', "", text)
    wanted = json.loads((bundle.SOURCE / "package.json").read_text("utf-8"))
    for name, version in (wanted["dependencies"] | wanted["devDependencies"]).items():
        assert packages[f"node_modules/{name}"]["version"] == version


def test_the_editor_is_bundled_once_for_the_same_inputs(tmp_path, monkeypatch):
    made = []

    def make(folder):
        made.append(folder)
        (folder / "made").mkdir()
        return folder / "made"

    monkeypatch.setattr(bundle, "_make", make)
    first, second = bundle.bundle(tmp_path), bundle.bundle(tmp_path)
    assert first == second
    assert first.is_dir()
    assert len(made) == 1
    copy = tmp_path / "editor-source"
    copy.mkdir()
    for name in ("package.json", "package-lock.json", bundle.NAME):
        (copy / name).write_bytes((bundle.SOURCE / name).read_bytes() + b"\n")
    monkeypatch.setattr(bundle, "SOURCE", copy)
    assert bundle.bundle(tmp_path) != first
    assert len(made) == 2


def test_a_bundle_that_cannot_be_made_says_why_and_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("npm_config_offline", "true")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    with pytest.raises(bundle.BundleError, match=r"LIVE=0 make book(?s:.*)npm ci ended with 1"):
        bundle.bundle(tmp_path / "kept")
    assert list((tmp_path / "kept").rglob("*.js")) == []
