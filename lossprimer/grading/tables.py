"""How does a table leave the course? As CSV in which no text that somebody chose is a formula."""

import csv
import unicodedata
from collections.abc import Iterable
from pathlib import Path

# A spreadsheet runs what begins so; a tab or a line end in front does not stop it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\N{FULLWIDTH EQUALS SIGN}", "\N{FULLWIDTH PLUS SIGN}")
_FORMULA += ("\N{FULLWIDTH HYPHEN-MINUS}", "\N{FULLWIDTH COMMERCIAL AT}")


def harmless(value: object) -> object:
    """An entry of a table that no spreadsheet takes for a formula: a text that begins like one gets an apostrophe."""
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA) and value != "-" and not _is_number(value):
        return f"'{value}"
    return value


def write(path: Path, rows: Iterable[Iterable[object]]) -> None:
    """Write the rows of a table, the headers among them, in UTF-8."""
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([harmless(entry) for entry in row] for row in rows)


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a table by their headers, without the apostrophes of `harmless`."""
    with Path(path).open(newline="", encoding="utf-8-sig") as file:
        return [
            {key: _as_it_was(value or "") for key, value in row.items() if key is not None}
            for row in csv.DictReader(file)
        ]


def on_a_line(text: str, width: int = 200) -> str:
    """A text that somebody chose, for a terminal: one line, without commands to it and of bearable length."""
    line = "".join("\ufffd" if unicodedata.category(letter)[0] == "C" else letter for letter in text[: width + 1])
    return line if len(line) <= width else line[: width - 3] + "..."


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text and text.strip() == text


def _as_it_was(entry):
    return entry[1:] if entry.startswith("'") and harmless(entry[1:]) != entry[1:] else entry
