"""Exact search among the rows that a filter leaves."""

from collections.abc import Sequence

import numpy as np

from artifacts.arrays import IntVector
from artifacts.embeddings import EmbeddingTable
from artifacts.relation import Relation
from indexer.index import Metric
from indexer.vector_store import VectorStore
from retrieval.answer import Stage
from retrieval.candidates import Source
from retrieval.collector import Collector
from retrieval.scope import SearchScope


def search_exactly(
    table: EmbeddingTable,
    relation: Relation,
    scope: SearchScope,
    collectors: Sequence[Collector],
) -> None:
    """Offer each collector the best of all rows that pass its filter.

    Args:
        table: the space.
        relation: what is searched.
        scope: the rows that may be found.
        collectors: all of one filter, each with a query; filled in place.

    Cost: O(n) to judge, then O(m d) to bring the m rows that pass into order, q times.
    """
    rows = scope.rows
    verdicts = collectors[0].plan.filter.judge_statically(rows)
    passing = np.flatnonzero(verdicts == Stage.PASSED)
    for collector in collectors:
        collector.count_removed(verdicts, Source.LIVE)
    if not len(passing):
        return
    targets = table.targets(relation)[scope.positions[passing]]
    store = VectorStore.of(np.ascontiguousarray(targets), Metric.of(relation))
    for collector in collectors:
        _rank(store, rows[passing], relation, collector)


def _rank(store: VectorStore, rows: IntVector, relation: Relation, collector: Collector) -> None:
    """Offer the best of `rows`, the vectors of which are in `store`."""
    assert collector.query is not None, "bug: a search without a query vector"
    if collector.plan.filter.min_similarity is None:
        k = min(collector.missing + collector.spare, len(rows))
    else:
        k = len(rows)  # likeness has an order of its own, so that any of them may be removed
    queries = store.normalised(np.ascontiguousarray(collector.query.values[None, :]), k)
    best = store.rank_all(queries, k)
    found = rows[best.rows[0]]
    collector.take(found, best.scores[0], collector.judge(found), Source.LIVE, relation.score_kind)
