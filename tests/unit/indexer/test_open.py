from pathlib import Path

import pytest

from artifacts.errors import ArtifactError, UnsupportedError
from artifacts.progress import SilentProgress
from artifacts.relation import Relation
from artifacts.snapshot import Snapshot
from artifacts.versions import VersionedRoot
from indexer.build import SnapshotInputs, build_snapshot
from indexer.config import IndexConfig, SpaceIndexConfig
from indexer.open import open_indices
from tests.clusters import clustered
from tests.made_artifacts import CATEGORIES, MADE_AT, write_embedding, write_prepared


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    inputs = SnapshotInputs(
        write_prepared(tmp_path / "prepared", 30),
        {"content": write_embedding(tmp_path / "content", range(30), clustered(30))},
    )
    config = IndexConfig(spaces=(SpaceIndexConfig(space="content"),))
    root = VersionedRoot(tmp_path / "snapshots")
    return build_snapshot(inputs, config, root, progress=SilentProgress(), now=MADE_AT)


def test_indices_are_found_by_space_and_relation(snapshot: Snapshot):
    indices = open_indices(snapshot)
    assert indices.has("content", Relation.ALTERNATIVES)
    assert indices.of("content", Relation.ALTERNATIVES).categories == CATEGORIES


@pytest.mark.parametrize(
    ("space", "relation"), [("content", Relation.CONTINUATIONS), ("cf", Relation.ALTERNATIVES)]
)
def test_what_the_snapshot_lacks_is_named_beside_what_it_has(
    snapshot: Snapshot, space: str, relation: Relation
):
    indices = open_indices(snapshot)
    assert not indices.has(space, relation)
    with pytest.raises(UnsupportedError, match=f"'{space}', {relation}; .*content alternatives"):
        indices.of(space, relation)


def test_index_that_went_missing_is_an_artifact_error(snapshot: Snapshot):
    (snapshot.path / snapshot.contents.indices[0].folder / "index.json").unlink()
    with pytest.raises(ArtifactError, match=r"index\.json"):
        open_indices(snapshot)
