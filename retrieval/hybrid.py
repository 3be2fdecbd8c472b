"""The hybrid fallback: the collaborative list of the popular items most alike in content."""

import numpy as np

from artifacts.arrays import FloatVector, IntVector, unit_rows
from artifacts.neighbors import PAD_ROW
from artifacts.relation import Relation
from retrieval.anchors import Lending
from retrieval.answer import Stage
from retrieval.candidates import Origin, Source
from retrieval.collector import Collector
from retrieval.live_search import LiveSearch, Target
from retrieval.query_vector import QueryVector
from retrieval.state import ServingState


def offer_borrowed(
    state: ServingState, lending: Lending, relation: Relation, collector: Collector
) -> LiveSearch | None:
    """Offer what the anchors have, or return the search that is needed for it.

    A single anchor lends its precomputed list as it stands. Where that does not fill the answer, and
    where there are several anchors, neighbours of the anchors' mean vector are searched, weighted by
    likeness; the nearest anchor is named as the one they come from.

    Args:
        state: a snapshot with anchors.
        lending: at least one anchor.
        relation: what is borrowed.
        collector: takes the candidates.
    """
    space = state.lists_space
    nearest, similarity = int(lending.rows[0]), float(lending.similarities[0])
    origin = Origin(Source.HYBRID, relation.score_kind, nearest, similarity)
    index = state.indices.get((space, relation))
    # No likeness to a product without a collaborative vector can be told, so no search would help.
    blind = collector.query is None and collector.plan.filter.min_similarity is not None
    if len(lending.rows) == 1:
        rows, scores = _list(state, space, relation, nearest)
        asking = _asking(state, lending, relation) if collector.band is not None else None
        verdicts = collector.judge(rows, asking=asking)
        enough = np.count_nonzero(verdicts == Stage.PASSED) >= collector.missing
        if enough or blind or index is None:
            collector.take(rows, scores, verdicts, origin)
            return None
    if index is None:
        return None
    own = (nearest,) if len(lending.rows) == 1 else ()
    search = LiveSearch(
        collector,
        index,
        target=Target(_asking(state, lending, relation), origin, own),
        own_category=state.snapshot.catalog.category(nearest),
    )
    return None if search.done else search


def _list(
    state: ServingState, space: str, relation: Relation, anchor: int
) -> tuple[IntVector, FloatVector]:
    """Return the precomputed list of an anchor, without padding; empty if there is none."""
    table = state.snapshot.neighbors.get((space, relation))
    found = table.lookup(anchor) if table is not None else None
    if found is None:
        return np.empty(0, dtype=np.int32), np.empty(0, dtype=np.float32)
    rows, scores = np.asarray(found[0]), np.asarray(found[1])
    present = rows != PAD_ROW
    return rows[present], scores[present]


def _asking(state: ServingState, lending: Lending, relation: Relation) -> QueryVector:
    """Return the mean of the anchors' vectors, weighted by likeness.

    An inner product with the mean is the mean of the inner products, so this ranks as the lists
    mixed by score would; for alternatives the vectors count by direction alone, as cosines do.
    """
    table = state.snapshot.spaces[state.lists_space]
    vectors = np.asarray(table.vectors[table.positions(lending.rows)])
    if relation is Relation.ALTERNATIVES:
        vectors = unit_rows(vectors)
    weights = lending.similarities.astype(np.float64)
    mean: FloatVector = ((weights / weights.sum()) @ vectors).astype(np.float32)
    return QueryVector(mean, table)
