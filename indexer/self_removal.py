"""Answers without the item that asked."""

import numpy as np

from artifacts.arrays import IntVector
from artifacts.neighbors import Neighbors


def without_self(found: Neighbors, own: IntVector, k: int) -> Neighbors:
    """Return the k best of `found`, the asking item left out.

    Args:
        found: (q, k + 1) answers.
        own: (q,) int32, the row that asked; where it was not found, the last hit goes.
        k: neighbours wanted.
    """
    is_self = found.rows == own[:, np.newaxis]
    order = np.argsort(is_self, axis=1, kind="stable")[:, :k]  # moves the item itself to the end
    return Neighbors(
        rows=np.take_along_axis(found.rows, order, axis=1),
        scores=np.take_along_axis(found.scores, order, axis=1),
    )
