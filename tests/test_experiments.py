"""The recorded trials: each has its script, holds what the script returns, and bears out what chapters say of it."""

import json
import re
from pathlib import Path

import pytest

from experiments import __main__ as experiments
from lossprimer.recorded import read

ROOT = Path(__file__).parent.parent
NAMES = experiments.names()

each_experiment = pytest.mark.parametrize("name", NAMES)


def stored(name):
    return json.loads(experiments.path(name).read_text("utf-8"))


def test_every_experiment_is_recorded_and_every_record_has_its_experiment():
    assert NAMES
    assert sorted(path.stem for path in experiments.RECORDS.glob("*.json")) == sorted(NAMES)


@each_experiment
def test_a_record_says_how_and_when_it_came_about(name):
    content = stored(name)
    assert sorted(content) == ["date", "results", "settings", "versions"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", content["date"])
    assert sorted(content["versions"]) == ["numpy", "python", "scikit-learn"]
    assert experiments.settings(experiments.experiment(name)) == content["settings"]


@each_experiment
def test_a_record_is_written_as_the_command_writes_it(name):
    assert experiments.path(name).read_text("utf-8") == experiments.written(stored(name))
    assert experiments.plain(stored(name)) == stored(name)


def paths(value, start=()):
    """The keys that lead to each value that is no dict."""
    if not isinstance(value, dict):
        return {start}
    return {found for key, part in value.items() for found in paths(part, (*start, key))}


@each_experiment
def test_an_experiment_runs_and_what_it_returns_is_recorded(name):
    """With small settings some arms are left out, and none is added."""
    module = experiments.experiment(name)
    found = experiments.plain(module.run(**module.SMALL))
    assert len(paths(found)) > 3
    assert paths(found) - paths(read(name)) == set()


@each_experiment
def test_what_depends_on_chance_has_five_seeds(name):
    assert len(stored(name)["settings"].get("seeds", range(5))) >= 5


@each_experiment
def test_what_chapters_say_of_an_experiment_holds(name):
    claims = experiments.experiment(name).claims(read(name))
    assert claims
    assert [claim for claim, holds in claims.items() if not holds] == []


@each_experiment
def test_a_chapter_reads_the_record(name):
    texts = [path.read_text("utf-8") for path in (ROOT / "notebooks").glob("*.ipynb")]
    assert any(f'read(\\"{name}\\")' in text for text in texts)


def test_an_unknown_record_is_refused():
    with pytest.raises(ValueError, match=r"^name is 'none', expected one of \w+"):
        read("none")


# --- The command -----------------------------------------------------------------------------------


class Trial:
    """A trial that takes no time."""

    found = 1 / 3

    @classmethod
    def run(cls, seeds=(0, 1)):
        return {"a": {1: cls.found, "list": [seeds[0], True, "text", None]}}

    @staticmethod
    def claims(results):
        return {"It is below a half.": results["a"]["1"] < 0.5}


@pytest.fixture
def trial(tmp_path, monkeypatch):
    monkeypatch.setattr(experiments, "RECORDS", tmp_path)
    monkeypatch.setattr(experiments, "names", lambda: ["trial"])
    monkeypatch.setattr(experiments, "experiment", lambda name: Trial)
    return tmp_path / "trial.json"


def test_the_command_writes_what_was_found(trial, capsys):
    assert experiments.main([]) == 0
    assert capsys.readouterr().out == "trial\n"
    content = json.loads(trial.read_text("utf-8"))
    assert content["results"] == {"a": {"1": 0.3333, "list": [0, True, "text", None]}}
    assert content["settings"] == {"seeds": [0, 1]}
    assert '"list": [0, true, "text", null]' in trial.read_text("utf-8")


def test_again_it_says_what_differs_and_writes_nothing(trial, monkeypatch, capsys):
    experiments.main(["trial"])
    before = trial.read_bytes()
    assert experiments.main(["--again"]) == 0
    assert capsys.readouterr().out == "trial\ntrial\n"
    monkeypatch.setattr(Trial, "found", 0.4)
    assert experiments.main(["--again", "trial"]) == 0
    assert capsys.readouterr().out == "trial\n  a / 1: 0.3333 was recorded, now 0.4\n"
    assert trial.read_bytes() == before


def test_a_sentence_that_does_not_hold_is_named(trial, monkeypatch, capsys):
    monkeypatch.setattr(Trial, "found", 0.6)
    assert experiments.main([]) == 1
    assert capsys.readouterr().err == "does not hold: trial: It is below a half.\n"


def test_an_unknown_experiment_is_refused(trial, capsys):
    with pytest.raises(SystemExit):
        experiments.main(["other"])
    assert "expected one of trial" in capsys.readouterr().err
