"""Are the numbers on a page right? They are computed here, and tools/prose.py compares, as it does in a chapter."""

import re

import numpy as np
from nbformat import from_dict

from tools import prose

# Numbers that a formula sets equal: $(12 + 16) \cdot 32 = 896$.
EQUATION = re.compile(r"([\d.()+/ ]*(?:\\cdot|[+/])[\d.()+/ ]*(?:\\cdot[\d.()+/ ]*)?) = (\d+)\b(?!\.)")


def unsupported(text, code, names):
    """Return the numbers of `text` that neither stand in `code` nor are what it gives, and its false equations.

    As in a chapter, numbers with decimals, an exponent or a percent sign count. `names` are those that `code` uses.
    """
    value = eval(code, dict(names)) if code else ()
    shown = " ".join(str(float(number)) for number in _flat(value))
    output = {"data": {"text/plain": shown}}
    cells = [
        {"cell_type": "markdown", "source": text},
        {"cell_type": "code", "source": code, "outputs": [output]},
    ]
    found = [number.number for number in prose.unsupported(from_dict({"cells": cells}))]
    equations = [(left, eval(left.replace(r"\cdot", "*")), float(right)) for left, right in EQUATION.findall(text)]
    return found + [left for left, value, right in equations if value != right]


def _flat(value):
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, (tuple, list)):
        return [number for part in value for number in _flat(part)]
    return np.ravel(value).tolist()
