"""What answers when a check calls a learner's function? This program, in the sandbox, with the learner's cells in it.

It knows no check and no expected value: it runs cells, looks names up, calls, and reads and sets attributes. Whatever
the cells do to it, all that they can change is their own answers.
"""

import contextlib
import os
import signal
import sys
import types
from pathlib import Path

from lossprimer.grading import wire

_TEXT = 2000


class Worker:
    """The learner's names and objects, and the requests that reach them."""

    def __init__(self):
        self.module = types.ModuleType("__main__")
        # Jupyter's display() is there, and shows nothing.
        self.module.display = lambda *args, **kwargs: None
        sys.modules["__main__"] = self.module
        self.objects = []
        self.generators = {}
        self.mentioned = set()

    def answer(self, request: dict, arrays: list) -> bytes:
        """The message that answers a request: a value, or an exception; then what has changed."""
        before = [array.copy() for array in arrays]
        try:
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
        after = {"changed": changed, "generators": states}
        try:
            return wire.message(outcome | after, other=self._reference)[0]
        except Exception as error:
            return wire.message({"error": described(error), "changed": {}, "generators": {}})[0]

    def resolve(self, reference: dict) -> object:
        """The object or the Generator that a request means; Generators are brought to where they are outside."""
        for number, state in reference["generators"].items():
            if number in self.generators:
                self.generators[number].bit_generator.state = state
            else:
                self.generators[number] = wire.generator(state)
            self.mentioned.add(number)
        return self.objects[reference["object"]] if "object" in reference else self.generators[number]

    def _reference(self, value):
        """What stands for an object that stays here."""
        self.objects.append(value)
        return {"object": len(self.objects) - 1, "type": type(value).__name__}

    def _run(self, source):
        exec(compile(source, "<cell>", "exec", dont_inherit=True), self.module.__dict__)

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
    """The type and the text of an exception. NotImplementedError is one even where it has another name."""
    name = "NotImplementedError" if isinstance(error, NotImplementedError) else type(error).__name__
    try:
        text = str(error)
    except BaseException:
        text = ""
    return [str(name)[:100], text[:_TEXT]]


def main() -> None:
    """Answer requests from standard input until it ends. What the cells print or read goes nowhere."""
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    worker, process, alone = Worker(), os.getpid(), _in_sandbox()
    while True:
        try:
            request, arrays = wire.receive(lambda size: _exactly(incoming, size), other=worker.resolve)
        except EOFError:
            os._exit(0)  # threads that a cell left behind do not keep the process
        answer = worker.answer(request, arrays)
        if os.getpid() != process:
            os._exit(0)  # a copy that a cell has made of this process
        if alone:
            _end_all_others()
        outgoing.write(answer)
        outgoing.flush()


def _in_sandbox():
    """Whether the only other processes to be seen are those that the learner starts, and bubblewrap's own."""
    try:
        return Path("/proc/1/comm").read_text() == "bwrap\n"
    except OSError:
        return False


def _end_all_others():
    """End what a cell has started and left behind. It would take time and places from the calls to come."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()


def _exactly(stream, size):
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


if __name__ == "__main__":
    main()
