"""What recommendations as a whole are like: spread over the catalogue, and how unexpected."""

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import IntVector


def gini(listings: NDArray[np.int64], items: int) -> float:
    """Return the Gini coefficient of how often items are recommended.

    0 where every item stands in as many lists, towards 1 where one item stands in all of them
    (Adomavicius and Kwon 2012, section 5.4, turned so that 1 is the most unequal).

    Args:
        listings: (m,) lists that hold each candidate.
        items: v >= m; those that are no candidates stand in no list.
    """
    total = int(listings.sum())
    if not total:
        return 0.0
    ascending = np.sort(listings)
    ranks = np.arange(items - len(listings) + 1, items + 1)
    return float(((2 * ranks - items - 1) * ascending).sum() / (items * total))


def novelty(
    listings: NDArray[np.int64], rows: IntVector, popularity: IntVector, sessions: int
) -> float:
    """Return the mean self-information of recommended items, in bits.

    -log2 of the share of training sessions that hold the item (Zhou et al. 2010), over all places
    of all lists; an item of no session counts as if one held it.

    Args:
        listings: (m,) lists that hold each candidate.
        rows: (m,) vocabulary rows of the candidates.
        popularity: (v,) training sessions that hold each item.
        sessions: all training sessions.
    """
    total = int(listings.sum())
    if not total:
        return 0.0
    shares = np.maximum(np.asarray(popularity)[rows], 1) / max(sessions, 1)
    return float((listings * -np.log2(shares)).sum() / total)
