"""What does ``python -m lossprimer.grading`` run? The commands that nbgrader does not have."""

import importlib
import sys

COMMANDS = ("autograde", "formgrader")
# nbformat imports jsonschema, which asks this about web addresses when it is there. No notebook has a field of that
# kind, and the grammar that it builds when it is imported takes most of a second of each process that grades.
sys.modules.setdefault("rfc3987_syntax", None)


def main() -> None:
    """Run the command that is named first."""
    name, *arguments = sys.argv[1:] or [""]
    if name not in COMMANDS:
        sys.exit(f"python -m lossprimer.grading needs a command: {' or '.join(COMMANDS)}. Each one explains --help.")
    importlib.import_module(f"lossprimer.grading.{name}").main(arguments)


if __name__ == "__main__":
    main()
