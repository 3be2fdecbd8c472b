"""The generator against a server of gRPC's own."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from benchmarks.arrivals import Arrivals, Step, due_times
from benchmarks.open_loop import Ask, Load, Schedule, run_calls, run_load

SERVICE = "made.Service"


def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
    if request == b"refuse":
        context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "no more")
    if request == b"fail":
        # The details are named like the status, and come before it or after it.
        context.set_trailing_metadata((("grpc-status-details-bin", b"\x0214"), ("note", "8")))
        context.abort(grpc.StatusCode.UNAVAILABLE, "grpc-status")
    return request


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = grpc.server(ThreadPoolExecutor(4), options=(("grpc.so_reuseport", 0),))
    handler: Any = grpc.unary_unary_rpc_method_handler(answer)
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(SERVICE, {"Answer": handler}),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield port
    server.stop(None).wait()


def load(*messages: bytes, count: int = 100, method: str = "Answer") -> Load:
    return Load(f"/{SERVICE}/{method}", messages, rate=400, seconds=count / 400, deadline_ms=20_000)


def test_every_call_is_answered_and_measured_from_when_it_was_due(port):
    result = run_load("127.0.0.1", port, load(b"hello"))
    assert result.good_share == 1
    assert result.refused_rate == 0
    assert len(result.latencies_s) == 100
    assert result.latencies_s.min() > 0


def test_refused_calls_are_counted_apart(port):
    result = run_load("127.0.0.1", port, load(b"hello", b"refuse"))
    assert result.good_share == pytest.approx(0.5)
    assert result.refused_rate == pytest.approx(result.rate / 2)


def test_unknown_method_answers_nothing(port):
    result = run_load("127.0.0.1", port, load(b"hello", count=20, method="Nothing"))
    assert result.good_share == 0
    assert result.refused_rate == 0
    assert len(result.latencies_s) == 0


def test_large_messages_wait_for_room_and_arrive(port):
    result = run_load("127.0.0.1", port, load(bytes(60_000), count=60))
    assert result.good_share == 1


def test_calls_of_several_methods_end_with_their_own_status(port):
    asks = [
        Ask(f"/{SERVICE}/Answer", b"hello"),
        Ask(f"/{SERVICE}/Answer", b"fail"),
        Ask(f"/{SERVICE}/Nothing", b"hello"),
        Ask(f"/{SERVICE}/Answer", b"refuse"),
    ]
    due_s = due_times([Step(400, 0.2)], Arrivals.CONSTANT, seed=1)
    calls = run_calls("127.0.0.1", port, Schedule(asks, due_s, deadline_ms=20_000))
    assert calls.counts() == {
        "UNAVAILABLE": 20,
        "UNIMPLEMENTED": 20,
        "RESOURCE_EXHAUSTED": 20,
        "OK": 20,
    }
    assert (calls.codes.reshape(20, 4) == [0, 14, 12, 8]).all()
