"""Requests from plain arguments; both clients build theirs here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from shelfmate.client.visits import Shopper, Strategy, Visits, session_query, user_query
from shelfmate.v1 import common_pb2, recommender_pb2

Relation: TypeAlias = Literal["alternatives", "continuations"]
Source: TypeAlias = Literal[
    "precomputed", "live", "hybrid", "session_knn", "co_occurrence", "popular"
]
UnknownItems: TypeAlias = Literal["fail", "skip", "fall_back"]
Accuracy: TypeAlias = Literal["fast", "balanced", "accurate"]
Near: TypeAlias = str | Sequence[float] | Mapping[str, float]
"""An item id, a vector, or items with weights."""


@dataclass(frozen=True, slots=True)
class Options:
    """How entries are to be answered; what is left out is the serving config's.

    Attributes:
        k: items wanted, 1 to 1,000.
        serving_config: name of a behaviour.
        relation: what a neighbour means; sessions and shoppers are answered by the serving config's.
        unknown_items: what to do with ids that the snapshot does not know.
        accuracy: effort of searches.
        excluded_item_ids: never in the answer.
        allowed_categories: top categories to stay within.
        min_price: lowest price.
        max_price: highest price.
        min_similarity: lowest input cosine with the query.
        max_similarity_to_query: input cosine with the query from which on items are left out.
        max_similarity_between_results: the same with a better item of the answer.
        allow_partial: take what there is when the deadline passes.
        visitor_id: stable id of the shopper or device, by which experiments assign behaviours to
            calls that name none.
    """

    k: int | None = None
    serving_config: str = ""
    relation: Relation | None = None
    unknown_items: UnknownItems | None = None
    accuracy: Accuracy | None = None
    excluded_item_ids: Sequence[str] = ()
    allowed_categories: Sequence[str] = ()
    min_price: float | None = None
    max_price: float | None = None
    min_similarity: float | None = None
    max_similarity_to_query: float | None = None
    max_similarity_between_results: float | None = None
    allow_partial: bool = False
    visitor_id: str = field(default="", repr=False)


DEFAULT_OPTIONS = Options()


@dataclass(frozen=True, slots=True)
class NewItem:
    """What is known of a product that is newer than the snapshot; empty where nothing is.

    Attributes:
        title: as the shop shows it.
        category_path: levels joined by ` > `; the first one names what is popular beside it.
        description: free text.
    """

    title: str = ""
    category_path: str = ""
    description: str = ""


def similar_request(
    item_ids: Sequence[str],
    options: Options,
    *,
    sources: Sequence[Source] = (),
    new_items: Mapping[str, NewItem] | None = None,
) -> recommender_pb2.RecommendSimilarRequest:
    """Ask for products like products."""
    texts = new_items or {}
    return recommender_pb2.RecommendSimilarRequest(
        call=call_message(options),
        defaults=_defaults(options),
        relation=_relation(options),
        sources=[common_pb2.Source.Value(f"SOURCE_{source.upper()}") for source in sources],
        requests=[_similar_query(item_id, texts.get(item_id)) for item_id in item_ids],
    )


def neighbors_request(
    near: Sequence[Near], options: Options, *, space: str = "", exact: bool = False
) -> recommender_pb2.SearchNeighborsRequest:
    """Ask for neighbours of items, vectors or mixtures of items."""
    return recommender_pb2.SearchNeighborsRequest(
        call=call_message(options),
        defaults=_defaults(options),
        space=space,
        relation=_relation(options),
        exact=exact,
        requests=[_neighbor_query(point) for point in near],
    )


def sessions_request(
    sessions: Sequence[Visits], options: Options, *, strategy: Strategy | None = None
) -> recommender_pb2.RecommendForSessionRequest:
    """Ask for what belongs with visits."""
    name = f"SESSION_STRATEGY_{(strategy or 'unspecified').upper()}"
    return recommender_pb2.RecommendForSessionRequest(
        call=call_message(options),
        defaults=_defaults(options),
        strategy=recommender_pb2.SessionStrategy.Value(name),
        requests=[session_query(visits) for visits in sessions],
    )


def users_request(
    shoppers: Sequence[str | Shopper], options: Options
) -> recommender_pb2.RecommendForUserRequest:
    """Ask for what suits shoppers."""
    return recommender_pb2.RecommendForUserRequest(
        call=call_message(options),
        defaults=_defaults(options),
        requests=[user_query(shopper) for shopper in shoppers],
    )


def items_request(item_ids: Sequence[str]) -> recommender_pb2.GetItemsRequest:
    """Ask for catalogue attributes."""
    return recommender_pb2.GetItemsRequest(item_ids=item_ids)


def _similar_query(item_id: str, text: NewItem | None) -> recommender_pb2.SimilarQuery:
    if text is None:
        return recommender_pb2.SimilarQuery(item_id=item_id)
    new_item = recommender_pb2.NewItem(
        title=text.title, category_path=text.category_path, description=text.description
    )
    return recommender_pb2.SimilarQuery(item_id=item_id, new_item=new_item)


def _neighbor_query(near: Near) -> recommender_pb2.NeighborQuery:
    if isinstance(near, str):
        return recommender_pb2.NeighborQuery(item_id=near)
    if isinstance(near, Mapping):
        items = [
            recommender_pb2.WeightedItem(item_id=item_id, weight=weight)
            for item_id, weight in near.items()
        ]
        return recommender_pb2.NeighborQuery(items=recommender_pb2.WeightedItems(items=items))
    return recommender_pb2.NeighborQuery(vector=recommender_pb2.QueryVector(values=near))


def call_message(options: Options) -> common_pb2.CallOptions | None:
    """Return what holds for a whole call, None where that is nothing."""
    message = common_pb2.CallOptions(
        serving_config=options.serving_config,
        visitor_id=options.visitor_id,
        allow_partial=options.allow_partial,
    )
    return message if message.ByteSize() else None


def _defaults(options: Options) -> common_pb2.AnswerOptions | None:
    message = common_pb2.AnswerOptions(k=options.k, filter=_filter(options))
    if options.unknown_items:
        policy = f"UNKNOWN_ITEM_POLICY_{options.unknown_items.upper()}"
        message.unknown_items = common_pb2.UnknownItemPolicy.Value(policy)
    if options.accuracy:
        message.accuracy = common_pb2.Accuracy.Value(f"ACCURACY_{options.accuracy.upper()}")
    return message if message.ByteSize() else None


def _filter(options: Options) -> common_pb2.Filter | None:
    message = common_pb2.Filter(
        excluded_item_ids=options.excluded_item_ids,
        allowed_categories=options.allowed_categories,
        min_similarity=options.min_similarity,
    )
    if options.min_price is not None or options.max_price is not None:
        band = common_pb2.PriceBand(min_price=options.min_price, max_price=options.max_price)
        message.price_band.CopyFrom(band)
    to_query, between = options.max_similarity_to_query, options.max_similarity_between_results
    if to_query is not None or between is not None:
        near = common_pb2.NearDuplicateBand(
            max_similarity_to_query=to_query, max_similarity_between_results=between
        )
        message.near_duplicates.CopyFrom(near)
    return message if message.ByteSize() else None


def _relation(options: Options) -> common_pb2.Relation.ValueType:
    if options.relation is None:
        return common_pb2.RELATION_UNSPECIFIED
    return common_pb2.Relation.Value(f"RELATION_{options.relation.upper()}")
