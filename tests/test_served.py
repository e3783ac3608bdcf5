"""Notebooks that are taken away from the site bring the package along, from there and from nowhere else."""

import json
import shutil
import subprocess
import sys
from hashlib import sha256
from importlib.machinery import ModuleSpec
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from IPython.core.inputtransformer2 import TransformerManager
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import lossprimer
from live import served
from tests.building import build
from tools import notebooks

ROOT = Path(__file__).parent.parent
CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))
WHEEL = f"lossprimer-{lossprimer.__version__}-py3-none-any.whl"
PACKAGE = {"file_name": WHEEL, "sha256": "0" * 64}
SITE = "https://example.org/course/"


def run(source, *, there, comes=False):
    """Run a cell where the package is there or not; returns the lines that were given to pip."""
    installed = []

    class Shell:
        def run_line_magic(self, name, line):
            installed.append(f"{name} {line}")

    def find_spec(name):
        assert name == "lossprimer"
        return ModuleSpec(name, None) if there or (comes and installed) else None

    code = TransformerManager().transform_cell(source).replace("from importlib.util import find_spec", "")
    exec(code, {"find_spec": find_spec, "get_ipython": Shell})
    return installed


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_says_what_to_do_where_the_package_is_missing(path):
    first = next(cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "code")
    assert first["id"] == served.CELL
    assert "".join(first["source"]) == served.REPOSITORY
    assert first["outputs"] == []


CELLS = {
    "repository": served.REPOSITORY,
    "known": served.install_cell(SITE, "notebooks/a.html", PACKAGE),
    "unknown": served.install_cell("", "notebooks/a.html", PACKAGE),
}


@pytest.mark.parametrize("source", CELLS.values(), ids=CELLS.keys())
def test_where_the_package_is_there_nothing_is_said_or_done(source, capsys):
    assert run(source, there=True) == []
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["repository", "unknown"])
def test_where_nothing_is_known_nothing_is_asked_of_an_index(name):
    with pytest.raises(ModuleNotFoundError, match="package is not installed here.*`%pip install "):
        run(CELLS[name], there=False)


def test_a_site_of_unknown_address_names_the_file_that_it_serves():
    with pytest.raises(ModuleNotFoundError, match=f"`%pip install ADDRESS/{served.FOLDER}/{WHEEL}`"):
        run(CELLS["unknown"], there=False)


def test_a_copy_installs_the_wheel_of_its_own_site_by_its_hash():
    expected = f'pip install --quiet "lossprimer @ {SITE}{served.FOLDER}/{WHEEL}#sha256={"0" * 64}"'
    assert run(CELLS["known"], there=False, comes=True) == [expected]


def test_where_that_fails_the_copy_says_where_a_new_one_is():
    with pytest.raises(ModuleNotFoundError, match=f"download this notebook again: {SITE}notebooks/a.html"):
        run(CELLS["known"], there=False)


@pytest.mark.parametrize("source", CELLS.values(), ids=CELLS.keys())
def test_the_cell_fits_the_column_but_for_an_address(source):
    assert [line for line in source.splitlines() if len(line) > 90 and WHEEL not in line] == []


def test_the_copy_is_the_notebook_with_another_cell():
    nb = nbformat.from_dict(new_notebook(cells=[new_markdown_cell("ü", id="a"), new_code_cell("x", id=served.CELL)]))
    text = notebooks.serialize(nb)
    changed = nbformat.reads(served.with_cell(text, "a\n  b"), as_version=4)
    assert changed.cells[1].source == "a\n  b"
    assert changed.cells[0].source == "ü"
    assert served.with_cell(served.with_cell(text, "a"), "x") == text
    nb.cells.pop()
    assert served.with_cell(notebooks.serialize(nb), "a") == notebooks.serialize(nb)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build a book of one notebook that knows its address; returns the folder of its pages."""
    source = tmp_path_factory.mktemp("served") / "source"
    (source / "part").mkdir(parents=True)
    cells = [new_markdown_cell("# One"), new_code_cell(served.REPOSITORY, id=served.CELL)]
    nb = new_notebook(cells=cells, metadata=nbformat.from_dict(notebooks.METADATA))
    (source / "part" / "one.ipynb").write_text(notebooks.serialize(nb), "utf-8")
    (source / "intro.rst").write_text("Book\n====\n\n.. toctree::\n\n   part/one\n")
    settings = {
        "extensions": ["myst_nb", "theme", "live.served"],
        "html_theme": "primer",
        "html_math_renderer": "mathml",
        "root_doc": "intro",
        "html_sourcelink_suffix": "",
        "html_baseurl": SITE,
        "nb_execution_mode": "off",
        "page_questions": {"part/one": "What is one?"},
    }
    out = source.parent / "out"
    assert build(source, out, settings) == ""
    return out


def test_the_site_serves_the_copy_and_what_it_installs(site):
    (cell,) = [cell for cell in nbformat.read(site / "_sources/part/one.ipynb", 4).cells if cell.id == served.CELL]
    digest = sha256((site / served.FOLDER / WHEEL).read_bytes()).hexdigest()
    package = {"file_name": WHEEL, "sha256": digest}
    assert cell.source == served.install_cell(SITE, "part/one.html", package)


def test_a_notebook_is_a_part_of_the_course(site):
    soup = BeautifulSoup((site / "intro.html").read_text("utf-8"), "html.parser")
    told = json.loads(soup.select_one('script[type="application/ld+json"]').string)
    part = {"@type": "LearningResource", "name": "One", "description": "What is one?", "url": f"{SITE}part/one.html"}
    assert told["hasPart"] == [part]


def test_who_gives_a_page_s_source_away_gives_the_copy(site):
    source = site.parent / "source"
    assert served.copy_of(site, source, "part/one.ipynb") == site / "_sources/part/one.ipynb"
    assert served.copy_of(site, source, "other.ipynb") == source / "other.ipynb"
    assert served.copy_of(site, source, "intro.rst") == source / "intro.rst"


def test_pip_takes_the_wheel_from_the_site_and_refuses_another(site, tmp_path, serve):
    shutil.copytree(site / served.FOLDER, tmp_path / "site" / served.FOLDER)
    place = tmp_path / "site" / served.FOLDER / WHEEL
    package = {"file_name": WHEEL, "sha256": sha256(place.read_bytes()).hexdigest()}
    cell = served.install_cell(serve(tmp_path / "site") + "/", "a.html", package)
    (requirement,) = [line.split('"')[1] for line in cell.splitlines() if "%pip" in line]

    def install(folder):
        command = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-cache-dir", "--target", folder]
        done = subprocess.run([*command, requirement], capture_output=True, text=True)
        return done.returncode, done.stderr

    assert install(tmp_path / "there")[0] == 0
    assert (tmp_path / "there" / "lossprimer" / "__init__.py").is_file()
    place.write_bytes(place.read_bytes() + b"more")
    status, said = install(tmp_path / "elsewhere")
    assert status != 0
    assert "DO NOT MATCH" in said
    assert not (tmp_path / "elsewhere").exists()
