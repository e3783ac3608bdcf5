"""No page has an accessibility violation that axe knows, in light and dark, on a screen and on a phone."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from conftest import PAGES

pytestmark = pytest.mark.site

# Asking for nothing else halves the time, and so does asking once what no scheme changes.
VIOLATIONS = """(only) => axe.run({
  resultTypes: ["violations"], ...(only && { runOnly: { type: "rule", values: only } }),
}).then(({ violations }) => violations)"""
COLOURS = ["color-contrast", "link-in-text-block"]
# Colours come from the scheme, and what is there from the width. So a page is asked everything in light on a screen and
# in dark on a phone; a page of each kind is asked for its colours the other way round, too.
EACH_KIND = [
    "book/cheatsheet.html",
    "book/exercises/01_softmax.html",
    "book/glossary.html",
    "book/intro.html",
    "book/self-test/01_softmax.html",
    "notebooks/01_softmax.html",
    "search.html",
]


def test_there_are_pages():
    assert set(PAGES) > set(EACH_KIND)


@pytest.mark.parametrize("name", [page for page in PAGES if page != "index.html"])
@pytest.mark.parametrize("width", [1280, 320])
def test_a_page_is_accessible_and_as_wide_as_the_screen(visit, name, width):
    opened = visit(name, viewport={"width": width, "height": 800}, color_scheme="light")
    opened.evaluate(Axe().axe_script)
    whole = "light" if width == 1280 else "dark"
    for scheme in ("light", "dark"):
        opened.emulate_media(color_scheme=scheme)
        opened.locator(f"html[data-theme={scheme}]").wait_for()
        assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if scheme == whole or name in EACH_KIND:
            found = opened.evaluate(VIOLATIONS, None if scheme == whole else COLOURS)
            assert [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in found] == [], scheme
