"""The chapters are canonical, and they are written as chapters are."""

import ast
import json
import re
import shutil
from functools import cache
from itertools import pairwise, takewhile
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from lossprimer.explorer.shown import STAYS
from tools import notebooks, prose

ROOT = Path(__file__).parent.parent
CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))

each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


def test_there_are_chapters():
    assert CHAPTERS


@each_chapter
def test_chapter_is_canonical(path):
    assert notebooks.check(path) == []


@each_chapter
def test_a_printed_mean_stands_on_a_phone_with_its_range(path):
    outputs = (output for cell in notebooks.load(path).cells for output in cell.get("outputs", []))
    lines = [line for output in outputs for line in output.get("text", "").splitlines()]
    # 375 px hold 43 letters, four fewer in a fold.
    assert [line for line in lines if re.search(r"\(\d.* to |mean .*, dev", line) and len(line) > 39] == []


# --- The canonical form ----------------------------------------------------------------------------


def sample():
    """Return a small canonical notebook with each kind of output that is stored."""
    picture = {"text/plain": "T = 0.5: entropy 0.52 nats"}
    nb = new_notebook(
        cells=[
            new_markdown_cell("# Title", id="title"),
            new_code_cell("print('a')\n0.5", id="number", outputs=[new_output("stream", text="a\n")]),
            new_markdown_cell("A picture:", id="text"),
            new_code_cell("draw()", id="picture", outputs=[new_output("display_data", data=picture)]),
            new_code_cell("f()", id="error", metadata={"tags": ["raises-exception"]}),
        ]
    )
    nb.cells[1].outputs.append(new_output("execute_result", data={"text/plain": "0.5"}))
    nb.cells[4].outputs.append(new_output("error", ename="ValueError", evalue="no", traceback=[]))
    notebooks.tidy(nb)
    return nb


@cache
def stored_sample():
    return notebooks.serialize(sample()).encode()


@pytest.fixture
def path(tmp_path):
    """Where a canonical notebook is stored."""
    path = tmp_path / "sample.ipynb"
    path.write_bytes(stored_sample())
    return path


def edit(path, change):
    nb = notebooks.load(path)
    change(nb)
    path.write_bytes((nbformat.v4.writes(nb) + "\n").encode())


def tidied(path):
    """Store the notebook at `path` in the canonical form; return the faults that remain."""
    return notebooks.store(path, notebooks.load(path))


def test_canonical_notebook_is_accepted_and_left_alone(path):
    before = path.read_bytes()
    assert notebooks.check(path) == []
    assert tidied(path) == []
    assert path.read_bytes() == before


def face(mime, value="<b>0.5</b>"):
    return lambda nb: nb.cells[3].outputs[0].data.update({mime: value})


def bar(nb):
    data = {"text/plain": "epoch:   0%|          | 0/5 [00:00<?, ?it/s]", notebooks.WIDGET: {"model_id": "a"}}
    nb.cells[3].outputs.insert(0, new_output("display_data", data=data))


def still(nb):
    output = new_output("display_data", data={"text/html": "<p>what stays</p>"}, metadata={STAYS: True})
    nb.cells[3].outputs.insert(0, output)


def stderr(*texts):
    streams = [new_output("stream", name="stderr", text=text) for text in texts]
    return lambda nb: nb.cells[1].outputs.extend(streams)


def flushed(nb):
    nb.cells[1].outputs[:1] = [new_output("stream", text=text) for text in ("a", "\n")]


def overwritten(nb):
    nb.cells[1].outputs[0].text = "50 %\ra\n"


def without_ids(nb):
    nb.nbformat_minor = 4
    for cell in nb.cells:
        del cell["id"]


# What storing mends: how it comes about, where it is seen, and what it is called.
MENDED = {
    "png": (face("image/png", "iVBORw0KGgo="), "cell 4: output as image/png"),
    "svg": (face("image/svg+xml", "<svg/>"), "cell 4: output as image/svg+xml"),
    "html": (face("text/html"), "cell 4: output as text/html"),
    "widget": (face(notebooks.WIDGET, {"model_id": "a"}), "cell 4: output as application/vnd.jupyter.widget"),
    "widget state": (lambda nb: nb.metadata.update(widgets={"state": {}}), "notebook: metadata 'widgets'"),
    "kernel": (lambda nb: nb.metadata.kernelspec.update(name="venv"), "notebook: metadata 'kernelspec'"),
    "no kernel": (lambda nb: nb.metadata.pop("kernelspec"), "notebook: metadata 'kernelspec'"),
    "python version": (
        lambda nb: nb.metadata.language_info.update(version="3.11.7"),
        "notebook: metadata 'language_info'",
    ),
    "execution time": (lambda nb: nb.cells[1].metadata.update(execution={}), "cell 2: metadata 'execution'"),
    "points": (lambda nb: nb.cells[1].metadata.update(nbgrader={"points": 2}), "cell 2: metadata 'nbgrader'"),
    "no tags": (lambda nb: nb.cells[1].metadata.update(tags=[]), "cell 2: metadata 'tags'"),
    "output metadata": (lambda nb: nb.cells[3].outputs[0].metadata.update(a=1), "cell 4: output metadata"),
    "traceback": (
        lambda nb: nb.cells[4].outputs[0].update(traceback=["\x1b[31m"]),
        "cell 5: stored traceback",
    ),
    "no count": (
        lambda nb: nb.cells[3].update(execution_count=None),
        "cell 4: execution count None, expected 2",
    ),
    "order": (lambda nb: nb.cells[3].update(execution_count=7), "cell 4: execution count 7, expected 2"),
    "count of output": (
        lambda nb: nb.cells[1].outputs[1].update(execution_count=9),
        "cell 2: execution count 9 of the output, expected 1",
    ),
    "no id": (lambda nb: nb.cells[2].pop("id"), "cell 3: no id"),
    "id twice": (lambda nb: nb.cells[2].update(id="title"), "cell 3: the id of an earlier cell"),
    "old format": (without_ids, "notebook: format 4.4, not 4.5"),
    "empty code at the end": (lambda nb: nb.cells.append(new_code_cell("\n")), "cell 6: empty"),
    "empty text at the end": (lambda nb: nb.cells.append(new_markdown_cell()), "cell 6: empty"),
    "empty cell between": (lambda nb: nb.cells.insert(1, new_code_cell()), "cell 2: empty"),
    "blank lines": (lambda nb: nb.cells[3].update(source="draw()\n\n"), "cell 4: blank end"),
    "flushed": (flushed, "cell 2: stream in pieces"),
    "redrawn": (overwritten, "cell 2: redrawn lines on stdout"),
    "bar": (
        stderr("\r 50%|██   | 1/2", "\r100%|█████| 2/2", "\n"),
        "cell 2: redrawn lines on stderr",
    ),
    "nested bars": (
        stderr("\r 0%|", "\n", "\r 0%|", "\x1b[A", "\n"),
        "cell 2: redrawn lines on stderr",
    ),
    "widget bar": (bar, "cell 4: progress bar"),
    "still": (still, "cell 4: picture beside a widget"),
}


def content(nb):
    """Return the cells of `nb` without their ids."""
    return [{key: value for key, value in cell.items() if key != "id"} for cell in nb.cells]


@pytest.mark.parametrize("dirt", MENDED)
def test_check_names_what_storing_mends(path, dirt):
    change, complaint = MENDED[dirt]
    edit(path, change)
    assert any(found.startswith(complaint) for found in notebooks.check(path))
    assert tidied(path) == []
    assert notebooks.check(path) == []
    assert content(notebooks.load(path)) == content(sample())
    stored = path.read_bytes()
    tidied(path)
    assert path.read_bytes() == stored


def raising(nb):
    nb.cells[4].metadata.tags = []


def html_only(nb):
    nb.cells[3].outputs[0].data = {"text/html": "<b>0.5</b>"}


def plain(text):
    return lambda nb: nb.cells[3].outputs[0].data.update({"text/plain": text})


def attached(nb):
    nb.cells[0].attachments = {"a.png": {"image/png": "iVBORw0KGgo="}}


WARNING = "/tmp/1.py:1: RuntimeWarning: overflow\n  np.exp(710)\n"

# What only the author can put right: the same complaint after storing as before.
REFUSED = {
    "warning": (stderr(WARNING), "cell 2: text on stderr: /tmp/1.py:1: RuntimeWarning: overflow"),
    "warning below a bar": (stderr("\r 50%|██\n", WARNING), "cell 2: text on stderr: /tmp/1.py"),
    "warning beside a bar": (stderr("\r 50%|██", WARNING), "cell 2: text on stderr: 50%|██/tmp"),
    "address": (plain("<f at 0x7f64d1b2a3e0>"), "cell 4: memory address: at 0x7f64d1b2a3e0"),
    "figure": (plain("<Figure size 640x480 with 1 Axes>"), "cell 4: output without words: <Figure"),
    "html": (plain("<IPython.core.display.HTML object>"), "cell 4: output without words: <IPython"),
    "html only": (html_only, "cell 4: output without text/plain: text/html"),
    "attachment": (attached, "cell 1: attached files: a.png"),
    "unannounced exception": (raising, "cell 5: raises ValueError, but is not tagged raises-exception"),
    "exception gone": (
        lambda nb: nb.cells[4].update(outputs=[]),
        "cell 5: tagged raises-exception, but raises nothing",
    ),
    "invalid id": (lambda nb: nb.cells[0].update(id="no id"), "notebook: not valid: 'no id' does not match"),
}


@pytest.mark.parametrize("dirt", REFUSED)
def test_check_and_store_refuse(path, dirt):
    change, complaint = REFUSED[dirt]
    edit(path, change)
    assert any(found.startswith(complaint) for found in notebooks.check(path))
    (fault,) = tidied(path)
    assert fault.startswith(complaint)
    assert notebooks.check(path) == [fault]


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda text: json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n", "line 2: formatted"),
        (lambda text: text.replace("nats", "n\\u0061ts"), "line 57: formatted"),
        (lambda text: text.replace("\n", "\r\n"), "line 1: formatted"),
        (lambda text: text.replace('"A picture:"', '"A ", "picture:"'), "line 45: formatted"),
        (lambda text: json.dumps(dict(reversed(json.loads(text).items())), indent=1) + "\n", "line 2: formatted"),
        (lambda text: text.rstrip("\n"), "line 102: formatted '}', expected '}\\n'"),
        (lambda text: text + "\n", "formatted with another end than one newline"),
    ],
    ids=["indent", "escapes", "line ends", "split line", "order of keys", "no last newline", "two newlines"],
)
def test_check_sees_a_difference_of_form_alone(path, spoil, complaint):
    canonical = path.read_bytes()
    path.write_bytes(spoil(canonical.decode()).encode())
    (found,) = notebooks.check(path)
    assert found.startswith(complaint)
    assert tidied(path) == []
    assert path.read_bytes() == canonical


def test_outputs_of_a_cell_that_is_not_compared_stay_as_text(path):
    edit(path, lambda nb: nb.cells[1].metadata.update(tags=["nbval-ignore-output"]))
    assert notebooks.check(path) == []
    assert notebooks.load(path).cells[1].outputs[1].data == {"text/plain": "0.5"}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"{", "is not JSON: Expecting property name"),
        (b"\xff{}", "is not UTF-8: invalid start byte at byte 0"),
        (b"[]", "is not a notebook of format 4"),
        (b'{"nbformat": 3, "worksheets": []}', "is not a notebook of format 4"),
        (
            b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [1]}',
            "is not a valid notebook: 1 is",
        ),
    ],
    ids=["missing", "broken", "binary", "other", "old", "invalid"],
)
@pytest.mark.parametrize("command", ["write", "check"])
def test_a_file_that_is_no_notebook_is_named(tmp_path, capsys, command, content, complaint):
    path = tmp_path / "sample.ipynb"
    if content is not None:
        path.write_bytes(content)
    assert notebooks.main([command, str(path)]) == 1
    assert f"{path}: {complaint}" in capsys.readouterr().err


def test_the_command_goes_through_all_chapters(path, monkeypatch, capsys):
    monkeypatch.chdir(path.parent.parent)
    monkeypatch.setattr(notebooks, "CHAPTERS", path.parent)
    shutil.copy(path, path.with_name("other.ipynb"))
    assert notebooks.main(["check"]) == 0
    edit(path, MENDED["no count"][0])
    assert notebooks.main(["check"]) == 1
    *_, complaint, remedy = capsys.readouterr().err.splitlines()
    assert complaint.startswith(f"{path}: cell 4: execution count None")
    name = path.relative_to(Path.cwd()).as_posix()
    assert remedy == f"`python -m tools outputs {name}` brings this into the canonical form."
    assert tidied(path) == []
    assert notebooks.main(["check"]) == 0


def test_no_command_is_named_for_what_only_an_author_can_mend(path, capsys):
    edit(path, attached)
    assert notebooks.main(["check", str(path)]) == 1
    assert capsys.readouterr().err == f"{path}: cell 1: attached files: a.png\n"


def test_no_chapters_are_an_error(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(notebooks, "CHAPTERS", tmp_path)
    with pytest.raises(SystemExit) as stop:
        notebooks.main(["check"])
    assert stop.value.code == 2
    assert "no notebooks in" in capsys.readouterr().err


# --- How a chapter is written ----------------------------------------------------------------------


def cells_of(nb, kind):
    return [(number, cell) for number, cell in enumerate(nb.cells, 1) if cell.cell_type == kind]


parsed = cache(prose.MARKDOWN.parse)  # several rules ask for the same


def markdown_tokens(nb):
    return [(number, token) for number, cell in cells_of(nb, "markdown") for token in parsed(cell.source)]


@cache
def walked(source):
    return tuple(ast.walk(prose.syntax_tree(source)))


def syntax_nodes(nb):
    return [(number, node) for number, cell in cells_of(nb, "code") for node in walked(cell.source)]


def headings(nb):
    return [(number, int(token.tag[1])) for number, token in markdown_tokens(nb) if token.type == "heading_open"]


def imported_modules(node):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def has_plain_markdown(nb):
    """Jupyter, Colab and GitHub show MyST's directives, roles, targets and substitutions as litter."""
    for number, token in markdown_tokens(nb):
        if token.type == "fence" and token.info.startswith("{"):
            yield f"cell {number}: directive {token.info}"
        if token.type == "inline":
            for left, right in pairwise(token.children):
                if right.type == "code_inline" and re.search(r"\{[\w:.+-]+\}$", left.content):
                    yield f"cell {number}: role {left.content}`{right.content}`"
            text = "".join(child.content or "\n" for child in token.children if child.type in ("text", "softbreak"))
            for litter in re.findall(r"^:{3,}.*|^\([\w-]+\)=$|\{\{.*?\}\}", text, re.MULTILINE):
                yield f"cell {number}: {litter}"


def draws_from_seeded_generators(nb):
    """Every random number comes from a generator that was given its seed in the chapter."""
    legacy = re.compile(r"(?:np|numpy)\.random\.(?!default_rng$|[A-Z])\w+")
    for number, node in syntax_nodes(nb):
        names = [ast.unparse(node)] if isinstance(node, ast.Attribute) else imported_modules(node)
        for name in names:
            if legacy.fullmatch(name) or name.split(".")[0] == "random":
                yield f"cell {number}: {name}"
        if isinstance(node, ast.Call) and re.search(r"\bdefault_rng\(\)$", ast.unparse(node)):
            yield f"cell {number}: default_rng() without a seed"


def downloads_nothing(nb):
    """No web client, no dataset fetcher, no address in the code, no shell: a chapter runs off line."""
    clients = {"urllib", "urllib3", "requests", "httpx", "aiohttp", "http", "ftplib", "socket", "pooch"}
    for number, node in syntax_nodes(nb):
        for name in imported_modules(node):
            if name.split(".")[0] in clients or re.search(r"\.fetch_\w+$", name):
                yield f"cell {number}: import {name}"
        if isinstance(node, ast.Attribute) and node.attr.startswith("fetch_"):
            yield f"cell {number}: {ast.unparse(node)}"
        if isinstance(node, ast.Constant) and re.match(r"(?:https?|ftp)://", str(node.value)):
            yield f"cell {number}: {node.value}"
        if isinstance(node, ast.Call) and re.match(
            r"get_ipython\(\)\.(?:system|getoutput|run_cell_magic|run_line_magic\('(?:pip|conda)')", ast.unparse(node)
        ):
            yield f"cell {number}: {ast.unparse(node)}"


def leaves_plotting_to_the_package(nb):
    """Pictures are drawn by the package's functions, so that a cell shows its idea."""
    for number, node in syntax_nodes(nb):
        for name in imported_modules(node):
            if name.split(".")[0] in {"matplotlib", "pylab", "seaborn", "plotly"}:
                yield f"cell {number}: import {name}"
        if isinstance(node, ast.Name) and node.id in {"plt", "ax", "axes", "axs", "fig"}:
            yield f"cell {number}: {node.id}"


def hides_no_cell(nb):
    """No cell is hidden from the reader or from the tests."""
    for number, cell in enumerate(nb.cells, 1):
        for tag in cell.metadata.get("tags", []):
            if re.match(r"hide|remove|skip|nbval-skip|parameters", tag):
                yield f"cell {number}: tag {tag}"
        # nbval also obeys comments, which the other tools do not see.
        for marker in re.findall(r"^\s*#\s*(?:NBVAL|PYTEST_VALIDATE)_\w+", cell.source, re.MULTILINE):
            yield f"cell {number}: {marker.strip()}"


def opens_with_its_title(nb):
    """Exactly one heading of level 1, and nothing before it."""
    titles = [number for number, level in headings(nb) if level == 1]
    if len(titles) != 1:
        yield f"titles in cells {titles}"
    first = [(number, token.tag) for number, token in markdown_tokens(nb)][:1]
    if first != [(1, "h1")]:
        yield "the first cell does not open with the title"


def skips_no_heading_level(nb):
    """No heading is more than one level below the one before it."""
    for (_, level), (number, next_level) in pairwise([(0, 0), *headings(nb)]):
        if next_level > level + 1:
            yield f"cell {number}: level {next_level} after level {level}"


def is_explanation(cell):
    tokens = prose.MARKDOWN.parse(cell.source) if cell.cell_type == "markdown" else []
    headed = [before.type == "heading_open" for before in tokens]
    return any(
        token.type in ("inline", "math_block", "html_block") and not heading
        for token, heading in zip(tokens, [False, *headed], strict=False)
    )


def explains_before_each_cell(nb):
    """Text, more than a heading, stands before each code cell; a question is its own text, and set-up needs none."""
    imports = next((cell for _, cell in cells_of(nb, "code") if imports_only(cell)), None)
    read = [(number, cell) for number, cell in enumerate(nb.cells, 1) if cell is not imports and not gets_ready(cell)]
    for (_, before), (number, cell) in pairwise([(0, None), *read]):
        told = before is not None and is_explanation(before)
        if cell.cell_type == "code" and not told and not prose.asks(cell):
            yield f"cell {number}: no text before it"


def gets_ready(cell):
    return "set-up" in cell.metadata.get("tags", [])


def imports_only(cell):
    return all(map(imported_modules, prose.syntax_tree(cell.source).body))


def keeps_cells_short(nb, most=20):
    """One idea per cell: at most 20 lines that are neither blank nor comments; a list of imports counts as one."""
    for number, cell in cells_of(nb, "code"):
        source = re.sub(r"^(from [\w.]+ import \()[^)]*\)", r"\1)", cell.source, flags=re.MULTILINE)
        lines = [line for line in source.splitlines() if line.strip() and not line.strip().startswith("#")]
        if len(lines) > most:
            yield f"cell {number}: {len(lines)} lines of code"


def asks_for_predictions_in_cells(nb):
    """A prediction is asked for by `predict`, which hides what follows and judges the answer, and not in the text."""
    for number, cell in cells_of(nb, "markdown"):
        for asked in re.findall(r"\*\*Predict\b.*", cell.source):
            yield f"cell {number}: {asked}"


def leaves_the_next_question_open(nb):
    """Where questions follow each other up to the end of a section, none covers the next one or its first words."""
    first = next((place for place, cell in enumerate(nb.cells) if cell.source.startswith("## Try it")), len(nb.cells))
    section = list(takewhile(lambda cell: not cell.source.startswith("## Read"), nb.cells[first:]))
    for place, cell in enumerate(section):
        another = any(prose.asks(later) or re.match(r"\*\*\d", later.source) for later in section[place + 1 :])
        if prose.asks(cell) and another and not re.search(r"^ +cells=0,$", cell.source, re.MULTILINE):
            yield f"cell {first + place + 1}: covers the question after it"


def prints_lines_that_fit(nb, most=74):
    """What is printed is as narrow as the code, so that nobody has to scroll for its end."""
    for number, cell in cells_of(nb, "code"):
        for output in cell.outputs:
            for line in output.get("text", "").splitlines():
                if len(line) > most:
                    yield f"cell {number}: {len(line)} characters: {line}"


def was_executed_in_order(nb):
    """No count is missing or out of order, for nbval compares no cell without one."""
    for expected, (number, cell) in enumerate(cells_of(nb, "code"), 1):
        if cell.execution_count != expected:
            yield f"cell {number}: execution count {cell.execution_count}, expected {expected}"


RULES = [
    has_plain_markdown,
    draws_from_seeded_generators,
    downloads_nothing,
    leaves_plotting_to_the_package,
    hides_no_cell,
    opens_with_its_title,
    skips_no_heading_level,
    explains_before_each_cell,
    keeps_cells_short,
    asks_for_predictions_in_cells,
    leaves_the_next_question_open,
    prints_lines_that_fit,
    was_executed_in_order,
]


stored = cache(notebooks.load)  # no rule changes a notebook
each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)


@each_chapter
@each_rule
def test_chapter_keeps_the_rule(path, rule):
    assert list(rule(stored(path))) == []


def chapter(*sources):
    """Return a notebook from markdown (str) and code (bytes), executed in order."""
    texts = [new_markdown_cell(s) if isinstance(s, str) else new_code_cell(s.decode()) for s in sources]
    for count, (_, cell) in enumerate(cells_of(new_notebook(cells=texts), "code"), 1):
        cell.execution_count = count
    return new_notebook(cells=texts)


GOOD = chapter(
    "# Title\n\nYou will do this.",
    b"import numpy as np\nfrom lossprimer import figures, softmax",
    "## Section\n\nLook at `{x}` and $x_{{0}}$, (a)= b.\n\n```python\nprint(1)\n```",
    b"rng = np.random.default_rng(0)\nx = rng.normal(size=3)\nnp.random.Generator",
    "### Subsection\n\n$$p = 1$$",
    b"figures.bars(softmax(x))",
    "## Next\n\n<details><summary>Answer</summary>\n\nYes.\n\n</details>",
    b"\n".join([b"# a comment", b"", *[b"x = x + 1"] * 20]),
    "## Try it\n\n**1.** A question.",
    b'predict(\n    "Is it?",\n    {"yes": None, "no": "b"},\n    right=f,\n    cells=0,\n    because="c",\n)',
    "**2.** The last one.",
    b'predict("Is it?", {"yes": None, "no": "b"}, right=f, because="c")',
    "## Read further\n\nPrediction and **Predictions**.",
    b'predict("Is it?", {"yes": None, "no": "b"}, right=f, because="c")',
)


@each_rule
def test_good_chapter_keeps_the_rule(rule):
    assert list(rule(GOOD)) == []


def tagged(tag):
    nb = chapter("# Title", "Text", b"1")
    nb.cells[2].metadata.tags = [tag]
    return nb


def uncounted(count):
    nb = chapter("# Title", "Text", b"1", "Text", b"2")
    nb.cells[4].execution_count = count
    return nb


def with_code(source):
    return chapter("# Title", "Text", source)


def printing(text):
    nb = with_code(b"print(text)")
    nb.cells[2].outputs = [new_output("stream", text=f"short\n{text}\n")]
    return nb


ASKING = b'predict(\n    "Is it?",\n    {"yes": None, "no": "b"},\n    right=f,\n    because="c",\n)'


BROKEN = [
    (has_plain_markdown, chapter("# Title\n\n```{note}\nx\n```")),
    (has_plain_markdown, chapter("# Title\n\n~~~{figure} x.png\n~~~")),
    (has_plain_markdown, chapter("# Title\n\n:::{note}\nx\n:::")),
    (has_plain_markdown, chapter("# Title\n\nsee {numref}`bars`")),
    (has_plain_markdown, chapter("# Title\n\n- see {cite:p}`ba2016`")),
    (has_plain_markdown, chapter("(a-target)=\n# Title")),
    (has_plain_markdown, chapter("# Title\n\nText\n(a-target)=")),
    (has_plain_markdown, chapter("# Title\n\n{{ name }}")),
    (draws_from_seeded_generators, with_code(b"np.random.seed(0)")),
    (draws_from_seeded_generators, with_code(b"x = numpy.random.rand(3)")),
    (draws_from_seeded_generators, with_code(b"from numpy.random import randn")),
    (draws_from_seeded_generators, with_code(b"import random")),
    (draws_from_seeded_generators, with_code(b"rng = np.random.default_rng()")),
    (downloads_nothing, with_code(b"import urllib.request")),
    (downloads_nothing, with_code(b"from urllib.request import urlopen")),
    (downloads_nothing, with_code(b"import requests")),
    (downloads_nothing, with_code(b"from sklearn.datasets import fetch_openml")),
    (downloads_nothing, with_code(b"datasets.fetch_openml('mnist_784')")),
    (downloads_nothing, with_code(b"read_csv('https://example.org/a.csv')")),
    (downloads_nothing, with_code(b"!pip install lossprimer")),
    (downloads_nothing, with_code(b"%pip install lossprimer")),
    (downloads_nothing, with_code(b"%%bash\ncurl example.org")),
    (leaves_plotting_to_the_package, with_code(b"import matplotlib.pyplot as plt")),
    (leaves_plotting_to_the_package, with_code(b"plt.plot(x)")),
    (leaves_plotting_to_the_package, with_code(b"ax.set_xlabel('x')")),
    (hides_no_cell, tagged("hide-input")),
    (hides_no_cell, tagged("remove-cell")),
    (hides_no_cell, tagged("nbval-skip")),
    (hides_no_cell, tagged("skip-execution")),
    (hides_no_cell, with_code(b"# NBVAL_IGNORE_OUTPUT\n1")),
    (opens_with_its_title, chapter("## Section")),
    (opens_with_its_title, chapter("# Title\n\n# Another")),
    (opens_with_its_title, chapter("# Title", "# Another")),
    (opens_with_its_title, chapter("Text", "# Title")),
    (opens_with_its_title, chapter("Text\n\n# Title")),
    (opens_with_its_title, chapter(b"import numpy", "# Title")),
    (skips_no_heading_level, chapter("# Title", "### Subsection")),
    (skips_no_heading_level, chapter("# Title\n\n## Section\n\n#### Deep")),
    (explains_before_each_cell, chapter("# Title", "Text", b"1", b"2")),
    (explains_before_each_cell, chapter("# Title", "Text", b"1", b"predict('Why?')", b"2")),
    (explains_before_each_cell, chapter(b"1")),
    (explains_before_each_cell, chapter("# Title", "## Section", b"1")),
    (explains_before_each_cell, chapter("# Title", b"import numpy\nx = 1")),
    (explains_before_each_cell, chapter("# Title", b"import numpy", b"import scipy")),
    (keeps_cells_short, with_code(b"x = 1\n" * 21)),
    (asks_for_predictions_in_cells, chapter("# Title\n\n**Predict.** Which is larger?")),
    (asks_for_predictions_in_cells, chapter("# Title\n\nText. **Predict** the number.")),
    (leaves_the_next_question_open, chapter("# Title", "## Try it\n\n**1.** One.", ASKING, "**2.** Another.")),
    (prints_lines_that_fit, printing("0" * 75)),
    (was_executed_in_order, uncounted(None)),
    (was_executed_in_order, uncounted(1)),
    (was_executed_in_order, uncounted(3)),
]


@pytest.mark.parametrize(("rule", "nb"), BROKEN)
def test_broken_rule_is_seen(rule, nb):
    assert list(rule(nb)) != []


@each_rule
def test_each_rule_is_shown_to_fail(rule):
    assert rule in [broken for broken, _ in BROKEN]
