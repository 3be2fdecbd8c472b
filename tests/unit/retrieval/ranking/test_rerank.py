"""Given candidates, ordered: what is known by its score, what is not at the end."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from artifacts.errors import (
    ArtifactError,
    DeadlineError,
    OverloadedError,
    RequestError,
    UnsupportedError,
)
from artifacts.ranker import FeatureSpec, Ranker
from retrieval.config import RetrievalConfig
from retrieval.deadline import Deadline
from retrieval.effort import Effort
from retrieval.queries import (
    MAX_BATCH,
    MAX_CANDIDATES,
    CallOptions,
    EventKind,
    RerankBatch,
    RerankQuery,
    Visit,
)
from retrieval.ranking.candidate_ranker import CandidateRanker
from retrieval.ranking.context import context_of
from retrieval.recommender import Recommender
from retrieval.state import ServingState, load_state
from tests.made_ranker import SENT, train_trees, write_ranker
from tests.shop import item_id
from tests.shop_shoppers import shopper

IDS = [item_id(row) for row in (200, 3, 77, 41, 130, 12, 8, 95)]
VISITS = [Visit(item_id(row)) for row in (2, 30, 45)]


@pytest.fixture(scope="module")
def recommender(ranked_state) -> Recommender:
    return Recommender(ranked_state, RetrievalConfig())


def asked(recommender: Recommender, *queries: RerankQuery, **batch: Any) -> list[Any]:
    return list(recommender.rerank(RerankBatch(queries, **batch)).outcomes)


@pytest.mark.parametrize(
    "context",
    [
        {},
        {"visits": VISITS},
        {"item_id": item_id(5)},
        {"user_id": shopper(3)},
        {"visits": VISITS, "item_id": item_id(5), "user_id": shopper(3)},
    ],
    ids=str,
)
def test_candidates_stand_in_the_order_of_their_scores(recommender, ranked_state, context):
    (ranked,) = asked(recommender, RerankQuery(IDS, **context))
    ranker = ranked_state.require_ranker()
    rows = ranked_state.snapshot.items.rows(IDS)
    known, _ = context_of(ranked_state.snapshot, context.pop("visits", ()), **context)
    values = ranker.score(known, rows).values
    order = np.argsort(-values, kind="stable")
    assert ranked.item_ids == [IDS[at] for at in order]
    assert ranked.scores == values[order].tolist()
    assert sorted(ranked.scores, reverse=True) == ranked.scores


def test_unknown_candidates_come_last_in_their_order_and_are_never_dropped(recommender):
    ids = ["nowhere", *IDS[:4], "nobody", *IDS[4:]]
    ranked, without = asked(
        recommender, RerankQuery(ids, visits=VISITS), RerankQuery(IDS, visits=VISITS)
    )
    assert ranked.item_ids == [*without.item_ids, "nowhere", "nobody"]
    assert ranked.scores == without.scores


def test_lists_of_unknown_candidates_alone_keep_their_order(recommender):
    (ranked,) = asked(recommender, RerankQuery(["b", "a"], visits=VISITS), contributions=True)
    assert (ranked.item_ids, ranked.scores) == (["b", "a"], [])


def test_what_is_unknown_of_the_context_is_listed(recommender):
    visits = [*VISITS, Visit("nowhere", EventKind.CART)]
    (ranked,) = asked(
        recommender, RerankQuery(IDS, visits=visits, item_id="nothing", user_id="nobody")
    )
    (without,) = asked(recommender, RerankQuery(IDS, visits=VISITS))
    assert ranked.skipped == ("nowhere", "nothing")
    assert (ranked.item_ids, ranked.scores) == (without.item_ids, without.scores)


def test_what_callers_send_counts(recommender):
    sent: list[dict[str, float]] = [{} for _ in IDS]
    sent[1] = {SENT: 0.95}
    plain, more = asked(recommender, RerankQuery(IDS), RerankQuery(IDS, sent))
    scores = [dict(zip(each.item_ids, each.scores, strict=True)) for each in (plain, more)]
    assert scores[1].pop(IDS[1]) > scores[0].pop(IDS[1])
    assert scores[0] == scores[1]


def test_contributions_sum_to_the_scores(recommender, ranked_state):
    plain, explained = (
        asked(recommender, RerankQuery(IDS, visits=VISITS), contributions=wanted)[0]
        for wanted in (False, True)
    )
    found = explained.contributions
    assert plain.contributions is None
    assert explained._replace(contributions=None) == plain
    assert found.names == ranked_state.ranker.schema.names
    assert found.values.shape == (len(IDS), len(found.names))
    np.testing.assert_allclose(found.parts.sum(axis=1), explained.scores, rtol=0, atol=1e-9)


TOO_MANY = [f"item-{n}" for n in range(MAX_CANDIDATES + 1)]
BAD: list[tuple[RerankQuery, str, str]] = [
    (RerankQuery(()), "candidates", "CANDIDATE_COUNT_OUT_OF_RANGE"),
    (RerankQuery(TOO_MANY), "candidates", "CANDIDATE_COUNT_OUT_OF_RANGE"),
    (RerankQuery(TOO_MANY * 10), "candidates", "CANDIDATE_COUNT_OUT_OF_RANGE"),
    (RerankQuery(["a", ""]), "candidates[1].item_id", "EMPTY_ID"),
    (RerankQuery(["a", "b", "a"]), "candidates[2].item_id", "DUPLICATE_CANDIDATE"),
    (RerankQuery(["a"], [{"nope": 1}]), "candidates[0].features[nope]", "UNKNOWN_FEATURE"),
    (RerankQuery(["a"], [{SENT: np.nan}]), f"candidates[0].features[{SENT}]", "NOT_FINITE"),
    (RerankQuery(["a"], [{SENT: -np.inf}]), f"candidates[0].features[{SENT}]", "NOT_FINITE"),
    (RerankQuery(["a"], [{SENT: 1e39}]), f"candidates[0].features[{SENT}]", "NOT_FINITE"),
    (RerankQuery(["a"], visits=[Visit("")]), "visits[0].item_id", "EMPTY_ID"),
    (RerankQuery(["a"], visits=[Visit("a", weight=np.nan)]), "visits[0].weight", "NOT_FINITE"),
]


@pytest.mark.parametrize(("query", "field", "reason"), BAD, ids=[reason for _, _, reason in BAD])
def test_bad_lists_fail_alone_and_name_the_field(recommender, query, field, reason):
    bad, good = asked(recommender, query, RerankQuery(IDS))
    assert isinstance(bad, RequestError)
    assert (bad.field, bad.reason) == (field, reason)
    assert len(good.item_ids) == len(IDS)


def test_features_that_the_shop_computes_are_not_taken_from_callers(recommender, ranked_state):
    own = ranked_state.ranker.schema.names[0]
    (outcome,) = asked(recommender, RerankQuery(IDS[:1], [{own: 1.0}]))
    assert isinstance(outcome, RequestError)
    assert SENT in str(outcome)


@pytest.mark.parametrize("size", [0, MAX_BATCH + 1])
def test_batches_of_no_or_too_many_lists_are_refused(recommender, size):
    with pytest.raises(RequestError, match="requests: expected 1 to"):
        asked(recommender, *[RerankQuery(IDS[:1])] * size)


def test_unknown_serving_configs_are_refused(recommender):
    with pytest.raises(RequestError, match="serving_config"):
        asked(recommender, RerankQuery(IDS), call=CallOptions(serving_config="nope"))


def test_snapshots_without_a_ranker_say_so(tiny_recommender):
    (outcome,) = tiny_recommender.rerank(RerankBatch([RerankQuery(IDS)])).outcomes
    assert isinstance(outcome, UnsupportedError)
    assert "has no ranker" in str(outcome)


def test_nothing_is_ranked_where_look_ups_are_all_there_is_time_for(recommender):
    with pytest.raises(OverloadedError, match="ranks nothing"):
        recommender.begin_rerank(RerankBatch([RerankQuery(IDS)]), Effort.LISTS)


def test_late_lists_fail_the_call(recommender):
    with pytest.raises(DeadlineError):
        recommender.rerank(RerankBatch([RerankQuery(IDS)]), Deadline.after(0))


def test_late_lists_fail_alone_where_what_is_ready_is_wanted(recommender):
    moments = iter([0.0, 0.0, 9.0])
    deadline = Deadline(5.0, clock=lambda: next(moments))
    batch = RerankBatch([RerankQuery(IDS)] * 4, CallOptions(allow_partial=True))
    answer = recommender.rerank(batch, deadline)
    assert answer.partial
    assert [isinstance(outcome, DeadlineError) for outcome in answer.outcomes] == [
        False,
        False,
        True,
        True,
    ]


def open_with(state: ServingState, folder: Path, **changes: Any) -> CandidateRanker | None:
    """Open the ranker of a snapshot in which it has another schema."""
    schema = state.require_ranker().schema.model_copy(update=changes)
    rng = np.random.default_rng(0)
    features = rng.random((60, schema.width), dtype=np.float32)
    booster = train_trees(features, rng.random(60), names=schema.names, rounds=2)
    write_ranker(folder, booster.model_to_string(), schema)
    snapshot = replace(state.snapshot, ranker=Ranker.open(folder))
    return CandidateRanker.of(snapshot, state.availability)


def test_rankers_of_another_schema_version_are_refused(ranked_state, tmp_path):
    with pytest.raises(ArtifactError, match="version 99"):
        open_with(ranked_state, tmp_path / "ranker", version=99)


def test_rankers_that_read_what_the_snapshot_cannot_compute_are_refused(ranked_state, tmp_path):
    features = (*ranked_state.ranker.schema.features, FeatureSpec(name="mood"))
    with pytest.raises(ArtifactError, match="mood"):
        open_with(ranked_state, tmp_path / "ranker", features=features)


def test_rankers_of_sources_that_the_snapshot_lacks_are_refused(ranked_state, tmp_path):
    with pytest.raises(ArtifactError, match="tea_leaves"):
        open_with(ranked_state, tmp_path / "ranker", sources=("tea_leaves",))


def test_snapshots_of_before_rankers_still_load(ranked_snapshots):
    older, newer = ranked_snapshots.ids()
    assert load_state(ranked_snapshots.path(older)).ranker is None
    assert load_state(ranked_snapshots.path(newer)).ranker is not None
