"""Connections to an HTTP/1.1 server, each with one call in flight."""

import socket
from collections import deque

from benchmarks.calls import End
from benchmarks.open_loop import Load, OnEnd, Wire

CONNECTIONS = 32
"""As many as a client keeps open; calls beyond them wait their turn, which counts as latency."""
READ_BYTES = 1 << 18
HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"
OVERLOADED = (b"429", b"503")

Call = tuple[int, bytes]


class HttpConnection:
    """Sends one call after the other, taking the next of those that all connections share.

    Calls are not pipelined: few servers answer a connection's second call before its first is done,
    so they would wait behind each other while other connections have nothing to do.

    Args:
        address: host and port of the server.
        on_end: told how calls end.
        waiting: calls that wait for a connection, shared by all.
        idle: connections that wait for a call, shared by all; all get their turn, since servers
            close those that nothing comes on.
    """

    def __init__(
        self,
        address: tuple[str, int],
        on_end: OnEnd,
        waiting: deque[Call],
        idle: "deque[HttpConnection]",
    ) -> None:
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self._on_end = on_end
        self._waiting = waiting
        self._idle = idle
        self._number: int | None = None
        self._out = bytearray()
        self._received = bytearray()
        idle.append(self)

    @property
    def in_flight(self) -> int:
        """Calls that have not ended; those that wait for a connection are not counted."""
        return int(self._number is not None)

    def call(self, number: int, headers: bytes, body: list[bytes]) -> None:
        """Send a call by a connection that is idle, or as soon as one is."""
        call = (number, headers + b"".join(body))
        if self._idle:
            self._idle.popleft()._begin(call)
        else:
            self._waiting.append(call)

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
            ConnectionError: the server closed the connection, or does not say how long its answer is.
        """
        try:
            data = self.socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        if not data:
            raise ConnectionError("the server closed the connection")
        self._received += data
        head = self._received.find(HEAD_END)
        if head < 0:
            return
        size = head + len(HEAD_END) + _length(bytes(self._received[:head]))
        if len(self._received) >= size:
            status = bytes(self._received[9:12])
            del self._received[:size]
            self._end(status)

    def close(self) -> None:
        """Close the socket; a call in flight is lost."""
        self.socket.close()

    def _begin(self, call: Call) -> None:
        self._number, message = call
        self._out += message
        self.flush()

    def _end(self, status: bytes) -> None:
        number, self._number = self._number, None
        if number is not None:
            self._on_end(number, _outcome(status))
        if self._waiting:
            self._begin(self._waiting.popleft())
        else:
            self._idle.append(self)


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(LENGTH):
            return int(line[len(LENGTH) :])
    raise ConnectionError(f"expected an answer with its length, got {head[:200]!r}")


def _outcome(status: bytes) -> End:
    if status == b"200":
        return End.ANSWERED
    return End.REFUSED if status in OVERLOADED else End.LOST


def _connect(host: str, port: int, on_end: OnEnd) -> list[HttpConnection]:
    waiting: deque[Call] = deque()
    idle: deque[HttpConnection] = deque()
    return [HttpConnection((host, port), on_end, waiting, idle) for _ in range(CONNECTIONS)]


def _headers(load: Load) -> bytes:
    """Return the head of every call, but for the length of its body."""
    lines = [f"POST {load.path} HTTP/1.1", "host: load", "content-type: application/json"]
    return "\r\n".join([*lines, ""]).encode()


def _body(message: bytes) -> list[bytes]:
    return [b"content-length: %d\r\n\r\n" % len(message), message]


HTTP = Wire(_connect, _headers, _body)
