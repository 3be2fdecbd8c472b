"""What every known user took, from the training sessions."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from artifacts.arrays import FloatVector, IntVector
from artifacts.errors import DataError

BATCH_SESSIONS = 65_536
WEIGHTS = "weights"


@dataclass(frozen=True, slots=True)
class Interactions:
    """Users by items.

    Attributes:
        users: u ids, sorted.
        items: (n,) int32 vocabulary rows that a known user took, ascending.
        matrix: (u, n) float32, the summed weight of the events of a user with an item; columns of
            a row ascend, and no stored weight is 0.
    """

    users: tuple[str, ...]
    items: IntVector
    matrix: csr_array


def read_interactions(sessions: Path) -> Interactions:
    """Sum the events of every user with every item.

    An event weighs 1, or what stands in the column `weights` of the sessions, a list parallel to
    `items`. Sessions without a user are passed over.

    Args:
        sessions: Parquet file as `artifacts.prepared.Prepared` describes it.

    Raises:
        DataError: no session names a user, fewer than two items were taken, or weights are
            negative, not finite, or not as many as the items.

    Cost: two passes; 24 bytes an event in memory.
    """
    users = _user_ids(sessions)
    if not len(users):
        raise DataError(
            f"{sessions}: expected sessions with a user_id, got none in {_count(sessions)}; map "
            "`user_id` under [prepare.events.columns], or leave out [train.user]"
        )
    parts = list(_events(sessions, users))
    rows, columns, weights = (np.concatenate(part) for part in zip(*parts, strict=True))
    taken = weights > 0
    items, places = np.unique(columns[taken], return_inverse=True)
    if len(items) < 2:
        raise DataError(f"{sessions}: expected users to take at least two items, got {len(items)}")
    entries = (weights[taken], (rows[taken], places))
    matrix = coo_array(entries, shape=(len(users), len(items))).tocsr()
    matrix.sum_duplicates()
    return Interactions(tuple(users.to_pylist()), items.astype(np.int32), matrix)


def _user_ids(sessions: Path) -> pa.Array:
    found = pa.array([], type=pa.string())
    for batch in _batches(sessions, ["user_id"]):
        ids = batch.column("user_id").cast(pa.string())
        found = pc.unique(pa.concat_arrays([found, ids.drop_null()]))
    return found.take(pc.sort_indices(found))


def _events(
    sessions: Path, users: pa.Array
) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int32], FloatVector]]:
    """Give (users, vocabulary rows, weights) of the events of each batch, users by place."""
    weighted = WEIGHTS in pq.read_schema(sessions).names
    for batch in _batches(sessions, ["user_id", "items", *([WEIGHTS] if weighted else [])]):
        lists = batch.column("items")
        codes = pc.fill_null(pc.index_in(batch.column("user_id").cast(pa.string()), users), -1)
        lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
        rows = np.repeat(codes.to_numpy(zero_copy_only=False), lengths).astype(np.int32)
        items = lists.flatten().to_numpy(zero_copy_only=False).astype(np.int32)
        weights = _weights(batch, sessions) if weighted else np.ones(len(items), dtype=np.float32)
        known = rows >= 0
        yield rows[known], items[known], weights[known]


def _weights(batch: pa.RecordBatch, sessions: Path) -> FloatVector:
    lists, weights = batch.column("items"), batch.column(WEIGHTS)
    if not pc.list_value_length(lists).equals(pc.list_value_length(weights)):
        raise DataError(f"{sessions}: expected as many weights as items in every session")
    values = weights.flatten().cast(pa.float32()).to_numpy(zero_copy_only=False)
    wrong = ~(np.isfinite(values) & (values >= 0))
    if wrong.any():
        raise DataError(
            f"{sessions}: expected weights >= 0 and finite, got {int(wrong.sum())} others, the "
            f"first is {values[wrong][0]}"
        )
    return np.asarray(values, dtype=np.float32)


def _batches(sessions: Path, columns: list[str]) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(sessions) as file:
        yield from file.iter_batches(batch_size=BATCH_SESSIONS, columns=columns)


def _count(sessions: Path) -> str:
    return f"{pq.read_metadata(sessions).num_rows:,} sessions"
