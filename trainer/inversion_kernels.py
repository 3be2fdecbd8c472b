"""Turns lists of items by session into lists of sessions by item."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from artifacts.arrays import IntVector


@njit(nogil=True, cache=True)
def count_sessions(offsets: NDArray[np.int64], items: IntVector, counts: IntVector) -> None:
    """Count the sessions that hold each item.

    Args:
        offsets: (s + 1,) int64 of the lists of items.
        items: (m,) int32 vocabulary rows; an item may occur in a session several times.
        counts: (v,) int32 zeros, filled.
    """
    last = np.full(counts.shape[0], -1, dtype=np.int64)
    for session in range(offsets.shape[0] - 1):
        for place in range(offsets[session], offsets[session + 1]):
            item = items[place]
            if last[item] != session:
                last[item] = session
                counts[item] += 1


@njit(nogil=True, cache=True)
def fill_sessions(
    offsets: NDArray[np.int64],
    items: IntVector,
    starts: NDArray[np.int64],
    sessions: IntVector,
) -> None:
    """Write the sessions that hold each item, ascending.

    Args:
        offsets: (s + 1,) int64 of the lists of items.
        items: (m,) int32 vocabulary rows.
        starts: (v + 1,) int64, where the list of each item begins.
        sessions: (starts[v],) int32, filled.
    """
    ends = starts[:-1].copy()
    for session in range(offsets.shape[0] - 1):
        for place in range(offsets[session], offsets[session + 1]):
            item = items[place]
            # The last session written for the item is this one if it holds the item twice.
            if ends[item] > starts[item] and sessions[ends[item] - 1] == session:
                continue
            sessions[ends[item]] = session
            ends[item] += 1
