"""What crosses the border to a learner's process: values both ways, exceptions, changes, and nothing that can harm."""

import json
import pickle
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

from lossprimer.grading import sandbox
from lossprimer.grading.excerpt import excerpt
from lossprimer.grading.inside import wire
from lossprimer.grading.sandbox import Limits
from lossprimer.grading.submission import Patience, RemoteError, Stopped, Submission

pytestmark = pytest.mark.sandbox

CELLS = """
import numpy as np
import os, signal, sys, time, warnings

def same(value): return value
def pair(a): return a + 1, {"mean": a.mean(), "names": ["x", None, True]}
def fill(a): a[...] = 7
def draw(rng): return rng.random(3)
def fails(): raise ValueError("no such luck")
def unwritten(): raise NotImplementedError("later")
def loop():
    while True: pass
def deaf():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    while True: pass
def leave(): os._exit(0)
def shout(): print("x" * 10**6); sys.stderr.write("y"); os.write(1, b"{}"); return 5
def large(): return np.zeros(2**26)
def odd(): return np.array([1j])
def maker(): return lambda x: 2 * x
def endless():
    values = []
    values.append(values)
    return values
class Layer:
    def __init__(self, rng): self.rng, self.scale = rng, 2.0
    def forward(self, a): return self.scale * a * (self.rng.random(a.shape) < 0.5)
class Yes(float):
    def __eq__(self, other): return True
def yes(): return Yes(3)
def warns(): warnings.warn("careful")
def halves(): return {"\ud83d": "\ud83d"}
def many(): return dict.fromkeys(range(10**4))
def child(rng): return rng.spawn(1)[0].random(3)
answer = 42
"""


@pytest.fixture(scope="module", autouse=True)
def isolation():
    try:
        sandbox.require()
    except sandbox.IsolationError as error:
        pytest.skip(str(error))


@pytest.fixture
def learner():
    with Submission(Patience(call=1)) as submission:
        submission.run("all", CELLS)
        assert submission.failures == {}
        yield submission


ARRAYS = [np.arange(6, dtype=kind).reshape(2, 3) for kind in "bhilqBHILQefd"] + [
    np.array([True, False]),
    np.array(2.5),
    np.zeros((0, 3)),
    np.array([np.nan, np.inf, -0.0]),
    np.arange(6.0).reshape(2, 3).T,
    np.arange(3, dtype=">f8"),
]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{array.dtype}{array.shape}")
def test_arrays_come_back_as_they_went(learner, array):
    back = learner["same"](array)
    assert back.dtype == array.dtype.newbyteorder("=")
    assert back.shape == array.shape
    np.testing.assert_array_equal(back, array)


@pytest.mark.parametrize(
    "value", [None, True, 3, -(2**100), 2.5, "text", [1, [2.0]], (1, (2,)), {"a": 1, 2: (3,)}, np.float32(1.5)]
)
def test_plain_values_come_back_with_their_types(learner, value):
    back = learner["same"](value)
    assert back == value
    assert type(back) is type(value)


def test_names_are_values_or_callable(learner):
    assert learner["answer"] == 42
    first, second = learner["pair"](np.array([1.0, 3.0]))
    np.testing.assert_array_equal(first, [2, 4])
    assert second == {"mean": 2.0, "names": ["x", None, True]}
    assert learner["maker"]()(4) == 8
    with pytest.raises(KeyError):
        learner["nothing"]


def test_of_a_text_nothing_comes_that_no_file_can_hold(learner):
    assert learner["halves"]() == {"\ufffd": "\ufffd"}
    assert learner.run("halves", "print(*halves())") == [
        {"output_type": "stream", "name": "stdout", "text": "\ufffd\n"}
    ]


def test_changes_of_an_argument_arrive_and_read_only_arrays_stay(learner):
    array = np.zeros((2, 3), np.float32)
    learner["fill"](array)
    np.testing.assert_array_equal(array, 7)
    array.flags.writeable = False
    with pytest.raises(RemoteError, match="ValueError: assignment destination is read-only"):
        learner["fill"](array)


@pytest.mark.parametrize("bits", [np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64])
def test_a_generator_goes_on_where_the_learner_left_it(learner, bits):
    ours, twin = np.random.Generator(bits(3)), np.random.Generator(bits(3))
    np.testing.assert_array_equal(learner["draw"](ours), twin.random(3))
    assert ours.random() == twin.random()


def test_a_layer_draws_from_the_generator_that_it_was_given(learner):
    ours, twin = np.random.default_rng(0), np.random.default_rng(0)
    layer = learner["Layer"](ours)
    layer.scale = 3.0
    assert layer.scale == 3.0
    for _ in range(2):
        np.testing.assert_array_equal(layer.forward(np.ones(5)), 3.0 * (twin.random(5) < 0.5))
        assert ours.random() == twin.random()
    assert not hasattr(layer, "backward")


def test_exceptions_come_as_their_type_and_text(learner):
    with pytest.raises(RemoteError, match=r"^ValueError: no such luck$"):
        learner["fails"]()
    with pytest.raises(NotImplementedError, match=r"^later$"):
        learner["unwritten"]()
    with pytest.raises(RemoteError, match="TypeError"):
        learner["fails"](1)


@pytest.mark.parametrize("name", ["large", "odd", "endless", "many"])
def test_what_cannot_be_sent_is_an_error_of_the_learner(learner, name):
    with pytest.raises(RemoteError, match="Unsendable"):
        learner[name]()
    assert learner["answer"] == 42


def test_an_object_that_equals_everything_arrives_as_what_it_is(learner):
    assert type(learner["yes"]()) is float
    assert learner["yes"]() != 4


def test_a_stand_in_is_neither_true_nor_equal_to_anything(learner):
    stand_in = learner["Layer"](np.random.default_rng(0))
    with pytest.raises(TypeError):
        bool(stand_in)
    with pytest.raises(TypeError):
        assert stand_in != 3


def test_what_a_function_prints_and_warns_of_its_caller_hears(learner, capsys):
    assert learner["shout"]() == 5
    assert capsys.readouterr().out.startswith("xxx")
    with pytest.warns(RuntimeWarning, match="careful"):
        learner["warns"]()


def test_a_generator_spawns_the_children_that_it_would_spawn_outside(learner):
    ours, twin = np.random.default_rng(3), np.random.default_rng(3)
    for _ in range(2):
        np.testing.assert_array_equal(learner["child"](ours), twin.spawn(1)[0].random(3))
    assert ours.spawn(1)[0].random() == twin.spawn(1)[0].random()


def test_a_call_that_takes_too_long_is_interrupted_and_nothing_is_lost(learner):
    kept = learner["same"]
    with pytest.raises(RemoteError, match="TimeoutError: this took too long"):
        learner["loop"]()
    assert kept(1) == 1


@pytest.mark.parametrize(("name", "reason"), [("deaf", "could not be interrupted"), ("leave", "has ended")])
def test_a_call_that_kills_the_process_ends_this_test_and_no_other(learner, name, reason):
    kept = learner["same"]
    with pytest.raises(Stopped, match=reason):
        learner[name]()
    with pytest.raises(Stopped, match=reason):
        kept(1)
    learner.begin()
    assert learner["same"](1) == 1
    with pytest.raises(Stopped, match="has ended"):
        kept(1)


def test_a_cell_that_kills_the_process_is_left_out():
    with Submission(Patience(call=1)) as submission:
        submission.run("good", "x = 1")
        submission.run("bad", "y = 2\nimport os; os._exit(0)")
        submission.run("half", "z = 3\nraise ValueError('later')\nz = 4")
        submission.begin()
        assert set(submission.stops) == {"bad"}
        assert (submission["x"], submission["z"], "y" in submission) == (1, 3, False)
        assert submission.failures["half"] == "ValueError: later"
        assert "has ended" in submission.failures["bad"]


def test_all_time_together_is_limited():
    with Submission(Patience(call=5, total=0.5)) as submission:
        submission.run("slow", "import time\ntime.sleep(3)")
        submission.run("next", "x = 1")
        with pytest.raises(RemoteError, match="TimeoutError"):
            submission["x"]


def test_the_time_of_each_test_is_limited():
    with Submission(Patience(call=5, test=0.3)) as submission:
        submission.run("slow", "import time\ndef slow(seconds): time.sleep(seconds)")
        submission.begin()
        slow = submission["slow"]
        with pytest.raises(RemoteError, match="TimeoutError"):
            slow(1)
        # The next test has its own time.
        submission.begin()
        assert submission["slow"](0) is None


NOTHING = {"changed": {}, "generators": {}, "printed": "", "warned": []}
FIRST = wire.message({"value": None} | NOTHING)[0]


def frame(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<I", len(text)) + text + data


def claim(kind, shape, data=b""):
    rest = ["changed", {"dict": []}, "generators", {"dict": []}, "printed", "", "warned", {"list": []}]
    body = {"dict": ["value", {"array": 0}, *rest]}
    return frame({"body": body, "arrays": [[kind, shape, True]]}, data)


def answer(value, **rest):
    return wire.message({"value": value} | NOTHING | rest)[0]


HOSTILE = {
    "a giant header": struct.pack("<I", 2**32 - 1),
    "no JSON": frame(b"\x80\x04"),
    "a pickle": frame(pickle.dumps({"value": 1})),
    "deep JSON": frame(b"[" * 10**5),
    "another shape of header": frame([1, 2]),
    "a giant array": claim("<f8", [10**12]),
    "a negative array": claim("<f8", [-1]),
    "too many axes": claim("<f8", [1] * 1000, b"\0" * 8),
    "objects": claim("|O", [1], b"\0" * 8),
    "a number of thousands of digits": frame(b'{"body": ' + b"9" * 10**5 + b', "arrays": []}'),
    "an array that is not there": frame({"body": {"array": 5}, "arrays": []}),
    "no answer at all": frame({"body": 7, "arrays": []}),
    "changes of what was not sent": answer(1, changed={9: np.ones(3)}),
    "no text that was printed": frame({"body": {"dict": ["value", 1]}, "arrays": []}),
    # Whose hashes are all equal: each one is compared with all others.
    "keys that meet in one place": frame(
        {"body": {"dict": [part for n in range(10**5) for part in (n * (2**61 - 1), 0)]}, "arrays": []}
    ),
    "an unknown object": frame({"body": {"other": {"object": "x"}}, "arrays": []}),
}


@pytest.mark.parametrize("said", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_process_is_stopped(said, tmp_path):
    (tmp_path / "said").write_bytes(FIRST + said)
    program = f"import os, time; os.write(1, open({str(tmp_path / 'said')!r}, 'rb').read()); time.sleep(9)"
    command = (sys.executable, "-I", "-c", program)
    with Submission(Patience(call=1), isolated=False, command=command) as submission:
        submission.begin()
        with pytest.raises(Stopped):
            "x" in submission  # noqa: B015


def test_a_hostile_process_reaches_no_terminal_and_fills_no_memory(tmp_path, capsys):
    """What it claims that a cell has printed is not printed, and of what a call prints there is little."""
    loud = {"printed": "\x1b[2J" * 10**5, "warned": ["w" * 10**5] * 20}
    failure = ([], "E" * 10**6)
    said = FIRST + answer(failure, **loud) + answer(True) + answer(1, **loud)
    (tmp_path / "said").write_bytes(said)
    program = f"import os, time; os.write(1, open({str(tmp_path / 'said')!r}, 'rb').read()); time.sleep(9)"
    with Submission(Patience(call=1), isolated=False, command=(sys.executable, "-I", "-c", program)) as submission:
        submission.run("loud", "x = 1")
        assert len(submission.failures["loud"]) == wire.TEXT
        assert capsys.readouterr().out == ""
        assert "x" in submission
        with pytest.warns(RuntimeWarning) as warned:
            submission._request("get", 1, "x")
        assert (len(warned), len(str(warned[0].message))) == (wire.WARNINGS, wire.TEXT)
        assert len(capsys.readouterr().out) == wire.TEXT


def test_a_cell_that_is_too_long_fails_alone():
    with Submission() as submission:
        submission.run("long", "#" * wire.HEADER_BYTES)
        submission.run("next", "x = 1")
        assert "too many values" in submission.failures["long"]
        assert submission["x"] == 1


def test_booleans_that_are_neither_are_made_so():
    data = claim("|b1", [3], b"\x00\x01\x7f")
    body, _ = wire.receive(_reader(data))
    assert body["value"].tobytes() == b"\x00\x01\x01"


def _reader(data):
    view = memoryview(data)

    def read(size):
        nonlocal view
        part, view = view[:size], view[size:]
        return bytes(part)

    return read


def test_the_sandbox_shows_no_files_and_no_network():
    with Submission() as submission:
        submission.run("look", "import os, socket\nnames = sorted(os.listdir('/'))\nmine = os.listdir(os.getcwd())")
        system = {"bin", "dev", "etc", "grading", "lib", "lib32", "lib64", "proc", "sbin", "tmp", "usr"}
        assert set(submission["names"]) <= system | _roots()
        assert set(submission["mine"]) <= {".ipython"} | _folders_in("/tmp")
        submission.run("call", "socket.create_connection(('192.0.2.1', 80), 1)")
        assert "OSError" in submission.failures["call"]
        submission.run("write", "open('/tmp/large', 'wb').write(bytes(2**26))")
        assert "OSError" in submission.failures["write"]
        submission.run("tests", "open('/etc/passwd')")
        assert "FileNotFoundError" in submission.failures["tests"]


def _folders_in(place):
    """The folders of a place in which Python, its environment or the package are."""
    return {Path(path).relative_to(place).parts[0] for path in sandbox._python() if Path(path).is_relative_to(place)}


def _roots():
    """The top folders in which Python, its environment and the package are."""
    return {path.split("/")[1] for path in sandbox._python()}


def test_memory_is_limited():
    with Submission(limits=Limits(memory=2**30)) as submission:
        submission.run("large", "x = bytearray(2**31)")
        assert submission.failures == {"large": "MemoryError"}


def run_cell(source, **options):
    """The outputs of a cell, run by itself."""
    with Submission(**options) as submission:
        return submission.run("cell", source)


def test_a_cell_shows_what_it_would_show_in_a_notebook():
    source = """
import sys
print("one"); print("two", file=sys.stderr); print("three"); display("four")
%precision 3
!ls /
import matplotlib.pyplot as plt
_ = plt.plot([1, 2])
2 + 3
"""
    shown = [(each["output_type"], each.get("name"), each.get("text")) for each in run_cell(source)]
    assert shown[:3] == [
        ("stream", "stdout", "one\n"),
        ("stream", "stderr", "two\n"),
        ("stream", "stdout", "three\n"),
    ]
    assert shown[3][0] == "display_data"
    assert "Commands of the system do not run" in shown[4][2]
    *_, value, picture = run_cell(source)
    assert value["data"] == {"text/plain": "5"}
    assert picture["data"]["image/png"].startswith("iVBOR")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("1 +", "SyntaxError"),
        ("x = 1\nraise ValueError('no')", "ValueError: no"),
        ("input()", "nobody to ask"),
        ("import subprocess\nsubprocess.run('ls')", "Operation not permitted"),
        ("import os\nos.fork()", "Operation not permitted"),
        ("class E(Exception):\n    def __str__(self): raise self\nraise E", "E"),
        ("from lossprimer import log_softmax", "lossprimer.log_softmax is not there while a problem set is graded"),
        ("from lossprimer import checks", "lossprimer.checks is not there while a problem set is graded"),
        ("import lossprimer.checks.task", "lossprimer.checks is not there while a problem set is graded"),
        ("import lossprimer as lp\nlp.checks", "lossprimer.checks is not there while a problem set is graded"),
    ],
)
def test_a_cell_that_fails_says_why_and_does_not_show_our_own_lines(source, text):
    *_, last = run_cell(source)
    assert last["output_type"] == "error"
    assert text in f"{last['ename']}: {last['evalue']}"
    assert "/grading/" not in "".join(last["traceback"])


def test_what_stands_below_the_line_that_stopped_a_cell_is_defined(learner):
    below = "def below(): return other()\ndef other(): return 7\ndef same(x): return 0"
    source = f"import no_such_package\n%precision 3\n{below}"
    *_, last = learner.run("missing", source)
    assert last["ename"] == "ModuleNotFoundError"
    assert "no_such_package" in learner.failures["missing"]
    assert learner["below"]() == 7
    assert learner["same"](3) == 3  # what there was before stays as it was


PACKAGE = """
import numpy as np
import lossprimer as lp
from lossprimer import softmax

def mine(z):
    return lp.softmax(z)
"""
WAYS = """
import lossprimer.probability

def longer(z):
    return lossprimer.probability.softmax(z)

has = hasattr(lossprimer.probability.softmax, "__wrapped__")
"""


def test_of_the_package_there_is_what_the_set_offers_until_it_is_asked_for():
    with Submission(package=excerpt(["softmax"])) as submission:
        submission.run("ways", WAYS)
        submission.run("given", "from lossprimer import checks\nimport lossprimer.figures as figures", given=True)
        submission.run("own", PACKAGE)
        assert submission.failures == {}
        np.testing.assert_array_equal(submission["mine"](np.zeros(2)), [0.5, 0.5])
        submission.run("used", "checks.softmax(mine)")
        assert "lossprimer.checks.softmax is not there" in submission.failures["used"]
        submission.begin(["softmax"])
        assert not submission["has"]
        for name in ("mine", "softmax", "longer"):
            with pytest.raises(RemoteError, match="softmax of the package is what this task asks you to write"):
                submission[name](np.zeros(2))
        submission.begin(["mine"])
        np.testing.assert_array_equal(submission["mine"](np.zeros(2)), [0.5, 0.5])


def test_the_answers_are_nowhere_in_reach():
    """Neither as files nor as objects in memory: no module of the package, and no function that was not offered."""
    look = """
import gc, importlib.util, os, sys
files = [name for where, _, names in os.walk("/") if not where.startswith(("/proc", "/usr")) for name in names
         if "lossprimer" in where and name.endswith((".py", ".pyc"))]
modules = [name for name in sys.modules if name.startswith("lossprimer")]
functions = {value.__qualname__ for value in gc.get_objects() if type(value).__name__ == "function"
             and str(value.__module__).startswith("lossprimer")}
"""
    with Submission(package=excerpt(["softmax"])) as submission:
        submission.run("look", look)
        assert submission.failures == {}
        assert submission["files"] == []
        assert set(submission["modules"]) <= {"lossprimer", "lossprimer.probability", "lossprimer._arguments"}
        submission.run("names", "functions = sorted(functions)")
        assert "softmax" in submission["functions"]
        assert not {"log_softmax", "softmax_backward", "cross_entropy"} & set(submission["functions"])
