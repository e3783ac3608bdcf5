"""A release has one version and one date, and its page on an index leads where things are."""

import re
import shutil
import tarfile
import tomllib
import zipfile
from datetime import date
from email.parser import Parser
from pathlib import Path

import pytest

import lossprimer
from tools import release

ROOT = Path(__file__).parent.parent
SITE, REPOSITORY = "https://example.org/course/", "owner/name"
KNOWN = {"SITE_URL": SITE, "GITHUB_REPOSITORY": REPOSITORY}


@pytest.fixture
def copy(tmp_path):
    """Return a copy of the files that state the version or the date, with something to release."""
    for name in (*release.PLACES, "CHANGELOG.md", "README.md", "pyproject.toml", "LICENSE"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    changes = "# Changelog\n\n## Unreleased\n\n### Added\n\n- A thing.\n\n## 0.0.1, 2020-02-02\n\n- Another.\n"
    (tmp_path / "CHANGELOG.md").write_text(changes, "utf-8")
    return tmp_path


def test_the_files_state_one_version_and_one_date():
    found = release.stated()
    assert found["version"] == {lossprimer.__version__}
    assert len(found["date"]) == 1
    assert date.fromisoformat(*found["date"])


def test_the_number_and_the_date_of_a_release_are_written_everywhere(copy):
    release.number("1.2.0", date(2030, 1, 2), copy)
    assert release.stated(copy) == {"version": {"1.2.0"}, "date": {"2030-01-02"}}
    assert '__version__ = "1.2.0"\n' in (copy / "lossprimer/__init__.py").read_text("utf-8")
    release.check("v1.2.0", copy)
    assert release.notes(copy) == "### Added\n\n- A thing.\n"
    # What comes next has its place.
    assert "## Unreleased\n\n## 1.2.0, 2030-01-02\n\n### Added" in (copy / "CHANGELOG.md").read_text("utf-8")
    with pytest.raises(release.ReleaseError, match="nothing that is unreleased"):
        release.number("1.3.0", date(2030, 1, 3), copy)


@pytest.mark.parametrize("version", ["1.2", "v1.2.0", "1.2.0 ", "next"])
def test_what_is_no_version_is_refused(copy, version):
    with pytest.raises(release.ReleaseError, match="the version is"):
        release.number(version, date(2030, 1, 2), copy)
    assert lossprimer.__version__ in release.stated(copy)["version"]


def test_a_tag_of_another_version_is_refused(copy):
    release.number("1.2.0", date(2030, 1, 2), copy)
    with pytest.raises(release.ReleaseError, match="the tag is v1.2.1, expected v1.2.0"):
        release.check("v1.2.1", copy)


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("CITATION.cff", "version: 1.2.0", "version: 1.1.0", "more than one version: 1.1.0, 1.2.0"),
        ("CITATION.cff", "2030-01-02", "2030-01-05", "more than one date: 2030-01-02, 2030-01-05"),
        ("CHANGELOG.md", "## 1.2.0, 2030-01-02\n", "", "no heading for 1.2.0"),
    ],
)
def test_files_that_disagree_are_refused(copy, name, old, new, said):
    release.number("1.2.0", date(2030, 1, 2), copy)
    text = (copy / name).read_text("utf-8")
    assert old in text
    (copy / name).write_text(text.replace(old, new), "utf-8")
    with pytest.raises(release.ReleaseError, match=said):
        release.check("v1.2.0", copy)


@pytest.mark.parametrize(
    ("written", "site", "repository", "shown"),
    [
        ("[a](book/a.md#b)", SITE, REPOSITORY, f"[a]({SITE}book/a.html#b)"),
        ("[a](book/a.md)", "", REPOSITORY, "[a](https://github.com/owner/name/blob/v1/book/a.md)"),
        ("[`a`](LICENSE)", SITE, REPOSITORY, "[`a`](https://github.com/owner/name/blob/v1/LICENSE)"),
        ("[a](LICENSE)", SITE, "", "a"),
        ("![a](b.svg)", SITE, REPOSITORY, "![a](https://raw.githubusercontent.com/owner/name/v1/b.svg)"),
        ("x\n\n![a](b.svg)\n\ny", SITE, "", "x\n\ny"),
        ("[a](https://example.org)", "", "", "[a](https://example.org)"),
        ("[a](#b)", "", "", "[a](#b)"),
    ],
)
def test_a_link_of_the_readme_is_an_address_where_one_is_known(written, site, repository, shown):
    assert release.readme(written, site, repository, "v1") == shown


@pytest.mark.parametrize("variables", [KNOWN, {"SITE_URL": SITE}, {}], ids=["all", "site", "nothing"])
def test_the_page_on_an_index_has_no_link_that_leads_nowhere(copy, variables):
    # To pack all of the course takes most of the time, and its modules are the same each time.
    root = ROOT if variables == KNOWN else copy
    wheel, source = release.package(copy / "package", variables, root)
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("METADATA")]
        page = Parser().parsestr(archive.read(name).decode("utf-8"))
    assert [link for link in re.findall(r"\]\((.*?)\)", page.get_payload()) if not re.match("https://|#", link)] == []
    told = dict(entry.split(", ") for entry in page.get_all("Project-URL") or [])
    assert told == release.urls(variables.get("SITE_URL", ""), variables.get("GITHUB_REPOSITORY", ""))
    assert len(told) == {0: 0, 1: 2, 2: 5}[len(variables)]
    assert "softmax" in page["Keywords"]
    with tarfile.open(source) as archive:
        assert any(name.endswith("/CHANGELOG.md") for name in archive.getnames())


def test_every_python_that_is_supported_is_named_and_tested():
    named = re.findall(r'Python :: (3\.\d+)"', (ROOT / "pyproject.toml").read_text("utf-8"))
    tested = re.search(r"python: (\[.*\])", (ROOT / ".github/workflows/test.yml").read_text("utf-8"))[1]
    assert re.findall(r"3\.\d+", tested) == named
    oldest = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"]
    assert oldest == f">={named[0]}"
