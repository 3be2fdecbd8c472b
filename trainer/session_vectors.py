"""Predict the next item of a session by the training sessions whose vectors are most alike."""

import numpy as np
import scipy.sparse as sp

from artifacts.arrays import FloatMatrix, IntVector, unit_rows
from artifacts.embeddings import EmbeddingTable
from artifacts.ragged import Ragged
from trainer.prefix_config import PrefixConfig
from trainer.prefix_scorer import PrefixScorer, prefix_weights
from trainer.vsknn import known_positions


class SessionVectorsScorer:
    """Votes of the sessions that are near by their vectors, beside what the items' vectors say.

    The vector of a training session is the mean of the unit vectors of its items, that of a prefix
    the same with recent items weighing more. The `neighbors` sessions of the greatest cosine vote
    for their items, each by cosine ^ `sharpness` and with 1 + idf of the item, as in VSKNN (Ludewig
    and Jannach 2018, section 3.2), which compares sessions by the items that they share instead.
    The score is the softmax of what `PrefixScorer` says plus `votes` times the share of the votes.
    Both halves are answers of a search for nearest vectors.
    """

    def __init__(
        self,
        table: EmbeddingTable,
        counts: IntVector,
        sessions: Ragged,
        config: PrefixConfig,
        name: str,
    ) -> None:
        """Embed the training sessions.

        Args:
            table: vectors of an asymmetric space.
            counts: (v,) training sessions that hold each item.
            sessions: the training sessions, of vocabulary rows.
            config: every knob.
            name: of the method in reports.

        Cost: O(events * dimensions) time, sessions * dimensions * 4 bytes.
        """
        self.name = name
        self.rows = table.rows
        self._config = config
        self._prefix = PrefixScorer(table, counts, config, name)
        self._unit = unit_rows(table.vectors)
        known = known_positions(sessions, table.rows)
        holds = _incidence(known.take(np.flatnonzero(known.lengths)), len(table.rows))
        self._sessions: FloatMatrix = unit_rows(holds @ self._unit)  # (s, d)
        occurrences = np.maximum(np.asarray(holds.sum(axis=0)).ravel(), 1)
        boosts = (1 + np.log(max(len(sessions), 1) / occurrences)).astype(np.float32)
        self._votes = (holds @ sp.diags_array(boosts)).tocsr()  # (s, n)

    def scores(self, prefixes: Ragged) -> FloatMatrix:
        """Return the scores; -inf for prefixes without a known item.

        Cost: O(prefixes * (candidates + sessions) * dimensions).
        """
        scores = self._prefix.scores(prefixes)
        asked = np.isfinite(scores).any(axis=1)
        known = known_positions(prefixes, self.rows).take(np.flatnonzero(asked))
        shares = scores[asked]
        shares -= shares.max(axis=1, keepdims=True)
        np.exp(shares, out=shares)
        shares /= shares.sum(axis=1, keepdims=True)
        scores[asked] = shares + self._config.votes * self._shares_of_votes(known)
        return scores

    def _shares_of_votes(self, known: Ragged) -> FloatMatrix:
        weights = prefix_weights(known, len(self.rows), self._config)
        cosines = unit_rows(weights @ self._unit) @ self._sessions.T  # (p, s)
        voting = min(self._config.neighbors, cosines.shape[1])
        if not voting:
            return np.zeros((len(known), len(self.rows)), dtype=np.float32)
        nearest = np.argpartition(-cosines, voting - 1, axis=1)[:, :voting]
        near = np.maximum(np.take_along_axis(cosines, nearest, axis=1), 0) ** self._config.sharpness
        asking = np.repeat(np.arange(len(known)), voting)
        votes = sp.coo_array((near.ravel(), (asking, nearest.ravel())), shape=cosines.shape)
        shares: FloatMatrix = (votes.tocsr() @ self._votes).toarray()
        sums = shares.sum(axis=1, keepdims=True)
        np.divide(shares, sums, out=shares, where=sums > 0)
        return shares


def _incidence(lists: Ragged, items: int) -> "sp.csr_array[np.float32]":
    """Return (lists, items) 1 where a list holds an item."""
    owner = np.repeat(np.arange(len(lists)), lists.lengths)
    ones = np.ones(len(owner), dtype=np.float32)
    holds = sp.coo_array((ones, (owner, lists.values)), shape=(len(lists), items)).tocsr()
    holds.data[:] = 1
    return holds
