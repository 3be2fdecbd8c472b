"""Predict the next item of a session by the vectors of all that was visited."""

import numpy as np
import scipy.sparse as sp

from artifacts.arrays import FloatMatrix, FloatVector, IntVector
from artifacts.embeddings import EmbeddingTable
from artifacts.ragged import Ragged
from artifacts.relation import Relation
from trainer.prefix_config import PrefixConfig
from trainer.scorers import NOT_A_CANDIDATE
from trainer.vsknn import known_positions


class PrefixScorer:
    """The weighted mean of the visited items' vectors asks, recent items weighing more.

    The score of candidate j is q . v_j + c ln n_j: q the mean of the input vectors, item at place p
    from the end weighing decay^p; v_j its output vector; n_j the training sessions that hold it.
    Where the space is scored in both directions, the mean of that and of the same with input and
    output exchanged. It is what a server answers by one search in an inner-product index.
    """

    def __init__(
        self, table: EmbeddingTable, counts: IntVector, config: PrefixConfig, name: str
    ) -> None:
        """Take the vectors of an asymmetric space and the sessions that hold each item."""
        self.name = name
        self.rows = table.rows
        outputs = table.targets(Relation.CONTINUATIONS)
        self._asking: FloatMatrix = np.asarray(table.vectors)
        self._asked: FloatMatrix = np.asarray(outputs)
        if config.symmetric:
            self._asking = np.hstack([table.vectors, outputs]) * np.float32(0.5)
            self._asked = np.hstack([outputs, table.vectors])
        self._config = config
        held = np.maximum(np.asarray(counts)[table.rows], 1)
        self._prior: FloatVector = (config.count_exponent * np.log(held)).astype(np.float32)

    def scores(self, prefixes: Ragged) -> FloatMatrix:
        """Return the scores; -inf for prefixes without a known item.

        Cost: O(prefixes * candidates * dimensions).
        """
        weights = self._weights(known_positions(prefixes, self.rows))
        scores: FloatMatrix = (weights @ self._asking) @ self._asked.T
        scores += self._prior
        scores[np.diff(weights.indptr) == 0] = NOT_A_CANDIDATE
        return scores

    def _weights(self, known: Ragged) -> "sp.csr_array[np.float32]":
        """Return (prefixes, n) how much each item counts; rows sum to 1, or are empty."""
        owner = np.repeat(np.arange(len(known)), known.lengths)
        ends = np.repeat(known.offsets[1:], known.lengths)
        place = ends - 1 - np.arange(len(known.values))  # from the end, 0 for the last
        near = place < self._config.last_items
        owner, place, items = owner[near], place[near], known.values[near]
        weights = np.power(self._config.decay, place, dtype=np.float32)
        sums = np.bincount(owner, weights=weights, minlength=len(known))
        weights = (weights / sums[owner]).astype(np.float32)
        shape = (len(known), len(self.rows))
        return sp.coo_array((weights, (owner, items)), shape=shape).tocsr()
