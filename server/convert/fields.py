"""Fields of messages as bytes, for responses that are put together without one."""

from google.protobuf.message import Message

INFO = 0x0A
"""Tag of the field `info` of every response."""


def field(tag: int, content: bytes) -> bytes:
    """Return a field that holds a message.

    Args:
        tag: number << 3 | 2, below 128.
        content: the message.
    """
    size, head = len(content), [tag]
    while size >= 0x80:
        head.append((size & 0x7F) | 0x80)
        size >>= 7
    head.append(size)
    return bytes(head) + content


def serialized(response: object) -> bytes:
    """Return a response, a message or its bytes, as it goes on the wire."""
    if isinstance(response, bytes):
        return response
    assert isinstance(response, Message), "bug: neither a message nor its bytes"
    return response.SerializeToString()
