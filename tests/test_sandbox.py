"""The sandbox holds what it promises, for root and for an ordinary user: every probe runs in it as a learner's cell."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lossprimer.grading import sandbox
from lossprimer.grading.submission import _ENDED

pytestmark = pytest.mark.sandbox

SECRET = "a_token_of_the_teacher"
# Who is mapped to another user in a namespace of its own has no more rights than that user has.
ORDINARY = ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--")

# What a cell tries, and what must come of it: the text of an error, or a value.
PROBES = {
    "the environment": (
        """
found = []
for folder in os.listdir("/proc"):
    if folder.isdigit():
        try:
            found.append(open(f"/proc/{folder}/environ").read())
        except OSError:
            pass
value = any("TOKEN" in text or "teacher" in text for text in found) or "TOKEN" in str(dict(os.environ))""",
        False,
    ),
    "the command lines": (
        """value = any("teacher" in open(f"/proc/{n}/cmdline").read() for n in os.listdir("/proc") if n.isdigit())""",
        False,
    ),
    "other processes": ("""value = sum(name.isdigit() for name in os.listdir("/proc")) <= 2""", True),
    "a debugger": (
        """
libc = ctypes.CDLL(None, use_errno=True)
value = [libc.ptrace(request, 1, 0, 0) for request in (16, 0x4206)]""",
        [-1, -1],
    ),
    "the memory of another process": (
        """
value = "closed"
if os.getpid() != 1:
    open("/proc/1/mem", "rb")""",
        ("closed", "PermissionError"),
    ),
    "a copy of itself": ("os.fork()", "PermissionError"),
    "a copy by another call": (
        """
import platform
libc, numbers = ctypes.CDLL(None, use_errno=True), {"x86_64": (56, 58, 435), "aarch64": (220, 435)}
value = {libc.syscall(number, 17, 0, 0, 0, 0) for number in numbers[platform.machine()]} == {-1}""",
        True,
    ),
    "a program": ("""import subprocess; subprocess.run(["ls"])""", "PermissionError"),
    "a namespace": ("""libc = ctypes.CDLL(None, use_errno=True); value = libc.unshare(0x10000000)""", -1),
    "memory in a file": ("""os.memfd_create("x")""", "PermissionError"),
    "memory that is shared": ("""libc = ctypes.CDLL(None, use_errno=True); value = libc.shmget(0, 4096, 0o1600)""", -1),
    "shared memory of Python": (
        """from multiprocessing import shared_memory; shared_memory.SharedMemory(create=True, size=2**20)""",
        ("OSError", "PermissionError", "FileNotFoundError"),
    ),
    "too much memory": ("x = bytearray(2**31)", "MemoryError"),
    "too much memory in small parts": ("x = [bytes([n % 256]) * 2**24 for n in range(2**8)]", "MemoryError"),
    "memory that a mapping shares": (
        """
import mmap
maps = [mmap.mmap(-1, 2**26) for _ in range(64)]""",
        ("OSError", "MemoryError"),
    ),
    "many open files": (
        """
opened = []
try:
    while True:
        opened.append(os.open("/dev/null", os.O_RDONLY))
except OSError:
    value = len(opened) <= 64
for each in opened:
    os.close(each)""",
        True,
    ),
    "a large file": ("""open("/tmp/large", "wb").write(bytes(2**26))""", "OSError"),
    "a full disk": (
        """
for number in range(4):
    open(f"/tmp/{number}", "wb").write(bytes(2**24 + 2**23))""",
        "OSError",
    ),
    "the device folder": ("""open("/dev/shm/x", "wb")""", "OSError"),
    "a file of the system": ("""open("/etc/passwd")""", "FileNotFoundError"),
    "the home of the user": ("""value = os.listdir("/root") if os.path.exists("/root") else "none" """, ...),
    "the network": (
        """import socket; socket.create_connection(("192.0.2.1", 80), 1)""",
        "OSError",
    ),
    "a port of this machine": ("""import socket; socket.create_connection(("127.0.0.1", 22), 1)""", "OSError"),
    "a socket that no namespace holds": (
        """
import socket
value = []
for family in range(1, 64):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
        try:
            socket.socket(family, kind).close()
            value.append(family)
        except OSError:
            pass
value = sorted(set(value)) == [socket.AF_UNIX]""",
        True,
    ),
    "calls by the numbers of other processors": (
        """
libc = ctypes.CDLL(None, use_errno=True)
if os.uname().machine != "x86_64":
    os._exit(0)
value = libc.syscall(0x40000000 + 57)""",
        f"RuntimeError: {_ENDED}",
    ),
    "everybody's end": ("os.kill(-1, 9)", ("none", "ProcessLookupError", "PermissionError")),
    "more rights": ("os.setuid(0)", ("PermissionError", "OSError")),
    "a mount": (
        """libc = ctypes.CDLL(None, use_errno=True); value = libc.mount(b"none", b"/tmp", b"tmpfs", 0, None)""",
        -1,
    ),
    # The last one: its threads stay.
    "many threads": (
        """
import threading, time
value = 0
try:
    while True:
        threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
        value += 1
except RuntimeError:
    value = 1 <= value <= 32""",
        True,
    ),
}
PROGRAM = """
import json, sys
from lossprimer.grading.sandbox import Limits
from lossprimer.grading.submission import Patience, Submission

said = {}
for name, source in json.load(sys.stdin).items():
    with Submission(Patience(call=20), Limits(memory=2**30, scratch=2**26)) as submission:
        submission.run("probe", "import ctypes, os\\nvalue = 'none'\\n" + source)
        said[name] = submission.failures.get("probe") or submission["value"]
print(json.dumps(said))
"""


def can_be_ordinary():
    if os.geteuid() != 0:
        return False
    return shutil.which("unshare") is not None and subprocess.run([*ORDINARY, "true"], check=False).returncode == 0


@pytest.fixture(scope="module", params=["as who runs the tests", "as an ordinary user"])
def prefix(request):
    """What makes a command run as somebody."""
    try:
        sandbox.require()
    except sandbox.IsolationError as error:
        pytest.skip(str(error))
    if request.param == "as who runs the tests":
        return ()
    if not can_be_ordinary():
        pytest.skip("the tests do not run as root, or there are no user namespaces")
    return ORDINARY


@pytest.fixture(scope="module")
def said(prefix, tmp_path_factory):
    """What came of each probe."""
    sources = json.dumps({name: source for name, (source, _) in PROBES.items()})
    environment = {**os.environ, "SECRET_TOKEN": SECRET}
    done = subprocess.run(
        [*prefix, sys.executable, "-c", PROGRAM], input=sources, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", [name for name, (_, expected) in PROBES.items() if expected is not ...])
def test_a_learner_reaches_nothing(said, name):
    expected = PROBES[name][1]
    found = said[name]
    if isinstance(expected, str):
        expected = (expected,)
    if isinstance(expected, tuple):
        assert any(text == found or _is_error(found, text) for text in expected), found
    else:
        assert found == expected


def _is_error(found, name):
    """Whether a failure is of a type, or of one below it."""
    kind = getattr(__import__("builtins"), str(found).partition(":")[0], None)
    return isinstance(kind, type) and issubclass(kind, getattr(__import__("builtins"), name, ()))


def test_of_a_home_there_is_at_most_the_way_to_python(said):
    shown = {Path(path).relative_to("/root").parts[0] for path in sandbox._python() if path.startswith("/root/")}
    assert said["the home of the user"] == "none" or set(said["the home of the user"]) <= shown


def test_the_environment_is_minimal_for_the_program_that_makes_the_sandbox_too():
    assert sandbox.command(("true",))[:2] == ["env", "--ignore-environment"]
    assert sandbox.command(("true",), isolated=False)[:2] == ["env", "--ignore-environment"]


def test_what_lies_beside_an_environment_in_its_folder_is_not_shown(tmp_path, monkeypatch):
    """Whoever makes the environment in the folder of the course shows neither solutions nor gradebook."""
    try:
        sandbox.require()
    except sandbox.IsolationError as error:
        pytest.skip(str(error))
    for name in ("bin", "lib", "source", "submitted"):
        (tmp_path / name).mkdir()
    (tmp_path / "gradebook.db").touch()
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    done = subprocess.run(sandbox.command(["ls", str(tmp_path)]), capture_output=True, text=True)
    assert done.stdout.split() == ["bin", "lib"], done.stderr


def test_the_filter_of_calls_leaves_no_warning_at_the_end():
    """It is kept for as long as the process lasts, and Python would say that a file was not closed."""
    code = "from lossprimer.grading import sandbox; sandbox._filter()"
    done = subprocess.run([sys.executable, "-W", "default", "-c", code], capture_output=True, text=True)
    assert (done.returncode, "unclosed" in done.stderr) == (0, False), done.stderr
