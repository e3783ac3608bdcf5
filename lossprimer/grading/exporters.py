"""How do the points reach the learning platform? As the table that it takes, by the numbers that it gave.

Each exporter names what its platform matches a student by, and leaves out whom it could not match. Points are what they
are after the late penalty of the whole score; what is not graded to the end stays empty.
"""

import re
from pathlib import Path

from nbgrader.api import Gradebook, Student, SubmittedAssignment
from nbgrader.plugins import ExportPlugin
from nbgrader.preprocessors import AssignLatePenalties
from traitlets import Dict, Unicode

from lossprimer.grading import tables
from lossprimer.grading.collecting import COLLECTED, is_of, worksheet


class _Exporter(ExportPlugin):
    """What the exporters share: who and what is asked for, and the points."""

    default = ""

    def file(self) -> Path:
        """The file that ``--to`` names."""
        return Path(self.to or self.default)

    def assignments(self, gradebook: Gradebook) -> list:
        """The assignments that ``--assignment`` names, or all of them."""
        chosen = set(map(str, self.assignment))
        return [entry for entry in gradebook.assignments if not chosen or entry.name in chosen]

    def students(self, gradebook: Gradebook) -> list[Student]:
        """The students whom ``--student`` names, or all of them."""
        chosen = set(map(str, self.student))
        return [entry for entry in gradebook.students if not chosen or entry.id in chosen]

    def points(self, gradebook: Gradebook, assignment: str) -> dict[str, float | str]:
        """By student what a submission is worth, or nothing while a part of it awaits a person."""
        penalties = AssignLatePenalties(parent=self)
        penalties.init_plugin()
        return {
            submission.student.id: "" if submission.needs_manual_grade else _points(submission, penalties.plugin_inst)
            for submission in gradebook.assignment_submissions(assignment)
        }

    def collected(self, assignment: str) -> dict[str, dict[str, str]]:
        """What is known of each student from the download of a set."""
        path = self._downloads() / assignment / COLLECTED
        return {row["student"]: row for row in tables.read(path)} if path.exists() else {}

    def _downloads(self):
        course = getattr(self.parent, "coursedir", None)
        return Path(course.root if course else ".") / "downloaded"


class _TableExporter(_Exporter):
    """A row for each student and a column for each assignment."""

    headers = ()

    titles = Dict(help="What the platform calls an assignment, by its name here.").tag(config=True)

    def export(self, gradebook: Gradebook) -> None:
        """Write the file that ``--to`` names."""
        assignments = self.assignments(gradebook)
        points = {assignment.name: self.points(gradebook, assignment.name) for assignment in assignments}
        rows = [[*self.headers, *(self.titles.get(assignment.name, assignment.name) for assignment in assignments)]]
        rows += self.preamble(assignments)
        for student, identity in self.identities(self.students(gradebook)):
            rows.append([*identity, *(points[assignment.name].get(student.id, "") for assignment in assignments)])
        tables.write(self.file(), rows)

    def preamble(self, assignments) -> list:
        """Rows between the headers and the students."""
        return []

    def identities(self, students: list[Student]) -> list[tuple[Student, tuple]]:
        """The students who can be matched, each with the first entries of the row."""
        raise NotImplementedError


class MoodleExporter(_TableExporter):
    """Moodle: Grades, Import, CSV file. Students are found by their user name or by their address.

    Moodle's import gives the points of a row without an identifier to the student of the row above, and stops at one
    that it does not know. So where a student has a user name that only Moodle knows, as all who were collected from it,
    only those are in the table whose address is known.
    """

    headers = ("Username", "Email address")
    default = "moodle.csv"

    def identities(self, students):
        """User name and address."""
        by_address = any(_is_collected(student) for student in students)
        found, missing = [], []
        for student in students:
            identity = ("" if _is_collected(student) else student.id, student.email or "")
            (missing if by_address and not student.email else found).append((student, identity))
        if missing:
            names = ", ".join(student.id for student, _ in missing)
            self.log.warning("Moodle can match %d students only by its worksheet: %s", len(missing), names)
        return found


class CanvasExporter(_TableExporter):
    """Canvas: Grades, Import. The five columns in front are those that it asks for."""

    headers = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
    default = "canvas.csv"

    def preamble(self, assignments):
        """What each assignment is worth."""
        return [["Points Possible", "", "", "", "", *(assignment.max_score for assignment in assignments)]]

    def identities(self, students):
        """Name, Canvas's number of the student, identifier, login; Canvas knows the section.

        A number of Moodle's would be that of somebody else here.
        """
        files = self._downloads().glob(f"*/{COLLECTED}")
        moodle = {row["student"] for path in files for row in tables.read(path) if row["platform"] == "Moodle"}
        return [(student, self._identity(student, student.id in moodle)) for student in students]

    @staticmethod
    def _identity(student, is_moodles):
        name = ", ".join(part for part in (student.last_name, student.first_name) if part) or student.id
        number = student.lms_user_id or ""
        number = number if number.isdecimal() and not is_moodles else ""
        if _is_collected(student):
            return name, number, "", "", ""
        return name, number, student.id, student.email or student.id, ""


class MoodleWorksheetExporter(_Exporter):
    """Moodle: the assignment, "Upload grading worksheet". Participants are found by their number in this assignment.

    Of the worksheet that was downloaded from Moodle and put to the archives, all columns come back, with the points in
    the column of the grades. Without it, a table of the columns that Moodle asks for is made of what was collected.
    """

    default = "worksheet.csv"

    identifier = Unicode("Identifier", help="What the worksheet calls the column of the numbers.").tag(config=True)
    grade = Unicode("Grade", help="What the worksheet calls the column of the points.").tag(config=True)
    graded = Unicode("Last modified (grade)", help="And that of the last change of a grade.").tag(config=True)

    def export(self, gradebook: Gradebook) -> None:
        """Write the file that ``--to`` names, for the one assignment that ``--assignment`` names."""
        assignments = self.assignments(gradebook)
        if len(assignments) != 1:
            raise ValueError(f"there are {len(assignments)} assignments: name one, with --assignment")
        (assignment,) = assignments
        asked = {student.id for student in self.students(gradebook)}
        collected = {
            row["number"]: row
            for student, row in self.collected(assignment.name).items()
            if row["platform"] == "Moodle" and student in asked
        }
        points = self.points(gradebook, assignment.name)
        rows = self._worksheet(assignment) or [
            {self.identifier: f"Participant {number}", "Full name": row["name"], self.graded: ""}
            for number, row in collected.items()
        ]
        headers = list(rows[0]) if rows else [self.identifier, "Full name", self.graded]
        headers += [] if self.grade in headers else [self.grade]
        for row in rows:
            found = re.search(r"\d+$", row[self.identifier])
            of = collected.get(found[0]) if found else None
            if of and is_of(row, of["name"]):
                value = points.get(of["student"], "")
                row[self.grade] = row.get(self.grade, "") if value == "" else value
                del collected[found[0]]
        tables.write(self.file(), [headers, *([row.get(header, "") for header in headers] for row in rows)])
        for row in collected.values():
            self.log.warning("Not in the worksheet: %s", row["student"])

    def _worksheet(self, assignment):
        """The rows of the worksheet among the downloads; a warning if it counts other points."""
        for path in sorted((self._downloads() / assignment.name / "archive").rglob("*.csv")):
            if rows := list(worksheet(path, self.identifier).values()):
                most = {row.get("Maximum grade", "") for row in rows} - {""}
                if most and {float(value) for value in most if _is_number(value)} != {assignment.max_score}:
                    text = "%s is worth %s points, and %s in Moodle, which does not take more than that."
                    self.log.warning(text, assignment.name, assignment.max_score, ", ".join(sorted(most)))
                return rows
        return []


def _points(submission: SubmittedAssignment, penalties) -> float:
    """What a submission is worth. The penalty that nbgrader keeps is older than what a person gave."""
    late, score = submission.total_seconds_late, submission.score
    penalty = penalties.late_submission_penalty(submission.student.id, score, late) if late > 0 else None
    return round(score - min(max(penalty or 0.0, 0.0), score), 2)


def _is_collected(student):
    """Whether a student's id was made of a platform's name and number, so that the platform does not know it."""
    return bool(student.lms_user_id) and student.id.endswith(f"_{student.lms_user_id}")


def _is_number(text):
    return re.fullmatch(r"\d+(\.\d+)?", text) is not None
