"""`bench report`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from artifacts.errors import ArtifactError
from artifacts.folders import write_file
from benchmarks.report import circumstances, fastest_at, search_table
from benchmarks.results import Result, read_results
from benchmarks.sweep import SUITE as SEARCH
from benchmarks.tables import by_suite, fill_marks, tables_of
from cli.optional import extra

out = Console(highlight=False)


def report_command(
    results: Annotated[list[Path], typer.Argument(help="Files of JSON lines.")],
    html: Annotated[
        Path | None, typer.Option(help="Write one page that needs no network, with charts.")
    ] = None,
    document: Annotated[
        list[Path] | None, typer.Option(help="Fill the marks of this document.")
    ] = None,
    at: Annotated[
        float | None,
        typer.Option(
            help="Of `bench run` only the fastest of each backend with this recall.", min=0, max=1
        ),
    ] = None,
) -> None:
    """Show results as tables, as a page with charts, or within documents."""
    records = [record for path in results for record in read_results(path)]
    if not records:
        raise ArtifactError(f"{results[0]}: expected results, found an empty file")
    if html is not None:
        with extra("bench"):
            from benchmarks.page import page
        write_file(html, page(records).encode())
        out.print(f"{html}: written", soft_wrap=True)
    for path in document or ():
        changed = [name for name, is_new in fill_marks(path, records).items() if is_new]
        state = f"filled {', '.join(changed)}" if changed else "was up to date"
        out.print(f"{path}: {state}", soft_wrap=True)
    if html is None and not document:
        print("\n\n".join(_texts(records, at)))


def _texts(records: Sequence[Result], at: float | None) -> list[str]:
    return [
        text
        for suite, of_suite in by_suite(records).items()
        for text in (
            [f"{search_table(fastest_at(of_suite, at))}\n\n{circumstances(of_suite)}"]
            if suite == SEARCH and at is not None
            else tables_of(suite, of_suite)
        )
    ]
