"""What got worse from one file of results to another, and how sure that is."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import stats

from artifacts.errors import ArtifactError
from benchmarks.machine import Machine
from benchmarks.results import Result

CONFIDENCE = 0.95

_BOUND = re.compile(r"(^|_)(low|high)(_|$)")
_MORE = re.compile(
    r"(^|_)(per_s|recall|mrr|hit_rate|ndcg|coverage|met|ratio|at_\d+)$|_of_raw|(^|_)speed_of_"
)
_LESS = re.compile(r"_(s|ms|us|ns|bytes)$")


class Key(NamedTuple):
    """What makes two records measurements of the same thing."""

    suite: str
    name: str
    data: str

    def __str__(self) -> str:
        return f"{self.suite}: {self.name} ({self.data})"


Repeats = dict[Key, list[Result]]


@dataclass(frozen=True, slots=True)
class Change:
    """One metric of one measurement, before and after.

    Attributes:
        key: the measurement.
        metric: its name.
        before: mean of the repeats.
        after: the same.
        change: relative to `before`; 0.1 is ten per cent more.
        interval: of the change, low and high; None where nothing says how much a repeat scatters.
        more_is_better: what is wished for.
    """

    key: Key
    metric: str
    before: float
    after: float
    change: float
    interval: tuple[float, float] | None
    more_is_better: bool

    def is_worse(self, threshold: float) -> bool:
        """Whether it got worse by more than `threshold`, and not by chance alone."""
        return self._beyond(-1 if self.more_is_better else 1, threshold)

    def is_better(self, threshold: float) -> bool:
        """Whether it got better by more than `threshold`, and not by chance alone."""
        return self._beyond(1 if self.more_is_better else -1, threshold)

    def _beyond(self, sign: int, threshold: float) -> bool:
        if sign * self.change <= threshold:
            return False
        return self.interval is None or min(sign * bound for bound in self.interval) > 0


@dataclass(frozen=True, slots=True)
class Difference:
    """Two files of results, side by side.

    Attributes:
        changes: of every metric that has a better and a worse.
        only_before: what the second file lacks.
        only_after: what the first file lacks.
        other_settings: measurements whose settings differ, with the names of those.
    """

    changes: list[Change]
    only_before: list[Key]
    only_after: list[Key]
    other_settings: dict[Key, list[str]]


def compare_results(
    before: Sequence[Result], after: Sequence[Result], *, force: bool = False
) -> Difference:
    """Compare what both files measured.

    Args:
        before: records of the first file.
        after: records of the second file.
        force: compare measurements of different machines too.

    Raises:
        ArtifactError: nothing was measured in both, or on different machines.
    """
    old, new = _repeats(before), _repeats(after)
    shared = [key for key in old if key in new]
    if not shared:
        raise ArtifactError("expected measurements that both files have, found none")
    if not force:
        _check_machines(
            [result for key in shared for result in old[key]],
            [result for key in shared for result in new[key]],
        )
    return Difference(
        changes=[change for key in shared for change in _changes(key, old[key], new[key])],
        only_before=[key for key in old if key not in new],
        only_after=[key for key in new if key not in old],
        other_settings={
            key: names for key in shared if (names := _other_settings(old[key][-1], new[key][-1]))
        },
    )


def _repeats(results: Sequence[Result]) -> Repeats:
    """Group records; of several commits the newest one's count, since a change is no repeat."""
    groups: Repeats = {}
    for result in results:
        groups.setdefault(Key(result.suite, result.name, result.data), []).append(result)
    return {key: _of_newest_commit(group) for key, group in groups.items()}


def _of_newest_commit(results: Sequence[Result]) -> list[Result]:
    newest = max(results, key=lambda result: result.measured_at)
    return [result for result in results if result.machine.commit == newest.machine.commit]


def _check_machines(before: Sequence[Result], after: Sequence[Result]) -> None:
    old = {_hardware(result.machine) for result in before}
    new = {_hardware(result.machine) for result in after}
    if old != new:
        raise ArtifactError(
            f"expected measurements of one machine, got {'; '.join(sorted(old))} before and "
            f"{'; '.join(sorted(new))} after; --force compares them all the same"
        )


def _hardware(machine: Machine) -> str:
    return f"{machine.cpu}, {machine.cores} core(s), {machine.memory_gib:.1f} GiB"


def _other_settings(before: Result, after: Result) -> list[str]:
    """Name the settings that differ, but for those that differ from run to run by nature."""
    names = (before.config.keys() | after.config.keys()) - {"run", "load_average"}
    return sorted(name for name in names if before.config.get(name) != after.config.get(name))


def _changes(key: Key, before: Sequence[Result], after: Sequence[Result]) -> Iterator[Change]:
    for metric in before[-1].metrics:
        more_is_better = _more_is_better(metric, before[-1])
        if more_is_better is None or metric not in after[-1].metrics:
            continue
        old, new = _values(metric, before), _values(metric, after)
        change = _relative(float(np.mean(old)), float(np.mean(new)))
        interval = _interval(old, new) or _spread(metric, before[-1].metrics, after[-1].metrics)
        yield Change(
            key, metric, float(np.mean(old)), float(np.mean(new)), change, interval, more_is_better
        )


def _more_is_better(metric: str, result: Result) -> bool | None:
    """Tell what is wished for; None where a number is neither good nor bad."""
    if metric == "value":
        return _is_floor(result)
    if _BOUND.search(metric):
        return None
    if _MORE.search(metric):
        return True
    return False if _LESS.search(metric) else None


def _is_floor(result: Result) -> bool:
    """Tell whether a bar must be reached rather than not be passed."""
    if "most" in result.config:
        return not result.config["most"]
    value, needed, met = (result.metrics.get(name, 0) for name in ("value", "needed", "met"))
    return (value >= needed) == bool(met)


def _values(metric: str, results: Sequence[Result]) -> list[float]:
    return [result.metrics[metric] for result in results if metric in result.metrics]


def _relative(before: float, after: float) -> float:
    if before == after:
        return 0.0
    return (after - before) / abs(before) if before else float(np.copysign(np.inf, after))


def _interval(before: Sequence[float], after: Sequence[float]) -> tuple[float, float] | None:
    """Return Welch's interval of the ratio of geometric means, less one; None for lone values."""
    if min(len(before), len(after)) < 2 or min(*before, *after) <= 0:
        return None
    old, new = np.log(before), np.log(after)
    if np.ptp(old) == np.ptp(new) == 0:
        ratio = float(np.expm1(new[0] - old[0]))
        return ratio, ratio
    welch = stats.ttest_ind(new, old, equal_var=False).confidence_interval(CONFIDENCE)
    return float(np.expm1(welch.low)), float(np.expm1(welch.high))


def _spread(
    metric: str, before: Mapping[str, float], after: Mapping[str, float]
) -> tuple[float, float] | None:
    """Return the least and the greatest change that the spread within both records allows."""
    old, new = _bounds(metric, before), _bounds(metric, after)
    if old is None or new is None or min(*old, *new) <= 0:
        return None
    return new[0] / old[1] - 1, new[1] / old[0] - 1


def _bounds(metric: str, metrics: Mapping[str, float]) -> tuple[float, float] | None:
    stem = metric.removesuffix("_per_s")
    pairs = [(f"{metric}_low", f"{metric}_high"), (f"{stem}_low_per_s", f"{stem}_high_per_s")]
    if metric == "queries_per_s":
        pairs.append(("low_per_s", "high_per_s"))
    for low, high in pairs:
        if low in metrics and high in metrics:
            return metrics[low], metrics[high]
    return None
