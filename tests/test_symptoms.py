"""Symptoms: each cause is one that a linked section shows, with its numbers, and the code tells the causes apart."""

import contextlib
import functools
import io
import re
from pathlib import Path

import numpy as np
import pytest
from nbformat import from_dict
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

import lossprimer as lp
from frameworks import record
from lossprimer.data import digits
from lossprimer.transformer import Transformer
from tools import notebooks, prose

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "book" / "symptoms.md").read_text("utf-8")
FRAMEWORKS = (ROOT / "book" / "frameworks.md").read_text("utf-8")
SYMPTOMS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
CODE = re.compile(r"^```python\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
CAUSE = re.compile(r"^\d\. (.+?)(?=^\d\. |^\S|\Z)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?:\.\./notebooks/(\w+)\.ipynb|(frameworks)\.md)#([^)\s]+)\)")
HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)

CAUSES = [(symptom, " ".join(cause.split())) for symptom, text in SYMPTOMS.items() for cause in CAUSE.findall(text)]
each_symptom = pytest.mark.parametrize("symptom", SYMPTOMS)


def anchor(heading):
    """Return the address that a heading has as a link in Markdown."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@functools.cache
def chapter(name):
    return notebooks.load(ROOT / "notebooks" / f"{name}.ipynb")


@functools.cache
def section(name, place):
    """Return the cells of a notebook's section, from its heading to the next one that is not below it."""
    found, depth = [], None
    for cell in chapter(name).cells:
        for level, heading in HEADING.findall(cell.source) if cell.cell_type == "markdown" else ():
            if depth and len(level) <= depth:
                depth = None
            if not found and anchor(heading) == place:
                depth = len(level)
        if depth:
            found.append(cell)
    return found


@functools.cache
def measured(place):
    """Return what the frameworks answered to the question with this heading, as the output of a cell."""
    questions = re.findall(r"\(([^)\s]+)\)=\n### (.+)", FRAMEWORKS)
    (question,) = [question for question, heading in questions if anchor(heading) == place]
    said = " ".join(said for _, _, said, _ in record.sentences(record.load(), question))
    return [new_code_cell("", outputs=[new_output("stream", text=said)])]


def linked(text):
    """Return the code cells of all the sections that a text links to; a link to no section fails."""
    cells = []
    for name, is_frameworks, place in LINK.findall(text):
        found = measured(place) if is_frameworks else section(name, place)
        assert found, f"there is no section {name}#{place}"
        cells += found
    return [cell for cell in cells if cell.cell_type == "code" and not prose.asks(cell)]


def unshown(text, cells=()):
    """Return the numbers of a text that stand neither in the sections that it links to nor in more cells."""
    # No valid notebook: two chapters can have cells with the same id.
    nb = from_dict({"cells": [new_markdown_cell(text), *linked(text), *cells]})
    return [number.number for number in prose.unsupported(nb)]


def test_there_are_a_dozen_symptoms_and_each_has_causes():
    assert 12 <= len(SYMPTOMS) <= 20
    assert {symptom for symptom, _ in CAUSES} == SYMPTOMS.keys()
    assert all(len(CAUSE.findall(text)) >= 2 for text in SYMPTOMS.values())


@pytest.mark.parametrize(("symptom", "cause"), CAUSES)
def test_a_cause_is_named_and_shown_where_it_links_to(symptom, cause):
    assert re.match(r"\*\*[A-Z][^*]+\.\*\* ", cause)
    assert LINK.search(cause)
    assert unshown(cause) == []


@each_symptom
def test_what_else_a_symptom_says_is_shown_there_or_in_its_code(symptom):
    code = [new_code_cell(block) for block in CODE.findall(SYMPTOMS[symptom])]
    assert set(unshown(CODE.sub("", SYMPTOMS[symptom]), code)) <= {"1.0"}  # a whole fraction, as Python prints it


@each_symptom
def test_what_is_said_of_the_code_names_causes_that_there_are(symptom):
    said = CODE.split(SYMPTOMS[symptom])[-1]
    named = {int(number) for group in re.findall(r"\((\d(?:, \d)*)\)", said) for number in group.split(", ")}
    assert named <= set(range(1, len(CAUSE.findall(SYMPTOMS[symptom])) + 1))


def test_a_wrong_number_and_a_wrong_link_are_found():
    link = "[x](../notebooks/02_cross_entropy.ipynb#what-do-frameworks-do)"
    assert unshown(f"It is 0.5519. {link}") == []
    assert unshown(f"It is 0.5518. {link}") == ["0.5518"]
    # A number of another section of the same chapter does not count.
    assert unshown(f"It is 2.974. {link}") == ["2.974"]
    with pytest.raises(AssertionError, match="no section"):
        unshown(link.replace("what-do", "when-do"))


# The code, on an example of each cause

Z = np.random.default_rng(0).normal(size=(6, 4))
LABELS = np.array([0, 1, 2, 3, 0, 1])
NAN_ROW = np.where(np.arange(6)[:, None] == 2, np.nan, Z)
MASKED_ROW = np.where(np.arange(6)[:, None] == 2, -np.inf, Z)
ONE_CLASS_MASKED = np.where(np.arange(4) == 3, -np.inf, Z)


def transformer(*, causal):
    return Transformer(12, 16, causal=causal, rng=np.random.default_rng(0))


def network(*, keep, normalized):
    """Return a network in training mode whose input is four numbers."""
    rng = np.random.default_rng(0)
    norm = lp.BatchNorm(4) if normalized else lp.LayerNorm(4)
    return lp.Sequential(lp.Linear(4, 4, rng=rng), norm, lp.Dropout(keep, rng=rng))


def outputs(scale):
    """Return the outputs of twenty layers whose weights start at this scale."""
    rng = np.random.default_rng(0)
    layers = [layer for _ in range(20) for layer in (lp.Linear(64, 64, rng=rng, scale=scale), lp.ReLU())]
    x, activations = rng.normal(size=(32, 64)), []
    for layer in layers:
        x = layer(x)
        activations.append(x)
    return activations[1::2]


def run(symptom, **given):
    """Run the code of a symptom; returns what it prints, as values."""
    (code,) = CODE.findall(SYMPTOMS[symptom])
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(code, {"np": np, **given})
    text = said.getvalue().strip()
    if text.startswith("["):
        return [float(number) for number in re.findall(r"[\d.e+-]+", text)]
    return [
        {"True": True, "False": False}.get(word) if word in ("True", "False") else float(word) for word in text.split()
    ]


def test_the_loss_is_nan():
    def seen(z, labels):
        return run("The loss is nan", z=z, labels=labels)

    assert seen(Z, LABELS) == seen(ONE_CLASS_MASKED, LABELS) == [True, False, 1]
    assert seen(MASKED_ROW, LABELS) == [False, True, 1]
    assert seen(NAN_ROW, LABELS) == seen(np.full_like(Z, np.inf), LABELS) == [False, False, 1]
    assert seen(Z, np.full(6, -100)) == [True, False, 0]


def test_the_loss_is_infinite():
    (lowest,) = run("The loss is infinite", z=ONE_CLASS_MASKED, labels=LABELS)
    assert lowest == -np.inf
    far = np.array([[1000.0, 0.0]])
    assert run("The loss is infinite", z=far, labels=np.array([1])) == [0]
    # Padding does not count.
    padded = np.array([[1000.0, 0.0], [-np.inf, 0.0]])
    assert run("The loss is infinite", z=padded, labels=np.array([1, -100])) == [0]
    with np.errstate(divide="ignore"):
        assert -np.log(lp.softmax(far)[0, 1]) == np.inf


def test_the_loss_starts_near_ln_k_and_stays_there():
    rng = np.random.default_rng(0)
    split = digits(rng, train=500)

    def seen(model):
        return run("The loss starts near ln K and stays there", z=model(split.train_images))[0]

    model = lp.Sequential(lp.Linear(64, 64, rng=rng), lp.ReLU(), lp.Linear(64, 10, rng=rng))
    for rate, low, high in ((0.1, 0.8, 1), (8, 0, 0.05)):
        options = {"optimizer": lp.SGD(model.parameters(), lr=rate), "rng": rng, "progress": False}
        lp.fit(model, split.train_images, split.train_labels, batch_size=50, epochs=3, **options)
        assert low <= seen(model) <= high


def test_the_first_loss_is_far_above_ln_k():
    z = np.random.default_rng(0).normal(size=(50, 10))
    labels = np.arange(50) % 10
    by, of, spread = run("The first loss is far above ln K", z=z, loss=lp.cross_entropy(z, labels, reduction="sum"))
    assert abs(by - of) < of / 3
    assert abs(spread - 1) < 0.1
    by, of, spread = run("The first loss is far above ln K", z=20 * z, loss=lp.cross_entropy(20 * z, labels))
    assert by < of / 3
    assert spread > 10


def test_the_loss_stops_far_above_0():
    assert run("The loss stops far above 0", z=lp.softmax(Z)) == [True]
    assert run("The loss stops far above 0", z=Z) == run("The loss stops far above 0", z=Z + 5) == [False]


def test_the_loss_is_lower_than_it_can_be():
    x = np.random.default_rng(0).integers(0, 12, size=(2, 9))
    for causal in (True, False):
        (seen,) = run("The loss is lower than it can be", x=x, vocabulary=12, model=transformer(causal=causal))
        assert (seen == 0) is causal


def test_training_accuracy_rises_and_validation_accuracy_falls():
    found = run("Training accuracy rises and validation accuracy falls", validation=[0.5, 0.9, 0.7])
    assert found == [1, 0.9, 0.7]


def test_the_same_input_gets_different_answers():
    def seen(model):
        return run("The same input gets different answers", x=Z, model=model)

    assert seen(network(keep=0.5, normalized=False))[0] > 0.1
    first, second = seen(network(keep=1, normalized=True))
    assert first == 0
    assert second > 0.1
    first, second = seen(network(keep=0.5, normalized=True).eval())
    assert first == 0
    assert second < 1e-12


def test_good_in_training_mode_bad_in_evaluation_mode():
    rng = np.random.default_rng(0)

    def stored(batches, momentum=0.1):
        layer = lp.BatchNorm(3, momentum=momentum)
        for _ in range(batches):
            layer(rng.normal(5, 4, size=(64, 3)))
        return run(
            "Good in training mode, bad in evaluation mode",
            h=rng.normal(5, 4, size=(1000, 3)),
            running_var=layer.running_var,
        )[0]

    assert abs(stored(100) - 1) < 0.2
    assert stored(2) > 2
    assert stored(20, momentum=0.01) > 2


def test_a_batch_of_one_fails():
    assert run("A batch of one fails", examples=1000, batch_size=37) == [1]
    assert run("A batch of one fails", examples=1000, batch_size=50) == [0]


def test_confident_and_wrong():
    labels = LABELS
    p = lp.softmax(3 * lp.one_hot((labels + (np.arange(6) < 3)) % 4, 4))
    assert run("Confident and wrong", p=p, labels=labels)[0] > 0.3
    assert run("Confident and wrong", p=lp.softmax(lp.one_hot(labels, 4)), labels=labels)[0] < -0.3


def test_gradients_vanish_or_explode_with_depth():
    sizes = [run("Gradients vanish or explode with depth", activations=outputs(scale)) for scale in (1, 2, 4)]
    fades, keeps, grows = sizes
    assert fades[-1] < 1e-2 * fades[0]
    assert 0.2 < keeps[-1] / keeps[0] < 5
    assert grows[-1] > 1e2 * grows[0]


def test_float16_overflows():
    assert run("float16 overflows", z=np.array([12.0]), h=np.array([-300.0])) == [True, True]
    assert run("float16 overflows", z=np.array([11.0]), h=np.array([255.875])) == [False, False]
    with np.errstate(over="ignore"):
        assert np.isinf(np.exp(np.float16(11.1)))
        assert np.isinf(np.float16(256) ** 2)
        assert np.isfinite(np.float16(255.875) ** 2)


@pytest.mark.parametrize(("keep", "dropped"), [(0.9, 0.1), (0.1, 0.9)])
def test_with_dropout_it_hardly_learns(keep, dropped):
    layer = lp.Dropout(keep, rng=np.random.default_rng(0))
    (found,) = run("With dropout it hardly learns", dropout=layer)
    assert abs(found - dropped) < 0.01


@each_symptom
def test_the_lines_of_code_fit_into_the_column(symptom):
    assert all(len(line) <= 74 for block in CODE.findall(SYMPTOMS[symptom]) for line in block.splitlines())


@each_symptom
def test_each_code_is_run_here(symptom):
    name = "test_" + re.sub(r"\W+", "_", symptom.lower())
    assert not CODE.search(SYMPTOMS[symptom]) or name in globals()
