"""An open-loop load: calls leave when they are due, whether or not earlier ones have come back."""

import selectors
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from socket import socket as Socket
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.arrivals import Arrivals, Step, Times, due_times
from benchmarks.calls import CallLog, Calls, End
from benchmarks.grpc_connection import Connection
from benchmarks.grpc_frames import request_body, request_headers

CONNECTIONS = 4
DEADLINE_MS = 50
"""Answers that come later are of no use to a page that is being made."""
SPIN_S = 0.002
"""Waiting in the kernel is good to a millisecond; what is due sooner is waited for by asking."""
LAST_WAIT_S = 1.0
"""For answers to calls that were due last; longer where their deadlines are."""
LATE_S = 0.002
"""A generator that sends later than this measures itself."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked, how often and for how long.

    Attributes:
        path: method, such as `/package.Service/Method`.
        messages: requests, sent in turn.
        rate: calls a second.
        seconds: how long.
        deadline_ms: of each call; a call counts where its answer comes within it.
        seed: of the times at which calls are due, which are those of a Poisson process.
    """

    path: str
    messages: Sequence[bytes]
    rate: float
    seconds: float
    deadline_ms: int = DEADLINE_MS
    seed: int = 1


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What came back.

    Attributes:
        rate: calls a second that were sent.
        good_rate: calls a second that were answered within their deadline.
        refused_rate: calls a second that the server refused for having too much to do.
        latencies_s: of the answered calls, from when they were due.
        late_s: 99th percentile of how late calls left.
        counts: calls by the name of their status.
    """

    rate: float
    good_rate: float
    refused_rate: float
    latencies_s: NDArray[np.float64]
    late_s: float
    counts: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of_calls(cls, calls: Calls, seconds: float, deadline_s: float) -> "LoadResult":
        """Return the summary of calls that were due within `seconds`."""
        good = calls.answered & (calls.took_s <= deadline_s)
        return cls(
            rate=len(calls) / seconds,
            good_rate=int(good.sum()) / seconds,
            refused_rate=int((calls.codes == End.REFUSED).sum()) / seconds,
            latencies_s=calls.took_s[calls.answered],
            late_s=calls.late_p99_s(),
            counts=calls.counts(),
        )

    @property
    def good_share(self) -> float:
        """Share of the calls that were answered in time."""
        return self.good_rate / self.rate

    @property
    def is_valid(self) -> bool:
        """Whether the generator kept its own times."""
        return self.late_s <= LATE_S

    def percentile_ms(self, share: float) -> float:
        """Return a percentile of the latencies in milliseconds."""
        if not len(self.latencies_s):
            return float("nan")
        return 1_000 * float(np.percentile(self.latencies_s, share))


class Ask(NamedTuple):
    """A call to make."""

    path: str
    """Method."""
    message: bytes
    """Request as it goes on the wire."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Calls, and when they are due.

    Attributes:
        asks: sent in turn.
        due_s: (n,) seconds from the start, ascending.
        deadline_ms: told to the server with each call.
    """

    asks: Sequence[Ask]
    due_s: Times
    deadline_ms: int = DEADLINE_MS


OnEnd: TypeAlias = Callable[[int, int], None]
"""Told the number of a call and how it ended, see `End`."""

Part: TypeAlias = tuple[bytes, list[bytes]]
"""Headers and body of a call, ready to be sent."""


class Line(Protocol):
    """A connection; see `benchmarks.grpc_connection.Connection`."""

    @property
    def socket(self) -> Socket:
        """What is waited for."""
        ...

    @property
    def in_flight(self) -> int:
        """Calls that have not ended."""
        ...

    def call(self, number: int, headers: bytes, body: list[bytes]) -> None:
        """Queue a call."""
        ...

    def flush(self) -> None:
        """Send what is queued, as far as the kernel takes it."""
        ...

    def read(self) -> None:
        """Take in what has come."""
        ...

    def close(self) -> None:
        """Close the socket."""
        ...


class Wire(NamedTuple):
    """How calls travel."""

    connect: Callable[[str, int, OnEnd], Sequence[Line]]
    """Opens the connections to a host and port."""
    headers: Callable[[Load], bytes]
    """Makes what all calls of a load begin with."""
    body: Callable[[bytes], list[bytes]]
    """Makes the rest of a call of its message."""


def _grpc(host: str, port: int, on_end: OnEnd) -> list[Connection]:
    return [Connection(host, port, on_end) for _ in range(CONNECTIONS)]


GRPC = Wire(_grpc, lambda load: _headers(load.path, load.deadline_ms), request_body)


def run_load(host: str, port: int, load: Load, wire: Wire = GRPC) -> LoadResult:
    """Put a load of one kind of call on a server; see `run_calls`.

    Raises:
        ConnectionError: the server closed a connection.
    """
    due_s = due_times([Step(load.rate, load.seconds)], Arrivals.POISSON, seed=load.seed)
    headers = wire.headers(load)
    parts = [(headers, wire.body(message)) for message in load.messages]
    last_wait_s = _last_wait_s(load.deadline_ms)
    calls = _run(lambda on_end: wire.connect(host, port, on_end), parts, due_s, last_wait_s)
    return LoadResult.of_calls(calls, load.seconds, load.deadline_ms / 1_000)


def run_calls(host: str, port: int, schedule: Schedule) -> Calls:
    """Make calls when they are due, and measure from the moments at which they were.

    Measuring from when a call was sent would leave out the waiting that a slow server causes
    (coordinated omission).

    Raises:
        ConnectionError: the server closed a connection.
    """
    paths = {ask.path for ask in schedule.asks}
    headers = {path: _headers(path, schedule.deadline_ms) for path in paths}
    parts = [(headers[ask.path], request_body(ask.message)) for ask in schedule.asks]
    last_wait_s = _last_wait_s(schedule.deadline_ms)
    return _run(lambda on_end: _grpc(host, port, on_end), parts, schedule.due_s, last_wait_s)


def _headers(path: str, deadline_ms: int) -> bytes:
    return request_headers("load", path, deadline_ms)


def _last_wait_s(deadline_ms: int) -> float:
    return max(LAST_WAIT_S, 1.5 * deadline_ms / 1_000)


def _run(
    connect: Callable[[OnEnd], Sequence[Line]],
    parts: list[Part],
    due_s: Times,
    last_wait_s: float,
) -> Calls:
    log = CallLog(due_s)
    lines = connect(lambda number, code: log.ended(number, code, time.perf_counter()))
    try:
        start = _drive(lines, parts, log, last_wait_s)
    finally:
        for line in lines:
            line.close()
    return log.calls(start)


def _drive(lines: Sequence[Line], parts: list[Part], log: CallLog, last_wait_s: float) -> float:
    """Send every call when it is due and take in the answers; return when the load began."""
    times = log.times
    with selectors.DefaultSelector() as selector:
        for line in lines:
            selector.register(line.socket, selectors.EVENT_READ, line)
        start, number = time.perf_counter(), 0
        until = start + times[-1] + last_wait_s
        while number < len(times) or any(line.in_flight for line in lines):
            now = time.perf_counter()
            while number < len(times) and start + times[number] <= now:
                headers, body = parts[number % len(parts)]
                lines[number % len(lines)].call(number, headers, body)
                log.sent(number, now)
                number += 1
            if now > until:
                break
            for line in lines:
                line.flush()
            next_s = start + times[number] - now if number < len(times) else 0.01
            for key, _ in selector.select(max(next_s - SPIN_S, 0)):
                key.data.read()
    return start
