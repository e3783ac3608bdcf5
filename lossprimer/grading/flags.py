"""Where should a teacher look? A table of remarks, ``flags.csv``, none of which changes a point."""

import csv
import fcntl
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

FILE = "flags.csv"
COLUMNS = ("assignment", "student", "cell", "flag", "detail")
# What the detail of a flag is.
MEANINGS = {
    "library": "a ready-made function of a library that is used",
    "reaches": "means to find objects that are not the learner's own",
    "reference": "how many parts the answer has in common with the reference: all of them, in the same order",
    "shared": "who else has an answer of the same structure, and how many parts that has",
    "reading": "what was strange about the file",
    "moved": "an answer that did not stand in its place",
    "missing": "a module that a cell imports and that is not installed where it was graded",
    "unread": "how long a cell is that ran and was not searched, because it is no plain Python, or there is too much",
    "stopped": "a cell that ended or blocked the process",
}


def replace(folder: Path, assignment: str, flags: Mapping[str, Iterable[Sequence[str]]]) -> None:
    """Put the remarks on some students in place of those that are there; other processes may do the same.

    Parameters
    ----------
    folder : Path
        Where the table is.
    assignment : str
        The problem set.
    flags : mapping
        For each student rows of cell, flag and detail.
    """
    rows = [(assignment, student, *row) for student, found in flags.items() for row in found]
    with (folder / FILE).open("a+", newline="", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        kept = [row for row in list(csv.reader(file))[1:] if row[0] != assignment or row[1] not in flags]
        file.seek(0)
        file.truncate()
        csv.writer(file).writerows([COLUMNS, *kept, *rows])
