"""The small shop with a ranker: an older snapshot without it, and one with it in use."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from artifacts.progress import SilentProgress
from artifacts.versions import VersionedRoot
from indexer.build import build_snapshot
from retrieval.state import load_state
from tests.made_artifacts import MADE_AT
from tests.made_ranker import write_shop_ranker
from tests.shop import ANCHORS, shop_config, shop_inputs


def build_ranked_shop(root: Path) -> VersionedRoot:
    """Build both snapshots under `root/snapshots`."""
    inputs, snapshots = shop_inputs(root), VersionedRoot(root / "snapshots")
    config, progress = shop_config(ANCHORS, None), SilentProgress()
    older = build_snapshot(inputs, config, snapshots, progress=progress, now=MADE_AT)
    ranker = write_shop_ranker(root / "ranker", load_state(older.path, check=False))
    newer = build_snapshot(
        replace(inputs, ranker=ranker),
        config,
        snapshots,
        progress=progress,
        now=MADE_AT + timedelta(days=1),
    )
    snapshots.use(newer.id)
    return snapshots
