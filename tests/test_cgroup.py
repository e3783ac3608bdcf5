"""A control group bounds what the system holds for a sandbox, where one can be made, and none is left behind."""

import os
from pathlib import Path

import pytest

from lossprimer.grading import cgroup, sandbox
from lossprimer.grading.sandbox import Limits
from lossprimer.grading.submission import Submission
from tests.waiting import until


@pytest.fixture(autouse=True)
def anew():
    """Forget the groups that this process has, which stay until it ends."""
    cgroup.group.cache_clear()
    yield
    cgroup.group.cache_clear()


@pytest.mark.sandbox
def test_a_submission_runs_in_a_group_of_its_size():
    limits = Limits(memory=2**30 + 2**20, scratch=2**25)
    entrance = cgroup.group(limits.memory + limits.scratch + sandbox._OWN)
    if entrance is None:
        pytest.skip("no control group can be made here")
    try:
        sandbox.require()
    except sandbox.IsolationError as error:
        pytest.skip(str(error))
    (limit,) = (path for path in entrance.parent.iterdir() if path.name in ("memory.limit_in_bytes", "memory.max"))
    assert 0 <= limits.memory + limits.scratch + sandbox._OWN - int(limit.read_text()) < 2**16  # whole pages
    with Submission(limits=limits) as submission:
        submission.run("cell", "x = 1")
        assert submission["x"] == 1
        assert entrance.read_text().split()
    # The system may take a moment to end the processes of a namespace after its first one.
    until(lambda: entrance.read_text().split() == [], 10)


def test_where_memory_is_not_counted_there_is_no_group(tmp_path, monkeypatch):
    monkeypatch.setattr(cgroup, "_places", lambda: [(tmp_path, "memory.max"), (tmp_path / "absent", "memory.max")])
    assert cgroup.group(10**6) is None
    assert list(tmp_path.iterdir()) == []


def test_the_groups_of_processes_that_are_gone_are_removed(tmp_path, monkeypatch):
    gone, alive = tmp_path / f"{cgroup.NAME}-{2**30}-1", tmp_path / f"{cgroup.NAME}-{os.getppid()}-1"
    for path in (gone, alive):
        path.mkdir()
    monkeypatch.setattr(cgroup, "_places", lambda: [(tmp_path, "memory.max")])
    assert cgroup.group(10**6) is None
    assert list(tmp_path.iterdir()) == [alive]


def test_both_versions_are_looked_for(tmp_path, monkeypatch):
    lines = "5:cpu,cpuacct:/a\n4:memory:/b\n0::/c\n"
    monkeypatch.setattr(Path, "read_text", lambda self, *_: lines if str(self) == "/proc/self/cgroup" else "")
    assert list(cgroup._places()) == [
        (cgroup.ROOT / "memory" / "b", "memory.limit_in_bytes"),
        (cgroup.ROOT / "c", "memory.max"),
    ]
