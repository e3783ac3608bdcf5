"""What a check answers: a report of what held, the first thing that did not, and why."""

import html
import textwrap
from dataclasses import dataclass

_WIDTH = 72  # fits a box of code on the site, and half a screen
_NOT_ATTEMPTED = "not attempted yet"


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


@dataclass(frozen=True)
class Finding:
    """The first thing that did not hold.

    Parameters
    ----------
    title : str
        What was tried.
    given, came, expected : str
        The input, what the learner's function made of it, and what is right; an empty one is not shown.
    cause : str
        The likely cause, and where to look.
    line : str, optional
        The line of the learner's code that raised an error, after its number.
    """

    title: str
    given: str
    came: str
    expected: str
    cause: str
    line: str = ""

    @property
    def lines(self) -> list[tuple[str, str]]:
        """Pairs of a label and its text."""
        pairs = {
            "input": self.given,
            "came": self.came,
            "in line": self.line,
            "expected": self.expected,
            "likely": self.cause,
        }
        return [(label, text) for label, text in pairs.items() if text]


@dataclass(frozen=True, repr=False)
class Report:
    """What a check found out. It shows as a list in Jupyter and as text elsewhere.

    Parameters
    ----------
    task : str
        What was to be written, as ``softmax(z)``.
    held : tuple of str
        What was tried and held, in order.
    finding : Finding, optional
        The first thing that did not hold.
    untried : int
        How many more would have been tried.
    attempted : bool
        False for a stub that raises NotImplementedError.
    """

    task: str
    held: tuple[str, ...] = ()
    finding: Finding | None = None
    untried: int = 0
    attempted: bool = True

    @property
    def passed(self) -> bool:
        """Whether the task was attempted and everything held."""
        return self.attempted and self.finding is None

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
        lines = textwrap.wrap(self._summary, _WIDTH, subsequent_indent="  ")
        if self.held:
            lines += _entry("held", "; ".join(self.held))
        if self.finding is not None:
            lines += _entry("did not hold", self.finding.title)
            for label, text in self.finding.lines:
                lines += _entry("  " + label, text)
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/html": self._html(), "text/plain": str(self)}

    @property
    def _summary(self):
        tried = len(self.held) + self.untried
        if self.finding is None:
            return f"{self.task}: all {tried} checks hold."
        return f"{self.task}: {len(self.held)} of {tried + 1} checks hold, then one does not."

    def _html(self):
        """Return lists and nothing else, so that the page's own colors apply, in light and in dark."""
        if not self.attempted:
            return f"<p>{_code(self.task)}: {_NOT_ATTEMPTED}</p>"
        _, _, summary = self._summary.rpartition(": ")
        items = [f"<li>held: {html.escape(title)}</li>" for title in self.held]
        if self.finding is not None:
            details = "".join(
                f"<dt>{label}</dt><dd>{html.escape(text) if label == 'likely' else _code(text)}</dd>"
                for label, text in self.finding.lines
            )
            title = html.escape(self.finding.title)
            items.append(f"<li><strong>did not hold: {title}</strong><dl>{details}</dl></li>")
        return f"<p>{_code(self.task)}: {summary}</p><ul>{''.join(items)}</ul>"


def _code(text):
    return f"<code>{html.escape(text)}</code>"


def _entry(label, text):
    """Lines of `text`, the first of them after its label, the others below."""
    indent = " " * 16
    return textwrap.wrap(f"{'  ' + label:<15} {text}", _WIDTH, subsequent_indent=indent, break_long_words=False)
