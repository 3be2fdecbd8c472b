"""Find settings of a space by trials on a validation cut of the training sessions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import optuna
from pydantic import ValidationError

from artifacts.embeddings import EmbeddingTable
from artifacts.errors import ArtifactError, DataError
from artifacts.manifest import fingerprint
from artifacts.progress import Progress
from trainer.config import EvaluateConfig, Prod2VecConfig
from trainer.ranking import Cases
from trainer.settings import Settings
from trainer.tune_config import Scalar, SearchRange, TuneConfig
from trainer.tune_data import TuneData
from trainer.tune_score import score
from trainer.tune_search import check_ranges, suggest, values_of, with_values
from trainer.tune_spaces import TunableSpace, Watch

FINISHED = (
    optuna.trial.TrialState.COMPLETE,
    optuna.trial.TrialState.PRUNED,
    optuna.trial.TrialState.FAIL,
)


WITHOUT_EFFECT = {"workers", "threads", "checkpoint_s", "cache_dir"}
"""Settings that no score depends on."""


@dataclass(frozen=True, slots=True)
class TuneTask:
    """What is tuned, and by what it is scored.

    Attributes:
        space: how it is fitted.
        base: settings that are not searched; searched ones begin from here.
        tune: search ranges and cuts.
        evaluate: length of the lists (`k`) and size of blocks.
        fraction: share of the sessions that trials learn from.
        prepared: id of the data set.
    """

    space: TunableSpace
    base: Settings
    tune: TuneConfig
    evaluate: EvaluateConfig
    fraction: float
    prepared: str

    @property
    def ranges(self) -> Mapping[str, SearchRange]:
        """Search ranges of the space."""
        # Settings of the trainer that is not used would be searched for nothing.
        softmax = isinstance(self.base, Prod2VecConfig) and self.base.softmax is not None
        return self.tune.ranges_of(self.space.name, "softmax" if softmax else "")

    def check(self) -> None:
        """Refuse ranges that the settings cannot take.

        Raises:
            ConfigError: see `check_ranges`.
        """
        check_ranges(self.base, self.ranges, self.space.name)

    @property
    def about(self) -> dict[str, str]:
        """What scores depend on besides the settings that are searched."""
        fixed = self.base.model_dump(mode="json", exclude=WITHOUT_EFFECT)
        for name in self.ranges:
            table, *path = fixed, *name.split(".")
            for step in path[:-1]:
                table = table[step]
            table.pop(path[-1], None)
        ranges = {name: searched.model_dump() for name, searched in self.ranges.items()}
        return {
            "space": self.space.name,
            "prepared": self.prepared,
            "sample": f"{self.fraction:g} of the sessions, seed {self.tune.seed}",
            "validation": f"{self.tune.validation:g} of the sessions, "
            f"at most {self.tune.most_cases}",
            "score": f"{self.space.protocol}, up to rank {self.evaluate.k}",
            "search ranges": fingerprint(ranges),
            "other settings": fingerprint(fixed),
        }


@dataclass(frozen=True, slots=True)
class Limits:
    """When a process ends its work on a study.

    Attributes:
        trials: finished trials of all processes and runs together.
        timeout_s: seconds after which no further trial begins; None for no end.
        progress: gets one step a complete trial.
    """

    trials: int
    timeout_s: float | None
    progress: Progress


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What the winner does when it learns from all sessions but the validation cut.

    Attributes:
        settings: the better of winner and present settings.
        winner: score of the study's best trial.
        present: score of the settings that the shop file had.
    """

    settings: Settings
    winner: float
    present: float


def run_trials(
    study: optuna.Study, task: TuneTask, data: TuneData, folder: Path, limits: Limits
) -> None:
    """Fit and score settings that a study suggests, see `run_study`.

    Args:
        study: of `open_study`; other processes may work on it at the same time.
        task: what is tuned.
        data: sample and validation cut.
        folder: existing folder for what fitting writes for the while.
        limits: when to end.
    """

    def objective(trial: optuna.Trial) -> float:
        settings = suggest(trial, task.base, task.ranges)
        watch = _pruning(trial, task, data.cases)
        fitted = task.space.fit(data.sample, settings, folder, watch)
        limits.progress.advance()
        return fitted.score(data, task.evaluate)

    run_study(study, objective, values_of(task.base, task.ranges), limits)


def run_study(
    study: optuna.Study,
    objective: Callable[[optuna.Trial], float],
    present: Mapping[str, Scalar] | None,
    limits: Limits,
) -> None:
    """Run trials until the study has `limits.trials` finished ones, or the time is over.

    The present settings are the first trial, so that a study never ends below them unawares. A trial
    that cannot be fitted fails and the study goes on.

    Args:
        study: of `open_study`; other processes may work on it at the same time.
        objective: the score of a trial.
        present: values of the searched settings as they are; None where they are out of range.
        limits: when to end.
    """
    if present is not None and not study.trials:
        study.enqueue_trial(dict(present), skip_if_exists=True)
    if len(study.get_trials(deepcopy=False, states=FINISHED)) >= limits.trials:
        return
    study.optimize(
        objective,
        timeout=limits.timeout_s,
        catch=(DataError, ValidationError),
        callbacks=[optuna.study.MaxTrialsCallback(limits.trials, states=FINISHED)],
    )


def confirm(study: optuna.Study, task: TuneTask, data: TuneData, folder: Path) -> Confirmed:
    """Fit the winner and the present settings on all sessions but the validation cut.

    What wins on a sample need not win on all data: the better of the two is kept.

    Raises:
        ArtifactError: no trial of the study is complete.
    """

    def score_whole(settings: Settings) -> float:
        fitted = task.space.fit(data.whole, settings, folder, lambda epochs, table: None)
        return fitted.score(data, task.evaluate)

    return confirm_study(study, task.base, score_whole)


def confirm_study(
    study: optuna.Study, base: Settings, score_whole: Callable[[Settings], float]
) -> Confirmed:
    """Score the winner and the present settings on all data, and keep the better.

    Args:
        study: with its trials.
        base: the present settings.
        score_whole: fits settings to all data and scores them.

    Raises:
        ArtifactError: no trial of the study is complete.
    """
    if not study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,)):
        raise ArtifactError(
            f"study {study.study_name!r}: expected a complete trial, found none; allow more time"
        )
    best = with_values(base, study.best_params)
    winner = score_whole(best)
    present = winner if best == base else score_whole(base)
    return Confirmed(best if winner >= present else base, winner, present)


def _pruning(trial: optuna.Trial, task: TuneTask, cases: Cases) -> Watch:
    def watch(epochs: int, table: EmbeddingTable) -> None:
        if epochs % task.tune.prune_every:
            return
        trial.report(score(table, cases, task.evaluate), epochs)
        if trial.should_prune():
            raise optuna.TrialPruned

    return watch
