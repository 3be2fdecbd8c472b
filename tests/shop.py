"""A small shop: a snapshot in which every road to an answer leads somewhere."""

from pathlib import Path

import numpy as np

from artifacts.catalog import UNCATEGORISED, write_catalog
from artifacts.folders import staged_folder
from artifacts.manifest import seal
from artifacts.prepared import Prepared
from artifacts.progress import SilentProgress
from artifacts.relation import Relation
from artifacts.user_space_layout import USER_SPACE
from artifacts.versions import VersionedRoot
from artifacts.vocabulary import write_vocabulary
from indexer.anchors_config import AnchorsConfig, CategoryAnchors
from indexer.bands_config import Band, BandsConfig
from indexer.build import SnapshotInputs, build_snapshot
from indexer.config import IndexConfig, SpaceIndexConfig
from tests.clusters import clustered
from tests.made_artifacts import MADE_AT, write_embedding
from tests.shop_shoppers import write_shoppers, write_tables

ITEMS = 240
DIM = 12
TABLE_K = 20
CATEGORIES = ("Bakery", "Dairy", "Produce", None)

COLD = "item-0001"
"""In the catalogue and popular, but without a collaborative vector: rows 1, 11, 21, ..."""

MIN_SESSIONS = 100
"""Of an anchor: rows up to 100 that have a collaborative vector."""

ANCHORS = AnchorsConfig(
    min_sessions=MIN_SESSIONS,
    categories={UNCATEGORISED: CategoryAnchors(min_similarity=1.0)},
)
"""Items without a category borrow from their equals alone, of which there is none."""

BANDS = BandsConfig(
    max_to_source=0.85,
    max_between=0.88,
    categories={
        "Dairy": Band(max_to_source=0.9, max_between=0.7, min_similarity=-0.2),
        "Produce": Band(min_similarity=0.3),
    },
)
"""Of a shop that has any."""


def item_id(row: int) -> str:
    """Return the id of a row."""
    return f"item-{row:04d}"


def build_shop(
    root: Path, anchors: AnchorsConfig | None = ANCHORS, bands: BandsConfig | None = None
) -> VersionedRoot:
    """Build a snapshot of `shop_inputs` under `root/snapshots` and put it in use."""
    snapshots = VersionedRoot(root / "snapshots")
    inputs, config = shop_inputs(root), shop_config(anchors, bands)
    snapshot = build_snapshot(inputs, config, snapshots, progress=SilentProgress(), now=MADE_AT)
    snapshots.use(snapshot.id)
    return snapshots


def shop_inputs(root: Path) -> SnapshotInputs:
    """Write what the shop is made of.

    Space `cf` is whole and asymmetric and lacks every tenth item; space `content` is cut by
    category, has all of them, and encodes texts. Space `user` knows shoppers, and the sessions of the
    tables hold the first items alone. Every seventh item has no price; the last forty were never sold.
    """
    prepared = _write_prepared(root / "prepared")
    known = np.array([row for row in range(ITEMS) if row % 10 != 1], dtype=np.int32)
    embeddings = {
        "cf": write_embedding(
            root / "cf",
            known,
            clustered(len(known), DIM, clusters=8, skew=0.3, seed=1),
            clustered(len(known), DIM, clusters=8, skew=0.3, seed=2),
            prepared="shop",
        ),
        "content": write_embedding(
            root / "content",
            np.arange(ITEMS, dtype=np.int32),
            clustered(ITEMS, DIM, clusters=8, seed=3),
            space="content",
            prepared="shop",
            encoder=True,
        ),
        USER_SPACE: write_shoppers(root / USER_SPACE, ITEMS, DIM),
    }
    return SnapshotInputs(prepared, embeddings, tables=write_tables(root / "tables", ITEMS))


def shop_config(anchors: AnchorsConfig | None, bands: BandsConfig | None) -> IndexConfig:
    """Return how the shop is indexed; both spaces have the same bands."""
    return IndexConfig(
        spaces=(
            SpaceIndexConfig(space="cf", neighbors=TABLE_K, bands=bands),
            SpaceIndexConfig(space="content", per_category=True, neighbors=TABLE_K, bands=bands),
            SpaceIndexConfig(space=USER_SPACE, relations=(Relation.CONTINUATIONS,), neighbors=0),
        ),
        anchors=anchors,
        threads=1,
    )


def _write_prepared(folder: Path) -> Prepared:
    names = [CATEGORIES[row % len(CATEGORIES)] for row in range(ITEMS)]
    prices = np.linspace(1, 9, ITEMS, dtype=np.float32)
    prices[::7] = np.nan
    popularity = np.arange(ITEMS - 40, -40, -1, dtype=np.int32).clip(min=0)
    with staged_folder(folder) as staging:
        write_vocabulary(staging / "items", [item_id(row) for row in range(ITEMS)])
        write_catalog(
            staging / "catalog",
            titles=[None if row % 9 == 4 else f"Title {row}" for row in range(ITEMS)],
            category_paths=[name and f"{name} > Shelf" for name in names],
            top_categories=names,
            brands=[None if row % 5 else "Brand" for row in range(ITEMS)],
            prices=prices,
            popularity=popularity,
        )
        seal(staging, kind="prepared", id="shop", config={}, inputs={}, versions={}, now=MADE_AT)
    return Prepared.open(folder)
