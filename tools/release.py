"""Make a release: one version and one date everywhere, and the packages for an index.

    python -m tools.release number 0.2.0      write the version and today's date where they stand
    python -m tools.release check v0.2.0      fail unless this tag is the version that stands everywhere
    python -m tools.release package           write the wheel and the source archive: _build/package

An index shows the README: there its links lead to the site and to the repository, as far as the variables SITE_URL and
GITHUB_REPOSITORY tell where these are. A link to what has no known address is left out, and its words stay.
"""

import argparse
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import flit_core.buildapi

from theme.address import site_address

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "_build" / "package"
VERSION = re.compile(r"\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?")
# Where the version and the date stand, each pattern with them in its groups.
PLACES = {
    "lossprimer/__init__.py": (r'(?m)^__version__ = "(?P<version>[^"]+)"$',),
    "CITATION.cff": (r"(?m)^version: (?P<version>\S+)$", r"(?m)^date-released: (?P<date>\S+)$"),
}
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")


class ReleaseError(Exception):
    """Something keeps a release from being made; the message says what."""


def stated(root: Path = ROOT) -> dict[str, set[str]]:
    """Return every version and every date that the files state: one of each, if they agree."""
    found: dict[str, set[str]] = {"version": set(), "date": set()}
    for name, patterns in PLACES.items():
        for pattern in patterns:
            (match,) = re.finditer(pattern, (root / name).read_text("utf-8"))
            for key, value in match.groupdict().items():
                found[key].add(value)
    (version,) = found["version"] if len(found["version"]) == 1 else ("",)
    heading = re.search(rf"(?m)^## {re.escape(version)}, (\S+)$", (root / "CHANGELOG.md").read_text("utf-8"))
    if version and heading:
        found["date"].add(heading[1])
    return found


def number(version: str, today: date, root: Path = ROOT) -> None:
    """Write a version and its date where they stand, and name what is unreleased in the list of changes after them.

    Raises
    ------
    ReleaseError
        If `version` is not written as one, or the list of changes has nothing that is unreleased.
    """
    if not VERSION.fullmatch(version):
        raise ReleaseError(f"the version is {version!r}, expected numbers as in 1.2.0 or 1.2.0rc1")
    changes = (root / "CHANGELOG.md").read_text("utf-8")
    if not re.search(r"(?m)^## Unreleased\n\n[^#]*###", changes):
        raise ReleaseError("CHANGELOG.md has nothing that is unreleased")
    values = {"version": version, "date": today.isoformat()}
    for name, patterns in PLACES.items():
        text = (root / name).read_text("utf-8")
        for pattern in patterns:
            (match,) = re.finditer(pattern, text)
            for key in match.groupdict():
                text = text[: match.start(key)] + values[key] + text[match.end(key) :]
        (root / name).write_text(text, "utf-8", newline="\n")
    dated = changes.replace("## Unreleased\n", f"## Unreleased\n\n## {version}, {today.isoformat()}\n", 1)
    (root / "CHANGELOG.md").write_text(dated, "utf-8", newline="\n")


def check(tag: str, root: Path = ROOT) -> None:
    """Accept a tag of the one version that stands everywhere, with the date of the list of changes.

    Raises
    ------
    ReleaseError
        If files disagree, or the tag is of another version.
    """
    found = stated(root)
    for key, values in found.items():
        if len(values) != 1:
            raise ReleaseError(f"the files state more than one {key}: {', '.join(sorted(values))}")
    (version,) = found["version"]
    if tag != f"v{version}":
        raise ReleaseError(f"the tag is {tag}, expected v{version}")
    if f"\n## {version}, " not in (root / "CHANGELOG.md").read_text("utf-8"):
        raise ReleaseError(f"CHANGELOG.md has no heading for {version}: run python -m tools.release number {version}")


def notes(root: Path = ROOT) -> str:
    """Return what has changed in the version that the files state, as the list of changes has it."""
    (version,) = stated(root)["version"]
    _, _, after = (root / "CHANGELOG.md").read_text("utf-8").partition(f"\n## {version}, ")
    return re.split(r"(?m)^## ", after.partition("\n")[2])[0].strip() + "\n"


def readme(text: str, site: str, repository: str, tag: str) -> str:
    """Return the README for a page that is not beside the files: its links are addresses, or only words."""

    def absolute(match: re.Match) -> str:
        picture, words, target = match.groups()
        if re.match(r"[a-z]+:|#", target):
            return match[0]
        path, _, fragment = target.partition("#")
        if picture:
            address = repository and f"https://raw.githubusercontent.com/{repository}/{tag}/{path}"
        elif site and path.startswith("book/") and path.endswith(".md"):
            address = f"{site}{path.removesuffix('.md')}.html"
        else:
            address = repository and f"https://github.com/{repository}/blob/{tag}/{path}"
        if not address:
            return "" if picture else words
        return f"{picture}[{words}]({address}{f'#{fragment}' if fragment else ''})"

    return re.sub(r"\n{3,}", "\n\n", _LINK.sub(absolute, text))


def urls(site: str, repository: str) -> dict[str, str]:
    """Return the project's addresses, by the names that an index knows."""
    place = repository and f"https://github.com/{repository}"
    known = {
        "Homepage": site,
        "Documentation": f"{site}book/api.html" if site else "",
        "Source": place,
        "Issues": f"{place}/issues" if place else "",
        "Changelog": f"{place}/blob/main/CHANGELOG.md" if place else "",
    }
    return {name: address for name, address in known.items() if address}


def package(target: Path, variables: Mapping[str, str], root: Path = ROOT) -> list[Path]:
    """Write the wheel and the source archive into `target`, and return them.

    The files are made from a copy, whose README and addresses are those that an index shows.
    """
    site, repository = site_address(variables), variables.get("GITHUB_REPOSITORY", "")
    (version,) = stated(root)["version"]
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch)
        shutil.copytree(root / "lossprimer", copy / "lossprimer", ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("LICENSE", "CHANGELOG.md", "README.md", "pyproject.toml"):
            shutil.copy(root / name, copy)
        text = (copy / "README.md").read_text("utf-8")
        (copy / "README.md").write_text(readme(text, site, repository, f"v{version}"), "utf-8", newline="\n")
        lines = "".join(f'{name} = "{address}"\n' for name, address in urls(site, repository).items())
        if lines:
            with (copy / "pyproject.toml").open("a", encoding="utf-8", newline="\n") as project:
                project.write(f"\n[project.urls]\n{lines}")
        here = Path.cwd()
        os.chdir(copy)
        try:
            made = [flit_core.buildapi.build_wheel(str(target)), flit_core.buildapi.build_sdist(str(target))]
        finally:
            os.chdir(here)
    return [target / name for name in made]


def main(argv: list[str] | None = None) -> None:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("number").add_argument("version")
    commands.add_parser("check").add_argument("tag")
    commands.add_parser("notes")
    commands.add_parser("package")
    asked = parser.parse_args(argv)
    try:
        if asked.command == "number":
            number(asked.version, datetime.now(UTC).date())
        elif asked.command == "check":
            check(asked.tag)
        elif asked.command == "notes":
            print(notes(), end="")
        else:
            for path in package(TARGET, os.environ):
                print(path.relative_to(ROOT))
    except ReleaseError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
