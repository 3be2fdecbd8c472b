from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from artifacts.errors import DataError
from trainer.leakage import check_leakage

SCHEMA = pa.schema({"session_id": pa.string(), "started_at": pa.timestamp("us")})


def part(path: Path, starts: list[tuple[str, int | None]]) -> Path:
    rows = [{"session_id": id, "started_at": day and datetime(2026, 1, day)} for id, day in starts]
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), path)
    return path


def check(folder: Path, train, heldout, *, by_time: bool) -> None:
    check_leakage(
        part(folder / "train.parquet", train),
        part(folder / "heldout.parquet", heldout),
        by_time=by_time,
    )


CLEAN = ([("a", 1), ("b", 2)], [("c", 3), ("d", 4)])


@pytest.mark.parametrize("by_time", [False, True])
def test_clean_split_passes(tmp_path, by_time):
    check(tmp_path, *CLEAN, by_time=by_time)


@pytest.mark.parametrize("by_time", [False, True])
@pytest.mark.parametrize("empty", [0, 1], ids=["train", "heldout"])
def test_empty_part_passes(tmp_path, by_time, empty):
    parts = list(CLEAN)
    parts[empty] = []
    check(tmp_path, *parts, by_time=by_time)


def test_session_in_both_parts_is_named(tmp_path):
    with pytest.raises(DataError, match=r"1 session\(s\) are in the training part.*'b'"):
        check(tmp_path, CLEAN[0], [("b", 3), ("d", 4)], by_time=False)


@pytest.mark.parametrize("where", [0, 1], ids=["train", "heldout"])
def test_session_twice_in_a_part_is_leakage(tmp_path, where):
    parts = [list(rows) for rows in CLEAN]
    parts[where].append(parts[where][0])
    with pytest.raises(DataError, match="more than once"):
        check(tmp_path, *parts, by_time=False)


@pytest.mark.parametrize("day", [3, 4], ids=["at the first held-out start", "after it"])
def test_training_that_goes_on_after_the_cut_is_leakage_of_a_time_split(tmp_path, day):
    late = [*CLEAN[0], ("e", day)]
    with pytest.raises(DataError, match="a training session starts at 2026-01-0"):
        check(tmp_path, late, CLEAN[1], by_time=True)
    check(tmp_path, late, CLEAN[1], by_time=False)


def test_time_split_needs_every_start(tmp_path):
    with pytest.raises(DataError, match="without a start"):
        check(tmp_path, [("a", None)], CLEAN[1], by_time=True)
