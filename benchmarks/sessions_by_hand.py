"""What preparation does, as somebody who knows the data writes it in SQL for DuckDB.

The rows that come out are the same; there are no settings, no report, no rejected rows, no catalogue
and no checks.
"""

from pathlib import Path
from typing import Any

import duckdb

STEPS = (
    """
    CREATE TABLE lines AS
    SELECT session_id, user_id, item_id, happened_at FROM read_parquet('{events}')
    WHERE trim(session_id) <> '' AND trim(item_id) <> '' AND happened_at IS NOT NULL
    """,
    """
    CREATE TABLE vocabulary AS
    SELECT item_id, (row_number() OVER (ORDER BY item_id) - 1)::INTEGER AS item
    FROM (SELECT DISTINCT item_id FROM lines)
    """,
    """
    CREATE TABLE sessions AS
    WITH drawn AS (
      SELECT *, md5('0' || chr(31) || session_id || chr(31) || item_id) AS draw
      FROM lines JOIN vocabulary USING (item_id)
    ), placed AS (
      SELECT *, lag(item) OVER (PARTITION BY session_id ORDER BY happened_at, draw) AS previous
      FROM drawn
    )
    SELECT
      session_id,
      min(user_id) AS user_id,
      min(happened_at) AS started_at,
      list(item ORDER BY happened_at, draw) AS items,
      md5('0' || chr(31) || session_id) < '{heldout}' AS heldout
    FROM placed WHERE previous IS DISTINCT FROM item
    GROUP BY session_id HAVING count(*) BETWEEN 2 AND 200
    """,
    """
    COPY (
      SELECT session_id, user_id, started_at, items FROM sessions
      WHERE NOT heldout ORDER BY started_at, session_id
    ) TO '{train}' (FORMAT parquet, COMPRESSION zstd)
    """,
    """
    COPY (
      SELECT session_id, user_id, started_at, items FROM sessions
      WHERE heldout ORDER BY started_at, session_id
    ) TO '{held}' (FORMAT parquet, COMPRESSION zstd)
    """,
)


def sessions_by_hand(events: Path, folder: Path, *, heldout: str, memory_limit: str) -> Path:
    """Write the sessions of `events` into `folder`; return the file of the training part.

    Args:
        events: as `benchmarks.event_data.write_events` wrote them.
        folder: gets two session files, the tables and what DuckDB spills.
        heldout: hash of a session id below which it is held out.
        memory_limit: as DuckDB reads it.
    """
    train = folder / "train.parquet"
    options: dict[str, Any] = {
        "memory_limit": memory_limit,
        "temp_directory": str(folder / "spill"),
    }
    with duckdb.connect(str(folder / "tables.duckdb"), config=options) as connection:
        connection.execute("SET enable_progress_bar = false")
        for step in STEPS:
            connection.execute(
                step.format(
                    events=events, train=train, held=folder / "heldout.parquet", heldout=heldout
                )
            )
    return train
