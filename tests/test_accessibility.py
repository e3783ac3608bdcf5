"""No page has an accessibility violation that axe knows, in light and dark, on a screen and on a phone."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from conftest import PAGES

pytestmark = pytest.mark.site

# Asking for nothing else halves the time.
VIOLATIONS = "axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations)"


def test_there_are_pages():
    assert PAGES


@pytest.mark.parametrize("name", [page for page in PAGES if page != "index.html"])
@pytest.mark.parametrize("width", [1280, 320])
def test_a_page_is_accessible_and_as_wide_as_the_screen(visit, name, width):
    opened = visit(name, viewport={"width": width, "height": 800}, color_scheme="light")
    opened.evaluate(Axe().axe_script)
    for scheme in ("light", "dark"):
        opened.emulate_media(color_scheme=scheme)
        opened.locator(f"html[data-theme={scheme}]").wait_for()
        assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")
        faults = [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in opened.evaluate(VIOLATIONS)]
        assert faults == [], scheme
