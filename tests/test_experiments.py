"""The recorded trials: each has its script, holds what the script returns, and bears out what chapters say of it."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from experiments import __main__ as experiments
from experiments import _training, dropout_coadaptation, log_loss_and_square, smoothing_and_temperature
from lossprimer.gradcheck import numerical_gradient
from lossprimer.network import Adam
from lossprimer.probability import softmax
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
    # The first records also say from which scikit-learn the digits came.
    assert content["versions"].keys() - {"scikit-learn"} == {"numpy", "python"}
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


# --- Their pieces ----------------------------------------------------------------------------------


def test_the_three_parts_are_all_the_digits_and_share_none():
    data = _training.parts(0, train=300, validation=300)
    assert [len(labels) for _, labels in data] == [300, 300, 1197]
    rows = np.concatenate([images for images, _ in data])
    again = np.concatenate([images for images, _ in _training.parts(1, train=1000, validation=1)])
    assert rows.dtype == np.float32
    assert sorted(map(bytes, rows)) == sorted(map(bytes, again))


def test_weight_decay_takes_its_share_of_the_weights_after_the_step_of_adam():
    gradients = {"weight": np.array([3.0, -1.0]), "bias": np.array([2.0])}
    decayed, plain = ({"weight": np.array([1.0, 2.0]), "bias": np.array([1.0])} for _ in range(2))
    _training.AdamW(decayed, decay=3.0, lr=0.1).step(gradients)
    Adam(plain, lr=0.1).step(gradients)
    assert decayed["weight"] == pytest.approx(0.7 * plain["weight"])
    assert decayed["bias"] == plain["bias"]


def test_the_squared_error_and_the_penalty_have_the_gradients_that_are_measured():
    rng = np.random.default_rng(0)
    z, labels = rng.normal(size=(4, 5)), rng.integers(5, size=4)
    slopes = numerical_gradient(lambda z: log_loss_and_square.squared_error(z, labels)[0], z)
    assert log_loss_and_square.squared_error(z, labels)[1] == pytest.approx(slopes, abs=1e-8)
    parts = softmax(rng.normal(size=(4, 3))), rng.normal(size=(6, 3)), rng.random((4, 6))
    found = dropout_coadaptation.penalty_gradients(*parts, 1.7)
    for place, gradient in enumerate(found):

        def penalty(part, place=place):
            return dropout_coadaptation.penalty(*parts[:place], part, *parts[place + 1 :], 1.7)

        assert gradient == pytest.approx(numerical_gradient(penalty, parts[place]), abs=1e-7)


def test_the_penalty_is_what_small_dropout_adds_to_the_loss():
    """Noise of a relative variance that is small: the expected log-sum-exp rises by the penalty of that strength."""
    rng = np.random.default_rng(1)
    h, weight, strength = rng.random(6), rng.normal(size=(6, 3)), 1e-3
    signs = np.array(np.meshgrid(*[[-1, 1]] * 6)).reshape(6, -1).T
    noisy = (h * (1 + np.sqrt(strength) * signs)) @ weight
    rise = np.log(np.exp(noisy).sum(axis=1)).mean() - np.log(np.exp(h @ weight).sum())
    penalty = dropout_coadaptation.penalty(softmax(h @ weight)[None], weight, h[None], strength)
    assert rise == pytest.approx(penalty, rel=0.01)


def test_the_fitted_temperature_and_the_calibration_error_of_scores_that_are_too_sure():
    rng = np.random.default_rng(2)
    z = rng.normal(0, 2, size=(20_000, 5))
    labels = (z + rng.gumbel(size=z.shape)).argmax(axis=-1)  # drawn with the probabilities softmax(z)
    some = slice(4000)  # more than enough for one number, for which all are judged at 141 temperatures
    assert smoothing_and_temperature.fitted_temperature(3 * z[some], labels[some]) == pytest.approx(3, rel=0.05)
    assert smoothing_and_temperature.measured(z, labels)["ece"] < 0.015
    assert smoothing_and_temperature.measured(3 * z, labels)["ece"] > 0.1


def test_the_first_epoch_that_is_right_often_enough_is_found():
    runs = np.array([[0.1, 0.95, 0.5], [0.1, 0.2, 0.9], [0.1, 0.2, 0.89]])
    assert log_loss_and_square.reached(runs) == [1, 2, None]


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
