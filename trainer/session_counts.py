"""Count the sessions of the two parts for the data report."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from ibis.expr.types import Table

from trainer.data_report import QUANTILES, SessionCounts
from trainer.engine import Engine
from trainer.sessions import KEPT


def count_sessions(engine: Engine, sessions: Table) -> tuple[SessionCounts, SessionCounts]:
    """Return the counts of the training part and of the held-out part.

    Args:
        engine: runs the queries.
        sessions: as `sessions_of` gives them.
    """
    verdicts = sessions.group_by("heldout", "verdict").agg(
        sessions=sessions.count(),
        events=sessions.length.sum(),
        first=sessions.started_at.min(),
        last=sessions.started_at.max(),
    )
    kept = sessions.filter(sessions.verdict == KEPT)
    lengths = kept.group_by("heldout", "length").agg(sessions=kept.count())
    rows = engine.fetch(verdicts).to_pylist(), engine.fetch(lengths).to_pylist()
    train, heldout = (
        _part(*([row for row in table if row["heldout"] is part] for table in rows))
        for part in (False, True)
    )
    return train, heldout


def _part(verdicts: list[dict[str, Any]], lengths: list[dict[str, Any]]) -> SessionCounts:
    by_verdict = {row["verdict"]: row for row in verdicts}
    kept: Mapping[str, Any] = by_verdict.pop(KEPT, {"sessions": 0, "events": 0})
    return SessionCounts(
        kept=kept["sessions"],
        dropped={verdict: row["sessions"] for verdict, row in sorted(by_verdict.items())},
        events=kept["events"],
        length_quantiles=_quantiles({row["length"]: row["sessions"] for row in lengths}),
        first_start=kept.get("first"),
        last_start=kept.get("last"),
    )


def _quantiles(sessions_of_length: dict[int, int]) -> dict[str, int]:
    """Return the least length that a share of the sessions does not exceed, for each share."""
    if not sessions_of_length:
        return {}
    lengths = sorted(sessions_of_length)
    reached = np.cumsum([sessions_of_length[length] for length in lengths])
    places = np.searchsorted(reached, [q * reached[-1] for q in QUANTILES])
    return {f"{q:g}": lengths[place] for q, place in zip(QUANTILES, places, strict=True)}
