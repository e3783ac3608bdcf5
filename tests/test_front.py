"""The front page: its numbers are computed, its cards say what a chapter takes, its explorer is in the first screen."""

import re
from pathlib import Path

import numpy as np
import pytest
from page_numbers import unsupported

import lossprimer as lp
from lossprimer.normalization import normalize
from tests.parsed import read
from tests.waiting import expect
from tools import notebooks

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "book" / "intro.md").read_text("utf-8")
FACTS = r":::\{container\} card-facts\n(\d+) to (\d+) minutes, (\d+) predictions"
CARDS = re.findall(rf"\[[^]]+\]\(\.\./notebooks/(\w+)\.ipynb\)\n\n[^\n]+\n\n{FACTS}", PAGE)


def gradients(lead, classes):
    """Return the lengths of the gradients of the log loss and of the squared error, one wrong class ahead by `lead`."""
    p, y = lp.softmax(lead * lp.one_hot(0, classes)), lp.one_hot(1, classes)
    return np.linalg.norm(p - y), np.linalg.norm(lp.softmax_backward(2 * (p - y), p))


def spread(variance, eps):
    return normalize(np.array([-1.0, 1.0]) * np.sqrt(variance), eps=eps, axis=0).std()


def test_the_surprises_are_computed():
    text = PAGE.partition("## Three answers")[2].partition("## The chapters")[0]
    code = "lp.softmax(2 * lp.one_hot(0, 50_000))[0], lp.softmax(2 * lp.one_hot(0, 2))[0], spread(1e-6, 1e-5)"
    names = {"lp": lp, "spread": spread}
    assert unsupported(re.sub(r"```\{glue\}.*?```", "", text, flags=re.DOTALL), code, names) == []
    log, square = gradients(10, 10)
    assert f"**{log / square:,.0f} times**" in text


def test_there_is_a_card_for_each_chapter():
    assert [name for name, *_ in CARDS] == [path.stem for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]


@pytest.mark.parametrize(("name", "predictions"), [(name, predictions) for name, *_, predictions in CARDS])
def test_a_card_says_how_often_a_chapter_asks(name, predictions):
    cells = notebooks.load(ROOT / "notebooks" / f"{name}.ipynb").cells
    asked = sum(cell.source.startswith("predict(") for cell in cells)
    assert int(predictions) == asked, (
        f"the card of {name} in book/intro.md says {predictions} predictions, expected {asked}"
    )


@pytest.mark.site
@pytest.mark.parametrize(("name", "least", "most"), [card[:3] for card in CARDS])
def test_a_card_says_what_a_chapter_takes_without_and_with_what_may_be_skipped(name, least, most):
    page = read(f"notebooks/{name}.html")
    main, skipped = (
        sum(int(line.get_text().partition(" min")[0]) for line in page.select(lines))
        for lines in (".section-time", "details.aside > summary > span")
    )
    assert (int(least), int(most)) == (5 * round(main / 5), 5 * round((main + skipped) / 5))


@pytest.mark.site
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (375, 667)])
def test_the_explorer_is_in_the_first_screen_and_answers(look_at, width, height):
    page = look_at("book/intro.html", width, height)
    explorer = page.locator("figure.explorer")
    for part in ("input[type=range]", "svg >> nth=0"):
        box = explorer.locator(part).bounding_box()
        assert box["y"] + box["height"] <= height
    explorer.get_by_role("slider").press("End")
    expect(explorer.locator("figcaption")).to_contain_text("T = 20")


@pytest.mark.site
def test_a_card_tells_what_the_reader_has_done(visit):
    page = visit("notebooks/01_softmax.html", covered=True)
    page.get_by_role("radio").first.click()
    page.goto(page.url.replace("notebooks/01_softmax", "book/intro"))
    facts = page.locator(".card-facts")
    expect(facts.nth(0)).to_contain_text("you have made 1")
    expect(facts.nth(1)).not_to_contain_text("you have made")


@pytest.mark.site
def test_all_of_a_card_leads_to_its_chapter(look_at):
    page = look_at("book/intro.html")
    card = page.locator(".card").nth(1)
    box = card.bounding_box()
    card.click(position={"x": box["width"] - 8, "y": box["height"] - 8})
    page.wait_for_url("**/notebooks/02_cross_entropy.html")


@pytest.mark.site
def test_the_bar_does_not_repeat_the_title(visit):
    page = visit("book/intro.html")
    title = page.get_by_role("heading", level=1).inner_text().rstrip("¶").strip()
    assert title not in page.locator(".bar").inner_text()
    page.goto(page.url.replace("intro", "corrections"))
    assert title in page.locator(".bar").inner_text()
