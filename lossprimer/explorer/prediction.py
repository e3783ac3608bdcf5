"""What do you think will happen? A `Prediction` asks before the page shows it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from html import escape
from numbers import Real

from lossprimer.explorer.prediction_html import prediction_html
from lossprimer.explorer.questions import Answer, Number, Question
from lossprimer.explorer.shown import Shown

_NUMBER = re.compile(r"(?P<digits>[-−]?\d[\d,]*(?:\.\d+)?)(?:\s*×\s*10(?P<power>[⁻⁺]?[⁰¹²³⁴-⁹]+))?\s*(?P<percent>%)?")
_PLAIN = str.maketrans("⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹−", "-+0123456789-", ",")
# Wide enough to round any float; without traps.
_EXACT = Context(prec=700, traps=[])
_WORD = re.compile(r"[^\w∞]*(\w+|∞)")


class Prediction(Shown, Question):
    """A question that shows itself: as widgets, or on a built page as native controls that cover what follows."""

    def __repr__(self):
        lines = [self.range[0].upper() + self.range[1:]] if self.number else [answer.text for answer in self.answers]
        return "\n".join([self.text, *(f"- {line}" for line in lines)])

    def _page(self):
        return prediction_html(self)

    def _widget(self):
        from lossprimer.explorer.prediction_widget import prediction_widget

        return prediction_widget(self)

    def _still(self):
        # Without what is said of the answers: it tells the right one.
        question, *lines = map(escape, repr(self).split("\n"))
        asked = "".join(f"<li>{line.removeprefix('- ')}</li>" for line in lines)
        return f"<p><strong>Predict.</strong> {question}</p><ul>{asked}</ul>"


def number(least: float, most: float, unit: str = "", *, slips: Mapping[float, str] | None = None) -> Number:
    """Return what `predict` needs to ask for a number.

    Parameters
    ----------
    least, most : number
        The smallest and the largest number that may be typed.
    unit : str, optional
        What follows it: ``"%"``, ``"nats"``. The right answer is in the same unit.
    slips : mapping of number to str, optional
        Numbers that a reader may well come to by mistake, each with the sentence that says why one might think so.

    Raises
    ------
    ValueError
        If `least` is not below `most`, or one of them is infinite.
    TypeError
        If one of them is not a number.
    """
    for name, value in {"least": least, "most": most}.items():
        if isinstance(value, bool) or not isinstance(value, Real):
            raise TypeError(f"{name} is {value!r}, expected a number")
        if math.isinf(value):
            raise ValueError(f"{name} is {value!r}, expected a finite number")
    if not least < most:
        raise ValueError(f"least is {least:g} and most is {most:g}, expected least below most")
    return Number(least, most, unit, dict(slips or {}))


def predict(
    question: str,
    answers: Mapping[str, str | None] | Number,
    *,
    right: Callable[[], object],
    because: str,
    within: float | None = None,
    cells: int | None = None,
) -> Prediction:
    """Ask a question before what answers it, and say of each answer why one might think so.

    Parameters
    ----------
    question : str
        What is asked; different for each prediction of a page.
    answers : mapping of str to str or None, or what `number` returns
        Two to five options, each with the sentence that says why one might choose it; the right one has None.
        Or a number that the reader types.
    right : callable
        Takes nothing and returns the right answer. It is called once, when the cell runs.
    because : str
        Why the right answer is right.
    within : number, optional
        For a number, how far from the right one an answer may be and still count as right.
    cells : int, optional
        How many of the code cells that follow are covered on a page until there is an answer, with the text
        among them and after the last one, up to the next code cell; 0 for nothing. By default all up to the next
        heading.

    Returns
    -------
    Prediction
        Shows itself: with ipywidgets in a running notebook, with native controls on the built site. Its text is the
        question and its options, not the answer.

    Raises
    ------
    ValueError
        If what `right` returns does not fall on the option that is marked right, or lies outside the range of a number;
        if not exactly one of two to five options is marked right; if a text has no words.
    TypeError
        If `right` cannot be called, or returns what no option can mean.

    Notes
    -----
    What `right` returns falls on an option by its kind:

    - a string: on the option with this text;
    - True or False: on the option whose first word is "yes" or "no";
    - nan or infinity: on the option whose first word is "nan", or "∞" or "infinity";
    - a number: on the option whose first number it becomes when rounded to that number's last digit that is not a
      trailing zero. A percentage stands for the share: 0.4508 falls on "about 45 %", and 148.4 on "150 times". If
      it fits the numbers of several options in this way, it falls on the one written most exactly.

    Examples
    --------
    >>> predict(
    ...     "How much of the whole is a quarter?",
    ...     {"25 %": None, "40 %": "That is what the 4 suggests."},
    ...     right=lambda: 1 / 4,
    ...     because="One part in four is 25 in a hundred.",
    ... )
    How much of the whole is a quarter?
    - 25 %
    - 40 %
    """
    _need_words("question", question)
    _need_words("because", because)
    if not callable(right):
        raise TypeError(f"right is {right!r}, expected a function without parameters that computes the answer")
    if cells is not None and (isinstance(cells, bool) or not isinstance(cells, int) or cells < 0):
        raise ValueError(f"cells is {cells!r}, expected how many code cells to cover, 0 or more")
    if isinstance(answers, Number):
        return Prediction(question, _numbers(answers, right(), within, because), answers, cells)
    if not isinstance(answers, Mapping):
        raise TypeError(f"answers is {answers!r}, expected a mapping of options to sentences, or a number")
    if within is not None:
        raise ValueError(f"within is {within!r}, expected none where the reader chooses among options")
    return Prediction(question, _options(answers, right(), because), None, cells)


def _options(options: Mapping[str, str | None], value: object, because: str) -> tuple[Answer, ...]:
    """Return the options, having made sure that the value falls on the one marked right."""
    if not 2 <= len(options) <= 5:
        raise ValueError(f"answers holds {len(options)} options, expected 2 to 5")
    marked = [text for text, sentence in options.items() if sentence is None]
    if len(marked) != 1:
        raise ValueError(f"answers marks {marked} as right, expected None as the sentence of exactly one option")
    for text, sentence in options.items():
        _need_words("an option", text)
        if sentence is not None:
            _need_words(f"the sentence of {text!r}", sentence)
    found = option_of(value, options)
    if found != marked[0]:
        falls = "falls on no option" if found is None else f"falls on {found!r}"
        raise ValueError(f"right() is {value!r}, which {falls}, but {marked[0]!r} is marked right")
    return tuple(Answer(text, sentence or because, sentence is None) for text, sentence in options.items())


def option_of(value: object, options: Mapping[str, str | None]) -> str | None:
    """Return the option that a computed value falls on, or None; the rule is that of `predict`."""
    value = value.item() if hasattr(value, "item") and getattr(value, "size", 1) == 1 else value
    if isinstance(value, str):
        return value if value in options else None
    if isinstance(value, bool):
        return _first_with(options, {"yes" if value else "no"})
    if not isinstance(value, Real):
        raise TypeError(f"right() returned {value!r}, expected an option's text, a truth value or a number")
    if math.isnan(value):
        return _first_with(options, {"nan"})
    if math.isinf(value):
        return _first_with(options, {"∞", "infinity"}) if value > 0 else None
    fitting = {text: unit for text in options if (unit := _unit_of_fit(value, text)) is not None}
    return min(fitting, key=fitting.get, default=None)


def _first_with(options: Mapping[str, str | None], words: set[str]) -> str | None:
    return next((text for text in options if (found := _WORD.match(text)) and found[1].lower() in words), None)


def _unit_of_fit(value: Real, text: str) -> Decimal | None:
    """Return how exactly the first number of a text is written, if the value becomes it when rounded as far."""
    match = _NUMBER.search(text)
    if match is None:
        return None
    digits = match["digits"].translate(_PLAIN)
    power = int((match["power"] or "0").translate(_PLAIN)) - (2 if match["percent"] else 0)
    number = Decimal(digits).scaleb(power)
    # Decimals show how exact a number is; of a round one, the zeros do not count.
    unit = Decimal(1).scaleb((number if "." in digits else number.normalize()).as_tuple().exponent)
    exact = Decimal(repr(float(value)))
    rounded = {exact.quantize(unit, rounding=mode, context=_EXACT) for mode in (ROUND_HALF_EVEN, ROUND_HALF_UP)}
    return unit if number in rounded else None


def _numbers(asked: Number, value: object, within: float | None, because: str) -> tuple[Answer, ...]:
    """Return the right number and the slips, each with the range that counts as it; the right one goes first."""
    value = value.item() if hasattr(value, "item") and getattr(value, "size", 1) == 1 else value
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"right() returned {value!r}, expected a number")
    if within is None or not within > 0:
        raise ValueError(f"within is {within!r}, expected how far an answer may be from the right number, above 0")
    if not asked.least <= value <= asked.most:
        raise ValueError(f"right() is {value!r}, expected a number from {asked.least:g} to {asked.most:g}")
    for slip, sentence in asked.slips.items():
        _need_words(f"the sentence of {slip!r}", sentence)
        if abs(slip - value) <= within:
            raise ValueError(f"right() is {value!r}, which falls on the slip {slip!r}")
    told = [(value, because, True), *((slip, sentence, False) for slip, sentence in asked.slips.items())]
    return tuple(
        Answer(asked.text(number), sentence, right, float(number - within), float(number + within))
        for number, sentence, right in told
    )


def _need_words(name: str, text: object) -> None:
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"{name} is {text!r}, expected words")
