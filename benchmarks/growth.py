"""How each backend grows with the catalogue: build time, memory, size, load time, query time.

python -m benchmarks.growth run --rows 10000 --rows 100000
python -m benchmarks.growth report docs/growth.md
"""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
import typer

from artifacts.errors import ConfigError
from benchmarks.growth_case import BACKENDS, K
from benchmarks.growth_report import growth_table, projection_table, write_growth_chart
from benchmarks.growth_rows import made_queries, true_neighbors, write_rows
from benchmarks.machine import describe_machine
from benchmarks.report import fill
from benchmarks.results import Result, append_result, read_results

SUITE = "growth"
SEED = 7
QUERIES = 500
RESULTS = Path("benchmarks/results/growth.jsonl")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)


@app.command()
def run(
    rows: Annotated[
        list[int] | None, typer.Option(help="Numbers of rows; none: 10 k and 100 k.")
    ] = None,
    backend: Annotated[list[str] | None, typer.Option(help="Backends; none: all.")] = None,
    limit_s: Annotated[float, typer.Option(help="Seconds that one backend may take.")] = 1800,
    work: Annotated[Path, typer.Option(help="Vectors and indices go there.")] = Path(
        "build/bench/growth"
    ),
    results: Annotated[Path, typer.Option(help="Append results to this file.")] = RESULTS,
) -> None:
    """Measure; a backend whose time is up is recorded as such, and the others go on."""
    unknown = [name for name in backend or () if name not in BACKENDS]
    if unknown:
        raise ConfigError(f"--backend: expected one of {', '.join(BACKENDS)}, got {unknown[0]!r}")
    work.mkdir(parents=True, exist_ok=True)
    for n in rows or (10_000, 100_000):
        with TemporaryDirectory(dir=work, prefix=f"rows-{n}-") as name:
            folder = Path(name)
            _write_data(folder, n)
            for each in backend or BACKENDS:
                result = _result(each, n, _measure(each, folder, limit_s))
                append_result(results, result)
                print(result.name, {key: round(v, 4) for key, v in result.metrics.items()})


def _write_data(folder: Path, n: int) -> None:
    vectors = write_rows(folder / "base.npy", n, seed=SEED)
    queries = made_queries(QUERIES, seed=SEED)
    np.save(folder / "queries.npy", queries)
    np.save(folder / "truth.npy", true_neighbors(vectors, queries, K))


def _measure(backend: str, folder: Path, limit_s: float) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.growth_case", backend, str(folder)]
    threads = str(os.cpu_count() or 1)
    try:
        finished = subprocess.run(
            [*command, threads], check=True, capture_output=True, text=True, timeout=limit_s
        )
    except subprocess.TimeoutExpired:
        return {"timed_out_s": limit_s}
    except subprocess.CalledProcessError as error:
        print(f"{backend}: ended with {error.returncode}\n{error.stderr}", file=sys.stderr)
        return {"failed": 1.0}
    measured: dict[str, Any] = json.loads(finished.stdout)
    return measured


def _result(backend: str, n: int, measured: dict[str, Any]) -> Result:
    search = measured.pop("search", None)
    return Result(
        suite=SUITE,
        name=f"{backend} {n:,}",
        measured_at=datetime.now(UTC),
        machine=describe_machine(),
        data=f"made clusters {n}x100, seed {SEED}",
        config={
            "kind": backend,
            "rows": n,
            "k": K,
            "queries": QUERIES,
            "build_threads": os.cpu_count() or 1,
            "backend": BACKENDS[backend].model_dump(mode="json"),
            "search": search,
            "load_average": os.getloadavg()[0],
        },
        metrics=measured,
    )


@app.command()
def report(
    document: Annotated[Path, typer.Argument(help="Document whose marks are filled.")],
    results: Annotated[Path, typer.Option(help="File of JSON lines.")] = RESULTS,
) -> None:
    """Fill the marks `growth` and `projection` of a document; draw `<document>.png` beside it."""
    kept = [result for result in read_results(results) if result.suite == SUITE]
    fill(document, "growth", growth_table(kept))
    fill(document, "projection", projection_table(kept))
    write_growth_chart(kept, document.with_suffix(".png"))


if __name__ == "__main__":
    app()
