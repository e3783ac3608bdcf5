"""How are many submissions graded side by side? Each by a function of its own, on any executor there is.

Nothing here knows of nbgrader: a process that only grades starts without it.
"""

import contextlib
import ctypes
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.context import SpawnContext, SpawnProcess
from threading import current_thread, main_thread

from nbformat import NotebookNode

from lossprimer.grading import reading, sandbox
from lossprimer.grading.grade import ProblemSet, Settings, judged, noted, restored

_TRIES = 3  # of a submission during which the process that grades has ended
_INTERRUPTS = signal.SIGINT, signal.SIGTERM
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Work:
    """A submission that is to be graded: whose it is, the bytes of its file, and when it was handed in, if known."""

    student: str
    data: bytes
    timestamp: str | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    """What became of it: "graded" with a notebook, "skipped", or "unreadable" or "failed" with a reason."""

    student: str
    status: str
    reason: str = ""
    notebook: NotebookNode | None = None
    timestamp: str | None = None


def grade(work: Work, problems: ProblemSet, settings: Settings) -> Result:
    """Grade one submission, in any process on any machine.

    Raises
    ------
    IsolationError
        If there is no isolation here. Nothing else is raised: what is wrong with a submission is its result.
    """
    try:
        found = reading.parse(work.data)
        notebook, moved = restored(problems, found.notebook)
        seen = [("", "reading", text) for text in (*work.remarks, *found.remarks)]
        graded = judged(notebook, problems, settings)
        notebook = noted(graded, found.digest, [*seen, *moved])
        return Result(work.student, "graded", notebook=notebook, timestamp=work.timestamp)
    except reading.Unreadable as error:
        return Result(work.student, "unreadable", str(error))
    except sandbox.IsolationError:
        raise
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        return Result(work.student, "failed", f"{type(error).__name__}: {error} ({where.name}, line {where.lineno})")


def processes(jobs: int) -> Executor:
    """Processes of this machine that end with the one that has started them, however that ends."""
    return ProcessPoolExecutor(jobs, _Context(), initializer=_prepare)


def results(
    works: Iterable[Work | Result], executor: Callable[[], Executor], task: Callable[[Work], Result], ahead: int
) -> Iterator[Result]:
    """Grade submissions side by side and yield the results as they come.

    Parameters
    ----------
    works : iterable of Work or Result
        Read one after the other, so that no more than `ahead` of them are in memory. A Result among them is passed on.
    executor : callable
        Makes an executor. It is called again if the executor breaks because a process was killed.
    task : callable
        `grade`, with its other arguments.
    ahead : int
        How many submissions to hand out at a time.
    """
    works, tries, again = iter(works), {}, []
    pool, waiting = executor(), {}
    try:
        while True:
            while len(waiting) < ahead and (work := again.pop() if again else next(works, None)) is not None:
                if isinstance(work, Result):
                    yield work
                else:
                    waiting[pool.submit(task, work)] = work
            if not waiting:
                return
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                work = waiting.pop(future)
                if not _is_broken(future):
                    yield future.result()
                    continue
                tries[work.student] = tries.get(work.student, 0) + 1
                if tries[work.student] < _TRIES:
                    again.append(work)
                else:
                    yield Result(work.student, "failed", "the process that graded it was killed, several times")
                if isinstance(future.exception(), BrokenExecutor):
                    again += waiting.values()
                    waiting.clear()
                    pool.shutdown(wait=False)
                    pool = executor()
                    break
    finally:
        if isinstance(pool, ProcessPoolExecutor):  # whose thread expects to be the one that cancels
            pool.shutdown(wait=False, cancel_futures=True)
        else:
            for future in waiting:
                future.cancel()
            pool.shutdown(wait=False)


def _is_broken(future: Future):
    """Whether what failed is the process and not the submission."""
    error = future.exception()
    return isinstance(error, BrokenExecutor) or type(error).__name__ == "KilledWorker"


class _Process(SpawnProcess):
    """A process that Ctrl-C does not reach, from its start: it would end the imports with a traceback.

    Nor does it keep this one from telling the new process what it is for. A signal that is blocked here may still
    arrive, at one of the threads that libraries start, and Python then interrupts the main one.
    """

    def start(self):
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            with _later():
                super().start()  # it takes over what is blocked
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


@contextlib.contextmanager
def _later():
    """Have interrupts come at the end; it is always the main thread that they interrupt."""
    if current_thread() is not main_thread():
        yield
        return
    came = []
    handlers = {number: signal.signal(number, lambda *call: came.append(call[0])) for number in _INTERRUPTS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    for number in came[:1]:
        signal.raise_signal(number)


class _Context(SpawnContext):
    Process = _Process


def _prepare():
    """Leave interrupts to the process that has started this one, and end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if not parent_process().is_alive():  # it has ended before
        os._exit(1)
