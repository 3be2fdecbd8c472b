import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry

from artifacts.errors import ConfigError
from retrieval.answer import ShortfallReason
from retrieval.candidates import Source
from server.observation.call_record import CallRecord
from server.observation.config import MetricsConfig
from server.observation.endpoint import (
    METRICS,
    forget,
    gathered,
    metrics_page,
    worker_environment,
)
from server.observation.metrics import Metrics
from tests.house.tracked import ROOT

BUILT = datetime(2026, 11, 24, tzinfo=UTC)

# One of several processes; it says when it has counted, and lives until its input ends.
PROCESS = """
import sys
from datetime import UTC, datetime
from prometheus_client import CollectorRegistry
from server.observation.call_record import CallRecord
from server.observation.metrics import Metrics
metrics = Metrics(CollectorRegistry(), lambda flush: None)
metrics.serves(sys.argv[1], datetime.fromtimestamp(float(sys.argv[2]), UTC))
metrics.begun()
metrics.begun()
metrics.ended("GetItems", "OK", 0.002, CallRecord())
metrics.flush()
print("counted", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def metrics(registry) -> Metrics:
    return Metrics(registry, lambda flush: None)


def test_call_is_counted_by_method_and_code_and_its_answer_by_source(registry, metrics):
    record = CallRecord()
    record.stages = {"lookup": 2_000_000}
    record.entries, record.failed, record.fallbacks, record.degraded = 7, 1, 2, True
    record.sources.update({Source.LIVE: 20, Source.POPULAR: 5})
    record.shortfalls.update({ShortfallReason.FILTERED: 3})
    metrics.begun()
    metrics.begun()
    metrics.ended("RecommendSimilar", "OK", 0.004, record)
    metrics.flush()
    method = {"method": "RecommendSimilar"}
    expected: dict[tuple[str, tuple[str, str] | None], float] = {
        ("calls_in_flight", None): 1,
        ("call_seconds_count", ("code", "OK")): 1,
        ("call_seconds_sum", ("code", "OK")): 0.004,
        ("stages_total", ("stage", "lookup")): 1,
        ("stage_seconds_total", ("stage", "lookup")): 0.002,
        ("entries_total", None): 7,
        ("batches_total", ("most_entries", "10")): 1,
        ("items_total", ("source", "live")): 20,
        ("items_total", ("source", "popular")): 5,
        ("failed_entries_total", None): 1,
        ("fallback_entries_total", None): 2,
        ("short_entries_total", ("reason", "filtered")): 3,
        ("lessened_calls_total", ("why", "load")): 1,
    }
    for (name, label), value in expected.items():
        labels = {} if name == "calls_in_flight" else dict(method)
        labels |= dict([label]) if label else {}
        assert registry.get_sample_value(f"shelfmate_{name}", labels) == pytest.approx(value), name


def test_what_is_counted_is_shown_once_a_moment_however_many_calls_there_are(registry):
    flushes: list[Callable[[], None]] = []
    metrics = Metrics(registry, flushes.append)
    for _ in range(5):
        metrics.begun()
        metrics.ended("GetItems", "OK", 0.002, CallRecord())
    metrics.begun()
    assert len(flushes) == 1
    flushes.pop()()
    assert registry.get_sample_value("shelfmate_calls_in_flight") == 1
    metrics.ended("GetItems", "OK", 0.002, CallRecord())
    flushes.pop()()
    assert registry.get_sample_value("shelfmate_calls_in_flight") == 0


def test_swap_moves_the_worker_from_one_snapshot_to_the_other(registry, metrics):
    metrics.serves("old", BUILT)
    metrics.serves("new", datetime(2026, 11, 25, tzinfo=UTC))
    metrics.swap_refused()
    workers = "shelfmate_snapshot_workers"
    assert registry.get_sample_value(workers, {"snapshot_id": "old"}) == 0
    assert registry.get_sample_value(workers, {"snapshot_id": "new"}) == 1
    created = "shelfmate_snapshot_created_timestamp_seconds"
    for snapshot_id, day in (("old", 24), ("new", 25)):
        moment = registry.get_sample_value(created, {"snapshot_id": snapshot_id})
        assert moment == datetime(2026, 11, day, tzinfo=UTC).timestamp()
    swaps = "shelfmate_snapshot_swaps_total"
    assert registry.get_sample_value(swaps, {"result": "refused"}) == 1


def test_recall_is_the_mean_of_what_was_compared(registry, metrics):
    metrics.probed("cf", "alternatives", 1.0)
    metrics.probed("cf", "alternatives", 0.5)
    metrics.probe_dropped()
    labels = {"space": "cf", "relation": "alternatives"}
    assert registry.get_sample_value("shelfmate_live_recall_sum", labels) == 1.5
    assert registry.get_sample_value("shelfmate_live_recall_count", labels) == 2
    assert registry.get_sample_value("shelfmate_recall_probes_dropped_total") == 1


def test_page_shows_the_registry(registry, metrics):
    metrics.batched(3, 0.001)
    with metrics_page(MetricsConfig(port=0), registry) as port:
        url = f"http://127.0.0.1:{port}/metrics"
        with urllib.request.urlopen(url, timeout=20) as page:
            text = page.read().decode()
        taken = metrics_page(MetricsConfig(port=port), registry)
        with pytest.raises(ConfigError, match=r"\[server\.metrics\] 127\.0\.0\.1"), taken:
            pass
    assert "shelfmate_search_entries_sum 3.0" in text


def test_there_is_no_page_without_a_port(registry):
    with metrics_page(MetricsConfig(), registry) as port:
        assert port is None


def test_processes_add_up_and_dead_ones_leave_what_they_counted(tmp_path):
    environment = {
        **os.environ,
        **worker_environment(MetricsConfig(port=0), tmp_path),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    folder = tmp_path / METRICS
    folder.mkdir()
    children = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, snapshot_id, built],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            cwd=ROOT,
        )
        for snapshot_id, built in (("old", "100"), ("new", "200"), ("new", "200"))
    ]
    try:
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline() == b"counted\n"
        registry = gathered(folder)
        ended = {"method": "GetItems", "code": "OK"}
        value = registry.get_sample_value
        assert value("shelfmate_call_seconds_count", ended) == 3
        assert value("shelfmate_calls_in_flight") == 3
        assert value("shelfmate_snapshot_workers", {"snapshot_id": "new"}) == 2
        created = "shelfmate_snapshot_created_timestamp_seconds"
        assert value(created, {"snapshot_id": "old"}) == 100
        children[0].communicate()
        forget(tmp_path, children[0].pid)
        assert value("shelfmate_call_seconds_count", ended) == 3
        assert value("shelfmate_calls_in_flight") == 2
        assert value(created, {"snapshot_id": "old"}) is None
        assert value(created, {"snapshot_id": "new"}) == 200
    finally:
        for child in children:
            child.communicate()
