import numpy as np
import optuna
import pyarrow.parquet as pq
import pytest

from artifacts.embeddings import EmbeddingTable
from artifacts.errors import ArtifactError, ConfigError, DataError
from artifacts.progress import SilentProgress
from tests.made_sessions import prepare_sessions, read_sessions, themed_sessions
from trainer.config import EvaluateConfig, Prod2VecConfig
from trainer.prod2vec import fit_prod2vec
from trainer.tune import Limits, TuneTask, confirm, run_trials
from trainer.tune_chart import importances, write_study_charts
from trainer.tune_config import SearchRange, TuneConfig
from trainer.tune_data import tune_data
from trainer.tune_score import FittedTable, score
from trainer.tune_spaces import tunable_space
from trainer.tune_study import StudyAddress, open_study

BASE = Prod2VecConfig(dimensions=8, epochs=4, negative=3, workers=1, learning_rate=0.01)
RANGES = {
    "learning_rate": SearchRange(low=0.001, high=0.2, log=True),
    "window": SearchRange(low=1, high=5),
}


@pytest.fixture(scope="module", autouse=True)
def quiet():
    optuna.logging.set_verbosity(optuna.logging.WARNING)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return prepare_sessions(tmp_path_factory.mktemp("shop"), themed_sessions(250))


def made_task(prepared, **changes) -> TuneTask:
    tune = TuneConfig(ranges={"cf": RANGES}, prune_every=1, startup_trials=2, **changes)
    id = prepared.manifest.id
    return TuneTask(tunable_space("cf"), BASE, tune, EvaluateConfig(k=5), 0.5, id)


def limits(trials: int) -> Limits:
    return Limits(trials, None, SilentProgress())


def test_cut_and_sample_are_parts_of_the_training_sessions_alone(prepared, tmp_path):
    config = TuneConfig(validation=0.25)
    with tune_data(prepared, config, 0.5, tmp_path) as data:
        whole = read_sessions(data.whole.train_sessions, prepared).keys()
        sample = read_sessions(data.sample.train_sessions, prepared).keys()
        cut = read_sessions(data.whole.heldout_sessions, prepared).keys()
    train = read_sessions(prepared.train_sessions, prepared).keys()
    assert whole | cut == train
    assert not whole & cut
    assert sample < whole
    assert 0.15 < len(cut) / len(train) < 0.35
    assert 0.35 < len(sample) / len(whole) < 0.65
    assert list(tmp_path.iterdir()) == []


def test_every_process_makes_the_same_parts(prepared, tmp_path):
    made = []
    for _ in range(2):
        with tune_data(prepared, TuneConfig(), 0.3, tmp_path) as data:
            made.append(pq.read_table(data.sample.train_sessions))
    assert made[0].equals(made[1])


def test_a_part_without_sessions_is_an_error(prepared, tmp_path):
    with (
        pytest.raises(DataError, match="expected sessions to learn from and to score on"),
        tune_data(prepared, TuneConfig(validation=1e-6), 0.5, tmp_path),
    ):
        pass


def test_winner_is_the_best_trial_and_is_confirmed_on_all_sessions(prepared, tmp_path):
    task = made_task(prepared)
    study = open_study(StudyAddress(f"sqlite:///{tmp_path}/s.db", "cf"), task.about, task.tune)
    with tune_data(prepared, task.tune, task.fraction, tmp_path) as data:
        run_trials(study, task, data, tmp_path, limits(6))
        confirmed = confirm(study, task, data, tmp_path)
        assert isinstance(confirmed.settings, Prod2VecConfig)
        again = fit_prod2vec(data.whole, confirmed.settings, tmp_path, progress=SilentProgress())
        expected = score(again, data.cases, task.evaluate)
    assert study.trials[0].params == {"learning_rate": 0.01, "window": BASE.window}
    assert max(confirmed.winner, confirmed.present) == pytest.approx(expected)
    assert confirmed.winner > confirmed.present
    assert len(study.trials) == 6


def test_charts_tell_how_a_study_went_and_what_mattered(tmp_path):
    study = optuna.create_study(direction="maximize")
    study.optimize(
        lambda trial: (
            trial.suggest_float("learning_rate", 0, 1) + 0 * trial.suggest_int("window", 1, 5)
        ),
        n_trials=5,
    )
    charts = write_study_charts(study, tmp_path / "charts")
    assert charts.history.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    assert charts.importance is not None
    assert "learning_rate" in charts.importance.read_text("utf-8")
    assert sum(importances(study).values()) == pytest.approx(1)


def test_a_later_run_goes_on_where_the_study_stood(prepared, tmp_path):
    task = made_task(prepared)
    address = StudyAddress(f"sqlite:///{tmp_path}/s.db", "cf")
    with tune_data(prepared, task.tune, task.fraction, tmp_path) as data:
        for trials in (2, 3, 3):
            study = open_study(address, task.about, task.tune)
            run_trials(study, task, data, tmp_path, limits(trials))
            assert len(study.trials) == trials


def test_hopeless_trials_are_pruned_at_the_end_of_an_epoch(prepared, tmp_path):
    task = made_task(prepared)
    study = open_study(StudyAddress(f"sqlite:///{tmp_path}/s.db", "cf"), task.about, task.tune)
    for rate in (0.2, 0.15, 0.1, 0.001):
        study.enqueue_trial({"learning_rate": rate, "window": 2})
    with tune_data(prepared, task.tune, 1.0, tmp_path) as data:
        run_trials(study, task, data, tmp_path, limits(4))
    last = study.trials[-1]
    assert last.state is optuna.trial.TrialState.PRUNED
    assert 1 <= max(last.intermediate_values) < BASE.epochs


def test_vectors_are_watched_in_the_order_of_their_rows(prepared, tmp_path):
    seen: list[EmbeddingTable] = []
    config = BASE.model_copy(update={"epochs": 3})
    space = tunable_space("cf")
    fitted = space.fit(prepared, config, tmp_path, lambda epochs, table: seen.append(table))
    assert isinstance(fitted, FittedTable)
    final = fitted.table
    assert len(seen) == 2
    np.testing.assert_array_equal(seen[-1].rows, final.rows)
    ours, theirs = seen[-1].vectors, final.vectors  # one short epoch apart
    cosines = (ours * theirs).sum(1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
    assert cosines.min() > 0.9


def test_trials_that_cannot_be_fitted_fail_and_count(prepared, tmp_path):
    base = BASE.model_copy(update={"min_count": 10**6})
    task = TuneTask(
        tunable_space("cf"), base, TuneConfig(ranges={"cf": RANGES}), EvaluateConfig(), 1.0, "x"
    )
    study = open_study(StudyAddress(f"sqlite:///{tmp_path}/s.db", "cf"), task.about, task.tune)
    with tune_data(prepared, task.tune, 1.0, tmp_path) as data:
        run_trials(study, task, data, tmp_path, limits(2))
        with pytest.raises(ArtifactError, match="expected a complete trial, found none"):
            confirm(study, task, data, tmp_path)
    assert [trial.state.name for trial in study.trials] == ["FAIL", "FAIL"]


@pytest.fixture(scope="module")
def known_study(prepared, tmp_path_factory) -> StudyAddress:
    address = StudyAddress(f"sqlite:///{tmp_path_factory.mktemp('study')}/s.db", "cf")
    task = made_task(prepared)
    open_study(address, task.about, task.tune)
    return address


@pytest.mark.parametrize("key", ["space", "prepared", "sample", "search ranges", "other settings"])
def test_a_study_about_something_else_is_refused(prepared, known_study, key):
    task = made_task(prepared)
    open_study(known_study, task.about, task.tune)
    with pytest.raises(ConfigError, match=f"about something else.*\n.*{key}: expected other"):
        open_study(known_study, {**task.about, key: "other"}, task.tune)


def test_a_storage_that_is_no_database_is_an_error(prepared, tmp_path):
    (tmp_path / "s.db").write_bytes(b"no database at all, but long enough to be one" * 40)
    task = made_task(prepared)
    address = StudyAddress(f"sqlite:///{tmp_path}/s.db", "cf")
    with pytest.raises(ArtifactError, match="studies cannot be kept there"):
        open_study(address, task.about, task.tune)
