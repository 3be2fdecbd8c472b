"""The `bench` command."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markdown import Markdown

from artifacts.errors import ConfigError, ShelfmateError
from artifacts.relation import Relation
from artifacts.snapshot import Snapshot
from artifacts.versions import VersionedRoot
from benchmarks.compare.command import compare_command
from benchmarks.data import SearchData, array_data, snapshot_data
from benchmarks.diff_command import diff_command
from benchmarks.load_command import load_command
from benchmarks.machine import describe_machine
from benchmarks.report import circumstances, search_table
from benchmarks.report_command import report_command
from benchmarks.results import Result, append_result
from benchmarks.sweep import Effort, default_builds, smoke_builds, sweep
from cli.exit_codes import INTERRUPTED, exit_code
from cli.progress import ConsoleProgress
from indexer.index import Metric

app = typer.Typer(
    name="bench",
    help="Measure: search on your own data, our server beside others, and what became worse.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

SEED = 7
SMOKE_QUERIES = 100


@app.callback()
def root() -> None:
    """Measure: search on your own data, our server beside others, and what became worse."""


@app.command("run")
def run_command(
    snapshots: Annotated[
        Path, typer.Option(help="Folder of snapshots; the one in service is measured.")
    ] = Path("build/demo/work/snapshots"),
    space: Annotated[str, typer.Option(help="Space of the snapshot.")] = "cf",
    relation: Annotated[Relation, typer.Option(help="What is searched.")] = Relation.ALTERNATIVES,
    base: Annotated[
        Path | None, typer.Option(help="Measure this .npy matrix instead of a snapshot.")
    ] = None,
    queries_file: Annotated[
        Path | None, typer.Option("--queries", help="Queries for --base, a .npy matrix.")
    ] = None,
    query_count: Annotated[int, typer.Option(help="Queries at most.", min=1)] = 1000,
    k: Annotated[int, typer.Option("-k", help="Neighbours.", min=1)] = 10,
    repeats: Annotated[int, typer.Option(help="Passes; medians are reported.", min=1)] = 5,
    results: Annotated[
        Path, typer.Option(help="Append results to this file of JSON lines.")
    ] = Path("build/bench/search.jsonl"),
    smoke: Annotated[
        bool, typer.Option("--smoke", help="Few queries, two settings a backend: does it work?")
    ] = False,
) -> None:
    """Compare exact, Annoy, FAISS and SimHash: recall, latency, build time, size."""
    count = min(query_count, SMOKE_QUERIES) if smoke else query_count
    if base is not None:
        if queries_file is None:
            raise ConfigError("--base needs --queries, a .npy matrix of the same width")
        data = array_data(base, queries_file, Metric.of(relation), limit=count)
    else:
        data = _of_snapshot(snapshots, space, relation, count)
    effort = Effort(k=k, repeats=2 if smoke else repeats)
    builds = (smoke_builds if smoke else default_builds)(len(data.base))
    with ConsoleProgress(err) as progress:
        measured = sweep(data, builds, effort, describe_machine(), progress)
        kept = list(_kept(measured, results))
    out.print(Markdown(search_table(kept)))
    out.print(circumstances(kept), soft_wrap=True)
    out.print(f"appended to {results}", soft_wrap=True)


app.command("load")(load_command)
app.command("compare")(compare_command)
app.command("report")(report_command)
app.command("diff")(diff_command)


def _of_snapshot(snapshots: Path, space: str, relation: Relation, count: int) -> SearchData:
    folder = VersionedRoot(snapshots).current(hint="shelfmate run")
    return snapshot_data(Snapshot.open(folder), space, relation, queries=count, seed=SEED)


def _kept(measured: Iterator[Result], path: Path) -> Iterator[Result]:
    """Append each result as soon as it is known, so that Ctrl-C keeps what is finished."""
    for result in measured:
        append_result(path, result)
        yield result


def main() -> None:
    """Run the command; errors become one message on standard error and an exit code."""
    try:
        app()
    except ShelfmateError as error:
        err.print(f"error: {error}", style="red", markup=False, soft_wrap=True)
        sys.exit(exit_code(error))
    except KeyboardInterrupt:
        err.print("interrupted; finished measurements are kept")
        sys.exit(INTERRUPTED)
