"""From rows of event files to clean lines of sessions, and the reasons for what was refused."""

from dataclasses import dataclass

import ibis
from ibis.expr.types import BooleanValue, StringValue, Table, Value

from artifacts.errors import ConfigError, DataError
from trainer.config import ColumnSplit, PrepareConfig
from trainer.strengths import STRENGTH, strength_of
from trainer.visits import visits_by_gap

SPLIT_COLUMN = "split"
REASON = "reason"


@dataclass(frozen=True, slots=True)
class CheckedEvents:
    """Events with a verdict on each.

    Attributes:
        raw: our columns as they came, plus `reason`, null for rows that are taken.
        lines: the rows that are taken, typed: session_id, item_id, user_id, at (timestamp),
            position (int64), marked (boolean, by the column of a column split), began (timestamp,
            the least of a session is its start); what is not mapped is null. Where kinds weigh
            differently also strength (int64).
    """

    raw: Table
    lines: Table


def check_events(rows: Table, config: PrepareConfig) -> CheckedEvents:
    """Name the columns as we do and judge every row.

    Raises:
        ConfigError: a column of the settings is not in the files.
        DataError: ids are stored as fractions, or times as numbers.
    """
    mapping = _mapping(config)
    raw = pick(rows, mapping, "events")
    raw = raw.mutate(**{REASON: _verdict(raw, config)})
    return CheckedEvents(raw, _lines(raw.filter(raw[REASON].isnull()), config))


def _lines(taken: Table, config: PrepareConfig) -> Table:
    columns = {
        "session_id": _optional(taken, "session_id", "string"),
        "item_id": taken.item_id,
        "user_id": _optional(taken, "user_id", "string"),
        "at": _typed(taken, "timestamp"),
        "position": _typed(taken, "position"),
        "marked": _marked(taken, config),
    }
    if config.weights:
        columns[STRENGTH] = strength_of(taken.event.cast("string"), config)
    lines = taken.select(**columns)
    gap = config.sessions.gap_minutes
    if gap is not None:
        lines = visits_by_gap(lines, gap)
    return lines.mutate(began=lines["at"])


def pick(rows: Table, mapping: dict[str, str], name: str) -> Table:
    """Select the mapped columns under our names, as text unless the file gives them a type.

    Raises:
        ConfigError: a column is not there; the message lists those that are.
        DataError: an id column holds fractions, or a time column numbers.
    """
    missing = {ours: theirs for ours, theirs in mapping.items() if theirs not in rows.columns}
    if missing:
        ours, theirs = next(iter(missing.items()))
        raise ConfigError(
            f"prepare.{name}.columns.{ours}: no column {theirs!r} in the files; there are: "
            f"{', '.join(rows.columns)}"
        )
    return rows.select(**{ours: _named(rows, ours, column) for ours, column in mapping.items()})


def _named(rows: Table, ours: str, theirs: str) -> Value:
    column = rows[theirs]
    if ours == "timestamp" and column.type().is_numeric():
        raise DataError(
            f"column {theirs!r}: expected timestamps or ISO 8601 text, got {column.type()}"
        )
    if not ours.endswith("_id"):
        return column
    if column.type().is_floating():
        raise DataError(
            f"column {theirs!r}: expected ids as text or integers, got {column.type()}, which "
            "loses leading zeros and digits"
        )
    return column.cast("string")


def _mapping(config: PrepareConfig) -> dict[str, str]:
    mapping = {
        ours: theirs for ours, theirs in config.events.columns.model_dump().items() if theirs
    }
    if config.sessions.gap_minutes is not None:
        del mapping["session_id"]
    if isinstance(config.split, ColumnSplit):
        mapping[SPLIT_COLUMN] = config.split.column
    return mapping


def _verdict(raw: Table, config: PrepareConfig) -> StringValue:
    """Return the first reason against a row, null if there is none."""
    who = "session_id" if config.sessions.gap_minutes is None else "user_id"
    checks: list[tuple[BooleanValue, str]] = [
        (blank(raw[who]), f"missing {who}"),
        (blank(raw.item_id), "missing item_id"),
    ]
    required = {"position": config.order == "position", "timestamp": config.needs_timestamp}
    for name in ("timestamp", "position", "quantity", "price"):
        if name in raw.columns and not _typed_already(raw, name):
            checks.append((unreadable(raw, name), f"unreadable {name}"))
        if required.get(name):
            checks.append((blank(raw[name]), f"missing {name}"))
    if "event" in raw.columns:
        kinds = [kind.lower() for kind in config.events.kinds]
        known = raw.event.cast("string").strip().lower().isin(kinds)
        checks.append((~known.fill_null(False), "unknown event kind"))
    return ibis.cases(*checks, else_=ibis.null("string"))


TYPES = {
    "timestamp": "timestamp('UTC')",
    "position": "int64",
    "quantity": "float64",
    "price": "float64",
}


def unreadable(raw: Table, name: str) -> BooleanValue:
    """Tell where `name` holds something that is not of its type; nothing at all is readable."""
    typed = raw[name].try_cast(TYPES[name])
    bad = typed.isnull()
    if TYPES[name] == "float64":
        bad = bad | typed.isinf()
    return ~blank(raw[name]) & bad


FIRST_SEEN = "!"
"""The first character of ASCII that leaves a mark."""


def blank(column: Value) -> BooleanValue:
    """Tell where there is nothing, or nothing but white space."""
    missing = column.isnull()
    if not column.type().is_string():
        return missing
    # White space sorts before all that is seen, and a comparison costs far less than a strip.
    return missing | ((column < FIRST_SEEN) & (column.strip() == ""))


def _typed_already(raw: Table, name: str) -> bool:
    """Tell whether the file gives the column the type that we want, so that none is unreadable."""
    if name not in raw.columns:
        return False
    found = raw[name].type()
    plain_time = found.is_timestamp() and found.timezone is None
    return plain_time if name == "timestamp" else name == "position" and found.is_int64()


def _typed(raw: Table, name: str) -> Value:
    if _typed_already(raw, name):
        return raw[name].cast("timestamp") if name == "timestamp" else raw[name]
    if name == "timestamp":
        # By way of UTC, because a plain cast drops the offset of a text.
        return _optional(raw, name, TYPES[name]).cast("timestamp")
    return _optional(raw, name, TYPES[name])


def _optional(raw: Table, name: str, type_name: str) -> Value:
    return raw[name].try_cast(type_name) if name in raw.columns else ibis.null(type_name)


def _marked(raw: Table, config: PrepareConfig) -> BooleanValue:
    if not isinstance(config.split, ColumnSplit):
        return ibis.null("boolean")
    return raw[SPLIT_COLUMN].cast("string").isin(config.split.heldout).fill_null(False)
