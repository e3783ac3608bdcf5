"""What may a reader type? Numbers, or a matrix of them, as text."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real

from lossprimer.explorer.controls import by_hand

_TYPED = str.maketrans({"\N{MINUS SIGN}": "-", "\N{INFINITY}": "inf", "\N{NO-BREAK SPACE}": " "})
_LONGEST = 2_000
# As exactly as a reader would type a number.
_DIGITS = 4


@dataclass(frozen=True)
class Field:
    """A text field for numbers from `low` to `high`: `least` to `most` of them, or so many columns of `rows`."""

    label: str
    least: int
    most: int
    low: float
    high: float
    whole: bool = False
    rows: tuple[int, int] | None = None
    initial: str = ""

    @property
    def expected(self) -> str:
        """What may be typed, in words."""
        kind = "whole numbers" if self.whole else "numbers"
        count = _range(self.least, self.most)
        high = by_hand(self.high)
        limits = f"each at most {high}, or -inf" if math.isinf(self.low) else f"each from {by_hand(self.low)} to {high}"
        if self.rows is None:
            return f"{count} {kind} with commas between them, {limits}"
        rows = f"{_range(*self.rows)} rows with semicolons between them"
        return f"{rows}, each of {count} {kind} with commas between them, {limits}"

    def read(self, text: str) -> tuple:
        """Return the numbers that a text holds.

        Parameters
        ----------
        text : str
            Numbers with commas or spaces between them; rows with semicolons or line ends between them. A minus sign may
            be a hyphen, and infinity "∞" or "inf".

        Returns
        -------
        tuple of float or int
            The numbers; for a matrix a tuple of such rows.

        Raises
        ------
        ValueError
            If it is not what the field takes; the message says what was found and what was expected.
        """
        if len(text) > _LONGEST:
            raise ValueError(f"found {len(text):,} characters, expected {self.expected}")
        lines = [line for line in re.split(r"[;\n]", text) if line.strip()]
        try:
            rows = tuple(tuple(map(self._number, re.findall(r"[^,\s]+", line))) for line in lines)
        except ValueError as error:
            raise ValueError(f"found {error}, expected {self.expected}") from None
        if self.rows is None:
            if len(rows) > 1:
                raise ValueError(f"found {len(rows)} rows, expected {self.expected}")
            rows = rows or ((),)
        else:
            self._need("row", len(rows), *self.rows)
            for row in rows[1:]:
                if len(row) != len(rows[0]):
                    raise ValueError(f"found rows of {len(rows[0])} and of {len(row)} numbers, expected equal ones")
        self._need("number" if self.rows is None else "column", len(rows[0]), self.least, self.most)
        return rows[0] if self.rows is None else rows

    def write(self, value: Sequence) -> str:
        """Return a value as a reader would type it."""
        if self.rows is None:
            return ", ".join(by_hand(float(number), _DIGITS) for number in value)
        return "; ".join(", ".join(by_hand(float(number), _DIGITS) for number in row) for row in value)

    def _number(self, text: str) -> float | int:
        try:
            number = float(text.translate(_TYPED))
        except ValueError:
            raise ValueError(f"“{text[:20]}”") from None
        if not self.low <= number <= self.high or (self.whole and not number.is_integer()):
            raise ValueError(text[:20])
        return int(number) if self.whole else number

    def _need(self, what: str, count: int, least: int, most: int) -> None:
        if not least <= count <= most:
            raise ValueError(f"found {count or 'no'} {what}{'s' * (count != 1)}, expected {self.expected}")


def numbers(
    label: str, *, least: int = 1, most: int = 10, low: float = -1000, high: float = 1000, whole: bool = False
) -> Field:
    """Return a field for numbers of the reader's own.

    Parameters
    ----------
    label : str
        Its name: ``"Your scores"``.
    least, most : int
        How many numbers it takes.
    low, high : number
        The smallest and the largest number; ``-numpy.inf`` admits "−∞".
    whole : bool
        Whether they must be whole numbers.

    Raises
    ------
    ValueError
        If the label has no words, or the lower limit is above the upper one.

    Examples
    --------
    >>> numbers("Your scores", least=2).read("2, 1, −0.5")
    (2.0, 1.0, -0.5)
    """
    _need_limits(label, {"least": least, "most": most}, {"low": low, "high": high})
    return Field(label, least, most, low, high, whole)


def matrix(
    label: str,
    *,
    rows: tuple[int, int] = (1, 6),
    columns: tuple[int, int] = (1, 6),
    low: float = -1000,
    high: float = 1000,
) -> Field:
    """Return a field for a matrix of the reader's own.

    Parameters
    ----------
    label : str
        Its name: ``"Your matrix"``.
    rows, columns : pair of int
        The least and the greatest number of each.
    low, high : number
        The smallest and the largest entry.

    Raises
    ------
    ValueError
        If the label has no words, or the lower limit is above the upper one.

    Examples
    --------
    >>> matrix("Your matrix").read("1, 2; 3, 4")
    ((1.0, 2.0), (3.0, 4.0))
    """
    pairs = [dict(zip(("least", "most"), pair, strict=True)) for pair in (rows, columns)]
    _need_limits(label, *pairs, {"low": low, "high": high})
    return Field(label, *columns, low, high, rows=tuple(rows))


def _range(least: int, most: int) -> str:
    return str(least) if least == most else f"{least} to {most}"


def _need_limits(label: str, *limits: Mapping[str, Real]) -> None:
    if not isinstance(label, str) or not label.strip():
        raise ValueError(f"label is {label!r}, expected the name of the field")
    for pair in limits:
        (least, low), (most, high) = pair.items()
        if not low <= high:
            raise ValueError(f"{least} of the field {label!r} is {low}, expected at most {most}, which is {high}")
