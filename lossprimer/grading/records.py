"""Who writes down what a class has earned? One writer, with one connection to the gradebook, a submission at a time."""

import json
import os
import shutil
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import AssignLatePenalties

from lossprimer.grading import exchange, flags
from lossprimer.grading.copies import shared
from lossprimer.grading.grade import NOTE

_READ_ONLY = 0o444


class Records:
    """The gradebook, the folder ``autograded`` and the table of flags of one problem set.

    A submission is written down whole or not at all: its points first, then its notebook, which says of which file it
    was made. Where that is missing, the submission counts as not graded yet.

    Parameters
    ----------
    course : CourseDirectory
        Nbgrader's description of the folders.
    assignment : str
        The problem set; its notebook bears the same name.
    """

    def __init__(self, course: CourseDirectory, assignment: str):
        self.course, self.assignment = course, assignment
        self._gradebook = Gradebook(course.db_url, course.course_id)
        self._gradebook.db.remove()
        self._gradebook.db.configure(expire_on_commit=False)
        self._late = AssignLatePenalties(config=course.config)
        self._late.init_plugin()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._gradebook.close()

    def digest(self, student: str) -> str | None:
        """The digest of the file that was graded last, or None."""
        return self._note(student).get("digest")

    def save(self, student: str, notebook: NotebookNode, timestamp: str | None) -> None:
        """Write down a graded submission."""
        try:
            self._save_points(student, notebook, timestamp)
        except Exception:  # the next submission begins anew
            self._gradebook.db.rollback()
            self._gradebook.db.expunge_all()
            raise
        folder = self._folder(student)
        new, old = folder.with_name(f".{folder.name}.new"), folder.with_name(f".{folder.name}.old")
        for left in (new, old):
            shutil.rmtree(left, ignore_errors=True)
        new.mkdir(parents=True)
        _write(new / f"{self.assignment}.ipynb", nbformat.writes(notebook, version=4))
        if timestamp is not None:
            _write(new / "timestamp.txt", timestamp)
        submitted = self.course.format_path(self.course.submitted_directory, student, self.assignment)
        if secret := exchange.secret(Path(submitted)):
            _write(new / exchange.SECRET, secret)
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
        shutil.rmtree(old, ignore_errors=True)

    def save_flags(self, students: list[str]) -> None:
        """Write down what a teacher should know, of each graded submission by itself and of all of them together."""
        notes = {student: self._note(student) for student in students}
        notes = {student: note for student, note in notes.items() if note}
        structures = {student: note.get("structures", {}) for student, note in notes.items()}
        rows = {student: list(note["flags"]) for student, note in notes.items()}
        for (student, name), others in shared(structures).items():
            names = ", ".join(others[:5]) + (f" and {len(others) - 5} more" if len(others) > 5 else "")
            rows[student].append((name, "shared", f"{structures[student][name][1]} parts, with {names}"))
        flags.replace(Path(self.course.root), self.assignment, rows)

    def _save_points(self, student, notebook, timestamp):
        """Do what nbgrader's SaveAutoGrades and AssignLatePenalties do, in one transaction."""
        book = self._gradebook
        book.update_or_create_student(student)
        times = {"timestamp": timestamp} if timestamp is not None else {}
        submission = book.update_or_create_submission(self.assignment, student, **times)
        (entry,) = (each for each in submission.notebooks if each.name == self.assignment)
        unchanged = self.digest(student) == notebook.metadata.get(NOTE, {}).get("digest", "")
        cells = {cell.metadata.nbgrader.grade_id: cell for cell in notebook.cells if "nbgrader" in cell.metadata}
        for grade in entry.grades:
            grade.auto_score, _ = utils.determine_grade(cells[grade.name])
            # What a person has given stands while the file is the same; nbgrader asks for it again.
            stands = unchanged and grade.manual_score is not None and not grade.needs_manual_grade
            grade.needs_manual_grade = not stands and (grade.auto_score is None or grade.manual_score is not None)
        for comment in entry.comments:
            cell = cells[comment.name]
            untouched = cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell)
            comment.auto_comment = "No response." if untouched and not utils.is_task(cell) else None
        entry.late_submission_penalty = None
        if submission.total_seconds_late > 0:
            book.db.flush()
            book.db.refresh(entry)
            penalty = self._late.plugin_inst.late_submission_penalty(
                student, entry.score, submission.total_seconds_late
            )
            if penalty is not None:
                entry.late_submission_penalty = self._late._check_late_penalty(entry, penalty)
        book.db.commit()
        book.db.expunge_all()

    def _folder(self, student):
        return Path(self.course.format_path(self.course.autograded_directory, student, self.assignment))

    def _note(self, student):
        """What the graded notebook says of itself; nothing if there is none, or one of another grader's."""
        try:
            content = json.loads((self._folder(student) / f"{self.assignment}.ipynb").read_bytes())
            return content["metadata"].get(NOTE, {})
        except (OSError, ValueError, KeyError):
            return {}


def _write(path, text):
    path.write_text(text, "utf-8")
    os.chmod(path, _READ_ONLY)
