"""What preparation asks of whatever runs its Ibis expressions."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa
from ibis.expr.types import Table

from trainer.sources import Source


@dataclass(frozen=True, slots=True)
class Reading:
    """A source as a table.

    Attributes:
        name: as the source is called.
        rows: every column of the files; text files give text, whatever it looks like.
        malformed: one column `source_line`, the lines of a CSV file that do not fit its header;
            None where the format has no such lines.
    """

    name: str
    rows: Table
    malformed: Table | None


class Engine(Protocol):
    """Reads files, evaluates expressions and writes files; expressions do the rest.

    Tables that were stored lie in the scratch folder of the run, and go with it.
    """

    @property
    def packages(self) -> tuple[str, ...]:
        """Distributions whose releases are written down with the result."""
        ...

    def read(self, source: Source) -> Reading:
        """Open the files of `source`.

        Raises:
            DataError: a file cannot be read as its format.
        """
        ...

    def number(self, name: str, table: Table) -> Table:
        """Store `table` with a column `line`, 0 for the first row of the first file."""
        ...

    def store(self, name: str, expression: Table) -> Table:
        """Evaluate once and return a table to go on from."""
        ...

    def fetch(self, expression: Table) -> pa.Table:
        """Evaluate into memory."""
        ...

    def write(self, expression: Table, path: Path) -> None:
        """Evaluate into one Parquet file, in the order of the expression."""
        ...

    def close(self) -> None:
        """Release what the engine holds."""
        ...
