"""`bench diff`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markdown import Markdown

from artifacts.errors import GateError
from benchmarks.results import read_results
from cli.optional import extra

out = Console(highlight=False)


def diff_command(
    before: Annotated[Path, typer.Argument(help="File of JSON lines.")],
    after: Annotated[Path, typer.Argument(help="A later one.")],
    threshold: Annotated[
        float, typer.Option(help="Share by which a metric may get worse.", min=0)
    ] = 0.05,
    force: Annotated[
        bool, typer.Option("--force", help="Compare results of different machines.")
    ] = False,
) -> None:
    """Say what got worse; exit with 3 if anything did, beyond the threshold and its scatter."""
    with extra("bench"):
        from benchmarks.difference_table import difference_text
        from benchmarks.results_change import compare_results
    difference = compare_results(read_results(before), read_results(after), force=force)
    out.print(Markdown(difference_text(difference, threshold)))
    worse = [change for change in difference.changes if change.is_worse(threshold)]
    if worse:
        raise GateError(f"{len(worse)} metrics got worse by more than {threshold:.0%}")
