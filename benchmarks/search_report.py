"""Tables of the search bars, made from the records of their latest run."""

from collections.abc import Sequence

import numpy as np

from artifacts.errors import ArtifactError
from benchmarks.results import Result
from benchmarks.search_record import SUITE

RECALLS = (0.90, 0.95)


def latest_run(results: Sequence[Result], suite: str = SUITE) -> list[Result]:
    """Return the records of the last run of a suite.

    Raises:
        ArtifactError: no run of it was recorded.
    """
    ours = [result for result in results if result.suite == suite]
    if not ours:
        raise ArtifactError(f"results: expected records of the suite {suite!r}, found none")
    last = ours[-1].config["run"]
    return [result for result in ours if result.config["run"] == last]


def rates_table(results: Sequence[Result]) -> str:
    """Return queries a second at equal recall, one line a family."""
    lines = ["| family | recall 0.90 | recall 0.95 |", "|---|---|---|"]
    families = dict.fromkeys(r.config["family"] for r in results if "family" in r.config)
    for family in families:
        points = [r.metrics for r in results if r.config.get("family") == family]
        rates = (_rate_at(points, recall) for recall in RECALLS)
        lines.append(f"| {family} | {' | '.join(rates)} |")
    return "\n".join(lines)


def _rate_at(points: Sequence[dict[str, float]], recall: float) -> str:
    """Interpolate as `benchmarks.equal_recall.rate_at` does; the front is all that was kept."""
    recalls = [point["recall"] for point in points]
    if max(recalls) < recall:
        return "-"
    logs = np.log([point["queries_per_s"] for point in points])
    return f"{np.exp(np.interp(recall, recalls, logs)):,.0f}"


def bars_table(results: Sequence[Result]) -> str:
    """Return each bar, what it asks for, and what was measured."""
    lines = ["| bar | needed | measured | |", "|---|---|---|---|"]
    for result in results:
        if result.name.startswith("bar: "):
            m, sign = result.metrics, "<=" if result.config["most"] else ">="
            verdict = "met" if m["met"] else "not met"
            name = result.name.removeprefix("bar: ")
            value = f"{m['value']:.2f}" if "value" in m else "-"
            lines.append(f"| {name} | {sign} {m['needed']:g} | {value} | {verdict} |")
    return "\n".join(lines)


def circumstances(results: Sequence[Result]) -> str:
    """Return a sentence on where and when the run was made."""
    last = results[-1]
    loads = [result.config["load_average"] for result in results]
    openblas = last.config["openblas_coretype"] or "not set"
    return (
        f"{results[0].data}; {last.config['queries']:,} queries, medians of {last.config['passes']} "
        f"passes, one thread; {last.machine.cpu}; {last.measured_at:%Y-%m-%d}, commit "
        f"{last.machine.commit}; load average {min(loads):.1f} to {max(loads):.1f}; "
        f"OPENBLAS_CORETYPE {openblas}."
    )
