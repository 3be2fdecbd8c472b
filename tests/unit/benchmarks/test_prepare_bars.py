"""Made events, and the two sides that are timed on them."""

import pyarrow.parquet as pq

from artifacts.progress import SilentProgress
from artifacts.versions import VersionedRoot
from benchmarks.event_data import write_events
from benchmarks.sessions_by_hand import sessions_by_hand
from trainer.config import PrepareConfig
from trainer.prepare import prepare
from trainer.seeded_hash import threshold

ROWS = 5_000


def test_made_events_are_the_same_each_time_and_in_order_of_time(tmp_path):
    tables = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        write_events(tmp_path / name, ROWS, seed=seed)
        tables.append(pq.read_table(tmp_path / name).sort_by("happened_at"))
    assert tables[0].equals(tables[1])
    assert not tables[0].equals(tables[2])
    assert len(tables[0]) == ROWS
    assert len(set(tables[0]["happened_at"].to_pylist())) == ROWS


def test_sql_by_hand_writes_the_sessions_that_preparation_writes(tmp_path):
    events = tmp_path / "events.parquet"
    write_events(events, ROWS, seed=3)
    train = sessions_by_hand(events, tmp_path, heldout=threshold(0.1), memory_limit="1GB")
    config = PrepareConfig.model_validate(
        {
            "events": {
                "path": str(events),
                "columns": {"user_id": "user_id", "timestamp": "happened_at"},
            },
            "split": {"kind": "random", "fraction": 0.1},
        }
    )
    prepared = prepare(config, VersionedRoot(tmp_path / "root"), progress=SilentProgress())
    assert pq.read_table(train).to_pylist() == pq.read_table(prepared.train_sessions).to_pylist()
    heldout = pq.read_table(tmp_path / "heldout.parquet").to_pylist()
    assert heldout == pq.read_table(prepared.heldout_sessions).to_pylist()
    assert heldout
