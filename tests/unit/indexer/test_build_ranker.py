"""The ranker on its way into a snapshot."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from artifacts.errors import ArtifactError
from artifacts.progress import SilentProgress
from artifacts.snapshot import Snapshot
from artifacts.versions import VersionedRoot
from indexer.build import SnapshotInputs, build_snapshot
from tests.made_artifacts import MADE_AT
from tests.made_ranker import plain_schema, train_trees, write_ranker
from tests.shop import shop_config, shop_inputs

WIDTH = 3


@pytest.fixture(scope="module")
def inputs(tmp_path_factory) -> SnapshotInputs:
    return shop_inputs(tmp_path_factory.mktemp("shop"))


def model_text(seed: int) -> str:
    features = np.random.default_rng(seed).random((60, WIDTH), dtype=np.float32)
    return train_trees(features, features[:, 0], rounds=2).model_to_string()


def built(inputs: SnapshotInputs, root: VersionedRoot, night: int) -> Snapshot:
    now = MADE_AT + timedelta(days=night)
    return build_snapshot(inputs, shop_config(None, None), root, progress=SilentProgress(), now=now)


def test_a_snapshot_carries_the_ranker_and_is_named_by_it(inputs, tmp_path):
    root = VersionedRoot(tmp_path / "snapshots")
    folders = [
        write_ranker(tmp_path / f"ranker-{seed}", model_text(seed), plain_schema(WIDTH))
        for seed in (1, 2)
    ]
    without = built(inputs, root, 0)
    first = built(replace(inputs, ranker=folders[0]), root, 1)
    same = built(replace(inputs, ranker=folders[0]), root, 2)
    second = built(replace(inputs, ranker=folders[1]), root, 3)
    assert without.ranker is None
    assert first.ranker is not None
    assert first.ranker.schema == plain_schema(WIDTH)
    assert first.ranker.model_path.read_text() == model_text(1)
    assert first.ranker.lineage["id"] == "made"
    assert not (first.path / "ranker" / "importance.png").exists()
    assert {"ranker/model.txt", "ranker/schema.json"} <= set(first.manifest.files)
    assert first.manifest.inputs["ranker"] == "made"
    assert same.id == first.id
    names = {each.contents.fingerprint for each in (without, first, second)}
    assert len(names) == 3


def test_a_damaged_ranker_is_not_sealed_in(inputs, tmp_path):
    folder = write_ranker(tmp_path / "ranker", model_text(1), plain_schema(WIDTH))
    (folder / "model.txt").write_text(model_text(2))
    with pytest.raises(ArtifactError, match=r"model\.txt"):
        built(replace(inputs, ranker=folder), VersionedRoot(tmp_path / "snapshots"), 0)


def test_a_snapshot_whose_ranker_is_damaged_is_refused(inputs, tmp_path):
    folder = write_ranker(tmp_path / "ranker", model_text(1), plain_schema(WIDTH))
    root = VersionedRoot(tmp_path / "snapshots")
    snapshot = built(replace(inputs, ranker=folder), root, 0)
    path = snapshot.path / "ranker" / "schema.json"
    text = path.read_text()
    path.unlink()  # linked: the artifact itself is to stay sound
    path.write_text(text.replace("f0", "g0"))
    with pytest.raises(ArtifactError, match=r"schema\.json"):
        Snapshot.open(snapshot.path)
