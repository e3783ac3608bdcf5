"""What the page for teachers names exists, and the numbers on it are the code's own."""

import re
from datetime import datetime
from importlib import import_module
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderApp
from nbgrader.exchange.default.exchange import Exchange
from nbgrader.plugins import CsvExportPlugin, ExportPlugin
from nbgrader.utils import parse_utc
from traitlets.config import Config

from lossprimer.grading import autograde, collecting, exporters, flags, formgrader, sandbox, submission
from lossprimer.grading.feedback import FeedbackExporter
from lossprimer.grading.lateness import DailyPenalty
from lossprimer.grading.preprocessors import SandboxPreprocessor
from tools.commands import COMMANDS

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "book" / "teaching.md").read_text("utf-8")
PROSE = re.sub(r"\s+", " ", PAGE)
BLOCKS = re.findall(r"^```(sh|python)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
# A command may go on in the next line.
LINES = [line for kind, text in BLOCKS if kind == "sh" for line in re.sub(r"\\\n\s*", "", text).splitlines()]
LINES += [text for text in re.findall(r"`([^`\n]+)`", PAGE) if text.startswith(("make ", "nbgrader ", "python "))]
CONFIGURABLE = (SandboxPreprocessor, DailyPenalty, FeedbackExporter, Exchange)
CONFIGURABLE += (exporters.CanvasExporter, exporters.MoodleWorksheetExporter)


def commands(start):
    """What comes after the beginning of a command on the page, in words."""
    found = [line.removeprefix(start).split() for line in LINES if line.startswith(start)]
    assert found
    return found


def options(words):
    return {word.split("=")[0] for word in words if word.startswith("--")}


def block(words):
    (found,) = [text for _, text in BLOCKS if words in text]
    return found


def test_every_line_of_a_block_is_seen_whole():
    wide = [line for _, text in BLOCKS for line in text.splitlines() if len(line) > 74]
    assert wide == []


@pytest.mark.parametrize("words", commands("make "), ids=" ".join)
def test_every_target_of_make_exists(words):
    assert words[0] in COMMANDS


@pytest.mark.parametrize("words", commands("nbgrader "), ids=" ".join)
def test_every_command_of_nbgrader_exists_and_takes_its_options(words):
    app = NbGraderApp()
    for word in words:
        if word not in app.subcommands:
            break
        app = app.subcommands[word][0]()
    assert not isinstance(app, NbGraderApp)
    entries = [entry if isinstance(entry, tuple) else (entry,) for entry in (*app.aliases, *app.flags)]
    known = {name for entry in entries for name in entry}
    if "export" in words:
        known |= {name for name in ("to", "student", "assignment") if name in ExportPlugin.class_trait_names()}
    assert {option.removeprefix("--") for option in options(words)} <= known


@pytest.mark.parametrize("words", commands("python -m lossprimer.grading "), ids=" ".join)
def test_every_command_of_the_course_takes_its_options(words, capsys):
    program = {"autograde": autograde, "formgrader": formgrader}[words[0]]
    with pytest.raises(SystemExit):
        program.main(["--help"])
    said = capsys.readouterr().out
    settings = {option for option in options(words) if option.startswith("--SandboxPreprocessor.")}
    assert all(option in said for option in options(words) - settings)
    assert all(option.partition(".")[2] in SandboxPreprocessor.class_trait_names(config=True) for option in settings)


def test_the_options_of_autograde_that_the_text_explains(monkeypatch):
    seen = {}
    monkeypatch.chdir(ROOT / "exercises")
    monkeypatch.setattr(autograde, "_autograde", lambda course, options: seen.update(vars(options)))
    monkeypatch.setattr(autograde, "course_here", lambda settings: None)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.setattr("sys.warnoptions", [])
    monkeypatch.setattr("logging.Logger.setLevel", lambda *_: None)
    for text in ("`--force`", "`--student ANA`", "`--jobs 4`"):
        assert text in PAGE
    with pytest.raises(SystemExit):
        autograde.main(["01_softmax", "--force", "--student", "ANA", "--jobs", "4"])
    assert seen == {"assignment": "01_softmax", "force": True, "student": ["ANA"], "jobs": 4, "scheduler": None}


@pytest.mark.parametrize("name", re.findall(r"--exporter=([\w.]+)", PAGE))
def test_every_exporter_can_be_imported(name):
    module, _, name = name.rpartition(".")
    assert issubclass(getattr(import_module(module), name), ExportPlugin)


@pytest.mark.parametrize("program", ["scheduler", "worker"])
def test_dask_takes_its_options(program):
    command = import_module(f"distributed.cli.dask_{program}").main
    known = {option for parameter in command.params for option in parameter.opts}
    for words in commands(f"dask {program}"):
        assert options(words) <= known


@pytest.mark.parametrize("name", sorted(set(re.findall(r"\bc\.(\w+\.\w+)", PAGE))))
def test_every_setting_exists(name):
    of, _, trait = name.partition(".")
    (found,) = [each for each in CONFIGURABLE if each.__name__ == of]
    assert trait in found.class_trait_names(config=True)


def test_the_settings_of_the_penalty_do_what_is_said_beside_them():
    config = Config()
    exec(block("c.DailyPenalty"), {"c": config})
    penalty = DailyPenalty(config=config).late_submission_penalty
    day = 24 * 60 * 60
    assert penalty("ana", 20, 15 * 60) is None
    assert penalty("ana", 20, day) == pytest.approx(2)
    assert penalty("ana", 20, day + 16 * 60) == pytest.approx(4)
    assert penalty("ana", 20, 30 * day) == pytest.approx(10)


def test_the_limits_are_the_ones_in_force():
    patience, limits, settings = submission.Patience(), sandbox.Limits(), SandboxPreprocessor()
    said = "A cell or a call may take 10 seconds, a test 30, a notebook 120."
    assert said in PROSE
    assert [int(number) for number in re.findall(r"\d+", said)] == [
        settings.call_timeout,
        settings.test_timeout,
        settings.timeout,
    ]
    assert (patience.call, patience.test, patience.total) == (10, 30, 120)
    assert "an empty disk of 64 MiB" in PROSE
    assert limits.scratch == 64 * 2**20
    assert "2 GiB of memory and 120 seconds of processor time" in PROSE
    assert limits.memory == settings.memory_mb * 2**20 == 2 * 2**30
    assert limits.cpu_seconds == 120


def test_the_table_of_flags_is_complete():
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == set(flags.MEANINGS)
    assert f"`{flags.FILE}`" in PAGE


def test_the_tables_of_a_collection_are_called_so():
    assert f"`downloaded/01_softmax/{collecting.UNCOLLECTED}`" in PAGE
    assert f"`{collecting.COLLECTED}`" in PAGE


@pytest.mark.parametrize(
    ("file", "student"),
    [
        ("Ana Lopez_102_assignsubmission_file/work.ipynb", "Ana-Lopez_102"),
        ("lopezana_112_4455_01_softmax.ipynb", "lopezana_112"),
    ],
)
def test_the_names_of_the_platforms_make_these_ids(file, student):
    assert file.split("/")[0] in PAGE
    assert f"`{student}`" in PAGE
    owner, _ = collecting.identified(file.split("/"))
    assert owner.student(0) == student


def test_the_due_date_is_read_in_its_zone():
    (date,) = re.findall(r'--duedate="([^"]+)"', PAGE)
    assert parse_utc(date) == datetime(2026, 11, 10, 22, 59)


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # about what nbgrader does
def test_the_table_of_students_can_be_imported_and_one_gets_more_time(tmp_path, monkeypatch):
    columns = re.findall(r"`(\w+)`", re.search(r"columns ((?:`\w+`(?:, )?)+)", PROSE)[1])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("nbgrader.api.get_alembic_version", lambda: "0")  # a program that takes seconds to say it
    values = {"id": "Ana-Lopez_102", "last_name": "Lopez", "first_name": "Ana", "email": "ana@example.org"}
    assert set(columns) == set(values)
    with Gradebook("sqlite:///gradebook.db", "loss-stability-primer") as gradebook:
        gradebook.add_assignment("01_softmax", duedate="2026-11-10 22:59:00 UTC")
        gradebook.add_student(values.pop("id"), **values)
        gradebook.add_submission("01_softmax", "Ana-Lopez_102", timestamp="2026-11-12 22:59:00 UTC")
        assert gradebook.find_submission("01_softmax", "Ana-Lopez_102").total_seconds_late == 2 * 24 * 60 * 60
    exec(block("from nbgrader.api"), {})
    with Gradebook("sqlite:///gradebook.db", "loss-stability-primer") as gradebook:
        assert gradebook.find_submission("01_softmax", "Ana-Lopez_102").total_seconds_late == 0


def test_the_files_and_packages_that_are_named():
    assert "`students.csv`" in PAGE
    assert "--to grades.csv" in PAGE
    assert CsvExportPlugin().to in ("", "grades.csv")
    for folder in re.findall(r"`(exercises/\w+)/`", PAGE):
        assert (ROOT / folder).is_dir() or folder == "exercises/release"
    installed = block("sudo apt-get update").split("--yes ")[1].split("#")[0].split()
    assert {"git", "make", "python3-venv", "bubblewrap"} == set(installed)
