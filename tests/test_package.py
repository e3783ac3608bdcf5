"""The package stands alone: built as a wheel, installed in an empty folder, without the rest of the repository.

So do the explorers, without the rest of the package; and what is heavy is imported when it is needed.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
from flit_core import buildapi

import lossprimer

ROOT = Path(__file__).parent.parent
# What the tests ask of the package, in one process: most of the time goes by before the first answer.
BLOCK = """
import json, sys
told = {}
alone = False  # whether the explorers have to do without the rest of the package

class Refuse:
    def find_spec(self, name, path=None, target=None):
        top = name.split(".")[0]
        theirs = f"{name}.".startswith("lossprimer.explorer.") or name == "lossprimer"
        if top in {"sklearn", "tqdm", "scipy", "pandas", "sphinx"} or (alone and top == "lossprimer" and not theirs):
            raise ModuleNotFoundError(f"{name} is refused")

sys.meta_path.insert(0, Refuse())
"""
HEAVY = """
def heavy():
    told["heavy"].append([name for name in ("matplotlib", "ipywidgets") if name in sys.modules])

told["heavy"] = []
import numpy
import lossprimer, lossprimer.checks, lossprimer.data, lossprimer.explorer, lossprimer.figures, lossprimer.gradcheck
from lossprimer import *
explorer = lossprimer.explorer.explore(
    lossprimer.figures.temperature, temperature=lossprimer.explorer.slider("T", [1, 2])
)
told["digits"] = len(lossprimer.data.digits(numpy.random.default_rng(0)).train_labels)
heavy()
repr(explorer)
heavy()
explorer._repr_mimebundle_()
heavy()
"""
# Each asset is used, not looked for: a picture needs the style, an explorer's page script and style sheet.
WHOLE = """
from importlib.resources import files
from lossprimer.recorded import read
assets = [asset.name for asset in files("lossprimer.explorer").iterdir() if asset.name.startswith("explorer.")]
told["whole"] = {
    "at": lossprimer.__file__,
    "version": lossprimer.__version__,
    "shares": softmax([0.0, 0.0]).tolist(),
    "sentence": lossprimer.figures.temperature(0.5).sentence,
    "assets": sorted(assets),
    "check": lossprimer.checks.softmax(softmax).passed,
    "recorded": read("dropout_and_rivals")["true labels"]["epochs"],
}
"""
ALONE = """
alone = True
for name in [name for name in sys.modules if name.split(".")[0] == "lossprimer"]:
    del sys.modules[name]

from matplotlib.figure import Figure
from lossprimer.explorer import choice, explore, pictured, slider, steps
from lossprimer.explorer.live import explorer_widget
from lossprimer.explorer.static import explorer_html

@pictured(style="default")
def line(slope, kind="-"):
    figure = Figure()
    figure.add_subplot().plot([0, slope], kind)
    return figure, f"Slope-{slope}{kind}"

explorer = explore(line, slope=slider("Slope", [1, 2]), kind=choice("Kind", ["-", ":"]))
told["alone"] = [
    "Slope-2:" in explorer_html(explorer),
    "Slope-1-" in explorer_widget(explorer).children[-1].value,
    "Slope-3-" in line(3)._repr_mimebundle_()["text/html"],
    repr(steps("Steps:", [lambda: line(1), lambda: line(2)])),
]
import lossprimer
try:
    lossprimer.softmax
except ModuleNotFoundError as error:
    told["missing"] = str(error)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Build the wheel, and unpack it, which installs pure Python; returns the folder."""
    folder = tmp_path_factory.mktemp("package")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        name = buildapi.build_wheel(str(folder))
    assert name == f"lossprimer-{lossprimer.__version__}-py3-none-any.whl"
    with ZipFile(folder / name) as files:
        files.extractall(folder / "there")
    return folder / "there"


@pytest.fixture(scope="module")
def told(installed, tmp_path_factory):
    """Ask the installed package all of it, elsewhere; an error or a warning there fails the tests."""
    program = BLOCK + HEAVY + WHOLE + ALONE + "print(json.dumps(told))"
    command = [sys.executable, "-W", "error", "-c", program]
    environment = os.environ | {"PYTHONPATH": str(installed)}
    folder = tmp_path_factory.mktemp("elsewhere")
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_what_is_heavy_is_imported_at_the_first_picture_or_display(told):
    assert told["heavy"] == [[], ["matplotlib"], ["matplotlib", "ipywidgets"]]


def test_the_digits_are_there_without_scikit_learn(told):
    assert told["digits"] == 1000


def test_the_explorers_work_without_the_rest_of_the_course_and_what_that_needs(told):
    assert told["alone"] == [True, True, True, "Steps:: Slope-1-"]


def test_without_the_rest_of_the_course_its_names_are_missing_with_a_reason(told):
    assert told["missing"] == "lossprimer.probability is refused"


def test_the_wheel_holds_all_that_the_package_needs(installed, told):
    found = dict(told["whole"])
    assert Path(found.pop("at")).is_relative_to(installed)
    assert found == {
        "version": lossprimer.__version__,
        "shares": [0.5, 0.5],
        "sentence": "T = 0.5: probabilities 0.844, 0.114, 0.042; entropy 0.52 nats."
        " The two largest have the ratio 7.39.",
        "assets": ["explorer.css", "explorer.js", "explorer.py"],
        "check": True,
        "recorded": 100,
    }


def test_the_wheel_holds_the_templates_of_the_pages(installed):
    place = Path("lossprimer", "grading", "templates")
    names = {path.relative_to(ROOT) for path in (ROOT / place).rglob("*") if path.is_file()}
    assert len(names) == 4
    assert names == {path.relative_to(installed) for path in (installed / place).rglob("*") if path.is_file()}


def test_the_wheel_holds_nothing_else(installed):
    assert sorted(path.name for path in installed.iterdir()) == [
        "lossprimer",
        f"lossprimer-{lossprimer.__version__}.dist-info",
    ]
