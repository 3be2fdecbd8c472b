"""What a server on one core reaches beside its ceiling: highest rate, latency below it, and beyond."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from benchmarks.calls import ended
from benchmarks.refusal_cost import measure_refusal
from benchmarks.saturation import overload_goodput
from benchmarks.search_record import Bar
from benchmarks.served import Served
from benchmarks.serving_host import hosting
from benchmarks.serving_record import ServingRecord
from benchmarks.serving_requests import Asked, Questions
from benchmarks.serving_target import running
from benchmarks.serving_trials import Trials, lateness, measured

BATCH = 100
P99_SHARE = 0.6
P99_MS = 10.0
OVERLOAD = 3.0
DEAR_S = 0.005
"""A call that costs as much is refused for nearly nothing."""
KEPT = 0.9


@dataclass(frozen=True, slots=True)
class Scenario:
    """One kind of call, and what it promises.

    Attributes:
        questions: of a snapshot that is asked.
        searches: in each call; none where lists are looked up.
        entries: of each answer.
        share: of the ceiling that is to be reached.
    """

    questions: Callable[[Asked], Questions]
    searches: int
    entries: int
    share: float


SCENARIOS = {
    "precomputed": Scenario(Asked.precomputed, 0, 1, 0.85),
    "neighbors": Scenario(lambda asked: asked.neighbors(1), 1, 1, 0.80),
    "sessions": Scenario(Asked.sessions, 1, 1, 0.80),
    "batches": Scenario(lambda asked: asked.neighbors(BATCH), BATCH, BATCH, 0.85),
}
"""By the name of the part of a run that measures them."""


class Rates:
    """Measures scenarios over one snapshot.

    Args:
        served: what is served.
        record: where results go.
    """

    def __init__(self, served: Served, record: ServingRecord) -> None:
        self._served = served
        self._record = record

    @cached_property
    def refusal_s(self) -> float:
        """Seconds of processor time that a refusal costs; measured once."""
        return measure_refusal(self._served.asked.precomputed(), self._record.of_part("refusal"))

    def measure(self, part: str) -> list[Bar]:
        """Measure a scenario beside its ceiling, which is made of an echo and of bare searches."""
        scenario, record = SCENARIOS[part], self._record.of_part(part)
        questions = scenario.questions(self._served.asked)
        refusal_s = self.refusal_s
        echo = self._echo_rate(questions, scenario.entries, record)
        search_s = self._served.asked.search_s(scenario.searches) if scenario.searches else 0.0
        with hosting(self._served.settings) as server:
            trials = Trials(server, questions, record)
            peak = trials.saturation()
            ceiling = 1 / (1 / echo + search_s)
            numbers = {"echo_per_s": echo, "search_s": search_s, "peak_per_s": peak}
            record.keep(f"{questions.name}: beside its ceiling", numbers)
            bar = Bar(f"{questions.name}: rate / ceiling", peak / ceiling, scenario.share)
            note = (
                f"{peak:.0f} of {ceiling:.0f}/s (echo {echo:.0f}/s, search {1e6 * search_s:.0f} us)"
            )
            return [
                record.keep_bar(bar, note),
                _latency_bar(trials, questions, peak, record),
                _overload_bar(trials, questions, (peak, refusal_s), record),
            ]

    def _echo_rate(self, questions: Questions, entries: int, record: ServingRecord) -> float:
        """Return the calls a second of the bare server, which is asked as ours is."""
        asked = questions._replace(name=f"echo to {questions.name}")
        with running("benchmarks.echo_server", ["--entries", str(entries)]) as server:
            return Trials(server, asked, record).saturation()


def _latency_bar(trials: Trials, questions: Questions, peak: float, record: ServingRecord) -> Bar:
    result = trials.kept(f"at {P99_SHARE:.0%} of saturation", P99_SHARE * peak)
    name = f"{questions.name}: p99 in ms at {P99_SHARE:.0%} of saturation"
    bar = Bar(name, measured(result.percentile_ms(99), result), P99_MS, most=True)
    note = f"{result.rate:.0f}/s, p50 {result.percentile_ms(50):.2f} ms; {lateness(result)}"
    return record.keep_bar(bar, note)


def _overload_bar(
    trials: Trials, questions: Questions, costs: tuple[float, float], record: ServingRecord
) -> Bar:
    peak, refusal_s = costs
    result = trials.kept(f"at {OVERLOAD:.0f} x saturation", OVERLOAD * peak)
    possible = peak if 1 / peak >= DEAR_S else overload_goodput(peak, refusal_s)
    value = result.good_rate / possible if possible else float("nan")
    name = f"{questions.name}: goodput at {OVERLOAD:.0f} x saturation / what refusing leaves"
    note = (
        f"{result.good_rate:.0f} of {possible:.0f}/s (peak {peak:.0f}/s, a refusal "
        f"{1e6 * refusal_s:.0f} us): {ended(result.counts)}; {lateness(result)}"
    )
    return record.keep_bar(Bar(name, measured(value, result), KEPT), note)
