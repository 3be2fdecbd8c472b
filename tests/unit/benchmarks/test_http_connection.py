"""The generator against a server of the standard library."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from benchmarks.http_connection import CONNECTIONS, HTTP
from benchmarks.open_loop import Load, run_load


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response({b"busy": 503, b"wrong": 400}.get(body, 200))
        if body == b"endless":
            self.end_headers()
            return
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 2 * CONNECTIONS


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with Server(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def load(*messages: bytes, count: int = 100) -> Load:
    return Load("/search", messages, rate=400, seconds=count / 400, deadline_ms=20_000)


def test_every_call_is_answered_and_measured_from_when_it_was_due(port):
    result = run_load("127.0.0.1", port, load(b"hello"), HTTP)
    assert result.good_share == 1
    assert len(result.latencies_s) == 100
    assert result.latencies_s.min() > 0


def test_calls_beyond_the_connections_wait_and_are_answered(port):
    burst = Load("/search", [b"x" * 50_000], 1e6, 4 * CONNECTIONS / 1e6, deadline_ms=20_000)
    result = run_load("127.0.0.1", port, burst, HTTP)
    assert len(result.latencies_s) == 4 * CONNECTIONS


def test_refusals_are_counted_apart_and_errors_are_no_answers(port):
    result = run_load("127.0.0.1", port, load(b"hello", b"busy", b"wrong", b"hello"), HTTP)
    assert result.good_share == pytest.approx(0.5)
    assert result.refused_rate == pytest.approx(result.rate / 4)


def test_answer_without_a_length_is_an_error(port):
    with pytest.raises(ConnectionError, match="length"):
        run_load("127.0.0.1", port, load(b"endless", count=1), HTTP)
