"""Keep aside the rows that preparation refuses, and count them by reason."""

from pathlib import Path

import ibis
import pyarrow as pa
from ibis.expr.types import Table

from trainer.data_report import RowCounts
from trainer.engine import Engine, Reading
from trainer.events import REASON

SOURCE_LINE = "source_line"
MALFORMED = "line does not fit the header"


def keep_rejected(engine: Engine, raw: Table, reading: Reading, path: Path) -> RowCounts:
    """Write the refused rows to `path`, as they came, each with its `reason`.

    Args:
        engine: runs the queries.
        raw: our columns as they came, with `reason`, null for rows that are taken.
        reading: the source that `raw` was made of, with its malformed lines.
        path: the Parquet file; it is written even if it holds no row.
    """
    text = {name: raw[name].cast("string") for name in raw.columns}
    rejected = raw.select(**text, **{SOURCE_LINE: ibis.null("string")})
    rejected = rejected.filter(rejected[REASON].notnull())
    if reading.malformed is not None:
        nothing = {name: ibis.null("string") for name in text if name != REASON}
        lines = reading.malformed.mutate(**nothing, **{REASON: ibis.literal(MALFORMED)})
        rejected = rejected.union(lines.select(*rejected.columns))
    engine.write(rejected, path)
    rejects = _counts(engine, rejected)
    taken = _counts(engine, raw.filter(raw[REASON].isnull())).get(None, 0)
    refused = {str(reason): count for reason, count in sorted(rejects.items(), key=str)}
    return RowCounts(read=taken + sum(refused.values()), taken=taken, rejected=refused)


def _counts(engine: Engine, rows: Table) -> dict[str | None, int]:
    counts: pa.Table = engine.fetch(rows.group_by(REASON).agg(rows=rows.count()))
    return dict(zip(*(counts.column(name).to_pylist() for name in (REASON, "rows")), strict=True))
