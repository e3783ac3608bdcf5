"""What frameworks do: the record is whole, its words are right, and the course says the same."""

import ast
import json
import re
from pathlib import Path

import numpy as np
import pytest

import lossprimer as lp
from frameworks import FRAMEWORKS, HERE, __main__, fingerprint, inputs, page, pins, record, words
from frameworks.probes import attempt, plain
from frameworks.words import QUESTIONS, say
from tests.parsed import read

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "book" / "frameworks.md").read_text("utf-8")
RECORD = record.load()
NAN = "nan"
ERROR = {"error": "ValueError", "message": "Expected more than 1 value"}


def asked(framework):
    """Return question and function of each probe, as they stand in the file: no framework is imported."""
    tree = ast.parse((HERE / "probes" / f"{framework}.py").read_text("utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {
        (part.args[0].value, node.name)
        for node in functions
        for part in node.decorator_list
        if isinstance(part, ast.Call) and part.func.id == "probe"
    }


def values(question, framework):
    """Return the recorded values of a framework, by what was asked."""
    return {
        answer["of"]: answer["value"]
        for answer in RECORD["answers"]
        if (answer["question"], answer["framework"]) == (question, framework)
    }


def sentences(question, framework=None):
    """Return the sentences of all answers, or those of one framework."""
    return [said for name, _, said, _ in record.sentences(RECORD, question) if framework in (None, name)]


# The record


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_every_framework_answers_every_question(framework):
    assert {question for question, _ in asked(framework)} == set(QUESTIONS)
    answered = {
        (answer["question"], answer["probe"]) for answer in RECORD["answers"] if answer["framework"] == framework
    }
    assert answered == asked(framework)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_record_was_made_by_these_probes_in_the_pinned_versions(framework):
    assert RECORD["probes"][framework] == fingerprint(framework), "run make frameworks"
    assert {name: version for name, version in RECORD["versions"][framework].items() if name != "Python"} == pins(
        framework
    )


def test_the_record_is_as_it_was_written():
    assert record.RECORD.read_text("utf-8") == __main__.written(RECORD)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", RECORD["date"])


def test_no_answer_is_one_that_the_words_do_not_know():
    everything = [said for question in QUESTIONS for said in sentences(question)]
    assert len(everything) > 200
    assert [said for said in everything if re.search("Something else|none of the known|Axes|seen", said)] == []


def test_no_message_names_a_folder():
    assert re.findall(r"(?<![\w.])/\w+/", json.dumps(RECORD)) == []


# Probes


def test_a_result_is_plain_numbers_and_an_error_is_a_result():
    assert plain({1: np.float32(0.1), "b": [np.array([[np.nan, -np.inf]]), "c"]}) == {
        "1": 0.1,
        "b": [[[NAN, "-inf"]], "c"],
    }
    assert attempt(lambda: np.ones(2, np.float16)) == [1, 1]
    message = "[ONNXRuntimeError] : 1 : FAIL : in /a/b/c.cc:7\nmore"
    assert attempt(lambda: [][0]) == {"error": "IndexError", "message": "list index out of range"}
    assert attempt(int, message) | {"message": ""} == {"error": "ValueError", "message": ""}


def fails(message):
    raise RuntimeError(message)


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        ("first\nsecond", "first"),
        ("", ""),
        ("[ONNXRuntimeError] : 9 : NOT_IMPLEMENTED : Could not find it", "Could not find it"),
        ("While running Dropout node. Name:'' Status Message: /a/b/c.h:4 float", "While running Dropout node."),
        ("{{function_node __wrapped__X}} A label of 3", "A label of 3"),
        ("see /home/me/lib/file.py", "see file.py"),
        ("half of 1/2/3 is a/b", "half of 1/2/3 is a/b"),
        ("x" * 300, "x" * 200),
    ],
)
def test_of_a_message_the_first_line_is_kept_without_folders(message, kept):
    assert attempt(fails, message) == {"error": "RuntimeError", "message": kept}


# Words: for each convention a value that follows it, whether or not a framework does


def spreads(place, eps):
    """Return the spread of each row after a normalization with epsilon somewhere."""
    variance = np.array(inputs.VARIANCES)
    divisor = {
        "inside": np.sqrt(variance + eps),
        "outside": np.sqrt(variance) + eps,
        "least": np.sqrt(np.maximum(variance, eps)),
    }
    return (np.sqrt(variance) / divisor[place]).tolist()


def smoothed(label, weights=(1, 1, 1, 1)):
    """Return the loss for each row of `FOUR` with this label."""
    logarithms = lp.log_softmax(inputs.FOUR.astype(float))
    return (-logarithms @ (np.array(label) * weights)).tolist()


def normalized(axis):
    """Return `CUBE`, of which each entry of an axis was normalized."""
    others = tuple({0, 1, 2} - {axis})
    return lp.normalize(inputs.CUBE, axis=others).tolist()


THREE = np.asarray(inputs.THREE[0], float)
TWO = -lp.log_softmax(inputs.TWO.astype(float))
FIRST, SECOND = TWO[0, 0], TWO[1]
CUBE = inputs.CUBE.astype(float)


@pytest.mark.parametrize(
    ("question", "value", "sentence"),
    [
        (
            "dropout-rate",
            {"zeros": 0.2031, "largest": 1.25},
            "Drop: 0.2 drops a fifth; what is kept is multiplied by 1.25.",
        ),
        ("dropout-rate", {"zeros": 0.797, "largest": 5}, "Keep: 0.2 keeps a fifth; what is kept is multiplied by 5."),
        ("dropout-rate", {"zeros": 0.2, "largest": 1}, "Drop: 0.2 drops a fifth; what is kept is multiplied by 1."),
        ("dropout-rate", {"zeros": 0.5, "largest": 2}, "Something else: 0.5."),
        ("dropout-default", 0.4966, "0.5."),
        ("dropout-default", 0.1033, "0.1."),
        (
            "dropout-default",
            {"error": "TypeError", "message": "f() missing 1 required positional argument: 'rate'"},
            "No default. `TypeError: f() missing 1 required positional argument: 'rate'`",
        ),
        ("dropout-mode", 0.195, "Training: it drops."),
        ("dropout-mode", 0.0, "Evaluation: it drops nothing."),
        ("dropout-extremes", {"0": [1] * 4, "1": [0] * 4}, "At 0: nothing is dropped. At 1: all is 0."),
        ("dropout-extremes", {"0": [0] * 4, "1": [NAN] * 4}, "At 0: all is 0. At 1: nan."),
        ("dropout-extremes", {"0": [1] * 4, "1": ERROR}, f"At 0: nothing is dropped. At 1: {words.error(ERROR)}."),
        ("dropout-extremes", {"0": [1] * 4, "1": ["inf"] * 4}, "At 0: nothing is dropped. At 1: Something else: inf"),
        (
            "train-eval-switch",
            {"zeros": 0.0, "normalized": [[7.99996], [11.99994]]},
            "Dropout drops nothing; batch normalization uses what it has stored.",
        ),
        (
            "train-eval-switch",
            {"zeros": 0.2, "normalized": [[-0.999], [0.999]]},
            "Dropout goes on dropping; batch normalization uses the batch.",
        ),
        ("batch-norm-mode", [[-0.9999988], [0.9999987]], "Training: it uses the batch."),
        ("batch-norm-mode", [[7.996], [11.994]], "Evaluation: it uses what it has stored."),
        ("batch-norm-epsilon", spreads("inside", 1e-5), "Inside the root, ε = 1e-5."),
        ("layer-norm-epsilon", spreads("inside", 1e-3), "Inside the root, ε = 0.001."),
        ("rms-norm-epsilon", spreads("inside", 2.0**-23), "Inside the root, ε = 1.2e-7."),
        ("rms-norm-epsilon", spreads("outside", 1e-3), "Outside the root, ε = 0.001."),
        ("group-norm-epsilon", spreads("outside", 1e-5), "Outside the root, ε = 1e-5."),
        ("group-norm-epsilon", spreads("least", 1e-5), "Not added: the variance is at least ε, ε = 1e-5."),
        ("layer-norm-epsilon", [1.0] * 10, "None that can be seen."),
        ("layer-norm-epsilon", [0.5] * 10, f"In none of the known places: {words.listed([0.5] * 10)}."),
        ("batch-variance", [[-1], [1]], "Biased, divided by n."),
        ("batch-variance", [[-0.7071], [0.7071]], "Unbiased, divided by n − 1."),
        ("stored-variance", {"mean": 1, "variance": 0.9 + 0.1 * 8}, "Unbiased, divided by n − 1."),
        ("stored-variance", {"mean": 1, "variance": 0.9 + 0.1 * 4}, "Biased, divided by n."),
        ("stored-variance", {"mean": 0.1, "variance": 0.99 + 0.01 * 8}, "Unbiased, divided by n − 1."),
        (
            "momentum",
            {"default": 1, "chosen": 2.5},
            "The share of the new batch, by default 0.1: a new batch counts for 0.1.",
        ),
        (
            "momentum",
            {"default": 0.1, "chosen": 7.5},
            "The share of the old average, by default 0.99: a new batch counts for 0.01.",
        ),
        ("batch-norm-axis", normalized(1), "Axis 1, after the examples."),
        ("batch-norm-axis", normalized(2), "The last axis."),
        ("batch-norm-axis", normalized(0), "Axes [0]."),
        (
            "batch-norm-one",
            {"vector": ERROR, "image": [-1.3416, -0.4472, 0.4472, 1.3416]},
            f"A vector: {words.error(ERROR)}. An image: normalized by its own pixels.",
        ),
        (
            "batch-norm-one",
            {"vector": [[0, 0, 0]], "image": ERROR},
            f"A vector: 0, whatever it holds. An image: {words.error(ERROR)}.",
        ),
        ("far-from-zero", [1.0, 0.9995, 1.001, 0.999], "Right: 1 up to a mean of 100,000."),
        (
            "far-from-zero",
            [1.0, 1.999996, 1000.0, 0.03125],
            "1 at a mean of 100; 2 at a mean of 1,000; 1,000 at a mean of 10,000; 0.0312 at a mean of 100,000.",
        ),
        ("loss-input", -lp.log_softmax(THREE)[0], "Scores (logits)."),
        ("loss-input", -np.log(0.5), "Probabilities, as they are."),
        ("loss-input", -np.log(0.5 / 0.9), "Probabilities, which it divides by their sum."),
        ("loss-input", -0.5, "Logarithms of probabilities."),
        ("loss-labels", {"integers": 1.111902, "vectors": 1.111902}, "Integers and vectors."),
        ("loss-labels", {"integers": ERROR, "vectors": 1.098612}, f"Vectors. Integers: {words.error(ERROR)}."),
        ("loss-labels", {"integers": [1.111902], "vectors": ERROR}, f"Integers. Vectors: {words.error(ERROR)}."),
        (
            "loss-labels",
            {"integers": [3.335704], "vectors": [1.111902]},
            "Vectors. Integers: a wrong loss, 3.34, and no error.",
        ),
        (
            "loss-axis",
            lp.cross_entropy(CUBE, inputs.CUBE_LABELS, axis=1),
            "Axis 1, after the examples.",
        ),
        ("loss-axis", lp.cross_entropy(CUBE, inputs.CUBE_LABELS, axis=2), "The last axis."),
        ("softmax-axis", lp.softmax(CUBE, axis=0).tolist(), "Axis 0."),
        ("softmax-axis", lp.softmax(CUBE, axis=1).tolist(), "Axis 1."),
        ("softmax-axis", lp.softmax(CUBE, axis=2).tolist(), "The last axis."),
        ("loss-reduction", (FIRST + SECOND[1]) / 2, "The mean."),
        ("loss-reduction", FIRST + SECOND[1], "The sum."),
        ("loss-reduction", [FIRST, SECOND[1]], "One loss for each example."),
        ("loss-ignored", FIRST, "The mean over those that count."),
        ("loss-ignored", FIRST / 2, "The sum over those that count, divided by the number of all."),
        (
            "loss-ignored",
            {"error": "TypeError", "message": "f() got an unexpected keyword argument 'ignore_index'"},
            "No such argument. `TypeError: f() got an unexpected keyword argument 'ignore_index'`",
        ),
        ("all-ignored", NAN, "nan."),
        ("all-ignored", 0.0, "0."),
        (
            "loss-outside",
            {"-100": FIRST, "-1": (FIRST + SECOND[2]) / 2, "3": ERROR},
            "−100: ignored. −1: taken for the last class. 3: `ValueError`.",
        ),
        (
            "loss-outside",
            {"-100": [FIRST, 0], "-1": [FIRST, SECOND[2]], "3": [FIRST, NAN]},
            "−100: it costs 0. −1: taken for the last class. 3: nan.",
        ),
        ("loss-outside", {"-100": FIRST / 2}, "−100: it costs 0."),
        (
            "label-smoothing",
            smoothed([0.85, 0.05, 0.05, 0.05]),
            "Over all K classes: the right one keeps 1 − α + α/K; here 0.85, 0.05, 0.05, 0.05.",
        ),
        (
            "label-smoothing",
            smoothed([0.8, 0.2 / 3, 0.2 / 3, 0.2 / 3]),
            "Over the K − 1 others: the right one keeps 1 − α; here 0.8, 0.0667, 0.0667, 0.0667.",
        ),
        (
            "label-smoothing",
            {"error": "ValidationError", "message": "Unrecognized attribute: label_smoothing"},
            "No such argument. `ValidationError: Unrecognized attribute: label_smoothing`",
        ),
        ("class-weights", (FIRST + 3 * SECOND[1]) / 4, "By the sum of the weights of the examples."),
        ("class-weights", (FIRST + 3 * SECOND[1]) / 2, "By the number of examples."),
        (
            "smoothing-weights",
            {
                "sum": smoothed([0.85, 0.05, 0.05, 0.05], inputs.FOUR_WEIGHTS),
                "mean": smoothed([0.425, 0.025, 0.025, 0.025], inputs.FOUR_WEIGHTS),
            },
            "Each class by its own weight; the mean divides by the weight of the right class.",
        ),
        (
            "smoothing-weights",
            {
                "sum": smoothed([1.7, 0.1, 0.1, 0.1]),
                "mean": smoothed([1.7, 0.1, 0.1, 0.1]),
            },
            "All by the weight of the right class; the mean divides by the number of examples.",
        ),
        ("loss-certain", 1000.0, "1,000."),
        ("loss-certain", "inf", "inf."),
        ("loss-operations", ["LogSoftmax", "NllLoss"], "2: `LogSoftmax`, `NllLoss`."),
        ("loss-operations", [*"abcdefgh", "a", "i"], "10: `a`, `b`, `c`, `d`, `e`, `f`, `g`, `h` and others."),
        ("softmax-masked", [[NAN] * 3], "nan."),
        ("softmax-masked", [[0, 0, 0]], "0 for each."),
        ("softmax-masked", [[1 / 3] * 3], "A third for each."),
        ("attention-masked", [[[NAN]]], "nan."),
        ("attention-masked", [[[[0.0]]]], "0."),
        ("attention-masked", [[[[2.0]]]], "The mean of all values, although they are masked."),
        (
            "softmax-low-precision",
            {"float16": 7.808208e-06, "bfloat16": 0.00390625},
            "float16: 7.81e-6, right. bfloat16: 0.00391 instead of 7.81e-6.",
        ),
        (
            "softmax-low-precision",
            {"float16": 0.0, "bfloat16": ERROR},
            "float16: 0 instead of 7.81e-6. bfloat16: `ValueError`.",
        ),
        (
            "loss-low-precision",
            {"float16": "inf", "bfloat16": 11.75},
            "float16: inf instead of 11.8. bfloat16: 11.8, right.",
        ),
        ("mean-low-precision", {"float16": NAN, "bfloat16": 1}, "float16: nan instead of 1. bfloat16: 1, right."),
        (
            "layer-norm-low-precision",
            {"float16": [0], "bfloat16": [1.17]},
            "float16: 0 instead of 1. bfloat16: 1.17 instead of 1.",
        ),
        ("rms-norm-low-precision", {"float16": [1], "bfloat16": [0.995]}, "float16: 1, right. bfloat16: 0.995, right."),
        ("momentum", ERROR, "`ValueError: Expected more than 1 value`"),
    ],
)
def test_a_value_is_said(question, value, sentence):
    said = say(question, value)
    assert said.startswith(sentence) if "Something" in sentence else said == sentence


def test_there_is_a_value_for_every_question():
    (cases,) = (mark.args[1] for mark in test_a_value_is_said.pytestmark if mark.name == "parametrize")
    assert {question for question, *_ in cases} == set(QUESTIONS)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-0.5, "−0.5"),
        (1e-5, "1e-5"),
        (1.2e-7, "1.2e-7"),
        (7.81e-6, "7.81e-6"),
        (0.001, "0.001"),
        (1 / 3, "0.333"),
    ]
    + [(1e-10, "1e-10"), (16.118, "16.1"), (999.7, "1,000"), (100000, "100,000"), ("-inf", "−inf"), (NAN, NAN)],
)
def test_a_number_is_low_precision(value, text):
    assert words.number(value) == text


def test_a_long_message_is_cut_between_words_and_keeps_its_sentence_one_piece_of_code():
    said = words.error({"error": "E", "message": "`rate` " + "word " * 50})
    assert said.startswith("`E: 'rate' word ")
    assert said.endswith("word …`")
    assert said.count("`") == 2
    assert len(said) < 120


# What changed


def changed(question, framework, of, value):
    """Return the record with one other value."""
    answers = [
        answer | {"value": value}
        if (answer["question"], answer["framework"], answer["of"]) == (question, framework, of)
        else answer
        for answer in RECORD["answers"]
    ]
    assert answers != RECORD["answers"]
    return RECORD | {"answers": answers}


def test_a_digit_and_a_version_alone_are_no_change():
    assert record.changes(RECORD, RECORD) == []
    assert (
        record.changes(RECORD, changed("dropout-rate", "jax", "nnx.Dropout", {"zeros": 0.2077, "largest": 1.25})) == []
    )
    versions = {name: versions | {"numpy": "9"} for name, versions in RECORD["versions"].items()}
    assert record.changes(RECORD, RECORD | {"versions": versions}) == []


def test_another_sentence_a_new_one_and_one_less_are_changes():
    now = changed("all-ignored", "keras", "SparseCategoricalCrossentropy(ignore_class=)", NAN)
    now["answers"] = [
        answer for answer in now["answers"] if answer["question"] != "loss-axis" or answer["framework"] == "jax"
    ]
    now["answers"].append(
        {"question": "momentum", "framework": "jax", "of": "new", "probe": "momentum", "value": ERROR}
    )
    lines = record.changes(RECORD, now)
    at = lines.index("- all-ignored, Keras, TensorFlow, `SparseCategoricalCrossentropy(ignore_class=)`")
    assert lines[at + 1 : at + 3] == ["  - before: 0.", "  - now: nan."]
    assert "- loss-axis, PyTorch, `F.cross_entropy`" in lines
    assert "  - before: not asked" in lines
    assert "  - now: not asked" in lines
    assert f"- PyTorch: Python {RECORD['versions']['pytorch']['Python']}" in lines[-4]


def test_the_command_says_what_changed_and_fails(tmp_path, monkeypatch, capsys):
    path = tmp_path / "newest.json"
    monkeypatch.setattr("sys.argv", ["frameworks", "--compare", str(path)])
    path.write_text(__main__.written(RECORD), "utf-8")
    assert __main__.main() == 0
    assert capsys.readouterr().out == "Every answer is the same.\n"
    path.write_text(__main__.written(changed("loss-certain", "pytorch", "F.cross_entropy", "inf")), "utf-8")
    assert __main__.main() == 1
    assert "- loss-certain, PyTorch, `F.cross_entropy`\n  - before: 1,000.\n  - now: inf.\n" in capsys.readouterr().out


def test_the_newest_versions_are_written_elsewhere(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        __main__, "ask", lambda name, **how: asked.append((name, how)) or {"versions": {}, "answers": [name]}
    )
    monkeypatch.setattr("sys.argv", ["frameworks", "--newest", str(tmp_path / "newest.json")])
    before = record.RECORD.read_bytes()
    assert __main__.main() == 0
    assert asked == [(name, {"newest": True}) for name in FRAMEWORKS]
    assert record.load(tmp_path / "newest.json")["answers"] == list(FRAMEWORKS)
    assert record.RECORD.read_bytes() == before


# The page


def test_the_page_has_a_section_for_every_question():
    assert re.findall(r"```\{measured\} ([\w-]+)\n```", PAGE) == list(QUESTIONS)
    sections = re.split(r"(?m)^(?=\([\w-]+\)=\n### )", PAGE)[1:]
    for question, section in zip(QUESTIONS, sections, strict=True):
        assert section.startswith(f"({question})=\n### ")
        assert f"{{measured}} {question}\n" in section
        reason = section.split("```")[0]
        assert len(reason.split()) > 20, question
        assert "](../notebooks/" in reason, question


def test_what_answers_alike_is_one_answer_with_all_its_probes():
    answers = record.answers(RECORD, "dropout-mode")
    together = [answer for answer in answers if len(answer.of) > 1]
    assert together
    assert len({(answer.framework, answer.sentence) for answer in answers}) == len(answers)
    assert sum(len(answer.of) for answer in answers) == len(sentences("dropout-mode"))


def test_an_answer_folds_out_into_the_lines_that_measured_it():
    (answer,) = (a for a in record.answers(RECORD, "momentum") if a.framework == "pytorch")
    item = page.answered(answer)
    (summary,) = item.findall(page.summary)
    assert summary.astext() == f"PyTorch torch.nn.BatchNorm1d: {answer.sentence}"
    (code,) = item.findall(page.nodes.literal_block)
    assert code.astext().startswith('@probe("momentum", "torch.nn.BatchNorm1d")\ndef momentum():\n')
    assert code.astext() in (HERE / "probes" / "pytorch.py").read_text("utf-8")


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_probes_and_what_they_share_are_the_whole_module(framework):
    text = (HERE / "probes" / f"{framework}.py").read_text("utf-8")
    parts = [record.source(framework, name) for _, name in sorted(asked(framework))] + [record.shared(framework)]
    shown = {line for part in parts for line in part.splitlines()}
    _, _, code = text.partition('"""\n')
    assert {line for line in code.splitlines() if line and not line.startswith("#")} <= shown
    assert "@probe" not in record.shared(framework)


def test_code_in_a_sentence_is_code():
    kinds = [(type(node).__name__, node.astext()) for node in page.spoken("None. `TypeError: no`, then `x`.")]
    assert kinds == [
        ("Text", "None. "),
        ("literal", "TypeError: no"),
        ("Text", ", then "),
        ("literal", "x"),
        ("Text", "."),
    ]


def test_an_operation_that_two_programs_run_is_named_once():
    asked = ["Dropout, runtime", "Dropout, reference", "Softmax, runtime", "keras.layers.Softmax, mask"]
    assert page.named(asked) == [
        "`Dropout` (runtime, reference)",
        "`Softmax` (runtime)",
        "`keras.layers.Softmax, mask`",
    ]


@pytest.mark.site
def test_the_built_page_says_what_the_record_says():
    built = read("book/frameworks.html")
    lists = built.select("ul.measured")
    assert len(lists) == len(QUESTIONS)
    for question, shown in zip(QUESTIONS, lists, strict=True):
        assert shown.find_parent("section").find(id=question), question
        answers = record.answers(RECORD, question)
        assert [item.summary.get_text() for item in shown.select("li")] == [
            f"{FRAMEWORKS[a.framework]} {', '.join(page.named(a.of))}: {a.sentence}".replace("`", "") for a in answers
        ]
        code = [[block.get_text().strip() for block in item.select("pre")] for item in shown.select("li")]
        assert code == [[record.source(a.framework, probe) for probe in a.probes] for a in answers]
    text = " ".join(built.get_text().split())
    for versions in RECORD["versions"].values():
        for package, version in versions.items():
            assert f"{package} {version}" in text


@pytest.mark.site
@pytest.mark.parametrize("width", [1280, 375])
def test_an_answer_opens_by_key_and_fits_the_screen(look_at, width):
    opened = look_at("book/frameworks.html", width, 800)
    probe = opened.locator("ul.measured details").first
    probe.locator("summary").focus()
    opened.keyboard.press("Enter")
    assert probe.evaluate("details => details.open")
    assert "def dropout_rate(dropout):" in probe.inner_text()
    assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")


# Pieces of names that go on in the next line with a letter before and after the break.
WITHIN_WORDS = r"""all => all.flatMap((name) => {
  const texts = document.createTreeWalker(name, NodeFilter.SHOW_TEXT);
  const letters = [];
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    [...text.data].forEach((letter, i) => {
      const range = document.createRange();
      range.setStart(text, i);
      range.setEnd(text, i + 1);
      letters.push([letter, range.getBoundingClientRect()]);
    });
  }
  return letters.flatMap(([letter, box], i) => {
    const [before, last] = letters[i - 1] ?? [" "];
    const ends = /[A-Za-z]/.test(before) && /[A-Za-z]/.test(letter) && box.top > last.top + 4;
    return ends ? [`${name.textContent} before its letter ${i}`] : [];
  });
})"""


@pytest.mark.site
@pytest.mark.parametrize("width", [1280, 375])
def test_no_name_ends_its_line_within_a_word(look_at, width):
    opened = look_at("book/frameworks.html", width, 800)
    names = opened.locator("ul.measured summary code")
    assert names.count() > 200
    assert names.evaluate_all(WITHIN_WORDS) == []


# What the course says of frameworks, here and elsewhere


def said_of(question, framework, of):
    (sentence,) = {
        said for name, what, said, _ in record.sentences(RECORD, question) if (name, what) == (framework, of)
    }
    return sentence


def test_what_the_page_says_in_short_is_what_came_out():
    assert all(said.startswith("Drop:") for said in sentences("dropout-rate"))
    assert {said.partition(":")[0] for said in sentences("dropout-mode")} > {"Training", "Evaluation"}
    norms = "batch-norm", "layer-norm", "rms-norm", "group-norm"
    assert all(said.startswith("Inside the root") for norm in norms for said in sentences(f"{norm}-epsilon"))
    for framework, of, eps in [
        ("pytorch", "torch.nn.LayerNorm", "1e-5"),
        ("onnx", "LayerNormalization, runtime", "1e-5"),
        ("jax", "nnx.LayerNorm", "1e-6"),
        ("jax", "linen.LayerNorm", "1e-6"),
        ("keras", "keras.layers.LayerNormalization", "0.001"),
    ]:
        assert said_of("layer-norm-epsilon", framework, of).endswith(f"ε = {eps}.")
    counts = {"pytorch": ("new", "0.1"), "onnx": ("old", "0.9"), "keras": ("old", "0.99"), "jax": ("old", "0.99")}
    for framework, (share, default) in counts.items():
        assert all(
            f"the {share}" in said and f"default {default}:" in said for said in sentences("momentum", framework)
        )
        unbiased = framework == "pytorch"
        assert all(said.startswith("Unbiased") == unbiased for said in sentences("stored-variance", framework))
        keras = {of: said for name, of, said, _ in record.sentences(RECORD, "loss-input") if name == framework}
        assert all(said.startswith("Probabilities") == of.endswith("Crossentropy") for of, said in keras.items())
        last = all("−1: taken for the last class" in said for said in sentences("loss-outside", framework))
        assert last == (framework in ("jax", "onnx"))
        assert set(sentences("all-ignored", framework)) == {"0." if framework == "keras" else "nan."}
    plain_softmax = (
        "F.softmax",
        "keras.ops.softmax",
        "tf.nn.softmax",
        "jax.nn.softmax",
        "Softmax, runtime",
        "Softmax, reference",
    )
    masked = {of: said for _, of, said, _ in record.sentences(RECORD, "softmax-masked")}
    assert {masked[of] for of in plain_softmax} == {"nan."}
    far = {(name, of): said for name, of, said, _ in record.sentences(RECORD, "far-from-zero")}
    assert not far["jax", "nnx.LayerNorm"].startswith("Right")
    assert not far["jax", "linen.LayerNorm"].startswith("Right")
    assert all(said.startswith("Right") for (name, _), said in far.items() if name != "jax")
    frozen = {of: said for _, of, said, _ in record.sentences(RECORD, "train-eval-switch") if "False" in of}
    dropping = "Dropout goes on dropping; batch normalization uses"
    assert frozen["model.requires_grad_(False)"] == f"{dropping} the batch."
    assert frozen["trainable=False, training=True"] == f"{dropping} what it has stored."
    assert said_of("softmax-low-precision", "jax", "jax.nn.softmax").startswith("float16: 0 ")
    assert said_of("softmax-low-precision", "keras", "tf.nn.softmax").startswith("float16: 0 ")
    assert said_of("loss-low-precision", "pytorch", "F.cross_entropy").startswith("float16: inf ")
    assert all(said.startswith("float16: inf ") for said in sentences("loss-low-precision", "jax"))


def course():
    """Return what the course says elsewhere: chapters and problem sets with their code, pages, docstrings."""
    notebooks = [*ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("exercises/source/*/*.ipynb")]
    cells = [cell for path in notebooks for cell in json.loads(path.read_text("utf-8"))["cells"]]
    files = [*ROOT.glob("lossprimer/*.py"), *ROOT.glob("book/*.md")]
    texts = ["".join(cell["source"]) for cell in cells]
    texts += [path.read_text("utf-8") for path in files if path.name != "frameworks.md"]
    return "\n\n".join(" ".join(text.split()) for text in texts)


def default(framework, question):
    """Return the one number that all layers of a framework have by default."""
    (value,) = {re.search(r"(?:default|ε =) ([\d.e-]+[\d])", said)[1] for said in sentences(question, framework)}
    return float(value)


# Sentences of the course, each with the numbers that have to stand in it.
STATED = {
    r"PyTorch, and here, momentum is the weight of the \*new\* batch: ([\d.]+) by default": lambda: [
        default("pytorch", "momentum")
    ],
    r"weight of the \*new\* batch: [\d.]+ by default, with \$\\varepsilon = 10\^\{(-\d+)\}\$": lambda: [
        np.log10(default("pytorch", "batch-norm-epsilon"))
    ],
    r"weight of the \*old\* average: ([\d.]+) by default": lambda: [default("keras", "momentum")],
    r"weight of the \*old\* average: [\d.]+ by default, with \$\\varepsilon = 10\^\{(-\d+)\}\$": lambda: [
        np.log10(default("keras", "batch-norm-epsilon"))
    ],
    r"Keras's default is ([\d.]+) in PyTorch's convention": lambda: [1 - default("keras", "momentum")],
    r"By PyTorch's convention their targets are marked with [−-](\d+)": lambda: [
        100 if "−100: ignored" in said_of("loss-outside", "pytorch", "F.cross_entropy") else np.nan
    ],
}


@pytest.mark.parametrize("pattern", STATED)
def test_a_number_that_the_course_gives_for_a_framework_is_the_measured_one(pattern):
    found = re.findall(pattern, course())
    assert found, "the course says it otherwise now: give this test the new words"
    for number in found:
        assert [float(number)] == pytest.approx(STATED[pattern]())


# What the course says in words, and which answers have to begin so.
IN_WORDS = {
    "PyTorch's `p` and Keras's `rate` are the probability of **dropping** a unit": [
        ("dropout-rate", "pytorch", "Drop:"),
        ("dropout-rate", "keras", "Drop:"),
    ],
    "PyTorch and Keras take the probability of *dropping*": [
        ("dropout-rate", "pytorch", "Drop:"),
        ("dropout-rate", "keras", "Drop:"),
    ],
    "what Keras and ONNX call momentum is 1 minus this": [
        ("momentum", "pytorch", "The share of the new"),
        ("momentum", "keras", "The share of the old"),
        ("momentum", "onnx", "The share of the old"),
    ],
    "the unbiased one is kept, as in PyTorch; ONNX keeps the biased": [
        ("batch-variance", "pytorch", "Biased"),
        ("stored-variance", "pytorch", "Unbiased"),
        ("stored-variance", "onnx", "Biased"),
    ],
    "PyTorch's default for `eps` is the precision of the float type": [
        ("rms-norm-epsilon", "pytorch", "Inside the root, ε = 1.2e-7")
    ],
    "PyTorch and this course's layer refuse": [("batch-norm-one", "pytorch", "A vector: `ValueError")],
    "PyTorch's `cross_entropy` is two in a row": [("loss-operations", "pytorch", "2: `LogSoftmax")],
}


@pytest.mark.parametrize("words_of_the_course", IN_WORDS)
def test_a_convention_that_the_course_names_is_the_measured_one(words_of_the_course):
    assert words_of_the_course in course(), "the course says it otherwise now: give this test the new words"
    for question, framework, beginning in IN_WORDS[words_of_the_course]:
        assert all(said.startswith(beginning) for said in sentences(question, framework))


def batch_norm(x, **options):
    layer = lp.BatchNorm(x.shape[1], **options)
    return layer(x), layer


def test_the_package_has_the_conventions_of_pytorch_that_it_claims():
    """Given what PyTorch was given, `lossprimer` returns what PyTorch returned."""
    pytorch = {
        (answer["question"], answer["of"]): answer["value"]
        for answer in RECORD["answers"]
        if answer["framework"] == "pytorch"
    }
    own, labels, ignored = lp.cross_entropy, np.array([0, 1]), {"ignore_index": 2}
    smooth, weights = {"label_smoothing": 0.2}, {"weight": inputs.FOUR_WEIGHTS}
    y, layer = batch_norm(inputs.PAIR)
    _, chosen = batch_norm(inputs.PAIR, momentum=0.25)
    equal = {
        ("loss-input", "F.cross_entropy"): own(inputs.THREE, [0]),
        ("loss-axis", "F.cross_entropy"): own(inputs.CUBE, inputs.CUBE_LABELS, axis=1),
        ("loss-reduction", "F.cross_entropy"): own(inputs.TWO, labels),
        ("loss-ignored", "F.cross_entropy(ignore_index=)"): own(inputs.TWO, [0, 2], **ignored),
        ("all-ignored", "F.cross_entropy(ignore_index=)"): own(inputs.TWO, [2, 2], **ignored),
        ("label-smoothing", "F.cross_entropy(label_smoothing=)"): [own(z, 0, **smooth) for z in inputs.FOUR],
        ("class-weights", "F.cross_entropy(weight=)"): own(inputs.TWO, labels, weight=inputs.WEIGHTS),
        ("loss-certain", "F.cross_entropy"): own(np.array([[1000.0, 0.0]]), [1]),
        ("softmax-masked", "F.softmax"): lp.softmax(inputs.MASKED),
        ("batch-norm-mode", "torch.nn.BatchNorm1d"): y,
        ("batch-norm-epsilon", "torch.nn.BatchNorm1d"): batch_norm(inputs.ROWS.T)[0].std(axis=0),
        ("batch-norm-axis", "torch.nn.BatchNorm1d"): batch_norm(inputs.CUBE)[0],
        ("layer-norm-epsilon", "torch.nn.LayerNorm"): lp.LayerNorm(8)(inputs.ROWS).std(axis=-1),
        ("far-from-zero", "torch.nn.LayerNorm"): np.ones(4),
    }
    for key, value in equal.items():
        np.testing.assert_allclose(value, np.array(pytorch[key], float), atol=5e-4, err_msg=str(key))
    both = pytorch["smoothing-weights", "F.cross_entropy(weight=, label_smoothing=)"]
    for how, recorded in both.items():
        np.testing.assert_allclose(
            [own(z, 0, reduction=how, **smooth, **weights) for z in inputs.FOUR], recorded, rtol=1e-5
        )
    stored = pytorch["stored-variance", "torch.nn.BatchNorm1d"]
    np.testing.assert_allclose(
        [layer.running_mean[0], layer.running_var[0]], [stored["mean"], stored["variance"]], rtol=1e-5
    )
    shares = pytorch["momentum", "torch.nn.BatchNorm1d"]
    np.testing.assert_allclose([layer.running_mean[0], chosen.running_mean[0]], [shares["default"], shares["chosen"]])
    with pytest.raises(ValueError, match="more than one value per feature"):
        batch_norm(inputs.VECTOR)


def test_the_package_adds_up_float16_in_float32():
    zeros = np.zeros(inputs.VOCABULARY, np.float16)
    assert lp.softmax(zeros).max() == pytest.approx(1 / inputs.VOCABULARY, rel=0.01)
    assert lp.cross_entropy(zeros[None], [0]) == pytest.approx(np.log(inputs.VOCABULARY), rel=0.01)
    for layer in (lp.LayerNorm(512), lp.RMSNorm(512)):
        assert layer(inputs.LARGE.astype(np.float16)).astype(float).std() == pytest.approx(1, rel=0.01)
