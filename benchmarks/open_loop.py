"""An open-loop load: calls leave when they are due, whether or not earlier ones have come back."""

import selectors
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.grpc_connection import Connection, End
from benchmarks.grpc_frames import request_body, request_headers

CONNECTIONS = 4
SPIN_S = 0.002
"""Waiting in the kernel is good to a millisecond; what is due sooner is waited for by asking."""
LAST_WAIT_S = 1.0
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
        seed: of the gaps between calls, which are those of a Poisson process.
    """

    path: str
    messages: Sequence[bytes]
    rate: float
    seconds: float
    deadline_ms: int = 50
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
    """

    rate: float
    good_rate: float
    refused_rate: float
    latencies_s: NDArray[np.float64]
    late_s: float

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


def run_load(host: str, port: int, load: Load) -> LoadResult:
    """Put a load on a server and measure from the moments at which calls were due.

    Measuring from when a call was sent would leave out the waiting that a slow server causes
    (coordinated omission).

    Raises:
        ConnectionError: the server closed a connection.
    """
    rng = np.random.default_rng(load.seed)
    count = max(int(load.rate * load.seconds), 1)
    due = np.cumsum(rng.exponential(1 / load.rate, count))
    sent, ended = np.full(count, np.nan), np.full(count, np.nan)
    answered, refused = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)

    def on_end(number: int, end: End) -> None:
        ended[number] = time.perf_counter()
        answered[number] = end is End.ANSWERED
        refused[number] = end is End.REFUSED

    connections = [Connection(host, port, on_end) for _ in range(CONNECTIONS)]
    try:
        start = _drive(connections, load, due, sent)
    finally:
        for connection in connections:
            connection.close()
    latencies = ended - start - due
    good = answered & (latencies <= load.deadline_ms / 1_000)
    span = float(due[-1])
    return LoadResult(
        rate=count / span,
        good_rate=int(good.sum()) / span,
        refused_rate=int(refused.sum()) / span,
        latencies_s=latencies[answered],
        late_s=float(np.percentile(sent - start - due, 99)),
    )


def _drive(
    connections: list[Connection], load: Load, due: NDArray[np.float64], sent: NDArray[np.float64]
) -> float:
    """Send every call when it is due and take in the answers; return when the load began."""
    headers = request_headers("load", load.path, load.deadline_ms)
    bodies = [request_body(message) for message in load.messages]
    times = due.tolist()
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        start, number = time.perf_counter(), 0
        until = start + times[-1] + LAST_WAIT_S
        while number < len(times) or any(connection.in_flight for connection in connections):
            now = time.perf_counter()
            while number < len(times) and start + times[number] <= now:
                connection = connections[number % len(connections)]
                connection.call(number, headers, bodies[number % len(bodies)])
                sent[number] = now
                number += 1
            if now > until:
                break
            for connection in connections:
                connection.flush()
            next_s = start + times[number] - now if number < len(times) else 0.01
            for key, _ in selector.select(max(next_s - SPIN_S, 0)):
                key.data.read()
    return start
