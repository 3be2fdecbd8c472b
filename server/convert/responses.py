"""Answers of the domain as responses of the wire."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

from google.rpc.status_pb2 import Status

from artifacts.catalog import ItemAttributes
from artifacts.errors import RequestError
from artifacts.neighbors import PAD_ROW
from artifacts.vocabulary import Vocabulary
from retrieval.answer import Answer, BatchAnswer, Outcome, Shortfall, Stage, UnusedAnchor
from retrieval.candidates import Candidate, PlainList
from retrieval.state import ServingState
from server.convert.enums import ACCURACIES, REASONS, SCORE_KINDS, SOURCES, STAGES
from server.status import status_of
from shelfmate.v1 import common_pb2, recommender_pb2

R = TypeVar(
    "R",
    recommender_pb2.RecommendSimilarResponse,
    recommender_pb2.SearchNeighborsResponse,
    recommender_pb2.RecommendForSessionResponse,
    recommender_pb2.RecommendForUserResponse,
)


class Report(NamedTuple):
    """What a response says about itself."""

    state: ServingState
    """The snapshot that answered."""
    debug: bool
    """Add debug to every item, and timings."""
    timings: Mapping[str, int]
    """Nanoseconds by stage."""


def similar_response(
    answer: BatchAnswer, faults: Mapping[int, RequestError], report: Report
) -> recommender_pb2.RecommendSimilarResponse:
    """Write the answer to a batch of products."""
    return _written(recommender_pb2.RecommendSimilarResponse(), answer, faults, report)


def neighbor_response(
    answer: BatchAnswer, faults: Mapping[int, RequestError], report: Report
) -> recommender_pb2.SearchNeighborsResponse:
    """Write the answer to a batch of searches."""
    return _written(recommender_pb2.SearchNeighborsResponse(), answer, faults, report)


def session_response(
    answer: BatchAnswer, faults: Mapping[int, RequestError], report: Report
) -> recommender_pb2.RecommendForSessionResponse:
    """Write the answer to a batch of sessions."""
    return _written(recommender_pb2.RecommendForSessionResponse(), answer, faults, report)


def user_response(
    answer: BatchAnswer, faults: Mapping[int, RequestError], report: Report
) -> recommender_pb2.RecommendForUserResponse:
    """Write the answer to a batch of shoppers."""
    return _written(recommender_pb2.RecommendForUserResponse(), answer, faults, report)


def items_response(
    item_ids: Sequence[str], rows: Sequence[int | RequestError], state: ServingState
) -> recommender_pb2.GetItemsResponse:
    """Write catalogue attributes, or what is wrong with an id."""
    response = recommender_pb2.GetItemsResponse()
    response.info.snapshot_id = state.snapshot.id
    for place, (item_id, row) in enumerate(zip(item_ids, rows, strict=True)):
        outcome = response.outcomes.add()
        if isinstance(row, RequestError):
            outcome.status.CopyFrom(status_of(row, prefix=f"item_ids[{place}]"))
        else:
            attributes = state.snapshot.catalog.attributes(row)
            _write_item(outcome.item, item_id, attributes, state.spaces_of(row))
            outcome.item.available = not state.availability.out_of_stock[row]
    return response


def _written(
    response: R, answer: BatchAnswer, faults: Mapping[int, RequestError], report: Report
) -> R:
    _write_info(response.info, answer, report)
    for place, outcome in enumerate(answer.outcomes):
        _write_outcome(response.outcomes.add(), faults.get(place, outcome), place, report)
    return response


def _write_info(info: common_pb2.ResponseInfo, answer: BatchAnswer, report: Report) -> None:
    info.snapshot_id = report.state.snapshot.id
    info.serving_config = answer.serving_config
    info.accuracy = ACCURACIES[answer.accuracy]
    if answer.experiment_label:
        info.experiment_label = answer.experiment_label
    if answer.degraded:
        info.degraded = True
    if answer.partial:
        info.partial = True
    if report.debug:
        for stage, duration in report.timings.items():
            info.timings.add(stage=stage, duration_ns=duration)


def _write_outcome(
    message: common_pb2.RecommendationOutcome, outcome: Outcome, place: int, report: Report
) -> None:
    if not isinstance(outcome, Answer):
        status: Status = status_of(outcome, prefix=f"requests[{place}]")
        message.status.CopyFrom(status)
        return
    recommendations = message.recommendations
    recommendations.SetInParent()  # an empty answer is an answer
    _write_items(recommendations, outcome.candidates, report.state.snapshot.items)
    if outcome.shortfall is not None:
        _write_shortfall(recommendations.shortfall, outcome.shortfall, outcome.removed)
    if outcome.skipped:
        recommendations.skipped_item_ids.extend(outcome.skipped)
    if outcome.unused_anchor is not None:
        _write_unused(recommendations.unused_anchor, outcome.unused_anchor, report)
    if report.debug:
        _write_debug(recommendations, outcome)


def _write_items(
    recommendations: common_pb2.Recommendations,
    candidates: Sequence[Candidate],
    vocabulary: Vocabulary,
) -> None:
    """Write the items, by columns where they are all alike: the path of most answers."""
    add, id_of = recommendations.items.add, vocabulary.id
    if isinstance(candidates, PlainList):
        score_kind, source_ = SCORE_KINDS[candidates.kind], SOURCES[candidates.source]
        ids = vocabulary.ids(candidates.rows)
        for item_id, score in zip(ids, candidates.scores, strict=True):
            add(item_id=item_id, score=score, score_kind=score_kind, source=source_)
        return
    for row, score, kind, source, _, anchor, anchor_similarity, mixed_from, _ in candidates:
        item = add(
            item_id=id_of(row),
            score=score,
            score_kind=SCORE_KINDS[kind],
            source=SOURCES[source],
        )
        if anchor != PAD_ROW:
            item.anchor_item_id = id_of(anchor)
        if anchor_similarity is not None:
            item.anchor_similarity = anchor_similarity
        if mixed_from:
            item.mixed_from = mixed_from


def _write_shortfall(
    message: common_pb2.Shortfall, shortfall: Shortfall, removed: Mapping[Stage, int]
) -> None:
    message.requested_count = shortfall.requested
    message.returned_count = shortfall.returned
    message.reason = REASONS[shortfall.reason]
    message.removed.extend(_removals(removed))


def _write_unused(message: common_pb2.UnusedAnchor, unused: UnusedAnchor, report: Report) -> None:
    message.min_similarity = unused.min_similarity
    if unused.similarity is not None:
        message.item_id = report.state.snapshot.items.id(unused.row)
        message.similarity = unused.similarity


def _removals(removed: Mapping[Stage, int]) -> list[common_pb2.StageRemoval]:
    """Return removals by the wire's stages, which count the query item among the excluded."""
    counts: dict[common_pb2.Stage.ValueType, int] = {}
    for stage, count in removed.items():
        counts[STAGES[stage]] = counts.get(STAGES[stage], 0) + count
    return [
        common_pb2.StageRemoval(stage=stage, removed_count=count)
        for stage, count in sorted(counts.items())
    ]


def _write_debug(recommendations: common_pb2.Recommendations, answer: Answer) -> None:
    recommendations.filtered.extend(_removals(answer.removed))
    for item, candidate, similarity in zip(
        recommendations.items, answer.candidates, answer.similarities, strict=True
    ):
        item.debug.source_rank = candidate.rank
        score, kind = candidate.unmixed or (candidate.score, candidate.kind)
        item.debug.source_score = score
        item.debug.source_score_kind = SCORE_KINDS[kind]
        if not math.isnan(similarity):
            item.debug.similarity_to_query = similarity


def _write_item(
    item: recommender_pb2.Item, item_id: str, attributes: ItemAttributes, spaces: Sequence[str]
) -> None:
    item.item_id = item_id
    item.title = attributes.title or ""
    item.category_path = attributes.category_path or ""
    item.top_category = attributes.top_category
    item.brand = attributes.brand or ""
    if attributes.price is not None:
        item.price = attributes.price
    item.popularity = attributes.popularity
    item.spaces.extend(spaces)
