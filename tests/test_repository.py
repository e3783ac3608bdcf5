"""The files around the course say what is true: the README's example and picture, versions, the make verbs."""

import doctest
import re
import tomllib
from pathlib import Path

import lossprimer
from tools.readme_picture import PATH, readme_picture

ROOT = Path(__file__).parent.parent


def read(name):
    return (ROOT / name).read_text("utf-8")


def test_the_examples_of_the_readme_run():
    examples = "\n".join(re.findall(r"```python\n(.*?)```", read("README.md"), re.DOTALL))
    test = doctest.DocTestParser().get_doctest(examples, {}, "README.md", None, 0)
    result = doctest.DocTestRunner().run(test)
    assert result.attempted
    assert not result.failed


def test_the_picture_of_the_readme_is_what_the_package_draws():
    assert PATH.read_text("utf-8") == readme_picture()
    assert f"({PATH.relative_to(ROOT).as_posix()})" in read("README.md")


def test_every_file_that_the_readme_links_to_exists():
    links = re.findall(r"\]\((?!https?://)([^)#]+)\)", read("README.md"))
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_verb_that_the_documents_name_is_in_the_makefile():
    verbs = set(re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE))
    for name in ("README.md", "CONTRIBUTING.md", "book/intro.md"):
        assert set(re.findall(r"\bmake ([a-z]+)\b(?=[`\s]*(?:`|#|$))", read(name), re.MULTILINE)) <= verbs


def test_one_version_everywhere():
    assert f"version: {lossprimer.__version__}\n" in read("CITATION.cff")


def test_requirements_pin_exactly_and_cover_what_pyproject_asks_for():
    project = tomllib.loads(read("pyproject.toml"))
    wanted = project["project"]["dependencies"] + sum(project["dependency-groups"].values(), [])
    *pins, last = [line for line in read("requirements.txt").splitlines() if not line.startswith("#")]
    assert last == "-e ."
    assert all(re.match(r"^[a-z0-9._-]+==[^\s;]+( ; .+)?$", pin) for pin in pins)
    pinned = {pin.split("==")[0] for pin in pins}
    assert {re.match(r"[A-Za-z0-9._-]+", name)[0].lower().replace("_", "-") for name in wanted} <= pinned


def test_continuous_integration_runs_the_command_of_the_readme():
    assert read(".ci/run").splitlines()[-1] == "make test"
    assert "make test" in read("README.md")
