"""What a server says is what retrieval says, and retrieval agrees with exact search."""

from collections.abc import Collection
from typing import Any, TypeAlias

import numpy as np
import pytest

from artifacts.arrays import FloatVector
from artifacts.relation import Relation
from retrieval import queries
from retrieval.answer import Answer
from retrieval.candidates import Source
from retrieval.queries import (
    AnswerOptions,
    SimilarBatch,
    SimilarQuery,
)
from retrieval.state import ServingState
from shelfmate.client import (
    Access,
    AsyncClient,
    CallError,
    EntryError,
    NewItem,
    Options,
    Recommendations,
)
from tests.shop import COLD, DIM, TABLE_K, item_id

Triple: TypeAlias = tuple[str, Any, str]


def pairs(answer: Answer, state: ServingState) -> list[Triple]:
    """(id, score, source) of a domain answer."""
    return [
        (state.snapshot.items.id(c.row), pytest.approx(c.score), c.source.value)
        for c in answer.candidates
    ]


def triples(outcome: Recommendations | EntryError) -> list[Triple]:
    assert isinstance(outcome, Recommendations), outcome
    return [(item.item_id, item.score, item.source) for item in outcome.items]


def exact_ids(
    state: ServingState,
    space: str,
    relation: Relation,
    query: FloatVector,
    k: int,
    *,
    without: Collection[int] = (),
) -> list[str]:
    """Ids by a plain numpy search."""
    table = state.snapshot.spaces[space]
    targets = np.array(table.targets(relation), dtype=np.float64)
    asked = np.array(query, dtype=np.float64)
    if relation is Relation.ALTERNATIVES:
        targets /= np.linalg.norm(targets, axis=1, keepdims=True)
        asked /= np.linalg.norm(asked)
    scores = targets @ asked
    order = [p for p in np.argsort(-scores, kind="stable") if table.rows[p] not in without]
    return [state.snapshot.items.id(int(table.rows[p])) for p in order[:k]]


def vector_of(state: ServingState, space: str, row: int) -> FloatVector:
    table = state.snapshot.spaces[space]
    return np.array(table.vectors[table.positions(np.array([row], dtype=np.int32))[0]])


def test_similar_answers_equal_retrieval(client, tiny_recommender, tiny_state):
    rows = [0, 1, 2, 15, 101, 239]
    served = client.similar([item_id(row) for row in rows], Options(k=30))
    batch = SimilarBatch([SimilarQuery(item_id(row)) for row in rows], defaults=AnswerOptions(k=30))
    expected = tiny_recommender.similar(batch)
    assert served.snapshot_id == tiny_state.snapshot.id
    assert served.serving_config == "offer_page"
    for outcome, answer in zip(served.outcomes, expected.outcomes, strict=True):
        assert triples(outcome) == pairs(answer, tiny_state)


@pytest.mark.parametrize("relation", list(Relation))
def test_precomputed_answers_are_the_exact_neighbours(client, tiny_state, relation):
    answer = client.similar([item_id(20)], Options(k=10, relation=relation.value))
    query = vector_of(tiny_state, "cf", 20)
    expected = exact_ids(tiny_state, "cf", relation, query, 10, without=(20,))
    assert answer.outcomes[0].item_ids == expected
    assert {item.source for item in answer.outcomes[0].items} == {"precomputed"}
    kinds = {item.score_kind for item in answer.outcomes[0].items}
    assert kinds == {relation.score_kind.value}


def test_live_search_goes_on_where_the_precomputed_list_ends(client, tiny_state):
    answer = client.similar([item_id(20)], Options(k=50))
    query = vector_of(tiny_state, "cf", 20)
    expected = exact_ids(tiny_state, "cf", Relation.ALTERNATIVES, query, 50, without=(20,))
    assert answer.outcomes[0].item_ids == expected
    sources = [item.source for item in answer.outcomes[0].items]
    assert sources == ["precomputed"] * TABLE_K + ["live"] * (50 - TABLE_K)


@pytest.mark.parametrize("source", ["co_occurrence", "session_knn"])
def test_sources_of_sessions_are_asked_by_name(client, tiny_recommender, tiny_state, source):
    rows = [0, 3, 41]
    queries = [SimilarQuery(item_id(row)) for row in rows]
    served = client.similar([item_id(row) for row in rows], sources=[source])
    expected = tiny_recommender.similar(SimilarBatch(queries, sources=[Source(source)]))
    kind = "session_weight" if source == "session_knn" else source
    for outcome, answer in zip(served.outcomes, expected.outcomes, strict=True):
        assert triples(outcome) == pairs(answer, tiny_state)
        assert {(item.source, item.score_kind) for item in outcome.items} == {(source, kind)}


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("relation", list(Relation))
def test_vector_search_is_exact_over_an_exact_index(client, tiny_state, exact, relation):
    query = np.random.default_rng(4).standard_normal(DIM).astype(np.float32)
    answer = client.neighbors([query.tolist()], Options(k=7, relation=relation.value), exact=exact)
    assert answer.outcomes[0].item_ids == exact_ids(tiny_state, "cf", relation, query, 7)


def test_weighted_items_search_near_their_mean_and_leave_themselves_out(client, tiny_state):
    answer = client.neighbors([{item_id(2): 1.0, item_id(3): -0.5}], Options(k=7))
    mean = vector_of(tiny_state, "cf", 2) - 0.5 * vector_of(tiny_state, "cf", 3)
    expected = exact_ids(tiny_state, "cf", Relation.ALTERNATIVES, mean, 7, without=(2, 3))
    assert answer.outcomes[0].item_ids == expected


def test_neighbors_in_a_space_cut_by_category_merge_over_all_of_them(client, tiny_state):
    answer = client.neighbors([item_id(4)], Options(k=12), space="content")
    query = vector_of(tiny_state, "content", 4)
    expected = exact_ids(tiny_state, "content", Relation.ALTERNATIVES, query, 12, without=(4,))
    assert answer.outcomes[0].item_ids == expected


def test_filtered_search_is_exact_search_among_what_passes(client, tiny_state):
    options = Options(k=9, allowed_categories=["Dairy"], max_price=5.0)
    answer = client.neighbors([item_id(4)], options).outcomes[0]
    catalog = tiny_state.snapshot.catalog
    barred = {
        row
        for row in range(len(catalog))
        if catalog.category(row) != "Dairy" or not catalog.prices[row] <= 5
    }
    query = vector_of(tiny_state, "cf", 4)
    expected = exact_ids(tiny_state, "cf", Relation.ALTERNATIVES, query, 9, without=barred | {4})
    assert answer.item_ids == expected


def test_unknown_items_follow_the_policy(client):
    ids = [item_id(0), "nowhere"]
    failed = client.similar(ids, Options(unknown_items="fail")).outcomes[1]
    assert isinstance(failed, EntryError)
    assert (failed.code, failed.reason) == ("NOT_FOUND", "UNKNOWN_ITEM")
    assert failed.field == "requests[1].item_id"
    skipped = client.similar(ids, Options(unknown_items="skip")).outcomes[1]
    assert skipped.items == ()
    assert skipped.shortfall == "all_skipped"
    assert skipped.skipped_item_ids == ("nowhere",)
    fallen = client.similar(ids, Options(k=3)).outcomes[1]
    assert fallen.item_ids == [item_id(0), item_id(1), item_id(2)]
    assert fallen.skipped_item_ids == ("nowhere",)
    assert {item.source for item in fallen.items} == {"popular"}


def test_new_item_falls_back_to_its_category(client):
    answer = client.similar(
        ["new"], Options(k=3), new_items={"new": NewItem(category_path="Dairy > Milk")}
    ).outcomes[0]
    assert answer.item_ids == [item_id(1), item_id(5), item_id(9)]


def test_cold_item_is_answered_by_what_is_popular_in_its_category(client):
    answer = client.similar([COLD], Options(k=3)).outcomes[0]
    assert answer.item_ids == [item_id(5), item_id(9), item_id(13)]
    assert {item.score_kind for item in answer.items} == {"count"}


def test_hybrid_names_its_anchor_and_how_alike_it_is(client, tiny_recommender):
    answer = client.similar([COLD], sources=["hybrid", "popular"]).outcomes[0]
    batch = SimilarBatch([SimilarQuery(COLD)], sources=[Source.HYBRID, Source.POPULAR])
    (expected,) = tiny_recommender.similar(batch).outcomes
    assert triples(answer) == pairs(expected, tiny_recommender.state)
    anchor = expected.candidates[0]
    assert {item.anchor_item_id for item in answer.items} == {item_id(anchor.anchor)}
    for item in answer.items:
        assert item.anchor_similarity == pytest.approx(anchor.anchor_similarity)
    assert answer.unused_anchor is None


def test_products_newer_than_the_snapshot_borrow_by_their_text(client, tiny_recommender):
    new = {"title": "A title of a new shelf", "category_path": "Dairy > Shelf"}
    texts = {"new": NewItem(**new)}
    answer = client.similar(["new"], sources=["hybrid"], new_items=texts).outcomes[0]
    query = SimilarQuery("new", queries.NewItem(**new))
    (expected,) = tiny_recommender.similar(SimilarBatch([query], sources=[Source.HYBRID])).outcomes
    assert triples(answer) == pairs(expected, tiny_recommender.state)
    assert len(answer.items) == 10
    assert answer.skipped_item_ids == ("new",)


def test_hybrid_that_borrows_nothing_says_why(client, tiny_recommender):
    far = item_id(11)
    filled, alone = (
        client.similar([far], sources=sources).outcomes[0]
        for sources in (["hybrid", "popular"], ["hybrid"])
    )
    assert {item.source for item in filled.items} == {"popular"}
    assert (alone.items, alone.shortfall) == ((), "exhausted")
    (expected,) = tiny_recommender.similar(
        SimilarBatch([SimilarQuery(far)], sources=[Source.HYBRID])
    ).outcomes
    row, similarity = expected.unused_anchor.row, expected.unused_anchor.similarity
    for answer in (filled, alone):
        unused = answer.unused_anchor
        assert (unused.min_similarity, unused.item_id) == (1.0, item_id(row))
        assert unused.similarity == pytest.approx(similarity)


def test_short_answer_says_why(client):
    answer = client.similar([item_id(0)], Options(k=10, min_price=8.9)).outcomes[0]
    assert answer.shortfall == "filtered"
    assert answer.removed["price"] > 200


def test_items_come_with_their_attributes(client, tiny_state):
    known, cold, unknown, empty = client.items([item_id(4), COLD, "nowhere", ""])
    expected = tiny_state.snapshot.catalog.attributes(4)
    assert (known.title, known.brand, known.top_category) == ("", "", expected.top_category)
    assert known.price == pytest.approx(expected.price)
    assert known.spaces == ("cf", "content", "user")
    assert cold.spaces == ("content", "user")
    assert (unknown.code, unknown.field) == ("NOT_FOUND", "item_ids[2]")
    assert (empty.code, empty.field) == ("INVALID_ARGUMENT", "item_ids[3]")


def test_status_names_snapshot_and_configs(client, tiny_state):
    status = client.status()
    assert status.state == "serving"
    assert status.snapshot_id == tiny_state.snapshot.id
    assert status.spaces == {"cf": DIM, "content": DIM, "user": DIM}
    assert status.serving_configs == ("borrowing", "by_content", "live_only", "offer_page")


def test_serving_config_changes_sources_and_space(client):
    live = client.similar([item_id(0)], Options(serving_config="live_only"))
    assert live.serving_config == "live_only"
    assert {item.source for item in live.outcomes[0].items} == {"live"}
    content = client.similar([COLD], Options(serving_config="by_content"))
    assert {item.source for item in content.outcomes[0].items} == {"precomputed"}


async def test_async_client_gets_the_same_answers(child, client):
    ids = [item_id(0), "nowhere", COLD]
    access = Access(admin_target=child.admin_target)
    async with AsyncClient(child.target, timeout_s=20, access=access) as asynchronous:
        assert await asynchronous.similar(ids) == client.similar(ids)
        assert await asynchronous.neighbors([item_id(3)]) == client.neighbors([item_id(3)])
        assert await asynchronous.items(ids) == client.items(ids)
        assert await asynchronous.status() == client.status()
        with pytest.raises(CallError, match="requests: expected 1 to 1000"):
            await asynchronous.similar([])
