"""What a build costs beside an earlier snapshot, by the share of categories that changed.

    python -m benchmarks.nightly_build

Processor seconds of all threads count, so that what else the machine does counts little. Each build
takes what it can from the first one, on which all changes are based.
"""

import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import typer

from artifacts.arrays import FloatMatrix
from artifacts.catalog import write_catalog
from artifacts.embeddings import EmbeddingTable
from artifacts.folders import staged_folder
from artifacts.manifest import seal
from artifacts.prepared import Prepared
from artifacts.progress import SilentProgress
from artifacts.versions import VersionedRoot
from artifacts.vocabulary import write_vocabulary
from benchmarks.machine import describe_machine
from benchmarks.results import Result, append_result
from indexer.build import SnapshotInputs, build_snapshot
from indexer.config import IndexConfig

DIM, SEED = 100, 3
SHARES = (0.0, 0.02, 0.1, 0.5, 1.0)
NIGHT = datetime(2026, 1, 1, 2, tzinfo=UTC)
SPACE = "content"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Shop(NamedTuple):
    """A catalogue whose items take the categories in turn."""

    folder: Path
    prepared: Prepared
    vectors: FloatMatrix
    categories: int
    config: IndexConfig


class Cost(NamedTuple):
    """Of one build."""

    cpu_s: float
    wall_s: float


@app.command()
def run(
    items: Annotated[int, typer.Option(help="Items.", min=1_000)] = 200_000,
    categories: Annotated[int, typer.Option(help="Top categories.", min=2)] = 50,
    neighbors: Annotated[int, typer.Option(help="Neighbours of each item.", min=0)] = 20,
    results: Annotated[Path, typer.Option(help="Append results to this file.")] = Path(
        "benchmarks/results/nightly.jsonl"
    ),
) -> None:
    """Build once, then again after some of the categories have changed."""
    with tempfile.TemporaryDirectory(prefix="shelfmate-nightly-") as folder:
        shop = _shop(Path(folder), items, categories, neighbors)
        first = _build(shop, 0, ())
        for night, share in enumerate(SHARES, 1):
            cost = _build(shop, night, range(round(share * categories)))
            part = cost.cpu_s / first.cpu_s
            print(f"{share:5.0%} of the categories changed: {cost.cpu_s:7.1f} s of processor time,")
            print(f"{'':31}{part:7.1%} of a first build's {first.cpu_s:.1f} s")
            _keep(
                results, shop, share, {"first_cpu_s": first.cpu_s, **cost._asdict(), "part": part}
            )


def _shop(folder: Path, items: int, categories: int, neighbors: int) -> Shop:
    rng = np.random.default_rng(SEED)
    names = [f"category {row % categories:03d}" for row in range(items)]
    with staged_folder(folder / "prepared") as staging:
        write_vocabulary(staging / "items", [f"{row:09d}" for row in range(items)])
        write_catalog(
            staging / "catalog",
            titles=[None] * items,
            category_paths=names,
            top_categories=names,
            brands=[None] * items,
            prices=np.full(items, np.nan, dtype=np.float32),
            popularity=np.ones(items, dtype=np.int32),
        )
        seal(staging, kind="prepared", id="made", config={}, inputs={}, versions={})
    space = {"space": SPACE, "per_category": True, "neighbors": neighbors, "exact_below": 0}
    config = IndexConfig.model_validate({"spaces": [space], "gate": {"min_recall": 0}})
    prepared = Prepared.open(folder / "prepared")
    vectors = rng.normal(size=(items, DIM)).astype(np.float32)
    return Shop(folder, prepared, vectors, categories, config)


def _build(shop: Shop, night: int, changed: Sequence[int]) -> Cost:
    """Build beside what earlier nights left, after all items of some categories have changed."""
    vectors = shop.vectors.copy()
    for category in changed:
        vectors[category :: shop.categories] += night
    embedding = shop.folder / f"night-{night}"
    with staged_folder(embedding) as staging:
        rows = np.arange(len(vectors), dtype=np.int32)
        EmbeddingTable(SPACE, rows, vectors).save(staging)
        made_from = {"prepared": "made"}
        config = {"night": night}
        seal(staging, kind="embedding", id=f"{night}", config=config, inputs=made_from, versions={})
    busy, begun = time.process_time(), time.perf_counter()
    build_snapshot(
        SnapshotInputs(shop.prepared, {SPACE: embedding}),
        shop.config,
        VersionedRoot(shop.folder / "snapshots"),
        progress=SilentProgress(),
        now=NIGHT + timedelta(days=night),
    )
    return Cost(time.process_time() - busy, time.perf_counter() - begun)


def _keep(results: Path, shop: Shop, share: float, metrics: dict[str, float]) -> None:
    items = len(shop.vectors)
    result = Result(
        suite="nightly",
        name=f"{share:.0%} of the categories changed",
        measured_at=datetime.now(UTC),
        machine=describe_machine(),
        data=f"made vectors, {items} x {DIM}, {shop.categories} categories, seed {SEED}",
        config=shop.config.model_dump(mode="json") | {"share": share},
        metrics=metrics,
    )
    append_result(results, result)


if __name__ == "__main__":
    app()
