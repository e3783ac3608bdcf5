"""What JupyterLite is told: where each package lies, which notebooks there are, and what it costs to fetch."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from live import files, laboratories, lite

ROOT = Path(__file__).parent.parent


@pytest.fixture
def shared():
    """Return a lock file as the pages have it, with the packages that the kernel shares."""
    listed, about = files.runtime()
    course = {"name": "lossprimer", "file_name": "lossprimer-1-py3-none-any.whl", "depends": ["numpy"], "imports": []}
    return json.loads(files.lock([*(file.package for file in listed if file.package), course], about))


@pytest.fixture
def own():
    """Return the kernel's own packages, without those that its extension brings along."""
    listed, _ = files.runtime(lite.LISTED)
    names = ["ipykernel", "piplite", "pyodide-kernel"]
    brought = [{"name": name, "file_name": f"{name}.whl", "depends": [], "imports": [name]} for name in names]
    return [*(file.package for file in listed if file.package), *brought]


def test_the_kernel_finds_all_that_its_packages_depend_on(shared, own):
    packages = lite.lock(shared, own)["packages"]
    assert {needed.lower() for package in packages.values() for needed in package["depends"]} <= packages.keys()
    assert {name.replace("_", "-") for name in lite._AT_ONCE} <= packages.keys()


def test_the_course_comes_with_what_its_pictures_and_widgets_need(shared, own):
    course = lite.lock(shared, own)["packages"]["lossprimer"]
    assert set(course["depends"]) == {"numpy", "matplotlib", "ipywidgets", "tqdm"}


@pytest.mark.parametrize("folder", ["notebooks", "exercises/source"])
def test_no_notebook_imports_what_a_browser_would_fetch_for_it_alone(folder):
    texts = [path.read_text("utf-8") for path in ROOT.glob(f"{folder}/**/*.ipynb")]
    cells = [cell for text in texts for cell in json.loads(text)["cells"]]
    found = laboratories.imports(["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"])
    asked = {line.split()[1].partition(".")[0] for line in found.splitlines()}
    assert asked - sys.stdlib_module_names <= {"lossprimer", *lite._NEEDS}


def test_an_import_of_a_stand_in_loads_nothing(shared, own):
    packages = lite.lock(shared, own)["packages"]
    assert [packages[name]["imports"] for name in ("ssl", "jedi")] == [[], []]
    assert packages["ipykernel"]["imports"] == ["ipykernel"]


def test_the_lock_file_of_the_pages_stays_as_it_is(shared, own):
    before = json.dumps(shared)
    lite.lock(shared, own)
    assert json.dumps(shared) == before


@pytest.mark.parametrize(
    ("page", "source", "notebook"),
    [
        ("notebooks/01_softmax", "notebooks/01_softmax.ipynb", "notebooks/01_softmax.ipynb"),
        ("book/exercises/01_softmax", "book/exercises/01_softmax.md", "exercises/release/01_softmax/01_softmax.ipynb"),
        ("book/exercises", "book/exercises.md", None),
        ("book/intro", "book/intro.md", None),
    ],
)
def test_a_page_has_its_notebook(page, source, notebook):
    others = {"book/exercises/*": "exercises/release/*/*.ipynb"}
    assert lite.notebook_of(page, source, others) == notebook


def test_an_address_survives_unusual_names():
    assert lite.address("a b/c&d.ipynb") == "live/notebooks/index.html?path=a%20b/c%26d.ipynb"


def test_what_the_builder_says_is_reported(tmp_path, monkeypatch):
    def fail(command, **_):
        return subprocess.CompletedProcess(command, 1, stdout="", stderr="no space is left")

    monkeypatch.setattr(lite.subprocess, "run", fail)
    with pytest.raises(lite.LiteError, match="JupyterLite could not be built: no space is left"):
        lite._assemble(tmp_path, {}, tmp_path / "live", [])


@pytest.mark.parametrize(
    ("wanted", "connected"), [("1", ["builder-inited", "html-page-context", "build-finished"]), ("0", [])]
)
def test_live_0_leaves_it_out(monkeypatch, wanted, connected):
    class App:
        events = []

        def add_config_value(self, *_):
            pass

        def connect(self, event, *_, **__):
            self.events.append(event)

    monkeypatch.setenv("LIVE", wanted)
    monkeypatch.setattr(App, "events", [])
    lite.setup(App())
    assert App.events == connected
