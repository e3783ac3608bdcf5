"""The command for a class: one submission that cannot be written down stops no other."""

from collections import Counter

import pytest

from lossprimer.grading import autograde
from lossprimer.grading.batch import Result


class Refuses:
    """Records that one student's submission does not fit."""

    def __init__(self):
        self.kept = Counter()

    def save(self, student, notebook, timestamp):
        if student == "eve":
            raise OSError("File name too long")
        self.kept[student] += 1


def test_what_cannot_be_written_down_is_a_failure_of_one():
    records = Refuses()
    found = [autograde._saved(Result(name, "graded"), records) for name in ("ann", "eve", "bob")]
    assert [result.status for result in found] == ["graded", "failed", "graded"]
    assert "File name too long" in found[1].reason
    assert records.kept == {"ann": 1, "bob": 1}
    skipped = Result("cho", "skipped", "graded before")
    assert autograde._saved(skipped, records) is skipped


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["01_softmax"], "nbgrader_config.py"),
        (["--jobs", "two", "01_softmax"], "invalid int value"),
        ([], "the following arguments are required"),
    ],
)
def test_wrong_use_is_said_in_a_sentence(arguments, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as exit_:
        autograde.main(arguments)
    assert exit_.value.code != 0
    assert said in capsys.readouterr().err
