"""One connection to a gRPC server, with many calls in flight."""

import re
import socket
from collections.abc import Callable

from benchmarks.calls import End as End  # whoever speaks another protocol ends calls alike
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
STATUS = re.compile(rb"grpc-status(?:\x01(\d)|\x02(\d\d))")
"""As it stands in trailers that no table compresses: a length, then the number."""
REFILL_BYTES = 1 << 24
"""Received bytes after which the server is given as much room again."""


class Connection:
    """Sends calls, and tells how each of them ended.

    Args:
        host: of the server.
        port: of the server.
        on_end: called with the number of a call and that of its status, see `End`; OK without a
            message is lost.
    """

    def __init__(self, host: str, port: int, on_end: Callable[[int, int], None]) -> None:
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
                unread = End.ANSWERED if one.stream in self._answered else End.LOST
                self._end(one.stream, status_of(bytes(one.payload), unread))
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

    def _end(self, stream: int, code: int) -> None:
        number = self._calls.pop(stream, None)
        if code == End.ANSWERED and stream not in self._answered:
            code = End.LOST
        if number is not None:
            self._on_end(number, code)
        self._answered.discard(stream)

    def _make_room(self, size: int) -> None:
        self._unread_room += size
        if self._unread_room >= REFILL_BYTES:
            self._out += frame(Kind.WINDOW_UPDATE, 0, 0, self._unread_room.to_bytes(4, "big"))
            self._unread_room = 0


def status_of(trailers: bytes, unread: int) -> int:
    """Return the number of the gRPC status in trailers, `unread` where it is not written plainly."""
    found = STATUS.search(trailers)
    return int(found[1] or found[2]) if found else unread
