"""Cases that run together fail as they would alone, and each is named."""

from functools import cache
from pathlib import Path

import pytest

from tests.cases import together
from tests.conftest import LONGEST

TESTS = """
import pytest

@pytest.fixture(scope="module")
def base():
    return 10

@pytest.fixture
def own():
    return []

@pytest.mark.parametrize("digit", [1, 2, 3, 4])
@pytest.mark.parametrize("word", ["a", "b"])
def test_shared(base, digit, word):
    assert (digit, word) != (2, "b")

class TestClass:
    @pytest.mark.parametrize("digit", range(9))
    def test_method(self, digit):
        assert digit < {bound}

@pytest.mark.parametrize("digit", [1, 2])
def test_own(own, digit):
    own.append(digit)
    assert own == [digit]

@pytest.mark.parametrize("digit", [1, pytest.param(2, marks=pytest.mark.xfail)])
def test_marked(digit):
    assert digit == 1

@pytest.mark.parametrize("digit", [1, 2, 3])
def test_skipped(digit):
    if digit != 2:
        pytest.skip("odd")
    assert {bound} > 1

def test_alone(base):
    assert base == 10
"""


class Plugin:
    """Puts cases together, and keeps what came of each test."""

    def __init__(self):
        self.found = {}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items):
        items[:] = together(items)

    def pytest_runtest_logreport(self, report):
        if report.when == "call":
            self.found[report.nodeid.partition("::")[2]] = report


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Run such tests in a folder of their own, once; returns the reports by the name of the test."""
    tmp_path = tmp_path_factory.mktemp("cases")

    @cache
    def run(bound, chosen=""):
        (tmp_path / f"test_{bound}.py").write_text(TESTS.replace("{bound}", str(bound)), "utf-8")
        (tmp_path / "pytest.ini").write_text("[pytest]\n", "utf-8")
        options = ["--quiet", "--disable-plugin-autoload", "--import-mode=importlib", "-p", "no:cacheprovider"]
        options += ["-p", "no:unraisableexception"]  # it looks for garbage at the end, of all tests that ran before
        plugin = Plugin()
        pytest.main(
            [*options, "--rootdir", str(tmp_path), f"{tmp_path / f'test_{bound}.py'}{chosen}"], plugins=[plugin]
        )
        return plugin.found

    return run


def test_one_test_runs_all_cases_that_share_their_fixtures_and_no_others(ran):
    found = ran(1)
    assert {name: report.outcome for name, report in found.items()} == {
        "test_shared": "failed",
        "TestClass::test_method": "failed",
        "test_own[1]": "passed",
        "test_own[2]": "passed",
        "test_marked[1]": "passed",
        "test_marked[2]": "skipped",
        "test_skipped": "failed",
        "test_alone": "passed",
    }


def test_every_case_that_fails_is_named_and_of_many_the_first_are_shown(ran):
    found = ran(1)
    assert "in the case [b-2]" in found["test_shared"].longreprtext
    assert "assert (2, 'b') != (2, 'b')" in found["test_shared"].longreprtext
    several = found["TestClass::test_method"].longreprtext
    assert "8 of 9 cases" in several
    assert [f"in the case [{digit}]" in several for digit in range(9)] == [False, *[True] * 5, *[False] * 3]


def test_a_case_that_is_skipped_hides_no_other(ran):
    assert "in the case [2]" in ran(1)["test_skipped"].longreprtext
    assert ran(2)["test_skipped"].outcome == "passed"


def test_a_case_that_is_asked_for_runs_alone(ran):
    found = ran(9, "::TestClass::test_method[3]")
    assert list(found) == ["TestClass::test_method[3]"]


def test_the_files_that_begin_first_are_there():
    assert {f"{name}.py" for name in LONGEST} <= {path.name for path in Path(__file__).parent.iterdir()}
