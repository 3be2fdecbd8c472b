"""Exact top items of many users at once."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from artifacts.arrays import FloatMatrix, IntVector
from artifacts.embeddings import EmbeddingTable
from artifacts.neighbors import PAD_ROW, Neighbors
from indexer.vector_store import UNIT_ROUNDOFF
from retrieval.campaign_config import CampaignConfig
from retrieval.campaign_kernels import rank_allowed
from retrieval.user_space import UserSpace

MEGABYTE = 1 << 20
MIN_USERS_PER_TASK = 4


@dataclass(frozen=True, slots=True)
class CampaignRanking:
    """Ranks the items that a campaign may show.

    Attributes:
        space: users and what they took.
        allowed: factors of the items that may be shown.
        longest: length of the longest of them.
        config: every knob.
    """

    space: UserSpace
    allowed: EmbeddingTable
    longest: float
    config: CampaignConfig

    @classmethod
    def of(cls, space: UserSpace, denied: IntVector, config: CampaignConfig) -> "CampaignRanking":
        """Leave out the `denied` vocabulary rows, of which the space need not know any."""
        kept = np.flatnonzero(~np.isin(space.items.rows, denied))
        factors = np.ascontiguousarray(space.factors[kept])
        allowed = EmbeddingTable(space.items.space, space.items.rows[kept], factors)
        longest = float(np.linalg.norm(factors, axis=1).max(initial=0.0))
        return cls(space, allowed, longest, config)

    @property
    def _threads(self) -> int:
        return self.config.threads or os.cpu_count() or 1

    def blocks(self, users: IntVector) -> Iterator[tuple[IntVector, Neighbors]]:
        """Give (users, their best vocabulary rows) in blocks, in the order of `users`.

        Scores are exact inner products, the same to the last bit as those of any index.

        Args:
            users: rows of the user table.

        Cost: O(u n d); memory `block_mb`.
        """
        size = max(self.config.block_mb * MEGABYTE // (4 * max(len(self.allowed), 1)), 1)
        # One buffer for all blocks: fresh memory costs more in page faults than the product itself.
        buffer = np.empty((min(size, len(users)), len(self.allowed)), dtype=np.float32)
        with ThreadPoolExecutor(self._threads) as pool:
            for start in range(0, len(users), size):
                block = users[start : start + size]
                yield block, self._rank(block, buffer[: len(block)], pool)

    def _rank(
        self, users: IntVector, estimates: FloatMatrix, pool: ThreadPoolExecutor
    ) -> Neighbors:
        """Return the best of a block; `estimates` is a buffer to be overwritten."""
        vectors = np.ascontiguousarray(self.space.users.vectors[users], dtype=np.float32)
        best = Neighbors.empty(len(users), self.config.k)
        self._estimate(users, vectors, estimates)
        lengths = np.linalg.norm(vectors, axis=1)
        # Twice the error bound of a float32 inner product (Higham 2002, section 3.1).
        tolerances = 4 * vectors.shape[1] * UNIT_ROUNDOFF * self.longest * lengths
        tasks = max(min(self._threads, len(users) // MIN_USERS_PER_TASK), 1)
        cuts = np.linspace(0, len(users), tasks + 1).astype(int)
        arrays = (vectors, estimates, tolerances.astype(np.float32), best.rows, best.scores)
        parts = [[array[a:b] for array in arrays] for a, b in pairwise(cuts)]
        list(pool.map(lambda part: rank_allowed(self.allowed.vectors, *part), parts))
        found = best.rows != PAD_ROW
        best.rows[found] = self.allowed.rows[best.rows[found]]
        return best

    def _estimate(self, users: IntVector, vectors: FloatMatrix, out: FloatMatrix) -> None:
        """Fill (u, n) scores, -inf for what a user took."""
        np.matmul(vectors, self.allowed.vectors.T, out=out)
        if self.config.exclude_taken:
            history = self.space.users.history
            lines = np.repeat(np.arange(len(users)), history.lengths_of(users))
            places = self.allowed.positions(history.take(users).values)
            shown = places >= 0
            out[lines[shown], places[shown]] = -np.inf
