"""Write the files that pages need for Python into a folder: python -m live FOLDER."""

import sys
from pathlib import Path

from live import files, ship

try:
    ship(Path(sys.argv[1]))
except files.FilesMissing as error:
    sys.exit(str(error))
