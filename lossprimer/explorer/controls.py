"""Which controls can an explorer have? A slider over numbers, a choice among names, the steps of a story."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal

MOST_NAMED = 6
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
# What the texts of numbers begin with: a digit or infinity, with or without a sign.
_NUMBER = re.compile(r"[-+\N{MINUS SIGN}]?[.\d\N{INFINITY}]")


@dataclass(frozen=True)
class Control:
    """One thing that a reader can set: `values` are what the drawing gets, `texts` what the reader sees."""

    kind: Literal["slider", "choice", "steps"]
    label: str
    values: tuple[Any, ...]
    texts: tuple[str, ...]
    initial: int = 0
    along: int | None = None

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

    @property
    def named(self) -> bool:
        """Whether the positions are names, few enough to stand side by side: a track between names means nothing."""
        return len(self) <= MOST_NAMED and (self.kind == "choice" or not all(map(_NUMBER.match, self.texts)))


def slider(
    label: str,
    values: Iterable[Real],
    *,
    initial: Real | None = None,
    format: str | Callable[[Real], str] | None = None,
    along: int | None = None,
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
    format : str or callable, optional
        How a value is written, as a format string or a function. Two values must not look the same. By default
        as by hand: "−10", "10⁻⁶".
    along : int, optional
        Which of the figure's axes, counted from 0, has the slider's values on its x axis: on a page a reader can
        drag within these axes, too.

    Raises
    ------
    ValueError
        If there are no values, `initial` is not among them, or two look the same.
    TypeError
        If a value is not a real number, or is NaN or a bool.

    Examples
    --------
    >>> slider("Temperature T", [-0.5, 1, 1e-6], initial=1).texts
    ('−0.5', '1', '10⁻⁶')
    """
    if not isinstance(values, Iterable):
        raise TypeError(f"values of the slider {label!r} are {values!r}, expected real numbers")
    values = tuple(values)
    for value in values:
        if isinstance(value, bool) or not isinstance(value, Real) or value != value:  # NaN
            raise TypeError(f"values of the slider {label!r} hold {value!r}, expected real numbers")
    write = format.format if isinstance(format, str) else format or by_hand
    return Control("slider", label, values, tuple(map(write, values)), _position(label, values, initial), along)


def raised(exponent: int) -> str:
    """Return a whole number as an exponent: "⁻⁶"."""
    return str(exponent).translate(_RAISED)


def by_hand(value: Real, digits: int = 6) -> str:
    """Return a number in so many significant digits at most, with a true minus sign and powers of ten as by hand.

    Examples
    --------
    >>> by_hand(-2.5), by_hand(1e-6), by_hand(3.2e7)
    ('−2.5', '10⁻⁶', '3.2 × 10⁷')
    """
    written, _, power = f"{value:.{digits}g}".partition("e")
    if power:
        ten = f"10{raised(int(power))}"
        written = {"1": ten, "-1": f"-{ten}"}.get(written, f"{written} × {ten}")
    return written.replace("-", "\N{MINUS SIGN}").replace("inf", "\N{INFINITY}")


def choice(label: str, options: Mapping[str, Any] | Iterable[str], *, initial: str | None = None) -> Control:
    """Return a control that chooses among names: up to six are buttons side by side, more are a list.

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
    TypeError
        If a name is not a string, or `options` is a single one.

    Examples
    --------
    >>> scores = {"three": (2, 1, 0.5), "a tie": (2, 2, 0.5)}
    >>> choice("Scores", scores).values
    ((2, 1, 0.5), (2, 2, 0.5))
    """
    if isinstance(options, str) or not isinstance(options, Iterable):
        raise TypeError(f"options of the choice {label!r} are {options!r}, expected names, with values or without")
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
