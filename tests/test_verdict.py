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
