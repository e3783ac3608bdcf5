"""Buttons that a page has many times keep their short names, and a listener hears which one each is."""

import pytest

from conftest import PAGES
from tests.waiting import expect

pytestmark = pytest.mark.site

# Buttons by name, each with its description, worked out as a browser does from what `aria-describedby` names.
FOUND = """() => {
  const found = {};
  for (const one of document.querySelectorAll("main button, .prediction summary, .explorer summary")) {
    const name = one.ariaLabel ?? one.textContent.trim();
    const of = document.getElementById(one.getAttribute("aria-describedby"));
    (found[name] ??= []).push(of ? of.ariaLabel ?? of.textContent.trim() : "");
  }
  return found;
}"""


@pytest.mark.parametrize("name", [page for page in PAGES if page not in ("index.html", "search.html")])
def test_buttons_with_the_same_name_are_told_apart(look_at, name):
    page = look_at(name, covered=True)
    for button, descriptions in page.evaluate(FOUND).items():
        # Two explorers of a page can have one title: those of a self-test's question and of its answer, say.
        assert len(descriptions) == 1 or len(set(descriptions)) == len(descriptions), button
        assert len(descriptions) == 1 or all(descriptions), button


def test_a_browser_says_the_name_and_then_the_description(visit):
    page = visit("notebooks/01_softmax.html", covered=True)
    question = page.locator(".prediction").first
    legend = question.locator("legend").inner_text()
    show = question.get_by_role("button", name="Show anyway", exact=True)
    expect(show).to_have_accessible_description(legend)
    show.click()
    expect(question.get_by_role("button", name="Cover again", exact=True)).to_have_accessible_description(legend)
    for title, button in (("Three digits at a temperature", "Reset"), ("The softmax recipe", "Next")):
        explorer = page.locator("figure.explorer", has=page.get_by_role("group", name=title))
        expect(explorer.get_by_role("button", name=button, exact=True)).to_have_accessible_description(title)


def test_a_laboratory_and_a_task_are_named_by_their_number(visit):
    page = visit("notebooks/01_softmax.html")
    for number in (1, 2, 3):
        laboratory = page.get_by_role("group", name=f"Laboratory {number}")
        expect(laboratory.locator(".laboratory-run")).to_have_accessible_description(f"Laboratory {number}")
    page.goto(page.url.replace("notebooks/", "book/exercises/"))
    task = page.get_by_role("group", name="Task 2", exact=True)
    expect(task.get_by_role("button", name="Check")).to_have_accessible_description("Task 2")
