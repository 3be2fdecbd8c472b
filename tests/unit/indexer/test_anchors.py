"""Anchors beside an exact search in numpy."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from artifacts.anchors import AnchorTable, AnchorThresholds
from artifacts.arrays import FloatMatrix, unit_rows
from artifacts.errors import ArtifactError, ConfigError
from artifacts.progress import SilentProgress
from artifacts.snapshot import AnchorsEntry, Snapshot
from artifacts.versions import VersionedRoot
from indexer.anchors_config import AnchorsConfig
from indexer.build import SnapshotInputs, build_snapshot
from indexer.config import IndexConfig
from indexer.gate_report import GateReport
from tests.clusters import clustered
from tests.made_artifacts import MADE_AT, write_embedding, write_prepared

ITEMS = 180
CATEGORIES = ("Bakery", "Dairy", "Produce")
KNOWN = np.array([row for row in range(ITEMS) if row % 4], dtype=np.int32)
"""Items with a collaborative vector."""
BACKENDS = ("exact", "annoy", "faiss", "simhash")


def popularity(row: int) -> int:
    """Return what `write_prepared` says of a row."""
    return ITEMS - row


class Notes(SilentProgress):
    """Keeps what a build says when a stage ends."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def finish(self, note: str = "") -> None:
        self.notes.append(note)


class Shop:
    def __init__(self, folder: Path) -> None:
        self.root = VersionedRoot(folder / "snapshots")
        self.content = clustered(ITEMS, seed=3)
        self._folder = folder
        self.progress = Notes()
        self._prepared = write_prepared(folder / "prepared", ITEMS)

    def build(
        self, anchors: Mapping[str, object] | None, *, backend: str = "exact", hour: int = 0
    ) -> Snapshot:
        cf = self._folder / f"cf-{hour}"
        content = self._folder / f"content-{hour}"
        write_embedding(cf, KNOWN, clustered(len(KNOWN), seed=1), clustered(len(KNOWN), seed=2))
        write_embedding(content, range(ITEMS), self.content, space="content")
        spaces = [
            {"space": "cf", "neighbors": 0},
            {"space": "content", "neighbors": 0, "exact_below": 0, "backend": {"kind": backend}},
        ]
        config = IndexConfig.model_validate({"spaces": spaces, "threads": 1, "anchors": anchors})
        return build_snapshot(
            SnapshotInputs(self._prepared, {"cf": cf, "content": content}),
            config,
            self.root,
            progress=self.progress,
            now=MADE_AT + timedelta(hours=hour),
        )


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def expected(content: FloatMatrix, row: int, least: int, anchors: int) -> list[int]:
    """Return the popular items of the category most like an item, by comparing with all of them."""
    lends = [
        other
        for other in KNOWN.tolist()
        if other != row and other % 3 == row % 3 and popularity(other) >= least
    ]
    unit = unit_rows(content)
    likeness = unit[lends] @ unit[row]
    return [lends[place] for place in np.argsort(-likeness, kind="stable")[:anchors]]


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_item_gets_the_popular_items_most_like_it(shop: Shop, backend: str):
    snapshot = shop.build({"min_sessions": 90, "anchors": 3}, backend=backend)
    assert snapshot.anchors is not None
    unit = unit_rows(shop.content)
    hits = 0
    for row in range(ITEMS):
        rows, similarities = snapshot.anchors.of(row)
        hits += len(set(rows.tolist()) & set(expected(shop.content, row, 90, 3)))
        np.testing.assert_allclose(similarities, unit[rows] @ unit[row], atol=1e-6)
        assert all(popularity(anchor) >= 90 and anchor % 4 for anchor in rows.tolist())
    assert hits >= (3 * ITEMS if backend == "exact" else 2.8 * ITEMS)


def test_thresholds_of_a_category_stand_beside_those_of_the_shop(shop: Shop):
    snapshot = shop.build(
        {
            "min_sessions": 20,
            "min_similarity": 0.4,
            "categories": {"Dairy": {"min_sessions": 150}, "Produce": {"min_similarity": 0.9}},
        }
    )
    anchors = entry(snapshot)
    assert anchors.thresholds == {
        "Bakery": AnchorThresholds(min_sessions=20, min_similarity=0.4),
        "Dairy": AnchorThresholds(min_sessions=150, min_similarity=0.4),
        "Produce": AnchorThresholds(min_sessions=20, min_similarity=0.9),
    }
    sizes = {index.category: index.items for index in anchors.indices}
    lends = {
        category: [row for row in KNOWN.tolist() if row % 3 == code and popularity(row) >= least]
        for code, (category, least) in enumerate(zip(CATEGORIES, (20, 150, 20), strict=True))
    }
    assert sizes == {category: len(rows) for category, rows in lends.items()}
    # What is too far is in the table all the same, so that an answer can tell how far it was.
    assert anchors.items == ITEMS


def test_categories_without_popular_items_are_reported_and_lend_nothing(shop: Shop):
    snapshot = shop.build({"min_sessions": 20, "categories": {"Dairy": {"min_sessions": 10_000}}})
    assert snapshot.anchors is not None
    gate = GateReport.model_validate(snapshot.contents.gate)
    reported = {entry.space: entry.categories for entry in gate.without_vectors}
    assert reported == {"content:popular": ("Dairy",)}
    assert [len(snapshot.anchors.of(row)[0]) for row in range(6)] == [1, 0, 1, 1, 0, 1]
    assert entry(snapshot).items == ITEMS - ITEMS // 3


def test_progress_tells_where_nothing_is_popular(shop: Shop):
    shop.build({"min_sessions": 20, "categories": {"Dairy": {"min_sessions": 10_000}}})
    assert shop.progress.notes[-1] == (
        "120 of 180 items have one; nothing is popular in 1 categories: Dairy"
    )


def test_the_only_popular_item_of_a_category_lends_to_all_but_itself(shop: Shop):
    snapshot = shop.build({"categories": {"Dairy": {"min_sessions": ITEMS - 1}}, "anchors": 5})
    assert snapshot.anchors is not None
    anchors = {row: snapshot.anchors.of(row)[0].tolist() for row in range(1, ITEMS, 3)}
    assert anchors.pop(1) == []
    assert set(map(tuple, anchors.values())) == {(1,)}


def test_nothing_popular_at_all_makes_an_empty_table(shop: Shop):
    for per_category in (True, False):
        snapshot = shop.build(
            {"min_sessions": 10_000, "per_category": per_category}, hour=int(per_category)
        )
        assert entry(snapshot).items == 0
        assert entry(snapshot).indices == ()


def test_anchors_may_come_from_the_whole_shop(shop: Shop):
    snapshot = shop.build({"min_sessions": 90, "per_category": False})
    assert snapshot.anchors is not None
    unit = unit_rows(shop.content)
    lends = [row for row in KNOWN.tolist() if popularity(row) >= 90]
    for row in range(ITEMS):
        others = [other for other in lends if other != row]
        best = others[int(np.argmax(unit[others] @ unit[row]))]
        assert snapshot.anchors.of(row)[0].tolist() == [best]


def test_items_whose_content_says_nothing_neither_lend_nor_borrow(shop: Shop):
    shop.content[[5, 8]] = 0
    snapshot = shop.build({"min_sessions": 0, "anchors": 100})
    assert snapshot.anchors is not None
    assert [len(snapshot.anchors.of(row)[0]) for row in (5, 8)] == [0, 0]
    borrowed = {int(anchor) for row in range(ITEMS) for anchor in snapshot.anchors.of(row)[0]}
    assert borrowed == set(KNOWN.tolist()) - {5, 8}


def test_an_item_is_never_its_own_anchor(shop: Shop):
    shop.content[:] = shop.content[0]
    snapshot = shop.build({"min_sessions": 0, "anchors": 2})
    assert snapshot.anchors is not None
    for row in range(ITEMS):
        rows, similarities = snapshot.anchors.of(row)
        assert row not in rows.tolist()
        np.testing.assert_allclose(similarities, 1, atol=1e-6)


def test_anchor_indices_are_measured_by_the_gate(shop: Shop):
    snapshot = shop.build({"min_sessions": 20}, backend="faiss")
    gate = GateReport.model_validate(snapshot.contents.gate)
    measured = [recall.category for recall in gate.recalls if recall.space == "content:popular"]
    assert measured == list(CATEGORIES)


def test_anchor_indices_are_reused_where_nothing_changed(shop: Shop):
    first = shop.build({"min_sessions": 90}, backend="annoy")
    shop.content[3] *= -1  # a Bakery item that lends
    second = shop.build({"min_sessions": 90}, backend="annoy", hour=1)
    same = {
        index.category
        for index in entry(second).indices
        if (second.path / index.folder / "forest.annoy").samefile(
            first.path / index.folder / "forest.annoy"
        )
    }
    assert same == {"Dairy", "Produce"}


def test_a_build_with_one_thread_repeats(shop: Shop):
    first = shop.build({"min_sessions": 20, "anchors": 3}, backend="faiss")
    shop.root = VersionedRoot(shop.root.root / "again")
    second = shop.build({"min_sessions": 20, "anchors": 3}, backend="faiss", hour=1)
    names = [name for name in first.manifest.files if name.startswith("anchors/")]
    assert names
    assert all(first.manifest.files[name] == second.manifest.files[name] for name in names)


def test_table_opens_as_it_was_saved_and_shapes_are_checked(tmp_path: Path):
    table = AnchorTable(
        rows=np.array([[4, -1], [2, 3], [-1, -1]], dtype=np.int32),
        similarities=np.array([[0.5, -np.inf], [0.9, 0.1], [-np.inf] * 2], dtype=np.float32),
    )
    table.save(tmp_path)
    opened = AnchorTable.open(tmp_path, 3)
    assert opened.anchors == 2
    assert [opened.of(row)[0].tolist() for row in range(3)] == [[4], [2, 3], []]
    with pytest.raises(ArtifactError, match="expected two arrays of 4 lines"):
        AnchorTable.open(tmp_path, 4)


@pytest.mark.parametrize(
    ("anchors", "words"),
    [
        ({"space": "image"}, "expected a space of .* got 'image'; there are: cf, content"),
        ({"lists": "meta"}, "got 'meta'"),
        ({"categories": {"Fish": {"min_sessions": 1}}}, "top categories .* got 'Fish'"),
    ],
)
def test_settings_that_the_shop_cannot_meet_are_refused(
    shop: Shop, anchors: Mapping[str, object], words: str
):
    with pytest.raises(ConfigError, match=words):
        shop.build(anchors)


@pytest.mark.parametrize(
    "anchors", [{"anchors": 0}, {"min_similarity": 1.5}, {"min_sessions": -1}, {"least": 1}]
)
def test_settings_out_of_range_are_refused(anchors: Mapping[str, object]):
    with pytest.raises(ValidationError):
        AnchorsConfig.model_validate(anchors)


def test_a_shop_without_the_table_has_no_anchors(shop: Shop):
    snapshot = shop.build(None)
    assert snapshot.anchors is None
    assert snapshot.contents.anchors is None


def entry(snapshot: Snapshot) -> AnchorsEntry:
    assert snapshot.contents.anchors is not None
    return snapshot.contents.anchors
