"""Install a program of the system for the tests: as Debian's package, where this is Debian and we are root."""

import os
import shutil
import subprocess


def can_install() -> bool:
    """Return whether packages can be installed here."""
    return shutil.which("apt-get") is not None and os.geteuid() == 0


def install(package: str) -> None:
    """Install a package; who needs it finds out whether that went well."""
    for command in (["apt-get", "update"], ["apt-get", "install", "--yes", package]):
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
