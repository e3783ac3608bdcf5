"""What the tests share: how hypothesis searches, the built site, a browser, and a server for this machine alone."""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.cases import together
from tests.waiting import settle
from tools.browser import MISSING, find_browser, launched
from tools.commands import LONG
from tools.server import serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# The same examples on every run and every machine, and no verdict that depends on its speed. The quick tests run
# fewer of them (tools/commands.py).
settings.register_profile("primer", derandomize=True, deadline=None)
settings.register_profile("quick", settings.get_profile("primer"), max_examples=40)
settings.load_profile("primer")
# Whose site is looked at: the variable BOOK names another project folder than this one.
BOOK = Path(os.environ.get("BOOK", Path(__file__).parents[1]))
SITE = BOOK / "_build" / "html"


def own(pattern: str) -> list[Path]:
    """Return the files of the site that are the course's own: JupyterLite and Pyodide have a folder each."""
    others = SITE / "live", SITE / "_static" / "live" / "pyodide"
    return sorted(path for path in SITE.rglob(pattern) if not any(map(path.is_relative_to, others)))


# The page for missing addresses is left out: its links hold only where the site says that it stands (test_address.py).
PAGES = [path.relative_to(SITE).as_posix() for path in own("*.html") if path.name != "404.html"]
SCREEN = {"width": 1280, "height": 900}
# The files that take half a minute or more, by how long.
LONGEST = (
    "test_grading",
    "test_frames",
    "test_accessibility",
    "test_site",
    "test_problems_in_browser",
    "test_live_in_browser",
    "test_grading_pages",
    "test_place",
    "test_pages",
    "test_jupyterlab",
    "test_submission",
    "test_recipes",
    "test_wcag",
    "test_search",
    "test_print",
    "test_sandbox",
    "test_lite_in_browser",
)
# As a reader who does not want to be asked: what predictions cover is looked at, too.
UNCOVER = """() => {
  for (const button of document.querySelectorAll(".prediction[data-state=covered] .prediction-show")) button.click();
}"""
NEXT_FRAME = "new Promise(requestAnimationFrame)"


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Look for no garbage among the tests and the modules while they are gathered, nor later: all of it is kept."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()
        gc.set_threshold(50_000)
        atexit.register(gc.freeze)  # Python would look once more, among all that is left, before it ends


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark what asks for the browser, before the marks choose what is run; what takes longest begins first.

    So the processes that share the tests end at about the same time.
    """
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
    items.sort(key=_turn)


def _is_long(item: pytest.Item) -> bool:
    return any(mark.name in LONG for mark in item.iter_markers())


def _turn(item: pytest.Item) -> tuple[bool, int]:
    """Return what orders the tests: those of the longest files, the other long ones, the quick ones."""
    name = item.path.stem
    return not _is_long(item), LONGEST.index(name) if name in LONGEST else len(LONGEST)


@pytest.hookimpl(trylast=True, specname="pytest_collection_modifyitems")
def pytest_run_cases_together(items):
    """Run the cases of a quick test as one, those that are chosen."""
    long = sum(map(_is_long, items))  # which come first
    items[long:] = together(items[long:])


def pytest_runtest_setup(item):
    """Fail a test of the built site where there is none."""
    if item.get_closest_marker("site") and not (SITE / "index.html").is_file():
        pytest.fail(f"there is no site in {SITE}: run make book first", pytrace=False)


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[[Path], str]]:
    """Serve a folder at a free port until the tests end; returns its address."""
    with contextlib.ExitStack() as servers:
        yield lambda folder: servers.enter_context(serving(folder))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Yield a real Chromium without a window."""
    path = find_browser()
    if path is None:
        pytest.fail(MISSING)
    with launched(path) as browser:
        yield browser


@contextlib.contextmanager
def opening(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open pages in contexts of their own; an error on a page fails the test."""
    contexts, errors = [], []

    def open_page(address: str, *, covered: bool = False, **options) -> Page:
        contexts.append(browser.new_context(**{"viewport": SCREEN, **options}))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: message.type == "error" and errors.append(message.text))
        page.goto(address)
        if not covered and options.get("java_script_enabled", True):
            page.evaluate(UNCOVER)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open pages for one test."""
    with opening(browser) as open_page:
        yield open_page


@pytest.fixture(scope="session")
def address(serve) -> str:
    """Serve the site below a path of its own, as a project's pages are; returns where."""
    return f"{serve(SITE.parent)}/{SITE.name}"


@pytest.fixture
def visit(open_page, address) -> Iterator[Callable[..., Page]]:
    """Open a page of the site; a request to another host fails the test."""
    requests = []

    def visit(name: str, *, covered: bool = False, **options) -> Page:
        opened = open_page("about:blank", **options)
        opened.on("request", lambda request: requests.append(request.url))
        opened.goto(f"{address}/{name}")
        if not covered and options.get("java_script_enabled", True):
            opened.evaluate(UNCOVER)
        if options.get("java_script_enabled", True):
            settle(opened)
        return opened

    yield visit
    assert [url for url in requests if not url.startswith(address)] == []


# Run before any script of a page: what the page before has kept is forgotten.
FORGET = "if (origin !== 'null') { localStorage.clear(); sessionStorage.clear(); }"


@pytest.fixture(scope="module")
def window(browser) -> Iterator[Page]:
    """Yield the one window of the tests of a module that need no other kind; an error fails them, at their end."""
    with opening(browser) as open_page:
        yield open_page("about:blank")


@pytest.fixture(scope="module")
def look_at(window, address) -> Iterator[Callable[..., Page]]:
    """Go to a page of the site in the one window of a module, which has no memory of the pages before.

    A window for each test would take longer than the pages in it. It is for tests that need no other kind of window,
    and do not count on what a page keeps. A request to another host fails the tests of the module, at their end.
    """
    requests = []
    window.context.add_init_script(FORGET)
    window.on("request", lambda request: requests.append(request.url))

    def look_at(
        name: str, width: int = 1280, height: int = 900, *, scheme: str = "light", covered: bool = False
    ) -> Page:
        # A link within the page that is open would not open it again.
        window.goto("about:blank")
        window.set_viewport_size({"width": width, "height": height})
        window.emulate_media(media="null", color_scheme=scheme, reduced_motion="null", forced_colors="null")
        window.goto(f"{address}/{name}")
        if not covered:
            window.evaluate(UNCOVER)
        settle(window)
        return window

    yield look_at
    assert [url for url in requests if not url.startswith((address, "about:"))] == []
