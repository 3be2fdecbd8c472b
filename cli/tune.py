"""The command `tune`: a study of one space, its charts, and a shop file with the winner."""

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
from cli.training_inputs import open_prepared
from trainer.tune import Confirmed, Limits, TuneTask, confirm, run_trials
from trainer.tune_chart import StudyCharts, importances, write_study_charts
from trainer.tune_data import tune_data
from trainer.tune_spaces import tunable_space
from trainer.tune_study import StudyAddress, open_study


@dataclass(frozen=True, slots=True)
class TuneOptions:
    """What the command line says.

    Attributes:
        config: the shop file.
        space: space to tune.
        trials: finished trials that the study shall have.
        timeout_s: seconds after which no further trial begins; None for no end.
        sample: share of the sessions that trials learn from.
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
    workspace = Workspace(shop.work_dir)
    task = _task(shop, options)
    task.check()
    study = _study(shop, task, options)  # before the workers, so that only one creates the tables
    progress.start(f"tune {options.space}", total=options.trials)
    _run(options, progress)
    progress.finish(f"{len(study.trials)} trials")
    progress.start("confirm on all sessions")
    scratch = workspace.root / "tuning"
    with tune_data(open_prepared(workspace), shop.tune, options.sample, scratch) as data:
        confirmed = confirm(study, task, data, scratch)
    progress.finish(f"MRR {confirmed.winner:.4f}, before {confirmed.present:.4f}")
    return Tuned(
        confirmed=confirmed,
        shop=_write_shop(options, confirmed.settings),
        charts=write_study_charts(study, workspace.charts / f"tune-{study.study_name}"),
        importances=importances(study),
        trials=len(study.trials),
    )


def tuned_text(tuned: Tuned) -> Sequence[str]:
    """Return lines for people."""
    won = tuned.confirmed
    verdict = "the winner is kept" if won.winner > won.present else "nothing better was found"
    return [
        f"MRR on the validation cut, learnt from all other sessions: {won.winner:.4f}; the settings "
        f"so far: {won.present:.4f}; {verdict}",
        *(f"  {name}: {share:.0%} of the variance" for name, share in tuned.importances.items()),
        f"charts: {tuned.charts.history.parent}",
        f"shop file: {tuned.shop} (train it: shelfmate train -c {tuned.shop})",
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
    workspace = Workspace(shop.work_dir)
    task = _task(shop, options)
    study = _study(shop, task, options, worker=worker)
    scratch = workspace.root / "tuning"
    limits = Limits(options.trials, options.timeout_s, progress)
    with tune_data(open_prepared(workspace), shop.tune, options.sample, scratch) as data:
        run_trials(study, task, data, scratch, limits)


def _task(shop: ShopConfig, options: TuneOptions) -> TuneTask:
    space = tunable_space(options.space)
    return TuneTask(
        space=space,
        base=getattr(shop.train, options.space) or space.settings,
        tune=shop.tune,
        evaluate=shop.evaluate,
        fraction=options.sample,
        prepared=open_prepared(Workspace(shop.work_dir)).manifest.id,
    )


def _study(
    shop: ShopConfig, task: TuneTask, options: TuneOptions, *, worker: int = 0
) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = options.storage or f"sqlite:///{shop.work_dir / 'studies.db'}"
    address = StudyAddress(storage, shop.tune.study or options.space)
    return open_study(address, task.about, shop.tune, worker=worker)


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
