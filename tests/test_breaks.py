"""A line ends where a reader expects it: not within a name or a number, and not before a unit."""

from html import unescape

import pytest
from bs4 import BeautifulSoup

from conftest import NEXT_FRAME
from tests.test_pages import each_document, page
from theme.breaks import bound, jointed


@pytest.mark.parametrize(
    "code",
    [
        "pip install .",
        "-inf",
        "-log p[target]",
        "--student ANA",
        "1e-12",
        "(..., L, L)",
        "label_smoothing",
        "x &lt; y &amp;&amp; y &lt; z",
    ],
)
def test_short_code_stays_on_one_line(code):
    assert jointed(f"<p><code>{code}</code></p>") == f"<p><code>{code}</code></p>"


@pytest.mark.parametrize(
    ("code", "parts"),
    [
        ("tf.nn.log_softmax(x)", "tf.|nn.|log_|softmax(|x)"),
        ("nbconvert --execute --inplace", "nbconvert |--execute |--inplace"),
        ("systemd-run --user -p Memory=4G", "systemd-|run |--user |-p |Memory=4G"),
        ("downloaded/01_softmax/uncollected.csv", "downloaded/|01_softmax/|uncollected.csv"),
        ("/usr/local/etc/nbgrader_config.py", "/usr/|local/|etc/|nbgrader_|config.py"),
        ("accumulate(1e-12, -numpy.inf)", "accumulate(1e-12, |-numpy.|inf)"),
        ("nn.SparseCategoricalCrossentropy", "nn.|SparseCategoricalCrossentropy"),
        ("torch.nn.BatchNorm1d", "torch.|nn.|BatchNorm1d"),
        ("a.b(x) &lt;= epsilon", "a.|b(|x) |&lt;= |epsilon"),
    ],
)
def test_longer_code_is_divided_at_its_joints(code, parts):
    jointed_code = jointed(f'<td><code class="x">{code}</code></td>')
    assert jointed_code == f'<td><code class="x">{parts.replace("|", "<wbr>")}</code></td>'
    # Whoever copies it, and the search, gets what was written.
    assert BeautifulSoup(jointed_code, "html.parser").get_text() == unescape(code)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("see section 6, chapters 1 to 3", "see section~6, chapters~1 to 3"),
        ("Problem set 2: cross-entropy", "Problem~set~2: cross-entropy"),
        ("a problem set, and task 3", "a problem set, and task~3"),
        ("45 % of 2 GiB (4 points), 1 point, 0.7 nats", "45~% of 2~GiB (4~points), 1~point, 0.7~nats"),
        ("at T = 0.7, as T → ∞, x ≈ −2", "at T~=~0.7, as T~→~∞, x~≈~−2"),
        ("two sets and 3 pointers", "two sets and 3 pointers"),
    ],
)
def test_a_number_stays_with_its_word(text, kept):
    assert bound(f"<p>{text}</p>") == f"<p>{kept.replace('~', chr(0xA0))}</p>"


@pytest.mark.parametrize("name", ["code", "pre", "math", "figure", "script", "style", "textarea"])
def test_what_is_no_text_is_left_as_it_is(name):
    other = f'<{name} title="task 3"><b>section 6</b>, 45 %</{name}>'
    assert bound(f'<p title="set 1">{other}</p>') == f'<p title="set 1">{other}</p>'


def test_what_was_measured_is_shown_as_it_was_recorded():
    measured = '<ul class="measured simple"><li>ε = 1, 45 %</li></ul>'
    assert bound(f"{measured}<p>45 %</p>") == f"{measured}<p>45\u00a0%</p>"


@pytest.mark.site
@each_document
def test_no_piece_of_code_is_wider_than_a_small_screen(name):
    codes = page(name).select("main :not(pre) > code")
    pieces = [piece for code in codes for piece in code.decode_contents().split("<wbr/>")]
    # As long as the longest name of a framework.
    assert max((len(unescape(piece)) for piece in pieces), default=0) <= len("SparseSoftmaxCrossEntropyWithLogits")


@pytest.mark.site
@pytest.mark.parametrize("width", [320, 1280])
def test_a_line_ends_in_code_only_at_a_joint(look_at, width):
    """Each stretch between two joints has one height in the browser: that of a line."""
    opened = look_at("book/teaching.html", width, 800)
    opened.evaluate(f"{NEXT_FRAME}.then(() => null)")
    torn = opened.locator("main :not(pre) > code").evaluate_all(
        """codes => codes.flatMap((code) => [...code.childNodes]).filter((part) => {
          const range = document.createRange();
          range.selectNodeContents(part);
          return new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size > 1;
        }).map((part) => part.textContent)"""
    )
    assert torn == []
    assert opened.locator("main code wbr").count() > 20


@pytest.mark.site
def test_a_formula_stays_on_one_line_with_its_full_stop(look_at):
    opened = look_at("notebooks/02_cross_entropy.html")
    torn = "all => all.filter((one) => one.getClientRects().length > 1).map((one) => one.textContent)"
    formulas = opened.locator("main span.math")
    assert formulas.count() > 50
    for width in range(320, 400, 10):
        opened.set_viewport_size({"width": width, "height": 800})
        assert formulas.evaluate_all(torn) == []
