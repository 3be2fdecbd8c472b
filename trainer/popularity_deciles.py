"""Tenths of the items by popularity."""

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import IntVector

DECILES = 10


def popularity_deciles(popularity: IntVector) -> NDArray[np.int64]:
    """Return the tenth of each item, 0 for the least popular, -1 where no session holds it.

    The known items are cut into ten parts as equal as may be; of items equally popular the one
    with the lower row stands first.
    """
    popularity = np.asarray(popularity)
    known = np.flatnonzero(popularity > 0)
    order = known[np.argsort(popularity[known], kind="stable")]
    deciles = np.full(len(popularity), -1, dtype=np.int64)
    deciles[order] = np.arange(len(order)) * DECILES // max(len(order), 1)
    return deciles
