"""What does ``python -m lossprimer.grading autograde`` do? What ``nbgrader autograde`` does, for a large class.

    python -m lossprimer.grading autograde 01_softmax --jobs 4
    python -m lossprimer.grading autograde 01_softmax --scheduler tcp://192.0.2.1:8786

It works in the folder of the course and with its configuration, and grades what is new or has changed. It can be
interrupted and started again at any time.
"""

import argparse
import contextlib
import hashlib
import logging
import multiprocessing
import os
import signal
import sys
import time
import warnings
from collections import Counter
from functools import partial
from pathlib import Path

from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from tqdm import tqdm
from traitlets.config import PyFileConfigLoader
from traitlets.config.loader import KeyValueConfigLoader

from lossprimer.grading import batch, reading, sandbox, timestamps
from lossprimer.grading.batch import Result, Work
from lossprimer.grading.course import problem_set
from lossprimer.grading.preprocessors import SandboxPreprocessor
from lossprimer.grading.records import Records

_PATIENCE = 30  # seconds for a cluster to answer


def course_here(arguments: list[str] | None = None) -> CourseDirectory:
    """The course in this folder, with nbgrader_config.py and further settings as ``--Class.name=value``."""
    config = PyFileConfigLoader("nbgrader_config.py", path=str(Path.cwd())).load_config()
    config.merge(KeyValueConfigLoader(argv=arguments or []).load_config())
    return CourseDirectory(config=config)


def main(argv: list[str] | None = None) -> None:
    """Grade the submissions of a set; the exit status is 1 if one of them could not be read or graded."""
    parser = argparse.ArgumentParser(
        prog="python -m lossprimer.grading autograde",
        description="Grade the submissions of a problem set. What was graded and has not changed since is skipped.",
        epilog="Settings of nbgrader_config.py can be given, too: --SandboxPreprocessor.memory_mb=1024",
    )
    parser.add_argument("assignment", help="the name of the set, such as 01_softmax")
    parser.add_argument("--student", action="append", metavar="ID", help="only this one; may be repeated")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one for each core)")
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="of a Dask cluster that grades in place of processes here"
    )
    parser.add_argument("--force", action="store_true", help="grade again what is graded already")
    options, settings = parser.parse_known_args(argv)
    if not Path("nbgrader_config.py").exists():
        parser.error(f"no nbgrader_config.py in {Path.cwd()}: give the command in the course's folder, exercises")
    logging.getLogger("traitlets").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")  # of SQLAlchemy, about what nbgrader does
    sys.warnoptions.append("ignore:resource_tracker")  # of a process that cleans up after an interrupt, and says so
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(_autograde(course_here(settings), options))
    except (NbGraderException, sandbox.IsolationError) as error:
        parser.exit(1, f"{error}\n")
    except KeyboardInterrupt:
        print(
            "Interrupted. What is graded is kept; the same command goes on with the rest.", file=sys.stderr, flush=True
        )
        for process in multiprocessing.active_children():
            process.kill()  # one that still starts would miss what this one shares with it, with a traceback
        os._exit(130)  # an orderly exit would wait for the submissions that are being graded


def _autograde(course, options):
    """Grade, say what became of each submission and of all together; return the exit status."""
    students = options.student or _students(course, options.assignment)
    if not students:
        raise NbGraderException(f"There is no submission of {options.assignment} in {course.submitted_directory}.")
    settings = SandboxPreprocessor(config=course.config).settings
    problems = problem_set(course, options.assignment, options.assignment)
    if settings.isolated and not options.scheduler:
        sandbox.require()
    start, tally = time.perf_counter(), Counter()
    with Records(course, options.assignment) as records, contextlib.ExitStack() as stack:
        executor, ahead = _executor(options, stack)
        task = partial(batch.grade, problems=problems, settings=settings)
        bar = stack.enter_context(tqdm(total=len(students), unit=" submissions", disable=None))
        # Of all submissions, since each one is compared with the others; also after an interrupt.
        stack.callback(records.save_flags, _students(course, options.assignment))
        works = (_work(course, options.assignment, student, records, options.force) for student in students)
        for result in batch.results(works, executor, task, ahead):
            result = _saved(result, records)
            tally[result.status] += 1
            bar.update()
            bar.write(_line(f"{result.student}: {result.status}" + (f": {result.reason}" if result.reason else "")))
            sys.stdout.flush()  # also where somebody else reads it, as in "| tee log"
    counts = ", ".join(f"{count} {status}" for status, count in sorted(tally.items()))
    plural = "" if len(students) == 1 else "s"
    print(f"{len(students)} submission{plural}: {counts}, in {time.perf_counter() - start:.0f} s")
    return 1 if tally["unreadable"] or tally["failed"] else 0


def _students(course, assignment):
    """Who has handed in something for a set."""
    pattern = os.path.relpath(course.format_path(course.submitted_directory, "*", assignment), course.root)
    return sorted(path.parent.name for path in Path(course.root).glob(pattern))


def _work(course, assignment, student, records, force):
    """What there is to do for a student: the work, or what became of it already."""
    folder = Path(course.format_path(course.submitted_directory, student, assignment))
    try:
        data = reading.contents(folder / f"{assignment}.ipynb")
        if not force and records.digest(student) == hashlib.sha256(data).hexdigest():
            return Result(student, "skipped", "graded before, and not changed since")
        remark = timestamps.settle(folder)
        timestamp, _ = timestamps.timestamp(folder)
        return Work(student, data, timestamp, (remark,) if remark else ())
    except reading.Unreadable as error:
        return Result(student, "unreadable", str(error))
    except Exception as error:
        return Result(student, "failed", f"it could not be taken up: {type(error).__name__}: {error}")


def _saved(result, records):
    """Write down what was graded, and return the result; what cannot be written is no end for the others."""
    if result.status != "graded":
        return result
    try:
        records.save(result.student, result.notebook, result.timestamp)
    except Exception as error:
        return Result(result.student, "failed", f"it could not be written down: {type(error).__name__}: {error}")
    return result


def _line(text):
    """A text as one line that commands nothing to a terminal."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def _executor(options, stack):
    """What makes the executor that grades, and how many submissions to hand it at a time."""
    if not options.scheduler:
        return partial(batch.processes, options.jobs), 2 * options.jobs
    try:
        from distributed import Client
    except ImportError:
        raise NbGraderException('A cluster needs what pip install "lossprimer[grading-cluster]" installs.') from None
    try:
        client = stack.enter_context(Client(options.scheduler, timeout=_PATIENCE))
    except (OSError, ValueError) as error:
        raise NbGraderException(f"There is no Dask scheduler at {options.scheduler}: {error}") from None
    try:
        client.wait_for_workers(1, timeout=_PATIENCE)
    except TimeoutError:
        start = f"dask worker {options.scheduler} --nthreads 1"
        raise NbGraderException(f"The scheduler at {options.scheduler} has no workers. Start some: {start}") from None
    return client.get_executor, 2 * sum(client.nthreads().values())
