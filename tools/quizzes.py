"""Write the questions of the self-tests for learning platforms: Moodle's XML, and QTI, which Canvas imports.

Run as a command (``python -m tools.quizzes``) it writes _build/quizzes. The pages of book/self-test are the only place
where the questions stand: their cells are run here, as they are when the book is built, and each asks one.
"""

import html
import re
import sys
from io import BytesIO
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from lossprimer.explorer import predict
from lossprimer.explorer.questions import Question

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "book" / "self-test"
TARGET = ROOT / "_build" / "quizzes"
COURSE = "Loss & Stability Primer"

_CELL = re.compile(r"^```\{code-cell\} python\n(?::tags: [^\n]*\n)?(.*?)^```$", re.MULTILINE | re.DOTALL)
# What has a meaning in text2qti's Markdown; the last part makes a list of what begins with it.
_MARKUP = re.compile(r"[\\`*_{}\[\]#$!]|^[-+]|(?<=^\d)\.|(?<=^\d\d)\.")


def title(page: str) -> str:
    """Return the title of a page, from its text."""
    return re.search(r"^# (.+)$", page, re.MULTILINE)[1]


def questions(page: str) -> list[Question]:
    """Return the questions of a page, from its text; an answer that is not the computed one is an error."""
    first, *asking = _CELL.findall(page)
    names = {}
    exec(first, names)
    found = []
    names["predict"] = lambda *args, **options: found.append(predict(*args, **options))
    for cell in asking:
        exec(cell, names)
    return found


def moodle(name: str, asked: list[Question]) -> bytes:
    """Return Moodle's XML of questions with one right answer, in a category of their own."""
    quiz = Element("quiz")
    _text(SubElement(quiz, "question", type="category"), "category", f"$course$/top/{COURSE}/{name}")
    for number, question in enumerate(asked, 1):
        item = SubElement(quiz, "question", type="multichoice")
        _text(item, "name", f"{number}. {question.text}")
        _text(item, "questiontext", question.text, format="plain_text")
        _text(item, "generalfeedback", question.right.sentence, format="plain_text")
        settings = {"single": "true", "shuffleanswers": "true", "answernumbering": "abc", "idnumber": question.name}
        for setting, value in settings.items():
            SubElement(item, setting).text = value
        for answer in question.answers:
            fraction = "100" if answer.right else "0"
            option = _text(item, "answer", answer.text, fraction=fraction, format="plain_text")
            _text(option, "feedback", answer.sentence, format="plain_text")
    indent(quiz)
    written = BytesIO()
    ElementTree(quiz).write(written, encoding="utf-8", xml_declaration=True)
    return written.getvalue()


def _text(parent: Element, tag: str, text: str, **attributes: str) -> Element:
    element = SubElement(parent, tag, attributes)
    SubElement(element, "text").text = text
    return element


def canvas(name: str, asked: list[Question]) -> bytes:
    """Return a zip file of QTI 1.2 with the same questions."""
    # These read a language of settings that is compiled on import, which only what writes QTI waits for.
    from text2qti.config import Config
    from text2qti.qti import QTI
    from text2qti.quiz import Quiz

    lines = [f"Quiz title: {COURSE}: {name}", "shuffle answers: true"]
    for number, question in enumerate(asked, 1):
        lines += [f"{number}. {_escaped(question.text)}", f"... {_escaped(question.right.sentence)}"]
        for letter, answer in zip("abcde", question.answers, strict=False):
            lines += [f"{'*' if answer.right else ''}{letter}) {_escaped(answer.text)}"]
            lines += [f"... {_escaped(answer.sentence)}"]
    written = BytesIO()
    QTI(Quiz("\n".join(lines), config=Config())).write(written)
    return written.getvalue()


def _escaped(text: str) -> str:
    """Return a text as Markdown that stands for that text and nothing else."""
    return html.escape(_MARKUP.sub(r"\\\g<0>", text), quote=False)


def main() -> None:
    """Write a file for each page and platform."""
    for path in sorted(PAGES.glob("*.md")):
        page = path.read_text("utf-8")
        name, asked = title(page), questions(page)
        for platform, write, suffix in (("moodle", moodle, ".xml"), ("canvas", canvas, ".zip")):
            target = TARGET / platform / f"{path.stem}{suffix}"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(write(name, asked))
            print(target.relative_to(ROOT))


if __name__ == "__main__":
    sys.exit(main())
