"""Enumerations of the wire and of the domain."""

from collections.abc import Mapping
from typing import TypeVar

from artifacts.accuracy import Accuracy
from artifacts.errors import RequestError
from artifacts.relation import Relation, ScoreKind
from retrieval.answer import ShortfallReason, Stage
from retrieval.candidates import Source
from retrieval.queries import EventKind, SessionStrategy, UnknownItemPolicy
from shelfmate.v1 import common_pb2 as pb
from shelfmate.v1 import recommender_pb2

T = TypeVar("T")

SCORE_KINDS = {
    ScoreKind.COSINE: pb.SCORE_KIND_COSINE,
    ScoreKind.INNER_PRODUCT: pb.SCORE_KIND_INNER_PRODUCT,
    ScoreKind.COUNT: pb.SCORE_KIND_COUNT,
    ScoreKind.RANK_FUSION: pb.SCORE_KIND_RANK_FUSION,
    ScoreKind.SESSION_WEIGHT: pb.SCORE_KIND_SESSION_WEIGHT,
    ScoreKind.CO_OCCURRENCE: pb.SCORE_KIND_CO_OCCURRENCE,
    ScoreKind.RANKER: pb.SCORE_KIND_RANKER,
}
SOURCES = {
    Source.PRECOMPUTED: pb.SOURCE_PRECOMPUTED,
    Source.LIVE: pb.SOURCE_LIVE,
    Source.HYBRID: pb.SOURCE_HYBRID,
    Source.SESSION_KNN: pb.SOURCE_SESSION_KNN,
    Source.CO_OCCURRENCE: pb.SOURCE_CO_OCCURRENCE,
    Source.POPULAR: pb.SOURCE_POPULAR,
}
STAGES = {
    Stage.QUERY_ITEM: pb.STAGE_EXCLUDED,
    Stage.EXCLUDED: pb.STAGE_EXCLUDED,
    Stage.CATEGORY: pb.STAGE_CATEGORY,
    Stage.AVAILABILITY: pb.STAGE_AVAILABILITY,
    Stage.PRICE: pb.STAGE_PRICE,
    Stage.MIN_SIMILARITY: pb.STAGE_MIN_SIMILARITY,
    Stage.TOO_CLOSE_TO_QUERY: pb.STAGE_TOO_CLOSE_TO_QUERY,
    Stage.TOO_CLOSE_TO_RESULT: pb.STAGE_TOO_CLOSE_TO_RESULT,
    Stage.DUPLICATE: pb.STAGE_DUPLICATE,
}
REASONS = {
    ShortfallReason.FILTERED: pb.SHORTFALL_REASON_FILTERED,
    ShortfallReason.EXHAUSTED: pb.SHORTFALL_REASON_EXHAUSTED,
    ShortfallReason.ALL_SKIPPED: pb.SHORTFALL_REASON_ALL_SKIPPED,
    ShortfallReason.DEADLINE: pb.SHORTFALL_REASON_DEADLINE,
}
RELATIONS = {
    Relation.ALTERNATIVES: pb.RELATION_ALTERNATIVES,
    Relation.CONTINUATIONS: pb.RELATION_CONTINUATIONS,
}
ACCURACIES = {
    Accuracy.FAST: pb.ACCURACY_FAST,
    Accuracy.BALANCED: pb.ACCURACY_BALANCED,
    Accuracy.ACCURATE: pb.ACCURACY_ACCURATE,
}

# The other way round, None stands for "not said", and a number that is missing for one that this
# release does not know: proto3 lets a newer caller send it.
SOURCE_OF: Mapping[int, Source] = {number: source for source, number in SOURCES.items()}
RELATION_OF: Mapping[int, Relation | None] = {
    pb.RELATION_UNSPECIFIED: None,
    **{number: relation for relation, number in RELATIONS.items()},
}
ACCURACY_OF: Mapping[int, Accuracy | None] = {
    pb.ACCURACY_UNSPECIFIED: None,
    **{number: accuracy for accuracy, number in ACCURACIES.items()},
}
POLICY_OF: Mapping[int, UnknownItemPolicy | None] = {
    pb.UNKNOWN_ITEM_POLICY_UNSPECIFIED: None,
    pb.UNKNOWN_ITEM_POLICY_FAIL: UnknownItemPolicy.FAIL,
    pb.UNKNOWN_ITEM_POLICY_SKIP: UnknownItemPolicy.SKIP,
    pb.UNKNOWN_ITEM_POLICY_FALL_BACK: UnknownItemPolicy.FALL_BACK,
}
EVENT_KIND_OF: Mapping[int, EventKind] = {
    pb.EVENT_KIND_UNSPECIFIED: EventKind.VIEW,
    pb.EVENT_KIND_VIEW: EventKind.VIEW,
    pb.EVENT_KIND_CART: EventKind.CART,
    pb.EVENT_KIND_PURCHASE: EventKind.PURCHASE,
}
STRATEGY_OF: Mapping[int, SessionStrategy | None] = {
    recommender_pb2.SESSION_STRATEGY_UNSPECIFIED: None,
    recommender_pb2.SESSION_STRATEGY_AGGREGATE: SessionStrategy.AGGREGATE,
    recommender_pb2.SESSION_STRATEGY_INTERLEAVE: SessionStrategy.INTERLEAVE,
    recommender_pb2.SESSION_STRATEGY_INTERESTS: SessionStrategy.INTERESTS,
}


def meaning(of: Mapping[int, T], number: int, *, path: str) -> T:
    """Return what an enumeration's number means.

    Raises:
        RequestError: it means nothing here.
    """
    try:
        return of[number]
    except KeyError:
        raise RequestError(
            f"{path}: expected a value of the enumeration, got {number}",
            field=path,
            reason="UNKNOWN_ENUM_VALUE",
        ) from None
