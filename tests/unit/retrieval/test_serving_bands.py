"""What is too close or too far, in whatever serving finds, against a naive twin in float64."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from artifacts.relation import Relation
from indexer.anchors_config import AnchorsConfig
from indexer.bands_config import Band, BandsConfig
from retrieval import live_search, popular
from retrieval.answer import Answer, Shortfall, ShortfallReason, Stage
from retrieval.candidates import PlainList, Source
from retrieval.config import RetrievalConfig, ServingConfig
from retrieval.queries import (
    AnswerOptions,
    CallOptions,
    FilterSpec,
    NearDuplicateBand,
    NearItem,
    NearItems,
    NearVector,
    NeighborBatch,
    NeighborQuery,
    SimilarBatch,
    SimilarQuery,
)
from retrieval.recommender import Recommender
from retrieval.state import ServingState, load_state
from tests.shop import BANDS, CATEGORIES, COLD, ITEMS, TABLE_K, build_shop, item_id

OWN = Band(max_to_source=BANDS.max_to_source, max_between=BANDS.max_between)

WISHES = [None, NearDuplicateBand(0.6, None), NearDuplicateBand(None, 0.5), NearDuplicateBand(1, 1)]
LIMITS = (0.85, 0.88, 0.9, 0.7, -0.2, 0.3, 0.6, 0.5)


@pytest.fixture(scope="module")
def banded_state(tmp_path_factory) -> ServingState:
    snapshots = build_shop(tmp_path_factory.mktemp("banded"), bands=BANDS)
    return load_state(snapshots.current(hint="build_shop"))


@pytest.fixture(scope="module")
def banded(banded_state, tiny_configs) -> Recommender:
    return Recommender(banded_state, tiny_configs)


@pytest.fixture(params=[0, live_search.EXACT_ROWS], ids=["widening", "scanning"])
def exact_rows(request, monkeypatch) -> None:
    """With 0 a search widens, where it would scan so small a shop at once."""
    monkeypatch.setattr(live_search, "EXACT_ROWS", request.param)


class Twin(NamedTuple):
    """The shop, for whoever would rather multiply everything with everything."""

    rows: list[int]
    unit: np.ndarray
    """(ITEMS, d) float64, zero where an item has no vector."""
    scores: dict[Relation, np.ndarray]
    known: np.ndarray

    @classmethod
    def of(cls, state: ServingState, space: str = "cf") -> "Twin":
        table = state.snapshot.spaces[space]
        rows = np.asarray(table.rows)
        vectors, outputs = np.zeros((2, ITEMS, table.dim))
        vectors[rows] = table.vectors
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit = vectors / np.where(lengths > 0, lengths, 1)
        scores = {Relation.ALTERNATIVES: unit @ unit.T}
        if table.outputs is not None:
            outputs[rows] = table.outputs
            scores[Relation.CONTINUATIONS] = vectors @ outputs.T
        return cls(rows.tolist(), unit, scores, np.isin(np.arange(ITEMS), rows))

    def likeness(self, one: int, other: int) -> float:
        return float(self.unit[one] @ self.unit[other])

    def verdict(self, source: int, held: Sequence[int], row: int, band: Band) -> Stage:
        """What a band says of a row that has a vector; the source may have none."""
        if self.known[source]:
            if band.max_to_source and self.likeness(source, row) >= band.max_to_source - 1e-6:
                return Stage.TOO_CLOSE_TO_QUERY
            if band.min_similarity and self.likeness(source, row) < band.min_similarity:
                return Stage.MIN_SIMILARITY
        if band.max_between and any(
            self.likeness(better, row) >= band.max_between - 1e-6 for better in held
        ):
            return Stage.TOO_CLOSE_TO_RESULT
        return Stage.PASSED

    def list(
        self, source: int, relation: Relation, band: Band, k: int, without: Sequence[int] = ()
    ) -> tuple[list[int], dict[Stage, int]]:
        """The greedy walk, and how many fell to each stage."""
        scores = self.scores[relation][source]
        order = sorted(self.rows, key=lambda row: (-np.float32(scores[row]), row))
        held: list[int] = []
        fallen: dict[Stage, int] = {}
        for row in order:
            if row == source or row in without:
                continue
            if len(held) == k:
                break
            verdict = self.verdict(source, held, row, band)
            if verdict is Stage.PASSED:
                held.append(row)
            else:
                fallen[verdict] = fallen.get(verdict, 0) + 1
        return held, fallen


@pytest.fixture(scope="module")
def twin(banded_state) -> Twin:
    twin = Twin.of(banded_state)
    found = twin.scores[Relation.ALTERNATIVES][np.triu_indices(ITEMS, 1)]
    for limit in LIMITS:  # rounding decides nothing here
        assert np.abs(found - limit).min() > 1e-6, limit
    return twin


def band_of(row: int, wish: NearDuplicateBand | None = None) -> Band:
    """The thresholds of the category of a row, or stricter ones that a caller asks for."""
    band = BANDS.of(CATEGORIES[row % len(CATEGORIES)] or "(uncategorised)")
    if wish is None:
        return band
    to_query, between = wish.max_similarity_to_query, wish.max_similarity_between_results
    return Band.model_construct(
        max_to_source=min(band.max_to_source or 2, to_query or 2),
        max_between=min(band.max_between or 2, between or 2),
        min_similarity=band.min_similarity,
    )


def rows_of(answer: Answer) -> list[int]:
    return [candidate.row for candidate in answer.candidates]


def similar(recommender: Recommender, row: int, **fields: Any) -> Answer:
    batch = SimilarBatch([SimilarQuery(item_id(row))])._replace(**fields)
    (outcome,) = recommender.similar(batch).outcomes
    assert isinstance(outcome, Answer), outcome
    return outcome


def near(recommender: Recommender, query: Any, **fields: Any) -> Answer:
    batch = NeighborBatch([NeighborQuery(query)])._replace(**fields)
    (outcome,) = recommender.neighbors(batch).outcomes
    assert isinstance(outcome, Answer), outcome
    return outcome


queries = st.integers(0, ITEMS - 1).filter(lambda row: row % 10 != 1)


@pytest.mark.parametrize(
    ("space", "relation"), [("cf", one) for one in Relation] + [("content", Relation.ALTERNATIVES)]
)
@pytest.mark.usefixtures("exact_rows")
def test_live_lists_are_the_precomputed_ones(banded, space, relation):
    table = banded.state.snapshot.neighbors[space, relation]
    asked = [row for row in range(0, ITEMS, 3) if table.lookup(row) is not None]
    batch = SimilarBatch(
        [SimilarQuery(item_id(row)) for row in asked],
        call=CallOptions(serving_config="offer_page" if space == "cf" else "by_content"),
        defaults=AnswerOptions(k=TABLE_K),
        relation=relation,
        sources=[Source.LIVE],
    )
    for row, answer in zip(asked, banded.similar(batch).outcomes, strict=True):
        listed = table.lookup(row)
        assert isinstance(answer, Answer)
        assert rows_of(answer) == [other for other in listed[0].tolist() if other >= 0]


@given(queries, st.sampled_from(Relation), st.integers(1, 240), st.sampled_from(WISHES))
def test_any_list_is_the_greedy_walk(banded, twin, row, relation, k, wish):
    options = AnswerOptions(k=k, filter=FilterSpec(near_duplicates=wish))
    expected, _ = twin.list(row, relation, band_of(row, wish), k)
    for rows in (0, live_search.EXACT_ROWS):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(live_search, "EXACT_ROWS", rows)
            fields = {"relation": relation, "defaults": options}
            assert rows_of(near(banded, NearItem(item_id(row)), **fields)) == expected
            found = similar(banded, row, sources=[Source.LIVE], **fields)
            assert rows_of(found) == expected
    assert rows_of(near(banded, NearItem(item_id(row)), exact=True, **fields)) == expected
    if wish is None:  # a precomputed list that goes on is the walk that was not interrupted
        both = similar(banded, row, sources=[Source.PRECOMPUTED, Source.LIVE], **fields)
        assert rows_of(both) == expected


excluded = st.lists(st.integers(0, ITEMS - 1), max_size=60)


@given(queries, st.sampled_from(Relation), st.integers(1, 240), st.sampled_from(WISHES), excluded)
def test_filtered_list_is_the_greedy_walk_over_what_is_left(
    banded, twin, row, relation, k, wish, without
):
    spec = FilterSpec([item_id(other) for other in without], near_duplicates=wish)
    expected, fallen = twin.list(row, relation, band_of(row, wish), k, without)
    options = AnswerOptions(k=k, filter=spec)
    answer = near(banded, NearItem(item_id(row)), relation=relation, defaults=options)
    assert rows_of(answer) == expected
    if len(expected) < k and not banded.state.bands["cf", relation].limits(row % 4)[2] > -2:
        assert {stage: answer.removed.get(stage, 0) for stage in fallen} == fallen


@given(
    st.integers(0, ITEMS - 1),
    st.sampled_from(Relation),
    st.integers(1, 240),
    st.sampled_from(WISHES),
    excluded,
    st.permutations(list(ServingConfig().sources)),
)
def test_no_source_brings_back_what_a_band_removes(
    banded, twin, row, relation, k, wish, without, sources
):
    spec = FilterSpec([item_id(other) for other in without], near_duplicates=wish)
    answer = similar(
        banded, row, relation=relation, sources=sources, defaults=AnswerOptions(k=k, filter=spec)
    )
    rows, band = rows_of(answer), band_of(row, wish)
    assert len(set(rows)) == len(rows) <= k
    assert not {row, *without} & set(rows)
    for place, other in enumerate(rows):
        if twin.known[other]:
            assert twin.verdict(row, rows[:place], other, band) is Stage.PASSED
        else:
            assert twin.known[row] <= (band.min_similarity is None)
    if len(rows) < k:  # and nothing that passes was kept from the caller
        for other in set(range(200)) - {row, *rows, *without}:
            if twin.known[other]:
                assert twin.verdict(row, rows, other, band) is not Stage.PASSED
        assert answer.shortfall is not None
        assert answer.shortfall.reason is ShortfallReason.FILTERED


def test_full_precomputed_list_needs_no_search_and_no_judgement(banded):
    begun = banded.begin_similar(SimilarBatch([SimilarQuery(item_id(3))]))
    assert not begun.pending
    (answer,) = begun.answer().outcomes
    assert isinstance(answer.candidates, PlainList)


def test_short_list_says_how_many_were_too_close_and_too_far(banded, twin):
    row = 2  # Produce: nothing below 0.3
    expected, fallen = twin.list(row, Relation.CONTINUATIONS, band_of(row), ITEMS)
    fields = {"relation": Relation.CONTINUATIONS, "defaults": AnswerOptions(k=ITEMS)}
    answer = near(banded, NearItem(item_id(row)), **fields)
    assert answer.shortfall == Shortfall(ITEMS, len(expected), ShortfallReason.FILTERED)
    assert answer.removed == {Stage.QUERY_ITEM: 1, **fallen}


@pytest.mark.usefixtures("exact_rows")
@pytest.mark.parametrize("most", [1, 25, 30, 50])
def test_no_more_than_most_hits_are_looked_at(tmp_path, tiny_configs, most):
    bands = BandsConfig(max_between=0.7, most_hits=most)
    snapshots = build_shop(tmp_path, bands=bands)
    recommender = Recommender(load_state(snapshots.current(hint="build_shop")), tiny_configs)
    table = recommender.state.snapshot.neighbors["cf", Relation.ALTERNATIVES]
    for row in range(0, ITEMS, 10):
        options = AnswerOptions(k=TABLE_K)
        listed = table.lookup(row)
        assert listed is not None
        answer = similar(recommender, row, sources=[Source.LIVE], defaults=options)
        assert rows_of(answer) == [other for other in listed[0].tolist() if other >= 0]


@given(st.sampled_from(range(1, ITEMS, 10)), st.sampled_from(Relation), st.sampled_from(WISHES))
def test_borrowed_lists_are_held_apart(banded, twin, row, relation, wish):
    options = AnswerOptions(k=60, filter=FilterSpec(near_duplicates=wish))
    sources = [Source.HYBRID, Source.POPULAR]
    rows = rows_of(similar(banded, row, relation=relation, sources=sources, defaults=options))
    band = band_of(row, wish)
    for place, other in enumerate(rows):
        if twin.known[other]:
            assert twin.verdict(row, rows[:place], other, band) is Stage.PASSED


@pytest.mark.parametrize("anchors", [1, 3])
def test_what_is_borrowed_is_measured_to_the_anchors(tmp_path, anchors):
    bands = BandsConfig(max_to_source=0.6, min_similarity=0.1)
    snapshots = build_shop(tmp_path, AnchorsConfig(min_sessions=100, anchors=anchors), bands)
    state = load_state(snapshots.current(hint="build_shop"))
    configs = RetrievalConfig(serving={"borrowing": ServingConfig(sources=(Source.HYBRID,), k=100)})
    recommender, twin = Recommender(state, configs), Twin.of(state)
    assert state.anchors is not None
    lent = 0
    for row in range(1, ITEMS, 10):
        lending = state.anchors.of_item(row)
        if not len(lending.rows):
            continue
        lent += 1
        likeness = twin.unit @ (lending.similarities @ twin.unit[lending.rows])
        likeness /= np.linalg.norm(lending.similarities @ twin.unit[lending.rows])
        expected = [other for other in twin.rows if 0.1 <= likeness[other] < 0.6]
        expected.sort(key=lambda other: -likeness[other])
        assert rows_of(similar(recommender, row)) == expected[:100]
    assert lent > 10


def test_vectors_and_mixtures_are_sources_like_items(banded, twin):
    vector = np.array(banded.state.snapshot.spaces["cf"].vectors[0])
    by_item = near(banded, NearItem(item_id(0)), defaults=AnswerOptions(k=30))
    by_one = near(banded, NearItems([item_id(0)], [1.0]), defaults=AnswerOptions(k=30))
    assert rows_of(by_one) == rows_of(by_item)
    # The item itself is too close to its own vector, which belongs to no category.
    by_vector = near(banded, NearVector(vector), defaults=AnswerOptions(k=30))
    assert rows_of(by_vector) == twin.list(0, Relation.ALTERNATIVES, OWN, 30)[0]
    assert by_vector.removed[Stage.TOO_CLOSE_TO_QUERY] >= 1
    assert Stage.QUERY_ITEM not in by_vector.removed


def test_items_of_one_category_have_its_thresholds_and_of_several_the_spaces(banded_state):
    bands = banded_state.bands["cf", Relation.ALTERNATIVES]
    dairy = banded_state.category_of_rows([4 * 3 + 1, 4 * 5 + 1])
    np.testing.assert_allclose(bands.limits(dairy), [0.9, 0.7, -0.2], rtol=1e-6)
    mixed = banded_state.category_of_rows([0, 1])
    assert mixed is None
    np.testing.assert_allclose(bands.limits(mixed), [0.85, 0.88, -2], rtol=1e-6)
    assert banded_state.category_of_rows([]) is None


def test_spaces_without_bands_judge_nothing(tiny_recommender):
    assert not tiny_recommender.state.bands
    batch = SimilarBatch([SimilarQuery(COLD)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("retrieval.entry_band.further_reasons", None)
        assert len(tiny_recommender.similar(batch).outcomes) == 1
        near(tiny_recommender, NearItem(item_id(0)))


def test_wish_of_a_caller_is_heard_where_a_space_has_no_bands(tiny_recommender):
    twin = Twin.of(tiny_recommender.state)
    wish = NearDuplicateBand(0.6, 0.5)
    options = AnswerOptions(k=25, filter=FilterSpec(near_duplicates=wish))
    band = Band(max_to_source=0.6, max_between=0.5)
    for row in range(0, ITEMS, 10):
        answer = similar(tiny_recommender, row, sources=[Source.LIVE], defaults=options)
        assert rows_of(answer) == twin.list(row, Relation.ALTERNATIVES, band, 25)[0]


def test_popular_items_are_measured_up_to_a_bound(banded, monkeypatch):
    monkeypatch.setattr(popular, "MOST_LOOKED_AT", 64)
    answer = similar(banded, 0, sources=[Source.POPULAR], defaults=AnswerOptions(k=ITEMS))
    assert 0 < len(answer.candidates) <= 64
    everything = replace(banded.state, bands={})
    open_answer = similar(
        Recommender(everything, banded.configs),
        0,
        sources=[Source.POPULAR],
        defaults=AnswerOptions(k=ITEMS),
    )
    assert [candidate.rank for candidate in open_answer.candidates] == list(range(2, 201))
