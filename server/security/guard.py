"""Who may come in, decided before a request is read."""

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import NoReturn, TypeAlias

import grpc

from artifacts.errors import (
    ForbiddenError,
    OverloadedError,
    ShelfmateError,
    UnauthenticatedError,
)
from server.health import HEALTH
from server.security.credentials import Credentials
from server.security.roles import Caller, Role
from server.status import abort
from shelfmate.v1 import admin_pb2, recommender_pb2

Handler: TypeAlias = "grpc.RpcMethodHandler[object, object]"
Found: TypeAlias = "Handler | None"
Context: TypeAlias = grpc.aio.ServicerContext[object, object]

RECOMMENDER = f"/{recommender_pb2.DESCRIPTOR.services_by_name['RecommenderService'].full_name}/"
ADMIN = f"/{admin_pb2.DESCRIPTOR.services_by_name['AdminService'].full_name}/"
OPEN = f"/{HEALTH}/"
"""Load balancers ask for health and hold no credentials."""


class Guard(grpc.aio.ServerInterceptor):
    """Asks for credentials and roles, and bounds the calls in flight of each caller.

    A call that is turned away is so before its message has been read.

    Args:
        credentials: what is good; None lets everybody in.
        max_calls: recommender calls in flight of one caller; 0 for no bound.
    """

    def __init__(self, credentials: Credentials | None, max_calls: int) -> None:
        self._credentials = credentials
        self._max_calls = max_calls
        self._in_flight: Counter[str] = Counter()

    async def intercept_service(  # type: ignore[override]  # generic in what no interceptor knows
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Found]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Found:
        """Return what answers the call, or what refuses it."""
        method = handler_call_details.method
        if method.startswith(OPEN):
            return await continuation(handler_call_details)
        caller = None
        try:
            if self._credentials is not None:
                caller = self._admitted(method, handler_call_details)
        except (UnauthenticatedError, ForbiddenError) as error:
            return _refusal(error)
        handler = await continuation(handler_call_details)
        if not self._max_calls or handler is None or not method.startswith(RECOMMENDER):
            return handler
        # What takes a stream refuses the call, and is no call in flight.
        return handler if handler.request_streaming else self._counted(handler, caller)

    def _admitted(self, method: str, details: grpc.HandlerCallDetails) -> Caller:
        assert self._credentials is not None, "bug: nothing to check"
        caller = self._credentials.caller(details.invocation_metadata)
        if not caller.may(Role.ADMIN if method.startswith(ADMIN) else Role.READ):
            raise ForbiddenError(f"role {caller.role.value} does not allow this call")
        return caller

    def _counted(self, handler: Handler, caller: Caller | None) -> Handler:
        behaviour = handler.unary_unary
        assert behaviour is not None, "bug: a recommender call that is not unary"

        async def bounded(request: object, context: Context) -> object:
            name = caller.name if caller is not None else address_of(context.peer())
            if self._in_flight[name] >= self._max_calls:
                await abort(context, _too_many(self._max_calls))
            self._in_flight[name] += 1
            try:
                return await behaviour(request, context)  # type: ignore[arg-type,misc]  # for threads
            finally:
                self._in_flight[name] -= 1
                if not self._in_flight[name]:
                    del self._in_flight[name]

        return grpc.unary_unary_rpc_method_handler(
            bounded,
            handler.request_deserializer,
            handler.response_serializer,
        )


def address_of(peer: str) -> str:
    """Return a peer as gRPC names it without its port, which is another one for each connection."""
    return peer.rpartition(":")[0] if peer.startswith(("ipv4:", "ipv6:")) else peer


def _too_many(max_calls: int) -> OverloadedError:
    return OverloadedError(f"{max_calls} calls of this caller are in flight; wait for one to end")


def _refusal(error: ShelfmateError) -> Handler:
    """Return a handler that reads nothing: it takes a stream of messages and asks for none."""

    async def refuse(requests: object, context: Context) -> NoReturn:
        await abort(context, error)

    return grpc.stream_stream_rpc_method_handler(refuse)
