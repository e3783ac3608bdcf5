"""A learner opens chapter 1 in JupyterLab, runs it, and moves the temperature: kernel, widgets and all."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from lossprimer import figures
from lossprimer.explorer.shown import STATIC
from tests.waiting import expect
from tools import notebooks

pytestmark = pytest.mark.kernel

CHAPTERS = Path(__file__).parent.parent / "notebooks"
SMALL = """\
from lossprimer import figures
from lossprimer.explorer import choice, explore, slider

explore(
    figures.temperature,
    temperature=slider("Temperature T", [0.5, 1.0, 2.0], initial=1.0),
    scores=choice("Scores", {"ours": (2, 1, 0.5), "a tie": (2, 2, 0.5)}),
)"""

# Ends all kernels.
FORGET = """async () => {
  const headers = { "X-XSRFToken": document.cookie.match(/_xsrf=([^;]+)/)[1] };
  for (const { id } of await (await fetch("/api/sessions")).json())
    await fetch(`/api/sessions/${id}`, { method: "DELETE", headers });
}"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Start JupyterLab on a copy of the chapters; returns its address."""
    home = tmp_path_factory.mktemp("lab")
    shutil.copytree(CHAPTERS, home / "notebooks")
    nb = new_notebook(cells=[new_code_cell(SMALL)], metadata=nbformat.from_dict(notebooks.METADATA))
    for name in ("small", "saved"):
        (home / "notebooks" / f"{name}.ipynb").write_text(notebooks.serialize(nb), "utf-8")
    # All cells are put on the page at once, so that the test can find those far below.
    (home / "settings").mkdir()
    overrides = {
        "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
        "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    }
    (home / "settings" / "overrides.json").write_text(json.dumps(overrides))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {key: value for key, value in os.environ.items() if key != STATIC}
    environment |= {"JUPYTER_CONFIG_DIR": str(home / "config"), "JUPYTER_DATA_DIR": str(home / "data")}
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", "--ip=127.0.0.1"]
    command += [f"--port={port}", "--IdentityProvider.token=", f"--ServerApp.root_dir={home / 'notebooks'}"]
    command += [f"--LabApp.app_settings_dir={home / 'settings'}", "--LabApp.workspaces_dir=" + str(home / "spaces")]
    with (home / "log").open("w") as log, subprocess.Popen(command, env=environment, stdout=log, stderr=log) as server:
        try:
            _wait_for(f"http://127.0.0.1:{port}/api", server, home / "log")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):  # it may wait for an extension
                server.wait(4)
            server.kill()


def _wait_for(address, server, log):
    for _ in range(300):
        if server.poll() is not None:
            break
        try:
            urllib.request.urlopen(address, timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("JupyterLab did not start:\n" + log.read_text())


@pytest.fixture(scope="module")
def context(browser):
    """What the windows share: the browser keeps the scripts of the applications, and what it has made of them."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        context.set_default_timeout(60_000)
        yield context


def opened_and_run(context, address, ready):
    """Open a notebook, and run all its cells; returns the page and its first explorer.

    On a busy machine the application may say that it is ready before the script of the widgets is, and then shows the
    words of an explorer in its place. As a reader would, the test runs the cells once more.
    """
    from playwright.sync_api import TimeoutError  # which quick tests do not wait for

    page = context.new_page()
    page.goto(address)
    ready(page).wait_for()
    explorer = page.locator(".widget-vbox").first
    for _ in range(3):
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        with contextlib.suppress(TimeoutError):
            explorer.wait_for(timeout=30_000)
            break
    return page, explorer


def lab_is_ready(page):
    return page.get_by_role("button", name="Python 3 (ipykernel) | Idle")


def notebook_is_ready(page):
    return page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")


def test_the_temperature_slider_of_chapter_1_answers_in_jupyterlab(lab, context):
    page, _ = opened_and_run(context, f"{lab}/lab/tree/01_softmax.ipynb", lab_is_ready)
    explorer = page.locator(".widget-vbox", has_text="Softmax at a temperature").first
    expect(explorer).to_contain_text("T = 1: probabilities 0.629, 0.231, 0.140", timeout=60_000)
    handle = explorer.get_by_role("slider", name="Temperature T")
    expect(handle).to_have_attribute("aria-valuetext", "1")
    handle.focus()
    handle.press("ArrowLeft")
    # The kernel answers once it has run the cells that follow.
    expect(explorer).to_contain_text(figures.temperature(0.9).sentence, timeout=180_000)
    expect(handle).to_be_focused()
    # What a screen reader hears: ipywidgets itself sets the number of the option.
    expect(handle).to_have_attribute("aria-valuetext", "0.9")
    expect(explorer.locator("svg")).to_be_visible()
    explorer.get_by_role("radio", name="a tie for the lead").check()
    expect(explorer.locator("figcaption")).to_have_text(figures.temperature(0.9, (2, 2, 0.5)).sentence)
    page.close()


def test_the_keys_of_a_control_are_its_own_in_notebook_7(lab, context):
    """They moved to another cell; the same server shows the same notebook in that application."""
    page, explorer = opened_and_run(context, f"{lab}/notebooks/small.ipynb", notebook_is_ready)
    handle = explorer.get_by_role("slider", name="Temperature T")
    handle.focus()
    for key, temperature in (("ArrowRight", 2), ("Home", 0.5), ("ArrowUp", 1)):
        handle.press(key)
        expect(explorer.locator("figcaption")).to_have_text(figures.temperature(temperature).sentence)
        expect(handle).to_be_focused()
    first = explorer.get_by_role("radio", name="ours")
    first.focus()
    first.press("ArrowDown")
    expect(explorer.locator("figcaption")).to_have_text(figures.temperature(1, (2, 2, 0.5)).sentence)
    expect(explorer.get_by_role("radio", name="a tie")).to_be_focused()
    page.close()


def test_a_saved_notebook_shows_its_picture_when_the_kernel_is_gone(lab, context):
    # In a workspace of its own, which opens no other notebook again.
    page, explorer = opened_and_run(context, f"{lab}/lab/workspaces/saved/tree/saved.ipynb", lab_is_ready)
    expect(explorer).to_contain_text(figures.temperature(1).sentence, timeout=60_000)
    picture = page.locator("[class^=stays-] img")
    expect(picture).to_be_hidden()
    with page.expect_response(lambda answer: answer.request.method == "PUT" and "/api/contents/saved" in answer.url):
        page.keyboard.press("Control+s")
    page.evaluate(FORGET)
    page.reload()
    expect(picture).to_be_visible()
    expect(page.get_by_text("Error displaying widget")).to_be_hidden()
    page.close()
