"""What does one framework answer? ``python -m frameworks.measure jax`` says it, in an environment that has it."""

import json
import platform
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Any

from frameworks import pins
from frameworks.probes import PROBES, attempt


def measure(name: str) -> dict[str, Any]:
    """Return the versions of a framework, and what each of its probes answers."""
    import_module(f"frameworks.probes.{name}")
    answers = [
        {"question": question, "framework": name, "of": of, "probe": function, "value": attempt(ask)}
        for question, of, function, ask in PROBES
    ]
    versions = {"Python": platform.python_version()} | {package: version(package) for package in pins(name)}
    return {"versions": versions, "answers": answers}


if __name__ == "__main__":
    json.dump(measure(sys.argv[1]), sys.stdout)
