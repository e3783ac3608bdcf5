"""Run the trials that the chapters read from their records.

python -m experiments [NAME ...]           run them, all or those named, and write lossprimer/recorded/NAME.json
python -m experiments --again [NAME ...]   run them and write nothing: print what differs from the records

The exit status is 1 if a sentence that a chapter founds on a trial does not hold.
"""

import argparse
import inspect
import json
import platform
import sys
from datetime import date
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

HERE = Path(__file__).parent
RECORDS = HERE.parent / "lossprimer" / "recorded"


def names() -> list[str]:
    """Return the names of all experiments."""
    return [found.name for found in iter_modules([str(HERE)]) if not found.name.startswith("_")]


def experiment(name: str) -> ModuleType:
    """Return the module of an experiment."""
    return import_module(f"experiments.{name}")


def path(name: str) -> Path:
    """Return where the record of an experiment is."""
    return RECORDS / f"{name}.json"


def record(module: ModuleType) -> dict:
    """Run an experiment with its own settings; return what is to be recorded of it."""
    return {
        "date": date.today().isoformat(),
        "results": plain(module.run()),
        "settings": settings(module),
        "versions": {"python": platform.python_version(), "numpy": version("numpy")},
    }


def settings(module: ModuleType) -> dict:
    """Return the settings with which an experiment is recorded: the defaults of its `run`."""
    return {name: plain(option.default) for name, option in inspect.signature(module.run).parameters.items()}


def plain(value):
    """Return `value` made of what JSON has, with keys of text and numbers of four significant digits."""
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if hasattr(value, "tolist"):  # an array or a number of NumPy
        return plain(value.tolist())
    if isinstance(value, str | int | None):
        return value
    return float(f"{value:.4g}") if isinstance(value, float) else [plain(part) for part in value]


def written(content: dict) -> str:
    """Return the text of a record: sorted, and a list of numbers on one line, so that changes are easy to read."""
    lists = []

    def folded(value):
        if isinstance(value, dict):
            return {key: folded(part) for key, part in value.items()}
        if isinstance(value, list):
            lists.append(json.dumps(value, ensure_ascii=False, sort_keys=True))
            return f"\0{len(lists) - 1}\0"
        return value

    text = json.dumps(folded(content), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    for place, line in enumerate(lists):
        text = text.replace(json.dumps(f"\0{place}\0"), line)
    return text


def differences(old, new, place: str = "") -> list[str]:
    """Return a line for each value that is not the same."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = sorted(old.keys() | new.keys())
        return [line for key in keys for line in differences(old.get(key), new.get(key), f"{place} / {key}")]
    return [] if old == new else [f"{place.removeprefix(' / ')}: {old} was recorded, now {new}"]


def main(argv: list[str] | None = None) -> int:
    """Run what is asked for; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--again", action="store_true", help="compare with the records, and leave them as they are")
    parser.add_argument("names", nargs="*", metavar="NAME", default=names())
    options = parser.parse_args(argv)
    if unknown := [name for name in options.names if name not in names()]:
        parser.error(f"NAME is {unknown[0]!r}, expected one of {', '.join(names())}")
    broken = []
    for name in options.names:
        module = experiment(name)
        found = record(module)
        print(name, flush=True)
        if options.again:
            old = json.loads(path(name).read_text("utf-8"))
            for line in differences(old["results"], found["results"]):
                print(f"  {line}")
        else:
            path(name).write_text(written(found), "utf-8")
        broken += [f"{name}: {claim}" for claim, holds in module.claims(found["results"]).items() if not holds]
    for line in broken:
        print(f"does not hold: {line}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
