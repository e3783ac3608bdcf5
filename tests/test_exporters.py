"""The tables for Moodle and Canvas do what their importers ask, and give nobody the points of another."""

import csv
import datetime
import io
import logging
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbgrader.api import Gradebook
from nbgrader.apps import DbAssignmentAddApp
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import parse_utc
from traitlets.config import Config, LoggingConfigurable

from lossprimer.grading import tables
from lossprimer.grading.exporters import CanvasExporter, MoodleExporter, MoodleWorksheetExporter
from lossprimer.grading.lateness import DailyPenalty

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # about what nbgrader does
SETS = ("01_softmax", "02_cross_entropy")


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A gradebook with two sets, as ``nbgrader generate_assignment`` leaves it."""
    path = tmp_path_factory.mktemp("template") / "gradebook.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nbgrader.api.get_alembic_version", lambda: "0")  # a program that takes seconds to say it
        with Gradebook(f"sqlite:///{path}") as gradebook:
            for name in SETS:
                gradebook.add_assignment(name, duedate="2026-11-10 23:59:00")
                gradebook.add_notebook(name, name)
                gradebook.add_grade_cell("test", name, name, max_score=17, cell_type="code")
                gradebook.add_grade_cell("words", name, name, max_score=3, cell_type="markdown")
    return path


@pytest.fixture
def gradebook(tmp_path, template):
    with Gradebook(f"sqlite:///{shutil.copy(template, tmp_path / 'gradebook.db')}") as gradebook:
        yield gradebook


def hand_in(gradebook, student, *, test=0.0, words=None, name=SETS[0], time=None, **about):
    """Somebody who hands in; without points for the words they wait for a person."""
    gradebook.update_or_create_student(student, **about)
    gradebook.update_or_create_submission(name, student, timestamp=time)
    grades = {grade.name: grade for grade in gradebook.find_submission_notebook(name, name, student).grades}
    grades["test"].auto_score, grades["words"].manual_score = test, words
    grades["test"].needs_manual_grade, grades["words"].needs_manual_grade = False, words is None
    gradebook.db.commit()


@pytest.fixture
def export(tmp_path, gradebook, monkeypatch):
    """Makes the table of an exporter; returns its rows."""

    def run(exporter, config=None, **options):
        course = CourseDirectory(root=str(tmp_path), log=logging.getLogger("course"))

        class App(LoggingConfigurable):
            coursedir = course

        path = tmp_path / "out.csv"
        exporter(parent=App(config=Config(config or {})), to=str(path), **options).export(gradebook)
        data = path.read_bytes()
        assert not data.startswith(b"\xef\xbb\xbf")
        return list(csv.reader(io.StringIO(data.decode("utf-8"), newline="")))

    return run


def collected(tmp_path, *rows, name=SETS[0]):
    folder = tmp_path / "downloaded" / name / "archive"
    folder.mkdir(parents=True, exist_ok=True)
    tables.write(folder.parent / "collected.csv", [["student", "platform", "number", "name"], *rows])
    return folder


# What the platforms do with a table, in few words. Canvas: lib/gradebook_importer.rb.


def canvas_takes(rows, people):
    """The points by Canvas's number of the student and by assignment, as Canvas would take them."""
    headers, possible, *students = rows
    assert "Student" in headers[0]
    assert "ID" in headers[1]
    assert headers[2:5] == ["SIS User ID", "SIS Login ID", "Section"]
    assert "Points Possible" in possible[0]
    assert {len(row) for row in rows} == {len(headers)}
    taken = {}
    for row in students:
        name, number, sis, login, _ = row[:5]
        assert number == "" or number.isdecimal()  # Ruby reads "12ab" as 12
        by_number = [key for key in people if number and key == int(number)]
        by_sis = [key for key, person in people.items() if sis and person.get("sis") == sis]
        by_login = [key for key, person in people.items() if login and person.get("login") == login]
        by_name = [key for key, person in people.items() if person.get("name") == name]
        match = (by_number or by_sis or by_login or by_name)[:1]
        for title, value, most in zip(headers[5:], row[5:], possible[5:], strict=True):
            assert value == "" or 0 <= float(value) <= float(most)
            if value and match:
                taken[match[0], title] = float(value)
    return taken


# Moodle: lib/csvlib.class.php, grade/import/csv/classes/load_data.php.


def moodle_takes(rows, people, column):
    """The points by person, as Moodle's gradebook would take them, matched by a column."""
    headers, *lines = rows
    assert len(set(headers)) == len(headers) > 1
    taken, person = {}, None
    for line in lines:
        assert len(line) == len(headers)
        for header, value in zip(headers, line, strict=True):
            if header == column and value:  # with none, the person of the row above stays
                person = next((name for name, known in people.items() if known.get(column) == value), None)
                assert person, f"Moodle knows no {value!r} and stops"
        assert person, "Moodle has no user, and stops"
        for header, value in zip(headers[2:], line[2:], strict=True):
            assert value == "" or float(value) >= 0
            assert (person, header) not in taken, "a second row for the same person"
            taken[person, header] = None if value == "" else float(value)
    return taken


# Moodle: mod/assign/feedback/offline/importgradeslib.php.


def worksheet_takes(rows, numbers, most):
    """The grades by person, as Moodle's assignment would take them."""
    headers, *lines = rows
    number, grade = headers.index("Identifier"), headers.index("Grade")
    assert "Last modified (grade)" in headers
    taken = {}
    for line in lines:
        assert len(line) == len(headers)
        person = numbers.get(line[number][len("Participant ") :])
        if person and line[grade] not in ("", "-") and 0 <= float(line[grade]) <= most:
            taken[person] = float(line[grade])
    return taken


class TestCanvas:
    PEOPLE = {
        112: {"name": "Lopez, Ana", "sis": "s1", "login": "ana@example.org"},
        113: {"name": "Zhang, Wei", "sis": "s2", "login": "wei"},
        114: {"name": "Zhang, Wei", "sis": "s3", "login": "wei2"},
        12: {"name": "Other, One"},
    }

    def test_the_number_of_the_download_is_the_way_back(self, gradebook, export):
        for name, number, test in (("lopezana", "112", 17), ("zhangwei", "113", 4.5), ("zhangwei", "114", 8)):
            hand_in(gradebook, f"{name}_{number}", test=test, words=2, lms_user_id=number)
        rows = export(CanvasExporter)
        assert rows[0] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *SETS]
        assert rows[1] == ["Points Possible", "", "", "", "", "20.0", "20.0"]
        assert ["lopezana_112", "112", "", "", "", "19.0", ""] in rows
        wanted = {(112, SETS[0]): 19, (113, SETS[0]): 6.5, (114, SETS[0]): 10}
        assert canvas_takes(rows, self.PEOPLE) == wanted

    def test_without_a_number_the_own_id_and_the_address_are(self, gradebook, export):
        hand_in(gradebook, "s1", test=3, words=0, email="x@example.org")
        hand_in(gradebook, "unknown", test=4, words=0, email="ana@example.org", name=SETS[1])
        taken = canvas_takes(export(CanvasExporter), self.PEOPLE)
        assert taken == {(112, SETS[0]): 3, (112, SETS[1]): 4}

    def test_a_number_that_is_none_matches_nobody(self, gradebook, export):
        numbers = ["12ab", "abc", "-12", "1.2", "\N{SUPERSCRIPT TWO}", " 12", "=12"]
        for number in numbers:
            hand_in(gradebook, f"x_{number}", test=3, words=0, lms_user_id=number)
        rows = export(CanvasExporter)
        assert len(rows) == 2 + len(numbers)
        assert canvas_takes(rows, self.PEOPLE) == {}

    def test_a_number_of_moodles_is_no_number_of_canvass(self, gradebook, export, tmp_path):
        collected(tmp_path, ["Ana-Lopez_113", "Moodle", "113", "Ana Lopez"])
        hand_in(gradebook, "Ana-Lopez_113", test=3, words=0, lms_user_id="113")
        assert canvas_takes(export(CanvasExporter), self.PEOPLE) == {}

    def test_an_assignment_has_the_title_that_it_has_there(self, gradebook, export):
        config = {"CanvasExporter": {"titles": {SETS[0]: "Softmax (4711)"}}}
        assert export(CanvasExporter, config)[0][5:] == ["Softmax (4711)", SETS[1]]


class TestMoodle:
    def test_user_names_are_matched(self, gradebook, export):
        hand_in(gradebook, "alopez", test=17, words=3)
        hand_in(gradebook, "wzhang", test=1)
        gradebook.add_student("absent")
        people = {name: {"Username": name} for name in ("alopez", "wzhang", "absent")}
        taken = moodle_takes(export(MoodleExporter), people, "Username")
        assert {key: value for key, value in taken.items() if value is not None} == {("alopez", SETS[0]): 20}

    def test_collected_students_are_matched_by_address(self, gradebook, export, caplog):
        hand_in(gradebook, "Ana-Lopez_102", test=17, words=3, lms_user_id="102", email="ana@example.org")
        hand_in(gradebook, "Wei-Zhang_103", test=5, words=3, lms_user_id="103")  # would be Ana's
        hand_in(gradebook, "teacher", test=9, words=0)
        rows = export(MoodleExporter)
        assert moodle_takes(rows, {"ana": {"Email address": "ana@example.org"}}, "Email address") == {
            ("ana", SETS[0]): 20,
            ("ana", SETS[1]): None,
        }
        assert "Wei-Zhang_103" in caplog.text
        assert "2 students" in caplog.text

    def test_the_worksheet_matches_by_the_number(self, gradebook, export, tmp_path):
        collected(
            tmp_path, ["Ana-Lopez_102", "Moodle", "102", "Ana Lopez"], ["Wei-Zhang_55", "Moodle", "103", "Wei Zhang"]
        )
        hand_in(gradebook, "Ana-Lopez_102", test=17, words=3)
        hand_in(gradebook, "Wei-Zhang_55", test=4, words=1)
        rows = export(MoodleWorksheetExporter, assignment=[SETS[0]])
        assert worksheet_takes(rows, {"102": "ana", "103": "wei", "55": "eve"}, 20) == {"ana": 20, "wei": 5}

    WORKSHEET = (
        [
            "Identifier",
            "Full name",
            "Email address",
            "Grade",
            "Maximum grade",
            "Last modified (grade)",
            "Feedback comments",
        ],
        ["Participant 101", "Absent One", "o@example.org", "", "20.00", "-", ""],
        [
            "Participant 102",
            "Ana Lopez",
            "ana@example.org",
            "-",
            "20.00",
            "Monday, 9 November 2026, 1:00 PM",
            "good, so far",
        ],
        ["Participant 103", "Wei Zhang", "wei@example.org", "7.00", "20.00", "-", ""],
        ["Participant 31", "Somebody Else", "else@example.org", "", "20.00", "-", ""],
    )

    def test_moodles_own_worksheet_comes_back_with_the_points(self, gradebook, export, tmp_path, caplog):
        folder = collected(
            tmp_path,
            ["Ana-Lopez_102", "Moodle", "102", "Ana Lopez"],
            ["Wei-Zhang_103", "Moodle", "103", "Wei Zhang"],
            ["Group-A_31", "Moodle", "31", "Group A"],
        )
        with (folder / "Grades.csv").open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows(self.WORKSHEET)
        hand_in(gradebook, "Ana-Lopez_102", test=17, words=2.5)
        hand_in(gradebook, "Wei-Zhang_103", test=17)  # waits
        hand_in(gradebook, "Group-A_31", test=17, words=3)
        rows = export(MoodleWorksheetExporter, assignment=[SETS[0]])
        numbers = {"101": "absent", "102": "ana", "103": "wei", "31": "else"}
        assert worksheet_takes(rows, numbers, 20) == {"ana": 19.5, "wei": 7}
        for row, before in zip(rows, self.WORKSHEET, strict=True):
            assert [value for at, value in enumerate(row) if at != 3] == [
                value for at, value in enumerate(before) if at != 3
            ]
        assert "Not in the worksheet: Group-A_31" in caplog.text
        assert "Moodle, which" not in caplog.text

    def test_other_points_in_moodle_are_said(self, gradebook, export, tmp_path, caplog):
        folder = collected(tmp_path, ["Ana-Lopez_102", "Moodle", "102", "Ana Lopez"])
        rows = [[value.replace("20.00", "10.00") for value in row] for row in self.WORKSHEET]
        tables.write(folder / "Grades.csv", rows)
        hand_in(gradebook, "Ana-Lopez_102", test=17, words=3)
        export(MoodleWorksheetExporter, assignment=[SETS[0]])
        assert "worth 20.0 points, and 10.00 in Moodle" in caplog.text

    def test_a_worksheet_is_of_one_assignment(self, export):
        with pytest.raises(ValueError, match="2 assignments"):
            export(MoodleWorksheetExporter)


EXPORTERS = (MoodleExporter, CanvasExporter, MoodleWorksheetExporter)


FIRST = ("=", "+", "-", "@", "\t=", "\r=", " =", "\N{FULLWIDTH EQUALS SIGN}")


def test_no_name_is_a_formula(gradebook, export, tmp_path):
    names = {f"plain_{at}": f"{first}1+1" for at, first in enumerate(FIRST)}
    collected(tmp_path, *([student, "Moodle", student[6:], name] for student, name in names.items()))
    for student, name in names.items():
        hand_in(gradebook, student, test=1, words=0, last_name=name, first_name=name, email=name)
    hand_in(gradebook, "=1+1", test=1, words=0)
    for exporter in EXPORTERS:
        entries = [entry for row in export(exporter, assignment=[SETS[0]]) for entry in row]
        assert sum("1+1" in entry for entry in entries) >= len(FIRST), exporter
        assert not any(entry.lstrip(" ").startswith(FIRST) for entry in entries), exporter


def test_every_name_comes_through(gradebook, export):
    names = ["Núñez, José", 'Quo"te', "محمد علي", "two\nlines", "李 小龍"]
    for at, name in enumerate(names):
        hand_in(gradebook, f"student_{at}", test=1, words=0, last_name=name)
    assert {row[0] for row in export(CanvasExporter)[2:]} == set(names)


def test_only_who_and_what_is_asked_for(gradebook, export):
    for student in ("a", "b"):
        hand_in(gradebook, student, test=1, words=0)
    rows = export(CanvasExporter, student=["b"], assignment=[SETS[0]])
    assert [row[0] for row in rows] == ["Student", "Points Possible", "b"]
    assert rows[0][5:] == [SETS[0]]


def test_points_are_plain_numbers(gradebook, export):
    scores = {f"student_{at}": score for at, score in enumerate([0.0, 1 / 3, 16.999999, 1e-9, 17])}
    for student, score in scores.items():
        hand_in(gradebook, student, test=score, words=0)
    values = {row[0]: row[5] for row in export(CanvasExporter)[2:]}
    assert {student: float(value) for student, value in values.items()} == pytest.approx(scores, abs=0.005)
    assert set("".join(values.values())) <= set("0123456789.")


@given(st.text(max_size=20))
def test_a_table_gives_back_what_was_put_in(text):
    shown = tables.harmless(text)
    assert tables._as_it_was(shown) == text or text.startswith("'")


class TestLateness:
    DUE = datetime.datetime(2026, 11, 10, 23, 59)
    TENTH = {"AssignLatePenalties": {"plugin_class": "lossprimer.grading.lateness.DailyPenalty"}}
    TENTH |= {"DailyPenalty": {"share_per_day": 0.1}}

    @pytest.mark.parametrize(
        ("settings", "seconds", "points"),
        [
            ({}, 10**6, None),
            ({"share_per_day": 0.1}, 0, None),
            ({"share_per_day": 0.1}, 1, 2),
            ({"share_per_day": 0.1}, 24 * 3600, 2),
            ({"share_per_day": 0.1}, 24 * 3600 + 1, 4),
            ({"share_per_day": 0.1}, 10**9, 20),
            ({"share_per_day": 0.1, "most": 0.5}, 10**9, 10),
            ({"share_per_day": 0.1, "grace_minutes": 15}, 900, None),
            ({"share_per_day": 0.1, "grace_minutes": 15}, 901, 2),
            ({"share_per_day": 1.0}, 1, 20),
        ],
    )
    def test_each_day_costs_its_share(self, settings, seconds, points):
        found = DailyPenalty(**settings).late_submission_penalty("ana", 20.0, seconds)
        assert found == (points if points is None else pytest.approx(points))

    def test_what_a_person_gave_counts_too(self, gradebook, export):
        """The penalty that nbgrader keeps is of the tests alone, before a person has read the words."""
        hand_in(gradebook, "ontime", test=10, words=3, time=self.DUE)
        hand_in(gradebook, "late", test=10, words=3, time=self.DUE + datetime.timedelta(hours=30))
        hand_in(gradebook, "notime", test=10, words=3)
        gradebook.find_submission_notebook(SETS[0], SETS[0], "late").late_submission_penalty = 2.0
        rows = {row[0]: row[5] for row in export(CanvasExporter, self.TENTH)}
        assert (rows["ontime"], rows["late"], rows["notime"]) == ("13.0", "10.4", "13.0")
        assert {row[0]: row[5] for row in export(CanvasExporter)}["late"] == "13.0"

    def test_an_extension_moves_the_date(self, gradebook, export):
        hand_in(gradebook, "late", test=10, words=0, time=self.DUE + datetime.timedelta(hours=30))
        gradebook.grant_extension(SETS[0], "late", days=1)
        assert {row[0]: row[5] for row in export(CanvasExporter, self.TENTH)}["late"] == "9.0"

    def test_the_command_sets_a_date_in_a_zone(self, gradebook, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        app = DbAssignmentAddApp(config=Config({"CourseDirectory": {"course_id": "default_course"}}))
        app.initialize([SETS[0], "--duedate=2026-11-10 23:59:00 Europe/Madrid"])
        app.start()
        gradebook.db.expire_all()
        assignment = gradebook.find_assignment(SETS[0])
        assert assignment.duedate == datetime.datetime(2026, 11, 10, 22, 59)
        assert len(assignment.notebooks) == 1
        assert parse_utc("2026-11-10 23:59:00 UTC") == self.DUE
