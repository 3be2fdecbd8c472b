"""Snapshots of any number of made items, for what depends on their number alone."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from artifacts.catalog import write_catalog
from artifacts.folders import staged_folder
from artifacts.manifest import MANIFEST_NAME, seal
from artifacts.prepared import Prepared
from artifacts.progress import Progress
from artifacts.relation import Relation
from artifacts.snapshot import NeighborsEntry, Snapshot
from artifacts.versions import VersionedRoot
from artifacts.vocabulary import write_vocabulary
from benchmarks.growth_rows import write_rows
from benchmarks.snapshot_pair import link_or_copy
from indexer.array_writer import write_array
from indexer.build import SnapshotInputs, build_snapshot
from indexer.config import (
    AnnoyConfig,
    BackendConfig,
    ExactConfig,
    FaissConfig,
    GateConfig,
    IndexConfig,
    SimHashConfig,
    SpaceIndexConfig,
)

BACKENDS: dict[str, BackendConfig] = {
    "exact": ExactConfig(),
    "ivf": FaissConfig(),
    "simhash": SimHashConfig(),
    "annoy": AnnoyConfig(),
}
"""By name, with their usual settings."""

SEED = 7
CATEGORIES = 20
LISTED = 50
"""Neighbours of each item, as many as the indexer computes where nobody says otherwise."""
BLOCK = 1 << 16
SPACE = "cf"
LISTS_FOLDER = f"neighbors/{SPACE}/{Relation.ALTERNATIVES}"
MADE_AT = datetime(2026, 11, 24, tzinfo=UTC)


def made_snapshots(folder: Path, backend: str, rows: int, progress: Progress) -> VersionedRoot:
    """Return snapshots of which one is in use, made unless it is there.

    The vectors and their index are what the indexer builds. The lists of neighbours are not searched
    for, which would take hours with some backends: they hold other items in a fixed order.

    Args:
        folder: where made snapshots are kept.
        backend: name in `BACKENDS`.
        rows: items of 100 dimensions.
        progress: told of what is built.
    """
    snapshots = VersionedRoot(folder / f"{backend}-{rows}" / "snapshots")
    if snapshots.current_id() is None:
        inputs = _inputs(folder / f"inputs-{rows}", rows, progress)
        built = build_snapshot(
            inputs, _index_config(backend), snapshots, progress=progress, now=MADE_AT
        )
        snapshots.use(_with_lists(snapshots, built))
        snapshots.prune(1)
    return snapshots


def _index_config(backend: str) -> IndexConfig:
    space = SpaceIndexConfig(
        space=SPACE, backend=BACKENDS[backend], per_category=False, exact_below=0, neighbors=0
    )
    # What is measured here is not how well an index searches.
    return IndexConfig(spaces=(space,), gate=GateConfig(min_recall=0, queries=20), keep=2)


def _inputs(folder: Path, rows: int, progress: Progress) -> SnapshotInputs:
    """Return made items and their vectors, written unless they are there."""
    if not (folder / "prepared").exists():
        progress.start(f"made items, {rows:,}")
        _write_prepared(folder / "prepared", rows)
        progress.finish()
    if not (folder / SPACE).exists():
        progress.start(f"made vectors, {rows:,}")
        with staged_folder(folder / SPACE) as staging:
            np.save(staging / "rows.npy", np.arange(rows, dtype=np.int32))
            write_rows(staging / "vectors.npy", rows, seed=SEED)
            made_from = {"prepared": _name(rows)}
            seal(staging, kind="embedding", id="made", config={}, inputs=made_from, versions={})
        progress.finish()
    return SnapshotInputs(Prepared.open(folder / "prepared"), {SPACE: folder / SPACE})


def _write_prepared(folder: Path, rows: int) -> None:
    categories = [f"Category {row % CATEGORIES:02d}" for row in range(rows)]
    with staged_folder(folder) as staging:
        write_vocabulary(staging / "items", [f"item-{row:09d}" for row in range(rows)])
        write_catalog(
            staging / "catalog",
            titles=[f"Made item number {row}" for row in range(rows)],
            category_paths=[f"{name} > Shelf" for name in categories],
            top_categories=categories,
            brands=[None] * rows,
            prices=np.linspace(1, 99, rows, dtype=np.float32),
            popularity=np.arange(rows, 0, -1, dtype=np.int32),
        )
        seal(staging, kind="prepared", id=_name(rows), config={}, inputs={}, versions={})


def _name(rows: int) -> str:
    return f"made-{rows}"


def _with_lists(snapshots: VersionedRoot, built: Snapshot) -> str:
    """Seal a snapshot once more, with lists, and return its id."""
    id = f"{built.id}-listed"
    rows = built.contents.items
    entry = NeighborsEntry(
        space=SPACE, relation=Relation.ALTERNATIVES, folder=LISTS_FOLDER, items=rows, k=LISTED
    )
    contents = built.contents.model_copy(update={"neighbors": (entry,)})
    with staged_folder(snapshots.path(id)) as staging:
        shutil.copytree(
            built.path,
            staging,
            copy_function=link_or_copy,
            ignore=shutil.ignore_patterns(MANIFEST_NAME),
            dirs_exist_ok=True,
        )
        _write_lists(staging / LISTS_FOLDER, rows)
        seal(
            staging,
            kind="snapshot",
            id=id,
            config=built.manifest.config,
            inputs=built.manifest.inputs,
            versions=built.manifest.versions,
            details=contents.model_dump(mode="json"),
            now=MADE_AT,
        )
    return id


def _write_lists(folder: Path, rows: int) -> None:
    """Write lists in which each item has the same steps to its neighbours, of falling scores."""
    folder.mkdir(parents=True)
    count = min(LISTED, rows - 1)
    steps = np.full(LISTED, -1, dtype=np.int64)
    steps[:count] = 1 + np.arange(count) * max((rows - 1) // max(count, 1), 1)
    scores = np.where(steps > 0, np.linspace(0.9, 0.5, LISTED), -np.inf).astype(np.float32)
    np.save(folder / "positions.npy", np.arange(rows, dtype=np.int32))
    with (
        write_array(folder / "rows.npy", (rows, LISTED), np.int32) as to_rows,
        write_array(folder / "scores.npy", (rows, LISTED), np.float32) as to_scores,
    ):
        for start in range(0, rows, BLOCK):
            items = np.arange(start, min(start + BLOCK, rows))[:, np.newaxis]
            to_rows.append(np.where(steps > 0, (items + steps) % rows, -1))
            to_scores.append(np.broadcast_to(scores, (len(items), LISTED)))
