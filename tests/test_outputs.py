"""What a sandbox says that a cell has shown is read for what it is, and nothing else comes through."""

import base64

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from lossprimer.grading.outputs import checked, fitting

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(20)).decode()
STREAM = {"output_type": "stream", "name": "stdout", "text": "one"}
ERROR = {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["E: v"]}
PICTURE = {"output_type": "display_data", "data": {"text/plain": "<Figure>", "image/png": PNG}}


def test_text_errors_and_pictures_come_through():
    found = checked([STREAM, ERROR, PICTURE])
    assert [dict(output) for output in found] == [STREAM, ERROR, PICTURE | {"metadata": {}}]
    nbformat.validate(new_notebook(cells=[new_code_cell(outputs=found)]))


@pytest.mark.parametrize("said", [None, 7, "text", {}, [None], [[]], [{}], [{"output_type": "stream"}], [object()]])
def test_what_is_no_list_of_outputs_is_nothing(said):
    assert checked(said) == []


@pytest.mark.parametrize(
    "output",
    [
        STREAM | {"text": ["one"]},
        STREAM | {"output_type": "update_display_data"},
        ERROR | {"traceback": [1]},
        ERROR | {"ename": None},
        PICTURE | {"data": ["image/png"]},
        PICTURE | {"data": {"text/plain": 3}},
    ],
)
def test_an_output_of_another_form_is_left_out(output):
    assert checked([output, STREAM]) == [STREAM]


@pytest.mark.parametrize(
    "data",
    [
        {"text/html": "<script>alert(1)</script>"},
        {"image/svg+xml": "<svg/>"},
        {"application/javascript": "alert(1)"},
        {"image/png": '" onerror="alert(1)'},
        {"image/png": base64.b64encode(b"<svg onload=alert(1)>").decode()},
        {"image/jpeg": PNG},
        {"image/png": PNG + "A" * 2**21},
    ],
)
def test_of_a_display_there_are_only_text_and_real_pictures(data):
    (found,) = checked([{"output_type": "display_data", "data": {"text/plain": "shown"} | data}])
    assert found.data == {"text/plain": "shown"}


def test_there_is_an_end_to_it():
    (found,) = checked([STREAM | {"text": "x" * 10**6}])
    assert len(found.text) < 30_000
    assert found.text.endswith("(cut: this shows more than can be kept)")
    assert len(checked([STREAM] * 1000)) == 100


def test_all_outputs_of_a_notebook_have_a_limit():
    shown = [new_output("stream", text="x" * 100) for _ in range(10)]
    assert fitting(shown, 10**4)[0] == shown
    found, left = fitting(shown, 500)
    assert found[:-1] == shown[: len(found) - 1]
    assert 1 < len(found) < 6
    assert "cut" in found[-1].text
    assert left == 0
    assert fitting(shown, left) == ([], 0)
