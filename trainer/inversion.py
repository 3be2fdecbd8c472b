"""Which sessions hold an item."""

import numpy as np

from artifacts.ragged import Ragged
from trainer.inversion_kernels import count_sessions, fill_sessions


def sessions_by_item(sessions: Ragged, *, items: int) -> Ragged:
    """Return v lists of the numbers of the sessions that hold an item, ascending, each once.

    Args:
        sessions: s lists of vocabulary rows.
        items: v, the length of the vocabulary.

    Cost: O(m), two passes over the events.
    """
    counts = np.zeros(items, dtype=np.int32)
    count_sessions(sessions.offsets, sessions.values, counts)
    inverted = Ragged.of(counts, np.empty(int(counts.sum()), dtype=np.int32))
    fill_sessions(sessions.offsets, sessions.values, inverted.offsets, inverted.values)
    return inverted
