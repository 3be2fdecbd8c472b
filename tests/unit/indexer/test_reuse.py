"""Builds beside earlier snapshots: what has not changed is taken from there, and is the same."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from artifacts.arrays import FloatMatrix
from artifacts.manifest import MANIFEST_NAME, FileRecord, Json
from artifacts.prepared import Prepared
from artifacts.progress import SilentProgress
from artifacts.snapshot import Snapshot
from artifacts.versions import VersionedRoot
from indexer.build import SnapshotInputs, build_snapshot
from indexer.config import GateConfig
from indexer.publish import publish, roll_back
from indexer.tuning import TuningReport
from tests.nightly_shop import ITEMS, Shop, hours, made, settings

BACKENDS = ("exact", "annoy", "faiss", "simhash")
TIMEOUT_S = 120


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def index_files(snapshot: Snapshot) -> dict[str, FileRecord]:
    return {
        name: record
        for name, record in snapshot.manifest.files.items()
        if name.startswith("indices/")
    }


def changed_in(vectors: FloatMatrix, category: int) -> FloatMatrix:
    """Return vectors of which one, of an item of a category, is another."""
    changed = vectors.copy()
    changed[category + 3] *= -1
    return changed


@pytest.mark.parametrize("backend", BACKENDS)
def test_build_pays_for_what_changed_and_writes_the_same_bytes(shop: Shop, backend: str):
    vectors, outputs = made(1), made(2)
    config = settings(backend)
    shop.build(shop.inputs(vectors, outputs), config)
    tomorrow = shop.inputs(changed_in(vectors, 1), outputs)
    snapshot, reused = shop.build(tomorrow, config, 1)
    # Of continuations, an exact index does not depend on what asks; others are measured with it.
    assert reused == (5 if backend == "exact" else 4)
    anew, nothing = shop.elsewhere().build(tomorrow, config, 1)
    assert nothing == 0
    assert anew.contents.indices == snapshot.contents.indices
    assert anew.manifest.files == snapshot.manifest.files
    assert anew.id == snapshot.id


def test_reused_files_are_linked_not_copied(shop: Shop):
    vectors = made(1)
    first, _ = shop.build(shop.inputs(vectors), settings())
    second, _ = shop.build(shop.inputs(changed_in(vectors, 0)), settings(), 1)
    linked = {
        name for name in index_files(second) if (first.path / name).samefile(second.path / name)
    }
    assert {name.split("/")[3].split("-")[0] for name in linked} == {"dairy", "produce"}


def test_indices_outlive_a_vocabulary_that_has_grown(shop: Shop):
    vectors = made(1)
    first, _ = shop.build(shop.inputs(vectors), settings())
    # A new item comes first, so that every other item has another row than yesterday.
    categories = ["Fish"] + [("Bakery", "Dairy", "Produce")[row % 3] for row in range(ITEMS)]
    grown = shop.inputs(vectors, categories=categories, rows=range(1, ITEMS + 1), items=ITEMS + 1)
    second, reused = shop.build(grown, settings(), 1)
    anew, _ = shop.elsewhere().build(grown, settings(), 1)
    assert reused == 3
    assert second.manifest.files == anew.manifest.files
    bakery = next(e.folder for e in second.contents.indices if e.category == "Bakery")
    rows = [np.load(snapshot.path / bakery / "rows.npy") for snapshot in (first, second)]
    np.testing.assert_array_equal(rows[0] + 1, rows[1])


def test_both_categories_of_an_item_that_moves_are_built_anew(shop: Shop):
    vectors = made(1)
    names = [("Bakery", "Dairy", "Produce")[row % 3] for row in range(ITEMS)]
    shop.build(shop.inputs(vectors, categories=names), settings())
    names[3] = "Dairy"
    moved = shop.inputs(vectors, categories=names)
    snapshot, reused = shop.build(moved, settings(), 1)
    assert reused == 1
    sizes = {entry.category: entry.items for entry in snapshot.contents.indices}
    assert sizes == {"Bakery": 59, "Dairy": 61, "Produce": 60}
    assert snapshot.manifest.files == shop.elsewhere().build(moved, settings(), 1)[0].manifest.files


def test_a_category_that_is_renamed_keeps_its_index(shop: Shop):
    vectors = made(1)
    shop.build(shop.inputs(vectors), settings())
    renamed = shop.inputs(vectors, categories=("Bakery", "Cheese", "Produce"))
    snapshot, reused = shop.build(renamed, settings(), 1)
    assert reused == 3
    assert [entry.category for entry in snapshot.contents.indices] == [
        "Bakery",
        "Cheese",
        "Produce",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"backend": {"kind": "annoy", "build": {"n_trees": 7}}},
        {"backend": {"kind": "annoy", "search": {"search_k": 77}}},
        {"seed": 2},
        {"threads": 2},
        {"gate": GateConfig(queries=50)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_settings_that_shape_an_index_build_it_anew(shop: Shop, changes: dict[str, object]):
    inputs = shop.inputs(made(1))
    shop.build(inputs, settings())
    _, reused = shop.build(inputs, settings(changes=changes), 1)
    assert reused == 0


@pytest.mark.parametrize(
    "changes",
    [{"neighbors": 3}, {"exact_below": 10}, {"keep": 7}, {"gate": GateConfig(min_recall=0.1)}],
    ids=lambda changes: next(iter(changes)),
)
def test_other_settings_keep_all_indices(shop: Shop, changes: dict[str, object]):
    inputs = shop.inputs(made(1))
    shop.build(inputs, settings())
    snapshot, reused = shop.build(inputs, settings(changes=changes), 1)
    assert reused == 3
    assert len(shop.root.ids()) == 2
    assert snapshot.manifest.config["index"] == settings(changes=changes).model_dump(mode="json")


def test_unchanged_inputs_and_settings_build_no_further_snapshot(shop: Shop):
    inputs = shop.inputs(made(1))
    first, _ = shop.build(inputs, settings())
    again, _ = shop.build(inputs, settings(), 5)
    assert again.id == first.id
    assert again.contents == first.contents
    assert shop.root.ids() == [first.id]


def test_going_back_to_old_settings_makes_the_newest_snapshot_of_linked_parts(shop: Shop):
    inputs = shop.inputs(made(1))
    old, _ = shop.build(inputs, settings())
    shop.build(inputs, settings(changes={"neighbors": 3}), 1)
    again, reused = shop.build(inputs, settings(), 2)
    assert shop.root.ids()[-1] == again.id != old.id
    assert reused == 3
    assert again.manifest.files == old.manifest.files


def test_a_snapshot_compared_with_another_than_the_one_in_service_is_not_up_to_date(shop: Shop):
    vectors = made(1)
    first, _ = shop.build(shop.inputs(vectors), settings())
    publish(shop.root, first.id, now=hours(0))
    second, _ = shop.build(shop.inputs(changed_in(vectors, 0)), settings(), 1)
    publish(shop.root, second.id, now=hours(1))
    tomorrow = shop.inputs(changed_in(vectors, 1))
    third, _ = shop.build(tomorrow, settings(), 2)
    assert shop.build(tomorrow, settings(), 3)[0].id == third.id
    roll_back(shop.root, now=hours(3))
    again, reused = shop.build(tomorrow, settings(), 4)
    assert again.id != third.id
    assert reused == 3
    publish(shop.root, again.id, now=hours(5))
    assert shop.build(tomorrow, settings(), 6)[0].id == again.id


def test_fresh_builds_everything_whatever_there_is(shop: Shop):
    inputs = shop.inputs(made(1))
    first, _ = shop.build(inputs, settings())
    fresh, reused = shop.build(inputs, settings(), 5, fresh=True)
    assert reused == 0
    assert fresh.id != first.id
    assert index_files(fresh) == index_files(first)
    assert not any((first.path / name).samefile(fresh.path / name) for name in index_files(fresh))


def test_another_evaluation_makes_another_snapshot_of_the_same_indices(shop: Shop):
    inputs = shop.inputs(made(1))
    shop.build(inputs, settings())
    evaluated = SnapshotInputs(inputs.prepared, inputs.embeddings, {"mrr": 0.7})
    snapshot, reused = shop.build(evaluated, settings(), 1)
    assert reused == 3
    assert snapshot.contents.quality == {"mrr": 0.7}


@pytest.mark.parametrize("seed", [5, 6])
def test_new_vectors_keep_the_backend_that_was_found_while_it_reaches_the_target(
    shop: Shop, seed: int
):
    target = {"latency_ms": 1e4, "engines": ["exact", "annoy"], "queries": 40}
    config = settings(changes={"backend": None, "target": target, "per_category": False})
    found, _ = shop.build(shop.inputs(made(1)), config)
    kept, _ = shop.build(shop.inputs(made(seed)), config, 1)
    reports = [
        TuningReport.model_validate(snapshot.contents.indices[0].tuning)
        for snapshot in (found, kept)
    ]
    assert len(reports[0].trials) > len(reports[1].trials) == 1
    assert reports[0].compared is None
    assert reports[1].compared is not None
    assert reports[1].compared.vectors == ITEMS
    assert reports[1].chosen.backend.kind == reports[0].chosen.backend.kind
    anew, _ = shop.build(shop.inputs(made(seed)), config, 2, fresh=True)
    assert len(anew.contents.indices[0].tuning["trials"]) > 1


@pytest.mark.parametrize("damage", ["bit", "gone"])
def test_damaged_indices_are_built_anew(shop: Shop, damage: str):
    vectors = made(1)
    first, _ = shop.build(shop.inputs(vectors), settings())
    folder = next(e.folder for e in first.contents.indices if e.category == "Dairy")
    path = first.path / folder / "forest.annoy"
    data = bytearray(path.read_bytes())
    path.unlink()
    if damage == "bit":
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    second, reused = shop.build(shop.inputs(changed_in(vectors, 0)), settings(), 1)
    assert reused == 1
    Snapshot.open(second.path)


def test_a_damaged_snapshot_is_not_taken_for_an_up_to_date_one(shop: Shop):
    inputs = shop.inputs(made(1))
    first, _ = shop.build(inputs, settings())
    (first.path / "popularity" / "rows.npy").unlink()
    second, reused = shop.build(inputs, settings(), 1)
    assert second.id != first.id
    assert reused == 3


def test_snapshots_without_fingerprints_give_nothing(shop: Shop):
    inputs = shop.inputs(made(1))
    first, _ = shop.build(inputs, settings())
    manifest = first.path / MANIFEST_NAME
    names = {first.contents.fingerprint, *(e.fingerprint for e in first.contents.indices)}
    text = manifest.read_text("utf-8")
    for name in names:
        text = text.replace(name, "")
    manifest.write_text(text, "utf-8")
    _, reused = shop.build(inputs, settings(), 1)
    assert reused == 0


def test_reused_indices_outlive_the_snapshot_they_came_from(shop: Shop):
    vectors, config = made(1), settings(changes={"keep": 1})
    first, _ = shop.build(shop.inputs(vectors), config)
    publish(shop.root, first.id, now=hours(0))
    second, reused = shop.build(shop.inputs(changed_in(vectors, 0)), config, 1)
    publish(shop.root, second.id, now=hours(1))
    assert reused == 2
    assert shop.root.ids() == [second.id]
    Snapshot.open(second.path)


def test_thousands_of_equal_vectors_and_zeros_are_reused_as_well(shop: Shop):
    vectors = np.zeros((ITEMS, 24), dtype=np.float32)
    vectors[ITEMS // 2 :] = 0.25
    shop.build(shop.inputs(vectors), settings("exact"))
    _, reused = shop.build(shop.inputs(vectors), settings("exact"), 1)
    assert reused == 3


@pytest.mark.parametrize("seed", range(4))
def test_after_any_night_a_build_equals_one_from_nothing(shop: Shop, seed: int):
    """Items come, go, move to another category and change their vectors, night after night."""
    rng = np.random.default_rng(seed)
    vectors, names = made(seed, 60), [str(name) for name in rng.choice(["A", "B", "C", "D"], 60)]
    for night in range(4):
        for row in rng.choice(len(names), rng.integers(0, 3), replace=False):
            names[row] = str(rng.choice(["A", "B", "C", "D", "E"]))
        for row in rng.choice(len(names), rng.integers(0, 3), replace=False):
            vectors[row] = made(night, 1)[0]
        if rng.random() < 0.5:
            place = int(rng.integers(len(names)))
            if rng.random() < 0.5:
                vectors = np.insert(vectors, place, made(night, 1)[0], axis=0)
                names.insert(place, "A")
            else:
                vectors = np.delete(vectors, place, axis=0)
                del names[place]
        inputs = shop.inputs(vectors, categories=list(names), items=len(names))
        snapshot, _ = shop.build(inputs, settings(), night)
        anew, nothing = shop.elsewhere().build(inputs, settings(), night)
        assert nothing == 0
        assert snapshot.manifest.files == anew.manifest.files
        assert snapshot.contents.indices == anew.contents.indices


class _Killed(SilentProgress):
    """Ends the process as `kill -9` does, in the middle of an index."""

    def advance(self, amount: int = 1) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class _Together(SilentProgress):
    """Waits at its first stage until the other builder has come as far."""

    def __init__(self, barrier: Barrier) -> None:
        self._barrier: Barrier | None = barrier

    def start(self, name: str, total: int | None = None) -> None:
        if self._barrier is not None:
            self._barrier.wait(TIMEOUT_S)
            self._barrier = None


def _build_apart(folders: "Folders", root: Path, hour: int, barrier: Barrier | None) -> None:
    progress = _Killed() if barrier is None else _Together(barrier)
    inputs = SnapshotInputs(Prepared.open(folders.prepared), {"cf": folders.cf}, folders.quality)
    build_snapshot(inputs, settings(), VersionedRoot(root), progress=progress, now=hours(hour))


class Folders(NamedTuple):
    """Inputs as another process can open them."""

    prepared: Path
    cf: Path
    quality: Json

    @classmethod
    def of(cls, inputs: SnapshotInputs) -> "Folders":
        return cls(inputs.prepared.path, inputs.embeddings["cf"], inputs.quality)


def _run(target: Callable[..., None], *calls: tuple[object, ...]) -> list[int | None]:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=target, args=call) for call in calls]
    for process in processes:
        process.start()
    for process in processes:
        process.join(TIMEOUT_S)
    return [process.exitcode for process in processes]


def test_a_builder_that_is_killed_leaves_the_snapshot_in_service(shop: Shop):
    vectors = made(1)
    first, _ = shop.build(shop.inputs(vectors), settings())
    publish(shop.root, first.id, now=hours(0))
    tomorrow = shop.inputs(changed_in(vectors, 0))
    assert _run(_build_apart, (Folders.of(tomorrow), shop.root.root, 1, None)) == [-signal.SIGKILL]
    assert shop.root.ids() == [first.id]
    assert shop.root.current_id() == first.id
    Snapshot.open(shop.root.path(first.id))
    second, reused = shop.build(tomorrow, settings(), 2)
    assert reused == 2
    publish(shop.root, second.id, now=hours(2))
    assert sorted(shop.root.ids()) == sorted([first.id, second.id])
    assert not [path for path in shop.root.root.iterdir() if "staging" in path.name]


@pytest.mark.parametrize("apart", [0, 1], ids=["in the same second", "one hour apart"])
def test_two_builders_at_once_both_end_with_a_whole_snapshot(shop: Shop, apart: int):
    inputs = Folders.of(shop.inputs(made(1)))
    barrier = multiprocessing.get_context("spawn").Barrier(2)
    root = shop.root.root
    codes = _run(_build_apart, (inputs, root, 0, barrier), (inputs, root, apart, barrier))
    assert codes == [0, 0]
    assert len(shop.root.ids()) == 1 + apart
    for id in shop.root.ids():
        Snapshot.open(shop.root.path(id))
