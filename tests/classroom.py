"""A small problem set and the class that hands it in: honest work, accidents, and attempts to get points otherwise."""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

SET = "small"
SECRET = "hidden_from_students"

SOFTMAX = """def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)"""
DROPOUT = """def inverted_dropout(a, keep_prob, rng):
    mask = rng.random(a.shape) < keep_prob
    return np.where(mask, a / keep_prob, 0).astype(a.dtype), mask"""
LAYER = """class Dropout:
    def __init__(self, keep_prob, rng):
        self.keep_prob, self.rng, self.training, self.mask = keep_prob, rng, True, None

    def forward(self, a):
        self.mask = None
        if not self.training:
            return a
        self.mask = self.rng.random(a.shape) < self.keep_prob
        return (a * self.mask / self.keep_prob).astype(a.dtype)

    def backward(self, dy):
        return dy if self.mask is None else (dy * self.mask / self.keep_prob).astype(dy.dtype)"""
WORDS = "The maximum is subtracted, so that no exponential overflows."
TASKS = {"softmax": (SOFTMAX, 2), "inverted_dropout": (DROPOUT, 3), "Dropout": (LAYER, 5)}
CHECKS = {"softmax": "softmax", "inverted_dropout": "inverted_dropout", "Dropout": "dropout_layer"}


def problem_set() -> NotebookNode:
    """Return the set as a teacher writes it."""
    cells = [_cell(new_code_cell("import numpy as np\n\nfrom lossprimer import checks"), "imports", locked=True)]
    for name, (solution, points) in TASKS.items():
        head, _, body = solution.partition("\n")
        source = f"{head}\n    ### BEGIN SOLUTION\n{body}\n    ### END SOLUTION"
        test = (
            f"checks.{CHECKS[name]}({name}).require()\n"
            "### BEGIN HIDDEN TESTS\n"
            f"{SECRET} = np.random.default_rng()\n"
            f"checks.{CHECKS[name]}({name}, rng={SECRET}).require()\n"
            "### END HIDDEN TESTS"
        )
        cells.append(_cell(new_code_cell(source), f"{name}-answer", solution=True))
        cells.append(_cell(new_code_cell(test), f"{name}-test", grade=True, locked=True, points=points))
    words = f"### BEGIN SOLUTION\n{WORDS}\n### END SOLUTION"
    cells.append(_cell(new_markdown_cell(words), "words", grade=True, solution=True, points=4))
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})


def _cell(cell, name, **roles):
    standard = {"grade": False, "solution": False, "locked": False, "task": False, "schema_version": 3}
    cell.metadata.nbgrader = {**standard, **roles, "grade_id": name}
    cell.id = name.replace("_", "-")
    return cell


@dataclass(frozen=True)
class Student:
    """What somebody hands in, what it is worth, and what the feedback must say.

    Parameters
    ----------
    work : callable
        Makes the notebook, or the text of the file, from the release with all answers in it.
    points : tuple of int
        For softmax, inverted_dropout and Dropout; None where nothing can be read.
    hears : str
        Words of the feedback.
    flags : tuple of str
        What the teacher must be told of.
    """

    work: Callable[[NotebookNode], NotebookNode | str]
    points: tuple[int, int, int] | None
    hears: str = ""
    flags: tuple[str, ...] = ()


def answered(released: NotebookNode) -> NotebookNode:
    """Return the release with a right answer in every place."""
    notebook = copy.deepcopy(released)
    for name, (solution, _) in TASKS.items():
        find(notebook, f"{name}-answer").source = solution
    find(notebook, "words").source = WORDS
    return notebook


def find(notebook: NotebookNode, name: str) -> NotebookNode:
    """Return the cell that nbgrader calls `name`."""
    return next(cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == name)


def _with(name, source):
    """Somebody who answers one task in another way."""

    def work(notebook):
        find(notebook, f"{name}-answer").source = source
        return notebook

    return work


def _first(source):
    """Somebody who adds a cell at the top."""

    def work(notebook):
        notebook.cells.insert(0, new_code_cell(source))
        return notebook

    return work


def _cheat(source):
    """Somebody who adds a cell, and whose answers are all wrong."""

    def work(notebook):
        for name in TASKS:
            find(notebook, f"{name}-answer").source = _WRONG[name]
        notebook.cells.insert(1, new_code_cell(source))
        return notebook

    return work


_WRONG = {
    "softmax": "def softmax(z):\n    return z",
    "inverted_dropout": "def inverted_dropout(a, keep_prob, rng):\n    return a, a",
    "Dropout": "class Dropout:\n    def __init__(self, *args):\n        pass",
}


def _blank(notebook):
    for name in TASKS:
        find(
            notebook, f"{name}-answer"
        ).source = f"{TASKS[name][0].partition(chr(10))[0]}\n    raise NotImplementedError()"
    return notebook


def _without_words(notebook):
    find(notebook, "words").source = "YOUR ANSWER HERE"
    return notebook


def _without_tests(notebook):
    notebook.cells = [cell for cell in notebook.cells if "-test" not in cell.id]
    return notebook


def _edited_tests(notebook):
    notebook = _cheat("")(notebook)
    for name in TASKS:
        find(notebook, f"{name}-test").source = "pass"
    return notebook


def _edited_points(notebook):
    notebook = _with("softmax", _WRONG["softmax"])(notebook)
    for name in TASKS:
        test = find(notebook, f"{name}-test").metadata.nbgrader
        test.points, test.locked, test.schema_version = 100, False, 99
    find(notebook, "softmax-answer").metadata.nbgrader.grade = True
    find(notebook, "words").metadata.nbgrader.grade_id = "softmax-test"
    return notebook


def _without_metadata(notebook):
    for cell in notebook.cells:
        cell.metadata = {}
    return notebook


def _without_names(notebook):
    """As some editors save a notebook: no metadata of nbgrader's, and no ids."""
    notebook = _without_metadata(notebook)
    notebook.nbformat_minor = 4
    for cell in notebook.cells:
        del cell["id"]
    return notebook


def _malformed(notebook):
    """A file whose parts have the wrong types; the answers are there."""
    find(notebook, "imports").metadata.nbgrader = ["no", {"such": "thing"}]
    content = json.loads(nbformat.v4.writes(notebook))
    content["cells"] += [{"cell_type": "code", "source": [], "metadata": {"nbgrader": 7}}, {"cell_type": "strange"}]
    content["metadata"] = {"kernelspec": {"name": "bash"}}
    return json.dumps(content)


_ALL = (2, 3, 5)
_NONE = (0, 0, 0)
_LOOP = "def softmax(z):\n    while True:\n        pass"
_PATCHED = """import lossprimer.checks, types
for name in lossprimer.checks.__all__:
    setattr(lossprimer.checks, name, lambda *args, **kwargs: types.SimpleNamespace(require=lambda: None))"""
_FORGIVING = """import lossprimer.checks.values, lossprimer.checks.task
import numpy as np
np.allclose = np.array_equal = lambda *args, **kwargs: True
for module in (lossprimer.checks.values, lossprimer.checks.task):
    module.agree = lambda *args, **kwargs: True"""
_AST = """import ast
class Drop(ast.NodeTransformer):
    def visit_Expr(self, node):
        return None if "require" in ast.dump(node) else node
    def visit_Assert(self, node):
        return ast.Pass()
get_ipython().ast_transformers.append(Drop())"""
_LIBRARY = """from scipy.special import softmax as ready

def softmax(z):
    return ready(z, axis=-1)"""
_STARS = """from scipy.special import *
ready = softmax

def softmax(z):
    return ready(z, axis=-1)"""
_LOOKS = """import gc, types
found = [each for each in gc.get_objects() if isinstance(each, types.FunctionType) and each.__name__ == "softmax"]
print("FOUND" if found else "NOWHERE", found)"""
_SHARES_MEMORY = """import os
kept = []
for _ in range(1000):
    file = os.memfd_create("large")
    os.truncate(file, 2**25)
    kept.append(os.pwrite(file, bytes(2**25), 0))
print("FOUND", len(kept))"""
_THREADS = """import threading, time
while True:
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()"""
_SEEKS = """import os
found = [os.path.join(where, name) for where, _, names in os.walk("/") if not where.startswith(("/proc", "/usr"))
         for name in names if name in ("gradebook.db", "small.ipynb", "flags.csv")]
for path in ("../gradebook.db", "../../gradebook.db", "/etc/passwd"):
    try:
        found.append(open(path, "rb").read(9))
    except OSError:
        pass
    try:
        open(path, "wb").write(b"")
        found.append(path)
    except OSError:
        pass
print("FOUND" if found else "NOWHERE", found)"""
_RECORDS = """def softmax(z):
    raise ValueError(repr(In) if "In" in globals() else "nothing")"""
_EQUAL = """class Yes:
    shape, dtype, ndim = (2, 3), "float64", 1
    def __eq__(self, other): return True
    def __bool__(self): return True
    def __call__(self, *args): return self
    def __getattr__(self, name): return self
    def __array_ufunc__(self, *args, **kwargs): return True
softmax = inverted_dropout = Dropout = Yes()"""
_OWN_WAY = """class Dropout:
    def __init__(self, keep_prob, rng):
        self.p, self.source, self.training, self.factors = keep_prob, rng, True, 1.0

    def forward(self, a):
        self.factors = 1.0
        if self.training:
            chosen = self.source.random(a.shape) < self.p
            self.factors = (chosen / self.p).astype(a.dtype)
        return a * self.factors

    def backward(self, dy):
        return dy * self.factors"""
_RENAMED = _OWN_WAY.replace("chosen", "kept").replace("return a *", "# scaled\n        return a *")
_NOISY = """import sys, warnings
def softmax(z):
    print("in softmax", file=sys.stderr)
    warnings.warn("careful")
    np.log(np.array(0.0))
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
print(softmax(np.ones(3)))"""

CLASS = {
    "perfect": Student(lambda notebook: notebook, _ALL, "passed"),
    "blank": Student(_blank, _NONE, "not attempted yet"),
    "overflows": Student(
        _with("softmax", "def softmax(z):\n    return np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)"),
        (0, 3, 5),
        "did not hold",
    ),
    "wrongaxis": Student(
        _with("softmax", "def softmax(z):\n    e = np.exp(z - z.max())\n    return e / e.sum(axis=0)"),
        (0, 3, 5),
        "did not hold",
    ),
    "unscaled": Student(_with("inverted_dropout", DROPOUT.replace("a / keep_prob", "a")), (2, 0, 5), "did not hold"),
    "nowords": Student(_without_words, _ALL),
    "syntax": Student(_with("softmax", "def softmax(z)\n    return z"), (0, 3, 5), "SyntaxError"),
    "loop": Student(_with("softmax", _LOOP), (0, 3, 5), "loop that never ends"),
    "loopcell": Student(_first("while True:\n    pass"), _ALL, "took too long and was interrupted"),
    "deafloop": Student(
        _first("import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])\nwhile True:\n    pass"),
        _ALL,
        "could not be interrupted",
        ("stopped",),
    ),
    "sysexit": Student(_with("softmax", "import sys\n\ndef softmax(z):\n    sys.exit()"), (0, 3, 5), "SystemExit"),
    "exits": Student(_first("exit()"), _ALL),
    "asks": Student(_first("input('Your name?')"), _ALL, "nobody to ask"),
    "dies": Student(_with("softmax", "import os\n\ndef softmax(z):\n    os._exit(0)"), (0, 3, 5), "has ended"),
    "deadcell": Student(_first("import os\nos._exit(0)"), _ALL, "has ended", ("stopped",)),
    "memory": Student(_with("softmax", "def softmax(z):\n    return bytearray(10**11)"), (0, 3, 5), "MemoryError"),
    "forks": Student(_first("import os\nwhile True:\n    os.fork()"), _ALL, "PermissionError"),
    "threads": Student(_first(_THREADS), _ALL),
    "sharesmemory": Student(_first(_SHARES_MEMORY), _ALL, "PermissionError"),
    "chatty": Student(_first("print('x' * 10**8)"), _ALL, "… (cut"),
    "noisy": Student(_with("softmax", _NOISY), _ALL),
    "network": Student(
        _with("softmax", "def softmax(z):\n    import socket\n    socket.create_connection(('192.0.2.1', 80), 1)"),
        (0, 3, 5),
        "OSError",
    ),
    "notests": Student(_without_tests, _ALL),
    "edited": Student(_edited_tests, _NONE),
    "points": Student(_edited_points, (0, 3, 5)),
    "nometa": Student(_without_metadata, _ALL),
    "noids": Student(_without_names, _ALL),
    "malformed": Student(_malformed, _ALL),
    "nofile": Student(lambda notebook: "this is no notebook", None),
    "empty": Student(lambda notebook: "", None),
    "patched": Student(_cheat(_PATCHED), _NONE, "is not there while a problem set is graded"),
    "forgiving": Student(_cheat(_FORGIVING), _NONE, "is not there while a problem set is graded"),
    "imports": Student(
        _with("softmax", "from lossprimer import softmax"), (0, 3, 5), "is not there while", ("library",)
    ),
    "library": Student(_with("softmax", _LIBRARY), _ALL, flags=("library",)),
    "looks": Student(_cheat(_LOOKS), _NONE, "NOWHERE", ("reaches",)),
    "asts": Student(_cheat(_AST), _NONE, flags=("reaches",)),
    "inputs": Student(
        _cheat("get_ipython().input_transformers_post.append(lambda lines: ['2.0'])"), _NONE, flags=("reaches",)
    ),
    "elsewhere": Student(
        _with("softmax", f"import no_such_module\n\n{SOFTMAX}"), _ALL, "No module named", ("missing",)
    ),
    "hides": Student(_with("softmax", "/print 1\n" + _LIBRARY), _ALL, flags=("unread",)),
    "assigns": Student(_with("softmax", "_ = %time 1\n" + _LIBRARY), _ALL, flags=("library",)),
    "stars": Student(_with("softmax", _STARS), _ALL, flags=("library",)),
    "halves": Student(_first('print("\\ud83d")'), _ALL),
    "nested": Student(_with("softmax", f"{SOFTMAX}\n    {' + '.join('1' * 900)}"), _ALL),
    "long": Student(_first("# " + "x" * 5 * 2**20), _ALL, "too many values"),
    "commands": Student(lambda notebook: json.dumps({"nbformat": "\x1b[2J\nperfect: failed"}), None),
    "copies": Student(_with("Dropout", _RENAMED), _ALL, flags=("shared",)),
    "copied": Student(_with("Dropout", _OWN_WAY), _ALL, flags=("shared",)),
    "equal": Student(_cheat(_EQUAL), _NONE),
    "seeks": Student(_cheat(_SEEKS), _NONE, "NOWHERE"),
    "records": Student(_with("softmax", _RECORDS), (0, 3, 5)),
    "ships": Student(lambda notebook: _cheat("import sys\nsys.path.insert(0, '.')")(notebook), _NONE),
}
