"""Snapshots that are swapped while calls are made."""

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.arrivals import Arrivals, Step, due_times
from benchmarks.calls import Calls, Window, ended
from benchmarks.disturbance import disturbed
from benchmarks.open_loop import Schedule, run_calls
from benchmarks.search_record import Bar
from benchmarks.served import Served
from benchmarks.serving_host import hosting
from benchmarks.serving_record import ServingRecord
from benchmarks.serving_requests import Questions
from benchmarks.serving_target import Target
from benchmarks.serving_trials import Trials, lateness, measured
from benchmarks.snapshot_pair import TWIN, twin_snapshots
from cli.activate import activate_snapshot
from shelfmate.client import Access

SHARE = 0.6
"""Of saturation: as loaded as a server is to be when nothing happens."""
SWAPS = 3
DEADLINE_MS = 1_000
"""That of the shipped client: what fails, fails for the swap."""
TAIL_S = 0.25
"""After a swap in which the old snapshot is let go of; it counts as the swap's."""
PATIENCE_S = 120.0
SLOWER = 2.0


def measure_swap(served: Served, record: ServingRecord) -> list[Bar]:
    """Swap the snapshot and a copy of it under a load of look-ups and searches by turns.

    Raises:
        ConfigError: a swap failed.
    """
    asks = served.asked.mixed()
    with TemporaryDirectory(dir=served.work, prefix="swap-") as folder:
        snapshots = twin_snapshots(served.snapshot, Path(folder) / "snapshots")
        settings = served.settings.model_copy(update={"snapshots": snapshots.root})
        with hosting(settings) as server:
            peak = Trials(server, asks, record).saturation()
            schedule = scheduled(asks, SHARE * peak, record.seconds)
            calls, windows = disturbed(
                lambda: run_calls("127.0.0.1", server.port, schedule),
                swaps(server, served.snapshot.name),
                swap_times(record.seconds),
            )
    return swap_bars(calls, windows, record)


def swaps(server: Target, id: str) -> Callable[[int], None]:
    """Return what puts the twin of a snapshot in service, then the snapshot itself, and so on."""
    names = (f"{id}{TWIN}", id)

    def swap(number: int) -> None:
        activate_snapshot(names[number % 2], server.admin_address, Access(), timeout_s=PATIENCE_S)

    return swap


def swap_times(seconds: float) -> list[float]:
    """Return when to swap during a load of so many seconds."""
    return [seconds * (number + 1) / (SWAPS + 1) for number in range(SWAPS)]


def scheduled(questions: Questions, rate: float, seconds: float) -> Schedule:
    """Return a Poisson load of calls that have as long as those of the shipped client."""
    due_s = due_times([Step(rate, seconds)], Arrivals.POISSON, seed=1)
    return Schedule(questions.asks, due_s, DEADLINE_MS)


def swap_bars(calls: Calls, windows: Sequence[Window], record: ServingRecord) -> list[Bar]:
    """Judge a load during which snapshots were swapped, and keep what was found."""
    before = calls.due_within([Window(calls.start, windows[0].begin)])
    during = calls.due_within([Window(w.begin, w.end + TAIL_S) for w in windows])
    slower = during.percentile_s(99) / before.percentile_s(99)
    took = [w.end - w.begin for w in windows]
    metrics = {
        "swaps": float(len(windows)),
        "swap_s": sum(took) / len(took),
        "rate_per_s": len(calls) / float(calls.due_s[-1]),
        "p99_before_s": before.percentile_s(99),
        "p99_during_s": during.percentile_s(99),
        "failed": float(calls.failed),
        "late_p99_s": calls.late_p99_s(),
    }
    record.keep("swap under load", metrics, counts=calls.counts())
    return [
        record.keep_bar(
            Bar("snapshot swap under load: failed calls", calls.failed, 0, most=True),
            f"{len(windows)} swaps, {len(calls):,} calls: {ended(calls.counts())}",
        ),
        record.keep_bar(
            Bar(
                "snapshot swap under load: p99 during / before",
                measured(measured(slower, before), during),
                SLOWER,
                most=True,
            ),
            f"{1e3 * during.percentile_s(99):.1f} ms of {len(during)} calls, before "
            f"{1e3 * before.percentile_s(99):.1f} ms; {lateness(during)}",
        ),
    ]
