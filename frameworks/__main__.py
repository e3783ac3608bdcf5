"""Ask every framework, and write down what it answers.

    python -m frameworks                     the pinned versions; into frameworks/record.json
    python -m frameworks --newest PATH       the newest versions; into another file
    python -m frameworks --compare PATH      say what the record at PATH answers otherwise; exit with 1 if anything

Each framework has an environment of its own, in _build/frameworks. That of PyTorch takes 5 GB on Linux, because its
package brings along what a graphics card needs; nothing of that is used.
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from frameworks import FRAMEWORKS, HERE, RECORD, fingerprint, pins

ENVIRONMENTS = HERE.parent / "_build" / "frameworks"
# One thread adds up in the same order everywhere; no graphics card; no chatter.
SETTINGS = {
    "OMP_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "KERAS_BACKEND": "tensorflow",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "PYTHONWARNINGS": "ignore",
}


def ask(name: str, *, newest: bool = False) -> dict[str, Any]:
    """Make the environment of a framework, if there is none, and run its probes there."""
    python = ENVIRONMENTS / name / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", ENVIRONMENTS / name], check=True)
    pinned = [f"{package}=={version}" for package, version in pins(name).items()]
    packages = ["--upgrade", *pins(name)] if newest else pinned
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages], check=True)
    command = [python, "-m", "frameworks.measure", name]
    result = subprocess.run(command, cwd=HERE.parent, env=os.environ | SETTINGS, check=True, stdout=subprocess.PIPE)
    return json.loads(result.stdout)


def record(*, newest: bool = False) -> dict[str, Any]:
    """Ask all frameworks, one after the other."""
    asked = {}
    for name, title in FRAMEWORKS.items():
        print(f"asking {title}", file=sys.stderr)
        asked[name] = ask(name, newest=newest)
    return {
        "date": datetime.date.today().isoformat(),
        "versions": {name: answered["versions"] for name, answered in asked.items()},
        "probes": {name: fingerprint(name) for name in asked},
        "answers": [answer for answered in asked.values() for answer in answered["answers"]],
    }


def written(record: dict[str, Any]) -> str:
    """Return a record as JSON in which each answer is a line, so that a difference can be read."""
    *head, answers = ((name, value) for name, value in record.items())
    lines = [f'"{name}": {json.dumps(value)}' for name, value in head]
    listed = ",\n".join(json.dumps(answer, ensure_ascii=False) for answer in answers[1])
    return "{\n" + ",\n".join([*lines, f'"answers": [\n{listed}\n]']) + "\n}\n"


def main() -> int:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m frameworks", description=__doc__.splitlines()[0])
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--newest", type=Path, metavar="PATH", help="ask the newest versions; write the record to PATH"
    )
    instead.add_argument("--compare", type=Path, metavar="PATH", help="say what the record at PATH answers otherwise")
    arguments = parser.parse_args()
    if arguments.compare:
        # What puts values into words needs NumPy, and this command runs without as long as it need not compare.
        from frameworks.record import changes, load

        lines = changes(load(), load(arguments.compare))
        print("\n".join(lines) or "Every answer is the same.")
        return int(bool(lines))
    path = arguments.newest or RECORD
    path.write_text(written(record(newest=bool(arguments.newest))), "utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
