"""Loads on a server that is to be measured, one after the other."""

from artifacts.errors import NotReadyError
from benchmarks.arrivals import Arrivals, Step, due_times
from benchmarks.calls import Calls, ended
from benchmarks.open_loop import DEADLINE_MS, LATE_S, LoadResult, Schedule, run_calls
from benchmarks.saturation import FIRST_RATE, find_saturation
from benchmarks.serving_record import ServingRecord
from benchmarks.serving_requests import Questions
from benchmarks.serving_target import Target

QUIET_S = 1.0
QUIET_TRIES = 3


class Trials:
    """Puts loads of one kind on one server, shows each and keeps those that count.

    Args:
        server: it is asked.
        questions: what it is asked.
        record: where results go.
    """

    def __init__(self, server: Target, questions: Questions, record: ServingRecord) -> None:
        self._server = server
        self._questions = questions
        self._record = record

    def saturation(self) -> float:
        """Return the highest rate at which calls are answered in time, and keep what came back.

        Raises:
            NotReadyError: the generator is late whatever it does, or no rate held for the full time.
        """
        self._check_quiet()
        found = find_saturation(self.put, self._record.seconds)
        if not found.is_confirmed:
            raise NotReadyError(
                f"{self._questions.name}: no rate held for {self._record.seconds:g} s; at "
                f"{found.result.rate:.1f}/s {found.result.good_share:.1%} were answered in time, "
                f"{lateness(found.result)}"
            )
        self._keep("saturation", found.result)
        return found.rate

    def kept(self, name: str, rate: float) -> LoadResult:
        """Put a load on the server for the full time, and keep what came back."""
        result = self.put(rate, self._record.seconds)
        self._keep(name, result)
        return result

    def put(self, rate: float, seconds: float) -> LoadResult:
        """Put a Poisson load on the server and show what came back."""
        due_s = due_times([Step(rate, seconds)], Arrivals.POISSON, seed=1)
        before = self._server.cpu_s()
        calls = run_calls("127.0.0.1", self._server.port, Schedule(self._questions.asks, due_s))
        result = LoadResult.of_calls(calls, seconds, DEADLINE_MS / 1_000)
        cpu = (self._server.cpu_s() - before) / seconds
        print(
            f"  {self._questions.name}: {result.rate:8.1f}/s, good {result.good_share:7.2%}, "
            f"p50 {result.percentile_ms(50):6.2f} ms, p99 {result.percentile_ms(99):6.2f} ms, "
            f"server's core {cpu:.0%}, generator late {1e3 * result.late_s:.2f} ms, "
            f"{ended(result.counts)}",
            flush=True,
        )
        return result

    def _check_quiet(self) -> None:
        """Return if the generator keeps its times at a rate that takes it nothing."""
        for _ in range(QUIET_TRIES):
            result = self.put(FIRST_RATE, QUIET_S)
            if result.is_valid:
                return
        raise NotReadyError(
            f"the generator is late by {1e3 * result.late_s:.1f} ms at {FIRST_RATE:.0f} calls/s: "
            "something else runs on this machine"
        )

    def _keep(self, name: str, result: LoadResult) -> None:
        self._record.keep_load(f"{self._questions.name}: {name}", result)


def measured(value: float, load: LoadResult | Calls) -> float:
    """Return a value, or NaN where the generator was late: it would have measured itself."""
    late_s = load.late_s if isinstance(load, LoadResult) else load.late_p99_s()
    return value if late_s <= LATE_S else float("nan")


def lateness(load: LoadResult | Calls) -> str:
    """Return what to say beside a number of how late the generator was."""
    late_s = load.late_s if isinstance(load, LoadResult) else load.late_p99_s()
    if late_s <= LATE_S:
        return f"generator late by {1e3 * late_s:.1f} ms"
    return f"NOT MEASURED: the generator was late by {1e3 * late_s:.1f} ms"
