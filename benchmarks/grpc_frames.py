"""Just enough HTTP/2 to ask a gRPC server unary questions at little cost of the asker's own.

A generator that shares two cores with the server must not be what is measured: gRPC's own Python
client costs as much for a call as the server does. The frames are those of RFC 9113, the headers those of
RFC 7541 without compression.
"""

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
ACK, END_STREAM, END_HEADERS = 0x1, 0x1, 0x4
HEADER_TABLE_SIZE, ENABLE_PUSH, INITIAL_WINDOW_SIZE = 1, 2, 4
FIRST_WINDOW = 65_535
"""Bytes that a peer may send before it is told otherwise."""
STREAM_WINDOW = 1 << 24
CONNECTION_WINDOW = (1 << 31) - 1
FRAME_HEAD = 9
LARGEST_FRAME = 16_384

STATIC_POST, STATIC_HTTP = b"\x83", b"\x86"
NAME_PATH, NAME_AUTHORITY, NAME_CONTENT_TYPE = b"\x04", b"\x01", b"\x0f\x10"


class Kind(IntEnum):
    """Kinds of frames."""

    DATA = 0
    HEADERS = 1
    RST_STREAM = 3
    SETTINGS = 4
    PING = 6
    GOAWAY = 7
    WINDOW_UPDATE = 8


class Frame(NamedTuple):
    """A frame as it came."""

    kind: int
    flags: int
    stream: int
    payload: memoryview


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """Return the bytes of a frame."""
    head = struct.pack(">I", len(payload))[1:]
    return head + bytes((kind, flags)) + struct.pack(">I", stream) + payload


def opening() -> bytes:
    """Return what a client sends first: it has room for whatever comes, and remembers no headers."""
    settings = b"".join(
        struct.pack(">HI", name, value)
        for name, value in (
            (HEADER_TABLE_SIZE, 0),
            (ENABLE_PUSH, 0),
            (INITIAL_WINDOW_SIZE, STREAM_WINDOW),
        )
    )
    room = struct.pack(">I", CONNECTION_WINDOW - FIRST_WINDOW)
    return PREFACE + frame(Kind.SETTINGS, 0, 0, settings) + frame(Kind.WINDOW_UPDATE, 0, 0, room)


def request_headers(authority: str, path: str, deadline_ms: int | None) -> bytes:
    """Return the header block of a call; the same for all calls of a load."""
    block = STATIC_POST + STATIC_HTTP
    block += NAME_PATH + _text(path) + NAME_AUTHORITY + _text(authority)
    block += NAME_CONTENT_TYPE + _text("application/grpc") + _named("te", "trailers")
    if deadline_ms is not None:
        block += _named("grpc-timeout", f"{deadline_ms}m")
    return block


def request_body(message: bytes) -> list[bytes]:
    """Return a message as gRPC frames it, cut to what an HTTP/2 frame may hold."""
    framed = b"\x00" + struct.pack(">I", len(message)) + message
    return [framed[at : at + LARGEST_FRAME] for at in range(0, len(framed), LARGEST_FRAME)]


def request_frames(stream: int, headers: bytes, body: list[bytes]) -> bytes:
    """Return a whole call."""
    parts = [frame(Kind.HEADERS, END_HEADERS, stream, headers)]
    last = len(body) - 1
    parts += [
        frame(Kind.DATA, END_STREAM if number == last else 0, stream, part)
        for number, part in enumerate(body)
    ]
    return b"".join(parts)


def frames_of(buffer: bytearray) -> Iterator[Frame]:
    """Take the whole frames from the front of a buffer; what is begun stays in it."""
    view = memoryview(bytes(buffer))
    at = 0
    while len(view) - at >= FRAME_HEAD:
        length = int.from_bytes(view[at : at + 3], "big")
        end = at + FRAME_HEAD + length
        if end > len(view):
            break
        stream = int.from_bytes(view[at + 5 : at + 9], "big") & 0x7FFF_FFFF
        yield Frame(view[at + 3], view[at + 4], stream, view[at + FRAME_HEAD : end])
        at = end
    del buffer[:at]


def _text(value: str) -> bytes:
    raw = value.encode("ascii")
    assert len(raw) < 127, f"bug: {value!r} needs a longer length"
    return bytes((len(raw),)) + raw


def _named(name: str, value: str) -> bytes:
    return b"\x00" + _text(name) + _text(value)
