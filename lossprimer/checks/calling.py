"""Call a function that may do anything: quietly, on copies of its arguments, with a sentence for every error."""

import io
import linecache
import re
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass

import numpy as np

from lossprimer.checks.values import Refused, plain


class Trouble(Exception):
    """Something did not hold: the input, what came and in which line, what was expected, and the likely cause."""

    def __init__(self, came: str, expected: str, cause: str, line: str = ""):
        super().__init__(cause)
        self.given, self.came, self.expected, self.cause, self.line = "", came, expected, cause, line


class NotAttempted(Trouble):
    """The learner's function raised NotImplementedError."""


@dataclass(frozen=True)
class Outcome:
    """What came back: plain copies of the results, and what NumPy warned of.

    Parameters
    ----------
    results : tuple of ndarray
        One for each name that was expected.
    typed : tuple of bool
        Whether the result had a float type of its own. A Python number or a list has none.
    single : tuple of bool
        Whether the result was a tuple of one, as a comma at the end of a line makes it.
    warning : str
        The first warning, or nothing.
    changed : int or None
        The number of the first argument that was changed in place.
    """

    results: tuple[np.ndarray, ...]
    typed: tuple[bool, ...]
    single: tuple[bool, ...]
    warning: str
    changed: int | None


class _Sink(io.TextIOBase):
    """A stream that remembers only whether anything was written to it."""

    written = False

    def write(self, text):
        self.written = True
        return len(text)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Keep NumPy's global generator as it was, whatever happens inside."""
    state = np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002


def direct(f: Callable, *args: object) -> object:
    """Call a function. The usual way to play; a case of a class has one of its own."""
    return f(*args)


def attempt(f: Callable, args: tuple, *, names: tuple[str, ...], usage: str, play: Callable = direct) -> Outcome:
    """What ``play(f, *args)`` returns.

    Parameters
    ----------
    f : callable
        The learner's function or class.
    args : tuple
        Arrays are copied before the call. A Generator is handed on as it is.
    names : tuple of str
        What is returned, in order. With one name it is the result itself, else a tuple of them.
    usage : str
        How the function is called, for a message.
    play : callable
        What to do with `f`.

    Raises
    ------
    NotAttempted
        If a NotImplementedError is raised.
    Trouble
        If another exception is raised, or what is returned cannot be read. KeyboardInterrupt passes through.
    """
    copies = tuple(arg.copy() if isinstance(arg, np.ndarray) else arg for arg in args)
    sink = _Sink()
    with (
        warnings.catch_warnings(record=True) as caught,
        np.errstate(divide="warn", over="warn", invalid="warn", under="ignore"),
        redirect_stdout(sink),
        redirect_stderr(sink),
    ):
        warnings.simplefilter("always")
        try:
            value = play(f, *copies)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise _failed(error, usage) from None
    results = _unpacked(value, names, sink.written)
    arrays = tuple(_read(name, result, sink.written) for name, result in zip(names, results, strict=True))
    return Outcome(
        results=arrays,
        typed=tuple(isinstance(result, np.ndarray | np.generic) for result in results),
        single=tuple(type(result) is tuple and len(result) == 1 for result in results),
        warning=str(caught[0].message) if caught else "",
        changed=_changed(args, copies),
    )


def _changed(args, copies):
    """The number of the first array that is no longer what it was."""
    for number, (before, after) in enumerate(zip(args, copies, strict=True)):
        if isinstance(before, np.ndarray) and before.tobytes() != after.tobytes():
            return number
    return None


def _unpacked(value, names, printed):
    if len(names) == 1:
        return (value,)
    if type(value) in (tuple, list) and len(value) == len(names):
        return tuple(value)
    wanted = ", ".join(names)
    if type(value) in (tuple, list):
        came = f"{len(value)} results"
    elif value is None:
        raise _nothing(printed)
    else:
        came = f"one {type(value).__name__}"
    raise Trouble(came, f"the tuple ({wanted})", f"End the function with: return {wanted}")


def _read(name, value, printed):
    """The result with the name `name` as an array."""
    if value is None:
        raise _nothing(printed)
    try:
        return plain(value)
    except Refused as refused:
        raise Trouble(
            str(refused),
            f"{name}: a NumPy array of numbers, or a number".removeprefix(": "),
            "Only plain arrays and numbers can be checked. Make one, for instance with np.array(...).",
        ) from None


def _nothing(printed):
    if printed:
        cause = "The function prints its result and returns nothing. Write return in place of print."
    else:
        cause = "The function returns nothing. End it with a line that begins with return."
    return Trouble("None", "", cause)


_LONG = 300

# What an error usually comes from: a pattern of its type and message, and a sentence.
_ERRORS = (
    (
        r"could not be broadcast|non-broadcastable|could not broadcast",
        "Shapes do not fit together. A sum, mean or "
        "maximum over an axis loses that axis; keepdims=True keeps it, so that the result fits what it came from.",
    ),
    (
        r"matmul|not aligned|einsum",
        "The shapes of a matrix product do not fit. What is multiplied are the last two "
        "axes; np.swapaxes(x, -1, -2) swaps these two, while x.T reverses all axes.",
    ),
    (r"positional argument", "The function takes other arguments than the task says. It is called as {usage}."),
    (
        r"^(NameError|UnboundLocalError)",
        "A name is used that the function does not know. What it needs must be an "
        "argument, a variable of its own, or an import.",
    ),
    (r"^SystemExit|^GeneratorExit", "The function ends the whole program. Let it end with return."),
    (r"^RecursionError", "The function calls itself without end."),
    (r"truth value of an array", "An if, max or and meets a whole array. Use np.where, np.maximum or np.max."),
    (r"has no attribute", "A method or attribute is missing. The task asks for {usage}."),
    (r"^AxisError", "The array does not have that axis. The last one is axis=-1, however many there are."),
    (
        r"^IndexError",
        "An index does not fit the array. To take one entry of each row, write x[np.arange(len(x)), labels].",
    ),
    (
        r"Cannot cast ufunc",
        "An operation in place, such as -=, cannot store floats in this array. Write x = x - y instead.",
    ),
)


def _failed(error, usage):
    """Trouble that says what was raised. An error from another process names its type in its text already."""
    if isinstance(error, NotImplementedError):
        return NotAttempted("NotImplementedError", "", "This part is not written yet.")
    try:
        text = str(error)[:_LONG]
    except Exception:
        text = ""
    if not re.match(r"[A-Za-z_]\w*(Error|Exit|Exception|Interrupt)\b", text):
        text = f"{type(error).__name__}: {text}".removesuffix(": ")
    for pattern, cause in _ERRORS:
        if re.search(pattern, text):
            return Trouble(text, "", cause.format(usage=usage), _line(error))
    return Trouble(text, "", "The function stops with an error before it returns.", _line(error))


def _line(error):
    """The innermost line of the program itself, a notebook's or a page's cells, that an error has come through."""
    frames = traceback.walk_tb(error.__traceback__)
    places = [(frame.f_code.co_filename, line) for frame, line in frames if frame.f_globals["__name__"] == "__main__"]
    if not places:
        return ""
    file, number = places[-1]
    return f"{number}: {linecache.getline(file, number).strip()}".removesuffix(": ")
