"""A gRPC caller whose every byte is the test's: it reads, sends and goes away as no client would."""

import socket
import struct
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from benchmarks.grpc_frames import (
    ACK,
    CONNECTION_WINDOW,
    ENABLE_PUSH,
    END_HEADERS,
    END_STREAM,
    FIRST_WINDOW,
    HEADER_TABLE_SIZE,
    INITIAL_WINDOW_SIZE,
    PREFACE,
    Frame,
    Kind,
    frame,
    frames_of,
    request_body,
    request_headers,
)

PATIENCE_S = 60.0
"""A bound for a test that fails, never a time that is expected."""
READ_BYTES = 1 << 16

RECOMMENDER = "/shelfmate.v1.RecommenderService"


class RawCaller:
    """One connection, by blocking calls of a socket.

    Args:
        port: of a server on loopback.
        window: bytes of an answer that the server may send before it is allowed more.
        source: address that the connection comes from; all of 127.0.0.0/8 are ours.
    """

    def __init__(self, port: int, *, window: int = 0, source: str = "127.0.0.1") -> None:
        self._authority = f"127.0.0.1:{port}"
        self._received = bytearray()
        self._stream = -1
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S, (source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(opening(window))

    def request(self, method: str, message: bytes, deadline_ms: int | None = None) -> bytes:
        """Return the frames of a further call, which are not sent yet."""
        self._stream += 2
        headers = request_headers(self._authority, f"{RECOMMENDER}/{method}", deadline_ms)
        parts = request_body(message)
        sent = [frame(Kind.HEADERS, END_HEADERS, self._stream, headers)]
        sent += [frame(Kind.DATA, 0, self._stream, part) for part in parts[:-1]]
        sent.append(frame(Kind.DATA, END_STREAM, self._stream, parts[-1]))
        return b"".join(sent)

    def call(self, method: str, message: bytes, deadline_ms: int | None = None) -> int:
        """Send a call, and return the number of its stream."""
        self.socket.sendall(self.request(method, message, deadline_ms))
        return self._stream

    def allow(self, stream: int, size: int) -> None:
        """Let the server send so many bytes more, on a stream and on the connection."""
        room = struct.pack(">I", size)
        both = (frame(Kind.WINDOW_UPDATE, 0, one, room) for one in (stream, 0))
        self.socket.sendall(b"".join(both))

    def heard(self, *, acknowledges: bool = True) -> Iterator[Frame]:
        """Give what the server says, until it ends the connection.

        Args:
            acknowledges: whether pings and settings are answered, as any client does.
        """
        while True:
            try:
                data = self.socket.recv(READ_BYTES)
            except ConnectionError:
                return
            if not data:
                return
            self._received += data
            for one in frames_of(self._received):
                if acknowledges and one.kind in (Kind.SETTINGS, Kind.PING) and not one.flags & ACK:
                    payload = bytes(one.payload) if one.kind == Kind.PING else b""
                    self.socket.sendall(frame(one.kind, ACK, 0, payload))
                yield one

    def close(self) -> None:
        """Go away, without a word to whoever speaks HTTP/2."""
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def opening(window: int) -> bytes:
    """Return what a client sends first; there is room on the connection, and none on its streams."""
    settings = ((HEADER_TABLE_SIZE, 0), (ENABLE_PUSH, 0), (INITIAL_WINDOW_SIZE, window))
    packed = b"".join(struct.pack(">HI", name, value) for name, value in settings)
    room = struct.pack(">I", CONNECTION_WINDOW - FIRST_WINDOW)
    return PREFACE + frame(Kind.SETTINGS, 0, 0, packed) + frame(Kind.WINDOW_UPDATE, 0, 0, room)
