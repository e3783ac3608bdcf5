"""What does your framework do? Questions are put to frameworks by running them; their answers make one record.

`__main__` makes an environment for each framework, runs its `probes` there, all on the same `inputs`, and writes
`record.json`. From that, `record` reads the answers, `words` puts them into sentences, and `page` shows these in
book/frameworks.md. Only the probes import a framework.
"""

import hashlib
from pathlib import Path

HERE = Path(__file__).parent
RECORD = HERE / "record.json"
# The name of the module of its probes, and the name that readers know.
FRAMEWORKS = {"pytorch": "PyTorch", "keras": "Keras, TensorFlow", "jax": "JAX, Flax, Optax", "onnx": "ONNX"}


def pins(name: str) -> dict[str, str]:
    """Return the packages that a framework's environment is made of, and the version of each."""
    lines = (HERE / "requirements" / f"{name}.txt").read_text("utf-8").split()
    return dict(line.split("==") for line in lines)


def fingerprint(name: str) -> str:
    """Return a hash of all that an answer of a framework comes from: its probes, and what these share."""
    parts = "inputs.py", "probes/__init__.py", f"probes/{name}.py"
    return hashlib.sha256("".join((HERE / part).read_text("utf-8") for part in parts).encode()).hexdigest()
