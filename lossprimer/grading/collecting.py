"""Who handed in what? As Moodle and Canvas say in the archives that they let a teacher download.

``nbgrader zip_collect SET --force`` runs the two plugins of this module. The first one opens what lies in
``downloaded/SET/archive/`` and chooses a notebook for each student; the second one tells nbgrader whose each is. The
student is the one whom the platform names, in the folder (Moodle) or in front of the file's name (Canvas), and never
whom the name of an uploaded file says. No name from an archive becomes a path: what is written has the student's id and
the set's name. One odd upload stops nobody else, and what is not collected is listed with the reason.
"""

import csv
import datetime
import io
import logging
import os
import re
import stat
import unicodedata
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.plugins import ExtractorPlugin, FileNameCollectorPlugin

from lossprimer.grading import cells, reading, tables, timestamps
from lossprimer.grading.reading import BYTES, Unreadable

COLLECTED, UNCOLLECTED = "collected.csv", "uncollected.csv"

_ARCHIVE = 2**25  # bytes of an archive that a student handed in
_ENTRIES = 2**17  # files in an archive
_OF_ONE = 2**26  # bytes of all notebooks of a student
_NAME = 255  # letters of a file's name; an archive can hold longer ones
# Names as the platforms make them (Moodle: mod/assign/classes/downloader.php; Canvas: lib/content_zipper.rb). Moodle
# takes the underscores out of a person's name, and Canvas every number between two of them. So the last number of a
# folder counts, and the first one in front of what was uploaded.
_MOODLE_FOLDER = re.compile(r"(?P<name>.*)_(?P<number>\d{1,20})_assignsubmission_(?P<kind>[a-z]+)_?", re.DOTALL)
_MOODLE_TEAM = re.compile(r"(?P<name>[^_]+)(?P<number>)_assignsubmission_(?P<kind>[a-z]+)_?")
_MOODLE_FILE = re.compile(
    r"(?P<name>.*?)_(?P<number>\d{1,20})_assignsubmission_(?P<kind>[a-z]+)_(?P<file>.+)", re.DOTALL
)
_CANVAS = re.compile(r"(?P<name>.+?)(?P<late>_LATE)?_(?P<number>\d{1,20})_(?P<upload>\d+)_(?P<file>.+)", re.DOTALL)
_CANVAS_TEXT = re.compile(
    r"(?P<name>.+?)(?P<late>_LATE)?_(?P<number>\d{1,20})_(?P<file>(?:text|link)\.html)", re.DOTALL
)
_CANVAS_ANONYMOUS = re.compile(
    r"(?P<late>LATE_)?(?P<name>anon)_(?P<number>[0-9A-Za-z]{2,20})_(?:(?P<upload>\d+)_)?(?P<file>.+)", re.DOTALL
)
# What a browser or Canvas puts behind the name of a file that it has already.
_AGAIN = re.compile(r"(?:[\s_]*(?:\(\d{1,9}\)|-\d{1,9}))+$")
# A server that packs an archive while it sends it gives each file the time of the download.
_SENDING, _ZONES = datetime.timedelta(hours=2), datetime.timedelta(hours=15)
_MANY = 5
_BAD = "cannot be read"
_NOBODY = "no student: not a name that Moodle or Canvas makes"
_ADDRESS, _MODIFIED = "Email address", "Last modified (submission)"  # columns of Moodle's worksheet
_JUNK = re.compile(r"(?:^|/)(?:__MACOSX/|\._[^/]*$|\.DS_Store$|Thumbs\.db$|desktop\.ini$)")


@dataclass(frozen=True)
class Owner:
    """The student that a platform names for a file.

    Parameters
    ----------
    platform : {"Moodle", "Canvas"}
    name : str
        As the platform writes it.
    number : str
        The platform's own. Moodle counts anew in each assignment, and has none for those who are in no group.
    kind : str
        How it was handed in: "file", or what cannot be collected.
    late : bool
        Whether Canvas says so.
    upload : int
        Canvas's number of the file; later ones are larger.
    """

    platform: str
    name: str
    number: str
    kind: str = "file"
    late: bool = False
    upload: int = 0

    @property
    def key(self) -> tuple[str, str, str]:
        """The same for all files of a student."""
        return self.platform, self.number, self.name

    @property
    def account(self) -> str:
        """The number, if the platform's own gradebook knows the student by it."""
        return "" if (self.platform, self.name) == ("Canvas", "anon") else self.number

    def student(self, again: int = 0) -> str:
        """The student's id: letters and digits of the name, and the number; `again` tells two apart that look alike."""
        name = slug(self.name) + (f"-{again + 1}" if again else "")
        return f"{name}_{self.number}" if self.number else name.replace("_", "-")


@dataclass(frozen=True)
class Upload:
    """A file that somebody handed in.

    Parameters
    ----------
    owner : Owner
    path : str
        Where it lies in the download.
    name : str
        What the student called it.
    time : datetime.datetime or None
        The one that its archive gives it, in the zone of this machine.
    timed : bool
        Whether that is when it was handed in, and not when it was downloaded.
    source : pathlib.Path or tuple
        A file, or an open archive and its entry.
    """

    owner: Owner
    path: str
    name: str
    time: datetime.datetime | None = None
    timed: bool = False
    source: object = field(default=None, repr=False, compare=False)

    def data(self, limit: int = BYTES) -> bytes:
        """The bytes.

        Raises
        ------
        Unreadable
            If there are more than `limit`, or the archive is damaged.
        """
        return reading.contents(self.source, limit) if isinstance(self.source, Path) else _entry(*self.source, limit)


@dataclass(frozen=True)
class Choice:
    """The notebook that counts for a student, and what the teacher should know of it."""

    upload: Upload
    data: bytes = field(repr=False)
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Left:
    """What is not collected: where it lies, why, and whose it is as far as that is known."""

    path: str
    reason: str
    owner: Owner | None = None


def identified(parts: Sequence[str]) -> tuple[Owner, str] | None:
    """The student whose file this is, and the name that it had in the download; None if no platform says so.

    Parameters
    ----------
    parts : sequence of str
        The folders from the outermost one inwards, then the file. The outermost part that a platform made decides, for
        everything inside may be a student's invention.
    """
    *folders, file = parts or ("",)
    for folder in folders:
        if found := _MOODLE_FOLDER.fullmatch(folder) or _MOODLE_TEAM.fullmatch(folder):
            return _owner("Moodle", found), file[-_NAME:]
    forms = [("Canvas", form) for form in (_CANVAS_ANONYMOUS, _CANVAS, _CANVAS_TEXT)] + [("Moodle", _MOODLE_FILE)]
    found = [(platform, match) for platform, form in forms if (match := form.fullmatch(file))]
    if not found:
        return None
    platform, match = min(found, key=lambda pair: pair[1].start("number"))
    return _owner(platform, match), match["file"][-_NAME:]


def _owner(platform, match):
    found = match.groupdict()
    kind = found.get("kind", "link or text" if match.re is _CANVAS_TEXT else "file")
    return Owner(
        platform,
        unicodedata.normalize("NFC", found["name"].strip()),
        found["number"],
        kind,
        late=bool(found.get("late")),
        upload=int((found.get("upload") or "0")[:18]),
    )


def slug(name: str) -> str:
    """Letters and digits of a name in any script, with hyphens between its parts, short enough for a folder."""
    kept = unicodedata.normalize("NFC", name)
    kept = "".join(letter for letter in kept if letter not in "'\u2019`" and unicodedata.category(letter) != "Cf")
    kept = "".join(letter if letter == "_" or unicodedata.category(letter)[0] in "LMN" else "-" for letter in kept)
    kept = re.sub(r"-+", "-", kept).encode("utf-8")[:120].decode("utf-8", "ignore")
    return kept.strip("-_") or "student"


def likeness(name: str, assignment: str) -> int:
    """How much a file's name is a set's: 2 but for what browsers and systems change in it, 1 in part, 0 not at all."""
    stem, wanted = _words(_AGAIN.sub("", _stem(name))), _words(assignment)
    if stem == wanted:
        return 2
    return int(wanted in stem or any(len(word) > 2 and word in stem for word in wanted.split()))


def chosen(
    uploads: Sequence[Upload], assignment: str, released: NotebookNode | None = None
) -> tuple[Choice | None, list[Left]]:
    """The notebook of one student that counts, and the other files with the reasons why they do not.

    First comes what can be read, is of the set and has an answer in it; then what is called like the set; then the
    newest.

    Parameters
    ----------
    uploads : sequence of Upload
        Those of one student.
    assignment : str
        The name of the set.
    released : NotebookNode, optional
        The set as it was given out.
    """
    left, candidates = [], []
    for upload in _unpacked(uploads, left):
        try:
            if upload.owner.kind != "file":
                raise Unreadable(f"{upload.owner.kind} that was typed into {upload.owner.platform}, and no file")
            if not re.search(r"\.(ipynb|json)(\.txt|\.json)?$", upload.name, re.IGNORECASE):
                raise Unreadable("no notebook, by the end of its name")
            if sum(len(choice.data) for _, choice in candidates) > _OF_ONE:
                raise Unreadable(f"more than {_OF_ONE // 2**20} MiB of notebooks of one student")
            rank, choice = _judged(upload, upload.data(), assignment, released)
            if not rank[0] and not upload.name.lower().endswith(".ipynb"):
                raise Unreadable("no notebook, by the end of its name")
            candidates.append((rank, choice))
        except Unreadable as error:
            left.append(Left(upload.path, str(error), upload.owner))
    if not candidates:
        return None, left
    _, best = max(candidates, key=lambda candidate: candidate[0])
    for _, other in candidates:
        if other is not best:
            reason = f"another notebook counts: {tables.on_a_line(best.upload.name)}"
            reason += "".join(f"; {remark}" for remark in other.remarks if remark.startswith(_BAD))
            left.append(Left(other.upload.path, reason, other.upload.owner))
    return best, left


def _judged(upload, data, assignment, released):
    """A notebook, behind what makes it better than others."""
    remarks, read, like, answered = [], False, False, False
    named = likeness(upload.name, assignment)
    try:
        found = reading.parse(data)
        read = True
        remarks += found.remarks
        like, answered = _of_set(found.notebook, released) if released else (False, False)
        if released and not like:
            remarks.append("its cells are not those of this set")
    except Unreadable as error:
        remarks.append(f"{_BAD}: {error}")
    if not named and not like:
        remarks.append("not called like this set")
    if upload.owner.late:
        remarks.append(f"late, says {upload.owner.platform}")
    who, number = upload.owner, re.match(r"\d+_", upload.name)
    if who.upload and number and likeness(upload.name[number.end() :], assignment) == 2:
        remarks.append(f"the student's number is {who.number}, or it is {who.upload} and the name ends in a number")
    again = _AGAIN.search(_stem(upload.name))
    last = int(re.findall(r"\d+", again[0])[-1]) if again else 0
    time = upload.time or datetime.datetime.min
    rank = (read, like or named == 2, answered, named, who.upload, time, last)
    return rank, Choice(upload, data, tuple(remarks))


def _of_set(notebook, released):
    """Whether a notebook has the cells of a set, and whether it has an answer to it."""
    names = {cells.label(cell) for cell in released.cells}
    there = {name for cell in notebook.cells for name in (cells.label(cell), cell.get("id"))}
    places = [cell for cell in cells.restored(released, notebook).notebook.cells if cells.label(cell) in names]
    answered = [now for now, given in zip(places, released.cells, strict=True) if now.source != given.source]
    return len(names & there) > len(names) / 2 or any(cell.cell_type == "code" for cell in answered), bool(answered)


def _stem(name):
    """A file's name without its endings."""
    return re.sub(r"(\.ipynb|\.json|\.txt)+$", "", name.strip(), flags=re.IGNORECASE)


def _words(name):
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", name).lower().replace("_", " ")))


# What is in an archive?


def _entries(archive: zipfile.ZipFile) -> Iterator[tuple[zipfile.ZipInfo, str, str]]:
    """The files of an archive, their names, and why they cannot be taken, if so."""
    entries = archive.infolist()
    if len(entries) > _ENTRIES:
        raise Unreadable(f"an archive of {len(entries)} files, and {_ENTRIES} are read at most")
    for entry in entries:
        name = entry.filename
        if not entry.flag_bits & 0x800:  # no word on the encoding: Python takes that of the first PCs
            with suppress(UnicodeError):
                name = name.encode("cp437").decode("utf-8")
        name = unicodedata.normalize("NFC", name.replace("\\", "/"))
        if name.endswith("/") or _JUNK.search(name):
            continue
        mode = entry.external_attr >> 16
        reason = ""
        if name.startswith("/") or re.match(r"[A-Za-z]:/", name) or ".." in name.split("/"):
            reason = "its path leads out of the archive"
        elif stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            reason = "a symbolic link or a device, and no file"
        elif entry.flag_bits & 1:
            reason = "encrypted"
        yield entry, name, reason


def _owners(archive):
    """The students whose files are in an archive, if a platform made it."""
    found = (identified(PurePosixPath(name).parts) for _, name, reason in _entries(archive) if not reason)
    return {who[0].key for who in found if who}


def _entry(archive, entry, limit):
    """The bytes of a file in an archive. What the archive says of their number is not believed."""
    try:
        with archive.open(entry) as file:
            data = file.read(limit + 1)
    except Exception as error:  # archives are damaged in many ways
        raise Unreadable(f"damaged in its archive: {type(error).__name__}") from None
    if len(data) > limit:
        raise Unreadable(f"more than {limit // 2**20} MiB")
    return data


def _opened(file):
    try:
        return zipfile.ZipFile(file)
    except Exception as error:
        raise Unreadable(f"no ZIP archive that can be opened: {type(error).__name__}") from None


def _time(entry):
    try:
        time = datetime.datetime(*entry.date_time)
    except ValueError:
        return None
    return time if time.year > 1980 else None


def _unpacked(uploads, left):
    """The uploads, and in place of an archive that a student handed in what is in it."""
    for upload in uploads:
        if not upload.name.lower().endswith(".zip"):
            yield upload
            continue
        try:
            archive = _opened(io.BytesIO(upload.data(_ARCHIVE)))
            if "/" not in upload.path and len(_owners(archive)) > 1:
                raise Unreadable("has the name of an upload, and holds those of several students: give it another name")
            for entry, name, reason in _entries(archive):
                path = f"{upload.path}/{name}"
                if reason:
                    left.append(Left(path, reason, upload.owner))
                    continue
                source, file = (archive, entry), PurePosixPath(name).name[-_NAME:]
                yield Upload(upload.owner, path, file, upload.time, upload.timed, source)
        except Unreadable as error:
            left.append(Left(upload.path, str(error), upload.owner))


class Download:
    """What a teacher has put into ``downloaded/SET/archive/``: archives of a platform, or what was in them.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.left: list[Left] = []
        self.notes: list[str] = []
        self.people: dict[str, dict[str, str]] = {}
        self._stack = ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._stack.close()

    def uploads(self) -> list[Upload]:
        """All files that a platform says are somebody's; the others are in `left`."""
        loose, found = [], []
        paths = [Path(root) / name for root, folders, names in os.walk(self.folder) for name in folders + names]
        paths = [path for path in sorted(paths) if path.is_symlink() or not path.is_dir()]
        paths = [path for path in paths if not _JUNK.search(path.relative_to(self.folder).as_posix())]
        named = [path for path in paths if path.parent == self.folder and identified([path.name])]
        for path in paths:
            parts = path.relative_to(self.folder).parts
            who = identified(parts)
            if path.is_symlink():
                self.left.append(Left("/".join(parts), "a symbolic link, which is not followed"))
            # The name of a platform's archive can look like that of an upload, but then it stands alone.
            elif path.suffix.lower() == ".zip" and (who is None or named == [path]):
                found += self._archive(path)
            elif who is None:
                self._unnamed(path)
            else:
                loose.append((*who, path))
        changed = [path.lstat() for _, _, path in loose]
        times = [datetime.datetime.fromtimestamp(status.st_mtime) for status in changed]
        came = max((datetime.datetime.fromtimestamp(status.st_ctime) for status in changed), default=None)
        timed = self._trusted("the files", times, came)
        for (owner, name, path), time in zip(loose, times, strict=True):
            found.append(Upload(owner, path.relative_to(self.folder).as_posix(), name, time, timed, path))
        return found

    def _archive(self, path):
        """The uploads in a platform's archive."""
        where, found = path.relative_to(self.folder).as_posix(), []
        try:
            archive = self._stack.enter_context(_opened(path))
            for entry, name, reason in _entries(archive):
                who = identified([part for part in name.split("/") if part not in ("", ".")])
                if reason or who is None:
                    self.left.append(Left(f"{where}/{name}", reason or _NOBODY, who and who[0]))
                else:
                    found.append((*who, f"{where}/{name}", entry))
        except Unreadable as error:
            self.left.append(Left(where, str(error)))
        times = [_time(entry) for *_, entry in found]
        made = datetime.datetime.fromtimestamp(path.stat().st_mtime)
        timed = self._trusted(where, [time for time in times if time], made)
        return [
            Upload(owner, place, name, time, timed and time is not None, (archive, entry))
            for (owner, name, place, entry), time in zip(found, times, strict=True)
        ]

    def _unnamed(self, path):
        """A table from Moodle that says which student has which number, or a file of no student."""
        rows = worksheet(path) if path.suffix.lower() == ".csv" else {}
        if rows:
            self.people |= rows
        else:
            self.left.append(Left(path.relative_to(self.folder).as_posix(), _NOBODY))

    def _trusted(self, where, times, made):
        """Whether the times of files are those of handing in, and not those of a server that packs an archive."""
        if not times:
            return False
        near = abs(max(times) - made) <= _ZONES
        in_order = len(times) >= _MANY and times == sorted(times)
        if max(times) - min(times) <= _SENDING and (near or in_order):
            self.notes.append(f"{where}: its times can be those of the download, so they say nothing of who was late")
            return False
        return True


def worksheet(path: Path, column: str = "Identifier") -> dict[str, dict[str, str]]:
    """The rows of Moodle's grading worksheet by the number of the participant; none if it is another table."""
    try:
        numbers = [(re.search(r"\d+$", row.get(column, "")), row) for row in tables.read(path)]
    except (OSError, UnicodeError, csv.Error):
        return {}
    return {number[0]: row for number, row in numbers if number}


@dataclass(frozen=True)
class Collection:
    """What came of a download.

    Parameters
    ----------
    taken : dict
        By the student's id the notebook that counts.
    left : list of (str, Left)
        The student's id, or nothing where that is not known, and what is not collected.
    people : dict
        By the student's id the row of Moodle's worksheet, if there is one.
    notes : list of str
        Sentences on the download as a whole.
    """

    taken: dict[str, Choice]
    left: list[tuple[str, Left]]
    people: dict[str, dict[str, str]]
    notes: list[str]

    def time(self, student: str) -> str:
        """When a student handed in, as nbgrader writes it, or nothing."""
        upload = self.taken[student].upload
        with suppress(ValueError):
            return timestamps.written(timestamps.moment(self.people.get(student, {}).get(_MODIFIED, ""), None))
        return timestamps.written(timestamps.utc(upload.time)) if upload.timed else ""

    def tables(self) -> dict[str, list[list[str]]]:
        """The rows of the tables that are kept, by the name of their file."""
        rows = {COLLECTED: [["student", "platform", "number", "name", "file", "time", "remarks"]]}
        for student, choice in self.taken.items():
            who = choice.upload.owner
            row = [student, who.platform, who.account, who.name, choice.upload.path, self.time(student)]
            rows[COLLECTED].append([*row, "; ".join(choice.remarks)])
        rows[UNCOLLECTED] = [["student", "file", "reason"]]
        rows[UNCOLLECTED] += [[student, left.path, left.reason] for student, left in self.left]
        return rows

    def report(self) -> list[str]:
        """What the teacher should read: remarks, what was left, and the students without a notebook."""
        lines = [*self.notes]
        lines += [f"{student}: {remark}" for student, choice in self.taken.items() for remark in choice.remarks]
        for student, left in self.left:
            of = f" of {student}" if student else ""
            lines.append(f"not collected{of}: {tables.on_a_line(left.path)}: {left.reason}")
        nothing = sorted({student for student, _ in self.left if student and student not in self.taken})
        lines += [f"no notebook of {student}" for student in nothing]
        return [*lines, f"notebooks collected: {len(self.taken)}; files left: {len(self.left)}"]


def collect(
    archive: Path,
    extracted: Path,
    assignment: str,
    released: NotebookNode | None = None,
    known: Mapping[str, str] | None = None,
) -> Collection:
    """Write ``extracted/STUDENT/SET.ipynb`` for each student with a notebook in a download.

    Parameters
    ----------
    archive, extracted : Path
        Where the download lies, and an empty folder.
    assignment : str
        The name of the set.
    released : NotebookNode, optional
        The set as it was given out.
    known : mapping from str to str, optional
        The ids of students by their address. Moodle's numbers are new in each assignment, and by the addresses in its
        worksheet somebody stays the same student.
    """
    with Download(archive) as download:
        uploads = {}
        for upload in download.uploads():
            uploads.setdefault(upload.owner.key, []).append(upload)
        owners = {key: found[0].owner for key, found in sorted(uploads.items())}
        rows = {key: _person(who, download.people) for key, who in owners.items()}
        students = _students(owners, rows, known or {})
        taken, left = {}, [(students.get(each.owner.key, "") if each.owner else "", each) for each in download.left]
        for key, student in students.items():
            try:
                choice, others = chosen(uploads[key], assignment, released)
                if choice:
                    (extracted / student).mkdir(parents=True)
                    (extracted / student / f"{assignment}.ipynb").write_bytes(choice.data)
                    # An archive in memory is not needed any more.
                    taken[student] = replace(choice, data=b"", upload=replace(choice.upload, source=None))
            except Exception as error:  # nobody's upload, and no mistake here, stops the others
                others = [Left(upload.path, f"failed: {error!r}", upload.owner) for upload in uploads[key]]
            left += [(student, each) for each in others]
        people = {students[key]: row for key, row in rows.items() if row}
        return Collection(taken, left, people, download.notes)


def is_of(row: Mapping[str, str], name: str) -> bool:
    """Whether a row of a worksheet is that of somebody. The number of a group can be that of another person."""
    return not row.get("Full name") or slug(row["Full name"]).casefold() == slug(name).casefold()


def _person(who, people):
    """The row of a worksheet on somebody."""
    row = people.get(who.number, {}) if who.platform == "Moodle" else {}
    return row if is_of(row, who.name) else {}


def _students(owners, rows, known):
    """An id for each owner, and none for two."""
    students, used = {}, set()
    for key, who in owners.items():
        student, again = known.get(rows[key].get(_ADDRESS, "").lower()), 0
        while not student or student.casefold() in used:  # there are systems on which Ana is ana
            student, again = who.student(again), again + 1
        used.add(student.casefold())
        students[key] = student
    return students


class Extractor(ExtractorPlugin):
    """Chooses a notebook for each student, for ``nbgrader zip_collect``."""

    def extract(self, archive_path: str, extracted_path: str) -> None:
        """Fill the folder `extracted_path`, the tables beside it, and the names and numbers in the gradebook."""
        course, assignment = self.parent.coursedir, self.parent.coursedir.assignment_id
        release = Path(course.format_path(course.release_directory, ".", assignment)) / f"{assignment}.ipynb"
        released = nbformat.read(release, as_version=4) if release.exists() else None
        if released is None:
            self.log.warning("There is no %s, so notebooks are known by their names alone.", release)
        with Gradebook(course.db_url, course.course_id) as gradebook:
            known = {student.email.lower(): student.id for student in gradebook.students if student.email}
            numbers = {student.lms_user_id: student.id for student in gradebook.students}
            done = collect(Path(archive_path), Path(extracted_path), assignment, released, known)
            for student, choice in done.taken.items():
                who = choice.upload.owner
                _keep(gradebook, student, who, done.people.get(student, {}))
                if who.platform == "Canvas" and numbers.get(who.account, student) != student:
                    self.log.warning("%s and %s have the same number in Canvas", student, numbers[who.account])
        for name, rows in done.tables().items():
            tables.write(Path(extracted_path).parent / name, rows)
        for line in done.report():
            self.log.warning(line)
        # What nbgrader says of each file that it copies would push this out of sight.
        self.log.setLevel(logging.ERROR)


class Collector(FileNameCollectorPlugin):
    """Tells ``nbgrader zip_collect`` whose file it is that the `Extractor` has written."""

    _times = None

    def collect(self, submitted_file: str) -> dict[str, str]:
        """The student, the set, and when it was handed in if that is known."""
        path = Path(submitted_file)
        self._times = self._times or {row["student"]: row["time"] for row in tables.read(path.parents[2] / COLLECTED)}
        time = self._times.get(path.parent.name)
        return {"student_id": path.parent.name, "file_id": path.stem} | ({"timestamp": time} if time else {})


def _keep(gradebook, student, who, row):
    """Note in the gradebook what the platform says of a student, and leave what is there already."""
    named = who.platform == "Moodle" and not who.name.startswith("Participant")
    first, _, last = who.name.rpartition(" ") if named else ("", "", "")
    try:
        there = gradebook.find_student(student)
    except MissingEntry:
        there = None
    found = {"first_name": first, "last_name": last, "email": row.get(_ADDRESS), "lms_user_id": who.account}
    new = {key: value for key, value in found.items() if value and not (there and getattr(there, key))}
    if new or not there:
        gradebook.update_or_create_student(student, **new)
