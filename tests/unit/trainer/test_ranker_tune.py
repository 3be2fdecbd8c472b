import numpy as np
import optuna
import pytest

from artifacts.errors import ArtifactError, ConfigError
from artifacts.progress import SilentProgress
from tests.made_ranking import made_table
from trainer.ranker_config import RankerConfig
from trainer.ranker_model import fit_ranker
from trainer.ranker_tune import (
    RANGES,
    RankerTuneTask,
    confirm_ranker,
    ranker_tune_data,
    run_ranker_trials,
)
from trainer.tune import Limits
from trainer.tune_config import SearchRange, TuneConfig
from trainer.tune_search import values_of
from trainer.tune_study import StudyAddress, open_study

BASE = RankerConfig(rounds=20, early_stopping=5, min_data_in_leaf=200, leaves=7, threads=1)
SEARCHED = {
    "min_data_in_leaf": SearchRange(low=2, high=200, log=True),
    "leaves": SearchRange(low=2, high=15),
}


@pytest.fixture(scope="module", autouse=True)
def quiet():
    optuna.logging.set_verbosity(optuna.logging.WARNING)


@pytest.fixture(scope="module")
def table():
    return made_table(200)


def made_task(fraction: float = 0.5, ranges=SEARCHED) -> RankerTuneTask:
    tune = TuneConfig(ranges={"ranker": ranges} if ranges else {}, startup_trials=2)
    return RankerTuneTask(BASE, tune, fraction, "t1")


def limits(trials: int) -> Limits:
    return Limits(trials, None, SilentProgress())


def opened(task: RankerTuneTask, folder) -> optuna.Study:
    return open_study(StudyAddress(f"sqlite:///{folder}/s.db", "ranker"), task.about, task.tune)


def test_published_ranges_fit_the_settings():
    task = RankerTuneTask(RankerConfig(), TuneConfig(), 1.0, "t1")
    task.check()
    assert task.ranges == RANGES
    assert values_of(RankerConfig(), RANGES) is not None


def test_trials_see_nothing_of_the_test_part_and_sample_whole_times(table):
    data = ranker_tune_data(table, made_task(0.4))
    assert data.whole.when.max() < data.validation.when.min()
    assert data.validation.when.max() < table.when.max()
    times = len(np.unique(data.whole.when))
    assert len(np.unique(data.sample.when)) == round(0.4 * times)
    whole_times = {time: int((data.whole.when == time).sum()) for time in data.sample.when}
    assert all((data.sample.when == time).sum() == count for time, count in whole_times.items())


def test_every_process_draws_the_same_sample(table):
    one, other = (ranker_tune_data(table, made_task(0.3)).sample for _ in range(2))
    np.testing.assert_array_equal(one.features, other.features)


def test_winner_is_the_best_trial_and_is_confirmed_on_the_whole_part(table, tmp_path):
    task = made_task()
    study, data = opened(task, tmp_path), ranker_tune_data(table, task)
    run_ranker_trials(study, task, data, limits(5))
    assert study.trials[0].params == {"min_data_in_leaf": 200, "leaves": 7}
    confirmed = confirm_ranker(study, task, data)
    assert isinstance(confirmed.settings, RankerConfig)
    again = fit_ranker(data.whole, data.validation, confirmed.settings, progress=SilentProgress())
    expected = again.ndcg(data.validation, confirmed.settings)
    assert max(confirmed.winner, confirmed.present) == pytest.approx(expected)
    assert confirmed.winner >= confirmed.present


def test_a_later_run_goes_on_where_the_study_stood(table, tmp_path):
    task = made_task()
    data = ranker_tune_data(table, task)
    for trials in (1, 3, 3):
        study = opened(task, tmp_path)
        run_ranker_trials(study, task, data, limits(trials))
        assert len(study.trials) == trials


def test_a_study_of_another_table_is_refused(tmp_path):
    opened(made_task(), tmp_path)
    other = RankerTuneTask(BASE, made_task().tune, 0.5, "t2")
    with pytest.raises(ConfigError, match="table: expected t2, the study has t1"):
        opened(other, tmp_path)


@pytest.mark.parametrize(
    ("ranges", "fault"),
    [
        ({"leafs": SearchRange(low=2, high=9)}, r"tune\.ranges\.ranker\.leafs: no such setting"),
        ({"leaves": SearchRange(low=0, high=9)}, r"tune\.ranges\.ranker\.leaves: 0 is none"),
        ({"k": SearchRange(low=5, high=9)}, r"tune\.ranges\.ranker\.k: scores .* do not compare"),
        ({"test": SearchRange(low=0.1, high=0.2)}, "do not compare"),
    ],
)
def test_ranges_that_make_no_sense_are_refused(ranges, fault):
    with pytest.raises(ConfigError, match=fault):
        made_task(ranges=ranges).check()


def test_a_study_without_a_complete_trial_has_no_winner(table, tmp_path):
    task = made_task()
    with pytest.raises(ArtifactError, match="expected a complete trial"):
        confirm_ranker(opened(task, tmp_path), task, ranker_tune_data(table, task))
