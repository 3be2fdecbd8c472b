"""The filter, and everything that widens around it, against a naive twin."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from artifacts.errors import RequestError
from artifacts.relation import Relation
from retrieval import live_search
from retrieval.answer import Stage
from retrieval.availability import Availability
from retrieval.candidates import Source
from retrieval.filters import compile_filter
from retrieval.queries import (
    MAX_EXCLUDED,
    AnswerOptions,
    FilterSpec,
    NearDuplicateBand,
    NearItem,
    NeighborBatch,
    NeighborQuery,
    PriceBand,
    SimilarBatch,
    SimilarQuery,
)
from retrieval.query_vector import QueryVector
from retrieval.recommender import Recommender
from retrieval.state import ServingState
from tests.shop import ITEMS, item_id

ROWS = np.arange(ITEMS, dtype=np.int32)
NAMES = ("(uncategorised)", "Bakery", "Dairy", "Produce")


def possible(band: PriceBand) -> bool:
    return band.low is None or band.high is None or band.low <= band.high


bounds = st.none() | st.floats(0, 10, width=32)
specs = st.builds(
    FilterSpec,
    excluded_ids=st.lists(st.integers(0, ITEMS + 20).map(item_id), max_size=60),
    allowed_categories=st.lists(st.sampled_from(NAMES), max_size=3),
    price_band=st.none() | st.builds(PriceBand, bounds, bounds).filter(lambda band: possible(band)),
    min_similarity=st.none() | st.floats(-1, 1, width=32),
    available_only=st.booleans(),
)


@pytest.fixture(scope="module")
def tiny_state(tiny_state) -> ServingState:
    """The small shop with every fifth item out of stock."""
    availability = Availability(ITEMS)
    availability.mark(ROWS, ROWS % 5 != 2, version=1)
    return dataclasses.replace(tiny_state, availability=availability)


@pytest.fixture(scope="module")
def tiny_recommender(tiny_state, tiny_configs) -> Recommender:
    return Recommender(tiny_state, tiny_configs)


def naive_stage(state: ServingState, spec: FilterSpec, row: int, query_row: int) -> Stage:
    """One row, one rule after the other, from the catalogue's own attributes."""
    attributes = state.snapshot.catalog.attributes(row)
    if state.snapshot.items.id(row) in spec.excluded_ids:
        return Stage.EXCLUDED
    if spec.allowed_categories and attributes.top_category not in spec.allowed_categories:
        return Stage.CATEGORY
    if spec.available_only and row % 5 == 2:
        return Stage.AVAILABILITY
    band = spec.price_band
    if band is not None:
        low = -math.inf if band.low is None else band.low
        high = math.inf if band.high is None else band.high
        if attributes.price is None or not low <= attributes.price <= high:
            return Stage.PRICE
    if spec.min_similarity is not None:
        similarity = cosine(state, query_row, row)
        if similarity is None or similarity < spec.min_similarity:
            return Stage.MIN_SIMILARITY
    return Stage.PASSED


def cosine(state: ServingState, one: int, other: int) -> float | None:
    table = state.snapshot.spaces["cf"]
    places = table.positions(np.array([one, other], dtype=np.int32))
    if (places < 0).any():
        return None
    a, b = np.asarray(table.vectors[places], dtype=np.float64)
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


@given(specs, st.integers(0, ITEMS - 1))
def test_verdicts_equal_the_naive_twin(tiny_state, spec, query_row):
    query = QueryVector.of_item(tiny_state.snapshot.spaces["cf"], query_row)
    verdicts = compile_filter(tiny_state, spec, path="filter").judge(ROWS, query)
    for row in range(ITEMS):
        expected = naive_stage(tiny_state, spec, row, query_row)
        similarity = cosine(tiny_state, query_row, row)
        near_the_bound = (
            spec.min_similarity is not None
            and similarity is not None
            and abs(similarity - spec.min_similarity) < 1e-5
        )
        assert verdicts[row] == expected or near_the_bound


def naive_neighbours(
    state: ServingState, spec: FilterSpec, query_row: int, relation: Relation, k: int
) -> list[int]:
    """Rank every row that passes, by brute force."""
    table = state.snapshot.spaces["cf"]
    place = table.positions(np.array([query_row], dtype=np.int32))[0]
    query = np.asarray(table.vectors[place], dtype=np.float64)
    targets = np.asarray(table.targets(relation), dtype=np.float64)
    if relation is Relation.ALTERNATIVES:
        targets = targets / np.linalg.norm(targets, axis=1, keepdims=True)
        query = query / np.linalg.norm(query)
    scores = targets @ query
    order = np.argsort(-scores, kind="stable")
    rows = [int(table.rows[place]) for place in order]
    passing = [
        row
        for row in rows
        if row != query_row and naive_stage(state, spec, row, query_row) is Stage.PASSED
    ]
    return passing[:k]


def unambiguous(state: ServingState, spec: FilterSpec, query_row: int) -> bool:
    """Whether no cosine lies so near the bound that rounding decides."""
    if spec.min_similarity is None:
        return True
    found = [cosine(state, query_row, row) for row in range(ITEMS)]
    return all(abs(c - spec.min_similarity) > 1e-5 for c in found if c is not None)


queries = st.integers(0, ITEMS - 1).filter(lambda row: row % 10 != 1)


@pytest.mark.parametrize("exact_rows", [0, live_search.EXACT_ROWS])
@given(specs, queries, st.sampled_from(Relation), st.integers(1, 300))
def test_filtered_search_equals_brute_force(tiny_recommender, exact_rows, spec, row, relation, k):
    state = tiny_recommender.state
    options = AnswerOptions(k=k, filter=spec)
    batch = NeighborBatch([NeighborQuery(NearItem(item_id(row)), options)], relation=relation)
    with pytest.MonkeyPatch.context() as patch:
        # With 0 the search widens, where it would scan so small a shop at once.
        patch.setattr(live_search, "EXACT_ROWS", exact_rows)
        (answer,) = tiny_recommender.neighbors(batch).outcomes
    expected = naive_neighbours(state, spec, row, relation, k)
    if unambiguous(state, spec, row):
        assert [candidate.row for candidate in answer.candidates] == expected
        assert (answer.shortfall is None) == (len(expected) == k)


@given(specs, queries, st.integers(1, 60))
def test_similar_continues_the_filtered_list_with_what_is_popular(tiny_recommender, spec, row, k):
    state = tiny_recommender.state
    batch = SimilarBatch([SimilarQuery(item_id(row), options=AnswerOptions(k=k, filter=spec))])
    (answer,) = tiny_recommender.similar(batch).outcomes
    rows = [candidate.row for candidate in answer.candidates]
    assert len(set(rows)) == len(rows) <= k
    assert row not in rows
    if not unambiguous(state, spec, row):
        return
    assert all(naive_stage(state, spec, other, row) is Stage.PASSED for other in rows)
    near = [c.row for c in answer.candidates if c.source is not Source.POPULAR]
    assert near == naive_neighbours(state, spec, row, Relation.ALTERNATIVES, k)
    popular = [c.row for c in answer.candidates if c.source is Source.POPULAR]
    own = state.snapshot.catalog.category_codes[row]
    # Rows of the shop are in the order of their popularity; those from 200 on were never sold.
    wanted = [
        other
        for other in range(200)
        if other != row
        and other not in near
        and naive_stage(state, spec, other, row) is Stage.PASSED
    ]
    wanted.sort(key=lambda other: (state.snapshot.catalog.category_codes[other] != own, other))
    assert popular == wanted[: k - len(near)]


def test_empty_filter_is_open(tiny_state):
    assert compile_filter(tiny_state, FilterSpec(), path="filter").is_open


def test_band_without_bounds_is_open(tiny_state):
    assert compile_filter(
        tiny_state, FilterSpec(near_duplicates=NearDuplicateBand()), path="f"
    ).is_open
    band = NearDuplicateBand(max_similarity_between_results=1)
    assert not compile_filter(tiny_state, FilterSpec(near_duplicates=band), path="f").is_open


def test_filter_of_unknown_ids_alone_is_open(tiny_state):
    assert compile_filter(tiny_state, FilterSpec(("nowhere",)), path="filter").is_open


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        (FilterSpec(["x"] * (MAX_EXCLUDED + 1)), "f.excluded_item_ids"),
        (FilterSpec(allowed_categories=("Dairy", "Moon")), "f.allowed_categories[1]"),
        (FilterSpec(price_band=PriceBand(2, 1)), "f.price_band"),
        (FilterSpec(price_band=PriceBand(float("nan"), 1)), "f.price_band"),
        (FilterSpec(min_similarity=-1.1), "f.min_similarity"),
        (
            FilterSpec(near_duplicates=NearDuplicateBand(max_similarity_to_query=1.1)),
            "f.near_duplicates.max_similarity_to_query",
        ),
        (
            FilterSpec(near_duplicates=NearDuplicateBand(0.5, float("nan"))),
            "f.near_duplicates.max_similarity_between_results",
        ),
    ],
)
def test_filter_that_no_snapshot_could_apply_names_its_field(tiny_state, spec, field):
    with pytest.raises(RequestError) as caught:
        compile_filter(tiny_state, spec, path="f")
    assert caught.value.field == field


def test_compiled_filter_sees_stock_as_it_is_when_rows_are_judged(tiny_state):
    state = dataclasses.replace(tiny_state, availability=Availability(ITEMS))
    filter = compile_filter(state, FilterSpec(available_only=True), path="f")
    assert not filter.judge(ROWS, None).any()
    state.availability.mark(np.array([3, 4, -1]), np.array([False, True, False]), version=7)
    assert np.flatnonzero(filter.judge(ROWS, None)).tolist() == [3]
    assert state.availability.version == 7
