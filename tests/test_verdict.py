"""A test has the names that it means: the teacher's, its own, and the learner's where it reads them."""

import pytest

from lossprimer.grading.submission import Submission
from lossprimer.grading.verdict import verdict

CELLS = """
import numpy as np
def double(x): return 2 * x
table = np.array(["no", "number"])
def abs(x): return 0
helper = len = double
"""


@pytest.fixture(scope="module")
def learner():
    """One process for all tests: to start it takes longer than all of them."""
    with Submission(isolated=False) as submission:
        submission.run("all", CELLS)
        yield submission


@pytest.mark.parametrize(
    ("source", "holds"),
    [
        ("assert double(2) == 4", True),
        ("def twice():\n    return [double(x) for x in (1, 2)]\nassert twice() == [2, 4]", True),
        # A learner's value that cannot be sent has the name of a variable of the test.
        ("table = [1, 2]\nassert [double(x) for x in table] == [2, 4]", True),
        ("for table in (1, 2):\n    assert double(table) == 2 * table", True),
        ("assert table is not None", False),
        ("assert abs(-1) == 1 and len([]) == 0", True),
        ("assert helper(2) == 5", True),  # the teacher's
        ("assert missing(2) == 4", False),
    ],
)
def test_names(learner, source, holds):
    names = {"helper": lambda x: 5}
    last = verdict(source, names, learner)[-1]
    assert (last.output_type != "error") == holds, last
    assert set(names) == {"helper"}


def test_what_a_hidden_test_asks_is_not_told(learner):
    source = "assert double(2) == {}\n### BEGIN HIDDEN TESTS\nassert double(3) == 7\n### END HIDDEN TESTS"
    told = [verdict(source.format(seen), {}, learner)[-1].traceback for seen in (5, 4)]
    assert told == [["AssertionError: assert double(2) == 5"], ["AssertionError: a hidden test does not hold"]]


PREDICTION = "# 2 points\nassert abs(float(guess()) - 7) < 1, 'Think again.'"
GIVEN = "from lossprimer import figures\nfigures.surprise(0.5)"


def forget(learner):
    """Let there be no guess, and nothing that has failed."""
    learner.run("forget", "guess = None; del guess")
    learner.failures.clear()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("def guess(): return 3", "AssertionError: Think again."),
        ("def guess(): raise NotImplementedError", "NotImplementedError: not attempted yet: "),
        (
            "def gues(): return 7",
            "NameError: guess is not defined when all cells have run, from the first to the last. ",
        ),
        (
            "def guess(): return 7 !",
            "guess is not defined when all cells have run. Your cell 'answer' ended with an error: S",
        ),
        ("def guess(): 7", "The test cannot use what guess gives. Is it a function"),
        (
            "def guess(): return '7,0'",
            "could not convert string to float: '7,0'. The test cannot use what guess gives.",
        ),
        ("guess = 7", "The test cannot use what guess gives. Is it a function"),
        ("def guess(): return seven", "NameError: name 'seven' is not defined"),
        ("def guess(): return [][0]", "IndexError: list index out of range"),
    ],
)
def test_a_prediction_that_fails_is_told_what_the_learner_can_change(learner, answer, said):
    """And nothing of the cells that came with the set, although one of them did not run."""
    forget(learner)
    learner.run("answer", answer)
    shown = learner.run("picture", GIVEN, given=True)
    assert "ImportError" in str(shown)
    last = verdict(PREDICTION, {}, learner)[-1]
    assert said in last.traceback[0]
    assert "picture" not in last.traceback[0]
    assert "RemoteError" not in last.traceback[0]


def test_the_cell_that_names_what_is_missing_is_blamed_first(learner):
    forget(learner)
    learner.run("answer", "def guess(): return 7 !")
    learner.run("later", "1 / 0")
    assert learner.failed("guess") == ("answer", learner.failures["answer"])
    assert learner.failed("gues") == ("later", "ZeroDivisionError: division by zero")
    assert verdict(PREDICTION, {}, learner)[-1].traceback[0].count("Your cell 'answer'") == 1
