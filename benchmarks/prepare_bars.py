"""Sessions from made events: the stage `prepare` against the same SQL by hand.

    python -m benchmarks.prepare_bars run --rows 1000000

Each run is a process of its own, so that its peak memory is its own; the two take turns.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Annotated

import duckdb
import typer

from artifacts.progress import SilentProgress
from artifacts.versions import VersionedRoot
from benchmarks.event_data import write_events
from benchmarks.machine import describe_machine
from benchmarks.results import Result, append_result
from benchmarks.sessions_by_hand import sessions_by_hand
from trainer.config import PrepareConfig
from trainer.prepare import prepare
from trainer.seeded_hash import threshold

SEED = 11
FRACTION = 0.1
NAMES = {"prepare": "shelfmate prepare", "hand": "the same SQL by hand"}
CONTENT = """
SELECT count(*), bit_xor(hash(session_id, user_id, started_at, items)) FROM read_parquet('{path}')
"""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def run(
    rows: Annotated[int, typer.Option(help="Events.", min=1_000)] = 1_000_000,
    repeats: Annotated[int, typer.Option(help="Runs of each; medians count.", min=1)] = 3,
    memory_limit: Annotated[str, typer.Option(help="What DuckDB may take.")] = "4GB",
    folder: Annotated[
        Path, typer.Option(help="Gets the events, and what is made of them for the while.")
    ] = Path("build/bench/prepare"),
    results: Annotated[Path, typer.Option(help="Append results to this file.")] = Path(
        "benchmarks/results/prepare.jsonl"
    ),
) -> None:
    """Time both sides on the same events, and compare what they write."""
    folder.mkdir(parents=True, exist_ok=True)
    events = folder / f"events-{rows}-{SEED}.parquet"
    if not events.exists():
        write_events(events, rows, seed=SEED)
    runs: dict[str, list[dict[str, float]]] = {side: [] for side in NAMES}
    for _ in range(repeats):
        contents = {side: _in_process(side, events, memory_limit, runs[side]) for side in NAMES}
        if len(set(contents.values())) > 1:
            raise SystemExit(f"the two sides wrote different sessions: {contents}")
    by_hand = _medians(runs["hand"])
    for side, measured in runs.items():
        metrics = _medians(measured)
        metrics["speed_of_hand"] = by_hand["wall_s"] / metrics["wall_s"]
        metrics["cpu_speed_of_hand"] = by_hand["cpu_s"] / metrics["cpu_s"]
        append_result(results, _result(side, rows, repeats, memory_limit, metrics))
        print(NAMES[side], {name: round(value, 3) for name, value in metrics.items()})


@app.command(hidden=True)
def once(side: str, events: Path, folder: Path, memory_limit: str) -> None:
    """Run one side in this process and print what it took, as JSON."""
    action = {"prepare": _prepare, "hand": _by_hand}[side]
    print(json.dumps(_measured(lambda: action(events, folder, memory_limit))))


def _in_process(
    side: str, events: Path, memory_limit: str, measured: list[dict[str, float]]
) -> str:
    """Measure one run and return what tells its sessions from others."""
    with tempfile.TemporaryDirectory(dir=events.parent) as scratch:
        words = ["-m", "benchmarks.prepare_bars", "once", side, str(events), scratch, memory_limit]
        done = subprocess.run(
            [sys.executable, *words], check=True, stdout=subprocess.PIPE, text=True, env=os.environ
        )
        numbers = json.loads(done.stdout)
        path = numbers.pop("path")
        measured.append(numbers)
        return str(duckdb.execute(CONTENT.format(path=path)).fetchall())


def _measured(action: Callable[[], Path]) -> dict[str, float | str]:
    begun, busy = time.perf_counter(), time.process_time()
    path = action()
    return {
        "path": str(path),
        "wall_s": time.perf_counter() - begun,
        "cpu_s": time.process_time() - busy,
        # Linux counts in KiB.
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def _prepare(events: Path, folder: Path, memory_limit: str) -> Path:
    columns = {"user_id": "user_id", "timestamp": "happened_at"}
    config = PrepareConfig.model_validate(
        {
            "events": {"path": str(events), "columns": columns},
            "split": {"kind": "random", "fraction": FRACTION},
            "memory_limit": memory_limit,
        }
    )
    return prepare(config, VersionedRoot(folder), progress=SilentProgress()).train_sessions


def _by_hand(events: Path, folder: Path, memory_limit: str) -> Path:
    return sessions_by_hand(events, folder, heldout=threshold(FRACTION), memory_limit=memory_limit)


def _medians(measured: list[dict[str, float]]) -> dict[str, float]:
    return {name: median(run[name] for run in measured) for name in measured[0]}


def _result(
    side: str, rows: int, repeats: int, memory_limit: str, metrics: dict[str, float]
) -> Result:
    return Result(
        suite="prepare",
        name=f"{NAMES[side]}, {rows:,} events",
        measured_at=datetime.now(UTC),
        machine=describe_machine(),
        data=f"made events, {rows} rows, seed {SEED}",
        config={"rows": rows, "repeats": repeats, "memory_limit": memory_limit},
        metrics=metrics,
    )


if __name__ == "__main__":
    app()
