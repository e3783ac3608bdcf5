"""What does a learner's notebook show when it runs? This program runs it in a real kernel, both of them in the sandbox.

It reads a notebook from standard input, and writes a line of JSON for each cell that has run.
"""

import json
import os
import sys

# A part of nbformat's validation that takes a second to load, and that no notebook needs.
sys.modules["rfc3987_syntax"] = None

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from traitlets.config import Config

CELL_BYTES = 2**20
LATE = "this cell took too long and was interrupted. Is there a loop that never ends?"
DEAD = "DeadKernelError: this cell ended the kernel"
STUCK = "TimeoutError: this cell took too long and could not be interrupted. Is there a loop that never ends?"
MUCH = "MemoryError: this cell shows more than can be kept"


def main() -> None:
    """Run the cells, and then the tests, in the same kernel: no cell runs after the text of a test has come in."""
    outgoing = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_RDWR)
    request = json.load(sys.stdin)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    notebook = nbformat.from_dict(request["notebook"])
    cells = [(number, cell) for number, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    tests = [(len(notebook.cells) + n, nbformat.v4.new_code_cell(text)) for n, text in enumerate(request["tests"])]
    notebook.cells += [cell for _, cell in tests]
    for number, outputs in _outputs(notebook, [*cells, *tests], request["timeout"]):
        text = json.dumps([number, outputs])
        if len(text) > CELL_BYTES:
            text = json.dumps([number, [error(MUCH)]])
        outgoing.write(text + "\n")
        outgoing.flush()
    os._exit(0)


def error(text: str) -> dict:
    """An output that shows an error, as a cell has it."""
    name, _, value = text.partition(": ")
    return {"output_type": "error", "ename": name, "evalue": value, "traceback": [text]}


def _outputs(notebook, cells, timeout):
    """Pairs of a number and the outputs of that cell, up to the cell that no other can follow."""
    # Sockets in a folder of the sandbox: no port, and no network to look for one in.
    config = Config({"KernelManager": {"transport": "ipc", "ip": "/tmp/kernel"}})
    client = NotebookClient(
        notebook,
        config=config,
        kernel_name="python3",
        allow_errors=True,
        timeout=timeout,
        interrupt_on_timeout=True,
        error_on_timeout={"ename": "TimeoutError", "evalue": LATE, "traceback": []},
        raise_on_iopub_timeout=True,
        on_cell_executed=_mark_late,
    )
    # Nobody shuts the kernel down: it ends with this program.
    client.create_kernel_manager()
    client.start_new_kernel()
    client.start_new_kernel_client()
    for number, cell in cells:
        try:
            client.execute_cell(cell, number)
        except CellTimeoutError:
            yield number, [*cell.outputs, error(STUCK)]
            return
        except DeadKernelError:
            yield number, [*cell.outputs, error(DEAD)]
            return
        yield number, cell.outputs


def _mark_late(cell, cell_index, execute_reply):
    """Say why a cell was interrupted; the kernel itself shows a KeyboardInterrupt."""
    if execute_reply["content"].get("evalue") == LATE:
        cell.outputs.append(error(f"TimeoutError: {LATE}"))


if __name__ == "__main__":
    main()
