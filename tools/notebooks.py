"""Keep the chapters in one canonical form: executed, with their text outputs and nothing else.

    python -m tools.notebooks write [NB ...]    execute, then store in the canonical form
    python -m tools.notebooks check [NB ...]    change nothing; name all that is not canonical, and exit 1

Without names, all of notebooks/*.ipynb. Cells are counted from 1, text cells included.

The canonical form keeps of each output the text that ``pytest notebooks`` compares and a diff can show:
streams, ``text/plain``, and the name and message of an exception announced by the tag ``raises-exception``.
Pictures and widgets are drawn again wherever the notebook runs. Some things only an author can mend, so they
are refused: text on stderr (a chapter has no warnings), an exception that nobody announced, a memory address, and
an output whose text says nothing, because then nothing of it is compared.

A progress bar leaves no trace. Lines that a program redraws on stderr are dropped, and so is the text that
stands for a bar drawn as a widget. The bar is there again when nbval runs the cell, so a cell with a bar has
the tag ``nbval-ignore-output``, and what is claimed of its result is asserted in a later cell, which is
compared.
"""

import argparse
import hashlib
import json
import re
import shlex
import sys
import time
from functools import partial
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, CellExecutionError, DeadKernelError
from nbformat import NotebookNode

from lossprimer.explorer.shown import STAYS

CHAPTERS = Path(__file__).resolve().parent.parent / "notebooks"

FORMAT_MINOR = 5  # the first whose cells have ids
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
CELL_METADATA = ("tags",)

TEXT = "text/plain"
WIDGET = "application/vnd.jupyter.widget-view+json"

REDRAWN = re.compile(r"^[^\n]*\r(?=[^\n])", re.MULTILINE)
# A warning can land on the line of a half-drawn bar, and must not go with it.
PROGRESS = re.compile(r"\r(?![^\r\n]*Warning)[^\r\n]*|\x1b\[A")
METER = re.compile(r"\[\d\d:\d\d[<,].*\]\s*$")  # how tqdm's bars end: [00:00<?, ?it/s]
ADDRESS = re.compile(r"\bat 0x[0-9A-Fa-f]{6,}")
WORDLESS = re.compile(r"<(Figure size .*|IPython\.core\.display\.\w+ object)>")


class NotebookError(Exception):
    """Something stops the work on a notebook; the message says what, for the person at the terminal."""


def load(path):
    """Read a notebook of format 4 as it is, without repairing anything."""
    return parse(read_text(path))


def read_text(path):
    """Return the text of the file at `path`, its line ends as they are."""
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise NotebookError(f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise NotebookError(f"is not UTF-8: {error.reason} at byte {error.start}") from None


def parse(text):
    """Return the notebook that `text` holds."""
    try:
        content = json.loads(text)
    except ValueError as error:
        raise NotebookError(f"is not JSON: {error}") from None
    if not isinstance(content, dict) or content.get("nbformat") != 4:
        raise NotebookError("is not a notebook of format 4")
    try:
        # Minor version 4 asks for no cell ids, and the loose validation lets them be: both are checked later.
        nbformat.validate(content, version=4, version_minor=4, relax_add_props=True)
    except nbformat.ValidationError as error:
        raise NotebookError(f"is not a valid notebook: {error.message}") from None
    return nbformat.v4.to_notebook(content)


def serialize(nb):
    """Return the one text that stands for `nb`: sorted keys, indent 1, one line per line, final newline."""
    return nbformat.v4.writes(nb) + "\n"


def tidy(nb):
    """Bring `nb` to the canonical form in place, and return a line for each thing that was not.

    A second call finds nothing.
    """
    return [*_tidy_notebook(nb), *_tidy_cells(nb)]


def _tidy_notebook(nb):
    if nb.nbformat_minor != FORMAT_MINOR:
        yield f"notebook: format 4.{nb.nbformat_minor}, not 4.{FORMAT_MINOR}"
        nb.nbformat_minor = FORMAT_MINOR
    for key in sorted(nb.metadata.keys() | METADATA):
        if nb.metadata.get(key) != METADATA.get(key):
            yield f"notebook: metadata {key!r}"
    nb.metadata = nbformat.from_dict(METADATA)


def _tidy_cells(nb):
    kept, count = [], 0
    for number, cell in enumerate(nb.cells, 1):
        if not cell.source.strip():
            yield f"cell {number}: empty"
            continue
        if "id" not in cell or cell.id in {other.id for other in kept}:
            yield f"cell {number}: " + ("the id of an earlier cell" if "id" in cell else "no id")
            cell.id = hashlib.sha256(f"{number} {cell.source}".encode()).hexdigest()[:8]
        count += cell.cell_type == "code"
        for note in _tidy_cell(cell, count):
            yield f"cell {number}: {note}"
        kept.append(cell)
    nb.cells = kept


def _tidy_cell(cell, count):
    for key in sorted(cell.metadata):
        if key not in CELL_METADATA or not cell.metadata[key]:
            yield f"metadata {key!r}"
            del cell.metadata[key]
    if cell.source != cell.source.rstrip():
        yield "blank end"
        cell.source = cell.source.rstrip()
    if cell.cell_type == "code":
        if cell.execution_count != count:
            yield f"execution count {cell.execution_count}, expected {count}"
            cell.execution_count = count
        yield from _tidy_streams(cell)
        yield from _tidy_bars(cell)
        yield from _tidy_stays(cell)
        for output in cell.outputs:
            yield from _tidy_output(output, count)


def _tidy_streams(cell):
    """Join what the kernel happened to flush in pieces, and keep what a screen would show in the end."""
    outputs = _joined(cell.outputs)
    for output in outputs:
        if output.output_type == "stream" and output.text != _settled(output):
            yield f"redrawn lines on {output.name}"
            output.text = _settled(output)
    # With a bar gone, the pieces before and after it have become neighbours.
    outputs = _joined(output for output in outputs if output.get("text") != "")
    if len(outputs) < len(cell.outputs):
        yield "stream in pieces"
    cell.outputs = outputs


def _joined(outputs):
    joined = []
    for output in outputs:
        if output.output_type == "stream" and joined and joined[-1].get("name") == output.name:
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def _settled(stream):
    if stream.name == "stdout":
        return REDRAWN.sub("", stream.text)
    text = PROGRESS.sub("", stream.text)
    return text if text.strip() else ""


def _tidy_bars(cell):
    others = [output for output in cell.outputs if not _is_bar(output)]
    if len(others) < len(cell.outputs):
        yield "progress bar"
    cell.outputs = others


def _tidy_stays(cell):
    """Leave out what is saved beside a widget for when its kernel is gone: here its text is, in the output after it."""
    others = [output for output in cell.outputs if STAYS not in output.get("metadata", {})]
    if len(others) < len(cell.outputs):
        yield "picture beside a widget"
    cell.outputs = others


def _is_bar(output):
    data = output.get("data", {})
    return WIDGET in data and METER.search(data.get(TEXT, "")) is not None


def _tidy_output(output, count):
    data = output.get("data", {})
    if TEXT in data and len(data) > 1:
        yield "output as " + ", ".join(sorted(data.keys() - {TEXT}))
        output.data = NotebookNode({TEXT: data[TEXT]})
    if output.get("metadata"):
        yield "output metadata"
        output.metadata = NotebookNode()
    if output.output_type == "execute_result" and output.execution_count != count:
        yield f"execution count {output.execution_count} of the output, expected {count}"
        output.execution_count = count
    if output.get("traceback"):
        yield "stored traceback"
        output.traceback = []


def faults(nb):
    """Return a line for each thing in `nb` that only its author can put right."""
    found = []
    for number, cell in enumerate(nb.cells, 1):
        found += [f"cell {number}: {fault}" for fault in _cell_faults(cell)]
    try:
        nbformat.validate(nb)
    except nbformat.ValidationError as error:
        found.append(f"notebook: not valid: {error.message}")
    return found


def _cell_faults(cell):
    if cell.get("attachments"):
        yield "attached files: " + ", ".join(sorted(cell.attachments))
    announced = "raises-exception" in cell.metadata.get("tags", [])
    raised = [output for output in cell.get("outputs", []) if output.output_type == "error"]
    if announced and not raised:
        yield "tagged raises-exception, but raises nothing"
    if raised and not announced:
        yield f"raises {raised[0].ename}, but is not tagged raises-exception"
    for output in cell.get("outputs", []):
        yield from _output_faults(output)


def _output_faults(output):
    text = output.get("text", output.get("evalue", output.get("data", {}).get(TEXT)))
    if text is None:
        yield f"output without {TEXT}: " + ", ".join(sorted(output.data))
        return
    if output.get("name") == "stderr":
        yield f"text on stderr: {_first_line(text)}"
    if address := ADDRESS.search(text):
        yield f"memory address: {address.group()}"
    if WORDLESS.fullmatch(text.strip()):
        yield f"output without words: {text.strip()}"


def _first_line(text):
    return text.strip().partition("\n")[0]


def check(path):
    """Return a line for each thing in the notebook at `path` that is not canonical."""
    text = read_text(path)
    nb = parse(text)
    notes = tidy(nb) + faults(nb)
    return notes or _differences(text, serialize(nb))


def is_mended_by_storing(path):
    """Return whether storing would change the notebook at `path`."""
    text = read_text(path)
    nb = parse(text)
    tidy(nb)
    return serialize(nb) != text


def _differences(stored, canonical):
    """Say where the bytes differ when the content does not: indent, order of keys, escapes, line ends."""
    if stored == canonical:
        return []
    pairs = zip(stored.splitlines(keepends=True), canonical.splitlines(keepends=True), strict=False)
    for number, (line, expected) in enumerate(pairs, 1):
        if line != expected:
            return [f"line {number}: formatted {line!r}, expected {expected!r}"]
    return ["formatted with another end than one newline"]


def execute(nb, folder, timeout):
    """Run all cells of `nb` in a fresh kernel whose working directory is `folder`."""
    client = NotebookClient(
        nb,
        kernel_name="python3",
        extra_arguments=["--log-level=ERROR"],
        timeout=timeout,
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
    )
    with client.setup_kernel():
        for number, cell in enumerate(nb.cells, 1):
            try:
                client.execute_cell(cell, number - 1)
            except (CellControlSignal, DeadKernelError) as error:
                raise NotebookError(f"cell {number}: {_reason(error)}\n\n{cell.source}\n") from None


def _reason(error):
    if isinstance(error, CellExecutionError):
        return f"{error.ename}: {error.evalue}"
    return _first_line(str(error))


def store(path, nb):
    """Write `nb` to `path` in the canonical form, and return the faults that remain."""
    tidy(nb)
    content = serialize(nb).encode("utf-8")
    if path.read_bytes() != content:
        path.write_bytes(content)
    return faults(nb)


def write(path, timeout=60):
    """Execute the notebook at `path`, store it in the canonical form, and return the faults that remain."""
    nb = load(path)
    start = time.perf_counter()
    execute(nb, path.parent, timeout)
    print(f"{path}: executed in {time.perf_counter() - start:.1f} s")
    return store(path, nb)


def main(argv=None):
    """Run one of the two commands; the exit status is 1 if a notebook is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["write", "check"])
    parser.add_argument("notebooks", nargs="*", type=Path, metavar="NB")
    parser.add_argument("--timeout", type=int, default=60, help="seconds that a cell may take (default: 60)")
    args = parser.parse_intermixed_args(argv)
    paths = args.notebooks or sorted(CHAPTERS.glob("*.ipynb"))
    if not paths:
        parser.error(f"no notebooks in {CHAPTERS}")
    command = {"write": partial(write, timeout=args.timeout), "check": check}[args.command]
    sound, mended, here = True, [], Path.cwd()
    for path in paths:
        try:
            complaints = command(path)
            if complaints and is_mended_by_storing(path):
                mended.append((path.relative_to(here) if path.is_relative_to(here) else path).as_posix())
        except NotebookError as error:
            complaints = [str(error)]
        for complaint in complaints:
            print(f"{path}: {complaint}", file=sys.stderr)
            sound = False
    if mended:
        print(f"`python -m tools outputs {shlex.join(mended)}` brings this into the canonical form.", file=sys.stderr)
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
