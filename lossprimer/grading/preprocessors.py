"""How does nbgrader grade without trusting what it grades? With steps of its own kind, put in by nbgrader_config.py.

`Restore` puts the learner's answers into the released notebook. `SandboxedExecute` runs it in a kernel, for what there
is to see. `TrustedChecks` runs the tests here, on stand-ins for the learner's functions, and its verdicts are what
nbgrader saves. A submission is never refused: what cannot be read or run is worth what the rest of it is worth.
"""

import ast
import builtins
import contextlib
import csv
import fcntl
import io
import traceback
import warnings
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbformat.v4 import new_notebook, new_output
from nbgrader.converters.base import NbGraderException
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import determine_grade
from traitlets import Bool, Float, Integer

from lossprimer.grading import cells, reading, sandbox
from lossprimer.grading.cleaning import cleaned
from lossprimer.grading.execution import execute
from lossprimer.grading.sandbox import IsolationError, Limits
from lossprimer.grading.submission import Patience, Submission

FLAGS = "flags.csv"
_COLUMNS = ("assignment", "student", "test", "kernel", "trusted")
_TEXT = 10_000
_NOT_RUN = "NotRun: an earlier cell ended the notebook, or its time was up"


class SandboxPreprocessor(NbGraderPreprocessor):
    """What the steps share: where the release is, and what a process of the sandbox may do."""

    isolated = Bool(True, help="False grades without isolation: submitted code can then do whatever you can.").tag(
        config=True
    )
    memory_mb = Integer(2048, help="Memory of one process, in MiB.").tag(config=True)

    @property
    def limits(self) -> Limits:
        """What one process may use."""
        return Limits(memory=self.memory_mb * 2**20)

    @property
    def course(self):
        """Nbgrader's CourseDirectory."""
        return self.parent.parent.coursedir

    def released(self, resources: Mapping) -> NotebookNode:
        """The notebook as it was given out."""
        names = resources["nbgrader"]
        folder = self.course.format_path(self.course.release_directory, ".", names["assignment"])
        path = Path(folder) / f"{names['notebook']}.ipynb"
        if not path.exists():
            raise NbGraderException(f"There is no {path}: nbgrader generate_assignment makes it.")
        return _read(path, path.stat().st_mtime_ns)


class SubmissionExporter(NotebookExporter):
    """Reads a submission, and takes a file that is no notebook for an empty one."""

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

    def from_file(self, file_stream, resources=None, **kwargs):
        """Convert the notebook in an open file."""
        try:
            notebook = reading.read(Path(file_stream.name)).notebook
        except reading.Unreadable as error:
            self.log.warning("%s cannot be read and counts as empty: %s", file_stream.name, error)
            notebook = new_notebook()
        return self.from_notebook_node(notebook, resources=resources, **kwargs)


class Restore(SandboxPreprocessor):
    """Puts the learner's answers into the released notebook."""

    def preprocess(self, nb, resources):
        """Return the released notebook with the answers of `nb`, which no page need fear."""
        return cleaned(cells.restored(self.released(resources), nb).notebook), resources


class SandboxedExecute(SandboxPreprocessor):
    """Runs the notebook in a kernel in the sandbox. What it shows is for the eye; points do not depend on it."""

    cell_timeout = Integer(20, help="Seconds for one cell.").tag(config=True)
    timeout = Integer(120, help="Seconds for all cells.").tag(config=True)

    def preprocess(self, nb, resources):
        """Give the cells of `nb` their outputs, and the points that the kernel would have given to `resources`."""
        tests = [cell for cell in nb.cells if cells.is_test(cell)]
        shown = NotebookNode(nb, cells=[_shown(cell) for cell in nb.cells])
        outputs = execute(
            shown,
            [cell.source for cell in tests],
            cell_seconds=self.cell_timeout,
            seconds=self.timeout,
            limits=self.limits,
            isolated=self.isolated,
        )
        for number, cell in enumerate(nb.cells):
            if cell.cell_type == "code":
                cell.outputs = outputs.get(number, [_error(_NOT_RUN)])
        points = {}
        for number, cell in enumerate(tests, len(nb.cells)):
            if number in outputs:
                claim = NotebookNode(cell, outputs=outputs[number])
                with contextlib.suppress(ValueError, KeyError):  # more points than there are, from a kernel that lies
                    points[cells.label(cell)] = determine_grade(claim)[0]
        resources["nbgrader"]["kernel_points"] = points
        return nb, resources


class TrustedChecks(SandboxPreprocessor):
    """Runs the tests here, on stand-ins for what the learner defined; their verdict is the cell's output.

    A test passes, and is worth all of its points, or it fails and is worth none.
    """

    call_timeout = Float(10, help="Seconds for one cell, or for one call of a learner's function.").tag(config=True)
    test_timeout = Float(30, help="Seconds for all calls of one test.").tag(config=True)
    timeout = Float(120, help="Seconds for all cells and calls of a notebook.").tag(config=True)

    def preprocess(self, nb, resources):
        """Give the tests of `nb` the outputs that nbgrader scores, and note where the kernel said otherwise."""
        given = {cell.id: cell.source for cell in self.released(resources).cells if _is_given(cell)}
        patience = Patience(self.call_timeout, self.test_timeout, self.timeout)
        names = {"__name__": "__main__"}
        with Submission(patience, self.limits, isolated=self.isolated) as submission:
            for cell in nb.cells:
                if cell.cell_type != "code":
                    continue
                if cells.is_test(cell):
                    cell.outputs = _verdict(cell.source, names, submission)
                    continue
                if cell.id in given:
                    _define(given[cell.id], names)
                submission.run(cells.label(cell), _prepared(cell))
        self._flag(nb, resources["nbgrader"])
        return nb, resources

    def _flag(self, nb, names):
        """Keep in flags.csv where the learner's kernel came to other points. That is for the teacher's eyes."""
        rows = []
        for cell in filter(cells.is_test, nb.cells):
            trusted = determine_grade(cell)[0]
            kernel = names.get("kernel_points", {}).get(cells.label(cell), trusted)
            if kernel != trusted:
                rows.append((names["assignment"], names["student"], cells.label(cell), kernel, trusted))
                self.log.warning("%s %s: %s has %s points, its own kernel said %s", *rows[-1][:3], trusted, kernel)
        _replace(Path(self.course.root) / FLAGS, names["assignment"], names["student"], rows)


@cache
def _read(path, _changed):
    return nbformat.read(path, as_version=4)


def _is_given(cell):
    """Whether a released cell is a teacher's code that runs as it stands."""
    return (
        cell.cell_type == "code" and not cells.is_test(cell) and not cell.metadata.get("nbgrader", {}).get("solution")
    )


def _shown(cell):
    """A cell as the kernel may see it while its outputs are collected."""
    return NotebookNode(cell, source=cells.visible(cell.source)) if cells.is_test(cell) else cell


def _prepared(cell):
    """What the sandbox runs of a cell: all that the learner wrote, and of a locked cell what others build on."""
    if cells.is_answer(cell):
        return cells.plain_python(cell.source)
    return cells.definitions(cell.source)


def _define(source, names):
    """Run a teacher's definitions here. Those that build on the learner's answers are left to the sandbox."""
    for statement in ast.parse(cells.definitions(source)).body:
        with contextlib.suppress(Exception), _quiet():
            exec(compile(ast.Module([statement], []), "<given>", "exec"), names)


@contextlib.contextmanager
def _quiet():
    """Collect what is printed, and let no warning out."""
    printed = io.StringIO()
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        yield printed


def _verdict(source, names, submission):
    """The outputs of a test: what it printed, and why it failed if it did."""
    names = dict(names)
    with _quiet() as printed:
        try:
            submission.begin()
            for name in _free(source, names):
                if name in submission:
                    names[name] = submission[name]
            exec(compile(source, "<test>", "exec"), names)
            text = ""
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            text = _diagnosis(error, source, submission)
    outputs = [new_output("stream", name="stdout", text=printed.getvalue()[:_TEXT])] if printed.getvalue() else []
    if text:
        return [*outputs, _error(text)]
    return outputs or [new_output("stream", name="stdout", text="All tests of this cell passed.\n")]


def _free(source, names):
    """The names that a test uses and that neither Python nor the teacher's cells define, in order."""
    nodes = ast.walk(ast.parse(source))
    used = {node.id: None for node in nodes if isinstance(node, ast.Name)}
    return [name for name in used if name not in names and not hasattr(builtins, name)]


def _diagnosis(error, source, submission):
    """What a learner is told of a failed test, without a line of what is hidden."""
    text = str(error)[:_TEXT]
    if isinstance(error, NameError) and submission.failures:
        cell, reason = list(submission.failures.items())[-1]
        text += f". The cell {cell!r} stopped: {reason}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "<test>"]
    if not text and lines:
        line = source.split("\n")[lines[0] - 1].strip()
        text = line if line in cells.visible(source) else "a hidden test does not hold"
    return f"{type(error).__name__}: {text}".removesuffix(": ")


def _error(text):
    name, _, value = text.partition(": ")
    return new_output("error", ename=name, evalue=value, traceback=[text])


def _replace(path, assignment, student, rows):
    """Put the rows of one submission in place of those that are there; other processes may be at it too."""
    with path.open("a+", newline="", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        kept = [row for row in list(csv.reader(file))[1:] if row[:2] != [assignment, student]]
        file.seek(0)
        file.truncate()
        csv.writer(file).writerows([_COLUMNS, *kept, *rows])
