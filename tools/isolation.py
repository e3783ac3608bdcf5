"""Make sure that the tests can isolate submissions: with bubblewrap, which this installs where it can."""

import shutil

from lossprimer.grading import sandbox
from tools.debian import can_install, install


def main() -> None:
    """Say whether submissions can be isolated here; install what it takes first, where that is possible."""
    if shutil.which("bwrap") is None and can_install():
        install("bubblewrap")
    try:
        sandbox.require()
        print("The tests isolate submissions with bubblewrap")
    except sandbox.IsolationError as error:
        print(f"The tests of grading are left out. {error}")


if __name__ == "__main__":
    main()
