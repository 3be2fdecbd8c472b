"""Requests of the wire as queries of the domain."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from artifacts.errors import RequestError
from retrieval.candidates import Source
from retrieval.queries import (
    DEFAULT_CALL,
    NO_OPTIONS,
    AnswerOptions,
    CallOptions,
    FilterSpec,
    Near,
    NearDuplicateBand,
    NearItem,
    NearItems,
    NearVector,
    NeighborBatch,
    NeighborQuery,
    NewItem,
    PriceBand,
    SessionBatch,
    SessionQuery,
    SimilarBatch,
    SimilarQuery,
    UserBatch,
    UserQuery,
    Visit,
)
from retrieval.session.visited import check_visit_count
from server.convert.enums import (
    ACCURACY_OF,
    EVENT_KIND_OF,
    POLICY_OF,
    RELATION_OF,
    SOURCE_OF,
    STRATEGY_OF,
    meaning,
)
from shelfmate.v1 import common_pb2, recommender_pb2

B = TypeVar("B")
M = TypeVar("M")
Q = TypeVar("Q")

NO_ITEM = SimilarQuery("")
NO_SEARCH = NeighborQuery(None)
NO_SESSION = SessionQuery(())
NO_USER = UserQuery("")


class Converted(NamedTuple, Generic[B]):
    """A batch, and the entries that could not be read."""

    batch: B
    """Holds a placeholder for each entry in `faults`, so that places agree."""
    faults: Mapping[int, RequestError]
    """What is wrong with an entry, by place."""


def similar_batch(
    request: recommender_pb2.RecommendSimilarRequest,
) -> Converted[SimilarBatch]:
    """Read a batch of products.

    Raises:
        RequestError: a field of the whole call holds an unknown enumeration value.
    """
    queries, faults = entries(request.requests, _similar_query, NO_ITEM)
    relation, sources = request.relation, request.sources
    batch = SimilarBatch(
        queries,
        call_options(request.call) if request.HasField("call") else DEFAULT_CALL,
        _options(request.defaults, "defaults") if request.HasField("defaults") else NO_OPTIONS,
        meaning(RELATION_OF, relation, path="relation") if relation else None,
        _sources(sources) if sources else (),
    )
    return Converted(batch, faults)


def neighbor_batch(
    request: recommender_pb2.SearchNeighborsRequest,
) -> Converted[NeighborBatch]:
    """Read a batch of searches.

    Raises:
        RequestError: a field of the whole call holds an unknown enumeration value.
    """
    queries, faults = entries(request.requests, _neighbor_query, NO_SEARCH)
    batch = NeighborBatch(
        queries=queries,
        call=call_options(request.call) if request.HasField("call") else DEFAULT_CALL,
        defaults=_options(request.defaults, "defaults")
        if request.HasField("defaults")
        else NO_OPTIONS,
        space=request.space,
        relation=meaning(RELATION_OF, request.relation, path="relation"),
        exact=request.exact,
    )
    return Converted(batch, faults)


def session_batch(
    request: recommender_pb2.RecommendForSessionRequest,
) -> Converted[SessionBatch]:
    """Read a batch of sessions.

    Raises:
        RequestError: a field of the whole call holds an unknown enumeration value.
    """
    queries, faults = entries(request.requests, _session_query, NO_SESSION)
    batch = SessionBatch(
        queries,
        call_options(request.call) if request.HasField("call") else DEFAULT_CALL,
        _options(request.defaults, "defaults") if request.HasField("defaults") else NO_OPTIONS,
        meaning(STRATEGY_OF, request.strategy, path="strategy"),
    )
    return Converted(batch, faults)


def user_batch(request: recommender_pb2.RecommendForUserRequest) -> Converted[UserBatch]:
    """Read a batch of shoppers.

    Raises:
        RequestError: a field of the whole call holds an unknown enumeration value.
    """
    queries, faults = entries(request.requests, _user_query, NO_USER)
    batch = UserBatch(
        queries,
        call_options(request.call) if request.HasField("call") else DEFAULT_CALL,
        _options(request.defaults, "defaults") if request.HasField("defaults") else NO_OPTIONS,
    )
    return Converted(batch, faults)


def _sources(numbers: Iterable[int]) -> list[Source]:
    return [
        meaning(SOURCE_OF, number, path=f"sources[{place}]") for place, number in enumerate(numbers)
    ]


def entries(
    messages: Iterable[M], read: Callable[[M], Q], placeholder: Q
) -> tuple[list[Q], dict[int, RequestError]]:
    """Read each entry; one that cannot be read leaves a placeholder and its error."""
    queries, faults = [], {}
    for place, message in enumerate(messages):
        try:
            queries.append(read(message))
        except RequestError as error:
            queries.append(placeholder)
            faults[place] = error
    return queries, faults


def _similar_query(query: recommender_pb2.SimilarQuery) -> SimilarQuery:
    return SimilarQuery(
        query.item_id,
        _new_item(query.new_item) if query.HasField("new_item") else None,
        _options(query.options, "options") if query.HasField("options") else None,
    )


def _new_item(new: recommender_pb2.NewItem) -> NewItem:
    return NewItem(new.title, new.category_path, new.description)


def _neighbor_query(query: recommender_pb2.NeighborQuery) -> NeighborQuery:
    options = _options(query.options, "options") if query.HasField("options") else None
    return NeighborQuery(_near(query), options)


def _session_query(query: recommender_pb2.SessionQuery) -> SessionQuery:
    options = _options(query.options, "options") if query.HasField("options") else None
    return SessionQuery(visits_of(query.visits), options)


def _user_query(query: recommender_pb2.UserQuery) -> UserQuery:
    options = _options(query.options, "options") if query.HasField("options") else None
    return UserQuery(query.user_id, visits_of(query.visits), query.exclude_history, options)


def visits_of(messages: Collection[common_pb2.Visit]) -> list[Visit]:
    """Read visits.

    Raises:
        RequestError: too many of them, or a kind of event that this release does not know.
    """
    check_visit_count(len(messages))  # before all of them are read
    return [_visit(place, message) for place, message in enumerate(messages)]


def _visit(place: int, visit: common_pb2.Visit) -> Visit:
    at = visit.visited_at
    return Visit(
        visit.item_id,
        meaning(EVENT_KIND_OF, visit.kind, path=f"visits[{place}].kind"),
        visit.weight if visit.HasField("weight") else 1.0,
        at.seconds + at.nanos / 1e9 if visit.HasField("visited_at") else None,
    )


def _near(query: recommender_pb2.NeighborQuery) -> Near | None:
    match query.WhichOneof("query"):
        case "item_id":
            return NearItem(query.item_id)
        case "vector":
            return NearVector(np.array(query.vector.values, dtype=np.float32))
        case "items":
            items = query.items.items
            return NearItems(
                [item.item_id for item in items],
                [item.weight if item.HasField("weight") else 1.0 for item in items],
            )
        case _:
            return None


def call_options(call: common_pb2.CallOptions) -> CallOptions:
    """Read what holds for a whole call."""
    return CallOptions(call.serving_config, call.debug, call.allow_partial, call.visitor_id)


def _options(options: common_pb2.AnswerOptions, path: str) -> AnswerOptions:
    return AnswerOptions(
        k=options.k if options.HasField("k") else None,
        filter=_filter(options.filter) if options.HasField("filter") else None,
        accuracy=meaning(ACCURACY_OF, options.accuracy, path=f"{path}.accuracy"),
        unknown_items=meaning(POLICY_OF, options.unknown_items, path=f"{path}.unknown_items"),
    )


def _filter(filter: common_pb2.Filter) -> FilterSpec:
    price_band = None
    if filter.HasField("price_band"):
        band = filter.price_band
        price_band = PriceBand(
            low=band.min_price if band.HasField("min_price") else None,
            high=band.max_price if band.HasField("max_price") else None,
        )
    return FilterSpec(
        excluded_ids=tuple(filter.excluded_item_ids),
        allowed_categories=tuple(filter.allowed_categories),
        price_band=price_band,
        min_similarity=filter.min_similarity if filter.HasField("min_similarity") else None,
        available_only=filter.available_only,
        near_duplicates=_near_duplicates(filter) if filter.HasField("near_duplicates") else None,
    )


def _near_duplicates(filter: common_pb2.Filter) -> NearDuplicateBand:
    band = filter.near_duplicates
    to_query, between = band.max_similarity_to_query, band.max_similarity_between_results
    return NearDuplicateBand(
        to_query if band.HasField("max_similarity_to_query") else None,
        between if band.HasField("max_similarity_between_results") else None,
    )
