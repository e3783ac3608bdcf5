"""Where is an answer, if it is not where it should be? Found, or left to a person; and nothing else is believed."""

import ast
import contextlib
import copy
from functools import cache

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.utils import compute_checksum, determine_grade

from live import served
from lossprimer.grading import cells, reading
from lossprimer.grading.cells import ELSEWHERE, definitions, label, plain_python, restored
from tests import classroom

STUB = "def softmax(z):\n    # YOUR CODE HERE\n    raise NotImplementedError()"
SOFTMAX = "def softmax(z):\n    return np.exp(z) / np.exp(z).sum()"
WORDS = "The maximum is subtracted, so that nothing overflows."
OTHER = "The shares of a row add up to one, whatever the scores are."
BLANK = "YOUR ANSWER HERE"


def cell(new, source, name, **roles):
    made = new(source, id=name)
    made.metadata.nbgrader = {
        "grade_id": name,
        "schema_version": 3,
        **dict.fromkeys(("grade", "solution", "locked"), False),
    }
    made.metadata.nbgrader |= roles
    if roles.get("solution"):
        made.metadata.nbgrader.checksum = compute_checksum(made)
    return made


@cache  # nbformat looks at each new cell, which takes longer than to copy it
def problem_set():
    def test(name):
        return cell(new_code_cell, f"# 3 points\nassert {name}", f"{name}-test", grade=True, locked=True, points=3)

    def question(number, name):
        return cell(new_markdown_cell, f"## {number}. The task {name}\n\nHow is it done, and why?", name, locked=True)

    written = {"grade": True, "solution": True, "points": 3}
    return new_notebook(
        cells=[
            cell(new_markdown_cell, "# The problem set", "title", locked=True),
            cell(new_code_cell, "import numpy as np", "imports", locked=True),
            question(1, "softmax"),
            cell(new_code_cell, STUB, "softmax-answer", solution=True),
            cell(new_code_cell, "print(softmax(np.ones(3)))", "softmax-check", locked=True),
            test("softmax"),
            question(2, "share"),
            cell(new_code_cell, "share = None\nraise NotImplementedError()", "share-answer", solution=True),
            test("share"),
            question(3, "words"),
            cell(new_markdown_cell, BLANK, "words-answer", **written),
            question(4, "sums"),
            cell(new_markdown_cell, BLANK, "sums-answer", **written),
            cell(new_markdown_cell, "## What you can do now", "close", locked=True),
        ]
    )


@pytest.fixture
def released():
    return copy.deepcopy(problem_set())


def at(notebook, name):
    return next(number for number, cell in enumerate(notebook.cells) if label(cell) == name)


def find(notebook, name):
    return notebook.cells[at(notebook, name)]


def bare(notebook):
    """As Colab may save it: no metadata of nbgrader's and no ids."""
    notebook = copy.deepcopy(notebook)
    for each in notebook.cells:
        each.metadata = {}
        each.pop("id", None)
    return notebook


def full(released):
    notebook = copy.deepcopy(released)
    answers = {"softmax": SOFTMAX, "share": "share = 0.5", "words": WORDS, "sums": OTHER}
    for name, text in answers.items():
        find(notebook, f"{name}-answer").source = text
    return notebook


def waits(restoration, name):
    """Whether a person must look at a written answer."""
    return determine_grade(find(restoration.notebook, name))[0] is None


def runs(restoration, until="softmax-test"):
    """The names that are defined when a test runs, by the code in front of it."""
    names = {"np": __import__("numpy")}
    for each in restoration.notebook.cells[: at(restoration.notebook, until)]:
        if each.cell_type == "code" and "print" not in each.source:
            with contextlib.suppress(NotImplementedError):
                exec(each.source, names)
    return names


SAVED = {"as it was": lambda notebook: notebook, "bare": bare}


@pytest.mark.parametrize("saved", SAVED.values(), ids=SAVED)
class TestEitherWay:
    """Whether the platform keeps the names of the cells, or throws them away."""

    def test_all_answers_are_found(self, released, saved):
        done = restored(released, saved(full(released)))
        assert done.notebook == full(released)
        assert done.remarks == ()

    def test_what_is_blank_stays_as_it_was_given_out(self, released, saved):
        done = restored(released, saved(released))
        assert done.notebook == released
        assert done.remarks == ()
        assert not waits(done, "words-answer")

    @pytest.mark.parametrize("site", ["https://example.org/", ""])
    def test_how_a_copy_gets_the_package_is_nobody_s_answer(self, released, saved, site):
        other = served.install_cell(site, "a.html", {"file_name": "a.whl", "sha256": "0" * 64})
        released.cells[1:1] = [cell(new_code_cell, served.PROBLEM_SET, served.CELL, locked=True)]
        work = full(released)
        find(work, served.CELL).source = other
        done = restored(released, saved(work))
        assert done.notebook == full(released)
        assert done.remarks == ()
        # What is written below it is one.
        find(work, served.CELL).source = f"{other}\n\n{SOFTMAX}"
        find(work, "softmax-answer").source = STUB
        assert SOFTMAX in find(restored(released, saved(work)).notebook, "softmax-answer").source

    def test_spaces_at_line_ends_are_no_answer(self, released, saved):
        work = copy.deepcopy(released)
        for each in work.cells:
            each.source = "".join(f"{line}  \r\n" for line in each.source.split("\n"))
        assert restored(released, saved(work)).notebook == released

    def test_an_emptied_place_is_blank(self, released, saved):
        work = full(released)
        find(work, "words-answer").source = " \n"
        done = restored(released, saved(work))
        assert find(done.notebook, "words-answer").source == BLANK
        assert find(done.notebook, "sums-answer").source == OTHER
        assert not waits(done, "words-answer")

    @pytest.mark.parametrize("new", [new_markdown_cell, new_code_cell])
    @pytest.mark.parametrize("offset", [0, 1])
    @pytest.mark.parametrize("name", ["words-answer", "sums-answer"])
    def test_words_in_a_new_cell_beside_the_blank_place(self, released, saved, new, offset, name):
        work = copy.deepcopy(released)
        work.cells.insert(at(work, name) + offset, new(WORDS))
        done = restored(released, saved(work))
        assert find(done.notebook, name).source == WORDS
        assert waits(done, name)
        assert [remark[0] for remark in done.remarks] == [name]
        assert len(done.notebook.cells) == len(released.cells)

    @pytest.mark.parametrize("name", ["words-answer", "sums-answer"])
    def test_words_in_place_of_a_deleted_cell(self, released, saved, name):
        work = copy.deepcopy(released)
        work.cells[at(work, name)] = new_markdown_cell(WORDS)
        done = restored(released, saved(work))
        assert find(done.notebook, name).source == WORDS
        others = {"words-answer", "sums-answer"} - {name}
        assert all(find(done.notebook, other).source == BLANK for other in others)

    def test_words_in_two_new_cells(self, released, saved):
        work = copy.deepcopy(released)
        where = at(work, "words-answer")
        work.cells[where + 1 : where + 1] = [new_markdown_cell("First."), new_markdown_cell("Then.")]
        assert find(restored(released, saved(work)).notebook, "words-answer").source == "First.\n\nThen."

    def test_words_typed_into_the_question(self, released, saved):
        work = copy.deepcopy(released)
        find(work, "words").source += f"\n\n{WORDS}"
        done = restored(released, saved(work))
        assert find(done.notebook, "words-answer").source == WORDS
        assert find(done.notebook, "words").source == find(released, "words").source

    def test_words_far_away_are_left_to_a_person(self, released, saved):
        work = copy.deepcopy(released)
        work.cells.append(new_markdown_cell(WORDS))
        done = restored(released, saved(work))
        for name in ("words-answer", "sums-answer"):
            assert find(done.notebook, name).source == ELSEWHERE
            assert waits(done, name)
        assert done.notebook.cells[-1].source == WORDS

    def test_words_typed_into_the_last_cell_are_left_to_a_person(self, released, saved):
        work = copy.deepcopy(released)
        find(work, "close").source += f"\n\n{WORDS}"
        done = restored(released, saved(work))
        assert waits(done, "sums-answer")
        assert find(done.notebook, "close").source == find(released, "close").source

    def test_a_name_at_the_top_does_not_make_a_blank_answer_wait(self, released, saved):
        work = copy.deepcopy(released)
        work.cells.insert(0, new_markdown_cell("Ada Example"))
        done = restored(released, saved(work))
        assert not waits(done, "words-answer")
        assert done.notebook.cells[0].source == "Ada Example"

    @pytest.mark.parametrize("place", ["softmax-answer", "softmax-check", "softmax-test", "words", "close"])
    def test_code_in_a_new_cell(self, released, saved, place):
        work = copy.deepcopy(released)
        work.cells.insert(at(work, place) + 1, new_code_cell(SOFTMAX))
        done = restored(released, saved(work))
        assert find(done.notebook, "softmax-answer").source == SOFTMAX
        assert [remark[0] for remark in done.remarks] == ["softmax-answer"]

    def test_code_with_a_helper_in_another_new_cell(self, released, saved):
        work = copy.deepcopy(released)
        where = at(work, "softmax-answer")
        helper = "def shares(e):\n    return e / 4"
        work.cells[where : where + 1] = [new_code_cell(helper), new_code_cell("def softmax(z):\n    return shares(z)")]
        assert runs(restored(released, saved(work)))["softmax"](4) == 1

    def test_code_with_mistakes_in_a_new_cell(self, released, saved):
        work = copy.deepcopy(released)
        work.cells.insert(at(work, "softmax-test") + 1, new_code_cell("def softmax(z)\n    return z"))
        assert find(restored(released, saved(work)).notebook, "softmax-answer").source.startswith("def softmax(z)\n")

    @pytest.mark.parametrize("text", [SOFTMAX, f"```python\n{SOFTMAX}\n```", f"My answer:\n\n```\n{SOFTMAX}\n```\n"])
    def test_code_in_a_text(self, released, saved, text):
        work = full(released)
        work.cells[at(work, "softmax-answer")] = new_markdown_cell(text)
        done = restored(released, saved(work))
        assert find(done.notebook, "softmax-answer").source == SOFTMAX
        assert find(done.notebook, "softmax-answer").cell_type == "code"

    def test_fences_in_a_docstring_stay(self, released, saved):
        source = 'def softmax(z):\n    """Shares.\n\n    ```\n    softmax(z)\n    ```\n    """\n    return z'
        work = full(released)
        find(work, "softmax-answer").source = source
        assert find(restored(released, saved(work)).notebook, "softmax-answer").source == source

    def test_code_typed_into_the_test(self, released, saved):
        work = copy.deepcopy(released)
        find(work, "softmax-test").source = SOFTMAX
        done = restored(released, saved(work))
        assert find(done.notebook, "softmax-answer").source == SOFTMAX
        assert find(done.notebook, "softmax-test").source == find(released, "softmax-test").source

    def test_a_value_in_a_new_cell(self, released, saved):
        work = copy.deepcopy(released)
        work.cells.insert(at(work, "share-test") + 1, new_code_cell("share = 0.25"))
        assert find(restored(released, saved(work)).notebook, "share-answer").source == "share = 0.25"

    @pytest.mark.parametrize(
        "extra", [new_code_cell("def my_softmax(z):\n    return z"), new_markdown_cell("It is z.")]
    )
    def test_what_is_no_answer_beside_a_blank_place_is_remarked(self, released, saved, extra):
        work = copy.deepcopy(released)
        work.cells.insert(at(work, "softmax-answer") + 1, extra)
        done = restored(released, saved(work))
        assert ("softmax-answer", "is blank, and something else was added beside it") in done.remarks
        assert find(done.notebook, "softmax-answer").source == STUB
        assert extra.source in [each.source for each in done.notebook.cells]

    def test_a_second_version_below_the_test(self, released, saved):
        """The place has a start that stops; the whole answer stands below the test."""
        work = full(released)
        find(work, "softmax-answer").source = STUB.replace("YOUR CODE HERE", "see below")
        work.cells.insert(at(work, "softmax-test") + 1, new_code_cell("softmax = lambda z: 7"))
        assert runs(restored(released, saved(work)))["softmax"](1) == 7

    def test_a_cell_is_moved(self, released, saved):
        work = full(released)
        work.cells.append(work.cells.pop(at(work, "softmax-answer")))
        done = restored(released, saved(work))
        assert find(done.notebook, "softmax-answer").source == SOFTMAX

    def test_a_helper_stays_in_front_of_its_answer(self, released, saved):
        work = full(released)
        work.cells.insert(at(work, "softmax-answer"), new_code_cell("def helper():\n    return 1"))
        done = restored(released, saved(work))
        sources = [each.source for each in done.notebook.cells]
        assert sources.index("def helper():\n    return 1") == sources.index(SOFTMAX) - 1

    def test_an_old_version_runs_before_the_one_that_counts(self, released, saved):
        work = full(released)
        work.cells.insert(at(work, "softmax-answer"), copy.deepcopy(find(work, "softmax-answer")))
        work.cells[at(work, "softmax-answer")].source = "def softmax(z):\n    return 'old'\nold = True"
        names = runs(restored(released, saved(work)))
        assert names["softmax"](0.0) == 1


def split(notebook, name, parts):
    """Split a cell as JupyterLab does: each part has the metadata, and the later ones a new id."""
    where = at(notebook, name)
    whole = notebook.cells[where]
    pieces = [copy.deepcopy(whole) for _ in parts]
    for number, (piece, text) in enumerate(zip(pieces, parts, strict=True)):
        piece.source = text
        piece.id = whole.id if not number else f"part-{number}"
    notebook.cells[where : where + 1] = pieces
    return notebook


def test_a_function_that_was_split(released):
    work = split(full(released), "softmax-answer", ["def softmax(z):", "    return 3"])
    assert runs(restored(released, work))["softmax"](0) == 3


def test_helper_and_function_that_were_split(released):
    work = split(
        full(released), "softmax-answer", ["def half(z):\n    return z / 2", "def softmax(z):\n    return half(z)"]
    )
    assert runs(restored(released, work))["softmax"](4) == 2


def test_function_and_helper_that_were_split(released):
    work = split(
        full(released), "softmax-answer", ["def softmax(z):\n    return half(z)", "def half(z):\n    return z / 2"]
    )
    assert runs(restored(released, work))["softmax"](4) == 2


def test_words_that_were_split(released):
    done = restored(released, split(full(released), "words-answer", ["One half.", "The other."]))
    assert find(done.notebook, "words-answer").source == "One half.\n\nThe other."
    assert len(done.notebook.cells) == len(released.cells)


def test_a_copy_that_was_not_touched_does_not_count(released):
    work = full(released)
    work.cells.insert(at(work, "softmax-answer") + 1, copy.deepcopy(find(released, "softmax-answer")))
    assert restored(released, work).notebook == full(released)


def test_pictures_of_two_cells_keep_apart(released):
    work = copy.deepcopy(released)
    pictures = [
        new_markdown_cell("![](attachment:image.png)", attachments={"image.png": {"image/png": data}}) for data in "ab"
    ]
    where = at(work, "words-answer")
    work.cells[where + 1 : where + 1] = pictures
    answer = find(restored(released, work).notebook, "words-answer")
    assert {bundle["image/png"] for bundle in answer.attachments.values()} == {"a", "b"}
    assert all(f"attachment:{name}" in answer.source for name in answer.attachments)


def test_a_picture_of_an_added_cell_stays(released):
    work = full(released)
    pictures = {"image.png": {"image/png": "QUJD"}}
    work.cells.append(new_markdown_cell("![](attachment:image.png)", attachments=pictures))
    assert restored(released, work).notebook.cells[-1].attachments == pictures


class TestNothingIsBelieved:
    def test_a_test_cannot_be_shadowed(self, released):
        work = full(released)
        for each in work.cells:
            each.id, each.metadata.nbgrader.grade_id = "softmax-test", "softmax-test"
            each.metadata.nbgrader |= {"points": 100, "grade": True, "locked": False}
        done = restored(released, work)
        assert find(done.notebook, "softmax-test") == find(released, "softmax-test")
        assert [label(each) for each in done.notebook.cells] == [label(each) for each in released.cells]

    def test_an_answer_with_the_name_of_a_test_is_kept(self, released):
        work = full(released)
        find(work, "words-answer").metadata.nbgrader.grade_id = "softmax-test"
        assert find(restored(released, work).notebook, "words-answer").source == WORDS

    def test_an_answer_cannot_take_the_place_of_two(self, released):
        work = full(released)
        find(work, "words-answer").metadata.nbgrader.grade_id = "sums-answer"
        done = restored(released, work)
        assert find(done.notebook, "words-answer").source == BLANK
        assert WORDS in find(done.notebook, "sums-answer").source

    def test_locked_cells_are_the_released_ones(self, released):
        work = full(released)
        for each in work.cells:
            if each.metadata.nbgrader.locked:
                each.source = f"pass # {each.id}"
        done = restored(released, work)
        assert done.notebook == full(released)
        assert {"imports", "softmax-test"} <= {name for name, _ in done.remarks}

    def test_an_added_cell_has_nothing_but_its_text(self, released):
        work = full(released)
        extra = new_code_cell(
            "extra = 1", id="softmax-extra", metadata={"nbgrader": {"grade_id": "new", "grade": True}}
        )
        work.cells.insert(4, extra)
        added = [each for each in restored(released, work).notebook.cells if each.source == "extra = 1"]
        assert [(each.metadata, each.outputs) for each in added] == [({}, [])]

    def test_remarks_hold_no_word_of_the_learner(self, released):
        work = copy.deepcopy(released)
        work.cells += [
            new_markdown_cell("<script>evil</script> and more words than six of them"),
            new_code_cell(SOFTMAX),
        ]
        done = restored(released, work)
        assert done.remarks
        assert all("script" not in sentence and "np.exp" not in sentence for _, sentence in done.remarks)

    @pytest.mark.parametrize(
        "text", ["\n" * 10**6, "x" * 10**6, "(" * 10**5, "```\n" * 10**5, "a?\n" * 10**5, "-" * 10**5 + "1"]
    )
    def test_no_text_takes_long(self, released, text):
        work = copy.deepcopy(released)
        work.cells += [new_code_cell(text), new_code_cell(f"softmax = 1\n{text}"), new_markdown_cell(text)]
        assert restored(released, bare(work)).notebook.cells[: len(released.cells) - 1] is not None

    def test_many_cells_do_not_take_long(self, released):
        work = copy.deepcopy(released)
        work.cells = [copy.deepcopy(find(released, "words-answer")) for _ in range(reading.CELLS)]
        frame = [each for each in restored(released, bare(work)).notebook.cells if not each.id.startswith("added-")]
        assert frame == released.cells


@given(st.randoms(use_true_random=False), st.booleans())
def test_whatever_is_done_to_a_notebook_the_frame_stays(chance, without_names):
    released = copy.deepcopy(problem_set())
    work = full(released)
    for _ in range(chance.randrange(8)):
        where = chance.randrange(len(work.cells))
        change = chance.randrange(6)
        if change == 0:
            work.cells.append(work.cells.pop(where))
        elif change == 1:
            work.cells.insert(chance.randrange(len(work.cells)), copy.deepcopy(work.cells[where]))
        elif change == 2 and len(work.cells) > 1:
            del work.cells[where]
        elif change == 3:
            work.cells[where].source = chance.choice(["", "x = 1", "Some words.", SOFTMAX, BLANK])
        elif change == 4:
            work.cells.insert(
                where, chance.choice([new_code_cell, new_markdown_cell])(chance.choice([SOFTMAX, WORDS, ""]))
            )
        else:
            other = chance.choice(work.cells)
            work.cells[where].metadata, work.cells[where].id = copy.deepcopy(other.metadata), other.get("id", "none")
    done = restored(released, bare(work) if without_names else work)
    nbformat.validate(done.notebook)
    frame = [each for each in done.notebook.cells if not each.id.startswith("added-")]
    assert [each.id for each in frame] == [each.id for each in released.cells]
    for given_out, now in zip(released.cells, frame, strict=True):
        assert now.metadata == given_out.metadata
        assert now.cell_type == given_out.cell_type
        assert given_out.metadata.nbgrader.solution or now == given_out
    # No text that was added is lost, and none is left below an answer that counts as blank.
    kept = "\n".join(each.source for each in done.notebook.cells)
    own = [each.source for each in work.cells if label(each) in ("", "words-answer") and each.source != BLANK]
    assert all(text in kept for text in own)
    given_out = {each.source for each in released.cells} | {""}
    for where, each in enumerate(done.notebook.cells):
        if label(each) in ("words-answer", "sums-answer") and each.source == BLANK:
            below = [one for one in done.notebook.cells[where:] if one.id.startswith("added-")]
            assert all(one.cell_type == "code" or one.source in given_out for one in below)


def test_the_release_and_the_submission_stay_as_they_are(released):
    work = full(released)
    before = copy.deepcopy((released, work))
    restored(released, work)
    assert (released, work) == before


def test_added_cells_stay_where_they_were():
    released = new_notebook(cells=[new_code_cell("a", id="a"), new_code_cell("b", id="b")])
    own = [new_code_cell(text) for text in ("first", "second", "last")]
    submitted = new_notebook(cells=[own[0], released.cells[0], own[1], released.cells[1], own[2]])
    cells = restored(released, submitted).notebook.cells
    assert [cell.source for cell in cells] == ["first", "a", "second", "b", "last"]
    assert len({cell.id for cell in cells}) == 5


def test_commands_of_ipython_do_not_stop_a_cell():
    assert plain_python("%matplotlib inline\nx = 1") == "pass\nx = 1"
    assert plain_python("for i in [1]:\n    !ls\n") == "for i in [1]:\n    pass\n"
    assert plain_python("x = 7 % 3") == "x = 7 % 3"
    assert plain_python("x?\ny = 2") == "pass\ny = 2"


def test_definitions_are_what_other_cells_build_on():
    assert definitions("import math\nprint(math.pi)\nx = 1\nfor i in range(9): pass") == "import math\nx = 1"


def test_of_many_candidates_for_an_answer_few_are_parsed(monkeypatch):
    """Else a notebook of a thousand long cells would take minutes for each place, with no limit on its time."""
    released = classroom.problem_set()
    submitted = copy.deepcopy(released)
    for name in classroom.TASKS:
        classroom.find(submitted, f"{name}-answer").source = ""
    wrong = "def softmax(z):\n    pass\n" + "#" * (cells.PARSED // 9)  # a comment is soon parsed
    submitted.cells += [new_code_cell(f"{wrong}\ny = = {number}") for number in range(40)]
    parsed, parse = [], ast.parse

    def counted(source, *args):
        parsed.append(len(source))
        return parse(source, *args)

    monkeypatch.setattr(cells.ast, "parse", counted)
    cells.restored(released, submitted)
    assert 0 < sum(parsed) <= 4 * cells.PARSED
