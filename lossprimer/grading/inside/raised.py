"""What does an exception say, and in which line of the learner's code did it start?

This needs nothing but Python, so that it can run beside the learner's code in the sandbox and in the notebook alike.
"""

import builtins
import contextlib
import difflib
import linecache
import os
import re
import sys
from types import FrameType
from typing import NamedTuple

TEXT = 2000
# Said in the notebook and in the sandbox alike.
LATE = "this took too long and was interrupted. Is there a loop that never ends?"
_LINE = 120  # characters of a line that are shown
# What is not the learner's: the course's package, this one, and by their folders Python and what is installed.
_OTHERS = frozenset({"lossprimer", __name__.partition(".")[0]})
_PYTHON = os.path.join(os.path.dirname(os.__file__), "")
_INSTALLED = re.compile(r"<frozen|<__array|.*[/\\](?:site|dist)-packages[/\\]")


class Late(KeyboardInterrupt):
    """Raised in the learner's code when its time is up. A loop that catches it is ended from outside."""


Late.__name__ = Late.__qualname__ = "TimeoutError"


class Raised(NamedTuple):
    """The type and the text of an exception, with the name that may be meant, and the line of the learner's code."""

    name: str
    text: str
    place: str


def told(error: BaseException) -> Raised:
    """What an exception says. NotImplementedError is one even where it has another name."""
    name = "NotImplementedError" if isinstance(error, NotImplementedError) else type(error).__name__
    try:
        text = str(error)
    except BaseException:
        text = ""
    frames = list(_learners(error))
    with contextlib.suppress(Exception):  # an object that does not say what it has
        text += _meant(error, text, frames[-1][0] if frames else None)
    return Raised(str(name)[:100], text[:TEXT], _place(*frames[-1]) if frames else "")


def _learners(error):
    """The frames of the learner's code with their lines, the innermost last."""
    trace = error.__traceback__
    while trace is not None:
        frame, file = trace.tb_frame, trace.tb_frame.f_code.co_filename
        others = str(frame.f_globals.get("__name__")).partition(".")[0] in _OTHERS
        if not others and not file.startswith(_PYTHON) and not _INSTALLED.match(file):
            yield frame, trace.tb_lineno
        trace = trace.tb_next


def _place(frame: FrameType, number: int) -> str:
    line = linecache.getline(frame.f_code.co_filename, number, frame.f_globals).strip()
    return f"line {number}: {line[:_LINE]}".removesuffix(": ")


def _meant(error, text, frame):
    """The name that may be meant, in Python's words, which the text of an exception does not hold."""
    if isinstance(error, NameError) and frame is not None:
        known = {*frame.f_locals, *frame.f_globals, *vars(builtins)}
        wrong = error.name or "".join(re.findall(r"name '(\w+)'", text)[:1])
        if wrong in getattr(frame.f_locals.get("self"), "__dict__", ()):
            return f". Did you mean: 'self.{wrong}'?"
    elif isinstance(error, AttributeError):
        known = dir(error.obj)
        wrong = error.name or ""
    elif isinstance(error, ModuleNotFoundError):
        known, wrong = sys.stdlib_module_names | {"numpy", "lossprimer"}, error.name or ""
    else:
        return ""
    shown = [name for name in known if wrong.startswith("_") or not name.startswith("_")]
    close = [name for name in difflib.get_close_matches(wrong, sorted(shown), n=3, cutoff=0.6) if name != wrong]
    near = [name for name in close if name.lower() == wrong.lower()] or close
    return f". Did you mean: '{near[0]}'?" if near else ""
