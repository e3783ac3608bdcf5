"""How is a large class graded? By several processes, each with a submission at a time.

    python -m lossprimer.grading autograde 01_softmax --jobs 4

It does what ``nbgrader autograde`` does, from the same folder and with the same configuration.
"""

import argparse
import logging
import os
import sys
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path

from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from traitlets.config import PyFileConfigLoader


def autograde(assignment: str, student: str, force: bool) -> tuple[str, str]:
    """Grade one submission in this process; return the student and, if that failed, the log."""
    outcome = _nbgrader().autograde(assignment, student, force=force, create=True)
    return student, "" if outcome["success"] else str(outcome.get("error") or outcome["log"])


@cache
def _nbgrader():
    """Nbgrader's commands, with the configuration of the course in this folder."""
    # nbgrader starts a program of its own environment, alembic, by its name alone.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    logging.getLogger("traitlets").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")  # of SQLAlchemy, about what nbgrader does
    config = PyFileConfigLoader("nbgrader_config.py", path=str(Path.cwd())).load_config()
    return NbGraderAPI(CourseDirectory(config=config), config=config)


def main(argv: list[str] | None = None) -> None:
    """Grade all submissions of a set; the exit status is 1 if one of them could not be graded."""
    parser = argparse.ArgumentParser(
        prog="lossprimer.grading", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["autograde"])
    parser.add_argument("assignment")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one for each core)")
    parser.add_argument("--force", action="store_true", help="grade again what is graded already")
    options = parser.parse_args(argv)
    students = sorted(_nbgrader().get_submitted_students(options.assignment))
    if not students:
        parser.error(f"no submissions of {options.assignment} in {Path.cwd() / 'submitted'}")
    start, failed = time.perf_counter(), 0
    grade = partial(autograde, options.assignment, force=options.force)
    with ProcessPoolExecutor(options.jobs, get_context("spawn")) as pool:
        for student, log in pool.map(grade, students):
            failed += bool(log)
            print(f"{student}: {log or 'graded'}", flush=True)
    print(f"{len(students) - failed} of {len(students)} graded in {time.perf_counter() - start:.0f} s")
    sys.exit(1 if failed else 0)
