"""Problem sets are done on their pages: written, checked, kept, loaded, downloaded, and graded as the page has said."""

import gzip
import json
import re

import nbformat
import pytest
from bs4 import BeautifulSoup

from conftest import BOOK, SITE, UNCOVER
from live.problems import tasks
from lossprimer import page as in_python
from lossprimer.checks import TASKS
from lossprimer.grading import batch, sandbox
from lossprimer.grading.grade import ProblemSet, Settings
from tests.axe import violations
from tests.test_exercises import SETS, each_set
from tests.waiting import expect, settle

pytestmark = [pytest.mark.site, pytest.mark.live]

PYTHON_STARTS = 60_000
LOOP = "def softmax(z):\n    while True:\n        pass"
NAIVE = "def softmax(z):\n    e = np.exp(z)\n    return e / e.sum(axis=-1, keepdims=True)"
ONE = SETS[0].stem


def given_out(name):
    """The copy that the site offers: its cell for the package is the site's own."""
    (path,) = SITE.glob(f"_downloads/*/{name}.ipynb")
    return path.read_bytes()


def notebook(name, kind="release"):
    return nbformat.read(BOOK / "exercises" / kind / name / f"{name}.ipynb", as_version=4)


def tasks_of(name):
    return tasks(notebook(name))


def solutions(name):
    """What the set's own solutions would be typed as, by the name of their cell."""
    given = {}
    for cell in notebook(name, "source").cells:
        if cell.metadata.nbgrader.solution:
            given[cell.id] = re.sub(r"^ *### (BEGIN|END) SOLUTION\n?", "", cell.source, flags=re.MULTILINE).rstrip("\n")
    for task in tasks_of(name):
        if task.kind == "prediction":
            given[task.cell] = re.search(r"return (.*)", given[task.cell])[1]
    return given


def wrong(task):
    """Two wrong answers: a mistake that is often made, where the check knows one, and a function that does nothing."""
    defined = re.search(r"^(?:def|class) (\w+)", task.stub, re.MULTILINE)[1]
    known = f"from lossprimer.checks import TASKS\n{defined} = TASKS[{task.name!r}].mistakes[0].wrong[0]"
    return known if TASKS[task.name].mistakes else f"{defined} = print", f"{defined} = lambda *arguments: 0.0"


class Place:
    """The section of a task, as a reader uses it."""

    def __init__(self, page, name):
        self.section = page.locator(f"section[data-task={name}]")
        self.box = self.section.get_by_role("textbox", name=re.compile("^Your (code|prediction|answer)"))
        self.report = self.section.get_by_role("region", name="Report")
        self.status = self.section.get_by_role("status").first
        self.form = self.section.locator(".answer-form")

    def button(self, name):
        return self.section.get_by_role("button", name=name, exact=True)

    def write(self, text):
        self.box.click()
        self.box.fill(text)

    def check(self, text):
        self.write(text)
        self.button("Check").click()
        expect(self.form).not_to_have_attribute("data-running", "", timeout=PYTHON_STARTS)

    def text(self):
        """What stands in the box."""
        lines = self.box.locator(".cm-line")
        return "\n".join(lines.all_inner_texts()).replace("\n\n", "\n") if lines.count() else self.box.input_value()


def without_layout(html):
    return str(BeautifulSoup(html, "html.parser"))


def download(page):
    with page.expect_download() as caught:
        page.get_by_role("button", name="Download my notebook").click()
    return caught.value.suggested_filename, caught.value.path().read_bytes()


def points(page):
    return page.locator(".work-points").inner_text()


# With Python.


@pytest.fixture(scope="module")
def beside(browser, address):
    """Open a page beside the last one, without what that has kept.

    A window shares its process with the one that has opened it: while Python is there in another, it is compiled, and
    starts in 60 % of the time. An error, or a request to another host, fails the tests of the module, at their end.
    """
    context = browser.new_context()
    requests, errors, windows = [], [], []
    context.on("request", lambda request: requests.append(request.url))
    context.on("weberror", lambda error: errors.append(str(error.error)))
    context.on("console", lambda message: message.type == "error" and errors.append(message.text))
    opener = context.new_page()
    opener.goto(f"{address}/search.html")

    def beside(name, width=1280, height=900):
        for window in windows[:-1]:
            window.close()
        opener.evaluate("localStorage.clear()")
        with opener.expect_popup() as opened:
            opener.evaluate("void open('about:blank')")
        windows[:] = [*windows[-1:], opened.value]
        opened.value.set_viewport_size({"width": width, "height": height})
        opened.value.goto(f"{address}/{name}")
        opened.value.evaluate(UNCOVER)
        settle(opened.value)
        return opened.value

    yield beside
    context.close()
    assert errors == []
    assert [url for url in requests if not url.startswith((address, "about:"))] == []


@pytest.mark.sandbox
@each_set
def test_every_task_is_checked_as_in_a_notebook_and_graded_as_the_page_says(beside, path):
    page, name, answers = beside(f"book/exercises/{path.stem}.html"), path.stem, solutions(path.stem)
    coded = [task for task in tasks_of(name) if task.kind == "code"]
    for task in coded:
        place = Place(page, task.name)
        for answer in [*wrong(task), answers[task.cell]]:
            place.check(answer)
            said = in_python.check(task.name, answer)
            assert said["html"]
            assert without_layout(said["html"]) in without_layout(place.report.inner_html())
            assert place.form.locator("[data-verdict=held]").count() == said["passed"]
        assert said["passed"]
    # One of them goes wrong again; the others stay right.
    Place(page, coded[0].name).check(wrong(coded[0])[1])
    for task in tasks_of(name):
        if task.kind != "code":
            Place(page, task.name).check(answers[task.cell])
    held = sum(task.points for task in coded[1:])
    assert f"{held} of {held + coded[0].points} points hold now" in points(page)
    expect(Place(page, "prediction").report).to_contain_text(f"Your prediction: {answers['prediction-answer']}")
    expect(Place(page, "prediction").section.locator("figure.explorer")).to_be_visible()
    expect(Place(page, "words").report).to_contain_text("A person reads it")

    file, data = download(page)
    assert file == f"{name}.ipynb"
    graded = grade(name, data)
    assert graded == {task.name: task != coded[0] for task in tasks_of(name) if task.kind != "words"}
    written = next(cell for cell in json.loads(data)["cells"] if cell["id"] == "words-answer")
    assert "".join(written["source"]) == answers["words-answer"]


def grade(name, data):
    """Whether the tests of each task pass, when a teacher grades what was downloaded."""
    source = notebook(name, "source")
    locked = {cell.id: cell.source for cell in source.cells if not cell.metadata.nbgrader.solution}
    try:
        sandbox.require()
        isolated = True
    except sandbox.IsolationError:
        isolated = False
    problems = ProblemSet.of(notebook(name), locked)
    result = batch.grade(batch.Work("somebody", data), problems, Settings(isolated=isolated))
    assert result.status == "graded", result.reason
    assert not [flag for flag in result.notebook.metadata.lossprimer["flags"] if flag[1] in ("moved", "reading")]
    outputs = {cell.id: cell.outputs for cell in result.notebook.cells if cell.cell_type == "code"}
    tests = {task.name: outputs.get(task.cell.replace("-answer", "-test")) for task in tasks_of(name)}
    return {task: shown[-1].output_type != "error" for task, shown in tests.items() if shown is not None}


def test_a_task_may_use_another_one_and_an_impossible_prediction_opens_nothing(beside):
    page = beside(f"book/exercises/{ONE}.html")
    Place(page, "softmax").write(solutions(ONE)["softmax-answer"])
    uses = Place(page, "softmax_with_temperature")
    uses.check("def softmax_with_temperature(z, temperature):\n    return softmax(z / temperature)")
    expect(uses.report).to_contain_text(re.compile(r"all \d+ cases hold"))
    prediction = Place(page, "prediction")
    prediction.check("66%")
    expect(prediction.report).to_contain_text("SyntaxError")
    expect(prediction.section.locator("figure.explorer")).to_be_hidden()
    prediction.check("2 / 3")
    expect(prediction.section.locator("figure.explorer")).to_be_visible()


def test_by_keyboard_alone_through_mistakes_a_loop_and_a_reload(beside):
    page = beside(f"book/exercises/{ONE}.html", width=375, height=800)
    place, keys = Place(page, "softmax"), page.keyboard
    for _ in range(60):
        keys.press("Tab")
        if place.box.evaluate("box => box.matches(':focus')"):
            break
    expect(place.box).to_have_class(re.compile("cm-content"))
    expect(place.box).to_be_focused()
    expect(place.box).to_have_accessible_description(re.compile("Escape, then Tab"))
    # Who only passes by goes on by Tab.
    keys.press("Tab")
    expect(place.button("Check")).to_be_focused()
    keys.press("Shift+Tab")
    keys.press("Control+A")
    keys.insert_text("def softmax(z):")
    keys.press("Enter")
    keys.insert_text("z = z[")
    keys.press("Home")
    keys.press("Tab")
    assert place.text() == "def softmax(z):\n        z = z["
    keys.press("Shift+Tab")
    keys.press("Escape")
    keys.press("Tab")
    expect(place.button("Check")).to_be_focused()
    keys.press("Enter")
    expect(place.report).to_contain_text("SyntaxError in line 2", timeout=PYTHON_STARTS)
    expect(place.button("Check")).to_be_focused()
    place.button("Go to line 2").press("Enter")
    expect(place.box).to_be_focused()

    # A loop is stopped, and nothing is lost.
    place.write(LOOP)
    keys.press("Control+Enter")
    expect(place.status).to_have_text("Running")
    place.button("Stop").press("Enter")
    expect(place.status).to_contain_text("Stopped")
    expect(place.button("Check")).to_be_focused()
    expect(place.button("Stop")).to_be_hidden()
    assert place.text() == LOOP
    place.check(solutions(ONE)["softmax-answer"])
    expect(place.report).to_contain_text(re.compile(r"all \d+ cases hold"))
    assert points(page).startswith("3 of 15 points")

    # With all there is to open, in both schemes, axe finds nothing, and the page is as wide as the screen.
    Place(page, "log_softmax").check("def log_softmax(z):\n    undefined\nfor line in range(100):\n    print(line)")
    expect(Place(page, "log_softmax").report.get_by_role("group", name="Printed text")).to_contain_text("99")
    Place(page, "prediction").check("0,665")
    expect(Place(page, "prediction").report).to_contain_text("with a point: 0.665")
    page.evaluate("for (const fold of document.querySelectorAll('main details')) fold.open = true")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.locator(f"html[data-theme={scheme}]").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert violations(page) == [], scheme

    # What is changed holds no longer; what was typed, and whether it held, is there after a reload.
    Place(page, "log_softmax").write("# later")
    page.reload()
    assert points(page).startswith("3 of 15 points")
    assert place.text() == solutions(ONE)["softmax-answer"]
    assert Place(page, "log_softmax").text() == "# later"
    place.write(NAIVE)
    assert points(page).startswith("0 of 15 points")


# Without Python.


def test_nothing_is_fetched_before_the_reader_asks(look_at):
    page = look_at(f"book/exercises/{ONE}.html")
    fetched = page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    assert not [name for name in fetched if re.search(r"pyodide|editor|python\.js|output\.js|\.ipynb", name)]


def test_the_editor_is_light_and_says_whose_it_is():
    shipped = SITE / "_static" / "live"
    assert len(gzip.compress((shipped / "editor.js").read_bytes())) < 130_000
    assert "@codemirror/view" in (shipped / "editor-licences.txt").read_text("utf-8")


def test_an_untouched_set_is_downloaded_as_it_was_given_out(visit):
    for path in SETS:
        page = visit(f"book/exercises/{path.stem}.html")
        assert download(page) == (path.name, given_out(path.stem))
        expect(page.locator(".work-done")).to_contain_text("without an answer: task 1")


def test_only_the_answers_change_in_the_notebook(visit):
    page = visit(f"book/exercises/{ONE}.html")
    Place(page, "softmax").write('def softmax(z):\n    return "é\\n…"\n')
    Place(page, "prediction").write(" 2 / 3 ")
    Place(page, "words").write("One.\n\nTwo $x$.")
    _, data = download(page)
    expected = nbformat.reads(given_out(ONE).decode(), as_version=4)
    cells = {cell.id: cell for cell in expected.cells}
    cells["softmax-answer"].source = 'def softmax(z):\n    return "é\\n…"\n'
    cells["prediction-answer"].source = re.sub(
        r"# YOUR CODE HERE\n.*", "return 2 / 3", cells["prediction-answer"].source
    )
    cells["words-answer"].source = "One.\n\nTwo $x$."
    assert data.decode() == nbformat.writes(expected) + "\n"


def test_answers_come_back_from_a_notebook_and_replace_others_only_when_asked_to(visit):
    page, answers = visit(f"book/exercises/{ONE}.html"), solutions(ONE)
    for task in tasks_of(ONE):
        Place(page, task.name).write(answers[task.cell])
    file, data = download(page)

    def load(name, content):
        page.get_by_label("Load a notebook").set_input_files({"name": name, "mimeType": "", "buffer": content})

    def here():
        return [Place(page, task.name).text() for task in tasks_of(ONE)]

    full = here()
    page.get_by_role("button", name="Erase my answers").click()
    assert "NotImplementedError" in here()[0]
    assert [text for text in here() if "NotImplementedError" not in text] == ["", ""]  # a prediction, and words
    assert page.evaluate("Object.keys(localStorage).filter((name) => name.startsWith('answer'))") == []
    page.get_by_role("button", name="Bring them back").click()
    assert here() == full
    page.get_by_role("button", name="Erase my answers").click()

    load(file, data)
    expect(page.locator(".work-loaded")).to_contain_text("task 7")
    assert here() == full

    # What stands here is kept until the reader says so.
    Place(page, "softmax").write(NAIVE)
    load(file, data)
    question = page.get_by_role("group", name="Replace your answers?")
    expect(question).to_contain_text("answers task 1 differently from this page.")
    assert here()[0] == NAIVE
    question.get_by_role("button", name="Keep mine").click()
    expect(question).to_be_hidden()
    assert here() == [NAIVE, *full[1:]]
    load(file, data)
    question.get_by_role("button", name="Replace mine").click()
    assert here() == full

    # Files from which nothing comes are told in a sentence, and change nothing.
    other = given_out(SETS[1].stem)
    old = json.dumps({"worksheets": [], "nbformat": 3}).encode()
    for content, said in {
        b"\x89PNG": "is not a notebook", b"[1, 2": "is not a notebook", b"null": "not a notebook of format 4",
        old: "not a notebook of format 4", json.dumps({"cells": [None, 3, {}]}).encode(): "not a notebook of this set",
        json.dumps({"cells": [{"id": "x", "source": 3}]}).encode(): "not a notebook of this set",
    }.items():  # fmt: skip
        load("mine.ipynb", content)
        expect(page.locator(".work-loaded")).to_contain_text(said)
        expect(page.locator(".work-loaded")).to_contain_text("Nothing was changed")
        assert here() == full
    load("blank.ipynb", given_out(ONE))
    expect(page.locator(".work-loaded")).to_contain_text("no answers to load")
    load("other.ipynb", other)
    expect(page.locator(".work-loaded")).to_contain_text("is not a notebook of this set")
    assert here() == full


def test_reset_can_be_undone(visit):
    page = visit(f"book/exercises/{ONE}.html")
    place = Place(page, "softmax")
    stub = place.text()
    place.write(NAIVE)
    place.button("Reset").click()
    assert place.text() == stub
    place.button("Undo").click()
    assert place.text() == NAIVE
    expect(place.button("Undo")).to_be_hidden()
    place.button("Reset").click()
    expect(place.status).to_have_text("This task is as it was given out.")
    place.write(NAIVE)
    expect(place.status).to_have_text("")


def test_two_tabs_show_the_same_and_lose_nothing(visit):
    page = visit(f"book/exercises/{ONE}.html")
    second = page.context.new_page()
    second.goto(page.url)
    Place(page, "softmax").write(NAIVE)
    Place(second, "words").write("Said in the second tab.")
    expect(Place(page, "words").box).to_have_value("Said in the second tab.")
    expect(Place(second, "softmax").box).to_have_value(NAIVE)
    for tab in (page, second):
        tab.reload()
        assert Place(tab, "softmax").text() == NAIVE
        assert Place(tab, "words").text() == "Said in the second tab."


def test_where_nothing_can_be_kept_the_page_says_so_and_works(visit):
    page = visit(f"book/exercises/{ONE}.html")
    page.add_init_script("Storage.prototype.setItem = () => { throw new DOMException('', 'QuotaExceededError'); }")
    page.reload()
    Place(page, "words").write("Still in the notebook.")
    expect(page.get_by_text("This browser keeps nothing for this page")).to_be_visible()
    _, data = download(page)
    assert b'"Still in the notebook."' in data


# Where a place for code stands, where its first letter does, and its border and ground: of the text box, or the editor.
PLACED = """box => {
  const editor = box.querySelector(".editor")?.shadowRoot.querySelector(".cm-editor");
  const field = editor ?? box.querySelector("textarea");
  const { borderTopWidth, borderTopColor, borderTopLeftRadius, backgroundColor, paddingLeft } = getComputedStyle(field);
  const range = document.createRange();
  if (editor) range.selectNodeContents(editor.querySelector(".cm-line"));
  const { x, y, width, height } = field.getBoundingClientRect();
  const text = editor ? range.getBoundingClientRect().x : x + parseFloat(borderTopWidth) + parseFloat(paddingLeft);
  const page = getComputedStyle(document.body).backgroundColor;
  const ground = backgroundColor === page || backgroundColor === "rgba(0, 0, 0, 0)" ? "the page's" : backgroundColor;
  return [borderTopWidth, borderTopColor, borderTopLeftRadius, ground, ...[x, y, width, height, text].map(Math.round)];
}"""


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("book/exercises/05_transformer", "[data-kind=code] .answer-box"),
        ("notebooks/01_softmax", ".laboratory-code"),
    ],
)
def test_nothing_moves_when_the_editor_comes(look_at, name, place):
    page = look_at(f"{name}.html")
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    box = page.locator(place).first
    box.scroll_into_view_if_needed()
    before = box.evaluate(PLACED)
    box.locator("textarea").focus()
    expect(box.locator(".editor")).to_be_visible()
    expect(box.locator("textarea")).to_have_count(0)
    assert box.evaluate(PLACED) == before


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_place_for_code_looks_like_the_others_and_shows_that_code_goes_on(visit, scheme):
    page = visit(f"book/exercises/{ONE}.html", viewport={"width": 375, "height": 800}, color_scheme=scheme)
    look = "one => { const s = getComputedStyle(one); return [s.border, s.borderRadius]; }"
    fields = {kind: page.locator(f"[data-kind={kind}] textarea").first for kind in ("code", "prediction", "words")}
    assert len({tuple(field.evaluate(look)) for field in fields.values()}) == 1
    # Wider than the box, at this width; forced colours have no shades, and paper shows all.
    assert fields["code"].evaluate("one => one.scrollWidth > one.clientWidth")
    shade = "one => getComputedStyle(one).backgroundImage"
    assert fields["code"].evaluate(shade).count("linear-gradient") == 4
    page.emulate_media(forced_colors="active")
    assert fields["code"].evaluate(shade) == "none"
    page.emulate_media(forced_colors="none", media="print")
    assert fields["code"].evaluate(shade) == "none"
    assert fields["code"].evaluate("one => one.scrollWidth <= one.clientWidth")


@each_set
def test_the_code_that_is_given_fits_its_box(look_at, path):
    page = look_at(f"book/exercises/{path.stem}.html")
    boxes = page.locator("[data-kind=code] textarea")
    assert boxes.count() >= 3
    assert boxes.evaluate_all("all => all.filter((one) => one.scrollWidth > one.clientWidth).length") == 0


def test_without_the_editor_the_text_box_does_the_same(visit):
    page = visit(f"book/exercises/{ONE}.html")
    page.route(
        "**/editor.js", lambda route: route.fulfill(status=200, content_type="text/javascript", body="export {}")
    )
    place, keys = Place(page, "softmax"), page.keyboard
    place.box.focus()
    keys.press("Tab")
    expect(place.button("Check")).to_be_focused()
    keys.press("Shift+Tab")
    keys.press("Control+A")
    keys.insert_text("def softmax(z):\n")
    keys.press("Tab")
    keys.insert_text("return z")
    assert place.text() == "def softmax(z):\n    return z"
    keys.press("Escape")
    keys.press("Tab")
    expect(place.button("Check")).to_be_focused()


def test_without_scripts_the_tasks_and_their_stubs_can_be_read(visit):
    page = visit(f"book/exercises/{ONE}.html", java_script_enabled=False)
    place = Place(page, "softmax")
    expect(place.section.locator("pre").get_by_text("# YOUR CODE HERE")).to_be_visible()
    expect(place.section.locator("textarea")).to_be_hidden()
    expect(page.locator("main").get_by_role("button").filter(visible=True)).to_have_count(0)
    expect(page.get_by_role("link", name="the notebook as it was given out")).to_be_visible()


@pytest.mark.browser
def test_a_page_that_was_opened_as_a_file_says_what_is_missing(browser):
    context = browser.new_context()
    page = context.new_page()
    page.goto((SITE / "book" / "exercises" / f"{ONE}.html").as_uri())
    place = Place(page, "softmax")
    place.check(NAIVE)
    expect(place.status).to_contain_text("opened as a file cannot fetch Python")
    page.get_by_role("button", name="Download my notebook").click()
    expect(page.locator(".work-done")).to_contain_text("opened as a file cannot fetch the notebook")
    assert place.text() == NAIVE
    context.close()
