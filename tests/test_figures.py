"""Every picture has an example, a test of its own, and a place in the course."""

import functools
import re
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from xml.etree import ElementTree

import numpy as np
import pytest

from lossprimer import figures
from lossprimer.explorer import Picture
from lossprimer.figures.drawing import number, numbers

ROOT = Path(__file__).parent.parent
# The steps of "To add an explorer" in CONTRIBUTING.md: what is missing, and what to do.
DRAW = '"Draw the picture": a function in a module of lossprimer/figures, and its name in __all__'
SHOW = '"Show an example": its arguments in EXAMPLES of tests/test_figures_{}.py'
HOLD = '"Hold the sentence to numbers": a test in tests/test_figures_{} that calls figures.{}'
PLACE = '"Put it into the chapter": a cell of notebooks/*.ipynb'


def chapters():
    """Return the modules that hold pictures, by their names."""
    names = [module.name for module in iter_modules(figures.__path__)]
    modules = {name: import_module(f"{figures.__name__}.{name}") for name in names}
    return {name: module for name, module in modules.items() if hasattr(module, "__all__")}


CHAPTERS = chapters()
MODULES = {chapter: import_module(f"test_figures_{chapter}") for chapter in CHAPTERS}
TESTS = {chapter: Path(module.__file__).read_text("utf-8") for chapter, module in MODULES.items()}
EXAMPLES = {
    name: (arguments, getattr(module, "OPTIONS", {}).get(name, {}))
    for module in MODULES.values()
    for name, arguments in module.EXAMPLES.items()
}
NOTEBOOKS = [*(ROOT / "notebooks").glob("*.ipynb"), *(ROOT / "exercises" / "source").rglob("*.ipynb")]
NOTEBOOKS += (ROOT / "book").glob("*.md")
COURSE = "".join(path.read_text("utf-8") for path in NOTEBOOKS)


def drawn_by(module):
    """Return the names of the public pictures that a module defines."""
    return [
        name
        for name, value in vars(module).items()
        if hasattr(value, "__wrapped__") and value.__module__ == module.__name__ and not name.startswith("_")
    ]


@functools.cache
def used_in(course):
    """Return the names of the pictures that a text calls or passes on."""
    return set(re.findall(r"\bfigures\.(\w+)", course))


def gaps(chapter, drawn, offered, examples, tests, course):
    """Yield a sentence for each thing that a picture lacks, and for each example without a picture.

    Parameters
    ----------
    chapter : str
        The module of lossprimer.figures.
    drawn : list of str
        The pictures that it defines.
    offered : list of str
        Its __all__.
    examples : dict of str to tuple
        Arguments by the name of the picture.
    tests, course : str
        The text of the chapter's tests, and of all notebooks.
    """
    for name in offered:
        if name not in examples:
            yield f"{name}: there is no example. {SHOW.format(chapter)}"
        if f"figures.{name}(" not in tests:
            yield f"{name}: no test calls it. {HOLD.format(chapter, name)}"
        if name not in used_in(course):
            yield f"{name}: no notebook shows it. {PLACE}"
    for name in sorted({*drawn} - {*offered}):
        yield f"{name}: there is a picture, and __all__ does not have it. {DRAW}"
    for name in sorted(examples.keys() - {*drawn, *offered}):
        yield f"{name}: there is an example, and no picture. {DRAW}"


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_picture_is_whole(chapter):
    offered, drawn = CHAPTERS[chapter].__all__, drawn_by(CHAPTERS[chapter])
    found = "\n".join(gaps(chapter, drawn, offered, MODULES[chapter].EXAMPLES, TESTS[chapter], COURSE))
    assert not found, found
    assert offered == sorted(set(offered))


def taken(chapters):
    """Yield a sentence for each name that two chapters give to pictures: in `figures` there is only one."""
    owners = {}
    for chapter, offered in chapters.items():
        for name in offered:
            if (owner := owners.setdefault(name, chapter)) != chapter:
                yield f"{name}: in {owner} and in {chapter}, expected a name that no other chapter has"


def test_no_picture_has_the_name_of_another():
    assert list(taken({chapter: module.__all__ for chapter, module in CHAPTERS.items()})) == []
    assert all(
        getattr(figures, name) is getattr(module, name) for module in CHAPTERS.values() for name in module.__all__
    )


def test_a_name_that_is_taken_is_said():
    (said,) = taken({"losses": ["bars", "surprise"], "probability": ["bars_of_two", "surprise"]})
    assert said == "surprise: in losses and in probability, expected a name that no other chapter has"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ""),
        ({"drawn": [], "offered": []}, 'bars: there is an example, and no picture. "Draw the picture"'),
        ({"offered": []}, 'bars: there is a picture, and __all__ does not have it. "Draw the picture"'),
        ({"examples": {}}, 'bars: there is no example. "Show an example"'),
        ({"tests": "figures.bars"}, 'bars: no test calls it. "Hold the sentence to numbers"'),
        ({"course": "figures.barside()"}, 'bars: no notebook shows it. "Put it into the chapter"'),
    ],
)
def test_what_a_picture_lacks_is_said(changes, said):
    whole = {"drawn": ["bars"], "offered": ["bars"], "examples": {"bars": ()}}
    whole |= {"tests": "figures.bars(1)", "course": "draw(figures.bars)"}
    found = list(gaps("chapter", **whole | changes))
    assert len(found) == bool(said)
    assert said in "".join(found)


@pytest.mark.frames
@pytest.mark.parametrize("name", EXAMPLES)
def test_every_picture_can_be_drawn_twice_the_same(name):
    arguments, options = EXAMPLES[name]
    first, second = (getattr(figures, name)(*arguments, **options) for _ in range(2))
    assert isinstance(first, Picture)
    drawn = first.svg()
    assert drawn == second.svg()
    assert ElementTree.fromstring(drawn.replace("&nbsp;", " ")).tag == "svg"


def test_numbers_have_a_true_minus_sign_and_an_exact_zero_looks_exact():
    assert numbers([-1.5, 0.0, 0.0001, -0.0001, np.inf, np.nan], 2) == "−1.50, 0, 0.00, 0.00, ∞, nan"


def test_an_infinite_score_is_written_with_its_sign():
    assert number(-np.inf) == "−∞"
