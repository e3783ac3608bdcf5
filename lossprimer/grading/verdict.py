"""Does a test hold? It runs here, where the learner's code cannot reach it, on stand-ins for what the learner defined.

A test passes, and is worth all of its points, or it fails and is worth none.
"""

import ast
import builtins
import contextlib
import io
import traceback
import warnings

from nbformat import NotebookNode
from nbformat.v4 import new_output

from lossprimer.grading import cells, outputs
from lossprimer.grading.submission import RemoteError, Submission

_TEXT = 10_000


def define(source: str, names: dict) -> None:
    """Run a teacher's definitions here, in `names`. Those that build on the learner's answers are the sandbox's."""
    for statement in ast.parse(cells.definitions(source)).body:
        with contextlib.suppress(Exception), _quiet():
            exec(compile(ast.Module([statement], []), "<given>", "exec"), names)


def verdict(source: str, names: dict, submission: Submission) -> list[NotebookNode]:
    """The outputs of a test: what it printed, and why it failed if it did.

    Parameters
    ----------
    source : str
        The test, hidden part included.
    names : dict
        What the teacher's cells have defined; it is not changed.
    submission : Submission
        Where the names come from that `names` does not have.

    Returns
    -------
    list of NotebookNode
        The last one is an error if the test does not hold.
    """
    asked = []
    with _quiet() as printed:
        try:
            asked += _free(source, names)
            submission.begin(asked)
            exec(compile(source, "<test>", "exec"), _Names(names, asked, submission))
            failure = []
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            failure = _diagnosis(error, source, asked, submission)
    said = [new_output("stream", name="stdout", text=printed.getvalue()[:_TEXT])] if printed.getvalue() else []
    return said + failure or [new_output("stream", name="stdout", text="All tests of this cell passed.\n")]


class _Names(dict):
    """The names of a test. A learner's is fetched when the test reads it, if the test has not bound it itself."""

    def __init__(self, names, asked, submission):
        super().__init__(names)
        self._asked, self._submission = asked, submission

    def __missing__(self, name):
        if name not in self._asked:  # Python's own, which a learner must not replace
            raise KeyError(name)
        return self.setdefault(name, self._submission[name])


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


def _free(source, names):
    """The names that a test uses and that neither Python nor the teacher's cells define, in order."""
    nodes = ast.walk(ast.parse(source))
    used = {node.id: None for node in nodes if isinstance(node, ast.Name)}
    return [name for name in used if name not in names and not hasattr(builtins, name)]


def _diagnosis(error, source, asked, submission):
    """What a learner is shown of a failed test, without a line of what is hidden."""
    text = str(error)[:_TEXT]
    report = getattr(error, "report", None)
    if report is not None:  # a check's, which shows as in a notebook
        return [
            new_output("display_data", report._repr_mimebundle_()),
            outputs.error(f"{type(error).__name__}: {text}"),
        ]
    if isinstance(error, RemoteError):  # the text begins with the type of what was raised there
        return [outputs.error(text)]
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == "<test>"]
    if isinstance(error, NotImplementedError):
        text = "not attempted yet: the cell still raises NotImplementedError"
    elif isinstance(error, NameError) and error.name in asked:
        text = _undefined(error.name, submission)
    elif isinstance(error, TypeError | ValueError) and asked and frames[-1].filename == "<test>":
        text += f". {_NO_USE.format(names=' and '.join(asked))}"
    elif not text and lines:
        line = source.split("\n")[lines[0] - 1].strip()
        text = line if line in cells.visible(source) else "a hidden test does not hold"
    return [outputs.error(f"{type(error).__name__}: {text}".removesuffix(": "))]


_NO_USE = (
    "The test cannot use what {names} gives. Is it a function, and does it return what the task asks for, such as one "
    "number, with a point and not a comma?"
)


def _undefined(name, submission):
    """Why the learner's cells do not define a name that the task asks for."""
    text = f"{name} is not defined when all cells have run"
    if failed := submission.failed(name):
        cell, reason = failed
        return f"{text}. Your cell {cell!r} ended with an error: {reason}"
    return f"{text}, from the first to the last. Was it deleted or renamed? The test looks for exactly this name."
