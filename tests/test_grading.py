"""A class hands in, and nbgrader's own commands grade it: everybody gets what they earned, and nothing gets out."""

import contextlib
import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import psutil
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell
from nbgrader.api import Gradebook

from lossprimer.grading import flags, sandbox
from lossprimer.grading.autograde import _line, _saved
from lossprimer.grading.batch import Result
from tests.classroom import CLASS, SECRET, SET, TASKS, WORDS, answered, find, problem_set
from tests.test_sandbox import ORDINARY, can_be_ordinary
from tests.waiting import until
from tools.debian import can_install

pytestmark = [pytest.mark.sandbox, pytest.mark.kernel]

ROOT = Path(__file__).parent.parent
PROGRAMS = Path(sys.executable).parent
# The class is full of loops, and nobody learns more from a longer wait.
SETTINGS = """
c.SandboxPreprocessor.call_timeout = 2
"""

# What is said of a submission that was graded and is the same still.
BEFORE = "skipped: graded before, and not changed since"
PIPES = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
# With that variable a program would write each line at once, whether or not it means to.
BUFFERED = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}


def run(*command, folder, status=0):
    environment = {**os.environ, "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == status, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


def autograde(course, *options, status=0):
    """Grade with the command for a class; return what it says of each submission."""
    said = run(sys.executable, "-m", "lossprimer.grading", "autograde", SET, *options, folder=course, status=status)
    return dict(re.findall(r"^(\w+): (.*)$", said, re.MULTILINE))


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
def given_out(tmp_path_factory):
    """The folder of a course in which a set was given out, and nobody has handed in anything."""
    course = tmp_path_factory.mktemp("given_out")
    (course / "source" / SET).mkdir(parents=True)
    nbformat.write(problem_set(), course / "source" / SET / f"{SET}.ipynb")
    config = (ROOT / "exercises" / "nbgrader_config.py").read_text("utf-8")
    (course / "nbgrader_config.py").write_text(config + SETTINGS, "utf-8")
    run("nbgrader", "generate_assignment", SET, folder=course)
    return course


def hand_in(course, name, work):
    released = nbformat.read(course / "release" / SET / f"{SET}.ipynb", as_version=4)
    folder = course / "submitted" / name / SET
    folder.mkdir(parents=True, exist_ok=True)
    made = work(answered(released))
    (folder / f"{SET}.ipynb").write_text(made if isinstance(made, str) else nbformat.v4.writes(made), "utf-8")


@pytest.fixture(scope="module")
def course(given_out, tmp_path_factory):
    """The folder of a course after everybody has been graded and has got feedback."""
    course = tmp_path_factory.mktemp("course")
    shutil.copytree(given_out, course, dirs_exist_ok=True)
    for name, student in CLASS.items():
        hand_in(course, name, student.work)
    own = course / "submitted" / "ships" / SET / "lossprimer"
    own.mkdir()
    (own / "__init__.py").write_text("")
    (own / "checks.py").write_text("def __getattr__(name):\n    return lambda *args, **kwargs: None\n")
    run("nbgrader", "autograde", SET, "--student=perfect", folder=course)
    said = autograde(course, "--jobs=2", status=1)
    assert said["perfect"].startswith("skipped")
    (course / "said.json").write_text(json.dumps(said))
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


READABLE = [name for name, student in CLASS.items() if student.points is not None]


@pytest.mark.parametrize("name", READABLE)
def test_everybody_gets_the_points_that_they_earned(points, name):
    earned = tuple(points[name, f"{task}-test"][0] for task in TASKS)
    assert earned == CLASS[name].points


@pytest.mark.parametrize("name", [name for name, student in CLASS.items() if student.hears])
def test_the_feedback_names_the_mistake(course, name):
    assert CLASS[name].hears in feedback(course, name)


@pytest.mark.parametrize("name", READABLE)
def test_neither_release_nor_feedback_holds_a_hidden_test(course, name):
    assert SECRET not in (course / "feedback" / name / SET / f"{SET}.html").read_text("utf-8")
    assert SECRET not in (course / "release" / SET / f"{SET}.ipynb").read_text("utf-8")
    assert SECRET in (course / "autograded" / name / SET / f"{SET}.ipynb").read_text("utf-8")


def test_the_feedback_shows_no_line_of_the_library(course):
    assert "Traceback" not in feedback(course, "overflows")
    assert "calling.py" not in feedback(course, "overflows")


def test_written_answers_wait_for_a_person_and_blank_ones_do_not(points):
    assert points["perfect", "words"] == (None, True)
    assert points["nowords", "words"] == (0, False)


def test_what_cannot_be_read_is_named_and_has_no_points(course, points):
    said = json.loads((course / "said.json").read_text())
    for name in set(CLASS) - set(READABLE):
        assert said[name].startswith("unreadable: ")
        assert not any(student == name for student, _ in points)
    assert {said[name] for name in READABLE} == {"graded", BEFORE}


@pytest.fixture
def flagged(course):
    """Pairs of a student and a flag."""
    header, *rows = table(course / "flags.csv")
    assert header == list(flags.COLUMNS)
    return {(student, flag) for _, student, _, flag, _ in rows}


def test_the_teacher_learns_where_to_look(flagged):
    for name, student in CLASS.items():
        assert {(name, flag) for flag in student.flags} <= flagged
    assert {flag for _, flag in flagged} <= set(flags.MEANINGS)


def test_honest_work_is_not_flagged(flagged):
    """But for what is equal to the reference: in this class, everybody's answer is."""
    honest = {"perfect", "noisy", "overflows", "wrongaxis", "syntax", "sysexit"}
    assert {(name, flag) for name, flag in flagged if name in honest} == {(name, "reference") for name in honest}
    assert not any(flag == "shared" and name not in ("copies", "copied") for name, flag in flagged)


def test_students_do_not_see_the_flags(course):
    assert not list((course / "feedback").rglob("flags*"))
    assert "reaches" not in feedback(course, "looks")


def test_both_commands_write_the_same_and_again_flag_nothing_twice(course, points, tmp_path):
    """Both nbgrader's own, which graded the first submission, and the one for a class: points, notebook, flags."""
    folder = course / "autograded" / "perfect" / SET
    before = nbformat.read(folder / f"{SET}.ipynb", as_version=4), sorted(path.name for path in folder.iterdir())
    rows = sorted(table(course / "flags.csv"))
    assert {"perfect", "looks"} <= {student for _, student, *_ in rows}
    autograde(course, "--student=perfect", "--student=looks", "--force", "--jobs=1")
    after = nbformat.read(folder / f"{SET}.ipynb", as_version=4), sorted(path.name for path in folder.iterdir())
    assert after == before
    assert sorted(table(course / "flags.csv")) == rows
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "loss-stability-primer") as gradebook:
        submission = gradebook.find_submission(SET, "perfect")
        assert {
            grade.name: (grade.auto_score, grade.needs_manual_grade) for grade in submission.notebooks[0].grades
        } == {cell: value for (name, cell), value in points.items() if name == "perfect"}


def test_one_that_cannot_be_written_down_is_no_end_for_the_others():
    class Full:
        def save(self, *_):
            raise OSError("no space left")

    result = _saved(Result("ana", "graded"), Full())
    assert (result.student, result.status) == ("ana", "failed")
    assert "no space left" in result.reason
    assert _saved(Result("ben", "skipped"), Full()).status == "skipped"


def test_what_the_command_says_is_one_line_without_commands_for_a_terminal():
    assert _line("an\x1b[2Ja: failed: x\nben: graded \udcff é") == "an\ufffd[2Ja: failed: x\ufffdben: graded \ufffd é"


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
    assert ["nowords", "", "10.0"] in moodle
    canvas = table(course / "canvas.csv")
    assert canvas[:2] == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", SET],
        ["Points Possible", "", "", "", "", "14.0"],
    ]
    assert ["Example, Ada", "", "perfect", "ada@example.org", "", "13.0"] in canvas


def is_worker(process):
    with contextlib.suppress(psutil.Error):  # it may have ended in between
        return "inside.worker" in " ".join(process.cmdline())


def test_an_interrupted_grading_leaves_no_process_and_can_go_on(given_out, tmp_path):
    course = tmp_path / "course"
    shutil.copytree(given_out, course)
    hand_in(course, "first", lambda notebook: notebook)
    loop = new_code_cell("import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])\nwhile True: pass")

    def endless(notebook):
        notebook.cells.insert(1, loop)
        return notebook

    hand_in(course, "second", endless)
    command = [sys.executable, "-m", "lossprimer.grading", "autograde", SET, "--jobs=1"]
    command += ["--SandboxPreprocessor.call_timeout=60"]
    for number, first in ((signal.SIGTERM, "graded"), (signal.SIGINT, BEFORE), (signal.SIGKILL, BEFORE)):
        grading = subprocess.Popen(command, cwd=course, env=BUFFERED, **PIPES)
        assert grading.stdout.readline() == f"first: {first}\n", number
        family = psutil.Process(grading.pid)
        until(lambda family=family: any(map(is_worker, family.children(recursive=True))))
        processes = family.children(recursive=True)
        grading.send_signal(number)
        _, said = grading.communicate(timeout=20)
        assert grading.returncode == (-9 if number == signal.SIGKILL else 130), number
        assert ("the same command goes on" in said) == (number != signal.SIGKILL), number
        until(lambda processes=processes: not any(each.is_running() for each in processes))
    hand_in(course, "second", lambda notebook: notebook)
    assert autograde(course, "--jobs=1") == {"first": BEFORE, "second": "graded"}


def test_an_ordinary_user_grades_and_shows_nothing_of_the_environment(given_out, tmp_path, monkeypatch):
    if not can_be_ordinary():
        pytest.skip("the tests do not run as root, or there are no user namespaces")
    course = tmp_path / "course"
    shutil.copytree(given_out, course)
    monkeypatch.setenv("SECRET_TOKEN", "a_token_of_the_teacher")
    look = """import glob, os
for path in glob.glob("/proc/*/environ"):
    try:
        print(open(path).read())
    except OSError:
        pass
print(dict(os.environ))"""

    def spy(notebook):
        notebook.cells.insert(1, new_code_cell(look))
        return notebook

    hand_in(course, "spy", spy)
    command = [*ORDINARY, sys.executable, "-m", "lossprimer.grading", "autograde", SET, "--jobs=1"]
    assert "spy: graded" in run(*command, folder=course)
    kept = (course / "autograded" / "spy" / SET / f"{SET}.ipynb").read_text("utf-8")
    assert "LANG" in kept
    assert "a_token_of_the_teacher" not in kept
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "loss-stability-primer") as gradebook:
        assert gradebook.find_submission(SET, "spy").score == 10


def test_ctrl_c_while_the_processes_start_is_quiet(given_out, tmp_path):
    """A terminal sends it to all of them, which then still import what they need."""
    course = tmp_path / "course"
    shutil.copytree(given_out, course)
    hand_in(course, "first", lambda notebook: notebook)
    command = [sys.executable, "-m", "lossprimer.grading", "autograde", SET, "--jobs=2"]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    grading = subprocess.Popen(command, cwd=course, start_new_session=True, **streams)
    group = Path(f"/proc/{grading.pid}/task/{grading.pid}/children")

    def spawned():
        children = group.read_text("utf-8").split()
        return [child for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]

    until(spawned)
    os.killpg(grading.pid, signal.SIGINT)
    said, _ = grading.communicate(timeout=60)  # the pipe is open until the last process has ended
    assert grading.returncode == 130
    assert said == "Interrupted. What is graded is kept; the same command goes on with the rest.\n"


def test_what_has_changed_is_graded_again_and_until_then_the_points_of_a_person_stand(given_out, tmp_path):
    course = tmp_path / "course"
    shutil.copytree(given_out, course)

    def waits():
        with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "loss-stability-primer") as gradebook:
            submission = gradebook.find_submission(SET, "first")
            return submission.needs_manual_grade, submission.score

    hand_in(course, "first", lambda notebook: notebook)
    (course / "submitted" / "first" / SET / "submission_secret.txt").write_text("of the exchange", "utf-8")
    autograde(course, "--jobs=1")
    assert waits() == (True, 10)
    assert (course / "autograded" / "first" / SET / "submission_secret.txt").read_text("utf-8") == "of the exchange"
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "loss-stability-primer") as gradebook:
        grade = gradebook.find_grade("words", SET, SET, "first")
        grade.manual_score, grade.needs_manual_grade = 3, False
        gradebook.db.commit()
    assert autograde(course, "--jobs=1") == {"first": BEFORE}
    assert autograde(course, "--force", "--jobs=1") == {"first": "graded"}
    assert waits() == (False, 13)
    hand_in(course, "first", with_other_words)
    os.utime(course / "submitted" / "first" / SET / f"{SET}.ipynb", (0, 0))  # however old the file says that it is
    assert autograde(course, "--jobs=1") == {"first": "graded"}
    assert waits() == (True, 13)


def with_other_words(notebook):
    find(notebook, "words").source = "Something else."
    return notebook


def start(stack, folder, program, *options):
    """Start a program of Dask until the end of a stack."""
    command = [sys.executable, "-m", f"distributed.cli.{program}", *options, "--no-dashboard"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
    stack.callback(process.wait)
    stack.callback(process.kill)
    return process


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory):
    """The file that says where the scheduler of a cluster without workers is."""
    folder = tmp_path_factory.mktemp("cluster")
    file = folder / "scheduler.json"
    with contextlib.ExitStack() as stack:
        start(stack, folder, "dask_scheduler", "--host=127.0.0.1", "--port=0", f"--scheduler-file={file}")
        until(file.exists)
        yield file


NO_PATIENCE = """import sys
from lossprimer.grading import autograde

autograde._PATIENCE = 1
name, *addresses = sys.argv[1:]
for address in addresses:
    try:
        autograde.main([name, "--scheduler", address])
    except SystemExit as end:
        print("status", end.code, file=sys.stderr)
"""


def test_a_cluster_without_workers_is_not_waited_for(given_out, scheduler, tmp_path):
    course = tmp_path / "course"
    shutil.copytree(given_out, course)
    hand_in(course, "first", lambda notebook: notebook)
    address = json.loads(scheduler.read_text())["address"]
    nobody = "tcp://127.0.0.1:1"
    said = run(sys.executable, "-c", NO_PATIENCE, SET, address, nobody, folder=course)
    assert f"The scheduler at {address} has no workers. Start some: dask worker {address}" in said
    assert f"There is no Dask scheduler at {nobody}" in said
    assert said.count("status 1") == 2


def test_a_cluster_grades_and_loses_nothing_with_one_of_its_workers(given_out, scheduler, tmp_path):
    course = tmp_path / "course"
    shutil.copytree(given_out, course)
    names = [f"student{number}" for number in range(5)]
    for name in names:
        hand_in(course, name, lambda notebook: notebook)
    with contextlib.ExitStack() as stack:
        options = ["--nthreads=1", "--no-nanny", f"--scheduler-file={scheduler}"]
        workers = [start(stack, tmp_path, "dask_worker", *options, f"--name={number}") for number in range(2)]
        address = json.loads(scheduler.read_text())["address"]
        command = [sys.executable, "-m", "lossprimer.grading", "autograde", SET, "--scheduler", address]
        grading = subprocess.Popen(command, cwd=course, env=BUFFERED, **PIPES)
        said = [grading.stdout.readline() for _ in range(2)]
        workers[0].kill()
        rest, errors = grading.communicate(timeout=120)
        assert grading.returncode == 0, errors[-3000:]
    said = "".join(said) + rest
    assert sorted(re.findall(r"^(\w+): graded$", said, re.MULTILINE)) == names
    assert "5 submissions: 5 graded" in said
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "loss-stability-primer") as gradebook:
        earned = {submission.student.id: submission.score for submission in gradebook.assignment_submissions(SET)}
    assert earned == dict.fromkeys(names, 10)


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
