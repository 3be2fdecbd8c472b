from benchmarks.grpc_frames import (
    END_HEADERS,
    END_STREAM,
    LARGEST_FRAME,
    PREFACE,
    Kind,
    frame,
    frames_of,
    opening,
    request_body,
    request_frames,
    request_headers,
)


def test_frames_come_back_as_they_were_sent_and_what_is_begun_is_kept():
    sent = [(Kind.DATA, END_STREAM, 7, b"abc"), (Kind.PING, 0, 0, b"12345678")]
    raw = b"".join(frame(*one) for one in sent)
    for cut in range(len(raw)):
        buffer = bytearray(raw[:cut])
        first = [(f.kind, f.flags, f.stream, bytes(f.payload)) for f in frames_of(buffer)]
        buffer += raw[cut:]
        rest = [(f.kind, f.flags, f.stream, bytes(f.payload)) for f in frames_of(buffer)]
        assert first + rest == sent
        assert not buffer


def test_call_is_one_block_of_headers_and_a_message_of_which_the_last_part_ends_the_stream():
    message = bytes(range(256)) * 200
    raw = bytearray(request_frames(5, request_headers("a", "/s/m", 50), request_body(message)))
    head, *parts = list(frames_of(raw))
    assert (head.kind, head.flags, head.stream) == (Kind.HEADERS, END_HEADERS, 5)
    assert [part.kind for part in parts] == [Kind.DATA] * 4
    assert [part.flags for part in parts] == [0, 0, 0, END_STREAM]
    assert all(len(part.payload) <= LARGEST_FRAME for part in parts)
    body = b"".join(bytes(part.payload) for part in parts)
    assert body == b"\x00" + len(message).to_bytes(4, "big") + message


def test_headers_are_plain_text_that_no_table_has_to_be_kept_for():
    block = request_headers("host", "/s/m", 50)
    for text in (b"\x04/s/m", b"\x04host", b"\x10application/grpc", b"\x02te\x08trailers"):
        assert text in block
    assert b"\x0cgrpc-timeout\x0350m" in block
    assert b"grpc-timeout" not in request_headers("host", "/s/m", None)


def test_connection_opens_with_the_preface():
    raw = opening()
    assert raw.startswith(PREFACE)
    frames = list(frames_of(bytearray(raw[len(PREFACE) :])))
    assert [one.kind for one in frames] == [Kind.SETTINGS, Kind.WINDOW_UPDATE]
