"""Mathematics on the site: TeX in, MathML and a fitting font out."""

import re

import pytest
from bs4 import BeautifulSoup
from fontTools.ttLib import TTFont
from math_core import LatexError

from tests.building import build
from theme.fonts import MATH, characters, cut
from theme.mathml import converter, keep_together, parts, to_mathml

# What the chapters are written with.
FORMULAS = (
    r"x_i^2 + y'",
    r"a < b",
    r"\operatorname{softmax}(z)_i = \frac{e^{z_i}}{\sum_{j=1}^{K} e^{z_j}}",
    r"\log \sum_j e^{z_j} = m + \log \sum_j e^{z_j - m}, \quad m = \max_j z_j",
    r"\begin{aligned} H(y, p) &= -\sum_i y_i \log p_i \\ &= H(y) + \mathrm{KL}(y \,\Vert\, p) \end{aligned}",
    r"J = \operatorname{diag}(p) - p p^\top = \begin{pmatrix} p_1 & \cdots \\ \vdots & \ddots \end{pmatrix}",
    r"\begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix}",
    r"\operatorname{ReLU}(x) = \begin{cases} x & \text{if } x > 0 \\ 0 & \text{otherwise} \end{cases}",
    r"\left[ \begin{array}{cc|c} 1 & 2 & 3 \\ \hline 4 & 5 & 6 \end{array} \right]",
    r"\hat{x} = \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}}, \quad y = \gamma \odot \hat{x} + \beta",
    r"\bar{x}, \tilde{x}, \overline{xy}, \underline{xy}, \widehat{xy}, \dot{x}, \sqrt[3]{x}",
    r"\frac{\partial L}{\partial z_i} = p_i - y_i, \qquad \nabla_\theta \mathcal{L}",
    r"x \in \mathbb{R}^{N \times K}, \quad \mathbb{E}[x], \quad \mathbb{1}[x > 0], \quad \mathbf{x}",
    r"\operatorname*{arg\,max}_i z_i, \quad \lim_{T \to 0}, \quad \prod_i p_i, \quad \int_0^1, \quad \binom{n}{k}",
    r"\lVert x \rVert_2, \lvert x \rvert, \lfloor x \rfloor, \langle a, b \rangle, \bigl( \bigr), \left. x \right|_0",
    r"\underbrace{a + b}_{2}, \quad p(x \mid y), \quad x \sim \mathcal{N}(0, \sigma^2), \quad a \propto b",
    r"1{,}000, \quad 10\,\%, \quad 2.2 \times 10^{-16}, \quad x\!y, \quad a \approx b \ll \infty",
)


def mathml(tex, *, display=True, macros=None):
    soup = BeautifulSoup(to_mathml(tex, converter(macros), display=display), "html.parser")
    assert soup.annotation.extract().get_text() == tex.strip()
    return soup


@pytest.mark.parametrize("tex", FORMULAS)
@pytest.mark.parametrize("display", [False, True])
def test_formulas_become_mathml_that_needs_no_inline_style(tex, display):
    soup = mathml(tex, display=display)
    assert [child.name for child in soup.children] == ["math"]
    assert (soup.math.get("display") == "block") == display
    assert "\\" not in soup.get_text()
    assert soup.select("[style]") == []


def test_a_fraction_has_its_two_parts():
    assert [part.get_text() for part in mathml(r"\frac{a}{b}").mfrac.children] == ["a", "b"]


def test_equations_are_aligned_at_their_signs():
    rows = mathml(r"\begin{aligned} a &= b \\ c &= d \end{aligned}").select("mtr")
    assert [[cell.get_text() for cell in row.select("mtd")] for row in rows] == [["a", "=b"], ["c", "=d"]]
    assert [cell["class"] for cell in rows[0].select("mtd")] == [
        ["math-right", "math-close-right"],
        ["math-left", "math-close-left"],
    ]


def test_a_sign_that_html_knows_is_escaped():
    assert "<mo>&lt;</mo>" in to_mathml("a < b", converter(), display=False)


def test_text_within_a_formula_stays_text():
    assert mathml(r"x \text{ (positive)}").mtext.get_text().strip() == "(positive)"


def test_primes_are_not_shrunk_as_superscripts():
    soup = mathml("f''(x)")
    assert soup.select("msup") == []
    assert soup.get_text() == "f″(x)"


@pytest.mark.parametrize(("tex", "mark"), [(r"\overline{x}", "‾"), (r"\underline{x}", "_"), (r"\widehat{x}", "ˆ")])
def test_marks_are_characters_of_their_own(tex, mark):
    assert mathml(tex).mo.get_text() == mark


@pytest.mark.parametrize(
    ("tex", "base"), [("p_i", "<mpadded"), ("\\beta_j^2", "<mpadded"), ("z_i", "<mi>z</mi>"), ("p^2", "<mi>p</mi>")]
)
def test_subscripts_stand_on_one_line(tex, base):
    assert re.search(rf"<(msub|msubsup|msup)>{base}", to_mathml(tex, converter(), display=False))


@pytest.mark.parametrize(
    ("tex", "low"), [(r"\sqrt{x + 1}", True), (r"\sqrt[3]{x}", True), (r"\sqrt{\frac{a}{b}}", False)]
)
def test_only_low_roots_are_marked(tex, low):
    root = mathml(tex).select_one("msqrt, mroot")
    assert ("math-low" in root.get("class", [])) == low


@pytest.mark.parametrize(
    ("tex", "made_tall"),
    [(r"\sqrt2", True), (r"\sqrt{d}", True), (r"\sqrt{n - 1}", True), (r"\sqrt{\sigma^2 + \varepsilon}", False)],
)
def test_a_root_of_low_signs_stands_on_the_line(tex, made_tall):
    assert (mathml(tex).select_one("msqrt > mpadded") is not None) == made_tall


def test_macros_can_be_configured():
    assert mathml(r"\R^d", macros={"R": r"\mathbb{R}"}).get_text() == "ℝd"


@pytest.mark.parametrize(
    "tex",
    [r"\nosuchcommand", r"\frac{1", "x}", r"\begin{nosuch} x \end{nosuch}", "a & b", r"\left( x", r"a = b \\ c = d"],
)
def test_a_mistake_is_an_error(tex):
    with pytest.raises(LatexError):
        mathml(tex)


@pytest.mark.parametrize(
    ("tex", "apart"),
    [
        (r"a = b", ["a = b"]),
        (r"a = b, \qquad c = d, \quad e", ["a = b,", "c = d,", "e"]),
        ("a, \\qquad\n  b \\qquad", ["a,", "b"]),
        (r"a, \qquad\text{so}\qquad b", ["a,", r"\text{so}\qquad b"]),
        (r"a \quad\text{and}\quad b \quad \text{for } c", ["a", r"\text{and}\quad b", r"\text{for } c"]),
        (r"m \in \{0, 1\}, \qquad x \in [0, 1), \qquad y", [r"m \in \{0, 1\},", r"x \in [0, 1),", "y"]),
        (r"\begin{aligned} a &= b \qquad c \\[4pt] d &= e \end{aligned}, \qquad f", None),
        (r"\left( a \quad b \right], \qquad c", [r"\left( a \quad b \right],", "c"]),
        (
            r"\left\{ a \quad b \right., \qquad \Bigl(c \quad d\Bigr)",
            [r"\left\{ a \quad b \right.,", r"\Bigl(c \quad d\Bigr)"],
        ),
        (r"\frac{a \qquad b}{c}, \qquad (d \quad e)", [r"\frac{a \qquad b}{c},", r"(d \quad e)"]),
        (r"\leftarrow \quad \quadratic", [r"\leftarrow", r"\quadratic"]),
    ],
)
def test_a_display_has_its_formulas_apart(tex, apart):
    assert parts(tex) == (apart or [tex[: tex.index(r" \qquad f")], "f"])


@pytest.mark.parametrize(
    ("before", "after"), [("", "."), ("(", "),"), ("", "-th power"), ("a ", " b"), ("", "</p><p>.")]
)
def test_punctuation_stays_on_the_line_of_its_formula(before, after):
    formula = '<span class="math"><math><mi>x</mi></math></span>'
    kept = BeautifulSoup(keep_together(f"<p>{before}{formula}{after}</p>"), "html.parser")
    assert kept.get_text() == BeautifulSoup(f"{before}x{after}", "html.parser").get_text()
    within = kept.select_one("span.math").get_text()
    assert within == before.strip("a ") + "x" + re.match("[.,)-]*", after)[0]


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """Build pages of reStructuredText with the renderer; returns each by its name, and the warnings."""
    folder = tmp_path_factory.mktemp("formulas")
    texts = {
        "index": "Inline :math:`x^2`.\n\n.. math:: y = 1\n   :label: one\n\nSee :eq:`one`.\n",
        "parts": ".. math:: y = x, \\qquad x > 0\n   :label: two\n",
        "mistake": "Text :math:`\\nosuchcommand x`.\n",
    }
    for name, text in texts.items():
        (folder / f"{name}.rst").write_text(f":orphan:\n\nTitle\n=====\n\n{text}", "utf-8")
    warnings = build(folder, folder / "out", {"extensions": ["theme.mathml"], "html_math_renderer": "mathml"})
    pages = {name: (folder / "out" / f"{name}.html").read_text("utf-8") for name in texts}
    return {name: BeautifulSoup(page, "html.parser") for name, page in pages.items()}, warnings


def test_formulas_of_a_page_are_rendered_in_their_places(book):
    page = book[0]["index"]
    assert page.select_one("p > span.math > math > semantics > :first-child").get_text() == "x2"
    shown = "div.math#equation-one > math[display=block] > semantics"
    assert page.select_one(f"{shown} > :first-child").get_text() == "y=1"
    assert page.select_one(f"{shown} > annotation").get_text() == "y = 1"
    assert page.select_one("div.math .eqno").get_text().startswith("(1)")
    assert page.select_one('p a[href="#equation-one"]').get_text() == "(1)"


def test_the_parts_of_a_display_are_formulas_of_one_box(book):
    box = book[0]["parts"].select_one("div.math#equation-two")
    assert [part.get_text() for part in box.select(":scope > math[display=block] annotation")] == ["y = x,", "x > 0"]
    # Nothing stands between them: page.js joins them where they are copied.
    assert "</math><math" in str(box)
    assert len(box.select(".eqno")) == 1


def test_a_mistake_in_a_page_is_a_warning_with_its_place_and_what_is_right_is_none(book):
    pages, warnings = book
    (warning,) = warnings.splitlines()
    assert re.search(r"mistake\.rst:6: WARNING: in the formula \\nosuchcommand x: .*Unknown command", warning)
    assert pages["mistake"].select_one("span.math > code").get_text() == r"\nosuchcommand x"


def test_the_font_is_asked_for_what_the_browser_shows():
    formula = '<mi>x</mi><mo>=</mo><mi>max</mi><mi mathvariant="normal">d</mi><msqrt><mi>&#x3c6;</mi></msqrt>'
    # One letter alone is shown in mathematical italic; a root has no character in the page, but a sign.
    assert characters([f"<p>Zz <math>{formula}</math>"]) == set("x=maxdφ√") | {"𝑥", "𝜑"}


def test_the_italic_h_is_found_where_unicode_put_it():
    assert "ℎ" in characters(["<math><mi>h</mi></math>"])


def test_the_font_has_the_characters_and_what_they_stretch_to(tmp_path):
    text = set("x=(√∑‾") | {"𝑥"}
    cut(MATH, text, tmp_path / "font.woff2")
    with TTFont(tmp_path / "font.woff2") as font:
        assert set(map(ord, text)) <= font.getBestCmap().keys()
        assert font.flavor == "woff2"
        assert font["MATH"].table.MathVariants.VertGlyphConstruction
        assert len(font.getGlyphOrder()) < 100
        assert "Open Font License" in font["name"].getDebugName(13)
