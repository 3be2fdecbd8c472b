from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from artifacts.accuracy import Accuracy
from artifacts.arrays import FloatMatrix
from artifacts.errors import ArtifactError, ConfigError, DataError
from artifacts.folders import staged_folder
from artifacts.manifest import MANIFEST_NAME, file_checksum, seal
from artifacts.progress import SilentProgress
from artifacts.relation import Relation
from artifacts.snapshot import BandsEntry, Snapshot
from artifacts.versions import VersionedRoot
from indexer.bands_config import Band, BandsConfig
from indexer.build import SnapshotInputs, build_snapshot
from indexer.config import (
    AnnoyBuild,
    AnnoyConfig,
    AnnoySearch,
    BackendConfig,
    ExactConfig,
    FaissConfig,
    IndexConfig,
    SimHashConfig,
    SpaceIndexConfig,
)
from indexer.gate_report import GateReport
from indexer.open import open_bands, open_indices
from indexer.tuning import TuningReport
from retrieval.content_encoder import open_encoder
from tests.clusters import clustered
from tests.made_artifacts import MADE_AT, write_embedding, write_prepared

ITEMS = 240
KNOWN = np.array([row for row in range(ITEMS) if row % 6], dtype=np.int32)
BACKENDS: list[BackendConfig] = [ExactConfig(), AnnoyConfig(), FaissConfig(), SimHashConfig()]


def made_vectors(seed: int) -> FloatMatrix:
    return clustered(len(KNOWN), seed=seed)


@pytest.fixture
def inputs(tmp_path: Path) -> SnapshotInputs:
    prepared = write_prepared(tmp_path / "prepared" / "made", ITEMS)
    cf = write_embedding(tmp_path / "cf", KNOWN, made_vectors(1), made_vectors(2))
    content = write_embedding(tmp_path / "content", KNOWN, made_vectors(3), space="content")
    return SnapshotInputs(prepared, {"cf": cf, "content": content}, {"mrr": 0.5})


def write_picture_space(folder: Path) -> Path:
    """Write a space whose encoder has another kind of `encoder.json` beside other arrays."""
    with staged_folder(folder) as staging:
        np.save(staging / "rows.npy", KNOWN)
        np.save(staging / "vectors.npy", made_vectors(5))
        (staging / "encoder").mkdir()
        (staging / "encoder" / "encoder.json").write_text('{"network": "inception_v3"}')
        (staging / "encoder" / "network.weights.h5").write_bytes(b"large")
        seal(
            staging,
            kind="embedding",
            id="image-made",
            config={},
            inputs={"prepared": "made"},
            versions={},
            now=MADE_AT,
        )
    return folder


@pytest.fixture
def root(tmp_path: Path) -> VersionedRoot:
    return VersionedRoot(tmp_path / "snapshots")


def config(**changes: object) -> IndexConfig:
    space = {"space": "cf", "exact_below": 10, "neighbors": 7, "per_category": True, **changes}
    return IndexConfig(spaces=(SpaceIndexConfig.model_validate(space),), threads=1)


def build(
    inputs: SnapshotInputs,
    config: IndexConfig,
    root: VersionedRoot,
    now: datetime = MADE_AT,
    *,
    fresh: bool = False,
) -> Snapshot:
    return build_snapshot(inputs, config, root, progress=SilentProgress(), now=now, fresh=fresh)


def assert_nothing_built(root: VersionedRoot) -> None:
    assert not root.root.exists() or list(root.root.iterdir()) == []


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.kind)
def test_snapshot_opens_verified_and_answers(
    inputs: SnapshotInputs, root: VersionedRoot, backend: BackendConfig
):
    built = build(inputs, config(backend=backend.model_dump()), root)
    snapshot = Snapshot.open(root.path(built.id))
    assert snapshot.contents == built.contents
    assert len(snapshot.items) == snapshot.contents.items == ITEMS
    index = open_indices(snapshot).of("cf", Relation.ALTERNATIVES)
    assert index.categories == ("Bakery", "Dairy", "Produce")
    answer = index.search(np.ascontiguousarray(snapshot.spaces["cf"].vectors[:9]), 1)
    np.testing.assert_array_equal(answer.rows[:, 0], KNOWN[:9])


def test_snapshot_holds_every_relation_of_an_asymmetric_space(
    inputs: SnapshotInputs, root: VersionedRoot
):
    snapshot = build(inputs, config(), root)
    contents = snapshot.contents
    assert {(entry.space, entry.relation) for entry in contents.indices} == {
        ("cf", relation) for relation in Relation
    }
    assert set(snapshot.neighbors) == {("cf", relation) for relation in Relation}
    (space,) = contents.spaces
    assert (space.name, space.dim, space.items, space.asymmetric) == ("cf", 24, len(KNOWN), True)
    assert space.lineage["id"] == "cf-made"
    assert contents.quality == {"mrr": 0.5}


def test_snapshot_says_what_is_too_close_for_each_relation_with_or_without_lists(
    inputs: SnapshotInputs, root: VersionedRoot
):
    bands = BandsConfig(max_between=0.9, categories={"Dairy": Band(min_similarity=0.1)})
    alternatives = {"space": "cf", "relations": ["alternatives"], "bands": bands, "neighbors": 0}
    continuations = {"space": "cf", "relations": ["continuations"]}
    shop = IndexConfig.model_validate({"spaces": [alternatives, continuations], "threads": 1})
    snapshot = Snapshot.open(root.path(build(inputs, shop, root).id))
    assert open_bands(snapshot) == {("cf", Relation.ALTERNATIVES): bands}
    assert open_bands(build(inputs, config(), root)) == {}


def test_band_of_a_category_that_is_not_there_is_refused_without_lists(
    inputs: SnapshotInputs, root: VersionedRoot
):
    bands = BandsConfig(categories={"Diary": Band(max_between=0.9)})
    with pytest.raises(ConfigError, match="no top category 'Diary'"):
        build(inputs, config(bands=bands, neighbors=0), root)


def test_bands_that_are_none_are_a_fault_of_the_snapshot(
    inputs: SnapshotInputs, root: VersionedRoot
):
    snapshot = build(inputs, config(), root)
    entry = BandsEntry(space="cf", relation=Relation.ALTERNATIVES, settings={"max_between": 7})
    contents = snapshot.contents.model_copy(update={"bands": (entry,)})
    with pytest.raises(ArtifactError, match="bands are not as expected"):
        open_bands(replace(snapshot, contents=contents))


def test_precomputed_neighbours_equal_a_live_search(inputs: SnapshotInputs, root: VersionedRoot):
    snapshot = build(inputs, config(backend={"kind": "exact"}), root)
    table = snapshot.spaces["cf"]
    for relation in Relation:
        index = open_indices(snapshot).of("cf", relation)
        for position, row in enumerate(KNOWN[:20].tolist()):
            query = np.ascontiguousarray(table.vectors[position : position + 1])
            live = index.search(query, 8, categories=[snapshot.catalog.category(row)]).rows[0]
            stored = snapshot.neighbors["cf", relation].lookup(row)
            assert stored is not None
            assert stored[0].tolist() == [other for other in live.tolist() if other != row][:7]


def test_only_configured_spaces_and_relations_are_built(
    inputs: SnapshotInputs, root: VersionedRoot
):
    snapshot = build(inputs, config(relations=["continuations"], neighbors=0), root)
    assert set(snapshot.spaces) == {"cf"}
    assert {entry.relation for entry in snapshot.contents.indices} == {Relation.CONTINUATIONS}
    assert snapshot.neighbors == {}
    assert not (snapshot.path / "spaces" / "content").exists()


def test_space_may_have_a_table_for_each_relation(inputs: SnapshotInputs, root: VersionedRoot):
    spaces = (
        SpaceIndexConfig(space="cf", relations=(Relation.ALTERNATIVES,), backend=ExactConfig()),
        SpaceIndexConfig(space="cf", relations=(Relation.CONTINUATIONS,), exact_below=0),
        SpaceIndexConfig(space="content"),
    )
    snapshot = build(inputs, IndexConfig(spaces=spaces, threads=1), root)
    kinds = {(e.space, e.relation, e.kind) for e in snapshot.contents.indices}
    assert kinds == {
        ("cf", Relation.ALTERNATIVES, "exact"),
        ("cf", Relation.CONTINUATIONS, "faiss"),
        ("content", Relation.ALTERNATIVES, "exact"),
    }
    assert [entry.name for entry in snapshot.contents.spaces] == ["cf", "content"]


def test_small_categories_are_exact_and_not_measured(inputs: SnapshotInputs, root: VersionedRoot):
    contents = build(inputs, config(exact_below=1000), root).contents
    assert {(entry.kind, entry.recall) for entry in contents.indices} == {("exact", None)}
    measured = build(inputs, config(exact_below=0), root).contents
    assert {entry.kind for entry in measured.indices} == {"faiss"}
    assert all(entry.recall is not None for entry in measured.indices)


def test_vocabulary_catalogue_and_vectors_are_linked_not_copied(
    inputs: SnapshotInputs, root: VersionedRoot
):
    snapshot = build(inputs, config(), root)
    pairs = [
        (inputs.prepared.path / "items", snapshot.path / "items"),
        (inputs.prepared.path / "catalog", snapshot.path / "catalog"),
        (inputs.embeddings["cf"], snapshot.path / "spaces" / "cf"),
    ]
    for source, target in pairs:
        for path in target.iterdir():
            assert path.samefile(source / path.name)
    names = {path.name for path in (snapshot.path / "spaces" / "cf").iterdir()}
    assert names == {"rows.npy", "vectors.npy", "outputs.npy"}


def test_encoders_of_pictures_stay_with_the_trainer(
    inputs: SnapshotInputs, root: VersionedRoot, tmp_path: Path
):
    image = write_picture_space(tmp_path / "image")
    built = build(SnapshotInputs(inputs.prepared, {"image": image}), config(space="image"), root)
    assert not [name for name in built.manifest.files if "encoder" in name]
    assert open_encoder(built, "image") is None


def test_id_names_time_in_utc_and_fingerprint_of_inputs_and_settings(
    inputs: SnapshotInputs, root: VersionedRoot
):
    east = MADE_AT.astimezone(timezone(timedelta(hours=9)))
    first = build(inputs, config(), root, east)
    assert first.id.startswith("20261124T101500Z-")
    later = build(inputs, config(), root, MADE_AT + timedelta(seconds=1), fresh=True)
    other = build(inputs, config(neighbors=6), root)
    assert later.id.split("-")[1] == first.id.split("-")[1] != other.id.split("-")[1]


def test_effective_settings_of_all_stages_are_stored(inputs: SnapshotInputs, root: VersionedRoot):
    settings = config()
    manifest = build(inputs, settings, root).manifest
    assert IndexConfig.model_validate(manifest.config["index"]) == settings
    assert manifest.config["prepare"] == manifest.config["train"]["cf"] == {"made": True}
    assert manifest.inputs == {"prepared": "made", "embeddings/cf": "cf-made"}
    assert set(manifest.versions) == {"annoy", "faiss-cpu", "numba", "numpy"}


def test_building_again_with_one_thread_gives_the_same_bytes(
    inputs: SnapshotInputs, tmp_path: Path
):
    settings = config(backend={"kind": "annoy"}, exact_below=0)
    sums = []
    for name in ("first", "second"):
        folder = build(inputs, settings, VersionedRoot(tmp_path / name)).path
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        sums.append({str(path.relative_to(folder)): file_checksum(path) for path in files})
    assert sums[0] == sums[1]


def test_gate_report_is_stored_failed_when_recall_is_low(
    inputs: SnapshotInputs, root: VersionedRoot
):
    poor = AnnoyConfig(build=AnnoyBuild(n_trees=1), search=AnnoySearch(search_k=1))
    contents = build(inputs, config(backend=poor.model_dump(), exact_below=0), root).contents
    gate = GateReport.model_validate(contents.gate)
    assert not gate.passed
    assert len(gate.recalls) == 6
    assert all("annoy" in failure for failure in gate.failures)


def test_coverage_and_categories_without_vectors_are_reported(tmp_path: Path, root: VersionedRoot):
    prepared = write_prepared(tmp_path / "prepared", 12)
    # Rows 0, 3, 6 and 9 are Bakery, 1 is alone in Dairy, Produce has nothing.
    embedding = write_embedding(tmp_path / "cf", [0, 1, 3, 6, 9], clustered(5))
    contents = build(SnapshotInputs(prepared, {"cf": embedding}), config(), root).contents
    gate = GateReport.model_validate(contents.gate)
    assert [(entry.space, entry.categories) for entry in gate.without_vectors] == [
        ("cf", ("Produce",))
    ]
    (covered,) = gate.coverage
    assert covered.items == 4
    assert covered.share == pytest.approx(1 / 3)


def test_one_item_alone_makes_a_snapshot(tmp_path: Path, root: VersionedRoot):
    prepared = write_prepared(tmp_path / "prepared", 1)
    embedding = write_embedding(tmp_path / "cf", [0], clustered(1), clustered(1))
    for backend in BACKENDS:
        settings = config(backend=backend.model_dump(), exact_below=0)
        snapshot = build(SnapshotInputs(prepared, {"cf": embedding}), settings, root)
        assert GateReport.model_validate(snapshot.contents.gate).passed
        query = np.ascontiguousarray(snapshot.spaces["cf"].vectors)
        found = open_indices(snapshot).of("cf", Relation.CONTINUATIONS).search(query, 3)
        assert found.rows.tolist() == [[0, -1, -1]]


@pytest.mark.parametrize("matrix", ["vectors", "outputs"])
def test_vector_with_nan_is_named_and_nothing_is_built(
    inputs: SnapshotInputs, root: VersionedRoot, tmp_path: Path, matrix: str
):
    arrays = {"vectors": made_vectors(1), "outputs": made_vectors(2)}
    arrays[matrix][17, 3] = np.nan
    bad = write_embedding(tmp_path / "bad", KNOWN, arrays["vectors"], arrays["outputs"])
    with pytest.raises(DataError, match=f"space 'cf', {matrix}: .*row 17"):
        build(SnapshotInputs(inputs.prepared, {"cf": bad}), config(), root)
    assert_nothing_built(root)


@pytest.mark.parametrize(
    ("rows", "words"), [([], "at least one vector"), ([3, ITEMS], f"below {ITEMS}")]
)
def test_empty_spaces_and_rows_beyond_the_vocabulary_are_refused(
    inputs: SnapshotInputs, root: VersionedRoot, tmp_path: Path, rows: list[int], words: str
):
    bad = write_embedding(tmp_path / "bad", rows, clustered(len(rows)))
    with pytest.raises(DataError, match=words):
        build(SnapshotInputs(inputs.prepared, {"cf": bad}), config(), root)


def test_embedding_of_other_prepared_data_is_refused(
    inputs: SnapshotInputs, root: VersionedRoot, tmp_path: Path
):
    stale = write_embedding(tmp_path / "stale", KNOWN, made_vectors(1), prepared="yesterday")
    with pytest.raises(ArtifactError, match="made from yesterday"):
        build(SnapshotInputs(inputs.prepared, {"cf": stale}), config(), root)


def test_damaged_embedding_is_refused(inputs: SnapshotInputs, root: VersionedRoot):
    path = inputs.embeddings["cf"] / "vectors.npy"
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    with pytest.raises(ArtifactError, match="checksum"):
        build(inputs, config(), root)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"space": "image"}, "'image' has no embedding; there are: cf, content"),
        ({"space": "content", "relations": ["continuations"]}, "has no continuations"),
    ],
)
def test_settings_that_the_inputs_cannot_meet_are_refused(
    inputs: SnapshotInputs, root: VersionedRoot, changes: dict[str, object], words: str
):
    with pytest.raises(ConfigError, match=words):
        build(inputs, config(**changes), root)
    assert_nothing_built(root)


def test_failure_in_mid_build_leaves_nothing(inputs: SnapshotInputs, root: VersionedRoot):
    class Broken(SilentProgress):
        def finish(self, note: str = "") -> None:
            raise OSError(28, "No space left on device")

    with pytest.raises(ArtifactError, match="No space left"):
        build_snapshot(inputs, config(), root, progress=Broken(), now=MADE_AT)
    assert_nothing_built(root)


def test_building_the_same_id_twice_is_refused(inputs: SnapshotInputs, root: VersionedRoot):
    id = build(inputs, config(), root).id
    before = (root.path(id) / MANIFEST_NAME).read_bytes()
    with pytest.raises(ArtifactError, match="exists"):
        build(inputs, config(), root, fresh=True)
    assert (root.path(id) / MANIFEST_NAME).read_bytes() == before


def test_target_finds_a_backend_for_each_part_and_writes_down_why(
    inputs: SnapshotInputs, root: VersionedRoot
):
    target = {"recall": 0.9, "engines": ["faiss"], "queries": 50}
    settings = config(target=target, exact_below=10)
    snapshot = build(inputs, settings, root)
    assert IndexConfig.model_validate(snapshot.manifest.config["index"]) == settings
    for entry in snapshot.contents.indices:
        assert entry.kind == "faiss"
        assert set(entry.levels) == set(Accuracy)
        report = TuningReport.model_validate(entry.tuning)
        assert report.reached
        assert report.chosen.vectors == entry.items
        assert len(report.trials) >= 3
    index = open_indices(Snapshot.open(snapshot.path)).of("cf", Relation.ALTERNATIVES)
    assert all(set(part.levels) == set(Accuracy) for part in index.parts.values())
    query = np.ascontiguousarray(snapshot.spaces["cf"].vectors[:1])
    for accuracy in Accuracy:
        assert index.search(query, 1, accuracy=accuracy).rows[0, 0] == KNOWN[0]


def test_small_parts_are_exact_whatever_the_target(inputs: SnapshotInputs, root: VersionedRoot):
    snapshot = build(inputs, config(target={"recall": 0.9}, exact_below=1000), root)
    assert {(entry.kind, entry.tuning == {}) for entry in snapshot.contents.indices} == {
        ("exact", True)
    }


def test_what_was_chosen_stays_while_nothing_changes(inputs: SnapshotInputs, root: VersionedRoot):
    target = {"recall": 0.9, "engines": ["faiss", "simhash"], "queries": 50}
    first = build(inputs, config(target=target, exact_below=10), root)
    again = build(inputs, config(target=target, exact_below=10, neighbors=6), root)
    assert first.id != again.id
    assert again.contents.indices == first.contents.indices
