"""Questions put to a snapshot before callers may ask it."""

import logging
import time
from collections.abc import Callable, Sequence

import numpy as np
from google.protobuf.message import Message

from artifacts.errors import ShelfmateError
from retrieval.queries import CallOptions
from retrieval.recommender import Recommender
from server.convert import (
    Report,
    answer_bytes,
    neighbor_batch,
    rerank_batch,
    rerank_bytes,
    session_batch,
    similar_batch,
    user_batch,
)
from shelfmate.v1 import common_pb2
from shelfmate.v1 import recommender_pb2 as pb

logger = logging.getLogger(__name__)

MOST_S = 5.0
"""Warmth is worth no more: callers wait for the new snapshot."""

BREATH_S = 0.000_2
"""Pause between two requests, in which the event loop gets the interpreter: it would wait for it up
to five milliseconds else, and with it all callers of the snapshot in service."""

POPULAR = 16
"""Items asked for where no request is known, with each serving config."""


def rehearse(
    recommender: Recommender,
    requests: Sequence[Message],
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Answer requests and throw the answers away; return how many were answered.

    Pages are read, kernels compiled and caches filled, so that the first callers do not pay for it.
    Requests that the snapshot has no answer for are its callers' affair. Any other exception is
    let through: what crashes on questions of today is unfit to serve.

    Args:
        recommender: of the new snapshot.
        requests: of the service's methods; without any, popular items are asked for.
        clock: seconds.
    """
    until = clock() + MOST_S
    answered = 0
    for request in requests or _popular(recommender):
        if clock() >= until:
            break
        try:
            _ask(recommender, request)
        except ShelfmateError as error:
            logger.debug("rehearsal refused error=%s", error)
        answered += 1
        time.sleep(BREATH_S)
    return answered


def _ask(recommender: Recommender, request: Message) -> None:
    """Go the way of a call, from the request's fields to those of the response."""
    if isinstance(request, pb.RecommendSimilarRequest):
        similar, faults = similar_batch(request)
        answer_bytes(recommender.similar(similar), faults, _report(recommender, similar.call))
    elif isinstance(request, pb.SearchNeighborsRequest):
        near, faults = neighbor_batch(request)
        answer_bytes(recommender.neighbors(near), faults, _report(recommender, near.call))
    elif isinstance(request, pb.RecommendForSessionRequest):
        session, faults = session_batch(request)
        answer = recommender.for_session(session)
        answer_bytes(answer, faults, _report(recommender, session.call))
    elif isinstance(request, pb.RecommendForUserRequest):
        user, faults = user_batch(request)
        answer_bytes(recommender.for_user(user), faults, _report(recommender, user.call))
    elif isinstance(request, pb.RerankRequest):
        lists, faults = rerank_batch(request)
        rerank_bytes(recommender.rerank(lists), faults, _report(recommender, lists.call))


def _report(recommender: Recommender, call: CallOptions) -> Report:
    return Report(recommender.state, call.debug, {})


def _popular(recommender: Recommender) -> list[Message]:
    snapshot = recommender.state.snapshot
    ids = snapshot.items.ids(np.asarray(snapshot.popularity.overall()[:POPULAR]))
    queries = [pb.SimilarQuery(item_id=id) for id in ids]
    return [
        pb.RecommendSimilarRequest(
            call=common_pb2.CallOptions(serving_config=name), requests=[query]
        )
        for name in sorted(recommender.configs.serving)
        for query in queries
    ]
