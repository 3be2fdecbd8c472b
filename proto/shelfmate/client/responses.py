"""Responses as plain values; both clients read theirs here."""

from collections.abc import Iterable

import grpc
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status

from shelfmate.client.answers import (
    Answers,
    EntryError,
    Item,
    Recommendation,
    Recommendations,
    UnusedAnchor,
)
from shelfmate.v1 import common_pb2, recommender_pb2

CODE_NAMES = {code.value[0]: code.name for code in grpc.StatusCode}


def answers(
    response: recommender_pb2.RecommendSimilarResponse
    | recommender_pb2.SearchNeighborsResponse
    | recommender_pb2.RecommendForSessionResponse
    | recommender_pb2.RecommendForUserResponse,
) -> Answers:
    """Read the answers to a batch."""
    return Answers(
        outcomes=tuple(_outcome(outcome) for outcome in response.outcomes),
        snapshot_id=response.info.snapshot_id,
        serving_config=response.info.serving_config,
        partial=response.info.partial,
        degraded=response.info.degraded,
        experiment_label=response.info.experiment_label,
    )


def items(response: recommender_pb2.GetItemsResponse) -> list[Item | EntryError]:
    """Read catalogue attributes."""
    return [
        entry_error(outcome.status) if outcome.HasField("status") else _item(outcome.item)
        for outcome in response.outcomes
    ]


def entry_error(status: Status) -> EntryError:
    """Read a status with its details."""
    info, bad_request = ErrorInfo(), BadRequest()
    for detail in status.details:
        _ = detail.Unpack(info) or detail.Unpack(bad_request)
    fields = [violation.field for violation in bad_request.field_violations]
    return EntryError(
        code=CODE_NAMES.get(status.code, str(status.code)),
        message=status.message,
        reason=info.reason,
        field=fields[0] if fields else "",
    )


def _outcome(outcome: common_pb2.RecommendationOutcome) -> Recommendations | EntryError:
    if outcome.HasField("status"):
        return entry_error(outcome.status)
    answer = outcome.recommendations
    shortfall, removed = "", {}
    if answer.HasField("shortfall"):
        reason = common_pb2.ShortfallReason.Name(answer.shortfall.reason)
        shortfall = word(reason, "SHORTFALL_REASON_")
        removed = {
            word(common_pb2.Stage.Name(removal.stage), "STAGE_"): removal.removed_count
            for removal in answer.shortfall.removed
        }
    return Recommendations(
        items=tuple(_recommendations(answer.items)),
        shortfall=shortfall,
        removed=removed,
        skipped_item_ids=tuple(answer.skipped_item_ids),
        unused_anchor=_unused_anchor(answer),
    )


def _recommendations(
    messages: Iterable[common_pb2.RecommendedItem],
) -> Iterable[Recommendation]:
    for message in messages:
        yield Recommendation(
            item_id=message.item_id,
            score=message.score,
            score_kind=word(common_pb2.ScoreKind.Name(message.score_kind), "SCORE_KIND_"),
            source=word(common_pb2.Source.Name(message.source), "SOURCE_"),
            anchor_item_id=message.anchor_item_id,
            anchor_similarity=(
                message.anchor_similarity if message.HasField("anchor_similarity") else None
            ),
            mixed_from=message.mixed_from,
        )


def _unused_anchor(answer: common_pb2.Recommendations) -> UnusedAnchor | None:
    if not answer.HasField("unused_anchor"):
        return None
    unused = answer.unused_anchor
    return UnusedAnchor(
        min_similarity=unused.min_similarity,
        item_id=unused.item_id,
        similarity=unused.similarity if unused.HasField("similarity") else None,
    )


def _item(message: recommender_pb2.Item) -> Item:
    return Item(
        item_id=message.item_id,
        title=message.title,
        category_path=message.category_path,
        top_category=message.top_category,
        brand=message.brand,
        price=message.price if message.HasField("price") else None,
        popularity=message.popularity,
        available=message.available,
        spaces=tuple(message.spaces),
    )


def word(name: str, prefix: str) -> str:
    """Return the name of an enum's value as the client's answers have it, such as `live`."""
    return name.removeprefix(prefix).lower()
