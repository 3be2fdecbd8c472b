"""How much a candidate is like what was visited, by space and relation."""

import numpy as np

from artifacts.arrays import FloatMatrix
from artifacts.embeddings import EmbeddingTable
from artifacts.ranker import FeatureSpec
from artifacts.relation import Relation
from artifacts.snapshot import Snapshot
from artifacts.user_space_layout import USER_SPACE
from retrieval.ranking.feature_input import FeatureInput
from retrieval.ranking.feature_kernels import similarities, weighted_mean

MEASURES = ("cosine", "product")
QUERIES = ("last", "before", "mean", "recent")
"""The last visited item, the one before it, the mean of all, and the mean in which they fade."""


class SimilarityFeatures:
    """Cosines and inner products of one space and relation.

    For alternatives visits count by the direction of their vectors alone, for continuations with
    their lengths, as when a session is searched for.

    Args:
        table: the space.
        relation: whose vectors candidates are compared by.
    """

    def __init__(self, table: EmbeddingTable, relation: Relation) -> None:
        stem = f"{table.space}.{relation.value}"
        self.specs = tuple(
            FeatureSpec(name=f"{stem}.{measure}_{query}")
            for measure in MEASURES
            for query in QUERIES
        )
        self._unit = relation is Relation.ALTERNATIVES
        # Plain arrays over the mapping: compiled kernels take them much faster than memmaps.
        self._rows = np.asarray(table.rows)
        self._inputs = np.asarray(table.vectors)
        self._targets = np.asarray(table.targets(relation))

    def fill(self, given: FeatureInput, out: FloatMatrix) -> None:
        """Write the cosines, then the products. Cost: O(n d)."""
        compared, recent = given.compared, given.recent
        table = (self._rows, self._inputs)
        queries = np.stack(
            [
                weighted_mean(*table, compared.rows[:1], compared.weights[:1], self._unit),
                weighted_mean(*table, compared.rows[1:2], compared.weights[1:2], self._unit),
                weighted_mean(*table, compared.rows, compared.weights, self._unit),
                weighted_mean(*table, recent.rows, recent.weights, self._unit),
            ]
        )
        similarities(self._rows, self._targets, given.rows, queries, out)


def similarity_blocks(snapshot: Snapshot) -> list[SimilarityFeatures]:
    """Return one block for each relation of each space that is not of shoppers."""
    return [
        SimilarityFeatures(table, relation)
        for name, table in sorted(snapshot.spaces.items())
        if name != USER_SPACE
        for relation in table.relations
    ]
