"""The training sessions as lists of vocabulary rows, all of them in memory."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from artifacts.ragged import Ragged

OLDEST_FIRST = [("start", "ascending"), ("digits", "ascending"), ("session_id", "ascending")]
BEFORE_ALL = -(2**63)


def read_session_lists(sessions: Path) -> Ragged:
    """Return the items of every session, oldest session first.

    Sessions without a time count as older than all others; ties are broken by session id, shorter
    ids first, so that numbered sessions keep their order.

    Args:
        sessions: Parquet file as `artifacts.prepared.Prepared` describes it.

    Cost: about 12 bytes an event, and the ids and times of the sessions, in memory.
    """
    table = pq.read_table(sessions, columns=["session_id", "started_at", "items"])
    lengths, values = list_values(table.column("items"))
    return Ragged.of(lengths, values.astype(np.int32, copy=False)).take(oldest_first(table))


def oldest_first(table: pa.Table) -> NDArray[np.int64]:
    """Return the places of sessions by their age; the table has `session_id` and `started_at`."""
    starts = table.column("started_at").cast(pa.int64())
    ages = table.select(["session_id"]).append_column("start", pc.fill_null(starts, BEFORE_ALL))
    ages = ages.append_column("digits", pc.utf8_length(table.column("session_id")))
    order: NDArray[np.int64] = pc.sort_indices(ages, sort_keys=OLDEST_FIRST).to_numpy()
    return order.astype(np.int64)


def list_values(column: pa.ChunkedArray) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Return the lengths of the lists of a column, 0 for none, and their values end to end."""
    # Offsets inside a chunk are 32 bits wide; all events together may need more.
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy().astype(np.int64)
    chunks = [chunk.flatten().to_numpy(zero_copy_only=False) for chunk in column.chunks]
    return lengths, np.concatenate(chunks) if chunks else np.empty(0, dtype=np.int32)
