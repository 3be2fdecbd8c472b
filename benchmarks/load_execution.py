"""Runs `bench load`: on a server that runs, or on one of its own."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from artifacts.errors import ConfigError
from artifacts.snapshot import Snapshot
from artifacts.versions import VersionedRoot
from benchmarks.load_mix import mixed_asks, parse_mix
from benchmarks.load_options import Chaos, LoadOptions
from benchmarks.load_runs import SEED, LoadRun
from benchmarks.load_summary import HEAD, LoadSummary
from benchmarks.machine import describe_machine
from benchmarks.results import Result, append_result
from benchmarks.serving_host import HostSettings, hosting
from benchmarks.serving_target import GENERATOR_CORE, SERVER_CORE, Target
from benchmarks.snapshot_pair import twin_snapshots
from cli.id_list import read_ids
from cli.shop import load_shop

SUITE = "load"
DRAWN = 20_000
"""Items that are asked for, drawn as often as they were visited."""
CHAOS_WORKERS = 2


def run_load(options: LoadOptions) -> None:
    """Make the calls; each stretch is printed and kept as soon as it is over.

    Raises:
        ConfigError: an option is wrong, or a swap was refused.
        DataError: a file of ids cannot be read, or holds none.
        ArtifactError: there is no snapshot.
        NotReadyError: the server cannot be reached, or goes away.
    """
    settings = None if options.config is None else HostSettings.of_shop(load_shop(options.config))
    mix = parse_mix(options.mix)
    if options.ids is not None:
        ids = read_ids(options.ids, "item_id")
    else:
        assert settings is not None, "bug: checked before"
        ids = _ids_of_snapshot(settings.snapshots)
    asks = mixed_asks(mix, ids, seed=SEED)

    def keep(summary: LoadSummary) -> None:
        print(summary.row(), flush=True)
        append_result(options.results, _result(options, summary))

    run_on = partial(
        LoadRun, asks=asks, arrivals=options.arrivals, deadline_ms=options.deadline_ms, keep=keep
    )
    print(HEAD)
    if options.address is not None:
        _put(run_on(*_parsed(options.address)), options)
    elif settings is not None:
        _put_on_own(run_on, options, settings)
    print(f"appended to {options.results}")


def _put(run: LoadRun, options: LoadOptions) -> None:
    if options.p99_ms is None:
        run.steps(options.steps)
        return
    found = run.knee(options.p99_ms, options.steps[0].seconds)
    print(f"knee: {found:,.0f} calls/s at a p99 of at most {options.p99_ms:g} ms")


def _put_on_own(
    run_on: Callable[[str, int], LoadRun], options: LoadOptions, settings: HostSettings
) -> None:
    """Start a server, put the load on it, and say what it took."""
    snapshot = VersionedRoot(settings.snapshots).current(hint="shelfmate publish")
    workers = settings.server.workers
    with TemporaryDirectory(prefix="shelfmate-bench-") as folder, _pinned():
        if options.chaos is Chaos.SWAP:
            twins = twin_snapshots(snapshot, Path(folder) / "snapshots")
            settings = settings.model_copy(update={"snapshots": twins.root})
        elif options.chaos is Chaos.KILL:
            workers = max(workers, CHAOS_WORKERS)
        with hosting(settings, workers=workers) as server:
            run, begun_s, cpu_s = run_on("127.0.0.1", server.port), time.monotonic(), server.cpu_s()
            match options.chaos:
                case None:
                    _put(run, options)
                case Chaos.SWAP:
                    run.swapped(server, snapshot.name, options.steps[0])
                case Chaos.KILL:
                    run.killed(server, options.steps[0])
            print(_beside(server, cpu_s, time.monotonic() - begun_s))


def _beside(server: Target, cpu_s: float, seconds: float) -> str:
    """Say what a server took meanwhile; a worker that was killed takes what it used with it."""
    share = max(server.cpu_s() - cpu_s, 0.0) / seconds
    resident = max(process.memory_info().rss for process in server.family())
    return f"server: {share:.0%} of a core, {resident / 2**20:,.0f} MiB resident in its largest process"


@contextmanager
def _pinned() -> Iterator[None]:
    """Keep this process off the server's core.

    Raises:
        ConfigError: there is only one core.
    """
    before = os.sched_getaffinity(0)
    if not {SERVER_CORE, GENERATOR_CORE} <= before:
        raise ConfigError(
            "server and generator need a core each: expected cores 0 and 1, got "
            f"{sorted(before)}; start the server elsewhere and name it by --address"
        )
    os.sched_setaffinity(0, {GENERATOR_CORE})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _ids_of_snapshot(snapshots: Path) -> list[str]:
    """Return item ids, each as often as it was visited and a little more."""
    folder = VersionedRoot(snapshots).current(hint="shelfmate publish")
    snapshot = Snapshot.open(folder, check=False)
    visits = np.asarray(snapshot.catalog.popularity, dtype=np.float64) + 1  # all have a chance
    rows = np.random.default_rng(SEED).choice(len(visits), DRAWN, p=visits / visits.sum())
    return snapshot.items.ids(rows.astype(np.int32))


def _parsed(address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdigit():
        raise ConfigError(f"--address: expected host:port, got {address!r}")
    return host.strip("[]"), int(port)


def _result(options: LoadOptions, summary: LoadSummary) -> Result:
    shape = {
        "mix": options.mix,
        "arrivals": options.arrivals,
        "deadline_ms": options.deadline_ms,
        "chaos": options.chaos,
        "counts": summary.counts,
        "load_average": os.getloadavg()[0],
    }
    return Result(
        suite=SUITE,
        name=summary.name,
        measured_at=datetime.now(UTC),
        machine=describe_machine(),
        data=options.address or str(options.config),
        config=shape,
        metrics={key: value for key, value in summary.metrics.items() if isfinite(value)},
    )
