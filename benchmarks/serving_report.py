"""Tables of docs/serving.md, made from the newest measurement of each kind."""

from collections.abc import Callable, Sequence

from benchmarks.calls import ended
from benchmarks.results import Result
from benchmarks.serving_record import BAR, SUITE

CEILING = ": beside its ceiling"
STEPS = "serving_steps"
NOTHING = "Not measured yet."


def newest(results: Sequence[Result]) -> list[Result]:
    """Return the last record of each name, in the order of the first ones: parts are measured apart."""
    return list({result.name: result for result in results}.values())


def bars_table(results: Sequence[Result]) -> str:
    """Return each bar, what it asks for, what was measured, and the numbers that it comes from."""
    bars = [result for result in newest(results) if result.name.startswith(BAR)]
    lines = ["| bar | needed | measured | | from |", "|---|---|---|---|---|"]
    for result in bars:
        m, config = result.metrics, result.config
        sign = "<=" if config["most"] else ">="
        value = f"{m['value']:.2f}" if "value" in m else "-"
        verdict = "met" if m["met"] else "not met" if "value" in m else "not measured"
        name = result.name.removeprefix(BAR)
        lines.append(
            f"| {name} | {sign} {m['needed']:g} | {value} | {verdict} | {config['note']} |"
        )
    return _table(lines, bars)


def rates_table(results: Sequence[Result]) -> str:
    """Return highest rates beside their ceilings."""
    shown = [result for result in newest(results) if result.name.endswith(CEILING)]
    lines = [
        "| call | echo | search in process | ceiling | served | share |",
        "|---|---|---|---|---|---|",
    ]
    for result in shown:
        echo, search_s, peak = (
            result.metrics[name] for name in ("echo_per_s", "search_s", "peak_per_s")
        )
        ceiling = 1 / (1 / echo + search_s)
        search = f"{1e6 * search_s:,.0f} us" if search_s else "none"
        lines.append(
            f"| {result.name.removesuffix(CEILING)} | {echo:,.0f}/s | {search} | {ceiling:,.0f}/s "
            f"| {peak:,.0f}/s | {peak / ceiling:.2f} |"
        )
    return _table(lines, shown)


def loads_table(results: Sequence[Result]) -> str:
    """Return every load that was kept: what was sent, what came back, and how soon."""
    shown = [result for result in newest(results) if "good_per_s" in result.metrics]
    lines = ["| load | sent | in time | p50 | p99 | ended |", "|---|---|---|---|---|---|"]
    for result in shown:
        m = result.metrics
        lines.append(
            f"| {result.name} | {m['rate_per_s']:,.0f}/s | {m['good_per_s']:,.0f}/s "
            f"| {_ms(m, 'p50_s')} | {_ms(m, 'p99_s')} | {ended(result.config['counts'])} |"
        )
    return _table(lines, shown)


def memory_table(results: Sequence[Result]) -> str:
    """Return what workers hold, and how soon servers answer."""
    shown = [result for result in newest(results) if "private_bytes" in result.metrics]
    lines = [
        "| served | first worker's resident set | further worker's private memory | ready after |",
        "|---|---|---|---|",
    ]
    for result in shown:
        m = result.metrics
        lines.append(
            f"| {result.data} | {m['resident_bytes'] / 2**20:,.0f} MiB "
            f"| {m['private_bytes'] / 2**20:,.0f} MiB | {m['ready_s']:.1f} s |"
        )
    return _table(lines, shown)


def steps_table(results: Sequence[Result]) -> str:
    """Return where the microseconds of a precomputed answer go."""
    shown = newest(results)
    lines = ["| step | median | lowest to highest pass |", "|---|---|---|"]
    for result in shown:
        m = result.metrics
        lines.append(
            f"| {result.name} | {m['median_us']:.1f} us | {m['low_us']:.1f} to {m['high_us']:.1f} us |"
        )
    return _table(lines, shown)


def _ms(metrics: dict[str, float], name: str) -> str:
    return f"{1e3 * metrics[name]:,.2f} ms" if name in metrics else "-"


def _table(lines: Sequence[str], shown: Sequence[Result]) -> str:
    if not shown:
        return NOTHING
    return "\n".join([*lines, "", circumstances(shown)])


def circumstances(results: Sequence[Result]) -> str:
    """Return a sentence on where and when the results were measured, and for how long each load."""
    newest_one = max(results, key=lambda result: result.measured_at)
    machine = newest_one.machine
    data = dict.fromkeys(result.data for result in results)
    days = sorted({f"{result.measured_at:%Y-%m-%d}" for result in results})
    commits = dict.fromkeys(result.machine.commit for result in results)
    loads = [result.config["load_average"] for result in results if "load_average" in result.config]
    seconds = sorted({result.config["seconds"] for result in results if "seconds" in result.config})
    facts = [
        ", ".join(data),
        f"{machine.cpu}, {machine.system}, Python {machine.python}",
        f"{' to '.join(dict.fromkeys((days[0], days[-1])))}, commit {', '.join(commits)}",
    ]
    if seconds:
        facts.append(f"loads of {' and '.join(f'{each:g}' for each in seconds)} s")
    if loads:
        facts.append(f"load average {min(loads):.1f} to {max(loads):.1f}")
    return "; ".join(facts) + "."


TABLES: dict[str, tuple[str, Callable[[Sequence[Result]], str]]] = {
    "serving-bars": (SUITE, bars_table),
    "serving-rates": (SUITE, rates_table),
    "serving-loads": (SUITE, loads_table),
    "serving-memory": (SUITE, memory_table),
    "serving-steps": (STEPS, steps_table),
}
"""By mark: which suite each is made from, and how."""
