"""What answers when a check calls a learner's function? This program, in the sandbox, with the learner's cells in it.

It knows no check and no expected value: it runs cells, looks names up, calls, and reads and sets attributes. Whatever
the cells do to it, all that they can change is their own answers.
"""

import contextlib
import os
import signal
import sys
import types
import warnings

from . import library, wire
from .raised import LATE, Late, told
from .shell import Collected, Shell


class Worker:
    """The learner's names and objects, and the requests that reach them."""

    def __init__(self):
        self.module = types.ModuleType("__main__")
        sys.modules["__main__"] = self.module
        self.shell = Shell.instance(self.module)
        self.package = library.Package()
        self.objects = []
        self.generators = {}
        self.mentioned = set()

    def answer(self, request: dict, arrays: list) -> bytes:
        """The message that answers a request: a value, or an exception; then what has changed."""
        before = [array.copy() for array in arrays]
        self.shell.collected = Collected()
        # What a cell warns of is one of its outputs; what a function warns of, its caller hears.
        with warnings.catch_warnings(record=request["do"] != "run") as caught:
            if caught is not None:
                warnings.simplefilter("always")
            try:
                with _interrupted_after(request["seconds"]):
                    outcome = {"value": getattr(self, f"_{request['do']}")(*request["args"])}
            except BaseException as error:
                outcome = {"error": described(error)}
        changed = {
            number: array
            for number, (array, old) in enumerate(zip(arrays, before, strict=True))
            if array.tobytes() != old.tobytes()
        }
        states = {number: wire.state_of(self.generators[number]) for number in self.mentioned}
        self.mentioned = set()
        after = {
            "changed": changed,
            "generators": states,
            "printed": "".join(output.get("text", "") for output in self.shell.collected.outputs)[: wire.TEXT],
            "warned": [str(each.message)[: wire.TEXT] for each in (caught or [])[: wire.WARNINGS]],
        }
        try:
            return wire.message(outcome | after, other=self._reference)[0]
        except Exception as error:
            nothing = {"changed": {}, "generators": {}, "printed": "", "warned": []}
            return wire.message({"error": described(error)} | nothing)[0]

    def resolve(self, reference: dict) -> object:
        """The object or the Generator that a request means; Generators are brought to where they are outside."""
        for number, state in reference["generators"].items():
            if number in self.generators:
                wire.bring(self.generators[number], state)
            else:
                self.generators[number] = wire.generator(state)
            self.mentioned.add(number)
        return self.objects[reference["object"]] if "object" in reference else self.generators[number]

    def _reference(self, value):
        """What stands for an object that stays here."""
        self.objects.append(value)
        return {"object": len(self.objects) - 1, "type": type(value).__name__}

    def _offer(self, sources, names):
        """Let the course's package have these modules, and of its functions these."""
        self.package.offer(sources, names)

    def _withdraw(self, names):
        """Let the package's functions of these names refuse to be called: they are what is asked for."""
        self.package.withdrawn = frozenset(names)

    def _run(self, source, given):
        """Run a cell, one of the teacher's if it was `given`; its outputs, and what it raised."""
        with self.package.lenient() if given else contextlib.nullcontext():
            outcome = self.shell.run(source)
        self.shell.collected = Collected()
        return outcome

    def _has(self, name):
        return name in self.module.__dict__

    def _look(self, name):
        return self.module.__dict__[name]

    def _call(self, f, args, kwargs):
        return f(*args, **kwargs)

    def _get(self, value, name):
        return getattr(value, name)

    def _set(self, value, name, content):
        setattr(value, name, content)


def described(error: BaseException) -> list[str]:
    """The type and the text of an exception, and the line of the learner's code in which it started."""
    return list(told(error))


@contextlib.contextmanager
def _interrupted_after(seconds):
    """Raise `Late` in what runs longer, and again each second until it listens."""
    signal.signal(signal.SIGALRM, _raise_late)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _raise_late(*_):
    raise Late(LATE)


def main() -> None:
    """Answer requests from standard input until it ends. What the cells write past Python goes nowhere."""
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    worker = Worker()
    while True:
        try:
            request, arrays = wire.receive(lambda size: _exactly(incoming, size), other=worker.resolve)
        except EOFError:
            os._exit(0)  # threads that a cell left behind do not keep the process
        outgoing.write(worker.answer(request, arrays))
        outgoing.flush()


def _exactly(stream, size):
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data
