"""A teacher opens hostile answers in feedback and formgrader: nothing runs, nothing is fetched, and grading works."""

import html
import os
import re
import shutil
import subprocess
import sys
import warnings
from http.client import HTTPConnection
from pathlib import Path

import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.server_extensions.formgrader import handlers
from traitlets.config import PyFileConfigLoader

from lossprimer import checks
from lossprimer.grading import cells, rendering
from lossprimer.grading.cleaning import cleaned
from lossprimer.grading.feedback import links_to
from lossprimer.grading.formgrader import policy
from tests.axe import violations
from tests.conftest import NEXT_FRAME
from tests.hostile import TEXTS
from tests.test_cleaning import assert_harmless, picture
from tests.waiting import expect
from tools import notebooks

# All of it, since one test opens what another one has prepared.
pytestmark = pytest.mark.browser

ROOT = Path(__file__).parent.parent
SET = "01_softmax"
COURSE = "loss-stability-primer"
SITE = "https://primer.example/course"
BAD = "'\"><img src=x onerror=window.ran=1>"
HONEST, CLEANED, OLD, BROKEN = "ada", "mallory", "oscar", f"eve{BAD}"
STUDENTS = (HONEST, CLEANED, OLD, BROKEN)
TESTS = {"softmax": 0, "temperature": 2, "log-softmax": 3, "softmax-backward": 3, "attention": 4, "prediction": 0}
WORDS = "The sum is 1, $\\sum_i p_i = 1$, so **its slope is 0** for a < b.\n\n![plot](attachment:a.png)\n\n# No heading"
COMMENT = (
    "Good: $x < y$, but <b>why</b>? <script>window.ran=1</script> <img src=x onerror=window.ran=1>"
    " [more](javascript:window.ran=1)"
)
TIMESTAMP = "yesterday at noon"


def answered(student):
    """The set with the answers and outputs of one student, before it is cleaned."""
    notebook = notebooks.load(ROOT / "exercises" / "source" / SET / f"{SET}.ipynb")
    for cell in notebook.cells:
        if cell.id == "softmax-answer":
            cell.source = "def softmax(z):\n    return np.exp(z)  # wrong"
        elif cell.id == "words-answer":
            cell.source = WORDS
            cell.attachments = {"a.png": {"image/png": picture()}}
        elif cells.is_test(cell):
            cell.outputs = outputs(cell.id)
    if student != HONEST:
        data = {
            "text/html": TEXTS[0] + TEXTS[6],
            "application/javascript": "window.ran = 1",
            "image/svg+xml": TEXTS[17],
        }
        shown = [new_output("display_data", data), new_output("stream", text=TEXTS[0] + "\x1b[31m" + TEXTS[7])]
        shown.append(new_output("error", ename=TEXTS[0], evalue=TEXTS[0], traceback=[TEXTS[0]]))
        notebook.cells += [new_markdown_cell(text) for text in TEXTS]
        notebook.cells.append(new_code_cell(TEXTS[0], outputs=shown))
    return notebook


def outputs(name):
    """What the test of a task leaves in its cell."""
    if name == "softmax-test":
        report = checks.softmax(np.exp)
        text = f"CheckFailed: {report}"
        error = new_output("error", ename="CheckFailed", evalue=str(report), traceback=[text])
        return [new_output("display_data", report._repr_mimebundle_()), error]
    if name == "prediction-test":
        return [new_output("error", ename="AssertionError", evalue="Think", traceback=["AssertionError: Think again"])]
    return [new_output("stream", text="All tests of this cell passed.\n")]


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """The folder of a course that is graded but for what a person has to read, with feedback."""
    course = tmp_path_factory.mktemp("course")
    shutil.copy(ROOT / "exercises" / "nbgrader_config.py", course)
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")  # of what nbgrader builds on
        # It starts a program of its own environment by its name alone.
        patch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
        with Gradebook(f"sqlite:///{course / 'gradebook.db'}", COURSE) as gradebook:
            fill(gradebook, course)
        config = PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config()
        config.CourseDirectory.root = str(course)
        config.FeedbackExporter.site_url = SITE
        made = NbGraderAPI(CourseDirectory(config=config), config=config).generate_feedback(SET)
    assert made["success"], made
    (course / "autograded" / BROKEN / SET / f"{SET}.ipynb").write_text("{no notebook", "utf-8")
    (course / "submitted" / OLD / SET / "timestamp.txt").write_text(TIMESTAMP, "utf-8")
    return course


def fill(gradebook, course):
    """Write the gradebook and ``autograded/``, as grading does."""
    gradebook.update_or_create_assignment(SET)
    gradebook.update_or_create_notebook(SET, SET)
    for cell in answered(HONEST).cells:
        notes, place = cell.metadata.nbgrader, (SET, SET)
        if notes.grade:
            gradebook.update_or_create_grade_cell(cell.id, *place, max_score=notes.points, cell_type=cell.cell_type)
        if notes.solution:
            gradebook.update_or_create_solution_cell(cell.id, *place)
    for student in STUDENTS:
        notebook = answered(student)
        for step in ("autograded", "submitted"):
            (course / step / student / SET).mkdir(parents=True)
        # As a grading without cleaning has left it.
        notebook = notebook if student == OLD else cleaned(notebook)
        nbformat.write(notebook, course / "autograded" / student / SET / f"{SET}.ipynb")
        name = {"first_name": f"</script><script>window.ran=1</script>{BAD}", "last_name": f"{student}{BAD}"}
        gradebook.update_or_create_student(student, **({} if student == HONEST else name))
        gradebook.add_submission(SET, student)
        for task, points in TESTS.items():
            grade = gradebook.find_grade(f"{task}-test", SET, SET, student)
            grade.auto_score, grade.needs_manual_grade = points, False
        gradebook.find_grade("words-answer", SET, SET, student).needs_manual_grade = True
        gradebook.find_comment("softmax-answer", SET, SET, student).manual_comment = COMMENT
    gradebook.db.commit()


@pytest.fixture(scope="module")
def formgrader(course):
    """The address of formgrader, as its command prints it."""
    command = [sys.executable, "-W", "ignore", "-m", "lossprimer.grading", "formgrader"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with (course / "server.log").open("w") as log:
        server = subprocess.Popen(command, cwd=course, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            yield re.search(r"http://127\.0\.0\.1:\d+/formgrader/\?token=\w+", server.stdout.readline())[0]
        finally:
            server.terminate()
            server.communicate(timeout=20)


@pytest.fixture
def watched(open_page):
    """Open a page and watch it: a dialog, a popup, another host or a message of the browser's fails the test."""
    pages, events = [], []

    def watched(address, **options):
        page = open_page("about:blank", **options)
        host = re.match(r"file://|http://[^/]*", address)[0]
        page.on("dialog", lambda dialog: (events.append("dialog"), dialog.dismiss()))
        page.on("popup", lambda popup: events.append("popup"))
        page.on("request", lambda request: request.url.startswith((host, "data:")) or events.append(request.url))
        page.on("console", lambda message: message.type in ("error", "warning") and events.append(message.text))
        page.goto(address)
        page.evaluate(f"{NEXT_FRAME}.then(() => null)")
        pages.append((page, page.url))
        return page

    yield watched
    for page, _ in pages:
        assert page.evaluate("window.ran") is None
    assert events == []


@pytest.fixture(scope="module")
def teacher(formgrader, browser):
    """What a browser keeps of a teacher who has signed in."""
    context = browser.new_context()
    assert context.request.get(formgrader).ok
    yield context.storage_state()
    context.close()


@pytest.fixture
def signed_in(watched, formgrader, teacher):
    """Open pages of formgrader, signed in as the teacher."""
    base = formgrader.partition("/formgrader/")[0]

    def open_signed_in(path):
        page = watched(base + path, storage_state=teacher)
        assert page.url.startswith(base)
        # What its buttons do is bound once the grades and the comments have come.
        page.wait_for_load_state("networkidle")
        return page

    return open_signed_in


def answer_of(student, course):
    """The path of a student's answer in formgrader."""
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", COURSE) as gradebook:
        return f"/formgrader/submissions/{gradebook.find_submission_notebook(SET, SET, student).id}/"


def points(course):
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", COURSE) as gradebook:
        return {
            (submission.student.id, grade.name): (grade.auto_score, grade.manual_score, grade.extra_credit)
            for submission in gradebook.assignment_submissions(SET)
            for grade in submission.notebooks[0].grades
        }


def feedback_of(student, course):
    return (course / "feedback" / student / SET / f"{SET}.html").as_uri()


def try_to_run(page):
    """What a gap in all cleaning would let in: the page's policy is the last to stop it."""
    page.evaluate(
        """() => {
            const holder = document.createElement('div');
            document.body.append(holder);
            holder.innerHTML = '<img src="data:," onerror="window.ran = 1"><details open ontoggle="window.ran = 1">'
              + '<a id="tried" href="javascript:window.ran = 1">x</a>';
            const script = document.createElement('script');
            script.textContent = 'window.ran = 1';
            document.body.append(script);
            document.getElementById('tried').click();
            try { setTimeout('window.ran = 1', 0); } catch {}
        }"""
    )
    page.wait_for_timeout(100)
    return page.evaluate("window.ran")


# Nothing runs, and nothing is fetched.


@pytest.mark.parametrize("student", STUDENTS)
def test_feedback_of_a_hostile_answer_runs_nothing(course, watched, student):
    page = watched(feedback_of(student, course))
    assert page.locator("script, iframe, object, form, link, base").count() == 0
    assert_harmless(page.locator("main").inner_html(), own={"section"})
    addresses = page.locator("a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert all(re.match(r"https?://|mailto:|#", address) for address in addresses)


@pytest.mark.parametrize("student", STUDENTS)
def test_formgrader_runs_nothing_of_an_answer(course, signed_in, student):
    before = points(course)
    page = signed_in(answer_of(student, course))
    for text in page.locator(".text_cell_render").all():
        assert_harmless(text.inner_html())
    own = page.locator("#notebook-container")
    assert own.locator("script, iframe, object, form, link, base").count() == 0
    assert points(course) == before


@pytest.mark.parametrize(
    "path",
    [
        "/formgrader/manage_assignments",
        f"/formgrader/manage_submissions/{SET}",
        f"/formgrader/gradebook/{SET}/{SET}",
        "/formgrader/manage_students",
        f"/formgrader/manage_students/{CLEANED}/{SET}",
        "/formgrader/manage_students/" + "%27%22%3E%3Cimg%20src=x%20onerror=window.ran=1%3E",
    ],
)
def test_the_lists_of_formgrader_show_names_as_text(course, signed_in, path):
    page = signed_in(path)
    expect(page.locator("#main-table")).not_to_contain_text("Loading")
    assert page.locator("#main-table img, #main-table script").count() == 0
    if "manage_submissions" in path:
        expect(page.locator("#main-table tr")).to_have_count(len(STUDENTS))
        expect(page.locator("#main-table")).to_contain_text("<script>window.ran=1</script>")


def test_every_text_means_the_same_harmless_thing_to_a_browser(browser):
    page = browser.new_page()
    for markup in map(rendering.markdown, TEXTS):
        assert_harmless(
            page.evaluate("text => new DOMParser().parseFromString(text, 'text/html').body.innerHTML", markup)
        )
    page.close()


def test_a_cleaned_answer_runs_nothing_even_in_a_reader_without_defences(browser):
    """As nbconvert shows it, with nothing of ours after the cleaning."""
    markup, _ = HTMLExporter(template_name="classic").from_notebook_node(cleaned(answered(CLEANED)))
    own, _ = HTMLExporter(template_name="classic").from_notebook_node(answered(HONEST))
    context = browser.new_context()
    asked = []
    context.route("**/*", lambda route: (asked.append(route.request.url), route.abort()))
    page = context.new_page()
    page.set_content(markup)
    page.evaluate(f"{NEXT_FRAME}.then(() => null)")
    assert page.evaluate("window.ran") is None
    assert [url for url in asked if url not in html.unescape(own)] == []
    context.close()


def test_formgrader_in_jupyterlab_shows_harmless_text_too():
    """Nbgrader's own page of an answer, with the course's configuration; it has no policy."""
    config = PyFileConfigLoader("nbgrader_config.py", path=str(ROOT / "exercises")).load_config()
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    markup, _ = HTMLExporter(config=config).from_notebook_node(answered(OLD), resources={"index": 0, "total": 1})
    texts = BeautifulSoup(markup, "html.parser").select(".text_cell_render, .output_area")
    assert len(texts) > len(TEXTS)
    for text in texts:
        assert_harmless(text.decode_contents())


def test_a_script_in_the_page_would_not_run(course, formgrader, browser, teacher):
    base = formgrader.partition("/formgrader/")[0]
    context = browser.new_context(storage_state=teacher)
    page = context.new_page()
    paths = (f"/formgrader/manage_submissions/{SET}", answer_of(HONEST, course), "/login")
    for address in (*(base + path for path in paths), feedback_of(HONEST, course)):
        page.goto(address)
        assert try_to_run(page) is None
    page.goto("about:blank")
    assert try_to_run(page) == 1  # where there is no policy
    context.close()


def test_from_the_page_no_way_leads_to_the_machine(course, signed_in, formgrader):
    """Whoever ran a script in the page would find neither files nor terminals nor kernels."""
    page = signed_in("/formgrader/manage_assignments")
    base = formgrader.partition("/formgrader/")[0]
    cookie = {"X-XSRFToken": page.evaluate("getCookie('_xsrf')")}
    submission = answer_of(OLD, course)
    for path in (
        *(
            "/api",
            "/api/contents",
            "/api/contents/x.txt",
            "/api/terminals",
            "/api/kernels",
            "/api/sessions",
            "/metrics",
        ),
        *("/api/kernelspecs", "/api/config/x", "/api/shutdown", "/api/events", "/api/spec.yaml", "/files/gradebook.db"),
        *("/terminals/websocket/1", "/nbconvert/html/x.ipynb", "/view/x", "/lab", "/tree", "/edit/x", "/notebooks/x"),
        *(f"{submission}{SET}.ipynb", f"{submission}../../../gradebook.db", f"{submission}%2e%2e/%2e%2e/gradebook.db"),
    ):
        for method in ("get", "post", "put", "patch", "delete"):
            answer = getattr(page.request, method)(base + path, headers=cookie)
            assert answer.status in (403, 404, 405), (method, path, answer.status)
            assert "script-src" in answer.headers["content-security-policy"]
    assert sorted(path.name for path in course.iterdir()) == [
        *("autograded", "feedback", "gradebook.db", "nbgrader_config.py", "server.log", "submitted"),
    ]


def test_a_link_cannot_make_formgrader_run_a_configuration_file(course, signed_in, tmp_path):
    (tmp_path / "nbgrader_config.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    signed_in(f"/formgrader/?path={tmp_path}")
    assert not (tmp_path / "ran").exists()


def test_nothing_is_shown_without_signing_in(course, formgrader, browser):
    base = formgrader.partition("/formgrader/")[0]
    context = browser.new_context()
    for path in ("/formgrader/", "/formgrader/manage_students", "/formgrader/api/students", answer_of(HONEST, course)):
        answer = context.request.get(base + path)
        assert "/login" in answer.url
        assert HONEST not in answer.text()
        assert answer.headers["content-security-policy"] == policy()
    context.close()


def test_a_page_of_another_name_does_not_reach_the_server(formgrader):
    """A site can let its name point to this machine, and would then be of the same origin."""
    host = re.search(r"127\.0\.0\.1:\d+", formgrader)[0]
    connection = HTTPConnection(host, timeout=20)
    connection.request("GET", formgrader.partition(host)[2], headers={"Host": "attacker.example"})
    assert connection.getresponse().status == 403
    connection.close()


def test_every_answer_has_a_policy_of_its_own(signed_in, formgrader):
    page = signed_in("/formgrader/manage_assignments")
    base = formgrader.partition("/formgrader/")[0]
    policies = [
        page.request.get(base + path).headers["content-security-policy"]
        for path in ("/formgrader/gradebook", "/formgrader/gradebook", "/formgrader/api/students", "/favicon.ico")
    ]
    assert len(set(policies)) == len(policies)
    assert all("default-src 'none'" in policy and "unsafe-eval" not in policy for policy in policies)
    assert page.request.get(f"{base}/formgrader/gradebook").headers["referrer-policy"] == "no-referrer"


# Grading works.


def test_points_and_a_comment_are_kept(course, signed_in):
    page = signed_in(answer_of(HONEST, course))
    for name, text in (("#words-answer", "2.5"), ("#words-answer-comment", "Why <b>not</b>?")):
        with page.expect_response(lambda response: response.request.method == "PUT"):
            page.fill(name, text)
            page.press(name, "Tab")
    page.reload()
    expect(page.locator("#words-answer")).to_have_value("2.5")
    expect(page.locator("#words-answer-comment")).to_have_value("Why <b>not</b>?")
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", COURSE) as gradebook:
        grade = gradebook.find_grade("words-answer", SET, SET, HONEST)
        assert (grade.manual_score, grade.needs_manual_grade) == (2.5, False)
        assert gradebook.find_comment("words-answer", SET, SET, HONEST).manual_comment == "Why <b>not</b>?"


def test_buttons_keys_and_names_work(course, signed_in):
    page = signed_in(answer_of(HONEST, course))
    expect(page.locator(".name-shown").first).to_be_hidden()
    page.locator("span.name-hidden").click()
    expect(page.locator("a.name-shown")).to_have_text(HONEST)
    with page.expect_response(lambda response: response.request.method == "PUT"):
        page.locator(".nbgrader_cell", has=page.locator("#softmax-test")).get_by_text("Full credit").click()
    expect(page.locator("#softmax-test")).to_have_value("3")
    here = page.url
    page.get_by_text("Next →").click()
    page.wait_for_url(lambda url: url != here)
    page.goto(here.partition("/formgrader/")[0] + f"/formgrader/gradebook/{SET}/{SET}")
    expect(page.locator("#main-table a.name-hidden")).to_have_count(len(STUDENTS))
    page.get_by_role("button", name="Show All Names").click()
    expect(page.get_by_role("button", name="Hide All Names")).to_be_visible()


def test_formulas_and_pictures_show(course, signed_in):
    page = signed_in(answer_of(HONEST, course))
    answer = page.locator(".nbgrader_cell", has=page.locator("#words-answer"))
    expect(answer.locator("math")).to_have_count(1)
    assert answer.locator("img").evaluate("image => image.naturalWidth") == 3
    expect(page.locator("body")).not_to_contain_text("\\sum")


def test_a_lost_picture_and_a_broken_file_spoil_no_page(course, signed_in):
    page = signed_in(answer_of(OLD, course))
    expect(page.get_by_text("a picture is missing here").first).to_be_visible()
    page = signed_in(answer_of(BROKEN, course))
    (course / "autograded" / BROKEN / SET / f"{SET}.ipynb").unlink()
    answer = page.request.get(page.url)
    assert (answer.status, "file not found" in answer.text()) == (404, True)
    # The time of a submission is what the file says, if it says one.
    page = signed_in(f"/formgrader/manage_submissions/{SET}")
    expect(page.locator("#main-table tr")).to_have_count(len(STUDENTS))


# Feedback reads well.


def test_the_summary_names_the_tasks_and_what_waits(course, watched):
    page = watched(feedback_of(HONEST, course))
    expect(page).to_have_title("Feedback: Softmax: the problem set")
    expect(page.locator("h1")).to_have_text("Softmax: the problem set")
    expect(page.locator(".total")).to_have_text("12 of 17 points so far; 3 more wait for a person who reads.")
    rows = page.locator("tbody tr").evaluate_all("rows => rows.map(row => [...row.cells].map(cell => cell.innerText))")
    assert rows == [
        ["1. Softmax (3 points)", "0 of 3"],
        ["2. Temperature (2 points)", "2 of 2"],
        ["3. The logarithm of the probabilities (3 points)", "3 of 3"],
        ["4. The backward pass (3 points)", "3 of 3"],
        ["5. Attention weights (4 points)", "4 of 4"],
        ["6. A prediction (2 points)", "0 of 2"],
        ["7. In your own words (3 points)", "3 wait for a person"],
        ["8. Softmax in blocks (0 points)", ""],
    ]
    page.get_by_role("link", name="7. In your own words").click()
    expect(page.get_by_role("heading", name="7. In your own words")).to_be_in_viewport()


def test_a_failed_task_shows_its_report_once(course, watched):
    page = watched(feedback_of(HONEST, course))
    task = page.locator("section", has_text="1. Softmax (3 points)")
    report = checks.softmax(np.exp)
    expect(task.locator(".report li strong")).to_have_text(f"did not hold: {report.finding.title}")
    expect(task.locator(".report li", has_text="likely: ").last).to_have_text(f"likely: {report.finding.cause.likely}")
    assert task.inner_text().count(report.finding.title) == 1
    assert "CheckFailed" not in page.content()
    expect(page.locator("section", has_text="6. A prediction").locator(".report")).to_have_text(
        "AssertionError: Think again"
    )


def test_what_the_student_did_not_write_is_folded_and_hidden_tests_are_not_there(course, watched):
    page = watched(feedback_of(HONEST, course))
    expect(page.get_by_text("How do scores become probabilities?")).to_be_hidden()
    page.get_by_text("The task", exact=True).first.click()
    expect(page.get_by_text("How do scores become probabilities?")).to_be_visible()
    for hidden in ("HIDDEN", "default_rng", "require()"):
        assert hidden not in page.content()


def test_a_comment_is_shown_with_its_formula_and_its_html_as_text(course, watched):
    comment = watched(feedback_of(HONEST, course)).locator(".comment")
    expect(comment).to_contain_text("but <b>why</b>? <script>window.ran=1</script>")
    expect(comment.locator("math")).to_have_count(1)
    assert comment.locator("b, img, a").count() == 0


def test_links_lead_to_the_published_chapter(course, watched):
    page = watched(feedback_of(HONEST, course))
    addresses = page.locator("a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert {address for address in addresses if not address.startswith("#")} == set()
    leads = links_to(SITE, SET)
    assert leads("../../../notebooks/01_softmax.ipynb") == f"{SITE}/notebooks/01_softmax.html"
    anchor = "3.-What-does-a-temperature-do?"
    assert leads(f"../../../notebooks/01_softmax.ipynb#{anchor}").endswith(".html#what-does-a-temperature-do")
    assert leads("../02_cross_entropy/02_cross_entropy.ipynb") == f"{SITE}/book/exercises/02_cross_entropy.html"
    assert leads("../../../../etc/x.ipynb") is None
    assert leads("https://example.org/a?b#c") == "https://example.org/a?b#c"
    assert links_to("", SET)("../../../notebooks/01_softmax.ipynb") is None


@pytest.mark.parametrize(("width", "scheme"), [(375, "dark"), (1280, "light")])
def test_feedback_is_accessible_and_fits_the_screen(course, watched, width, scheme):
    for student in (HONEST, CLEANED):
        page = watched(
            feedback_of(student, course), viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True
        )
        page.evaluate("document.querySelectorAll('details').forEach(folded => { folded.open = true; })")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert violations(page) == []
        levels = page.locator("h1, h2, h3, h4, h5, h6").evaluate_all("all => all.map(each => +each.tagName[1])")
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))
        assert page.locator("html").get_attribute("lang") == "en"
