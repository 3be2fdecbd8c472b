"""What comes next by the most similar recent sessions: VMIS-kNN."""

import numpy as np

from artifacts.arrays import FloatVector, IntVector
from artifacts.recent_sessions import RecentSessions
from retrieval.ranked_list import best_first
from retrieval.session_knn_config import SessionKnnConfig
from retrieval.session_knn_kernels import vmis_knn


def session_knn(
    table: RecentSessions, visited: IntVector, n: int, config: SessionKnnConfig
) -> tuple[IntVector, FloatVector]:
    """Return what sessions like this one hold, best first.

    The score of item i is the sum over the most similar sessions that hold it of lambda * r *
    ln(|H| / h_i) (Kersbergen, Sprangers, Schelter 2022, "Serenade", section 3): r, the similarity,
    adds place / length for each shared item; lambda falls linearly with the distance of the most
    recent shared item from the end; h_i of |H| sessions hold the item. Lambda is 1 - p / (L + 1) at
    place p from the end, L being `last_items`: the authors' 1 - 0.1 p where L is 9, and never
    negative where it is not.

    Args:
        table: recent sessions.
        visited: (m,) int32 vocabulary rows, most recent last; repeats allowed, rows that no session
            holds are passed over, negative ones too.
        n: items wanted.
        config: sample, neighbours, and how far to look back.

    Returns:
        (rows, scores): int32 and float32, at most n, ties by ascending row. The items visited may
        be among them; removing them is up to the caller's filter.

    Cost: O(sample * last_items + entries of the neighbours).
    """
    query, places, length = _distinct_from_end(visited, config.last_items)
    if not len(query):
        return np.empty(0, dtype=np.int32), np.empty(0, dtype=np.float32)
    items, scores = vmis_knn(
        table.item_sessions.offsets,
        table.item_sessions.values,
        table.session_items.offsets,
        table.session_items.values,
        table.support,
        table.total,
        query,
        (length - places) / length,
        1 - (places + 1) / (config.last_items + 1),
        config.sample,
        config.neighbors,
    )
    return best_first(items, scores, n)


def _distinct_from_end(visited: IntVector, most: int) -> tuple[IntVector, IntVector, int]:
    """Return the last distinct rows, most recent first, their places from the end, the length."""
    recent = visited[visited >= 0][-most:][::-1]
    rows, places = np.unique(recent, return_index=True)
    order = np.argsort(places)
    return rows[order].astype(np.int32), places[order].astype(np.int32), len(recent)
