"""What does Python do in a reader's page? It runs what was typed, or checks it, and says what came of it."""

from __future__ import annotations

import ast
import builtins
import io
import itertools
import json
import linecache
import sys
import traceback
import types
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from difflib import get_close_matches
from typing import Any

import numpy as np

# The name under which what was typed stands in a traceback.
FILE = "your code"
# What the problem sets import in their first cells.
SETUP = """
import numpy as np
import lossprimer as lp
from lossprimer import checks, figures
from lossprimer.explorer import choice, explore, predict, slider, steps
"""
MOST_PRINTED = 10_000
_DRAWINGS = itertools.count(1)


def run(code: str, setup: str = SETUP) -> dict[str, Any]:
    """Run code as a notebook runs a cell.

    Parameters
    ----------
    code : str
        What was typed. The value of a last expression is shown, and so are figures of pyplot.
    setup : str
        Import statements that stand before it, as in the first cell of a notebook. Only names that `code` uses are
        imported.

    Returns
    -------
    dict
        ``printed``, the text that was printed; ``outputs``, a list of ``{"mime", "data"}``; and ``error``, None or
        ``{"name", "message", "line", "text"}`` with the number of the line in `code`, or None, and the traceback.
    """
    outputs: list[dict[str, str]] = []
    printed, error = _run(code, setup, outputs)
    return {"printed": printed, "outputs": outputs, "error": error}


def check(task: str, code: str, setup: str = SETUP, before: Sequence[str] = ()) -> dict[str, Any]:
    """Run code, and check what it defines.

    Parameters
    ----------
    task : str
        The name of a check, such as ``"softmax"``.
    code : str
        What was typed.
    setup : str
        As for `run`.
    before : sequence of str
        What was typed for other tasks, which `code` may use as cells of one notebook do. What fails in it is left out.

    Returns
    -------
    dict
        ``passed``, whether everything held; ``report``, the text that the same check shows in a notebook, and
        ``html``, as it looks there, both empty where there is none; ``printed`` and ``error`` as `run` returns them.

    Raises
    ------
    ValueError
        If there is no such task.
    """
    from lossprimer.checks import TASKS

    if task not in TASKS:
        raise ValueError(f"task is {task!r}, expected one of {', '.join(sorted(TASKS))}")
    reports = []
    ask = f"{TASKS[task].usage.partition('(')[0].split()[-1]}"
    printed, error = _run(
        code, setup, then=lambda names: reports.append(TASKS[task](_value(ask, names))), before=before
    )
    report = reports[0] if reports else None
    return {
        "passed": report is not None and report.passed,
        "report": "" if report is None else str(report),
        "html": "" if report is None else report._repr_mimebundle_()["text/html"],
        "printed": printed,
        "error": error,
    }


def draw(explorer: str, setting: list[int], texts: dict[str, str]) -> dict[str, Any]:
    """Draw a reader's own numbers; parameters and result are those of `lossprimer.explorer.own.answer`."""
    from lossprimer.explorer import own

    return own.answer(explorer, setting, texts)


def _value(name: str, names: dict[str, Any]) -> Any:
    """Look a name up as Python does, with its own error where there is none."""
    return eval(compile(name, f"the check of {FILE}", "eval"), names)


def answer(kind: str, request: str) -> str:
    """Answer a request of the page, both as JSON.

    What is not installed and was imported stands in the answer as ``missing``: the page loads it and asks again.
    """
    with _watching_imports() as missing:
        found = KINDS[kind](**json.loads(request))
    return json.dumps(found | {"missing": sorted(missing)})


def needs(request: str) -> str:
    """Return, as JSON, the modules that the code of a request imports, or that a drawing needs."""
    asked = json.loads(request)
    if "explorer" in asked:
        return '["matplotlib"]'
    code, setup = asked.get("code", ""), asked.get("setup", SETUP)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(code)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return "[]"
    return json.dumps(sorted(_imported(ast.Module([*_used(setup, tree), *tree.body], []))))


def _imported(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def _used(setup: str, code: ast.AST) -> list[ast.stmt]:
    """Return the import statements of `setup`, with the names alone that `code` uses."""
    used = {node.id for node in ast.walk(code) if isinstance(node, ast.Name)}
    statements = []
    for statement in ast.parse(setup).body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            names = [alias for alias in statement.names if _name(alias) in used]
            statement.names = names
            statements += [statement] if names else []
    return statements


def _bound(setup: str) -> list[str]:
    """Return the names that the import statements of `setup` bind."""
    statements = (node for node in ast.parse(setup).body if isinstance(node, ast.Import | ast.ImportFrom))
    return [_name(alias) for statement in statements for alias in statement.names]


def _name(alias: ast.alias) -> str:
    return alias.asname or alias.name.partition(".")[0]


def _run(
    code: str,
    setup: str,
    outputs: list[dict[str, str]] | None = None,
    then: Callable[[dict[str, Any]], object] | None = None,
    before: Sequence[str] = (),
) -> tuple[str, dict[str, Any] | None]:
    """Run `code` in a module of its own, then do `then` with its names; return what was printed, and the error.

    Of the cells `before`, what they define is there, and what they print or raise is not told.
    """
    module = types.ModuleType("__main__")
    module.__file__ = FILE
    names = module.__dict__
    names["display"] = lambda *values: outputs.extend(map(_shown, values)) if outputs is not None else None
    # Tracebacks and warnings quote the lines from here.
    linecache.cache[FILE] = (len(code), None, code.splitlines(keepends=True), FILE)
    with _listening() as text, _as_main(module), np.errstate():  # which leaves NumPy's own setting as it was
        for cell in before:
            with _listening(), suppress(Exception):
                exec(compile(f"{setup}\n{cell}", "another task", "exec", dont_inherit=True), names)
        try:
            tree = compile(code, FILE, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
            exec(compile(ast.Module(_used(setup, tree), []), "setup", "exec"), names)
            value = evaluate(tree, names, FILE)
            if outputs is not None:
                outputs += [_shown(value)] if value is not None else []
                outputs += [] if _is_figure(value) else _open_figures()
            if then is not None:
                then(names)
            error = None
        except BaseException as raised:
            error = _told(raised, _bound(setup))
        finally:
            _close_figures()
    return str(text), error


def evaluate(tree: ast.Module, names: dict[str, Any], file: str) -> object:
    """Execute code as a notebook does a cell; return the value of a last expression, or None."""
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, file, "exec", dont_inherit=True), names)
    return last and eval(compile(ast.Expression(last.value), file, "eval", dont_inherit=True), names)


# What is shown.


def _shown(value: object) -> dict[str, str]:
    """Return how a value is shown: as a drawing, as the HTML that it has of itself, or as text."""
    from lossprimer.explorer.drawings import Drawings
    from lossprimer.explorer.picture import Picture, picture_html

    if isinstance(value, Drawings):
        # An explorer needs a kernel; its first picture does not.
        value = value.picture(value.initial)
    if isinstance(value, Picture):
        return {"mime": "text/html", "data": picture_html(value, f"live-{next(_DRAWINGS)}")}
    if _is_figure(value):
        return _drawing(value)
    html = None
    for name, pick in (
        ("_repr_mimebundle_", lambda bundle: bundle.get("text/html")),
        ("_repr_html_", lambda html: html),
    ):
        if html is None and hasattr(type(value), name) and not isinstance(value, type):
            html = _attempt(lambda name=name, pick=pick: pick(getattr(value, name)()))
    return {"mime": "text/html", "data": html} if html else {"mime": "text/plain", "data": _cut(repr(value))}


def _is_figure(value: object) -> bool:
    return "matplotlib.figure" in sys.modules and isinstance(value, sys.modules["matplotlib.figure"].Figure)


def _attempt(show: Callable[[], Any]) -> Any:
    """Return what `show` does; what cannot show itself is shown as text."""
    try:
        return show()
    except Exception:
        return None


def _open_figures() -> list[dict[str, str]]:
    """Draw the figures that pyplot has open."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return []
    return [_drawing(pyplot.figure(number)) for number in pyplot.get_fignums()]


def _close_figures() -> None:
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")


def _drawing(figure: Any) -> dict[str, str]:
    from lossprimer.explorer.dark import twins
    from lossprimer.explorer.svg import inline_svg

    name = f"live-{next(_DRAWINGS)}"
    svg = inline_svg(figure, f"{name}-")
    return {
        "mime": "text/html",
        "data": f'<div class="picture-drawing" role="img" aria-label="A figure" data-dark="{twins([svg])}">{svg}</div>',
    }


# What is printed.


class _Heard(io.TextIOBase):
    """A stream that keeps as much as a page should show, and counts the rest."""

    def __init__(self):
        self._kept, self._length = io.StringIO(), 0

    def write(self, text):
        room = MOST_PRINTED - self._length
        if room > 0:
            self._kept.write(text[:room])
        self._length += len(text)
        return len(text)

    def writable(self):
        return True

    def __str__(self):
        return _remark(self._kept.getvalue(), self._length)


def _cut(text: str) -> str:
    return _remark(text[:MOST_PRINTED], len(text))


def _remark(text: str, length: int) -> str:
    if length <= MOST_PRINTED:
        return text
    return f"{text}\n… cut here: {length:,} characters in all, of which the first {MOST_PRINTED:,} are shown"


def _no_input(prompt: object = "", /) -> str:
    raise RuntimeError("input() cannot ask you anything on a page. Write the value into the code.")


@contextmanager
def _listening() -> Iterator[_Heard]:
    """Collect what is printed or warned of."""
    heard, asks = _Heard(), builtins.input
    builtins.input = _no_input
    try:
        with redirect_stdout(heard), redirect_stderr(heard), warnings.catch_warnings():
            warnings.simplefilter("default")
            warnings.showwarning = lambda *warning: heard.write(warnings.formatwarning(*warning[:4]))
            # A figure is shown when the code has ended: plt.show() is not needed, and no fault.
            warnings.filterwarnings("ignore", "FigureCanvas.* is non-interactive")
            yield heard
    finally:
        builtins.input = asks


@contextmanager
def _as_main(module: types.ModuleType) -> Iterator[None]:
    """Let a module stand for the program, as classes, doctests and pickles expect."""
    before = sys.modules["__main__"]
    sys.modules["__main__"] = module
    try:
        yield
    finally:
        sys.modules["__main__"] = before


# What goes wrong.


def _told(error: BaseException, offered: Iterable[str]) -> dict[str, Any]:
    """Return an error as Python tells it, with the line of what was typed, and without the frames around that.

    Python proposes a name that is there for one that is not; names that are `offered` are there when they are used.
    """
    report = traceback.TracebackException(type(error), error, error.__traceback__, limit=-50)
    report.stack[:] = [frame for frame in report.stack if frame.filename not in (__file__, "setup")]
    lines = [frame.lineno for frame in report.stack if frame.filename == FILE]
    line = error.lineno if isinstance(error, SyntaxError) and error.filename == FILE else (lines or [None])[-1]
    *_, last = report.format_exception_only()
    name, _, message = last.strip().partition(": ")
    text = "".join(report.format())
    if isinstance(error, NameError) and "Did you mean" not in message:
        for close in get_close_matches(error.name or "", offered, n=1):
            message = f"{message}. Did you mean: {close!r}?"
            text = text.replace(last, f"{last.rstrip()}. Did you mean: {close!r}?\n")
    return {"name": type(error).__name__, "message": message, "line": line, "text": _cut(text)}


@contextmanager
def _watching_imports() -> Iterator[set[str]]:
    """Collect the names of modules that are imported and nowhere to be found."""
    missing: set[str] = set()

    class Watch:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if path is None:
                missing.add(name)

    sys.meta_path.append(Watch)
    try:
        yield missing
    finally:
        sys.meta_path.remove(Watch)


KINDS: dict[str, Callable[..., dict[str, Any]]] = {"run": run, "check": check, "draw": draw}
