"""Where may a line end? Not before a unit or the number of a section, and within code only at its joints.

Only the pages' HTML has the signs that say so: the search, notebooks and whoever copies code get what was written.
`primer.css` keeps code on one line but for a `<wbr>`.
"""

import re
from html import unescape

# Shorter code stays whole.
_WHOLE = 16
_CODE = re.compile(r"(<code\b[^>]*>)([^<]+)(?=</code>)")
# After a space, a dot, a sign, a stroke, an underscore, a bracket or a hyphen; not before the ending of a file's name.
_JOINT = re.compile(
    r"(?<=\s)(?=\S)|(?<=[A-Za-z)\]]=)(?=[A-Za-z_])|(?<=[^\s/]/)(?=[^\s/])|(?<=[A-Za-z]_)(?=[A-Za-z\d])|"
    r"(?<=\w\()(?=[A-Za-z])|(?<=[A-Za-z]-)(?=[A-Za-z])|"
    r"(?<=[A-Za-z)\]]\.)(?=[A-Za-z_])(?!(?:csv|html|ipynb|json|md|py|toml|txt)\b)"
)

# What has words of its own kind: code, formulas, what a reader writes, and what is shown as it was drawn or recorded.
_OTHER = r"<(code|pre|math|figure|script|style|textarea)\b.*?</\1>|<ul class=\"measured[ \"].*?</ul>"
_PART = re.compile(rf"{_OTHER}|<[^>]*>|[^<]+", re.DOTALL)
_BOUND = re.compile(
    # "Problem set 4", "section 6", "task 3"
    r"\b(?:chapters?|sections?|sets?|tasks?|tests?|weeks?) (?=\d)|\bproblem (?=set \d)"
    # "45 %", "2 GiB", "(4 points)"
    r"|(?<=\d) (?=%|(?:[kMG]i?B|ms|points?|nats?|bits?)\b)",
    re.IGNORECASE,
)
# "T = 0.7", "T → ∞"
_SIGN = re.compile(r"(?<![\w.])(\w) ([=→≈≤≥]) (?=[−\d∞])")


def jointed(html: str) -> str:
    """Return HTML in which longer pieces of code have a place for the end of a line at each of their joints."""
    return _CODE.sub(lambda code: code[1] + _joints(code[2]), html)


def _joints(code: str) -> str:
    if len(unescape(code)) < _WHOLE:
        return code
    return "<wbr>".join(_JOINT.split(code))


def bound(html: str) -> str:
    """Return HTML in which a number stays on one line with its unit, or with the word that it counts."""
    return _PART.sub(lambda part: part[0] if part[0].startswith("<") else _bind(part[0]), html)


def _bind(text: str) -> str:
    text = _BOUND.sub(lambda found: found[0].replace(" ", "\u00a0"), text)
    return _SIGN.sub("\\1\u00a0\\2\u00a0", text)
