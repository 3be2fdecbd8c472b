"""Lists copied from an earlier snapshot are those that would have been computed."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from artifacts.arrays import FloatMatrix
from artifacts.progress import SilentProgress
from artifacts.snapshot import Snapshot
from artifacts.versions import VersionedRoot
from indexer.bands_config import BandsConfig
from indexer.build import SnapshotInputs, build_snapshot
from indexer.config import ExactConfig, IndexConfig, SpaceIndexConfig
from tests.clusters import clustered
from tests.made_artifacts import MADE_AT, write_embedding, write_prepared

ITEMS = 90
INPUTS, OUTPUTS = clustered(ITEMS, seed=1), clustered(ITEMS, seed=2)
BANDS = BandsConfig(max_to_source=0.5, max_between=0.4)


def inputs(
    folder: Path,
    items: int = ITEMS,
    rows: Sequence[int] = range(ITEMS),
    vectors: FloatMatrix = INPUTS,
    outputs: FloatMatrix = OUTPUTS,
) -> SnapshotInputs:
    made = folder.name
    prepared = write_prepared(folder / "prepared", items, id=made)
    cf = write_embedding(folder / "cf", rows, vectors, outputs, prepared=made)
    return SnapshotInputs(prepared, {"cf": cf})


def built(
    made: SnapshotInputs, root: Path, *, bands: BandsConfig = BANDS, k: int = 6, minute: int = 0
) -> Snapshot:
    space = SpaceIndexConfig(
        space="cf", backend=ExactConfig(), neighbors=k, per_category=True, bands=bands
    )
    return build_snapshot(
        made,
        IndexConfig(spaces=(space,), threads=1),
        VersionedRoot(root),
        progress=SilentProgress(),
        now=MADE_AT + timedelta(minutes=minute),
    )


def copied(snapshot: Snapshot) -> set[tuple[str, str]]:
    return {
        (str(entry.relation), category)
        for entry in snapshot.contents.neighbors
        for category, part in entry.parts.items()
        if part.copied
    }


def both(*categories: str) -> set[tuple[str, str]]:
    return {
        (relation, name) for relation in ("alternatives", "continuations") for name in categories
    }


def assert_same_lists(one: Snapshot, other: Snapshot) -> None:
    assert set(one.neighbors) == set(other.neighbors)
    for which, table in one.neighbors.items():
        for row in range(len(one.items)):
            found, expected = table.lookup(row), other.neighbors[which].lookup(row)
            assert (found is None) == (expected is None)
            if found is not None and expected is not None:
                np.testing.assert_array_equal(found[0], expected[0])
                np.testing.assert_array_equal(found[1], expected[1])


def test_parts_that_did_not_change_are_copied_though_their_rows_have_moved(tmp_path: Path):
    before = built(inputs(tmp_path / "one"), tmp_path / "root")
    assert copied(before) == set()
    # Three items more, before all others: one of them, in the first category, has a vector.
    rows = [0, *range(3, ITEMS + 3)]
    grown = inputs(
        tmp_path / "two",
        ITEMS + 3,
        rows,
        np.vstack([clustered(1, seed=7), INPUTS]),
        np.vstack([clustered(1, seed=8), OUTPUTS]),
    )
    after = built(grown, tmp_path / "root", minute=1)
    assert copied(after) == both("Dairy", "Produce")
    assert_same_lists(after, built(grown, tmp_path / "alone"))
    counts = [entry.parts["Dairy"].too_close_to_better for entry in after.contents.neighbors]
    assert counts == [
        entry.parts["Dairy"].too_close_to_better for entry in before.contents.neighbors
    ]
    assert min(counts) > 0


def test_a_vector_that_changed_is_enough_to_compute_its_part_again(tmp_path: Path):
    built(inputs(tmp_path / "one"), tmp_path / "root")
    vectors = INPUTS.copy()
    vectors[1] += 1e-3  # of Dairy; the outputs stay, but it asks with its input vector
    changed = inputs(tmp_path / "two", vectors=vectors)
    after = built(changed, tmp_path / "root", minute=1)
    assert copied(after) == both("Bakery", "Produce")
    assert_same_lists(after, built(changed, tmp_path / "alone"))


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ({"k": 7}, set()),
        ({"bands": BandsConfig(max_to_source=0.5, max_between=0.41)}, set()),
        (
            {"bands": BANDS.model_copy(update={"categories": {"Dairy": BandsConfig()}})},
            both("Bakery", "Produce"),
        ),
    ],
    ids=["longer lists", "another band", "another band for a category"],
)
def test_settings_that_bear_on_a_part_are_enough(tmp_path: Path, settings, kept):
    made = inputs(tmp_path / "one")
    built(made, tmp_path / "root")
    after = built(made, tmp_path / "root", minute=1, **settings)
    assert copied(after) == kept
    assert_same_lists(after, built(made, tmp_path / "alone", **settings))


def test_damaged_lists_are_not_copied_and_it_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    made = inputs(tmp_path / "one")
    before = built(made, tmp_path / "root")
    path = before.path / "neighbors" / "cf" / "alternatives" / "scores.npy"
    data = bytearray(path.read_bytes())
    data[-2] ^= 1
    path.unlink()  # unlinked, because this process has it mapped
    path.write_bytes(data)
    changed = inputs(tmp_path / "two", items=ITEMS + 1)
    after = built(changed, tmp_path / "root", minute=1)
    assert copied(after) == {
        pair for pair in both("Bakery", "Dairy", "Produce") if pair[0] != "alternatives"
    }
    assert "scores.npy" in caplog.text
    assert_same_lists(after, built(changed, tmp_path / "alone"))
