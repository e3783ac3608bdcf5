"""In a browser the course says nothing of what a browser lacks."""

import io
import subprocess
import sys
import warnings

import pytest
import tqdm.std

from lossprimer._browser import quiet

LEVEL = "import logging, lossprimer; print(logging.getLogger('matplotlib.font_manager').getEffectiveLevel())"


@pytest.fixture
def no_threads(monkeypatch):
    """Let tqdm find, as in a browser, that no thread starts."""

    def start(*_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(tqdm.std, "TMonitor", start)
    monkeypatch.setattr(tqdm.std.tqdm, "monitor", None)
    monkeypatch.setattr(tqdm.std.tqdm, "monitor_interval", 10)


@pytest.mark.parametrize(("prepare", "warned"), [(lambda: None, 1), (quiet, 0)])
def test_a_progress_bar_works_without_threads(no_threads, prepare, warned):
    written = io.StringIO()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        prepare()
        assert list(tqdm.std.tqdm(range(2), file=written)) == [0, 1]
    assert "2/2" in written.getvalue()
    assert len(told) == warned


@pytest.mark.parametrize(("system", "level"), [("emscripten", "40"), (sys.platform, "30")])
def test_only_in_a_browser_is_matplotlib_told_to_be_quiet(system, level):
    code = f"import sys; sys.platform = {system!r}; {LEVEL}"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == level
