"""Exact search among the rows that a filter leaves."""

from collections.abc import Sequence

import numpy as np

from artifacts.arrays import IntVector
from artifacts.embeddings import EmbeddingTable
from indexer.index import Metric
from indexer.vector_store import VectorStore
from retrieval.answer import Stage
from retrieval.live_search import LiveSearch
from retrieval.scope import SearchScope


def search_exactly(
    table: EmbeddingTable, scope: SearchScope, searches: Sequence[LiveSearch]
) -> None:
    """Offer each collector the best of all rows that pass its filter.

    Args:
        table: the space.
        scope: the rows that may be found.
        searches: all of one relation and one filter; their collectors are filled in place.

    Cost: O(n) to judge, then O(m d) to bring the m rows that pass into order, q times.
    """
    rows = scope.rows
    relation = searches[0].index.relation
    verdicts = searches[0].collector.plan.filter.judge_statically(rows)
    passing = np.flatnonzero(verdicts == Stage.PASSED)
    for search in searches:
        search.collector.count_removed(verdicts, search.origin.source)
    if not len(passing):
        return
    targets = table.targets(relation)[scope.positions[passing]]
    store = VectorStore.of(np.ascontiguousarray(targets), Metric.of(relation))
    for search in searches:
        _rank(store, rows[passing], search)


def _rank(store: VectorStore, rows: IntVector, search: LiveSearch) -> None:
    """Offer the best of `rows`, the vectors of which are in `store`."""
    collector = search.collector
    k = wanted = collector.missing + search.spare
    if collector.band is not None:
        k = search.most
    elif collector.plan.filter.min_similarity is not None:
        k = len(rows)  # likeness has an order of its own, so that any of them may be removed
    k = min(k, len(rows))
    queries = store.normalised(np.ascontiguousarray(search.query.values[None, :]), k)
    best = store.rank_all(queries, k)
    found, scores = rows[best.rows[0]], best.scores[0]
    start, end = 0, k if collector.band is None else 2 * wanted
    while start < k and collector.missing > 0:
        chunk = slice(start, end)
        verdicts = search.judge(found[chunk])
        collector.take(found[chunk], scores[chunk], verdicts, search.origin, start)
        start, end = end, 3 * end
