"""How does nbgrader grade without trusting what it grades? With steps of its own kind, put in by nbgrader_config.py.

`Restore` puts the learner's answers into the released notebook, `Judge` runs it and its tests. What they do stands in
:mod:`lossprimer.grading.grade`; here it is joined to nbgrader's commands and to its formgrader.
"""

from collections.abc import Mapping
from pathlib import Path

from nbconvert.exporters import NotebookExporter
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Float, Integer

from lossprimer.grading import flags, reading, sandbox, timestamps
from lossprimer.grading.course import problem_set
from lossprimer.grading.grade import NOTE, ProblemSet, Settings, judged, noted, restored
from lossprimer.grading.sandbox import IsolationError, Limits
from lossprimer.grading.submission import Patience


class SandboxPreprocessor(NbGraderPreprocessor):
    """What the steps share: the course, and what a submission may use. These are the settings of the configuration."""

    isolated = Bool(True, help="False grades without isolation: submitted code can then do whatever you can.").tag(
        config=True
    )
    memory_mb = Integer(2048, help="Memory of a submission, in MiB.").tag(config=True)
    call_timeout = Float(10, help="Seconds for one cell, or for one call of a learner's function.").tag(config=True)
    test_timeout = Float(30, help="Seconds for all calls of one test.").tag(config=True)
    timeout = Float(120, help="Seconds for all cells and calls of a notebook.").tag(config=True)

    @property
    def settings(self) -> Settings:
        """What a submission may use."""
        patience = Patience(self.call_timeout, self.test_timeout, self.timeout)
        return Settings(Limits(memory=self.memory_mb * 2**20), patience, self.isolated)

    @property
    def course(self) -> CourseDirectory:
        """Nbgrader's description of the folders."""
        return self.parent.parent.coursedir

    def problems(self, resources: Mapping) -> ProblemSet:
        """The problem set to which a submission belongs."""
        names = resources["nbgrader"]
        return problem_set(self.course, names["assignment"], names["notebook"])


class SubmissionExporter(NotebookExporter):
    """Reads a submission, and refuses to start where it could not be isolated."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # Before the first submission, and not once for each.
        if not SandboxPreprocessor(parent=self).isolated:
            self.log.warning("Grading without isolation: submitted code can read, change and send whatever you can.")
            return
        try:
            sandbox.require()
        except IsolationError as error:
            self.log.error("%s", error)
            raise NbGraderException(str(error)) from None
        course = self.parent.coursedir
        submitted = Path(course.root) / course.submitted_directory
        for names, remark in timestamps.settle_all(submitted, course.assignment_id).items():
            self.log.warning("%s, %s: %s", *names, remark)

    def from_filename(self, filename, resources=None, **kwargs):
        """Convert the notebook in a file of a learner's, or in one that the first of the two rounds has written."""
        if not self.parent._sanitizing:
            return super().from_filename(filename, resources, **kwargs)
        try:
            found = reading.read(Path(filename))
        except reading.Unreadable as error:
            self.log.error("%s cannot be read: %s", filename, error)
            raise NbGraderException(f"{filename}: {error}") from None
        seen = [["", "reading", text] for text in found.remarks]
        found.notebook.metadata[NOTE] = {"digest": found.digest, "flags": seen}
        return self.from_notebook_node(found.notebook, resources=resources, **kwargs)


class Restore(SandboxPreprocessor):
    """Puts the learner's answers into the released notebook."""

    def preprocess(self, nb, resources):
        """Return the released notebook with the answers of `nb`."""
        note = nb.metadata[NOTE]
        notebook, moved = restored(self.problems(resources), nb)
        notebook.metadata[NOTE] = {**note, "flags": [*note["flags"], *moved]}
        return notebook, resources


class Judge(SandboxPreprocessor):
    """Runs the notebook and its tests, and keeps what a teacher should know in flags.csv."""

    def preprocess(self, nb, resources):
        """Return `nb` with the outputs of its cells, those that nbgrader scores among them."""
        note, names = nb.metadata[NOTE], resources["nbgrader"]
        notebook = noted(judged(nb, self.problems(resources), self.settings), note["digest"], note["flags"])
        rows = {names["student"]: notebook.metadata[NOTE]["flags"]}
        flags.replace(Path(self.course.root), names["assignment"], rows)
        return notebook, resources
