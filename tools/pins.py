"""Choose the newest versions that fit together: ``python -m tools.pins`` writes requirements.txt."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PATH = "requirements.txt"
WANTED = ["--extra", "grading-cluster", "--group", "book", "--group", "run", "--group", "test"]
COMPILE = ["--universal", "--python-version", "3.11", "--upgrade", "--no-emit-index-url", "--no-annotate"]


def main() -> None:
    """Have uv choose, and add the course itself."""
    python = [sys.executable, "-m"]
    subprocess.run([*python, "pip", "install", "-qq", "uv"], check=True)
    command = ["--custom-compile-command", "make pins", "--output-file", PATH]
    subprocess.run(
        [*python, "uv", "pip", "compile", "pyproject.toml", *WANTED, *COMPILE, *command], cwd=ROOT, check=True
    )
    with (ROOT / PATH).open("a", encoding="utf-8", newline="\n") as pins:
        pins.write("-e .\n")


if __name__ == "__main__":
    main()
