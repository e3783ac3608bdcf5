"""How does a chapter link to a word of the glossary? As to a heading: ``glossary.md#term-logit``.

MyST has a role for it, which GitHub and JupyterLab would show as litter; a plain link they can follow.
"""

from docutils import nodes
from sphinx.application import Sphinx


def _let_links_find_terms(app: Sphinx, doctree: nodes.document) -> None:
    """Add the terms of a page to the places that MyST lets a Markdown link name."""
    places = app.env.metadata[app.env.docname].setdefault("myst_slugs", {})
    for term in doctree.findall(nodes.term):
        for name in term["ids"]:
            places[name] = (term.line, name, term.astext())


def setup(app: Sphinx) -> None:
    """Connect to Sphinx."""
    app.connect("doctree-read", _let_links_find_terms)
