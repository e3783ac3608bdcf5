"""Every task of the exercises has a description, sentences for its mistakes, answers to try it on, and a set."""

import json
import re
from collections import Counter
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import answers
import pytest

from lossprimer import checks
from lossprimer.checks.task import TASKS, Case, Mistake, Property, Task

SETS = sorted((Path(__file__).parent.parent / "exercises" / "source").glob("*/*.ipynb"))
# The steps of "To add a check" in CONTRIBUTING.md: what is missing, and what to do.
DECLARE = '"Declare the task": a Task in a module of lossprimer/checks'
ANSWER = '"Hand in answers": RIGHT and WRONG in a module of tests/answers'
PLACE = '"Put it into a set": python -m tools.task'


def calls_in_sets():
    """Return the name of each check that a visible cell of a set calls, as often as one does."""
    cells = [cell for path in SETS for cell in json.loads(path.read_text("utf-8"))["cells"]]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return [call[1] for source in sources if (call := re.match(r"checks\.(\w+)\(", source))]


def gaps(tasks, right, wrong, used):
    """Yield a sentence for each thing that a task lacks, and for each thing without a task.

    Parameters
    ----------
    tasks : dict of str to Task
        The tasks by their names.
    right, wrong : dict of str to list
        The answers that the tests hand in.
    used : list of str
        The checks that the problem sets call, as often as they do.
    """
    for name, task in tasks.items():
        yield from (f"{name}: {gap}" for gap in _gaps_of(name, task))
        if not right.get(name):
            yield f"{name}: no right answer is tried. {ANSWER}"
        if not wrong.get(name):
            yield f"{name}: no wrong answer is tried. {ANSWER}"
        if used.count(name) != 1:
            yield f"{name}: a task of {used.count(name)} problem sets, expected 1. {PLACE}"
    for name in sorted({*right, *wrong} - tasks.keys()):
        yield f"{name}: there are answers in tests/answers, and no task. {DECLARE}"
    for name in sorted(set(used) - tasks.keys()):
        yield f"{name}: a problem set calls this check, and there is no task. {DECLARE}"


def _gaps_of(name, task):
    if not re.match(r"Check [^,]+, \w.*\.\n", task.__doc__):
        yield f"its docstring does not say what it returns, in a line that ends with a full stop. {DECLARE}"
    if name in {"CheckFailed", "Report", *(module.name for module in iter_modules(checks.__path__))}:
        yield f"a module or a class of lossprimer.checks has the same name. Give one of the two another. {DECLARE}"
    random = any(isinstance(step, Property) for step in task.steps)
    if not task.steps:
        yield f"it has no steps, so it holds whatever is handed in. {DECLARE}"
    elif not task.draw and not random:
        yield f"it draws nothing, so its inputs can be known by heart: give it draw. {DECLARE}"
    if not task.mistakes and not random:
        yield f"it has no mistakes, so nobody reads what went wrong. {DECLARE}"
    for step in task.steps:
        if not step.title.strip():
            yield f"a step has no title. It says what holds if it does. {DECLARE}"
        elif isinstance(step, Case) and task.right is None:
            yield f"the case {step.title!r} needs a right function to compare with. {DECLARE}"
    for mistake in task.mistakes:
        said = mistake.cause.likely if mistake.cause else ""
        if not re.fullmatch(r"[^\W_].*[.?]", said):
            yield f"a mistake has {said!r} for a sentence: say what is wrong and where to look. {DECLARE}"
        if not mistake.wrong:
            yield f"the mistake {said!r} has no wrong function that makes it. {DECLARE}"
    for said, times in Counter(mistake.cause.likely for mistake in task.mistakes if mistake.cause).items():
        if times > 1:
            yield f"{times} mistakes say {said!r}: make them one, which can have several wrong functions. {DECLARE}"


def test_every_task_is_whole_and_nothing_is_without_a_task():
    found = "\n".join(gaps(TASKS, answers.RIGHT, answers.WRONG, calls_in_sets()))
    assert not found, found


def test_there_are_tasks():
    assert TASKS
    assert checks.__all__ == ["CheckFailed", "Report", *sorted(TASKS)]
    assert all(getattr(checks, name) is task for name, task in TASKS.items())


def test_a_task_has_its_own_name_in_its_module():
    found = [vars(import_module(f"{checks.__name__}.{module.name}")) for module in iter_modules(checks.__path__)]
    named = {name for names in found for name, value in names.items() if TASKS.get(name) is value}
    assert sorted(TASKS.keys() - named) == []


class TestGaps:
    """What is reported of a task that lacks something."""

    @pytest.fixture
    def double(self, monkeypatch):
        """Return a function that makes a task, which the tests outside do not see."""
        monkeypatch.setattr("lossprimer.checks.task.TASKS", {})

        def make(doc="twice `x`.", name="double", **options):
            case = Case("one number", (1.0,))
            whole = {"right": lambda x: 2 * x, "steps": [case], "mistakes": [Mistake("This is x.", lambda x: x)]}
            whole["draw"] = lambda rng: [case]
            return Task("double(x)", doc, name=name, **whole | options)

        return make

    @staticmethod
    def gaps(task, right=("f",), wrong=("f",), used=1):
        name = task.__name__
        return list(gaps({name: task}, {name: right}, {name: wrong}, [name] * used))

    def test_nothing_of_a_whole_one(self, double):
        assert self.gaps(double()) == []

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"right": ()}, 'double: no right answer is tried. "Hand in answers"'),
            ({"wrong": ()}, 'double: no wrong answer is tried. "Hand in answers"'),
            ({"used": 0}, 'double: a task of 0 problem sets, expected 1. "Put it into a set"'),
            ({"used": 2}, 'double: a task of 2 problem sets, expected 1. "Put it into a set"'),
        ],
    )
    def test_what_is_outside_of_it(self, double, options, said):
        (gap,) = self.gaps(double(), **options)
        assert gap.startswith(said)

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"doc": ""}, "its docstring does not say what it returns"),
            ({"name": "report"}, "a module or a class of lossprimer.checks has the same name"),
            ({"name": "Report"}, "a module or a class of lossprimer.checks has the same name"),
            ({"steps": []}, "it has no steps"),
            ({"draw": None}, "it draws nothing"),
            ({"mistakes": []}, "it has no mistakes"),
            ({"mistakes": [Mistake("This is x.", abs), Mistake("This is x.", float)]}, "2 mistakes say 'This is x.'"),
            ({"steps": [Case(" ", (1.0,))]}, "a step has no title"),
            ({"right": None}, "the case 'one number' needs a right function"),
            ({"mistakes": [Mistake("", lambda x: x)]}, "a mistake has '' for a sentence"),
            ({"mistakes": [Mistake("no sentence", lambda x: x)]}, "a mistake has 'no sentence' for a sentence"),
            ({"mistakes": [Mistake("This is x.")]}, "the mistake 'This is x.' has no wrong function"),
        ],
    )
    def test_what_is_inside_of_it(self, double, options, said):
        (gap,) = self.gaps(double(**options))
        assert gap.startswith(f"{options.get('name', 'double')}: {said}")
        assert '"Declare the task"' in gap

    def test_what_is_random_draws_by_itself_and_explains_itself(self, double):
        assert self.gaps(double(steps=[Property("it is random", abs)], right=None, draw=None, mistakes=[])) == []

    def test_a_mistake_is_named_after_what_is_random_has_held(self, double):
        steps = [Property("it is random", lambda call, rng: None), Case("one number", (1.0,))]
        assert double(steps=steps)(lambda x: x).finding.cause.likely == "This is x."

    def test_a_mistake_is_not_named_that_contradicts_a_case_that_held(self, double):
        steps = [Case(f"x = {x:g}", (x,)) for x in (1.0, 2.0, 3.0, 4.0)]
        report = double(steps=steps)(lambda x: 2 * x if x == 1 else x)
        assert report.held == ("x = 1",)
        assert report.finding.cause.likely != "This is x."

    @pytest.mark.parametrize(
        ("right", "wrong", "used"), [({"a": ["f"]}, {}, []), ({}, {"a": ["f"]}, []), ({}, {}, ["a"])]
    )
    def test_what_has_no_task(self, right, wrong, used):
        (gap,) = gaps({}, right, wrong, used)
        assert 'no task. "Declare the task"' in gap

    def test_a_name_twice(self, double):
        double()
        with pytest.raises(ValueError, match="is 'double', expected one that no other task has"):
            double()
