"""The problem sets: their solutions earn every point, and what students get holds none of them and runs to its end."""

import ast
import contextlib
import copy
import doctest
import io
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from nbformat.v4 import new_code_cell, new_notebook, new_output
from nbgrader.converters import GenerateAssignment
from nbgrader.nbgraderformat import SCHEMA_VERSION
from nbgrader.preprocessors import IncludeHeaderFooter, SaveCells

from lossprimer import checks
from tools import notebooks, prose
from tools.handout import handout
from tools.task import MORE

ROOT = Path(__file__).parent.parent
SETS = sorted((ROOT / "exercises" / "source").glob("*/*.ipynb"))
STUB = "raise NotImplementedError()"
REGION = re.compile(r"^ *### BEGIN {0}$(.*?)^ *### END {0}$", re.DOTALL | re.MULTILINE)

each_set = pytest.mark.parametrize("path", SETS, ids=lambda path: path.stem)


def regions(cell, kind):
    """Return what stands between the markers of `kind`, "SOLUTION" or "HIDDEN TESTS"."""
    pattern = REGION.pattern.format(kind)
    return re.findall(pattern, cell.source, REGION.flags)


def code(nb):
    return [cell for cell in nb.cells if cell.cell_type == "code"]


def cells_of(nb, **roles):
    """Return the cells whose nbgrader metadata have all of `roles`, such as ``grade=True``."""
    return [cell for cell in nb.cells if roles.items() <= cell.metadata.nbgrader.items()]


def check_calls(nb):
    """Yield the check that each visible check cell calls, and the name that it hands over."""
    for cell in code(nb):
        for node in ast.parse(cell.source).body:
            if isinstance(node, ast.Expr) and (call := re.fullmatch(r"checks\.(\w+)\((\w+)\)", ast.unparse(node))):
                yield cell, call[1], call[2]


loaded = cache(notebooks.load)  # of many tests, which leave a set as it is; those that change it load it anew


@cache
def solved(path):
    """Execute a set with its solutions, hidden tests included; return its names, and by cell what it shows."""
    names, shown = {}, {}
    for cell in code(loaded(path)):
        # The same inputs at every run of these tests.
        *body, last = ast.parse(cell.source.replace("default_rng()", "default_rng(0)")).body
        value = isinstance(last, ast.Expr)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(ast.Module(body if value else [*body, last], []), cell.id, "exec"), names)
            result = eval(compile(ast.Expression(last.value), cell.id, "eval"), names) if value else None
        shown[cell.id] = printed.getvalue() + ("" if result is None else repr(result))
    return names, shown


@cache
def released(path):
    """Return what students get: the set after nbgrader's own preprocessors, without its gradebook."""
    nb, resources = notebooks.load(path), {}
    for preprocessor in GenerateAssignment.preprocessors.default():
        if preprocessor not in (IncludeHeaderFooter, SaveCells):
            nb, resources = preprocessor().preprocess(nb, resources)
    return nb


@each_set
def test_the_site_gives_out_what_nbgrader_would(path):
    assert handout(notebooks.load(path)) == released(path)


@pytest.mark.parametrize(
    ("source", "left"),
    [
        (
            "def f():\n    ### BEGIN SOLUTION\n    1\n    ### END SOLUTION",
            "def f():\n    # YOUR CODE HERE\n    " + STUB,
        ),
        ("1", "# YOUR CODE HERE\n" + STUB),
        ("a\n### BEGIN HIDDEN TESTS\n1\n### END HIDDEN TESTS\nb", "a\nb"),
    ],
)
def test_what_is_given_out_has_a_stub_for_a_solution_and_nothing_for_hidden_tests(source, left):
    role = {
        "grade": "TESTS" in source,
        "solution": "TESTS" not in source,
        "locked": False,
        "grade_id": "a",
        "points": 1,
    }
    nb = new_notebook(cells=[new_code_cell(source, metadata={"nbgrader": role})])
    assert handout(nb).cells[0].source == left


def test_a_solution_without_end_is_not_given_out():
    role = {"grade": False, "solution": True, "locked": False, "grade_id": "a"}
    nb = new_notebook(cells=[new_code_cell("### BEGIN SOLUTION\n1", metadata={"nbgrader": role})])
    with pytest.raises(ValueError, match="### BEGIN SOLUTION has no ### END SOLUTION"):
        handout(nb)


def title_table(nb):
    """Return the rows of the first table, task, minutes and points: those of the tasks, and that of the sum."""
    rows = re.findall(r"^\| \**([^|*]+)\** \| \**(\d+)\** \| \**(\d+)\** \|$", nb.cells[0].source, re.MULTILINE)
    rows = [(task, int(minutes), int(points)) for task, minutes, points in rows]
    ((end, together),) = [(number, row) for number, row in enumerate(rows) if row[0] == "Together"]
    # What counts stands above the sum, and what is more to write below it.
    assert [row for row in rows[:end] if not row[2]] == [row for row in rows[end + 1 :] if row[2]] == []
    return rows[:end] + rows[end + 1 :], together


def test_every_chapter_that_leads_to_a_set_has_one():
    """The other way round, too: `test_the_chapter_leads_to_its_set`."""
    chapters = sorted((ROOT / "notebooks").glob("*.ipynb"))
    leading = [path.stem for path in chapters if f"](../book/exercises/{path.stem}.md)" in path.read_text("utf-8")]
    pages = sorted((ROOT / "book" / "exercises").glob("*.md"))
    assert leading == [path.stem for path in SETS] == [path.stem for path in pages]
    assert all(path.parent.name == path.stem for path in SETS)


# The sources.


@each_set
def test_a_set_is_canonical_and_was_never_run(path):
    nb = loaded(path)
    assert notebooks.read_text(path) == notebooks.serialize(nb)
    assert dict(nb.metadata) == notebooks.METADATA
    assert nb.nbformat_minor == notebooks.FORMAT_MINOR
    assert all(set(cell.metadata) == {"nbgrader"} for cell in nb.cells)
    assert all(not cell.outputs and cell.execution_count is None for cell in code(nb))


@each_set
def test_nbgrader_knows_each_cell_by_its_id(path):
    nb = loaded(path)
    assert [cell.id for cell in nb.cells] == [cell.metadata.nbgrader.grade_id for cell in nb.cells]
    assert len({cell.id for cell in nb.cells}) == len(nb.cells)
    for cell in nb.cells:
        data = cell.metadata.nbgrader
        assert data.schema_version == SCHEMA_VERSION
        assert ("points" in data) == data.grade
        # What students may edit is what they are to write; everything else is put back before grading.
        assert data.locked != data.solution
    assert released(path)  # nbgrader looks at the metadata of each cell twice on the way


def lacks(nb):
    """Yield a sentence for each cell that a task with a visible check lacks."""
    by_id = {cell.id: cell for cell in nb.cells}
    for cell, check, name in check_calls(nb):
        task = cell.id.removesuffix("-check")
        answer, test = by_id.get(f"{task}-answer"), by_id.get(f"{task}-test")
        solution = "".join(regions(answer, "SOLUTION")) if answer else ""
        if not solution or not re.search(rf"^(def|class) {name}\b", answer.source, re.MULTILINE):
            yield f"{check}: no cell {task}-answer defines {name} with ### BEGIN SOLUTION and ### END SOLUTION"
        hidden = "".join(regions(test, "HIDDEN TESTS")) if test else ""
        hidden = re.sub(r"report = (.*)\nreport", r"\1", re.sub(r"\(\n +(.*)\n\)", r"(\1)", hidden))
        call = f"checks.{check}({name}, rng=np.random.default_rng()).require()"
        if call not in hidden:
            yield f"{check}: no cell {task}-test has ### BEGIN HIDDEN TESTS, {call}, ### END HIDDEN TESTS"
        elif f"({test.metadata.nbgrader.points} points)" not in by_id[task].source.splitlines()[0]:
            yield f"{check}: the heading of {task} does not say ({test.metadata.nbgrader.points} points)"


@pytest.mark.parametrize("kind", ["answer", "test"])
def test_what_a_task_of_a_set_lacks_is_said(kind):
    nb = notebooks.load(SETS[0])
    _, check, name = next(check_calls(nb))
    (lacking,) = [cell for cell in nb.cells if cell.id == f"{name}-{kind}"]
    nb.cells.remove(lacking)
    (said,) = lacks(nb)
    assert said.startswith(f"{check}: no cell {lacking.id} ")
    lacking.source = re.sub("BEGIN", "START", lacking.source)
    nb.cells.append(lacking)
    assert list(lacks(nb)) == [said]


@each_set
def test_every_task_has_a_stub_a_visible_check_and_a_hidden_one(path):
    nb = loaded(path)
    lacking = "\n".join(lacks(nb))
    assert not lacking, lacking
    for cell in cells_of(nb, grade=True, solution=False):
        assert regions(cell, "HIDDEN TESTS")
    assert len(cells_of(nb, grade=True, solution=True)) == 1


@each_set
def test_a_stub_fits_the_box_it_is_written_in(path):
    stubs = [cell.source for cell in code(released(path)) if cell.metadata.nbgrader.solution]
    assert [line for stub in stubs for line in stub.splitlines() if len(line) > 69] == []


@each_set
def test_a_set_is_written_as_chapters_are(path):
    nb = loaded(path)
    texts = [cell.source for cell in nb.cells if cell.cell_type == "markdown"]
    headings = [line for text in texts for line in text.splitlines() if re.match(r"#{1,2} ", line)]
    assert [line for line in headings if line.startswith("# ")] == headings[:1]
    numbers = [int(number) for number in re.findall(r"^## (\d+)\.", "\n".join(headings), re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))
    for text in texts:
        assert text.count("<details>") == text.count("</details>") <= 1
        assert not re.search(r"^:{3,}|^```\{|\{\w+\}`", text, re.MULTILINE)


@each_set
def test_every_number_of_the_text_stands_in_an_example_that_runs(path):
    nb, (_, shown) = notebooks.load(path), solved(path)
    for cell in code(nb):
        examples = "\n".join(re.findall(r"(?:>>> .*\n|^ .*\n)+", cell.source, re.MULTILINE))
        cell.outputs = [new_output("stream", text=examples + shown[cell.id])]
    assert [str(number) for number in prose.unsupported(nb)] == []


@each_set
def test_links_lead_to_a_file_and_to_a_heading(path):
    for cell in loaded(path).cells:
        for target in re.findall(r"\]\(([^)\s]+)\)", cell.source if cell.cell_type == "markdown" else ""):
            file, _, anchor = target.partition("#")
            linked = (path.parent / file).resolve()
            assert linked.is_file(), target
            # JupyterLab's anchors keep case and punctuation.
            assert not anchor or anchor in headings_in_jupyterlab(linked), target


def headings_in_jupyterlab(path):
    texts = [line for cell in loaded(path).cells for line in cell.source.splitlines()]
    return {line.lstrip("#").strip().replace(" ", "-") for line in texts if re.match(r"#{1,4} ", line)}


# The solutions.


@each_set
def test_the_solutions_earn_every_point(path):
    names, _ = solved(path)  # the hidden tests have required it, of the cases that seed 0 draws
    for _, check, name in check_calls(loaded(path)):
        seeds = range(1, settings().max_examples // 5)  # to 20, and in the quick tests fewer
        refused = [getattr(checks, check).refuses(names[name], rng=np.random.default_rng(seed)) for seed in seeds]
        assert not any(refused), check


@each_set
def test_the_examples_in_the_docstrings_are_right(path):
    names, _ = solved(path)
    examples = {name: names[name].__doc__ for _, _, name in check_calls(loaded(path))}
    for name, text in examples.items():
        output = io.StringIO()
        test = doctest.DocTestParser().get_doctest(text, dict(names), name, None, 0)
        result = doctest.DocTestRunner().run(test, out=output.write)
        assert result.attempted, name
        assert not result.failed, output.getvalue()


@each_set
@pytest.mark.parametrize("answer", [1000, 0, -1.0, float("nan"), None])
def test_a_wrong_prediction_earns_nothing(path, answer):
    (cell,) = [cell for cell in loaded(path).cells if cell.id == "prediction-test"]
    (name,) = set(re.findall(r"(\w+)\(\)", cell.source))
    with pytest.raises((AssertionError, TypeError)):
        exec(cell.source, {name: lambda: answer})


@each_set
@pytest.mark.parametrize("wrong", [1000, 0, -1.0, float("nan"), 0.5, None, "a word", [], np.zeros(3)])
def test_no_message_of_a_hidden_test_says_the_answer(path, wrong):
    names, _ = solved(path)
    for cell in cells_of(loaded(path), grade=True, solution=False):
        fixed = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Assert)]
        for name in {call for node in fixed for call in re.findall(r"(\w+)\(\)", ast.unparse(node.test))}:
            answer = names[name]()
            with pytest.raises((AssertionError, TypeError, ValueError)) as caught:
                exec(cell.source, {name: lambda: wrong})
            message = str(caught.value)
            assert message
            if isinstance(caught.value, AssertionError):
                numbers = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", message)]
                assert [number for number in numbers if abs(number - answer) <= 0.03 * answer] == []
                assert not {1: {"one"}, 2: {"two"}}.get(answer, set()) & set(re.findall(r"\w+", message.lower()))


# What students get.


@each_set
def test_students_get_no_solution_and_no_hidden_test(path):
    source, release = loaded(path), released(path)
    text = "\n".join(cell.source for cell in release.cells)
    assert not re.search("BEGIN|END|require|rng=np.random.default_rng|assert", text)
    for cell, given in zip(source.cells, release.cells, strict=True):
        kept = given.source.splitlines()
        for kind in ("SOLUTION", "HIDDEN TESTS"):
            for region in regions(cell, kind):
                lines = [line for line in region.splitlines() if line.strip()]
                assert lines
                assert not set(lines) & set(kept)
        if cell.metadata.nbgrader.solution:
            stubs = len(regions(cell, "SOLUTION"))
            assert given.source.count(STUB if cell.cell_type == "code" else "YOUR ANSWER HERE") == stubs > 0
        if cell.metadata.nbgrader.grade and not cell.metadata.nbgrader.solution:
            assert kept == [kept[0]]
            assert kept[0].startswith(f"# {cell.metadata.nbgrader.points} points: ")


@pytest.mark.kernel
@each_set
def test_an_untouched_notebook_runs_to_its_end_and_says_what_was_not_attempted(path):
    nb = copy.deepcopy(released(path))
    notebooks.execute(nb, path.parent, timeout=60)
    said = {
        cell.id: "".join(output.get("text", "") or output.data.get("text/plain", "") for output in cell.outputs)
        for cell in code(nb)
    }
    to_answer = [cell.id for cell in code(nb) if cell.id.endswith("-check")]
    assert all("not attempted yet" in said[name] for name in to_answer)
    assert [name for name, words in said.items() if words and name not in to_answer] == ["prediction-explorer"]
    assert all(output.get("name") != "stderr" for cell in code(nb) for output in cell.outputs)


# What the sets and the site say about them.


@each_set
def test_points_and_minutes_are_what_the_set_says(path):
    nb = loaded(path)
    tasks, (_, minutes, points) = title_table(nb)
    graded = cells_of(nb, grade=True)
    titles = [cell.source.splitlines()[0] for cell in nb.cells if re.match(r"## \d", cell.source)]
    rows = [f"## {task} ({points} points)" for task, _, points in tasks]
    without = [title for title in titles if title not in rows]
    assert not without, f"no row of the set's first table has the minutes and points of {without}"
    assert rows == titles
    assert [points for *_, points in tasks] == [cell.metadata.nbgrader.points for cell in graded]
    assert sum(points for *_, points in tasks) == points == 20
    assert sum(minutes for _, minutes, points in tasks if points) == minutes
    assert 60 <= minutes <= 90
    more = [cell.source for cell in nb.cells if re.match(r"## \d.*\(0 points\)", cell.source)]
    assert all(f"\n\n{MORE}\n\n" in text for text in more)
    assert ("Tasks with 0 points are extra" in nb.cells[0].source) == bool(more)
    for cell in graded:
        criteria = nb.cells[nb.cells.index(cell) - 1].source
        if cell.metadata.nbgrader.solution:
            assert len(re.findall(r"^- ", criteria, re.MULTILINE)) == cell.metadata.nbgrader.points


@each_set
def test_the_page_of_a_set_agrees_with_it(path):
    tasks, (_, minutes, points) = title_table(loaded(path))
    page = (ROOT / "book" / "exercises" / path.name).with_suffix(".md").read_text("utf-8")
    rows = re.findall(r"^\| (\d[^|]*) \| [^|]* \| (\d+) \| (\d+) \|$", page, re.MULTILINE)
    rows = [(task, int(m), int(p)) for task, m, p in rows]
    without = [task for task, *numbers in tasks if (task, *numbers) not in rows]
    assert not without, f"no row of book/exercises/{path.stem}.md has the set's minutes and points of {without}"
    assert rows == tasks
    assert ("Tasks with 0 points are extra" in page) == any(not points for *_, points in tasks)
    assert f"It takes about {minutes} minutes and has {points} points." in page
    assert f"<../../exercises/release/{path.stem}/{path.name}>" in page
    overview = (ROOT / "book" / "exercises.md").read_text("utf-8")
    row = next((line for line in overview.splitlines() if f"](exercises/{path.stem}.md)" in line), "")
    assert f"| {minutes} | {points} |" in row
    assert f"<../exercises/release/{path.stem}/{path.name}>" in row


@each_set
def test_the_chapter_leads_to_its_set(path):
    chapter = loaded(ROOT / "notebooks" / path.name)
    (closing,) = [cell for cell in chapter.cells if cell.id == "try-it"]
    assert f"](../book/exercises/{path.stem}.md)" in closing.source


def test_the_page_shows_what_a_check_says():
    page = (ROOT / "book" / "exercises.md").read_text("utf-8")
    (wrong,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (said,) = re.findall(r"```text\n(.*?)```", page, re.DOTALL)
    names = {"np": np}
    exec(wrong, names)
    assert str(checks.softmax(names["softmax"])) == said.rstrip("\n")
