"""What `bench diff` prints."""

from collections.abc import Iterator, Sequence
from math import isinf

from benchmarks.results_change import Change, Difference


def difference_text(difference: Difference, threshold: float) -> str:
    """Return what got worse, what got better, and what could not be compared, as Markdown."""
    worse = [change for change in difference.changes if change.is_worse(threshold)]
    better = [change for change in difference.changes if change.is_better(threshold)]
    same = len(difference.changes) - len(worse) - len(better)
    lines = [
        f"{len(difference.changes)} metrics compared: {len(worse)} worse and {len(better)} better "
        f"by more than {threshold:.0%}, {same} within it or within their scatter.",
        *_table("Worse", worse),
        *_table("Better", better),
        *_list("Missing after", difference.only_before),
        *_list("New", difference.only_after),
        *_list(
            "Settings differ",
            [f"{key}: {', '.join(names)}" for key, names in difference.other_settings.items()],
        ),
    ]
    return "\n".join(lines)


def _table(title: str, changes: Sequence[Change]) -> Iterator[str]:
    if not changes:
        return
    yield from ("", f"## {title}", "")
    yield from ("| measurement | metric | before | after | change |", "|---|---|---|---|---|")
    for change in sorted(changes, key=lambda one: -abs(one.change)):
        name = change.key.name.replace("|", "\\|")
        yield (
            f"| {change.key.suite}: {name} | {change.metric} | {change.before:,.6g} "
            f"| {change.after:,.6g} | {_percent(change)} |"
        )


def _percent(change: Change) -> str:
    shown = "from 0" if isinf(change.change) else f"{change.change:+.1%}"
    if change.interval is None:
        return shown
    low, high = change.interval
    return f"{shown} ({low:+.1%} to {high:+.1%})"


def _list(title: str, entries: Sequence[object]) -> Iterator[str]:
    if entries:
        yield from ("", f"## {title}", "")
        yield from (f"- {entry}" for entry in entries)
