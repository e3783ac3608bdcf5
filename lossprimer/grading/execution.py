"""How does a learner's notebook get its outputs? A program in the sandbox runs it; what comes back is only shown."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile

import nbformat
from nbformat import NotebookNode

from lossprimer.grading import sandbox
from lossprimer.grading.sandbox import Limits

COMMAND = (sys.executable, "-I", "-m", "lossprimer.grading.runner")
# A picture is shown; HTML and its scripts are not: they would run where a teacher grades.
SHOWN = ("text/plain", "image/png", "image/jpeg")
_BYTES = 2**24
_TEXT = 20_000


def execute(
    notebook: NotebookNode,
    tests: list[str],
    *,
    cell_seconds: float,
    seconds: float,
    limits: Limits | None = None,
    isolated: bool = True,
) -> dict[int, list[NotebookNode]]:
    """Run a notebook in a kernel in the sandbox.

    Parameters
    ----------
    notebook : NotebookNode
        Its code cells run in order.
    tests : list of str
        Cells that run after all of them.
    cell_seconds : float
        How long one cell may take before it is interrupted.
    seconds : float
        How long all of it may take.
    limits : Limits, optional
        What each process may use.
    isolated : bool
        Whether there is a sandbox around it.

    Returns
    -------
    dict of int to list of NotebookNode
        For each cell that ran its outputs, made anew from what the sandbox says. The tests are counted on from the
        last cell of the notebook.
    """
    request = {"notebook": notebook, "tests": tests, "timeout": cell_seconds}
    with tempfile.TemporaryFile("w+b") as said, tempfile.TemporaryFile("w+") as asked:
        json.dump(request, asked)
        asked.seek(0)
        # Files and not pipes: their size has a limit, and nobody waits for anybody.
        process = subprocess.Popen(
            sandbox.command(COMMAND, limits, isolated=isolated),
            stdin=asked,
            stdout=said,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        said.seek(0)
        return _read(said.read(_BYTES), len(notebook.cells) + len(tests))


def _read(said, count):
    """The outputs in a file that may hold anything."""
    outputs = {}
    for line in said.split(b"\n"):
        try:
            number, found = json.loads(line)
            if type(number) is int and 0 <= number < count:
                outputs[number] = [_output(output) for output in found[:100]]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            continue  # a line that was cut off, or is none of ours
    return outputs


def _output(found):
    """An output with the parts that are shown, and no others."""
    kind = found["output_type"]
    if kind == "stream":
        name = "stderr" if found["name"] == "stderr" else "stdout"
        return nbformat.v4.new_output("stream", name=name, text=_cut(found["text"]))
    if kind == "error":
        lines = [_cut(line) for line in found["traceback"][:100]]
        return nbformat.v4.new_output(
            "error", ename=_cut(found["ename"]), evalue=_cut(found["evalue"]), traceback=lines
        )
    if kind in ("display_data", "execute_result"):
        data = {name: found["data"][name] for name in SHOWN if isinstance(found["data"].get(name), str)}
        if "text/plain" in data:
            data["text/plain"] = _cut(data["text/plain"])
        return nbformat.v4.new_output(kind, data)
    raise ValueError(kind)


def _cut(text):
    if not isinstance(text, str):
        raise TypeError("no text")
    return text if len(text) <= _TEXT else text[:_TEXT] + "\n… (cut)"
