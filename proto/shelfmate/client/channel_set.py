"""Several connections to one target, used in turn, by blocking calls."""

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


class ChannelSet:
    """Takes the place of a channel in a stub.

    Workers share a port and a connection belongs to one of them, so one connection would leave all
    others idle.

    Args:
        target: `host:port`, or any other gRPC target.
        connections: how many there are.
        access: credentials and encryption.
    """

    def __init__(self, target: str, connections: int, access: Access) -> None:
        options = channel_options(connections, access)
        tls = access.tls
        self._channels = [
            grpc.insecure_channel(target, options=options)
            if tls is None
            else grpc.secure_channel(target, tls.credentials(), options=options)
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
    ) -> "Method[Request, Response]":
        """Return what calls a method; a stub asks for it under this name."""
        sends = [
            channel.unary_unary(method, request_serializer, response_deserializer)
            for channel in self._channels
        ]
        return Method(sends, self._access, self._restraint)

    def close(self) -> None:
        """Close all connections; calls in flight are cancelled."""
        self._restraint.end()
        for channel in self._channels:
            channel.close()


class Method(Generic[Request, Response]):
    """Calls one method, over the connections in turn."""

    def __init__(
        self,
        sends: "Sequence[grpc.UnaryUnaryMultiCallable[Request, Response]]",
        access: Access,
        restraint: Restraint,
    ) -> None:
        self._next = itertools.cycle(sends)
        self._access = access
        self._restraint = restraint

    def __call__(self, request: Request, timeout: float) -> Response:
        """Send a request when its turn comes, and return the answer; see `Attempts`.

        Args:
            request: the message.
            timeout: seconds until the answer has to be there, waiting included.

        Raises:
            CallError: the call failed, or its turn would not come in time.
        """
        attempts = Attempts(self._restraint, timeout)
        while True:
            _wait(attempts.wait_s())
            metadata = self._access.metadata()
            try:
                response = next(self._next)(request, timeout=attempts.left_s, metadata=metadata)
            except grpc.RpcError as error:
                _wait(attempts.pause_s(error))
            else:
                attempts.answered()
                return response


def _wait(seconds: float) -> None:
    if seconds:
        time.sleep(seconds)
