"""Notebooks that are taken away from the site bring the package along, from there and from nowhere else."""

import json
import re
import shutil
import subprocess
import sys
from hashlib import sha256
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from bs4 import BeautifulSoup
from IPython.core.inputtransformer2 import TransformerManager
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.utils import compute_checksum

import lossprimer
from live import served
from tests.building import build
from tools import notebooks
from tools.handout import handout

ROOT = Path(__file__).parent.parent
CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SETS = sorted((ROOT / "exercises" / "source").glob("*/*.ipynb"))
WHEEL = f"lossprimer-{lossprimer.__version__}-py3-none-any.whl"
PACKAGE = {"file_name": WHEEL, "sha256": "0" * 64}
SITE = "https://example.org/course/"
TEXT = "# One\n\nA link to [itself](one.ipynb)."


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


@pytest.mark.parametrize("path", CHAPTERS + SETS, ids=lambda path: path.parent.name + "-" + path.stem)
def test_a_notebook_says_what_to_do_where_the_package_is_missing(path):
    first = next(cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "code")
    assert first["id"] == served.CELL
    assert "".join(first["source"]) == (served.REPOSITORY if path in CHAPTERS else served.PROBLEM_SET)
    assert first["outputs"] == []


CELLS = {
    "repository": served.REPOSITORY,
    "set": served.PROBLEM_SET,
    "known": served.install_cell(SITE, "notebooks/a.html", PACKAGE),
    "unknown": served.install_cell("", "notebooks/a.html", PACKAGE),
}


@pytest.mark.parametrize("source", CELLS.values(), ids=CELLS.keys())
def test_where_the_package_is_there_nothing_is_said_or_done(source, capsys):
    assert run(source, there=True) == []
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["repository", "set", "unknown"])
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


@pytest.mark.parametrize("path", CHAPTERS + SETS, ids=lambda path: path.parent.name + "-" + path.stem)
def test_what_it_says_to_install_is_the_repository(path):
    (way,) = re.findall(r"`%pip install ([./]+)`", path.read_text("utf-8"))
    # A set is given out in a folder beside its source.
    assert (path.parent / way).resolve() == ROOT


def notebook_of(*cells):
    return notebooks.serialize(nbformat.from_dict(new_notebook(cells=list(cells))))


def test_the_copy_is_the_notebook_with_another_cell_and_a_link():
    text = notebook_of(new_markdown_cell("# ü", id="a"), new_code_cell("x", id=served.CELL))
    assert served.adapted(text, "x") == text
    assert served.adapted(text, "a\n  b") == text.replace('"x"', '"a\\n",\n    "  b"')
    changed = nbformat.reads(served.adapted(text, "x", served.page_link(SITE, "a.html")), as_version=4)
    link, empty, title = changed.cells[0].source.split("\n")
    assert link.endswith(f"[the page of this notebook]({SITE}a.html).*")
    assert (empty, title) == ("", "# ü")
    assert served.page_link("", "a.html") == ""


def test_links_of_a_copy_lead_to_the_pages_of_the_files():
    addresses = {"book/a.md": f"{SITE}book/a.html", "notebooks/2.ipynb": f"{SITE}notebooks/2.html"}
    text = "[a](../../book/a.md#term-x), [b](../../notebooks/2.ipynb#3.-What-is-x?), [c](../../notebooks/2.ipynb)"
    kept = "[d](#here), [e](https://example.org/a.md), [f](../../book/unknown.md), `[g]`"
    changed = served.with_links(f"{text}, {kept}", "exercises/one/1.ipynb", addresses)
    assert changed == (
        f"[a]({SITE}book/a.html#term-x), [b]({SITE}notebooks/2.html#3-what-is-x), [c]({SITE}notebooks/2.html), {kept}"
    )


@pytest.mark.parametrize("path", CHAPTERS + SETS, ids=lambda path: path.parent.name + "-" + path.stem)
def test_no_link_of_a_copy_leads_to_a_file(path):
    pages = [*ROOT.glob("book/**/*.md"), *CHAPTERS, *SETS]
    addresses = {page.relative_to(ROOT).as_posix(): f"{SITE}{page.stem}.html" for page in pages}
    copy = served.adapted(path.read_text("utf-8"), "", "", path.relative_to(ROOT).as_posix(), addresses)
    texts = [cell.source for cell in nbformat.reads(copy, 4).cells if cell.cell_type == "markdown"]
    assert [link for text in texts for link in re.findall(r"\]\((?!https?:|#)[^)]*\)", text)] == []


def test_a_notebook_without_the_cell_and_without_words_stays_as_it_is():
    text = notebook_of(new_code_cell("1", id="a"))
    assert served.adapted(text, "x", "link") == text


def test_the_cell_of_a_set_is_not_taken_for_one_that_the_student_has_changed():
    given = handout(nbformat.read(SETS[0], 4))
    copy = nbformat.reads(served.adapted(notebooks.serialize(given), CELLS["known"]), as_version=4)
    (cell,) = [cell for cell in copy.cells if cell.id == served.CELL]
    assert cell.source == CELLS["known"]
    assert cell.metadata.nbgrader.checksum == compute_checksum(cell)
    assert [cell for cell in copy.cells if cell.id != served.CELL] == [
        cell for cell in given.cells if cell.id != served.CELL
    ]


LINKED = served.page_link(SITE, "part/one.html") + TEXT.replace("one.ipynb", f"{SITE}part/one.html")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build a book that knows its address, of a notebook, and one to download; returns the folder of its pages."""
    source = tmp_path_factory.mktemp("served") / "source"
    (source / "part").mkdir(parents=True)
    cells = [
        new_markdown_cell(TEXT),
        new_code_cell(served.REPOSITORY, id=served.CELL),
    ]
    nb = new_notebook(cells=cells, metadata=nbformat.from_dict(notebooks.METADATA))
    (source / "part" / "one.ipynb").write_text(notebooks.serialize(nb), "utf-8")
    nb.cells.pop(0)
    (source / "given.ipynb").write_text(notebooks.serialize(nb), "utf-8")
    offer = ":download:`the set <given.ipynb>`, :download:`a text <plain.txt>`"
    (source / "plain.txt").write_text("text")
    (source / "intro.rst").write_text(f"Book\n====\n\n{offer}\n\n.. toctree::\n\n   part/one\n   set\n")
    (source / "set.rst").write_text(f"Set\n===\n\n{offer}\n")
    settings = {
        "extensions": ["myst_nb", "theme", "live.served"],
        "html_theme": "primer",
        "html_math_renderer": "mathml",
        "root_doc": "intro",
        "html_sourcelink_suffix": "",
        "html_baseurl": SITE,
        "exclude_patterns": ["given.ipynb"],
        "nb_execution_mode": "off",
        "page_questions": {"part/one": "What is one?"},
    }
    out = source.parent / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("theme.fonts.setup", lambda app: None)  # to cut the type would take as long as all the rest
        assert build(source, out, settings) == ""
    return out


@pytest.mark.parametrize(
    ("copy", "page", "texts"),
    [
        ("_sources/part/one.ipynb", "part/one.html", [LINKED]),
        ("_downloads/*/given.ipynb", "set.html", []),
    ],
)
def test_the_site_serves_the_copies_and_what_they_install(site, copy, page, texts):
    (path,) = site.glob(copy)
    *before, cell = nbformat.read(path, 4).cells
    digest = sha256((site / served.FOLDER / WHEEL).read_bytes()).hexdigest()
    assert cell.source == served.install_cell(SITE, page, {"file_name": WHEEL, "sha256": digest})
    assert [other.source for other in before] == texts


def test_a_notebook_is_a_part_of_the_course(site):
    soup = BeautifulSoup((site / "intro.html").read_text("utf-8"), "html.parser")
    told = json.loads(soup.select_one('script[type="application/ld+json"]').string)
    part = {"@type": "LearningResource", "name": "One", "description": "What is one?", "url": f"{SITE}part/one.html"}
    assert told["hasPart"] == [part]


def test_the_source_of_a_page_is_given_away_as_the_copy(site):
    env = SimpleNamespace(
        found_docs=["part/one", "intro"],
        dlfiles={"given.ipynb": ({"intro", "set"}, "digest/given.ipynb"), "plain.txt": ({"set"}, "digest/plain.txt")},
        doc2path=lambda name, base: f"{name}.{'ipynb' if name == 'part/one' else 'rst'}",
    )
    app = SimpleNamespace(outdir=site, srcdir=site.parent / "source", env=env)
    assert served.copy_of(app, "part/one.ipynb") == site / "_sources/part/one.ipynb"
    assert served.copy_of(app, "intro.rst") == site.parent / "source" / "intro.rst"
    assert served.copy_of(app, "given.ipynb") == site.parent / "source" / "given.ipynb"  # the file is not there
    (env.dlfiles["given.ipynb"],) = [
        ({"set"}, f"{path.parent.name}/given.ipynb") for path in site.glob("_downloads/*/g*")
    ]
    assert next(site.glob("_downloads/*/given.ipynb")) == served.copy_of(app, "given.ipynb")


# Two runs of pip in one process: most of the time goes by before the first one asks for a wheel.
PIP = """
import runpy, sys
for folder, requirement in zip(sys.argv[1::2], sys.argv[2::2]):
    options = ["--quiet", "--no-deps", "--no-cache-dir", "--no-compile", "--target", folder]
    sys.argv = ["pip", "install", *options, requirement]
    try:
        runpy.run_module("pip", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        print(ended.code)
"""


def test_pip_takes_the_wheel_from_the_site_and_refuses_another(site, tmp_path, serve):
    for name in ("there", "elsewhere"):
        shutil.copytree(site / served.FOLDER, tmp_path / "sites" / name / served.FOLDER)
    place = tmp_path / "sites" / "elsewhere" / served.FOLDER / WHEEL
    package = {"file_name": WHEEL, "sha256": sha256(place.read_bytes()).hexdigest()}
    place.write_bytes(place.read_bytes() + b"more")
    address, asked = serve(tmp_path / "sites"), []
    for name in ("there", "elsewhere"):
        cell = served.install_cell(f"{address}/{name}/", "a.html", package)
        asked += [name, *(line.split('"')[1] for line in cell.splitlines() if "%pip" in line)]
    done = subprocess.run([sys.executable, "-c", PIP, *asked], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.split() == ["0", "1"], done.stderr
    assert (tmp_path / "there" / "lossprimer" / "__init__.py").is_file()
    assert "DO NOT MATCH" in done.stderr
    assert not (tmp_path / "elsewhere").exists()
