"""The hybrid beside what numpy says of the anchors."""

from typing import Any

import numpy as np
import pytest

from artifacts.arrays import unit_rows
from artifacts.catalog import UNCATEGORISED
from artifacts.errors import ConfigError, DeadlineError, UnknownItemError, UnsupportedError
from artifacts.relation import Relation, ScoreKind
from indexer.anchors_config import AnchorsConfig, CategoryAnchors
from retrieval.answer import Answer, Shortfall, ShortfallReason, Stage, UnusedAnchor
from retrieval.candidates import Source
from retrieval.config import RetrievalConfig, ServingConfig
from retrieval.content_encoder import ProductText, open_encoder
from retrieval.deadline import Deadline
from retrieval.queries import (
    AnswerOptions,
    CallOptions,
    FilterSpec,
    NewItem,
    SimilarBatch,
    SimilarQuery,
)
from retrieval.recommender import Recommender
from retrieval.state import ServingState, load_state
from tests.shop import COLD, DIM, ITEMS, MIN_SESSIONS, build_shop, item_id

TOO_FAR = item_id(11)
"""Cold, and without a category, where only equals are near enough."""
PAST = Deadline(0.0, clock=lambda: 1.0)
NEW = NewItem(title="A title of a new shelf", category_path="Dairy > Shelf")
SOURCES = (Source.PRECOMPUTED, Source.HYBRID, Source.POPULAR)


def ask(recommender: Recommender, query: SimilarQuery, *sources: Source, **fields: Any) -> Answer:
    batch = SimilarBatch([query], sources=sources)._replace(**fields)
    outcome = recommender.similar(batch).outcomes[0]
    assert isinstance(outcome, Answer), outcome
    return outcome


def state_with(folder: Any, anchors: AnchorsConfig | None) -> ServingState:
    return load_state(build_shop(folder, anchors).current(hint="build_shop"))


@pytest.fixture(scope="module")
def kind(tmp_path_factory) -> Recommender:
    """Anchors at any likeness."""
    state = state_with(tmp_path_factory.mktemp("kind"), AnchorsConfig(min_sessions=MIN_SESSIONS))
    return Recommender(state, RetrievalConfig())


@pytest.fixture(scope="module")
def mixed(tmp_path_factory) -> Recommender:
    """Three anchors from the whole shop."""
    config = AnchorsConfig(min_sessions=MIN_SESSIONS, anchors=3, per_category=False)
    return Recommender(state_with(tmp_path_factory.mktemp("mixed"), config), RetrievalConfig())


def nearest(state: ServingState, row: int, count: int = 1, *, anywhere: bool = False) -> list[int]:
    """Return the popular items of an item's category most like it."""
    snapshot = state.snapshot
    codes, counts = snapshot.catalog.category_codes, snapshot.catalog.popularity
    lends = [
        other
        for other in snapshot.spaces["cf"].rows.tolist()
        if other != row
        and counts[other] >= MIN_SESSIONS
        and (anywhere or codes[other] == codes[row])
    ]
    likeness = cosines(state, row)[lends]
    return [lends[place] for place in np.argsort(-likeness, kind="stable")[:count]]


def cosines(state: ServingState, row: int) -> Any:
    unit = unit_rows(np.asarray(state.snapshot.spaces["content"].vectors))
    return unit @ unit[row]


def test_a_cold_item_gets_the_list_of_its_nearest_popular_item(tiny_recommender):
    state, row = tiny_recommender.state, 1
    answer = ask(tiny_recommender, SimilarQuery(COLD), *SOURCES)
    (anchor,) = nearest(state, row)
    rows, scores = state.snapshot.neighbors["cf", Relation.ALTERNATIVES].lookup(anchor)
    assert [candidate.row for candidate in answer.candidates] == rows[:10].tolist()
    assert [candidate.score for candidate in answer.candidates] == scores[:10].tolist()
    for rank, candidate in enumerate(answer.candidates, 1):
        assert candidate[2:6] == (ScoreKind.COSINE, Source.HYBRID, rank, anchor)
        assert candidate.anchor_similarity == pytest.approx(cosines(state, row)[anchor], abs=1e-6)
    assert answer.unused_anchor is None
    assert answer.shortfall is None


def test_it_borrows_continuations_as_well(tiny_recommender):
    answer = ask(tiny_recommender, SimilarQuery(COLD), *SOURCES, relation=Relation.CONTINUATIONS)
    (anchor,) = nearest(tiny_recommender.state, 1)
    rows, _ = tiny_recommender.state.snapshot.neighbors["cf", Relation.CONTINUATIONS].lookup(anchor)
    assert [candidate.row for candidate in answer.candidates] == rows[:10].tolist()
    assert {candidate.kind for candidate in answer.candidates} == {ScoreKind.INNER_PRODUCT}


def test_an_anchor_below_the_threshold_is_not_used_and_the_answer_says_why(tiny_recommender, kind):
    state = tiny_recommender.state
    (anchor,) = nearest(state, 11)
    similarity = cosines(state, 11)[anchor]
    answer = ask(tiny_recommender, SimilarQuery(TOO_FAR), *SOURCES)
    assert {candidate.source for candidate in answer.candidates} == {Source.POPULAR}
    assert answer.unused_anchor is not None
    assert answer.unused_anchor[:2] == (1.0, anchor)
    assert answer.unused_anchor.similarity == pytest.approx(similarity, abs=1e-6)
    # The threshold alone is in the way: without it the very same anchor lends its list.
    borrowed = ask(kind, SimilarQuery(TOO_FAR), *SOURCES)
    assert {candidate[3:6:2] for candidate in borrowed.candidates} == {(Source.HYBRID, anchor)}
    assert borrowed.unused_anchor is None


def test_thresholds_hold_in_their_category_alone(tiny_recommender):
    answer = ask(tiny_recommender, SimilarQuery(COLD), Source.HYBRID)
    thresholds = tiny_recommender.state.anchors.entry.thresholds
    assert thresholds["Dairy"].min_similarity < thresholds[UNCATEGORISED].min_similarity
    assert len(answer.candidates) == 10


@pytest.mark.parametrize("above", [False, True])
def test_an_anchor_exactly_at_the_threshold_is_used(tmp_path, kind, above):
    least = kind.state.anchors.of_item(1).similarities[0]
    if above:
        least = np.nextafter(least, np.float32(2))
    dairy = CategoryAnchors(min_similarity=float(least))
    config = AnchorsConfig(min_sessions=MIN_SESSIONS, categories={"Dairy": dairy})
    recommender = Recommender(state_with(tmp_path, config), RetrievalConfig())
    answer = ask(recommender, SimilarQuery(COLD), *SOURCES)
    used = Source.POPULAR if above else Source.HYBRID
    assert {candidate.source for candidate in answer.candidates} == {used}
    assert (answer.unused_anchor is not None) == above


def test_hybrid_alone_without_a_near_anchor_is_an_empty_answer_with_reasons(tiny_recommender):
    answer = ask(tiny_recommender, SimilarQuery(TOO_FAR), Source.HYBRID)
    assert answer.candidates == []
    assert answer.shortfall == Shortfall(10, 0, ShortfallReason.EXHAUSTED)
    assert answer.unused_anchor is not None
    assert answer.unused_anchor.min_similarity == 1.0


def test_a_category_without_popular_items_is_told_apart_from_one_that_is_too_far(tmp_path):
    config = AnchorsConfig(
        min_sessions=MIN_SESSIONS, categories={"Dairy": CategoryAnchors(min_sessions=10_000)}
    )
    recommender = Recommender(state_with(tmp_path, config), RetrievalConfig())
    answer = ask(recommender, SimilarQuery(COLD), *SOURCES)
    assert answer.unused_anchor == UnusedAnchor(0.0)
    new = ask(recommender, SimilarQuery("new", NEW), *SOURCES)
    assert new.unused_anchor == UnusedAnchor(0.0)


def test_hybrid_may_be_asked_of_items_that_have_lists_of_their_own(tiny_recommender):
    answer = ask(tiny_recommender, SimilarQuery(item_id(0)), Source.HYBRID)
    (anchor,) = nearest(tiny_recommender.state, 0)
    assert {candidate.anchor for candidate in answer.candidates} == {anchor}
    assert 0 not in {candidate.row for candidate in answer.candidates}


def test_items_with_a_list_of_their_own_borrow_nothing_while_it_lasts(tiny_recommender):
    answer = ask(tiny_recommender, SimilarQuery(item_id(0)), *SOURCES)
    assert {candidate.source for candidate in answer.candidates} == {Source.PRECOMPUTED}


def test_where_a_filter_empties_the_list_neighbours_of_the_anchor_are_searched(tiny_recommender):
    state = tiny_recommender.state
    options = AnswerOptions(k=30, filter=FilterSpec(allowed_categories=("Produce", "Dairy")))
    answer = ask(tiny_recommender, SimilarQuery(COLD, options=options), Source.HYBRID)
    (anchor,) = nearest(state, 1)
    cf = state.snapshot.spaces["cf"]
    unit = unit_rows(np.asarray(cf.vectors))
    likeness = unit @ unit[cf.positions(np.array([anchor], dtype=np.int32))[0]]
    codes = np.asarray(state.snapshot.catalog.category_codes)[cf.rows]
    wanted = [state.category_codes[name] for name in ("Produce", "Dairy")]
    allowed = np.isin(codes, wanted) & (cf.rows != anchor)
    best = cf.rows[allowed][np.argsort(-likeness[allowed], kind="stable")][:30]
    assert [candidate.row for candidate in answer.candidates] == best.tolist()
    assert {candidate[3:6:2] for candidate in answer.candidates} == {(Source.HYBRID, anchor)}
    assert answer.removed.get(Stage.QUERY_ITEM, 0) <= 1


def test_several_anchors_are_mixed_by_likeness(mixed):
    state = mixed.state
    anchors = nearest(state, 1, 3, anywhere=True)
    weights = cosines(state, 1)[anchors]
    cf = state.snapshot.spaces["cf"]
    unit = unit_rows(np.asarray(cf.vectors))
    lines = cf.positions(np.array(anchors, dtype=np.int32))
    mean = weights @ unit[lines]
    best = cf.rows[np.argsort(-(unit @ mean), kind="stable")][:10]
    answer = ask(mixed, SimilarQuery(COLD), Source.HYBRID)
    assert [candidate.row for candidate in answer.candidates] == best.tolist()
    assert {candidate.anchor for candidate in answer.candidates} == {anchors[0]}
    # Continuations count by length as well, as an inner product does.
    follow = ask(mixed, SimilarQuery(COLD), Source.HYBRID, relation=Relation.CONTINUATIONS)
    products = np.asarray(cf.outputs) @ (weights @ np.asarray(cf.vectors)[lines])
    best = cf.rows[np.argsort(-products, kind="stable")][:10]
    assert [candidate.row for candidate in follow.candidates] == best.tolist()


def test_of_several_anchors_those_that_are_too_far_have_no_say(tmp_path, mixed):
    likeness = np.sort(cosines(mixed.state, 1)[nearest(mixed.state, 1, 3, anywhere=True)])
    config = AnchorsConfig(
        min_sessions=MIN_SESSIONS,
        anchors=3,
        per_category=False,
        min_similarity=float(likeness[-2:].mean()),
    )
    recommender = Recommender(state_with(tmp_path, config), RetrievalConfig())
    answer = ask(recommender, SimilarQuery(COLD), Source.HYBRID)
    (anchor,) = nearest(mixed.state, 1, anywhere=True)
    rows, _ = mixed.state.snapshot.neighbors["cf", Relation.ALTERNATIVES].lookup(anchor)
    assert [candidate.row for candidate in answer.candidates] == rows[:10].tolist()


def test_a_new_product_borrows_by_its_text(kind):
    state = kind.state
    encoder = open_encoder(state.snapshot, "content")
    assert encoder is not None
    vector = encoder.encode(ProductText(NEW.title, NEW.category_path))
    assert vector is not None
    assert vector.shape == (DIM,)
    unit = unit_rows(np.asarray(state.snapshot.spaces["content"].vectors))
    codes = np.asarray(state.snapshot.catalog.category_codes)
    lends = [
        row
        for row in state.snapshot.spaces["cf"].rows.tolist()
        if state.snapshot.catalog.popularity[row] >= MIN_SESSIONS
        and codes[row] == state.category_codes["Dairy"]
    ]
    anchor = lends[int(np.argmax(unit[lends] @ vector))]
    answer = ask(kind, SimilarQuery("new", NEW), *SOURCES)
    assert answer.skipped == ("new",)
    assert {candidate[3:6:2] for candidate in answer.candidates} == {(Source.HYBRID, anchor)}
    rows, _ = state.snapshot.neighbors["cf", Relation.ALTERNATIVES].lookup(anchor)
    assert [candidate.row for candidate in answer.candidates] == rows[:10].tolist()


def test_a_new_product_of_an_unknown_category_is_looked_for_everywhere(kind):
    new = NewItem(title=NEW.title, category_path="Garden > Tools")
    answer = ask(kind, SimilarQuery("new", new), Source.HYBRID)
    assert len(answer.candidates) == 10


def test_texts_are_encoded_beside_the_searches_not_among_the_look_ups(kind):
    batch = SimilarBatch([SimilarQuery("new", NEW), SimilarQuery(COLD)], sources=[Source.HYBRID])
    begun = kind.begin_similar(batch)
    assert begun.pending
    begun.finish(Deadline())
    new, cold = begun.answer().outcomes
    assert isinstance(new, Answer)
    assert isinstance(cold, Answer)
    assert len(new.candidates) == len(cold.candidates) == 10


def test_a_deadline_before_the_encoding_is_an_error_or_what_there_is(kind):
    batch = SimilarBatch([SimilarQuery("new", NEW), SimilarQuery(COLD)], sources=[Source.HYBRID])
    with pytest.raises(DeadlineError):
        kind.similar(batch, PAST)
    answer = kind.similar(batch._replace(call=CallOptions(allow_partial=True)), PAST)
    new, cold = answer.outcomes
    assert answer.partial
    assert isinstance(new, Answer)
    assert isinstance(cold, Answer)
    assert new.shortfall == Shortfall(10, 0, ShortfallReason.DEADLINE)
    assert len(cold.candidates) == 10


@pytest.mark.parametrize("text", [None, NewItem(), NewItem(title="  ...  ")])
def test_a_new_product_without_words_is_unknown_to_the_hybrid(tiny_recommender, text):
    query = SimilarQuery("new", text)
    batch = SimilarBatch([query], sources=[Source.HYBRID])
    (outcome,) = tiny_recommender.similar(batch).outcomes
    assert isinstance(outcome, UnknownItemError)
    filled = ask(tiny_recommender, query, *SOURCES)
    assert {candidate.source for candidate in filled.candidates} == {Source.POPULAR}


def test_a_minimum_similarity_cannot_be_told_of_an_item_without_a_vector(tiny_recommender):
    options = AnswerOptions(filter=FilterSpec(min_similarity=0.1))
    answer = ask(tiny_recommender, SimilarQuery(COLD, options=options), Source.HYBRID)
    assert answer.candidates == []
    assert answer.shortfall is not None
    assert answer.shortfall.reason is ShortfallReason.FILTERED


def test_all_items_get_an_answer_whatever_they_lack(kind):
    batch = SimilarBatch([SimilarQuery(item_id(row)) for row in range(ITEMS)], sources=SOURCES)
    for row, outcome in enumerate(kind.similar(batch).outcomes):
        assert isinstance(outcome, Answer)
        rows = [candidate.row for candidate in outcome.candidates]
        assert len(set(rows)) == 10
        assert row not in rows


def test_hybrid_of_a_snapshot_without_anchors_is_refused(tmp_path):
    state = state_with(tmp_path, None)
    with pytest.raises(ConfigError, match=r"serving\.page.*has no anchors"):
        Recommender(state, RetrievalConfig(serving={"page": ServingConfig(sources=SOURCES)}))
    batch = SimilarBatch([SimilarQuery(COLD)], sources=[Source.HYBRID])
    (outcome,) = Recommender(state, RetrievalConfig()).similar(batch).outcomes
    assert isinstance(outcome, UnsupportedError)


def test_hybrid_in_another_space_than_the_one_that_lends_is_refused(tiny_state):
    config = ServingConfig(space="content", sources=(Source.HYBRID,))
    with pytest.raises(ConfigError, match="lends lists of space 'cf'"):
        Recommender(tiny_state, RetrievalConfig(serving={"page": config}))
