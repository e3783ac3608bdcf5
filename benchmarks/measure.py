"""How long do functions take on the same arguments, and how much memory beside their results?"""

import timeit
import tracemalloc


def seconds(functions, *arguments, repeats, duration=0.01):
    """Least time of one call of each function, measured in turns.

    So other load on the machine disturbs none of them more than the others.
    """
    timers = [timeit.Timer(lambda function=function: function(*arguments)) for function in functions]
    number = max(1, round(duration / timers[0].timeit(1)))
    runs = [[timer.timeit(number) / number for timer in timers] for _ in range(repeats)]
    return [min(times) for times in zip(*runs, strict=True)]


def extra_arrays(function, z, *others):
    """Peak memory of a call with the table `z`, less its largest result, in arrays of the size of `z`.

    What the interpreter itself needs during a call (some kilobytes, whatever the shape) is measured at the smallest
    table, which has one number, and not counted.
    """
    smallest = z[:1, :1], *(other[:1] * 0 for other in others)
    return (_extra_bytes(function, z, *others) - _extra_bytes(function, *smallest)) / z.nbytes


def _extra_bytes(function, *arguments):
    function(*arguments)  # what is made at the first call alone is no part of the second
    tracemalloc.start()
    result = function(*arguments)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak - max(part.nbytes for part in (result if isinstance(result, tuple) else (result,)))
