"""The benchmarks measure what they say that they measure; how long it takes is no matter of a test."""

import pytest
from nbgrader.api import Gradebook

from benchmarks import grading

SET = "01_softmax"


@pytest.mark.kernel
def test_the_rival_of_grading_gives_a_solved_set_its_points(tmp_path):
    grading.course(tmp_path, grading.STOCK_CONFIG, {SET: 1})
    spent, seconds, memory = grading.cost([*grading.STOCK, SET], tmp_path)
    assert min(spent, seconds, memory) > 0
    with Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}", "loss-stability-primer") as gradebook:
        (submission,) = gradebook.assignment_submissions(SET)
        # What is written in words waits for a person.
        assert submission.code_score == submission.max_code_score > 0
