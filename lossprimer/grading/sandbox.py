"""How is a process kept from files, network and other processes? bubblewrap gives it a machine with nothing on it."""

import functools
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
MISSING = (
    "Submissions cannot be isolated here: {reason}."
    " Grade on Linux with bubblewrap and util-linux installed (on Debian: apt-get install bubblewrap), where user"
    " namespaces are allowed. A teacher who trusts every submission can do without:"
    " --SandboxPreprocessor.isolated=False"
)
# What programs of the system are made of. Of /etc only what finds libraries and fonts.
SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/etc/ld.so.cache", "/etc/alternatives", "/etc/fonts")


class IsolationError(RuntimeError):
    """There is no isolation on this machine; the message says what to install."""


@dataclass(frozen=True)
class Limits:
    """What one process may use, and how many of them there may be.

    Sizes are in bytes. The limits of the kernel hold for each process; a container or a control group around the
    whole grading is what limits the sum.
    """

    memory: int = 2 * 2**30
    cpu_seconds: int = 120
    processes: int = 96  # threads count; a Jupyter kernel has some twenty
    file_size: int = 32 * 2**20
    scratch: int = 64 * 2**20


def command(inner: Sequence[str], limits: Limits | None = None, *, isolated: bool = True) -> list[str]:
    """The command line that runs `inner` isolated from the machine.

    Parameters
    ----------
    inner : sequence of str
        A program and its arguments. It sees the system's programs, this Python and its packages, all of them
        read-only, an empty folder ``/tmp`` of limited size, and no other file. It has no network.
    limits : Limits, optional
        What it may use.
    isolated : bool
        False leaves only the limits, for a teacher who has decided to trust what is submitted.

    Returns
    -------
    list of str

    Raises
    ------
    IsolationError
        If the machine has no isolation to offer.
    """
    limits = limits or Limits()
    if not isolated:
        return [*_limited(limits), *inner] if shutil.which("prlimit") else list(inner)
    return [*_mode()(limits), *_limited(limits), *inner]


def require() -> None:
    """Raise IsolationError unless a process can be isolated on this machine."""
    _mode()


@functools.cache
def _mode():
    """The first way to isolate that works here, found out by going it."""
    if sys.platform != "linux":
        raise IsolationError(MISSING.format(reason=f"{sys.platform} is not Linux"))
    absent = [program for program in ("bwrap", "prlimit", "setpriv") if shutil.which(program) is None]
    if absent:
        raise IsolationError(MISSING.format(reason=f"there is no {absent[0]}"))
    for mode in (_as_another_user, _in_a_user_namespace) if os.geteuid() == 0 else (_in_a_user_namespace,):
        trial = [*mode(Limits()), *_limited(Limits()), sys.executable, "-I", "-c", ""]
        done = subprocess.run(trial, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
        if done.returncode == 0:
            return mode
    reason = (done.stderr.strip().splitlines() or ["bwrap failed"])[-1]
    raise IsolationError(MISSING.format(reason=reason))


def _in_a_user_namespace(limits):
    """The sandbox that any user can have."""
    return ["bwrap", "--unshare-all", *_surroundings(limits), "--"]


def _as_another_user(limits):
    """The sandbox of root, who is exempt from the limit on processes: inside works a user that nobody else is."""
    user = str(2**30 + secrets.randbelow(2**30))
    namespaces = ["ipc", "pid", "net", "uts"]
    return [
        "bwrap",
        *(f"--unshare-{namespace}" for namespace in namespaces),
        *("--unshare-cgroup-try", "--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"),
        *_surroundings(limits),
        *("--", "setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--no-new-privs"),
    ]


def _surroundings(limits):
    """What a process sees of the machine."""
    shown = [*SYSTEM, *_python()]
    parents = sorted({str(parent) for path in shown for parent in Path(path).parents})
    environment = {
        "PATH": f"{Path(sys.prefix) / 'bin'}:/usr/bin:/bin",
        "HOME": "/tmp",
        "LANG": "C.UTF-8",
        "MPLBACKEND": "agg",
        # Each thread counts as a process, and the arrays are small.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    return [
        *("--die-with-parent", "--new-session"),
        # First, because what is shown may lie in it.
        *("--perms", "1777", "--size", str(limits.scratch), "--tmpfs", "/tmp"),
        # bwrap would make them for their owner alone.
        *(word for parent in parents for word in ("--perms", "0755", "--dir", parent)),
        *(word for path in shown for word in _bind(path)),
        *("--dev", "/dev", "--proc", "/proc"),
        # Both are memory too, and without a limit.
        *("--remount-ro", "/dev", "--remount-ro", "/"),
        *("--chdir", "/tmp", "--clearenv"),
        *(word for name, value in environment.items() for word in ("--setenv", name, value)),
    ]


def _bind(path):
    """Show what is at `path` as it is there: as a link, or read-only."""
    if os.path.islink(path):
        return ["--symlink", os.readlink(path), path]
    return ["--ro-bind-try", path, path]


def _python():
    """The folders of this Python, of its environment and of this package, without those inside another one."""
    folders = {Path(sys.base_prefix).resolve(), Path(sys.prefix).resolve(), PACKAGE}
    seen = {Path("/usr"), *folders}
    return sorted(str(folder) for folder in folders if not seen & set(folder.parents))


def _limited(limits):
    """The command that limits what each process of the sandbox may use."""
    return [
        "prlimit",
        f"--as={limits.memory}",
        f"--cpu={limits.cpu_seconds}",
        f"--nproc={limits.processes}",
        f"--fsize={limits.file_size}",
        "--core=0",
        "--",
    ]
