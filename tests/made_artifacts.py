"""Small prepared data and embeddings, made and sealed as the trainer does."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from artifacts.arrays import FloatMatrix, IntVector
from artifacts.catalog import write_catalog
from artifacts.content_encoder import ENCODER_FOLDER
from artifacts.covisitation import CovisitationTable
from artifacts.embeddings import EmbeddingTable
from artifacts.folders import staged_folder
from artifacts.manifest import Json, Kind, seal
from artifacts.prepared import Prepared
from artifacts.recent_sessions import RecentSessions
from artifacts.vocabulary import write_vocabulary
from tests.made_encoder import write_made_encoder

CATEGORIES = ("Bakery", "Dairy", "Produce")
MADE_AT = datetime(2026, 11, 24, 10, 15, tzinfo=UTC)


def write_prepared(
    folder: Path, items: int, *, categories: Sequence[str | None] = CATEGORIES, id: str = "made"
) -> Prepared:
    """Write prepared data of `items` items that take the categories in turn."""
    with staged_folder(folder) as staging:
        write_vocabulary(staging / "items", [f"item-{row:04d}" for row in range(items)])
        names = [categories[row % len(categories)] for row in range(items)]
        write_catalog(
            staging / "catalog",
            titles=[f"Title {row}" for row in range(items)],
            category_paths=[name and f"{name} > Shelf" for name in names],
            top_categories=names,
            brands=[None if row % 5 else "Brand" for row in range(items)],
            prices=np.linspace(1, 9, items, dtype=np.float32),
            popularity=np.arange(items, 0, -1, dtype=np.int32),
        )
        _seal(staging, "prepared", id, {})
    return Prepared.open(folder)


def write_embedding(
    folder: Path,
    rows: IntVector | Sequence[int],
    vectors: FloatMatrix,
    outputs: FloatMatrix | None = None,
    *,
    space: str = "cf",
    prepared: str = "made",
    encoder: bool = False,
    further: Callable[[Path], None] | None = None,
) -> Path:
    """Write a sealed embedding; the arrays go unchecked, so that a test may plant faults."""
    with staged_folder(folder) as staging:
        np.save(staging / "rows.npy", np.asarray(rows, dtype=np.int32))
        np.save(staging / "vectors.npy", vectors)
        if outputs is not None:
            np.save(staging / "outputs.npy", outputs)
        if encoder:
            write_made_encoder(staging / ENCODER_FOLDER, vectors.shape[1])
        if further is not None:
            further(staging)
        (staging / "model.bin").write_bytes(b"kept by the trainer alone")
        _seal(staging, "embedding", f"{space}-made", {"prepared": prepared})
    return folder


def write_table(
    folder: Path, name: str, table: CovisitationTable | RecentSessions, prepared: str = "made"
) -> Path:
    """Write a sealed table."""
    with staged_folder(folder) as staging:
        table.save(staging)
        inputs = {"prepared": prepared}
        _seal(staging, "table", f"{name}-made", inputs, details={"table": name})
    return folder


def embedding_table(
    rows: IntVector | Sequence[int], vectors: FloatMatrix, outputs: FloatMatrix | None = None
) -> EmbeddingTable:
    """Return a table in memory."""
    return EmbeddingTable("cf", np.asarray(rows, dtype=np.int32), vectors, outputs)


def _seal(
    folder: Path, kind: Kind, id: str, inputs: dict[str, str], details: Json | None = None
) -> None:
    seal(
        folder,
        kind=kind,
        id=id,
        config={"made": True},
        inputs=inputs,
        versions={},
        details=details,
        now=MADE_AT,
    )
