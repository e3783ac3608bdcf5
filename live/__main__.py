"""Have the files that pages need for Python, or write what a site ships into a folder.

    python -m live            fetch the files, unless LIVE is 0
    python -m live FOLDER     fetch them, and write FOLDER

Where they cannot be had, one sentence says what can be done.
"""

import sys
from pathlib import Path

from live import bundle, files, lite, runtime, wanted

try:
    if sys.argv[1:]:
        runtime.ship(Path(sys.argv[1]))
    elif wanted():
        files.had()
        files.had(lite.LISTED)
        bundle.bundle(files.cache())
except files.FilesMissing as error:
    sys.exit(str(error))
