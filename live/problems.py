"""How does a problem set become a page? Its tasks are read from the notebook that students get, and can be done there.

A page has them where it says so, in a directive that names the notebook::

    ```{problem-set} ../../exercises/release/01_softmax/01_softmax.ipynb
    ```

Only the released notebook is read, so nothing of a solution or a hidden test can come onto a page. `problems.js` does
the rest in the browser.
"""

import ast
import contextlib
import html
import io
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from docutils import nodes
from docutils.statemachine import StringList
from nbformat import NotebookNode
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

import live
from live.runtime import first_size
from lossprimer import page
from lossprimer.explorer.drawings import Drawings
from lossprimer.explorer.static import explorer_html

SCRIPT = "live/problems.js"
STYLE = "live/problems.css"
_HEADING = re.compile(r"## (?:(\d+)\. )?(.*)\n*")
_POINTS = re.compile(r" \((\d+) points?\)$")
_LINK = re.compile(r"\]\(([^)\s#]+\.ipynb)(?:#([^)\s]+))?\)")
_ASKS = {"code": "Your code", "prediction": "Your prediction", "words": "Your answer"}


@dataclass(frozen=True)
class Task:
    """A task of a set.

    Parameters
    ----------
    name : str
        The name of its check, or of its first cell where there is no check.
    kind : str
        What is asked for: "code", "prediction" or "words".
    number, points : int
        Its place in the set, and what it is worth.
    title, statement : str
        Its heading, and Markdown.
    cell : str
        The name of the cell into which the answer goes.
    stub : str
        What stands there before.
    """

    name: str
    kind: str
    number: int
    points: int
    title: str
    statement: str
    cell: str
    stub: str


def tasks(notebook: NotebookNode) -> list[Task]:
    """Return the tasks of a released set, in its order.

    Raises
    ------
    ValueError
        If a task has no points in its heading, or not exactly one cell for an answer.
    """
    found = []
    for first, *rest in _blocks(notebook):
        heading = _HEADING.match(first.source)
        if not heading or not heading[1]:
            continue
        points = _POINTS.search(heading[2])
        answers = [cell for cell in rest if cell.metadata.nbgrader.solution]
        if not points or len(answers) != 1:
            raise ValueError(
                f"{heading[0].strip()!r} has {len(answers)} cells for answers, expected points and one cell"
            )
        code = "\n".join(cell.source for cell in rest if cell.cell_type == "code")
        check = re.search(r"^checks\.(\w+)\(", code, re.MULTILINE)
        (answer,) = answers
        found.append(
            Task(
                name=check[1] if check else first.id,
                kind="words" if answer.cell_type == "markdown" else "code" if check else "prediction",
                number=int(heading[1]),
                points=int(points[1]),
                title=heading[0][3:].strip(),
                statement=first.source[heading.end() :],
                cell=answer.metadata.nbgrader.grade_id,
                stub=answer.source,
            )
        )
    return found


def _blocks(notebook: NotebookNode) -> Iterator[list[NotebookNode]]:
    """Yield the parts of a set, each from its heading on; the first one is what stands before all headings."""
    block: list[NotebookNode] = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and _HEADING.match(cell.source):
            yield block
            block = []
        block.append(cell)
    yield block


def pictures(notebook: NotebookNode) -> dict[str, str]:
    """Run the cells of a released set that are not graded; return its explorers as HTML, by the name of their task."""
    names: dict[str, Any] = {}
    shown = {}
    for block in _blocks(notebook):
        for cell in block:
            if cell.cell_type == "code" and not cell.metadata.nbgrader.grade:
                with contextlib.redirect_stdout(io.StringIO()):
                    value = page.evaluate(ast.parse(cell.source), names, cell.id)
                if isinstance(value, Drawings):
                    shown[block[0].id] = explorer_html(value)
    return shown


class problem_task(nodes.section):  # noqa: N801
    """The section of a task; it carries the name of its check."""


class ProblemSet(SphinxDirective):
    """Show the tasks of a released notebook, each with the place for its answer."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Return their sections, and around them what belongs to the whole set."""
        _, path = self.env.relfn2path(self.arguments[0])
        self.env.note_dependency(path)
        if not Path(path).is_file():
            raise self.error(f"{path} is missing: make exercises writes it")
        notebook = nbformat.read(path, as_version=4)
        drawn = pictures(notebook)
        *_, closing = _blocks(notebook)
        parts = [self._task(task, path, drawn.get(task.name)) for task in tasks(notebook)]
        if live.wanted():
            parts = [_raw(_ABOVE.format(size=first_size())), *parts, self._work()]
        return [*parts, self._section(closing[0].source, path, closing[0].id)]

    def _section(self, source: str, path: str, name: str, kind: type[nodes.section] = nodes.section) -> nodes.section:
        """Return Markdown that begins with its heading as a section."""
        heading = _HEADING.match(source)
        section = kind(ids=[nodes.make_id(name)], names=[nodes.fully_normalize_name(name)])
        section += nodes.title("", heading[0][3:].strip())
        text = _LINK.sub(lambda link: self._link(Path(path).parent, *link.groups()), source[heading.end() :])
        self.state.nested_parse(StringList(text.splitlines(), path), 0, section)
        self.state.document.note_implicit_target(section)
        return section

    def _link(self, folder: Path, file: str, anchor: str | None) -> str:
        """Return the end of a link in a notebook as it has to be on this page."""
        here = Path(self.env.srcdir, self.env.docname).parent
        name = Path(os.path.relpath(folder / file, self.env.srcdir)).with_suffix("").as_posix()
        if name not in self.env.found_docs:
            # Another set: it has a page beside this one.
            name = (Path(self.env.docname).parent / Path(file).stem).as_posix()
        target = os.path.relpath(self.env.doc2path(name), here)
        slug = "#" + re.sub(r"[^\w-]", "", anchor.lower()) if anchor else ""
        return f"]({Path(target).as_posix()}{slug})"

    def _task(self, task: Task, path: str, picture: str | None) -> nodes.section:
        section = self._section(f"## {task.title}\n\n{task.statement}", path, f"task-{task.name}", problem_task)
        section["task"] = task.name
        if task.kind != "words":
            stub = nodes.literal_block("", task.stub, language="python")
            section += nodes.container("", stub, classes=["answer-stub"])
        if live.wanted():
            section += _raw(_form(task))
        if picture:
            section += _raw(_PICTURE.format(picture))
        return section

    def _work(self) -> nodes.section:
        """Return the section with what can be done with all answers."""
        section = nodes.section(ids=["your-notebook"], names=["your-notebook"])
        section += nodes.title("", "Your notebook")
        link = addnodes.download_reference("", "", reftarget=self.arguments[0], refdomain="", refexplicit=True)
        link["classes"] = ["work-notebook"]
        link += nodes.Text("the notebook as it was given out")
        section += _raw(_BELOW)
        section += nodes.paragraph("", "", nodes.Text("You can also download "), link, nodes.Text("."))
        self.state.document.note_implicit_target(section)
        return section


def _raw(text: str) -> nodes.raw:
    return nodes.raw("", text, format="html")


_ABOVE = """
<div class="work needs-script">
<p>Write each answer into its box and press <strong>Check</strong>, or Ctrl+Enter. Python runs in this page, on your
own machine: the first check fetches it ({size}, once; <em>Open live</em> fetches JupyterLab as well). What you write
is sent nowhere. It stays in this browser until you erase it, and you can take it with you as a notebook.</p>
<p class="work-forgets" hidden>This browser keeps nothing for this page. What you write is gone when you leave the page,
so download your notebook before you do.</p>
<div class="work-buttons"><label class="work-load">Load a notebook<input class="work-file" type="file"
accept=".ipynb"></label></div>
<div class="work-question" role="group" aria-label="Replace your answers?" hidden><p class="work-asked"></p>
<div class="work-buttons"><button type="button" class="work-replace">Replace mine</button>
<button type="button" class="work-spare">Keep mine</button></div></div>
<p class="work-loaded" role="status"></p>
</div>
"""

_BELOW = """
<div class="work needs-script">
<p class="work-points"></p>
<p>Your answers go into the notebook that students receive; nothing else in it changes. Hand that file in, or go on in
JupyterLab.</p>
<div class="work-buttons"><button type="button" class="work-download">Download my notebook</button>
<button type="button" class="work-erase">Erase my answers</button>
<button type="button" class="work-back" hidden>Bring them back</button></div>
<p class="work-done" role="status"></p>
</div>
"""

_PICTURE = """
<details class="task-picture"><summary>Look, once you have predicted</summary>
<div class="output text_html">{}</div></details>
"""

_FORM = """
<div class="answer-form needs-script" role="group" aria-label="Task {number}" data-kind="{kind}" data-cell="{cell}"
data-points="{points}"><label for="{id}">{asks}</label>
<div class="answer-box"><textarea id="{id}" aria-label="{asks}, task {number}" rows="{rows}" spellcheck="{spelling}"
autocapitalize="{capitals}" autocomplete="off">{blank}</textarea></div>
<div class="work-buttons"><button type="button" class="answer-check">Check</button>
<button type="button" class="answer-stop" hidden>Stop</button>
<button type="button" class="answer-reset">Reset</button>
<button type="button" class="answer-undo" hidden>Undo</button></div>
<p class="answer-said" role="status"></p>
<div class="answer-report" role="region" aria-label="Report, task {number}" hidden></div></div>
"""


def _form(task: Task) -> str:
    """Return the place for an answer."""
    words = task.kind == "words"
    blank = task.stub if task.kind == "code" else ""
    return _FORM.format(
        id=f"answer-{task.number}",
        number=task.number,
        kind=task.kind,
        cell=html.escape(task.cell),
        points=task.points,
        asks=_ASKS[task.kind],
        rows={"code": blank.count("\n") + 1, "prediction": 1, "words": 8}[task.kind],
        spelling=str(words).lower(),
        capitals="sentences" if words else "off",
        blank=html.escape(blank),
    )


def _visit_task(translator: HTML5Translator, node: problem_task) -> None:
    translator.visit_section(node)
    translator.body[-1] = translator.body[-1].replace(
        "<section ", f'<section data-task="{html.escape(node["task"])}" ', 1
    )


def _depart_task(translator: HTML5Translator, node: problem_task) -> None:
    translator.depart_section(node)


def _add_assets(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Give the pages of sets, and no others, their script and their style."""
    if live.wanted() and doctree is not None and next(doctree.findall(problem_task), None) is not None:
        context["uses_python"] = True
        app.add_js_file(SCRIPT, loading_method="defer")
        app.add_css_file(STYLE)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive; without Python in the pages it shows what there is to read."""
    app.add_node(problem_task, html=(_visit_task, _depart_task))
    app.add_directive("problem-set", ProblemSet)
    app.connect("html-page-context", _add_assets)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
