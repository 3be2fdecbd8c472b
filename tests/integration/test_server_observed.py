"""What is seen of a host with several workers from outside, with real processes."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import BinaryIO

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from shelfmate.client import Access, CallError, Client, Options, in_batches
from tests.house.tracked import ROOT
from tests.patience import wait_until
from tests.serving import Child, serving
from tests.shop import COLD, item_id

PATIENCE_S = 20


@pytest.fixture(scope="module")
def host(tiny_snapshots, tiny_configs, tmp_path_factory):
    """Serve by two workers that compare every search."""
    folder = tmp_path_factory.mktemp("observed")
    settings = {"workers": 2, "metrics": {"port": 0}, "recall_probe": {"share": 1.0}}
    with serving(tiny_snapshots, folder, tiny_configs, **settings) as child:
        yield child


@pytest.fixture(scope="module")
def client(host):
    access = Access(admin_target=host.admin_target)
    with Client(host.target, timeout_s=20, access=access, connections=8) as client:
        yield client


def page(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE_S) as read:
        text: str = read.read().decode()
    return text


def samples(host: Child) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    assert host.metrics_port is not None
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(page(host.metrics_port))
        for sample in family.samples
    }


def value(host: Child, name: str, **labels: str) -> float:
    return samples(host).get((f"shelfmate_{name}", frozenset(labels.items())), 0.0)


def workers(host: Child) -> list[psutil.Process]:
    return psutil.Process(host.process.pid).children()


def test_calls_of_all_workers_add_up(host, client):
    before = value(host, "call_seconds_count", method="RecommendSimilar", code="OK")
    for _ in range(40):
        client.similar([item_id(0), COLD], Options(k=3))
    with pytest.raises(CallError):
        client.similar([])

    def counted() -> bool:
        after = value(host, "call_seconds_count", method="RecommendSimilar", code="OK")
        return after - before == 40

    wait_until(counted)
    wait_until(lambda: value(host, "entries_total", method="RecommendSimilar") >= 80)
    wait_until(lambda: value(host, "calls_in_flight") == 0)
    seen = samples(host)
    name, method = "shelfmate_call_seconds_count", ("method", "RecommendSimilar")
    assert seen[name, frozenset([method, ("code", "INVALID_ARGUMENT")])] == 1
    assert seen["shelfmate_items_total", frozenset([method, ("source", "precomputed")])] >= 120
    assert seen["shelfmate_fallback_entries_total", frozenset([method])] >= 40
    assert seen["shelfmate_stages_total", frozenset([method, ("stage", "lookup")])] >= 40
    assert seen["shelfmate_batches_total", frozenset([method, ("most_entries", "2")])] == 40


def test_every_worker_tells_which_snapshot_it_serves(host, tiny_snapshots):
    served = tiny_snapshots.current_id()
    assert value(host, "snapshot_workers", snapshot_id=served) == 2
    assert value(host, "snapshot_created_timestamp_seconds", snapshot_id=served) > 0


def test_live_searches_are_compared_with_exact_ones(host, client):
    for row in (0, 2, 3, 4):
        client.neighbors([item_id(row)])
    labels = {"space": "cf", "relation": "alternatives"}
    wait_until(lambda: value(host, "live_recall_count", **labels) >= 4)
    assert value(host, "live_recall_sum", **labels) == value(host, "live_recall_count", **labels)
    assert value(host, "search_entries_sum") >= 4


def test_batches_larger_than_a_call_go_out_in_several(client):
    ids = [item_id(row % 200) for row in range(2_500)]
    outcomes = in_batches(client.similar, ids)
    assert outcomes[:1_000] == list(client.similar(ids[:1_000]).outcomes)
    assert outcomes[2_000:] == list(client.similar(ids[2_000:]).outcomes)


def test_connections_spread_over_the_workers(host):
    # All of one worker: once in ten million runs.
    with Client(host.target, timeout_s=20, connections=24) as client:
        for _ in range(24):
            client.items([item_id(0)])
        connected = [
            sum(
                one.status == psutil.CONN_ESTABLISHED and one.laddr.port == host.port
                for one in worker.net_connections()
            )
            for worker in workers(host)
        ]
    assert min(connected) > 0
    assert sum(connected) >= 24


def test_what_a_dead_worker_counted_stays(host, client, tiny_snapshots):
    counted = {"method": "RecommendSimilar", "code": "OK"}
    before = value(host, "call_seconds_count", **counted)
    assert before > 0
    victim, _ = workers(host)
    victim.kill()
    served = tiny_snapshots.current_id()
    wait_until(lambda: victim not in workers(host) and len(workers(host)) == 2)
    wait_until(lambda: value(host, "snapshot_workers", snapshot_id=served) == 2)
    client.similar([item_id(0)])
    wait_until(lambda: value(host, "call_seconds_count", **counted) == before + 1)
    wait_until(lambda: value(host, "calls_in_flight") == 0)


def test_log_is_json_and_a_full_disk_is_no_reason_to_fail(tiny_snapshots, tmp_path):
    shop = tmp_path / "shop.toml"
    shop.write_text(
        f"""
work_dir = "{tiny_snapshots.root.parent}"
[prepare.events]
path = "events.parquet"
[prepare.sessions]
order = "none"
[prepare.events.columns]
session_id = "s"
item_id = "i"
[[index.spaces]]
space = "cf"
[server]
state_dir = "state"
[server.metrics]
port = 0
[server.logs]
format = "json"
slow_ms = 0.0001
"""
    )
    with (tmp_path / "log").open("wb") as log:
        asked(shop, tmp_path / "port", log)
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    (call,) = [line for line in lines if line["event"] == "call ended"]
    assert (call["method"], call["code"], call["entries"]) == ("RecommendSimilar", "OK", 1)
    assert (call["request_id"], call["level"]) == ("mine-1", "WARNING")
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        asked(shop, tmp_path / "port", full)


def asked(shop: Path, port_file: Path, log: BinaryIO) -> None:
    """Start `shelfmate serve` with a log, have it answer, and end it."""
    command = [sys.executable, "-m", "cli", "serve", "--config", str(shop), "--port", "0"]
    process = subprocess.Popen([*command, "--port-file", str(port_file)], stderr=log, cwd=ROOT)
    try:
        wait_until(lambda: port_file.exists() or process.poll() is not None)
        assert process.poll() is None
        port, _, metrics = port_file.read_text().split()
        access = Access(request_id=lambda: "mine-1")
        with Client(f"127.0.0.1:{port}", timeout_s=20, access=access) as client:
            assert client.similar([item_id(0)]).outcomes
        wait_until(lambda: 'shelfmate_items_total{method="RecommendSimilar"' in page(int(metrics)))
    finally:
        process.terminate()
    assert process.wait(PATIENCE_S) == 0
