"""Any file that an editor writes is read; what is none is refused with the reason, whatever its bytes are."""

import contextlib
import hashlib
import json
import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from lossprimer.grading.reading import BYTES, CELLS, Unreadable, contents, parse, read

TEXT = "The größte score – “z” – is \N{GREEK SMALL LETTER ALPHA}."
LATIN = "The größte score – “z”."


def written(text=TEXT, **changes):
    """The text of a notebook's file, in which letters stand as they are."""
    notebook = new_notebook(cells=[new_markdown_cell(text), new_code_cell("x = 1\ny = 2")])
    return json.dumps({**notebook, **changes}, ensure_ascii=False)


def sources(data):
    return [cell.source for cell in parse(data).notebook.cells]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_unicode_encoding_is_read(encoding, end):
    text = json.dumps(json.loads(written()), ensure_ascii=False, indent=1).replace("\n", end)
    assert sources(text.encode(encoding)) == [TEXT, "x = 1\ny = 2"]


@pytest.mark.parametrize("mark", [b"\xfe\xff", b"\xff\xfe"])
def test_utf_16_with_a_mark_is_read_in_both_orders(mark):
    encoding = {b"\xfe\xff": "utf-16-be", b"\xff\xfe": "utf-16-le"}[mark]
    assert sources(mark + written().encode(encoding))[0] == TEXT


def test_a_code_page_of_windows_is_read_with_a_remark():
    found = parse(written(LATIN).encode("cp1252"))
    assert found.notebook.cells[0].source == LATIN
    assert "Windows-1252" in found.remarks[0]


def test_a_usual_file_has_no_remark(tmp_path):
    path = tmp_path / "set.ipynb"
    path.write_text(written(), "utf-8")
    found = read(path)
    assert found.remarks == ()
    assert found.digest == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "an empty file"),
        (b" \n\t\r\n", "an empty file"),
        ("\ufeff".encode(), "an empty file"),
        ("\ufeff \n".encode("utf-16-le"), "an empty file"),
        (b"this is no notebook", "no JSON"),
        (b"{", "no JSON"),
        (b"[1, 2]", "not of the form"),
        (b"null", "not of the form"),
        (b"7", "not of the form"),
        (b"{}", "without a list of cells"),
        (b'{"cells": {"a": 1}, "nbformat": 4}', "without a list of cells"),
        (b'{"nbformat": 3, "worksheets": [7]}', "without a list of cells"),
        (b'{"nbformat": 3, "worksheets": "x"}', "without a list of cells"),
        (b'{"cells": [], "nbformat": 5}', "format 5"),
        (b'{"cells": [], "nbformat": 1}', "format 1"),
        (b'{"cells": [], "nbformat": true}', "format that is none"),
        (b'{"cells": [], "nbformat": 4.5}', "format that is none"),
        (b'{"cells": [], "nbformat": "<b>"}', "format that is none"),
        (b'{"cells": [], "nbformat": 1' + b"0" * 10**5 + b"}", "format 0"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"PK\x03\x04\x14\x00", "a ZIP archive"),
        (b"%PDF-1.7", "a PDF"),
        (b"\x89PNG\r\n", "a picture"),
        (b"\x1f\x8b\x08", "a gzip archive"),
        (b"\n<!DOCTYPE html><html>", "HTML"),
        (bytes(range(256)), "no JSON"),
        (b"x" * (BYTES + 1), "more than 16 MiB"),
        (json.dumps({"nbformat": 4, "cells": [{"cell_type": "code"}] * (CELLS + 1)}).encode(), "1001 cells"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_notebook_is_refused_with_the_reason(data, reason):
    with pytest.raises(Unreadable, match=reason.replace("[", r"\[")):
        parse(data)


@pytest.mark.parametrize("version", [4, "4", None])
def test_a_version_that_is_written_oddly_is_read(version):
    content = json.loads(written())
    content["nbformat"] = version
    if version is None:
        del content["nbformat"]
    assert sources(json.dumps(content).encode())[0] == TEXT


@pytest.mark.parametrize("version", [2, 3])
def test_worksheets_are_read(version):
    cells = [
        {"cell_type": "heading", "level": 1, "source": ["A ", "title"]},
        {"cell_type": "code", "input": ["x = 1\n", "y = 2"], "outputs": []},
        {"cell_type": "markdown", "source": "words"},
    ]
    content = {"nbformat": version, "worksheets": [{"cells": cells[:2]}, {"cells": cells[2:]}]}
    found = parse(json.dumps(content).encode()).notebook.cells
    assert [(cell.cell_type, cell.source) for cell in found] == [
        ("markdown", "A title"),
        ("code", "x = 1\ny = 2"),
        ("markdown", "words"),
    ]


def test_cells_that_are_none_are_left_out_with_a_remark():
    cells = [
        None,
        7,
        [],
        {"cell_type": "code"},
        {"cell_type": ["code"], "source": "x"},
        {"cell_type": "code", "source": 7},
        {"cell_type": "code", "source": ["x", 7]},
        {"cell_type": "code", "source": ["x\r\n", "y"], "metadata": 7, "outputs": "none", "id": {}},
        {"cell_type": "strange", "source": "z", "attachments": [1]},
    ]
    found = parse(json.dumps({"nbformat": 4, "cells": cells}).encode())
    assert [cell.source for cell in found.notebook.cells] == ["x\ny", "z"]
    assert found.remarks == ("cells that are none were left out: 7",)


def test_only_what_is_needed_of_a_cell_is_kept():
    cell = new_code_cell("x", id="place", outputs=[{"output_type": "stream", "name": "stdout", "text": "long"}])
    cell.metadata = {
        "nbgrader": {"grade_id": "answer", "points": 100},
        "tags": ["t"],
        "jupyter": {"source_hidden": True},
    }
    text = new_markdown_cell("y")
    text["attachments"] = {"a.png": {"image/png": ["QU", "JD"]}, "b": 7, "c": {"image/png": 7}}
    content = {"nbformat": 4, "cells": [cell, text], "metadata": {"kernelspec": {"name": "bash"}}}
    found = parse(json.dumps(content).encode())
    first, second = found.notebook.cells
    assert first == {
        "cell_type": "code",
        "id": "place",
        "metadata": {"nbgrader": {"grade_id": "answer"}},
        "source": "x",
        "outputs": [],
        "execution_count": None,
    }
    assert second.attachments == {"a.png": {"image/png": "QUJD"}}
    assert found.notebook.metadata == {}


@pytest.mark.parametrize("value", ["../../etc", "a b", "x" * 65, "", 7, None, {"a": 1}])
def test_an_id_that_is_none_is_dropped(value):
    content = {"nbformat": 4, "cells": [{"cell_type": "code", "source": "x", "id": value}]}
    assert "id" not in parse(json.dumps(content).encode()).notebook.cells[0]


def test_halves_of_characters_do_not_come_in():
    """JSON can hold what no file and no database can."""
    found = parse(b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": "x = \'\\ud800\'"}]}')
    assert found.notebook.cells[0].source.encode("utf-8") == "x = '\ufffd'".encode()


def test_huge_numbers_and_no_numbers_are_no_obstacle():
    output = f'{{"output_type": "x", "data": [1e999, NaN, -Infinity, {"9" * 10**5}]}}'
    data = f'{{"nbformat": 4, "cells": [{{"cell_type": "code", "source": "x", "outputs": [{output}]}}]}}'
    assert sources(data.encode()) == ["x"]


@given(st.binary(max_size=200))
def test_no_bytes_do_anything_else(data):
    with contextlib.suppress(Unreadable):
        assert parse(data).notebook.cells is not None


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda parts: (
        st.lists(parts, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["cells", "nbformat", "worksheets", "cell_type", "source", "metadata", "nbgrader", "grade_id", "id"]
            ),
            parts | st.sampled_from(["code", "markdown", 3, 4]),
            max_size=6,
        )
    ),
    max_leaves=40,
)


@given(JSON)
def test_no_json_does_anything_else(content):
    try:
        found = parse(json.dumps(content).encode())
    except Unreadable:
        return
    for cell in found.notebook.cells:
        assert isinstance(cell.source, str)
        assert cell.cell_type in ("code", "markdown", "raw")


class TestFiles:
    @pytest.fixture
    def folder(self, tmp_path):
        folder = tmp_path / "submitted" / "ana" / "set"
        folder.mkdir(parents=True)
        return folder

    @pytest.fixture
    def secret(self, tmp_path):
        path = tmp_path / "secret.ipynb"
        path.write_text(written("secret"), "utf-8")
        return path

    def refused(self, path, reason):
        with pytest.raises(Unreadable, match=reason):
            read(path)

    def test_nothing_is_there(self, folder):
        self.refused(folder / "set.ipynb", "no such file")
        self.refused(folder / "none" / "set.ipynb", "no such file")

    def test_a_link(self, folder, secret):
        (folder / "set.ipynb").symlink_to(secret)
        self.refused(folder / "set.ipynb", "symbolic link")

    def test_a_link_to_nowhere(self, folder):
        (folder / "set.ipynb").symlink_to("nowhere")
        self.refused(folder / "set.ipynb", "symbolic link")

    @pytest.mark.parametrize("level", [0, 1])
    def test_a_folder_that_is_a_link(self, folder, tmp_path, secret, level):
        real = tmp_path / "elsewhere" / "set"
        real.mkdir(parents=True)
        secret.rename(real / "set.ipynb")
        linked = folder if level == 0 else folder.parent
        folder.rmdir()
        if level == 1:
            folder.parent.rmdir()
        linked.symlink_to(real if level == 0 else real.parent, target_is_directory=True)
        assert (folder / "set.ipynb").exists()
        self.refused(folder / "set.ipynb", "symbolic link")

    def test_a_link_above_is_the_teachers_own(self, folder, tmp_path):
        (folder / "set.ipynb").write_text(written(), "utf-8")
        (tmp_path / "linked").symlink_to(tmp_path / "submitted")
        assert read(tmp_path / "linked" / "ana" / "set" / "set.ipynb").notebook.cells[0].source == TEXT

    def test_a_folder(self, folder):
        (folder / "set.ipynb").mkdir()
        self.refused(folder / "set.ipynb", "a folder")

    def test_a_pipe_does_not_wait(self, folder):
        os.mkfifo(folder / "set.ipynb")
        self.refused(folder / "set.ipynb", "a named pipe")

    def test_a_socket(self, folder, monkeypatch):
        monkeypatch.chdir(folder)
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("set.ipynb")
            self.refused(folder / "set.ipynb", "a device")

    def test_a_device(self):
        self.refused(Path("/dev/zero"), "a device")

    def test_a_file_instead_of_a_folder(self, folder):
        (folder / "file").write_text("x")
        self.refused(folder / "file" / "set.ipynb", "cannot be opened")

    def test_a_file_of_any_size_is_read_to_the_limit(self, folder):
        path = folder / "set.ipynb"
        with path.open("wb") as file:
            file.truncate(2**40)  # without a byte on the disk
        self.refused(path, "more than 16 MiB")
        path.write_bytes(b"x" * 10)
        assert contents(path, 10) == b"x" * 10
        with pytest.raises(Unreadable, match="more than 9 bytes"):
            contents(path, 9)

    def test_a_relative_path(self, folder, monkeypatch):
        (folder / "set.ipynb").write_text(written(), "utf-8")
        monkeypatch.chdir(folder)
        assert read(Path("set.ipynb")).notebook.cells[0].source == TEXT

    def test_no_descriptor_stays_open(self, folder):
        before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
        for _ in range(10):
            self.refused(folder / "set.ipynb", "no such file")
            self.refused(folder / "none" / "set.ipynb", "no such file")
        assert not before or len(os.listdir("/proc/self/fd")) == before
