"""The shop as it was before its last sessions: what a ranker may see when it is trained on these."""

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from artifacts.errors import DataError
from artifacts.folders import staged_folder
from artifacts.manifest import fingerprint, seal
from artifacts.prepared import (
    CATALOG_FOLDER,
    HELDOUT_NAME,
    ITEMS_FOLDER,
    TRAIN_NAME,
    Prepared,
)
from artifacts.progress import Progress
from artifacts.versions import VersionedRoot
from cli.rank_config import RankConfig
from indexer.build.linking import link_files
from trainer.seeded_hash import seeded_hash_of, threshold
from trainer.session_lists import list_values

POPULARITY_NAME = "popularity.npy"

BACKDATING = 1
"""Raised whenever the same data and settings are cut another way than before."""


@dataclass(frozen=True, slots=True)
class Backdated:
    """A data set that ends early.

    Attributes:
        prepared: its training sessions are the earlier ones, its held-out sessions the later ones;
            popularity counts the earlier ones alone.
        clock: whether earlier and later are those of time.
    """

    prepared: Prepared
    clock: bool


def backdate(
    prepared: Prepared, config: RankConfig, root: VersionedRoot, *, progress: Progress
) -> Backdated:
    """Cut the training sessions of a data set in two, and put the result in use below `root`.

    By time where sessions have one: those that begin at the moment of the cut or later are held out,
    and those without a time are not. Without any time a seeded hash of the session's id decides.
    Vocabulary and catalogue stay as they are, but for popularity.

    Raises:
        DataError: a part would be empty.

    Cost: all sessions in memory.
    """
    progress.start("cut sessions")
    table = pq.read_table(prepared.train_sessions)
    later, clock = _later(table, config)
    if later.all() or not later.any():
        raise DataError(
            f"rank: expected sessions to hold out and others to learn from, got {int(later.sum())} "
            f"and {int((~later).sum())}; is `fraction` under [rank] right?"
        )
    settings = config.model_dump(mode="json", include={"fraction", "seed"})
    made_of = {"prepared": prepared.manifest.id, "cut": settings, "version": BACKDATING}
    id = fingerprint(made_of)
    if not root.has(id):
        with staged_folder(root.path(id)) as folder:
            _write(folder, prepared, table, later)
            seal(
                folder,
                kind="prepared",
                id=id,
                config=prepared.manifest.config,
                inputs={"prepared": prepared.manifest.id},
                versions={"pyarrow": version("pyarrow")},
                details={
                    **prepared.manifest.details,
                    "train_sessions": int((~later).sum()),
                    "heldout_sessions": int(later.sum()),
                    "cut": settings,
                },
            )
    root.use(id)
    progress.finish(f"{int(later.sum()):,} later ones of {len(later):,}")
    return Backdated(Prepared.open(root.path(id)), clock)


def _later(table: pa.Table, config: RankConfig) -> tuple[NDArray[np.bool_], bool]:
    """Return (n,) which sessions are held out, and whether time says so."""
    starts = table.column("started_at")
    if starts.null_count == len(starts):
        below = threshold(config.fraction)
        ids = table.column("session_id").to_pylist()
        drawn = [seeded_hash_of(config.seed, "rank", id) < below for id in ids]
        return np.array(drawn, dtype=np.bool_), False
    moments = pc.fill_null(starts.cast(pa.int64()), np.iinfo(np.int64).min).to_numpy()
    ordered = np.sort(moments)
    cut = ordered[int((1 - config.fraction) * len(ordered))]
    return moments >= cut, True


def _write(folder: Path, prepared: Prepared, table: pa.Table, later: NDArray[np.bool_]) -> None:
    link_files(prepared.path / ITEMS_FOLDER, folder / ITEMS_FOLDER)
    names = tuple(
        path.name
        for path in (prepared.path / CATALOG_FOLDER).iterdir()
        if path.name != POPULARITY_NAME
    )
    link_files(prepared.path / CATALOG_FOLDER, folder / CATALOG_FOLDER, names)
    earlier = table.filter(pa.array(~later))
    np.save(folder / CATALOG_FOLDER / POPULARITY_NAME, _sessions_of(earlier, len(prepared.items)))
    pq.write_table(earlier, folder / TRAIN_NAME)
    pq.write_table(table.filter(pa.array(later)), folder / HELDOUT_NAME)


def _sessions_of(table: pa.Table, items: int) -> NDArray[np.int32]:
    """Return (v,) how many sessions hold each item."""
    lengths, values = list_values(table.column("items"))
    owner = np.repeat(np.arange(len(lengths), dtype=np.int64), lengths)
    distinct = np.unique(owner * items + values) % items
    return np.bincount(distinct, minlength=items).astype(np.int32)
