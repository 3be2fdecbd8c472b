"""From clean lines to sessions of vocabulary rows, each in its part of the split."""

from datetime import datetime

import ibis
from ibis.expr.types import BooleanValue, FloatingValue, IntegerValue, Table, Value

from trainer.config import ColumnSplit, PrepareConfig, RandomSplit, TimeSplit
from trainer.kind_weights import MAX_STRENGTHS
from trainer.seeded_hash import seeded_hash, threshold
from trainer.strengths import STRENGTH, weight_of

ROW_RANGE = 2**31
"""Above every vocabulary row: a place, a strength and a row fit one 64-bit number."""

PLACE_STEP = MAX_STRENGTHS * ROW_RANGE

KEPT = "kept"
TOO_SHORT = "too short"
TOO_LONG = "too long"


def time_of_cut(lines: Table, fraction: float) -> Table:
    """Return one row `started_at`: the last `fraction` of the sessions start then or later."""
    starts = lines.group_by("session_id").agg(started_at=lines.began.min())
    place = ibis.row_number().over(order_by=starts.started_at)
    ranked = starts.mutate(place=place, sessions=starts.count())
    first = (ranked.sessions * (1.0 - fraction)).floor().cast("int64")
    return ranked.filter(ranked.place == first).select("started_at")


def without_rare(lines: Table, config: PrepareConfig, cut: datetime | None) -> Table:
    """Drop from training sessions the items that fewer than `min_item_sessions` of them hold.

    Held-out sessions keep all their items: what is unknown to training counts as a miss. Starts
    and marks stay those of the whole session.
    """
    visits = lines.group_by("session_id").agg(
        started_at=lines.began.min(), marked=lines.marked.any()
    )
    visits = visits.mutate(heldout=_heldout(visits, config, cut)).rename(began="started_at")
    placed = lines.drop("began", "marked").join(visits, "session_id")
    training = placed.filter(~placed.heldout)
    support = training.group_by("item_id").agg(sessions=training.session_id.nunique())
    common = support.filter(support.sessions >= config.sessions.min_item_sessions)
    common = common.select(known_id=common.item_id)
    joined = placed.left_join(common, placed.item_id == common.known_id)
    return joined.filter(joined.heldout | joined.known_id.notnull()).drop("known_id", "heldout")


def sessions_of(
    lines: Table, vocabulary: Table, config: PrepareConfig, cut: datetime | None
) -> Table:
    """Return one row a session, whatever its length.

    Args:
        lines: as `check_events` gives them.
        vocabulary: item_id and row of every item.
        config: order, lengths and split.
        cut: the time from which a time split holds out; None for other splits.

    Returns:
        session_id, user_id (the first by id where there are several, then `shared` is true),
        started_at, items (int32 vocabulary rows in order), length, heldout, and verdict: `kept` or
        why the session is of no use. Where kinds weigh differently also weights (float32, parallel
        to items): what is told by several events, an item of a basket or one repeated in a row,
        has the weight of the strongest.
    """
    coded = lines.join(vocabulary, "item_id")
    placed = _drawn(coded, config) if config.order == "none" else _ordered(coded, config)
    sessions = _collected(placed, config)
    sessions = sessions.mutate(heldout=_heldout(sessions, config, cut), **_judged(sessions, config))
    return sessions.drop("last_user", "marked")


def _heldout(sessions: Table, config: PrepareConfig, cut: datetime | None) -> BooleanValue:
    match config.split:
        case RandomSplit(fraction=fraction, seed=seed):
            return seeded_hash(seed, sessions.session_id) < threshold(fraction)
        case TimeSplit():
            assert cut is not None, "bug: a time split without its cut"
            return sessions.started_at >= ibis.literal(cut)
        case ColumnSplit():
            return sessions.marked
    return ibis.literal(False)


def _drawn(lines: Table, config: PrepareConfig) -> Table:
    """Give each item of a basket one place, drawn by a seeded hash."""
    told = {
        "user_id": lines.user_id.min(),
        "last_user": lines.user_id.max(),
        "began": lines.began.min(),
        "marked": lines.marked.any(),
    }
    if config.weights:
        told[STRENGTH] = lines[STRENGTH].max()
    once = lines.group_by("session_id", "item_id", "row").agg(**told)
    drawn = once.mutate(
        draw=seeded_hash(config.sessions.shuffle_seed, once.session_id, once.item_id)
    )
    basket = ibis.window(group_by=drawn.session_id, order_by=drawn.draw)
    return drawn.mutate(place=ibis.row_number().over(basket))


def _ordered(lines: Table, config: PrepareConfig) -> Table:
    """Number the lines of a session in their order, without immediate repeats."""
    if config.order == "position":
        keys = [lines.position, lines.item_id]
    else:
        # Ties are the rule where a whole order carries one time; ids must not decide them.
        lines = lines.mutate(
            draw=seeded_hash(config.sessions.shuffle_seed, lines.session_id, lines.item_id)
        )
        positions = [lines.position] if config.events.columns.position else []
        keys = [lines["at"], *positions, lines.draw]
    visit = ibis.window(group_by=lines.session_id, order_by=keys)
    placed = lines.mutate(
        place=ibis.row_number().over(visit),
        previous=lines.row.lag().over(visit),
        last_user=lines.user_id,
    )
    if not config.sessions.drop_repeats:
        return placed
    if config.weights:
        placed = _with_strongest(placed)
    return placed.filter(_differs(placed))


def _differs(placed: Table) -> BooleanValue:
    return placed.previous.isnull() | (placed.previous != placed.row)


def _with_strongest(placed: Table) -> Table:
    """Give each line of a run of equal items the strongest kind of the run."""
    so_far = ibis.cumulative_window(group_by=placed.session_id, order_by=placed.place)
    runs = placed.mutate(run=_differs(placed).cast("int64").sum().over(so_far))
    strongest = runs[STRENGTH].max().over(ibis.window(group_by=[runs.session_id, runs.run]))
    return runs.mutate(**{STRENGTH: strongest}).drop("run")


def _collected(placed: Table, config: PrepareConfig) -> Table:
    # Sorting numbers that carry place, strength and row is the one ordered collection that all
    # engines share.
    code = placed.place * PLACE_STEP + placed.row
    if config.weights:
        code = code + placed[STRENGTH] * ROW_RANGE
    coded = placed.mutate(code=code)
    sessions = coded.group_by("session_id").agg(
        user_id=coded.user_id.min(),
        last_user=coded.last_user.max(),
        started_at=coded.began.min(),
        marked=coded.marked.any(),
        codes=coded.code.collect(),
    )
    sessions = sessions.mutate(codes=sessions.codes.sort())
    lists = {"items": sessions.codes.map(lambda code: (code % ROW_RANGE).cast("int32"))}
    if config.weights:
        lists["weights"] = sessions.codes.map(lambda code: _weight_in(code, config))
    return sessions.mutate(**lists).drop("codes")


def _weight_in(code: IntegerValue, config: PrepareConfig) -> FloatingValue:
    strength = ((code % PLACE_STEP - code % ROW_RANGE) / ROW_RANGE).cast("int64")
    return weight_of(strength, config.weights)


def _judged(sessions: Table, config: PrepareConfig) -> dict[str, Value]:
    length = sessions["items"].length()
    verdict = ibis.cases(
        (length < config.sessions.min_length, TOO_SHORT),
        (length > config.sessions.max_length, TOO_LONG),
        else_=KEPT,
    )
    shared = (sessions.user_id != sessions.last_user).fill_null(False)
    return {"length": length, "verdict": verdict, "shared": shared}
