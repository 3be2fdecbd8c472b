"""The stage `rank`: sessions and candidates -> a ranker, its schema, and what it is worth."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from artifacts.covisitation import COVISITATION
from artifacts.errors import ConfigError
from artifacts.progress import Progress
from artifacts.ranking_table import RankingTable
from artifacts.recent_sessions import RECENT_SESSIONS
from artifacts.versions import VersionedRoot
from cli.backdating import Backdated, backdate
from cli.pipeline import run_index
from cli.rank_table import RankingData, make_ranking_table
from cli.shop import ShopConfig, Workspace
from cli.spaces import run_train, trainings_of
from cli.training_inputs import open_prepared
from trainer.ranker import RankerTask, read_report, train_ranker
from trainer.ranker_charts import write_ranker_charts
from trainer.ranker_comparison import RankerSettings
from trainer.ranker_report import RankerReport

KEPT = 1
"""Versions kept of everything on the way: the newest serve a run that goes on or changes the trees."""


@dataclass(frozen=True, slots=True)
class RankingInputs:
    """What a ranker is trained on.

    Attributes:
        folder: of the sealed ranking table.
        backdated: the data set that its snapshot was made from.
    """

    folder: Path
    backdated: Backdated


def run_rank(shop: ShopConfig, progress: Progress) -> tuple[RankerReport, Path]:
    """Train a ranker on the last training sessions, with what was known before them.

    Returns:
        What was measured, and the folder of the ranker.

    Raises:
        ConfigError: the shop file has no table [train.ranker].
        DataError: there are too few sessions.

    Cost: one training of every space and one snapshot, then some milliseconds a place.
    """
    if shop.train.ranker is None:
        raise ConfigError("rank: expected a table [train.ranker] in the shop file, found none")
    inputs = gather_candidates(shop, progress)
    workspace = Workspace(shop.work_dir)
    task = RankerTask(
        table=RankingTable.open(inputs.folder),
        inputs={
            "prepared": open_prepared(workspace).manifest.id,
            "ranking_table": inputs.folder.name,
        },
        popularity=np.asarray(inputs.backdated.prepared.catalog.popularity),
        settings=RankerSettings(shop.train.ranker, shop.evaluate),
    )
    folder = train_ranker(task, workspace.ranker, progress=progress)
    report = read_report(folder)
    write_ranker_charts(report, workspace.charts)
    return report, folder


def gather_candidates(shop: ShopConfig, progress: Progress) -> RankingInputs:
    """Make the ranking table of a shop from a snapshot that ends before the sessions of the table.

    Whatever is made on the way is a version of its own, so that an unchanged or interrupted run does
    nothing twice.
    """
    workspace = Workspace(shop.work_dir)
    earlier = Workspace(workspace.backdated)
    prepared = open_prepared(workspace)
    backdated = backdate(prepared, shop.rank, earlier.prepared, progress=progress)
    index = shop.index.model_copy(update={"anchors": None})  # no list of the ranker asks the hybrid
    past = shop.model_copy(update={"work_dir": earlier.root, "index": index})
    folders = run_train(past, _wanted(past), progress)
    snapshot = run_index(past, progress)
    earlier.snapshots.use(snapshot.id)  # nobody serves it, but what is in use is not pruned
    data = RankingData(snapshot, backdated, shop.rank)
    folder = make_ranking_table(data, workspace.ranking_table, progress=progress)
    made = [VersionedRoot(version.parent) for version in folders.values()]
    for root in (earlier.prepared, *made, earlier.snapshots, workspace.ranking_table):
        root.prune(KEPT)
    return RankingInputs(folder, backdated)


def _wanted(shop: ShopConfig) -> list[str]:
    """Return the trainings that a snapshot is made of: what it indexes, and the tables."""
    indexed = {space.space for space in shop.index.spaces}
    kept = indexed | {COVISITATION, RECENT_SESSIONS}
    return [name for name in trainings_of(shop.train) if name in kept]
