"""Keep aside the rows that preparation refuses, and count them by reason."""

from pathlib import Path

import ibis
from ibis.expr.types import Table

from trainer.data_report import RowCounts
from trainer.engine import Engine, Reading
from trainer.events import REASON

SOURCE_LINE = "source_line"
MALFORMED = "line does not fit the header"


def keep_rejected(
    engine: Engine, raw: Table, reading: Reading, path: Path, *, taken: int
) -> RowCounts:
    """Write the refused rows to `path`, as they came, each with its `reason`.

    Args:
        engine: runs the queries.
        raw: our columns as they came, with `reason`, null for rows that are taken.
        reading: the source that `raw` was made of, with its malformed lines.
        path: the Parquet file; it is written even if it holds no row.
        taken: rows that were not refused.

    Cost: none but counting where nothing was refused, else one more pass over the source.
    """
    rejected = _rejected(raw, reading)
    if _count(engine, reading.rows) == taken and not _malformed(engine, reading):
        engine.write(rejected.limit(0), path)
        return RowCounts(read=taken, taken=taken, rejected={})
    kept = engine.store(f"{reading.name}_rejected", rejected)
    engine.write(kept, path)
    counts = engine.fetch(kept.group_by(REASON).agg(rows=kept.count())).to_pylist()
    refused = {row[REASON]: row["rows"] for row in sorted(counts, key=lambda row: row[REASON])}
    return RowCounts(read=taken + sum(refused.values()), taken=taken, rejected=refused)


def _rejected(raw: Table, reading: Reading) -> Table:
    text = {name: raw[name].cast("string") for name in raw.columns}
    rejected = raw.select(**text, **{SOURCE_LINE: ibis.null("string")})
    rejected = rejected.filter(rejected[REASON].notnull())
    if reading.malformed is None:
        return rejected
    nothing = {name: ibis.null("string") for name in text if name != REASON}
    lines = reading.malformed.mutate(**nothing, **{REASON: ibis.literal(MALFORMED)})
    return rejected.union(lines.select(*rejected.columns))


def _malformed(engine: Engine, reading: Reading) -> int:
    return 0 if reading.malformed is None else _count(engine, reading.malformed)


def _count(engine: Engine, rows: Table) -> int:
    return int(engine.fetch(rows.agg(rows=rows.count())).column("rows")[0].as_py())
