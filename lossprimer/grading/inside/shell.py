"""How does a notebook's code run without a notebook? In IPython's own shell, which hands its outputs to a list."""

import ast
import base64
import builtins
import contextlib
import io
import linecache
import os
import sys
import types

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

# A picture is shown; HTML and its scripts are not: they would run where a teacher grades.
SHOWN = ("text/plain", "image/png", "image/jpeg")
CELL_CHARACTERS = 2**20
_FAILURE = 2000
_HERE = os.path.dirname(__file__)
_NO_COMMANDS = "(Commands of the system do not run where a notebook is graded.)"


class Collected:
    """The outputs of one cell, as a notebook stores them, up to a size."""

    def __init__(self):
        self.outputs = []
        self._left = CELL_CHARACTERS

    def write(self, name: str, text: str) -> None:
        """Add text to the stream `name`."""
        text = self._fitting(text)
        last = self.outputs[-1] if self.outputs else {}
        if last.get("name") == name:
            last["text"] += text
        elif text:
            self.outputs.append({"output_type": "stream", "name": name, "text": text})

    def show(self, kind: str, data: dict) -> None:
        """Add what was displayed: of its forms those that are shown."""
        data = {name: _text(data[name]) for name in SHOWN if isinstance(data.get(name), str | bytes)}
        if sum(map(len, data.values())) > self._left:
            data = {"text/plain": self._fitting(data.get("text/plain", "…"))}
        self._left -= sum(map(len, data.values()))
        self.outputs.append({"output_type": kind, "data": data})

    def fail(self, name: str, text: str, lines: list[str]) -> None:
        """Add an error with its traceback."""
        lines = [self._fitting(line) for line in lines[:100]]
        text = text[:_FAILURE]
        self.outputs.append({"output_type": "error", "ename": name[:200], "evalue": text, "traceback": lines})

    def _fitting(self, text):
        """As much of `text` as there is space for."""
        kept = text[: self._left]
        self._left -= len(kept)
        return kept


class _Stream(io.TextIOBase):
    """Standard output or standard error, as far as Python code writes to it."""

    def __init__(self, shell, name):
        self._shell, self._name = shell, name

    def writable(self):
        """A stream to write to."""
        return True

    def write(self, text):
        """Keep `text` with the outputs of the cell that runs."""
        self._shell.collected.write(self._name, str(text))
        return len(text)


class _Publisher(DisplayPublisher):
    def publish(self, data, metadata=None, source=None, *, transient=None, update=False, **kwargs):
        """Keep what a cell displays."""
        self.shell.collected.show("display_data", data)

    def clear_output(self, wait=False):
        """Forget what the cell has shown so far."""
        self.shell.collected.outputs.clear()


class _Hook(DisplayHook):
    def write_output_prompt(self):
        """There is no prompt."""

    def write_format_data(self, format_dict, md_dict=None):
        """Keep the value of the last line."""
        self.shell.collected.show("execute_result", format_dict)

    def finish_displayhook(self):
        """Nothing follows."""
        self._is_active = False


class Shell(InteractiveShell):
    """IPython without a terminal, a history and commands of the system.

    Parameters
    ----------
    module : module
        Where the cells' names live.
    """

    display_pub_class = Type(_Publisher)
    displayhook_class = Type(_Hook)

    def __init__(self, module: types.ModuleType):
        self.collected = Collected()
        config = Config()
        config.HistoryManager.enabled = False
        config.InteractiveShell.colors = "nocolor"
        config.InteractiveShell.xmode = "Context"
        super().__init__(config=config, user_module=module)
        sys.stdout, sys.stderr = _Stream(self, "stdout"), _Stream(self, "stderr")
        builtins.input = _no_input
        for name in ("bash", "script", "sh", "sx", "system"):
            self.register_magic_function(lambda line, cell="": self.system(line), "line_cell", name)
        self.set_hook("show_in_pager", lambda _, data, *rest: print(data["text/plain"] if type(data) is dict else data))

    def run(self, source: str) -> tuple[list[dict], str]:
        """Run a cell; return its outputs, and what it raised as ``"Type: text"``, or nothing."""
        self.collected = Collected()
        try:
            result = self.run_cell(source, store_history=True)
            error = result.error_before_exec or result.error_in_exec
        except BaseException as raised:  # IPython itself was changed, or was interrupted
            error = raised
            self.collected.fail(type(raised).__name__, str(raised), [])
        if error is not None:
            self._define_the_rest(source)
        self.events.trigger("post_execute")  # figures are shown then
        failure = f"{type(error).__name__}: {error}".removesuffix(": ") if error else ""
        return self.collected.outputs, failure[:_FAILURE]

    def _define_the_rest(self, source):
        """Define what stands below the line that stopped a cell: a package that is missing here costs no answer."""
        with contextlib.suppress(Exception):
            source = self.transform_cell(source)
            linecache.cache["<cell>"] = len(source), None, source.splitlines(True), "<cell>"
            for statement in ast.parse(source).body:
                if isinstance(statement, ast.FunctionDef | ast.ClassDef) and statement.name not in self.user_ns:
                    exec(compile(ast.Module([statement], []), "<cell>", "exec"), self.user_ns)

    def system(self, cmd):
        """Say that there are no commands."""
        print(_NO_COMMANDS)

    system_raw = system_piped = system

    def getoutput(self, cmd, split=True, depth=0):
        """Say that there are no commands."""
        print(_NO_COMMANDS)
        return [] if split else ""

    def ask_exit(self):
        """Go on: ``exit`` and ``quit`` end nothing here."""

    def enable_gui(self, gui=None):
        """There is no window to open."""

    def init_virtualenv(self):
        """The environment is the one that this process has."""

    def _showtraceback(self, etype, evalue, stb):
        with contextlib.suppress(Exception):  # an exception whose text raises one
            lines = [line for line in map(str, stb) if f"File {_HERE}" not in line]
            self.collected.fail(etype.__name__, str(evalue), lines)


def _no_input(prompt=""):
    raise RuntimeError("input() has nobody to ask where a notebook is graded")


def _text(value):
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)
