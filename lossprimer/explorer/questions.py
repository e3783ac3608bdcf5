"""What can a reader be asked? To choose among answers, or to type a number."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Answer:
    """One answer that a reader may give: what it says, what is said of it, and the numbers that count as it."""

    text: str
    sentence: str
    right: bool = False
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True)
class Number:
    """A number that a reader may type, from `least` to `most`, and the slips that have a sentence of their own."""

    least: float
    most: float
    unit: str = ""
    slips: Mapping[float, str] = field(default_factory=dict)

    def text(self, value: float) -> str:
        """Return a value as a reader would write it, with the unit."""
        return f"{value:.3g} {self.unit}".replace("-", "−").rstrip()


@dataclass(frozen=True)
class Question:
    """A question, and what is said of each answer.

    `number` is None where the reader chooses among the answers. `cells` says how many code cells a page covers until
    there is an answer; None is all up to the next heading.
    """

    text: str
    answers: tuple[Answer, ...]
    number: Number | None = None
    cells: int | None = None

    @property
    def name(self) -> str:
        """The question as an identifier: it stays the same as long as the question does."""
        return f"prediction-{hashlib.sha256(self.text.encode()).hexdigest()[:10]}"

    @property
    def right(self) -> Answer:
        """The right answer."""
        return next(answer for answer in self.answers if answer.right)

    @property
    def range(self) -> str:
        """What may be typed, in words."""
        number = self.number
        unit = f", in {number.unit}" if number.unit else ""
        return f"a number from {number.least:g} to {number.most:g}{unit}".replace("-", "−")

    def said(self, given: str | float) -> str:
        """Return what is said to a reader who gives an answer: an option's text, or a number."""
        right = self.right
        answer = self._find(given)
        if answer is right:
            return f"Right. {right.sentence}"
        why = f"{answer.sentence} " if answer else ""
        return f"Not quite. {why}The answer is: {right.text}. {right.sentence}"

    def _find(self, given: str | float) -> Answer | None:
        if self.number is None:
            return next(answer for answer in self.answers if answer.text == given)
        return next((answer for answer in self.answers if answer.least <= given <= answer.most), None)
