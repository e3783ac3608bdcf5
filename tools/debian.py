"""Install a program of the system for the tests: as Debian's package, where this is Debian and we are root."""

import os
import shutil
import subprocess


def can_install() -> bool:
    """Return whether packages can be installed here."""
    return shutil.which("apt-get") is not None and os.geteuid() == 0


def install(package: str) -> None:
    """Install a package, and say and ask nothing; the caller finds out whether that went well, and says so."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    for command in (["apt-get", "update"], ["apt-get", "install", "--yes", package]):
        subprocess.run(command, check=False, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"}, **quiet)
