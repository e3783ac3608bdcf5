"""Remove what was built, and keep the environment: ``python -m tools.clean``, with nothing installed."""

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILT = ("_build", ".pytest_cache", ".ruff_cache", ".hypothesis")


def clean(root: Path = ROOT) -> None:
    """Remove what commands have built or kept in the folder `root`."""
    compiled = [path for path in root.rglob("__pycache__") if ".venv" not in path.relative_to(root).parts]
    for path in [*(root / name for name in BUILT), *compiled]:
        shutil.rmtree(path, ignore_errors=True)


if __name__ == "__main__":
    clean()
