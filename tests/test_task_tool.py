"""The command that puts a task into a problem set. That the set is whole afterwards is in test_recipes.py."""

import pytest

from tools import task

SOLVED = "def softmax(z):\n    ### BEGIN SOLUTION\n    return z\n    ### END SOLUTION\n"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("x = 1", "defines neither a function nor a class"),
        ("def hardmax(z): pass", "defines hardmax, and no task of lossprimer.checks is called like that"),
    ],
)
def test_a_file_without_a_task_is_refused_by_name(tmp_path, code, said):
    (tmp_path / "answer.py").write_text(code, "utf-8")
    with pytest.raises(SystemExit, match=f"answer.py: {said}"):
        task.main(["01_softmax", str(tmp_path / "answer.py"), "--title", "T", "--minutes", "1"])


def test_a_set_that_is_not_there_is_refused(tmp_path):
    (tmp_path / "answer.py").write_text(SOLVED, "utf-8")
    with pytest.raises(SystemExit, match="cannot be read: No such file"):
        task.main(["99_nothing", str(tmp_path / "answer.py"), "--title", "T", "--minutes", "1"])


def test_a_class_is_found_by_its_name():
    assert task.task_of("class Dropout:\n    pass").__name__ == "dropout_layer"


def test_the_text_of_a_task_is_that_of_its_check():
    text, answer, check, test = task.cells(task.task_of(SOLVED), SOLVED, "8. Again")
    assert text.source.startswith(
        f"## 8. Again (0 points)\n\n{task.MORE}\n\nWrite `softmax(z)`: the probabilities of the scores `z`.\n\n"
    )
    assert "Parameters" not in text.source
    assert (answer.source, answer.metadata.nbgrader.solution) == (SOLVED.rstrip(), True)
    assert check.source == "checks.softmax(softmax)"
    assert test.metadata.nbgrader.points == 0


def test_a_row_comes_after_the_sum_which_does_not_count_it():
    table = "It takes about 20 minutes.\n\n| 1. A | 20 | 2 |\n| **Together** | **20** | **2** |\n\nMore.\n\n| x | y |\n"
    assert task.with_row(table, "| 2. B | 5 | 0 |") == table.replace("2** |\n", "2** |\n| 2. B | 5 | 0 |\n")
