"""The type of the pages: what it shows, what it weighs, and that it moves nothing."""

from importlib.util import find_spec
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from conftest import PAGES, SITE
from theme.fonts import FAMILY, MATH, SERIF, TEXT, UPRIGHT, anchors, characters, cut, kerning, letters, texts

FILES = ("math.woff2", *TEXT)
# In bytes, of all faces together: they are compressed already.
LARGEST = 45_000
FACE = SERIF[0], SERIF[1].format("Semibold")


def codes(name):
    with TTFont(SITE / "_static" / name) as font:
        return set(font.getBestCmap())


def test_the_letters_of_a_face_are_those_that_its_elements_show():
    not_text = "<head><title>ß</title></head><code><em>ñ</em></code><math><mi>λ</mi></math>"
    page = f"<main><p>α <em>é&eacute;</em> {not_text}</main>"
    assert texts([page], "em") == "éé"
    assert texts([page], "main").replace(" ", "") == "αéé"
    assert letters("α é\n") - letters("") == {"é", "α"}
    assert set("aZ0~ –’") <= letters("")


@pytest.fixture(scope="module")
def whole():
    with TTFont(Path(find_spec(FACE[0]).origin).parent / FACE[1]) as font:
        yield font


@pytest.fixture(scope="module")
def part(tmp_path_factory):
    """Yield what is cut from the same face: some letters and a hat, for a text in which they stand."""
    target = tmp_path_factory.mktemp("cut") / "a.woff2"
    cut(FACE, "ToAVnxy\u0302", target, text="To AV\nnn x\u0302 yo", family=FAMILY)
    with TTFont(target) as font:
        yield font


def test_a_cut_face_has_a_name_of_its_own_and_keeps_its_licence(part):
    assert set(map(chr, part.getBestCmap())) == set("ToAVnxy\u0302")
    # The licence reserves the font's name for the whole of it.
    assert part["name"].getDebugName(1) == FAMILY
    assert "Open Font License" in part["name"].getDebugName(13)
    assert "Adobe" in part["name"].getDebugName(0)


def test_a_cut_face_kerns_the_pairs_of_the_text_as_the_whole_one_does(whole, part):
    expected = [kerning(whole, *pair) for pair in ("To", "AV", "VA", "nn")]
    assert max(expected[:3]) < -30
    assert expected[3] == 0
    # The text has no "VA".
    assert [kerning(part, *pair) for pair in ("To", "AV", "VA", "nn")] == [*expected[:2], 0, 0]


def test_a_cut_face_sets_an_accent_on_its_letter_as_the_whole_one_does(whole, part):
    hat = whole.getBestCmap()[0x302]
    assert anchors(whole, "x", "y") == []
    assert anchors(part, "x", hat) == anchors(whole, "x", hat) != []
    # The text has no hat on a y.
    assert anchors(part, "y", hat) == []


def test_a_tall_bracket_is_whole_only_where_it_cannot_be_made_of_parts(tmp_path):
    cut(MATH, "(⟨", tmp_path / "a.woff2")
    with TTFont(tmp_path / "a.woff2") as font:
        variants = font["MATH"].table.MathVariants
        made = dict(zip(variants.VertGlyphCoverage.glyphs, variants.VertGlyphConstruction, strict=True))
        names = font.getBestCmap()
        heights = {
            letter: [one.AdvanceMeasurement for one in made[names[ord(letter)]].MathGlyphVariantRecord]
            for letter in "(⟨"
        }
        assert made[names[ord("(")]].GlyphAssembly.PartCount == 3
        assert 2000 < max(heights["("]) < 2500
        assert max(heights["⟨"]) > 3000


@pytest.mark.site
def test_the_faces_weigh_little_together():
    assert sum((SITE / "_static" / name).stat().st_size for name in FILES) <= LARGEST


@pytest.mark.site
@pytest.mark.parametrize("name", TEXT)
def test_every_letter_that_text_needs_is_in_its_face(name):
    pages = [(SITE / page).read_text("utf-8") for page in PAGES]
    shown = {ord(letter) for letter in letters(texts(pages, TEXT[name][1])) if letter.isascii()}
    assert shown <= codes(name)


@pytest.mark.site
def test_the_faces_have_every_character_of_the_formulas():
    needed = {ord(letter) for page in PAGES for letter in characters([(SITE / page).read_text("utf-8")])}
    selectors = range(0xFE00, 0xFE10)
    drawn = {code for code in needed if chr(code).isprintable() and code not in selectors}
    assert drawn <= codes("math.woff2") | codes("text.woff2")
    assert set(map(ord, UPRIGHT)) <= codes("text.woff2")


SHIFT = """new Promise((resolve) => {
  let sum = 0;
  new PerformanceObserver((list) => { for (const { value } of list.getEntries()) sum += value; })
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => resolve(sum), 200);
})"""


@pytest.mark.site
@pytest.mark.parametrize("late", [False, True])
def test_text_is_set_in_its_face_and_moves_nothing(browser, address, late):
    """Neither where the faces are there at once, nor where they come a second after the text."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    if late:
        context.route("**/{text,bold,italic}.woff2", lambda route: (page.wait_for_timeout(800), route.continue_()))
    page.goto(f"{address}/book/corrections.html")
    page.wait_for_timeout(300)
    assert page.evaluate(SHIFT) == 0
    if not late:
        assert page.evaluate("document.fonts.check('19px \"Primer Text\"')")
        used = page.evaluate("[...document.fonts].filter(font => font.status === 'loaded').map(font => font.family)")
        assert "Primer Text" in used or '"Primer Text"' in used
    context.close()
