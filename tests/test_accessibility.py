"""No page has an accessibility violation that axe knows, in light and dark, on a screen and on a phone."""

import pytest

from conftest import PAGES
from tests.axe import violations

pytestmark = pytest.mark.site

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


# Text on two grounds that show through, the same colour read again, and what has nothing to do with colours.
FAULTY = """<!doctype html><html lang="en"><title>Faults</title><main><h1>Faults</h1>
<div style="background: #000a"><div style="background: #fffa">
<p style="color: #777">faint</p><p style="color: #777">again</p><p style="color: #111">dark</p></div></div>
<img src="data:,"></main>"""


def test_what_is_faint_and_what_has_no_name_is_found(open_page):
    opened = open_page("about:blank")
    opened.set_content(FAULTY)
    faint = ["color-contrast", [f'<p style="color: #777">{text}</p>' for text in ("faint", "again")]]
    assert violations(opened) == [faint, ["image-alt", ['<img src="data:,">']]]
    assert violations(opened, "img") == [["image-alt", ['<img src="data:,">']]]


@pytest.mark.parametrize("name", [page for page in PAGES if page != "index.html"])
@pytest.mark.parametrize("width", [1280, 320])
def test_a_page_is_accessible_and_as_wide_as_the_screen(look_at, name, width):
    opened = look_at(name, width=width)
    for scheme in ("light", "dark"):
        opened.emulate_media(color_scheme=scheme)
        opened.locator(f"html[data-theme={scheme}]").wait_for()
        assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if name in EACH_KIND or (width == 1280) == (scheme == "light"):
            assert violations(opened) == [], scheme
