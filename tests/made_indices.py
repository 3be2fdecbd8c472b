"""Indices of a table in memory."""

import numpy as np

from artifacts.catalog import Catalog
from artifacts.embeddings import EmbeddingTable
from artifacts.relation import Relation
from indexer.backends import build_index
from indexer.categories import partition
from indexer.config import BackendConfig, ExactConfig
from indexer.index import Metric
from indexer.row_index import RowIndex
from indexer.space_index import SpaceIndex

EXACT = ExactConfig()


def made_space_index(
    table: EmbeddingTable,
    relation: Relation,
    catalog: Catalog,
    *,
    per_category: bool,
    backend: BackendConfig = EXACT,
) -> SpaceIndex:
    """Index a space, exactly unless told otherwise."""
    parts = {}
    for part in partition(table, catalog, per_category=per_category).parts:
        vectors = np.ascontiguousarray(table.targets(relation)[part.positions])
        index = build_index(vectors, Metric.of(relation), backend, seed=0, threads=1)
        parts[part.category] = RowIndex(index, table.rows[part.positions])
    return SpaceIndex("cf", relation, parts)
