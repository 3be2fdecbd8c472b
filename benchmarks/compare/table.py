"""What `bench compare` measured, as Markdown."""

from collections.abc import Sequence

from benchmarks.compare.comparison import RECALL_SLACK, SUITE
from benchmarks.results import Result
from benchmarks.search_report import bars_table, latest_run

NOT_MEASURED = "-"


def comparison_table(results: Sequence[Result]) -> str:
    """Return the last run: a line for each peer, whether we are ahead, and how each is set up.

    Raises:
        ArtifactError: nothing was compared.
    """
    run = latest_run(results, SUITE)
    rows = [result for result in run if "peer" in result.config]
    batches = list(dict.fromkeys(result.config["batch"] for result in rows))
    by_peer: dict[str, dict[int, Result]] = {}
    for result in rows:
        by_peer.setdefault(result.config["peer"], {})[result.config["batch"]] = result
    heads = [f"queries/s, batch {batch}" for batch in batches]
    lines = [
        f"| what | recall@k | {' | '.join(heads)} | one call | memory | build |",
        "|---" * (5 + len(batches)) + "|",
        *(_row(name, [of_peer[batch] for batch in batches]) for name, of_peer in by_peer.items()),
    ]
    bars = [result for result in run if result.name.startswith("bar: ")]
    verdicts = ["", bars_table(bars)] if bars else []
    setups = ["", *(_setup(next(iter(of_peer.values()))) for of_peer in by_peer.values())]
    return "\n".join([*lines, *verdicts, *setups, "", _circumstances(rows)])


def _row(name: str, results: Sequence[Result]) -> str:
    first = results[0]
    if "skipped" in first.config:
        return f"| {name} | {_reason(first)} |" + " |" * (3 + len(results))
    m = first.metrics
    rates = " | ".join(_rate(result) for result in results)
    lone = f"{1e3 * m['lone_p50_s']:.2f} ms" if "lone_p50_s" in m else NOT_MEASURED
    return (
        f"| {name} | {_recall(first)} | {rates} | {lone} | {m['resident_bytes'] / 2**20:,.0f} MiB "
        f"| {m['build_s']:,.1f} s |"
    )


def _recall(result: Result) -> str:
    reached, wanted = result.metrics["recall"], result.config["recall_wanted"]
    return f"{reached:.3f}" + (" (too low)" if reached < wanted - RECALL_SLACK else "")


def _reason(result: Result) -> str:
    first_line: str = result.config["skipped"].splitlines()[0]
    return first_line.replace("|", "/")


def _rate(result: Result) -> str:
    if "skipped" in result.config:
        return _reason(result)
    rate, config = result.metrics["queries_per_s"], result.config
    limit = f"{config['limit_ms']:g} ms"
    if not rate:
        late = config["generator_limited"]
        return "not measured: the load was late" if late else f"none within {limit}"
    more = " or more" if config["generator_limited"] else ""
    p99 = f"{1e3 * result.metrics['p99_s']:.1f} ms" if "p99_s" in result.metrics else NOT_MEASURED
    return f"{rate:,.0f}{more} (p99 {p99}, limit {limit})"


def _setup(result: Result) -> str:
    config = result.config
    if "versions" not in config:
        return f"- {config['peer']}: {config['setup']}"
    versions = ", ".join(f"{name} {release}" for name, release in config["versions"].items())
    return f"- {config['peer']}: {config['setup']}; set to {config['knob']}; {versions}"


def _circumstances(rows: Sequence[Result]) -> str:
    last = rows[-1]
    loads = [result.config["load_average"] for result in rows]
    return (
        f"{last.data}; k = {last.config['k']}, recall {last.config['recall_wanted']:g} on half of "
        f"{last.config['queries']:,} queries, asked with the other half; open loop, from when calls "
        f"are due, {last.config['seconds']:g} s at each rate; servers and libraries on one core, the "
        f"load from another; one call: median where nothing waits; {last.machine.cpu}; "
        f"{last.measured_at:%Y-%m-%d}, commit {last.machine.commit}; load average {min(loads):.1f} "
        f"to {max(loads):.1f}."
    )
