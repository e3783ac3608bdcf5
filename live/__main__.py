"""Write the files that pages need for Python into a folder: python -m live FOLDER."""

import sys
from pathlib import Path

from live import files, runtime

try:
    runtime.ship(Path(sys.argv[1]))
except files.FilesMissing as error:
    sys.exit(str(error))
