"""Calls that are turned away before they are read."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, NoReturn, Protocol, TypeAlias

import grpc

from artifacts.errors import OverloadedError
from server.convert.fields import serialized
from server.request_ids import REQUEST_ID, made_id, sent_id
from server.status import CODE_OF_NUMBER, DETAILS_KEY, status_of

Handler: TypeAlias = "grpc.RpcMethodHandler[object, object]"
Found: TypeAlias = "Handler | None"
Context: TypeAlias = grpc.aio.ServicerContext[object, object]

SEARCHING = frozenset({"Rerank", "SearchNeighbors"})
"""Methods that cannot be answered on the event loop."""

FULL = status_of(OverloadedError("the server takes on no more calls; try again in a moment"))
"""Written once: a refusal has to be cheap when there are many."""


class Watch(Protocol):
    """Sees every call that passes."""

    def enter(self, metadata: Iterable[tuple[str, str | bytes]] | None) -> None:
        """Take note of a call that arrives; runs in the call's own context."""

    def watched(self, path: str, handler: Handler) -> Handler:
        """Return a handler that is watched answering."""


class _Way(NamedTuple):
    """What becomes of the calls of a method."""

    answer: Handler
    refusal: Handler
    searches: bool


class Turnstile(grpc.GenericRpcHandler):
    """Finds what answers a call, or refuses it at the least cost.

    gRPC receives and parses the message of a unary call before its handler can say no. A refusal
    takes a stream of messages instead, asks for none of them, and ends the call at once.

    Stands in for a server where a generated function registers a service: a server that knows a
    method by its name asks no further. What watches calls does so from here: an interceptor costs
    each call a coroutine and two closures.

    Args:
        is_full: whether no call is taken on; told whether the call cannot do without a search.
        watch: sees the calls; None where something else does, or nobody.
    """

    def __init__(self, is_full: Callable[[bool], bool], watch: Watch | None = None) -> None:
        self._is_full = is_full
        self._watch = watch
        self._ways: dict[str, _Way] = {}

    def add_generic_rpc_handlers(self, handlers: object) -> None:
        """Do nothing: the same methods come by name."""

    def add_registered_method_handlers(
        self, service_name: str, method_handlers: Mapping[str, Handler]
    ) -> None:
        """Learn what answers the methods of a service."""
        for name, handler in method_handlers.items():
            path = f"/{service_name}/{name}"
            answer = self._seen(path, _answering_in_bytes(handler))
            refusal = self._seen(path, REFUSAL)
            self._ways[path] = _Way(answer, refusal, name in SEARCHING)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Found:
        """Return what answers a call, None for a method of some other service."""
        way = self._ways.get(handler_call_details.method)
        if way is None:
            return None
        if self._watch is not None:
            self._watch.enter(handler_call_details.invocation_metadata)
        answer, refusal, searches = way
        return refusal if self._is_full(searches) else answer

    def _seen(self, path: str, handler: Handler) -> Handler:
        return handler if self._watch is None else self._watch.watched(path, handler)


def _answering_in_bytes(handler: Handler) -> Handler:
    """Let a unary method answer with what goes on the wire in place of a message."""
    if handler.unary_unary is None:
        return handler
    return grpc.unary_unary_rpc_method_handler(
        handler.unary_unary, handler.request_deserializer, serialized
    )


async def _refuse(requests: object, context: Context) -> NoReturn:
    request_id = sent_id(context.invocation_metadata()) or made_id()
    metadata = (DETAILS_KEY, FULL_DETAILS), (REQUEST_ID, request_id)
    await context.abort(CODE_OF_NUMBER[FULL.code], FULL.message, metadata)
    raise AssertionError("bug: abort returned")


FULL_DETAILS = FULL.SerializeToString()
REFUSAL: Handler = grpc.stream_stream_rpc_method_handler(_refuse)
