"""The functions that a chapter's code calls lead to what the package's page says of them."""

import pytest

from tests.waiting import expect
from theme.names import linked

PLACES = {"softmax": "api.html#softmax", "fit": "api.html#fit"}
LINK = '<a class="name" href="api.html#softmax">softmax</a>'


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("softmax(z)", f"{LINK}(z)"),
        ("a = softmax(z)\nb = softmax(z)", f"a = {LINK}(z)\nb = softmax(z)"),
        ("log_softmax(z), naive_softmax(z)", None),
        ("model.fit(x), softmax", None),
        ('<span class="s">"softmax(z)"</span>', None),
        ('<span class="k">def</span> <span class="nf">softmax</span>(z):', None),
        ('<span class="k">return</span> softmax(z)', f'<span class="k">return</span> {LINK}(z)'),
    ],
)
def test_the_first_call_in_a_cell_is_a_link_and_nothing_else(code, expected):
    assert linked(code, PLACES) == (expected or code)


@pytest.mark.site
def test_a_call_in_a_chapter_leads_to_its_documentation(visit):
    page = visit("notebooks/01_softmax.html")
    # Where the code around it may be folded or covered, the address is what counts.
    page.goto(page.locator("pre a.name", has_text="softmax").first.evaluate("link => link.href"))
    expect(page.locator("dt:target")).to_have_attribute("id", "lossprimer.softmax")
