"""Which code stands open on a page, and which behind one line? What is the idea is open; what serves it is folded.

What gets things ready stands after what the page opens with. Nothing is left out: a switch shows all code, and so does
a page on paper or without scripts.
"""

import ast
import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

from theme.disclosure import disclosure, summary

# A cell of more lines is a program to study, not a step of the text.
LONGEST = 12
# A cell with one of these tags stands open, however long: an idea that takes some lines, code that the reader changes.
OPEN = {"tag_idea", "tag_laboratory"}
# The text of an output that says that all of several claims, or a claim that takes several lines, came out true.
_TRUE = re.compile(r"\(?(?:True(?:,\s*|\)?$))+")
_SHORT = 3
_IMPORTS = (ast.Import, ast.ImportFrom)
# A cell that must run before what a page opens with, and is read after it.
_SET_UP = "tag_set-up"


def heading(source: str, output: str = "") -> str | None:
    """Return the line behind which a cell is folded; None for one that stands open.

    Parameters
    ----------
    source : str
        The code of the cell.
    output : str
        What it gives, as text.
    """
    lines = len(source.splitlines())
    if _TRUE.fullmatch(output.strip()) and (output.count("True") > 1 or lines > _SHORT):
        claims = output.count("True")
        return f"Checked: {claims} claims hold" if claims > 1 else "Checked: the claim holds"
    # IPython's own commands are no Python.
    tree = ast.parse(re.sub(r"(?m)^(\s*)[%!].*", r"\1pass", source))
    if _called(tree) == "predict":
        return None  # the page has the question alone
    if "find_spec" in source:
        return "Code: if the package is missing"
    if all(isinstance(part, _IMPORTS) for part in tree.body):
        return "Code: what is imported"
    if lines >= _SHORT and (shown := _shown(tree)):
        return f"Code: {shown}"
    return f"Code: {', '.join([*_said(source, tree), f'{lines} lines'])}" if lines > LONGEST else None


def _called(tree: ast.Module) -> str:
    """Name the function whose call ends a cell."""
    last = tree.body[-1]
    return ast.unparse(last.value.func) if isinstance(last, ast.Expr) and isinstance(last.value, ast.Call) else ""


def _shown(tree: ast.Module) -> str | None:
    """Name the explorer or the picture in which a cell ends."""
    called = _called(tree)
    if called in ("explore", "steps"):
        call = tree.body[-1].value
        title = next((key.value for key in call.keywords if key.arg == "title"), call.args[0])
        return f"the explorer “{ast.literal_eval(title)}”"
    return f"the picture of {called[8:].replace('_', ' ')}" if called.startswith("figures.") else None


def _said(source: str, tree: ast.Module) -> list[str]:
    """Say what a cell does: in the words of the comment that begins it, or by the functions that it defines."""
    if first := re.match(r"# (.+?)\.?$", source, re.MULTILINE):
        return [first[1][0].lower() + first[1][1:]]
    return [part.name for part in tree.body if isinstance(part, ast.FunctionDef | ast.ClassDef)]


class FoldCode(SphinxPostTransform):
    """Fold what is not the idea."""

    default_priority = 199
    formats = ("html",)

    def run(self, **_: Any) -> None:
        """Wrap the code of each such cell."""
        for cell in list(self.document.findall(nodes.container)):
            if cell.get("nb_element") != "cell_code" or not cell.children or OPEN & {*cell["classes"]}:
                continue
            code, *outputs = cell.children
            if code.get("nb_element") != "cell_code_source":
                continue
            line = heading(code.astext(), "\n".join(output.astext() for output in outputs))
            if line is None and _SET_UP in cell["classes"]:
                line = f"Code: {', '.join(_said(code.astext(), ast.parse(code.astext())))}"
            if line:
                inside = outputs if line.startswith("Checked") else []
                folded = disclosure("", summary("", line), code, *inside, classes=["code"])
                cell.children = []
                # What is to be looked at comes first, and the code that draws it after.
                pictured = line.startswith(("Code: the explorer", "Code: the picture"))
                cell.extend([*outputs, folded] if pictured else [folded, *outputs[len(inside) :]])


class MoveSetUp(SphinxPostTransform):
    """Put the cells that only get things ready at the end of a page's introduction."""

    default_priority = FoldCode.default_priority + 1
    formats = ("html",)

    def run(self, **_: Any) -> None:
        """Move them, in their order."""
        cells = [cell for cell in self.document.findall(nodes.container) if _SET_UP in cell["classes"]]
        for cell in cells:
            page = cell.parent
            first = next((part for part in page.findall(nodes.section) if part.parent is page), None)
            page.remove(cell)
            page.insert(page.index(first) if first else len(page), cell)


def _offer_switch(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
):
    context["has_folded_code"] = doctree is not None and any(
        "code" in fold["classes"] for fold in doctree.findall(disclosure)
    )


def setup(app: Sphinx) -> None:
    """Connect to the pages."""
    app.setup_extension("theme.disclosure")
    app.add_post_transform(FoldCode)
    app.add_post_transform(MoveSetUp)
    app.connect("html-page-context", _offer_switch)
