"""Calls that are turned away before they are read."""

from collections.abc import Callable, Mapping
from typing import NoReturn, TypeAlias

import grpc

from artifacts.errors import OverloadedError
from server.request_ids import REQUEST_ID, sent_id
from server.status import CODE_OF_NUMBER, DETAILS_KEY, status_of

Handler: TypeAlias = "grpc.RpcMethodHandler[object, object]"
Found: TypeAlias = "Handler | None"
Context: TypeAlias = grpc.aio.ServicerContext[object, object]

SEARCHING = frozenset({"SearchNeighbors"})
"""Methods that cannot be answered without a search."""

FULL = status_of(OverloadedError("the server takes on no more calls; try again in a moment"))
"""Written once: a refusal has to be cheap when there are many."""


class Turnstile(grpc.GenericRpcHandler):
    """Finds what answers a call, or refuses it at the least cost.

    gRPC receives and parses the message of a unary call before its handler can say no. A refusal
    takes a stream of messages instead, asks for none of them, and ends the call at once.

    Stands in for a server where a generated function registers a service: a server that knows a
    method by its name asks no further.

    Args:
        is_full: whether no call is taken on; told whether the call cannot do without a search.
    """

    def __init__(self, is_full: Callable[[bool], bool]) -> None:
        self._is_full = is_full
        self._methods: dict[str, tuple[Handler, bool]] = {}

    def add_generic_rpc_handlers(self, handlers: object) -> None:
        """Do nothing: the same methods come by name."""

    def add_registered_method_handlers(
        self, service_name: str, method_handlers: Mapping[str, Handler]
    ) -> None:
        """Learn what answers the methods of a service."""
        for name, handler in method_handlers.items():
            self._methods[f"/{service_name}/{name}"] = handler, name in SEARCHING

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Found:
        """Return what answers a call, None for a method of some other service."""
        found = self._methods.get(handler_call_details.method)
        if found is None:
            return None
        handler, searches = found
        return REFUSAL if self._is_full(searches) else handler


async def _refuse(requests: object, context: Context) -> NoReturn:
    metadata: tuple[tuple[str, str | bytes], ...] = ((DETAILS_KEY, FULL_DETAILS),)
    request_id = sent_id(context.invocation_metadata())
    if request_id:
        metadata = (*metadata, (REQUEST_ID, request_id))
    await context.abort(CODE_OF_NUMBER[FULL.code], FULL.message, metadata)
    raise AssertionError("bug: abort returned")


FULL_DETAILS = FULL.SerializeToString()
REFUSAL: Handler = grpc.stream_stream_rpc_method_handler(_refuse)
