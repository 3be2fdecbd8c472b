"""What a worker counts, for Prometheus."""

from bisect import bisect_left
from collections.abc import Callable
from datetime import datetime
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary

from server.observation.call_record import CallRecord

SECONDS = (
    0.0001,
    0.00025,
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
)
"""From what a look-up takes to what no caller waits for."""
SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)

PREFIX = "shelfmate_"


class Metrics:
    """All metrics of a worker; those of several workers add up.

    A call costs one histogram's observation and a few additions to plain numbers: children are looked
    up once for each set of labels, and counters are added to together.

    Args:
        registry: what the page shows where there is one worker. Those of several workers are
            gathered from files instead.
        later: has a function called in a moment, on the thread that counts calls.
    """

    def __init__(
        self, registry: CollectorRegistry, later: Callable[[Callable[[], None]], object]
    ) -> None:
        self._later = later
        self._pending: dict[tuple[Counter, tuple[str, ...]], float] = {}
        self._running, self._is_due, self._served = 0, False, ""
        self._calls = _histogram(
            registry, "call_seconds", "Time of calls.", ("method", "code"), SECONDS
        )
        self._stages = _counter(registry, "stages", "Stages of calls.", "method", "stage")
        self._stage_time = _counter(
            registry, "stage_seconds", "Time of stages of calls.", "method", "stage"
        )
        self._entries = _counter(registry, "entries", "Entries of calls.", "method")
        self._sizes = _counter(registry, "batches", "Calls by entries.", "method", "most_entries")
        self._waits = _histogram(
            registry, "queue_seconds", "Longest wait of what is searched together.", (), SECONDS
        )
        self._batches = _histogram(
            registry, "search_entries", "Entries that are searched together.", (), SIZES
        )
        self._items = _counter(registry, "items", "Items of answers.", "method", "source")
        self._failed = _counter(registry, "failed_entries", "Entries that failed.", "method")
        self._fallbacks = _counter(
            registry, "fallback_entries", "Entries with items of a fallback.", "method"
        )
        self._shortfalls = _counter(
            registry, "short_entries", "Entries with fewer items than asked.", "method", "reason"
        )
        self._lessened = _counter(
            registry, "lessened_calls", "Answers of less than was asked.", "method", "why"
        )
        self._in_flight = _gauge(registry, "calls_in_flight", "Calls being answered.", "livesum")
        by_id = ("snapshot_id",)
        self._snapshot = _gauge(
            registry, "snapshot_workers", "Workers that serve a snapshot.", "livesum", by_id
        )
        created = "snapshot_created_timestamp_seconds"
        self._created = _gauge(registry, created, "When a snapshot was built.", "livemax", by_id)
        self._swaps = _counter(registry, "snapshot_swaps", "Snapshots put in service.", "result")
        self._recall = Summary(
            f"{PREFIX}live_recall",
            "Recall of searches that were compared with exact ones.",
            ("space", "relation"),
            registry=registry,
        )
        self._probes_dropped = _counter(registry, "recall_probes_dropped", "Probes left out.")
        self._children: dict[tuple[object, ...], object] = {}

    def begun(self) -> None:
        """Count a call in."""
        self._running += 1
        self._show_soon()

    def ended(self, method: str, code: str, seconds: float, record: CallRecord) -> None:
        """Count a call out.

        Args:
            method: name without its service.
            code: name of the gRPC code.
            seconds: from its arrival to its answer.
            record: what is known of it.
        """
        self._running -= 1
        self._show_soon()
        self._histogram(self._calls, method, code).observe(seconds)
        for stage, spent_ns in record.stages.items():
            self._add(self._stages, 1, method, stage)
            self._add(self._stage_time, spent_ns / 1e9, method, stage)
        if record.entries:
            size = SIZES[min(bisect_left(SIZES, record.entries), len(SIZES) - 1)]
            self._add(self._sizes, 1, method, str(size))
            self._count_entries(method, record)
        if record.partial:
            self._add(self._lessened, 1, method, "deadline")
        if record.degraded:
            self._add(self._lessened, 1, method, "load")

    def flush(self) -> None:
        """Show everything that was counted so far."""
        self._is_due = False
        pending, self._pending = self._pending, {}
        for (metric, labels), amount in pending.items():
            self._counter(metric, *labels).inc(amount)
        self._in_flight.set(self._running)

    def _show_soon(self) -> None:
        if not self._is_due:
            self._is_due = True
            self._later(self.flush)

    def _count_entries(self, method: str, record: CallRecord) -> None:
        self._add(self._entries, record.entries, method)
        for source, items in record.sources.items():
            self._add(self._items, items, method, source.value)
        if record.failed:
            self._add(self._failed, record.failed, method)
        if record.fallbacks:
            self._add(self._fallbacks, record.fallbacks, method)
        for reason, entries in record.shortfalls.items():
            self._add(self._shortfalls, entries, method, reason.value)

    def batched(self, entries: int, waited_s: float) -> None:
        """Count entries that are searched for together, and the longest wait among them."""
        self._batches.observe(entries)
        self._waits.observe(waited_s)

    def serves(self, snapshot_id: str, created_at: datetime) -> None:
        """Note the snapshot in service."""
        if self._served:
            self._snapshot.labels(self._served).set(0)
        self._served = snapshot_id
        self._snapshot.labels(snapshot_id).set(1)
        self._created.labels(snapshot_id).set(created_at.timestamp())
        self._counter(self._swaps, "done").inc()

    def swap_refused(self) -> None:
        """Count a snapshot that was not put in service."""
        self._counter(self._swaps, "refused").inc()

    def probed(self, space: str, relation: str, recall: float) -> None:
        """Count a search that was compared with an exact one."""
        self._recall.labels(space, relation).observe(recall)

    def probe_dropped(self) -> None:
        """Count a search that was to be compared and was not."""
        self._counter(self._probes_dropped).inc()

    def _add(self, metric: Counter, amount: float, *labels: str) -> None:
        """Add by and by: a counter of one of several processes lies in a file, and is slow."""
        key = metric, labels
        self._pending[key] = self._pending.get(key, 0.0) + amount

    def _histogram(self, metric: Histogram, *labels: str) -> Histogram:
        child = self._children.get((metric, *labels))
        if child is None:
            child = self._children[metric, *labels] = metric.labels(*labels)
        assert isinstance(child, Histogram), "bug: children are of their metric's kind"
        return child

    def _counter(self, metric: Counter, *labels: str) -> Counter:
        child = self._children.get((metric, *labels))
        if child is None:
            child = self._children[metric, *labels] = metric.labels(*labels) if labels else metric
        assert isinstance(child, Counter), "bug: children are of their metric's kind"
        return child


def _gauge(
    registry: CollectorRegistry,
    name: str,
    help: str,
    mode: Literal["livesum", "livemax"],
    labels: tuple[str, ...] = (),
) -> Gauge:
    """Return a gauge; `mode` says how those of several workers become one."""
    return Gauge(f"{PREFIX}{name}", help, labels, registry=registry, multiprocess_mode=mode)


def _counter(registry: CollectorRegistry, name: str, help: str, *labels: str) -> Counter:
    return Counter(f"{PREFIX}{name}", help, labels, registry=registry)


def _histogram(
    registry: CollectorRegistry,
    name: str,
    help: str,
    labels: tuple[str, ...],
    buckets: tuple[float, ...],
) -> Histogram:
    return Histogram(f"{PREFIX}{name}", help, labels, buckets=buckets, registry=registry)
