"""What the cold-start simulator measures is what is served."""

import numpy as np
import pytest

from artifacts.relation import Relation
from cli.cold_scorers import ColdWorld, Hybrid, HybridThresholds
from indexer.anchors_config import AnchorsConfig
from retrieval.answer import Answer
from retrieval.candidates import Source
from retrieval.config import RetrievalConfig
from retrieval.queries import SimilarBatch, SimilarQuery
from retrieval.recommender import Recommender
from retrieval.state import load_state
from tests.shop import ITEMS, MIN_SESSIONS, build_shop, item_id

COLD_ROWS = range(1, ITEMS, 10)
CHOICES = [
    HybridThresholds(min_sessions=MIN_SESSIONS),
    HybridThresholds(min_sessions=MIN_SESSIONS, anchors=3),
    HybridThresholds(min_sessions=MIN_SESSIONS, anchors=5, min_similarity=0.6),
    HybridThresholds(min_sessions=MIN_SESSIONS, anchors=2, categories={"Dairy": 0.9}),
]


@pytest.mark.parametrize("thresholds", CHOICES, ids=["one", "three", "near", "by category"])
def test_served_hybrid_ranks_as_the_simulated_one(tmp_path, thresholds):
    own = {name: {"min_similarity": least} for name, least in thresholds.categories.items()}
    settings = AnchorsConfig.model_validate(
        thresholds.model_dump() | {"per_category": False, "categories": own}
    )
    state = load_state(build_shop(tmp_path, settings).current(hint="build_shop"))
    world = ColdWorld(
        cf=state.snapshot.spaces["cf"],
        content=state.snapshot.spaces["content"],
        counts=np.asarray(state.snapshot.catalog.popularity),
        categories=np.asarray(state.snapshot.catalog.category_codes),
        names=state.snapshot.catalog.categories,
    )
    simulated = Hybrid(world, thresholds).scores(np.array(COLD_ROWS, dtype=np.int32))
    queries = [SimilarQuery(item_id(row)) for row in COLD_ROWS]
    batch = SimilarBatch(queries, relation=Relation.CONTINUATIONS, sources=[Source.HYBRID])
    outcomes = Recommender(state, RetrievalConfig()).similar(batch).outcomes
    borrowed = 0
    for row, scores, answer in zip(COLD_ROWS, simulated, outcomes, strict=True):
        assert isinstance(answer, Answer)
        if answer.unused_anchor is not None:
            assert answer.candidates == []
            np.testing.assert_array_equal(scores, world.popular(np.array([row], np.int32))[0])
            continue
        best = world.rows[np.argsort(-scores, kind="stable")][:10]
        assert [candidate.row for candidate in answer.candidates] == best.tolist()
        borrowed += 1
    assert borrowed >= len(COLD_ROWS) // 3
