"""What does a student get back? A page for each set: the points by task, each answer, what its check found, comments.

The page is one file. It runs no script, loads nothing, and says so in a Content-Security-Policy of its own.
"""

import os
import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple
from urllib.parse import unquote, urljoin

from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup, escape
from nbconvert.exporters import Exporter
from nbconvert.filters.ansi import strip_ansi
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Unicode, default

from lossprimer.grading import cells, rendering
from lossprimer.grading.cleaning import clean_report, cleaned

_HEADING = re.compile(r"^#{1,3} +(.+?)[ #]*$", re.MULTILINE)
# Where the sets lie in the repository; their links start there.
_SETS = "exercises/source"


class Grades(NbGraderPreprocessor):
    """Fetches points and comments, and which points a person has still to give."""

    def preprocess(self, nb, resources):
        """Return `nb` as it is, and `resources` with what the gradebook knows of it."""
        names = resources["nbgrader"]
        with Gradebook(names["db_url"]) as gradebook:
            notebook = gradebook.find_submission_notebook(names["notebook"], names["assignment"], names["student"])
            names["grades"] = {
                grade.name: Grade(grade.score, grade.max_score, bool(grade.needs_manual_grade))
                for grade in notebook.grades
            }
            names["comments"] = {comment.name: comment.comment for comment in notebook.comments if comment.comment}
            names["penalty"] = notebook.late_submission_penalty or 0
        return nb, resources


class Grade(NamedTuple):
    """The points of a cell, those that it can have, and whether a person has still to give them."""

    score: float
    points: float
    waits: bool


@dataclass
class Task:
    """A part of a set, from one of its headings to the next.

    Parameters
    ----------
    name : str
        Its heading, as HTML.
    number : int
        Of the part, for links to it.
    given, own : list of Markup
        What the teacher wrote and what it showed; what the student wrote.
    results : list of Markup
        What the tests found.
    comments : list of Markup
        What the grader wrote.
    grades : list of Grade
    """

    name: Markup
    number: int
    given: list = field(default_factory=list)
    own: list = field(default_factory=list)
    results: list = field(default_factory=list)
    comments: list = field(default_factory=list)
    grades: list = field(default_factory=list)

    @property
    def score(self) -> float:
        """The points that it has."""
        return sum(grade.score for grade in self.grades if not grade.waits)

    @property
    def points(self) -> float:
        """The points of which it is known whether it has them."""
        return sum(grade.points for grade in self.grades if not grade.waits)

    @property
    def waiting(self) -> float:
        """The points that a person has still to give."""
        return sum(grade.points for grade in self.grades if grade.waits)


class FeedbackExporter(Exporter):
    """Makes the page. The notebook is cleaned again, so that an older ``autograded/`` can be read too."""

    site_url = Unicode(help="Address of the published course, for links to its chapters.").tag(config=True)
    output_mimetype = "text/html"

    @default("site_url")
    def _default_site_url(self):
        return os.environ.get("SITE_URL", "")

    @default("file_extension")
    def _default_file_extension(self):
        return ".html"

    def from_notebook_node(self, nb, resources=None, **kw):
        """Return the page, and the resources."""
        notebook, resources = super().from_notebook_node(nb, resources, **kw)
        names = resources.get("nbgrader", {})
        page = _environment().get_template("feedback.html.j2")
        links = links_to(self.site_url, names.get("assignment", ""))
        title, tasks = parts(
            cleaned(notebook),
            names.get("grades", {}),
            names.get("comments", {}),
            links=links,
            name=names.get("notebook", "Feedback"),
        )
        shown = [task for task in tasks if task.grades or task.own or task.comments]
        return page.render(title=title, tasks=shown, penalty=names.get("penalty", 0)), resources


def links_to(site: str, assignment: str) -> Callable[[str], str | None]:
    """A function that says where a link of a set leads on the published site.

    Parameters
    ----------
    site : str
        Address of the site; without it, links to other files of the course lead nowhere, and are text.
    assignment : str
        The set's name.

    Returns
    -------
    callable
        Takes a link, and returns one or None.
    """

    def address(url):
        path, _, anchor = url.partition("#")
        if not path or ":" in path:
            return url
        path = posixpath.normpath(posixpath.join(_SETS, assignment, path))
        if found := re.fullmatch(rf"{_SETS}/(\w+)/\1\.ipynb", path):
            path = f"book/exercises/{found[1]}.ipynb"
        if not site or not re.match(r"(?:book|notebooks)/", path):
            return None
        page = urljoin(site.rstrip("/") + "/", path.removesuffix(".ipynb") + ".html")
        return f"{page}#{_place(anchor)}" if anchor else page

    return address


def parts(
    notebook: NotebookNode,
    grades: Mapping[str, Grade],
    comments: Mapping[str, str],
    *,
    links: Callable[[str], str | None],
    name: str,
) -> tuple[Markup, list[Task]]:
    """The title of a set, and its tasks.

    Parameters
    ----------
    notebook : NotebookNode
        A clean one.
    grades, comments : mapping
        By nbgrader's names of the cells.
    links : callable
        As `links_to` makes it.
    name : str
        The title of a set without one.
    """
    title, tasks = Markup.escape(name), []
    for number, (heading, group) in enumerate(_groups(notebook.cells)):
        graded = [cells.label(cell) for cell in group if cells.label(cell) in grades]
        task = Task(_inline(heading, links) if heading else Markup.escape((graded or [name])[0]), len(tasks) + 1)
        if number == 0 and heading:
            title = task.name
        for cell in group:
            _add(task, cell, grades, comments, links)
        tasks.append(task)
    return title, tasks


def _groups(all_cells):
    """The cells from one heading of the teacher's to the next; without any, those up to each graded cell."""
    groups = [("", [])]
    for cell in all_cells:
        known = cell.metadata.get("nbgrader", {})
        heading = None
        if cell.cell_type == "markdown" and known and not known.get("solution"):
            heading = _HEADING.match(cell.source.lstrip())
        if heading:
            groups.append((heading[1], []))
            cell = NotebookNode(cell, source=cell.source.replace(heading[0], "", 1))
        groups[-1][1].append(cell)
        if not groups[-1][0] and known.get("grade"):
            groups.append(("", []))
    return [(heading, group) for heading, group in groups if group]


def _add(task, cell, grades, comments, links):
    """Put a cell where it belongs on the page."""
    name = cells.label(cell)
    if name in grades:
        task.grades.append(grades[name])
    if cells.is_test(cell):
        task.results += _results(cell.outputs)
    if cell.cell_type == "markdown":
        shown = [rendering.markdown(cell.source, cell.get("attachments"), links=links)]
    elif cell.cell_type == "raw":
        shown = [f"<pre>{escape(cell.source)}</pre>"]
    else:
        source = cells.visible(cell.source) if cells.is_test(cell) else cell.source
        shown = [rendering.code(source.strip("\n"))] if source.strip() else []
        shown += [] if cells.is_test(cell) else map(_output, cell.outputs)
    (task.own if cells.is_answer(cell) else task.given).extend(map(Markup, shown))
    if name in comments:
        task.comments.append(Markup(rendering.markdown(comments[name], links=links, escape=True)))


def _results(outputs):
    """What a test says: the check's report where there is one, else the text of its error."""
    reports = [output.data["text/html"] for output in outputs if "text/html" in output.get("data", {})]
    if reports:
        return [Markup(clean_report(report)) for report in reports]
    failed = [output for output in outputs if output.output_type == "error"]
    if failed:
        return [_output(output) for output in failed]
    said = strip_ansi("".join(output.text for output in outputs if output.output_type == "stream")).strip()
    if said or not outputs:
        return [Markup("<p>{}</p>").format(said or "The test did not run.")]
    return [_output(output) for output in outputs]


def _output(output: Mapping) -> Markup:
    if output.output_type == "stream":
        return Markup('<pre class="output">{}</pre>').format(strip_ansi(output.text))
    if output.output_type == "error":
        text = "\n".join(output.traceback) or f"{output.ename}: {output.evalue}"
        return Markup('<pre class="output error">{}</pre>').format(strip_ansi(text))
    for mime in ("image/png", "image/jpeg"):
        if mime in output.data:
            alt = output.data.get("text/plain", "") or "A picture that the cell drew"
            return Markup('<img src="data:{};base64,{}" alt="{}">').format(mime, output.data[mime], alt[:200])
    return Markup('<pre class="output">{}</pre>').format(strip_ansi(output.data.get("text/plain", "")))


def _inline(text, links):
    """The text of a heading, which may begin with a number as a list does."""
    heading = rendering.markdown(f"# {text}", links=links, headings=True)
    return Markup(re.sub(r"\A<h1>(.*)</h1>\s*\Z", r"\1", heading, flags=re.DOTALL))


def _place(anchor):
    """The site's name for a heading, from JupyterLab's: lower case, with no number before it."""
    return re.sub(r"^[-\d]+|-+$", "", re.sub(r"[^a-z0-9]+", "-", unquote(anchor).lower()))


@cache
def _environment():
    environment = Environment(
        loader=PackageLoader("lossprimer.grading"),
        autoescape=select_autoescape(["html.j2"], default=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["points"] = lambda points: f"{round(float(points), 2):g}"
    return environment
