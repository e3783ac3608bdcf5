"""How is a process kept from files, network and other processes? bubblewrap gives it a machine with nothing on it.

What runs inside is one process. It may start threads, but no other process, so its limits are those of all that runs.
"""

import errno
import functools
import os
import secrets
import shutil
import site
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lossprimer.grading import cgroup

PACKAGE = Path(__file__).resolve().parent.parent
# The only part of the package that is there, and where.
INSIDE = Path(__file__).resolve().parent / "inside"
SHOWN_AT = "/grading"
MISSING = (
    "Submissions cannot be isolated here: {reason}."
    " Grade on Linux with bubblewrap, util-linux and libseccomp (on Debian: apt-get install bubblewrap libseccomp2),"
    " where user namespaces are allowed. A teacher who trusts every submission can do without:"
    " --SandboxPreprocessor.isolated=False"
)
# What programs of the system are made of. Of /etc only what finds libraries and fonts.
SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/etc/ld.so.cache", "/etc/alternatives", "/etc/fonts")
_PYTHON = ("bin", "lib", "lib64", "share", "etc", "pyvenv.cfg")
# Calls of the kernel that no answer needs: they reach other processes, hold memory that no limit counts, or have
# often been a way out of a sandbox.
REFUSED = (
    *("fork", "vfork", "unshare", "setns", "mount", "umount2", "pivot_root", "chroot", "open_tree", "move_mount"),
    *("fsopen", "fsmount", "fsconfig", "fspick", "mount_setattr", "name_to_handle_at", "open_by_handle_at"),
    *("ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_open", "pidfd_getfd", "process_madvise"),
    *("memfd_create", "memfd_secret", "shmget", "shmat", "shmctl", "semget", "msgget", "mq_open"),
    *("bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register"),
    *("add_key", "request_key", "keyctl", "fanotify_init", "inotify_init", "inotify_init1", "personality"),
    *("init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "acct", "quotactl", "syslog"),
    *("swapon", "swapoff", "reboot", "settimeofday", "clock_settime", "sethostname", "setdomainname", "vhangup"),
)
_CLONE_THREAD = 0x10000
# What the system itself may need for a process, beyond the memory that is the process's own.
_OWN = 2**28


class IsolationError(RuntimeError):
    """There is no isolation on this machine; the message says what to install."""


@dataclass(frozen=True)
class Limits:
    """What a submission may use while it runs. Sizes are in bytes.

    Memory that other processes can share (memfd, System V) is refused, and the folder ``/tmp`` is memory too: a
    submission has at most ``memory + scratch`` together. Where there is a control group, what the system holds for it,
    such as the entries of a million empty files, is bounded as well.
    """

    memory: int = 2 * 2**30
    cpu_seconds: int = 120
    threads: int = 32
    files: int = 64
    file_size: int = 32 * 2**20
    scratch: int = 64 * 2**20


def command(inner: Sequence[str], limits: Limits | None = None, *, isolated: bool = True) -> list[str]:
    """The command line that runs `inner` isolated from the machine.

    Parameters
    ----------
    inner : sequence of str
        A program and its arguments. It sees the system's programs, this Python and its packages without the course's
        own, and the folder ``inside`` of this one at ``/grading``, all of them read-only, an empty folder ``/tmp`` of
        limited size, and no other file. It has no network, and starts no other process.
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
    if isolated:
        return [*_CLEAN, *_mode()(limits), *_limited(limits), *inner]
    if shutil.which("prlimit") is None:
        return list(inner)
    environment = (f"{name}={value}" for name, value in _environment().items())
    return ["env", "--ignore-environment", *environment, *_limited(limits), *inner]


def require() -> None:
    """Raise IsolationError unless a process can be isolated on this machine."""
    _mode()


@functools.cache
def _mode():
    """The first way to isolate that works here, found out by trying it."""
    if sys.platform != "linux":
        raise IsolationError(MISSING.format(reason=f"{sys.platform} is not Linux"))
    absent = [program for program in ("bwrap", "prlimit", "setpriv") if shutil.which(program) is None]
    if absent:
        raise IsolationError(MISSING.format(reason=f"there is no {absent[0]}"))
    try:
        _filter()
    except (ImportError, OSError, RuntimeError) as error:
        raise IsolationError(MISSING.format(reason=f"system calls cannot be filtered ({error})")) from None
    for mode in (_as_another_user, _in_a_user_namespace) if os.geteuid() == 0 else (_in_a_user_namespace,):
        trial = [*_CLEAN, *mode(Limits()), *_limited(Limits()), sys.executable, "-I", "-c", ""]
        done = subprocess.run(trial, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
        if done.returncode == 0:
            return mode
    reason = (done.stderr.strip().splitlines() or ["bwrap failed"])[-1]
    raise IsolationError(MISSING.format(reason=reason))


# Nothing of the teacher's environment goes along, not even to the program that makes the sandbox.
_CLEAN = ("env", "--ignore-environment", "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")


def _in_a_user_namespace(limits):
    """The sandbox that any user can have."""
    # The process is the first one there: it finds none of bubblewrap's to reach for.
    return [*_begun("bwrap", limits), "--unshare-all", "--as-pid-1", *_surroundings(limits), "--"]


def _as_another_user(limits):
    """The sandbox of root, who is exempt from the limit on threads: inside, the process runs as a user of its own."""
    user = str(2**30 + secrets.randbelow(2**30))
    namespaces = ["ipc", "pid", "net", "uts"]
    return [
        *_begun("bwrap", limits),
        *(f"--unshare-{namespace}" for namespace in namespaces),
        *("--unshare-cgroup-try", "--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"),
        *_surroundings(limits),
        *("--", "setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--no-new-privs"),
    ]


def _begun(program, limits):
    """The beginning of a command that enters the control group, if there is one, and hands on the filter of calls."""
    entrance = cgroup.group(limits.memory + limits.scratch + _OWN) or "/dev/null"
    return ["sh", "-c", 'echo $$ > "$1"; shift; exec "$@" 9< "$0"', _filter(), str(entrance), program, "--seccomp", "9"]


@functools.cache
def _filter():
    """The path of a program for the kernel that refuses some system calls. It lasts as long as this process."""
    import pyseccomp  # looks for its library by starting a program

    refuse, absent, unreachable = (pyseccomp.ERRNO(each) for each in (errno.EPERM, errno.ENOSYS, errno.ENETUNREACH))
    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    for name in REFUSED:
        if pyseccomp.resolve_syscall(pyseccomp.system_arch(), name) != -1:  # not every kernel and processor has all
            rules.add_rule(refuse, name)
    # A thread is allowed, a process is not. The arguments of clone3 cannot be seen; without it, programs use clone.
    rules.add_rule(refuse, "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, _CLONE_THREAD, 0))
    rules.add_rule(absent, "clone3")
    # A namespace of the network keeps some families of sockets in, and others, such as that of virtual machines, not.
    for name in ("socket", "socketpair"):
        rules.add_rule(unreachable, name, pyseccomp.Arg(0, pyseccomp.NE, socket.AF_UNIX))
    number = os.memfd_create("filter")
    with os.fdopen(number, "wb", closefd=False) as file:
        rules.export_bpf(file)
    return f"/proc/{os.getpid()}/fd/{number}"


def _environment():
    """The variables that a process in the sandbox has."""
    return {
        "PATH": f"{Path(sys.prefix) / 'bin'}:/usr/bin:/bin",
        "HOME": "/tmp",
        "LANG": "C.UTF-8",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",  # as in a notebook
        # Each thread counts, and the arrays are small.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def _surroundings(limits):
    """What a process sees of the machine."""
    shown = [*SYSTEM, *_python()]
    place = f"{SHOWN_AT}/{INSIDE.name}"
    parents = sorted({str(parent) for path in [*shown, place] for parent in Path(path).parents})
    return [
        *("--die-with-parent", "--new-session"),
        # First, because what is shown may lie in it.
        *("--perms", "1777", "--size", str(limits.scratch), "--tmpfs", "/tmp"),
        # bwrap would make them for their owner alone.
        *(word for parent in parents for word in ("--perms", "0755", "--dir", parent)),
        *(word for path in shown for word in _bind(path)),
        *(word for path in _hidden() for word in ("--tmpfs", path, "--remount-ro", path)),
        *("--ro-bind", str(INSIDE), place),
        *("--dev", "/dev", "--proc", "/proc"),
        # Both are memory too, and without a limit.
        *("--remount-ro", "/dev", "--remount-ro", "/"),
        *("--chdir", "/tmp", "--clearenv"),
        *(word for name, value in _environment().items() for word in ("--setenv", name, value)),
    ]


def _bind(path):
    """Show what is at `path` as it is there: as a link, or read-only."""
    if os.path.islink(path):
        return ["--symlink", os.readlink(path), path]
    return ["--ro-bind-try", path, path]


def _python():
    """What this Python and its environment are made of. Beside it, in the same folder, a course may lie."""
    folders = {Path(sys.base_prefix).resolve(), Path(sys.prefix).resolve()} - {Path("/usr")}
    parts = {folder / part for folder in folders if Path("/usr") not in folder.parents for part in _PYTHON}
    return sorted(str(part) for part in parts if os.path.lexists(part) and not parts & set(part.parents))


def _hidden():
    """The folders of the course's package, where they lie in what is shown: answers are among its functions."""
    shown = [Path("/usr"), *map(Path, _python())]
    found = {PACKAGE} | {Path(path) / PACKAGE.name for path in site.getsitepackages() if path}
    return sorted(str(path) for path in found if path.is_dir() and set(shown) & set(path.resolve().parents))


def _limited(limits):
    """The command that limits what the process of the sandbox may use."""
    return [
        "prlimit",
        f"--as={limits.memory}",
        f"--cpu={limits.cpu_seconds}",
        f"--nproc={limits.threads}",
        f"--nofile={limits.files}",
        f"--fsize={limits.file_size}",
        "--core=0",
        "--",
    ]
