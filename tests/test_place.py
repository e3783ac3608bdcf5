"""Where is the reader? The bar, the contents and the cards say it, and the browser keeps it."""

import re

import pytest

from conftest import NEXT_FRAME, PAGES
from tests.parsed import read
from tests.waiting import expect, settle

pytestmark = pytest.mark.site

CHAPTER = "notebooks/01_softmax.html"
FIRST = "book/intro.html"
SECTION = "what-does-a-temperature-do"
# The deepest section whose heading stands above the lower seven tenths of the screen, as a reader would say it.
IN_VIEW = """() => {
  const section = [...document.querySelectorAll("main section section[id]")]
    .findLast((one) => one.getBoundingClientRect().top < 0.3 * innerHeight && one.getBoundingClientRect().bottom > 0);
  const heading = section?.querySelector("h2, h3").cloneNode(true);
  heading?.querySelectorAll(".headerlink, annotation").forEach((one) => one.remove());
  return heading?.textContent.trim();
}"""
SHIFTS = """() => new Promise((resolve) => {
  new PerformanceObserver((list) => resolve(list.getEntries().reduce((sum, entry) => sum + entry.value, 0)))
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => resolve(0), 300);
})"""


def where(page):
    return page.get_by_role("banner").get_by_role("navigation", name="Where you are")


def frames(page, count=3):
    for _ in range(count):
        page.evaluate(f"{NEXT_FRAME}.then(() => null)")


@pytest.mark.parametrize("width", [375, 1100, 1280])
def test_the_bar_names_the_page_and_the_section_in_view(look_at, width):
    page = look_at(CHAPTER, width, 700)
    expect(where(page)).to_be_hidden()
    height = page.evaluate("document.documentElement.scrollHeight")
    for part in range(1, 11):
        page.evaluate(f"scrollTo(0, {height * part / 11})")
        frames(page)
        links = where(page).get_by_role("link")
        expect(links.first).to_have_text("Softmax")
        expect(links.last).to_have_text(page.evaluate(IN_VIEW))
        expect(links.last).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(SHIFTS) == 0


@pytest.mark.parametrize("name", [FIRST, CHAPTER, "book/exercises/01_softmax.html", "book/self-test/01_softmax.html"])
def test_nothing_moves_while_a_page_loads(visit, name):
    page = visit(name, viewport={"width": 412, "height": 823}, covered=True)
    # The script of the questions comes late, as it may on a slow line.
    page.route("**/prediction.js*", lambda route: (page.wait_for_timeout(300), route.continue_()))
    page.reload()
    settle(page)
    assert page.evaluate(SHIFTS) == 0


def test_the_bar_leads_to_the_page_and_to_the_section(visit):
    page = visit(f"{CHAPTER}#is-everything-safe-after-the-shift", covered=True)
    page.wait_for_load_state("networkidle")
    settle(page)  # until then the browser itself goes back to the place of the address
    names = ["Softmax", "4. Where does the formula break?", "Is everything safe after the shift?"]
    expect(where(page).get_by_role("link")).to_have_text(names)
    where(page).get_by_role("link", name=names[1]).click()
    expect(page.locator("#where-does-the-formula-break > h2")).to_be_in_viewport()
    where(page).get_by_role("link", name="Softmax").click()
    expect(page.get_by_role("heading", level=1)).to_be_in_viewport()


READ = "getComputedStyle(document.querySelector('.bar'), '::after').transform"


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_a_line_tells_how_far_the_reader_is(visit, motion):
    page = visit(CHAPTER, reduced_motion=motion)
    seen = []
    for part in (0, 0.3, 0.6, 1):
        page.evaluate(f"scrollTo(0, {part} * document.documentElement.scrollHeight)")
        frames(page, 4)
        scale = re.match(r"matrix\(([\d.e-]+)", page.evaluate(READ))
        seen.append(float(scale[1]))
    assert seen[0] < 0.01
    assert seen == sorted(set(seen))
    assert seen[-1] == pytest.approx(1, abs=0.06)
    assert page.evaluate("document.getAnimations().length") == (1 if motion == "no-preference" else 0)


@pytest.mark.parametrize("width", [375, 1000, 1024, 1279, 1280])
def test_the_contents_can_be_had_at_every_width(look_at, width):
    page = look_at(CHAPTER, width, 700)
    contents = page.get_by_role("navigation", name="On this page")
    page.evaluate("scrollTo(0, 5000)")
    if width < 1024:
        page.get_by_role("button", name="On this page").click()
    link = contents.get_by_role("link", name="Recap")
    link.scroll_into_view_if_needed()
    expect(link).to_be_in_viewport()
    link.click()
    expect(page.locator("#recap > h2")).to_be_in_viewport()


def test_what_can_be_done_with_a_page_is_in_view_below_however_many_contents(look_at):
    page = look_at(CHAPTER)
    contents = page.get_by_role("navigation", name="On this page")
    assert contents.evaluate("list => list.scrollHeight > list.clientHeight")
    for place in ("", f"#{SECTION}"):
        page.evaluate("place => { location.hash = place }", place)
        expect(page.get_by_role("button", name="Print or save as PDF")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("name", [page for page in PAGES if page not in {"index.html", "search.html"}])
def test_a_card_leads_to_each_neighbour_with_its_question(name):
    cards = read(name).select("nav.neighbours a")
    assert cards
    for card in cards:
        texts = [part.get_text() for part in card.find_all(["span", "strong"])]
        assert texts[0] in {"Previous", "Next"}
        assert len(texts) == 3, f"{card['href']} has no question: page_questions in _config.yml"
        assert texts[2].endswith("?")


def read_to(page, section):
    page.evaluate(f"document.getElementById('{section}').scrollIntoView()")
    frames(page)
    expect(where(page).get_by_role("link").last).to_contain_text("temperature")


def back(page):
    return page.get_by_role("link", name=re.compile("^Continue at"))


@pytest.mark.parametrize("width", [375, 1280])
def test_the_place_is_kept_and_offered_on_the_page_and_on_the_first_page(visit, address, width):
    page = visit(CHAPTER, viewport={"width": width, "height": 700})
    read_to(page, SECTION)
    for name in (CHAPTER, FIRST):
        page.goto(f"{address}/search.html")
        page.goto(f"{address}/{name}")
        settle(page)
        expect(back(page)).to_have_text(re.compile(r"What does a temperature do\?$"))
        assert page.evaluate(SHIFTS) == 0
        back(page).click()
        page.wait_for_url(f"**/{CHAPTER}#{SECTION}")
        expect(page.locator(f"#{SECTION} > h2")).to_be_in_viewport()
        expect(back(page)).to_have_count(0)


@pytest.mark.parametrize(("name", "button"), [(CHAPTER, "Clear my predictions"), (FIRST, "Forget my place")])
def test_the_place_is_forgotten_with_the_other_kept_answers_or_alone(visit, address, name, button):
    page = visit(CHAPTER)
    read_to(page, SECTION)
    page.evaluate("localStorage.setItem('places /elsewhere/', '{}')")
    page.goto(f"{address}/search.html")
    page.goto(f"{address}/{name}")
    settle(page)
    expect(back(page)).to_be_visible()
    page.get_by_role("button", name=button).click()
    expect(back(page)).to_have_count(0)
    left = page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('places'))")
    assert left == ["places /elsewhere/"]
    page.reload()
    settle(page)
    expect(back(page)).to_have_count(0)


def test_a_link_to_a_section_is_not_argued_with(visit, address):
    page = visit(CHAPTER)
    read_to(page, SECTION)
    page.goto("about:blank")  # a link within the page would not open it again
    page.goto(f"{address}/{CHAPTER}#recap")
    settle(page)
    page.evaluate("scrollTo(0, 0)")
    frames(page)
    expect(back(page)).to_have_count(0)


def test_what_cannot_be_read_is_no_place(visit, address):
    page = visit(FIRST)
    for kept in ("not JSON", "null", "[1]", '{"notebooks/01_softmax.html": 3}'):
        for name in (CHAPTER, FIRST):
            page.evaluate("kept => localStorage.setItem('places ' + new URL('..', location).pathname, kept)", kept)
            page.goto(f"{address}/{name}")
            settle(page)
            expect(back(page)).to_have_count(0)


def test_without_storage_the_bar_still_tells(browser, address):
    page = browser.new_page()
    page.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error('shut off'); } })")
    page.goto(f"{address}/{CHAPTER}")
    settle(page)
    page.evaluate(f"document.getElementById('{SECTION}').scrollIntoView()")
    expect(where(page)).to_contain_text("3. What does a temperature do?")
    page.close()


@pytest.mark.parametrize("name", [FIRST, "book/symptoms.html", CHAPTER])
def test_the_section_that_was_gone_to_is_marked_until_the_reader_scrolls(look_at, name):
    page = look_at(name, height=1000)
    contents = page.get_by_role("navigation", name="On this page")
    for link in (contents.get_by_role("link").last, contents.get_by_role("link").nth(1)):
        link.click()
        expect(link).to_have_attribute("aria-current", "location")
        frames(page)
        expect(contents.locator("[aria-current]")).to_have_count(1)
        expect(link).to_have_attribute("aria-current", "location")
    contents.get_by_role("link").last.click()
    expect(contents.get_by_role("link").last).to_have_attribute("aria-current", "location")
    frames(page)
    page.evaluate("scrollTo(0, 0)")
    expect(contents.get_by_role("link").last).not_to_have_attribute("aria-current", "location")
