"""What a check answers: a report of what held, the first thing that did not, and why."""

import html
import textwrap
from dataclasses import dataclass
from typing import NamedTuple

_WIDTH = 72  # fits a box of code on the site, and half a screen
_INDENT = " " * 16
_NOT_ATTEMPTED = "not attempted yet"
_NEXT = "; the next one does not."


class CheckFailed(AssertionError):
    """What `Report.require` raises; a notebook shows its text and no traceback.

    Parameters
    ----------
    report : Report
        What did not hold.
    """

    def __init__(self, report: "Report"):
        super().__init__(str(report))
        self.report = report

    def _render_traceback_(self):
        return [f"{type(self).__name__}: {self}"]


class Cause(NamedTuple):
    """What is wrong, and how to put it right.

    Parameters
    ----------
    likely : str
        What is wrong. A report shows it.
    hint : str
        The remedy, which an exercise folds away. A report shows it to who asks for it.
    """

    likely: str
    hint: str = ""


@dataclass(frozen=True)
class Finding:
    """The first thing that did not hold.

    Parameters
    ----------
    title : str
        What was tried.
    given : str
        The input, as code that can be pasted and run.
    came, expected : str
        What the learner's function made of it, and what is right; an empty one is not shown.
    cause : Cause
        The likely cause, and the remedy.
    place : str
        The line of the learner's code that raised an exception.
    printed : str
        The last lines that the learner's code printed in this case.
    """

    title: str
    given: str
    came: str
    expected: str
    cause: Cause
    place: str = ""
    printed: str = ""

    @property
    def lines(self) -> list[tuple[str, str]]:
        """Pairs of a label and its text, without the hint."""
        pairs = (
            ("input", self.given),
            ("printed", self.printed),
            ("got", self.came),
            ("in", self.place),
            ("expected", self.expected),
            ("likely", self.cause.likely),
        )
        return [(label, text) for label, text in pairs if text]


# What is code, line by line; the rest is text that can be wrapped anywhere.
_CODE = frozenset({"input", "printed"})


@dataclass(frozen=True, repr=False)
class Report:
    """What a check found out. It shows as a list in Jupyter and as text elsewhere.

    Parameters
    ----------
    task : str
        What was to be written, such as ``softmax(z)``.
    held : tuple of str
        What was tried and held, in order.
    finding : Finding, optional
        The first thing that did not hold.
    untried : int
        How many more would have been tried.
    attempted : bool
        False for a stub that raises NotImplementedError.
    remark : str
        What could be better in an answer that holds.
    """

    task: str
    held: tuple[str, ...] = ()
    finding: Finding | None = None
    untried: int = 0
    attempted: bool = True
    remark: str = ""

    @property
    def passed(self) -> bool:
        """Whether the task was attempted and everything held."""
        return self.attempted and self.finding is None

    @property
    def hint(self) -> str:
        """How to put right what did not hold; empty where that is not known."""
        return self.finding.cause.hint if self.finding is not None else ""

    def require(self) -> None:
        """Do nothing if the check passed.

        Raises
        ------
        CheckFailed
            With the text of the report, if something did not hold or nothing was attempted.
        """
        if not self.passed:
            raise CheckFailed(self)

    def __str__(self):
        if not self.attempted:
            return f"{self.task}: {_NOT_ATTEMPTED}"
        lines = textwrap.wrap(f"{self.task}: {self._summary}", _WIDTH, subsequent_indent="  ")
        if self.held:
            lines += _entry("held", "; ".join(self.held))
        if self.finding is not None:
            lines += _entry("did not hold", self.finding.title)
            for label, text in self.finding.lines:
                lines += _block("  " + label, text) if label in _CODE else _entry("  " + label, text)
        if self.hint:
            lines += _entry("  hint", "folded away: add .hint to the call")
        if self.remark:
            lines += _entry("remark", self.remark)
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/html": self._html(), "text/plain": str(self)}

    @property
    def _summary(self):
        held, tried = len(self.held), len(self.held) + self.untried + 1
        if self.finding is None:
            return f"all {held} cases hold."
        if held == 0:
            return f"the first of {tried} cases does not hold." if tried > 1 else "the check does not hold."
        return f"{held} of {tried} cases hold{_NEXT}" if held > 1 else f"1 of {tried} cases holds{_NEXT}"

    def _html(self):
        """Return lists and nothing else, so that the page's own colours apply, in light and in dark."""
        if not self.attempted:
            return f"<p>{_code(self.task)}: {_NOT_ATTEMPTED}</p>"
        items = [f"<li>held: {html.escape(title)}</li>" for title in self.held]
        if self.finding is not None:
            details = "".join(f"<li>{label}: {_as_html(label, text)}</li>" for label, text in self.finding.lines)
            if self.hint:
                details += f"<li><details><summary>Hint</summary>{html.escape(self.hint)}</details></li>"
            title = html.escape(self.finding.title)
            items.append(f"<li><strong>did not hold: {title}</strong><ul>{details}</ul></li>")
        if self.remark:
            items.append(f"<li>remark: {html.escape(self.remark)}</li>")
        return f"<p>{_code(self.task)}: {self._summary}</p><ul>{''.join(items)}</ul>"


def _as_html(label, text):
    if label == "likely":
        return html.escape(text)
    if label in _CODE:
        return f"<pre>{_code(text)}</pre>"
    return _code(text)


def _code(text):
    return f"<code>{html.escape(text)}</code>"


def _entry(label, text):
    """Lines of `text`, the first of them after its label, the others below."""
    return textwrap.wrap(f"{'  ' + label:<15} {text}", _WIDTH, subsequent_indent=_INDENT, break_long_words=False)


def _block(label, text):
    """Lines of code below their label, which run when they are copied."""
    lines = []
    for line in text.splitlines():
        lines += textwrap.wrap(
            line,
            _WIDTH - 6,
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
            drop_whitespace=True,
            replace_whitespace=False,
        ) or [""]
    return [f"  {label}", *(" " * 6 + line for line in lines)]
