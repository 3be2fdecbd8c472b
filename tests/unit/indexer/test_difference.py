from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from artifacts.catalog import write_catalog
from artifacts.errors import GateError
from artifacts.neighbors import NeighborTable
from artifacts.progress import SilentProgress
from artifacts.relation import Relation
from artifacts.snapshot import Snapshot
from artifacts.versions import VersionedRoot
from artifacts.vocabulary import write_vocabulary
from indexer.build import SnapshotInputs, build_snapshot
from indexer.config import GateConfig, IndexConfig, SpaceIndexConfig
from indexer.difference import Side, compare_snapshots
from indexer.difference_gate import judge_difference
from indexer.gate import judge
from indexer.gate_report import GATE_PAGE_NAME, GateReport
from indexer.journal import read_journal
from indexer.publish import publish
from tests.clusters import clustered
from tests.made_artifacts import MADE_AT, write_embedding, write_prepared

CF = ("cf", Relation.ALTERNATIVES)


def side(folder: Path, lists: dict[str, list[str]], popularity: dict[str, int]) -> Side:
    """Return a snapshot's lists by id; ids are rows in the order of `popularity`."""
    ids = list(popularity)
    row_of = {id: row for row, id in enumerate(ids)}
    k = max(map(len, lists.values()))
    rows = [[row_of[n] for n in names] + [-1] * (k - len(names)) for names in lists.values()]
    positions = np.full(len(ids), -1, dtype=np.int32)
    for line, id in enumerate(lists):
        positions[row_of[id]] = line
    n = len(ids)
    catalog = write_catalog(
        folder / "catalog",
        titles=[None if id == "e" else f"Title {id}" for id in ids],
        category_paths=[None] * n,
        top_categories=[None] * n,
        brands=[None] * n,
        prices=np.ones(n, dtype=np.float32),
        popularity=np.array(list(popularity.values()), dtype=np.int32),
    )
    table = NeighborTable(
        positions, np.array(rows, np.int32), np.zeros((len(lists), k), np.float32)
    )
    return Side(folder.name, write_vocabulary(folder / "items", ids), catalog, {CF: table})


def test_lists_are_compared_by_id_sources_counted_and_movers_named(tmp_path: Path):
    before = side(
        tmp_path / "old",
        {"a": ["b", "c"], "b": ["a", "d"], "c": ["d"], "d": ["a"], "x": ["a"], "e": []},
        {"a": 5, "b": 9, "c": 1, "d": 7, "e": 3, "x": 2},
    )
    after = side(
        tmp_path / "new",
        {"d": ["e"], "c": ["d"], "b": ["a", "d"], "a": ["c", "e"], "e": ["a"]},
        {"e": 3, "d": 7, "c": 1, "b": 9, "a": 5},
    )
    found = compare_snapshots(before, after)
    (table,) = found.tables
    assert (found.before, found.after, table.space) == ("old", "new", "cf")
    assert (table.both, table.gained, table.lost) == (4, 1, 1)
    assert table.lost_share == 1 / 5
    assert table.jaccard == pytest.approx((1 / 3 + 1 + 1 + 0) / 4)
    assert table.unchanged == 0.5
    assert [mover.id for mover in table.movers] == ["d", "a"]
    most = table.movers[0]
    assert (most.title, most.overlap) == ("Title d", 0)
    assert (most.before, most.after) == (("Title a",), ("e",))
    page = found.to_markdown()
    assert "| cf alternatives | 4 | 1 | 1 | 0.583 |" in page
    assert "| Title d | 0.000 | Title a | e |" in page


def test_equals_move_by_popularity_and_only_so_many_are_named(tmp_path: Path):
    ids = dict(zip("abcd", (1, 4, 3, 2), strict=True))
    before = side(tmp_path / "old", {"a": ["b"], "b": ["a"], "c": ["a"], "d": ["a"]}, ids)
    after = side(tmp_path / "new", {"a": ["c"], "b": ["c"], "c": ["d"], "d": ["c"]}, ids)
    (table,) = compare_snapshots(before, after, movers=3).tables
    assert [mover.id for mover in table.movers] == ["b", "c", "d"]


def test_tables_of_one_side_alone_are_named(tmp_path: Path):
    ids = {"a": 1, "b": 1}
    old = side(tmp_path / "old", {"a": ["b"]}, ids)
    new = side(tmp_path / "new", {"a": ["b"]}, ids)
    new = Side(
        new.id, new.items, new.catalog, {("image", Relation.ALTERNATIVES): new.neighbors[CF]}
    )
    found = compare_snapshots(old, new)
    assert (found.tables, found.tables_lost, found.tables_gained) == (
        (),
        ("cf alternatives",),
        ("image alternatives",),
    )
    assert judge_difference(GateConfig(), found) == []
    (failure,) = judge_difference(GateConfig(max_lost_share=0.9), found)
    assert "cf alternatives: the table is gone since old" in failure


def test_gate_names_what_has_changed_too_much(tmp_path: Path):
    ids = {"a": 5, "b": 9, "c": 1}
    old = side(tmp_path / "old", {"a": ["b"], "b": ["a"]}, ids)
    new = side(tmp_path / "new", {"a": ["c"], "b": []}, ids)
    difference = compare_snapshots(old, new)
    assert judge(GateConfig(), [], [], difference=difference).passed
    report = judge(GateConfig(min_overlap=0.1, max_lost_share=0.4), [], [], difference=difference)
    assert not report.passed
    assert "lists have 0.000 in common since old, which is below 0.100" in report.failures[0]
    assert "0.500 of the items with neighbours have none any more" in report.failures[1]
    assert GateReport.model_validate_json(report.model_dump_json()) == report
    assert "# Gate: FAILED" in report.to_markdown()


def inputs(folder: Path, seed: int) -> SnapshotInputs:
    made = folder.name
    prepared = write_prepared(folder / "prepared", 60, id=made)
    return SnapshotInputs(
        prepared,
        {"cf": write_embedding(folder / "cf", range(60), clustered(60, seed=seed), prepared=made)},
    )


def built(made: SnapshotInputs, root: VersionedRoot, minute: int, gate: GateConfig) -> Snapshot:
    config = IndexConfig(spaces=(SpaceIndexConfig(space="cf", neighbors=5),), gate=gate, threads=1)
    now = MADE_AT + timedelta(minutes=minute)
    return build_snapshot(made, config, root, progress=SilentProgress(), now=now)


def test_snapshot_holds_its_difference_to_the_one_in_service(tmp_path: Path):
    root = VersionedRoot(tmp_path / "snapshots")
    first = built(inputs(tmp_path / "one", 1), root, 0, GateConfig())
    assert GateReport.model_validate(first.contents.gate).difference is None
    assert "No snapshot was in service" in (first.path / GATE_PAGE_NAME).read_text()
    publish(root, first.id, now=MADE_AT)
    second = built(inputs(tmp_path / "two", 2), root, 1, GateConfig())
    difference = GateReport.model_validate(second.contents.gate).difference
    assert difference is not None
    assert difference == compare_snapshots(Side.of(first), Side.of(second))
    assert f"From {first.id} to {second.id}" in (second.path / GATE_PAGE_NAME).read_text()


def test_snapshot_that_changes_too_much_is_published_only_by_force(tmp_path: Path):
    root, strict = VersionedRoot(tmp_path / "snapshots"), GateConfig(min_overlap=0.9)
    first = built(inputs(tmp_path / "one", 1), root, 0, strict)
    publish(root, first.id, now=MADE_AT)
    other = built(inputs(tmp_path / "two", 2), root, 1, strict)
    with pytest.raises(GateError, match=f"in common since {first.id}"):
        publish(root, other.id, now=MADE_AT)
    assert root.current_id() == first.id
    assert publish(root, other.id, now=MADE_AT, force=True).forced
    assert [record.forced for record in read_journal(root.root)] == [False, True]


def test_difference_is_judged_against_what_is_in_service_when_it_is_published(tmp_path: Path):
    root, strict = VersionedRoot(tmp_path / "snapshots"), GateConfig(min_overlap=0.9)
    one, two = inputs(tmp_path / "one", 1), inputs(tmp_path / "two", 2)
    first, other = built(one, root, 0, strict), built(two, root, 1, strict)
    publish(root, first.id, now=MADE_AT)  # both were built when nothing was in service
    with pytest.raises(GateError, match=f"in common since {first.id}"):
        publish(root, other.id, now=MADE_AT)
    publish(root, other.id, now=MADE_AT, force=True)
    third = built(two, root, 2, strict.model_copy(update={"queries": 7}))  # compared with `other`
    publish(root, first.id, now=MADE_AT, force=True)
    with pytest.raises(GateError, match=f"in common since {first.id}"):
        publish(root, third.id, now=MADE_AT)
    publish(root, other.id, now=MADE_AT, force=True)
    assert not publish(root, third.id, now=MADE_AT).forced


def test_damage_to_the_one_in_service_does_not_hold_up_the_next(tmp_path: Path):
    root = VersionedRoot(tmp_path / "snapshots")
    first = built(inputs(tmp_path / "one", 1), root, 0, GateConfig())
    publish(root, first.id, now=MADE_AT)
    (first.path / "items" / "ids.arrow").unlink()
    second = built(inputs(tmp_path / "two", 2), root, 1, GateConfig(min_overlap=0.9))
    assert GateReport.model_validate(second.contents.gate).difference is None
    assert publish(root, second.id, now=MADE_AT).id == second.id
