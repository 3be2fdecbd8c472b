"""Count which items stand near each other in sessions, nearer pairs for more."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from artifacts.arrays import FloatVector, IntVector
from artifacts.ragged import Ragged


@dataclass(frozen=True, slots=True)
class PairCounts:
    """What stands near each of n items.

    Attributes:
        starts: (n + 1,) int64; the context of item i is at `starts[i]:starts[i + 1]`.
        columns: (m,) int32 context items, ascending within an item.
        shares: (m,) float32, they add up to 1 within an item.
        totals: (n,) float32 weight of all pairs of an item; 0 for one that never has a neighbour.
    """

    starts: NDArray[np.int64]
    columns: IntVector
    shares: FloatVector
    totals: FloatVector

    def __len__(self) -> int:
        return len(self.totals)

    def scaled(self, factors: FloatVector) -> "PairCounts":
        """Return the counts with every pair times the factors (n,) of both of its items."""
        items = np.repeat(np.arange(len(self)), np.diff(self.starts))
        counts = self.shares * (self.totals * factors)[items] * factors[self.columns]
        shape = (len(self), len(self))
        return _normalised(sp.csr_matrix((counts, self.columns, self.starts), shape=shape))


def count_pairs(
    lists: Ragged,
    items: int,
    *,
    window: int,
    distance_exponent: float,
    weights: FloatVector | None = None,
) -> PairCounts:
    """Count the pairs of every session, in both directions.

    A pair of one item with itself does not count: nobody is recommended what they look at. Where
    events weigh differently, a pair counts as the weaker of its two events.

    Args:
        lists: sessions of items 0 .. n - 1.
        items: n.
        window: greatest distance of a pair, >= 1.
        distance_exponent: a pair d places apart counts as d ** -distance_exponent.
        weights: (m,) float32, parallel to the values of `lists`; None weighs every event 1.

    Cost: O(tokens * window) time; memory of the different pairs, and of the tokens once more.
    """
    session = np.repeat(np.arange(len(lists)), lists.lengths)
    shape = (items, items)
    nothing = (np.empty(0, dtype=np.float32), (np.empty(0, np.int32), np.empty(0, np.int32)))
    near = sp.csr_matrix(nothing, shape=shape)
    reach = min(window, int(lists.lengths.max(initial=1)) - 1)
    for distance in range(1, reach + 1):
        left, right = lists.values[:-distance], lists.values[distance:]
        pairs = (session[:-distance] == session[distance:]) & (left != right)
        counts = np.full(int(pairs.sum()), distance**-distance_exponent, dtype=np.float32)
        if weights is not None:
            counts *= np.minimum(weights[:-distance], weights[distance:])[pairs]
        near = near + sp.csr_matrix((counts, (left[pairs], right[pairs])), shape=shape)
    return _normalised((near + near.T).tocsr())


def _normalised(near: "sp.csr_matrix[np.float32]") -> PairCounts:
    near.sort_indices()
    totals = np.asarray(near.sum(axis=1), dtype=np.float32).ravel()
    starts = near.indptr.astype(np.int64)
    return PairCounts(
        starts=starts,
        columns=near.indices.astype(np.int32),
        shares=(near.data / np.repeat(totals, np.diff(starts))).astype(np.float32),
        totals=totals,
    )
