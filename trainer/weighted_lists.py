"""The training sessions as lists of vocabulary rows, and how much each event of them weighs."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from artifacts.arrays import FloatVector, IntVector
from artifacts.errors import DataError
from artifacts.ragged import Ragged
from trainer.session_lists import list_values, oldest_first, read_session_lists

WEIGHTS = "weights"


@dataclass(frozen=True, slots=True)
class WeightedLists:
    """Sessions, oldest first.

    Attributes:
        lists: vocabulary rows.
        weights: (m,) float32, parallel to `lists.values`, in units of the smallest, so that none is
            below 1; None where all events weigh the same.
    """

    lists: Ragged
    weights: FloatVector | None


def read_weighted_lists(sessions: Path, *, use: bool = True) -> WeightedLists:
    """Return the items of every session and, where the file has them, the weights of the events.

    Args:
        sessions: Parquet file as `artifacts.prepared.Prepared` describes it.
        use: False passes over the weights.

    Raises:
        DataError: weights are not above 0 and finite, or not as many as the items.

    Cost: as `read_session_lists`, and 8 bytes an event for the weights.
    """
    lists = read_session_lists(sessions)
    if not (use and has_weights(sessions)):
        return WeightedLists(lists, None)
    table = pq.read_table(sessions, columns=["session_id", "started_at", WEIGHTS])
    lengths, values = list_values(table.column(WEIGHTS))
    order = oldest_first(table)
    if not np.array_equal(lengths[order], lists.lengths):
        raise DataError(f"{sessions}: expected as many weights as items in every session")
    _check(values, sessions)
    places = Ragged.of(lengths, np.empty(len(values), dtype=np.int32)).places(order)
    relative = values[places] / values.min(initial=np.inf)
    return WeightedLists(lists, relative.astype(np.float32))


def frequent_lists(sessions: WeightedLists, min_count: int) -> tuple[IntVector, WeightedLists]:
    """Return the rows that occur `min_count` times, and the sessions of their positions alone."""
    lists, weights = sessions.lists, sessions.weights
    counts = np.bincount(lists.values)
    rows = np.flatnonzero(counts >= min_count).astype(np.int32)
    position = np.full(len(counts), -1, dtype=np.int32)
    position[rows] = np.arange(len(rows), dtype=np.int32)
    values = position[lists.values]
    kept = values >= 0
    session = np.repeat(np.arange(len(lists)), lists.lengths)
    lengths = np.bincount(session[kept], minlength=len(lists))
    rest = Ragged.of(lengths, values[kept])
    return rows, WeightedLists(rest, None if weights is None else weights[kept])


def has_weights(sessions: Path) -> bool:
    """Tell whether the events of a file of sessions carry weights."""
    return WEIGHTS in pq.read_schema(sessions).names


def smallest_weight(sessions: Path) -> float:
    """Return the smallest weight of a file that has weights; infinity where it has no event.

    Raises:
        DataError: a weight is not above 0 and finite.

    Cost: one pass, memory of a batch.
    """
    smallest = np.inf
    with pq.ParquetFile(sessions) as file:
        for batch in file.iter_batches(columns=[WEIGHTS]):
            values = batch.column(WEIGHTS).flatten().to_numpy(zero_copy_only=False)
            _check(values, sessions)
            smallest = min(smallest, float(values.min(initial=np.inf)))
    return smallest


def _check(values: FloatVector, sessions: Path) -> None:
    wrong = ~(np.isfinite(values) & (values > 0))
    if wrong.any():
        raise DataError(
            f"{sessions}: expected weights above 0 and finite, got {int(wrong.sum())} others, the "
            f"first is {values[wrong][0]}"
        )
