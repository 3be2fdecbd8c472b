"""Whether serving keeps what it promises, beside a bare echo on the same core.

python -m benchmarks.serving_bars --config configs/complete-journey.toml
"""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.console import Console

from artifacts.errors import ConfigError, ShelfmateError
from benchmarks.death_under_load import measure_death
from benchmarks.made_snapshot import BACKENDS, made_snapshots
from benchmarks.saturation import TRIAL_S
from benchmarks.search_record import Bar
from benchmarks.served import Served
from benchmarks.serving_host import HostSettings
from benchmarks.serving_rates import SCENARIOS, Rates
from benchmarks.serving_record import ServingRecord
from benchmarks.serving_target import GENERATOR_CORE
from benchmarks.swap_under_load import measure_swap
from benchmarks.worker_memory import measure_memory
from cli.exit_codes import INTERRUPTED
from cli.progress import ConsoleProgress
from cli.shop import load_shop

TRIALS = 12
"""That a search for the saturation takes, roughly."""
CONFIRMATIONS = 1.5
"""Loads of the full time that it takes, roughly."""
START_S = 5.0
USUAL_BACKEND = "ivf"
ROWS = 1_000_000


class Part(NamedTuple):
    """Something that can be measured alone."""

    name: str
    run: Callable[[], Sequence[Bar]]
    """Measures it, prints its bars and keeps them."""
    takes_s: float
    """Seconds, roughly."""


class ServingBars:
    """The parts of a run.

    Args:
        work: folder for made snapshots.
        config: shop file whose snapshot is served; None for a made one.
        rows: items of made snapshots.
        record: where results go.
    """

    def __init__(self, work: Path, config: Path | None, rows: int, record: ServingRecord) -> None:
        self._work = work
        self._config = config
        self._rows = rows
        self._record = record

    def parts(self) -> Iterator[Part]:
        """Give all parts, in the order in which they are measured."""
        seconds = self._record.seconds
        search_s = TRIALS * TRIAL_S + CONFIRMATIONS * seconds + START_S
        for name in SCENARIOS:
            yield Part(name, partial(self._rate, name), 2 * search_s + 2 * seconds)
        yield Part("swap", self._swap, search_s + seconds)
        yield Part("kill", self._kill, seconds + 3 * START_S)
        for backend in BACKENDS:
            yield Part(f"memory-{backend}", partial(self._memory, backend), 12 * START_S)

    def prepare(self) -> None:
        """Make the snapshots that parts serve, where they are not there."""
        for backend in BACKENDS:
            self._made(backend)

    def _made(self, backend: str) -> Path:
        with ConsoleProgress(Console(stderr=True)) as progress:
            return made_snapshots(self._work, backend, self._rows, progress).root

    @cached_property
    def _served(self) -> Served:
        settings = (
            HostSettings(snapshots=self._made(USUAL_BACKEND))
            if self._config is None
            else HostSettings.of_shop(load_shop(self._config))
        )
        return Served.open(settings, self._work)

    def _record_of(self, part: str) -> ServingRecord:
        return self._record.of_part(part, self._served.snapshot.name)

    @cached_property
    def _rates(self) -> Rates:
        return Rates(self._served, self._record_of(""))

    def _rate(self, scenario: str) -> Sequence[Bar]:
        return self._rates.measure(scenario)

    def _swap(self) -> Sequence[Bar]:
        return measure_swap(self._served, self._record_of("swap"))

    def _kill(self) -> Sequence[Bar]:
        return measure_death(self._served, self._record_of("kill"))

    def _memory(self, backend: str) -> Sequence[Bar]:
        made = HostSettings(snapshots=self._made(backend))
        data = f"made items {self._rows}x100, {backend}"
        return measure_memory(backend, made, self._record.of_part(f"memory-{backend}", data))


def run_parts(parts: Sequence[Part], clock: Callable[[], float] = time.monotonic) -> list[Bar]:
    """Measure part after part, each announced with an estimate of the time that is left.

    A part that cannot be measured says why, and the others go on.
    """
    bars: list[Bar] = []
    for number, part in enumerate(parts):
        left_s = sum(each.takes_s for each in parts[number:])
        print(
            f"{part.name} ({number + 1} of {len(parts)}): about {part.takes_s:.0f} s; all that is "
            f"left about {left_s / 60:.0f} min",
            flush=True,
        )
        begun = clock()
        try:
            bars += part.run()
        except ShelfmateError as error:
            print(f"  {part.name}: NOT MEASURED: {error}", flush=True)
        else:
            print(f"  {part.name}: done in {clock() - begun:.0f} s", flush=True)
    return bars


def chosen(parts: Sequence[Part], names: Sequence[str]) -> list[Part]:
    """Return the parts of these names, or of the groups that they begin; all without a name.

    Raises:
        ConfigError: a name means no part; those that there are are named.
    """
    for name in names:
        if not any(_means(name, part) for part in parts):
            known = ", ".join(part.name for part in parts)
            raise ConfigError(f"--only: expected one of {known}, or memory, got {name!r}")
    return [part for part in parts if not names or any(_means(name, part) for name in names)]


def _means(name: str, part: Part) -> bool:
    return part.name == name or part.name.startswith(f"{name}-")


def main(  # noqa: PLR0913 - the options of a command are its parameters
    config: Annotated[
        Path | None, typer.Option(help="Shop file whose snapshot is served; unset: a made one.")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Parts: precomputed, neighbors, sessions, batches, swap, kill, memory."),
    ] = None,
    seconds: Annotated[float, typer.Option(help="Of each confirmed load.", min=1)] = 30.0,
    results: Annotated[Path, typer.Option(help="File of JSON lines to append to.")] = Path(
        "benchmarks/results/serving.jsonl"
    ),
    work: Annotated[
        Path, typer.Option(help="Folder of made snapshots, 5 GB for 1 M items.")
    ] = Path("build/bench/serving"),
    rows: Annotated[int, typer.Option(help="Items of made snapshots.", min=1_000)] = ROWS,
    prepare: Annotated[
        bool, typer.Option("--prepare", help="Make the snapshots and measure nothing.")
    ] = False,
) -> None:
    """Measure the bars of serving, on a machine that does nothing else."""
    bars = ServingBars(work, config, rows, ServingRecord(results, "", seconds))
    parts = chosen(list(bars.parts()), only or ())
    if prepare:
        bars.prepare()
        return
    os.sched_setaffinity(0, {GENERATOR_CORE})
    try:
        measured = run_parts(parts)
    except KeyboardInterrupt:
        print(f"interrupted; what was finished is kept in {results}", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None
    typer.echo(f"{sum(bar.met for bar in measured)} of {len(measured)} bars met")


if __name__ == "__main__":
    typer.run(main)
