"""What is this book to a search engine? A course with its chapters, said in the words of schema.org.

It is said on the first page, where the site knows its address. The block is data: a browser runs nothing of it, and the
page's policy, which allows no other script in the page, lets it be.
"""

import json
from typing import Any
from urllib.parse import urljoin

from sphinx.application import Sphinx


def course(app: Sphinx, description: str, image: str) -> dict[str, Any]:
    """Return the course as JSON-LD.

    Parameters
    ----------
    app : Sphinx
        The builder of a book whose address is known.
    description, image : str
        What the first page says in a sentence, and the address of the book's card.
    """
    config, site = app.config, app.config.html_baseurl
    found = {
        "@context": "https://schema.org",
        "@type": "Course",
        "name": config.html_title,
        "description": description,
        "url": urljoin(site, app.builder.get_target_uri(config.root_doc)),
        "image": image,
        "inLanguage": config.language or "en",
        "isAccessibleForFree": True,
        "license": config.book_licence,
        "provider": {"@type": "Organization", "name": config.author, "url": site},
        "hasPart": [_part(app, name) for name in sorted(app.env.found_docs) if _is_chapter(app, name)],
    }
    return {name: value for name, value in found.items() if value}


def _is_chapter(app: Sphinx, name: str) -> bool:
    return app.env.doc2path(name, base=False).endswith(".ipynb")


def _part(app: Sphinx, name: str) -> dict[str, str]:
    part = {
        "@type": "LearningResource",
        "name": app.env.titles[name].astext(),
        "description": app.config.page_questions.get(name, ""),
        "url": urljoin(app.config.html_baseurl, app.builder.get_target_uri(name)),
    }
    return {name: value for name, value in part.items() if value}


def as_data(found: dict[str, Any]) -> str:
    """Return JSON that can stand in a page: nothing in it ends the element that it stands in."""
    return json.dumps(found, ensure_ascii=False).replace("<", "\\u003c")


def _hand_over(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    if app.config.html_baseurl and pagename == app.config.root_doc:
        summary = context.get("description") or app.config.html_title
        context["course"] = as_data(course(app, summary, context["card"]["address"]))


def setup(app: Sphinx) -> None:
    """Connect to the pages, after what tells their description and their card."""
    app.add_config_value("book_licence", "", "html", str)
    app.connect("html-page-context", _hand_over, priority=950)
