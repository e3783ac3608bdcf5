"""A section that may be skipped is folded to its heading, and everything leads into it all the same."""

import json
import re
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup

from tests.building import build
from tests.waiting import expect

ROOT = Path(__file__).parents[1]
ASIDES = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["sphinx"]["config"]["asides"]
TEXT = "Page\n====\n\nText.\n\nOne\n---\n\nText.\n\nTwo\n---\n\nWords `a <two_>`_.\n\nPart\n~~~~\n\nDeep.\n"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build a book of one page with an aside, and others that are not there; returns the page and the warnings."""
    folder = tmp_path_factory.mktemp("aside")
    (folder / "index.rst").write_text(TEXT.replace(" `a <two_>`_", ""), "utf-8")
    asides = ["index#two", "other#one", "index#three"]
    warnings = build(folder, folder / "html", {"extensions": ["theme.aside"], "asides": asides})
    return BeautifulSoup((folder / "html" / "index.html").read_text("utf-8"), "html.parser"), warnings


def test_what_is_listed_is_folded_and_nothing_else(built):
    page, _ = built
    (aside,) = page.select("details.aside")
    assert aside.parent["id"] == "two"
    assert re.sub(r"\s+", " ", aside.summary.get_text()) == "Two 1 min, may be skipped"
    assert aside.summary.h2
    assert not aside.summary.a
    assert aside.select_one("#part").p.get_text() == "Deep."


def test_a_section_that_is_not_there_is_reported(built):
    (warning,) = built[1].splitlines()
    assert warning.endswith("a section that may be skipped is not on the page: index#three")


@pytest.mark.site
def test_a_link_and_the_contents_open_what_they_lead_to(look_at):
    name, _, place = ASIDES[0].partition("#")
    page = look_at(f"{name}.html#{place}")
    inside = page.locator(f"[id='{place}'] > details.aside")
    expect(inside).to_have_attribute("open", "")
    page = look_at(f"{name}.html")
    expect(page.locator(f"[id='{place}'] > details.aside")).not_to_have_attribute("open", "")
    page.evaluate("place => { location.hash = place; }", place)
    expect(page.locator(f"[id='{place}'] > details.aside")).to_have_attribute("open", "")


@pytest.mark.site
def test_without_scripts_all_is_open(visit):
    name, _, place = ASIDES[0].partition("#")
    page = visit(f"{name}.html", java_script_enabled=False)
    assert page.locator(f"[id='{place}'] > details.aside p").first.is_visible()


@pytest.mark.site
def test_folds_below_each_other_share_a_rule_and_an_open_one_keeps_its_distance(look_at):
    page = look_at("notebooks/04_normalization.html")
    first, second = page.locator("section:has(> .aside) + section > .aside").evaluate_all(
        "all => [all[0].parentElement.previousElementSibling.firstElementChild, all[0]]"
        ".map((one) => '#' + one.parentElement.id + ' > .aside')"
    )

    def apart():
        boxes = page.locator(first).bounding_box(), page.locator(f"{second} > summary").bounding_box()
        return boxes[1]["y"] - boxes[0]["y"] - boxes[0]["height"]

    assert apart() == pytest.approx(-1, abs=0.5)
    page.locator(f"{first} > summary").click()
    assert apart() > 20


@pytest.mark.site
@pytest.mark.parametrize("width", [1280, 375])
def test_the_time_of_each_stands_at_the_same_place(visit, width):
    """At the end of the line where there is room, else below the title's first letter."""
    page = visit("notebooks/03_dropout.html", viewport={"width": width, "height": 800})
    side = "right" if width > 640 else "left"
    edges = page.locator("details.aside > summary > span").evaluate_all(
        "(all, side) => all.map((one) => Math.round(one.getBoundingClientRect()[side]))", side
    )
    assert len(edges) > 5
    assert len(set(edges)) == 1


def test_each_section_that_may_be_skipped_is_of_a_chapter():
    chapters = {f"notebooks/{path.stem}" for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert {aside.partition("#")[0] for aside in ASIDES} <= chapters
    assert json.dumps(ASIDES) == json.dumps(sorted(set(ASIDES)))
