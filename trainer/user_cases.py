"""The last items of held-out sessions, asked for by the shopper instead of the item before."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix, IntVector
from trainer.ranking import UNRANKED, positions, ranks_among, rows_per_block


@dataclass(frozen=True, slots=True)
class UserCases:
    """The last items of the n sessions whose shopper is known by name.

    Attributes:
        users: n ids.
        targets: (n,) int32 vocabulary rows.
    """

    users: tuple[str, ...]
    targets: IntVector

    def __len__(self) -> int:
        return len(self.users)


def read_user_cases(sessions: Path, most: int) -> UserCases:
    """Return the cases of the first `most` sessions that have a user.

    Args:
        sessions: Parquet file as `artifacts.prepared.Prepared` describes it.
        most: cases at most.
    """
    table = pq.read_table(sessions, columns=["user_id", "items"])
    table = table.filter(table.column("user_id").is_valid()).slice(0, most)
    last = [items[-1] for items in table.column("items").to_pylist()]
    users = table.column("user_id").cast(pa.string()).to_pylist()
    return UserCases(tuple(users), np.array(last, dtype=np.int32))


def user_ranks(
    cases: UserCases,
    users: Mapping[str, int],
    vectors: FloatMatrix,
    items: tuple[IntVector, FloatMatrix],
    *,
    block_bytes: int,
) -> NDArray[np.int64]:
    """Rank every target among all items, for the vector of its shopper.

    Nothing is excluded: people buy again. Ties count against the model, and what training does not
    know, shopper or item, is unranked.

    Args:
        cases: of n sessions.
        users: line in `vectors` of every known user.
        vectors: (u, d) float32.
        items: (m,) int32 vocabulary rows, ascending, and their (m, d) float32 factors.
        block_bytes: size of the scores held at a time.

    Returns:
        (n,) int64, 1 for the best, 0 for what is unknown.

    Cost: O(n * m * d).
    """
    rows, factors = items
    ranks = np.full(len(cases), UNRANKED, dtype=np.int64)
    lines = np.array([users.get(user, -1) for user in cases.users], dtype=np.int64)
    known = np.flatnonzero(lines >= 0)
    wanted = positions(rows, cases.targets)
    size = rows_per_block(block_bytes, len(rows))
    for start in range(0, len(known), size):
        block = known[start : start + size]
        scores = vectors[lines[block]] @ factors.T  # (b, m)
        ranks[block] = ranks_among(scores, np.arange(len(block)), wanted[block])
    return ranks
