"""How long is the main path of a chapter? What a page shows that is opened, with every prediction answered."""

from pathlib import Path

import pytest

CHAPTERS = sorted(path.stem for path in (Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
WORDS, SCREENS, OPEN_SCREENS = 3500, 20, 38
WIDTH, HEIGHT = 1280, 800

# Text that is read: no code, no output, no picture and no question, and nothing of what is folded but its line.
READ = r"""() => {
  const texts = [...document.querySelectorAll("main :is(p, li, h1, h2, h3, td, th, summary, pre)")]
    .filter((one) => !one.closest("details:not([open]) > :not(summary), figure, nav, .cell, .prediction"));
  return texts.filter((one) => !texts.some((other) => other !== one && other.contains(one)))
    .map((one) => (one.textContent.match(/\w[\w'’.,-]*/g) ?? []).length).reduce((sum, words) => sum + words, 0);
}"""


@pytest.mark.site
@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_opens_with_something_to_move_and_its_main_path_is_short(name, look_at):
    page = look_at(f"notebooks/{name}.html", WIDTH, HEIGHT, covered=True)
    screens = "document.documentElement.scrollHeight / innerHeight"
    figure = page.locator("main figure.explorer").first
    picture, control = figure.bounding_box(), figure.locator("input, button").first.bounding_box()
    assert picture["y"] < HEIGHT / 2
    assert control["y"] + control["height"] < HEIGHT
    assert page.evaluate(READ) <= WORDS
    assert page.evaluate(screens) <= SCREENS
    page.evaluate("document.querySelectorAll('.prediction-cover').forEach((one) => one.removeAttribute('hidden'))")
    assert page.evaluate(screens) <= OPEN_SCREENS
