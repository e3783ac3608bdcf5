"""How does the course's own package reach the page? As the wheel that is built from this checkout."""

import hashlib
import io
from pathlib import Path
from typing import Any

from flit_core.wheel import WheelBuilder

from live import files

ROOT = Path(__file__).resolve().parent.parent
# The earliest time that an archive can name: the same code gives the same bytes.
NO_TIME = (1980, 1, 1, 0, 0, 0)


def build(folder: Path, root: Path = ROOT) -> dict[str, Any]:
    """Write the wheel of the project in `root` into `folder`; return its entry for Pyodide's lock file."""
    content = io.BytesIO()
    builder = WheelBuilder.from_ini_path(root / "pyproject.toml", content)
    builder.source_time_stamp = NO_TIME
    builder.build()
    (folder / builder.wheel_filename).write_bytes(content.getvalue())
    name, version = builder.metadata.name, builder.metadata.version
    digest = hashlib.sha256(content.getvalue()).hexdigest()
    return files.locked(name, version, builder.wheel_filename, digest, depends=["numpy"], imports=[name])
