"""Python in a page, in real Chromium: a small book with two laboratories, built as the course is."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from test_laboratories import CHAPTERS, read, shown, stored

from lossprimer import page as answering
from tests.axe import violations
from tests.waiting import expect
from tools.server import serving

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[1]
STARTS = 60_000  # milliseconds for Python to start on a busy machine
NAIVE = "def softmax(z):\n    e = np.exp(z)\n    return e / e.sum(axis=-1, keepdims=True)\n"
SCORES = "scores = np.array([2.0, 1.0, 0.5])\nsoftmax(scores).round(3)"
PICTURE = "figures.temperature(temperature=0.7, scores=(2, 1, 0.5))"
ASK = """async ([kind, request, options]) => {
  const { python } = await import("./_static/live/python.js");
  return python.ask(kind, request, options).catch(({ message, stopped }) => ({ message, stopped }));
}"""

# Waits until the service worker and all that Python needs to start are there.
KEPT = """async () => {
  const needed = [/worker/, /sizes/, /module/, /asm.js/, /wasm$/, /stdlib/, /lock/, /numpy-/, /lossprimer-/];
  for (let tries = 0; tries < 600; tries += 1) {
    const all = (await caches.keys()).map((name) => caches.open(name).then((cache) => cache.keys()));
    const kept = (await Promise.all(all)).flat();
    const worker = await navigator.serviceWorker.getRegistration("_static/live/");
    if (worker?.active && needed.every((name) => kept.some(({ url }) => name.test(url)))) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}"""


def laboratory(name, code, shown):
    output = new_output("execute_result", data={"text/plain": shown}, execution_count=1)
    return new_code_cell(code, id=name, metadata={"tags": ["laboratory"]}, outputs=[output], execution_count=1)


def build(folder):
    """Build a book of one page with the configuration of the course; returns its pages."""
    folder.mkdir()
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    config["execute"] = {"execute_notebooks": "off"}
    config["html"]["favicon"] = str(ROOT / config["html"]["favicon"])
    config["sphinx"]["local_extensions"] = {name: str(ROOT) for name in config["sphinx"]["local_extensions"]}
    settings = config["sphinx"]["config"]
    settings |= {"bibtex_bibfiles": [], "search_words": "", "asides": [], "page_questions": {}}
    # What else runs in pages has tests of its own.
    settings["extensions"] = [name for name in settings["extensions"] if not name.startswith("live.")]
    (folder / "_config.yml").write_text(yaml.safe_dump(config), "utf-8")
    (folder / "_toc.yml").write_text("format: jb-book\nroot: page\nchapters:\n- file: plain\n", "utf-8")
    (folder / "plain.md").write_text(
        "# A page without laboratories\n\nIt has only text, and nothing to run.\n", "utf-8"
    )
    cells = [
        new_markdown_cell("# Two laboratories\n\nThis page has text, and two cells that a reader can change and run."),
        new_code_cell("import numpy as np\n\nfrom lossprimer import figures, softmax", id="imports"),
        new_markdown_cell("**Change it.** Another score."),
        laboratory("scores", SCORES, "array([0.629, 0.231, 0.14 ])"),
        new_markdown_cell("**Change it.** Another temperature."),
        laboratory("picture", PICTURE, "T = 0.7"),
    ]
    nbformat.write(new_notebook(cells=cells), folder / "page.ipynb")
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", str(folder), "--quiet"]
    done = subprocess.run(command, env={**os.environ, "LIVE": "1"}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "_build" / "html"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return build(tmp_path_factory.mktemp("live") / "book")


@pytest.fixture(scope="module")
def address(site, serve):
    return serve(site)


@pytest.fixture(scope="module")
def context(browser, address):
    """Yield a context in which no page asks another host."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    asked, errors = [], []
    context.on("request", lambda request: asked.append(request.url))
    context.on("weberror", lambda error: errors.append(str(error.error)))
    yield context
    context.close()
    assert [url for url in asked if not url.startswith(address)] == []
    assert errors == []


@pytest.fixture(scope="module")
def warm(context, address):
    """Yield one page for many tests; Python starts in it once."""
    page = context.new_page()
    page.goto(f"{address}/page.html")
    return page


@pytest.fixture
def first(warm):
    """Return the first laboratory, as it is on the page."""
    # For two seconds after a click the button says what it has done.
    warm.get_by_role("button", name=re.compile("^(Erase my code|Code erased)$")).click()
    warm.set_viewport_size({"width": 1280, "height": 900})
    return warm.get_by_role("group", name="Laboratory 1")


def typed(laboratory):
    """Return what stands in the text box, which is a textarea until the editor has taken its place."""
    lines = "[...box.querySelectorAll('.cm-line')].map((line) => line.textContent).join('\\n')"
    return laboratory.get_by_role("textbox", name="Your code").evaluate(f"box => box.value ?? {lines}")


def run(laboratory, code=None):
    """Run `code` in a laboratory, or what stands in it; returns what it shows."""
    if code is not None:
        laboratory.get_by_role("textbox", name="Your code").fill(code)
    laboratory.get_by_role("button", name=re.compile("^Run")).click()
    done(laboratory)
    return laboratory.get_by_role("region", name="Output")


def done(laboratory):
    said = re.compile(r"^(Done|The code ended with an error|Stopped|Python )")
    expect(laboratory.get_by_role("status")).to_have_text(said, timeout=STARTS)
    expect(laboratory.get_by_role("button", name="Stop")).to_be_hidden()


def ask(page, kind, request, **options):
    return page.evaluate(ASK, [kind, request, options])


def test_nothing_of_python_is_fetched_before_the_first_click(context, address):
    page, asked = context.new_page(), []
    page.on("request", lambda request: asked.append(request.url.removeprefix(f"{address}/_static/live/")))
    page.goto(f"{address}/page.html")
    laboratory = page.get_by_role("group", name="Laboratory 1")
    expect(laboratory.get_by_role("button", name="Run (loads Python, 9 MB)")).to_be_visible()
    laboratory.get_by_role("textbox").focus()
    page.wait_for_load_state("networkidle")
    assert {name for name in asked if "/" not in name} <= {"laboratory.js", "laboratory.css", "box.js", "editor.js"}
    page.close()


def test_code_runs_and_shows_what_it_showed_in_the_notebook(first):
    expect(run(first)).to_have_text("array([0.629, 0.231, 0.14 ])")
    expect(first.get_by_role("button", name="Run", exact=True)).to_be_visible()
    expect(run(first, "print('here')\nsoftmax([0.0, 0.0])")).to_have_text(re.compile(r"here\s*array\(\[0\.5, 0\.5\]\)"))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("x = 1\ny = x +", "SyntaxError in line 2: invalid syntax"),
        ("\nprnt(1)", "NameError in line 2: name 'prnt' is not defined. Did you mean: 'print'?"),
        ("name = input('Who?')", "RuntimeError in line 1: input() cannot ask you anything on a page."),
        ("print('x' * 2_000_000)", "2,000,001 characters in all, of which the first 10,000 are shown"),
        ("import no_such_package", "ModuleNotFoundError in line 1: No module named 'no_such_package'"),
        ("x = [np.empty(2**27) for _ in range(8)]", "MemoryError in line 1: Unable to allocate"),
        ("raise SystemExit", "SystemExit in line 1"),
        ("x = 1", "The code ran, and shows nothing."),
    ],
)
def test_what_goes_wrong_is_reported_in_a_sentence(first, code, said):
    expect(run(first, code)).to_contain_text(said)
    assert typed(first) == code


def test_a_check_in_the_page_says_what_it_says_in_a_notebook(warm):
    found = ask(warm, "check", {"task": "softmax", "code": NAIVE})
    assert {name: value for name, value in found.items() if name != "error"} == {
        name: value for name, value in answering.check("softmax", NAIVE).items() if name != "error"
    }


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_the_laboratories_of_a_chapter_show_in_a_page_what_they_show_in_the_notebook(warm, path):
    _, laboratories, setup = read(path)
    for cell in laboratories:
        found = ask(warm, "run", {"code": cell.source, "setup": setup})
        assert found["error"] is None
        if "nbval-ignore-output" not in cell.metadata.tags:
            assert shown(found) == stored(cell)


def test_an_endless_loop_is_stopped_and_nothing_typed_is_lost(warm, first):
    code = "while True:\n    pass"
    first.get_by_role("textbox").fill(code)
    first.get_by_role("button", name="Run").click()
    expect(first.get_by_role("status")).to_have_text("Running", timeout=STARTS)
    first.get_by_role("button", name="Stop").click()
    expect(first.get_by_role("status")).to_have_text("Stopped.")
    assert typed(first) == code
    # A limit of time ends it, too, and who asked for something else gets it.
    loop, other = warm.evaluate(
        """async (code) => {
          const { python } = await import("./_static/live/python.js");
          const told = ({ message, stopped }) => ({ message, stopped });
          const loop = python.ask("run", { code }, { seconds: 1 }).catch(told);
          return Promise.all([loop, python.ask("run", { code: "1 + 1" })]);
        }""",
        code,
    )
    assert loop == {"message": "Stopped after 1 second: does a loop never end?", "stopped": True}
    assert other["outputs"] == [{"mime": "text/plain", "data": "2"}]


def test_what_runs_in_a_page_reaches_no_other_host(warm):
    """Nor is there a request that another host would refuse: the context says so at its end."""
    code = """import js
js.fetch("https://example.org/").catch(js.String)
[name for name in ("XMLHttpRequest", "WebSocket", "EventSource", "WebTransport") if hasattr(js, name)]"""
    assert ask(warm, "run", {"code": code})["outputs"] == [{"mime": "text/plain", "data": "[]"}]


def test_a_picture_is_drawn_and_follows_the_colours(warm, first):
    second = warm.get_by_role("group", name="Laboratory 2")
    shown = run(second, PICTURE.replace("0.7", "0.9"))
    drawing = shown.get_by_role("img", name=re.compile("^T = 0.9: probabilities"))
    expect(drawing.locator("svg")).to_be_visible()
    bar = drawing.locator("path[fill='#0067a3']").first
    colours = {bar.evaluate("bar => getComputedStyle(bar).fill")}
    warm.evaluate("document.documentElement.dataset.theme = 'dark'")
    colours.add(bar.evaluate("bar => getComputedStyle(bar).fill"))
    assert len(colours) == 2
    texts = drawing.locator("text")
    assert texts.count() > 5
    sizes = {texts.nth(i).evaluate("text => getComputedStyle(text).fontSize") for i in range(texts.count())}
    assert len(sizes) <= 2, "the size of the page reaches the text of a drawing"


def test_nothing_is_wider_than_a_phone_and_axe_finds_nothing(warm, first):
    run(first, "print('x' * 500)\n1 / 0")
    first.get_by_text("What Python says").click()
    for scheme in ("light", "dark"):
        warm.evaluate(f"document.documentElement.dataset.theme = '{scheme}'")
        for width in (375, 1280):
            warm.set_viewport_size({"width": width, "height": 900})
            assert warm.evaluate("document.documentElement.scrollWidth") == width
            assert violations(warm) == []


def test_the_keyboard_is_enough(warm, first):
    box = first.get_by_role("textbox")
    box.focus()
    warm.keyboard.press("Control+a")
    warm.keyboard.type("6 * 7")
    warm.keyboard.press("Control+Enter")
    done(first)
    expect(first.get_by_role("region", name="Output")).to_have_text("42")
    warm.keyboard.press("Escape")
    warm.keyboard.press("Tab")
    expect(first.get_by_role("button", name="Run")).to_be_focused()
    warm.keyboard.press("Tab")
    expect(first.get_by_role("button", name="Reset")).to_be_focused()
    warm.keyboard.press("Enter")
    assert typed(first) == SCORES


def test_what_was_typed_stays_until_it_is_erased(context, address, warm, first):
    first.get_by_role("textbox").fill("1 + 1")
    page = context.new_page()
    page.goto(f"{address}/page.html")
    again = page.get_by_role("group", name="Laboratory 1")
    assert typed(again) == "1 + 1"
    expect(page.get_by_text("This output is that of an earlier version of the code.").first).to_be_visible()
    # Two pages have a Python each.
    assert ask(page, "run", {"code": "x = 1\nx"})["outputs"] == [{"mime": "text/plain", "data": "1"}]
    assert ask(warm, "run", {"code": "x"})["error"]["name"] == "NameError"
    page.get_by_role("button", name="Erase my code").click()
    assert typed(again) == SCORES
    page.reload()
    assert typed(again) == SCORES
    # A page without a laboratory loads nothing of it.
    page.goto(f"{address}/plain.html")
    assert page.locator("[src*=laboratory], [href*=laboratory]").count() == 0
    page.close()


def test_python_starts_without_a_connection_once_it_has_run(site, context):
    page = context.browser.new_page()
    with serving(site) as address:
        page.goto(f"{address}/page.html")
        assert ask(page, "run", {"code": "1"})["error"] is None
        assert page.evaluate(KEPT)
    page.evaluate("import('./_static/live/python.js').then(({ python }) => python.stop())")
    assert ask(page, "run", {"code": "1 + 1"})["outputs"] == [{"mime": "text/plain", "data": "2"}]
    told = ask(page, "run", {"code": "import matplotlib"})["message"]
    assert told == "matplotlib could not be fetched. Is there a connection? Try again."
    assert ask(page, "run", {"code": "1 + 2"})["outputs"] == [{"mime": "text/plain", "data": "3"}]
    page.close()


def test_a_file_that_cannot_be_had_is_reported_and_the_next_click_tries_again(browser, address):
    """A server that does not know WebAssembly is enough for it."""
    context = browser.new_context(service_workers="block")
    page = context.new_page()
    plain, kinds = {"content-type": "application/octet-stream"}, []
    page.on("response", lambda response: kinds.append(response.headers["content-type"]))
    page.route("**/*.wasm", lambda route: route.fulfill(response=route.fetch(), headers=plain))
    page.route("**/numpy-*.whl", lambda route: route.abort())
    page.goto(f"{address}/page.html")
    laboratory = page.get_by_role("group", name="Laboratory 1")
    run(laboratory)
    said = laboratory.get_by_role("status")
    expect(said).to_contain_text("Python did not start: numpy-2.0.2")
    expect(said).to_contain_text("could not be fetched")
    page.unroute("**/numpy-*.whl")
    expect(run(laboratory)).to_have_text("array([0.629, 0.231, 0.14 ])")
    assert "application/octet-stream" in kinds
    assert "application/wasm" not in kinds
    context.close()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("delete globalThis.Worker", "This browser has no workers"),
        ("delete globalThis.WebAssembly", "no WebAssembly"),
        ("globalThis.Worker = class { constructor() { throw new Error('refused'); } }", "did not start: refused."),
    ],
)
def test_a_browser_that_cannot_is_reported(browser, address, script, said):
    context = browser.new_context()
    context.add_init_script(script)
    page = context.new_page()
    page.goto(f"{address}/page.html")
    laboratory = page.get_by_role("group", name="Laboratory 1")
    laboratory.get_by_role("button", name="Run").click()
    expect(laboratory.get_by_role("status")).to_contain_text(said)
    context.close()


def test_a_page_that_was_opened_as_a_file_says_what_is_missing(browser, site):
    page = browser.new_page()
    page.goto((site / "page.html").as_uri())
    laboratory = page.get_by_role("group", name="Laboratory 1")
    laboratory.get_by_role("button", name="Run").click()
    expect(laboratory.get_by_role("status")).to_contain_text("opened as a file")
    expect(laboratory.get_by_role("status")).to_contain_text("make serve")
    page.close()


def test_without_scripts_a_laboratory_is_a_cell(browser, address):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{address}/page.html")
    expect(page.get_by_text("scores = np.array([2.0, 1.0, 0.5])")).to_be_visible()
    expect(page.get_by_text("array([0.629, 0.231, 0.14 ])")).to_be_visible()
    expect(page.get_by_role("button", name="Run")).to_have_count(0)


def test_only_a_page_that_needs_a_worker_may_start_one(site):
    policies = {
        name: re.search(r'Content-Security-Policy" content="([^"]+)"', (site / f"{name}.html").read_text("utf-8"))[1]
        for name in ("page", "plain")
    }
    assert policies["page"] == f"{policies['plain']}; worker-src 'self'"
    assert "eval" not in policies["page"]
