"""Put a task into a problem set, with its cells and its rows in the tables.

    python -m tools.task SET FILE --title TITLE --minutes N

FILE holds the function or class as one who has solved the task writes it: a docstring with an example that runs, and
the solution between ### BEGIN SOLUTION and ### END SOLUTION. Its check must be in lossprimer.checks. The task comes
last and is more to write: it has no points, and the minutes of the set do not count it. One that counts takes its
points from others, so that they still add up to 20.
"""

import argparse
import re
import sys
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from lossprimer.checks.task import TASKS, Task
from tools import notebooks

ROOT = Path(__file__).resolve().parent.parent
MORE = "*Extra: it is worth no points and is not counted in the set's minutes.*"
# What a text says below its table, once one of its tasks has no points.
EXTRA = "Tasks with 0 points are extra"
IN_SET = f"{EXTRA}, for when you have time left; the total leaves out their minutes."
ON_PAGE = f"{EXTRA}, for when you have time left; they are not counted in the minutes above."
WIDTH = 74  # of a line of code in a set, as in exercises/source/.ruff.toml


class TaskError(Exception):
    """A task that cannot be put into a set; the message says why."""


def task_of(code: str) -> Task:
    """Return the task of the function or class that `code` defines."""
    defined = re.search(r"^(?:def|class) (\w+)", code, re.MULTILINE)
    if defined is None:
        raise TaskError("defines neither a function nor a class")
    for task in TASKS.values():
        if task.usage.partition("(")[0] == defined[1]:
            return task
    raise TaskError(f"defines {defined[1]}, and no task of lossprimer.checks is called like that")


def cells(task: Task, code: str, heading: str) -> list[NotebookNode]:
    """Return the four cells of a task: its text, the answer, the visible check, the hidden test."""
    name, words = task.usage.partition("(")[0], task.__doc__.partition(", ")[2].partition("\nParameters\n")[0].strip()
    call = f"checks.{task.__name__}({name}, rng=np.random.default_rng()).require()"
    if len(call) > WIDTH:
        call = f"report = checks.{task.__name__}(\n    {name}, rng=np.random.default_rng()\n)\nreport.require()"
    test = f"# 0 points: the same check, on inputs drawn anew.\n### BEGIN HIDDEN TESTS\n{call}\n### END HIDDEN TESTS"
    slug = task.__name__.replace("_", "-")
    text = f"## {heading} (0 points)\n\n{MORE}\n\nWrite `{task.usage}`: {words}"
    return [
        _cell(new_markdown_cell(text), slug),
        _cell(new_code_cell(code.rstrip()), f"{slug}-answer", locked=False, solution=True),
        _cell(new_code_cell(f"checks.{task.__name__}({name})"), f"{slug}-check"),
        _cell(new_code_cell(test), f"{slug}-test", grade=True, points=0),
    ]


def _cell(cell, name, **roles):
    role = {"grade": False, "grade_id": name, "locked": True, "schema_version": 3, "solution": False, "task": False}
    cell.id, cell.metadata.nbgrader = name, NotebookNode(role | roles)
    return cell


def with_row(text: str, row: str, note: str) -> str:
    """Return a text whose first table has one more row, of a task without points, and a note on such tasks below it."""
    *_, last = re.finditer(r"^\|.*\|\n", text.partition("|\n\n")[0] + "|\n", re.MULTILINE)
    below = text[last.end() :]
    return text[: last.end()] + row + "\n" + (below if EXTRA in below else f"\n{note}\n{below}")


def add(name: str, task: Task, code: str, title: str, minutes: int) -> list[Path]:
    """Put a task, solved by `code`, last into the set `name`, and into the tables of the set and of its page.

    Returns
    -------
    list of Path
        The files that were changed: the set and its page.
    """
    sets = ROOT / "exercises" / "source"
    path, page = sets / name / f"{name}.ipynb", ROOT / "book" / "exercises" / f"{name}.md"
    if not path.is_file():
        there = ", ".join(sorted(found.stem for found in sets.glob("*/*.ipynb")))
        raise TaskError(f"is no problem set, expected one of {there}")
    nb = notebooks.load(path)
    if any(f"checks.{task.__name__}(" in cell.source for cell in nb.cells if cell.cell_type == "code"):
        raise TaskError(f"has {task.__name__} already")
    number = 1 + sum(bool(re.match(r"## \d", cell.source)) for cell in nb.cells)
    nb.cells[-1:-1] = cells(task, code, f"{number}. {title}")
    nb.cells[0].source = with_row(nb.cells[0].source, f"| {number}. {title} | {minutes} | 0 |", IN_SET)
    path.write_text(notebooks.serialize(nb), "utf-8", newline="\n")
    row = f"| {number}. {title} | `{task.usage}` | {minutes} | 0 |"
    page.write_text(with_row(page.read_text("utf-8"), row, ON_PAGE), "utf-8", newline="\n")
    return [path, page]


def main(argv: list[str] | None = None) -> None:
    """Put one task into a set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", metavar="SET")
    parser.add_argument("file", metavar="FILE", type=Path)
    parser.add_argument("--title", required=True)
    parser.add_argument("--minutes", type=int, required=True)
    args = parser.parse_args(argv)
    read = args.file
    try:
        code = notebooks.read_text(read).replace("\r\n", "\n")
        task = task_of(code)
        read = args.set
        changed = add(args.set, task, code, args.title, args.minutes)
    except (TaskError, notebooks.NotebookError) as error:
        sys.exit(f"{read}: {error}")
    places = " and ".join(path.relative_to(ROOT).as_posix() for path in changed)
    print(f"{args.set} has {task.__name__} now, in {places}")


if __name__ == "__main__":
    main()
