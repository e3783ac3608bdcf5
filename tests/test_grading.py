"""A class hands in, and nbgrader's own commands grade it: everybody gets what they earned, and nothing gets out."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbgrader.api import Gradebook

from lossprimer.grading import sandbox
from tests.classroom import CLASS, SECRET, SET, TASKS, WORDS, answered, find, problem_set
from tools.debian import can_install

ROOT = Path(__file__).parent.parent
PROGRAMS = Path(sys.executable).parent
# The class is full of loops, and nobody learns more from a longer wait.
SETTINGS = """
c.SandboxedExecute.cell_timeout = 4
c.SandboxedExecute.timeout = 20
c.TrustedChecks.call_timeout = 5
"""


def run(*command, folder):
    environment = {**os.environ, "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


@pytest.fixture(scope="module", autouse=True)
def isolation():
    """Leave these tests out where a process cannot be isolated, unless that could have been mended."""
    try:
        sandbox.require()
    except sandbox.IsolationError as error:
        if sys.platform == "linux" and can_install() and shutil.which("bwrap") is None:
            pytest.fail(f"python -m tools.isolation installs what is missing. {error}")
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """The folder of a course after everybody has been graded and has got feedback."""
    course = tmp_path_factory.mktemp("course")
    (course / "source" / SET).mkdir(parents=True)
    nbformat.write(problem_set(), course / "source" / SET / f"{SET}.ipynb")
    config = (ROOT / "exercises" / "nbgrader_config.py").read_text("utf-8")
    (course / "nbgrader_config.py").write_text(config + SETTINGS, "utf-8")
    run("nbgrader", "generate_assignment", SET, folder=course)
    released = nbformat.read(course / "release" / SET / f"{SET}.ipynb", as_version=4)
    for name, student in CLASS.items():
        folder = course / "submitted" / name / SET
        folder.mkdir(parents=True)
        work = student.work(answered(released))
        text = work if isinstance(work, str) else nbformat.v4.writes(work)
        (folder / f"{SET}.ipynb").write_text(text, "utf-8")
    own = course / "submitted" / "ships" / SET / "lossprimer"
    own.mkdir()
    (own / "__init__.py").write_text("")
    (own / "checks.py").write_text("def __getattr__(name):\n    return lambda *args, **kwargs: None\n")
    run("nbgrader", "autograde", SET, "--student=perfect", folder=course)
    run(sys.executable, "-m", "lossprimer.grading", "autograde", SET, "--jobs=2", folder=course)
    run("nbgrader", "generate_feedback", SET, folder=course)
    return course


@pytest.fixture(scope="module")
def points(course):
    """Points by student and test."""
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "loss-stability-primer") as gradebook:
        return {
            (submission.student.id, grade.name): (grade.auto_score, grade.needs_manual_grade)
            for submission in gradebook.assignment_submissions(SET)
            for notebook in submission.notebooks
            for grade in notebook.grades
        }


def table(path):
    return list(csv.reader(path.read_text("utf-8").splitlines()))


def feedback(course, student):
    page = (course / "feedback" / student / SET / f"{SET}.html").read_text("utf-8")
    return " ".join(BeautifulSoup(page, "html.parser").get_text(" ").split())


@pytest.mark.parametrize("name", CLASS)
def test_everybody_gets_the_points_that_they_earned(points, name):
    earned = tuple(points[name, f"{task}-test"][0] for task in TASKS)
    assert earned == CLASS[name].points


@pytest.mark.parametrize("name", [name for name, student in CLASS.items() if student.hears])
def test_the_feedback_names_the_mistake(course, name):
    assert CLASS[name].hears in feedback(course, name)


@pytest.mark.parametrize("name", CLASS)
def test_neither_release_nor_feedback_holds_a_hidden_test(course, name):
    assert SECRET not in (course / "feedback" / name / SET / f"{SET}.html").read_text("utf-8")
    assert SECRET not in (course / "release" / SET / f"{SET}.ipynb").read_text("utf-8")
    assert SECRET in (course / "autograded" / name / SET / f"{SET}.ipynb").read_text("utf-8")


def test_the_feedback_shows_no_line_of_the_library(course):
    assert "Traceback" not in feedback(course, "overflows")
    assert "calling.py" not in feedback(course, "overflows")


def test_written_answers_wait_for_a_person_and_blank_ones_do_not(points):
    assert points["perfect", "words"] == (None, True)
    assert points["nofile", "words"] == (0, False)


def test_the_teacher_learns_where_a_kernel_said_more(course):
    _, *rows = table(course / "flags.csv")
    more = {student for _, student, _, kernel, trusted in rows if float(kernel) > float(trusted)}
    assert {name for name, student in CLASS.items() if student.flagged} <= more
    assert more <= {name for name, student in CLASS.items() if sum(student.points) < 10}
    assert not list((course / "feedback").rglob("flags*"))


def test_who_is_graded_again_is_not_flagged_twice(course):
    before = (course / "flags.csv").read_text()
    run("nbgrader", "autograde", SET, "--student=patched", "--force", folder=course)
    assert sorted((course / "flags.csv").read_text().splitlines()) == sorted(before.splitlines())


def test_the_points_go_to_moodle_and_canvas(course):
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "loss-stability-primer") as gradebook:
        gradebook.update_or_create_student("perfect", first_name="Ada", last_name="Example", email="ada@example.org")
        gradebook.find_grade("words", SET, SET, "perfect").manual_score = 3
        gradebook.find_grade("words", SET, SET, "perfect").needs_manual_grade = False
        gradebook.db.commit()
    exporters = "lossprimer.grading.exporters."
    run("nbgrader", "export", f"--exporter={exporters}MoodleExporter", "--to=moodle.csv", folder=course)
    run("nbgrader", "export", f"--exporter={exporters}CanvasExporter", "--to=canvas.csv", folder=course)
    moodle = table(course / "moodle.csv")
    assert moodle[0] == ["Username", "Email address", SET]
    assert ["perfect", "ada@example.org", "13.0"] in moodle
    assert ["blank", "", ""] in moodle  # the written answer is there and waits
    assert ["nofile", "", "0.0"] in moodle
    canvas = table(course / "canvas.csv")
    assert canvas[:2] == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", SET],
        ["Points Possible", "", "", "", "", "14.0"],
    ]
    assert ["Example, Ada", "", "perfect", "ada@example.org", "", "13.0"] in canvas


def test_without_isolation_nothing_is_graded(course, tmp_path):
    """Where bubblewrap is missing, the command says so and leaves no half-graded submission behind."""
    environment = {**os.environ, "PATH": str(PROGRAMS), "PYTHONWARNINGS": "ignore"}
    before = sorted((course / "autograded").iterdir())
    command = ["nbgrader", "autograde", SET, "--student=perfect", "--force"]
    done = subprocess.run(
        [str(PROGRAMS / command[0]), *command[1:]], cwd=course, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "apt-get install bubblewrap" in done.stderr
    assert sorted((course / "autograded").iterdir()) == before


def test_the_release_has_stubs_for_answers(course):
    released = nbformat.read(course / "release" / SET / f"{SET}.ipynb", as_version=4)
    assert "NotImplementedError" in find(released, "softmax-answer").source
    assert WORDS not in nbformat.writes(released)
