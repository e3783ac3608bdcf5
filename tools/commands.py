"""The commands of the course, the same with make and without: each is a list of steps, announced as they run.

Like `tools.environment`, this is run by a Python that has nothing installed.
"""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tools.environment import EVERYTHING, ROOT

SITE = ROOT / "_build" / "html"
# The marks of the tests that take long.
LONG = ("live", "sandbox", "site", "frames", "kernel", "browser", "mutants")
# Those of them that ask for nothing but time: they run while the book is built.
ALONE = ("mutants",)
AFTER_THE_BOOK = tuple(mark for mark in LONG if mark not in ALONE)


def _without(marks: tuple[str, ...]) -> list[str]:
    return ["pytest", "tests", "lossprimer", "--quiet", "-m", " and ".join(f"not {mark}" for mark in marks)]


QUICK, BESIDE_THE_BOOK = _without(LONG), _without(AFTER_THE_BOOK)

# Files whose form somebody else has laid down, by the name of the schema; the forms for issues are looked for.
FORMS = ".github/ISSUE_TEMPLATE"
SCHEMAS = {
    "dependabot": [".github/dependabot.yml"],
    "citation-file-format": ["CITATION.cff"],
    "github-issue-config": [f"{FORMS}/config.yml"],
    "github-issue-forms": [],
}


@dataclass(frozen=True)
class Step:
    """A part of a command.

    Parameters
    ----------
    says : str
        What is done, and how long it takes where that is long; "" for what is done at once.
    commands : tuple of list of list of str
        Programs with their arguments, those of the environment by their names: lists of them run at the same time, and
        the programs of a list one after the other, until one fails.
    mended_by : tuple of str, optional
        A program with its arguments that puts right what makes the step fail.
    """

    says: str
    commands: tuple[list[list[str]], ...]
    mended_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Command:
    """A command.

    Parameters
    ----------
    says : str
        What it does, in a line.
    needs : str or None
        What must be installed, of `tools.environment.NEEDS`.
    steps : function
        Yields its steps, made from the words that follow the command.
    done : str
        What is said in the end.
    """

    says: str
    needs: str | None
    steps: Callable[[list[str]], Iterator[Step]]
    done: str = ""


COMMANDS: dict[str, Command] = {}


def command(says: str, needs: str | None = EVERYTHING, done: str = "") -> Callable:
    """Add a function that yields steps to the commands, under its name."""

    def add(steps: Callable[[list[str]], Iterator[Step]]) -> Callable:
        COMMANDS[steps.__name__] = Command(says, needs, steps, done)
        return steps

    return add


def _step(says: str, *command: str) -> Step:
    return Step(says, ([list(command)],))


def _tool(says: str, module: str, *arguments: str) -> Step:
    return _step(says, "python", "-m", module, *arguments)


def _named(words: list[str], everything: str) -> str:
    """Say what a step is about: what was named, or everything, of which alone it is known how long that takes."""
    return " ".join(words) or everything


BOOK = ["jupyter-book", "build", ".", "--all", "--warningiserror", "--nitpick", "--keep-going", "--quiet"]
COMPARE = ["pytest", "notebooks", "--quiet"]


def _before_the_book() -> Iterator[Step]:
    """Yield what the pages need: the students' notebooks, which they offer, and the files that they run.

    These are fetched where one sentence can say why they cannot be had: Sphinx would hide it in its own.
    """
    yield _tool("solving and writing the problem sets, some ten seconds", "tools.exercises", "handout")
    yield _tool("fetching what runs in the pages, 90 MB the first time", "live")


@command("build the site: _build/html/index.html", "installed-site", "The site is there: _build/html/index.html")
def book(words: list[str]) -> Iterator[Step]:
    yield from _before_the_book()
    yield _step("building the pages, about three minutes", *BOOK)


def _site() -> Iterator[Step]:
    if not (SITE / "index.html").is_file():
        yield from book([])


@command("serve the built site on this machine, and print its address", "installed-site")
def serve(words: list[str]) -> Iterator[Step]:
    yield from _site()
    yield _tool("", "tools.server", *(words or [os.environ.get("PORT", "8000")]))


@command("print the built site: _build/primer.pdf")
def pdf(words: list[str]) -> Iterator[Step]:
    yield from _site()
    yield _tool("", "tools.browser")
    yield _tool("printing, about a minute", "tools.pdf")


@command("photograph every page of the built site, for looking at: _build/gallery")
def gallery(words: list[str]) -> Iterator[Step]:
    yield from _site()
    yield _tool("", "tools.browser")
    yield _tool(f"photographing {_named(words, 'the pages, some four minutes')}", "tools.gallery", *words)


# The root is this folder, because notebooks link to pages and problem sets beside them. Of all that JupyterLab would
# say while it starts, its address is what one needs, and that is not held back with the rest.
LAB = ["jupyter", "lab", "--ServerApp.root_dir=.", "--LabApp.default_url=/lab/tree/notebooks"]
LAB += ["--Application.log_level=ERROR"]


@command("open the chapters in JupyterLab", "installed-run", "JupyterLab has ended.")
def notebooks(words: list[str]) -> Iterator[Step]:
    yield _step("starting JupyterLab: Ctrl+C, twice, ends it", *LAB, *words)


@command("write the students' problem sets: exercises/release")
def exercises(words: list[str]) -> Iterator[Step]:
    yield _tool("solving and writing the problem sets, some ten seconds", "tools.exercises", "release")


@command("write the solved problem sets, for teachers: _build/answers")
def answers(words: list[str]) -> Iterator[Step]:
    yield _tool("solving the problem sets, some ten seconds", "tools.exercises", "answers")


@command("write the self-tests for Moodle and Canvas: _build/quizzes")
def quizzes(words: list[str]) -> Iterator[Step]:
    yield _tool("", "tools.quizzes")


@command("execute the chapters, store their text outputs, draw the README's picture; with files, only these")
def outputs(words: list[str]) -> Iterator[Step]:
    yield _tool(f"executing {_named(words, 'the chapters, about three minutes')}", "tools.notebooks", "write", *words)
    yield _tool("", "tools.readme_picture")


@command("run the quick tests, which need no kernel, browser, sandbox or site")
def unit(words: list[str]) -> Iterator[Step]:
    options = ["--hypothesis-profile", "quick", "--numprocesses", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
    # To look for files that nobody closed takes more than a second in the end; make test looks for them.
    options += ["-p", "no:unraisableexception"]
    yield _step("testing, half a minute", *QUICK, *options, *words)


# The book executes the chapters on one core; meanwhile the other one executes them for comparison, and runs the quick
# tests. Of the others, three share two cores: what drives a browser, or grades, waits now and then.
@command("run every test: notebooks, units, the built site in a browser")
def test(words: list[str]) -> Iterator[Step]:
    yield _tool("", "tools.browser")
    yield _tool("", "tools.isolation")
    yield from _before_the_book()
    beside = [COMPARE, BESIDE_THE_BOOK]
    yield Step("building the pages, and the quick tests beside it, about three minutes", ([BOOK], beside))
    options = ["--numprocesses", "3", "--dist", "loadfile", "--no-loadscope-reorder"]
    yield _step("testing, about eight minutes", "pytest", "tests", "-m", " or ".join(AFTER_THE_BOOK), *options, *words)


@command("run every chapter and problem set in JupyterLite on the built site: minutes")
def live(words: list[str]) -> Iterator[Step]:
    yield from _site()
    yield _tool("", "tools.browser")
    yield _tool(f"running in a browser {_named(words, 'the notebooks, some ten minutes')}", "tools.live", *words)


@command("execute the chapters, and compare with what they have stored")
def compare(words: list[str]) -> Iterator[Step]:
    yield _step("executing the chapters, about three minutes", *COMPARE, *words)


@command("check code, notebooks and workflows")
def lint(words: list[str]) -> Iterator[Step]:
    yield _step("", "ruff", "check")
    yield Step("", ([["ruff", "format", "--check"]],), mended_by=("ruff", "format"))
    yield _tool("", "tools.notebooks", "check")
    found = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / FORMS).glob("*.yml"))
    forms = [path for path in found if path not in SCHEMAS["github-issue-config"]]
    for schema, files in SCHEMAS.items():
        yield _step("", "check-jsonschema", "--quiet", "--builtin-schema", f"vendor.{schema}", *(files or forms))
    yield _step("", "zizmor", "--offline", "--quiet", ".github")
    yield _tool("", "tools.workflows")


@command("print the speed figures, as ratios to a rival in the same run")
def bench(words: list[str]) -> Iterator[Step]:
    yield from _site()
    yield _tool("", "benchmarks", *words)


@command("run the trials that chapters read: lossprimer/recorded, minutes; with names, only these")
def experiments(words: list[str]) -> Iterator[Step]:
    yield _tool("", "experiments", *(words or os.environ.get("NAMES", "").split()))


@command("try the oldest versions that the package accepts, and Colab's: minutes", None)
def versions(words: list[str]) -> Iterator[Step]:
    yield _step("", sys.executable, "-m", "tools.versions", *words)


# Four environments in _build/frameworks, 8 GB: clean removes them.
@command("ask PyTorch, Keras, JAX and ONNX again: frameworks/record.json")
def frameworks(words: list[str]) -> Iterator[Step]:
    yield _tool("", "frameworks", *words)


@command("choose the newest versions that fit together: requirements.txt")
def pins(words: list[str]) -> Iterator[Step]:
    yield _tool("", "tools.pins")


@command("make the environment, .venv, with all that the other commands need")
def setup(words: list[str]) -> Iterator[Step]:
    yield from ()


@command("remove what was built, keep the environment", None)
def clean(words: list[str]) -> Iterator[Step]:
    yield _step("", sys.executable, "-m", "tools.clean")
