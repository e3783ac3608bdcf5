"""How do the answers come onto their page? By directives, from the record, each with the lines that measured it.

::

    ```{measured} momentum
    ```

shows what each framework answers to the question "momentum". `measured-with` says with which versions and when,
`measured-from` shows what the probes share.
"""

import datetime
import re
from collections.abc import Iterable
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from frameworks import FRAMEWORKS, HERE, RECORD, record
from frameworks.words import QUESTIONS
from theme.disclosure import disclosure, summary

# An operation, and which of the two programs of ONNX ran it.
_RUN_BY = re.compile(r"(\w+), (runtime|reference)")


def spoken(sentence: str) -> list[nodes.Node]:
    """Return a sentence as nodes: what stands in backquotes is code."""
    parts = re.split(r"`(.*?)`", sentence)
    return [nodes.literal("", part) if i % 2 else nodes.Text(part) for i, part in enumerate(parts) if part]


def folded(seen: list[nodes.Node], *code: str) -> disclosure:
    """Return lines of Python below what is seen of them."""
    blocks = [nodes.literal_block(text, text, language="python") for text in code]
    return disclosure("", summary("", "", *seen), *blocks)


def named(asked: Iterable[str]) -> list[str]:
    """Return what was asked about, as code, each operation of ONNX once: "`Dropout` (runtime, reference)"."""
    programs: dict[str, list[str]] = {}
    for of in asked:
        name, program = found.groups() if (found := _RUN_BY.fullmatch(of)) else (of, "")
        programs.setdefault(name, []).append(program)
    return [f"`{name}`" + (f" ({', '.join(which)})" if all(which) else "") for name, which in programs.items()]


def answered(answer: record.Answer) -> nodes.list_item:
    """Return an answer: who, asked about what, says what; and how it was measured."""
    asked = [part for name in named(answer.of) for part in (nodes.Text(", "), *spoken(name))][1:]
    who = nodes.inline("", "", nodes.strong("", FRAMEWORKS[answer.framework]), nodes.Text(" "))
    who += nodes.inline("", "", *asked, nodes.Text(": "), classes=["asked"])
    seen = [who, nodes.inline("", "", *spoken(answer.sentence))]
    return nodes.list_item("", folded(seen, *(record.source(answer.framework, probe) for probe in answer.probes)))


class Measured(SphinxDirective):
    """Show what each framework answers to a question."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the list of answers."""
        (question,) = self.arguments
        if question not in QUESTIONS:
            raise self.error(f"{question!r} is no question; these are: {', '.join(QUESTIONS)}")
        for part in (RECORD, *HERE.rglob("*.py")):
            self.env.note_dependency(str(part))
        items = [answered(answer) for answer in record.answers(record.load(), question)]
        return [nodes.bullet_list("", *items, classes=["measured"])]


class MeasuredWith(SphinxDirective):
    """Say which versions were asked, and when."""

    def run(self) -> list[nodes.Node]:
        """Return the date, and a list with a line for each environment."""
        loaded = record.load()
        date = datetime.date.fromisoformat(loaded["date"])
        python = " and ".join(sorted({versions["Python"] for versions in loaded["versions"].values()}))
        said = (
            f"Measured on {date.day} {date:%B %Y} with Python {python}, on the processor, not a graphics card, and with"
        )
        lines = [
            ", ".join(f"{package} {version}" for package, version in versions.items() if package != "Python")
            for versions in loaded["versions"].values()
        ]
        items = [nodes.list_item("", nodes.paragraph("", line)) for line in lines]
        return [nodes.paragraph("", said), nodes.bullet_list("", *items)]


class MeasuredFrom(SphinxDirective):
    """Show what the probes share: the inputs of all, and the first lines of each framework."""

    def run(self) -> list[nodes.Node]:
        """Return them folded."""
        code = (HERE / "inputs.py").read_text("utf-8")
        shown = {"What every framework is given": code} | {
            f"What the probes of {title} share": record.shared(name) for name, title in FRAMEWORKS.items()
        }
        return [folded([nodes.Text(title)], text) for title, text in shown.items()]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives, and what they fold."""
    app.setup_extension("theme.disclosure")
    app.add_directive("measured", Measured)
    app.add_directive("measured-with", MeasuredWith)
    app.add_directive("measured-from", MeasuredFrom)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
