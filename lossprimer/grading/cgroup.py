"""What bounds memory that no limit of a process counts? A control group, where this process may make one.

The kernel holds memory for a process that is not the process's own: an entry for each file, the buffers of sockets. A
group counts all of it. Root may make one on most machines; an ordinary user starts the whole grading in one, with
``systemd-run --user --scope``.
"""

import atexit
import contextlib
import functools
import os
from pathlib import Path

NAME = "lossprimer"
ROOT = Path("/sys/fs/cgroup")


@functools.cache
def group(size: int) -> Path | None:
    """The file that takes the processes of a group of `size` bytes, or None where there is none to be had.

    The group belongs to this process and lasts as long; what runs in it one after the other shares it. It is removed at
    the end, and by the next process that makes one, if this one is killed.
    """
    for parent, limit in _places():
        with contextlib.suppress(OSError):
            _remove_old(parent)
            made = parent / f"{NAME}-{os.getpid()}-{size}"
            made.mkdir(exist_ok=True)
            atexit.register(_remove, made)
            if (made / limit).exists():  # else the group does not count memory
                (made / limit).write_text(str(size))
                return made / "cgroup.procs"
            _remove(made)
    return None


def _places():
    """The groups of this process, of both versions that there are, and the file in which a group has its limit."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text("utf-8").splitlines():
            _, kinds, path = line.split(":", 2)
            if "memory" in kinds.split(","):
                yield ROOT / "memory" / path.lstrip("/"), "memory.limit_in_bytes"
            elif not kinds:
                yield ROOT / path.lstrip("/"), "memory.max"


def _remove_old(parent):
    """Remove the groups of processes that are gone."""
    for path in parent.glob(f"{NAME}-*"):
        if not Path(f"/proc/{path.name.split('-')[1]}").exists():
            _remove(path)


def _remove(path):
    with contextlib.suppress(OSError):
        path.rmdir()
