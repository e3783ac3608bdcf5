"""One page, read by keyboard, enlarged, in forced colours, without motion; and what each page has for all readers."""

import pytest

from conftest import PAGES
from tests.parsed import read
from tests.waiting import expect

pytestmark = pytest.mark.site

CHAPTER = "notebooks/01_softmax.html"
each_page = pytest.mark.parametrize("name", [page for page in PAGES if page != "index.html"])

FOCUSABLE = """
() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
  .filter((element) => element.checkVisibility({ visibilityProperty: true }) && !element.disabled)
  // Of a group of radio buttons one, that which is chosen: the arrow keys reach the others.
  .filter((element) => {
    const group = [...document.getElementsByName(element.name)];
    return element.type !== "radio" || element === (group.find((other) => other.checked) ?? group[0]);
  })
  // An editor takes the place of a text box for code when the focus comes there.
  .map((element) => (element.localName === "textarea" ? element.parentElement : element))
  .map((element) => { element.dataset.order ??= crypto.randomUUID(); return element.dataset.order; })
"""
FOCUSED = """
() => {
  const element = document.activeElement;
  const box = element.getBoundingClientRect();
  const inside = box.bottom > 0 && box.top < innerHeight && box.width > 0;
  const outlined = [element, ...(element.shadowRoot?.querySelectorAll("*") ?? [])].some((one) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(one);
    return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
  });
  return [element.closest("[data-order]")?.dataset.order ?? null, outlined, inside, element.outerHTML];
}
"""


def test_the_tabulator_reaches_everything_in_the_order_of_the_page_with_a_visible_focus(look_at):
    opened = look_at(CHAPTER)
    expected = opened.evaluate(FOCUSABLE)
    reached, faults = [], []
    for _ in range(len(expected) + 5):
        opened.keyboard.press("Tab")
        order, outlined, inside, markup = opened.evaluate(FOCUSED)
        if order is None:
            break
        reached.append(order)
        if not (outlined and inside):
            faults.append(markup[:200])
    assert faults == []
    assert reached == expected


def test_the_first_link_skips_to_the_text(look_at):
    opened = look_at(CHAPTER)
    opened.keyboard.press("Tab")
    skip = opened.get_by_role("link", name="Skip to the text")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    opened.keyboard.press("Enter")
    expect(opened.get_by_role("main")).to_be_focused()
    opened.keyboard.press("Tab")
    assert opened.evaluate("document.activeElement.closest('main') !== null")


def test_what_a_button_opens_can_be_left_by_key_and_gives_the_focus_back(look_at):
    opened = look_at(CHAPTER, 600, 800)
    for name in ("search", "site-contents", "page-contents"):
        button, target = opened.locator(f"[popovertarget={name}]"), opened.locator(f"#{name}")
        button.press("Enter")
        expect(target).to_be_visible()
        opened.keyboard.press("Escape")
        expect(target).to_be_hidden()
        expect(button).to_be_focused()


RING = """() => {
  const element = document.activeElement;
  const { outlineWidth, outlineOffset } = getComputedStyle(element);
  const beyond = parseFloat(outlineWidth) + parseFloat(outlineOffset);
  const box = element.getBoundingClientRect();
  const ring = {
    left: box.left - beyond, top: box.top - beyond, right: box.right + beyond,
    bottom: box.bottom + beyond
  };
  let bounds = { left: 0, right: innerWidth, top: 0, bottom: innerHeight };
  for (let one = element.parentElement; one; one = one.parentElement) {
    if (getComputedStyle(one).overflowY === "visible" || one === document.documentElement) continue;
    const clip = one.getBoundingClientRect();
    bounds = {
      left: Math.max(bounds.left, clip.left), right: Math.min(bounds.right, clip.right),
      top: Math.max(bounds.top, clip.top), bottom: Math.min(bounds.bottom, clip.bottom),
    };
  }
  const isWhole = ["left", "top"].every((side) => ring[side] >= bounds[side] - 0.5)
    && ["right", "bottom"].every((side) => ring[side] <= bounds[side] + 0.5);
  return [Boolean(element.closest(".side")), isWhole, element.textContent.trim(), element.matches("[data-first]")];
}"""


@pytest.mark.parametrize(("width", "height"), [(1280, 600), (1100, 600)])
def test_the_ring_in_the_lists_beside_the_text_is_whole(look_at, width, height):
    page = look_at("book/intro.html", width, height)
    first = page.locator(".site-contents a").first
    first.focus()
    first.evaluate("one => { one.dataset.first = '' }")
    cut, seen = [], 0
    # By the keyboard, for only then there is a ring; once around, to where the lists begin again.
    for _ in range(200):
        page.keyboard.press("Tab")
        beside, whole, name, around = page.evaluate(RING)
        seen += beside
        if beside and not whole:
            cut.append(name)
        if around:
            break
    assert around
    assert seen > 20
    assert cut == []


@each_page
def test_a_page_has_its_landmarks(name):
    soup = read(name)
    assert len(soup.select("body > header, main, body > footer")) == 3
    labels = [nav.get("aria-label", nav.get("aria-labelledby")) for nav in soup.select("nav")]
    assert "Pages" in labels
    assert None not in labels
    assert len(set(labels)) == len(labels)


@each_page
def test_a_table_says_what_its_columns_are(name):
    assert [table for table in read(name).select("main table") if not table.select("th")] == []


@each_page
def test_a_picture_has_its_sentence(name):
    soup = read(name)
    for drawing in soup.select('[role="img"]'):
        sentence = soup.find(id=drawing["aria-labelledby"])
        assert len(sentence.get_text().split()) > 3
    assert soup.select('main svg:not([aria-hidden="true"])') == []


FOCUSED_ALONE = """all => all.filter((one) => one.checkVisibility()).map((one) => {
  const before = scrollY;
  one.focus();
  return [one.textContent, scrollY - before, document.activeElement === one];
})"""


@pytest.mark.parametrize("width", [375, 1280])
def test_the_focus_in_the_bar_does_not_move_the_page(look_at, width):
    page = look_at(CHAPTER, width, 700)
    page.evaluate("scrollTo(0, 5000)")
    expect(page.locator(".where a").first).to_be_visible()
    found = page.locator(".bar :is(a, button)").evaluate_all(FOCUSED_ALONE)
    assert len(found) > 4
    assert [one for one in found if one[1:] != [0, True]] == []


def test_a_page_fits_at_a_zoom_of_200_percent(visit):
    opened = visit(CHAPTER, viewport={"width": 640, "height": 512}, device_scale_factor=2)
    assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(opened.get_by_role("slider").first).to_be_enabled()


# Those of some elements that have the colour of the page, and no other.
UNSEEN = """all => {
  const ground = getComputedStyle(document.body).backgroundColor;
  const isSeen = ({ color, fill, stroke }) =>
    [color, fill, stroke].some((paint) => /^rgb/.test(paint) && paint !== ground);
  return all.filter((one) => !isSeen(getComputedStyle(one))).map((one) => one.outerHTML);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_controls_and_pictures_stay_visible_in_forced_colours(visit, scheme):
    opened = visit(CHAPTER, forced_colors="active", color_scheme=scheme)
    explorer = opened.locator("figure.explorer", has=opened.get_by_role("radio")).first
    parts = explorer.locator("label, output, select, .explorer-options span, svg text, svg path[fill]:not([fill=none])")
    for shown in (parts, opened.locator(".bar-button:visible svg")):
        assert shown.count() > 2
        assert shown.evaluate_all(UNSEEN) == []
    slider = explorer.get_by_role("slider")
    slider.focus()
    slider.press("ArrowRight")
    assert slider.evaluate("element => getComputedStyle(element).outlineStyle") != "none"


def test_nothing_moves_by_itself_or_against_the_readers_wish(visit):
    opened = visit(CHAPTER, reduced_motion="reduce")
    opened.get_by_role("slider").first.press("End")
    assert opened.evaluate("document.getAnimations().length") == 0
    assert opened.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
