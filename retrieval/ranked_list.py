"""Items ranked by one source, before anything is left out."""

from typing import NamedTuple

import numpy as np

from artifacts.arrays import FloatVector, IntVector
from artifacts.relation import ScoreKind
from indexer.rescoring_kernels import kth_largest
from retrieval.candidates import Source


class RankedList(NamedTuple):
    """What a source proposes, best first, ties by ascending row."""

    rows: IntVector
    """(m,) int32 vocabulary rows, each once."""
    scores: FloatVector
    """(m,) float32, higher is better."""
    source: Source
    kind: ScoreKind
    """What the scores mean."""


def best_first(rows: IntVector, scores: FloatVector, n: int) -> tuple[IntVector, FloatVector]:
    """Return the n best of m distinct rows, ties by ascending row. Cost: O(m + n log n)."""
    kept = scores >= kth_largest(scores, n)
    rows, scores = rows[kept], scores[kept]
    order = np.lexsort((rows, -scores))[:n]
    return rows[order], scores[order]
