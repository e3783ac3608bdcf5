"""The environment that the commands run in: .venv, made by any Python from 3.11 on, on any system, by pip or by uv.

Nothing may be installed yet when a command starts, so this imports only Python's own library.
"""

import codecs
import locale
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools.debian import can_install, install

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)
# Not that of an environment, which may be the one that has to be made again.
PYTHON = getattr(sys, "_base_executable", None) or sys.executable
# What commands need, by the name of the file that says that it is there; "installed" covers all others. Each has the
# names of extras and dependency groups in pyproject.toml, and what a person who waits wants to know.
NEEDS = {
    "installed-run": ((), ("run",), "110 packages, 440 MB"),
    "installed-site": ((), ("book",), "152 packages, 900 MB"),
    "installed": (("grading-cluster",), ("book", "run", "test"), "198 packages, 1.3 GB"),
}
EVERYTHING = "installed"
# One thread for each product of matrices: those of the course are small, and more only get into each other's way. Text
# is UTF-8 whatever the system is set to. The rest silences advice that nobody here can follow.
SETTINGS = {
    "OMP_NUM_THREADS": "1",
    "PYTHONUTF8": "1",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_ROOT_USER_ACTION": "ignore",
}
# Settings of an environment, by the file that holds them, for Jupyter's programs.
QUIET = {
    # Errors alone: each kernel would warn that it talks to this machine without encryption.
    "etc/ipython/ipython_kernel_config.py": 'get_config().IPKernelApp.log_level = "ERROR"',
    # nbgrader warns where there is none; a teacher's own, in the folder of the course, is read as well.
    "etc/jupyter/nbgrader_config.py": "# Nothing to set",
    # JupyterLab asks nobody whether it may fetch news from elsewhere, and looks for no newer version.
    "share/jupyter/lab/settings/overrides.json": (
        '{"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": false}}'
    ),
}
# What a person has set for other projects, and would be looked at first.
FOREIGN = ("PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV")
# What would have each of hundreds of processes compile the same modules.
SLOW = ("PYTHONDONTWRITEBYTECODE",)
NO_VENV = (
    "This Python cannot make virtual environments. On Debian and Ubuntu: sudo apt-get install python3-venv."
    " Or install uv, and run the command again."
)
NO_INSTALL = (
    "Installing stopped for the reason above. Where that is the connection, run the command again: it goes on from"
    " what was fetched. A proxy is taken from the variable HTTPS_PROXY."
)


class EnvironmentFailed(Exception):
    """The environment could not be made; the message says what to do."""


class Environment:
    """The virtual environment of a copy of the course.

    Parameters
    ----------
    root : Path
        The folder of the copy.
    folder : Path, optional
        The folder of the environment, if it is not the copy's ``.venv``.
    windows : bool
        Whether programs lie where Windows has them.
    """

    def __init__(self, root: Path = ROOT, *, folder: Path | None = None, windows: bool = os.name == "nt"):
        self.root = root
        self.folder = folder or root / ".venv"
        self._programs = self.folder / ("Scripts" if windows else "bin")
        self._ending = ".exe" if windows else ""

    def program(self, name: str) -> str:
        """Return the path of an installed program, such as "python"; one that has a path already keeps it."""
        return name if os.path.isabs(name) else str(self._programs / f"{name}{self._ending}")

    def has(self, need: str) -> bool:
        """Return whether what a command needs is installed, and has not changed since."""
        changed = max((self.root / name).stat().st_mtime for name in ("requirements.txt", "pyproject.toml"))
        marks = (self.folder / name for name in (need, EVERYTHING))
        return any(self._is_here(mark) and mark.stat().st_mtime >= changed for mark in marks)

    def _is_here(self, mark: Path) -> bool:
        """Return whether a mark was made in this place: the programs of an environment do not survive a move."""
        return mark.is_file() and mark.read_text("utf-8") in ("", str(self.folder))

    def make(self) -> None:
        """Make the environment, if there is none in this place with a Python that still works.

        Raises
        ------
        EnvironmentFailed
            If this Python cannot.
        """
        if _works(self.program("python")) and all(map(self._is_here, self.folder.glob("installed*"))):
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        if uv := shutil.which("uv"):
            # With pip: some files of the runtime come from packages that it fetches.
            command = [uv, "venv", "--quiet", "--seed", "--no-project", "--python", PYTHON, str(self.folder)]
            done = subprocess.run(command, env=variables(self.root), check=False).returncode == 0
        else:
            done = self._venv() or (can_install() and install("python3-venv") is None and self._venv())
        if not done:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise EnvironmentFailed(NO_VENV)

    def _venv(self) -> bool:
        """Try Python's own way; where it fails it says so at length, and this says what to do."""
        command = [PYTHON, "-m", "venv", "--clear", str(self.folder)]
        return subprocess.run(command, env=variables(self.root), check=False, capture_output=True).returncode == 0

    def install(self, need: str) -> None:
        """Install what a command needs, in the versions of requirements.txt.

        Raises
        ------
        EnvironmentFailed
            If something cannot be installed; pip or uv has said what.
        """
        command = self.installer() + self.wanted(need)
        if subprocess.run(command, cwd=self.root, env=variables(self.root), check=False).returncode:
            raise EnvironmentFailed(NO_INSTALL)
        self._point_here()
        (self.folder / need).write_text(str(self.folder), "utf-8")

    def installer(self) -> list[str]:
        """Return the command that installs: uv where it is at hand, else pip, silent but for errors."""
        if uv := shutil.which("uv"):
            return [uv, "pip", "install", "--quiet", "--python", self.program("python")]
        return [self.program("python"), "-m", "pip", "install", "-qq"]

    def wanted(self, need: str) -> list[str]:
        """Return what to install, as arguments: all pins, or the packages that are needed, held to the pins."""
        if need == EVERYTHING:
            return ["--requirement", "requirements.txt"]
        import tomllib

        extras, groups, _ = NEEDS[need]
        project = tomllib.loads((self.root / "pyproject.toml").read_text("utf-8"))
        names = [name for group in groups for name in project["dependency-groups"][group]]
        pins = (self.root / "requirements.txt").read_text("utf-8").replace("\n-e .", "\n")
        constraints = self.folder / "constraints.txt"
        constraints.write_text(pins, "utf-8")
        itself = f".[{','.join(extras)}]" if extras else "."
        return ["--constraint", str(constraints), *names, "--editable", itself]

    def _point_here(self) -> None:
        """Say from the environment's own folder where the package is.

        An editable installation writes the path as it is, and Python 3.11 reads that file in the encoding of the
        locale: with a letter outside it, as in the name of a home folder, no Python of the environment starts any more.
        """
        for path in self.folder.rglob("site-packages/lossprimer.pth"):
            path.write_text(Path(os.path.relpath(self.root, path.parent)).as_posix() + "\n", "ascii")

    def quieten(self) -> None:
        """Have Jupyter's programs say and ask nothing that nobody wants to know here.

        Whether Sphinx, nbval or JupyterLab starts them, and however the environment came about.
        """
        for name, content in QUIET.items():
            settings = self.folder / name
            if not settings.is_file():
                settings.parent.mkdir(parents=True, exist_ok=True)
                settings.write_text(content + "\n", "utf-8")


def _works(python: str) -> bool:
    """Return whether there is such a Python, new enough: it is gone when the one that it was made from was removed."""
    trial = f"import sys; sys.exit(sys.version_info < {OLDEST})"
    try:
        return subprocess.run([python, "-c", trial], check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def variables(root: Path = ROOT) -> dict[str, str]:
    """Return the variables for a command: those that are set, and what all of the course's commands want.

    Where nothing can be written into the home folder, programs get one in _build.
    """
    kept = {name: value for name, value in os.environ.items() if name not in FOREIGN + SLOW}
    found = {**SETTINGS, **kept, "PIP_USER": "0"}
    # Some libraries read their files in the encoding of the locale, UTF-8 mode or not; C.UTF-8 is on every Linux.
    if sys.platform == "linux" and codecs.lookup(locale.getencoding()).name != "utf-8":
        found["LC_ALL"] = "C.UTF-8"
    home = Path(os.path.expanduser("~"))
    if not os.access(home, os.W_OK):
        home = root / "_build" / "home"
        home.mkdir(parents=True, exist_ok=True)
        found |= {"HOME": str(home), "USERPROFILE": str(home)}
    return found
