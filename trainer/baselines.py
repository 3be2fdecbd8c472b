"""Baselines from the literature that predict from one item: rules and item-kNN."""

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix, FloatVector, IntVector
from artifacts.ragged import Ragged
from trainer.scorers import NOT_A_CANDIDATE


class AssociationRuleScorer:
    """AR: pairs of places in training sessions that hold query and candidate.

    Reference: Ludewig and Jannach 2018, section 3.1. Rules are not pruned.
    """

    def __init__(self, sessions: Ragged, *, items: int, name: str = "AR") -> None:
        counts = _incidence(sessions, items)  # (sessions, items)
        self.name = name
        self.rows = _held(counts)
        self._counts = counts[:, self.rows].tocsr()
        self._by_item = counts.T.tocsr()

    def scores(self, queries: IntVector) -> FloatMatrix:
        """Return the pairs; -inf where there is none."""
        return _dense(self._by_item[queries] @ self._counts)


class ItemKnnScorer:
    """Item-kNN: cosine of the sets of training sessions that hold query and candidate.

    Reference: Sarwar et al. 2001, section 3.1.1, over sessions in place of users. It ranks like
    co-occurrence without smoothing.
    """

    def __init__(self, sessions: Ragged, *, items: int, name: str = "item-kNN") -> None:
        holds = _incidence(sessions, items)
        holds.data[:] = 1
        norms = np.sqrt(np.asarray(holds.sum(axis=0)).ravel())
        self.name = name
        self.rows = _held(holds)
        unit = holds @ sp.diags_array((1 / np.maximum(norms, 1)).astype(np.float32))
        self._unit = unit.tocsc()[:, self.rows].tocsr()
        self._by_item = unit.T.tocsr()

    def scores(self, queries: IntVector) -> FloatMatrix:
        """Return cosines; -inf where no session holds both."""
        return _dense(self._by_item[queries] @ self._unit)


class SequentialRuleScorer:
    """SR: steps from query to candidate in training sessions, near ones weighing more.

    A step over d places weighs 1 / d^2, which Ludewig et al. 2019 publish for diginetica. Reference:
    Ludewig and Jannach 2018, section 3.1. Rules are not pruned.
    """

    def __init__(self, sessions: Ragged, *, items: int, steps: int, name: str = "SR") -> None:
        self.name = name
        rules = _rules(sessions, items, steps)
        self.rows = np.unique(sessions.values).astype(np.int32)
        self._rules = rules[:, self.rows].tocsr()

    def scores(self, queries: IntVector) -> FloatMatrix:
        """Return the weights of the rules; -inf where there is none."""
        return _dense(self._rules[queries])


def step_weight(distance: int) -> float:
    """Return the weight of a rule over `distance` places: 1 / distance^2."""
    return 1.0 / distance**2


def _rules(sessions: Ragged, items: int, steps: int) -> "sp.csr_array[np.float32, tuple[int, int]]":
    session_of: NDArray[np.int64] = np.repeat(
        np.arange(len(sessions), dtype=np.int64), sessions.lengths
    )
    values = np.asarray(sessions.values)
    nowhere = np.empty(0, dtype=np.int64)
    nothing = (np.empty(0, dtype=np.float32), (nowhere, nowhere))
    rules = sp.coo_array(nothing, shape=(items, items)).tocsr()
    for distance in range(1, steps + 1):
        within = session_of[distance:] == session_of[:-distance]
        if not within.any():
            break
        pair = (values[:-distance][within], values[distance:][within])
        weights: FloatVector = np.full(len(pair[0]), step_weight(distance), dtype=np.float32)
        rules = rules + sp.coo_array((weights, pair), shape=(items, items)).tocsr()
    return rules


def _incidence(sessions: Ragged, items: int) -> "sp.csr_array[np.float32, tuple[int, int]]":
    """Return how often each session holds each item."""
    values: IntVector = np.array(sessions.values)
    ones = np.ones(len(values), dtype=np.float32)
    counts = sp.csr_array((ones, values, np.array(sessions.offsets)), shape=(len(sessions), items))
    counts.sum_duplicates()
    return counts


def _held(counts: "sp.csr_array[np.float32, tuple[int, int]]") -> IntVector:
    return np.unique(counts.indices).astype(np.int32)


def _dense(scores: "sp.csr_array[np.float32, tuple[int, int]]") -> FloatMatrix:
    dense: FloatMatrix = scores.toarray()
    dense[dense == 0] = NOT_A_CANDIDATE
    return dense
