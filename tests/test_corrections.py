"""The list of corrections: every claim that was found wrong has its place in the course."""

import re
from pathlib import Path

CORRECTIONS = Path(__file__).parent.parent / "book" / "corrections.md"
# The claims judged wrong, imprecise or disputed, less those that are opinions and left out on purpose.
TO_CORRECT = {
    *("I1", "S4", "S7", "S9", "S13", "S18", "S19", "S24"),
    *("C5", "C6", "C10", "C11", "C14", "C16", "C19", "C23"),
    *("D1", "D4", "D15", "D16", "D20", "D27"),
    *("I4", "N3", "N5", "N9", "N11", "N15", "N18", "N19", "N21", "N24", "N26", "N33", "N40"),
}


VERDICTS = {"wrong", "half true", "disputed", "needs a condition"}


def rows():
    """Return the cells of each row: ids, what is said, the verdict, what is true, the link."""
    lines = [line for line in CORRECTIONS.read_text("utf-8").splitlines() if re.match(r"\| [A-Z]\d", line)]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_every_claim_that_needs_a_correction_has_one():
    corrected = {name for ids, *_ in rows() for name in ids.split(", ")}
    assert TO_CORRECT - corrected == set()


def test_no_claim_is_judged_twice():
    names = [name for ids, *_ in rows() for name in ids.split(", ")]
    assert len(set(names)) == len(names)


def test_every_correction_has_a_verdict_and_the_page_says_what_each_means():
    assert {verdict for _, _, verdict, _, _ in rows()} == VERDICTS
    assert set(re.findall(r"^- \*(.+?)\*: ", CORRECTIONS.read_text("utf-8"), re.MULTILINE)) == VERDICTS


def test_every_correction_says_what_is_true_and_links_to_where_it_is_measured():
    for ids, said, _, true, link in rows():
        assert said.endswith((".", ".”")), ids
        assert true.endswith("."), ids
        assert re.fullmatch(r"\[.+\]\(\.\./notebooks/\d\d_\w+\.ipynb#[\w-]+\)", link), ids
