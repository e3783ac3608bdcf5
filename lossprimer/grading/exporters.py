"""How do the points reach the learning platform? As the CSV file that Moodle's or Canvas's gradebook imports."""

import csv

from nbgrader.api import Gradebook, SubmittedAssignment
from nbgrader.plugins import ExportPlugin


class _TableExporter(ExportPlugin):
    """A row for each student and a column for each assignment. What is not graded to the end stays empty."""

    headers = ()
    default = ""

    def identity(self, student) -> tuple:
        """The first entries of a student's row."""
        raise NotImplementedError

    def export(self, gradebook: Gradebook) -> None:
        """Write the file that ``--to`` names."""
        chosen = set(map(str, self.assignment))
        assignments = [entry for entry in gradebook.assignments if not chosen or entry.name in chosen]
        students = [entry for entry in gradebook.students if not self.student or entry.id in map(str, self.student)]
        points = {
            (submission.student_id, assignment.name): _points(submission)
            for assignment in assignments
            for submission in gradebook.assignment_submissions(assignment.name)
        }
        with open(self.to or self.default, "w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow([*self.headers, *(assignment.name for assignment in assignments)])
            table.writerows(self.preamble(assignments))
            for student in students:
                row = [points.get((student.id, assignment.name), "") for assignment in assignments]
                table.writerow([*self.identity(student), *row])

    def preamble(self, assignments) -> list:
        """Rows between the headers and the students."""
        return []


class MoodleExporter(_TableExporter):
    """Moodle: Grades, Import, CSV file. Students are found by their identifier or their address."""

    headers = ("Username", "Email address")
    default = "moodle.csv"

    def identity(self, student):
        """User name and address."""
        return student.id, student.email or ""


class CanvasExporter(_TableExporter):
    """Canvas: Grades, Import. The five columns in front are those that it asks for."""

    headers = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
    default = "canvas.csv"

    def identity(self, student):
        """Name, Canvas's number of the student, identifier, login; the section is left to Canvas."""
        name = ", ".join(part for part in (student.last_name, student.first_name) if part)
        return name or student.id, student.lms_user_id or "", student.id, student.email or student.id, ""

    def preamble(self, assignments):
        """What each assignment is worth."""
        return [["Points Possible", "", "", "", "", *(assignment.max_score for assignment in assignments)]]


def _points(submission: SubmittedAssignment) -> float | str:
    """What a submission is worth, or nothing while part of it awaits a person."""
    if submission.needs_manual_grade:
        return ""
    return max(0.0, submission.score - (submission.late_submission_penalty or 0))
