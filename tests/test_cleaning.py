"""What is kept of a learner's texts runs nowhere; honest texts, code, formulas and pictures come out as they were."""

import base64
import io
import json
import re
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup, Comment
from hypothesis import given, settings
from hypothesis import strategies as st
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell
from PIL import Image

from lossprimer import checks
from lossprimer.grading import rendering
from lossprimer.grading.cleaning import TAGS, clean_markdown, clean_output, clean_report, cleaned
from tests.hostile import FRAGMENTS, TEXTS

SETS = sorted((Path(__file__).parent.parent / "exercises" / "source").glob("*/*.ipynb"))


def picture(form="PNG", size=(3, 2)):
    """A real picture, in base64."""
    content = io.BytesIO()
    Image.new("RGB", size, "teal").save(content, form)
    return base64.b64encode(content.getvalue()).decode()


def rendered(source, attachments=None):
    """What nbconvert makes of a text, and with it nbgrader."""
    return MarkdownWithMath(renderer=IPythonRenderer(escape=False, attachments=attachments or {})).render(source)


def assert_harmless(markup, own=frozenset()):
    """Assert that there is nothing in it but what a page of text has. The lists here are the test's own."""
    soup = BeautifulSoup(markup, "html.parser")
    assert not soup.find_all(string=lambda text: isinstance(text, Comment))
    for tag in soup.find_all(True):
        checkbox = tag.name == "input" and tag.get("type") == "checkbox" and tag.has_attr("disabled")
        assert tag.name in TAGS | own or tag.name == "math" or checkbox or tag.find_parent("math"), tag.name
        for name, value in tag.attrs.items():
            value = " ".join(value) if isinstance(value, list) else value
            if name == "href":
                assert re.match(r"https?://|mailto:|#|[\w./-]+\.ipynb", value, re.IGNORECASE), value
            elif name == "src":
                assert re.match(r"data:image/(png|jpeg|gif|webp);base64,[\w+/=]+$", value), value
            elif name == "style":
                assert re.match(r"text-align: ?(left|right|center);?$|[\w: #.;-]*$", value), value
                assert "url" not in value
            else:
                assert not name.lower().startswith("on"), name
                assert name not in ("srcdoc", "action", "formaction", "background", "poster", "srcset", "xlink:href")


def text_of(markup):
    return BeautifulSoup(markup, "html.parser").get_text()


# Hostile texts.


@pytest.mark.parametrize("source", TEXTS)
def test_a_hostile_text_renders_to_harmless_html(source):
    assert_harmless(rendered(*clean_markdown(source)))


@pytest.mark.parametrize("source", TEXTS)
def test_the_page_would_show_it_harmless_even_if_it_had_not_been_cleaned(source):
    assert_harmless(rendering.markdown(source))


texts = st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=12).map("".join)


@settings(max_examples=150)
@given(texts)
def test_no_combination_of_pieces_becomes_harmful(source):
    clean, pictures = clean_markdown(source)
    assert_harmless(rendered(clean, pictures))
    assert clean_markdown(clean, pictures) == (clean, pictures)


@settings(max_examples=100)
@given(texts)
def test_no_combination_of_pieces_shows_as_harmful(source):
    assert_harmless(rendering.markdown(source))


@settings(max_examples=100)
@given(st.text(st.sampled_from("<>/\"'=ab :;&#x\n\t`*_[]()!$\\-|~ éß"), max_size=60))
def test_whatever_is_typed_renders_to_harmless_html(source):
    assert_harmless(rendered(*clean_markdown(source)))


@pytest.mark.parametrize("command", ["href{javascript:x}", "style{x}", "cssId{a}", "require{html}", "unicode{60}"])
@pytest.mark.parametrize("form", [r"$\{}{{x}}$", r"$$\{}{{x}}$$", r"&#36;\\{}{{x}}&#36;", r"\begin{{x}}\{}\end{{x}}"])
def test_a_formula_commands_nothing_but_a_formula(command, form):
    clean, _ = clean_markdown(form.format(command))
    name = re.match(r"\w+", command)[0]
    shown = BeautifulSoup(rendered(clean), "html.parser")
    for block in shown.find_all(["pre", "code"]):  # in which MathJax looks for nothing
        block.decompose()
    assert f"\\{name}" not in shown.get_text()


def test_a_text_that_cannot_be_parsed_or_is_too_long_is_shown_as_it_was_typed():
    for source in ("<script>" + "x" * 30_000, "<script>`" + "``\n" * 10_000):
        clean, _ = clean_markdown(source)
        assert_harmless(rendered(clean))
        assert text_of(rendered(clean)).strip() == source.strip()
        assert clean_markdown(clean)[0] == clean


def test_many_texts_get_no_more_of_our_time_than_a_few():
    notebook = new_notebook(cells=[new_markdown_cell("*a* " * 4000) for _ in range(20)])
    parsed = [not cell.source.startswith("```") for cell in cleaned(notebook).cells]
    assert parsed == sorted(parsed, reverse=True)
    assert 0 < sum(parsed) < 20


# Honest texts.

HONEST = [
    "The loss is `-log p`, for x<y and a < b, and `a <- b`.",
    "Because $p_i < 1$ and $a & b$, $$\\sum_{i<j} x_i^2 > 0$$ holds.\n\n\\\\[ a < b \\\\] and \\\\(c > d\\\\)",
    "\\begin{align}a &< b \\\\ c &= d\\end{align}",
    "| a | b |\n|:--|--:|\n| `<x>` | $a|b$ |\n",
    "```python\nif a < b:\n    print('<script>', \"javascript:\")\n```\n\n    indented = '<b onclick=x>'\n",
    "1. one\n2. two\n   - *three* and **four**\n\n> quoted\n\n# Heading\n\nUnder\n=====\n",
    "<details>\n<summary>Hint</summary>\n\nH<sub>2</sub>O<br>\n\n</details>",
    "See <https://example.org/a?b=1&c=2>, [this](https://example.org) or [that][1].\n\n[1]: https://e.org 'title'\n",
    "[Bayes](https://en.wikipedia.org/wiki/Bayes'_theorem), [x](https://e.org/a_(b)?c=%20d&e), <me@e.org>, [up](#top)",
    "AT&T &amp; R&D, 5 > 3, <3, 1<<2, a<=b, f<-g, n < input <base_rate, «ß», 你好, 🙂",
    "An \\*escaped\\* star, a \\$ sign, 100 % and C:\\path\\name.",
    '<table>\n<tr><td colspan="2">x</td></tr>\n</table>',
    "YOUR ANSWER HERE",
    "",
]


@pytest.mark.parametrize("source", HONEST)
def test_an_honest_text_stays_as_it_is(source):
    assert clean_markdown(source) == (source, {})


@pytest.mark.parametrize("path", SETS, ids=lambda path: path.stem)
def test_the_problem_sets_stay_as_they_are(path):
    notebook = nbformat.read(path, as_version=4)
    clean = cleaned(notebook)
    assert clean == notebook
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            assert "<code>\\" not in rendering.markdown(cell.source)  # a formula that could not be read


@pytest.mark.parametrize("harm", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[x](javascript:alert)"])
@pytest.mark.parametrize("source", HONEST[:4] + HONEST[5:6])
def test_beside_a_hostile_piece_the_rest_survives(source, harm):
    clean, _ = clean_markdown(f"{source}\n\n{harm}\n")
    assert_harmless(rendered(clean))
    assert rendered(clean).startswith(rendered(source).rstrip("\n"))


def test_what_is_on_no_list_is_shown_and_not_obeyed():
    clean, _ = clean_markdown("Use <K> classes <script>alert(1)</script> in `<script>` and ~~\n\n    <b>\n")
    assert text_of(rendered(clean)).startswith("Use <K> classes <script>alert(1)</script> in <script>")


@pytest.mark.parametrize("text", ["[my *x*](javascript:f(1))", "[my *x*](<data:text/html,y> 'z')", "[my *x*](/logout)"])
def test_of_a_link_that_leads_nowhere_good_the_text_stays(text):
    shown = rendered(clean_markdown(f"a {text} b")[0])
    assert shown == "<p>a my <em>x</em> (a link is not shown here) b</p>\n"


def test_harmless_html_keeps_what_is_harmless_about_it():
    clean, _ = clean_markdown('<div align=center style="x" onclick=y><font color=red>r</font></div> <td colspan=2>')
    assert clean == '<div align="center"><font>r</font></div> <td colspan="2">'


# Pictures.


def test_an_attached_picture_stays():
    for form, mime in [("PNG", "png"), ("JPEG", "jpeg"), ("GIF", "gif"), ("WEBP", "webp")]:
        given = {"a.png": {f"image/{mime}": picture(form)}}
        assert clean_markdown("![p](attachment:a.png)", given) == ("![p](attachment:a.png)", given)
        assert f"data:image/{mime};base64" in rendered("![p](attachment:a.png)", given)


@pytest.mark.parametrize(
    "data",
    [
        base64.b64encode(b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>").decode(),
        base64.b64encode(b"<script>alert(1)</script>").decode(),
        picture()[:40],
        '"><script>alert(1)</script>',
        "é",
        7,
        None,
        [],
    ],
)
def test_what_is_no_picture_becomes_a_remark(data):
    for mime in ("image/png", "image/svg+xml", "text/html"):
        clean, pictures = clean_markdown("Before ![my plot](attachment:a.png) after", {"a.png": {mime: data}})
        assert pictures == {}
        assert text_of(rendered(clean)).strip() == "Before (a picture is missing here: my plot) after"


def test_a_missing_or_outside_picture_becomes_a_remark():
    for url in ("attachment:gone.png", "plot.png", "../x.png", "file:///etc/passwd", "//host/x.png"):
        assert text_of(rendered(clean_markdown(f"![p]({url})")[0])).strip() == "(a picture is missing here: p)"
    for text in ("![p](https://example.org/x.png)", '<img src="https://example.org/x.png" alt="p" width=3>'):
        shown = rendered(clean_markdown(text)[0])
        assert "<img" not in shown
        assert '<a href="https://example.org/x.png">p</a>' in shown


def test_a_picture_of_too_many_pixels_or_bytes_is_missing():
    content = bytearray(base64.b64decode(picture("GIF")))
    content[6:10] = (20_000).to_bytes(2, "little") * 2  # what it says of its width and height
    bomb = base64.b64encode(content).decode()
    assert clean_markdown("![p](attachment:a)", {"a": {"image/gif": bomb}})[1] == {}
    assert clean_markdown("![p](attachment:a)", {"a": {"image/png": "A" * 2**23}})[1] == {}


def test_a_name_that_a_link_cannot_hold_is_replaced():
    clean, pictures = clean_markdown(
        "![p](attachment:my%20plot%20(1).png)", {"my plot (1).png": {"image/png": picture()}}
    )
    assert list(pictures) == ["picture-1"]
    assert "<img src=" in rendered(clean, pictures)


@pytest.mark.parametrize("form", ["![p]({})", '<img src="{}">', "![p](<{}>)"])
def test_a_picture_in_the_text_becomes_an_attachment(form):
    clean, pictures = clean_markdown(form.format(f"data:image/png;base64,{picture()}"))
    assert list(pictures.values()) == [{"image/png": picture()}]
    assert "<img src=" in rendered(clean, pictures)
    hidden = base64.b64encode(b"<script>").decode()
    assert "<img" not in rendered(*clean_markdown(form.format(f"data:image/png;base64,{hidden}")))


def test_a_tag_of_a_picture_can_name_an_attachment():
    clean, pictures = clean_markdown('<img src="attachment:a.png" width="300">', {"a.png": {"image/png": picture()}})
    assert "<img src=" in rendered(clean, pictures)


# Notebooks.


def test_no_part_of_a_notebook_is_believed():
    cell = {
        "cell_type": "markdown",
        "id": '"><script>',
        "source": ["<script>", "x</script>"],
        "metadata": {"nbgrader": {"grade_id": "<b>", "solution": True}, "tags": ["<script>"], "slideshow": {}},
        "attachments": {"a": 3, 7: {}, "b": {"image/png": {}}},
    }
    notebook = {
        "nbformat": 4,
        "metadata": {
            "kernelspec": {"name": "<script>", "display_name": 3},
            "widgets": {"x": "<script>"},
            "title": "<x>",
        },
        "cells": [cell, cell, {"cell_type": "strange"}, 5, {"cell_type": "code", "outputs": [3, {}], "metadata": []}],
    }
    clean = cleaned(nbformat.from_dict(notebook))
    nbformat.validate(clean)
    assert "<script>" not in json.dumps(clean)
    assert [dict(cell.metadata) for cell in clean.cells] == [{}, {}, {}]
    assert len({cell.id for cell in clean.cells}) == 3
    assert cleaned(nbformat.from_dict({"cells": 3, "metadata": 4})).cells == []


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(FRAGMENTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
strange_output = st.fixed_dictionaries(
    {"output_type": st.sampled_from(["stream", "error", "display_data", "execute_result"]) | anything},
    optional={
        "text": anything,
        "traceback": anything,
        "data": st.dictionaries(st.sampled_from(["text/plain", "text/html", "image/png"]), anything) | anything,
        "execution_count": anything,
    },
)
strange_cell = st.fixed_dictionaries(
    {"cell_type": st.sampled_from(["code", "markdown", "raw"]) | anything},
    optional={
        "source": anything,
        "id": anything,
        "outputs": st.lists(strange_output, max_size=2) | anything,
        "execution_count": anything,
        "attachments": st.dictionaries(st.text(max_size=5), st.dictionaries(st.text(max_size=5), anything)) | anything,
        "metadata": st.fixed_dictionaries(
            {"nbgrader": st.dictionaries(st.sampled_from(["grade_id", "grade", "solution", "points"]), anything)}
        )
        | anything,
    },
)


@given(st.lists(strange_cell | anything, max_size=3), anything)
def test_any_json_becomes_a_valid_notebook(found, metadata):
    notebook = nbformat.from_dict({"cells": found, "metadata": metadata})
    before = repr(notebook)
    clean = cleaned(notebook)
    assert repr(notebook) == before
    nbformat.validate(clean)
    assert nbformat.writes(clean).encode("utf-8")


def test_nbgraders_notes_on_a_cell_stay():
    notes = {"grade_id": "a-test", "grade": True, "solution": False, "locked": True, "task": False, "points": 2}
    cell = new_markdown_cell("x", metadata={"nbgrader": {**notes, "schema_version": 3, "checksum": "0f", "extra": 1}})
    (clean,) = cleaned(new_notebook(cells=[cell])).cells
    assert clean.metadata == {"nbgrader": {**notes, "schema_version": 3, "checksum": "0f"}}


def test_code_stays_to_the_byte_and_can_be_written():
    source = "x = '<script>'  # \x0c\r\n%%html\n<script>alert(1)</script>"
    (clean,) = cleaned(new_notebook(cells=[new_code_cell(source)])).cells
    assert clean.source == source
    broken = nbformat.from_dict({"cells": [{"cell_type": "code", "source": "x = '\ud800'"}]})
    assert nbformat.writes(cleaned(broken)).encode("utf-8")


def test_a_raw_cell_shows_its_text():
    sources = ["<script>alert(1)</script>", "plain"]
    notebook = new_notebook(cells=[new_raw_cell(source) for source in sources])
    page, _ = HTMLExporter().from_notebook_node(cleaned(notebook))
    cells = BeautifulSoup(page, "html.parser").find("main")
    assert cells.find("script") is None
    assert all(source in cells.get_text() for source in sources)


def test_of_outputs_text_and_pictures_stay():
    kept = [
        new_output("stream", name="stderr", text="\x1b[31mred\x1b[0m <script>"),
        new_output("error", ename="E<b>", evalue="v", traceback=["\x1b[1mline\x1b[0m"]),
        new_output("execute_result", {"text/plain": "1", "image/png": picture()}, execution_count=3),
    ]
    gone = [
        new_output("display_data", {"text/html": "<script>", "application/javascript": "x", "image/svg+xml": "<svg/>"}),
        new_output("display_data", {"text/markdown": "<script>", "text/latex": "\\href", "image/png": "x"}),
        new_output("display_data", {"application/vnd.jupyter.widget-view+json": {"model_id": "x"}}),
    ]
    noisy = new_output("display_data", {"text/plain": "2"}, metadata={"image/png": {"width": '"><script>'}})
    (clean,) = cleaned(new_notebook(cells=[new_code_cell("1", outputs=[*kept, *gone, noisy])])).cells
    assert clean.outputs == [*kept, new_output("display_data", {"text/plain": "2"})]
    assert clean_output({"output_type": "stream", "text": "a\x1b]8;;http://x\x07b\x1b[2Jc\x00"}).text == "abc"


def test_the_report_of_a_test_stays_and_nothing_else_does():
    report = checks.softmax(lambda z: z)
    output = new_output("display_data", report._repr_mimebundle_())
    notes = {"grade_id": "t", "grade": True, "solution": False, "locked": True, "points": 1, "schema_version": 3}
    test = new_code_cell("test", outputs=[output], metadata={"nbgrader": {**notes, "task": False}})
    own = new_code_cell("own", outputs=[output])
    clean = cleaned(new_notebook(cells=[test, own]))
    assert clean.cells[0].outputs[0].data == output.data
    assert list(clean.cells[1].outputs[0].data) == ["text/plain"]
    assert clean_report('<p onclick="x" style="y">a<a href="x">b</a><script>c</script><img src=x>') == "<p>ab</p>"
