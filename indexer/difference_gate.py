"""The part of the gate that can be judged again: how much a snapshot differs from another one."""

from indexer.config import GateConfig
from indexer.difference_report import Difference


def judge_difference(thresholds: GateConfig, difference: Difference | None) -> list[str]:
    """Return a sentence for each threshold that a difference breaks."""
    if difference is None:
        return []
    since = f"since {difference.before}"
    failures = [
        f"{table.space} {table.relation}: lists have {table.jaccard:.3f} in common {since}, which "
        f"is below {thresholds.min_overlap:.3f}"
        for table in difference.tables
        if table.both and table.jaccard < thresholds.min_overlap
    ]
    failures += [
        f"{table.space} {table.relation}: {table.lost_share:.3f} of the items with neighbours have "
        f"none any more {since}, which is above {thresholds.max_lost_share:.3f}"
        for table in difference.tables
        if table.lost_share > thresholds.max_lost_share
    ]
    if thresholds.max_lost_share < 1:
        failures += [f"{name}: the table is gone {since}" for name in difference.tables_lost]
    return failures
