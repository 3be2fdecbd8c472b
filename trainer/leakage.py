"""Refuse a split that lets training see what it is measured on."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from artifacts.errors import DataError


def check_leakage(train: Path, heldout: Path, *, by_time: bool) -> None:
    """Compare the session files of the two parts as they were written.

    Args:
        train: sessions to learn from, as `Prepared` describes them.
        heldout: sessions to measure on.
        by_time: the split claims that training ends before the first held-out session starts.

    Raises:
        DataError: a session is in both parts, or twice in one; or a training session starts at or
            after the first held-out one, or a start is missing.

    Cost: ids and starts of all sessions in memory.
    """
    parts = [pq.read_table(path, columns=["session_id", "started_at"]) for path in (train, heldout)]
    for part, path in zip(parts, (train, heldout), strict=True):
        _check_distinct(part, path)
    _check_disjoint(*parts)
    if by_time:
        _check_times(*parts)


def _check_distinct(part: pa.Table, path: Path) -> None:
    ids = part.column("session_id")
    repeats = len(ids) - pc.count_distinct(ids).as_py()
    if repeats:
        raise DataError(f"leakage: {path.name} holds {repeats} session(s) more than once")


def _check_disjoint(train: pa.Table, heldout: pa.Table) -> None:
    ids = heldout.column("session_id")
    both = ids.filter(pc.is_in(ids, value_set=train.column("session_id")))
    if len(both):
        raise DataError(
            f"leakage: {len(both)} session(s) are in the training part and held out, the first is "
            f"{both[0].as_py()!r}"
        )


def _check_times(train: pa.Table, heldout: pa.Table) -> None:
    starts = [part.column("started_at") for part in (train, heldout)]
    missing = sum(column.null_count for column in starts)
    if missing:
        raise DataError(f"leakage: a split by time, but {missing} session(s) without a start")
    last, first = pc.max(starts[0]).as_py(), pc.min(starts[1]).as_py()
    if last is not None and first is not None and last >= first:
        raise DataError(
            f"leakage: a training session starts at {last}, the first held-out one at {first}"
        )
