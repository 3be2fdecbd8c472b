"""The command `tune`: a study of a space or of the ranker, its charts, and a shop file with the winner."""

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import optuna
from pydantic import BaseModel

from artifacts.errors import ConfigError
from artifacts.folders import write_file
from artifacts.progress import Progress, SilentProgress
from cli.shop import ShopConfig, Workspace, load_shop
from cli.shop_text import with_table
from cli.tunings import Tuning, tuning_of
from trainer.tune import Confirmed, Limits
from trainer.tune_chart import StudyCharts, importances, write_study_charts
from trainer.tune_study import StudyAddress, open_study


@dataclass(frozen=True, slots=True)
class TuneOptions:
    """What the command line says.

    Attributes:
        config: the shop file.
        space: space to tune, or `ranker`.
        trials: finished trials that the study shall have.
        timeout_s: seconds after which no further trial begins; None for no end.
        sample: share of the sessions, or of the ranker's contexts, that trials learn from.
        workers: processes.
        storage: URL of the studies; None takes `studies.db` in the work folder.
        out: shop file to write; None takes `<name>.<space>-tuned.toml` beside the old one.
    """

    config: Path
    space: str
    trials: int
    timeout_s: float | None
    sample: float
    workers: int
    storage: str | None
    out: Path | None


@dataclass(frozen=True, slots=True)
class Tuned:
    """What came of it."""

    confirmed: Confirmed
    """Scores on all data and the settings that were kept."""
    metric: str
    """What these scores are."""
    command: str
    """The command that trains with these settings."""
    shop: Path
    """Shop file with these settings, ready to train."""
    charts: StudyCharts
    """How the study went."""
    importances: dict[str, float]
    """Share of each setting in the variance of scores; empty where nothing can be said."""
    trials: int
    """Trials of the study."""


def run_tune(options: TuneOptions, progress: Progress) -> Tuned:
    """Run trials, confirm the winner on all data, write charts and the shop file.

    Raises:
        ConfigError: no such space or setting, or a study about something else.
        ArtifactError: nothing is prepared, or no trial is complete.
        DataError: too few sessions.
    """
    shop = load_shop(options.config)
    tuning = tuning_of(shop, options.space, options.sample)
    tuning.check()
    study = _study(shop, tuning, options)  # before the workers, so that only one creates the tables
    progress.start(f"tune {options.space}", total=options.trials)
    _run(options, progress)
    progress.finish(f"{len(study.trials)} trials")
    progress.start("confirm on all that may be learnt from")
    confirmed = tuning.confirm(study)
    progress.finish(f"{tuning.metric} {confirmed.winner:.4f}, before {confirmed.present:.4f}")
    charts = Workspace(shop.work_dir).charts / f"tune-{study.study_name}"
    return Tuned(
        confirmed=confirmed,
        metric=tuning.metric,
        command=tuning.command,
        shop=_write_shop(options, confirmed.settings),
        charts=write_study_charts(study, charts, metric=tuning.metric),
        importances=importances(study),
        trials=len(study.trials),
    )


def tuned_text(tuned: Tuned) -> Sequence[str]:
    """Return lines for people."""
    won = tuned.confirmed
    verdict = "the winner is kept" if won.winner > won.present else "nothing better was found"
    return [
        f"{tuned.metric} on what was set aside, learnt from all the rest: {won.winner:.4f}; the "
        f"settings so far: {won.present:.4f}; {verdict}",
        *(f"  {name}: {share:.0%} of the variance" for name, share in tuned.importances.items()),
        f"charts: {tuned.charts.history.parent}",
        f"shop file: {tuned.shop} (train it: shelfmate {tuned.command} -c {tuned.shop})",
    ]


def _run(options: TuneOptions, progress: Progress) -> None:
    if options.workers == 1:
        _work(options, 0, progress)
        return
    # Spawned: gensim and Numba have threads that a fork would not carry over.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.workers, mp_context=context) as pool:
        workers = [
            pool.submit(_work, options, worker, SilentProgress())
            for worker in range(options.workers)
        ]
        for worker in workers:
            worker.result()


def _work(options: TuneOptions, worker: int, progress: Progress) -> None:
    """Run trials in this process until the study is complete."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    shop = load_shop(options.config)
    tuning = tuning_of(shop, options.space, options.sample)
    study = _study(shop, tuning, options, worker=worker)
    tuning.run(study, Limits(options.trials, options.timeout_s, progress))


def _study(
    shop: ShopConfig, tuning: Tuning, options: TuneOptions, *, worker: int = 0
) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = options.storage or f"sqlite:///{shop.work_dir / 'studies.db'}"
    address = StudyAddress(storage, shop.tune.study or options.space)
    return open_study(address, tuning.about, shop.tune, worker=worker)


def _write_shop(options: TuneOptions, settings: BaseModel) -> Path:
    source = options.config
    path = options.out or source.with_name(f"{source.stem}.{options.space}-tuned.toml")
    text = with_table(source.read_text("utf-8"), f"train.{options.space}", settings)
    write_file(path, text.encode())
    written = getattr(load_shop(path).train, options.space)
    if written != settings:
        raise ConfigError(
            f"{path}: the settings found are not what the file says; give [train.{options.space}] "
            f"a heading of its own in {source}"
        )
    return path
