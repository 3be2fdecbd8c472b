from datetime import timedelta
from pathlib import Path

import pytest

from artifacts.errors import ArtifactError
from artifacts.progress import SilentProgress
from cli.shop import ShopConfig, Workspace, load_shop
from cli.snapshots import diff_snapshots, run_publish
from indexer.build import SnapshotInputs, build_snapshot
from indexer.config import IndexConfig, SpaceIndexConfig
from tests.clusters import clustered
from tests.made_artifacts import MADE_AT, write_embedding, write_prepared
from tests.shop_files import write_shop


@pytest.fixture
def shop(tmp_path: Path) -> ShopConfig:
    return load_shop(write_shop(tmp_path))


def build(shop: ShopConfig, folder: Path, seed: int) -> str:
    name = f"made-{seed}"
    cf = write_embedding(folder / name / "cf", range(40), clustered(40, seed=seed), prepared=name)
    inputs = SnapshotInputs(write_prepared(folder / name / "prepared", 40, id=name), {"cf": cf})
    config = IndexConfig(spaces=(SpaceIndexConfig(space="cf", neighbors=5),), threads=1)
    return build_snapshot(
        inputs,
        config,
        Workspace(shop.work_dir).snapshots,
        progress=SilentProgress(),
        now=MADE_AT + timedelta(minutes=seed),
    ).id


def test_the_one_in_service_is_compared_with_the_newest_unless_told_otherwise(shop, tmp_path):
    first, second, third = (build(shop, tmp_path, seed) for seed in (1, 2, 3))
    run_publish(shop, second, force=False)
    found = diff_snapshots(shop, None, None, movers=2)
    assert (found.before, found.after) == (second, third)
    assert [len(table.movers) for table in found.tables] == [2]
    same = diff_snapshots(shop, first, first, movers=2)
    assert (same.tables[0].overlap, same.tables[0].movers) == (1, ())


def test_nothing_in_service_and_unknown_snapshots_are_said(shop, tmp_path):
    id = build(shop, tmp_path, 1)
    with pytest.raises(ArtifactError, match="shelfmate publish"):
        diff_snapshots(shop, None, None, movers=2)
    with pytest.raises(ArtifactError, match="nowhere"):
        diff_snapshots(shop, id, "nowhere", movers=2)
