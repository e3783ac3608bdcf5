"""Every number that a chapter quotes is one that its cells show, and the finder of the others finds them all."""

from decimal import Decimal
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import prose

CHAPTERS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


def notebook(markdown, output="", code=""):
    outputs = [new_output("stream", text=output)] if output else []
    return new_notebook(cells=[new_code_cell(code, outputs=outputs), new_markdown_cell(markdown)])


def missing(markdown, output="", code=""):
    return [found.number.strip() for found in prose.unsupported(notebook(markdown, output, code))]


def test_there_are_chapters():
    assert CHAPTERS


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_number_that_a_chapter_quotes_is_shown_in_it(path):
    found = prose.unsupported(nbformat.read(path, as_version=4))
    assert not found, "\n" + "\n".join(f"{path.name}: {number}" for number in found)


# What is no number, or no quoted one: nothing of it is looked for.
@pytest.mark.parametrize(
    "markdown",
    [
        "Three classes, 50,257 tokens, 1797 images, a gap of 5, in 2017.",
        "```\n0.25\n```",
        "~~~python\nx = 0.25\n~~~",
        "Call `softmax(z, temperature=0.25)` and ``x` 0.25``.",
        "    indented = 0.25",
        "[a page](https://example.org/0.25/1.5 'since 0.25')",
        "[a page][ref]\n\n[ref]: https://example.org/0.25",
        "<https://example.org/0.25> and https://example.org/v0.25",
        "![a picture](figure-0.25.png)",
        "Blanchard et al., doi:10.1093/imanum/draa038.1, https://doi.org/10.48550/arXiv.1706.03762",
        "arXiv:1706.03762, 2505.24788v2 and [1502.03167](https://arxiv.org/abs/1502.03167)",
        "<!-- 0.25 -->",
        "text <!-- 0.25 --> text",
        '<div style="width: 12.5em" data-x="0.25">\n<img height="0.25" alt="x">\n</div>',
        '<span style="width: 0.25em">text</span>',
        "<details><summary>Answer</summary>\n<code>0.25</code>\n</details>",
        "## 2.1 Shift invariance",
        "# 3.2.1. Title",
        "See section 2.1, Sections 2.1 and 2.2, chapter 3.4, §2.3, figure 1.2, equation (2.3).",
        "Table 3.1–3.2",
        "NumPy 2.4, Python 3.11.7, PyTorch v2.13, version 1.0, release 1.5, numpy ≥ 2.0, WCAG 2.2.",
        "Version 1.0.4 of it, or 1.0.4.post1, and v1.1.",
        "GPT-3.5 and ResNet-1.5",
        "$10^{-16}$, $10^6$, 10⁻¹⁶ and $2^{-10}$ are orders of magnitude.",
        r"$$x \tag{2.1}$$",
        r"$$a \\[0.5em] b \hspace{1.5em} c \kern0.3em d \label{eq:2.5}$$",
        "x1.5 and a_0.5 are names",
    ],
)
def test_what_is_not_quoted(markdown):
    assert missing(markdown) == []


# What is quoted: without any output, it is missing.
@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("It is 0.62.", ["0.62"]),
        ("It is .62!", [".62"]),
        ("(0.62,0.23;0.14)", ["0.62", "0.23", "0.14"]),
        ("T=0.5, ≈0.6, ~0.7, <0.8, 1/0.9", ["0.5", "0.6", "0.7", "0.8", "0.9"]),
        ("**0.62** and _0.5_ and *−1.5*", ["0.62", "0.5", "−1.5"]),
        ("6.6x, 3.5×, 1.7M, 0.5s", ["6.6", "3.5", "1.7", "0.5"]),
        ("1,234.5 and 12\u2009345.6", ["1,234.5", "12\u2009345.6"]),
        ("$1{,}234.5$ and $12\\,345.6$", ["1,234.5", "12\u2009345.6"]),
        ("1e-3, 2.5E+4 and 1.2e-05", ["1e-3", "2.5E+4", "1.2e-05"]),
        (r"$2.2 \times 10^{-16}$", ["2.2 × 10^{−16}"]),
        (r"$2.2\,\cdot\,10^{-16}$", ["2.2\u2009×\u200910^{−16}"]),
        (r"$2.2\times10^{-16}$ and $0.5 \cdots 1$", ["2.2×10^{−16}", "0.5"]),
        ("2.2 × 10⁻¹⁶, 2.2·10^-16", ["2.2 × 10⁻¹⁶", "2.2·10^-16"]),
        ("2.2 × 10<sup>-16</sup>", ["2.2 × 10^{-16}"]),
        ("2.2 × $10^{-16}$", ["2.2 × 10^{−16}"]),
        ("63 %, 63%, 14.8 %, 63\\%, 63&nbsp;%", ["63 %", "63%", "14.8 %", "63%", "63\xa0%"]),
        (r"$63\%$ and $14.8\,\%$", ["63%", "14.8\u2009%"]),
        ("63 percent, 63 per cent, 3.2 percentage points", ["63 percent", "63 per cent", "3.2"]),
        ("**63** %", ["63 %"]),
        ("10–20 %, 14.2-14.8 %, 5 to 7 %", ["10", "20 %", "14.2", "14.8 %", "5", "7 %"]),
        ("62.9, 23.1 and 14.0 %", ["62.9", "23.1", "14.0 %"]),
        ("For K = 2, 88 %", ["88 %"]),
        ("$$p = 0.25$$", ["0.25"]),
        ("$p<q$ and $r>0.25$", ["0.25"]),
        (r"$\tfrac{0.25}{2}$, $\sqrt{0.5}$, $e^{-0.5}$, $|-1.5|$", ["0.25", "0.5", "−0.5", "−1.5"]),
        (r"$\text{about 0.25}$", ["0.25"]),
        (r"$x\approx0.25\;0.5\\-0.5$", ["0.25", "0.5", "−0.5"]),
        ("$z = (2, -1.5)$", ["−1.5"]),
        ("$x-0.5$, $1-0.5$, 1 - 0.5, $x^{2}-0.5$", ["0.5", "0.5", "0.5", "0.5"]),
        ("from 0.5-0.7", ["0.5", "0.7"]),
        ("±0.02, $\\pm 0.03$", ["0.02", "0.03"]),
        ("| p |\n|---|\n| 0.25 |", ["0.25"]),
        ("- 0.25 as an item", ["0.25"]),
        ("> 0.25 quoted", ["0.25"]),
        ("## Why 0.25 is not enough", ["0.25"]),
        ("![bars of 0.25](bars.png)", ["0.25"]),
        ("[0.25](https://example.org)", ["0.25"]),
        ("<details><summary>0.25</summary>\n\nbecause 0.5\n\n</details>", ["0.25", "0.5"]),
        ("if a<b then 0.25 and c>d", ["0.25"]),
        ("Keras 0.99 against PyTorch 0.1", ["0.99", "0.1"]),
        ("a section of 0.25", ["0.25"]),
        ("over 88.7228 and 1012.25", ["88.7228", "1012.25"]),
        ("It was `f(x)`: 0.25", ["0.25"]),
    ],
)
def test_what_is_quoted(markdown, expected):
    assert missing(markdown) == expected


@pytest.mark.parametrize(
    ("markdown", "output"),
    [
        ("0.63", "0.62853"),
        ("0.629", "[0.62853 0.23122 0.14024]"),
        ("0.629", "(np.float64(0.62853),)"),
        ("0.629", "{'p': 0.62853}"),
        ("0.629", "p=0.62853,q"),
        ("0.629", "| 0.62853|"),
        ("0.62", "0.625"),  # half to even
        ("0.63", "0.625"),  # half up
        ("2.30", "2.3"),
        ("1.0", "1."),
        ("2.0", "array([2])"),
        ("0.0", "1e-17"),
        ("−0.5", "-0.5"),
        ("-0.5", "−0.5"),
        ("$-0.5$", "[ 1.  -0.5]"),
        ("1e-3", "0.00104"),
        (r"$2.2 \times 10^{-16}$", "2.220446049250313e-16"),
        ("1.0 × 10⁻¹⁶", "9.97e-17"),
        (r"$2.4 \times 10^7$", "24031234"),
        ("1,234.5", "1234.54"),
        ("1,234.5", "1,234.54"),
        ("63 %", "0.62853"),
        ("62.9 %", "0.62853"),
        ("63 %", "63"),
        ("62.9 %", "62.9%"),
        ("62.9 %", "62.85 %"),
        ("100 %", "1.0"),
        ("0 %", "0.001"),
        ("62.9, 23.1 and 14 %", "[0.62853 0.23122 0.14024]"),
        ("10–20 %", "0.1 0.2"),
        ("a loss of 0.52 and 14 %", "0.5198 0.14"),
        ("K = 10 and 45 %", "10 0.4487"),
        (f"{2**0.5 * 1e300:.3e}", "1.41421356e+300"),
    ],
)
def test_a_shown_number_supports_what_it_rounds_to(markdown, output):
    assert missing(markdown, output) == []


@pytest.mark.parametrize(
    ("markdown", "output"),
    [
        ("0.141", "[0.62853 0.23122 0.14024]"),  # the digit that a popular page has wrong
        ("0.62", "0.62853"),  # cut off, not rounded
        ("0.14", "0.13499"),
        ("0.13", "0.135"),  # half down is no way to round
        ("0.629", "0.63"),
        ("0.5", "-0.5"),
        ("-0.5", "0.5"),
        ("0.25", "x0.25"),
        ("0.25", "10.25"),
        ("0.25", "0.2 5"),
        ("0.25", "1.0.25"),
        ("64.0", "float64"),
        ("2e-16", "2.5e-15"),
        (r"$2.3 \times 10^{-16}$", "2.220446049250313e-16"),
        (r"$2.2 \times 10^{-15}$", "2.220446049250313e-16"),
        ("63 %", "0.62"),
        ("62.8 %", "0.62853"),
        ("63 %", "62.9"),  # a percentage that is printed without its sign is quoted as printed
        ("0.63 %", "63 %"),
        ("62.9, 23.2 and 14 %", "[0.62853 0.23122 0.14024]"),
        ("1.5", "nan inf -inf"),
        ("1.5", "1e999"),
        ("88.72", "709.7827"),
    ],
)
def test_a_shown_number_supports_nothing_else(markdown, output):
    assert missing(markdown, output) != []


def test_every_kind_of_text_output_counts():
    outputs = [
        new_output("stream", text="0.11\n"),
        new_output("execute_result", data={"text/plain": "0.22"}),
        new_output("display_data", data={"text/plain": "T = 0.33: entropy", "text/html": "0.44"}),
        new_output("error", ename="ValueError", evalue="temperature is 0.55", traceback=["0.66"]),
    ]
    prose_cell = new_markdown_cell("0.11, 0.22, 0.33, 0.44, 0.55, 0.66")
    nb = new_notebook(cells=[prose_cell, new_code_cell("f()", outputs=outputs)])
    assert [found.number for found in prose.unsupported(nb)] == ["0.44", "0.66"]


@pytest.mark.parametrize(
    ("code", "values"),
    [
        ("softmax([2, -1.5], temperature=.25)", ["2", "-1.5", "0.25"]),
        ("1_000.5 + 1e-3", ["1000.5", "0.001"]),
        ("x - 0.5, -(0.7 + 1)", ["0.5", "0.7", "1"]),
        ("'0.25'  # 0.5", []),
        ("f'{x:0.3f}'", []),
        ("x0_25, True, 2j", []),
        ("%timeit f(0.25)\n0.5", ["0.5"]),
    ],
)
def test_givens_are_the_literals_of_the_code(code, values):
    assert [number.value for number in prose.given(notebook("", code=code))] == [*map(Decimal, values)]


def test_a_given_supports_a_quote():
    assert missing("At T = 0.25 and keep 80 %, z = (2, −1.5)", code="f(0.25, 0.8, [2, -1.5])") == []
    assert missing("At 0.25", code="'0.25'") == ["0.25"]


ASKS = """predict(
    "Is it 0.11?",
    {"0.22": None, "0.33": "0.44 is half"},
    right=lambda: 0.55,
    because="It is 0.66.",
)"""


def test_what_a_prediction_says_of_its_answers_needs_support():
    asking = new_code_cell(ASKS, outputs=[new_output("execute_result", data={"text/plain": "0.44 0.66"})])
    nb = new_notebook(cells=[asking])
    assert [(found.cell, found.number) for found in prose.unsupported(nb)] == [(1, "0.44"), (1, "0.66")]
    nb.cells.append(new_code_cell("f()", outputs=[new_output("stream", text="0.44 0.66")]))
    assert prose.unsupported(nb) == []


def test_neither_the_options_nor_the_code_of_a_prediction_support_anything():
    asking = new_code_cell(ASKS, outputs=[new_output("execute_result", data={"text/plain": "0.22 0.33"})])
    nb = new_notebook(cells=[asking, new_markdown_cell("0.22 and 0.33 and 0.55"), new_code_cell("0.44, 0.66")])
    assert [found.number for found in prose.unsupported(nb)] == ["0.22", "0.33", "0.55"]


def test_numbers_of_another_notebook_do_not_count():
    assert missing("0.25", output="0.35") == ["0.25"]


def test_no_line_of_a_text_is_taken_for_a_remark():
    """Because MyST leaves out what begins with a percent sign."""
    root = Path(__file__).parents[1]
    texts = [path.read_text("utf-8") for path in (root / "book").rglob("*.md")]
    for path in (root / "notebooks").glob("*.ipynb"):
        texts += [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown"]
    assert [line for text in texts for line in text.splitlines() if line.startswith("%")] == []


def test_the_report_names_cell_number_and_sentence():
    markdown = "Some 1.5 before.\nThe share `p` is\n**0.141**, they say. And 2.5 after."
    (found,) = prose.unsupported(notebook(markdown, output="1.5 2.5"))
    assert found == prose.Unsupported(2, "0.141", "The share `…` is 0.141, they say.")


def test_the_command_names_the_file_and_fails(tmp_path, capsys):
    path = tmp_path / "chapter.ipynb"
    nbformat.write(notebook("It is 0.141.", output="0.14024"), path)
    assert prose.main([str(path)]) == 1
    assert capsys.readouterr().out == f"{path}: cell 2: 0.141 in: It is 0.141.\n"
    nbformat.write(notebook("It is 0.140.", output="0.14024"), path)
    assert prose.main([str(path)]) == 0
    assert capsys.readouterr().out == ""


def test_the_command_goes_through_all_chapters(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(prose, "CHAPTERS", tmp_path)
    with pytest.raises(SystemExit):
        prose.main([])
    assert "no notebooks in" in capsys.readouterr().err
    for name in ("a", "b"):
        nbformat.write(notebook("It is 0.141."), tmp_path / f"{name}.ipynb")
    assert prose.main([]) == 1
    assert [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()] == [
        str(tmp_path / "a.ipynb"),
        str(tmp_path / "b.ipynb"),
    ]
