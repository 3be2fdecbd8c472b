"""One connection to a gRPC server, with many calls in flight."""

import socket
from collections.abc import Callable
from enum import Enum

from benchmarks.grpc_frames import (
    ACK,
    CONNECTION_WINDOW,
    END_STREAM,
    FIRST_WINDOW,
    Frame,
    Kind,
    frame,
    frames_of,
    opening,
    request_frames,
)

READ_BYTES = 1 << 20
REFUSED = b"grpc-status\x018"
"""RESOURCE_EXHAUSTED as it stands in trailers that no table compresses."""
REFILL_BYTES = 1 << 24
"""Received bytes after which the server is given as much room again."""


class End(Enum):
    """How a call ended."""

    ANSWERED = "answered"  # a message came back
    REFUSED = "refused"  # the server said that it has too much to do
    LOST = "lost"  # neither: its time was over, or it failed


class Connection:
    """Sends calls, and tells which of them were answered.

    Args:
        host: of the server.
        port: of the server.
        on_end: called with the number of a call and how it ended.
    """

    def __init__(self, host: str, port: int, on_end: Callable[[int, End], None]) -> None:
        self.socket = socket.create_connection((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self._on_end = on_end
        self._stream = -1
        self._calls: dict[int, int] = {}
        self._answered: set[int] = set()
        self._received = bytearray()
        self._unread_room = 0
        self._room = FIRST_WINDOW
        self._out = bytearray(opening())
        self._held: list[tuple[int, bytes, list[bytes]]] = []

    @property
    def in_flight(self) -> int:
        """Calls that have not ended."""
        return len(self._calls) + len(self._held)

    def call(self, number: int, headers: bytes, body: list[bytes]) -> None:
        """Queue a call; `flush` sends it, as far as the server has room."""
        self._held.append((number, headers, body))
        self._send_held()

    def flush(self) -> None:
        """Send what is queued, as far as the kernel takes it."""
        if self._out:
            try:
                del self._out[: self.socket.send(self._out)]
            except BlockingIOError:
                return

    def read(self) -> None:
        """Take in what has come.

        Raises:
            ConnectionError: the server closed the connection.
        """
        try:
            data = self.socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        if not data:
            raise ConnectionError("the server closed the connection")
        self._received += data
        for one in frames_of(self._received):
            self._take(one)

    def close(self) -> None:
        """Close the socket; calls in flight are lost."""
        self.socket.close()

    def _send_held(self) -> None:
        while self._held:
            size = sum(len(part) for part in self._held[0][2])
            if size > self._room:
                return
            number, headers, body = self._held.pop(0)
            self._room -= size
            self._stream += 2
            self._calls[self._stream] = number
            self._out += request_frames(self._stream, headers, body)

    def _take(self, one: Frame) -> None:
        match one.kind:
            case Kind.HEADERS if one.flags & END_STREAM:
                is_refused = REFUSED in bytes(one.payload)
                self._end(one.stream, End.REFUSED if is_refused else End.ANSWERED)
            case Kind.RST_STREAM:
                self._end(one.stream, End.LOST)
            case Kind.DATA:
                self._answered.add(one.stream)
                self._make_room(len(one.payload))
            case Kind.SETTINGS if not one.flags & ACK:
                self._out += frame(Kind.SETTINGS, ACK, 0, b"")
            case Kind.PING if not one.flags & ACK:
                self._out += frame(Kind.PING, ACK, 0, bytes(one.payload))
            case Kind.WINDOW_UPDATE if one.stream == 0:
                self._room += int.from_bytes(one.payload, "big") & CONNECTION_WINDOW
                self._send_held()
            case Kind.GOAWAY:
                raise ConnectionError("the server sends this connection away")

    def _end(self, stream: int, end: End) -> None:
        number = self._calls.pop(stream, None)
        if end is End.ANSWERED and stream not in self._answered:
            end = End.LOST
        if number is not None:
            self._on_end(number, end)
        self._answered.discard(stream)

    def _make_room(self, size: int) -> None:
        self._unread_room += size
        if self._unread_room >= REFILL_BYTES:
            self._out += frame(Kind.WINDOW_UPDATE, 0, 0, self._unread_room.to_bytes(4, "big"))
            self._unread_room = 0
