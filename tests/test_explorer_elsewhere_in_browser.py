"""A stock Jupyter Book gets a slider, by the page "Sliders in your own book" to the letter, and Chromium moves it."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import pytest

from lossprimer.explorer.shown import STATIC
from tests.waiting import expect

PAGE = (Path(__file__).parent.parent / "book" / "sliders-elsewhere.md").read_text("utf-8")
CONFIGURATION = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[1]
CELL = re.search(r"```\{code-cell\} python\n(.*?)```", PAGE, re.DOTALL)[1]
# What the theme's own pages do wrong without our doing.
ERRORS_OF_THE_THEME = {"Identifier 'THEBE_JS_URL' has already been declared"}
STEP_SIZES = [place / 10 for place in range(1, 11)]


def sentence(step_size):
    x = 2.0
    for _ in range(10):
        x -= step_size * 2 * x  # the derivative of x²
    return f"Step {step_size:g}: x = {x:.3f} after 10 steps."


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """Build the book that `jupyter-book create` makes, with the page's two lines and its cell; returns its pages."""
    folder = tmp_path_factory.mktemp("stock") / "book"
    environment = {name: value for name, value in os.environ.items() if name != STATIC}

    def jupyter_book(*arguments):
        command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", *arguments, str(folder)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    jupyter_book("create")
    with (folder / "_config.yml").open("a", encoding="utf-8") as config:
        config.write(CONFIGURATION)
    # One page: what else the template has is not needed to see the slider. These two would be executed.
    for name in ("notebooks.ipynb", "markdown-notebooks.md"):
        (folder / name).unlink()
    (folder / "_toc.yml").write_text("format: jb-book\nroot: slider\n", "utf-8")
    cells = [nbformat.v4.new_markdown_cell("# A slider"), nbformat.v4.new_code_cell(CELL)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "slider.ipynb")
    jupyter_book("build", "--path-output", str(folder.parent))
    return folder.parent / "_build" / "html"


@pytest.fixture(scope="module")
def address(book, serve):
    return f"{serve(book)}/slider.html"


@pytest.fixture(params=["light", "dark"])
def visit(request, browser, address):
    """Open the page in one of the two schemes; what it asks of other hosts is refused."""
    # Without motion a drawing is there at once.
    view = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"}
    context = browser.new_context(color_scheme=request.param, **view)
    context.route(lambda url: not url.startswith(address.removesuffix("slider.html")), lambda route: route.abort())
    errors = []

    def visit(fragment=""):
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address + fragment)
        expect(page.locator("html")).to_have_attribute("data-theme", request.param)
        return page

    yield visit
    context.close()
    assert set(errors) <= ERRORS_OF_THE_THEME


def test_two_lines_of_configuration_are_enough():
    assert len(CONFIGURATION.splitlines()) == 2


@pytest.mark.kernel
def test_the_page_is_that_of_the_stock_theme(book):
    assert (book / "_static" / "sphinx-book-theme.css").exists() or list(book.rglob("sphinx-book-theme*.css"))
    assert "primer" not in re.sub(r"lossprimer[./]explorer", "", (book / "slider.html").read_text("utf-8"))


def test_the_slider_answers_the_keyboard_with_values_and_sentences(visit):
    page = visit()
    slider = page.get_by_role("slider", name="Step size")
    figure = page.locator("figure.explorer")
    slider.press("Home")
    drawings = set()
    for step_size in STEP_SIZES:
        expect(slider).to_have_attribute("aria-valuetext", f"{step_size:g}")
        expect(figure.locator("output")).to_have_text(f"{step_size:g}")
        expect(figure.locator("figcaption")).to_have_text(sentence(step_size))
        drawings.add(figure.locator(".picture-drawing").inner_html())
        slider.press("ArrowRight")
    assert len(drawings) == len(STEP_SIZES)
    slider.press("Home")
    expect(figure.locator("figcaption")).to_have_text(sentence(0.1))
    slider.press("End")
    expect(figure.locator("figcaption")).to_have_text(sentence(1))
    expect(figure.locator("p[role=status]")).to_have_text(sentence(1))


def test_a_setting_stands_in_the_address_and_a_link_brings_it_back(visit):
    page = visit()
    page.get_by_role("slider", name="Step size").press("End")
    page.wait_for_url("**/slider.html#gradient-descent.step_size=1")
    fragment = re.search(r"`(#gradient-descent[^`]+)`", PAGE)[1]
    linked = visit(fragment)
    expect(linked.locator("figcaption")).to_have_text(sentence(0.9))
    expect(linked.locator("figcaption")).to_be_in_viewport()


# What is seen of an element, and the colour that it is seen on: that of the nearest box around it that has one.
SEEN = """() => {
  const clear = (colour) => colour === "none" || /, 0\\)$/.test(colour);
  const ground = (element) => {
    const { backgroundColor } = getComputedStyle(element);
    return clear(backgroundColor) ? ground(element.parentElement) : backgroundColor;
  };
  const figure = document.querySelector("figure.explorer");
  const seen = [];
  for (const element of figure.querySelectorAll("svg text, svg path, svg use")) {
    if (element.closest("defs")) continue;
    const { fill, stroke } = getComputedStyle(element);
    const paints = element.tagName === "text" ? [fill] : [fill, stroke];
    for (const paint of paints.filter((paint) => !clear(paint)))
      seen.push([element.tagName, paint, ground(figure)]);
  }
  for (const element of figure.querySelectorAll("label, output, .explorer-title, figcaption span"))
    seen.push(["text", getComputedStyle(element).color, ground(element)]);
  return seen;
}"""


def luminance(colour):
    """Return the relative luminance of "rgb(r, g, b)" by WCAG's formula."""
    channels = [int(channel) / 255 for channel in re.fullmatch(r"rgb\((\d+), (\d+), (\d+)\)", colour).groups()]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_lines_ticks_and_text_stand_out_from_the_page(visit):
    page = visit()
    body = page.evaluate("getComputedStyle(document.body).backgroundColor")
    for key in ("Home", "End"):
        page.get_by_role("slider", name="Step size").press(key)
        seen = page.evaluate(SEEN)
        assert {kind for kind, _, _ in seen} == {"text", "path", "use"}
        assert {ground for _, _, ground in seen} == {body}
        for kind, colour, ground in seen:
            darker, lighter = sorted((luminance(colour), luminance(ground)))
            assert (lighter + 0.05) / (darker + 0.05) >= (4.5 if kind == "text" else 3), (kind, colour, ground)


def test_in_a_kernel_the_same_cell_is_a_widget(monkeypatch):
    monkeypatch.delenv(STATIC, raising=False)
    *statements, shown = ast.parse(CELL).body
    names = {}
    exec(compile(ast.Module(statements, []), "cell", "exec"), names)
    explorer = eval(compile(ast.Expression(shown.value), "cell", "eval"), names)
    assert explorer._repr_mimebundle_().keys() == {"application/vnd.jupyter.widget-view+json", "text/plain"}
    assert repr(explorer) == f"Gradient descent: {sentence(0.1)}"
    assert plt.get_fignums() == []
