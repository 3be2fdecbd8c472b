"""A worker that is killed while calls are made by the client that is shipped."""

import asyncio
import time
from collections.abc import Sequence

import psutil

from artifacts.errors import NotReadyError
from benchmarks.arrivals import Arrivals, Step, due_times
from benchmarks.calls import Calls, Window, ended
from benchmarks.client_loop import run_client
from benchmarks.disturbance import disturbed
from benchmarks.search_record import Bar
from benchmarks.served import Served
from benchmarks.serving_host import hosting
from benchmarks.serving_record import ServingRecord
from benchmarks.serving_target import Target
from benchmarks.serving_trials import lateness

RATE = 400.0
"""Calls a second; few enough for gRPC's own Python client to keep its times."""
WORKERS = 2
KILL_SHARE = 0.25
"""Of the load is over when the worker is killed."""
REPLACED_WITHIN_S = 60.0
LOOK_S = 0.1


def measure_death(served: Served, record: ServingRecord) -> list[Bar]:
    """Kill one of two workers under a load of look-ups and searches by turns."""
    due_s = due_times([Step(RATE, record.seconds)], Arrivals.POISSON, seed=1)
    asks = served.asked.mixed().asks
    with hosting(served.settings, workers=WORKERS) as server:
        calls, windows = disturbed(
            lambda: asyncio.run(run_client(server.address, asks, due_s)),
            lambda number: kill_worker(server),
            [KILL_SHARE * record.seconds],
        )
    return death_bars(calls, windows, record)


def kill_worker(server: Target) -> None:
    """Kill a worker, and wait until the one that takes its place answers calls.

    Raises:
        NotReadyError: none did in time.
    """
    _, *workers = server.family()
    workers[0].kill()
    known = {worker.pid for worker in workers}
    until = time.monotonic() + REPLACED_WITHIN_S
    while time.monotonic() < until:
        time.sleep(LOOK_S)
        _, *others = server.family()
        if any(_listens(each, server.port) for each in others if each.pid not in known):
            return
    raise NotReadyError(f"no worker took the place of the one killed in {REPLACED_WITHIN_S:.0f} s")


def _listens(process: psutil.Process, port: int) -> bool:
    """Tell whether a process takes calls: workers that share a port listen only when ready."""
    try:
        sockets = process.net_connections("tcp")
    except psutil.NoSuchProcess:
        return False
    return any(
        each.status == psutil.CONN_LISTEN and each.laddr and each.laddr.port == port
        for each in sockets
    )


def death_bars(calls: Calls, windows: Sequence[Window], record: ServingRecord) -> list[Bar]:
    """Judge a load during which a worker was killed, and keep what was found."""
    before = calls.due_within([Window(calls.start, windows[0].begin)])
    during = calls.due_within(windows)
    replaced_s = windows[0].end - windows[0].begin
    metrics = {
        "replaced_s": replaced_s,
        "rate_per_s": len(calls) / float(calls.due_s[-1]),
        "p99_before_s": before.percentile_s(99),
        "p99_during_s": during.percentile_s(99),
        "failed": float(calls.failed),
        "late_p99_s": calls.late_p99_s(),
    }
    record.keep("worker killed under load", metrics, counts=calls.counts(), workers=WORKERS)
    name = "worker killed under load: failed calls of the shipped client"
    bar = Bar(name, calls.failed, 0, most=True)
    note = (
        f"{len(calls):,} calls: {ended(calls.counts())}; another worker answered after "
        f"{replaced_s:.1f} s; p99 {1e3 * before.percentile_s(99):.1f} ms before, "
        f"{1e3 * during.percentile_s(99):.1f} ms meanwhile; {lateness(before)}"
    )
    return [record.keep_bar(bar, note)]
