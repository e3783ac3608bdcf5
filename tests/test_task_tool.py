"""The command that puts a task into a problem set. That the set is whole afterwards is in test_recipes.py."""

import re
import shutil

import pytest

from tools import task

LAYER = "class Dropout:\n    ### BEGIN SOLUTION\n    pass\n    ### END SOLUTION\n"
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


@pytest.mark.parametrize(
    ("name", "file", "said"),
    [
        ("99_nothing", "answer.py", "99_nothing: is no problem set, expected one of 01_softmax, 02_cross_entropy, "),
        ("01_softmax", "anser.py", ".*anser.py: cannot be read: No such file"),
        ("01_softmax", "answer.py", "01_softmax: has softmax already$"),
    ],
)
def test_what_is_not_there_or_there_already_is_named_and_nothing_changes(tmp_path, name, file, said):
    before = read_sets()
    (tmp_path / "answer.py").write_text(SOLVED, "utf-8")
    with pytest.raises(SystemExit, match=f"^{said}"):
        task.main([name, str(tmp_path / file), "--title", "T", "--minutes", "1"])
    assert read_sets() == before


def read_sets():
    folders = (task.ROOT / "exercises" / "source", task.ROOT / "book" / "exercises")
    return {path: path.read_bytes() for folder in folders for path in folder.rglob("0*_*.*")}


def test_a_task_that_was_put_in_is_not_put_in_again(tmp_path, monkeypatch, capsys):
    for name in ("exercises/source/01_softmax", "book/exercises"):
        shutil.copytree(task.ROOT / name, tmp_path / name)
    monkeypatch.setattr(task, "ROOT", tmp_path)
    (tmp_path / "answer.py").write_bytes(LAYER.encode().replace(b"\n", b"\r\n"))
    words = ["01_softmax", str(tmp_path / "answer.py"), "--title", "T", "--minutes", "1"]
    task.main(words)
    changed = ["exercises/source/01_softmax/01_softmax.ipynb", "book/exercises/01_softmax.md"]
    assert capsys.readouterr().out == f"01_softmax has dropout_layer now, in {' and '.join(changed)}\n"
    texts = [(tmp_path / name).read_text("utf-8") for name in changed]
    assert all(re.search(r"\| \d+\. T \|.* 1 \| 0 \|", text) for text in texts)
    assert r'"class Dropout:\n",' in texts[0]
    with pytest.raises(SystemExit, match="^01_softmax: has dropout_layer already$"):
        task.main(words)
    assert [(tmp_path / name).read_text("utf-8") for name in changed] == texts


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
    once = table.replace("2** |\n", f"2** |\n| 2. B | 5 | 0 |\n\n{task.IN_SET}\n")
    assert task.with_row(table, "| 2. B | 5 | 0 |", task.IN_SET) == once
    twice = once.replace("0 |\n", "0 |\n| 3. C | 5 | 0 |\n")
    assert task.with_row(once, "| 3. C | 5 | 0 |", task.IN_SET) == twice


def test_a_set_says_of_its_tasks_without_points_what_the_others_say():
    texts = [path.read_text("utf-8") for path in read_sets()]
    said = [(task.IN_SET in text, task.ON_PAGE in text) for text in texts if task.EXTRA in text]
    assert set(said) == {(True, False), (False, True)}
