"""Any measurements as one table, where nothing better fits them."""

from collections.abc import Mapping, Sequence

from benchmarks.results import Result

MISSING = ""


def metrics_table(results: Sequence[Result]) -> str:
    """Return the last record of each name and data as Markdown, a column for each metric.

    Metrics that come with `_low` and `_high` get them in brackets.
    """
    last = {(result.name, result.data): result for result in results}
    names = list(dict.fromkeys(name for result in last.values() for name in result.metrics))
    shown = [name for name in names if not _is_bound(name, names)]
    lines = [f"| what | {' | '.join(shown)} |", "|---" * (1 + len(shown)) + "|"]
    for result in last.values():
        cells = (_cell(name, result.metrics) for name in shown)
        name = result.name.replace("|", "\\|")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _is_bound(name: str, names: Sequence[str]) -> bool:
    stem = name.removesuffix("_low").removesuffix("_high")
    return stem != name and stem in names


def _cell(name: str, metrics: Mapping[str, float]) -> str:
    if name not in metrics:
        return MISSING
    low, high = metrics.get(f"{name}_low"), metrics.get(f"{name}_high")
    between = "" if low is None or high is None else f" [{low:,.4g}, {high:,.4g}]"
    return f"{metrics[name]:,.4g}{between}"
