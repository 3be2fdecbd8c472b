"""The file in which measurements of serving are kept."""

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any

from benchmarks.machine import describe_machine
from benchmarks.open_loop import LoadResult
from benchmarks.results import Result, append_result
from benchmarks.search_record import Bar

SUITE = "serving_bars"
BAR = "bar: "
"""Begins the names of records that are bars."""


@dataclass(frozen=True, slots=True)
class ServingRecord:
    """Appends what is measured to a file, as soon as it is known.

    Attributes:
        path: the file, JSON lines.
        data: what is served.
        seconds: of each confirmed load.
        part: what is measured now.
    """

    path: Path
    data: str
    seconds: float
    part: str = ""

    def of_part(self, part: str, data: str = "") -> "ServingRecord":
        """Return the record of another part, which may serve other data."""
        return replace(self, part=part, data=data or self.data)

    def keep(self, name: str, metrics: dict[str, float], **config: Any) -> None:
        """Append one result; what could not be measured (NaN) is left out, JSON knows none."""
        circumstances = {
            "part": self.part,
            "seconds": self.seconds,
            "load_average": os.getloadavg()[0],
        }
        result = Result(
            suite=SUITE,
            name=name,
            measured_at=datetime.now(UTC),
            machine=describe_machine(),
            data=self.data,
            config=circumstances | config,
            metrics={key: value for key, value in metrics.items() if isfinite(value)},
        )
        append_result(self.path, result)

    def keep_load(self, name: str, result: LoadResult) -> None:
        """Append a load."""
        metrics = {
            "rate_per_s": result.rate,
            "good_per_s": result.good_rate,
            "refused_per_s": result.refused_rate,
            "p50_s": result.percentile_ms(50) / 1e3,
            "p99_s": result.percentile_ms(99) / 1e3,
            "late_p99_s": result.late_s,
        }
        self.keep(name, metrics, counts=dict(result.counts))

    def keep_bar(self, bar: Bar, note: str) -> Bar:
        """Print a bar and append it.

        Args:
            bar: a promise; a value that is NaN says that it could not be measured.
            note: the numbers that it comes from.
        """
        print(f"{bar.line()}; {note}", flush=True)
        metrics = {"value": bar.value, "needed": bar.needed, "met": float(bar.met)}
        self.keep(f"{BAR}{bar.name}", metrics, most=bar.most, note=note)
        return bar
