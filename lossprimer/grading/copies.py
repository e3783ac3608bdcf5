"""Where may an answer not be the learner's own? What it reaches for, and which other answer has the same structure.

Nothing here takes a point away: whoever writes softmax in two lines writes what others write. It tells a teacher where
to look.
"""

import ast
import builtins
import contextlib
import hashlib
from collections.abc import Iterable, Mapping

from lossprimer.grading import cells

REACHES = frozenset({"gc", "inspect", "ctypes", "importlib", "pickle", "marshal", "dis", "builtins"})
ATTRIBUTES = frozenset(
    {"_getframe", "modules", "__globals__", "__code__", "__closure__", "__subclasses__", "__builtins__", "__loader__"}
    | {"__dict__", "attrgetter", "meta_path"}
)
CALLS = frozenset({"__import__", "get_ipython", "open", "globals", "vars", "eval", "exec", "compile"})
# Libraries in which the functions of the course are to be had ready-made, and the names that these have there.
LIBRARIES = frozenset(
    {"lossprimer", "scipy", "torch", "tensorflow", "keras", "jax", "flax", "optax", "sklearn", "mxnet"}
)
READY = (
    *("softmax", "logsumexp", "entropy", "relentr", "kldiv", "crossentropy", "logloss", "nllloss", "dropout"),
    *("layernorm", "batchnorm", "rmsnorm", "instancenorm", "normalization", "normalize", "attention", "scale"),
)
# A structure that this share of at least so many answers has is how one writes it, and one of few parts says nothing.
_COMMON, _MANY = 0.25, 8
_PARTS = 20
# Of all cells of a notebook, in characters: the parser takes seconds for each megabyte.
TOGETHER = 2**19


def reached(source: str, allowed: Iterable[str] = ()) -> list[tuple[str, str]]:
    """What code reaches for that a teacher should know of, as pairs of a flag and a text.

    Parameters
    ----------
    source : str
        The code of a cell.
    allowed : iterable of str
        Functions of the package that the problem set itself offers. One of them counts only where a function of the
        same name is to be written.

    Returns
    -------
    list of (str, str)
        ``("library", "scipy.special.softmax")`` for a ready-made function, ``("reaches", "gc")`` for means to find
        objects that are not the learner's.
    """
    tree = _parsed(source)
    if tree is None:
        return []
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    own |= {name.id for node in tree.body if isinstance(node, ast.Assign) for name in ast.walk(node)
            if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)}  # fmt: skip
    free = {f"lossprimer.{name}" for name in set(allowed) - own}
    origins = _origins(tree)
    found = {}
    for node in ast.walk(tree):
        for path in _paths(node, origins):
            root, _, last = path.partition(".")[0], *path.rpartition(".")[1:]
            if root in LIBRARIES and path not in free and _is_ready(last):
                found["library", path] = None
            if root in REACHES or last in ATTRIBUTES:
                found["reaches", path] = None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            name, args = node.func.id, node.args
            if name in CALLS or (name == "getattr" and len(args) > 1 and not isinstance(args[1], ast.Constant)):
                found["reaches", name] = None
    return list(found)


def is_readable(source: str) -> bool:
    """Whether code can be searched: it is Python, but for IPython's commands, and not too long."""
    return _parsed(source) is not None


def defined(source: str) -> list[str]:
    """The functions and classes that code defines."""
    tree = _parsed(source)
    return [node.name for node in (tree.body if tree else []) if isinstance(node, ast.FunctionDef | ast.ClassDef)]


def structures(source: str) -> dict[str, tuple[str, int]]:
    """For each function and class that code defines the digest of its structure, and how many parts that has.

    Those of a few parts, such as a line that is still to be written, are left out. Names of variables, comments,
    docstrings, annotations and the way in which lines are broken do not count.
    """
    tree = _parsed(source)
    definitions = tree.body if tree is not None else []
    found = {}
    for node in definitions:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            with contextlib.suppress(RecursionError):  # nobody writes by hand what is nested so deeply
                plain = _Plain().visit(ast.parse(ast.unparse(node)))
                digest = hashlib.sha256(ast.dump(plain).encode()).hexdigest()[:16]
                found[node.name] = digest, sum(1 for _ in ast.walk(plain))
    return {name: (digest, size) for name, (digest, size) in found.items() if size >= _PARTS}


def shared(answers: Mapping[str, Mapping[str, tuple[str, int]]]) -> dict[tuple[str, str], list[str]]:
    """Who has answers in common.

    Parameters
    ----------
    answers : mapping
        For each student, for each function, digest and size as `structures` returns them.

    Returns
    -------
    dict
        For each student and function the others whose function has the same structure, unless that is common.
    """
    groups, totals = {}, {}
    for student, functions in answers.items():
        for name, (digest, _) in functions.items():
            groups.setdefault((name, digest), []).append(student)
            totals[name] = totals.get(name, 0) + 1
    return {
        (student, name): [other for other in students if other != student]
        for (name, _), students in groups.items()
        if len(students) > 1 and not (totals[name] >= _MANY and len(students) > _COMMON * totals[name])
        for student in students
    }


class _Plain(ast.NodeTransformer):
    """Takes out of code what does not change what it does, and numbers its own names in the order of their coming."""

    def __init__(self):
        self._numbers = {}

    def visit_FunctionDef(self, node):
        self._without_text(node)
        node.returns, node.name = None, self._plain(node.name)
        return self.generic_visit(node)

    def visit_ClassDef(self, node):
        self._without_text(node)
        return self.generic_visit(node)

    def visit_arg(self, node):
        node.annotation, node.arg = None, self._plain(node.arg)
        return node

    def visit_Name(self, node):
        if isinstance(node.ctx, ast.Store) or node.id in self._numbers:
            node.id = self._plain(node.id)
        return node

    def visit_AnnAssign(self, node):
        if node.value is None:
            return None
        return self.visit(ast.Assign([node.target], node.value, lineno=node.lineno))

    def _plain(self, name):
        if name.startswith("__") or hasattr(builtins, name):
            return name
        return self._numbers.setdefault(name, f"v{len(self._numbers)}")

    @staticmethod
    def _without_text(node):
        body = [part for part in node.body if not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))]
        node.body = body or [ast.Pass()]


def _parsed(source):
    if len(source) > cells.PARSED:
        return None
    for read in (str, cells.plain_python):
        with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            return ast.parse(read(source))
    return None


def _origins(tree):
    """What imported names stand for, with all dots."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return {"lp": "lossprimer"} | found


def _paths(node, origins):
    """The full names of imported things that a node stands for."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [f"{node.module}.{alias.name}" for alias in node.names]
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name) and node.id in origins:
        return [".".join([origins[node.id], *reversed(parts)])]
    return [".".join(reversed(parts))] if parts else []


def _is_ready(name):
    plain = name.replace("_", "").lower()
    return name == "*" or any(ready in plain for ready in READY)
