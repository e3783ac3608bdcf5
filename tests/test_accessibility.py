"""No page has an accessibility violation that axe knows, in light and dark, on a screen and on a phone."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from conftest import PAGES

pytestmark = pytest.mark.site

# Asking for nothing else halves the time.
VIOLATIONS = """() => axe.run({ resultTypes: ["violations"] }).then(({ violations }) => violations)"""
# Colours come from the scheme, and what is there from the width: on a page of each kind axe looks at all four, on the
# others at each scheme and at each width once. The contrast of all texts takes most of the time.
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
def test_a_page_is_accessible_and_as_wide_as_the_screen(look_at, name, width):
    opened = look_at(name, width=width)
    opened.evaluate(Axe().axe_script)
    for scheme in ("light", "dark"):
        opened.emulate_media(color_scheme=scheme)
        opened.locator(f"html[data-theme={scheme}]").wait_for()
        assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if name in EACH_KIND or (width == 1280) == (scheme == "light"):
            found = opened.evaluate(VIOLATIONS)
            assert [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in found] == [], scheme
