"""A download from Moodle or Canvas becomes one notebook for each student, and a line for whatever is left."""

import csv
import datetime
import io
import os
import stat
import time
import unicodedata
import warnings
import zipfile
from functools import cache
from pathlib import Path

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.api import Gradebook
from nbgrader.apps import ZipCollectApp
from traitlets.config import PyFileConfigLoader

from lossprimer.grading import collecting, reading
from lossprimer.grading.collecting import Owner, collect, identified, likeness, slug
from lossprimer.grading.tables import read as table

ROOT = Path(__file__).parent.parent
SET = "01_softmax"
DAY = datetime.datetime(2026, 11, 3, 12)


@cache
def notebook(text="", name="softmax"):
    """The bytes of a notebook in which a function has an answer."""
    cells = [new_code_cell(f"def {name}(z):\n    return {text!r}", id=f"{name}-answer")]
    cells[0].metadata.nbgrader = {"grade_id": f"{name}-answer", "solution": True, "grade": False, "locked": False}
    question = new_markdown_cell(f"## The task {name}", id=name)
    question.metadata.nbgrader = {"grade_id": name, "solution": False, "grade": False, "locked": True}
    return nbformat.writes(new_notebook(cells=[question, *cells])).encode()


RELEASED = nbformat.reads(notebook("blank").decode(), as_version=4)


@pytest.fixture
def archive(tmp_path):
    """Makes archives in the folder of the downloads."""
    folder = tmp_path / "archive"
    folder.mkdir()

    def make(files, name="download.zip"):
        with zipfile.ZipFile(folder / name, "w") as made:
            for at, (path, data) in enumerate(files.items() if isinstance(files, dict) else files):
                entry = path if isinstance(path, zipfile.ZipInfo) else zipfile.ZipInfo(path, dated(at))
                made.writestr(entry, data)
        return folder / name

    make.folder = folder
    return make


def dated(days):
    return (DAY + datetime.timedelta(days=days)).timetuple()[:6]


@pytest.fixture
def done(archive, tmp_path):
    """Collects what is in the folder."""

    def run(released=RELEASED, known=None):
        found = collect(archive.folder, tmp_path / "extracted", SET, released, known)
        written = {path.parent.name: path.read_bytes() for path in tmp_path.glob("extracted/*/*")}
        assert set(written) == set(found.taken)
        found.__dict__["texts"] = written
        return found

    return run


def reasons(found):
    return {left.path.removeprefix("download.zip/"): left.reason for _, left in found.left}


# Who is it?


@pytest.mark.parametrize(
    ("path", "student", "file"),
    [
        ("Ana Lopez_102_assignsubmission_file_/01_softmax.ipynb", "Ana-Lopez_102", "01_softmax.ipynb"),
        ("Ana Lopez_102_assignsubmission_file/deep/er/x.ipynb", "Ana-Lopez_102", "x.ipynb"),
        ("Ana Lopez_102_assignsubmission_file_01_softmax.ipynb", "Ana-Lopez_102", "01_softmax.ipynb"),
        ("course/set 1/Ana Lopez_102_assignsubmission_file_/x.ipynb", "Ana-Lopez_102", "x.ipynb"),
        ("Wei_Zhang_102_assignsubmission_file_/x.ipynb", "Wei_Zhang_102", "x.ipynb"),
        ("Participant 7_5678_assignsubmission_file_/x.ipynb", "Participant-7_5678", "x.ipynb"),
        ("Participant_5678_assignsubmission_file/x.ipynb", "Participant_5678", "x.ipynb"),
        ("Group A_31_assignsubmission_file/x.ipynb", "Group-A_31", "x.ipynb"),
        ("Default group_assignsubmission_file/x.ipynb", "Default-group", "x.ipynb"),
        ("Siobhán O'Neill-Núñez_9_assignsubmission_file_/x.ipynb", "Siobhán-ONeill-Núñez_9", "x.ipynb"),
        ("محمد علي_9_assignsubmission_file_/x.ipynb", "محمد-علي_9", "x.ipynb"),
        ("李 小龍_9_assignsubmission_file_/x.ipynb", "李-小龍_9", "x.ipynb"),
        ("\u202eevil\u2066_9_assignsubmission_file_/x.ipynb", "evil_9", "x.ipynb"),
        ("-rf *_9_assignsubmission_file_/x.ipynb", "rf_9", "x.ipynb"),
        ("..._9_assignsubmission_file_/x.ipynb", "student_9", "x.ipynb"),
        ("lopezana_112_4455_01_softmax.ipynb", "lopezana_112", "01_softmax.ipynb"),
        ("lopezana_LATE_112_4455_01_softmax-2.ipynb", "lopezana_112", "01_softmax-2.ipynb"),
        ("de_la_cruzana_112_4455_x.ipynb", "de_la_cruzana_112", "x.ipynb"),
        ("anon_x7Yz2_4455_01_softmax.ipynb", "anon_x7Yz2", "01_softmax.ipynb"),
        ("LATE_anon_x7Yz2_4455_01_softmax.ipynb", "anon_x7Yz2", "01_softmax.ipynb"),
        ("submissions/lopezana_112_4455_x.ipynb", "lopezana_112", "x.ipynb"),
    ],
)
def test_the_student_is_who_the_platform_says(path, student, file):
    who, name = identified(path.split("/"))
    assert (who.student(), name) == (student, file)


@pytest.mark.parametrize(
    ("path", "student"),
    [
        ("Mallory Evil_104_assignsubmission_file/Ana Lopez_9_9_01_softmax.ipynb", "Mallory-Evil_104"),
        ("Mallory_104_assignsubmission_file/Ana_9_assignsubmission_file_/x.ipynb", "Mallory_104"),
        ("Mallory_104_assignsubmission_file_Ana_9_assignsubmission_file_x.ipynb", "Mallory_104"),
        ("Mallory_104_assignsubmission_file_ana_9_9_x.ipynb", "Mallory_104"),
        ("mallory_104_5000_ana_9_9_x.ipynb", "mallory_104"),
        ("mallory_104_5000_Ana_9_assignsubmission_file_x.ipynb", "mallory_104"),
        ("mallory_LATE_104_5000_anon_x7Yz2_9_x.ipynb", "mallory_104"),
    ],
)
def test_the_name_of_an_upload_makes_nobody_else_of_a_student(path, student):
    assert identified(path.split("/"))[0].student() == student


@pytest.mark.parametrize(
    "path",
    [
        "01_softmax.ipynb",
        "Ana Lopez/01_softmax.ipynb",
        "grades.csv",
        "ana_112.ipynb",
        "x",
        "_1_2_y.ipynb",
        "a_1_b_2_c.ipynb",
    ],
)
def test_where_no_platform_says_who_it_is_nobody_is_made_up(path):
    assert identified(path.split("/")) is None


ANY = st.text(st.characters(codec="utf-8"), min_size=1, max_size=300)


@given(ANY)
def test_an_id_is_a_plain_name_of_a_folder(name):
    made = Owner("Moodle", name, "9" * 20).student(3)
    assert len(made.encode()) < 200
    assert not set(made) & set('/\\:*?"<>|[]{},\0 ')
    assert not made.startswith((".", "-"))
    assert all(unicodedata.category(letter)[0] in "LMN" or letter in "-_" for letter in made)
    assert slug(slug(name)) == slug(name)


@given(ANY, ANY.filter(lambda name: "_" not in name), st.integers(0, 10**9))
def test_moodles_folder_decides_whatever_is_in_it(file, name, number):
    parts = [f"{name}_{number}_assignsubmission_file_", *file.replace("\\", "/").split("/")]
    who, _ = identified(parts)
    assert (who.platform, who.number) == ("Moodle", str(number))
    assert who.student().startswith(slug(who.name))


@given(st.from_regex(r"[a-z\u00e9\u4e00]{1,30}", fullmatch=True), ANY, st.integers(0, 10**9), st.integers(0, 10**9))
def test_canvass_first_number_decides_whatever_follows(name, file, number, upload):
    who, called = identified([f"{name}_{number}_{upload}_{file}".replace("/", "_")])
    assert (who.platform, who.number, who.upload) == ("Canvas", str(number), upload)
    assert called == file.replace("/", "_")


# Which notebook is it?


@pytest.mark.parametrize(
    "name",
    [
        "01_softmax.ipynb",
        "01 softmax.ipynb",
        "01_softmax(1).ipynb",
        "01_softmax (2).ipynb",
        "01_softmax-2.ipynb",
        "01_softmax (1)-3.ipynb",
        "01_SOFTMAX.IPYNB",
        "01-softmax.ipynb",
        "01_softmax.ipynb.txt",
        "01_softmax.ipynb.json",
        "01_softmax.json",
    ],
)
def test_a_name_that_systems_have_changed_is_the_sets(name, archive, done):
    assert likeness(name, SET) == 2
    archive({f"Ana_1_assignsubmission_file_/{name}": notebook("a")})
    found = done()
    assert found.texts == {"Ana_1": notebook("a")}
    assert found.taken["Ana_1"].remarks == ()


@pytest.mark.parametrize(
    "name", ["softmax_final.ipynb", "Untitled.ipynb", "Ana's work.ipynb", ".ipynb", "x" * 250 + ".ipynb"]
)
def test_one_notebook_is_taken_whatever_it_is_called(name, archive, done):
    archive({f"Ana_1_assignsubmission_file_/{name}": notebook("a")})
    assert done().texts == {"Ana_1": notebook("a")}


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ({"01_softmax.ipynb": notebook("right"), "scratch.ipynb": notebook("x", "other")}, "right"),
        ({"scratch.ipynb": notebook("x", "other"), "final.ipynb": notebook("right")}, "right"),
        ({"01_softmax.ipynb": notebook("blank"), "mine.ipynb": notebook("right")}, "right"),
        ({"01_softmax.ipynb": notebook("old"), "01_softmax-1.ipynb": notebook("right")}, "right"),
        ({"01_softmax-1.ipynb": notebook("right"), "notes.ipynb": notebook("x")}, "right"),
        ({"02_other.ipynb": notebook("x", "other"), "a.ipynb": notebook("old"), "b.ipynb": notebook("right")}, "right"),
        ({"01_softmax.ipynb": notebook("right"), "01_softmax (1).ipynb": b"{"}, "right"),
        ({"01_softmax.ipynb": notebook("right"), "big.ipynb": b"x" * (2**24 + 1)}, "right"),
        ({"01_softmax.ipynb": notebook("x", "other"), "y.ipynb": notebook("right")}, "right"),
    ],
    ids=range(9),
)
def test_of_several_notebooks_one_counts_and_the_others_are_listed(files, wanted, archive, done):
    archive({f"Ana_1_assignsubmission_file_/{name}": data for name, data in files.items()})
    found = done()
    assert found.texts == {"Ana_1": notebook(wanted)}
    assert len(found.left) == len(files) - 1
    assert all(student == "Ana_1" for student, _ in found.left)


def test_without_a_release_the_name_decides(archive, done):
    archive({"ana_1_21_scratch.ipynb": notebook("x"), "ana_1_20_01_softmax.ipynb": notebook("right")})
    assert done(released=None).texts == {"ana_1": notebook("right")}


def test_the_newest_of_two_downloads_counts(archive, done):
    folder = "Ana_1_assignsubmission_file_/01_softmax.ipynb"
    archive([(zipfile.ZipInfo(folder, dated(5)), notebook("new"))], "a.zip")
    archive([(zipfile.ZipInfo(folder, dated(1)), notebook("old"))], "b.zip")
    found = done()
    assert found.texts == {"Ana_1": notebook("new")}
    assert [left.path for _, left in found.left] == [f"b.zip/{folder}"]


def test_of_canvass_uploads_of_the_same_time_the_last_number_counts(archive, done):
    names = [f"ana_1_{number}_01_softmax.ipynb" for number in (900, 1000, 99)]
    archive([(zipfile.ZipInfo(name, dated(0)), notebook(name)) for name in names])
    assert done().texts == {"ana_1": notebook(names[1])}


def test_a_table_of_the_students_is_no_notebook(archive, done):
    archive({"ana_1_20_data.json": b"{}", "bo_2_20_package.json": notebook("a")})
    found = done()
    assert found.texts == {"bo_2": notebook("a")}
    assert reasons(found) == {"ana_1_20_data.json": "no notebook, by the end of its name"}


@pytest.mark.parametrize(
    "part", ["_", "-1", "(1)", " ", ".txt", ".ipynb", "_1_2", "LATE_", "a_9_assignsubmission_file_"]
)
def test_no_long_name_takes_long(archive, done, part):
    long = part * (60_000 // len(part))
    archive({f"ana_1_20_{long}x.ipynb": notebook("a"), f"Bo_2_assignsubmission_file_/{long}.ipynb": notebook("b")})
    assert {student.split("_")[0] for student in done().taken} == {"ana", "Bo"}


def test_two_entries_of_the_same_name_are_two_uploads(archive, done):
    name = "ana_1_20_01_softmax.ipynb"
    with pytest.warns(UserWarning, match="Duplicate name"):
        archive([(name, notebook("old")), (name, notebook("new"))])
    found = done()
    assert found.texts == {"ana_1": notebook("new")}
    assert len(found.left) == 1


def test_a_notebook_that_cannot_be_read_is_handed_on_with_the_reason(archive, done):
    archive(
        {
            "Ana_1_assignsubmission_file_/01_softmax.ipynb": b"",
            "Bo_2_assignsubmission_file_/01_softmax.ipynb": notebook(),
        }
    )
    found = done()
    assert found.texts["Ana_1"] == b""
    assert found.taken["Ana_1"].remarks == ("cannot be read: an empty file",)
    assert "Ana_1: cannot be read: an empty file" in found.report()


def test_another_sets_notebook_is_handed_on_with_a_remark(archive, done):
    archive({"Ana_1_assignsubmission_file_/02_other.ipynb": notebook("x", "other")})
    found = done()
    assert "its cells are not those of this set" in found.taken["Ana_1"].remarks


def test_a_notebook_in_an_archive_of_the_students(archive, done):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as inner:
        inner.writestr("work/Bo_2_assignsubmission_file_/01_softmax.ipynb", notebook("a"))
        inner.writestr("../../../../evil.ipynb", notebook("evil"))
        inner.writestr("data.csv", "1,2")
    archive({"Ana_1_assignsubmission_file_/my work.ZIP": packed.getvalue()})
    found = done()
    assert found.texts == {"Ana_1": notebook("a")}
    assert {left.reason for _, left in found.left} == {
        "its path leads out of the archive",
        "no notebook, by the end of its name",
    }


# Nobody is harmed by another.


def test_namesakes_are_two_students(archive, done):
    archive({f"Wei Zhang_{number}_assignsubmission_file_/01_softmax.ipynb": notebook(number) for number in (102, 103)})
    assert set(done().taken) == {"Wei-Zhang_102", "Wei-Zhang_103"}


def test_names_that_differ_in_what_an_id_leaves_out_are_two_students(archive, done):
    names = ["Ana Lopez", "Ana-Lopez", "ana lopez", "Ana Lo'pez"]
    archive({f"{name}_7_assignsubmission_file_/01_softmax.ipynb": notebook(name) for name in names})
    found = done()
    assert len({student.casefold() for student in found.taken}) == 4
    assert all(student.endswith("_7") for student in found.taken)
    assert set(found.texts.values()) == {notebook(name) for name in names}


def test_what_is_not_collected_is_listed_with_the_reason(archive, done):
    archive(
        {
            "Ana_1_assignsubmission_onlinetext_/onlinetext.html": b"<p>my answer",
            "Ana_1_assignsubmission_file_/notes.pdf": b"%PDF",
            "bo_2_text.html": b"<p>",
            "bo_2_link.html": b"<p>",
            "01_softmax.ipynb": notebook(),
            "Cy/01_softmax.ipynb": notebook(),
            "__MACOSX/._01_softmax.ipynb": b"x",
            ".DS_Store": b"x",
        }
    )
    found = done()
    assert found.taken == {}
    assert reasons(found) == {
        "Ana_1_assignsubmission_onlinetext_/onlinetext.html": "onlinetext that was typed into Moodle, and no file",
        "Ana_1_assignsubmission_file_/notes.pdf": "no notebook, by the end of its name",
        "bo_2_text.html": "link or text that was typed into Canvas, and no file",
        "bo_2_link.html": "link or text that was typed into Canvas, and no file",
        "01_softmax.ipynb": "no student: not a name that Moodle or Canvas makes",
        "Cy/01_softmax.ipynb": "no student: not a name that Moodle or Canvas makes",
    }
    assert {"no notebook of Ana_1", "no notebook of bo_2"} < set(found.report())
    assert found.report()[-1] == "notebooks collected: 0; files left: 6"


def test_nothing_leaves_the_folder(archive, done, tmp_path):
    name = "Ana_1_assignsubmission_file_/01_softmax.ipynb"
    link = zipfile.ZipInfo(f"Bo_2{name[5:]}", dated(0))
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    bad = {
        path: notebook("evil")
        for path in (f"../../{name}", f"/{name}", f"x/../../{name}", f"C:\\{name}", f"..\\{name}")
    }
    archive([*bad.items(), (link, "/etc/passwd"), (name, notebook("a"))])
    before = set(tmp_path.rglob("*"))
    found = done()
    assert found.texts == {"Ana_1": notebook("a")}
    new = set(tmp_path.rglob("*")) - before
    assert {path.relative_to(tmp_path).as_posix() for path in new} == {
        "extracted",
        "extracted/Ana_1",
        f"extracted/Ana_1/{SET}.ipynb",
    }
    assert len(found.left) == 6
    assert set(reasons(found).values()) == {
        "its path leads out of the archive",
        "a symbolic link or a device, and no file",
    }


@given(
    st.lists(
        st.text(st.characters(codec="utf-8"), max_size=30) | st.from_regex(r"[./\\\\_0-9a-]{0,20}", fullmatch=True)
    )
)
def test_no_name_in_an_archive_stops_the_others(tmp_path_factory, names):
    folder = tmp_path_factory.mktemp("names")
    (folder / "archive").mkdir()
    with zipfile.ZipFile(folder / "archive" / "download.zip", "w") as made, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two of the same name
        for name in [*names, *(f"eve_6_6_{name}" for name in names), "ana_1_20_01_softmax.ipynb"]:
            made.writestr(zipfile.ZipInfo(name, dated(0)), notebook("a"))
    found = collect(folder / "archive", folder / "extracted", SET, RELEASED)
    assert "ana_1" in found.taken
    assert all(path.is_relative_to(folder / "extracted") for path in folder.rglob("*.ipynb"))
    assert len(found.report()) >= len(found.left)


def test_a_bomb_harms_nobody(archive, done):
    archive([])
    with zipfile.ZipFile(archive.folder / "download.zip", "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("Eve_6_assignsubmission_file_/01_softmax.ipynb", b" " * (reading.BYTES + 1))
        made.writestr("Ana_1_assignsubmission_file_/01_softmax.ipynb", notebook("a"))
    found = done()
    assert found.texts == {"Ana_1": notebook("a")}
    assert [left.reason for _, left in found.left] == ["more than 16 MiB"]


def test_an_archive_that_lies_about_its_sizes(archive, done):
    path = archive(
        {
            "Eve_6_assignsubmission_file_/01_softmax.ipynb": notebook("eve"),
            "Ana_1_assignsubmission_file_/x.ipynb": notebook("a"),
        }
    )
    data = path.read_bytes()
    at = data.index(b"PK\x01\x02")  # the directory's first entry: another number of bytes
    path.write_bytes(data[: at + 24] + (10).to_bytes(4, "little") + data[at + 28 :])
    found = done()
    assert found.texts["Ana_1"] == notebook("a")
    assert "damaged in its archive: BadZipFile" in {left.reason for _, left in found.left}


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"no archive", b"PK\x05\x06" + b"\xff" * 18])
def test_an_archive_that_is_none(archive, done, data):
    (archive.folder / "broken.zip").write_bytes(data)
    archive({"Ana_1_assignsubmission_file_/x.ipynb": notebook("a")})
    found = done()
    assert found.texts == {"Ana_1": notebook("a")}
    assert [(left.path, left.reason[:14]) for _, left in found.left] == [("broken.zip", "no ZIP archive")]


def test_a_mistake_of_ours_costs_one_student(archive, done, monkeypatch):
    archive({f"{name}_1_assignsubmission_file_/x.ipynb": notebook(name) for name in ("Ana", "Bo")})
    judged = collecting._judged

    def mistaken(upload, *rest):
        if upload.owner.name == "Bo":
            raise ZeroDivisionError
        return judged(upload, *rest)

    monkeypatch.setattr(collecting, "_judged", mistaken)
    found = done()
    assert set(found.taken) == {"Ana_1"}
    assert "ZeroDivisionError" in found.left[0][1].reason


def test_names_in_the_encoding_of_old_archives(archive, done):
    name = "José Núñez_5_assignsubmission_file_/01_softmax.ipynb"
    path = archive({name: notebook("a")})
    data = path.read_bytes().replace(b"\x00\x08", b"\x00\x00")  # without the word that names are in UTF-8
    path.write_bytes(data)
    assert set(done().taken) == {"José-Núñez_5"}


def test_a_name_that_ends_in_a_number_is_said(archive, done):
    """Canvas writes name and number as it writes number and number; then nobody can tell the two apart."""
    archive(
        [
            ("lopezana_103_4400_01_softmax.ipynb", notebook("ana")),
            ("lopezana_103_112_4455_01_softmax.ipynb", notebook("mallory, number 112, whose name is lopezana_103")),
        ]
    )
    found = done()
    assert found.texts == {"lopezana_103": notebook("ana")}
    archive({"lopezana_103_112_4455_01_softmax.ipynb": notebook("mallory")})
    for path in archive.folder.parent.glob("extracted/*/*"):
        path.unlink()
        path.parent.rmdir()
    assert "is 103, or it is 112" in done().taken["lopezana_103"].remarks[0]


# What lies there unpacked


def test_a_download_that_was_unpacked_already(archive, done):
    for number, name in enumerate(["course-1/Ana Lopez_1_assignsubmission_file_/x.ipynb", "bo_2_20_01_softmax.ipynb"]):
        path = archive.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(notebook(number))
    (archive.folder / "eve_3_30_01_softmax.ipynb").symlink_to("bo_2_20_01_softmax.ipynb")
    (archive.folder / "Gus_5_assignsubmission_file_").symlink_to("course-1", target_is_directory=True)
    os.mkfifo(archive.folder / "fay_4_40_01_softmax.ipynb")
    found = done()
    assert found.texts == {"Ana-Lopez_1": notebook(0), "bo_2": notebook(1)}
    assert {left.reason for _, left in found.left} == {
        "a symbolic link, which is not followed",
        "a named pipe, not a file",
    }


def test_archives_of_students_in_a_download_that_was_unpacked(archive, done):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as inner:
        inner.writestr("ana_1_10_01_softmax.ipynb", notebook("evil"))
    (archive.folder / "ana_1_10_01_softmax.ipynb").write_bytes(notebook("ana"))
    (archive.folder / "eve_2_20_work.zip").write_bytes(packed.getvalue())
    assert done().texts == {"ana_1": notebook("ana"), "eve_2": notebook("evil")}


def test_an_archive_of_the_platform_whose_name_looks_like_an_upload(archive, done):
    archive({"ana_1_10_01_softmax.ipynb": notebook("ana")}, "course_01_02_submissions.zip")
    assert done().texts == {"ana_1": notebook("ana")}


def test_two_archives_of_the_platform_whose_names_look_like_uploads(archive, done):
    for number in (1, 2):
        files = {f"{name}_{number}_10_01_softmax.ipynb": notebook(name) for name in ("ana", "bo")}
        archive(files, f"course_01_0{number}_submissions.zip")
    found = done()
    assert found.taken == {}
    assert all("give it another name" in left.reason for _, left in found.left)


# When was it?


def local(*parts):
    """The time of this machine as nbgrader writes it in UTC."""
    return f"{datetime.datetime(*parts).astimezone(datetime.UTC):%Y-%m-%d %H:%M:%S.%f} UTC"


@pytest.fixture(params=["UTC", "Europe/Madrid", "Asia/Kolkata"])
def zone(request, monkeypatch):
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def test_the_time_is_the_archives(archive, done, zone):
    names = [f"{name}_1_assignsubmission_file_/x.ipynb" for name in ("Ana", "Bo")]
    archive({name: notebook(name) for name in names})
    found = done()
    assert found.time("Ana_1") == local(2026, 11, 3, 12)
    assert found.time("Bo_1") == local(2026, 11, 4, 12)
    assert found.notes == []
    hour = int(found.time("Ana_1")[11:13])
    assert hour == {"UTC": 12, "Europe/Madrid": 11, "Asia/Kolkata": 6}[zone]


def test_the_time_of_the_download_is_nobodys(archive, done):
    now = datetime.datetime.now()
    entries = [
        (
            zipfile.ZipInfo(
                f"{name}_1_assignsubmission_file_/x.ipynb", (now + datetime.timedelta(seconds=5 * at)).timetuple()[:6]
            ),
            notebook(),
        )
        for at, name in enumerate(["Ana", "Bo"])
    ]
    archive(entries)
    found = done()
    assert [found.time(student) for student in found.taken] == ["", ""]
    assert "download.zip: its times can be those of the download" in found.notes[0]


def test_an_archive_that_was_packed_in_order_has_the_time_of_the_download(archive, done):
    """Though the file was copied since, and has another time itself."""
    names = [f"{name}_1_assignsubmission_file_/x.ipynb" for name in "ABCDE"]
    archive([(zipfile.ZipInfo(name, (2026, 11, 3, 12, 0, 2 * at)), notebook()) for at, name in enumerate(names)])
    found = done()
    assert {student: found.time(student) for student in found.taken} == {f"{name}_1": "" for name in "ABCDE"}


def test_an_archive_without_times(archive, done):
    archive([(zipfile.ZipInfo("ana_LATE_1_20_01_softmax.ipynb"), notebook())])
    found = done()
    assert found.time("ana_1") == ""
    assert found.taken["ana_1"].remarks == ("late, says Canvas",)


def worksheet(folder, *rows):
    headers = ["Identifier", "Full name", "Email address", "Status", "Grade", "Last modified (submission)"]
    with (folder / "Grades-course-1.csv").open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file).writerows([headers, *rows])


def test_moodles_worksheet_says_who_and_when(archive, done, zone):
    archive({f"Ana Lopez_{number}_assignsubmission_file_/x.ipynb": notebook(number) for number in (1, 2, 3)})
    row = ["Ana Lopez", "ana@example.org", "Submitted", "-", "Monday, 2 November 2026, 11:30 PM"]
    worksheet(
        archive.folder,
        ["Participant 1", *row],
        ["Participant 2", "Group B", "b@example.org", "", "", row[-1]],
        ["x", *row],
    )
    found = done(known={"ana@example.org": "Ana-Lopez_77"})
    # Moodle's numbers are new in each assignment; the address stays. The second one's row is of somebody else.
    assert set(found.taken) == {"Ana-Lopez_77", "Ana-Lopez_2", "Ana-Lopez_3"}
    assert found.time("Ana-Lopez_77") == local(2026, 11, 2, 23, 30)
    assert found.time("Ana-Lopez_2") != found.time("Ana-Lopez_77")
    assert found.left == []
    (row,) = [row for row in found.tables()["collected.csv"] if row[0] == "Ana-Lopez_77"]
    assert row[1:4] == ["Moodle", "1", "Ana Lopez"]


# The command


@pytest.fixture
def course(tmp_path, monkeypatch):
    (tmp_path / "nbgrader_config.py").write_text(
        (ROOT / "exercises" / "nbgrader_config.py").read_text("utf-8"), "utf-8"
    )
    (tmp_path / "release" / SET).mkdir(parents=True)
    (tmp_path / "release" / SET / f"{SET}.ipynb").write_bytes(notebook("blank"))
    (tmp_path / "downloaded" / SET / "archive").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("nbgrader.api.get_alembic_version", lambda: "0")  # a program that takes seconds to say it
    return tmp_path


def zip_collect(course, capfd):
    """What ``nbgrader zip_collect`` does, in this process."""
    config = PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config()
    app = ZipCollectApp(config=config)
    app.initialize([SET, "--force"])
    app.start()
    return capfd.readouterr().err


@pytest.mark.filterwarnings("ignore")
def test_the_command_of_nbgrader_collects(course, capfd):
    path = course / "downloaded" / SET / "archive" / "download.zip"
    with zipfile.ZipFile(path, "w") as made:
        files = {
            "=Ana Lopez_102_assignsubmission_file_/01 softmax.ipynb": notebook("ana"),
            "Ana Lopez_103_assignsubmission_file_/=cmd.pdf": b"%PDF",
            "Mallory_104_assignsubmission_file_/Ana Lopez_102_assignsubmission_file_.ipynb": notebook("mallory"),
            "=1+1.ipynb": b"",
        }
        for at, (name, data) in enumerate(files.items()):
            made.writestr(zipfile.ZipInfo(name, dated(at)), data)
    submitted = course / "submitted" / "Ana-Lopez_102" / SET
    for again in range(2):
        err = zip_collect(course, capfd)
        assert (submitted / f"{SET}.ipynb").read_bytes() == notebook("ana")
        assert (submitted / "timestamp.txt").read_text() == local(2026, 11, 3, 12)[:19]
        assert {path.parent.name for path in course.glob("submitted/*/*")} == {"Ana-Lopez_102", "Mallory_104"}, again
        lines = [line.partition("] ")[2] for line in err.splitlines()]
        assert lines[-1] == "notebooks collected: 2; files left: 2"
        assert "no notebook of Ana-Lopez_103" in lines
    folder = course / "downloaded" / SET
    assert [row["student"] for row in table(folder / "collected.csv")] == ["Ana-Lopez_102", "Mallory_104"]
    assert [row["reason"] for row in table(folder / "uncollected.csv")][
        0
    ] == "no student: not a name that Moodle or Canvas makes"
    for name in ("collected.csv", "uncollected.csv"):
        entries = [entry for row in csv.reader((folder / name).open(encoding="utf-8", newline="")) for entry in row]
        assert not any(entry.startswith(("=", "+", "-", "@")) for entry in entries)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "loss-stability-primer") as gradebook:
        ana = gradebook.find_student("Ana-Lopez_102")
        assert (ana.first_name, ana.last_name, ana.lms_user_id) == ("=Ana", "Lopez", "102")


@pytest.mark.filterwarnings("ignore")
def test_one_number_with_two_names_is_said(course, capfd):
    for name in ("lopezana", "smithana"):
        with zipfile.ZipFile(course / "downloaded" / SET / "archive" / "download.zip", "w") as made:
            made.writestr(zipfile.ZipInfo(f"{name}_112_20_01_softmax.ipynb", dated(0)), notebook("ana"))
        err = zip_collect(course, capfd)
    assert "smithana_112 and lopezana_112 have the same number in Canvas" in err


@pytest.mark.filterwarnings("ignore")
def test_what_the_teacher_knows_of_a_student_stays(course, capfd):
    with zipfile.ZipFile(course / "downloaded" / SET / "archive" / "download.zip", "w") as made:
        made.writestr(zipfile.ZipInfo("Ana Lopez_102_assignsubmission_file_/x.ipynb", dated(0)), notebook("ana"))
    worksheet(course / "downloaded" / SET / "archive", ["Participant 102", "Ana Lopez", "ana@example.org", "", "", ""])
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "loss-stability-primer") as gradebook:
        gradebook.add_student("Ana-Lopez_102", last_name="López Núñez")
    zip_collect(course, capfd)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "loss-stability-primer") as gradebook:
        ana = gradebook.find_student("Ana-Lopez_102")
        assert (ana.last_name, ana.email, ana.lms_user_id) == ("López Núñez", "ana@example.org", "102")
