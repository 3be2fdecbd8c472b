"""Several connections to one target, used in turn, by calls of an event loop."""

import asyncio
import itertools
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import grpc

from shelfmate.client.access import Access
from shelfmate.client.call_error import CallError, held_back, shed_for_s
from shelfmate.client.channel import channel_options
from shelfmate.client.restraint import Restraint

Request = TypeVar("Request")
Response = TypeVar("Response")


class AsyncChannelSet:
    """Takes the place of a channel in a stub.

    Workers share a port and a connection belongs to one of them, so one connection would leave all
    others idle.

    Args:
        target: `host:port`, or any other gRPC target.
        connections: how many there are.
        access: credentials and encryption.
        restraint: decides when calls are sent, and whether again.
    """

    def __init__(self, target: str, connections: int, access: Access, restraint: Restraint) -> None:
        options = (*channel_options(connections), *access.options)
        tls = access.tls
        self._channels = [
            grpc.aio.insecure_channel(target, options=options)
            if tls is None
            else grpc.aio.secure_channel(target, tls.credentials(), options=options)
            for _ in range(connections)
        ]
        self._access = access
        self._restraint = restraint

    def unary_unary(
        self,
        method: str,
        request_serializer: Callable[[Request], bytes],
        response_deserializer: Callable[[bytes], Response],
        _registered_method: bool = False,
    ) -> "AsyncMethod[Request, Response]":
        """Return what calls a method; a stub asks for it under this name."""
        sends = [
            channel.unary_unary(method, request_serializer, response_deserializer)
            for channel in self._channels
        ]
        return AsyncMethod(sends, self._access, self._restraint)

    async def close(self) -> None:
        """Close all connections; calls in flight are cancelled."""
        for channel in self._channels:
            await channel.close()


class AsyncMethod(Generic[Request, Response]):
    """Calls one method, over the connections in turn."""

    def __init__(
        self,
        sends: "Sequence[grpc.aio.UnaryUnaryMultiCallable[Request, Response]]",
        access: Access,
        restraint: Restraint,
    ) -> None:
        self._next = itertools.cycle(sends)
        self._access = access
        self._restraint = restraint

    async def __call__(self, request: Request, timeout: float) -> Response:  # noqa: ASYNC109 - gRPC's name
        """Send a request when its turn comes, again if the server sheds it, and return the answer.

        Args:
            request: the message.
            timeout: seconds until the answer has to be there, waiting included.

        Raises:
            grpc.aio.AioRpcError: the call failed.
            CallError: its turn would not come in time.
        """
        until = time.monotonic() + timeout
        for attempt in itertools.count(1):
            await self._await_turn(until)
            left_s = until - time.monotonic()
            try:
                response = await next(self._next)(
                    request, timeout=left_s, metadata=self._access.metadata()
                )
            except grpc.aio.AioRpcError as error:
                pause_s = self._pause_s(error, attempt)
                if pause_s is None or time.monotonic() + pause_s >= until:
                    raise
                await asyncio.sleep(pause_s)
            else:
                self._restraint.answered()
                return response
        raise AssertionError("bug: counting ended")

    async def _await_turn(self, until: float) -> None:
        wait_s = self._restraint.wait_s(until - time.monotonic())
        if wait_s is None:
            raise CallError(held_back())
        if wait_s:
            await asyncio.sleep(wait_s)

    def _pause_s(self, error: grpc.aio.AioRpcError, attempt: int) -> float | None:
        """Return the pause before the call is sent again; None where it is not."""
        asked_s = shed_for_s(error)
        if asked_s is None:
            self._restraint.answered()
            return None
        return self._restraint.again_s(attempt, asked_s)
