"""Which code of a chapter is folded, by what line it is found, and how all of it comes out."""

import json
import re
from pathlib import Path

import pytest
from docutils import nodes
from docutils.utils import new_document

from tests.waiting import expect
from theme.code import LONGEST, MoveSetUp, heading

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
LONG = "def spread(x):\n" + "    x = x * 2\n" * LONGEST + "    return x"


@pytest.mark.parametrize(
    ("source", "output", "expected"),
    [
        ("import numpy as np\nfrom lossprimer import softmax", "", "Code: what is imported"),
        ('if find_spec("x") is None:\n    %pip install x', "", "Code: if the package is missing"),
        ("import numpy as np\nnp.ones(3)", "array([1., 1., 1.])", None),
        ('explore(\n    draw,\n    title="A title",\n)', "A title", "Code: the explorer “A title”"),
        ('steps("A title",\n    [one],\n)', "", "Code: the explorer “A title”"),
        ("x = 1\ny = 2\nfigures.scale_by_depth(x, y)", "", "Code: the picture of scale by depth"),
        ("figures.jacobian(z)", "", None),
        ("(\n    bool(a > 1),\n    bool(b > 1),\n)", "(True, True)", "Checked: 2 claims hold"),
        ("(a, b)", "(True,\n True)", "Checked: 2 claims hold"),
        ("(\n    bool(a > 1),\n    bool(b > 1),\n)", "(True, False)", None),
        ("np.allclose(a, b)", "True", None),
        ("a = 1\nb = 1\nc = 1\na == b == c", "True", "Checked: the claim holds"),
        ("print(True)\nprint(3)\n\nx", "True 3", None),
        (LONG, "", "Code: spread, 14 lines"),
        ("# One model, twice.\n" + "x = 1\n" * LONGEST, "", "Code: one model, twice, 13 lines"),
        ("# Twice.\n# And again.\n" + LONG, "", "Code: twice, 16 lines"),
        ("\n".join(["predict(", *["    1,"] * LONGEST, ")"]), "", None),
        ("def short(x):\n    return x", "", None),
    ],
)
def test_what_serves_the_idea_is_folded_by_a_line_that_names_it(source, output, expected):
    assert heading(source, output) == expected


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_line_of_a_long_cell_says_what_it_does(path):
    cells = [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]
    for cell in cells:
        source, tags = "".join(cell["source"]), cell["metadata"].get("tags", [])
        output = "".join("".join(one.get("data", {}).get("text/plain", "")) for one in cell["outputs"])
        if not {"idea", "laboratory"} & set(tags):
            assert not re.match(r"Code: \d", heading(source, output) or ""), f"{cell['id']} begins with no comment"
        if "set-up" in tags:
            assert heading(source) or re.match("# |def ", source), f"{cell['id']} begins with no comment"


def test_what_gets_things_ready_stands_after_what_the_page_opens_with():
    def part(text, ready=False):
        return nodes.container("", nodes.Text(text), classes=["cell", *["tag_set-up"] * ready])

    later = nodes.section("", part("text"), part("later", ready=True))
    page = nodes.section("", part("imports", ready=True), part("numbers", ready=True), part("a thing"), later)
    document = new_document("page")
    document += page
    MoveSetUp(document).run()
    assert [one.astext() for one in page.children[:3]] == ["a thing", "imports", "numbers"]
    assert [one.astext() for one in later.children] == ["text", "later"]


@pytest.mark.site
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_is_on_the_page_and_no_claim_stands_bare(path, look_at):
    page = look_at(f"notebooks/{path.stem}.html")
    cells = [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]
    asked = sum("".join(cell["source"]).startswith("predict(") for cell in cells)
    assert page.locator(".cell .cell_input").count() == len(cells) - asked
    bare = page.locator(".cell > .cell_output pre").all_text_contents()
    assert [text for text in bare if re.fullmatch(r"\(True(,\s*True)+\)", text.strip())] == []


@pytest.mark.site
def test_one_switch_shows_all_code_and_is_remembered(visit):
    page = visit("notebooks/03_dropout.html")
    folds = page.locator("details.code")
    assert folds.evaluate_all("all => all.filter(({ open }) => open).length") == 0
    # What is folded takes one line, and its line opens it alone.
    expect(folds.first.locator(".cell_input")).not_to_be_visible()
    folds.first.locator("summary").click()
    expect(folds.first.locator(".cell_input")).to_be_visible()
    switch = page.get_by_role("button", name="Show all code")
    expect(switch).to_have_attribute("aria-pressed", "false")
    switch.click()
    expect(switch).to_have_attribute("aria-pressed", "true")
    assert folds.evaluate_all("all => all.every(({ open }) => open)")
    page.goto(page.url.replace("03_dropout", "01_softmax"))
    assert page.locator("details.code").evaluate_all("all => all.every(({ open }) => open)")
    page.get_by_role("button", name="Show all code").click()
    expect(page.locator("details.code .cell_input").first).not_to_be_visible()


@pytest.mark.site
def test_without_scripts_and_on_paper_all_code_is_there(visit):
    page = visit("notebooks/01_softmax.html", java_script_enabled=False)
    code = page.locator("details.code .cell_input")
    assert all(one.is_visible() for one in code.all())
    expect(page.get_by_role("button", name="Show all code")).to_have_count(0)
