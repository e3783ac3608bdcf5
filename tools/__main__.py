"""Run a command of the course: ``python -m tools book``. Without one, list them.

This starts on any Python 3.11 or newer that has nothing installed, on any system: make only passes its targets on.
"""

import os
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - so far, an older one comes
    sys.exit("This is Python %d.%d, expected 3.11 or newer." % sys.version_info[:2])  # noqa: UP031

from tools.running import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], "make" if os.environ.get("MAKELEVEL") else "python -m tools"))
