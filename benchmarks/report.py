"""Tables of results, as Markdown, and their places in the docs."""

import re
from collections.abc import Sequence
from pathlib import Path

from artifacts.errors import ConfigError
from benchmarks.results import Result

_MARK = "<!-- bench:{name} -->"
_END = "<!-- /bench:{name} -->"


def pareto(results: Sequence[Result], *, speed: str = "single_per_s") -> list[Result]:
    """Return the results that no other beats in both recall and speed, by rising recall."""
    front: list[Result] = []
    for result in sorted(results, key=lambda r: (-r.metrics["recall"], -r.metrics[speed])):
        if not front or result.metrics[speed] > front[-1].metrics[speed]:
            front.append(result)
    return front[::-1]


def fastest_at(results: Sequence[Result], recall: float) -> list[Result]:
    """Return the fastest result of each backend among those that reach `recall`."""
    reaching = [result for result in results if result.metrics["recall"] >= recall]
    kinds = dict.fromkeys(result.config["kind"] for result in reaching)
    return [
        max(
            (result for result in reaching if result.config["kind"] == kind),
            key=lambda result: result.metrics["single_per_s"],
        )
        for kind in kinds
    ]


def search_table(results: Sequence[Result]) -> str:
    """Return the Pareto front of each backend as one Markdown table."""
    lines = [
        "| engine | recall@k | queries/s, single | p99 | queries/s, batched | build | size |",
        "|---|---|---|---|---|---|---|",
    ]
    kinds = dict.fromkeys(result.config["kind"] for result in results)
    for kind in kinds:
        of_kind = [result for result in results if result.config["kind"] == kind]
        lines += [_search_row(result) for result in pareto(of_kind)]
    return "\n".join(lines)


def _search_row(result: Result) -> str:
    m = result.metrics
    return (
        f"| {result.name} | {m['recall']:.3f} | {m['single_per_s']:,.0f} "
        f"({m['single_low_per_s']:,.0f} to {m['single_high_per_s']:,.0f}) "
        f"| {m['single_p99_us']:,.0f} us | {m['batched_per_s']:,.0f} "
        f"| {m['build_s']:.1f} s | {m['size_bytes'] / 2**20:.1f} MiB |"
    )


def circumstances(results: Sequence[Result]) -> str:
    """Return a sentence on where, when and with what the results were measured."""
    last = results[-1]
    machine, config = last.machine, last.config
    threads = config["build_threads"]
    return (
        f"{last.data}; k = {config['k']}, {config['queries']:,} queries, medians of "
        f"{config['repeats']} passes (lowest to highest), batches of {config['batch']}, "
        f"{threads} build thread(s); {machine.cpu}, {machine.cores} core(s), "
        f"{last.measured_at:%Y-%m-%d}, commit {machine.commit}."
    )


def fill(path: Path, name: str, text: str) -> bool:
    """Replace what stands between the marks `bench:<name>` of a document; tell if it changed.

    Raises:
        ConfigError: the document has no such marks.
    """
    begin, end = _MARK.format(name=name), _END.format(name=name)
    document, pattern = path.read_text("utf-8"), _between(name)
    if not pattern.search(document):
        raise ConfigError(f"{path}: expected the marks {begin} and {end}")
    filled = pattern.sub(lambda _: f"{begin}\n{text}\n{end}", document, count=1)
    if filled != document:
        path.write_text(filled, "utf-8")
    return filled != document


def has_marks(path: Path, name: str) -> bool:
    """Tell whether a document has the marks `bench:<name>`."""
    return _between(name).search(path.read_text("utf-8")) is not None


def _between(name: str) -> re.Pattern[str]:
    begin, end = _MARK.format(name=name), _END.format(name=name)
    return re.compile(re.escape(begin) + r".*?" + re.escape(end), re.DOTALL)
