"""Promises about search, and the file in which their measurements are kept."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any

from benchmarks.data import SearchData
from benchmarks.equal_recall import Point, by_family, front
from benchmarks.machine import describe_machine
from benchmarks.results import Result, append_result

SUITE = "search_bars"
K = 10


@dataclass(frozen=True, slots=True)
class Bar:
    """One promise: `value` must reach `needed`, or stay below it where `most` is set."""

    name: str
    value: float
    needed: float
    most: bool = False

    @property
    def met(self) -> bool:
        """Whether it is kept; a value that could not be measured (NaN) keeps nothing."""
        return self.value <= self.needed if self.most else self.value >= self.needed

    def line(self) -> str:
        """Return the bar as a line to print."""
        sign = "<=" if self.most else ">="
        return (
            f"{'met    ' if self.met else 'NOT MET'}  {self.name}: {self.value:.2f} "
            f"(needed {sign} {self.needed})"
        )


@dataclass(frozen=True, slots=True)
class Record:
    """Appends what is measured to a file.

    Attributes:
        path: the file, JSON lines.
        data: what is measured on.
        passes: over the queries.
        run: names the run that the records belong to.
        suite: what is measured.
    """

    path: Path
    data: SearchData
    passes: int
    run: str
    suite: str = SUITE

    def keep(self, name: str, config: dict[str, Any], metrics: dict[str, float]) -> None:
        """Append one result, with what of the environment bears on it."""
        circumstances = {
            "run": self.run,
            "k": K,
            "passes": self.passes,
            "queries": len(self.data.queries),
            "openblas_coretype": os.environ.get("OPENBLAS_CORETYPE", ""),
            "load_average": os.getloadavg()[0],
        }
        result = Result(
            suite=self.suite,
            name=name,
            measured_at=datetime.now(UTC),
            machine=describe_machine(),
            data=self.data.name,
            config=circumstances | config,
            metrics=metrics,
        )
        append_result(self.path, result)

    def keep_points(self, points: Sequence[Point]) -> None:
        """Append the front of every family."""
        for family, of_family in by_family(points).items():
            for point in front(of_family):
                metrics = {
                    "recall": point.recall,
                    "queries_per_s": point.rate,
                    "low_per_s": min(point.rates),
                    "high_per_s": max(point.rates),
                }
                config = {
                    "family": family,
                    "batch": point.contender.batch,
                    "knobs": dict(point.contender.knobs),
                }
                self.keep(f"{family} {dict(point.contender.knobs)}", config, metrics)

    def keep_bar(self, bar: Bar) -> None:
        """Append a bar and whether it is met."""
        metrics = {"needed": bar.needed, "met": float(bar.met)}
        if isfinite(bar.value):  # JSON knows no NaN
            metrics["value"] = bar.value
        self.keep(f"bar: {bar.name}", {"most": bar.most}, metrics)
