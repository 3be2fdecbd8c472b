"""The stages, composed: what each one reads and writes in a shop's work folder."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from artifacts.covisitation import COVISITATION
from artifacts.embeddings import EmbeddingTable
from artifacts.folders import write_file
from artifacts.prepared import Prepared
from artifacts.progress import Progress
from artifacts.recent_sessions import RECENT_SESSIONS
from artifacts.snapshot import Snapshot
from cli.shop import ShopConfig, Workspace
from cli.spaces import CF
from cli.training_inputs import embedding_folder, open_prepared, table_folder
from indexer.build import SnapshotInputs, build_snapshot
from trainer.decile_chart import write_decile_chart
from trainer.evaluate import EvaluationReport, evaluate
from trainer.evaluate_sessions import evaluate_sessions
from trainer.prepare import prepare


def run_prepare(shop: ShopConfig, progress: Progress) -> Prepared:
    """Event and item files -> prepared data set."""
    return prepare(shop.prepare, Workspace(shop.work_dir).prepared, progress=progress)


def run_evaluate(
    shop: ShopConfig, progress: Progress, *, every_step: bool = False
) -> EvaluationReport:
    """Score the vectors on held-out sessions and chart them by popularity.

    The scores of last steps also enter the next snapshot; those of every step are for comparison
    with the literature.
    """
    workspace = Workspace(shop.work_dir)
    folder = embedding_folder(workspace, CF)
    table = EmbeddingTable.open(folder, CF)
    protocol = evaluate_sessions if every_step else evaluate
    report = protocol(open_prepared(workspace), table, shop.evaluate, progress=progress)
    if not every_step:
        quality = {"embedding": folder.name, **report.to_json()}
        write_file(workspace.quality, json.dumps(quality, indent=2).encode())
    write_decile_chart(report, workspace.charts)
    return report


def run_index(shop: ShopConfig, progress: Progress, *, fresh: bool = False) -> Snapshot:
    """Prepared data, vectors and tables -> a sealed snapshot, not yet in service.

    `fresh` builds all of it anew, whatever earlier snapshots hold.
    """
    workspace = Workspace(shop.work_dir)
    inputs = SnapshotInputs(
        prepared=open_prepared(workspace),
        embeddings=_embeddings(workspace, shop),
        quality=_quality(workspace),
        tables=_tables(workspace, shop),
        ranker=_ranker(workspace, shop),
    )
    return build_snapshot(
        inputs,
        shop.index,
        workspace.snapshots,
        now=datetime.now(UTC),
        progress=progress,
        fresh=fresh,
    )


def _embeddings(workspace: Workspace, shop: ShopConfig) -> dict[str, Path]:
    """Return the folders of the spaces that the index wants and training has made."""
    wanted = dict.fromkeys(space.space for space in shop.index.spaces)
    trained = [space for space in wanted if workspace.embedding(space).current_id() is not None]
    if CF in wanted and CF not in trained:
        trained.append(CF)  # its absence is told with the command that makes it
    return {space: embedding_folder(workspace, space) for space in trained}


def _tables(workspace: Workspace, shop: ShopConfig) -> dict[str, Path]:
    """Return the folders of the tables that the shop file asks for and training has made."""
    tables = shop.train.tables
    wanted = {COVISITATION: tables.covisitation, RECENT_SESSIONS: tables.sessions}
    return {
        name: table_folder(workspace, name)
        for name, settings in wanted.items()
        if settings is not None and workspace.table(name).current_id() is not None
    }


def _ranker(workspace: Workspace, shop: ShopConfig) -> Path | None:
    """Return the folder of the ranker in use, if the shop file asks for one."""
    id = workspace.ranker.current_id() if shop.train.ranker is not None else None
    return workspace.ranker.path(id) if id is not None else None


def _quality(workspace: Workspace) -> dict[str, Any]:
    """Return the evaluation of the vectors in use, or nothing where there is none of them."""
    try:
        quality: dict[str, Any] = json.loads(workspace.quality.read_bytes())
    except FileNotFoundError:
        return {}
    return quality if quality.get("embedding") == workspace.embedding(CF).current_id() else {}
