"""Find the sessions that no shopper made."""

from collections.abc import Iterator

import ibis
from ibis.expr.types import Table

from trainer.outliers_config import OutliersConfig

MANY_EVENTS = "too many events in the session"
BUSY_DAY = "too many events of the user in a day"
MANY_ITEMS = "too many different items in a minute"


def outlying_sessions(lines: Table, config: OutliersConfig) -> Table | None:
    """Return the sessions that break a rule, None where no rule is set.

    Args:
        lines: as `check_events` gives them.
        config: the rules.

    Returns:
        session_id, each once, and `reason`: of several the first by name.
    """
    broken = list(_broken(lines, config))
    if not broken:
        return None
    together = broken[0] if len(broken) == 1 else ibis.union(*broken)
    return together.group_by("session_id").agg(reason=together.reason.min())


def without_sessions(lines: Table, dropped: Table) -> Table:
    """Return the lines of all sessions but those of `dropped`."""
    return lines.anti_join(dropped, "session_id")


def _broken(lines: Table, config: OutliersConfig) -> Iterator[Table]:
    """Give, for each rule that is set, the ids of the sessions that break it, and why."""
    if config.max_session_events is not None:
        sizes = lines.group_by("session_id").agg(events=lines.count())
        yield _named(sizes.filter(sizes.events > config.max_session_events), MANY_EVENTS)
    if config.max_user_day_events is not None:
        yield _named(_of_busy_days(lines, config.max_user_day_events), BUSY_DAY)
    if config.max_items_per_minute is not None:
        timed = lines.filter(lines["at"].notnull())
        timed = timed.mutate(minute=timed["at"].truncate("m"))
        minutes = timed.group_by("session_id", "minute").agg(items=timed.item_id.nunique())
        yield _named(minutes.filter(minutes["items"] > config.max_items_per_minute), MANY_ITEMS)


def _of_busy_days(lines: Table, most: int) -> Table:
    dated = lines.filter(lines.user_id.notnull() & lines["at"].notnull())
    dated = dated.select("session_id", "user_id", day=dated["at"].date())
    days = dated.group_by("user_id", "day").agg(events=dated.count())
    busy = days.filter(days.events > most)
    return dated.semi_join(busy, ["user_id", "day"])


def _named(sessions: Table, reason: str) -> Table:
    return sessions.select("session_id", reason=ibis.literal(reason)).distinct()
