"""The queries a second that a peer answers while its 99th percentile stays within a limit."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.arrivals import Arrivals, Step, due_times
from benchmarks.compare.child import Child
from benchmarks.http_connection import HTTP
from benchmarks.open_loop import GRPC, Load, LoadResult, run_load
from benchmarks.saturation import TRIAL_S, Trial, find_saturation, holds

WIRES = {"http": HTTP, "grpc": GRPC}
PATIENCE_MS = 1_000
"""What servers are told to be the deadline: calls may be late, and count as late."""
LONE_RATE = 5.0
"""Calls a second that no server has to queue."""
SETTLE_S = 0.4
SETTLINGS = 20
"""Times that a peer is asked after an overload, until it is done with what it was given."""
CLOSE = 1.3
"""A generator that was late at so little more than what was found may itself be the limit."""


@dataclass(frozen=True, slots=True)
class Rate:
    """What was found.

    Attributes:
        calls_per_s: highest rate within the limit; 0 where not even lone calls are.
        limit_ms: the limit.
        at_rate: what was measured there.
        lone: what was measured with hardly a call.
        is_generators: whether the generator was what could not do more.
    """

    calls_per_s: float
    limit_ms: float
    at_rate: LoadResult
    lone: LoadResult
    is_generators: bool

    @property
    def is_measured(self) -> bool:
        """Whether it says anything of the peer."""
        return bool(self.calls_per_s) or not self.is_generators


def trial_of(child: Child, batch: int, limit_ms: float) -> Trial:
    """Return what puts a load on a peer and counts the calls within the limit as good."""

    def run(rate: float, seconds: float) -> LoadResult:
        try:
            result = _load(child, batch, rate, seconds)
        except ConnectionError:
            result = LoadResult(rate, 0.0, 0.0, np.empty(0), 0.0)
        good = int((result.latencies_s <= limit_ms / 1_000).sum())
        return replace(result, good_rate=good / seconds)

    return run


def _load(child: Child, batch: int, rate: float, seconds: float) -> LoadResult:
    facts = child.facts
    if "wire" in facts:
        load = Load(facts["path"], facts["messages"][batch], rate, seconds, deadline_ms=PATIENCE_MS)
        return run_load("127.0.0.1", facts["port"], load, WIRES[facts["wire"]])
    due_s = due_times([Step(rate, seconds)], Arrivals.POISSON, seed=1)
    latencies = child.latencies(batch, due_s)
    return LoadResult(len(due_s) / seconds, 0.0, 0.0, latencies[np.isfinite(latencies)], 0.0)


def rate_within(child: Child, batch: int, limits_ms: Sequence[float], seconds: float) -> Rate:
    """Find the highest rate within the first limit that lone calls keep.

    Args:
        child: the peer.
        batch: queries of a call.
        limits_ms: what the 99th percentile must not pass, rising.
        seconds: of the load that confirms what is found.
    """
    for limit_ms in limits_ms:
        trial = trial_of(child, batch, limit_ms)
        trial(LONE_RATE, TRIAL_S)  # warms up
        lone = trial(LONE_RATE, TRIAL_S)
        if holds(lone):
            return _highest(trial, lone, limit_ms, seconds)
    return Rate(0.0, limit_ms, lone, lone, is_generators=not lone.is_valid)


def _highest(trial: Trial, lone: LoadResult, limit_ms: float, seconds: float) -> Rate:
    late_at: list[float] = []

    def watched(rate: float, span: float) -> LoadResult:
        result = trial(rate, span)
        if not result.is_valid:
            late_at.append(rate)
        if not holds(result):
            _settle(trial)
        return result

    found = find_saturation(watched, seconds)
    if not holds(found.result):
        return Rate(0.0, limit_ms, lone, lone, is_generators=bool(late_at))
    is_generators = min(late_at, default=np.inf) < CLOSE * found.rate
    return Rate(found.rate, limit_ms, found.result, lone, is_generators)


def _settle(trial: Trial) -> None:
    """Wait until lone calls are answered in time again, so that one trial does not spoil the next."""
    for _ in range(SETTLINGS):
        if holds(trial(LONE_RATE, SETTLE_S)):
            return
