from datetime import datetime

import numpy as np
import pyarrow.parquet as pq
import pytest

from artifacts.errors import DataError
from artifacts.progress import SilentProgress
from artifacts.versions import VersionedRoot
from cli.backdating import backdate
from cli.rank_config import RankConfig
from tests.made_sessions import COLUMNS, prepare_sessions, themed_sessions

SPLIT = {"split": {"kind": "none"}}


def test_the_last_sessions_are_held_out_and_popularity_forgets_them(tmp_path):
    prepared = prepare_sessions(tmp_path, themed_sessions(100), **SPLIT)
    root = VersionedRoot(tmp_path / "past")
    found = backdate(prepared, RankConfig(fraction=0.3), root, progress=SilentProgress())
    earlier, later = (
        pq.read_table(path)
        for path in (found.prepared.train_sessions, found.prepared.heldout_sessions)
    )
    assert found.clock
    assert (len(earlier), len(later)) == (70, 30)
    assert max(earlier["started_at"].to_pylist()) < min(later["started_at"].to_pylist())
    counts = np.zeros(len(prepared.items), dtype=int)
    for items in earlier["items"].to_pylist():
        counts[list(set(items))] += 1
    np.testing.assert_array_equal(found.prepared.catalog.popularity, counts)
    assert found.prepared.items.ids(range(5)) == prepared.items.ids(range(5))
    assert found.prepared.manifest.inputs == {"prepared": prepared.manifest.id}


def test_sessions_of_one_moment_stay_together(tmp_path):
    prepared = prepare_sessions(tmp_path, themed_sessions(40), **SPLIT)
    table = pq.read_table(prepared.train_sessions)
    moments = [datetime(2026, 1, 1 + place // 10) for place in range(40)]
    place = table.column_names.index("started_at")
    table = table.set_column(place, table.field(place), [moments])
    pq.write_table(table, prepared.train_sessions)
    root = VersionedRoot(tmp_path / "past")
    found = backdate(prepared, RankConfig(fraction=0.3), root, progress=SilentProgress())
    later = pq.read_table(found.prepared.heldout_sessions)["started_at"].to_pylist()
    assert sorted(set(later)) == [datetime(2026, 1, 3), datetime(2026, 1, 4)]
    assert len(later) == 20


def test_without_times_a_seeded_hash_draws_the_sessions(tmp_path):
    columns = {name: name for name in COLUMNS if name != "timestamp"}
    prepared = prepare_sessions(
        tmp_path,
        themed_sessions(300),
        events={"path": str(tmp_path / "events.parquet"), "columns": columns},
        **SPLIT,
    )
    held = {}
    for seed in (0, 1):
        root = VersionedRoot(tmp_path / f"past-{seed}")
        config = RankConfig(fraction=0.3, seed=seed)
        found = backdate(prepared, config, root, progress=SilentProgress())
        assert not found.clock
        held[seed] = set(pq.read_table(found.prepared.heldout_sessions)["session_id"].to_pylist())
        assert 60 < len(held[seed]) < 120
    assert held[0] != held[1]


def test_a_cut_that_leaves_nothing_is_refused(tmp_path):
    prepared = prepare_sessions(tmp_path, themed_sessions(3), **SPLIT)
    table = pq.read_table(prepared.train_sessions)
    place = table.column_names.index("started_at")
    one_moment = [[datetime(2026, 1, 1)] * len(table)]
    pq.write_table(table.set_column(place, table.field(place), one_moment), prepared.train_sessions)
    with pytest.raises(DataError, match="fraction"):
        backdate(
            prepared, RankConfig(), VersionedRoot(tmp_path / "past"), progress=SilentProgress()
        )
