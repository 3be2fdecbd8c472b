"""Loads of every shape on one server."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from artifacts.errors import NotReadyError
from benchmarks.arrivals import Arrivals, Step, due_times
from benchmarks.calls import Calls, Window
from benchmarks.client_loop import run_client
from benchmarks.death_under_load import KILL_SHARE, kill_worker
from benchmarks.disturbance import disturbed
from benchmarks.load_summary import LoadSummary
from benchmarks.open_loop import Ask, LoadResult, Schedule, run_calls
from benchmarks.saturation import find_saturation
from benchmarks.saturation import holds as answered_in_time
from benchmarks.serving_target import Target
from benchmarks.swap_under_load import swap_times, swaps

SEED = 1


@dataclass(frozen=True, slots=True)
class LoadRun:
    """Puts loads on one server.

    Attributes:
        host: of the server.
        port: of the server.
        asks: made in turn.
        arrivals: how calls follow each other.
        deadline_ms: told to the server; a call that is answered within it is good.
        keep: told of each stretch of a load as soon as it is over.
    """

    host: str
    port: int
    asks: Sequence[Ask]
    arrivals: Arrivals
    deadline_ms: int
    keep: Callable[[LoadSummary], None]

    def steps(self, steps: Sequence[Step]) -> None:
        """Put one step after the other on the server, without a pause in between."""
        calls = self._calls(steps)
        ends = list(accumulate(step.seconds for step in steps))
        for step, end in zip(steps, ends, strict=True):
            window = Window(calls.start + end - step.seconds, calls.start + end)
            name = f"{step.rate:g}/s for {step.seconds:g} s"
            self._sum_up(name, calls.due_within([window]), step.seconds)

    def knee(self, p99_ms: float, seconds: float) -> float:
        """Return the highest rate at which the 99th percentile stays within `p99_ms`, for `seconds`."""

        def trial(rate: float, lasts_s: float) -> LoadResult:
            calls = self._calls([Step(rate, lasts_s)])
            self._sum_up(f"{rate:.0f}/s for {lasts_s:g} s", calls, lasts_s)
            return LoadResult.of_calls(calls, lasts_s, self.deadline_ms / 1_000)

        def bears(result: LoadResult) -> bool:
            return answered_in_time(result) and result.percentile_ms(99) <= p99_ms

        return find_saturation(trial, seconds, bears).rate

    def swapped(self, server: Target, snapshot_id: str, step: Step) -> None:
        """Swap snapshots in mid-run; sums up what was before, what meanwhile, and all."""
        act, at_s = swaps(server, snapshot_id), swap_times(step.seconds)
        self._around(step, *disturbed(lambda: self._calls([step]), act, at_s))

    def killed(self, server: Target, step: Step) -> None:
        """Kill a worker in mid-run; sums up what was before, what meanwhile, and all."""

        def load() -> Calls:
            due_s = due_times([step], self.arrivals, seed=SEED)
            return asyncio.run(run_client(server.address, self.asks, due_s))

        def act(number: int) -> None:
            kill_worker(server)

        self._around(step, *disturbed(load, act, [KILL_SHARE * step.seconds]))

    def _around(self, step: Step, calls: Calls, windows: list[Window]) -> None:
        before = Window(calls.start, windows[0].begin)
        end = calls.start + step.seconds
        meanwhile = [Window(w.begin, min(w.end, end)) for w in windows if w.begin < end]
        for name, chosen in (("before", [before]), ("meanwhile", meanwhile)):
            lasts_s = sum(window.end - window.begin for window in chosen)
            self._sum_up(name, calls.due_within(chosen), lasts_s)
        self._sum_up("all", calls, step.seconds)

    def _calls(self, steps: Sequence[Step]) -> Calls:
        """Make the calls.

        Raises:
            NotReadyError: the server cannot be reached, or goes away.
        """
        due_s = due_times(steps, self.arrivals, seed=SEED)
        try:
            return run_calls(self.host, self.port, Schedule(self.asks, due_s, self.deadline_ms))
        except OSError as error:
            raise NotReadyError(f"server at {self.host}:{self.port}: {error}") from error

    def _sum_up(self, name: str, calls: Calls, seconds: float) -> None:
        self.keep(LoadSummary.of_calls(name, calls, seconds, self.deadline_ms / 1_000))
