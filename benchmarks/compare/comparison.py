"""All peers, one after the other, on the same vectors, queries, k and recall."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf, nan
from typing import Any, NamedTuple

from artifacts.errors import BackendUnavailableError, NotReadyError
from artifacts.progress import Progress
from benchmarks.compare.child import Child, Start, running
from benchmarks.compare.exam import Exam
from benchmarks.compare.peers import Peer
from benchmarks.compare.rates import Rate, rate_within
from benchmarks.search_record import Bar, Record

SUITE = "compare"
RECALL_SLACK = 0.01
"""Between the half of the queries that settings are chosen by and the other half."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How rates are looked for.

    Attributes:
        limits_ms: what the 99th percentile must not pass; the next one where lone calls already do.
        seconds: of the load that confirms a rate.
    """

    limits_ms: tuple[float, ...] = (10.0, 50.0)
    seconds: float = 30.0


class Measured(NamedTuple):
    """A rate, and whose it is."""

    peer: Peer
    batch: int
    recall: float
    rate: Rate


class Comparison:
    """Measures peers and keeps what it finds.

    Args:
        exam: what all are asked.
        start: how peers are started.
        pace: how rates are looked for.
        record: where results go.

    Attributes:
        measured: what was found so far.
    """

    def __init__(self, exam: Exam, start: Start, pace: Pace, record: Record) -> None:
        self._exam = exam
        self._start = start
        self._pace = pace
        self._record = record
        self.measured: list[Measured] = []

    def run(self, peers: Sequence[Peer], progress: Progress) -> None:
        """Measure each peer; one that is not installed or fails is recorded as such."""
        cores = sorted(os.sched_getaffinity(0))
        for number, peer in enumerate(peers, 1):
            stage = f"{peer.name} ({number} of {len(peers)})"
            progress.start(stage, total=len(self._exam.batches))
            try:
                with running(peer, self._exam, self._start) as child:
                    child.pin(cores[0])
                    with _on_core(cores[-1]):
                        self._measure(peer, child, progress)
            except BackendUnavailableError as error:
                self._skip(peer, f"not installed: {error}", progress)
            except NotReadyError as error:
                self._skip(peer, str(error), progress)
            else:
                progress.finish()

    def bars(self) -> list[Bar]:
        """Return, for each server, whether we are ahead of it, and keep that."""
        bars = [
            Bar(f"shelfmate / {theirs.peer.name}, batch {theirs.batch}", self._ratio(theirs), 1)
            for theirs in self.measured
            if theirs.peer.kind == "server"
        ]
        for bar in bars:
            self._record.keep_bar(bar)
        return bars

    def _measure(self, peer: Peer, child: Child, progress: Progress) -> None:
        for batch in self._exam.batches:
            rate = rate_within(child, batch, self._pace.limits_ms, self._pace.seconds)
            self.measured.append(Measured(peer, batch, child.facts["recall"], rate))
            self._record.keep(
                f"{peer.name}, batch {batch}",
                self._config(peer, batch) | _circumstances(child, rate),
                _metrics(child, rate, batch),
            )
            progress.advance()

    def _skip(self, peer: Peer, reason: str, progress: Progress) -> None:
        measured = {one.batch for one in self.measured if one.peer == peer}
        for batch in self._exam.batches:
            if batch not in measured:
                config = self._config(peer, batch) | {"skipped": reason}
                self._record.keep(f"{peer.name}, batch {batch}", config, {})
        progress.finish(reason)

    def _config(self, peer: Peer, batch: int) -> dict[str, Any]:
        return {
            "peer": peer.name,
            "kind": peer.kind,
            "setup": peer.setup,
            "batch": batch,
            "recall_wanted": self._exam.recall,
            "seconds": self._pace.seconds,
        }

    def _ratio(self, theirs: Measured) -> float:
        """Return our rate by theirs, at the limit that the quicker of both keeps."""
        ours = [
            one
            for one in self.measured
            if one.peer.kind == "ours"
            and one.batch == theirs.batch
            and one.recall >= self._exam.recall - RECALL_SLACK
            and one.rate.is_measured
        ]
        if not ours or not theirs.rate.is_measured:
            return nan
        best = min(ours, key=lambda one: (one.rate.limit_ms, -one.rate.calls_per_s))
        if best.rate.limit_ms != theirs.rate.limit_ms:
            return inf if best.rate.limit_ms < theirs.rate.limit_ms else 0.0
        if not theirs.rate.calls_per_s:
            return inf if best.rate.calls_per_s else nan
        return best.rate.calls_per_s / theirs.rate.calls_per_s


def _circumstances(child: Child, rate: Rate) -> dict[str, Any]:
    return {
        "limit_ms": rate.limit_ms,
        "knob": child.facts["knob"],
        "versions": child.facts["versions"],
        "generator_limited": rate.is_generators,
    }


def _metrics(child: Child, rate: Rate, batch: int) -> dict[str, float]:
    metrics = {
        "queries_per_s": rate.calls_per_s * batch,
        "recall": child.facts["recall"],
        "p50_s": rate.at_rate.percentile_ms(50) / 1_000,
        "p99_s": rate.at_rate.percentile_ms(99) / 1_000,
        "lone_p50_s": rate.lone.percentile_ms(50) / 1_000,
        "build_s": child.facts["build_s"],
        "resident_bytes": float(child.resident_bytes()),
    }
    return {name: value for name, value in metrics.items() if value == value}  # JSON knows no NaN


@contextmanager
def _on_core(core: int) -> Iterator[None]:
    """Keep this thread, which makes the load, to one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
