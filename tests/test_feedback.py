"""The page that a student gets back says what every part is worth, whatever a set is built like."""

import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from lossprimer.grading.feedback import FeedbackExporter, Grade
from tests.classroom import problem_set


def page(notebook, grades, **names):
    exporter = FeedbackExporter(site_url=names.pop("site", ""))
    names = {"assignment": "small", "notebook": "small", "student": "ada", "grades": grades, "comments": {}, **names}
    markup, _ = exporter.from_notebook_node(notebook, resources={"nbgrader": names})
    return BeautifulSoup(markup, "html.parser")


def rows(soup):
    return [
        [" ".join(cell.get_text().split()) for cell in row.find_all(["th", "td"])] for row in soup.select("tbody tr")
    ]


def total(soup):
    return " ".join(soup.select_one(".total").get_text().split())


GRADES = {
    "softmax-test": Grade(2, 2, False),
    "inverted_dropout-test": Grade(0, 3, False),
    "Dropout-test": Grade(2.5, 5, False),
    "words": Grade(0, 4, True),
}


def test_a_set_without_headings_is_told_apart_by_the_names_of_its_cells():
    soup = page(problem_set(), GRADES)
    assert soup.h1.get_text() == "small"
    assert rows(soup) == [
        ["softmax-test", "2 of 2"],
        ["inverted_dropout-test", "0 of 3"],
        ["Dropout-test", "2.5 of 5"],
        ["words", "4 wait for a person"],
    ]
    assert total(soup) == "4.5 of 10 points so far; 4 more wait for a person who reads."
    for row in soup.select("tbody tr"):
        assert soup.find(id=row.a["href"].removeprefix("#")).get_text() == row.a.get_text()


@pytest.mark.parametrize(
    ("grades", "said"),
    [
        ({"softmax-test": Grade(2, 2, False)}, "2 of 2 points."),
        ({"words": Grade(0, 1, True)}, "1 waits for a person who reads."),
        (
            {"words": Grade(3, 4, False), "Dropout-test": Grade(0, 1, True)},
            "3 of 4 points so far; 1 more waits for a person",
        ),
    ],
)
def test_the_total_says_what_is_known(grades, said):
    assert total(page(problem_set(), grades)).startswith(said)


def test_a_late_submission_says_what_it_costs():
    soup = page(problem_set(), GRADES | {"words": Grade(4, 4, False)}, penalty=1.5)
    assert rows(soup)[-1] == ["Handed in late", "−1.5"]
    assert total(soup) == "7 of 14 points."


def test_two_grades_under_one_heading_are_one_task():
    # What waits may have points from the time before.
    soup = page(two_grades(), {"a": Grade(1, 2, False), "b": Grade(2, 3, True)})
    assert rows(soup) == [["Both of x", "1 of 2; 3 more wait for a person"]]


def two_grades():
    cells = [new_markdown_cell("# A set"), new_markdown_cell("## Both of $x$\n\nDo [it](https://example.org).")]
    cells += [new_code_cell("1", outputs=[new_output("error", ename="E", evalue="<b>", traceback=["E: <b>"])])]
    cells += [new_markdown_cell("words")]
    for cell, name in zip(cells, ("top", "task", "a", "b"), strict=True):
        roles = {"grade": name in "ab", "solution": name == "b", "locked": name != "b", "task": False}
        cell.metadata.nbgrader = {**roles, "grade_id": name, "schema_version": 3, "points": 2}
    return new_notebook(cells=cells)


def test_what_a_student_added_is_shown_and_not_taken_for_a_task():
    notebook = two_grades()
    notebook.cells.insert(2, new_markdown_cell("## My own heading (20 points)"))
    soup = page(notebook, {"a": Grade(1, 2, False), "b": Grade(0, 3, True)})
    assert [heading.get_text() for heading in soup.select("h1, h2")] == ["A set", "Both of x"]
    assert "My own heading (20 points)" in soup.section.get_text()


def test_a_hidden_test_is_not_shown():
    notebook = two_grades()
    notebook.cells[2].source = "assert f(1)\n### BEGIN HIDDEN TESTS\nassert f(2)\n### END HIDDEN TESTS"
    text = page(notebook, {"a": Grade(0, 2, False)}).get_text()
    assert "assert f(1)" in text
    assert "f(2)" not in text


def test_the_text_of_an_error_is_text():
    soup = page(two_grades(), {"a": Grade(0, 2, False)})
    assert soup.select_one(".report pre").get_text() == "E: <b>"


def test_the_page_carries_a_policy_and_needs_nothing_else():
    soup = page(two_grades(), {})
    head = [tag for tag in soup.head.find_all(True) if tag.name != "title"]
    assert head[1]["http-equiv"] == "Content-Security-Policy"
    assert head[1]["content"].startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'")
    assert {tag.name for tag in head} == {"meta", "style"}
    assert "url(" not in soup.style.get_text()
