"""A time that a student's account wrote does not stop the class page, and costs nobody the submission."""

import contextlib
import datetime
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import parse_utc

from lossprimer.grading.timestamps import moment, settle, settle_all, timestamp, written

NOON = datetime.datetime(2026, 11, 3, 12)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "submitted" / "ana" / "set"
    folder.mkdir(parents=True)
    return folder


def read_by_nbgrader(folder):
    return CourseDirectory(root=str(folder.parents[2])).get_existing_timestamp(str(folder))


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-03 12:00:00.000000 UTC",
        "2026-11-03 12:00:00",
        "2026-11-03 12:00",
        "2026-11-03T12:00:00Z",
        "2026-11-03 13:00:00 CET",
        "2026-11-03T14:00:00+02:00",
        "2026-11-03 12:00:00 XYZ",  # as nbgrader takes a zone that it does not know
        "3 November 2026, 12:00 PM",
        "\ufeff2026-11-03 12:00:00\r\n",
    ],
)
def test_a_time_is_read_and_written_as_nbgrader_does(folder, text):
    (folder / "timestamp.txt").write_text(text, "utf-8")
    assert timestamp(folder) == ("2026-11-03 12:00:00.000000 UTC", None)
    assert settle(folder) is None
    assert read_by_nbgrader(folder) == NOON
    assert settle(folder) is None


@pytest.mark.parametrize(
    "data",
    [
        b"yesterday at noon",
        b"",
        b"  \n",
        b"10",
        b"12:00",
        b"November 2026",
        b"99999-01-01 00:00:00",
        b"0001-01-01 00:00:00",
        b"1999-12-31 23:59:59",
        b"2100-01-01 00:00:01",
        b"2026-02-30 12:00:00",
        b"2026-11-03 25:00:00",
        b"2026-11-03 12:00:00 +99999",
        b"1e400",
        b"9" * 150,
        b"\x00\xff\xfe\x80",
        b"\x00" * 100,
        b"(" * 100,
        b"2026-11-03 12:00:00" + b" " * 300,
        "2026-11-03 12:00:00".encode("utf-16"),
    ],
    ids=range(20),
)
def test_what_is_no_time_is_removed_with_a_remark(folder, data):
    (folder / "timestamp.txt").write_bytes(data)
    assert timestamp(folder)[0] is None
    assert "timestamp.txt" in settle(folder)
    assert list(folder.iterdir()) == []
    assert read_by_nbgrader(folder) is None
    assert settle(folder) is None


def test_without_a_file_there_is_no_remark(folder):
    assert timestamp(folder) == (None, None)
    assert settle(folder) is None


def test_a_file_without_end_is_not_read(folder):
    with (folder / "timestamp.txt").open("wb") as file:
        file.truncate(2**40)
    assert "more than 200 bytes" in settle(folder)


def test_what_is_no_file_is_removed(folder, tmp_path):
    path = folder / "timestamp.txt"
    other = tmp_path / "other.txt"
    other.write_text("2026-11-03 12:00:00")
    for make in (
        path.mkdir,
        lambda: path.symlink_to(other),
        lambda: path.symlink_to("nowhere"),
        lambda: os.mkfifo(path),
    ):
        make()
        assert settle(folder)
        assert not os.path.lexists(path)
    assert other.exists()


@pytest.mark.parametrize("level", [0, 1])
def test_nothing_is_removed_behind_a_link(folder, tmp_path, level):
    (folder / "timestamp.txt").write_text("yesterday")
    moved = tmp_path / "moved"
    linked = folder if level == 0 else folder.parent
    linked.rename(moved)
    linked.symlink_to(moved, target_is_directory=True)
    assert "symbolic link" in settle(folder)
    assert (folder / "timestamp.txt").exists()


def test_a_whole_class_is_put_right(folder):
    (folder / "timestamp.txt").write_text("2026-11-03 12:00:00")
    for student in ("bo", "cy"):
        other = folder.parents[1] / student / "set"
        other.mkdir(parents=True)
        (other / "timestamp.txt").write_text("yesterday")
    (folder.parents[1] / "notes.txt").write_text("the teacher's")
    assert list(settle_all(folder.parents[1])) == [("bo", "set"), ("cy", "set")]
    assert settle_all(folder.parents[1]) == {}
    assert read_by_nbgrader(folder) == NOON


def test_a_remark_is_one_short_line_of_text(folder):
    (folder / "timestamp.txt").write_text("\x1b[31m\nevil\r" * 10)
    remark = settle(folder)
    assert remark.isprintable()
    assert len(remark) < 300


@given(st.datetimes(datetime.datetime(2000, 1, 1), datetime.datetime(2099, 12, 31)))
def test_a_time_comes_back(time):
    assert moment(written(time)) == time
    assert parse_utc(written(time)) == time


@given(st.text(max_size=40))
def test_any_text_is_a_time_of_this_century_or_none(text):
    with contextlib.suppress(ValueError):
        assert 2000 <= moment(text).year < 2100
