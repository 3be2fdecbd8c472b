"""Several connections to one target, used in turn, by calls of an event loop."""

import asyncio
import itertools
import random
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import grpc

from shelfmate.client.access import Access
from shelfmate.client.attempts import Attempts
from shelfmate.client.channel import channel_options
from shelfmate.client.restraint import Restraint

Request = TypeVar("Request")
Response = TypeVar("Response")


class AsyncChannelSet:
    """Takes the place of a channel in a stub; see `ChannelSet`.

    Args:
        target: `host:port`, or any other gRPC target.
        connections: how many there are.
        access: credentials and encryption.
    """

    def __init__(self, target: str, connections: int, access: Access) -> None:
        options = channel_options(connections, access)
        tls = access.tls
        self._channels = [
            grpc.aio.insecure_channel(target, options=options)
            if tls is None
            else grpc.aio.secure_channel(target, tls.credentials(), options=options)
            for _ in range(connections)
        ]
        self._access = access
        self._restraint = Restraint(time.monotonic, random.random)

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
        self._restraint.end()
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
        """Send a request when its turn comes, and return the answer; see `Method`."""
        attempts = Attempts(self._restraint, timeout)
        while True:
            await _wait(attempts.wait_s())
            metadata = self._access.metadata()
            try:
                response = await next(self._next)(
                    request, timeout=attempts.left_s, metadata=metadata
                )
            except grpc.aio.AioRpcError as error:
                await _wait(attempts.pause_s(error))
            else:
                attempts.answered()
                return response


async def _wait(seconds: float) -> None:
    if seconds:
        await asyncio.sleep(seconds)
