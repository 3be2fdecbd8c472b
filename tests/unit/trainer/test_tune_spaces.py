from dataclasses import replace
from pathlib import Path

import numpy as np
import optuna
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from artifacts.errors import ConfigError
from artifacts.prepared import Prepared
from tests.made_metadata import prepare_metadata_shop
from tests.made_pictures import COLOURS, write_pictures
from tests.made_sessions import prepare_sessions
from tests.made_users import prepare_shoppers
from tests.unit.trainer.test_tune import limits
from trainer.config import EvaluateConfig, Prod2VecConfig
from trainer.images_config import ImagesConfig
from trainer.meta_config import MetaConfig
from trainer.settings import Settings
from trainer.softmax_config import SoftmaxConfig
from trainer.tune import TuneTask, confirm, run_trials
from trainer.tune_config import SearchRange, TuneConfig
from trainer.tune_data import tune_data
from trainer.tune_spaces import IMAGE_CACHE, tunable_space
from trainer.tune_study import StudyAddress, open_study
from trainer.user_cases import UserCases
from trainer.users_config import AlsConfig

META = MetaConfig(dimensions=8, softmax=SoftmaxConfig(epochs=2, noise=32))
SOFTMAX = Prod2VecConfig(softmax=SoftmaxConfig())
USER = AlsConfig(dimensions=4, iterations=2, alpha=10.0, regularisation=1.0, threads=1)


@pytest.fixture(autouse=True)
def quiet():
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def tuned(
    prepared: Prepared,
    base: Settings,
    space: str,
    tmp_path: Path,
    ranges: dict[str, SearchRange],
    trials: int = 3,
):
    """Run trials and confirm the winner; return the study and what was confirmed."""
    tune = TuneConfig(ranges={space: ranges}, startup_trials=2, validation=0.2)
    task = TuneTask(tunable_space(space), base, tune, EvaluateConfig(k=10), 1.0, "made")
    task.check()
    study = open_study(StudyAddress(f"sqlite:///{tmp_path}/s.db", space), task.about, tune)
    with tune_data(prepared, tune, 1.0, tmp_path) as data:
        run_trials(study, task, data, tmp_path, limits(trials))
        return study, confirm(study, task, data, tmp_path)


def test_only_settings_of_the_trainer_in_use_are_searched():
    space, tune = tunable_space("cf"), TuneConfig()
    for base, searched in ((Prod2VecConfig(), "negative"), (SOFTMAX, "softmax.dropout")):
        task = TuneTask(space, base, tune, EvaluateConfig(), 1.0, "made")
        task.check()
        assert searched in task.ranges
        assert ("negative" in task.ranges) == (base.softmax is None)


def test_meta_is_scored_by_last_steps(tmp_path):
    prepared = prepare_metadata_shop(tmp_path / "shop", sessions=120)
    rates = SearchRange(low=0.001, high=0.5, log=True)
    study, confirmed = tuned(prepared, META, "meta", tmp_path, {"softmax.learning_rate": rates})
    assert len({trial.value for trial in study.trials}) == 3
    assert confirmed.winner >= confirmed.present
    assert isinstance(confirmed.settings, MetaConfig)
    assert confirmed.settings.columns == META.columns


def test_users_are_scored_by_what_they_take_last(tmp_path):
    prepared = prepare_shoppers(tmp_path / "shop", 90)
    alphas = SearchRange(low=0.01, high=40, log=True)
    study, confirmed = tuned(prepared, USER, "user", tmp_path, {"alpha": alphas})
    # Each shopper keeps to ten items, so a vector that knows its shopper does well among seventy.
    assert confirmed.winner > 0.25
    assert study.user_attrs["score"] == "MRR of last items, asked for by user, up to rank 10"


def test_a_study_of_users_is_none_of_items(tmp_path):
    prepared = prepare_shoppers(tmp_path / "shop", 90)
    tuned(prepared, USER, "user", tmp_path, {"alpha": SearchRange(low=0.1, high=1)})
    about = TuneTask(
        tunable_space("meta"), META, TuneConfig(), EvaluateConfig(k=10), 1.0, "made"
    ).about
    address = StudyAddress(f"sqlite:///{tmp_path}/s.db", "user")
    with pytest.raises(ConfigError, match=r"(?s)space: expected meta.*score: expected MRR of last"):
        open_study(address, about, TuneConfig())


def test_sessions_without_a_shopper_score_nothing(tmp_path):
    prepared = prepare_shoppers(tmp_path / "shop", 60)
    fitted = tunable_space("user").fit(prepared, USER, tmp_path, lambda epochs, table: None)
    with tune_data(prepared, TuneConfig(validation=0.3), 1.0, tmp_path) as data:
        assert fitted.score(data, EvaluateConfig()) > 0
        nobody = UserCases((), np.empty(0, dtype=np.int32))
        assert fitted.score(replace(data, user_cases=nobody), EvaluateConfig()) == 0


@pytest.mark.extras
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_images_are_scored_by_last_steps_and_share_their_features(tmp_path):
    items = dict(zip("abcdefghi", [*COLOURS] * 3, strict=True))
    prepared = prepare_sessions(tmp_path / "shop", [[*items], [*reversed(items)]] * 10)
    ids, paths = zip(*write_pictures(tmp_path / "pictures", items), strict=True)
    pq.write_table(pa.table({"item_id": ids, "path": paths}), tmp_path / "table.parquet")
    base = ImagesConfig(
        table=(str(tmp_path / "table.parquet"),),
        folder=str(tmp_path / "pictures"),
        weights="random",
        size=75,
        dimensions=4,
    )
    study, confirmed = tuned(
        prepared, base, "image", tmp_path, {"dimensions": SearchRange(low=2, high=6)}, trials=1
    )
    assert confirmed.winner > 0
    assert (tmp_path / IMAGE_CACHE).is_dir()
    assert np.isfinite([trial.value for trial in study.trials]).all()
