"""The checks notice every small change of a right answer, but for those that compute the same."""

import re

import pytest

from lossprimer.checks.task import TASKS
from tools import mutants

PAIRS = 12  # of each answer; `python -m tools.mutants --order 2` tries more


@pytest.mark.mutants
@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("task", sorted(TASKS))
def test_every_mutant_is_refused_or_right(task, order):
    tried, lines = mutants.survivors(task, order=order, pairs=PAIRS)
    assert tried > PAIRS / 2
    assert mutants.unexplained(task, lines) == []


@pytest.mark.mutants
@pytest.mark.parametrize("task", sorted(TASKS))
def test_every_form_of_a_mistake_gets_its_own_sentence(task):
    told = {mistake.cause.likely: [TASKS[task](wrong) for wrong in mistake.wrong] for mistake in TASKS[task].mistakes}
    found = [
        (cause, n) for cause, reports in told.items() for n, r in enumerate(reports) if r.finding.cause.likely != cause
    ]
    assert found == []


def test_each_task_has_a_reference_answer_that_holds():
    references = mutants.references()
    assert references.keys() == TASKS.keys()
    for task, (name, source) in references.items():
        assert TASKS[task].refuses(mutants.answer(mutants.ast.parse(source), name)) == ""


def test_what_is_changed():
    tree = mutants.ast.parse("def f(x, y):\n    return x * y + 1")
    found = {mutants.changed_lines(tree, mutant) for mutant in mutants.mutants(tree)}
    assert {
        "return x / y + 1",
        "return x * y - 1",
        "return x * y + 2",
        "return x + 1",
        "return x * y",
        "return y * y + 1",
    } <= found
    assert "(nothing)" not in found


def test_reasons_are_sentences_on_patterns():
    for reasons in mutants.EQUIVALENT.values():
        for pattern, reason in reasons:
            re.compile(pattern)
            assert len(reason.split()) > 3
