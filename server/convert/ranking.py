"""Lists to be ordered, and their order, between the wire and the domain."""

from collections.abc import Mapping

from artifacts.errors import RequestError
from retrieval.queries import DEFAULT_CALL, RerankBatch, RerankQuery
from retrieval.ranking.ranked import Contributions, Ranked, RankedBatch
from retrieval.ranking.run import check_candidate_count
from server.convert.fields import field
from server.convert.list_kernels import OUTCOMES
from server.convert.requests import Converted, call_options, entries, visits_of
from server.convert.responses import Report, info_field
from server.status import status_of
from shelfmate.v1 import recommender_pb2 as pb

NO_LIST = RerankQuery(())

BIAS = "bias"
"""Name of the model's base value among the features."""


def rerank_batch(request: pb.RerankRequest) -> Converted[RerankBatch]:
    """Read a batch of lists.

    Raises:
        RequestError: a field of the whole call holds an unknown enumeration value.
    """
    queries, faults = entries(request.requests, _query, NO_LIST)
    call = call_options(request.call) if request.HasField("call") else DEFAULT_CALL
    return Converted(RerankBatch(queries, call, request.contributions), faults)


def rerank_bytes(answer: RankedBatch, faults: Mapping[int, RequestError], report: Report) -> bytes:
    """Write the order of a batch of lists as it goes on the wire."""
    parts = [info_field(answer, report)]
    for place, outcome in enumerate(answer.outcomes):
        message = pb.RerankOutcome()
        found = faults.get(place, outcome)
        if isinstance(found, Ranked):
            message.ranked.schema_version = found.schema_version
            _write_ranked(message.ranked, found)
        else:
            message.status.CopyFrom(status_of(found, prefix=f"requests[{place}]"))
        parts.append(field(OUTCOMES, message.SerializeToString()))
    return b"".join(parts)


def _query(message: pb.RerankQuery) -> RerankQuery:
    candidates = message.candidates
    check_candidate_count(len(candidates))  # before all of them are read
    features = [dict(candidate.features) for candidate in candidates]
    return RerankQuery(
        item_ids=[candidate.item_id for candidate in candidates],
        features=features if any(features) else (),
        visits=visits_of(message.visits),
        item_id=message.item_id,
        user_id=message.user_id,
    )


def _write_ranked(message: pb.RankedItems, ranked: Ranked) -> None:
    add = message.items.add
    known = len(ranked.scores)
    for item_id, score in zip(ranked.item_ids[:known], ranked.scores, strict=True):
        add(item_id=item_id, score=score)
    for item_id in ranked.item_ids[known:]:
        add(item_id=item_id, unknown=True)
    message.skipped_item_ids.extend(ranked.skipped)
    if ranked.contributions is not None:
        _write_contributions(message, ranked.contributions)


def _write_contributions(message: pb.RankedItems, found: Contributions) -> None:
    for item, values, parts in zip(
        message.items, found.values.tolist(), found.parts.tolist(), strict=False
    ):
        add = item.contributions.add
        for name, value, part in zip(found.names, values, parts, strict=False):
            add(feature=name, value=value, contribution=part)
        add(feature=BIAS, contribution=parts[-1])
