"""How is one submission graded? Its answers go into the released notebook, that runs in a sandbox, the tests run here.

Everything in this module is a function of its arguments: it reads and writes no file and no gradebook, so that it can
run in any process, on any machine.
"""

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from nbformat import NotebookNode

from lossprimer.grading import cells, cleaning, copies, outputs
from lossprimer.grading.excerpt import Excerpt, excerpt, named
from lossprimer.grading.inside.library import ABSENT
from lossprimer.grading.sandbox import Limits
from lossprimer.grading.submission import Patience, Submission
from lossprimer.grading.verdict import define, verdict

# Where a graded notebook keeps what it was made from, and what was seen in it.
NOTE = "lossprimer"
_MISSING = re.compile(r"ModuleNotFoundError: No module named '([\w.]{1,100})'")
_ABSENT = ABSENT.partition("{name}")[2]


@dataclass(frozen=True)
class Settings:
    """What a submission may use, and whether it is isolated."""

    limits: Limits = field(default_factory=Limits)
    patience: Patience = field(default_factory=Patience)
    isolated: bool = True


@dataclass(frozen=True)
class ProblemSet:
    """A problem set, as what is handed in is compared with it.

    Parameters
    ----------
    released : NotebookNode
        The notebook as it was given out.
    locked : dict
        The whole text of the cells that are not the learner's, hidden tests included, by the names of the cells.
    package : Excerpt
        What a submission has of the course's package.
    references : dict
        The structures of the reference answers, see `copies.structures`.
    asked : frozenset of str
        The functions and classes that are to be written.
    """

    released: NotebookNode
    locked: Mapping[str, str]
    package: Excerpt
    references: Mapping[str, tuple[str, int]]
    asked: frozenset[str]

    @classmethod
    def of(cls, released: NotebookNode, locked: Mapping[str, str], solved: NotebookNode | None = None) -> "ProblemSet":
        """The problem set that was released, with references where the set with its solutions is at hand."""
        references = _structures(cell.source for cell in _answers(solved)) if solved else {}
        package = excerpt(named(cell.source for cell in released.cells))
        return cls(released, locked, package, references, frozenset(_asked(released)))


@dataclass(frozen=True)
class Graded:
    """A graded notebook, and what a teacher should know of it.

    Parameters
    ----------
    notebook : NotebookNode
        The answers in their places; the outputs of a test end with an error if it does not hold.
    flags : list of (str, str, str)
        Rows of cell, flag and detail.
    structures : dict
        The structures of the answers, to be compared with those of others.
    """

    notebook: NotebookNode
    flags: list[tuple[str, str, str]]
    structures: dict[str, tuple[str, int]]


def restored(problems: ProblemSet, submitted: NotebookNode) -> tuple[NotebookNode, list[tuple[str, str, str]]]:
    """The released notebook with the answers of a submitted one and all of its tests, and flags for what was moved.

    The texts of the learner's cells are clean.
    """
    found = cells.restored(problems.released, submitted)
    notebook = cleaning.cleaned(found.notebook)
    for cell in notebook.cells:
        cell.source = problems.locked.get(cells.label(cell), cell.source)
    return notebook, [(cell, "moved", text) for cell, text in found.remarks]


def judged(notebook: NotebookNode, problems: ProblemSet, settings: Settings) -> Graded:
    """Run a restored notebook and its tests.

    Parameters
    ----------
    notebook : NotebookNode
        As `restored` returns it; it is not changed.
    problems : ProblemSet
        The set that it belongs to.
    settings : Settings
        What it may use.

    Returns
    -------
    Graded

    Raises
    ------
    IsolationError
        If there is no isolation to be had, and the settings ask for it.
    """
    notebook = copy.deepcopy(notebook)
    names, left = {"__name__": "__main__"}, outputs.TOGETHER
    with Submission(
        settings.patience, settings.limits, isolated=settings.isolated, package=problems.package
    ) as submission:
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs = _outputs(cell, names, submission)
                if not cells.is_test(cell):
                    cell.outputs, left = outputs.fitting(cell.outputs, left)
        flags = [(cell, "stopped", reason) for cell, reason in submission.stops.items()]
    answers = {cells.label(cell): cell.source for cell in _answers(notebook)}
    readable = _readable(answers)
    for name, source in answers.items():
        if name in readable:
            flags += [(name, flag, text) for flag, text in copies.reached(source, problems.package.names)]
        elif name not in submission.failures:
            flags.append((name, "unread", f"{len(source)} characters"))
    missing = {name: _MISSING.fullmatch(submission.failures.get(name, "")) for name in answers}
    flags += [(name, "missing", found[1]) for name, found in missing.items() if found]
    structures = {name: each for name, each in _structures(readable.values()).items() if name in problems.asked}
    for name, (digest, size) in structures.items():
        if problems.references.get(name, ("", 0))[0] == digest:
            flags.append((name, "reference", f"{size} parts"))
    return Graded(notebook, flags, structures)


def noted(graded: Graded, digest: str, flags: list) -> NotebookNode:
    """The graded notebook with a note in its metadata: of which file it was made, and all flags."""
    rows = [list(row) for row in [*flags, *graded.flags]]
    graded.notebook.metadata[NOTE] = {"digest": digest, "flags": rows, "structures": graded.structures}
    return graded.notebook


def _answers(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cells.is_answer(cell)]


def _asked(released):
    """The functions and classes that the learner's cells define."""
    return {name for cell in _answers(released) for name in copies.defined(cell.source)}


def _readable(answers):
    """The answers that can be searched, as far as there is time for it."""
    found, left = {}, copies.TOGETHER
    for name, source in answers.items():
        left -= len(source)
        if left >= 0 and copies.is_readable(source):
            found[name] = source
    return found


def _structures(sources):
    found = {}
    for source in sources:
        found |= copies.structures(source)
    return found


def _outputs(cell, names, submission):
    """What a code cell shows, run where it belongs."""
    if cells.is_test(cell):
        return verdict(cell.source, names, submission)
    given = not cells.is_answer(cell)
    if given:
        define(cell.source, names)
    shown = outputs.checked(submission.run(cells.label(cell), cell.source, given=given))
    # What a teacher's cell shows with parts of the package that are not there, it shows in the learner's notebook.
    return [] if given and any(_ABSENT in output.get("evalue", "") for output in shown) else shown
