import pytest

from artifacts.progress import SilentProgress
from artifacts.relation import Relation
from artifacts.snapshot import Snapshot
from benchmarks.made_snapshot import BACKENDS, LISTED, made_snapshots
from benchmarks.snapshot_pair import TWIN, twin_snapshots

ROWS = 1_500


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("made")


@pytest.mark.parametrize("backend", BACKENDS)
def test_made_snapshot_is_whole(folder, backend):
    snapshots = made_snapshots(folder, backend, ROWS, SilentProgress())
    assert len(snapshots.ids()) == 1
    snapshot = Snapshot.open(snapshots.current(hint="made"))  # checks every file
    assert len(snapshot.items) == ROWS
    (entry,) = snapshot.contents.indices
    assert entry.kind == BACKENDS[backend].kind
    lists = snapshot.neighbors["cf", Relation.ALTERNATIVES]
    for row in (0, 700, ROWS - 1):
        found = lists.lookup(row)
        assert found is not None
        rows, scores = found
        assert len(set(rows.tolist()) - {row}) == LISTED
        assert (scores[:-1] >= scores[1:]).all()


def test_snapshot_is_made_once(folder):
    first = made_snapshots(folder, "exact", ROWS, SilentProgress())
    made = [path.stat().st_mtime_ns for path in sorted(first.root.rglob("*"))]
    again = made_snapshots(folder, "exact", ROWS, SilentProgress())
    assert [path.stat().st_mtime_ns for path in sorted(again.root.rglob("*"))] == made


def test_twin_is_the_same_snapshot_under_another_id(tiny_snapshots, tmp_path):
    original = tiny_snapshots.current(hint="shop")
    pair = twin_snapshots(original, tmp_path / "snapshots")
    assert pair.current_id() == original.name
    twin = Snapshot.open(pair.path(f"{original.name}{TWIN}"))
    assert twin.id == f"{original.name}{TWIN}"
    assert twin.contents == Snapshot.open(original).contents
