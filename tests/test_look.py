"""The parts that pages are made of look as when somebody last looked; no text lies on another, and none is cut off."""

import json

import pytest
from PIL import Image, ImageDraw

from tests import look
from tests.conftest import FORGET


@pytest.fixture(scope="module")
def address(serve, tmp_path_factory):
    return serve(look.build_parts(tmp_path_factory.mktemp("parts")))


@pytest.fixture(scope="module", params=look.SCREENS)
def screen(request, browser):
    """A screen's name and its window, one for all the tests."""
    page = look.new_page(browser, request.param)
    page.add_init_script(FORGET)  # what was answered
    yield request.param, page
    page.close()


@pytest.fixture
def parts(screen, address):
    """The name of a screen, and the page of parts in it, opened anew."""
    name, page = screen
    look.prepare(page, address)
    return name, page


def test_every_part_looks_as_it_was_accepted(parts):
    screen, page = parts
    accepted = json.loads((look.RECORDED / f"{screen}.json").read_text("utf-8"))
    assert list(accepted) == list(look.PARTS)
    found = {}
    for name, boxes, picture in look.seen(page):
        before = Image.open(look.RECORDED / f"{screen}-{name}.png").convert("RGB")
        found[name] = look.differences(boxes, accepted[name], picture, before)
    # Renewed by: python -m tests.look
    assert {name: faults for name, faults in found.items() if faults} == {}


def test_all_that_stands_in_the_column_has_its_edges(parts):
    screen, page = parts
    whole = {"bar", "title", "table", *(["explorer"] if screen == "phone" else [])}  # from edge to edge, or as it comes
    edges = "one => { const { left, right } = one.getBoundingClientRect(); return [left, right].map(Math.round); }"
    column = page.locator("main").evaluate(edges)
    found = {name: page.locator(part).first.evaluate(edges) for name, part in look.PARTS.items() if name not in whole}
    assert found == dict.fromkeys(found, column)


def test_no_text_lies_on_another_and_none_is_cut_off(parts):
    _, page = parts
    for change in ("0", *look.STATES.values()):
        page.evaluate(change)
        assert page.evaluate(look.FAULTS) == []


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        (".prediction-shows { position: relative; top: -3rem }", "on each other: yes / Show anyway"),
        ("blockquote.account { margin-left: 70rem !important }", "outside: "),
        ("blockquote.account { width: 5rem; white-space: nowrap; overflow: hidden }", "cut: "),
    ],
)
def test_a_text_that_lies_on_another_or_is_cut_off_is_found(parts, rule, fault):
    _, page = parts
    page.evaluate("rule => { document.adoptedStyleSheets[0].insertRule(rule); }", rule)
    assert any(fault in one for one in page.evaluate(look.FAULTS))


def picture(box, colour="black"):
    image = Image.new("RGB", (200, 60), "white")
    ImageDraw.Draw(image).rectangle(box, fill=colour)
    return image


BOXES = [["p", 0, 0, 200, 60], ["a", 10, 10, 80, 20]]


@pytest.mark.frames
@pytest.mark.parametrize(
    ("boxes", "seen", "expected"),
    [
        (BOXES, picture((10, 10, 90, 30)), []),
        ([["p", 0, 0, 201, 61], ["a", 12, 10, 80, 20]], picture((11, 10, 91, 30)), []),
        ([["p", 0, 0, 200, 60], ["a", 10, 16, 80, 20]], picture((10, 10, 90, 30)), ["a has the box [10, 16, 80, 20]"]),
        ([["p", 0, 0, 200, 60]], picture((10, 10, 90, 30)), ["has p, expected p a"]),
        (BOXES, picture((10, 10, 90, 30), "silver"), ["of its picture has another shade"]),
        (BOXES, picture((10, 22, 90, 42)), ["of its picture has another shade"]),
        (BOXES, picture((10, 10, 90, 30)).point(lambda value: min(value, 246)), ["has the ground (246, 246, 246)"]),
    ],
)
def test_what_differs_is_said_and_what_smooths_an_edge_is_not(boxes, seen, expected):
    found = look.differences(boxes, BOXES, seen, picture((10, 10, 90, 30)))
    assert len(found) == len(expected)
    assert all(words in fault for words, fault in zip(expected, found, strict=True))
