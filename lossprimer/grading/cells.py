"""Which parts of a submitted notebook are the learner's? Their answers are found; the rest comes from the release."""

import ast
import copy
import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from itertools import accumulate

from nbformat import NotebookNode

from lossprimer.grading.reading import kept

# Stands in the place of a written answer that is blank while a text stands elsewhere, so that a person looks.
ELSEWHERE = "*(No answer stands here. A cell that was added elsewhere in this notebook may be meant for this place.)*"

# No pattern here crosses a line: a megabyte of line ends must not take a quadratic time.
_MAGIC = re.compile(r"^([ \t]*)(?:\w[\w,. \t]*=[ \t]*)?[%!].*$|^[ \t]*\?.*$|^.*\?[ \t]*$", re.MULTILINE)
# The cell that gets the course's package: each place that gives a notebook out has its own way.
_PACKAGE = re.compile(r'(from importlib\.util import find_spec\n\nif find_spec\("lossprimer"\) is None:)(?:\n[ \t].*)*')
_HIDDEN = re.compile(r"^[^\n]*BEGIN HIDDEN TESTS.*?END HIDDEN TESTS[^\n]*$", re.MULTILINE | re.DOTALL)
_DEFINED = re.compile(r"^(?:async[ \t]+def|def|class)[ \t]+(\w+)|^(\w+)[ \t]*(?::[^=\n]*)?=(?!=)", re.MULTILINE)
# Statements of a cell that other cells build on. Its other statements show something, and may take long.
_DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)
# A text of fewer words that stands above a blank answer is a name or a headline.
_WORDS = 6
# A shorter question can stand in a text by chance.
_LONG = 20
# Nobody writes a longer answer, and the parser needs a thousand times the memory of what it parses.
PARSED = 2**18


@dataclass(frozen=True)
class Restored:
    """A released notebook with a learner's answers in it.

    Parameters
    ----------
    notebook : NotebookNode
        The cells of the release, and behind them the cells that the learner added.
    remarks : tuple of (str, str)
        What a person should look at: the name of a cell of the release, and a sentence. No text of the learner's.
    """

    notebook: NotebookNode
    remarks: tuple[tuple[str, str], ...] = ()


def label(cell: NotebookNode) -> str:
    """What nbgrader calls a cell, or what the notebook calls it."""
    return _nbgrader(cell).get("grade_id") or cell.get("id", "")


def is_answer(cell: NotebookNode) -> bool:
    """Whether what is in a released cell is the learner's: an answer, or a cell that nbgrader knows nothing of."""
    return _nbgrader(cell).get("solution", False) or not _nbgrader(cell)


def is_test(cell: NotebookNode) -> bool:
    """Whether a cell decides on points by being run."""
    return (
        cell.cell_type == "code" and _nbgrader(cell).get("grade", False) and not _nbgrader(cell).get("solution", False)
    )


def restored(released: NotebookNode, submitted: NotebookNode) -> Restored:
    """The release with the learner's answers in it.

    The cells of the release are found again by the name that nbgrader gives them, else by their id, else by their
    text. An answer whose place is blank or gone is looked for in the cells that are left over: code by the names that
    it defines, words by where they stand, between their question and the next. Where a written answer is blank and
    text stands elsewhere, `ELSEWHERE` takes its place, and a person decides.

    Other cells that the learner added stay behind the cell that they followed. Everything else, metadata included, is
    the release's: nothing that was edited, deleted or moved there has an effect. An answer that was not touched is
    the released one to the letter, by which nbgrader knows it.

    Parameters
    ----------
    released, submitted : NotebookNode
        Neither is changed. Of `submitted` nothing is believed.
    """
    notebook = copy.deepcopy(released)
    cells = submitted.get("cells", [])
    return _Restoration(notebook, kept(cells if isinstance(cells, list) else [])).result()


def visible(source: str) -> str:
    """A test without its hidden part."""
    return _HIDDEN.sub("", source)


def plain_python(source: str) -> str:
    """A cell without IPython's commands, which mean nothing outside a kernel."""
    return source if _parses(source) else _MAGIC.sub(lambda line: (line[1] or "") + "pass", source)


def definitions(source: str) -> str:
    """What a cell imports, defines and assigns."""
    tree = ast.parse(plain_python(source))
    tree.body = [statement for statement in tree.body if isinstance(statement, _DEFINITIONS)]
    return ast.unparse(tree)


def _nbgrader(cell):
    found = cell.get("metadata", {}) if isinstance(cell.get("metadata", {}), dict) else {}
    return found.get("nbgrader", {}) if isinstance(found.get("nbgrader", {}), dict) else {}


class _Restoration:
    """One notebook on the way back to the form of its release.

    A place is the number of a cell of the release, a number that of a submitted cell.
    """

    def __init__(self, notebook, cells):
        self.notebook, self.places, self.cells = notebook, notebook.cells, cells
        self.texts = [place.source for place in self.places]  # of the release, while answers come in
        self.given = [_plain(text) for text in self.texts]
        self.plain = [_plain(cell.source) for cell in cells]
        self.claims = self._claims()
        self.homes = {number: place for place, numbers in self.claims.items() for number in numbers}
        self.blocks = self._blocks()
        self.followed = self._followed()
        known = {"", *self.given}
        self.loose = [n for n in range(len(cells)) if n not in self.homes and self.plain[n] not in known]
        self.taken = set()  # cells whose text is in a place now
        self.moved = {}  # cells that come to stand behind another place than they did
        self.remarks = []
        # Each place asks for these again, and a text can be long.
        self._code_of, self._defined, self._parses = cache(self._code_of), cache(_defined), cache(_is_python)

    def result(self):
        answers = [place for place in range(len(self.places)) if self._solution(place)]
        for place, cell in enumerate(self.places):
            if not _nbgrader(cell):
                self._put(place, self._written(place)[-1:])
        for number in self._edited():
            self._remark(self.homes[number], "was edited; what was given out stands in its place")
        for place in answers:  # code first: a cell that defines what is asked for is no text
            if self.places[place].cell_type == "code":
                self._code(place)
        for place in answers:
            if self.places[place].cell_type != "code":
                self._words(place)
        for place in answers:
            if _nbgrader(self.places[place]).get("grade"):
                self._ask(place)
        self.notebook.cells = self._merged()
        return Restored(self.notebook, tuple(self.remarks))

    # Which cells are whose?

    def _claims(self):
        """For each place the numbers of the cells that say they are it; one that was copied has several."""
        by_name = {name: place for place, cell in enumerate(self.places) if (name := _nbgrader(cell).get("grade_id"))}
        by_id = {cell.id: place for place, cell in enumerate(self.places) if cell.get("id")}
        claims, rest = {}, []
        for number, cell in enumerate(self.cells):
            place, identified = by_name.get(_nbgrader(cell).get("grade_id")), by_id.get(cell.get("id"))
            # An answer that was renamed into a test is still known by the id of its cell.
            if place is None or (identified is not None and not is_answer(self.places[place])):
                place = identified if identified is not None else place
            if place is None:
                rest.append(number)
            else:
                claims.setdefault(place, []).append(number)
        free = [place for place in range(len(self.places)) if place not in claims]
        pairs = _aligned(free, [self.given[place] for place in free], rest, [self.plain[number] for number in rest])
        claims |= {place: [number] for place, number in pairs.items()}
        rest = [number for number in rest if number not in set(pairs.values())]
        for place in free:  # a question into which its answer was typed
            if place not in claims and self.places[place].cell_type == "markdown" and not is_answer(self.places[place]):
                inside = [n for n in rest if len(self.given[place]) > _LONG and self.given[place] in self.plain[n]]
                if inside:
                    claims[place] = inside[:1]
                    rest.remove(inside[0])
        return claims

    def _blocks(self):
        """For each place the number of its question: one begins with the first text behind an answer."""
        blocks, block, answered = [], 0, False
        for place, cell in enumerate(self.places):
            if answered and cell.cell_type == "markdown" and not self._solution(place):
                block, answered = block + 1, False
            answered = answered or self._solution(place)
            blocks.append(block)
        return blocks

    def _followed(self):
        """For each cell the place that it is or stands behind; -1 is the top."""
        followed, before = [], -1
        for number in range(len(self.cells)):
            before = self.homes.get(number, before)
            followed.append(before)
        return followed

    def _solution(self, place):
        return bool(_nbgrader(self.places[place]).get("solution"))

    def _written(self, place):
        """The cells that say they are this place, and that hold something else than what was given out."""
        return [n for n in self.claims.get(place, []) if self.plain[n] not in ("", self.given[place])]

    def _edited(self):
        """Cells of the release that are not for answers, and that were changed all the same."""
        return [
            number
            for place, cell in enumerate(self.places)
            if not is_answer(cell)
            for number in self._written(place)
            if number not in self.taken
        ]

    def _left(self, block=None):
        """Cells that belong nowhere: all of them, or those that stand between a block's question and the next."""
        return [n for n in self.loose if n not in self.taken and block in (None, self._block(n))]

    def _block(self, number):
        return self.blocks[self.followed[number]] if self.followed[number] >= 0 else 0

    def _is_code(self, number):
        return self.cells[number].cell_type == "code"

    # What comes into a place?

    def _code(self, place):
        asked, written = self._defined(self.texts[place]), self._written(place)
        if not written:
            self._search(place, asked)
        elif self._works(self._text(written[-1:]), asked) or not self._works(self._text(written), asked):
            self._put(place, written[-1:])
        else:
            self._put(place, written)
            self._remark(place, "was split, and is put together again")
        if written and not self._works(self.places[place].source, asked):
            code = [n for n in self._left() if self._is_code(n) and asked <= self._defined(self.cells[n].source)]
            better = [n for n in self._together(code) if self._works(self.cells[n].source, asked)]
            if better:  # it must not come too late for the test
                self.moved[better[-1]] = place
                self._remark(place, "has a second version in a cell that was added, which counts")

    def _search(self, place, asked):
        """Look for the answer to a blank place: in one cell, in several together, then in one with mistakes."""
        near = self._left(self.blocks[place])
        far = [n for n in self._left() if n not in set(near)]
        cells = [*reversed(near), *reversed(far), *self._edited()]
        cells = self._together([n for n in cells if asked and asked <= self._defined(self._text([n]))])
        code = [n for n in near if self._is_code(n)]
        good = next(([n] for n in cells if self._works(self._text([n]), asked)), [])
        together = code if code and self._works(self._text(code), asked) else []
        if found := good or together or cells[:1]:
            self._put(place, found)
            self._remark_found(place)
        elif near:
            self._remark(place, "is blank, and something else was added beside it")

    def _together(self, numbers):
        """The first of these cells, as many as are together no longer than an answer: a thousand could be tried."""
        sizes = accumulate(len(self.cells[number].source) for number in numbers)
        return [number for number, size in zip(numbers, sizes, strict=True) if size <= PARSED]

    def _words(self, place):
        block = self.blocks[place]
        has_code = any(
            self.blocks[other] == block and self._solution(other) and cell.cell_type == "code"
            for other, cell in enumerate(self.places)
        )
        near = [n for n in self._left(block) if not (has_code and self._is_code(n))]
        typed_in = [n for n in self._edited() if self._block(n) == block and not self._is_code(n)]
        if written := self._written(place):
            self._put(place, written)
            if len(written) > 1:
                self._remark(place, "is there in several cells, which are put together")
            if any(not self._is_code(n) for n in near):
                self._remark(place, "has a text beside it that was added")
        elif near or typed_in:
            self._put(place, near or typed_in)
            self._remark_found(place)

    def _ask(self, place):
        """Mark an answer that a person grades, if it is blank and text stands elsewhere."""
        if _plain(self.places[place].source) != self.given[place]:
            return
        for number in [*self._left(), *self._edited()]:
            below = self.followed[number] >= place
            if not self._is_code(number) and (below or len(self.cells[number].source.split()) >= _WORDS):
                self.places[place].source = ("# " if self.places[place].cell_type == "code" else "") + ELSEWHERE
                self._remark(place, "is blank, and a text was added or edited elsewhere")
                return

    def _text(self, numbers):
        """The code of cells, one below the other."""
        return "\n\n".join(self._code_of(n) for n in numbers)

    def _code_of(self, number):
        text = self.cells[number].source
        return text if self._is_code(number) else _unfenced(text)

    def _works(self, source, asked):
        """Whether code is Python that defines what is asked for, and no stub any more."""
        return asked <= self._defined(source) and "NotImplementedError" not in source and self._parses(source)

    def _put(self, place, numbers):
        """Write the texts of cells into a place, each once, and the pictures of a text with it."""
        target = self.places[place]
        self.taken.update(numbers)
        if not numbers or target.cell_type == "code":
            target.source = self._text(numbers) if numbers else target.source
            return
        texts, attachments = [], {}
        for number in numbers:
            text, home = self.cells[number].source, self.homes.get(number, place)
            if home != place:  # the question does not come along
                text = text.replace(self.texts[home].strip(), "").strip() or text
            for name, bundle in self.cells[number].get("attachments", {}).items():
                new = name if attachments.get(name, bundle) == bundle else f"{number}-{name}"
                text = text.replace(f"attachment:{name}", f"attachment:{new}")
                attachments[new] = bundle
            if text not in texts:
                texts.append(text)
        target.source = "\n\n".join(texts)
        if attachments:
            target.attachments = NotebookNode(attachments)

    def _remark_found(self, place):
        if place in self.claims:  # else the cell is there, and its name was lost
            self._remark(place, "was blank; the answer was found in a cell that was added or edited")

    def _remark(self, place, sentence):
        self.remarks.append((label(self.places[place]), sentence))

    def _merged(self):
        """The places, each with the cells that the learner added behind it."""
        added = {}
        for number, cell in enumerate(self.cells):
            place = self.homes.get(number)
            old = place is not None and self._solution(place) and number in self._written(place)
            if number not in self.taken and (place is None or old):
                # An older version of an answer runs before the one that counts.
                behind = place - 1 if old else self.moved.get(number, self.followed[number])
                added.setdefault(behind, []).append(_added(cell))
        merged = list(added.get(-1, []))
        for place, cell in enumerate(self.places):
            merged += [cell, *added.get(place, [])]
        for number, cell in enumerate(merged):
            if "id" not in cell:
                cell["id"] = f"added-{number}"
        return merged


def _added(cell):
    """A cell that the learner added, with nothing but its text and the pictures in it."""
    added = NotebookNode(cell_type=cell.cell_type, metadata=NotebookNode(), source=cell.source)
    if cell.cell_type == "code":
        added |= {"execution_count": None, "outputs": []}
    if cell.cell_type == "markdown" and cell.get("attachments"):
        added.attachments = cell.attachments
    return added


def _aligned(places, given, numbers, texts):
    """For places the numbers of cells with the same text: in their order as far as that goes, else wherever it is."""
    pairs = {}
    for a, b, size in SequenceMatcher(None, given, texts, autojunk=False).get_matching_blocks():
        pairs |= {places[a + i]: numbers[b + i] for i in range(size) if given[a + i]}
    for place, text in zip(places, given, strict=True):
        if text and place not in pairs and given.count(text) == 1 and text in texts:
            moved = numbers[texts.index(text)]
            pairs |= {place: moved} if moved not in pairs.values() else {}
    return pairs


def _plain(text):
    """A text without what editors change in it, and without how a copy of the notebook gets the course's package."""
    plain = "\n".join(line.rstrip() for line in text.strip().splitlines())
    package = _PACKAGE.fullmatch(plain)
    return package[1] if package else plain


def _unfenced(text):
    """The code in a text: what stands in its fences, if it has any."""
    inside, outside, fenced = [], [], False
    for line in text.split("\n"):
        if line.strip().startswith(("```", "~~~")):
            fenced = not fenced
        else:
            (inside if fenced else outside).append(line)
    return "\n".join(inside if inside else outside)


def _defined(source):
    """The names that a cell defines at its top level, found in code with mistakes too."""
    return {name for names in _DEFINED.findall(source) for name in names if name}


def _parses(source):
    if len(source) > PARSED:
        return False
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _is_python(source):
    """Whether a cell can be run as it stands."""
    return _parses(plain_python(source))
