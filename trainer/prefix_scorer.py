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
        known = known_positions(prefixes, self.rows)
        weights = prefix_weights(known, len(self.rows), self._config)
        scores: FloatMatrix = (weights @ self._asking) @ self._asked.T
        scores += self._prior
        scores[np.diff(weights.indptr) == 0] = NOT_A_CANDIDATE
        return scores


def prefix_weights(known: Ragged, items: int, config: PrefixConfig) -> "sp.csr_array[np.float32]":
    """Return (prefixes, items) how much each item counts; rows sum to 1, or are empty.

    Args:
        known: prefixes of items 0 .. items - 1, oldest first.
        items: how many there are.
        config: `decay` and `last_items`.
    """
    owner = np.repeat(np.arange(len(known)), known.lengths)
    ends = np.repeat(known.offsets[1:], known.lengths)
    place = ends - 1 - np.arange(len(known.values))  # from the end, 0 for the last
    near = place < config.last_items
    owner, place, visited = owner[near], place[near], known.values[near]
    weights = np.power(config.decay, place, dtype=np.float32)
    sums = np.bincount(owner, weights=weights, minlength=len(known))
    weights = (weights / sums[owner]).astype(np.float32)
    return sp.coo_array((weights, (owner, visited)), shape=(len(known), items)).tocsr()
