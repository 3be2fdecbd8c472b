"""Answers of the domain as responses of the wire."""

import math
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeAlias

import numpy as np
from google.rpc.status_pb2 import Status

from artifacts.catalog import ItemAttributes
from artifacts.errors import RequestError
from artifacts.neighbors import PAD_ROW
from artifacts.vocabulary import Vocabulary
from retrieval.answer import (
    A,
    Answer,
    BatchAnswer,
    BatchOutcomes,
    Outcome,
    Shortfall,
    Stage,
    UnusedAnchor,
)
from retrieval.candidates import Candidate, PlainList
from retrieval.state import ServingState
from server.convert.enums import ACCURACIES, REASONS, SCORE_KINDS, SOURCES, STAGES
from server.convert.fields import INFO, field
from server.convert.list_kernels import OUTCOMES, write_lists
from server.status import status_of
from shelfmate.v1 import common_pb2, recommender_pb2

USUAL_INFOS = 256
"""Beginnings of responses that are kept: one for each serving config, effort and experiment's arm."""


FEW_ITEMS = 24
"""Up to so many items of a response messages are quicker than the kernel."""


_Said: TypeAlias = tuple[str, str, common_pb2.Accuracy.ValueType, str, bool, bool]
"""Fields of `ResponseInfo` in their order of use, without timings."""


class Report(NamedTuple):
    """What a response says about itself."""

    state: ServingState
    """The snapshot that answered."""
    debug: bool
    """Add debug to every item, and timings."""
    timings: Mapping[str, int]
    """Nanoseconds by stage."""


def answer_bytes(answer: BatchAnswer, faults: Mapping[int, RequestError], report: Report) -> bytes:
    """Write the answer to a batch as it goes on the wire.

    All responses that recommend have the same two fields, so this is any of them. Where there are
    many, lists that came as they are, as most do, are written by one kernel; anything else by way of
    messages.
    """
    plain = {} if report.debug else _plain_lists(answer.outcomes, faults)
    written = dict(zip(plain, _written_lists(plain.values(), report.state), strict=True))
    parts = [info_field(answer, report)]
    for place, outcome in enumerate(answer.outcomes):
        parts.append(written.get(place) or _written(faults.get(place, outcome), place, report))
    return b"".join(parts)


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


def _plain_lists(
    outcomes: Sequence[Outcome], faults: Mapping[int, RequestError]
) -> dict[int, PlainList]:
    """Return by place the answers of which there is nothing to say but their items.

    None where there are few: a message for each item costs less than calling the kernel does.
    """
    found = {
        place: outcome.candidates
        for place, outcome in enumerate(outcomes)
        if isinstance(outcome, Answer)
        and isinstance(outcome.candidates, PlainList)
        and outcome.says_no_more
        and place not in faults
    }
    return found if sum(map(len, found.values())) > FEW_ITEMS else {}


def _written_lists(lists: Collection[PlainList], state: ServingState) -> list[bytes]:
    """Return each list as the field `outcomes` of a response."""
    if not lists:
        return []
    starts = np.zeros(len(lists) + 1, dtype=np.int64)
    np.cumsum([len(each) for each in lists], out=starts[1:])
    rows = np.array([row for each in lists for row in each.rows], dtype=np.int32)
    scores = np.array([score for each in lists for score in each.scores], dtype=np.float32)
    kinds = np.array([SCORE_KINDS[each.kind] for each in lists], dtype=np.uint8)
    sources = np.array([SOURCES[each.source] for each in lists], dtype=np.uint8)
    out, ends = write_lists(
        state.snapshot.items.text, rows, scores.view(np.uint32), starts, (kinds, sources)
    )
    whole = out.tobytes()
    begins = [0, *ends[:-1].tolist()]
    return [whole[begin:end] for begin, end in zip(begins, ends.tolist(), strict=True)]


def info_field(answer: BatchOutcomes[A], report: Report) -> bytes:
    """Return the field `info` of a response."""
    said = (
        report.state.snapshot.id,
        answer.serving_config,
        ACCURACIES[answer.accuracy],
        answer.experiment_label,
        answer.degraded,
        answer.partial,
    )
    if not report.debug:
        return _usual_info(said)
    info = common_pb2.ResponseInfo.FromString(_info_bytes(said))
    for stage, duration in report.timings.items():
        info.timings.add(stage=stage, duration_ns=duration)
    return field(INFO, info.SerializeToString())


def _info_bytes(said: _Said) -> bytes:
    snapshot_id, serving_config, accuracy, experiment_label, degraded, partial = said
    return common_pb2.ResponseInfo(
        snapshot_id=snapshot_id,
        serving_config=serving_config,
        accuracy=accuracy,
        experiment_label=experiment_label,
        degraded=degraded,
        partial=partial,
    ).SerializeToString()


@lru_cache(maxsize=USUAL_INFOS)
def _usual_info(said: _Said) -> bytes:
    return field(INFO, _info_bytes(said))


def _written(outcome: Outcome, place: int, report: Report) -> bytes:
    """Return an outcome as the field `outcomes` of a response."""
    message = common_pb2.RecommendationOutcome()
    _write_outcome(message, outcome, place, report)
    return field(OUTCOMES, message.SerializeToString())


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
