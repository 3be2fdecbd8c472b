"""Who may come in, decided before a request is read where that can be."""

import functools
import inspect
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, TypeAlias

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
Behaviour: TypeAlias = Callable[[object, Context], Awaitable[object]]

RECOMMENDER = f"/{recommender_pb2.DESCRIPTOR.services_by_name['RecommenderService'].full_name}/"
ADMIN = f"/{admin_pb2.DESCRIPTOR.services_by_name['AdminService'].full_name}/"
OPEN = f"/{HEALTH}/"
"""Load balancers ask for health and hold no credentials."""


class Guard(grpc.aio.ServerInterceptor):
    """Asks for credentials and roles, and bounds the calls in flight of each caller.

    A call that is turned away is so before its message has been read, unless certificates are known: gRPC
    tells of them only afterwards. Whoever has one is no stranger.

    A call is in flight until its answer is written: a caller who does not read holds no more answers
    than it may have calls.

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
        if self._credentials is not None:
            caller = self._credentials.sender(handler_call_details.invocation_metadata)
            if caller is not None or not self._credentials.has_certificates:
                fault = _fault(method, caller)
                if fault is not None:
                    return _refusal(fault)
        handler = await continuation(handler_call_details)
        return None if handler is None else self._guarded(method, handler, caller)

    def _guarded(self, method: str, handler: Handler, caller: Caller | None) -> Handler:
        # What takes a stream refuses the call, and is no call in flight.
        counts = method.startswith(RECOMMENDER) and not handler.request_streaming
        if self._max_calls and counts:
            handler = self._counted(handler, caller)
        if self._credentials is not None and caller is None:
            handler = self._certified(method, handler)
        return handler

    def _counted(self, handler: Handler, caller: Caller | None) -> Handler:
        behaviour = _unary(handler)

        async def bounded(request: object, context: Context) -> object:
            name = self._name(caller, context)
            if self._in_flight[name] >= self._max_calls:
                await abort(context, _too_many(self._max_calls))
            self._in_flight[name] += 1
            left = functools.partial(self._left, name)
            context.add_done_callback(left)  # type: ignore[arg-type]  # a class in its stubs
            return await behaviour(request, context)

        return _answered_by(handler, bounded)

    def _left(self, name: str, _: Context) -> None:
        self._in_flight[name] -= 1
        if not self._in_flight[name]:
            del self._in_flight[name]

    def _name(self, caller: Caller | None, context: Context) -> str:
        caller = caller or self._holder(context)
        return caller.name if caller is not None else address_of(context.peer())

    def _holder(self, context: Context) -> Caller | None:
        if self._credentials is None:
            return None
        return self._credentials.holder(context.peer_identities())

    def _certified(self, method: str, handler: Handler) -> Handler:
        """Return a handler that looks at the certificate of the call's connection first."""

        async def check(context: Context) -> None:
            fault = _fault(method, self._holder(context))
            if fault is not None:
                await abort(context, fault)

        return (
            _streamed_after(check, handler) if handler.request_streaming else _after(check, handler)
        )


def address_of(peer: str) -> str:
    """Return a peer as gRPC names it without its port, which is another one for each connection."""
    return peer.rpartition(":")[0] if peer.startswith(("ipv4:", "ipv6:")) else peer


def _fault(method: str, caller: Caller | None) -> ShelfmateError | None:
    """Return why a caller may not call a method, or None if it may."""
    if caller is None:
        return UnauthenticatedError("expected valid credentials; send an API key or a token")
    if not caller.may(Role.ADMIN if method.startswith(ADMIN) else Role.READ):
        return ForbiddenError(f"role {caller.role.value} does not allow this call")
    return None


def _too_many(max_calls: int) -> OverloadedError:
    return OverloadedError(f"{max_calls} calls of this caller are in flight; wait for one to end")


def _refusal(error: ShelfmateError) -> Handler:
    """Return a handler that reads nothing: it takes a stream of messages and asks for none."""

    async def refuse(requests: object, context: Context) -> NoReturn:
        await abort(context, error)

    return grpc.stream_stream_rpc_method_handler(refuse)


def _after(check: Callable[[Context], Awaitable[None]], handler: Handler) -> Handler:
    behaviour = _unary(handler)

    async def checked(request: object, context: Context) -> object:
        await check(context)
        return await behaviour(request, context)

    return _answered_by(handler, checked)


def _streamed_after(check: Callable[[Context], Awaitable[None]], handler: Handler) -> Handler:
    """Do what `_after` does for a stream of messages, such as those of reflection."""
    behaviour: Any = handler.stream_stream  # its type is that of handlers that run on threads

    async def checked(requests: object, context: Context) -> None:
        await check(context)
        if not inspect.isasyncgenfunction(behaviour):
            await behaviour(requests, context)
            return
        async for response in behaviour(requests, context):
            await context.write(response)

    return grpc.stream_stream_rpc_method_handler(
        checked,
        handler.request_deserializer,
        handler.response_serializer,
    )


def _unary(handler: Handler) -> Behaviour:
    assert handler.unary_unary is not None, "bug: a call of ours that is not unary"
    return handler.unary_unary  # type: ignore[return-value]  # for threads


def _answered_by(handler: Handler, behaviour: Behaviour) -> Handler:
    """Return a unary handler that answers another way, and reads and writes as before."""
    return grpc.unary_unary_rpc_method_handler(
        behaviour,
        handler.request_deserializer,
        handler.response_serializer,
    )
