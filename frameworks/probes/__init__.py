"""What is a probe? A few lines that put one question to a framework by running it, and return what came out."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np

# Question, what it is put to, the name of the function that asks, and the call.
PROBES: list[tuple[str, str, str, Callable[[], Any]]] = []

_LONGEST = 200
# What frameworks put before a message, and the folders of their own sources.
_NOISE = re.compile(
    r"\{\{.*?\}\} |\[ONNXRuntimeError\] : \d+ : \w+ : | Name:'' Status Message:.*|(?<![\w.])/(?:[\w.+-]+/)+"
)


def probe(question: str, of: str | dict[str, Any]) -> Callable:
    """Put the decorated function on the list of probes.

    Parameters
    ----------
    question : str
        The name of the question that it answers.
    of : str or dict
        The name of what it is put to; or several, each with the argument for the function.
    """

    def add(function: Callable) -> Callable:
        calls = (
            {of: function}
            if isinstance(of, str)
            else {n: (lambda a=a: function(a)) for n, a in of.items()}
        )
        PROBES.extend(
            (question, name, function.__name__, call)
            for name, call in calls.items()
        )
        return function

    return add


def attempt(function: Callable, *arguments: Any, **options: Any) -> Any:
    """Call a function; return its result in plain numbers, or the error it raised and the first line of the message."""
    try:
        return plain(function(*arguments, **options))
    except Exception as error:
        first_line = next(iter(str(error).strip().splitlines()), "")
        return {
            "error": type(error).__name__,
            "message": _NOISE.sub("", first_line)[:_LONGEST],
        }


def plain(value: Any) -> Any:
    """Return arrays as lists, and numbers with seven digits; what JSON has no number for is a word, such as "nan"."""
    if isinstance(value, dict):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return [plain(part) for part in value]
    numbers = np.asarray(value, np.float64)
    return (
        [plain(part) for part in numbers]
        if numbers.ndim
        else _number(float(numbers))
    )


def _number(number: float) -> float | str:
    return float(f"{number:.7g}") if np.isfinite(number) else str(number)
