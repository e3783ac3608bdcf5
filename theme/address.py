"""What does a site that knows its own address say about itself? Where each page belongs, and which pages there are.

The address comes from the variable SITE_URL, or from GITHUB_REPOSITORY for a site on GitHub Pages. Where neither is
set, nothing is guessed, and none of this is written.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from os import environ
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError

from theme.card import NAME, SIZE, card_words, draw_card

_NOT_FOUND = "404"


def site_address(variables: Mapping[str, str]) -> str:
    """Return where the site will stand, with a slash at its end, or "" where `variables` do not tell.

    Raises
    ------
    sphinx.errors.ConfigError
        If SITE_URL is not the address of a web page.
    """
    if address := variables.get("SITE_URL"):
        if not re.match(r"https?://\w", address):
            raise ConfigError(f"SITE_URL is {address!r}, expected an address that begins with https://")
        return address.rstrip("/") + "/"
    owner, _, name = variables.get("GITHUB_REPOSITORY", "").partition("/")
    if not name:
        return ""
    host = f"{owner}.github.io".lower()
    # An owner's own site stands at the root, all others below it.
    return f"https://{host}/" if name.lower() == host else f"https://{host}/{name}/"


def sitemap(addresses: Iterable[str]) -> str:
    """Return a sitemap of `addresses`."""
    entries = "".join(f"<url><loc>{escape(address)}</loc></url>\n" for address in addresses)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{entries}</urlset>\n'
    )


def robots(address: str) -> str:
    """Return the rules for crawlers: all may read everything. They look for them at the root of a host only."""
    rules = "User-agent: *\nAllow: /\n"
    return f"{rules}Sitemap: {urljoin(address, 'sitemap.xml')}\n" if address else rules


def from_root(page: str, root: str) -> str:
    """Return a page whose links begin at `root`, so that it works at whatever address it is shown."""
    return re.sub(r'\b(href|src|action|data-content_root)="(?![a-z]+:|[/#])(?:\./)?', rf'\1="{root}', page)


def _take_address(app: Sphinx, config: Config) -> None:
    config.html_baseurl = config.html_baseurl or site_address(environ)


def _hand_over(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    if app.config.html_baseurl:
        address = urljoin(app.config.html_baseurl, f"_static/{NAME}")
        words = card_words(app.config.html_title, app.config.card_picture)
        context["card"] = {"address": address, "size": SIZE, "words": words}


def _not_found_page(app: Sphinx) -> Iterator[tuple[str, dict, str]]:
    if app.config.html_baseurl:
        yield _NOT_FOUND, {"pageurl": None}, "404.html"


def _write_for_crawlers(app: Sphinx, exception: Exception | None) -> None:
    """Write what a host and its visitors ask for beside the pages."""
    if exception or app.builder.format != "html":
        return
    site, address = Path(app.outdir), app.config.html_baseurl
    (site / "robots.txt").write_text(robots(address), "utf-8")
    # Without it GitHub Pages, where it serves a branch, leaves out the folders whose names begin with an underscore.
    (site / ".nojekyll").touch()
    if address:
        draw_card(app.config.html_title, app.config.card_picture, site / "_static" / NAME)
        pages = (urljoin(address, app.builder.get_target_uri(name)) for name in sorted(app.env.found_docs))
        (site / "sitemap.xml").write_text(sitemap(pages), "utf-8")
        not_found = site / f"{_NOT_FOUND}.html"
        not_found.write_text(from_root(not_found.read_text("utf-8"), urlsplit(address).path), "utf-8")


def setup(app: Sphinx) -> None:
    """Connect to the beginning and the end of the build, and to the pages."""
    # A function of the book that draws the picture of its card; see draw_card.
    app.add_config_value("card_picture", "", "html", str)
    app.connect("config-inited", _take_address)
    app.connect("html-page-context", _hand_over)
    app.connect("html-collect-pages", _not_found_page)
    app.connect("build-finished", _write_for_crawlers)
