import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from artifacts.errors import ArtifactError, BackendUnavailableError
from artifacts.progress import SilentProgress
from artifacts.versions import VersionedRoot
from indexer.backends import build_index, load_index
from indexer.backends.milvus_client import connect
from indexer.backends.milvus_collection import MilvusCollection, collection_of
from indexer.build import SnapshotInputs, build_snapshot
from indexer.config import IndexConfig, SpaceIndexConfig
from indexer.index import Metric
from indexer.milvus_config import MilvusBuild, MilvusConfig
from indexer.retention import prune_snapshots
from tests.clusters import clustered
from tests.made_artifacts import MADE_AT, write_embedding, write_prepared

VECTORS = clustered(200, seed=1)


@pytest.fixture
def config(tmp_path: Path) -> MilvusConfig:
    return MilvusConfig(build=MilvusBuild(uri=str(tmp_path / "lite.db"), index="FLAT"))


def built(config: MilvusConfig) -> MilvusCollection:
    index = build_index(VECTORS, Metric.COSINE, config, seed=1, threads=1)
    assert isinstance(index, MilvusCollection)
    return index


@pytest.mark.parametrize("uri", ["lite.db", "relative/lite.db", "/somewhere/lite"])
def test_uri_is_a_cluster_or_an_absolute_path(uri: str):
    with pytest.raises(ValidationError, match="absolute path"):
        MilvusBuild(uri=uri)
    MilvusBuild(uri="http://milvus:19530")


def test_missing_library_is_named_with_the_extra_that_brings_it(tmp_path: Path):
    program = (
        "import sys; sys.modules['pymilvus'] = None\n"
        "from indexer.backends.milvus_client import connect\n"
        "from indexer.milvus_config import MilvusBuild\n"
        "connect(MilvusBuild(uri=sys.argv[1]))\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "lite.db")]
    finished = subprocess.run(
        command, cwd=Path(__file__).parents[3], capture_output=True, text=True, check=False
    )
    assert finished.returncode == 1
    assert BackendUnavailableError.__name__ in finished.stderr
    assert "the extra 'milvus'" in finished.stderr


@pytest.mark.extras
def test_equal_vectors_share_a_collection_and_others_do_not(config: MilvusConfig):
    first, second = built(config), built(config)
    other = build_index(VECTORS[:100], Metric.COSINE, config, seed=1, threads=1)
    assert isinstance(other, MilvusCollection)
    assert first.name == second.name != other.name
    assert first.name.startswith("shelfmate_")


@pytest.mark.extras
def test_collection_that_was_half_filled_is_filled_anew(config: MilvusConfig):
    index = built(config)
    index.client.delete(index.name, ids=list(range(150)))
    index.client.flush(index.name)
    again = built(config)
    np.testing.assert_array_equal(again.search(VECTORS, 1).rows[:, 0], np.arange(200))


@pytest.mark.extras
def test_collection_that_is_gone_is_named(config: MilvusConfig, tmp_path: Path):
    index = built(config)
    index.save(tmp_path / "index")
    index.client.drop_collection(index.name)
    with pytest.raises(ArtifactError, match=f"expected 200 vectors in collection {index.name}"):
        load_index(tmp_path / "index")
    (tmp_path / "index" / "collection.json").unlink()
    with pytest.raises(ArtifactError, match="does not name a collection"):
        load_index(tmp_path / "index")


@pytest.mark.extras
def test_file_that_cannot_be_opened_is_named(tmp_path: Path):
    with pytest.raises(ArtifactError, match=r"all\.db: expected a cluster, or a file"):
        built(MilvusConfig(build=MilvusBuild(uri=str(tmp_path / "none" / "at" / "all.db"))))


@pytest.mark.extras
def test_collections_go_with_the_last_snapshot_that_uses_them(
    config: MilvusConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    prepared = write_prepared(tmp_path / "prepared", 60)
    root = VersionedRoot(tmp_path / "snapshots")
    names = []
    for day, seed in enumerate((1, 1, 2)):
        cf = write_embedding(tmp_path / f"cf{day}", range(60), clustered(60, seed=seed))
        space = SpaceIndexConfig(space="cf", backend=config, exact_below=0, neighbors=5 + day)
        snapshot = build_snapshot(
            SnapshotInputs(prepared, {"cf": cf}),
            IndexConfig(spaces=(space,), threads=1),
            root,
            progress=SilentProgress(),
            now=MADE_AT.replace(minute=day),
        )
        names.append(collection_of(snapshot.path / snapshot.contents.indices[0].folder))
    assert names[0] == names[1] != names[2]
    root.use(snapshot.id)
    client = connect(config.build)
    with caplog.at_level(logging.WARNING):
        assert len(prune_snapshots(root, 2)) == 1
        assert {name for name in names if client.has_collection(name)} == set(names)
        assert len(prune_snapshots(root, 1)) == 1
    assert [client.has_collection(name) for name in names[1:]] == [False, True]
    assert [one for one in caplog.records if one.name.startswith("indexer")] == []


@pytest.mark.extras
def test_scores_are_those_of_the_vectors_here(config: MilvusConfig):
    index = built(config)
    exact = replace(index, config=config).store.rank_all(index.store.normalised(VECTORS[:5], 9), 9)
    found = index.search(VECTORS[:5], 9)
    np.testing.assert_array_equal(found.rows, exact.rows)
    np.testing.assert_array_equal(found.scores, exact.scores)
