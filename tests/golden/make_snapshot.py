"""Write the golden snapshot of the present format: `python -m tests.golden.make_snapshot`.

Run once for each format version, when it is final. The folder is then committed and never written
again: it stands for the snapshots that lie in other people's stores. Its vectors are few and its
searches exhaustive, so that no rounding of another CPU changes an answer.
"""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from artifacts.arrays import FloatMatrix
from artifacts.manifest import FORMAT_VERSION
from artifacts.progress import SilentProgress
from artifacts.snapshot import Snapshot
from artifacts.versions import VersionedRoot
from indexer.build import SnapshotInputs, build_snapshot
from indexer.config import (
    AnnoyBuild,
    AnnoyConfig,
    BackendConfig,
    ExactConfig,
    FaissBuild,
    FaissConfig,
    IndexConfig,
    SimHashBuild,
    SimHashConfig,
    SpaceIndexConfig,
)
from indexer.open import open_indices
from tests.made_artifacts import write_embedding, write_prepared

GOLDEN = Path(__file__).parent
ITEMS, DIM, NEIGHBORS, QUERIES = 48, 8, 4, 6
BACKENDS: dict[str, BackendConfig] = {
    "exact": ExactConfig(),
    "annoy": AnnoyConfig(build=AnnoyBuild(n_trees=3)),
    "faiss": FaissConfig(build=FaissBuild(factory="IVF3,Flat")),
    "simhash": SimHashConfig(build=SimHashBuild(bits=128)),
}


def made_vectors(seed: int) -> FloatMatrix:
    """Return (ITEMS, DIM) vectors that every CPU holds alike."""
    sixteenths = np.random.default_rng(seed).integers(-64, 65, (ITEMS, DIM))
    return (sixteenths / 16).astype(np.float32)


def make(root: Path) -> Snapshot:
    """Build a snapshot with a space for each backend; the first is cut by category."""
    prepared = write_prepared(root / "prepared", ITEMS, categories=("Café & Tee", None, "牛乳"))
    embeddings, spaces = {}, []
    for seed, (name, backend) in enumerate(BACKENDS.items()):
        embeddings[name] = write_embedding(
            root / name,
            range(ITEMS),
            made_vectors(2 * seed),
            made_vectors(2 * seed + 1),
            space=name,
        )
        space = SpaceIndexConfig(
            space=name,
            backend=backend,
            exact_below=0,
            neighbors=NEIGHBORS,
            per_category=name == "exact",
        )
        spaces.append(space)
    return build_snapshot(
        SnapshotInputs(prepared, embeddings, {"mrr": 0.25}),
        IndexConfig(spaces=tuple(spaces), threads=1),
        VersionedRoot(root / "snapshots"),
        progress=SilentProgress(),
        now=datetime(2026, 11, 24, 10, 15, tzinfo=UTC),
    )


def answers(snapshot: Snapshot) -> list[dict[str, Any]]:
    """Ask every index for the neighbours of the first items, and look up their stored lists."""
    recorded = []
    for (space, relation), index in open_indices(snapshot).by_relation.items():
        queries = np.ascontiguousarray(snapshot.spaces[space].vectors[:QUERIES])
        live = index.search(queries, NEIGHBORS)
        stored = [snapshot.neighbors[space, relation].lookup(row) for row in range(QUERIES)]
        recorded.append(
            {
                "space": space,
                "relation": str(relation),
                "live_ids": [snapshot.items.ids(rows) for rows in live.rows],
                "live_scores": live.scores.tolist(),
                "stored_ids": [snapshot.items.ids(found[0]) for found in stored if found],
                "stored_scores": [found[1].tolist() for found in stored if found],
            }
        )
    return recorded


def main() -> None:
    """Write `format-<version>/` and `format-<version>.json` beside this file."""
    target = GOLDEN / f"format-{FORMAT_VERSION}"
    with TemporaryDirectory() as folder:
        snapshot = make(Path(folder))
        shutil.copytree(snapshot.path, target)
    lines = json.dumps(answers(Snapshot.open(target)), indent=1, ensure_ascii=False)
    target.with_suffix(".json").write_text(f"{lines}\n", "utf-8")


if __name__ == "__main__":
    main()
