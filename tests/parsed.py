"""The pages of the built site, parsed once for all tests of a process, which leave them as they are."""

from functools import cache
from pathlib import Path

from bs4 import BeautifulSoup

from conftest import SITE


@cache
def read(path: str | Path) -> BeautifulSoup:
    """Return a page of the site, or of another one by its full path."""
    return BeautifulSoup((SITE / path).read_text("utf-8"), "html.parser")


@cache
def ids(path: str | Path) -> frozenset[str]:
    """Return the ids that stand on a page."""
    return frozenset(tag["id"] for tag in read(path).find_all(id=True))
