"""Find settings of the ranker by trials on the validation part of its table."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import optuna

from artifacts.errors import ConfigError
from artifacts.manifest import fingerprint
from artifacts.progress import SilentProgress
from artifacts.ranking_table import RankingTable
from trainer.ranker_config import RankerConfig
from trainer.ranker_model import fit_ranker
from trainer.ranker_parts import split_by_time, take_contexts
from trainer.ranker_report import RANKER
from trainer.settings import Settings
from trainer.tune import Confirmed, Limits, confirm_study, run_study
from trainer.tune_config import SearchRange, TuneConfig
from trainer.tune_search import check_ranges, suggest, values_of

RANGES: dict[str, SearchRange] = {
    # What the authors of LightGBM name first for depth and overfitting ("Parameters Tuning"); the
    # truncation from 10, the length of the lists, to where all of them is looked at.
    "learning_rate": SearchRange(low=0.01, high=0.2, log=True),
    "leaves": SearchRange(low=7, high=127, log=True),
    "min_data_in_leaf": SearchRange(low=10, high=1_000, log=True),
    "l2": SearchRange(low=0.01, high=100, log=True),
    "feature_fraction": SearchRange(low=0.3, high=1.0),
    "truncation": SearchRange(low=10, high=100, log=True),
}

MEASURE = frozenset({"k", "gains", "validation", "test"})
"""Settings that say what is measured, and on what: scores under two values do not compare."""


@dataclass(frozen=True, slots=True)
class RankerTuneTask:
    """What is tuned, and on what.

    Attributes:
        base: settings that are not searched; searched ones begin from here.
        tune: search ranges and seed.
        fraction: share of the times of the train part that trials learn from.
        table: version of the ranking table.
    """

    base: RankerConfig
    tune: TuneConfig
    fraction: float
    table: str

    @property
    def ranges(self) -> Mapping[str, SearchRange]:
        """Search ranges."""
        return self.tune.ranges.get(RANKER) or RANGES

    def check(self) -> None:
        """Refuse ranges that the settings cannot take.

        Raises:
            ConfigError: see `check_ranges`; or a setting that says what is measured.
        """
        check_ranges(self.base, self.ranges, RANKER)
        if strange := sorted(MEASURE & set(self.ranges)):
            raise ConfigError(
                f"tune.ranges.{RANKER}.{strange[0]}: scores under two values of it do not compare; "
                f"expected none of {sorted(MEASURE)}"
            )

    @property
    def about(self) -> dict[str, str]:
        """What scores depend on besides the settings that are searched."""
        fixed = self.base.model_dump(mode="json", exclude={"threads", *self.ranges})
        ranges = {name: searched.model_dump() for name, searched in self.ranges.items()}
        return {
            "space": RANKER,
            "table": self.table,
            "sample": f"{self.fraction:g} of the times, seed {self.tune.seed}",
            "score": f"NDCG@{self.base.k} of the validation part",
            "search ranges": fingerprint(ranges),
            "other settings": fingerprint(fixed),
        }


@dataclass(frozen=True, slots=True)
class RankerTuneData:
    """What tuning may look at: nothing of the test part.

    Attributes:
        whole: the train part.
        sample: a share of it.
        validation: what trials are scored on, and what ends their training.
    """

    whole: RankingTable
    sample: RankingTable
    validation: RankingTable


def ranker_tune_data(table: RankingTable, task: RankerTuneTask) -> RankerTuneData:
    """Part the table; every process and every later run makes the same parts.

    Raises:
        DataError: the table has too few times.
    """
    parts = split_by_time(table, task.base)
    return RankerTuneData(parts.train, _sampled(parts.train, task), parts.validation)


def run_ranker_trials(
    study: optuna.Study, task: RankerTuneTask, data: RankerTuneData, limits: Limits
) -> None:
    """Fit and score settings that the study suggests, see `run_study`.

    Trials are not pruned: a slow learner looks bad at first, and early stopping bounds them all.
    """

    def objective(trial: optuna.Trial) -> float:
        value = _score(suggest(trial, task.base, task.ranges), data.sample, data)
        limits.progress.advance()
        return value

    run_study(study, objective, values_of(task.base, task.ranges), limits)


def confirm_ranker(study: optuna.Study, task: RankerTuneTask, data: RankerTuneData) -> Confirmed:
    """Fit the winner and the present settings to the whole train part, and keep the better.

    Raises:
        ArtifactError: no trial of the study is complete.
    """
    return confirm_study(study, task.base, lambda settings: _score(settings, data.whole, data))


def _score(settings: Settings, train: RankingTable, data: RankerTuneData) -> float:
    assert isinstance(settings, RankerConfig), "bug: settings of something else"
    fitted = fit_ranker(train, data.validation, settings, progress=SilentProgress())
    return fitted.ndcg(data.validation, settings)


def _sampled(train: RankingTable, task: RankerTuneTask) -> RankingTable:
    if task.fraction >= 1:
        return train
    times, unit = np.unique(train.when, return_inverse=True)
    drawn = np.random.default_rng(task.tune.seed).permutation(len(times))
    among = np.zeros(len(times), dtype=np.bool_)
    among[drawn[: max(1, round(task.fraction * len(times)))]] = True
    return take_contexts(train, np.flatnonzero(among[unit]))
