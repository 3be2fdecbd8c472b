"""Made events of any number, written by DuckDB itself, so that their making needs no memory."""

from pathlib import Path

import duckdb

EVENTS_PER_SESSION = 5
"""On average; lengths follow a Poisson distribution."""
SESSIONS_AT_ONCE = 200
"""Open at a time: the log is in order of time, so sessions lie interleaved in it."""
EVENTS_PER_ITEM = 200
EVENTS_PER_USER = 40
DAYS = 30

EVENTS = """
COPY (
  WITH drawn AS (
    SELECT
      n,
      n // $block * $open + hash(n, $seed) % $open AS session,
      hash(n, $seed + 1) / 18446744073709551616.0 AS uniform
    FROM range($rows) AS numbers(n)
  )
  SELECT
    's' || lpad(session::VARCHAR, 10, '0') AS session_id,
    'u' || (hash(session, $seed + 2) % $users)::VARCHAR AS user_id,
    -- The cube of a uniform number: few items are sold often, most hardly ever.
    'i' || lpad(floor($items * pow(uniform, 3))::BIGINT::VARCHAR, 9, '0') AS item_id,
    TIMESTAMP '2026-01-01' + to_microseconds((n * $pause)::BIGINT) AS happened_at
  FROM drawn
) TO '{path}' (FORMAT parquet)
"""


def write_events(path: Path, rows: int, *, seed: int) -> None:
    """Write `rows` clicks as Parquet: session_id, user_id, item_id, happened_at.

    The same arguments give the same rows. Cost: one pass, parallel, in constant memory.
    """
    parameters = {
        "rows": rows,
        "seed": seed,
        "block": SESSIONS_AT_ONCE * EVENTS_PER_SESSION,
        "open": SESSIONS_AT_ONCE,
        "users": max(1, rows // EVENTS_PER_USER),
        "items": max(2, rows // EVENTS_PER_ITEM),
        "pause": DAYS * 86_400_000_000 // rows,
    }
    with duckdb.connect() as connection:
        statement = EVENTS.format(path=str(path).replace("'", "''"))
        for name, value in parameters.items():
            statement = statement.replace(f"${name}", str(value))
        connection.execute(statement)
