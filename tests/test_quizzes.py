"""The self-tests: ten questions a chapter, each answer computed; and the same questions for Moodle and Canvas."""

import html
import re
import zipfile
from io import BytesIO
from xml.etree import ElementTree

import pytest

from lossprimer.explorer import predict
from tools import notebooks, quizzes

PAGES = {path.stem: path.read_text("utf-8") for path in sorted(quizzes.PAGES.glob("*.md"))}
CHAPTERS = [path.stem for path in sorted(notebooks.CHAPTERS.glob("*.ipynb"))]
QUESTIONS = {name: quizzes.questions(page) for name, page in PAGES.items()}
ALL = [question for asked in QUESTIONS.values() for question in asked]
HARD = predict(
    "Is <b>*a*_b_</b> & $5$ ~x~ ^y^ `z` [l](m) |n| \\frac # ?",
    {"yes": None, "no, *not* <i>so</i> & so": "It's **bold** & $x$, 1 < 2."},
    right=lambda: True,
    because="1. It is <as> it is_, ! {really}.",
)

each_page = pytest.mark.parametrize("name", PAGES)


def test_every_chapter_has_one():
    assert list(PAGES) == CHAPTERS


@each_page
def test_it_asks_ten_questions_and_says_what_each_is_from(name):
    assert len(QUESTIONS[name]) == 10
    link = rf"^\*\*(\d+)\.\*\* From \[section \d\]\(\.\./\.\./notebooks/{name}\.ipynb#"
    links = re.findall(link, PAGES[name], re.MULTILINE)
    assert [int(number) for number in links] == list(range(1, 11))


def test_no_question_is_asked_twice_or_by_a_chapter():
    chapters = [cell.source for path in notebooks.CHAPTERS.glob("*.ipynb") for cell in notebooks.load(path).cells]
    asked = "".join(re.sub(r'"\s*"', "", source) for source in chapters if source.startswith("predict("))
    texts = [question.text for question in ALL]
    assert len(set(texts)) == 50
    assert [text for text in texts if text in asked] == []
    # A platform may ask one without the other.
    assert [text for text in texts if text.startswith("And ")] == []


def test_each_answer_has_a_sentence_of_its_own():
    for question in ALL:
        sentences = [answer.sentence for answer in question.answers]
        assert len(set(sentences)) == len(sentences)
        assert all(re.fullmatch(r".{12,}[.!]", sentence) for sentence in sentences), question.text


@each_page
def test_the_right_answer_is_not_always_at_the_same_place(name):
    places = [[answer.right for answer in question.answers].index(True) for question in QUESTIONS[name]]
    assert max(places.count(place) for place in places) <= 6


@each_page
def test_another_answer_marked_right_is_an_error(name):
    # In the first question, None changes places with the sentence of the option that follows or comes before.
    page = re.sub(r"None,(\s*\"[^\"]+\": )(\"[^\"]+\"|\([^)]*\))", r'"Wrong.",\1None', PAGES[name])
    assert page != PAGES[name]
    with pytest.raises(ValueError, match="is marked right"):
        quizzes.questions(page)


def told(question):
    """What a platform has to know: the texts and sentences, and which answer is right."""
    return question.text, question.right.sentence, [(a.text, a.sentence, a.right) for a in question.answers]


def from_moodle(written):
    first, *items = ElementTree.fromstring(written)
    assert first.find("category/text").text.startswith("$course$/top/Loss & Stability Primer/")
    for item in items:
        answers = [
            (answer.find("text").text, answer.find("feedback/text").text, answer.get("fraction") == "100")
            for answer in item.findall("answer")
        ]
        yield item.find("questiontext/text").text, item.find("generalfeedback/text").text, answers


def plain(element):
    """The text of a piece of HTML, with straight quotation marks for typographic ones."""
    text = html.unescape(re.sub(r"</?p>", "", element.text)).strip()
    return text.translate(str.maketrans("’‘“”", "''\"\""))


def from_canvas(written):
    with zipfile.ZipFile(BytesIO(written)) as archive:
        (name,) = [name for name in archive.namelist() if re.search(r"/text2qti_assessment_\w+\.xml$", name)]
        tree = ElementTree.fromstring(re.sub(rb' xmlns="[^"]+"', b"", archive.read(name)))
    for item in tree.iter("item"):
        feedback = {part.get("ident").removesuffix("_fb"): part for part in item.iter("itemfeedback")}
        feedback = {name: plain(part.find(".//mattext")) for name, part in feedback.items()}
        scored = [part for part in item.iter("respcondition") if part.find("setvar") is not None]
        (right,) = [part.find("conditionvar/varequal").text for part in scored]
        options = [(label.get("ident"), plain(label.find(".//mattext"))) for label in item.iter("response_label")]
        answers = [(text, feedback[ident], ident == right) for ident, text in options]
        yield plain(item.find("presentation/material/mattext")), feedback["general"], answers


@pytest.mark.parametrize(("write", "read"), [(quizzes.moodle, from_moodle), (quizzes.canvas, from_canvas)])
def test_a_platform_gets_what_looks_like_markup_as_text(write, read):
    assert list(read(write("A title", [HARD]))) == [told(HARD)]


def test_the_command_writes_for_each_page_and_platform_the_texts_and_the_right_answers(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(quizzes, "TARGET", tmp_path / "quizzes")
    monkeypatch.setattr(quizzes, "ROOT", tmp_path)
    quizzes.main()
    said = capsys.readouterr().out.split()
    assert len(said) == 10
    for name, asked in QUESTIONS.items():
        for file, read in ((f"quizzes/moodle/{name}.xml", from_moodle), (f"quizzes/canvas/{name}.zip", from_canvas)):
            assert file in said
            assert list(read((tmp_path / file).read_bytes())) == [told(question) for question in asked], file
