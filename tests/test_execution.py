"""Executed notebooks: their outputs are stored as text, and nbval sees each change of one."""

import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import notebooks

pytestmark = pytest.mark.kernel

ROOT = Path(__file__).parent.parent
PICTURE = '''
import sys
import time
import warnings
from pathlib import Path

class Picture:
    """Words for all, and a face that differs each time and is not stored."""

    def __init__(self, temperature):
        self.temperature = temperature

    def _repr_mimebundle_(self, include=None, exclude=None):
        drawn = f"<svg id='{time.time_ns()}'/>"
        return {"text/plain": f"T = {self.temperature}", "text/html": drawn, "image/svg+xml": drawn}
'''

# Cells that pass as they are, whatever was done to the others.
SOUND = {
    "definitions": (PICTURE, []),
    "a picture": ("Picture(0.5)", []),
    "not compared": ("time.time()", ["nbval-ignore-output"]),
    "a progress bar": (
        "print('\\r 50%|██   | 1/2 [00:00]', file=sys.stderr)\nprint('done')",
        ["nbval-ignore-output"],
    ),
    "own folder": ("Path('here').exists()", []),
}


def stored(**change):
    return lambda cell: cell.outputs[0].update(change)


def shown(text):
    return lambda cell: cell.outputs[0].data.update({"text/plain": text})


def code(source):
    return lambda cell: cell.update(source=source)


def no_output(cell):
    cell.outputs = []


def more_output(cell):
    cell.outputs.append(new_output("display_data", data={"text/plain": "1"}))


def no_words(cell):
    cell.outputs[0].data = {"text/html": "<svg/>"}


def no_tags(cell):
    cell.metadata.tags = []


RAISE = "raise ValueError('T must be positive')"
DIFFER = "Cell outputs differ"
RAISED = "Cell execution caused an exception"

# Cells that pass as they are and must fail when tampered with: code, tags, the tampering, what nbval says.
TAMPERED = {
    "changed number": ("round(2 / 3, 3)", [], shown("0.666"), DIFFER),
    "changed last digit": ("2 / 3", [], shown("0.6666666666666667"), DIFFER),
    "changed array": ("[0.629, 0.231, 0.140]", [], shown("[0.629, 0.231, 0.141]"), DIFFER),
    "changed line": ("print('a', 1.5)", [], stored(text="a 1.4\n"), DIFFER),
    "removed line": ("print('a')\nprint('b')", [], stored(text="a\n"), DIFFER),
    "removed result": ("1 + 1", [], no_output, DIFFER),
    "removed line of one": ("print(1)", [], no_output, DIFFER),
    "extra output": ("1 + 2", [], more_output, DIFFER),
    "output from nothing": ("x = 1", [], more_output, DIFFER),
    "changed sentence": ("Picture(1.0)", [], shown("T = 1.5"), DIFFER),
    "removed sentence": ("Picture(2.0)", [], no_words, DIFFER),
    "removed picture": ("Picture(3.0)", [], no_output, DIFFER),
    "changed picture": ("Picture(4.0)", [], code("Picture(4.5)"), DIFFER),
    "changed message": (RAISE, ["raises-exception"], stored(evalue="T must be > 0"), DIFFER),
    "changed exception": (RAISE, ["raises-exception"], stored(ename="TypeError"), DIFFER),
    "exception gone": (RAISE, ["raises-exception"], code("pass"), DIFFER),
    "exception appears": ("x = 1 / 1", [], code("x = 1 / 0"), RAISED),
    "exception not announced": (RAISE, ["raises-exception"], no_tags, RAISED),
    "exception in a cell not compared": ("x = 2", ["nbval-ignore-output"], code("x = 1 / 0"), RAISED),
    "warning appears": ("x = 3", [], code("warnings.warn('overflow')"), DIFFER),
}

NAMES = [*SOUND, *TAMPERED]


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """Store an executed notebook, by the command that writes the chapters, and return its path."""
    path = tmp_path_factory.mktemp("executed") / "untouched.ipynb"
    path.with_name("here").touch()
    cells = [*SOUND.values(), *(case[:2] for case in TAMPERED.values())]
    nbformat.write(new_notebook(cells=[new_code_cell(source, metadata={"tags": tags}) for source, tags in cells]), path)
    assert notebooks.main(["write", str(path)]) == 0
    return path


def test_writing_stores_text_only(executed):
    assert notebooks.check(executed) == []
    cells = dict(zip(NAMES, notebooks.load(executed).cells, strict=True))
    assert cells["a picture"].outputs[0].data == {"text/plain": "T = 0.5"}
    assert cells["own folder"].outputs[0].data == {"text/plain": "True"}
    assert cells["a progress bar"].outputs == [new_output("stream", text="done\n")]
    assert cells["changed message"].outputs == [
        new_output("error", ename="ValueError", evalue="T must be positive", traceback=[])
    ]


def test_writing_twice_gives_the_same_bytes(tmp_path):
    path = tmp_path / "sample.ipynb"
    source = "for i in range(3):\n    print(i, flush=True)\ni / 3"
    nbformat.write(new_notebook(cells=[new_markdown_cell("# Title"), new_code_cell(source)]), path)
    assert notebooks.write(path) == []
    first = path.read_bytes()
    assert notebooks.write(path) == []
    assert path.read_bytes() == first
    assert notebooks.check(path) == []


@pytest.mark.parametrize(
    ("source", "timeout", "complaint"),
    [
        ("{}['temperature']", 60, "cell 2: KeyError: 'temperature'"),
        ("while True: pass", 1, "cell 2: A cell timed out"),
        ("import os\nos._exit(1)", 60, "cell 2: Kernel died"),
    ],
    ids=["exception", "endless", "exit"],
)
def test_writing_stops_at_the_cell_that_fails(tmp_path, capsys, source, timeout, complaint):
    path = tmp_path / "sample.ipynb"
    nbformat.write(new_notebook(cells=[new_markdown_cell("# Title"), new_code_cell(source)]), path)
    before = path.read_bytes()
    assert notebooks.main(["write", "--timeout", str(timeout), str(path)]) == 1
    complaints = capsys.readouterr().err
    assert f"{path}: {complaint}" in complaints
    assert source in complaints
    assert path.read_bytes() == before


def test_writing_stores_a_warning_and_refuses_it(tmp_path, capsys):
    path = tmp_path / "sample.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("import warnings\nwarnings.warn('overflow')")]), path)
    assert notebooks.main(["write", str(path)]) == 1
    assert "cell 1: text on stderr" in capsys.readouterr().err
    assert "overflow" in path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def verdicts(executed, tmp_path_factory):
    """Run nbval as the project does on an untouched and a tampered copy; return what it says of each cell."""
    folder = tmp_path_factory.mktemp("nbval")
    rules = [ROOT / "notebooks" / name for name in ("conftest.py", "pytest.ini")]
    for source in (*rules, executed, executed.with_name("here")):
        shutil.copy(source, folder)
    nb = notebooks.load(executed)
    for name, cell in zip(NAMES, nb.cells, strict=True):
        if name in TAMPERED:
            TAMPERED[name][2](cell)
    (folder / "tampered.ipynb").write_bytes(notebooks.serialize(nb).encode())
    command = [sys.executable, "-m", "pytest", "--color=no", "--junitxml=report.xml"]
    run = subprocess.run([*command, "untouched.ipynb", "tampered.ipynb"], cwd=folder, capture_output=True, text=True)
    said = {
        (case.get("classname"), case.get("name")): "".join(case.itertext())
        for case in ElementTree.parse(folder / "report.xml").iter("testcase")
    }
    assert len(said) == 2 * len(NAMES), run.stdout + run.stderr
    return {
        copy: {name: said[f"{copy}.ipynb", f"Cell {count}"] for count, name in enumerate(NAMES)}
        for copy in ("untouched", "tampered")
    }


@pytest.mark.parametrize("name", NAMES)
def test_nbval_accepts_the_untouched_copy(verdicts, name):
    assert verdicts["untouched"][name] == ""


@pytest.mark.parametrize("name", SOUND)
def test_nbval_accepts_what_was_not_tampered_with(verdicts, name):
    assert verdicts["tampered"][name] == ""


@pytest.mark.parametrize("name", TAMPERED)
def test_nbval_sees_the_tampering(verdicts, name):
    assert TAMPERED[name][3] in verdicts["tampered"][name]
