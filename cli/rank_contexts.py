"""Places in sessions at which candidates are ranked, and what came next."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from artifacts.arrays import IntVector
from artifacts.ragged import Ragged
from cli.rank_config import RankConfig
from trainer.seeded_hash import seeded_hash_of
from trainer.session_lists import list_values
from trainer.weighted_lists import WEIGHTS

MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class LaterSessions:
    """Sessions that nothing was learnt from, in the order of `when`.

    Attributes:
        items: vocabulary rows of each.
        grades: (m,) int8, parallel to `items.values`: from 1, by the weight of the event.
        levels: the highest grade there is.
        users: id of each shopper, None where unknown.
        when: (n,) int64 seconds since 1970, or the place in the order of a seeded hash.
    """

    items: Ragged
    grades: NDArray[np.int8]
    levels: int
    users: tuple[str | None, ...]
    when: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a session.

    Attributes:
        visited: (v,) int32 rows until then, oldest first, at least one.
        ahead: (a,) int32 rows that came next, at least one.
        grades: (a,) int8 their grades.
        user: the shopper, None where unknown.
        when: of the session.
    """

    visited: IntVector
    ahead: IntVector
    grades: NDArray[np.int8]
    user: str | None
    when: int

    def graded(self) -> dict[int, int]:
        """Return what came next, each item once with its highest grade."""
        found: dict[int, int] = {}
        for row, grade in zip(self.ahead.tolist(), self.grades.tolist(), strict=True):
            found[row] = max(grade, found.get(row, 0))
        return found


def read_later_sessions(path: Path, *, clock: bool, seed: int) -> LaterSessions:
    """Read a file of sessions, oldest first; without a clock in the order of a seeded hash.

    Args:
        path: Parquet file as `artifacts.prepared.Prepared` describes it.
        clock: whether sessions have a time.
        seed: of the hash.
    """
    table = pq.read_table(path)
    when = _moments(table) if clock else _places(table, seed)
    order = np.argsort(when, kind="stable")
    lengths, values = list_values(table.column("items"))
    items = Ragged.of(lengths, values.astype(np.int32, copy=False))
    weights = None
    if WEIGHTS in table.column_names:
        _, weights = list_values(table.column(WEIGHTS))
    grades, levels = _grades(weights, len(values))
    users = table.column("user_id").cast(pa.string()).to_pylist()
    return LaterSessions(
        items=items.take(order),
        grades=grades[items.places(order)],
        levels=levels,
        users=tuple(users[at] for at in order.tolist()),
        when=when[order],
    )


def draw_places(sessions: LaterSessions, config: RankConfig) -> list[tuple[int, int]]:
    """Return (session, visits before) of the places, in the order of the sessions.

    Cost: O(sessions).
    """
    lots = np.random.default_rng(config.seed)
    lengths = sessions.items.lengths
    drawn: list[tuple[int, int]] = []
    for session in lots.permutation(len(sessions)).tolist():
        inner = int(lengths[session]) - 1
        if inner < 1:
            continue
        if len(drawn) >= config.contexts:
            break
        most = min(config.positions, inner, config.contexts - len(drawn))
        chosen = lots.choice(inner, size=most, replace=False) + 1
        drawn += [(session, int(place)) for place in chosen]
    return sorted(drawn)


def places(sessions: LaterSessions, drawn: list[tuple[int, int]], ahead: int) -> Iterator[Place]:
    """Give the places that were drawn, each with at most `ahead` visits that follow."""
    offsets = sessions.items.offsets
    for session, visits in drawn:
        start, end = int(offsets[session]), int(offsets[session + 1])
        now = start + visits
        coming = slice(now, min(now + ahead, end))
        yield Place(
            visited=sessions.items.values[start:now],
            ahead=sessions.items.values[coming],
            grades=sessions.grades[coming],
            user=sessions.users[session],
            when=int(sessions.when[session]),
        )


def _moments(table: pa.Table) -> NDArray[np.int64]:
    starts = table.column("started_at").cast(pa.timestamp("us")).cast(pa.int64())
    moments: NDArray[np.int64] = starts.to_numpy() // MICROSECONDS
    return moments


def _places(table: pa.Table, seed: int) -> NDArray[np.int64]:
    """Return where each session stands in the order of a seeded hash of its id."""
    hashes = [seeded_hash_of(seed, "when", id) for id in table.column("session_id").to_pylist()]
    order = np.argsort(np.array(hashes), kind="stable")
    standing = np.empty(len(order), dtype=np.int64)
    standing[order] = np.arange(len(order))
    return standing


def _grades(weights: NDArray[np.floating] | None, events: int) -> tuple[NDArray[np.int8], int]:
    """Return the place of each weight among all of them, from 1, and how many there are."""
    if weights is None:
        return np.ones(events, dtype=np.int8), 1
    levels, places = np.unique(weights, return_inverse=True)
    return (places + 1).astype(np.int8), len(levels)
