"""What `tune` can tune: the spaces, and the ranker."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import optuna

from artifacts.ranking_table import RankingTable
from cli.shop import ShopConfig, Workspace
from cli.training_inputs import open_prepared
from trainer.ranker_config import RankerConfig
from trainer.ranker_report import RANKER
from trainer.ranker_tune import (
    RankerTuneTask,
    confirm_ranker,
    ranker_tune_data,
    run_ranker_trials,
)
from trainer.tune import Confirmed, Limits, TuneTask, confirm, run_trials
from trainer.tune_data import tune_data
from trainer.tune_spaces import tunable_space


class Tuning(Protocol):
    """Something whose settings can be searched."""

    @property
    def metric(self) -> str:
        """What scores are, in a word or two."""
        ...

    @property
    def command(self) -> str:
        """The command that trains with the settings found."""
        ...

    @property
    def about(self) -> Mapping[str, str]:
        """What scores depend on besides the settings that are searched."""
        ...

    def check(self) -> None:
        """Refuse search ranges that the settings cannot take."""
        ...

    def run(self, study: optuna.Study, limits: Limits) -> None:
        """Run trials until the limits end them."""
        ...

    def confirm(self, study: optuna.Study) -> Confirmed:
        """Score the winner and the present settings on all that may be learnt from."""
        ...


def tuning_of(shop: ShopConfig, name: str, fraction: float) -> Tuning:
    """Return what `tune <name>` is about.

    Args:
        shop: settings, and where data lie.
        name: of a space, or `ranker`.
        fraction: share of the data that trials learn from.

    Raises:
        ConfigError: there is nothing of that name.
        ArtifactError: what is learnt from is not made yet.
    """
    return _ranker(shop, fraction) if name == RANKER else _space(shop, name, fraction)


@dataclass(frozen=True, slots=True)
class _SpaceTuning:
    task: TuneTask
    workspace: Workspace
    metric: str = "MRR"
    command: str = "train"

    @property
    def about(self) -> Mapping[str, str]:
        return self.task.about

    def check(self) -> None:
        self.task.check()

    def run(self, study: optuna.Study, limits: Limits) -> None:
        prepared = open_prepared(self.workspace)
        with tune_data(prepared, self.task.tune, self.task.fraction, self._scratch) as data:
            run_trials(study, self.task, data, self._scratch, limits)

    def confirm(self, study: optuna.Study) -> Confirmed:
        prepared = open_prepared(self.workspace)
        with tune_data(prepared, self.task.tune, self.task.fraction, self._scratch) as data:
            return confirm(study, self.task, data, self._scratch)

    @property
    def _scratch(self) -> Path:
        return self.workspace.root / "tuning"


@dataclass(frozen=True, slots=True)
class _RankerTuning:
    task: RankerTuneTask
    table: Path
    command: str = "rank"

    @property
    def metric(self) -> str:
        return f"NDCG@{self.task.base.k}"

    @property
    def about(self) -> Mapping[str, str]:
        return self.task.about

    def check(self) -> None:
        self.task.check()

    def run(self, study: optuna.Study, limits: Limits) -> None:
        data = ranker_tune_data(RankingTable.open(self.table), self.task)
        run_ranker_trials(study, self.task, data, limits)

    def confirm(self, study: optuna.Study) -> Confirmed:
        data = ranker_tune_data(RankingTable.open(self.table), self.task)
        return confirm_ranker(study, self.task, data)


def _space(shop: ShopConfig, name: str, fraction: float) -> Tuning:
    space, workspace = tunable_space(name), Workspace(shop.work_dir)
    task = TuneTask(
        space=space,
        base=getattr(shop.train, name) or space.settings,
        tune=shop.tune,
        evaluate=shop.evaluate,
        fraction=fraction,
        prepared=open_prepared(workspace).manifest.id,
    )
    return _SpaceTuning(task, workspace)


def _ranker(shop: ShopConfig, fraction: float) -> Tuning:
    table = Workspace(shop.work_dir).ranking_table.current(hint="shelfmate rank")
    base = shop.train.ranker or RankerConfig()
    return _RankerTuning(RankerTuneTask(base, shop.tune, fraction, table.name), table)
