"""Which controls can an explorer have? A slider over numbers, a choice among names, the steps of a story."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal


@dataclass(frozen=True)
class Control:
    """One thing that a reader can set: `values` are what the drawing gets, `texts` what the reader sees."""

    kind: Literal["slider", "choice", "steps"]
    label: str
    values: tuple[Any, ...]
    texts: tuple[str, ...]
    initial: int = 0

    def __post_init__(self):
        if not isinstance(self.label, str) or not self.label.strip():
            raise ValueError(f"label is {self.label!r}, expected the words beside the control")
        if not self.values:
            raise ValueError(f"the control {self.label!r} has no values, expected at least one")
        for position, text in enumerate(self.texts):
            if text in self.texts[:position]:
                raise ValueError(
                    f"the control {self.label!r} shows {text!r} for two of its values, expected different texts"
                )

    def __len__(self):
        return len(self.values)


def slider(
    label: str,
    values: Iterable[Real],
    *,
    initial: Real | None = None,
    format: str | Callable[[Real], str] = "{:g}",
) -> Control:
    """Return a control that slides over numbers.

    Parameters
    ----------
    label : str
        The words beside it, with the symbol: ``"Temperature T"``.
    values : iterable of numbers
        Where it can stand, in the order shown. They need not be evenly spaced.
    initial : number, optional
        Where it stands at first; one of `values`. By default the first.
    format : str or callable
        How a value is written, as a format string or a function. Two values must not look the same.

    Raises
    ------
    ValueError
        If there are no values, `initial` is not among them, or two look the same.
    TypeError
        If a value is not a real number.

    Examples
    --------
    >>> slider("Temperature T", [0.5, 1, 2], initial=1).texts
    ('0.5', '1', '2')
    """
    values = tuple(values)
    for value in values:
        if not isinstance(value, Real):
            raise TypeError(f"values of the slider {label!r} hold {value!r}, expected real numbers")
    write = format.format if isinstance(format, str) else format
    return Control("slider", label, values, tuple(map(write, values)), _position(label, values, initial))


def choice(label: str, options: Mapping[str, Any] | Iterable[str], *, initial: str | None = None) -> Control:
    """Return a control that chooses among names.

    Parameters
    ----------
    label : str
        The words beside it.
    options : mapping or iterable of str
        Name to value; or names alone, each its own value.
    initial : str, optional
        The name chosen at first. By default the first.

    Raises
    ------
    ValueError
        If there are no options, or `initial` is not one of the names.

    Examples
    --------
    >>> choice("Scores", {"three": (2, 1, 0.5), "a tie": (2, 2, 0.5)}).values
    ((2, 1, 0.5), (2, 2, 0.5))
    """
    options = dict(options) if isinstance(options, Mapping) else {name: name for name in options}
    names = tuple(options)
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"options of the choice {label!r} hold the name {name!r}, expected a string")
    return Control("choice", label, tuple(options.values()), names, _position(label, names, initial))


def _position(label: str, values: tuple, initial: Any) -> int:
    """Return where `initial` stands among `values`."""
    if initial is None:
        return 0
    if initial not in values:
        raise ValueError(f"initial of {label!r} is {initial!r}, expected one of {list(values)}")
    return values.index(initial)
