"""Every generated table: by the name of its marks in documents, and as a part of the report."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from artifacts.errors import ConfigError
from benchmarks.compare.comparison import SUITE as COMPARE
from benchmarks.compare.table import comparison_table
from benchmarks.growth import SUITE as GROWTH
from benchmarks.growth_report import growth_table, projection_table
from benchmarks.metrics_table import metrics_table
from benchmarks.report import circumstances, fastest_at, fill, has_marks, search_table
from benchmarks.results import Result
from benchmarks.search_record import SUITE as SEARCH_BARS
from benchmarks.search_report import bars_table, latest_run, rates_table
from benchmarks.search_report import circumstances as run_circumstances
from benchmarks.serving_report import TABLES as SERVING_TABLES
from benchmarks.sweep import SUITE as SEARCH

RECALL = 0.9


class Table(NamedTuple):
    """A table of the records of one suite."""

    suite: str
    make: Callable[[Sequence[Result]], str]
    """From all records of the suite, in order, to Markdown."""


def _search(results: Sequence[Result]) -> str:
    return f"{search_table(results)}\n\n{circumstances(results)}"


def _fastest(results: Sequence[Result]) -> str:
    return f"{search_table(fastest_at(results, RECALL))}\n\n{circumstances(results)}"


def _bars(results: Sequence[Result]) -> str:
    run = latest_run(results)
    return f"{bars_table(run)}\n\n{run_circumstances(run)}"


TABLES: dict[str, Table] = {
    "search": Table(SEARCH, _search),
    "fastest": Table(SEARCH, _fastest),
    "bars": Table(SEARCH_BARS, _bars),
    "rates": Table(SEARCH_BARS, lambda results: rates_table(latest_run(results))),
    "growth": Table(GROWTH, growth_table),
    "projection": Table(GROWTH, projection_table),
    "compare": Table(COMPARE, comparison_table),
    **{name: Table(*table) for name, table in SERVING_TABLES.items()},
}
"""By the name of the marks."""

LEFT_OUT = {"fastest"}
"""Only in documents: a part of another one."""


def by_suite(results: Sequence[Result]) -> dict[str, list[Result]]:
    """Return the records of each suite, in the order of the first ones."""
    suites: dict[str, list[Result]] = {}
    for result in results:
        suites.setdefault(result.suite, []).append(result)
    return suites


def tables_of(suite: str, results: Sequence[Result]) -> list[str]:
    """Return the tables of the records of a suite, as Markdown."""
    made = [
        table.make(results)
        for name, table in TABLES.items()
        if table.suite == suite and name not in LEFT_OUT
    ]
    return made or [metrics_table(results)]


def fill_marks(document: Path, results: Sequence[Result]) -> dict[str, bool]:
    """Fill every mark of a document that there are records for; tell which changed.

    Raises:
        ConfigError: the document has no such mark.
    """
    suites = by_suite(results)
    named = [name for name in TABLES if has_marks(document, name)]
    filled = {
        name: fill(document, name, TABLES[name].make(suites[TABLES[name].suite]))
        for name in named
        if TABLES[name].suite in suites
    }
    if not filled:
        wanted = [name for name, table in TABLES.items() if table.suite in suites]
        raise ConfigError(f"{document}: expected marks of one of {wanted}, found {named}")
    return filled
