"""How does a check call a function that must not run here? Through a stand-in, which sends the call to the sandbox."""

import contextlib
import math
import os
import re
import select
import subprocess
import sys
import time
import warnings
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from lossprimer.grading import outputs, sandbox
from lossprimer.grading.excerpt import Excerpt
from lossprimer.grading.inside import wire

_START = 60  # seconds; Python and NumPy are read from a disk that may be cold
_GRACE = 1.5  # seconds after which a process is ended that was interrupted and went on
_FAREWELL = 0.5
# Requests whose caller hears what was printed and warned of. What a cell prints is one of its outputs.
_HEARD = frozenset({"call", "get", "set"})
_ENDED = "the process that runs your code has ended. Does a cell or a function end it, or use up its memory?"
_LATE = "this took too long and could not be interrupted. Is there a loop that never ends?"
_NONSENSE = "the process that runs your code answers with something that is no answer"


class RemoteError(Exception):
    """An exception of the learner's code. Its text is the type, a colon, and the text of the original.

    Its `place` is the line of the learner's code in which it started.
    """

    place = ""


class Stopped(RemoteError):
    """The learner's process is gone: it took too long, or it has ended."""


@dataclass(frozen=True)
class Patience:
    """How many seconds a submission may take: one cell or one call, all calls of one test, and all together."""

    call: float = 10
    test: float = 30
    total: float = 120


class Submission:
    """A learner's cells in a process of their own, and stand-ins for what they define.

    A cell that kills the process, or does not end, is left out when the next cell or test starts the process again.

    Parameters
    ----------
    patience : Patience, optional
        How long to wait.
    limits : Limits, optional
        What the process may use.
    isolated : bool
        Whether the process runs in the sandbox.
    package : Excerpt, optional
        What the process has of the course's package; nothing without it.
    command : sequence of str, optional
        The program that answers.

    Examples
    --------
    >>> with Submission(isolated=False) as submission:
    ...     source = "def double(x): return 2 * x"
    ...     outputs = submission.run("double", source)
    ...     submission["double"](np.array([1.0, 2.5]))
    array([2., 5.])
    """

    def __init__(self, patience=None, limits=None, *, isolated=True, package=None, command=None):
        self.patience = patience or Patience()
        self.failures, self.stops, self._own = {}, {}, {}
        self._command = sandbox.command(command or _program(isolated), limits, isolated=isolated)
        self._package = package or Excerpt({}, ())
        self._cells = []
        self._process = None
        self._stopped = None
        self._starts = 0
        self._end = time.monotonic() + self.patience.total
        self._end_of_test = self._end

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process is not None:
            self._process.stdin.close()  # it ends by itself then, unless it is stuck
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_FAREWELL)
        self._kill()

    def run(self, name: str, source: str, *, given: bool = False) -> list[dict]:
        """Run a cell and return its outputs, which may hold anything.

        What it raises is noted in `failures` under its name, and goes no further; in `stops`, too, if it ends the
        process. A cell that was `given` with the set may import what is not there, and is no failure of the learner's.
        """
        self.begin()
        cell = name, source, given
        failures = {} if given else self.failures
        if not given:
            self._own[name] = source
        try:
            answer = self._request("run", source, given)
            if type(answer) is not tuple or len(answer) != 2:
                raise self._stop(_NONSENSE)
        except Stopped as stopped:
            failures[name] = self.stops[name] = str(stopped)
            return [outputs.error(str(stopped))]
        except (RemoteError, wire.Unsendable) as error:  # the shell does not answer any more, or the cell is too long
            failures[name] = str(error)
            return [outputs.error(str(error))]
        self._cells.append(cell)
        shown, failure = answer
        if failure:
            failures[name] = _text(failure)  # what it defined before it failed counts
        return shown

    def failed(self, word: str) -> tuple[str, str] | None:
        """The learner's cell that failed and has a word in it, or the last one that failed, and why it did."""
        cells = [name for name in self.failures if re.search(rf"\b{re.escape(word)}\b", self._own.get(name, ""))]
        return next(((name, self.failures[name]) for name in [*cells[-1:], *list(self.failures)[-1:]]), None)

    def begin(self, asked: Iterable[str] = ()) -> None:
        """Begin another test: it has all the time of a test, and a process that runs if there is any time left.

        The package's functions of the names that are `asked` for do not answer during the test.
        """
        self._end_of_test = math.inf
        while self._process is None and time.monotonic() < self._end:
            self._start()
            self._replay()
        self._end_of_test = time.monotonic() + self.patience.test
        if self._process is not None and set(asked) != self._asked:
            self._asked = set(asked)
            with contextlib.suppress(RemoteError):
                self._request("withdraw", sorted(asked))

    def __contains__(self, name):
        return self._request("has", name) is True

    def __getitem__(self, name: str) -> object:
        """What the cells have bound to a name: a plain value, or a stand-in.

        Raises
        ------
        KeyError
            If there is no such name.
        Stopped
            If the process is gone.
        """
        if name not in self:
            raise KeyError(name)
        return self._request("look", name)

    def _start(self):
        self._generators, self._mentioned, self._asked, self._stopped = [], set(), set(), None
        self._starts += 1
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
        )
        for pipe in (self._process.stdin, self._process.stdout):
            os.set_blocking(pipe.fileno(), False)
        try:
            self._request("offer", self._package.sources, list(self._package.names), seconds=_START)
        except RemoteError as stopped:  # before anything of the learner's has run
            if time.monotonic() >= self._end:
                return
            raise RuntimeError(f"the program {self._command[-1]} does not start: {stopped}") from None

    def _replay(self):
        """Run the cells again that ran before. One that kills the process now is left out from now on."""
        for cell in list(self._cells):
            try:
                self._request("run", cell[1], cell[2])
            except Stopped as stopped:
                self._cells.remove(cell)
                self.stops[cell[0]] = str(stopped)
                if not cell[2]:
                    self.failures[cell[0]] = str(stopped)
                return
            except RemoteError:
                pass  # as before

    def _request(self, do, *args, seconds=None):
        """What the process answers; `args` may hold stand-ins, arrays and Generators."""
        if self._process is None:
            raise self._stopped or Stopped(f"TimeoutError: more than {self.patience.total:g} s for the whole notebook")
        seconds = seconds or self.patience.call
        end = min(time.monotonic() + seconds, self._end_of_test, self._end)
        self._mentioned = set()
        left = end - time.monotonic()
        if left <= 0:
            raise self._stop("there is no time left for this notebook, or for this test", "TimeoutError")
        request = {"do": do, "args": list(args), "seconds": left}
        data, arrays = wire.message(request, other=self._reference)
        end += _GRACE
        try:
            self._write(data, end)
            answer, _ = wire.receive(lambda size: self._read(size, end), other=self._stand_in)
            self._apply(answer, arrays)
            # The process may have forgotten what it must not exceed.
            printed, warned = _text(answer["printed"]), [_text(text) for text in answer["warned"][: wire.WARNINGS]]
            raised = _error(*map(_text, answer["error"])) if "error" in answer else None
            value = answer.get("value")
        except Stopped:
            raise
        except Exception as error:  # whatever can be wrong with an answer
            raise self._stop(_NONSENSE) from error
        if do in _HEARD:
            print(end=printed)
            for text in warned:
                warnings.warn(text, RuntimeWarning, stacklevel=3)
        if raised is not None:
            raise raised
        return value

    def _apply(self, answer, arrays):
        """Leave the caller's arrays and Generators as the learner's code left its own."""
        for number, changed in answer["changed"].items():
            arrays[number][...] = np.asarray(changed).reshape(arrays[number].shape)
        for number, state in answer["generators"].items():
            if number in self._mentioned:
                wire.bring(self._generators[number], state)

    def _reference(self, value):
        """What a request says in place of a stand-in or a Generator: its number, and the states that go with it."""
        if isinstance(value, StandIn) and value._submission is self:
            if value._start != self._starts:
                raise Stopped(f"RuntimeError: {_ENDED}")
            self._mentioned |= value._generators
            states = {number: wire.state_of(self._generators[number]) for number in value._generators}
            return {"object": value._number, "generators": states}
        if isinstance(value, np.random.Generator):
            known = [number for number, rng in enumerate(self._generators) if rng is value]
            if not known:
                self._generators.append(value)
                known = [len(self._generators) - 1]
            self._mentioned.add(known[0])
            return {"generators": {known[0]: wire.state_of(value)}}
        raise wire.Unsendable(f"an object of type {type(value).__name__}")

    def _stand_in(self, reference):
        """A stand-in for an object of an answer. What came out of a call may keep the Generators that went in."""
        return StandIn(self, int(reference["object"]), str(reference["type"]), frozenset(self._mentioned))

    def _write(self, data, end):
        view = memoryview(data)
        while view:
            self._wait(self._process.stdin, end, write=True)
            try:
                view = view[os.write(self._process.stdin.fileno(), view) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise self._stop(_ENDED) from None

    def _read(self, size, end):
        parts = bytearray()
        while len(parts) < size:
            self._wait(self._process.stdout, end)
            part = os.read(self._process.stdout.fileno(), min(size - len(parts), 2**20))
            if not part:
                raise self._stop(_ENDED)
            parts += part
        return bytes(parts)

    def _wait(self, pipe, end, *, write=False):
        """Return when the pipe is ready; the time is measured over the whole message, however slowly it drips."""
        left = end - time.monotonic()
        ready = select.select([] if write else [pipe], [pipe] if write else [], [], max(left, 0))
        if left <= 0 or not any(ready):
            raise self._stop(_LATE, "TimeoutError")

    def _stop(self, text, name="RuntimeError"):
        """End the process, and return the reason, which answers all calls until it is started again."""
        self._kill()
        self._stopped = Stopped(f"{name}: {text}")
        return self._stopped

    def _kill(self):
        if self._process is not None:
            self._process.kill()
            self._process.stdin.close()
            self._process.stdout.close()
            self._process.wait()
            self._process = None


def _program(isolated):
    """The program in the sandbox, and where it is found there."""
    place = sandbox.SHOWN_AT if isolated else str(sandbox.INSIDE.parent)
    start = f"import sys; sys.path.append({place!r}); from {sandbox.INSIDE.name}.worker import main; main()"
    return sys.executable, "-I", "-c", start


def _text(said):
    return str(said)[: wire.TEXT]


def _error(name, text, place=""):
    """The exception that stands for one in the other process."""
    if name == "NotImplementedError":
        return NotImplementedError(text)
    full = f"{name}: {text}".removesuffix(": ")
    error = _NoAttribute(full) if name == "AttributeError" else RemoteError(full)
    error.place = place
    return error


class _NoAttribute(RemoteError, AttributeError):
    """The learner's AttributeError, so that hasattr works on a stand-in."""


class StandIn:
    """What stands for a function, a class or an object of the learner. It can be called, read and written to."""

    __slots__ = ("_generators", "_number", "_start", "_submission", "_type")

    keeps_time = True  # a call that takes too long is interrupted in the sandbox

    def __init__(self, submission, number, kind, generators):
        given = {"_submission": submission, "_number": number, "_type": kind, "_generators": generators}
        for name, value in (given | {"_start": submission._starts}).items():
            object.__setattr__(self, name, value)

    def __call__(self, *args, **kwargs):
        """What the learner's callable returns; arrays and Generators among the arguments end up as it leaves them."""
        return self._submission._request("call", self, args, kwargs)

    def __getattr__(self, name):
        if name.startswith("__"):  # what NumPy and copy ask every object for
            raise AttributeError(name)
        return self._submission._request("get", self, name)

    def __setattr__(self, name, value):
        self._submission._request("set", self, name, value)

    def __bool__(self):
        raise TypeError(f"{self!r} has no truth value: only plain values have one here")

    def __eq__(self, other):
        raise TypeError(f"{self!r} cannot be compared: only plain values can be here")

    __hash__ = object.__hash__

    def __repr__(self):
        return f"<the learner's {''.join(filter(str.isidentifier, self._type))[:60]}>"
