"""What a load says of a server."""

from dataclasses import dataclass

from benchmarks.calls import Calls, ended
from benchmarks.open_loop import LATE_S

HEAD = (
    "| load | calls/s | in time/s | p50 ms | p90 ms | p99 ms | p99.9 ms | max ms | ended |\n"
    "|---|---|---|---|---|---|---|---|---|"
)
"""Of a Markdown table of summaries."""

PERCENTILES = {"p50_s": 50.0, "p90_s": 90.0, "p99_s": 99.0, "p999_s": 99.9, "max_s": 100.0}


@dataclass(frozen=True, slots=True)
class LoadSummary:
    """A stretch of a load.

    Attributes:
        name: for people.
        metrics: by name; without latencies where the generator was late, since it would have measured
            itself.
        counts: calls by their status.
    """

    name: str
    metrics: dict[str, float]
    counts: dict[str, int]

    @classmethod
    def of_calls(cls, name: str, calls: Calls, seconds: float, deadline_s: float) -> "LoadSummary":
        """Sum up calls that were due within `seconds`; one is good that is answered in `deadline_s`."""
        late_s = calls.late_p99_s()
        metrics = {"rate_per_s": len(calls) / seconds, "late_p99_s": late_s}
        if late_s <= LATE_S:
            good = calls.answered & (calls.took_s <= deadline_s)
            metrics["good_per_s"] = int(good.sum()) / seconds
            metrics |= {key: calls.percentile_s(share) for key, share in PERCENTILES.items()}
        return cls(name, metrics, calls.counts())

    def row(self) -> str:
        """Return a line of a Markdown table."""
        m = self.metrics
        good = f"{m['good_per_s']:,.1f}" if "good_per_s" in m else "generator late"
        latencies = [f"{1e3 * m[key]:,.2f}" if key in m else "-" for key in PERCENTILES]
        cells = [self.name, f"{m['rate_per_s']:,.1f}", good, *latencies, ended(self.counts)]
        return f"| {' | '.join(cells)} |"
