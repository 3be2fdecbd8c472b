"""Cut what a user did into visits where the log has no sessions of its own."""

import ibis
from ibis.expr.types import Table

BETWEEN = "/"


def visits_by_gap(lines: Table, gap_minutes: int) -> Table:
    """Give every line a `session_id`: the user and the number of the visit, from 1 on.

    A visit ends where the same user does nothing for longer than `gap_minutes`. Later events of a
    log do not change the ids of the visits before them.

    Args:
        lines: user_id and at on every row; `session_id` is replaced.
        gap_minutes: half an hour is the custom of web analytics.

    Cost: one sort by user and time.
    """
    steps = ibis.window(group_by=lines.user_id, order_by=lines["at"])
    before = lines["at"].lag().over(steps)
    pause = before + ibis.interval(minutes=gap_minutes)
    begins = (before.isnull() | (lines["at"] > pause)).cast("int64")
    marked = lines.mutate(begins=begins)
    # By range, not by rows: events of one moment share a visit whichever of them is sorted first.
    so_far = ibis.range_window(
        group_by=marked.user_id, order_by=marked["at"], preceding=None, following=0
    )
    visit = marked.begins.sum().over(so_far).cast("string")
    return marked.mutate(session_id=marked.user_id + BETWEEN + visit).drop("begins")
