"""Feedback goes out over nbgrader's exchange to those who handed in there, whatever others did."""

import logging

import pytest
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from lossprimer.grading.exchange import SECRET, ReleaseFeedback, secret

SET = "01_softmax"
# nbgrader does not close the timestamp that it reads.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def release(tmp_path):
    """Release feedback of pages with these files beside them; returns what was released, and what was said."""

    def run(students, caplog):
        for student, files in students.items():
            folder = tmp_path / "feedback" / student / SET
            folder.mkdir(parents=True)
            for name, text in ({f"{SET}.html": student} | files).items():
                (folder / name).write_text(text, "utf-8")
        root = tmp_path / "exchange"
        root.mkdir()
        root.chmod(0o777)
        config = Config({"CourseDirectory": {"root": str(tmp_path), "course_id": "course", "assignment_id": SET}})
        config.Exchange.root = str(root)
        course = CourseDirectory(config=config)
        exchange = ReleaseFeedback(
            coursedir=course, authenticator=Authenticator(config=config), config=config, log=logging.getLogger("test")
        )
        exchange.start()
        return sorted(path.read_text("utf-8") for path in (root / "course" / "feedback").iterdir()), caplog.text

    return run


def test_one_without_a_secret_or_a_time_stops_nobody(release, caplog):
    students = {
        "ana": {},
        "ben": {SECRET: "ben's", "timestamp.txt": "2026-11-10 23:59:00 UTC"},
        "chen": {SECRET: "chen's"},
        "dora": {SECRET: ""},
        "emil": {SECRET: "emil's", "timestamp.txt": "yesterday"},
    }
    released, said = release(students, caplog)
    assert released == ["ben", "chen", "emil"]
    assert "not released: ana, dora" in said


@pytest.mark.parametrize("data", [None, b"", b"\xff\xfe", b"x" * 10_000])
def test_what_is_no_secret(tmp_path, data):
    if data is not None:
        (tmp_path / SECRET).write_bytes(data)
    assert secret(tmp_path) is None


def test_a_link_is_no_secret(tmp_path):
    (tmp_path / "other").write_text("of somebody else", "utf-8")
    (tmp_path / SECRET).symlink_to(tmp_path / "other")
    assert secret(tmp_path) is None
