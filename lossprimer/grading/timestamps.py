"""When was a submission handed in? As its timestamp.txt says, if it says a time at all.

On an exchange that file is written by the student's own account. One that holds no time stops nbgrader's formgrader for
the whole class, so it is put right before anything reads it: in ``submitted/STUDENT/SET``, which formgrader and the
autograder read, and from there it is copied to ``autograded/``.
"""

import datetime
import os
import shutil
from pathlib import Path

import dateutil.parser
from dateutil.tz import gettz, tzoffset

from lossprimer.grading.reading import Unreadable, contents

NAME = "timestamp.txt"
_BYTES = 200
_YEARS = range(2000, 2100)
# Two days that differ in every part: what is missing in a date shows as a difference.
_DEFAULTS = (datetime.datetime(2001, 1, 1), datetime.datetime(2032, 12, 31))


def moment(text: str, zone: datetime.tzinfo | None = datetime.UTC) -> datetime.datetime:
    """The time that a text gives, in UTC and without a time zone, as nbgrader's gradebook keeps it.

    Parameters
    ----------
    text : str
    zone : datetime.tzinfo, optional
        Of a time that names none. With None it is the zone of this machine.

    Raises
    ------
    ValueError
        If it gives no date and time of a year from 2000 to 2099.
    """
    try:
        first, second = (dateutil.parser.parse(text, default=default, tzinfos=_zone) for default in _DEFAULTS)
        if first.date() != second.date():
            raise ValueError
        if first.year not in _YEARS:
            raise ValueError
        first = utc(first if first.tzinfo or zone is None else first.replace(tzinfo=zone))
    except Exception:  # the parser has many ways to fail
        raise ValueError(f"{text!r} is no date and time") from None
    return first


def utc(time: datetime.datetime) -> datetime.datetime:
    """A time in UTC and without a zone; one without a zone is taken for a time of this machine."""
    return time.astimezone(datetime.UTC).replace(tzinfo=None)


def written(time: datetime.datetime) -> str:
    """A time in UTC in the form in which nbgrader writes it."""
    return f"{time:%Y-%m-%d %H:%M:%S.%f} UTC"


def timestamp(folder: Path) -> tuple[str | None, str | None]:
    """The time in a submission's timestamp.txt in nbgrader's form, and a remark if there is none in the file.

    Parameters
    ----------
    folder : Path
        ``submitted/STUDENT/SET``; without the file both are None.
    """
    path = Path(folder) / NAME
    if not os.path.lexists(path):
        return None, None
    try:
        text = contents(path, _BYTES).decode("utf-8-sig").strip()
        return written(moment(text)), None
    except UnicodeDecodeError:
        return None, f"{NAME} is not text, and was removed"
    except Unreadable as error:
        return None, f"{NAME} is no time ({error}), and was removed"
    except ValueError as error:
        return None, f"{NAME}: {error}, and the file was removed"


def settle(folder: Path) -> str | None:
    """Leave in a submission's folder a timestamp.txt that nbgrader can read, or none.

    Parameters
    ----------
    folder : Path
        ``submitted/STUDENT/SET``.

    Returns
    -------
    str or None
        A sentence for the teacher if a file was removed, or must not be touched.
    """
    folder = Path(folder)
    path = folder / NAME
    if folder.is_symlink() or folder.parent.is_symlink():
        return "the folder is a symbolic link, which is not followed"
    text, remark = timestamp(folder)
    if (text, remark) == (None, None) or (
        text and path.stat().st_size == len(text) and path.read_text("utf-8") == text
    ):
        return None
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
    if text:
        path.write_text(text, "utf-8")
    return remark


def settle_all(submitted: Path, assignment: str = "*") -> dict[tuple[str, str], str]:
    """Put right the timestamps of all submissions, before formgrader lists them.

    Parameters
    ----------
    submitted : Path
        The folder with a folder for each student.
    assignment : str, optional
        The name of one set.

    Returns
    -------
    dict
        The remark by the names of the student and the set.
    """
    remarks = {(path.parent.name, path.name): settle(path) for path in Path(submitted).glob(f"*/{assignment}")}
    return {names: remark for names, remark in sorted(remarks.items()) if remark}


def _zone(name, offset):
    """A time zone by its offset, else by its name; nbgrader takes an unknown one for UTC."""
    if offset is not None:
        return tzoffset(name, offset)
    return gettz(name) or datetime.UTC
