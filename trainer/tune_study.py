"""Open a study, new or old, and make sure that it is about the same thing."""

from collections.abc import Mapping
from dataclasses import dataclass

import optuna
from sqlalchemy.exc import SQLAlchemyError

from artifacts.errors import ArtifactError, ConfigError
from trainer.tune_config import TuneConfig


@dataclass(frozen=True, slots=True)
class StudyAddress:
    """Where a study is kept.

    Attributes:
        storage: URL of a database, such as `sqlite:///studies.db`; workers share it.
        name: of the study.
    """

    storage: str
    name: str


def open_study(
    address: StudyAddress, about: Mapping[str, str], config: TuneConfig, *, worker: int = 0
) -> optuna.Study:
    """Open or begin a study that is about `about`.

    The sampler is TPE over all settings together, which learns what they do to each other; a trial
    below the median of earlier ones at the same epoch is pruned.

    Args:
        address: where it is kept.
        about: what scores depend on: two trials may be compared only if all of it is equal.
        config: seed and start-up.
        worker: number of the process; each draws other numbers.

    Raises:
        ConfigError: the study of that name is about something else; all differences are named.
        ArtifactError: the storage cannot be opened.
    """
    sampler = optuna.samplers.TPESampler(
        seed=config.seed + worker, n_startup_trials=config.startup_trials
    )
    pruner = optuna.pruners.MedianPruner(
        n_startup_trials=config.startup_trials, n_warmup_steps=config.prune_every
    )
    try:
        study = optuna.create_study(
            study_name=address.name,
            storage=address.storage,
            direction="maximize",
            load_if_exists=True,
            sampler=sampler,
            pruner=pruner,
        )
        _check_about(study, address, about)
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        raise ArtifactError(f"{address.storage}: studies cannot be kept there: {error}") from error
    return study


def _check_about(study: optuna.Study, address: StudyAddress, about: Mapping[str, str]) -> None:
    known = study.user_attrs
    if not known:
        for key, value in about.items():
            study.set_user_attr(key, value)
        return
    differences = [
        f"  {key}: expected {value}, the study has {known.get(key)}"
        for key, value in about.items()
        if known.get(key) != value
    ]
    if differences:
        raise ConfigError(
            "\n".join(
                [
                    f"study {address.name!r} in {address.storage} is about something else; name "
                    "another one by `study` under [tune]:",
                    *differences,
                ]
            )
        )
