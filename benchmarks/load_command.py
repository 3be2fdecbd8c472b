"""The command `bench load`."""

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.arrivals import Arrivals, Step
from benchmarks.load_options import Chaos, LoadOptions, parse_steps
from cli.optional import extra

USUAL_DEADLINE_MS = 50


def load_command(  # noqa: PLR0913 - the options of a command are its parameters
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="Shop file; its snapshot in service is asked for."),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(help="Running server, host:port, in the clear; unset: one is started."),
    ] = None,
    ids: Annotated[
        Path | None, typer.Option(help="Item ids to ask for, one a line; unset: the snapshot's.")
    ] = None,
    mix: Annotated[
        str,
        typer.Option(help="Scenes with weights: item_page, home_page, email."),
    ] = "item_page",
    rate: Annotated[float, typer.Option(help="Calls a second.", min=0.1)] = 100.0,
    seconds: Annotated[float, typer.Option(help="How long.", min=1)] = 30.0,
    steps: Annotated[
        str | None,
        typer.Option(help="Rates one after the other, such as 100x10,200x10; in place of --rate."),
    ] = None,
    arrivals: Annotated[
        Arrivals, typer.Option(help="How calls follow each other.")
    ] = Arrivals.POISSON,
    deadline_ms: Annotated[
        int, typer.Option(help="A call counts that is answered within it.", min=1)
    ] = USUAL_DEADLINE_MS,
    knee: Annotated[
        bool, typer.Option("--knee", help="Find the highest rate that keeps to --p99-ms.")
    ] = False,
    p99_ms: Annotated[
        float, typer.Option(help="99th percentile that the knee keeps to.", min=0.1)
    ] = 10.0,
    chaos: Annotated[
        Chaos | None, typer.Option(help="Swap snapshots or kill a worker in mid-run.")
    ] = None,
    results: Annotated[
        Path, typer.Option(help="Append results to this file of JSON lines.")
    ] = Path("build/bench/load.jsonl"),
) -> None:
    """Ask a server at times that do not wait for answers, and say how soon those came."""
    with extra("bench"):
        from benchmarks.load_execution import run_load
    options = LoadOptions(
        config=config,
        address=address,
        ids=ids,
        mix=mix,
        steps=parse_steps(steps) if steps else [Step(rate, seconds)],
        arrivals=arrivals,
        deadline_ms=deadline_ms,
        p99_ms=p99_ms if knee else None,
        chaos=chaos,
        results=results,
    )
    options.check()
    run_load(options)
