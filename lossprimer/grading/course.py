"""What does nbgrader know of a problem set? Its released notebook, and in the gradebook the tests that are hidden."""

from functools import cache
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory

from lossprimer.grading.grade import ProblemSet


def problem_set(course: CourseDirectory, assignment: str, notebook: str) -> ProblemSet:
    """The problem set that was given out, with the hidden parts of its tests.

    Raises
    ------
    NbGraderException
        If it was not generated yet.
    """
    released = _path(course, course.release_directory, assignment, notebook)
    if not released.exists():
        raise NbGraderException(f"There is no {released}: nbgrader generate_assignment makes it.")
    source = _path(course, course.source_directory, assignment, notebook)
    solved = source if source.exists() else None
    return _problem_set(released, released.stat().st_mtime_ns, solved, course.db_url, assignment, notebook)


@cache
def _problem_set(path, _changed, solved, db_url, assignment, notebook):
    released, locked = nbformat.read(path, as_version=4), {}
    with Gradebook(db_url) as gradebook:
        for cell in released.cells:
            data = cell.metadata.get("nbgrader", {})
            try:
                source = gradebook.find_source_cell(data.get("grade_id"), notebook, assignment)
            except MissingEntry:
                continue
            data["checksum"] = source.checksum  # by which an untouched answer is known
            if source.locked:
                locked[source.name] = source.source
            if data.get("grade"):
                data["points"] = float(gradebook.find_graded_cell(source.name, notebook, assignment).max_score)
    return ProblemSet.of(released, locked, nbformat.read(solved, as_version=4) if solved else None)


def _path(course, folder, assignment, notebook):
    return Path(course.format_path(folder, ".", assignment)) / f"{notebook}.ipynb"
