"""How does the bibliography name an address? Once: a preprint whose DOI is its number there has no second link."""

from typing import Any

from pybtex.plugin import register_plugin
from pybtex.style.formatting.alpha import Style as Alpha
from pybtex.style.template import field, href, optional, sentence
from sphinx.application import Sphinx


class Style(Alpha):
    """Entries as in BibTeX's alpha, with their addresses at the end."""

    def format_url(self, e: Any) -> Any:
        """Return the address alone: it says what it is."""
        url = field("url", raw=True)
        return href(url)[url]

    def format_web_refs(self, e: Any) -> Any:
        """Return the addresses of an entry, those that lead to different places."""
        preprint = () if "arXiv" in e.fields.get("doi", "") else (optional[self.format_eprint(e)],)
        return sentence[(optional[self.format_url(e)], *preprint, optional[self.format_doi(e)])]


def setup(app: Sphinx) -> None:
    """Offer the style, `primer`, as a value of `bibtex_default_style`."""
    register_plugin("pybtex.style.formatting", "primer", Style)
