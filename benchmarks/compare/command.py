"""`bench compare`."""

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.markdown import Markdown

from artifacts.errors import ConfigError
from benchmarks.compare.child import ROOT, Start
from benchmarks.compare.comparison import SUITE, Comparison, Pace
from benchmarks.compare.exam import Exam
from benchmarks.compare.peers import Peer, peers
from benchmarks.compare.table import comparison_table
from benchmarks.data import array_data
from benchmarks.results import read_results
from benchmarks.search_record import Record
from cli.progress import ConsoleProgress
from indexer.index import Metric

PEERS_PYTHON = ROOT / ".venv" / "peers" / "bin" / "python"
K = 10
LAXER = 5
"""Where not even lone calls keep the limit, this many times as much is the limit."""

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def compare_command(  # noqa: PLR0913 - the options of a command are its parameters
    base: Annotated[Path, typer.Option(help="Vectors to search, a .npy matrix.")],
    queries: Annotated[Path, typer.Option(help="Queries, a .npy matrix of the same width.")],
    only: Annotated[list[str] | None, typer.Option(help="Peers by name; none: all.")] = None,
    batch: Annotated[list[int] | None, typer.Option(help="Queries a call; none: 1, 100.")] = None,
    recall: Annotated[float, typer.Option(help="Recall@10 of all.", min=0, max=1)] = 0.95,
    limit_ms: Annotated[
        float, typer.Option(help="What the 99th percentile must not pass.", min=0)
    ] = 10.0,
    seconds: Annotated[float, typer.Option(help="Of the load that confirms a rate.", min=1)] = 30.0,
    start_s: Annotated[float, typer.Option(help="A peer may take to be ready.", min=1)] = 1800.0,
    query_count: Annotated[int | None, typer.Option(help="Queries at most.", min=1)] = None,
    peers_python: Annotated[
        Path | None,
        typer.Option(help="Python that has the peers; `make peers` makes it in .venv/peers."),
    ] = None,
    postgres: Annotated[
        str | None, typer.Option(help="Connection string of a PostgreSQL with pgvector.")
    ] = None,
    results: Annotated[
        Path, typer.Option(help="Append results to this file of JSON lines.")
    ] = Path("build/bench/compare.jsonl"),
) -> None:
    """Compare our server with what one would take instead, at equal recall and within a latency."""
    if len(os.sched_getaffinity(0)) < 2:
        raise ConfigError("expected two cores, one for each server and one for the load, got one")
    chosen, python = _chosen(only, peers(postgres)), _python(peers_python)
    data = array_data(base, queries, Metric.COSINE, limit=query_count)
    with TemporaryDirectory(prefix="shelfmate-compare-") as name:
        folder = Path(name)
        exam = Exam(folder, K, recall, tuple(batch or (1, 100)))
        exam.write(data)
        start = Start(python, folder, start_s)
        pace = Pace((limit_ms, LAXER * limit_ms), seconds)
        record = Record(results, data, 1, f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}", SUITE)
        comparison = Comparison(exam, start, pace, record)
        with ConsoleProgress(err) as progress:
            comparison.run(chosen, progress)
        bars = comparison.bars()
    out.print(Markdown(comparison_table(read_results(results))))
    for bar in bars:
        out.print(bar.line(), markup=False)
    out.print(f"appended to {results}", soft_wrap=True)


def _chosen(only: Sequence[str] | None, known: Sequence[Peer]) -> list[Peer]:
    names = [peer.name for peer in known]
    unknown = [name for name in only or () if name not in names]
    if "pgvector" in unknown:
        raise ConfigError("--only pgvector: needs --postgres, a connection string")
    if unknown:
        raise ConfigError(f"--only: expected some of {', '.join(names)}, got {unknown[0]!r}")
    return [peer for peer in known if not only or peer.name in only]


def _python(given: Path | None) -> Path:
    if given is None:
        return PEERS_PYTHON if PEERS_PYTHON.exists() else Path(sys.executable)
    if not given.exists():
        raise ConfigError(f"--peers-python: {given} does not exist; `make peers` makes one")
    return given.absolute()
