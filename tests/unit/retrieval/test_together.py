"""Batches that share searches find what each finds alone."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from artifacts.accuracy import Accuracy
from artifacts.errors import DeadlineError, UnsupportedError
from artifacts.relation import Relation
from indexer.backends import build_index
from indexer.index import Metric
from indexer.row_index import RowIndex
from indexer.space_index import SpaceIndex
from retrieval.answer import Answer, BatchAnswer, ShortfallReason
from retrieval.begun import Begun
from retrieval.candidates import Source
from retrieval.config import RetrievalConfig, ServingConfig
from retrieval.deadline import Deadline
from retrieval.queries import (
    AnswerOptions,
    CallOptions,
    FilterSpec,
    NearItem,
    NearItems,
    NeighborBatch,
    NeighborQuery,
    SimilarBatch,
    SimilarQuery,
)
from retrieval.recommender import Recommender
from retrieval.together import Member, finish_together
from tests.index_cases import CASES
from tests.shop import COLD, ITEMS, item_id

KINDS = ("exact", "annoy", "faiss cells", "faiss graph", "simhash")
PAST = Deadline(0.0, clock=lambda: 1.0)


@pytest.fixture(scope="module", params=KINDS)
def recommender(request, tiny_state) -> Recommender:
    """The shop, searched by another backend."""
    indices = dict(tiny_state.indices)
    for relation in Relation:
        index = indices["cf", relation]
        rows = index.parts["*"].rows
        targets = np.ascontiguousarray(tiny_state.snapshot.spaces["cf"].targets(relation))
        built = build_index(
            targets, Metric.of(relation), CASES[request.param].full, seed=0, threads=1
        )
        indices["cf", relation] = SpaceIndex("cf", relation, {"*": RowIndex(built, rows)})
    configs = RetrievalConfig(
        serving={
            "usual": ServingConfig(),
            "live": ServingConfig(sources=(Source.LIVE, Source.POPULAR)),
        }
    )
    return Recommender(replace(tiny_state, indices=indices), configs)


def begin(recommender: Recommender, batch: SimilarBatch | NeighborBatch) -> Begun:
    if isinstance(batch, SimilarBatch):
        return recommender.begin_similar(batch)
    return recommender.begin_neighbors(batch)


def member(begun: Begun, deadline: Deadline) -> Member:
    assert not isinstance(begun.run, UnsupportedError)
    return Member(begun.run, deadline)


def alone(recommender: Recommender, batch: SimilarBatch | NeighborBatch) -> BatchAnswer:
    begun = begin(recommender, batch)
    begun.finish(Deadline())
    return begun.answer()


def assert_same(found: BatchAnswer, expected: BatchAnswer) -> None:
    """Scores of one query and of many may differ in their last bits."""
    assert len(found.outcomes) == len(expected.outcomes)
    for one, other in zip(found.outcomes, expected.outcomes, strict=True):
        if not isinstance(other, Answer):
            assert str(one) == str(other)
            continue
        assert isinstance(one, Answer)
        assert [c.row for c in one.candidates] == [c.row for c in other.candidates]
        assert [c.source for c in one.candidates] == [c.source for c in other.candidates]
        scores = [c.score for c in one.candidates]
        assert scores == pytest.approx([c.score for c in other.candidates], rel=1e-5, abs=1e-6)
        assert one._replace(candidates=()) == other._replace(candidates=())


ids = st.integers(0, ITEMS - 1).map(item_id) | st.just("nobody")
filters = st.none() | st.builds(
    FilterSpec,
    excluded_ids=st.lists(ids, max_size=5),
    allowed_categories=st.sampled_from([(), ("Dairy",), ("Bakery", "Produce")]),
    min_similarity=st.none() | st.floats(-0.5, 0.9),
    price_band=st.none(),
    available_only=st.just(False),
    near_duplicates=st.none(),
)
options = st.builds(
    AnswerOptions,
    k=st.none() | st.sampled_from([1, 10, 17, 60]),
    filter=filters,
    accuracy=st.none() | st.sampled_from(list(Accuracy)),
    unknown_items=st.none(),
)
nears = st.builds(NearItem, ids) | st.builds(
    NearItems, st.lists(ids, min_size=2, max_size=2), st.just([1.0, -0.4])
)


def neighbor_batch(queries, defaults, relation, exact) -> NeighborBatch:
    return NeighborBatch(queries, defaults=defaults, relation=relation, exact=exact)


def similar_batch(queries, name, defaults) -> SimilarBatch:
    return SimilarBatch(queries, CallOptions(name), defaults)


neighbors = st.builds(
    neighbor_batch,
    st.lists(st.builds(NeighborQuery, nears, st.none() | options), min_size=1, max_size=3),
    options,
    st.none() | st.sampled_from(list(Relation)),
    st.booleans(),
)
similar = st.builds(
    similar_batch,
    st.lists(st.builds(SimilarQuery, ids, st.none(), st.none() | options), min_size=1, max_size=3),
    st.sampled_from(["usual", "live"]),
    options,
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(similar | neighbors, min_size=1, max_size=6))
def test_batches_together_find_what_each_finds_alone(recommender, batches):
    begun = [begin(recommender, batch) for batch in batches]
    members = [member(one, Deadline()) for one in begun]
    ended = dict(finish_together(members))
    assert ended == dict.fromkeys(range(len(batches)))
    for one, batch in zip(begun, batches, strict=True):
        assert_same(one.answer(), alone(recommender, batch))


def near(row: int, **fields: Any) -> NeighborBatch:
    return NeighborBatch([NeighborQuery(NearItem(item_id(row)))])._replace(**fields)


class Counting:
    """An index that counts how often it is asked, and of how much."""

    def __init__(self, index: SpaceIndex, *, fails_for: np.ndarray | None = None) -> None:
        self._index = index
        self._fails_for = fails_for
        self.asked: list[int] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._index, name)

    def search(self, queries, k, **options):
        self.asked.append(len(queries))
        if self._fails_for is not None and (queries == self._fails_for).all(axis=1).any():
            raise RuntimeError("the index broke")
        return self._index.search(queries, k, **options)


def counted(state, **fields) -> tuple[Recommender, Counting]:
    key = ("cf", Relation.ALTERNATIVES)
    index = Counting(state.indices[key], **fields)
    changed = replace(state, indices={**state.indices, key: index})
    return Recommender(changed, RetrievalConfig()), index


def test_equal_needs_share_one_call_of_the_index(tiny_state):
    recommender, index = counted(tiny_state)
    begun = [recommender.begin_neighbors(near(row)) for row in (0, 2, 3, 4)]
    dict(finish_together([member(one, Deadline()) for one in begun]))
    assert index.asked == [4]


def test_search_that_fails_takes_no_other_caller_with_it(tiny_state):
    broken = np.array(tiny_state.snapshot.spaces["cf"].vectors[2])  # of row 3: row 1 has none
    recommender, _ = counted(tiny_state, fails_for=broken)
    begun = [recommender.begin_neighbors(near(row)) for row in (0, 3, 4)]
    ended = dict(finish_together([member(one, Deadline()) for one in begun]))
    assert [type(ended[place]) for place in range(3)] == [type(None), RuntimeError, type(None)]
    for place, row in ((0, 0), (2, 4)):
        expected = Recommender(tiny_state, RetrievalConfig()).neighbors(near(row))
        assert_same(begun[place].answer(), expected)


def test_caller_who_has_gone_is_searched_for_no_more(tiny_state):
    recommender, index = counted(tiny_state)
    gone = Deadline()
    gone.cancel()
    begun = [recommender.begin_neighbors(near(row)) for row in (0, 2)]
    members = [member(begun[0], gone), member(begun[1], Deadline())]
    ended = dict(finish_together(members))
    assert isinstance(ended[0], DeadlineError)
    assert ended[1] is None
    assert index.asked == [1]


def test_partial_answer_of_one_does_not_make_the_others_partial(tiny_recommender):
    partly = near(0, call=CallOptions(allow_partial=True))
    begun = [tiny_recommender.begin_neighbors(batch) for batch in (partly, near(2))]
    members = [member(begun[0], PAST), member(begun[1], Deadline())]
    assert dict(finish_together(members)) == {0: None, 1: None}
    assert begun[0].answer().partial
    cut = begun[0].answer().outcomes[0]
    assert cut.shortfall is not None
    assert cut.shortfall.reason is ShortfallReason.DEADLINE
    assert not begun[1].answer().partial
    assert_same(begun[1].answer(), alone(tiny_recommender, near(2)))


def test_nothing_that_waits_ends_at_once(tiny_recommender):
    begun = tiny_recommender.begin_similar(SimilarBatch([SimilarQuery(COLD)]))
    assert list(finish_together([member(begun, PAST)])) == [(0, None)]
