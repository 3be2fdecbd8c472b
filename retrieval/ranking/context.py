"""What candidates are ranked for."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from artifacts.arrays import IntVector
from artifacts.neighbors import PAD_ROW
from artifacts.snapshot import Snapshot
from retrieval.item_ids import checked_id
from retrieval.queries import Visit
from retrieval.session.config import SessionConfig
from retrieval.session.visited import visited_rows

ALL_ALIKE = SessionConfig(half_life_s=None, half_life_visits=None)
"""Visits count by their order alone; how fast they fade is a part of the schema."""


@dataclass(frozen=True, slots=True, eq=False)
class RankContext:
    """A shopper at a moment: what was visited until then, and who it is.

    A visit counts or it does not: its weight, kind and time have no part in the features, because
    the sessions that a ranker learns from have none that compare with a caller's.

    Attributes:
        rows: (v,) int32 vocabulary rows, oldest first, repeats kept.
        user_row: row among the shoppers of the snapshot, -1 if it does not know who it is.
    """

    rows: IntVector
    user_row: int = PAD_ROW

    @classmethod
    def of(
        cls, rows: IntVector, *, item_row: int = PAD_ROW, user_row: int = PAD_ROW
    ) -> "RankContext":
        """Return a context; the product whose page is shown counts as the last visit.

        Args:
            rows: (v,) int32 visited, oldest first; none of them negative.
            item_row: the product, -1 where there is none.
            user_row: the shopper, -1 where unknown.
        """
        rows = np.ascontiguousarray(rows, dtype=np.int32)
        if item_row >= 0 and not (len(rows) and rows[-1] == item_row):
            rows = np.append(rows, np.int32(item_row))
        return cls(rows, user_row)


def context_of(
    snapshot: Snapshot, visits: Sequence[Visit], *, item_id: str = "", user_id: str = ""
) -> tuple[RankContext, tuple[str, ...]]:
    """Return what a caller says as a context, and the ids that the snapshot does not know.

    Visits that speak against their item, or do not count, are passed over.

    Args:
        snapshot: whose rows they become.
        visits: oldest first; where all of them carry times, the times decide on the order.
        item_id: the product whose page is shown; empty where there is none.
        user_id: the shopper; empty where unknown. One that training did not know is no fault.

    Raises:
        RequestError: too many visits, an empty id, or a weight that is not finite; the path of the
            field starts with `visits` or is `item_id`.
    """
    items = snapshot.items
    visited = visited_rows(items, visits, ALL_ALIKE)
    rows = visited.trail[visited.trail_weights > 0]
    item_row, skipped = PAD_ROW, visited.skipped
    if item_id:
        item_row = items.row(checked_id(item_id, path="item_id"))
        if item_row < 0 and item_id not in skipped:
            skipped = (*skipped, item_id)
    user_row = snapshot.users.row(user_id) if user_id and snapshot.users else PAD_ROW
    return RankContext.of(rows, item_row=item_row, user_row=user_row), skipped
