"""Make what students and teachers get from the problem sets.

    python -m tools.exercises release    the students' notebooks: exercises/release, and nbgrader's database of them
    python -m tools.exercises handout    the same notebooks for the site, without nbgrader
    python -m tools.exercises answers    the solved sets as pages, for teachers alone: _build/answers

Before a set is given out its solutions must pass all its tests, and nothing of them may be left in what students get.
"""

import argparse
import logging
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config, PyFileConfigLoader

from tools.handout import handout

ROOT = Path(__file__).resolve().parent.parent
COURSE = ROOT / "exercises"
ANSWERS = ROOT / "_build" / "answers"
SECRETS = re.compile(
    r"### BEGIN (?:SOLUTION|HIDDEN TESTS)\n(.*?)^\s*### END (?:SOLUTION|HIDDEN TESTS)", re.DOTALL | re.MULTILINE
)


class SetError(Exception):
    """A problem set that must not be given out; the message says why."""


def names(course: Path = COURSE) -> list[str]:
    """Return the names of the problem sets."""
    return sorted(path.stem for path in (course / "source").glob("*/*.ipynb") if path.stem == path.parent.name)


def solved(path: Path) -> nbformat.NotebookNode:
    """Return the set at `path`, executed with its solutions; every test must pass."""
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as sockets:  # and no port, of which kernels warn
        config = Config({"KernelManager": {"transport": "ipc", "ip": f"{sockets}/kernel"}})
        client = NotebookClient(notebook, config=config, timeout=120, allow_errors=True, kernel_name="python3")
        client.execute(cwd=str(path.parent))
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error" or output.get("name") == "stderr":
                raise SetError(f"{path}: {cell.id}: {output.get('evalue') or output.get('text')}")
    return notebook


def side_by_side(wanted: list[str]) -> Iterator[tuple[str, Path, nbformat.NotebookNode]]:
    """Yield the name of each set, where it stands, and the solved set; each core solves one at a time."""
    paths = [COURSE / "source" / name / f"{name}.ipynb" for name in wanted]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from zip(wanted, paths, pool.map(solved, paths), strict=True)


def release(name: str, course: Path = COURSE) -> Path:
    """Write the students' notebook of the set `name`, as ``nbgrader generate_assignment`` does; return its path."""
    from nbgrader.apps import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory

    config = PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config()
    config.CourseDirectory.root = str(course)
    outcome = NbGraderAPI(CourseDirectory(config=config), config=config).generate_assignment(name, force=True)
    if not outcome["success"]:
        raise SetError(f"{name}: {outcome.get('error') or outcome['log']}")
    return course / "release" / name / f"{name}.ipynb"


def hand_out(name: str, course: Path = COURSE) -> Path:
    """Write the students' notebook of the set `name` without nbgrader; return its path."""
    notebook = handout(nbformat.read(course / "source" / name / f"{name}.ipynb", as_version=4))
    path = course / "release" / name / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(notebook) + "\n", "utf-8", newline="\n")
    return path


def answer(name: str, notebook: nbformat.NotebookNode) -> Path:
    """Write the solved set `name` as a page; return its path."""
    from nbconvert.exporters import HTMLExporter

    ANSWERS.mkdir(parents=True, exist_ok=True)
    path = ANSWERS / f"{name}.html"
    path.write_text(HTMLExporter().from_notebook_node(notebook)[0], "utf-8")
    return path


def leaks(source: str, released: str) -> list[str]:
    """Return the lines of solutions and hidden tests in `source` that are also in `released`, and so are no secret."""
    secret = {line.strip() for region in SECRETS.findall(source) for line in region.splitlines()}
    told = {line.strip() for line in SECRETS.sub("", source).splitlines()}
    there = {line.strip() for line in released.splitlines()}
    markers = [line for line in there if "BEGIN SOLUTION" in line or "BEGIN HIDDEN TESTS" in line]
    return sorted(markers + [line for line in (secret - told) & there if line])


def text(path: Path) -> str:
    """Return all that is written in the cells of a notebook."""
    return "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)


def main(argv: list[str] | None = None) -> None:
    """Run one of the commands for all sets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["release", "handout", "answers"])
    command = parser.parse_args(argv).command
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")  # of SQLAlchemy, about what nbgrader does
    # nbgrader starts a program of its own environment, alembic, by its name alone.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    try:
        for name, source, notebook in side_by_side(names()):
            if command == "answers":
                print(answer(name, notebook).relative_to(ROOT))
                continue
            released = release(name) if command == "release" else hand_out(name)
            if found := leaks(text(source), text(released)):
                raise SetError(f"{released} gives away: {'; '.join(found)}")
            print(released.relative_to(ROOT))
    except SetError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
