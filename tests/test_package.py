"""The package stands alone: built as a wheel, installed in an empty folder, without the rest of the repository."""

import json
import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

import lossprimer

ROOT = Path(__file__).parent.parent
# Each asset is used, not looked for: a picture needs the style, an explorer's page script and style sheet.
TRIAL = """
import json, lossprimer
from importlib.resources import files
from lossprimer import checks, explorer, figures
from lossprimer.data import collection
from lossprimer.recorded import read
assets = [asset.name for asset in files("lossprimer.explorer").iterdir() if asset.name.startswith("explorer.")]
print(json.dumps({
    "at": lossprimer.__file__,
    "version": lossprimer.__version__,
    "shares": lossprimer.softmax([0.0, 0.0]).tolist(),
    "sentence": figures.temperature(0.5).sentence,
    "assets": sorted(assets),
    "check": checks.softmax(lossprimer.softmax).passed,
    "recorded": read("dropout_and_rivals")["true labels"]["epochs"],
    "digits": len(collection()[1]),
}))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Build the wheel without asking an index, and unpack it, which installs pure Python; returns the folder."""
    folder = tmp_path_factory.mktemp("package")
    build = f"from flit_core import buildapi; buildapi.build_wheel({str(folder)!r})"
    subprocess.run([sys.executable, "-c", build], cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    assert wheel.name == f"lossprimer-{lossprimer.__version__}-py3-none-any.whl"
    with ZipFile(wheel) as files:
        files.extractall(folder / "there")
    return folder / "there"


def test_the_wheel_holds_all_that_the_package_needs(installed, tmp_path):
    environment = os.environ | {"PYTHONPATH": str(installed)}
    command = [sys.executable, "-W", "error", "-c", TRIAL]
    done = subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    assert Path(found.pop("at")).is_relative_to(installed)
    assert found == {
        "version": lossprimer.__version__,
        "shares": [0.5, 0.5],
        "sentence": "T = 0.5: probabilities 0.844, 0.114, 0.042; entropy 0.52 nats."
        " The two largest have the ratio 7.39.",
        "assets": ["explorer.css", "explorer.js", "explorer.py"],
        "check": True,
        "recorded": 100,
        "digits": 1797,
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
