"""Candidates are ranked over the wire as retrieval ranks them."""

import io
from collections.abc import Iterator
from typing import Any

import grpc
import numpy as np
import pytest
from rich.console import Console

from artifacts.errors import DataError
from cli.rerank import ask_rerank
from retrieval.config import RetrievalConfig
from retrieval.queries import (
    AnswerOptions,
    CallOptions,
    RerankBatch,
    RerankQuery,
    SessionBatch,
    SessionQuery,
    Visit,
)
from retrieval.recommender import Recommender
from shelfmate.client import (
    AsyncClient,
    Candidate,
    CandidateList,
    Client,
    EntryError,
    Options,
    RankedList,
    Recommendations,
)
from shelfmate.v1 import common_pb2 as common
from shelfmate.v1 import recommender_pb2 as pb
from shelfmate.v1 import recommender_pb2_grpc
from tests.made_ranker import SENT
from tests.serving import Child, serving
from tests.shop import item_id
from tests.shop_shoppers import shopper

SOURCES = ["precomputed", "live", "hybrid", "popular"]
CONFIGS = RetrievalConfig.model_validate(
    {
        "serving": {
            "plain": {"sources": SOURCES},
            "ranked": {"sources": SOURCES, "rerank": {"candidates": 50}},
        }
    }
)
IDS = [item_id(row) for row in (200, 3, 77, 41, 130, 12, 8, 95)]
VISITED = [item_id(row) for row in (2, 30, 45)]
VISITS = [Visit(id) for id in VISITED]
LISTS = [
    CandidateList(IDS, visits=VISITED),
    CandidateList([Candidate(id, {SENT: 0.9} if id == IDS[2] else {}) for id in IDS]),
    CandidateList(["nowhere", *IDS], visits=["lost"], item_id=item_id(5), user_id=shopper(2)),
]
QUERIES = [
    RerankQuery(IDS, visits=VISITS),
    RerankQuery(IDS, [{SENT: 0.9} if id == IDS[2] else {} for id in IDS]),
    RerankQuery(["nowhere", *IDS], visits=[Visit("lost")], item_id=item_id(5), user_id=shopper(2)),
]


@pytest.fixture(scope="module")
def ranking(ranked_snapshots, tmp_path_factory) -> Iterator[Child]:
    with serving(ranked_snapshots, tmp_path_factory.mktemp("serving"), CONFIGS) as child:
        yield child


@pytest.fixture(scope="module")
def asking(ranking) -> Iterator[Client]:
    with Client(ranking.target, timeout_s=20) as client:
        yield client


@pytest.fixture(scope="module")
def stub(ranking) -> Iterator[recommender_pb2_grpc.RecommenderServiceStub]:
    with grpc.insecure_channel(ranking.target) as channel:
        yield recommender_pb2_grpc.RecommenderServiceStub(channel)


@pytest.fixture(scope="module")
def recommender(ranked_state) -> Recommender:
    return Recommender(ranked_state, CONFIGS)


def test_candidates_are_ranked_as_retrieval_ranks_them(asking, recommender, ranked_state):
    served = asking.rerank(LISTS)
    expected = recommender.rerank(RerankBatch(QUERIES))
    assert (served.snapshot_id, served.serving_config) == (ranked_state.snapshot.id, "plain")
    for outcome, ranked in zip(served.outcomes, expected.outcomes, strict=True):
        assert isinstance(outcome, RankedList), outcome
        assert outcome.item_ids == ranked.item_ids
        known = [item.score for item in outcome.items if item.score is not None]
        assert known == np.array(ranked.scores, np.float32).tolist()
        assert outcome.skipped_item_ids == ranked.skipped
        assert outcome.schema_version == ranked.schema_version
        assert not any(item.contributions for item in outcome.items)
    last = served.outcomes[2]
    assert last.skipped_item_ids == ("lost",)
    assert (last.items[-1].item_id, last.items[-1].score) == ("nowhere", None)


def test_contributions_sum_to_the_scores_and_name_what_was_seen(asking, ranked_state):
    (ranked,) = asking.rerank([LISTS[2]], contributions=True).outcomes
    names = ranked_state.ranker.schema.names
    *known, unknown = ranked.items
    for item in known:
        assert list(item.contributions) == [*names, "bias"]
        assert sum(item.contributions.values()) == pytest.approx(item.score, abs=1e-5)
        assert list(item.values) == list(names)
    assert unknown.contributions == {}
    (sent,) = asking.rerank([LISTS[1]], contributions=True).outcomes
    seen = {item.item_id: item.values[SENT] for item in sent.items}
    assert seen[IDS[2]] == pytest.approx(0.9)
    assert np.isnan(seen[IDS[0]])


BAD: list[tuple[Any, str, str]] = [
    ([], "candidates", "CANDIDATE_COUNT_OUT_OF_RANGE"),
    ([f"i{n}" for n in range(10_000)], "candidates", "CANDIDATE_COUNT_OUT_OF_RANGE"),
    (["a", ""], "candidates[1].item_id", "EMPTY_ID"),
    (["a", "b", "a"], "candidates[2].item_id", "DUPLICATE_CANDIDATE"),
    ([Candidate("a", {"nope": 1.0})], "candidates[0].features[nope]", "UNKNOWN_FEATURE"),
    ([Candidate("a", {SENT: float("nan")})], f"candidates[0].features[{SENT}]", "NOT_FINITE"),
    ([Candidate("a", {SENT: float("inf")})], f"candidates[0].features[{SENT}]", "NOT_FINITE"),
]


def test_bad_lists_are_named_by_their_paths_and_disturb_no_other(asking):
    lists = [LISTS[0], *(CandidateList(candidates) for candidates, _, _ in BAD)]
    good, *bad = asking.rerank(lists).outcomes
    assert isinstance(good, RankedList)
    for place, (outcome, (_, field, reason)) in enumerate(zip(bad, BAD, strict=True), start=1):
        assert isinstance(outcome, EntryError)
        found = (outcome.code, outcome.field, outcome.reason)
        assert found == ("INVALID_ARGUMENT", f"requests[{place}].{field}", reason)


def test_features_that_are_no_numbers_do_not_reach_the_server():
    with pytest.raises(TypeError):
        pb.RerankCandidate(item_id="a", features={SENT: "much"})  # type: ignore[dict-item]  # on purpose


def test_calls_without_lists_are_refused(stub):
    with pytest.raises(grpc.RpcError) as caught:
        stub.Rerank(pb.RerankRequest(), timeout=20)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_snapshots_without_a_ranker_say_so(client):
    (outcome,) = client.rerank(LISTS[:1]).outcomes
    assert (outcome.code, outcome.reason) == ("FAILED_PRECONDITION", "NOT_IN_SNAPSHOT")


def test_answers_of_a_config_are_ranked_in_the_end(asking, recommender):
    served = asking.sessions([VISITED], Options(k=8, serving_config="ranked"))
    batch = SessionBatch([SessionQuery(VISITS)], CallOptions("ranked"), AnswerOptions(k=8))
    (answer,) = recommender.for_session(batch).outcomes
    (outcome,) = served.outcomes
    assert isinstance(outcome, Recommendations)
    rows = recommender.state.snapshot.items.rows(outcome.item_ids).tolist()
    assert rows == [candidate.row for candidate in answer.candidates]
    assert {item.score_kind for item in outcome.items} == {"ranker"}
    assert {item.source for item in outcome.items} <= set(SOURCES)
    options = Options(k=8, serving_config="ranked")
    for served in (asking.similar([item_id(5)], options), asking.users([shopper(1)], options)):
        (outcome,) = served.outcomes
        assert isinstance(outcome, Recommendations)
        assert [item.score_kind for item in outcome.items] == ["ranker"] * 8


def test_debug_tells_the_score_of_the_source_and_the_time_of_ranking(stub):
    call = common.CallOptions(serving_config="ranked", debug=True)
    similar = stub.RecommendSimilar(
        pb.RecommendSimilarRequest(call=call, requests=[pb.SimilarQuery(item_id=item_id(5))]),
        timeout=20,
    )
    for item in similar.outcomes[0].recommendations.items:
        assert item.score_kind == common.SCORE_KIND_RANKER
        assert item.debug.source_score_kind in (common.SCORE_KIND_COSINE, common.SCORE_KIND_COUNT)
    query = pb.RerankQuery(candidates=[pb.RerankCandidate(item_id=id) for id in IDS])
    response = stub.Rerank(pb.RerankRequest(call=call, requests=[query]), timeout=20)
    assert [timing.stage for timing in response.info.timings] == ["rerank"]


async def test_async_client_gets_the_same_order(ranking, asking):
    async with AsyncClient(ranking.target, timeout_s=20) as asynchronous:
        assert await asynchronous.rerank(LISTS) == asking.rerank(LISTS)


def test_the_command_shows_order_and_reasons(ranking, asking):
    page = io.StringIO()
    console = Console(file=page, width=200)
    given = LISTS[2]
    ask_rerank(given, Options(), contributions=True, address=ranking.target, console=console)
    text = page.getvalue()
    (ranked,) = asking.rerank([given]).outcomes
    places = [text.index(id) for id in ranked.item_ids]
    assert places == sorted(places)
    assert "unknown" in text
    assert "not known: lost" in text
    assert "Title 3" in text
    with pytest.raises(DataError, match="INVALID_ARGUMENT"):
        ask_rerank(
            CandidateList([]),
            Options(),
            contributions=False,
            address=ranking.target,
            console=console,
        )
