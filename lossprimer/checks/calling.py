"""Call a function that may do anything: quietly, on copies of its arguments, with a sentence for every error."""

import functools
import io
import re
import signal
import sys
import threading
import types
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass

import numpy as np

import lossprimer
from lossprimer.checks.report import Cause
from lossprimer.checks.values import Refused, plain
from lossprimer.grading.inside.library import ASKED
from lossprimer.grading.inside.raised import LATE, Late, told

PATIENCE = 10  # seconds for one call, as when an answer is graded


class Trouble(Exception):
    """Something did not hold: what came, what was expected, and the likely cause.

    Where the cause takes time to find, `explain` returns it when it is called.
    """

    def __init__(
        self, came: str, expected: str, cause: Cause | str = "", hint: str = "", explain: Callable[[], Cause] = None
    ):
        super().__init__(came)
        self.given = self.place = self.printed = ""
        self.raised = False  # whether the learner's code raised an exception
        self.came, self.expected = came, expected
        self.explain = explain or (lambda: cause if isinstance(cause, Cause) else Cause(cause, hint))


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
    printed : str
        The last lines that were printed.
    """

    results: tuple[np.ndarray, ...]
    typed: tuple[bool, ...]
    single: tuple[bool, ...]
    warning: str
    changed: int | None
    printed: str


class _Sink(io.TextIOBase):
    """A stream that keeps the last lines of what is written to it."""

    LINES, CHARACTERS = 5, 500

    def __init__(self):
        self._text = ""
        self._cut = False

    def writable(self):
        return True

    def write(self, text):
        kept = self._text + str(text)
        self._text = kept[-4 * self.CHARACTERS :]
        self._cut |= len(kept) > len(self._text)
        return len(text)

    @property
    def last(self):
        """The last lines, and a mark if there were more."""
        lines = self._text.rstrip().splitlines()
        text = "\n".join(lines[-self.LINES :])[-self.CHARACTERS :]
        cut = self._cut or len(lines) > self.LINES or len(text) < len("\n".join(lines))
        return ("…\n" if cut else "") + text


@contextmanager
def undisturbed() -> Iterator[None]:
    """Keep NumPy's global generator as it was, whatever happens inside, and warn of nothing but in `attempt`."""
    state = np.random.get_state()  # noqa: NPY002
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    finally:
        np.random.set_state(state)  # noqa: NPY002


@contextmanager
def in_time(f: Callable) -> Iterator[None]:
    """Let `attempt` interrupt `f` where it takes too long, and keep the caller's alarm as it was.

    One handler serves all calls of a report: to set it takes longer than many a call.
    """
    if not _can_interrupt(f):
        yield
        return
    before = signal.signal(signal.SIGALRM, _late)
    running = signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *running)
        signal.signal(signal.SIGALRM, before)


def _patiently(play, f, args):
    """What ``play(f, *args)`` returns, with `Late` raised in what takes too long."""
    if not _can_interrupt(f):
        return play(f, *args)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE, 1)
    try:
        return play(f, *args)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _can_interrupt(f):
    """Whether a signal can interrupt a call of `f`: not in a thread, on Windows or in a page.

    A page stops its worker itself, and a stand-in for a function in another process keeps the time there.
    """
    able = hasattr(signal, "setitimer") and sys.platform != "emscripten"
    return able and threading.current_thread() is threading.main_thread() and not hasattr(type(f), "keeps_time")


def _late(*_):
    raise Late(LATE)


@contextmanager
def withheld(name: str) -> Iterator[None]:
    """Let the package's own function of a name not answer the learner's code, which is to write it.

    The same holds when the answer is graded. All other code gets its answers.
    """
    own = getattr(lossprimer, name, None)
    if not isinstance(own, types.FunctionType):
        yield
        return

    @functools.wraps(own)
    def guarded(*args, **kwargs):
        if sys._getframe(1).f_globals.get("__name__") == "__main__":
            raise RuntimeError(ASKED.format(name=name))
        return own(*args, **kwargs)

    places = (lossprimer, sys.modules[own.__module__])
    for place in places:
        setattr(place, name, guarded)
    try:
        yield
    finally:
        for place in places:
            setattr(place, name, own)


def direct(f: Callable, *args: object) -> object:
    """Call a function. The usual way to play; a case of a class has one of its own."""
    return f(*args)


def attempt(f: Callable, args: tuple, *, names: tuple[str, ...], usage: str, play: Callable = direct) -> Outcome:
    """What ``play(f, *args)`` returns, where it is called within ``in_time(f)``.

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
        If another exception is raised, it takes too long, or what is returned cannot be read. KeyboardInterrupt
        passes through.
    """
    copies = tuple(arg.copy() if isinstance(arg, np.ndarray) else arg for arg in args)
    sink = _Sink()
    try:
        with (
            warnings.catch_warnings(record=True) as caught,
            np.errstate(divide="warn", over="warn", invalid="warn", under="ignore"),
            redirect_stdout(sink),
            redirect_stderr(sink),
        ):
            warnings.simplefilter("always")
            try:
                value = _patiently(play, f, copies)
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt) and not isinstance(error, Late):
                    raise
                raise _failed(error, usage) from None
        printed = sink.last
        results = _unpacked(value, names, printed)
        arrays = tuple(_read(name, result, printed) for name, result in zip(names, results, strict=True))
    except Trouble as trouble:
        trouble.printed = sink.last
        raise
    return Outcome(
        results=arrays,
        typed=tuple(isinstance(result, np.ndarray | np.generic) for result in results),
        single=tuple(type(result) is tuple and len(result) == 1 for result in results),
        warning=str(caught[0].message) if caught else "",
        changed=_changed(args, copies),
        printed=printed,
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
    sequence = next((kind for kind in (tuple, list) if issubclass(type(value), kind)), None)
    entries = tuple(sequence.__iter__(value)) if sequence else ()
    if sequence and len(entries) == len(names):
        return entries
    wanted = ", ".join(names)
    if sequence:
        came = f"{len(entries)} results"
    elif value is None:
        raise _nothing(printed)
    else:
        came = f"one {type(value).__name__}"
    raise Trouble(came, f"the tuple ({wanted})", "The function returns something else.", f"return {wanted}")


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
            "Only plain arrays and numbers can be checked.",
            "Make one, for instance with np.array(...).",
        ) from None


def _nothing(printed):
    if printed:
        return Trouble("None", "", "The function prints and returns nothing.", "Write return in place of print.")
    return Trouble("None", "", "The function returns nothing.", "End it with a line that begins with return.")


_LONG = 300

# What an error usually comes from: a pattern of its type and message, and a sentence.
_ERRORS = (
    (
        r"could not be broadcast|non-broadcastable|could not broadcast",
        "The shapes of two arrays do not match.",
        "A sum, mean or maximum over an axis removes that axis; keepdims=True keeps it, so that the result lines up "
        "with the array it came from.",
    ),
    (
        r"matmul|not aligned|einsum",
        "The shapes in a matrix product do not match.",
        "A matrix product uses the last two axes; np.swapaxes(x, -1, -2) swaps these two, while x.T reverses all axes.",
    ),
    (
        r"^(NameError|UnboundLocalError)",
        "The code uses a name that has no value here.",
        "Whatever a function uses must be an argument, a variable of its own, or an import.",
    ),
    (r"^SystemExit|^GeneratorExit", "The function ends the whole program.", "End it with return."),
    (r"^RecursionError", "The function calls itself without end.", ""),
    (r"^TimeoutError", "The function does not come to an end.", "Look at its loops: when does each of them stop?"),
    (
        r"truth value of an array",
        "An if, while, and, or, max or min is given a whole array where it needs a single truth value.",
        "np.where, np.maximum and np.max work on whole arrays.",
    ),
    (r"^AxisError", "The array does not have that axis.", "The last one is axis=-1, however many there are."),
    (
        r"^IndexError: index .* out of bounds",
        "An index is too large for the axis that it is used on.",
        "One entry of each row is x[np.arange(len(x)), labels]. A one-hot row has as many columns as there are "
        "classes.",
    ),
    (r"^IndexError", "An index does not fit the array.", "One entry of each row is x[np.arange(len(x)), labels]."),
    (
        r"Cannot cast ufunc|_UFuncOutputCastingError",
        "An operation in place, such as -=, cannot store its result in this array.",
        "Write x = x - y in place of x -= y.",
    ),
)


def _failed(error, usage):
    """Trouble that says what was raised. An error from another process names its type in its text already."""
    if isinstance(error, NotImplementedError):
        return NotAttempted("NotImplementedError", "", "This part is not written yet.")
    name, text, place = told(error)
    text = text[:_LONG]
    if hasattr(error, "place"):
        place = str(error.place)
    if not re.match(r"[A-Za-z_]\w*(Error|Exit|Exception|Interrupt)\b", text):
        text = f"{name}: {text}".removesuffix(": ")
    trouble = Trouble(text, "", *_sentence(text, place, usage))
    trouble.raised, trouble.place = True, place
    return trouble


def _sentence(text, place, usage):
    if re.search(r"positional argument", text):
        if not place:
            return "The function does not take the arguments that the task gives it.", f"It is called as {usage}."
        return "Something is called with too many or too few arguments.", ""
    if missing := re.search(r"has no attribute '(\w+)'", text):
        if re.search(rf"\b{missing[1]}\b", usage.partition(" with ")[2]):
            return f"The class has no {missing[1]}.", f"The task asks for {usage}."
        return "There is no attribute or method of that name.", ""
    for pattern, cause, hint in _ERRORS:
        if re.search(pattern, text):
            return cause, hint
    return "The function stops with an error before it returns.", ""
