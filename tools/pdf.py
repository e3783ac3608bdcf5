"""Print the course: the built pages become one document, and the browser prints it.

Run as a command (``python -m tools.pdf``) it writes _build/primer.pdf. Links between pages lead to places in the
document; those to pages that only the site has lead to the site, where its address is known.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit

from bs4 import BeautifulSoup, Tag
from sphinx_external_toc.parsing import parse_toc_yaml

from theme.address import site_address
from tools.browser import MISSING, find_browser, launched
from tools.server import SITE

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "_build" / "primer.pdf"
# These speak of the site.
SITE_ONLY = {"book/accessibility", "book/publishing"}
STYLES = "primer.css", "explorer.css", "prediction.css"
NOT_PRINTED = "script, noscript, .needs-script, .headerlink, .neighbours, .explorer-announcement"
MARGINS = dict.fromkeys(("top", "bottom", "left", "right"), "18mm")
RUNNING = '<p style="font: 8px sans-serif; width: 100%; text-align: center; color: #555">{}</p>'


def contents(path: Path) -> list[str]:
    """Return the names of the pages to print, in the order of the book."""
    names = [str(PurePosixPath(name).with_suffix("")) for name in parse_toc_yaml(path)]
    return [name for name in names if name not in SITE_ONLY]


def chapter(name: str, soup: BeautifulSoup, names: list[str], address: str) -> Tag:
    """Return a page's text with ids and links that hold in a document of all pages `names`."""
    text = soup.main
    for element in text.select(NOT_PRINTED):
        element.decompose()
    for details in text.select("details"):
        details["open"] = ""
    # Two pages may have the same picture.
    drawn = [element for picture in text.find_all("svg") for element in (picture, *picture.find_all(True))]
    within = {element["id"] for element in drawn if element.has_attr("id")}
    for element in drawn:
        for attribute, value in element.attrs.items():
            if isinstance(value, str) and "#" in value:
                element[attribute] = re.sub(
                    r"#([\w-]+)", lambda own: f"#{_place(name, own[1])}" if own[1] in within else own[0], value
                )
    for element in text.find_all(id=True):
        element["id"] = _place(name, element["id"])
    for attribute in ("aria-labelledby", "for"):
        for element in text.find_all(**{attribute: True}):
            element[attribute] = _place(name, element[attribute])
    for link in text.find_all("a", href=True):
        target = _target(name, link["href"], names, address)
        if target:
            link["href"] = target
        else:
            del link["href"]
    text.name, text.attrs = "article", {"id": _place(name)}
    return text


def _place(name: str, anchor: str = "") -> str:
    """Return the id that stands for a place of the page `name` in the document."""
    return f"{name}.{anchor}".replace("/", ".") if anchor else name.replace("/", ".")


def _target(name: str, href: str, names: list[str], address: str) -> str:
    """Return where a link of the page `name` leads to from the document, or "" if that cannot be said."""
    parts = urlsplit(href)
    if parts.scheme or parts.netloc:
        return href
    path = normpath(PurePosixPath(name).parent / unquote(parts.path)) if parts.path else f"{name}.html"
    page = path.removesuffix(".html")
    if page in names:
        return "#" + _place(page, unquote(parts.fragment))
    return urljoin(address, path) + (f"#{parts.fragment}" if parts.fragment else "") if address else ""


def document(site: Path, names: list[str], address: str = "") -> str:
    """Return all pages `names` of a built site as one page, with a list of what is in it."""
    soups = [BeautifulSoup((site / f"{name}.html").read_text("utf-8"), "html.parser") for name in names]
    title = soups[0].title.decode_contents().rpartition(" – ")[2].strip()
    styles = "".join(f'<link rel="stylesheet" href="{(site / "_static" / name).as_uri()}">' for name in STYLES)
    chapters = [chapter(name, soup, names, address) for name, soup in zip(names, soups, strict=True)]
    entries = "".join(_entry(text) for text in chapters)
    return (
        f'<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8"><title>{title}</title>{styles}'
        f'</head><body class="paper"><main><nav aria-label="Contents"><p class="paper-title">{title}</p>'
        f"<ul>{entries}</ul></nav>{''.join(map(str, chapters))}</main></body></html>"
    )


def _entry(text: Tag) -> str:
    """Return a chapter's line in the contents, and those of its sections."""
    sections = "".join(
        f'<li><a href="#{heading.find_parent("section")["id"]}">{heading.decode_contents()}</a></li>'
        for heading in text.select("h2")
    )
    return f'<li><a href="#{text["id"]}">{text.h1.decode_contents()}</a><ul>{sections}</ul></li>'


def print_pdf(browser: Browser, page: Path, target: Path, title: str) -> None:
    """Print the file `page` to `target` on A4, with an outline and with tags for assistive technology."""
    opened = browser.new_page()
    opened.goto(page.as_uri())
    opened.evaluate("document.fonts.ready.then(() => null)")
    opened.pdf(
        path=target,
        format="A4",
        margin=MARGINS,
        display_header_footer=True,
        header_template=RUNNING.format(title),
        footer_template=RUNNING.format('<span class="pageNumber"></span> / <span class="totalPages"></span>'),
        print_background=True,
        outline=True,
        tagged=True,
    )
    opened.close()


def main() -> None:
    """Print the built site."""
    path = find_browser()
    if path is None:
        sys.exit(MISSING)
    page = SITE.parent / "primer.html"
    text = document(SITE, contents(ROOT / "_toc.yml"), site_address(os.environ))
    page.write_text(text, "utf-8")
    title = BeautifulSoup(text, "html.parser").title.decode_contents()
    with launched(path) as browser:
        print_pdf(browser, page, TARGET, title)
    print(TARGET.relative_to(ROOT))


if __name__ == "__main__":
    main()
