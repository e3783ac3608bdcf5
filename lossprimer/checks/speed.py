"""How much longer does a right answer take than operations on whole arrays?"""

import time
from collections.abc import Callable

SLOW = 10  # times as long
_ENOUGH = 0.01  # seconds: many steps of the clock of a page, which is kept coarse
_MOST = 1000  # calls, should the clock not move


def seconds(call: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Measure a call: the mean of as many as the clock can tell from nothing.

    Parameters
    ----------
    call : callable
        What is measured.
    clock : callable
        Returns seconds. It may move in steps of a millisecond.
    """
    start, passed, calls = clock(), 0.0, 0
    while passed < _ENOUGH and calls < _MOST:
        call()
        passed, calls = clock() - start, calls + 1
    return passed / calls


def _once(call: Callable[[], object], clock: Callable[[], float]) -> float:
    start = clock()
    call()
    return clock() - start


def remark(
    ours: Callable[[], object], theirs: Callable[[], object], clock: Callable[[], float] = time.perf_counter
) -> str:
    """Say that a right answer is slow, or nothing.

    Parameters
    ----------
    ours, theirs : callable
        A call of the right function and one of the answer, on the same arrays.
    clock : callable
        As for `seconds`.
    """
    # Most answers are as fast as ours: where the clock can tell a single call, three say so.
    first = [min(_once(call, clock) for _ in range(3)) for call in (ours, theirs)]
    if 0 < first[1] < SLOW / 3 * first[0]:
        return ""
    best = [min(seconds(call, clock) for _ in range(2)) for call in (ours, theirs)]
    if not best[0] or best[1] < SLOW * best[0]:
        return ""
    return (
        f"It is right, and on larger arrays about {float(f'{best[1] / best[0]:.1g}'):.0f} times slower than operations "
        f"on whole arrays. Is there a loop that one of them could replace?"
    )
