"""What stands in the record? The answers of every framework, the versions that gave them, and the date."""

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from frameworks import FRAMEWORKS, HERE, RECORD
from frameworks.words import QUESTIONS, say


@dataclass(frozen=True)
class Answer:
    """What a framework answers to a question.

    Parameters
    ----------
    framework : str
        The name of its module of probes.
    of : tuple of str
        What was asked, and answered so: layers, functions, arguments.
    sentence : str
        What they do, with names of programs in backquotes.
    probes : tuple of str
        The names of the functions that measured it.
    """

    framework: str
    of: tuple[str, ...]
    sentence: str
    probes: tuple[str, ...]


def load(path: Path = RECORD) -> dict[str, Any]:
    """Read a record."""
    return json.loads(path.read_text("utf-8"))


def sentences(record: dict[str, Any], question: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield framework, what was asked, sentence and probe of each answer to a question."""
    for answer in record["answers"]:
        if answer["question"] == question:
            yield answer["framework"], answer["of"], say(question, answer["value"]), answer["probe"]


def answers(record: dict[str, Any], question: str) -> list[Answer]:
    """Return the answers to a question; what answers alike, in one framework, as one."""
    alike: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for framework, of, sentence, probe in sentences(record, question):
        alike.setdefault((framework, sentence), []).append((of, probe))
    return [
        Answer(framework, tuple(of for of, _ in asked), sentence, tuple(dict.fromkeys(probe for _, probe in asked)))
        for (framework, sentence), asked in alike.items()
    ]


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Return, as lines of Markdown, which sentences another record has otherwise, and with which versions.

    What changes no sentence is no change: a digit that the sentence rounds away, or a version alone.
    """
    lines = []
    for question in QUESTIONS:
        before, after = (
            {(framework, of): sentence for framework, of, sentence, _ in sentences(record, question)}
            for record in (old, new)
        )
        for framework, of in before | after:
            said, says = (record.get((framework, of), "not asked") for record in (before, after))
            if said != says:
                lines += [f"- {question}, {FRAMEWORKS[framework]}, `{of}`", f"  - before: {said}", f"  - now: {says}"]
    if lines:
        for framework, versions in new["versions"].items():
            lines.append(f"- {FRAMEWORKS[framework]}: {', '.join(map(' '.join, versions.items()))}")
    return lines


def source(framework: str, probe: str) -> str:
    """Return the lines of a probe, decorators included."""
    text = _module(framework)
    (function,) = (node for node in _statements(text) if _is_probe(node) and node.name == probe)
    return _lines(text, function)


def shared(framework: str) -> str:
    """Return what the probes of a framework share: imports, constants and helpers."""
    text = _module(framework)
    parts = [_lines(text, node) for node in _statements(text)[1:] if not _is_probe(node)]
    return "\n".join(parts)


def _module(framework: str) -> str:
    return (HERE / "probes" / f"{framework}.py").read_text("utf-8")


@cache  # a module has many probes, and each is asked for by itself
def _statements(text: str) -> list[ast.stmt]:
    return ast.parse(text).body


def _is_probe(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and any(_names(part) == "probe" for part in node.decorator_list)


def _names(decorator: ast.expr) -> str:
    return decorator.func.id if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) else ""


def _lines(text: str, node: ast.stmt) -> str:
    first = min([node.lineno, *(part.lineno for part in getattr(node, "decorator_list", []))])
    return "\n".join(text.splitlines()[first - 1 : node.end_lineno])
